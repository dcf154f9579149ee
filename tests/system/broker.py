"""A private Kafka broker for the tests, started through script/lib/kafka.sh, and a client's view of it.

    broker.start() stop() kill() pause() cont()    the same address throughout, the records stay
    broker.topic("readings", partitions=4)         makes a topic of that name with a number to it: its name
    broker.produce(topic, key, value, headers)     (partition, offset), when it is acknowledged
    broker.consume_all(topic)                      every record the topic has now, in order by partition
    broker.start_offsets(topic) end_offsets(topic) group_offsets(group, topic)     {partition: offset}

The client is librdkafka's; a key goes to the partition Java's producers would choose.
"""

import collections
import itertools
import json
import os
import pathlib
import signal
import sys

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import ConfigResource, NewPartitions

from harness import PATIENCE, ROOT, await_that, shell

sys.path.insert(0, str(ROOT / "script/lib/kafka"))

from admin import admin_of, make_topics  # noqa: E402  (the path above must come first)

Record = collections.namedtuple("Record", "partition offset key value headers timestamp")

# What is not there yet is asked for soon again, and in silence.
CLIENT = {"reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100, "socket.nagle.disable": True,
          "log_level": 0}


class Broker:
    numbers = itertools.count(1)

    def __init__(self, *, sasl=False, settings=()):
        self.dir = pathlib.Path(shell("place")) / f"kafka.{os.getpid()}.{next(self.numbers)}"
        self.settings = [word for setting in settings for word in ("-c", setting)]
        shell("kafka_init", self.dir, *(["--sasl"] if sasl else []))
        self.address = shell("kafka_address", self.dir)
        try:
            self.start()
        except RuntimeError:
            self.destroy()
            raise
        self.admin = admin_of(self.address)
        self.producer = Producer({
            **self.client(), "acks": "all", "partitioner": "murmur2_random", "linger.ms": 0,
            "message.timeout.ms": PATIENCE * 1000, "topic.metadata.refresh.fast.interval.ms": 20,
            "topic.metadata.propagation.max.ms": 1000})

    # The process.

    def start(self):
        """Starts it unless it runs; returns when it answers."""
        shell("kafka_start", self.dir, *self.settings)

    def stop(self):
        shell("kafka_stop", self.dir)

    def kill(self):
        """kill -9; returns when it has gone."""
        shell("kafka_kill", self.dir)

    def pid(self):
        """Its process, None when it does not run."""
        try:
            return int(shell("kafka_pid", self.dir))
        except RuntimeError:
            return None

    def pause(self):
        """Connections stay, nothing is answered."""
        os.kill(self.pid(), signal.SIGSTOP)

    def cont(self):
        os.kill(self.pid(), signal.SIGCONT)

    def revive(self):
        """Runs and answers, whatever a test has done to it."""
        if self.pid() is not None:
            self.cont()
        self.start()

    def destroy(self):
        shell("kafka_destroy", self.dir)

    # How a client gets in.

    def client(self, **more):
        return {**CLIENT, "bootstrap.servers": self.address, **more}

    def sasl(self, name):
        """What DIR/sasl has: address, user, password; "ca.pem" as it is there."""
        return (self.dir / "sasl" / name).read_text(encoding="ascii").strip()

    def sasl_client(self, mechanism="PLAIN", **more):
        return {**CLIENT, "bootstrap.servers": self.sasl("address"), "security.protocol": "SASL_SSL",
                "ssl.ca.location": str(self.dir / "sasl/ca.pem"), "sasl.mechanism": mechanism,
                "sasl.username": self.sasl("user"), "sasl.password": self.sasl("password"), **more}

    # Topics.

    def topic(self, name="topic", partitions=4, **config):
        """Makes one that no other test has. `config` with _ for the dots: retention_ms=1000."""
        name = f"{name}.{next(self.numbers)}"
        return self.make(name, partitions, **config)

    def make(self, name, partitions=4, **config):
        made = make_topics(self.address, [name], partitions,
                           {key.replace("_", "."): str(value) for key, value in config.items()})
        assert made, f"{name} is there already"
        # librdkafka 2.0 takes a second to ask for a topic it meets in produce(), unless it was told of it.
        self.producer.list_topics(name, timeout=PATIENCE)
        return name

    def partitions(self, topic):
        """How many the topic has, 0 when it is not there."""
        found = self.admin.list_topics(timeout=PATIENCE).topics.get(topic)
        return len(found.partitions) if found else 0

    def delete(self, topic):
        self._done(self.admin.delete_topics([topic], operation_timeout=PATIENCE))
        await_that(lambda: not self.partitions(topic), f"{topic} goes")

    def grow(self, topic, partitions):
        """More partitions: from now on keys may go elsewhere."""
        self._done(self.admin.create_partitions([NewPartitions(topic, partitions)]))
        await_that(lambda: self.partitions(topic) == partitions, f"{topic} grows")
        self.producer.list_topics(topic, timeout=PATIENCE)  # it may be sent to from now on

    def configure(self, topic, **config):
        """Replaces what the topic has of its own, as in topic()."""
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        for key, value in config.items():
            resource.set_config(key.replace("_", "."), str(value))
        self._done(self.admin.alter_configs([resource]))

    def expire(self, topic):
        """What retention does: every record the topic has now is deleted, the offsets go on."""
        self.configure(topic, retention_ms=1)
        await_that(lambda: self.start_offsets(topic) == self.end_offsets(topic), f"{topic} is empty")
        self.configure(topic)

    def delete_records(self, topic, before):
        """Deletes what lies before the offsets {partition: offset}."""
        wanted = self.dir / "delete-records.json"
        wanted.write_text(json.dumps({"version": 1, "partitions": [
            {"topic": topic, "partition": partition, "offset": offset}
            for partition, offset in before.items()]}), encoding="ascii")
        shell("kafka_tool", "org.apache.kafka.tools.DeleteRecordsCommand",
              "--bootstrap-server", self.address, "--offset-json-file", wanted)

    @staticmethod
    def _done(futures):
        for future in futures.values():
            future.result(PATIENCE)

    # Records.

    def produce(self, topic, key=None, value=None, headers=None, partition=None):
        """One record. Text is sent as UTF-8; `headers` is a dict, or pairs where a name comes twice."""
        return self.produce_all(topic, [(key, value, headers, partition)])[0]

    def produce_all(self, topic, records):
        """Many at once: (key, value[, headers[, partition]]) each; their (partition, offset) when the last
        one is acknowledged."""
        acked = {}

        def told(number):
            def keep(error, message):
                acked[number] = error or (message.partition(), message.offset())
            return keep

        count = 0
        for key, value, *more in records:
            headers, partition = (*more, None, None)[:2]
            if isinstance(headers, dict):
                headers = list(headers.items())
            where = {} if partition is None else {"partition": partition}
            while True:
                try:
                    self.producer.produce(topic, value, key, headers=headers or [],
                                          on_delivery=told(count), **where)
                    break
                except BufferError:
                    self.producer.poll(0.1)
            count += 1
        self.producer.flush(PATIENCE)
        assert len(acked) == count, f"{count - len(acked)} of {count} records were not acknowledged"
        for answer in acked.values():
            if isinstance(answer, KafkaError):
                raise KafkaException(answer)
        return [acked[number] for number in range(count)]

    def consumer(self, group="nobody", **more):
        """One that commits nothing by itself."""
        return Consumer(self.client(**{"group.id": group, "enable.auto.commit": False,
                                       "enable.partition.eof": True, "auto.offset.reset": "error",
                                       "fetch.wait.max.ms": 10, **more}))

    def consume_all(self, topic):
        starts, ends = self.start_offsets(topic), self.end_offsets(topic)
        left = {p for p in ends if starts[p] < ends[p]}
        consumer, found = self.consumer(), []
        try:
            consumer.assign([TopicPartition(topic, p, starts[p]) for p in left])
            while left:
                message = consumer.poll(PATIENCE)
                assert message is not None, f"nothing more of {topic} comes, {left} are still to be read"
                error = message.error()
                if error and error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                partition = message.partition()
                if error or message.offset() + 1 >= ends[partition]:
                    left.discard(partition)
                if not error and message.offset() < ends[partition]:
                    found.append(Record(partition, message.offset(), message.key(), message.value(),
                                        message.headers() or [], message.timestamp()[1]))
        finally:
            consumer.close()
        return sorted(found)

    def _watermarks(self, topic, which):
        consumer = self.consumer()

        def found():
            try:
                return [(p, *consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=PATIENCE))
                        for p in range(self.partitions(topic))] or [None]
            except KafkaException as error:
                # A partition that was made a moment ago is in the metadata before it has opened its log.
                if error.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION:
                    raise
                return None
        try:
            marks = await_that(found, f"{topic} tells its offsets")
            return {each[0]: each[1 + which] for each in marks if each}
        finally:
            consumer.close()

    def start_offsets(self, topic):
        """Of the oldest record there is, or of the next to come."""
        return self._watermarks(topic, 0)

    def end_offsets(self, topic):
        """Of the next record to come."""
        return self._watermarks(topic, 1)

    def group_offsets(self, group, topic):
        """Where the group would go on; a partition it committed nothing for is not named."""
        consumer = self.consumer(group)
        try:
            found = consumer.committed([TopicPartition(topic, p) for p in range(self.partitions(topic))],
                                       timeout=PATIENCE)
        finally:
            consumer.close()
        return {each.partition: each.offset for each in found if each.offset != OFFSET_INVALID}
