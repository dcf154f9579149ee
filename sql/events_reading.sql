-- The global order: every event once, in position order, and no further than what is settled.

-- Rolled back appends leave holes; readers go over them once nobody can fill them any more.
SELECT events.safe_position() AS start \gset
SELECT events.append_event('reading:1', 'seen', '{"n": 1}') IS NOT NULL AS appended;
BEGIN; SELECT count(events.append_event('reading:1', 'undone', '{}')) FROM generate_series(1, 5); ROLLBACK;
SELECT events.append_event('elsewhere:1', 'seen', '{"n": 2}') IS NOT NULL AS appended;
SELECT events.append_event('reading:2', 'seen', '{"n": 3}') IS NOT NULL AS appended;
SELECT stream_id, version, event_data, position > :start AS after FROM events.read_all(:start);
SELECT stream_id, version, event_data FROM events.read_category('reading', :start);
SELECT count(*) FROM events.read_category('read', :start);
SELECT count(*) FROM events.read_category(NULL);
SELECT events.safe_position() = max(position) AS all_settled FROM events.event_store;

-- From one answer to the next.
SELECT stream_id, position AS next FROM events.read_all(:start, 1) \gset
\echo :stream_id
SELECT stream_id, position AS next FROM events.read_all(:next, 1) \gset
\echo :stream_id
SELECT stream_id, position AS next FROM events.read_all(:next, 1) \gset
\echo :stream_id
SELECT count(*) AS caught_up FROM events.read_all(:next);
SELECT count(*) AS caught_up FROM events.read_category('reading', :next);

-- Limits: zero rows, all rows, and what makes no sense.
SELECT count(*) FROM events.read_all(:start, 0);
SELECT count(*) FROM events.read_all(:start, NULL);
SELECT (SELECT count(*) FROM events.read_all(NULL, NULL)) = (SELECT count(*) FROM events.all_events) AS everything,
  (SELECT count(*) FROM events.read_all(-5, NULL)) = (SELECT count(*) FROM events.all_events) AS from_before;
SELECT count(*) FROM events.read_all(9223372036854775807, 10);
SELECT count(*) FROM events.read_all(9223372036854775806);
SELECT count(*) FROM events.read_all(:start, -1);

-- A hole at the very place where a short page begins does not end the reading.
SELECT events.safe_position() AS holes \gset
BEGIN; SELECT count(events.append_event('reading:1', 'undone', '{}')) FROM generate_series(1, 20); ROLLBACK;
SELECT events.append_event('reading:3', 'seen', '{"n": 4}') IS NOT NULL AS appended;
SELECT stream_id FROM events.read_all(:holes, 3);

-- One's own uncommitted events are in flight: they are not read, and nothing behind them.
SELECT events.safe_position() AS own \gset
BEGIN;
SELECT events.append_event('reading:4', 'seen', '{"n": 5}') IS NOT NULL AS appended;
SELECT count(*) FROM events.read_all(:own);
SELECT count(*) FROM events.read_category('reading', :own);
SELECT events.safe_position() = :own AS stands;
COMMIT;
SELECT stream_id FROM events.read_all(:own);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT events.append_event('reading:4', 'seen', '{"n": 6}') IS NOT NULL AS appended;
SELECT stream_id FROM events.read_all(:own);
SELECT events.safe_position() AS own FROM events.read_all(:own) \gset
SELECT count(*) FROM events.read_all(:own);
ROLLBACK;

-- What is read can be joined and filtered like a table.
SELECT e.event_type, count(*) FROM events.read_all(:start) AS e WHERE e.stream_id LIKE 'reading:%' GROUP BY 1;
