-- Events go straight into the heap; nobody may notice, whatever has been done to the table.
\set ON_ERROR_STOP off
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset null NULL

-- What is written is seen by the next call of the same statement, by every index and by every way.
SELECT a.version, b.version, c
FROM events.append('heap:1', 'first', '{"n": 1}') AS a,
  LATERAL events.append('heap:1', 'second', '{"n": 2}', p_expected_version => a.version) AS b,
  LATERAL events.append_events('heap:1', '[{"event_type": "third", "event_data": {"n": 3}},
    {"event_type": "fourth", "event_data": {"n": 4}}]', p_expected_version => b.version) AS c;
SELECT n, (events.append('heap:1', 'row', '{}')).version FROM generate_series(1, 3) AS n;
SET enable_seqscan = off;
SELECT version FROM events.event_store WHERE event_data @> '{"n": 4}' AND stream_id LIKE 'heap:%';
SELECT count(*) FROM events.event_store WHERE split_part(stream_id, ':', 1) = 'heap';
RESET enable_seqscan;
SELECT count(*) = count(DISTINCT position) AS one_position_each FROM events.event_store WHERE stream_id = 'heap:1';

-- A batch knows what it has not written yet: versions, expectations, repeated ids, over any chunk.
SELECT events.append_batch(ARRAY['heap:2', 'heap:3', 'heap:2'], ARRAY['a', 'a', 'b'], ARRAY['{}', '{}', '{}']::jsonb[],
  p_expected_versions => ARRAY[0, 0, 1]);
SELECT events.append_batch(ARRAY['heap:2', 'heap:2'], ARRAY['c', 'd'], ARRAY['{}', '{}']::jsonb[],
  p_expected_versions => ARRAY[2, 2]);
SELECT events.stream_version('heap:2');
SELECT events.append_batch(ARRAY['heap:4', 'heap:5', 'heap:4'], ARRAY['a', 'b', 'a'], ARRAY['{}', '{}', '{}']::jsonb[],
  p_event_ids => ARRAY['70000000-0000-0000-0000-000000000001', NULL, '70000000-0000-0000-0000-000000000001']::uuid[]);
SELECT events.append_batch(ARRAY['heap:6', 'heap:6'], ARRAY['a', 'b'], ARRAY['{}', '{}']::jsonb[],
  p_event_ids => array_fill('70000000-0000-0000-0000-000000000002'::uuid, ARRAY[2]));
\echo :LAST_ERROR_SQLSTATE
SELECT events.append_batch(ARRAY['heap:6', 'heap:7'], ARRAY['a', 'b'], ARRAY['{}', '{}']::jsonb[],
  p_event_ids => array_fill('70000000-0000-0000-0000-000000000002'::uuid, ARRAY[2]));
SELECT events.append_batch(array_agg('heap:big:' || n % 7), array_agg('t'::text), array_agg(jsonb_build_object('n', n)))
FROM generate_series(0, 9003) AS n;
SELECT stream_id, count(*), min(version), max(version), bool_and((event_data ->> 'n')::int / 7 = version - 1) AS in_order
FROM events.event_store WHERE stream_id LIKE 'heap:big:%' GROUP BY 1 ORDER BY 1;
SELECT count(*), bool_and(n = lag_n + 1) AS positions_follow_the_array
FROM (SELECT (event_data ->> 'n')::int AS n, lag((event_data ->> 'n')::int) OVER (ORDER BY position) AS lag_n
  FROM events.event_store WHERE stream_id LIKE 'heap:big:%') AS s;
SELECT events.append_events('heap:long', jsonb_agg(jsonb_build_object('event_type', 't', 'event_data',
  jsonb_build_object('n', n), 'event_id', '71000000-0000-0000-0000-' || lpad(n::text, 12, '0'))))
FROM generate_series(1, 4101) AS n;
SELECT count(*), bool_and((event_data ->> 'n')::int = version) AS in_order FROM events.replay_stream('heap:long');

-- Events too large for a page, one by one and together.
SELECT (events.append('heap:wide', 'wide', jsonb_build_object('n', 1, 's', repeat(md5('x') || 'y', 3000)))).version;
SELECT events.append_batch(array_agg('heap:wide'::text), array_agg('wide'::text),
  array_agg(jsonb_build_object('n', n, 's', (SELECT string_agg(md5(n || ':' || i), '') FROM generate_series(1, 2000) AS i))),
  p_metadata => array_agg(CASE WHEN n > 2 THEN '{"m": 1}'::jsonb END))
