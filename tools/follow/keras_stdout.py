#!/usr/bin/env python3
"""Keras's progress bar, kept as the shell keeps a program's output. Needs keras, jax and scikit-learn."""

import os
import sys
import time

RUNS = ["keras"]

os.environ["KERAS_BACKEND"] = "jax"
os.makedirs(sys.argv[1] + "/keras", exist_ok=True)
log = os.open(sys.argv[1] + "/keras/stdout.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.dup2(log, 1)
os.dup2(log, 2)

import keras
from sklearn.datasets import load_digits

digits = load_digits()
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax")])
model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])


class Slow(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        sys.stdout.flush()
        time.sleep(0.05)


model.fit(
    digits.data / 16,
    digits.target,
    batch_size=64,
    epochs=10,
    validation_split=0.2,
    callbacks=[Slow()],
)
model.evaluate(digits.data / 16, digits.target)
