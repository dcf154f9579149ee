"""The disk of PostgreSQL's tables is full: nothing is answered 2xx, nothing becomes a dead letter, and when
there is room again everything goes on.

The disk is a tmpfs with a tablespace on it, which only root can mount. (A full disk of the WAL ends the
server at once: that is tested as kill -9 of PostgreSQL.)
"""

import os
import pathlib
import shutil
import subprocess

import pytest

from harness import await_that, shell
from load import Load
from test_kill import all_stored_once, progress
from traffic import Traffic

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
MIB = 1 << 20


class Disk:
    """`fill` leaves less than a megabyte; `free` gives the room back."""

    def __init__(self, size):
        self.dir = pathlib.Path(shell("place")) / f"disk.{os.getpid()}"
        self.dir.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "auren-fault", self.dir],
                       check=True)
        shutil.chown(self.dir, shell("server_user"))
        self.ballast = self.dir / "ballast"

    def room(self):
        found = os.statvfs(self.dir)
        return found.f_bavail * found.f_frsize

    def fill(self, leave=512 * 1024):
        with open(self.ballast, "wb") as file:
            while self.room() > leave:
                file.write(bytes(min(MIB, self.room() - leave)))
                file.flush()

    def free(self):
        self.ballast.unlink()

    def unmount(self):
        subprocess.run(["umount", self.dir], check=True)
        self.dir.rmdir()


@pytest.fixture
def disk(cluster):
    """The databases made from now on lie on it."""
    made = Disk(256 * MIB)
    with cluster.connect("postgres") as conn:
        try:
            conn.execute(f"CREATE TABLESPACE small LOCATION '{made.dir}'")
            conn.execute("ALTER DATABASE auren_template SET TABLESPACE small")
            yield made
        finally:
            for (name,) in conn.execute("SELECT datname FROM pg_database d JOIN pg_tablespace t"
                                        " ON t.oid = d.dattablespace AND spcname = 'small'"
                                        " WHERE datname <> 'auren_template'").fetchall():
                conn.execute(f"DROP DATABASE {name} WITH (FORCE)")
            conn.execute("ALTER DATABASE auren_template SET TABLESPACE pg_default")
            conn.execute("DROP TABLESPACE small")
            made.unmount()


class Log:
    """The server's, from now on."""

    def __init__(self, cluster):
        self.file = cluster.dir / "server.log"
        self.begin = self.file.stat().st_size

    def full(self):
        with open(self.file, "rb") as file:
            file.seek(self.begin)
            return b"No space left on device" in file.read()


def test_webhooks(cluster, disk, new_house, dice):
    house = new_house()
    load = Load(house, dice)
    progress(load, dice)
    log = Log(cluster)
    disk.fill()
    await_that(log.full, "the disk is full")
    refused, accepted = load.refused, load.count()
    await_that(lambda: load.refused > refused + 20 or load.errors, "senders are told to come again")
    disk.free()
    progress(load, dice)
    print(f"{load.refused} tries refused, {accepted} accepted before", flush=True)
    all_stored_once(house, load.finish())
    house.worker.await_ready()


def test_records(cluster, disk, new_bridge, dice):
    bridge, ledger = new_bridge()
    traffic = Traffic(bridge, ledger, dice, bad=0)
    traffic.progress(dice)
    log = Log(cluster)
    disk.fill()
    await_that(log.full, "the disk is full")
    await_that(lambda: bridge.worker.ready().json["status"] != "ready", "it is told")
    traffic.progress(dice)  # the topic is the buffer
    disk.free()
    traffic.progress(dice)
    traffic.finish()
    bridge.await_caught_up()
    bridge.worker.await_ready()
    ledger.check()
