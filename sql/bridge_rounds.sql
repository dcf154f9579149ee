-- A batch is taken in by rounds, many persons at once: what is stored, answered and decided is what the
-- same deliveries lead to when each comes in a call of its own.

-- Twelve persons, in mixed order, with whatever a delivery may hold.
CREATE TEMP TABLE deliveries AS
WITH made AS (
  SELECT n, 'round' || n % 12 AS person, n / 12 AS turn,
         timestamptz '2025-03-05 08:00:00Z' + n / 12 * interval '9 minutes' AS at,
         CASE WHEN n % 5 = 0 THEN 'oura' ELSE 'whoop' END AS source
    FROM generate_series(0, 299) n)
SELECT row_number() OVER (ORDER BY m.turn / 3, md5(m.n::text)) AS n, CASE
    WHEN m.n = 100 THEN NULL
    WHEN m.n = 101 THEN '{"source": "whoop", "delivery_id": "x", "user_id": "round1", "readings": []}'
    ELSE jsonb_build_object('source', m.source, 'user_id', m.person, 'received_at', m.at,
      'trace_id', 't' || m.n,
      -- Some come again within the batch, some of those with other readings.
      'delivery_id', CASE WHEN m.turn % 6 = 4 THEN 'd' || m.turn - 1 || '#0' ELSE 'd' || m.turn || '#0' END,
      'readings', CASE m.turn % 8
        WHEN 0 THEN jsonb_build_array(
          jsonb_build_object('metric', 'heart_rate', 'value', 60 + m.n % 30, 'start', m.at),
          jsonb_build_object('metric', 'heart_rate', 'value', 999, 'start', m.at - interval '1 minute'),
          jsonb_build_object('metric', 'nonsense', 'value', 1, 'start', m.at))
        WHEN 1 THEN jsonb_build_array(
          jsonb_build_object('metric', 'hrv_sdnn', 'value', CASE WHEN m.n % 7 = 0 THEN 25 ELSE 60 END,
            'start', m.at, 'statistic', 'daily'),
          jsonb_build_object('metric', 'sleep_stage', 'value', 'deep',
            'start', m.at - interval '2 hours', 'end', m.at),
          jsonb_build_object('metric', 'skin_temperature', 'value', 33 + m.n % 4,
            'start', m.at, 'flags', '["pending"]'::jsonb))
        WHEN 2 THEN jsonb_build_array(
          jsonb_build_object('metric', 'recovery_score', 'value', 20 + m.n % 70, 'start', m.at,
            'external_id', 'doc-' || m.n % 3),
          jsonb_build_object('metric', 'resting_heart_rate', 'value', 55 + m.n % 20, 'start', m.at,
            'external_id', 'doc-' || m.n % 3))
        WHEN 3 THEN jsonb_build_array(
          jsonb_build_object('metric', 'oxygen_saturation', 'value', 88 + m.n % 9,
            'start', m.at - interval '30 minutes'),
          jsonb_build_object('metric', 'heart_rate', 'value', 70, 'start', m.at - interval '26 hours'))
        WHEN 4 THEN jsonb_build_array(
          jsonb_build_object('metric', 'recovery_score', 'deleted', true, 'external_id', 'doc-' || m.n % 3),
          jsonb_build_object('metric', 'heart_rate', 'deleted', true, 'start', m.at - interval '36 minutes'))
        WHEN 5 THEN jsonb_build_array(
          -- Sent before: it stands, or takes the other's place.
          jsonb_build_object('metric', 'oxygen_saturation', 'value', 91,
            'start', m.at - interval '48 minutes'),
          jsonb_build_object('metric', 'heart_rate', 'value', 58 + m.n % 3,
            'start', m.at - interval '45 minutes'))
        WHEN 6 THEN jsonb_build_array(
          jsonb_build_object('metric', 'resting_heart_rate', 'value', 54 + m.n % 3, 'start', m.at,
            'external_id', 'doc-1'))
        ELSE jsonb_build_array(
          jsonb_build_object('metric', 'heart_rate', 'value', 61, 'start', m.at),
          jsonb_build_object('metric', 'heart_rate', 'value', 62, 'start', m.at),
          jsonb_build_object('metric', 'hrv_sdnn', 'value', 58, 'start', '2025-03-01T23:30:00+02:00'))
      END)
  END AS delivery
