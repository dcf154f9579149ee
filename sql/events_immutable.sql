-- What is stored stays, and only those may write or read who were given it.
\set ON_ERROR_STOP off

SELECT events.append_event('immutable:1', 'written', '{"n": 1}', p_event_id => '40000000-0000-0000-0000-000000000001');

-- The owner, here also the superuser.
UPDATE events.event_store SET event_data = '{}' WHERE stream_id = 'immutable:1';
\echo :LAST_ERROR_SQLSTATE
UPDATE events.event_store SET event_data = '{}' WHERE false;
\echo :LAST_ERROR_SQLSTATE
DELETE FROM events.event_store WHERE stream_id = 'immutable:1';
\echo :LAST_ERROR_SQLSTATE
TRUNCATE events.event_store;
\echo :LAST_ERROR_SQLSTATE
TRUNCATE events.event_store CASCADE;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO events.event_store (event_id, stream_id, version, event_type, event_data, created_by, created_at)
VALUES ('40000000-0000-0000-0000-000000000001', 'immutable:1', 2, 'written', '{}', 'test', now())
ON CONFLICT (stream_id, event_id) DO UPDATE SET event_data = '{}';
\echo :LAST_ERROR_SQLSTATE
INSERT INTO events.event_store (event_id, stream_id, version, event_type, event_data, created_by, created_at)
VALUES ('40000000-0000-0000-0000-000000000002', 'immutable:new', 1, 'written', '{}', 'test', now())
ON CONFLICT (stream_id, event_id) DO UPDATE SET event_data = '{}';
\echo :LAST_ERROR_SQLSTATE
MERGE INTO events.event_store AS e USING (VALUES ('immutable:1')) AS v(id) ON e.stream_id = v.id
WHEN MATCHED THEN UPDATE SET event_data = '{}';
\echo :LAST_ERROR_SQLSTATE
MERGE INTO events.event_store AS e USING (VALUES ('immutable:1')) AS v(id) ON e.stream_id = v.id
WHEN MATCHED THEN DELETE;
\echo :LAST_ERROR_SQLSTATE

-- Neither replication's role nor the rewriting of rows by a trigger-less session opens it.
SET session_replication_role = replica;
UPDATE events.event_store SET event_data = '{}';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM events.event_store;
\echo :LAST_ERROR_SQLSTATE
TRUNCATE events.event_store;
\echo :LAST_ERROR_SQLSTATE
RESET session_replication_role;

SELECT version, event_type, event_data FROM events.replay_stream('immutable:1');
SELECT events.stream_version('immutable:new');
SELECT count(*) AS foreign_keys FROM pg_constraint WHERE confrelid = 'events.event_store'::regclass;
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'events.event_store'::regclass AND NOT tgisinternal;
SELECT events.refuse_change();

-- Roles.
CREATE ROLE regress_auren_nobody;
CREATE ROLE regress_auren_reader IN ROLE auren_reader;
CREATE ROLE regress_auren_writer IN ROLE auren_writer;
CREATE ROLE regress_auren_admin IN ROLE auren_admin;

-- Nobody: nothing at all.
SET ROLE regress_auren_nobody;
SELECT events.append_event('immutable:2', 'written', '{}');
SELECT count(*) FROM events.event_store;
RESET ROLE;
SELECT proname FROM pg_proc
WHERE pronamespace = 'events'::regnamespace AND has_function_privilege('regress_auren_nobody', oid, 'EXECUTE');
SELECT relname FROM pg_class
WHERE relnamespace = 'events'::regnamespace AND relkind IN ('r', 'v')
  AND has_table_privilege('regress_auren_nobody', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER');

-- A reader reads.
SET ROLE regress_auren_reader;
SELECT version, event_data FROM events.replay_stream('immutable:1');
SELECT events.get_stream_state('immutable:1')->'state' AS state, events.stream_version('immutable:1');
SELECT events.append_event('immutable:2', 'written', '{}');
RESET ROLE;

-- A writer appends by function and not otherwise. The author is who logged in, not who was put on.
SET ROLE regress_auren_writer;
SELECT version FROM events.append('immutable:2', 'written', '{}');
SELECT events.append_events('immutable:2', '[{"event_type": "written", "event_data": {}}]');
SELECT events.append_batch(ARRAY['immutable:2'], ARRAY['written'], ARRAY['{}']::jsonb[]);
SELECT count(*) = 3 AS read_back, bool_and(created_by = session_user) AS by_session_user
FROM events.replay_stream('immutable:2');
INSERT INTO events.event_store (event_id, stream_id, version, event_type, event_data, created_by, created_at)
VALUES ('40000000-0000-0000-0000-000000000003', 'immutable:2', 4, 'written', '{}', 'test', now());
UPDATE events.event_store SET event_data = '{}';
DELETE FROM events.event_store;
TRUNCATE events.event_store;
SELECT events.next_position();
SELECT nextval('events.event_store_position_seq');
BEGIN;
LOCK TABLE events.append_gate IN ROW EXCLUSIVE MODE;
ROLLBACK;
RESET ROLE;

SET ROLE regress_auren_admin;
SELECT version FROM events.append('immutable:2', 'written', '{}');
DELETE FROM events.event_store;
RESET ROLE;

-- Somebody's operators and functions do not become the owner's.
CREATE SCHEMA regress_auren_evil;
CREATE FUNCTION regress_auren_evil.refuse(text, text) RETURNS boolean LANGUAGE plpgsql AS
  $$ BEGIN RAISE 'caught as %', current_user; END $$;
CREATE OPERATOR regress_auren_evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = regress_auren_evil.refuse);
GRANT USAGE ON SCHEMA regress_auren_evil TO PUBLIC;
SET search_path = regress_auren_evil, pg_catalog;
SET ROLE regress_auren_writer;
SELECT version FROM events.append('immutable:3', 'written', '{}');
SELECT version FROM events.replay_stream('immutable:3');
SELECT events.stream_version('immutable:3');
RESET ROLE;
RESET search_path;
DROP SCHEMA regress_auren_evil CASCADE;

DROP ROLE regress_auren_nobody, regress_auren_reader, regress_auren_writer, regress_auren_admin;

-- The owner's INSERT stays possible, for a restore; it takes its position from the default.
INSERT INTO events.event_store (event_id, stream_id, version, event_type, event_data, created_by, created_at)
VALUES ('40000000-0000-0000-0000-000000000004', 'immutable:4', 1, 'written', '{}', 'test', now());
SELECT position = (SELECT last_value FROM events.event_store_position_seq) AS from_default
FROM events.replay_stream('immutable:4');

-- A sequence that would hand positions out of order is refused.
BEGIN;
ALTER SEQUENCE events.event_store_position_seq CACHE 50;
SELECT events.append_event('immutable:4', 'written', '{}');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
