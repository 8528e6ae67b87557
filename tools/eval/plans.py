"""Plans of healthy trainings, and the variants that are hard to tell from a fault."""

import numpy as np

import writers as w
from dataclasses import replace

from trainer import Plan

SIZES = {
    "digits-mlp": (1200, 400), "digits-cnn": (1200, 400), "shapes-cnn": (1500, 300), "spirals-mlp": (900, 300),
    "char-gru": (4000, 150), "char-transformer": (4000, 100), "diabetes-regression": (300, 140),
    "density-regression": (1500, 300), "vae": (1200, 400), "wine-mlp": (1200, 300), "breast-cancer-mlp": (1200, 300),
    "textures-cnn": (1500, 300), "char-lstm": (4000, 150), "friedman-regression": (900, 300), "autoencoder": (1200, 400),
}


def base(task, rng, seed):
    """A plan that trains well, with everything that may vary drawn at random."""
    slow = getattr(task, "slow", 1.0)
    steps = int(rng.integers(360, 760) / (1 + 0.45 * (slow - 1)))
    optimiser = ["sgd", "momentum", "adam", "adamw", "rmsprop"][rng.choice(5, p=[0.12, 0.25, 0.3, 0.23, 0.1])]
    rate = {"sgd": "sgd", "momentum": "momentum"}.get(optimiser, "adam")
    n_train, n_val = SIZES.get(task.name, (900, 300))
    plan = Plan(
        seed=seed,
        steps=steps,
        log_every=int(rng.choice([1, 2, 5, 10], p=[0.35, 0.25, 0.3, 0.1])),
        eval_every=max(steps // int(rng.integers(15, 60)), 2),
        n_train=n_train,
        n_val=n_val,
        batch=int(rng.choice([16, 32, 64])) if slow < 2.5 else 12,
        width=int(rng.choice([32, 48, 64])),
        depth=int(rng.choice([1, 2, 3])),
        activation=["relu", "tanh", "gelu"][rng.integers(3)],
        dropout=float(rng.choice([0.0, 0.0, 0.1, 0.2])),
        optimiser=optimiser,
        lr=task.rates[rate] * rng.uniform(0.6, 1.3) * (0.5 if optimiser == "rmsprop" else 1.0),
        weight_decay=float(rng.choice([0.0, 1e-4, 1e-3])),
        log_mean=bool(rng.random() < 0.6),
        step_seconds=float(10 ** rng.uniform(-0.3, 0.7)),
        jitter=float(rng.uniform(0.02, 0.15)),
        eval_pause=float(rng.uniform(1, 30)),
        log_lr=bool(rng.random() < 0.65),
        log_grad_norm=bool(rng.random() < 0.55),
        memory=bool(rng.random() < 0.15),
        throughput=bool(rng.random() < 0.2),
        kl_annealing=int(rng.choice([0, 100, 250])) if task.kind == "vae" else 0,
    )
    if task.kind == "regress":
        plan.width, plan.weight_decay, plan.dropout, plan.steps = 12, 0.01, 0.1, min(plan.steps, 450)
        plan.lr *= 0.5
        plan.eval_every = max(plan.steps // int(rng.integers(15, 45)), 2)
    if task.name in ("wine-mlp", "breast-cancer-mlp"):
        plan.width, plan.weight_decay, plan.steps = 16, 0.01, min(plan.steps, 450)
        plan.lr *= 0.4
        plan.eval_every = max(plan.steps // int(rng.integers(15, 45)), 2)
    return plan


def moving(name, rng, seed):
    """A plan for the trainers of moving targets."""
    plan = Plan(seed=seed, step_seconds=float(10 ** rng.uniform(-0.3, 0.7)), log_lr=bool(rng.random() < 0.7))
    plan.log_every = int(rng.choice([1, 2]))
    if name.startswith("gan"):
        plan.steps, plan.lr, plan.batch = int(rng.integers(500, 900)), float(rng.uniform(6e-4, 1.5e-3)), 64
        plan.log_every = int(rng.choice([2, 5]))
        plan.eval_every = plan.steps // int(rng.integers(15, 40))
        plan.extra = {"smooth": float(rng.choice([1.0, 0.9]))}
    elif name.startswith("reinforce"):
        plan.steps, plan.lr = int(rng.integers(180, 260)), float(rng.uniform(2e-3, 5e-3))
    else:
        plan.steps, plan.lr = int(rng.integers(300, 500)), float(rng.uniform(4e-3, 1e-2))
    return plan


def _warm_restarts(task, plan, rng):
    plan.schedule = "restarts"


def _cosine(task, plan, rng):
    plan.schedule, plan.warmup = "cosine", plan.steps // 20


def _one_cycle(task, plan, rng):
    plan.schedule = "one_cycle"
    plan.lr *= 1.5


def _step_decay(task, plan, rng):
    plan.schedule = "step"
    plan.lr *= 1.5


def _wsd(task, plan, rng):
    plan.schedule, plan.warmup = "wsd", plan.steps // 25


def _warm_up(task, plan, rng):
    plan.warmup = plan.steps // 8


def _smoothed(task, plan, rng):
    plan.log_ema = float(rng.uniform(0.9, 0.99))
    plan.log_every = 1


def _raw_small_batches(task, plan, rng):
    plan.batch, plan.log_mean, plan.log_every = 8, False, 1
    plan.lr *= 0.5


def _heavy_dropout(task, plan, rng):
    plan.dropout = 0.4
    plan.width = 64


def _label_smoothing(task, plan, rng):
    plan.label_smoothing = 0.1


def _mixup(task, plan, rng):
    plan.mixup = True


def _tiny_validation(task, plan, rng):
    plan.n_val = int(rng.integers(12, 40))
    plan.eval_every = max(plan.steps // 70, 2)


def _sawtooth(task, plan, rng):
    """Several epochs over few data, each value logged: the loss drops at each start of an epoch."""
    plan.n_train = max(SIZES[task.name][0] // 3, 120)
    plan.weight_decay, plan.log_every = 1e-3, 1
    plan.lr *= 0.6


def _clean_resume(task, plan, rng):
    at = int(plan.steps * rng.uniform(0.3, 0.7))
    plan.resume = ((at + int(rng.integers(2, 20)), at, True),)
    if rng.random() < 0.4:
        second = int(plan.steps * 0.85)
        plan.resume = (*plan.resume, (second + 5, second, True))


def _clipping(task, plan, rng):
    plan.clip, plan.log_grad_norm = float(rng.choice([0.5, 1.0])), True


def _fine_tuning(task, plan, rng):
    plan.pretrain = 250 if task.kind != "lm" else 100
    plan.lr *= 0.3


def _frozen_backbone(task, plan, rng):
    plan.frozen = {"char-gru": ("embed",), "char-transformer": ("embed", "blocks.0"), "vae": ("enc",),
                   "char-lstm": ("embed",)}.get(
        task.name, ("conv1",) if task.name.endswith("cnn") else ("fc1",))
    plan.pretrain = 150 if task.kind != "lm" else 60
    plan.layers_every = max(plan.steps // 25, 1)


def _late_metric(task, plan, rng):
    plan.late_metric = plan.steps // 5


def _short_plateau_at_the_end(task, plan, rng):
    plan.schedule = "cosine"
    plan.steps = int(plan.steps * 1.1)


def _growing_batch(task, plan, rng):
    plan.batch, plan.batch_growth, plan.throughput = 16, plan.steps // 4, True


def _long_evaluations(task, plan, rng):
    plan.eval_pause = float(rng.uniform(200, 900))
    plan.eval_every = max(plan.steps // 18, 2)


def _sparse_relu(task, plan, rng):
    plan.activation, plan.depth, plan.weight_decay = "relu", 3, 1e-3
    plan.layers_every, plan.histograms = max(plan.steps // 25, 1), bool(rng.random() < 0.4)
    plan.width = 64


def _saturated_but_well(task, plan, rng):
    plan.activation = "sigmoid" if task.deep else "tanh"
    plan.depth = 1
    plan.lr *= 2.0
    plan.layers_every = max(plan.steps // 25, 1)


def _with_layers(task, plan, rng):
    plan.layers_every, plan.histograms = max(plan.steps // 30, 1), bool(rng.random() < 0.5)


def _with_matrices(task, plan, rng):
    plan.confusion = True


def _mixed_precision(task, plan, rng):
    plan.loss_scale = True


def _plain(task, plan, rng):
    pass


def _long_intervals(task, plan, rng):
    plan.log_every, plan.log_mean = 20, True


def _no_validation(task, plan, rng):
    plan.evaluations = False


def _noisy_memory(task, plan, rng):
    plan.memory = plan.throughput = True
    plan.jitter = 0.3


# variant: (function, writers, kinds of tasks that it is for; empty for all)
VARIANTS = {
    "plain": (_plain, w.CURVES, ()),
    "cosine": (_cosine, w.CURVES, ()),
    "warm-restarts": (_warm_restarts, w.CURVES, ()),
    "one-cycle": (_one_cycle, w.CURVES, ()),
    "step-decay": (_step_decay, w.CURVES, ()),
    "wsd": (_wsd, w.CURVES, ()),
    "warm-up": (_warm_up, w.CURVES, ()),
    "smoothed-log": (_smoothed, w.SCALARS, ()),
    "raw-small-batches": (_raw_small_batches, w.SCALARS, ()),
    "heavy-dropout": (_heavy_dropout, w.CURVES, ("classify", "lm")),
    "label-smoothing": (_label_smoothing, w.CURVES, ("classify",)),
    "mixup": (_mixup, w.CURVES, ("classify",)),
    "tiny-validation": (_tiny_validation, w.CURVES, ()),
    "sawtooth": (_sawtooth, w.SCALARS, ("classify", "lm")),
    "clean-resume": (_clean_resume, w.SCALARS, ()),
    "clipping": (_clipping, ["tensorboard", "jsonl", "jsonl_hugging_face", "lightning_csv", "scope"], ()),
    "fine-tuning": (_fine_tuning, w.CURVES, ()),
    "frozen-backbone": (_frozen_backbone, w.LAYERS, ()),
    "late-metric": (_late_metric, ["tensorboard", "jsonl", "lightning_csv", "keras_csv"], ("classify", "regress")),
    "plateau-at-the-end": (_short_plateau_at_the_end, w.CURVES, ()),
    "growing-batch": (_growing_batch, w.TIMED, ("classify", "density", "vae", "autoencode")),
    "long-evaluations": (_long_evaluations, w.TIMED, ()),
    "sparse-relu": (_sparse_relu, w.LAYERS, ("classify", "density")),
    "saturated-but-well": (_saturated_but_well, w.LAYERS, ("classify", "density", "vae", "autoencode")),
    "with-layers": (_with_layers, w.LAYERS, ()),
    "with-matrices": (_with_matrices, w.MATRICES, ("classify",)),
    "mixed-precision": (_mixed_precision, ["tensorboard", "jsonl", "lightning_csv", "scope"], ()),
    "long-intervals": (_long_intervals, w.SCALARS, ()),
    "no-validation": (_no_validation, w.SCALARS, ()),
    "noisy-machine": (_noisy_memory, w.TIMED, ()),
}
