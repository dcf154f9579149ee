"""A standby of a cluster, by streaming replication over the primary's socket; asynchronous."""

import os
import shutil

from harness import Cluster, await_that, shell


class Standby(Cluster):
    def __init__(self, primary):
        self.dir = primary.dir.with_name(primary.dir.name + ".standby")
        self.settings = []
        self.count = primary.count
        self.dir.mkdir()
        if os.getuid() == 0:
            shutil.chown(self.dir, shell("server_user"))
        shell("as_server", shell("pg_bin") + "/pg_basebackup", "-h", primary.host, "-p", primary.port,
              "-U", "postgres", "-D", self.dir / "data", "-R", "-X", "stream", "-c", "fast")
        self.start()

    def cut_off(self):
        """Hears nothing of the primary any more."""
        with self.connect("postgres") as conn:
            conn.execute("ALTER SYSTEM SET primary_conninfo = ''")
            conn.execute("SELECT pg_reload_conf()")
            await_that(lambda: not conn.execute("SELECT FROM pg_stat_wal_receiver").fetchall(),
                       "it receives nothing more")

    def promote(self):
        self.pg_ctl("promote")

    def databases(self):
        with self.connect("postgres") as conn:
            return {row[0] for row in conn.execute("SELECT datname FROM pg_database").fetchall()}
