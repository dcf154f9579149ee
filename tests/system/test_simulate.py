"""The simulator's stories, through the real worker: who alarms, and who does not."""

import json

from harness import KEY, OURA_SECRET, run_command


def simulate(*args):
    return run_command({"HEALTHKIT_API_KEYS": f"bound:someone,{KEY}", "OURA_CLIENT_SECRET": OURA_SECRET},
                       "simulate", *args)


def test_stories(house):
    """Eight people, two of each story."""
    done = simulate("--seed", 7, "--people", 8, "--days", 30,
                    "--to", f"http://127.0.0.1:{house.worker.port}")
    assert done.returncode == 0, done.stdout + done.stderr
    for user, mode in {"theo": "reflex", "tara": "reflex", "simon": "guardian", "selma": "guardian"}.items():
        house.listener.await_switch(user, mode)
    switched = [(note["user_id"], note["to_mode"]) for note in house.listener.collect()]
    # The evening settles everybody; after it the night and the workout of these four switch nothing.
    assert sorted(pair for pair in switched if pair[0] in ("nora", "nils", "wanda", "will")) == [
        (user, "pattern") for user in ("nils", "nora", "wanda", "will")]
    assert [mode for user, mode in switched if user == "simon"] == ["pattern", "guardian"]
    assert [mode for user, mode in switched if user == "theo"] == ["pattern", "reflex"]
    assert {house.mode(user) for user in ("nora", "nils", "wanda", "will")} == {"pattern"}
    assert house.value("SELECT max(value) FROM biometrics.biometric_events"
                       " WHERE user_id = 'wanda' AND context = 'workout'"
                       " AND recorded_at > now() - interval '1 day'") > 100


def test_one_person_by_hand(house):
    done = simulate("--user", "hand", "--set", "hrv_sdnn=45,heart_rate=135",
                    "--to", f"http://127.0.0.1:{house.worker.port}")
    assert done.returncode == 0, done.stdout + done.stderr
    house.listener.await_switch("hand", "reflex")
    assert [row[:2] for row in house.readings("hand")] == [("heart_rate", "135"), ("hrv_sdnn", "45")]


def test_stdout_is_what_would_be_sent(house):
    done = simulate("--seed", 3, "--people", 4, "--days", 3, "--to", "stdout")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(set(line) == {"provider", "headers", "body"} for line in lines)
    for line in lines:
        answer = house.worker.post(line["provider"], line["body"], line["headers"], key=None)
        assert answer.status == 202, answer


def test_bad_options_are_usage_errors():
    assert simulate("--people", 0, "--to", "stdout").returncode == 64
    assert simulate("--to", "ftp://x").returncode == 64
    bad = simulate("--user", "u", "--set", "luck=7", "--to", "stdout")
    assert bad.returncode == 64 and "heart_rate" in bad.stderr


def test_nobody_there_is_69():
    assert simulate("--days", 1, "--to", "http://127.0.0.1:9").returncode == 69
