"""Webhook to the broker's acknowledgement: a delivery over HTTP keep-alive, verified, mapped and in the topic
before it is answered, at full rate and at half of it. At half rate the requests are spread evenly and each is
timed from the moment it was due. Before the first round the broker is under load for a minute: its JVM
compiles as it goes, in which time it does half as much and stops for tens of milliseconds; a broker runs for
months.

Once the worker does nothing else, and once it also takes the records in from the topic (one consumer): then
PostgreSQL, the broker, both halves of the worker and the generator share the cores.
"""

import contextlib
import functools

from kafka_parts import PARTITIONS, Worker, a_broker, fresh_database, running, url, worker_env
from report import ROUNDS, at_most, single, table
from webhook import KEY, column, load

CONNECTIONS = 32
WARM_UP = 60  # seconds
ROLES = {"http": "roles [http]", "http,ingest": "roles [http, ingest]"}


@contextlib.contextmanager
def a_worker(broker, roles):
    """In a fresh database and topic. Yields what puts a load on it."""
    with fresh_database(), running(Worker(url(), worker_env(
            broker, broker.topic("webhooks", PARTITIONS), roles, HEALTHKIT_API_KEYS=KEY))) as worker:
        worker.await_ready()
        yield functools.partial(load, worker.port, "/webhooks/healthkit", CONNECTIONS)


def measure(broker, roles):
    """(requests/s, p50, p99) at full rate and at half of it."""
    with a_worker(broker, roles) as under_load:
        under_load(200)  # not timed: everything is asked once
        full = under_load()
        return full, under_load(full[0] / 2)


def run():
    with a_broker() as broker:
        with a_worker(broker, "http,ingest") as under_load:
            under_load(seconds=WARM_UP)
        got = {roles: [] for roles in ROLES}
        for _ in range(ROUNDS):
            for roles in ROLES:
                got[roles].append(measure(broker, roles))
    for roles, what in ROLES.items():
        table(f"webhook to Kafka's acknowledgement, {CONNECTIONS} connections, {what}", "")
        for half, name in enumerate(("full rate", "half of it")):
            rounds = column(got[roles], half)
            single(f"{name}, requests/s", column(rounds, 0))
            single("  p50, ms", column(rounds, 1))
            single("  p99, ms", column(rounds, 2), at_most(25) if half else None)
