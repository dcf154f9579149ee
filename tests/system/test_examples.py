"""The examples for those who listen, while servers and connections end under them."""

import json
import random
import re
import signal
import subprocess
import sys
import threading

import psycopg
import pytest

from harness import ROOT, await_that, shell

EXAMPLES = ROOT / "build/examples"
LISTENERS = ["listen.py", "listen.mjs"]
ALL = [*LISTENERS, "agent.py"]
COMMANDS = {
    "listen.py": [sys.executable, ROOT / "examples/listen/listen.py"],
    "listen.mjs": ["node", EXAMPLES / "listen/listen.mjs"],
    "agent.py": [EXAMPLES / "venv/bin/python", ROOT / "examples/langgraph/agent.py"],
}
MODES = ["reflex", "guardian", "hypothesis", "companion", "sentinel", "pattern", "baseline"]
FIRST_WORD = {"reflex": "Breathe", "guardian": "An", "hypothesis": "Something"}  # of the agent's answers


@pytest.fixture(scope="module", autouse=True)
def fetched():
    shell("examples_fetch")


class Program:
    """An example that runs until it is told to end; `lines` is what it printed. The server knows its
    connections by its name."""

    def __init__(self, name, url):
        self.lines = []
        command = [*map(str, COMMANDS[name]), f"{url}&application_name={name}"]
        self.process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def met(self):
        """Whose switches it has printed, in order."""
        return [line.split(":")[0] for line in list(self.lines) if " -> " in line]

    def pauses(self):
        """Seconds before each other try."""
        return [float(found[1]) for found in map(re.compile("again in ([0-9.]+) s").search, list(self.lines))
                if found]

    def end(self, sig=signal.SIGTERM):
        if self.process.returncode is not None:
            return
        self.process.send_signal(sig)
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class Switching:
    """Switches people's modes from several connections at once. Some transactions take their position early
    and commit late, some never commit; who loses the server goes on when it is back."""

    def __init__(self, connect, people):
        self.connect, self.people = connect, people
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(random.Random(n),)) for n in range(4)]
        for thread in self.threads:
            thread.start()

    def _run(self, dice):
        while not self.done.is_set():
            try:
                with self.connect() as conn:
                    conn.autocommit = False
                    while not self.done.is_set():
                        for _ in range(dice.randint(1, 3)):
                            conn.execute("SELECT neuros.switch_mode(%s, %s), pg_sleep(%s)",
                                         [dice.choice(self.people), dice.choice(MODES), dice.random() / 50])
                        if dice.random() < 0.1:
                            conn.rollback()
                        else:
                            conn.commit()
            except psycopg.Error:
                self.done.wait(0.05)

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def there(cluster):
    database = cluster.database()
    yield lambda: cluster.connect(database)


@pytest.fixture
def where(cluster, there):
    with there() as conn:
        return f"postgresql://postgres@/{conn.info.dbname}?host={cluster.host}&port={cluster.port}"


@pytest.fixture
def begin(where):
    """Begins a program; all have ended when the test has."""
    begun = []

    def one(name):
        begun.append(Program(name, where))
        return begun[-1]

    yield one
    for each in begun:
        each.end()


def rows(connect, query, *params):
    with connect() as conn:
        return conn.execute(query, params).fetchall()


def switch(conn, person, mode="reflex"):
    conn.execute("SELECT neuros.switch_mode(%s, %s)", [person, mode])


def switched(connect):
    return [position for position, in rows(
        connect, "SELECT position FROM events.event_store WHERE event_type = 'mode_switched' ORDER BY 1")]


def await_more(connect, number):
    known = len(switched(connect))
    await_that(lambda: len(switched(connect)) >= known + number, f"{number} more switches")


def handled(connect, name):
    return [position for position, in rows(
        connect, "SELECT position FROM handled_switch WHERE name = %s ORDER BY nth", name)]


def looks(connect, name, after=None):
    """When it last began to end a look, if it is not in one."""
    return rows(connect, "SELECT query_start FROM pg_stat_activity WHERE application_name = %s"
                " AND datname = current_database() AND state = 'idle' AND query ~ 'COMMIT|read_switches'"
                " AND query_start > coalesce(%s::timestamptz, '-infinity')", name, after)


def await_whole_look(connect, name):
    """A look that began after this was called has ended."""
    now = rows(connect, "SELECT clock_timestamp()")[0][0]
    [[first]] = await_that(lambda: looks(connect, name, now), f"{name} looks")
    await_that(lambda: looks(connect, name, first), f"{name} looks again")


def end_backends(connect, name):
    rows(connect, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
         " AND datname = current_database()", name)


def through_what_may_end(cluster, connect, name):
    """Backends are ended, the server crashes and starts again, it is stopped in haste."""
    await_more(connect, 20)
    end_backends(connect, name)
    await_more(connect, 20)
    cluster.kill()
    cluster.restart_where_it_was()
    await_more(connect, 20)
    cluster.stop("immediate")
    cluster.restart_where_it_was()
    await_more(connect, 20)


@pytest.mark.parametrize("name", LISTENERS)
def test_a_listener_misses_nothing_and_does_nothing_twice(cluster, there, begin, name):
    listeners = [begin(name)]
    await_that(lambda: looks(there, name), "it has begun")
    # In which order its table is filled. Where a row lies does not tell: each connection fills a page of its
    # own.
    with there() as conn:
        conn.execute("ALTER TABLE handled_switch ADD nth bigint GENERATED ALWAYS AS IDENTITY")
    listeners.append(begin(name))  # two under one name
    switching = Switching(there, [f"person {n}" for n in range(20)])
    try:
        through_what_may_end(cluster, there, name)
        for listener in listeners:
            listener.end(signal.SIGKILL)
        await_more(there, 250)  # more than a page, while nobody is there
        listeners = [begin(name), begin(name)]
        await_more(there, 20)
        listeners[0].end(signal.SIGKILL)
        await_more(there, 20)
    finally:
        switching.stop()
    expected = switched(there)
    await_that(lambda: len(handled(there, name)) >= len(expected), "all are handled")
    assert handled(there, name) == expected  # each once, in order


