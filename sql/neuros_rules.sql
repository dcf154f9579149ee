-- Rules of one's own: a mode and when it is entered, by configuration alone.

CREATE FUNCTION pg_temp.take(p_user text, p_at text, p_readings jsonb, p_source text DEFAULT 'healthkit')
RETURNS TABLE(from_mode text, to_mode text, trigger text, confidence numeric, mode text)
LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
  SELECT * INTO STRICT r FROM bridge.ingest_batch(ARRAY[jsonb_build_object('source', p_source,
    'delivery_id', p_user || '/' || p_at || '/' || md5(p_readings::text), 'user_id', p_user, 'received_at', p_at,
    'readings', (SELECT jsonb_agg(jsonb_build_object('start', p_at) || e) FROM jsonb_array_elements(p_readings) e))]);
  RETURN QUERY SELECT r.from_mode, r.to_mode, r.trigger, round(r.confidence::numeric, 3), neuros.current_mode(p_user);
END $$;
CREATE FUNCTION pg_temp.rule(p_rule jsonb) RETURNS bigint LANGUAGE sql AS $$
  SELECT neuros.configure(jsonb_build_object('modes', jsonb_build_array(
    jsonb_build_object('name', 'focus', 'priority', 120, 'rules', jsonb_build_array(p_rule)))))
$$;

-- sentinel is reached by a rule, and so is a mode that did not exist before.
SELECT neuros.configure('{}') AS version \gset before_
SELECT neuros.configure('{"modes": [
  {"name": "sentinel", "priority": 150, "rules": [
    {"name": "fever_watch", "when": [{"metric": "skin_temperature_deviation", "above": 0.4},
                                     {"metric": "heart_rate", "above": 95, "context": ["rest", "sleep"]}]}]},
  {"name": "night_watch", "priority": 120, "behavior": "Whisper.", "rules": [
    {"name": "sleepless", "weight": 0.4, "when": [{"metric": "sleep_duration", "below": 18000}]},
    {"name": "wired", "when": [{"metric": "stress_level", "at_least": 0.6}, {"metric": "step_count", "at_most": 100, "statistic": "sum"}]}]}]}')
  - :before_version AS version;
SELECT jsonb_pretty(m -> 'rules') AS rules FROM jsonb_array_elements(neuros.config() -> 'modes') m WHERE m ? 'rules';
SELECT neuros.configure(neuros.config()) - :before_version AS same_version;
SELECT mode, priority, behavior FROM neuros.modes WHERE mode = 'night_watch';

-- All conditions together, brought by one delivery.
SELECT * FROM pg_temp.take('ann', '2025-03-05T22:00:00Z', '[{"metric": "skin_temperature_deviation", "value": 0.8}]');
SELECT * FROM pg_temp.take('ann', '2025-03-05T22:01:00Z', '[{"metric": "heart_rate", "value": 99}]');
SELECT * FROM pg_temp.take('ann', '2025-03-05T22:02:00Z', '[{"metric": "heart_rate", "value": 99, "context": "rest"}]');
SELECT event_data ->> 'trigger' AS trigger, event_data ->> 'reason' AS reason, event_data ->> 'from_mode' AS from_mode,
  (event_data ->> 'config_version')::bigint - :before_version AS version
FROM events.replay_stream('user:ann') WHERE event_type = 'mode_switched';
SELECT f ->> 'trigger' AS trigger, f ->> 'metric' AS metric, f -> 'value' AS value, f -> 'threshold' AS threshold,
  round((f -> 'contribution')::numeric, 3) AS contribution, f -> 'fired' AS fired, f -> 'borderline' AS borderline
FROM neuros.explain('ann') x, jsonb_array_elements((x -> 'fired') || (x -> 'nearly')) f;
-- Calm leads back, as from any mode: history is short, so to baseline.
SELECT * FROM pg_temp.take('ann', '2025-03-05T22:05:00Z', '[{"metric": "heart_rate", "value": 60, "context": "rest"}]');
SELECT * FROM pg_temp.take('ann', '2025-03-05T22:08:00Z', '[{"metric": "heart_rate", "value": 61, "context": "rest"}]');
SELECT * FROM pg_temp.take('ann', '2025-03-05T22:09:00Z', '[{"metric": "heart_rate", "value": 62, "context": "rest"}]');

