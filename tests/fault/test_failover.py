"""The standby that takes over had not got the last commits: the offsets are gone with the events, so Kafka
gives those records once more."""

import pytest

from bridge import Clock
from harness import await_that
from kafka_house import record
from standby import Standby
from traffic import Traffic


@pytest.mark.parametrize("quiet", [False, True])
def test_standby_that_lost_the_last_commits(new_bridge, cluster, broker, dice, quiet):
    """`quiet`: no batch is under way when it happens, and the partitions hear of it one after the other."""
    standby = Standby(cluster)
    try:
        def both(database):
            return (f"postgresql://{cluster.ROLE}@/{database}?host={cluster.host},{standby.host}"
                    f"&port={cluster.port},{standby.port}&target_session_attrs=read-write")
        bridge, ledger = new_bridge(url=both)
        traffic, clock = Traffic(bridge, ledger, dice), Clock(bridge, "failover to the standby")
        traffic.progress(dice)

        def has():
            with standby.connect(bridge.database) as conn:
                return conn.execute("SELECT sum(next_offset)::bigint FROM bridge.kafka_offsets").fetchone()[0]
        await_that(lambda: bridge.database in standby.databases() and has(), "the standby follows")
        standby.cut_off()
        kept = has()
        await_that(lambda: bridge.taken() > kept + 100, "the primary goes on without it")
        if quiet:
            traffic.finish()
            bridge.await_caught_up()
        lost = bridge.taken() - kept
        clock.strike()
        cluster.kill()
        standby.promote()
        bridge.cluster = standby
        bridge.reconnect()
        for partition in range(4 if quiet else 0):
            (place,) = broker.produce_all(bridge.topic, [(*record("late", partition), None, partition)])
            ledger.acked(*place)
            await_that(lambda place=place: bridge.offsets()[place[0]] == place[1] + 1, f"{place} is taken in")
        if not quiet:
            traffic.progress(dice)
            traffic.finish()
        bridge.await_caught_up()
        clock.show()
        assert bridge.said("one", "the database has gone back")
        ledger.check()
        print(f"{lost} records or more had been committed and were lost with the primary", flush=True)
        bridge.close()
    finally:
        standby.destroy()
