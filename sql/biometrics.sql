-- What can be measured, and what was.

SELECT metric_type, unit, loinc, hard_min, hard_max, soft_min, soft_max, baseline FROM biometrics.metric_types
ORDER BY metric_type;
SELECT metric_type, states FROM biometrics.metric_types WHERE states IS NOT NULL;

CREATE FUNCTION pg_temp.take(p_id text, p_readings jsonb, p_user text DEFAULT 'bio', p_source text DEFAULT 'oura')
RETURNS TABLE(status text, accepted integer, rejected integer, code text)
LANGUAGE sql AS $$
  SELECT status, readings_accepted, readings_rejected, problem ->> 'code'
  FROM bridge.ingest_batch(ARRAY[jsonb_build_object('source', p_source, 'delivery_id', p_id,
    'user_id', p_user, 'received_at', '2025-03-10T12:00:00Z', 'readings', p_readings)])
$$;
CREATE FUNCTION pg_temp.stored(p_user text DEFAULT 'bio')
RETURNS TABLE(metric text, start timestamp, stop timestamp, value double precision, state text, statistic text,
  source text, external_id text, delivery text)
LANGUAGE sql AS $$
  SELECT metric_type, recorded_at AT TIME ZONE 'UTC', ended_at AT TIME ZONE 'UTC', value, state, statistic, source,
    external_id, (SELECT e.event_data ->> 'delivery_id' FROM events.replay_stream('user:' || p_user) e WHERE e.position = b.position)
  FROM biometrics.biometric_events b WHERE user_id = p_user
  ORDER BY metric_type, recorded_at, ended_at, source, statistic
$$;

-- A DBA adds a metric with an INSERT, and it is judged like any other. One that is there cannot be added.
INSERT INTO biometrics.metric_types (metric_type, unit, hard_min, hard_max) VALUES ('grip_strength', 'kg', 0, 200);
INSERT INTO biometrics.metric_types (metric_type, unit) VALUES ('grip_strength', 'N');
INSERT INTO biometrics.metric_types (metric_type, unit) VALUES ('Grip', 'kg');
SELECT * FROM pg_temp.take('grip', '[{"metric": "grip_strength", "value": 42, "start": "2025-03-01T09:00:00Z"},
  {"metric": "grip_strength", "value": 420, "start": "2025-03-01T09:00:01Z"}]');
-- A shipped row may be changed, or given anew; only then is it the DBA's and in a dump.
UPDATE biometrics.metric_types SET soft_max = 210 WHERE metric_type = 'heart_rate';
INSERT INTO biometrics.metric_types (metric_type, unit, hard_min, hard_max) VALUES ('strain', '{strain}', 0, 30);
SELECT metric_type, unit, hard_max, soft_max, seeded FROM biometrics.metric_types
WHERE metric_type IN ('grip_strength', 'heart_rate', 'strain', 'hrv_sdnn') ORDER BY 1;
DELETE FROM biometrics.metric_types WHERE metric_type = 'grip_strength';
UPDATE biometrics.metric_types SET soft_max = 220 WHERE metric_type = 'heart_rate';

-- A reading that arrives again takes the place of the first: nulls are equal, another statistic, source or
-- end is another reading, and within one delivery the last wins.
SELECT * FROM pg_temp.take('u-1', '[
  {"metric": "heart_rate", "value": 60, "start": "2025-03-01T09:00:00Z"},
  {"metric": "heart_rate", "value": 61, "start": "2025-03-01T09:00:00Z", "statistic": "avg"},
  {"metric": "heart_rate", "value": 62, "start": "2025-03-01T09:00:00Z", "source": "watch"},
  {"metric": "heart_rate", "value": 63, "start": "2025-03-01T09:00:00Z", "end": "2025-03-01T09:05:00Z"},
  {"metric": "heart_rate", "value": 64, "start": "2025-03-01T10:00:00Z"},
  {"metric": "heart_rate", "value": 65, "start": "2025-03-01T10:00:00Z"}]');
