-- Snapshots: a long stream costs its tail; the answer is that of the whole fold, whatever changes.
\set ON_ERROR_STOP off
CREATE VIEW kept AS
  SELECT stream_id, split_part(reducer, ' ', 1) AS reducer, version FROM events.snapshots
  WHERE stream_id LIKE 'snap:%' ORDER BY stream_id COLLATE "C", reducer COLLATE "C", version;
-- Appends n events to a stream; every third takes a key away.
CREATE FUNCTION more(stream text, n int) RETURNS bigint LANGUAGE sql AS $$
  SELECT events.append_events(stream, (
    SELECT jsonb_agg(jsonb_build_object('event_type', 'counted', 'event_data',
      jsonb_build_object('n', v, 'key_' || v % 7, CASE WHEN v % 3 > 0 THEN v END, 'amount', 1)))
    FROM generate_series(events.stream_version(stream) + 1, events.stream_version(stream) + n) AS v))
$$;
-- Whether each of these versions has the state of the whole fold.
CREATE FUNCTION true_at(stream text, VARIADIC versions bigint[]) RETURNS boolean LANGUAGE sql AS $$
  SELECT bool_and(events.get_stream_state(stream, v) = events.fold_stream(stream, v)) FROM unnest(versions) AS v
$$;

-- From 100 events on, by who asks; not before, and not by who appends.
SELECT more('snap:1', 99);
SELECT events.get_stream_state('snap:1')->'version' AS version;
SELECT more('snap:1', 1);
SELECT * FROM kept;
SELECT events.get_stream_state('snap:1') = events.fold_stream('snap:1') AS true_at_100;
SELECT * FROM kept;
SELECT version, updated_at = (SELECT created_at FROM events.replay_backwards('snap:1')) AS of_its_event,
  state = events.fold_stream('snap:1')->'state' AS whole
FROM events.snapshots WHERE stream_id = 'snap:1';

-- The next one stands at the newest version; of the older ones those in the newer half go.
SELECT more('snap:1', 99);
SELECT true_at('snap:1', 199, 150, 100, 99, 1);
SELECT version FROM kept;
SELECT more('snap:1', 1), true_at('snap:1', 200);
SELECT version FROM kept;
SELECT more('snap:1', 400), true_at('snap:1', 600), true_at('snap:1', 450, 250), true_at('snap:1', 601);
SELECT version FROM kept;
SELECT more('snap:1', 100), true_at('snap:1', 700);
SELECT version FROM kept;

-- As of a time.
SELECT bool_and(events.get_stream_state('snap:1', p_as_of => created_at)->'version' = to_jsonb(newest)) AS as_of
FROM (SELECT version, created_at, max(version) OVER (PARTITION BY created_at) AS newest
      FROM events.replay_stream('snap:1')) AS e
WHERE version % 50 IN (0, 1);
SELECT events.get_stream_state('snap:1', p_as_of => '2001-01-01Z') AS too_early,
  events.get_stream_state('snap:1', 10, 'infinity')->'version' AS the_lower;

-- An archived stream, and one that goes on.
SELECT events.archive_stream('snap:1'), true_at('snap:1', 700, 699, 300);
SELECT more('snap:1', 150), true_at('snap:1', 850, 720, 700);
SELECT events.restore_stream('snap:1'), true_at('snap:1', 850, 720, 700);

-- Rolled back with what it was made of.
BEGIN;
SAVEPOINT s;
SELECT more('snap:2', 120), true_at('snap:2', 120);
SELECT version FROM kept WHERE stream_id = 'snap:2';
ROLLBACK TO s;
SELECT more('snap:2', 110), true_at('snap:2', 110);
ROLLBACK;
SELECT count(*) FROM kept WHERE stream_id = 'snap:2';
SELECT events.get_stream_state('snap:2');

-- Where nothing may be written, or the snapshot may be old, the answer is the same and nothing is kept.
SELECT more('snap:3', 200);
BEGIN READ ONLY;
SELECT true_at('snap:3', 200);
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT true_at('snap:3', 200);
COMMIT;
SELECT count(*) FROM kept WHERE stream_id = 'snap:3';

