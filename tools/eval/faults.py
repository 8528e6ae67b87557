"""The faults: what is broken on purpose, where, and which rules name it.

`RECIPES[class]` lists functions `(task, plan, rng) -> Fault`; they may change the plan. Each has the tasks and the
writers that it makes sense for.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn as nn

import writers as w
from trainer import Fault, _weight_of

# Rules that are right for the cause, and those of them that name it on the first card.
EXPECTED = {
    "overfitting": (["overfitting", "generalisation_gap"], ["overfitting", "generalisation_gap"]),
    "nan": (["nan"], ["nan"]),
    "divergence": (["divergence", "nan"], ["divergence", "nan", "learning_rate"]),
    "loss_spike": (["loss_spike"], ["loss_spike"]),
    "gradient_surge": (["gradient_surge"], ["gradient_surge", "exploding_gradient"]),
    "not_learning": (["not_learning"], ["not_learning"]),
    "oscillation": (["oscillation"], ["oscillation", "learning_rate"]),
    "plateau": (["plateau"], ["plateau"]),
    "slow_convergence": (["slow_convergence"], ["slow_convergence"]),
    "learning_rate": (["learning_rate"], ["learning_rate"]),
    "vanishing_gradient": (["vanishing_gradient"], ["vanishing_gradient"]),
    "exploding_gradient": (["exploding_gradient", "gradient_surge"], ["exploding_gradient", "gradient_surge"]),
    "dead_units": (["dead_units"], ["dead_units"]),
    "saturated_units": (["saturated_units"], ["saturated_units"]),
    "frozen_layer": (["frozen_layer"], ["frozen_layer"]),
    "unstable_layer": (["unstable_layer"], ["unstable_layer"]),
    "poor_initialisation": (["poor_initialisation"], ["poor_initialisation"]),
    "class_collapse": (["class_collapse"], ["class_collapse"]),
    "class_confusion": (["class_confusion"], ["class_confusion"]),
    "class_imbalance": (["class_imbalance"], ["class_imbalance"]),
    "stalled": (["stalled"], ["stalled"]),
    "throughput_drop": (["throughput_drop"], ["throughput_drop"]),
    "memory": (["memory"], ["memory"]),
    "loss_scale": (["loss_scale"], ["loss_scale"]),
    "resume": (["resume"], ["resume"]),
    "validation": (["validation"], ["validation"]),
    "metric_disagreement": (["metric_disagreement"], ["metric_disagreement", "overfitting"]),
    "rl_gan": (["rl_gan"], ["rl_gan"]),
}

# Consequences that come with the cause: neither right nor wrong.
RELATED = {
    "nan": ["divergence", "gradient_surge", "exploding_gradient", "loss_spike"],
    "divergence": ["gradient_surge", "loss_spike", "learning_rate", "exploding_gradient", "oscillation"],
    "loss_spike": ["gradient_surge", "learning_rate"],
    "gradient_surge": ["exploding_gradient", "loss_spike", "divergence", "learning_rate"],
    "not_learning": ["plateau", "class_collapse", "frozen_layer"],
    "oscillation": ["learning_rate", "loss_spike"],
    "learning_rate": ["divergence", "loss_spike", "gradient_surge", "oscillation"],
    "vanishing_gradient": ["not_learning", "plateau", "class_collapse", "saturated_units", "frozen_layer"],
    "exploding_gradient": ["divergence", "nan", "loss_spike", "learning_rate", "poor_initialisation"],
    "dead_units": ["divergence", "not_learning", "plateau", "loss_spike", "frozen_layer", "vanishing_gradient"],
    "saturated_units": ["poor_initialisation", "vanishing_gradient", "not_learning"],
    "frozen_layer": ["plateau"],
    "unstable_layer": ["divergence", "loss_spike", "gradient_surge", "learning_rate", "exploding_gradient"],
    "poor_initialisation": ["exploding_gradient", "gradient_surge", "not_learning", "class_collapse"],
    "class_collapse": ["divergence", "loss_spike", "overfitting", "metric_disagreement", "validation"],
    "class_confusion": ["plateau"],
    "memory": [],
    "loss_scale": ["nan", "plateau", "divergence"],
    "resume": ["loss_spike", "divergence", "learning_rate", "gradient_surge"],
    "metric_disagreement": ["overfitting", "generalisation_gap"],
    "overfitting": ["metric_disagreement"],
    "rl_gan": ["divergence", "learning_rate", "loss_spike"],
    "validation": ["generalisation_gap"],
}

DENSE = ["digits-mlp", "diabetes-regression", "spirals-mlp", "density-regression", "wine-mlp", "breast-cancer-mlp",
         "friedman-regression"]
CLASSIFY = ["digits-mlp", "shapes-cnn", "spirals-mlp", "digits-cnn", "wine-mlp", "breast-cancer-mlp", "textures-cnn"]
REGRESS = ["diabetes-regression", "density-regression", "friedman-regression"]
SUPERVISED = [*CLASSIFY, *REGRESS, "char-gru", "char-transformer", "vae", "char-lstm", "autoencoder"]
QUICK = [t for t in SUPERVISED if not t.startswith("char")]


@dataclass
class Recipe:
    """One way to bring a fault about."""

    make: object
    tasks: list
    writers: list = field(default_factory=lambda: w.CURVES)
    note: str = ""


RECIPES = {}


def recipe(fault, tasks=None, writers=None):
    """Enters a function into `RECIPES`; its doc string says what is broken."""

    def enter(make):
        entry = Recipe(make, tasks or SUPERVISED, writers or w.CURVES, make.__doc__)
        RECIPES.setdefault(fault, []).append(entry)
        return make

    return enter


class Injected(Fault):
    """A fault whose hooks are given as functions."""

    def __init__(self, at, **hooks):
        self.at = at
        for name, function in hooks.items():
            setattr(self, name, function)


def moment(plan, rng, low=0.35, high=0.65):
    """A step somewhere in the middle."""
    return int(plan.steps * rng.uniform(low, high))


def stable(plan):
    """A plan that is calm by itself, so that what follows is the fault's doing."""
    plan.mixup, plan.schedule, plan.log_ema, plan.frozen, plan.resume = False, "constant", 0.0, (), ()
    plan.pretrain = plan.batch_growth = plan.late_metric = 0


