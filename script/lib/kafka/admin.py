"""Asks a broker and makes topics, in a tenth of the time that Kafka's own tools take to start.

    admin.py await ADDRESS SECONDS PID CLUSTER        returns when the broker of the cluster with this id
                                                      answers; fails after SECONDS, or when process PID has
                                                      ended
    admin.py topics ADDRESS PARTITIONS NAME...        makes those that are not there, prints each it made
    admin.py list ADDRESS                             prints the topics and how many partitions each has

The system tests import `make_topics`.
"""

import pathlib
import sys
import time

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

PATIENCE = 60  # seconds: only ever waited for when something is broken


def admin_of(address):
    # The broker comes up within seconds: ask often. What librdkafka says while it is not there is no news.
    return AdminClient({"bootstrap.servers": address, "reconnect.backoff.ms": 20,
                        "reconnect.backoff.max.ms": 100, "log_level": 0, "socket.nagle.disable": True})


def answers(address, seconds, pid, cluster):
    """True as soon as the broker tells of itself, false after `seconds` or when it has ended.

    Another's broker may have the port: it is not the one that was started.
    """
    admin, end = admin_of(address), time.monotonic() + seconds
    while time.monotonic() < end and pathlib.Path(f"/proc/{pid}/exe").exists():
        try:
            found = admin.list_topics(timeout=1)
            if found.brokers and found.cluster_id == cluster:
                return True
            time.sleep(0.1)
        except KafkaException:
            pass
    return False


def make_topics(address, names, partitions, config=None):
    """Makes the topics that are not there and returns their names; with one node there is one replica."""
    wanted = [NewTopic(name, partitions, 1, config=config or {}) for name in names]
    made, admin = [], admin_of(address)  # kept: with the client go the answers that are still to come
    for name, future in admin.create_topics(wanted, operation_timeout=PATIENCE).items():
        try:
            future.result(PATIENCE)
            made.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    # Made is not known yet: the broker is its own controller's reader.
    end = time.monotonic() + PATIENCE
    while not all(led(admin, name) for name in names):
        if time.monotonic() > end:
            raise TimeoutError(f"{names}: not all partitions have a leader")
        time.sleep(0.01)
    return made


def led(admin, name):
    topic = admin.list_topics(name, timeout=PATIENCE).topics[name]
    return topic.partitions and not topic.error and all(p.leader >= 0 for p in topic.partitions.values())


def main():
    what, address, *rest = sys.argv[1:]
    if what == "await":
        return 0 if answers(address, float(rest[0]), *rest[1:]) else 1
    if what == "list":
        for name, topic in sorted(admin_of(address).list_topics(timeout=PATIENCE).topics.items()):
            print(f"{name} {len(topic.partitions)}")
        return 0
    for name in make_topics(address, rest[1:], int(rest[0])):
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
