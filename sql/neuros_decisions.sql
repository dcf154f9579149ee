-- What becomes of readings: one story after the other.

CREATE FUNCTION pg_temp.take(p_user text, p_at text, p_readings jsonb, p_source text DEFAULT 'healthkit')
RETURNS TABLE(status text, accepted integer, from_mode text, to_mode text, trigger text, confidence numeric)
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT r.status, r.readings_accepted, r.from_mode, r.to_mode, r.trigger, round(r.confidence::numeric, 3)
  FROM bridge.ingest_batch(ARRAY[jsonb_build_object('source', p_source,
    'delivery_id', p_user || '/' || p_at || '/' || md5(p_readings::text),
    'user_id', p_user, 'received_at', p_at, 'readings', p_readings)]) r;
END $$;
-- One reading, taken at the time it is received.
CREATE FUNCTION pg_temp.one(p_user text, p_at text, p_metric text, p_value double precision, p_more jsonb DEFAULT '{}')
RETURNS TABLE(from_mode text, to_mode text, trigger text, confidence numeric, mode text)
LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
  SELECT * INTO r FROM pg_temp.take(p_user, p_at, jsonb_build_array(
    jsonb_build_object('metric', p_metric, 'value', p_value, 'start', p_at) || p_more));
  RETURN QUERY SELECT r.from_mode, r.to_mode, r.trigger, r.confidence, neuros.current_mode(p_user);
