"""How NumPy's functions are computed on Tensors: families of rules, and single ones.

``numpy_protocol.py`` has the table that says which function has which rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.errors import GraphError, ShapeError
from mytorch.ops import joining, repeating
from mytorch.ops.arithmetic import nan_to_num as nan_to_num_of_tensor
from mytorch.ops.common import as_operand, normalize_axes
from mytorch.ops.einsum import einsum as einsum_of_tensors
from mytorch.ops.flips import Flip
from mytorch.ops.joining import Cat
from mytorch.ops.pointwise import Clamp, Where
from mytorch.ops.sorting import quantile
from mytorch.ops.sorting import sort as sort_tensor
from mytorch.ops.statistics import Std, Var
from mytorch.tensor import Tensor

Rule = Callable[..., Any]

# ----------------------------------------------------------------------------------- arguments


def tensors_of(*values: Any) -> list[Any]:
    """Return the values as Tensors; a number takes the dtype of the first Tensor among them."""
    partner = None
    for value in values:
        if isinstance(value, Tensor):
            partner = value
            break
    return [value if isinstance(value, Tensor) else _beside(partner, value) for value in values]


def _beside(partner: Any, value: Any) -> Any:
    operand = None if partner is None else as_operand(partner, value)
    if operand is None or operand.data.dtype.kind not in "biufc":
        return Tensor(value)  # a sequence; anything but numbers is refused there
    return operand


def values_of(value: Any, name: str | None = None) -> Any:
    """Return ``value`` with Tensors replaced by their arrays, in lists and tuples too.

    Raises:
        GraphError: a tensor requires grad, and ``name`` is the function that would lose it.
    """
    if isinstance(value, (list, tuple)):
        return type(value)([values_of(part, name) for part in value])
    if not isinstance(value, Tensor):
        return value
    if name is not None:
        try:
            return value.numpy()
        except GraphError as error:
            raise GraphError(f"{name}: {str(error).removeprefix('numpy: ')}") from None
    return value.data


def name_of(function: Any) -> str:
    """Return how NumPy code calls ``function``, as "np.sum"."""
    module = getattr(function, "__module__", None) or "numpy"
    return f"{module}.{function.__name__}".replace("numpy.", "np.", 1)


# --------------------------------------------------------------------------- families of rules


def constant(function: Any) -> Rule:
    """The rule of a function without a derivative: its result as constant Tensors."""

    def rule(*args: Any, **keywords: Any) -> Any:
        named = {key: values_of(value) for key, value in keywords.items()}
        result = function(*values_of(args), **named)
        partner = next(value for value in (*args, *keywords.values()) if isinstance(value, Tensor))
        if isinstance(result, tuple):
            return tuple(partner.new(part) for part in result)
        return partner.new(result)

    return rule


def converted(function: Any) -> Rule:
    """The rule of a function that takes the values, where no graph is lost by it."""

    def rule(*args: Any, **keywords: Any) -> Any:
        name = name_of(function)
        named = {key: values_of(value, name) for key, value in keywords.items()}
        return function(*values_of(args, name), **named)

    return rule


def asked(function: Any) -> Rule:
    """The rule of a question about a tensor's shape, dtype or memory."""
    return lambda *args, **keywords: function(*values_of(args), **keywords)


def reduced(apply: Any, axis: Any = None) -> Rule:
    """The rule of a reduction; ``axis`` is the default."""

    def rule(a: Any, axis: Any = axis, *, keepdims: bool = False) -> Any:
        return apply(a, axis, keepdims)

    return rule


def reshaped(function: Any) -> Rule:
    """The rule of a function that adds or drops axes of size 1: NumPy says the shape."""

    def rule(a: Any, *args: Any, **keywords: Any) -> Any:
        return a.reshape(function(a.data, *args, **keywords).shape)

    return rule


def joined(function: Any) -> Rule:
    """The rule of a function of a sequence of Tensors and arrays."""
    return lambda tup: function(tensors_of(*tup))


def at_least(function: Any) -> Rule:
    """The rule of ``np.atleast_1d`` and the like, for one tensor or several."""
    return lambda *arys: function(*tensors_of(*arys))


# ---------------------------------------------------------- the rules, by their names in NumPy


