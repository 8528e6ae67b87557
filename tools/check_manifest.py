#!/usr/bin/env python3
"""What epochscope finds in logs that real frameworks wrote, against what the frameworks' own readers find.

    tools/check_manifest.py FOLDER [--binary target/release/epochscope] [--markdown]

FOLDER holds `MANIFEST.tsv` (path, format, source, commit, licence, bytes, expect) and the files that it names;
`expect` is JSON: counts, and for one series its number of points and the first and last of them. Each file is read
alone by `epochscope status --format json`; files about a run (settings, tables) are read with the folder of their run.

Prints one line per difference and a table: format, files, claimed, complete (everything expected was found), and ends
with 1 if anything differs that is not named in DIFFERENT below with its reason.
"""

import argparse
import collections
import json
import math
import pathlib
import re
import subprocess
import sys

# Files about a run: how many folders above their own the run's folder is.
ABOUT = {"hydra-overrides": 1, "dvclive-summary": 0, "wandb-summary": 1, "wandb-table": 3, "tb-projector": 0}

# Expectations that are not met on purpose: (format, what) -> why.
DIFFERENT = {
    ("ray-result-jsonl", "series"): "`config/...` is the configuration, repeated in each line: hyper-parameters, no series",
    ("ray-progress-csv", "series"): "`done` and the like are true or false, no numbers",
    ("aim-repo", "series"): "RocksDB; aim's own reader finds no series in this repository either",
    ("stdout-keras-fit", "series"): "the count includes frames of the progress bar; one point an epoch is read",
    ("hf-deepspeed-slurm-stdout", "series"): "four ranks print the same moment; it is read once",
    ("sb3-monitor", "series"): "the axis is the number of environment steps so far, not that of the row",
    ("llamafactory-jsonl", "tags"): "total_steps is a fact of the run, current_steps the axis",
}

# Text logs: the tag that the regular expression of the manifest counts.
TEXT_TAG = {
    "megatron-stdout": ("lm loss", "lm-loss"),
    "modded-nanogpt-text": ("val_loss",),
    "llmc-main-log": ("trl",),
    "detectron2-log-text": ("total_loss",),
    "hf-deepspeed-slurm-stdout": ("train_runtime",),
    "stdout-catboost": ("learn",),
    "stdout-clu-absl": ("train_loss",),
    "stdout-hf-trainer-tty": ("loss",),
    "stdout-hydra-multirun": ("loss",),
    "stdout-keras-fit": ("loss",),
    "stdout-lightgbm": ("train's multi_logloss", "multi_logloss"),
    "stdout-mmengine": ("loss",),
    "stdout-sb3": ("rollout/ep_len_mean", "time/iterations"),
}


def number(value):
    if isinstance(value, str):
        return float(value.replace("Infinity", "inf"))
    return float(value)


def close(a, b):
    a, b = number(a), number(b)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or abs(a - b) <= 1e-6 * max(abs(a), abs(b))


class Status:
    def __init__(self, binary, path):
        done = subprocess.run([binary, "status", "--format", "json", str(path)], capture_output=True, text=True)
        self.error = done.stderr.strip()
        self.runs = json.loads(done.stdout)["runs"] if done.returncode == 0 and done.stdout else []

    def series(self):
        return [s for run in self.runs for s in run["series"]]

    def formats(self):
        return sorted({f for run in self.runs for f in run["formats"]})

    def named(self, tags):
        return [s for s in self.series() if s["tag"] in tags or s["tag"].rsplit("/", 1)[-1] in tags]


def find(status, tags, n, first, last, steps=True):
    """None if a series of one of the tags has n points from first to last; otherwise what is there instead."""
    seen = []
    for s in status.named(tags):
        if s["first"] is None:
            continue
        ours = (s["points"], (s["first"]["step"], s["first"]["value"]), (s["last"]["step"], s["last"]["value"]))
        ok = ours[0] == n and close(ours[1][1], first[1]) and close(ours[2][1], last[1])
        if ok and steps and first[0] is not None:
            ok = ours[1][0] == int(first[0]) and ours[2][0] == int(last[0])
        if ok:
            return None
        seen.append(f"{s['tag']}: {ours}")
    return f"wanted {tags} n={n} {first} to {last}; found {'; '.join(seen) or 'no such series'}"


