#!/usr/bin/env python3
"""tensorboardX: scalars, histograms, text, its own `add_scalars` folders. Needs: tensorboardX numpy."""

import sys
import time

import numpy as np
from tensorboardX import SummaryWriter

RUNS = ["runs/tiny"]
random = np.random.default_rng(0)
with SummaryWriter(sys.argv[1] + "/runs/tiny", flush_secs=1) as writer:
    for step in range(200):
        writer.add_scalar("train/loss", np.exp(-step / 80), step)
        if step % 20 == 19:
            writer.add_scalar("val/loss", np.exp(-step / 90), step)
            writer.add_scalars("both", {"a": step, "b": 2 * step}, step)
            writer.add_histogram("weights/fc1", random.normal(size=500), step)
            writer.add_text("note", f"step {step}", step)
        time.sleep(0.04)
