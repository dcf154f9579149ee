-- Subscriptions: a durable place in the global order, acknowledged in the caller's transaction.

SELECT events.safe_position() AS start \gset
SELECT events.create_subscription('invoices', 'subs', :start);
SELECT events.append_event('subs:1', 'seen', '{"n": 1}') IS NOT NULL AS appended;
SELECT events.append_event('subs_elsewhere:1', 'seen', '{}') IS NOT NULL AS appended;
SELECT events.append_event('subs:2', 'seen', '{"n": 2}') IS NOT NULL AS appended;
SELECT events.append_event('subs:1', 'seen', '{"n": 3}') IS NOT NULL AS appended;

-- The same events until they are acknowledged; then what comes behind them.
SELECT stream_id, version, event_data FROM events.poll_subscription('invoices');
SELECT stream_id, position AS first FROM events.poll_subscription('invoices', 1) \gset
\echo :stream_id
BEGIN; SELECT events.ack_subscription('invoices', :first); SELECT event_data FROM events.poll_subscription('invoices'); ROLLBACK;
SELECT event_data FROM events.poll_subscription('invoices');
SELECT events.ack_subscription('invoices', :first);
SELECT event_data FROM events.poll_subscription('invoices');
SELECT name, category, position - :first AS beyond, lag_events, lag_seconds > 0 AS waited
FROM events.subscription_status WHERE name = 'invoices';

-- An acknowledgement never goes back.
SELECT max(position) AS last FROM events.poll_subscription('invoices') \gset
SELECT events.ack_subscription('invoices', :last);
SELECT events.ack_subscription('invoices', :first);
SELECT count(*) AS caught_up FROM events.poll_subscription('invoices');
SELECT position = :last AS stands, lag_events, lag_seconds FROM events.subscription_status WHERE name = 'invoices';
SELECT count(*) FROM events.poll_subscription('invoices', 0);

-- Also with nothing new of its category: up to what is settled, not beyond.
SELECT events.append_event('subs_elsewhere:1', 'seen', '{}') IS NOT NULL AS appended;
SELECT events.ack_subscription('invoices', events.safe_position());
\set VERBOSITY sqlstate
SELECT events.ack_subscription('invoices', events.safe_position() + 1000);
\set VERBOSITY default
SELECT position = events.safe_position() AS at_the_end FROM events.subscription_status WHERE name = 'invoices';
BEGIN;
SELECT position AS own FROM events.append('subs:1', 'seen', '{}') \gset
SELECT count(*) AS in_flight FROM events.poll_subscription('invoices');
DO $$ BEGIN
  PERFORM events.ack_subscription('invoices', (SELECT max(position) FROM events.event_store));
EXCEPTION WHEN invalid_parameter_value THEN RAISE NOTICE '22023';
END $$;
SELECT pid = pg_backend_pid() AS me, since = now() AS began, query LIKE 'SELECT pid%' AS says FROM events.in_flight;
ROLLBACK;
SELECT count(*) FROM events.in_flight;

-- Back to an earlier position, and to a later one.
SELECT events.reset_subscription('invoices', :first);
SELECT event_data FROM events.poll_subscription('invoices');
SELECT events.reset_subscription('invoices', :last);
SELECT count(*) FROM events.poll_subscription('invoices');

-- A group: each stream belongs to one member, in order, and together they read everything.
SELECT events.create_subscription('group', 'subs_group', :start);
SELECT events.append_batch(array_agg('subs_group:' || n % 20), array_agg('seen'::text), array_agg('{}'::jsonb))
FROM generate_series(1, 100) AS n;
CREATE TEMP TABLE polled AS
SELECT m AS member, e.stream_id, e.version, e.position, row_number() OVER () AS nth
FROM generate_series(1, 3) AS m, events.poll_subscription('group', NULL, m, 3) AS e;
SELECT count(*), count(DISTINCT position), count(DISTINCT member) FROM polled;
SELECT count(*) AS shared FROM (SELECT FROM polled GROUP BY stream_id HAVING count(DISTINCT member) > 1) AS s;
SELECT count(*) AS out_of_order FROM polled a JOIN polled b USING (member) WHERE a.nth < b.nth AND a.position > b.position;
SELECT count(*) FROM events.poll_subscription('group', NULL);

