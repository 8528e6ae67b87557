"""Weights and gradients of the layers around one step of the optimiser."""

import math

import numpy as np
import torch

from . import device, spectra
from .layers import sharded

#: Elements of a layer that are remembered (before the step, at the start, for a histogram); of larger layers every k-th
#: stands for k, so that a large model is not held twice.
MOST_REMEMBERED = 1 << 20
#: Matrices whose spectrum is computed: elements.
MOST_SPECTRUM = 1 << 22


class Weights:
    """Reads gradients before the optimiser's step and weights after it."""

    def __init__(self, layers, optimisers):
        self.layers = [layer for layer in layers if layer.parameters]
        self._optimisers = optimisers
        self._initial, self._before, self._gradients, self._after = {}, {}, {}, {}
        with torch.no_grad():
            for layer in self.layers:
                self._initial[layer.name] = _remembered(layer.parameters)

    def before(self, reads, detail, scale=1.0):
        """Takes the gradients, which the optimiser is about to use, and remembers the weights. `scale`: by which
        gradients are still too large (a GradScaler's, with fused optimisers). `detail`: histograms will be wanted."""
        self._gradients, self._before = {}, {}
        for layer in self.layers:
            self._before[layer.name] = _remembered(layer.parameters)
            gradients = [p.grad for p in layer.parameters if p.grad is not None]
            if gradients:
                joined = device.joined(gradients)
                joined = joined if scale == 1.0 else joined / scale
                some = _some(joined).clone() if detail else None
                self._gradients[layer.name] = (reads.put(device.statistics(joined)), joined.numel(), some)

    def gradient_norm(self, reads):
        """The norm of the gradients of all layers together; NaN or infinite if an element is. None without any."""
        total, seen = 0.0, set()
        for layer in self.layers:
            if layer.name not in self._gradients or all(id(p) in seen for p in layer.parameters):
                continue  # tied weights count once
            seen.update(id(p) for p in layer.parameters)
            stats = reads.get(self._gradients[layer.name][0])
            total += math.nan if stats[7] else math.inf if stats[8] else float(stats[5]) ** 2
        return math.sqrt(total) if seen else None

    def after(self, reads, detail):
        """Takes the weights after the step."""
        self._after = {}
        for layer in self.layers:
            now = device.joined(layer.parameters)
            some, times = _some(now), _share(now)
            distances = [some - other for other in (self._before.get(layer.name), self._initial[layer.name])
                         if other is not None and other.shape == some.shape]
            norms = torch.stack([torch.linalg.vector_norm(d) * times for d in distances]) if distances else []
            self._after[layer.name] = (reads.put(device.statistics(now)), reads.put(norms), now.numel(),
                                       some if detail else None)
        self._before = {}

    def write_gradient(self, log, step, layer, reads):
        """The record of one layer's gradient."""
        if layer.name in self._gradients:
            place, numel, _ = self._gradients[layer.name]
            log.log_layer(step, layer.name, "grad", **device.named(reads.get(place), numel))

    def write(self, log, step, layer, reads, trained, spectrum):
        """The record of one layer's weights."""
        if layer.name not in self._after:
            return
        place, norms, numel, _ = self._after[layer.name]
        stats = device.named(reads.get(place), numel)
        norms = [float(v) for v in reads.get(norms)]
        if len(norms) == 2:
            stats.update(update_norm=norms[0], dist_init=norms[1])
        stats["frozen"] = layer.frozen(trained)
        if spectrum:
            stats.update(_spectrum(layer))
        log.log_layer(step, layer.name, "weight", **stats)

    def write_histograms(self, log, step, layer, bins):
        """Histograms of the weights and of the gradient that were taken last."""
        for kind, taken in (("weight", self._after), ("grad", self._gradients)):
            *_, numel, values = taken.get(layer.name, (0, None))
            if values is None:
                continue
            values = values[torch.isfinite(values)]
            if values.numel():
                low, high = (v.item() for v in torch.aminmax(values))
                room = 0.0 if high > low else max(abs(low), 1.0) * 1e-3
                low, high = low - room, high + room
                counts = torch.histc(values.float(), bins, low, high)
                log.log_histogram(step, layer.name, counts=counts, edges=np.linspace(low, high, bins + 1), kind=kind,
                                  numel=numel)

    def forget(self):
        """Frees what is only needed during a sample."""
        self._before, self._gradients, self._after = {}, {}, {}


def trained(optimisers):
    """Ids of the parameters that the optimisers step; None if there is no optimiser."""
    if not optimisers:
        return None
    return {id(p) for o in optimisers for group in o.param_groups for p in group["params"]}


def _some(joined):
    return joined[::-(-joined.numel() // MOST_REMEMBERED)]


def _remembered(parameters):
    """A copy of what is compared later on."""
    some = _some(device.joined(parameters))
    return some.clone() if len(parameters) == 1 or some.numel() < sum(p.numel() for p in parameters) else some


def _share(joined):
    """What a norm of the remembered elements is multiplied by."""
    return (joined.numel() / _some(joined).numel()) ** 0.5


def _spectrum(layer):
    matrices = [p for p in layer.parameters if p.dim() > 1 and min(p.shape[0], p.numel() // p.shape[0]) > 1]
    if len(matrices) != 1 or matrices[0].numel() > MOST_SPECTRUM or sharded(matrices[0]):
        return {}
    matrix = matrices[0].detach().flatten(1).float().cpu().double()
    matrix = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    if not torch.isfinite(matrix).all():
        return {}
    # with the threads of torch, which are the training's
    values = torch.linalg.eigvalsh(matrix @ matrix.T).clamp_min(0).numpy()
    law, rank = spectra.power_law(values), spectra.stable_rank(values)
    stats = {} if rank is None else {"stable_rank": rank}
    return {**stats, "alpha": law[0]} if law is not None else stats
