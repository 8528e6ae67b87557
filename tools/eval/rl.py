"""Policy gradients on little worlds in numpy: balancing a pole, walking a grid with an actor and a critic, and walking a
corridor whose cells each have their own way on."""

import numpy as np
import torch
import torch.nn as nn

from clock import VirtualClock
from recording import Recording


class CartPole:
    """Several poles at once; an episode ends when a pole falls or after `limit` moves."""

    inputs, actions, limit = 4, 2, 100

    def __init__(self, rng, count):
        self.rng, self.count = rng, count

    def reset(self):
        self.state = self.rng.uniform(-0.05, 0.05, (self.count, 4))
        return self.state.astype(np.float32)

    def move(self, action):
        x, v, angle, spin = self.state.T
        force = np.where(action == 1, 10.0, -10.0)
        cos, sin = np.cos(angle), np.sin(angle)
        push = (force + 0.05 * spin**2 * sin) / 1.1
        turn = (9.8 * sin - cos * push) / (0.5 * (4.0 / 3.0 - 0.1 * cos**2 / 1.1))
        slide = push - 0.05 * turn * cos / 1.1
        self.state = np.stack([x + 0.02 * v, v + 0.02 * slide, angle + 0.02 * spin, spin + 0.02 * turn], 1)
        fallen = (abs(self.state[:, 0]) > 2.4) | (abs(self.state[:, 2]) > 0.21)
        return self.state.astype(np.float32), np.ones(self.count), fallen


class Grid:
    """Walks from a random cell of a 6 x 6 grid to a corner; each move costs a little."""

    inputs, actions, limit = 36, 4, 40

    def __init__(self, rng, count):
        self.rng, self.count = rng, count

    def _seen(self):
        out = np.zeros((self.count, 36), dtype=np.float32)
        out[np.arange(self.count), self.place[:, 0] * 6 + self.place[:, 1]] = 1.0
        return out

    def reset(self):
        self.place = self.rng.integers(0, 5, (self.count, 2))
        return self._seen()

    def move(self, action):
        step = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])[action]
        self.place = np.clip(self.place + step, 0, 5)
        there = (self.place == 5).all(1)
        return self._seen(), np.where(there, 1.0, -0.03), there


class Corridor:
    """Ten cells, in each of which one of three actions leads on and the others one back; a tenth of the moves slip."""

    inputs, actions, limit = 10, 3, 40
    way = np.array([0, 2, 1, 1, 0, 2, 0, 1, 2, 0])

    def __init__(self, rng, count):
        self.rng, self.count = rng, count

    def _seen(self):
        return np.eye(10, dtype=np.float32)[np.minimum(self.place, 9)]

    def reset(self):
        self.place = self.rng.integers(0, 4, self.count)
        return self._seen()

    def move(self, action):
        on = action == self.way[np.minimum(self.place, 9)]
        on ^= self.rng.random(self.count) < 0.1
        self.place = np.clip(self.place + np.where(on, 1, -1), 0, 10)
        there = self.place == 10
        return self._seen(), np.where(there, 2.0, -0.05), there


def _rollout(world, policy):
    """Whole episodes of all copies. Returns arrays of (moves, copies) and a mask of moves that count."""
    seen, alive = world.reset(), np.ones(world.count, dtype=bool)
    states, actions, rewards, masks = [], [], [], []
    weights = [p.detach().numpy() for p in policy.parameters()]
    for _ in range(world.limit):
        hidden = np.tanh(seen @ weights[0].T + weights[1])
        scores = hidden @ weights[2].T + weights[3]
        noise = world.rng.gumbel(size=scores.shape)
        action = (scores + noise).argmax(1)
        states.append(seen)
        actions.append(action)
        masks.append(alive.copy())
        seen, reward, over = world.move(action)
        rewards.append(reward * alive)
        alive &= ~over
        if not alive.any():
            break
    return np.array(states), np.array(actions), np.array(rewards), np.array(masks)


def _returns(rewards, gamma):
    out, total = np.zeros_like(rewards), np.zeros(rewards.shape[1])
    for t in range(len(rewards) - 1, -1, -1):
        total = rewards[t] + gamma * total
        out[t] = total
    return out


def _losses(policy, critic, world_rollout, entropy_weight, sign):
    states, actions, rewards, masks = world_rollout
    mask = torch.from_numpy(masks.reshape(-1))
    seen = torch.from_numpy(states.reshape(-1, states.shape[-1]))[mask]
    goal = torch.from_numpy(_returns(rewards * sign, 0.98).astype(np.float32).reshape(-1))[mask]
    log = policy(seen).log_softmax(1)
    entropy = -(log.exp() * log).sum(1).mean()
    chosen = log.gather(1, torch.from_numpy(actions.reshape(-1))[mask][:, None])[:, 0]
    if critic is None:
        advantage, value_loss = goal - goal.mean(), torch.zeros(())
    else:
        value = critic(seen)[:, 0]
        advantage, value_loss = goal - value.detach(), ((value - goal) ** 2).mean()
    advantage = advantage / (advantage.std() + 1e-6)
    policy_loss = -(chosen * advantage).mean()
    return policy_loss, value_loss, entropy, policy_loss + 0.5 * value_loss - entropy_weight * entropy


def train_rl(name, plan, fault):
    """`fault.mode` from step `fault.at`: jump (learning rate), flip (sign of the reward), entropy (pushes to zero)."""
    rng = np.random.default_rng(plan.seed)
    torch.manual_seed(plan.seed)
    actor_critic = name.startswith("actor")
    world = (Grid if actor_critic else Corridor if name == "reinforce-corridor" else CartPole)(rng, 12)
    policy = nn.Sequential(nn.Linear(world.inputs, 32), nn.Tanh(), nn.Linear(32, world.actions))
    critic = nn.Sequential(nn.Linear(world.inputs, 32), nn.Tanh(), nn.Linear(32, 1)) if actor_critic else None
    params = [*policy.parameters(), *(critic.parameters() if critic else [])]
    opt = torch.optim.Adam(params, plan.lr)
    recording = Recording(steps_total=plan.steps, batch_size=12)
    recording.hparams = {"lr": plan.lr, "seed": plan.seed}
    clock = VirtualClock(np.random.default_rng(plan.seed + 2), plan.step_seconds, plan.jitter)
    mode, at = getattr(fault, "mode", ""), getattr(fault, "at", 0)
    for step in range(1, plan.steps + 1):
        broken = mode and step >= at
        lr = plan.rate(step) * (getattr(fault, "factor", 60.0) if broken and mode == "jump" else 1.0)
        opt.param_groups[0]["lr"] = lr
        bonus = -2.0 if broken and mode == "entropy" else plan.extra.get("entropy", 0.01)
        rollout = _rollout(world, policy)
        sign = -1.0 if broken and mode == "flip" else 1.0
        policy_loss, value_loss, entropy, loss = _losses(policy, critic, rollout, bonus, sign)
        opt.zero_grad()
        loss.backward()
        opt.step()
        clock.step()
        if step % plan.log_every == 0 or step == 1:
            values = {
                "episode_return": float(rollout[2].sum(0).mean()),
                "episode_length": float(rollout[3].sum(0).mean()),
                "policy_loss": policy_loss.item(),
                "entropy": entropy.item(),
            }
            if actor_critic:
                values["value_loss"] = value_loss.item()
            if plan.log_lr:
                values["lr"] = lr
            recording.say("scalars", step, clock.now, values)
    recording.now_end = clock.now + 1.0
    return recording
