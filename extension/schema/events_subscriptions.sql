-- Schema events: following the global order. How far each consumer has come, what holds it back, and how
-- it waits. See docs/events-subscriptions.md.

-- `position` of a subscription: where it began or was reset to.
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
    FROM events.all_events AS e
    WHERE s.category IS NULL AND e.position > s.position
    UNION ALL
    SELECT count(*), min(e.created_at)
    FROM events.all_events AS e
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
