#!/usr/bin/env python3
"""Reads large tables and JSON lines with epochscope's decoders, the plain `csv` and `serde_json` loops, pandas and polars,
in one run, and prints the ratios.

    python3 -m venv v && v/bin/pip install pandas polars
    v/bin/python tools/measure_tables.py [--mib 110] [--bench PATH] [--folder FOLDER]

`--bench` names the built benchmark (`cargo bench --bench tables --no-run` says where it is); without it cargo runs it.
Python's readers get the same file from the page cache, best of five.
"""
import argparse, glob, json, os, random, subprocess, sys, tempfile, time

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


def best(read):
    times = []
    for _ in range(5):
        start = time.perf_counter()
        read()
        times.append(time.perf_counter() - start)
    return min(times)


command = [args.bench] if args.bench else ["cargo", "bench", "--quiet", "--bench", "tables", "--"]
lines = subprocess.run(command + files, capture_output=True, text=True, check=True).stdout.splitlines()
results = [json.loads(line) for line in lines if line.startswith("{")]
import pandas, polars  # noqa: E402  after the bench, which should not share its cores with their threads

for path in files:
    size = os.path.getsize(path)
    if path.endswith(".csv"):
        readers = {f"pandas {pandas.__version__}": lambda: pandas.read_csv(path), f"polars {polars.__version__}, {polars.thread_pool_size()} threads": lambda: polars.read_csv(path)}
    else:
        readers = {f"pandas {pandas.__version__}": lambda: pandas.read_json(path, lines=True), f"polars {polars.__version__}, {polars.thread_pool_size()} threads": lambda: polars.read_ndjson(path)}
    for name, read in readers.items():
        results.append({"file": path, "reader": name, "bytes": size, "seconds": best(read)})

print(f"{'file':<22}{'reader':<34}{'MiB/s':>8}{'values/s':>12}{'epochscope is':>16}")
for path in files:
    mine = [r for r in results if r["file"] == path]
    values = next(r["values"] for r in mine if r["reader"] == "epochscope")
    ours = next(r["seconds"] for r in mine if r["reader"] == "epochscope")
    for r in mine:
        print(f"{os.path.basename(path):<22}{r['reader']:<34}{r['bytes'] / 2**20 / r['seconds']:>8.0f}{values / r['seconds'] / 1e6:>10.1f} M{r['seconds'] / ours:>14.2f} ×")
