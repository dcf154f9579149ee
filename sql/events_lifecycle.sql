-- A stream that moves to the archive and back stays the same stream, for every function.
\set ON_ERROR_STOP off
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset null NULL

-- Where the versions of a stream lie.
CREATE FUNCTION lies(p_stream_id text) RETURNS TABLE (archived text, stored text) LANGUAGE sql AS $$
  SELECT (SELECT min(version) || '-' || max(version) FROM events.event_archive WHERE stream_id = p_stream_id),
         (SELECT min(version) || '-' || max(version) FROM events.event_store WHERE stream_id = p_stream_id)
$$;

SELECT events.append_events('life:1', '[
  {"event_type": "born", "event_data": {"n": 1}, "event_id": "a0000000-0000-0000-0000-000000000001"},
  {"event_type": "named", "event_data": {"n": 2}, "event_id": "a0000000-0000-0000-0000-000000000002", "metadata": {"m": 1}},
  {"event_type": "moved", "event_data": {"n": 3}, "event_id": "a0000000-0000-0000-0000-000000000003"},
  {"event_type": "moved", "event_data": {"n": 4}}]', 'ada');
SELECT version FROM events.append('life:2', 'born', '{}');
SELECT max(position) AS after_all FROM events.read_all(0, NULL) \gset
SELECT min(position) - 1 AS before_all, min(created_at) FILTER (WHERE version = 1) AS first_at
FROM events.replay_stream('life:1') \gset
SELECT events.create_subscription('life', 'life', :before_all);

-- What everybody is told.
CREATE FUNCTION told(p_after bigint, p_first_at timestamptz) RETURNS TABLE (question text, answer text) LANGUAGE sql AS $$
  SELECT 'replay', string_agg(e::text, ' ') FROM events.replay_stream('life:1') AS e
  UNION ALL SELECT 'from 2 to 3', string_agg(e::text, ' ') FROM events.replay_stream('life:1', 2, 3) AS e
  UNION ALL SELECT 'as of', string_agg(e::text, ' ') FROM events.replay_stream('life:1', p_as_of => p_first_at) AS e
  UNION ALL SELECT 'backwards', string_agg(e::text, ' ') FROM events.replay_backwards('life:1', 2) AS e
  UNION ALL SELECT 'version', events.stream_version('life:1')::text
  UNION ALL SELECT 'all', string_agg(e::text, ' ') FROM events.read_all(p_after) AS e
  UNION ALL SELECT 'first of all', string_agg(e::text, ' ') FROM events.read_all(p_after, 1) AS e
  UNION ALL SELECT 'category', string_agg(e::text, ' ') FROM events.read_category('life', p_after) AS e
  UNION ALL SELECT 'safe', events.safe_position()::text
  UNION ALL SELECT 'poll', string_agg(e::text, ' ') FROM events.poll_subscription('life') AS e
  UNION ALL SELECT 'members', string_agg(e::text, ' ' ORDER BY e.position)
    FROM generate_series(1, 2) AS m, events.poll_subscription('life', NULL, m, 2) AS e
  UNION ALL SELECT 'behind', lag_events::text FROM events.subscription_status WHERE name = 'life'
$$;
CREATE TEMP TABLE told_before AS SELECT * FROM told(:before_all, :'first_at');
SELECT question, length(answer) > 0 AS answered FROM told_before;
CREATE TEMP VIEW told_otherwise AS
  SELECT question FROM told(:before_all, :'first_at') AS t JOIN told_before AS b USING (question)
  WHERE t.answer IS DISTINCT FROM b.answer;

SELECT events.archive_stream('life:1');
SELECT * FROM lies('life:1');
SELECT * FROM told_otherwise;
SELECT events.restore_stream('life:1');
SELECT * FROM lies('life:1');
SELECT * FROM told_otherwise;
-- Nothing left to do.
SELECT events.restore_stream('life:1');
SELECT events.archive_stream('life:1'), events.archive_stream('life:1');
SELECT events.archive_stream('life:unknown'), events.restore_stream('life:unknown');

-- An archived event is parked, given out again and done with as any other.
SELECT events.park_event('life', :before_all + 2, 'cannot be read');
SELECT version FROM events.poll_subscription('life');
SELECT version, event_type, reason FROM events.parked_events WHERE name = 'life';
SELECT events.ack_subscription('life', :after_all);
SELECT events.retry_parked_event('life', :before_all + 2);
SELECT version, stream_id FROM events.poll_subscription('life');
SELECT events.discard_parked_event('life', :before_all + 2);
SELECT * FROM events.poll_subscription('life');

