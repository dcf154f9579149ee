"""bridge.ingest_batch, 500 deliveries with 4 readings each in a call, against plain SQL that only inserts the
same: one INSERT of the 500 events and one of their 2,000 readings, set by set, ready-made, into tables of the
same columns and indexes. The plain side checks nothing, looks nothing up, converts nothing and decides
nothing, and is given what ingest has to work out: ids, positions, versions, days.

Each call is a transaction of its own, timed inside the server. Once for people who are new, once for people
who have been sending for 30 days: then each delivery is checked against their baselines. The plain side's
tables hold that history, too, so that both have indexes of the same depth.

Then four connections at once against one, each with people of its own.
"""

from report import at_least, row, table, take_turns
from server import fresh_store, pgbench, seconds, value

PEOPLE = 500
READINGS = 4
HISTORY_DAYS = 30
CALLS = 4  # a measurement

# Person p's delivery number n: a minute apart, nothing in it out of the ordinary.
DELIVERY = """
CREATE FUNCTION bench_delivery(p text, n bigint, at timestamptz) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('source', 'healthkit', 'delivery_id', p || '-' || n, 'user_id', p,
    'received_at', at + interval '5 s', 'readings', jsonb_build_array(
      jsonb_build_object('metric', 'heart_rate', 'value', 60 + abs(n) % 7, 'unit', 'count/min', 'start', at,
        'source', 'Watch'),
      jsonb_build_object('metric', 'hrv_sdnn', 'value', 55 + abs(n) % 5, 'unit', 'ms', 'start', at,
        'source', 'Watch'),
      jsonb_build_object('metric', 'oxygen_saturation', 'value', 96 + abs(n) % 3, 'unit', '%', 'start', at,
        'source', 'Watch'),
      jsonb_build_object('metric', 'respiratory_rate', 'value', 14 + abs(n) % 2, 'unit', '/min', 'start', at,
        'source', 'Watch')))
$$;
CREATE TABLE bench_calls (kind text, id int, deliveries jsonb[]);
ALTER TABLE bench_calls ALTER deliveries SET STORAGE EXTERNAL;
"""

# The plain side: tables of the same columns and indexes, and the rows of each call, ready to be inserted.
PLAIN = """
CREATE TABLE raw_store (LIKE events.event_store INCLUDING ALL);
CREATE TABLE raw_readings (LIKE biometrics.biometric_events INCLUDING ALL);
CREATE TABLE raw_calls_events (id int, LIKE events.event_store);
CREATE TABLE raw_calls_readings (id int, LIKE biometrics.biometric_events);
CREATE INDEX ON raw_calls_events (id);
CREATE INDEX ON raw_calls_readings (id);
"""


def columns(conn, relation):
    return value(
        conn, "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
        f" WHERE attrelid = '{relation}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''")


