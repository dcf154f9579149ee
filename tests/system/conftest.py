"""Fixtures: one private PostgreSQL and, when a test asks for it, one Kafka for the session; a database and a
worker for each file or test."""

import pytest

from broker import Broker
from harness import Cluster
from house import House


@pytest.fixture(scope="session")
def cluster():
    made = Cluster()
    yield made
    made.destroy()


@pytest.fixture(scope="session")
def broker():
    """One Kafka for all who ask for it; whoever does something to it finds it well again afterwards."""
    made = Broker()
    yield made
    made.destroy()


@pytest.fixture(autouse=True)
def revived(request):
    yield
    if "broker" in request.fixturenames:
        request.getfixturevalue("broker").revive()


@pytest.fixture(scope="module")
def house(cluster):
    """Shared by the tests of one file: every test uses people of its own."""
    made = House(cluster)
    yield made
    made.close()


@pytest.fixture
def new_house(cluster):
    """Makes houses with options of their own."""
    made = []

    def make(**options):
        made.append(House(cluster, **options))
        return made[-1]

    yield make
    for each in made:
        if each.worker.process.poll() is None:
            each.worker.terminate()
        each.listener.close()
        each.db.close()
