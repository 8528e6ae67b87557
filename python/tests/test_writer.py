"""The log: whole lines whatever happens, and never an exception in the training."""

import json
import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import epochscope


def read(log):
    """All records of a log."""
    with open(log.path, encoding="utf-8") as file:
        return [json.loads(line, parse_constant=_refuse) for line in file]


def _refuse(name):
    raise AssertionError(f"{name} is no JSON")


def of(log, t):
    return [r for r in read(log) if r["t"] == t]


def test_a_log_begins_with_its_run_and_ends_with_its_end(tmp_path):
    with epochscope.Log(tmp_path / "a", config={"lr": 0.1, "opt": {"name": "sgd"}}, classes=["x:a", "x:b"],
                        steps_total=100, digits=4) as log:
        log.log_scalars(1, split="train", loss=2.30258509, acc=np.float32(0.5))
        log.log_scalars(2, {"loss": 1}, split="val", epoch=1, n=20)
    assert log.path == str(tmp_path / "a" / "a.scope.jsonl")
    run, hparams, classes, first, second, end = read(log)
    assert (run["epochscope"], run["t"], run["name"], run["segment"], run["steps_total"]) == (1, "run", "a", 0, 100)
    assert hparams["values"] == {"lr": 0.1, "opt": {"name": "sgd"}}
    assert classes == {"t": "classes", "task": "main", "names": ["x:a", "x:b"]}
    assert (first["v"], first["split"], first["step"]) == ({"loss": 2.303, "acc": 0.5}, "train", 1)
    assert abs(first["wall"] - time.time()) < 60
    assert (second["n"], second["epoch"]) == (20, 1)
    assert (end["kind"], end["status"]) == ("end", "finished")
    assert log.troubles.counts == {}


def test_nan_and_infinities_are_texts(tmp_path):
    with epochscope.Log(tmp_path) as log:
        log.log_scalars(1, {"a": math.nan, "b": -math.inf, "deep": {"c": np.float64("inf")}})
        log.log_layer(1, "fc", "act", max=math.inf, nan=3)
    assert of(log, "scalar")[0]["v"] == {"a": "NaN", "b": "-Infinity", "deep": {"c": "Infinity"}}
    assert of(log, "layer")[0]["max"] == "Infinity"


def test_an_exception_ends_the_run_as_failed(tmp_path):
    with pytest.raises(ZeroDivisionError), epochscope.Log(tmp_path) as log:
        1 / 0
    assert of(log, "event")[-1]["status"] == "failed"


def test_nothing_raises_and_what_failed_is_said_once(tmp_path, caplog):
    log = epochscope.Log(tmp_path)
    for _ in range(3):
        log.log_scalars("no step", loss=1)
        log.log_confusion(1, np.ones((2, 3)))
        log.log_predictions(1, ["a", "b"], y=[1])
        log.log_scalars(1, loss=object())
    log.log_scalars(2, loss=1)
    log.finish()
    failures = [r["v"] for r in of(log, "event") if r["kind"] == "logging-failed"]
    assert len(failures) == 5 and failures[-1].startswith("12 failures in all")
    assert len(of(log, "scalar")) == 1 and len(caplog.records) == 4
    log.log_scalars(3, loss=1)
    log.finish()
    assert len(of(log, "event")) == 6 and len(of(log, "scalar")) == 1


