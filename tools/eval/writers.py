"""Serialises a recording in the manner of a framework. Each writer is `write(recording, folder, rng)`.

Names vary as they do in the field. Per-epoch writers (Keras) say the mean of the training values since the
evaluation before.
"""

import json
import math
import os
import struct

import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

SLASH = {
    "loss": "{s}/loss", "accuracy": "{s}/acc", "mae": "{s}/mae", "lr": "lr", "grad_norm": "train/grad_norm",
    "samples_per_s": "perf/samples_per_s", "memory": "system/memory_percent", "batch_size": "batch_size",
    "num_ooms": "memory/num_ooms", "num_alloc_retries": "memory/num_alloc_retries", "skipped": "skipped_iterations",
}
BASE = {
    "loss": "Loss/{s}", "accuracy": "Accuracy/{s}", "mae": "MAE/{s}", "lr": "learning_rate",
    "grad_norm": "grad_norm", "samples_per_s": "throughput/samples_per_sec",
    "memory": "system/gpu.0.memoryAllocated", "batch_size": "batch_size",
}
UNDER = {
    "loss": "{s}_loss", "accuracy": "{s}_accuracy", "mae": "{s}_mae", "lr": "lr", "grad_norm": "grad_norm",
    "samples_per_s": "samples_per_sec", "memory": "gpu_memory_percent", "batch_size": "batch_size",
}
SB3 = {
    "episode_return": "rollout/ep_rew_mean", "episode_length": "rollout/ep_len_mean",
    "policy_loss": "train/policy_gradient_loss", "value_loss": "train/value_loss", "entropy": "train/entropy",
    "lr": "train/learning_rate",
}
CLEANRL = {
    "episode_return": "charts/episodic_return", "episode_length": "charts/episodic_length",
    "policy_loss": "losses/policy_loss", "value_loss": "losses/value_loss", "entropy": "losses/entropy",
    "lr": "charts/learning_rate",
}
GAN = {"loss_D": "loss_D", "loss_G": "loss_G", "D(x)": "D(x)", "D(G(z))": "D(G(z))", "mode_coverage": "eval/mode_coverage"}
GAN_SLASH = {"loss_D": "train/d_loss", "loss_G": "train/g_loss", "D(x)": "train/d_real", "D(G(z))": "train/d_fake",
             "mode_coverage": "val/mode_coverage"}


def naming(recording, rng):
    """A function from (split, name) to a tag, drawn once a run."""
    names = {n for e in recording.events if e.kind == "scalars" for n in e.values}
    if "loss_D" in names:
        table = [GAN, GAN_SLASH][rng.integers(2)]
    elif "episode_return" in names:
        table = [SB3, CLEANRL][rng.integers(2)]
    else:
        table = [SLASH, BASE, UNDER][rng.integers(3)]
    words = {"train": "train", "val": ["val", "valid", "test"][rng.integers(3)] if table is not UNDER else "val"}

    def tag(split, name):
        pattern = table.get(name)
        if pattern is None:
            return f"{words[split]}/{name}" if table in (SLASH, GAN_SLASH) and name not in ("loss_scale",) else name
        return pattern.format(s=words[split])

    return tag


def _number(value):
    return float(f"{float(value):.6g}") if not isinstance(value, int) else value


class _Events:
    """An event file, byte for byte as TensorBoard's writers make it."""

    def __init__(self, folder, start, number):
        os.makedirs(folder, exist_ok=True)
        name = f"events.out.tfevents.{int(start)}.node1.{4000 + number}.{number}"
        self.file = open(os.path.join(folder, name), "wb")
        self.records = RecordWriter(self.file)
        self._write(event_pb2.Event(wall_time=start, file_version="brain.Event:2"))

    def _write(self, event):
        self.records.write(event.SerializeToString())

    def restart(self, wall, step):
        """Everything from `step` on is void (purge_step)."""
        log = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self._write(event_pb2.Event(wall_time=wall, step=step, session_log=log))

    def scalar(self, tag, value, step, wall):
        value = summary_pb2.Summary.Value(tag=tag, simple_value=float(value))
        self._write(event_pb2.Event(wall_time=wall, step=step, summary=summary_pb2.Summary(value=[value])))

    def tensor(self, tag, value, step, wall):
        """A scalar as Keras writes it."""
        number = tensor_pb2.TensorProto(dtype=1, tensor_content=struct.pack("<f", value))
        value = summary_pb2.Summary.Value(tag=tag, tensor=number)
        value.metadata.plugin_data.plugin_name = "scalars"
        self._write(event_pb2.Event(wall_time=wall, step=step, summary=summary_pb2.Summary(value=[value])))

    def histogram(self, tag, h, step, wall):
        histo = summary_pb2.HistogramProto(min=h["edges"][0], max=h["edges"][-1], num=h["num"], sum=h["sum"],
                                           sum_squares=h["sumsq"], bucket_limit=h["edges"][1:], bucket=h["counts"])
        value = summary_pb2.Summary.Value(tag=tag, histo=histo)
        self._write(event_pb2.Event(wall_time=wall, step=step, summary=summary_pb2.Summary(value=[value])))

    def close(self):
        self.file.close()


