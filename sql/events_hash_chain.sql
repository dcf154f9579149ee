-- A stream's hash chain: begun while the setting is on, gone on with ever after, and telling of every change.
\set ON_ERROR_STOP off
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset null NULL
LOAD 'auren';
-- One statement after the other until the reloaded setting holds in this connection; those left over do nothing.
\set until_it_holds 'SELECT format($$SELECT pg_sleep(0.05) WHERE current_setting(''auren.hash_chain'') <> %L$$, :''wanted'') FROM generate_series(1, 1200)'

-- The setting is the server's, and off.
SHOW auren.hash_chain;
SET auren.hash_chain = on;
SELECT events.append_events('chain:later', '[{"event_type": "before", "event_data": {}}, {"event_type": "before", "event_data": {}}]');
SELECT count(hash) AS hashes FROM events.replay_stream('chain:later');
SELECT * FROM events.verify_stream('chain:later');

ALTER SYSTEM SET auren.hash_chain = on;
SELECT pg_reload_conf();
\set wanted on
\set ECHO none
\o /dev/null
:until_it_holds \gexec
\o
\set ECHO all
SHOW auren.hash_chain;

-- A chain begins with the first event from now on, whichever way it comes.
SELECT version FROM events.append('chain:1', 'first', '{"n": 1}', 'ada', 0, 'c0000000-0000-0000-0000-000000000001', '{"m": [1, 2]}');
SELECT events.append_event('chain:1', 'second', '{"n": 2}') IS NOT NULL AS appended;
SELECT events.append_events('chain:1', '[{"event_type": "third", "event_data": {"n": 3}}, {"event_type": "fourth", "event_data": {"n": 4}}]');
SELECT version, was_duplicate FROM events.append('chain:1', 'first', '{"n": 1}', p_event_id => 'c0000000-0000-0000-0000-000000000001');
SELECT events.append_events('chain:later', '[{"event_type": "after", "event_data": {}}, {"event_type": "after", "event_data": {}}]');
SELECT events.append_batch(array_agg('chain:' || CASE n % 3 WHEN 0 THEN 'even' ELSE 'batch' END), array_agg('t'::text),
  array_agg(jsonb_build_object('n', n, 's', CASE WHEN n % 1000 = 0 THEN (SELECT string_agg(md5(n || ':' || i), '') FROM generate_series(1, 500) AS i) END)))
FROM generate_series(1, 8403) AS n;
SELECT version FROM events.append('chain:größe "1"', 'said', '{"ü": "日本語 \" \\ \n \u0007", "n": 1.50, "e": 1e3, "a": [1, null, {"b": true}]}', 'Zoë', p_metadata => '{"ß": ""}');
SELECT version FROM events.append('chain:größe "1"', 'said', '{}', E'a:1,\n-,');
-- Below a trigger of the user's each event takes an ordinary INSERT.
CREATE FUNCTION pg_temp.watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER watch BEFORE INSERT ON events.event_store FOR EACH ROW EXECUTE FUNCTION pg_temp.watch();
SELECT events.append_batch(ARRAY['chain:watched', 'chain:1', 'chain:watched'], ARRAY['a', 'fifth', 'b'], ARRAY['{}', '{"n": 5}', '{}']::jsonb[]);
DROP TRIGGER watch ON events.event_store;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT version FROM events.append('chain:repeatable', 'a', '{}');
SELECT events.append_batch(ARRAY['chain:repeatable', 'chain:repeatable'], ARRAY['b', 'c'], ARRAY['{}', '{}']::jsonb[]);
COMMIT;
SELECT events.tombstone_stream('chain:repeatable') IS NOT NULL AS closed;