def test_a_full_disk_does_not_raise(tmp_path, monkeypatch):
    log = epochscope.Log(tmp_path)

    def full(fd, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("epochscope.writer.os.write", full)
    log.log_scalars(1, loss=1)
    monkeypatch.undo()
    log.log_scalars(2, loss=1)
    log.finish()
    assert [r["step"] for r in of(log, "scalar")] == [2] and log.troubles.total > 0


def test_a_piece_that_could_be_written_does_not_spoil_the_next_line(tmp_path, monkeypatch):
    log = epochscope.Log(tmp_path)
    real, calls = os.write, []

    def halves(fd, data):
        calls.append(1)
        if len(calls) == 1:
            return real(fd, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("epochscope.writer.os.write", halves)
    log.log_scalars(1, loss=1)
    monkeypatch.undo()
    log.log_scalars(2, loss=1)
    with open(log.path) as file:
        lines = file.read().splitlines()
    assert json.loads(lines[-1])["step"] == 2 and len(lines) == 3


@pytest.mark.parametrize("wrong", [{"digits": 0}, {"ranks": "some"}, {"digits": 99}])
def test_wrong_arguments_are_said_at_once(tmp_path, wrong):
    with pytest.raises(ValueError):
        epochscope.Log(tmp_path, **wrong)


def test_a_run_that_goes_on_is_a_further_segment(tmp_path):
    epochscope.Log(tmp_path, name="r").finish()
    with open(tmp_path / "r.scope.jsonl", "ab") as file:
        file.write(b'{"t":"scalar","st')
    log = epochscope.Log(tmp_path, name="r")
    log.finish()
    with open(log.path) as file:
        lines = file.read().splitlines()
    assert lines[2] == '{"t":"scalar","st' and json.loads(lines[3])["segment"] == 1
    assert epochscope.Log(tmp_path, name="r", overwrite=True).path == log.path
    assert len(read(log)) == 1


_WRITER = """
import sys, epochscope
log = epochscope.Log(sys.argv[1], name="killed")
print("ready", flush=True)
step = 0
while True:
    step += 1
    log.log_scalars(step, split="train", loss=1.0 / step)
    log.log_units(step, "fc", "mean_act", [0.123456 * step] * 4000)
"""


def test_sigkill_leaves_whole_lines(tmp_path):
    for round in range(3):
        folder = tmp_path / str(round)
        child = subprocess.Popen([sys.executable, "-c", _WRITER, str(folder)], stdout=subprocess.PIPE,
                                 env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        child.stdout.readline()
        time.sleep(0.15 + 0.07 * round)
        child.send_signal(signal.SIGKILL)
        child.wait()
        data = (folder / "killed.scope.jsonl").read_bytes()
        *lines, _rest = data.split(b"\n")
        assert len(lines) > 5
        for line in lines:
            assert json.loads(line)["t"] in ("run", "scalar", "units")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_writes_nothing(tmp_path):
    log = epochscope.Log(tmp_path)
    pid = os.fork()
    if pid == 0:
        log.log_scalars(1, loss=1)
        log.finish()
        os._exit(0)
    os.waitpid(pid, 0)
    log.log_scalars(2, loss=1)
    log.finish()
    assert [r["t"] for r in read(log)] == ["run", "scalar", "event"]
    assert of(log, "scalar")[0]["step"] == 2


def test_only_rank_0_writes(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    log = epochscope.Log(tmp_path / "a")
    log.log_scalars(1, loss=1)
    log.finish()
    assert not log.active and not os.path.exists(log.path)


def test_every_rank_may_write_a_file_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in "01":
        monkeypatch.setenv("RANK", rank)
        with epochscope.Log(tmp_path / "a", ranks="all") as log:
            log.log_scalars(1, loss=1)
        assert of(log, "scalar")[0]["src"] == f"rank{rank}"
    assert sorted(os.listdir(tmp_path / "a")) == ["a.rank1.scope.jsonl", "a.scope.jsonl"]


def test_confusion_from_labels_from_scores_and_from_names(tmp_path):
    with epochscope.Log(tmp_path, classes=["a", "b", "c"]) as log:
        log.log_confusion(1, ([0, 0, 1, 2], [0, 1, 1, 0]), epoch=1)
        log.log_confusion(2, ([0, 1], np.array([[0.1, 0.9, 0], [0.2, 0.7, 0.1]])))
        log.log_confusion(3, (["c", "a"], ["c", "b"]))
        log.log_confusion(4, [[1, 2], [3, 4]], classes=["x", "y"], rows="pred")
    first, second, third, fourth = of(log, "confusion")
    assert first["m"] == [[1, 1, 0], [0, 1, 0], [1, 0, 0]] and first["labels"] == "main" and first["rows"] == "true"
    assert second["m"][0] == [0, 1, 0]
    assert third["m"] == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert fourth["rows"] == "pred" and fourth["labels"] == "task2"
    assert [r["task"] for r in of(log, "classes")] == ["main", "task2"]


def test_many_classes_are_written_sparsely(tmp_path):
    with epochscope.Log(tmp_path) as log:
        log.log_confusion(1, (np.arange(100), np.arange(100)))
        log.log_confusion(2, np.ones((100, 100)))
    sparse, dense = of(log, "confusion")
    assert sparse["sparse"][:2] == [[0, 0, 1], [1, 1, 1]] and "m" not in sparse
    assert dense["m"]["shape"] == [100, 100]


def test_predictions_are_columns(tmp_path):
    with epochscope.Log(tmp_path, digits=3) as log:
        log.log_predictions(5, [7, 8], y=np.array([0, 1]), p=np.array([[0.66666, 0.33334], [0.5, 0.5]]),
                            attrs={"age": ["old", "young"]}, epoch=2)
    (record,) = of(log, "pred")
    assert record["id"] == ["7", "8"] and record["y"] == [0, 1]
    assert record["p"] == [[0.667, 0.333], [0.5, 0.5]] and record["attrs"] == {"age": ["old", "young"]}


def test_every_kind_of_record_can_be_written(tmp_path):
    with epochscope.Log(tmp_path) as log:
        log.log_histogram(1, "fc", np.random.default_rng(0).normal(size=50), kind="grad", bins=5)
        log.log_histogram(1, "fc", counts=[1, 2], edges=[0, 1, 2])
        log.log_perplexity(1, "relu", [1, 2], [1, 2, 4], filters=4, n=4, no_response=1)
        log.log_units(1, "relu", "max_act", np.zeros(40), freq=np.zeros(40))
        log.log_similarity(1, 0.5, layer="a", to={"step": 0})
        log.log_similarity(1, layers=["a", "b"], matrix=np.eye(2))
        log.log_map(1, np.zeros((2, 3, 3)), kind="filter", layer="conv1")
        log.log_credit(1, "h", [1, 2], [0.5, -0.5], target={"layer": "o", "unit": 0}, total=0.0)
        log.log_noise(1, 10, 100, 14, 5)
        log.log_text(1, "sample", "words")
        log.log_event("checkpoint", "a.pt", step=1)
        log.log_alert("nan", "it is NaN", step=1, where="fc")
    assert log.troubles.counts == {}
    kinds = [r["t"] for r in read(log)]
    assert kinds == ["run", "hist", "hist", "perplexity", "units", "sim", "sim", "map", "credit", "noise", "text",
                     "event", "alert", "event"]
    assert of(log, "units")[0]["v"]["shape"] == [40] and sum(of(log, "hist")[0]["counts"]) == 50


def test_text_that_is_no_unicode_does_not_break_a_line(tmp_path):
    with epochscope.Log(tmp_path) as log:
        log.log_text(1, "t", "a\ud800b\nc")
    assert len(of(log, "text")) == 1 and log.troubles.counts == {}
