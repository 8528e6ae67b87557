#!/usr/bin/env python3
"""timm's training script: `update_summary` writes output/train/<name>/summary.csv, args.yaml beside it. Needs: timm."""

import math
import os
import sys
import time

from timm.utils import update_summary

RUNS = ["output/train/20261125-resnet18-32"]
folder = sys.argv[1] + "/output/train/20261125-resnet18-32"
os.makedirs(folder)
with open(folder + "/args.yaml", "w") as args:
    args.write("model: resnet18\nlr: 0.1\nepochs: 20\n")
for epoch in range(20):
    update_summary(
        epoch,
        {"loss": math.exp(-epoch / 10)},
        {"loss": math.exp(-epoch / 12), "top1": 5.0 * epoch, "top5": 80.0},
        filename=folder + "/summary.csv",
        lr=0.1,
        write_header=epoch == 0,
    )
    time.sleep(0.4)
