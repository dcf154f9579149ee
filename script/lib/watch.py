"""Prints each mode switch as it arrives on LISTEN, with its reason, and keeps it in a file.

    watch.py DATABASE_URL FILE

The notification is the doorbell; the reason is read from the event it points at. FILE gets one JSON line
for each switch, after a first line that says LISTEN is in place. Ends on SIGTERM.

Doorbell and questions have a connection each: a notification that arrives while a statement runs is
handed to the driver's callbacks, not to whoever waits for the next one.
"""

import json
import select
import signal
import sys

import psycopg

ALARM = {"reflex": "\033[31m", "guardian": "\033[33m", "hypothesis": "\033[36m"}


def colour(text, code):
    return f"{code}{text}\033[0m" if code and sys.stdout.isatty() else text


def show(conn, note):
    row = conn.execute("SELECT event_data ->> 'reason' FROM events.event_store WHERE position = %s",
                       (note["position"],)).fetchone()
    to_mode = colour(note["to_mode"], ALARM.get(note["to_mode"], "\033[32m"))
    print(f"  >> LISTEN  {note['user_id']}: {note['from_mode']} -> {to_mode}  "
          f"({note['trigger']}, confidence {note['confidence']:.2f})\n"
          f"             {row[0] if row else ''}", flush=True)


def main():
    url, name = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the script's to handle
    with psycopg.connect(url, autocommit=True) as bell, psycopg.connect(url, autocommit=True) as conn, \
            open(name, "a", encoding="utf-8") as kept:
        bell.execute("LISTEN mode_switch")
        print('{"listening": true}', file=kept, flush=True)
        while True:
            select.select([bell.fileno()], [], [])
            bell.pgconn.consume_input()
            while (arrived := bell.pgconn.notifies()) is not None:
                note = json.loads(arrived.extra)
                print(json.dumps(note), file=kept, flush=True)
                show(conn, note)


if __name__ == "__main__":
    try:
        main()
    except psycopg.OperationalError:
        pass  # the server has stopped: so have we