# --- curves of the loss ------------------------------------------------------------------------------------------


@recipe("overfitting", [*CLASSIFY, *REGRESS, "char-gru", "char-transformer", "char-lstm"])
def shrunk_data(task, plan, rng):
    """A twentieth of the data, no regularisation, many epochs."""
    stable(plan)
    plan.n_train = {"lm": 60, "regress": 60, "density": 50}.get(task.kind, int(rng.integers(60, 140)))
    plan.batch = min(plan.batch, 20)
    plan.weight_decay = plan.dropout = plan.label_smoothing = 0.0
    plan.width, plan.optimiser, plan.lr = max(plan.width, 64), "adam", task.rates["adam"] * rng.uniform(1, 2)
    plan.steps = int(plan.steps * 1.3)
    return Injected(0)


@recipe("metric_disagreement", CLASSIFY, [x for x in w.CURVES if x != "nanogpt_text"])
def noisy_labels_over_confidence(task, plan, rng):
    """Few data, long training: the loss of the wrong ones grows while the accuracy holds or rises."""
    stable(plan)
    plan.n_train, plan.label_noise = int(rng.integers(150, 400)), float(rng.choice([0.0, 0.1]))
    plan.weight_decay = plan.label_smoothing = plan.dropout = 0.0
    plan.width, plan.optimiser, plan.lr = 64, "adam", task.rates["adam"] * rng.uniform(1, 2)
    plan.steps = int(plan.steps * 1.4)
    return Injected(0)


@recipe("nan")
def logarithm_of_zero(task, plan, rng):
    """A term log(p) with p = 0 from some step on."""
    stable(plan)
    at = moment(plan, rng, 0.2, 0.8)
    return Injected(at, loss=lambda ctx, s, loss: loss + torch.log(torch.zeros(())) * 0.0 if s >= at else loss)


@recipe("nan", QUICK)
def infinite_batch(task, plan, rng):
    """One batch holds an infinite input; the weights never recover."""
    stable(plan)
    at = moment(plan, rng, 0.2, 0.8)

    def batch(ctx, step, x, y):
        if step == at:
            x = x.clone()
            x[0] = float("inf")
        return x, y

    return Injected(at, batch=batch)


@recipe("nan")
def half_precision_overflow(task, plan, rng):
    """Gradients are cast to half precision without loss scaling after a jump: they overflow."""
    stable(plan)
    at = moment(plan, rng, 0.2, 0.8)

    def gradients(ctx, step):
        if step >= at:
            for p in ctx.net.parameters():
                if p.grad is not None:
                    p.grad = ((p.grad * 1e9).half().float()) * 0.0 + p.grad

    return Injected(at, gradients=gradients)


@recipe("divergence")
def rate_times_hundreds(task, plan, rng):
    """The learning rate in use jumps without the schedule knowing of it."""
    stable(plan)
    plan.log_lr = bool(rng.random() < 0.5)
    plan.clip = 0.0
    at, factor = moment(plan, rng), 10.0 ** rng.uniform(2.0, 3.0)
    return Injected(at, rate=lambda ctx, s, lr: lr * factor if s >= at else lr)


