"""Keras 3 and 2: `model.fit(..., callbacks=[EpochscopeCallback("runs/a")])`, with any backend."""

import numpy as np
from keras.callbacks import Callback

from .. import statistics
from ..guard import guarded
from ..writer import Log


class EpochscopeCallback(Callback):
    """Logs training and validation metrics, and the weights of each layer.

    Gradients and activations are not to be had from a Keras callback. Weights are read every `weights_every` batches
    (0: never, None: after each epoch); metrics of the training every `every` batches. Keras gives means since the start
    of the epoch. `run`: further arguments of `Log`.
    """

    def __init__(self, path, *, every=100, weights_every=None, histograms=True, run=None):
        super().__init__()
        self.log = Log(path, **dict(run or {}))
        self.troubles = self.log.troubles
        self._every, self._weights_every, self._histograms = every, weights_every, histograms
        self._step, self._initial, self._before = 0, {}, {}

    @guarded
    def on_train_begin(self, logs=None):
        params = self.params or {}
        steps, epochs = params.get("steps"), params.get("epochs")
        self.log.record("run", epochs_total=epochs, steps_per_epoch=steps,
                        steps_total=steps * epochs if steps and epochs else None)
        if self._weights_every != 0:
            self._initial = {name: values for name, values, _ in self._layers()}

    @guarded
    def on_train_batch_begin(self, batch, logs=None):
        # the update is that of the next batch
        if self._weights_due(self._step + 1):
            self._before = {name: values for name, values, _ in self._layers()}

    @guarded
    def on_train_batch_end(self, batch, logs=None):
        self._step += 1
        if self._step % self._every == 0 or self._step == 1:
            self._scalars(logs, "train", None)
        if self._weights_due(self._step):
            self._weights()

    @guarded
    def on_epoch_end(self, epoch, logs=None):
        train = {k: v for k, v in (logs or {}).items() if not k.startswith("val_")}
        val = {k[4:]: v for k, v in (logs or {}).items() if k.startswith("val_")}
        self._scalars(train, "train", epoch + 1)
        self._scalars(val, "val", epoch + 1)
        if self._weights_every is None:
            self._weights()

    @guarded
    def on_train_end(self, logs=None):
        self.log.finish()

    def _weights_due(self, step):
        return bool(self._weights_every) and step % self._weights_every == 0

    def _scalars(self, logs, split, epoch):
        values = {("lr" if k == "learning_rate" else k): v for k, v in (logs or {}).items()}
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        if split == "train" and rate is not None and "lr" not in values:
            values["lr"] = float(_numpy(rate))
        if values:
            self.log.log_scalars(self._step, values, split=split, epoch=epoch)

    def _layers(self):
        """Each layer that has weights: its path, all of its weights in one row, whether it is trained."""
        def leaves(layer):
            below = getattr(layer, "layers", None) or []
            return [leaf for one in below for leaf in leaves(one)] if below else [layer]

        for layer in leaves(self.model):
            weights = list(layer.weights)
            if weights:
                joined = np.concatenate([_numpy(w).reshape(-1).astype(np.float32) for w in weights])
                yield layer.name, joined, bool(layer.trainable_weights)

    def _weights(self):
        for name, values, trained in self._layers():
            stats = statistics.describe(values)
            for key, other in (("update_norm", self._before.get(name)), ("dist_init", self._initial.get(name))):
                if other is not None and other.shape == values.shape:
                    stats[key] = float(np.linalg.norm(values.astype(np.float64) - other))
            self.log.log_layer(self._step, name, "weight", frozen=not trained, **stats)
            if self._histograms and np.isfinite(values).any():
                self.log.log_histogram(self._step, name, values, kind="weight")
        self._before = {}


def _numpy(variable):
    """A Keras variable, a tensor of its backend, or a number."""
    if hasattr(variable, "detach"):
        return variable.detach().cpu().numpy()
    try:
        from keras import ops

        return np.asarray(ops.convert_to_numpy(variable))
    except ImportError:  # Keras 2
        return variable.numpy() if hasattr(variable, "numpy") else np.asarray(variable)
