#!/usr/bin/env python3
"""Compare what epochscope reads from event files with what TensorBoard reads.

usage: compare_tensorboard.py EPOCHSCOPE DIR... [--layers] [-v]

EPOCHSCOPE is the binary; needs Python with the `tensorboard` package. For every
folder below DIR that holds event files, TensorBoard's own EventAccumulator reads
all points (no sampling, nothing purged) and epochscope's `status --format json`
is compared with it: tags, number of points, first and last step and value.
With --layers also the number of histograms.

Prints a table and every difference. Known differences are listed with their
reason and do not count. Exit 1 if anything else differs, 2 if a side cannot run.
"""
import argparse
import collections
import json
import logging
import math
import os
import subprocess
import sys

logging.disable(logging.WARNING)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

Series = collections.namedtuple("Series", "points first last")

DAMAGE = "TensorBoard stops at the first damaged record, epochscope skips it"
BARE = "a number without metadata: a scalar here, a tensor to TensorBoard"


def number_of(tensor_event):
    """The first number of a tensor."""
    from tensorboard.util import tensor_util

    return float(tensor_util.make_ndarray(tensor_event.tensor_proto).reshape(-1)[0])


def read_folder(folder):
    """(scalars by tag, number of histograms, tags that are bare tensors, error) as TensorBoard sees them."""
    from tensorboard.backend.event_processing import event_accumulator as ea

    every = {k: 0 for k in (ea.SCALARS, ea.TENSORS, ea.HISTOGRAMS)}
    every.update({ea.IMAGES: 1, ea.AUDIO: 1, ea.COMPRESSED_HISTOGRAMS: 1})
    accumulator = ea.EventAccumulator(folder, size_guidance=every, purge_orphaned_data=False)
    error = None
    try:
        accumulator.Reload()
    except Exception as broken:  # TensorBoard raises whatever its reader raises
        error = f"{type(broken).__name__}: {broken}"
    tags = accumulator.Tags()
    scalars, bare, histograms = {}, set(), 0
    for tag in tags[ea.SCALARS]:
        events = accumulator.Scalars(tag)
        scalars[tag] = Series(
            len(events), (events[0].step, events[0].value), (events[-1].step, events[-1].value)
        )
    for tag in tags[ea.HISTOGRAMS]:
        histograms += len(accumulator.Histograms(tag))
    for tag in tags[ea.TENSORS]:
        try:
            plugin = accumulator.SummaryMetadata(tag).plugin_data.plugin_name
        except KeyError:
            plugin = ""
        events = accumulator.Tensors(tag)
        if plugin == "histograms":
            histograms += len(events)
        elif plugin == "scalars":
            first, last = events[0], events[-1]
            scalars[tag] = Series(len(events), (first.step, number_of(first)), (last.step, number_of(last)))
        elif plugin == "":
            bare.add(tag)
    return scalars, histograms, bare, error


def number(value):
    """A number of the JSON output; non-finite ones are strings."""
    return float(value) if value is not None else math.nan


def same(ours, theirs):
    (step, value), (their_step, their_value) = ours, theirs
    value = number(value)
    return step == their_step and (value == their_value or (math.isnan(value) and math.isnan(their_value)))


def folders_with_events(root):
    for folder, _, files in os.walk(root, followlinks=True):
        names = [f for f in files if "tfevents" in f and not f.endswith(".profile-empty")]
        # TensorBoard's reader hangs on to an empty file; it has nothing to say either.
        if any(os.path.getsize(os.path.join(folder, f)) for f in names):
            yield os.path.relpath(folder, root).replace(os.sep, "/")


def status(binary, root):
    # Other logs of the same run would add their points to series of the same name.
    result = subprocess.run(
        [binary, "status", "--format", "json", "--include", "*tfevents*", root], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False
    )
    if result.returncode != 0:
        sys.exit(f"{binary} status failed with {result.returncode}: {result.stderr.decode()}")
    return json.loads(result.stdout)


