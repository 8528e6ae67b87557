#!/usr/bin/env python3
"""Ultralytics: a classifier from its YAML on pictures made here: results.csv, args.yaml, TensorBoard.

Needs: ultralytics tensorboard pillow numpy.
"""

import os
import pathlib
import sys
import tempfile

pictures = pathlib.Path(tempfile.mkdtemp())
os.environ["YOLO_CONFIG_DIR"] = str(pictures)
import numpy as np
from PIL import Image
from ultralytics import YOLO, settings

RUNS = ["runs/classify/train", "runs/classify/train-2"]
random = np.random.default_rng(0)
for split, n in (("train", 40), ("val", 20)):
    for name, shade in (("dark", 60), ("light", 180)):
        (pictures / split / name).mkdir(parents=True)
        for i in range(n):
            picture = random.normal(shade, 40, (32, 32, 3)).clip(0, 255).astype("uint8")
            Image.fromarray(picture).save(pictures / split / name / f"{i}.png")
settings.update({"tensorboard": True, "sync": False, "wandb": False, "mlflow": False, "comet": False, "clearml": False, "dvc": False})
for epochs in (4, 2):
    YOLO("yolov8n-cls.yaml").train(
        data=str(pictures), epochs=epochs, imgsz=32, batch=16, device="cpu", workers=0, pretrained=False, amp=False,
        project=sys.argv[1] + "/runs/classify", verbose=False,
    )
