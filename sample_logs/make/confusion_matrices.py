"""Confusion matrices in files of their own beside a CSV log: what pandas, scikit-learn and json write.

    python confusion_matrices.py

A linear classifier (scikit-learn's SGDClassifier) on the digits. After each epoch `pandas.crosstab` goes to
`val_confusion_epoch_N.csv`; at the end `sklearn.metrics.confusion_matrix` goes to `test_confusion_matrix.json` with its
labels, and to `confusion_transposed.csv` with the predictions as rows, said by the name of the index.
"""
import csv
import json
import os

import numpy as np
import pandas
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import confusion_matrix, log_loss

OUT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "confusion"))
os.makedirs(OUT, exist_ok=True)

images, labels = load_digits(return_X_y=True)
order = np.random.default_rng(5).permutation(len(labels))
x, y = images[order] / 16.0, labels[order]
x_train, y_train, x_val, y_val, x_test, y_test = x[:1000], y[:1000], x[1000:1400], y[1000:1400], x[1400:], y[1400:]
model = SGDClassifier(loss="log_loss", alpha=1e-3, random_state=5)

with open(f"{OUT}/history.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["epoch", "train_loss", "val_loss", "val_acc"])
    for epoch in range(1, 5):
        model.partial_fit(x_train, y_train, classes=np.arange(10))
        losses = [log_loss(t, model.predict_proba(i), labels=np.arange(10)) for i, t in [(x_train, y_train), (x_val, y_val)]]
        predicted = model.predict(x_val)
        table.writerow([epoch, *losses, (predicted == y_val).mean()])
        counts = pandas.crosstab(pandas.Series(y_val, name="true"), pandas.Series(predicted, name="predicted"))
        counts.to_csv(f"{OUT}/val_confusion_epoch_{epoch}.csv")

names = [f"digit {n}" for n in range(10)]
matrix = confusion_matrix(y_test, model.predict(x_test))
with open(f"{OUT}/test_confusion_matrix.json", "w") as file:
    json.dump({"labels": names, "matrix": matrix.tolist()}, file)
pandas.DataFrame(matrix.T, pandas.Index(names, name="predicted"), names).to_csv(f"{OUT}/confusion_transposed.csv")
