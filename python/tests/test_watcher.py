"""The watcher on small PyTorch models, against the same numbers computed plainly."""

import copy
import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

import epochscope  # noqa: E402

torch.set_num_threads(1)


def cnn():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 20), nn.Tanh(),
                         nn.Linear(20, 3))


def batch(n=32):
    torch.manual_seed(1)
    return torch.randn(n, 1, 8, 8), torch.randint(0, 3, (n,))


def train(net, optimizer, steps, x, y, each=None):
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        if each:
            each(step)
        optimizer.step()


def read(log):
    with open(log.path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def run(tmp_path, net=None, steps=20, every=10, optimizer=None, each=None, **options):
    """Trains a network with a watcher; returns its records."""
    net = net or cnn()
    optimizer = optimizer or torch.optim.SGD(net.parameters(), 0.1)
    x, y = batch()
    with epochscope.Log(tmp_path, overwrite=True) as log:
        watcher = epochscope.watch(net, optimizer, log=log, every=every, **{"budget": None, **options})
        train(net, optimizer, steps, x, y, each)
        watcher.remove()
    assert log.troubles.counts == {}
    return read(log)


def layers(records, kind, name=None, split=None):
    return [r for r in records if r["t"] == "layer" and r["kind"] == kind and name in (None, r["name"])
            and split in (None, r.get("split"))]


def test_layers_come_in_forward_order_at_the_steps_that_are_due(tmp_path):
    records = run(tmp_path)
    assert [r["step"] for r in layers(records, "weight", "0")] == [1, 10, 20]
    first = [r for r in records if r["t"] == "layer" and r["step"] == 1]
    assert list(dict.fromkeys(r["name"] for r in first)) == ["0", "1", "3", "4", "5"]
    assert list(dict.fromkeys(r["kind"] for r in first)) == ["act", "grad", "weight"]
    assert all(r["split"] == "train" for r in layers(records, "act"))


def test_statistics_are_those_of_the_tensors(tmp_path):
    net = cnn()
    start = {n: p.detach().clone() for n, p in net.named_parameters()}
    seen = {}

    def each(step):
        seen["before"] = {n: p.detach().clone() for n, p in net.named_parameters()}
        seen["grad"] = {n: p.grad.clone() for n, p in net.named_parameters()}

    records = run(tmp_path, net, each=each)

    def both(tensors):
        return torch.cat([tensors["3.weight"].flatten(), tensors["3.bias"]]).double()

    now = both(dict(net.named_parameters())).detach()
    weight, gradient = layers(records, "weight", "3")[-1], layers(records, "grad", "3")[-1]
    assert weight["numel"] == 512 * 20 + 20 and weight["frozen"] is False
    assert weight["norm"] == pytest.approx(now.norm().item(), rel=1e-5)
    assert weight["std"] == pytest.approx(now.std(correction=0).item(), rel=1e-5)
    assert weight["update_norm"] == pytest.approx((now - both(seen["before"])).norm().item(), rel=1e-3)
    assert weight["dist_init"] == pytest.approx((now - both(start)).norm().item(), rel=1e-4)
    assert gradient["absmean"] == pytest.approx(both(seen["grad"]).abs().mean().item(), rel=1e-5)
    assert gradient["max"] == pytest.approx(both(seen["grad"]).max().item(), rel=1e-5)
    total = sum(g.double().square().sum() for g in seen["grad"].values()).sqrt().item()
    scalar = [r for r in records if r["t"] == "scalar"][-1]
    assert scalar["v"] == {"grad_norm": pytest.approx(total, rel=1e-5), "lr": 0.1}


@pytest.mark.parametrize("make", [lambda p: torch.optim.SGD(p, 0.1), lambda p: torch.optim.LBFGS(p, max_iter=3)])
@pytest.mark.parametrize("named", [False, True])
def test_gradients_of_a_closure_are_those_of_the_same_step(tmp_path, make, named):
    net = cnn()
    optimizer = make(net.parameters())
    x, y = batch()
    norms, starts, ends = [], [], []
    with epochscope.Log(tmp_path) as log:
        epochscope.watch(net, optimizer, log=log, every=2, budget=None)
        for _ in range(4):
            of_step = []

            def closure():
                optimizer.zero_grad()
                loss = F.cross_entropy(net(x), y)
                loss.backward()
                of_step.append(sum(p.grad.square().sum() for p in net.parameters()).sqrt().item())
                return loss

            starts.append(net[3].weight.detach().clone())
            optimizer.step(closure=closure) if named else optimizer.step(closure)
            ends.append(net[3].weight.detach().clone())
            norms.append(of_step[0])
    records = read(log)
    assert log.troubles.counts == {}
    scalars = [r for r in records if r["t"] == "scalar"]
    assert [r["step"] for r in scalars] == [r["step"] for r in layers(records, "grad", "3")] == [1, 2, 4]
    assert [r["v"]["grad_norm"] for r in scalars] == pytest.approx([norms[0], norms[1], norms[3]], rel=1e-4)
    moved = [(b - a).norm().item() for a, b in zip(starts, ends)]
    updates = [r["update_norm"] for r in layers(records, "weight", "3")]
    assert updates == pytest.approx([moved[0], moved[1], moved[3]], rel=0.05)  # the bias moves too


@pytest.mark.parametrize("device_type", ["cpu", "masked"])
@pytest.mark.parametrize("values", [[1000.0, 1000.1, 999.9, 1000.0], [0.0, 3.0, -4.0], [5.0], [1e-30, 2e-30], [0.0, 0.0],
                                    [1.0, float("nan"), float("inf"), -2.0]])
def test_statistics_on_a_device_are_those_of_numpy(values, device_type):
    from epochscope import device, statistics

    class Elsewhere(torch.Tensor):
        """A tensor that says that it lies on a device where waiting costs."""

        @property
        def device(self):
            return type("Device", (), {"type": "cuda"})() if device_type == "masked" else super().device

    x = torch.tensor(values).as_subclass(Elsewhere)
    got = device.named([float(v) for v in device.statistics(x)], len(values))
    assert got == pytest.approx(statistics.describe(torch.tensor(values).numpy()), rel=2e-3, abs=1e-37)


def test_units_of_activations(tmp_path):
    net = cnn()
    with torch.no_grad():
        net[0].weight[:3], net[0].bias[:3] = 0, -1.0  # dead
        net[0].weight[3], net[0].bias[3] = 0, 2.0  # always on
        net[0].weight[6], net[0].bias[6] = 0, 2.0  # so too, which is no copy
        net[0].weight[5], net[0].bias[5] = net[0].weight[4], net[0].bias[4]  # a copy
    records = run(tmp_path, net, steps=1, optimizer=torch.optim.SGD(net.parameters(), 0.0))
    (act,) = layers(records, "act", "1")
    assert act["dead"] == pytest.approx(3 / 8) and act["always_on"] == pytest.approx(2 / 8)
    assert act["duplicate"] == pytest.approx(1 / 8)
    assert act["density"] == pytest.approx(1 - act["zero"], abs=1e-6)
    (perplexity,) = [r for r in records if r["t"] == "perplexity" and r["layer"] == "1"]
    assert sum(perplexity["counts"]) + perplexity["no_response"] == perplexity["n"] == 32 * 4
    assert perplexity["filters"] == 8 and perplexity["edges"][0] == 1 and perplexity["edges"][-1] == 8
    top = next(r for r in records if r["t"] == "units" and r["layer"] == "1" and r["stat"] == "max_act")
    assert top["v"][:4] == [0, 0, 0, 2.0] and top["freq"][:4] == [0, 0, 0, 1.0]
    assert [len(r["v"]["shape"]) for r in records if r["t"] == "map"] == [3]


def test_saturated_units(tmp_path):
    net = cnn()
    with torch.no_grad():
        net[3].bias[:5] = 40.0
    records = run(tmp_path, net, steps=1)
    assert layers(records, "act", "4")[0]["saturated"] == pytest.approx(5 / 20)


def test_a_layer_that_the_optimiser_does_not_know_is_frozen(tmp_path):
    net = cnn()
    net[5].requires_grad_(False)
    records = run(tmp_path, net, optimizer=torch.optim.SGD(net[3].parameters(), 0.1))
    assert {r["name"]: r["frozen"] for r in layers(records, "weight")} == {"0": True, "3": False, "5": True}
    assert layers(records, "weight", "0")[-1]["update_norm"] == 0


def test_what_is_not_finite_is_counted_and_the_rest_described(tmp_path):
    net = cnn()

    def each(step):
        net[5].weight.grad[0, 0] = float("nan")
        net[5].weight.grad[0, 1] = float("inf")

    records = run(tmp_path, net, steps=1, each=each)
    gradient, weight = layers(records, "grad", "5")[0], layers(records, "weight", "5")[0]
    assert (gradient["nan"], gradient["inf"]) == (1, 1) and 0 < gradient["norm"] < 10
    assert (weight["nan"], weight["inf"]) == (1, 1)
    assert [r for r in records if r["t"] == "scalar"][0]["v"]["grad_norm"] == "NaN"
    with torch.no_grad():
        net[0].bias.fill_(float("nan"))
    records = run(tmp_path, net, steps=1, probe=batch())
    act = layers(records, "act", "0")[0]
    assert act["nan"] == act["numel"] and "mean" not in act


def test_probes_tell_classes_apart_and_do_not_touch_the_training(tmp_path):
    net = nn.Sequential(*cnn(), nn.BatchNorm1d(3), nn.Identity())
    net[7].eval()
    net[2] = nn.Sequential(nn.Flatten(), nn.Dropout(0.5))
    x, y = batch()
    x[y == 1] += 2
    records = run(tmp_path, net, probe=(x, y), val_probe=(x.flip(0), y.flip(0)), probe_every=10)
    assert net.training and not net[7].training
    train_, val = layers(records, "act", "1", "train"), layers(records, "act", "1", "val")
    disc = [r for r in train_ if "gdv" in r]
    assert [r["step"] for r in disc] == [r["step"] for r in val] == [1, 10, 20]
    assert -1 <= disc[-1]["gdv"] < 0 and 0 < disc[-1]["disc"]["eta2_mean"] <= 1
    assert val[-1]["gdv"] == pytest.approx(disc[-1]["gdv"], abs=1e-4) and 0 < val[-1]["density"] <= 1
    last = [[r for r in layers(records, "act", "3", s) if "gdv" in r][-1]["gdv"] for s in ("train", "val")]
    assert last[0] == pytest.approx(last[1], abs=1e-4)  # nothing is dropped out
    eta2 = [r for r in records if r["t"] == "units" and r["stat"] == "eta2" and r["layer"] == "1"]
    assert len(eta2) == 3 and max(eta2[-1]["v"]) <= 1
    steps = [(r["to"]["step"], r["step"]) for r in records if r["t"] == "sim" and r.get("layer") == "3"]
    assert steps == [(1, 10), (10, 20)]
    matrix = [r for r in records if r["t"] == "sim" and "m" in r][-1]
    assert np.diag(np.array(matrix["m"])) == pytest.approx(np.ones(len(matrix["layers"])))


@pytest.mark.parametrize("watched", [False, True])
def test_a_watched_training_is_bit_for_bit_the_same(tmp_path, watched, request):
    class Noise(nn.Module):
        def forward(self, x):
            return x + torch.randn_like(x)

    net = nn.Sequential(*cnn()[:4], nn.Dropout(0.5), Noise(), *cnn()[4:])
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    x, y = batch()
    torch.manual_seed(5)
    np.random.seed(5)
    with epochscope.Log(tmp_path) as log:
        if watched:
            epochscope.watch(net, optimizer, log=log, every=3, probe=(x, y), budget=None, spectra_every=3)
        train(net, optimizer, 10, x, y)
    total = sum(p.double().sum().item() for p in net.parameters()) + torch.rand(1).item() + np.random.rand()
    remembered = request.config.stash.setdefault(_KEY, {})
    remembered[watched] = total
    if len(remembered) == 2:
        assert remembered[True] == remembered[False]


_KEY = pytest.StashKey()


def test_there_are_no_hooks_between_samples_and_none_after_remove(tmp_path):
    net = cnn()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    x, y = batch()

    def hooks():
        return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules())

    counts = []
    with epochscope.Log(tmp_path) as log:
        watcher = epochscope.watch(net, optimizer, log=log, every=3, budget=None)
        train(net, optimizer, 6, x, y, lambda step: counts.append(hooks() > 0))
        watcher.remove()
        assert hooks() == 0 and len(optimizer._optimizer_step_post_hooks) == 0
        train(net, optimizer, 6, x, y)
    assert counts == [True, False, True, False, False, True]
    assert max(r.get("step", 0) for r in read(log)) == 6


