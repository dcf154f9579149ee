-- Readings summed up by person, metric and local day.

SELECT analytics.refresh_user_metrics() >= 0 AS refreshed;
SELECT readings_accepted FROM bridge.ingest_batch(ARRAY[
  '{"source": "healthkit", "delivery_id": "a-1", "user_id": "ana", "received_at": "2025-03-05T00:00:00Z", "readings": [
    {"metric": "heart_rate", "value": 60, "start": "2025-03-01T09:00:00Z"},
    {"metric": "heart_rate", "value": 70, "start": "2025-03-01T10:00:00Z"},
    {"metric": "heart_rate", "value": 80, "start": "2025-03-01T23:30:00-02:00"},
    {"metric": "heart_rate", "value": 90, "start": "2025-03-01T23:30:00+02:00"},
    {"metric": "sleep_stage", "value": "deep", "start": "2025-03-01T23:00:00+01:00", "end": "2025-03-02T00:30:00+01:00"},
    {"metric": "sleep_stage", "value": "deep", "start": "2025-03-02T02:00:00+01:00", "end": "2025-03-02T02:30:00+01:00"},
    {"metric": "sleep_stage", "value": "rem", "start": "2025-03-02T01:00:00+01:00", "end": "2025-03-02T02:00:00+01:00"},
    {"metric": "step_count", "value": 500, "start": "2025-03-01T23:00:00Z", "end": "2025-03-02T01:00:00Z"}]}']::jsonb[]);

-- A span belongs to the day on which it ends; a state metric counts its seconds by state.
SELECT analytics.refresh_user_metrics();
SELECT metric_type, day, sample_count, avg_value, min_value, max_value, round(stddev_value::numeric, 6) AS stddev_value, sum_value
FROM analytics.user_metrics_daily WHERE user_id = 'ana' ORDER BY 1, 2;
SELECT analytics.refresh_user_metrics();

-- Late, corrected and deleted readings: only the groups that changed are written, and it is exact again.
SELECT readings_accepted FROM bridge.ingest_batch(ARRAY[
  '{"source": "healthkit", "delivery_id": "a-2", "user_id": "ana", "received_at": "2025-03-05T01:00:00Z", "readings": [
    {"metric": "heart_rate", "value": 64, "start": "2025-03-01T09:00:00Z"},
    {"metric": "sleep_stage", "start": "2025-03-02T01:00:00+01:00", "end": "2025-03-02T02:00:00+01:00", "deleted": true}]}']::jsonb[]);
SELECT analytics.refresh_user_metrics();
SELECT metric_type, day, sample_count, avg_value, sum_value FROM analytics.user_metrics_daily WHERE user_id = 'ana' ORDER BY 1, 2;

-- Percentiles lie between readings.
SELECT p05_value, p50_value, p95_value FROM analytics.user_metrics_daily WHERE user_id = 'ana' AND metric_type = 'heart_rate';

-- Equal to a GROUP BY over all readings.
CREATE VIEW pg_temp.expected AS
SELECT user_id, metric_type, day, count(*) AS sample_count, avg(value) AS avg_value, min(value) AS min_value, max(value) AS max_value,
  stddev_samp(value) AS stddev_value, sum(value) AS sum_value, percentile_cont(0.05) WITHIN GROUP (ORDER BY value) AS p05_value,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS p50_value, percentile_cont(0.95) WITHIN GROUP (ORDER BY value) AS p95_value
FROM biometrics.biometric_events WHERE value IS NOT NULL GROUP BY 1, 2, 3;
(TABLE pg_temp.expected EXCEPT TABLE analytics.user_metrics_daily) LIMIT 1;
(SELECT * FROM analytics.user_metrics_daily WHERE metric_type NOT LIKE '%:%' EXCEPT TABLE pg_temp.expected) LIMIT 1;
SELECT count(*) >= 3 AS there_is_something FROM analytics.user_metrics_daily;

SET ROLE auren_reader;
SELECT count(*) > 0 AS reads FROM analytics.user_metrics_daily;
SELECT analytics.refresh_user_metrics();
SET ROLE auren_writer;
SELECT analytics.refresh_user_metrics();
RESET ROLE;

-- The live view, before a refresh: what is stored and what has been touched since.
SELECT readings_accepted FROM bridge.ingest_batch(ARRAY[
  '{"source": "healthkit", "delivery_id": "a-3", "user_id": "ana", "received_at": "2025-03-05T02:00:00Z", "readings": [
    {"metric": "step_count", "start": "2025-03-01T23:00:00Z", "end": "2025-03-02T01:00:00Z", "deleted": true},
    {"metric": "sleep_stage", "value": "light", "start": "2025-03-02T03:00:00+01:00", "end": "2025-03-02T04:00:00+01:00"}]}']::jsonb[]);
TABLE analytics.touched_groups ORDER BY 1, 2, 3;
SET ROLE auren_reader;
SELECT metric_type, day, sample_count, sum_value, p50_value FROM analytics.user_metrics_live WHERE user_id = 'ana' ORDER BY 1, 2;
RESET ROLE;
SELECT metric_type, day, sample_count, sum_value, p50_value FROM analytics.user_metrics_daily WHERE user_id = 'ana' ORDER BY 1, 2;
SELECT analytics.refresh_user_metrics();
SELECT count(*) AS left_to_do FROM analytics.touched_groups;
(TABLE analytics.user_metrics_live EXCEPT TABLE analytics.user_metrics_daily) LIMIT 1;
(TABLE analytics.user_metrics_daily EXCEPT TABLE analytics.user_metrics_live) LIMIT 1;

-- Who may what.
SELECT p.proname, r.rolname, has_function_privilege(r.rolname, p.oid, 'EXECUTE') AS may
FROM pg_proc p, pg_roles r
WHERE p.pronamespace = 'analytics'::regnamespace AND r.rolname LIKE 'auren\_%' ORDER BY 1, 2;
SELECT c.relname, r.rolname, has_table_privilege(r.rolname, c.oid, 'SELECT') AS reads,
  has_table_privilege(r.rolname, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS writes
FROM pg_class c, pg_roles r
WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind IN ('r', 'v') AND r.rolname LIKE 'auren\_%' ORDER BY 1, 2;
