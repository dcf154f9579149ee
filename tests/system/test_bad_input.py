"""Bad input: each gets the contract's status and a problem that says what is wrong, and nothing is lost
or doubled."""

import gzip
import json
import socket
import threading

import pytest

from bodies import sample, samples, stamp
from harness import BOUND_KEY, KEY, OURA_SECRET, PATIENCE


def problem(answer, status, code=None):
    """The answer is a problem of this status and code, with no more in it than a problem has."""
    assert answer.status == status, answer
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.headers
    body = answer.json
    assert body["status"] == status and body["title"], body
    if code:
        assert body["code"] == code, body
    text = answer.body.decode()
    for secret in (KEY, BOUND_KEY, OURA_SECRET, "what()", "std::"):
        assert secret not in text
    return body


def raw(house, request, patience=PATIENCE):
    """Sends bytes as they are and reads one answer: (status, head, body)."""
    with socket.create_connection(("127.0.0.1", house.worker.port), timeout=patience) as conn:
        conn.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got:
            piece = conn.recv(65536)
            if not piece:
                break
            got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        length = int({k.lower(): v for k, v in fields.items()}.get("content-length", 0))
        while len(body) < length:
            piece = conn.recv(65536)
            if not piece:
                break
            body += piece
    return int(head.split(b" ")[1]), head.decode(), body


def head(path, *fields):
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json",
             f"Authorization: Bearer {KEY}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.fixture(autouse=True)
def nothing_else_is_stored(house):
    """What is refused leaves no event, and what is taken leaves the invariants whole."""
    yield
    assert house.broken() == []


def test_unknown_provider(house):
    problem(house.worker.post("nosuchthing", {}), 404)


def test_unknown_route_and_method(house):
    problem(house.worker.request("GET", "/nowhere"), 404)
    answer = house.worker.request("DELETE", "/webhooks/healthkit")
    problem(answer, 405)
    assert "POST" in answer.headers["allow"]


def test_no_secret_configured(new_house):
    house = new_house(env={"OURA_CLIENT_SECRET": None})
    answer = house.worker.oura({"event_type": "daily_sleep"})
    problem(answer, 503, "provider_not_configured")
    assert answer.headers["retry-after"] == "300"


@pytest.mark.parametrize("headers", [
    {}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic " + KEY}, {"Authorization": "Bearer"},
    {"Authorization": f"Bearer {KEY}x"}, {"x-api-key": "wrong"}])
def test_wrong_or_missing_token(house, headers):
    before = house.value("SELECT count(*) FROM events.event_store")
    answer = house.worker.post("healthkit", samples("intruder", sample("heartRate", 70)), headers,
                               key=None)
    problem(answer, 401, "bad_signature" if "wrong" in str(headers) or "x" in str(headers) else None)
    assert house.value("SELECT count(*) FROM events.event_store") == before


def test_wrong_or_missing_signature(house):
    body = {"event_type": "daily_sleep", "user_id": "u", "data": {"sleep": {}}}
    problem(house.worker.oura(body, secret="wrong"), 401, "bad_signature")
    problem(house.worker.post("oura", body, key=None), 401, "missing_header")
    problem(house.worker.post("oura", body, {"x-oura-signature": "zz"}, key=None), 401)


def test_body_over_the_limit(house):
    """Oura's limit is 256 KiB; the answer comes although the body is never sent."""
    status, _, body = raw(house, head("/webhooks/oura", "Content-Length: 999999999"))
    assert status == 413 and json.loads(body)["code"] == "too_large"
    problem(house.worker.oura(b"x" * (300 * 1024)), 413, "too_large")


def test_chunked_body_over_the_limit(house):
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    status, _, body = raw(house, head("/webhooks/oura", "Transfer-Encoding: chunked") + chunk * 6)
    assert status == 413 and json.loads(body)["code"] == "too_large"


def test_chunked_without_end(house):
    status, _, _ = raw(house, head("/webhooks/healthkit", "Transfer-Encoding: chunked") + b"5\r\n{\"a\":")
    assert status == 408


def test_chunked_is_taken(house):
    body = json.dumps(samples("chunked", sample("heartRate", 70))).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7])
                      for i in range(0, len(body), 7))
    status, _, _ = raw(house, head("/webhooks/healthkit", "Transfer-Encoding: chunked")
                       + chunks + b"0\r\n\r\n")
    assert status == 202 and house.received("chunked") == 1


