"""A worker that is stopped and goes on after another has taken its partitions over: it changes nothing.

Sessions of the group last two seconds here, so that the other need not wait long.
"""

import json
import signal

from bridge import Clock, properties
from harness import await_that
from kafka_house import delivery, record
from traffic import Traffic

SHORT = properties(session_timeout_ms=2000, heartbeat_interval_ms=500)


def freeze(worker):
    worker.process.send_signal(signal.SIGSTOP)


def thaw(worker):
    worker.process.send_signal(signal.SIGCONT)


def hold(bridge, *users):
    """A connection whose open transaction holds these people's streams: a batch with one of them waits."""
    conn = bridge.cluster.connect(bridge.database)
    conn.autocommit = False
    conn.execute("SELECT * FROM bridge.ingest_batch(%s::jsonb[])",
                 [[json.dumps(delivery(user, 999)) for user in users]])
    return conn


def waits_for(bridge, holder):
    """The backend of worker one whose batch does."""
    found = bridge.rows("SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
                        " AND application_name = 'auren-worker/consumer-one' AND query ~ 'ingest_batch'",
                        holder.info.backend_pid)
    return found and found[0][0]


def test_inside_its_transaction(new_bridge, broker):
    bridge, ledger = new_bridge(**SHORT)
    one, clock = bridge.workers["one"], Clock(bridge, "takeover from a stopped worker (session 2 s)")
    holder = hold(bridge, "held")
    for place in broker.produce_all(bridge.topic, [record(f"free{n % 9}", n) for n in range(60)]
                                    + [record("held", n) for n in range(5)]):
        ledger.acked(*place)
    held = broker.end_offsets(bridge.topic)
    backend = await_that(lambda: waits_for(bridge, holder), "its batch waits for the stream")
    clock.strike()
    freeze(one)
    bridge.start("two", ready=False)
    bridge.await_owners("two")
    # It had not committed, holds its rows no more, and cannot commit any more.
    assert backend not in bridge.in_transaction("one")
    holder.rollback()
    holder.close()
    await_that(lambda: bridge.offsets() == held, "the other takes in what the first had begun")
    thaw(one)
    # By PostgreSQL, or by the group, whichever it hears of first.
    await_that(lambda: bridge.said("one", "fenced") or bridge.said("one", "gave up a batch at a rebalance"),
               "the first gives up")
    assert bridge.said("two", "ended a former owner")
    for place in broker.produce_all(bridge.topic, [record(f"free{n % 9}", n) for n in range(60, 120)]):
        ledger.acked(*place)
    bridge.await_caught_up()
    clock.show()
    ledger.check()


def test_between_two_transactions(new_bridge, dice):
    """It has records in its hands that it has not begun with: its next statement must move nothing."""
    bridge, ledger = new_bridge(AUREN_INGEST__MAX_BATCH_DELIVERIES="20", **SHORT)
    one = bridge.workers["one"]
    traffic = Traffic(bridge, ledger, dice, burst=60)

    def caught():
        freeze(one)
        if not bridge.in_transaction("one"):
            return True
        thaw(one)
        return False
    traffic.progress(dice)
    await_that(caught, "it is stopped between two transactions")
    bridge.start("two", ready=False)
    bridge.await_owners("two")
    before = bridge.taken()
    await_that(lambda: bridge.taken() > before, "the other goes on")
    thaw(one)
    await_that(lambda: bridge.said("one", "fenced") or bridge.said("one", "partitions revoked"),
               "the first has noticed")
    traffic.progress(dice)
    traffic.finish()
    bridge.await_caught_up()
    ledger.check()


def test_the_epoch_alone(new_bridge, broker):
    """Another owner that has not moved anything yet: only the row's epoch tells the first that it is late."""
    bridge, ledger = new_bridge(partitions=1)
    for place in broker.produce_all(bridge.topic, [record("ada", n) for n in range(10)]):
        ledger.acked(*place)
    bridge.await_caught_up()
    bridge.db.execute("UPDATE bridge.kafka_offsets SET owner_epoch = owner_epoch + 1, owner = 'other-0'")
    for place in broker.produce_all(bridge.topic, [record("ada", n) for n in range(10, 20)]):
        ledger.acked(*place)
    await_that(lambda: bridge.said("one", "fenced") or bridge.taken() > 10, "it has tried")
    assert bridge.said("one", "fenced") and bridge.taken() == 10 and bridge.received("ada") == 10
    bridge.terminate("one")
    bridge.start("one")
    bridge.await_caught_up()
    ledger.check()
