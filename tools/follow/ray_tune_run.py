#!/usr/bin/env python3
"""Ray Tune: two trials, each with result.json, progress.csv, params.json and an event file. Needs: 'ray[tune]'."""

import os
import sys
import time

os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_raylet_start_wait_time_s="200")
import ray
from ray import tune

RUNS = ["train_*_0_lr=0.0100", "train_*_1_lr=0.3000"]


def train(config):
    for epoch in range(12):
        time.sleep(0.5)
        tune.report({"loss": 1 / (1 + epoch * config["lr"]), "info": {"norm": 2.0 * epoch, "layers": [64, 32]}})


ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100_000_000, log_to_driver=False)
space = {"lr": tune.grid_search([0.01, 0.3])}
sync = tune.SyncConfig(sync_period=2)
tune.Tuner(train, param_space=space, run_config=tune.RunConfig("digits", sys.argv[1], verbose=0, sync_config=sync)).fit()
