-- Schema events: tamper evidence. Which hash an event has to carry, and whether a stream's chain holds.
-- What is hashed, and how: extension/src/events/hash_chain.h. See docs/events-hash-chain.md.

CREATE FUNCTION events.event_hash(
  p_previous bytea,
  p_stream_id text,
  p_version bigint,
  p_event_id uuid,
  p_event_type text,
  p_event_data jsonb,
  p_metadata jsonb,
  p_created_by text,
  p_created_at timestamptz
) RETURNS bytea
  AS 'MODULE_PATHNAME', 'events_event_hash'
  LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION events.event_hash IS
  'the hash an event has to carry, given the hash of the event before it (NULL: the chain begins with it)';

-- The events of chains that are not what they were: a hash that does not fit the event and the hash
-- before it, or none where the event before has one. Asked for one stream it looks at no other.
CREATE VIEW events.broken_links AS
  SELECT e.stream_id, e.version,
    CASE WHEN e.hash IS NULL THEN 'has no hash, though the event before it has one'
         WHEN e.version <> coalesce(e.previous_version, 0) + 1 THEN 'does not follow the event before it'
         ELSE 'has another hash than its content' END AS problem
  FROM (
    SELECT a.*, lag(a.hash) OVER stream AS previous, lag(a.version) OVER stream AS previous_version
    FROM events.all_events AS a
    WINDOW stream AS (PARTITION BY a.stream_id ORDER BY a.version)) AS e
  WHERE (e.hash IS NOT NULL OR e.previous IS NOT NULL)
    AND (e.version <> coalesce(e.previous_version, 0) + 1
      OR e.hash IS DISTINCT FROM events.event_hash(e.previous, e.stream_id, e.version, e.event_id,
           e.event_type, e.event_data, e.metadata, e.created_by, e.created_at));
COMMENT ON VIEW events.broken_links IS
  'the events of hash chains that are not what they were when they were appended';

CREATE FUNCTION events.verify_stream(p_stream_id text, p_known_hash bytea DEFAULT NULL)
  RETURNS TABLE (ok boolean, broken_version bigint, head_hash bytea, version bigint,
    chained_from bigint, detail text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT broken.version IS NULL AND NOT lost,
    broken.version,
    head.hash,
    coalesce(head.version, 0),
    chain.begins,
    CASE WHEN broken.version IS NOT NULL
           THEN format('version %s %s', broken.version, broken.problem)
         WHEN lost THEN 'no event has the hash that was kept'
         WHEN head.version IS NULL THEN 'the stream does not exist'
         WHEN chain.begins IS NULL THEN 'no event has a hash'
         ELSE format('%s events from version %s on are as they were appended',
                head.version - chain.begins + 1, chain.begins) END
  FROM (SELECT) AS one
  LEFT JOIN LATERAL (
    SELECT e.version, e.hash FROM events.all_events AS e
    WHERE e.stream_id = p_stream_id ORDER BY e.version DESC LIMIT 1) AS head ON true
  LEFT JOIN LATERAL (
    SELECT b.version, b.problem FROM events.broken_links AS b
    WHERE b.stream_id = p_stream_id ORDER BY b.version LIMIT 1) AS broken ON true
  CROSS JOIN LATERAL (
    SELECT min(e.version) AS begins FROM events.all_events AS e
    WHERE e.stream_id = p_stream_id AND e.hash IS NOT NULL) AS chain
  CROSS JOIN LATERAL (
    SELECT p_known_hash IS NOT NULL AND NOT EXISTS (
      SELECT FROM events.all_events AS e
      WHERE e.stream_id = p_stream_id AND e.hash = p_known_hash)) AS known (lost)
$$;
COMMENT ON FUNCTION events.verify_stream IS
  'whether a stream''s hash chain holds and contains a hash you kept; the first broken version, the head to keep';

REVOKE ALL ON FUNCTION events.event_hash, events.verify_stream FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events.event_hash, events.verify_stream TO auren_reader;
GRANT SELECT ON events.broken_links TO auren_reader;