FROM generate_series(2, 4) AS n;
SELECT version, length(event_data ->> 's'), metadata FROM events.replay_stream('heap:wide');

-- Savepoints.
BEGIN;
SELECT events.append_batch(ARRAY['heap:8', 'heap:8'], ARRAY['kept', 'kept'], ARRAY['{}', '{}']::jsonb[]);
SAVEPOINT s;
SELECT events.append_batch(ARRAY['heap:8', 'heap:8'], ARRAY['lost', 'lost'], ARRAY['{}', '{}']::jsonb[]);
SELECT (events.append('heap:8', 'lost', '{}')).version;
ROLLBACK TO s;
SELECT (events.append('heap:8', 'kept', '{}')).version;
COMMIT;
BEGIN;
SELECT events.append_batch(ARRAY['heap:8'], ARRAY['lost'], ARRAY['{}']::jsonb[]);
ROLLBACK;
SELECT version, event_type FROM events.replay_stream('heap:8');

-- A hundred thousand streams in one transaction.
BEGIN;
SELECT events.append_batch(array_agg('heapmany:' || n), array_agg('t'::text), array_agg('{}'::jsonb))
FROM generate_series(1, 100000) AS n;
SELECT count(*), count(DISTINCT stream_id) FROM events.event_store WHERE stream_id LIKE 'heapmany:%';
ROLLBACK;

-- A thousand are locked one by one, and appends to others go on; from the next on nobody else appends.
CREATE TEMP VIEW store_lock AS
  SELECT string_agg(mode, ' ' ORDER BY mode) AS modes FROM pg_locks
  WHERE pid = pg_backend_pid() AND relation = 'events.append_lock'::regclass;
BEGIN;
SELECT events.append_batch(array_agg('heapmany:' || n), array_agg('t'::text), array_agg('{}'::jsonb))
FROM generate_series(1, 1000) AS n;
SELECT * FROM store_lock;
SELECT (events.append('heapmany:1001', 't', '{}')).version;
SELECT * FROM store_lock;
ROLLBACK;
BEGIN;
SELECT events.append_batch(array_agg('heapmany:' || n), array_agg('t'::text), array_agg('{}'::jsonb))
FROM generate_series(1, 1001) AS n;
SELECT * FROM store_lock;
ROLLBACK;
DROP VIEW store_lock;

-- A read-only transaction says so before anything else.
BEGIN READ ONLY;
SELECT events.append_batch(ARRAY['heap:9'], ARRAY['a'], ARRAY['{}']::jsonb[]);
ROLLBACK;

-- What somebody adds to the table takes part at once, in this connection too, and until it is dropped.
CREATE FUNCTION pg_temp.watch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE '% %, search_path %', TG_WHEN, TG_LEVEL, current_setting('search_path');
  RETURN NEW;
END $$;
CREATE TRIGGER row_trigger AFTER INSERT ON events.event_store FOR EACH ROW EXECUTE FUNCTION pg_temp.watch();
SELECT events.append_batch(ARRAY['heap:10', 'heap:10'], ARRAY['a', 'b'], ARRAY['{}', '{}']::jsonb[]);
DROP TRIGGER row_trigger ON events.event_store;
CREATE TRIGGER statement_trigger BEFORE INSERT ON events.event_store FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.watch();
SELECT events.append_events('heap:10', '[{"event_type": "c", "event_data": {}}]');
DROP TRIGGER statement_trigger ON events.event_store;
SELECT events.append_events('heap:10', '[{"event_type": "d", "event_data": {}}]');

-- A trigger that appends to the stream that is being appended to.
CREATE FUNCTION pg_temp.echo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.event_type = 'said' THEN PERFORM events.append_event(NEW.stream_id, 'heard', '{}'); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER echo AFTER INSERT ON events.event_store FOR EACH ROW EXECUTE FUNCTION pg_temp.echo();
SELECT events.append_batch(ARRAY['heap:11', 'heap:11'], ARRAY['said', 'said'], ARRAY['{}', '{}']::jsonb[]);
DROP TRIGGER echo ON events.event_store;
SELECT version, event_type FROM events.replay_stream('heap:11');

