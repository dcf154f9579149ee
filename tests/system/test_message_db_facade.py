"""The facade answers as message-db does: the same calls, right and wrong, to both."""

import os
import random
import subprocess
import threading
import uuid

import psycopg
import pytest
from psycopg.types.json import Jsonb

from harness import shell
from message_db import Pair, Rank, install_message_db

SEED = int(os.environ.get("AUREN_FACADE_SEED", random.SystemRandom().randrange(10**6)))

NAMES = ("account-1", "account-2", "account-1+one", "account-1+two", "account-2+x-y", "account",
         "account-", "accountComponent:command-1", "user:1", "Order Book-7", "größe-ß", "-x", "-", "",
         "a\tb-\n1",
         "with%percent-%s", "with_under-1", "it's-1", "back\\slash-1", "x" * 300 + "-1", "message_store:a-1")
CATEGORIES = ("account", "accountComponent:command", "user:1", "Order Book", "größe", "", "a\tb",
              "with%percent", "it's", "x" * 300, "unknown", "with_under", "message_store:a")
TYPES = ("Opened", "Deposited", "", "with space", "snake_case", "Größe", "T" * 200)
DOCUMENTS = ({}, {"a": 1}, {"amount": 1.50, "deep": {"list": [1, None, "ü"]}}, [], [1, 2], "text", "", 7,
             True, None, {"$value": 1}, {"$null": True}, {"$value": None, "$null": 1}, {"big": "y" * 3000})
CORRELATED = tuple({"correlationStreamName": name}
                   for name in ("thing-1", "thing-2", "other-1", "thing", "", "it's-9"))


def new_id():
    return str(uuid.uuid4())


@pytest.fixture
def pair(cluster):
    """A database each, fresh for every test."""
    database = cluster.database()
    with cluster.connect("postgres") as conn:
        conn.execute(f"CREATE DATABASE real_{database} TEMPLATE template0")
    with cluster.connect(f"real_{database}") as real, cluster.connect(database) as facade:
        install_message_db(real)
        facade.execute("SELECT events.install_message_db_facade()")
        made = Pair(real, facade)
        made.databases = (f"real_{database}", database)
        yield made


def write(pair, name, **more):
    """A plain message, the same for both."""
    return pair.call("write_message", new_id(), name, "Opened", Jsonb({"name": name}), **more)


def fill(pair):
    for i, name in enumerate(NAMES * 2):
        write(pair, name, metadata=Jsonb(CORRELATED[i % len(CORRELATED)]) if i % 3 else None)


