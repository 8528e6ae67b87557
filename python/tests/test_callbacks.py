"""Callbacks in trainings of the real frameworks; each is left out where its framework is not installed."""

import json
import subprocess
import sys

import pytest


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def of(records, t, **fields):
    return [r for r in records if r["t"] == t and all(r.get(k) == v for k, v in fields.items())]


def ended(records):
    assert not of(records, "event", kind="logging-failed")
    return records[-1]["t"] == "event" and records[-1]["status"] == "finished"


def test_hugging_face(tmp_path):
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    pytest.importorskip("accelerate")
    from epochscope.callbacks.huggingface import EpochscopeCallback

    class Data(torch.utils.data.Dataset):
        def __len__(self):
            return 48

        def __getitem__(self, i):
            ids = torch.full((8,), i % 10) + torch.arange(8) % 2
            return {"input_ids": ids, "labels": torch.tensor(i % 2)}

    config = transformers.BertConfig(vocab_size=20, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                                     intermediate_size=24, num_labels=2)
    args = transformers.TrainingArguments(str(tmp_path), num_train_epochs=2, per_device_train_batch_size=8,
                                          logging_steps=2, eval_strategy="epoch", save_strategy="epoch", report_to=[],
                                          use_cpu=True, gradient_accumulation_steps=2, run_name="tiny")
    trainer = transformers.Trainer(transformers.BertForSequenceClassification(config), args, train_dataset=Data(),
                                   eval_dataset=Data(), callbacks=[EpochscopeCallback(every=2, budget=None)])
    trainer.train()
    trainer.evaluate()
    records = read(tmp_path / "epochscope" / "tiny.scope.jsonl")
    assert ended(records)
    assert records[0]["steps_total"] == 6 and of(records, "hparams")[0]["values"]["learning_rate"] == 5e-5
    losses = [r for r in of(records, "scalar", split="train") if "loss" in r["v"]]
    assert [r["step"] for r in losses] == [2, 4, 6] and all("lr" in r["v"] for r in losses)
    assert [r["step"] for r in of(records, "scalar", split="val")] == [3, 6, 6]
    assert [r["step"] for r in of(records, "scalar") if "grad_norm" in r["v"]] == [1, 2, 4, 6]
    assert [r["step"] for r in of(records, "scalar") if "grad_norm_unclipped" in r["v"]] == [2, 4, 6]
    name = "bert.encoder.layer.0.intermediate.dense"
    assert [r["step"] for r in of(records, "layer", name=name, kind="grad")] == [1, 2, 4, 6]
    assert of(records, "layer", name="bert.encoder.layer.0.intermediate.intermediate_act_fn", kind="act")
    assert len(of(records, "event", kind="checkpoint")) == 2


_LIGHTNING = """
import sys, torch
import {package} as L
from torch import nn
from epochscope.callbacks.lightning import EpochscopeCallback

class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.save_hyperparameters({{"width": 8}})
        self.net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    def training_step(self, batch, i):
        loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss
    def validation_step(self, batch, i):
        self.log("val/loss", nn.functional.cross_entropy(self.net(batch[0]), batch[1]))
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)

data = torch.utils.data.TensorDataset(torch.randn(40, 4), torch.randint(0, 2, (40,)))
trainer = L.Trainer(max_epochs=2, accelerator="cpu", logger=False, enable_progress_bar=False,
                    default_root_dir=sys.argv[1], enable_model_summary=False,
                    callbacks=[EpochscopeCallback(every=4, budget=None)])
loader = torch.utils.data.DataLoader(data, 8)
trainer.fit(Net(), loader, loader)
"""


