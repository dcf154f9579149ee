"""A house whose worker takes deliveries in from Kafka, and the records to give it."""

import json
import uuid

from harness import await_that, run_command
from house import House

NAMESPACE = uuid.UUID("334c9f40-9714-586f-adfd-1aa731602170")


def kafka_env(broker, topic, **more):
    return {
        "AUREN_INGEST__MODE": "kafka",
        "KAFKA_BOOTSTRAP_SERVERS": broker.address,
        "AUREN_KAFKA__TOPIC": topic,
        "AUREN_KAFKA__GROUP_ID": f"group.{topic}",
        "AUREN_KAFKA__INSTANCE_ID": "one",
        **more,
    }


class KafkaHouse(House):
    """One topic, one group. `env` adds to and overrides the worker's environment."""

    def __init__(self, cluster, broker, topic=None, partitions=4, env=None, **options):
        self.broker = broker
        self.topic = topic or broker.topic("readings", partitions)
        super().__init__(cluster, env=kafka_env(broker, self.topic, **(env or {})), **options)

    def offsets(self):
        """{partition: next offset} as PostgreSQL has them."""
        return dict(self.rows("SELECT partition, next_offset FROM bridge.kafka_offsets WHERE topic = %s",
                              self.topic))

    def caught_up(self):
        ends = self.broker.end_offsets(self.topic)
        return self.offsets() == ends

    def await_caught_up(self):
        await_that(self.caught_up, f"all of {self.topic} is taken in; offsets {self.offsets()}, "
                   f"ends {self.broker.end_offsets(self.topic)}, ready {self.worker.ready()}; log:\n"
                   + "\n".join(self.worker.lines[-20:]))
        return self

    def command(self, *words):
        """A command of the worker's, in its environment."""
        return run_command(self.worker.env, *words)

    def letters(self):
        """(partition, offset, reason) of the dead letters."""
        return self.rows('SELECT partition, "offset", reason FROM bridge.dead_letters'
                         " WHERE topic = %s ORDER BY 1, 2", self.topic)

    def stored(self):
        """{event id: how often} of the deliveries in the store."""
        return dict(self.rows("SELECT event_id::text, count(*) FROM events.event_store"
                              " WHERE event_type = 'biometric_received' GROUP BY 1"))


def delivery(user, number, *readings, source="healthkit"):
    """A delivery as a foreign producer would write it."""
    return {"source": source, "delivery_id": f"{user}-{number}", "user_id": user,
            "readings": list(readings) or [{"metric": "heart_rate", "value": 60 + number % 30,
                                            "unit": "/min", "start": "2026-01-27T10:30:00Z"}]}


def event_id(document):
    return str(uuid.uuid5(NAMESPACE, f"{document['source']}/{document['delivery_id']}"))


def record(user, number, *readings):
    """(key, value) for Broker.produce_all."""
    return user, json.dumps(delivery(user, number, *readings))