END $$;
-- Weeks of one value a day at 06:00, up to 2025-03-01, received as history: nothing of it decides.
CREATE FUNCTION pg_temp.history(p_user text, p_metric text, p_mean double precision, p_spread double precision, p_days integer DEFAULT 30)
RETURNS TABLE(status text, accepted integer, to_mode text)
LANGUAGE sql AS $$
  SELECT t.status, t.accepted, t.to_mode FROM pg_temp.take(p_user, '2025-03-03T12:00:00Z', (
    SELECT jsonb_agg(jsonb_build_object('metric', p_metric, 'value', p_mean + p_spread * (n % 3 - 1),
      'start', to_char(timestamp '2025-03-01 06:00' - n * interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'statistic', 'daily'))
    FROM generate_series(0, p_days - 1) n)) t
$$;

-- The stressed one: heart rate variability far below what is usual for her -> reflex.
SELECT * FROM pg_temp.history('stressed', 'hrv_sdnn', 60, 5);
SELECT neuros.current_mode('stressed');
SELECT * FROM pg_temp.one('stressed', '2025-03-05T08:00:00Z', 'hrv_sdnn', 58);
SELECT * FROM pg_temp.one('stressed', '2025-03-05T08:10:00Z', 'hrv_sdnn', 30);
SELECT event_data ->> 'from_mode' AS from_mode, event_data ->> 'to_mode' AS to_mode, event_data ->> 'trigger' AS trigger,
  event_data ->> 'reason' AS reason, event_data -> 'context' AS context, jsonb_array_length(event_data -> 'factors') AS factors
FROM events.replay_stream('user:stressed') WHERE event_type = 'mode_switched';
SELECT f ->> 'trigger' AS trigger, f ->> 'metric' AS metric, f ->> 'value' AS value, round((f ->> 'baseline')::numeric, 2) AS baseline,
  round((f ->> 'threshold')::numeric, 2) AS threshold, round((f ->> 'z')::numeric, 2) AS z, f ->> 'fired' AS fired,
  f ->> 'baseline_is_default' AS by_default
FROM events.replay_stream('user:stressed') e, jsonb_array_elements(e.event_data -> 'factors') f WHERE event_type = 'mode_switched';
SELECT current_mode, from_mode, since AT TIME ZONE 'UTC' AS since, trigger, by_hand,
  position = (SELECT max(position) FROM events.replay_stream('user:stressed')) AS of_the_event
FROM neuros.user_modes WHERE user_id = 'stressed';
-- Within the cooldown she stays, whatever comes; after it two calm evaluations lead to pattern.
SELECT * FROM pg_temp.one('stressed', '2025-03-05T08:12:00Z', 'hrv_sdnn', 59);
SELECT * FROM pg_temp.one('stressed', '2025-03-05T08:13:00Z', 'recovery_score', 10);
SELECT * FROM pg_temp.one('stressed', '2025-03-05T08:20:00Z', 'hrv_sdnn', 59);
SELECT user_id, calm FROM neuros.person_states WHERE user_id = 'stressed';
SELECT * FROM pg_temp.one('stressed', '2025-03-05T08:30:00Z', 'hrv_sdnn', 60);
SELECT user_id, calm FROM neuros.person_states WHERE user_id = 'stressed';

-- The sick one: two kinds of low indicators, one of yesterday evening, one of today -> guardian.
SELECT * FROM pg_temp.history('sick', 'resting_heart_rate', 55, 1);
SELECT * FROM pg_temp.one('sick', '2025-03-05T21:00:00Z', 'skin_temperature_deviation', 1.1);
SELECT * FROM pg_temp.one('sick', '2025-03-06T07:00:00Z', 'resting_heart_rate', 57, '{"statistic": "daily"}');
SELECT * FROM pg_temp.one('sick', '2025-03-06T07:05:00Z', 'oxygen_saturation', 90);
SELECT event_data ->> 'reason' AS reason FROM events.replay_stream('user:sick') WHERE event_type = 'mode_switched';
SELECT * FROM pg_temp.one('recovering', '2025-03-06T07:00:00Z', 'recovery_score', 20);
SELECT * FROM pg_temp.one('rested', '2025-03-06T07:00:00Z', 'recovery_score', 80);

-- The runner: a workout alarms nobody; the same pulse at rest does.
SELECT * FROM pg_temp.one('runner', '2025-03-05T17:00:00Z', 'heart_rate', 171, '{"context": "workout"}');
SELECT * FROM pg_temp.one('runner', '2025-03-05T17:01:00Z', 'heart_rate', 140, '{"context": "active"}');
SELECT * FROM pg_temp.one('runner', '2025-03-05T22:00:00Z', 'heart_rate', 140, '{"context": "rest"}');

-- Cooldown and pre-emption: guardian gives way to reflex at once, reflex not to guardian.
SELECT * FROM pg_temp.one('busy', '2025-03-05T08:00:00Z', 'recovery_score', 20);
SELECT * FROM pg_temp.one('busy', '2025-03-05T08:01:00Z', 'stress_level', 0.95);
SELECT * FROM pg_temp.one('busy', '2025-03-05T08:02:00Z', 'recovery_score', 15);
SELECT * FROM pg_temp.one('busy', '2025-03-05T08:07:00Z', 'recovery_score', 12);
-- Exactly at a threshold nothing fires.
SELECT * FROM pg_temp.one('exact', '2025-03-05T08:00:00Z', 'stress_level', 0.85);
SELECT * FROM pg_temp.one('exact', '2025-03-05T08:01:00Z', 'heart_rate', 100);
SELECT * FROM pg_temp.one('exact', '2025-03-05T08:02:00Z', 'recovery_score', 40);

-- The odd one: outside the soft range, or far from what is usual -> hypothesis; then calm, without history -> baseline.
SELECT * FROM pg_temp.one('odd', '2025-03-05T08:00:00Z', 'body_temperature', 34.5);
SELECT * FROM pg_temp.one('odd', '2025-03-05T09:00:00Z', 'body_temperature', 36.6);
SELECT * FROM pg_temp.one('odd', '2025-03-05T09:01:00Z', 'body_temperature', 36.6);
SELECT * FROM pg_temp.history('odder', 'respiratory_rate', 14, 0.5);
SELECT status, to_mode, trigger, anomalies FROM bridge.ingest_batch(ARRAY['{"source": "healthkit", "delivery_id": "odder-1",
  "user_id": "odder", "received_at": "2025-03-05T08:00:00Z", "readings": [{"metric": "respiratory_rate", "value": 11,
  "start": "2025-03-05T07:00:00Z", "statistic": "daily"}]}']::jsonb[]);
-- Each series is found among the person's others, however many days lie between them, and before the window.
SELECT status, readings_accepted FROM bridge.ingest_batch(ARRAY(SELECT jsonb_build_object('source', 'healthkit', 'delivery_id', 'many',
  'user_id', 'many', 'received_at', '2025-03-04T08:00:00Z', 'readings', jsonb_agg(jsonb_build_object('metric', metric,
  'value', middle + d % 2 * spread, 'start', to_char(timestamp '2025-03-03 07:00' - d * interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  'statistic', 'daily'))) FROM generate_series(0, 99) d, (VALUES ('body_temperature', 36.5, 0.1), ('heart_rate', 60, 2),
  ('oxygen_saturation', 97, 1), ('respiratory_rate', 14, 0.5)) AS m(metric, middle, spread)));
SELECT status, to_mode, trigger, anomalies FROM bridge.ingest_batch(ARRAY['{"source": "healthkit", "delivery_id": "many-1",
  "user_id": "many", "received_at": "2025-03-05T08:00:00Z", "readings": [
  {"metric": "respiratory_rate", "value": 11, "start": "2025-03-05T07:00:00Z", "statistic": "daily"},
  {"metric": "body_temperature", "value": 35.8, "start": "2025-03-05T07:00:00Z", "statistic": "daily"}]}']::jsonb[]);
SELECT f ->> 'metric' AS metric, round((f ->> 'baseline')::numeric, 9) AS baseline, round((f ->> 'z')::numeric, 9) AS z
FROM neuros.explain('many') x, jsonb_array_elements(x -> 'fired') f ORDER BY 1;

-- Like with like: one sample says nothing against the spread of days that have many.
SELECT * FROM pg_temp.take('dense', '2025-03-03T12:00:00Z', (
  SELECT jsonb_agg(jsonb_build_object('metric', 'oxygen_saturation', 'value', 97 + n % 2 + 0.1 * (d % 3),
    'start', to_char(timestamp '2025-03-01 00:00' - d * interval '1 day' + n * interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
  FROM generate_series(0, 19) d, generate_series(0, 19) n));
SELECT * FROM pg_temp.one('dense', '2025-03-05T08:00:00Z', 'oxygen_saturation', 95);
SELECT * FROM pg_temp.one('dense', '2025-03-05T23:00:00Z', 'oxygen_saturation', 95, '{"statistic": "daily"}');

-- What may not decide: older than a day at its delivery, pending or calibrating, late.
SELECT * FROM pg_temp.take('guarded', '2025-03-05T08:00:00Z', '[{"metric": "stress_level", "value": 0.99, "start": "2025-03-04T07:59:59Z"}]');
SELECT * FROM pg_temp.one('guarded', '2025-03-05T08:01:00Z', 'recovery_score', 5, '{"flags": ["calibrating"]}');
SELECT * FROM pg_temp.one('guarded', '2025-03-05T08:02:00Z', 'recovery_score', 5, '{"flags": ["pending"]}');
SELECT * FROM pg_temp.one('guarded', '2025-03-05T08:03:00Z', 'stress_level', 0.2);
SELECT * FROM pg_temp.take('guarded', '2025-03-05T08:04:00Z', '[{"metric": "stress_level", "value": 0.99, "start": "2025-03-05T08:02:59Z"}]');
-- Late is by device and metric: another device's reading of the same time decides.
SELECT * FROM pg_temp.take('guarded', '2025-03-05T08:05:00Z', '[{"metric": "stress_level", "value": 0.99, "start": "2025-03-05T08:02:59Z"}]', 'garmin');
-- An exporter sends the same hours again: what is stored already has been judged and fires nothing, not even calm; it still
-- stands, so that low indicators are counted together.
SELECT * FROM pg_temp.take('again', '2025-03-05T08:00:00Z', '[{"metric": "recovery_score", "value": 30, "start": "2025-03-05T06:00:00Z"}]');
SELECT * FROM pg_temp.one('again', '2025-03-05T08:10:00Z', 'heart_rate', 60);
SELECT * FROM pg_temp.one('again', '2025-03-05T08:11:00Z', 'heart_rate', 60);
SELECT * FROM pg_temp.take('again', '2025-03-05T09:00:00Z', '[{"metric": "recovery_score", "value": 30, "start": "2025-03-05T06:00:00Z"}]');
SELECT * FROM pg_temp.take('again', '2025-03-05T10:00:00Z', '[{"metric": "recovery_score", "value": 30, "start": "2025-03-05T06:00:00Z"},
  {"metric": "oxygen_saturation", "value": 91, "start": "2025-03-05T07:00:00Z"}]');
SELECT event_data ->> 'to_mode' AS to_mode, event_data ->> 'reason' AS reason FROM events.replay_stream('user:again') WHERE event_type = 'mode_switched';
-- A span's age counts from its end.
SELECT * FROM pg_temp.take('spans', '2025-03-05T08:00:00Z', '[{"metric": "hrv_rmssd", "value": 20, "start": "2025-03-04T00:00:00Z",
  "end": "2025-03-05T00:00:00Z", "statistic": "daily", "context": "sleep"}]', 'oura');
-- Other flags do not hinder; an extreme alone does not decide; neither does what the same delivery takes back.
SELECT * FROM pg_temp.one('flagged', '2025-03-05T08:00:00Z', 'stress_level', 0.99, '{"flags": ["derived"]}');
SELECT * FROM pg_temp.one('extreme', '2025-03-05T08:00:00Z', 'heart_rate', 150, '{"statistic": "max"}');
SELECT * FROM pg_temp.take('corrected', '2025-03-05T08:00:00Z', '[{"metric": "stress_level", "value": 0.99, "start": "2025-03-05T07:00:00Z"},
  {"metric": "stress_level", "value": 0.3, "start": "2025-03-05T07:00:00Z"}]');

-- Set by hand: calm does not leave it, only a higher priority does, and that at once.
SELECT neuros.switch_mode('handled', 'companion') IS NOT NULL AS switched;
SELECT * FROM pg_temp.one('handled', '2025-03-05T08:00:00Z', 'heart_rate', 60);
SELECT * FROM pg_temp.one('handled', '2025-03-05T09:00:00Z', 'heart_rate', 60);
SELECT * FROM pg_temp.one('handled', '2025-03-05T10:00:00Z', 'heart_rate', 60);
SELECT * FROM pg_temp.one('handled', '2025-03-05T10:01:00Z', 'stress_level', 0.95);

-- Deliveries of one person in one batch are judged in order; another person's are not in their way.
SELECT idx, status, from_mode, to_mode, trigger FROM bridge.ingest_batch(ARRAY[
  '{"source": "healthkit", "delivery_id": "o-1", "user_id": "ordered", "received_at": "2025-03-05T08:00:00Z",
    "readings": [{"metric": "recovery_score", "value": 20, "start": "2025-03-05T08:00:00Z"}]}',
  '{"source": "healthkit", "delivery_id": "o-1", "user_id": "ordered_other", "received_at": "2025-03-05T08:00:00Z",
    "readings": [{"metric": "heart_rate", "value": 60, "start": "2025-03-05T08:00:00Z"}]}',
  '{"source": "healthkit", "delivery_id": "o-2", "user_id": "ordered", "received_at": "2025-03-05T08:00:10Z",
    "readings": [{"metric": "stress_level", "value": 0.9, "start": "2025-03-05T08:00:10Z"}]}',
  '{"source": "healthkit", "delivery_id": "o-3", "user_id": "ordered", "received_at": "2025-03-05T08:00:20Z",
    "readings": [{"metric": "recovery_score", "value": 20, "start": "2025-03-05T08:00:20Z"}]}']::jsonb[]);
SELECT version, event_type, event_data ->> 'to_mode' AS to_mode FROM events.replay_stream('user:ordered');

-- A late and a deleted reading change the baseline as if it had come so from the start.
SELECT * FROM pg_temp.history('shifted', 'hrv_sdnn', 60, 0);
SELECT * FROM pg_temp.one('shifted', '2025-03-05T08:00:00Z', 'hrv_sdnn', 55);
SELECT * FROM pg_temp.take('shifted', '2025-03-05T09:00:00Z', (SELECT jsonb_agg(jsonb_build_object('metric', 'hrv_sdnn', 'value', 120,
  'start', to_char(timestamp '2025-03-01 06:00' - n * interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'statistic', 'daily')) FROM generate_series(0, 29) n));
SELECT * FROM pg_temp.one('shifted', '2025-03-05T10:00:00Z', 'hrv_sdnn', 56);

-- A decision names the configuration it was made with, which holds at once.
SELECT neuros.configure('{"thresholds": {"stress_level_critical": 0.5}}') AS version \gset
SELECT * FROM pg_temp.one('configured', '2025-03-05T08:00:00Z', 'stress_level', 0.6);
SELECT (event_data ->> 'config_version')::bigint = :version AS by_this_version
FROM events.replay_stream('user:configured') WHERE event_type = 'mode_switched';
SELECT neuros.configure('{}') = :version + 1 AS configured;
SELECT * FROM pg_temp.one('configured_back', '2025-03-05T08:00:00Z', 'stress_level', 0.6);

-- What fired and what nearly did, as stored with the decision.
SELECT x ->> 'mode' AS mode, x ->> 'reason' AS reason, jsonb_array_length(x -> 'fired') AS fired,
  x #>> '{fired,0,metric}' AS metric, x #>> '{fired,0,threshold}' AS threshold, x -> 'nearly' AS nearly
FROM neuros.explain('again') x;
