"""Nothing that goes wrong while logging may stop a training."""

import functools
import logging

_logger = logging.getLogger("epochscope")


class Troubles:
    """Counts what failed, and says each kind once: to `logging`, and as an event in the log if that can be written."""

    def __init__(self, tell=None):
        self.counts = {}
        self._tell = tell

    def add(self, where, error):
        """Takes note of an exception. Never raises."""
        try:
            kind = f"{where}: {type(error).__name__}"
            self.counts[kind] = self.counts.get(kind, 0) + 1
            if self.counts[kind] > 1:
                return
            text = f"{kind}: {error}"[:500]
            _logger.warning("epochscope could not log (%s); the training goes on, this is said once", text)
            if self._tell is not None:
                self._tell(text)
        except Exception:
            pass

    @property
    def total(self):
        """How often something failed."""
        return sum(self.counts.values())


def guarded(method):
    """A method of an object with `troubles` that notes exceptions instead of raising them, and then returns None."""

    @functools.wraps(method)
    def safe(self, *args, **kwargs):
        try:
            return method(self, *args, **kwargs)
        except Exception as error:
            self.troubles.add(method.__name__, error)
            return None

    return safe
