"""What is in a log, read without epochscope: from the formats' descriptions, with Python's own modules only
(and `aimrocks` for Aim's databases).

`read(kind, path)` gives `{run: {tag: [(step, value), ...]}}`; the run is "" where a file holds one. A step is None where
the file does not say it. They agree with the frameworks' own readers on every file of the collection of real logs, whose
MANIFEST.tsv holds what those found (`check_manifest.py` compares them each time).
"""

import collections
import csv
import json
import math
import pathlib
import re
import shutil
import sqlite3
import struct
import tempfile
import zipfile

# The column, or key, that is the axis; the first that is there.
CSV_STEPS = ("step", "epoch", "iter", "training_iteration", "time/total_timesteps")
JSON_STEPS = ("step", "iteration", "iter", "training_iteration", "current_steps", "global_step", "epoch")


class Series(collections.OrderedDict):
    def add(self, tag, step, value):
        self.setdefault(tag, []).append((step, float(value)))


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def flat(value, prefix=""):
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from flat(inner, f"{prefix}{key}/")
        else:
            yield prefix + key, inner


# -- protocol buffers and what is framed in them

def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(wire)
            if wire == 2:
                size, at = varint(data, at)
            value = data[at : at + size]
            at += size
        yield key >> 3, wire, value


def texts(data, number):
    return [value.decode() for field, wire, value in fields(data) if field == number and wire == 2]


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def tensor_scalar(data):
    kind, values, content = 0, [], b""
    for field, wire, value in fields(data):
        if field == 1:
            kind = value
        elif field == 4:
            content = value
        elif field in (5, 6) and wire in (1, 2, 5):
            letter, size = ("f", 4) if field == 5 else ("d", 8)
            values += struct.unpack(f"<{len(value) // size}{letter}", value)
        elif field in (7, 10) and wire == 0:
            values.append(signed(value))
    if content:
        letter, size = {1: ("f", 4), 2: ("d", 8), 3: ("i", 4), 9: ("q", 8)}[kind]
        values = struct.unpack(f"<{len(content) // size}{letter}", content)
    return values[0] if len(values) == 1 else None


def tfevents_file(path, series, plugins):
    data = path.read_bytes()
    at = 0
    while at + 12 <= len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        if at + 16 + size > len(data):
            break
        step, summary = 0, b""
        for field, wire, value in fields(data[at + 12 : at + 12 + size]):
            if field == 2 and wire == 0:
                step = signed(value)
            elif field == 5:
                summary = value
        for field, _, item in fields(summary):
            if field == 1:
                tfevents_value(item, step, series, plugins)
        at += 16 + size


def tfevents_value(item, step, series, plugins):
    tag = kind = value = None
    for field, wire, part in fields(item):
        if field == 1:
            tag = part.decode()
        elif field == 2 and wire == 5:
            kind, value = "scalars", struct.unpack("<f", part)[0]
        elif field in (4, 5, 6):
            kind = "other"
        elif field == 8:
            value = tensor_scalar(part)
        elif field == 9:
            for inner, _, plugin in fields(part):
                if inner == 1:
                    plugins.setdefault(tag, (texts(plugin, 1) or [""])[0])
    plugins.setdefault(tag, kind)
    if plugins[tag] == "scalars" and value is not None:
        series.add(tag, step, value)


def tfevents(path, _expect):
    series, plugins = Series(), {}
    files = sorted(path.glob("*tfevents*")) if path.is_dir() else [path]
    for file in files:
        tfevents_file(file, series, plugins)
    return {"": series}


def blocks(data):
    """Records of LevelDB's log: blocks of 32 KiB, the header of 7 bytes first."""
    at, whole = 7, b""
    while True:
        left = 32768 - at % 32768
        if left < 7:
            at += left
        if at + 7 > len(data):
            return
        _, size, kind = struct.unpack_from("<IHB", data, at)
        if at + 7 + size > len(data):
            return
        piece = data[at + 7 : at + 7 + size]
        at += 7 + size
        whole = piece if kind in (1, 2) else whole + piece
        if kind in (1, 4):
            yield whole


def wandb(path, _expect):
    series = Series()
    for record in blocks(path.read_bytes()):
        for field, _, history in fields(record):
            if field != 2:
                continue
            step, items = 0, []
            for inner, _, value in fields(history):
                if inner == 2:
                    step = next((v for f, _, v in fields(value) if f == 1), 0)
                elif inner == 1:
                    items.append((texts(value, 2) or texts(value, 1), (texts(value, 16) or [""])[0]))
            for names, text in items:
                value = json.loads(text) if text else None
                if is_number(value) and not names[0].startswith("_"):
                    series.add(".".join(names), step, value)
    return {"": series}


