#!/usr/bin/env python3
"""The Trainer of Hugging Face: `trainer_state.json` in rotating checkpoints, TensorBoard beside it.

Needs: transformers accelerate torch tensorboard.
"""

import sys
import time

import torch
from transformers import PretrainedConfig, PreTrainedModel, Trainer, TrainingArguments

RUNS = ["out"]


class Line(PreTrainedModel):
    config_class = PretrainedConfig

    def __init__(self, config):
        super().__init__(config)
        self.layer = torch.nn.Linear(4, 1)
        self.post_init()

    def forward(self, x, labels):
        time.sleep(0.03)
        logits = self.layer(x)
        return {"loss": (logits - labels).square().mean(), "logits": logits}


torch.manual_seed(0)
data = [{"x": x, "labels": x.sum(0, keepdim=True)} for x in torch.randn(320, 4)]
settings = TrainingArguments(
    sys.argv[1] + "/out",
    num_train_epochs=5,
    per_device_train_batch_size=8,
    per_device_eval_batch_size=32,
    learning_rate=0.02,
    logging_steps=5,
    eval_strategy="epoch",
    save_steps=20,
    save_total_limit=2,
    report_to="tensorboard",
    disable_tqdm=True,
    use_cpu=True,
)
trainer = Trainer(Line(PretrainedConfig()), settings, train_dataset=data, eval_dataset=data[:64])
result = trainer.train()
trainer.save_model()
trainer.save_state()
trainer.save_metrics("train", result.metrics)
trainer.save_metrics("eval", trainer.evaluate())
