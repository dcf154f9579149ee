\echo Use "CREATE EXTENSION auren" to load this file. \quit
-- Roles: who may read, who may write, who may configure. NOLOGIN, to be granted to real users. They
-- belong to the whole cluster, so they are created only if absent and outlive DROP EXTENSION.
DO $roles$
DECLARE
  role name;
BEGIN
  FOREACH role IN ARRAY ARRAY['auren_reader', 'auren_writer', 'auren_admin'] LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role) THEN
      BEGIN
        EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of this cluster was faster
      END;
    END IF;
  END LOOP;
END
$roles$;

-- Who writes may read, who administers may write.
GRANT auren_reader TO auren_writer;
GRANT auren_writer TO auren_admin;
-- Schema events: the store. One append-only table, the functions that write it, the functions that
-- read it. See docs/events.md.
CREATE SCHEMA events;
GRANT USAGE ON SCHEMA events TO auren_reader;

-- Two tables that stay empty for ever; only locks are taken on them.
--   append_lock: every append takes RowExclusive; a transaction that writes more than 1,000 streams
--     takes ShareRowExclusive instead of one lock per stream, and so waits for all the others.
--   append_gate: every position is drawn under RowExclusive; a reader that meets a hole asks who holds
--     it. VACUUM of the store or a monitor reading the sequence never looks like an appender.
CREATE TABLE events.append_lock ();
CREATE TABLE events.append_gate ();

-- Positions: handed out one by one (CACHE 1 is part of the protocol: blocks of positions per
-- connection would be out of order), and only through next_position().
CREATE SEQUENCE events.event_store_position_seq AS bigint CACHE 1;

CREATE FUNCTION events.next_position() RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_next_position'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.next_position() IS
  'the next global position, drawn behind the gate that lets readers know of appends in flight';

-- Stream ids compare as bytes: that is what finding one needs, and a prefix search can use the index.
-- The first nine columns' order is known to the C++ side (extension/src/events/store.h).
CREATE TABLE events.event_store (
  position bigint NOT NULL DEFAULT events.next_position(),
  event_id uuid NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  event_type text COLLATE "C" NOT NULL,
  event_data jsonb NOT NULL,
  metadata jsonb,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT event_store_stream_version PRIMARY KEY (stream_id, version),
  CONSTRAINT event_store_stream_event UNIQUE (stream_id, event_id)
);
CREATE INDEX idx_event_store_position ON events.event_store (position);
-- The category is the part before the first colon. An expression, not a column: it costs no bytes.
CREATE INDEX idx_event_store_category_position
  ON events.event_store (split_part(stream_id, ':', 1), position);
CREATE INDEX idx_event_store_created_at ON events.event_store USING brin (created_at);
CREATE INDEX idx_event_store_event_data_gin
  ON events.event_store USING gin (event_data jsonb_path_ops);

ALTER SEQUENCE events.event_store_position_seq OWNED BY events.event_store.position;

COMMENT ON TABLE events.event_store IS 'every event, for ever: rows are only ever added';
COMMENT ON COLUMN events.event_store.position IS
  'global order; grows, may have holes where a transaction was rolled back';
COMMENT ON COLUMN events.event_store.version IS 'order within the stream: 1, 2, 3 ... without gaps';

-- What is stored stays as it is, for owner and superuser too, and under any
-- session_replication_role. ON CONFLICT DO UPDATE and MERGE fire the UPDATE and DELETE triggers.
CREATE FUNCTION events.refuse_change() RETURNS trigger
  AS 'MODULE_PATHNAME', 'events_refuse_change'
  LANGUAGE C;
CREATE TRIGGER event_store_is_immutable
  BEFORE UPDATE OR DELETE OR TRUNCATE ON events.event_store
  FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE events.event_store ENABLE ALWAYS TRIGGER event_store_is_immutable;

-- Writing ----------------------------------------------------------------------------------------

CREATE FUNCTION events.append_event(
  p_stream_id text,
  p_event_type text,
  p_event_data jsonb,
  p_created_by text DEFAULT NULL,
  p_expected_version bigint DEFAULT NULL,
  p_event_id uuid DEFAULT NULL,
  p_metadata jsonb DEFAULT NULL
) RETURNS uuid
  AS 'MODULE_PATHNAME', 'events_append_event'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.append_event IS 'appends one event, returns its id';

