"""Runs of a hand-written training loop that appends json.dumps(...) lines, as many research scripts do.

usage: python plain_jsonl.py
  jsonl/diverging.jsonl   momentum SGD whose learning rate is multiplied by 60 by mistake at step 300
  jsonl/shuffled.jsonl    labels that do not belong to the images: the loss stays at ln 10
  jsonl/killed.jsonl      a healthy run whose process was killed at half time, in the middle of a line
Written with torch 2.15.0 (CPU), scikit-learn 1.9.1, Python 3.11.
"""
import json
import os
import time

import torch
import torch.nn.functional as F

from digits import OUT, batches, data, grad_norm, mlp, seed

torch.set_num_threads(1)
folder = os.path.join(OUT, "jsonl")


def run(name, epochs, lr, labels=None, shock=None, kill_at=None, start=1_795_000_000.0, seconds=0.5):
    os.makedirs(os.path.join(folder, name), exist_ok=True)
    x, y, xv, yv = data(noise=0.2)
    if labels == "shuffled":
        y, yv = y[torch.randperm(len(y))], yv[torch.randperm(len(yv))]
    net = mlp(48)
    opt = torch.optim.SGD(net.parameters(), lr, momentum=0.9)
    step = 0
    lines = []
    for epoch in range(epochs):
        for xb, yb in batches(x, y, 50):
            if shock and step == shock:
                opt.param_groups[0]["lr"] *= 60
            opt.zero_grad()
            loss = F.cross_entropy(net(xb), yb)
            loss.backward()
            opt.step()
            step += 1
            if step % 2 == 0:
                lines.append({"step": step, "epoch": round(step / 24, 3), "time": round(start + step * seconds, 3),
                              "train": {"loss": loss.item(), "grad_norm": grad_norm(net), "lr": opt.param_groups[0]["lr"]}})
        with torch.no_grad():
            out = net(xv)
        lines.append({"step": step, "epoch": epoch + 1, "time": round(start + step * seconds, 3),
                      "val": {"loss": F.cross_entropy(out, yv).item(), "accuracy": (out.argmax(1) == yv).float().mean().item()}})
        if kill_at and step >= kill_at:
            break
    text = "".join(json.dumps(line) + "\n" for line in lines)  # json.dumps writes NaN and Infinity bare
    if kill_at:
        text = text[:-37]
    with open(os.path.join(folder, name, "metrics.jsonl"), "w") as f:
        f.write(text)
    print(name, len(text))


seed(9)
run("diverging", 24, 0.02, shock=300)
seed(10)
run("shuffled", 24, 0.02, labels="shuffled")
seed(11)
run("killed", 20, 0.02, kill_at=250)
