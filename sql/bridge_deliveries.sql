-- What became of a delivery, asked by its event id alone.
\pset null NULL
CREATE FUNCTION pg_temp.delivery(user_id text, delivery_id text, VARIADIC readings jsonb[]) RETURNS jsonb
LANGUAGE sql AS $$
  SELECT jsonb_build_object('source', 'healthkit', 'delivery_id', delivery_id, 'user_id', user_id,
    'received_at', '2025-01-27T10:30:05.25Z', 'readings', to_jsonb(readings)) $$;
CREATE FUNCTION pg_temp.reading(value jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('metric', 'heart_rate', 'value', value, 'start', '2025-01-27T10:30:00Z') $$;
CREATE FUNCTION pg_temp.id(delivery_id text) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT event_id FROM events.all_events WHERE event_data ->> 'delivery_id' = $1 $$;

-- Applied, in whole and in part; also when it lies in the archive.
SELECT status, readings_accepted, readings_rejected FROM bridge.ingest_batch(ARRAY[
  pg_temp.delivery('dora', 'found-1', pg_temp.reading('62'), pg_temp.reading('63')),
  pg_temp.delivery('dora', 'found-2', pg_temp.reading('"62"'), pg_temp.reading('64'), pg_temp.reading('9000'))]);
SELECT pg_temp.id('found-1') AS one, pg_temp.id('found-2') AS two \gset
SET ROLE auren_reader;
SELECT status, user_id, received_at, readings_accepted, readings_rejected, problems FROM bridge.find_delivery(:'one');
SELECT status, user_id, readings_accepted, readings_rejected, jsonb_pretty(problems) FROM bridge.find_delivery(:'two');
SELECT d.position = e.position AS its_position FROM bridge.find_delivery(:'one') AS d, events.event_store AS e WHERE event_id = :'one';
SELECT * FROM bridge.find_delivery('00000000-0000-0000-0000-000000000000');
SELECT * FROM bridge.find_delivery(NULL);
RESET ROLE;
SELECT events.archive_stream('user:dora') > 0 AS archived;
SELECT status, user_id, readings_accepted, readings_rejected FROM bridge.find_delivery(:'one');
SELECT (SELECT count(*) FROM bridge.ingest_batch(ARRAY[pg_temp.delivery('dora', 'found-3', pg_temp.reading('65'))])) AS delivered,
  events.restore_stream('user:dora') > 0 AS restored;
SELECT status, user_id, readings_accepted FROM bridge.find_delivery(:'one');

-- Not more than 100 problems; the counts tell of all.
SELECT readings_accepted, readings_rejected FROM bridge.ingest_batch(ARRAY[
  pg_temp.delivery('dora', 'found-many', VARIADIC array_fill(pg_temp.reading('-1'), ARRAY[150]) || pg_temp.reading('66'))]);
SELECT readings_accepted, readings_rejected, jsonb_array_length(problems) AS told
FROM bridge.find_delivery(pg_temp.id('found-many'));

-- Dead letters: of a record, of a provider's body, given up, taken in after all.
SELECT '10000000-0000-0000-0000-00000000000' AS ids \gset
SELECT bridge.add_dead_letter('biometric-events', '{"user_id": "dora"}', 'sql_error', 'XX000', p_partition => 5, p_offset => 1,
  p_event_ids => ARRAY[:'ids' || '1']::uuid[]) AS open \gset
SELECT bridge.add_dead_letter('biometric-events', '\xff', 'malformed', p_partition => 5, p_offset => 2,
  p_event_ids => ARRAY[:'ids' || '2']::uuid[]) AS binary \gset
SELECT bridge.add_dead_letter('http:/webhooks/healthkit', '[1]', 'user_unresolved', p_headers => jsonb_build_object('users',
  jsonb_build_object(:'ids' || '4', 'dora')), p_event_ids => ARRAY[:'ids' || '3', :'ids' || '4']::uuid[]) AS body \gset
SELECT bridge.add_dead_letter('biometric-events', NULL, 'empty_value', p_partition => 5, p_offset => 3,
  p_event_ids => ARRAY[:'ids' || '5']::uuid[]) AS given_up \gset
SELECT bridge.discard_dead_letter(:given_up, 'for my eyes only');
SET ROLE auren_reader;
SELECT n, status, user_id, d.position, readings_accepted AS taken, readings_rejected AS refused, received_at IS NOT NULL AS timed,
  problems #- '{0,dead_letter}' AS problems
FROM generate_series(1, 5) AS n, bridge.find_delivery((:'ids' || n)::uuid) AS d ORDER BY n;
SELECT (problems #>> '{0,dead_letter}')::bigint = :open AS its_letter FROM bridge.find_delivery((:'ids' || '1')::uuid);
RESET ROLE;
-- The same letter again, by somebody who does not know the ids, keeps them.
SELECT bridge.add_dead_letter('http:/webhooks/healthkit', '[1]', 'user_unresolved') = :body AS the_same;
SELECT status FROM bridge.find_delivery((:'ids' || '3')::uuid);
-- What was applied counts, whatever had been refused; what was retried is not refused any more.
SELECT bridge.add_dead_letter('http:/webhooks/healthkit', '[2]', 'user_unresolved', p_event_ids => ARRAY[:'one']::uuid[],
  p_headers => jsonb_build_object('users', jsonb_build_object(:'one', 'dora'))) IS NOT NULL AS kept;
SELECT status, user_id FROM bridge.find_delivery(:'one');
UPDATE bridge.dead_letters SET status = 'retried' WHERE id = :body;
SELECT count(*) FROM bridge.find_delivery((:'ids' || '3')::uuid);
-- One id, two persons.
SELECT count(*) FROM bridge.ingest_batch(ARRAY[pg_temp.delivery('eve', 'found-1', pg_temp.reading('70'))]) WHERE status = 'applied';
SELECT status, user_id FROM bridge.find_delivery(:'one');

-- Only deliveries are found, and an event of that name made by hand stops nobody.
SELECT events.append_event('user:dora', 'biometric_received', '{"readings": 7, "refused": "x"}') AS by_hand \gset
SELECT status, readings_accepted, problems FROM bridge.find_delivery(:'by_hand');
SELECT events.append_event('user:dora', 'noted', '{}') AS other \gset
SELECT events.append_event('device:dora', 'biometric_received', '{}') AS of_a_device \gset
SELECT count(*) FROM bridge.find_delivery(:'other') AS a;
SELECT count(*) FROM bridge.find_delivery(:'of_a_device') AS a;
DELETE FROM bridge.dead_letters;
ALTER TABLE bridge.dead_letters ALTER id RESTART;

-- The index holds these and no others, however they were written; a scan of it does not look at the type.
SELECT events.append_batch(array_agg('delivered:' || n % 5), array_agg(CASE n % 3 WHEN 0 THEN 'biometric_received' ELSE 'noted' END),
  array_agg('{}'::jsonb), p_event_ids => array_agg(('20000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid))
FROM generate_series(1, 5000) AS n;
SELECT events.archive_stream('delivered:1'), events.archive_stream('delivered:2'), events.restore_stream('delivered:2');
ANALYZE events.event_store, events.event_archive;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET plan_cache_mode = force_generic_plan;
PREPARE by_id AS SELECT count(*) FROM events.all_events AS e
  WHERE event_id = ANY ($1) AND event_type = 'biometric_received';
SELECT array_agg(('20000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid) AS all FROM generate_series(1, 5000) AS n \gset
EXPLAIN (COSTS OFF) EXECUTE by_id(:'all');
EXECUTE by_id(:'all');
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET plan_cache_mode;

-- And the function asks it, in the store and in the archive, and reads neither table through.
CREATE TEMP VIEW scans AS SELECT relname, pg_stat_get_xact_numscans(oid) AS scans FROM pg_class
  WHERE relname IN ('event_store', 'event_archive', 'idx_event_store_delivery', 'idx_event_archive_delivery');
BEGIN;
CREATE TEMP TABLE before ON COMMIT DROP AS SELECT * FROM scans;
SELECT status FROM bridge.find_delivery(:'one');
SELECT relname, s.scans - b.scans AS scans FROM scans AS s JOIN before AS b USING (relname) ORDER BY relname;
COMMIT;
