#!/usr/bin/env python3
"""Hydra's multirun: two jobs, each with its settings, its log and a table or event files. Needs: hydra-core tensorboardX."""

import csv
import logging
import math
import os
import sys
import time

import hydra
from hydra.core.config_store import ConfigStore
from tensorboardX import SummaryWriter

RUNS = ["lr=0.1", "lr=0.2"]
os.chdir(sys.argv[1])
ConfigStore.instance().store("config", {"lr": 0.01, "model": {"hidden": 32}})
log = logging.getLogger(__name__)


@hydra.main(version_base=None, config_name="config")
def main(config):
    out = hydra.core.hydra_config.HydraConfig.get().runtime.output_dir
    with open(out + "/metrics.csv", "w") as table, SummaryWriter(out + "/tb", flush_secs=1) as writer:
        rows = csv.writer(table)
        rows.writerow(["step", "loss"])
        for step in range(100):
            loss = math.exp(-step * config.lr / 8)
            rows.writerow([step, loss])
            table.flush()
            writer.add_scalar("loss", loss, step)
            writer.add_scalar("acc", 1 - loss, step)
            if step % 10 == 0:
                log.info(f"step {step} loss {loss:.4f}")
            time.sleep(0.06)


sys.argv[1:] = ["-m", "lr=0.1,0.2"]
main()
