"""Batches that were given up: at a stop, at a rebalance, with the connection. Nothing may be passed over."""

import os
import signal

import pytest

from harness import await_that
from kafka_house import KafkaHouse, record
from pg_proxy import PgProxy

BAD = {"metric": "heart_rate", "value": 66, "unit": "/min", "start": "2026-01-27T10:30:00Z"}


def on_bad_readings(house, body):
    house.db.execute(f"""
        CREATE FUNCTION upon() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF new.value = 66 THEN {body} END IF;
          RETURN new;
        END $$;
        CREATE TRIGGER upon BEFORE INSERT ON biometrics.biometric_events
          FOR EACH ROW EXECUTE FUNCTION upon()""")


def nothing_bad_any_more(house):
    house.db.execute("DROP FUNCTION upon CASCADE")


def sleeping(house):
    """The consumer's backend, once it does."""
    return house.value("SELECT min(pid) FROM pg_stat_activity WHERE datname = %s AND wait_event = 'PgSleep'",
                       house.database)


def good(user, number):
    return record(user, number, {**BAD, "value": 70})


@pytest.mark.parametrize("sqlstate", ["P0001", "53100"])
def test_a_stop_does_not_pass_over_what_could_not_be_taken_in(cluster, broker, sqlstate):
    """What was polled meanwhile would go in alone, and the offset with it."""
    house = KafkaHouse(cluster, broker, partitions=1, env={"AUREN_INGEST__MAX_BATCH_DELIVERIES": "3"})
    on_bad_readings(house, f"RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}';")
    broker.produce_all(house.topic, [record("stop", 0, BAD)] + [good("stop", n) for n in range(1, 40)])
    await_that(lambda: any(sqlstate in line for line in house.worker.lines), "it is noticed")
    assert house.worker.terminate() == 0
    assert house.offsets() == {0: 0} and house.received("stop") == 0
    nothing_bad_any_more(house)
    house.start()
    house.await_caught_up()
    assert house.received("stop") == 40 and house.broken() == []
    house.close()


def test_a_stop_does_not_wait_for_ever_for_a_server_that_is_held_up(cluster, broker):
    house = KafkaHouse(cluster, broker, partitions=1)
    on_bad_readings(house, "PERFORM pg_sleep(25);")
    broker.produce_all(house.topic, [record("held", 0, BAD)])
    backend = await_that(lambda: sleeping(house), "a batch is under way")
    os.kill(backend, signal.SIGSTOP)
    try:
        assert house.worker.terminate() == 0
    finally:
        os.kill(backend, signal.SIGCONT)
    house.db.execute("SELECT pg_terminate_backend(%s)", [backend])
    nothing_bad_any_more(house)
    house.start()
    house.await_caught_up()
    assert house.received("held") == 1
    house.close()


@pytest.mark.parametrize("away", ["kill", "pause"])
def test_a_stop_does_not_wait_for_a_broker_that_is_away(cluster, broker, away):
    house = KafkaHouse(cluster, broker)
    broker.produce_all(house.topic, [record("off", n) for n in range(20)])
    house.await_caught_up()
    getattr(broker, away)()
    assert house.worker.terminate() == 0
    broker.revive()
    broker.produce_all(house.topic, [record("off", n) for n in range(20, 30)])
    house.start()
    house.await_caught_up()
    assert house.received("off") == 30
    house.close()


def test_a_connection_that_ends_before_the_commit_does_not_count_as_committed(cluster, broker):
    """All that was asked has been answered, but for the last message; then another connection would take the
    COMMIT, which is told that there is no transaction, and agrees."""
    house = KafkaHouse(cluster, broker, partitions=1)
    assert house.worker.terminate() == 0
    cuts = []

    def at_the_end_of_the_first_batch(types, last):
        if cuts or last != "ZT" or types.count("C") != 3:
            return False
        cuts.append(types)
        return True

    with PgProxy(cluster, at_the_end_of_the_first_batch) as proxy:
        house.worker = house.worker.__class__(proxy.url(house.database), **house.options).await_ready()
        broker.produce_all(house.topic, [record("cut", 0)])
        house.await_caught_up()
        assert cuts and house.received("cut") == 1
        metrics = house.worker.metrics()
        assert metrics[f'auren_kafka_messages_processed_total{{status="applied",topic="{house.topic}"}}'] == 1
        house.close()


def test_what_failed_at_a_cooperative_rebalance_is_taken_in_again(cluster, broker):
    """Of the partitions that stay with us, too."""
    env = {"AUREN_KAFKA__PROPERTIES": "partition.assignment.strategy=cooperative-sticky,debug=cgrp",
           "AUREN_LOG__LEVEL": "debug"}
    house = KafkaHouse(cluster, broker, partitions=4, env=env)
    house.db.execute("CREATE TABLE public.slow()")
    house.db.execute("GRANT SELECT ON public.slow TO PUBLIC")
    house.db.execute("INSERT INTO public.slow DEFAULT VALUES")
    on_bad_readings(house, "IF EXISTS (SELECT FROM public.slow) THEN PERFORM pg_sleep(25); END IF;")
    broker.produce_all(house.topic, [(*record("co", n, BAD), None, n % 4) for n in range(8)])
    await_that(lambda: sleeping(house), "a batch is under way")
    broker.produce_all(house.topic, [(*good("co", n), None, n % 4) for n in range(8, 16)])
    second = house.worker.__class__(cluster.url(house.database), env={
        **house.options["env"], "AUREN_KAFKA__INSTANCE_ID": "two"})
    await_that(lambda: any("delegating incremental revoke" in line for line in house.worker.lines),
               "the first one is to give some of them away")
    house.db.execute("DELETE FROM public.slow")
    house.db.execute("SELECT pg_terminate_backend(%s)", [sleeping(house)])
    house.await_caught_up()
    assert house.received("co") == 16 and house.broken() == []
    second.terminate()
    house.close()
