-- biometrics: what was measured.
--
--   metric_types       what can be measured, in which unit, within which ranges
--   unit_conversions   other units a reading may come in
--   biometric_events   one row per reading that was accepted
--   daily_values       one value per person, device, metric and local day: what baselines are made of
--
-- Written only by bridge.ingest_batch, under the lock of the person's stream.

CREATE SCHEMA biometrics;
GRANT USAGE ON SCHEMA biometrics TO auren_reader, auren_writer, auren_admin;

-- The catalogue. ---------------------------------------------------------------------------------

CREATE TABLE biometrics.metric_types (
  metric_type text COLLATE "C" PRIMARY KEY CHECK (metric_type ~ '^[a-z][a-z0-9]*(_[a-z0-9]+)*$' AND octet_length(metric_type) <= 63),
  unit text NOT NULL,
  loinc text,
  hard_min double precision,
  hard_max double precision,
  soft_min double precision,
  soft_max double precision,
  baseline text CHECK (baseline IN ('log', 'linear')),
  states text[],
  seeded boolean NOT NULL DEFAULT false,
  sum_hard_max double precision,
  sum_soft_max double precision,
  CHECK (hard_min <= hard_max),
  CHECK (soft_min <= soft_max),
  CHECK ((states IS NOT NULL) = (unit = '{state}')),
  CHECK (states IS NULL OR baseline IS NULL)
);

COMMENT ON TABLE biometrics.metric_types IS 'what can be measured; a metric is added with an INSERT';
COMMENT ON COLUMN biometrics.metric_types.unit IS 'UCUM; {state} for a metric whose values are words';
COMMENT ON COLUMN biometrics.metric_types.hard_min IS 'below it a reading is refused; NULL: no limit';
COMMENT ON COLUMN biometrics.metric_types.soft_min IS 'below it a reading is kept and flagged';
COMMENT ON COLUMN biometrics.metric_types.baseline IS 'scale of the personal baseline; NULL: none is kept';
COMMENT ON COLUMN biometrics.metric_types.states IS 'the words a {state} metric may take';
COMMENT ON COLUMN biometrics.metric_types.seeded IS 'still as shipped; such rows are not dumped';
COMMENT ON COLUMN biometrics.metric_types.sum_hard_max IS 'instead of hard_max for the statistics sum, daily and session_sum; NULL: hard_max';
COMMENT ON COLUMN biometrics.metric_types.sum_soft_max IS 'instead of soft_max for the statistics sum, daily and session_sum; NULL: soft_max';

-- A dump holds the rows a DBA added or changed. On restore CREATE EXTENSION has already written the
-- shipped ones, so a row for a metric that is still as shipped takes its place; any later INSERT of
-- the same metric is the unique violation it should be.
CREATE FUNCTION biometrics.keep_metric_type() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    NEW.seeded := false;
    RETURN NEW;
  END IF;
  IF NOT NEW.seeded THEN
    DELETE FROM biometrics.metric_types WHERE metric_type = NEW.metric_type AND seeded;
  END IF;
  RETURN NEW;
END;
$$;
REVOKE ALL ON FUNCTION biometrics.keep_metric_type() FROM PUBLIC;

CREATE TRIGGER keep_metric_type BEFORE INSERT OR UPDATE ON biometrics.metric_types
  FOR EACH ROW EXECUTE FUNCTION biometrics.keep_metric_type();

INSERT INTO biometrics.metric_types
  (metric_type, unit, loinc, hard_min, hard_max, soft_min, soft_max, baseline, states, seeded)
