"""From the kill -9 of the worker, of PostgreSQL or of the broker, which is started again at once, to the
first commit of a record that was acknowledged after it; and from the kill of one of two workers to the
commit, by the other, in every partition that the dead one had. Records come all the time, a hundred a second.

PostgreSQL is another one than the other benchmarks', so that it can be killed.
"""

import itertools
import threading
import time

import harness
from kafka_house import KafkaHouse, kafka_env, record

from kafka_parts import PARTITIONS, a_broker
from report import ROUNDS, at_most, single, table

TIMES = min(ROUNDS, 3)
# A killed broker that is back is let in by the controller when its old session has ended: with two seconds,
# as in the tests, it waits for more than three.
LONE_BROKER = ["broker.session.timeout.ms=1000", "broker.heartbeat.interval.ms=250"]
SETTINGS = ["-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "shared_buffers=512MB"]


class Feed:
    """Records for many people, all the time, whatever happens to the broker."""

    def __init__(self, broker, topic):
        self.broker, self.topic = broker, topic
        self.ends = {}  # by partition, of what was acknowledged
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        for number in itertools.count():
            if self.ended.wait(0.01):
                return
            key, value = record(f"person-{number % 100}", number)
            try:
                self.broker.producer.produce(self.topic, value, key, on_delivery=self.told)
            except BufferError:
                pass
            self.broker.producer.poll(0)

    def told(self, error, message):
        if not error:
            self.ends[message.partition()] = message.offset() + 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def offsets(house):
    """By partition; empty while PostgreSQL is away."""
    try:
        return house.offsets()
    except harness.psycopg.OperationalError:
        house.db.close()
        try:
            house.db = house.cluster.connect(house.database)
        except harness.psycopg.OperationalError:
            pass
        return {}


def goes_on(house, before, partitions=range(PARTITIONS)):
    """Those of the partitions in which more is committed than `before`."""
    now = offsets(house)
    return [p for p in partitions if now.get(p, 0) > before.get(p, 0)]


def await_all(house, feed):
    before = dict(feed.ends)
    harness.await_that(lambda: len(goes_on(house, before)) == PARTITIONS, "all partitions are taken in")


def recovery(house, feed, kill, restart):
    """Seconds from the kill: to the end of the restart, to the first commit after it."""
    await_all(house, feed)
    begun = time.monotonic()
    kill()
    before = dict(feed.ends)
    restart()
    up = time.monotonic() - begun
    harness.await_that(lambda: goes_on(house, before), "it goes on")
    return up, time.monotonic() - begun


def takeover(house, feed):
    """Seconds from the kill of one of two workers until the other has committed in all its partitions."""
    other = harness.Worker(house.cluster.url(house.database), env=kafka_env(
        feed.broker, house.topic, AUREN_KAFKA__INSTANCE_ID="two")).await_ready()
    try:
        def of_the_other():
            return {p for (p,) in house.rows(
                "SELECT partition FROM bridge.kafka_offsets WHERE topic = %s AND owner LIKE 'two%%'",
                house.topic)}
        theirs = harness.await_that(lambda: len(of_the_other()) == PARTITIONS // 2 and of_the_other(),
                                    "two workers share the partitions")
        await_all(house, feed)
        begun = time.monotonic()
        other.kill()
        before = dict(feed.ends)
        harness.await_that(lambda: len(goes_on(house, before, theirs)) == len(theirs), "it takes over")
        return time.monotonic() - begun
    finally:
        if other.process.poll() is None:
            other.kill()


def run():
    table("from the kill to the first commit, the worker's instance id unchanged", "s")
    cluster = harness.Cluster()
    try:
        cluster.stop()
        cluster.settings = SETTINGS
        cluster.restart_where_it_was()
        with a_broker(LONE_BROKER) as broker:
            house = KafkaHouse(cluster, broker, partitions=PARTITIONS)
            with Feed(broker, house.topic) as feed:
                for what, kill, restart, goal in (
                        ("worker", lambda: house.worker.kill(), house.start, 5),
                        ("PostgreSQL", cluster.kill, cluster.restart_where_it_was, 5),
                        ("broker", broker.kill, broker.start, 5)):
                    got = [recovery(house, feed, kill, restart) for _ in range(TIMES)]
                    single(f"{what} killed, started again", [each[1] for each in got], at_most(goal))
                    single("  of which until it is up", [each[0] for each in got])
                single("another worker takes over", [takeover(house, feed) for _ in range(TIMES)],
                       at_most(12))
            house.close()
    finally:
        cluster.destroy()
