"""The real parts a system test is made of: a private PostgreSQL, the real worker, real sockets.

    Cluster     a server of its own, started through script/lib, with a template database that holds
                the extension; `database()` copies it
    Worker      build/cmake/auren-worker (or AUREN_WORKER) on free ports, with its log kept
    Listener    LISTEN mode_switch

Nothing here sleeps for a fixed time: what is awaited is asked for until it holds or `PATIENCE` is over.
"""

import hashlib
import hmac
import http.client
import json
import os
import pathlib
import select
import signal
import subprocess
import threading
import time

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAYLOADS = ROOT / "tests/data/wearables/payloads"
PATIENCE = 60  # seconds: only ever waited for when something is broken

OURA_SECRET = "oura-client-secret-TEST"
KEY = "hk-unbound-key"
BOUND_KEY = "hk-bound-key"
BOUND_USER = "exporter"


def await_that(condition, what, patience=PATIENCE):
    """Asks until the answer is true and returns it; fails with `what` when patience is over."""
    end = time.monotonic() + patience
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience} s in vain: {what}")
        time.sleep(0.02)


def shell(*command):
    """Runs a function of script/lib."""
    libs = "".join(f". {ROOT}/script/lib/{lib}.sh; "
                   for lib in ("common", "pghome", "cluster", "kafka", "examples"))
    done = subprocess.run(["bash", "-c", libs + '"$@"', "system", *map(str, command)],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr}")
    return done.stdout.strip()


def children_of(pid):
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == pid:
            found.append(int(stat.parent.name))
    return found


class Cluster:
    """A private PostgreSQL. The worker's role may do what WORKER.md lets the worker do, no more."""

    ROLE = "auren_worker"

    def __init__(self):
        self.dir = pathlib.Path(shell("place")) / f"system.{os.getpid()}"
        self.settings = []
        self.count = 0
        shell("cluster_init", self.dir)
        self.start()
        with self.connect("postgres") as conn:
            conn.execute("CREATE DATABASE auren_template")
        with self.connect("auren_template") as conn:
            conn.execute("CREATE EXTENSION auren")
            conn.execute(f"CREATE ROLE {self.ROLE} LOGIN IN ROLE auren_writer, auren_reader, auren_admin")

    def start(self):
        shell("cluster_start", self.dir, *self.settings)
        self.host, self.port = (self.dir / "address").read_text(encoding="utf-8").split()

    def restart_where_it_was(self):
        """Starts it again on the same socket and port: what the worker was told stays true."""
        self.pg_ctl("start", "-o", f"-p {self.port} -k {self.host} -c listen_addresses=127.0.0.1 "
                    + " ".join(self.settings))

    def pg_ctl(self, action, *options):
        shell("as_server", shell("pg_bin") + "/pg_ctl", "-D", self.dir / "data", "-w", "-s", "-t", "60",
              "-l", self.dir / "server.log", *options, action)

    def stop(self, mode="fast"):
        self.pg_ctl("stop", "-m", mode)

    def postmaster(self):
        return int((self.dir / "data/postmaster.pid").read_text(encoding="utf-8").split("\n")[0])

    def kill(self):
        """kill -9 of the postmaster; returns when its last backend has noticed and gone."""
        pid = self.postmaster()
        family = children_of(pid)
        os.kill(pid, signal.SIGKILL)
        await_that(lambda: not any(pathlib.Path(f"/proc/{p}").exists() for p in [pid, *family]),
                   "the killed server's backends end")

    def destroy(self):
        shell("cluster_stop", self.dir, "immediate")
        shell("as_server", "rm", "-rf", self.dir / "data")
        subprocess.run(["rm", "-rf", str(self.dir)], check=True)

    def connect(self, database, **more):
        return psycopg.connect(host=self.host, port=self.port, dbname=database, user="postgres",
                               autocommit=True, **more)

    def database(self):
        self.count += 1
        name = f"t{self.count}"
        with self.connect("postgres") as conn:
            conn.execute(f"CREATE DATABASE {name} TEMPLATE auren_template")
        return name

    def url(self, database):
        return f"postgresql://{self.ROLE}@/{database}?host={self.host}&port={self.port}"


def program():
    """The worker under test."""
    return os.environ.get("AUREN_WORKER", str(ROOT / "build/cmake/auren-worker"))


