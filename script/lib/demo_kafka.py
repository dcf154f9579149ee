"""Checks that the demo's deliveries went through Kafka, and its events out to it.

    demo_kafka.py DATABASE_URL BROKER SENT_FILE OPS_URL

Waits until all that was sent is taken in and published, prints how much that was, and each check that failed;
exits 1 if any did.
"""

import pathlib
import re
import sys
import time
import urllib.request

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicPartition

PATIENCE = 60  # seconds: only ever waited for when something is broken
TOPIC, EVENTS = "biometric-events", "auren.events"


class Topics:
    """What lies in the topics now."""

    def __init__(self, broker):
        self.consumer = Consumer({"bootstrap.servers": broker, "group.id": "demo", "log_level": 0,
                                  "enable.auto.commit": False, "auto.offset.reset": "error"})

    def ends(self, topic):
        """{partition: offset of the next record}"""
        partitions = self.consumer.list_topics(topic, timeout=PATIENCE).topics[topic].partitions
        return {p: self.consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=PATIENCE)[1]
                for p in partitions}

    def headers(self, topic):
        """Of every record, in order within each partition, as dicts."""
        ends, found = self.ends(topic), []
        self.consumer.assign([TopicPartition(topic, p, 0) for p in ends])
        while len(found) < sum(ends.values()):
            message = self.consumer.poll(PATIENCE)
            if message is None or message.error():
                raise KafkaException(message and message.error())
            found.append({name: value.decode() for name, value in message.headers()})
        return found


def await_that(condition):
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


def lag(ops):
    """What the worker says it has still to take in."""
    with urllib.request.urlopen(f"{ops}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(float(n) for n in re.findall(r"^auren_kafka_consumer_lag_messages{.*} (\S+)$", text, re.M))


def main():
    url, broker, sent_file, ops = sys.argv[1:]
    sent = pathlib.Path(sent_file).read_text(encoding="utf-8")
    failed = []
    topics = Topics(broker)
    with psycopg.connect(url, autocommit=True) as conn:
        def offsets():
            return dict(conn.execute("SELECT partition, next_offset FROM bridge.kafka_offsets"
                                     " WHERE topic = %s", (TOPIC,)).fetchall())

        def stored():
            """(id, stream, version) of what the outbox publishes."""
            return set(conn.execute("SELECT event_id::text, stream_id, version::text FROM events.event_store"
                                    " WHERE stream_id LIKE 'user:%'").fetchall())

        ends = topics.ends(TOPIC)
        if re.search(r"^ *\d+ (?!queued)\w+ +\w+ +\w+ ", sent, re.M):
            failed.append("every webhook was answered queued")
        if not await_that(lambda: offsets() == ends):
            failed.append(f"the topic is taken in: offsets {offsets()}, ends {ends}")
        if not await_that(lambda: lag(ops) == 0):
            failed.append(f"no lag is left, {lag(ops)} is")
        if not await_that(lambda: sum(topics.ends(EVENTS).values()) >= len(stored())):
            failed.append("every event is published")
        published = [(h["ce_id"], h["ce_subject"], h["ce_streamversion"]) for h in topics.headers(EVENTS)]
        if set(published) != stored():
            failed.append(f"{EVENTS} has the events of the store, and nothing else")
        streams = {}
        for _, stream, version in published:
            streams.setdefault(stream, []).append(int(version))
        if any(versions != sorted(versions) for versions in streams.values()):
            failed.append("each stream is published in order")
    print(f"  {sum(ends.values())} records in {len(ends)} partitions of {TOPIC}, lag {lag(ops):.0f};"
          f" {len(published)} events published to {EVENTS}")
    for what in failed:
        print(f"  FAILED: {what}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
