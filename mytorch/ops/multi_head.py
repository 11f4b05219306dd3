"""Attention of many heads (torch.nn.functional.multi_head_attention_forward)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, AssertedError
from mytorch.ops.attention import closed, scaled_dot_product_attention
from mytorch.ops.common import check_tensors, float_data
from mytorch.ops.dropout import dropout
from mytorch.ops.joining import cat
from mytorch.ops.linear import linear
from mytorch.ops.registry import operation
from mytorch.ops.softmax import softmax

NAME = "multi_head_attention_forward"


@operation("functional")
def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    *,
    batch_first: bool = False,
) -> tuple[Any, Any]:
    """Return the attention of H heads to keys and values, and its weights.

    Math: Y = concat(head_1 … head_H) W_oᵀ + b_o with head_h = softmax(Q_h K_hᵀ / sqrt(D) + M) V_h,
        where Q, K, V are query W_qᵀ + b_q, key W_kᵀ + b_k, value W_vᵀ + b_v, and Q_h, K_h, V_h
        their h-th D = E / H columns.
    Args:
        query (Tensor): (L, N, E); key (Tensor): (S, N, Ek); value (Tensor): (S, N, Ev); or all
            without N. ``batch_first``: (N, L, E) and so on, which torch leaves to the module.
        embed_dim_to_check: E; num_heads: H, which divides it.
        in_proj_weight (Tensor): (3 E, E), W_q, W_k and W_v; with ``use_separate_proj_weight`` they
            are given apart, as (E, E), (E, Ek), (E, Ev). in_proj_bias (Tensor | None): (3 E,).
        bias_k, bias_v (Tensor | None): (1, 1, E), one more key and value, behind the projected
            ones; add_zero_attn: one more still, zeros.
        dropout_p: drop weights with this probability while ``training``.
        out_proj_weight (Tensor): (E, E); out_proj_bias (Tensor | None): (E,).
        key_padding_mask (Tensor): (N, S), or (S,): boolean, True is left out; or floating, added.
        attn_mask (Tensor): (L, S), or (N * H, L, S): boolean, True is not seen (the opposite of
            scaled_dot_product_attention's); or floating, added.
        static_k, static_v (Tensor): (N * H, S, D), instead of the projected key and value.
        is_causal: a promise that ``attn_mask`` hides what comes later, no more and no less: it need
            not be read then.
    Returns:
        (Tensor, Tensor | None): (L, N, E), and unless ``need_weights`` is False the weights,
        (N, L, S), or with ``average_attn_weights`` False (N, H, L, S). Of a query that sees nothing
        they are nan; without them its attention is 0.
    Raises:
        AssertedError: sizes that do not fit, or a mask of integers; ArgumentError: is_causal
        without attn_mask; DtypeError: mixed dtypes, or integers.
    Warns:
        UserWarning: one mask is boolean and the other floating, as torch does.
    Source: Vaswani et al. 2017, arXiv:1706.03762.
    """
    _check_causal(is_causal, attn_mask)
    is_batched = _check_ranks(query, key, value, key_padding_mask, attn_mask)
    if not is_batched:
        query, key, value = _each(lambda x: x.unsqueeze(1), query, key, value)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    by_batch = batch_first and is_batched
    _check_sizes(query, key, value, embed_dim_to_check, num_heads, by_batch)
    weights = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    heads = (num_heads, embed_dim_to_check // num_heads)
    projected = _projected(query, key, value, in_proj_weight, in_proj_bias, weights, heads)
    axes = (0, 2, 1, 3) if by_batch else (1, 2, 0, 3)
    q, k, v = [x.permute(*axes) for x in projected]  # (N, H, L, D), …
    k, v = _replaced("static_k", k, static_k, bias_k), _replaced("static_v", v, static_v, bias_v)
    is_hint = is_causal and key_padding_mask is None and not need_weights
    mask = _merged(q, k, key_padding_mask, None if is_hint else attn_mask)
    k, v, mask = _extended(k, v, mask, bias_k, bias_v, add_zero_attn)
    p = dropout_p if training else 0.0
    if need_weights:
        scores = (q * q.data.shape[-1] ** -0.5) @ k.mT
        seen = dropout(softmax(scores if mask is None else scores + mask, -1), p, training)
        y = seen @ v
    else:
        seen, y = None, scaled_dot_product_attention(q, k, v, mask, p, is_hint)
    y = y.permute(0, 2, 1, 3) if by_batch else y.permute(2, 0, 1, 3)
    y = linear(y.flatten(2), out_proj_weight, out_proj_bias)
    if need_weights and average_attn_weights:
        seen = seen.mean(1)
    if is_batched:
        return y, seen
    return y.squeeze(1), None if seen is None else seen.squeeze(0)


# ------------------------------------------------------------------------------------ arguments


def _check_causal(is_causal: bool, attn_mask: Any) -> None:
    if is_causal and attn_mask is None:
        raise ArgumentError(
            f"{NAME}: is_causal=True says that attn_mask is causal, so give it as well: "
            "nn.Transformer.generate_square_subsequent_mask(L)"
        )


def _check_ranks(query: Any, key: Any, value: Any, padding: Any, mask: Any) -> bool:
    """Return whether there is a batch."""
    check_tensors(NAME, query, key, value)
    float_data(NAME, query)
    ranks = [x.data.ndim for x in (query, key, value)]
    if ranks not in ([3, 3, 3], [2, 2, 2]):
        shapes = [x.data.shape for x in (query, key, value)]
        raise AssertedError(
            f"{NAME}: query {shapes[0]}, key {shapes[1]} and value {shapes[2]} must all have 3 "
            "axes, or without a batch 2"
        )
    for what, given, allowed in (
        ("key_padding_mask", padding, (ranks[0] - 1,)),
        ("attn_mask", mask, (2, 3)),
    ):
        if given is None:
            continue
        check_tensors(NAME, given)
        if given.data.ndim not in allowed:
            raise AssertedError(
                f"{NAME}: {what} {given.data.shape} must have {' or '.join(map(str, allowed))} "
                f"axes beside a query of {ranks[0]}"
            )
        if given.data.dtype.kind not in "bf":
            raise AssertedError(
                f"{NAME}: {what} must be boolean or floating, not {given.data.dtype}"
            )
    if padding is not None and mask is not None and padding.data.dtype != mask.data.dtype:
        warnings.warn(
            f"Support for mismatched key_padding_mask ({padding.data.dtype}) and attn_mask "
            f"({mask.data.dtype}) is deprecated. Use same type for both instead.",
            stacklevel=5,  # where the module was called
        )
    return ranks[0] == 3


def _check_sizes(query: Any, key: Any, value: Any, size: int, heads: int, by_batch: bool) -> None:
    q, k, v = (x.data.shape for x in (query, key, value))
    if q[-1] != size:
        raise AssertedError(
            f"{NAME}: query {q} must have {size} features (embed_dim), its last axis"
        )
    if size % heads:
        raise AssertedError(f"{NAME}: embed_dim {size} is not divisible by num_heads {heads}")
    batch = 0 if by_batch else 1
    if k[:2] != v[:2] or q[batch] != k[batch]:
        raise AssertedError(
            f"{NAME}: query {q}, key {k} and value {v} do not fit: key and value must have one "
            f"length, and all three one batch, axis {batch}"
        )


# ---------------------------------------------------------------------------------- projections


def _each(function: Any, query: Any, key: Any, value: Any) -> tuple[Any, Any, Any]:
    """Return ``function`` of each; what was one tensor stays one."""
    q = function(query)
    k = q if key is query else function(key)
    return q, k, k if value is key else function(value)


def _projected(
    query: Any, key: Any, value: Any, weight: Any, bias: Any, apart: Any, heads: tuple[int, int]
) -> Any:
    """Return the three projections (…, H, D), by one product where they are of one tensor."""
    size = query.data.shape[-1]
    if apart is None and query is key is value:
        return linear(query, weight, bias).unflatten(-1, (3, *heads)).unbind(2)
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    if apart is None and key is value:
        own, other = weight.split([size, 2 * size])
        own_bias, other_bias = (None, None) if bias is None else bias.split([size, 2 * size])
        both = linear(key, other, other_bias).unflatten(-1, (2, *heads)).unbind(2)
        return linear(query, own, own_bias).unflatten(-1, heads), *both
    weights = weight.chunk(3) if apart is None else apart
    triples = zip((query, key, value), weights, biases, strict=True)
    return [linear(x, w, b).unflatten(-1, heads) for x, w, b in triples]


def _replaced(what: str, x: Any, static: Any, bias: Any) -> Any:
    """Return x (N, H, S, D), or what stands for it, (N H, S', D)."""
    if static is None:
        return x
    n, h, _, d = x.data.shape
    shape = static.data.shape
    if bias is not None:
        raise AssertedError(f"{NAME}: {what} takes no bias_k and bias_v")
    if len(shape) != 3 or (shape[0], shape[2]) != (n * h, d):
        raise AssertedError(f"{NAME}: {what} {shape} must be (N * H, S, D) = ({n * h}, S, {d})")
    return static.unflatten(0, (n, h))


# ---------------------------------------------------------------------------------------- masks


def _merged(q: Any, k: Any, padding: Any, mask: Any) -> Any:
    """Return what both masks add to the scores, to be broadcast to (N, H, L, S)."""
    n, h, length = q.data.shape[:3]
    source = k.data.shape[2]
    added = None
    if mask is not None:
        wanted = (length, source) if mask.data.ndim == 2 else (n * h, length, source)
        _check_mask("attn_mask", mask, wanted)
        mask = _floating(mask, q)
        added = mask if mask.data.ndim == 2 else mask.unflatten(0, (n, h))
    if padding is not None:
        _check_mask("key_padding_mask", padding, (n, source))
        padding = _floating(padding, q).reshape(n, 1, 1, source)
        added = padding if added is None else added + padding
    return added


def _check_mask(what: str, mask: Any, wanted: tuple[int, ...]) -> None:
    if mask.data.shape != wanted:
        raise AssertedError(f"{NAME}: {what} has shape {mask.data.shape}, expected {wanted}")


def _floating(mask: Any, like: Any) -> Any:
    """Return what a mask adds: of a boolean one, minus infinity where it holds."""
    return like.new(closed(~mask.data, like.data.dtype)) if mask.data.dtype == bool else mask


def _extended(
    k: Any, v: Any, mask: Any, bias_k: Any, bias_v: Any, add_zero: bool
) -> tuple[Any, Any, Any]:
    """Return keys, values and mask with one more of each for the biases, and one for zeros."""
    if (bias_k is None) != (bias_v is None):
        raise AssertedError(f"{NAME}: give both bias_k and bias_v, or neither")
    n, h, _, d = k.data.shape
    keys, values = [k], [v]
    if bias_k is not None:
        keys.append(bias_k.reshape(1, h, 1, d).expand(n, h, 1, d))
        values.append(bias_v.reshape(1, h, 1, d).expand(n, h, 1, d))
    if add_zero:
        zeros = k.new(np.zeros((n, h, 1, d), k.data.dtype))
        keys.append(zeros)
        values.append(zeros)
    if len(keys) == 1:
        return k, v, mask
    if mask is not None:
        shape = (*mask.data.shape[:-1], len(keys) - 1)
        mask = cat([mask, mask.new(np.zeros(shape, mask.data.dtype))], -1)
    return cat(keys, 2), cat(values, 2), mask
