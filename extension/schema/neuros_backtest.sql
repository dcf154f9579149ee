-- neuros, backtest: what would have happened.
--
-- The stored deliveries and the switches by hand of each person's stream are taken through the engine again,
-- in memory and in the order of their versions, as ingest took them (extension/src/neuros/replay.h).

CREATE FUNCTION neuros.backtest(
  p_config jsonb,
  p_user_id text DEFAULT NULL,
  p_from timestamptz DEFAULT NULL,
  p_to timestamptz DEFAULT NULL)
RETURNS TABLE(
  user_id text,
  at timestamptz,
  from_mode text,
  to_mode text,
  trigger text,
  confidence double precision)
LANGUAGE c STABLE SECURITY DEFINER
AS 'MODULE_PATHNAME', 'neuros_backtest';
COMMENT ON FUNCTION neuros.backtest(jsonb, text, timestamptz, timestamptz) IS
  'the switches a configuration would have made over the stored events; NULL: those that were made';

REVOKE ALL ON FUNCTION neuros.backtest(jsonb, text, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION neuros.backtest(jsonb, text, timestamptz, timestamptz)
  TO auren_reader, auren_writer, auren_admin;

-- The switches in which two configurations differ. The same switch is one of the same person into the same
-- mode at the same time. Of the others, two of the same person into the same mode are one that moved when each
-- is the nearest of the other, within the window; what is left was lost (only A makes it) or gained (only B).
CREATE FUNCTION neuros.backtest_compare(
  p_config_a jsonb,
  p_config_b jsonb,
  p_user_id text DEFAULT NULL,
  p_from timestamptz DEFAULT NULL,
  p_to timestamptz DEFAULT NULL,
  p_window interval DEFAULT '1 day')
RETURNS TABLE(
  change text,
  user_id text,
  to_mode text,
  at_a timestamptz,
  at_b timestamptz,
  from_mode_a text,
  from_mode_b text,
  trigger_a text,
  trigger_b text,
  confidence_a double precision,
  confidence_b double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH made_a AS MATERIALIZED (
    SELECT b.*, row_number() OVER (PARTITION BY b.user_id, b.to_mode, b.at) AS n, row_number() OVER () AS id
      FROM neuros.backtest(p_config_a, p_user_id, p_from, p_to) b),
  made_b AS MATERIALIZED (
    SELECT b.*, row_number() OVER (PARTITION BY b.user_id, b.to_mode, b.at) AS n, row_number() OVER () AS id
      FROM neuros.backtest(p_config_b, p_user_id, p_from, p_to) b),
  only_a AS MATERIALIZED (
    SELECT * FROM made_a a
     WHERE NOT EXISTS (SELECT FROM made_b b
                        WHERE (b.user_id, b.to_mode, b.at, b.n) = (a.user_id, a.to_mode, a.at, a.n))),
  only_b AS MATERIALIZED (
    SELECT * FROM made_b b
     WHERE NOT EXISTS (SELECT FROM made_a a
                        WHERE (a.user_id, a.to_mode, a.at, a.n) = (b.user_id, b.to_mode, b.at, b.n))),
  pairs AS (
    SELECT a.id AS a, b.id AS b,
           row_number() OVER (PARTITION BY a.id ORDER BY greatest(a.at, b.at) - least(a.at, b.at), b.at, b.id) AS of_a,
           row_number() OVER (PARTITION BY b.id ORDER BY greatest(a.at, b.at) - least(a.at, b.at), a.at, a.id) AS of_b
      FROM only_a a JOIN only_b b ON (b.user_id, b.to_mode) = (a.user_id, a.to_mode)
     WHERE greatest(a.at, b.at) - least(a.at, b.at) <= p_window),
  moved AS MATERIALIZED (SELECT p.a, p.b FROM pairs p WHERE p.of_a = 1 AND p.of_b = 1)
  SELECT CASE WHEN a.id IS NULL THEN 'gained' WHEN b.id IS NULL THEN 'lost' ELSE 'moved' END,
         coalesce(a.user_id, b.user_id), coalesce(a.to_mode, b.to_mode), a.at, b.at, a.from_mode, b.from_mode,
         a.trigger, b.trigger, a.confidence, b.confidence
    FROM (SELECT o.*, m.b AS pair FROM only_a o LEFT JOIN moved m ON m.a = o.id) a
    FULL JOIN only_b b ON b.id = a.pair
   ORDER BY 2, coalesce(a.at, b.at), 3
$$;
COMMENT ON FUNCTION neuros.backtest_compare(jsonb, jsonb, text, timestamptz, timestamptz, interval) IS
  'the switches that two configurations, NULL for what was, do not share: gained by B, lost by B, moved';

REVOKE ALL ON FUNCTION neuros.backtest_compare(jsonb, jsonb, text, timestamptz, timestamptz, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION neuros.backtest_compare(jsonb, jsonb, text, timestamptz, timestamptz, interval)
  TO auren_reader, auren_writer, auren_admin;
