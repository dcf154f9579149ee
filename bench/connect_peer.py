"""Kafka Connect, standalone, with Debezium's JDBC sink: fetched by bench/connect/pom.xml, and warm.

    with Connect(broker) as connect:
        connect.drain(filled)        a new connector takes the whole topic into a fresh database

The process stays between the rounds, so that its code is compiled when it is timed; a connector is made for
each round and goes with it. Its settings: a task for each partition, larger batches and fetches than its
defaults, INSERTs rewritten into one. BENCH_SINK="tasks.max=2 batch.size=500 ..." tries others.
"""

import json
import os
import pathlib
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request

import harness

from kafka_parts import (
    PARTITIONS, PASSWORD, PEOPLE, Filled, backends, between_commits, compact, fresh_database, processor,
    reading, stamp)
from server import value

FOLDER = harness.ROOT / "build/connect"
LOG4J = harness.ROOT / "script/lib/kafka/log4j.properties"
JVM = ["-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"]
TUNED = {
    "tasks.max": "4", "batch.size": "1000", "consumer.override.max.poll.records": "1000",
    "consumer.override.fetch.min.bytes": "1", "consumer.override.fetch.max.wait.ms": "50",
    "consumer.override.max.partition.fetch.bytes": "4194304",
    **dict(word.split("=", 1) for word in os.environ.get("BENCH_SINK", "").split()),
}

# The readings table of the store with its columns, checks and indexes, and a primary key where the store has
# a unique index with more columns. What the store works out itself has a default.
TABLE = """
CREATE TABLE public.readings (LIKE biometrics.biometric_events INCLUDING ALL);
ALTER TABLE public.readings ALTER quality SET DEFAULT 1, ALTER position SET DEFAULT 0;
DO $$ DECLARE i regclass; BEGIN
  SELECT indexrelid INTO i FROM pg_index WHERE indrelid = 'public.readings'::regclass AND indisunique;
  EXECUTE format('DROP INDEX %s', i);
END $$;
ALTER TABLE public.readings OWNER TO auren_worker;
GRANT CREATE, USAGE ON SCHEMA public TO auren_worker;
"""
KEYS = {
    "record_value": "ALTER TABLE public.readings ADD PRIMARY KEY"
                    " (user_id, device_type, metric_type, recorded_at)",
    "kafka": "ALTER TABLE public.readings ADD COLUMN __connect_topic text,"
             " ADD COLUMN __connect_partition int, ADD COLUMN __connect_offset bigint,"
             " ADD PRIMARY KEY (__connect_topic, __connect_partition, __connect_offset)",
}
SCHEMA = {"type": "struct", "optional": False, "fields": [
    {"field": "user_id", "type": "string"}, {"field": "device_type", "type": "string"},
    {"field": "metric_type", "type": "string"},
    {"field": "recorded_at", "type": "string", "name": "io.debezium.time.ZonedTimestamp"},
    {"field": "value", "type": "double"}, {"field": "unit", "type": "string"}]}


def fill_rows(broker, count):
    """The topic the sink can read: a row a record, each with its schema."""
    def make(number):
        metric, unit, level, taken = reading(number, 0)
        user = f"person-{number % PEOPLE}"
        return user, compact({"schema": SCHEMA, "payload": {
            "user_id": user, "device_type": "healthkit", "metric_type": metric, "recorded_at": stamp(taken),
            "value": level, "unit": unit}})
    return Filled(broker, "rows", make, count)