CREATE FUNCTION events.append(
  p_stream_id text,
  p_event_type text,
  p_event_data jsonb,
  p_created_by text DEFAULT NULL,
  p_expected_version bigint DEFAULT NULL,
  p_event_id uuid DEFAULT NULL,
  p_metadata jsonb DEFAULT NULL
) RETURNS TABLE (event_id uuid, version bigint, "position" bigint, was_duplicate boolean)
  AS 'MODULE_PATHNAME', 'events_append'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION events.append IS 'appends one event, returns where it stands';

CREATE FUNCTION events.append_events(
  p_stream_id text,
  p_events jsonb,
  p_created_by text DEFAULT NULL,
  p_expected_version bigint DEFAULT NULL
) RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_append_events'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.append_events IS
  'appends an array of {event_type, event_data, event_id?, metadata?} to one stream, returns its version';

CREATE FUNCTION events.append_batch(
  p_stream_ids text[],
  p_event_types text[],
  p_event_data jsonb[],
  p_created_by text DEFAULT NULL,
  p_event_ids uuid[] DEFAULT NULL,
  p_metadata jsonb[] DEFAULT NULL,
  p_expected_versions bigint[] DEFAULT NULL
) RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_append_batch'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.append_batch IS
  'appends one event per array element, to many streams, all or nothing; returns how many were new';

-- Reading ----------------------------------------------------------------------------------------
-- Plain SQL in a body that is parsed once, here: no search_path can change what it means, and the
-- planner sees through it.

CREATE FUNCTION events.replay_stream(
  p_stream_id text,
  p_from_version bigint DEFAULT 1,
  p_to_version bigint DEFAULT NULL,
  p_as_of timestamptz DEFAULT NULL
) RETURNS SETOF events.event_store
  LANGUAGE sql STABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT e.*
    FROM events.event_store AS e
    WHERE e.stream_id = p_stream_id
      AND e.version >= coalesce(p_from_version, 1)
      AND e.version <= coalesce(p_to_version, 9223372036854775807)
      AND e.created_at <= coalesce(p_as_of, 'infinity')
    ORDER BY e.version;
  END;
COMMENT ON FUNCTION events.replay_stream IS 'the events of a stream, oldest first';

CREATE FUNCTION events.replay_backwards(p_stream_id text, p_limit int DEFAULT 1)
  RETURNS SETOF events.event_store
  LANGUAGE sql STABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT e.*
    FROM events.event_store AS e
    WHERE e.stream_id = p_stream_id
    ORDER BY e.version DESC
    LIMIT p_limit;
  END;
COMMENT ON FUNCTION events.replay_backwards IS 'the newest events of a stream, newest first';

CREATE FUNCTION events.stream_version(p_stream_id text) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT coalesce(max(e.version), 0) FROM events.event_store AS e WHERE e.stream_id = p_stream_id;
  END;
COMMENT ON FUNCTION events.stream_version IS 'the version of the newest event of a stream, 0 for none';

CREATE FUNCTION events.get_stream_state(
  p_stream_id text,
  p_at_version bigint DEFAULT NULL,
  p_as_of timestamptz DEFAULT NULL
) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'events_get_stream_state'
  LANGUAGE C STABLE SECURITY DEFINER PARALLEL SAFE;
COMMENT ON FUNCTION events.get_stream_state IS
  'the fold of a stream: later keys win, a key that is null is removed';

-- The global order. Readers see every event once, in position order, and never skip one that commits
-- later: they stop short of what is still in flight.

CREATE FUNCTION events.read_all(p_after bigint DEFAULT 0, p_limit int DEFAULT 1000)
  RETURNS SETOF events.event_store
  AS 'MODULE_PATHNAME', 'events_read_all'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.read_all IS 'events after a position, in global order, up to what is settled';

CREATE FUNCTION events.read_category(
  p_category text,
  p_after bigint DEFAULT 0,
  p_limit int DEFAULT 1000
) RETURNS SETOF events.event_store
  AS 'MODULE_PATHNAME', 'events_read_category'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.read_category IS
  'events of one category after a position, in global order, up to what is settled';

CREATE FUNCTION events.safe_position() RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_safe_position'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.safe_position IS 'everything at or below it is settled for good';

