"""Scaled dot-product attention (torch.nn.functional.scaled_dot_product_attention)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ArgumentError, DtypeError, ShapeError
from mytorch.ops.common import check_tensors, float_data, total, unbroadcast
from mytorch.ops.dropout import drawn
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation
from mytorch.ops.rows import add_products, exponentials
from mytorch.ops.softmax import Softmax

__all__ = ["Attention", "closed", "scaled_dot_product_attention"]


class Attention(Function):
    """Y = (P * K) V with P = softmax(S), S = c Q Kᵀ + B, over the last axis; K drops elements of P.

    With G = dL/dY and H = (G Vᵀ) * K:  dL/dS = P * (H - sum(H * P)) = dL/dB;
    dL/dQ = c dL/dS K, dL/dK = c dL/dSᵀ Q, dL/dV = (P * K)ᵀ G. A row of S that is minus infinity
    everywhere, where everything is masked, has P = 0, as in torch.

    Args of forward: q (…, L, E), k (…, S, E), v (…, S, V); bias: B, a Tensor that broadcasts to
    (…, L, S), or None; shut: an array of 0 and minus infinity, added as well, or None; scale: c;
    keep: the array K (…, L, S), of 0 and 1 / (1 - p), or None.
    """

    on_arrays = True

    @staticmethod
    def forward(
        ctx: Any, q: Any, k: Any, v: Any, bias: Any, shut: Any, scale: float, keep: Any
    ) -> Any:
        ctx.shut, ctx.scale, ctx.keep = shut, scale, keep
        with np.errstate(all="ignore"):
            p = (q.data * q.data.dtype.type(scale)) @ k.data.mT  # (…, L, S)
            for added in (None if bias is None else bias.data, shut):
                if added is not None:
                    p = p + added
            p, sums = exponentials(p, (p.ndim - 1,))
            sums[sums == 0] = 1
            p *= 1 / sums
            result = _product(p if keep is None else p * keep, v.data, q.data)
        ctx.save_for_backward(q, k, v, bias, q.new(p))
        return q.new(result)

    @staticmethod
    def _weights(ctx: Any) -> Any:
        """Return P, while somebody follows as a function of Q, K and B."""
        q, k, _, bias, p = ctx.saved_tensors
        if ctx.bare:
            return p
        scores = (q * ctx.scale) @ k.mT
        for added in (bias, ctx.shut):
            scores = scores if added is None else scores + added
        taken = (p.data != 0).any(-1, keepdims=True)
        return masked(Softmax.apply(masked(scores, taken), -1), taken)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        q, k, v, bias, _ = ctx.saved_tensors
        p, keep, needs = Attention._weights(ctx), ctx.keep, ctx.needs_input_grad
        grads: list[Any] = [None] * 7
        if needs[2]:
            kept = p if keep is None else p * keep
            grads[2] = unbroadcast(_product(kept.mT, grad_output, v), v.shape)
        if needs[0] or needs[1] or (bias is not None and needs[3]):
            h = grad_output @ v.mT
            slope = _slope(p, h if keep is None else h * keep)
            if needs[0]:
                grads[0] = unbroadcast(_product(slope, k, q) * ctx.scale, q.shape)
            if needs[1]:
                grads[1] = unbroadcast(_product(slope.mT, q * ctx.scale, k), k.shape)
            if bias is not None and needs[3]:
                grads[3] = unbroadcast(slope, bias.shape)
        return grads

    @staticmethod
    def jvp(
        ctx: Any, tangent_q: Any, tangent_k: Any, tangent_v: Any, tangent_b: Any, *_: Any
    ) -> Any:
        q, k, v, _, _ = ctx.saved_tensors
        p, keep = Attention._weights(ctx), ctx.keep
        moved = total(
            None if tangent_q is None else (tangent_q * ctx.scale) @ k.mT,
            None if tangent_k is None else (q * ctx.scale) @ tangent_k.mT,
            tangent_b,
        )
        if moved is not None:
            moved = _slope(p, moved)
            moved = (moved if keep is None else moved * keep) @ v
        if tangent_v is not None:
            moved = total(moved, (p if keep is None else p * keep) @ tangent_v)
        return moved


def _product(a: Any, b: Any, like: Any) -> Any:
    """Return a @ b; of arrays with the axes in the order that ``like`` has them in memory.

    So what many heads return or pass back lies as the features did that they are views of, and to
    put it together again takes no copy.
    """
    if not isinstance(a, np.ndarray):
        return a @ b
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    out = np.empty_like(like, a.dtype, shape=(*batch, a.shape[-2], b.shape[-1]))
    if out.strides[-1] != out.itemsize:  # of an array that repeats itself: BLAS cannot write so
        return a @ b
    return np.matmul(a, b, out=out)


def _slope(p: Any, h: Any) -> Any:
    """Return P * (h - sum(h * P)), the derivative of P at S applied to h."""
    if isinstance(h, np.ndarray) and h.shape == p.shape:
        moved = h - add_products(h, p, (h.ndim - 1,), True)
        moved *= p
        return moved
    return (h - (h * p).sum(-1, keepdims=True)) * p


@operation("functional")
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Return softmax(scale Q Kᵀ + mask) V: each query's mean of the values, weighted by its keys.

    Args:
        query (Tensor): (…, L, E); key (Tensor): (…, S, E); value (Tensor): (…, S, V).
        attn_mask (Tensor): broadcasts to (…, L, S); boolean: True takes part; or floating, added.
            A query for which nothing takes part gets 0.
        dropout_p: drop weights with this probability (always: there is no ``training``).
        is_causal: query i sees the keys up to i; instead of ``attn_mask``.
        scale: default 1 / sqrt(E).
        enable_gqa: let groups of query's heads (axis -3) share one head of key and value.
    Returns:
        Tensor: (…, L, V).
    Raises:
        ShapeError, DtypeError: inputs that do not fit; ArgumentError: two masks, or a probability
        outside [0, 1].
    Source: Vaswani et al. 2017, arXiv:1706.03762.
    """
    name = "scaled_dot_product_attention"
    check_tensors(name, query, key, value)
    if not 0 <= dropout_p <= 1:
        raise ArgumentError(f"{name}: dropout_p must be in [0, 1], got {dropout_p}")
    if is_causal and attn_mask is not None:
        raise ArgumentError(f"{name}: give attn_mask or is_causal=True, not both")
    if enable_gqa:
        key, value = _shared(name, query, key), _shared(name, query, value)
    shape = _shape_of_weights(name, query, key, value)
    bias, shut = _masks(name, query, attn_mask, shape)
    if is_causal:
        shut = closed(np.tri(*shape[-2:], dtype=bool), query.data.dtype)
    if scale is None:
        scale = 1 / math.sqrt(query.data.shape[-1] or 1)
    keep = None
    if dropout_p > 0:
        keep = drawn(query.data, dropout_p, shape) * query.data.dtype.type(1 / (1 - dropout_p or 1))
    if query.data.dtype != np.float16:
        return Attention.apply(query, key, value, bias, shut, scale, keep)
    wide = [None if x is None else x.astype(np.float32) for x in (query, key, value, bias)]
    return Attention.apply(*wide, shut, scale, keep).astype(np.float16)


