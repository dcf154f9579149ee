"""auren-worker dead-letters: what was refused is looked at, taken in once more or put aside."""

import base64
import json
import shutil
import signal
import subprocess

import pytest

from bodies import exported, sample, samples
from harness import BOUND_KEY, BOUND_USER, PATIENCE, ROOT, await_that, program


class Letters:
    """A house whose HealthKit file knows no body, and one that is mended; and the command."""

    def __init__(self, house, broken, mended):
        self.house, self.broken, self.mended = house, broken, mended

    def start(self, *args, devices=None, url=None):
        env = {**self.house.worker.env, "AUREN_DEVICES_DIR": str(devices or self.mended)}
        if url:
            env["POSTGRES_URL"] = url
        return subprocess.Popen([program(), "dead-letters", *map(str, args)], cwd=ROOT, env=env,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *args, code=0, **more):
        """stdout, as text."""
        process = self.start(*args, **more)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, (process.returncode, out, err)
        self.err = err.decode()
        return out.decode()

    def refused(self, body, key=None, headers=None):
        """Posts what the worker's device file does not know; the id of its letter."""
        known = self.house.value("SELECT coalesce(max(id), 0) FROM bridge.dead_letters")
        answer = self.house.worker.post("healthkit", body, headers, **({"key": key} if key else {}))
        assert answer.status == 422, answer
        letter = self.house.value("SELECT max(id) FROM bridge.dead_letters")
        assert letter > known
        return letter

    def row(self, letter):
        return self.house.rows("SELECT status, attempts, reason, detail, note FROM bridge.dead_letters"
                               " WHERE id = %s", letter)[0]


@pytest.fixture(scope="module")
def letters(cluster, tmp_path_factory):
    from house import House  # the module's own, with its own devices
    mended = ROOT / "config/devices"
    broken = tmp_path_factory.mktemp("devices") / "devices"
    shutil.copytree(mended, broken)
    for name in ("healthkit", "health_auto_export"):
        file = broken / f"{name}.yaml"
        text = file.read_text(encoding="utf-8")
        text = text.replace("/samples", "/renamed").replace("/data/metrics", "/renamed")
        file.write_text(text, encoding="utf-8")
    house = House(cluster, env={"AUREN_DEVICES_DIR": str(broken)})
    yield Letters(house, broken, mended)
    house.close()


def test_a_mended_device_file_lets_the_body_in_once(letters):
    letter = letters.refused(samples("ada", sample("heartRate", 70), sample("heartRate", 71, ago=1)))
    assert letters.row(letter)[:3] == ("open", 1, "wrong_shape")
    assert "expected a JSON object with" in letters.row(letter)[3]

    out = letters.run("retry", letter, code=1, devices=letters.broken)
    assert out.startswith(f"{letter} open: wrong_shape: ")
    assert letters.row(letter)[:2] == ("open", 2)
    assert letters.house.received("ada") == 0

    out = letters.run("retry", letter)
    assert out.startswith(f"{letter} retried: applied ")
    assert letters.row(letter)[:2] == ("retried", 3)
    assert letters.house.received("ada") == 1 and len(letters.house.readings("ada")) == 2
    # As of when it came, with the request's own trace and key.
    assert letters.house.value(
        "SELECT date_trunc('milliseconds', d.first_seen) = (e.metadata ->> 'received_at')::timestamptz"
        " AND e.metadata ->> 'trace_id' = d.headers ->> 'trace_id'"
        " AND e.metadata ->> 'key_name' = d.headers ->> 'key_name'"
        " FROM bridge.dead_letters d, events.event_store e"
        " WHERE d.id = %s AND e.stream_id = 'user:ada' AND e.event_type = 'biometric_received'", letter)

    out = letters.run("retry", letter, code=1)
    assert out == "" and f"dead letter {letter} is already retried" in letters.err
    assert letters.house.received("ada") == 1 and letters.row(letter)[1] == 3


def test_a_dry_run_says_it_and_changes_nothing(letters):
    letter = letters.refused(samples("bea", sample("heartRate", 70)))
    before = letters.row(letter)
    assert letters.run("retry", letter, "--dry-run").startswith(f"{letter} would be retried: applied ")
    out = letters.run("retry", letter, "--dry-run", code=1, devices=letters.broken)
    assert out.startswith(f"{letter} would be open: wrong_shape: ")
    assert letters.run("discard", letter, "--dry-run", "--note", "n") == f"{letter} would be discarded\n"
    assert letters.row(letter) == before and letters.house.received("bea") == 0
    letters.run("retry", letter)
    assert letters.house.received("bea") == 1


