-- neuros: which cognitive mode a person is in, and why.
--
--   config_versions   every configuration that ever held; the highest version holds
--   modes             the modes of the configuration that holds
--   user_modes        each person's mode; an update of it rings LISTEN mode_switch
--   person_states     what a decision needs to know of the readings that came before
--
-- Written by neuros.configure, neuros.switch_mode and bridge.ingest_batch. Every switch is also a
-- `mode_switched` event in the person's stream: that is the record, the notification only a doorbell.

CREATE SCHEMA neuros;
GRANT USAGE ON SCHEMA neuros TO auren_reader, auren_writer, auren_admin;

-- Configuration. ---------------------------------------------------------------------------------

CREATE TABLE neuros.config_versions (
  version bigint PRIMARY KEY CHECK (version > 0),
  config jsonb NOT NULL,
  file_sha256 text CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
  created_by text NOT NULL DEFAULT session_user,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE neuros.config_versions IS 'every configuration that ever held, all keys filled in; the highest version holds';
COMMENT ON COLUMN neuros.config_versions.file_sha256 IS 'SHA-256 of the file it came from; NULL: set by SQL';

CREATE FUNCTION neuros.configure(p_config jsonb, p_file_sha256 text DEFAULT NULL) RETURNS bigint
LANGUAGE c SECURITY DEFINER
AS 'MODULE_PATHNAME', 'neuros_configure';
COMMENT ON FUNCTION neuros.configure(jsonb, text) IS
  'makes a configuration hold from the next transaction on; returns its version';

CREATE FUNCTION neuros.config() RETURNS jsonb
LANGUAGE c STABLE SECURITY DEFINER
AS 'MODULE_PATHNAME', 'neuros_config';
COMMENT ON FUNCTION neuros.config() IS 'the configuration that holds, all keys filled in';

CREATE FUNCTION neuros.config_version() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(max(version), 0) FROM neuros.config_versions
$$;
COMMENT ON FUNCTION neuros.config_version() IS 'the version that holds; 0: the built-in configuration';

CREATE FUNCTION neuros.config_file_sha256() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT file_sha256 FROM neuros.config_versions
   WHERE file_sha256 IS NOT NULL ORDER BY version DESC LIMIT 1
$$;
COMMENT ON FUNCTION neuros.config_file_sha256() IS
  'SHA-256 of the file behind the newest version that came from one';

CREATE VIEW neuros.modes AS
  SELECT m.name AS mode, m.priority, m.behavior
    FROM pg_catalog.jsonb_to_recordset(neuros.config() -> 'modes')
      AS m(name text, priority integer, behavior text)
   ORDER BY m.priority DESC, m.name;
COMMENT ON VIEW neuros.modes IS 'the modes of the configuration that holds; the higher priority wins';

-- Who is in which mode. --------------------------------------------------------------------------

CREATE TABLE neuros.user_modes (
  user_id text COLLATE "C" PRIMARY KEY,
  current_mode text NOT NULL,
  since timestamptz NOT NULL,
  confidence double precision CHECK (confidence BETWEEN 0 AND 1),
  trigger text,
  event_id uuid,
  position bigint,
  by_hand boolean NOT NULL DEFAULT false,
  from_mode text
);
COMMENT ON TABLE neuros.user_modes IS 'each person''s mode; a person without a row is in baseline';
COMMENT ON COLUMN neuros.user_modes.since IS 'when the deciding delivery was received, or the switch by hand made';
COMMENT ON COLUMN neuros.user_modes.event_id IS 'the mode_switched event; NULL: never switched';
COMMENT ON COLUMN neuros.user_modes.by_hand IS 'left only for a mode of higher priority or another switch_mode';

-- Apart from user_modes, so that what changes often costs no version of that row. `newest` is packed by
-- extension/src/bridge/newest_list.cpp and shown by neuros.newest_readings. A row may be deleted: the next
-- delivery makes it anew from the readings; only the calm count begins again.
CREATE TABLE neuros.person_states (
  user_id text COLLATE "C" PRIMARY KEY,
  calm integer NOT NULL,
  position bigint,
  folded_at timestamptz,
  newest bytea,
  CHECK (num_nulls(position, folded_at, newest) IN (0, 3))
) WITH (fillfactor = 70);
COMMENT ON TABLE neuros.person_states IS 'what a decision needs to know of what came before it';
COMMENT ON COLUMN neuros.person_states.calm IS 'how often in a row an evaluation, after the cooldown, found nothing';
COMMENT ON COLUMN neuros.person_states.position IS 'up to which position the readings are folded into newest';
COMMENT ON COLUMN neuros.person_states.folded_at IS 'when the delivery at that position was received';
COMMENT ON COLUMN neuros.person_states.newest IS 'the newest settled number of each device and metric';

CREATE FUNCTION neuros.newest_readings(p_user_id text)
RETURNS TABLE(
  device_type text,
  metric_type text,
  recorded_at timestamptz,
  ended_at timestamptz,
  value double precision,
  day date,
  source text,
  statistic text,
  context text)
LANGUAGE c SECURITY DEFINER
AS 'MODULE_PATHNAME', 'neuros_newest_readings';
COMMENT ON FUNCTION neuros.newest_readings(text) IS
  'the newest settled number of each of a person''s devices and metrics, as the next decision is told it';

CREATE FUNCTION neuros.notify_mode_switch() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify('mode_switch', jsonb_build_object(
    'user_id', NEW.user_id,
    'from_mode', OLD.current_mode,
    'to_mode', NEW.current_mode,
    'confidence', NEW.confidence,
    'trigger', NEW.trigger,
    'position', NEW.position,
    'timestamp', to_char(NEW.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text);
  RETURN NULL;
END;
$$;

CREATE TRIGGER notify_mode_switch AFTER UPDATE ON neuros.user_modes
  FOR EACH ROW WHEN (OLD.current_mode IS DISTINCT FROM NEW.current_mode)
  EXECUTE FUNCTION neuros.notify_mode_switch();

CREATE FUNCTION neuros.current_mode(p_user_id text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((SELECT current_mode FROM neuros.user_modes WHERE user_id = p_user_id), 'baseline')
$$;
COMMENT ON FUNCTION neuros.current_mode(text) IS 'the mode a person is in; baseline for an unknown one';

CREATE FUNCTION neuros.switch_mode(
  p_user_id text,
  p_to_mode text,
  p_trigger text DEFAULT 'manual',
  p_confidence double precision DEFAULT 1.0,
  p_context jsonb DEFAULT NULL)
RETURNS uuid
LANGUAGE c SECURITY DEFINER
AS 'MODULE_PATHNAME', 'neuros_switch_mode';
COMMENT ON FUNCTION neuros.switch_mode(text, text, text, double precision, jsonb) IS
  'puts a person into a mode by hand; returns the event, or NULL when the person already is in it';

-- What a subscriber that was away has missed. The safe position is taken before the rows are looked
-- at, by a statement of its own: what it settles is then visible.
CREATE FUNCTION neuros.read_switches(
  p_after bigint DEFAULT 0,
  p_limit integer DEFAULT 1000,
  p_user_id text DEFAULT NULL)
RETURNS TABLE(
  "position" bigint,
  user_id text,
  from_mode text,
  to_mode text,
  trigger text,
  confidence double precision,
  reason text,
  event_id uuid,
  created_at timestamptz,
  event_data jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  safe bigint := events.safe_position();
BEGIN
  RETURN QUERY
    SELECT e.position, substr(e.stream_id, length('user:') + 1),
           e.event_data ->> 'from_mode', e.event_data ->> 'to_mode', e.event_data ->> 'trigger',
           -- A writer may append an event of this name by hand: it must not stop the readers.
           CASE jsonb_typeof(e.event_data -> 'confidence')
             WHEN 'number' THEN (e.event_data -> 'confidence')::double precision END,
           e.event_data ->> 'reason',
           e.event_id, e.created_at, e.event_data
      FROM events.all_events e
     WHERE e.event_type = 'mode_switched'
       AND split_part(e.stream_id, ':', 1) = 'user'
       AND e.position > p_after AND e.position <= safe
       AND (p_user_id IS NULL OR e.stream_id = 'user:' || p_user_id)
     ORDER BY e.position
     LIMIT p_limit;
END;
$$;
COMMENT ON FUNCTION neuros.read_switches(bigint, integer, text) IS
  'mode switches after a position, in order, up to what is settled; the last position is the checkpoint';

-- Who may what, and what a dump holds. -----------------------------------------------------------

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA neuros FROM PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA neuros TO auren_reader, auren_writer, auren_admin;
GRANT EXECUTE ON FUNCTION neuros.config(), neuros.config_version(), neuros.config_file_sha256(),
  neuros.current_mode(text), neuros.read_switches(bigint, integer, text), neuros.newest_readings(text)
  TO auren_reader, auren_writer, auren_admin;
-- The worker applies its thresholds file: configure is a writer's.
GRANT EXECUTE ON FUNCTION neuros.configure(jsonb, text),
  neuros.switch_mode(text, text, text, double precision, jsonb) TO auren_writer, auren_admin;

SELECT pg_extension_config_dump('neuros.config_versions', '');
SELECT pg_extension_config_dump('neuros.user_modes', '');
SELECT pg_extension_config_dump('neuros.person_states', '');

