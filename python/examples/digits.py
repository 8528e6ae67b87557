"""A small CNN learns digits while epochscope watches.

usage: python digits.py [folder] [--epochs N] [--slow SECONDS_A_STEP]
In another terminal: epochscope FOLDER
Needs torch; scikit-learn's digits are used if they are there, else images of bars are drawn.
"""
import argparse
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import epochscope

NAMES = ["round:zero", "straight:one", "mixed:two", "round:three", "straight:four", "mixed:five", "round:six",
         "straight:seven", "round:eight", "round:nine"]


def data(rng):
    """Images [n, 1, 8, 8] with values of 0…1 and their classes."""
    try:
        from sklearn.datasets import load_digits

        digits = load_digits()
        x, y = digits.images / 16.0, digits.target
    except ImportError:
        y = rng.integers(0, 10, 1797)
        x = np.zeros((len(y), 8, 8))
        for image, c in zip(x, y):  # a bar in one of five places, upright or lying
            place = c % 5 + rng.integers(0, 3)
            image[(slice(None), place) if c < 5 else (place, slice(None))] = 1
    order = rng.permutation(len(y))
    x = x[order] + 0.25 * rng.standard_normal(x.shape)
    return torch.tensor(x, dtype=torch.float32).unsqueeze(1), torch.tensor(y[order])


def main():
    """Trains."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default="runs/digits")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--slow", type=float, default=0.1, help="seconds of rest after each step")
    args = parser.parse_args()

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    x, y = data(rng)
    x_train, y_train, x_val, y_val = x[:1200], y[:1200], x[1200:], y[1200:]
    net = nn.Sequential()
    for name, layer in [("conv1", nn.Conv2d(1, 8, 3, padding=1)), ("relu1", nn.ReLU()), ("pool1", nn.MaxPool2d(2)),
                        ("conv2", nn.Conv2d(8, 16, 3, padding=1)), ("relu2", nn.ReLU()), ("pool2", nn.MaxPool2d(2)),
                        ("flat", nn.Flatten()), ("fc1", nn.Linear(64, 32)), ("relu3", nn.ReLU()),
                        ("fc2", nn.Linear(32, 10))]:
        net.add_module(name, layer)
    optimizer = torch.optim.SGD(net.parameters(), 0.03, momentum=0.9)
    steps = len(y_train) // 50
    config = {"lr": 0.03, "momentum": 0.9, "batch_size": 50, "optimizer": "sgd"}
    with epochscope.Log(args.folder, config=config, classes=NAMES, steps_total=args.epochs * steps,
                        epochs_total=args.epochs, steps_per_epoch=steps, goal={"metric": "acc", "mode": "max"}) as log:
        # a step takes a millisecond: without a budget, so that there is something to see early on
        epochscope.watch(net, optimizer, log=log, every=12, budget=None, probe=(x_train[:200], y_train[:200]),
                         val_probe=(x_val[:200], y_val[:200]), probe_every=24, detail_every=24)
        step = 0
        for epoch in range(1, args.epochs + 1):
            net.train()
            for batch in torch.randperm(len(y_train)).split(50):
                logits = net(x_train[batch])
                loss = F.cross_entropy(logits, y_train[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
                log.log_scalars(step, split="train", loss=loss, acc=(logits.argmax(1) == y_train[batch]).float().mean())
                time.sleep(args.slow)
            net.eval()
            with torch.no_grad():
                logits = net(x_val)
            loss, acc = F.cross_entropy(logits, y_val), (logits.argmax(1) == y_val).float().mean()
            log.log_scalars(step, split="val", epoch=epoch, loss=loss, acc=acc)
            log.log_confusion(step, (y_val, logits), epoch=epoch)
            log.log_predictions(step, range(100), y_val[:100], logits=logits[:100], epoch=epoch)
            print(f"epoch {epoch}: validation loss {loss:.3f}, accuracy {acc:.3f}", flush=True)


if __name__ == "__main__":
    main()