-- Privileges -------------------------------------------------------------------------------------
-- INSERT is granted to nobody: functions write. The owner's INSERT and COPY remain for pg_restore.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA events FROM PUBLIC;
GRANT SELECT ON events.event_store TO auren_reader;
GRANT EXECUTE ON FUNCTION
  events.replay_stream, events.replay_backwards, events.stream_version, events.get_stream_state,
  events.read_all, events.read_category, events.safe_position
  TO auren_reader;
GRANT EXECUTE ON FUNCTION
  events.append_event, events.append, events.append_events, events.append_batch
  TO auren_writer;

-- pg_dump carries the rows and the sequence, not only CREATE EXTENSION.
SELECT pg_catalog.pg_extension_config_dump('events.append_lock', '');
SELECT pg_catalog.pg_extension_config_dump('events.append_gate', '');
SELECT pg_catalog.pg_extension_config_dump('events.event_store', '');
SELECT pg_catalog.pg_extension_config_dump('events.event_store_position_seq', '');
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
  PRIMARY KEY (user_id, device_type, metric_type, day)
);
CREATE INDEX daily_values_stale ON biometrics.daily_values (user_id, day) WHERE stale;

COMMENT ON TABLE biometrics.daily_values IS 'one value per person, device, metric and local day: what baselines are made of';
COMMENT ON COLUMN biometrics.daily_values.value IS 'mean of the day''s readings; geometric mean where the metric''s baseline is on the log scale';
COMMENT ON COLUMN biometrics.daily_values.stale IS 'a reading of that day came, changed or went since';

