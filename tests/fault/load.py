"""Senders that behave as vendors do: what was not answered 2xx is sent again, as it was, until it is."""

import http.client
import json
import threading
import time

from bodies import sample, samples


class Load:
    """`lanes` threads; each sends deliveries of its own to a few shared people, so that streams are
    contended. Now and then one that was accepted is sent a second time, as impatient vendors do."""

    PEOPLE = 12

    def __init__(self, house, dice, lanes=8):
        self.house, self.lanes = house, lanes
        self.accepted = {}  # event id -> how often it was answered 2xx
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.errors = []
        self.refused = 0
        self.asking = 0  # tries that are waiting for their answer right now
        self.struck = 0  # tries that were, when a blow fell
        seeds = [dice.randrange(1 << 32) for _ in range(lanes)]
        self.threads = [threading.Thread(target=self._lane, args=(lane, seed), daemon=True)
                        for lane, seed in enumerate(seeds)]
        for thread in self.threads:
            thread.start()

    def _lane(self, lane, seed):
        import random
        dice = random.Random(seed)
        number = 0
        try:
            while not self.stopping.is_set():
                user = f"person{dice.randrange(self.PEOPLE)}"
                body = json.dumps(samples(user, sample("heartRate", 60 + lane, lane=lane, n=number),
                                          sample("stepCount", number)))
                number += 1
                self._send_until_taken(body)
                if dice.random() < 0.1:
                    self._send_until_taken(body)
        except Exception as error:  # shown by finish(): a lane must not end in silence
            self.errors.append(error)

    def _send_until_taken(self, body):
        while True:
            with self.lock:
                self.asking += 1
            try:
                answer = self.house.worker.post("healthkit", body)
            except (OSError, http.client.HTTPException):
                answer = None
            finally:
                with self.lock:
                    self.asking -= 1
            if answer and answer.status == 202:
                with self.lock:
                    event_id = answer.json["event_id"]
                    self.accepted[event_id] = self.accepted.get(event_id, 0) + 1
                return
            if answer and answer.status != 503:
                raise AssertionError(f"a good delivery was answered {answer}")
            with self.lock:
                self.refused += 1
            time.sleep(0.02)  # between two tries, as a sender would; nothing is inferred from it

    def strike(self, blow):
        """Deals the blow and counts whom it hit in the middle of a try."""
        with self.lock:
            self.struck += self.asking
        blow()

    def count(self):
        with self.lock:
            return len(self.accepted)

    def finish(self):
        """Lets every lane have its last delivery taken, then says what was accepted."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in self.threads), "a sender never got through"
        assert self.errors == []
        return self.accepted
