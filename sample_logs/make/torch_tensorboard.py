"""Runs logged by torch.utils.tensorboard.SummaryWriter: healthy, overfitting, going NaN, dead units, restarted, everything.

usage: python torch_tensorboard.py [NAME...]     (default: all)
Written with torch 2.15.0 (CPU), tensorboard 2.21.0, scikit-learn 1.9.1, Python 3.11.
"""
import os
import shutil
import subprocess
import sys

import torch
import torch.nn.functional as F
from torch.utils.tensorboard import SummaryWriter

from digits import OUT, batches, cnn, data, grad_norm, mlp, seed

CPU = torch.device("cpu")


def evaluate(net, x, y, loss):
    net.eval()
    with torch.no_grad():
        out = net(x)
    net.train()
    return loss(out, y).item(), (out.argmax(1) == y).float().mean().item(), out


def histograms(writer, net, step):
    for name, p in net.named_parameters():
        if torch.isfinite(p).all():  # add_histogram raises on NaN
            writer.add_histogram(f"weights/{name}", p, step, bins=32)
        if p.grad is not None and torch.isfinite(p.grad).all():
            writer.add_histogram(f"grads/{name}", p.grad, step, bins=32)


def activations(writer, net, x, step):
    out = x
    for name, module in net.named_children():
        out = module(out)
        if isinstance(module, torch.nn.ReLU):
            writer.add_histogram(f"activations/{name}", out.detach(), step, bins=32)
            dead = (out.flatten(2).amax(2) if out.dim() == 4 else out).amax(0) <= 0
            writer.add_scalar(f"dead_units/{name}", dead.float().mean().item(), step)


def train(name, net, xs, epochs, optimizer, loss=F.cross_entropy, schedule=None, hist_every=2, log_every=1,
          start=0, purge=None, crash_at=None, after_step=None, acts=False, size=50):
    x, y, xv, yv = xs
    writer = SummaryWriter(os.path.join(OUT, name), purge_step=purge, flush_secs=1)
    step = start
    for epoch in range(epochs):
        for xb, yb in batches(x, y, size):
            optimizer.zero_grad()
            value = loss(net(xb), yb)
            value.backward()
            if step % log_every == 0:
                writer.add_scalar("train/loss", value.item(), step)
                writer.add_scalar("train/grad_norm", grad_norm(net), step)
                writer.add_scalar("train/lr", optimizer.param_groups[0]["lr"], step)
            optimizer.step()
            if schedule:
                schedule.step()
            if after_step:
                after_step(step, net, optimizer)
            step += 1
            if crash_at is not None and step >= crash_at:
                writer.flush()
                os._exit(9)
        val_loss, val_acc, _ = evaluate(net, xv, yv, loss)
        writer.add_scalar("val/loss", val_loss, step)
        writer.add_scalar("val/accuracy", val_acc, step)
        writer.add_scalar("epoch", epoch + 1, step)
        if epoch % hist_every == 0 or epoch == epochs - 1:
            histograms(writer, net, step)
            if acts:
                with torch.no_grad():
                    activations(writer, net, xv[:200], step)
    writer.close()
    return net, step


def healthy():
    """A small CNN that learns well: AdamW, cosine schedule, 16 epochs, 98 % validation accuracy."""
    seed(1)
    net = cnn()
    opt = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=0.05)
    train("torch-tensorboard/healthy", net, data(), 16, opt, hist_every=2,
          schedule=torch.optim.lr_scheduler.CosineAnnealingLR(opt, 16 * 24))


def overfit():
    """A wide MLP on 150 noisy images with 15 % wrong labels: validation loss turns up while training loss falls."""
    seed(2)
    net = mlp(128)
    train("torch-tensorboard/overfit", net, data(150, noise=0.3, wrong_labels=0.15), 60,
          torch.optim.Adam(net.parameters(), 1e-3), hist_every=12, size=25)


def goes_nan():
    """A hand-written, unstable cross entropy, log(softmax(x)), and too large a step: log(0) makes the loss NaN."""
    seed(3)
    net = mlp(64, 3)

    def unstable(out, y):
        return -(torch.log(torch.softmax(out, 1)) * F.one_hot(y, 10)).sum(1).mean()

    def shock(step, _net, opt):
        if step == 150:
            opt.param_groups[0]["lr"] = 1.5

    train("torch-tensorboard/nan", net, data(noise=0.2), 9, torch.optim.SGD(net.parameters(), 0.05, momentum=0.9),
          loss=unstable, hist_every=1, after_step=shock)


