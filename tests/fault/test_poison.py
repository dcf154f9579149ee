"""What cannot be taken in, among what can: each a dead letter once, by its place; its neighbours stay."""

import itertools
import json

import pytest
from confluent_kafka import Producer

from harness import await_that
from kafka_house import delivery
from ledger import BAD

MIB = 1 << 20


def large(number):
    """A good delivery, as large as a value may be."""
    document = {**delivery("large", number), "pad": ""}
    document["pad"] = "x" * (MIB - len(json.dumps(document)))
    return json.dumps(document).encode()


# Reason, and value.
POISON = [
    (b"malformed", b"{not json"),
    (b"malformed", b""),
    (b"malformed", b'{"source":"healthkit","delivery_id":"nul\\u0000","user_id":"u","readings":[]}'),
    (b"malformed", b'{"source":"healthkit","delivery_id":"\x00","user_id":"u","readings":[]}'),
    (b"malformed", b'{"source":"\xff\xfe\x80"}'),
    (b"malformed", b'{"a":' * 2000 + b"1" + b"}" * 2000),
    (b"malformed", b"[" * 100000),
    (b"wrong_shape", b'[{"source":"healthkit"}]'),
    (b"wrong_shape", b'"' + b"y" * (MIB - 2) + b'"'),
    (b"too_large", b"z" * (MIB + 1)),
    (b"empty_value", None),
]


def produce(bridge, ledger, records):
    """As Broker.produce_all, for records of any size."""
    producer = Producer(bridge.broker.client(**{
        "message.max.bytes": 16 * MIB, "partitioner": "murmur2_random", "enable.idempotence": True}))
    failed = []

    def told(error, message):
        if error:
            failed.append(error)
        else:
            ledger.acked(message.partition(), message.offset())
    for key, value, *headers in records:
        producer.produce(bridge.topic, value, key, headers=headers, on_delivery=told)
        producer.poll(0)
    assert producer.flush(60) == 0 and failed == []


@pytest.mark.parametrize("share", [0.001, 0.05])
def test_some(new_bridge, broker, dice, share):
    topic = broker.topic("poison", 4, max_message_bytes=16 * MIB)
    bridge, ledger = new_bridge(topic=topic, AUREN_INGEST__MAX_BATCH_DELIVERIES=None)
    count = 3000
    bad = set(dice.sample(range(count), max(len(POISON), round(count * share))))
    records, poison = [("large", large(1))], itertools.cycle(POISON)
    for n in range(count):
        if n in bad:
            reason, value = next(poison)
            records.append((f"p{n % 20}", value, (BAD, reason)))
        else:
            records.append((f"p{n % 20}", json.dumps(delivery(f"p{n % 20}", n))))
    produce(bridge, ledger, records)
    bridge.await_caught_up()
    ledger.check()
    counts = ledger.check_counts()
    assert counts == {"applied": count + 1 - len(bad), "duplicate": 0, "dead_letter": len(bad)}
    assert bridge.worker.ready().status == 200


def test_all(new_bridge, broker):
    """A fault of whoever deploys: nothing is drained, the partitions stand, and go on when they are let."""
    bridge, ledger = new_bridge(partitions=2)
    produce(bridge, ledger, [(f"p{n}", POISON[n % 5][1], (BAD, b"")) for n in range(600)])
    await_that(lambda: bridge.rows("SELECT count(*) FROM bridge.kafka_offsets WHERE stopped_reason = 'fuse'"
                                   " AND topic = %s", bridge.topic) == [(2,)], "both fuses blow")
    await_that(lambda: bridge.worker.ready().status == 503, "it is told")
    assert "kafka resume" in bridge.worker.ready().body.decode()
    # No more than the fuse lets pass before it blows.
    assert all(offset < 50 for offset in bridge.offsets().values())
    assert len(bridge.letters()) == bridge.taken()
    bridge.db.execute("SELECT bridge.resume_partition(cluster_id, topic, partition)"
                      " FROM bridge.kafka_offsets WHERE topic = %s", [bridge.topic])
    bridge.await_caught_up()
    ledger.check()
