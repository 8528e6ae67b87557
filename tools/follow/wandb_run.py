#!/usr/bin/env python3
"""W&B offline: scalars, gradients and parameters as `wandb.watch` logs them, tables, a confusion matrix, an alert.

Needs: wandb numpy; with torch beside them, `wandb.watch` itself. The writer puts its buffer on disk every 15 s.
`wandb_run.py FOLDER [SECONDS]`
"""

import os
import sys
import time

RUNS = ["wandb layers"]

os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_DISABLE_GIT="true", WANDB_DISABLE_CODE="true")
import numpy as np
import wandb

folder, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 50.0
random = np.random.default_rng(0)
run = wandb.init(
    project="tiny",
    name="wandb layers",
    group="follow",
    job_type="train",
    tags=["digits", "small"],
    notes="a linear model on noise",
    dir=folder,
    config={"lr": 0.1, "model": {"hidden": 16, "act": "tanh"}, "layers": [8, 16, 2]},
    settings=wandb.Settings(x_stats_sampling_interval=2.0, console="wrap"),
)
run.define_metric("val/*", step_metric="epoch")
run.define_metric("val/acc", summary="max", step_metric="epoch")
w1, w2 = random.normal(size=(8, 16)) * 0.3, random.normal(size=(16, 2)) * 0.3
true = random.normal(size=(8, 2))
classes = ["left", "right"]
steps = 200
for step in range(steps):
    x = random.normal(size=(32, 8))
    y = (x @ true).argmax(1)
    hidden = np.tanh(x @ w1)
    logits = hidden @ w2
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    loss = -np.log(p[np.arange(32), y]).mean()
    d = (p - np.eye(2)[y]) / 32
    g2, g1 = hidden.T @ d, x.T @ ((d @ w2.T) * (1 - hidden**2))
    w1, w2 = w1 - 0.1 * g1, w2 - 0.1 * g2
    row = {"train/loss": loss, "lr": 0.1, "optimizer": {"momentum": 0.0, "norm": {"g1": float(np.linalg.norm(g1))}}}
    if step == 7:
        row["train/odd"] = float("nan")
    if step % 50 == 49:
        for name, weight, gradient in [("fc1.weight", w1, g1), ("fc2.weight", w2, g2)]:
            row["parameters/" + name] = wandb.Histogram(weight)
            row["gradients/" + name] = wandb.Histogram(gradient)
    run.log(row)
    if step % 50 == 49:
        epoch = step // 50
        guess = (np.tanh(x @ w1) @ w2).argmax(1)
        run.log(
            {
                "epoch": epoch,
                "val/acc": float((guess == y).mean()),
                "val/loss": float(loss),
                "val/confusion": wandb.plot.confusion_matrix(y_true=y.tolist(), preds=guess.tolist(), class_names=classes),
                "examples": wandb.Table(columns=["true", "guess"], data=[[int(a), int(b)] for a, b in zip(y[:5], guess[:5])]),
            }
        )
        print(f"epoch {epoch} loss {loss:.4f}", flush=True)
    if step == 120:
        run.alert(title="slow", text="the loss hardly falls", level=wandb.AlertLevel.WARN)
    time.sleep(seconds / steps)
run.summary["best"] = 0.5
run.finish()
