-- Dead letters, the worker's side: keep what could not be taken in, and mirror records to Kafka.

CREATE FUNCTION bridge.add_dead_letter(
  p_topic text,
  p_value bytea,
  p_reason text,
  p_sqlstate text DEFAULT NULL,
  p_key bytea DEFAULT NULL,
  p_headers jsonb DEFAULT NULL,
  p_partition integer DEFAULT NULL,
  p_offset bigint DEFAULT NULL,
  p_note text DEFAULT NULL,
  p_detail text DEFAULT NULL,
  p_event_ids uuid[] DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  letter bigint;
BEGIN
  IF p_partition IS NULL THEN
    INSERT INTO bridge.dead_letters AS d
      (topic, value, reason, sqlstate, key, headers, note, detail, event_ids)
    VALUES
      (p_topic, p_value, p_reason, p_sqlstate, p_key, p_headers, p_note, p_detail, p_event_ids)
    ON CONFLICT (topic, sha256(value)) WHERE partition IS NULL AND status = 'open'
    DO UPDATE SET attempts = d.attempts + 1, last_seen = clock_timestamp(),
      event_ids = coalesce(excluded.event_ids, d.event_ids)
    RETURNING id INTO letter;
  ELSE
    INSERT INTO bridge.dead_letters AS d
      (topic, value, reason, sqlstate, key, headers, partition, "offset", note, detail, event_ids)
    VALUES
      (p_topic, p_value, p_reason, p_sqlstate, p_key, p_headers, p_partition, p_offset, p_note, p_detail,
       p_event_ids)
    ON CONFLICT (topic, partition, "offset") WHERE partition IS NOT NULL
    DO UPDATE SET attempts = d.attempts + 1, last_seen = clock_timestamp(),
      event_ids = coalesce(excluded.event_ids, d.event_ids)
    RETURNING id INTO letter;
  END IF;
  RETURN letter;
END;
$$;
COMMENT ON FUNCTION bridge.add_dead_letter IS
  'keeps what could not be taken in; the same record or body again counts as another attempt';

-- Arrays and not jsonb: keys and values are bytes.
CREATE FUNCTION bridge.add_dead_letters(
  p_topic text,
  p_partitions integer[],
  p_offsets bigint[],
  p_keys bytea[],
  p_values bytea[],
  p_headers jsonb[],
  p_reasons text[],
  p_sqlstates text[],
  p_details text[],
  p_event_ids uuid[])
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  records integer := cardinality(p_offsets);
  added bigint;
BEGIN
  -- An array that is NULL stands for one of as many NULLs.
  IF records IS DISTINCT FROM cardinality(p_partitions) OR records IS DISTINCT FROM cardinality(p_reasons)
     OR records <> ANY (ARRAY[cardinality(p_keys), cardinality(p_values), cardinality(p_headers),
       cardinality(p_sqlstates), cardinality(p_details), cardinality(p_event_ids)]) THEN
    RAISE EXCEPTION 'arrays of unequal length: % offsets', records
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give one element of every array for each record.';
  ELSIF array_position(p_partitions, NULL) IS NOT NULL OR array_position(p_offsets, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'a record without a partition or an offset'
      USING ERRCODE = 'null_value_not_allowed',
            HINT = 'What is no record of Kafka''s is kept by bridge.add_dead_letter.';
  END IF;
  WITH kept AS (
    INSERT INTO bridge.dead_letters AS d
      (topic, partition, "offset", key, value, headers, reason, sqlstate, detail, event_ids)
    SELECT DISTINCT ON (a.partition, a."offset")
           p_topic, a.partition, a."offset", a.key, a.value, a.headers, a.reason, a.sqlstate, a.detail,
           CASE WHEN a.event_id IS NOT NULL THEN ARRAY[a.event_id] END
      FROM unnest(p_partitions, p_offsets, p_keys, p_values, p_headers, p_reasons, p_sqlstates, p_details,
             p_event_ids)
        AS a(partition, "offset", key, value, headers, reason, sqlstate, detail, event_id)
     ORDER BY a.partition, a."offset"
    ON CONFLICT (topic, partition, "offset") WHERE partition IS NOT NULL
    DO UPDATE SET attempts = d.attempts + 1, last_seen = clock_timestamp(),
      event_ids = coalesce(excluded.event_ids, d.event_ids)
    RETURNING d.xmax = 0 AS is_new)
  SELECT count(*) FILTER (WHERE is_new) INTO added FROM kept;
  RETURN added;
END;
$$;
COMMENT ON FUNCTION bridge.add_dead_letters IS
  'keeps many records of one topic; returns how many were not known yet';

-- The mirror. Numbers are drawn before they are committed, so a lower one may appear later: what is not
-- mirrored is known by its mark and not by a position.
CREATE FUNCTION bridge.unmirrored_dead_letters(p_limit integer DEFAULT 100)
RETURNS SETOF bridge.dead_letters
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM bridge.dead_letters
   WHERE mirrored_at IS NULL AND partition IS NOT NULL
   ORDER BY id LIMIT p_limit
$$;
COMMENT ON FUNCTION bridge.unmirrored_dead_letters IS
  'the records whose copy in Kafka is not acknowledged, oldest first';

CREATE FUNCTION bridge.mark_mirrored(p_ids bigint[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH marked AS (
    UPDATE bridge.dead_letters SET mirrored_at = clock_timestamp()
     WHERE id = ANY (p_ids) AND mirrored_at IS NULL RETURNING 1)
  SELECT count(*) FROM marked
$$;
COMMENT ON FUNCTION bridge.mark_mirrored IS
  'their copies are acknowledged; returns how many were not marked yet';

REVOKE ALL ON FUNCTION bridge.add_dead_letter, bridge.add_dead_letters, bridge.unmirrored_dead_letters,
  bridge.mark_mirrored FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bridge.add_dead_letter, bridge.add_dead_letters, bridge.unmirrored_dead_letters,
  bridge.mark_mirrored TO auren_writer, auren_admin;
