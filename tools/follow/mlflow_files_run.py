#!/usr/bin/env python3
"""MLflow's file store (`mlruns/`): two nested runs, one of which fails. Needs `mlflow`, `scikit-learn`."""

import os
import sys
import time

RUNS = ["large", "small"]

os.environ["GIT_PYTHON_REFRESH"] = "quiet"
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
import mlflow
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier

x, y = load_digits(return_X_y=True)
mlflow.set_tracking_uri(f"file:{os.path.abspath(sys.argv[1])}/mlruns")
mlflow.set_experiment("digits")


def train(name, alpha, steps):
    with mlflow.start_run(run_name=name, nested=True):
        mlflow.log_params({"alpha": alpha, "model": "sgd"})
        mlflow.set_tag("team", "digits")
        model = SGDClassifier(loss="log_loss", alpha=alpha, random_state=0)
        for step in range(steps):
            model.partial_fit(x[step * 32 : step * 32 + 32], y[step * 32 : step * 32 + 32], classes=range(10))
            mlflow.log_metric("train/acc", model.score(x[:1000], y[:1000]), step=step)
            mlflow.log_metrics({"val/acc": model.score(x[1000:], y[1000:]), "odd": float("nan")}, step=step)
            time.sleep(0.1)
        if alpha > 0.1:
            raise RuntimeError("as it happens")


with mlflow.start_run(run_name="sweep"):
    for name, alpha in (("small", 1e-4), ("large", 1.0)):
        try:
            train(name, alpha, 40)
        except RuntimeError:
            pass
