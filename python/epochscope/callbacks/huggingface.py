"""Hugging Face Transformers: `Trainer(..., callbacks=[EpochscopeCallback()])`."""

import os

from transformers import TrainerCallback

from ..guard import guarded
from ..writer import Log

#: What the Trainer adds to its logs that is no metric of a step.
_SUMMARY = {"total_flos", "train_runtime", "train_samples_per_second", "train_steps_per_second", "train_loss"}


class EpochscopeCallback(TrainerCallback):
    """Logs what the Trainer logs, and with `watch=True` the layers of its model.

    `path`: folder or file of the log, default `epochscope` in the `output_dir`. `run`: further arguments of `Log`.
    Further options go to `epochscope.watch`. What is logged after the training (`evaluate`) goes on in the same file.
    While a model is watched, `grad_norm` is the watcher's and that of the Trainer, before clipping,
    `grad_norm_unclipped`.
    """

    def __init__(self, path=None, *, watch=True, run=None, **options):
        self._path, self._watch, self._run, self._options = path, watch, dict(run or {}), options
        self.log, self.watcher = None, None

    @property
    def troubles(self):
        """What failed so far."""
        return self.log.troubles if self.log is not None else _NONE

    def on_train_begin(self, args, state, control, model=None, optimizer=None, **kwargs):
        config = {k: v for k, v in args.to_dict().items() if isinstance(v, (int, float, str, bool))}
        known = {"name": getattr(args, "run_name", None) or os.path.basename(os.path.abspath(args.output_dir)),
                 "config": config, "steps_total": state.max_steps or None,
                 "epochs_total": float(args.num_train_epochs) if args.max_steps <= 0 else None}
        self._known = {"path": self._path or os.path.join(args.output_dir, "epochscope"), **known, **self._run}
        if self.log is None or self.log.closed:
            self._open()
        self._start(state, model, optimizer)

    def _open(self):
        """Makes the log, or goes on with the one that ended with the last training."""
        again = {} if self.log is None else {"overwrite": False}
        self.log = Log(**{**self._known, **again})

    @guarded
    def _start(self, state, model, optimizer):
        if self._watch and self.watcher is None and model is not None and optimizer is not None:
            from ..watcher import Watcher

            optimizer = getattr(optimizer, "optimizer", optimizer)  # below accelerate's wrapper
            self.watcher = Watcher(model, optimizer, log=self.log, step=state.global_step, **self._options)

    @guarded
    def on_log(self, args, state, control, logs=None, **kwargs):
        if self.log is None:
            return
        late = self.log.active and self.log.closed  # `evaluate` after `train`
        if late:
            self._open()
        splits = {}
        for name, value in (logs or {}).items():
            if name in _SUMMARY or name == "epoch" or not isinstance(value, (int, float)):
                continue
            split, rest = ("val", name[5:]) if name.startswith("eval_") else ("test", name[5:]) if name.startswith(
                "test_") else ("train", name)
            splits.setdefault(split, {})[self._named(rest)] = value
        for split, values in splits.items():
            self.log.log_scalars(state.global_step, values, split=split, epoch=state.epoch)
        if late:
            self.log.finish()

    def _named(self, name):
        """The Trainer's norm is that before clipping; the watcher's `grad_norm`, after it, is another series."""
        if name == "grad_norm" and self.watcher is not None and not self.watcher.shards:
            return "grad_norm_unclipped"
        return "lr" if name == "learning_rate" else name

    @guarded
    def on_save(self, args, state, control, **kwargs):
        if self.log is not None:
            self.log.log_event("checkpoint", os.path.join(args.output_dir, f"checkpoint-{state.global_step}"),
                               step=state.global_step)

    @guarded
    def on_train_end(self, args, state, control, **kwargs):
        if self.watcher is not None:
            self.watcher.remove()
            self.watcher = None
        if self.log is not None:
            self.log.finish()


class _Nothing:
    def add(self, where, error):
        """There is no log yet that could take note."""


_NONE = _Nothing()
