"""Runs that show something inside the network, written by our Python package: `sample_logs/inside/`.

usage: PYTHONPATH=../../python python inside.py [NAME…]
Written with torch 2.12.1 (CPU, one thread), numpy 2.4.6, scikit-learn 1.9.1, Python 3.11.
"""
import contextlib
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import epochscope
from epochscope.cockpit import Cockpit
from digits import OUT, batches, data, seed

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
START = 1_795_000_000.0


class Clock:
    """Half a second a step, so that the files do not depend on the machine."""

    now = START

    def __call__(self):
        return self.now


def log(name, classes, **run):
    """A log below `inside/`, whose clock is turned by `train`."""
    clock = Clock()
    out = epochscope.Log(os.path.join(OUT, "inside", name), classes=classes, id="sample", digits=5, overwrite=True,
                         clock=clock, framework=f"torch {torch.__version__.split('+')[0]}", **run)
    return out, clock


def sequential(*layers):
    """Layers as (name, module)."""
    net = nn.Sequential()
    for name, layer in layers:
        net.add_module(name, layer)
    return net


def cnn(size, classes, pool2=True, gain=2**0.5):
    """Three convolutions and two dense layers, each but the last with a ReLU, initialised for it (He et al. 2015)."""
    places = (size // (4 if pool2 else 2)) ** 2
    net = sequential(
        ("conv1", nn.Conv2d(1, 8, 3, padding=1)), ("relu1", nn.ReLU()), ("pool1", nn.MaxPool2d(2)),
        ("conv2", nn.Conv2d(8, 16, 3, padding=1)), ("relu2", nn.ReLU()),
        *([("pool2", nn.MaxPool2d(2))] if pool2 else []),
        ("conv3", nn.Conv2d(16, 16, 3, padding=1)), ("relu3", nn.ReLU()), ("flat", nn.Flatten()),
        ("fc1", nn.Linear(16 * places, 32)), ("relu4", nn.ReLU()), ("fc2", nn.Linear(32, classes)))
    for module in net:
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(module.weight, 0, gain / module.weight[0].numel() ** 0.5)
            nn.init.zeros_(module.bias)
    return net


def train(name, net, sets, epochs, classes, optimizer, before=None, every=10, scalars=5, rarer=100, predictions=0,
          evaluate=1, size=50, config=None, stop=None, cockpit=0):
    """Trains and logs. `before(step, x, y)` may change anything; training ends when `stop(step)` says how.
    `cockpit`: α and the noise of the gradient every so many steps."""
    x, y, xv, yv = sets
    per_epoch = len(y) // size
    rate = optimizer.param_groups[0]["lr"]
    out, clock = log(name, classes, steps_total=epochs * per_epoch, epochs_total=epochs, steps_per_epoch=per_epoch,
                     config={"lr": rate, "batch_size": size, "optimizer": "sgd", "momentum": 0.9, **(config or {})},
                     goal={"metric": "acc", "mode": "max"})
    watcher = epochscope.watch(net, optimizer, log=out, every=every, budget=None, detail_every=rarer,
                               probe_every=rarer, spectra_every=2 * rarer, bins=24,
                               probe=(x[:200], y[:200]), val_probe=(xv[:200], yv[:200]))
    measures = Cockpit(net, F.cross_entropy, log=out, every=cockpit) if cockpit else None
    step, status = 0, None
    for epoch in range(1, epochs + 1):
        net.train()
        for xb, yb in batches(x, y, size):
            step += 1
            clock.now = START + 0.5 * step
            if before:
                xb, yb = before(step, xb, yb) or (xb, yb)
            optimizer.zero_grad()
            logits = net(xb)
            loss = F.cross_entropy(logits, yb)
            loss.backward()
            with measures.measure(step, xb, yb) if measures else contextlib.nullcontext():
                optimizer.step()
            if step == 1 or step % scalars == 0 or not torch.isfinite(loss):
                acc = (logits.argmax(1) == yb).float().mean()
                out.log_scalars(step, split="train", loss=loss, acc=acc)
            status = stop and stop(step)
            if status:
                break
        if status:
            break
        if epoch % evaluate:
            continue
        net.eval()
        with torch.no_grad():
            logits = net(xv)
        hit = (logits.argmax(1) == yv).float().mean()
        out.log_scalars(step, split="val", epoch=epoch, loss=F.cross_entropy(logits, yv), acc=hit, n=len(yv))
        out.log_confusion(step, (yv, logits), epoch=epoch)
        if predictions:
            some = slice(0, predictions)
            out.log_predictions(step, [f"v{i}" for i in range(predictions)], yv[some], logits=logits[some], epoch=epoch)
    watcher.remove()
    out.finish(status or "finished")
    size = os.path.getsize(out.path)
    print(f"{out.path}: {size} bytes, {step} steps, validation accuracy {hit:.3f}", out.troubles.counts)


GROUPS, MARKS = ["disc", "square", "triangle"], ["north", "east", "south", "west"]


def shapes(n, rng):
    """16 x 16 images: a disc, square or triangle somewhere, with a faint dark spot on one of four sides. The outline
    says the group, the spot the class."""
    y = rng.integers(0, 12, n)
    x = rng.normal(0, 0.45, (n, 16, 16))
    rows, columns = np.mgrid[0:16, 0:16]
    for image, c in zip(x, y):
        r0, c0 = rng.uniform(6.5, 8.5, 2)
        r, q = rows - r0, columns - c0
        inside = [np.hypot(r, q) < 5.6, np.maximum(abs(r), abs(q)) < 4.8, (r > -5) & (r < 5) & (2 * abs(q) < r + 5.5)]
        image += 1.6 * inside[c // 4]
        dr, dc = [(-2.6, 0), (0, 2.6), (2.6, 0), (0, -2.6)][c % 4]
        image -= 0.7 * (np.hypot(r - dr, q - dc) < 1.7)
    return torch.tensor(x, dtype=torch.float32).unsqueeze(1), torch.tensor(y)


def shape_groups():
    """The groups are told apart within the first epochs, the classes inside them much later."""
    seed(1)
    rng = np.random.default_rng(1)
    sets = (*shapes(1500, rng), *shapes(600, rng))
    net = cnn(16, 12)
    names = [f"{g}:{m}" for g in GROUPS for m in MARKS]
    train("shape-groups", net, sets, 24, names, torch.optim.SGD(net.parameters(), 0.005, momentum=0.9), every=24,
          scalars=6, rarer=144, predictions=24)


def dead_layer():
    """At step 320 something overwrites the biases of one layer: its units fall below zero, and nothing that comes after
    can bring them back."""
    seed(3)
    net = cnn(8, 10, gain=1.2)

    def before(step, xb, yb):
        if step == 320:
            with torch.no_grad():
                net.conv3.bias.fill_(-25.0)

    train("dead-layer", net, data(noise=0.2), 27, DIGITS, torch.optim.SGD(net.parameters(), 0.01, momentum=0.9), before,
          every=16, scalars=6, rarer=128)


def frozen_by_mistake():
    """The list of parameters that the optimiser is given was written by hand, and one layer was forgotten."""
    seed(6)
    net = cnn(8, 10, gain=1.0)
    given = [*net.conv1.parameters(), *net.conv3.parameters(), *net.fc1.parameters(), *net.fc2.parameters()]
    train("frozen-by-mistake", net, data(noise=0.2), 25, DIGITS, torch.optim.SGD(given, 0.01, momentum=0.9), every=15,
          scalars=6, rarer=120)


def vanishing():
    """Ten dense layers with sigmoids: what comes back to the first ones is a hundred-millionth."""
    seed(4)
    layers, width = [("flat", nn.Flatten())], 64
    for i in range(1, 10):
        layers += [(f"fc{i}", nn.Linear(width, 40)), (f"sigmoid{i}", nn.Sigmoid())]
        width = 40
    net = sequential(*layers, ("fc10", nn.Linear(width, 10)))
    train("vanishing", net, data(noise=0.3), 24, DIGITS, torch.optim.SGD(net.parameters(), 0.05, momentum=0.9),
          every=32, scalars=6, rarer=300)


def healthy():
    """Each layer's learning rate is annealed to a two-hundredth, the first layers' first (FreezeOut, Brock et al.
    2017): they become stable one after the other, from the input upwards. Fresh noise in each batch, so that nothing
    is over-fitted."""
    seed(21)  # one with which the order is plain: with most, the last layers rest for a while in between
    net = cnn(8, 10, pool2=False)
    # the share of the run after which a layer has come to rest
    rest = {"conv1": 0.15, "conv2": 0.35, "conv3": 0.55, "fc1": 0.75, "fc2": 0.9}
    groups = [{"params": getattr(net, name).parameters(), "rest": share} for name, share in rest.items()]
    optimizer = torch.optim.SGD(groups, 0.05, momentum=0.9)
    x, y, xv, yv = data()
    epochs, noise = 120, 0.3

    def before(step, xb, yb):
        for group in optimizer.param_groups:
            done = min(step / (epochs * 6 * group["rest"]), 1.0)
            group["lr"] = 0.05 * (0.005 + 0.995 * 0.5 * (1 + np.cos(np.pi * done)))
        return xb + noise * torch.randn(xb.shape), yb

    train("healthy", net, (x, y, xv + noise * torch.randn(xv.shape), yv), epochs, DIGITS, optimizer, before, every=15,
          scalars=10, rarer=240, evaluate=4, size=200, cockpit=15,
          config={"schedule": "freezeout", **{f"rest/{k}": v for k, v in rest.items()}})


class Sphere(nn.Module):
    """Divides each image's features by their length, which is 0 for an empty image."""

    def __init__(self):
        super().__init__()
        self.radius = nn.Parameter(torch.tensor([8.0]))

    def forward(self, x):
        return self.radius * x / x.flatten(1).norm(dim=1)[:, None, None, None]


def nan_in_layer():
    """At step 400 one image of the batch is empty and has no label. Its features are 0/0; the loss passes over it and
    is fine, but its gradient is not: from the next step on everything is NaN."""
    seed(6)
    net = sequential(
        ("conv1", nn.Conv2d(1, 8, 3, padding=1, bias=False)), ("relu1", nn.ReLU()), ("pool1", nn.MaxPool2d(2)),
        ("conv2", nn.Conv2d(8, 16, 3, padding=1, bias=False)), ("relu2", nn.ReLU()), ("sphere", Sphere()),
        ("flat", nn.Flatten()), ("fc1", nn.Linear(256, 32)), ("relu3", nn.ReLU()), ("fc2", nn.Linear(32, 10)))

    def before(step, xb, yb):
        if step == 400:
            xb, yb = xb.clone(), yb.clone()
            xb[7], yb[7] = 0.0, -100
            return xb, yb
        return None

    train("nan-in-layer", net, data(noise=0.3), 30, DIGITS, torch.optim.SGD(net.parameters(), 0.03, momentum=0.9),
          before, every=10, scalars=4, rarer=200, stop=lambda step: "failed" if step == 430 else None)


RUNS = [shape_groups, dead_layer, frozen_by_mistake, vanishing, healthy, nan_in_layer]

if __name__ == "__main__":
    torch.set_num_threads(1)
    for make in RUNS:
        if not sys.argv[1:] or make.__name__ in [a.replace("-", "_") for a in sys.argv[1:]]:
            make()
