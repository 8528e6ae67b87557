#!/usr/bin/env python3
"""The Trainer of Hugging Face: its bar and its dictionaries, kept as the shell keeps a program's output.

Needs transformers, accelerate and torch.
"""

import os
import sys
import time

RUNS = ["trainer"]

os.makedirs(sys.argv[1] + "/trainer", exist_ok=True)
log = os.open(sys.argv[1] + "/trainer/train.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.dup2(log, 1)
os.dup2(log, 2)

import torch
from transformers import Trainer, TrainingArguments


class Line(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def forward(self, x, labels):
        time.sleep(0.05)
        logits = self.layer(x)
        return {"loss": (logits - labels).square().mean(), "logits": logits}


torch.manual_seed(0)
xs = torch.randn(320, 4)
data = [{"x": x, "labels": x.sum(0, keepdim=True)} for x in xs]
settings = TrainingArguments(
    sys.argv[1] + "/trainer/out",
    num_train_epochs=5,
    per_device_train_batch_size=8,
    per_device_eval_batch_size=32,
    learning_rate=0.02,
    logging_steps=5,
    eval_strategy="epoch",
    save_strategy="no",
    report_to="none",
    use_cpu=True,
)
Trainer(Line(), settings, train_dataset=data, eval_dataset=data[:64]).train()