KINDS = {"weight": "weights", "grad": "gradients", "act": "activations"}


def tensorboard(recording, folder, rng):
    """Scalars, layers' statistics as scalars, histograms; a resumed run opens a new file."""
    tag = naming(recording, rng)
    layer_tags = [("{k}/{n}/{s}", ("mean", "std", "norm", "zero", "dead", "saturated", "absmean")),
                  ("{k}/{n}/{s}", ("norm", "absmean", "dead", "saturated", "zero"))][rng.integers(2)]
    out, segment = None, -1
    for e in recording.events:
        if e.segment != segment:
            if out:
                out.close()
            segment = e.segment
            out = _Events(folder, e.wall - 1, segment)
            if segment and recording.purged:
                out.restart(e.wall, e.step)
        if e.kind == "scalars":
            for name, value in e.values.items():
                out.scalar(tag(e.split, name), value, e.step, e.wall)
        elif e.kind == "layer":
            for statistic in layer_tags[1]:
                if statistic in e.values:
                    name = layer_tags[0].format(k=KINDS[e.values["kind"]], n=e.values["name"], s=statistic)
                    out.scalar(name, e.values[statistic], e.step, e.wall)
        elif e.kind == "hist":
            out.histogram(f"{KINDS[e.values['kind']]}/{e.values['name']}", e.values, e.step, e.wall)
    out.close()


def _epochs(recording):
    """Per evaluation: step, wall, means of the training scalars since the one before, validation values."""
    rows, held = [], []
    for e in recording.events:
        if e.kind != "scalars":
            continue
        if e.split == "train":
            held.append(e.values)
            continue
        train = {n: float(np.mean([v[n] for v in held if n in v])) for n in (held[-1] if held else {})}
        rows.append((e, train))
        held = []
    return rows


def keras_tensorboard(recording, folder, rng):
    """`train/` and `validation/` with one value an epoch."""
    rows = _epochs(recording)
    start = rows[0][0].wall - 1
    train, val = _Events(os.path.join(folder, "train"), start, 0), _Events(os.path.join(folder, "validation"), start, 1)
    for epoch, (e, values) in enumerate(rows):
        for name in ("loss", "accuracy", "mae"):
            if name in values:
                train.tensor(f"epoch_{name}", values[name], epoch, e.wall - 0.5)
            if name in e.values:
                val.tensor(f"epoch_{name}", e.values[name], epoch, e.wall)
        if "lr" in values:
            train.tensor("epoch_learning_rate", values["lr"], epoch, e.wall - 0.5)
    train.close()
    val.close()


def _csv_number(value):
    if value is None:
        return ""
    return "nan" if math.isnan(value) else "inf" if value == math.inf else "-inf" if value == -math.inf else f"{value:.7g}"


def keras_csv(recording, folder, rng):
    """The table of Keras' CSVLogger: one row an epoch, columns in alphabetical order."""
    os.makedirs(folder, exist_ok=True)
    rows = _epochs(recording)
    train_names = sorted(n for n in ("accuracy", "loss", "mae") if n in rows[-1][1])
    val_names = sorted(n for n in ("accuracy", "loss", "mae") if n in rows[-1][0].values)
    rate = ["learning_rate"] if "lr" in rows[-1][1] else []
    columns = sorted(train_names + rate) + [f"val_{n}" for n in val_names]
    with open(os.path.join(folder, "training.csv"), "w") as out:
        out.write(",".join(["epoch", *columns]) + "\n")
        for epoch, (e, train) in enumerate(rows):
            values = {**train, "learning_rate": train.get("lr"), **{f"val_{n}": v for n, v in e.values.items()}}
            out.write(",".join([str(epoch)] + [_csv_number(values.get(c)) for c in columns]) + "\n")


def lightning_csv(recording, folder, rng):
    """Sparse rows: what was not logged at a step is empty."""
    os.makedirs(folder, exist_ok=True)
    names = {"loss": "train_loss", "accuracy": "train_acc", "mae": "train_mae", "lr": "lr-Adam"}
    val_names = {"loss": "val_loss", "accuracy": "val_acc", "mae": "val_mae"}
    rows = []
    for e in recording.events:
        if e.kind == "scalars":
            table = names if e.split == "train" else val_names
            rows.append((e, {table.get(n, n): v for n, v in e.values.items()}))
    columns = sorted({n for _, values in rows for n in values} | {"epoch", "step"})
    with open(os.path.join(folder, "metrics.csv"), "w") as out:
        out.write(",".join(columns) + "\n")
        for e, values in rows:
            known = {"epoch": str(int(e.epoch)), "step": str(e.step)}
            out.write(",".join(known.get(c) or _csv_number(values.get(c)) for c in columns) + "\n")


def jsonl(recording, folder, rng):
    """One object a line with names of the writer's own; the time under one of the usual keys."""
    os.makedirs(folder, exist_ok=True)
    tag, clock = naming(recording, rng), ["_timestamp", "time", "timestamp"][rng.integers(3)]
    with open(os.path.join(folder, "metrics.jsonl"), "w") as out:
        for e in recording.events:
            if e.kind == "scalars":
                row = {"step": e.step, clock: round(e.wall, 3)}
                out.write(json.dumps(row | {tag(e.split, n): _number(v) for n, v in e.values.items()}) + "\n")


