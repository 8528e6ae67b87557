"""Lightning: `Trainer(callbacks=[EpochscopeCallback()])`, of `lightning` and of `pytorch_lightning` alike."""

import os
import sys

from ..guard import Troubles, guarded
from ..watcher import Watcher
from ..writer import Log


def _bases():
    """The Callback classes that are there: both packages have one of their own, and take no other. Only what is
    imported already counts, if anything is: importing the other as well takes seconds."""
    packages = ("lightning.pytorch", "pytorch_lightning")
    found = []
    for package in [p for p in packages if p in sys.modules] or packages:
        try:
            __import__(package)
            found.append(sys.modules[package].Callback)
        except ImportError:
            continue
    if not found:
        raise ImportError("neither lightning nor pytorch_lightning is installed")
    return tuple(dict.fromkeys(found))


class EpochscopeCallback(*_bases()):
    """Logs the metrics of `self.log(...)`, and with `watch=True` the layers of the module.

    `path`: folder or file of the log, default `epochscope` below the trainer's `default_root_dir`. `run`: further
    arguments of `Log`. `every`: of metrics too. Further options go to `epochscope.watch`. Steps are those of the first
    optimiser; Lightning counts those of all.
    """

    def __init__(self, path=None, *, watch=True, run=None, every=100, **options):
        super().__init__()
        self._path, self._watch, self._run, self._every, self._options = path, watch, dict(run or {}), every, options
        self.log, self.watcher = None, None
        self._troubles = Troubles()

    @property
    def troubles(self):
        """What failed so far."""
        return self.log.troubles if self.log is not None else self._troubles

    def on_fit_start(self, trainer, pl_module):
        path = self._path or os.path.join(trainer.default_root_dir, "epochscope")
        total = trainer.estimated_stepping_batches
        known = {"config": dict(getattr(pl_module, "hparams", None) or {}),
                 "steps_total": int(total) if total not in (float("inf"), -1) else None,
                 "epochs_total": trainer.max_epochs if (trainer.max_epochs or -1) > 0 else None}
        self.log, self.watcher = Log(path, **{**known, **self._run}), None

    @guarded
    def on_train_start(self, trainer, pl_module):
        if self._watch and trainer.optimizers:
            plain = [getattr(o, "optimizer", o) for o in trainer.optimizers]  # below LightningOptimizer
            scaler = getattr(getattr(trainer, "precision_plugin", None), "scaler", None)
            self.watcher = Watcher(pl_module, plain, log=self.log, every=self._every, scaler=scaler,
                                   step=self._step(trainer), **self._options)

    @guarded
    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        step = self._step(trainer)
        if self.log is not None and (step % self._every == 0 or step == 1):
            self._write(trainer, "train")

    @guarded
    def on_train_epoch_end(self, trainer, pl_module):
        self._write(trainer, "train", epoch=trainer.current_epoch + 1)

    @guarded
    def on_validation_end(self, trainer, pl_module):
        if self.log is not None and not trainer.sanity_checking:
            self._write(trainer, "val", epoch=trainer.current_epoch + 1)

    @guarded
    def on_save_checkpoint(self, trainer, pl_module, checkpoint):
        if self.log is not None:
            self.log.log_event("checkpoint", f"step {trainer.global_step}", step=self._step(trainer))

    @guarded
    def on_fit_end(self, trainer, pl_module):
        self._end("finished")

    @guarded
    def on_exception(self, trainer, pl_module, exception):
        self._end("interrupted" if isinstance(exception, KeyboardInterrupt) else "failed")

    def _step(self, trainer):
        """The step of the first optimiser: counted by the watcher, else its share of the steps of all."""
        if self.watcher is not None and self.log.active:
            return self.watcher.step_number
        return trainer.global_step // max(len(trainer.optimizers), 1)

    def _end(self, status):
        if self.watcher is not None:
            self.watcher.remove()
        if self.log is not None:
            self.log.finish(status)

    def _write(self, trainer, split, epoch=None):
        if self.log is None or not trainer.callback_metrics:
            return
        values = {}
        for name, value in trainer.callback_metrics.items():
            # `loss_step` and `loss_epoch` are `loss` once more
            if name.endswith(("_step", "_epoch")) and name.rsplit("_", 1)[0] in trainer.callback_metrics:
                continue
            own, rest = _split(name)
            if own == split:
                values[rest] = float(value)
        if values:
            self.log.log_scalars(self._step(trainer), values, split=split, epoch=epoch)


def _split(name):
    """The split that a metric's name says, and the name without it."""
    for word, split in (("train", "train"), ("val", "val"), ("valid", "val"), ("validation", "val"), ("test", "test")):
        for mark in "_/":
            if name.startswith(word + mark) and len(name) > len(word) + 1:
                return split, name[len(word) + 1:]
    return "train", name
