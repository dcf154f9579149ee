"""What operators see: health, readiness, metrics, logs, configuration."""

import json
import re

import pytest

from bodies import sample, samples
from harness import BOUND_KEY, KEY, OURA_SECRET, Worker, await_that, run_command

FAMILIES = """
auren_webhook_events_total auren_webhook_process_duration_seconds auren_active_webhook_tasks
auren_ingest_queue_wait_seconds auren_ingest_batch_deliveries auren_checkpoint_save_seconds
auren_kafka_messages_processed_total auren_kafka_messages_sent_total
auren_kafka_consumer_lag_messages auren_mode_switches_total auren_users
auren_healthkit_samples_processed_total auren_healthkit_batch_duration_seconds
auren_biometric_anomalies_detected_total auren_biometric_data_quality_score
auren_dead_letters_total auren_breaker_state auren_outbox_lag_seconds
auren_endpoint_requests_total auren_endpoint_duration_seconds
auren_config_last_reload_successful auren_config_restart_required auren_event_store_events
auren_event_store_bytes auren_build_info process_resident_memory_bytes process_cpu_seconds_total
process_open_fds""".split()


def run(*args, env=None):
    return run_command(env, *args)


def test_health_and_ready(house):
    health = house.worker.request("GET", "/health", ops=True)
    assert health.status == 200
    ready = house.worker.ready()
    assert ready.status == 200 and ready.json["status"] == "ready"
    checks = {check["name"]: check["status"] for check in ready.json["checks"]}
    assert checks["postgres"] == checks["extension"] == checks["config"] == "ok"
    assert house.worker.request("GET", "/health").status == 404, "not on the public port"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_there_from_the_first_scrape(house, family):
    text = house.worker.request("GET", "/metrics", ops=True).body.decode()
    assert re.search(rf"^# TYPE {family} ", text, re.M)
    assert re.search(rf"^{family}(_count|_bucket)?(\{{[^}}]*\}})? [0-9.e+-]+$", text, re.M), family


def test_metrics_count_what_happened(house):
    applied = 'auren_webhook_events_total{device_type="healthkit",event_type="%s",status="%s"}'

    def total(status):
        rows = house.worker.metrics().items()
        return sum(v for k, v in rows if k.startswith("auren_webhook_events_total")
                   and 'device_type="healthkit"' in k and f'status="{status}"' in k)

    del applied
    before = {s: total(s) for s in ("applied", "duplicate", "unauthorized", "malformed")}
    body = json.dumps(samples("metered", sample("heartRate", 150)))
    house.worker.post("healthkit", body)
    house.worker.post("healthkit", body)
    house.worker.post("healthkit", body, key="wrong")
    house.worker.post("healthkit", b"{")
    for status, was in before.items():
        await_that(lambda s=status, w=was: total(s) == w + 1, f"one more {status}")
    rows = house.worker.metrics()
    assert any(k.startswith("auren_mode_switches_total") and 'to_mode="reflex"' in k and v >= 1
               for k, v in rows.items())


def test_metrics_name_nobody(house):
    house.worker.post("healthkit", samples("private_person", sample("heartRate", 70)))
    text = house.worker.request("GET", "/metrics", ops=True).body.decode()
    assert "private_person" not in text


def test_logs_are_json_and_name_nobody(new_house):
    house = new_house(env={"AUREN_LOG__LEVEL": "debug"})
    worker = house.worker
    worker.post("healthkit", samples("private_person", sample("heartRate", 150)))
    worker.post("healthkit", samples("private_person", sample("heartRate", 70)), key="stolen-key")
    worker.post("healthkit", b'{"user_id":"private_person"')
    worker.oura({"event_type": "daily_sleep", "user_id": "private_person"})
    worker.request("GET", "/api/v1/users/private_person/mode", headers={"x-api-key": KEY})
    worker.request("GET", "/nowhere?user=private_person&key=stolen-key")
    assert worker.terminate() == 0
    entries = worker.logs()
    for entry in entries:
        assert {"ts", "level", "msg", "component"} <= set(entry), entry
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["ts"]), entry
    text = "\n".join(worker.lines)
    for secret in ("private_person", "stolen-key", KEY, BOUND_KEY, OURA_SECRET):
        assert secret not in text, secret
    # Found again by those who hold the key: 12 hex digits of HMAC-SHA256("test", user).
    import hashlib
    import hmac
    masked = hmac.new(b"test", b"private_person", hashlib.sha256).hexdigest()[:12]
    assert any(entry.get("user_h") == masked for entry in entries)


def test_version():
    done = run("--version")
    assert done.returncode == 0 and re.search(r"\d+\.\d+\.\d+", done.stdout)


def test_the_shipped_configuration_is_good():
    done = run("--check-config")
    assert done.returncode == 0, done.stderr


def test_print_config_hides_secrets():
    done = run("--print-config", env={"OURA_CLIENT_SECRET": "do-not-show",
                                      "AUREN_HTTP__LISTEN": "127.0.0.1:8123"})
    assert done.returncode == 0, done.stderr
    assert "do-not-show" not in done.stdout + done.stderr and "***" in done.stdout
    assert "127.0.0.1:8123" in done.stdout


@pytest.mark.parametrize("text, line, column, says", [
    ("http:\n  lissten: \"127.0.0.1:0\"\n", 2, 3, ["lissten", "listen"]),
    ("http:\n  threads: many\n", 2, 12, ["threads", "many"]),
    ("ingest:\n  mode: sideways\n", 2, 9, ["ingest.mode", "direct", "kafka"]),
    ("http: {deadline: 5}\n", 1, 18, ["deadline"]),
    ("log:\n  level: info\n  level: debug\n", 3, 3, ["level"]),
    ("log: &a {level: info}\n", 1, 6, ["anchor"]),
    ("http:\n  listen: [\n", None, None, []),
], ids=["unknown key", "not a number", "not a choice", "no unit", "twice", "anchor", "not yaml"])
def test_configuration_errors_say_where_and_what(tmp_path, text, line, column, says):
    file = tmp_path / "auren.yaml"
    file.write_text(text, encoding="utf-8")
    done = run("--check-config", "--config", file)
    assert done.returncode != 0
    assert "auren.yaml" in done.stderr
    if line:
        assert re.search(rf"auren\.yaml:{line}:\d+", done.stderr), done.stderr
    for word in says:
        assert word in done.stderr
    # And the worker does not start with it.
    assert run("--config", file).returncode == 78


def test_environment_errors_name_the_variable():
    done = run("--check-config", env={"MAX_CONCURRENT_EVENTS": "lots"})
    assert done.returncode != 0 and "max_concurrent_events" in done.stderr.lower()


def test_a_secret_may_come_from_a_file(house, tmp_path, cluster):
    secret = tmp_path / "secret"
    secret.write_text("from-a-file\n", encoding="utf-8")
    worker = Worker(cluster.url(house.database),
                    env={"OURA_CLIENT_SECRET": None, "OURA_CLIENT_SECRET_FILE": str(secret)})
    worker.await_ready()
    answer = worker.oura({"event_type": "daily_sleep", "user_id": "filed", "data": {"sleep": {
        "summary_date": "2025-01-27", "hrv": {"average": 55}, "heart_rate": {"average": 58}}}},
        secret="from-a-file")
    assert answer.status == 202, answer
    assert worker.terminate() == 0


def test_wrong_command_line_is_64():
    assert run("--no-such-flag").returncode == 64
