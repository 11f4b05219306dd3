"""Rows of mytorch/ops/counting.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from tests.op_table import DTYPES, NONE, UNARY, Bad, OpCase, positive

COUNTS = np.array([1, 3, 3, 0, 1, 1])
WEIGHTS = np.array([0.5, 1, 2, 4, 8, 16])
EDGES = np.array([-1.0, 0.0, 0.0, 0.5, 2.0])
TABLE = np.array([[-1.0, 0.0, 0.0, 1.0], [-2.0, -0.5, 0.5, 3.0]])
ORDER = np.array([3, 1, 2, 0, 4])


def few(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Some of five numbers, so that they occur again."""
    return rng.integers(-2, 3, shape) / 2


def detached(call: Any) -> Any:
    """torch lets results require grad whose derivative it then refuses: not here."""
    return lambda t, a: call(t, a.detach())


def row(name: str, call: Any, reference: Any, shapes: Any = UNARY, **options: Any) -> OpCase:
    """A row without derivatives."""
    options = {"torch": detached(call), "domain": (few,), "smooth": False, **options}
    return OpCase(name, call, reference, shapes, **options)


def consecutive(x: np.ndarray) -> np.ndarray:
    """The elements that differ from the one before."""
    flat = x.ravel()
    return flat[[i for i in range(flat.size) if not i or flat[i] != flat[i - 1]]]


def bad(name: str, data: Any, message: str, error: Any = ShapeError, **names: Any) -> Bad:
    """A wrong call; of the names, arrays become tensors."""

    def call(m: Any) -> Any:
        given = {n: m.tensor(v) if isinstance(v, np.ndarray) else v for n, v in names.items()}
        return getattr(m, name)(m.tensor(np.array(data)), **given)

    return Bad(call, error, message)  # fmt: skip


