"""One event of 200 bytes per transaction, by pgbench: events.append_event against a prepared INSERT of the
same row into the raw table, and against message-db's write_message.

message-db locks the category of a stream, we lock the stream: it is shown with a category for each client,
which is its best case, and with one category for all. A raw INSERT does not number events: its versions are
random numbers, and no row of it is there for a hot stream.

pipelined: 25 appends sent at once and committed together, from one client.
beside an archive: the same as on new streams, after 200,000 events were moved to the archive.
"""

from peers import APPEND, INSERT, WRITE_MESSAGE, add_raw_table, fresh_message_db
from report import at_least, row, table, take_turns
from server import connect, fill, fresh_store, pgbench, value

NEW = "\\set s random(1, 1000000000000000)\n\\set v 1\n"
OF_THOUSAND = "\\set s random(1, 1000)\n\\set v random(1, 1000000000000000)\n"
ARCHIVED = 200000
PIPELINE = 25


def scripts(data, draw, times=1):
    """The script of every side, by name."""
    def script(statement, stream):
        one = statement.format(stream=stream, version=":v", data=data)
        if times == 1:
            return draw + one
        # Every append of a pipeline has variables of its own.
        lines = [draw.replace(" s ", f" s{n} ").replace(" v ", f" v{n} ") for n in range(times)]
        sent = [one.replace(":s", f":s{n}").replace(":v", f":v{n}") for n in range(times)]
        return "".join([*lines, "\\startpipeline\n", *sent, "\\endpipeline\n"])
    return {
        "AUREN": ("bench", script(APPEND, "'bench:' || :s")),
        "raw": ("bench", script(INSERT, "'bench:' || :s")),
        "category each": ("bench_message_db", script(WRITE_MESSAGE, "'bench' || :client_id || '-' || :s")),
        "one category": ("bench_message_db", script(WRITE_MESSAGE, "'bench-' || :s")),
    }


def measure(sides, clients, times=1):
    return take_turns({name: lambda d=database, s=script: times * pgbench(d, s, clients)
                       for name, (database, script) in sides.items()})


def fresh_data():
    with fresh_store() as conn, fresh_message_db():
        add_raw_table(conn)
        return value(conn, "SELECT bench_data(1)::text")


def rows(data, title, draw):
    sides = scripts(data, draw)
    table(f"append, one event per transaction, {title}", "events/s")
    for clients in (1, 8, 32):
        got = measure(sides, clients)
        what = f"{clients} client{'s' if clients > 1 else ''}"
        raw, each, one = (at_least(0.9), at_least(1.4), at_least(3)) if clients > 1 else (None, None, None)
        row(what, got["AUREN"], "raw INSERT", got["raw"], raw)
        row("", got["AUREN"], "message-db, category each", got["category each"], each)
        row("", got["AUREN"], "message-db, one category", got["one category"], one)


def hot(data):
    table("append, one event per transaction, one hot stream", "events/s")
    got = measure({
        "AUREN": ("bench", APPEND.format(stream="'bench:' || 'hot'", data=data)),
        "message-db": ("bench_message_db", WRITE_MESSAGE.format(stream="'bench-hot'", data=data)),
    }, 8)
    row("8 clients", got["AUREN"], "message-db", got["message-db"], at_least(1.3))


def pipelined(data):
    sides = scripts(data, NEW, PIPELINE)
    del sides["one category"]
    table(f"append, pipelined, {PIPELINE} to a commit, new streams", "events/s")
    got = measure(sides, 1, PIPELINE)
    row("1 client", got["AUREN"], "raw INSERT", got["raw"])
    row("", got["AUREN"], "message-db", got["category each"])


def beside_archive(data):
    with connect("bench") as conn:
        if value(conn, "SELECT to_regprocedure('events.archive_stream(text)')") is None:
            print("\n  beside an archive: not measured, this store has none")
            return
        fill(conn, "old", ARCHIVED, 2000)
        conn.execute("SELECT events.archive_stream('old:' || n) FROM generate_series(0, 1999) AS n")
    sides = scripts(data, NEW)
    table(f"append, one event per transaction, new streams, beside {ARCHIVED:,} archived events", "events/s")
    got = measure({name: sides[name] for name in ("AUREN", "raw")}, 8)
    row("8 clients", got["AUREN"], "raw INSERT", got["raw"], at_least(0.9))


def run():
    data = fresh_data()
    rows(data, "new streams", NEW)
    pipelined(data)
    fresh_data()
    rows(data, "1,000 streams", OF_THOUSAND)
    hot(data)
    fresh_data()
    beside_archive(data)
