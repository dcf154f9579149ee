-- Schema events: the store. One append-only table and its archive, the functions that write it, the
-- functions that read it. See docs/events.md.
CREATE SCHEMA events;
GRANT USAGE ON SCHEMA events TO auren_reader;

-- Two tables that stay empty for ever; only locks are taken on them.
--   append_lock: every append takes RowExclusive; a transaction that writes more than 1,000 streams
--     takes ShareRowExclusive instead of one lock per stream, and so waits for all the others.
--   append_gate: every position is drawn under RowExclusive; a reader that meets a hole asks who holds
--     it. VACUUM of the store or a monitor reading the sequence never looks like an appender.
CREATE TABLE events.append_lock ();
CREATE TABLE events.append_gate ();

-- Positions: handed out one by one (CACHE 1 is part of the protocol: blocks of positions per
-- connection would be out of order), and only through next_position().
CREATE SEQUENCE events.event_store_position_seq AS bigint CACHE 1;

CREATE FUNCTION events.next_position() RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_next_position'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.next_position() IS
  'the next global position, drawn behind the gate that lets readers know of appends in flight';

-- Stream ids compare as bytes: that is what finding one needs, and a prefix search can use the index.
-- The columns' order is known to the C++ side (extension/src/events/store.h).
CREATE TABLE events.event_store (
  position bigint NOT NULL DEFAULT events.next_position(),
  event_id uuid NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  event_type text COLLATE "C" NOT NULL,
  event_data jsonb NOT NULL,
  metadata jsonb,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  hash bytea,
  CONSTRAINT event_store_stream_version PRIMARY KEY (stream_id, version),
  CONSTRAINT event_store_stream_event UNIQUE (stream_id, event_id)
);
CREATE INDEX idx_event_store_position ON events.event_store (position);
-- The category is the part before the first colon. An expression, not a column: it costs no bytes.
CREATE INDEX idx_event_store_category_position
  ON events.event_store (split_part(stream_id, ':', 1), position);
CREATE INDEX idx_event_store_created_at ON events.event_store USING brin (created_at);
CREATE INDEX idx_event_store_event_data_gin
  ON events.event_store USING gin (event_data jsonb_path_ops);
-- A delivery is asked for by its id alone, whoever's it is. Other events have no entry here and append
-- as cheaply without it. The C++ side knows this shape (extension/src/events/insert.cpp).
CREATE INDEX idx_event_store_delivery ON events.event_store (event_id)
  WHERE event_type = 'biometric_received';

ALTER SEQUENCE events.event_store_position_seq OWNED BY events.event_store.position;

COMMENT ON TABLE events.event_store IS 'every event, for ever: rows are only ever added';
COMMENT ON COLUMN events.event_store.position IS
  'global order; grows, may have holes where a transaction was rolled back';
COMMENT ON COLUMN events.event_store.version IS 'order within the stream: 1, 2, 3 ... without gaps';
COMMENT ON COLUMN events.event_store.hash IS
  'SHA-256 over the event and the hash before it in the stream; NULL unless auren.hash_chain is on';

-- Where streams are moved that nobody writes any more: the same rows under the same positions, out of
-- the way of the indexes that appends keep up. What of a stream lies here is older than what lies in
-- the store. No GIN index: nobody searches it by content; a DBA may add one.
CREATE TABLE events.event_archive (
  position bigint NOT NULL,
  event_id uuid NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  event_type text COLLATE "C" NOT NULL,
  event_data jsonb NOT NULL,
  metadata jsonb,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  hash bytea,
  CONSTRAINT event_archive_stream_version PRIMARY KEY (stream_id, version),
  CONSTRAINT event_archive_stream_event UNIQUE (stream_id, event_id)
);
CREATE INDEX idx_event_archive_position ON events.event_archive (position);
CREATE INDEX idx_event_archive_category_position
  ON events.event_archive (split_part(stream_id, ':', 1), position);
CREATE INDEX idx_event_archive_delivery ON events.event_archive (event_id)
  WHERE event_type = 'biometric_received';
COMMENT ON TABLE events.event_archive IS 'the events of archived streams';

-- A statement that asks for one stream is planned once and for all: with this many streams, whatever ANALYZE
-- would say, no stream looks worth a plan of its own.
ALTER TABLE events.event_store ALTER COLUMN stream_id SET (n_distinct = -0.5);
ALTER TABLE events.event_archive ALTER COLUMN stream_id SET (n_distinct = -0.5);

-- What every reader reads. The planner sees through it, and a policy on either table holds for whoever
-- asks.
CREATE VIEW events.all_events WITH (security_invoker = true) AS
  SELECT position, event_id, stream_id, version, event_type, event_data, metadata, created_by,
    created_at, hash
  FROM events.event_store
  UNION ALL
  SELECT position, event_id, stream_id, version, event_type, event_data, metadata, created_by,
    created_at, hash
  FROM events.event_archive;
COMMENT ON VIEW events.all_events IS 'the store and its archive as one';

-- What is stored stays as it is, for owner and superuser too, and under any
-- session_replication_role. ON CONFLICT DO UPDATE and MERGE fire the UPDATE and DELETE triggers.
CREATE FUNCTION events.refuse_change() RETURNS trigger
  AS 'MODULE_PATHNAME', 'events_refuse_change'
  LANGUAGE C;
CREATE TRIGGER event_store_is_immutable
  BEFORE UPDATE OR DELETE OR TRUNCATE ON events.event_store
  FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE events.event_store ENABLE ALWAYS TRIGGER event_store_is_immutable;
