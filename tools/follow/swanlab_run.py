#!/usr/bin/env python3
"""SwanLab, local mode: scalars, a picture, a text. Needs: swanlab numpy pillow."""

import sys
import time

import numpy as np
import swanlab

RUNS = ["swanlab falls"]

folder, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 25.0
swanlab.init(project="tiny", experiment_name="swanlab falls", mode="local", logdir=folder + "/swanlog", config={"lr": 0.1})
for step in range(100):
    row = {"train/loss": 1 / (step + 1), "lr": 0.1 * 0.99**step}
    if step == 30:
        row["train/loss"] = float("nan")
    if step % 25 == 24:
        row["val/acc"] = step / 100
        row["picture"] = swanlab.Image(np.full((8, 8, 3), step, dtype="uint8"))
        row["note"] = swanlab.Text(f"step {step}")
        print("step", step, flush=True)
    swanlab.log(row, step=step)
    time.sleep(seconds / 100)
swanlab.finish()
