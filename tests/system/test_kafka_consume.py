"""Out of Kafka into PostgreSQL: each record once, its offset with it."""

import json
import random

import pytest

from harness import await_that
from kafka_house import KafkaHouse, delivery, event_id, record


@pytest.fixture
def house(cluster, broker):
    made = KafkaHouse(cluster, broker)
    yield made
    made.close()


def test_records_of_foreign_producers_are_taken_in_once(house, broker):
    documents = [delivery(f"p{n % 7}", n) for n in range(300)]
    records = [(d["user_id"], json.dumps(d)) for d in documents]
    broker.produce_all(house.topic, records + records[:50])
    house.await_caught_up()
    assert house.stored() == {event_id(d): 1 for d in documents}
    assert house.broken() == [] and house.letters() == []
    # Each person's in the order of the topic.
    for user in ("p0", "p6"):
        ids = [row[0] for row in house.rows(
            "SELECT event_data->>'delivery_id' FROM events.replay_stream(%s)"
            " WHERE event_type = 'biometric_received'", f"user:{user}")]
        assert ids == [d["delivery_id"] for d in documents if d["user_id"] == user]
    metrics = house.worker.metrics()
    named = 'auren_kafka_messages_processed_total{status="%s",topic="' + house.topic + '"}'
    assert metrics[named % "applied"] == 300 and metrics[named % "duplicate"] == 50


def test_lag_tools_are_told(house, broker):
    broker.produce_all(house.topic, [record("lag", n) for n in range(10)])
    house.await_caught_up()
    ends = {p: offset for p, offset in broker.end_offsets(house.topic).items() if offset}
    await_that(lambda: broker.group_offsets(f"group.{house.topic}", house.topic) == ends,
               "Kafka knows the offsets")
    await_that(lambda: all(v == 0 for k, v in house.worker.metrics().items()
                           if k.startswith("auren_kafka_consumer_lag_messages")), "no lag is left")


def test_a_restart_goes_on_where_it_was(house, broker):
    broker.produce_all(house.topic, [record("ada", n) for n in range(20)])
    house.await_caught_up()
    assert house.worker.terminate() == 0
    broker.produce_all(house.topic, [record("ada", n) for n in range(20, 40)])
    house.start()
    house.await_caught_up()
    assert house.received("ada") == 40
    # Nothing was read twice: a second read would have been a duplicate.
    assert house.worker.metrics()[
        f'auren_kafka_messages_processed_total{{status="duplicate",topic="{house.topic}"}}'] == 0


BAD = [
    ("malformed", b"{not json", None),
    ("malformed", b"", None),
    ("malformed", b'{"source":"healthkit","delivery_id":"nul\\u0000","user_id":"u","readings":[]}', None),
    ("malformed", b'{"source":"\xff\xfe"}', None),
    ("malformed", b"[" * 100 + b"]" * 100, None),
    ("wrong_shape", b"[]", None),
    ("wrong_shape", b'"text"', None),
    ("wrong_shape", b'{"delivery_id":"1","user_id":"u","readings":[{"metric":"heart_rate"}]}', None),
    ("wrong_shape", b'{"source":"healthkit","delivery_id":"1","readings":[{"metric":"heart_rate"}]}', None),
    ("invalid_name", b'{"source":"Health Kit","delivery_id":"1","user_id":"u","readings":[{"metric":"x"}]}',
     None),
    ("no_usable_reading", b'{"source":"healthkit","delivery_id":"1","user_id":"u","readings":[]}', None),
    ("unknown_content_type", b"{}", {"content-type": "text/csv"}),
    ("unknown_content_type", b"{}", {"content-type": "application/cloudevents+json"}),
    ("empty_value", None, None),
]