def check_series(status, series):
    return find(status, (series["tag"],), series["n"], series["first"], series["last"])


def check_mlflow(status, expect):
    wrong = []
    for name, run in expect["runs"].items():
        ours = [r for r in status.runs if (r.get("name") or r["run"]).rsplit("/", 1)[-1].startswith(name)]
        if not any(fits_mlflow(r, run) for r in ours):
            wrong.append(f"run {name}: found {[(r['run'], len(r['series'])) for r in ours]}")
    return "; ".join(wrong) or None


def fits_mlflow(ours, run):
    series = {s["tag"]: s for s in ours["series"]}
    counts = all(tag in series and series[tag]["points"] == n for tag, n in run["metrics"].items())
    last = all(
        tag in series and (close(series[tag]["last"]["value"], v) or "inf" in str(v).lower() or "e+308" in str(v))
        for tag, v in run["last"].items()
    )
    params = all(str(ours["hyperparameters"].get(k)) == v or close_text(ours["hyperparameters"].get(k), v) for k, v in run["params"].items())
    return counts and last and params


def close_text(a, b):
    try:
        return float(a) == float(b)
    except (TypeError, ValueError):
        return False


def check_text(status, kind, expect):
    if not expect.get("matches"):
        return None
    first, last = expect["first"], expect["last"]
    pair = lambda p: (p[0], p[1]) if isinstance(p, list) else (None, p)
    if kind == "stdout-sb3":
        wanted = expect["matches"]
        found = [s for s in status.named(TEXT_TAG[kind]) if s["points"] == wanted and s["first"]["step"] == 256 and s["last"]["step"] == 4096]
        return None if found else f"no series of {wanted} points from step 256 to 4096"
    return find(status, TEXT_TAG[kind], expect["matches"], pair(first), pair(last), steps=isinstance(first, list))


def check_table(status, expect):
    if expect["columns"] != ["Actual", "Predicted", "nPredictions"]:
        return None if any(run["other"].get("tables") for run in status.runs) else "the table is not counted"
    classes = math.isqrt(expect["rows"])
    found = [c for run in status.runs for c in run["confusions"] if c["classes"] == classes]
    return None if found else f"no confusion matrix of {classes} classes"


