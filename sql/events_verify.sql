-- events.verify() says which invariant is broken, and no other. Each break is undone by ROLLBACK.
\set ON_ERROR_STOP off
CREATE VIEW broken AS SELECT check_name, detail FROM events.verify() WHERE NOT ok;
CREATE FUNCTION insert_raw(stream_id text, version bigint, event_type text DEFAULT 'written',
  created_at timestamptz DEFAULT clock_timestamp(), "position" bigint DEFAULT events.next_position())
RETURNS void LANGUAGE sql AS $$
  INSERT INTO events.event_store (position, event_id, stream_id, version, event_type, event_data, created_by, created_at)
  VALUES ("position", gen_random_uuid(), stream_id, version, event_type, '{}', 'test', created_at)
$$;

SELECT events.append_events('verify:1', jsonb_agg(jsonb_build_object('event_type', 'written', 'event_data', '{}'::jsonb)))
FROM generate_series(1, 3);
SELECT events.append_event('verify:2', 'written', '{}') IS NOT NULL AS appended;
SELECT check_name, ok FROM events.verify();
SELECT * FROM broken;

-- Versions.
BEGIN;
SELECT insert_raw('verify:1', 5);
SELECT * FROM broken;
ROLLBACK;
BEGIN;
SELECT insert_raw('verify:new', 2);
SELECT * FROM broken;
ROLLBACK;
BEGIN;
ALTER TABLE events.event_store DISABLE TRIGGER event_store_is_immutable;
DELETE FROM events.event_store WHERE stream_id = 'verify:1' AND version = 2;
ALTER TABLE events.event_store ENABLE ALWAYS TRIGGER event_store_is_immutable;
SELECT * FROM broken;
ROLLBACK;

-- Times.
BEGIN;
SELECT insert_raw('verify:1', 4, created_at => '2001-01-01Z');
SELECT * FROM broken;
ROLLBACK;

-- Positions: the same again, one that was never drawn, one below the first.
BEGIN;
SELECT insert_raw('verify:1', 4, "position" => position) FROM events.replay_stream('verify:2');
SELECT check_name FROM broken;
ROLLBACK;
BEGIN;
SELECT insert_raw('verify:1', 4, "position" => 1000000000000);
SELECT check_name FROM broken;
ROLLBACK;
BEGIN;
SELECT insert_raw('verify:1', 4, "position" => -7);
SELECT check_name FROM broken;
ROLLBACK;
SELECT last_value AS head FROM events.event_store_position_seq \gset
SELECT setval('events.event_store_position_seq', 1);
SELECT check_name FROM broken;
SELECT setval('events.event_store_position_seq', :head) > 0 AS restored;

-- Names: each rule, and those that look wrong but are not.
BEGIN;
SELECT insert_raw(stream_id, 1, event_type) FROM (VALUES
  ('verify', 'written'), ('Verify:3', 'written'), ('verify:', 'written'), ('1verify:4', 'written'),
  (E'verify:\t', 'written'), (E'verify:\u0085', 'written'), ('verify:' || repeat('a', 249), 'written'),
  ('verify:5', 'Written'), ('verify:6', 'written_'), ('verify:7', '_written'), ('verify:8', 'w__n'), ('verify:9', ''),
  ('verify:10', repeat('a', 64)), ('messagexstore:11', 'NotExempt')) AS wrong (stream_id, event_type);
SELECT check_name, substring(detail FROM '^\d+') AS found FROM broken;
ROLLBACK;
BEGIN;
SELECT insert_raw(stream_id, 1, event_type) FROM (VALUES
  ('verify:' || repeat('a', 248), 'written'), ('verify:ü :x', 'w'), ('v_1:?', 'a1_2b'), ('verify:3', repeat('a', 63)),
  ('message_store:someThing-1', 'SomethingHappened')) AS right_ones (stream_id, event_type);
SELECT * FROM broken;
ROLLBACK;

-- Unique constraints.
BEGIN;
ALTER TABLE events.event_store DROP CONSTRAINT event_store_stream_event;
SELECT * FROM broken;
ROLLBACK;
BEGIN;
ALTER TABLE events.event_store DROP CONSTRAINT event_store_stream_version;
ALTER TABLE events.event_store ADD PRIMARY KEY (stream_id, version) DEFERRABLE;
SELECT * FROM broken;
ROLLBACK;

BEGIN;
ALTER TABLE events.event_archive DROP CONSTRAINT event_archive_stream_event, DROP CONSTRAINT event_archive_stream_version;
SELECT * FROM broken;
ROLLBACK;