CREATE TRIGGER event_archive_is_immutable
  BEFORE UPDATE OR DELETE OR TRUNCATE ON events.event_archive
  FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE events.event_archive ENABLE ALWAYS TRIGGER event_archive_is_immutable;

-- Writing ----------------------------------------------------------------------------------------

CREATE FUNCTION events.append_event(
  p_stream_id text,
  p_event_type text,
  p_event_data jsonb,
  p_created_by text DEFAULT NULL,
  p_expected_version bigint DEFAULT NULL,
  p_event_id uuid DEFAULT NULL,
  p_metadata jsonb DEFAULT NULL
) RETURNS uuid
  AS 'MODULE_PATHNAME', 'events_append_event'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.append_event IS 'appends one event, returns its id';

CREATE FUNCTION events.append(
  p_stream_id text,
  p_event_type text,
  p_event_data jsonb,
  p_created_by text DEFAULT NULL,
  p_expected_version bigint DEFAULT NULL,
  p_event_id uuid DEFAULT NULL,
  p_metadata jsonb DEFAULT NULL
) RETURNS TABLE (event_id uuid, version bigint, "position" bigint, was_duplicate boolean)
  AS 'MODULE_PATHNAME', 'events_append'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION events.append IS 'appends one event, returns where it stands';

CREATE FUNCTION events.append_events(
  p_stream_id text,
  p_events jsonb,
  p_created_by text DEFAULT NULL,
  p_expected_version bigint DEFAULT NULL
) RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_append_events'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.append_events IS
  'appends an array of {event_type, event_data, event_id?, metadata?} to one stream, returns its version';

CREATE FUNCTION events.append_batch(
  p_stream_ids text[],
  p_event_types text[],
  p_event_data jsonb[],
  p_created_by text DEFAULT NULL,
  p_event_ids uuid[] DEFAULT NULL,
  p_metadata jsonb[] DEFAULT NULL,
  p_expected_versions bigint[] DEFAULT NULL
) RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_append_batch'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.append_batch IS
  'appends one event per array element, to many streams, all or nothing; returns how many were new';

-- Reading ----------------------------------------------------------------------------------------
-- Plain SQL in a body that is parsed once, here: no search_path can change what it means, and the
-- planner sees through it.

CREATE FUNCTION events.replay_stream(
  p_stream_id text,
  p_from_version bigint DEFAULT 1,
  p_to_version bigint DEFAULT NULL,
  p_as_of timestamptz DEFAULT NULL
) RETURNS SETOF events.event_store
  LANGUAGE sql STABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT e.*
    FROM events.all_events AS e
    WHERE e.stream_id = p_stream_id
      AND e.version >= coalesce(p_from_version, 1)
      AND e.version <= coalesce(p_to_version, 9223372036854775807)
      AND e.created_at <= coalesce(p_as_of, 'infinity')
    ORDER BY e.version;
  END;
COMMENT ON FUNCTION events.replay_stream IS 'the events of a stream, oldest first';

CREATE FUNCTION events.replay_backwards(p_stream_id text, p_limit int DEFAULT 1)
  RETURNS SETOF events.event_store
  LANGUAGE sql STABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT e.*
    FROM events.all_events AS e
    WHERE e.stream_id = p_stream_id
    ORDER BY e.version DESC
    LIMIT p_limit;
  END;
COMMENT ON FUNCTION events.replay_backwards IS 'the newest events of a stream, newest first';

CREATE FUNCTION events.stream_version(p_stream_id text) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT coalesce(
      (SELECT max(e.version) FROM events.event_store AS e WHERE e.stream_id = p_stream_id),
      (SELECT max(a.version) FROM events.event_archive AS a WHERE a.stream_id = p_stream_id),
      0);
  END;
COMMENT ON FUNCTION events.stream_version IS 'the version of the newest event of a stream, 0 for none';

-- The global order. Readers see every event once, in position order, and never skip one that commits
-- later: they stop short of what is still in flight.

CREATE FUNCTION events.read_all(p_after bigint DEFAULT 0, p_limit int DEFAULT 1000)
  RETURNS SETOF events.event_store
  AS 'MODULE_PATHNAME', 'events_read_all'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.read_all IS 'events after a position, in global order, up to what is settled';

CREATE FUNCTION events.read_category(
  p_category text,
  p_after bigint DEFAULT 0,
  p_limit int DEFAULT 1000
) RETURNS SETOF events.event_store
  AS 'MODULE_PATHNAME', 'events_read_category'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.read_category IS
  'events of one category after a position, in global order, up to what is settled';

CREATE FUNCTION events.safe_position() RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_safe_position'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.safe_position IS 'everything at or below it is settled for good';

-- Privileges -------------------------------------------------------------------------------------
-- INSERT is granted to nobody: functions write. The owner's INSERT and COPY remain for pg_restore.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA events FROM PUBLIC;
GRANT SELECT ON events.event_store, events.event_archive, events.all_events TO auren_reader;
GRANT EXECUTE ON FUNCTION
  events.replay_stream, events.replay_backwards, events.stream_version,
  events.read_all, events.read_category, events.safe_position
  TO auren_reader;
GRANT EXECUTE ON FUNCTION
  events.append_event, events.append, events.append_events, events.append_batch
  TO auren_writer;

-- pg_dump carries the rows and the sequence, not only CREATE EXTENSION.
SELECT pg_catalog.pg_extension_config_dump('events.append_lock', '');
SELECT pg_catalog.pg_extension_config_dump('events.append_gate', '');
SELECT pg_catalog.pg_extension_config_dump('events.event_store', '');
SELECT pg_catalog.pg_extension_config_dump('events.event_archive', '');
SELECT pg_catalog.pg_extension_config_dump('events.event_store_position_seq', '');
