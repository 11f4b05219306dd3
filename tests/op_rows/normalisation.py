"""Rows of mytorch/ops/normalisation.py; running statistics are in tests/test_normalisation.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, DtypeError, ShapeError
from tests.op_table import DTYPES, Bad, OpCase, Shapes, distinct, real

EPS = 1e-5


def standardized(x: Any, axes: Any, eps: float = EPS) -> Any:
    """The definition."""
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def beside(p: Any, x: Any) -> Any:
    """A parameter (C,) to broadcast to x (N, C, …)."""
    return p.reshape(-1, *[1] * (x.ndim - 2))


def group(x: Any, groups: int) -> Any:
    """The definition of group_norm without parameters."""
    split = x.reshape(len(x), groups, -1)
    return standardized(split, 2).reshape(x.shape)


def rms(x: Any, eps: float) -> Any:
    """The definition of rms_norm without weight, over the last axis."""
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps)


def response(x: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """The definition of local_response_norm."""
    y = np.empty_like(x)
    for c in range(x.shape[1]):
        near = x[:, max(c - size // 2, 0) : c + (size - 1) // 2 + 1]
        y[:, c] = x[:, c] / (k + alpha / size * (near**2).sum(1)) ** beta
    return y


def wrong(name: str, error: type, message: str, shape: tuple[int, ...], *args: Any,
          torch: bool = True, dtype: Any = float, **names: Any) -> Bad:  # fmt: skip
    """A wrong call, with vectors of ones of the lengths that are floats among the arguments."""

    def vector(m: Any, value: Any) -> Any:
        return m.tensor(np.ones(int(value))) if isinstance(value, float) else value

    def call(m: Any) -> Any:
        given = [vector(m, value) for value in args]
        named = {key: vector(m, value) for key, value in names.items()}
        return getattr(m.nn.functional, name)(m.tensor(np.ones(shape, dtype)), *given, **named)

    return Bad(call, error, message, torch)


BATCHES: tuple[Shapes, ...] = (((4, 3), (3,), (3,)), ((2, 3, 5), (3,), (3,)),
                               ((2, 3, 2, 2), (3,), (3,)))  # fmt: skip
IMAGES = BATCHES[1:]
SPREAD = (distinct, real, real)  # so that no variance is small

ROWS = [
    OpCase("layer_norm", lambda m, x, w, b: m.nn.functional.layer_norm(x, w.shape, w, b),
           lambda x, w, b: standardized(x, tuple(range(-w.ndim, 0))) * w + b,
           (((2, 3), (3,), (3,)), ((5,), (5,), (5,)), ((2, 3, 4), (4,), (4,)),
            ((2, 3, 4), (3, 4), (3, 4)), ((0, 3), (3,), (3,)), ((2, 1), (1,), (1,))), SPREAD,
           bad=(
               wrong("layer_norm", ShapeError, r"normalized_shape \(4,\) must be the last sizes of "
                     r"input, \(2, 3\)", (2, 3), (4,)),
               wrong("layer_norm", ShapeError, r"normalized_shape \(\)", (2, 3), ()),
               wrong("layer_norm", ShapeError, r"weight has shape \(2,\), not", (2, 3), (3,), 2.0),
               wrong("layer_norm", DtypeError, "input is float32 but weight is float64", (2, 3),
                     (3,), 3.0, dtype=np.float32),
               wrong("layer_norm", DtypeError, "floating", (2, 3), (3,), dtype=int),
           )),
    OpCase("layer_norm plain", lambda m, x: m.nn.functional.layer_norm(x, [3], eps=0.1),
           lambda x: standardized(x, -1, 0.1), (((2, 3),), ((3,),), ((0, 3),)), (distinct,)),
    OpCase("layer_norm weight", lambda m, x, w: m.nn.functional.layer_norm(x, (3,), w),
           lambda x, w: standardized(x, -1) * w, (((2, 3), (3,)),), (distinct, real)),
    OpCase("layer_norm bias",
           lambda m, x, b: m.nn.functional.layer_norm(x, (3,), None, b),
           lambda x, b: standardized(x, -1) + b, (((2, 3), (3,)),), (distinct, real),
           differs={"second": "torch's fails without a weight"}),
    OpCase("rms_norm", lambda m, x, w: m.nn.functional.rms_norm(x, (3,), w, 1e-3),
           lambda x, w: rms(x, 1e-3) * w, (((2, 3), (3,)), ((3,), (3,)), ((0, 3), (3,))),
           bad=(
               wrong("rms_norm", ShapeError, r"last sizes of input, \(2, 3\)", (2, 3), (4,)),
               wrong("rms_norm", ShapeError, r"weight has shape \(2,\)", (2, 3), (3,), 2.0),
               wrong("rms_norm", DtypeError, "floating", (2, 3), (3,), dtype=int),
           )),
    OpCase("rms_norm plain", lambda m, x: m.nn.functional.rms_norm(x, (3,)),
           lambda x: rms(x, 0.0), (((2, 3),),)),
    OpCase("batch_norm",
           lambda m, x, w, b: m.nn.functional.batch_norm(x, None, None, w, b, True),
           lambda x, w, b: standardized(x, (0, *range(2, x.ndim))) * beside(w, x) + beside(b, x),
           BATCHES, SPREAD,
           bad=(
               wrong("batch_norm", ShapeError, r"more than one value a channel, got \(1, 3\)",
                     (1, 3), None, None, training=True),
               wrong("batch_norm", ArgumentError, "running_mean and running_var are needed", (2, 3),
                     None, None),
               wrong("batch_norm", ShapeError, r"weight has shape \(2,\); input \(2, 3\) has 3",
                     (2, 3), 3.0, 3.0, 2.0),
               wrong("batch_norm", ShapeError, r"running_mean has shape \(2,\)", (2, 3), 2.0, 3.0),
               wrong("batch_norm", ShapeError, r"at least 2 axes, got \(3,\)", (3,), 3.0, 3.0),
               wrong("batch_norm", DtypeError, "floating", (2, 3), 3.0, 3.0, dtype=int),
               wrong("batch_norm", DtypeError, "but weight is float64", (2, 3), None, None, 3.0,
                     training=True, dtype=np.float32),
           )),
    OpCase("batch_norm plain",
           lambda m, x: m.nn.functional.batch_norm(x, None, None, training=True, eps=0.1),
           lambda x: standardized(x, 0, 0.1), (((4, 3),),), (distinct,)),
    OpCase("batch_norm evaluation",
           lambda m, x, w, b: m.nn.functional.batch_norm(
               x, w.detach() * 0 + 0.3, w.detach() * 0 + 2.0, w, b),
           lambda x, w, b: (x - 0.3) / np.sqrt(2 + EPS) * beside(w, x) + beside(b, x),
           (*BATCHES, ((0, 3), (3,), (3,)))),
    OpCase("batch_norm evaluation plain",
           lambda m, x: m.nn.functional.batch_norm(
               x, x.detach()[0] * 0 + 0.3, x.detach()[0] * 0 + 2.0),
           lambda x: (x - 0.3) / np.sqrt(2 + EPS), (((4, 3),),)),
    OpCase("instance_norm",
           lambda m, x, w, b: m.nn.functional.instance_norm(x, weight=w, bias=b),
           lambda x, w, b: standardized(x, tuple(range(2, x.ndim))) * beside(w, x) + beside(b, x),
           IMAGES, SPREAD,
           bad=(
               wrong("instance_norm", ShapeError, r"at least 3 axes, got \(2, 3\)", (2, 3)),
               wrong("instance_norm", ShapeError, "more than one value a channel", (2, 3, 1)),
               wrong("instance_norm", ArgumentError, "running_mean and running_var are needed",
                     (2, 3, 4), use_input_stats=False),
               wrong("instance_norm", ShapeError, r"weight has shape \(2,\)", (2, 3, 4),
                     weight=2.0),
           )),
    OpCase("instance_norm plain", lambda m, x: m.nn.functional.instance_norm(x),
           lambda x: standardized(x, 2), (((2, 3, 5),),), (distinct,)),
    OpCase("instance_norm evaluation",
           lambda m, x, w: m.nn.functional.instance_norm(
               x, w.detach() * 0 + 0.3, w.detach() * 0 + 2.0, w, use_input_stats=False),
           lambda x, w: (x - 0.3) / np.sqrt(2 + EPS) * beside(w, x), (((2, 3, 5), (3,)),)),
    OpCase("group_norm", lambda m, x, w, b: m.nn.functional.group_norm(x, 2, w, b),
           lambda x, w, b: group(x, 2) * beside(w, x) + beside(b, x),
           (((2, 4, 3), (4,), (4,)), ((2, 4), (4,), (4,)), ((1, 2, 2, 3), (2,), (2,))), SPREAD,
           bad=(
               wrong("group_norm", ShapeError, "4 channels of .* do not split into 3 groups",
                     (2, 4, 5), 3),
               wrong("group_norm", ShapeError, "into 0 groups", (2, 4, 5), 0, torch=False),
               wrong("group_norm", ShapeError, r"weight has shape \(3,\)", (2, 4, 5), 2, 3.0),
               wrong("group_norm", ShapeError, "more than one value a group", (1, 3), 3),
               wrong("group_norm", ShapeError, "at least 2 axes", (3,), 1),
           )),
    OpCase("group_norm plain", lambda m, x: m.nn.functional.group_norm(x, 1, eps=0.1),
           lambda x: standardized(x, (1, 2), 0.1), (((2, 4, 3),),), (distinct,)),
    OpCase("local_response_norm", lambda m, x: m.nn.functional.local_response_norm(x, 3),
           lambda x: response(x, 3), (((2, 4, 3),), ((1, 2, 2, 2),), ((0, 3, 2),)),
           bad=(
               wrong("local_response_norm", ShapeError, r"at least 3 axes, got \(2, 3\)",
                     (2, 3), 2),
               wrong("local_response_norm", ArgumentError, "size must be at least 1, got 0",
                     (2, 3, 4), 0),
           ), differs=dict.fromkeys(DTYPES[:5], "torch averages integers")),
    OpCase("local_response_norm even",
           lambda m, x: m.nn.functional.local_response_norm(x, 2, 0.5, 0.6, 2.0),
           lambda x: response(x, 2, 0.5, 0.6, 2.0), (((2, 4, 3),), ((2, 1, 3),)),
           differs=dict.fromkeys(DTYPES[:5], "torch averages integers")),
]  # fmt: skip