@pytest.mark.parametrize("name", ALL)
def test_what_commits_out_of_order_is_waited_for(there, begin, name):
    program = begin(name)  # makes its tables, which would wait for open transactions
    await_that(lambda: looks(there, name), "it has begun")
    program.end()
    with there() as early, there() as late:
        # The late one rings before anybody listens, and the end of what it waits for never rings.
        with early.transaction(force_rollback=True):
            switch(early, "early")
            switch(late, "late")
            program = begin(name)
            await_that(lambda: looks(there, name), "it has looked")
            assert program.met() == []
        await_that(lambda: program.met() == ["late"], "the late one is met")

        # While it listens, to one that commits and to one that does not.
        with early.transaction():
            switch(early, "early")
            switch(late, "late", "guardian")
            await_whole_look(there, name)
            assert program.met() == ["late"]
        await_that(lambda: program.met() == ["late", "early", "late"], "both are met, in order")
        with early.transaction(force_rollback=True):
            switch(early, "early", "guardian")
            switch(late, "late", "pattern")
            await_whole_look(there, name)
            assert len(program.met()) == 3
        await_that(lambda: program.met()[3:] == ["late"], "the late one is met again")


@pytest.mark.parametrize("name", ALL)
def test_it_backs_off(cluster, there, begin, name):
    program = begin(name)
    await_that(lambda: looks(there, name), "it has begun")
    cluster.stop("immediate")
    pauses = await_that(lambda: len(program.pauses()) >= 3 and program.pauses(), "it has tried in vain")
    cluster.restart_where_it_was()
    # Half a second, twice as long each time, of which it takes at least the half.
    for pause, whole in zip(pauses, (0.5, 1, 2)):
        assert whole / 2 - 0.05 <= pause <= whole + 0.05
    with there() as conn:
        switch(conn, "nora")
    await_that(lambda: program.met() == ["nora"], "it is back")
    known = len(program.pauses())
    end_backends(there, name)
    await_that(lambda: len(program.pauses()) > known, "it has noticed")
    assert program.pauses()[known] <= 0.5  # and begins anew


def remembered(connect, url, *people):
    """What the agent's threads hold, read as the agent reads them."""
    code = ("import json, sys, agent, psycopg; from psycopg.rows import dict_row\n"
            "own = psycopg.connect(sys.argv[1], autocommit=True, row_factory=dict_row)\n"
            "graph = agent.build(agent.PostgresSaver(own))\n"
            "print(json.dumps([graph.get_state(agent.thread(who)).values for who in sys.argv[2:]]))")
    done = subprocess.run([COMMANDS["agent.py"][0], "-c", code, url, *people], text=True, capture_output=True,
                          cwd=ROOT / "examples/langgraph", check=True)
    return dict(zip(people, json.loads(done.stdout)))


def await_answered_once(connect, url, *people):
    """The threads hold one answer for each switch."""
    expected = switched(connect)
    await_that(lambda: rows(connect, "SELECT position FROM agent_checkpoint")[0][0] == expected[-1],
               "all are answered")
    for person, state in remembered(connect, url, *people).items():
        modes = [mode for mode, in rows(
            connect, "SELECT event_data ->> 'to_mode' FROM events.replay_stream(%s)"
            " WHERE event_type = 'mode_switched'", f"user:{person}")]
        assert [words.split()[0] for words in state["said"]] == [FIRST_WORD.get(m, f"[{m}]") for m in modes]


def test_the_agent_goes_the_way_of_the_mode_and_remembers(cluster, there, begin, where):
    first = begin("agent.py")
    await_that(lambda: looks(there, "agent.py"), "it has begun")
    with there() as conn:
        for mode in ("reflex", "guardian", "hypothesis", "companion"):
            switch(conn, "nora", mode)
    await_that(lambda: len(first.met()) == 4, "four answers")
    for line, part in zip(first.lines, ("Breathe out", "An easy day", "does not fit", "[companion] ")):
        assert part in line

    second = begin("agent.py")  # answers when the first is gone
    switching = Switching(there, ["nora", "theo"])
    try:
        await_more(there, 10)
        first.end(signal.SIGKILL)
        await_more(there, 10)
        end_backends(there, "agent.py")
        await_more(there, 10)
        cluster.kill()
        cluster.restart_where_it_was()
        await_more(there, 10)
    finally:
        switching.stop()
    await_answered_once(there, where, "nora", "theo")
    assert second.met()


def test_an_answer_is_not_lost_when_its_checkpoint_is(there, begin, where):
    agent = begin("agent.py")
    await_that(lambda: looks(there, "agent.py"), "it has begun")
    # Every third checkpoint of a thread finds no room, wherever in a run that is.
    with there() as conn:
        conn.execute("""
            CREATE SEQUENCE counted;
            CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF nextval('counted') % 3 = 0 THEN RAISE 'no room' USING ERRCODE = 'disk_full'; END IF;
              RETURN NEW;
            END $$;
            CREATE TRIGGER no_room BEFORE INSERT ON checkpoints FOR EACH ROW
              EXECUTE FUNCTION no_room()""")
        for mode in MODES:
            switch(conn, "nora", mode)
    await_answered_once(there, where, "nora")
    assert any("no room" in line for line in agent.lines)
