"""The main job: a webhook comes in, LISTEN mode_switch goes off, or rightly does not."""

import pytest

from bodies import night_exported, oura_night, sample, samples
from harness import BOUND_KEY, KEY


def accepted(answer, status="applied"):
    assert answer.status == 202, answer
    assert answer.json["status"] == status, answer
    return answer.json


def test_a_stressed_night_switches_to_reflex(house):
    for ago in range(20, 1, -1):
        accepted(house.worker.oura(oura_night("stressed", 62 + ago % 3, 55 + ago % 2, ago)))
    assert house.listener.of("stressed") == [], "history must not switch"

    accepted(house.worker.oura(oura_night("stressed", 30, 64)))

    note = house.listener.await_switch("stressed", "reflex")
    assert set(note) == {"user_id", "from_mode", "to_mode", "confidence", "trigger", "position",
                         "timestamp"}
    assert note["trigger"] == "hrv_drop"
    assert 0 < note["confidence"] <= 1
    assert house.mode("stressed") == "reflex"
    data, position = house.rows(
        "SELECT event_data, position FROM events.event_store"
        " WHERE stream_id = 'user:stressed' AND event_type = 'mode_switched'")[-1]
    assert position == note["position"]
    assert data["to_mode"] == "reflex" and data["from_mode"] == note["from_mode"]
    assert data["trigger"] == "hrv_drop" and data["reason"] and data["factors"]


def test_a_sick_week_switches_to_guardian(house):
    for ago in range(20, 1, -1):
        wobble = ago % 3 - 1
        accepted(house.worker.post("healthkit", night_exported(
            56 + wobble, 14 + 0.3 * wobble, 35.4 + 0.1 * wobble, 97 + 0.3 * wobble, 52 + 2 * wobble,
            ago=24 * ago), {"X-Auren-User": "sick"}))
    assert house.listener.of("sick") == [], "history must not switch"

    accepted(house.worker.post("healthkit", night_exported(70, 19, 36.9, 91, 48, ago=1),
                               {"X-Auren-User": "sick"}))

    note = house.listener.await_switch("sick", "guardian")
    assert note["trigger"] == "low_indicators"
    assert [n["to_mode"] for n in house.listener.of("sick")] == ["guardian"]
    factors = house.value("SELECT event_data -> 'factors' FROM events.event_store"
                          " WHERE position = %s", note["position"])
    metrics = {f["metric"] for f in factors if f["fired"]}
    assert {"resting_heart_rate", "respiratory_rate", "oxygen_saturation"} <= metrics, factors


@pytest.mark.parametrize("context", ["workout", "active"])
def test_a_workout_does_not_alarm(house, context):
    user = f"athlete_{context}"
    accepted(house.worker.post("healthkit", samples(
        user, *(sample("heartRate", 150 + i, 0.1 * i, context=context) for i in range(5)))))
    # The same heart rate at rest does alarm: so the silence above was for the context.
    accepted(house.worker.post("healthkit", samples(f"{user}_resting", sample("heartRate", 150))))
    house.listener.await_switch(f"{user}_resting", "reflex")
    assert house.listener.of(user) == []
    assert house.mode(user) == "baseline"
    assert {row[3] for row in house.readings(user)} == {context}


def test_old_readings_never_switch(house):
    accepted(house.worker.post("healthkit", samples("late", sample("heartRate", 150, ago=25))))
    accepted(house.worker.post("healthkit", samples("late_control", sample("heartRate", 150))))
    house.listener.await_switch("late_control", "reflex")
    assert house.mode("late") == "baseline"
    assert len(house.readings("late")) == 1


def test_a_calm_person_with_history_is_in_pattern(house):
    for ago in range(20, 1, -1):
        accepted(house.worker.oura(oura_night("calm", 60 + ago % 3, 55, ago)))
    for hours in (3, 2, 1):
        accepted(house.worker.post("healthkit", samples("calm", sample("heartRate", 64, hours))))
    note = house.listener.await_switch("calm", "pattern")
    assert note["from_mode"] == "baseline"


def test_mode_is_told_over_http(house):
    accepted(house.worker.post("healthkit", samples("asked", sample("heartRate", 150))))
    house.listener.await_switch("asked", "reflex")
    answer = house.worker.request("GET", "/api/v1/users/asked/mode",
                                  headers={"Authorization": f"Bearer {KEY}"})
    assert answer.status == 200, answer
    assert answer.json["user_id"] == "asked"
    assert answer.json["mode"] == "reflex"
    assert answer.json["trigger"] == "heart_rate_elevated"

    unknown = house.worker.request("GET", "/api/v1/users/nobody/mode", headers={"x-api-key": KEY})
    assert unknown.status == 200 and unknown.json["mode"] == "baseline"


def test_mode_wants_a_key_that_may_read_it(house):
    assert house.worker.request("GET", "/api/v1/users/asked/mode").status == 401
    wrong = house.worker.request("GET", "/api/v1/users/asked/mode",
                                 headers={"Authorization": "Bearer wrong"})
    assert wrong.status == 401
    assert wrong.headers["content-type"].startswith("application/problem+json")
    bound = house.worker.request("GET", "/api/v1/users/asked/mode",
                                 headers={"Authorization": f"Bearer {BOUND_KEY}"})
    assert bound.status == 403 and bound.json["code"] == "user_mismatch"


def test_every_switch_is_an_event_too(house):
    """A listener that was away reads all of them, at the positions it would have been told."""
    house.worker.post("healthkit", samples("read_later", sample("heartRate", 150)))
    note = house.listener.await_switch("read_later", "reflex")
    read = "SELECT position FROM neuros.read_switches(%s, 1000, 'read_later')"
    assert house.rows(read, 0) == [(note["position"],)]
    assert house.rows(read, note["position"]) == []