@recipe("divergence")
def flipped_sign(task, plan, rng):
    """The update goes uphill from some step on."""
    stable(plan)
    at = moment(plan, rng)

    def gradients(ctx, step):
        if step >= at:
            for p in ctx.net.parameters():
                if p.grad is not None:
                    p.grad.neg_()

    return Injected(at, gradients=gradients)


@recipe("divergence", QUICK)
def warm_up_to_too_much(task, plan, rng):
    """A warm-up that ends far above what the net can bear."""
    stable(plan)
    plan.optimiser = "momentum"
    plan.warmup = int(plan.steps * rng.uniform(0.3, 0.5))
    plan.lr = task.rates["momentum"] * rng.uniform(25, 80)
    plan.clip = 0.0
    return Injected(0)


@recipe("loss_spike", writers=w.SCALARS)
def corrupted_batches(task, plan, rng):
    """One to three batches of garbage with their labels shuffled, learned at a raised rate."""
    stable(plan)
    plan.log_every = min(plan.log_every, 2)
    at, length, factor = moment(plan, rng), int(rng.integers(1, 4)), rng.uniform(10, 40)

    def batch(ctx, step, x, y):
        if at <= step < at + length:
            y = y[torch.randperm(len(y))]
            x = x * 5 if x.is_floating_point() else torch.randint(0, 64, x.shape)
        return x, y

    return Injected(at, batch=batch, rate=lambda ctx, s, lr: lr * factor if at <= s < at + length else lr)


@recipe("loss_spike", writers=w.SCALARS)
def short_burst_of_rate(task, plan, rng):
    """The learning rate x 20 to 80 for a few steps."""
    stable(plan)
    plan.log_every = min(plan.log_every, 2)
    at, length, factor = moment(plan, rng), int(rng.integers(2, 20)), rng.uniform(20, 80)
    return Injected(at, rate=lambda ctx, s, lr: lr * factor if at <= s < at + length else lr)


@recipe("gradient_surge", CLASSIFY, ["tensorboard", "jsonl",
        "jsonl_hugging_face", "lightning_csv", "scope", "trainer_state"])
def rescaled_layers(task, plan, rng):
    """One layer is divided and the next multiplied by the same factor: same function, steeper slopes."""
    stable(plan)
    plan.activation, plan.log_grad_norm, plan.log_every = "relu", True, min(plan.log_every, 3)
    plan.optimiser, plan.clip, plan.lr = "sgd", 0.0, task.rates["sgd"] * 0.2
    at, factor = moment(plan, rng), float(rng.uniform(8, 30))

    @torch.no_grad()
    def before(ctx, step):
        if step == at:
            layers = [m for _, m in ctx.layers()]
            layers[-2].weight /= factor
            layers[-2].bias /= factor
            layers[-1].weight *= factor

    return Injected(at, before=before)


@recipe("gradient_surge", SUPERVISED, ["tensorboard", "jsonl", "jsonl_hugging_face", "lightning_csv", "scope",
        "trainer_state"])
def creeping_rate(task, plan, rng):
    """The learning rate creeps up by some per cent a step: slopes steepen before the loss shows it."""
    stable(plan)
    plan.optimiser, plan.lr, plan.clip = "momentum", task.rates["momentum"], 0.0
    plan.log_grad_norm, plan.log_every = True, 1
    at, growth = moment(plan, rng), 1.0 + rng.uniform(0.015, 0.04)
    return Injected(at, rate=lambda ctx, s, lr: lr * growth ** min(max(s - at, 0), 250))


@recipe("not_learning", [t for t in SUPERVISED if t not in ("vae", "autoencoder")])
def labels_shuffled(task, plan, rng):
    """Labels are drawn anew for each batch: there is nothing to learn."""
    stable(plan)
    plan.batch, plan.weight_decay = 48, 0.0
    plan.pretrain = 0

    def build(ctx):
        ctx.yv = ctx.yv[torch.randperm(len(ctx.yv))]

    def batch(ctx, step, x, y):
        if task.kind == "classify":
            return x, torch.randint(0, task.classes, y.shape)
        return x, y[torch.randperm(len(y))] if task.kind != "lm" else torch.randint(0, 64, y.shape)

    return Injected(0, build=build, batch=batch)


@recipe("not_learning")
def rate_of_nothing(task, plan, rng):
    """A learning rate of 1e-9 or 0."""
    stable(plan)
    plan.lr = [0.0, 1e-9][rng.integers(2)]
    return Injected(0)


