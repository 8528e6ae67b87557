#!/usr/bin/env python3
"""Reads large tables and JSON lines with epochscope's decoders, the plain `csv` and `serde_json` loops, pandas and polars,
in one run, and prints the ratios.

    python3 -m venv v && v/bin/pip install pandas polars
    v/bin/python tools/measure_tables.py [--mib 110] [--bench PATH] [--folder FOLDER]

`--bench` names the built benchmark (`cargo bench --bench tables --no-run` says where it is); without it cargo runs it.
Python's readers get the same file from the page cache. Best of five, by processor time, of all threads together, and by wall
time, which says something on a quiet machine only. polars is run on one thread and on all.
"""
import argparse, glob, json, os, random, subprocess, sys, tempfile

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--mib", type=float, default=110)
p.add_argument("--bench")
p.add_argument("--folder", default=os.path.join(tempfile.gettempdir(), "epochscope-tables"))
args = p.parse_args()
os.makedirs(args.folder, exist_ok=True)


def rows():
    """Steps with ten metrics of a plausible training, as repr() writes them."""
    random.seed(1)
    step = 0
    while True:
        step += 1
        loss = 2.5 / (1 + step / 1e4) + random.random() / 10
        yield step, [loss, loss * 1.1, random.random(), 3e-4, random.gauss(1, 0.1)] + [random.random() * 100 for _ in range(5)]


NAMES = ["loss", "val_loss", "accuracy", "lr", "grad_norm", "a", "b", "c", "d", "e"]


def csv_row(step, values):
    return f"{step}," + ",".join(map(repr, values)) + "\n"


def json_row(step, values):
    return json.dumps({"step": step, "timestamp": 1.75e9 + step / 8, **dict(zip(NAMES, values))}) + "\n"


def native_row(step, values):
    return json.dumps({"t": "scalar", "step": step, "wall": 1.75e9 + step / 8, "split": "train", "v": dict(zip(NAMES, values))}) + "\n"


def make(name, head, row):
    path = os.path.join(args.folder, name)
    if not os.path.exists(path):
        with open(path, "w") as f:
            f.write(head)
            size = 0
            for step, values in rows():
                size += f.write(row(step, values))
                if size > args.mib * 2**20:
                    break
    return path


files = [
    make("metrics.csv", "step," + ",".join(NAMES) + "\n", csv_row),
    make("metrics.jsonl", "", json_row),
    make("metrics.scope.jsonl", '{"epochscope":1,"t":"run"}\n', native_row),
]


READER = """
import json, sys, time
path, module = sys.argv[1:]
library = __import__(module)
if module == "pandas":
    read = library.read_csv if path.endswith(".csv") else lambda path: library.read_json(path, lines=True)
    name = f"pandas {library.__version__}"
else:
    read = library.read_csv if path.endswith(".csv") else library.read_ndjson
    name = f"polars {library.__version__}, {library.thread_pool_size()} thread(s)"
used, wall = [], []
for _ in range(5):
    start = time.process_time(), time.perf_counter()
    read(path)
    used.append(time.process_time() - start[0])
    wall.append(time.perf_counter() - start[1])
print(json.dumps({"reader": name, "seconds": min(used), "wall": min(wall)}))
"""


def read(path, module, **environment):
    """In a process of its own; processor time is that of all its threads."""
    command = [sys.executable, "-c", READER, path, module]
    out = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **environment}).stdout
    return {"file": path, "bytes": os.path.getsize(path), **json.loads(out)}


command = [args.bench] if args.bench else ["cargo", "bench", "--quiet", "--bench", "tables", "--"]
lines = subprocess.run(command + files, capture_output=True, text=True, check=True).stdout.splitlines()
results = [json.loads(line) for line in lines if line.startswith("{")]
for path in files:
    results += [read(path, "pandas"), read(path, "polars", POLARS_MAX_THREADS="1"), read(path, "polars")]

print("| file | reader | MiB/s | M values/s | × epochscope | by wall time |\n| --- | --- | --- | --- | --- | --- |")
for path in files:
    mine = [r for r in results if r["file"] == path]
    ours = next(r for r in mine if r["reader"] == "epochscope")
    for r in mine:
        print(
            f"| {os.path.basename(path)} | {r['reader']} | {r['bytes'] / 2**20 / r['seconds']:.0f} | {ours['values'] / r['seconds'] / 1e6:.1f} | "
            f"{r['seconds'] / ours['seconds']:.2f} | {r['wall'] / ours['wall']:.2f} |")
