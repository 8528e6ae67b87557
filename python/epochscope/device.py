"""Statistics of tensors where they lie, brought over together: one wait for the device a sample."""

import math

import numpy as np
import torch

from .layers import local

#: What `statistics` gives, in this order.
NAMES = ("mean", "std", "min", "max", "absmean", "norm", "zero", "nan", "inf")


def flat(tensor):
    """One axis, at least single precision, dense; of a sharded tensor the part that lies here."""
    tensor = local(tensor.detach())
    if tensor.is_sparse:
        tensor = tensor.coalesce().values()
    return (tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.float()).reshape(-1)


def joined(tensors):
    """Several tensors as one of one axis. Of a single one it may be the tensor itself, not a copy."""
    parts = [flat(t) for t in tensors]
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def statistics(x):
    """The values of NAMES over the finite elements of a tensor of one axis: a tensor of 9, nowhere waited for.

    Where waiting costs nothing (on the CPU) the masks are saved if all is finite.
    """
    if x.device.type == "cpu":
        n = x.numel()
        absolute, norm = torch.linalg.vector_norm(x, 1).item(), torch.linalg.vector_norm(x).item()
        # squares of what is below 1e-19 are 0 in single precision: gradients that vanish would have no norm
        if math.isfinite(norm) and math.isfinite(absolute) and (norm > 1e-15 or absolute == 0):
            low, high = (v.item() for v in torch.aminmax(x))
            mean, square = x.mean().item(), norm * norm / n
            # torch.std takes ten times as long; the difference of squares loses digits only where the mean is large
            variance = square - mean * mean
            if variance < 1e-3 * square:
                variance = torch.linalg.vector_norm(x - mean).item() ** 2 / n
            zero = np.count_nonzero(torch.eq(x, 0).numpy()) / n
            return [mean, math.sqrt(variance), low, high, absolute / n, norm, zero, 0, 0]
        x = x.double()
    finite = torch.isfinite(x)
    n = finite.sum()
    there = torch.where(finite, x, 0)
    mean = there.sum() / n
    # squares of large and of small numbers are not numbers any more, so lengths are taken in units of the largest
    largest = there.abs().amax()
    unit = torch.where(largest > 0, largest, 1)
    std = torch.linalg.vector_norm(torch.where(finite, (x - mean) / unit, 0)) * unit / n.sqrt()
    norm = torch.linalg.vector_norm(there / unit) * unit
    nan = torch.isnan(x).sum()
    # with nothing finite, the 0/0 and infinities here are left out by `named`
    values = [mean, std, torch.where(finite, x, math.inf).amin(), torch.where(finite, x, -math.inf).amax(),
              there.abs().sum() / n, norm, (x == 0).sum() / n, nan, x.numel() - n - nan]
    return torch.stack([v.to(x.dtype) for v in values])


def named(values, numel):
    """The statistics by name, for a record. Without a finite element only the counts."""
    stats = {"numel": int(numel), "nan": int(values[7]), "inf": int(values[8])}
    if stats["nan"] + stats["inf"] < numel:
        stats.update({name: float(v) for name, v in zip(NAMES[:7], values)})
    return stats


class Reads:
    """Tensors that will be needed here. `put` gives a place; after `fetch` `get` gives the array."""

    def __init__(self):
        self._tensors, self._arrays = [], []

    def put(self, value):
        """A tensor, or numbers that are here already."""
        self._tensors.append(value)
        return len(self._tensors) - 1

    def fetch(self):
        """Brings everything over: one transfer for each device and type."""
        groups = {}
        self._arrays = [None] * len(self._tensors)
        for place, value in enumerate(self._tensors):
            if not torch.is_tensor(value):
                self._arrays[place] = value
            elif value.device.type == "cpu":
                self._arrays[place] = value.numpy()
            else:
                groups.setdefault((value.device, value.dtype), []).append(place)
        for places in groups.values():
            parts = [self._tensors[place] for place in places]
            all_ = torch.cat([p.reshape(-1) for p in parts]).cpu().numpy()
            start = 0
            for place, part in zip(places, parts):
                self._arrays[place] = all_[start:start + part.numel()].reshape(part.shape)
                start += part.numel()
        self._tensors = []

    def get(self, place):
        """The array (or number) at a place."""
        return self._arrays[place]
