"""What was acknowledged, and whether it is where it must be.

    ledger = Ledger(bridge)
    ledger.acked(record)          by the broker: (partition, offset, key, value)
    ledger.accepted(event_id)     by HTTP 2xx
    ledger.check()                at rest, when the bridge has caught up

Every acknowledged record is in the log. Of the log's records, those that are deliveries are in the store,
each once, however often the log has them; those that a test marked (header BAD) are dead letters,
each once, by
their place. Nothing else is in either. Each person's events are in the order of the log. Each record was
passed by one move of its partition's offset, made by the owner, in the transaction that stored it.
"""

import collections
import json
import threading
import time

from kafka_house import event_id

BAD = "bad"  # the header's name; its value: the reason, or empty for any


def marked(record):
    return any(name == BAD for name, _ in record.headers)


class Ledger:
    def __init__(self, bridge):
        self.bridge = bridge
        self.lock = threading.Lock()
        self.places = {}  # (partition, offset) -> when it was acknowledged
        self.ids = {}     # event id -> how often it was answered 2xx
        self.log = {}     # (partition, offset) -> record

    def acked(self, partition, offset):
        with self.lock:
            self.places[partition, offset] = time.time()

    def accepted(self, identity):
        with self.lock:
            self.ids[identity] = self.ids.get(identity, 0) + 1

    def count(self):
        with self.lock:
            return len(self.places) + len(self.ids)

    def remember(self):
        """Reads the log: what retention deletes later is known then."""
        for record in self.bridge.broker.consume_all(self.bridge.topic):
            self.log[record.partition, record.offset] = record

    def check(self, savepoints=False, chain=True):
        """`savepoints`: parts of batches were stored below savepoints, whose transaction ids are others.
        `chain` False: the offsets were moved by hand in between."""
        bridge = self.bridge.reconnect()
        self.remember()
        log = [record for _, record in sorted(self.log.items())]
        assert sorted(set(self.places) - set(self.log)) == [], "acknowledged by the broker and not in the log"
        first = {}  # event id -> its first record
        for record in log:
            if not marked(record):
                first.setdefault(event_id(json.loads(record.value)), record)
        assert sorted(set(self.ids) - set(first)) == [], "answered 2xx and not in the log"
        events = self._check_events(first)
        self._check_letters([r for r in log if marked(r)])
        assert bridge.offsets() == bridge.broker.end_offsets(bridge.topic)
        if chain:
            moves = self._check_moves(log)
            if not savepoints:
                self._check_together(moves, events, first)
        print(f"{len(log)} records, {len(self.places) + len(self.ids)} acknowledged: {len(first)} events,"
              f" {len(log) - len(first) - len(bridge.letters())} repeats,"
              f" {len(bridge.letters())} dead letters,"
              f" {bridge.value('SELECT count(DISTINCT xid) FROM audit.moves')} transactions", flush=True)

    def _check_events(self, first):
        rows = self.bridge.rows(
            "SELECT event_id::text, stream_id, xmin::text::bigint FROM events.event_store"
            " WHERE event_type = 'biometric_received' ORDER BY stream_id, version")
        counts = collections.Counter(row[0] for row in rows)
        lost = [(r.partition, r.offset) for i, r in first.items() if i not in counts]
        assert sorted(lost) == [], "in the log and not in the store"
        assert sorted(set(counts) - set(first)) == [], "in the store and not in the log"
        assert {i: n for i, n in counts.items() if n > 1} == {}, "stored twice"
        assert self.bridge.broken() == []
        # A person's events as the log has them. Should the person be in several partitions, in each of them.
        logged, stored = collections.defaultdict(list), collections.defaultdict(list)
        for identity, record in first.items():
            logged[record.key.decode(), record.partition].append((record.offset, identity))
        for identity, stream, _ in rows:
            stored[stream.removeprefix("user:"), first[identity].partition].append(identity)
        for place, expected in logged.items():
            assert stored[place] == [i for _, i in sorted(expected)], f"{place} is in another order"
        return {identity: xid for identity, _, xid in rows}

    def _check_letters(self, bad):
        letters = self.bridge.rows('SELECT partition, "offset", value, reason FROM bridge.dead_letters'
                                   " WHERE topic = %s ORDER BY 1, 2", self.bridge.topic)
        places = [tuple(row[:2]) for row in letters]
        assert places == sorted((r.partition, r.offset) for r in bad), "dead letters are not the bad records"
        for (_, _, value, reason), record in zip(letters, bad):
            assert value == record.value, "a dead letter is not as it came"
            wanted = dict(record.headers)[BAD].decode()
            assert wanted in ("", reason), (record.partition, record.offset)

    def _check_moves(self, log):
        """One chain from beginning to end in each partition: nothing twice, nothing passed by."""
        starts = self.bridge.broker.start_offsets(self.bridge.topic)
        at = {partition: min((o for p, o in self.log if p == partition), default=start)
              for partition, start in starts.items()}
        moves = self.bridge.rows("SELECT partition, before, next, xid, owner, actor FROM audit.moves"
                                 " WHERE topic = %s ORDER BY 1, 2, 3", self.bridge.topic)
        for partition, before, after, _, owner, actor in moves:
            assert before == at[partition], f"{partition} went from {at[partition]}, and from {before}"
            assert owner.rsplit("-", 1)[0] == actor.rsplit("-", 1)[1], f"{actor} moved what was {owner}'s"
            at[partition] = after
        assert at == self.bridge.broker.end_offsets(self.bridge.topic)
        assert sum(after - before for _, before, after, *_ in moves) == len(log)
        return moves

    @staticmethod
    def _check_together(moves, events, first):
        by_partition = collections.defaultdict(list)
        for partition, before, after, xid, *_ in moves:
            by_partition[partition].append((before, after, xid))
        apart = []
        for identity, record in first.items():
            xid = next(x for b, a, x in by_partition[record.partition] if b <= record.offset < a)
            if events[identity] != xid:
                apart.append((record.partition, record.offset))
        assert sorted(apart) == [], "stored in another transaction than the offset"

    def check_counts(self):
        """Where no worker has died and every COMMIT was answered: what they counted is what there was."""
        records = len(self.bridge.broker.consume_all(self.bridge.topic))
        counts = self.bridge.processed()
        assert sum(counts.values()) == records, counts
        return counts
