"""Webhook to commit, over HTTP keep-alive connections: the worker, which verifies, maps, checks, stores,
judges and commits every delivery, against a handler of the same HTTP library that does nothing.

The generator (http_load.cpp) and both servers share the cores. No more than 64 connections: the worker lets
one address hold three quarters of its 128 threads.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from report import row, table, take_turns
from server import SECONDS, fresh_store

PROGRAMS = pathlib.Path(os.environ.get("PROGRAMS", "build/cmake"))
KEY = "bench-key"
ROLE = """
DO $$ BEGIN
  CREATE ROLE auren_worker LOGIN IN ROLE auren_writer, auren_reader, auren_admin;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$
"""


def listening(log):
    """The ports of a worker that listens, by component."""
    ports = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            said = json.loads(line)
            if said.get("msg") == "listening":
                ports[said["component"]] = said["port"]
    return ports


def is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def running(command, **options):
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextlib.contextmanager
def worker(log):
    """Runs the worker; the port of its webhooks."""
    host, port = os.environ["PGHOST"], os.environ["PGPORT"]
    environment = {
        **os.environ, "HEALTHKIT_API_KEYS": KEY, "AUREN_HTTP__LISTEN": "127.0.0.1:0",
        "AUREN_OPS__LISTEN": "127.0.0.1:0", "AUREN_HTTP__DRAIN": "0s",
        "POSTGRES_URL": f"postgresql://auren_worker@/bench?host={host}&port={port}"}
    with log.open("w") as out, running([PROGRAMS / "auren-worker"], env=environment, stdout=out,
                                       stderr=subprocess.STDOUT):
        for _ in range(100):
            ports = listening(log)
            if {"http", "ops"} <= ports.keys() and is_ready(ports["ops"]):
                yield ports["http"]
                return
            time.sleep(0.1)
        raise RuntimeError(f"the worker is not ready: {log.read_text(encoding='utf-8')[-1000:]}")


@contextlib.contextmanager
def empty_server():
    with running([PROGRAMS / "empty_server", "128"], stdout=subprocess.PIPE, text=True) as process:
        yield int(process.stdout.readline())


def load(port, path, connections, rate=0, seconds=SECONDS, fresh=False):
    """Requests a second, p50 and p99 in ms; with a rate, at that many requests a second. Fresh readings are
    judged too."""
    command = [PROGRAMS / "http_load", str(port), path, KEY, str(connections), str(seconds), f"{rate:.0f}",
               "0", *(["fresh"] if fresh else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rate, p50, p99, failed = (float(word) for word in done.stdout.split())
    if failed:
        raise RuntimeError(f"{failed:.0f} requests were not answered 2xx")
    return rate, p50, p99


def column(values, index):
    return [each[index] for each in values]


def run():
    with fresh_store() as conn:
        conn.execute(ROLE)
    table("webhook to commit", "requests/s")
    with tempfile.TemporaryDirectory() as folder, worker(pathlib.Path(folder) / "worker.log") as port, \
            empty_server() as empty_port:
        for connections in (1, 32, 64):
            got = take_turns({"webhook": lambda n=connections: load(port, "/webhooks/healthkit", n),
                              "empty": lambda n=connections: load(empty_port, "/empty", n)})
            what = f"{connections} connection{'s' if connections > 1 else ''}"
            row(what, column(got["webhook"], 0), "empty handler", column(got["empty"], 0))
            for index, percentile in ((1, "p50"), (2, "p99")):
                row(f"  {percentile}, ms", column(got["webhook"], index), "empty handler",
                    column(got["empty"], index))
