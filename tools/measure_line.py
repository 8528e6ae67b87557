#!/usr/bin/env python3
"""How long `epochscope line` takes when it is called again and again on a tree that grows.

usage: measure_line.py PROGRAM TREE [CALLS]

Copies nothing and writes only to a cache folder of its own, apart from appending single bytes to three files of TREE
before every call (an incomplete record, which every reader waits for). Prints wall time of the calls, processor time of
all refreshes, and how long the first answer took.
"""
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

program, tree = sys.argv[1], pathlib.Path(sys.argv[2])
calls = int(sys.argv[3]) if len(sys.argv) > 3 else 30
files = sorted(path for path in tree.rglob("*") if path.is_file())
with tempfile.TemporaryDirectory() as cache:
    environment = os.environ | {"XDG_CACHE_HOME": cache}

    def call(*flags):
        began = time.perf_counter()
        said = subprocess.run(
            [program, "line", *flags, str(tree)], env=environment, capture_output=True, text=True, check=True
        ).stdout
        return (time.perf_counter() - began) * 1000, said.strip()

    began = time.perf_counter()
    while True:
        took, said = call()
        if said != "reading the logs":
            break
    print(f"first answer after {(time.perf_counter() - began) * 1000:.0f} ms: {said}")
    for name, flags, grow in [("unchanged", [], 0), ("3 files grow", [], 3), ("the same, always too old", ["--max-age", "1ms"], 3)]:
        times = []
        for n in range(calls):
            for path in files[n : n + grow]:
                with open(path, "ab") as file:
                    file.write(b"\1")
            times.append(call(*flags)[0])
            time.sleep(0.2)
        print(f"{name}: median {statistics.median(times):.1f} ms, worst {max(times):.1f} ms of {calls}")
    times = [call("--max-age", "0")[0] for _ in range(5)]
    print(f"read anew each time (--max-age 0): median {statistics.median(times):.0f} ms")
