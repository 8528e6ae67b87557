#!/usr/bin/env python3
"""ClearML, offline mode: its session folder, and the archive made of it at the end. Needs: clearml numpy."""

import math
import os
import sys
import time

RUNS = ["clearml layers"]
os.environ.update(HOME=sys.argv[1], CLEARML_CACHE_DIR=sys.argv[1] + "/.clearml/cache", CLEARML_OFFLINE_MODE="1")
import numpy as np
from clearml import Task

task = Task.init("digits", "clearml layers", auto_connect_frameworks=False, auto_resource_monitoring=False)
task.connect({"lr": 0.1})
logger = task.get_logger()
logger.set_flush_period(2)
for step in range(150):
    logger.report_scalar("loss", "train", math.exp(-step / 80), step)
    if step % 30 == 29:
        logger.report_scalar("acc", "val", 1 - math.exp(-step / 90), step)
        logger.report_confusion_matrix("confusion", "val", np.array([[5, step], [1, 7]]), iteration=step)
        logger.report_text(f"step {step}")
    time.sleep(0.08)
task.close()
