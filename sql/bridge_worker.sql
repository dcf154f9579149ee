-- What the worker keeps in the database: links, keys, offsets.

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

SELECT bridge.create_api_key('x', sha256('x'));
RESET ROLE;

SELECT p.proname, array_to_string(ARRAY(SELECT r FROM unnest(ARRAY['public', 'auren_reader', 'auren_writer', 'auren_admin']) r
  WHERE has_function_privilege(r, p.oid, 'EXECUTE')), ' ') AS may_call
FROM pg_proc p WHERE pronamespace = 'bridge'::regnamespace ORDER BY 1;
SET ROLE auren_reader;
SELECT count(*) FROM bridge.api_keys;
RESET ROLE;
