"""message-db and our facade side by side: the same call to both, and one answer expected.

    Pair.call("write_message", ...)     calls both, compares, returns the answer
    Pair.transaction()                  the calls within form one transaction in each; pass keep=False
                                        to roll back

An answer is the rows, or the error with all that a client can see of it. Left out: times, and how far
apart global positions are (message-db burns numbers on failed writes, we do not): they are compared by
their rank among all messages. A `Rank` given as an argument becomes each store's own position.
"""

import contextlib
import pathlib
import subprocess

import psycopg
import pytest

HERE = pathlib.Path(__file__).parent
# In the order in which message-db's own script installs them.
INSTALLED = ("schema/message-store", "tables/messages", "types/message", "functions/*", "indexes/*",
             "views/*")

COLUMNS = ("id", "stream_name", "type", "position", "global_position", "data", "metadata", "time")


class Rank(int):
    """The n-th message of all, from 0; beyond the last: behind it."""


def message_db_sql():
    """The folder of the real message-db's SQL; the test fails when it cannot be had."""
    done = subprocess.run([HERE / "fetch_message_db.sh"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail("message-db cannot be fetched (tests/system/fetch_message_db.sh), and without it there"
                    f" is nothing to compare the facade with:\n{done.stderr}", pytrace=False)
    return pathlib.Path(done.stdout.strip())


def install_message_db(conn):
    database = message_db_sql()
    for pattern in INSTALLED:
        for file in sorted(database.glob(pattern + ".sql")):
            conn.execute(file.read_text(encoding="utf-8"))


class Store:
    """One of the two: a connection, and what it answers."""

    def __init__(self, conn):
        self.conn = conn
        conn.execute("SET search_path = message_store, public")
        conn.execute("SET client_min_messages = warning")

    def positions(self):
        return [row[0] for row in self.conn.execute("SELECT global_position FROM messages ORDER BY 1")]

    def place(self, rank):
        places = self.positions()
        return places[rank] if rank < len(places) else (places[-1] if places else 0) + 1 + rank - len(places)

    def call(self, function, args, named):
        args = [self.place(a) if isinstance(a, Rank) else a for a in args]
        named = {n: self.place(a) if isinstance(a, Rank) else a for n, a in named.items()}
        marks = ["%s"] * len(args) + [f"{name} => %s" for name in named]
        return self.ask(f"SELECT * FROM {function}({', '.join(marks)})", [*args, *named.values()])

    def ask(self, sql, values=()):
        inside = self.conn.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
        try:
            with self.conn.transaction() if inside else contextlib.nullcontext():
                cursor = self.conn.execute(sql, values)
                names = tuple(column.name for column in cursor.description)
                rows = cursor.fetchall()
        except psycopg.Error as error:
            d = error.diag
            return ("error", d.sqlstate, d.message_primary, d.schema_name, d.table_name, d.column_name,
                    d.constraint_name, d.message_detail if d.sqlstate == "23505" else None)
        if names == COLUMNS:
            places = self.positions()
            assert all(row[7] is not None and row[7].tzinfo is None for row in rows)
            rows = [(*row[:4], places.index(row[4]), *row[5:7]) for row in rows]
        return ("rows", names, rows)


class Pair:
    def __init__(self, real, facade):
        self.real, self.facade = Store(real), Store(facade)
        self.log = []

    def compare(self, said, answers):
        self.log.append(said)
        assert answers[1] == answers[0], "the facade differs in the last of:\n" + "\n".join(self.log[-20:])
        return answers[0]

    def call(self, function, *args, **named):
        return self.compare(f"{function}{args!r}, {named!r}",
                            [store.call(function, args, named) for store in (self.real, self.facade)])

    def ask(self, sql, *values):
        return self.compare(f"{sql} {values!r}",
                            [store.ask(sql, values) for store in (self.real, self.facade)])

    @contextlib.contextmanager
    def transaction(self, keep=True):
        self.log.append("BEGIN")
        with self.real.conn.transaction(force_rollback=not keep), \
                self.facade.conn.transaction(force_rollback=not keep):
            yield
        self.log.append("COMMIT" if keep else "ROLLBACK")