VALUES
  ('heart_rate', '/min', '8867-4', 20, 260, 30, 220, 'linear', NULL, true),
  ('resting_heart_rate', '/min', '40443-4', 20, 150, 35, 100, 'linear', NULL, true),
  ('walking_heart_rate_average', '/min', NULL, 40, 220, 60, 160, 'linear', NULL, true),
  ('hrv_sdnn', 'ms', '80404-7', 1, 400, 10, 200, 'log', NULL, true),
  ('oxygen_saturation', '%', '59408-5', 50, 100, 70, 100, 'linear', NULL, true),
  ('respiratory_rate', '/min', '9279-1', 3, 60, 8, 30, 'linear', NULL, true),
  ('body_temperature', 'Cel', '8310-5', 30, 45, 35, 42, 'linear', NULL, true),
  ('sleeping_wrist_temperature', 'Cel', NULL, 20, 43, 30, 39, 'linear', NULL, true),
  ('sleep_stage', '{state}', NULL, NULL, NULL, NULL, NULL, NULL, '{in_bed,awake,asleep_unspecified,light,deep,rem,out_of_bed,unknown}', true),
  ('step_count', '{steps}', '55423-8', 0, 30000, 0, 20000, NULL, NULL, true),
  ('distance_walking_running', 'm', NULL, 0, 200000, 0, 60000, NULL, NULL, true),
  ('active_energy', 'kcal', '41981-2', 0, 20000, 0, 6000, NULL, NULL, true),
  ('basal_energy', 'kcal', NULL, 0, 6000, 0, 3500, NULL, NULL, true),
  ('exercise_time', 'min', NULL, 0, 1440, 0, 600, NULL, NULL, true),
  ('vo2_max', 'mL/kg/min', NULL, 5, 100, 15, 80, 'linear', NULL, true),
  ('blood_pressure_systolic', 'mm[Hg]', '8480-6', 40, 300, 70, 220, 'linear', NULL, true),
  ('blood_pressure_diastolic', 'mm[Hg]', '8462-4', 20, 200, 40, 140, 'linear', NULL, true),
  ('hrv_rmssd', 'ms', NULL, 1, 400, 5, 250, 'log', NULL, true),
  ('interbeat_interval', 'ms', NULL, 250, 2000, 300, 1800, NULL, NULL, true),
  ('skin_temperature', 'Cel', NULL, 15, 43, 28, 38, 'linear', NULL, true),
  ('skin_temperature_deviation', 'Cel', NULL, -8, 8, -3, 3, 'linear', NULL, true),
  ('recovery_score', '%', NULL, 0, 100, 0, 100, NULL, NULL, true),
  ('readiness_score', '{score}', NULL, 0, 100, 1, 100, NULL, NULL, true),
  ('sleep_score', '{score}', NULL, 0, 100, 1, 100, NULL, NULL, true),
  ('strain', '{strain}', NULL, 0, 21, 0, 21, NULL, NULL, true),
  ('stress_level', '1', NULL, 0, 1, 0, 1, NULL, NULL, true),
  ('sleep_duration', 's', '93832-4', 0, 86400, 0, 50400, 'linear', NULL, true),
  ('sleep_efficiency', '%', NULL, 0, 100, 40, 100, 'linear', NULL, true),
  ('blood_glucose', 'mg/dL', '41653-7', 10, 1000, 40, 400, 'linear', NULL, true),
  ('body_mass', 'kg', '29463-7', 1, 500, 30, 250, 'linear', NULL, true),
  ('flights_climbed', '{flights}', '100304-5', 0, 1000, 0, 200, NULL, NULL, true);

-- A day has more steps than an hour can have.
ALTER TABLE biometrics.metric_types DISABLE TRIGGER keep_metric_type;
UPDATE biometrics.metric_types SET sum_hard_max = 120000, sum_soft_max = 80000
 WHERE metric_type = 'step_count' AND seeded;
ALTER TABLE biometrics.metric_types ENABLE TRIGGER keep_metric_type;

-- A reading in `from_unit` of a metric kept in `to_unit` is taken as value * factor + shift. Fixed: what
-- a unit means is not a matter of configuration.
CREATE TABLE biometrics.unit_conversions (
  from_unit text,
  to_unit text,
  factor double precision NOT NULL,
  shift double precision NOT NULL,
  PRIMARY KEY (from_unit, to_unit)
);
COMMENT ON TABLE biometrics.unit_conversions IS 'units a reading may come in besides the metric''s own';

