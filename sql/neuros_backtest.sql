-- A month of 200 people, taken in as it came, and taken through the engine again: the backtest makes the very
-- switches that were made. In the month: corrections and deletions, documents that come again, late and
-- repeated readings, pending ones, refused ones, several time zones, changes of the configuration, and modes
-- set by hand. Everything is made of hashes, so that every run is the same. In a database of its own, since so
-- many events and configurations are nobody else's business.
SELECT current_database() AS home \gset
CREATE DATABASE auren_month;
\c auren_month
SET client_min_messages = warning;
CREATE EXTENSION auren;
SET timezone = 'UTC';
\pset null '-'

CREATE SCHEMA month;

-- An even spread over 0..1, the same for the same words. Plain enough for the planner to see through.
CREATE FUNCTION month.dice(a text, b text DEFAULT '', c text DEFAULT '', d text DEFAULT '')
RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
  SELECT (hashtextextended(a || '/' || b || '/' || c || '/' || d, 7) & 1048575)::double precision / 1048576
$$;

-- The time zone a person's devices write, in hours; some people travel in the middle of the month.
CREATE FUNCTION month.zone(p_user text, p_day integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT (ARRAY[0, 2, -5, 9])[1 + floor(month.dice(p_user, 'zone') * 4)::integer]
         - CASE WHEN p_day > 16 AND month.dice(p_user, 'travels') < 0.3 THEN 6 ELSE 0 END
$$;
CREATE FUNCTION month.said(p_at timestamptz, p_zone integer) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT to_char(p_at AT TIME ZONE 'UTC' + p_zone * interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS')
         || to_char(p_zone, 'SG00') || ':00'
$$;

-- A night's summary: one document with a reading of each metric.
CREATE FUNCTION month.night(p_user text, p_day integer, p_version text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
           'metric', m.metric, 'value', round(m.value::numeric, m.digits),
           'start', month.said(t.night, t.zone), 'end', month.said(t.night + interval '7 hours', t.zone),
           'statistic', CASE WHEN m.metric LIKE 'hrv%' THEN 'session_avg' ELSE 'daily' END, 'context', 'sleep',
           'external_id', 'night-' || p_day,
           'flags', CASE WHEN p_version = 'first' AND month.dice(p_user, p_day::text, m.metric, 'pending') < 0.05
                      THEN jsonb_build_array('pending') END)) ORDER BY m.metric)
    FROM (SELECT '2026-02-28 23:00Z'::timestamptz + p_day * interval '1 day', month.zone(p_user, p_day) OFFSET 0) t(night, zone),
         (SELECT month.dice(p_user, p_day::text, 'bad') AS bad) b,
         LATERAL (VALUES
           ('hrv_rmssd', 45 + 25 * month.dice(p_user) + 12 * month.dice(p_user, p_day::text, p_version) - 30 * (b.bad < 0.06)::integer, 1),
           ('resting_heart_rate', 52 + 8 * month.dice(p_user) + 3 * month.dice(p_user, p_day::text, 'rhr', p_version) + 14 * (b.bad < 0.1)::integer, 0),
           ('respiratory_rate', 13 + 2 * month.dice(p_user, p_day::text, 'rr') + 9 * (b.bad BETWEEN 0.07 AND 0.12)::integer, 1),
           ('readiness_score', 62 + 30 * month.dice(p_user, p_day::text, 'ready', p_version) - 6 * (b.bad < 0.2)::integer, 0),
           ('sleep_duration', 3600 * (4.8 + 3.5 * month.dice(p_user, p_day::text, 'sleep')), 0),
           ('skin_temperature_deviation', 0.9 * month.dice(p_user, p_day::text, 'skin') - 0.35, 2)) m(metric, value, digits)
   WHERE month.dice(p_user, p_day::text, m.metric, 'missing') > 0.1
$$;

-- A nap that belongs to the same document.
CREATE FUNCTION month.nap(p_user text, p_day integer) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_array(jsonb_build_object(
    'metric', 'hrv_rmssd', 'value', 80, 'statistic', 'session_avg', 'external_id', 'night-' || p_day,
    'start', month.said('2026-03-01 07:00Z'::timestamptz + p_day * interval '1 day', month.zone(p_user, p_day))))
$$;

