-- Which mode held when, and what a hypothesis came to. Times are those at which deliveries were received.
SET timezone = 'UTC';
\pset null '-'

CREATE FUNCTION send(p_user text, p_id text, p_at timestamptz, p_metric text, p_value double precision)
RETURNS text LANGUAGE sql AS $$
  SELECT i.status || coalesce(': ' || i.from_mode || ' -> ' || i.to_mode || ' (' || i.trigger || ')', '')
    FROM bridge.ingest_batch(ARRAY[jsonb_build_object(
           'source', 'oura', 'delivery_id', p_user || p_id, 'user_id', p_user, 'received_at', p_at,
           'readings', jsonb_build_array(jsonb_build_object(
             'metric', p_metric, 'value', p_value, 'start', p_at - interval '10 minutes')))]) i
$$;

-- Nobody has heard of this one; this one was never switched.
SELECT mode, since, until, duration FROM neuros.mode_history('nobody');
SELECT neuros.mode_at('nobody', now());

SELECT send('mara', '1', '2026-03-02 08:00Z', 'respiratory_rate', 33);
SELECT send('mara', '2', '2026-03-02 10:00Z', 'hrv_rmssd', 20);
SELECT send('mara', '3', '2026-03-02 12:00Z', 'heart_rate', 60);
SELECT send('mara', '4', '2026-03-02 12:30Z', 'heart_rate', 61);

SELECT mode, since, until, duration, from_mode, trigger, by_hand
  FROM neuros.mode_history('mara', NULL, '2026-03-02 13:00Z');
-- Within a window the durations add up to it.
SELECT mode, since, until, duration, sum(duration) OVER () AS together
  FROM neuros.mode_history('mara', '2026-03-02 09:00Z', '2026-03-02 13:00Z');
SELECT mode FROM neuros.mode_history('mara', '2026-03-01 00:00Z', '2026-03-02 08:00Z');
SELECT at, neuros.mode_at('mara', at)
  FROM unnest('{2026-03-02 07:59Z,2026-03-02 08:00Z,2026-03-02 11:00Z,2026-03-02 12:15Z,infinity}'::timestamptz[]) at;
SELECT count(*) AS the_same FROM neuros.mode_history('mara') h JOIN events.replay_stream('user:mara') e
    ON (e.event_id, e.position) = (h.event_id, h.position)
 WHERE e.event_data ->> 'reason' = h.reason AND (e.event_data -> 'confidence')::float8 = h.confidence;

-- A delivery received before the last switch, and stored after it, cannot change what was: what it brings
-- holds from that switch on.
SELECT send('late', '1', '2026-03-02 10:00Z', 'respiratory_rate', 33);
SELECT send('late', '2', '2026-03-02 09:00Z', 'stress_level', 0.95);
SELECT mode, since, until, duration, trigger FROM neuros.mode_history('late', NULL, '2026-03-02 11:00Z');

-- By hand: from when it was stored. What the caller says in the context counts for nothing.
SELECT neuros.switch_mode('hand', 'companion', p_context => '{"received_at": "2020-01-01T00:00:00Z"}') IS NOT NULL;
SELECT h.mode, h.since = e.created_at AS stored, h.by_hand
  FROM neuros.mode_history('hand') h JOIN events.replay_stream('user:hand') e USING (event_id);

-- What a writer appends under the name, whatever it says, stops nobody.
SELECT events.append_event('user:fake', 'mode_switched', '{"to_mode": "x", "confidence": "y"}',
  p_metadata => '{"since": "yesterday"}') IS NOT NULL;
SELECT mode, confidence, config_version FROM neuros.mode_history('fake');

-- Hypotheses: superseded by a trigger on another metric, confirmed by one on the same, refuted by calm,
-- withdrawn by hand.
SELECT event_type, event_data - '{mode_switched,hypothesis,config_version}'::text[] AS event_data
  FROM events.replay_stream('user:mara') WHERE event_type LIKE 'hypothesis%';
SELECT send('same', '1', '2026-03-02 08:00Z', 'hrv_rmssd', 260), send('same', '2', '2026-03-02 08:20Z', 'hrv_rmssd', 20);
SELECT send('calm', '1', '2026-03-02 08:00Z', 'respiratory_rate', 33),
       send('calm', '2', '2026-03-02 09:00Z', 'heart_rate', 60), send('calm', '3', '2026-03-02 09:30Z', 'heart_rate', 61);
SELECT send('told', '1', '2026-03-02 08:00Z', 'respiratory_rate', 33), neuros.switch_mode('told', 'sentinel') IS NOT NULL;
SELECT neuros.switch_mode('asked', 'hypothesis') IS NOT NULL, neuros.switch_mode('asked', 'pattern') IS NOT NULL;
SELECT g.stream_id, g.event_data ->> 'metric' AS metric, r.event_data ->> 'resolution' AS resolution,
       r.event_data ->> 'to_mode' AS to_mode, r.event_data ->> 'trigger' AS trigger
  FROM events.event_store g
  LEFT JOIN events.event_store r ON r.event_type = 'hypothesis_resolved' AND r.stream_id = g.stream_id
   AND (r.event_data ->> 'hypothesis')::uuid = g.event_id
 WHERE g.event_type = 'hypothesis_generated'
   AND g.stream_id = ANY ('{user:mara,user:late,user:same,user:calm,user:told,user:asked}') ORDER BY g.position;

-- By its z-score: what would confirm it is a value beyond the same number of deviations.
SELECT count(*) FROM generate_series(1, 20) day, LATERAL send('z', 'day' || day, '2026-02-01 08:00Z'::timestamptz
  + day * interval '1 day', 'respiratory_rate', 15 + day % 3) s;
SELECT send('z', 'odd', '2026-02-22 08:00Z', 'respiratory_rate', 20);
SELECT event_data ->> 'kind' AS kind, round((event_data -> 'z')::numeric, 3) AS z,
       round((event_data -> 'baseline')::numeric, 3) AS baseline,
       round((event_data #> '{would_confirm,below}')::numeric, 3) AS below,
       round((event_data #> '{would_confirm,above}')::numeric, 3) AS above
  FROM events.replay_stream('user:z') WHERE event_type = 'hypothesis_generated';