FROM made m;

-- All that is there of them afterwards, but for what no two ways can have in common: positions and the ids of
-- switches. A reading's event is told by its version.
CREATE FUNCTION pg_temp.stored() RETURNS TABLE(kind text, what jsonb) LANGUAGE sql AS $$
  SELECT 'event', to_jsonb(e) - '{position,created_at,created_by,event_id,category,hash}'::text[]
         || jsonb_build_object('event_data', e.event_data - '{mode_switched,hypothesis}'::text[])
         || CASE e.event_type WHEN 'biometric_received' THEN jsonb_build_object('id', e.event_id) ELSE '{}' END
    FROM events.event_store e WHERE e.stream_id LIKE 'user:round%'
  UNION ALL
  SELECT 'reading', to_jsonb(b) - 'position' || jsonb_build_object('version', (
           SELECT e.version FROM events.event_store e
            WHERE e.position = b.position AND e.stream_id = 'user:' || b.user_id))
    FROM biometrics.biometric_events b WHERE b.user_id LIKE 'round%'
  UNION ALL SELECT 'day', to_jsonb(d) FROM biometrics.daily_values d WHERE d.user_id LIKE 'round%'
  UNION ALL SELECT 'mode', to_jsonb(u) - '{position,event_id}'::text[] FROM neuros.user_modes u
   WHERE u.user_id LIKE 'round%'
  -- What decisions are told of what came before, and what is true.
  UNION ALL
  SELECT 'told', jsonb_build_array(v.user_id, n)
    FROM neuros.person_states v CROSS JOIN LATERAL neuros.newest_readings(v.user_id) n
   WHERE v.user_id LIKE 'round%'
  UNION ALL
  SELECT * FROM (
    SELECT DISTINCT ON (b.user_id, b.device_type, b.metric_type) 'true', jsonb_build_array(b.user_id,
             (SELECT n FROM (SELECT b.device_type, b.metric_type, b.recorded_at, b.ended_at, b.value, b.day, b.source,
                               b.statistic, b.context) n))
      FROM biometrics.biometric_events b
     WHERE b.user_id LIKE 'round%' AND b.value IS NOT NULL AND NOT b.flags && '{pending,calibrating}'
     ORDER BY b.user_id, b.device_type, b.metric_type, b.end_at DESC, b.recorded_at DESC, b.source, b.statistic) t
  UNION ALL SELECT 'calm', jsonb_build_array(v.user_id, v.calm) FROM neuros.person_states v WHERE v.user_id LIKE 'round%'
$$;

-- Takes them in, in calls of so many, and undoes it again.
CREATE FUNCTION pg_temp.outcome(p_size integer) RETURNS TABLE(kind text, what jsonb) LANGUAGE plpgsql AS $$
DECLARE
  kept jsonb;
  answers jsonb := '[]';
  batch jsonb[];