class Comparison:
    def __init__(self):
        self.counts = collections.Counter()
        self.unexplained = []
        self.explained = collections.Counter()

    def differ(self, text, reason=None):
        if reason:
            self.explained[reason] += 1
        else:
            self.unexplained.append(text)

    def series(self, where, ours, theirs, damaged):
        self.counts["tags"] += 1
        self.counts["points"] += theirs.points
        if ours is None:
            self.differ(f"{where}: missing, TensorBoard has {theirs.points} points")
            return
        mine = Series(
            ours["points"],
            (ours["first"]["step"], ours["first"]["value"]),
            (ours["last"]["step"], ours["last"]["value"]),
        )
        if damaged and mine.points >= theirs.points and same(mine.first, theirs.first):
            if mine.points > theirs.points:
                self.differ("", DAMAGE)
            return
        if mine.points != theirs.points:
            self.differ(f"{where}: {mine.points} points, TensorBoard has {theirs.points}")
        for name in ("first", "last"):
            if not same(getattr(mine, name), getattr(theirs, name)):
                self.differ(f"{where}: {name} is {getattr(mine, name)}, TensorBoard has {getattr(theirs, name)}")

    def compare(self, root, binary, layers):
        runs = {run["run"]: run for run in status(binary, root)["runs"]}
        taken = collections.defaultdict(set)
        histograms = collections.Counter()
        others = collections.defaultdict(set)
        for folder in sorted(folders_with_events(root)):
            scalars, count, bare, error = read_folder(os.path.join(root, folder))
            run, name = owner(runs, folder)
            self.counts["folders"] += 1
            if run is None:
                if scalars or count:
                    self.differ(f"{folder}: no such run")
                continue
            others[run] |= bare
            histograms[run] += count
            damaged = error is not None or any(f["skipped"] for f in runs[run]["files"])
            for tag, theirs in scalars.items():
                ours = find(runs[run]["series"], tag, name)
                if ours is not None:
                    taken[run].add((tag, ours.get("context") or ""))
                self.series(f"{folder}: {tag}", ours, theirs, damaged)
        for name, run in runs.items():
            if run["formats"] != ["tfevents"]:
                continue
            damaged = any(f["skipped"] for f in run["files"])
            for series in run["series"]:
                if (series["tag"], series.get("context") or "") not in taken[name]:
                    known = BARE if series["tag"] in others[name] else DAMAGE if damaged else None
                    self.differ(f"{name}: {series['tag']}: TensorBoard has no such tag", known)
            mine = sum(layer["records"] for layer in run["layers"])
            if layers and mine != histograms[name]:
                known = DAMAGE if damaged and mine > histograms[name] else None
                self.differ(f"{name}: {mine} histograms, TensorBoard has {histograms[name]}", known)
            self.counts["histograms"] += histograms[name]


def owner(runs, folder):
    """The run that shows a folder's series, and what is left of the folder's name: sub-folders that
    `add_scalars` and `add_hparams` made are shown in the run above them, told apart by their context."""
    if folder in runs:
        return folder, ""
    above, _, name = folder.rpartition("/")
    above = above or "."
    while above not in runs and above != ".":
        above, _, part = above.rpartition("/")
        above, name = above or ".", f"{part}/{name}"
    return (above, name) if above in runs else (None, name)


def find(series, tag, folder):
    """The series of `tag` whose context is the folder's name or the end of it; the longest such."""
    context = lambda one: one.get("context") or ""
    fitting = [one for one in series if one["tag"] == tag and folder.endswith(context(one))]
    return max(fitting, key=lambda one: len(context(one)), default=None)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("epochscope")
    parser.add_argument("dirs", nargs="+", metavar="DIR")
    parser.add_argument("--layers", action="store_true", help="compare numbers of histograms, too")
    parser.add_argument("-v", action="store_true", help="list every difference, not the first 20")
    arguments = parser.parse_args()

    total, unexplained = Comparison(), 0
    print(f"{'path':<32} {'folders':>8} {'tags':>8} {'points':>12} {'known':>8} {'different':>10}")
    for root in arguments.dirs:
        one = Comparison()
        one.compare(root, arguments.epochscope, arguments.layers)
        label = root if len(root) <= 32 else "…" + root[-31:]
        print(
            f"{label:<32} {one.counts['folders']:>8} {one.counts['tags']:>8} {one.counts['points']:>12}"
            f" {sum(one.explained.values()):>8} {len(one.unexplained):>10}"
        )
        for text in one.unexplained[: None if arguments.v else 20]:
            print(f"  {text}")
        total.explained.update(one.explained)
        unexplained += len(one.unexplained)
    for reason, times in total.explained.items():
        print(f"known, {times} times: {reason}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
