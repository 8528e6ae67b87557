"""The data and small networks that the sample runs train on: scikit-learn's digits (1,797 images of 8x8)."""
import os
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

OUT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))


def seed(n):
    random.seed(n)
    np.random.seed(n)
    torch.manual_seed(n)


def data(train=1200, noise=0.0, wrong_labels=0.0, seed_=0):
    """(x_train, y_train, x_val, y_val); pixels 0..1. `noise` blurs images, `wrong_labels` is a share of train."""
    rng = np.random.default_rng(seed_)
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    x = (digits.images[order] / 16.0).astype("float32")
    x += noise * rng.standard_normal(x.shape).astype("float32")
    y = digits.target[order].astype("int64")
    y_train = y[:train].copy()
    wrong = rng.random(train) < wrong_labels
    y_train[wrong] = rng.integers(0, 10, wrong.sum())
    t = torch.from_numpy
    return t(x[:train]).unsqueeze(1), t(y_train), t(x[-597:]).unsqueeze(1), t(y[-597:])


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10),
    )


def mlp(hidden=64, depth=2):
    layers, width = [nn.Flatten()], 64
    for _ in range(depth):
        layers += [nn.Linear(width, hidden), nn.ReLU()]
        width = hidden
    return nn.Sequential(*layers, nn.Linear(width, 10))


def batches(x, y, size=50):
    order = torch.randperm(len(y))
    for i in range(0, len(y) - size + 1, size):
        pick = order[i : i + size]
        yield x[pick], y[pick]


def grad_norm(net):
    return torch.sqrt(sum((p.grad.detach() ** 2).sum() for p in net.parameters() if p.grad is not None)).item()
