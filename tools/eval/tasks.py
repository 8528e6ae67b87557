"""The learning problems: small, offline, different in each part of the corpus.

The split is by task and fixed here. Rules were tuned on the tuning tasks and corrected on the test tasks; nothing may be
adjusted to the final ones.
"""

import inspect
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

TUNING = ["digits-mlp", "shapes-cnn", "char-gru", "diabetes-regression", "gan-2d", "reinforce-cartpole"]
TEST = [
    "spirals-mlp",
    "digits-cnn",
    "char-transformer",
    "density-regression",
    "vae",
    "actor-critic-gridworld",
    "gan-ring",
]
FINAL = [
    "wine-mlp",
    "breast-cancer-mlp",
    "textures-cnn",
    "char-lstm",
    "friedman-regression",
    "autoencoder",
    "gan-moons",
    "reinforce-corridor",
]
PARTS = {"tuning": TUNING, "test": TEST, "final": FINAL}

_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU}
_cache = {}


def _digits():
    if "digits" not in _cache:
        from sklearn.datasets import load_digits

        data = load_digits()
        order = np.random.default_rng(0).permutation(len(data.target))
        _cache["digits"] = (data.data[order].astype(np.float32) / 16.0, data.target[order].astype(np.int64))
    return _cache["digits"]


def _shapes(rng, count):
    """Outlines of six kinds on a 12 x 12 grid with noise."""
    y = rng.integers(0, 6, count)
    x = rng.normal(0, 0.35, (count, 12, 12)).astype(np.float32)
    rows, cols = np.mgrid[0:12, 0:12]
    for i, kind in enumerate(y):
        r, c, size = rng.integers(4, 8), rng.integers(4, 8), rng.integers(2, 4)
        distance = np.hypot(rows - r, cols - c)
        box = np.maximum(abs(rows - r), abs(cols - c))
        mask = [
            abs(distance - size) < 0.6,
            box == size,
            (box <= size) & ((rows == r) | (cols == c)),
            (box <= size) & (abs(rows - r) == abs(cols - c)),
            (rows == r) & (abs(cols - c) <= size),
            (cols == c) & (abs(rows - r) <= size),
        ][kind]
        x[i] += 1.0 * mask
    return x.reshape(count, -1), y.astype(np.int64)


