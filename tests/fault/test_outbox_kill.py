"""Out to Kafka: killed between the broker's acknowledgement and PostgreSQL's, and behind a transaction that
commits late. No event is left out; one that comes twice comes as it was."""

import pytest

from harness import await_that
from test_outbox import Appender, Outbox


@pytest.fixture
def box(broker, new_house):
    return Outbox(broker, new_house)


def published(box):
    """The ids on the topic, each once."""
    return {dict(record.headers)["ce_id"] for record in box.broker.consume_all(box.topic)}


def test_killed_between_produce_and_acknowledge(box, cluster, rounds):
    repeats = 0
    box.append(5)
    box.check()
    for _ in range(rounds):
        # Whoever holds the checkpoint's row keeps the outbox from acknowledging what it has published.
        holder = cluster.connect(box.house.database)
        holder.autocommit = False
        holder.execute("SELECT FROM events.subscription_checkpoints FOR UPDATE")
        box.append(5, each=4)
        await_that(lambda: len(published(box)) == len(box.stored()), "all is on the topic")
        assert box.acknowledged() < box.stored()[-1][3]
        box.house.worker.kill()
        # Its backend still waits, and would acknowledge.
        box.house.db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                             " WHERE application_name = 'auren-worker/outbox'"
                             " AND datname = current_database()")
        holder.rollback()
        holder.close()
        box.house.worker = box.worker()
        now = box.check()
        assert now > repeats, "what was not acknowledged is published again"
        repeats = now
    print(f"{len(box.stored())} events, {repeats} repeats, equal to their first", flush=True)


def test_commits_late_under_fire(box, cluster, dice, rounds):
    """A transaction takes its positions early and commits late; others overtake it; workers die meanwhile."""
    appender = Appender(box)
    for _ in range(rounds):
        late = cluster.connect(box.house.database)
        late.autocommit = False
        late.execute("SELECT events.append('user:late', 'ticked', '{}')")
        goal = appender.count + dice.randint(100, 1000)
        await_that(lambda: appender.count >= goal, "others append")
        box.house.worker.kill()
        box.house.worker = box.worker()
        late.commit()
        late.close()
    appender.stop()
    print(f"{len(box.stored())} events, {box.check()} repeats", flush=True)
