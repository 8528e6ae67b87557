#!/usr/bin/env python3
"""What epochscope finds in logs that real frameworks wrote, against what the frameworks' own readers find.

    tools/check_manifest.py FOLDER [--binary target/release/epochscope] [--only KIND]

FOLDER holds `MANIFEST.tsv` (path, format, source, commit, licence, bytes, expect) and the files that it names;
`expect` is JSON: counts, and for one series its number of points and the first and last of them, as the format's own
reader found them. `reference_readers.py` reads the file again and must agree with that; then every series of epochscope
must have its equal in it and the other way round: number of points, first and last step and value. Each file is read
alone by `epochscope status --format json`; files about a run (settings, tables) are read with the folder of their run.

Prints one line per difference and a table: format, files, claimed, complete (nothing differs, no record was skipped),
and what differs on purpose (DIFFERENT below). Ends with 1 if anything else differs.
"""

import argparse
import collections
import json
import math
import pathlib
import re
import subprocess
import sys

import reference_readers

# Files about a run: how many folders above their own the run's folder is.
ABOUT = {
    "aim-repo": 1,
    "hydra-overrides": 1,
    "dvclive-summary": 0,
    "swanlab-local-log": 2,
    "wandb-summary": 1,
    "wandb-table": 3,
    "tb-projector": 0,
}

