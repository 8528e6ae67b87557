#!/usr/bin/env python3
"""CatBoost's folder `catboost_info`: tables, JSON, event files below `learn` and `test`. Needs: catboost scikit-learn."""

import os
import sys

from catboost import CatBoostClassifier
from sklearn.datasets import load_digits

RUNS = ["catboost_info"]
os.chdir(sys.argv[1])
digits = load_digits()
model = CatBoostClassifier(iterations=400, depth=6, learning_rate=0.1, thread_count=1, verbose=False, custom_metric=["Accuracy"])
model.fit(digits.data[:1400], digits.target[:1400], eval_set=(digits.data[1400:], digits.target[1400:]))
