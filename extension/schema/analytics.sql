-- analytics: readings summed up by person, metric and local day.

CREATE SCHEMA analytics;
GRANT USAGE ON SCHEMA analytics TO auren_reader, auren_writer, auren_admin;

CREATE TABLE analytics.user_metrics_daily (
  user_id text COLLATE "C",
  metric_type text COLLATE "C",
  day date,
  sample_count bigint NOT NULL,
  avg_value double precision NOT NULL,
  min_value double precision NOT NULL,
  max_value double precision NOT NULL,
  stddev_value double precision,
  sum_value double precision NOT NULL,
  PRIMARY KEY (user_id, metric_type, day)
);
COMMENT ON TABLE analytics.user_metrics_daily IS
  'readings by person, metric and local day, as of the last refresh_user_metrics()';
COMMENT ON COLUMN analytics.user_metrics_daily.metric_type IS
  'a state metric is one row per state, sleep_stage:deep, whose values are the seconds of each span';
COMMENT ON COLUMN analytics.user_metrics_daily.day IS
  'local day by the offset written in the timestamp; a span belongs to the day on which it ends';
COMMENT ON COLUMN analytics.user_metrics_daily.stddev_value IS
  'sample standard deviation; NULL for a single reading';

-- What the table must equal.
CREATE VIEW analytics.user_metrics_now AS
  SELECT r.user_id, r.metric_type, r.day,
         pg_catalog.count(*) AS sample_count,
         pg_catalog.avg(r.value) AS avg_value,
         pg_catalog.min(r.value) AS min_value,
         pg_catalog.max(r.value) AS max_value,
         pg_catalog.stddev_samp(r.value) AS stddev_value,
         pg_catalog.sum(r.value) AS sum_value
    FROM (SELECT user_id, day,
                 CASE WHEN state IS NULL THEN metric_type ELSE metric_type || ':' || state END AS metric_type,
                 CASE WHEN state IS NULL THEN value
                      ELSE EXTRACT(epoch FROM end_at - recorded_at)::double precision END AS value
            FROM biometrics.biometric_events) r
   GROUP BY r.user_id, r.metric_type, r.day;
COMMENT ON VIEW analytics.user_metrics_now IS 'the same, computed from all readings at once';

CREATE FUNCTION analytics.refresh_user_metrics() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed bigint;
  written bigint;
BEGIN
  -- One refresh at a time; readers do not wait. The statements below see what was committed before
  -- the lock was granted.
  LOCK TABLE analytics.user_metrics_daily IN SHARE ROW EXCLUSIVE MODE;

  DELETE FROM analytics.user_metrics_daily d
   WHERE NOT EXISTS (
     SELECT FROM analytics.user_metrics_now n
      WHERE (n.user_id, n.metric_type, n.day) = (d.user_id, d.metric_type, d.day));
  GET DIAGNOSTICS removed = ROW_COUNT;

  INSERT INTO analytics.user_metrics_daily AS d
    (user_id, metric_type, day, sample_count, avg_value, min_value, max_value, stddev_value, sum_value)
  SELECT n.user_id, n.metric_type, n.day, n.sample_count, n.avg_value, n.min_value, n.max_value,
         n.stddev_value, n.sum_value
    FROM analytics.user_metrics_now n
  ON CONFLICT (user_id, metric_type, day) DO UPDATE
     SET (sample_count, avg_value, min_value, max_value, stddev_value, sum_value)
       = (excluded.sample_count, excluded.avg_value, excluded.min_value, excluded.max_value,
          excluded.stddev_value, excluded.sum_value)
   WHERE (d.sample_count, d.avg_value, d.min_value, d.max_value, d.stddev_value, d.sum_value)
         IS DISTINCT FROM
         (excluded.sample_count, excluded.avg_value, excluded.min_value, excluded.max_value,
          excluded.stddev_value, excluded.sum_value);
  GET DIAGNOSTICS written = ROW_COUNT;

  RETURN removed + written;
END;
$$;
COMMENT ON FUNCTION analytics.refresh_user_metrics() IS
  'brings user_metrics_daily up to date; returns how many of its rows changed';

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA analytics FROM PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO auren_reader, auren_writer, auren_admin;
GRANT EXECUTE ON FUNCTION analytics.refresh_user_metrics() TO auren_writer, auren_admin;

SELECT pg_extension_config_dump('analytics.user_metrics_daily', '');

