"""What the benchmarks of the Kafka bridge share: a broker, topics full of deliveries, the worker that takes
them in, and the clock that times it.

The broker has the flags Kafka ships with (script/lib/kafka.sh has smaller ones, for tests). Everybody logs in
to PostgreSQL over TCP by password, as the sink of Kafka Connect must. What is timed goes from the first
commit to the last: starting, joining a group and warming up caches before the first batch are nobody's rate.
"""

import collections
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import time

import harness
from broker import Broker
from kafka_house import kafka_env

from server import fresh_store, value

os.environ.setdefault("AUREN_KAFKA_JVM", "-Xms1g -Xmx1g -XX:+UseG1GC -XX:MaxGCPauseMillis=20")

RECORDS = int(os.environ.get("BENCH_RECORDS", "100000"))
PEOPLE = 2000
PARTITIONS = 4
PROGRAMS = pathlib.Path(os.environ.get("PROGRAMS", "build/cmake"))
PASSWORD = "bench"
ROLE = f"""
DO $$ BEGIN
  CREATE ROLE auren_worker LOGIN IN ROLE auren_writer, auren_reader, auren_admin;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
ALTER ROLE auren_worker PASSWORD '{PASSWORD}'
"""
METRICS = (("heart_rate", "/min", 60), ("hrv_sdnn", "ms", 45), ("respiratory_rate", "/min", 14),
           ("oxygen_saturation", "%", 95))
FIRST = 1769500000  # 2026-01-27, in the morning


def url(database="bench"):
    return f"postgresql://auren_worker:{PASSWORD}@127.0.0.1:{os.environ['PGPORT']}/{database}"


def fresh_database():
    """The extension and the worker's role; returns a connection. What was written before is on the disk."""
    conn = fresh_store()
    conn.execute(ROLE)
    conn.execute("CHECKPOINT")
    return conn


@contextlib.contextmanager
def a_broker(settings=()):
    broker = Broker(settings=settings)
    try:
        yield broker
    finally:
        broker.destroy()


# Records.

def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def reading(number, which):
    """(metric, unit, value, when) of the reading `which` of delivery `number`: a person's come every five
    minutes and change a little from one to the next."""
    metric, unit, level = METRICS[which % len(METRICS)]
    taken = FIRST + number // PEOPLE * 300 + number % PEOPLE % 60 - which // len(METRICS) * 5
    return metric, unit, level + (number * 7 + which) % 5, taken


def delivery(number, readings):
    """As the worker's webhooks write it into the topic."""
    taken = [reading(number, which) for which in range(readings)]
    return {
        "source": "healthkit", "delivery_id": f"d-{number}", "user_id": f"person-{number % PEOPLE}",
        "received_at": stamp(taken[0][3] + 10),
        "readings": [{"metric": metric, "value": level, "start": stamp(when), "unit": unit}
                     for metric, unit, level, when in taken]}


def compact(document):
    return json.dumps(document, separators=(",", ":"))


class Filled:
    """A topic with `count` records: (key, value, time in s) each, made by `make` of its number."""

    def __init__(self, broker, name, make, count=RECORDS):
        self.topic = broker.topic(name, PARTITIONS)
        self.count = count
        records = [make(number) for number in range(count)]
        places = broker.produce_all(self.topic, records)
        self.bytes = statistics.mean(len(text) for _, text in records)
        # In the order a consumer meets them, partition by partition.
        self.values = [records[number][1] for number in sorted(range(count), key=places.__getitem__)]
        self.last = [max(n for n in range(count) if places[n][0] == p) for p in range(PARTITIONS)]


def fill(broker, readings, count=RECORDS):
    def make(number):
        made = delivery(number, readings)
        return made["user_id"], compact(made)
    return Filled(broker, f"readings{readings}", make, count)


# The worker.

class Worker(harness.Worker):
    """One that serves no HTTP when its roles do not say so."""

    def listening(self, component):
        if component == "http" and "http" not in self.env.get("AUREN_ROLES", "http"):
            return 0
        return super().listening(component)


