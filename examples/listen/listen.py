"""Handles every mode switch exactly once, whatever ends in between: python3 listen.py [URL]

The notification is a doorbell: it may be missed, so nothing is read from it. What happened is read with
neuros.read_switches, from a checkpoint that is committed together with what was done about it.
"""

import asyncio
import contextlib
import json
import random
import sys

import asyncpg

NAME = "listen.py"  # of the checkpoint: one for each thing that listens
PAGE = 100
LOOK = 5  # seconds after which it looks though nothing rings
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10  # seconds before another try: twice as long after each in vain

# A connection that is lost, a server that stops, starts or has no room, a deadlock: they pass. Other errors
# do not.
PASSES = (OSError, asyncio.TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError,
          asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError,
          asyncpg.TransactionRollbackError)

# Yours: a migration makes them once.
SETUP = """
CREATE TABLE IF NOT EXISTS listener_checkpoint (name text PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE IF NOT EXISTS handled_switch (position bigint, name text, user_id text, to_mode text);
"""


async def handle(connection, switch):
    """Yours to write. What it does over this connection is done once; what it does elsewhere, a mail or a
    call, may be done again after a crash: let it carry the position, by which the other side can tell."""
    await connection.execute("INSERT INTO handled_switch VALUES ($1, $2, $3, $4)",
                             switch["position"], NAME, switch["user_id"], switch["to_mode"])
    print("{user_id}: {from_mode} -> {to_mode} ({reason})".format(**switch), flush=True)


async def catch_up(connection):
    """Handles what is new. Returns the checkpoint: the last position that read_switches has returned."""
    while True:
        async with connection.transaction():
            # The row's lock: of two that run under one name only one handles.
            checkpoint = await connection.fetchval(
                "SELECT position FROM listener_checkpoint WHERE name = $1 FOR UPDATE", NAME)
            switches = await connection.fetch("SELECT * FROM neuros.read_switches($1, $2)", checkpoint, PAGE)
            for switch in switches:
                await handle(connection, switch)
                checkpoint = switch["position"]
            if switches:
                await connection.execute("UPDATE listener_checkpoint SET position = $2 WHERE name = $1",
                                         NAME, checkpoint)
        if len(switches) < PAGE:
            return checkpoint


async def listen(connection):
    bell, heard = asyncio.Event(), 0

    def ring(_connection, _pid, _channel, payload):
        nonlocal heard
        heard = max(heard, json.loads(payload)["position"])
        bell.set()

    try:
        await connection.execute(SETUP)
        await connection.execute("INSERT INTO listener_checkpoint VALUES ($1, 0) ON CONFLICT DO NOTHING",
                                 NAME)
        connection.add_termination_listener(lambda _: bell.set())
        await connection.add_listener("mode_switch", ring)  # before the first look: nothing falls in between
        while True:
            bell.clear()
            checkpoint = await catch_up(connection)
            # A switch that was heard of may have to wait for one before it that is not committed yet, and
            # whose end rings no bell: look again soon. Else once in a while, whatever rings: one that waited
            # so when this began to listen has rung already.
            try:
                await asyncio.wait_for(bell.wait(), 0.1 if checkpoint < heard else LOOK)
            except asyncio.TimeoutError:
                pass
    finally:
        connection.terminate()


async def main(url):
    pause = FIRST_PAUSE
    while True:
        try:
            connection = await asyncpg.connect(url, command_timeout=30)
            pause = FIRST_PAUSE
            await listen(connection)
        except PASSES as error:
            # Not on the dot: else all who lost the server would come back to it at once.
            wait = pause * random.uniform(0.5, 1)
            pause = min(2 * pause, LONGEST_PAUSE)
            print(f"{type(error).__name__}: {error}; again in {wait:.1f} s", file=sys.stderr, flush=True)
            await asyncio.sleep(wait)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "postgresql:///auren"))
