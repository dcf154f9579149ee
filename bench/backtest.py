"""neuros.backtest over stored history, on one core: readings a second, from the stored events to the last
decision, against a limit. Beside it, for comparison, the plain SQL that only takes the same readings' values
out of the stored events and adds them up.

Histories of 60 days: deliveries of 4 readings, as a watch sends them through the day, and of 100, as an
exporter sends them; each under the configuration that held and under another one.
"""

from report import at_least, row, single, table, take_turns
from server import fresh_store, seconds, value

GOAL = 1_000_000
SHAPES = (("4 a delivery", "few", 100, 12, 4), ("100 a delivery", "many", 20, 6, 100))
OTHER = '{"thresholds": {"hrv_drop_ms": 15, "heart_rate_elevated": 95}}'

FILL = """
CREATE PROCEDURE bench_fill(p_name text, p_persons int, p_deliveries int, p_readings int)
LANGUAGE plpgsql AS $$
BEGIN
  FOR day IN 1..60 LOOP
    PERFORM bridge.ingest_batch(ARRAY(
      SELECT jsonb_build_object(
        'source', 'apple_health', 'delivery_id', format('%s-%s-%s', p_name, day, d),
        'user_id', p_name || person, 'received_at', t.received,
        'readings', (
          SELECT jsonb_agg(jsonb_build_object(
            'metric', CASE n % 4 WHEN 0 THEN 'hrv_sdnn' WHEN 1 THEN 'respiratory_rate' ELSE 'heart_rate' END,
            'value', CASE n % 4 WHEN 0 THEN 45 WHEN 1 THEN 14 ELSE 70 END
                     + (hashint4(person * 7919 + day * 31 + d * 5 + n) & 15),
            'source', 'watch',
            'start', to_char(t.received - n * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')))
          FROM generate_series(1, p_readings) AS n))
      FROM generate_series(1, p_persons) AS person, generate_series(1, p_deliveries) AS d,
        LATERAL (SELECT timestamp '2026-01-01' + day * interval '1 day'
                   + d * (interval '1 day' / (p_deliveries + 1)) AS received) AS t
      ORDER BY d, person));
    COMMIT;
  END LOOP;
END $$
"""
ADD_UP = """
SELECT sum((r.value ->> 'value')::float8)
FROM events.event_store e, jsonb_array_elements(e.event_data -> 'readings') r
WHERE e.event_type = 'biometric_received'
"""


def run():
    for what, name, persons, deliveries, readings in SHAPES:
        with fresh_store() as conn:
            conn.execute(FILL)
            conn.execute(f"CALL bench_fill('{name}', {persons}, {deliveries}, {readings})")
            conn.execute("VACUUM ANALYZE events.event_store")
            stored = persons * 60 * deliveries * readings
            switches = value(conn, "SELECT count(*) FROM neuros.backtest(NULL)")
            made = value(conn, "SELECT count(*) FROM events.event_store WHERE event_type = 'mode_switched'")
            if switches != made:
                raise RuntimeError(f"the backtest has {switches} switches, the store {made}")

            def rate(query, conn=conn, stored=stored):
                return stored / seconds(conn, query)

            table(f"backtest of {stored:,} stored readings, {what}, {made:,} switches", "readings/s")
            got = take_turns({
                "as it was": lambda: rate("SELECT count(*) FROM neuros.backtest(NULL)"),
                "another": lambda: rate(f"SELECT count(*) FROM neuros.backtest('{OTHER}')"),
                "sum": lambda: rate(ADD_UP)})
            single("as it was", got["as it was"], at_least(GOAL))
            single("another configuration", got["another"], at_least(GOAL))
            row("as it was", got["as it was"], "sum of the values in SQL", got["sum"])

