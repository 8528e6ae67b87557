#!/usr/bin/env python3
"""Counts what is in the sample logs, with the reference readers, and writes it into sample_logs/MANIFEST.tsv.

    tools/describe_samples.py            # fills the columns `bytes` and `counts`
    tools/describe_samples.py --check    # only says whether they are up to date

A new sample is a row with path, format, source, commit, licence, `-`, `{}`, `{}`, `-`, the name of the format that
claims it, and `[]`; the test `manifest` says what epochscope finds otherwise.
"""

import argparse
import json
import math
import pathlib
import sys

import reference_readers
from check_manifest import TEXT_TAG, pieces

SAMPLES = pathlib.Path(__file__).resolve().parent.parent / "sample_logs"

# What else is not comparable point by point, see DIFFERENT in check_manifest.py: no example is taken from these.
NO_EXAMPLE = {"epoch", "time", "data_time", "accuracy", "no_step", "done", "timestamp", "r", "l", "t"}


def spelled(value):
    return value if math.isfinite(value) else str(value)


def counts(kind, path, expect):
    if kind in ("settings", "hydra-overrides"):
        return {"settings": settings(path)}
    if kind == "dvclive-summary":
        # its values are the last ones of the tables beside it, which have rows of their own
        return {}
    if classes := classes_of(kind, path):
        return {"classes": classes}
    reference = reference_readers.read(kind, path, expect)
    if reference is None:
        return {}
    if "regex" in expect:
        # it counts one of the series of a text; where several trainings are in it, the last one is the example
        points = reference.get("", {}).get("")
        known = points and kind not in ("stdout-keras-fit", "stdout-sb3")
        return {"one": example("", TEXT_TAG[kind][0], pieces(points)[-1])} if known else {}
    everything = [(run, tag, points) for run, series in reference.items() for tag, points in series.items()]
    found = {"series": len(everything), "points": sum(len(points) for *_, points in everything)}
    examples = [
        e for e in everything if e[1].rsplit("/", 1)[-1] not in NO_EXAMPLE and not e[1].startswith("config/")
    ] or everything
    losses = [e for e in examples if "loss" in e[1]] or examples
    if losses:
        found["one"] = example(*max(losses, key=lambda e: len(e[2])))
    return found


def example(run, tag, points):
    ends = [[step, spelled(value)] for step, value in (points[0], points[-1])]
    return {"run": run, "tag": tag, "n": len(points), "first": ends[0], "last": ends[1]}


def classes_of(kind, path):
    """How many classes the confusion matrix in a file has; None if there is none."""
    if kind == "confusion-file" and path.suffix == ".csv":
        return len(path.read_text().splitlines()) - 1
    if kind == "confusion-file":
        return len(json.loads(path.read_text())["labels"])
    if kind == "dvclive-sklearn":
        return len({cell["actual"] for cell in json.loads(path.read_text())})
    if kind == "wandb-table" and (table := json.loads(path.read_text()))["columns"][:2] == ["Actual", "Predicted"]:
        return len({row[0] for row in table["data"]})
    return None


def settings(path):
    """`name: value` and `- name=value` at the outermost level; what is nested is left out."""
    text, found = path.read_text(), {}
    if path.suffix == ".json":
        pairs = json.loads(text).items()
    elif path.name == "overrides.yaml":
        pairs = [line.removeprefix("- ").split("=") for line in text.splitlines()]
    else:
        pairs = [line.split(": ", 1) for line in text.splitlines() if ": " in line and line[0].isalpha()]
    for name, value in pairs:
        if isinstance(value, bool):
            continue
        try:
            found[name] = float(value)
        except (TypeError, ValueError):
            pass
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    manifest = SAMPLES / "MANIFEST.tsv"
    before = manifest.read_text()
    header, *lines = before.splitlines()
    rows = []
    for line in lines:
        row = dict(zip(header.split("\t"), line.split("\t"), strict=True))
        path = SAMPLES / row["path"]
        row["bytes"] = str(path.stat().st_size) if path.is_file() else "-"
        row["counts"] = json.dumps(counts(row["format"], path, json.loads(row["expect"])), ensure_ascii=False)
        rows.append("\t".join(row.values()))
    after = "\n".join([header, *sorted(rows)]) + "\n"
    if args.check:
        sys.exit(before != after)
    manifest.write_text(after)


if __name__ == "__main__":
    main()