ROWS = [
    row("unique", lambda m, a: m.unique(a), np.unique),
    row("unique all", lambda m, a: m.unique(a, return_inverse=True, return_counts=True),
        lambda x: (np.unique(x), np.unique(x, return_inverse=True)[1].reshape(x.shape),
                   np.unique(x, return_counts=True)[1]), (*UNARY, ((3, 4, 2),))),
    row("unique dim", lambda m, a: m.unique(a, dim=0, return_inverse=True, return_counts=True),
        lambda x: np.unique(x, axis=0, return_inverse=True, return_counts=True),
        (((3,),), ((5, 1),), ((4, 2),), ((5, 2, 1),), ((0, 3),)),
        bad=(
            bad("unique", np.ones((0, 3)), "slices of shape", dim=1),
            bad("unique", 1.0, "0-d tensor has no axis", IndexError, dim=0),
            bad("unique", [1.0], "got 1", IndexError, dim=1),
        )),
    row("unique dim 1", lambda m, a: m.unique(a, dim=-1), lambda x: np.unique(x, axis=-1),
        (((1, 5),), ((2, 4),))),
    row("unique_consecutive", lambda m, a: m.unique_consecutive(a), consecutive),
    row("unique_consecutive all", lambda m, a: m.unique_consecutive(a, True, True), None),
    row("unique_consecutive dim",
        lambda m, a: m.unique_consecutive(a, return_inverse=True, return_counts=True, dim=-1), None,
        (((5,),), ((1, 6),), ((2, 4),), ((3, 0),)),
        bad=(bad("unique_consecutive", np.ones((0, 3)), "slices of shape", dim=1),)),
    row("bincount", lambda m: m.bincount(m.tensor(COUNTS)), lambda: np.bincount(COUNTS), NONE,
        torch=True,
        bad=(
            bad("bincount", [-1], "negative integers, such as -1"),
            bad("bincount", [[1]], r"one axis, got shape \(1, 1\)"),
            bad("bincount", [1.0], "expects integers, got float64", DtypeError),
            bad("bincount", [1], r"weights \(2,\) must have", weights=np.ones(2)),
            bad("bincount", [1], "minlength must not be negative", minlength=-1),
        )),
    row("bincount weighted", lambda m: m.bincount(m.tensor(COUNTS), m.tensor(WEIGHTS), 6),
        lambda: np.bincount(COUNTS, WEIGHTS, 6), NONE, torch=True),
    row("bincount of nothing", lambda m: m.bincount(m.tensor(COUNTS[:0]), None, 2),
        lambda: np.zeros(2), NONE, torch=True),
    row("histc", lambda m, a: m.histc(a, 4, -1, 1), lambda x: np.histogram(x, 4, (-1, 1))[0],
        bad=(
            bad("histc", [1.0], "bins must be positive", bins=0),
            bad("histc", [1.0], "range must rise", min=2, max=1),
            bad("histc", [np.nan], "range must be finite"),
            bad("histc", [1], "floating", DtypeError),
        )),
    row("histc of all", lambda m, a: m.histc(a, bins=3), lambda x: np.histogram(x, 3)[0],
        (((3,),), ((2, 3),), ((0, 3),), ((4, 3, 2),))),
    row("histogram", lambda m, a: tuple(m.histogram(a, 4, range=(-1.0, 1.0))),
        lambda x: np.histogram(x, 4, (-1, 1)),
        bad=(
            bad("histogram", [1.0], "bins must be positive", bins=0),
            bad("histogram", [1.0], "range must rise", bins=2, range=(2.0, 1.0)),
            bad("histogram", [np.nan], "range must be finite", bins=2),
            bad("histogram", [1], "floating", DtypeError, bins=2),
            bad("histogram", [1.0], r"weight \(2,\) must have", bins=2, weight=np.ones(2)),
            bad("histogram", [1.0], "at least two", bins=np.zeros(1)),
            bad("histogram", [1.0], "dtype of the input", DtypeError, bins=np.zeros(2, "f")),
        )),
    row("histogram of all", lambda m, a: tuple(m.histogram(a, 3)), lambda x: np.histogram(x, 3),
        differs={"float16": "torch refuses halves, but only without a range"}),
    row("histogram at edges",
        lambda m, a: tuple(m.histogram(a, m.tensor(EDGES.astype(str(a.dtype).split(".")[-1])))),
        lambda x: np.histogram(x, EDGES), (((3,),), ((5, 3),)), domain=(positive,)),
    row("histogram weighted",
        lambda m, a: tuple(m.histogram(a, 3, range=(-2.0, 2.0), weight=m.abs(a), density=True)),
        lambda x: np.histogram(x, 3, (-2, 2), True, abs(x)), (((7,),), ((5, 3),))),
    row("searchsorted", lambda m, a: m.searchsorted(m.tensor(EDGES), a),
        lambda x: np.searchsorted(EDGES, x),
        bad=(
            bad("searchsorted", [1.0], "'left' or 'right'", input=np.ones(1), side="x"),
            bad("searchsorted", [1.0], "contradicts", input=np.ones(1), side="left", right=True),
            bad("searchsorted", 1.0, r"\(n,\)", input=np.ones(1)),
            bad("searchsorted", np.ones((2, 3)), r"does not fit values \(3, 1\)",
                input=np.ones((3, 1))),
            bad("searchsorted", [True], "not for booleans", DtypeError, input=np.ones(1, bool)),
            bad("searchsorted", [1.0], "sorter", input=np.ones(1), sorter=np.zeros(2, int)),
            bad("searchsorted", [1.0], "outside of 0 to 0", input=np.ones(1),
                sorter=np.ones(1, int)),
            bad("searchsorted", [1.0], "must be int64", DtypeError, input=np.ones(1),
                sorter=np.zeros(1)),
            Bad(lambda m: m.searchsorted([1.0], m.zeros(1)), TypeError, "expects a Tensor"),
            Bad(lambda m: m.searchsorted(m.zeros(1), "a"), TypeError, "search for str"),
        )),
    row("searchsorted right", lambda m, a: m.searchsorted(m.tensor(EDGES), a, right=True),
        lambda x: np.searchsorted(EDGES, x, "right")),
    row("searchsorted sorter", lambda m, a: m.searchsorted(
            m.tensor(EDGES[np.argsort(ORDER)]), a, side="right", sorter=m.tensor(ORDER)),
        lambda x: np.searchsorted(EDGES, x, "right")),
    row("searchsorted rows", lambda m, a: m.searchsorted(m.tensor(TABLE), a, out_int32=True),
        lambda x: np.stack([np.searchsorted(t, v) for t, v in zip(TABLE, x, strict=True)]),
        (((2, 3),), ((2, 0),), ((2, 7),))),
    row("searchsorted rows right", lambda m, a: m.searchsorted(m.tensor(TABLE), a, right=True),
        lambda x: np.stack([np.searchsorted(t, v, "right") for t, v in zip(TABLE, x, strict=True)]),
        (((2, 3),), ((2, 7),))),
    row("searchsorted number", lambda m, a: m.searchsorted(a, 0.25),
        lambda x: np.searchsorted(x, 0.25), (((3,),), ((1,),), ((0,),)), domain=(positive,),
        differs=dict.fromkeys(DTYPES[:5], "torch casts the number to an integer")),
    row("bucketize", lambda m, a: m.bucketize(a, m.tensor(EDGES)),
        lambda x: np.searchsorted(EDGES, x),
        bad=(bad("bucketize", [1.0], "boundaries have one axis", boundaries=np.ones((1, 1))),)),
    row("bucketize number", lambda m: m.bucketize(0.0, m.tensor(EDGES), right=True),
        lambda: np.searchsorted(EDGES, 0.0, "right"), NONE, torch=True),
]  # fmt: skip