def _hugging_face_rows(recording):
    train = {"loss": "loss", "lr": "learning_rate", "grad_norm": "grad_norm"}
    for e in recording.events:
        if e.kind != "scalars":
            continue
        if e.split == "train":
            row = {train.get(n, n): _number(v) for n, v in e.values.items() if n != "accuracy"}
        else:
            row = {f"eval_{n}": _number(v) for n, v in e.values.items()} | {"eval_runtime": 4.2}
        yield e, row | {"epoch": round(e.epoch, 4), "step": e.step}


def jsonl_hugging_face(recording, folder, rng):
    """The rows of a log history, one a line."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "log_history.jsonl"), "w") as out:
        for _, row in _hugging_face_rows(recording):
            out.write(json.dumps(row) + "\n")


def trainer_state(recording, folder, rng):
    """The document that is rewritten as a whole at each save; here as it stands at the end."""
    os.makedirs(folder, exist_ok=True)
    rows = [row for _, row in _hugging_face_rows(recording)]
    state = {
        "best_metric": None, "best_model_checkpoint": None, "epoch": rows[-1]["epoch"], "eval_steps": 20,
        "global_step": recording.last_step(), "is_local_process_zero": True, "is_world_process_zero": True,
        "log_history": rows, "logging_steps": 5, "max_steps": recording.steps_total,
        "num_train_epochs": -(-recording.steps_total // recording.steps_per_epoch),
        "save_steps": 100, "total_flos": 0.0, "train_batch_size": recording.batch_size, "trial_name": None,
    }
    with open(os.path.join(folder, "trainer_state.json"), "w") as out:
        json.dump(state, out, indent=2)


def nanogpt_text(recording, folder, rng):
    """`iter 10: loss 4.2, time 80.00ms` and `step 250: train loss 3.1, val loss 3.2`."""
    os.makedirs(folder, exist_ok=True)
    last, before = math.nan, None
    with open(os.path.join(folder, "train.log"), "w") as out:
        for e in recording.events:
            if e.kind != "scalars":
                continue
            if e.split == "train":
                steps = e.step - before[0] if before else 1
                pace = (e.wall - before[1]) / max(steps, 1) if before else 1.0
                last, before = e.values["loss"], (e.step, e.wall)
                out.write(f"iter {e.step}: loss {last:.4f}, time {1000 * pace:.2f}ms, mfu 12.30%\n")
            else:
                out.write(f"step {e.step}: train loss {last:.4f}, val loss {e.values['loss']:.4f}\n")
                before = (e.step, e.wall)


def scope(recording, folder, rng):
    """The native log, with layers, histograms and confusion matrices."""
    os.makedirs(folder, exist_ok=True)
    planned = {"steps_total": recording.steps_total} if rng.random() < 0.8 else {}
    path = os.path.join(folder, "run.scope.jsonl")
    with open(path, "w") as out:

        def write(t, **fields):
            out.write(json.dumps({"t": t, **fields}, separators=(",", ":")) + "\n")

        first = {"epochscope": 1, "t": "run", "name": os.path.basename(folder), "segment": 0,
                 "started": recording.events[0].wall, "framework": "torch", **planned}
        out.write(json.dumps(first, separators=(",", ":")) + "\n")
        write("hparams", values=recording.hparams)
        if recording.classes:
            write("classes", task="main", names=[f"class{i}" for i in range(recording.classes)])
        for e in recording.events:
            at = {"step": e.step, "wall": round(e.wall, 3)}
            if e.kind == "scalars":
                values = {("acc" if n == "accuracy" else n): _number(v) for n, v in e.values.items()}
                write("scalar", **at, epoch=round(e.epoch, 3), split=e.split, v=values)
            elif e.kind == "layer":
                values = {k: _number(v) if k not in ("name", "kind") else v for k, v in e.values.items()}
                write("layer", step=e.step, **values)
            elif e.kind == "hist":
                h = e.values
                if all(a < b for a, b in zip(h["edges"], h["edges"][1:])):
                    edges = [_number(v) for v in h["edges"]]
                    write("hist", step=e.step, name=h["name"], kind=h["kind"], edges=edges, counts=h["counts"])
            elif e.kind == "confusion":
                write("confusion", **at, split="val", rows="true", labels="main", m=e.values["m"], weighted=False)
        if recording.finished:
            write("event", kind="end", status="finished")


WRITERS = {f.__name__: f for f in (tensorboard, keras_tensorboard, keras_csv, lightning_csv, jsonl,
                                   jsonl_hugging_face, trainer_state, nanogpt_text, scope)}
SCALARS = ["tensorboard", "lightning_csv", "jsonl", "jsonl_hugging_face", "trainer_state", "nanogpt_text", "scope"]
CURVES = [*SCALARS, "keras_csv", "keras_tensorboard"]
TIMED = ["tensorboard", "jsonl", "scope"]
LAYERS = ["tensorboard", "scope"]
MATRICES = ["scope"]
