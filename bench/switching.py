"""From the webhook to the LISTEN payload in a client, at a third of the full rate.

The full rate is measured first in every round: 32 connections, each posting as soon as it is answered. Then
a third of it is posted evenly, every request timed from the moment it was due. One delivery in twenty
switches a mode: somebody new whose heart races, so that each of them must. The others are calm, of this
moment, and judged as well. A process of its own listens; a payload belongs to the delivery of its person,
and all read the same clock of the machine (CLOCK_MONOTONIC).

The times have the whole way in them: HTTP, mapping, the wait for a batch, judging, the commit, and the
notification, which PostgreSQL sends after it. The generator, the listener, the worker and PostgreSQL share
the cores. Beside it, of the same deliveries: until the webhook was answered.
"""

import concurrent.futures
import http.client
import json
import multiprocessing
import os
import pathlib
import select
import statistics
import tempfile
import time

from report import ROUNDS, at_most, single, table
from server import connect, fresh_store
from webhook import KEY, ROLE, load, worker

CONNECTIONS = 32
SHARE = 1 / 20  # of the deliveries that switch
SENDERS = 4  # connections they come over
SECONDS = int(os.environ.get("BENCH_SWITCH_SECONDS", "10"))
PATIENCE = 10  # seconds for the last payload to come
WEBHOOK = "/webhooks/healthkit"


def listen(pipe):
    """When each payload was read, by person, until `pipe` says how many there must be."""
    heard, expected = {}, None
    with connect("bench") as conn:
        conn.execute("LISTEN mode_switch")
        pipe.send("ready")
        end = None
        while expected is None or (len(heard) < expected and time.monotonic() < end):
            select.select([conn.fileno(), pipe], [], [], 0.1)
            conn.pgconn.consume_input()
            at = time.monotonic()
            while note := conn.pgconn.notifies():
                heard[json.loads(note.extra)["user_id"]] = at
            if pipe.poll():
                expected = pipe.recv()
                end = time.monotonic() + PATIENCE
    pipe.send(heard)


def send(port, begin, pace, people):
    """Posts a racing heart for each of them, `pace` seconds apart: when it was due, and when answered."""
    conn = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    sent = {}
    for number, person in enumerate(people):
        due = begin + number * pace
        body = json.dumps({"user_id": person, "samples": [
            {"type": "heartRate", "value": 128, "timestamp": time.strftime("%FT%TZ", time.gmtime())}]})
        time.sleep(max(0, due - time.monotonic()))
        conn.request("POST", WEBHOOK, body, headers)
        answer = conn.getresponse()
        answer.read()
        if answer.status != 202:
            raise RuntimeError(f"a switching delivery was answered {answer.status}")
        sent[person] = (due, time.monotonic())
    conn.close()
    return sent


def send_switching(port, rate, name):
    """All that switch, over SENDERS connections in turn."""
    begin, pace = time.monotonic() + 0.1, SENDERS / rate
    with concurrent.futures.ThreadPoolExecutor(SENDERS) as pool:
        each = [pool.submit(send, port, begin + lane / rate, pace,
                            [f"{name}_{lane}_{number}" for number in range(int(SECONDS / pace))])
                for lane in range(SENDERS)]
        return {person: times for one in each for person, times in one.result().items()}


def percentiles(times):
    cuts = statistics.quantiles([1000 * each for each in times], n=100)
    return cuts[49], cuts[98]


def measure(port, name):
    """The full rate; p50 and p99 until the payload, and until the answer, at a third of it."""
    full, _, _ = load(port, WEBHOOK, CONNECTIONS, fresh=True)
    third = full / 3
    ours, theirs = multiprocessing.Pipe()
    listener = multiprocessing.Process(target=listen, args=(theirs,), daemon=True)
    listener.start()
    ours.recv()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        calm = pool.submit(load, port, WEBHOOK, CONNECTIONS, third * (1 - SHARE), SECONDS, fresh=True)
        sent = send_switching(port, third * SHARE, name)
        kept_up = calm.result()[0] / (third * (1 - SHARE))
    ours.send(len(sent))
    heard = ours.recv()
    listener.join()
    if sent.keys() != heard.keys():
        raise RuntimeError(f"{len(sent)} deliveries must switch, {len(heard)} payloads came")
    if kept_up < 0.95:
        raise RuntimeError(f"only {kept_up:.0%} of the calm deliveries were answered in time")
    return (full, third, len(sent),
            *percentiles(heard[person] - due for person, (due, _) in sent.items()),
            *percentiles(answered - due for due, answered in sent.values()))


def run():
    with fresh_store() as conn:
        conn.execute(ROLE)
    table(f"webhook to LISTEN payload, {CONNECTIONS} connections, one in {1 / SHARE:.0f} switches", "")
    with tempfile.TemporaryDirectory() as folder, worker(pathlib.Path(folder) / "worker.log") as port:
        rounds = list(zip(*(measure(port, f"switch{number}") for number in range(ROUNDS))))
    full, third, switches, p50, p99, answer_p50, answer_p99 = rounds
    single("full rate, requests/s", full)
    single("a third of it, requests/s", third)
    single(f"  switches in {SECONDS} s", switches)
    single("  p50, ms", p50)
    single("  p99, ms", p99, at_most(10))
    single("  to the answer, p50, ms", answer_p50)
    single("  to the answer, p99, ms", answer_p99)
