"""analytics.refresh_user_metrics after 1,000 groups have changed, a new reading for each of 1,000 people on
their last day: with BENCH_READINGS (10,000,000) readings stored against 100,000, five readings a day either
way; and against REFRESH MATERIALIZED VIEW CONCURRENTLY of the same aggregate over the same readings. For
comparison, late readings on days drawn from the whole history, whose pages nobody has in memory. The changes
come in by bridge.ingest_batch and are not timed.

What ingest pays for marking the groups it touches: batches of 500 deliveries with 4 readings, of groups that
are not marked yet and of groups that are, against the same without marks. For the latter the table of marks
is out of the way, as before an upgrade.

The history is written by the owner with the triggers off, and the table filled from the view it must equal.
"""

import os
import random

from report import ROUNDS, at_least, at_most, row, table, take_turns
from server import fresh_store, seconds, value

READINGS = int(os.environ.get("BENCH_READINGS", "10000000"))
FEW = 100000
PEOPLE = 1000
A_DAY = 5

FILL = """
INSERT INTO biometrics.biometric_events
  (user_id, device_type, metric_type, recorded_at, value, unit, quality, position)
SELECT 'p' || p, 'healthkit', 'heart_rate',
  timestamptz '2020-01-01Z' + d * interval '1 day' + r * interval '2 hours',
  50 + (p * 7 + d * 13 + r * 29) % 71 + 0.1, '/min', 1, 1
FROM generate_series({}, {}) AS d, generate_series(1, {}) AS p, generate_series(1, {}) AS r
"""
CHANGE = """
SELECT count(*) FROM bridge.ingest_batch(ARRAY(
  SELECT jsonb_build_object('source', 'healthkit', 'delivery_id', gen_random_uuid(), 'user_id', 'p' || p,
    'readings', jsonb_build_array(jsonb_build_object('metric', 'heart_rate', 'value', 100 + random(), 'start',
      to_char(timestamp '2020-01-01 01:00' + floor(%s + random() * %s) * interval '1 day'
        + random() * interval '20 hours', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))))
  FROM generate_series(%s::int, %s::int) AS p))
"""
VIEW = """
CREATE MATERIALIZED VIEW bench_metrics AS TABLE analytics.user_metrics_now;
CREATE UNIQUE INDEX ON bench_metrics (user_id, metric_type, day);
ANALYZE bench_metrics;
"""
DIFFERENCES = """
SELECT count(*) FROM (SELECT user_id, day, sample_count, p50_value FROM analytics.user_metrics_daily
  EXCEPT ALL SELECT user_id, day, sample_count, p50_value FROM {}) AS d
"""

BATCHES = """
CREATE TABLE bench_batches AS
SELECT side, n, ARRAY(
  SELECT jsonb_build_object('source', 'healthkit', 'delivery_id', concat_ws('-', side, n, p),
    'user_id', side || p, 'readings',
    (SELECT jsonb_agg(jsonb_build_object('metric', metric, 'value', 60, 'start',
       to_char(timestamp '2020-01-01' + day * interval '1 day' + n * interval '1 minute',
         'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
     FROM unnest('{{heart_rate,step_count,hrv_rmssd,respiratory_rate}}'::text[]) AS metric))
  FROM generate_series(1, 500) AS p) AS deliveries
FROM unnest('{{marks,none}}'::text[]) AS side, generate_series(1, {}) AS n, LATERAL (SELECT {} AS day) AS days
"""
TAKE = """
DO $$ BEGIN
  FOR i IN {} .. {} LOOP
    PERFORM count(*) FROM bridge.ingest_batch((
      SELECT deliveries FROM bench_batches WHERE side = '{}' AND n = i));
  END LOOP;
END $$
"""
AT_ONCE = 10  # batches a measurement


