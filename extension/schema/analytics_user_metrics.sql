-- The table brought up to date, and the view that always is.

-- Each touched group by itself: LATERAL, so that no plan reads more than the readings of its days. The
-- index knows when a reading ended; its local day is at most one off the day in UTC.
CREATE VIEW analytics.touched_metrics AS
  SELECT t.user_id, m.metric_type, t.day, m.sample_count, m.avg_value, m.min_value, m.max_value,
         m.stddev_value, m.sum_value, m.p05_value, m.p50_value, m.p95_value
    FROM analytics.touched_groups t
   CROSS JOIN LATERAL (
     SELECT s.metric_type,
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
      WHERE s.user_id = t.user_id
        AND s.base_metric = t.metric_type
        AND s.end_at >= (t.day - 1)::timestamp AT TIME ZONE 'UTC'
        AND s.end_at < (t.day + 2)::timestamp AT TIME ZONE 'UTC'
        AND s.day = t.day
      GROUP BY s.metric_type) m;
COMMENT ON VIEW analytics.touched_metrics IS 'the touched groups, computed from their readings';

CREATE VIEW analytics.user_metrics_live AS
  SELECT d.user_id, d.metric_type, d.day, d.sample_count, d.avg_value, d.min_value, d.max_value,
         d.stddev_value, d.sum_value, d.p05_value, d.p50_value, d.p95_value
    FROM analytics.user_metrics_daily d
   WHERE NOT EXISTS (
     SELECT FROM analytics.touched_days t
      WHERE t.user_id = d.user_id
        AND t.day = d.day
        AND pg_catalog.split_part(d.metric_type, ':', 1) = ANY (t.metric_types))
  UNION ALL
  SELECT t.user_id, t.metric_type, t.day, t.sample_count, t.avg_value, t.min_value, t.max_value,
         t.stddev_value, t.sum_value, t.p05_value, t.p50_value, t.p95_value
    FROM analytics.touched_metrics t;
COMMENT ON VIEW analytics.user_metrics_live IS
  'user_metrics_daily as it would be after a refresh now';

-- Plans go by index, whatever the tables' sizes were when they were made.
CREATE OR REPLACE FUNCTION analytics.refresh_user_metrics() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
  after text := '';  -- no person's id is empty
  until text;
  taken tid[];
  changed bigint;
  total bigint := 0;
BEGIN
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE 'analytics.refresh_user_metrics() needs a snapshot for each of its steps'
      USING ERRCODE = 'active_sql_transaction', HINT = 'Use READ COMMITTED.';
  END IF;

  -- One refresh at a time; neither readers nor those who touch groups wait for it.
  LOCK TABLE analytics.user_metrics_daily IN SHARE ROW EXCLUSIVE MODE;

  -- Some thousand marks at a time, by person, once through all of them.
  LOOP
    SELECT max(s.user_id) INTO until
      FROM (SELECT t.user_id FROM analytics.touched_days t
             WHERE t.user_id > after ORDER BY t.user_id LIMIT 10000) s;
    EXIT WHEN until IS NULL;

    -- A mark that somebody in flight relies on is left for the next refresh. The statement below sees
    -- all that those have done who relied on one of these.
    taken := ARRAY(
      SELECT t.ctid FROM analytics.touched_days t
       WHERE t.user_id > after AND t.user_id <= until
         FOR UPDATE SKIP LOCKED);

    WITH fresh AS MATERIALIZED (
      SELECT t.* FROM analytics.touched_metrics t WHERE t.user_id > after AND t.user_id <= until
    ), gone AS (
      DELETE FROM analytics.user_metrics_daily d
       WHERE d.ctid = ANY (ARRAY(
               SELECT o.ctid
                 FROM analytics.touched_groups g
                CROSS JOIN LATERAL (
                  SELECT e.ctid, e.metric_type FROM analytics.user_metrics_daily e
                   WHERE e.user_id = g.user_id AND e.day = g.day AND e.metric_type = g.metric_type
                  UNION ALL
                  SELECT e.ctid, e.metric_type FROM analytics.user_metrics_daily e
                   WHERE e.user_id = g.user_id AND e.day = g.day
                     AND e.metric_type > g.metric_type || ':' AND e.metric_type < g.metric_type || ';') o
                WHERE g.user_id > after AND g.user_id <= until
                  AND NOT EXISTS (
                  SELECT FROM fresh f
                   WHERE f.user_id = g.user_id AND f.metric_type = o.metric_type AND f.day = g.day)))
      RETURNING 1
    ), written AS (
      INSERT INTO analytics.user_metrics_daily AS d
        (user_id, metric_type, day, sample_count, avg_value, min_value, max_value, stddev_value, sum_value,
         p05_value, p50_value, p95_value)
      SELECT f.user_id, f.metric_type, f.day, f.sample_count, f.avg_value, f.min_value, f.max_value,
             f.stddev_value, f.sum_value, f.p05_value, f.p50_value, f.p95_value
        FROM fresh f
      ON CONFLICT (user_id, metric_type, day) DO UPDATE
         SET (sample_count, avg_value, min_value, max_value, stddev_value, sum_value,
              p05_value, p50_value, p95_value)
           = (excluded.sample_count, excluded.avg_value, excluded.min_value, excluded.max_value,
              excluded.stddev_value, excluded.sum_value,
              excluded.p05_value, excluded.p50_value, excluded.p95_value)
       WHERE (d.sample_count, d.avg_value, d.min_value, d.max_value, d.stddev_value, d.sum_value,
              d.p05_value, d.p50_value, d.p95_value)
             IS DISTINCT FROM
             (excluded.sample_count, excluded.avg_value, excluded.min_value, excluded.max_value,
              excluded.stddev_value, excluded.sum_value,
              excluded.p05_value, excluded.p50_value, excluded.p95_value)
      RETURNING 1
    )
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM written) INTO changed;

    DELETE FROM analytics.touched_days t WHERE t.ctid = ANY (taken);
    total := total + changed;
    after := until;
  END LOOP;
  RETURN total;
END;
$$;
COMMENT ON FUNCTION analytics.refresh_user_metrics() IS
  'brings user_metrics_daily up to date; returns how many of its rows changed';
REVOKE ALL ON FUNCTION analytics.refresh_user_metrics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION analytics.refresh_user_metrics() TO auren_writer, auren_admin;

GRANT SELECT ON analytics.touched_metrics, analytics.user_metrics_live
  TO auren_reader, auren_writer, auren_admin;
