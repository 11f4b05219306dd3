"""How tensors print: as torch's, character by character but for the names of dtypes and nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn
from mytorch.tensor import Tensor

NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def torch() -> Iterator[Any]:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(torch.float32)


@pytest.fixture(autouse=True)
def default_options() -> Iterator[None]:
    yield
    mytorch.set_printoptions(profile="default")


def plain(text: str) -> str:
    """Return torch's text in mytorch's words; a note that begins a line is put behind the last."""
    text = re.sub(r"Backward\d*>", "Backward>", text.replace("torch.", ""))
    return re.sub(r",\n +(dtype|size|grad_fn|requires_grad)=", r", \1=", text)


def check(torch: Any, array: Any) -> None:
    array = np.asarray(array)
    assert plain(repr(Tensor(array))) == plain(repr(torch.tensor(array))), repr(array)


VALUES = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, 1e-5, 1e-4, 1e8, 1e9, 123456.0, 1234.5678, NAN, INF, -INF),
    *(0, 1, -1, 10**12, True, False),
    *([], [[]], [[], []], [[[]]]),
    *([0.0], [0.0, 0.0], [0.0, NAN], [NAN, INF], [1.0, NAN, -INF], [0.5, INF], [1e10, 1.0]),
    *([1.0, 2.0], [1.0, 1000.0], [1.0, 1001.0], [0.1, 100.0], [0.1, 100.5], [1.0, 2.5, -3.25]),
    *([0.0001, 0.001], [0.00009, 0.001], [99999999.0, 100000001.0], [1e8, 1e8 + 1], [1e-30]),
    *([0.99999], [9.99999, 10.0], [123456.789, 0.01], [1e300, 1e-300], [-1e-5, 1.0]),
    *([1, 2, 3], [1, -200, 3], [True, False], [[1, 2], [30, 4]], [10**18, -(10**18)]),
    *([[1.0, -2.5], [3.25, 4.0]], [[[1.0, 2.0]], [[3.0, 4.0]]], [[[[1]]]], [[1.0], [NAN]]),
]


@pytest.mark.parametrize("data", VALUES, ids=repr)
def test_values_print_as_torchs(torch: Any, data: Any) -> None:
    check(torch, data)


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int8", "int64", "uint8", "bool"]
)
def test_every_shape_and_dtype_prints_as_torchs(torch: Any, dtype: str) -> None:
    rng = np.random.default_rng(0)
    shapes = [
        *((), (1,), (7,), (30,), (0,), (0, 3), (3, 0), (1, 1), (3, 4), (2, 30), (2, 3, 4)),
        *((2, 1, 2, 3), (1000,), (1001,), (7, 150), (150, 7), (2, 501), (501, 2), (7, 3, 60)),
        *((60, 3, 7), (5, 5, 5, 9), (1, 1, 1001), (1001, 1, 1), (40, 40)),
    ]
    for scale in (1.0, 1e-3, 1e6):
        for shape in shapes:
            check(torch, (rng.normal(size=shape) * scale * 10).clip(-100, 6e4).astype(dtype))


def test_random_numbers_print_as_torchs(torch: Any) -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        size, spread = rng.integers(1, 12), rng.uniform(0, 8)
        numbers = rng.choice([-1, 1], size) * 10 ** rng.uniform(-spread, spread, size)
        if rng.random() < 0.5:
            numbers = np.round(numbers)
        numbers[rng.random(size) < 0.1] = rng.choice([0, NAN, INF, -INF])
        check(torch, numbers.astype(rng.choice(["float64", "float32"])))


def test_history_and_notes_are_where_torch_puts_them(torch: Any) -> None:
    def both(make: Any, names: Any = str) -> None:
        ours, theirs = [names(repr(make(m))) for m in (mytorch, torch)]
        assert ours == theirs

    for length in (1, 3, 6, 7, 8, 9, 10, 20):
        both(lambda m, n=length: m.arange(float(n), requires_grad=True))
        both(lambda m, n=length: m.arange(float(n), requires_grad=True).exp() * 1.5, plain)
    both(lambda m: m.ones(2, 2, requires_grad=True))
    both(lambda m: m.ones(2, dtype=m.float32, requires_grad=True), plain)
    both(lambda m: m.ones(0, 2, dtype=m.float32, requires_grad=True), plain)
    both(lambda m: m.tensor([], dtype=m.int64), plain)
    both(lambda m: m.zeros(0, dtype=m.bool), plain)


OPTIONS = [
    {"precision": 2},
    {"precision": 0},
    {"precision": 8},
    {"threshold": 5},
    {"threshold": 0, "edgeitems": 1},
    {"threshold": 0, "edgeitems": 0},
    {"threshold": 3, "edgeitems": 2},
    {"linewidth": 30},
    {"linewidth": 5},
    {"linewidth": 200},
    {"sci_mode": True},
    {"sci_mode": False},
    {"profile": "short"},
    {"profile": "full"},
    {"profile": "short", "precision": 6},
]


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
def test_options_act_as_torchs(torch: Any, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(2)
    mytorch.set_printoptions(**options)
    torch.set_printoptions(**options)
    try:
        for shape in ((), (1,), (6,), (20,), (3, 4), (9, 9), (2, 3, 8), (40, 40)):
            for scale in (1.0, 1e5):
                check(torch, rng.normal(size=shape) * scale)
                check(torch, np.round(rng.normal(size=shape) * 10))
            check(torch, rng.integers(-50, 50, shape))
            check(torch, rng.integers(0, 2, shape).astype(bool))
    finally:
        torch.set_printoptions(profile="default")


def test_options_keep_what_is_not_given() -> None:
    mytorch.set_printoptions(precision=2, sci_mode=True)
    mytorch.set_printoptions(linewidth=200)
    assert repr(Tensor([0.123, 20.0])) == "tensor([ 0.12, 20.00])"  # sci_mode is for the one call
    with pytest.raises(ValueError, match="profile must be in .*'full'.*, not 'long'"):
        mytorch.set_printoptions(profile="long")


def test_a_large_tensor_is_summarised_without_a_copy_of_it() -> None:
    tensor = Tensor(0.5).expand(10**6, 10**6)  # would be 8 TB
    text = repr(tensor)
    assert text.count("\n") == 6 and text.count("...") == 7
    assert repr(Tensor(0.5).expand(2, 10**12)).count("...") == 2


def test_strings_and_formats_are_torchs(torch: Any) -> None:
    def texts(m: Any) -> list[str]:
        x, v = m.tensor(1.2345678), m.tensor([1.5])
        whole = m.tensor(3), m.tensor(True)
        return [
            *(f"{x:.2f}", f"{x:10.3e}", f"{whole[0]}", f"{whole[0]:4d}", f"{whole[1]}"),
            *(f"{v}", str(v), f"{m.tensor(0.5, requires_grad=True)}"),
        ]

    assert texts(mytorch) == texts(torch)
    for m in (mytorch, torch):
        with pytest.raises(TypeError, match="format"):
            f"{m.tensor([1.5]):.2f}"


def test_parameters_say_that_they_are(torch: Any) -> None:
    ours, theirs = nn.Parameter([1.0, 2.5]), torch.nn.Parameter(torch.tensor([1.0, 2.5]))
    assert repr(ours) == repr(theirs)