def test_accumulated_batches_count_as_one_step(tmp_path):
    net = cnn()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    x, y = batch()
    with epochscope.Log(tmp_path) as log:
        epochscope.watch(net, optimizer, log=log, every=2, budget=None)
        for _ in range(4):
            optimizer.zero_grad()
            for part in range(4):
                F.cross_entropy(net(x[part::4]), y[part::4]).backward()
            optimizer.step()
            net.eval()
            with torch.no_grad():
                net(x[:3])
            net.train()
    acts = layers(read(log), "act", "1")
    assert [(r["step"], r["numel"]) for r in acts] == [(s, 8 * 8 * 64) for s in (1, 2, 4)]
    assert {r["name"] for r in layers(read(log), "act")} == {"0", "1", "3", "4", "5"}


def test_names_and_activations_below_wrappers(tmp_path):
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = cnn()

        def forward(self, x):
            return self.module(x)

    records = run(tmp_path, Wrapped())
    assert {r["name"] for r in layers(records, "weight")} == {"0", "3", "5"}
    records = run(tmp_path, nn.DataParallel(cnn()))
    assert {r["name"] for r in layers(records, "act")} == {"0", "1", "3", "4", "5"}


@pytest.mark.parametrize("way", ["before", "after", "in place"])
def test_a_compiled_model_is_watched_through_its_probe(tmp_path, way):
    torch._dynamo.reset()
    graphs = []

    def backend(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    class Net(nn.Sequential):
        def forward(self, x):
            return super().forward(x)

    plain = Net(*cnn())
    net = torch.compile(plain, backend=backend) if way != "in place" else plain
    if way == "in place":
        net.compile(backend=backend)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    x, y = batch()
    with epochscope.Log(tmp_path) as log:
        watched = plain if way == "after" else net
        epochscope.watch(watched, optimizer, log=log, every=10, budget=None, probe=(x, y), probe_every=10)
        train(net, optimizer, 20, x, y)
    records = read(log)
    assert log.troubles.counts == {} and len(graphs) == (2 if way == "after" else 1)
    assert [r["name"] for r in layers(records, "weight") if r["step"] == 20] == ["0", "3", "5"]
    assert [r["step"] for r in layers(records, "act", "1") if "dead" in r] == [1, 10, 20]


def test_gradients_are_those_without_the_scale_of_mixed_precision(tmp_path):
    def norms(scaler):
        net = cnn()
        optimizer = torch.optim.SGD(net.parameters(), 0.1)
        x, y = batch()
        with epochscope.Log(tmp_path, overwrite=True) as log:
            epochscope.watch(net, optimizer, log=log, every=1, budget=None, scaler=scaler)
            for _ in range(3):
                optimizer.zero_grad()
                loss = F.cross_entropy(net(x), y)
                if scaler is None:
                    loss.backward()
                    optimizer.step()
                else:
                    scaler.scale(loss).backward()
                    scaler.step(optimizer)
                    scaler.update()
        return [r for r in read(log) if r["t"] == "scalar"]

    plain, scaled = norms(None), norms(torch.amp.GradScaler("cpu", init_scale=1024.0))
    for a, b in zip(plain, scaled):
        assert b["v"]["grad_norm"] == pytest.approx(a["v"]["grad_norm"], rel=1e-4)
        assert b["v"]["loss_scale"] == 1024


def test_half_precision_and_shared_and_tuple_outputs(tmp_path):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.relu, self.lstm = nn.Linear(6, 6), nn.ReLU(), nn.LSTM(6, 6, batch_first=True)
            self.head = nn.Linear(6, 3)

        def forward(self, x):
            x = self.relu(self.fc(self.relu(self.fc(x))))
            return self.head(self.lstm(x)[0]).mean(1)

    net = Net().bfloat16()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    x, y = torch.randn(8, 5, 6).bfloat16(), torch.randint(0, 3, (8,))
    with epochscope.Log(tmp_path) as log:
        epochscope.watch(net, optimizer, log=log, every=2, budget=None)
        train(net, optimizer, 4, x, y)
    assert log.troubles.counts == {}
    names = {r["name"] for r in layers(read(log), "act")}
    assert names == {"fc", "relu", "fc#2", "relu#2", "lstm", "head"}


def test_what_goes_wrong_inside_does_not_stop_the_training(tmp_path, monkeypatch):
    net = cnn()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    x, y = batch()
    with epochscope.Log(tmp_path) as log:
        epochscope.watch(net, optimizer, log=log, every=1, budget=None, probe=(x[:, :, :2], y))
        train(net, optimizer, 3, x, y)  # the probe does not fit the model
        monkeypatch.setattr("epochscope.device.statistics", lambda x: 1 / 0)
        train(net, optimizer, 3, x, y)
    assert log.troubles.total >= 3
    assert any(r.get("kind") == "logging-failed" for r in read(log))
    assert net.training and sum(len(m._forward_hooks) for m in net.modules()) > 0
    with pytest.raises(TypeError):
        epochscope.watch("no model", log=log)
    with pytest.raises(ValueError):
        epochscope.watch(net, log=log, probe=x)


def test_a_probe_that_does_not_fit_costs_nothing_but_itself(tmp_path):
    net = cnn()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    x, y = batch()
    with epochscope.Log(tmp_path) as log:
        epochscope.watch(net, optimizer, log=log, every=2, budget=None, probe=(x[:, :, :2], y), val_probe=(x, y))
        train(net, optimizer, 2, x, y)
    records = read(log)
    assert log.troubles.total == 1
    for kind, split in (("act", "train"), ("grad", None), ("weight", None)):
        assert [r["step"] for r in layers(records, kind, "3", split)] == [1, 2]
    assert [r["step"] for r in layers(records, "act", "1", "val")] == [1] and net.training


def test_parameters_and_outputs_without_elements(tmp_path):
    net = nn.Sequential(*cnn(), nn.Linear(3, 3))
    net[5].nothing = nn.Parameter(torch.empty(0))
    net[6].weight, net[6].bias = nn.Parameter(torch.empty(0, 3)), None
    net[6].forward = lambda x: x
    records = run(tmp_path, net)
    assert {r["name"] for r in layers(records, "weight")} == {"0", "3", "5"}
    assert layers(records, "weight", "5")[0]["numel"] == 63


def test_what_works_in_place_does_not_change_what_was_taken(tmp_path):
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.GELU(), nn.Dropout(0.9, inplace=True), nn.Linear(20, 3))
    records = run(tmp_path, net)
    assert all(r["density"] > 0.9 for r in layers(records, "act", "2"))


