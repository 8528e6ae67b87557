"""One training loop for all supervised tasks; faults reach into it through the hooks of `Fault`."""

import copy
import math
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
import torch.nn as nn

from clock import VirtualClock
from recording import Recording

RECURRENT = (nn.GRU, nn.LSTM)
ACTIVATIONS = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU)


@dataclass
class Plan:
    """Everything that was decided before the first step."""

    seed: int = 0
    steps: int = 600
    log_every: int = 5
    eval_every: int = 20
    n_train: int = 900
    n_val: int = 300
    batch: int = 32
    width: int = 48
    depth: int = 2
    activation: str = "relu"
    dropout: float = 0.0
    optimiser: str = "adam"
    lr: float = 2e-3
    weight_decay: float = 0.0
    schedule: str = "constant"
    warmup: int = 0
    clip: float = 0.0
    label_smoothing: float = 0.0
    label_noise: float = 0.0
    mixup: bool = False
    double_softmax: bool = False
    log_mean: bool = True
    log_ema: float = 0.0
    with_replacement: bool = False
    pretrain: int = 0
    frozen: tuple = ()
    batch_growth: int = 0
    layers_every: int = 0
    histograms: bool = False
    confusion: bool = False
    evaluations: bool = True
    late_metric: int = 0
    step_seconds: float = 1.0
    jitter: float = 0.05
    eval_pause: float = 5.0
    resume: tuple = ()
    loss_scale: bool = False
    memory: bool = False
    throughput: bool = False
    log_lr: bool = True
    log_grad_norm: bool = True
    kl_annealing: int = 0
    target_shift: float = 0.0
    extra: dict = field(default_factory=dict)

    def beta(self, step):
        """Weight of the divergence term of a variational autoencoder."""
        return min(1.0, step / self.kl_annealing) if self.kl_annealing else 1.0

    def rate(self, step):
        """The learning rate of the schedule."""
        if step <= self.warmup:
            return self.lr * step / self.warmup
        at = (step - self.warmup) / max(self.steps - self.warmup, 1)
        if self.schedule == "cosine":
            return self.lr * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * at)))
        if self.schedule == "restarts":
            phase = (at * 3) % 1.0
            return self.lr * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * phase)))
        if self.schedule == "one_cycle":
            return self.lr * (0.1 + 0.9 * (at / 0.3 if at < 0.3 else max(1.0 - (at - 0.3) / 0.7, 0.0)))
        if self.schedule == "step":
            return self.lr * 0.2 ** int(at * 3)
        if self.schedule == "wsd":
            return self.lr * (1.0 if at < 0.8 else max((1.0 - at) / 0.2, 0.01))
        return self.lr


class Fault:
    """Hooks into the loop; this one does nothing. `at` is the step of the injection."""

    name = ""
    at = 0

    def build(self, ctx):
        """After the network was made, before the first step."""

    def rate(self, ctx, step, lr):
        """The learning rate that is really used (and logged)."""
        return lr

    def before(self, ctx, step):
        """At the start of a step."""

    def batch(self, ctx, step, x, y):
        """The data that the network is given."""
        return x, y

    def loss(self, ctx, step, loss):
        """The objective that is minimised and logged."""
        return loss

    def gradients(self, ctx, step):
        """After backward."""

    def after(self, ctx, step):
        """After the optimiser's step."""

    def slowness(self, ctx, step):
        """How many times longer than usual the step takes."""
        return 1.0

    def evaluation(self, ctx, step, values, matrix):
        """What is logged of an evaluation; `None` for nothing."""
        return values, matrix

    def scalars(self, ctx, step, values):
        """What is logged of a training step."""
        return values

    def stops(self, ctx, step):
        """True when the writer falls silent."""
        return False


