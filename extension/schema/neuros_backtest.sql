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
