\echo Use "ALTER EXTENSION auren UPDATE" to load this file. \quit
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
       FROM events.event_store e
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
