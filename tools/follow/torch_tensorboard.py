#!/usr/bin/env python3
"""torch.utils.tensorboard: scalars, histograms, add_scalars, hparams. Needs: torch tensorboard."""

import sys
import time

import torch
from torch.utils.tensorboard import SummaryWriter

RUNS = ["runs/tiny"]

folder = sys.argv[1]
writer = SummaryWriter(folder + "/runs/tiny", flush_secs=2)
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
for step in range(300):
    x = torch.randn(32, 8)
    loss = ((model(x) - x.sum(1, keepdim=True)) ** 2).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    writer.add_scalar("train/loss", loss.item(), step)
    if step % 50 == 0:
        writer.add_scalars("both", {"a": loss.item(), "b": 2 * loss.item()}, step)
        for name, p in model.named_parameters():
            writer.add_histogram(f"weights/{name}", p, step)
            writer.add_histogram(f"grads/{name}", p.grad, step)
    time.sleep(0.03)
writer.add_hparams({"lr": 0.01}, {"hparam/loss": loss.item()})
writer.close()
