-- analytics: readings summed up by person, metric and local day.
--
--   user_metrics_daily   as of the last refresh
--   user_metrics_live    as of now: the table, and what has been touched since worked out on the spot
--   user_metrics_now     as of now, all of it worked out: what the others must equal
--   touched_days         what the next refresh has to work out

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
  p05_value double precision,
  p50_value double precision,
  p95_value double precision,
  PRIMARY KEY (user_id, metric_type, day)
)
-- The days that go on are updated again and again: beside their old version, without a new index entry.
WITH (fillfactor = 80);
COMMENT ON TABLE analytics.user_metrics_daily IS
  'readings by person, metric and local day, as of the last refresh_user_metrics()';
COMMENT ON COLUMN analytics.user_metrics_daily.metric_type IS
  'a state metric is one row per state, sleep_stage:deep, whose values are the seconds of each span';
COMMENT ON COLUMN analytics.user_metrics_daily.day IS
  'local day by the offset written in the timestamp; a span belongs to the day on which it ends';
COMMENT ON COLUMN analytics.user_metrics_daily.stddev_value IS
  'sample standard deviation; NULL for a single reading';

COMMENT ON COLUMN analytics.user_metrics_daily.p05_value IS
  'percentile, interpolated between readings; NULL until the first refresh after an upgrade from 0.1.0';
COMMENT ON COLUMN analytics.user_metrics_daily.p50_value IS 'the median; as p05_value';
COMMENT ON COLUMN analytics.user_metrics_daily.p95_value IS 'as p05_value';

GRANT SELECT ON analytics.user_metrics_daily TO auren_reader, auren_writer, auren_admin;
SELECT pg_catalog.pg_extension_config_dump('analytics.user_metrics_daily', '');

