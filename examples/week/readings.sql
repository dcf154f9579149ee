-- Mara's bad week: sixty quiet nights, then eleven that are not. Told in docs/week.md.
--
--   psql -d auren -q -f examples/week/readings.sql
--   psql -d auren -q -v until='2026-03-03 08:00+01' -f examples/week/readings.sql    -- not further than this
--
-- Every delivery goes through bridge.ingest_batch as the worker would hand it over, in the order in which it
-- came. Each says when that was (`received_at`), and the noise of the quiet nights is a hash of the day: the
-- story ends the same whenever it is told. What is known already is a duplicate and changes nothing. Mara
-- lives at UTC+1.
\if :{?until}
\else
  \set until infinity
\endif

BEGIN;
-- Ids and hashes are made of days as text.
SET LOCAL datestyle = 'ISO';

-- About normal, mean 0 and standard deviation 1, of what has this name on this day: four numbers,
-- each evenly spread, added up.
CREATE FUNCTION pg_temp.noise(name text, day date) RETURNS numeric LANGUAGE sql AS $$
  SELECT (sum(get_byte(decode(md5(name || day), 'hex'), byte)) / 256.0 - 2) * 1.732
    FROM generate_series(0, 3) byte
$$;

CREATE TEMP TABLE night ON COMMIT DROP AS
-- What a ring measures while she sleeps: HRV varies on its logarithm, around 61 ms.
SELECT day, round(61 * exp(0.13 * pg_temp.noise('hrv', day))) AS hrv,
       round(56 + 1.5 * pg_temp.noise('pulse', day)) AS pulse,
       round(7.4 + 0.6 * pg_temp.noise('sleep', day), 1) AS hours,
       round(70 + 9 * pg_temp.noise('recovery', day)) AS recovery,
       round(14.4 + 0.4 * pg_temp.noise('breath', day), 1) AS breath,
       round(34.2 + 0.2 * pg_temp.noise('skin', day), 2) AS skin
  FROM (SELECT date '2026-01-01' + n AS day FROM generate_series(0, 59) n) of_winter;

INSERT INTO night (day, hrv, pulse, hours, recovery, breath, skin) VALUES
  ('2026-03-02', 60, 56, 7.2, 68, 14.4, 34.21),
  ('2026-03-03', 33, 65, 4.4, 44, 14.9, 34.38),  -- a birthday, drinks, bed at two
  ('2026-03-04', 55, 58, 7.0, 61, 14.6, 34.25),
  ('2026-03-05', 47, 60, 5.8, 36, 14.7, 34.19),  -- worked until late
  ('2026-03-06', 52, 58, 7.1, 55, 16.2, 34.43),  -- the breath is quicker, nothing else yet
  ('2026-03-07', 46, 64, 7.9, 42, 16.9, 35.12),  -- a cold
  ('2026-03-08', 47, 63, 8.6, 45, 16.5, 34.98),
  ('2026-03-09', 52, 59, 8.3, 58, 15.2, 34.50),
  ('2026-03-10', 57, 57, 7.9, 66, 14.7, 34.29),
  ('2026-03-11', 62, 56, 7.6, 72, 14.5, 34.17),
  ('2026-03-12', 64, 55, 7.5, 75, 14.3, 34.22);

-- What her watch makes of the afternoons: stress from 0 to 1.
CREATE TEMP TABLE afternoon ON COMMIT DROP AS
SELECT day, round(0.3 + 0.1 * pg_temp.noise('stress', day), 2) AS stress FROM night;
UPDATE afternoon SET stress = 0.91 WHERE day = '2026-03-04';  -- the deadline was brought forward

-- A time of hers as a provider writes it.
CREATE FUNCTION pg_temp.local(at timestamp) RETURNS text LANGUAGE sql AS $$
  SELECT to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS"+01:00"')
$$;

WITH delivery(received_at, body) AS (
  -- In the morning what the ring has of the night, at five past seven.
  SELECT day + time '07:05',
         jsonb_build_object('source', 'ring', 'delivery_id', 'night-' || day, 'readings', (
           SELECT jsonb_agg(jsonb_build_object(
                    'metric', metric, 'value', value, 'statistic', 'session_avg',
                    'start', pg_temp.local(day + time '06:40' - hours * interval '1 hour'),
                    'end', pg_temp.local(day + time '06:40')))
             FROM (VALUES ('hrv_rmssd', hrv), ('resting_heart_rate', pulse), ('sleep_duration', hours * 3600),
                          ('recovery_score', recovery), ('respiratory_rate', breath),
                          ('skin_temperature', skin)) of_the_night(metric, value)))
    FROM night
   UNION ALL
  -- And how the day is going, at three.
  SELECT day + time '15:00',
         jsonb_build_object('source', 'watch', 'delivery_id', 'day-' || day, 'readings',
           jsonb_build_array(jsonb_build_object(
             'metric', 'stress_level', 'value', stress, 'start', pg_temp.local(day + time '15:00'))))
    FROM afternoon
)
SELECT status, count(*) AS deliveries, sum(readings_accepted) AS readings, count(to_mode) AS switches
  FROM bridge.ingest_batch((
         SELECT array_agg(body || jsonb_build_object('user_id', 'mara',
                                                     'received_at', pg_temp.local(received_at))
                          ORDER BY received_at)
           FROM delivery
          WHERE pg_temp.local(received_at)::timestamptz <= :'until'))
 GROUP BY status ORDER BY status;

DROP FUNCTION pg_temp.noise(text, date), pg_temp.local(timestamp);
COMMIT;
