"""Vectors in space: the cross product, and the distances between points."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.common import (
    cast,
    check_broadcast,
    check_tensors,
    float_data,
    normalize_axes,
    save_needed,
    total,
    unbroadcast,
    values,
)
from mytorch.ops.linalg import check_one_dtype
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation

__all__ = ["Cross", "Distances", "EuclideanDistances"]


class Cross(Function):
    """z = x × y over an axis of size 3;  dL/dx = y × G, dL/dy = G × x, for x and y broadcast."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, axis: int) -> Any:
        save_needed(ctx, a, b)
        ctx.axis = axis
        return a.new(np.cross(a.data, b.data, axis=axis))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b = ctx.saved_tensors
        needs, (shape_a, shape_b) = ctx.needs_input_grad, ctx.shapes
        grad_a = grad_b = None
        if needs[0]:
            grad_a = np.cross(cast(b, grad_output.dtype), grad_output, axis=ctx.axis)
            grad_a = unbroadcast(grad_a, shape_a)
        if needs[1]:
            grad_b = np.cross(grad_output, cast(a, grad_output.dtype), axis=ctx.axis)
            grad_b = unbroadcast(grad_b, shape_b)
        return grad_a, grad_b, None

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any, *_: Any) -> Any:
        a, b = ctx.saved_tensors
        return total(
            None if tangent_a is None else np.cross(tangent_a, b, axis=ctx.axis),
            None if tangent_b is None else np.cross(a, tangent_b, axis=ctx.axis),
        )


@operation("linalg", name="cross")
def linalg_cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """Return the vector that is orthogonal to two vectors in space, broadcast (torch.linalg.cross).

    Math: z = (x1 y2 - x2 y1, x2 y0 - x0 y2, x0 y1 - x1 y0), of length |x| |y| sin(angle).
    Args:
        input, other (Tensor): with equally many axes; ``dim`` has size 3.
    Raises:
        ShapeError: another size, or shapes that do not broadcast; DtypeError: mixed dtypes.
    """
    check_tensors("cross", input, other)
    shapes = input.data.shape, other.data.shape
    if len(shapes[0]) != len(shapes[1]) or not shapes[0]:
        raise ShapeError(
            f"cross: shapes {shapes[0]} and {shapes[1]} must have equally many axes, one or more; "
            "unsqueeze one"
        )
    (axis,) = normalize_axes(dim, len(shapes[0]))
    if shapes[0][axis] != 3 or shapes[1][axis] != 3:
        raise ShapeError(
            f"cross: dim={dim} of {shapes[0]} and {shapes[1]} must have size 3, as space has"
        )
    check_one_dtype("cross", input, other)
    check_broadcast("cross", *shapes)
    return Cross.apply(input, other, axis)


@operation()
def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """Return ``linalg.cross``; without ``dim``, over the first axis of size 3 (torch.cross)."""
    check_tensors("cross", input)
    if dim is None:
        threes = [axis for axis, size in enumerate(input.data.shape) if size == 3]
        if not threes:
            raise ShapeError(f"cross: no axis of size 3 in {input.data.shape}")
        dim = threes[0]
    return linalg_cross(input, other, dim=dim)


# ---------------------------------------------------------------------------------- distances

_BLOCK = 1 << 17  # elements of the differences to hold at once: about what a cache holds


