-- Schema events: what a stream amounts to. The default fold is C (src/events/fold.h); a category may
-- have one of its own (src/events/reducer.h). See docs/events-state.md.

-- By name, not by OID: dump and restore keep the one and not the other.
CREATE TABLE events.reducers (
  category text COLLATE "C" PRIMARY KEY,
  reducer text NOT NULL
);
COMMENT ON TABLE events.reducers IS 'the categories with a fold of their own';

-- A cache, see src/events/snapshots.h: deleting from it costs time and nothing else.
CREATE TABLE events.snapshots (
  stream_id text COLLATE "C" NOT NULL,
  reducer text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  updated_at timestamptz NOT NULL,
  state jsonb NOT NULL,
  PRIMARY KEY (stream_id, reducer, version)
);
COMMENT ON TABLE events.snapshots IS
  'states kept by get_stream_state, so that a long stream costs only its tail; may be deleted any time';
COMMENT ON COLUMN events.snapshots.reducer IS
  'the fold that made it: its name, and a digest of its definition';

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

-- SECURITY INVOKER: a reducer is a user's code and runs with the rights of whoever asks. (0.1.0 had the
-- function already, without reducers.)
CREATE OR REPLACE FUNCTION events.get_stream_state(
  p_stream_id text,
  p_at_version bigint DEFAULT NULL,
  p_as_of timestamptz DEFAULT NULL
) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'events_get_stream_state'
  LANGUAGE C STABLE SECURITY INVOKER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.get_stream_state IS
  'the fold of a stream, by its category''s reducer; else later keys win, a null key is removed';

CREATE FUNCTION events.fold_stream(
  p_stream_id text,
  p_at_version bigint DEFAULT NULL,
  p_as_of timestamptz DEFAULT NULL
) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'events_fold_stream'
  LANGUAGE C STABLE SECURITY INVOKER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.fold_stream IS
  'the same as get_stream_state from the first event on: uses no snapshot and keeps none';

CREATE FUNCTION events.current_reducer(p_stream_id text) RETURNS text
  AS 'MODULE_PATHNAME', 'events_current_reducer'
  LANGUAGE C STABLE STRICT SECURITY INVOKER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.current_reducer IS
  'the fold of a stream as snapshots name it; a snapshot of another one is not used';

REVOKE ALL ON FUNCTION
  events.register_reducer(text, regprocedure), events.get_stream_state, events.fold_stream,
  events.current_reducer
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events.register_reducer(text, regprocedure) TO auren_admin;
GRANT EXECUTE ON FUNCTION events.get_stream_state, events.fold_stream, events.current_reducer
  TO auren_reader;
GRANT SELECT ON events.reducers, events.snapshots TO auren_reader;
GRANT DELETE ON events.snapshots TO auren_admin;
SELECT pg_catalog.pg_extension_config_dump('events.reducers', '');
SELECT pg_catalog.pg_extension_config_dump('events.snapshots', '');
