#!/usr/bin/env python3
"""Watches real logging libraries while they write: each script beside this one trains something tiny with one of them.

    tools/follow/run.py [NAME…] [--python PYTHON] [--watch target/debug/examples/watch] [--binary target/debug/epochscope]

`NAME.py FOLDER` is run with PYTHON (which has the library; each script's first lines say what it needs) and writes its
logs below FOLDER as the library does by default. Meanwhile `examples/watch.rs` follows FOLDER from before its first
file on. For each writer it is checked that

* points were seen while the writer was still running, at least twice, unless the library writes only at its end
  (the script then says `WRITES_AT_END = True`);
* what was followed live ends as what `epochscope status` reads afterwards: the same runs, series and points.

Prints one line per writer and ends with 1 if one of them fails.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
LIMIT = 180  # seconds a writer may take
SETTLE = 20  # seconds in which what was written must have been read


def total(runs):
    return {run: (facts["series"], facts["points"]) for run, facts in runs.items()}


def read_once(binary, folder):
    out = subprocess.run([binary, "status", "--format", "json", str(folder)], capture_output=True, text=True)
    if out.returncode != 0:
        return {}
    return {r["run"]: (len(r["series"]), sum(s["points"] for s in r["series"])) for r in json.loads(out.stdout)["runs"]}


def follow(script, args):
    with tempfile.TemporaryDirectory() as folder:
        lines = pathlib.Path(folder + ".watch")
        with lines.open("w") as sink:
            watch = subprocess.Popen([args.watch, folder], stdout=sink)
            time.sleep(0.5)
            began = time.monotonic()
            env = dict(os.environ, CUDA_VISIBLE_DEVICES="", WANDB_SILENT="true")
            try:
                writer = subprocess.run(
                    [args.python, str(script), folder], cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT
                )
            except subprocess.TimeoutExpired:
                writer = None
            took = time.monotonic() - began
            if writer is None or writer.returncode != 0:
                watch.kill()
                return False, "the writer failed: " + (writer.stderr.strip().splitlines() or ["?"])[-1] if writer else "the writer took too long"
            once, live = read_once(args.binary, folder), None
            while time.monotonic() - began - took < SETTLE:
                seen = [json.loads(line) for line in lines.read_text().splitlines() if line.endswith("}")]
                live = total(seen[-1]["runs"]) if seen else {}
                if live == once:
                    break
                time.sleep(0.5)
            watch.kill()
        seen = [json.loads(line) for line in lines.read_text().splitlines() if line.endswith("}")]
        lines.unlink()
        points = [(s["seconds"], sum(r["points"] for r in s["runs"].values())) for s in seen]
        early = len({n for at, n in points if at < took and n > 0})
        late_only = re.search(r"^WRITES_AT_END = True", script.read_text(), re.M)
        if not once or not any(n for _, n in once.values()):
            return False, "nothing was read"
        if live != once:
            return False, f"followed: {live}; read afterwards: {once}"
        if early < 2 and not late_only:
            return False, f"only {early} states with points while it was being written ({took:.0f} s)"
        runs, series, n = len(once), sum(s for s, _ in once.values()), sum(p for _, p in once.values())
        return True, f"{runs} runs, {series} series, {n} points; {early} states seen in {took:.0f} s of writing"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--watch", default="target/debug/examples/watch")
    parser.add_argument("--binary", default="target/debug/epochscope")
    args = parser.parse_args()
    args.watch, args.binary = os.path.abspath(args.watch), os.path.abspath(args.binary)
    scripts = [HERE / f"{n}.py" for n in args.names] or sorted(p for p in HERE.glob("*.py") if p.name != "run.py")
    ok = True
    for script in scripts:
        good, said = follow(script, args)
        ok &= good
        print(f"{'ok  ' if good else 'FAIL'} {script.stem}: {said}", flush=True)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