@pytest.mark.parametrize("package", ["lightning", "pytorch_lightning"])
def test_lightning(tmp_path, package):
    pytest.importorskip(package)
    done = subprocess.run([sys.executable, "-c", _LIGHTNING.format(package=package), str(tmp_path)],
                          capture_output=True, text=True, env=_environment())
    assert done.returncode == 0, done.stderr
    records = read(tmp_path / "epochscope" / "epochscope.scope.jsonl")
    assert ended(records)
    assert records[0]["steps_total"] == 10 and of(records, "hparams")[0]["values"] == {"width": 8}
    losses = [r for r in of(records, "scalar", split="train") if "loss" in r["v"]]
    assert [r["step"] for r in losses] == [1, 4, 5, 8, 10]
    assert [r["step"] for r in of(records, "scalar", split="val")] == [5, 10]
    assert [r["step"] for r in of(records, "layer", name="net.0", kind="weight")] == [1, 4, 8]
    assert [r["step"] for r in of(records, "layer", name="net.0", kind="grad")] == [1, 4, 8]
    assert [r["step"] for r in of(records, "scalar") if "grad_norm" in r["v"]] == [1, 4, 8]
    assert of(records, "layer", name="net.1", kind="act") and of(records, "event", kind="checkpoint")


_GAN = """
import sys, torch
import lightning as L
from torch import nn
from epochscope.callbacks.lightning import EpochscopeCallback

class Gan(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.critic = nn.Linear(4, 4), nn.Linear(4, 1)
    def training_step(self, batch, i):
        for optimizer, sign in zip(self.optimizers(), (1, -1)):
            optimizer.zero_grad()
            loss = sign * self.critic(self.generator(batch[0])).mean()
            self.manual_backward(loss)
            optimizer.step()
        self.log("train_loss", loss)
    def configure_optimizers(self):
        return [torch.optim.SGD(m.parameters(), 0.1) for m in (self.generator, self.critic)]

loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(40, 4)), 8)
L.Trainer(max_epochs=2, accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=sys.argv[1],
          enable_model_summary=False, enable_checkpointing=False,
          callbacks=[EpochscopeCallback(every=4, budget=None, watch=sys.argv[2] == "watch")]).fit(Gan(), loader)
"""


@pytest.mark.parametrize("watch", ["watch", "no"])
def test_lightning_with_two_optimisers_has_the_steps_of_the_first(tmp_path, watch):
    pytest.importorskip("lightning")
    done = subprocess.run([sys.executable, "-c", _GAN, str(tmp_path), watch], capture_output=True, text=True,
                          env=_environment())
    assert done.returncode == 0, done.stderr
    records = read(tmp_path / "epochscope" / "epochscope.scope.jsonl")
    assert ended(records)
    assert [r["step"] for r in of(records, "scalar") if "loss" in r["v"]] == [1, 4, 5, 8, 10]
    steps = [r["step"] for r in of(records, "layer", name="critic", kind="weight")]
    assert steps == ([1, 4, 8] if watch == "watch" else [])


def test_keras(tmp_path):
    keras = pytest.importorskip("keras")
    import numpy as np

    from epochscope.callbacks.keras import EpochscopeCallback

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 6)).astype("float32"), rng.integers(0, 3, 64)
    model = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(8, activation="relu", name="hidden"),
                              keras.layers.BatchNormalization(name="norm"), keras.layers.Dense(3, name="head")])
    model.get_layer("head").trainable = False
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    callback = EpochscopeCallback(tmp_path / "a", every=4, weights_every=4)
    model.fit(x, y, batch_size=16, epochs=3, validation_split=0.25, callbacks=[callback], verbose=0)
    records = read(callback.log.path)
    assert ended(records)
    assert of(records, "run")[1]["steps_total"] == 9 or of(records, "run")[1]["steps_per_epoch"] == 3
    train = of(records, "scalar", split="train")
    assert [r["step"] for r in train] == [1, 3, 4, 6, 8, 9] and {"loss", "accuracy", "lr"} <= set(train[0]["v"])
    assert [r["step"] for r in of(records, "scalar", split="val")] == [3, 6, 9]
    hidden, head = (of(records, "layer", name=n, kind="weight") for n in ("hidden", "head"))
    assert [r["step"] for r in hidden] == [4, 8] and hidden[0]["update_norm"] > 0 and hidden[0]["frozen"] is False
    assert head[1]["frozen"] is True and head[1]["update_norm"] == 0
    assert of(records, "hist", name="hidden")


def _environment():
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
