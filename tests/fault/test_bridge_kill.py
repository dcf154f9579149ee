"""kill -9 of worker, PostgreSQL and broker under a stream of records: each is taken in once.

The stream runs on through the blow and after it. Every second blow waits until the worker is inside a
transaction; the others come when they come.
"""

from bridge import Clock
from harness import await_that
from load import Load
from test_kill import all_stored_once, progress
from test_zombie import SHORT
from traffic import Traffic


def test_worker(new_bridge, dice, rounds):
    bridge, ledger = new_bridge()
    traffic, clock = Traffic(bridge, ledger, dice), Clock(bridge, "kill -9 of the worker, started again")
    for number in range(rounds):
        traffic.progress(dice)
        if number % 2 == 0:
            bridge.await_in_transaction()
        clock.strike()
        bridge.kill()
        bridge.start(ready=False)
    traffic.progress(dice)
    traffic.finish()
    bridge.await_caught_up()
    clock.show()
    ledger.check()


def test_takeover(new_bridge, dice, rounds):
    """The other gets the partitions when the session ends: after 10 s as shipped, 2 s in the short form."""
    session = {} if rounds >= 10 else SHORT
    bridge, ledger = new_bridge(**session)
    bridge.start("two")
    bridge.await_owners("one", "two")
    traffic = Traffic(bridge, ledger, dice)
    clock = Clock(bridge, f"kill -9 of a worker, another takes over (session {2 if session else 10} s)")
    traffic.progress(dice)
    lost = {partition for partition, owner in bridge.owners().items() if owner == "one-0"}
    clock.strike()
    bridge.kill("one")
    bridge.await_owners("two")
    traffic.progress(dice)
    traffic.finish()
    bridge.await_caught_up()
    at = bridge.value("SELECT min(at) FROM audit.moves WHERE partition = ANY (%s) AND owner = 'two-0'",
                      list(lost))
    print(f"recovery: {clock.what}: first commit after {at - clock.blows[0][0]:.2f} s", flush=True)
    ledger.check()


def test_postgres(cluster, new_bridge, dice, rounds):
    bridge, ledger = new_bridge()
    traffic, clock = Traffic(bridge, ledger, dice), Clock(bridge, "kill -9 of PostgreSQL, started again")
    for number in range(rounds):
        traffic.progress(dice)
        if number % 2 == 0:
            bridge.await_in_transaction()
        clock.strike()
        cluster.kill()
        cluster.restart_where_it_was()
        clock.back()
        bridge.reconnect()
    traffic.progress(dice)
    traffic.finish()
    bridge.await_caught_up()
    clock.show()
    ledger.check()


def test_broker(broker, new_bridge, dice, rounds):
    """In the middle of producing and of fetching: the log has what was acknowledged, and all of it comes."""
    bridge, ledger = new_bridge()
    traffic = Traffic(bridge, ledger, dice)
    clock = Clock(bridge, "kill -9 of the broker, started again", ledger)
    for _ in range(rounds // 2):
        traffic.progress(dice)
        clock.strike()
        broker.kill()
        broker.start()
        clock.back()
    traffic.progress(dice)
    traffic.finish()
    bridge.await_caught_up()
    clock.show()
    ledger.check()


def test_webhooks(broker, new_bridge, dice, rounds):
    """Over HTTP into the topic and out of it: a 2xx is the broker's word, not the worker's hope."""
    bridge, ledger = new_bridge(AUREN_HTTP__DEADLINE="1s")
    load = Load(bridge, dice)
    for number in range(rounds):
        progress(load, dice)
        if number % 2 == 0:
            broker.kill()
            refused = load.refused
            await_that(lambda: load.refused > refused + load.lanes or load.errors, "senders are refused")
        load.strike(bridge.kill)
        broker.start()
        bridge.start(ready=False)
    progress(load, dice)
    ledger.ids = load.finish()
    bridge.await_caught_up()
    all_stored_once(bridge, ledger.ids)
    ledger.check()
    print(f"{load.refused} tries refused, {rounds} kills hit {load.struck} tries", flush=True)