-- Each member has its own checkpoint; the subscription is as far as the slowest.
SELECT events.ack_subscription('group', max(position), 1, 3) FROM polled WHERE member = 1;
SELECT m AS member, count(position) = 0 AS caught_up
FROM generate_series(1, 3) AS m LEFT JOIN LATERAL events.poll_subscription('group', NULL, m, 3) ON true GROUP BY m ORDER BY m;
SELECT lag_events FROM events.subscription_status WHERE name = 'group';
SELECT (min(position) + max(position)) / 2 AS middle FROM polled \gset
SELECT events.ack_subscription('group', :middle, 2, 3), events.ack_subscription('group', :middle + 1, 3, 3);
SELECT position = :middle AS lowest FROM events.subscription_status WHERE name = 'group';
-- Of another size, all begin at the lowest old checkpoint: repeats, never a gap.
SELECT count(DISTINCT position) = (SELECT count(*) FROM polled WHERE position > :middle) AS no_gap, min(position) > :middle AS no_repeat
FROM generate_series(1, 2) AS m, events.poll_subscription('group', NULL, m, 2) AS e;
SELECT min(position) > :middle AS from_lowest FROM events.poll_subscription('group');
SELECT events.ack_subscription('group', :middle + 10, 1, 2);
SELECT min(position) > :middle AND min(position) <= :middle + 10 AS from_lowest FROM events.poll_subscription('group');
SELECT name, members, member, position - :middle AS beyond FROM events.subscription_checkpoints
WHERE name = 'group' AND position < :middle + 20 ORDER BY 1, 2, 3;

-- All categories.
SELECT events.create_subscription('everything');
SELECT count(*) = (SELECT count(*) FROM events.all_events) AS everything FROM events.poll_subscription('everything', NULL);
SELECT category IS NULL AS all, position, lag_events = (SELECT count(*) FROM events.all_events) AS behind
FROM events.subscription_status WHERE name = 'everything';

-- What makes no sense.
\set VERBOSITY sqlstate
SELECT events.create_subscription('everything');
SELECT count(*) FROM events.poll_subscription('unknown');
SELECT count(*) FROM events.poll_subscription('group', 10, 4, 3);
SELECT events.reset_subscription('group', 1000000000000);
\set VERBOSITY default
SELECT events.create_subscription('');
SELECT events.create_subscription(NULL);
SELECT events.create_subscription('x', NULL, -1);
SELECT count(*) FROM events.poll_subscription('unknown');
SELECT events.ack_subscription('unknown', 1);
SELECT events.reset_subscription('unknown', 0);
SELECT events.drop_subscription('unknown');
SELECT count(*) FROM events.poll_subscription('group', 10, 0, 3);
SELECT count(*) FROM events.poll_subscription('group', 10, 4, 3);
SELECT count(*) FROM events.poll_subscription('group', 10, 1, 0);
SELECT count(*) FROM events.poll_subscription('group', -1);
SELECT count(*) FROM events.poll_subscription('group', 1, NULL);
SELECT events.ack_subscription('group', NULL);
SELECT events.ack_subscription('group', -1);

-- Who may.
SET ROLE auren_reader;
SELECT count(*) FROM events.poll_subscription('group', 1);
SELECT count(*) FROM events.subscription_status WHERE name = 'group';
SELECT count(*) FROM events.in_flight;
SELECT events.ack_subscription('group', 1);
SET ROLE auren_writer;
SELECT events.ack_subscription('group', 1);
RESET ROLE;

SELECT events.drop_subscription('group'), events.drop_subscription('everything'), events.drop_subscription('invoices');
SELECT count(*) FROM events.subscription_checkpoints;
SELECT count(*) FROM events.subscription_status;
