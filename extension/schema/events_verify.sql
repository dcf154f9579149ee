-- Schema events: whether the store is sound. See docs/events-health.md.
--
-- What no setting, superuser or restore may have broken, looked up and not believed. Every check
-- looks at the same snapshot. It reads the whole store several times over and blocks nobody.

-- A healthy store answers true in every row; else the detail says how many and names one of them.
--   versions_contiguous      each stream is 1, 2, 3 ...
--   created_at_ordered       no event is older than the one before it in its stream
--   positions_unique         no position twice
--   event_ids_unique         no id twice in a stream, store and archive taken together
--   positions_drawn          each is between 1 and what the sequence has handed out
--   names_valid              stream ids and event types keep the rules (message_store's are exempt)
--   archive_older            what of a stream lies in the archive comes before what lies in the store
--   tombstones_last          nothing comes behind a stream's tombstone
--   hash_chains              every event of a chain is as it was appended
--   unique_constraints       (stream_id, version) and (stream_id, event_id), valid and immediate
--   sequence_sound           cache 1, increment 1, no cycle, and the column's default draws from it
--   guard_in_place           the triggers against UPDATE, DELETE and TRUNCATE, ENABLE ALWAYS, ours
--   insert_granted_to_nobody no role but the owner and superusers could write past the functions
--   snapshots_equal          the states that are kept are those of a fold from the first event
CREATE FUNCTION events.verify_store() RETURNS TABLE (check_name text, ok boolean, detail text)
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
  WITH streams AS (
    SELECT count(*) AS events,
           count(hash) AS linked,
           count(*) FILTER (WHERE version <> expected) AS gaps,
           min(format('stream "%s" has version %s instead of %s', stream_id, version, expected)
               COLLATE "C") FILTER (WHERE version <> expected) AS gap,
           count(*) FILTER (WHERE created_at < previous_at) AS backwards,
           min(format('stream "%s" version %s', stream_id, version)
               COLLATE "C") FILTER (WHERE created_at < previous_at) AS backward
      FROM (SELECT stream_id, version, created_at, hash,
                   coalesce(lag(version) OVER stream, 0) + 1 AS expected,
                   lag(created_at) OVER stream AS previous_at
              FROM events.all_events
            WINDOW stream AS (PARTITION BY stream_id ORDER BY version)) AS e
  ), positions AS (
    SELECT count(*) FILTER (WHERE position = previous) AS repeats,
           min(position) FILTER (WHERE position = previous) AS repeated,
           min(position) AS lowest,
           max(position) AS highest
      FROM (SELECT position, lag(position) OVER (ORDER BY position) AS previous
              FROM events.all_events) AS e
  ), ids AS (
    -- Within either table the unique constraint sees to it.
    SELECT count(*) AS repeats,
           min(format('stream "%s" id "%s"', stream_id, event_id) COLLATE "C") AS repeated
      FROM events.event_store AS e
     WHERE EXISTS (SELECT FROM events.event_archive AS a
                    WHERE a.stream_id = e.stream_id AND a.event_id = e.event_id)
  ), archive AS (
    SELECT count(*) AS wrong,
           min(format('stream "%s" version %s', e.stream_id, e.version) COLLATE "C") AS example
      FROM events.event_store AS e
     WHERE EXISTS (SELECT FROM events.event_archive AS a
                    WHERE a.stream_id = e.stream_id AND a.version >= e.version)
  ), tombstones AS (
    SELECT count(*) AS wrong,
           min(format('stream "%s" goes on after version %s', e.stream_id, e.version)
               COLLATE "C") AS example
      FROM events.all_events AS e
     WHERE e.event_type = 'stream_tombstoned'
       AND EXISTS (SELECT FROM events.all_events AS n
                    WHERE n.stream_id = e.stream_id AND n.version > e.version)
  ), chains AS (
    SELECT count(*) AS wrong,
           min(format('stream "%s" version %s %s', stream_id, version, problem)
               COLLATE "C") AS example
      FROM events.broken_links
     WHERE (SELECT linked FROM streams) > 0  -- else spare the sort of all events
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
  ), tables AS (
    SELECT t.name::regclass AS oid, t.guard
      FROM (VALUES ('events.event_store', 'event_store_is_immutable'),
                   ('events.event_archive', 'event_archive_is_immutable')) AS t (name, guard)
  ), missing AS (
    SELECT string_agg(format('%s (%s)', t.oid, array_to_string(wanted.columns, ', ')), ' and '
                      ORDER BY t.oid::text) AS names
      FROM tables AS t,
           (VALUES (ARRAY['stream_id', 'version']), (ARRAY['stream_id', 'event_id']))
           AS wanted (columns)
     WHERE NOT EXISTS (
       SELECT FROM pg_index AS i
        WHERE i.indrelid = t.oid
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
    SELECT string_agg(format('trigger "%s" %s', g.name, g.fault), ' and ' ORDER BY g.name) AS faults
      FROM (
        SELECT t.guard AS name,
               CASE WHEN r.oid IS NULL THEN 'is missing'
                    WHEN r.tgenabled <> 'A' THEN 'is not ENABLE ALWAYS'
                    WHEN r.tgtype <> 58 OR r.tgattr::text <> '' OR r.tgqual IS NOT NULL
                      THEN 'does not fire for every UPDATE, DELETE and TRUNCATE'
                    WHEN r.tgfoid <> 'events.refuse_change()'::regprocedure
                      OR (f.prosrc, f.probin, f.prolang) IS DISTINCT FROM
                         ('events_refuse_change', own.probin, own.prolang)
                      THEN 'does not call the function that refuses' END AS fault
          FROM tables AS t
          LEFT JOIN pg_trigger AS r ON r.tgrelid = t.oid AND r.tgname = t.guard
          LEFT JOIN pg_proc AS f ON f.oid = r.tgfoid
          JOIN pg_proc AS own ON own.oid = 'events.next_position()'::regprocedure) AS g
     WHERE g.fault IS NOT NULL
  ), intruders AS (
    SELECT string_agg(DISTINCT quote_ident(r.rolname), ', ') AS names
      FROM pg_roles AS r
      JOIN pg_class AS c ON c.oid IN (SELECT t.oid FROM tables AS t)
     WHERE NOT r.rolsuper
       AND r.rolname <> 'pg_write_all_data'  -- nobody in itself; its members are seen
       AND NOT pg_has_role(r.oid, c.relowner, 'MEMBER')
       AND has_any_column_privilege(r.oid, c.oid, 'INSERT')
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
  SELECT 'event_ids_unique', repeats = 0,
         CASE repeats WHEN 0 THEN 'no id twice in a stream'
                      ELSE format('%s repeated, such as %s', repeats, repeated) END
    FROM ids
  UNION ALL
  SELECT 'archive_older', wrong = 0,
         CASE wrong WHEN 0 THEN 'what is archived comes first'
                    ELSE format('%s wrong, such as %s', wrong, example) END
    FROM archive
  UNION ALL
  SELECT 'tombstones_last', wrong = 0,
         CASE wrong WHEN 0 THEN 'closed streams are closed'
                    ELSE format('%s wrong, such as %s', wrong, example) END
    FROM tombstones
  UNION ALL
  SELECT 'hash_chains', wrong = 0,
         CASE wrong WHEN 0 THEN 'every link holds'
                    ELSE format('%s broken, such as %s', wrong, example) END
    FROM chains
  UNION ALL
  -- The sequence is read after the snapshot was taken: it can only be further.
  SELECT 'positions_drawn', drawn.ok,
         CASE WHEN highest IS NULL THEN 'no events'
              ELSE format('%s to %s, the sequence is at %s', lowest, highest, s.last_value) END
    FROM positions, events.event_store_position_seq AS s,
         LATERAL (SELECT highest IS NULL
                      OR lowest >= 1 AND highest <= s.last_value AND s.is_called) AS drawn (ok)
  UNION ALL
  SELECT 'names_valid', wrong = 0,
         CASE wrong WHEN 0 THEN 'every name keeps the rules'
                    ELSE format('%s wrong, such as %s', wrong, example) END
    FROM names
  UNION ALL
  SELECT 'unique_constraints', names IS NULL,
         coalesce('missing or not valid: ' || names, 'both are in place')
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
COMMENT ON FUNCTION events.verify_store() IS
  'what verify proves without running a reducer, which it leaves to the rights of whoever asks';

-- SECURITY INVOKER: to fold anew may run code of users.
CREATE FUNCTION events.verify() RETURNS TABLE (check_name text, ok boolean, detail text)
LANGUAGE sql STABLE SECURITY INVOKER PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT v.check_name, v.ok, v.detail FROM events.verify_store() AS v
  UNION ALL
  SELECT 'snapshots_equal', CASE WHEN foldable THEN wrong = 0 END,
         CASE WHEN NOT foldable THEN 'not looked at: an index on (stream_id, version) is missing'
              WHEN wrong = 0 THEN format('%s snapshots', snapshots)
              ELSE format('%s wrong, such as %s', wrong, example) END
    FROM (SELECT to_regclass('events.event_store_stream_version') IS NOT NULL
             AND to_regclass('events.event_archive_stream_version') IS NOT NULL) AS p (foldable)
    CROSS JOIN LATERAL (
          SELECT count(*) AS snapshots,
                 count(*) FILTER (WHERE NOT same) AS wrong,
                 min(format('stream "%s" version %s', stream_id, version) COLLATE "C")
                   FILTER (WHERE NOT same) AS example
            FROM events.snapshots AS s
            CROSS JOIN LATERAL (SELECT events.fold_stream(s.stream_id, s.version)) AS f (fold)
            CROSS JOIN LATERAL (
              SELECT (f.fold -> 'state', f.fold -> 'version')
                     IS NOT DISTINCT FROM (s.state, to_jsonb(s.version))) AS e (same)
           WHERE foldable AND s.reducer = events.current_reducer(s.stream_id)) AS kept
$$;
COMMENT ON FUNCTION events.verify() IS
  'proves the store''s invariants, one row per check; reads all of it';

REVOKE ALL ON FUNCTION events.verify(), events.verify_store() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events.verify(), events.verify_store() TO auren_admin;
