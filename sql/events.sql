-- Appending, replaying, and what a stream amounts to.

-- The answer has everything: id, version, position, whether it was there before.
SELECT event_id, version, position > 0 AS has_position, was_duplicate
FROM events.append('order:1', 'order_placed', '{"customer": "ada", "items": 2}',
  p_event_id => '00000000-0000-0000-0000-000000000001');
SELECT events.append_event('order:1', 'item_added', '{"items": 3}', 'ada', 1,
  '00000000-0000-0000-0000-000000000002', '{"ip": "::1"}');
SELECT version, was_duplicate FROM events.append('order:1', 'note_set', '{"note": "gift"}');
SELECT events.stream_version('order:1'), events.stream_version('order:unknown');

SELECT version, event_type, event_data, metadata, created_by = session_user AS by_session_user
FROM events.replay_stream('order:1');
SELECT version FROM events.replay_stream('order:1', 2, 2);
SELECT version FROM events.replay_stream('order:1', NULL, 2);
SELECT version FROM events.replay_backwards('order:1');
SELECT version FROM events.replay_backwards('order:1', 2);
SELECT count(*) FROM events.replay_stream('order:unknown');
SELECT count(*) FROM events.replay_stream('no such name');

-- The planner sees through replay_stream: one index scan, no function scan.
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM events.replay_stream('order:1', 2, 3);
RESET enable_seqscan;
RESET enable_bitmapscan;

