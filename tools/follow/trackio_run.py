#!/usr/bin/env python3
"""Trackio: its database in WAL mode, with nested values, histograms and an alert. Needs `trackio`, `scikit-learn`."""

import os
import sys
import time

RUNS = ["sgd"]

os.environ["TRACKIO_DIR"] = os.path.abspath(sys.argv[1])
import trackio
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier

x, y = load_digits(return_X_y=True)
trackio.init(project="digits", name="sgd", config={"alpha": 1e-4, "model": {"loss": "log_loss"}})
model = SGDClassifier(loss="log_loss", random_state=0)
for step in range(100):
    at = step * 16
    model.partial_fit(x[at : at + 16], y[at : at + 16], classes=range(10))
    row = {"train/acc": model.score(x[:1000], y[:1000]), "val": {"acc": model.score(x[1000:], y[1000:])}}
    if step % 20 == 0:
        row["weights/coef"] = trackio.Histogram(model.coef_)
        row["odd"] = float("nan")
    trackio.log(row, step=step)
    time.sleep(0.15)
trackio.alert(title="done", text="the last step was logged", level=trackio.AlertLevel.WARN)
trackio.finish()