def _shape_of_weights(name: str, query: Any, key: Any, value: Any) -> tuple[int, ...]:
    """Return (…, L, S); refuse tensors that do not fit together."""
    float_data(name, query)
    dtypes = [x.data.dtype for x in (query, key, value)]
    if len(set(dtypes)) > 1:
        raise DtypeError(f"{name}: query, key and value must have one dtype, got {dtypes}")
    q, k, v = query.data.shape, key.data.shape, value.data.shape
    fits = min(len(q), len(k), len(v)) >= 2 and q[-1] == k[-1] and k[-2] == v[-2]
    try:
        batch = np.broadcast_shapes(q[:-2], k[:-2], v[:-2])
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{name}: query {q}, key {k} and value {v} do not fit: expected "
            "(…, L, E), (…, S, E) and (…, S, V)"
        )
    return (*batch, q[-2], k[-2])


def _masks(name: str, query: Any, mask: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Return the mask as what is added to the scores: a Tensor, or of a boolean one an array."""
    if mask is None:
        return None, None
    check_tensors(name, mask)
    own, dtype = mask.data.shape, query.data.dtype
    try:
        fits = np.broadcast_shapes(own, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"{name}: attn_mask {own} does not broadcast to (…, L, S) = {shape}")
    if mask.data.dtype == bool:
        return None, closed(mask.data, dtype)
    if mask.data.dtype != dtype:
        raise DtypeError(f"{name}: attn_mask must be bool or {dtype}, not {mask.data.dtype}")
    return mask, None


def closed(mask: np.ndarray, dtype: Any) -> np.ndarray:
    """Return 0 where ``mask`` holds, else minus infinity."""
    return np.where(mask, dtype.type(0), dtype.type(-np.inf))


def _shared(name: str, query: Any, x: Any) -> Any:
    """Return the heads of x, at axis -3, each repeated until there are as many as query has."""
    q, own = query.data.shape, x.data.shape
    if len(q) < 3 or len(own) < 3 or not own[-3] or q[-3] % own[-3]:
        raise ShapeError(f"{name}: the heads (axis -3) of {q} must be a multiple of those of {own}")
    repeats = q[-3] // own[-3]
    wide = x.unsqueeze(-3).expand(*own[:-2], repeats, *own[-2:])
    return wide.reshape(*own[:-3], q[-3], *own[-2:])
