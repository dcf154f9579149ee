"""Three workers on one topic: they share its partitions, and outlive one of them."""

import pytest

from harness import Worker, await_that
from kafka_house import KafkaHouse, delivery, event_id, record

NAMES = ["one", "two", "three"]
PARTITIONS = 6
PEOPLE = 40


class Three(KafkaHouse):
    """A house with two more workers. `others` are those."""

    def __init__(self, cluster, broker):
        self.others = []
        super().__init__(cluster, broker, partitions=PARTITIONS)
        for name in NAMES[1:]:
            env = {**self.options["env"], "AUREN_KAFKA__INSTANCE_ID": name}
            self.others.append(Worker(cluster.url(self.database), env=env).await_ready())

    def owned(self):
        """{worker: how many partitions}"""
        return dict(self.rows("SELECT split_part(owner, '-', 1), count(*) FROM bridge.kafka_offsets"
                              " WHERE topic = %s GROUP BY 1", self.topic))

    def processed(self, worker, status):
        return worker.metrics()[f'auren_kafka_messages_processed_total{{status="{status}",'
                                f'topic="{self.topic}"}}']

    @staticmethod
    def lag(worker):
        return sum(value for name, value in worker.metrics().items()
                   if name.startswith("auren_kafka_consumer_lag_messages"))

    def sequence(self, user):
        """The numbers of this person's deliveries, as their stream has them."""
        return [row[0] for row in self.rows(
            "SELECT split_part(event_data->>'delivery_id', '-', 2)::int FROM events.replay_stream(%s)"
            " WHERE event_type = 'biometric_received'", f"user:{user}")]

    def close(self):
        for worker in self.others:
            if worker.process.poll() is None:
                worker.terminate()
        super().close()


@pytest.fixture
def three(cluster, broker):
    made = Three(cluster, broker)
    yield made
    made.close()


def send(house, numbers):
    house.broker.produce_all(house.topic, [record(f"s{n % PEOPLE}", n) for n in numbers])


def assert_all_once_and_in_order(house, count):
    assert house.stored() == {event_id(delivery(f"s{n % PEOPLE}", n)): 1 for n in range(count)}
    assert house.broken() == [] and house.letters() == []
    for person in range(PEOPLE):
        assert house.sequence(f"s{person}") == list(range(person, count, PEOPLE)), person


def test_three_workers_share_the_partitions_and_the_work(three):
    await_that(lambda: three.owned() == {name: 2 for name in NAMES}, f"two each, not {three.owned()}")
    send(three, range(1200))
    three.await_caught_up()
    workers = [three.worker, *three.others]
    # What is counted is counted after the commit.
    await_that(lambda: sum(three.processed(w, "applied") for w in workers) == 1200, "all of it is counted")
    assert all(three.processed(w, "applied") > 0 for w in workers)
    assert all(three.processed(w, "duplicate") == 0 for w in workers)
    assert_all_once_and_in_order(three, 1200)


def test_the_others_take_over_from_one_that_is_killed(three):
    await_that(lambda: three.owned() == {name: 2 for name in NAMES}, f"two each, not {three.owned()}")
    victim = three.others[0]
    send(three, range(4000))
    await_that(lambda: three.processed(victim, "applied") > 0, "the victim is at work")
    victim.kill()
    send(three, range(4000, 6000))
    three.await_caught_up()
    assert three.owned() == {"one": 3, "three": 3}
    assert_all_once_and_in_order(three, 6000)


def test_a_worker_that_joins_takes_its_share(cluster, three):
    assert three.others.pop().terminate() == 0
    await_that(lambda: set(three.owned()) == {"one", "two"}, "two share them")
    send(three, range(6000))
    env = {**three.options["env"], "AUREN_KAFKA__INSTANCE_ID": "four"}
    three.others.append(Worker(cluster.url(three.database), env=env).await_ready())
    await_that(lambda: three.owned().get("four", 0) == 2, f"the new one owns two, not {three.owned()}")
    send(three, range(6000, 7000))
    three.await_caught_up()
    assert_all_once_and_in_order(three, 7000)
    # What was another's in the meantime is no lag of the former owner's.
    await_that(lambda: all(three.lag(w) == 0 for w in [three.worker, *three.others]), "no lag is left")
