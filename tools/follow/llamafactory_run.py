#!/usr/bin/env python3
"""LLaMA-Factory's callback, which writes trainer_log.jsonl, driven by the Trainer. Needs: llamafactory torch."""

import sys
import time

import torch
from llamafactory.train.callbacks import LogCallback
from transformers import Trainer, TrainingArguments

RUNS = ["saves/line/lora/sft"]


class Line(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def forward(self, x, labels):
        time.sleep(0.04)
        logits = self.layer(x)
        return {"loss": (logits - labels).square().mean(), "logits": logits}


data = [{"x": x, "labels": x.sum(0, keepdim=True)} for x in torch.randn(320, 4)]
settings = TrainingArguments(
    sys.argv[1] + "/saves/line/lora/sft", num_train_epochs=5, per_device_train_batch_size=8, learning_rate=0.02,
    logging_steps=5, eval_strategy="epoch", save_steps=100, report_to="none", disable_tqdm=True, use_cpu=True,
)
trainer = Trainer(Line(), settings, train_dataset=data, eval_dataset=data[:64], callbacks=[LogCallback()])
trainer.train()
trainer.save_state()
