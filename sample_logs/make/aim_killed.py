#!/usr/bin/env python3
"""A run of Aim that is killed: nothing of it is in a table yet. Softmax regression on digits.

    aim_killed.py FOLDER
"""

import json
import os
import signal
import sys

import aim
import numpy as np
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
x, truth = x / 16, np.eye(10)[y]
run = aim.Run(repo=sys.argv[1], experiment="digits", system_tracking_interval=None, log_system_params=False)
run["hparams"] = {"lr": 0.1, "batch": 32}
run["hparams"] = {"lr": 0.5, "batch": 64, "nesterov": False}
weights, order, tracked = np.zeros((64, 10)), np.random.default_rng(0).permutation(1500), {}


def forward(rows):
    odds = np.exp(x[rows] @ weights)
    return odds / odds.sum(1, keepdims=True)


def track(name, value, step, context):
    run.track(value, name=name, step=step, context=context)
    tracked.setdefault(name, []).append((step, value))


for step in range(20):
    rows = order[step * 64 : step * 64 + 64]
    p = forward(rows)
    track("loss", float(-np.log((p * truth[rows]).sum(1)).mean()), step, {"subset": "train"})
    weights -= 0.5 * x[rows].T @ (p - truth[rows]) / 64
    if step % 5 == 4:
        right = forward(slice(1500, None)).argmax(1) == y[1500:]
        track("acc", float(right.mean()), step, {"subset": "val", "fold": 1})
        track("right", int(right.sum()), step, {})
print(json.dumps({name: [len(points), points[0], points[-1]] for name, points in tracked.items()}), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
