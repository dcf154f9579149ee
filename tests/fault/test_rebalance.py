"""Workers come and go, by SIGTERM and by kill -9, while records stream: nothing is skipped or doubled."""

import pathlib
import re
import time

import pytest

from bridge import properties
from harness import await_that
from kafka_house import record
from test_zombie import hold, waits_for
from traffic import Traffic

SHORT = {"session_timeout_ms": 2000, "heartbeat_interval_ms": 500}
STRATEGIES = ["range", "cooperative-sticky"]


def naps(pid):
    """How often the consumer's thread goes to sleep in a fifth of a second. It looks for records every
    millisecond; for its batch alone, when the next one is full, every twenty; in a rebalance it waits."""
    (status,) = [task / "status" for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                 if (task / "comm").read_text(encoding="ascii").strip() == "consumer-0"]

    def count():
        return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status.read_text("ascii"), re.M)[1])
    before = count()
    time.sleep(0.2)
    return count() - before


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_storm(new_bridge, dice, rounds, strategy):
    bridge, ledger = new_bridge(partitions=8, **properties(partition_assignment_strategy=strategy, **SHORT))
    traffic = Traffic(bridge, ledger, dice)
    number = 0
    for _ in range(2 * rounds):
        traffic.progress(dice, 200, 1200)
        names = sorted(bridge.workers)
        if len(names) == 1 or (len(names) < 4 and dice.random() < 0.6):
            number += 1
            name = f"w{number}"
            bridge.start(name, ready=False)
            await_that(lambda name=name: bridge.said(name, "partitions assigned"), f"{name} gets its share")
        elif dice.random() < 0.5:
            bridge.terminate(dice.choice(names))
        else:
            bridge.kill(dice.choice(names))
    traffic.progress(dice)
    traffic.finish()
    bridge.await_caught_up()
    ledger.check()
    print(f"{number} workers came, {bridge.value('SELECT max(owner_epoch) FROM bridge.kafka_offsets')}"
          " owners in turn at most", flush=True)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_batch_fails_in_the_middle_of_a_rebalance(new_bridge, broker, strategy):
    """What keeps its owner keeps its records: those of the batch that failed come again."""
    bridge, ledger = new_bridge(partitions=8, **properties(partition_assignment_strategy=strategy, **SHORT),
                                AUREN_INGEST__MAX_BATCH_DELIVERIES="40")
    pid = bridge.workers["one"].process.pid

    def produce(user, numbers):
        for place in broker.produce_all(bridge.topic, [(*record(user, n), None, n % 8) for n in numbers]):
            ledger.acked(*place)

    # While the first batch waits the next one fills, with records of every partition; then that one waits.
    first, second = hold(bridge, "first"), hold(bridge, "second")
    produce("first", [0])
    await_that(lambda: waits_for(bridge, first), "a batch waits")
    produce("second", range(40))
    await_that(lambda: naps(pid) < 30, "the next one is full")
    first.close()
    blocked = await_that(lambda: waits_for(bridge, second), "it waits, too")
    bridge.start("two", ready=False)
    await_that(lambda: naps(pid) == 0, "the rebalance waits for the batch")
    bridge.db.execute("SELECT pg_terminate_backend(%s)", [blocked])
    second.close()
    produce("second", range(40, 80))
    bridge.await_owners("one", "two")
    bridge.await_caught_up()
    ledger.check()
