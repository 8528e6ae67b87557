#!/usr/bin/env python3
"""fastai's CSVLogger, which appends a second fit with another header. Needs: fastai."""

import sys
import time

import torch
from fastai.basics import Callback, DataLoaders, Learner, mae
from fastai.callback.progress import CSVLogger

RUNS = ["."]


class Slow(Callback):
    def after_epoch(self):
        time.sleep(0.7)


x = torch.randn(320, 8)
data = torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True))
learner = Learner(
    DataLoaders.from_dsets(data, data, bs=64, device="cpu"), torch.nn.Linear(8, 1), torch.nn.MSELoss(),
    metrics=mae, path=sys.argv[1], cbs=[CSVLogger(append=True), Slow()],
)
with learner.no_bar():
    learner.fit(6, 1e-2)
    learner.fit(4, 1e-3)
learner.save("last")
