"""A digit classifier that writes the native log: layers, histograms, confusion matrices over epochs, predictions.

usage: python scope_classifier.py
Written with torch 2.15.0 (CPU), scikit-learn 1.9.1, Python 3.11.
"""
import json
import os
import time

import torch
import torch.nn.functional as F

from digits import OUT, batches, cnn, data, grad_norm, seed

seed(7)
torch.set_num_threads(1)
folder = os.path.join(OUT, "scope", "digits-cnn")
os.makedirs(folder, exist_ok=True)
path = os.path.join(folder, "digits.scope.jsonl")
out = open(path, "w", buffering=1)
EPOCHS, LR = 14, 0.03


def write(t, **fields):
    out.write(json.dumps({"t": t, **fields}, separators=(",", ":")) + "\n")


def g(x):
    return float(f"{float(x.detach() if torch.is_tensor(x) else x):.6g}")


def layer(step, name, kind, v, **more):
    v = v.detach().flatten()
    write("layer", step=step, name=name, kind=kind, mean=g(v.mean()), std=g(v.std()), min=g(v.min()), max=g(v.max()),
          absmean=g(v.abs().mean()), norm=g(v.norm()), numel=v.numel(), zero=g((v == 0).float().mean()),
          nan=int(v.isnan().sum()), inf=int(v.isinf().sum()), **more)


def hist(step, name, kind, v, bins=24):
    v = v.detach().flatten()
    counts, edges = torch.histogram(v, bins)
    write("hist", step=step, name=name, kind=kind, edges=[g(e) for e in edges], counts=[int(c) for c in counts])


x, y, xv, yv = data(noise=0.45)
net = cnn()
first = {n: p.detach().clone() for n, p in net.named_parameters()}
opt = torch.optim.SGD(net.parameters(), LR, momentum=0.9)
per_epoch = len(y) // 50
out.write(json.dumps({"epochscope": 1, "t": "run", "name": "digits-cnn", "id": "sample", "segment": 0,
                      "started": time.time(), "task": "classification", "framework": f"torch {torch.__version__}",
                      "goal": {"metric": "acc", "mode": "max"}, "steps_total": EPOCHS * per_epoch,
                      "epochs_total": EPOCHS, "steps_per_epoch": per_epoch}, separators=(",", ":")) + "\n")
write("hparams", values={"lr": LR, "batch_size": 50, "optimizer": "sgd", "momentum": 0.9, "noise": 0.45, "seed": 7})
write("classes", task="main", names=["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
step = 0
for epoch in range(1, EPOCHS + 1):
    for xb, yb in batches(x, y, 50):
        opt.zero_grad()
        logits = net(xb)
        loss = F.cross_entropy(logits, yb)
        loss.backward()
        before = {n: p.detach().clone() for n, p in net.named_parameters()}
        opt.step()
        step += 1
        write("scalar", step=step, wall=time.time(), split="train",
              v={"loss": g(loss), "acc": g((logits.argmax(1) == yb).float().mean()), "lr": LR, "grad_norm": g(grad_norm(net))})
    for n, p in net.named_parameters():
        layer(step, n, "weight", p, update_norm=g((p - before[n]).norm()), dist_init=g((p - first[n]).norm()))
        layer(step, n, "grad", p.grad)
        if n.endswith("weight") and epoch % 2 == 1:
            hist(step, n, "weight", p)
            hist(step, n, "grad", p.grad)
    with torch.no_grad():
        a = xv
        for n, module in net.named_children():
            a = module(a)
            if isinstance(module, torch.nn.ReLU):
                units = a.flatten(2).amax(2) if a.dim() == 4 else a
                layer(step, f"{n}.relu", "act", a, dead=g((units.amax(0) <= 0).float().mean()), density=g((a > 0).float().mean()))
        logits = net(xv)
        predicted = logits.argmax(1)
    write("scalar", step=step, epoch=epoch, wall=time.time(), split="val", n=len(yv),
          v={"loss": g(F.cross_entropy(logits, yv)), "acc": g((predicted == yv).float().mean())})
    m = torch.zeros(10, 10, dtype=torch.int64)
    for t, p in zip(yv, predicted):
        m[t, p] += 1
    write("confusion", step=step, epoch=epoch, split="val", rows="true", labels="main", m=m.tolist(), weighted=False)
    write("pred", step=step, epoch=epoch, split="val", id=[str(i) for i in range(12)], y=yv[:12].tolist(), yhat=predicted[:12].tolist(),
          p=[[g(v) for v in row] for row in logits[:12].softmax(1)])
    if epoch % 5 == 0:
        write("event", step=step, kind="checkpoint", v=f"checkpoints/{step}.pt")
write("text", step=step, name="summary", v=f"{EPOCHS} epochs, validation accuracy {g((predicted == yv).float().mean())}")
write("event", kind="end", status="finished")
out.close()
print(path, os.path.getsize(path))