INSERT INTO biometrics.unit_conversions (from_unit, to_unit, factor, shift) VALUES
  ('fraction', '%', 100, 0),
  ('pct', '%', 1, 0),
  ('percent', '%', 1, 0),
  ('BPM', '/min', 1, 0),
  ('Hz', '/min', 60, 0),
  ('beats per minute', '/min', 1, 0),
  ('beats/min', '/min', 1, 0),
  ('bpm', '/min', 1, 0),
  ('breaths/min', '/min', 1, 0),
  ('brpm', '/min', 1, 0),
  ('count/min', '/min', 1, 0),
  ('count/minute', '/min', 1, 0),
  ('{beats}/min', '/min', 1, 0),
  ('C', 'Cel', 1, 0),
  ('F', 'Cel', 5.0 / 9.0, -160.0 / 9.0),
  ('K', 'Cel', 1, -273.15),
  ('[degF]', 'Cel', 5.0 / 9.0, -160.0 / 9.0),
  ('celsius', 'Cel', 1, 0),
  ('degC', 'Cel', 1, 0),
  ('degF', 'Cel', 5.0 / 9.0, -160.0 / 9.0),
  ('fahrenheit', 'Cel', 5.0 / 9.0, -160.0 / 9.0),
  ('°C', 'Cel', 1, 0),
  ('°F', 'Cel', 5.0 / 9.0, -160.0 / 9.0),
  ('Cal', 'kcal', 1, 0),
  ('kJ', 'kcal', 1 / 4.184, 0),
  ('[lb_av]', 'kg', 0.45359237, 0),
  ('g', 'kg', 0.001, 0),
  ('lb', 'kg', 0.45359237, 0),
  ('st', 'kg', 6.35029318, 0),
  ('[mi_i]', 'm', 1609.344, 0),
  ('ft', 'm', 0.3048, 0),
  ('km', 'm', 1000, 0),
  ('mi', 'm', 1609.344, 0),
  ('yd', 'm', 0.9144, 0),
  ('mL/kg·min', 'mL/kg/min', 1, 0),
  ('mL/min/kg', 'mL/kg/min', 1, 0),
  ('mL/min·kg', 'mL/kg/min', 1, 0),
  ('ml/(kg*min)', 'mL/kg/min', 1, 0),
  ('ml/(kg·min)', 'mL/kg/min', 1, 0),
  ('ml_kg_min', 'mL/kg/min', 1, 0),
  ('mmol/L', 'mg/dL', 18.0156, 0),
  ('h', 'min', 60, 0),
  ('s', 'min', 1 / 60.0, 0),
  ('mmHg', 'mm[Hg]', 1, 0),
  ('milli', 'ms', 1, 0),
  ('milliseconds', 'ms', 1, 0),
  ('s', 'ms', 1000, 0),
  ('h', 's', 3600, 0),
  ('hr', 's', 3600, 0),
  ('min', 's', 60, 0),
  ('ms', 's', 0.001, 0),
  ('count', '{flights}', 1, 0),
  ('count', '{steps}', 1, 0);

-- Readings. --------------------------------------------------------------------------------------

-- Keys are compared byte by byte: nobody sorts them for people.
CREATE TABLE biometrics.biometric_events (
  user_id text COLLATE "C" NOT NULL,
  device_type text COLLATE "C" NOT NULL,
  metric_type text COLLATE "C" NOT NULL,
  recorded_at timestamptz NOT NULL,
  ended_at timestamptz,
  value double precision,
  state text,
  unit text NOT NULL,
  statistic text COLLATE "C",
  context text,
  source text COLLATE "C",
  zone_offset smallint,
  quality real NOT NULL,
  flags text[] NOT NULL DEFAULT '{}',
  external_id text COLLATE "C",
  delivered_in text COLLATE "C",
  position bigint NOT NULL,
  end_at timestamptz GENERATED ALWAYS AS (coalesce(ended_at, recorded_at)) STORED,
  day date GENERATED ALWAYS AS
    (((coalesce(ended_at, recorded_at) AT TIME ZONE 'UTC')
      + coalesce(zone_offset, 0) * interval '1 minute')::date) STORED,
  CHECK (num_nonnulls(value, state) = 1),
  CHECK (ended_at >= recorded_at),
  CHECK ((external_id IS NULL) = (delivered_in IS NULL))
);