def _textures(rng, count):
    """Seven patterns of random period and phase on a 10 x 10 grid with noise."""
    y = rng.integers(0, 7, count)
    x = rng.normal(0, 0.4, (count, 10, 10)).astype(np.float32)
    rows, cols = np.mgrid[0:10, 0:10]
    for i, kind in enumerate(y):
        p, r, c = rng.integers(2, 4), rng.integers(0, 6), rng.integers(0, 6)
        x[i] += [
            ((rows + r) // p) % 2,
            ((cols + c) // p) % 2,
            ((rows + cols + r) // p) % 2,
            ((rows - cols + r + 12) // p) % 2,
            ((rows + r) // p + (cols + c) // p) % 2,
            ((rows + r) % (p + 1) == 0) & ((cols + c) % (p + 1) == 0),
            (np.hypot(rows - 2 - r, cols - 2 - c) // p) % 2,
        ][kind]
    return x.reshape(count, -1) - 0.4, y.astype(np.int64)


def _table(name):
    """A table of scikit-learn in standard units, in random order."""
    if name not in _cache:
        from sklearn.datasets import load_breast_cancer, load_wine

        data = (load_wine if name == "wine-mlp" else load_breast_cancer)()
        x = (data.data - data.data.mean(0)) / data.data.std(0)
        _cache[name] = (x.astype(np.float32), data.target.astype(np.int64))
    return _cache[name]


def _spirals(rng, count):
    y = rng.integers(0, 3, count)
    t = np.sqrt(rng.uniform(0.02, 1.0, count))
    angle = 4.5 * t + y * 2 * math.pi / 3 + rng.normal(0, 0.16, count)
    x = np.stack([t * np.cos(angle), t * np.sin(angle)], 1)
    return (2.0 * x).astype(np.float32), y.astype(np.int64)


def _text(source):
    """Characters as numbers; rare ones share one code."""
    if source not in _cache:
        if source == "topics":
            from pydoc_data import topics

            text = "\n".join(topics.topics.values())[:120_000]
        elif source == "library":
            import difflib
            import statistics

            text = (inspect.getsource(statistics) + inspect.getsource(difflib))[:120_000]
        else:
            import argparse
            import typing

            text = (inspect.getsource(typing) + inspect.getsource(argparse))[:120_000]
        letters = sorted(set(text), key=lambda c: -text.count(c))[:63]
        code = {c: i for i, c in enumerate(letters)}
        _cache[source] = np.array([code.get(c, 63) for c in text], dtype=np.int64)
    return _cache[source]


def _windows(codes, rng, count, length):
    starts = rng.integers(0, len(codes) - length - 1, count)
    x = np.stack([codes[s : s + length] for s in starts])
    y = np.stack([codes[s + 1 : s + length + 1] for s in starts])
    return x, y


class Mlp(nn.Module):
    """Fully connected layers; `features` of the activations are caught by hooks."""

    def __init__(self, sizes, activation, dropout=0.0):
        super().__init__()
        for i, (a, b) in enumerate(zip(sizes[:-2], sizes[1:-1])):
            self.add_module(f"fc{i + 1}", nn.Linear(a, b))
            self.add_module(f"act{i + 1}", _ACTIVATIONS[activation]())
            if dropout:
                self.add_module(f"drop{i + 1}", nn.Dropout(dropout))
        self.head = nn.Linear(sizes[-2], sizes[-1])

    def forward(self, x):
        for module in self.children():
            x = module(x)
        return x


class Cnn(nn.Module):
    """Two convolutions and a classifier."""

    def __init__(self, side, width, classes, activation, dropout=0.0):
        super().__init__()
        self.side = side
        self.conv1 = nn.Conv2d(1, width, 3, padding=1)
        self.act1 = _ACTIVATIONS[activation]()
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1, stride=2)
        self.act2 = _ACTIVATIONS[activation]()
        self.fc1 = nn.Linear(2 * width * ((side + 1) // 2) ** 2, 4 * width)
        self.act3 = _ACTIVATIONS[activation]()
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(4 * width, classes)

    def forward(self, x):
        x = self.act1(self.conv1(x.view(-1, 1, self.side, self.side)))
        x = self.act2(self.conv2(x))
        return self.head(self.drop(self.act3(self.fc1(x.flatten(1)))))


class Gru(nn.Module):
    """Characters in, scores of the next character out."""

    def __init__(self, width, dropout=0.0):
        super().__init__()
        self.embed = nn.Embedding(64, 24)
        self.rnn = nn.GRU(24, width, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(width, 64)

    def forward(self, x):
        return self.head(self.drop(self.rnn(self.embed(x))[0]))


class Lstm(nn.Module):
    """As `Gru`, with another cell and a layer between it and the scores."""

    def __init__(self, width, dropout=0.0):
        super().__init__()
        self.embed = nn.Embedding(64, 16)
        self.rnn = nn.LSTM(16, width, batch_first=True)
        self.fc1, self.act1 = nn.Linear(width, width), nn.Tanh()
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(width, 64)

    def forward(self, x):
        return self.head(self.drop(self.act1(self.fc1(self.rnn(self.embed(x))[0]))))


class Block(nn.Module):
    """Attention and two layers after it, normalised before."""

    def __init__(self, width, dropout):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.act, self.down = nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x):
        b, t, w = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, 2, w // 2).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.drop(self.out(seen.transpose(1, 2).reshape(b, t, w)))
        return x + self.drop(self.down(self.act(self.up(self.norm2(x)))))


class Transformer(nn.Module):
    """A decoder of two blocks, 0.06 M parameters."""

    def __init__(self, width, dropout=0.0):
        super().__init__()
        self.embed = nn.Embedding(64, width)
        self.place = nn.Parameter(0.02 * torch.randn(32, width))
        self.blocks = nn.ModuleList([Block(width, dropout) for _ in range(2)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 64)

    def forward(self, x):
        x = self.embed(x) + self.place[: x.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class Vae(nn.Module):
    """An encoder to eight latent numbers and back."""

    def __init__(self, width, activation):
        super().__init__()
        self.enc, self.act1 = nn.Linear(64, width), _ACTIVATIONS[activation]()
        self.mu, self.logvar = nn.Linear(width, 8), nn.Linear(width, 8)
        self.dec, self.act2 = nn.Linear(8, width), _ACTIVATIONS[activation]()
        self.head = nn.Linear(width, 64)

    def forward(self, x):
        h = self.act1(self.enc(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp() if self.training else mu
        return self.head(self.act2(self.dec(z))), mu, logvar


class Task:
    """A supervised problem. `kind`: classify, lm, regress, density, vae or autoencode."""

    def __init__(self, name):
        self.name = name
        self.kind = {
            "char-gru": "lm",
            "char-transformer": "lm",
            "diabetes-regression": "regress",
            "density-regression": "density",
            "vae": "vae",
            "char-lstm": "lm",
            "friedman-regression": "regress",
            "autoencoder": "autoencode",
        }.get(name, "classify")
        self.classes = {"digits-mlp": 10, "digits-cnn": 10, "shapes-cnn": 6, "spirals-mlp": 3, "wine-mlp": 3,
                        "breast-cancer-mlp": 2, "textures-cnn": 7}.get(name, 0)
        self.chance = math.log(self.classes) if self.classes else math.log(64)
        self.input = {"digits-mlp": 64, "spirals-mlp": 2, "diabetes-regression": 10, "density-regression": 4,
                      "wine-mlp": 13, "breast-cancer-mlp": 30, "friedman-regression": 10}.get(name)
        self.deep = self.input is not None
        self.slow = {"char-gru": 3.0, "char-transformer": 3.5, "shapes-cnn": 1.5, "digits-cnn": 1.3, "char-lstm": 3.0,
                     "textures-cnn": 1.3}.get(name, 1.0)
        self.rates = {
            "regress": {"sgd": 0.01, "momentum": 0.002, "adam": 2e-3},
            "density": {"sgd": 0.01, "momentum": 0.002, "adam": 2e-3},
            "lm": {"sgd": 0.8, "momentum": 0.1, "adam": 4e-3},
            "vae": {"sgd": 0.02, "momentum": 0.004, "adam": 3e-3},
            "autoencode": {"sgd": 1.0, "momentum": 0.2, "adam": 3e-3},
        }.get(self.kind, {"sgd": 0.1, "momentum": 0.02, "adam": 2e-3})

    def data(self, rng, n_train, n_val, label_noise=0.0):
        """Training and validation arrays."""
        total = n_train + n_val
        if self.name in ("wine-mlp", "breast-cancer-mlp"):
            # Few rows: drawn often, with noise, validation from a third of them that training never sees.
            x, y = _table(self.name)
            order, third = rng.permutation(len(y)), len(y) // 3
            pick = np.concatenate([rng.choice(order[:third], n_val), rng.choice(order[third:], n_train)])
            x, y = x[pick] + rng.normal(0, 0.8, (total, self.input)).astype(np.float32), y[pick]
        elif self.name == "textures-cnn":
            x, y = _textures(rng, total)
        elif self.name == "friedman-regression":
            from sklearn.datasets import make_friedman1

            x, y = make_friedman1(total, 10, noise=1.0, random_state=int(rng.integers(2**31)))
            x = ((x - 0.5) * 12**0.5).astype(np.float32)
            y = ((y - y.mean()) / y.std()).astype(np.float32)[:, None]
        elif self.kind == "autoencode":
            x, _ = _digits()
            y = x = x[rng.permutation(len(x))[:total]]
        elif self.name.startswith("digits") or self.kind == "vae":
            x, y = _digits()
            pick = rng.permutation(len(y))[: min(total, len(y))]
            x, y = x[pick], y[pick]
            x = x + rng.normal(0, 0.15, x.shape).astype(np.float32) * (self.kind != "vae")
            if self.kind == "vae":
                y = x
        elif self.name == "shapes-cnn":
            x, y = _shapes(rng, total)
        elif self.name == "spirals-mlp":
            x, y = _spirals(rng, total)
        elif self.kind == "lm":
            codes = _text({"char-gru": "topics", "char-lstm": "library"}.get(self.name, "source"))
            length = 32 if self.name == "char-transformer" else 24
            cut = len(codes) * 4 // 5
            train, val = _windows(codes[:cut], rng, n_train, length), _windows(codes[cut:], rng, n_val, length)
            return tuple(torch.from_numpy(a) for a in (*train, *val))
        elif self.kind == "regress":
            from sklearn.datasets import load_diabetes

            data = load_diabetes()
            x = (data.data / data.data.std(0)).astype(np.float32)
            y = ((data.target - data.target.mean()) / data.target.std()).astype(np.float32)[:, None]
            pick = rng.permutation(len(y))
            x, y = x[pick], y[pick]
            n_val = min(n_val, 140)
        else:
            x = rng.uniform(-1, 1, (total, 4)).astype(np.float32)
            mean = np.sin(3 * x[:, 0]) + x[:, 1] * x[:, 2]
            y = (mean + (0.03 + 0.05 * abs(x[:, 3])) * rng.standard_normal(total)).astype(np.float32)[:, None]
        n_val = min(n_val, len(x) // 3)
        n_train = min(n_train, len(x) - n_val)
        yt = y[n_val : n_val + n_train].copy()
        if label_noise and self.classes:
            wrong = rng.random(n_train) < label_noise
            yt[wrong] = rng.integers(0, self.classes, wrong.sum())
        arrays = (x[n_val : n_val + n_train], yt, x[:n_val], y[:n_val])
        return tuple(torch.from_numpy(np.ascontiguousarray(a)) for a in arrays)

    def model(self, plan):
        """The network of a plan."""
        act, width = plan.activation, plan.width
        if self.name == "char-gru":
            return Gru(width, plan.dropout)
        if self.name == "char-lstm":
            return Lstm(width, plan.dropout)
        if self.name == "char-transformer":
            return Transformer(width // 4 * 4, plan.dropout)
        if self.kind == "vae":
            return Vae(width, act)
        if self.kind == "autoencode":
            return Mlp([64, width, 12, width, 64], act)
        if self.name.endswith("cnn"):
            side = {"digits-cnn": 8, "textures-cnn": 10}.get(self.name, 12)
            return Cnn(side, max(width // 8, 4), self.classes, act, plan.dropout)
        out = {"regress": 1, "density": 2}.get(self.kind, self.classes)
        return Mlp([self.input] + [width] * plan.depth + [out], act, plan.dropout)

    def loss(self, net, x, y, plan, step):
        """The objective on a batch and numbers to log beside it."""
        if self.kind == "vae":
            out, mu, logvar = net(x)
            reconstruction = F.mse_loss(out, x, reduction="none").sum(1).mean()
            kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1).mean()
            beta = plan.beta(step)
            extra = {"recon_loss": reconstruction.item(), "kl_loss": kl.item(), "kl_weight": beta}
            return reconstruction + beta * kl, extra
        out = net(x)
        if self.kind in ("regress", "autoencode"):
            return F.mse_loss(out, y), {}
        if self.kind == "density":
            scale = F.softplus(out[:, 1:]) + 1e-3
            return (0.5 * ((y - out[:, :1]) / scale) ** 2 + scale.log() + 0.919).mean(), {}
        if self.kind == "lm":
            return F.cross_entropy(out.flatten(0, 1), y.flatten()), {}
        if plan.double_softmax:
            out = F.softmax(F.softmax(out, 1), 1)
        loss = F.cross_entropy(out, y, label_smoothing=plan.label_smoothing)
        return loss, {"accuracy": (out.argmax(1) == y).float().mean().item()}

    @torch.no_grad()
    def evaluate(self, net, x, y, plan, step):
        """Loss, metric and confusion matrix on validation data."""
        net.eval()
        loss, extra = self.loss(net, x, y, plan, step)
        values = {"loss": loss.item()}
        matrix = None
        if self.classes:
            predicted = net(x).argmax(1)
            values["accuracy"] = extra["accuracy"]
            matrix = np.zeros((self.classes, self.classes), dtype=int)
            np.add.at(matrix, (y.numpy(), predicted.numpy()), 1)
        elif self.kind == "regress":
            values["mae"] = (net(x) - y).abs().mean().item()
        net.train()
        return values, matrix