def test_both_length_headers(house):
    status, text, body = raw(house, head("/webhooks/healthkit", "Content-Length: 2",
                                         "Transfer-Encoding: chunked") + b"0\r\n\r\n")
    assert status == 400 and json.loads(body)["code"] == "malformed"
    assert "connection: close" in text.lower()


def test_no_length(house):
    status, _, _ = raw(house, head("/webhooks/healthkit"))
    assert status == 411


def test_gzip_is_taken_and_a_bomb_is_not(house):
    good = gzip.compress(json.dumps(samples("zipped", sample("heartRate", 70))).encode())
    answer = house.worker.post("healthkit", good, {"Content-Encoding": "gzip"})
    assert answer.status == 202 and house.received("zipped") == 1
    bomb = gzip.compress(b" " * (64 << 20))
    answer = house.worker.post("healthkit", bomb, {"Content-Encoding": "gzip"})
    problem(answer, 413, "too_large")
    assert house.worker.metrics()["process_resident_memory_bytes"] < 1 << 30


def test_encoding_and_type_that_are_not_taken(house):
    problem(house.worker.post("healthkit", b"x", {"Content-Encoding": "br"}), 415)
    problem(house.worker.post("healthkit", b"a=b", {"Content-Type": "text/plain"}), 415)
    answer = house.worker.post("healthkit", samples("json_suffix", sample("heartRate", 70)),
                               {"Content-Type": "application/vnd.health+json; charset=utf-8"})
    assert answer.status == 202


@pytest.mark.parametrize("body", [
    b"", b"hello", b"{", b'{"user_id":"u"', b"{'user_id': 1}", b'{"user_id":"u","samples":[NaN]}',
    b'{"user_id":"u","samples":[{"type":"heartRate","value":NaN,"timestamp":"2025-01-27T10:30:00Z"}]}',
    b'{"user_id":"u","samples":[]}\x00', b'{"user_id":"\x00","samples":[]}',
    b'{"user_id":"u\\u0000","samples":[{"type":"heartRate","value":70}]}',
    b'{"user_id":"\xff\xfe","samples":[]}', b'{"user_id":"\xed\xa0\x80","samples":[]}',
    b"[" * 100 + b"]" * 100], ids=lambda b: repr(b[:24]))
def test_not_json(house, body):
    answer = house.worker.post("healthkit", body)
    problem(answer, 400, "malformed")


@pytest.mark.parametrize("body", [
    [], {}, "text", 7, None, {"user_id": "u"}, {"samples": [1]}, {"user_id": "u", "samples": {}},
    {"user_id": "u", "samples": "x"}, {"user_id": "u", "samples": [1, "x", None]},
    {"user_id": "u", "samples": []}, {"data": {"metrics": "x"}}, {"data": {"metrics": []}}],
    ids=json.dumps)
def test_wrong_shape(house, body):
    before = house.value("SELECT count(*) FROM events.event_store")
    answer = house.worker.post("healthkit", json.dumps(body), {"X-Auren-User": "shape"})
    body = problem(answer, 422)
    assert body["code"] in ("wrong_shape", "no_usable_reading", "user_unresolved")
    assert body["detail"], "says what is wrong"
    assert house.value("SELECT count(*) FROM events.event_store") == before


def test_empty_sample_list_is_kept_as_a_dead_letter(house):
    """Its sender will not send it again: what was authenticated is kept, what was not never is."""
    body = json.dumps({"user_id": "empty_list", "samples": []})
    problem(house.worker.post("healthkit", body), 422)
    problem(house.worker.post("healthkit", body.replace("empty", "wrong"), key="wrong"), 401)
    rows = house.rows("SELECT topic, reason, status FROM bridge.dead_letters"
                      " WHERE convert_from(value, 'UTF8') LIKE '%%empty_list%%'")
    assert len(rows) == 1
    assert rows[0] == ("http:/webhooks/healthkit", "no_usable_reading", "open")
    assert house.rows("SELECT 1 FROM bridge.dead_letters"
                      " WHERE convert_from(value, 'UTF8') LIKE '%%wrong_list%%'") == []


