-- Schema events: what is in the store, how large it is and how fast it grows. See docs/events-health.md.
--
-- Cheap on any store: the rows are those of about 4,096 pages (32 MiB) of each table, picked evenly
-- and always the same ones, and what is counted in them is scaled up to the whole.
--   exact    up to 4,096 pages all of them are read, and every figure is exact (exact = true);
--            sizes are exact always
--   estimate beyond that counts are within a few per cent for what is common; a rare type may be
--            missing, and first and last are those of the sample
CREATE FUNCTION events.sampled_percent(p_table regclass) RETURNS real
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT least(100, 100.0 * 4096 * current_setting('block_size')::bigint
                    / greatest(pg_relation_size(p_table), 1))::real
$$;
COMMENT ON FUNCTION events.sampled_percent IS
  'how much of a table the views of the store''s figures look at: 100 for all of it';

-- A sampled event stands for `weight` of them.
CREATE VIEW events.sampled_events AS
  SELECT e.event_type, e.stream_id, e.created_at,
         100 / events.sampled_percent('events.event_store')::float8 AS weight
    FROM events.event_store AS e
         TABLESAMPLE system (events.sampled_percent('events.event_store')) REPEATABLE (0)
  UNION ALL
  SELECT a.event_type, a.stream_id, a.created_at,
         100 / events.sampled_percent('events.event_archive')::float8
    FROM events.event_archive AS a
         TABLESAMPLE system (events.sampled_percent('events.event_archive')) REPEATABLE (0);
COMMENT ON VIEW events.sampled_events IS 'the events that the views of the store''s figures look at';

CREATE VIEW events.event_types AS
  SELECT e.event_type,
         split_part(e.stream_id, ':', 1) AS category,
         round(sum(e.weight))::bigint AS count,
         min(e.created_at) AS first,
         max(e.created_at) AS last,
         events.sampled_percent('events.event_store') = 100
           AND events.sampled_percent('events.event_archive') = 100 AS exact
    FROM events.sampled_events AS e
   GROUP BY e.event_type, split_part(e.stream_id, ':', 1);
COMMENT ON VIEW events.event_types IS 'which events there are, how many, since when and until when';

-- Growth is that of the last 7 days, of all days while there are fewer, and of at least one. The age
-- is that of the event with the lowest position.
CREATE VIEW events.store_stats AS
  SELECT round(sample.events)::bigint AS events,
         size.total AS bytes,
         pg_table_size('events.event_store') AS table_bytes,
         size.indexes AS index_bytes,
         pg_total_relation_size('events.event_archive') AS archive_bytes,
         round(size.total / nullif(sample.events, 0))::bigint AS bytes_per_event,
         round(sample.recent / span.days)::bigint AS events_per_day,
         round(sample.recent / nullif(sample.events, 0) * size.total / span.days)::bigint
           AS bytes_per_day,
         events.sampled_percent('events.event_store') = 100
           AND events.sampled_percent('events.event_archive') = 100 AS exact
    FROM (SELECT coalesce(sum(e.weight), 0) AS events,
                 coalesce(sum(e.weight) FILTER (WHERE e.created_at > now() - interval '7 days'), 0)
                   AS recent
            FROM events.sampled_events AS e) AS sample,
         (SELECT pg_total_relation_size('events.event_store')
                   + pg_total_relation_size('events.event_archive'),
                 (SELECT jsonb_object_agg(c.relname, pg_table_size(c.oid))
                    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
                   WHERE i.indrelid = 'events.event_store'::regclass)) AS size (total, indexes),
         (SELECT greatest(1, least(7, coalesce(extract(epoch FROM now() - (
                   SELECT e.created_at FROM events.all_events AS e
                    ORDER BY e.position LIMIT 1)) / 86400, 1)))::float8) AS span (days);
COMMENT ON VIEW events.store_stats IS 'how large the store is, by what, and how fast it grows';

REVOKE ALL ON FUNCTION events.sampled_percent FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events.sampled_percent TO auren_reader;
GRANT SELECT ON events.event_types, events.store_stats TO auren_reader;
