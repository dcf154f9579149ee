-- The table after each refresh, and the live view all the time, are a GROUP BY over all readings.
\set ON_ERROR_STOP off
\set VERBOSITY terse
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- Worked out from what a reading says, not from the columns that ingest derives. Sums depend on the order in which a
-- group is read in their last digits.
CREATE VIEW pg_temp.truth AS
SELECT user_id, metric, day, count(*) AS n, round(avg(value)::numeric, 9) AS mean, min(value) AS least, max(value) AS most,
  round(stddev_samp(value)::numeric, 9) AS deviation, round(sum(value)::numeric, 9) AS total,
  percentile_cont(0.05) WITHIN GROUP (ORDER BY value) AS p05, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS p50,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY value) AS p95
FROM (
  SELECT user_id, concat_ws(':', metric_type, state) AS metric,
    ((coalesce(ended_at, recorded_at) AT TIME ZONE 'UTC') + make_interval(mins => coalesce(zone_offset, 0)))::date AS day,
    coalesce(value, extract(epoch FROM coalesce(ended_at, recorded_at) - recorded_at)::double precision) AS value
  FROM biometrics.biometric_events) r
GROUP BY 1, 2, 3;

CREATE FUNCTION pg_temp.differences(relation regclass) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  found bigint;
BEGIN
  EXECUTE format(
    'WITH shown AS (SELECT user_id, metric_type, day, sample_count, round(avg_value::numeric, 9), min_value, max_value,
       round(stddev_value::numeric, 9), round(sum_value::numeric, 9), p05_value, p50_value, p95_value FROM %s)
     SELECT count(*) FROM ((TABLE shown EXCEPT ALL TABLE pg_temp.truth) UNION ALL (TABLE pg_temp.truth EXCEPT ALL TABLE shown)) d',
    relation) INTO found;
  RETURN found;
END $$;

