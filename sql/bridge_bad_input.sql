-- Bad readings are refused one by one, with their reasons; their neighbours are kept.

CREATE FUNCTION pg_temp.take(p_id text, p_readings jsonb)
RETURNS TABLE(status text, accepted integer, rejected integer, code text, anomalies jsonb)
LANGUAGE sql AS $$
  SELECT status, readings_accepted, readings_rejected, problem ->> 'code', anomalies
  FROM bridge.ingest_batch(ARRAY[jsonb_build_object('source', 'healthkit', 'delivery_id', p_id,
    'user_id', 'bad:' || p_id, 'received_at', '2025-03-01T12:00:00Z', 'readings', p_readings)])
$$;
CREATE FUNCTION pg_temp.refused(p_id text) RETURNS TABLE(index integer, metric text, code text, detail text)
LANGUAGE sql AS $$
  SELECT r.index, r.metric, r.code, r.detail
  FROM events.replay_stream('user:bad:' || p_id) e,
    jsonb_to_recordset(e.event_data -> 'refused') AS r(index integer, metric text, code text, detail text)
  ORDER BY 1
$$;

-- An unknown metric is kept in the event, reported, and not fatal.
SELECT * FROM pg_temp.take('unknown', '[{"metric": "mood", "value": "low", "start": "2025-03-01T09:00:00Z"},
  {"metric": "heart_rate", "value": 60, "start": "2025-03-01T09:00:00Z"},
  {"metric": "heart_rate", "value": 60, "start": "2025-03-01T09:00:01Z", "mapped": false}]');
SELECT * FROM pg_temp.refused('unknown');
SELECT jsonb_array_length(event_data -> 'readings') AS kept FROM events.replay_stream('user:bad:unknown');
SELECT * FROM pg_temp.take('only_unknown', '[{"metric": "mood", "value": 1, "start": "2025-03-01T09:00:00Z"}]');

-- Outside the hard range: refused. Outside the soft range: kept and counted.
SELECT * FROM pg_temp.take('ranges', '[
  {"metric": "heart_rate", "value": 19.9, "start": "2025-03-01T09:00:00Z"},
  {"metric": "heart_rate", "value": 20, "start": "2025-03-01T09:00:01Z"},
  {"metric": "heart_rate", "value": 30, "start": "2025-03-01T09:00:02Z"},
  {"metric": "heart_rate", "value": 260, "start": "2025-03-01T09:00:03Z", "context": "workout"},
  {"metric": "heart_rate", "value": 260.1, "start": "2025-03-01T09:00:04Z"},
  {"metric": "stress_level", "value": 1e400, "start": "2025-03-01T09:00:05Z"}]');
SELECT * FROM pg_temp.refused('ranges');
SELECT value, quality FROM biometrics.readings('bad:ranges', 'heart_rate');

-- Not a number.
SELECT * FROM pg_temp.take('numbers', '[
  {"metric": "heart_rate", "value": "NaN", "start": "2025-03-01T09:00:00Z"},
  {"metric": "heart_rate", "value": "62", "start": "2025-03-01T09:00:00Z"},
  {"metric": "heart_rate", "value": null, "start": "2025-03-01T09:00:00Z"},
  {"metric": "heart_rate", "value": true, "start": "2025-03-01T09:00:00Z"},
  {"metric": "heart_rate", "value": [62], "start": "2025-03-01T09:00:00Z"},
  {"metric": "heart_rate", "start": "2025-03-01T09:00:00Z"},
  {"metric": "sleep_stage", "value": 3, "start": "2025-03-01T09:00:00Z"},
  {"metric": "sleep_stage", "value": "", "start": "2025-03-01T09:00:00Z"},
  {"metric": "heart_rate", "value": 61, "start": "2025-03-01T09:00:00Z"}]');
SELECT * FROM pg_temp.refused('numbers');