class Connect:
    def __init__(self, broker):
        self.broker = broker
        self.port = int(harness.shell("free_port"))
        self.made = 0

    def __enter__(self):
        harness.shell("jars_fetch", harness.ROOT / "bench/connect/pom.xml", FOLDER / "libs")
        plugins = FOLDER / "plugins"
        if not plugins.exists():
            archive = next((FOLDER / "libs").glob("debezium-connector-jdbc-*.tar.gz"))
            with tarfile.open(archive) as packed, tempfile.TemporaryDirectory(dir=FOLDER) as folder:
                packed.extractall(folder)
                pathlib.Path(folder).rename(plugins)
                pathlib.Path(folder).mkdir()  # which the context removes
        self.folder = tempfile.TemporaryDirectory()
        config = pathlib.Path(self.folder.name) / "worker.properties"
        config.write_text("".join(f"{name}={setting}\n" for name, setting in {
            "bootstrap.servers": self.broker.address,
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "true",
            "offset.storage.file.filename": f"{self.folder.name}/offsets",
            "plugin.path": str(plugins), "plugin.discovery": "service_load",
            "listeners": f"http://127.0.0.1:{self.port}",
            "connector.client.config.override.policy": "All"}.items()), encoding="ascii")
        self.log = pathlib.Path(self.folder.name) / "log"
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                ["java", *JVM, f"-Dlog4j.configuration=file:{LOG4J}", "-cp", f"{FOLDER}/libs/*",
                 "org.apache.kafka.connect.cli.ConnectStandalone", str(config)],
                stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            harness.await_that(lambda: self.ask("GET", "/connectors") is not None, "Kafka Connect answers",
                               patience=300)
        except (AssertionError, RuntimeError):
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def ask(self, method, path, body=None):
        """The answer as JSON; None while it does not answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method,
                                         data=json.dumps(body).encode() if body else None,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            if error.code in (404, 409):
                return None
            raise RuntimeError(f"{method} {path}: {error.read().decode()}") from None
        except OSError:
            if self.process.poll() is not None:
                raise RuntimeError(f"Kafka Connect ended:\n{self.said()}") from None
            return None

    def said(self):
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return "\n".join([line for line in lines if " ERROR " in line][-5:] or lines[-20:])

    def connector(self, topic, key):
        return {
            "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector", "topics": topic,
            "connection.url": f"jdbc:postgresql://127.0.0.1:{os.environ['PGPORT']}/bench"
                              "?reWriteBatchedInserts=true",
            "connection.username": "auren_worker", "connection.password": PASSWORD,
            "insert.mode": "upsert", "primary.key.mode": key,
            **({"primary.key.fields": "user_id,device_type,metric_type,recorded_at"}
               if key == "record_value" else {}),
            "schema.evolution": "none", "collection.name.format": "public.readings",
            "consumer.override.auto.offset.reset": "earliest", **TUNED}

    def drain(self, filled, key="record_value"):
        self.made += 1
        name = f"peer{self.made}"
        with fresh_database() as conn:
            conn.execute(TABLE)
            conn.execute(KEYS[key])
            assert self.ask("POST", "/connectors", {"name": name, "config":
                                                    self.connector(filled.topic, key)}), self.said()
            try:
                drained = between_commits(self.counter(conn, filled, name), lambda: {
                    "PostgreSQL": backends(conn), "Kafka Connect": processor(self.process.pid)}, 0.02)
                found = value(conn, "SELECT count(*) FROM public.readings")
                if found != filled.count:
                    raise RuntimeError(f"{found} of {filled.count} rows are in the table")
                return drained
            finally:
                self.ask("DELETE", f"/connectors/{name}")
                harness.await_that(lambda: not value(
                    conn, "SELECT count(*) FROM pg_stat_activity WHERE datname = 'bench' AND pid <>"
                    " pg_backend_pid() AND backend_type = 'client backend'"), "the sink lets go")

    def counter(self, conn, filled, name):
        """Counting all rows while they come would cost what is measured: it asks for the last of each
        partition, after it has seen the first."""
        last = []
        for number in filled.last:
            metric, _, _, taken = reading(number, 0)
            last.append((f"person-{number % PEOPLE}", metric, stamp(taken)))
        end = time.monotonic() + 600
        state = {"begun": False, "asked": time.monotonic()}

        def count():
            now = time.monotonic()
            if now - state["asked"] > 2:
                state["asked"] = now
                status = self.ask("GET", f"/connectors/{name}/status") or {}
                failed = [task["trace"] for task in status.get("tasks", []) if task["state"] == "FAILED"]
                if failed or now > end:
                    raise RuntimeError(f"the sink does not go on: {failed[:1]}\n{self.said()}")
            if not state["begun"]:
                found = value(conn, "SELECT count(*) FROM public.readings")
                state["begun"] = found > 0
                return found, filled.count
            found = value(conn, "SELECT count(*) FROM public.readings WHERE (user_id, metric_type,"
                          " recorded_at) IN (SELECT * FROM unnest(%s::text[], %s::text[],"
                          " %s::timestamptz[]))", *map(list, zip(*last)))
            return (filled.count if found == PARTITIONS else 0), filled.count
        return count
