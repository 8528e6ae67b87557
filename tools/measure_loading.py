#!/usr/bin/env python3
"""Times `epochscope status` against TensorBoard's data server (rustboard) on a folder of event files, in turns.

usage: measure_loading.py EPOCHSCOPE DIR... [--rounds 5]

Each round loads the folder once with each program, one after the other, so that a busy machine hurts all alike; the
ratio is that of the medians. rustboard is asked for one load cycle, as TensorBoard starts it (checksums off) and with
--checksum; epochscope verifies every checksum. Prints a line a folder and program: median seconds, MiB/s, peak MiB.
pip install tensorboard-data-server
"""
import argparse
import os
import statistics
import subprocess
import sys
import time


def size(folder):
    return sum(os.path.getsize(os.path.join(b, n)) for b, _, names in os.walk(folder) for n in names)


def rustboard(folder, *flags):
    import tensorboard_data_server

    start = time.perf_counter()
    command = [tensorboard_data_server.server_binary(), "--logdir", folder, "--reload", "once", "--port", "0", "-v"]
    process = subprocess.Popen([*command, *flags], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        for line in process.stderr:
            if "Finished load cycle" in line:
                seconds = time.perf_counter() - start
                with open(f"/proc/{process.pid}/status") as f:
                    peak = next(int(l.split()[1]) / 1024 for l in f if l.startswith("VmHWM"))
                return seconds, peak
        raise SystemExit("rustboard ended before it had loaded")
    finally:
        process.kill()
        process.wait()


def epochscope(binary, folder):
    start = time.perf_counter()
    process = subprocess.Popen([binary, "status", "--format", "json", folder], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"epochscope failed on {folder}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("epochscope")
    p.add_argument("folders", nargs="+")
    p.add_argument("--rounds", type=int, default=5)
    a = p.parse_args()
    programs = {
        "epochscope": lambda d: epochscope(a.epochscope, d),
        "rustboard": rustboard,
        "rustboard --checksum": lambda d: rustboard(d, "--checksum"),
    }
    for folder in a.folders:
        mib = size(folder) / 2**20
        results = {name: [] for name in programs}
        for _ in range(a.rounds):
            for name, run in programs.items():
                results[name].append(run(folder))
        ours = statistics.median(s for s, _ in results["epochscope"])
        for name, runs in results.items():
            seconds = statistics.median(s for s, _ in runs)
            peak = max(m for _, m in runs)
            print(f"{os.path.basename(folder):6} {name:21} {seconds:7.3f} s {mib / seconds:7.0f} MiB/s {peak:6.0f} MiB"
                  f"  {seconds / ours:5.1f} x", flush=True)


if __name__ == "__main__":
    sys.exit(main())
