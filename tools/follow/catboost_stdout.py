#!/usr/bin/env python3
"""CatBoost's evaluation lines, kept as the shell keeps a program's output. Needs catboost and scikit-learn."""

import os
import sys

RUNS = ["catboost"]

os.makedirs(sys.argv[1] + "/catboost", exist_ok=True)
log = os.open(sys.argv[1] + "/catboost/stdout.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.dup2(log, 1)
os.dup2(log, 2)

from catboost import CatBoostClassifier
from sklearn.datasets import load_digits

digits = load_digits()
model = CatBoostClassifier(iterations=600, depth=6, learning_rate=0.1, thread_count=1, verbose=10, allow_writing_files=False)
model.fit(digits.data[:1400], digits.target[:1400], eval_set=(digits.data[1400:], digits.target[1400:]))
