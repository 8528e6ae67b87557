#!/usr/bin/env python3
"""JSON lines written through gzip, as a cluster keeps old logs: read once, when the file is whole. Needs nothing."""

import gzip
import json
import math
import os
import sys

WRITES_AT_END = True
RUNS = ["run"]
os.makedirs(sys.argv[1] + "/run")
with gzip.open(sys.argv[1] + "/run/metrics.jsonl.gz", "wt") as log:
    for step in range(200):
        log.write(json.dumps({"step": step, "train": {"loss": math.exp(-step / 80)}}) + "\n")
