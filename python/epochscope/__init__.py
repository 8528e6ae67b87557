"""Writes epochscope's native log (`*.scope.jsonl`) from a training loop.

    log = epochscope.Log("runs/a", classes=[...], steps_total=1000)
    watcher = epochscope.watch(model, optimizer, log=log)      # PyTorch
    log.log_scalars(step, loss=loss, split="train")

Only numpy is needed. Nothing here raises into the training loop once it is set up: what fails is said once and counted
in the log.
"""

from .optimisation import NoiseScale, normalised_step
from .version import __version__
from .writer import Log

__all__ = ["Log", "NoiseScale", "__version__", "normalised_step", "watch"]


def watch(model, optimizer=None, **options):
    """Follows a PyTorch model while it trains; see `epochscope.watcher.Watcher` for the options."""
    from .watcher import Watcher  # torch is imported here only

    return Watcher(model, optimizer, **options)