-- Off again: a chain that has begun goes on, no other begins. Through the archive and back, too.
ALTER SYSTEM RESET auren.hash_chain;
SELECT pg_reload_conf();
\set wanted off
\set ECHO none
\o /dev/null
:until_it_holds \gexec
\o
\set ECHO all
SHOW auren.hash_chain;
SELECT version FROM events.append('chain:none', 'a', '{}');
SELECT version FROM events.append('chain:1', 'sixth', '{"n": 6}');
SELECT hash AS before FROM events.replay_backwards('chain:1') \gset
SELECT events.archive_stream('chain:1');
SELECT head_hash = :'before' AS same, ok FROM events.verify_stream('chain:1');
SELECT version FROM events.append('chain:1', 'seventh', '{"n": 7}');
SELECT events.append_batch(ARRAY['chain:1', 'chain:none', 'chain:1'], ARRAY['eighth', 'b', 'ninth'], ARRAY['{"n": 8}', '{}', '{"n": 9}']::jsonb[]);
SELECT ok, version, detail FROM events.verify_stream('chain:1');
SELECT events.archive_stream('chain:1'), events.restore_stream('chain:1');
SELECT stream_id, v.* FROM (VALUES ('chain:1'), ('chain:later'), ('chain:batch'), ('chain:even'), ('chain:größe "1"'), ('chain:watched'),
  ('chain:repeatable'), ('chain:none'), ('chain:unknown')) AS s (stream_id),
  LATERAL (SELECT ok, broken_version, head_hash IS NOT NULL AS has_head, version, chained_from, detail FROM events.verify_stream(stream_id)) AS v;
SELECT count(*) FROM events.broken_links;

-- The hash worked out anew, from what extension/src/events/hash_chain.h says of it.
CREATE FUNCTION field(value text) RETURNS bytea LANGUAGE sql AS $$
  SELECT coalesce(convert_to(octet_length(convert_to(value, 'UTF8')) || ':' || value || ',', 'UTF8'), '-,')
$$;
CREATE FUNCTION documented_hash(e events.event_store, previous bytea) RETURNS bytea LANGUAGE sql AS $$
  SELECT sha256(field(encode(previous, 'hex')) || field(e.stream_id) || field(e.version::text) || field(e.event_id::text)
    || field(e.event_type) || field(e.event_data::text) || field(e.metadata::text) || field(e.created_by)
    || field((extract(epoch FROM e.created_at) * 1000000)::bigint::text))
$$;
SELECT count(*) AS events, count(DISTINCT hash) AS hashes, bool_and(length(hash) = 32) AS all_sha256,
  bool_and(hash = documented_hash((position, event_id, stream_id, version, event_type, event_data, metadata, created_by, created_at, hash), previous)) AS as_documented
FROM (SELECT e.*, lag(hash) OVER (PARTITION BY stream_id ORDER BY version) AS previous
  FROM events.all_events AS e WHERE stream_id LIKE 'chain:%') AS e WHERE hash IS NOT NULL;
SELECT events.event_hash(NULL, 'order:1', 1, '01890a5d-ac96-774b-bcce-b302099a8057', 'order_placed', '{"total": 1.50}', NULL, 'ada', '2024-02-29T12:00:00.000001Z');
SELECT sha256('-,7:order:1,1:1,36:01890a5d-ac96-774b-bcce-b302099a8057,12:order_placed,15:{"total": 1.50},-,3:ada,16:1709208000000001,');
-- Fields do not run into each other, and no moment of time is out of range.
SELECT events.event_hash(NULL, 'a:b', 1, 'c0000000-0000-0000-0000-000000000001', 'x', '{}', NULL, 'c', 'epoch')
    <> events.event_hash(NULL, 'a:bx', 1, 'c0000000-0000-0000-0000-000000000001', '', '{}', NULL, 'c', 'epoch') AS apart;
SELECT length(events.event_hash('', 'a:b', 1, 'c0000000-0000-0000-0000-000000000001', 'x', '{}', '{}', 'c', 'infinity'));
SELECT events.event_hash(NULL, 'a:b', NULL, NULL, 'x', '{}', NULL, 'c', 'epoch');

