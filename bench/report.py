"""How a benchmark measures and what it prints.

    table("append, new streams", "events/s")        a title and the heads of its columns
    sides = take_turns({"AUREN": f, "raw": g})      both in every round, so that a noisy neighbour hits both
    row("8 clients", sides["AUREN"], "raw INSERT", sides["raw"], at_least(0.9))
    single("one call", values, at_most(0.02))       a value with a limit of its own and no peer

A row shows the medians of the rounds, their ratio (AUREN to the peer), in brackets the least and greatest
ratio of a single round, the goal, and whether the ratio meets it. A goal of None: shown for comparison.
"""

import os
import statistics

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
WIDTHS = "  {:<32} {:>11}   {:<30} {:>11} {:>7} {:<16} {:<8} {}"


def at_least(limit):
    return (">=", limit)


def at_most(limit):
    return ("<=", limit)


def take_turns(sides, rounds=ROUNDS):
    """Calls every function of `sides` once a round; what they returned, by name, in lists."""
    values = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            values[name].append(measure())
    return values


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}"


def times(ratio):
    return f"{ratio:.{1 if ratio >= 10 else 2 if ratio >= 0.1 else 4}f}"


def verdict(value, goal):
    if goal is None:
        return "", ""
    sign, limit = goal
    met = value >= limit if sign == ">=" else value <= limit
    return f"{sign} {limit:g}", "hit" if met else "MISSED"


def show(*fields):
    print(WIDTHS.format(*fields).rstrip(), flush=True)


def table(title, unit):
    print(f"\n{title}", flush=True)
    show("", unit, "against", unit, "ratio", "of rounds", "goal", "")


def row(what, ours, against, theirs, goal=None):
    ratio = statistics.median(ours) / statistics.median(theirs)
    each = [a / b for a, b in zip(ours, theirs)]
    spread = f"({times(min(each))}-{times(max(each))})" if len(each) > 1 else ""
    show(what, number(statistics.median(ours)), against, number(statistics.median(theirs)), times(ratio),
         spread, *verdict(ratio, goal))


def single(what, values, goal=None):
    value = statistics.median(values)
    spread = f"({number(min(values))}-{number(max(values))})" if len(values) > 1 else ""
    show(what, number(value), "", "", "", spread, *verdict(value, goal))
