"""Checks, from the database and from what LISTEN told, that all of the demo happened.

    demo_check.py DATABASE_URL SWITCHES_FILE SENT_FILE HTTP_URL KEY

Prints a summary and every check that failed; exits 1 if any did.
"""

import json
import pathlib
import re
import sys
import time
import urllib.request

import psycopg

ALARMS = {"reflex", "guardian", "hypothesis"}
# Story by the person's number; what a person of that story must end in, and may never enter.
STORIES = [("a normal night", "pattern", ALARMS),
           ("a stressed night", "reflex", {"guardian"}),
           ("a workout", "pattern", ALARMS),
           ("a sick week", "guardian", {"reflex"})]
NAMES = ["nora", "theo", "wanda", "simon"]
PATIENCE = 30  # seconds for the last notification to arrive


class Checks:
    def __init__(self):
        self.failed = 0

    def that(self, holds, what):
        if not holds:
            self.failed += 1
            print(f"  FAILED: {what}")


def told(name):
    with open(name, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if "to_mode" in line]


def await_all(name, count):
    """A notification follows its commit: gives the last ones time to arrive."""
    end = time.monotonic() + PATIENCE
    while len(told(name)) < count and time.monotonic() < end:
        time.sleep(0.05)
    return told(name)


def main():
    url, switches_file, sent_file, http, key = sys.argv[1:]
    sent_text = pathlib.Path(sent_file).read_text(encoding="utf-8")
    sent = re.search(r"(\d+) deliveries sent, (\d+) refused", sent_text)
    history = re.search(r"(\d+) deliveries of history", sent_text)
    checks = Checks()
    with psycopg.connect(url, autocommit=True) as conn:
        one = lambda sql, *values: conn.execute(sql, values).fetchone()[0]
        switched = conn.execute(
            "SELECT position, substr(stream_id, 6), event_data ->> 'to_mode', event_data ->> 'reason'"
            " FROM events.event_store WHERE event_type = 'mode_switched' ORDER BY position").fetchall()
        heard = await_all(switches_file, len(switched))
        checks.that({s[0] for s in switched} == {n["position"] for n in heard},
                    "every mode_switched event was heard on LISTEN, and nothing else")
        stored = one("SELECT count(*) FROM events.event_store WHERE event_type = 'biometric_received'")
        readings = one("SELECT count(*) FROM biometrics.biometric_events")
        checks.that(sent and int(sent[2]) == 0, "no delivery was refused")
        checks.that(sent and stored == int(sent[1]) > 0, f"all deliveries are stored, {stored} are")
        checks.that(history is not None, "history was loaded")
        checks.that(one("SELECT coalesce(max(value), 0) FROM biometrics.biometric_events"
                        " WHERE user_id = 'wanda' AND metric_type = 'heart_rate' AND context = 'workout'"
                        " AND recorded_at > now() - interval '1 day'") > 100,
                    "the workout's heart rate is above 100")
        for name, (story, must, never) in zip(NAMES, STORIES):
            mine = [s for s in switched if s[1] == name]
            mode = one("SELECT neuros.current_mode(%s)", name)
            entered = {s[2] for s in mine}
            checks.that(must in entered and mode == must, f"{name} ({story}) is in {must}, not {mode}")
            # The evening settles everybody; a night like the others and a workout switch nothing after it.
            checks.that(len(mine) == (1 if must == "pattern" else 2),
                        f"{name} ({story}) switches {len(mine)} times")
            checks.that(not entered & never, f"{name} ({story}) never enters {entered & never}")
            # Through Kafka one person's today may come before another's history.
            today = len(re.findall(rf"^ *202 \w+ +\w+ +{name} ", sent_text, re.M))
            first = one("SELECT min(position) FROM (SELECT position FROM events.event_store"
                        " WHERE stream_id = %s AND event_type = 'biometric_received'"
                        " ORDER BY position DESC LIMIT %s) t", f"user:{name}", today)
            checks.that(not mine or first < mine[0][0], f"{name}'s history switches nothing")
            print(f"  {name:<6} {story:<17} {mode:<9} {mine[-1][3] if mine else ''}")
        request = urllib.request.Request(f"{http}/api/v1/users/theo/mode",
                                         headers={"Authorization": f"Bearer {key}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            checks.that(json.load(answer)["mode"] == "reflex", "the API tells the same mode")
        one("SELECT analytics.refresh_user_metrics()")  # the worker's own refresh may come later
        groups = one("SELECT count(*) FROM analytics.user_metrics_daily")
        checks.that(groups > 0, "daily metrics are computed")
        gaps = one("SELECT count(*) FROM (SELECT FROM events.event_store GROUP BY stream_id"
                   " HAVING min(version) <> 1 OR max(version) <> count(*)) s")
        checks.that(gaps == 0, f"no stream has a gap, {gaps} have")
        days = one("SELECT count(DISTINCT day) FROM analytics.user_metrics_daily")
    print(f"\n  {stored} deliveries, {readings} readings, {len(switched)} mode switches"
          f" ({len(heard)} heard on LISTEN), {groups} daily metrics over {days} days")
    if checks.failed == 0:
        print("  all of it happened, nothing was lost")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
