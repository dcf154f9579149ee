-- Modes, the configuration, and switches by hand.

SELECT mode, priority, behavior <> '' AS says_what_to_do FROM neuros.modes;
SELECT neuros.current_mode('nobody');

-- Configuration: absent keys take the built-in value, the same again is the same version, old ones stay.
SELECT neuros.configure('{"thresholds": {"hrv_drop_ms": 26}}') AS version \gset before_
SELECT neuros.configure('{}') - :before_version AS version;
SELECT neuros.config() -> 'thresholds' AS thresholds, neuros.config() -> 'baselines' AS baselines;
SELECT neuros.configure('{}') - :before_version AS version;
SELECT neuros.configure(neuros.config()) - :before_version AS version;
SELECT neuros.configure('{"thresholds": {"hrv_drop_ms": 30}, "baselines": {"min_baseline_days": 7},
  "modes": [{"name": "focus", "priority": 120, "behavior": "Keep quiet."}, {"name": "sentinel", "priority": 160}]}')
  - :before_version AS version;
SELECT neuros.config() #>> '{thresholds,hrv_drop_ms}' AS hrv_drop_ms, neuros.config() #>> '{thresholds,anomaly_z}' AS anomaly_z,
  neuros.config() #>> '{baselines,min_baseline_days}' AS min_baseline_days;
SELECT mode, priority FROM neuros.modes;
SELECT version - :before_version AS version, config #>> '{thresholds,hrv_drop_ms}' AS hrv_drop_ms, created_by = session_user AS by_me
FROM neuros.config_versions WHERE version > :before_version ORDER BY 1;
-- Each version is an event, too.
SELECT (event_data ->> 'version')::bigint - :before_version AS version, event_data #>> '{config,thresholds,hrv_drop_ms}' AS hrv_drop_ms
FROM events.replay_stream('system:config') WHERE event_type = 'config_changed'
  AND (event_data ->> 'version')::bigint > :before_version;
-- Within a transaction it holds at once and goes with it.
BEGIN;
SELECT neuros.configure('{"thresholds": {"hrv_drop_ms": 44}}') - :before_version AS version;
SELECT neuros.config() #>> '{thresholds,hrv_drop_ms}' AS hrv_drop_ms;
ROLLBACK;
SELECT neuros.config() #>> '{thresholds,hrv_drop_ms}' AS hrv_drop_ms;
SELECT neuros.configure('{"thresholds": {"hrv_drop_ms": 45}}') - :before_version AS version;
SELECT neuros.config() #>> '{thresholds,hrv_drop_ms}' AS hrv_drop_ms;

-- A file is known by its SHA-256: the same content from another file is no new version.
SELECT neuros.configure('{"thresholds": {"hrv_drop_ms": 31}}', repeat('a', 64)) - :before_version AS version;
SELECT neuros.configure('{"thresholds": {"hrv_drop_ms": 31}}', repeat('b', 64)) - :before_version AS version;
SELECT neuros.config_file_sha256() = repeat('b', 64) AS from_file;
SELECT neuros.configure('{"thresholds": {"hrv_drop_ms": 32}}') - :before_version AS version;
SELECT neuros.config_file_sha256() = repeat('b', 64) AS newest_from_a_file;
SELECT neuros.configure('{}', 'abc');

-- What is wrong is named, with what is allowed.
SELECT neuros.configure(NULL);
SELECT neuros.configure('[]');
SELECT neuros.configure('{"treshold": {}}');
SELECT neuros.configure('{"thresholds": 3}');
SELECT neuros.configure('{"thresholds": {"hrv_drop": 3}}');
SELECT neuros.configure('{"thresholds": {"hrv_drop_ms": "30"}}');
SELECT neuros.configure('{"thresholds": {"hrv_drop_ms": 0}}');
SELECT neuros.configure('{"thresholds": {"calm_evaluations": 1.5}}');
SELECT neuros.configure('{"modes": {"name": "focus"}}');
SELECT neuros.configure('{"modes": ["focus"]}');
SELECT neuros.configure('{"modes": [{"priority": 3}]}');
SELECT neuros.configure('{"modes": [{"name": "focus"}]}');
SELECT neuros.configure('{"modes": [{"name": "Focus!", "priority": 3}]}');
SELECT neuros.configure('{"modes": [{"name": "focus", "priority": 3000}]}');
SELECT neuros.configure('{"modes": [{"name": "focus", "priority": 3, "colour": "red"}]}');
SELECT neuros.configure('{"modes": [{"name": "pattern", "priority": 999}]}');
SELECT neuros.configure('{}') - :before_version AS version;

-- By hand: the event, the row, the answer.
SELECT neuros.switch_mode('neo', 'sentinel', p_context => '{"why": "night shift"}') AS event_id \gset
SELECT event_id = :'event_id' AS the_event, event_type, event_data - 'config_version' AS event_data,
  (event_data ->> 'config_version')::bigint = neuros.config_version() AS config_version
FROM events.replay_stream('user:neo');
SELECT m.user_id, m.current_mode, m.from_mode, m.confidence, m.trigger, m.by_hand, m.event_id = e.event_id AS event,
  m.position = e.position AS position, m.since = e.created_at AS since
