-- Dead letters: what could not be taken in is kept as it came, retried or discarded.
SET timezone = 'UTC';
SET ROLE auren_writer;

-- The same body or record again is another attempt, not another letter.
SELECT bridge.add_dead_letter('http:/webhooks/oura', '{}', 'wrong_shape', p_detail => 'expected a JSON object with /data') AS http \gset
SELECT bridge.add_dead_letter('http:/webhooks/oura', '{}', 'wrong_shape') = :http AS the_same;
SELECT bridge.add_dead_letter('biometric-events', '{"source": "healthkit", "delivery_id": "k-1", "user_id": "kay", "readings": []}',
  'no_usable_reading', p_key => 'kay', p_headers => '{"ce_id": "1"}', p_partition => 3, p_offset => 41) AS empty \gset
SELECT bridge.add_dead_letter('biometric-events', '{"source": "healthkit", "delivery_id": "k-1", "user_id": "kay", "readings": []}',
  'no_usable_reading', p_partition => 3, p_offset => 41, p_event_ids => '{c6b8e4de-29f1-528e-86c4-cc9509bfb5a3}') = :empty AS the_same;
SELECT bridge.add_dead_letter('biometric-events', convert_to('{"source": "healthkit", "delivery_id": "k-2", "user_id": "kay",
  "readings": [{"metric": "step_count", "value": 3, "start": "2025-03-01T09:00:00Z"}]}', 'UTF8'),
  'sql_error', 'XX000', p_partition => 3, p_offset => 42) AS good \gset
SELECT bridge.add_dead_letter('biometric-events', '\xff00', 'malformed', p_partition => 3, p_offset => 43) AS binary \gset
SELECT bridge.add_dead_letter('biometric-events', NULL, 'empty_value', p_partition => 3, p_offset => 44) AS nothing \gset
SELECT topic, partition, "offset", convert_from(key, 'UTF8') AS key, headers, reason, detail, sqlstate, attempts, status, event_ids
  FROM bridge.dead_letters ORDER BY id;

-- Retried, it is taken in as of when it came, or told why not and kept with the new reason.
SELECT answer ->> 'status' AS status, answer ->> 'readings_accepted' AS accepted FROM bridge.retry_dead_letter(:good) answer;
SELECT (metadata ->> 'received_at')::timestamptz = first_seen AS received_then FROM bridge.dead_letters, events.event_store
  WHERE id = :good AND stream_id = 'user:kay';
SELECT answer ->> 'status' AS status, answer #>> '{problem,code}' AS code FROM bridge.retry_dead_letter(:empty) answer;
SELECT answer ->> 'status' AS status, answer #>> '{problem,code}' AS code FROM bridge.retry_dead_letter(:binary) answer;
SELECT answer ->> 'status' AS status, answer #>> '{problem,code}' AS code FROM bridge.retry_dead_letter(:nothing) answer;
\set VERBOSITY sqlstate
SELECT bridge.retry_dead_letter(:good);
\set VERBOSITY terse
SELECT bridge.retry_dead_letter(:http);
SELECT bridge.retry_dead_letter(0);
SELECT bridge.discard_dead_letter(:binary, 'a test of the vendor');
SELECT bridge.discard_dead_letter(:binary, 'again');
SELECT bridge.settle_dead_letter(:binary);
\set VERBOSITY default
SELECT topic, "offset", status, attempts, reason, sqlstate, detail, note FROM bridge.dead_letters ORDER BY id;
SELECT events.stream_version('user:kay') AS version;
-- A body that comes again after it was discarded is a new letter.
SELECT bridge.discard_dead_letter(:http, 'known');
SELECT bridge.add_dead_letter('http:/webhooks/oura', '{}', 'wrong_shape') <> :http AS another;
-- Whoever reads a letter by means of their own says what became of it.
SELECT max(id) AS http FROM bridge.dead_letters \gset
SELECT (bridge.open_dead_letter(:http)).value;
SELECT bridge.settle_dead_letter(:http, 'user_unresolved', 'whose data is it?');
SELECT status, attempts, reason, detail FROM bridge.dead_letters WHERE id = :http;
SELECT bridge.settle_dead_letter(:http);
SELECT status, attempts, reason, detail FROM bridge.dead_letters WHERE id = :http;
DELETE FROM bridge.dead_letters;

