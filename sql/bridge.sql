-- Deliveries in, one answer each.

-- The answer has everything; the event id is the UUIDv5 of source and delivery_id.
SELECT idx, status, event_id, readings_accepted, readings_rejected, from_mode, to_mode, problem,
  trigger, confidence, position > 0 AS has_position, anomalies
FROM bridge.ingest_batch(ARRAY[
  '{"source": "healthkit", "delivery_id": "d-1", "user_id": "ada", "event_type": "samples",
    "received_at": "2025-03-01T08:00:05Z", "trace_id": "t-1", "key_name": "phone",
    "readings": [{"metric": "heart_rate", "value": 62, "unit": "/min",
                  "start": "2025-03-01T09:00:00+01:00", "source": "watch"}]}']::jsonb[]);

-- The event keeps the delivery as sent; how it came is metadata.
SELECT stream_id, event_type, event_id, event_data, metadata - 'config_version' AS metadata
FROM events.replay_stream('user:ada') WHERE event_type = 'biometric_received';
SELECT user_id, device_type, metric_type, recorded_at AT TIME ZONE 'UTC' AS recorded_at, ended_at, value,
  state, unit, statistic, context, source, zone_offset, quality, flags, external_id, day,
  position = (SELECT position FROM events.replay_stream('user:ada', 1, 1)) AS of_the_event
FROM biometrics.biometric_events WHERE user_id = 'ada';

-- The same delivery again is known, however it comes; other readings under its id are told, not stored.
SELECT idx, status, event_id, readings_accepted, problem, position > 0 AS has_position
FROM bridge.ingest_batch(ARRAY[
  '{"source": "healthkit", "delivery_id": "d-1", "user_id": "ada", "trace_id": "t-2",
    "readings": [{"metric": "heart_rate", "value": 62.0, "unit": "/min",
                  "start": "2025-03-01T09:00:00+01:00", "source": "watch"}]}',
  '{"source": "healthkit", "delivery_id": "d-1", "user_id": "ada",
    "readings": [{"metric": "heart_rate", "value": 63, "unit": "/min",
                  "start": "2025-03-01T09:00:00+01:00", "source": "watch"}]}']::jsonb[]);
SELECT events.stream_version('user:ada') AS version, (SELECT count(*) FROM biometrics.readings('ada', 'heart_rate')) AS readings;

-- The same id of another source or person is another delivery; twice in one batch, the second is known.
SELECT idx, status, event_id, readings_accepted
FROM bridge.ingest_batch(ARRAY[
  '{"source": "oura", "delivery_id": "d-1", "user_id": "ada",
    "readings": [{"metric": "step_count", "value": 10, "start": "2025-03-01T09:00:00Z"}]}',
  '{"source": "healthkit", "delivery_id": "d-1", "user_id": "bea",
    "readings": [{"metric": "step_count", "value": 10, "start": "2025-03-01T09:00:00Z"}]}',
  '{"source": "oura", "delivery_id": "d-1", "user_id": "ada",
    "readings": [{"metric": "step_count", "value": 10, "start": "2025-03-01T09:00:00Z"}]}']::jsonb[]);

-- What cannot be a delivery is rejected, each for its reason, and its neighbours are not.
SELECT idx, status, event_id, readings_accepted, readings_rejected, problem ->> 'code' AS code,
  problem ->> 'detail' AS detail, anomalies
