"""What comes out of the layers: hooks that are there only while a sample is taken."""

import time

import numpy as np
import torch

from . import device, responses
from .encode import array
from .layers import sharded, unit_axis

#: Responses of one layer that are looked at one by one (instances times filters).
MOST_RESPONSES = 1 << 16
#: Filters that are compared with each other for copies.
MOST_COMPARED = 512
#: A unit of an activation that is never exactly 0 is off below this share of the layer's largest response.
OFF = 1e-3


_is_compiling = getattr(torch.compiler, "is_compiling", None) or torch._dynamo.is_compiling


class _Nothing:
    """A hook that does nothing."""

    def __call__(self, *_):
        pass


class _Hook:
    """A hook of a model that may be pickled or copied at any time; in what comes of that it does nothing."""

    def __init__(self, call):
        self._call = call

    def __call__(self, *args):
        # torch.compile looks into hooks; this is all that it finds, so that it neither stops at them nor keeps them
        if not _is_compiling():
            self._call(*args)

    def __reduce__(self):
        return _Nothing, ()


class Taken:
    """One output of a layer: places of what was put into the reads."""

    def __init__(self, layer, name, numel):
        self.layer, self.name, self.numel = layer, name, numel
        self.stats = self.top = self.mean = self.sample = None


class Activations:
    """Takes the outputs of the first forward pass of a sampled step.

    Of activations, statistics of units and a random sample of responses are taken as well: at least half of the inputs,
    at most `positions` places of each. The random numbers are its own; those of the training are not touched.
    """

    def __init__(self, layers, positions=4, seed=0):
        self.layers, self.positions = layers, positions
        self._random = np.random.default_rng(seed)
        self._handles, self._forwards = [], 0
        self.taken, self.reads, self.error = [], None, None
        self.spent = 0.0

    def arm(self, root, reads, detail, evaluation=False):
        """From now on the next forward pass of the model is taken: of the training, or of an evaluation.
        `detail`: means of single units too."""
        self.disarm()
        self.taken, self.reads, self._forwards, self.error, self._planes = [], reads, 0, None, 0
        self._names, self._detail, self._evaluation = {}, detail, evaluation
        self._handles.append(root.register_forward_pre_hook(_Hook(self._begin)))
        self._root = root
        for layer in self.layers:
            self._handles.append(layer.module.register_forward_hook(_Hook(self._hook(layer))))

    def disarm(self):
        """Takes the hooks away."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _begin(self, *_):
        if self._wanted():
            self._forwards += 1

    def _wanted(self):
        """Evaluations between the steps of a training are passed over."""
        return self._evaluation or (self._root.training and torch.is_grad_enabled())

    def _hook(self, layer):
        def hook(_module, _inputs, output):
            start = time.perf_counter()
            try:
                # the further parts of an accumulated batch are passed over
                if self._wanted() and self._forwards <= 1 and self.error is None:
                    with torch.no_grad():
                        self._take(layer, output)
            except Exception as error:
                self.error = error
            self.spent += time.perf_counter() - start

        return hook

    def _take(self, layer, output):
        output = first_tensor(output)
        if output is None or output.numel() == 0 or output.dim() < 2:
            return
        calls = self._names[layer.name] = self._names.get(layer.name, 0) + 1
        if calls > 8:
            return
        # a module that is used several times in a pass is several layers
        name = layer.name if calls == 1 else f"{layer.name}#{calls}"
        self._planes = layer.convolution or self._planes
        output = output.detach()
        output = output if output.dtype in (torch.float32, torch.float64) else output.float()
        taken = Taken(layer, name, output.numel())
        taken.stats = self.reads.put(device.statistics(output.reshape(-1)))
        if layer.activation:
            self._take_units(taken, output)
        self.taken.append(taken)

    def _take_units(self, taken, output):
        axis = unit_axis(output.shape, self._planes)
        # [input, unit, place]
        output = output.movedim(axis, 1).reshape(output.shape[0], output.shape[axis], -1)
        # what is below zero does not respond; of a range that is symmetric both ends do
        strength = output.abs() if _symmetric(taken.layer) else output
        taken.top = self.reads.put(strength.amax((0, 2)))
        taken.mean = self.reads.put(output.mean((0, 2))) if self._detail else None
        taken.sample = self.reads.put(self._sample(output))

    def _sample(self, output):
        inputs, units, places = output.shape
        take = min(inputs, max((inputs + 1) // 2, MOST_RESPONSES // units))
        # places of one input are alike; of few places most would be the same again
        each = max(1, min(self.positions, places // 4, MOST_RESPONSES // (take * units)))
        rows = self._random.permutation(inputs)[:take]
        if take < inputs:
            output = output.index_select(0, torch.from_numpy(rows).to(output.device))
        if places == 1:
            return output[:, :, 0].clone()  # a module that comes later may work in place
        at = torch.from_numpy(self._places(take, places, each)).to(output.device)
        return output.gather(2, at[:, None].expand(take, units, each)).permute(0, 2, 1).reshape(-1, units)

    def _places(self, inputs, places, each):
        """Places of each input, [input, place]; none twice where there are few."""
        if each > 1 and places <= 256:
            return self._random.random((inputs, places)).argsort(1)[:, :each].copy()
        return self._random.integers(0, places, (inputs, each))


def first_tensor(output):
    """The tensor among what a module returned; transformers return tuples and mappings."""
    if torch.is_tensor(output):
        return output if output.is_floating_point() and not sharded(output) else None
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, (tuple, list)):
        return next((first_tensor(o) for o in output if first_tensor(o) is not None), None)
    return None


def write(log, step, taken, reads, edges, detail):
    """The records of one output. `edges`: of the perplexity, by number of filters, made once."""
    layer, stats = taken.layer, device.named(reads.get(taken.stats), taken.numel)
    if taken.top is None:
        log.log_layer(step, taken.name, "act", split="train", **stats)
        return
    top, sample = np.asarray(reads.get(taken.top)), np.asarray(reads.get(taken.sample))
    strength = np.abs(sample) if _symmetric(layer) else sample
    units = len(top)
    with np.errstate(invalid="ignore"):
        freq = np.count_nonzero(strength > responses.BETA * top, 0) / len(strength)
    if stats["nan"] + stats["inf"] == 0:
        off = 0.0 if layer.rectifier else OFF * float(top.max())
        dead, always = responses.activity(top, freq, off)
        stats.update(dead=np.count_nonzero(dead) / units, always_on=np.count_nonzero(always) / units)
        on = 1 - stats["zero"] if layer.rectifier else np.count_nonzero(np.abs(sample) > off) / sample.size
        stats["density"] = on
        if detail and units <= MOST_COMPARED:
            stats["duplicate"] = responses.duplicate_share(strength[:256], skip=dead | always)
    if layer.range is not None:
        stats["saturated"] = responses.saturated_share(sample, *layer.range)
    log.log_layer(step, taken.name, "act", split="train", **stats)
    if units > 1:
        if units not in edges:
            edges[units] = array(responses.perplexity_edges(units), log.digits, nested=True)
        counts, n, silent = responses.perplexity_histogram(strength, edges[units])
        log.log_perplexity(step, taken.name, counts, edges[units], filters=units, n=n, no_response=silent,
                           split="train")
    if detail:
        log.log_units(step, taken.name, "mean_act", reads.get(taken.mean), split="train")
        log.log_units(step, taken.name, "max_act", top, freq=freq, split="train")


def _symmetric(layer):
    """Both ends of its range respond."""
    return layer.range is not None and layer.range[0] < 0
