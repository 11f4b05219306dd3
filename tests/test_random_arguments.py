"""Random tensors: the arguments refused, and the shapes and dtypes of those that are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.errors import ArgumentError, DtypeError, ShapeError

REFUSALS: list[tuple[Callable[[Any], Any], type, str]] = [
    (lambda m: m.rand(2, dtype=m.int64), DtypeError, "rand: draws floats; .* not int64"),
    (lambda m: m.randn(2, dtype=m.bool), DtypeError, "randn: draws floats; .* not bool"),
    (lambda m: m.rand(), TypeError, "rand: the size is missing"),
    (lambda m: m.randn(-1), ArgumentError, "randn: each size must be at least 0, got -1"),
    (lambda m: m.rand(2, generator=3), TypeError, "rand: generator must be .*, not int"),
    (lambda m: m.rand_like(m.zeros(2, dtype=m.int64)), DtypeError, "rand_like: draws floats"),
    (lambda m: m.randn_like([1.0]), TypeError, "randn_like: expects a Tensor"),
    (lambda m: m.randint(3, 3, (2,)), ArgumentError, "low=3 and high=3"),
    (lambda m: m.randint(3), TypeError, "randint: size must be a tuple"),
    (lambda m: m.randint((2,)), TypeError, "randint: expects high, or low and high; got 0"),
    (lambda m: m.randint(1, 2, 3, (2,)), TypeError, "got 3 of them"),
    (lambda m: m.randint(2.5, (2,)), TypeError, "high must be an integer, not 2.5"),
    (lambda m: m.randint(-1, 3, (2,), dtype=m.uint8), DtypeError, "from -1 to 2 .* uint8"),
    (lambda m: m.randint(0, 3, (2,), requires_grad=True), DtypeError, "only floating tensors"),
    (lambda m: m.randint_like(m.zeros(2), 0), ArgumentError, "randint_like: low must be less"),
    (lambda m: m.randint_like(m.zeros(2)), TypeError, "randint_like: expects high"),
    (lambda m: m.randperm(-1), ArgumentError, "randperm: n must be at least 0, got -1"),
    (lambda m: m.randperm(2.5), TypeError, "randperm: n must be an integer, not 2.5"),
    (lambda m: m.randperm(300, dtype=m.uint8), DtypeError, "below 300 do not fit into uint8"),
    (lambda m: m.randperm(3, dtype=m.bool), DtypeError, "do not fit into bool"),
    (lambda m: m.normal(0.0, 1.0), TypeError, "size is needed"),
    (lambda m: m.normal(m.zeros(2), 1.0, (2,)), TypeError, "a tensor says both"),
    (lambda m: m.normal(m.zeros(2), 1.0, dtype=m.float64), TypeError, "a tensor says both"),
    (lambda m: m.normal(m.zeros(2), -m.ones(2)), ArgumentError, "std must be at least 0, got -1"),
    (lambda m: m.normal(m.zeros(2), float("nan")), ArgumentError, "got nan"),
    (lambda m: m.normal(m.zeros(2), m.ones(3)), ShapeError, r"\(2,\) and \(3,\)"),
    (lambda m: m.normal(m.zeros(2, dtype=m.int64), 1.0), DtypeError, "normal: draws floats"),
    (lambda m: m.bernoulli(m.tensor([0, 1])), DtypeError, "bernoulli: expects a floating"),
    (lambda m: m.bernoulli(m.tensor([1.5])), ArgumentError, r"must be in \[0, 1\]"),
    (lambda m: m.bernoulli(m.tensor([float("nan")])), ArgumentError, r"must be in \[0, 1\]"),
    (lambda m: m.zeros(2).bernoulli_(m.ones(3)), ShapeError, r"does not broadcast to \(2,\)"),
    (lambda m: m.multinomial(m.ones(2, 2, 2), 1), ShapeError, r"\(n,\) or \(m, n\), got \(2, 2, 2"),
    (lambda m: m.multinomial(m.ones(2), 3), ArgumentError, "at most 2, as nothing is drawn twice"),
    (lambda m: m.multinomial(m.ones(2), 0, True), ArgumentError, "at least 1: 0"),
    (lambda m: m.multinomial(m.tensor([1.0, -1.0]), 1), ArgumentError, "finite and at least 0"),
    (lambda m: m.multinomial(m.tensor([1.0, float("inf")]), 1), ArgumentError, "finite"),
    (lambda m: m.multinomial(m.zeros(2), 1), ArgumentError, "needs one above 0"),
    (lambda m: m.multinomial(m.tensor([0, 1]), 1), DtypeError, "multinomial: expects a floating"),
    (lambda m: m.poisson(m.tensor([-1.0])), ArgumentError, "must be at least 0"),
    (lambda m: m.poisson(m.tensor([1])), DtypeError, "poisson: expects a floating"),
    (lambda m: m.zeros(2).uniform_(3, 2), ArgumentError, "from must be at most to"),
    (lambda m: m.zeros(2).uniform_(0, float("inf")), ArgumentError, "finite in float64"),
    (lambda m: m.zeros(2, dtype=m.float16).uniform_(0, 1e5), ArgumentError, "finite in float16"),
    (lambda m: m.zeros(2).normal_(0, -1), ArgumentError, "normal_: std must be at least 0"),
    (lambda m: m.zeros(2).log_normal_(0, 0), ArgumentError, "log_normal_: std must be above 0"),
    (lambda m: m.zeros(2).exponential_(0), ArgumentError, "exponential_: lambd must be above 0"),
    (lambda m: m.zeros(2).cauchy_(0, -1), ArgumentError, "cauchy_: sigma must be above 0, got -1"),
    (lambda m: m.zeros(2).geometric_(1), ArgumentError, r"geometric_: p must be in \(0, 1\)"),
    (lambda m: m.zeros(2, dtype=m.bool).geometric_(0.5), DtypeError, "geometric_: not for bool"),
    (lambda m: m.zeros(2).random_(3, 3), ArgumentError, "random_: low must be less than high"),
    (lambda m: m.zeros(2).random_(1, 2, 3), TypeError, "at most from and to"),
    (lambda m: m.zeros(2, dtype=m.uint8).random_(300), DtypeError, "to 299 do not fit into uint8"),
    *(
        (lambda m, n=name: getattr(m.zeros(2, dtype=m.int64), n)(), DtypeError, f"{name}: draws")
        for name in ("uniform_", "normal_", "exponential_", "log_normal_", "cauchy_")
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), REFUSALS)
def test_wrong_arguments_are_named_and_torch_refuses_them_too(
    call: Callable[[Any], Any], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        call(mytorch)
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        call(torch)
    assert issubclass(error, theirs.type)


ALLOWED: list[Callable[[Any], Any]] = [
    *(lambda m: m.rand(2, 3), lambda m: m.rand((2, 3)), lambda m: m.rand(size=(2,))),
    *(lambda m: m.rand(()), lambda m: m.randn(0, 3), lambda m: m.rand(2, dtype=m.float16)),
    *(lambda m: m.randn(2, dtype=m.float64), lambda m: m.randint(9, (2, 3))),
    *(lambda m: m.randint(2, 9, (2,)), lambda m: m.randint(low=2, high=9, size=(2,))),
    *(lambda m: m.randint(high=9, size=(2,)), lambda m: m.randint(2, high=9, size=(2,))),
    *(lambda m: m.randint(2, (2,), dtype=m.bool), lambda m: m.randint(9, (0,), dtype=m.float32)),
    *(lambda m: m.randint(-(2**63), 2**63 - 1, [2]), lambda m: m.randint(m.tensor(3), (2,))),
    *(lambda m: m.randperm(5), lambda m: m.randperm(0), lambda m: m.randperm(4, dtype=m.int8)),
    *(lambda m: m.randperm(2049, dtype=m.float16), lambda m: m.normal(0, 1, (2, 3))),
    *(lambda m: m.normal(0.0, 1.0, size=(2,), dtype=m.float16), lambda m: m.normal(m.zeros(2))),
    *(lambda m: m.normal(m.zeros(2, 1), m.ones(3)), lambda m: m.normal(2.0, m.ones(2))),
    lambda m: m.normal(m.zeros(2, dtype=m.float64), m.ones(2, dtype=m.float32)),
    lambda m: m.normal(m.zeros(2, dtype=m.float32), m.ones(2, dtype=m.float64)),
    lambda m: m.normal(m.zeros(2, dtype=m.float32), m.ones(2, dtype=m.int64)),
    *(lambda m: m.rand_like(m.zeros(2, 3, dtype=m.float16)), lambda m: m.randn_like(m.zeros(()))),
    lambda m: m.rand_like(m.zeros(2, dtype=m.int64), dtype=m.float32),
    lambda m: m.randint_like(m.zeros(2, 3, dtype=m.float16), 5),
    lambda m: m.randint_like(m.zeros(2, dtype=m.uint8), low=3, high=9),
    *(lambda m: m.bernoulli(m.zeros(2, 3)), lambda m: m.bernoulli(m.zeros(2, dtype=m.int8), 0.5)),
    *(lambda m: m.zeros(2).bernoulli(), lambda m: m.poisson(m.ones(2, dtype=m.float16))),
    *(lambda m: m.multinomial(m.ones(5), 3), lambda m: m.multinomial(m.ones(4, 5), 3)),
    *(lambda m: m.multinomial(m.ones(4, 5), 9, True), lambda m: m.ones(2).multinomial(1)),
    lambda m: m.multinomial(input=m.ones(4, 5), num_samples=9, replacement=True),
    *(lambda m: m.multinomial(m.ones(0, 5), 3), lambda m: m.multinomial(m.ones(0, 5), 3, True)),
    lambda m: m.zeros(2, dtype=m.bool).bernoulli_(),
    lambda m: m.zeros(3, dtype=m.int8).random_(),
    *(lambda m: m.zeros(2).uniform_(to=2), lambda m: m.zeros(2).normal_(std=2, mean=1)),
    *(lambda m: m.zeros(2).exponential_(lambd=2), lambda m: m.zeros(2).cauchy_(median=1, sigma=2)),
    *(lambda m: m.zeros(2).log_normal_(mean=1, std=2), lambda m: m.zeros(2).random_(to=9)),
    *(lambda m: m.zeros(2, dtype=m.uint8).geometric_(p=0.5), lambda m: m.zeros(0).uniform_()),
    *(lambda m: m.zeros(()).normal_(), lambda m: m.zeros(2, dtype=m.float16).cauchy_(0, 1e4)),
]  # fmt: skip


@pytest.mark.parametrize("call", ALLOWED)
def test_shapes_and_dtypes_are_torchs(call: Callable[[Any], Any]) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    mytorch.set_default_dtype(np.float32)
    try:
        ours, theirs = call(mytorch), call(torch)
    finally:
        mytorch.set_default_dtype(np.float64)
    assert ours.shape == tuple(theirs.shape)
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    assert type(ours.data) is np.ndarray and ours.data.flags.writeable
