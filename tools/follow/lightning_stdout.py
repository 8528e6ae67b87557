#!/usr/bin/env python3
"""Lightning's progress bar, kept as the shell keeps a program's output. Needs lightning and torch."""

import os
import sys
import time

RUNS = ["lightning"]

os.makedirs(sys.argv[1] + "/lightning", exist_ok=True)
log = os.open(sys.argv[1] + "/lightning/train.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.dup2(log, 1)
os.dup2(log, 2)

import lightning
import torch


class Line(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def training_step(self, batch, _):
        time.sleep(0.1)
        loss = (self.layer(batch[0]) - batch[1]).square().mean()
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, _):
        self.log("val_loss", (self.layer(batch[0]) - batch[1]).square().mean(), prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.02)


torch.manual_seed(0)
x = torch.randn(160, 4)
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True)), 16)
trainer = lightning.Trainer(
    max_epochs=12, logger=False, enable_checkpointing=False, accelerator="cpu", callbacks=[lightning.pytorch.callbacks.TQDMProgressBar()]
)
trainer.fit(Line(), data, data)
