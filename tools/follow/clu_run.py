#!/usr/bin/env python3
"""clu's metric writers, as Flax's examples use them: event files and a log. Needs: clu tensorflow jax absl-py."""

import math
import os
import sys
import time

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", JAX_PLATFORMS="cpu")
import numpy as np
from clu import metric_writers

RUNS = ["."]
writer = metric_writers.create_default_writer(sys.argv[1])
writer.write_hparams({"lr": 3e-3, "batch": 64})
for step in range(1, 101):
    writer.write_scalars(step, {"train_loss": math.exp(-step / 50), "learning_rate": 3e-3})
    if step % 20 == 0:
        writer.write_scalars(step, {"eval_accuracy": step / 100})
        writer.write_histograms(step, {"params/fc1/kernel": np.random.default_rng(step).normal(size=500)})
        writer.write_texts(step, {"note": f"step {step}"})
    writer.flush()
    time.sleep(0.1)
writer.close()
