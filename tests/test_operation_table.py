"""The table of operations itself: nothing is missing in it, and its checks can fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import autograd
from mytorch.autograd_engine import BackwardFunction, Function
from mytorch.ops.activations import Curve
from mytorch.ops.elementwise import Binary, Step, Unary
from mytorch.ops.recurrence import Recurrence
from mytorch.ops.registry import SPACES
from mytorch.tensor import Tensor
from tests.op_rows import CASES
from tests.test_operations import check_gradient, floating, leaves, parts

# Random results cannot be compared row by row: these have tests of their own.
TESTED_ELSEWHERE: dict[str, str] = {  # the operation's name -> the file of its tests
    **dict.fromkeys(("rand", "randn", "randint", "randperm", "normal"), "test_random.py"),
    **dict.fromkeys(("rand_like", "randn_like", "randint_like"), "test_random.py"),
    **dict.fromkeys(("bernoulli", "multinomial", "poisson"), "test_random.py"),
}


def test_every_operation_has_a_row() -> None:
    registered = {name: function for space in SPACES.values() for name, function in space.items()}
    rows = {case.name.split()[0] for case in CASES}
    assert not rows & TESTED_ELSEWHERE.keys()
    tested = {registered[name] for name in (rows | TESTED_ELSEWHERE.keys()) & registered.keys()}
    assert not [name for name, function in registered.items() if function not in tested]


def test_every_function_class_is_run_by_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    run: set[type] = set()
    start = BackwardFunction.__init__

    def spy(node: Any, forward_cls: type, *args: Any) -> None:
        run.add(forward_cls)
        start(node, forward_cls, *args)

    monkeypatch.setattr(BackwardFunction, "__init__", spy)
    for case in CASES:
        arrays = case.draw(np.random.default_rng(15), case.shapes[0])
        tensors = leaves([x.astype(np.float32) for x in arrays])
        results = floating(case.call(mytorch, *tensors))
        if results:  # the derivatives are operations as well
            seeds = [Tensor(np.ones(part.shape, part.dtype)) for part in results]
            autograd.gradients(results, tensors, seeds, create_graph=True, allow_unused=True)
    found, stack = set(), [Function]
    while stack:
        for cls in stack.pop().__subclasses__():
            stack.append(cls)
            is_own = cls.__module__.startswith(("mytorch.ops.", "mytorch.nn.functional"))
            if is_own and not cls.__name__.startswith("_") and cls not in BASES:
                found.add(cls)
    assert not {cls.__name__ for cls in found - run}


class _WrongSquare:
    """A square whose derivative is planted: 2.001 x, or right for uniform cotangents only."""

    @staticmethod
    def make(backward: Any) -> Any:
        def forward(ctx: Any, a: Any) -> Any:
            ctx.save_for_backward(a)
            return a.new(a.data**2)

        return type(
            "Square",
            (Function,),
            {"forward": staticmethod(forward), "backward": staticmethod(backward)},
        ).apply


def test_the_checker_refuses_planted_wrong_derivatives() -> None:
    planted = {
        "right": lambda ctx, g: (g * ctx.saved_tensors[0] * 2,),
        "2.001": lambda ctx, g: (g * ctx.saved_tensors[0] * 2.001,),
        "uniform only": lambda ctx, g: (g.mean() * ctx.saved_tensors[0] * 2,),
        "wrong second": lambda ctx, g: (g * ctx.saved_tensors[0].detach() * 2,),
    }
    rng = np.random.default_rng(9)
    for name, backward in planted.items():
        call, x = _WrongSquare.make(backward), rng.normal(size=(2, 3))
        if name == "right":
            check_gradient(call, [x], rng)
        else:
            with pytest.raises(AssertionError):
                check_gradient(call, [x], rng)


BASES = {Unary, Binary, Step, Curve, Recurrence}


def test_parts_of_a_result_are_found() -> None:
    assert len(parts((Tensor(1.0), Tensor(2.0)))) == 2 and len(parts(Tensor(1.0))) == 1
