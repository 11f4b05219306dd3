"""The profiler: what it counts, what it writes, and that it leaves no trace of itself."""

from __future__ import annotations

import contextlib
import io
import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch.autograd_engine import BackwardFunction, Function
from mytorch.profiler import profile
from mytorch.tensor import Tensor


def test_calls_and_bytes_are_counted_forward_and_backward_apart() -> None:
    x = Tensor(np.ones((10, 4)), requires_grad=True)
    with profile(None) as found:
        for _ in range(3):
            (x * x).exp().sum().backward()
    rows = {(row.name, row.phase): row for row in found.rows()}
    for name in ("Mul", "Exp", "Sum"):
        for phase in ("forward", "backward"):
            assert rows[name, phase].calls == 3
    assert rows["AccumulateGrad", "backward"].calls == 3
    assert rows["Exp", "forward"].size == 3 * 10 * 4 * 8
    assert rows["Sum", "backward"].size == 3 * 10 * 4 * 8


class Slow(Function):
    """Sleeps, and calls another operation in its backward."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        time.sleep(0.02)
        return a.new(a.data * 2)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        time.sleep(0.01)
        return Slow.apply(grad_output)


def test_times_are_an_operations_own_without_what_it_calls() -> None:
    x = Tensor([1.0], requires_grad=True)
    with profile(None) as found:
        Slow.apply(x).backward()
    rows = {(row.name, row.phase): row for row in found.rows()}
    forward, backward = rows["Slow", "forward"], rows["Slow", "backward"]
    assert forward.calls == 2 and backward.calls == 1  # one of them called by backward
    assert 0.04 <= forward.own < 0.2 and 0.01 <= backward.own < 0.02 + backward.total - 0.03
    assert backward.total >= 0.03 and found.seconds >= 0.05
    assert found.rows()[0] is not None and found.rows()[0].name == "Slow"


def test_the_table_is_printed_and_a_chrome_trace_written(tmp_path: Path) -> None:
    stream = io.StringIO()
    with profile(stream) as found:
        F.relu(Tensor(np.ones((100, 100)))).sum()
    text = stream.getvalue()
    assert text.splitlines()[0].split() == [
        *("operation", "phase", "calls", "time", "share", "a", "call", "made")
    ]
    assert "ReLU" in text and "78.1 KiB" in text and "elsewhere" in text
    found.export_chrome_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    assert [event["name"] for event in events] == ["ReLU", "Sum"]
    assert all(event["ph"] == "X" and event["dur"] > 0 for event in events)
    assert events[0]["args"] == {"shapes": [[100, 100]], "bytes": 80_000}
    assert events[0]["ts"] + events[0]["dur"] <= events[1]["ts"] + 1e-3


def test_nothing_is_left_of_it_also_after_an_error() -> None:
    def state() -> list[Any]:
        return [dict(F.Add.__dict__), dict(BackwardFunction.__dict__), dict(Function.__dict__)]

    before = state()
    with pytest.raises(KeyError), profile(None):
        raise KeyError("inside")
    assert state() == before
    with profile(None) as outer:
        with pytest.raises(RuntimeError, match="another profile"), profile(None):
            pass
        Tensor([1.0]) + Tensor([2.0])
    assert [event.name for event in outer.events] == ["Add"] and state() == before


def test_other_threads_are_seen_as_threads_of_their_own(tmp_path: Path) -> None:
    def work() -> None:
        Tensor([1.0]).exp()

    with profile(None) as found:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        work()
    assert len({event.thread for event in found.events}) == 2
    found.export_chrome_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    assert {event["tid"] for event in events} == {0, 1}


def test_a_result_is_the_same_with_and_without() -> None:
    def run() -> Any:
        x = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
        loss = F.cross_entropy(x @ Tensor(np.eye(3)), [0, 2])
        loss.backward()
        return loss.item(), x.grad.tolist()

    expected = run()
    with mytorch.profiler.profile(None):
        assert run() == expected


def test_the_table_goes_to_what_standard_output_is_then() -> None:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), profile():
        mytorch.ones(2) + 1
    assert "Add" in stream.getvalue()