def test_signatures(pair):
    """Every function of message-db, with its arguments, their names and defaults, and its result."""
    names = {row[0] for row in pair.real.conn.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'message_store'::regnamespace")}
    assert len(names) == 12
    pair.ask("SELECT proname, pg_get_function_arguments(oid), pg_get_function_result(oid), provolatile,"
             " proretset, prokind FROM pg_proc WHERE pronamespace = 'message_store'::regnamespace"
             " AND proname = ANY (%s) ORDER BY proname, 2", list(names))
    pair.ask("SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod)"
             " FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
             " WHERE c.relnamespace = 'message_store'::regnamespace AND c.relname IN ('message', 'messages')"
             " AND a.attnum > 0 ORDER BY 1, 2")


def test_names(pair):
    for name in (*NAMES, None):
        for function in ("category", "is_category", "id", "cardinal_id", "hash_64", "acquire_lock",
                         "stream_version"):
            pair.call(function, name)
    assert pair.call("message_store_version")[2] == [("1.3.0",)]


def test_writing(pair):
    known = new_id()
    assert pair.call("write_message", known, "account-1", "Opened", Jsonb({"a": 1}))[2] == [(0,)]
    assert write(pair, "account-1", expected_version=0)[2] == [(1,)]
    wrong = write(pair, "account-1", expected_version=0)
    assert wrong[1:3] == ("P0001", "Wrong expected version: 0 (Stream: account-1, Stream Version: 1)")
    for version in (-2, -1, 2, 2**63 - 1, -2**63):
        assert write(pair, "account-1", expected_version=version)[1] == "P0001"
    assert write(pair, "account-2", expected_version=-1)[2] == [(0,)]
    # A known id, in this stream or another, with this content or other.
    for name, data in (("account-1", {"a": 1}), ("account-1", {"a": 2}), ("other-1", {"a": 1})):
        for text in (known, known.upper(), "{" + known + "}"):
            assert pair.call("write_message", text, name, "Opened", Jsonb(data))[1] == "23505"
    for bad in ("", "x", known[:-1], known + "0"):
        assert pair.call("write_message", bad, "account-1", "Opened", Jsonb({}))[1] == "22P02"
    for arguments in ((None, "account-1", "Opened"), (new_id(), None, "Opened"),
                      (new_id(), "account-1", None), (None, None, None), ("x", None, None)):
        assert pair.call("write_message", *arguments, Jsonb({}))[0] == "error"
        pair.call("write_message", *arguments, None, expected_version=9)
    for data in DOCUMENTS:
        for metadata in DOCUMENTS:
            pair.call("write_message", new_id(), "document-1", "Kept", Jsonb(data), Jsonb(metadata))
    pair.call("write_message", new_id(), "document-1", "Kept", None)
    pair.call("write_message", new_id(), "document-1", "Kept", None, None, None)
    pair.call("get_stream_messages", "document-1")
    pair.ask("SELECT position, stream_name, type, data, metadata, id FROM messages ORDER BY global_position")


def test_reading(pair):
    fill(pair)
    for name in (*NAMES, "unknown-1", None):
        pair.call("get_stream_messages", name)
        pair.call("get_last_stream_message", name)
        pair.call("stream_version", name)
        for kind in (*TYPES, "Unknown"):
            pair.call("get_last_stream_message", name, type=kind)
    for position in (None, -1, 0, 1, 2, 99):
        for size in (None, -2, -1, 0, 1, 1000):
            pair.call("get_stream_messages", "account-1", position, size)
            pair.call("get_category_messages", "account", position and Rank(max(position, 0)), size)
    for category in (*CATEGORIES, "account-1", None):
        pair.call("get_category_messages", category)


def test_correlation_and_groups(pair):
    fill(pair)
    for correlation in ("thing", "other", "it's", "", "unknown", "thing-1", None):
        for category in CATEGORIES:
            pair.call("get_category_messages", category, correlation=correlation)
    for member in (None, -1, 0, 1, 2, 3):
        for size in (None, -1, 0, 1, 2, 3, 32767, 32768):
            group = {"consumer_group_member": member, "consumer_group_size": size}
            pair.call("get_category_messages", "account", **group)
            pair.call("get_category_messages", "account", correlation="thing", batch_size=2, **group)


def test_condition_is_refused(pair):
    fill(pair)
    for condition in ("true", "", "position = 0", "; DROP TABLE messages"):
        pair.call("get_stream_messages", "account-1", condition=condition)
        pair.call("get_stream_messages", "account", condition=condition)
        pair.call("get_category_messages", "account", condition=condition)
        pair.call("get_category_messages", "account", correlation="a-b", condition=condition)
        pair.call("get_category_messages", "account", consumer_group_member=1, condition=condition)
    # Where message-db lets itself be told otherwise, the facade does not.
    pair.facade.conn.execute("SET message_store.sql_condition = on")
    assert pair.facade.call("get_stream_messages", ["account-1"], {"condition": "true"})[1] == "P0001"


def any_id(rnd, known):
    draw = rnd.random()
    if draw < 0.8 or not known:
        known.append(str(uuid.UUID(int=rnd.getrandbits(128), version=4)))
        return known[-1]
    return rnd.choice((rnd.choice(known), rnd.choice(known).upper(), None, "not-a-uuid"))


def any_call(pair, rnd, known):
    """One random call, more often right than wrong."""
    name, category = rnd.choice(NAMES[:4] * 3 + NAMES[4:14]), rnd.choice(CATEGORIES)
    kind = rnd.choice(("write_message",) * 6 + ("get_stream_messages", "get_category_messages",
                                                "get_last_stream_message", "stream_version"))
    if kind == "write_message":
        metadata = rnd.choice((None, Jsonb(rnd.choice(DOCUMENTS)), Jsonb(rnd.choice(CORRELATED))))
        data = rnd.choice((None, *map(Jsonb, DOCUMENTS)))
        expected = rnd.choice((None, None, None, -1, 0, rnd.randrange(-2, 12)))
        pair.call(kind, any_id(rnd, known), rnd.choice((name,) * 20 + (None,)), rnd.choice(TYPES + (None,)),
                  data, metadata, expected)
    elif kind == "get_stream_messages":
        pair.call(kind, name, rnd.randrange(-1, 6),
                  rnd.choice((None, -1, rnd.randrange(-2, 9))))
    elif kind == "get_category_messages":
        size = rnd.choice((None, rnd.randrange(0, 5)))
        pair.call(kind, rnd.choice((category, "account")), Rank(rnd.randrange(0, 200)),
                  rnd.choice((None, -1, 5, 0)), rnd.choice((None, None, "thing", "other", "thing-1")),
                  rnd.choice((None, rnd.randrange(-1, 5))) if size is None else rnd.randrange(-1, 5), size)
    elif kind == "get_last_stream_message":
        pair.call(kind, name, rnd.choice((None, *TYPES)))
    else:
        pair.call(kind, name)


@pytest.mark.parametrize("seed", [1, 2, SEED], ids=["1", "2", "random"])
def test_random_calls(pair, seed):
    print(f"AUREN_FACADE_SEED={seed}")
    rnd, known = random.Random(seed), []
    for _ in range(60):
        if rnd.random() < 0.5:
            for _ in range(rnd.randrange(1, 6)):
                any_call(pair, rnd, known)
        else:
            with pair.transaction(keep=rnd.random() < 0.6):
                for _ in range(rnd.randrange(1, 8)):
                    any_call(pair, rnd, known)
    pair.ask("SELECT position, stream_name, type, data, metadata, id FROM messages ORDER BY global_position")
    for category in CATEGORIES:
        pair.call("get_category_messages", category)


def test_a_category_has_one_writer_at_a_time(pair, cluster):
    others = [cluster.connect(database) for database in pair.databases]
    second = Pair(*others)
    second.ask("SELECT set_config('lock_timeout', '100ms', false)")
    with pair.transaction():
        pair.call("acquire_lock", "account-1")
        assert write(second, "account-2")[1] == "55P03"
        assert write(second, "invoice-2")[0] == "rows"
    assert write(second, "account-2")[0] == "rows"
    for conn in others:
        conn.close()


def at_once(cluster, database, calls):
    """Runs the calls in connections of their own at the same time; their answers, sorted."""
    answers, start = [], threading.Barrier(len(calls))

    def run(arguments):
        with cluster.connect(database) as conn:
            conn.execute("SET search_path = message_store, public")
            start.wait()
            for _ in range(20):
                try:
                    answers.append(conn.execute("SELECT write_message(%s, %s, 'Opened', '{}')",
                                                [arguments[0] or new_id(), arguments[1]]).fetchone()[0])
                except psycopg.Error as error:
                    answers.append((error.sqlstate, error.diag.constraint_name))

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers, key=str)


