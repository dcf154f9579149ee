"""Out to Kafka: every event of the chosen categories becomes a record, whatever dies on the way."""

import threading

import pytest

from harness import Worker, await_that

LAG = "auren_outbox_lag_seconds"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Outbox:
    """A house whose worker publishes to a topic of its own, and what must be on that topic."""

    def __init__(self, broker, new_house, categories="user"):
        self.broker, self.categories = broker, categories.split(",")
        self.topic = broker.topic("events")
        self.sent = f'auren_kafka_messages_sent_total{{status="acknowledged",topic="{self.topic}"}}'
        self.env = {"KAFKA_BOOTSTRAP_SERVERS": broker.address, "AUREN_OUTBOX__ENABLED": "true",
                    "AUREN_OUTBOX__TOPIC": self.topic, "AUREN_OUTBOX__CATEGORIES": categories}
        self.house = new_house(env=self.env)

    def worker(self):
        return Worker(self.house.cluster.url(self.house.database), env=self.env).await_ready()

    def append(self, streams, each=1, category="user", db=None):
        """`each` events to each of so many streams, in one transaction; returns how many."""
        (db or self.house.db).execute(
            "SELECT events.append_batch(array_agg(format('%%s:p%%s', %s::text, s)),"
            " array_agg('ticked'::text), array_agg(jsonb_build_object('n', n, 'name', 'Zoë')))"
            " FROM generate_series(1, %s) AS n, generate_series(1, %s) AS s",
            (category, each, streams))
        return streams * each

    def stored(self):
        return self.house.rows(
            "SELECT event_id::text, stream_id, version, position, event_type, event_data::text,"
            " metadata ->> 'traceparent', floor(extract(epoch FROM created_at) * 1000)::bigint,"
            " to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
            " FROM events.event_store WHERE split_part(stream_id, ':', 1) = ANY (%s) ORDER BY position",
            self.categories)

    def acknowledged(self):
        """How far the database knows them published, of all categories the furthest."""
        return self.house.value("SELECT coalesce(max(position), 0) FROM events.subscription_checkpoints"
                                " WHERE name LIKE 'auren_outbox:' || %s || ':%%'", self.topic)

    def await_published(self):
        """Waits until nothing is left; returns the records."""
        last = {}
        for event in self.stored():
            last[event[1].split(":")[0]] = event[3]

        def done():
            reached = dict(self.house.rows("SELECT name, position FROM events.subscription_checkpoints"))
            return all(reached.get(f"auren_outbox:{self.topic}:{category}", 0) >= position
                       for category, position in last.items())
        await_that(done, "everything is published")
        return self.broker.consume_all(self.topic)

    def check(self):
        """Nothing missing, nothing foreign, each stream in order, repeats equal; returns their number."""
        records, stored = self.await_published(), self.stored()
        expected = {event[0]: event for event in stored}
        seen, newest = {}, {}
        for record in records:
            headers = {name: value.decode() for name, value in record.headers}
            assert len(headers) == len(record.headers), "a header comes once"
            event = expected[headers["ce_id"]]
            stream = record.key.decode()
            if headers["ce_id"] in seen:
                first = seen[headers["ce_id"]]
                assert (record.partition, record.key, record.value, record.headers) == (
                    first.partition, first.key, first.value, first.headers)
                continue
            seen[headers["ce_id"]] = record
            assert int(headers["ce_streamversion"]) == newest.get(stream, 0) + 1, stream
            newest[stream] = int(headers["ce_streamversion"])
            assert record.value.decode() == event[5]
            assert record.timestamp == event[7]
            assert headers == {
                "ce_specversion": "1.0", "ce_id": event[0], "ce_source": f"/auren/{self.house.database}",
                "ce_type": event[4], "ce_subject": event[1], "ce_time": event[8],
                "ce_streamversion": str(event[2]), "ce_position": str(event[3]),
                "content-type": "application/json", **({"traceparent": TRACE} if event[6] == TRACE else {})}
            assert stream == event[1]
        assert len(seen) == len(expected)
        return len(records) - len(seen)


@pytest.fixture
def outbox(broker, new_house):
    return lambda **options: Outbox(broker, new_house, **options)


