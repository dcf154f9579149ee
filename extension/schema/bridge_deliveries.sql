-- Schema bridge: what became of a delivery, asked by its event id.

-- Whose the delivery in a dead letter is; NULL where that cannot be told. The worker notes it beside a
-- provider's body; a record says it itself, if it can be read at all.
CREATE FUNCTION bridge.letter_user(p_letter bridge.dead_letters, p_event_id uuid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_letter.topic LIKE 'http:%' THEN
    RETURN p_letter.headers #>> ARRAY['users', p_event_id::text];
  END IF;
  RETURN convert_from(p_letter.value, 'UTF8')::jsonb ->> 'user_id';
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
  RETURN NULL;
END;
$$;

-- The strongest comes first: what was applied, whatever had been refused before. One id may be of two
-- persons, where a provider's delivery id says nothing of whose it is: a row for each. No row: unknown.
CREATE FUNCTION bridge.find_delivery(p_event_id uuid)
RETURNS TABLE(
  status text,
  user_id text,
  "position" bigint,
  received_at text,
  readings_accepted integer,
  readings_rejected integer,
  problems jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH found AS (
    SELECT 1 AS rank, 'applied' AS status, substr(e.stream_id, length('user:') + 1) AS user_id,
           e.position, e.metadata ->> 'received_at' AS received_at,
           -- A writer may append an event of this name by hand: it must not stop the readers.
           CASE jsonb_typeof(e.event_data -> 'readings')
             WHEN 'array' THEN jsonb_array_length(e.event_data -> 'readings') ELSE 0 END AS readings,
           CASE jsonb_typeof(e.event_data -> 'refused')
             WHEN 'array' THEN e.event_data -> 'refused' ELSE '[]' END AS problems
      FROM events.all_events e
     WHERE e.event_id = p_event_id
       AND e.event_type = 'biometric_received'
       AND left(e.stream_id, length('user:')) = 'user:'
    UNION ALL
    SELECT 2, kept.status, kept.user_id, NULL, to_jsonb(kept.first_seen) #>> '{}', NULL,
           jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
             'code', kept.reason,
             'detail', CASE kept.status WHEN 'dead_letter'
               THEN 'not taken in; kept until it is retried or discarded'
               ELSE 'refused; what came is kept' END,
             'sqlstate', kept.sqlstate,
             'dead_letter', kept.id)))
      FROM (SELECT d.id, d.reason, d.sqlstate, d.first_seen,
                   bridge.letter_user(d, p_event_id) AS user_id,
                   CASE WHEN d.topic LIKE 'http:%' OR d.status = 'discarded'
                     THEN 'rejected' ELSE 'dead_letter' END AS status
              FROM bridge.dead_letters d
             WHERE d.event_ids @> ARRAY[p_event_id] AND d.status <> 'retried') kept
  )
  SELECT one.status, one.user_id, one.position, one.received_at,
         coalesce(one.readings - jsonb_array_length(one.problems), 0),
         CASE WHEN one.readings IS NULL THEN 0 ELSE jsonb_array_length(one.problems) END,
         jsonb_path_query_array(one.problems, '$[0 to 99]')
    FROM (SELECT DISTINCT ON (f.user_id) f.* FROM found f
           ORDER BY f.user_id, f.rank, f.status, f.received_at DESC) one
   ORDER BY one.rank, one.status, one.position
$$;
COMMENT ON FUNCTION bridge.find_delivery(uuid) IS
  'what became of a delivery: applied, dead_letter or rejected, with up to 100 problems; unknown: no row';

REVOKE ALL ON FUNCTION bridge.letter_user(bridge.dead_letters, uuid), bridge.find_delivery(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bridge.find_delivery(uuid) TO auren_reader, auren_writer, auren_admin;