-- Behind the triggers' back. Every change names the first version that is not what it was.
SELECT head_hash AS head FROM events.verify_stream('chain:1') \gset
SELECT hash AS early FROM events.replay_stream('chain:1', 3, 3) \gset
SELECT ok, detail FROM events.verify_stream('chain:1', :'head');
SELECT ok, detail FROM events.verify_stream('chain:1', :'early');
SELECT ok, detail FROM events.verify_stream('chain:1', '\x00');
SELECT ok, detail FROM events.verify_stream('chain:unknown', :'head');
CREATE PROCEDURE tampered(p_change text, p_known_hash bytea DEFAULT NULL) LANGUAGE plpgsql AS $$
DECLARE
  found record;
BEGIN
  ALTER TABLE events.event_store DISABLE TRIGGER event_store_is_immutable;
  EXECUTE p_change;
  SELECT * INTO found FROM events.verify_stream('chain:1', p_known_hash);
  RAISE EXCEPTION USING ERRCODE = 'ROLL0', MESSAGE = concat_ws(', ', CASE WHEN found.ok THEN 'ok' ELSE 'broken' END, found.broken_version, found.detail);
EXCEPTION WHEN SQLSTATE 'ROLL0' THEN
  RAISE NOTICE '%', SQLERRM;
END $$;
CALL tampered('UPDATE events.event_store SET event_data = event_data || ''{"n": 30}'' WHERE stream_id = ''chain:1'' AND version = 3');
CALL tampered('UPDATE events.event_store SET event_data = ''{"n": 3.0}'' WHERE stream_id = ''chain:1'' AND version = 3');
CALL tampered('UPDATE events.event_store SET metadata = ''{}'' WHERE stream_id = ''chain:1'' AND version = 4');
CALL tampered('UPDATE events.event_store SET metadata = NULL WHERE stream_id = ''chain:1'' AND version = 1');
CALL tampered('UPDATE events.event_store SET event_type = ''other'' WHERE stream_id = ''chain:1'' AND version = 5');
CALL tampered('UPDATE events.event_store SET created_by = ''eve'' WHERE stream_id = ''chain:1'' AND version = 9');
CALL tampered('UPDATE events.event_store SET created_at = created_at + interval ''1 microsecond'' WHERE stream_id = ''chain:1'' AND version = 6');
CALL tampered('UPDATE events.event_store SET event_id = gen_random_uuid() WHERE stream_id = ''chain:1'' AND version IN (2, 7)');
CALL tampered('UPDATE events.event_store SET version = 10 WHERE stream_id = ''chain:1'' AND version = 9');
CALL tampered('UPDATE events.event_store AS e SET event_data = f.event_data FROM events.event_store AS f
  WHERE (e.stream_id, e.version, f.stream_id, f.version) IN ((''chain:1'', 2, ''chain:1'', 3), (''chain:1'', 3, ''chain:1'', 2))');
-- Removed: at the beginning, in the middle, and at the end, which only a hash that was kept can tell.
CALL tampered('DELETE FROM events.event_store WHERE stream_id = ''chain:1'' AND version = 1');
CALL tampered('DELETE FROM events.event_store WHERE stream_id = ''chain:1'' AND version IN (4, 5)');
CALL tampered('DELETE FROM events.event_store WHERE stream_id = ''chain:1'' AND version = 9');
CALL tampered('DELETE FROM events.event_store WHERE stream_id = ''chain:1'' AND version = 9', :'head');
-- Put behind, or between.
CALL tampered('INSERT INTO events.event_store (event_id, stream_id, version, event_type, event_data, created_by, created_at)
  VALUES (gen_random_uuid(), ''chain:1'', 10, ''tenth'', ''{}'', ''eve'', now())');
CALL tampered('DELETE FROM events.event_store WHERE stream_id = ''chain:1'' AND version = 4;
  INSERT INTO events.event_store (event_id, stream_id, version, event_type, event_data, created_by, created_at)
  VALUES (gen_random_uuid(), ''chain:1'', 4, ''fourth'', ''{}'', ''eve'', now())');
-- Without hashes: one, the first ones, the last ones, all.
CALL tampered('UPDATE events.event_store SET hash = NULL WHERE stream_id = ''chain:1'' AND version = 5');
CALL tampered('UPDATE events.event_store SET hash = NULL WHERE stream_id = ''chain:1'' AND version < 5');
CALL tampered('UPDATE events.event_store SET hash = NULL WHERE stream_id = ''chain:1'' AND version > 5');
CALL tampered('UPDATE events.event_store SET hash = NULL WHERE stream_id = ''chain:1''');
CALL tampered('UPDATE events.event_store SET hash = NULL WHERE stream_id = ''chain:1''', :'head');
-- Forged: the changed event gets the hash that fits it; then every event behind it, too.
CREATE PROCEDURE forge(p_from bigint, p_to bigint) LANGUAGE plpgsql AS $$
BEGIN
  FOR v IN p_from .. p_to LOOP
    UPDATE events.event_store AS e SET hash = events.event_hash(p.hash, e.stream_id, e.version, e.event_id, e.event_type, e.event_data,
      e.metadata, e.created_by, e.created_at)
    FROM events.event_store AS p
    WHERE (e.stream_id, e.version, p.stream_id, p.version) = ('chain:1', v, 'chain:1', v - 1);
  END LOOP;
END $$;
CALL tampered('UPDATE events.event_store SET created_by = ''eve'' WHERE stream_id = ''chain:1'' AND version = 3; CALL forge(3, 3)');
CALL tampered('UPDATE events.event_store SET created_by = ''eve'' WHERE stream_id = ''chain:1'' AND version = 3; CALL forge(3, 9)');
CALL tampered('UPDATE events.event_store SET created_by = ''eve'' WHERE stream_id = ''chain:1'' AND version = 3; CALL forge(3, 9)', :'head');
-- A chain cut short and begun anew begins elsewhere.
CALL tampered('UPDATE events.event_store SET hash = NULL WHERE stream_id = ''chain:1'' AND version < 5; CALL forge(5, 9)');
CALL tampered('UPDATE events.event_store SET hash = NULL WHERE stream_id = ''chain:1'' AND version < 5; CALL forge(5, 9)', :'head');
-- In the archive.
CALL tampered('ALTER TABLE events.event_archive DISABLE TRIGGER event_archive_is_immutable; SELECT events.archive_stream(''chain:1'');
  UPDATE events.event_archive SET created_by = ''eve'' WHERE stream_id = ''chain:1'' AND version = 8');

-- Who asks about one stream pays for that stream.
CREATE VIEW looked_at AS
  SELECT sum(seq_tup_read) AS scanned, sum(idx_tup_fetch) AS fetched
  FROM pg_stat_xact_user_tables WHERE schemaname = 'events' AND relname IN ('event_store', 'event_archive');
BEGIN;  -- within which the counters only grow
SET LOCAL enable_seqscan = off;
SELECT scanned AS scanned_before, fetched AS fetched_before FROM looked_at \gset
SELECT ok FROM events.verify_stream('chain:1', :'head');
SELECT scanned - :scanned_before AS scanned, fetched - :fetched_before BETWEEN 9 AND 40 AS few FROM looked_at;
SELECT count(*) > 1000 AS of_many FROM events.all_events;
ROLLBACK;

-- Who may.
SET ROLE auren_reader;
SELECT ok FROM events.verify_stream('chain:1');
SELECT count(*) FROM events.broken_links;
RESET ROLE;
SELECT has_function_privilege('public', 'events.verify_stream(text, bytea)', 'EXECUTE') AS verify_stream,
  has_table_privilege('public', 'events.broken_links', 'SELECT') AS broken_links;
SELECT check_name, detail FROM events.verify() WHERE NOT ok;
DROP FUNCTION documented_hash, field;
DROP PROCEDURE tampered, forge;
DROP VIEW looked_at;
