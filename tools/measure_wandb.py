#!/usr/bin/env python3
"""Reads large `.wandb` logs with epochscope, with wandb's own Python reader and with LEET, in one run, in turns.

    python3 -m venv old && old/bin/pip install 'wandb==0.22.3'     # the last release with a reader in Python
    python3 -m venv new && new/bin/pip install wandb               # LEET
    python3 tools/measure_wandb.py target/release/epochscope --bench PATH --python old/bin/python \\
        --core new/lib/python3*/site-packages/wandb/bin/wandb-core

`--bench` is the built benchmark (`cargo bench --bench formats --no-run` says where it is); it makes the logs and times
the decoder alone. Everything else is a process of its own: processor time and wall time from start to end, peak memory,
best of `--rounds`. Python's reader counts from after its imports. LEET is run without a terminal as
`leet inspect --summary --json`, which reads the whole log and prints the last values, and, with `--screen`, as the
program that people see, in a pseudo-terminal of 200x50, until its last chart is full and it rests.
"""
import argparse, fcntl, json, os, pty, select, shutil, signal, struct, subprocess, sys, tempfile, termios, time

READER = r'''
import json, resource, sys, time
from wandb.proto import wandb_internal_pb2 as pb
from wandb.sdk.internal.datastore import DataStore
def cpu():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime
start, wall = cpu(), time.perf_counter()
store, columns, record = DataStore(), {}, pb.Record()
store.open_for_scan(sys.argv[1])
parse = sys.argv[2] == "history"
while (data := store.scan_data()) is not None:
    record.ParseFromString(data)
    if parse and record.WhichOneof("record_type") == "history":
        for item in record.history.item:
            columns.setdefault(item.key or ".".join(item.nested_key), []).append(json.loads(item.value_json))
print(json.dumps({"cpu": cpu() - start, "wall": time.perf_counter() - wall, "values": sum(map(len, columns.values())),
                  "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
'''

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("epochscope")
p.add_argument("--bench", required=True)
p.add_argument("--python", required=True)
p.add_argument("--core", required=True)
p.add_argument("--mib", type=float, default=64)
p.add_argument("--rounds", type=int, default=2)
p.add_argument("--logs", nargs="*", default=["wandb 4 metrics", "wandb 10 metrics", "wandb 1000 metrics"])
p.add_argument("--screen", action="store_true")
p.add_argument("--folder", default=os.path.join(tempfile.gettempdir(), "epochscope-wandb"))
args = p.parse_args()
home = os.path.join(args.folder, "home")
os.makedirs(home, exist_ok=True)
ENV = {**os.environ, "HOME": home, "WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false", "NO_COLOR": ""}


def process(*command):
    """Seconds of processor and of wall time, MiB at most."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENV)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    return {"cpu": usage.ru_utime + usage.ru_stime, "wall": time.perf_counter() - start, "peak": usage.ru_maxrss / 1024}


def python(path, what):
    out = subprocess.run([args.python, "-c", READER, path, what], capture_output=True, text=True, check=True, env=ENV)
    return json.loads(out.stdout)


def screen(*command):
    """In a pseudo-terminal until it rests: less than a quarter of a second of work in a second, which is taken off."""
    start = time.perf_counter()
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(ENV, TERM="xterm-256color", COLORTERM="truecolor", COLUMNS="200", LINES="50")
        os.execvp(command[0], command)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    os.kill(pid, signal.SIGWINCH)

    def used():
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    checked, last = time.perf_counter(), 0.0
    while True:
        if select.select([fd], [], [], 0.05)[0]:
            data = os.read(fd, 1 << 16)
            for query, answer in ((b"\x1b[6n", b"\x1b[1;1R"), (b"\x1b[c", b"\x1b[?62;c"), (b"\x1b]11;?", b"\x1b]11;rgb:0000/0000/0000\x07")):
                if query in data:
                    os.write(fd, answer)
        if time.perf_counter() - checked >= 1:
            now = used()
            if now - last < 0.25:
                break
            checked, last = time.perf_counter(), now
    with open(f"/proc/{pid}/status") as f:
        peak = next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM"))
    os.kill(pid, signal.SIGTERM)
    time.sleep(0.3)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return {"cpu": now, "wall": checked - start, "peak": peak}


command = [args.bench, "--json", "--mib", str(args.mib), "--write", args.folder, *args.logs]
lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
print("| log | reader | MiB/s | M points/s | seconds of processor | wall | peak MiB | × epochscope |")
print("| --- | --- | --- | --- | --- | --- | --- | --- |")
for made in (json.loads(line) for line in lines if line.startswith("{")):
    path = os.path.join(args.folder, made["file"])
    readers = {
        "epochscope status": lambda: process(args.epochscope, "status", "--format", "json", path),
        "wandb 0.22 (Python), records": lambda: python(path, "records"),
        "wandb 0.22 (Python), history": lambda: python(path, "history"),
        "LEET inspect --summary": lambda: process(args.core, "leet", "inspect", "--summary", "--json", "-run-file", path),
    }
    if args.screen:
        readers["epochscope on screen"] = lambda: screen(args.epochscope, path)
        readers["LEET on screen"] = lambda: screen(args.core, "leet", "run", "-run-file", path, os.path.dirname(os.path.dirname(path)))
    results = {"epochscope, decoder alone": {"cpu": made["seconds"], "wall": made["seconds"], "peak": 0.0}}
    for _ in range(args.rounds):
        for name, read in readers.items():
            result = read()
            best = results.setdefault(name, result)
            for key in result:
                best[key] = min(best[key], result[key])
    ours = results["epochscope status"]["cpu"]
    for name, r in results.items():
        print(
            f"| {os.path.basename(made['file'])} | {name} | {made['bytes'] / 2**20 / r['cpu']:.1f} | {made['values'] / r['cpu'] / 1e6:.2f} | "
            f"{r['cpu']:.2f} | {format(r['wall'], '.2f') if r['wall'] else '< 1'} | {r['peak']:.0f} | {r['cpu'] / ours:.1f} |", flush=True)
shutil.rmtree(home, ignore_errors=True)