def test_a_model_is_pickled_and_copied_while_a_sample_is_due(tmp_path):
    net = cnn()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    x, y = batch()
    expected = net(x[:5])
    with epochscope.Log(tmp_path) as log:
        epochscope.watch(net, optimizer, log=log, every=2, budget=None)
        for other in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
            assert torch.equal(other(x[:5]), expected)
        train(net, optimizer, 1, x, y)
    assert log.troubles.counts == {}
    assert [r["numel"] for r in layers(read(log), "act", "5")] == [32 * 3]  # that of the model, not of a copy


def test_workers_of_a_data_loader_write_nothing(tmp_path):
    class Data(torch.utils.data.Dataset):
        def __len__(self):
            return 8

        def __getitem__(self, i):
            log.log_scalars(i, loss=1)
            return i

    with epochscope.Log(tmp_path) as log:
        list(torch.utils.data.DataLoader(Data(), num_workers=2, multiprocessing_context="fork"))
    assert [r["t"] for r in read(log)] == ["run", "event"]


def two_ranks(script, path, ranks):
    """Runs a script as two ranks of one training; returns the logs that they wrote."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
                   "MASTER_PORT": str(20000 + os.getpid() % 20000)}
    children = [subprocess.Popen([sys.executable, "-c", script, str(path), ranks],
                                 env={**environment, "RANK": str(rank)}) for rank in range(2)]
    try:
        assert [child.wait(120) for child in children] == [0, 0]
    finally:
        for child in children:
            child.kill()
    return sorted(path.iterdir())


_DISTRIBUTED = """
import os, sys, torch, torch.nn.functional as F, epochscope
torch.set_num_threads(1)
torch.distributed.init_process_group("gloo")
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
net = torch.nn.parallel.DistributedDataParallel(net)
optimizer = torch.optim.SGD(net.parameters(), 0.1)
with epochscope.Log(sys.argv[1], ranks=sys.argv[2] if sys.argv[2] == "all" else 0) as log:
    epochscope.watch(net, optimizer, log=log, every=2, budget=None)
    for step in range(4):
        optimizer.zero_grad()
        F.cross_entropy(net(torch.randn(6, 4)), torch.randint(0, 2, (6,))).backward()
        optimizer.step()
