"""30,000 appends to 1,000 streams inside one transaction, called from PL/pgSQL: events.append_event against
the same logic written in PL/pgSQL (peers.py). No client and no commit in it: the work itself. Both look
for the event's id, which the caller gives. message-db's write_message for comparison, in the same loop.
"""

from peers import add_raw_append, add_raw_table, drop_gin, fresh_message_db
from report import at_most, row, table, take_turns
from server import fresh_store, milliseconds

APPENDS = 30000
CALLS = {
    "AUREN": "answer := events.append_event('bench:' || i % 1000, 'reading_taken', data[i],"
             " p_event_id => ids[i]);",
    "PL/pgSQL": "answer := raw_append('bench:' || i % 1000, 'reading_taken', data[i], ids[i]);",
    "message-db": "answer := write_message(ids[i]::text, 'bench-' || i % 1000, 'ReadingTaken', data[i]);",
}


# Made beforehand, so that only the appends are timed.
INPUT = "CREATE TABLE bench_input (data jsonb[], ids uuid[])"
NEW_INPUT = f"""
TRUNCATE bench_input;
INSERT INTO bench_input SELECT array_agg(bench_data(n)), array_agg(gen_random_uuid())
FROM generate_series(1, {APPENDS}) AS n
"""


def time_of(conn, side):
    conn.execute(NEW_INPUT)
    return APPENDS * milliseconds(conn, CALLS[side], APPENDS, "answer text; data jsonb[]; ids uuid[];",
                                  "SELECT b.data, b.ids INTO data, ids FROM bench_input AS b;")


def run():
    with fresh_store() as conn, fresh_message_db() as message_db:
        add_raw_table(conn)
        add_raw_append(conn)
        for each in (conn, message_db):
            each.execute(INPUT)
        table(f"append, {APPENDS:,} to 1,000 streams in a loop inside the server", "ms")
        for what, limit in (("all indexes", 0.70), ("without the GIN index", 0.55)):
            if limit < 0.70:
                drop_gin(conn, "events.event_store", "raw_events")
            got = take_turns({side: lambda s=side: time_of(message_db if s == "message-db" else conn, s)
                              for side in CALLS})
            row(what, got["AUREN"], "PL/pgSQL", got["PL/pgSQL"], at_most(limit))
            row("", got["AUREN"], "message-db", got["message-db"])
