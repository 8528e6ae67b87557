#!/usr/bin/env python3
"""XGBoost's evaluation lines, kept as the shell keeps a program's output. Needs xgboost and scikit-learn."""

import os
import sys
import time

RUNS = ["xgboost"]

os.makedirs(sys.argv[1] + "/xgboost", exist_ok=True)
log = os.open(sys.argv[1] + "/xgboost/stdout.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.dup2(log, 1)
os.dup2(log, 2)

import xgboost
from sklearn.datasets import load_digits


class Slow(xgboost.callback.TrainingCallback):
    def after_iteration(self, model, epoch, evals_log):
        sys.stdout.flush()
        time.sleep(0.2)
        return False


digits = load_digits()
train = xgboost.DMatrix(digits.data[:1400], digits.target[:1400])
valid = xgboost.DMatrix(digits.data[1400:], digits.target[1400:])
settings = {"objective": "multi:softprob", "num_class": 10, "max_depth": 3, "eval_metric": ["mlogloss", "merror"], "seed": 0}
xgboost.train(settings, train, 60, evals=[(train, "train"), (valid, "valid")], callbacks=[Slow()])