def told(worker):
    """What /ready says of the outbox: (status, detail)."""
    checks = {c["name"]: (c["status"], c["detail"]) for c in worker.ready().json["checks"]}
    return checks.get("outbox")


def lag(worker):
    return worker.metrics()[LAG]


def test_the_chosen_categories_in_stream_order_with_their_headers(outbox):
    box = outbox(categories="user,order")
    box.append(20, each=10)
    box.append(5, each=10, category="order")
    box.append(5, each=3, category="till")
    for stream, trace in (("user:traced", TRACE), ("user:untraced", "no trace at all")):
        box.house.db.execute("SELECT events.append(%s, 'ticked', '{}', p_metadata => "
                             "jsonb_build_object('traceparent', %s::text))", (stream, trace))
    assert box.check() == 0
    assert told(box.house.worker) == ("ok", f"publishes to {box.topic}")
    assert box.house.worker.metrics()[box.sent] == 252
    await_that(lambda: lag(box.house.worker) == 0, "nothing is behind")


def test_a_topic_that_is_not_there_is_told_and_waited_for(outbox, broker):
    box = outbox()
    box.append(3)
    box.check()
    broker.delete(box.topic)
    box.append(3, each=2)
    missing = f"topic {box.topic} does not exist; an administrator runs: auren-worker kafka create-topics"
    await_that(lambda: told(box.house.worker) == ("degraded", missing), "it says what is missing")
    broker.make(box.topic)
    await_that(lambda: lag(box.house.worker) == 0, "it goes on")
    versions = sorted(int(dict(r.headers)["ce_streamversion"]) for r in box.await_published())
    assert versions == [2, 2, 2, 3, 3, 3]


def test_what_is_too_large_for_a_record_comes_without_its_value(outbox):
    box = outbox()
    box.append(1)
    box.house.db.execute("SELECT events.append('user:large', 'grew', "
                         "jsonb_build_object('of', repeat('x', %s)))", (3 << 20,))
    box.append(1)
    first, large, last = sorted(box.await_published(), key=lambda r: int(dict(r.headers)["ce_position"]))
    assert large.value is None and dict(large.headers)["auren_truncated"] == b"too_large"
    assert dict(large.headers)["content-type"] == b"application/json"
    assert box.house.value("SELECT length(event_data ->> 'of') FROM events.event_store WHERE event_id = %s",
                           dict(large.headers)["ce_id"].decode()) == 3 << 20
    assert first.value and last.value


def test_what_the_broker_finds_too_large_comes_without_its_value(outbox, broker):
    box = outbox()
    broker.configure(box.topic, max_message_bytes=20000, compression_type="uncompressed")
    box.append(1)
    box.house.db.execute(
        "SELECT events.append('user:large', 'grew', jsonb_build_object('of', (SELECT string_agg("
        "md5(n::text), '') FROM generate_series(1, 4000) AS n)))")
    box.append(1)
    by_stream = {}
    for record in box.await_published():
        by_stream.setdefault(record.key, []).append(record)
    assert dict(by_stream[b"user:large"][0].headers)["auren_truncated"] == b"too_large"
    assert [dict(r.headers)["ce_streamversion"] for r in by_stream[b"user:p1"]][:1] == [b"1"]


def test_a_parked_event_is_passed_over_until_it_is_retried(outbox):
    box = outbox()
    box.append(1)
    box.check()
    subscription = f"auren_outbox:{box.topic}:user"
    held, position = box.house.db.execute(
        "SELECT event_id::text, position FROM events.append('user:parked', 'ticked', '{}')").fetchone()
    box.append(1)
    box.check()
    box.house.db.execute("SELECT events.park_event(%s, %s, 'not now')", (subscription, position))
    box.house.db.execute("SELECT events.reset_subscription(%s, 0)", (subscription,))

    def copies():
        return sum(dict(r.headers)["ce_id"].decode() == held for r in box.await_published())
    assert copies() == 1
    box.house.db.execute("SELECT events.retry_parked_event(%s, %s)", (subscription, position))
    await_that(lambda: copies() == 2, "the event that was parked comes")
    await_that(lambda: not box.house.value("SELECT count(*) FROM events.parked"), "it is not parked any more")


