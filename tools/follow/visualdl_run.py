#!/usr/bin/env python3
"""VisualDL: scalars, several in one plot, histograms, texts, hyper-parameters, pictures. Needs: visualdl numpy."""

import os
import sys
import time

RUNS = ["visualdl falls"]

os.environ.setdefault("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "python")
import numpy as np
from visualdl import LogWriter

folder, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
random = np.random.default_rng(0)
with LogWriter(logdir=folder + "/log/tiny", display_name="visualdl falls") as writer:
    writer.add_hparams({"lr": 0.1, "layers": 2, "act": "relu"}, ["train/loss"])
    for step in range(200):
        writer.add_scalar("train/loss", float("nan") if step == 30 else 1 / (step + 1), step)
        if step % 50 == 49:
            writer.add_scalars("both", {"train": 1 / step, "val": 2 / step}, step)
            writer.add_histogram("weights/fc1", random.normal(size=500), step)
            writer.add_text("note", f"step {step}", step)
            writer.add_image("picture", random.integers(0, 255, (8, 8, 3)).astype("uint8"), step)
        time.sleep(seconds / 200)