@recipe("not_learning")
def all_frozen(task, plan, rng):
    """Gradients never reach the optimiser."""
    stable(plan)

    def gradients(ctx, step):
        for p in ctx.net.parameters():
            p.grad = None if p.grad is None else torch.zeros_like(p.grad)

    plan.weight_decay = 0.0
    return Injected(0, gradients=gradients)


@recipe("not_learning", CLASSIFY)
def nothing_to_see(task, plan, rng):
    """Inputs are all zero."""
    stable(plan)
    plan.lr = plan.lr * 0.3

    def build(ctx):
        ctx.xv = torch.zeros_like(ctx.xv)

    return Injected(0, build=build, batch=lambda ctx, s, x, y: (torch.zeros_like(x), y))


@recipe("not_learning", CLASSIFY)
def softmax_twice(task, plan, rng):
    """The scores go through softmax twice before the loss does it once more."""
    stable(plan)
    plan.double_softmax, plan.optimiser, plan.lr = True, "sgd", task.rates["sgd"] * 0.1
    return Injected(0)


@recipe("oscillation", DENSE, w.SCALARS)
def edge_of_stability(task, plan, rng):
    """Gradient descent on all data, heavy momentum, a rate near the limit of stability: the loss swings."""
    stable(plan)
    plan.optimiser, plan.clip, plan.weight_decay, plan.dropout = "momentum", 0.0, 0.0, 0.0
    plan.activation = ["tanh", "relu", "gelu"][rng.integers(3)]
    plan.n_train, plan.batch, plan.log_every = 300, 300, 1
    plan.eval_every = max(plan.eval_every, 10)
    plan.lr = task.rates["momentum"]
    momentum, factor, state = rng.uniform(0.95, 0.99), rng.uniform(0.1, 0.4), {}
    at = moment(plan, rng, 0.15, 0.4)

    def rate(ctx, step, lr):
        if step < at:
            return lr
        if not state:
            state["rate"] = factor * 2.0 * (1.0 + momentum) / max(_sharpness(ctx), 1e-3)
        for group in ctx.opt.param_groups:
            group["momentum"] = momentum
        return state["rate"]

    return Injected(at, rate=rate)


