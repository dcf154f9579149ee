"""The published payloads, byte for byte, from HTTP to biometric_events."""

import json

import pytest

from harness import BOUND_KEY, BOUND_USER, KEY, PAYLOADS

EXPECTED = PAYLOADS.parent / "expected"
ROWS = """
  SELECT metric_type, coalesce(to_jsonb(value), to_jsonb(state)), unit,
         to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
         to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
         statistic, context, source
  FROM biometrics.biometric_events WHERE user_id = %s AND device_type = %s"""


def body(name):
    return (PAYLOADS / name).read_bytes()


def comparable(rows):
    """Readings as a set of texts, numbers to nine digits: an instant's end may be left out."""
    def text(row):
        metric, value, unit, start, end, statistic, context, source = row
        value = value if isinstance(value, str) else f"{value:.9g}"
        return (metric, value, unit, start, end or start, statistic, context or "", source or "")
    return sorted(text(row) for row in rows)


def expected(name):
    return [row[:8] for row in json.loads((EXPECTED / name).read_text(encoding="utf-8"))["rows"]]


def test_oura_simple_shape(house):
    answer = house.worker.oura(body("seed_oura_legacy.json"))
    assert answer.status == 202, answer
    assert answer.json["status"] == "applied"
    rows = house.rows(ROWS + " ORDER BY 1", "user_123", "oura")
    assert [row[:7] for row in rows] == [
        ("heart_rate", 58, "/min", "2025-01-27T00:00:00.000Z", "2025-01-28T00:00:00.000Z", "daily",
         "sleep"),
        ("hrv_rmssd", 55, "ms", "2025-01-27T00:00:00.000Z", "2025-01-28T00:00:00.000Z", "daily",
         "sleep")]
    flags = house.rows("SELECT DISTINCT flags::text FROM biometrics.biometric_events"
                       " WHERE user_id = 'user_123' AND device_type = 'oura'")
    assert len(flags) == 1 and "interval_missing" in flags[0][0]


def test_oura_known_signature(house):
    """The signature of WORKER.md, not one computed here; hex in any case."""
    known = "cc3c20cc9ba5cef04bdc41bb62ef7fc851a2d61efde75a60111856abd37595fb"
    for signature in (known, known.upper()):
        answer = house.worker.post("oura", body("seed_oura_legacy.json"),
                                   {"x-oura-signature": signature}, key=None)
        assert answer.status == 202, answer
    flipped = ("d" if known[0] == "c" else "c") + known[1:]
    answer = house.worker.post("oura", body("seed_oura_legacy.json"),
                               {"x-oura-signature": flipped}, key=None)
    assert answer.status == 401 and answer.json["code"] == "bad_signature"


def test_healthkit_simple_samples(house):
    answer = house.worker.post("healthkit", body("seed_healthkit_samples.json"))
    assert answer.status == 202, answer
    assert answer.json["deliveries"][0]["readings_accepted"] == 5
    rows = house.rows(ROWS, "user_123", "healthkit")
    assert comparable(rows) == comparable(expected("seed_healthkit_samples.json"))


def test_event_id_is_the_contracts(house):
    """sha256: and the hex of the raw body is the delivery's id where a device names none."""
    import hashlib
    import uuid
    namespace = uuid.UUID("334c9f40-9714-586f-adfd-1aa731602170")
    raw = body("seed_healthkit_samples.json")
    answer = house.worker.post("healthkit", raw)
    delivery_id = "sha256:" + hashlib.sha256(raw).hexdigest()
    assert answer.json["deliveries"][0]["event_id"] == str(
        uuid.uuid5(namespace, "healthkit/" + delivery_id))


@pytest.mark.parametrize("name", ["hae_metrics_mixed", "hae_sleep_aggregated"])
def test_health_auto_export_with_a_bound_key(new_house, name):
    house = new_house()
    answer = house.worker.post("healthkit", body(f"{name}.json"), key=BOUND_KEY)
    assert answer.status == 202, answer
    rows = house.rows(ROWS, BOUND_USER, "health_auto_export")
    assert comparable(rows) == comparable(expected(f"{name}.json"))


def test_health_auto_export_with_a_named_user(house):
    answer = house.worker.post("healthkit", body("hae_metrics_mixed.json"),
                               {"X-Auren-User": "named"})
    assert answer.status == 202, answer
    assert house.received("named") == 1


def test_health_auto_export_of_nobody(house):
    answer = house.worker.post("healthkit", body("hae_metrics_mixed.json"))
    assert answer.status == 422 and answer.json["code"] == "user_unresolved"


def test_healthkit_identifiers(house):
    raw = json.loads(body("healthkit_hk_identifiers.json"))
    raw["user_id"] = "identifiers"
    answer = house.worker.post("healthkit", raw, {"x-api-key": KEY}, key=None)
    assert answer.status == 202, answer
    rows = house.rows(ROWS, "identifiers", "healthkit")
    assert comparable(rows) == comparable(expected("healthkit_hk_identifiers.json"))


def test_an_array_of_people(house):
    batch = [{"user_id": f"many_{i}", "samples": [
        {"type": "heartRate", "value": 60 + i, "timestamp": "2025-01-27T10:30:00Z"}]} for i in range(3)]
    answer = house.worker.post("healthkit", batch)
    assert answer.status == 202, answer
    assert len(answer.json["deliveries"]) == 3
    assert [house.received(f"many_{i}") for i in range(3)] == [1, 1, 1]


def test_a_bound_key_writes_for_its_user_only(house):
    other = {"user_id": "somebody_else",
             "samples": [{"type": "heartRate", "value": 61, "timestamp": "2025-01-27T10:30:00Z"}]}
    answer = house.worker.post("healthkit", other, key=BOUND_KEY)
    assert answer.status == 403 and answer.json["code"] == "user_mismatch"
    assert house.received("somebody_else") == 0
