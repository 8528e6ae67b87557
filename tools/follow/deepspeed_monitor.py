#!/usr/bin/env python3
"""DeepSpeed's csv monitor: a table per metric. Needs: deepspeed torch ninja (and a C++ compiler)."""

import math
import os
import sys
import time

os.environ.update(RANK="0", WORLD_SIZE="1", LOCAL_RANK="0", MASTER_ADDR="127.0.0.1", MASTER_PORT="29511")
import deepspeed
from deepspeed.monitor.config import CSVConfig
from deepspeed.monitor.csv_monitor import csvMonitor

RUNS = ["csv_monitor/job"]
deepspeed.init_distributed("gloo")
monitor = csvMonitor(CSVConfig(enabled=True, output_path=sys.argv[1] + "/csv_monitor", job_name="job"))
for step in range(0, 1600, 16):
    monitor.write_events([("Train/Samples/train_loss", math.exp(-step / 800), step), ("Train/Samples/lr", 0.001, step)])
    time.sleep(0.1)