-- New ids are UUIDv7: version 7, RFC variant, of this minute.
SELECT substr(id::text, 15, 1) AS version, substr(id::text, 20, 1) IN ('8', '9', 'a', 'b') AS variant,
  abs(extract(epoch FROM clock_timestamp()) -
      ('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0) < 60 AS now
FROM events.append_event('order:ids', 'seen', '{}') AS id;

-- Several appends in one statement see each other; positions and times never go back.
SELECT events.append_event('order:2', 'counted', jsonb_build_object('n', n)) IS NOT NULL AS appended
FROM generate_series(1, 3) AS n;
SELECT version, event_data,
  position > lag(position, 1, 0::bigint) OVER w AS ascending,
  created_at >= lag(created_at, 1, '-infinity') OVER w AS in_time
FROM events.replay_stream('order:2') WINDOW w AS (ORDER BY version);

-- A clock that has gone back does not take the stream with it.
INSERT INTO events.event_store (event_id, stream_id, version, event_type, event_data, created_by, created_at)
VALUES ('00000000-0000-0000-0000-000000000003', 'order:future', 1, 'restored', '{}', 'test', '2999-01-01 00:00:00+00');
SELECT version FROM events.append('order:future', 'followed', '{}');
SELECT version, created_at AT TIME ZONE 'UTC' FROM events.replay_stream('order:future');

-- A rolled back savepoint leaves no event and no version behind.
BEGIN;
SELECT version FROM events.append('order:3', 'kept', '{}');
SAVEPOINT before;
SELECT version FROM events.append('order:3', 'undone', '{}');
ROLLBACK TO before;
SELECT version FROM events.append('order:3', 'kept', '{}');
COMMIT;
SELECT version, event_type FROM events.replay_stream('order:3');

-- State: later keys win, null removes, nested values are replaced and not merged.
SELECT events.append_events('profile:1', '[
  {"event_type": "created", "event_data": {"name": "Ada", "tags": ["a", "b"], "address": {"city": "London", "zip": 1}}},
  {"event_type": "changed", "event_data": {"name": null, "address": {"city": "Paris"}, "height": 1.70}},
  {"event_type": "changed", "event_data": {"name": "Grace", "deceased": true, "tags": null}},
  {"event_type": "changed", "event_data": {}}
]');
SELECT v, s->'version' AS version, s->'state' AS state
FROM generate_series(0, 5) AS v, events.get_stream_state('profile:1', v) AS s;
SELECT s->>'stream_id' AS stream_id, s->'state' AS state, s->>'updated_at' ~ '^\d{4}-\d\d-\d\dT.*\+00:00$' AS iso,
  (s->>'updated_at')::timestamptz = (SELECT created_at FROM events.replay_backwards('profile:1')) AS newest
FROM events.get_stream_state('profile:1') AS s;
SELECT events.get_stream_state('profile:unknown'), events.get_stream_state(NULL);

-- The past: the longest prefix up to a time.
SELECT events.get_stream_state('order:future', p_as_of => '2998-12-31');
SELECT events.get_stream_state('order:future', p_as_of => '2999-01-01 00:00:00+00')->'version' AS version;
SELECT count(*) FROM events.replay_stream('order:future', p_as_of => '2998-12-31');
SELECT events.get_stream_state('profile:1', p_as_of => created_at)->'version' = to_jsonb(version) AS as_then
FROM events.replay_stream('profile:1') ORDER BY version DESC LIMIT 1;

-- The fold agrees with the definition, key by key, over many keys and events.
SELECT count(*) FROM (
  SELECT events.append_event('profile:2', 'changed', (
    SELECT jsonb_object_agg('key' || (n * 7 + k * 13) % 500,
      CASE WHEN (n + k) % 5 = 0 THEN 'null' ELSE jsonb_build_object('n', n, 'list', jsonb_build_array(n, 'x' || k)) END)
    FROM generate_series(1, 6) AS k))
  FROM generate_series(1, 400) AS n) AS appended;
SELECT state->'state' = (
    SELECT jsonb_object_agg(key, value) FILTER (WHERE value <> 'null')
    FROM (SELECT DISTINCT ON (key) key, value
          FROM events.replay_stream('profile:2') AS e, jsonb_each(e.event_data)
          ORDER BY key, version DESC) AS newest) AS equal
FROM events.get_stream_state('profile:2') AS state;

-- A read-only transaction is told so at once, and can still read.
BEGIN READ ONLY;
SELECT events.stream_version('order:1');
SELECT events.append_event('order:1', 'refused', '{}');
ROLLBACK;

-- A stream may hold what the eye cannot tell apart.
SELECT events.append_event('file:größe-✓:with "quotes" and\slashes', 'seen', '{"ü": "😀"}') IS NOT NULL AS appended;
SELECT event_data FROM events.replay_stream('file:größe-✓:with "quotes" and\slashes');

-- Triggers of your own fire, per row and per statement; an error in one undoes the append and nothing
-- else, and leaves the session's settings alone. They run with the store owner's rights, so nobody's
-- search_path decides what their names mean.
CREATE FUNCTION pg_temp.watch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_LEVEL = 'ROW' AND NEW.event_type = 'forbidden' THEN
    RAISE 'not this one' USING ERRCODE = 'P0002';
  END IF;
  RAISE NOTICE '% % %, search_path %', TG_WHEN, TG_LEVEL, CASE TG_LEVEL WHEN 'ROW' THEN NEW.version END,
    current_setting('search_path');
  RETURN NEW;
END $$;
CREATE TRIGGER before_row BEFORE INSERT ON events.event_store FOR EACH ROW EXECUTE FUNCTION pg_temp.watch();
CREATE TRIGGER after_row AFTER INSERT ON events.event_store FOR EACH ROW EXECUTE FUNCTION pg_temp.watch();
CREATE TRIGGER after_statement AFTER INSERT ON events.event_store FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.watch();
SET search_path = public, events;
SELECT version FROM events.append('order:4', 'watched', '{}');
\set SHOW_CONTEXT never
SELECT version FROM events.append('order:4', 'forbidden', '{}');
\echo :LAST_ERROR_SQLSTATE
DO $$ BEGIN
  PERFORM events.append('order:4', 'forbidden', '{}');
EXCEPTION WHEN no_data_found THEN RAISE NOTICE 'caught, search_path %', current_setting('search_path');
END $$;
SHOW search_path;
RESET search_path;
DROP TRIGGER before_row ON events.event_store;
DROP TRIGGER after_row ON events.event_store;
DROP TRIGGER after_statement ON events.event_store;
SELECT events.stream_version('order:4');
