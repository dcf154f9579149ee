-- What the worker keeps in the database: links, keys, offsets, dead letters.

-- Whose data an account's is.
SELECT bridge.link_user('whoop', '10129', 'ada');
SELECT bridge.link_user('oura', 'o-1', 'bea');
SELECT bridge.link_user('oura', 'o-1', 'ada');
SELECT bridge.resolve_users(ARRAY['oura', 'whoop', 'oura', 'garmin'], ARRAY['o-1', '10129', 'o-2', '10129']);
SELECT bridge.resolve_users('{}', '{}'), bridge.resolve_users(ARRAY['oura'], ARRAY['o-2']);
SELECT bridge.resolve_users(ARRAY['oura'], '{}');
SELECT bridge.unlink_user('oura', 'o-1'), bridge.unlink_user('oura', 'o-1');
SELECT provider, provider_user, user_id FROM bridge.connections;
\set VERBOSITY terse
SELECT bridge.link_user('Oura', 'o-1', 'ada');
SELECT bridge.link_user('oura', 'o-1', '');

-- Keys, by their hash.
SELECT bridge.create_api_key('phone', sha256('key-1'), 'ada');
SELECT bridge.create_api_key('backend', sha256('key-2'));
SELECT bridge.create_api_key('phone', sha256('key-3'));
SELECT bridge.create_api_key('clear text', 'key-3');
SELECT * FROM bridge.find_api_key(sha256('key-1'));
SELECT * FROM bridge.find_api_key(sha256('key-2'));
SELECT * FROM bridge.find_api_key(sha256('key-9'));
SELECT bridge.revoke_api_key('phone'), bridge.revoke_api_key('phone');
SELECT * FROM bridge.find_api_key(sha256('key-1'));
SELECT bridge.create_api_key('phone', sha256('key-1'), 'ada');
SELECT bridge.create_api_key('phone', sha256('key-4'), 'ada');
\set VERBOSITY default
SELECT name, user_id, revoked_at IS NOT NULL AS revoked FROM bridge.list_api_keys();

-- Offsets: a consumer whose epoch is not the newest moves nothing.
SET ROLE auren_writer;
INSERT INTO bridge.kafka_offsets (cluster_id, topic, partition, next_offset, owner_epoch) VALUES ('c', 't', 0, 0, 1);
UPDATE bridge.kafka_offsets SET next_offset = 10 WHERE (cluster_id, topic, partition) = ('c', 't', 0) AND owner_epoch = 1 RETURNING next_offset;
UPDATE bridge.kafka_offsets SET owner_epoch = owner_epoch + 1 WHERE (cluster_id, topic, partition) = ('c', 't', 0) RETURNING owner_epoch, next_offset;
UPDATE bridge.kafka_offsets SET next_offset = 11 WHERE (cluster_id, topic, partition) = ('c', 't', 0) AND owner_epoch = 1 RETURNING next_offset;

-- Dead letters: the same body or record again is another attempt, not another letter.
SELECT bridge.add_dead_letter('http:/webhooks/oura', '{}', 'wrong_shape') AS http \gset
SELECT bridge.add_dead_letter('http:/webhooks/oura', '{}', 'wrong_shape') = :http AS the_same;
SELECT bridge.add_dead_letter('biometric-events', '{"source": "healthkit", "delivery_id": "k-1", "user_id": "kay", "readings": []}',
  'no_usable_reading', p_key => 'kay', p_headers => '{"ce_id": "1"}', p_partition => 3, p_offset => 41) AS empty \gset
SELECT bridge.add_dead_letter('biometric-events', '{"source": "healthkit", "delivery_id": "k-1", "user_id": "kay", "readings": []}',
  'no_usable_reading', p_partition => 3, p_offset => 41) = :empty AS the_same;
SELECT bridge.add_dead_letter('biometric-events', convert_to('{"source": "healthkit", "delivery_id": "k-2", "user_id": "kay",
  "readings": [{"metric": "step_count", "value": 3, "start": "2025-03-01T09:00:00Z"}]}', 'UTF8'),
  'sql_error', 'XX000', p_partition => 3, p_offset => 42) AS good \gset
SELECT bridge.add_dead_letter('biometric-events', '\xff00', 'malformed', p_partition => 3, p_offset => 43) AS binary \gset
SELECT bridge.add_dead_letter('biometric-events', NULL, 'empty_value', p_partition => 3, p_offset => 44) AS nothing \gset
SELECT topic, partition, "offset", convert_from(key, 'UTF8') AS key, headers, reason, sqlstate, attempts, status FROM bridge.dead_letters ORDER BY id;

-- Retried, it is taken in, or told why not and kept.
SELECT answer ->> 'status' AS status, answer ->> 'readings_accepted' AS accepted FROM bridge.retry_dead_letter(:good) answer;
SELECT answer ->> 'status' AS status, answer #>> '{problem,code}' AS code FROM bridge.retry_dead_letter(:empty) answer;
SELECT answer ->> 'status' AS status, answer #>> '{problem,code}' AS code FROM bridge.retry_dead_letter(:binary) answer;
SELECT answer ->> 'status' AS status, answer #>> '{problem,code}' AS code FROM bridge.retry_dead_letter(:nothing) answer;
\set VERBOSITY terse
SELECT bridge.retry_dead_letter(:good);
SELECT bridge.retry_dead_letter(:http);
SELECT bridge.retry_dead_letter(0);
SELECT bridge.discard_dead_letter(:binary, 'a test of the vendor');
SELECT bridge.discard_dead_letter(:binary, 'again');
\set VERBOSITY default
SELECT topic, "offset", status, attempts, note FROM bridge.dead_letters ORDER BY id;
SELECT events.stream_version('user:kay') AS version;
-- A body that comes again after it was discarded is a new letter.
SELECT bridge.discard_dead_letter(:http, 'known');
SELECT bridge.add_dead_letter('http:/webhooks/oura', '{}', 'wrong_shape') <> :http AS another;
DELETE FROM bridge.dead_letters;
SELECT bridge.create_api_key('x', sha256('x'));
RESET ROLE;

SELECT p.proname, array_to_string(ARRAY(SELECT r FROM unnest(ARRAY['public', 'auren_reader', 'auren_writer', 'auren_admin']) r
  WHERE has_function_privilege(r, p.oid, 'EXECUTE')), ' ') AS may_call
FROM pg_proc p WHERE pronamespace = 'bridge'::regnamespace ORDER BY 1;
SET ROLE auren_reader;
SELECT count(*) FROM bridge.api_keys;
RESET ROLE;
