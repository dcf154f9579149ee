-- neuros, history: which mode held when.
--
-- From the `mode_switched` events of the person's stream, in the order in which they were decided. A mode
-- holds from when its deciding delivery was received; a delivery that was received earlier than an earlier
-- switch's, and arrived after it, cannot change what was before: then the mode holds from that switch on.

CREATE FUNCTION neuros.switches_of(p_user_id text)
RETURNS TABLE(
  version bigint,
  since timestamptz,
  until timestamptz,
  by_hand boolean,
  event_id uuid,
  "position" bigint,
  data jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.version, s.since, lead(s.since) OVER (ORDER BY s.version), s.by_hand, s.event_id, s.position,
         s.event_data
    FROM (SELECT e.version, e.event_id, e.position, e.event_data, coalesce(e.metadata, '{}') @> '{"by_hand": true}' AS by_hand,
                 max(coalesce(
                   -- What a writer appends by hand under this name must not stop the readers.
                   CASE WHEN t.said ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$' THEN t.said::timestamptz END,
                   e.created_at)) OVER (ORDER BY e.version) AS since
            FROM events.all_events e
           CROSS JOIN LATERAL (
             SELECT coalesce(e.metadata ->> 'since',
                             -- As switches of 0.1.0 say it.
                             CASE WHEN e.event_data ->> 'reason' <> 'set by hand'
                               THEN e.event_data #>> '{context,received_at}' END) AS said) t
           WHERE e.stream_id = 'user:' || p_user_id AND e.event_type = 'mode_switched') s
$$;

CREATE FUNCTION neuros.mode_at(p_user_id text, p_at timestamptz) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(
    (SELECT s.data ->> 'to_mode' FROM neuros.switches_of(p_user_id) s
      WHERE s.since <= p_at ORDER BY s.version DESC LIMIT 1),
    'baseline')
$$;
COMMENT ON FUNCTION neuros.mode_at(text, timestamptz) IS
  'the mode a person was in at a time; baseline before their first switch';

CREATE FUNCTION neuros.mode_history(
  p_user_id text,
  p_from timestamptz DEFAULT NULL,
  p_to timestamptz DEFAULT NULL)
RETURNS TABLE(
  mode text,
  since timestamptz,
  until timestamptz,
  duration interval,
  from_mode text,
  trigger text,
  confidence double precision,
  reason text,
  by_hand boolean,
  config_version bigint,
  event_id uuid,
  "position" bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH switches AS (SELECT * FROM neuros.switches_of(p_user_id)),
  periods AS (
    SELECT 0::bigint AS version, 'baseline' AS mode, NULL::timestamptz AS since, min(s.since) AS until,
           NULL AS from_mode, NULL AS trigger, NULL::double precision AS confidence, NULL AS reason,
           false AS by_hand, NULL::bigint AS config_version, NULL::uuid AS event_id, NULL::bigint AS position
      FROM switches s
     UNION ALL
    SELECT s.version, s.data ->> 'to_mode', s.since, s.until, s.data ->> 'from_mode', s.data ->> 'trigger',
           CASE jsonb_typeof(s.data -> 'confidence') WHEN 'number' THEN (s.data -> 'confidence')::double precision END,
           s.data ->> 'reason', s.by_hand,
           CASE jsonb_typeof(s.data -> 'config_version') WHEN 'number' THEN (s.data -> 'config_version')::bigint END,
           s.event_id, s.position
      FROM switches s)
  SELECT p.mode, p.since, p.until,
         least(coalesce(p.until, greatest(now(), p.since)), p_to) - greatest(p.since, p_from),
         p.from_mode, p.trigger, p.confidence, p.reason, p.by_hand, p.config_version, p.event_id, p.position
    FROM periods p
   WHERE (p_from IS NULL OR p.until IS NULL OR p.until > p_from)
     AND (p_to IS NULL OR p.since IS NULL OR p.since < p_to)
   ORDER BY p.version
$$;
COMMENT ON FUNCTION neuros.mode_history(text, timestamptz, timestamptz) IS
  'the modes a person has been in, oldest first; duration is that within p_from and p_to';

REVOKE ALL ON FUNCTION neuros.switches_of(text), neuros.mode_at(text, timestamptz),
  neuros.mode_history(text, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION neuros.mode_at(text, timestamptz),
  neuros.mode_history(text, timestamptz, timestamptz) TO auren_reader, auren_writer, auren_admin;
