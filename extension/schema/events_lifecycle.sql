-- Schema events: the end of a stream. Streams that nobody writes any more move to the archive and can
-- be brought back; a stream can be closed for good. See docs/events-lifecycle.md.

CREATE FUNCTION events.archive_stream(p_stream_id text) RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_archive_stream'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.archive_stream IS
  'moves a stream''s events to the archive, returns how many; nothing else changes for readers and writers';

CREATE FUNCTION events.restore_stream(p_stream_id text) RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_restore_stream'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.restore_stream IS
  'moves a stream''s events back from the archive, returns how many';

CREATE FUNCTION events.tombstone_stream(p_stream_id text) RETURNS uuid
  AS 'MODULE_PATHNAME', 'events_tombstone_stream'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.tombstone_stream IS
  'closes a stream for good with a last event, stream_tombstoned; returns its id, also when asked again';

-- In one pass over the streams it is given, which it locks in one order: two of these do not deadlock.
CREATE FUNCTION events.archive_streams(p_stream_ids text[], p_before timestamptz) RETURNS bigint
  AS 'MODULE_PATHNAME', 'events_archive_streams'
  LANGUAGE C VOLATILE STRICT SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.archive_streams IS
  'archives those of the streams that have had no event since, returns how many';

CREATE FUNCTION events.archive_older_than(
  p_category text,
  p_before timestamptz,
  p_limit int DEFAULT 1000
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  candidates text[];
BEGIN
  IF p_category IS NULL OR p_before IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE =
      CASE WHEN p_category IS NULL THEN 'p_category' ELSE 'p_before' END || ' must not be null';
  ELSIF p_limit < 0 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'p_limit must not be negative',
      HINT = 'Use NULL for no limit.';
  END IF;
  -- A stream's newest event is the one without a next version.
  candidates := ARRAY(
    SELECT e.stream_id
    FROM events.event_store AS e
    WHERE split_part(e.stream_id, ':', 1) = p_category
      AND e.created_at < p_before
      AND NOT EXISTS (
        SELECT FROM events.event_store AS n
        WHERE n.stream_id = e.stream_id AND n.version = e.version + 1)
    ORDER BY e.position
    LIMIT p_limit);
  RETURN events.archive_streams(candidates, p_before);
END $$;
COMMENT ON FUNCTION events.archive_older_than IS
  'archives streams of a category whose newest event is older, the longest untouched first; returns how many streams';

REVOKE ALL ON FUNCTION
  events.archive_stream, events.restore_stream, events.tombstone_stream, events.archive_streams,
  events.archive_older_than
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  events.archive_stream, events.restore_stream, events.tombstone_stream, events.archive_older_than
  TO auren_admin;
