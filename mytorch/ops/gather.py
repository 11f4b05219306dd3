"""One element for each index along an axis: ``gather``, and ``scatter`` the other way.

The index has as many axes as the tensor. Along ``dim`` it says which element; elsewhere its own
place does, and it may be smaller than the tensor there. Places are not negative, as in torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.common import fitted, normalize_axes, total, values
from mytorch.ops.index import Accumulate, Assign, Gather, Scatter, Slice, gathered, scattered
from mytorch.ops.indices import Index, check_places, flat_places
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["ScatterExtreme", "ScatterProd", "check_dtypes", "filling", "places_of"]

# ------------------------------------------------------------------------------------- arguments


def places_of(name: str, index: Any) -> np.ndarray:
    """Return the integer tensor (or array) ``index`` as the integers that NumPy indexes with.

    Not a copy: who keeps them must copy them.

    Raises:
        TypeError: no tensor; DtypeError: no integers.
    """
    if not isinstance(index, (Variable, np.ndarray)):
        kind = type(index).__name__
        raise TypeError(f"{name}: index must be a Tensor of integers, got {kind}")
    array = values(index)
    if array.dtype.kind != "i":
        raise DtypeError(f"{name}: index must hold int64 or int32, not {array.dtype}; use .long()")
    return array.astype(np.intp, copy=False)


def check_dtypes(name: str, input: Any, other: Any) -> None:
    """Raise DtypeError where what is written has another dtype: torch promotes nothing there."""
    if not isinstance(other, Variable):
        raise TypeError(f"{name}: expects a Tensor to write, got {type(other).__name__}")
    if other.data.dtype != input.data.dtype:
        raise DtypeError(
            f"{name}: the tensor is {input.data.dtype} and what is written {other.data.dtype}; "
            "convert one with astype(dtype)"
        )


def filling(name: str, input: Any, value: Any) -> Any:
    """Return a number, or a 0-d Tensor, as a 0-d Tensor of the dtype of ``input``.

    Raises:
        ShapeError: a Tensor with axes; DtypeError: a number that the dtype does not have.
    """
    dtype = input.data.dtype
    if not isinstance(value, Variable):
        if not isinstance(value, (bool, int, float, np.number, np.bool_)):
            raise TypeError(f"{name}: value must be a number, got {type(value).__name__}")
        return input.new(fitted(name, np.asarray(value), dtype))
    if value.data.ndim:
        raise ShapeError(f"{name}: value must be a number or 0-d, got shape {value.data.shape}")
    if value.data.dtype == dtype:
        return value
    constant: Any = value if dtype.kind in "fc" else value.new(value.data)
    return constant.astype(dtype)


def _along(name: str, input: Any, dim: int, index: Any) -> tuple[Any, np.ndarray, int]:
    """Return the tensor and the places, 0-d ones as vectors, and the axis; all checked."""
    places = places_of(name, index)
    if not places.ndim:
        places = places.reshape(1)
    a = input if input.data.ndim else input.reshape(1)
    (axis,), shape = normalize_axes(dim, a.data.ndim), a.data.shape
    if places.ndim != len(shape):
        raise ShapeError(
            f"{name}: index {places.shape} must have as many axes as the tensor, {shape}"
        )
    if any(m > n for i, (m, n) in enumerate(zip(places.shape, shape, strict=True)) if i != axis):
        raise ShapeError(
            f"{name}: index {places.shape} must not be larger than the tensor {shape} apart from "
            f"dimension {axis}"
        )
    check_places(places, axis, shape[axis])
    return a, places, axis


def _flat(name: str, input: Any, dim: int, index: Any) -> tuple[Any, np.ndarray]:
    """Return the tensor in one axis, and the places in it, in the shape of the index."""
    a, places, axis = _along(name, input, dim, index)
    return a.reshape(-1), flat_places(places, axis, a.data.shape)


def _at(places: np.ndarray) -> Index:
    return Index(None, (places,))


def _source(name: str, input: Any, places: np.ndarray, src: Any) -> Any:
    """Return the part of ``src`` that the places are about."""
    check_dtypes(name, input, src)
    src = src if src.data.ndim else src.reshape(1)
    shape = src.data.shape
    if shape == places.shape:
        return src
    if len(shape) != places.ndim or any(m > n for m, n in zip(places.shape, shape, strict=True)):
        raise ShapeError(f"{name}: index {places.shape} must not be larger than src {shape}")
    return src[tuple([slice(size) for size in places.shape])]


# ---------------------------------------------------------------------------------------- gather


@operation()
def gather(input: Any, dim: int, index: Any) -> Any:
    """Return for each index the element there along ``dim`` (torch.gather).

    Math: y[i, j, k] = x[i, index[i, j, k], k] for dim 1;  dL/dx adds up what was taken twice.
    Raises:
        BoundsError: an index outside the axis; ShapeError: an index that does not fit;
        DtypeError: an index that holds no integers.
    """
    shape = places_of("gather", index).shape
    if 0 in shape:  # of any shape, as in torch
        return input.reshape(-1)[:0].reshape(shape)
    flat, places = _flat("gather", input, dim, index)
    result = Slice.apply(flat, _at(places))
    return result if shape else result.reshape(())


@operation()
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """As ``gather``, tensor and indices broadcast but for ``dim`` (torch.take_along_dim).

    Args:
        indices: may count back from the end; dim: None for the flattened tensor.
    """
    places = places_of("take_along_dim", indices)
    if dim is None:
        input, places, dim = input.reshape(-1), places.reshape(-1), 0
    (axis,), shape = normalize_axes(dim, input.data.ndim), input.data.shape
    if places.ndim != len(shape):
        raise ShapeError(
            f"take_along_dim: indices {places.shape} must have as many axes as the tensor, {shape}"
        )
    check_places(places, axis, shape[axis], -shape[axis])
    rest = [(*s[:axis], 1, *s[axis + 1 :]) for s in (shape, places.shape)]
    try:
        common = np.broadcast_shapes(*rest)
    except ValueError:
        raise ShapeError(
            f"take_along_dim: tensor {shape} and indices {places.shape} do not broadcast"
        ) from None
    places = np.broadcast_to(places, (*common[:axis], places.shape[axis], *common[axis + 1 :]))
    if rest[0] != common:
        input = input.expand((*common[:axis], shape[axis], *common[axis + 1 :]))
    return Gather.apply(input, np.where(places < 0, places + shape[axis], places), axis)


# --------------------------------------------------------------------------------------- scatter


@operation(in_place=True)
def scatter(
    input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Any:
    """Return input with ``src`` written where the index says along ``dim`` (torch.scatter).

    Math: y[i, index[i, j], …] = src[i, j, …] for dim 1; which stays of several is not defined.
    Args:
        src: a Tensor, at least as large as the index, or a number; ``value`` is a number.
        reduce: None to overwrite, "add" or "multiply" to combine with what is there.
    Raises:
        as ``gather``; DtypeError: src of another dtype.
    """
    if (src is None) == (value is None):
        raise TypeError("scatter: expects src or value, one of them")
    if reduce not in (None, "add", "multiply"):
        raise ShapeError(f"scatter: reduce must be 'add' or 'multiply', got {reduce!r}")
    if not places_of("scatter", index).size:  # of any shape, as in torch: nothing to write
        return input.clone()
    flat, places = _flat("scatter", input, dim, index)
    if isinstance(src, Variable):
        part = _source("scatter", input, places, src)
    else:
        part = filling("scatter", input, src if value is None else value)
    if reduce is not None:
        part = part.expand(places.shape)
        return scatter_reduce(input, dim, index, part, _REDUCE[reduce])
    return Assign.apply(flat, part, _at(places)).reshape(input.data.shape)


_REDUCE = {"add": "sum", "multiply": "prod"}


@operation(in_place=True)
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """Return input with ``src`` added where the index says along ``dim`` (torch.scatter_add).

    Math: y[i, index[i, j], …] += src[i, j, …] for dim 1; dL/dsrc = gather(dL/dy).
    """
    check_dtypes("scatter_add", input, src)
    if not places_of("scatter_add", index).size:
        return input.clone()
    flat, places = _flat("scatter_add", input, dim, index)
    part = _source("scatter_add", input, places, src)
    return Accumulate.apply(flat, part, _at(places)).reshape(input.data.shape)


@operation(in_place=True)
def scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Any:
    """Return input reduced with all of ``src`` that goes to the same place (torch.scatter_reduce).

    Args:
        reduce: "sum", "prod", "mean", "amax" or "amin"; equal largest share the gradient evenly.
        include_self: whether the element of input counts too, where something goes to its place.
    Raises:
        as ``scatter``.
    """
    name = "scatter_reduce"
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise ShapeError(f"{name}: reduce must be sum, prod, mean, amax or amin, got {reduce!r}")
    if reduce == "mean" and input.data.dtype.kind == "b":
        raise DtypeError(f"{name}: booleans have no mean; convert with .float()")
    check_dtypes(name, input, src)
    if not places_of(name, index).size:
        return input.clone()
    a, places, axis = _along(name, input, dim, index)
    part, places, shape = _source(name, a, places, src), places.copy(), a.data.shape
    touched = np.zeros(shape, bool)
    touched.reshape(-1)[flat_places(places, axis, shape)] = True
    own = np.ones(shape, bool) if include_self else ~touched
    if reduce in ("amax", "amin"):
        result = ScatterExtreme.apply(a, part, places, axis, own, reduce == "amax")
    elif reduce == "prod":
        base = a if include_self else Assign.apply(a, filling(name, a, 1), touched)
        result = ScatterProd.apply(base, part, places, axis)
    else:
        result = (a if include_self else masked(a, own)) + Scatter.apply(part, places, axis, shape)
        if reduce == "mean":
            count = own + scattered(np.ones(places.shape, np.int64), places, axis, shape)
            result = _divided(result, count)
    return result.reshape(input.data.shape)


def _divided(sums: Any, count: np.ndarray) -> Any:
    """Return the mean, of integers rounded down."""
    if sums.data.dtype.kind in "fc":
        return sums / sums.new(count.astype(sums.data.dtype))
    return sums.new((sums.data // count).astype(sums.data.dtype))


class ScatterExtreme(Function):
    """y = the largest (or smallest) of x and all of src that goes to its place.

    Those that are equal to y share the gradient evenly; a nan is larger and smaller than all.
    ``own`` says where x counts.
    """

    on_arrays = True

    @staticmethod
    def forward(
        ctx: Any, a: Any, src: Any, indices: Any, dim: int, own: np.ndarray, largest: bool
    ) -> Any:
        x = a.data
        result = np.where(own, x, _extreme(x.dtype, -1 if largest else 1))
        places = flat_places(indices, dim, x.shape).reshape(-1)
        write = (np.maximum if largest else np.minimum).at
        write(result.reshape(-1), places, src.data.reshape(-1))
        ctx.indices, ctx.dim, ctx.own = indices, dim, own
        y = a.new(result)
        ctx.save_for_backward(a, src, y)
        return y

    @staticmethod
    def _chosen(ctx: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return where x and where src is the result, and how many share it."""
        x, src, y = map(values, ctx.saved_tensors)
        mine = ctx.own & _equal(x, y)
        theirs = _equal(src, gathered(y, ctx.indices, ctx.dim))
        count = mine + scattered(theirs.astype(np.int64), ctx.indices, ctx.dim, x.shape)
        return mine, theirs, count.astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        mine, theirs, count = ScatterExtreme._chosen(ctx)
        share = grad_output / count
        to_src = masked(gathered(share, ctx.indices, ctx.dim), theirs)
        return masked(share, mine), to_src, None, None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, tangent_src: Any, *_: Any) -> Any:
        mine, theirs, count = ScatterExtreme._chosen(ctx)
        parts = [None if tangent is None else masked(tangent, mine)]
        if tangent_src is not None:
            part = masked(tangent_src, theirs)
            parts.append(scattered(part, ctx.indices, ctx.dim, mine.shape))
        return total(*parts) / count


