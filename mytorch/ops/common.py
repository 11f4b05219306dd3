"""What several operations need: common dtypes, broadcasting and its reverse, axes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mytorch.dtypes import get_default_dtype, result_type, scalar_array
from mytorch.errors import ArgumentError, DtypeError, ShapeError
from mytorch.variable import Variable

__all__ = [
    "all_if_empty",
    "as_operand",
    "cast",
    "count_argument",
    "fitted",
    "float_data",
    "float_operand",
    "float_operands",
    "integer_argument",
    "ints_of",
    "normalize_axes",
    "one_axis",
    "one_minus",
    "operands",
    "pair",
    "select",
    "shape_of",
    "size_argument",
    "spread",
    "total",
    "unbroadcast",
    "values",
]

Axes = int | Sequence[int] | None
Convert = Callable[[Variable, Any], Any]


def as_operand(partner: Variable, other: Any) -> Any:
    """Return ``other`` as a constant beside ``partner``, or None if it is no number or array.

    A number, Python's or NumPy's, takes the partner's dtype (a float beside integers: the default).
    """
    if isinstance(other, Variable):
        return other
    if isinstance(other, (bool, int, float)):
        return partner.new(scalar_array(other, partner.data.dtype))
    if isinstance(other, np.ndarray):
        return partner.new(other)
    if isinstance(other, np.generic):  # a number like Python's, whatever its own dtype
        return as_operand(partner, other.item())
    return None


def float_operand(partner: Variable, other: Any) -> Any:
    """As ``as_operand``, where integers become floats: beside them a number is a float at once.

    As one of their dtype it could be another number: -1 would be 255 beside uint8.
    """
    if isinstance(other, np.generic):
        other = other.item()
    if isinstance(other, (bool, int)) and partner.data.dtype.kind not in "fc":
        return partner.new(scalar_array(other, get_default_dtype()))
    return as_operand(partner, other)


def pair(name: str, a: Any, b: Any, convert: Convert = as_operand) -> tuple[Any, Any]:
    """Return two arguments as Tensors, of which one may be a number or an array.

    Args:
        convert: ``as_operand``, or ``float_operand`` where the result is always floating.
    Raises:
        TypeError: neither is a Tensor, or one is no number.
    """
    first, second = a, b
    if isinstance(a, Variable):
        second = convert(a, b)
    elif isinstance(b, Variable):
        first = convert(b, a)
    else:
        first = second = None
    if first is None or second is None:
        raise TypeError(
            f"{name}: expects Tensors, or one Tensor and a number, got {type(a).__name__} and "
            f"{type(b).__name__}; wrap a sequence: mytorch.tensor(…)"
        )
    return first, second


def values(x: Any) -> Any:
    """Return the array of a Tensor, and an array as it is: in a rule that runs on both."""
    return x.data if isinstance(x, Variable) else x


def operands(name: str, a: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the arrays of two tensors in their common dtype (torch's promotion).

    Raises:
        ShapeError: if the shapes do not broadcast, naming the operation and both shapes.
    """
    x, y = a.data, b.data
    if x.dtype is not y.dtype:
        dtype = result_type(x, y)
        x, y = x.astype(dtype, copy=False), y.astype(dtype, copy=False)
    if x.shape != y.shape and x.ndim and y.ndim:
        check_broadcast(name, x.shape, y.shape)
    return x, y


