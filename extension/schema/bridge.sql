-- bridge: the way in, and what the worker keeps in the database.
--
--   ingest_batch     deliveries in, one answer each
--   connections      whose data a vendor's account is
--   api_keys         who may write and read, by the hash of a key
--
-- What could not be taken in is kept by bridge_dead_letters.sql, how far Kafka's partitions have been taken in
-- by bridge_kafka.sql.

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


-- Who may what, and what a dump holds. -----------------------------------------------------------

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA bridge FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bridge.ingest_batch(jsonb[]),
  bridge.link_user(text, text, text), bridge.unlink_user(text, text),
  bridge.resolve_users(text[], text[]), bridge.find_api_key(bytea)
  TO auren_writer, auren_admin;
GRANT EXECUTE ON FUNCTION bridge.create_api_key(text, bytea, text), bridge.revoke_api_key(text),
  bridge.list_api_keys() TO auren_admin;
GRANT SELECT ON bridge.connections TO auren_reader, auren_writer, auren_admin;

SELECT pg_extension_config_dump('bridge.connections', '');
SELECT pg_extension_config_dump('bridge.api_keys', '');
