"""Rows of mytorch/creation.py and of the questions in mytorch/ops/questions.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import ArgumentError, DtypeError
from tests.op_table import BINARY, NONE, UNARY, Bad, OpCase

ROWS = [
    # from given data
    OpCase("as_tensor", lambda m, a: m.as_tensor(a) * 1, np.copy,
           bad=(
               Bad(lambda m: m.as_tensor("1.0"), TypeError, "holds numbers, not <U3"),
               Bad(lambda m: m.as_tensor([[1], [2, 3]]), ValueError, "differ in length"),
           )),
    OpCase("as_tensor of numbers", lambda m: m.as_tensor([[1, 2], [3, 4]], dtype=m.float64),
           lambda: np.array([[1.0, 2.0], [3.0, 4.0]]), NONE, smooth=False),
    OpCase("asarray", lambda m, a: m.asarray(a) * 1, np.copy,
           torch=lambda t, a: t.asarray(a, requires_grad=a.requires_grad) * 1,  # else it warns
           bad=(
               Bad(lambda m: m.asarray([1.0], copy=False), ValueError, "list must be copied"),
               Bad(lambda m: m.asarray([1.0], device="cuda:3"), RuntimeError,
                   "asarray: .* on the CPU alone", torch=False),  # an AssertionError
           )),
    OpCase("from_numpy", lambda m: m.from_numpy(np.arange(6).reshape(2, 3)),
           lambda: np.arange(6).reshape(2, 3), NONE, smooth=False,
           bad=(
               Bad(lambda m: m.from_numpy([1, 2]), TypeError, "expects an array, not list"),
               Bad(lambda m: m.from_numpy(np.array(["a"])), TypeError, "dtype of numbers"),
           )),
    # filled ones
    OpCase("zeros", lambda m: m.zeros(2, 3, dtype=m.float64), lambda: np.zeros((2, 3)), NONE,
           smooth=False,
           bad=(
               Bad(lambda m: m.zeros(), TypeError, r"size is missing; .* zeros\(2, 3\)"),
               Bad(lambda m: m.zeros(2, size=(2,)), TypeError, "size is given twice"),
               Bad(lambda m: m.zeros(2.0), TypeError, "each size must be an integer, not 2.0"),
               Bad(lambda m: m.zeros((2, True)), TypeError, "must be an integer, not True",
                   torch=False),  # refused but where it stands first
               Bad(lambda m: m.zeros(2, -1), ArgumentError, "at least 0, got -1"),
               Bad(lambda m: m.zeros(2, dtype=3), TypeError, "zeros: dtype must be .*, not 3"),
               Bad(lambda m: m.zeros(2, dtype=m.int64, requires_grad=True), DtypeError,
                   "only floating tensors can require gradients, this one is int64"),
               Bad(lambda m: m.zeros(2, device=1.5), TypeError, "zeros: device: .*not 1.5"),
           )),
    OpCase("zeros size", lambda m: m.zeros(size=(2, 0), dtype=m.int32),
           lambda: np.zeros((2, 0), np.int32), NONE, smooth=False),
    OpCase("ones", lambda m: m.ones((2, 3), dtype=m.float64), lambda: np.ones((2, 3)), NONE,
           smooth=False, bad=(Bad(lambda m: m.ones("2"), TypeError, "integer, not '2'"),)),
    OpCase("ones bool", lambda m: m.ones((), dtype=m.bool), lambda: np.array(True), NONE,
           smooth=False),
    OpCase("empty", lambda m: m.empty(0, 3, dtype=m.float64), lambda: np.zeros((0, 3)), NONE,
           smooth=False, bad=(Bad(lambda m: m.empty(-2), ArgumentError, "empty: .* got -2"),)),
    OpCase("full", lambda m: m.full((2, 3), 7, dtype=m.float64), lambda: np.full((2, 3), 7.0), NONE,
           smooth=False,
           bad=(
               Bad(lambda m: m.full((2,), "7"), TypeError, "fill_value must be a number, not str"),
               Bad(lambda m: m.full((2,), [7]), TypeError, "fill_value must be a number, not list"),
               Bad(lambda m: m.full((2,), 300, dtype=m.uint8), DtypeError,
                   "full: 300 does not fit into uint8, 0 to 255"),
               Bad(lambda m: m.full((2,), 1e300, dtype=m.float32), DtypeError, "too large"),
               Bad(lambda m: m.full((2,), float("nan"), dtype=m.int64), DtypeError, "nan does not"),
           )),
    OpCase("full of its own dtype", lambda m: m.full((2,), True), lambda: np.full(2, True), NONE,
           smooth=False),
    OpCase("full int", lambda m: m.full((), -3), lambda: np.array(-3), NONE, smooth=False),
    OpCase("eye", lambda m: m.eye(3, dtype=m.float64), lambda: np.eye(3), NONE, smooth=False,
           bad=(
               Bad(lambda m: m.eye(-1), ArgumentError, "eye: n must be at least 0, got -1"),
               Bad(lambda m: m.eye(2, -1), ArgumentError, "eye: m must be at least 0"),
               Bad(lambda m: m.eye((2, 3)), TypeError, r"n must be an integer, not \(2, 3\)"),
           )),
    OpCase("eye rectangle", lambda m: m.eye(2, 3, dtype=m.int64),
           lambda: np.eye(2, 3, dtype=np.int64), NONE, smooth=False),
    # of the shape of another one
    OpCase("zeros_like", lambda m, a: m.zeros_like(a), np.zeros_like, smooth=False,
           bad=(
               Bad(lambda m: m.zeros_like([1.0]), TypeError, "expects a Tensor as `input`"),
               Bad(lambda m: m.zeros_like(m.zeros(2), dtype="f9"), TypeError, "zeros_like: dtype"),
           )),
    OpCase("zeros_like dtype", lambda m, a: m.zeros_like(a, dtype=m.uint8),
           lambda x: np.zeros(x.shape, np.uint8), smooth=False),
    OpCase("ones_like", lambda m, a: m.ones_like(a), np.ones_like, smooth=False),
    OpCase("empty_like", lambda m, a: m.empty_like(a), np.zeros_like, (((0, 3),), ((2, 0),)),
           smooth=False),
    OpCase("full_like", lambda m, a: m.full_like(a, 7), lambda x: np.full_like(x, 7), smooth=False,
           bad=(Bad(lambda m: m.full_like(m.zeros(2, dtype=m.int8), 128), DtypeError,
                    "full_like: 128 does not fit into int8, -128 to 127"),)),
    # sequences
    OpCase("arange", lambda m: m.arange(5), lambda: np.arange(5), NONE, smooth=False,
           bad=(
               Bad(lambda m: m.arange(), TypeError, "misses its argument `end`"),
               Bad(lambda m: m.arange(1, 2, 3, 4), TypeError, "got 4 numbers"),
               Bad(lambda m: m.arange(0, 5, 0), ArgumentError, "step must not be 0"),
               Bad(lambda m: m.arange(0.5, 3.5, 0.5, dtype=m.int64), ArgumentError, "cut to it"),
               Bad(lambda m: m.arange(5, 0), ArgumentError, "from 5 to 0 is not in the direction"),
               Bad(lambda m: m.arange(0, float("inf")), ArgumentError, "must be finite: 0, inf, 1"),
               Bad(lambda m: m.arange("5"), TypeError, "end must be a number, not str"),
               Bad(lambda m: m.arange(5, dtype=m.bool), DtypeError, "no such sequence"),
           )),
    OpCase("arange down", lambda m: m.arange(10, -3, -3), lambda: np.arange(10, -3, -3), NONE,
           smooth=False),
    OpCase("arange floats", lambda m: m.arange(0.0, 1.0, 0.1, dtype=m.float64),
           lambda: 0.1 * np.arange(10), NONE, smooth=False),
    OpCase("arange keywords", lambda m: m.arange(start=1, end=4, step=0.5, dtype=m.float64),
           lambda: np.arange(1, 4, 0.5), NONE, smooth=False),
    OpCase("arange cut", lambda m: m.arange(0.9, 3.9, dtype=m.int32),
           lambda: np.arange(3, dtype=np.int32), NONE, smooth=False),
    OpCase("linspace", lambda m: m.linspace(-1, 1, 9, dtype=m.float64),
           lambda: np.linspace(-1, 1, 9), NONE, smooth=False,
           bad=(
               Bad(lambda m: m.linspace(0, 1, -1), ArgumentError, "steps must be at least 0"),
               Bad(lambda m: m.linspace(0, 1, 2.5), TypeError, "steps must be an integer, not 2.5"),
               Bad(lambda m: m.linspace("0", 1, 2), TypeError, "start must be a number, not str"),
               Bad(lambda m: m.linspace(0, 1, 2, dtype=m.bool), DtypeError, "no such sequence"),
           )),
    OpCase("linspace of one", lambda m: m.linspace(2, 3, 1, dtype=m.float64),
           lambda: np.array([2.0]), NONE, smooth=False),
    OpCase("linspace of none", lambda m: m.linspace(2, 3, 0, dtype=m.float64),
           lambda: np.array([]), NONE, smooth=False),
    OpCase("linspace int", lambda m: m.linspace(-10, 0, 4, dtype=m.int64),
           lambda: np.array([-10, -6, -3, 0]), NONE, smooth=False),
    OpCase("logspace", lambda m: m.logspace(-2, 2, 5, dtype=m.float64),
           lambda: np.logspace(-2, 2, 5), NONE, smooth=False,
           bad=(Bad(lambda m: m.logspace(0, 1, -1), ArgumentError, "logspace: steps"),)),
    OpCase("logspace base", lambda m: m.logspace(0, 8, 9, base=2, dtype=m.int64),
           lambda: 2 ** np.arange(9), NONE, smooth=False),
    # questions
    OpCase("is_tensor", lambda m, a: m.tensor([m.is_tensor(a), m.is_tensor(3.0)]),
           lambda x: np.array([True, False]), smooth=False),
    OpCase("is_floating_point", lambda m, a: m.tensor(m.is_floating_point(a)),
           lambda x: np.array(True), smooth=False,
           bad=(Bad(lambda m: m.is_floating_point(3.0), TypeError, "expects a Tensor"),)),
    OpCase("is_complex", lambda m, a: m.tensor(m.is_complex(a)), lambda x: np.array(False),
           smooth=False),
    OpCase("numel", lambda m, a: m.tensor(m.numel(a)), np.size, UNARY, smooth=False,
           bad=(Bad(lambda m: m.numel([1.0]), TypeError, "expects a Tensor as `input`"),)),
    OpCase("result_type", lambda m, a, b: m.zeros(1, dtype=m.result_type(a, b)),
           None, BINARY, smooth=False, promotes=True,
           bad=(Bad(lambda m: m.result_type("a", m.zeros(1)), TypeError, "not str"),)),
]  # fmt: skip