-- What a watch brings at an hour: pulses since the last time, some of them of a workout, and now and then
-- stress, oxygen and HRV.
CREATE FUNCTION month.watch(p_user text, p_day integer, p_hour integer, p_zone integer DEFAULT NULL) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
           'metric', r.metric, 'value', round(r.value::numeric, 2), 'start', month.said(r.at, t.zone),
           'source', CASE WHEN r.n % 3 = 0 THEN 'phone' WHEN r.n % 3 = 1 THEN 'watch' END,
           'statistic', r.statistic, 'context', r.context, 'deleted', r.deleted)) ORDER BY r.n)
    FROM (SELECT '2026-03-01 00:00Z'::timestamptz + p_day * interval '1 day' + p_hour * interval '1 hour',
                 coalesce(p_zone, month.zone(p_user, p_day)) OFFSET 0) t(received, zone)
    CROSS JOIN LATERAL (
      SELECT n, 'heart_rate' AS metric, NULL::boolean AS deleted,
             62 + 20 * d.dice + CASE WHEN d.dice > 0.97 THEN 35 ELSE 0 END AS value,
             received - n * interval '25 minutes' AS at,
             CASE WHEN d.dice > 0.985 THEN 'workout' WHEN n = 2 THEN 'sedentary' END AS context,
             CASE WHEN n = 3 THEN 'max' END AS statistic
        FROM generate_series(1, 4) n, LATERAL (SELECT month.dice(p_user, p_day::text, p_hour::text, n::text) AS dice) d
      UNION ALL
      SELECT 5, 'stress_level', NULL, month.dice(p_user, p_day::text, p_hour::text, 'stress') ^ 0.3, received - interval '10 minutes', NULL, NULL
       WHERE month.dice(p_user, p_day::text, p_hour::text, 'asked') < 0.08
      UNION ALL
      SELECT 6, 'hrv_sdnn', NULL, CASE WHEN d.dice < 0.04 THEN 20 ELSE 40 END + 20 * d.dice, received - interval '5 minutes', NULL, NULL
        FROM (SELECT month.dice(p_user, p_day::text, p_hour::text, 'sdnn')) d(dice)
       WHERE month.dice(p_user, p_day::text, p_hour::text, 'breathe') < 0.8
      UNION ALL
      SELECT 12, 'hrv_sdnn', NULL, 150, received - interval '6 minutes', NULL, 'max'
       WHERE month.dice(p_user, p_day::text, p_hour::text, 'deeply') < 0.1
      UNION ALL
      -- Out of range, unknown, or of no unit anybody knows: refused.
      SELECT 7, (ARRAY['heart_rate', 'aura', 'oxygen_saturation'])[1 + p_day % 3], NULL, 400, received, NULL, NULL
       WHERE month.dice(p_user, p_day::text, p_hour::text, 'odd') < 0.05
      UNION ALL
      SELECT 8, 'oxygen_saturation', NULL, 90 + 9 * month.dice(p_user, p_day::text, 'oxygen'), received - interval '2 hours', 'rest', NULL
       WHERE p_hour = 10
      UNION ALL
      -- Takes another pulse's place within the delivery.
      SELECT 16, 'heart_rate', NULL, 64, received - interval '25 minutes', NULL, NULL
       WHERE month.dice(p_user, p_day::text, p_hour::text, 'again') < 0.3
      UNION ALL
      -- A clock that is wrong by centuries, which is refused; and by hours, which the afternoon takes back.
      SELECT 10, 'heart_rate', NULL, 66, '2999-12-31Z', NULL, NULL
       WHERE month.dice(p_user, p_day::text, p_hour::text, 'clock') < 0.03
      UNION ALL
      SELECT 19, 'heart_rate', p_hour = 14 OR NULL, CASE p_hour WHEN 10 THEN 67 END, received + (23 - p_hour) * interval '1 hour', NULL, NULL
       WHERE p_hour IN (10, 14) AND month.dice(p_user, p_day::text, 'ahead') < 0.2
      UNION ALL
      -- Yesterday's newest pulse was a mistake, or another one was.
      SELECT 13, 'heart_rate', true, NULL, received - interval '24 hours' - (ARRAY[25, 100])[1 + p_day % 2] * interval '1 minute', NULL, NULL
       WHERE month.dice(p_user, p_day::text, p_hour::text, 'deleted') < 0.15) r
$$;

