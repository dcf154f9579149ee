-- Schema events: the store. One append-only table, the functions that write it, the functions that
-- read it. See docs/events.md.
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
-- The first nine columns' order is known to the C++ side (extension/src/events/store.h).
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

ALTER SEQUENCE events.event_store_position_seq OWNED BY events.event_store.position;

COMMENT ON TABLE events.event_store IS 'every event, for ever: rows are only ever added';
COMMENT ON COLUMN events.event_store.position IS
  'global order; grows, may have holes where a transaction was rolled back';
COMMENT ON COLUMN events.event_store.version IS 'order within the stream: 1, 2, 3 ... without gaps';

-- What is stored stays as it is, for owner and superuser too, and under any
-- session_replication_role. ON CONFLICT DO UPDATE and MERGE fire the UPDATE and DELETE triggers.
CREATE FUNCTION events.refuse_change() RETURNS trigger
  AS 'MODULE_PATHNAME', 'events_refuse_change'
  LANGUAGE C;
CREATE TRIGGER event_store_is_immutable
  BEFORE UPDATE OR DELETE OR TRUNCATE ON events.event_store
  FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE events.event_store ENABLE ALWAYS TRIGGER event_store_is_immutable;

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
    FROM events.event_store AS e
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
    FROM events.event_store AS e
    WHERE e.stream_id = p_stream_id
    ORDER BY e.version DESC
    LIMIT p_limit;
  END;
COMMENT ON FUNCTION events.replay_backwards IS 'the newest events of a stream, newest first';

CREATE FUNCTION events.stream_version(p_stream_id text) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT coalesce(max(e.version), 0) FROM events.event_store AS e WHERE e.stream_id = p_stream_id;
  END;
COMMENT ON FUNCTION events.stream_version IS 'the version of the newest event of a stream, 0 for none';

CREATE FUNCTION events.get_stream_state(
  p_stream_id text,
  p_at_version bigint DEFAULT NULL,
  p_as_of timestamptz DEFAULT NULL
) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'events_get_stream_state'
  LANGUAGE C STABLE SECURITY DEFINER PARALLEL SAFE;
COMMENT ON FUNCTION events.get_stream_state IS
  'the fold of a stream: later keys win, a key that is null is removed';

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

-- Proof ------------------------------------------------------------------------------------------
-- What no setting, superuser or restore may have broken, looked up and not believed. Every check
-- looks at the same snapshot. It reads the whole store several times over and blocks nobody.

