"""The fault suite stands on the system tests' harness.

AUREN_FAULT_SEED repeats a run, AUREN_FAULT_ROUNDS says how often each test kills (default 3, at least 2).
"""

import os
import pathlib
import random
import sys

import psycopg
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from bridge import Bridge  # noqa: E402  (the path above must come first)
from broker import Broker  # noqa: E402
from harness import Cluster  # noqa: E402
from house import House  # noqa: E402
from ledger import Ledger  # noqa: E402


@pytest.fixture(scope="session")
def server():
    made = Cluster()
    yield made
    made.destroy()


@pytest.fixture
def cluster(server):
    """Runs again, whatever a test has done to it."""
    yield server
    try:
        server.connect("postgres").close()
    except psycopg.OperationalError:
        server.restart_where_it_was()


@pytest.fixture
def house(cluster):
    made = House(cluster)
    yield made
    made.close()


@pytest.fixture(scope="session")
def kafka():
    """Sessions of its groups may be short: the tests need not wait as long as a network may need."""
    made = Broker(settings=["group.min.session.timeout.ms=1000"])
    yield made
    made.destroy()


@pytest.fixture
def broker(kafka):
    """Well again after whatever was done to it."""
    yield kafka
    kafka.revive()


@pytest.fixture
def new_bridge(cluster, broker):
    """Makes a bridge with a ledger."""
    made = []

    def make(**options):
        made.append(Bridge(cluster, broker, **options))
        return made[-1], Ledger(made[-1])

    yield make
    for bridge in made:
        bridge.close()


@pytest.fixture
def dice():
    seed = int(os.environ.get("AUREN_FAULT_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"AUREN_FAULT_SEED={seed}", flush=True)
    return random.Random(seed)


@pytest.fixture
def rounds():
    return max(2, int(os.environ.get("AUREN_FAULT_ROUNDS", "3")))


@pytest.fixture
def new_house(cluster):
    """Makes houses with options of their own."""
    made = []

    def make(**options):
        made.append(House(cluster, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()