-- The deliveries of a day, in the order in which they come.
CREATE FUNCTION month.deliveries(p_day integer) RETURNS jsonb[] LANGUAGE sql STABLE AS $$
  SELECT array_agg(jsonb_build_object(
           'source', d.source, 'delivery_id', d.id, 'user_id', u.name, 'readings', d.readings,
           'received_at', '2026-03-01 00:00Z'::timestamptz + p_day * interval '1 day' + d.hour * interval '1 hour')
           ORDER BY d.hour, u.name, d.id)
    FROM (SELECT 'person' || lpad(n::text, 3, '0') FROM generate_series(1, 200) n) u(name)
   CROSS JOIN LATERAL (
     SELECT 'oura' AS source, 'night-' || p_day AS id, 8.0 AS hour, month.night(u.name, p_day, 'first') AS readings
     UNION ALL
     -- The same night again, worked out better: in two parts, of which each has half.
     SELECT 'oura', 'night-' || p_day || '-again#' || part, 9 + part * 0.1,
            (SELECT jsonb_agg(r.value ORDER BY r.n) FROM jsonb_array_elements(month.night(u.name, p_day, 'better')) WITH ORDINALITY r(value, n)
              WHERE r.n % 2 <> part)
            || CASE part WHEN 1 THEN month.nap(u.name, p_day) ELSE '[]' END
       FROM generate_series(0, 1) part WHERE month.dice(u.name, p_day::text, 'better') < 0.15
     UNION ALL
     -- A night two days ago is no more, or comes only now.
     SELECT 'oura', 'gone-' || p_day, 9.5, jsonb_build_array(
              jsonb_build_object('metric', 'hrv_rmssd', 'deleted', true, 'external_id', 'night-' || p_day - 2),
              jsonb_build_object('metric', 'resting_heart_rate', 'deleted', true, 'external_id', 'night-' || p_day - 1))
      WHERE month.dice(u.name, p_day::text, 'gone') < 0.04
     UNION ALL
     SELECT 'oura', 'late-' || p_day, 9.7, month.night(u.name, p_day - 1, 'late') WHERE month.dice(u.name, p_day::text, 'late') < 0.08
     UNION ALL
     SELECT 'apple_health', 'watch-' || p_day || '-' || hour, hour, month.watch(u.name, p_day, hour)
       FROM unnest('{10,14,21}'::integer[]) hour WHERE month.dice(u.name, p_day::text, hour::text, 'off') > 0.1
     UNION ALL
     -- An exporter sends the day again, in UTC, and with it what the watch had not sent then.
     SELECT 'apple_health', 'again-' || p_day, 22, month.watch(u.name, p_day, 14, 0) || month.watch(u.name, p_day, 21, 0)
      WHERE month.dice(u.name, p_day::text, 'export') < 0.15
     UNION ALL
     -- Stress alone, which has no baseline.
     SELECT 'apple_health', 'felt-' || p_day, 12, jsonb_build_array(jsonb_build_object('metric', 'stress_level', 'value', 0.3,
              'start', month.said('2026-03-01 11:55Z'::timestamptz + p_day * interval '1 day', month.zone(u.name, p_day))))
      WHERE month.dice(u.name, p_day::text, 'felt') < 0.2) d
   WHERE d.readings IS NOT NULL
$$;

CREATE PROCEDURE month.live() LANGUAGE plpgsql AS $$
DECLARE
  given jsonb[];
BEGIN
  FOR day IN 1..30 LOOP
    -- The configuration changes at noon of some days.
    given := month.deliveries(day);
    PERFORM bridge.ingest_batch(given[:cardinality(given) / 2]);
    CASE day
      WHEN 7 THEN PERFORM neuros.configure('{"thresholds": {"heart_rate_elevated": 92, "anomaly_z": 2.5}}');
      WHEN 12 THEN PERFORM neuros.configure('{"thresholds": {"heart_rate_elevated": 92, "hrv_drop_ms": 15},
        "baselines": {"min_baseline_days": 7}, "modes": [{"name": "focus", "priority": 120, "behavior": "Be brief."}]}');
      WHEN 20 THEN PERFORM neuros.configure('{"thresholds": {"calm_evaluations": 3, "max_reading_age_seconds": 43200,
        "mode_switch_cooldown_seconds": 20000}, "modes": [{"name": "focus", "priority": 120}]}');
      ELSE NULL;
    END CASE;
    PERFORM bridge.ingest_batch(given[cardinality(given) / 2 + 1:]);
    PERFORM neuros.switch_mode('person' || lpad(n::text, 3, '0'), (ARRAY['companion', 'sentinel', 'pattern'])[1 + (n + day) % 3],
              'told', 0.5 + day / 100.0)
       FROM generate_series(1, 200) n WHERE month.dice(n::text, day::text, 'told') < 0.015;
    COMMIT;
  END LOOP;
END;
$$;

CALL month.live();

CREATE VIEW month.made AS
  SELECT substr(e.stream_id, 6) AS user_id, coalesce((e.metadata ->> 'since')::timestamptz, e.created_at) AS at,
         e.event_data ->> 'from_mode' AS from_mode, e.event_data ->> 'to_mode' AS to_mode, e.event_data ->> 'trigger' AS trigger,
         (e.event_data -> 'confidence')::double precision AS confidence
    FROM events.all_events e WHERE e.event_type = 'mode_switched';

CREATE TABLE month.replayed AS SELECT * FROM neuros.backtest(NULL);

-- Enough of everything.
SELECT count(*) > 15000 AS deliveries, sum(jsonb_array_length(event_data -> 'readings')) > 70000 AS readings,
       sum(jsonb_array_length(event_data -> 'refused')) > 500 AS refused,
       count(DISTINCT metadata ->> 'config_version') AS versions
  FROM events.all_events WHERE event_type = 'biometric_received';
