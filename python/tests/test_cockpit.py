"""Cockpit's measures of a step whose answer is known."""

import json

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import epochscope  # noqa: E402
from epochscope.cockpit import Cockpit  # noqa: E402


def read(log, t):
    with open(log.path, encoding="utf-8") as file:
        return [r for r in map(json.loads, file) if r["t"] == t]


@pytest.mark.parametrize("rate, alpha", [(0.5, -0.5), (1.0, 0.0), (1.5, 0.5), (2.0, 1.0)])
def test_t_51_alpha_of_a_step_on_a_parabola(tmp_path, rate, alpha):
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 3.0)
    optimizer = torch.optim.SGD(model.parameters(), rate)
    x, y = torch.ones(8, 1), torch.zeros(8, 1)

    def loss(output, target):
        return 0.5 * (output - target).square().mean()

    with epochscope.Log(tmp_path) as log:
        cockpit = Cockpit(model, loss, log=log, every=10)
        loss(model(x), y).backward()
        with cockpit.measure(1, x, y):
            optimizer.step()
        with cockpit.measure(2, x, y):
            optimizer.step()
    assert [r["v"]["cockpit/alpha"] for r in read(log, "scalar")] == [pytest.approx(alpha, abs=1e-5)]
    (noise,) = read(log, "noise")
    # all instances are alike: the gradient has no noise
    assert (noise["b_small"], noise["b_big"]) == (2, 8) and noise["g2_small"] == pytest.approx(noise["g2_big"])


def test_the_training_is_bit_for_bit_the_same(tmp_path):
    def train(every):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2))
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        loss = nn.CrossEntropyLoss()
        with epochscope.Log(tmp_path, overwrite=True) as log:
            cockpit = Cockpit(model, loss, log=log, every=every)
            for step in range(1, 9):
                x, y = torch.randn(12, 4), torch.randint(0, 2, (12,))
                optimizer.zero_grad()
                loss(model(x), y).backward()
                with cockpit.measure(step, x, y):
                    optimizer.step()
        assert log.troubles.counts == {}
        return [v.sum().item() for v in model.state_dict().values()] + [torch.rand(1).item()]

    assert train(1) == train(1000)


def test_what_goes_wrong_does_not_stop_the_step(tmp_path):
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    model(torch.ones(4, 2)).sum().backward()
    with epochscope.Log(tmp_path) as log:
        with Cockpit(model, lambda *_: 1 / 0, log=log).measure(1, torch.ones(4, 2), torch.ones(4)):
            before = model[1].bias.detach().clone()
            optimizer.step()
    assert log.troubles.total == 1 and not torch.equal(before, model[1].bias)
    assert model[1].num_batches_tracked == 1  # buffers are as before, although the loss failed