torch.distributed.destroy_process_group()
"""


@pytest.mark.parametrize("ranks, files", [("0", 1), ("all", 2)])
def test_two_ranks_of_a_distributed_training(tmp_path, ranks, files):
    paths = two_ranks(_DISTRIBUTED, tmp_path / "a", ranks)
    assert len(paths) == files
    for path in paths:
        records = [json.loads(line) for line in path.read_text().splitlines()]
        assert [r["name"] for r in layers(records, "act") if r["step"] == 4] == ["0", "1", "2"]
        assert {r["name"] for r in layers(records, "weight")} == {"0", "2"}


_SHARDED = """
import sys, torch, epochscope
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
torch.set_num_threads(1)
torch.distributed.init_process_group("gloo")
mesh = init_device_mesh("cpu", (2,))
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(16, 8),
                          torch.nn.ReLU(), torch.nn.Linear(8, 1))
fully_shard(net[3], mesh=mesh)
fully_shard(net, mesh=mesh)
optimizer = torch.optim.SGD(net.parameters(), 0.1)
x = torch.randn(6, 1, 4, 4)
with epochscope.Log(sys.argv[1], ranks=sys.argv[2] if sys.argv[2] == "all" else 0) as log:
    epochscope.watch(net, optimizer, log=log, every=2, budget=None, probe=(x, torch.tensor([0, 1] * 3)))
    for step in range(4):
        optimizer.zero_grad()
        net(x).square().mean().backward()
        optimizer.step()
