-- A closed stream takes no event any more, from nobody, and tells what it had.
\set ON_ERROR_STOP off
\set VERBOSITY terse
\set SHOW_CONTEXT never

SELECT events.append_events('closed:1', '[
  {"event_type": "opened", "event_data": {"n": 1}, "event_id": "b0000000-0000-0000-0000-000000000001"},
  {"event_type": "used", "event_data": {"n": 2}, "event_id": "b0000000-0000-0000-0000-000000000002"}]');
SELECT events.tombstone_stream('closed:1') AS tombstone \gset
SELECT version, event_type, event_data, metadata, created_by = session_user AS by_whoever_closed, event_id = :'tombstone' AS told
FROM events.replay_stream('closed:1');
-- Asked again it gives the same answer, and no second tombstone; also when it lies in the archive.
SELECT events.tombstone_stream('closed:1') = :'tombstone' AS same;
SELECT events.archive_stream('closed:1');
SELECT events.tombstone_stream('closed:1') = :'tombstone' AS same, events.stream_version('closed:1');

-- Archived or not, nothing can be appended, whatever is expected and however it comes.
CREATE PROCEDURE pg_temp.refused(p_call text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'SELECT events.' || p_call;
  RAISE NOTICE '%: done', p_call;
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE '%: % %', p_call, SQLSTATE, SQLERRM;
END $$;
CREATE PROCEDURE pg_temp.all_refused() LANGUAGE plpgsql AS $$
BEGIN
  CALL pg_temp.refused('append_event(''closed:1'', ''used'', ''{}'')');
  CALL pg_temp.refused('append_event(''closed:1'', ''used'', ''{}'', p_expected_version => 3)');
  CALL pg_temp.refused('append_event(''closed:1'', ''used'', ''{}'', p_expected_version => 0)');
  CALL pg_temp.refused('append(''closed:1'', ''used'', ''{}'', p_expected_version => -1)');
  CALL pg_temp.refused('append_events(''closed:1'', ''[{"event_type": "used", "event_data": {}}]'')');
  CALL pg_temp.refused('append_batch(ARRAY[''closed:2'', ''closed:1''], ARRAY[''a'', ''b''], ARRAY[''{}'', ''{}'']::jsonb[])');
END $$;
CALL pg_temp.all_refused();
SELECT events.stream_version('closed:2') AS all_or_nothing;
SELECT events.restore_stream('closed:1');
CALL pg_temp.all_refused();
\set VERBOSITY default
SELECT events.append_event('closed:1', 'used', '{}');
\set VERBOSITY terse

-- What was stored before is still known by its id, and a call about nothing asks for nothing.
SELECT version, was_duplicate FROM events.append('closed:1', 'opened', '{"n": 1}', p_event_id => 'b0000000-0000-0000-0000-000000000001');
SELECT events.append_events('closed:1', '[
  {"event_type": "used", "event_data": {"n": 2}, "event_id": "b0000000-0000-0000-0000-000000000002"}]');
SELECT events.append_batch(ARRAY['closed:1'], ARRAY['opened'], ARRAY['{"n": 1}']::jsonb[],
  p_event_ids => ARRAY['b0000000-0000-0000-0000-000000000001']::uuid[]);
SELECT events.append_events('closed:1', '[]');
CALL pg_temp.refused('append_event(''closed:1'', ''opened'', ''{"n": 2}'', p_event_id => ''b0000000-0000-0000-0000-000000000001'')');
-- Readers see it as any stream.
SELECT string_agg(event_type, ' ') FROM events.replay_stream('closed:1', 2);
SELECT version, event_type FROM events.replay_backwards('closed:1');

-- A stream can be closed before it is opened. Nobody else makes a tombstone.
SELECT events.tombstone_stream('closed:never') IS NOT NULL AS closed, events.stream_version('closed:never');
CALL pg_temp.refused('append_event(''closed:never'', ''opened'', ''{}'', p_expected_version => 0)');
CALL pg_temp.refused('append_event(''closed:3'', ''stream_tombstoned'', ''{}'')');
CALL pg_temp.refused('append_events(''closed:3'', ''[{"event_type": "stream_tombstoned", "event_data": {}}]'')');
CALL pg_temp.refused('append_batch(ARRAY[''closed:3''], ARRAY[''stream_tombstoned''], ARRAY[''{}'']::jsonb[])');
CALL pg_temp.refused('append_message(''closed-3'', ''stream_tombstoned'', ''{}'', NULL, gen_random_uuid(), NULL)');
CALL pg_temp.refused('tombstone_stream(NULL)');
CALL pg_temp.refused('tombstone_stream(''closed'')');
BEGIN READ ONLY;
CALL pg_temp.refused('tombstone_stream(''closed:4'')');
ROLLBACK;
-- Given up, it was never closed.
BEGIN;
SELECT version FROM events.append('closed:5', 'opened', '{}');
SELECT events.tombstone_stream('closed:5') IS NOT NULL AS closed;
SAVEPOINT s;
CALL pg_temp.refused('append_event(''closed:5'', ''used'', ''{}'')');
ROLLBACK;
SELECT version FROM events.append('closed:5', 'opened', '{}', p_expected_version => 0);

-- A person whose stream is closed: their new deliveries are rejected, those that are known stay so, and the
-- neighbours are stored.
CREATE FUNCTION delivery(p_user_id text, p_delivery_id text, p_value int DEFAULT 60) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('source', 'healthkit', 'delivery_id', p_delivery_id, 'user_id', p_user_id, 'readings',
    jsonb_build_array(jsonb_build_object('metric', 'heart_rate', 'value', p_value, 'start', '2025-03-01T09:00:00Z')))
$$;
SELECT status FROM bridge.ingest_batch(ARRAY[delivery('leaving', 'd-1'), delivery('staying', 'd-1')]);
SELECT events.tombstone_stream('user:leaving') IS NOT NULL AS closed;
CREATE TEMP TABLE answers AS SELECT * FROM bridge.ingest_batch(ARRAY[
  delivery('staying', 'd-2'), delivery('leaving', 'd-2'), delivery('leaving', 'd-1'), delivery('leaving', 'd-1', 61),
  delivery('leaving', 'd-2'), delivery('staying', 'd-3')]);
SELECT idx, status, event_id IS NOT NULL AS event, readings_accepted AS accepted, problem ->> 'code' AS code, problem ->> 'detail' AS detail
FROM answers;
SELECT events.archive_stream('user:leaving');
SELECT idx, status, problem ->> 'code' AS code
FROM bridge.ingest_batch(ARRAY[delivery('leaving', 'd-3'), delivery('leaving', 'd-1'), delivery('staying', 'd-4')]);
SELECT events.stream_version('user:leaving') AS leaving, events.stream_version('user:staying') AS staying,
  (SELECT count(*) FROM biometrics.readings('leaving', 'heart_rate')) AS readings;
SELECT neuros.switch_mode('leaving', 'companion');
\echo :LAST_ERROR_SQLSTATE
SELECT neuros.current_mode('leaving');
-- An archived person comes back with their next delivery.
SELECT events.archive_stream('user:staying');
SELECT status FROM bridge.ingest_batch(ARRAY[delivery('staying', 'd-1'), delivery('staying', 'd-5')]);
SELECT neuros.switch_mode('staying', 'companion') IS NOT NULL AS switched;
SELECT neuros.explain('staying') ->> 'mode' AS mode, events.stream_version('user:staying') > 5 AS went_on;
SELECT events.archive_stream('user:staying') > 0 AS archived;
SELECT neuros.explain('staying') ->> 'mode' AS mode, neuros.current_mode('staying');
SELECT count(*) FROM neuros.read_switches(0, NULL, 'staying');
DROP FUNCTION delivery;
