-- The message-db facade: what it makes, where its messages lie in the store, who may use it. That it
-- answers as message-db does is shown by tests/system/test_message_db_facade.py.
\set ON_ERROR_STOP off
\set SHOW_CONTEXT never
BEGIN;
SELECT events.install_message_db_facade();
SAVEPOINT installed;
SELECT events.install_message_db_facade();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO installed;

-- Plain objects: nothing of it is the extension's.
SELECT count(*) FILTER (WHERE d.deptype = 'e') AS members, count(DISTINCT p.oid) > 12 AS functions
FROM pg_proc AS p LEFT JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
WHERE p.pronamespace = 'message_store'::regnamespace;

-- Names as given, in category message_store; the naming rule holds for everybody else.
SELECT message_store.write_message('a0000000-0000-4000-8000-000000000001', 'someAccount-1+x', 'MoneyDeposited', '{"amount": 5}');
SELECT message_store.write_message('a0000000-0000-4000-8000-000000000002', 'someAccount-1+x', 'Money Deposited', '[1]', '"m"', 0);
SELECT message_store.write_message('a0000000-0000-4000-8000-000000000003', '', '', NULL);
SELECT message_store.write_message('a0000000-0000-4000-8000-000000000004', E'a\n-1', 'Kept', '{"$value": 1}', 'null');
SELECT stream_id, version, event_type, event_data, metadata, created_by = session_user AS mine
FROM events.event_store WHERE split_part(stream_id, ':', 1) = 'message_store' ORDER BY position;
SELECT stream_name, position, type, data, metadata FROM message_store.messages ORDER BY global_position;
SELECT events.get_stream_state('message_store:someAccount-1+x') -> 'state' AS state;
SELECT events.append_event('message_store:someAccount-1+x', 'MoneyDeposited', '{}');
ROLLBACK TO installed;

-- A write that fails leaves nothing, and a message-db client's repeat is told so.
SELECT message_store.write_message('a0000000-0000-4000-8000-000000000001', 'account-1', 'Opened', '{}');
SAVEPOINT written;
SELECT message_store.write_message('a0000000-0000-4000-8000-000000000001', 'account-1', 'Opened', '{}');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO written;
SELECT message_store.write_message('a0000000-0000-4000-8000-000000000002', 'account-1', 'Opened', '{}', NULL, 5);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO written;
SELECT message_store.get_category_messages('account', condition => 'true');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO written;
DELETE FROM message_store.messages;
ROLLBACK TO written;

-- Readers read, writers write; the door around the naming rule is open to neither.
CREATE ROLE regress_message_reader IN ROLE auren_reader;
CREATE ROLE regress_message_writer IN ROLE auren_writer;
CREATE ROLE regress_message_nobody;
SAVEPOINT roles;
SET ROLE regress_message_reader;
SELECT stream_name, type, position FROM message_store.get_category_messages('account');
SELECT message_store.write_message('a0000000-0000-4000-8000-000000000005', 'account-1', 'Opened', '{}');
ROLLBACK TO roles;
SET ROLE regress_message_writer;
SELECT message_store.write_message('a0000000-0000-4000-8000-000000000005', 'account-1', 'Closed', '{}', NULL, 0);
SELECT events.append_message('account-1', 'Closed', '{}', NULL, 'a0000000-0000-4000-8000-000000000006', NULL);
ROLLBACK TO roles;
SET ROLE regress_message_writer;
INSERT INTO message_store.message_index VALUES ('a0000000-0000-4000-8000-000000000007', 'account', 1);
ROLLBACK TO roles;
SET ROLE regress_message_writer;
SELECT events.install_message_db_facade();
ROLLBACK TO roles;
SET ROLE regress_message_nobody;
SELECT message_store.category('account-1');
ROLLBACK;

-- No superuser is needed to install it: an admin who may create schemas here.
BEGIN;
CREATE ROLE regress_message_admin IN ROLE auren_admin;
CREATE ROLE regress_message_writer IN ROLE auren_writer;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_message_admin', current_database()) \gexec
SET ROLE regress_message_admin;
SELECT events.install_message_db_facade();
SET ROLE regress_message_writer;
SELECT message_store.write_message('a0000000-0000-4000-8000-000000000008', 'account-1', 'Opened', '{}');
SELECT stream_name, type, position FROM message_store.get_category_messages('account');
ROLLBACK;