-- The archive: a stream of which a part is archived is sound; each check looks there, too.
CREATE FUNCTION archive_raw(p_stream_id text, p_version bigint, change jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
  INSERT INTO events.event_archive
  SELECT (jsonb_populate_record(e, change)).* FROM events.all_events AS e WHERE stream_id = p_stream_id AND version = p_version
$$;
SELECT events.append_batch(ARRAY['verify:half', 'verify:half'], ARRAY['a', 'b'], ARRAY['{}', '{}']::jsonb[]);
SELECT events.archive_stream('verify:half');
SELECT version FROM events.append('verify:half', 'c', '{}');
SELECT * FROM broken;
BEGIN;
SELECT archive_raw('verify:half', 2, jsonb_build_object('event_id', gen_random_uuid(), 'version', 5, 'position', events.next_position(),
  'event_type', 'Wrong', 'created_at', '2001-01-01Z'));
SELECT check_name FROM broken;
ROLLBACK;
BEGIN;
SELECT archive_raw('verify:half', 3);
SELECT check_name FROM broken;
SELECT detail ~ '^1 in both tables, such as [0-9a-f-]{36} of stream "verify:half"$' AS named FROM broken WHERE check_name = 'event_ids_unique';
ROLLBACK;
BEGIN;
SELECT archive_raw('verify:half', 3, jsonb_build_object('event_id', gen_random_uuid(), 'version', 4, 'position', events.next_position(),
  'created_at', clock_timestamp()));
SELECT * FROM broken;
ROLLBACK;
DROP FUNCTION archive_raw;

-- Tombstones.
BEGIN;
SELECT events.tombstone_stream('verify:2') IS NOT NULL AS closed;
SELECT * FROM broken;
SELECT insert_raw('verify:2', 3);
SELECT * FROM broken;
ROLLBACK;
BEGIN;
SELECT events.tombstone_stream('verify:half') IS NOT NULL AS closed;
SELECT events.archive_stream('verify:half');
SELECT insert_raw('verify:half', 5);
SELECT * FROM broken;
ROLLBACK;

-- Hashes: a chain that holds, and then goes on without one.
BEGIN;
INSERT INTO events.event_store (event_id, stream_id, version, event_type, event_data, created_by, created_at, hash)
SELECT event_id, 'verify:chained', 1, 'written', '{}', 'test', created_at,
  events.event_hash(NULL, 'verify:chained', 1, event_id, 'written', '{}', NULL, 'test', created_at)
FROM (VALUES (gen_random_uuid(), clock_timestamp())) AS e (event_id, created_at);
SELECT * FROM broken;
SELECT detail ~ '^[1-9][0-9]* events are linked$' AS counted FROM events.verify() WHERE check_name = 'hash_chains';
SELECT insert_raw('verify:chained', 2);
SELECT * FROM broken;
ROLLBACK;

-- The sequence.
BEGIN;
ALTER SEQUENCE events.event_store_position_seq CACHE 20 INCREMENT 2 CYCLE;
SELECT * FROM broken;
ROLLBACK;
BEGIN;
ALTER TABLE events.event_store ALTER position SET DEFAULT nextval('events.event_store_position_seq');
SELECT * FROM broken;
ROLLBACK;
BEGIN;
ALTER TABLE events.event_store ALTER position DROP DEFAULT;
SELECT * FROM broken;
ROLLBACK;

-- The guard: switched off, by halves, another in its place, another behind its name, gone.
BEGIN;
ALTER TABLE events.event_store DISABLE TRIGGER event_store_is_immutable;
SELECT * FROM broken;
ROLLBACK;
BEGIN;
ALTER TABLE events.event_store ENABLE TRIGGER event_store_is_immutable;
SELECT * FROM broken;
ROLLBACK;
BEGIN;
CREATE OR REPLACE TRIGGER event_store_is_immutable BEFORE UPDATE OR DELETE ON events.event_store
  FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE events.event_store ENABLE ALWAYS TRIGGER event_store_is_immutable;
SELECT * FROM broken;
ROLLBACK;
BEGIN;
CREATE FUNCTION allow_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE OR REPLACE TRIGGER event_store_is_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON events.event_store
  FOR EACH STATEMENT EXECUTE FUNCTION allow_change();
ALTER TABLE events.event_store ENABLE ALWAYS TRIGGER event_store_is_immutable;
SELECT * FROM broken;
ROLLBACK;
BEGIN;
CREATE OR REPLACE FUNCTION events.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT * FROM broken;
ROLLBACK;
BEGIN;
ALTER EXTENSION auren DROP FUNCTION events.refuse_change();
DROP TRIGGER event_store_is_immutable ON events.event_store;
SELECT * FROM broken;
ROLLBACK;

BEGIN;
ALTER TABLE events.event_archive DISABLE TRIGGER event_archive_is_immutable;
SELECT * FROM broken;
ROLLBACK;
BEGIN;
ALTER EXTENSION auren DROP FUNCTION events.refuse_change();
DROP TRIGGER event_archive_is_immutable ON events.event_archive;
SELECT * FROM broken;
ROLLBACK;

-- Grants: on the table, on every column, to everyone, and by way of a predefined role.
CREATE ROLE auren_test_intruder;
BEGIN;
GRANT INSERT ON events.event_store TO auren_test_intruder;
SELECT * FROM broken;
ROLLBACK;
BEGIN;
GRANT INSERT ON events.event_archive TO auren_test_intruder;
SELECT * FROM broken;
ROLLBACK;
BEGIN;
GRANT INSERT (stream_id) ON events.event_store TO auren_test_intruder;
SELECT * FROM broken;
ROLLBACK;
BEGIN;
GRANT INSERT ON events.event_store TO PUBLIC;
SELECT check_name, detail LIKE '%auren_test_intruder%' AS named FROM broken;
ROLLBACK;
BEGIN;
GRANT pg_write_all_data TO auren_test_intruder;
SELECT * FROM broken;
ROLLBACK;

-- A store without events is sound, from the first moment on.
BEGIN;
SET LOCAL client_min_messages = warning;
DROP EXTENSION auren CASCADE;
CREATE EXTENSION auren;
SELECT check_name, detail FROM events.verify() WHERE NOT ok;
ROLLBACK;

-- Nothing of all that was left behind.
SELECT * FROM broken;

-- Who may ask.
SET ROLE auren_test_intruder;
SELECT count(*) FROM events.verify();
RESET ROLE;
GRANT auren_admin TO auren_test_intruder;
SET ROLE auren_test_intruder;
SELECT bool_and(ok) AS ok FROM events.verify();
RESET ROLE;
DROP VIEW broken;
DROP FUNCTION insert_raw;
DROP ROLE auren_test_intruder;
