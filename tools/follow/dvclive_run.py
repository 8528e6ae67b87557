#!/usr/bin/env python3
"""DVCLive: a table per metric, `metrics.json`, a confusion matrix. Needs: dvclive scikit-learn."""

import math
import os
import sys
import time

RUNS = ["dvclive"]
os.chdir(sys.argv[1])
from dvclive import Live

with Live(save_dvc_exp=False, report=None, dvcyaml=None) as live:
    live.log_params({"lr": 0.1, "model": {"hidden": 32}})
    for step in range(60):
        live.log_metric("train/loss", math.exp(-step / 30))
        live.log_metric("val/acc", 1 - math.exp(-step / 25))
        if step % 20 == 19:
            live.log_sklearn_plot("confusion_matrix", [0, 0, 1, 1], [0, 1, 1, 1], name="cm.json")
        live.next_step()
        time.sleep(0.15)
