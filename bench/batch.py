"""events.append_batch, its input in arrays in the server, against COPY of the very same rows, all columns,
from a text file in the server into the raw table: in calls of 500 events and in one call, all of it in one
transaction on both sides, 30,000 events of 1,000 streams. COPY is given what the store has to work out:
positions, versions, ids, times.

Then four connections at once against one, each with batches of 500 streams of its own, a commit a batch.
"""

from peers import add_raw_table, drop_gin
from report import at_least, row, table, take_turns
from server import fresh_store, pgbench, seconds, value

EVENTS = 30000

# EXTERNAL: arrays lie there as they are, and need not be unpacked.
BATCHES = """
CREATE TABLE bench_batches (size int, id int, streams text[], types text[], data jsonb[]);
ALTER TABLE bench_batches ALTER streams SET STORAGE EXTERNAL, ALTER types SET STORAGE EXTERNAL,
  ALTER data SET STORAGE EXTERNAL;
INSERT INTO bench_batches
SELECT s.size, n / s.size, array_agg('bench:' || n % 1000 ORDER BY n), array_agg('reading_taken'::text),
  array_agg(bench_data(n) ORDER BY n)
FROM (VALUES (500), (30000)) AS s (size), generate_series(0, 29999) AS n
GROUP BY 1, 2;
"""
APPEND_BATCHES = ("SELECT sum(events.append_batch(streams, types, data)) FROM"
                  " (SELECT * FROM bench_batches WHERE size = %s ORDER BY id OFFSET 0) AS b")
# Four more batches, of streams that no other has.
OWN_BATCHES = """
INSERT INTO bench_batches
SELECT 0, n / 500, array_agg('own:' || n ORDER BY n), array_agg('reading_taken'::text),
  array_agg(bench_data(n) ORDER BY n)
FROM generate_series(0, 1999) AS n
GROUP BY 2;
"""
APPEND_OWN = ("SELECT events.append_batch(streams, types, data) FROM bench_batches"
              " WHERE size = 0 AND id = :client_id;\n")


class Sides:
    """The store appends; the rows it has made are then what COPY loads."""

    def __init__(self, conn):
        self.conn = conn
        self.file = value(conn, "SHOW data_directory") + "/bench_copy.txt"
        self.columns = value(
            conn, "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
            " WHERE attrelid = 'events.event_store'::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attgenerated = ''")

    def append(self, size):
        before = value(self.conn, "SELECT coalesce(max(position), 0) FROM events.event_store")
        got = EVENTS / seconds(self.conn, APPEND_BATCHES, size)
        self.conn.execute(f"COPY (SELECT {self.columns} FROM events.event_store WHERE position > {before}"
                          f" ORDER BY position) TO '{self.file}'")
        return got

    def copy(self):
        return EVENTS / seconds(self.conn, f"COPY raw_events ({self.columns}) FROM '{self.file}'")

    def remove(self):
        self.conn.execute(f"COPY (SELECT) TO PROGRAM $$rm '{self.file}'$$")


def against_copy(conn):
    sides = Sides(conn)
    table(f"append_batch, {EVENTS:,} events of 1,000 streams in one transaction", "events/s")
    for indexes, goal in (("all indexes", 1.2), ("without GIN", 1.5)):
        if goal > 1.2:
            drop_gin(conn, "events.event_store", "raw_events")
        for size in (500, EVENTS):
            got = take_turns({"AUREN": lambda s=size: sides.append(s), "COPY": sides.copy})
            row(f"calls of {size:,}, {indexes}", got["AUREN"], "COPY", got["COPY"], at_least(goal))
    sides.remove()


def connections(conn):
    conn.execute(OWN_BATCHES)
    table("append_batch, batches of 500 streams, a commit each", "events/s")
    got = take_turns({
        "four": lambda: 500 * pgbench("bench", APPEND_OWN, 4),
        "one": lambda: 500 * pgbench("bench", APPEND_OWN, 1),
    })
    row("4 connections", got["four"], "AUREN, one connection", got["one"], at_least(1.7))


def prepare():
    conn = fresh_store()
    add_raw_table(conn)
    conn.execute(BATCHES)
    return conn


def run():
    with prepare() as conn:
        against_copy(conn)
    with prepare() as conn:
        connections(conn)
