"""Rows of mytorch/ops/attention.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, DtypeError, ShapeError
from tests.op_rows.common import seeded
from tests.op_table import DTYPES, Bad, OpCase, Shapes

MASK = np.array(
    [[True, False, True, True], [False, False, False, False], [True, True, False, True]]
)


def attention(q: Any, k: Any, v: Any, bias: Any = 0.0, scale: Any = None) -> Any:
    """The definition; a query for which nothing takes part gets 0."""
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    weights = np.exp(scale * (q @ k.mT) + bias)
    sums = weights.sum(-1, keepdims=True)
    return weights / np.where(sums == 0, 1, sums) @ v


def closed(mask: Any) -> Any:
    """What a boolean mask adds."""
    return np.where(mask, 0, -np.inf)


def on(**options: Any) -> dict[str, Any]:
    """The call for mytorch, and torch's by its formula, which has a second derivative."""

    def call(m: Any, q: Any, k: Any, v: Any, *bias: Any) -> Any:
        named = {key: value(m) if callable(value) else value for key, value in options.items()}
        return m.nn.functional.scaled_dot_product_attention(q, k, v, *bias, **named)

    def torchs(t: Any, *tensors: Any) -> Any:
        with t.nn.attention.sdpa_kernel(t.nn.attention.SDPBackend.MATH):
            return call(t, *tensors)

    return {"call": call, "torch": torchs}


def wrong(error: type, message: str, *shapes: tuple[int, ...], torch: bool = True,
          dtypes: Any = (float, float, float), **options: Any) -> Bad:  # fmt: skip
    """A wrong call."""

    def call(m: Any) -> Any:
        named = {key: value(m) if callable(value) else value for key, value in options.items()}
        return m.nn.functional.scaled_dot_product_attention(
            *[m.tensor(np.ones(s, d)) for s, d in zip(shapes, dtypes, strict=True)], **named
        )

    return Bad(call, error, message, torch)  # fmt: skip


def many(q: Any, k: Any, v: Any, w: Any, b: Any, w_out: Any, b_out: Any, mask: Any = 0.0) -> Any:
    """Two heads by the definition, of (L, N, E): the result, and each head's weights."""

    def heads(x: Any, number: int) -> Any:  # (N, 2, L, E / 2)
        x = x @ np.split(w, 3)[number].T + np.split(b, 3)[number]
        return x.reshape(*x.shape[:2], 2, -1).transpose(1, 2, 0, 3)

    queries, keys, values = (heads(x, number) for number, x in enumerate((q, k, v)))
    weights = np.exp(queries @ keys.mT * queries.shape[-1] ** -0.5 + mask)
    weights /= weights.sum(-1, keepdims=True)
    y = (weights @ values).transpose(2, 0, 1, 3).reshape(q.shape)
    return y @ w_out.T + b_out, weights


def by_heads(**options: Any) -> Any:
    """The call of two heads, with what is the same for all of them."""

    def call(m: Any, q: Any, k: Any, v: Any, w: Any, b: Any, w_out: Any, b_out: Any) -> Any:
        named = {key: m.tensor(x) if key == "attn_mask" else x for key, x in options.items()}
        return m.nn.functional.multi_head_attention_forward(
            q, k, v, q.shape[-1], 2, w, b, None, None, False, 0.0, w_out, b_out, **named
        )

    return call


HALF = {"float16": "projections are rounded in another order, which the softmax enlarges"}


def of_heads(length: int, others: int, batch: int, size: int) -> Shapes:
    """The shapes of queries, keys, values and the parameters."""
    inputs = ((length, batch, size), (others, batch, size), (others, batch, size))
    return (*inputs, (3 * size, size), (3 * size,), (size, size), (size,))


PLAIN: tuple[Shapes, ...] = (
    ((2, 3, 5), (2, 4, 5), (2, 4, 2)),
    ((3, 2), (4, 2), (4, 2)),
    ((2, 1, 3, 2), (1, 2, 4, 2), (4, 3)),
    ((0, 3, 2), (0, 4, 2), (0, 4, 2)),
)
ONE: tuple[Shapes, ...] = (((2, 2, 3, 5), (2, 2, 4, 5), (2, 2, 4, 2)),)
Q, K = (2, 3, 5), (2, 4, 5)

