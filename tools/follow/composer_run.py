#!/usr/bin/env python3
"""Composer's FileLogger. Needs: mosaicml torch."""

import sys
import time

import torch
from composer import Callback, ComposerModel, Trainer
from composer.loggers import FileLogger

RUNS = ["composer-falls"]


class Line(ComposerModel):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(8, 1)

    def forward(self, batch):
        return self.layer(batch[0])

    def loss(self, outputs, batch):
        return (outputs - batch[0].sum(1, keepdim=True)).square().mean()


class Slow(Callback):
    def batch_end(self, state, logger):
        time.sleep(0.05)


x = torch.utils.data.TensorDataset(torch.randn(640, 8))
model = Line()
Trainer(
    model=model,
    train_dataloader=torch.utils.data.DataLoader(x, batch_size=16),
    max_duration="4ep",
    optimizers=torch.optim.SGD(model.parameters(), 0.05),
    device="cpu",
    run_name="composer-falls",
    progress_bar=False,
    callbacks=[Slow()],
    loggers=[FileLogger(sys.argv[1] + "/{run_name}/logs-rank{rank}.txt", flush_interval=10)],
).fit()
