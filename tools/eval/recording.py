"""What a training run said, before any file format: every writer serialises one of these."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Event:
    """One thing said at one moment. `kind`: scalars, layer, hist, confusion, event."""

    kind: str
    step: int
    wall: float
    split: str = "train"
    values: dict = field(default_factory=dict)
    epoch: float = 0.0
    segment: int = 0


@dataclass
class Recording:
    """All events of a run in the order in which they were said."""

    events: list = field(default_factory=list)
    hparams: dict = field(default_factory=dict)
    classes: int = 0
    metric: str = ""
    steps_total: int = 0
    steps_per_epoch: int = 1
    segment: int = 0
    purged: bool = False
    finished: bool = True
    now_end: float = 0.0
    batch_size: int = 1

    def say(self, kind, step, wall, values, split="train", epoch=0.0):
        """Appends one event."""
        self.events.append(Event(kind, step, wall, split, values, epoch, self.segment))

    def series(self, split, name):
        """Steps and values of one scalar in the order in which they were said."""
        pairs = [
            (e.step, e.values[name])
            for e in self.events
            if e.kind == "scalars" and e.split == split and name in e.values
        ]
        if not pairs:
            return np.zeros(0), np.zeros(0)
        steps, values = zip(*pairs)
        return np.array(steps), np.array(values, dtype=float)

    def layer_series(self, kind, statistic):
        """Of every layer in order: steps and values of one statistic of one kind of tensor."""
        out = {}
        for e in self.events:
            if e.kind == "layer" and e.values["kind"] == kind and statistic in e.values:
                steps, values = out.setdefault(e.values["name"], ([], []))
                steps.append(e.step)
                values.append(e.values[statistic])
        return {name: (np.array(s), np.array(v, dtype=float)) for name, (s, v) in out.items()}

    def confusions(self):
        """All confusion matrices: (step, matrix)."""
        return [(e.step, np.array(e.values["m"])) for e in self.events if e.kind == "confusion"]

    def last_step(self):
        """The largest step that was said."""
        return max((e.step for e in self.events), default=0)