def dead_units():
    """Biases pushed far below zero early on: the hidden ReLU units die, the gradient vanishes, the loss stays at ln 10."""
    seed(4)
    net = mlp(64, 3)
    with torch.no_grad():
        net[3].bias.fill_(-4.0)
        net[5].bias.fill_(-4.0)
        net[7].bias.zero_()
        net[7].weight.mul_(0.01)
    train("torch-tensorboard/dead_units", net, data(noise=0.1), 14, torch.optim.SGD(net.parameters(), 0.05),
          hist_every=2, acts=True)


def restarted(part=None):
    """A run that dies at step 70 and is resumed from its checkpoint at step 48 with purge_step, into the same folder."""
    if part is None:
        for which in ("first", "second"):
            subprocess.run([sys.executable, __file__, f"restarted:{which}"], check=which == "second")
        return
    seed(5)
    net = cnn()
    opt = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9)
    if part == "first":
        train("torch-tensorboard/restarted", net, data(), 6, opt, hist_every=100, crash_at=70)
    else:
        # as if restored from the checkpoint of step 48: the same first two epochs, unlogged
        for _ in range(2):
            for xb, yb in batches(*data()[:2], 50):
                opt.zero_grad()
                F.cross_entropy(net(xb), yb).backward()
                opt.step()
        train("torch-tensorboard/restarted", net, data(), 4, opt, hist_every=100, start=48, purge=48)


def everything():
    """Every kind of summary that SummaryWriter knows, from one short real run."""
    seed(6)
    net = cnn()
    xs = data(noise=0.3)
    x, y, xv, yv = xs
    folder = os.path.join(OUT, "torch-tensorboard/everything")
    writer = SummaryWriter(folder, flush_secs=1)
    writer.add_graph(net, x[:1])
    writer.add_text("config", "| key | value |\n|--|--|\n| lr | 0.05 |\n| optimizer | sgd |", 0)
    writer.add_custom_scalars({"loss": {"both": ["Multiline", ["loss/train", "loss/val"]]}})
    opt = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9)
    step = 0
    for epoch in range(4):
        for xb, yb in batches(x, y, 50):
            opt.zero_grad()
            loss = F.cross_entropy(net(xb), yb)
            loss.backward()
            opt.step()
            writer.add_scalar("loss/train", loss.item(), step, new_style=True)
            step += 1
        val_loss, acc, out = evaluate(net, xv, yv, F.cross_entropy)
        writer.add_scalar("loss/val", val_loss, step)
        writer.add_scalar("accuracy/val", acc, step, double_precision=True, new_style=True)
        writer.add_scalars("loss_both", {"train": loss.item(), "val": val_loss}, step)
        histograms(writer, net, step)
        writer.add_images("samples", xv[:4].clamp(0, 1), step)
        writer.add_pr_curve("pr/digit_3", (yv == 3).float(), out.softmax(1)[:, 3], step, num_thresholds=21)
        writer.add_text("sample", f"epoch {epoch}: validation loss {val_loss:.4f}", step)
    writer.add_mesh("points", torch.rand(1, 12, 3), global_step=step)
    writer.add_embedding(xv[:40].flatten(1), metadata=[str(v) for v in yv[:40].tolist()], global_step=step, tag="digits")
    writer.add_hparams({"lr": 0.05, "batch_size": 50, "optimizer": "sgd", "nesterov": False},
                       {"hparam/accuracy": acc, "hparam/loss": val_loss}, run_name="hp")
    writer.close()


RUNS = {"healthy": healthy, "overfit": overfit, "nan": goes_nan, "dead_units": dead_units,
        "restarted": restarted, "everything": everything}

if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or RUNS:
        name, _, part = name.partition(":")
        if not part:
            shutil.rmtree(os.path.join(OUT, "torch-tensorboard", name), ignore_errors=True)
        RUNS[name](*([part] if part else []))
        print(name, "written", flush=True)