def test_what_is_no_delivery_becomes_a_dead_letter_with_its_reason(house, broker):
    places = broker.produce_all(house.topic, [
        pair for n, (_, value, headers) in enumerate(BAD)
        for pair in ((f"bad{n}", value, headers), record("good", n))])
    house.await_caught_up()
    assert house.received("good") == len(BAD)
    expected = sorted((*places[2 * n], reason) for n, (reason, _, _) in enumerate(BAD))
    assert house.letters() == expected
    # As it came.
    for n, (_, value, headers) in enumerate(BAD):
        partition, offset = places[2 * n]
        row = house.rows('SELECT key, value, headers, detail FROM bridge.dead_letters'
                         ' WHERE (topic, partition, "offset") = (%s, %s, %s)', house.topic, partition, offset)
        assert row[0][0] == f"bad{n}".encode() and row[0][1] == value
        assert row[0][2] == [{"key": k, "value": v} for k, v in (headers or {}).items()]
        assert row[0][3]


def test_records_larger_than_a_fetch_come_through(house, broker):
    """Bytes that nothing compresses, more than `fetch.message.max.bytes`."""
    large = [random.Random(n).randbytes(900_000) for n in range(3)]
    broker.produce_all(house.topic, [pair for n, value in enumerate(large)
                                     for pair in ((f"large{n}", value), record("large", n))])
    house.await_caught_up()
    assert house.received("large") == len(large)
    assert house.rows("SELECT value FROM bridge.dead_letters ORDER BY key") == [(value,) for value in large]


def test_headers_that_are_no_text_are_kept(house, broker):
    broker.produce(house.topic, b"\x00\xff", b"nothing", [("bytes", b"\x00\x01"), ("nothing", None),
                                                         ("word", "ok"), ("word", "again")])
    house.await_caught_up()
    assert house.value("SELECT headers FROM bridge.dead_letters") == [
        {"key": "bytes", "base64": "AAE="}, {"key": "nothing", "value": None},
        {"key": "word", "value": "ok"}, {"key": "word", "value": "again"}]
    assert house.value("SELECT key FROM bridge.dead_letters") == b"\x00\xff"