def float_operands(name: str, a: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    """As ``operands``; two integer tensors are both converted to the default float."""
    if a.data.dtype.kind in "fc" or b.data.dtype.kind in "fc":
        return operands(name, a, b)
    x, y = as_float(a.data), as_float(b.data)
    check_broadcast(name, x.shape, y.shape)
    return x, y


def check_broadcast(name: str, first: tuple[int, ...], second: tuple[int, ...]) -> None:
    """Raise ShapeError unless the two shapes broadcast (NumPy's rule, from the last axis)."""
    for axis, (m, n) in enumerate(zip(reversed(first), reversed(second), strict=False), start=1):
        if m != n and m != 1 and n != 1:
            raise ShapeError(
                f"{name}: shapes {first} and {second} do not broadcast: sizes {m} and {n} at "
                f"axis -{axis} differ and neither is 1"
            )


def shape_of(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the shape given as ``f(2, 3)`` or as ``f((2, 3))``."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list, range)):
        sizes = tuple(sizes[0])
    return tuple([operator.index(size) for size in sizes])


def ints_of(name: str, what: str, given: tuple[Any, ...], named: Any) -> tuple[int, ...]:
    """Return the ints given as ``f(2, 3)``, as ``f((2, 3))`` or, ``what`` being dims, by name.

    Raises:
        TypeError: none given, or both ways.
    """
    if bool(given) == (named is not None):
        fault = "misses its argument" if not given else "got twice"
        raise TypeError(f"{name}() {fault} `{what}`")
    return shape_of(given or (named,))


def size_argument(name: str, sizes: tuple[Any, ...], size: Any = None) -> tuple[int, ...]:
    """Return the shape that the factory ``name`` got: as (2, 3), as ((2, 3),) or as ``size=``.

    Raises:
        TypeError: there is none, or two, or a size is no integer; ArgumentError: one is negative.
    """
    if bool(sizes) == (size is not None):
        wrong = "is missing" if size is None else "is given twice"
        raise TypeError(f"{name}: the size {wrong}; give it as {name}(2, 3) or {name}((2, 3))")
    if size is not None:
        sizes = (size,)
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    return tuple(count_argument(name, "each size", each) for each in sizes)


def integer_argument(name: str, key: str, value: Any) -> int:
    """Return the argument ``key`` of the function ``name`` as an int; TypeError if it is none."""
    if not isinstance(value, bool) and hasattr(value, "__index__"):
        return operator.index(value)
    raise TypeError(f"{name}: {key} must be an integer, not {value!r}")


def count_argument(name: str, key: str, value: Any) -> int:
    """Return an integer argument that cannot be negative; ArgumentError if it is."""
    count = integer_argument(name, key, value)
    if count < 0:
        raise ArgumentError(f"{name}: {key} must be at least 0, got {count}")
    return count


def unbroadcast(grad: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``grad`` over the axes that broadcasting added or stretched, back to ``shape``.

    Math: if y = broadcast(x), then dL/dx is the sum of dL/dy over every copy of x's elements.
    Args:
        grad (Tensor): gradient of the broadcast value; in a rule, also an array.
        shape: the shape of the operand before broadcasting.
    Returns:
        Tensor: of shape ``shape``; ``grad`` itself where nothing was broadcast.
    """
    if grad.shape == shape:
        return grad
    added = grad.ndim - len(shape)
    stretched = [
        added + axis
        for axis, size in enumerate(shape)
        if size == 1 and grad.shape[added + axis] != 1
    ]
    return grad.sum((*range(added), *stretched)).reshape(shape)


def save_needed(ctx: Any, a: Any, b: Any) -> None:
    """Save for a product what its gradients need: each operand only for the other's.

    So a constant factor leaves the other operand free to be changed in place, as in torch.
    """
    needs = ctx.needs_input_grad
    ctx.shapes = a.data.shape, b.data.shape
    ctx.save_for_backward(a if needs[1] else None, b if needs[0] else None)


def total(*tangents: Any) -> Any:
    """Return the sum of those tangents that are not None (zero), in a rule of forward mode."""
    result = None
    for tangent in tangents:
        if tangent is not None:
            result = tangent if result is None else result + tangent
    return result


def normalize_axes(axis: Axes, ndim: int) -> tuple[int, ...]:
    """Return ``axis`` as a sorted tuple of distinct non-negative axes; None means all.

    Raises:
        IndexError: an axis out of range; ShapeError: one named twice.
    """
    if type(axis) is int and -ndim <= axis < ndim:
        return (axis % ndim,)
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    limit = max(ndim, 1)  # torch lets a 0-d tensor be reduced over axis 0 or -1
    for each in axes:
        if not -limit <= each < limit:
            raise IndexError(
                f"dimension out of range: expected one of [{-limit}, {limit - 1}], got {each}"
            )
    positive = sorted(each % limit for each in axes)
    if len(set(positive)) != len(positive):
        raise ShapeError(f"a dimension appears twice in {tuple(axes)}")
    return tuple(positive) if ndim else ()


def all_if_empty(axis: Axes) -> Axes:
    """Return None for (), which torch's sum, mean and the like read as all axes; else ``axis``."""
    return None if isinstance(axis, (tuple, list)) and not axis else axis


def one_axis(name: str, dim: Any, ndim: int) -> int:
    """Return the axis ``dim`` as a non-negative one; a 0-d tensor is seen as one element.

    Raises:
        TypeError: it is no int; IndexError: it is out of range.
    """
    if not isinstance(dim, (int, np.integer)):
        raise TypeError(f"{name}: dim must be one axis (an int), not {dim!r}")
    return (normalize_axes(int(dim), ndim) or (0,))[0]


def kept_shape(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return ``shape`` with size 1 at each of ``axes``: a reduction's shape with keepdims."""
    return tuple(1 if axis in axes else size for axis, size in enumerate(shape))


def check_tensors(name: str, *values: Any) -> None:
    """Raise TypeError where a value is no Tensor: most often an array that was not wrapped."""
    for value in values:
        if not isinstance(value, Variable):
            raise TypeError(
                f"{name}: expects a Tensor, got {type(value).__name__}; wrap it: Tensor(x)"
            )


def float_data(name: str, a: Any) -> np.ndarray:
    """Return ``a.data`` where it is floating; else raise DtypeError that says what to do."""
    check_tensors(name, a)
    if a.data.dtype.kind not in "fc":
        raise DtypeError(f"{name}: expects a floating tensor, got {a.data.dtype}; use .double()")
    return a.data


def refuse_booleans(name: str, *tensors: Any) -> None:
    """Raise DtypeError if all tensors are boolean: what torch has no such operation for."""
    for tensor in tensors:
        if tensor.data.dtype.kind != "b":
            return
    raise DtypeError(f"{name}: not for booleans; convert with .long() or .float()")


def refuse_integers(name: str, *tensors: Any) -> None:
    """Raise DtypeError unless one of the tensors is floating, and so their common dtype."""
    if all(tensor.data.dtype.kind not in "fc" for tensor in tensors):
        raise DtypeError(
            f"{name}: expects a floating tensor, got {tensors[0].data.dtype}; use .double()"
        )


def as_float(array: np.ndarray) -> np.ndarray:
    """Return ``array``, integers and booleans converted to the default dtype, as torch does."""
    return array if array.dtype.kind in "fc" else array.astype(get_default_dtype())


def fitted(name: str, numbers: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return an array of numbers that a user wrote in ``dtype``, which they must fit into.

    Raises:
        DtypeError: one does not: torch's "value cannot be converted without overflow". Of unsigned
            integers, torch lets negative numbers wrap around: -1 is the largest.
    """
    if dtype.kind in "iu" and numbers.size:
        limits = np.iinfo(dtype)
        low, high = numbers.min(), numbers.max()
        if not ((-limits.max if dtype.kind == "u" else limits.min) <= low and high <= limits.max):
            worst = high if high > limits.max else low
            raise DtypeError(
                f"{name}: {worst} does not fit into {dtype}, {limits.min} to {limits.max}"
            )
    elif numbers.dtype.kind == "O":  # integers that fit into no dtype of integers
        numbers = numbers.astype(np.float64)
    with np.errstate(all="ignore"):
        result = numbers.astype(dtype)
    if dtype.kind in "fc" and (np.isfinite(result) != np.isfinite(numbers)).any():
        raise DtypeError(f"{name}: {np.abs(numbers).max()} is too large for {dtype}")
    return result


def cast(x: Any, dtype: np.dtype) -> Any:
    """Return x, an array or a Tensor, in ``dtype``; itself where it has it."""
    return x if x.dtype == dtype else x.astype(dtype)


_FEW = 1024  # so few elements are copied sooner than a view that repeats them is made


def spread(grad_output: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """Repeat what came of a reduction over ``axes`` to the ``shape`` that was reduced."""
    grad = grad_output.reshape(kept_shape(shape, axes))
    if isinstance(grad, np.ndarray) and math.prod(shape) <= _FEW:
        result = np.empty(shape, grad.dtype)
        result[...] = grad
        return result
    return np.broadcast_to(grad, shape)


def one_minus(x: Any) -> Any:
    """Return 1 - x; an array is overwritten, where NumPy would take a new one."""
    return np.subtract(1, x, out=x) if isinstance(x, np.ndarray) else 1 - x


_BITS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}


def select(array: np.ndarray, mask: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Return ``array`` where the boolean ``mask`` holds, else 0; written to ``out``, if given.

    The bits are multiplied by 0 or 1 as integers: as fast as array * mask, without nan * 0 = nan;
    ``np.where`` branches at each element, and takes about ten times as long.
    """
    bits = _BITS.get(array.dtype)
    if bits is not None:
        words = None if out is None else out.view(bits)
        return np.multiply(array.view(bits), mask, out=words).view(array.dtype)
    result = np.where(mask, array, array.dtype.type(0))
    if out is None:
        return result
    out[...] = result
    return out
