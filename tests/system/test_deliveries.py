"""GET /api/v1/deliveries/{event_id}: what became of a delivery, for whoever may know."""

import json
import uuid

import pytest

from bodies import sample, samples
from harness import BOUND_KEY, BOUND_USER, KEY

NOBODYS = "00000000-0000-4000-8000-000000000000"


def ask(house, event_id, key=KEY, method="GET"):
    return house.worker.request(method, f"/api/v1/deliveries/{event_id}",
                                headers={"x-api-key": key} if key else {})


def send(house, user, *rows, key=KEY):
    """The id of the only delivery in it."""
    answer = house.worker.post("healthkit", samples(user, *rows), key=key)
    return answer.json["deliveries"][0]["event_id"]


def letter(house, event_id, value, offset):
    """A Kafka record that was not taken in."""
    return house.value("SELECT bridge.add_dead_letter('biometric-events', %s, 'sql_error', 'XX000',"
                       " p_partition => 0, p_offset => %s, p_event_ids => ARRAY[%s::uuid])",
                       value, offset, event_id)


def test_applied(house):
    event_id = send(house, "asked", sample("heartRate", 70), sample("auraColour", 3))
    answer = ask(house, event_id)
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    position, received_at = house.rows(
        "SELECT position, metadata ->> 'received_at' FROM events.event_store WHERE stream_id = 'user:asked'"
        " AND event_type = 'biometric_received'")[0]
    body = answer.json
    (problem,) = body.pop("problems")
    assert (problem["index"], problem["metric"], problem["code"]) == (2, "auraColour", "unknown_metric")
    assert body == {"event_id": event_id, "status": "applied", "user_id": "asked", "position": position,
                    "received_at": received_at, "readings_accepted": 1, "readings_rejected": 1}
    assert ask(house, event_id.upper()).json["event_id"] == event_id
    head = ask(house, event_id, method="HEAD")
    assert head.status == 200 and head.body == b""


def test_applied_and_archived(house):
    event_id = send(house, "archived", sample("heartRate", 70))
    before = ask(house, event_id).json
    assert house.value("SELECT events.archive_stream('user:archived')") > 0
    assert ask(house, event_id).json == before


def test_unknown_is_404_and_no_problem(house):
    answer = ask(house, NOBODYS.upper())
    assert answer.status == 404 and answer.headers["content-type"] == "application/json"
    assert answer.json == {"event_id": NOBODYS, "status": "unknown", "readings_accepted": 0,
                           "readings_rejected": 0, "problems": []}


@pytest.mark.parametrize("event_id", ["7", "x" * 36, NOBODYS + "0", NOBODYS[:-1], NOBODYS.replace("-", "+"),
                                      "%7B" + NOBODYS + "%7D", NOBODYS.replace("-", "") + "0000"])
def test_a_malformed_id_is_422(house, event_id):
    answer = ask(house, event_id)
    assert answer.status == 422 and answer.headers["content-type"] == "application/problem+json"
    assert answer.json["code"] == "malformed"


def test_needs_a_key(house):
    assert ask(house, NOBODYS, key=None).status == 401
    assert ask(house, NOBODYS, key="stolen").status == 401
    assert house.worker.request("POST", f"/api/v1/deliveries/{NOBODYS}").status == 405


def test_a_bound_key_learns_of_its_own_user_only(house):
    own = send(house, BOUND_USER, sample("heartRate", 70), key=BOUND_KEY)
    others = send(house, "somebody", sample("heartRate", 70))
    assert ask(house, own, BOUND_KEY).json["status"] == "applied"
    assert ask(house, others, KEY).json["status"] == "applied"
    hidden, missing = ask(house, others, BOUND_KEY), ask(house, NOBODYS, BOUND_KEY)
    assert hidden.status == missing.status == 404
    assert hidden.body == missing.body.replace(NOBODYS.encode(), others.encode())


def test_dead_letters(house):
    event_id = str(uuid.uuid4())
    kept = letter(house, event_id, json.dumps({"user_id": BOUND_USER}).encode(), 1)
    answer = ask(house, event_id)
    assert answer.status == 200
    assert (answer.json["status"], answer.json["user_id"]) == ("dead_letter", BOUND_USER)
    assert "position" not in answer.json
    (problem,) = answer.json["problems"]
    assert (problem["code"], problem["sqlstate"], problem["dead_letter"]) == ("sql_error", "XX000", kept)
    assert ask(house, event_id, BOUND_KEY).json == answer.json
    house.value("SELECT bridge.discard_dead_letter(%s, 'of no use')", kept)
    assert ask(house, event_id).json["status"] == "rejected"

    unreadable = str(uuid.uuid4())
    letter(house, unreadable, b"\xff", 2)
    assert ask(house, unreadable).json["status"] == "dead_letter"
    assert ask(house, unreadable, BOUND_KEY).status == 404, "nobody knows whose it is"


def test_a_closed_stream_has_a_code_of_its_own(house):
    send(house, BOUND_USER + "2", sample("heartRate", 70))
    house.value("SELECT events.tombstone_stream(%s)", f"user:{BOUND_USER}2")
    answer = house.worker.post("healthkit", samples(BOUND_USER + "2", sample("heartRate", 71)))
    assert answer.status == 422 and answer.json["code"] == "stream_tombstoned"
    refused = answer.json["deliveries"][0]
    assert refused["status"] == "rejected"
    # The id tells later what the answer told.
    asked = ask(house, refused["event_id"])
    assert asked.status == 200
    assert (asked.json["status"], asked.json["user_id"]) == ("rejected", BOUND_USER + "2")
    assert asked.json["problems"][0]["code"] == "stream_tombstoned"
    assert ask(house, refused["event_id"], BOUND_KEY).status == 404


def test_a_refused_part_of_a_body_is_rejected_and_the_rest_applied(house):
    house.value("SELECT events.append_event('user:gone', 'noted', '{}')")
    house.value("SELECT events.tombstone_stream('user:gone')")
    answer = house.worker.post("healthkit", [samples("stays", sample("heartRate", 70)),
                                             samples("gone", sample("heartRate", 70))])
    assert answer.status == 202 and answer.json["status"] == "rejected"
    applied, rejected = (each["event_id"] for each in answer.json["deliveries"])
    assert ask(house, applied).json["status"] == "applied"
    assert ask(house, rejected).json["status"] == "rejected"
    assert house.rows("SELECT event_ids::text[], headers -> 'users' FROM bridge.dead_letters"
                      " WHERE event_ids @> ARRAY[%s::uuid]", rejected) == [([rejected], {rejected: "gone"})]


def test_postgresql_away_is_503(new_house):
    house = new_house()
    house.db.execute("ALTER FUNCTION bridge.find_delivery(uuid) RENAME TO gone")
    answer = ask(house, NOBODYS)
    assert answer.status == 503 and answer.json["code"] == "database_unavailable"
