"""A generative adversarial net on mixtures of Gaussians in two dimensions."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from clock import VirtualClock
from recording import Recording


def _centres(name):
    if name == "gan-2d":
        return np.array([[i, j] for i in (-1.0, 0.0, 1.0) for j in (-1.0, 0.0, 1.0)], dtype=np.float32)
    if name == "gan-moons":
        angle = np.linspace(0, np.pi, 7)
        arc = np.stack([np.cos(angle), np.sin(angle)], 1)
        return (1.2 * np.concatenate([arc - [0.5, 0.25], [0.5, 0.25] - arc])).astype(np.float32)
    angle = np.arange(8) * 2 * np.pi / 8
    return (1.4 * np.stack([np.cos(angle), np.sin(angle)], 1)).astype(np.float32)


def _net(sizes):
    layers = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        layers += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


def _modes(fake, centres):
    """Share of the mixture's parts that some samples hit."""
    distance = np.linalg.norm(fake[:, None, :] - centres[None], axis=2)
    hit = np.bincount(distance.argmin(1)[distance.min(1) < 0.35], minlength=len(centres))
    return float((hit >= 5).mean())


def train_gan(name, plan, fault):
    """Alternates discriminator and generator; `fault.at` with `fault.mode`: wins, collapse, blow_up."""
    rng = np.random.default_rng(plan.seed)
    torch.manual_seed(plan.seed)
    centres = _centres(name)
    generator, discriminator = _net([4, plan.width, plan.width, 2]), _net([2, plan.width, plan.width, 1])
    opt_g = torch.optim.Adam(generator.parameters(), plan.lr, betas=(0.5, 0.99))
    opt_d = torch.optim.Adam(discriminator.parameters(), plan.lr, betas=(0.5, 0.99))
    recording = Recording(steps_total=plan.steps, batch_size=plan.batch)
    recording.hparams = {"lr": plan.lr, "batch": plan.batch, "seed": plan.seed}
    clock = VirtualClock(np.random.default_rng(plan.seed + 2), plan.step_seconds, plan.jitter)
    mode, at = getattr(fault, "mode", ""), getattr(fault, "at", 0)
    sums, count = np.zeros(4), 0
    for step in range(1, plan.steps + 1):
        broken = mode and step >= at
        rate_d = plan.lr * (30.0 if broken and mode == "blow_up" else 5.0 if broken and mode == "wins" else 1.0)
        rate_g = plan.lr * (25.0 if broken and mode == "collapse" else 0.0 if broken and mode == "wins" else 1.0)
        opt_d.param_groups[0]["lr"], opt_g.param_groups[0]["lr"] = rate_d, rate_g
        pick = centres[rng.integers(0, len(centres), plan.batch)]
        real = torch.from_numpy(pick + rng.normal(0, 0.12, pick.shape).astype(np.float32))
        for _ in range(4 if broken and mode == "wins" else 1):
            fake = generator(torch.randn(plan.batch, 4))
            on_real, on_fake = discriminator(real), discriminator(fake.detach())
            smooth = plan.extra.get("smooth", 1.0)
            loss_d = F.binary_cross_entropy_with_logits(on_real, torch.full_like(on_real, smooth))
            loss_d = loss_d + F.binary_cross_entropy_with_logits(on_fake, torch.zeros_like(on_fake))
            opt_d.zero_grad()
            loss_d.backward()
            opt_d.step()
        judged = discriminator(fake)
        loss_g = F.binary_cross_entropy_with_logits(judged, torch.ones_like(judged))
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
        clock.step()
        sums += [loss_d.item(), loss_g.item(), on_real.sigmoid().mean().item(), judged.sigmoid().mean().item()]
        count += 1
        if step % plan.log_every == 0 or step == 1:
            names = ("loss_D", "loss_G", "D(x)", "D(G(z))")
            values = dict(zip(names, (sums / count).tolist()))
            if plan.log_lr:
                values["lr"] = rate_d
            recording.say("scalars", step, clock.now, values)
            sums, count = np.zeros(4), 0
        if step % plan.eval_every == 0:
            with torch.no_grad():
                modes = _modes(generator(torch.randn(300, 4)).numpy(), centres)
            clock.pause(plan.eval_pause)
            recording.say("scalars", step, clock.now, {"mode_coverage": modes}, "val")
    recording.now_end = clock.now + 1.0
    return recording
