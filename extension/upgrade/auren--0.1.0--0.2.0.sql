\echo Use "ALTER EXTENSION auren UPDATE" to load this file. \quit
-- 0.2.0: a decision can be explained.
-- Why a person is in their mode: the decision that put them there, as it was stored with it. Read back
-- and not worked out anew, so that it says what was known then.
CREATE FUNCTION neuros.explain(p_user_id text, p_at timestamptz DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(
    (SELECT jsonb_build_object(
              'user_id', p_user_id,
              'mode', e.event_data -> 'to_mode',
              'since', e.created_at,
              'from_mode', e.event_data -> 'from_mode',
              'trigger', e.event_data -> 'trigger',
              'confidence', e.event_data -> 'confidence',
              'reason', e.event_data -> 'reason',
              'fired', jsonb_path_query_array(e.event_data, '$.factors[*] ? (@.fired == true)'),
              'nearly', jsonb_path_query_array(e.event_data, '$.factors[*] ? (@.fired == false)'),
              'config_version', e.event_data -> 'config_version',
              'context', e.event_data -> 'context',
              'event_id', e.event_id,
              'position', e.position)
       FROM events.event_store e
      WHERE e.stream_id = 'user:' || p_user_id
        AND e.event_type = 'mode_switched'
        AND e.created_at <= coalesce(p_at, 'infinity')
      ORDER BY e.version DESC
      LIMIT 1),
    jsonb_build_object(
      'user_id', p_user_id,
      'mode', 'baseline',
      'reason', 'never switched',
      'fired', '[]'::jsonb,
      'nearly', '[]'::jsonb))
$$;
COMMENT ON FUNCTION neuros.explain(text, timestamptz) IS
  'the decision behind a person''s mode, now or at a time: reason, what fired, what nearly did';

REVOKE ALL ON FUNCTION neuros.explain(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION neuros.explain(text, timestamptz)
  TO auren_reader, auren_writer, auren_admin;

-- 0.2.0: readers of the global order keep their place, and know what they wait for.
-- Subscriptions ----------------------------------------------------------------------------------
-- How far a consumer has come. `position` of a subscription: where it began or was reset to.

CREATE TABLE events.subscriptions (
  name text COLLATE "C" PRIMARY KEY,
  category text COLLATE "C",
  position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE events.subscriptions IS 'who follows the global order, and which category of it';

CREATE TABLE events.subscription_checkpoints (
  name text COLLATE "C" NOT NULL REFERENCES events.subscriptions ON DELETE CASCADE,
  members int NOT NULL CHECK (members > 0),
  member int NOT NULL CHECK (member BETWEEN 1 AND members),
  position bigint NOT NULL CHECK (position >= 0),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (name, members, member)
);
COMMENT ON TABLE events.subscription_checkpoints IS
  'of the streams of this member of so many, everything up to the position has been dealt with';

CREATE FUNCTION events.create_subscription(
  p_name text,
  p_category text DEFAULT NULL,
  p_after bigint DEFAULT 0
) RETURNS void
  AS 'MODULE_PATHNAME', 'events_create_subscription'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.create_subscription IS 'begins to follow all events, or one category';

CREATE FUNCTION events.poll_subscription(
  p_name text,
  p_limit int DEFAULT 1000,
  p_member int DEFAULT 1,
  p_members int DEFAULT 1
) RETURNS SETOF events.event_store
  AS 'MODULE_PATHNAME', 'events_poll_subscription'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.poll_subscription IS 'the events that have not been acknowledged yet';

CREATE FUNCTION events.ack_subscription(
  p_name text,
  p_position bigint,
  p_member int DEFAULT 1,
  p_members int DEFAULT 1
) RETURNS void
  AS 'MODULE_PATHNAME', 'events_ack_subscription'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.ack_subscription IS
  'everything up to the position has been dealt with, if this transaction commits';

CREATE FUNCTION events.reset_subscription(p_name text, p_position bigint) RETURNS void
  AS 'MODULE_PATHNAME', 'events_reset_subscription'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.reset_subscription IS 'goes on behind another position, for every member';

CREATE FUNCTION events.drop_subscription(p_name text) RETURNS void
  AS 'MODULE_PATHNAME', 'events_drop_subscription'
  LANGUAGE C VOLATILE SECURITY DEFINER PARALLEL UNSAFE;
COMMENT ON FUNCTION events.drop_subscription IS 'forgets a subscription and its checkpoints';

-- Position: what every member is past. See extension/src/events/subscriptions.h.
CREATE VIEW events.subscription_status AS
  SELECT s.name, s.category, s.position, lag.events AS lag_events,
    coalesce(extract(epoch FROM clock_timestamp() - lag.since), 0)::double precision AS lag_seconds
  FROM (
    SELECT f.name, f.category, greatest(f.position, (
      SELECT max(g.lowest)
      FROM (
        SELECT min(c.position) AS lowest
        FROM events.subscription_checkpoints AS c
        WHERE c.name = f.name
        GROUP BY c.members
        HAVING count(*) = c.members
      ) AS g)) AS position
    FROM events.subscriptions AS f
  ) AS s
  CROSS JOIN LATERAL (
    SELECT count(*) AS events, min(e.created_at) AS since
    FROM events.event_store AS e
    WHERE s.category IS NULL AND e.position > s.position
    UNION ALL
    SELECT count(*), min(e.created_at)
    FROM events.event_store AS e
    WHERE split_part(e.stream_id, ':', 1) = s.category AND e.position > s.position
    ORDER BY events DESC
    LIMIT 1
  ) AS lag;
COMMENT ON VIEW events.subscription_status IS
  'how far each subscription is, how many events behind, and for how long the oldest has waited';

-- Who holds the gate has drawn a position and not ended. What a user may see of another's query is
-- PostgreSQL's rule; the process id is always there (NULL: a prepared transaction).
CREATE VIEW events.in_flight AS
  SELECT l.pid,
    coalesce(a.xact_start, x.prepared) AS since,
    coalesce(a.query, format('PREPARE TRANSACTION %L', x.gid)) AS query
  FROM pg_catalog.pg_locks AS l
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
  LEFT JOIN pg_catalog.pg_locks AS own
    ON l.pid IS NULL AND own.pid IS NULL AND own.locktype = 'transactionid'
      AND own.mode = 'ExclusiveLock' AND own.virtualtransaction = l.virtualtransaction
  LEFT JOIN pg_catalog.pg_prepared_xacts AS x ON x.transaction = own.transactionid
  WHERE l.locktype = 'relation'
    AND l.database = (
      SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
    AND l.relation = 'events.append_gate'::regclass
    AND l.mode = 'RowExclusiveLock'
    AND l.granted;
COMMENT ON VIEW events.in_flight IS 'the appends that hold readers of the global order back right now';

REVOKE ALL ON FUNCTION
  events.create_subscription, events.poll_subscription, events.ack_subscription,
  events.reset_subscription, events.drop_subscription
  FROM PUBLIC;
GRANT SELECT ON events.subscriptions, events.subscription_checkpoints, events.subscription_status,
  events.in_flight
  TO auren_reader;
GRANT EXECUTE ON FUNCTION events.poll_subscription TO auren_reader;
GRANT EXECUTE ON FUNCTION
  events.create_subscription, events.ack_subscription, events.reset_subscription,
  events.drop_subscription
  TO auren_writer;
SELECT pg_catalog.pg_extension_config_dump('events.subscriptions', '');
SELECT pg_catalog.pg_extension_config_dump('events.subscription_checkpoints', '');

CREATE PROCEDURE events.wait_for_events(
  p_after bigint,
  p_timeout interval,
  INOUT p_position bigint DEFAULT NULL
)
  AS 'MODULE_PATHNAME', 'events_wait_for_events'
  LANGUAGE C;
COMMENT ON PROCEDURE events.wait_for_events IS
  'returns as soon as something behind the position is settled, or at the timeout';
REVOKE ALL ON PROCEDURE events.wait_for_events FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE events.wait_for_events TO auren_reader;

-- Parking ----------------------------------------------------------------------------------------
-- Events that a consumer cannot digest are set aside, so that what comes behind them goes on.

CREATE TABLE events.parked (
  name text COLLATE "C" NOT NULL REFERENCES events.subscriptions ON DELETE CASCADE,
  position bigint NOT NULL,
  reason text,
  parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  times int NOT NULL DEFAULT 1,
  retry boolean NOT NULL DEFAULT false,
  PRIMARY KEY (name, position)
);
COMMENT ON TABLE events.parked IS 'events that a subscription does not give out until they are retried';

CREATE FUNCTION events.park_event(p_name text, p_position bigint, p_reason text DEFAULT NULL)
  RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  subscription events.subscriptions;
BEGIN
  SELECT * INTO subscription FROM events.subscriptions WHERE name = p_name FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE undefined_object USING MESSAGE = format('subscription "%s" does not exist', p_name),
      HINT = 'Make it with events.create_subscription.';
  END IF;
  PERFORM FROM events.event_store AS e
  WHERE e.position = p_position
    AND split_part(e.stream_id, ':', 1) = coalesce(subscription.category, split_part(e.stream_id, ':', 1));
  IF NOT FOUND THEN
    RAISE invalid_parameter_value
      USING MESSAGE = format('subscription "%s" has no event at position %s', p_name, p_position),
      HINT = 'Use a position that poll_subscription has returned.';
  END IF;
  INSERT INTO events.parked AS p (name, position, reason) VALUES (p_name, p_position, p_reason)
  ON CONFLICT (name, position) DO UPDATE
  SET reason = excluded.reason, parked_at = excluded.parked_at, times = p.times + 1, retry = false;
END $$;
COMMENT ON FUNCTION events.park_event IS 'sets an event aside for one subscription';

CREATE FUNCTION events.retry_parked_event(p_name text, p_position bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE events.parked SET retry = true WHERE name = p_name AND position = p_position;
  IF NOT FOUND THEN
    RAISE undefined_object
      USING MESSAGE = format('no event is parked at position %s of subscription "%s"', p_position, p_name),
      HINT = 'See events.parked_events.';
  END IF;
END $$;
COMMENT ON FUNCTION events.retry_parked_event IS 'gives a parked event out again, with the next poll';

CREATE FUNCTION events.discard_parked_event(p_name text, p_position bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  checkpoint bigint;
BEGIN
  UPDATE events.parked SET retry = retry WHERE name = p_name AND position = p_position;
  IF NOT FOUND THEN
    RAISE undefined_object
      USING MESSAGE = format('no event is parked at position %s of subscription "%s"', p_position, p_name),
      HINT = 'See events.parked_events.';
  END IF;
  SELECT s.position INTO checkpoint FROM events.subscription_status AS s WHERE s.name = p_name;
  IF p_position > checkpoint THEN
    RAISE object_not_in_prerequisite_state
      USING MESSAGE = format('the subscription is not past position %s', p_position),
      DETAIL = 'Discarded now, the event would be given out again.',
      HINT = 'Discard it when its members have acknowledged what comes behind it.';
  END IF;
  DELETE FROM events.parked WHERE name = p_name AND position = p_position;
END $$;
COMMENT ON FUNCTION events.discard_parked_event IS 'forgets a parked event: it has been dealt with';

CREATE VIEW events.parked_events AS
  SELECT p.name, p.position, e.stream_id, e.version, e.event_id, e.event_type, p.reason, p.parked_at,
    p.times, p.retry
  FROM events.parked AS p JOIN events.event_store AS e ON e.position = p.position;
COMMENT ON VIEW events.parked_events IS 'what subscriptions have set aside, and why';

REVOKE ALL ON FUNCTION
  events.park_event, events.retry_parked_event, events.discard_parked_event
  FROM PUBLIC;
GRANT SELECT ON events.parked, events.parked_events TO auren_reader;
GRANT EXECUTE ON FUNCTION
  events.park_event, events.retry_parked_event, events.discard_parked_event
  TO auren_writer;
SELECT pg_catalog.pg_extension_config_dump('events.parked', '');
