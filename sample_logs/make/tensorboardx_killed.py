"""tensorboardX's SummaryWriter in a process that is killed in the middle of a record.

    python tensorboardx_killed.py

Softmax regression on the digits with numpy. tensorboardX buffers what it writes, so a kill leaves a torn record.
"""
import os
import shutil
import signal

import numpy as np
from sklearn.datasets import load_digits
from tensorboardX import SummaryWriter

OUT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "tensorboardx", "killed"))

if os.fork() == 0:
    shutil.rmtree(OUT, ignore_errors=True)
    writer = SummaryWriter(OUT, flush_secs=600, max_queue=5)
    rng = np.random.default_rng(1)
    images, labels = load_digits(return_X_y=True)
    order = rng.permutation(len(labels))
    x, y = images[order] / 16.0, labels[order]
    weights = np.zeros((64, 10))
    for step in range(120):
        pick = rng.integers(0, 1200, 50)
        batch, targets = x[pick], y[pick]
        scores = np.exp(batch @ weights)
        share = scores / scores.sum(axis=1, keepdims=True)
        writer.add_scalar("train/loss", -np.log(share[np.arange(50), targets]).mean(), step)
        share[np.arange(50), targets] -= 1.0
        gradient = batch.T @ share / 50
        weights -= 0.5 * gradient
        if step % 10 == 9:
            writer.add_scalar("val/acc", ((x[1200:] @ weights).argmax(axis=1) == y[1200:]).mean(), step)
        if step % 30 == 29:
            writer.add_histogram("weights", weights, step)
            writer.add_histogram("gradient", gradient, step)
    os.kill(os.getpid(), signal.SIGKILL)
os.wait()