-- A constraint, a column, a foreign key, code in an index, a rule.
ALTER TABLE events.event_store ADD CONSTRAINT no_spam CHECK (event_type <> 'spam');
SELECT events.append_event('heap:12', 'spam', '{}');
SELECT events.append_batch(ARRAY['heap:12', 'heap:12'], ARRAY['ham', 'spam'], ARRAY['{}', '{}']::jsonb[]);
ALTER TABLE events.event_store DROP CONSTRAINT no_spam;
BEGIN;
ALTER TABLE events.event_store ADD COLUMN note text NOT NULL DEFAULT 'by default';
SELECT events.append_batch(ARRAY['heap:12'], ARRAY['noted'], ARRAY['{}']::jsonb[]);
SELECT event_type, note FROM events.event_store WHERE stream_id = 'heap:12';
ROLLBACK;
CREATE TABLE public.heap_types (event_type text COLLATE "C" PRIMARY KEY);
ALTER TABLE events.event_store ADD CONSTRAINT known_type FOREIGN KEY (event_type) REFERENCES public.heap_types NOT VALID;
SELECT events.append_event('heap:12', 'unknown', '{}');
ALTER TABLE events.event_store DROP CONSTRAINT known_type;
DROP TABLE public.heap_types;
CREATE FUNCTION public.heap_path(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  IF $1 = 'heap:12' THEN RAISE NOTICE 'search_path %', current_setting('search_path'); END IF;
  RETURN $1;
END $$;
CREATE INDEX heap_path ON events.event_store (public.heap_path(stream_id)) WHERE stream_id = 'heap:12';
SELECT (events.append('heap:12', 'indexed', '{}')).version;
DROP INDEX events.heap_path;
DROP FUNCTION public.heap_path;
CREATE RULE nothing AS ON INSERT TO events.event_store WHERE NEW.event_type = 'unwanted' DO INSTEAD NOTHING;
SELECT events.append_batch(ARRAY['heap:13'], ARRAY['unwanted'], ARRAY['{}']::jsonb[]);
DROP RULE nothing ON events.event_store;
SELECT events.stream_version('heap:13');

-- Row level security and revoked privileges bind an owner who is no superuser, and who is bound by them.
CREATE ROLE regress_auren_heap_owner;
GRANT USAGE, CREATE ON SCHEMA events TO regress_auren_heap_owner;
BEGIN;
ALTER TABLE events.append_lock OWNER TO regress_auren_heap_owner;
ALTER TABLE events.append_gate OWNER TO regress_auren_heap_owner;
ALTER TABLE events.event_store OWNER TO regress_auren_heap_owner;
ALTER FUNCTION events.append_batch OWNER TO regress_auren_heap_owner;
SELECT events.append_batch(ARRAY['heap:14'], ARRAY['allowed'], ARRAY['{}']::jsonb[]);
SAVEPOINT s;
REVOKE INSERT ON events.event_store FROM regress_auren_heap_owner;
SELECT events.append_batch(ARRAY['heap:14'], ARRAY['revoked'], ARRAY['{}']::jsonb[]);
ROLLBACK TO s;
ALTER TABLE events.event_store ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY nothing_forbidden ON events.event_store FOR INSERT WITH CHECK (event_type <> 'forbidden');
SELECT events.append_batch(ARRAY['heap:14', 'heap:14'], ARRAY['allowed', 'forbidden'], ARRAY['{}', '{}']::jsonb[]);
ROLLBACK TO s;
SELECT event_type FROM events.event_store WHERE stream_id = 'heap:14';
ROLLBACK;
REVOKE ALL ON SCHEMA events FROM regress_auren_heap_owner;
DROP ROLE regress_auren_heap_owner;

-- DROP and CREATE EXTENSION in one connection: nothing points to what is gone.
BEGIN;
DROP EXTENSION auren;
CREATE EXTENSION auren;
SELECT events.append_batch(ARRAY['heap:1', 'heap:1'], ARRAY['a', 'b'], ARRAY['{}', '{}']::jsonb[]);
SELECT (events.append('heap:1', 'c', '{}')).version;
ROLLBACK;
SELECT (events.append('heap:1', 'back', '{}')).version;