class Context:
    """The state of a training, for the loop and the faults."""

    def __init__(self, task, plan, fault):
        self.task, self.plan, self.fault = task, plan, fault
        self.rng = np.random.default_rng(plan.seed)
        torch.manual_seed(plan.seed)
        self.x, self.y, self.xv, self.yv = task.data(
            np.random.default_rng(plan.seed + 1), plan.n_train, plan.n_val, plan.label_noise
        )
        self.net = task.model(plan)
        self.batch_size = plan.batch
        self.lr_multiplier = {}
        self.recording = Recording(classes=task.classes, steps_total=plan.steps)
        self.recording.metric = {"classify": "accuracy", "regress": "mae"}.get(task.kind, "")
        self.recording.steps_per_epoch = max(len(self.x) // plan.batch, 1)
        self.recording.batch_size = plan.batch
        self.recording.hparams = {
            k: v for k, v in asdict(plan).items() if k in ("lr", "batch", "optimiser", "schedule", "weight_decay", "seed")
        }
        self.clock = VirtualClock(np.random.default_rng(plan.seed + 2), plan.step_seconds, plan.jitter)
        self.scale, self.good_steps = 65536.0, 0
        self.notes = {}

    def layers(self):
        """(name, module) of everything that has weights, in order."""
        return [(n, m) for n, m in self.net.named_modules() if isinstance(getattr(m, "weight", None), nn.Parameter)
                and m.weight.dim() > 1] + [(n, m) for n, m in self.net.named_modules() if isinstance(m, RECURRENT)]

    def optimiser(self):
        """One parameter group a layer, so that a fault can give one of them its own rate."""
        owners = {}
        for n, p in self.net.named_parameters():
            if p.requires_grad:
                owners.setdefault(n.rpartition(".")[0], []).append(p)
        groups = [{"params": ps, "layer": n} for n, ps in owners.items()]
        lr, decay = self.plan.lr, self.plan.weight_decay
        name = self.plan.optimiser
        if name == "sgd":
            return torch.optim.SGD(groups, lr, weight_decay=decay, foreach=True)
        if name == "momentum":
            return torch.optim.SGD(groups, lr, momentum=0.9, weight_decay=decay, foreach=True)
        if name == "rmsprop":
            return torch.optim.RMSprop(groups, lr, weight_decay=decay, foreach=True)
        kind = torch.optim.AdamW if name == "adamw" else torch.optim.Adam
        return kind(groups, lr, weight_decay=decay, foreach=True)


def _batches(ctx):
    """Endless shuffled batches; by epochs, or drawn with replacement."""
    while True:
        order = ctx.rng.permutation(len(ctx.x))
        if ctx.plan.with_replacement:
            order = ctx.rng.integers(0, len(ctx.x), len(ctx.x))
        for at in range(0, max(len(order) - ctx.batch_size + 1, 1), ctx.batch_size):
            pick = torch.from_numpy(order[at : at + ctx.batch_size])
            yield ctx.x[pick], ctx.y[pick]


def _statistics(values):
    v = values.detach().flatten().double()
    return {
        "mean": v.mean().item(),
        "std": v.std().item() if v.numel() > 1 else 0.0,
        "min": v.min().item(),
        "max": v.max().item(),
        "absmean": v.abs().mean().item(),
        "norm": v.norm().item(),
        "numel": v.numel(),
        "zero": (v == 0).float().mean().item(),
        "nan": int(v.isnan().sum()),
        "inf": int(v.isinf().sum()),
    }


def _say_hist(ctx, step, epoch, name, kind, values):
    v = values.detach().flatten().numpy()
    v = v[np.isfinite(v)]
    if not ctx.plan.histograms or not v.size:
        return
    low, high = float(v.min()), float(v.max())
    if not high > low:
        high = low + 1e-6 * max(abs(low), 1.0)
    counts, edges = np.histogram(v.astype(np.float64), 20, (low, high))
    values = {"name": name, "kind": kind, "counts": counts.tolist(), "edges": edges.tolist()}
    values |= {"sum": float(v.sum()), "sumsq": float((v.astype(np.float64) ** 2).sum()), "num": int(v.size)}
    ctx.recording.say("hist", step, ctx.clock.now, values, epoch=epoch)


def _weight_of(module):
    return module.weight_hh_l0 if isinstance(module, RECURRENT) else module.weight


def _say_layers(ctx, step, epoch, before):
    """Statistics of weights, gradients and activations of every layer."""
    say, now = ctx.recording.say, ctx.clock.now
    for name, module in ctx.layers():
        weight = _weight_of(module)
        stats = _statistics(weight)
        stats["update_norm"] = (weight.double() - before[name].double()).norm().item()
        say("layer", step, now, {"name": name, "kind": "weight", **stats}, epoch=epoch)
        _say_hist(ctx, step, epoch, name, "weight", weight)
        if weight.grad is not None:
            say("layer", step, now, {"name": name, "kind": "grad", **_statistics(weight.grad)}, epoch=epoch)
            _say_hist(ctx, step, epoch, name, "grad", weight.grad)
    for name, (kind, a) in _activations(ctx).items():
        stats = _statistics(a)
        units = a.transpose(0, 1).flatten(1) if a.dim() == 4 else a.reshape(-1, a.shape[-1]).T
        if kind is nn.ReLU:
            stats["dead"] = (units.amax(1) <= 0).float().mean().item()
        elif kind in (nn.Tanh, nn.Sigmoid):
            low = -0.99 if kind is nn.Tanh else 0.01
            stats["saturated"] = ((units < low) | (units > 0.99)).float().mean().item()
        say("layer", step, now, {"name": name, "kind": "act", **stats}, epoch=epoch)
        _say_hist(ctx, step, epoch, name, "act", a)


@torch.no_grad()
def _activations(ctx):
    caught, handles = {}, []
    for name, module in ctx.net.named_modules():
        if isinstance(module, ACTIVATIONS):
            handles.append(module.register_forward_hook(
                lambda m, _, out, name=name: caught.__setitem__(name, (type(m), out.detach()))))
    ctx.net(ctx.fault.batch(ctx, ctx.step, ctx.x[:64], ctx.y[:64])[0])
    for handle in handles:
        handle.remove()
    return caught


def _pretrain(ctx):
    """Fine-tuning starts from a net that was trained on the same kind of data."""
    x, y, _, _ = ctx.task.data(np.random.default_rng(ctx.plan.seed + 77), ctx.plan.n_train, 30)
    opt = torch.optim.Adam(ctx.net.parameters(), ctx.task.rates["adam"])
    for _ in range(ctx.plan.pretrain):
        pick = torch.from_numpy(ctx.rng.integers(0, len(x), 64))
        opt.zero_grad()
        loss, _ = ctx.task.loss(ctx.net, x[pick], y[pick], ctx.plan, ctx.plan.steps)
        loss.backward()
        opt.step()


def _scaled(ctx, loss):
    """Dynamic loss scaling with half precision played: what overflows 65,504 skips the step. True: go on."""
    top = max((p.grad.abs().max().item() for p in ctx.net.parameters() if p.grad is not None), default=0.0)
    overflow = ctx.notes.pop("overflow", False) or not math.isfinite(top) or top * ctx.scale > 65504.0
    if overflow:
        ctx.scale, ctx.good_steps = ctx.scale / 2, 0
        return False
    ctx.good_steps += 1
    if ctx.good_steps >= 120:
        ctx.scale, ctx.good_steps = ctx.scale * 2, 0
    return True


class _Meter:
    """What is logged of the training loss: the mean since the last log, the last value, or a running mean."""

    def __init__(self, plan):
        self.plan, self.sum, self.count, self.ema = plan, 0.0, 0, None

    def add(self, value):
        self.sum, self.count, self.last = self.sum + value, self.count + 1, value
        a = self.plan.log_ema
        self.ema = value if self.ema is None else a * self.ema + (1 - a) * value

    def take(self):
        mean = self.sum / max(self.count, 1)
        self.sum, self.count = 0.0, 0
        if self.plan.log_ema:
            return self.ema
        return mean if self.plan.log_mean else self.last


def _norm(net):
    total = sum((p.grad.double() ** 2).sum().item() for p in net.parameters() if p.grad is not None)
    return math.sqrt(total) if math.isfinite(total) and total >= 0 else float(total)


def _one_step(ctx, step, x, y):
    """Forward, backward, update. Returns loss, gradient norm and what else to log."""
    plan, fault = ctx.plan, ctx.fault
    x, y = fault.batch(ctx, step, x, y)
    if plan.mixup and x.is_floating_point() and ctx.task.kind == "classify":
        part = float(ctx.rng.beta(0.4, 0.4))
        order = torch.from_numpy(ctx.rng.permutation(len(x)))
        mixed = part * x + (1 - part) * x[order]
        first, extra = ctx.task.loss(ctx.net, mixed, y, plan, step)
        second, _ = ctx.task.loss(ctx.net, mixed, y[order], plan, step)
        loss = part * first + (1 - part) * second
    else:
        loss, extra = ctx.task.loss(ctx.net, x, y, plan, step)
    loss = fault.loss(ctx, step, loss)
    ctx.opt.zero_grad(set_to_none=True)
    loss.backward()
    fault.gradients(ctx, step)
    grad_norm = _norm(ctx.net)
    if plan.clip:
        torch.nn.utils.clip_grad_norm_(ctx.net.parameters(), plan.clip)
    if not plan.loss_scale or _scaled(ctx, loss):
        ctx.opt.step()
    elif plan.loss_scale:
        ctx.notes["skipped"] = ctx.notes.get("skipped", 0) + 1
    return loss.item(), grad_norm, extra


def _say_step(ctx, step, epoch, meter, grad_norm, lr, extra):
    plan = ctx.plan
    values = {"loss": meter.take(), **extra}
    if plan.log_lr:
        values["lr"] = lr
    if plan.log_grad_norm:
        values["grad_norm"] = grad_norm
    if plan.loss_scale:
        values["loss_scale"] = ctx.scale
        values["skipped"] = ctx.notes.get("skipped", 0)
    if plan.memory:
        values["memory"] = 61.0 + 0.4 * ctx.rng.standard_normal() + 2.0 * (1 - math.exp(-step / 20))
    if plan.throughput:
        values["samples_per_s"] = ctx.batch_size / ctx.clock.last
    if plan.batch_growth:
        values["batch_size"] = ctx.batch_size
    ctx.recording.say("scalars", step, ctx.clock.now, ctx.fault.scalars(ctx, step, values), epoch=epoch)


def _say_evaluation(ctx, step, epoch):
    plan = ctx.plan
    values, matrix = ctx.task.evaluate(ctx.net, ctx.xv, ctx.yv, plan, step)
    if step < plan.late_metric and ctx.recording.metric in values:
        values[ctx.recording.metric] = math.nan
    values, matrix = ctx.fault.evaluation(ctx, step, values, matrix)
    ctx.clock.pause(plan.eval_pause * (1 + 0.1 * ctx.rng.random()))
    if values is not None:
        ctx.recording.say("scalars", step, ctx.clock.now, values, "val", epoch)
    if plan.confusion and matrix is not None and values is not None:
        ctx.recording.say("confusion", step, ctx.clock.now, {"m": matrix.tolist()}, "val", epoch)


def _state(ctx):
    return copy.deepcopy((ctx.net.state_dict(), ctx.opt.state_dict()))


def _resume(ctx, keep_optimiser):
    ctx.clock.pause(120 + 400 * ctx.rng.random())
    ctx.recording.segment += 1
    ctx.net.load_state_dict(ctx.saved[0])
    ctx.opt = ctx.optimiser()
    if keep_optimiser:
        ctx.opt.load_state_dict(ctx.saved[1])


def train(task, plan, fault=None):
    """Runs a plan to its end and returns the recording."""
    fault = fault or Fault()
    ctx = Context(task, plan, fault)
    ctx.step = 0
    if plan.pretrain:
        _pretrain(ctx)
    for name, p in ctx.net.named_parameters():
        if any(name.startswith(f) for f in plan.frozen):
            p.requires_grad_(False)
    fault.build(ctx)
    ctx.opt = ctx.optimiser()
    ctx.meter = meter = _Meter(plan)
    stream = _batches(ctx)
    step, resumes = 0, list(plan.resume)
    while step < plan.steps:
        step += 1
        ctx.step = step
        if resumes and step == resumes[0][0]:
            at, back, keep = resumes.pop(0)
            _resume(ctx, keep)
            step = ctx.step = back + 1
        if plan.batch_growth and step % plan.batch_growth == 0:
            ctx.batch_size = min(2 * ctx.batch_size, len(ctx.x))
        fault.before(ctx, step)
        lr = fault.rate(ctx, step, plan.rate(step))
        for group in ctx.opt.param_groups:
            group["lr"] = lr * ctx.lr_multiplier.get(group["layer"], 1.0)
        speaks_of_layers = plan.layers_every and (step % plan.layers_every == 0 or step == 1)
        before = {n: _weight_of(m).detach().clone() for n, m in ctx.layers()} if speaks_of_layers else None
        x, y = next(stream)
        loss, grad_norm, extra = _one_step(ctx, step, x, y)
        fault.after(ctx, step)
        meter.add(loss)
        growth = (ctx.batch_size / plan.batch) ** 0.8
        ctx.clock.step(fault.slowness(ctx, step) * growth)
        epoch = step * plan.batch / max(len(ctx.x), 1)
        if step % plan.log_every == 0 or step == 1:
            _say_step(ctx, step, epoch, meter, grad_norm, lr, extra)
        if speaks_of_layers:
            _say_layers(ctx, step, epoch, before)
        if plan.evaluations and step % plan.eval_every == 0:
            _say_evaluation(ctx, step, epoch)
        if resumes and step == resumes[0][1]:
            ctx.saved = _state(ctx)
        if fault.stops(ctx, step):
            ctx.recording.finished = False
            break
    ctx.recording.now_end = ctx.clock.now + 1.0
    ctx.recording.notes = ctx.notes
    return ctx.recording
