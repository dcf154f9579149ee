"""How often a person's state is written: a day of 1,000 people, counted in row versions of
neuros.person_states against deliveries.

The day: from 06:00 to 22:00 each one's phone syncs heart rate and stress every hour (16 deliveries), and for
BENCH_LIVE_SECONDS (1200) of it a watch sends both once a second (1,200 deliveries). A row written with every
delivery would be written 1,216 times.

Heart rate wanders by some beats around a level that differs from person to person and hour to hour.
"""

import os

from report import at_most, single, table
from server import fresh_store, value

PEOPLE = 1000
LIVE_SECONDS = int(os.environ.get("BENCH_LIVE_SECONDS", "1200"))
SYNCS = 16

# Everybody's delivery at a moment of the day, one call. `live`: of the watch.
TAKE = """
CREATE FUNCTION bench_take(at timestamptz, live boolean) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM bridge.ingest_batch((
    SELECT array_agg(jsonb_build_object('source', CASE WHEN live THEN 'watch' ELSE 'phone' END,
      'delivery_id', at, 'user_id', 'person-' || p, 'received_at', at + interval '1 s',
      'readings', jsonb_build_array(
        jsonb_build_object('metric', 'heart_rate', 'start', at, 'source', 'Watch', 'value', round((
          60 + p % 20 + 10 * sin(extract(hour FROM at) + p) + 4 * sin(extract(epoch FROM at) / 45 + p)
          + extract(epoch FROM at)::bigint * (p + 7) % 4)::numeric)),
        jsonb_build_object('metric', 'stress_level', 'start', at, 'source', 'Watch', 'value', round((
          0.35 + 0.15 * sin(extract(epoch FROM at) / 900 + p))::numeric, 2)))) ORDER BY p)
    FROM generate_series(1, 1000) AS p)) WHERE status = 'applied'
$$
"""


def written(conn):
    conn.execute("SELECT pg_stat_force_next_flush()")
    return value(conn, "SELECT n_tup_ins + n_tup_upd FROM pg_stat_user_tables"
                 " WHERE relid = 'neuros.person_states'::regclass")


def run():
    with fresh_store() as conn:
        conn.execute(TAKE)
        deliveries = 0
        for sync in range(SYNCS):
            deliveries += value(conn, "SELECT bench_take('2025-03-10T06:00Z'::timestamptz"
                                " + %s * interval '1 hour', false)", sync)
            if sync == SYNCS // 2:
                for second in range(LIVE_SECONDS):
                    deliveries += value(conn, "SELECT bench_take('2025-03-10T14:01Z'::timestamptz"
                                        " + %s * interval '1 s', true)", second)
        assert deliveries == PEOPLE * (SYNCS + LIVE_SECONDS), deliveries
        table(f"a day of {PEOPLE:,} people, {deliveries:,} deliveries", "a hundred")
        single("state writes to 100 deliveries", [100 * written(conn) / deliveries], at_most(10))
