"""Is the symptom really there? Every label of the corpus is checked on the numbers that were logged.

The checks see the whole run and are stricter than any rule needs to be: what lies between healthy and faulty is
dropped rather than labelled.
"""

import numpy as np


def noise(values):
    """Scale of the noise from first differences."""
    d = np.diff(values[np.isfinite(values)])
    if len(d) < 4:
        return np.inf
    return 1.4826 * np.median(abs(d - np.median(d))) / np.sqrt(2)


def running_median(values, width):
    """Median of the last `width` values at each place."""
    return np.array([np.median(values[max(i - width + 1, 0) : i + 1]) for i in range(len(values))])


def _finite(pair):
    steps, values = pair
    ok = np.isfinite(values)
    return steps[ok], values[ok]


def _part(values, a, b):
    n = len(values)
    piece = values[int(n * a) : max(int(n * b), int(n * a) + 1)]
    return float(np.median(piece)) if len(piece) else np.nan


def overfit(recording):
    """Rise of the validation loss over its best, in several units; `None` without evaluations."""
    steps, v = _finite(recording.series("val", "loss"))
    if len(v) < 8:
        return None
    m = running_median(v, 5)
    best = int(m[2:].argmin()) + 2
    start = np.median(v[:3])
    rise = float(np.median(m[-3:]) - m[best])
    sigma = 1.2533 * noise(v) / np.sqrt(5)
    _, t = _finite(recording.series("train", "loss"))
    falls = _part(t, 0.9, 1.0) <= _part(t, 0.0, 0.15)
    gain = max(start - m[best], 1e-12)
    lost = np.nonzero((m - m[best] >= 0.5 * gain) & (np.arange(len(m)) > best))[0]
    return {
        "rise": rise / max(abs(m[best]), 1e-9),
        "of_gain": rise / gain,
        "sigma": rise / max(sigma, 1e-12),
        "onset": int(steps[best]),
        "falls": bool(falls),
        "damage": int(steps[lost[0]]) if len(lost) else None,
        "evaluations_after": int(len(m) - best - 1),
    }


def is_overfit(o):
    """Beyond doubt."""
    return bool(o and o["falls"] and o["rise"] > 0.06 and o["of_gain"] > 0.1 and o["sigma"] > 5
                and o["evaluations_after"] >= 5)


def may_be_overfit(o):
    """Not beyond doubt the other way round either."""
    return bool(o and o["rise"] > 0.02 and o["of_gain"] > 0.035 and o["sigma"] > 2.5)