-- Timestamps are read strictly; an offset is kept, none means UTC.
SELECT * FROM pg_temp.take('times', '[
  {"metric": "step_count", "value": 1, "start": "2025-02-30T09:00:00Z"},
  {"metric": "step_count", "value": 1, "start": "2025-02-28"},
  {"metric": "step_count", "value": 1, "start": "yesterday"},
  {"metric": "step_count", "value": 1, "start": 1737973800},
  {"metric": "step_count", "value": 1, "start": "2025-02-28T24:00:00Z"},
  {"metric": "step_count", "value": 1, "start": "2025-02-28T09:60:00Z"},
  {"metric": "step_count", "value": 1, "start": "2025-02-28T09:00:00+19:00"},
  {"metric": "step_count", "value": 1, "start": "2025-02-28T09:00:00Zulu"},
  {"metric": "step_count", "value": 1, "start": "2025-02-28T09:00:00."},
  {"metric": "step_count", "value": 1},
  {"metric": "step_count", "value": 1, "start": "2025-02-28T09:00:00Z", "end": "never"},
  {"metric": "step_count", "value": 1, "start": "2025-02-28T09:00:00Z", "end": "2025-02-28T08:00:00Z"},
  {"metric": "step_count", "value": 1, "start": "2999-01-01T00:00:00Z"},
  {"metric": "step_count", "value": 1, "start": "2025-02-28T09:00:00Z", "end": "2999-01-01T00:00:00Z"},
  {"metric": "step_count", "value": 1, "start": "2025-01-27 10:30:00 +0000"},
  {"metric": "step_count", "value": 2, "start": "2025-01-27 11:31:00 +0100"},
  {"metric": "step_count", "value": 3, "start": "2025-01-26T23:04:30.000+01:00"},
  {"metric": "step_count", "value": 4, "start": "2025-01-27T10:33:00"},
  {"metric": "step_count", "value": 5, "start": "2025-01-27T10:34:00.1234567-09:30"},
  {"metric": "step_count", "value": 6, "start": "2024-02-29T23:59:59.999999+14:00"}]');
SELECT * FROM pg_temp.refused('times');
SELECT recorded_at AT TIME ZONE 'UTC' AS utc, zone_offset, day, value
FROM biometrics.readings('bad:times', 'step_count') ORDER BY value;

-- 23 hours ahead is a clock that goes wrong; 25 hours is no reading.
SELECT t.hours, r.readings_accepted, r.problem ->> 'code' AS code
FROM (VALUES (23), (25)) AS t(hours),
  bridge.ingest_batch(ARRAY[jsonb_build_object('source', 'healthkit', 'delivery_id', 'ahead' || t.hours,
    'user_id', 'bad:ahead', 'readings', jsonb_build_array(jsonb_build_object('metric', 'step_count',
      'value', 1, 'start', to_char((now() + t.hours * interval '1 hour') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))))]) r
ORDER BY 1;

-- Members of the wrong kind, and units.
SELECT * FROM pg_temp.take('members', '[
  "heart_rate",
  {"metric": 7, "value": 60, "start": "2025-03-01T09:00:00Z"},
  {"metric": "heart_rate", "value": 60, "start": "2025-03-01T09:00:00Z", "context": "jogging"},
  {"metric": "heart_rate", "value": 60, "start": "2025-03-01T09:00:00Z", "statistic": "median"},
  {"metric": "heart_rate", "value": 60, "start": "2025-03-01T09:00:00Z", "source": {"app": "x"}},
  {"metric": "heart_rate", "value": 60, "start": "2025-03-01T09:00:00Z", "flags": "pending"},
  {"metric": "heart_rate", "value": 60, "start": "2025-03-01T09:00:00Z", "flags": [1]},
  {"metric": "heart_rate", "value": 60, "start": "2025-03-01T09:00:00Z", "deleted": "yes"},
  {"metric": "heart_rate", "value": 60, "start": "2025-03-01T09:00:00Z", "unit": "furlong"},
  {"metric": "heart_rate", "value": 60, "start": "2025-03-01T09:00:00Z", "unit": "bpm", "context": null, "statistic": "instant"},
  {"metric": "body_temperature", "value": 98.6, "start": "2025-03-01T09:00:00Z", "unit": "degF"},
  {"metric": "active_energy", "value": 418.4, "start": "2025-03-01T09:00:00Z", "unit": "kJ"},
  {"metric": "sleep_stage", "value": "dozing", "start": "2025-03-01T01:00:00Z", "end": "2025-03-01T02:00:00Z"}]');
SELECT * FROM pg_temp.refused('members');
SELECT metric_type, round(value::numeric, 6) AS value, state, unit, quality, flags FROM biometrics.biometric_events
WHERE user_id = 'bad:members' ORDER BY 1;

-- Every conversion is there and back to what the catalogue keeps.
SELECT c.from_unit, c.to_unit FROM biometrics.unit_conversions c
WHERE NOT EXISTS (SELECT FROM biometrics.metric_types m WHERE m.unit = c.to_unit);

