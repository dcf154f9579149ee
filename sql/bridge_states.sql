-- A person's state: folded up to a position, written back when it is worth it, and never wrong.

-- A delivery at a second of the day, of the readings as given.
CREATE FUNCTION pg_temp.send(p_user text, p_second integer, p_readings jsonb)
RETURNS TABLE(status text, to_mode text, trigger text, confidence double precision)
LANGUAGE sql AS $$
  SELECT status, to_mode, trigger, confidence FROM bridge.ingest_batch(ARRAY[jsonb_build_object('source', 'healthkit',
    'delivery_id', p_user || p_second, 'user_id', p_user,
    'received_at', timestamptz '2025-03-10T08:00:00Z' + p_second * interval '1 s', 'readings', (
      SELECT jsonb_agg(jsonb_build_object('start', timestamptz '2025-03-10T08:00:00Z' + p_second * interval '1 s') || r)
      FROM jsonb_array_elements(p_readings) r))])
$$;
-- With which delivery the row was written last, and what it holds then and now.
CREATE FUNCTION pg_temp.shown(p_user text) RETURNS TABLE(written_at integer, metric text, value double precision)
LANGUAGE sql AS $$
  SELECT (SELECT extract(epoch FROM s.folded_at - '2025-03-10T08:00:00Z') FROM neuros.person_states s
           WHERE s.user_id = p_user), n.metric_type, n.value
  FROM neuros.newest_readings(p_user) n ORDER BY n.metric_type
$$;

-- Written when there is none, when the calm count changed (at second 1), when a value really changed, and
-- after 30 seconds; folded in any case.
SELECT pg_temp.send('state', 0, '[{"metric": "heart_rate", "value": 60}]');
SELECT * FROM pg_temp.shown('state');
SELECT pg_temp.send('state', 1, '[{"metric": "heart_rate", "value": 62}]');
SELECT * FROM pg_temp.shown('state');
SELECT pg_temp.send('state', 2, '[{"metric": "heart_rate", "value": 71.9}]');
SELECT * FROM pg_temp.shown('state');
SELECT pg_temp.send('state', 3, '[{"metric": "heart_rate", "value": 72}]');
SELECT * FROM pg_temp.shown('state');
SELECT pg_temp.send('state', 4, '[{"metric": "hrv_rmssd", "value": 60}]');
SELECT pg_temp.send('state', 5, '[{"metric": "hrv_rmssd", "value": 56}, {"metric": "heart_rate", "value": 73}]');
SELECT * FROM pg_temp.shown('state');
SELECT pg_temp.send('state', 6, '[{"metric": "hrv_rmssd", "value": 55}]');
SELECT * FROM pg_temp.shown('state');
SELECT pg_temp.send('state', 7, '[{"metric": "stress_level", "value": 0.2}]');
SELECT pg_temp.send('state', 8, '[{"metric": "stress_level", "value": 0.29}]');
SELECT * FROM pg_temp.shown('state');
SELECT pg_temp.send('state', 9, '[{"metric": "stress_level", "value": 0.31}]');
SELECT * FROM pg_temp.shown('state');
SELECT pg_temp.send('state', 38, '[{"metric": "heart_rate", "value": 74}]');
SELECT * FROM pg_temp.shown('state');
SELECT pg_temp.send('state', 39, '[{"metric": "heart_rate", "value": 75}]');
SELECT * FROM pg_temp.shown('state');
-- A late reading, and one that is not settled, are not the newest.
SELECT pg_temp.send('state', 40, '[{"metric": "heart_rate", "value": 50, "start": "2025-03-10T07:00:00Z"},
  {"metric": "heart_rate", "value": 55, "flags": ["pending"]}]');
SELECT * FROM pg_temp.shown('state');
-- One that is taken away is not kept, not even in the row; a correction takes its place.
SELECT pg_temp.send('state', 41, '[{"metric": "heart_rate", "start": "2025-03-10T08:00:39Z", "deleted": true}]');
SELECT * FROM pg_temp.shown('state');
SELECT pg_temp.send('state', 42, '[{"metric": "heart_rate", "start": "2025-03-10T08:00:38Z", "value": 76}]');
SELECT * FROM pg_temp.shown('state');
SELECT pg_temp.send('state', 43, '[{"metric": "heart_rate", "start": "2025-03-10T08:00:38Z", "value": 76, "flags": ["calibrating"]}]');
SELECT * FROM pg_temp.shown('state');

-- A vendor's document that comes again takes its readings along.
SELECT pg_temp.send('state_doc', 0, '[{"metric": "recovery_score", "value": 80, "external_id": "a"},
  {"metric": "recovery_score", "value": 70, "external_id": "a", "start": "2025-03-10T07:00:00Z"}]');
