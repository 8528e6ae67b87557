#!/usr/bin/env python3
"""A training loop of one's own that appends `json.dumps` lines, with a NaN in the middle. Needs nothing."""

import json
import math
import os
import sys
import time

RUNS = ["run"]

os.makedirs(sys.argv[1] + "/run")
with open(sys.argv[1] + "/run/metrics.jsonl", "a") as log:
    for step in range(200):
        loss = math.nan if step == 120 else math.exp(-step / 80)
        log.write(json.dumps({"step": step, "train": {"loss": loss}, "lr": 0.1}) + "\n")
        log.flush()
        time.sleep(0.03)
