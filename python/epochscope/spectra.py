"""Spectra of weight matrices: stable rank and the power law of WeightWatcher (Martin et al. 2021)."""

import numpy as np


def eigenvalues(weight):
    """Eigenvalues of WᵀW, ascending; the first axis of a convolution against all others. None if not finite."""
    matrix = np.asarray(weight, dtype=np.float64)
    matrix = matrix.reshape(matrix.shape[0], -1)
    if not np.all(np.isfinite(matrix)):
        return None
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    return np.maximum(np.linalg.eigvalsh(matrix @ matrix.T), 0)


def stable_rank(values):
    """‖W‖²_F / ‖W‖²₂ of the eigenvalues; None of a zero matrix."""
    return float(values.sum() / values[-1]) if values[-1] > 0 else None


def power_law(values):
    """(α, D) of the eigenvalues' tail: α = 1 + n/Σ ln(λ/x_min), with the x_min of least Kolmogorov–Smirnov D.

    None with fewer than 10 positive eigenvalues. α below 2: over-trained, above 6: under-trained.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    x = x[x > 1e-12 * x[-1]] if len(x) and x[-1] > 0 else x[:0]
    if len(x) < 10:
        return None
    logs, best = np.log(x), None
    tails = np.cumsum(logs[::-1])[::-1]
    for i in range(len(x) - 1):
        m = len(x) - i
        total = tails[i] - m * logs[i]
        if total <= 0:
            continue
        alpha = 1 + m / total
        distance = np.abs(1 - np.exp((1 - alpha) * (logs[i:] - logs[i])) - np.arange(m) / m).max()
        if best is None or distance < best[1]:
            best = (float(alpha), float(distance))
    return best
