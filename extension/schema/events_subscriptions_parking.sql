-- Schema events: events that a consumer cannot digest are set aside, so that what comes behind them goes
-- on. See docs/events-subscriptions.md.

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
  PERFORM FROM events.all_events AS e
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
  FROM events.parked AS p JOIN events.all_events AS e ON e.position = p.position;
COMMENT ON VIEW events.parked_events IS 'what subscriptions have set aside, and why';

REVOKE ALL ON FUNCTION
  events.park_event, events.retry_parked_event, events.discard_parked_event
  FROM PUBLIC;
GRANT SELECT ON events.parked, events.parked_events TO auren_reader;
GRANT EXECUTE ON FUNCTION
  events.park_event, events.retry_parked_event, events.discard_parked_event
  TO auren_writer;
SELECT pg_catalog.pg_extension_config_dump('events.parked', '');
