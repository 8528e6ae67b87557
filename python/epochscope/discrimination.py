"""How well a layer tells the classes apart, and how alike two representations are. Activations are [instance, unit]."""

import numpy as np


def gdv(x, y):
    """Generalised discrimination value (Schilling et al., arXiv 1811.01753): −1 separated, 0 not at all.

    Units are z-scored and halved; mean distance within classes minus mean distance between classes, over √units.
    None with fewer than two classes of two instances, or if something is not finite.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y).reshape(-1)
    classes = [c for c in np.unique(y) if (y == c).sum() > 1]
    if len(classes) < 2 or not np.all(np.isfinite(x)):
        return None
    std = x.std(0)
    x = 0.5 * (x - x.mean(0)) / np.where(std == 0, 1, std)
    square = (x**2).sum(1)
    distances = np.sqrt(np.maximum(square[:, None] + square[None] - 2 * x @ x.T, 0))
    np.fill_diagonal(distances, 0)
    members = np.stack([y == c for c in classes]).astype(np.float64)
    n = members.sum(1)
    sums = members @ distances @ members.T
    within = np.mean(np.diag(sums) / (n * (n - 1)))
    means = sums / np.outer(n, n)
    between = means[np.triu_indices(len(classes), 1)].mean()
    return float((within - between) / np.sqrt(x.shape[1]))


def eta2(x, y):
    """η² of each unit: between-class over total sum of squares, 0…1. NaN where the unit never changes."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y).reshape(-1)
    mean = x.mean(0)
    total = ((x - mean) ** 2).sum(0)
    between = sum((y == c).sum() * (x[y == c].mean(0) - mean) ** 2 for c in np.unique(y))
    # what is left of a constant by rounding is no change
    changes = total > 1e-12 * np.maximum((x**2).sum(0), 1e-300)
    return np.where(changes, between / np.where(changes, total, 1), np.nan)


def gram(x):
    """The centred linear kernel without its diagonal, as unbiased HSIC needs it."""
    x = np.asarray(x, dtype=np.float64)
    k = x - x.mean(0)
    k = k @ k.T
    np.fill_diagonal(k, 0)
    return k


def cka_matrix(grams):
    """Linear CKA of each pair of kernels by unbiased HSIC (Song et al. 2012), which may be below 0.

    NaN where a kernel says nothing (a constant layer, not finite, fewer than 4 instances).
    """
    n = len(grams[0])
    if n < 4:
        return np.full((len(grams),) * 2, np.nan)
    flat = np.stack([k.reshape(-1) for k in grams])
    rows = np.stack([k.sum(0) for k in grams])
    sums = rows.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        hsic = flat @ flat.T + np.outer(sums, sums) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (rows @ rows.T)
        own = np.diag(hsic)
        own = np.where(own > 0, own, np.nan)
        return hsic / np.sqrt(np.outer(own, own))


def cka_unbiased(x, y):
    """Linear CKA by unbiased HSIC of two representations of the same instances; NaN if one says nothing."""
    return float(cka_matrix([gram(x), gram(y)])[0, 1])
