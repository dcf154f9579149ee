"""From an append to a consumer that waits for it with CALL events.wait_for_events.

How soon: one process appends 1,000 events a second, one at a time, another waits again as soon as it was
woken. The time is from the moment the append is sent (so with its own work and commit in it), and from the
moment its commit is answered, to the return of the first wait that reports its position; 0 when the waiter
was told before the appender. Both clients are Python and add their own time.

What it costs: appends at full rate, 8 clients, with four waiters that wait again at once, against none.
"""

import multiprocessing
import statistics
import subprocess
import time

from peers import APPEND
from report import ROUNDS, at_least, at_most, row, single, table, take_turns
from server import SECONDS, connect, fresh_store, pgbench, pgbench_command, value

RATE = 1000
WAITERS = 4
WAIT = "CALL events.wait_for_events(:p_position, interval '1 second') \\gset\n"
NEW = "\\set s random(1, 1000000000000000)\n"


def wait_on(last, pipe):
    """Sends what every wait answered, and when, until position `last` is there."""
    returns = []
    with connect("bench") as conn:
        position = value(conn, "SELECT events.safe_position()")
        pipe.send("ready")
        while position < last.value or not last.value:
            position = value(conn, "CALL events.wait_for_events(%s, interval '1 second')", position)
            returns.append((position, time.monotonic()))
    pipe.send(returns)


def append_steadily(data):
    """The position of every append, when it was sent and when answered."""
    appended = []
    with connect("bench") as conn:
        begun = time.monotonic()
        for n in range(RATE * SECONDS):
            time.sleep(max(0, begun + n / RATE - time.monotonic()))
            sent = time.monotonic()
            position = value(conn, "SELECT position FROM events.append(%s, 'reading_taken', %s::jsonb)",
                             f"bench:{n % 1000}", data)
            appended.append((position, sent, time.monotonic()))
    return appended


def latencies(data):
    """p50 and p99 from sending, p50 and p99 from the answer, in ms."""
    last = multiprocessing.Value("q", 0)
    ours, theirs = multiprocessing.Pipe()
    waiter = multiprocessing.Process(target=wait_on, args=(last, theirs))
    waiter.start()
    ours.recv()
    appended = append_steadily(data)
    last.value = appended[-1][0]
    returns = iter(ours.recv())
    waiter.join()
    from_sending, from_answer = [], []
    reached, at = next(returns)
    for position, sent, answered in appended:
        while reached < position:
            reached, at = next(returns)
        from_sending.append(1000 * (at - sent))
        from_answer.append(1000 * max(0, at - answered))
    return [statistics.quantiles(times, n=100)[percent - 1] for times in (from_sending, from_answer)
            for percent in (50, 99)]


def soon(data):
    table(f"append to wake-up, {RATE:,} appends a second", "ms")
    rounds = [latencies(data) for _ in range(ROUNDS)]
    for index, what in enumerate(("p50 from sending the append", "p99 from sending the append",
                                  "p50 from its answer", "p99 from its answer")):
        single(what, [each[index] for each in rounds], at_most(5) if index == 3 else None)


def appends(data):
    return pgbench("bench", NEW + APPEND.format(stream="'bench:' || :s", data=data), 8)


def appends_with_waiters(data):
    command = pgbench_command("bench", WAITERS, SECONDS + 2, {"p_position": 0})
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as waiters:
        waiters.stdin.write(WAIT)
        waiters.stdin.close()
        time.sleep(0.5)
        rate = appends(data)
        # They end by themselves; an error of theirs is one of ours.
        problem = waiters.stderr.read()
        if waiters.wait():
            raise RuntimeError(f"pgbench: {problem}")
    return rate


def run():
    with fresh_store() as conn:
        data = value(conn, "SELECT bench_data(1)::text")
        soon(data)
        table("append at full rate, 8 clients", "events/s")
        got = take_turns({"waited for": lambda: appends_with_waiters(data), "alone": lambda: appends(data)})
        row(f"{WAITERS} waiters", got["waited for"], "AUREN, no waiter", got["alone"], at_least(0.85))