-- A sequence of deliveries that is the same in every run: a person out of six, instants out of some days on a grid of
-- half hours, so that they meet again, in offsets around the globe.
CREATE FUNCTION pg_temp.digit(step int, n int, what int, below int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
  SELECT ('x' || left(md5(concat_ws(' ', step, n, what)), 7))::bit(28)::int % below
$$;
CREATE FUNCTION pg_temp.written(instant timestamptz, minutes int) RETURNS text LANGUAGE sql AS $$
  SELECT to_char((instant AT TIME ZONE 'UTC') + make_interval(mins => minutes), 'YYYY-MM-DD"T"HH24:MI:SS') ||
    CASE WHEN minutes < 0 THEN '-' ELSE '+' END || to_char(make_interval(mins => abs(minutes)), 'HH24:MI')
$$;
CREATE FUNCTION pg_temp.reading(step int, n int) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_strip_nulls(jsonb_build_object(
    'metric', metric, 'start', pg_temp.written(start, minutes),
    'value', CASE WHEN deleted THEN NULL WHEN metric = 'sleep_stage'
      THEN to_jsonb((ARRAY['light', 'deep', 'rem'])[1 + pg_temp.digit(step, n, 4, 3)]) ELSE to_jsonb(40 + pg_temp.digit(step, n, 4, 400) / 4.0) END,
    'end', CASE WHEN metric IN ('sleep_stage', 'step_count') THEN pg_temp.written(start + interval '30 minutes' * (1 + pg_temp.digit(step, n, 5, 2)), minutes) END,
    'external_id', CASE WHEN metric = 'hrv_rmssd' THEN 'night ' || pg_temp.digit(step, n, 6, 3) END,
    'deleted', CASE WHEN deleted THEN true END))
  FROM (SELECT (ARRAY['heart_rate', 'sleep_stage', 'step_count', 'hrv_rmssd'])[1 + pg_temp.digit(step, n, 1, 4)] AS metric,
    timestamptz '2025-03-01 18:00Z' + interval '30 minutes' * pg_temp.digit(step, n, 2, 90) AS start,
    (ARRAY[0, 120, -660, 810, -210])[1 + pg_temp.digit(step, n, 3, 5)] AS minutes,
    pg_temp.digit(step, n, 7, 4) = 0 AS deleted) r
$$;
CREATE TABLE pg_temp.steps (step int, taken bigint, changed bigint, live bigint, stored bigint, marks bigint);
CREATE PROCEDURE pg_temp.run(steps int) LANGUAGE plpgsql AS $$
DECLARE
  accepted bigint;
  rows bigint;
BEGIN
  FOR s IN 1 .. steps LOOP
    SELECT sum(i.readings_accepted) INTO accepted FROM bridge.ingest_batch(ARRAY(
      SELECT jsonb_build_object('source', 'healthkit', 'delivery_id', 'refresh-' || s || '-' || d,
        'user_id', 'refresh' || pg_temp.digit(s, d, 0, 6), 'received_at', '2025-03-10T00:00:00Z', 'readings',
        (SELECT jsonb_agg(pg_temp.reading(s, d * 100 + n)) FROM generate_series(1, 12) n))
      FROM generate_series(1, 3) d)) i;
    COMMIT;
    -- By the owner's hand.
    CASE s % 4
      WHEN 0 THEN
        UPDATE biometrics.biometric_events SET zone_offset = (ARRAY[0, 120, -660, 810])[1 + pg_temp.digit(s, 0, 8, 4)]
        WHERE user_id = 'refresh' || pg_temp.digit(s, 0, 9, 6) AND recorded_at < timestamptz '2025-03-02 12:00Z';
      WHEN 1 THEN
        DELETE FROM biometrics.biometric_events
        WHERE user_id = 'refresh' || pg_temp.digit(s, 0, 9, 6) AND metric_type = 'step_count';
      WHEN 2 THEN
        INSERT INTO biometrics.biometric_events (user_id, device_type, metric_type, recorded_at, value, unit, quality, position)
        SELECT 'refresh' || n % 6, 'hand', 'body_mass', timestamptz '2025-03-01 12:00Z' + interval '5 hours' * n, 60 + s + n / 8.0, 'kg', 1, 1
        FROM generate_series(1, 10) n
        ON CONFLICT (user_id, device_type, metric_type, recorded_at, ended_at, source, statistic) DO UPDATE SET value = excluded.value;
      ELSE
    END CASE;
    COMMIT;
    INSERT INTO pg_temp.steps SELECT s, accepted, NULL, pg_temp.differences('analytics.user_metrics_live'), NULL,
      (SELECT count(*) FROM analytics.touched_groups);
    COMMIT;
    CONTINUE WHEN s % 2 = 1;
    rows := analytics.refresh_user_metrics();
    COMMIT;
    UPDATE pg_temp.steps SET changed = rows, stored = pg_temp.differences('analytics.user_metrics_daily'),
      marks = (SELECT count(*) FROM analytics.touched_groups) WHERE step = s;
    COMMIT;
  END LOOP;
END $$;

SELECT analytics.refresh_user_metrics() >= 0 AS refreshed;
CALL pg_temp.run(40);
SELECT count(*) AS steps, sum(live) AS live_differences, sum(stored) AS stored_differences, count(stored) AS refreshes,
  sum(marks) FILTER (WHERE step % 2 = 0) AS marks_left, min(taken) > 0 AS always_some, min(changed) > 0 AS always_changed FROM pg_temp.steps;
-- It has been through everything.
SELECT count(DISTINCT user_id) AS people, count(DISTINCT zone_offset) AS offsets, count(DISTINCT state) AS states,
  count(*) FILTER (WHERE day <> (end_at AT TIME ZONE 'UTC')::date) > 10 AS other_days, count(external_id) > 0 AS documents,
  count(*) < (SELECT sum(taken) / 2 FROM pg_temp.steps) AS many_replaced
FROM biometrics.biometric_events WHERE user_id LIKE 'refresh%';
SELECT count(*) > 50 AS days FROM analytics.user_metrics_daily WHERE user_id LIKE 'refresh%';

-- A mark that is there serves again.
CREATE FUNCTION pg_temp.take(id text, value float8, at text DEFAULT '2025-03-05T09:00:00Z', who text DEFAULT 'refresh_hot') RETURNS SETOF text
LANGUAGE sql AS $$
  SELECT status FROM bridge.ingest_batch(ARRAY[jsonb_build_object('source', 'healthkit', 'delivery_id', id, 'user_id', who,
    'received_at', '2025-03-10T00:00:00Z', 'readings', jsonb_build_array(jsonb_build_object('metric', 'heart_rate', 'value', value, 'start', at)))])
$$;
CREATE PROCEDURE pg_temp.take_often() LANGUAGE plpgsql AS $$
BEGIN
  FOR n IN 1 .. 50 LOOP
    PERFORM pg_temp.take('often-' || n, 60, '2025-03-05T09:' || lpad(n::text, 2, '0') || ':00Z');
    COMMIT;
  END LOOP;
END $$;
CALL pg_temp.take_often();
SELECT *, (SELECT count(*) FROM biometrics.biometric_events WHERE user_id = 'refresh_hot') AS readings FROM analytics.touched_days;

-- Of what a delivery brings, the metrics that are not marked yet are.
SELECT status FROM bridge.ingest_batch(ARRAY['{"source": "healthkit", "delivery_id": "more", "user_id": "refresh_hot", "received_at": "2025-03-10T00:00:00Z",
  "readings": [{"metric": "step_count", "value": 1, "start": "2025-03-05T09:00:00Z"}, {"metric": "heart_rate", "value": 60, "start": "2025-03-05T08:00:00Z"},
    {"metric": "hrv_rmssd", "value": 50, "start": "2025-03-05T09:00:00Z"}]}']::jsonb[]);
SELECT * FROM analytics.touched_days ORDER BY metric_types;
DELETE FROM biometrics.biometric_events WHERE user_id = 'refresh_hot' AND (metric_type <> 'heart_rate' OR recorded_at = '2025-03-05T08:00:00Z');

-- A correction that moves a reading to the next day: both days.
SELECT analytics.refresh_user_metrics();
SELECT pg_temp.take('moved-1', 70, '2025-03-06T23:30:00Z');
SELECT analytics.refresh_user_metrics();
SELECT pg_temp.take('moved-2', 70, '2025-03-07T01:30:00+02:00');
SELECT day, sample_count FROM analytics.user_metrics_live WHERE user_id = 'refresh_hot' ORDER BY 1;
SELECT analytics.refresh_user_metrics();
SELECT day, sample_count FROM analytics.user_metrics_daily WHERE user_id = 'refresh_hot' ORDER BY 1;

-- An ingest that fails leaves no mark, and does not silence the triggers for what comes after it.
CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'out of order'; END $$;
CREATE TRIGGER fail BEFORE INSERT ON biometrics.biometric_events FOR EACH ROW WHEN (NEW.value = 66) EXECUTE FUNCTION pg_temp.fail();
BEGIN;
SAVEPOINT before;
SELECT pg_temp.take('failed', 66);
ROLLBACK TO before;
SELECT count(*) AS marks FROM analytics.touched_groups;
DELETE FROM biometrics.biometric_events WHERE user_id = 'refresh_hot' AND day = '2025-03-07';
SELECT * FROM analytics.touched_groups;
COMMIT;
DROP TRIGGER fail ON biometrics.biometric_events;
SELECT analytics.refresh_user_metrics();

-- Under one snapshot for all a refresh would not see what the marks it takes away stand for; an ingest just marks.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.take('repeatable-1', 61);
SELECT pg_temp.take('repeatable-2', 62, '2025-03-05T10:00:00Z');
SELECT analytics.refresh_user_metrics();
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.take('repeatable-1', 61, '2025-03-05T10:01:00Z');
SELECT pg_temp.take('repeatable-2', 62, '2025-03-05T10:02:00Z');
COMMIT;
SELECT DISTINCT * FROM analytics.touched_groups;
SELECT analytics.refresh_user_metrics();
SELECT sample_count, sum_value FROM analytics.user_metrics_daily WHERE user_id = 'refresh_hot';

-- The live view reads what it is asked for: one person's part of each table, by index.
INSERT INTO biometrics.biometric_events (user_id, device_type, metric_type, recorded_at, value, unit, quality, position)
SELECT 'other' || n % 2000, 'hand', 'heart_rate', timestamptz '2025-03-01 12:00Z' + interval '1 hour' * (n / 2000), 60, '/min', 1, 1
FROM generate_series(1, 20000) n;
SELECT analytics.refresh_user_metrics();
UPDATE biometrics.biometric_events SET value = 61 WHERE user_id LIKE 'other%' AND recorded_at < '2025-03-01 18:00Z';
ANALYZE biometrics.biometric_events, analytics.user_metrics_daily, analytics.touched_days;
CREATE FUNCTION pg_temp.scans(query text) RETURNS TABLE(node text, relation text, by_person boolean) LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
  RETURN QUERY SELECT DISTINCT CASE WHEN s ->> 'Node Type' LIKE '%Seq Scan' THEN 'Seq Scan' ELSE 'by index' END, s ->> 'Relation Name',
      coalesce(s ->> 'Index Cond', s ->> 'Recheck Cond', '') LIKE '%user_id =%'
    FROM jsonb_path_query(plan, 'strict $.**.Plans[*] ? (exists(@."Relation Name"))') s ORDER BY 2, 1;
END $$;
SELECT * FROM pg_temp.scans($$SELECT * FROM analytics.user_metrics_live WHERE user_id = 'other7'$$);
SELECT sample_count, avg_value FROM analytics.user_metrics_live WHERE user_id = 'other7';
SELECT pg_temp.differences('analytics.user_metrics_live');

-- All anew: what an upgrade does, and a DBA who has worked behind the triggers.
SELECT analytics.refresh_user_metrics();
ALTER TABLE biometrics.biometric_events DISABLE TRIGGER USER;
DELETE FROM biometrics.biometric_events WHERE user_id = 'other7';
ALTER TABLE biometrics.biometric_events ENABLE TRIGGER USER;
SELECT analytics.refresh_user_metrics(), pg_temp.differences('analytics.user_metrics_daily');
SELECT analytics.rebuild_user_metrics() = (SELECT count(DISTINCT (user_id, split_part(metric_type, ':', 1), day)) FROM analytics.user_metrics_daily) AS all_of_them;
-- How many change is not told: sums may differ in their last bit with the order of the readings.
SELECT analytics.refresh_user_metrics() > 0 AS some_changed;
SELECT pg_temp.differences('analytics.user_metrics_daily');

-- And nothing at all.
BEGIN;
TRUNCATE biometrics.biometric_events;
SELECT count(*) FROM analytics.user_metrics_live;
SELECT analytics.refresh_user_metrics() > 0 AS refreshed;
SELECT count(*) FROM analytics.user_metrics_daily;
ROLLBACK;

DELETE FROM biometrics.biometric_events WHERE user_id LIKE 'other%';
SELECT analytics.refresh_user_metrics();
