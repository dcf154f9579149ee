"""Dead letters of Kafka records are copied to a topic, with the headers Kafka Connect's tools know."""

import json

import pytest

from harness import await_that


@pytest.fixture
def mirrored(broker, new_house):
    """A house in Kafka mode, with topics of its own."""
    def make():
        topic, dlq = broker.topic("readings"), broker.topic("readings.dlq", partitions=1)
        house = new_house(env={"KAFKA_BOOTSTRAP_SERVERS": broker.address, "AUREN_INGEST__MODE": "kafka",
                               "AUREN_KAFKA__TOPIC": topic, "AUREN_KAFKA__DLQ_TOPIC": dlq})
        return house, topic, dlq
    return make


def add(house, topic, offset, value=b"{", key=b"ann", reason="malformed", headers=None, **more):
    return house.value(
        "SELECT bridge.add_dead_letter(%s, %s, %s, p_key => %s, p_headers => %s, p_partition => 3,"
        " p_offset => %s, p_sqlstate => %s, p_detail => %s)", topic, value, reason, key,
        json.dumps(headers) if headers is not None else None, offset, more.get("sqlstate"),
        more.get("detail"))


def await_mirrored(house, broker, dlq):
    await_that(lambda: not house.value("SELECT count(*) FROM bridge.dead_letters"
                                       " WHERE mirrored_at IS NULL AND partition IS NOT NULL"),
               "every letter is mirrored")
    return broker.consume_all(dlq)


def test_a_letter_comes_with_what_it_was_and_why(mirrored, broker):
    house, topic, dlq = mirrored()
    letter = add(house, topic, 41, value=b"\x00\xff{", key=b"\xfe", sqlstate="22P02", detail="not JSON",
                 headers=[{"key": "ce_id", "value": "Zoë"}, {"key": "raw", "base64": "AP8="},
                          {"key": "ce_id", "value": "2"}, {"key": "none", "value": None}])
    [record] = await_mirrored(house, broker, dlq)
    assert (record.key, record.value) == (b"\xfe", b"\x00\xff{")
    assert record.headers[:4] == [("ce_id", "Zoë".encode()), ("raw", b"\x00\xff"), ("ce_id", b"2"),
                                  ("none", None)]
    first_seen, millis = house.rows(
        "SELECT to_char(first_seen AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
        " floor(extract(epoch FROM first_seen) * 1000)::bigint FROM bridge.dead_letters")[0]
    assert record.timestamp == millis
    assert {name: value.decode() for name, value in record.headers[4:]} == {
        "__connect.errors.topic": topic, "__connect.errors.partition": "3",
        "__connect.errors.offset": "41", "__connect.errors.connector.name": "auren-worker",
        "__connect.errors.task.id": "0", "__connect.errors.stage": "VALUE_CONVERTER",
        "__connect.errors.class.name": "auren.kafka.Codec",
        "__connect.errors.exception.class.name": "malformed",
        "__connect.errors.exception.message": "not JSON",
        "auren.dlq.id": str(letter), "auren.dlq.sqlstate": "22P02", "auren.dlq.attempts": "1",
        "auren.dlq.first_seen": first_seen}


def test_null_keys_and_values_and_letters_of_webhooks(mirrored, broker):
    house, topic, dlq = mirrored()
    house.db.execute("SELECT bridge.add_dead_letter('http:/webhooks/oura', '{', 'malformed')")
    empty = add(house, topic, 1, value=None, key=None, reason="empty_value")
    refused = add(house, topic, 2, value=b"{}", reason="wrong_shape")
    records = {dict(r.headers)["auren.dlq.id"].decode(): r for r in await_mirrored(house, broker, dlq)}
    assert set(records) == {str(empty), str(refused)}
    assert records[str(empty)].key is None and records[str(empty)].value is None
    assert dict(records[str(refused)].headers)["__connect.errors.stage"] == b"TASK_PUT"


def test_a_letter_too_large_for_the_topic_comes_without_its_value(mirrored, broker):
    house, topic, dlq = mirrored()
    broker.configure(dlq, max_message_bytes=20000, compression_type="uncompressed")
    letter = add(house, topic, 1, value=bytes(range(256)) * 200)
    records = await_mirrored(house, broker, dlq)
    assert [dict(r.headers)["auren.dlq.id"].decode() for r in records] == [str(letter)]
    assert records[0].value is None and dict(records[0].headers)["auren_truncated"] == b"too_large"


def test_nothing_is_missing_after_the_worker_and_the_broker_were_killed(mirrored, broker):
    house, topic, dlq = mirrored()
    letters = {str(add(house, topic, offset)) for offset in range(300)}
    broker.kill()
    letters |= {str(add(house, topic, offset)) for offset in range(300, 600)}
    house.worker.kill()
    broker.start()
    house.start()
    records = await_mirrored(house, broker, dlq)
    assert {dict(r.headers)["auren.dlq.id"].decode() for r in records} == letters
    first = {}
    for record in records:  # a repeat is equal
        same = first.setdefault(dict(record.headers)["auren.dlq.id"], record)
        assert (same.key, same.value, same.headers) == (record.key, record.value, record.headers)