SELECT pg_temp.send('state_doc', 1, '[{"metric": "recovery_score", "value": 71, "external_id": "a", "start": "2025-03-10T07:00:00Z"}]');
SELECT * FROM pg_temp.shown('state_doc');
SELECT pg_temp.send('state_doc', 2, '[{"metric": "recovery_score", "external_id": "a", "deleted": true}]');
SELECT * FROM pg_temp.shown('state_doc');

-- Ten minutes of five people whose watch sends every second: a tenth of the writes at most.
BEGIN;
SELECT n_tup_ins + n_tup_upd AS before FROM pg_stat_xact_all_tables WHERE relid = 'neuros.person_states'::regclass \gset
SELECT count(*) AS deliveries FROM generate_series(1, 600) AS s, generate_series(1, 5) AS p,
  pg_temp.send('live' || p, s, jsonb_build_array(
    jsonb_build_object('metric', 'heart_rate', 'value', 70 + round((6 * sin(s / 40.0 + p))::numeric, 1) + (s * 7 + p) % 3),
    jsonb_build_object('metric', 'stress_level', 'value', round((0.3 + 0.05 * sin(s / 90.0))::numeric, 3)))) AS answer
WHERE answer.status = 'applied';
SELECT n_tup_ins + n_tup_upd - :before AS writes FROM pg_stat_xact_all_tables
WHERE relid = 'neuros.person_states'::regclass;
COMMIT;

-- The same deliveries to one who is remembered and to one whose state is lost before each of them: the
-- decisions are the same. Every kind of reading that moves the newest one is among them.
CREATE FUNCTION pg_temp.readings(n integer) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_array(
    CASE n % 9
      WHEN 3 THEN '{"metric": "recovery_score", "deleted": true, "external_id": "d"}'::jsonb
      WHEN 4 THEN jsonb_build_object('metric', 'heart_rate', 'deleted', true,
        'start', timestamptz '2025-03-10T08:00:00Z' + (n - 2) * 9 * interval '1 s')
      WHEN 5 THEN jsonb_build_object('metric', 'heart_rate', 'value', 104, 'flags', '["pending"]'::jsonb)
      WHEN 6 THEN jsonb_build_object('metric', 'resting_heart_rate', 'value', 50 + n % 40, 'external_id', 'd' || n % 2)
      WHEN 7 THEN jsonb_build_object('metric', 'oxygen_saturation', 'value', 86 + n % 12,
        'start', timestamptz '2025-03-10T08:00:00Z' + (n - n % 4) * 9 * interval '1 s')
      ELSE jsonb_build_object('metric', 'heart_rate', 'value', 60 + n % 50) END,
    CASE n % 5
      WHEN 0 THEN jsonb_build_object('metric', 'recovery_score', 'value', 30 + n % 60, 'external_id', 'd')
      WHEN 1 THEN jsonb_build_object('metric', 'respiratory_rate', 'value', 13 + n % 11)
      ELSE jsonb_build_object('metric', 'skin_temperature_deviation', 'value', (n % 7) / 3.0) END)
$$;
DO $$
BEGIN
  FOR n IN 1 .. 300 LOOP
    PERFORM pg_temp.send('remembered', n * 9, pg_temp.readings(n));
    UPDATE neuros.person_states SET (position, folded_at, newest) = (NULL, NULL, NULL) WHERE user_id = 'forgotten';
    PERFORM pg_temp.send('forgotten', n * 9, pg_temp.readings(n));
  END LOOP;
END;
$$;
CREATE FUNCTION pg_temp.decided(p_user text) RETURNS TABLE(version bigint, data jsonb) LANGUAGE sql AS $$
  SELECT e.version, e.event_data - '{context,hypothesis,mode_switched,delivery_id,user_id}'::text[]
  FROM events.replay_stream('user:' || p_user) e
$$;
SELECT count(*) FROM pg_temp.decided('remembered') WHERE data ? 'to_mode';
SELECT count(*) FROM (SELECT * FROM pg_temp.decided('remembered') EXCEPT SELECT * FROM pg_temp.decided('forgotten')) AS other;
SELECT count(*) FROM (SELECT * FROM pg_temp.decided('forgotten') EXCEPT SELECT * FROM pg_temp.decided('remembered')) AS other;
SELECT * FROM neuros.newest_readings('remembered') EXCEPT SELECT * FROM neuros.newest_readings('forgotten');

SELECT * FROM neuros.newest_readings('nobody');
SELECT * FROM neuros.newest_readings(NULL);