class Distances(Function):
    """d[i, j] = (sum_k |x[i, k] - y[j, k]|**p) ** (1/p), over batches that broadcast.

    With t = x[i] - y[j]: dd/dx[i] = sign(t) (|t| / d)**(p - 1) = -dd/dy[j]. Conventions of torch:
    0 where d = 0 and, if p < 1, where t = 0. For p = 0 d counts what differs, with gradient 0; for
    p = inf it is the largest |t|, and each that is as large has the whole gradient. The differences
    (P, R, M) are made a block of rows at a time.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, p: float) -> Any:
        ctx.p, ctx.shapes = p, (a.data.shape, b.data.shape)
        batch = np.broadcast_shapes(a.data.shape[:-2], b.data.shape[:-2])
        d = np.empty((*batch, a.data.shape[-2], b.data.shape[-2]), a.data.dtype)
        for rows, difference in _differences(a.data, b.data):
            d[..., rows, :] = _lengths(difference, p)
        result = a.new(d)
        ctx.save_for_backward(a, b, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b, d = ctx.saved_tensors
        grads_a, grads_b = [], []
        ones = np.ones((1, b.shape[-2]), d.dtype)  # to sum by a product, which is faster
        for rows, difference in _differences(a, b):
            incoming = grad_output[..., rows, :, None]
            part = _along(difference, d[..., rows, :, None], ctx.p, incoming)  # (…, rows, R, M)
            grads_a.append((ones @ part)[..., 0, :])
            grads_b.append(part.sum(-3))
        grad_a, grad_b = np.concatenate(grads_a, axis=-2), -total(*grads_b)
        return unbroadcast(grad_a, ctx.shapes[0]), unbroadcast(grad_b, ctx.shapes[1]), None

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any, *_: Any) -> Any:
        a, b, d = ctx.saved_tensors
        parts = []
        for rows, difference in _differences(a, b):
            change = total(
                None if tangent_a is None else tangent_a[..., rows, None, :],
                None if tangent_b is None else -tangent_b[..., None, :, :],
            )
            parts.append(_along(difference, d[..., rows, :, None], ctx.p, change).sum(-1))
        return np.concatenate(parts, axis=-2)


def _differences(x: Any, y: Any) -> Iterator[tuple[slice, Any]]:
    """Yield x[i] - y[j], (…, rows, R, M), for blocks of rows i, of arrays or of Tensors."""
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    width = int(np.prod([*batch, *y.shape[-2:]]))
    height = max(_BLOCK // max(width, 1), 1)
    for start in range(0, max(x.shape[-2], 1), height):
        rows = slice(start, start + height)
        yield rows, x[..., rows, None, :] - y[..., None, :, :]


def _lengths(t: np.ndarray, p: float) -> np.ndarray:
    """Return the p-norm over the last axis of an array, which may be overwritten."""
    if p == 2:
        return np.sqrt(np.einsum("...k,...k->...", t, t))
    t = np.abs(t, out=t)
    if p == 0:
        return np.minimum(np.ceil(t), 1).sum(-1)
    if p == 1:
        return t.sum(-1)
    if p == np.inf:
        return t.max(-1, initial=0)
    return np.power(np.power(t, p, out=t).sum(-1), 1 / p)


def _along(t: Any, d: Any, p: float, incoming: Any) -> Any:
    """Return ``incoming`` times the derivative of d by t, of arrays or of Tensors."""
    plain, length = values(t), values(d)
    if p == 0:
        return masked(np.broadcast_to(incoming, plain.shape), np.array(False))
    if p == 1:
        return incoming * np.sign(plain)
    if p == np.inf:
        return incoming * (np.sign(plain) * (np.abs(plain) == length))
    flows = length != 0
    d = np.where(flows, d, 1)
    if p == 2:
        return masked(incoming, flows) / d * t
    flows = np.broadcast_to(flows, plain.shape)
    flows = flows & (plain != 0) if p < 2 else flows
    slope = (np.abs(np.where(flows, t, 1)) / d) ** (p - 1) * np.sign(plain)
    return masked(incoming * slope, flows)


class EuclideanDistances(Function):
    """d[i, j] = |x[i] - y[j]| = sqrt(|x[i]|**2 + |y[j]|**2 - 2 x[i]·y[j]), by one product.

    With w = G / d, 0 where d = 0: dL/dx[i] = sum_j w[i, j] (x[i] - y[j]), dL/dy alike. Far faster
    than by differences, and less exact: a distance that is small beside the lengths loses digits.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        x, y = a.data, b.data
        d = x @ (-2 * y.mT)
        d += np.einsum("...k,...k->...", x, x)[..., :, None]
        d += np.einsum("...k,...k->...", y, y)[..., None, :]
        result = a.new(np.sqrt(np.maximum(d, 0, out=d), out=d))
        ctx.shapes = x.shape, y.shape
        ctx.save_for_backward(a, b, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b, d = ctx.saved_tensors
        weights = _over(grad_output, d)
        grad_a = a * weights.sum(-1)[..., None] - weights @ b
        grad_b = b * weights.sum(-2)[..., None] - weights.mT @ a
        return unbroadcast(grad_a, ctx.shapes[0]), unbroadcast(grad_b, ctx.shapes[1])

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any) -> Any:
        a, b, d = ctx.saved_tensors
        parts = []
        if tangent_a is not None:
            parts.append((a * tangent_a).sum(-1)[..., None] - tangent_a @ b.mT)
        if tangent_b is not None:
            parts.append((b * tangent_b).sum(-1)[..., None, :] - a @ tangent_b.mT)
        return _over(total(*parts), d)


