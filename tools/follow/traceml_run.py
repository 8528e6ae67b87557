#!/usr/bin/env python3
"""Polyaxon's traceml, offline: a table per metric below `events`. Needs: traceml polyaxon pandas."""

import math
import os
import sys
import time

RUNS = ["traceml-layers"]
WAITS = 1
os.environ.update(POLYAXON_OFFLINE="true", POLYAXON_OFFLINE_ROOT=sys.argv[1], POLYAXON_CONTEXT_ROOT=sys.argv[1])
import pandas as _, polyaxon as _  # traceml needs them and does not say so
from traceml import tracking

tracking.init(name="traceml-layers", project="digits", is_offline=True, artifacts_path=sys.argv[1] + "/traceml-layers", track_code=False, track_env=False)
tracking.log_inputs(lr=0.1, hidden=32)
for step in range(100):
    tracking.log_metrics(step=step, loss=math.exp(-step / 80), accuracy=step / 100)
    time.sleep(0.1)
tracking.end()
