-- The person's own reference, out of stored readings: the known answers of tests/data/wearables/hrv_baseline_vectors.json.
-- The core's arithmetic has a test of its own (tests/core/baseline_test.cpp); this one is about which days are taken.

CREATE TEMP TABLE night AS SELECT (n - 1)::int AS night, rmssd FROM unnest(ARRAY[
  60.4, 55.0, 46.0, 65.0, 57.8, 45.5, 66.8, 61.4, 67.1, 53.6, 54.8, 64.3, 62.8, 56.9, 50.6, 61.2, 60.4, 60.8,
  58.7, 54.9, 69.0, 70.5, 63.1, 67.0, 57.3, 56.8, 63.7, 65.2, 65.0, 65.4, 70.3, 43.7, 70.9, 53.9, 71.4, 59.5,
  62.8, 62.1, 61.3, 46.6, 53.8, 54.3, 54.5, 63.3, 50.7, 59.9, 50.5, 52.2, 64.1, 50.1, 65.7, 53.2, 57.5, 64.7,
  63.8, 62.4, 48.4, 49.8, 55.1, 65.9, 56.2, 62.2, 63.6, 53.8, 55.2, 76.7, 62.2, 57.2, 55.0, 52.8, 44.1, 39.5,
  30.2, 29.8
  ]) WITH ORDINALITY AS t(rmssd, n);
CREATE TEMP TABLE known (night, ref_mean, z) AS VALUES
  (54, 4.076206, 0.6603), (55, 4.077653, 0.4666), (56, 4.078651, -1.6741), (57, 4.075157, -1.3835),
  (58, 4.072275, -0.5185), (59, 4.071205, 0.9667), (60, 4.073154, -0.366), (61, 4.071953, 0.4828),
  (62, 4.074004, 0.6503), (63, 4.079403, -0.8051), (64, 4.076251, -0.5587), (65, 4.075484, 2.2573),
  (66, 4.084187, 0.3944), (67, 4.082998, -0.3136), (68, 4.081817, -0.6409), (69, 4.078503, -0.9702),
  (70, 4.078252, -2.5227), (71, 4.074632, -3.2838), (72, 4.066511, -5.0219), (73, 4.054309, -4.2315);

-- A night's reading, at 06:00 of its day.
CREATE FUNCTION pg_temp.readings(p_first integer, p_last integer) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_agg(jsonb_build_object('metric', 'hrv_rmssd', 'value', rmssd, 'statistic', 'daily', 'context', 'sleep',
    'start', to_char(timestamp '2025-01-01 06:00' + night * interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
  FROM night WHERE night BETWEEN p_first AND p_last
$$;
CREATE FUNCTION pg_temp.deliver(p_user text, p_id text, p_night integer, p_readings jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT to_mode FROM bridge.ingest_batch(ARRAY[jsonb_build_object('source', 'oura', 'delivery_id', p_user || p_id, 'user_id', p_user,
    'received_at', to_char(timestamp '2025-01-01 07:00' + p_night * interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'readings', p_readings)])
$$;
-- Any drop is to be told.
SELECT neuros.configure('{"thresholds": {"hrv_drop_ms": 1, "hrv_drop_percentage": 1}}') > 0 AS configured;

-- One person a row: all nights before come as history, which decides nothing; then the night itself.
SELECT count(pg_temp.deliver('known' || night, '-history', night, pg_temp.readings(0, night - 1))) AS switched_by_history FROM known;
SELECT count(pg_temp.deliver('known' || night, '-night', night, pg_temp.readings(night, night))) AS dropped FROM known;
CREATE TEMP VIEW told AS SELECT k.night, n.rmssd, exp(k.ref_mean) AS reference, k.z, (f ->> 'baseline')::float8 AS told_reference,
    (f ->> 'z')::float8 AS told_z, (f ->> 'value')::float8 AS told_value, f -> 'baseline_is_default' AS by_default
  FROM known k JOIN night n USING (night), neuros.explain('known' || k.night) x, jsonb_array_elements(x -> 'fired') f
  WHERE f ->> 'trigger' = 'hrv_drop';
-- Every night that is more than 1 % below its reference, each with the reference and z of the known answer.
SELECT count(*) AS told, count(*) FILTER (WHERE abs(told_reference - reference) < 1e-4) AS reference,
  count(*) FILTER (WHERE abs(told_z - z) < 1e-4) AS z, count(*) FILTER (WHERE told_value = rmssd) AS value,
  count(*) FILTER (WHERE by_default = 'false') AS own
FROM told;
SELECT count(*) AS below FROM known JOIN night USING (night) WHERE rmssd < exp(ref_mean) * 0.99 OR rmssd < exp(ref_mean) - 1;
SELECT night, told_value, round(told_reference::numeric, 3) AS reference, round(told_z::numeric, 3) AS z FROM told WHERE night > 70 ORDER BY 1;

-- As if it had come so from the start: the nights one by one backwards, one of them wrong at first, one of them twice.
SELECT count(pg_temp.deliver('backwards', '-' || night, 72, pg_temp.readings(night, night))) AS switched
FROM (SELECT night FROM night WHERE night < 71 ORDER BY night DESC) n;
SELECT pg_temp.deliver('backwards', '-wrong', 72, jsonb_set(pg_temp.readings(40, 40), '{0,value}', '120')) AS switched;
SELECT pg_temp.deliver('backwards', '-right', 72, pg_temp.readings(40, 40)) AS switched;
SELECT pg_temp.deliver('backwards', '-again', 72, pg_temp.readings(30, 50)) AS switched;
SELECT pg_temp.deliver('backwards', '-last', 73, pg_temp.readings(71, 71)) AS switched_by_an_old_one;
SELECT pg_temp.deliver('backwards', '-night', 72, pg_temp.readings(72, 72)) AS switched;
SELECT abs((f ->> 'baseline')::float8 - exp(ref_mean)) < 1e-4 AS reference, abs((f ->> 'z')::float8 - z) < 1e-4 AS z
FROM known, neuros.explain('backwards') x, jsonb_array_elements(x -> 'fired') f WHERE night = 72 AND f ->> 'trigger' = 'hrv_drop';

-- While history is short the configured value stands in; the answer says so and is less sure.
SELECT pg_temp.deliver('short', '-history', 60, pg_temp.readings(47, 59)) AS switched;
SELECT pg_temp.deliver('short', '-night', 60, jsonb_set(pg_temp.readings(60, 60), '{0,value}', '30')) AS switched;
SELECT pg_temp.deliver('long', '-history', 60, pg_temp.readings(46, 59)) AS switched;
SELECT pg_temp.deliver('long', '-night', 60, jsonb_set(pg_temp.readings(60, 60), '{0,value}', '30')) AS switched;
SELECT u AS person, x ->> 'reason' AS reason, f -> 'baseline_is_default' AS by_default, round((f -> 'contribution')::numeric, 3) AS contribution
FROM unnest('{short,long}'::text[]) u, neuros.explain(u) x, jsonb_array_elements(x -> 'fired') f WHERE f ->> 'trigger' = 'hrv_drop';

SELECT neuros.configure('{}') > 0 AS reset;
