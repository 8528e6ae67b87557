#!/usr/bin/env python3
"""MMEngine's Runner: LocalVisBackend and TensorboardVisBackend, its text log, checkpoints. Needs: mmengine torch."""

import sys
import time

import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner

RUNS = ["work_dirs/line/2*"]


class Line(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(8, 1)

    def forward(self, x, mode):
        error = (self.layer(x) - x.sum(1, keepdim=True)).square()
        if mode == "predict":
            return error
        time.sleep(0.04)
        return {"loss": error.mean(), "acc": (error < 0.1).float().mean()}


class Error(BaseMetric):
    def process(self, batch, errors):
        self.results.append(torch.stack(errors).mean().item())

    def compute_metrics(self, results):
        return {"error": sum(results) / len(results)}


def loader():
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(640, 8)), batch_size=16)


Runner(
    model=Line(),
    work_dir=sys.argv[1] + "/work_dirs/line",
    train_dataloader=loader(),
    val_dataloader=loader(),
    train_cfg={"by_epoch": True, "max_epochs": 5, "val_interval": 1},
    val_cfg={},
    val_evaluator={"type": Error},
    optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.05}},
    default_hooks={"logger": {"type": "LoggerHook", "interval": 5}, "checkpoint": {"type": "CheckpointHook", "interval": 2}},
    visualizer={"type": "Visualizer", "vis_backends": [{"type": "LocalVisBackend"}, {"type": "TensorboardVisBackend"}]},
).train()
