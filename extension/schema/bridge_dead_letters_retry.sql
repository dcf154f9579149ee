-- Dead letters, the operator's side: look at one, take it in once more, or put it aside.

-- The last one of that name counts, as Kafka's own lastHeader has it.
CREATE FUNCTION bridge.dead_letter_header(p_headers jsonb, p_name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE jsonb_typeof(p_headers)
    WHEN 'object' THEN p_headers ->> p_name
    WHEN 'array' THEN (
      SELECT h.header ->> 'value'
        FROM jsonb_array_elements(p_headers) WITH ORDINALITY AS h(header, n)
       WHERE lower(h.header ->> 'key') = lower(p_name)
       ORDER BY h.n DESC LIMIT 1)
  END
$$;
COMMENT ON FUNCTION bridge.dead_letter_header IS
  'the value of a letter''s header, whichever way it came; NULL: none';

CREATE FUNCTION bridge.open_dead_letter(p_id bigint) RETURNS bridge.dead_letters
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  letter bridge.dead_letters;
BEGIN
  SELECT * INTO letter FROM bridge.dead_letters WHERE id = p_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'dead letter % does not exist', p_id USING ERRCODE = 'undefined_object';
  ELSIF letter.status <> 'open' THEN
    RAISE EXCEPTION 'dead letter % is already %', p_id, letter.status
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Only a letter whose status is "open" can be retried or discarded.';
  END IF;
  RETURN letter;
END;
$$;
COMMENT ON FUNCTION bridge.open_dead_letter IS
  'the letter, if it is open: nobody else retries or discards it before your transaction ends';

CREATE FUNCTION bridge.settle_dead_letter(
  p_id bigint,
  p_reason text DEFAULT NULL,
  p_detail text DEFAULT NULL,
  p_sqlstate text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM bridge.open_dead_letter(p_id);
  IF p_reason IS NULL THEN
    UPDATE bridge.dead_letters
       SET status = 'retried', attempts = attempts + 1, last_seen = clock_timestamp()
     WHERE id = p_id;
  ELSE
    UPDATE bridge.dead_letters
       SET attempts = attempts + 1, last_seen = clock_timestamp(),
           reason = p_reason, detail = p_detail, sqlstate = p_sqlstate
     WHERE id = p_id;
  END IF;
END;
$$;
COMMENT ON FUNCTION bridge.settle_dead_letter IS
  'counts an attempt: retried, or with a reason still open; for who takes in a letter by means of their own';

-- A value is a delivery as JSON, unless its content type says otherwise. What SQL cannot read may be
-- given as p_delivery by who can.
CREATE FUNCTION bridge.retry_dead_letter(p_id bigint, p_delivery jsonb DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  letter bridge.dead_letters := bridge.open_dead_letter(p_id);
  content_type text :=
    lower(btrim(split_part(bridge.dead_letter_header(letter.headers, 'content-type'), ';', 1)));
  delivery jsonb := p_delivery;
  answer jsonb;
BEGIN
  IF letter.topic LIKE 'http:%' THEN
    RAISE EXCEPTION 'dead letter % is a provider''s request body, not a delivery', p_id
      USING ERRCODE = 'feature_not_supported',
            HINT = 'Retry it with "auren-worker dead-letters retry", which knows how to read it.';
  ELSIF delivery IS NULL AND content_type LIKE '%protobuf%' THEN
    RAISE EXCEPTION 'dead letter % is a Protobuf message, which SQL cannot read', p_id
      USING ERRCODE = 'feature_not_supported',
            HINT = 'Retry it with "auren-worker dead-letters retry", which knows how to read it.';
  ELSIF delivery IS NULL AND letter.value IS NULL THEN
    answer := jsonb_build_object('code', 'empty_value', 'detail', 'a record without a value');
  ELSIF delivery IS NULL AND content_type <> '' AND content_type NOT LIKE '%json' THEN
    answer := jsonb_build_object('code', 'unknown_content_type', 'detail',
      format('content-type %s is neither JSON nor Protobuf', content_type));
  END IF;
  IF answer IS NOT NULL THEN
    answer := jsonb_build_object('status', 'rejected', 'problem', answer);
  ELSE
    BEGIN
      delivery := coalesce(delivery, convert_from(letter.value, 'UTF8')::jsonb);
      -- What it meant when it came: ages and cooldowns are measured against it.
      IF jsonb_typeof(delivery) = 'object' AND NOT delivery ? 'received_at' THEN
        delivery := delivery || jsonb_build_object('received_at', letter.first_seen);
      END IF;
      SELECT to_jsonb(r) - 'idx' INTO answer FROM bridge.ingest_batch(ARRAY[delivery]) r;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
      answer := jsonb_build_object('status', 'rejected', 'problem',
        jsonb_build_object('code', 'malformed', 'detail', SQLERRM, 'sqlstate', SQLSTATE));
    END;
  END IF;
  IF answer ->> 'status' = 'rejected' THEN
    PERFORM bridge.settle_dead_letter(p_id, coalesce(answer #>> '{problem,code}', 'wrong_shape'),
      answer #>> '{problem,detail}', answer #>> '{problem,sqlstate}');
  ELSE
    PERFORM bridge.settle_dead_letter(p_id);
  END IF;
  RETURN answer;
END;
$$;
COMMENT ON FUNCTION bridge.retry_dead_letter IS
  'takes a letter in once more; returns ingest_batch''s answer, and the letter stays open if it is rejected';

CREATE FUNCTION bridge.discard_dead_letter(p_id bigint, p_note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM bridge.open_dead_letter(p_id);
  UPDATE bridge.dead_letters SET status = 'discarded', note = p_note, last_seen = clock_timestamp()
   WHERE id = p_id;
END;
$$;
COMMENT ON FUNCTION bridge.discard_dead_letter IS 'puts a letter aside for good, saying why';

REVOKE ALL ON FUNCTION bridge.dead_letter_header, bridge.open_dead_letter, bridge.settle_dead_letter,
  bridge.retry_dead_letter, bridge.discard_dead_letter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bridge.dead_letter_header, bridge.open_dead_letter, bridge.settle_dead_letter,
  bridge.retry_dead_letter, bridge.discard_dead_letter TO auren_writer, auren_admin;
