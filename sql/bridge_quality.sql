-- How good a delivery is: what was odd about it, counted by type and severity, and what it is worth for that.

-- The delivery's quality is in its event, which is there after the call only.
CREATE FUNCTION pg_temp.judged(p_id text, p_readings jsonb)
RETURNS TABLE(accepted integer, rejected integer, quality double precision, anomalies jsonb)
LANGUAGE plpgsql AS $$
BEGIN
  SELECT a.readings_accepted, a.readings_rejected, a.anomalies INTO accepted, rejected, anomalies
  FROM bridge.ingest_batch(ARRAY[jsonb_build_object('source', 'healthkit', 'delivery_id', p_id, 'user_id', 'quality',
    'received_at', '2025-03-10T12:00:00Z', 'readings', p_readings)]) a;
  quality := (SELECT round((e.metadata ->> 'quality')::numeric, 6) FROM events.event_store e
               WHERE e.stream_id = 'user:quality' AND e.event_data ->> 'delivery_id' = p_id);
  RETURN NEXT;
END;
$$;

-- Nothing odd; then one anomaly after the other, each of which takes a fifth.
SELECT * FROM pg_temp.judged('none', '[{"metric": "heart_rate", "value": 60, "start": "2025-03-10T11:00:00Z"}]');
SELECT * FROM pg_temp.judged('soft', '[{"metric": "heart_rate", "value": 225, "start": "2025-03-10T11:01:00Z"}]');
SELECT * FROM pg_temp.judged('two', '[{"metric": "heart_rate", "value": 225, "start": "2025-03-10T11:02:00Z"},
  {"metric": "heart_rate", "value": 226, "start": "2025-03-10T11:02:01Z"}]');
SELECT * FROM pg_temp.judged('all', '[{"metric": "heart_rate", "value": 225, "start": "2025-03-10T11:03:00Z"},
  {"metric": "heart_rate", "value": 999, "start": "2025-03-10T11:03:01Z"},
  {"metric": "oxygen_saturation", "value": 101, "start": "2025-03-10T11:03:01Z"},
  {"metric": "heart_rate", "value": 60, "start": "2999-03-10T11:03:01Z"},
  {"metric": "aura", "value": 1, "start": "2025-03-10T11:03:01Z"},
  {"metric": "sleep_stage", "value": "floating", "start": "2025-03-10T01:03:01Z", "end": "2025-03-10T02:03:01Z"}]');
-- What is stored of it: the quality of each reading, and its flags.
SELECT metric_type, recorded_at AT TIME ZONE 'UTC' AS start, value, state, quality, flags FROM biometrics.biometric_events
WHERE user_id = 'quality' ORDER BY recorded_at, metric_type;

-- A day may have more steps than an hour: sums have a range of their own where the catalogue says so.
SELECT metric_type, hard_max, soft_max, sum_hard_max, sum_soft_max FROM biometrics.metric_types
WHERE sum_hard_max IS NOT NULL OR sum_soft_max IS NOT NULL;
SELECT * FROM pg_temp.judged('steps', '[{"metric": "step_count", "value": 20000, "start": "2025-03-10T10:00:00Z"},
  {"metric": "step_count", "value": 30000, "start": "2025-03-10T10:00:01Z", "statistic": "interval"},
  {"metric": "step_count", "value": 30001, "start": "2025-03-10T10:00:02Z"},
  {"metric": "step_count", "value": 30001, "start": "2025-03-09T00:00:00Z", "end": "2025-03-10T00:00:00Z", "statistic": "daily"},
  {"metric": "step_count", "value": 120000, "start": "2025-03-09T00:00:00Z", "end": "2025-03-10T00:00:00Z", "statistic": "sum"},
  {"metric": "step_count", "value": 120001, "start": "2025-03-08T00:00:00Z", "end": "2025-03-09T00:00:00Z", "statistic": "sum"},
  {"metric": "step_count", "value": -1, "start": "2025-03-08T00:00:00Z", "statistic": "daily"}]');
SELECT value, statistic, quality FROM biometrics.readings('quality', 'step_count') ORDER BY 1;
-- Without one a sum is held against the range of a sample.
SELECT * FROM pg_temp.judged('floors', '[{"metric": "flights_climbed", "value": 1001, "start": "2025-03-10T10:00:00Z", "statistic": "daily"}]');
