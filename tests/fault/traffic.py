"""A foreign producer: deliveries of a few people straight to the topic, one after the other for each."""

import json
import random
import threading
import time

from confluent_kafka import Producer

from harness import await_that
from kafka_house import delivery
from ledger import BAD

GARBAGE = (b"{not json", b"\xff\xfe", b"[]", b"", b'"text"', b"[" * 2000 + b"]" * 2000)


class Traffic:
    """`repeats` and `bad` are shares of 1: a record once more, and one that is no delivery."""

    PEOPLE = 12

    def __init__(self, bridge, ledger, dice, repeats=0.02, bad=0.01, burst=30):
        self.bridge, self.ledger = bridge, ledger
        self.dice = random.Random(dice.randrange(1 << 32))
        self.repeats, self.bad, self.burst = repeats, bad, burst
        self.sent = 0
        self.failed = []  # told by the broker that it was not stored, or not told in time
        self.errors = []
        self.stopping = threading.Event()
        # A broker that dies is waited for: what was sent is sent again, in its order.
        self.producer = Producer(bridge.broker.client(**{
            "enable.idempotence": True, "partitioner": "murmur2_random", "linger.ms": 2,
            "message.timeout.ms": 120000, "topic.metadata.refresh.fast.interval.ms": 20}))
        self.producer.list_topics(bridge.topic, timeout=60)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _told(self, error, message):
        if error:
            self.failed.append(error)
        else:
            self.ledger.acked(message.partition(), message.offset())

    def _run(self):
        last = None
        try:
            while not self.stopping.is_set():
                for _ in range(self.dice.randint(1, self.burst)):
                    user = f"person{self.dice.randrange(self.PEOPLE)}"
                    chance = self.dice.random()
                    if chance < self.bad:
                        key, value, headers = user, self.dice.choice(GARBAGE), [(BAD, b"")]
                    elif last and chance < self.bad + self.repeats:
                        key, value, headers = last
                    else:
                        key, value, headers = last = user, json.dumps(delivery(user, self.sent)), []
                    self.producer.produce(self.bridge.topic, value, key, headers=headers,
                                          on_delivery=self._told)
                    self.sent += 1
                self.producer.poll(0)
                while len(self.producer) > 1000 and not self.stopping.is_set():
                    self.producer.poll(0.05)
                time.sleep(0.01)  # the rate; nothing is inferred from it
        except Exception as error:  # shown by finish(): it must not end in silence
            self.errors.append(error)

    def progress(self, dice, least=100, most=800):
        """Waits until a random number of records more are acknowledged: the moment of the blow."""
        goal = self.ledger.count() + dice.randint(least, most)
        await_that(lambda: self.ledger.count() >= goal or self.errors, f"{goal} records are acknowledged")

    def finish(self):
        """Sends no more; returns when the broker has told of all."""
        self.stopping.set()
        self.thread.join()
        assert self.producer.flush(120) == 0, "the broker does not answer"
        assert self.errors == [] and self.failed == []
