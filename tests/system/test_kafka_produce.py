"""Into Kafka: a webhook's 202 means that the brokers have the record; nothing else is said to be so."""

import concurrent.futures
import json
import re
import subprocess

import jsonschema
import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import ConfigResource

from bodies import sample, samples
from harness import BOUND_KEY, PATIENCE, PAYLOADS, ROOT, Worker, await_that, run_command
from kafka_house import KafkaHouse, event_id, kafka_env

SCHEMA = json.loads((ROOT / "docs/delivery.schema.json").read_text(encoding="utf-8"))
ONLY_HTTP = {"AUREN_ROLES": "http"}


@pytest.fixture
def make_house(cluster, broker):
    made = []

    def make(partitions=4, **env):
        made.append(KafkaHouse(cluster, broker, partitions=partitions, env={**ONLY_HTTP, **env}))
        return made[-1]

    yield make
    for each in made:
        each.close()


def murmur2(data):
    """As Java's clients hash a key; with its known answers below."""
    mask, m = 0xffffffff, 0x5bd1e995
    h = 0x9747b28c ^ len(data)
    for at in range(0, len(data) // 4 * 4, 4):
        k = int.from_bytes(data[at:at + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
    tail = data[len(data) // 4 * 4:]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def checks(worker):
    return {check["name"]: check for check in worker.ready().json["checks"]}


def run(*args, env=None):
    return run_command(env, *args)


def test_a_webhook_becomes_a_record(make_house, broker):
    assert murmur2(b"21") == -973932308 & 0xffffffff and murmur2(b"foobar") == -790332482 & 0xffffffff
    house = make_house()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answers = {}
    for n in range(12):
        answer = house.worker.post("healthkit", samples(f"p{n}", sample("heartRate", 60 + n)),
                                   {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
        assert answer.status == 202 and answer.json["status"] == "queued", answer
        answers[f"p{n}"] = answer.json["event_id"]
    records = broker.consume_all(house.topic)
    assert len(records) == 12 and len({record.partition for record in records}) > 1
    for record in records:
        user = record.key.decode()
        value = json.loads(record.value)
        jsonschema.validate(value, SCHEMA)
        assert value["user_id"] == user
        assert record.partition == (murmur2(record.key) & 0x7fffffff) % 4
        headers = {key: value.decode() for key, value in record.headers}
        assert headers.pop("traceparent").startswith(f"00-{trace}-")
        assert headers == {
            "ce_specversion": "1.0", "ce_id": answers[user], "ce_source": "/auren/webhooks/healthkit",
            "ce_type": "auren.delivery.v1", "ce_time": value["received_at"],
            "content-type": "application/json",
            "auren_provider_user": user}
        assert event_id(value) == answers[user]
    sent = 'auren_kafka_messages_sent_total{status="acknowledged",topic="' + house.topic + '"}'
    await_that(lambda: house.worker.metrics()[sent] == 12, "twelve acknowledged")
    # The webhook's way does not touch PostgreSQL.
    assert house.stored() == {}


def test_what_needs_no_database_is_refused_here(make_house, broker):
    house = make_house()
    answer = house.worker.post("healthkit", samples("somebody", sample("heartRate", 60)), key=BOUND_KEY)
    assert answer.status == 403 and answer.json["code"] == "user_mismatch"
    nobody = house.worker.post("healthkit", {"samples": [sample("heartRate", 60)]})
    assert nobody.status == 422 and broker.consume_all(house.topic) == []


@pytest.mark.parametrize("format_", ["json", "protobuf"])
def test_both_formats_are_taken_in_alike(cluster, broker, format_):
    house = KafkaHouse(cluster, broker, env={"AUREN_KAFKA__FORMAT": format_})
    try:
        body = (PAYLOADS / "seed_healthkit_samples.json").read_text(encoding="utf-8")
        answer = house.worker.post("healthkit", body)
        assert answer.status == 202 and answer.json["status"] == "queued"
        [record] = broker.consume_all(house.topic)
        assert dict(record.headers)["content-type"].decode() == f"application/{format_}"
        if format_ == "protobuf":
            decoded = subprocess.run(
                ["protoc", "-I", ROOT / "proto", "--decode=auren.v1.Delivery", "auren/v1/delivery.proto"],
                cwd=ROOT / "proto", input=record.value, capture_output=True, check=True).stdout.decode()
            assert 'source: "healthkit"' in decoded and "number: " in decoded
        house.await_caught_up()
        assert house.stored() == {answer.json["event_id"]: 1} and house.letters() == []
        # The same event as direct mode makes of the same body.
        direct = Worker(cluster.url(house.database)).await_ready()
        repeat = direct.post("healthkit", body)
        assert direct.terminate() == 0
        assert repeat.status == 202 and repeat.json["status"] == "duplicate", repeat
    finally:
        house.close()


def test_the_broker_away_and_back(make_house, broker):
    house = make_house(AUREN_HTTP__DEADLINE="1s")
    worker = house.worker
    assert worker.post("healthkit", samples("before", sample("heartRate", 61))).status == 202
    broker.stop()
    await_that(lambda: worker.ready().status == 503, "not ready")
    assert worker.ready().json["status"] == "not_ready" and checks(worker)["kafka"]["status"] == "down"
    answer = worker.post("healthkit", samples("during", sample("heartRate", 62)))
    assert answer.status == 503 and answer.json["code"] == "broker_unavailable", answer
    assert int(answer.headers["retry-after"]) > 0
    broker.start()
    worker.await_ready()
    answer = await_that(lambda: (a := worker.post("healthkit", samples("after", sample("heartRate", 63))))
                        .status == 202 and a, "taken again")
    # Who was told 202 is there, and the others at most once for each try.
    ids = [dict(record.headers)["ce_id"].decode() for record in broker.consume_all(house.topic)]
    assert answer.json["event_id"] in ids
    assert len([r for r in broker.consume_all(house.topic) if r.key == b"during"]) <= 1


def test_a_broker_that_hangs_costs_the_deadline_and_no_more_than_the_bound(make_house, broker):
    house = make_house(AUREN_HTTP__DEADLINE="500ms", AUREN_INGEST__MAX_CONCURRENT_EVENTS="4")

    def post(n):
        return house.worker.post("healthkit", samples(f"hang{n}", sample("heartRate", 60)))

    # A producer's very first record may take a second.
    await_that(lambda: post(-1).status == 202, "the producer is warm")
    broker.pause()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        codes = [answer.json["code"] for answer in pool.map(post, range(8))]
    assert set(codes) == {"deadline", "queue_full"} and codes.count("deadline") == 4, codes
    await_that(lambda: checks(house.worker)["kafka"]["status"] == "down", "the watch finds out")
    broker.cont()
    house.worker.await_ready()
    await_that(lambda: post(9).status == 202, "taken again")
    # What nobody waited for any more: each once at most.
    keys = [record.key for record in broker.consume_all(house.topic)]
    assert all(keys.count(f"hang{n}".encode()) <= 1 for n in range(8))


def test_a_missing_topic_names_the_command_which_makes_it(cluster, broker, make_house):
    topic = f"missing.{next(broker.numbers)}"
    names = {"AUREN_KAFKA__DLQ_TOPIC": f"{topic}.dlq", "AUREN_OUTBOX__TOPIC": f"{topic}.events"}
    env = {**kafka_env(broker, topic), **names}
    worker = Worker(cluster.url(cluster.database()), env={**env, **ONLY_HTTP, "AUREN_HTTP__DEADLINE": "1s"})
    try:
        await_that(lambda: checks(worker)["kafka"]["status"] == "ok", "the broker answers")
        seen = f"topic {topic} "
        check = await_that(lambda: (c := checks(worker)["topic"])["detail"].startswith(seen) and c, "seen")
        assert check["status"] == "down" and "auren-worker kafka create-topics" in check["detail"]
        assert worker.ready().status == 503
        answer = worker.post("healthkit", samples("u", sample("heartRate", 60)))
        assert answer.status == 503 and answer.json["code"] in ("broker_unavailable", "deadline"), answer

        made = run("kafka", "create-topics", "--partitions", 3, "--replication", 1, env=env)
        assert made.returncode == 0, made.stderr
        assert made.stdout == "".join(f"{name}: made, partitions: 3\n"
                                      for name in (topic, f"{topic}.dlq", f"{topic}.events"))
        worker.await_ready()
        assert checks(worker)["topic"]["detail"] == f"{topic}, partitions: 3"
        await_that(lambda: worker.post("healthkit", samples("u", sample("heartRate", 60))).status == 202,
                   "taken in")
        again = run("kafka", "create-topics", env=env)
        assert again.returncode == 0
        assert again.stdout.split("\n")[0] == f"{topic}: is there, partitions: 3"
    finally:
        assert worker.terminate() == 0


def settings_of(broker, topic):
    """The topic's settings, or nothing while the broker does not know it."""
    [described] = broker.admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)]).values()
    try:
        return described.result(PATIENCE)
    except KafkaException as problem:
        if problem.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise
        return None


def test_a_topic_we_made_takes_records_of_one_mebibyte(broker):
    topic = f"large.{next(broker.numbers)}"
    env = {**kafka_env(broker, topic), "AUREN_KAFKA__DLQ_TOPIC": f"{topic}.dlq",
           "AUREN_OUTBOX__TOPIC": f"{topic}.events"}
    assert run("kafka", "create-topics", env=env).returncode == 0
    for name in (topic, f"{topic}.dlq", f"{topic}.events"):
        # The controller answers for a new topic a moment before the broker can describe it.
        settings = await_that(lambda name=name: settings_of(broker, name), f"{name} is described")
        assert int(settings["max.message.bytes"].value) > (1 << 20) + (64 << 10)


def test_create_topics_exit_codes(broker):
    nobody = run("kafka", "create-topics", env={"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    assert nobody.returncode == 69 and "127.0.0.1:1" in nobody.stderr
    assert run("kafka", "create-topics").returncode == 78
    assert run("kafka", "create-topics", "--partitions", 0).returncode == 64
    refused = run("kafka", "create-topics", "--replication", 3,
                  env={"KAFKA_BOOTSTRAP_SERVERS": broker.address,
                       "AUREN_KAFKA__TOPIC": f"refused.{next(broker.numbers)}"})
    assert refused.returncode == 1 and "eplication" in refused.stderr


def test_check_config_asks_librdkafka_too():
    env = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}

    def check(properties):
        return run("--check-config", env={**env, "AUREN_KAFKA__PROPERTIES": properties})

    assert check("linger.ms=5").returncode == 0
    ours = check("acks=1")
    assert ours.returncode == 78 and "kafka.properties: acks: set by the worker" in ours.stderr
    assert check("no.such.property=1").returncode == 78


def test_postgres_away_is_degraded_only(make_house, broker):
    house = make_house(POSTGRES_URL="postgresql:///nowhere?host=/nonexistent")
    ready = house.worker.ready()
    assert ready.status == 200 and ready.json["status"] == "degraded"
    assert checks(house.worker)["postgres"]["status"] == "degraded"
    assert house.worker.post("healthkit", samples("u", sample("heartRate", 60))).status == 202
    assert len(broker.consume_all(house.topic)) == 1


def test_webhooks_are_served_by_role_http_alone(cluster, broker):
    topic = broker.topic("roles")
    env = {**kafka_env(broker, topic), "AUREN_ROLES": "ingest"}
    worker = Worker(cluster.url(cluster.database()), env=env, components=("ops",))
    worker.await_ready()
    assert worker.terminate() == 0
    assert not any(entry.get("component") == "http" for entry in worker.logs())


def test_simulated_days_go_to_the_topic(broker):
    topic = broker.topic("simulated")
    done = run("simulate", "--seed", 3, "--people", 4, "--days", 3, "--to", "kafka",
               env=kafka_env(broker, topic))
    assert done.returncode == 0, done.stderr
    count = int(re.search(r"^(\d+) deliveries sent, 0 refused$", done.stdout, re.M).group(1))
    records = broker.consume_all(topic)
    assert len(records) == count
    for record in records:
        jsonschema.validate(json.loads(record.value), SCHEMA)
    away = run("simulate", "--days", 1, "--to", "kafka", env={"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    assert away.returncode == 69
    assert run("simulate", "--to", "kafka").returncode == 78
