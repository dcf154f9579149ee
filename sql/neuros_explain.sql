-- Why a person is in their mode, in numbers and words, and what has been seen since.
SET timezone = 'UTC';
\pset null '-'
BEGIN;
SELECT neuros.configure('{"thresholds": {"mode_switch_cooldown_seconds": 3600, "calm_evaluations": 2}}') AS version \gset

CREATE FUNCTION send(p_id text, p_at timestamptz, VARIADIC p_readings text[]) RETURNS text LANGUAGE sql AS $$
  SELECT i.status || coalesce(': ' || i.from_mode || ' -> ' || i.to_mode || ' (' || i.trigger || ')', '')
    FROM bridge.ingest_batch(ARRAY[jsonb_build_object(
           'source', 'oura', 'delivery_id', 'vera-' || p_id, 'user_id', 'vera', 'received_at', p_at,
           'readings', (SELECT jsonb_agg(jsonb_build_object('metric', split_part(r, ' ', 1),
                                  'value', split_part(r, ' ', 2)::numeric, 'start', p_at - interval '10 minutes'))
                          FROM unnest(p_readings) r))]) i
$$;

-- Twenty nights as they are, each of them one and a half above or below 60 ms.
SELECT count(*) FROM generate_series(1, 20) day,
  LATERAL send('night' || day, '2026-02-01 08:00Z'::timestamptz + day * interval '1 day',
               'hrv_rmssd ' || 60 + CASE WHEN day % 2 = 0 THEN 1.5 ELSE -1.5 END, 'resting_heart_rate ' || 50 + day % 3) s;
SELECT x -> 'mode' AS mode, x #> '{evaluated,outcome}' AS outcome, x #> '{evaluated,calm}' AS calm,
       x #>> '{evaluated,would_change}' AS would_change
  FROM neuros.explain('vera') x;

-- A bad one. The factors are as they were stored, and each says what it was held against.
SELECT send('bad', '2026-02-22 08:00Z', 'hrv_rmssd 32', 'resting_heart_rate 57', 'recovery_score 42');
SELECT replace(w, 'version ' || :version, 'version V') AS words FROM neuros.explain('vera') x, jsonb_array_elements_text(x -> 'words') w;
SELECT k AS list, f ->> 'trigger' AS trigger, f ->> 'metric' AS metric, f -> 'value' AS value, round((f ->> 'baseline')::numeric, 3) AS baseline,
       round((f ->> 'threshold')::numeric, 3) AS threshold, round((f ->> 'contribution')::numeric, 3) AS contribution,
       round((f ->> 'share')::numeric, 3) AS share
  FROM neuros.explain('vera') x, unnest('{fired,nearly}'::text[]) k, jsonb_array_elements(x -> k) f;
SELECT round(sum((f -> 'share')::numeric), 6) AS all_of_it FROM neuros.explain('vera') x, jsonb_array_elements(x -> 'fired') f;
SELECT b.key, CASE jsonb_typeof(b.value) WHEN 'number' THEN round(b.value::text::numeric, 3)::text ELSE b.value #>> '{}' END AS value
  FROM neuros.explain('vera') x, jsonb_each(x #> '{fired,0,own_baseline}') b ORDER BY 1;
-- What was stored with the switch has not changed on the way.
SELECT bool_and(f.value @> s.value) AS as_stored, count(*)
  FROM neuros.explain('vera') x
  JOIN events.all_events e ON e.event_id = (x ->> 'event_id')::uuid
 CROSS JOIN LATERAL jsonb_array_elements((x -> 'fired') || (x -> 'nearly')) WITH ORDINALITY f(value, n)
  JOIN LATERAL jsonb_array_elements(e.event_data -> 'factors') WITH ORDINALITY s(value, n) USING (n);

-- Since then: within the cooldown, calm, and calm enough.
SELECT send('later1', '2026-02-22 08:30Z', 'heart_rate 60');
SELECT x ->> 'mode' AS mode, x #>> '{evaluated,reason}' AS reason, x #>> '{evaluated,would_change}' AS would_change,
       x #>> '{evaluated,cooldown_until}' AS cooldown_until FROM neuros.explain('vera') x;
SELECT send('later2', '2026-02-22 09:30Z', 'heart_rate 95');
SELECT x ->> 'mode' AS mode, replace(x #>> '{evaluated,words}', 'version ' || :version, 'version V') AS words, x #>> '{evaluated,would_change}' AS would_change,
       (x #> '{evaluated,config_version}')::bigint = :version AS version FROM neuros.explain('vera') x;
SELECT send('later3', '2026-02-22 10:00Z', 'heart_rate 61');
SELECT replace(w, 'version ' || :version, 'version V') AS words FROM neuros.explain('vera') x, jsonb_array_elements_text(x -> 'words') w;

-- By hand: no evaluation decided it.
SELECT neuros.switch_mode('vera', 'sentinel') IS NOT NULL AS switched;
SELECT x -> 'words' AS words, x #>> '{evaluated,mode}' AS mode, x #>> '{evaluated,would_change}' AS would_change FROM neuros.explain('vera') x;

-- Before anything was known of her, as of somebody nobody knows.
SELECT neuros.explain('vera', '2020-01-01Z') = neuros.explain('nobody') || '{"user_id": "vera"}' AS nothing;
ROLLBACK;

-- Only explain is for everybody's eyes.
SELECT has_function_privilege('auren_reader', 'neuros.explain(text, timestamptz)', 'EXECUTE') AS explain,
       has_function_privilege('auren_reader', 'neuros.evaluation(text, bigint)', 'EXECUTE') AS evaluation;
