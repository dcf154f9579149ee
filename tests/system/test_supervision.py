"""What a supervisor hears of the worker: systemd's protocol, on a real socket."""

import os
import re
import signal
import socket

import pytest

from harness import ROOT, Worker, await_that


class Supervisor:
    """The supervisor's end of NOTIFY_SOCKET; keeps what came."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.setblocking(False)
        self.env = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "200000"}
        self.heard = []

    def listen(self):
        try:
            while True:
                self.heard += self.socket.recv(4096).decode().split("\n")
        except BlockingIOError:
            return self.heard

    def forget(self):
        self.listen()
        self.heard = []

    def await_message(self, pattern):
        return await_that(lambda: next((m for m in self.listen() if re.fullmatch(pattern, m)), None),
                          f"{pattern} is heard; heard: {self.heard}")


@pytest.fixture(params=["path", "abstract"])
def supervisor(request, tmp_path):
    made = Supervisor(str(tmp_path / "notify") if request.param == "path" else f"@auren-test-{os.getpid()}")
    yield made
    made.socket.close()


def test_ready_watchdog_reload_stopping(new_house, supervisor):
    house = new_house(env=supervisor.env)
    supervisor.await_message("READY=1")
    supervisor.await_message("STATUS=ready")
    supervisor.forget()
    supervisor.await_message("WATCHDOG=1")
    supervisor.forget()
    supervisor.await_message("WATCHDOG=1")
    supervisor.forget()
    house.worker.process.send_signal(signal.SIGHUP)
    supervisor.await_message("RELOADING=1")
    supervisor.await_message(r"MONOTONIC_USEC=\d+")
    supervisor.await_message("READY=1")
    assert house.worker.terminate() == 0
    heard = supervisor.listen()
    assert "STOPPING=1" in heard and "STATUS=stopping" in heard
    assert heard.index("RELOADING=1") < heard.index("READY=1") < heard.index("STOPPING=1")


def test_ready_although_postgresql_is_away(supervisor):
    worker = Worker("postgresql://auren@127.0.0.1:1/none", env=supervisor.env)
    supervisor.await_message("READY=1")
    status = supervisor.await_message("STATUS=not_ready: .*postgres.*refused.*")
    assert "none" not in status
    supervisor.forget()
    supervisor.await_message("WATCHDOG=1")
    assert worker.terminate() == 0


def test_a_hung_loop_is_not_covered_up(new_house, supervisor, tmp_path):
    """A pipe nobody writes to in place of the thresholds file: the loop that reads it hangs."""
    thresholds = tmp_path / "thresholds.yaml"
    good = (ROOT / "config/biometric_thresholds.yaml").read_text(encoding="utf-8")
    thresholds.write_text(good, encoding="utf-8")
    house = new_house(env={**supervisor.env, "BIOMETRIC_CONFIG": str(thresholds)})
    supervisor.await_message("WATCHDOG=1")
    os.mkfifo(tmp_path / "pipe")
    os.rename(tmp_path / "pipe", thresholds)
    health = await_that(lambda: (h := house.worker.request("GET", "/health", ops=True)).status == 503 and h,
                        "/health tells")
    assert health.json == {"status": "silent", "thread": "main"}
    # Seconds have passed: nothing was said in them, and nothing is.
    supervisor.forget()
    assert house.worker.request("GET", "/health", ops=True).status == 503
    assert supervisor.listen() == []
    # Somebody writes: it goes on, and is heard of again.
    with open(thresholds, "w", encoding="utf-8") as pipe:
        pipe.write(good)
    os.remove(thresholds)
    thresholds.write_text(good, encoding="utf-8")
    supervisor.await_message("WATCHDOG=1")
    await_that(lambda: house.worker.request("GET", "/health", ops=True).status == 200, "/health is well")
    assert house.worker.terminate() == 0
