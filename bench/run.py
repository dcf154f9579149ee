"""Runs the benchmarks named on the command line, in the order given, after a line on every peer.

Every benchmark is a module of this folder with a function run(); script/bench knows their names.
"""

import importlib
import os
import pathlib
import subprocess
import sys

# What the system tests are made of, message-db, a broker and the worker, serves here too.
sys.path.append(str(pathlib.Path(__file__).parent.parent / "tests" / "system"))

import report  # noqa: E402
import server  # noqa: E402


def sync_time(data):
    """Of one fdatasync of 8 kB below the data folder, as PostgreSQL's own tool measures it."""
    command = [f"{os.environ['PG_BIN']}/pg_test_fsync", "-s", "1", "-f", f"{data}/fsync_test"]
    done = subprocess.run([*os.environ["AS_SERVER"].split(), *command], cwd="/", text=True,
                          capture_output=True, check=False)
    for line in done.stdout.partition("using one")[2].splitlines():
        words = line.split()
        if words and words[0] == "fdatasync":
            return " ".join(words[-2:])
    return "not measured"


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.split(": ")[1].strip() for line in info if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    with server.connect("postgres") as conn:
        def setting(name):
            return server.value(conn, f"SHOW {name}")
        print(f"machine      {os.cpu_count()} cores, {model}, {memory:.0f} GB")
        print(f"storage      fdatasync of 8 kB: {sync_time(setting('data_directory'))}")
        print(f"PostgreSQL   {setting('server_version')}, the same server for both sides")
        print("settings     " + ", ".join(
            f"{name}={setting(name)}" for name in ("fsync", "synchronous_commit", "shared_buffers",
                                                   "max_wal_size", "autovacuum")))
        extension = "SELECT default_version FROM pg_available_extensions WHERE name = 'auren'"
        print(f"AUREN        {server.value(conn, extension)}, preloaded")
    print(f"measured     {report.ROUNDS} rounds, sides taking turns, medians; {server.SECONDS} s a side where"
          " pgbench or http_load measures;")
    clock = "the wall clock" if server.CLOCK == "wall" else "processor time"
    print(f"             inside the server by {clock}", flush=True)


if __name__ == "__main__":
    machine()
    for name in sys.argv[1:]:
        importlib.import_module(name).run()
