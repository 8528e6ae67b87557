"""What watching costs: the time of training steps with `epochscope.watch` over that without, in one run.

usage: python overhead.py [periods] [--no-budget]
Two equal networks train in turns of 50 steps, one watched at the default intervals, so that whatever else the machine
does meets both; time is the process's own on the CPU, with one thread. A period is 500 steps of each: five samples, one
of them detailed. The first period, with the sample that sets things up, is not counted. Printed: the median over the
periods, the least and largest, and the same of the two networks while neither is watched: what the machine adds.
"""
import os
import statistics
import sys
import tempfile
import time

import torch
import torch.nn.functional as F
from torch import nn

import epochscope

torch.set_num_threads(1)
PERIODS = int(next((a for a in sys.argv[1:] if a.isdigit()), 7))
# half of it, because the other network's time counts in it as well
BUDGET = {"budget": None if "--no-budget" in sys.argv else 0.0025}


def tiny():
    """8 x 8 digits, 50 a batch: a step takes a millisecond or two, so that nothing hides what watching costs."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10),
    ), (50, 1, 8, 8)


def small():
    """A small CNN on images of CIFAR's size, 64 a batch."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(),
        nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, 10),
    ), (64, 3, 32, 32)


def trainer(make):
    """A network with its optimiser and a function that trains it for some steps and returns the seconds."""
    torch.manual_seed(0)
    net, shape = make()
    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9)
    x, y = torch.randn(shape), torch.randint(0, 10, (shape[0],))

    def train(steps):
        start = time.process_time()
        for _ in range(steps):
            optimizer.zero_grad()
            F.cross_entropy(net(x), y).backward()
            optimizer.step()
        return time.process_time() - start

    return net, optimizer, train


def period(first, second):
    """What 500 steps of the first take more than 500 of the second, as a share, and the seconds of a step."""
    times = [0.0, 0.0]
    for turn in range(10):
        for who in ((0, 1), (1, 0))[turn % 2]:
            times[who] += (first, second)[who](50)
    return times[0] / times[1] - 1, times[1] / 500


def shown(ratios):
    """The median, and the least and largest."""
    return f"{100 * statistics.median(ratios):+.2f} % ({100 * min(ratios):+.2f} … {100 * max(ratios):+.2f})"


for make in (small, tiny):
    net, optimizer, watched = trainer(make)
    plain = trainer(make)[2]
    period(watched, plain)
    control = [period(watched, plain)[0] for _ in range(PERIODS)]
    with tempfile.TemporaryDirectory() as folder, epochscope.Log(os.path.join(folder, "run")) as log:
        watcher = epochscope.watch(net, optimizer, log=log, **BUDGET)
        period(watched, plain)
        ratios, steps = zip(*[period(watched, plain) for _ in range(PERIODS)])
        watcher.remove()
        size = os.path.getsize(log.path) / (PERIODS + 1) / 1024
    print(f"{make.__name__:6} step {1e3 * statistics.median(steps):6.2f} ms   watched {shown(ratios)}, neither watched "
          f"{shown(control)}; {watcher.schedule.skipped} samples left out, {size:.0f} KiB per 500 steps", flush=True)