-- One's own mode; priorities, cooldown and pre-emption hold for it.
SELECT * FROM pg_temp.take('ben', '2025-03-05T08:00:00Z', '[{"metric": "sleep_duration", "value": 14400}]');
SELECT * FROM pg_temp.take('ben', '2025-03-05T08:01:00Z', '[{"metric": "recovery_score", "value": 20}]');
SELECT * FROM pg_temp.take('ben', '2025-03-05T08:02:00Z', '[{"metric": "sleep_duration", "value": 14000}]');
-- A metric behind no low indicator stands, too, until a newer one comes; the statistic is the one that was asked for.
SELECT * FROM pg_temp.take('cid', '2025-03-05T08:00:00Z', '[{"metric": "step_count", "value": 40}]');
SELECT * FROM pg_temp.take('cid', '2025-03-05T08:01:00Z', '[{"metric": "stress_level", "value": 0.6}]');
SELECT * FROM pg_temp.take('cid', '2025-03-05T08:02:00Z', '[{"metric": "step_count", "value": 40, "statistic": "sum"}]');
SELECT event_data ->> 'reason' AS reason FROM events.replay_stream('user:cid') WHERE event_type = 'mode_switched';
SELECT * FROM pg_temp.take('dee', '2025-03-05T08:00:00Z', '[{"metric": "stress_level", "value": 0.7}]');
SELECT * FROM pg_temp.take('dee', '2025-03-05T08:01:00Z', '[{"metric": "stress_level", "value": 0.2}]');
SELECT * FROM pg_temp.take('dee', '2025-03-05T08:02:00Z', '[{"metric": "step_count", "value": 40, "statistic": "sum"}]');

-- Several people in one batch, each by a rule of their own.
SELECT idx, to_mode, trigger FROM bridge.ingest_batch(ARRAY[
  '{"source": "healthkit", "delivery_id": "hal-1", "user_id": "hal", "received_at": "2025-03-05T08:00:00Z", "readings": [
    {"metric": "sleep_duration", "value": 14400, "start": "2025-03-05T06:00:00Z"}]}',
  '{"source": "healthkit", "delivery_id": "ida-1", "user_id": "ida", "received_at": "2025-03-05T08:00:00Z", "readings": [
    {"metric": "stress_level", "value": 0.7, "start": "2025-03-05T06:00:00Z"},
    {"metric": "step_count", "value": 12, "start": "2025-03-05T06:00:00Z", "statistic": "sum"}]}',
  '{"source": "healthkit", "delivery_id": "jon-1", "user_id": "jon", "received_at": "2025-03-05T08:00:00Z", "readings": [
    {"metric": "stress_level", "value": 0.9, "start": "2025-03-05T06:00:00Z"}]}']::jsonb[]);

