-- Dead letters: what could not be taken in, kept as it came, until somebody retries or discards it.
--
--   bridge_dead_letters_keep.sql    what the worker calls: keep them, mirror them to Kafka
--   bridge_dead_letters_retry.sql   what operators call: retry, discard
CREATE TABLE bridge.dead_letters (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'retried', 'discarded')),
  topic text NOT NULL,
  partition integer,
  "offset" bigint,
  key bytea,
  value bytea,
  headers jsonb,
  reason text NOT NULL,
  sqlstate text,
  attempts integer NOT NULL DEFAULT 1,
  first_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
  note text,
  event_ids uuid[],
  detail text,
  mirrored_at timestamptz,
  CHECK ((partition IS NULL) = ("offset" IS NULL))
);
COMMENT ON TABLE bridge.dead_letters IS 'what could not be taken in, as it came';
COMMENT ON COLUMN bridge.dead_letters.topic IS 'Kafka topic, or http:/webhooks/<provider>';
COMMENT ON COLUMN bridge.dead_letters.headers IS
  'of a record: [{"key", "value" or "base64"}] in order; of a request: what reading it again needs';
COMMENT ON COLUMN bridge.dead_letters.event_ids IS 'of the deliveries in it that were refused';
COMMENT ON COLUMN bridge.dead_letters.detail IS
  'the reason in words, of the last attempt; note is the operator''s';
COMMENT ON COLUMN bridge.dead_letters.mirrored_at IS 'when its copy in Kafka was acknowledged';

-- The same thing again is another attempt, not another letter.
CREATE UNIQUE INDEX dead_letters_record ON bridge.dead_letters (topic, partition, "offset")
  WHERE partition IS NOT NULL;
CREATE UNIQUE INDEX dead_letters_body ON bridge.dead_letters (topic, sha256(value))
  WHERE partition IS NULL AND status = 'open';
CREATE INDEX dead_letters_open ON bridge.dead_letters (first_seen) WHERE status = 'open';
CREATE INDEX dead_letters_event_ids ON bridge.dead_letters USING gin (event_ids);
CREATE INDEX dead_letters_unmirrored ON bridge.dead_letters (id)
  WHERE mirrored_at IS NULL AND partition IS NOT NULL;

-- They hold health data: who reads is who writes.
GRANT SELECT ON bridge.dead_letters TO auren_writer, auren_admin;

SELECT pg_extension_config_dump('bridge.dead_letters', '');
SELECT pg_extension_config_dump('bridge.dead_letters_id_seq', '');