-- Many records at once. A record that is known already is another attempt, and so is one given twice.
SELECT bridge.add_dead_letters('many', ARRAY[0, 1, 0], ARRAY[7, 7, 6], ARRAY['\x00ff', NULL, NULL]::bytea[], ARRAY['\xff', NULL, '{}']::bytea[],
  ARRAY['[{"key": "content-type", "value": "application/json"}, {"key": "x", "base64": "/w=="}]', NULL, NULL]::jsonb[],
  ARRAY['malformed', 'empty_value', 'wrong_shape'], ARRAY['22P02', NULL, NULL], ARRAY['no JSON', NULL, NULL],
  ARRAY[NULL, NULL, '42a6b6de-29f1-528e-86c4-cc9509bfb5a3']::uuid[]);
SELECT bridge.add_dead_letters('many', ARRAY[0, 2, 2], ARRAY[6, 0, 0], NULL, NULL, NULL, ARRAY['wrong_shape', 'empty_value', 'empty_value'], NULL, NULL, NULL);
SELECT topic, partition, "offset", key, value, headers, reason, sqlstate, detail, event_ids, attempts FROM bridge.dead_letters WHERE topic = 'many' ORDER BY id;
SELECT count(*) FROM bridge.dead_letters WHERE event_ids @> '{42a6b6de-29f1-528e-86c4-cc9509bfb5a3}';
SELECT bridge.add_dead_letters('many', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}') AS none;
\set VERBOSITY sqlstate
SELECT bridge.add_dead_letters('many', ARRAY[0, 1], ARRAY[1], NULL, NULL, NULL, ARRAY['malformed'], NULL, NULL, NULL);
SELECT bridge.add_dead_letters('many', ARRAY[0], ARRAY[1], NULL, NULL, NULL, ARRAY['malformed'], '{}', NULL, NULL);
SELECT bridge.add_dead_letters('many', ARRAY[NULL]::integer[], ARRAY[1], NULL, NULL, NULL, ARRAY['malformed'], NULL, NULL, NULL);

-- What a record's value is, its content type says; the last one counts. SQL cannot read Protobuf.
SELECT bridge.add_dead_letter('types', '\x0a', 'sql_error', p_partition => 0, p_offset => 0,
  p_headers => '[{"key": "content-type", "value": "application/json"}, {"key": "Content-Type", "value": "application/x-protobuf"}]') AS protobuf \gset
SELECT bridge.retry_dead_letter(:protobuf);
\set VERBOSITY default
SELECT answer ->> 'status' AS status FROM bridge.retry_dead_letter(:protobuf, '{"source": "healthkit", "delivery_id": "k-3", "user_id": "kay",
  "readings": [{"metric": "step_count", "value": 4, "start": "2025-03-01T10:00:00Z"}]}') answer;
SELECT bridge.add_dead_letter('types', 'hello', 'unknown_content_type', p_partition => 0, p_offset => 1,
  p_headers => '[{"key": "content-type", "value": "Text/Plain; charset=utf-8"}]') AS plain \gset
SELECT answer #>> '{problem,code}' AS code, answer #>> '{problem,detail}' AS detail FROM bridge.retry_dead_letter(:plain) answer;
SELECT bridge.add_dead_letter('types', convert_to('{"source": "healthkit", "delivery_id": "k-4", "user_id": "kay", "received_at": "2025-03-01T11:00:05Z",
  "readings": [{"metric": "step_count", "value": 5, "start": "2025-03-01T11:00:00Z"}]}', 'UTF8'), 'sql_error', p_partition => 0, p_offset => 2,
  p_headers => '[{"key": "content-type", "value": "application/cloudevents+json; charset=utf-8"}]') AS json \gset
SELECT answer ->> 'status' AS status FROM bridge.retry_dead_letter(:json) answer;
SELECT metadata ->> 'received_at' AS received_at FROM events.event_store WHERE stream_id = 'user:kay' AND event_data ->> 'delivery_id' = 'k-4';

-- The mirror: records only, oldest first, each until it is marked.
SELECT topic, partition, "offset" FROM bridge.unmirrored_dead_letters(3);
SELECT bridge.mark_mirrored(ARRAY(SELECT id FROM bridge.unmirrored_dead_letters(3))) AS marked;
SELECT count(*) AS left, count(*) FILTER (WHERE partition IS NULL) AS bodies FROM bridge.unmirrored_dead_letters();
SELECT bridge.mark_mirrored(ARRAY(SELECT id FROM bridge.dead_letters WHERE topic = 'biometric-events')) AS marked;
RESET ROLE;

-- Letters are health data.
SET ROLE auren_reader;
SELECT count(*) FROM bridge.dead_letters;
SELECT * FROM bridge.unmirrored_dead_letters();
RESET ROLE;