SELECT * FROM pg_temp.take('u-2', '[{"metric": "heart_rate", "value": 70, "start": "2025-03-01T10:00:00+01:00"}]');
SELECT metric, start, stop, value, statistic, source, delivery FROM pg_temp.stored();

-- A reading is taken away by its key; the one deletes what the other says, the last in a delivery wins.
SELECT * FROM pg_temp.take('x-1', '[
  {"metric": "heart_rate", "start": "2025-03-01T09:00:00Z", "deleted": true},
  {"metric": "heart_rate", "start": "2025-03-01T09:00:00Z", "source": "watch", "deleted": true},
  {"metric": "heart_rate", "value": 66, "start": "2025-03-01T11:00:00Z"},
  {"metric": "heart_rate", "start": "2025-03-01T11:00:00Z", "deleted": true},
  {"metric": "heart_rate", "start": "2025-03-01T12:00:00Z", "deleted": true},
  {"metric": "heart_rate", "value": 67, "start": "2025-03-01T12:00:00Z"},
  {"metric": "heart_rate", "deleted": true}]');
SELECT metric, start, stop, value, statistic, source, delivery FROM pg_temp.stored();

-- A vendor document that comes again replaces all it said of the metrics it brings.
SELECT * FROM pg_temp.take('doc-1', '[
  {"metric": "hrv_rmssd", "value": 41, "start": "2025-03-02T01:00:00Z", "external_id": "night-2"},
  {"metric": "hrv_rmssd", "value": 44, "start": "2025-03-02T01:05:00Z", "external_id": "night-2"},
  {"metric": "sleep_duration", "value": 27000, "start": "2025-03-01T23:00:00Z", "end": "2025-03-02T07:00:00Z",
   "statistic": "session_sum", "external_id": "night-2"}]', 'bio_doc');
SELECT * FROM pg_temp.take('doc-2', '[
  {"metric": "hrv_rmssd", "value": 45, "start": "2025-03-02T01:05:00Z", "external_id": "night-2"},
  {"metric": "hrv_rmssd", "value": 46, "start": "2025-03-02T01:10:00Z", "external_id": "night-2"}]', 'bio_doc');
SELECT metric, start, value, external_id, delivery FROM pg_temp.stored('bio_doc');
-- The parts of one delivery are one: the second adds to the first.
SELECT * FROM pg_temp.take('doc-3#0', '[{"metric": "hrv_rmssd", "value": 47, "start": "2025-03-02T01:00:00Z", "external_id": "night-2"}]', 'bio_doc');
SELECT * FROM pg_temp.take('doc-3#1', '[{"metric": "hrv_rmssd", "value": 48, "start": "2025-03-02T01:05:00Z", "external_id": "night-2"}]', 'bio_doc');
SELECT metric, start, value, external_id, delivery FROM pg_temp.stored('bio_doc');
-- The same document of another source is another document. A version whose readings are refused changes nothing.
SELECT * FROM pg_temp.take('doc-4', '[{"metric": "hrv_rmssd", "value": 50, "start": "2025-03-02T01:00:00Z", "external_id": "night-2"}]', 'bio_doc', 'whoop');
SELECT * FROM pg_temp.take('doc-5', '[{"metric": "hrv_rmssd", "value": 5000, "start": "2025-03-02T01:00:00Z", "external_id": "night-2"}]', 'bio_doc');
-- Deleted: its readings of the metric go.
SELECT * FROM pg_temp.take('doc-6', '[{"metric": "hrv_rmssd", "external_id": "night-2", "deleted": true}]', 'bio_doc');
SELECT metric, start, value, external_id, delivery FROM pg_temp.stored('bio_doc');

-- Words have states; analytics and baselines know days by the offset as written.
SELECT * FROM pg_temp.take('s-1', '[
  {"metric": "sleep_stage", "value": "deep", "start": "2025-03-02T23:30:00+01:00", "end": "2025-03-03T00:30:00+01:00"},
  {"metric": "heart_rate", "value": 50, "start": "2025-03-02T23:30:00-05:00"},
  {"metric": "heart_rate", "value": 51, "start": "2025-03-02T23:30:00Z"}]', 'bio_days');
