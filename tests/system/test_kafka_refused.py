"""What PostgreSQL refuses by something else than a record's shape: nothing may go round in circles."""

import pytest

from harness import await_that
from kafka_house import KafkaHouse, record

BAD = {"metric": "heart_rate", "value": 66, "unit": "/min", "start": "2026-01-27T10:30:00Z"}


@pytest.fixture
def house(cluster, broker):
    made = KafkaHouse(cluster, broker, partitions=1)
    yield made
    made.close()


def refuse(house, table, condition, sqlstate):
    house.db.execute(f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF {condition} THEN RAISE EXCEPTION 'not this one' USING ERRCODE = '{sqlstate}'; END IF;
          RETURN new;
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()""")


@pytest.mark.parametrize("sqlstate", ["23505", "57014"])
def test_a_race_that_is_lost_each_time_is_the_records_fault(house, broker, sqlstate):
    """Among others it is found by halves."""
    refuse(house, "biometrics.biometric_events", "new.value = 66", sqlstate)
    broker.produce_all(house.topic, [
        record("race", n, BAD if n == 11 else {**BAD, "value": 70}) for n in range(40)])
    house.await_caught_up()
    assert house.received("race") == 39 and house.broken() == []
    assert house.rows("SELECT reason, sqlstate FROM bridge.dead_letters") == [("sql_error", sqlstate)]


def test_a_dead_letter_that_is_refused_stops_the_line(house, broker):
    refuse(house, "bridge.dead_letters", "true", "22000")
    broker.produce_all(house.topic, [record("kept", 0), ("kept", "no JSON"), record("kept", 1)])
    await_that(lambda: b"stopped by SQLSTATE 22000" in house.worker.ready().body, "somebody is called")
    house.db.execute("DROP FUNCTION refuse CASCADE")
    house.await_caught_up()
    assert house.received("kept") == 2 and [row[2] for row in house.letters()] == ["malformed"]
    house.worker.await_ready()


def test_a_lock_is_waited_for_as_long_as_a_session_does(house, cluster, broker):
    """Two seconds are for taking a partition over only."""
    with cluster.connect(house.database) as other:
        other.autocommit = False
        other.execute("LOCK TABLE biometrics.biometric_events IN EXCLUSIVE MODE")
        broker.produce_all(house.topic, [record("lock", n) for n in range(5)])
        await_that(lambda: house.value("SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
                                       " AND wait_event_type = 'Lock'"
                                       " AND clock_timestamp() > query_start + interval '3 seconds'",
                                       house.database), "one statement waits for longer")
        other.rollback()
    house.await_caught_up()
    assert house.received("lock") == 5


def test_a_timestamp_that_is_none_is_passed_over(house, broker):
    for number, timestamp in enumerate([2**63 - 1, 1_769_509_800_000_000, 253_402_300_799_999]):
        key, value = record("when", number)
        broker.producer.produce(house.topic, value, key, timestamp=timestamp)
    broker.producer.flush(60)
    house.await_caught_up()
    assert house.letters() == [] and house.received("when") == 3


def test_a_topic_made_anew_with_fewer_partitions_while_it_is_read(cluster, broker):
    house = KafkaHouse(cluster, broker, partitions=3, env={
        "AUREN_KAFKA__PROPERTIES": "topic.metadata.refresh.interval.ms=500"})
    broker.produce_all(house.topic, [(*record("old", n), None, n % 3) for n in range(30)])
    house.await_caught_up()
    broker.delete(house.topic)
    broker.make(house.topic, 1)
    broker.produce_all(house.topic, [record("new", n) for n in range(3)])
    await_that(lambda: b"was made anew" in house.worker.ready().body, "it is told")
    house.db.execute("SELECT bridge.resume_partition(cluster_id, topic, partition, 0)"
                     " FROM bridge.kafka_offsets WHERE topic = %s AND partition = 0", [house.topic])
    await_that(lambda: house.received("new") == 3, "the new one is read")
    house.close()
