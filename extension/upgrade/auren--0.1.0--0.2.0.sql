\echo Use "ALTER EXTENSION auren UPDATE" to load this file. \quit
-- 0.2.0: an event can carry a hash, and streams that nobody writes any more lie in an archive.
ALTER TABLE events.event_store ADD COLUMN hash bytea;
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
COMMENT ON TABLE events.event_archive IS 'the events of archived streams';

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

CREATE TRIGGER event_archive_is_immutable
  BEFORE UPDATE OR DELETE OR TRUNCATE ON events.event_archive
  FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE events.event_archive ENABLE ALWAYS TRIGGER event_archive_is_immutable;

CREATE OR REPLACE FUNCTION events.replay_stream(
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

CREATE OR REPLACE FUNCTION events.replay_backwards(p_stream_id text, p_limit int DEFAULT 1)
  RETURNS SETOF events.event_store
  LANGUAGE sql STABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT e.*
    FROM events.all_events AS e
    WHERE e.stream_id = p_stream_id
    ORDER BY e.version DESC
    LIMIT p_limit;
  END;

CREATE OR REPLACE FUNCTION events.stream_version(p_stream_id text) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT coalesce(
      (SELECT max(e.version) FROM events.event_store AS e WHERE e.stream_id = p_stream_id),
      (SELECT max(a.version) FROM events.event_archive AS a WHERE a.stream_id = p_stream_id),
      0);
  END;

GRANT SELECT ON events.event_archive, events.all_events TO auren_reader;
SELECT pg_catalog.pg_extension_config_dump('events.event_archive', '');

-- Switches are found in the archive, too.
CREATE OR REPLACE FUNCTION neuros.read_switches(
  p_after bigint DEFAULT 0,
  p_limit integer DEFAULT 1000,
  p_user_id text DEFAULT NULL)
RETURNS TABLE(
  "position" bigint,
  user_id text,
  from_mode text,
  to_mode text,
  trigger text,
  confidence double precision,
  reason text,
  event_id uuid,
  created_at timestamptz,
  event_data jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  safe bigint := events.safe_position();
BEGIN
  RETURN QUERY
    SELECT e.position, substr(e.stream_id, length('user:') + 1),
           e.event_data ->> 'from_mode', e.event_data ->> 'to_mode', e.event_data ->> 'trigger',
           -- A writer may append an event of this name by hand: it must not stop the readers.
           CASE jsonb_typeof(e.event_data -> 'confidence')
             WHEN 'number' THEN (e.event_data -> 'confidence')::double precision END,
           e.event_data ->> 'reason',
           e.event_id, e.created_at, e.event_data
      FROM events.all_events e
     WHERE e.event_type = 'mode_switched'
       AND split_part(e.stream_id, ':', 1) = 'user'
       AND e.position > p_after AND e.position <= safe
       AND (p_user_id IS NULL OR e.stream_id = 'user:' || p_user_id)
     ORDER BY e.position
     LIMIT p_limit;
END;
$$;

-- 0.2.0: a decision can be explained.
-- Why a person is in their mode: the decision that put them there, as it was stored with it. Read back
-- and not worked out anew, so that it says what was known then.
CREATE FUNCTION neuros.explain(p_user_id text, p_at timestamptz DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(
    (SELECT jsonb_build_object(
              'user_id', p_user_id,
              'mode', e.event_data -> 'to_mode',
              'since', e.created_at,
              'from_mode', e.event_data -> 'from_mode',
              'trigger', e.event_data -> 'trigger',
              'confidence', e.event_data -> 'confidence',
              'reason', e.event_data -> 'reason',
              'fired', jsonb_path_query_array(e.event_data, '$.factors[*] ? (@.fired == true)'),
              'nearly', jsonb_path_query_array(e.event_data, '$.factors[*] ? (@.fired == false)'),
              'config_version', e.event_data -> 'config_version',
              'context', e.event_data -> 'context',
              'event_id', e.event_id,
              'position', e.position)
       FROM events.all_events e
      WHERE e.stream_id = 'user:' || p_user_id
        AND e.event_type = 'mode_switched'
        AND e.created_at <= coalesce(p_at, 'infinity')
      ORDER BY e.version DESC
      LIMIT 1),
    jsonb_build_object(
      'user_id', p_user_id,
      'mode', 'baseline',
      'reason', 'never switched',
      'fired', '[]'::jsonb,
      'nearly', '[]'::jsonb))
$$;
COMMENT ON FUNCTION neuros.explain(text, timestamptz) IS
  'the decision behind a person''s mode, now or at a time: reason, what fired, what nearly did';

REVOKE ALL ON FUNCTION neuros.explain(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION neuros.explain(text, timestamptz)
  TO auren_reader, auren_writer, auren_admin;

-- 0.2.0: a stream has an end (schema/events_lifecycle.sql).
CREATE FUNCTION events.archive_stream(p_stream_id text) RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_archive_stream'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.archive_stream IS
  'moves a stream''s events to the archive, returns how many; nothing else changes for readers and writers';

CREATE FUNCTION events.restore_stream(p_stream_id text) RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_restore_stream'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.restore_stream IS
  'moves a stream''s events back from the archive, returns how many';

CREATE FUNCTION events.tombstone_stream(p_stream_id text) RETURNS uuid
  AS 'MODULE_PATHNAME', 'events_tombstone_stream'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.tombstone_stream IS
  'closes a stream for good with a last event, stream_tombstoned; returns its id, also when asked again';

-- In one pass over the streams it is given, which it locks in one order: two of these do not deadlock.
CREATE FUNCTION events.archive_streams(p_stream_ids text[], p_before timestamptz) RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_archive_streams'
  LANGUAGE C VOLATILE STRICT SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.archive_streams IS
  'archives those of the streams that have had no event since, returns how many';

CREATE FUNCTION events.archive_older_than(
  p_category text,
  p_before timestamptz,
  p_limit int DEFAULT 1000
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  candidates text[];
BEGIN
  IF p_category IS NULL OR p_before IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE =
      CASE WHEN p_category IS NULL THEN 'p_category' ELSE 'p_before' END || ' must not be null';
  ELSIF p_limit < 0 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'p_limit must not be negative',
      HINT = 'Use NULL for no limit.';
  END IF;
  -- A stream's newest event is the one without a next version.
  candidates := ARRAY(
    SELECT e.stream_id
    FROM events.event_store AS e
    WHERE split_part(e.stream_id, ':', 1) = p_category
      AND e.created_at < p_before
      AND NOT EXISTS (
        SELECT FROM events.event_store AS n
        WHERE n.stream_id = e.stream_id AND n.version = e.version + 1)
    ORDER BY e.position
    LIMIT p_limit);
  RETURN events.archive_streams(candidates, p_before);
END $$;
COMMENT ON FUNCTION events.archive_older_than IS
  'archives streams of a category whose newest event is older, the longest untouched first; returns how many streams';

REVOKE ALL ON FUNCTION
  events.archive_stream, events.restore_stream, events.tombstone_stream, events.archive_streams,
  events.archive_older_than
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  events.archive_stream, events.restore_stream, events.tombstone_stream, events.archive_older_than
  TO auren_admin;

-- 0.2.0: tamper evidence (schema/events_hash_chain.sql).
CREATE FUNCTION events.event_hash(
  p_previous bytea,
  p_stream_id text,
  p_version bigint,
  p_event_id uuid,
  p_event_type text,
  p_event_data jsonb,
  p_metadata jsonb,
  p_created_by text,
  p_created_at timestamptz
) RETURNS bytea
  AS 'MODULE_PATHNAME', 'events_event_hash'
  LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION events.event_hash IS
  'the hash an event has to carry, given the hash of the event before it (NULL: the chain begins with it)';

-- The events of chains that are not what they were: a hash that does not fit the event and the hash
-- before it, or none where the event before has one. Asked for one stream it looks at no other.
CREATE VIEW events.broken_links AS
  SELECT e.stream_id, e.version,
    CASE WHEN e.hash IS NULL THEN 'has no hash, though the event before it has one'
         WHEN e.version <> coalesce(e.previous_version, 0) + 1 THEN 'does not follow the event before it'
         ELSE 'has another hash than its content' END AS problem
  FROM (
    SELECT a.*, lag(a.hash) OVER stream AS previous, lag(a.version) OVER stream AS previous_version
    FROM events.all_events AS a
    WINDOW stream AS (PARTITION BY a.stream_id ORDER BY a.version)) AS e
  WHERE (e.hash IS NOT NULL OR e.previous IS NOT NULL)
    AND (e.version <> coalesce(e.previous_version, 0) + 1
      OR e.hash IS DISTINCT FROM events.event_hash(e.previous, e.stream_id, e.version, e.event_id,
           e.event_type, e.event_data, e.metadata, e.created_by, e.created_at));
COMMENT ON VIEW events.broken_links IS
  'the events of hash chains that are not what they were when they were appended';

CREATE FUNCTION events.verify_stream(p_stream_id text, p_known_hash bytea DEFAULT NULL)
  RETURNS TABLE (ok boolean, broken_version bigint, head_hash bytea, version bigint,
    chained_from bigint, detail text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT broken.version IS NULL AND NOT lost,
    broken.version,
    head.hash,
    coalesce(head.version, 0),
    chain.begins,
    CASE WHEN broken.version IS NOT NULL
           THEN format('version %s %s', broken.version, broken.problem)
         WHEN lost THEN 'no event has the hash that was kept'
         WHEN head.version IS NULL THEN 'the stream does not exist'
         WHEN chain.begins IS NULL THEN 'no event has a hash'
         ELSE format('%s events from version %s on are as they were appended',
                head.version - chain.begins + 1, chain.begins) END
  FROM (SELECT) AS one
  LEFT JOIN LATERAL (
    SELECT e.version, e.hash FROM events.all_events AS e
    WHERE e.stream_id = p_stream_id ORDER BY e.version DESC LIMIT 1) AS head ON true
  LEFT JOIN LATERAL (
    SELECT b.version, b.problem FROM events.broken_links AS b
    WHERE b.stream_id = p_stream_id ORDER BY b.version LIMIT 1) AS broken ON true
  CROSS JOIN LATERAL (
    SELECT min(e.version) AS begins FROM events.all_events AS e
    WHERE e.stream_id = p_stream_id AND e.hash IS NOT NULL) AS chain
  CROSS JOIN LATERAL (
    SELECT p_known_hash IS NOT NULL AND NOT EXISTS (
      SELECT FROM events.all_events AS e
      WHERE e.stream_id = p_stream_id AND e.hash = p_known_hash)) AS known (lost)
$$;
COMMENT ON FUNCTION events.verify_stream IS
  'whether a stream''s hash chain holds and contains a hash you kept; the first broken version, the head to keep';

REVOKE ALL ON FUNCTION events.event_hash, events.verify_stream FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events.event_hash, events.verify_stream TO auren_reader;
GRANT SELECT ON events.broken_links TO auren_reader;

-- 0.2.0: the message-db facade (schema/events_message_db.sql).
-- The one way around the naming rule. Granted to auren_admin: write_message runs with the rights of
-- whoever installed the facade.
CREATE FUNCTION events.append_message(
  p_stream_name text,
  p_type text,
  p_data jsonb,
  p_metadata jsonb,
  p_id uuid,
  p_expected_version bigint,
  OUT version bigint,
  OUT "position" bigint
)
  AS 'MODULE_PATHNAME', 'events_append_message'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.append_message IS
  'appends a message of the message-db facade: names as given, in category message_store';

CREATE FUNCTION events.install_message_db_facade() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $install$
BEGIN
  IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'message_store') THEN
    RAISE EXCEPTION 'schema "message_store" already exists'
      USING ERRCODE = 'duplicate_schema',
            DETAIL = 'The facade takes this name and leaves what is there as it is.',
            HINT = 'Rename the schema that is there: ALTER SCHEMA message_store RENAME TO message_store_before.';
  END IF;
  CREATE SCHEMA message_store;
  COMMENT ON SCHEMA message_store IS 'message-db 1.3 over events.event_store';

  CREATE TYPE message_store.message AS (
    id varchar,
    stream_name varchar,
    type varchar,
    position bigint,
    global_position bigint,
    data varchar,
    metadata varchar,
    "time" timestamp
  );

  -- Names ----------------------------------------------------------------------------------------

  CREATE FUNCTION message_store.message_store_version() RETURNS varchar
    LANGUAGE sql VOLATILE RETURN '1.3.0'::varchar;

  CREATE FUNCTION message_store.category(stream_name varchar) RETURNS varchar
    LANGUAGE sql IMMUTABLE RETURN split_part(stream_name, '-', 1);

  CREATE FUNCTION message_store.is_category(stream_name varchar) RETURNS boolean
    LANGUAGE sql IMMUTABLE RETURN coalesce(strpos(stream_name, '-') = 0, true);

  CREATE FUNCTION message_store.id(stream_name varchar) RETURNS varchar
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN strpos(stream_name, '-') > 0 THEN substr(stream_name, strpos(stream_name, '-') + 1) END;

  CREATE FUNCTION message_store.cardinal_id(stream_name varchar) RETURNS varchar
    LANGUAGE sql IMMUTABLE RETURN split_part(message_store.id(stream_name), '+', 1);

  CREATE FUNCTION message_store.hash_64(value varchar) RETURNS bigint
    LANGUAGE sql IMMUTABLE RETURN ('x' || substr(md5(value), 1, 16))::bit(64)::bigint;

  -- How a message lies in the store --------------------------------------------------------------

  -- Ids are unique in all streams, and a category is found without a walk through all the others:
  -- the store's own indexes know neither.
  CREATE TABLE message_store.message_index (
    id uuid CONSTRAINT messages_id PRIMARY KEY,
    category text COLLATE "C" NOT NULL,
    global_position bigint NOT NULL
  );
  CREATE UNIQUE INDEX messages_category ON message_store.message_index (category, global_position);

  CREATE FUNCTION message_store.wrap_value(value jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN CASE
      WHEN value IS NULL THEN '{"$null": true}'::jsonb
      WHEN jsonb_typeof(value) = 'object' AND NOT value ?| ARRAY['$value', '$null'] THEN value
      ELSE jsonb_build_object('$value', value)
    END;

  CREATE FUNCTION message_store.unwrap_value(value jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN value ?| ARRAY['$value', '$null'] THEN value -> '$value' ELSE value END;

  CREATE VIEW message_store.messages AS
    SELECT e.position AS global_position,
           e.version - 1 AS position,
           e.created_at AT TIME ZONE 'utc' AS "time",
           substr(e.stream_id, 15) AS stream_name,
           e.event_type AS type,
           message_store.unwrap_value(e.event_data) AS data,
           message_store.unwrap_value(e.metadata) AS metadata,
           e.event_id AS id
    FROM events.all_events AS e
    WHERE split_part(e.stream_id, ':', 1) = 'message_store';

  -- A set, though always of one: only so does the planner see through it.
  CREATE FUNCTION message_store.as_message(event events.all_events) RETURNS SETOF message_store.message
    LANGUAGE sql STABLE ROWS 1 AS $$
      SELECT event.event_id::varchar, substr(event.stream_id, 15)::varchar, event.event_type::varchar,
             event.version - 1, event.position, message_store.unwrap_value(event.event_data)::varchar,
             message_store.unwrap_value(event.metadata)::varchar, event.created_at AT TIME ZONE 'utc'
    $$;

  -- Writing --------------------------------------------------------------------------------------

  CREATE FUNCTION message_store.acquire_lock(stream_name varchar) RETURNS bigint
    LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
      key bigint := message_store.hash_64(message_store.category(stream_name));
    BEGIN
      PERFORM pg_catalog.pg_advisory_xact_lock(key);
      RETURN key;
    END $$;

  CREATE FUNCTION message_store.stream_version(stream_name varchar) RETURNS bigint
    LANGUAGE sql VOLATILE AS $$
      SELECT max(e.version) - 1 FROM events.all_events AS e
      WHERE e.stream_id = 'message_store:' || stream_version.stream_name
    $$;

  CREATE FUNCTION message_store.write_message(
    id varchar,
    stream_name varchar,
    type varchar,
    data jsonb,
    metadata jsonb DEFAULT NULL,
    expected_version bigint DEFAULT NULL
  ) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      current_version bigint;
      message_id uuid;
      missing text;
      appended record;
    BEGIN
      -- Writers of a category queue until COMMIT: so its messages commit in the order of their
      -- positions, and no reader of it passes one by.
      PERFORM message_store.acquire_lock(write_message.stream_name);
      current_version := coalesce(message_store.stream_version(write_message.stream_name), -1);
      IF expected_version <> current_version THEN
        RAISE EXCEPTION 'Wrong expected version: % (Stream: %, Stream Version: %)',
          expected_version, write_message.stream_name, current_version;
      END IF;

      message_id := write_message.id::uuid;
      missing := CASE
        WHEN write_message.stream_name IS NULL THEN 'stream_name'
        WHEN write_message.type IS NULL THEN 'type'
        WHEN message_id IS NULL THEN 'id'
      END;
      IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'null value in column "%" of relation "messages" violates not-null constraint', missing
          USING ERRCODE = 'not_null_violation', SCHEMA = 'message_store', TABLE = 'messages', COLUMN = missing;
      END IF;
      -- Asked first, for the store takes a repeat with the same content for the message it knows.
      IF EXISTS (SELECT FROM message_store.message_index AS i WHERE i.id = message_id) THEN
        RAISE EXCEPTION 'duplicate key value violates unique constraint "messages_id"'
          USING ERRCODE = 'unique_violation', DETAIL = format('Key (id)=(%s) already exists.', message_id),
                SCHEMA = 'message_store', TABLE = 'messages', CONSTRAINT = 'messages_id';
      END IF;

      SELECT * INTO appended FROM events.append_message(
        write_message.stream_name, write_message.type, message_store.wrap_value(write_message.data),
        CASE WHEN write_message.metadata IS NOT NULL THEN message_store.wrap_value(write_message.metadata) END,
        message_id, expected_version + 1);
      INSERT INTO message_store.message_index
      VALUES (message_id, message_store.category(write_message.stream_name), appended.position);
      RETURN appended.version - 1;
    END $$;

  -- Reading --------------------------------------------------------------------------------------

  CREATE FUNCTION message_store.refuse_condition(condition varchar) RETURNS void
    LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
      IF condition IS NOT NULL THEN
        RAISE EXCEPTION 'Retrieval with SQL condition is not activated'
          USING HINT = 'The facade never runs SQL that comes as an argument: filter what it returns.';
      END IF;
    END $$;

  CREATE FUNCTION message_store.get_stream_messages(
    stream_name varchar,
    "position" bigint DEFAULT 0,
    batch_size bigint DEFAULT 1000,
    condition varchar DEFAULT NULL
  ) RETURNS SETOF message_store.message
    LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
      IF message_store.is_category(get_stream_messages.stream_name) THEN
        RAISE EXCEPTION 'Must be a stream name: %', get_stream_messages.stream_name;
      END IF;
      PERFORM message_store.refuse_condition(condition);
      RETURN QUERY
        SELECT m.*
        FROM events.all_events AS e CROSS JOIN LATERAL message_store.as_message(e) AS m
        WHERE e.stream_id = 'message_store:' || get_stream_messages.stream_name
          AND e.version > coalesce(get_stream_messages.position, 0)
        ORDER BY e.version
        LIMIT nullif(coalesce(batch_size, 1000), -1);
    END $$;

  CREATE FUNCTION message_store.get_last_stream_message(stream_name varchar, type varchar DEFAULT NULL)
    RETURNS SETOF message_store.message
    LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
      RETURN QUERY
        SELECT m.*
        FROM events.all_events AS e CROSS JOIN LATERAL message_store.as_message(e) AS m
        WHERE e.stream_id = 'message_store:' || get_last_stream_message.stream_name
          AND (get_last_stream_message.type IS NULL OR e.event_type = get_last_stream_message.type)
        ORDER BY e.version DESC
        LIMIT 1;
    END $$;

  CREATE FUNCTION message_store.check_consumer_group(member bigint, size bigint) RETURNS void
    LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE
      problem text := CASE
        WHEN (member IS NULL) <> (size IS NULL) THEN 'Consumer group member and size must be specified'
        WHEN size < 1 THEN 'Consumer group size must not be less than 1'
        WHEN member < 0 THEN 'Consumer group member must not be less than 0'
        WHEN member >= size THEN 'Consumer group member must be less than the group size'
      END;
    BEGIN
      IF problem IS NOT NULL THEN
        RAISE EXCEPTION '% (Consumer Group Member: %, Consumer Group Size: %)', problem, member, size;
      END IF;
    END $$;

  CREATE FUNCTION message_store.get_category_messages(
    category varchar,
    "position" bigint DEFAULT 1,
    batch_size bigint DEFAULT 1000,
    correlation varchar DEFAULT NULL,
    consumer_group_member bigint DEFAULT NULL,
    consumer_group_size bigint DEFAULT NULL,
    condition varchar DEFAULT NULL
  ) RETURNS SETOF message_store.message
    LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
      members smallint;
    BEGIN
      IF NOT message_store.is_category(get_category_messages.category) THEN
        RAISE EXCEPTION 'Must be a category: %', get_category_messages.category;
      END IF;
      IF NOT message_store.is_category(correlation) THEN
        RAISE EXCEPTION 'Correlation must be a category (Correlation: %)', correlation;
      END IF;
      PERFORM message_store.check_consumer_group(consumer_group_member, consumer_group_size);
      PERFORM message_store.refuse_condition(condition);
      members := consumer_group_size;
      -- OFFSET 0: one look into the store per entry of the index, never a walk through the store.
      RETURN QUERY
        SELECT m.*
        FROM message_store.message_index AS i
        CROSS JOIN LATERAL (
          SELECT s.*
          FROM events.all_events AS e CROSS JOIN LATERAL message_store.as_message(e) AS s
          WHERE e.position = i.global_position AND e.event_id = i.id
          OFFSET 0) AS m
        WHERE i.category = get_category_messages.category
          AND i.global_position >= coalesce(get_category_messages.position, 1)
          AND (correlation IS NULL
               OR message_store.category(m.metadata::jsonb ->> 'correlationStreamName') = correlation)
          AND (members IS NULL
               OR mod(abs(message_store.hash_64(message_store.cardinal_id(m.stream_name))), members)
                  = consumer_group_member)
        ORDER BY i.global_position
        LIMIT nullif(coalesce(batch_size, 1000), -1);
    END $$;

  -- Who may: readers read, writers write, as everywhere in the store.
  REVOKE ALL ON ALL FUNCTIONS IN SCHEMA message_store FROM PUBLIC;
  GRANT USAGE ON SCHEMA message_store TO auren_reader;
  GRANT SELECT ON ALL TABLES IN SCHEMA message_store TO auren_reader;
  GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA message_store TO auren_reader;
  REVOKE ALL ON FUNCTION message_store.write_message FROM auren_reader;
  GRANT EXECUTE ON FUNCTION message_store.write_message TO auren_writer;
END
$install$;
COMMENT ON FUNCTION events.install_message_db_facade() IS
  'creates schema message_store: the functions of message-db 1.3 over this store';

REVOKE ALL ON FUNCTION events.append_message, events.install_message_db_facade FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events.append_message, events.install_message_db_facade TO auren_admin;

-- 0.2.0: the store proves itself, and shows what is in it (schema/events_health.sql).
-- Proof ------------------------------------------------------------------------------------------
-- What no setting, superuser or restore may have broken, looked up and not believed. Every check
-- looks at the same snapshot. It reads store and archive several times over and blocks nobody.

-- A healthy store answers true in every row; else the detail says how many and names one of them.
--   versions_contiguous      each stream is 1, 2, 3 ...
--   created_at_ordered       no event is older than the one before it in its stream
--   positions_unique         no position twice
--   positions_drawn          each is between 1 and what the sequence has handed out
--   names_valid              stream ids and event types keep the rules (message_store's are exempt)
--   event_ids_unique         no stream has an id in the store and in the archive
--   archive_older            what of a stream is archived comes before what is in the store
--   tombstones_last          no event follows the tombstone of its stream
--   hash_chains              no link of a hash chain is broken
--   unique_constraints       (stream_id, version) and (stream_id, event_id), valid and immediate
--   sequence_sound           cache 1, increment 1, no cycle, and the column's default draws from it
--   guard_in_place           the trigger against UPDATE, DELETE and TRUNCATE, ENABLE ALWAYS, ours
--   insert_granted_to_nobody no role but the owner and superusers could write past the functions
-- The last four look at both tables.
CREATE FUNCTION events.verify() RETURNS TABLE (check_name text, ok boolean, detail text)
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
  WITH streams AS (
    SELECT count(*) AS events,
           count(hash) AS linked,
           count(*) FILTER (WHERE version <> expected) AS gaps,
           min(format('stream "%s" has version %s instead of %s', stream_id, version, expected)
               COLLATE "C") FILTER (WHERE version <> expected) AS gap,
           count(*) FILTER (WHERE created_at < previous_at) AS backwards,
           min(format('stream "%s" version %s', stream_id, version)
               COLLATE "C") FILTER (WHERE created_at < previous_at) AS backward,
           count(*) FILTER (WHERE previous_type = 'stream_tombstoned') AS risen,
           min(format('stream "%s" version %s', stream_id, version)
               COLLATE "C") FILTER (WHERE previous_type = 'stream_tombstoned') AS ghost
      FROM (SELECT stream_id, version, created_at, hash,
                   coalesce(lag(version) OVER stream, 0) + 1 AS expected,
                   lag(created_at) OVER stream AS previous_at,
                   lag(event_type) OVER stream AS previous_type
              FROM events.all_events
            WINDOW stream AS (PARTITION BY stream_id ORDER BY version)) AS e
  ), positions AS (
    SELECT count(*) FILTER (WHERE position = previous) AS repeats,
           min(position) FILTER (WHERE position = previous) AS repeated,
           min(position) AS lowest,
           max(position) AS highest
      FROM (SELECT position, lag(position) OVER (ORDER BY position) AS previous
              FROM events.all_events) AS e
  ), names AS (
    SELECT count(*) AS wrong,
           min(format('stream "%s" type "%s"', stream_id, event_type) COLLATE "C") AS example
      FROM events.all_events
     WHERE stream_id NOT LIKE 'message\_store:%'
       AND (event_type !~ '^[a-z][a-z0-9]*(_[a-z0-9]+)*$'
         OR octet_length(event_type) > 63
         OR octet_length(stream_id) > 255
         OR stream_id !~ '^[a-z][a-z0-9_]*:.'
         OR stream_id ~ CASE getdatabaseencoding()
                          WHEN 'UTF8' THEN '[\u0001-\u001f\u007f-\u009f]'
                          ELSE '[\x01-\x1f\x7f]' END)
  ), ids AS (
    SELECT count(*) AS repeats,
           min(format('%s of stream "%s"', event_id, stream_id) COLLATE "C") AS repeated
      FROM events.event_archive JOIN events.event_store USING (stream_id, event_id)
  ), halves AS (
    SELECT count(*) AS crossed,
           min(format('stream "%s" from version %s on', stream_id, stored) COLLATE "C") AS example
      FROM (SELECT stream_id, max(version) AS archived
              FROM events.event_archive GROUP BY stream_id) AS a,
           LATERAL (SELECT min(version) AS stored
                      FROM events.event_store WHERE stream_id = a.stream_id) AS s
     WHERE stored < archived
  ), links AS (
    SELECT count(*) AS broken,
           min(format('stream "%s" version %s %s', stream_id, version, problem) COLLATE "C") AS example
      FROM events.broken_links
     WHERE (SELECT linked FROM streams) > 0  -- else spare the sort of all events
  ), tables AS (
    SELECT c.oid, c.relname, c.relowner
      FROM pg_class AS c
     WHERE c.oid IN ('events.event_store'::regclass, 'events.event_archive'::regclass)
  ), missing AS (
    SELECT string_agg(format('%s (%s)', relname, array_to_string(wanted.columns, ', ')), ' and ')
           AS names
      FROM tables,
           (VALUES (ARRAY['stream_id', 'version']), (ARRAY['stream_id', 'event_id']))
           AS wanted (columns)
     WHERE NOT EXISTS (
       SELECT FROM pg_index AS i
        WHERE i.indrelid = tables.oid
          AND i.indisunique AND i.indisvalid AND i.indisready AND i.indislive AND i.indimmediate
          AND i.indpred IS NULL AND i.indexprs IS NULL
          AND wanted.columns = ARRAY(
                SELECT a.attname::text
                  FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
                  JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
                 WHERE k.place <= i.indnkeyatts ORDER BY k.place))
  ), sequence AS (
    SELECT concat_ws(', ',
             CASE WHEN s.seqcache <> 1 THEN format('cache %s', s.seqcache) END,
             CASE WHEN s.seqincrement <> 1 THEN format('increment %s', s.seqincrement) END,
             CASE WHEN s.seqcycle THEN 'cycle' END,
             CASE WHEN coalesce(pg_get_expr(d.adbin, d.adrelid), '')
                         <> 'events.next_position()'
                  THEN format('default %s', coalesce(pg_get_expr(d.adbin, d.adrelid), 'none')) END)
           AS faults
      FROM pg_sequence AS s
      JOIN pg_attribute AS a ON a.attrelid = 'events.event_store'::regclass
                            AND a.attname = 'position'
      LEFT JOIN pg_attrdef AS d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
     WHERE s.seqrelid = 'events.event_store_position_seq'::regclass
  ), guard AS (
    -- 58: BEFORE, per statement, UPDATE, DELETE and TRUNCATE. Its function must be the library's
    -- own, and not one that was put in its place under the same name.
    SELECT string_agg(format('trigger "%s_is_immutable" %s', relname, fault), ', ') AS faults
      FROM tables
      LEFT JOIN pg_trigger AS t ON t.tgrelid = tables.oid AND t.tgname = relname || '_is_immutable'
      LEFT JOIN pg_proc AS f ON f.oid = t.tgfoid
      JOIN pg_proc AS own ON own.oid = 'events.next_position()'::regprocedure,
           LATERAL (SELECT CASE WHEN t.oid IS NULL THEN 'is missing'
                                WHEN t.tgenabled <> 'A' THEN 'is not ENABLE ALWAYS'
                                WHEN t.tgtype <> 58 OR t.tgattr::text <> '' OR t.tgqual IS NOT NULL
                                  THEN 'does not fire for every UPDATE, DELETE and TRUNCATE'
                                WHEN t.tgfoid <> 'events.refuse_change()'::regprocedure
                                  OR (f.prosrc, f.probin, f.prolang) IS DISTINCT FROM
                                     ('events_refuse_change', own.probin, own.prolang)
                                  THEN 'does not call the function that refuses' END) AS found (fault)
     WHERE fault IS NOT NULL
  ), intruders AS (
    SELECT string_agg(DISTINCT quote_ident(r.rolname), ', ') AS names
      FROM pg_roles AS r, tables
     WHERE NOT r.rolsuper
       AND r.rolname <> 'pg_write_all_data'  -- nobody in itself; its members are seen
       AND NOT pg_has_role(r.oid, tables.relowner, 'MEMBER')
       AND has_any_column_privilege(r.oid, tables.oid, 'INSERT')
  )
  SELECT 'versions_contiguous', gaps = 0,
         CASE gaps WHEN 0 THEN format('%s events', events)
                   ELSE format('%s wrong, such as %s', gaps, gap) END
    FROM streams
  UNION ALL
  SELECT 'created_at_ordered', backwards = 0,
         CASE backwards WHEN 0 THEN format('%s events', events)
                        ELSE format('%s before their predecessors, such as %s',
                                    backwards, backward) END
    FROM streams
  UNION ALL
  SELECT 'positions_unique', repeats = 0,
         CASE repeats WHEN 0 THEN 'no position twice'
                      ELSE format('%s repeated, such as %s', repeats, repeated) END
    FROM positions
  UNION ALL
  -- The sequence is read after the snapshot was taken: it can only be further.
  SELECT 'positions_drawn', drawn.ok,
         CASE WHEN highest IS NULL THEN 'no events'
              ELSE format('%s to %s, the sequence is at %s', lowest, highest, s.last_value) END
    FROM positions, events.event_store_position_seq AS s,
         LATERAL (SELECT highest IS NULL
                         OR lowest >= 1 AND highest <= s.last_value AND s.is_called
                 ) AS drawn (ok)
  UNION ALL
  SELECT 'names_valid', wrong = 0,
         CASE wrong WHEN 0 THEN 'every name keeps the rules'
                    ELSE format('%s wrong, such as %s', wrong, example) END
    FROM names
  UNION ALL
  SELECT 'event_ids_unique', repeats = 0,
         CASE repeats WHEN 0 THEN 'no id in both tables'
                      ELSE format('%s in both tables, such as %s', repeats, repeated) END
    FROM ids
  UNION ALL
  SELECT 'archive_older', crossed = 0,
         CASE crossed WHEN 0 THEN 'what is archived of a stream is its beginning'
                      ELSE format('%s wrong, such as %s', crossed, example) END
    FROM halves
  UNION ALL
  SELECT 'tombstones_last', risen = 0,
         CASE risen WHEN 0 THEN 'nothing follows a tombstone'
                    ELSE format('%s follow a tombstone, such as %s', risen, ghost) END
    FROM streams
  UNION ALL
  SELECT 'hash_chains', broken = 0,
         CASE broken WHEN 0 THEN format('%s events are linked', linked)
                     ELSE format('%s broken, such as %s', broken, example) END
    FROM links, streams
  UNION ALL
  SELECT 'unique_constraints', names IS NULL,
         coalesce('missing or not valid: ' || names, 'all are in place')
    FROM missing
  UNION ALL
  SELECT 'sequence_sound', faults = '',
         CASE faults WHEN '' THEN 'positions are handed out one by one'
                     ELSE 'changed: ' || faults END
    FROM sequence
  UNION ALL
  SELECT 'guard_in_place', faults IS NULL, coalesce(faults, 'changes are refused')
    FROM guard
  UNION ALL
  SELECT 'insert_granted_to_nobody', names IS NULL,
         coalesce('may insert: ' || names, 'only functions write')
    FROM intruders
$$;
COMMENT ON FUNCTION events.verify() IS
  'proves the invariants of store and archive, one row per check; reads all of them';

-- Figures ----------------------------------------------------------------------------------------
-- Cheap on any store: the rows are those of about 4,096 pages (32 MiB) of store and archive, picked
-- evenly and always the same ones, and what is counted in them is scaled up to the whole.
--   exact    up to 4,096 pages all of them are read, and every figure is exact (exact = true);
--            sizes are exact always
--   estimate beyond that counts are within a few per cent for what is common; a rare type may be
--            missing, and first and last are those of the sample
CREATE FUNCTION events.sampled_percent() RETURNS real
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT least(100, 100.0 * 4096 * current_setting('block_size')::bigint
                    / greatest(pg_relation_size('events.event_store')
                               + pg_relation_size('events.event_archive'), 1))::real
$$;
COMMENT ON FUNCTION events.sampled_percent() IS
  'how much of store and archive the views of their figures look at: 100 for all of it';

CREATE VIEW events.sampled_events AS
  SELECT stream_id, event_type, created_at
    FROM events.event_store TABLESAMPLE system (events.sampled_percent()) REPEATABLE (0)
  UNION ALL
  SELECT stream_id, event_type, created_at
    FROM events.event_archive TABLESAMPLE system (events.sampled_percent()) REPEATABLE (0);
COMMENT ON VIEW events.sampled_events IS 'the events that event_types and store_stats look at';

CREATE VIEW events.event_types AS
  SELECT e.event_type,
         split_part(e.stream_id, ':', 1) AS category,
         round(count(*) * 100 / events.sampled_percent())::bigint AS count,
         min(e.created_at) AS first,
         max(e.created_at) AS last,
         events.sampled_percent() = 100 AS exact
    FROM events.sampled_events AS e
   GROUP BY e.event_type, split_part(e.stream_id, ':', 1);
COMMENT ON VIEW events.event_types IS 'which events there are, how many, since when and until when';

-- Growth is that of the last 7 days, of all days while there are fewer, and of at least one. The age
-- is that of the event with the lowest position.
CREATE VIEW events.store_stats AS
  SELECT round(sample.events * scale)::bigint AS events,
         size.total AS bytes,
         size.tables AS table_bytes,
         size.indexes AS index_bytes,
         round(size.total / nullif(sample.events * scale, 0))::bigint AS bytes_per_event,
         round(sample.recent * scale / span.days)::bigint AS events_per_day,
         round(sample.recent::float8 / nullif(sample.events, 0) * size.total
               / span.days)::bigint AS bytes_per_day,
         scale = 1 AS exact
    FROM (SELECT count(*) AS events,
                 count(*) FILTER (WHERE e.created_at > now() - interval '7 days') AS recent
            FROM events.sampled_events AS e) AS sample,
         (SELECT 100 / events.sampled_percent()::float8) AS factor (scale),
         (SELECT sum(pg_total_relation_size(t.oid))::bigint AS total,
                 sum(pg_table_size(t.oid))::bigint AS tables,
                 (SELECT jsonb_object_agg(c.relname, pg_table_size(c.oid))
                    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
                   WHERE i.indrelid IN ('events.event_store'::regclass,
                                        'events.event_archive'::regclass)) AS indexes
            FROM (VALUES ('events.event_store'::regclass), ('events.event_archive'::regclass))
                 AS t (oid)) AS size,
         (SELECT greatest(1, least(7, coalesce(extract(epoch FROM now() - (
                   SELECT e.created_at FROM events.all_events AS e
                    ORDER BY e.position LIMIT 1)) / 86400, 1)))::float8) AS span (days);
COMMENT ON VIEW events.store_stats IS
  'how large store and archive are, by what, and how fast they grow';

REVOKE ALL ON FUNCTION events.verify(), events.sampled_percent() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events.verify() TO auren_admin;
GRANT EXECUTE ON FUNCTION events.sampled_percent() TO auren_reader;
GRANT SELECT ON events.sampled_events, events.event_types, events.store_stats TO auren_reader;

-- 0.2.0: a category may have a fold of its own (schema/events_state.sql).

-- By name, not by OID: dump and restore keep the one and not the other.
CREATE TABLE events.reducers (
  category text COLLATE "C" PRIMARY KEY,
  reducer text NOT NULL
);
COMMENT ON TABLE events.reducers IS 'the categories with a fold of their own';

CREATE FUNCTION events.register_reducer(p_category text, p_reducer regprocedure) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_category IS NULL THEN
    RAISE EXCEPTION 'p_category must not be null' USING ERRCODE = '22004';
  ELSIF p_category !~ '^[a-z][a-z0-9_]*$' THEN
    RAISE EXCEPTION 'invalid category "%"', p_category
      USING ERRCODE = '22023',
            HINT = 'A category is the part of a stream id before the colon, for example "user".';
  END IF;
  IF p_reducer IS NULL THEN
    DELETE FROM events.reducers WHERE category = p_category;
    RETURN;
  END IF;
  IF NOT EXISTS (
    SELECT FROM pg_proc
     WHERE oid = p_reducer AND prokind = 'f' AND NOT proretset AND provolatile = 'i'
       AND prorettype = 'jsonb'::regtype
       AND pronargs = 2
       AND proargtypes[0] = 'jsonb'::regtype
       AND proargtypes[1] = 'events.event_store'::regtype)
  THEN
    RAISE EXCEPTION 'function % cannot be a reducer', p_reducer
      USING ERRCODE = '22023',
            HINT = 'A reducer is IMMUTABLE, takes (jsonb, events.event_store) and returns jsonb.';
  END IF;
  INSERT INTO events.reducers (category, reducer) VALUES (p_category, p_reducer::text)
  ON CONFLICT (category) DO UPDATE SET reducer = excluded.reducer;
END
$$;
COMMENT ON FUNCTION events.register_reducer(text, regprocedure) IS
  'gives a category a fold of its own: (state jsonb, event events.event_store) -> jsonb; NULL: the default';

CREATE FUNCTION events.merge_stream(p_stream_id text, p_at_version bigint, p_as_of timestamptz)
  RETURNS jsonb
  AS 'MODULE_PATHNAME', 'events_get_stream_state'
  LANGUAGE C STABLE SECURITY DEFINER PARALLEL SAFE;
COMMENT ON FUNCTION events.merge_stream(text, bigint, timestamptz) IS
  'the default fold of a stream: later keys win, a key that is null is removed';

-- SECURITY INVOKER: a reducer is a user's code and runs with the rights of whoever asks.
CREATE OR REPLACE FUNCTION events.get_stream_state(
  p_stream_id text,
  p_at_version bigint DEFAULT NULL,
  p_as_of timestamptz DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  reducer regprocedure;
  answer jsonb;
BEGIN
  SELECT r.reducer::regprocedure INTO reducer
    FROM events.reducers AS r WHERE r.category = split_part(p_stream_id, ':', 1);
  IF reducer IS NULL THEN
    RETURN events.merge_stream(p_stream_id, p_at_version, p_as_of);
  END IF;
  -- One statement, so that the reducer is planned once and not per event.
  EXECUTE format($fold$
    WITH RECURSIVE folded AS (
      SELECT 0::bigint AS version, NULL::timestamptz AS created_at, '{}'::jsonb AS state
      UNION ALL
      SELECT e.version, e.created_at, %s(f.state, e)
        FROM folded AS f
        JOIN events.event_store AS e ON e.stream_id = $1 AND e.version = f.version + 1
       WHERE e.version <= coalesce($2, e.version) AND e.created_at <= coalesce($3, 'infinity')
    )
    SELECT jsonb_build_object('stream_id', $1, 'version', version,
             'updated_at', to_char(created_at AT TIME ZONE 'UTC',
                                   'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
             'state', state)
      FROM folded WHERE version > 0 ORDER BY version DESC LIMIT 1
  $fold$, (SELECT format('%I.%I', n.nspname, p.proname)
             FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
            WHERE p.oid = reducer))
    INTO answer USING p_stream_id, p_at_version, p_as_of;
  RETURN answer;
END
$$;
COMMENT ON FUNCTION events.get_stream_state IS
  'the fold of a stream, by its category''s reducer; else later keys win, a null key is removed';

REVOKE ALL ON FUNCTION
  events.register_reducer(text, regprocedure), events.merge_stream(text, bigint, timestamptz),
  events.get_stream_state FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events.register_reducer(text, regprocedure) TO auren_admin;
GRANT EXECUTE ON FUNCTION events.merge_stream(text, bigint, timestamptz), events.get_stream_state
  TO auren_reader;
GRANT SELECT ON events.reducers TO auren_reader;
SELECT pg_catalog.pg_extension_config_dump('events.reducers', '');

-- 0.2.0: readers of the global order keep their place, and know what they wait for.
-- Subscriptions ----------------------------------------------------------------------------------
-- How far a consumer has come. `position` of a subscription: where it began or was reset to.

CREATE TABLE events.subscriptions (
  name text COLLATE "C" PRIMARY KEY,
  category text COLLATE "C",
  position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE events.subscriptions IS 'who follows the global order, and which category of it';

CREATE TABLE events.subscription_checkpoints (
  name text COLLATE "C" NOT NULL REFERENCES events.subscriptions ON DELETE CASCADE,
  members int NOT NULL CHECK (members > 0),
  member int NOT NULL CHECK (member BETWEEN 1 AND members),
  position bigint NOT NULL CHECK (position >= 0),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (name, members, member)
);
COMMENT ON TABLE events.subscription_checkpoints IS
  'of the streams of this member of so many, everything up to the position has been dealt with';

CREATE FUNCTION events.create_subscription(
  p_name text,
  p_category text DEFAULT NULL,
  p_after bigint DEFAULT 0
) RETURNS void
  AS 'MODULE_PATHNAME', 'events_create_subscription'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.create_subscription IS 'begins to follow all events, or one category';

CREATE FUNCTION events.poll_subscription(
  p_name text,
  p_limit int DEFAULT 1000,
  p_member int DEFAULT 1,
  p_members int DEFAULT 1
) RETURNS SETOF events.event_store
  AS 'MODULE_PATHNAME', 'events_poll_subscription'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.poll_subscription IS 'the events that have not been acknowledged yet';

CREATE FUNCTION events.ack_subscription(
  p_name text,
  p_position bigint,
  p_member int DEFAULT 1,
  p_members int DEFAULT 1
) RETURNS void
  AS 'MODULE_PATHNAME', 'events_ack_subscription'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.ack_subscription IS
  'everything up to the position has been dealt with, if this transaction commits';

CREATE FUNCTION events.reset_subscription(p_name text, p_position bigint) RETURNS void
  AS 'MODULE_PATHNAME', 'events_reset_subscription'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.reset_subscription IS 'goes on behind another position, for every member';

CREATE FUNCTION events.drop_subscription(p_name text) RETURNS void
  AS 'MODULE_PATHNAME', 'events_drop_subscription'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.drop_subscription IS 'forgets a subscription and its checkpoints';

-- Position: what every member is past. See extension/src/events/subscriptions.h.
CREATE VIEW events.subscription_status AS
  SELECT s.name, s.category, s.position, lag.events AS lag_events,
    coalesce(extract(epoch FROM clock_timestamp() - lag.since), 0)::double precision AS lag_seconds
  FROM (
    SELECT f.name, f.category, greatest(f.position, (
      SELECT max(g.lowest)
      FROM (
        SELECT min(c.position) AS lowest
        FROM events.subscription_checkpoints AS c
        WHERE c.name = f.name
        GROUP BY c.members
        HAVING count(*) = c.members
      ) AS g)) AS position
    FROM events.subscriptions AS f
  ) AS s
  CROSS JOIN LATERAL (
    SELECT count(*) AS events, min(e.created_at) AS since
    FROM events.all_events AS e
    WHERE s.category IS NULL AND e.position > s.position
    UNION ALL
    SELECT count(*), min(e.created_at)
    FROM events.all_events AS e
    WHERE split_part(e.stream_id, ':', 1) = s.category AND e.position > s.position
    ORDER BY events DESC
    LIMIT 1
  ) AS lag;
COMMENT ON VIEW events.subscription_status IS
  'how far each subscription is, how many events behind, and for how long the oldest has waited';

-- Who holds the gate has drawn a position and not ended. What a user may see of another's query is
-- PostgreSQL's rule; the process id is always there (NULL: a prepared transaction).
CREATE VIEW events.in_flight AS
  SELECT l.pid,
    coalesce(a.xact_start, x.prepared) AS since,
    coalesce(a.query, format('PREPARE TRANSACTION %L', x.gid)) AS query
  FROM pg_catalog.pg_locks AS l
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
  LEFT JOIN pg_catalog.pg_locks AS own
    ON l.pid IS NULL AND own.pid IS NULL AND own.locktype = 'transactionid'
      AND own.mode = 'ExclusiveLock' AND own.virtualtransaction = l.virtualtransaction
  LEFT JOIN pg_catalog.pg_prepared_xacts AS x ON x.transaction = own.transactionid
  WHERE l.locktype = 'relation'
    AND l.database = (
      SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
    AND l.relation = 'events.append_gate'::regclass
    AND l.mode = 'RowExclusiveLock'
    AND l.granted;
COMMENT ON VIEW events.in_flight IS 'the appends that hold readers of the global order back right now';

REVOKE ALL ON FUNCTION
  events.create_subscription, events.poll_subscription, events.ack_subscription,
  events.reset_subscription, events.drop_subscription
  FROM PUBLIC;
GRANT SELECT ON events.subscriptions, events.subscription_checkpoints, events.subscription_status,
  events.in_flight
  TO auren_reader;
GRANT EXECUTE ON FUNCTION events.poll_subscription TO auren_reader;
GRANT EXECUTE ON FUNCTION
  events.create_subscription, events.ack_subscription, events.reset_subscription,
  events.drop_subscription
  TO auren_writer;
SELECT pg_catalog.pg_extension_config_dump('events.subscriptions', '');
SELECT pg_catalog.pg_extension_config_dump('events.subscription_checkpoints', '');

CREATE PROCEDURE events.wait_for_events(
  p_after bigint,
  p_timeout interval,
  INOUT p_position bigint DEFAULT NULL
)
  AS 'MODULE_PATHNAME', 'events_wait_for_events'
  LANGUAGE C;
COMMENT ON PROCEDURE events.wait_for_events IS
  'returns as soon as something behind the position is settled, or at the timeout';
REVOKE ALL ON PROCEDURE events.wait_for_events FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE events.wait_for_events TO auren_reader;

-- Parking ----------------------------------------------------------------------------------------
-- Events that a consumer cannot digest are set aside, so that what comes behind them goes on.

CREATE TABLE events.parked (
  name text COLLATE "C" NOT NULL REFERENCES events.subscriptions ON DELETE CASCADE,
  position bigint NOT NULL,
  reason text,
  parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  times int NOT NULL DEFAULT 1,
  retry boolean NOT NULL DEFAULT false,
  PRIMARY KEY (name, position)
);
COMMENT ON TABLE events.parked IS 'events that a subscription does not give out until they are retried';

CREATE FUNCTION events.park_event(p_name text, p_position bigint, p_reason text DEFAULT NULL)
  RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  subscription events.subscriptions;
BEGIN
  SELECT * INTO subscription FROM events.subscriptions WHERE name = p_name FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE undefined_object USING MESSAGE = format('subscription "%s" does not exist', p_name),
      HINT = 'Make it with events.create_subscription.';
  END IF;
  PERFORM FROM events.all_events AS e
  WHERE e.position = p_position
    AND split_part(e.stream_id, ':', 1) = coalesce(subscription.category, split_part(e.stream_id, ':', 1));
  IF NOT FOUND THEN
    RAISE invalid_parameter_value
      USING MESSAGE = format('subscription "%s" has no event at position %s', p_name, p_position),
      HINT = 'Use a position that poll_subscription has returned.';
  END IF;
  INSERT INTO events.parked AS p (name, position, reason) VALUES (p_name, p_position, p_reason)
  ON CONFLICT (name, position) DO UPDATE
  SET reason = excluded.reason, parked_at = excluded.parked_at, times = p.times + 1, retry = false;
END $$;
COMMENT ON FUNCTION events.park_event IS 'sets an event aside for one subscription';

CREATE FUNCTION events.retry_parked_event(p_name text, p_position bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE events.parked SET retry = true WHERE name = p_name AND position = p_position;
  IF NOT FOUND THEN
    RAISE undefined_object
      USING MESSAGE = format('no event is parked at position %s of subscription "%s"', p_position, p_name),
      HINT = 'See events.parked_events.';
  END IF;
END $$;
COMMENT ON FUNCTION events.retry_parked_event IS 'gives a parked event out again, with the next poll';

CREATE FUNCTION events.discard_parked_event(p_name text, p_position bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  checkpoint bigint;
BEGIN
  UPDATE events.parked SET retry = retry WHERE name = p_name AND position = p_position;
  IF NOT FOUND THEN
    RAISE undefined_object
      USING MESSAGE = format('no event is parked at position %s of subscription "%s"', p_position, p_name),
      HINT = 'See events.parked_events.';
  END IF;
  SELECT s.position INTO checkpoint FROM events.subscription_status AS s WHERE s.name = p_name;
  IF p_position > checkpoint THEN
    RAISE object_not_in_prerequisite_state
      USING MESSAGE = format('the subscription is not past position %s', p_position),
      DETAIL = 'Discarded now, the event would be given out again.',
      HINT = 'Discard it when its members have acknowledged what comes behind it.';
  END IF;
  DELETE FROM events.parked WHERE name = p_name AND position = p_position;
END $$;
COMMENT ON FUNCTION events.discard_parked_event IS 'forgets a parked event: it has been dealt with';

CREATE VIEW events.parked_events AS
  SELECT p.name, p.position, e.stream_id, e.version, e.event_id, e.event_type, p.reason, p.parked_at,
    p.times, p.retry
  FROM events.parked AS p JOIN events.all_events AS e ON e.position = p.position;
COMMENT ON VIEW events.parked_events IS 'what subscriptions have set aside, and why';

REVOKE ALL ON FUNCTION
  events.park_event, events.retry_parked_event, events.discard_parked_event
  FROM PUBLIC;
GRANT SELECT ON events.parked, events.parked_events TO auren_reader;
GRANT EXECUTE ON FUNCTION
  events.park_event, events.retry_parked_event, events.discard_parked_event
  TO auren_writer;
SELECT pg_catalog.pg_extension_config_dump('events.parked', '');
