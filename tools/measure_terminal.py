#!/usr/bin/env python3
"""Measures the monitor from outside, in a pseudo-terminal: first frame, idle cost, live cost, follow latency.

usage: measure_terminal.py EPOCHSCOPE first DIR [--size 200x50]
       measure_terminal.py EPOCHSCOPE idle DIR [--seconds 60]
       measure_terminal.py EPOCHSCOPE live [--seconds 20] [--rate 100] [--view 1..6]
       measure_terminal.py EPOCHSCOPE follow [--count 40]

Prints one JSON line. Python's standard library only. A frame is what lies between the marks of a synchronized update.
"""
import argparse
import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time

BEGIN, END = b"\x1b[?2026h", b"\x1b[?2026l"


class Terminal:
    def __init__(self, command, size):
        columns, rows = map(int, size.split("x"))
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            time.sleep(0.1)
            os.execvp(command[0], command)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.start = time.perf_counter() + 0.1
        self.seen = bytearray()

    def read(self, seconds, until=None):
        """Reads for `seconds`, or until the bytes `until` came; returns (bytes read, time of the last read)."""
        got, last = bytearray(), None
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if select.select([self.fd], [], [], max(0, min(0.05, end - time.perf_counter())))[0]:
                try:
                    piece = os.read(self.fd, 1 << 16)
                except OSError:
                    break
                last = time.perf_counter()
                got += piece
                if b"\x1b[6n" in piece:
                    os.write(self.fd, b"\x1b[1;1R")
                if b"\x1b[c" in piece:
                    os.write(self.fd, b"\x1b[?62;c")
                if until and until in got:
                    break
        return bytes(got), last

    def cpu(self):
        with open(f"/proc/{self.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)


def frames(data):
    return [len(f.split(END)[0]) + len(BEGIN) + len(END) for f in data.split(BEGIN)[1:]]


def writer(path):
    f = open(path, "a", buffering=1)
    f.write(json.dumps({"step": 0, "time": time.time(), "train/loss": 2.3, "val/loss": 2.4}) + "\n")
    return f


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("epochscope")
    p.add_argument("what", choices=["first", "idle", "live", "follow"])
    p.add_argument("dir", nargs="?")
    p.add_argument("--size", default="200x50")
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--rate", type=float, default=100)
    p.add_argument("--count", type=int, default=40)
    p.add_argument("--view", default="")
    a = p.parse_args()
    out = {"what": a.what, "size": a.size}
    if a.what == "first":
        times, keys = [], []
        for _ in range(5):
            t = Terminal([a.epochscope, a.dir], a.size)
            _, last = t.read(5, END)
            times.append(last - t.start)
            os.write(t.fd, b"?")  # a key while loading goes on
            asked = time.perf_counter()
            _, last = t.read(5, END)
            keys.append((last or time.perf_counter()) - asked)
            t.close()
        out |= {"first_frame_ms": round(1e3 * statistics.median(times), 1),
                "key_while_loading_ms": round(1e3 * statistics.median(keys), 1)}
    elif a.what == "idle":
        t = Terminal([a.epochscope, a.dir], a.size)
        t.read(12)
        before = t.cpu()
        data, _ = t.read(a.seconds)
        out |= {"seconds": a.seconds, "bytes": len(data), "cpu_percent": round(100 * (t.cpu() - before) / a.seconds, 3)}
        t.close()
    else:
        with tempfile.TemporaryDirectory() as folder:
            f = writer(os.path.join(folder, "metrics.jsonl"))
            t = Terminal([a.epochscope, folder], a.size)
            t.read(2)
            if a.view:
                os.write(t.fd, a.view.encode())
                t.read(1)
            if a.what == "live":
                sizes, step, before = [], 0, t.cpu()
                begun = time.perf_counter()
                data = bytearray()
                while time.perf_counter() - begun < a.seconds:
                    step += 1
                    f.write(json.dumps({"step": step, "time": time.time(), "train/loss": 2.3 * 0.999**step + 0.01 * (step % 7)}) + "\n")
                    piece, _ = t.read(max(0, begun + step / a.rate - time.perf_counter()))
                    data += piece
                sizes = frames(bytes(data))
                out |= {"points_per_s": a.rate, "frames_per_s": round(len(sizes) / a.seconds, 2),
                        "bytes_per_frame_median": statistics.median(sizes), "bytes_per_frame_max": max(sizes),
                        "bytes_per_s": round(len(data) / a.seconds), "cpu_percent": round(100 * (t.cpu() - before) / a.seconds, 2)}
            else:
                lags = []
                for step in range(1, a.count + 1):
                    t.read(0.3)
                    f.write(json.dumps({"step": step, "time": time.time(), "train/loss": 2.0 / step}) + "\n")
                    written = time.perf_counter()
                    _, last = t.read(2, END)
                    lags.append(1e3 * (last - written) if last else float("inf"))
                out |= {"median_ms": round(statistics.median(lags), 1), "max_ms": round(max(lags), 1)}
            t.close()
    print(json.dumps(out))


if __name__ == "__main__":
    sys.exit(main())
