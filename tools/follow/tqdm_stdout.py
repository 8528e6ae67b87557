#!/usr/bin/env python3
"""A loop under tqdm whose postfix holds the loss, kept as the shell keeps a program's output. Needs tqdm."""

import math
import os
import sys
import time

RUNS = ["tqdm"]

os.makedirs(sys.argv[1] + "/tqdm", exist_ok=True)
log = os.open(sys.argv[1] + "/tqdm/train.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.dup2(log, 1)
os.dup2(log, 2)

from tqdm import tqdm

for epoch in range(8):
    bar = tqdm(range(25), desc=f"Epoch {epoch}")
    for batch in bar:
        time.sleep(0.08)
        bar.set_postfix(loss=math.exp(-(25 * epoch + batch) / 80), lr=1e-3)
