"""How the optimiser goes along: the normalised step of Cockpit and the noise scale of the gradient."""

import math

import numpy as np


def normalised_step(t, f0, f1, d0, d1):
    """Cockpit's α (Schneider et al. 2021) of a step of length `t`: losses before and after on the same batch, and the
    slopes along the step (gradient · direction). −1: did not move or the curve bends down, 0: in the minimum, 1: as
    high on the other side, above: overshot. All four values weigh the same. None if something is not finite.

    Log it as `log.log_scalars(step, {"cockpit/alpha": normalised_step(...)})`.
    """
    values = np.array([f0, f1, d0, d1], dtype=np.float64)
    if not (np.all(np.isfinite(values)) and math.isfinite(t) and t > 0):
        return None
    design = np.array([[1, 0, 0], [1, t, t * t], [0, 1, 0], [0, 1, 2 * t]])
    _, slope, bend = np.linalg.lstsq(design, values, rcond=None)[0]
    if bend <= 0 or slope == 0:
        return -1.0
    return float(2 * t / (-slope / bend) - 1)


class NoiseScale:
    """Gradient noise scale B = trΣ/|G|² from squared gradient norms of two batch sizes (McCandlish et al. 2018).

    Numerator and denominator are averaged apart (exponentially, without the bias of the start); their ratio says
    nothing if |G|² comes out negative.
    """

    def __init__(self, beta=0.99):
        self.beta, self._trace, self._square, self._weight = beta, 0.0, 0.0, 0.0

    def add(self, b_small, b_big, g2_small, g2_big):
        """Takes one pair; returns the noise scale so far, or None if it cannot be estimated."""
        if not 0 < b_small < b_big:
            raise ValueError("the small batch must be smaller than the big one")
        square = (b_big * g2_big - b_small * g2_small) / (b_big - b_small)
        trace = (g2_small - g2_big) / (1 / b_small - 1 / b_big)
        if math.isfinite(square) and math.isfinite(trace):
            self._trace = self.beta * self._trace + (1 - self.beta) * trace
            self._square = self.beta * self._square + (1 - self.beta) * square
            self._weight = self.beta * self._weight + (1 - self.beta)
        return self.value

    @property
    def value(self):
        """The noise scale so far, in samples."""
        if self._weight == 0 or self._square <= 0:
            return None
        return self._trace / self._square