class Sides:
    """Ingest takes calls that nobody has seen; the rows it made of them are what the plain side inserts."""

    def __init__(self, conn):
        self.conn = conn
        self.calls = 0
        self.of_events = columns(conn, "events.event_store")
        self.of_readings = columns(conn, "biometrics.biometric_events")

    def give_history(self):
        """30 days of daily readings for the people who are not new, on both sides: indexes of equal depth."""
        for day in range(HISTORY_DAYS, 1, -1):
            self.conn.execute(
                "SELECT count(*) FROM bridge.ingest_batch(ARRAY(SELECT bench_delivery('old-' || p, -%s,"
                " date_trunc('day', now()) - %s * interval '1 day') FROM generate_series(1, %s) AS p))",
                (day, day, PEOPLE))
        self.conn.execute(f"INSERT INTO raw_store ({self.of_events}) SELECT {self.of_events}"
                          " FROM events.event_store ORDER BY position")
        self.conn.execute(f"INSERT INTO raw_readings ({self.of_readings}) SELECT {self.of_readings}"
                          " FROM biometrics.biometric_events ORDER BY position")
        self.conn.execute("VACUUM ANALYZE")

    def prepare_calls(self, kind):
        """CALLS calls: of new people, or each one more of the same people."""
        first = self.calls
        self.calls += CALLS
        for call in range(first, self.calls):
            person = f"'new-{call}-' || p" if kind == "new" else "'old-' || p"
            self.conn.execute(
                f"INSERT INTO bench_calls SELECT '{kind}', {call}, array_agg(bench_delivery({person}, {call},"
                f" date_trunc('day', now()) - interval '1 day' + {call} * interval '1 min') ORDER BY p)"
                f" FROM generate_series(1, {PEOPLE}) AS p")
        return range(first, self.calls)

    def ingest(self, kind):
        calls = self.prepare_calls(kind)
        before = value(self.conn, "SELECT coalesce(max(position), 0) FROM events.event_store")
        taken = 0
        for call in calls:
            taken += seconds(self.conn,
                             "SELECT count(*) FROM bench_calls c CROSS JOIN bridge.ingest_batch(c.deliveries)"
                             " WHERE c.id = %s", call)
        # Nothing is out of the ordinary: no mode was switched, which is an event of its own.
        events = value(self.conn, "SELECT count(*) FROM events.event_store WHERE position > %s", before)
        assert events == PEOPLE * CALLS, events
        self.conn.execute("TRUNCATE raw_calls_events, raw_calls_readings")
        self.conn.execute(
            "INSERT INTO raw_calls_events SELECT (row_number() OVER (ORDER BY position) - 1) / %s, e.*"
            " FROM events.event_store e WHERE position > %s", (PEOPLE, before))
        self.conn.execute(
            f"INSERT INTO raw_calls_readings (id, {self.of_readings}, end_at, day)"
            f" SELECT e.id, {', '.join('b.' + name for name in self.of_readings.split(', '))},"
            " b.end_at, b.day"
            " FROM raw_calls_events e JOIN biometrics.biometric_events b USING (position)")
        assert value(self.conn, "SELECT count(*) FROM raw_calls_readings") == events * READINGS
        return events * READINGS / taken

    def plain(self):
        taken = 0
        for call in range(CALLS):
            # Both in one message, which is one transaction.
            taken += seconds(
                self.conn,
                f"INSERT INTO raw_store ({self.of_events})"
                f" SELECT {self.of_events} FROM raw_calls_events WHERE id = {call};"
                f"INSERT INTO raw_readings ({self.of_readings})"
                f" SELECT {self.of_readings} FROM raw_calls_readings WHERE id = {call}")
        return PEOPLE * READINGS * CALLS / taken


# One call a transaction, of the connection's own people, each time a minute later.
OWN = f"""\\set n random(1, 1000000000)
SELECT count(*) FROM bridge.ingest_batch(ARRAY(
  SELECT jsonb_set(jsonb_set(d, '{{delivery_id}}', to_jsonb((d ->> 'delivery_id') || :n)), '{{user_id}}',
    to_jsonb('c' || :client_id || '-' || (d ->> 'user_id') || :n))
  FROM bench_calls CROSS JOIN unnest(deliveries) AS d WHERE id = 0));
"""


def run():
    with fresh_store() as conn:
        conn.execute(DELIVERY + PLAIN)
        sides = Sides(conn)
        sides.give_history()
        table(f"ingest_batch, {PEOPLE} deliveries with {READINGS} readings a call, a commit each",
              "readings/s")
        for what, kind in (("new people", "new"), (f"people with {HISTORY_DAYS} days", "old")):
            sides.ingest(kind)
            sides.plain()
            got = take_turns({"AUREN": lambda k=kind: sides.ingest(k), "plain": sides.plain})
            row(what, got["AUREN"], "plain INSERTs, set by set", got["plain"], at_least(0.6))
        table(f"ingest_batch, calls of {PEOPLE} people of their own, a commit each", "readings/s")
        got = take_turns({
            "four": lambda: PEOPLE * READINGS * pgbench("bench", OWN, 4),
            "one": lambda: PEOPLE * READINGS * pgbench("bench", OWN, 1),
        })
        row("4 connections", got["four"], "AUREN, one connection", got["one"], at_least(1.7))
