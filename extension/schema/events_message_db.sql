-- The message-db facade: schema message_store with the functions of message-db 1.3, over
-- events.event_store. Installed on request and then the user's own: plain objects, in no extension,
-- dumped with the database. See docs/events-message-db.md.
--
-- A message of stream NAME is an event of stream `message_store:NAME`; its position is the event's
-- version minus one, its global position the event's. The store holds JSON objects only: any other
-- value is wrapped as {"$value": ...}, no value as {"$null": true}.

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
