#!/usr/bin/env python3
"""Writes large TensorBoard event logs to measure with.

usage: write_event_logs.py long|wide|many|hist DIR

  long   1 run, 20 tags x 250,000 steps           wide   100 runs, 50 tags x 1,000 steps
  many   2,000 runs, 10 tags x 100 steps          hist   4 runs, 64 layers x 2 kinds x 200 histograms of 64 buckets

Framing and messages are those of PyTorch's SummaryWriter. pip install google-crc32c
"""
import math
import os
import random
import struct
import sys

import google_crc32c

SHAPES = {"long": (1, 20, 250_000, 0), "wide": (100, 50, 1_000, 0), "many": (2_000, 10, 100, 0), "hist": (4, 1, 200, 64)}
NAMES = ["train/loss", "val/loss", "train/accuracy", "val/accuracy", "lr"]


def masked(data):
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def message(number, body):
    return varint(number << 3 | 2) + varint(len(body)) + body


def record(wall, step, value):
    event = b"\x09" + struct.pack("<d", wall) + b"\x10" + varint(step) + message(5, message(1, value))
    head = struct.pack("<Q", len(event))
    return head + masked(head) + event + masked(event)


def histogram(rng, sigma):
    edges = [sigma * 6 * (i / 31.5 - 1) for i in range(64)]
    counts = [round(4096 * math.exp(-0.5 * (e / sigma) ** 2) * rng.uniform(0.9, 1.1)) for e in edges]
    total = sum(c * e for c, e in zip(counts, edges))
    squares = sum(c * e * e for c, e in zip(counts, edges))
    facts = zip(range(1, 6), (edges[0], edges[-1], float(sum(counts)), total, squares))
    body = b"".join(bytes([n << 3 | 1]) + struct.pack("<d", v) for n, v in facts)
    return body + message(6, struct.pack("<64d", *edges)) + message(7, struct.pack("<64d", *map(float, counts)))


def run(folder, seed, tags, steps, layers):
    rng = random.Random(seed)
    os.makedirs(folder)
    start = 1_750_000_000.0 + 100 * seed
    names = (NAMES + [f"metric_{i:02}/value" for i in range(tags)])[:tags]
    with open(os.path.join(folder, f"events.out.tfevents.{int(start)}.bench.{seed}.0"), "wb", 1 << 20) as f:
        for step in range(steps):
            wall = start + 0.1 * step
            for i, name in enumerate(names):
                value = 0.1 * i + 2 * math.exp(-4 * step / steps) + rng.gauss(0, 0.02)
                f.write(record(wall, step, message(1, name.encode()) + b"\x15" + struct.pack("<f", value)))
            for layer in range(layers):
                for kind in ("weights", "gradients"):
                    tag = message(1, f"layers.{layer}/{kind}".encode())
                    f.write(record(wall, step, tag + message(5, histogram(rng, 0.01 * (layer + 1)))))


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in SHAPES:
        sys.exit(__doc__)
    runs, tags, steps, layers = SHAPES[sys.argv[1]]
    for seed in range(runs):
        run(os.path.join(sys.argv[2], f"run_{seed:04}"), seed, tags, steps, layers)


if __name__ == "__main__":
    main()
