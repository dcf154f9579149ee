"""What one delivery costs each part, in processor time and bytes: the numbers docs/SCALING.md reckons with.

A topic that was full before is taken in by one consumer into a fresh database, with 1, 8 and 32 readings to a
delivery; then webhooks are answered by a worker that only sends to Kafka. Processor time of a busy machine is
dearer than that of a quiet one, but not by as much as the wall clock; bytes are the same on both.
"""

import subprocess

from kafka_parts import (PARTITIONS, RECORDS, Worker, a_broker, between_commits, fill, fresh_database,
                         processor, running, threads, url, worker_env)
from report import ROUNDS, single, table
from server import SECONDS, value
from webhook import KEY, PROGRAMS

# Every process of the server but our own connection's: backends, WAL writer, checkpointer.
SERVER = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


def server(conn):
    return sum(processor(pid) for (pid,) in conn.execute(SERVER).fetchall())


def size(conn):
    """Bytes of the tables and indexes that grow with the deliveries."""
    return int(value(conn, "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind IN ('r', 'p')"
                     " AND relnamespace IN ('events'::regnamespace, 'biometrics'::regnamespace,"
                     " 'neuros'::regnamespace)"))


def topic_bytes(broker, topic):
    """On the broker's disk; one copy."""
    return sum(log.stat().st_size for log in broker.dir.glob(f"data/{topic}-*/*.log"))


def drained(broker, filled):
    """One round: what a record cost, by name."""
    env = worker_env(broker, filled.topic, "ingest")
    with fresh_database() as conn, running(Worker(url(), env)) as worker:
        pid = worker.process.pid
        before, begin = size(conn), value(conn, "SELECT pg_current_wal_lsn()")

        def spent():
            return {"PostgreSQL": server(conn), "broker": processor(broker.pid()),
                    "worker": sum(threads(pid).values())}

        def committed():
            return int(value(conn, "SELECT coalesce(sum(next_offset), 0) FROM bridge.kafka_offsets")), \
                filled.count
        got = between_commits(committed, spent)
        conn.execute("CHECKPOINT")
        wal = int(value(conn, "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), %s)", begin))
        return {"records/s on this machine": got.rate,
                **{f"{whose}, us of processor time": cost for whose, cost in got.cost.items()},
                "WAL, bytes": wal / filled.count,
                "tables and indexes, bytes": (size(conn) - before) / filled.count}


def posted(broker):
    """Webhooks into the topic: what a request cost the worker and the broker."""
    topic = broker.topic("webhooks", PARTITIONS)
    with fresh_database(), running(Worker(url(), worker_env(broker, topic, "http",
                                                            HEALTHKIT_API_KEYS=KEY))) as worker:
        worker.await_ready()

        def load():
            done = subprocess.run([PROGRAMS / "http_load", str(worker.port), "/webhooks/healthkit", KEY, "32",
                                   str(SECONDS), "0"], capture_output=True, text=True, check=True)
            return float(done.stdout.split()[0]) * SECONDS
        load()
        before = processor(worker.process.pid), processor(broker.pid())
        requests = load()
        records = sum(broker.end_offsets(topic).values())
        return {"requests/s on this machine": requests / SECONDS,
                "in the topic, bytes": topic_bytes(broker, topic) / records,
                "worker, us of processor time": (processor(worker.process.pid) - before[0]) / requests * 1e6,
                "broker, us of processor time": (processor(broker.pid()) - before[1]) / requests * 1e6}


def tell(rounds):
    for what in rounds[0]:
        single(what, [each[what] for each in rounds])


def run():
    with a_broker() as broker:
        for readings in (1, 8, 32):
            filled = fill(broker, readings, RECORDS // (4 if readings == 32 else 1))
            table(f"Kafka to PostgreSQL, {filled.count:,} deliveries with {readings} reading"
                  f"{'s' if readings > 1 else ''} each; one costs", "")
            single("value, bytes", [filled.bytes])
            single("in the topic, bytes", [topic_bytes(broker, filled.topic) / filled.count])
            tell([drained(broker, filled) for _ in range(ROUNDS)])
        table("webhook to Kafka, one reading in each; one costs", "")
        tell([posted(broker) for _ in range(ROUNDS)])
