-- An event that a consumer cannot digest is set aside; what comes behind it goes on.
SELECT events.safe_position() AS start \gset
SELECT events.create_subscription('parking', 'parking', :start);
SELECT events.append_event('parking:1', 'seen', jsonb_build_object('n', n)) IS NOT NULL AS appended FROM generate_series(1, 4) n;
SELECT min(position) AS first, min(position) + 1 AS second, max(position) AS last FROM events.poll_subscription('parking') \gset
SELECT events.park_event('parking', :second, 'unknown currency');
SELECT event_data FROM events.poll_subscription('parking');
SELECT name, stream_id, version, event_type, reason, times, retry FROM events.parked_events;
SELECT events.ack_subscription('parking', :last);
SELECT count(*) FROM events.poll_subscription('parking');

-- To be retried it comes alone, before what is new, until exactly it is acknowledged.
SELECT events.append_event('parking:1', 'seen', '{"n": 5}') IS NOT NULL AS appended;
SELECT events.retry_parked_event('parking', :second);
SELECT event_data FROM events.poll_subscription('parking');
SELECT events.ack_subscription('parking', :first);
SELECT event_data FROM events.poll_subscription('parking');
BEGIN; SELECT events.ack_subscription('parking', :second); SELECT event_data FROM events.poll_subscription('parking'); ROLLBACK;
SELECT count(*) AS to_one_member FROM generate_series(1, 2) m, events.poll_subscription('parking', 10, m, 2) WHERE position = :second;
SELECT events.park_event('parking', :second, 'still unknown');
SELECT event_data FROM events.poll_subscription('parking');
SELECT reason, times, retry FROM events.parked_events;
SELECT events.retry_parked_event('parking', :second);
SELECT events.ack_subscription('parking', :second);
SELECT event_data FROM events.poll_subscription('parking');
SELECT count(*) FROM events.parked_events;

-- Given up.
SELECT max(position) AS last FROM events.poll_subscription('parking') \gset
SELECT events.park_event('parking', :last);
SELECT count(*) FROM events.poll_subscription('parking');
\set VERBOSITY sqlstate
SELECT events.discard_parked_event('parking', :last);
SELECT events.ack_subscription('parking', :last);
SELECT events.discard_parked_event('parking', :last);
SELECT count(*) FROM events.poll_subscription('parking');
SELECT count(*) FROM events.parked_events;

-- What makes no sense.
SELECT events.park_event('unknown', :first);
SELECT events.park_event('parking', :last + 1000);
SELECT events.retry_parked_event('parking', :first);
SELECT events.discard_parked_event('parking', :first);
SET ROLE auren_reader;
SELECT events.park_event('parking', :first);
RESET ROLE;
SELECT events.park_event('parking', :first);
SELECT events.drop_subscription('parking');
SELECT count(*) FROM events.parked;
