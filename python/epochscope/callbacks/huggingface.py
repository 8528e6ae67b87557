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
    Further options go to `epochscope.watch`.
    """

    def __init__(self, path=None, *, watch=True, run=None, **options):
        self._path, self._watch, self._run, self._options = path, watch, dict(run or {}), options
        self.log, self.watcher = None, None

    @property
    def troubles(self):
        """What failed so far."""
        return self.log.troubles if self.log is not None else _NONE

    def on_train_begin(self, args, state, control, model=None, optimizer=None, **kwargs):
        if self.log is None:
            config = {k: v for k, v in args.to_dict().items() if isinstance(v, (int, float, str, bool))}
            known = {"name": getattr(args, "run_name", None) or os.path.basename(os.path.abspath(args.output_dir)),
                     "config": config, "steps_total": state.max_steps or None,
                     "epochs_total": float(args.num_train_epochs) if args.max_steps <= 0 else None}
            path = self._path or os.path.join(args.output_dir, "epochscope")
            self.log = Log(path, **{**known, **self._run})
        self._start(state, model, optimizer)

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
        splits = {}
        for name, value in (logs or {}).items():
            if name in _SUMMARY or name == "epoch" or not isinstance(value, (int, float)):
                continue
            split, rest = ("val", name[5:]) if name.startswith("eval_") else ("test", name[5:]) if name.startswith(
                "test_") else ("train", name)
            splits.setdefault(split, {})["lr" if rest == "learning_rate" else rest] = value
        for split, values in splits.items():
            self.log.log_scalars(state.global_step, values, split=split, epoch=state.epoch)

    @guarded
    def on_save(self, args, state, control, **kwargs):
        if self.log is not None:
            self.log.log_event("checkpoint", os.path.join(args.output_dir, f"checkpoint-{state.global_step}"),
                               step=state.global_step)

    @guarded
    def on_train_end(self, args, state, control, **kwargs):
        if self.watcher is not None:
            self.watcher.remove()
        if self.log is not None:
            self.log.finish()


class _Nothing:
    def add(self, where, error):
        """There is no log yet that could take note."""


_NONE = _Nothing()