FROM bridge.ingest_batch(ARRAY[
  NULL,
  '3',
  '[]',
  '{}',
  '{"source": "Health Kit", "delivery_id": "d", "user_id": "u", "readings": [{"metric": "heart_rate"}]}',
  '{"source": 7, "delivery_id": "d", "user_id": "u", "readings": [{"metric": "heart_rate"}]}',
  '{"source": "healthkit", "user_id": "u", "readings": [{"metric": "heart_rate"}]}',
  '{"source": "healthkit", "delivery_id": "a\tb", "user_id": "u", "readings": [{"metric": "heart_rate"}]}',
  '{"source": "healthkit", "delivery_id": "d", "readings": [{"metric": "heart_rate"}]}',
  '{"source": "healthkit", "delivery_id": "d", "user_id": "", "readings": [{"metric": "heart_rate"}]}',
  '{"source": "healthkit", "delivery_id": "d", "user_id": "a\nb", "readings": [{"metric": "heart_rate"}]}',
  jsonb_build_object('source', 'healthkit', 'delivery_id', 'd', 'user_id', repeat('u', 251), 'readings', '[{"metric": "heart_rate"}]'::jsonb),
  '{"source": "healthkit", "delivery_id": "d", "user_id": "u"}',
  '{"source": "healthkit", "delivery_id": "d", "user_id": "u", "readings": {}}',
  '{"source": "healthkit", "delivery_id": "d", "user_id": "u", "readings": []}',
  '{"source": "healthkit", "delivery_id": "d", "user_id": "u", "readings": [1, null, {}, {"value": 3}]}',
  '{"source": "healthkit", "delivery_id": "fine", "user_id": "bridge_neighbour",
    "readings": [{"metric": "step_count", "value": 1, "start": "2025-03-01T09:00:00Z"}]}']::jsonb[]);
SELECT events.stream_version('user:u') AS nothing, events.stream_version('user:bridge_neighbour') AS neighbour;
SELECT * FROM bridge.ingest_batch('{}');
SELECT * FROM bridge.ingest_batch(NULL);

-- A time of receipt to come is cut to now; none, or none that can be read, means now.
SELECT status FROM bridge.ingest_batch(ARRAY[
  '{"source": "healthkit", "delivery_id": "ahead", "user_id": "bridge_times", "received_at": "2999-01-01T00:00:00Z",
    "readings": [{"metric": "step_count", "value": 1, "start": "2025-03-01T09:00:00Z"}]}',
  '{"source": "healthkit", "delivery_id": "soon", "user_id": "bridge_times", "received_at": "soon",
    "readings": [{"metric": "step_count", "value": 1, "start": "2025-03-01T09:00:00Z"}]}',
  '{"source": "healthkit", "delivery_id": "none", "user_id": "bridge_times",
    "readings": [{"metric": "step_count", "value": 1, "start": "2025-03-01T09:00:00Z"}]}']::jsonb[]);
SELECT event_data ->> 'delivery_id' AS delivery_id,
  (metadata ->> 'received_at')::timestamptz BETWEEN now() - interval '1 minute' AND created_at AS is_now
FROM events.replay_stream('user:bridge_times');

-- A person's id may hold anything but control characters; a delivery may carry what we do not know.
SELECT status, readings_accepted FROM bridge.ingest_batch(ARRAY[
  '{"source": "whoop", "delivery_id": "t/1/2", "user_id": "whoop:Größe \"1\"; --", "later": {"a": [1]},
    "readings": [{"metric": "step_count", "value": 1, "start": "2025-03-01T09:00:00Z", "later": 1}]}']::jsonb[]);
SELECT stream_id, event_data -> 'later' AS later, event_data #> '{readings,0,later}' AS in_reading
FROM events.replay_stream('user:whoop:Größe "1"; --');

-- An error leaves nothing behind.
BEGIN;
SELECT status FROM bridge.ingest_batch(ARRAY[
  '{"source": "healthkit", "delivery_id": "gone", "user_id": "bridge_gone",
    "readings": [{"metric": "step_count", "value": 1, "start": "2025-03-01T09:00:00Z"}]}']::jsonb[]);
ROLLBACK;
SELECT events.stream_version('user:bridge_gone') AS version, count(*) AS readings
FROM biometrics.readings('bridge_gone', 'step_count');

-- Nobody but a writer.
SELECT has_function_privilege('public', 'bridge.ingest_batch(jsonb[])', 'EXECUTE') AS public,
  has_function_privilege('auren_reader', 'bridge.ingest_batch(jsonb[])', 'EXECUTE') AS reader,
  has_function_privilege('auren_writer', 'bridge.ingest_batch(jsonb[])', 'EXECUTE') AS writer;
SET ROLE auren_writer;
SELECT status FROM bridge.ingest_batch(ARRAY[
  '{"source": "healthkit", "delivery_id": "w", "user_id": "bridge_writer",
    "readings": [{"metric": "step_count", "value": 1, "start": "2025-03-01T09:00:00Z"}]}']::jsonb[]);
DELETE FROM biometrics.biometric_events;
UPDATE neuros.user_modes SET current_mode = 'reflex';
RESET ROLE;
-- The caller's search_path decides nothing.
CREATE SCHEMA bridge_evil;
CREATE FUNCTION bridge_evil.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil'; END $$;
CREATE OPERATOR bridge_evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = bridge_evil.eq);
SET search_path = bridge_evil, pg_catalog;
SELECT status FROM bridge.ingest_batch(ARRAY[
  '{"source": "healthkit", "delivery_id": "e", "user_id": "bridge_writer",
    "readings": [{"metric": "heart_rate", "value": 60, "start": "2025-03-01T09:00:00Z"}]}']::jsonb[]);
SHOW search_path;
RESET search_path;
DROP SCHEMA bridge_evil CASCADE;
