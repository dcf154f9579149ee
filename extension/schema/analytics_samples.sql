-- What is summed up, and the sum that everything else is measured by.

CREATE VIEW analytics.samples AS
  SELECT b.user_id,
         b.metric_type AS base_metric,
         CASE WHEN b.state IS NULL THEN b.metric_type ELSE b.metric_type || ':' || b.state END AS metric_type,
         b.day,
         b.end_at,
         CASE WHEN b.state IS NULL THEN b.value
              ELSE EXTRACT(epoch FROM b.end_at - b.recorded_at)::double precision END AS value
    FROM biometrics.biometric_events b;
COMMENT ON VIEW analytics.samples IS 'readings as they are summed up: a state counts its seconds';

-- What the table must equal.
CREATE OR REPLACE VIEW analytics.user_metrics_now AS
  SELECT s.user_id, s.metric_type, s.day,
         pg_catalog.count(*) AS sample_count,
         pg_catalog.avg(s.value) AS avg_value,
         pg_catalog.min(s.value) AS min_value,
         pg_catalog.max(s.value) AS max_value,
         pg_catalog.stddev_samp(s.value) AS stddev_value,
         pg_catalog.sum(s.value) AS sum_value,
         pg_catalog.percentile_cont(0.05) WITHIN GROUP (ORDER BY s.value) AS p05_value,
         pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY s.value) AS p50_value,
         pg_catalog.percentile_cont(0.95) WITHIN GROUP (ORDER BY s.value) AS p95_value
    FROM analytics.samples s
   GROUP BY s.user_id, s.metric_type, s.day;
COMMENT ON VIEW analytics.user_metrics_now IS 'the same, computed from all readings at once';

GRANT SELECT ON analytics.samples, analytics.user_metrics_now TO auren_reader, auren_writer, auren_admin;
