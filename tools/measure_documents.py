#!/usr/bin/env python3
"""Reads a large `mlflow.db`, a Trackio database and a `trainer_state.json` with epochscope's decoders and with what one
would use in Python (`sqlite3`, `json`) or Rust (`serde_json`), in one run, and prints the ratios.

    python3 tools/measure_documents.py --bench PATH --tables PATH [--mib 64]

The paths are those of the built benchmarks (`cargo bench --bench formats --bench tables --no-run` says where they are).
Processor time, best of three.
"""
import argparse, json, os, sqlite3, subprocess, tempfile, time

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--bench", required=True)
p.add_argument("--tables", required=True)
p.add_argument("--mib", type=float, default=64)
p.add_argument("--folder", default=os.path.join(tempfile.gettempdir(), "epochscope-documents"))
args = p.parse_args()


def lines(*command):
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def mlflow(path):
    query = "SELECT key, value, timestamp, run_uuid, step, is_nan FROM metrics"
    return len(sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute(query).fetchall())


def trackio(path):
    rows = sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("SELECT timestamp, step, metrics FROM metrics").fetchall()
    return sum(len(json.loads(metrics)) for _, _, metrics in rows)


def state(path):
    with open(path) as f:
        return sum(len(row) - 1 for row in json.load(f)["log_history"])


PEERS = {
    "mlflow.db": ("Python sqlite3, fetchall", mlflow),
    "project.db": ("Python sqlite3 and json", trackio),
    "trainer_state.json": ("Python json.load", state),
}


def best(read):
    times = []
    for _ in range(3):
        start = time.process_time()
        read()
        times.append(time.process_time() - start)
    return min(times)


print("| file | reader | MiB/s | M points/s | × epochscope |\n| --- | --- | --- | --- | --- |")
for made in lines(args.bench, "--json", "--mib", str(args.mib), "--write", args.folder, "sqlite", "hfstate"):
    path = os.path.join(args.folder, made["file"])
    name = os.path.basename(path)
    readers = {"epochscope": made["seconds"], PEERS[name][0]: best(lambda: PEERS[name][1](path))}
    if name == "trainer_state.json":
        readers |= {r["reader"]: r["seconds"] for r in lines(args.tables, path) if r["reader"] != "epochscope"}
    for reader, seconds in readers.items():
        print(f"| {name} | {reader} | {made['bytes'] / 2**20 / seconds:.0f} | {made['values'] / seconds / 1e6:.1f} | {seconds / made['seconds']:.1f} |")
