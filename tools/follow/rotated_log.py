#!/usr/bin/env python3
"""Python's RotatingFileHandler with lines of a training: the log is renamed when it is full. Needs nothing."""

import logging.handlers
import math
import os
import sys
import time

RUNS = ["run"]
os.makedirs(sys.argv[1] + "/run")
handler = logging.handlers.RotatingFileHandler(sys.argv[1] + "/run/train.log", maxBytes=6000, backupCount=5)
logging.basicConfig(handlers=[handler], level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
for step in range(200):
    logging.info("step %d loss %.5f lr %.5f", step, math.exp(-step / 80), 0.1)
    time.sleep(0.05)