@recipe("oscillation", CLASSIFY, w.SCALARS)
def alternating_sources(task, plan, rng):
    """Batches come in turns from two sources, one of them with random labels."""
    stable(plan)
    plan.log_every, plan.log_mean = 1, False
    run = int(rng.integers(1, 6))
    at = 0 if rng.random() < 0.5 else moment(plan, rng, 0.2, 0.5)

    def batch(ctx, step, x, y):
        if step >= at and (step // run) % 2:
            y = torch.randint(0, task.classes, y.shape)
        return x, y

    return Injected(at, batch=batch)


def _sharpness(ctx, rounds=12):
    """Largest curvature of the loss on all data, by power iteration."""
    params = [p for p in ctx.net.parameters() if p.requires_grad]
    loss, _ = ctx.task.loss(ctx.net, ctx.x, ctx.y, ctx.plan, ctx.step)
    grads = torch.autograd.grad(loss, params, create_graph=True)
    v = [torch.randn_like(p) for p in params]
    size = 1.0
    for _ in range(rounds):
        norm = torch.sqrt(sum((a * a).sum() for a in v)).item()
        v = [a / max(norm, 1e-12) for a in v]
        dot = sum((g * a).sum() for g, a in zip(grads, v))
        v = [a.detach() for a in torch.autograd.grad(dot, params, retain_graph=True)]
        size = torch.sqrt(sum((a * a).sum() for a in v)).item()
    return size


@recipe("oscillation", CLASSIFY, w.SCALARS)
def cyclic_batches(task, plan, rng):
    """The data come sorted by class in ever the same order: the net forgets one class while it learns the next."""
    stable(plan)
    plan.log_every = 1 if rng.random() < 0.6 else 2
    plan.optimiser, plan.lr = "momentum", task.rates["momentum"] * rng.uniform(0.8, 2)
    run = int(rng.integers(4, 12))
    at = 0 if rng.random() < 0.5 else moment(plan, rng, 0.2, 0.5)
    state = {}

    def batch(ctx, step, x, y):
        if step < at:
            return x, y
        if not state:
            state["by"] = [torch.nonzero(ctx.y == c)[:, 0] for c in range(task.classes)]
        own = state["by"][(step // run) % task.classes]
        pick = own[torch.randint(0, len(own), (ctx.batch_size,))]
        return ctx.x[pick], ctx.y[pick]

    return Injected(at, batch=batch)


@recipe("plateau")
def long_over(task, plan, rng):
    """Converged, and goes on for the larger half of the run at a rate of next to nothing."""
    stable(plan)
    at = int(plan.steps * rng.uniform(0.25, 0.42))
    plan.lr *= 1.5
    plan.log_every = min(plan.log_every, 5)

    def rate(ctx, step, lr):
        return lr * max(0.05, 1 - step / at) if step < at else lr * 1e-6

    return Injected(at, rate=rate)


@recipe("learning_rate", writers=["tensorboard", "jsonl", "jsonl_hugging_face", "lightning_csv", "trainer_state",
        "scope", "keras_csv"])
def schedule_raises_it(task, plan, rng):
    """The schedule itself raises the rate by 25 to 160 and the loss suffers."""
    stable(plan)
    plan.log_lr, plan.clip = True, 0.0
    at, factor = moment(plan, rng), 10.0 ** rng.uniform(1.4, 2.2)
    return Injected(at, rate=lambda ctx, s, lr: lr * factor if s >= at else lr)


@recipe("slow_convergence", QUICK, w.SCALARS)
def hundredth_of_the_rate(task, plan, rng):
    """One of a folder of runs has a hundredth of its siblings' learning rate."""
    plan.lr *= 0.01
    return Injected(0)


# --- layers -------------------------------------------------------------------------------------------------------


def with_layers(plan, rng, histograms=0.4):
    """Logs the layers some 15 to 40 times."""
    plan.layers_every = max(plan.steps // int(rng.integers(15, 40)), 1)
    plan.histograms = bool(rng.random() < histograms)


@recipe("vanishing_gradient", DENSE, w.LAYERS)
def deep_sigmoid(task, plan, rng):
    """Ten to fourteen layers of sigmoid or of tanh with tiny weights."""
    stable(plan)
    plan.depth, plan.width = int(rng.integers(10, 15)), 32
    plan.activation = ["sigmoid", "tanh"][rng.integers(2)]
    plan.dropout, plan.weight_decay = 0.0, 0.0
    with_layers(plan, rng)
    scale = 0.4 if plan.activation == "tanh" else 1.0

    @torch.no_grad()
    def build(ctx):
        for _, m in ctx.layers():
            m.weight *= scale

    return Injected(0, build=build)


@recipe("exploding_gradient", DENSE, w.LAYERS)
def deep_and_large(task, plan, rng):
    """Eight layers whose weights are drawn three to five times too large."""
    stable(plan)
    plan.depth, plan.width, plan.activation = 8, 48, "relu"
    plan.dropout, plan.clip, plan.log_grad_norm = 0.0, 0.0, True
    plan.optimiser, plan.lr = "adam", task.rates["adam"] * 0.3
    with_layers(plan, rng)
    factor = rng.uniform(4.0, 7.0)

    @torch.no_grad()
    def build(ctx):
        for _, m in ctx.layers():
            m.weight *= factor

    return Injected(0, build=build)


@recipe("exploding_gradient", [*DENSE, "char-gru", "digits-cnn", "shapes-cnn", "char-transformer", "vae",
                               "char-lstm", "textures-cnn", "autoencoder"], w.LAYERS)
def growing_weights(task, plan, rng):
    """Weights grow by some per cent a step, as with a decay of the wrong sign; nothing clips the gradient."""
    stable(plan)
    plan.clip, plan.log_grad_norm, plan.log_every = 0.0, True, min(plan.log_every, 3)
    plan.activation, plan.optimiser = "relu", "adam"
    with_layers(plan, rng)
    at, growth = moment(plan, rng), 1.0 + rng.uniform(0.02, 0.05)

    @torch.no_grad()
    def after(ctx, step):
        if step >= at:
            for _, m in ctx.layers():
                _weight_of(m).mul_(growth)

    return Injected(at, after=after)


@recipe("dead_units", CLASSIFY + ["density-regression", "diabetes-regression", "friedman-regression"], w.LAYERS)
def drowned_by_bias(task, plan, rng):
    """Biases of minus ten at a step (or from the start): most rectifiers never open again."""
    stable(plan)
    plan.activation, plan.dropout = "relu", 0.0
    with_layers(plan, rng, 0.25)
    at = 0 if rng.random() < 0.3 else moment(plan, rng)
    share = rng.uniform(0.6, 1.0)

    @torch.no_grad()
    def before(ctx, step):
        if step == max(at, 1):
            name, m = ctx.layers()[0 if rng.random() < 0.5 else -2]
            m.bias[: max(int(share * len(m.bias)), 1)] = -12.0 * max(1.0, m.weight.abs().sum(1).max().item() / 4
                                                                      if m.weight.dim() == 2 else 1.0)

    return Injected(at, before=before)


@recipe("dead_units", CLASSIFY, w.LAYERS)
def shock_of_rate(task, plan, rng):
    """A few steps of an absurd rate throw the rectifiers out of reach."""
    stable(plan)
    plan.activation, plan.dropout, plan.optimiser, plan.clip = "relu", 0.0, "momentum", 0.0
    with_layers(plan, rng, 0.25)
    at = moment(plan, rng)
    return Injected(at, rate=lambda ctx, s, lr: lr * 120 if at <= s < at + 4 else lr)


@recipe("saturated_units", DENSE + ["vae", "autoencoder"], w.LAYERS)
def far_too_large_for_tanh(task, plan, rng):
    """Weights x 20 in front of tanh or sigmoid, from the start or at a step."""
    stable(plan)
    plan.activation, plan.dropout, plan.weight_decay = ["tanh", "sigmoid"][rng.integers(2)], 0.0, 0.0
    with_layers(plan, rng, 0.25)
    at = 0 if rng.random() < 0.5 else moment(plan, rng)
    factor = rng.uniform(20, 40)

    @torch.no_grad()
    def before(ctx, step):
        if step == max(at, 1):
            for _, m in ctx.layers()[:-1]:
                m.weight *= factor

    return Injected(at, before=before)


@recipe("frozen_layer", QUICK, w.LAYERS)
def gradient_switched_off(task, plan, rng):
    """One layer (or all) stops being trained at a step: no gradient, or left out of the optimiser."""
    stable(plan)
    plan.weight_decay = 0.0
    plan.dropout = 0.0
    with_layers(plan, rng, 0.25)
    plan.optimiser = ["adam", "momentum", "sgd"][rng.integers(3)]
    at, how = moment(plan, rng, 0.25, 0.6), ["grad", "zero", "optimiser"][rng.integers(3)]
    which = rng.random()

    def chosen(ctx):
        layers = ctx.layers()
        return layers if which < 0.25 else [layers[int(which * len(layers)) % len(layers)]]

    def gradients(ctx, step):
        if step >= at and how != "optimiser":
            for _, m in chosen(ctx):
                for p in m.parameters():
                    p.grad = None if how == "grad" or p.grad is None else torch.zeros_like(p.grad)

    def before(ctx, step):
        if step == at:
            for name, m in chosen(ctx):
                ctx.notes.setdefault("layers", []).append(name)
                if how != "grad":
                    ctx.lr_multiplier[name] = 0.0

    return Injected(at, gradients=gradients, before=before)


@recipe("unstable_layer", QUICK, w.LAYERS)
def one_layer_runs_away(task, plan, rng):
    """One layer is given 100 to 1,000 times the rate of the others."""
    stable(plan)
    plan.clip = 0.0
    with_layers(plan, rng, 0.25)
    at, factor, which = moment(plan, rng), 10.0 ** rng.uniform(2.0, 3.0), rng.random()

    def before(ctx, step):
        if step == at:
            layers = ctx.layers()
            name = layers[int(which * len(layers)) % len(layers)][0]
            ctx.lr_multiplier[name] = factor
            ctx.notes["layers"] = [name]

    return Injected(at, before=before)


@recipe("poor_initialisation", QUICK, w.LAYERS + ["jsonl"])
def enormous_weights(task, plan, rng):
    """Weights drawn 30 to 100 times too large."""
    stable(plan)
    with_layers(plan, rng, 0.25)
    factor = rng.uniform(30, 100)

    @torch.no_grad()
    def build(ctx):
        for _, m in ctx.layers():
            m.weight *= factor

    return Injected(0, build=build)


@recipe("poor_initialisation", DENSE + ["digits-cnn", "shapes-cnn", "textures-cnn"], w.LAYERS)
def all_alike(task, plan, rng):
    """All weights of a layer start with the same number: its units stay copies of one another."""
    stable(plan)
    plan.dropout = 0.0
    with_layers(plan, rng, 0.25)
    value = rng.uniform(0.0, 0.05)

    @torch.no_grad()
    def build(ctx):
        for _, m in ctx.layers():
            m.weight.fill_(value)
            m.bias.fill_(0.0)

    return Injected(0, build=build)


# --- classes ------------------------------------------------------------------------------------------------------


@recipe("class_collapse", CLASSIFY, w.MATRICES)
def labels_of_one_class(task, plan, rng):
    """From some step on nearly all labels say the same class."""
    stable(plan)
    plan.confusion = True
    at, only = moment(plan, rng, 0.3, 0.6), int(rng.integers(task.classes))

    def batch(ctx, step, x, y):
        if step >= at:
            y = torch.where(torch.rand(len(y)) < 0.97, torch.full_like(y, only), y)
        return x, y

    return Injected(at, batch=batch)


@recipe("class_collapse", CLASSIFY, w.MATRICES)
def one_score_far_ahead(task, plan, rng):
    """A learning-rate shock after which one class wins everywhere."""
    stable(plan)
    plan.confusion, plan.activation, plan.optimiser, plan.clip = True, "relu", "momentum", 0.0
    at = moment(plan, rng, 0.3, 0.6)
    return Injected(at, rate=lambda ctx, s, lr: lr * 150 if at <= s < at + 4 else lr * 0.01 if s >= at else lr)


@recipe("class_confusion", CLASSIFY, w.MATRICES)
def labels_of_two_mixed(task, plan, rng):
    """The labels of two classes are handed out at random between them."""
    stable(plan)
    plan.confusion = True
    a, b = (int(c) for c in rng.choice(task.classes, 2, replace=False))
    at = 0 if rng.random() < 0.5 else moment(plan, rng, 0.3, 0.5)

    def batch(ctx, step, x, y):
        if step >= at:
            coin = torch.rand(len(y)) < 0.5
            either = (y == a) | (y == b)
            y = torch.where(either, torch.where(coin, torch.full_like(y, a), torch.full_like(y, b)), y)
        return x, y

    def build(ctx):
        ctx.notes["pair"] = sorted((a, b))

    return Injected(at, batch=batch, build=build)


@recipe("class_imbalance", CLASSIFY, w.MATRICES)
def one_to_fifty(task, plan, rng):
    """Some classes are fifty times rarer than the others, in training and in validation."""
    stable(plan)
    plan.confusion, plan.label_smoothing = True, 0.0
    rare = [int(c) for c in rng.choice(task.classes, max(task.classes // 3, 1), replace=False)]

    def keep(y, share):
        drop = torch.zeros(len(y), dtype=torch.bool)
        for c in rare:
            own = torch.nonzero(y == c)[:, 0]
            drop[own[max(int(len(own) * share), 3):]] = True
        return ~drop

    def build(ctx):
        kept = keep(ctx.y, 0.02)
        ctx.x, ctx.y = ctx.x[kept], ctx.y[kept]
        kept = keep(ctx.yv, 0.15)
        ctx.xv, ctx.yv = ctx.xv[kept], ctx.yv[kept]
        ctx.notes["rare"] = rare

    return Injected(0, build=build)


# --- machine and bookkeeping --------------------------------------------------------------------------------------


@recipe("stalled", writers=w.CURVES)
def writer_falls_silent(task, plan, rng):
    """The writer stops at a step; the clock goes on."""
    at = int(plan.steps * rng.uniform(0.4, 0.8))
    return Injected(at, stops=lambda ctx, s: s >= at)


@recipe("throughput_drop", writers=w.TIMED)
def slower_steps(task, plan, rng):
    """Every step takes 1.5 to 3 times as long from some step on."""
    stable(plan)
    plan.throughput = bool(rng.random() < 0.7)
    at, factor = moment(plan, rng), rng.uniform(1.5, 3.0)
    return Injected(at, slowness=lambda ctx, s: factor if s >= at else 1.0)


@recipe("memory", QUICK, w.TIMED)
def memory_leak(task, plan, rng):
    """Memory in use climbs to the last per cents."""
    stable(plan)
    plan.memory = True
    at = moment(plan, rng, 0.1, 0.3)
    top = rng.uniform(96, 99.5)

    def scalars(ctx, step, values):
        grown = max(step - at, 0) / (0.95 * plan.steps - at)
        values["memory"] = min(values["memory"] + (top - 61) * grown, 99.8)
        return values

    return Injected(at, scalars=scalars)


@recipe("memory", QUICK, w.TIMED)
def allocator_retries(task, plan, rng):
    """The allocator starts to retry and to run out."""
    stable(plan)
    plan.memory = True
    at = moment(plan, rng)
    count = {"num_alloc_retries": 0, "num_ooms": 0}

    def scalars(ctx, step, values):
        if step >= at:
            count["num_alloc_retries"] += int(rng.poisson(1.0))
            count["num_ooms"] += int(rng.poisson(0.1))
            values["memory"] = 97.0 + rng.random()
        return values | count

    return Injected(at, scalars=scalars)


@recipe("loss_scale", writers=["tensorboard", "jsonl", "lightning_csv", "scope"])
def overflow_at_any_scale(task, plan, rng):
    """A forward pass that overflows half precision whatever the scale: it is halved step after step."""
    stable(plan)
    plan.loss_scale, plan.log_every = True, min(plan.log_every, 5)
    at = moment(plan, rng)

    def before(ctx, step):
        if step >= at and rng.random() < 0.93:
            ctx.notes["overflow"] = True

    return Injected(at, before=before)


@recipe("resume", QUICK, w.SCALARS)
def state_of_the_optimiser_lost(task, plan, rng):
    """Killed and resumed with a fresh optimiser at a large rate."""
    stable(plan)
    plan.optimiser, plan.lr = "adam", task.rates["adam"] * 1.5
    plan.log_every = min(plan.log_every, 3)
    at = moment(plan, rng)
    plan.resume = ((at + int(rng.integers(3, 15)), at, False),)
    factor = rng.uniform(15, 40)

    def rate(ctx, step, lr):
        return lr * max(1.0, factor * 0.93 ** (step - at)) if ctx.recording.segment and step > at else lr

    return Injected(at, rate=rate)


@recipe("resume", ["digits-mlp", "spirals-mlp", "shapes-cnn", "digits-cnn", "char-gru", "wine-mlp", "breast-cancer-mlp",
                   "textures-cnn", "char-lstm"], w.SCALARS)
def data_repeated(task, plan, rng):
    """After resuming the sampler gives the same few batches for a while: too good, then back to the truth."""
    stable(plan)
    plan.log_every = min(plan.log_every, 3)
    plan.optimiser, plan.lr = "adam", task.rates["adam"] * 2
    at = moment(plan, rng, 0.3, 0.5)
    plan.resume = ((at + int(rng.integers(3, 15)), at, True),)
    length, state = int(plan.steps * 0.2), []

    def batch(ctx, step, x, y):
        if ctx.recording.segment and at < step <= at + length:
            if len(state) < 3:
                state.append((x, y))
            return state[step % len(state)]
        return x, y

    return Injected(at, batch=batch)


@recipe("resume", QUICK, w.SCALARS)
def weights_lost(task, plan, rng):
    """Resumed at the old step with fresh weights: the checkpoint was not loaded."""
    stable(plan)
    plan.log_every = min(plan.log_every, 3)
    at = moment(plan, rng)
    plan.resume = ((at + int(rng.integers(3, 15)), at, False),)
    done = []

    def before(ctx, step):
        if ctx.recording.segment and not done:
            done.append(step)
            torch.manual_seed(plan.seed + 5)
            ctx.net.load_state_dict(ctx.task.model(plan).state_dict())

    return Injected(at, before=before)


@recipe("validation", CLASSIFY, [x for x in w.CURVES if x != "nanogpt_text"])
def cached_result(task, plan, rng):
    """Evaluations say the same to the last bit from some step on: a cache."""
    stable(plan)
    at, held = moment(plan, rng, 0.15, 0.4), []

    def evaluation(ctx, step, values, matrix):
        if step >= at:
            held.append((dict(values), matrix))
            return dict(held[0][0]), held[0][1]
        return values, matrix

    return Injected(at, evaluation=evaluation)


@recipe("validation", CLASSIFY, [x for x in w.CURVES if x != "nanogpt_text"])
def leaked_answers(task, plan, rng):
    """The metric is perfect from the first evaluation: the answers are among the inputs."""
    stable(plan)

    def evaluation(ctx, step, values, matrix):
        values["accuracy"] = 1.0
        values["loss"] *= 0.02
        return values, matrix

    return Injected(0, evaluation=evaluation)


@recipe("validation", SUPERVISED, w.SCALARS)
def evaluations_stop(task, plan, rng):
    """Validation is no longer done from some step on while training continues."""
    stable(plan)
    at = moment(plan, rng, 0.25, 0.4)
    return Injected(at, evaluation=lambda ctx, s, values, m: (values, m) if s < at else (None, None))


# --- reinforcement learning and adversarial nets ---------------------------------------------------------------------

RL = ["reinforce-cartpole", "actor-critic-gridworld", "reinforce-corridor"]
GANS = ["gan-2d", "gan-ring", "gan-moons"]


class Mode(Fault):
    """A fault that the trainers of moving targets know by name."""

    def __init__(self, mode, at, factor=1.0):
        self.mode, self.at, self.factor = mode, at, factor


def _rl(mode, factor=1.0):
    def make(task, plan, rng):
        stable(plan)
        return Mode(mode, moment(plan, rng, 0.3, 0.5), factor * rng.uniform(0.7, 1.5))

    make.__name__, make.__doc__ = f"rl_{mode}", f"policy gradient: {mode}"
    return make


for _mode, _factor in (("jump", 150.0), ("flip", 1.0), ("entropy", 1.0)):
    recipe("rl_gan", RL, ["tensorboard", "jsonl", "lightning_csv", "scope"])(_rl(_mode, _factor))
for _mode in ("wins", "collapse"):
    _make = _rl(_mode)
    _make.__name__, _make.__doc__ = f"gan_{_mode}", f"adversarial net: {_mode}"
    recipe("rl_gan", GANS, ["tensorboard", "jsonl", "lightning_csv", "scope"])(_make)
