"""The fault suite stands on the system tests' harness.

AUREN_FAULT_SEED repeats a run, AUREN_FAULT_ROUNDS says how often each test kills (default 3).
"""

import os
import pathlib
import random
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from harness import Cluster  # noqa: E402  (the path above must come first)
from house import House  # noqa: E402


@pytest.fixture
def cluster():
    """One for each test: a killed server is nobody else's."""
    made = Cluster()
    yield made
    made.destroy()


@pytest.fixture
def house(cluster):
    made = House(cluster)
    yield made
    made.close()


@pytest.fixture
def dice():
    seed = int(os.environ.get("AUREN_FAULT_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"AUREN_FAULT_SEED={seed}", flush=True)
    return random.Random(seed)


@pytest.fixture
def rounds():
    return int(os.environ.get("AUREN_FAULT_ROUNDS", "3"))
