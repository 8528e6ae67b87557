#!/usr/bin/env python3
"""LightGBM's evaluation lines, kept as the shell keeps a program's output. Needs lightgbm and scikit-learn."""

import os
import sys
import time

RUNS = ["lightgbm"]

os.makedirs(sys.argv[1] + "/lightgbm", exist_ok=True)
log = os.open(sys.argv[1] + "/lightgbm/stdout.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.dup2(log, 1)
os.dup2(log, 2)

import lightgbm
from sklearn.datasets import load_digits


def slow(_):
    sys.stdout.flush()
    time.sleep(0.3)


digits = load_digits()
train = lightgbm.Dataset(digits.data[:1400], digits.target[:1400])
valid = lightgbm.Dataset(digits.data[1400:], digits.target[1400:], reference=train)
lightgbm.train(
    {"objective": "multiclass", "num_class": 10, "metric": ["multi_logloss", "multi_error"], "num_threads": 1, "verbosity": -1},
    train,
    40,
    [train, valid],
    ["train", "valid"],
    callbacks=[lightgbm.log_evaluation(1), slow],
)
