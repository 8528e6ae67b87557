"""A clock that runs as fast as the training needs: stalls and slow steps cost no waiting."""

BASE = 1_750_000_000.0


class VirtualClock:
    """Wall time as a writer would have stamped it: steps with jitter, pauses for evaluations and crashes."""

    def __init__(self, rng, step_seconds, jitter=0.05, base=BASE):
        self.rng = rng
        self.step_seconds = step_seconds
        self.jitter = jitter
        self.now = base

    def step(self, factor=1.0):
        """One training step; `factor` stretches it."""
        noise = 1.0 + self.jitter * self.rng.standard_normal()
        self.last = self.step_seconds * factor * max(noise, 0.3)
        self.now += self.last

    def pause(self, seconds):
        """Something that is no step: an evaluation, a checkpoint, a crash."""
        self.now += max(seconds, 0.0)