-- Appends go on behind it. What is expected is compared with the archived version.
SELECT version FROM events.append('life:1', 'woken', '{}', p_expected_version => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT version FROM events.append('life:1', 'woken', '{}', p_expected_version => 3);
BEGIN;
SELECT version FROM events.append('life:1', 'woken', '{}', p_expected_version => -1);
ROLLBACK;
BEGIN;
SELECT version FROM events.append('life:1', 'woken', '{}');
ROLLBACK;
SELECT version, was_duplicate FROM events.append('life:1', 'woken', '{}', p_expected_version => 4);
SELECT * FROM lies('life:1');
SELECT string_agg(version::text, ' ') AS versions, bool_and(created_at >= previous) IS NOT FALSE AS in_order
FROM (SELECT version, created_at, lag(created_at) OVER (ORDER BY version) AS previous FROM events.replay_stream('life:1')) AS e;

-- Ids still deduplicate, in whichever table they lie.
SELECT version, was_duplicate FROM events.append('life:1', 'named', '{"n": 2}', p_expected_version => 0,
  p_event_id => 'a0000000-0000-0000-0000-000000000002');
SELECT version FROM events.append('life:1', 'named', '{"n": 20}', p_event_id => 'a0000000-0000-0000-0000-000000000002');
\echo :LAST_ERROR_SQLSTATE
SELECT events.append_events('life:1', '[
  {"event_type": "named", "event_data": {"n": 2}, "event_id": "a0000000-0000-0000-0000-000000000002"},
  {"event_type": "moved", "event_data": {"n": 3}, "event_id": "a0000000-0000-0000-0000-000000000003"},
  {"event_type": "moved", "event_data": {"n": 4}},
  {"event_type": "woken", "event_data": {}}]');
SELECT events.append_events('life:1', '[
  {"event_type": "moved", "event_data": {"n": 3}, "event_id": "a0000000-0000-0000-0000-000000000003"},
  {"event_type": "new", "event_data": {}, "event_id": "a0000000-0000-0000-0000-000000000004"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT events.append_events('life:1', '[]');
-- A batch over archived and fresh streams, with an id that is archived and one that comes twice.
SELECT events.append_batch(ARRAY['life:1', 'life:3', 'life:1', 'life:1', 'life:3'], ARRAY['moved', 'born', 'a', 'a', 'grown'],
  ARRAY['{"n": 3}', '{}', '{}', '{}', '{}']::jsonb[],
  p_event_ids => ARRAY['a0000000-0000-0000-0000-000000000003', NULL, 'a0000000-0000-0000-0000-000000000005',
    'a0000000-0000-0000-0000-000000000005', NULL]::uuid[],
  p_expected_versions => ARRAY[0, 0, 5, 0, 1]);
SELECT events.append_batch(ARRAY['life:3', 'life:1'], ARRAY['a', 'moved'], ARRAY['{}', '{"n": 30}']::jsonb[],
  p_event_ids => ARRAY[NULL, 'a0000000-0000-0000-0000-000000000003']::uuid[]);
\echo :LAST_ERROR_SQLSTATE
SELECT stream_id, events.stream_version(stream_id) FROM (VALUES ('life:1'), ('life:3')) AS s (stream_id);

-- In parts: what follows is archived behind what was, and all of it comes back.
SELECT * FROM lies('life:1');
SELECT version FROM events.replay_stream('life:1', 4, 5);
SELECT version FROM events.replay_backwards('life:1', 3);
SELECT events.archive_stream('life:1');
SELECT version FROM events.append('life:1', 'woken', '{}', p_expected_version => 6);
SELECT * FROM lies('life:1');
SELECT events.restore_stream('life:1');
SELECT * FROM lies('life:1');
SELECT bool_and(version = n) AS contiguous, count(*) FROM (
  SELECT version, row_number() OVER (ORDER BY position) AS n FROM events.replay_stream('life:1')) AS e;

-- More than one chunk, long values among them: byte by byte the same there and back.
SELECT events.append_batch(array_fill('life:long'::text, ARRAY[8203]), array_fill('grown'::text, ARRAY[8203]), array_agg(
  jsonb_build_object('n', n, 's', CASE WHEN n % 4000 = 1 THEN (SELECT string_agg(md5(n || ':' || i), '') FROM generate_series(1, 2000) AS i)
    WHEN n % 4000 = 2 THEN repeat('compressed', 1000) END) ORDER BY n),
  p_metadata => array_agg(CASE WHEN n % 2 = 0 THEN jsonb_build_object('m', repeat('x', n % 1000)) END ORDER BY n))
FROM generate_series(1, 8203) AS n;
SELECT md5(string_agg(e::text, ' ')) AS long FROM events.replay_stream('life:long') AS e \gset
SELECT events.archive_stream('life:long');
SELECT * FROM lies('life:long');
SELECT md5(string_agg(e::text, ' ')) = :'long' AS same FROM events.replay_stream('life:long') AS e;
SELECT md5(string_agg(e::text, ' ' ORDER BY version)) = :'long' AS same FROM events.event_archive AS e WHERE stream_id = 'life:long';
SELECT events.append_events('life:long', jsonb_agg(jsonb_build_object('event_type', 't', 'event_data', '{}'::jsonb))) FROM generate_series(1, 501);
SELECT events.archive_stream('life:long');
SELECT events.restore_stream('life:long');
SELECT * FROM lies('life:long');
SELECT md5(string_agg(e::text, ' ')) = :'long' AS same FROM events.replay_stream('life:long', 1, 8203) AS e;
SET enable_seqscan = off;
SELECT version FROM events.event_store WHERE event_data @> '{"n": 777}' AND stream_id = 'life:long';
RESET enable_seqscan;
-- Exactly one chunk.
SELECT events.append_batch(array_fill('life:chunk'::text, ARRAY[4000]), array_fill('t'::text, ARRAY[4000]), array_fill('{}'::jsonb, ARRAY[4000]));
SELECT events.archive_stream('life:chunk');
SELECT * FROM lies('life:chunk');

-- In one transaction with its appends; given up as a whole, or back to a savepoint.
BEGIN;
SELECT events.append_events('life:4', '[{"event_type": "a", "event_data": {}}, {"event_type": "b", "event_data": {}}]');
SELECT events.archive_stream('life:4');
SELECT version FROM events.append('life:4', 'c', '{}', p_expected_version => 2);
SELECT * FROM lies('life:4');
SAVEPOINT s;
SELECT events.archive_stream('life:4');
SELECT events.restore_stream('life:4');
SELECT events.archive_stream('life:4');
SELECT version FROM events.append('life:4', 'd', '{}');
SELECT * FROM lies('life:4');
ROLLBACK TO s;
SELECT * FROM lies('life:4');
SELECT version FROM events.append('life:4', 'd', '{}', p_expected_version => 3);
COMMIT;
SELECT event_type FROM events.replay_stream('life:4');
BEGIN;
SELECT events.restore_stream('life:4');
ROLLBACK;
SELECT * FROM lies('life:4');
-- Within one statement.
SELECT a.version, events.archive_stream('life:5') AS moved, (events.append('life:5', 'b', '{}')).version AS next
FROM events.append('life:5', 'a', '{}') AS a;
SELECT * FROM lies('life:5');
-- What is only moved has been settled: whoever moved it reads on, also where a hole cannot be proved.
SELECT events.safe_position() AS settled \gset
SELECT events.append_events('life:6', '[{"event_type": "a", "event_data": {}}, {"event_type": "b", "event_data": {}}]');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT events.archive_stream('life:6');
SELECT event_type FROM events.read_all(:settled);
SELECT version FROM events.append('life:6', 'c', '{}');
SELECT event_type FROM events.read_all(:settled);
ROLLBACK;

-- Arguments, and who may.
SELECT events.archive_stream(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT events.restore_stream(NULL);
SELECT events.archive_stream('Life:1');
\echo :LAST_ERROR_SQLSTATE
SELECT events.restore_stream('life');
BEGIN READ ONLY;
SELECT events.archive_stream('life:1');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
SELECT events.archive_streams(ARRAY['life:1', NULL], 'infinity');
\echo :LAST_ERROR_SQLSTATE
BEGIN;
SELECT events.archive_streams(ARRAY['life:1', 'life:2', 'life:1', 'life:unknown'], 'infinity');
ROLLBACK;
SELECT r.name, f.name, has_function_privilege('auren_' || r.name, f.name, 'EXECUTE') AS may
FROM (VALUES ('reader'), ('writer'), ('admin')) AS r (name),
  (VALUES ('events.archive_stream(text)'), ('events.restore_stream(text)'), ('events.tombstone_stream(text)'),
    ('events.archive_older_than(text, timestamptz, int)'), ('events.archive_streams(text[], timestamptz)')) AS f (name)
WHERE has_function_privilege('auren_' || r.name, f.name, 'EXECUTE') ORDER BY f.name, r.name;
CREATE ROLE regress_auren_keeper IN ROLE auren_admin;
SET ROLE regress_auren_keeper;
SELECT events.archive_stream('life:2'), events.restore_stream('life:2');
INSERT INTO events.event_archive SELECT * FROM events.event_store;
DELETE FROM events.event_archive;
RESET ROLE;
DROP ROLE regress_auren_keeper;

-- The archive is as immutable as the store, for the owner and in any role of replication.
\set VERBOSITY sqlstate
UPDATE events.event_archive SET event_data = '{}';
DELETE FROM events.event_archive WHERE false;
TRUNCATE events.event_archive;
TRUNCATE events.event_store, events.event_archive;
INSERT INTO events.event_archive SELECT * FROM events.event_archive LIMIT 1 ON CONFLICT (stream_id, version) DO UPDATE SET event_data = '{}';
MERGE INTO events.event_archive AS e USING (VALUES (1)) AS v (n) ON e.version = v.n WHEN MATCHED THEN UPDATE SET event_data = '{}';
MERGE INTO events.event_archive AS e USING (VALUES (1)) AS v (n) ON e.version = v.n WHEN MATCHED THEN DELETE;
COPY (DELETE FROM events.event_archive RETURNING *) TO STDOUT;
WITH gone AS (DELETE FROM events.event_archive RETURNING *) INSERT INTO events.event_store SELECT * FROM gone;
DELETE FROM events.all_events;
SET session_replication_role = replica;
UPDATE events.event_archive SET event_data = '{}';
DELETE FROM events.event_archive;
TRUNCATE events.event_archive;
RESET session_replication_role;
\set VERBOSITY terse
DELETE FROM events.event_archive;

-- What somebody has added to either table is not passed by; nothing moves and nothing is lost.
CREATE FUNCTION pg_temp.watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE PROCEDURE pg_temp.refused(p_change text) LANGUAGE plpgsql AS $$
DECLARE
  moves text[] := ARRAY['archive_stream(''life:1'')', 'restore_stream(''life:4'')', 'archive_older_than(''life'', ''infinity'')'];
  answers text[] := '{}';
  moved text;
BEGIN
  FOREACH moved IN ARRAY moves LOOP
    BEGIN
      EXECUTE p_change;
      EXECUTE 'SELECT events.' || moved;
      RAISE SQLSTATE 'MOVED';
    EXCEPTION WHEN OTHERS THEN
      answers := answers || SQLSTATE;
    END;
  END LOOP;
  RAISE NOTICE '%: %', p_change, answers;
END $$;
CALL pg_temp.refused('CREATE TRIGGER w BEFORE INSERT ON events.event_archive FOR EACH ROW EXECUTE FUNCTION pg_temp.watch()');
CALL pg_temp.refused('CREATE TRIGGER w AFTER INSERT ON events.event_store FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.watch()');
CALL pg_temp.refused('CREATE TRIGGER w AFTER DELETE ON events.event_store FOR EACH ROW EXECUTE FUNCTION pg_temp.watch()');
CALL pg_temp.refused('CREATE TRIGGER w BEFORE DELETE ON events.event_archive FOR EACH ROW EXECUTE FUNCTION pg_temp.watch()');
CALL pg_temp.refused('ALTER TABLE events.event_archive ADD CHECK (event_type <> ''spam'')');
CALL pg_temp.refused('ALTER TABLE events.event_store ADD COLUMN note text DEFAULT ''by default''');
CALL pg_temp.refused('ALTER TABLE events.event_archive ADD COLUMN note text');
CALL pg_temp.refused('ALTER TABLE events.event_store ENABLE ROW LEVEL SECURITY');
CALL pg_temp.refused('ALTER TABLE events.event_archive ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
CALL pg_temp.refused('CREATE RULE r AS ON INSERT TO events.event_archive DO INSTEAD NOTHING');
CALL pg_temp.refused('CREATE TABLE public.pointer (stream_id text, version bigint, FOREIGN KEY (stream_id, version) REFERENCES events.event_store)');
CALL pg_temp.refused('CREATE INDEX ON events.event_archive (lower(event_type))');
CALL pg_temp.refused('CREATE INDEX ON events.event_archive USING gin (event_data)');
ALTER TABLE events.event_archive ENABLE ROW LEVEL SECURITY;
SELECT events.archive_stream('life:1');
ALTER TABLE events.event_archive DISABLE ROW LEVEL SECURITY;
SELECT 'life:1' AS stream, * FROM lies('life:1') UNION ALL SELECT 'life:4', * FROM lies('life:4');
-- A column that is dropped again stands in nobody's way.
BEGIN;
ALTER TABLE events.event_store ADD COLUMN note int NOT NULL DEFAULT 7, ADD COLUMN remark text;
SELECT version FROM events.append('life:1', 'noted', '{}');
ALTER TABLE events.event_store DROP COLUMN note, DROP COLUMN remark;
ALTER TABLE events.event_archive ADD COLUMN note text;
ALTER TABLE events.event_archive DROP COLUMN note;
SELECT events.archive_stream('life:1');
SELECT events.append_batch(ARRAY['life:1', 'life:1'], ARRAY['a', 'b'], ARRAY['{"n": 1}', '{}']::jsonb[]);
SELECT events.archive_stream('life:1');
SELECT events.restore_stream('life:1');
SELECT version, event_type, event_data, hash FROM events.replay_stream('life:1', 7);
ROLLBACK;
-- A version that lies in the archive already.
BEGIN;
INSERT INTO events.event_archive SELECT * FROM events.event_store WHERE stream_id = 'life:1' AND version = 2;
SELECT events.archive_stream('life:1');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- An archive that is not found is not an empty one.
BEGIN;
ALTER TABLE events.event_archive RENAME TO event_attic;
SELECT version FROM events.append('life:chunk', 't', '{}');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- Streams that nobody has written for long: the longest untouched first, no more than told.
SELECT events.append_batch(ARRAY['old:1', 'old:2', 'old:3', 'old:1', 'other:1', 'old:4'], array_fill('t'::text, ARRAY[6]), array_fill('{}'::jsonb, ARRAY[6]));
SELECT clock_timestamp() AS since \gset
SELECT version FROM events.append('old:2', 'touched', '{}');
CREATE VIEW old AS SELECT stream_id, (lies(stream_id)).* FROM (VALUES ('old:1'), ('old:2'), ('old:3'), ('old:4'), ('other:1')) AS s (stream_id);
SELECT events.archive_older_than('old', :'since', 0);
SELECT events.archive_older_than('old', :'since', 1);
SELECT * FROM old;
SELECT events.archive_older_than('old', :'since', 1);
SELECT * FROM old;
SELECT events.archive_older_than('old', '-infinity'), events.archive_older_than('nobody', 'infinity');
SELECT events.archive_older_than('old', :'since', NULL);
SELECT events.archive_older_than('old', :'since', NULL);
SELECT * FROM old;
SELECT events.archive_older_than('old', 'infinity');
SELECT events.archive_older_than('old', now(), -1);
\echo :LAST_ERROR_SQLSTATE
SELECT events.archive_older_than(NULL, now());
\echo :LAST_ERROR_SQLSTATE
SELECT events.archive_older_than('old', NULL);
BEGIN READ ONLY;
SELECT events.archive_older_than('old', 'infinity');
ROLLBACK;

-- More streams than a transaction may lock one by one.
BEGIN;
SELECT events.append_batch(array_agg('many:' || n), array_agg('t'::text), array_agg('{}'::jsonb)) FROM generate_series(1, 3000) AS n;
SELECT events.archive_older_than('many', 'infinity', NULL);
SELECT count(*) FROM events.event_archive WHERE stream_id LIKE 'many:%';
ROLLBACK;

-- Streams of the facade's, whatever their names.
BEGIN;
SELECT events.install_message_db_facade();
SELECT message_store.write_message(gen_random_uuid()::varchar, name, 'Said', '{"n": 1}')
FROM (VALUES (E'some\tThing-1'), ('someThing-' || repeat('x', 300))) AS n (name);
SELECT events.archive_stream('message_store:' || name), message_store.stream_version(name)
FROM (VALUES (E'some\tThing-1'), ('someThing-' || repeat('x', 300))) AS n (name);
SELECT type, position, data FROM message_store.get_stream_messages(E'some\tThing-1');
SELECT type, position FROM message_store.get_category_messages('someThing');
SELECT message_store.write_message(gen_random_uuid()::varchar, E'some\tThing-1', 'Said', '{"n": 2}', NULL, 0);
SELECT events.restore_stream(E'message_store:some\tThing-1');
ROLLBACK;

SELECT check_name, detail FROM events.verify() WHERE NOT ok;
DROP VIEW old, told_otherwise;
DROP FUNCTION told, lies;
SELECT events.drop_subscription('life');
