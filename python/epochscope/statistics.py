"""Statistics of one array of numbers. All speak of the finite elements and count the others."""

import numpy as np


def describe(values):
    """mean, std (population), min, max, absmean, norm, zero (share), numel, nan, inf. Without finite elements only the
    last three."""
    values = np.asarray(values).reshape(-1)
    values = values.astype(np.float64, copy=False)
    finite = values[np.isfinite(values)]
    stats = {"numel": int(values.size), "nan": int(np.isnan(values).sum()), "inf": int(np.isinf(values).sum())}
    if finite.size:
        size = np.abs(finite)
        stats.update(mean=float(finite.mean()), std=float(finite.std()), min=float(finite.min()),
                     max=float(finite.max()), absmean=float(size.mean()), norm=float(np.sqrt((finite**2).sum())),
                     zero=float((finite == 0).mean()))
    return stats


def histogram(values, bins=30):
    """(counts, edges) of the finite elements, buckets of equal width from the smallest to the largest."""
    values = np.asarray(values, dtype=np.float64).reshape(-1)
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise ValueError("no finite element")
    return np.histogram(finite, bins, range=_range(finite.min(), finite.max()))


def _range(low, high):
    return (low, high) if high > low else (low - max(abs(low), 1.0) * 1e-3, high + max(abs(high), 1.0) * 1e-3)


def rounded_edges(edges, digits):
    """Edges with as few digits as keep them apart: rounding must not make two of them one, nor swap them."""
    edges = np.asarray(edges, dtype=np.float64)
    for some in range(digits, 17):
        rounded = np.array([float(f"{e:.{some}g}") for e in edges])
        if np.all(np.diff(rounded) > 0) or not np.all(np.diff(edges) > 0):
            return rounded
    return edges


def whole(counts):
    """Counts as integers if they are whole; weighted ones stay what they are."""
    return counts.astype(np.int64) if counts.dtype.kind == "f" and np.all(np.mod(counts, 1) == 0) else counts