def swanlab(path, _expect):
    series = Series()
    for record in blocks(path.read_bytes()):
        for field, _, scalar in fields(record):
            if field != 13:
                continue
            key, step, value = "", 0, 0.0
            for inner, wire, part in fields(scalar):
                if inner == 1:
                    key = part.decode()
                elif inner == 2 and wire == 0:
                    step = signed(part)
                elif inner == 5:
                    for number, kind, bits in fields(part):
                        if number == 1 and kind == 1:
                            (value,) = struct.unpack("<d", bits)
            series.add(key, step, value)
    return {"": series}


def visualdl(path, _expect):
    series, data, at = Series(), path.read_bytes(), 0
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        for field, _, item in fields(data[at + 8 : at + 8 + size]):
            tag, step, value = "", 0, None
            for inner, wire, part in fields(item):
                if inner == 1 and wire == 0:
                    step = signed(part)
                elif inner == 2:
                    tag = part.decode()
                elif inner == 4 and wire == 5:
                    (value,) = struct.unpack("<f", part)
            if field == 1 and value is not None:
                series.add(tag, step, value)
        at += 8 + size
    return {"": series}


# -- tables

def cell(text):
    """A number as pandas sees it; what is missing is nothing."""
    text = text.strip()
    if text in ("", "NA", "N/A", "None", "nan", "NaN"):
        return None
    if text in ("True", "False"):
        return float(text == "True")
    try:
        return float(text)
    except ValueError:
        return None


def table(path, _expect):
    lines = path.read_text().splitlines()
    if lines[0].startswith("#{"):
        lines = lines[1:]
    tab = "\t" in lines[0]
    rows = [[c.strip() for c in row] for row in csv.reader(lines, delimiter="\t" if tab else ",") if row]
    names = rows[0]
    step = next((names.index(name) for name in CSV_STEPS if name in names), None)
    series = Series()
    for at, row in enumerate(row for row in rows[1:] if row != names):
        for column, text in enumerate(row):
            value = cell(text)
            if column != step and value is not None:
                series.add(names[column], at if step is None else cell(row[step]), value)
    return {"": series}


def polyaxon(path, _expect):
    series = Series()
    for line in path.read_text().splitlines()[1:]:
        if line:
            step, _, value = line.split("|", 2)
            series.add(path.stem, int(step), value)
    return {"": series}


# -- JSON

def lines(path, _expect):
    series = Series()
    for at, line in enumerate(path.read_text().splitlines(keepends=True)):
        # a last line without its end is not written to its end
        if not line.strip() or not line.endswith("\n"):
            continue
        entry = json.loads(line)
        step = next((entry[key] for key in JSON_STEPS if key in entry), at)
        for tag, value in flat(entry):
            if is_number(value):
                series.add(tag, step, value)
    return {"": series}


def trainer_state(path, _expect):
    series = Series()
    for entry in json.loads(path.read_text())["log_history"]:
        for key, value in entry.items():
            if key != "step" and is_number(value):
                series.add(key, entry["step"], value)
    return {"": series}


def catboost(path, _expect):
    document = json.loads(path.read_text())
    series = Series()
    for entry in document["iterations"]:
        for part, names in (("learn", "learn_metrics"), ("test", "test_metrics")):
            for at, metric in enumerate(document["meta"][names]):
                if at < len(entry.get(part, [])):
                    series.add(f"{part}/{metric['name']}", entry["iteration"], entry[part][at])
        for key in ("passed_time", "remaining_time"):
            series.add(key, entry["iteration"], entry[key])
    return {"": series}


def sacred(path, _expect):
    series = Series()
    for tag, metric in json.loads(path.read_text()).items():
        for step, value in zip(metric["steps"], metric["values"]):
            series.add(tag, step, value)
    return {"": series}


def clearml_lines(text):
    series = Series()
    for line in text.splitlines():
        for event in json.loads(line):
            if event["type"] == "training_stats_scalar":
                series.add(f"{event['metric']}/{event['variant']}", event["iter"], event["value"])
    return {"": series}


def clearml(path, _expect):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return clearml_lines(archive.read("metrics.jsonl").decode())
    return clearml_lines(path.read_text())


def comet(path, _expect):
    series = Series()
    with zipfile.ZipFile(path) as archive:
        for line in archive.read("messages.json").decode().splitlines():
            message = json.loads(line)
            if message["type"] == "metric_msg":
                metric = message["payload"]["metric"]
                if is_number(metric["metricValue"]):
                    series.add(metric["metricName"], metric["step"], metric["metricValue"])
    return {"": series}


def neptune(path, _expect):
    series, decoder, text, at = Series(), json.JSONDecoder(), path.read_text(), 0
    while at < len(text):
        entry, at = decoder.raw_decode(text, at)
        while at < len(text) and text[at].isspace():
            at += 1
        operation = entry["obj"]
        if operation["type"] == "LogFloats":
            for point in operation["values"]:
                series.add("/".join(operation["path"]), point["step"], point["value"])
    return {"": series}


