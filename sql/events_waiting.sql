-- Waiting for events: the answer comes as soon as there is something, and at the timeout.

SELECT events.safe_position() AS start \gset
SELECT events.append_event('waiting:1', 'seen', '{}') IS NOT NULL AS appended;
CALL events.wait_for_events(:start, '1 hour') \gset
SELECT :p_position > :start AS beyond, :p_position = events.safe_position() AS safe;
CALL events.wait_for_events(:p_position, '20 milliseconds') \gset after_
SELECT :after_p_position = :p_position AS nothing_new;
CALL events.wait_for_events(NULL, '1 hour') \gset
SELECT :p_position = events.safe_position() AS safe;
CALL events.wait_for_events(9223372036854775807, '0') \gset
SELECT :p_position = events.safe_position() AS safe;

-- Under any isolation level a session may have, and afterwards as before.
SET default_transaction_isolation = 'serializable';
CALL events.wait_for_events(:start, '1 hour') \gset
SELECT :p_position > :start AS beyond;
SHOW transaction_isolation;
RESET default_transaction_isolation;

-- The position of a rolled back append is settled, too.
BEGIN; SELECT events.append_event('waiting:1', 'undone', '{}') IS NOT NULL AS appended; ROLLBACK;
CALL events.wait_for_events(:p_position, '1 hour') \gset after_
SELECT :after_p_position > :p_position AS beyond;

-- A procedure may wait as long as it has written nothing; nothing is committed behind its back.
CREATE PROCEDURE waits(p_after bigint, INOUT p_position bigint DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
  CALL events.wait_for_events(p_after, '1 hour', p_position);
  CALL events.wait_for_events(p_after, '1 hour', p_position);
END $$;
CALL waits(:start) \gset
SELECT :p_position = events.safe_position() AS safe;

-- With autocommit only.
\set VERBOSITY sqlstate
BEGIN; CALL events.wait_for_events(0, '0'); ROLLBACK;
DO $$ DECLARE position bigint; BEGIN
  PERFORM events.append_event('waiting:2', 'written', '{}');
  CALL events.wait_for_events(0, '0', position);
END $$;
\set VERBOSITY default
CREATE FUNCTION waits() RETURNS void LANGUAGE plpgsql AS $$
DECLARE position bigint; BEGIN CALL events.wait_for_events(0, '0', position); END $$;
\set VERBOSITY terse
SELECT waits();
\set VERBOSITY default
BEGIN; CALL events.wait_for_events(0, '0'); ROLLBACK;
CALL events.wait_for_events(0, '-1 second');
CALL events.wait_for_events(0, NULL);
SET ROLE auren_reader;
CALL events.wait_for_events(0, '1 hour') \gset
SELECT :p_position > 0 AS beyond;
RESET ROLE;
SELECT events.stream_version('waiting:2');
DROP FUNCTION waits();
DROP PROCEDURE waits(bigint, bigint);
