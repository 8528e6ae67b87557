#!/usr/bin/env python3
"""Sacred's FileStorageObserver: metrics.json is written anew at each heartbeat. Needs: sacred 'setuptools<81'."""

import math
import sys
import time

from sacred import SETTINGS, Experiment
from sacred.observers import FileStorageObserver

RUNS = ["falling/1", "falling/2"]
SETTINGS.CAPTURE_MODE = "sys"
SETTINGS.DEFAULT_BEAT_INTERVAL = 2.0
experiment = Experiment("falling", save_git_info=False)
experiment.observers.append(FileStorageObserver(sys.argv[1] + "/runs"))


@experiment.config
def config():
    lr = 0.1
    hidden = 32


@experiment.main
def main(_run, lr):
    for step in range(120):
        _run.log_scalar("train.loss", math.exp(-step * lr / 8), step)
        if step % 10 == 9:
            _run.log_scalar("val.acc", 1 - math.exp(-step / 50), step)
            print("step", step)
        time.sleep(0.08)
    return 0.5


experiment.run()
experiment.run(config_updates={"lr": 0.2})