BEGIN
  BEGIN
    -- Weeks of history for half of them; one has left for good.
    PERFORM bridge.ingest_batch(array_agg(jsonb_build_object(
      'source', s.source, 'delivery_id', 'history', 'user_id', 'round' || p,
      'received_at', '2025-03-04T12:00:00Z', 'readings', (
        SELECT jsonb_agg(jsonb_build_object(
          'metric', m.metric, 'value', m.value + n % 3, 'statistic', 'daily',
          'start', timestamptz '2025-03-01 06:00:00Z' - n * interval '1 day'))
        FROM generate_series(0, 20) n,
          (VALUES ('hrv_sdnn', 58), ('heart_rate', 60), ('resting_heart_rate', 54), ('skin_temperature', 34))
            AS m(metric, value)))))
      FROM generate_series(0, 11, 2) p, (VALUES ('whoop'), ('oura')) s(source);
    PERFORM events.append_event('user:round5', 'joined', '{}');
    PERFORM events.tombstone_stream('user:round5');
    FOR batch IN
      SELECT array_agg(d.delivery ORDER BY d.n)
        FROM deliveries d GROUP BY (d.n - 1) / p_size ORDER BY min(d.n)
    LOOP
      answers := answers || (SELECT jsonb_agg(to_jsonb(r) - '{idx,position}'::text[] ORDER BY r.idx)
                               FROM bridge.ingest_batch(batch) r);
    END LOOP;
    kept := (SELECT jsonb_agg(jsonb_build_array(s.kind, s.what)) FROM pg_temp.stored() s)
      || (SELECT jsonb_agg(jsonb_build_array('answer', a.answer || jsonb_build_object('n', a.n)))
            FROM jsonb_array_elements(answers) WITH ORDINALITY a(answer, n));
    RAISE EXCEPTION 'undone' USING ERRCODE = 'AU999';
  EXCEPTION WHEN SQLSTATE 'AU999' THEN
    NULL;
  END;
  RETURN QUERY SELECT k.entry ->> 0, k.entry -> 1 FROM jsonb_array_elements(kept) k(entry);
END;
$$;

CREATE TEMP TABLE one_by_one AS SELECT * FROM pg_temp.outcome(1);
CREATE TEMP TABLE at_once AS SELECT * FROM pg_temp.outcome(300);
CREATE TEMP TABLE by_seven AS SELECT * FROM pg_temp.outcome(7);
-- Nothing is left of either way.
SELECT count(*) FROM pg_temp.stored();

SELECT kind, count(*) FROM one_by_one GROUP BY 1 ORDER BY 1;
SELECT what ->> 'status' AS status, what ->> 'trigger' AS trigger, count(*),
  sum((what ->> 'readings_accepted')::integer) AS accepted,
  sum((what ->> 'readings_rejected')::integer) AS rejected
FROM one_by_one WHERE kind = 'answer' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT 'one by one, not at once' AS only, * FROM (TABLE one_by_one EXCEPT ALL TABLE at_once) a
UNION ALL
SELECT 'at once, not one by one', * FROM (TABLE at_once EXCEPT ALL TABLE one_by_one) b
UNION ALL
SELECT 'one by one, not by seven', * FROM (TABLE one_by_one EXCEPT ALL TABLE by_seven) c
UNION ALL
SELECT 'by seven, not one by one', * FROM (TABLE by_seven EXCEPT ALL TABLE one_by_one) d
ORDER BY 1, 2, 3 LIMIT 20;

-- What decisions were told is true, however readings came, moved and went.
SELECT what FROM one_by_one WHERE kind = 'told' EXCEPT SELECT what FROM one_by_one WHERE kind = 'true';
SELECT what FROM one_by_one WHERE kind = 'true' EXCEPT SELECT what FROM one_by_one WHERE kind = 'told';

-- Where somebody has added to the tables, statements store the same, row by row and day by day.
CREATE FUNCTION pg_temp.look_on() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER look_on BEFORE INSERT ON biometrics.biometric_events FOR EACH ROW EXECUTE FUNCTION pg_temp.look_on();
CREATE TEMP TABLE by_statements AS SELECT * FROM pg_temp.outcome(300);
DROP TRIGGER look_on ON biometrics.biometric_events;
SELECT 'by statements' AS only, * FROM (TABLE by_statements EXCEPT ALL TABLE one_by_one) a
UNION ALL
SELECT 'straight', * FROM (TABLE one_by_one EXCEPT ALL TABLE by_statements) b
ORDER BY 1, 2, 3 LIMIT 20;
