"""TLS and a password between the worker and the broker."""

import json

import pytest

from broker import Broker
from harness import Worker, await_that
from kafka_house import KafkaHouse, delivery, record


@pytest.fixture(scope="module")
def guarded():
    made = Broker(sasl=True)
    yield made
    made.destroy()


def properties(guarded, **more):
    return ",".join(f"{name}={value}" for name, value in {
        "security.protocol": "SASL_SSL", "ssl.ca.location": guarded.dir / "sasl/ca.pem",
        "sasl.mechanism": "PLAIN", "sasl.username": guarded.sasl("user"),
        "sasl.password": guarded.sasl("password"), **more}.items())


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_both_ways_by_sasl_ssl(cluster, guarded, mechanism):
    house = KafkaHouse(cluster, guarded, env={
        "KAFKA_BOOTSTRAP_SERVERS": guarded.sasl("address"),
        "AUREN_KAFKA__PROPERTIES": properties(guarded, **{"sasl.mechanism": mechanism})})
    answer = house.worker.post("healthkit", {"user_id": "tls", "samples": [
        {"type": "heartRate", "value": 61, "timestamp": "2026-01-27T10:30:00Z"}]})
    assert answer.status == 202 and answer.json["status"] == "queued"
    guarded.produce_all(house.topic, [record("tls", n) for n in range(3)])
    house.await_caught_up()
    assert house.received("tls") == 4
    house.close()


def test_a_wrong_password_is_said_and_shown_nowhere(cluster, guarded):
    secret = "not-the-password"
    topic = guarded.topic()
    env = {"AUREN_INGEST__MODE": "kafka", "AUREN_KAFKA__TOPIC": topic,
           "KAFKA_BOOTSTRAP_SERVERS": guarded.sasl("address"),
           "AUREN_KAFKA__PROPERTIES": properties(guarded, **{"sasl.password": secret})}
    worker = Worker(cluster.url(cluster.database()), env=env)
    await_that(lambda: any("uthentication failed" in line for line in worker.lines), "it is said")
    assert worker.ready().status == 503
    answer = worker.post("healthkit", json.dumps(delivery("nobody", 1)))
    assert answer.status in (422, 503)
    worker.terminate()
    assert not any(secret in line for line in worker.lines)
