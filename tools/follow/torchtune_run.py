#!/usr/bin/env python3
"""torchtune's DiskLogger, as its recipes use it. Needs: torchtune 'torchao==0.9.0' torch."""

import math
import sys
import time

from torchtune.training.metric_logging import DiskLogger

RUNS = ["logs"]
logger = DiskLogger(sys.argv[1] + "/logs")
for step in range(1, 121):
    logger.log_dict({"loss": math.exp(-step / 50), "lr": 2e-5, "tokens_per_second_per_gpu": 900.0}, step)
    time.sleep(0.08)
logger.close()
