"""The answer to COMMIT never comes: the batch has one effect, whatever became of it."""

import pytest

from bodies import sample, samples
from harness import Worker, await_that
from house import House
from kafka_house import record
from proxy import Proxy

PASSWORD = "of-the-proxy-test"


@pytest.fixture
def proxy(cluster):
    with cluster.connect("postgres") as conn:
        conn.execute(f"ALTER ROLE {cluster.ROLE} PASSWORD '{PASSWORD}'")
    made = Proxy("127.0.0.1", cluster.port)
    yield made
    made.close()


def through(cluster, proxy):
    return lambda database: (f"postgresql://{cluster.ROLE}:{PASSWORD}@127.0.0.1:{proxy.port}/{database}"
                             "?sslmode=disable&gssencmode=disable")


def test_consumer(proxy, new_bridge, cluster, broker, rounds):
    bridge, ledger = new_bridge(url=through(cluster, proxy))
    number = 0
    for _ in range(rounds):
        proxy.swallow("COMMIT")
        records = [record(f"silent{n % 5}", number + n) for n in range(40)]
        number += len(records)
        for place in broker.produce_all(bridge.topic, records):
            ledger.acked(*place)
        assert proxy.swallowed.wait(60), "a batch was committed"
        before = bridge.taken()
        assert before > 0, "it is in the store, and nobody has been told"
        proxy.cut()
        bridge.await_caught_up()
    assert bridge.said("one", "the commit that was not answered had happened")
    assert bridge.processed()["duplicate"] == 0, "it was taken in again"
    ledger.check()


def test_connection_is_lost_before_commit(proxy, new_bridge, cluster, broker, rounds):
    """The other outcome that looks the same from outside: COMMIT never came to the server."""
    bridge, ledger = new_bridge(url=through(cluster, proxy))
    number = 0
    for _ in range(rounds):
        proxy.swallow("ingest_batch")
        before = bridge.taken()
        records = [record(f"silent{n % 5}", number + n) for n in range(40)]
        number += len(records)
        for place in broker.produce_all(bridge.topic, records):
            ledger.acked(*place)
        assert proxy.swallowed.wait(60), "a batch was sent"
        assert bridge.taken() == before
        proxy.cut()
        bridge.await_caught_up()
    ledger.check()


@pytest.fixture
def distant(cluster, proxy):
    """In direct mode."""
    class Distant(House):
        def start(self):
            url = through(cluster, proxy)(self.database)
            self.worker = Worker(url, env={"AUREN_HTTP__DEADLINE": "1s"}).await_ready()

    made = Distant(cluster)
    yield made
    made.close()


def test_webhook(distant, proxy, rounds):
    """The sender is told 503 within its deadline; what it sends again is a duplicate."""
    for number in range(rounds):
        body = samples("far", sample("heartRate", 60, n=number))
        proxy.swallow("ingest_batch")
        assert distant.worker.post("healthkit", body).status == 503
        assert proxy.swallowed.wait(60)
        await_that(lambda stored=number + 1: distant.received("far") == stored, "it is stored all the same")
        proxy.cut()

        def taken(body=body):
            answer = distant.worker.post("healthkit", body)
            assert answer.status in (202, 503), answer
            return answer.status == 202 and answer.json
        assert await_that(taken, "it is taken when sent again")["status"] == "duplicate"
        assert distant.received("far") == number + 1
    assert distant.broken() == []