def dvclive_summary(path, _expect):
    document = json.loads(path.read_text())
    series = Series()
    for tag, value in flat(document):
        if tag != "step" and is_number(value):
            series.add(tag, document.get("step"), value)
    return {"": series}


def native(path, _expect):
    series = Series()
    for line in path.read_text().splitlines():
        record = json.loads(line)
        if record.get("t") == "scalar":
            for tag, value in record["v"].items():
                series.add("/".join(filter(None, (record.get("split"), tag))), record["step"], value)
    return {"": series}


# -- databases and stores

def rows(path, query):
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    found = connection.execute(query).fetchall()
    connection.close()
    return found


def mlflow_database(path, _expect):
    runs = collections.defaultdict(Series)
    for name, key, step, value, is_nan in rows(
        path,
        "SELECT r.name, m.key, m.step, m.value, m.is_nan FROM metrics m JOIN runs r USING (run_uuid) "
        "WHERE r.lifecycle_stage = 'active' ORDER BY m.rowid",
    ):
        largest = abs(value) == 1.7976931348623157e308
        runs[name].add(key, step, math.nan if is_nan else math.copysign(math.inf, value) if largest else value)
    return dict(runs)


def mlflow_store(path, _expect):
    runs = collections.defaultdict(Series)
    for file in sorted(path.glob("*/*/metrics/**/*")):
        if not file.is_file():
            continue
        home = next(parent for parent in file.parents if (parent / "meta.yaml").is_file())
        name = (home / "tags/mlflow.runName").read_text()
        for line in file.read_text().splitlines():
            _, value, *step = line.split()
            runs[name].add(str(file.relative_to(home / "metrics")), int(step[0]) if step else 0, value)
    return dict(runs)


def trackio(path, _expect):
    runs = collections.defaultdict(Series)
    for name, step, metrics in rows(path, "SELECT run_name, step, metrics FROM metrics ORDER BY id"):
        for tag, value in flat(json.loads(metrics)):
            if is_number(value):
                runs[name].add(tag, step, value)
    return dict(runs)


def aim(path, _expect):
    """The values of a run in the database that `path` is the `CURRENT` of; opened as a copy, by Aim's own library."""
    import aimrocks

    values, steps, series = {}, {}, Series()
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(path.parent, copy, dirs_exist_ok=True)
        rows = aimrocks.DB(copy, aimrocks.Options(), read_only=True).iteritems()
        rows.seek(b"seqs\xfev2\xfe")
        for key, value in rows:
            # …, name, column, hash of the step; the hash is a number of eight bytes
            head, number = key[:-10], key[-9:-1]
            if not key.startswith(b"seqs\xfev2\xfe") or head.count(b"\xfe") < 7 or not head.endswith(b"\xfe"):
                continue
            *_, name, column, _ = head.split(b"\xfe")
            if column == b"step":
                steps[name, number] = struct.unpack("<q", value[1:])[0]
            elif column == b"val":
                values[name, number] = struct.unpack("<d" if value[0] == 3 else "<q", value[1:])[0]
    for (name, number), step in sorted(steps.items(), key=lambda item: (item[0][0], item[1])):
        series.add(name.decode(), step, values[name, number])
    return {"": series}


# -- text

def text(path, expect):
    """What the regular expression of the manifest finds: (step, value), or (value)."""
    series = Series()
    found = re.findall(expect["regex"], path.read_bytes().decode(errors="replace"))
    for match in found:
        step, value = match if isinstance(match, tuple) else (None, match)
        series.add("", None if step is None else int(step), value)
    return {"": series} if found else {}


READERS = {
    "tfevents": tfevents,
    "tfevents-run-dir": tfevents,
    "aim-run": aim,
    "wandb": wandb,
    "swanlab-log": swanlab,
    "visualdl-log": visualdl,
    "hf-trainer-state": trainer_state,
    "catboost-training-json": catboost,
    "sacred-metrics": sacred,
    "clearml-offline": clearml,
    "clearml-zip": clearml,
    "comet-offline-zip": comet,
    "neptune-offline": neptune,
    "dvclive-summary": dvclive_summary,
    "epochscope": native,
    "mlflow-sqlite": mlflow_database,
    "mlflow-filestore": mlflow_store,
    "trackio-sqlite": trackio,
    "polyaxon-metric": polyaxon,
    "sb3-monitor": table,
}


def read(kind, path, expect):
    """Series by run, or None for kinds that hold none."""
    path = pathlib.Path(path)
    reader = READERS.get(kind)
    if reader is None:
        if kind.endswith(("-csv", "-tsv")):
            reader = table
        elif kind.endswith("jsonl"):
            reader = lines
        elif "regex" in expect:
            reader = text
        else:
            return None
    return reader(path, expect)
