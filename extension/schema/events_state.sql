-- Schema events: what a stream amounts to. The default fold is C (src/events/state.cpp); a category
-- may have one of its own. See docs/events.md.

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
CREATE FUNCTION events.get_stream_state(
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