def test_writers_at_once(pair, cluster):
    real, facade = pair.databases
    hot = [(None, "account-1")] * 4
    assert at_once(cluster, facade, hot) == at_once(cluster, real, hot) == sorted(range(80), key=str)
    same_id = [(new_id(), f"stream{i}-1") for i in range(4)]
    same_id = [(same_id[0][0], name) for _, name in same_id]
    answers = at_once(cluster, facade, same_id)
    assert answers == at_once(cluster, real, same_id) == [("23505", "messages_id")] * 79 + [0]


def test_dump_and_restore(pair, cluster):
    """The facade is the database's own: a dump carries it, and it goes on where it was."""
    fill(pair)
    database = pair.databases[1]
    with cluster.connect("postgres") as conn:
        conn.execute(f"CREATE DATABASE restored_{database} TEMPLATE template0")
    reach = ["-h", cluster.host, "-p", cluster.port, "-U", "postgres"]
    programs = shell("pg_bin")
    dump = subprocess.run([f"{programs}/pg_dump", *reach, database],
                          stdout=subprocess.PIPE, text=True, check=True)
    subprocess.run([f"{programs}/psql", *reach, "-qXv", "ON_ERROR_STOP=1", f"restored_{database}"],
                   input=dump.stdout, stdout=subprocess.DEVNULL, text=True, check=True)
    with cluster.connect(f"restored_{database}") as conn:
        restored = Pair(pair.real.conn, conn)
        known = restored.call("get_stream_messages", "account-1")[2][0][0]
        restored.call("get_category_messages", "account")
        assert restored.call("write_message", known, "account-9", "Opened", Jsonb({}))[1] == "23505"
        assert write(restored, "account-1", expected_version=1)[2] == [(2,)]
