"""The worker's memory (resident set) while webhooks with bodies of up to 64 KiB come as fast as they are
answered and one consumer takes them in, then while the broker is stopped (SIGSTOP: connections stay, nothing
is answered), then while it is dead. BENCH_MEMORY_SECONDS (20) for each of the three; ten minutes are 600.

Flat: the median of the last third is compared with that of the third before.
"""

import os
import statistics
import subprocess
import threading
import time

from kafka_parts import PARTITIONS, PROGRAMS, Worker, a_broker, fresh_database, running, url, worker_env
from report import at_most, single, table
from webhook import KEY

SECONDS = float(os.environ.get("BENCH_MEMORY_SECONDS", "20"))
CONNECTIONS = 64
BYTES = 64 << 10
LIMIT = 150  # MB
GROWTH = 5  # MB


def resident(pid):
    """In MB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) * 1024 / 1e6


def sampled(pid, work):
    """What the process holds, twice a second, until `work` is done."""
    samples, thread = [], threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        samples.append(resident(pid))
        time.sleep(0.5)
    thread.join()
    return samples


def bombard(port, got):
    # Its status is of no interest: while the broker is away nothing is answered 2xx.
    done = subprocess.run([PROGRAMS / "http_load", str(port), "/webhooks/healthkit", KEY, str(CONNECTIONS),
                           str(SECONDS), "0", str(BYTES)], text=True, capture_output=True, check=False)
    got.append(done.stdout.split())


def tell(what, samples, answered):
    third = len(samples) // 3
    grown = statistics.median(samples[-third:]) - statistics.median(samples[third:2 * third])
    single(f"{what}, greatest", [max(samples)], at_most(LIMIT))
    single("  growth in the last third", [grown], at_most(GROWTH))
    rate, _, _, failed = answered
    print(f"    {float(rate):,.0f} requests/s answered 2xx, {failed} in all otherwise", flush=True)


def run():
    table(f"memory of the worker, bodies of up to 64 KiB, {SECONDS:.0f} s each", "MB")
    with a_broker() as broker, fresh_database(), running(Worker(url(), worker_env(
            broker, broker.topic("memory", PARTITIONS), "http,ingest", HEALTHKIT_API_KEYS=KEY))) as worker:
        worker.await_ready()
        single("at the start", [resident(worker.process.pid)])
        for what, before in (("at full rate", None), ("broker stopped", broker.pause),
                             ("broker killed", broker.kill)):
            if before:
                before()
            answered = []
            try:
                samples = sampled(worker.process.pid, lambda a=answered: bombard(worker.port, a))
            finally:
                broker.revive()
            tell(what, samples, answered[0])