def _extreme(dtype: np.dtype, sign: int) -> Any:
    """Return the largest number of a dtype for sign 1, the smallest for -1."""
    if dtype.kind in "fb":
        return dtype.type(sign * np.inf if dtype.kind == "f" else sign > 0)
    limits = np.iinfo(dtype)
    return dtype.type(limits.max if sign > 0 else limits.min)


def _equal(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x == y) | (x != x) & (y != y)


class ScatterProd(Function):
    """y = x times all of src that goes to its place;  dy/dx = y / x, dy/dsrc = y / src.

    Where factors are 0, the derivative for each is the product of the others, without division.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, src: Any, indices: Any, dim: int) -> Any:
        ctx.indices, ctx.dim = indices, dim
        ctx.save_for_backward(a, src)
        return a.new(_multiplied(a.data, src.data, indices, dim))

    @staticmethod
    def _others(ctx: Any) -> tuple[Any, Any]:
        """Return the product of all other factors, for each element of x and of src."""
        (x, src), indices, dim = ctx.saved_tensors, ctx.indices, ctx.dim
        zero_x, zero_src = values(x) == 0, values(src) == 0
        zeros = zero_x + scattered(zero_src.astype(np.int64), indices, dim, zero_x.shape)
        safe_x, safe_src = np.where(zero_x, 1.0, x), np.where(zero_src, 1.0, src)
        product = _multiplied(safe_x, safe_src, indices, dim)  # of those that are not 0
        others_x = masked(product / safe_x, zeros == zero_x)
        lone = gathered(zeros, indices, dim) == zero_src
        return others_x, masked(gathered(product, indices, dim) / safe_src, lone)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        others_x, others_src = ScatterProd._others(ctx)
        grad_src = gathered(grad_output, ctx.indices, ctx.dim) * others_src
        return grad_output * others_x, grad_src, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, tangent_src: Any, *_: Any) -> Any:
        others_x, others_src = ScatterProd._others(ctx)
        parts = [None if tangent is None else tangent * others_x]
        if tangent_src is not None:
            part = tangent_src * others_src
            parts.append(scattered(part, ctx.indices, ctx.dim, others_x.shape))
        return total(*parts)


def _multiplied(x: Any, src: Any, indices: np.ndarray, dim: int) -> Any:
    """Return x times all of src that goes to its place, of arrays or Tensors."""
    if isinstance(x, Variable):
        return ScatterProd.apply(x, src, indices, dim)
    result, places = x.copy(), flat_places(indices, dim, x.shape)
    np.multiply.at(result.reshape(-1), places.reshape(-1), src.reshape(-1))
    return result
