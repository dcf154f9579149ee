-- Schema events: looking at the store. Whether it is sound, what is in it, how large it is and how
-- fast it grows. See docs/events-health.md.

-- Proof ------------------------------------------------------------------------------------------
-- What no setting, superuser or restore may have broken, looked up and not believed. Every check
-- looks at the same snapshot. It reads store and archive several times over and blocks nobody.

-- A healthy store answers true in every row; else the detail says how many and names one of them.
--   versions_contiguous      each stream is 1, 2, 3 ...
--   created_at_ordered       no event is older than the one before it in its stream
--   positions_unique         no position twice
--   positions_drawn          each is between 1 and what the sequence has handed out
--   names_valid              stream ids and event types keep the rules (message_store's are exempt)
--   event_ids_unique         no stream has an id in the store and in the archive
--   archive_older            what of a stream is archived comes before what is in the store
--   tombstones_last          no event follows the tombstone of its stream
--   hash_chains              no link of a hash chain is broken
--   unique_constraints       (stream_id, version) and (stream_id, event_id), valid and immediate
--   sequence_sound           cache 1, increment 1, no cycle, and the column's default draws from it
--   guard_in_place           the trigger against UPDATE, DELETE and TRUNCATE, ENABLE ALWAYS, ours
--   insert_granted_to_nobody no role but the owner and superusers could write past the functions
-- The last four look at both tables.
CREATE FUNCTION events.verify() RETURNS TABLE (check_name text, ok boolean, detail text)
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
  WITH streams AS (
    SELECT count(*) AS events,
           count(hash) AS linked,
           count(*) FILTER (WHERE version <> expected) AS gaps,
           min(format('stream "%s" has version %s instead of %s', stream_id, version, expected)
               COLLATE "C") FILTER (WHERE version <> expected) AS gap,
           count(*) FILTER (WHERE created_at < previous_at) AS backwards,
           min(format('stream "%s" version %s', stream_id, version)
               COLLATE "C") FILTER (WHERE created_at < previous_at) AS backward,
           count(*) FILTER (WHERE previous_type = 'stream_tombstoned') AS risen,
           min(format('stream "%s" version %s', stream_id, version)
               COLLATE "C") FILTER (WHERE previous_type = 'stream_tombstoned') AS ghost
      FROM (SELECT stream_id, version, created_at, hash,
                   coalesce(lag(version) OVER stream, 0) + 1 AS expected,
                   lag(created_at) OVER stream AS previous_at,
                   lag(event_type) OVER stream AS previous_type
              FROM events.all_events
            WINDOW stream AS (PARTITION BY stream_id ORDER BY version)) AS e
  ), positions AS (
    SELECT count(*) FILTER (WHERE position = previous) AS repeats,
           min(position) FILTER (WHERE position = previous) AS repeated,
           min(position) AS lowest,
           max(position) AS highest
      FROM (SELECT position, lag(position) OVER (ORDER BY position) AS previous
              FROM events.all_events) AS e
  ), names AS (
    SELECT count(*) AS wrong,
           min(format('stream "%s" type "%s"', stream_id, event_type) COLLATE "C") AS example
      FROM events.all_events
     WHERE stream_id NOT LIKE 'message\_store:%'
       AND (event_type !~ '^[a-z][a-z0-9]*(_[a-z0-9]+)*$'
         OR octet_length(event_type) > 63
         OR octet_length(stream_id) > 255
         OR stream_id !~ '^[a-z][a-z0-9_]*:.'
         OR stream_id ~ CASE getdatabaseencoding()
                          WHEN 'UTF8' THEN '[\u0001-\u001f\u007f-\u009f]'
                          ELSE '[\x01-\x1f\x7f]' END)
  ), ids AS (
    SELECT count(*) AS repeats,
           min(format('%s of stream "%s"', event_id, stream_id) COLLATE "C") AS repeated
      FROM events.event_archive JOIN events.event_store USING (stream_id, event_id)
  ), halves AS (
    SELECT count(*) AS crossed,
           min(format('stream "%s" from version %s on', stream_id, stored) COLLATE "C") AS example
      FROM (SELECT stream_id, max(version) AS archived
              FROM events.event_archive GROUP BY stream_id) AS a,
           LATERAL (SELECT min(version) AS stored
                      FROM events.event_store WHERE stream_id = a.stream_id) AS s
     WHERE stored < archived
  ), links AS (
    SELECT count(*) AS broken,
           min(format('stream "%s" version %s %s', stream_id, version, problem) COLLATE "C") AS example
      FROM events.broken_links
     WHERE (SELECT linked FROM streams) > 0  -- else spare the sort of all events
  ), tables AS (
    SELECT c.oid, c.relname, c.relowner
      FROM pg_class AS c
     WHERE c.oid IN ('events.event_store'::regclass, 'events.event_archive'::regclass)
  ), missing AS (
    SELECT string_agg(format('%s (%s)', relname, array_to_string(wanted.columns, ', ')), ' and ')
           AS names
      FROM tables,
           (VALUES (ARRAY['stream_id', 'version']), (ARRAY['stream_id', 'event_id']))
           AS wanted (columns)
     WHERE NOT EXISTS (
       SELECT FROM pg_index AS i
        WHERE i.indrelid = tables.oid
          AND i.indisunique AND i.indisvalid AND i.indisready AND i.indislive AND i.indimmediate
          AND i.indpred IS NULL AND i.indexprs IS NULL
          AND wanted.columns = ARRAY(
                SELECT a.attname::text
                  FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
                  JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
                 WHERE k.place <= i.indnkeyatts ORDER BY k.place))
  ), sequence AS (
    SELECT concat_ws(', ',
             CASE WHEN s.seqcache <> 1 THEN format('cache %s', s.seqcache) END,
             CASE WHEN s.seqincrement <> 1 THEN format('increment %s', s.seqincrement) END,
             CASE WHEN s.seqcycle THEN 'cycle' END,
             CASE WHEN coalesce(pg_get_expr(d.adbin, d.adrelid), '')
                         <> 'events.next_position()'
                  THEN format('default %s', coalesce(pg_get_expr(d.adbin, d.adrelid), 'none')) END)
           AS faults
      FROM pg_sequence AS s
      JOIN pg_attribute AS a ON a.attrelid = 'events.event_store'::regclass
                            AND a.attname = 'position'
      LEFT JOIN pg_attrdef AS d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
     WHERE s.seqrelid = 'events.event_store_position_seq'::regclass
  ), guard AS (
    -- 58: BEFORE, per statement, UPDATE, DELETE and TRUNCATE. Its function must be the library's
    -- own, and not one that was put in its place under the same name.
    SELECT string_agg(format('trigger "%s_is_immutable" %s', relname, fault), ', ') AS faults
      FROM tables
      LEFT JOIN pg_trigger AS t ON t.tgrelid = tables.oid AND t.tgname = relname || '_is_immutable'
      LEFT JOIN pg_proc AS f ON f.oid = t.tgfoid
      JOIN pg_proc AS own ON own.oid = 'events.next_position()'::regprocedure,
           LATERAL (SELECT CASE WHEN t.oid IS NULL THEN 'is missing'
                                WHEN t.tgenabled <> 'A' THEN 'is not ENABLE ALWAYS'
                                WHEN t.tgtype <> 58 OR t.tgattr::text <> '' OR t.tgqual IS NOT NULL
                                  THEN 'does not fire for every UPDATE, DELETE and TRUNCATE'
                                WHEN t.tgfoid <> 'events.refuse_change()'::regprocedure
                                  OR (f.prosrc, f.probin, f.prolang) IS DISTINCT FROM
                                     ('events_refuse_change', own.probin, own.prolang)
                                  THEN 'does not call the function that refuses' END) AS found (fault)
     WHERE fault IS NOT NULL
  ), intruders AS (
    SELECT string_agg(DISTINCT quote_ident(r.rolname), ', ') AS names
      FROM pg_roles AS r, tables
     WHERE NOT r.rolsuper
       AND r.rolname <> 'pg_write_all_data'  -- nobody in itself; its members are seen
       AND NOT pg_has_role(r.oid, tables.relowner, 'MEMBER')
       AND has_any_column_privilege(r.oid, tables.oid, 'INSERT')
  )
  SELECT 'versions_contiguous', gaps = 0,
         CASE gaps WHEN 0 THEN format('%s events', events)
                   ELSE format('%s wrong, such as %s', gaps, gap) END
    FROM streams
  UNION ALL
  SELECT 'created_at_ordered', backwards = 0,
         CASE backwards WHEN 0 THEN format('%s events', events)
                        ELSE format('%s before their predecessors, such as %s',
                                    backwards, backward) END
    FROM streams
  UNION ALL
  SELECT 'positions_unique', repeats = 0,
         CASE repeats WHEN 0 THEN 'no position twice'
                      ELSE format('%s repeated, such as %s', repeats, repeated) END
    FROM positions
  UNION ALL
  -- The sequence is read after the snapshot was taken: it can only be further.
  SELECT 'positions_drawn', drawn.ok,
         CASE WHEN highest IS NULL THEN 'no events'
              ELSE format('%s to %s, the sequence is at %s', lowest, highest, s.last_value) END
    FROM positions, events.event_store_position_seq AS s,
         LATERAL (SELECT highest IS NULL
                         OR lowest >= 1 AND highest <= s.last_value AND s.is_called
                 ) AS drawn (ok)
  UNION ALL
  SELECT 'names_valid', wrong = 0,
         CASE wrong WHEN 0 THEN 'every name keeps the rules'
                    ELSE format('%s wrong, such as %s', wrong, example) END
    FROM names
  UNION ALL
  SELECT 'event_ids_unique', repeats = 0,
         CASE repeats WHEN 0 THEN 'no id in both tables'
                      ELSE format('%s in both tables, such as %s', repeats, repeated) END
    FROM ids
  UNION ALL
  SELECT 'archive_older', crossed = 0,
         CASE crossed WHEN 0 THEN 'what is archived of a stream is its beginning'
                      ELSE format('%s wrong, such as %s', crossed, example) END
    FROM halves
  UNION ALL
  SELECT 'tombstones_last', risen = 0,
         CASE risen WHEN 0 THEN 'nothing follows a tombstone'
                    ELSE format('%s follow a tombstone, such as %s', risen, ghost) END
    FROM streams
  UNION ALL
  SELECT 'hash_chains', broken = 0,
         CASE broken WHEN 0 THEN format('%s events are linked', linked)
                     ELSE format('%s broken, such as %s', broken, example) END
    FROM links, streams
  UNION ALL
  SELECT 'unique_constraints', names IS NULL,
         coalesce('missing or not valid: ' || names, 'all are in place')
    FROM missing
  UNION ALL
  SELECT 'sequence_sound', faults = '',
         CASE faults WHEN '' THEN 'positions are handed out one by one'
                     ELSE 'changed: ' || faults END
    FROM sequence
  UNION ALL
  SELECT 'guard_in_place', faults IS NULL, coalesce(faults, 'changes are refused')
    FROM guard
  UNION ALL
  SELECT 'insert_granted_to_nobody', names IS NULL,
         coalesce('may insert: ' || names, 'only functions write')
    FROM intruders
$$;
COMMENT ON FUNCTION events.verify() IS
  'proves the invariants of store and archive, one row per check; reads all of them';

-- Figures ----------------------------------------------------------------------------------------
-- Cheap on any store: the rows are those of about 4,096 pages (32 MiB) of store and archive, picked
-- evenly and always the same ones, and what is counted in them is scaled up to the whole.
--   exact    up to 4,096 pages all of them are read, and every figure is exact (exact = true);
--            sizes are exact always
--   estimate beyond that counts are within a few per cent for what is common; a rare type may be
--            missing, and first and last are those of the sample
CREATE FUNCTION events.sampled_percent() RETURNS real
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT least(100, 100.0 * 4096 * current_setting('block_size')::bigint
                    / greatest(pg_relation_size('events.event_store')
                               + pg_relation_size('events.event_archive'), 1))::real
$$;
COMMENT ON FUNCTION events.sampled_percent() IS
  'how much of store and archive the views of their figures look at: 100 for all of it';

CREATE VIEW events.sampled_events AS
  SELECT stream_id, event_type, created_at
    FROM events.event_store TABLESAMPLE system (events.sampled_percent()) REPEATABLE (0)
  UNION ALL
  SELECT stream_id, event_type, created_at
    FROM events.event_archive TABLESAMPLE system (events.sampled_percent()) REPEATABLE (0);
COMMENT ON VIEW events.sampled_events IS 'the events that event_types and store_stats look at';

CREATE VIEW events.event_types AS
  SELECT e.event_type,
         split_part(e.stream_id, ':', 1) AS category,
         round(count(*) * 100 / events.sampled_percent())::bigint AS count,
         min(e.created_at) AS first,
         max(e.created_at) AS last,
         events.sampled_percent() = 100 AS exact
    FROM events.sampled_events AS e
   GROUP BY e.event_type, split_part(e.stream_id, ':', 1);
COMMENT ON VIEW events.event_types IS 'which events there are, how many, since when and until when';

-- Growth is that of the last 7 days, of all days while there are fewer, and of at least one. The age
-- is that of the event with the lowest position.
CREATE VIEW events.store_stats AS
  SELECT round(sample.events * scale)::bigint AS events,
         size.total AS bytes,
         size.tables AS table_bytes,
         size.indexes AS index_bytes,
         round(size.total / nullif(sample.events * scale, 0))::bigint AS bytes_per_event,
         round(sample.recent * scale / span.days)::bigint AS events_per_day,
         round(sample.recent::float8 / nullif(sample.events, 0) * size.total
               / span.days)::bigint AS bytes_per_day,
         scale = 1 AS exact
    FROM (SELECT count(*) AS events,
                 count(*) FILTER (WHERE e.created_at > now() - interval '7 days') AS recent
            FROM events.sampled_events AS e) AS sample,
         (SELECT 100 / events.sampled_percent()::float8) AS factor (scale),
         (SELECT sum(pg_total_relation_size(t.oid))::bigint AS total,
                 sum(pg_table_size(t.oid))::bigint AS tables,
                 (SELECT jsonb_object_agg(c.relname, pg_table_size(c.oid))
                    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
                   WHERE i.indrelid IN ('events.event_store'::regclass,
                                        'events.event_archive'::regclass)) AS indexes
            FROM (VALUES ('events.event_store'::regclass), ('events.event_archive'::regclass))
                 AS t (oid)) AS size,
         (SELECT greatest(1, least(7, coalesce(extract(epoch FROM now() - (
                   SELECT e.created_at FROM events.all_events AS e
                    ORDER BY e.position LIMIT 1)) / 86400, 1)))::float8) AS span (days);
COMMENT ON VIEW events.store_stats IS
  'how large store and archive are, by what, and how fast they grow';

REVOKE ALL ON FUNCTION events.verify(), events.sampled_percent() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events.verify() TO auren_admin;
GRANT EXECUTE ON FUNCTION events.sampled_percent() TO auren_reader;
GRANT SELECT ON events.sampled_events, events.event_types, events.store_stats TO auren_reader;