def test_the_keys_person_is_remembered(letters):
    """Health Auto Export's bodies name nobody: the key, or a header, did."""
    bound = letters.refused(exported(("heart_rate", "count/min", 61)), key=BOUND_KEY)
    named = letters.refused(exported(("heart_rate", "count/min", 62)), headers={"X-Auren-User": "dot"})
    before = letters.house.received(BOUND_USER)
    letters.run("retry", bound, named)
    assert letters.house.received(BOUND_USER) == before + 1 and letters.house.received("dot") == 1
    kept = letters.house.rows("SELECT headers FROM bridge.dead_letters WHERE id = ANY(%s)", [bound, named])
    assert BOUND_KEY not in json.dumps(kept)


def test_a_connection_wins(letters):
    letter = letters.refused(samples("phone-7", sample("heartRate", 70)))
    letters.house.db.execute("SELECT bridge.link_user('healthkit', 'phone-7', 'eve')")
    letters.run("retry", letter)
    assert letters.house.received("eve") == 1 and letters.house.received("phone-7") == 0


def test_a_part_that_is_good_is_not_stored_twice(letters):
    """Two people in one body; the stream of one is closed: the other's is stored, once."""
    body = [samples("lea", sample("heartRate", 70)), samples("max", sample("heartRate", 71))]
    letter = letters.refused(body)
    letters.house.db.execute("SELECT events.append_event('user:max', 'was_here', '{}')")
    letters.house.db.execute("SELECT events.tombstone_stream('user:max')")
    for attempt in (2, 3):
        assert letters.run("retry", letter, code=1).startswith(f"{letter} open: stream_tombstoned")
        assert letters.row(letter)[:3] == ("open", attempt, "stream_tombstoned")
        assert letters.house.received("lea") == 1 and letters.house.received("max") == 0


def test_a_filter_takes_those_it_means(letters):
    first = letters.refused(samples("fay", sample("heartRate", 70)))
    second = letters.refused(samples("fay", sample("heartRate", 71)))
    other = letters.house.value("SELECT bridge.add_dead_letter('http:/webhooks/healthkit', '{', 'malformed')")
    lines = letters.run("list", "--json", "--reason", "wrong_shape").splitlines()
    listed = {json.loads(line)["id"] for line in lines}
    assert {first, second} <= listed and other not in listed
    out = letters.run("retry", "--reason", "wrong_shape", "--since", "1h")
    assert f"{first} retried" in out and out.index(f"{first} r") < out.index(f"{second} r")
    assert letters.house.received("fay") == 2
    assert letters.row(other)[:2] == ("open", 1)
    assert letters.run("retry", "--reason", "wrong_shape") == ""
    out = letters.run("discard", "--reason", "malformed", "--note", "a test of the vendor's")
    assert out == f"{other} discarded\n"
    assert letters.row(other)[0::4] == ("discarded", "a test of the vendor's")
    letters.run("discard", other, "--note", "again", code=1)
    assert "already discarded" in letters.err


def test_list_and_show(letters):
    db = letters.house.db
    body = json.dumps({"samples": "grüße"}, ensure_ascii=False)
    text = db.execute("SELECT bridge.add_dead_letter('http:/webhooks/healthkit', convert_to(%s, 'UTF8'),"
                      " 'wrong_shape', p_detail => 'because')", [body]).fetchone()[0]
    raw = b"\x1b[2J\x00\xff"
    record = db.execute("SELECT bridge.add_dead_letter('biometric-events', %s, 'malformed', p_key => 'gus',"
                        " p_partition => 3, p_offset => 41)", [raw]).fetchone()[0]
    table = [line.split() for line in letters.run("list").split("\n")]
    assert table[0] == ["id", "status", "topic", "record", "reason", "attempts", "first_seen", "size"]
    assert [str(record), "open", "biometric-events", "3:41", "malformed", "1"] in [row[:6] for row in table]
    assert f"value:\n{body}\n" in letters.run("show", text)
    shown = letters.run("show", record)
    assert f"value, base64:\n{base64.b64encode(raw).decode()}\n" in shown and "\x1b" not in shown
    process = letters.start("show", record, "--raw")
    assert process.communicate(timeout=PATIENCE)[0] == raw
    letters.run("show", 10**9, code=1)
    letters.run("discard", text, record, "--note", "shown")
    assert str(record) not in [row.split(" ")[0] for row in letters.run("list").split("\n")]
    assert str(record) in [row.split(" ")[0] for row in
                           letters.run("list", "--status", "discarded").split("\n")]


