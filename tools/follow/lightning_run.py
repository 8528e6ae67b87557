#!/usr/bin/env python3
"""Lightning with its CSV and TensorBoard loggers in one folder. Needs: lightning tensorboard."""

import logging
import sys
import time

import lightning as L
import torch
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

RUNS = ["lightning_logs/version_0", "lightning_logs/version_1"]

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Tiny(L.LightningModule):
    def __init__(self, lr=0.05):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(8, 1)

    def training_step(self, batch, _):
        x = batch[0]
        loss = ((self.layer(x) - x.sum(1, keepdim=True)) ** 2).mean()
        self.log("train_loss", loss)
        time.sleep(0.03)
        return loss

    def validation_step(self, batch, _):
        self.log("val_loss", ((self.layer(batch[0]) - batch[0].sum(1, keepdim=True)) ** 2).mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)


data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(640, 8)), batch_size=16)
loggers = [CSVLogger(sys.argv[1], flush_logs_every_n_steps=20), TensorBoardLogger(sys.argv[1])]
trainer = L.Trainer(max_epochs=6, logger=loggers, log_every_n_steps=2, enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False, accelerator="cpu")
trainer.fit(Tiny(), data, data)
