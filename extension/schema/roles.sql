-- Roles: who may read, who may write, who may configure. NOLOGIN, to be granted to real users. They
-- belong to the whole cluster, so they are created only if absent and outlive DROP EXTENSION.
DO $roles$
DECLARE
  role name;
BEGIN
  FOREACH role IN ARRAY ARRAY['auren_reader', 'auren_writer', 'auren_admin'] LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role) THEN
      BEGIN
        EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of this cluster was faster
      END;
    END IF;
  END LOOP;
END
$roles$;

-- Who writes may read, who administers may write.
GRANT auren_reader TO auren_writer;
GRANT auren_writer TO auren_admin;