def check(kind, status, expect):
    """(what, difference) for everything that differs."""
    if kind == "tfevents" and expect.get("scalar"):
        yield "series", check_series(status, expect["scalar"])
    elif kind == "tfevents-run-dir":
        found = status.named((expect["EventAccumulator"]["scalar"]["tag"],))
        yield "series", None if found else "no such series"
        tags = {(s["tag"]) for s in status.series()}
        wanted = expect["EventAccumulator"]["scalar_tags"]
        yield "tags", None if len(tags) >= wanted else f"{len(tags)} tags, wanted {wanted}"
    elif kind.startswith("mlflow"):
        yield "series", check_mlflow(status, expect)
    elif kind == "catboost-training-json":
        for at, metric in enumerate(expect["metrics"]):
            first, last = (0, expect["first_learn"][at]), (expect["iterations"] - 1, expect["last_learn"][at])
            yield "series", find(status, (metric,), expect["iterations"], first, last)
    elif kind == "comet-offline-zip":
        found = [s for s in status.named(("train_loss", "train/loss")) if s["points"] == expect["train_loss"]]
        yield "series", None if found else f"no train_loss of {expect['train_loss']} points"
    elif kind == "dvclive-summary":
        flat = [("train/loss", expect["json"]["train"]["loss"]), ("val/acc", expect["json"]["val"]["acc"])]
        for tag, value in flat:
            found = [s for s in status.series() if s["tag"] == tag and close(s["last"]["value"], value)]
            yield "series", None if found else f"{tag} does not end at {value}"
    elif kind == "hydra-overrides":
        settings = [run["hyperparameters"] for run in status.runs]
        for line in expect["lines"]:
            key, value = line.removeprefix("- ").split("=")
            ok = any(close_text(s.get(key), value) for s in settings)
            yield "settings", None if ok else f"{key}={value} is no hyper-parameter of the run"
    elif kind == "wandb-table":
        yield "table", check_table(status, expect)
    elif kind == "swanlab-local-log":
        if isinstance(expect["first"][1], float):
            points = [s for s in status.series() if s["points"] == expect["lines"] and close(s["first"]["value"], expect["first"][1])]
            yield "series", None if points else "no such series"
    elif kind == "fastai-csv":
        found = [s for s in status.series() if s["points"] == expect["data_rows"]]
        yield "series", None if found else f"no series of {expect['data_rows']} points"
    elif kind == "tb-projector":
        found = any(run["other"].get("embeddings") for run in status.runs)
        yield "embedding", None if found else "the embedding is not counted"
    elif "regex" in expect:
        yield "series", check_text(status, kind, expect)
    elif expect.get("series"):
        yield "series", check_series(status, expect["series"])
    if kind == "wandb" and expect["history_rows"]:
        ends = {0: "finished", 1: "failed"}
        wanted = ends.get(expect["exit_code"])
        states = [run["state"] for run in status.runs]
        yield "state", None if wanted in states else f"state {states}, wanted {wanted}"
        layers = sum(len(layer["kinds"]) for run in status.runs for layer in run["layers"])
        wanted = expect["histogram_keys"]
        yield "histograms", None if layers >= wanted else f"{layers} histograms, wanted {wanted}"
    if expect.get("bad_lines") == 0 and kind.endswith("jsonl") and kind != "ray-result-jsonl":
        tags = len({s["tag"] for s in status.series()})
        wanted = expect["numeric_keys"]
        # the step, and a clock that is the axis, are no series
        yield "tags", None if wanted - 3 <= tags <= wanted + 1 else f"{tags} tags, wanted about {wanted}"
    if expect.get("ncols") and kind.endswith(("csv", "tsv")) and "ray" not in kind:
        tags = len({s["tag"] for s in status.series()})
        wanted = expect["ncols"]
        yield "tags", None if wanted - 3 <= tags <= wanted else f"{tags} tags, wanted about {wanted}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--binary", default="target/release/epochscope")
    parser.add_argument("--only", help="a regular expression that the kind must match")
    args = parser.parse_args()
    table = collections.defaultdict(lambda: collections.Counter())
    unexplained = 0
    for line in (args.folder / "MANIFEST.tsv").read_text().splitlines()[1:]:
        path, kind, *_, expect = line.split("\t")
        if args.only and not re.search(args.only, kind):
            continue
        target = args.folder / path
        if kind in ABOUT:
            target = target.parent
            for _ in range(ABOUT[kind]):
                target = target.parent
        status = Status(args.binary, target)
        row = table[kind]
        row["files"] += 1
        expect = json.loads(expect)
        points_expected = 0 not in (expect.get(k) for k in ("matches", "history_rows", "keys", "values"))
        row["claimed"] += bool(status.runs) or not points_expected
        differences = [(what, d) for what, d in check(kind, status, expect) if d]
        if not status.runs and points_expected and not differences:
            differences = [("run", status.error or "no run was found")]
        left = [(what, d) for what, d in differences if (kind, what) not in DIFFERENT]
        for what, difference in differences:
            why = DIFFERENT.get((kind, what))
            print(f"{'as intended' if why else 'DIFFERS'}: {path} [{kind}] {what}: {why or difference}")
        row["complete"] += not left
        row["as intended"] += len(differences) - len(left)
        unexplained += len(left)
    print("\n| kind | files | claimed | complete | differences as intended |\n| --- | --- | --- | --- | --- |")
    total = collections.Counter()
    for kind, row in sorted(table.items()):
        total.update(row)
        print(f"| {kind} | {row['files']} | {row['claimed']} | {row['complete']} | {row['as intended']} |")
    print(f"| **all** | {total['files']} | {total['claimed']} | {total['complete']} | {total['as intended']} |")
    sys.exit(1 if unexplained else 0)


if __name__ == "__main__":
    main()