def filled(name, readings):
    conn = fresh_store(name)
    conn.execute("SET work_mem = '256MB'; ALTER TABLE biometrics.biometric_events DISABLE TRIGGER USER")
    days = readings // PEOPLE // A_DAY
    for first in range(0, days, 50):
        conn.execute(FILL.format(first, min(first + 50, days) - 1, PEOPLE, A_DAY))
    conn.execute("ALTER TABLE biometrics.biometric_events ENABLE TRIGGER USER")
    conn.execute("INSERT INTO analytics.user_metrics_daily TABLE analytics.user_metrics_now")
    conn.execute("VACUUM (ANALYZE) biometrics.biometric_events")
    conn.execute("VACUUM (ANALYZE) analytics.user_metrics_daily")
    conn.execute("CHECKPOINT")
    return conn, days


def change(conn, first_day, days):
    conn.execute("SELECT setseed(%s)", (random.random(),))
    for first in (1, 501):
        conn.execute(CHANGE, (first_day, days, first, first + 499))


def refresh(conn, first_day, days):
    change(conn, first_day, days)
    return seconds(conn, "SELECT analytics.refresh_user_metrics()") * 1000


def refresh_view(conn, first_day, days):
    change(conn, first_day, days)
    return seconds(conn, "REFRESH MATERIALIZED VIEW CONCURRENTLY bench_metrics") * 1000


def history():
    few, few_days = filled("bench_few", FEW)
    many, many_days = filled("bench", READINGS)
    with few, many:
        table("refresh_user_metrics, 1,000 changed groups", "ms")
        for what, last_only, goal in ((", the last day", True, at_most(1.5)), (", any day", False, None)):
            many_drawn = (many_days - 1, 1) if last_only else (0, many_days)
            few_drawn = (few_days - 1, 1) if last_only else (0, few_days)
            for conn, drawn in ((few, few_drawn), (many, many_drawn)) * 2:
                refresh(conn, *drawn)  # compiles, plans, brings into memory
            sides = take_turns({"many": lambda d=many_drawn: refresh(many, *d),
                                "few": lambda d=few_drawn: refresh(few, *d)})
            row(f"{READINGS:,} readings{what}", sides["many"], f"{FEW:,} readings", sides["few"], goal)
        assert value(few, DIFFERENCES.format("analytics.user_metrics_now")) == 0

        many.execute(VIEW)
        sides = take_turns({"AUREN": lambda: refresh(many, many_days - 1, 1),
                            "view": lambda: refresh_view(many, many_days - 1, 1)}, min(ROUNDS, 3))
        many.execute("SELECT analytics.refresh_user_metrics()")
        assert value(many, DIFFERENCES.format("bench_metrics")) == 0
        table(f"the same on the last day, {READINGS:,} readings", "a second")
        row("refresh_user_metrics", [1000 / ms for ms in sides["AUREN"]], "REFRESH ... CONCURRENTLY",
            [1000 / ms for ms in sides["view"]], at_least(200))


def take(conn, side, number):
    name = "touched_days" if side == "marks" else "bench_away"
    conn.execute(f"ALTER TABLE IF EXISTS analytics.{'bench_away' if side == 'marks' else 'touched_days'}"
                 f" RENAME TO {name}")
    first = number * AT_ONCE + 1
    return 500 * AT_ONCE / seconds(conn, TAKE.format(first, first + AT_ONCE - 1, side))


def marks(what, day):
    """Sides of the same batches, each on people of its own, none of which is taken twice."""
    with fresh_store("bench_marks") as conn:
        conn.execute(BATCHES.format((ROUNDS + 1) * AT_ONCE, day))
        turns = {"marks": iter(range(ROUNDS + 1)), "none": iter(range(ROUNDS + 1))}
        for side, turn in turns.items():
            take(conn, side, next(turn))
        sides = take_turns({side: lambda s=side: take(conn, s, next(turns[s])) for side in turns})
        row(what, sides["marks"], "without marks", sides["none"], at_least(0.9))


def run():
    history()
    table("ingest_batch of 500 deliveries with 4 readings", "deliveries/s")
    marks("groups not marked yet", "n")
    marks("groups marked already", "1")
