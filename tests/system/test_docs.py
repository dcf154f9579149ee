"""The examples of docs/events*.md, analytics.md and week.md: what a page shows is what psql prints.

Each page is run from top to bottom by one psql, in the clone's folder and a database of its own:

    ```sql                  runs; without an output block right behind it, it must not fail
    ```                     right behind: the end of what it printed
    <!-- sql ... -->        runs, and the reader does not see it
    <!-- not run: why -->   before a block: that block is left out

What differs from run to run is masked: times, hashes, and ids that the page itself does not mention. The
empty answer of a function that returns nothing is left out.
"""

import os
import pathlib
import re
import subprocess

import pytest

from harness import ROOT, shell

PAGES = [*sorted((ROOT / "docs").glob("events*.md")), ROOT / "docs/analytics.md", ROOT / "docs/week.md"]
SETTINGS = ("\\pset footer off\n\\set SHOW_CONTEXT never\n"
            "SET timezone = 'UTC'; SET client_min_messages = warning;\n")

BLOCK = re.compile(r"(?P<skip><!-- not run[^\n]*\n)?"
                   r"```sql\n(?P<sql>.*?)^```\n(?:```\n(?P<shown>.*?)^```$)?"
                   r"|<!-- sql\n(?P<hidden>.*?)^-->", re.DOTALL | re.MULTILINE)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d(?::?\d\d)?)?")
HASH = re.compile(r"\b[0-9a-f]{64}\b|(?<=\\x)[0-9a-f]{64}")

VOID = re.compile(r"^ *\w+ *\n-+\n *\n\n", re.MULTILINE)


class Example:
    def __init__(self, text, match):
        self.line = text.count("\n", 0, match.start()) + 1
        self.sql = match["hidden"] or match["sql"]
        self.shown = match["shown"]


def examples_of(text):
    return [Example(text, match) for match in BLOCK.finditer(text) if not match["skip"]]


def run(cluster, examples):
    """What psql prints for each of them."""
    script = SETTINGS + "".join(f"\\echo @@{i}\n{each.sql}\n" for i, each in enumerate(examples))
    done = subprocess.run(
        [shell("pg_bin") + "/psql", "-X", "-q", "-h", cluster.host, "-p", cluster.port, "-U", "postgres",
         "-d", cluster.database()],
        input=script, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, timeout=300,
        encoding="utf-8", env={**os.environ, "LC_ALL": "C.UTF-8"})
    return re.split(r"^@@\d+\n", done.stdout, flags=re.MULTILINE)[1:]


def lines_of(output, known_ids):
    """The lines that are left to compare: widths, empty lines and what is volatile do not count."""
    output = UUID.sub(lambda found: found[0] if found[0] in known_ids else "UUID", output)
    output = HASH.sub("HASH", TIME.sub("TIME", VOID.sub("", output)))
    lines = (re.sub(r" +", " ", re.sub(r"-{3,}", "---", line)).strip() for line in output.split("\n"))
    return [line for line in lines if line]


def faults(text, outputs):
    """What the page shows wrongly; `outputs`: of its examples, in order."""
    examples = examples_of(text)
    known_ids = set(UUID.findall("".join(each.sql for each in examples)))
    assert len(outputs) == len(examples), "psql ended early: " + "".join(outputs)[-2000:]
    for each, output in zip(examples, outputs):
        printed = lines_of(output, known_ids)
        shown = lines_of(each.shown or "", known_ids)
        silent = printed[:len(printed) - len(shown)]
        if printed[len(silent):] != shown or any(line.startswith("ERROR:") for line in silent):
            yield f"line {each.line}:\n{each.sql}\nprints\n{output}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_shows_what_is(cluster, page: pathlib.Path):
    text = page.read_text(encoding="utf-8")
    examples = examples_of(text)
    assert examples, "a page without an example"
    wrong = list(faults(text, run(cluster, examples)))
    assert not wrong, f"{len(wrong)} of {len(examples)} examples\n" + "\n".join(wrong)


def test_every_function_has_an_example(cluster):
    shown = "".join(each.sql for page in PAGES for each in examples_of(page.read_text(encoding="utf-8")))
    with cluster.connect(cluster.database()) as conn:
        functions = conn.execute(
            "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'events'::regnamespace"
            " AND has_function_privilege('auren_admin', oid, 'EXECUTE')").fetchall()
    without = sorted(name for name, in functions if f"events.{name}(" not in shown)
    assert functions and without == ["append_message"]  # what the message-db facade stands on


@pytest.mark.parametrize(("sql", "shown", "right"), [
    ("SELECT 1 AS one;", " one\n-----\n   1\n", True),
    ("SELECT 2 AS one;", " one\n-----\n   1\n", False),
    ("SELECT 1 AS one;", " one\n-----\n   1\n\n two\n-----\n   2\n", False),
    ("SELECT 1 AS one;", None, True),
    ("SELECT 1 / 0;", None, False),
    ("SELECT 1 / 0; SELECT 1 AS one;", " one\n-----\n   1\n", False),
    ("SELECT 1 / 0;", "ERROR:  division by zero\n", True),
    ("SELECT now() AS now;", "  now\n----\n 2026-11-21 06:16:57+00\n", True),
    ("SELECT gen_random_uuid() AS id;", " id\n----\n 018f4e1a-7c3d-7b6e-9a41-2f5c8d90e1b2\n", True),
    ("SELECT gen_random_uuid() AS id, '018f4e1a-7c3d-7b6e-9a41-2f5c8d90e1b2' AS named;",
     " id | named\n----+----\n 018f4e1a-7c3d-7b6e-9a41-2f5c8d90e1b2 | 018f4e1a-7c3d-7b6e-9a41-2f5c8d90e1b2\n",
     False),
])
def test_what_is_wrong_is_noticed(cluster, sql, shown, right):
    text = f"```sql\n{sql}\n```\n" + (f"```\n{shown}```\n" if shown else "")
    assert right != bool(list(faults(text, run(cluster, examples_of(text)))))
