#!/usr/bin/env python3
"""Comet, offline: an archive that is written when the experiment ends. Needs: comet_ml numpy."""

import math
import os
import sys

WRITES_AT_END = True
RUNS = ["comet layers"]
os.environ["COMET_LOGGING_CONSOLE"] = "ERROR"
import comet_ml
import numpy as np

experiment = comet_ml.OfflineExperiment(
    api_key="x", workspace="w", project_name="digits", offline_directory=sys.argv[1],
    log_git_metadata=False, log_git_patch=False, log_env_details=False, log_code=False, display_summary_level=0,
)
experiment.set_name("comet layers")
experiment.log_parameters({"lr": 0.1, "hidden": 32})
for step in range(100):
    experiment.log_metric("train_loss", math.exp(-step / 50), step=step)
    if step % 20 == 19:
        experiment.log_metrics({"val_acc": step / 100}, step=step, epoch=step // 20)
        experiment.log_histogram_3d(np.random.default_rng(step).normal(size=500), name="weights", step=step)
        experiment.log_confusion_matrix([0, 0, 1], [0, 1, 1], step=step)
experiment.end()
