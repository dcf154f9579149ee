-- The views of the store's figures: exact on a small one, an estimate that says so on a large one.
\set ON_ERROR_STOP off
SELECT events.append_batch(
  ARRAY['figures:1', 'figures:2', 'figures:1', 'figures_b:1'],
  ARRAY['counted', 'counted', 'measured', 'counted'],
  array_fill('{}'::jsonb, ARRAY[4]));
-- What is archived counts as what is not.
SELECT events.archive_stream('figures:1');
SELECT t.event_type, t.category, t.count, t.exact, t.first = e.first AS first, t.last = e.last AS last
FROM events.event_types AS t
JOIN (SELECT event_type, split_part(stream_id, ':', 1) AS category, min(created_at) AS first, max(created_at) AS last
      FROM events.all_events GROUP BY 1, 2) AS e USING (event_type, category)
WHERE category LIKE 'figures%' ORDER BY event_type, category;
SELECT sum(t.count) = (SELECT count(*) FROM events.all_events) AS all_of_them FROM events.event_types AS t;

SELECT s.events = (SELECT count(*) FROM events.all_events) AS events, s.exact,
  s.bytes = pg_total_relation_size('events.event_store') + pg_total_relation_size('events.event_archive') AS bytes,
  s.table_bytes + (SELECT sum(value::bigint) FROM jsonb_each(s.index_bytes)) = s.bytes AS parts,
  s.bytes_per_event = round(s.bytes::float8 / s.events) AS bytes_per_event
FROM events.store_stats AS s;
SELECT jsonb_object_keys(index_bytes) COLLATE "C" AS index FROM events.store_stats ORDER BY 1;

-- Growth: an old store of which little is recent.
CREATE FUNCTION insert_raw(stream_id text, versions int, age interval, event_type text, size int) RETURNS void LANGUAGE sql AS $$
  INSERT INTO events.event_store (event_id, stream_id, version, event_type, event_data, metadata, created_by, created_at)
  SELECT gen_random_uuid(), stream_id, n, event_type, '{}', jsonb_build_object('filling', repeat('x', size)), 'test', now() - age
  FROM generate_series(1, versions) AS n
$$;
CREATE PROCEDURE remove_all() LANGUAGE sql AS $$
  ALTER TABLE events.event_store DISABLE TRIGGER event_store_is_immutable;
  ALTER TABLE events.event_archive DISABLE TRIGGER event_archive_is_immutable;
  DELETE FROM events.event_store;
  DELETE FROM events.event_archive;
$$;
BEGIN;
CALL remove_all();
SELECT * FROM events.event_types;
SELECT events, bytes_per_event, events_per_day, bytes_per_day FROM events.store_stats;
SELECT insert_raw('figures:young', 10, '2 hours', 'counted', 1);
SELECT events, events_per_day FROM events.store_stats;
ROLLBACK;
BEGIN;
CALL remove_all();
SELECT insert_raw('figures:old', 100, '30 days', 'counted', 1);
SELECT insert_raw('figures:new', 70, '3 days', 'counted', 1);
SELECT events.archive_stream('figures:old');
SELECT events, events_per_day, bytes_per_day = round(70.0 / 170 * bytes / 7) AS bytes_per_day FROM events.store_stats;
ROLLBACK;

-- Who may look.
CREATE ROLE auren_test_looker;
SET ROLE auren_test_looker;
SELECT count(*) FROM events.event_types;
RESET ROLE;
GRANT auren_reader TO auren_test_looker;
SET ROLE auren_test_looker;
SELECT count(*) > 0 AS seen FROM events.event_types;
SELECT count(*) AS seen FROM events.store_stats;
RESET ROLE;

-- More than 4,096 pages: part of them is looked at, and the figures are right within a few per cent.
BEGIN;
SELECT insert_raw('figures_large:1', 18000, '30 days', 'counted', 1800);
SELECT insert_raw('figures_large:2', 6000, '1 day', 'measured', 1800);
SELECT events.sampled_percent() BETWEEN 50 AND 90 AS sampled;
SELECT event_type, count BETWEEN expected * 0.9 AND expected * 1.1 AS near, exact
FROM events.event_types JOIN (VALUES ('counted', 18000), ('measured', 6000)) AS v (event_type, expected) USING (event_type)
WHERE category = 'figures_large' ORDER BY event_type;
SELECT s.events BETWEEN n * 0.9 AND n * 1.1 AS events, s.exact
FROM events.store_stats AS s, (SELECT count(*) AS n FROM events.all_events) AS c;
SELECT (SELECT array_agg(t ORDER BY t) FROM events.event_types AS t)
     = (SELECT array_agg(t ORDER BY t) FROM events.event_types AS t) AS same_again;
SELECT events.archive_stream('figures_large:2');
SELECT event_type, count BETWEEN expected * 0.9 AND expected * 1.1 AS near, exact
FROM events.event_types JOIN (VALUES ('counted', 18000), ('measured', 6000)) AS v (event_type, expected) USING (event_type)
WHERE category = 'figures_large' ORDER BY event_type;
ROLLBACK;
VACUUM events.event_store, events.event_archive;  -- small again for the tests that follow

DROP FUNCTION insert_raw;
DROP PROCEDURE remove_all;
DROP ROLE auren_test_looker;