COMMENT ON TABLE biometrics.biometric_events IS 'one row per accepted reading; the event stream keeps the history';
COMMENT ON COLUMN biometrics.biometric_events.device_type IS 'source of the delivery';
COMMENT ON COLUMN biometrics.biometric_events.source IS 'app or device, as the reading names it';
COMMENT ON COLUMN biometrics.biometric_events.zone_offset IS 'minutes east of UTC as written in the timestamp; NULL: none was';
COMMENT ON COLUMN biometrics.biometric_events.external_id IS 'the vendor document the reading belongs to';
COMMENT ON COLUMN biometrics.biometric_events.delivered_in IS 'delivery of the document, without its part number';
COMMENT ON COLUMN biometrics.biometric_events.position IS 'of the event it came from';
COMMENT ON COLUMN biometrics.biometric_events.end_at IS 'its end, else its start';
COMMENT ON COLUMN biometrics.biometric_events.day IS 'the person''s local day on which it ended';

-- What makes two readings the same one: the later takes the place of the earlier.
CREATE UNIQUE INDEX biometric_events_key ON biometrics.biometric_events
  (user_id, device_type, metric_type, recorded_at, ended_at, source, statistic) NULLS NOT DISTINCT;
CREATE INDEX idx_biometric_events_user_device_time ON biometrics.biometric_events
  (user_id, device_type, recorded_at);
-- The newest readings of a metric, a day of it, a range of it.
CREATE INDEX biometric_events_user_metric_end ON biometrics.biometric_events
  (user_id, metric_type, end_at);
-- What came after a position: a person's state is folded up to one.
CREATE INDEX biometric_events_user_position ON biometrics.biometric_events (user_id, position);
CREATE INDEX biometric_events_document ON biometrics.biometric_events (user_id, external_id)
  WHERE external_id IS NOT NULL;

CREATE FUNCTION biometrics.readings(
  p_user_id text,
  p_metric_type text,
  p_from timestamptz DEFAULT NULL,
  p_to timestamptz DEFAULT NULL)
RETURNS SETOF biometrics.biometric_events
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT *
    FROM biometrics.biometric_events
   WHERE user_id = p_user_id
     AND metric_type = p_metric_type
     AND (p_from IS NULL OR end_at >= p_from)
     AND (p_from IS NULL OR recorded_at >= p_from)
     AND (p_to IS NULL OR recorded_at < p_to)
   ORDER BY recorded_at, ended_at, device_type, source, statistic
$$;
COMMENT ON FUNCTION biometrics.readings(text, text, timestamptz, timestamptz) IS
  'a person''s readings of one metric that started at or after p_from and before p_to, in order of time';

-- Daily values. ----------------------------------------------------------------------------------

-- What a baseline is made of. Ingest only marks a day `stale` when a reading of it came, changed or
-- went, once however many come; biometrics.refresh_daily_values works it out when it is next needed.
CREATE TABLE biometrics.daily_values (
  user_id text COLLATE "C",
  device_type text COLLATE "C",
  metric_type text COLLATE "C",
  day date,
  readings integer,
  value double precision,
  stale boolean NOT NULL DEFAULT true,
  -- A decision reads up to sixty days of a series: side by side in the index, wherever their rows are.
  PRIMARY KEY (user_id, device_type, metric_type, day) INCLUDE (readings, value)
);
CREATE INDEX daily_values_stale ON biometrics.daily_values (user_id, day) WHERE stale;

