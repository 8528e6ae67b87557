#!/usr/bin/env python3
"""Aim: scalars with contexts, enough of them that logs become tables and tables are joined. Needs: aim."""

import sys
import time

import aim

folder, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 25.0
run = aim.Run(repo=folder, experiment="falling", system_tracking_interval=1, log_system_params=True)
run["hparams"] = {"lr": 0.1, "layers": [16, 8]}
for step in range(5000):
    loss = float("nan") if step == 30 else 1 / (step + 1)
    run.track(loss, name="loss", step=step, context={"subset": "train"})
    if step % 25 == 24:
        run.track(step / 5000, name="acc", step=step, context={"subset": "val"})
        run.track(loss * 2, name="loss", step=step, context={"subset": "val", "fold": 1})
    if step % 1000 == 999:
        run.track(aim.Distribution([0.0, 1.0, float(step)]), name="weights", step=step)
        print("step", step, flush=True)
    time.sleep(seconds / 5000)
run.close()