def test_unknown_metric_is_kept_and_reported(house):
    answer = house.worker.post("healthkit", samples(
        "unknown_metric", sample("heartRate", 70), sample("auraColour", 3)))
    assert answer.status == 202 and answer.json["status"] == "applied"
    delivery = answer.json["deliveries"][0]
    assert (delivery["readings_accepted"], delivery["readings_rejected"]) == (1, 1)
    assert "unknown_metric" in json.dumps(delivery["problems"])
    event = house.value("SELECT event_data FROM events.event_store"
                        " WHERE stream_id = 'user:unknown_metric'")
    assert "auraColour" in json.dumps(event)
    assert len(house.readings("unknown_metric")) == 1


@pytest.mark.parametrize("bad", [
    {"value": 900}, {"value": -1}, {"value": "NaN"}, {"value": "fast"}, {"value": None}, {"value": True},
    {"timestamp": "2999-01-01T00:00:00Z"}, {"timestamp": "yesterday"}, {"timestamp": None}],
    ids=json.dumps)
def test_a_bad_reading_is_refused_and_its_neighbours_are_kept(house, bad):
    user = "neighbour_" + "".join(c if c.isalnum() else "_" for c in json.dumps(bad))
    answer = house.worker.post("healthkit", samples(
        user, sample("heartRate", 70, 0.2), {**sample("heartRate", 71, 0.1), **bad},
        sample("heartRate", 72)))
    assert answer.status == 202, answer
    delivery = answer.json["deliveries"][0]
    assert (delivery["readings_accepted"], delivery["readings_rejected"]) == (2, 1), answer
    assert len(delivery["problems"]) == 1
    assert [float(r[1]) for r in house.readings(user)] == [70, 72]


def test_reasons_of_refused_readings(house):
    answer = house.worker.post("healthkit", samples(
        "reasons", sample("heartRate", 70), sample("heartRate", 900, 0.1),
        {**sample("heartRate", 70), "timestamp": stamp(-48)}))
    text = json.dumps(answer.json["deliveries"][0]["problems"])
    assert "hard_range" in text and "future_timestamp" in text


def test_the_same_delivery_twice(house):
    body = json.dumps(samples("twice", sample("heartRate", 70)))
    first = house.worker.post("healthkit", body)
    again = house.worker.post("healthkit", body)
    assert (first.json["status"], again.json["status"]) == ("applied", "duplicate")
    assert first.json["event_id"] == again.json["event_id"]
    assert first.status == again.status == 202
    assert house.received("twice") == 1 and len(house.readings("twice")) == 1


def test_the_same_delivery_many_times_at_once(house):
    body = json.dumps(samples("at_once", sample("heartRate", 70)))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(house.worker.post("healthkit", body)))
               for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.json["status"] for a in answers) == ["applied"] + 15 * ["duplicate"]
    assert house.received("at_once") == 1


def test_ten_thousand_samples_in_one_body(house):
    body = json.dumps(samples("large", *(sample("heartRate", 60 + i % 40, 48 + i / 3600)
                                         for i in range(10_000))))
    answer = house.worker.post("healthkit", body)
    assert answer.status == 202, answer
    assert sum(d["readings_accepted"] for d in answer.json["deliveries"]) == 10_000
    assert len(answer.json["deliveries"]) >= 10, "a delivery holds at most 1,000 readings"
    assert house.value("SELECT count(*) FROM biometrics.biometric_events WHERE user_id = 'large'") == 10_000
    again = house.worker.post("healthkit", body)
    assert again.json["status"] == "duplicate"
    assert house.received("large") == len(answer.json["deliveries"])


def test_names_that_are_no_stream(house):
    for user in ("", " " * 3 + "\n", "x" * 300, "a\tb"):
        answer = house.worker.post("healthkit", samples(user, sample("heartRate", 70)))
        problem(answer, 422)


def test_odd_names_are_people_too(house):
    for user in ("ünï-cødé ✓", "a b:c/d'e\"f\\g", "'; DROP TABLE events.event_store; --"):
        answer = house.worker.post("healthkit", samples(user, sample("heartRate", 70)))
        assert answer.status == 202, answer
        assert house.received(user) == 1