FROM neuros.user_modes m, events.replay_stream('user:neo') e WHERE m.user_id = 'neo';
SELECT neuros.current_mode('neo');
-- Already in it: nothing happens.
SELECT neuros.switch_mode('neo', 'sentinel') IS NULL AS stays, events.stream_version('user:neo') AS version;
SELECT neuros.switch_mode('unknown one', 'baseline') IS NULL AS stays;
SELECT neuros.switch_mode('neo', 'companion', 'agent', 0.25) IS NOT NULL AS switched;
SELECT current_mode, from_mode, trigger, confidence FROM neuros.user_modes WHERE user_id = 'neo';

SELECT neuros.switch_mode('neo', 'nirvana');
SELECT neuros.switch_mode('neo', 'reflex', 'manual', 1.5);
SELECT neuros.switch_mode('neo', 'reflex', 'manual', 'NaN');
SELECT neuros.switch_mode('neo', 'reflex', 'By hand!');
SELECT neuros.switch_mode('neo', NULL);
SELECT neuros.switch_mode(NULL, 'reflex');
SELECT neuros.switch_mode('', 'reflex');
SELECT neuros.switch_mode(E'a\nb', 'reflex');
SELECT neuros.switch_mode('neo', 'reflex', p_context => '[1]') IS NOT NULL AS any_json;
BEGIN READ ONLY;
SELECT neuros.switch_mode('neo', 'pattern');
ROLLBACK;

-- A mode that the configuration adds can be entered; one that it drops is still told.
SELECT neuros.configure('{"modes": [{"name": "focus", "priority": 120}]}') - :before_version AS version;
SELECT neuros.switch_mode('neo', 'focus') IS NOT NULL AS switched;
SELECT neuros.configure('{}') - :before_version AS version;
SELECT neuros.current_mode('neo');
SELECT neuros.switch_mode('neo', 'focus') IS NOT NULL AS switched;
SELECT neuros.switch_mode('neo', 'pattern') IS NOT NULL AS switched;

-- What a subscriber has missed: in order, from a checkpoint on, of one person or of all.
SELECT coalesce(max(position), 0) AS checkpoint FROM neuros.read_switches(p_limit => 100000) \gset
SELECT neuros.switch_mode('trin', 'reflex') IS NOT NULL AS a, neuros.switch_mode('neo', 'guardian') IS NOT NULL AS b,
  neuros.switch_mode('trin', 'sentinel', 'agent', 0.5) IS NOT NULL AS c;
SELECT user_id, from_mode, to_mode, trigger, confidence, reason, event_data ->> 'to_mode' = to_mode AS data,
  position > lag(position, 1, :checkpoint) OVER () AS in_order FROM neuros.read_switches(:checkpoint);
SELECT user_id, to_mode FROM neuros.read_switches(:checkpoint, p_user_id => 'trin');
SELECT user_id, to_mode FROM neuros.read_switches(:checkpoint, 2);
SELECT position AS second FROM neuros.read_switches(:checkpoint, 2) OFFSET 1 \gset
SELECT user_id, to_mode FROM neuros.read_switches(:second);
SELECT count(*) FROM neuros.read_switches(p_user_id => 'nobody');
SELECT (SELECT position FROM neuros.user_modes WHERE user_id = 'trin') = max(position) AS the_state FROM neuros.read_switches(:checkpoint);

-- An event of that name that somebody appended by hand stops nobody.
SELECT events.append_event('user:forged', 'mode_switched', '{"confidence": "high"}') IS NOT NULL AS appended;
SELECT user_id, to_mode, confidence FROM neuros.read_switches(:second);

-- The decision behind a mode, now and at a time.
SELECT neuros.explain('nobody');
SELECT x ->> 'mode' AS mode, x ->> 'from_mode' AS from_mode, x ->> 'trigger' AS trigger, x -> 'confidence' AS confidence
FROM neuros.explain('trin') x;
SELECT neuros.explain('trin', created_at) ->> 'mode' AS then, neuros.explain('trin', created_at - interval '1 microsecond') ->> 'mode' AS before
FROM neuros.read_switches(:checkpoint, 1, 'trin');

-- Only a changed mode rings.
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'neuros.user_modes'::regclass;

SELECT r AS role,
  has_function_privilege(r, 'neuros.current_mode(text)', 'EXECUTE') AS current_mode,
  has_function_privilege(r, 'neuros.config()', 'EXECUTE') AS config,
  has_function_privilege(r, 'neuros.read_switches(bigint, integer, text)', 'EXECUTE') AS read_switches,
  has_function_privilege(r, 'neuros.configure(jsonb, text)', 'EXECUTE') AS configure,
  has_function_privilege(r, 'neuros.switch_mode(text, text, text, double precision, jsonb)', 'EXECUTE') AS switch_mode,
  has_table_privilege(r, 'neuros.user_modes', 'UPDATE') AS writes
FROM unnest(ARRAY['public', 'auren_reader', 'auren_writer', 'auren_admin']) AS r;
SET ROLE auren_reader;
SELECT count(*) FROM neuros.modes;
RESET ROLE;
