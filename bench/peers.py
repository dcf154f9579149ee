"""What AUREN's store is measured against, on the same server with the same settings.

    raw table     the same columns, constraints and indexes, and a plain sequence: what PostgreSQL can do
    PL/pgSQL      the store's append written in PL/pgSQL, into such a table
    message-db    the real one, @eventide/message-db, in a database of its own
"""

from message_db import install_message_db

from server import fresh_database, value

RAW = """
CREATE TABLE raw_events (LIKE events.event_store INCLUDING ALL);
CREATE SEQUENCE raw_position CACHE 1;
ALTER TABLE raw_events ALTER COLUMN position SET DEFAULT nextval('raw_position');
"""

# Lock, look for the id, find the newest version, insert: what events.append_event does.
RAW_APPEND = """
CREATE FUNCTION raw_append(p_stream_id text, p_event_type text, p_event_data jsonb, p_event_id uuid)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  newest bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(p_stream_id, 0));
  PERFORM FROM raw_events WHERE stream_id = p_stream_id AND event_id = p_event_id;
  IF FOUND THEN RETURN p_event_id; END IF;
  SELECT version INTO newest FROM raw_events WHERE stream_id = p_stream_id ORDER BY version DESC LIMIT 1;
  INSERT INTO raw_events (event_id, stream_id, version, event_type, event_data, created_by, created_at)
  VALUES (p_event_id, p_stream_id, coalesce(newest, 0) + 1, p_event_type, p_event_data, session_user,
    clock_timestamp());
  RETURN p_event_id;
END $$
"""

# One of them each, as the only statement of a pgbench script.
APPEND = "SELECT events.append_event({stream}, 'reading_taken', '{data}'::jsonb);\n"
INSERT = ("INSERT INTO raw_events"
          " (event_id, stream_id, version, event_type, event_data, created_by, created_at)"
          " VALUES (gen_random_uuid(), {stream}, {version}, 'reading_taken', '{data}'::jsonb, session_user,"
          " clock_timestamp());\n")
WRITE_MESSAGE = ("SELECT write_message(gen_random_uuid()::text, {stream}, 'ReadingTaken',"
                 " '{data}'::jsonb);\n")


def add_raw_table(conn):
    conn.execute(RAW)


def add_raw_append(conn):
    conn.execute(RAW_APPEND)


def drop_gin(conn, *tables):
    for table in tables:
        for (index,) in conn.execute(
                "SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                " JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'gin' AND i.indrelid = %s::regclass",
                (table,)).fetchall():
            conn.execute(f"DROP INDEX {index}")


def fresh_message_db(name="bench_message_db"):
    """A database with the real message-db in it; returns a connection to it."""
    conn = fresh_database(name)
    conn.execute(f"ALTER DATABASE {name} SET search_path = message_store, public")
    conn.execute("SET search_path = message_store, public")
    install_message_db(conn)
    return conn


def message_db_version(conn):
    return value(conn, "SELECT message_store.message_store_version()")