COMMENT ON TABLE biometrics.daily_values IS 'one value per person, device, metric and local day: what baselines are made of';
COMMENT ON COLUMN biometrics.daily_values.value IS 'mean of the day''s readings; geometric mean where the metric''s baseline is on the log scale';
COMMENT ON COLUMN biometrics.daily_values.stale IS 'a reading of that day came, changed or went since';

-- Works out the stale days of one person before p_before; a day without a reading that counts is left
-- with none. The caller holds the person's lock.
-- Left out of a day's value: statistics min, max and sum (they do not tell the level), readings that are
-- pending or calibrating, and, of what effort moves, readings of a workout or of activity (the baseline
-- is one of rest). Added up in order of size, as a backtest does (core/evaluation.h): however the rows are
-- found, the value is the same to the last bit.
CREATE FUNCTION biometrics.refresh_daily_values(p_user_id text, p_before date)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE biometrics.daily_values d
     SET (readings, value, stale) = (
       SELECT count(b.value),
              CASE max(m.baseline) WHEN 'log'
                THEN exp(avg(CASE WHEN b.value > 0 THEN ln(b.value) END ORDER BY b.value))
                ELSE avg(b.value ORDER BY b.value) END,
              false
         FROM biometrics.metric_types m
         JOIN biometrics.biometric_events b USING (metric_type)
        WHERE m.metric_type = d.metric_type
          AND (m.baseline = 'linear' OR b.value > 0)
          AND b.user_id = d.user_id
          AND b.device_type = d.device_type
          AND b.end_at >= (d.day - 1)::timestamp AT TIME ZONE 'UTC'
          AND b.end_at < (d.day + 2)::timestamp AT TIME ZONE 'UTC'
          AND b.day = d.day
          AND coalesce(b.statistic, '') <> ALL ('{min,max,sum}')
          AND NOT b.flags && '{pending,calibrating}'
          AND NOT (coalesce(b.context, '') IN ('workout', 'active')
                   AND b.metric_type IN ('heart_rate', 'hrv_rmssd', 'hrv_sdnn', 'body_temperature',
                                         'skin_temperature', 'respiratory_rate')))
   WHERE d.user_id = p_user_id AND d.stale AND d.day < p_before;
END;
$$;

-- Works out all daily values anew: after a DBA gave a metric a baseline, or changed its scale.
CREATE FUNCTION biometrics.rebuild_daily_values(p_metric_type text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  marked bigint;
BEGIN
  LOCK TABLE biometrics.daily_values IN SHARE ROW EXCLUSIVE MODE;
  DELETE FROM biometrics.daily_values d
   WHERE p_metric_type IS NULL OR d.metric_type = p_metric_type;
  INSERT INTO biometrics.daily_values (user_id, device_type, metric_type, day)
  SELECT DISTINCT b.user_id, b.device_type, b.metric_type, b.day
    FROM biometrics.biometric_events b
    JOIN biometrics.metric_types m USING (metric_type)
   WHERE m.baseline IS NOT NULL AND (p_metric_type IS NULL OR b.metric_type = p_metric_type);
  GET DIAGNOSTICS marked = ROW_COUNT;
  RETURN marked;
END;
$$;
COMMENT ON FUNCTION biometrics.rebuild_daily_values(text) IS
  'marks every day of a metric, or of all, to be worked out anew; returns how many';

-- Who may what, and what a dump holds. -----------------------------------------------------------

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA biometrics FROM PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA biometrics TO auren_reader, auren_writer, auren_admin;
GRANT INSERT, UPDATE, DELETE ON biometrics.metric_types TO auren_admin;
GRANT EXECUTE ON FUNCTION biometrics.readings(text, text, timestamptz, timestamptz)
  TO auren_reader, auren_writer, auren_admin;
GRANT EXECUTE ON FUNCTION biometrics.rebuild_daily_values(text) TO auren_admin;

SELECT pg_extension_config_dump('biometrics.metric_types', 'WHERE NOT seeded');
SELECT pg_extension_config_dump('biometrics.biometric_events', '');
SELECT pg_extension_config_dump('biometrics.daily_values', '');

