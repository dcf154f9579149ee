"""The story of docs/week.md: what becomes of Mara's readings, and the picture of them. That the page shows
it as it is: test_docs.py."""

import os
import subprocess
import sys
import xml.etree.ElementTree

import psycopg.rows
import pytest

from harness import ROOT, shell

WEEK = ROOT / "examples/week"
sys.path.append(str(WEEK))
import plot  # noqa: E402

STORY = [
    ("pattern", "01-15 07:05", "calm"),
    ("reflex", "03-03 07:05", "hrv_drop"),
    ("pattern", "03-04 07:05", "calm"),
    ("reflex", "03-04 15:00", "stress_critical"),
    ("guardian", "03-05 07:05", "recovery_low"),
    ("hypothesis", "03-06 07:05", "anomalous_reading"),
    ("guardian", "03-07 07:05", "low_indicators"),
    ("pattern", "03-09 07:05", "calm"),
]


def tell(url, until=None):
    """Runs readings.sql as the worker's role; {status: (deliveries, readings, switches)}."""
    done = subprocess.run(
        [shell("pg_bin") + "/psql", "-X", "-q", "-At", "-d", url, "-v", "ON_ERROR_STOP=1",
         *(["-v", f"until={until}"] if until else []), "-f", WEEK / "readings.sql"],
        capture_output=True, text=True, check=True, timeout=300)
    assert not done.stderr
    return {status: tuple(map(int, counts)) for status, *counts in
            (line.split("|") for line in done.stdout.split("\n") if line)}


def switches(conn):
    return conn.execute(
        "SELECT mode, to_char(since AT TIME ZONE 'Europe/Berlin', 'MM-DD HH24:MI'), trigger"
        " FROM neuros.mode_history('mara') WHERE since IS NOT NULL").fetchall()


@pytest.fixture(scope="module")
def told(cluster):
    """The worker's URL and a connection of a database in which all has been told."""
    database = cluster.database()
    answers = tell(cluster.url(database))
    # 71 nights of 6 readings, 71 afternoons of one.
    assert answers == {"applied": (142, 497, len(STORY))}
    with cluster.connect(database) as conn:
        yield cluster.url(database), conn


def test_the_week_ends_as_the_page_tells(told):
    _, conn = told
    assert switches(conn) == STORY
    hypotheses = conn.execute(
        "SELECT event_data ->> 'metric', event_data ->> 'resolution' FROM events.replay_stream('user:mara')"
        " WHERE event_type LIKE 'hypothesis_%'").fetchall()
    assert hypotheses == [("respiratory_rate", None), ("respiratory_rate", "confirmed")]


def test_told_again_it_changes_nothing(told):
    url, conn = told
    before = conn.execute("SELECT count(*), max(position) FROM events.event_store").fetchone()
    assert tell(url) == {"duplicate": (142, 0, 0)}
    assert conn.execute("SELECT count(*), max(position) FROM events.event_store").fetchone() == before


def test_told_day_by_day_it_is_the_same(cluster, told):
    database = cluster.database()
    for day in range(1, 13):
        tell(cluster.url(database), f"2026-03-{day:02} 12:00+01")
    tell(cluster.url(database))
    with cluster.connect(database) as conn:
        decisions = ("SELECT event_data - 'event_id' FROM events.replay_stream('user:mara')"
                     " WHERE event_type = 'mode_switched'")
        assert conn.execute(decisions).fetchall() == told[1].execute(decisions).fetchall()


def test_the_picture_is_the_one_that_is_shown(told, tmp_path):
    """Another zone of the server, another language: the same bytes."""
    drawn = tmp_path / "week.svg"
    subprocess.run([sys.executable, WEEK / "plot.py", told[0], drawn], check=True, timeout=60,
                   env={**os.environ, "PGTZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8",
                        "PYTHONDONTWRITEBYTECODE": "1"})
    xml.etree.ElementTree.parse(drawn)
    assert drawn.read_bytes() == (ROOT / "docs/images/week.svg").read_bytes()


def test_its_lines_are_the_engines(told):
    """The reference and the limit that are drawn are those by which Tuesday was decided."""
    _, conn = told
    [[baseline, threshold]] = conn.execute(
        "SELECT (f -> 'baseline')::float8, (f -> 'threshold')::float8"
        " FROM events.replay_stream('user:mara') e, jsonb_array_elements(e.event_data -> 'factors') f"
        " WHERE e.event_data ->> 'trigger' = 'hrv_drop' AND f ->> 'trigger' = 'hrv_drop'").fetchall()
    with conn.cursor(row_factory=psycopg.rows.namedtuple_row) as cursor:
        asked = {"person": plot.PERSON, "from": plot.FROM, "to": plot.TO}
        nights = cursor.execute(plot.NIGHTS, asked).fetchall()
    [tuesday] = [night for night in nights if night.value < night.drop_limit]
    assert tuesday.reference == pytest.approx(baseline, rel=1e-9)
    assert tuesday.drop_limit == pytest.approx(threshold, rel=1e-9)
    assert tuesday.low < tuesday.reference < tuesday.high
