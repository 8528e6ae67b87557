"""At which steps something is looked at, and how much of the time that may take."""


class Schedule:
    """Every `every`-th step, the first one too; rarer things at every so many of these.

    `budget`: share of the time since the second step that watching may have taken. Once it has, samples are left out
    until it has not; None: nothing is left out, so that the steps that are logged do not depend on the machine.
    """

    def __init__(self, every, budget=None, step=0):
        if every < 1:
            raise ValueError(f"every must be at least 1, not {every}")
        if budget is not None and not 0 < budget <= 1:
            raise ValueError(f"budget must be a share of the time, not {budget}")
        self.every, self.budget, self.first = int(every), budget, step + 1
        self.spent, self.started, self.skipped = 0.0, None, 0
        self._last = {}

    def due(self, step, now):
        """Whether the step is a sample, by its number and the time."""
        if step == self.first:
            return True
        if step % self.every:
            return False
        if self.budget is not None and self.started is not None and self.spent > self.budget * (now - self.started):
            self.skipped += 1
            return False
        return True

    def rare(self, what, step, interval):
        """Whether a rarer thing is due at this sample, each `interval` steps; None: never. It is then counted as done:
        at the first sample, and at the first one at or after each multiple of the interval."""
        if not interval:
            return False
        last, now = self._last.get(what), step // int(interval)
        if last is not None and now <= last:
            return False
        self._last[what] = now
        return True

    def took(self, seconds, now):
        """Counts time that watching took. The first sample, which sets things up, is not counted."""
        if self.started is None:
            self.started = now
        else:
            self.spent += seconds
