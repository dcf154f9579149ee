-- bridge, Kafka: how far each partition has been taken in. The row moves in the transaction that takes the
-- records in, so the two can never disagree, whatever dies.

CREATE TABLE bridge.kafka_offsets (
  cluster_id text,
  topic text,
  partition integer CHECK (partition >= 0),
  next_offset bigint NOT NULL CHECK (next_offset >= 0),
  owner_epoch bigint NOT NULL DEFAULT 0,
  owner text,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  owner_pid integer,
  last_digest bytea,
  stopped_reason text CHECK (stopped_reason IN ('fuse', 'retention_gap', 'topic_recreated')),
  stopped_detail text,
  anchor_offset bigint,
  anchor_digest bytea,
  PRIMARY KEY (cluster_id, topic, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE bridge.kafka_offsets IS
  'how far each partition has been taken in; moves in the transaction that takes in';
COMMENT ON COLUMN bridge.kafka_offsets.next_offset IS 'the first offset not yet taken in';
COMMENT ON COLUMN bridge.kafka_offsets.owner_epoch IS
  'raised by each new owner; a consumer with an older one is fenced';
COMMENT ON COLUMN bridge.kafka_offsets.owner_pid IS
  'the owner''s backend, ended when its transaction holds a successor up';
COMMENT ON COLUMN bridge.kafka_offsets.last_digest IS
  'of the record before next_offset: tells a recreated topic from the one that was read';
COMMENT ON COLUMN bridge.kafka_offsets.stopped_reason IS
  'fuse, retention_gap or topic_recreated: nothing is taken in until it is resumed';

COMMENT ON COLUMN bridge.kafka_offsets.anchor_offset IS
  'a record read some time ago, looked at again every ten seconds';
COMMENT ON COLUMN bridge.kafka_offsets.anchor_digest IS
  'of that record: tells of a topic that was recreated and filled while it was read';

GRANT SELECT, INSERT, UPDATE ON bridge.kafka_offsets TO auren_writer;
GRANT SELECT ON bridge.kafka_offsets TO auren_reader, auren_admin;
SELECT pg_extension_config_dump('bridge.kafka_offsets', '');
