-- What may be appended, and how a refusal reads.
\set ON_ERROR_STOP off

CREATE FUNCTION pg_temp.try(stream text, type text DEFAULT 'seen', data jsonb DEFAULT '{}', meta jsonb DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM events.append_event(stream, type, data, p_metadata => meta);
  RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
  RETURN sqlstate;
END $$;

-- Stream ids.
SELECT name, pg_temp.try(name) FROM (VALUES
  ('a:b'), ('user:123'), ('device_2:x'), ('a1_:x'), ('user:a:b:c'), ('user: '), ('user:ü'), ('user:%_\'),
  (''), ('user'), (':1'), ('user:'), ('User:1'), ('1user:1'), ('_user:1'), ('us-er:1'), ('ü:1'), (' user:1')) AS v(name);
SELECT pg_temp.try('user:' || repeat('x', 250)) AS bytes_255, pg_temp.try('user:' || repeat('x', 251)) AS bytes_256,
  pg_temp.try('user:' || repeat('ü', 125)) AS bytes_255_utf8, pg_temp.try('user:' || repeat('ü', 126)) AS bytes_257_utf8;
SELECT pg_temp.try(E'user:a\nb') AS newline, pg_temp.try(E'user:\x7f') AS delete, pg_temp.try(E'user:\u0085') AS c1,
  pg_temp.try(E'user:\u00a0') AS no_break_space, pg_temp.try(E'us\ner:a') AS in_category;

-- Event types.
SELECT type, pg_temp.try('names:1', type) FROM (VALUES
  ('a'), ('order_placed'), ('v2_a1'), ('a_1'),
  (''), ('OrderPlaced'), ('order-placed'), ('_order'), ('order_'), ('order__placed'), ('1st'), ('größe'), ('a b')) AS v(type);
SELECT pg_temp.try('names:1', repeat('x', 63)) AS bytes_63, pg_temp.try('names:1', repeat('x', 64)) AS bytes_64;

-- Data and metadata are objects.
SELECT data, pg_temp.try('names:1', data => data) AS as_data, pg_temp.try('names:1', meta => data) AS as_metadata
FROM (VALUES ('{}'::jsonb), ('{"a": null}'), ('[]'), ('"text"'), ('1'), ('null'), ('true')) AS v(data);

-- NULL is no name and no data; it is no metadata.
SELECT pg_temp.try(NULL) AS stream, pg_temp.try('names:1', NULL) AS type, pg_temp.try('names:1', data => NULL) AS data,
  pg_temp.try('names:1', meta => NULL) AS metadata;

-- 16 MiB are the end.
SELECT pg_temp.try('names:2', data => jsonb_build_object('x', repeat('y', 16 * 1024 * 1024 - 100))) AS below,
  pg_temp.try('names:2', data => jsonb_build_object('x', repeat('y', 16 * 1024 * 1024))) AS above,
  pg_temp.try('names:2', meta => jsonb_build_object('x', repeat('y', 16 * 1024 * 1024))) AS metadata;
SELECT length(event_data->>'x') FROM events.replay_stream('names:2');

-- The words.
SELECT events.append_event('user', 'seen', '{}');
SELECT events.append_event('User:1', 'seen', '{}');
SELECT events.append_event('user:', 'seen', '{}');
SELECT events.append_event(E'user:\t', 'seen', '{}');
SELECT events.append_event('user:' || repeat('ü', 200), 'seen', '{}');
SELECT events.append_event('user:1', 'OrderPlaced', '{}');
SELECT events.append_event('user:1', 'seen', '[1]');
SELECT events.append_event('user:1', 'seen', '{}', p_metadata => '1');
SELECT events.append_event(NULL, 'seen', '{}');
SELECT events.append_event('user:1', NULL, '{}');
SELECT events.append_event('user:1', 'seen', NULL);
SELECT events.append_event('user:1', 'seen', jsonb_build_object('x', repeat('y', 16 * 1024 * 1024)));

-- Arrays of events say which one is wrong.
SELECT events.append_events('names:3', NULL);
SELECT events.append_events(NULL, '[]');
SELECT events.append_events('names', '[]');
SELECT events.append_events('names:3', '{"event_type": "a", "event_data": {}}');
SELECT events.append_events('names:3', '"text"');
SELECT events.append_events('names:3', '[{"event_type": "a", "event_data": {}}, 1]');
SELECT events.append_events('names:3', '[{"event_type": "a", "event_data": {}}, {"event_type": "A", "event_data": {}}]');
SELECT events.append_events('names:3', '[{"event_type": "a"}]');
SELECT events.append_events('names:3', '[{"event_type": 1, "event_data": {}}]');
SELECT events.append_events('names:3', '[{"event_data": {}}]');
SELECT events.append_events('names:3', '[{"event_type": "a", "event_data": [1]}]');
SELECT events.append_events('names:3', '[{"event_type": "a", "event_data": {}, "event_id": "42"}]');
SELECT events.append_events('names:3', '[{"event_type": "a", "event_data": {}, "eventid": "42"}]');
SELECT events.append_events('names:3', '[{"event_type": "a", "event_data": {}, "event_id": null, "metadata": null}]');
SELECT events.append_batch(NULL, '{}', '{}');
SELECT events.append_batch(ARRAY['names:3', NULL], ARRAY['a', 'a'], ARRAY['{}', '{}']::jsonb[]);
SELECT events.append_batch(ARRAY['names:3', 'names:3'], ARRAY['a', NULL], ARRAY['{}', '{}']::jsonb[]);
SELECT events.append_batch(ARRAY['names:3', 'names:3'], ARRAY['a', 'b'], ARRAY['{}', NULL]::jsonb[]);
SELECT events.stream_version('names:3');
