"""What is done to the topic while a worker reads it: each time it says so, and nothing happens in silence."""

import signal

import pytest

from bridge import properties
from harness import await_that
from kafka_house import record
from traffic import Traffic


def produce(bridge, ledger, records):
    for place in bridge.broker.produce_all(bridge.topic, records):
        ledger.acked(*place)


def await_stopped(bridge, reason, text):
    try:
        await_that(lambda: bridge.rows("SELECT FROM bridge.kafka_offsets WHERE topic = %s"
                                       " AND stopped_reason = %s", bridge.topic, reason),
                   f"it stops: {reason}")
    except AssertionError as error:
        raise AssertionError(f"{error}; offsets {bridge.offsets()}, log:\n"
                             + "\n".join(bridge.worker.lines[-20:])) from None
    await_that(lambda: text in bridge.worker.ready().body.decode(), f"it says {text}")
    assert bridge.worker.ready().status == 503


def resume(bridge, at):
    bridge.db.execute("SELECT bridge.resume_partition(cluster_id, topic, partition, %s)"
                      " FROM bridge.kafka_offsets WHERE topic = %s", [at, bridge.topic])


@pytest.mark.parametrize("refilled", [3, 60])
def test_recreated(new_bridge, broker, refilled):
    """With fewer records than were read its end tells, also while it is read; with more, the one that was
    read last tells the worker that begins with it."""
    bridge, ledger = new_bridge(partitions=1)
    produce(bridge, ledger, [record("old", n) for n in range(20)])
    bridge.await_caught_up()
    if refilled > 20:
        bridge.kill()
    broker.delete(bridge.topic)
    broker.make(bridge.topic, 1)
    broker.produce_all(bridge.topic, [record("new", n) for n in range(refilled)])
    if refilled > 20:
        bridge.start(ready=False)
    await_stopped(bridge, "topic_recreated", "was made anew")
    assert bridge.taken() == 20 and bridge.received("new") == 0
    resume(bridge, 0)
    bridge.await_caught_up()
    assert bridge.received("old") == 20 and bridge.received("new") == refilled
    bridge.worker.await_ready()


@pytest.mark.parametrize("killed", [False, True])
def test_recreated_while_it_is_read(new_bridge, broker, killed):
    """Filled beyond where the worker stands before it can see that: the new records after that offset are
    taken in. A record that was read before, looked at again, tells, even a worker that begins behind it."""
    bridge, ledger = new_bridge(partitions=1)
    produce(bridge, ledger, [record("old", n) for n in range(20)])
    bridge.await_caught_up()
    await_that(lambda: bridge.rows("SELECT FROM bridge.kafka_offsets WHERE topic = %s"
                                   " AND anchor_digest IS NOT NULL", bridge.topic), "an anchor")
    bridge.worker.process.send_signal(signal.SIGSTOP)
    broker.delete(bridge.topic)
    broker.make(bridge.topic, 1)
    broker.produce_all(bridge.topic, [record("new", n) for n in range(60)])
    bridge.worker.process.send_signal(signal.SIGCONT)
    await_that(lambda: bridge.received("new") == 40, "what lies behind the offset is taken in")
    if killed:
        bridge.kill()
        bridge.start(ready=False)
    await_stopped(bridge, "topic_recreated", "was made anew while it was read")
    resume(bridge, 0)
    bridge.await_caught_up()
    assert bridge.received("old") == 20 and bridge.received("new") == 60
    bridge.worker.await_ready()


def test_retention_is_shorter_than_an_outage(new_bridge, cluster, broker):
    """The worker has next to nothing in memory, and goes on reading when PostgreSQL is back."""
    bridge, ledger = new_bridge(partitions=1, **properties(
        queued_min_messages=1, fetch_message_max_bytes=1000))
    produce(bridge, ledger, [record("kept", n) for n in range(20)])
    bridge.await_caught_up()
    cluster.stop("immediate")
    for n in range(20, 50):
        produce(bridge, ledger, [record("kept", n)])
    ledger.remember()
    broker.expire(bridge.topic)
    cluster.restart_where_it_was()
    bridge.reconnect()
    produce(bridge, ledger, [record("kept", n) for n in range(50, 70)])
    await_stopped(bridge, "retention_gap", "to 49 were deleted")
    taken = bridge.taken()
    assert 20 <= taken < 50 and f"records {taken} to 49 were deleted" in bridge.worker.ready().body.decode()
    resume(bridge, 50)
    bridge.await_caught_up()
    for offset in range(taken, 50):  # what it said, and nothing else, is missing
        del ledger.places[0, offset], ledger.log[0, offset]
    ledger.check(chain=False)


def test_more_partitions(new_bridge, broker, dice):
    bridge, ledger = new_bridge(**properties(topic_metadata_refresh_interval_ms=500))
    traffic = Traffic(bridge, ledger, dice)
    traffic.progress(dice)
    broker.grow(bridge.topic, 8)
    produce(bridge, ledger, [(*record("grown", n), None, n % 8) for n in range(80)])
    traffic.progress(dice)
    traffic.finish()
    bridge.await_caught_up()
    ledger.check()
    assert len(bridge.offsets()) == 8