class Appender(threading.Thread):
    """Appends without a pause, over a connection of its own, until it is told to stop."""

    def __init__(self, box):
        super().__init__(daemon=True)
        self.box, self.stopped, self.count = box, threading.Event(), 0
        self.db = box.house.cluster.connect(box.house.database)
        self.start()

    def run(self):
        while not self.stopped.is_set():
            self.count += self.box.append(50, each=2, db=self.db)

    def stop(self):
        self.stopped.set()
        self.join()
        self.db.close()


def test_killed_in_the_middle_again_and_again_nothing_is_missing(outbox):
    box = outbox()
    appender = Appender(box)
    for _ in range(5):
        reached = box.acknowledged()
        await_that(lambda r=reached: box.acknowledged() > r, "it publishes on")
        box.house.worker.kill()
        box.house.worker = box.worker()
    appender.stop()
    box.check()


def test_the_broker_is_killed_in_the_middle_and_comes_back(outbox, broker):
    box = outbox()
    appender = Appender(box)
    await_that(box.acknowledged, "it publishes")
    broker.kill()
    await_that(lambda: lag(box.house.worker) > 1, "the lag grows")
    await_that(lambda: told(box.house.worker)[0] == "degraded", "it says that the broker is away")
    assert box.house.worker.ready().status == 200
    grown = lag(box.house.worker)
    await_that(lambda: lag(box.house.worker) > grown, "the lag grows on")
    broker.start()
    appender.stop()
    await_that(lambda: lag(box.house.worker) == 0, "the lag falls to 0")
    await_that(lambda: told(box.house.worker)[0] == "ok", "all is well again")
    box.check()


def test_one_publishes_and_another_takes_over(outbox):
    box = outbox()
    box.append(10)
    box.check()
    second = box.worker()
    try:
        assert told(box.house.worker) == ("ok", f"publishes to {box.topic}")
        await_that(lambda: told(second) == ("ok", "another worker publishes"), "the second stands by")
        appender = Appender(box)
        before = len(box.broker.consume_all(box.topic))
        await_that(lambda: len(box.broker.consume_all(box.topic)) > before, "the first publishes")
        assert second.metrics()[box.sent] == 0
        box.house.worker.kill()
        await_that(lambda: told(second) == ("ok", f"publishes to {box.topic}"), "the second takes over")
        appender.stop()
        box.check()
        await_that(lambda: lag(second) == 0, "the lag falls to 0")
    finally:
        box.house.worker.kill()
        box.house.worker = second


def test_the_publisher_loses_its_connection_and_goes_on(outbox):
    box = outbox()
    appender = Appender(box)
    for _ in range(3):
        reached = box.acknowledged()
        await_that(lambda r=reached: box.acknowledged() > r, "it publishes on")
        box.house.db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                             " WHERE application_name = 'auren-worker/outbox'"
                             " AND datname = current_database()")
    appender.stop()
    box.check()


def test_the_lag_grows_while_postgresql_is_away(outbox, cluster):
    box = outbox()
    box.append(10)
    box.check()
    await_that(lambda: lag(box.house.worker) == 0, "nothing is behind")
    cluster.stop()
    try:
        await_that(lambda: lag(box.house.worker) > 1, "nobody knows what is behind")
        await_that(lambda: told(box.house.worker)[0] == "degraded", "it says that PostgreSQL is away")
    finally:
        cluster.restart_where_it_was()
    box.house.db.close()
    box.house.db = cluster.connect(box.house.database)
    box.append(10)
    await_that(lambda: lag(box.house.worker) == 0, "the lag falls to 0")
    box.check()


def test_events_of_a_long_transaction_are_not_skipped(outbox, broker, cluster):
    box = outbox()
    box.append(3)
    box.check()
    await_that(lambda: lag(box.house.worker) == 0, "nothing is behind")
    slow = cluster.connect(box.house.database)
    slow.autocommit = False
    box.append(2, category="user", db=slow)
    fast = box.house.cluster.connect(box.house.database)
    fast.execute("SELECT events.append('user:fast', 'ticked', '{}')")
    fast.close()
    # Committed, and held back by what may still come before it: that is a lag, too.
    await_that(lambda: lag(box.house.worker) > 0.5, "the outbox has looked past the open transaction")
    assert b"user:fast" not in {record.key for record in broker.consume_all(box.topic)}
    slow.commit()
    slow.close()
    assert box.check() == 0
    assert len(box.stored()) == 6
