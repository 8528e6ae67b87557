"""A fixed batch that is shown to the network from time to time: how its layers tell the classes apart, and change."""

import contextlib

import numpy as np
import torch

from . import discrimination
from .activations import OFF, first_tensor
from .layers import unit_axis

#: Instances of a probe that are used; distances are computed between all pairs of them.
MOST_INSTANCES = 512
#: Layers in the matrix of similarities.
MOST_LAYERS = 64


def _eager():
    """Without torch.compile, which runs past hooks; of older versions a model that compiled itself stays compiled."""
    stance = getattr(torch.compiler, "set_stance", None)
    return stance("force_eager") if stance else contextlib.nullcontext()


class Probe:
    """A batch with labels. `split`: which data it is from; similarities are computed for `train` only."""

    def __init__(self, batch, split):
        if not isinstance(batch, (tuple, list)) or len(batch) != 2:
            raise ValueError("a probe is a pair: what the model takes, and the labels")
        self.x, y = batch
        self.y = y.detach().cpu().numpy() if torch.is_tensor(y) else np.asarray(y)
        if self.y.ndim != 1:
            raise ValueError("the labels of a probe are class numbers, one an instance")
        self.split, self._previous, self._previous_step = split, {}, None

    def show(self, root, layers):
        """Responses of each layer to the batch, [instance, unit] (means over places), and the density of activations.

        The model is put into evaluation mode and back; the training's random numbers stay as they are.
        """
        found, handles, planes = {}, [], [0]
        modes = [(m, m.training) for m in root.modules()]

        def hook(layer):
            def take(_module, _inputs, output):
                output = first_tensor(output)
                planes[0] = layer.convolution or planes[0]
                if output is None or output.dim() < 2 or len(output) != len(self.y) or layer.name in found:
                    return
                output = output.detach().float()
                axis = unit_axis(output.shape, planes[0])
                units = output.movedim(axis, 1).flatten(2).mean(2) if output.dim() > 2 else output
                on = (output > 0) if layer.rectifier else (output.abs() > OFF * output.abs().amax())
                found[layer.name] = (units, on.float().mean() if layer.activation else None)
            return take

        cuda = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
        try:
            for layer in layers:
                handles.append(layer.module.register_forward_hook(hook(layer)))
            root.eval()
            with torch.no_grad(), torch.random.fork_rng(devices=cuda), _eager():
                if isinstance(self.x, dict):
                    root(**self.x)
                else:
                    root(*self.x) if isinstance(self.x, (tuple, list)) else root(self.x)
        finally:
            for handle in handles:
                handle.remove()
            for module, mode in modes:
                module.training = mode
        return {name: (units[:MOST_INSTANCES].cpu().numpy(), None if on is None else float(on))
                for name, (units, on) in found.items()}

    def write(self, log, step, shown):
        """Discrimination, density and similarities of what `show` gave."""
        y = self.y[:MOST_INSTANCES]
        kernels = {}
        for name, (units, density) in shown.items():
            units = np.asarray(units, dtype=np.float64)
            with np.errstate(invalid="ignore", over="ignore"):
                eta2 = discrimination.eta2(units, y)
                mean = float(np.nanmean(eta2)) if np.isfinite(eta2).any() else None
                log.log_layer(step, name, "act", split=self.split, gdv=discrimination.gdv(units, y), density=density,
                              disc=None if mean is None else {"eta2_mean": mean})
                if self.split == "train":
                    log.log_units(step, name, "eta2", eta2, split=self.split)
                    kernels[name] = discrimination.gram(units)
        if self.split == "train" and kernels:
            self._similarities(log, step, kernels)

    def _similarities(self, log, step, kernels):
        with np.errstate(invalid="ignore", over="ignore"):
            for name, kernel in kernels.items():
                if name in self._previous:
                    value = discrimination.cka_matrix([self._previous[name], kernel])[0, 1]
                    if np.isfinite(value):
                        log.log_similarity(step, float(value), layer=name, to={"step": self._previous_step})
            self._previous, self._previous_step = kernels, step
            names = list(kernels)[:MOST_LAYERS]
            if len(names) > 1:
                log.log_similarity(step, layers=names,
                                   matrix=discrimination.cka_matrix([kernels[n] for n in names]))