def _over(x: Any, d: Any) -> Any:
    """Return x / d, and 0 where d is 0."""
    flows = values(d) != 0
    return masked(x, flows) / np.where(flows, d, 1)


_MODES = {  # torch's names -> whether a product of matrices gives Euclid's distances
    "use_mm_for_euclid_dist_if_necessary": None,
    "use_mm_for_euclid_dist": True,
    "donot_use_mm_for_euclid_dist": False,
}


@operation(method=False)
def cdist(
    x1: Any,
    x2: Any,
    p: float = 2.0,
    compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary",
) -> Any:
    """Return the distance of each point of x1 from each of x2, as a matrix (torch.cdist).

    Math: d[i, j] = (sum_k |x1[i, k] - x2[j, k]|**p) ** (1/p); p = 0 counts what differs, p = inf is
        the largest difference. Where points coincide the gradient is 0.
    Args:
        x1, x2 (Tensor): (…, P, M) and (…, R, M), floats of one dtype; the batches broadcast.
        p: the norm, from 0 to infinity.
        compute_mode: for p = 2, whether to use a product of matrices, which is faster and less
            exact: by default where there are more than 25 points.
    Returns:
        Tensor: (…, P, R).
    """
    for each in (x1, x2):
        _check_points("cdist", each)
        if each.data.ndim < 2:
            raise ShapeError(f"cdist: expects points (…, P, M), got shape {each.data.shape}")
    if x1.data.dtype != x2.data.dtype:
        raise DtypeError(f"cdist: expected one dtype, got {x1.data.dtype} and {x2.data.dtype}")
    shapes = x1.data.shape, x2.data.shape
    if shapes[0][-1] != shapes[1][-1]:
        raise ShapeError(
            f"cdist: points of {shapes[0]} and {shapes[1]} differ in dimension: {shapes[0][-1]} "
            f"and {shapes[1][-1]} columns"
        )
    check_broadcast("cdist", shapes[0][:-2], shapes[1][:-2])
    _check_norm("cdist", p)
    if compute_mode is not None and compute_mode not in _MODES:
        raise ValueError(f"cdist: compute_mode must be one of {list(_MODES)}, not {compute_mode!r}")
    by_product = None if compute_mode is None else _MODES[compute_mode]
    if by_product is None:
        by_product = max(shapes[0][-2], shapes[1][-2]) > 25
    if p == 2 and by_product:
        return EuclideanDistances.apply(x1, x2)
    return Distances.apply(x1, x2, p)


@operation(("mytorch", "functional"), method=False)
def pdist(input: Any, p: float = 2.0) -> Any:
    """Return the distances between the points of one set, each pair once (torch.pdist).

    Args:
        input (Tensor): (N, M), floats; p: the norm, as in ``cdist``.
    Returns:
        Tensor: (N (N - 1) / 2,), of the pairs (0, 1), (0, 2), …, (1, 2), ….
    """
    _check_points("pdist", input)
    if input.data.ndim != 2:
        raise ShapeError(f"pdist: expects points (N, M), got shape {input.data.shape}")
    _check_norm("pdist", p)
    return Distances.apply(input, input, p)[np.triu_indices(len(input.data), 1)]


def _check_points(name: str, points: Any) -> None:
    dtype = float_data(name, points).dtype
    if dtype == np.float16:
        raise DtypeError(f"{name}: not for float16, which is too coarse; use .float()")


def _check_norm(name: str, p: Any) -> None:
    if not p >= 0:
        raise ShapeError(f"{name}: p={p} must be 0 or positive: other norms measure no distance")