-- Against the person's own reference.
SELECT pg_temp.rule('{"name": "low_breath", "when": [{"metric": "respiratory_rate", "z_below": -2}]}') - :before_version AS version;
SELECT status, readings_accepted FROM bridge.ingest_batch(ARRAY[(SELECT jsonb_build_object('source', 'healthkit', 'delivery_id', 'eve-history',
  'user_id', 'eve', 'received_at', '2025-03-03T12:00:00Z', 'readings', jsonb_agg(jsonb_build_object('metric', 'respiratory_rate',
    'value', 14 + 0.5 * (n % 3 - 1), 'statistic', 'daily',
    'start', to_char(timestamp '2025-03-01 06:00' - n * interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))) FROM generate_series(0, 29) n)]);
SELECT * FROM pg_temp.take('eve', '2025-03-05T08:00:00Z', '[{"metric": "respiratory_rate", "value": 13, "statistic": "daily"}]');
SELECT neuros.explain('eve') ->> 'reason' AS reason;
-- A default stands in while history is short, weighs less, and is told.
SELECT pg_temp.rule('{"name": "raised", "when": [{"metric": "resting_heart_rate", "rise_percent": 10}]}') - :before_version AS version;
SELECT * FROM pg_temp.take('fay', '2025-03-05T08:00:00Z', '[{"metric": "resting_heart_rate", "value": 84}]');
SELECT x ->> 'reason' AS reason, round((x #>> '{fired,0,threshold}')::numeric, 6) AS threshold, x #> '{fired,0,baseline_is_default}' AS by_default
FROM neuros.explain('fay') x;

-- A metric that has gone from the catalogue since is no mistake of the version: its rule is silent.
INSERT INTO biometrics.metric_types (metric_type, unit) VALUES ('mood', '1');
SELECT pg_temp.rule('{"name": "blue", "when": [{"metric": "mood", "below": 2}]}') - :before_version AS version;
SELECT * FROM pg_temp.take('gus', '2025-03-05T08:00:00Z', '[{"metric": "mood", "value": 1}]');
DELETE FROM biometrics.biometric_events WHERE metric_type = 'mood';
DELETE FROM biometrics.metric_types WHERE metric_type = 'mood';
\c -
SELECT jsonb_path_query(neuros.config(), '$.modes[*].rules[*].name') AS rule;

-- What is wrong is named with its place, and what is allowed.
CREATE FUNCTION pg_temp.rule(p_rule jsonb) RETURNS bigint LANGUAGE sql AS $$
  SELECT neuros.configure(jsonb_build_object('modes', jsonb_build_array(
    jsonb_build_object('name', 'focus', 'priority', 120, 'rules', jsonb_build_array(p_rule)))))
$$;
CREATE FUNCTION pg_temp.condition(p_condition jsonb) RETURNS bigint LANGUAGE sql AS $$
  SELECT pg_temp.rule(jsonb_build_object('name', 'mine', 'when', jsonb_build_array(p_condition)))
$$;
SELECT neuros.configure('{"modes": [{"name": "focus", "priority": 120, "rules": {"name": "mine"}}]}');
SELECT pg_temp.rule('"mine"');
SELECT pg_temp.rule('{"when": [{"metric": "heart_rate", "above": 95}]}');
SELECT pg_temp.rule('{"name": "My rule", "when": [{"metric": "heart_rate", "above": 95}]}');
SELECT pg_temp.rule('{"name": "calm", "when": [{"metric": "heart_rate", "above": 95}]}');
SELECT pg_temp.rule('{"name": 3}');
SELECT pg_temp.rule('{"name": "mine"}');
SELECT pg_temp.rule('{"name": "mine", "when": []}');
SELECT pg_temp.rule('{"name": "mine", "when": {"metric": "heart_rate"}}');
SELECT pg_temp.rule('{"name": "mine", "wieght": 0.5}');
SELECT pg_temp.rule('{"name": "mine", "weight": 2}');
SELECT pg_temp.rule('{"name": "mine", "weight": "heavy"}');
SELECT pg_temp.rule('{"name": "mine", "colour": "red"}');
SELECT pg_temp.condition('95');
SELECT pg_temp.condition('{"above": 95}');
SELECT pg_temp.condition('{"metric": "heart_rate"}');
SELECT pg_temp.condition('{"metric": "hart_rate", "above": 95}');
SELECT pg_temp.condition('{"metric": "sleep_state", "above": 95}');
SELECT pg_temp.condition('{"metric": "colour", "above": 95}');
SELECT pg_temp.condition('{"metric": "Heart rate", "above": 95}');
SELECT pg_temp.condition('{"metric": ["heart_rate"], "above": 95}');
SELECT pg_temp.condition('{"metric": "heart_rate", "abvoe": 95}');
SELECT pg_temp.condition('{"metric": "heart_rate", "colour": 95}');
SELECT pg_temp.condition('{"metric": "heart_rate", "above": "95"}');
SELECT pg_temp.condition('{"metric": "heart_rate", "above": 1e400}');
SELECT pg_temp.condition('{"metric": "heart_rate", "above": 95, "below": 120}');
SELECT pg_temp.condition('{"metric": "heart_rate", "z_above": 11}');
SELECT pg_temp.condition('{"metric": "heart_rate", "drop_percent": 101}');
SELECT pg_temp.condition('{"metric": "heart_rate", "outside_soft_range": false}');
SELECT pg_temp.condition('{"metric": "heart_rate", "above": 95, "context": "bed"}');
SELECT pg_temp.condition('{"metric": "heart_rate", "above": 95, "context": ["rest", 3]}');
SELECT pg_temp.condition('{"metric": "heart_rate", "above": 95, "context": 3}');
SELECT pg_temp.condition('{"metric": "heart_rate", "above": 95, "statistic": "mode"}');
SELECT neuros.configure('{"modes": [{"name": "reflex", "priority": 400, "rules": [{"name": "mine", "when": [{"metric": "heart_rate", "above": 95}]}]},
  {"name": "focus", "priority": 120, "rules": [{"name": "other", "when": [{"metric": "heart_rate", "above": 95}]},
                                               {"name": "mine", "when": [{"metric": "heart_rate", "above": 95}]}]}]}');
SELECT neuros.configure('{"modes": [{"name": "focus", "priority": 100, "rules": [{"name": "mine", "when": [{"metric": "heart_rate", "above": 95}]}]}]}');
SELECT pg_temp.rule(jsonb_build_object('name', 'mine', 'when', (SELECT jsonb_agg('{"metric": "heart_rate", "above": 95}'::jsonb) FROM generate_series(1, 9))));
SELECT neuros.configure(jsonb_build_object('modes', jsonb_build_array(jsonb_build_object('name', 'focus', 'priority', 120, 'rules',
  (SELECT jsonb_agg(jsonb_build_object('name', 'r' || n, 'when', jsonb_build_array('{"metric": "heart_rate", "above": 95}'::jsonb))) FROM generate_series(1, 65) n)))));
-- Nothing of it was kept.
SELECT jsonb_path_query(neuros.config(), '$.modes[*].rules[*].name') AS rule;
SELECT neuros.configure('{}') - :before_version AS version;

-- A backtest goes by the rules, too: history comes back whole, and words name the rule.
SELECT word FROM neuros.explain('ann', (SELECT min(created_at) FROM events.event_store
    WHERE stream_id = 'user:ann' AND event_type = 'mode_switched')) x, jsonb_array_elements_text(x -> 'words') word
WHERE word NOT LIKE 'It was decided by%';
SELECT count(*) > 5 AS enough, count(*) FILTER (WHERE b.trigger IS NULL) AS missing, count(*) FILTER (WHERE s.trigger IS NULL) AS extra
  FROM (SELECT user_id, to_mode, trigger, confidence FROM neuros.read_switches(p_limit => 100000)) s
  FULL JOIN neuros.backtest(NULL) b USING (user_id, to_mode, trigger, confidence)
 WHERE user_id = ANY ('{ann,ben,cid,dee,fay}');