SELECT trigger, count(*) AS made, count(*) > 20 AS enough FROM month.made GROUP BY trigger ORDER BY trigger;

-- The same, to the last bit; neither missing nor more.
SELECT (SELECT count(*) FROM month.made) = (SELECT count(*) FROM month.replayed) AS as_many;
(SELECT 'missing' AS it, * FROM month.made EXCEPT ALL SELECT 'missing', * FROM month.replayed)
UNION ALL
(SELECT 'more', * FROM month.replayed EXCEPT ALL SELECT 'more', * FROM month.made)
ORDER BY user_id, at LIMIT 20;

-- From and to cut what is returned, not what is known.
SELECT (SELECT count(*) FROM neuros.backtest(NULL, NULL, '2026-03-10Z', '2026-03-20Z'))
     = (SELECT count(*) FROM month.made WHERE at >= '2026-03-10Z' AND at < '2026-03-20Z') AS cut;
SELECT count(*) > 5 AS some, count(*) = (SELECT count(*) FROM month.replayed WHERE user_id = 'person007') AS all_of_them
  FROM neuros.backtest(NULL, 'person007');
SELECT count(*) FROM neuros.backtest(NULL, 'nobody');

-- Streams in the archive are read there.
SELECT events.archive_stream('user:person007') > 0 AS archived;
SELECT count(*) FROM (SELECT * FROM neuros.backtest(NULL) EXCEPT ALL SELECT * FROM month.replayed) d;

-- Another configuration, complete or in part, makes other switches; the same one makes the same.
SELECT count(*) FROM (SELECT * FROM neuros.backtest(neuros.config(), 'person011')
                      EXCEPT SELECT * FROM neuros.backtest('{"thresholds": {"calm_evaluations": 3, "max_reading_age_seconds": 43200,
                        "mode_switch_cooldown_seconds": 20000}, "modes": [{"name": "focus", "priority": 120}]}', 'person011')) d;
SELECT t.trigger, count(*) FROM neuros.backtest('{"thresholds": {"stress_level_critical": 1, "hrv_drop_ms": 200, "hrv_drop_percentage": 100}}') t
 WHERE t.trigger IN ('stress_critical', 'hrv_drop') GROUP BY 1;
-- A mode set by hand that the configuration does not have is not entered, as neuros.switch_mode would refuse it.
SELECT neuros.switch_mode('person012', 'focus', 'told') IS NOT NULL AS told;
SELECT count(*) FROM neuros.backtest('{}', 'person012') WHERE to_mode = 'focus';
SELECT count(*) FROM neuros.backtest(neuros.config(), 'person012') WHERE to_mode = 'focus';
SELECT * FROM neuros.backtest('{"thresholds": {"hrv_drop_ms": 1000}}');
SELECT * FROM neuros.backtest('{"thresholds": {"hrv_drop": 10}}');

-- Two configurations beside each other: each switch of either is the same, lost, gained or moved.
CREATE TABLE month.compared AS
  SELECT * FROM neuros.backtest_compare(NULL, '{"thresholds": {"hrv_drop_ms": 20, "calm_evaluations": 3}}');
CREATE TABLE month.other AS
  SELECT * FROM neuros.backtest('{"thresholds": {"hrv_drop_ms": 20, "calm_evaluations": 3}}');
CREATE VIEW month.history AS SELECT * FROM neuros.backtest(NULL);
SELECT change, count(*) > 20 AS enough, bool_and((at_a IS NULL) = (change = 'gained') AND (at_b IS NULL) = (change = 'lost')) AS sound,
       bool_and(change <> 'moved' OR at_a <> at_b AND greatest(at_a, at_b) - least(at_a, at_b) <= interval '1 day') AS within
  FROM month.compared GROUP BY change ORDER BY change;
SELECT (SELECT count(*) FROM month.history) - count(at_a) = (SELECT count(*) FROM month.other) - count(at_b) AS the_rest_is_shared
  FROM month.compared;
SELECT count(*) FROM neuros.backtest_compare(NULL, NULL);
-- A day's window for what moved; a narrower one makes of it one that is lost and one that is gained.
SELECT count(*) FILTER (WHERE change = 'moved') AS moved,
       count(at_a) = (SELECT count(at_a) FROM month.compared) AS as_many_a, count(at_b) = (SELECT count(at_b) FROM month.compared) AS as_many_b
  FROM neuros.backtest_compare(NULL, '{"thresholds": {"hrv_drop_ms": 20, "calm_evaluations": 3}}', p_window => '0');

-- A reader may ask.
SELECT has_function_privilege('auren_reader', p.oid, 'EXECUTE') AS reader, p.proname
  FROM pg_proc p WHERE p.pronamespace = 'neuros'::regnamespace AND p.proname LIKE 'backtest%' ORDER BY 2;

\c :home
DROP DATABASE auren_month;
