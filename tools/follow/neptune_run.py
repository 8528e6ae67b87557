#!/usr/bin/env python3
"""Neptune's old client, offline. Needs: 'neptune<2' 'setuptools<81'."""

import math
import os
import sys
import time

RUNS = ["neptune layers"]
os.chdir(sys.argv[1])
os.environ["NEPTUNE_LOGGER_LEVEL"] = "ERROR"
import neptune

run = neptune.init_run(mode="offline", project="w/digits", name="neptune layers", git_ref=False, source_files=[])
run["parameters"] = {"lr": 0.1, "hidden": 32}
for step in range(150):
    run["train/loss"].append(math.exp(-step / 80), step=step)
    if step % 30 == 29:
        run["val/acc"].append(1 - math.exp(-step / 90), step=step)
    time.sleep(0.08)
run.stop()
