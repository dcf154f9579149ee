"""The broker the other tests stand on: it keeps what it acknowledged, it comes back where it was, it ends."""

import pathlib

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from broker import CLIENT, Broker
from harness import PATIENCE, await_that

# Where Java's producers put these keys in four partitions: murmur2 without its sign, modulo 4. The hashes
# are -973932308, -790332482, -985981536, -1486304829 and -58897971.
JAVA_PLACES = {"21": 0, "foobar": 2, "a-little-bit-long-string": 0,
               "a-little-bit-longer-string": 3,
               "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": 1}


def answers(broker, timeout=0.5):
    """Asks on a connection that is there already."""
    try:
        return bool(broker.admin.list_topics(timeout=timeout).brokers)
    except KafkaException:
        return False


def test_no_topic_appears_by_being_asked_for(broker):
    with pytest.raises(KafkaException) as refused:
        broker.produce("nobody-made-this", "key", "value")
    assert refused.value.args[0].code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)
    assert not broker.partitions("nobody-made-this")
    assert broker.partitions(broker.topic(partitions=3)) == 3


def test_a_record_comes_back_as_it_was_sent(broker):
    topic = broker.topic()
    headers = [("name", b"\x00\xff"), ("name", b"again")]
    placed = broker.produce(topic, "simon", b"\x00value\xff", headers)
    tombstone = broker.produce(topic, "simon")
    odd = broker.produce(topic, None, "", {"one": b"1"}, partition=3 - placed[0])
    found = {record[:2]: record for record in broker.consume_all(topic)}
    assert found[placed][2:5] == (b"simon", b"\x00value\xff", headers)
    assert found[tombstone][2:5] == (b"simon", None, [])
    assert found[odd][2:5] == (None, b"", [("one", b"1")]) and odd == (3 - placed[0], 0)
    assert len(found) == 3


def test_keys_go_where_java_puts_them(broker):
    topic = broker.topic(partitions=4)
    assert {key: broker.produce(topic, key)[0] for key in JAVA_PLACES} == JAVA_PLACES


def test_kill_keeps_what_was_acknowledged(broker):
    topic = broker.topic()
    acked = broker.produce_all(topic, ((f"user{n % 7}", str(n)) for n in range(2000)))
    was, pid = broker.address, broker.pid()
    broker.kill()
    assert broker.pid() is None and not pathlib.Path(f"/proc/{pid}/exe").exists()
    assert not answers(broker)

    broker.start()
    assert broker.pid() not in (None, pid)
    assert (broker.dir / "address").read_text(encoding="ascii") == was + "\n"
    kept = {(record.partition, record.offset): record.value for record in broker.consume_all(topic)}
    assert kept == {where: str(n).encode() for n, where in enumerate(acked)}
    partition, offset = broker.produce(topic, "user0", "after")
    assert offset == sum(1 for p, _ in acked if p == partition), "the offsets go on"


def test_stopped_and_started(broker):
    topic = broker.topic()
    where = broker.produce(topic, "key", "value")
    broker.pause()
    broker.stop()
    assert broker.pid() is None, "a paused one stops too"
    broker.stop()
    broker.start()
    pid = broker.pid()
    broker.start()
    assert broker.pid() == pid, "starting a running one changes nothing"
    assert [record[:2] for record in broker.consume_all(topic)] == [where]


def test_paused_it_answers_nobody(broker):
    assert answers(broker, PATIENCE)
    broker.pause()
    assert not answers(broker)
    broker.cont()
    await_that(lambda: answers(broker), "it answers again")


def test_old_records_go(broker):
    topic = broker.topic(partitions=2)
    for partition in (0, 1):
        broker.produce_all(topic, [(None, str(n), None, partition) for n in range(10)])
    broker.delete_records(topic, {0: 4})
    assert broker.start_offsets(topic) == {0: 4, 1: 0}
    assert broker.end_offsets(topic) == {0: 10, 1: 10}
    assert len(broker.consume_all(topic)) == 16
    broker.expire(topic)
    assert broker.start_offsets(topic) == broker.end_offsets(topic) == {0: 10, 1: 10}
    broker.produce(topic, None, "new", partition=1)
    assert [record[:2] for record in broker.consume_all(topic)] == [(1, 10)]


def test_topics_grow_and_go(broker):
    topic = broker.topic(partitions=1)
    broker.produce(topic, "key", "first life")
    broker.grow(topic, 3)
    assert broker.end_offsets(topic) == {0: 1, 1: 0, 2: 0}
    broker.delete(topic)
    assert broker.partitions(topic) == 0
    broker.make(topic, partitions=2)
    assert broker.end_offsets(topic) == {0: 0, 1: 0}, "it is another topic of the same name"


def test_what_a_group_committed(broker):
    topic = broker.topic(partitions=3)
    assert broker.group_offsets(topic, topic) == {}
    consumer = broker.consumer(group=topic)
    consumer.commit(offsets=[TopicPartition(topic, 1, 42)], asynchronous=False)
    consumer.close()
    assert broker.group_offsets(topic, topic) == {1: 42}
    assert broker.group_offsets("another", topic) == {}


class TestWithPasswords:
    @pytest.fixture(scope="class")
    def guarded(self):
        made = Broker(sasl=True)
        yield made
        pid = made.pid()
        made.destroy()
        assert not pathlib.Path(f"/proc/{pid}/exe").exists(), "the broker has ended"
        assert not made.dir.exists()

    @staticmethod
    def errors_of(config):
        """The names of what goes wrong for a client until it is in or told why not."""
        errors = []
        client = Consumer({**config, "group.id": "nobody", "error_cb": lambda e: errors.append(e.name())})
        try:
            def settled():
                try:
                    return client.list_topics(timeout=0.1)
                except KafkaException:
                    client.poll(0)
                    return [name for name in errors if name in ("_AUTHENTICATION", "_SSL")]
            await_that(settled, "it gets in or is told why not")
        finally:
            client.close()
        return set(errors) - {"_ALL_BROKERS_DOWN", "_TRANSPORT"}

    @pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
    def test_password(self, guarded, mechanism):
        assert self.errors_of(guarded.sasl_client(mechanism)) == set()
        wrong = guarded.sasl_client(mechanism, **{"sasl.password": "wrong"})
        assert self.errors_of(wrong) == {"_AUTHENTICATION"}

    def test_certificate(self, guarded, tmp_path):
        other = tmp_path / "ca.pem"
        other.write_bytes(pathlib.Path("/etc/ssl/certs/ca-certificates.crt").read_bytes())
        config = guarded.sasl_client(**{"ssl.ca.location": str(other)})
        assert self.errors_of(config) == {"_SSL"}

    def test_without_tls_there_is_no_way_in(self, guarded):
        client = Consumer({**CLIENT, "bootstrap.servers": guarded.sasl("address"), "group.id": "nobody"})
        with pytest.raises(KafkaException):
            client.list_topics(timeout=1)
        client.close()
