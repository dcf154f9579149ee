-- neuros, explain: why a person is in their mode, and what has been seen since.
--
-- What put them there is read back from the event, so that it says what was known then. What each factor was
-- held against, and what became of the deliveries since, is worked out again from the stored events, as the
-- backtest does.

-- The newest evaluation among a person's events up to a version of their stream; NULL: there is none.
CREATE FUNCTION neuros.evaluation(p_user_id text, p_version bigint) RETURNS jsonb
LANGUAGE c STABLE SECURITY DEFINER
AS 'MODULE_PATHNAME', 'neuros_evaluation';
COMMENT ON FUNCTION neuros.evaluation(text, bigint) IS
  'the newest evaluation of a person up to an event, worked out again, in numbers and words';

-- The factors as they were stored, with what the evaluation says of each besides.
CREATE FUNCTION neuros.factors_in_words(p_stored jsonb, p_evaluation jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(jsonb_agg(coalesce(t.told, '{}') || s.factor ORDER BY s.n), '[]')
    FROM jsonb_array_elements(p_stored) WITH ORDINALITY s(factor, n)
    LEFT JOIN LATERAL (
      SELECT f.told FROM jsonb_array_elements(p_evaluation -> 'factors') f(told)
       WHERE (f.told -> 'trigger', f.told -> 'metric', f.told ->> 'indicator')
             IS NOT DISTINCT FROM (s.factor -> 'trigger', s.factor -> 'metric', s.factor ->> 'indicator')
       LIMIT 1) t ON true
$$;

CREATE FUNCTION neuros.explain(p_user_id text, p_at timestamptz DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH switch AS (
    SELECT e.version, e.created_at, e.event_id, e.position, e.event_data AS data,
           neuros.evaluation(p_user_id, e.version) AS evaluation
      FROM events.all_events e
     WHERE e.stream_id = 'user:' || p_user_id
       AND e.event_type = 'mode_switched'
       AND e.created_at <= coalesce(p_at, 'infinity')
     ORDER BY e.version DESC
     LIMIT 1),
  -- A switch is stored right behind the delivery that decided it; one by hand is not.
  decided AS (
    SELECT s.*, CASE WHEN (s.evaluation ->> 'version')::bigint = s.version - 1
                      AND s.evaluation ->> 'outcome' = 'switch' THEN s.evaluation END AS deciding
      FROM switch s),
  newest AS (
    SELECT neuros.evaluation(p_user_id, (
      SELECT max(e.version) FROM events.all_events e
       WHERE e.stream_id = 'user:' || p_user_id AND e.created_at <= coalesce(p_at, 'infinity'))) AS evaluated
     WHERE EXISTS (SELECT FROM events.all_events e
                    WHERE e.stream_id = 'user:' || p_user_id AND e.created_at <= coalesce(p_at, 'infinity')))
  SELECT coalesce(
    (SELECT jsonb_build_object(
              'user_id', p_user_id,
              'mode', d.data -> 'to_mode',
              'since', d.created_at,
              'from_mode', d.data -> 'from_mode',
              'trigger', d.data -> 'trigger',
              'confidence', d.data -> 'confidence',
              'reason', d.data -> 'reason',
              'fired', neuros.factors_in_words(
                jsonb_path_query_array(d.data, '$.factors[*] ? (@.fired == true)'), d.deciding),
              'nearly', neuros.factors_in_words(
                jsonb_path_query_array(d.data, '$.factors[*] ? (@.fired == false)'), d.deciding),
              'config_version', d.data -> 'config_version',
              'context', d.data -> 'context',
              'event_id', d.event_id,
              'position', d.position,
              'words', coalesce(d.deciding -> 'words', jsonb_build_array(
                format('The mode went from %s to %s: %s.', d.data ->> 'from_mode', d.data ->> 'to_mode',
                       d.data ->> 'reason'))))
       FROM decided d),
    jsonb_build_object(
      'user_id', p_user_id,
      'mode', 'baseline',
      'reason', 'never switched',
      'fired', '[]'::jsonb,
      'nearly', '[]'::jsonb))
    || coalesce((SELECT jsonb_build_object('evaluated', n.evaluated) FROM newest n
                  WHERE n.evaluated IS NOT NULL), '{}')
$$;
COMMENT ON FUNCTION neuros.explain(text, timestamptz) IS
  'the decision behind a person''s mode, now or at a time: reason, what fired, what nearly did, and what has been seen since';

REVOKE ALL ON FUNCTION neuros.evaluation(text, bigint), neuros.factors_in_words(jsonb, jsonb),
  neuros.explain(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION neuros.explain(text, timestamptz) TO auren_reader, auren_writer, auren_admin;