ROWS = [
    OpCase("scaled_dot_product_attention", reference=attention, shapes=PLAIN, **on(),
           bad=(
               wrong(ShapeError, r"query \(2, 3, 5\), key \(2, 4, 4\)", Q, (2, 4, 4), K),
               wrong(ShapeError, r"value \(2, 3, 5\) do not fit", Q, K, (2, 3, 5)),
               wrong(ShapeError, "do not fit", (5,), K, K),
               wrong(ShapeError, "do not fit", (3, 3, 5), K, K),
               wrong(DtypeError, "must have one dtype", Q, K, K, dtypes=(float, np.float32, float)),
               wrong(DtypeError, "got int64", Q, K, K, dtypes=(int, int, int)),
               wrong(ArgumentError, r"dropout_p must be in \[0, 1\], got 2.0", Q, K, K,
                     dropout_p=2.0),
               wrong(ArgumentError, "not both", Q, K, K, is_causal=True,
                     attn_mask=lambda m: m.tensor(np.ones((3, 4), bool))),
               wrong(ShapeError, r"attn_mask \(3, 3\) does not broadcast to .*3, 4\)", Q, K, K,
                     attn_mask=lambda m: m.tensor(np.ones((3, 3), bool))),
               wrong(ShapeError, r"attn_mask \(7, 1, 3, 4\) does not", Q, K, K,
                     attn_mask=lambda m: m.tensor(np.ones((7, 1, 3, 4), bool)), torch=False),
               wrong(DtypeError, "must be bool or float64, not int64", Q, K, K,
                     attn_mask=lambda m: m.tensor(np.ones((3, 4), int))),
           )),
    OpCase("scaled_dot_product_attention causal", shapes=PLAIN, **on(is_causal=True),
           reference=lambda q, k, v: attention(q, k, v, closed(np.tri(q.shape[-2], k.shape[-2])))),
    OpCase("scaled_dot_product_attention causal tall", **on(is_causal=True),
           reference=lambda q, k, v: attention(q, k, v, closed(np.tri(5, 2))),
           shapes=(((5, 3), (2, 3), (2, 3)),)),
    OpCase("scaled_dot_product_attention mask", shapes=ONE,
           **on(attn_mask=lambda m: m.tensor(MASK)),
           reference=lambda q, k, v: attention(q, k, v, closed(MASK))),
    OpCase("scaled_dot_product_attention bias", **on(),
           reference=attention, shapes=((*ONE[0], (3, 4)), (*ONE[0], (2, 1, 1, 4)))),
    OpCase("scaled_dot_product_attention infinite bias", shapes=ONE,
           call=lambda m, q, k, v: m.nn.functional.scaled_dot_product_attention(
               q, k, v, m.where(m.tensor(MASK), (q @ k.mT).detach() * 0, -np.inf)),
           torch=None, reference=lambda q, k, v: attention(q, k, v, closed(MASK))),
    OpCase("scaled_dot_product_attention scale", shapes=ONE, **on(scale=0.3),
           reference=lambda q, k, v: attention(q, k, v, scale=0.3)),
    OpCase("scaled_dot_product_attention of no keys", **on(),
           reference=lambda q, k, v: np.zeros((3, 2)), shapes=(((3, 2), (0, 2), (0, 2)),),
           differs=dict.fromkeys(DTYPES[:5], "torch multiplies no integers, and sees no floats")),
    OpCase("scaled_dot_product_attention gqa", **on(enable_gqa=True),
           reference=lambda q, k, v: attention(q, k.repeat(2, -3), v.repeat(2, -3)),
           shapes=(((2, 4, 3, 2), (2, 2, 5, 2), (2, 2, 5, 3)), ((2, 3, 2), (1, 5, 2), (1, 5, 3))),
           bad=(wrong(ShapeError, "must be a multiple", (3, 3, 5), (2, 4, 5), (2, 4, 5),
                      enable_gqa=True),)),
    OpCase("scaled_dot_product_attention dropout", shapes=ONE,
           call=seeded(on(dropout_p=0.4, attn_mask=lambda m: m.tensor(MASK))["call"]),
           reference=None, torch=None),
    OpCase("scaled_dot_product_attention dropout of all", shapes=ONE, **on(dropout_p=1.0),
           reference=lambda q, k, v: np.zeros((2, 2, 3, 2))),
    OpCase("multi_head_attention_forward", by_heads(average_attn_weights=False), many,
           (of_heads(3, 4, 2, 6), of_heads(1, 2, 1, 2)), differs=HALF),
    OpCase("multi_head_attention_forward mean weights", by_heads(),
           lambda *xs: (many(*xs)[0], many(*xs)[1].mean(1)), (of_heads(3, 4, 2, 6),),
           differs=HALF),
    OpCase("multi_head_attention_forward masked",
           by_heads(attn_mask=~MASK[[0, 2]], average_attn_weights=False),
           lambda *xs: many(*xs, closed(MASK[[0, 2]])), (of_heads(2, 4, 2, 4),), differs=HALF),
]  # fmt: skip
