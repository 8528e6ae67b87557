#!/usr/bin/env python3
"""Accelerate's TensorBoard tracker: scalars, and settings in a folder of their own. Needs: accelerate tensorboard torch."""

import math
import sys
import time

from accelerate import Accelerator
from accelerate.utils import ProjectConfiguration

RUNS = ["logs/digits"]
accelerator = Accelerator(
    cpu=True, log_with="tensorboard", project_config=ProjectConfiguration(sys.argv[1], logging_dir=sys.argv[1] + "/logs")
)
accelerator.init_trackers("digits", config={"lr": 0.1, "hidden": 32})
accelerator.get_tracker("tensorboard", unwrap=True)._get_file_writer().event_writer._async_writer._flush_secs = 1
for step in range(200):
    accelerator.log({"train_loss": math.exp(-step / 80), "lr": 0.1}, step=step)
    if step % 20 == 19:
        accelerator.log({"eval": {"loss": math.exp(-step / 90), "acc": step / 200}}, step=step)
    time.sleep(0.05)
accelerator.end_training()
