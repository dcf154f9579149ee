"""A stream of 10, 1,000 and 10,000 events of 200 bytes: events.replay_stream against the plain SELECT from
the same table, both prepared, from one client that receives every row.

Its state: events.fold_stream, which uses no snapshot, against the fold in PL/pgSQL, state || event_data event
by event and nulls removed at the end, inside the server; with 8 keys in all, and with 8 of 1,000 keys in each
event. And events.get_stream_state, which keeps snapshots, of 10,000 events against 10, after a first call.

The store's statistics say that a stream is short, so that a prepared statement is planned once. What it costs
to plan each time, which is twice as much for two tables as for one, is a row of its own.
"""

from report import at_least, at_most, row, table, take_turns
from server import fill, fresh_store, milliseconds, pgbench, value

STREAMS = (("ten", 10, 1000, 0.8), ("thousand", 1000, 20, 0.9), ("more", 10000, 4, 0.95))
REPLAY = "SELECT * FROM events.replay_stream('{0}:' || :n);\n"
SELECT = "SELECT * FROM events.event_store WHERE stream_id = '{0}:' || :n ORDER BY version;\n"

WIDE = """
SELECT events.append_batch(array_agg('wide:1'::text), array_agg('keys_set'::text), array_agg(data)) FROM (
  SELECT jsonb_object_agg('metric_' || (n * 8 + k) % 1000, n) AS data
  FROM generate_series(1, 10000) AS n, generate_series(0, 7) AS k
  GROUP BY n ORDER BY n) AS e
"""
FOLD = """
CREATE FUNCTION bench_fold(p_stream_id text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  state jsonb := '{}';
  data jsonb;
BEGIN
  FOR data IN
    SELECT event_data FROM events.event_store WHERE stream_id = p_stream_id ORDER BY version
  LOOP
    state := state || data;
  END LOOP;
  RETURN jsonb_strip_nulls(state);
END $$
"""


def fold_of(stream):
    return f"PERFORM events.fold_stream('{stream}');"


def state_of(stream):
    return f"PERFORM events.get_stream_state('{stream}');"


def compare(what, draw, category, plan_cache_mode, goal):
    settings = f"-c plan_cache_mode={plan_cache_mode}"
    got = take_turns({name: lambda s=draw + query.format(category): pgbench("bench", s, settings=settings)
                      for name, query in (("AUREN", REPLAY), ("SELECT", SELECT))})
    row(what, got["AUREN"], "prepared SELECT", got["SELECT"], goal)


def replays():
    table("replay, rows received by one client", "replays/s")
    for category, events, streams, goal in STREAMS:
        draw = f"\\set n random(0, {streams - 1})\n"
        compare(f"{events:,} events", draw, category, "auto", at_least(goal))
    draw = f"\\set n random(0, {STREAMS[0][2] - 1})\n"
    compare("10 events, planned each time", draw, STREAMS[0][0], "force_custom_plan", None)


def states(conn):
    table("state of 10,000 events, inside the server", "ms")
    for what, stream, limit in (("8 keys", "more:1", 5), ("1,000 keys", "wide:1", 100)):
        same = f"SELECT events.fold_stream('{stream}')->'state' = bench_fold('{stream}')"
        if not value(conn, same):
            raise RuntimeError(f"the two folds of {stream} differ")
        got = take_turns({"AUREN": lambda s=stream: milliseconds(conn, fold_of(s)),
                          "fold": lambda s=stream: milliseconds(conn, f"PERFORM bench_fold('{s}');")})
        row(what, got["AUREN"], "fold in PL/pgSQL", got["fold"], at_most(1 / limit))
    got = take_turns({"long": lambda: milliseconds(conn, state_of("more:1"), 100, before=state_of("more:1")),
                      "short": lambda: milliseconds(conn, state_of("ten:1"), 100, before=state_of("ten:1"))})
    row("second and later calls", got["long"], "AUREN, 10 events", got["short"], at_most(2))


def run():
    with fresh_store() as conn:
        for category, events, streams, _ in STREAMS:
            fill(conn, category, events * streams, streams)
        conn.execute(WIDE)
        conn.execute(FOLD)
        conn.execute("VACUUM ANALYZE events.event_store")
        replays()
        states(conn)