-- Ten thousand in one body, one of them bad: no one is lost, no one doubled.
SELECT * FROM pg_temp.take('many', (SELECT jsonb_agg(jsonb_build_object('metric', 'heart_rate',
    'value', CASE n WHEN 5000 THEN 999 ELSE 60 + n % 7 END,
    'start', to_char(timestamp '2025-02-20 00:00' + n * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) ORDER BY n)
  FROM generate_series(1, 10000) n));
SELECT count(*), count(DISTINCT recorded_at), sum(value) FROM biometrics.readings('bad:many', 'heart_rate');
SELECT * FROM pg_temp.refused('many');

-- A delivery too large to be one event.
SELECT * FROM pg_temp.take('large', (SELECT jsonb_agg(jsonb_build_object('metric', 'heart_rate', 'value', 60,
    'start', '2025-03-01T09:00:00Z', 'note', repeat(n::text, 4000 / length(n::text)))) FROM generate_series(1, 4500) n));
SELECT events.stream_version('user:bad:large') AS version;

-- Ten thousand of today, one of them alarming: it is found, and told once.
SELECT status, readings_accepted, to_mode, trigger FROM bridge.ingest_batch(ARRAY[jsonb_build_object('source', 'healthkit',
  'delivery_id', 'today', 'user_id', 'bad:today', 'received_at', '2025-03-05T12:00:00Z', 'readings',
  (SELECT jsonb_agg(jsonb_build_object('metric', 'heart_rate', 'value', CASE n WHEN 9000 THEN 140 ELSE 60 + n % 7 END, 'context', 'rest',
    'start', to_char(timestamp '2025-03-05 08:00' + n * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))) FROM generate_series(1, 10000) n))]);
SELECT jsonb_array_length(event_data -> 'factors') AS factors FROM events.replay_stream('user:bad:today') WHERE event_type = 'mode_switched';
-- Only the newest max_recent_readings are judged: an alarm before them is not.
SELECT status, readings_accepted, to_mode FROM bridge.ingest_batch(ARRAY[jsonb_build_object('source', 'healthkit',
  'delivery_id', 'today', 'user_id', 'bad:recent', 'received_at', '2025-03-05T12:00:00Z', 'readings',
  (SELECT jsonb_agg(jsonb_build_object('metric', 'heart_rate', 'value', CASE n WHEN 1000 THEN 140 ELSE 60 + n % 7 END, 'context', 'rest',
    'start', to_char(timestamp '2025-03-05 08:00' + n * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))) FROM generate_series(1, 10000) n))]);

-- More people in one batch than a transaction locks one by one.
SELECT status, count(*), sum(readings_accepted) FROM bridge.ingest_batch((SELECT array_agg(jsonb_build_object('source', 'healthkit',
  'delivery_id', 'crowd', 'user_id', 'bad:crowd' || n, 'readings', '[{"metric": "step_count", "value": 1, "start": "2025-03-01T09:00:00Z"}]'::jsonb))
  FROM generate_series(1, 1500) n)) GROUP BY 1;

-- An error in the middle of a batch undoes all of it and leaves the session as it was.
CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk on fire'; END $$;
CREATE TRIGGER fail BEFORE INSERT ON biometrics.biometric_events FOR EACH ROW WHEN (NEW.user_id = 'bad:second') EXECUTE FUNCTION pg_temp.fail();
CREATE FUNCTION pg_temp.both() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT status FROM bridge.ingest_batch(ARRAY[
    '{"source": "healthkit", "delivery_id": "1", "user_id": "bad:first", "readings": [{"metric": "step_count", "value": 1, "start": "2025-03-01T09:00:00Z"}]}',
    '{"source": "healthkit", "delivery_id": "1", "user_id": "bad:second", "readings": [{"metric": "step_count", "value": 1, "start": "2025-03-01T09:00:00Z"}]}']::jsonb[])
$$;
SHOW search_path;
BEGIN;
DO $$ BEGIN
  PERFORM pg_temp.both();
EXCEPTION WHEN raise_exception THEN RAISE NOTICE 'caught: %', SQLERRM;
END $$;
SHOW search_path;
SHOW enable_seqscan;
SELECT events.stream_version('user:bad:first') AS first, events.stream_version('user:bad:second') AS second;
DROP TRIGGER fail ON biometrics.biometric_events;
SELECT pg_temp.both();
COMMIT;
SELECT events.stream_version('user:bad:first') AS first, events.stream_version('user:bad:second') AS second;