-- Works out the stale days of one person before p_before; a day without a reading that counts is left
-- with none. The caller holds the person's lock.
-- Left out of a day's value: statistics min, max and sum (they do not tell the level), readings that are
-- pending or calibrating, and, of what effort moves, readings of a workout or of activity (the baseline
-- is one of rest).
CREATE FUNCTION biometrics.refresh_daily_values(p_user_id text, p_before date)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE biometrics.daily_values d
     SET (readings, value, stale) = (
       SELECT count(b.value),
              CASE max(m.baseline) WHEN 'log'
                THEN exp(avg(CASE WHEN b.value > 0 THEN ln(b.value) END)) ELSE avg(b.value) END,
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

-- neuros: which cognitive mode a person is in, and why.
--
--   config_versions   every configuration that ever held; the highest version holds
--   modes             the modes of the configuration that holds
--   user_modes        each person's mode; an update of it rings LISTEN mode_switch
--   evaluations       how often in a row nothing was wrong
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

-- Apart from user_modes, so that counting calm costs no version of that row.
CREATE TABLE neuros.evaluations (
  user_id text COLLATE "C" PRIMARY KEY,
  calm integer NOT NULL
);
COMMENT ON TABLE neuros.evaluations IS 'how often in a row a person''s evaluation, after the cooldown, found nothing';

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
      FROM events.event_store e
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
  neuros.current_mode(text), neuros.read_switches(bigint, integer, text)
  TO auren_reader, auren_writer, auren_admin;
-- The worker applies its thresholds file: configure is a writer's.
GRANT EXECUTE ON FUNCTION neuros.configure(jsonb, text),
  neuros.switch_mode(text, text, text, double precision, jsonb) TO auren_writer, auren_admin;

SELECT pg_extension_config_dump('neuros.config_versions', '');
SELECT pg_extension_config_dump('neuros.user_modes', '');
SELECT pg_extension_config_dump('neuros.evaluations', '');

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

-- bridge: the way in, and what the worker keeps in the database.
--
--   ingest_batch     deliveries in, one answer each
--   connections      whose data a vendor's account is
--   api_keys         who may write and read, by the hash of a key
--   kafka_offsets    how far each partition has been taken in
--   dead_letters     what could not be taken in, kept as it came

CREATE SCHEMA bridge;
GRANT USAGE ON SCHEMA bridge TO auren_reader, auren_writer, auren_admin;

CREATE FUNCTION bridge.ingest_batch(p_deliveries jsonb[])
RETURNS TABLE(
  idx integer,
  status text,
  event_id uuid,
  readings_accepted integer,
  readings_rejected integer,
  from_mode text,
  to_mode text,
  problem jsonb,
  trigger text,
  confidence double precision,
  "position" bigint,
  anomalies jsonb)
LANGUAGE c SECURITY DEFINER
AS 'MODULE_PATHNAME', 'bridge_ingest_batch';
COMMENT ON FUNCTION bridge.ingest_batch(jsonb[]) IS
  'stores deliveries, judges them and answers one row each: applied, duplicate or rejected';

-- Whose data. ------------------------------------------------------------------------------------

CREATE TABLE bridge.connections (
  provider text CHECK (provider ~ '^[a-z][a-z0-9_]*$'),
  provider_user text CHECK (provider_user <> ''),
  user_id text NOT NULL CHECK (user_id <> '' AND user_id !~ '[[:cntrl:]]' AND octet_length(user_id) <= 250),
  linked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (provider, provider_user)
);
COMMENT ON TABLE bridge.connections IS 'which person a provider''s account belongs to';

CREATE FUNCTION bridge.link_user(p_provider text, p_provider_user text, p_user_id text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO bridge.connections (provider, provider_user, user_id)
  VALUES (p_provider, p_provider_user, p_user_id)
  ON CONFLICT (provider, provider_user)
  DO UPDATE SET user_id = excluded.user_id, linked_at = excluded.linked_at
$$;
COMMENT ON FUNCTION bridge.link_user(text, text, text) IS
  'says which person a provider''s account belongs to, from the next delivery on';

CREATE FUNCTION bridge.unlink_user(p_provider text, p_provider_user text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH gone AS (
    DELETE FROM bridge.connections
     WHERE provider = p_provider AND provider_user = p_provider_user RETURNING 1)
  SELECT EXISTS (SELECT FROM gone)
$$;
COMMENT ON FUNCTION bridge.unlink_user(text, text) IS 'forgets a link; false when there was none';

CREATE FUNCTION bridge.resolve_users(p_providers text[], p_provider_users text[]) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF cardinality(p_providers) <> cardinality(p_provider_users) THEN
    RAISE EXCEPTION 'arrays of unequal length: % providers, % provider users',
      cardinality(p_providers), cardinality(p_provider_users)
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give one provider for each of the provider''s users.';
  END IF;
  RETURN (SELECT coalesce(array_agg(c.user_id ORDER BY a.n), '{}')
            FROM unnest(p_providers, p_provider_users) WITH ORDINALITY AS a(provider, provider_user, n)
            LEFT JOIN bridge.connections c USING (provider, provider_user));
END;
$$;
COMMENT ON FUNCTION bridge.resolve_users(text[], text[]) IS
  'the persons behind providers'' accounts, in order; NULL where none is linked';

-- API keys. --------------------------------------------------------------------------------------

-- Only the SHA-256 of a key is kept; a key is long and random, so the hash needs no salt.
CREATE TABLE bridge.api_keys (
  key_sha256 bytea PRIMARY KEY CHECK (octet_length(key_sha256) = 32),
  name text NOT NULL CHECK (name <> '' AND octet_length(name) <= 255),
  user_id text CHECK (user_id <> '' AND user_id !~ '[[:cntrl:]]' AND octet_length(user_id) <= 250),
  created_by text NOT NULL DEFAULT session_user,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  revoked_at timestamptz
);
CREATE UNIQUE INDEX api_keys_name ON bridge.api_keys (name) WHERE revoked_at IS NULL;
COMMENT ON TABLE bridge.api_keys IS 'who may call the worker; a key bound to a person may act for that person only';

CREATE FUNCTION bridge.create_api_key(p_name text, p_key_sha256 bytea, p_user_id text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Said here and not by the table's check, which would write a key given by mistake into the log.
  IF octet_length(p_key_sha256) <> 32 THEN
    RAISE EXCEPTION 'p_key_sha256 is not a SHA-256: % bytes', octet_length(p_key_sha256)
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give the hash of the key, never the key: sha256(''...'').';
  END IF;
  INSERT INTO bridge.api_keys (name, key_sha256, user_id) VALUES (p_name, p_key_sha256, p_user_id);
END;
$$;
COMMENT ON FUNCTION bridge.create_api_key(text, bytea, text) IS
  'admits a key by its SHA-256, for one person or (NULL) for all';

CREATE FUNCTION bridge.find_api_key(p_key_sha256 bytea) RETURNS TABLE(name text, user_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.name, k.user_id FROM bridge.api_keys k
   WHERE k.key_sha256 = p_key_sha256 AND k.revoked_at IS NULL
$$;
COMMENT ON FUNCTION bridge.find_api_key(bytea) IS 'the key with this SHA-256, if it is admitted; else no row';

CREATE FUNCTION bridge.revoke_api_key(p_name text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH revoked AS (
    UPDATE bridge.api_keys SET revoked_at = clock_timestamp()
     WHERE name = p_name AND revoked_at IS NULL RETURNING 1)
  SELECT EXISTS (SELECT FROM revoked)
$$;
COMMENT ON FUNCTION bridge.revoke_api_key(text) IS 'shuts a key out for good; false when none of that name is admitted';

CREATE FUNCTION bridge.list_api_keys()
RETURNS TABLE(name text, user_id text, created_by text, created_at timestamptz, revoked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.name, k.user_id, k.created_by, k.created_at, k.revoked_at
    FROM bridge.api_keys k ORDER BY k.created_at, k.name
$$;
COMMENT ON FUNCTION bridge.list_api_keys() IS 'all keys, also the revoked ones, without their hashes';

-- Kafka. -----------------------------------------------------------------------------------------

CREATE TABLE bridge.kafka_offsets (
  cluster_id text,
  topic text,
  partition integer CHECK (partition >= 0),
  next_offset bigint NOT NULL CHECK (next_offset >= 0),
  owner_epoch bigint NOT NULL DEFAULT 0,
  owner text,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (cluster_id, topic, partition)
);
COMMENT ON TABLE bridge.kafka_offsets IS 'how far each partition has been taken in; moves in the transaction that takes in';
COMMENT ON COLUMN bridge.kafka_offsets.next_offset IS 'the first offset not yet taken in';
COMMENT ON COLUMN bridge.kafka_offsets.owner_epoch IS 'raised by each new owner; a consumer with an older one is fenced';

-- Dead letters. ----------------------------------------------------------------------------------

CREATE TABLE bridge.dead_letters (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'retried', 'discarded')),
  topic text NOT NULL,
  partition integer,
  "offset" bigint,
  key bytea,
  value bytea,
  headers jsonb,
  reason text NOT NULL,
  sqlstate text,
  attempts integer NOT NULL DEFAULT 1,
  first_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
  note text,
  CHECK ((partition IS NULL) = ("offset" IS NULL))
);
COMMENT ON TABLE bridge.dead_letters IS 'what could not be taken in, as it came';
COMMENT ON COLUMN bridge.dead_letters.topic IS 'Kafka topic, or http:/webhooks/<provider>';

-- The same thing again is another attempt, not another letter.
CREATE UNIQUE INDEX dead_letters_record ON bridge.dead_letters (topic, partition, "offset")
  WHERE partition IS NOT NULL;
CREATE UNIQUE INDEX dead_letters_body ON bridge.dead_letters (topic, sha256(value))
  WHERE partition IS NULL AND status = 'open';
CREATE INDEX dead_letters_open ON bridge.dead_letters (first_seen) WHERE status = 'open';

CREATE FUNCTION bridge.add_dead_letter(
  p_topic text,
  p_value bytea,
  p_reason text,
  p_sqlstate text DEFAULT NULL,
  p_key bytea DEFAULT NULL,
  p_headers jsonb DEFAULT NULL,
  p_partition integer DEFAULT NULL,
  p_offset bigint DEFAULT NULL,
  p_note text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  letter bigint;
BEGIN
  IF p_partition IS NULL THEN
    INSERT INTO bridge.dead_letters AS d (topic, value, reason, sqlstate, key, headers, note)
    VALUES (p_topic, p_value, p_reason, p_sqlstate, p_key, p_headers, p_note)
    ON CONFLICT (topic, sha256(value)) WHERE partition IS NULL AND status = 'open'
    DO UPDATE SET attempts = d.attempts + 1, last_seen = clock_timestamp()
    RETURNING id INTO letter;
  ELSE
    INSERT INTO bridge.dead_letters AS d
      (topic, value, reason, sqlstate, key, headers, partition, "offset", note)
    VALUES
      (p_topic, p_value, p_reason, p_sqlstate, p_key, p_headers, p_partition, p_offset, p_note)
    ON CONFLICT (topic, partition, "offset") WHERE partition IS NOT NULL
    DO UPDATE SET attempts = d.attempts + 1, last_seen = clock_timestamp()
    RETURNING id INTO letter;
  END IF;
  RETURN letter;
END;
$$;
COMMENT ON FUNCTION bridge.add_dead_letter(text, bytea, text, text, bytea, jsonb, integer, bigint, text) IS
  'keeps what could not be taken in; the same record or body again counts as another attempt';

CREATE FUNCTION bridge.open_dead_letter(p_id bigint) RETURNS bridge.dead_letters
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  letter bridge.dead_letters;
BEGIN
  SELECT * INTO letter FROM bridge.dead_letters WHERE id = p_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'dead letter % does not exist', p_id USING ERRCODE = 'undefined_object';
  ELSIF letter.status <> 'open' THEN
    RAISE EXCEPTION 'dead letter % is already %', p_id, letter.status
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Only a letter whose status is "open" can be retried or discarded.';
  END IF;
  RETURN letter;
END;
$$;

CREATE FUNCTION bridge.retry_dead_letter(p_id bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  letter bridge.dead_letters := bridge.open_dead_letter(p_id);
  answer jsonb;
BEGIN
  IF letter.topic LIKE 'http:%' THEN
    RAISE EXCEPTION 'dead letter % is a provider''s request body, not a delivery', p_id
      USING ERRCODE = 'feature_not_supported',
            HINT = 'Retry it with "auren-worker dead-letters retry", which knows how to read it.';
  END IF;
  BEGIN
    SELECT to_jsonb(r) - 'idx' INTO answer
      FROM bridge.ingest_batch(ARRAY[convert_from(letter.value, 'UTF8')::jsonb]) r;
  EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
    answer := jsonb_build_object('status', 'rejected', 'problem',
      jsonb_build_object('code', 'malformed', 'detail', SQLERRM, 'sqlstate', SQLSTATE));
  END;
  UPDATE bridge.dead_letters
     SET attempts = attempts + 1,
         last_seen = clock_timestamp(),
         status = CASE answer ->> 'status' WHEN 'rejected' THEN 'open' ELSE 'retried' END
   WHERE id = p_id;
  RETURN answer;
END;
$$;
COMMENT ON FUNCTION bridge.retry_dead_letter(bigint) IS
  'takes a letter in once more; returns ingest_batch''s answer, and the letter stays open if it is rejected';

CREATE FUNCTION bridge.discard_dead_letter(p_id bigint, p_note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM bridge.open_dead_letter(p_id);
  UPDATE bridge.dead_letters SET status = 'discarded', note = p_note, last_seen = clock_timestamp()
   WHERE id = p_id;
END;
$$;
COMMENT ON FUNCTION bridge.discard_dead_letter(bigint, text) IS 'puts a letter aside for good, saying why';

-- Who may what, and what a dump holds. -----------------------------------------------------------

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA bridge FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bridge.ingest_batch(jsonb[]),
  bridge.link_user(text, text, text), bridge.unlink_user(text, text),
  bridge.resolve_users(text[], text[]), bridge.find_api_key(bytea),
  bridge.add_dead_letter(text, bytea, text, text, bytea, jsonb, integer, bigint, text),
  bridge.retry_dead_letter(bigint), bridge.discard_dead_letter(bigint, text)
  TO auren_writer, auren_admin;
GRANT EXECUTE ON FUNCTION bridge.create_api_key(text, bytea, text), bridge.revoke_api_key(text),
  bridge.list_api_keys() TO auren_admin;
GRANT SELECT ON bridge.connections TO auren_reader, auren_writer, auren_admin;
GRANT SELECT, INSERT, UPDATE ON bridge.kafka_offsets TO auren_writer;
GRANT SELECT ON bridge.kafka_offsets TO auren_reader, auren_admin;
GRANT SELECT ON bridge.dead_letters TO auren_writer, auren_admin;

SELECT pg_extension_config_dump('bridge.connections', '');
SELECT pg_extension_config_dump('bridge.api_keys', '');
SELECT pg_extension_config_dump('bridge.kafka_offsets', '');
SELECT pg_extension_config_dump('bridge.dead_letters', '');
SELECT pg_extension_config_dump('bridge.dead_letters_id_seq', '');
