-- bridge: the way in, and what the worker keeps in the database.
--
--   ingest_batch     deliveries in, one answer each
--   connections      whose data a vendor's account is
--   api_keys         who may write and read, by the hash of a key
--   kafka_offsets    how far each partition has been taken in
--   dead_letters     what could not be taken in, kept as it came

CREATE SCHEMA bridge;
GRANT USAGE ON SCHEMA bridge TO auren_reader, auren_writer, auren_admin;

CREATE FUNCTION bridge.ingest_batch(p_deliveries jsonb[])
RETURNS TABLE(
  idx integer,
  status text,
  event_id uuid,
  readings_accepted integer,
  readings_rejected integer,
  from_mode text,
  to_mode text,
  problem jsonb,
  trigger text,
  confidence double precision,
  "position" bigint,
  anomalies jsonb)
LANGUAGE c SECURITY DEFINER
AS 'MODULE_PATHNAME', 'bridge_ingest_batch';
COMMENT ON FUNCTION bridge.ingest_batch(jsonb[]) IS
  'stores deliveries, judges them and answers one row each: applied, duplicate or rejected';

-- Whose data. ------------------------------------------------------------------------------------

CREATE TABLE bridge.connections (
  provider text CHECK (provider ~ '^[a-z][a-z0-9_]*$'),
  provider_user text CHECK (provider_user <> ''),
  user_id text NOT NULL CHECK (user_id <> '' AND user_id !~ '[[:cntrl:]]' AND octet_length(user_id) <= 250),
  linked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (provider, provider_user)
);
COMMENT ON TABLE bridge.connections IS 'which person a provider''s account belongs to';

