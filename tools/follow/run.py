#!/usr/bin/env python3
"""Watches real logging libraries while they write: each script beside this one trains something tiny with one of them.

    tools/follow/run.py [NAME…] [--python PYTHON]… [--keep FOLDER] [--jobs N]
                        [--watch target/debug/examples/watch] [--binary target/debug/epochscope]

`NAME.py FOLDER` is run with the first PYTHON that has all it imports (each script's first lines say what it needs) and
writes its logs below FOLDER as the library does by default. Meanwhile `examples/watch.rs` follows FOLDER from before
its first file on. For each writer it is checked that

* points were seen while the writer was still running, at least twice, unless the library writes only at its end
  (the script then says `WRITES_AT_END = True`);
* what was followed live ends as what `epochscope status` reads afterwards: the same runs, series and points, except for
  the last `WAITS` points of each series where the library ends a line only when it begins the next one;
* the runs are those that a person expects, under the names that a person knows them by: the script's `RUNS`.

With `--keep` the logs stay, side by side below FOLDER: the tree of all writers. Prints one line per writer and ends
with 1 if one of them fails. Writers that no PYTHON has are named and passed over.
"""

import argparse
import ast
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
LIMIT = 400  # seconds a writer may take
SETTLE = 40  # seconds in which what was written must have been read
MISSING = "import importlib.util, sys; print(*(m for m in sys.argv[1:] if not importlib.util.find_spec(m)))"


def said_by(script, name, default):
    """What the script sets as a constant of that name."""
    for node in ast.parse(script.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == name:
            return ast.literal_eval(node.value)
    return default


def imports(script):
    found = set()
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.split(".")[0])
    return sorted(found)


def python_for(script, pythons):
    """The first that has all that the script imports; otherwise what is missing in the one that has most of it."""
    answers = []
    for python in pythons:
        out = subprocess.run([python, "-c", MISSING, *imports(script)], capture_output=True, text=True, check=True)
        answers.append((out.stdout.split(), python))
    missing, python = min(answers, key=lambda a: len(a[0]))
    return python, missing


def total(runs):
    return {run: (facts["series"], facts["points"]) for run, facts in runs.items()}


def read_once(binary, folder):
    """Series and points by run, and the names that are shown."""
    out = subprocess.run([binary, "status", "--format", "json", str(folder)], capture_output=True, text=True)
    if out.returncode != 0:
        return {}, []
    runs = json.loads(out.stdout)["runs"]
    names = sorted(r.get("name") or r["run"] for r in runs)
    return {r["run"]: (len(r["series"]), sum(s["points"] for s in r["series"])) for r in runs}, names


def states(lines):
    return [json.loads(line) for line in lines.read_text().splitlines() if line.endswith("}")]


def follow(script, python, folder, args):
    folder.mkdir(parents=True, exist_ok=True)
    handle, lines = tempfile.mkstemp(suffix=".watch")
    lines = pathlib.Path(lines)
    watch = subprocess.Popen([args.watch, folder], stdout=handle)
    os.close(handle)
    try:
        time.sleep(0.5)
        began = time.monotonic()
        path = f"{pathlib.Path(python).parent}{os.pathsep}{os.environ['PATH']}"
        env = dict(os.environ, CUDA_VISIBLE_DEVICES="", WANDB_SILENT="true", PATH=path)
        command = [python, str(script), str(folder)]
        try:
            writer = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return False, "the writer took too long"
        took = time.monotonic() - began
        if writer.returncode != 0:
            return False, "the writer failed: " + (writer.stderr.strip().splitlines() or ["?"])[-1]
        (once, names), live = read_once(args.binary, folder), None
        while time.monotonic() - began - took < SETTLE:
            seen = states(lines)
            live = total(seen[-1]["runs"]) if seen else {}
            if live == once:
                break
            time.sleep(0.5)
        seen = states(lines)
    finally:
        watch.kill()
        watch.wait()
        lines.unlink()
    points = [(s["seconds"], sum(r["points"] for r in s["runs"].values())) for s in seen]
    early = len({n for at, n in points if at < took and n > 0})
    if not once or not any(n for _, n in once.values()):
        return False, "nothing was read"
    waits = said_by(script, "WAITS", 0)
    if live.keys() != once.keys() or any(n != live[r][0] or p - live[r][1] > waits * n for r, (n, p) in once.items()):
        return False, f"followed: {live}; read afterwards: {once}"
    if early < 2 and not said_by(script, "WRITES_AT_END", False):
        return False, f"only {early} states with points while it was being written ({took:.0f} s)"
    expected = said_by(script, "RUNS", names)
    if len(expected) != len(names) or not all(map(fnmatch.fnmatchcase, names, sorted(expected))):
        return False, f"its runs are called {names}, not {expected}"
    series, n = sum(s for s, _ in once.values()), sum(p for _, p in once.values())
    return True, f"{len(once)} runs, {series} series, {n} points; {early} states seen in {took:.0f} s of writing"


def check(script, args):
    python, missing = python_for(script, args.python)
    if missing:
        return None, "passed over, no " + ", ".join(missing)
    with tempfile.TemporaryDirectory() as temporary:
        folder = (pathlib.Path(args.keep).absolute() if args.keep else pathlib.Path(temporary)) / script.stem
        if args.keep and folder.exists():
            shutil.rmtree(folder)
        return follow(script, python, folder, args)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--python", action="append")
    parser.add_argument("--keep")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--watch", default="target/debug/examples/watch")
    parser.add_argument("--binary", default="target/debug/epochscope")
    args = parser.parse_args()
    args.python = args.python or [sys.executable]
    args.watch, args.binary = os.path.abspath(args.watch), os.path.abspath(args.binary)
    scripts = [HERE / f"{n}.py" for n in args.names] or sorted(p for p in HERE.glob("*.py") if p.name != "run.py")
    ok = True
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        checks = {pool.submit(check, script.resolve(), args): script for script in scripts}
        for done in concurrent.futures.as_completed(checks):
            good, said = (False, repr(done.exception())) if done.exception() else done.result()
            ok &= good is not False
            print(f"{'ok  ' if good else 'skip' if good is None else 'FAIL'} {checks[done].stem}: {said}", flush=True)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
