"""Runs clang-tidy over all C++ of ours, two files at once, and remembers what was found clean.

    tidy.py COMPILE_COMMANDS SERVER_INCLUDES

The worker's and the core's files take their flags from COMPILE_COMMANDS; the extension's glue,
which make builds, gets those of the Makefile. What was generated is left out, and the tests are: most
of what it would read, for minutes, is the test library's macros. The key of a verdict is the content
of the file, of all of ours that it includes, of .clang-tidy and of the flags: a change in a header
looks again at what includes it, and at nothing else.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLEAN = ROOT / "build" / "tidy"


def glue_flags(server_includes):
    return ["-std=c++20", "-fno-exceptions", "-fno-rtti", "-Wno-register", "-D_GNU_SOURCE",
            "-I" + str(ROOT / "extension/src"), "-isystem", server_includes]


def flags_of(entry):
    """The flags of one compile command that tell what the code means: -I, -D, -std and the like."""
    words = shlex.split(entry["command"])
    kept, take = [], False
    for word in words:
        if take:
            kept.append(word)
            take = False
        elif word == "-isystem":
            kept.append(word)
            take = True
        elif word.startswith(("-I", "-D", "-std=", "-isystem")):
            kept.append(word)
    return kept


def included(path, flags):
    """The file and all of ours that it includes, as the compiler sees it."""
    out = subprocess.run(["g++", "-MM", *flags, str(path)],
                         capture_output=True, text=True, cwd=ROOT)
    if out.returncode:
        return None, out.stderr
    words = out.stdout.replace("\\\n", " ").split(":", 1)[1].split()
    ours = sorted({str(pathlib.Path(ROOT, w).resolve()) for w in words})
    return [w for w in ours if w.startswith(str(ROOT) + "/")], ""


def checks_of(path):
    """The analyzer follows what raw memory does, which is the extension's; in the worker, where the
    standard library owns it, it finds nothing and takes half of the time."""
    return [] if ROOT / "extension" in path.parents else ["--checks=-clang-analyzer-*"]


def key_of(path, flags):
    files, error = included(path, flags)
    if files is None:
        return None, error
    digest = hashlib.sha256()
    relative = [flag.replace(str(ROOT), ".") for flag in flags]
    for part in [(ROOT / ".clang-tidy").read_bytes(), pathlib.Path(__file__).read_bytes(),
                 "\0".join(relative).encode(),
                 *(pathlib.Path(f).read_bytes() for f in files)]:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest(), ""


def look_at(path, flags):
    """Returns what clang-tidy has to say about one file; empty when it is clean."""
    key, error = key_of(path, flags)
    if key is None:
        return error
    if (CLEAN / key).exists():
        return ""
    out = subprocess.run(["clang-tidy", "--quiet", *checks_of(path), str(path), "--", *flags],
                         capture_output=True, text=True, cwd=ROOT)
    if out.returncode:
        return out.stdout
    (CLEAN / key).touch()
    return ""


def main():
    commands, server_includes = sys.argv[1:]
    CLEAN.mkdir(parents=True, exist_ok=True)
    work = {}
    for entry in json.loads(pathlib.Path(commands).read_text(encoding="utf-8")):
        path = pathlib.Path(entry["file"])
        if not {ROOT / "tests", ROOT / "build"} & set(path.parents):
            work[path] = flags_of(entry)
    for path in sorted((ROOT / "extension/src").glob("*/*.cpp")):
        if path.parent.name != "core":
            work[path] = glue_flags(server_includes)
    bad = 0
    # The largest first: the end of the run is not one long file on one core.
    order = sorted(work, key=lambda p: -p.stat().st_size)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, said in zip(order, pool.map(lambda p: look_at(p, work[p]), order)):
            if said:
                bad += 1
                print(f"{path.relative_to(ROOT)}:\n{said.rstrip()}", flush=True)
    print(f"clang-tidy: {len(order)} files, {bad} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
