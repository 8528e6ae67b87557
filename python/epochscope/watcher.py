"""Follows a PyTorch model while it trains: `epochscope.watch(model, optimizer, log=log)`."""

import time

import torch

from . import activations, layers, weights
from .device import Reads
from .guard import guarded
from .probe import Probe
from .schedule import Schedule


class Watcher:
    """Logs at every `every`-th step of the optimiser what its layers do; in between it has no hooks in the model.

    At a sample: statistics of weights, gradients and activations of each layer, update norms, dead and always-on
    units, perplexity, the norm of the whole gradient and the learning rate. Rarer, in steps (0: never):
    `detail_every` (histograms, numbers of single units, copies of units, filters of the first convolution),
    `probe_every` (what `probe` and `val_probe` show), `spectra_every` (stable rank and power law of the weights).

    `optimizer`: one or several; the first one's steps count. Without one call `step()` after each step.
    `probe`: a batch `(x, y)` of training data, `val_probe` one that is not trained on; `x` as the model takes it.
    `scaler`: the GradScaler, if there is one. `budget`: share of the training's time that may be spent here; samples
    are left out where it would be more; None: none is. What cannot be timed, such as emptied caches, comes on top.
    `only(name, module)`: which layers to follow.
    `step`: steps that were done before, of a resumed run.

    Of a model whose parameters lie on several ranks each rank sees its own: no probes, spectra, filters or `grad_norm`.
    """

    def __init__(self, model, optimizer=None, *, log, every=100, detail_every=None, probe=None, val_probe=None,
                 probe_every=None, spectra_every=None, scaler=None, budget=0.005, only=None, bins=30, positions=4,
                 seed=0, step=0):
        if not isinstance(model, torch.nn.Module):
            raise TypeError(f"watch follows a torch.nn.Module, not {type(model).__name__}")
        self.log, self.troubles = log, log.troubles
        self.schedule = Schedule(every, budget, step)
        self.detail_every = 5 * every if detail_every is None else detail_every
        self.probe_every = 5 * every if probe_every is None else probe_every
        self.spectra_every = 10 * every if spectra_every is None else spectra_every
        self.model, self.step_number, self.scaler, self.bins = layers.unwrap(model), int(step), scaler, int(bins)
        self.optimisers = list(optimizer) if isinstance(optimizer, (list, tuple)) else [optimizer] if optimizer else []
        self.probes = [Probe(b, s) for b, s in ((probe, "train"), (val_probe, "val")) if b is not None]
        # hooks that come and go would have it compiled twice, and it runs past them
        self._compiled = hasattr(model, "_orig_mod") or hasattr(getattr(model, "module", None), "_orig_mod")
        self.layers, self.shards = layers.find(self.model, only), layers.has_shards(self.model)
        self._handles, self._reads, self._edges, self._spent, self._rare = [], None, {}, 0.0, {}
        self._order = None
        if not log.active:  # another rank writes
            return
        self.weights = weights.Weights(self.layers, self.optimisers)
        self.activations = activations.Activations(self.layers, positions, seed)
        if self.optimisers:
            first = self.optimisers[0]
            self._handles = [first.register_step_pre_hook(self._pre_step),
                             first.register_step_post_hook(lambda *_: self._after())]
        self._arm()

    def remove(self):
        """Takes all hooks away; nothing is logged any more."""
        for handle in self._handles:
            handle.remove()
        self._handles, self._reads = [], None
        if self.log.active:
            self.activations.disarm()
            self.weights.forget()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()
        return False

    def step(self):
        """Counts a step of a training without an optimiser of torch. Call it before gradients are set to zero."""
        if self.log.active:
            self._before()
            self._after()

    @guarded
    def _arm(self):
        step = self.step_number + 1
        if self.log.closed:
            return
        if self.schedule.due(step, time.perf_counter()):
            rarer = {"detail": self.detail_every, "spectra": self.spectra_every, "probe": self.probe_every}
            self._rare = {what: self.schedule.rare(what, step, interval) for what, interval in rarer.items()}
            self._reads = Reads()
            self.activations.taken = []
            if not (self._compiled or getattr(self.model, "_compiled_call_impl", None)):
                self.activations.arm(self.model, self._reads, self._rare["detail"])

    def _pre_step(self, _optimiser, args, kwargs):
        """A closure among the arguments of `step` (Lightning, LBFGS) computes the gradients: they are read after it."""
        if self._reads is None:
            return None
        if not any(callable(a) for a in (*args, *kwargs.values())):
            self._before()
            return None
        return (tuple(_followed(a, self._before) if callable(a) else a for a in args),
                {k: _followed(a, self._before) if callable(a) else a for k, a in kwargs.items()})

    def _before(self):
        if self._reads is not None:
            self._read_gradients()

    @guarded
    def _read_gradients(self):
        start = time.perf_counter()
        with torch.no_grad():
            scale = getattr(self.optimisers[0], "grad_scale", None) if self.optimisers else None
            self.weights.before(self._reads, self._rare["detail"], 1.0 if scale is None else float(scale))
        self._spent += time.perf_counter() - start

    def _after(self):
        self.step_number += 1
        if self._reads is not None:
            self._sample()
            self._reads = None
        self._arm()

    @guarded
    def _sample(self):
        if torch.cuda.is_initialized():
            torch.cuda.current_stream().synchronize()  # so that only what comes now is counted as ours
        start, step = time.perf_counter(), self.step_number
        self.activations.disarm()
        try:
            with torch.no_grad():
                self._write(step)
        finally:
            self.weights.forget()
            now = time.perf_counter()
            self.schedule.took(self._spent + self.activations.spent + now - start, now)
            self._spent = self.activations.spent = 0.0

    def _write(self, step):
        reads, detail = self._reads, self._rare["detail"]
        self.weights.after(reads, detail)
        shown = self._show(reads) if self._rare["probe"] and not self.shards else []
        reads.fetch()
        if self.activations.error is not None:
            self.troubles.add("activations", self.activations.error)
        trained = weights.trained(self.optimisers)
        order = self._in_order([one.layer.name for one in self.activations.taken])
        # as it happens in a step: outputs, gradients, weights. Whoever asks where a NaN began finds it first
        for one in self.activations.taken:
            activations.write(self.log, step, one, reads, self._edges, detail)
        for layer in order:
            self.weights.write_gradient(self.log, step, layer, reads)
        self._write_scalars(step, reads)
        for layer in order:
            self.weights.write(self.log, step, layer, reads, trained, self._rare["spectra"])
        for layer in order if detail else ():
            self.weights.write_histograms(self.log, step, layer, self.bins)
        if detail and not self.shards:
            self._write_filters(step)
        for probe, responses in shown:
            probe.write(self.log, step, responses)

    def _show(self, reads):
        if not self.activations.taken:
            # a compiled model runs past the hooks; when the probe is shown it does not
            self.activations.arm(self.model, reads, self._rare["detail"], evaluation=True)
        shown = [(probe, self._responses(probe)) for probe in self.probes]
        self.activations.disarm()
        return [(probe, responses) for probe, responses in shown if responses is not None]

    @guarded
    def _responses(self, probe):
        return probe.show(self.model, self.layers)

    def _write_scalars(self, step, reads):
        norm = None if self.shards else self.weights.gradient_norm(reads)
        values = {} if norm is None else {"grad_norm": norm}
        if self.optimisers:
            # of several groups the largest: the first is often a part that is hardly trained
            values["lr"] = max(float(group["lr"]) for group in self.optimisers[0].param_groups)
        if self.scaler is not None:
            values["loss_scale"] = float(self.scaler.get_scale())
        if values:
            self.log.log_scalars(step, values, split="train")

    def _in_order(self, names):
        """The layers in the order in which the first sampled pass came through; that of the model without one."""
        if self._order is None and names:
            place = {name: i for i, name in reversed(list(enumerate(names)))}
            self._order = sorted(self.layers, key=lambda layer: place.get(layer.name, len(names)))
        return self._order or self.layers

    def _write_filters(self, step):
        for layer in self._order or self.layers:
            if layer.convolution == 2:
                # one picture a filter: the mean over the input's channels
                filters = layer.module.weight.detach().float().mean(1)[:256]
                self.log.log_map(step, filters, kind="filter", layer=layer.name)
                return


def _followed(closure, then):
    """The closure; `then` is called after its first call. LBFGS calls it at every point that it tries, and begins at
    the first one."""
    todo = [then]

    def followed(*args, **kwargs):
        result = closure(*args, **kwargs)
        if todo:
            todo.pop()()
        return result

    return followed