def var(a: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """The mean squared distance from the mean, over n - ddof (NumPy's default: 0)."""
    return Var.apply(a, axis, ddof, keepdims)


def std(a: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """The root of the variance; where that is 0 the gradient is 0, as in torch."""
    return Std.apply(a, axis, ddof, keepdims)


def median(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """The element in the middle, of an even number the mean of two (torch's is the lower)."""
    return quantile(a, 0.5, axis, keepdims, interpolation="midpoint")


def scanned(scan: Any) -> Rule:
    """The rule of ``np.cumsum`` and the like; axis None flattens."""

    def rule(a: Any, axis: int | None = None) -> Any:
        return scan(a.reshape(-1), 0) if axis is None else scan(a, axis)

    return rule


def einsum(equation: Any, *operands: Any, optimize: Any = True) -> Any:
    """The sum of products that the equation says; ``optimize`` only matters for NumPy's speed."""
    if isinstance(equation, str):
        return einsum_of_tensors(equation, *tensors_of(*operands))
    given = [equation, *operands]  # an operand, the list of its axes, an operand, …
    count = len(given) // 2 * 2
    given[:count:2] = tensors_of(*given[:count:2])
    return einsum_of_tensors(*given)


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of a diagonal."""
    return a.diagonal(offset, axis1, axis2).sum(-1)


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """A choice for each element; of a condition alone, the places where it holds."""
    if x is None and y is None:
        return constant(np.nonzero)(condition)
    return Where.apply(*tensors_of(condition), *tensors_of(x, y))


def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Each element limited to [a_min, a_max]; None is no limit."""
    bounds = (min if a_min is None else a_min, max if a_max is None else a_max)
    (a,) = tensors_of(a)
    return Clamp.apply(a, *[None if each is None else tensors_of(a, each)[1] for each in bounds])


def nan_to_num(x: Any, *, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Each nan and infinity replaced; by keywords alone, since NumPy's second argument is copy."""
    return nan_to_num_of_tensor(x, nan, posinf, neginf)


def concatenate(arrays: Any, axis: int | None = 0) -> Any:
    """Members joined along an axis that they have; None flattens them first."""
    members = tensors_of(*arrays)
    if axis is None:
        axis, members = 0, [member.reshape(-1) for member in members]
    return Cat.apply(axis, *members)


def stack(arrays: Any, axis: int = 0) -> Any:
    """Members of one shape joined along a new axis."""
    return joining.stack(tensors_of(*arrays), axis)


def split(a: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Parts of equal size, or between the given places."""
    sections = values_of(indices_or_sections)
    size = a.shape[normalize_axes(axis, a.ndim)[0]]
    if np.ndim(sections) == 0 and (sections < 1 or size % sections):
        raise ShapeError(f"np.split: an axis of size {size} has no {sections} equal parts")
    return list(a.tensor_split(sections, axis))


def array_split(a: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Parts of nearly equal size, or between the given places."""
    return list(a.tensor_split(values_of(indices_or_sections), axis))


def transpose(a: Any, axes: Any = None) -> Any:
    """The axes in another order; None reverses it."""
    return a.T() if axes is None else a.permute(axes)


def flip(m: Any, axis: Any = None) -> Any:
    """The order along the axes reversed; None is all."""
    return Flip.apply(m, normalize_axes(axis, m.ndim))


def tile(A: Any, reps: Any) -> Any:  # noqa: N803 - NumPy's name
    """The array repeated ``reps`` times along each axis."""
    return A.tile(tuple(np.atleast_1d(values_of(reps)).tolist()))


def take(a: Any, indices: Any, axis: int | None = None) -> Any:
    """The parts at the places along an axis; None is the flattened array."""
    (a,), places = tensors_of(a), values_of(indices)
    if axis is None:
        a, axis = a.reshape(-1), 0
    return a[(slice(None),) * normalize_axes(axis, a.ndim)[0] + (np.asarray(places),)]


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """One element for each index along the axis."""
    return tensors_of(arr)[0].take_along_dim(np.asarray(values_of(indices)), axis)


def meshgrid(*xi: Any, indexing: str = "xy") -> Any:
    """Grids on which each vector varies along its own axis."""
    return repeating.meshgrid(*tensors_of(*xi), indexing=indexing)


def sort(a: Any, axis: int | None = -1, *, kind: Any = None, stable: Any = None) -> Any:
    """The elements in rising order, of any kind of sort; each gradient goes to its element."""
    return sort_tensor(a.reshape(-1), 0).values if axis is None else sort_tensor(a, axis).values


def full_like(a: Any, fill_value: Any) -> Any:
    """The value repeated to the shape of a, in its dtype."""
    a, fill_value = tensors_of(a, fill_value)
    return fill_value.astype(a.dtype).expand(a.shape)


def broadcast_arrays(*arrays: Any) -> Any:
    """Every array repeated to the shape that all broadcast to."""
    shape = np.broadcast_shapes(*[np.shape(each) for each in arrays])
    return tuple(
        each.expand(shape) if isinstance(each, Tensor) else np.broadcast_to(each, shape)
        for each in arrays
    )