-- A reducer of one's own has its own; one that is given another body never meets the old ones.
CREATE FUNCTION tally(state jsonb, event events.event_store) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN jsonb_build_object('total', coalesce((state->>'total')::int, 0) + (event.event_data->>'amount')::int); END $$;
SELECT events.register_reducer('snap', 'tally(jsonb, events.event_store)');
SELECT events.get_stream_state('snap:3')->'state' AS state, true_at('snap:3', 200, 100, 199);
SELECT * FROM kept WHERE stream_id = 'snap:3';
SELECT more('snap:3', 5);
SELECT events.get_stream_state('snap:3')->'state' AS state, true_at('snap:3', 205);
CREATE OR REPLACE FUNCTION tally(state jsonb, event events.event_store) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN jsonb_build_object('total', coalesce((state->>'total')::int, 0) + 10 * (event.event_data->>'amount')::int); END $$;
SELECT events.get_stream_state('snap:3')->'state' AS state, true_at('snap:3', 205, 150);
ALTER FUNCTION tally(jsonb, events.event_store) SET extra_float_digits = 0;
SELECT count(*) AS usable FROM events.snapshots WHERE stream_id = 'snap:3' AND reducer = events.current_reducer(stream_id);
ALTER FUNCTION tally(jsonb, events.event_store) RESET ALL;
SELECT count(*) > 0 AS usable FROM events.snapshots WHERE stream_id = 'snap:3' AND reducer = events.current_reducer(stream_id);
CREATE OR REPLACE FUNCTION tally(state jsonb, event events.event_store) RETURNS jsonb LANGUAGE sql IMMUTABLE
BEGIN ATOMIC SELECT jsonb_build_object('total', event.version); END;
SELECT events.get_stream_state('snap:3')->'state' AS state, true_at('snap:3', 205, 150);
-- Those of definitions that are gone went when a new one was kept.
SELECT count(DISTINCT reducer) FROM events.snapshots WHERE stream_id = 'snap:3';
-- NULL is a state like any other, but not one to keep; a strict reducer stays there.
CREATE OR REPLACE FUNCTION tally(state jsonb, event events.event_store) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS
  'SELECT NULLIF(jsonb_build_object(''total'', event.version), ''{"total": 100}'')';
SELECT events.get_stream_state('snap:3', 99)->'state' AS at_99, events.get_stream_state('snap:3', 101)->'state' AS at_101;
-- An error says where.
CREATE OR REPLACE FUNCTION tally(state jsonb, event events.event_store) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
  'SELECT jsonb_build_object(''total'', 1 / (event.version - 150))';
SELECT events.get_stream_state('snap:3');
SELECT events.register_reducer('snap', NULL);
SELECT true_at('snap:3', 205), true_at('snap:1', 850);

-- Forgetting them costs time and nothing else; who may.
CREATE ROLE auren_test_admin IN ROLE auren_admin;
CREATE ROLE auren_test_writer IN ROLE auren_writer;
SET ROLE auren_test_writer;
SELECT count(*) > 0 AS seen FROM events.snapshots;
DELETE FROM events.snapshots;
INSERT INTO events.snapshots VALUES ('snap:3', 'events.merge', 205, now(), '{"forged": true}');
SELECT events.get_stream_state('snap:3') = events.fold_stream('snap:3') AS same;
SET ROLE auren_test_admin;
DELETE FROM events.snapshots WHERE stream_id LIKE 'snap:%';
RESET ROLE;
SELECT count(*) FROM kept;
SELECT true_at('snap:1', 850), true_at('snap:3', 205);

-- What a superuser has written by hand is found.
INSERT INTO events.snapshots (stream_id, reducer, version, updated_at, state)
VALUES ('snap:3', 'events.merge', 150, now(), '{"forged": true}');
SELECT * FROM events.verify() WHERE NOT ok;
DELETE FROM events.snapshots WHERE stream_id LIKE 'snap:%';

DROP VIEW kept;
DROP FUNCTION more, true_at, tally;
DROP ROLE auren_test_admin, auren_test_writer;
