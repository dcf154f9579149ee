"""kill -9 under load: every delivery that was answered 2xx is in the store exactly once.

Everything that was not answered is sent again, so at the end the store must hold each delivery once: one
too few is a broken promise, one too many a broken deduplication.
"""

import subprocess

from harness import await_that
from load import Load


def all_stored_once(house, accepted):
    house.db = house.cluster.connect(house.database)
    rows = house.rows("SELECT event_id::text, count(*) FROM events.event_store"
                      " WHERE event_type = 'biometric_received' GROUP BY 1")
    stored = dict(rows)
    assert {e: n for e, n in stored.items() if n != 1} == {}, "stored twice"
    assert sorted(set(accepted) - set(stored)) == [], "answered 2xx and lost"
    assert sorted(set(stored) - set(accepted)) == [], "stored and never answered, though sent again"
    assert house.broken() == []
    # What each event brought is in the readings as well: both or neither.
    assert house.rows("SELECT position FROM events.event_store e WHERE event_type = 'biometric_received'"
                      " AND NOT EXISTS (SELECT FROM biometrics.biometric_events b"
                      " WHERE b.position >= e.position AND 'user:' || b.user_id = e.stream_id)") == []


def progress(load, dice):
    """Waits until a random number of deliveries more are accepted: the moment of the blow."""
    goal = load.count() + dice.randint(30, 300)
    await_that(lambda: load.count() >= goal or load.errors, f"{goal} deliveries are accepted")


def conclude(house, load, dice, rounds):
    progress(load, dice)
    accepted = load.finish()
    print(f"{len(accepted)} deliveries accepted, {load.refused} tries refused,"
          f" {rounds} kills hit {load.struck} tries")
    all_stored_once(house, accepted)
    assert load.struck > 0, "no kill hit a sender: the test proved nothing"


def test_worker(house, dice, rounds):
    load = Load(house, dice)
    for _ in range(rounds):
        progress(load, dice)
        load.strike(house.worker.kill)
        house.start()
    conclude(house, load, dice, rounds)


def test_postgres(cluster, house, dice, rounds):
    load = Load(house, dice)
    for _ in range(rounds):
        progress(load, dice)
        load.strike(cluster.kill)
        cluster.restart_where_it_was()
    conclude(house, load, dice, rounds)


def test_backends(cluster, house, dice, rounds):
    """One connection of the worker's dies: PostgreSQL restarts them all, the worker comes back."""
    load = Load(house, dice)
    for _ in range(rounds):
        progress(load, dice)
        with cluster.connect(house.database) as conn:
            pids = [row[0] for row in conn.execute(
                "SELECT pid FROM pg_stat_activity WHERE usename = %s", (cluster.ROLE,)).fetchall()]
        assert pids, "the worker is connected"
        load.strike(lambda: subprocess.run(["kill", "-9", str(dice.choice(pids))], check=True))
    conclude(house, load, dice, rounds)
