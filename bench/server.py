"""The server that is measured: databases, pgbench, and time taken inside the server.

script/bench starts it and sets PGHOST, PGPORT, PGUSER and PG_BIN.

What happens in one connection, inside the server, is timed by the wall clock, or, with BENCH_CLOCK=cpu, by
the processor time of that connection's process: on a machine where others work, that is what can still be
compared. pgbench knows the wall clock only.
"""

import os
import re
import subprocess
import time

import psycopg

SECONDS = int(os.environ.get("BENCH_SECONDS", "2"))
CLOCK = os.environ.get("BENCH_CLOCK", "wall")

# An event of 200 bytes as text, no two alike.
DATA = """
CREATE FUNCTION bench_data(n bigint) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT format('{"device": "ring", "metric": "heart_rate", "value": %s, "unit": "/min", "context": "rest", '
    '"quality": 0.98, "app": "bench", "at": "%s", "session": "b7c1e0d2-6f7a-4b8e-9d15-a3c4"}',
    50 + n % 50,
    to_char(timestamp '2025-01-27 10:30:00' + n * interval '1 ms', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::jsonb
$$
"""


def connect(database):
    return psycopg.connect(dbname=database, autocommit=True, options="-c client_min_messages=warning")


def fresh_database(name):
    with connect("postgres") as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        conn.execute(f"CREATE DATABASE {name}")
    conn = connect(name)
    conn.execute(DATA)
    return conn


def fresh_store(name="bench"):
    """A database with the extension; returns a connection to it."""
    conn = fresh_database(name)
    conn.execute("CREATE EXTENSION auren")
    return conn


def value(conn, query, *arguments):
    return conn.execute(query, arguments or None).fetchone()[0]


def fill(conn, category, events, streams, first=1):
    """Appends `events` events to `streams` streams of a category, as fast as the store takes them."""
    step = 10000
    for begin in range(first, first + events, step):
        conn.execute(
            f"SELECT events.append_batch(array_agg('{category}:' || n % {streams}),"
            " array_agg('reading_taken'::text), array_agg(bench_data(n)))"
            f" FROM generate_series({begin}, {min(begin + step, first + events) - 1}) AS n")


def pgbench_command(database, clients, seconds, variables=()):
    defined = [word for name, setting in dict(variables).items() for word in ("-D", f"{name}={setting}")]
    return [f"{os.environ['PG_BIN']}/pgbench", "-n", "-M", "prepared", "-c", str(clients),
            "-j", str(min(clients, 2)), "-T", str(seconds), *defined, "-f", "-", database]


def pgbench(database, script, clients=1, seconds=SECONDS, settings=""):
    """Transactions a second, under `settings` as in PGOPTIONS; any error ends the benchmark."""
    done = subprocess.run(pgbench_command(database, clients, seconds), input=script, text=True,
                          env={**os.environ, "PGOPTIONS": settings}, capture_output=True, check=False)
    if done.returncode or "number of failed transactions: 0 " not in done.stdout:
        raise RuntimeError(f"pgbench: {done.stdout}{done.stderr}")
    return float(re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)[1])


def clock(conn):
    """Seconds of the clock that is asked for."""
    if CLOCK == "wall":
        return time.monotonic()
    # The kernel's name for the processor time of another process.
    return time.clock_gettime(~conn.info.backend_pid << 3 | 2)


def seconds(conn, statement, *arguments):
    begun = clock(conn)
    conn.execute(statement, arguments or None)
    return clock(conn) - begun


def milliseconds(conn, body, times=1, declare="", before="NULL;"):
    """Mean time of one run of the PL/pgSQL statements `body`, run `times` times in one transaction. `i`
    counts them; `before` has been run once. Both see the variables of `declare`."""
    conn.execute(f"""
        CREATE OR REPLACE PROCEDURE pg_temp.timed(times int) LANGUAGE plpgsql AS $timed$
        DECLARE
          {declare}
        BEGIN
          {before}
          FOR i IN 1 .. times LOOP
            {body}
          END LOOP;
        END $timed$""")
    # Without the loop first: that compiles and prepares, and tells what `before` costs by itself.
    conn.execute("CALL pg_temp.timed(0)")
    alone = seconds(conn, "CALL pg_temp.timed(0)")
    return (seconds(conn, f"CALL pg_temp.timed({times})") - alone) * 1000 / times
