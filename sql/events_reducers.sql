-- A category's own fold.
\set ON_ERROR_STOP off
CREATE FUNCTION total(state jsonb, event events.event_store) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object('total', coalesce((state->>'total')::int, 0) + (event.event_data->>'amount')::int,
                            'last', event.event_type, 'seen', event.version)
$$;
SELECT events.append_events('till:1', '[{"event_type": "paid", "event_data": {"amount": 5}},
  {"event_type": "paid", "event_data": {"amount": 7}}, {"event_type": "refunded", "event_data": {"amount": -2}}]');
SELECT events.append_event('tillx:1', 'paid', '{"amount": 9}') IS NOT NULL AS appended;
SELECT events.get_stream_state('till:1')->'state' AS default_fold;
SELECT events.register_reducer('till', 'total(jsonb, events.event_store)');
SELECT * FROM events.reducers;
SELECT events.get_stream_state('till:1') - 'updated_at' AS own_fold;
SELECT events.get_stream_state('till:1', 2)->'state' AS at_2, events.get_stream_state('till:1', 99)->'version' AS beyond,
  events.get_stream_state('till:1', 0) AS before, events.get_stream_state('till:2') AS unknown,
  events.get_stream_state('tillx:1')->'state' AS another_category;
SELECT events.get_stream_state('till:1', p_as_of => created_at)->'state'->'seen' = to_jsonb(max(version) OVER (PARTITION BY created_at)) AS as_of
FROM events.replay_stream('till:1');
SELECT events.get_stream_state('till:1', p_as_of => '2001-01-01') AS too_early;
SELECT events.get_stream_state('till:1')->'updated_at' = events.fold_stream('till:1')->'updated_at' AS same_time;

-- What cannot be one.
CREATE FUNCTION volatile_fold(jsonb, events.event_store) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION text_fold(jsonb, events.event_store) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::text';
CREATE FUNCTION one_argument(jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION many_rows(jsonb, events.event_store) RETURNS SETOF jsonb LANGUAGE sql IMMUTABLE AS 'SELECT $1';
SELECT events.register_reducer('till', 'volatile_fold(jsonb, events.event_store)');
\echo :LAST_ERROR_SQLSTATE
SELECT events.register_reducer('till', 'text_fold(jsonb, events.event_store)');
\echo :LAST_ERROR_SQLSTATE
SELECT events.register_reducer('till', 'one_argument(jsonb)');
\echo :LAST_ERROR_SQLSTATE
SELECT events.register_reducer('till', 'many_rows(jsonb, events.event_store)');
\echo :LAST_ERROR_SQLSTATE
SELECT events.register_reducer('Till:', 'total(jsonb, events.event_store)');
\echo :LAST_ERROR_SQLSTATE
SELECT events.register_reducer(NULL, 'total(jsonb, events.event_store)');
\echo :LAST_ERROR_SQLSTATE
SELECT reducer FROM events.reducers;

-- It runs with the rights of whoever asks; only an administrator registers.
CREATE ROLE auren_test_reader IN ROLE auren_reader;
CREATE FUNCTION who(jsonb, events.event_store) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT jsonb_build_object(''who'', current_user)';
SELECT events.register_reducer('till', 'who(jsonb, events.event_store)');
SET ROLE auren_test_reader;
SELECT events.get_stream_state('till:1')->'state' AS state;
SELECT events.register_reducer('till', NULL);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- One that is gone is missed, and not passed over.
BEGIN;
DROP FUNCTION who;
SELECT events.get_stream_state('till:1');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- Back to the default.
SELECT events.register_reducer('till', NULL);
SELECT events.get_stream_state('till:1')->'state' AS default_fold;
DROP FUNCTION total, volatile_fold, text_fold, one_argument, many_rows, who;
DROP ROLE auren_test_reader;
