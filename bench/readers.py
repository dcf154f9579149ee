"""What a consumer pays for asking when there is nothing new: events.read_all behind the newest event, and
events.poll_subscription of a category whose last event lies BENCH_LATER events back (1,000,000; more shows
that it does not matter). One call inside the server, mean of 1,000.
"""

import os

from peers import drop_gin
from report import ROUNDS, at_most, single, table
from server import fill, fresh_store, milliseconds, value

LATER = int(os.environ.get("BENCH_LATER", "1000000"))
CALLS = 1000


def run():
    with fresh_store() as conn:
        # Readers do not use it, and the fill is quicker.
        drop_gin(conn, "events.event_store")
        fill(conn, "rare", 10, 10)
        conn.execute("SELECT events.create_subscription('rare', 'rare')")
        last = value(conn, "SELECT max(position) FROM events.poll_subscription('rare')")
        conn.execute("SELECT events.ack_subscription('rare', %s)", (last,))
        fill(conn, "others", LATER, 1000)
        conn.execute("VACUUM ANALYZE events.event_store")
        head = value(conn, "SELECT events.safe_position()")
        table(f"nothing new, {LATER:,} events of others since", "ms")
        for what, call, limit in (
                ("read_all", f"events.read_all({head})", 0.02),
                ("poll_subscription, rare category", "events.poll_subscription('rare')", 0.05)):
            body = f"PERFORM FROM {call};"
            rounds = [milliseconds(conn, body, CALLS, before=body) for _ in range(ROUNDS)]
            single(what, rounds, at_most(limit))
