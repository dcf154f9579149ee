"""An agent that does what the person's mode asks of it: python3 agent.py [URL]

A LangGraph graph whose route is the mode. It is woken by `LISTEN mode_switch`, reads what happened with
neuros.read_switches, and runs once for each switch, in the person's own thread. LangGraph keeps the
threads in the same database, with its own PostgreSQL saver: each person is remembered across restarts.

What the nodes say is fixed here; in yours a model says it, with `behavior` as its instruction.
"""

import contextlib
import json
import operator
import random
import sys
import time
from typing import Annotated, TypedDict

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import END, START, StateGraph
from psycopg.rows import dict_row

LOOK = 5  # seconds after which it looks though nothing rings
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10  # seconds before another try: twice as long after each in vain

SETUP = """
CREATE TABLE IF NOT EXISTS agent_checkpoint (
  one boolean PRIMARY KEY DEFAULT true CHECK (one), position bigint NOT NULL);
INSERT INTO agent_checkpoint (position) VALUES (0) ON CONFLICT DO NOTHING;
"""


class State(TypedDict, total=False):
    """What is remembered of a person."""

    switch: dict  # the row of read_switches this run is about
    behavior: str  # what the mode asks of an agent
    done: int  # position of the last switch that was answered
    said: Annotated[list[str], operator.add]


def route(state: State) -> str:
    """The mode decides. A mode of one's own, which nobody has made a node for, is met by `accompany`."""
    return {"reflex": "act", "guardian": "protect", "hypothesis": "investigate"}.get(
        state["switch"]["to_mode"], "accompany")


def answer(state: State, words: str) -> State:
    # `done` is kept together with what was said: a run that did not come to here is run again.
    return {"said": [words], "done": state["switch"]["position"]}


def act(state: State) -> State:
    return answer(state, "Breathe out slowly, twice as long as in. Do you need help?")


def protect(state: State) -> State:
    return answer(state, f"An easy day today: {state['switch']['reason']}.")


def investigate(state: State) -> State:
    return answer(state, f"Something does not fit: {state['switch']['reason']}. Did anything unusual happen?")


def accompany(state: State) -> State:
    return answer(state, f"[{state['switch']['to_mode']}] {state['behavior']}")


def build(saver):
    graph = StateGraph(State)
    nodes = (act, protect, investigate, accompany)
    for node in nodes:
        graph.add_node(node.__name__, node)
        graph.add_edge(node.__name__, END)
    graph.add_conditional_edges(START, route, [node.__name__ for node in nodes])
    return graph.compile(checkpointer=saver)


def thread(user_id):
    return {"configurable": {"thread_id": user_id}}


def meet(graph, switch, behavior):
    """Answers one switch, unless the person's thread says that it has been."""
    remembered = graph.get_state(thread(switch["user_id"])).values
    if switch["position"] <= remembered.get("done", 0):
        return
    # The thread gets a run whole or not at all. Were it written step by step, a crash could leave the answer
    # beside the thread and not in it: get_state would show it as given, and the next run would drop it.
    state = graph.invoke({"switch": switch, "behavior": behavior}, thread(switch["user_id"]),
                         durability="exit")
    modes = f"{switch['from_mode']} -> {switch['to_mode']}"
    print(f"{switch['user_id']}: {modes}: {state['said'][-1]}", flush=True)


def catch_up(connection, graph):
    """Answers what is new; returns the last position that read_switches has returned."""
    while True:
        position = connection.execute("SELECT position FROM agent_checkpoint").fetchone()["position"]
        switches = connection.execute(
            "SELECT s.position, s.user_id, s.from_mode, s.to_mode, s.trigger, s.confidence, s.reason,"
            " coalesce(m.behavior, '') AS behavior"
            " FROM neuros.read_switches(%s, 100) s LEFT JOIN neuros.modes m ON m.mode = s.to_mode"
            " ORDER BY s.position", [position]).fetchall()
        for switch in switches:
            meet(graph, switch, switch.pop("behavior"))
            # Behind the answer: a crash in between asks again, and the thread knows the answer was given.
            connection.execute("UPDATE agent_checkpoint SET position = %s", [switch["position"]])
            position = switch["position"]
        if len(switches) < 100:
            return position


def run(listening, own):
    # Held by the connection that writes the threads, and lost with it: of two agents only one answers.
    own.execute("SELECT pg_advisory_lock(hashtext('agent.py'))")
    saver = PostgresSaver(own)
    saver.setup()  # the first time it makes indexes, and waits for transactions that are open
    listening.execute(SETUP)
    graph = build(saver)
    listening.execute("LISTEN mode_switch")  # before the first look: nothing falls in between
    heard = 0
    while True:
        position = catch_up(listening, graph)
        # One that was heard of may have to wait for one before it that is not committed yet, and whose end
        # rings no bell. One that waited so when this began to listen has rung already.
        for bell in listening.notifies(timeout=0.1 if position < heard else LOOK, stop_after=1):
            heard = max(heard, json.loads(bell.payload)["position"])


def main(url):
    options = {"autocommit": True, "row_factory": dict_row}
    pause = FIRST_PAUSE
    while True:
        try:
            with psycopg.connect(url, **options) as listening, psycopg.connect(url, **options) as own:
                pause = FIRST_PAUSE
                run(listening, own)
        except psycopg.OperationalError as error:  # lost, stopped, no room, a deadlock: they pass
            # Not on the dot: else all who lost the server would come back to it at once.
            wait = pause * random.uniform(0.5, 1)
            pause = min(2 * pause, LONGEST_PAUSE)
            print(f"{error}; again in {wait:.1f} s", file=sys.stderr, flush=True)
            time.sleep(wait)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(sys.argv[1] if len(sys.argv) > 1 else "postgresql:///auren")
