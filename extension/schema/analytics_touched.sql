-- The groups that have to be summed up anew. extension/src/analytics/touched.h says who writes here, and
-- why nothing is lost between writers and a refresh. How often a group is here does not matter: there is
-- no unique index, on which an ingest would wait for a refresh.

-- One row for what a delivery brings of a day, as a rule always the same metrics.
CREATE TABLE analytics.touched_days (
  user_id text COLLATE "C" NOT NULL,
  day date NOT NULL,
  metric_types text[] COLLATE "C" NOT NULL
)
-- It fills and empties all the time, and is best kept small.
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX touched_days_key ON analytics.touched_days (user_id, day);
COMMENT ON TABLE analytics.touched_days IS
  'readings of that person and local day came, changed or went since the last refresh';
COMMENT ON COLUMN analytics.touched_days.metric_types IS
  'of a metric of states without the state: all its states are worked out';

CREATE VIEW analytics.touched_groups AS
  SELECT DISTINCT d.user_id, m.metric_type, d.day
    FROM analytics.touched_days d CROSS JOIN LATERAL pg_catalog.unnest(d.metric_types) AS m(metric_type);
COMMENT ON VIEW analytics.touched_groups IS 'what the next refresh has to work out';

CREATE FUNCTION analytics.mark_touched_groups() RETURNS trigger
  AS 'MODULE_PATHNAME', 'analytics_mark_touched_groups'
  LANGUAGE C SECURITY DEFINER;
REVOKE ALL ON FUNCTION analytics.mark_touched_groups() FROM PUBLIC;

-- For plain SQL by the owner, a restore included: bridge.ingest_batch marks what it touches by itself.
CREATE TRIGGER mark_inserted AFTER INSERT ON biometrics.biometric_events
  REFERENCING NEW TABLE AS new_readings
  FOR EACH STATEMENT EXECUTE FUNCTION analytics.mark_touched_groups();
CREATE TRIGGER mark_updated AFTER UPDATE ON biometrics.biometric_events
  REFERENCING OLD TABLE AS old_readings NEW TABLE AS new_readings
  FOR EACH STATEMENT EXECUTE FUNCTION analytics.mark_touched_groups();
CREATE TRIGGER mark_deleted AFTER DELETE ON biometrics.biometric_events
  REFERENCING OLD TABLE AS old_readings
  FOR EACH STATEMENT EXECUTE FUNCTION analytics.mark_touched_groups();
CREATE TRIGGER mark_truncated AFTER TRUNCATE ON biometrics.biometric_events
  FOR EACH STATEMENT EXECUTE FUNCTION analytics.mark_touched_groups();

CREATE FUNCTION analytics.rebuild_user_metrics() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  marked bigint;
BEGIN
  WITH written AS (
    INSERT INTO analytics.touched_days (user_id, day, metric_types)
    SELECT g.user_id, g.day, array_agg(g.metric_type ORDER BY g.metric_type)
      FROM (SELECT b.user_id, b.metric_type, b.day FROM biometrics.biometric_events b
            UNION
            SELECT d.user_id, split_part(d.metric_type, ':', 1), d.day
              FROM analytics.user_metrics_daily d) g
     GROUP BY g.user_id, g.day
    RETURNING cardinality(metric_types) AS groups
  )
  SELECT coalesce(sum(w.groups), 0) INTO marked FROM written w;
  RETURN marked;
END;
$$;
COMMENT ON FUNCTION analytics.rebuild_user_metrics() IS
  'has the next refresh work out every group anew; returns how many';
REVOKE ALL ON FUNCTION analytics.rebuild_user_metrics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION analytics.rebuild_user_metrics() TO auren_admin;

GRANT SELECT ON analytics.touched_days, analytics.touched_groups TO auren_reader, auren_writer, auren_admin;
SELECT pg_catalog.pg_extension_config_dump('analytics.touched_days', '');
