"""Writes the corpus: `python generate.py --out DIR --part tuning`. See README.md."""

import argparse
import fnmatch
import json
import multiprocessing
import os
import shutil
import sys
import time
import zlib

import numpy as np
import torch

import faults
import plans
import verify
import writers
from gan import train_gan
from rl import train_rl
from tasks import PARTS, Task
from trainer import Fault, train

RUNS_A_FAULT = 14
# Classes whose symptom often does not appear are tried more often.
MORE_RUNS = {"oscillation": 27, "metric_disagreement": 20, "plateau": 20, "learning_rate": 20, "divergence": 22,
             "class_confusion": 17, "loss_spike": 18, "class_collapse": 16, "dead_units": 16, "resume": 17}
HEALTHY_REPEATS = {"tuning": 6, "test": 5, "final": 4}
# Share of the runs of each fault that a part makes.
SHARE = {"final": 0.8}
MOVING_RUNS = 5
SIBLINGS = 8
KERAS = ("keras_csv", "keras_tensorboard")


def seed_of(*words):
    """The same number for the same words, everywhere."""
    return zlib.crc32("/".join(str(w) for w in words).encode())


def jobs(part):
    """Every run of a part, in an order in which any beginning of the list is a fair sample."""
    supervised = [t for t in PARTS[part] if not t.startswith(("gan", "reinforce", "actor"))]
    moving = [t for t in PARTS[part] if t not in supervised]
    faulty, healthy = [], []
    for k in range(max(RUNS_A_FAULT, *MORE_RUNS.values())):
        for fault, recipes in faults.RECIPES.items():
            if k >= round(MORE_RUNS.get(fault, RUNS_A_FAULT) * SHARE.get(part, 1.0)):
                continue
            pairs = [(r, t) for r in range(len(recipes)) for t in recipes[r].tasks if t in PARTS[part]]
            recipes_here = sorted({r for r, _ in pairs})
            r = recipes_here[k % len(recipes_here)]
            tasks = [t for rr, t in pairs if rr == r]
            task = tasks[(k // len(recipes_here)) % len(tasks)]
            faulty.append({"kind": "fault", "fault": fault, "recipe": r, "task": task, "k": k})
    for k in range(HEALTHY_REPEATS[part]):
        for variant, (_, _, kinds) in plans.VARIANTS.items():
            for name in supervised:
                if not kinds or Task(name).kind in kinds:
                    healthy.append({"kind": "healthy", "variant": variant, "task": name, "k": k})
        for name in moving:
            healthy += [{"kind": "healthy", "variant": "moving", "task": name, "k": k * 100 + i}
                        for i in range(MOVING_RUNS)]
    share = max(len(healthy) // max(len(faulty), 1), 1)
    out = []
    while faulty or healthy:
        out += faulty[:8] + healthy[: 8 * share + 4]
        faulty, healthy = faulty[8:], healthy[8 * share + 4 :]
    for job in out:
        name = f"{job['fault']}" if job["kind"] == "fault" else f"healthy-{job['variant']}"
        job["id"], job["part"] = f"{name}-{job['task']}-{job['k']:02}", part
    return out


def clock_of(recording, per_epoch):
    """Steps and wall times in the order of the log, thinned: for formats that hold no times."""
    rows = [(e.step, e.wall, e.split) for e in recording.events if e.kind == "scalars"]
    if per_epoch:
        rows = [(i, wall, split) for i, (_, wall, split) in enumerate(r for r in rows if r[2] == "val")]
    keep = max(len(rows) // 300, 1)
    return [[int(s), round(w, 2)] for i, (s, w, _) in enumerate(rows) if i % keep == 0 or i == len(rows) - 1]


def in_units(step, plan, writer):
    """A training step as the log counts: Keras counts epochs."""
    if step is None or writer not in KERAS:
        return step
    return max(step // plan.eval_every - 1, 0)


def healthy_plan(job, task, rng):
    """The plan of a healthy job and the writers that it may have."""
    seed = seed_of(job["part"], job["id"]) % 100_000
    if job["variant"] == "moving":
        return plans.moving(task.name, rng, seed), ["tensorboard", "jsonl", "lightning_csv", "scope"]
    change, allowed, _ = plans.VARIANTS[job["variant"]]
    plan = plans.base(task, rng, seed)
    change(task, plan, rng)
    return plan, allowed


def recorded(task, plan, fault):
    """Trains whatever kind of task it is."""
    if task.name.startswith("gan"):
        return train_gan(task.name, plan, fault)
    if task.name.startswith(("reinforce", "actor")):
        return train_rl(task.name, plan, fault)
    return train(task, plan, fault)


def store(out, job, plan, recording, writer, truth, folder=None):
    """Writes the log files and the truth beside them."""
    rng = np.random.default_rng(seed_of("writer", job["id"]))
    folder = folder or os.path.join(job["part"], "runs", job["task"], job["id"])
    shutil.rmtree(os.path.join(out, folder), ignore_errors=True)
    writers.WRITERS[writer](recording, os.path.join(out, folder), rng)
    per_epoch = writer in KERAS
    steps = [in_units(e.step, plan, writer) for e in recording.events]
    logged = sorted({in_units(e.step, plan, writer) for e in recording.events if e.kind == "scalars" and e.split == "train"})
    truth = {
        "id": job["id"], "run": folder, "part": job["part"], "task": job["task"], "group": None,
        "writer": writer, "last_step": max(steps, default=0),
        "steps_total": in_units(recording.steps_total, plan, writer),
        "interval": float(np.median(np.diff(logged))) if len(logged) > 1 else 1.0,
        "now_end": recording.now_end, "clock": clock_of(recording, per_epoch), **truth,
    }
    path = os.path.join(out, job["part"], "truth", f"{job['id']}.json")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".tmp", "w") as file:
        json.dump(truth, file, default=float)
    os.replace(path + ".tmp", path)


def healthy_truth(job, variant, recording, note=""):
    return {"fault": None, "variant": variant, "onset_step": None, "damage_step": None, "expected": [], "top": [],
            "related": verify.related(recording) if note else [], "notes": note, "verified": {}}


def fault_truth(job, name, fault, variant, plan, recording, writer, numbers, note):
    expected, top = faults.EXPECTED[name]
    onset = numbers.get("onset", getattr(fault, "at", 0))
    o, b = verify.overfit(recording), verify.blow_up(recording)
    damage = o["damage"] if name in ("overfitting", "metric_disagreement") and o else b["damage"] if b else None
    extra = set(faults.RELATED.get(name, [])) | set(verify.related(recording))
    numbers = {k: v for k, v in numbers.items() if k not in ("onset", "damage")}
    return {
        "fault": name, "variant": variant, "onset_step": in_units(onset, plan, writer) or 0,
        "damage_step": in_units(damage, plan, writer), "expected": expected, "top": top,
        "related": sorted(extra - set(expected)), "notes": note, "verified": numbers,
    }


def run_healthy(out, job):
    """One healthy run; what turns out to overfit is labelled so, what is in doubt dropped."""
    rng, task = np.random.default_rng(seed_of(job["part"], job["id"])), Task(job["task"])
    plan, allowed = healthy_plan(job, task, rng)
    writer = allowed[rng.integers(len(allowed))]
    recording = recorded(task, plan, Fault())
    recording.purged = bool(rng.random() < 0.7)
    why = verify.healthy(recording, job["variant"])
    if why == "overfitting":
        numbers = verify.overfit(recording)
        truth = fault_truth(job, "overfitting", Fault(), f"natural/{job['variant']}", plan, recording, writer, numbers,
                            "a healthy plan that overfits by itself")
        store(out, job, plan, recording, writer, truth)
        return "relabelled: overfitting"
    if why:
        return f"dropped: {why}"
    store(out, job, plan, recording, writer, healthy_truth(job, job["variant"], recording))
    return "healthy"


def run_fault(out, job):
    """One faulty run; without its symptom it becomes a healthy one, if it is one."""
    rng, task = np.random.default_rng(seed_of(job["part"], job["id"])), Task(job["task"])
    recipe = faults.RECIPES[job["fault"]][job["recipe"]]
    seed = seed_of(job["part"], job["id"]) % 100_000
    moving = job["fault"] == "rl_gan"
    plan = plans.moving(task.name, rng, seed) if moving else plans.base(task, rng, seed)
    fault = recipe.make(task, plan, rng)
    variant = recipe.make.__name__
    writer = recipe.writers[rng.integers(len(recipe.writers))]
    if job["fault"] == "slow_convergence":
        return run_siblings(out, job, task, plan, fault, writer, rng)
    if writer in KERAS:
        plan.eval_every = max(plan.steps // int(rng.integers(35, 70)), 2)
    recording = recorded(task, plan, fault)
    recording.purged = bool(rng.random() < 0.5)
    numbers = verify.CHECKS[job["fault"]](recording, fault)
    if numbers is None:
        if moving or job["fault"] in ("resume", "memory", "validation") or verify.healthy(recording):
            return "dropped: no clear symptom"
        truth = healthy_truth(job, f"harmless/{variant}", recording, f"{job['fault']} was injected, no symptom appeared")
        store(out, job, plan, recording, writer, truth)
        return "relabelled: healthy"
    if job["fault"] == "stalled":
        rows = [e.wall for e in recording.events if e.kind == "scalars"]
        longest = max(np.diff(rows), default=1.0)
        recording.now_end = rows[-1] + max(rng.uniform(5400, 14_400), 45 * np.median(np.diff(rows)), 4 * longest)
    truth = fault_truth(job, job["fault"], fault, variant, plan, recording, writer, numbers, recipe.note)
    if job["fault"] == "stalled":
        truth["onset_step"] = in_units(recording.last_step(), plan, writer)
    store(out, job, plan, recording, writer, truth)
    return f"faulty: {job['fault']}"


def run_siblings(out, job, task, plan, fault, writer, rng):
    """A folder of healthy runs and one that lags behind all of them."""
    faults.stable(plan)
    plan.steps, plan.lr = int(plan.steps * 0.6), plan.lr * 100
    recordings, ends = [], []
    folder = os.path.join(job["part"], "runs", job["task"], job["id"])
    shutil.rmtree(os.path.join(out, folder), ignore_errors=True)
    for i in range(SIBLINGS + 1):
        own = plans.replace(plan, seed=plan.seed + 100 * i, lr=plan.lr * (0.01 if i == 0 else rng.uniform(0.7, 1.4)))
        recording = train(task, own, fault if i == 0 else Fault())
        recordings.append((own, recording))
        ends.append(verify._part(recording.series("train", "loss")[1], 0.85, 1.0))
    others = np.array(ends[1:])
    gain = recordings[0][1].series("train", "loss")[1][0] - np.median(others)
    behind = (ends[0] - others.max()) / max(gain, 1e-9)
    if not behind > 0.1:
        return "dropped: not behind its siblings"
    for i, (own, recording) in enumerate(recordings):
        one = dict(job, id=job["id"] if i == 0 else f"{job['id']}-sibling{i}")
        if i == 0:
            truth = fault_truth(one, "slow_convergence", fault, "hundredth_of_the_rate", own, recording, writer,
                                {"behind": float(behind)}, "")
        elif verify.healthy(recording):
            continue
        else:
            truth = healthy_truth(one, "sibling", recording)
        truth["group"] = folder
        store(out, one, own, recording, writer, truth, os.path.join(folder, one["id"]))
    return "faulty: slow_convergence"


def work(arguments):
    """One job in a worker."""
    out, job = arguments
    torch.set_num_threads(1)
    began = time.time()
    try:
        result = (run_fault if job["kind"] == "fault" else run_healthy)(out, job)
    except Exception as error:  # one broken plan must not end the generation
        result = f"failed: {type(error).__name__}: {error}"
    return job, result, time.time() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True)
    parser.add_argument("--part", choices=list(PARTS), required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="*", help="glob of run ids")
    options = parser.parse_args()
    log = os.path.join(options.out, options.part, "generated.jsonl")
    os.makedirs(os.path.dirname(log), exist_ok=True)
    known = set()
    if os.path.exists(log):
        known = {json.loads(line)["id"] for line in open(log)}
    todo = [j for j in jobs(options.part) if fnmatch.fnmatch(j["id"], options.only) and j["id"] not in known]
    print(f"{len(todo)} runs to make, {len(known)} made before", flush=True)
    pool = multiprocessing.Pool(options.jobs) if options.jobs > 1 else None
    results = (pool.imap_unordered if pool else map)(work, [(options.out, j) for j in todo])
    began = time.time()
    for n, (job, result, seconds) in enumerate(results, 1):
        with open(log, "a") as file:
            file.write(json.dumps({"id": job["id"], "result": result, "seconds": round(seconds, 2)}) + "\n")
        if n % 20 == 0 or "failed" in result:
            print(f"{n}/{len(todo)} {time.time() - began:.0f} s  {job['id']}: {result} ({seconds:.1f} s)", flush=True)
    summary(log)


def summary(log):
    """How many runs came out as what."""
    counts = {}
    for line in open(log):
        row = json.loads(line)
        kind = row["id"].split("-")[0]
        counts.setdefault(kind, {}).setdefault(row["result"], 0)
        counts[kind][row["result"]] += 1
    for kind, results in sorted(counts.items()):
        print(kind, dict(sorted(results.items())), file=sys.stdout)


if __name__ == "__main__":
    main()