def blow_up(recording, split="train"):
    """How far the loss ends above its best."""
    steps, v = _finite(recording.series(split, "loss"))
    if len(v) < 12:
        return None
    m = running_median(v, max(len(v) // 40, 3))
    best = int(m.argmin())
    end = _part(v, 0.9, 1.0)
    start = _part(v, 0.0, 0.05)
    unit = m[best] if v.min() > 0 else max(start - m[best], 1e-9)
    far = np.nonzero((m - m[best] >= max(unit, 1e-12)) & (np.arange(len(m)) > best))[0]
    return {
        "ratio": float((end - m[best]) / max(abs(unit), 1e-9)),
        "of_gain": float((end - m[best]) / max(start - m[best], 1e-9)),
        "sigma": float((end - m[best]) / max(noise(v[: max(best, 8)]), 1e-12)),
        "best_step": int(steps[best]),
        "damage": int(steps[far[0]]) if len(far) else None,
    }


def is_diverged(b):
    """Beyond doubt."""
    return bool(b and b["ratio"] > 0.6 and b["sigma"] > 10 and b["of_gain"] > 0.1)


def jump(recording, at, name="loss", before=40, after=20):
    """The highest of the `after` logged values from step `at` over the level before, in noise and as a ratio."""
    steps, v = recording.series("train", name)
    ok = np.isfinite(v)
    steps, v = steps[ok], v[ok]
    first = int(np.searchsorted(steps, at))
    old, new = v[max(first - before, 0) : first], v[first : first + after]
    if len(old) < 8 or not len(new):
        return None
    level, spread = np.median(old), 1.4826 * np.median(abs(old - np.median(old)))
    spread = max(spread, noise(old))
    top = int(new.argmax())
    return {"sigma": float((new[top] - level) / max(spread, 1e-12)), "level": float(level), "top": float(new[top]),
            "ratio": float(new[top] / level) if level > 0 else np.inf, "step": int(steps[first + top])}


def flatness(recording, a=0.0, b=1.0, name="loss"):
    """What is gained between two parts of the run, in noise and of the level at its start."""
    _, v = _finite(recording.series("train", name))
    piece = v[int(len(v) * a) : int(len(v) * b)]
    if len(piece) < 20:
        return None
    edge = max(len(piece) // 8, 5)
    gained = float(np.median(piece[:edge]) - np.median(piece[-edge:]))
    sigma = max(noise(piece), float(np.std(piece[-edge:])))
    return {"sigma": gained / max(sigma, 1e-12), "share": gained / max(abs(np.median(v[: max(len(v) // 50, 3)])), 1e-9)}


def surge(recording, at):
    """Where the gradient norm first stands at four times its median, and where the loss follows."""
    steps, g = recording.series("train", "grad_norm")
    ls, v = recording.series("train", "loss")
    if len(g) < 40 or len(v) != len(g):
        return None
    first = int(np.searchsorted(steps, at))
    level = np.median(g[max(first - 64, 0) : first])
    loss = np.median(v[max(first - 64, 0) : first])
    high = np.nonzero(~(g[first:] < 4 * level))[0]
    spread = max(noise(v[max(first - 64, 0) : first]), 1e-12)
    risen = np.nonzero(~(running_median(v, 3)[first:] < loss + max(0.3 * abs(loss), 6 * spread)))[0]
    if not len(high):
        return None
    return {"times": float(np.nanmax(g[first:]) / max(level, 1e-12)), "onset": int(steps[first + high[0]]),
            "lead": int(risen[0] - high[0]) if len(risen) else len(g)}


def rhythm(recording, at):
    """Strength of an up and down in the logged loss, and its size relative to the level."""
    steps, v = _finite(recording.series("train", "loss"))
    v = v[steps >= max(at, steps[-1] * 0.2 if len(steps) else 0)]
    if len(v) < 50:
        return None
    v = v[-300:]
    r = v - np.convolve(np.pad(v, 12, "edge"), np.ones(25) / 25, "valid")
    power = (r * r).sum()
    auto = [float((r[:-k] * r[k:]).sum() / max(power, 1e-30)) for k in range(1, min(len(r) // 3, 80))]
    swing = float(np.std(r) / max(abs(np.median(v)), 1e-9))
    return {"swing": swing, "lag1": auto[0], "cycle": max(auto[3:], default=0.0), "trough": min(auto)}


def rises(values):
    """The loss stands half above its best, in units of that or of what was gained, for eight values in a row."""
    v = values[np.isfinite(values)]
    if len(v) < 24:
        return False
    m = running_median(v, 3)
    best = np.minimum.accumulate(m)
    unit = best if v.min() > 0 else np.maximum(v[:5].max() - best, 1e-9)
    high = (m - best > 0.5 * np.maximum(unit, 1e-9)) & (m - best > 6 * noise(v))
    high[: max(len(v) // 20, 5)] = False
    return bool((np.convolve(high, np.ones(8), "valid") >= 8).any())


def layer_check(recording, kind, statistic, last=0.3):
    """Of each layer the median of a statistic over the last part of the run."""
    out = {}
    for name, (_, v) in recording.layer_series(kind, statistic).items():
        v = v[int(len(v) * (1 - last)) :]
        out[name] = float(np.median(v)) if len(v) else np.nan
    return out


def related(recording):
    """Rules whose condition holds somewhere in this run by the numbers, whatever its cause."""
    rules = []
    _, v = recording.series("train", "loss")
    _, g = recording.series("train", "grad_norm")
    if len(v) and not np.isfinite(v).all() or len(g) and not np.isfinite(g).all():
        rules += ["nan", "divergence", "exploding_gradient", "gradient_surge"]
    if is_diverged(blow_up(recording)):
        rules += ["divergence", "loss_spike", "learning_rate"]
    if rises(v):
        rules += ["divergence", "loss_spike"]
    if any(bad.max() > 0 for kind in ("weight", "grad", "act") for what in ("nan", "inf")
           for _, bad in recording.layer_series(kind, what).values()):
        rules += ["nan", "exploding_gradient"]
    if may_be_overfit(overfit(recording)):
        rules += ["overfitting", "generalisation_gap", "metric_disagreement"]
    flat = flatness(recording)
    if flat and flat["sigma"] < 2.5:
        rules += ["not_learning", "plateau"]
    late = flatness(recording, 0.4, 1.0)
    if late and abs(late["sigma"]) < 1.5:
        rules.append("plateau")
    if len(g) > 40 and np.isfinite(g).all():
        ratio = g[10:] / np.maximum(running_median(g, 33)[9:-1], 1e-12)
        if ratio.max() > 4:
            rules.append("gradient_surge")
    if max(layer_check(recording, "act", "dead").values(), default=0) > 0.5:
        rules.append("dead_units")
    if max(layer_check(recording, "act", "saturated").values(), default=0) > 0.5:
        rules += ["saturated_units"]
    grads = [v for v in layer_check(recording, "grad", "absmean", 1.0).values() if np.isfinite(v)]
    if len(grads) > 2 and min(grads) < 1e-3 * max(grads):
        rules.append("vanishing_gradient")
    matrices = recording.confusions()
    if matrices:
        m = matrices[-1][1]
        if m.sum(0).max() > 0.85 * m.sum():
            rules.append("class_collapse")
    return sorted(set(rules))


def healthy(recording, variant=""):
    """`None` if the run is healthy by its numbers, else why not."""
    _, raw = recording.series("train", "loss")
    if not len(raw):
        return None
    if not np.isfinite(raw).all():
        return "not finite"
    o = overfit(recording)
    if is_overfit(o):
        return "overfitting"
    if may_be_overfit(o):
        return "drifts up in validation"
    b = blow_up(recording)
    restarts = variant == "warm-restarts"
    if not restarts and b and b["ratio"] > 0.25 and b["sigma"] > 6 and b["of_gain"] > 0.05:
        return "ends above its best"
    f = flatness(recording)
    if f and f["sigma"] < 2 and variant not in ("fine-tuning", "frozen-backbone"):
        return "hardly learns"
    m = running_median(raw, 5)
    level = np.array([np.median(m[max(i - 40, 0) : i]) if i > 20 else np.inf for i in range(len(m))])
    sigma = noise(raw)
    if not restarts and ((m > 1.6 * level) & (m - level > 8 * sigma) & (level > 0)).any():
        return "has a spike"
    if max(layer_check(recording, "act", "dead").values(), default=0) > 0.5:
        return "has dead units"
    matrices = recording.confusions()
    if matrices:
        m = matrices[-1][1]
        recall = np.diag(m) / np.maximum(m.sum(1), 1)
        if recall.min() < 0.5:
            return "confuses a class"
    return None


def _after(recording, fault):
    return blow_up(recording), fault.at


def _spike(recording, fault):
    j = jump(recording, fault.at)
    return j if j and j["sigma"] > 8 and (j["ratio"] > 1.3 or j["level"] <= 0) else None


def _not_learning(recording, fault):
    f = flatness(recording)
    return f if f and f["sigma"] < 1.5 and f["share"] < 0.03 else None


def _plateau(recording, fault):
    a = fault.at / recording.steps_total
    f, whole = flatness(recording, a + 0.02), flatness(recording, 0.0, a)
    return f if f and whole and abs(f["sigma"]) < 1 and abs(f["share"]) < 0.03 and whole["sigma"] > 3 else None


def _oscillation(recording, fault):
    r = rhythm(recording, fault.at)
    _, v = recording.series("train", "loss")
    if not r or r["swing"] < 0.08 or not np.isfinite(v).all() or _part(v, 0.8, 1.0) > 5 * v[0]:
        return None
    return r if r["lag1"] < -0.25 or r["cycle"] > 0.35 else None


def _learning_rate(recording, fault):
    b = blow_up(recording)
    j = jump(recording, fault.at, after=10_000)
    if not b or not j:
        return None
    steps, v = _finite(recording.series("train", "loss"))
    late = float(np.median(v[steps >= fault.at])) if (steps >= fault.at).any() else np.nan
    ok = late > j["level"] + 0.25 * abs(j["level"]) or b["ratio"] > 0.6
    return {"before": j["level"], "after": late, **b} if ok and j["sigma"] > 6 else None


def _vanishing(recording, fault):
    grads = list(layer_check(recording, "grad", "absmean", 1.0).values())
    ok = len(grads) > 5 and grads[0] < 1e-3 * max(grads)
    return {"first": grads[0], "most": max(grads)} if ok else None


def _exploding(recording, fault):
    steps, g = recording.series("train", "grad_norm")
    if not len(g):
        return None
    before = g[steps < max(fault.at, 1)] if fault.at else g[:1]
    top = np.nanmax(np.where(np.isfinite(g), g, 1e30))
    if fault.at:
        return {"times": float(top / np.median(before))} if len(before) and top > 50 * np.median(before) else None
    return {"first": float(g[0])} if g[0] > 1e3 else None


def _dead(recording, fault):
    dead = recording.layer_series("act", "dead")
    worst = max((float(np.median(v[-5:])) for _, v in dead.values() if len(v) >= 3), default=0)
    return {"dead": worst} if worst >= 0.5 else None


def _saturated(recording, fault):
    worst = max(layer_check(recording, "act", "saturated").values(), default=0)
    return {"saturated": worst} if worst >= 0.5 else None


def _frozen(recording, fault):
    names = recording.notes.get("layers", [])
    moves = recording.layer_series("weight", "update_norm")
    still = [n for n in names if n in moves and moves[n][1][moves[n][0] > fault.at].max(initial=0) < 1e-9]
    others = [n for n in moves if n not in names]
    moving = [n for n in others if moves[n][1][moves[n][0] > fault.at].max(initial=0) > 1e-7]
    later = min((int((moves[n][0] > fault.at).sum()) for n in still), default=0)
    return {"layers": still} if still and (moving or not others) and later >= 4 else None


def _unstable(recording, fault):
    names = recording.notes.get("layers", [])
    moves, norms = recording.layer_series("weight", "update_norm"), recording.layer_series("weight", "norm")
    if not names or names[0] not in moves:
        return None
    steps, u = moves[names[0]]
    _, size = norms[names[0]]
    before, after = u[(steps < fault.at) & (steps > 1)], u[steps >= fault.at]
    grown = size[-1] / size[steps < fault.at][-1] if (steps < fault.at).any() else np.nan
    if len(before) < 3 or len(after) < 4:
        return None
    times = float(np.median(after[:6]) / max(np.median(before[-6:]), 1e-12))
    ok = times > 20 and not (np.isfinite(grown) and grown < 1.2)
    return {"layers": names, "times": times, "grown": float(grown)} if ok else None


def _initialisation(recording, fault):
    _, v = recording.series("train", "loss")
    per_class = np.log(max(recording.classes, 2))
    layers = recording.layer_series("weight", "std")
    alike = sum(1 for _, (s, x) in layers.items() if len(x) and x[0] < 1e-3 + 1e-3 * abs(x[0]))
    first = float(v[0]) if len(v) else np.nan
    unit = per_class if recording.classes else 3.0
    if alike >= max(len(layers) - 1, 1) and layers:
        flat = flatness(recording)
        return {"alike": alike, "gained": flat["sigma"] if flat else None}
    return {"first_loss": first} if not first < 4 * unit else None


def _collapse(recording, fault):
    late = [m for s, m in recording.confusions() if s >= fault.at][-3:]
    early = [m for s, m in recording.confusions() if s < fault.at][-1:]
    share = [float(m.sum(0).max() / m.sum()) for m in late]
    ok = len(late) >= 3 and min(share) > 0.85 and (not early or early[0].sum(0).max() < 0.6 * early[0].sum())
    return {"share": share[-1]} if ok else None


def _confused(recording, fault):
    late = [m for s, m in recording.confusions() if s > fault.at][-3:]
    if len(late) < 3:
        return None
    a, b = recording.notes["pair"]
    m = sum(late)
    off = (m[a, b] + m[b, a]) / max(m[[a, b]].sum(), 1)
    others = np.delete(np.diag(m) / np.maximum(m.sum(1), 1), [a, b])
    return {"pair": [a, b], "share": float(off)} if off > 0.25 and (not len(others) or np.median(others) > 0.6) else None


def _imbalance(recording, fault):
    late = [m for _, m in recording.confusions()][-3:]
    if len(late) < 3:
        return None
    m, rare = sum(late), recording.notes["rare"]
    recall = np.diag(m) / np.maximum(m.sum(1), 1)
    common = [c for c in range(len(m)) if c not in rare]
    ok = np.mean(recall[rare]) < 0.5 and np.median(recall[common]) > 0.75
    return {"rare": float(np.mean(recall[rare])), "common": float(np.median(recall[common]))} if ok else None


def _resume(recording, fault):
    if recording.segment == 0:
        return None
    at = next((e.step for e in recording.events if e.segment == 1 and e.kind == "scalars"), fault.at)
    j = jump(recording, at, after=12)
    steps, v = recording.series("train", "loss")
    later = v[np.array([e.segment for e in recording.events if e.kind == "scalars" and e.split == "train"]) == 1]
    better = float(np.median(later[: max(len(later) // 4, 5)]))
    if j and j["sigma"] > 5 and j["ratio"] > 1.25:
        return {"kind": "worse", **j}
    if j and better < 0.6 * j["level"]:
        return {"kind": "too good", "level": j["level"], "after": better}
    return None


def _validation(recording, fault):
    steps, v = recording.series("val", "loss")
    _, a = recording.series("val", "accuracy")
    if len(a) and len(a) >= 8 and (a == 1.0).all():
        return {"kind": "leak"}
    late = v[steps >= fault.at]
    if len(late) >= 5 and len(set(late)) == 1:
        return {"kind": "cached", "same": len(late)}
    silent = recording.last_step() - (steps[-1] if len(steps) else 0)
    if len(steps) >= 4 and silent > 8 * np.median(np.diff(steps)):
        return {"kind": "stops", "evaluations": len(steps)}
    return None


def _disagrees(recording, fault):
    o = overfit(recording)
    steps, a = recording.series("val", "accuracy")
    if not is_overfit(o):
        return None
    then, now = np.median(a[steps <= o["onset"]][-5:]), np.median(a[-5:])
    return {**o, "accuracy_then": float(then), "accuracy_now": float(now)} if now >= then - 0.01 else None


def _moving(recording, fault):
    steps, r = recording.series("train", "episode_return")
    if len(r):
        before = np.median(r[steps < fault.at][-15:])
        end, first = np.median(r[int(len(r) * 0.85):]), np.median(r[:5])
        _, entropy = recording.series("train", "entropy")
        fallen = (before - end) > 0.3 * max(before - first, 1e-6) and before > first
        if fallen:
            return {"before": float(before), "end": float(end)}
        if np.median(entropy[-10:]) < 0.02 * max(entropy[:5].max(), 1e-9):
            return {"entropy": float(np.median(entropy[-10:]))}
        return None
    steps, d = recording.series("train", "loss_D")
    _, g = recording.series("train", "loss_G")
    modes_at, modes = recording.series("val", "mode_coverage")
    lost = np.median(modes[modes_at < fault.at][-4:]) - np.median(modes[-4:])
    late_g, early_g = np.median(g[int(len(g) * 0.85):]), np.median(g[steps < fault.at][-20:])
    if lost > 0.4 or late_g > 3 * early_g:
        return {"modes_lost": float(lost), "loss_G": float(late_g), "loss_G_before": float(early_g)}
    return None


def _loss_scale(recording, fault):
    steps, s = recording.series("train", "loss_scale")
    before, end = s[steps < fault.at], s[-1]
    return {"before": float(before[-1]), "end": float(end)} if len(before) and end < before[-1] / 1000 else None


def _throughput(recording, fault):
    train = [e for e in recording.events if e.kind == "scalars" and e.split == "train"]
    pace = [((b.wall - a.wall) / max(b.step - a.step, 1), b.step) for a, b in zip(train, train[1:])]
    early, late = [p for p, s in pace if s < fault.at], [p for p, s in pace if s > fault.at + 5]
    times = np.median(late) / np.median(early)
    return {"times": float(times)} if times > 1.35 else None


def _nan(recording, fault):
    steps, v = recording.series("train", "loss")
    bad = steps[~np.isfinite(v)]
    return {"onset": int(bad[0]), "values": int(len(bad))} if len(bad) else None


def _overfitting(recording, fault):
    o = overfit(recording)
    return o if is_overfit(o) else None


def _diverged(recording, fault):
    _, v = recording.series("train", "loss")
    b = blow_up(recording)
    if b and is_diverged(b):
        return b
    return {"ratio": None} if len(v) and not np.isfinite(v).all() else None


def _surge(recording, fault):
    s = surge(recording, fault.at)
    return s if s and s["times"] > 4.5 and s["lead"] >= 1 else None


def _memory(recording, fault):
    _, m = recording.series("train", "memory")
    return {"end": float(np.median(m[-5:]))} if len(m) and np.median(m[-5:]) > 93 else None


CHECKS = {
    "overfitting": _overfitting, "nan": _nan, "divergence": _diverged, "loss_spike": _spike,
    "gradient_surge": _surge, "not_learning": _not_learning, "plateau": _plateau, "oscillation": _oscillation,
    "learning_rate": _learning_rate, "vanishing_gradient": _vanishing, "exploding_gradient": _exploding,
    "dead_units": _dead, "saturated_units": _saturated, "frozen_layer": _frozen, "unstable_layer": _unstable,
    "poor_initialisation": _initialisation, "class_collapse": _collapse, "class_confusion": _confused,
    "class_imbalance": _imbalance, "stalled": lambda r, f: {"last_step": r.last_step()},
    "throughput_drop": _throughput, "memory": _memory, "loss_scale": _loss_scale, "resume": _resume,
    "validation": _validation, "metric_disagreement": _disagrees, "rl_gan": _moving,
}