def test_a_record_that_makes_postgresql_raise_costs_only_itself(house, broker):
    house.db.execute("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF new.value = 66 THEN RAISE data_exception USING MESSAGE = 'no 66 here'; END IF;
          RETURN new;
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON biometrics.biometric_events
          FOR EACH ROW EXECUTE FUNCTION refuse()""")
    broker.produce_all(house.topic, [record(f"q{n % 5}", n) for n in range(200)])
    house.await_caught_up()
    bad = [n for n in range(200) if n % 30 == 6]
    assert house.value("SELECT count(*) FROM events.event_store"
                       " WHERE event_type = 'biometric_received'") == 200 - len(bad)
    assert house.rows("SELECT reason, sqlstate, detail, count(*) FROM bridge.dead_letters"
                      " GROUP BY 1, 2, 3") == [
        ("sql_error", "22000", "no 66 here", len(bad))]
    assert house.broken() == []


def test_the_fuse_stops_a_partition_and_only_it(cluster, broker):
    house = KafkaHouse(cluster, broker, partitions=2)
    good = [("ok", json.dumps(delivery("ok", n)), None, 1) for n in range(30)]
    broker.produce_all(house.topic, [(None, "garbage", None, 0)] * 200 + good)
    await_that(lambda: house.worker.ready().status == 503, "the fuse blows")
    await_that(lambda: house.received("ok") == 30, "the other partition goes on")
    assert "kafka resume --partition 0" in house.worker.ready().body.decode()
    assert house.offsets()[0] < 50 and len(house.letters()) == house.offsets()[0]
    await_that(lambda: house.value("SELECT stopped_reason FROM bridge.kafka_offsets"
                                   " WHERE topic = %s AND partition = 0", house.topic) == "fuse",
               "the row says why")
    # The operator lets them pass; they are kept all the same.
    resumed = house.command("kafka", "resume", "--partition", "0")
    assert resumed.returncode == 0 and "goes on from offset" in resumed.stdout, resumed
    again = house.command("kafka", "resume", "--partition", "1")
    assert again.returncode == 1 and "is not stopped" in again.stderr, again
    house.await_caught_up()
    assert len(house.letters()) == 200
    house.worker.await_ready()
    house.close()


def test_retention_that_passed_us_stops_the_partition(cluster, broker):
    house = KafkaHouse(cluster, broker, partitions=1)
    broker.produce_all(house.topic, [record("ret", n) for n in range(10)])
    house.await_caught_up()
    assert house.worker.terminate() == 0
    broker.produce_all(house.topic, [record("ret", n) for n in range(10, 30)])
    broker.delete_records(house.topic, {0: 25})
    house.worker = house.worker.__class__(cluster.url(house.database), **house.options)
    await_that(lambda: b"records 10 to 24 were deleted" in house.worker.ready().body, "the gap is told")
    assert house.worker.ready().status == 503 and house.offsets() == {0: 10}
    assert house.received("ret") == 10
    refused = house.command("kafka", "resume", "--partition", "0")
    assert refused.returncode == 1 and "cannot go on from offset 10" in refused.stderr, refused
    resumed = house.command("kafka", "resume", "--partition", "0", "--at", "earliest")
    assert "goes on from offset 25" in resumed.stdout, resumed
    house.await_caught_up()
    assert house.received("ret") == 15
    house.worker.await_ready()
    house.close()


@pytest.mark.parametrize("refilled", [3, 40])
def test_a_recreated_topic_is_not_taken_for_the_old_one(cluster, broker, refilled):
    """With fewer records than were read the offset is out of range; with more, only their digest tells."""
    house = KafkaHouse(cluster, broker, partitions=1)
    broker.produce_all(house.topic, [record("old", n) for n in range(20)])
    house.await_caught_up()
    assert house.worker.terminate() == 0
    broker.delete(house.topic)
    broker.make(house.topic, 1)
    broker.produce_all(house.topic, [record("new", n) for n in range(refilled)])
    house.worker = house.worker.__class__(cluster.url(house.database), **house.options)
    await_that(lambda: b"was made anew" in house.worker.ready().body, "it is told")
    assert house.received("new") == 0
    assert house.command("kafka", "resume", "--partition", "0", "--at", "0").returncode == 0
    house.await_caught_up()
    assert house.received("new") == refilled and house.received("old") == 20
    house.close()


def test_new_partitions_are_read_from_their_beginning(cluster, broker):
    house = KafkaHouse(cluster, broker, partitions=1, env={
        "AUREN_KAFKA__PROPERTIES": "topic.metadata.refresh.interval.ms=500"})
    broker.produce_all(house.topic, [record("grow", n) for n in range(5)])
    house.await_caught_up()
    broker.grow(house.topic, 3)
    broker.produce_all(house.topic, [(*record("grow", n), None, n % 3) for n in range(5, 20)])
    house.await_caught_up()
    assert house.received("grow") == 20
    house.close()


def test_two_workers_share_the_partitions_and_one_takes_over_all(cluster, broker):
    house = KafkaHouse(cluster, broker, partitions=4)
    env = {**house.options["env"], "AUREN_KAFKA__INSTANCE_ID": "two"}
    second = house.worker.__class__(cluster.url(house.database), env=env).await_ready()

    def owners():
        return {row[0] for row in house.rows("SELECT DISTINCT owner FROM bridge.kafka_offsets"
                                             " WHERE topic = %s", house.topic)}
    await_that(lambda: owners() == {"one-0", "two-0"}, "both own some")
    broker.produce_all(house.topic, [record(f"s{n % 40}", n) for n in range(400)])
    house.await_caught_up()
    second.kill()
    broker.produce_all(house.topic, [record(f"s{n % 40}", n) for n in range(400, 800)])
    house.await_caught_up()
    assert owners() == {"one-0"}
    assert len(house.stored()) == 800 and set(house.stored().values()) == {1}
    house.close()


def test_postgresql_away_holds_the_topic_and_loses_nothing(cluster, broker):
    house = KafkaHouse(cluster, broker)
    broker.produce_all(house.topic, [record("away", n) for n in range(50)])
    house.await_caught_up()
    cluster.stop("immediate")
    broker.produce_all(house.topic, [record("away", n) for n in range(50, 100)])
    await_that(lambda: "postgres" in house.worker.ready().body.decode()
               and house.worker.ready().json["status"] != "ready", "it is noticed")
    cluster.restart_where_it_was()
    house.db = cluster.connect(house.database)
    house.await_caught_up()
    assert house.received("away") == 100 and set(house.stored().values()) == {1}
    house.worker.await_ready()
    house.worker.terminate()