# Series that are not the same on purpose: kind -> (pattern of the tag, what is still compared, why). ABSENT: only one
# side has it; STEPS: number of points and values; ONCE: first and last point.
ABSENT, STEPS, ONCE = "absent", "steps", "once"
DIFFERENT = {
    "ray-result-jsonl": [
        ("config/.*", ABSENT, "the configuration, repeated in each line: hyper-parameters"),
        ("training_iteration", ABSENT, "the axis"),
        ("timestamp", ABSENT, "the clock"),
        (r".*\[\d+\]", ABSENT, "elements of short lists are series"),
    ],
    "ray-progress-csv": [
        ("done", ABSENT, "true or false, no number"),
        ("timestamp", ABSENT, "the clock"),
        (r".*\[\d+\]", ABSENT, "elements of short lists are series"),
    ],
    "llamafactory-jsonl": [
        ("current_steps", ABSENT, "the axis"),
        ("total_steps", ABSENT, "a fact of the run"),
    ],
    "detectron2-metrics-jsonl": [("iteration", ABSENT, "the axis")],
    "mmengine-scalars-jsonl": [
        ("step", ABSENT, "the axis"),
        ("accuracy|time|data_time", STEPS, "validation counts epochs; its rows are put at the iteration before them"),
    ],
    "fastai-csv": [("time", ABSENT, "MM:SS is read as seconds")],
    "hf-trainer-state": [("epoch", ONCE, "rows of one step say the same epoch; it is kept once a step")],
    "mlflow-sqlite": [("no_step", STEPS, "points that were logged without a step are numbered")],
    "mlflow-filestore": [("no_step", STEPS, "points that were logged without a step are numbered")],
    "sb3-monitor": [("[rlt]", STEPS, "the reference counts rows, from 0 as well")],
    "aim-run": [("__system__.*|system/.*", ABSENT, "readings of the machine, named and placed otherwise")],
    "swanlab-log": [("__swanlab__.*|system/.*", ABSENT, "readings of the machine, named and placed otherwise")],
    "wandb": [
        (r".*(table|samples)\.(n?cols|nrows|size|width|height|count)", ABSENT, "parts of tables and pictures"),
        ("system/.*", ABSENT, "readings of the machine, not of the history"),
        (r"best_acc|.*\.(min|max|mean)", ABSENT, "only in the summary"),
    ],
    "trackio-sqlite": [("system/.*", ABSENT, "readings of the machine, not among the metrics")],
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
    "stdout-keras-fit": ("val_loss",),
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
        self.binary = binary
        self.error = done.stderr.strip()
        self.runs = json.loads(done.stdout)["runs"] if done.returncode == 0 and done.stdout else []

    def series(self):
        return [s for run in self.runs for s in run["series"]]

    def files(self):
        return [f for run in self.runs for f in run["files"]]

    def named(self, tags):
        return [s for s in self.series() if s["tag"] in tags or s["tag"].rsplit("/", 1)[-1] in tags]


def points_of(series):
    ends = [(end["step"], end["value"]) for end in (series["first"], series["last"]) if end is not None]
    return (series["points"], *ends)


def same(ours, wanted, steps=True):
    """Whether a series has as many points as the wanted list, and the same first and last."""
    if ours["points"] != len(wanted) or ours["first"] is None:
        return False
    for end, (step, value) in ((ours["first"], wanted[0]), (ours["last"], wanted[-1])):
        if not close(end["value"], value) or steps and step is not None and end["step"] != int(step):
            return False
    return True


def called(ours, tag):
    """Whether a series may be the one of that tag: the tag, the context before it, or a part of a longer name."""
    label = f"{ours['context']}/{ours['tag']}" if ours.get("context") else ours["tag"]
    plain = lambda name: re.sub(r"[/._ -]+", "/", name)
    names = plain(label), plain(ours["tag"])
    return any(name == plain(tag) or name.endswith("/" + plain(tag)) for name in names)


def fits(kind, tag, ours, wanted):
    """Whether a series is the wanted one, as far as the two are meant to be the same."""
    modes = [mode for pattern, mode, _ in DIFFERENT.get(kind, []) if re.fullmatch(pattern, tag)]
    if ONCE in modes:
        ends = zip((ours["first"], ours["last"]), (wanted[0], wanted[-1]))
        steps = len({step for step, _ in wanted})
        return ours["points"] <= steps and all(a["step"] == b[0] and close(a["value"], b[1]) for a, b in ends)
    return same(ours, wanted, STEPS not in modes)


def check_all(kind, status, reference):
    """Every series of the reference has its equal, and there is none besides."""
    absent = [pattern for pattern, mode, _ in DIFFERENT.get(kind, []) if mode == ABSENT]
    missing_is_meant = lambda tag: any(re.fullmatch(pattern, tag) for pattern in absent)
    names = lambda r: (r.get("name"), r["run"].rsplit("/", 1)[-1])
    of_run = lambda run: [r for r in status.runs if not run or run in names(r)]
    matched, wrong = set(), []
    for run, series in reference.items():
        for tag, wanted in series.items():
            found = [s for r in of_run(run) for s in r["series"] if called(s, tag)]
            equal = [s for s in found if id(s) not in matched and fits(kind, tag, s, wanted)]
            if equal:
                matched.add(id(equal[0]))
            elif not missing_is_meant(tag):
                ends = (len(wanted), wanted[0], wanted[-1])
                wrong.append(f"{run} {tag}: wanted {ends}, found {[points_of(s) for s in found]}")
    for s in status.series():
        if id(s) not in matched and not missing_is_meant(s["tag"]):
            wrong.append(f"{s.get('context', '')} {s['tag']} {points_of(s)} is not in the reference")
    return "; ".join(wrong[:4]) + (f" and {len(wrong) - 4} more" if len(wrong) > 4 else "") or None


def agrees(expect, reference):
    """The reference reader found what the official one did."""
    everything = {tag: points for series in reference.values() for tag, points in series.items()}
    count = sum(map(len, everything.values()))
    wrong = []
    for key, ours in [
        ("numeric_cells", count),
        ("numeric_values", count),
        ("points", count),
        ("matches", count),
        ("numeric_keys", len(everything)),
    ]:
        if expect.get(key, ours) != ours:
            wrong.append(f"{key} {expect[key]}, reference {ours}")
    if "plugins" in expect and expect["plugins"].get("scalars", 0) != len(everything):
        wrong.append(f"{expect['plugins']}, reference {len(everything)} scalars")
    series = expect.get("scalar") or expect.get("series") or expect.get("EventAccumulator", {}).get("scalar")
    if series:
        points = everything.get(series["tag"], [])
        ends = [(step, value) for step, value in (points[:1] + points[-1:])]
        official = [series["first"], series["last"]]
        equal = all(int(a[0]) == int(b[0]) and close(a[1], b[1]) for a, b in zip(ends, official))
        if len(points) != series["n"] or not equal:
            wrong.append(f"{series}, reference {len(points)} {ends}")
    return "; ".join(wrong) or None


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
    settings = ours["hyperparameters"]
    params = all(str(settings.get(k)) == v or close_text(settings.get(k), v) for k, v in run["params"].items())
    return counts and last and params


def close_text(a, b):
    try:
        return float(a) == float(b)
    except (TypeError, ValueError):
        return False


def pieces(points):
    """The points, cut where the step begins again: several trainings in one file."""
    cut = [[]]
    for point in points:
        if cut[-1] and point[0] is not None and point[0] <= cut[-1][-1][0]:
            cut.append([])
        cut[-1].append(point)
    return cut


def check_text(kind, status, reference, path):
    wanted = reference.get("", {}).get("")
    if not wanted:
        return None
    found = status.named(TEXT_TAG[kind])
    if kind == "stdout-sb3":
        # the table has no step of its own: the number that is found is the step
        steps = [int(value) for _, value in wanted]
        equal = [s for s in found if s["points"] == len(steps) and s["first"]["step"] == steps[0]]
        if any(s["last"]["step"] == steps[-1] for s in equal):
            return None
        return f"no series from {steps[0]} to {steps[-1]}"
    if kind == "stdout-keras-fit":
        # the expression counts every frame of the bar, and val_loss: the last frame of each epoch is a point
        epochs = len(set(re.findall(rb"Epoch (\d+)/", path.read_bytes())))
        ends = [s["last"]["value"] for s in found if s["points"] == epochs]
        return None if any(close(end, wanted[-1][1]) for end in ends) else f"of {epochs} epochs none ends so: {ends}"
    if any(same(s, wanted) for s in found):
        return None
    cut, left = pieces(wanted), list(found)
    for piece in cut:
        equal = [s for s in left if same(s, piece)]
        if not equal or len(cut) == 1:
            ends = [(len(p), p[0], p[-1]) for p in cut]
            return f"wanted {ends} of {TEXT_TAG[kind]}; found {list(map(points_of, found))}"
        left.remove(equal[0])
    return None


def check_table(status, expect):
    if expect["columns"] != ["Actual", "Predicted", "nPredictions"]:
        return None if any(run["other"].get("tables") for run in status.runs) else "the table is not counted"
    classes = math.isqrt(expect["rows"])
    found = [c for run in status.runs for c in run["confusions"] if c["classes"] == classes]
    return None if found else f"no confusion matrix of {classes} classes"


def check_settings(status, expect):
    settings = [run["hyperparameters"] for run in status.runs]
    for line in expect["lines"]:
        key, value = line.removeprefix("- ").split("=")
        if not any(close_text(s.get(key), value) for s in settings):
            return f"{key}={value} is no hyper-parameter of the run"
    return None


def check_swanlab_local(status, target, expect):
    """A column by its number: its points are in the run's own log, and `doctor` says so."""
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    points = [(line["index"], line["data"]) for line in lines]
    numbers = all(isinstance(value, float) for _, value in points)
    if numbers and not any(same(s, points) for s in status.series()):
        return f"the run has no series of {len(points)} points from {points[0]} to {points[-1]}"
    doctor = subprocess.run([status.binary, "doctor", str(target.parent)], capture_output=True, text=True).stdout
    return None if "run-….swanlab" in doctor else "doctor does not say where the points are"


def check(kind, status, expect, target, path):
    """(what, difference) for everything that differs. `target` is what was read, `path` what the manifest names."""
    reference = reference_readers.read(kind, path, expect)
    if reference is not None:
        yield "reference", agrees(expect, reference)
    if "regex" in expect:
        yield "series", check_text(kind, status, reference, path)
    elif kind == "dvclive-summary":
        # the tables beside it tell all steps
        for tag, [(step, value)] in reference[""].items():
            ends = [s["last"] for s in status.series() if s["tag"] == tag]
            ok = any(end["step"] == step and close(end["value"], value) for end in ends)
            yield "series", None if ok else f"{tag} does not end at {step}, {value} but {ends}"
    elif reference is not None:
        yield "series", check_all(kind, status, reference)
    if kind.startswith("mlflow"):
        yield "run", check_mlflow(status, expect)
    elif kind == "hydra-overrides":
        yield "settings", check_settings(status, expect)
    elif kind == "wandb-table":
        yield "table", check_table(status, expect)
    elif kind == "swanlab-local-log":
        yield "series", check_swanlab_local(status, path, expect)
    elif kind == "tb-projector":
        found = any(run["other"].get("embeddings") for run in status.runs)
        yield "embedding", None if found else "the embedding is not counted"
    if kind == "wandb" and expect["history_rows"]:
        wanted = {0: "finished", 1: "failed"}.get(expect["exit_code"])
        states = [run["state"] for run in status.runs]
        yield "state", None if wanted in states else f"state {states}, wanted {wanted}"
        layers = sum(len(layer["kinds"]) for run in status.runs for layer in run["layers"])
        wanted = expect["histogram_keys"]
        yield "histograms", None if layers >= wanted else f"{layers} histograms, wanted {wanted}"
    skipped = [f"{f['path']} at {s['offset']}: {s['reason']}" for f in status.files() for s in f["skipped"]]
    yield "skips", "; ".join(skipped[:3]) or None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--binary", default="target/release/epochscope")
    parser.add_argument("--only", help="a regular expression that the kind must match")
    args = parser.parse_args()
    table = collections.defaultdict(lambda: collections.Counter())
    unexplained = 0
    for line in (args.folder / "MANIFEST.tsv").read_text().splitlines()[1:]:
        path, kind, *_, expect = line.split("\t")[:7]
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
        points_expected &= expect.get("plugins") != {"hparams": 1}  # the plan of a sweep: no run
        row["claimed"] += bool(status.runs) or not points_expected
        differences = [(what, d) for what, d in check(kind, status, expect, target, args.folder / path) if d]
        if not status.runs and points_expected:
            differences.append(("run", status.error or "no run was found"))
        for what, difference in differences:
            print(f"DIFFERS: {path} [{kind}] {what}: {difference}")
        row["complete"] += not differences
        unexplained += len(differences)
    print("\n| kind | files | claimed | complete | differences as intended |\n| --- | --- | --- | --- | --- |")
    total = collections.Counter()
    for kind, row in sorted(table.items()):
        total.update(row)
        why = "; ".join(f"{tag}: {why}" for tag, _, why in DIFFERENT.get(kind, [])).replace("|", "\\|")
        print(f"| {kind} | {row['files']} | {row['claimed']} | {row['complete']} | {why} |")
    print(f"| **all** | {total['files']} | {total['claimed']} | {total['complete']} | |")
    sys.exit(1 if unexplained else 0)


if __name__ == "__main__":
    main()
