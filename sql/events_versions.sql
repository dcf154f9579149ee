-- Expected versions and repeated event ids.
\set ON_ERROR_STOP off

-- 0: the stream must not exist. -1: it must exist. n: it must be at n. NULL: any.
SELECT version FROM events.append('version:1', 'opened', '{}', p_expected_version => -1);
\echo :LAST_ERROR_SQLSTATE
SELECT version FROM events.append('version:1', 'opened', '{}', p_expected_version => 1);
\echo :LAST_ERROR_SQLSTATE
SELECT version FROM events.append('version:1', 'opened', '{}', p_expected_version => 0);
SELECT version FROM events.append('version:1', 'opened', '{}', p_expected_version => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT version FROM events.append('version:1', 'changed', '{}', p_expected_version => -1);
SELECT version FROM events.append('version:1', 'changed', '{}', p_expected_version => 2);
SELECT version FROM events.append('version:1', 'changed', '{}', p_expected_version => 2);
\echo :LAST_ERROR_SQLSTATE
SELECT version FROM events.append('version:1', 'changed', '{}', p_expected_version => -2);
\echo :LAST_ERROR_SQLSTATE
SELECT events.stream_version('version:1');

-- A refused append draws no position.
SELECT last_value AS before FROM events.event_store_position_seq \gset
SELECT version FROM events.append('version:1', 'changed', '{}', p_expected_version => 0);
SELECT last_value = :before AS same FROM events.event_store_position_seq;

-- The same id with the same content: the first answer, whatever version is expected now. Metadata and
-- author are not compared.
SELECT version, was_duplicate FROM events.append('version:2', 'paid', '{"sum": 1.50, "by": "card"}',
  p_event_id => '10000000-0000-0000-0000-000000000001', p_expected_version => 0);
SELECT version FROM events.append('version:2', 'shipped', '{}');
SELECT event_id, version, was_duplicate FROM events.append('version:2', 'paid', '{"by": "card", "sum": 1.50}',
  'someone', 0, '10000000-0000-0000-0000-000000000001', '{"retry": 1}');
SELECT events.append_event('version:2', 'paid', '{"sum": 1.50, "by": "card"}', NULL, 17,
  '10000000-0000-0000-0000-000000000001');
SELECT events.stream_version('version:2');

-- With other content: refused, whatever differs.
SELECT events.append_event('version:2', 'paid', '{"sum": 2, "by": "card"}',
  p_event_id => '10000000-0000-0000-0000-000000000001');
\echo :LAST_ERROR_SQLSTATE
SELECT events.append_event('version:2', 'repaid', '{"sum": 1.50, "by": "card"}',
  p_event_id => '10000000-0000-0000-0000-000000000001');
\echo :LAST_ERROR_SQLSTATE

-- An id belongs to its stream.
SELECT version, was_duplicate FROM events.append('version:3', 'paid', '{"sum": 2}',
  p_event_id => '10000000-0000-0000-0000-000000000001');

-- A repeat within one statement.
SELECT version, was_duplicate
FROM generate_series(1, 2) AS n,
  events.append('version:4', 'once', jsonb_build_object('zero', n * 0), p_event_id => '10000000-0000-0000-0000-000000000002')
ORDER BY was_duplicate;

-- An array: all or nothing, and the new version.
SELECT events.append_events('version:5', '[
  {"event_type": "a", "event_data": {"n": 1}, "event_id": "20000000-0000-0000-0000-000000000001"},
  {"event_type": "b", "event_data": {"n": 2}, "event_id": "20000000-0000-0000-0000-000000000002", "metadata": {"m": 1}}
]', 'author', 0);
SELECT version, event_type, event_data, metadata, created_by FROM events.replay_stream('version:5');
SELECT events.append_event('version:5', 'c', '{}') IS NOT NULL AS appended;
-- The whole call again: what it said the first time.
SELECT events.append_events('version:5', '[
  {"event_type": "a", "event_data": {"n": 1}, "event_id": "20000000-0000-0000-0000-000000000001"},
  {"event_type": "b", "event_data": {"n": 2}, "event_id": "20000000-0000-0000-0000-000000000002", "metadata": {"m": 1}}
]', 'author', 0);
-- Only a part of it was there before.
SELECT events.append_events('version:5', '[
  {"event_type": "b", "event_data": {"n": 2}, "event_id": "20000000-0000-0000-0000-000000000002"},
  {"event_type": "d", "event_data": {}, "event_id": "20000000-0000-0000-0000-000000000003"}
]');
\echo :LAST_ERROR_SQLSTATE
-- The whole call with one event changed.
SELECT events.append_events('version:5', '[
  {"event_type": "a", "event_data": {"n": 1}, "event_id": "20000000-0000-0000-0000-000000000001"},
  {"event_type": "b", "event_data": {"n": 3}, "event_id": "20000000-0000-0000-0000-000000000002"}
]');
\echo :LAST_ERROR_SQLSTATE
SELECT events.stream_version('version:5');
-- Events without an id are recognised beside those that have one, and only there.
SELECT events.append_events('version:6', '[
  {"event_type": "a", "event_data": {"n": 1}},
  {"event_type": "b", "event_data": {"n": 2}, "event_id": "20000000-0000-0000-0000-000000000002"},
  {"event_type": "c", "event_data": {"n": 3}}
]') FROM generate_series(1, 2);
SELECT events.append_events('version:6', '[
  {"event_type": "b", "event_data": {"n": 2}, "event_id": "20000000-0000-0000-0000-000000000002"},
  {"event_type": "c", "event_data": {"n": 4}}
]');
\echo :LAST_ERROR_SQLSTATE
SELECT events.stream_version('version:6');
-- Without ids every call is a new one.
SELECT events.append_events('version:7', '[{"event_type": "a", "event_data": {}}]') FROM generate_series(1, 2);
-- An empty array: the current version.
SELECT events.append_events('version:7', '[]'), events.append_events('version:unknown', '[]', NULL, 5);
-- The expected version is that of the whole call.
SELECT events.append_events('version:7', '[{"event_type": "a", "event_data": {}}, {"event_type": "b", "event_data": {}}]', NULL, 2);
SELECT events.append_events('version:7', '[{"event_type": "a", "event_data": {}}, {"event_type": "b", "event_data": {}}]', NULL, 2);
\echo :LAST_ERROR_SQLSTATE

-- A batch: many streams, positions in array order, ids and versions per element.
SELECT events.append_batch(
  ARRAY['version:10', 'version:11', 'version:10', 'version:11'],
  ARRAY['a', 'b', 'c', 'b'],
  ARRAY['{"n": 1}', '{"n": 2}', '{"n": 3}', '{"n": 2}']::jsonb[],
  'batch',
  ARRAY[NULL, '30000000-0000-0000-0000-000000000001', NULL, '30000000-0000-0000-0000-000000000001']::uuid[],
  ARRAY['{"m": 1}', NULL, NULL, NULL]::jsonb[],
  ARRAY[0, 0, 1, 0]);
SELECT stream_id, version, event_type, event_data, metadata, created_by
FROM events.event_store WHERE stream_id IN ('version:10', 'version:11') ORDER BY position;
-- One wrong element undoes the whole.
SELECT events.append_batch(ARRAY['version:12', 'version:10'], ARRAY['a', 'b'], ARRAY['{}', '{}']::jsonb[],
  p_expected_versions => ARRAY[NULL, 7]);
\echo :LAST_ERROR_SQLSTATE
SELECT events.stream_version('version:12'), events.stream_version('version:10');
SELECT events.append_batch('{}', '{}', '{}');
SELECT events.append_batch(ARRAY['version:10'], ARRAY['a', 'b'], ARRAY['{}']::jsonb[]);
\echo :LAST_ERROR_SQLSTATE
SELECT events.append_batch(ARRAY['version:10'], ARRAY['a'], ARRAY['{}']::jsonb[], p_event_ids => '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT events.append_batch(ARRAY[['version:10']], ARRAY[['a']], ARRAY[['{}']]::jsonb[]);
\echo :LAST_ERROR_SQLSTATE

-- More streams than locks are taken for: one store lock instead, and the same answers.
BEGIN;
SELECT events.append_batch(array_agg('version:many_' || n), array_agg('seen'::text), array_agg('{}'::jsonb))
FROM generate_series(1, 1500) AS n;
SELECT count(*) FILTER (WHERE locktype = 'advisory') AS stream_locks,
  bool_or(mode = 'ShareRowExclusiveLock' AND relation = 'events.append_lock'::regclass) AS store_lock
FROM pg_locks WHERE pid = pg_backend_pid();
ROLLBACK;
-- One by one, the thousandth stream makes the difference.
BEGIN;
SELECT count(events.append_event('version:many_' || n, 'seen', '{}')) FROM generate_series(1, 1200) AS n;
SELECT count(*) FILTER (WHERE locktype = 'advisory') AS stream_locks,
  bool_or(mode = 'ShareRowExclusiveLock' AND relation = 'events.append_lock'::regclass) AS store_lock
FROM pg_locks WHERE pid = pg_backend_pid();
ROLLBACK;

-- The same bytes whichever way they come: alone, in an array of events, in a batch.
SELECT version, was_duplicate FROM events.append('version:20', 'paid',
  '{"sum": 12.50, "neg": -3e-7, "list": [1, {"deep": [true, null, "ü"]}], "empty": {}, "s": ""}',
  p_event_id => '20000000-0000-0000-0000-000000000020');
SELECT events.append_events('version:20', '[{"event_id": "20000000-0000-0000-0000-000000000020", "event_type": "paid",
  "event_data": {"s": "", "empty": {}, "list": [1, {"deep": [true, null, "ü"]}], "neg": -3e-7, "sum": 12.50}}]');
SELECT events.append_batch(ARRAY['version:20'], ARRAY['paid'],
  ARRAY['{"sum": 12.50, "neg": -3e-7, "list": [1, {"deep": [true, null, "ü"]}], "empty": {}, "s": ""}']::jsonb[],
  p_event_ids => ARRAY['20000000-0000-0000-0000-000000000020']::uuid[]);