CREATE FUNCTION bridge.link_user(p_provider text, p_provider_user text, p_user_id text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO bridge.connections (provider, provider_user, user_id)
  VALUES (p_provider, p_provider_user, p_user_id)
  ON CONFLICT (provider, provider_user)
  DO UPDATE SET user_id = excluded.user_id, linked_at = excluded.linked_at
$$;
COMMENT ON FUNCTION bridge.link_user(text, text, text) IS
  'says which person a provider''s account belongs to, from the next delivery on';

CREATE FUNCTION bridge.unlink_user(p_provider text, p_provider_user text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH gone AS (
    DELETE FROM bridge.connections
     WHERE provider = p_provider AND provider_user = p_provider_user RETURNING 1)
  SELECT EXISTS (SELECT FROM gone)
$$;
COMMENT ON FUNCTION bridge.unlink_user(text, text) IS 'forgets a link; false when there was none';

CREATE FUNCTION bridge.resolve_users(p_providers text[], p_provider_users text[]) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF cardinality(p_providers) <> cardinality(p_provider_users) THEN
    RAISE EXCEPTION 'arrays of unequal length: % providers, % provider users',
      cardinality(p_providers), cardinality(p_provider_users)
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give one provider for each of the provider''s users.';
  END IF;
  RETURN (SELECT coalesce(array_agg(c.user_id ORDER BY a.n), '{}')
            FROM unnest(p_providers, p_provider_users) WITH ORDINALITY AS a(provider, provider_user, n)
            LEFT JOIN bridge.connections c USING (provider, provider_user));
END;
$$;
COMMENT ON FUNCTION bridge.resolve_users(text[], text[]) IS
  'the persons behind providers'' accounts, in order; NULL where none is linked';

-- API keys. --------------------------------------------------------------------------------------

-- Only the SHA-256 of a key is kept; a key is long and random, so the hash needs no salt.
CREATE TABLE bridge.api_keys (
  key_sha256 bytea PRIMARY KEY CHECK (octet_length(key_sha256) = 32),
  name text NOT NULL CHECK (name <> '' AND octet_length(name) <= 255),
  user_id text CHECK (user_id <> '' AND user_id !~ '[[:cntrl:]]' AND octet_length(user_id) <= 250),
  created_by text NOT NULL DEFAULT session_user,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  revoked_at timestamptz
);
CREATE UNIQUE INDEX api_keys_name ON bridge.api_keys (name) WHERE revoked_at IS NULL;
COMMENT ON TABLE bridge.api_keys IS 'who may call the worker; a key bound to a person may act for that person only';

CREATE FUNCTION bridge.create_api_key(p_name text, p_key_sha256 bytea, p_user_id text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Said here and not by the table's check, which would write a key given by mistake into the log.
  IF octet_length(p_key_sha256) <> 32 THEN
    RAISE EXCEPTION 'p_key_sha256 is not a SHA-256: % bytes', octet_length(p_key_sha256)
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give the hash of the key, never the key: sha256(''...'').';
  END IF;
  INSERT INTO bridge.api_keys (name, key_sha256, user_id) VALUES (p_name, p_key_sha256, p_user_id);
END;
$$;
COMMENT ON FUNCTION bridge.create_api_key(text, bytea, text) IS
  'admits a key by its SHA-256, for one person or (NULL) for all';

CREATE FUNCTION bridge.find_api_key(p_key_sha256 bytea) RETURNS TABLE(name text, user_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.name, k.user_id FROM bridge.api_keys k
   WHERE k.key_sha256 = p_key_sha256 AND k.revoked_at IS NULL
$$;
COMMENT ON FUNCTION bridge.find_api_key(bytea) IS 'the key with this SHA-256, if it is admitted; else no row';

CREATE FUNCTION bridge.revoke_api_key(p_name text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH revoked AS (
    UPDATE bridge.api_keys SET revoked_at = clock_timestamp()
     WHERE name = p_name AND revoked_at IS NULL RETURNING 1)
  SELECT EXISTS (SELECT FROM revoked)
$$;
COMMENT ON FUNCTION bridge.revoke_api_key(text) IS 'shuts a key out for good; false when none of that name is admitted';

CREATE FUNCTION bridge.list_api_keys()
RETURNS TABLE(name text, user_id text, created_by text, created_at timestamptz, revoked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.name, k.user_id, k.created_by, k.created_at, k.revoked_at
    FROM bridge.api_keys k ORDER BY k.created_at, k.name
$$;
COMMENT ON FUNCTION bridge.list_api_keys() IS 'all keys, also the revoked ones, without their hashes';

-- Kafka. -----------------------------------------------------------------------------------------

CREATE TABLE bridge.kafka_offsets (
  cluster_id text,
  topic text,
  partition integer CHECK (partition >= 0),
  next_offset bigint NOT NULL CHECK (next_offset >= 0),
  owner_epoch bigint NOT NULL DEFAULT 0,
  owner text,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (cluster_id, topic, partition)
);
COMMENT ON TABLE bridge.kafka_offsets IS 'how far each partition has been taken in; moves in the transaction that takes in';
COMMENT ON COLUMN bridge.kafka_offsets.next_offset IS 'the first offset not yet taken in';
COMMENT ON COLUMN bridge.kafka_offsets.owner_epoch IS 'raised by each new owner; a consumer with an older one is fenced';

-- Dead letters. ----------------------------------------------------------------------------------

CREATE TABLE bridge.dead_letters (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'retried', 'discarded')),
  topic text NOT NULL,
  partition integer,
  "offset" bigint,
  key bytea,
  value bytea,
  headers jsonb,
  reason text NOT NULL,
  sqlstate text,
  attempts integer NOT NULL DEFAULT 1,
  first_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
  note text,
  CHECK ((partition IS NULL) = ("offset" IS NULL))
);
COMMENT ON TABLE bridge.dead_letters IS 'what could not be taken in, as it came';
COMMENT ON COLUMN bridge.dead_letters.topic IS 'Kafka topic, or http:/webhooks/<provider>';

-- The same thing again is another attempt, not another letter.
CREATE UNIQUE INDEX dead_letters_record ON bridge.dead_letters (topic, partition, "offset")
  WHERE partition IS NOT NULL;
CREATE UNIQUE INDEX dead_letters_body ON bridge.dead_letters (topic, sha256(value))
  WHERE partition IS NULL AND status = 'open';
CREATE INDEX dead_letters_open ON bridge.dead_letters (first_seen) WHERE status = 'open';

CREATE FUNCTION bridge.add_dead_letter(
  p_topic text,
  p_value bytea,
  p_reason text,
  p_sqlstate text DEFAULT NULL,
  p_key bytea DEFAULT NULL,
  p_headers jsonb DEFAULT NULL,
  p_partition integer DEFAULT NULL,
  p_offset bigint DEFAULT NULL,
  p_note text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  letter bigint;
BEGIN
  IF p_partition IS NULL THEN
    INSERT INTO bridge.dead_letters AS d (topic, value, reason, sqlstate, key, headers, note)
    VALUES (p_topic, p_value, p_reason, p_sqlstate, p_key, p_headers, p_note)
    ON CONFLICT (topic, sha256(value)) WHERE partition IS NULL AND status = 'open'
    DO UPDATE SET attempts = d.attempts + 1, last_seen = clock_timestamp()
    RETURNING id INTO letter;
  ELSE
    INSERT INTO bridge.dead_letters AS d
      (topic, value, reason, sqlstate, key, headers, partition, "offset", note)
    VALUES
      (p_topic, p_value, p_reason, p_sqlstate, p_key, p_headers, p_partition, p_offset, p_note)
    ON CONFLICT (topic, partition, "offset") WHERE partition IS NOT NULL
    DO UPDATE SET attempts = d.attempts + 1, last_seen = clock_timestamp()
    RETURNING id INTO letter;
  END IF;
  RETURN letter;
END;
$$;
COMMENT ON FUNCTION bridge.add_dead_letter(text, bytea, text, text, bytea, jsonb, integer, bigint, text) IS
  'keeps what could not be taken in; the same record or body again counts as another attempt';

CREATE FUNCTION bridge.open_dead_letter(p_id bigint) RETURNS bridge.dead_letters
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
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

CREATE FUNCTION bridge.retry_dead_letter(p_id bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  letter bridge.dead_letters := bridge.open_dead_letter(p_id);
  answer jsonb;
BEGIN
  IF letter.topic LIKE 'http:%' THEN
    RAISE EXCEPTION 'dead letter % is a provider''s request body, not a delivery', p_id
      USING ERRCODE = 'feature_not_supported',
            HINT = 'Retry it with "auren-worker dead-letters retry", which knows how to read it.';
  END IF;
  BEGIN
    SELECT to_jsonb(r) - 'idx' INTO answer
      FROM bridge.ingest_batch(ARRAY[convert_from(letter.value, 'UTF8')::jsonb]) r;
  EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
    answer := jsonb_build_object('status', 'rejected', 'problem',
      jsonb_build_object('code', 'malformed', 'detail', SQLERRM, 'sqlstate', SQLSTATE));
  END;
  UPDATE bridge.dead_letters
     SET attempts = attempts + 1,
         last_seen = clock_timestamp(),
         status = CASE answer ->> 'status' WHEN 'rejected' THEN 'open' ELSE 'retried' END
   WHERE id = p_id;
  RETURN answer;
END;
$$;
COMMENT ON FUNCTION bridge.retry_dead_letter(bigint) IS
  'takes a letter in once more; returns ingest_batch''s answer, and the letter stays open if it is rejected';

CREATE FUNCTION bridge.discard_dead_letter(p_id bigint, p_note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM bridge.open_dead_letter(p_id);
  UPDATE bridge.dead_letters SET status = 'discarded', note = p_note, last_seen = clock_timestamp()
   WHERE id = p_id;
END;
$$;
COMMENT ON FUNCTION bridge.discard_dead_letter(bigint, text) IS 'puts a letter aside for good, saying why';

-- Who may what, and what a dump holds. -----------------------------------------------------------

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA bridge FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bridge.ingest_batch(jsonb[]),
  bridge.link_user(text, text, text), bridge.unlink_user(text, text),
  bridge.resolve_users(text[], text[]), bridge.find_api_key(bytea),
  bridge.add_dead_letter(text, bytea, text, text, bytea, jsonb, integer, bigint, text),
  bridge.retry_dead_letter(bigint), bridge.discard_dead_letter(bigint, text)
  TO auren_writer, auren_admin;
GRANT EXECUTE ON FUNCTION bridge.create_api_key(text, bytea, text), bridge.revoke_api_key(text),
  bridge.list_api_keys() TO auren_admin;
GRANT SELECT ON bridge.connections TO auren_reader, auren_writer, auren_admin;
GRANT SELECT, INSERT, UPDATE ON bridge.kafka_offsets TO auren_writer;
GRANT SELECT ON bridge.kafka_offsets TO auren_reader, auren_admin;
GRANT SELECT ON bridge.dead_letters TO auren_writer, auren_admin;

SELECT pg_extension_config_dump('bridge.connections', '');
SELECT pg_extension_config_dump('bridge.api_keys', '');
SELECT pg_extension_config_dump('bridge.kafka_offsets', '');
SELECT pg_extension_config_dump('bridge.dead_letters', '');
SELECT pg_extension_config_dump('bridge.dead_letters_id_seq', '');