SELECT metric_type, state, value, zone_offset, day FROM biometrics.biometric_events WHERE user_id = 'bio_days' ORDER BY 1, 2, 3;

-- Readings of a metric in a span of time.
SELECT recorded_at AT TIME ZONE 'UTC' AS start, value FROM biometrics.readings('bio', 'heart_rate', '2025-03-01T10:00Z', '2025-03-01T12:00Z');
SELECT count(*) FROM biometrics.readings('nobody', 'heart_rate');

-- Daily values: a day is marked once and worked out when needed. Left out: extremes and sums, what is
-- pending, and what effort moved. The mean is geometric where the baseline is on the log scale.
SELECT * FROM pg_temp.take('dv-1', '[
  {"metric": "heart_rate", "value": 60, "start": "2025-03-04T09:00:00Z"},
  {"metric": "heart_rate", "value": 70, "start": "2025-03-04T10:00:00Z"},
  {"metric": "heart_rate", "value": 150, "start": "2025-03-04T11:00:00Z", "context": "workout"},
  {"metric": "heart_rate", "value": 40, "start": "2025-03-04T12:00:00Z", "statistic": "min"},
  {"metric": "heart_rate", "value": 190, "start": "2025-03-04T12:00:00Z", "statistic": "max"},
  {"metric": "heart_rate", "value": 200, "start": "2025-03-04T12:00:00Z", "statistic": "sum"},
  {"metric": "heart_rate", "value": 90, "start": "2025-03-04T12:00:00Z", "flags": ["pending"]},
  {"metric": "hrv_sdnn", "value": 40, "start": "2025-03-04T09:00:00Z"},
  {"metric": "hrv_sdnn", "value": 90, "start": "2025-03-04T10:00:00Z"},
  {"metric": "step_count", "value": 90, "start": "2025-03-04T10:00:00Z"}]', 'bio_daily');
SELECT metric_type, day, readings, value, stale FROM biometrics.daily_values WHERE user_id = 'bio_daily' ORDER BY 1;
SELECT biometrics.refresh_daily_values('bio_daily', '2025-03-10');
SELECT metric_type, day, readings, round(value::numeric, 9) AS value, stale FROM biometrics.daily_values WHERE user_id = 'bio_daily' ORDER BY 1;
-- A correction in another offset moves a reading to another day; both days are marked, an empty one goes.
SELECT * FROM pg_temp.take('dv-2', '[
  {"metric": "heart_rate", "value": 60, "start": "2025-03-03T23:00:00-10:00"},
  {"metric": "heart_rate", "start": "2025-03-04T10:00:00Z", "deleted": true},
  {"metric": "hrv_sdnn", "start": "2025-03-04T09:00:00Z", "deleted": true},
  {"metric": "hrv_sdnn", "start": "2025-03-04T10:00:00Z", "deleted": true}]', 'bio_daily');
SELECT biometrics.refresh_daily_values('bio_daily', '2025-03-10');
SELECT metric_type, day, readings, value, stale FROM biometrics.daily_values WHERE user_id = 'bio_daily' AND readings > 0 ORDER BY 1, 2;
-- Rebuilt from the readings they come out the same.
CREATE TEMP TABLE before AS SELECT * FROM biometrics.daily_values WHERE user_id LIKE 'bio%' AND readings > 0;
SELECT biometrics.rebuild_daily_values() > 0 AS marked;
SELECT biometrics.refresh_daily_values('bio_daily', '2025-03-10');
TABLE before EXCEPT SELECT * FROM biometrics.daily_values;

SELECT tablename, indexname FROM pg_indexes WHERE indexname = 'idx_biometric_events_user_device_time';
SET ROLE auren_reader;
SELECT count(*) FROM biometrics.readings('bio', 'heart_rate');
INSERT INTO biometrics.metric_types (metric_type, unit) VALUES ('x', 'kg');
SELECT biometrics.rebuild_daily_values();
RESET ROLE;