assert log.troubles.counts == {}, log.troubles.counts
torch.distributed.destroy_process_group()
"""


@pytest.mark.parametrize("ranks, files", [("0", 1), ("all", 2)])
def test_sharded_parameters_are_described_without_waiting_for_other_ranks(tmp_path, ranks, files):
    if not hasattr(pytest.importorskip("torch.distributed.fsdp"), "fully_shard"):
        pytest.skip("this torch has no fully_shard")
    paths = two_ranks(_SHARDED, tmp_path / "a", ranks)
    assert len(paths) == files
    for path in paths:
        records = [json.loads(line) for line in path.read_text().splitlines()]
        assert [r["step"] for r in layers(records, "weight", "3")] == [1, 2, 4]
        assert [r["numel"] for r in layers(records, "weight") if r["step"] == 4][:2] == [20, 68]  # half of each
        assert layers(records, "grad", "0") and layers(records, "act", "4")
        assert {r["t"] for r in records}.isdisjoint({"sim", "map"})
        assert all(set(r["v"]) == {"lr"} for r in records if r["t"] == "scalar")


def test_large_layers_are_remembered_by_a_part(tmp_path, monkeypatch):
    whole = layers(run(tmp_path), "weight", "3")
    monkeypatch.setattr("epochscope.weights.MOST_REMEMBERED", 1000)
    part = layers(run(tmp_path), "weight", "3")
    assert part[-1]["norm"] == whole[-1]["norm"]
    for key in ("update_norm", "dist_init"):
        assert part[-1][key] == pytest.approx(whole[-1][key], rel=0.2) and part[-1][key] != whole[-1][key]


def test_another_rank_costs_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "4")
    net = cnn()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    with epochscope.Log(tmp_path) as log:
        watcher = epochscope.watch(net, optimizer, log=log)
        train(net, optimizer, 3, *batch())
        watcher.remove()
    assert len(optimizer._optimizer_step_post_hooks) == 0 and not list(tmp_path.iterdir())
