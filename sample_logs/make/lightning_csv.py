"""A Lightning run with CSVLogger: sparse rows, and a column that appears late, so that the header is rewritten.

usage: python lightning_csv.py
Written with lightning 2.6.6, torch 2.15.0 (CPU), scikit-learn 1.9.1, Python 3.11.
"""
import os
import shutil
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import CSVLogger

from digits import OUT, data, mlp

warnings.filterwarnings("ignore")


class Digits(L.LightningModule):
    def __init__(self, lr=0.1, hidden=32):
        super().__init__()
        self.save_hyperparameters()
        self.net = mlp(hidden)

    def training_step(self, batch, _):
        loss = F.cross_entropy(self.net(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch, _):
        out = self.net(batch[0])
        self.log("val_loss", F.cross_entropy(out, batch[1]))
        self.log("val_acc", (out.argmax(1) == batch[1]).float().mean())

    def on_train_epoch_end(self):
        if self.current_epoch >= 3:
            self.log("weight_norm", torch.stack([p.norm() for p in self.parameters()]).norm())

    def configure_optimizers(self):
        opt = torch.optim.SGD(self.parameters(), lr=self.hparams.lr)
        return [opt], [torch.optim.lr_scheduler.StepLR(opt, 4, 0.5)]


def loader(x, y):
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=50)


folder = os.path.join(OUT, "lightning")
shutil.rmtree(folder, ignore_errors=True)
os.makedirs(folder)
L.seed_everything(8)
x, y, xv, yv = data()
trainer = L.Trainer(max_epochs=10, logger=CSVLogger(folder, flush_logs_every_n_steps=10), log_every_n_steps=4,
                    accelerator="cpu", callbacks=[LearningRateMonitor("step")], enable_progress_bar=False,
                    enable_model_summary=False, enable_checkpointing=False)
trainer.fit(Digits(), loader(x, y), loader(xv, yv))