def run_command(env, *words):
    """A command of the worker's, to its end."""
    return subprocess.run([program(), *map(str, words)], cwd=ROOT, capture_output=True, text=True,
                          timeout=120, check=False, env={"PATH": "/usr/bin:/bin", **(env or {})})


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers}

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Worker:
    """The real worker. `env` adds to and overrides its environment; `components` are what will listen."""

    def __init__(self, url, env=None, args=(), config=None, components=("http", "ops")):
        self.env = {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
            "POSTGRES_URL": url,
            "AUREN_HTTP__LISTEN": "127.0.0.1:0", "AUREN_OPS__LISTEN": "127.0.0.1:0",
            "AUREN_HTTP__DRAIN": "0s",
            "AUREN_LOG__USER_HASH_KEY": "test",
            "OURA_CLIENT_SECRET": OURA_SECRET,
            "HEALTHKIT_API_KEYS": f"{KEY},{BOUND_KEY}:{BOUND_USER}",
        }
        # Sanitizers and coverage speak through the environment too.
        self.env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        self.env.update(env or {})
        self.lines = []
        self.process = subprocess.Popen(
            [program(), *(["--config", str(config)] if config else []), *args], cwd=ROOT,
            env={k: v for k, v in self.env.items() if v is not None},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.port = self.listening("http") if "http" in components else None
        self.ops_port = self.listening("ops")

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))

    def logs(self):
        """The log, line by line, parsed; a line that is not JSON fails the test."""
        return [json.loads(line) for line in list(self.lines)]

    def listening(self, component):
        def found():
            if self.process.poll() is not None:
                self.reader.join(5)
                raise AssertionError(f"the worker ended with {self.process.returncode}:\n"
                                     + "\n".join(self.lines))
            for line in list(self.lines):
                if '"listening"' in line:
                    entry = json.loads(line)
                    if entry.get("component") == component:
                        return entry["port"]
            return None
        return int(await_that(found, f"{component} listens; log:\n" + "\n".join(self.lines)))

    def request(self, method, path, body=None, headers=None, ops=False, timeout=PATIENCE):
        conn = http.client.HTTPConnection("127.0.0.1", self.ops_port if ops else self.port,
                                          timeout=timeout)
        try:
            conn.request(method, path, body, headers or {})
            answer = conn.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            conn.close()

    def post(self, provider, body, headers=None, key=KEY):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        all_headers = {"Content-Type": "application/json"}
        if key:
            all_headers["Authorization"] = f"Bearer {key}"
        all_headers.update(headers or {})
        return self.request("POST", f"/webhooks/{provider}", body, all_headers)

    def oura(self, body, secret=OURA_SECRET):
        if isinstance(body, dict):
            body = json.dumps(body)
        raw = body if isinstance(body, bytes) else body.encode()
        sign = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        return self.post("oura", raw, {"x-oura-signature": sign}, key=None)

    def ready(self):
        return self.request("GET", "/ready", ops=True)

    def await_ready(self):
        await_that(lambda: self.ready().status == 200, "the worker is ready")
        return self

    def metrics(self):
        """{name{labels}: value} as scraped."""
        text = self.request("GET", "/metrics", ops=True).body.decode()
        rows = (line.rsplit(" ", 1) for line in text.split("\n") if line and not line.startswith("#"))
        return {name: float(value) for name, value in rows}

    def terminate(self, patience=PATIENCE):
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait(patience)

    def wait(self, patience=PATIENCE):
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the worker does not stop:\n" + "\n".join(self.lines[-20:])) from None
        self.reader.join(5)
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(5)


class Listener:
    """LISTEN mode_switch on a connection of its own; keeps what came."""

    def __init__(self, cluster, database):
        self.conn = cluster.connect(database)
        self.conn.execute("LISTEN mode_switch")
        self.came = []

    def collect(self, timeout=0.0):
        select.select([self.conn.fileno()], [], [], timeout)
        self.conn.pgconn.consume_input()
        while True:
            note = self.conn.pgconn.notifies()
            if note is None:
                return self.came
            self.came.append(json.loads(note.extra))

    def of(self, user):
        return [note for note in self.collect() if note["user_id"] == user]

    def await_switch(self, user, to_mode):
        def found():
            self.collect(0.05)
            return next((n for n in self.came if n["user_id"] == user and n["to_mode"] == to_mode), None)
        return await_that(found, f"{user} switches to {to_mode}; came: {self.came}")

    def close(self):
        self.conn.close()