def worker_env(broker, topic, roles, **more):
    number = next(broker.numbers)
    return {**kafka_env(broker, topic), "AUREN_ROLES": roles, "AUREN_KAFKA__GROUP_ID": f"bench.{number}",
            "AUREN_KAFKA__INSTANCE_ID": f"bench{number}", **more}


@contextlib.contextmanager
def running(program):
    try:
        yield program
    finally:
        program.terminate()


def processor(pid, thread=None):
    """Seconds of processor time of a process or of one thread of it; 0 when it has gone."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/task/{thread}/stat" if thread else f"/proc/{pid}/stat")
        words = stat.read_text(encoding="ascii").rpartition(")")[2].split()
        return sum(map(int, words[11:13])) / os.sysconf("SC_CLK_TCK")
    except (FileNotFoundError, ProcessLookupError):
        return 0


def backends(conn):
    """Seconds of processor time of all other connections to the database."""
    return sum(processor(pid) for (pid,) in conn.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'").fetchall())


def threads(pid):
    """Seconds of the worker's processor time by what a thread is for."""
    found = {"consumer": 0, "librdkafka": 0, "worker, rest": 0}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            name = (task / "comm").read_text(encoding="utf-8")
            kind = next((kind for start, kind in (("consumer-", "consumer"), ("rdk:", "librdkafka"))
                         if name.startswith(start)), "worker, rest")
            found[kind] += processor(pid, task.name)
    return found


Drained = collections.namedtuple("Drained", "rate cost")  # records/s; processor time in us of each, by whose


def between_commits(count, spent, every=0.01):
    """Asks `count`, which returns how many are committed and how many there are, until it is all of them;
    what happened from the first commit to the last. `spent` tells the processor time until now."""
    first = None
    while True:
        done, total = count()
        now = time.monotonic()
        if done == total:
            if first is None:
                raise RuntimeError("all came with the first commit: BENCH_RECORDS is too small for a rate")
            number, begun, before = first
            return Drained((total - number) / (now - begun), {
                what: (seconds - before[what]) * 1e6 / (total - number)
                for what, seconds in spent().items()})
        if done and first is None:
            first = done, now, spent()
        time.sleep(every)


def tell_costs(sides):
    """Where the processor's time went: medians, by side and by whose it was."""
    for side, drained in sides.items():
        whose = {what: statistics.median(each.cost[what] for each in drained) for what in drained[0].cost}
        print(f"  {side}, us of processor time a record: "
              + ", ".join(f"{what} {cost:.0f}" for what, cost in whose.items()), flush=True)


def drain(filled, broker, consumers=1, **env):
    """A worker takes the whole topic into a fresh database."""
    with fresh_database() as conn, running(Worker(url(), worker_env(
            broker, filled.topic, "ingest", AUREN_KAFKA__CONSUMERS=str(consumers), **env))) as worker:
        end = time.monotonic() + 600

        def committed():
            if time.monotonic() > end:
                raise RuntimeError(f"not drained after 10 minutes; log: {worker.lines[-5:]}")
            return int(value(conn, "SELECT coalesce(sum(next_offset), 0) FROM bridge.kafka_offsets")), \
                filled.count
        drained = between_commits(committed, lambda: {
            "PostgreSQL": backends(conn), **threads(worker.process.pid)})
        stored = value(conn, "SELECT count(*) FROM events.event_store"
                       " WHERE event_type = 'biometric_received'")
        if stored != filled.count:
            raise RuntimeError(f"{stored} of {filled.count} deliveries are in the store")
        return drained


def send_batches(filled, size):
    """The same records in the same order by batch_load."""
    with fresh_database():
        done = subprocess.run([PROGRAMS / "batch_load", url(), str(size)], text=True, check=True,
                              input="\n".join(filled.values), capture_output=True)
    rate, refused, backend, client = map(float, done.stdout.split())
    if refused:
        raise RuntimeError(f"{refused:.0f} deliveries were not applied")
    return Drained(rate, {"PostgreSQL": backend, "client": client})


def rates(drained):
    return [each.rate for each in drained]

