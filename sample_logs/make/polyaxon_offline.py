"""Polyaxon's own client, offline: a run of its tracking library without a server.

    python polyaxon_offline.py

Softmax regression on the digits by hand, so that it needs neither torch nor a GPU: metrics, a histogram of the
weights, the confusion matrix after each epoch.
"""
import os
import shutil
import tempfile

import numpy as np
from sklearn.datasets import load_digits

OUT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "polyaxon"))
UUID = "5f2c1d6e0b7a4c3f9e8d7c6b5a493827"

os.environ["HOME"] = os.environ["POLYAXON_CONTEXT_ROOT"] = tempfile.mkdtemp()
from traceml.tracking.run import Run  # noqa: E402: it looks for its home when it is imported

shutil.rmtree(OUT, ignore_errors=True)
run = Run(
    owner="lab", project="digits", run_uuid=UUID, name="softmax", is_offline=True, collect_artifacts=True,
    artifacts_path=OUT, track_code=False, track_env=False, track_logs=False, collect_resources=False,
)
run.log_inputs(lr=0.5, batch_size=50)

rng = np.random.default_rng(3)
images, labels = load_digits(return_X_y=True)
order = rng.permutation(len(labels))
x, y = images[order] / 16.0, labels[order]
x_train, y_train, x_val, y_val = x[:1200], y[:1200], x[1200:], y[1200:]
weights = np.zeros((64, 10))


def softmax(inputs):
    scores = inputs @ weights
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def loss(inputs, targets):
    return float(-np.log(softmax(inputs)[np.arange(len(targets)), targets] + 1e-12).mean())


step = 0
for epoch in range(4):
    for at in range(0, 1200, 50):
        batch, targets = x_train[at : at + 50], y_train[at : at + 50]
        run.log_metric("train/loss", loss(batch, targets), step=step)
        error = softmax(batch)
        error[np.arange(50), targets] -= 1.0
        weights -= 0.5 * batch.T @ error / 50
        step += 1
    predicted = softmax(x_val).argmax(axis=1)
    run.log_metrics(val_loss=loss(x_val, y_val), val_acc=float((predicted == y_val).mean()), step=step)
    # as the library's documentation has it, though numpy returns the counts first
    values, counts = np.histogram(weights, bins=16)
    run.log_np_histogram("weights", values=values, counts=counts, step=step)
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (y_val, predicted), 1)
    names = [str(n) for n in range(10)]
    run.log_confusion_matrix("val", names, names, matrix.tolist(), step=step)
run.end()
