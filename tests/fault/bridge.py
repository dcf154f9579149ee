"""A bridge under fire: a Kafka house of any number of workers that notes every move of an offset.

The note is made by a trigger, in the transaction that moves the offset: which records, by whom, when. So the
ledger can tell what the deduplication by event id would hide: a record taken in twice, or in another
transaction than its offset.
"""

import time

from harness import Worker, await_that
from kafka_house import KafkaHouse

AUDIT = """
CREATE SCHEMA audit;
CREATE TABLE audit.moves (topic text, partition int, before bigint, next bigint, epoch bigint, owner text,
  actor text, pid int, xid bigint, at float8);
CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  INSERT INTO audit.moves VALUES (new.topic, new.partition, old.next_offset, new.next_offset, new.owner_epoch,
    new.owner, current_setting('application_name'), pg_backend_pid(),
    pg_current_xact_id()::text::bigint & 4294967295, extract(epoch FROM clock_timestamp()));
  RETURN NULL;
END $$;
CREATE TRIGGER note AFTER UPDATE ON bridge.kafka_offsets FOR EACH ROW
  WHEN (old.owner_epoch = new.owner_epoch AND old.stopped_reason IS NOT DISTINCT FROM new.stopped_reason)
  EXECUTE FUNCTION audit.note();
"""


def properties(**more):
    """kafka.properties for the environment; _ for the dots."""
    return {"AUREN_KAFKA__PROPERTIES": ",".join(f"{k.replace('_', '.')}={v}" for k, v in more.items())}


class Bridge(KafkaHouse):
    """Worker "one" has the partitions from the beginning. Small batches: many moments to be hit in."""

    def __init__(self, cluster, broker, *, partitions=4, topic=None, url=None, **env):
        self.workers = {}
        self.url = url or (lambda database: cluster.url(database))
        self.audited = False
        super().__init__(cluster, broker, topic, partitions, {
            "AUREN_INGEST__MAX_BATCH_DELIVERIES": "64", **env})
        self.await_owners("one")

    def start(self, name="one", ready=True, **env):
        if not self.audited:
            self.db.execute(AUDIT)
            self.audited = True
        url = f"{self.url(self.database)}&application_name=auren-worker/consumer-{name}"
        env = {**self.options["env"], "AUREN_KAFKA__INSTANCE_ID": name, **env}
        self.worker = self.workers[name] = Worker(url, env=env)
        if ready:
            self.worker.await_ready()
        return self.worker

    def _leaves(self, name):
        """The one that is asked for anything is one that runs, if any does."""
        worker = self.workers.pop(name)
        if worker is self.worker and self.workers:
            self.worker = next(iter(self.workers.values()))
        return worker

    def kill(self, name="one"):
        self._leaves(name).kill()

    def terminate(self, name):
        worker = self._leaves(name)
        assert worker.terminate() == 0, "\n".join(worker.lines[-20:])

    def owners(self):
        """{partition: instance}; a name and the number of the consumer, as in one-0."""
        return dict(self.rows("SELECT partition, owner FROM bridge.kafka_offsets WHERE topic = %s",
                              self.topic))

    def await_owners(self, *names):
        wanted = {f"{name}-0" for name in names}
        await_that(lambda: set(self.owners().values()) == wanted,
                   f"the partitions go to {wanted}; they are {self.owners()}")

    def taken(self):
        """How many records the offsets are past."""
        return sum(self.offsets().values())

    def in_transaction(self, name="one"):
        """The backends of the worker that have one open."""
        return [row[0] for row in self.rows(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND xact_start IS NOT NULL"
            " AND backend_xid IS NOT NULL", f"auren-worker/consumer-{name}")]

    def await_in_transaction(self, name="one"):
        return await_that(lambda: self.in_transaction(name), f"{name} is inside a transaction")

    def said(self, name, text):
        """Whether the worker's log has a message that begins so."""
        return any(line["msg"].startswith(text) for line in self.workers[name].logs())

    def reconnect(self):
        self.db = self.cluster.connect(self.database)
        return self

    def processed(self):
        """{status: records} as the workers that run count them."""
        counts = {"applied": 0, "duplicate": 0, "dead_letter": 0}
        for worker in self.workers.values():
            for name, value in worker.metrics().items():
                for status in counts:
                    if name == (f'auren_kafka_messages_processed_total{{status="{status}",'
                                f'topic="{self.topic}"}}'):
                        counts[status] += int(value)
        return counts

    def close(self):
        self.listener.close()
        self.db.close()
        for name in list(self.workers):
            self.terminate(name)


class Clock:
    """Measures, and asserts nothing: from a blow, and from when the victim answers again, to the first commit
    by a backend that was born after the blow; with a ledger, of a record acknowledged after the answer."""

    def __init__(self, bridge, what, ledger=None):
        self.bridge, self.what, self.ledger = bridge, what, ledger
        self.blows = []  # [time, backends there were, time of the first answer]

    def strike(self):
        pids = {row[0] for row in self.bridge.rows("SELECT pid FROM pg_stat_activity")}
        self.blows.append([time.time(), pids, None])

    def back(self):
        self.blows[-1][2] = time.time()

    def show(self):
        moves = self.bridge.rows("SELECT at, pid, partition, next FROM audit.moves ORDER BY at")
        for blow, pids, back in self.blows:
            if self.ledger:
                _, (partition, offset) = min((t, p) for p, t in self.ledger.places.items() if t > back)
                at = next(m[0] for m in moves if m[2] == partition and m[3] > offset)
            else:
                at = next(m[0] for m in moves if m[0] > blow and m[1] not in pids)
            print(f"recovery: {self.what}: first commit after {at - blow:.2f} s"
                  + (f", {max(0, at - back):.2f} s after it answered again" if back else ""), flush=True)