def test_a_record_of_kafkas(letters):
    db = letters.house.db
    delivery = {"source": "healthkit", "delivery_id": "k-1", "user_id": "hal",
                "readings": [{"metric": "heart_rate", "value": 61, "unit": "/min",
                              "start": "2025-03-01T09:00:00Z"}]}
    good, foreign, unreadable = (
        db.execute("SELECT bridge.add_dead_letter('biometric-events', convert_to(%s, 'UTF8'), 'sql_error',"
                   " p_partition => 0, p_offset => %s, p_headers => %s)",
                   [value, offset, json.dumps(headers)]).fetchone()[0]
        for offset, (value, headers) in enumerate([
            (json.dumps(delivery), []), ("{}", []),
            ("x", [{"key": "content-type", "value": "application/x-protobuf"}])]))
    out = letters.run("retry", good, foreign, unreadable, code=1).split("\n")
    assert out[0].startswith(f"{good} retried: applied ") and letters.house.received("hal") == 1
    assert out[1].startswith(f"{foreign} open: wrong_shape: ")
    assert out[2].startswith(f"{unreadable} open: ")
    assert letters.row(unreadable)[1:3] == (2, "malformed")
    letters.run("discard", foreign, unreadable, "--note", "tried")


def test_a_record_in_protobuf(letters):
    text = """source: "healthkit" delivery_id: "k-2" user_id: "hal-p"
              readings {metric: "heart_rate" number: 61 unit: "/min" start: "2025-03-01T09:00:00Z"}"""
    value = subprocess.run(["protoc", "-I", ".", "--encode=auren.v1.Delivery", "auren/v1/delivery.proto"],
                           cwd=ROOT / "proto", input=text.encode(), capture_output=True, check=True).stdout
    letter = letters.house.value(
        "SELECT bridge.add_dead_letter('biometric-events', %s, 'sql_error', p_partition => 0, p_offset => 9,"
        " p_headers => %s)", value, json.dumps([{"key": "content-type", "value": "application/protobuf"}]))
    assert letters.run("retry", letter).startswith(f"{letter} retried: applied ")
    assert letters.house.received("hal-p") == 1 and letters.row(letter)[0] == "retried"


def test_a_failure_of_sql_leaves_it_open(letters):
    """What the database refuses as a whole undoes the delivery, not the count of the attempt."""
    letter = letters.refused(samples("ivy", sample("heartRate", 70)))
    db = letters.house.db
    db.execute("CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS"
               " $$ BEGIN RAISE check_violation USING MESSAGE = 'not today'; END $$;"
               "CREATE TRIGGER refuse BEFORE INSERT ON events.event_store FOR EACH ROW"
               " WHEN (NEW.stream_id = 'user:ivy') EXECUTE FUNCTION public.refuse()")
    try:
        letters.run("retry", letter, code=1)
        assert letters.row(letter)[0:2] == ("open", 2)
    finally:
        db.execute("DROP TRIGGER refuse ON events.event_store; DROP FUNCTION public.refuse()")
    letters.run("retry", letter)
    assert letters.house.received("ivy") == 1


def test_killed_in_the_middle_it_has_done_nothing(letters):
    """Killed after the event is stored and before the letter says so: neither is there."""
    letter = letters.refused(samples("jon", sample("heartRate", 70)))
    db = letters.house.db
    db.execute("CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS"
               " $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$;"
               "CREATE TRIGGER hold BEFORE UPDATE ON bridge.dead_letters FOR EACH ROW"
               " EXECUTE FUNCTION public.hold()")
    backends = ("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'auren-worker/dead-letters'"
                " AND datname = current_database()")
    try:
        db.execute("SELECT pg_advisory_lock(42)")
        process = letters.start("retry", letter)
        await_that(lambda: letters.house.value(backends + " AND wait_event = 'advisory'") == 1,
                   "the command has stored the event and waits")
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
        db.execute("SELECT pg_advisory_unlock(42)")
        await_that(lambda: letters.house.value(backends) == 0, "its session ends")
    finally:
        db.execute("SELECT pg_advisory_unlock_all();"
                   "DROP TRIGGER hold ON bridge.dead_letters; DROP FUNCTION public.hold()")
    assert letters.row(letter)[:2] == ("open", 1) and letters.house.received("jon") == 0
    letters.run("retry", letter)
    assert letters.row(letter)[:2] == ("retried", 2) and letters.house.received("jon") == 1


def test_two_at_once_take_it_in_once(letters):
    letter = letters.refused(samples("kim", sample("heartRate", 70)))
    both = [letters.start("retry", letter) for _ in range(2)]
    for process in both:
        process.communicate(timeout=PATIENCE)
    assert sorted(process.returncode for process in both) == [0, 1]
    assert letters.house.received("kim") == 1 and letters.row(letter)[:2] == ("retried", 2)


def test_no_database(letters):
    letters.run("list", code=69, url="postgresql:///auren?host=/nowhere")
    letters.run("retry", 1, code=69, url="postgresql:///auren?host=/nowhere")