-- A healthy store answers true in every row; else the detail says how many and names one of them.
--   versions_contiguous      each stream is 1, 2, 3 ...
--   created_at_ordered       no event is older than the one before it in its stream
--   positions_unique         no position twice
--   positions_drawn          each is between 1 and what the sequence has handed out
--   names_valid              stream ids and event types keep the rules (message_store's are exempt)
--   unique_constraints       (stream_id, version) and (stream_id, event_id), valid and immediate
--   sequence_sound           cache 1, increment 1, no cycle, and the column's default draws from it
--   guard_in_place           the trigger against UPDATE, DELETE and TRUNCATE, ENABLE ALWAYS, ours
--   insert_granted_to_nobody no role but the owner and superusers could write past the functions
CREATE FUNCTION events.verify() RETURNS TABLE (check_name text, ok boolean, detail text)
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
  WITH streams AS (
    SELECT count(*) AS events,
           count(*) FILTER (WHERE version <> expected) AS gaps,
           min(format('stream "%s" has version %s instead of %s', stream_id, version, expected)
               COLLATE "C") FILTER (WHERE version <> expected) AS gap,
           count(*) FILTER (WHERE created_at < previous_at) AS backwards,
           min(format('stream "%s" version %s', stream_id, version)
               COLLATE "C") FILTER (WHERE created_at < previous_at) AS backward
      FROM (SELECT stream_id, version, created_at,
                   coalesce(lag(version) OVER stream, 0) + 1 AS expected,
                   lag(created_at) OVER stream AS previous_at
              FROM events.event_store
            WINDOW stream AS (PARTITION BY stream_id ORDER BY version)) AS e
  ), positions AS (
    SELECT count(*) FILTER (WHERE position = previous) AS repeats,
           min(position) FILTER (WHERE position = previous) AS repeated,
           min(position) AS lowest,
           max(position) AS highest
      FROM (SELECT position, lag(position) OVER (ORDER BY position) AS previous
              FROM events.event_store) AS e
  ), names AS (
    SELECT count(*) AS wrong,
           min(format('stream "%s" type "%s"', stream_id, event_type) COLLATE "C") AS example
      FROM events.event_store
     WHERE stream_id NOT LIKE 'message\_store:%'
       AND (event_type !~ '^[a-z][a-z0-9]*(_[a-z0-9]+)*$'
         OR octet_length(event_type) > 63
         OR octet_length(stream_id) > 255
         OR stream_id !~ '^[a-z][a-z0-9_]*:.'
         OR stream_id ~ CASE getdatabaseencoding()
                          WHEN 'UTF8' THEN '[\u0001-\u001f\u007f-\u009f]'
                          ELSE '[\x01-\x1f\x7f]' END)
  ), missing AS (
    SELECT string_agg(format('(%s)', array_to_string(wanted.columns, ', ')), ' and ') AS names
      FROM (VALUES (ARRAY['stream_id', 'version']), (ARRAY['stream_id', 'event_id']))
           AS wanted (columns)
     WHERE NOT EXISTS (
       SELECT FROM pg_index AS i
        WHERE i.indrelid = 'events.event_store'::regclass
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
    SELECT max(CASE WHEN t.tgenabled <> 'A' THEN 'is not ENABLE ALWAYS'
                    WHEN t.tgtype <> 58 OR t.tgattr::text <> '' OR t.tgqual IS NOT NULL
                      THEN 'does not fire for every UPDATE, DELETE and TRUNCATE'
                    WHEN t.tgfoid <> 'events.refuse_change()'::regprocedure
                      OR (f.prosrc, f.probin, f.prolang) IS DISTINCT FROM
                         ('events_refuse_change', own.probin, own.prolang)
                      THEN 'does not call the function that refuses'
                    ELSE '' END) AS fault
      FROM pg_trigger AS t
      JOIN pg_proc AS f ON f.oid = t.tgfoid
      JOIN pg_proc AS own ON own.oid = 'events.next_position()'::regprocedure
     WHERE t.tgrelid = 'events.event_store'::regclass
       AND t.tgname = 'event_store_is_immutable'
  ), intruders AS (
    SELECT string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname) AS names
      FROM pg_roles AS r
      JOIN pg_class AS c ON c.oid = 'events.event_store'::regclass
     WHERE NOT r.rolsuper
       AND r.rolname <> 'pg_write_all_data'  -- nobody in itself; its members are seen
       AND NOT pg_has_role(r.oid, c.relowner, 'MEMBER')
       AND has_any_column_privilege(r.oid, c.oid, 'INSERT')
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
         LATERAL (SELECT coalesce(lowest >= 1 AND highest <= s.last_value AND s.is_called, true)
                 ) AS drawn (ok)
  UNION ALL
  SELECT 'names_valid', wrong = 0,
         CASE wrong WHEN 0 THEN 'every name keeps the rules'
                    ELSE format('%s wrong, such as %s', wrong, example) END
    FROM names
  UNION ALL
  SELECT 'unique_constraints', names IS NULL,
         coalesce('missing or not valid: ' || names, 'both are in place')
    FROM missing
  UNION ALL
  SELECT 'sequence_sound', faults = '',
         CASE faults WHEN '' THEN 'positions are handed out one by one'
                     ELSE 'changed: ' || faults END
    FROM sequence
  UNION ALL
  SELECT 'guard_in_place', coalesce(fault = '', false),
         CASE fault WHEN '' THEN 'changes are refused'
                    ELSE 'trigger "event_store_is_immutable" ' || coalesce(fault, 'is missing') END
    FROM guard
  UNION ALL
  SELECT 'insert_granted_to_nobody', names IS NULL,
         coalesce('may insert: ' || names, 'only functions write')
    FROM intruders
$$;
COMMENT ON FUNCTION events.verify() IS
  'proves the store''s invariants, one row per check; reads all of it';

-- Privileges -------------------------------------------------------------------------------------
-- INSERT is granted to nobody: functions write. The owner's INSERT and COPY remain for pg_restore.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA events FROM PUBLIC;
GRANT SELECT ON events.event_store TO auren_reader;
GRANT EXECUTE ON FUNCTION
  events.replay_stream, events.replay_backwards, events.stream_version, events.get_stream_state,
  events.read_all, events.read_category, events.safe_position
  TO auren_reader;
GRANT EXECUTE ON FUNCTION
  events.append_event, events.append, events.append_events, events.append_batch
  TO auren_writer;
GRANT EXECUTE ON FUNCTION events.verify TO auren_admin;

-- pg_dump carries the rows and the sequence, not only CREATE EXTENSION.
SELECT pg_catalog.pg_extension_config_dump('events.append_lock', '');
SELECT pg_catalog.pg_extension_config_dump('events.append_gate', '');
SELECT pg_catalog.pg_extension_config_dump('events.event_store', '');
SELECT pg_catalog.pg_extension_config_dump('events.event_store_position_seq', '');
