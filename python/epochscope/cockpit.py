"""What Cockpit (Schneider et al. 2021) asks of a step of the optimiser: the normalised step α and the noise of the
gradient. It takes further passes through the model, so it is asked for, not part of `watch`."""

import contextlib

import torch

from .guard import guarded
from .layers import unwrap
from .optimisation import normalised_step


class Cockpit:
    """Measures a step at every `every`-th, with the batch that it was made for.

        cockpit = Cockpit(model, loss_function, log=log)
        loss.backward()
        with cockpit.measure(step, x, y):
            optimizer.step()

    Logs the scalar `cockpit/alpha` (before and after the step: loss and slope along it, by two more passes) and a
    `noise` record (squared gradient norms of the batch and, in the mean, of its `parts`: as many passes more). Random
    numbers, buffers (running means) and gradients are as before afterwards.
    """

    def __init__(self, model, loss, *, log, every=500, parts=4):
        if every < 1 or parts < 2:
            raise ValueError("every must be at least 1 and parts at least 2")
        self.model, self.loss, self.log, self.every, self.parts = unwrap(model), loss, log, int(every), int(parts)
        self.troubles = log.troubles

    @contextlib.contextmanager
    def measure(self, step, x, y):
        """Around the optimiser's step."""
        due = not self.log.closed and (step == 1 or step % self.every == 0)
        before = self._before(x, y) if due else None
        yield
        if before is not None:
            self._after(step, x, y, *before)

    @guarded
    def _before(self, x, y):
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        loss, gradient = self._gradient(parameters, x, y)
        return parameters, [p.detach().clone() for p in parameters], loss, gradient

    @guarded
    def _after(self, step, x, y, parameters, old, loss, gradient):
        with torch.no_grad():
            move = [p.detach() - o for p, o in zip(parameters, old)]
        length = _dot(move, move) ** 0.5
        if length > 0:
            after, then = self._gradient(parameters, x, y)
            alpha = normalised_step(length, loss, after, _dot(gradient, move) / length, _dot(then, move) / length)
            if alpha is not None:
                self.log.log_scalars(step, {"cockpit/alpha": alpha}, split="train")
        size = len(y) // self.parts
        if size:
            with self._at(parameters, old):
                small = [_square(self._gradient(parameters, x[i * size:(i + 1) * size], y[i * size:(i + 1) * size])[1])
                         for i in range(self.parts)]
            self.log.log_noise(step, size, len(y), sum(small) / self.parts, _square(gradient))

    def _gradient(self, parameters, x, y):
        cuda = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
        buffers = [b.detach().clone() for b in self.model.buffers()]
        try:
            with torch.random.fork_rng(devices=cuda), torch.enable_grad():
                loss = self.loss(self.model(x), y)
                gradient = torch.autograd.grad(loss, parameters, allow_unused=True)
        finally:
            with torch.no_grad():
                for buffer, was in zip(self.model.buffers(), buffers):
                    buffer.copy_(was)
        return float(loss.detach()), [torch.zeros_like(p) if g is None else g for g, p in zip(gradient, parameters)]

    @contextlib.contextmanager
    def _at(self, parameters, values):
        """With other weights for a while."""
        with torch.no_grad():
            now = [p.detach().clone() for p in parameters]
            for p, value in zip(parameters, values):
                p.copy_(value)
        try:
            yield
        finally:
            with torch.no_grad():
                for p, value in zip(parameters, now):
                    p.copy_(value)


def _dot(a, b):
    return sum(float((x.double() * y.double()).sum()) for x, y in zip(a, b))


def _square(a):
    return _dot(a, a)
