#!/usr/bin/env python3
"""Keras: CSVLogger, and the TensorBoard callback with its folders `train` and `validation`, in one folder.

Needs: keras tensorflow scikit-learn.
"""

import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import tensorflow as _  # the callback writes with it
from sklearn.datasets import load_digits

RUNS = ["logs/fit"]
folder = sys.argv[1]
digits = load_digits()
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax")])
model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])


class Slow(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.8)


os.makedirs(folder + "/logs/fit")
model.fit(
    digits.data / 16,
    digits.target,
    batch_size=64,
    epochs=12,
    validation_split=0.2,
    verbose=0,
    callbacks=[
        Slow(),
        keras.callbacks.CSVLogger(folder + "/logs/fit/training.csv"),
        keras.callbacks.TensorBoard(folder + "/logs/fit", histogram_freq=3, update_freq=5),
        keras.callbacks.ModelCheckpoint(folder + "/best.keras", save_best_only=True),
    ],
)
