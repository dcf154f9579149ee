"""Bytes per event of 200 bytes of data, table and all indexes, after 100,000 appends to 1,000 streams in
random order and a VACUUM: the store, a raw table filled with the same rows in the same order, message-db.
Without GIN: the same, less the size of that index.
"""

from peers import add_raw_table, fresh_message_db
from report import at_most, row, single, table
from server import fresh_store, milliseconds, value

EVENTS = 100000
STREAM = "(hashint8(i) & 2147483647) % 1000"
COPY_ROWS = """
INSERT INTO raw_events (event_id, stream_id, version, event_type, event_data, created_by, created_at)
SELECT gen_random_uuid(), stream_id, version, event_type, event_data, created_by, created_at
FROM events.event_store ORDER BY position
"""


def bytes_per_event(conn, relation):
    conn.execute(f"VACUUM {relation}")
    return value(conn, f"SELECT pg_total_relation_size('{relation}')") / EVENTS


def gin_bytes_per_event(conn, relation):
    return value(conn, "SELECT sum(pg_relation_size(i.indexrelid))::float FROM pg_index i"
                 " JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam"
                 " WHERE a.amname = 'gin' AND i.indrelid = %s::regclass", relation) / EVENTS


def run():
    with fresh_store() as conn, fresh_message_db() as message_db:
        add_raw_table(conn)
        milliseconds(conn, f"answer := events.append_event('bench:' || {STREAM}, 'reading_taken',"
                     " bench_data(i));", EVENTS, "answer uuid;")
        conn.execute(COPY_ROWS)
        milliseconds(message_db, "answer := write_message(gen_random_uuid()::text, 'bench-' || "
                     f"{STREAM}, 'ReadingTaken', bench_data(i));", EVENTS, "answer bigint;")
        table("bytes per event with 200 bytes of data", "bytes")
        ours = bytes_per_event(conn, "events.event_store")
        without_gin = ours - gin_bytes_per_event(conn, "events.event_store")
        raw = bytes_per_event(conn, "raw_events")
        single("AUREN, all indexes", [ours], at_most(660))
        single("AUREN, without GIN", [without_gin], at_most(450))
        row("all indexes", [ours], "raw table", [raw])
        row("without GIN", [without_gin], "raw table", [raw - gin_bytes_per_event(conn, "raw_events")])
        row("all indexes", [ours], "message-db", [bytes_per_event(message_db, "message_store.messages")])
