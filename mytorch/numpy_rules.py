"""How NumPy's functions are computed on Tensors: families of rules, and single ones.

``numpy_protocol.py`` has the table that says which function has which rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import mytorch.nn.functional as F
from mytorch.errors import GraphError, ShapeError
from mytorch.ops.arithmetic import nan_to_num as nan_to_num_of_tensor
from mytorch.ops.common import as_operand, normalize_axes
from mytorch.ops.einsum import einsum as einsum_of_tensors
from mytorch.ops.pointwise import Clamp, Masked, Where
from mytorch.ops.shape import Cat
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


def permuted(function: Any) -> Rule:
    """The rule of a function that exchanges axes: NumPy tries it on axes of different sizes."""

    def rule(a: Any, *args: Any, **keywords: Any) -> Any:
        numbered = np.broadcast_to(0, range(1, a.ndim + 1))
        axes = [size - 1 for size in function(numbered, *args, **keywords).shape]
        return F.Transpose.apply(a, tuple(axes))

    return rule


def reshaped(function: Any) -> Rule:
    """The rule of a function that adds or drops axes of size 1: NumPy says the shape."""

    def rule(a: Any, *args: Any, **keywords: Any) -> Any:
        return a.reshape(function(a.data, *args, **keywords).shape)

    return rule


def rearranged(function: Any) -> Rule:
    """The rule of a function that picks or repeats elements: NumPy picks their numbers."""

    def rule(a: Any, *args: Any, **keywords: Any) -> Any:
        (a,) = tensors_of(a)
        named = {key: values_of(value) for key, value in keywords.items()}
        places = function(np.arange(a.data.size).reshape(a.shape), *values_of(args), **named)
        return a.reshape(-1)[places]

    return rule


def at_least(function: Any) -> Rule:
    """The rule of ``np.atleast_1d`` and the like, for one tensor or several."""

    def rule(*arrays: Any) -> Any:
        members = [each.reshape(function(each.data).shape) for each in tensors_of(*arrays)]
        return members[0] if len(members) == 1 else tuple(members)

    return rule


def triangle(function: Any) -> Rule:
    """The rule of ``np.tril`` and ``np.triu``."""
    return lambda m, k=0: Masked.apply(m, function(np.ones(m.shape, bool), k))


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
    """The sum of a diagonal, of the last axis of ``np.diagonal``."""
    return rearranged(np.diagonal)(a, offset, axis1, axis2).sum(-1)


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
    members = tensors_of(*arrays)
    shapes = list(dict.fromkeys(member.shape for member in members))
    if len(shapes) > 1:
        raise ShapeError(f"np.stack: shapes {shapes[0]} and {shapes[1]} differ; all must be equal")
    return Cat.apply(axis, *[member.unsqueeze(axis) for member in members])


def vstack(arrays: Any) -> Any:
    """Members joined as rows."""
    return concatenate([m if m.ndim > 1 else m.reshape(1, -1) for m in tensors_of(*arrays)], 0)


def hstack(arrays: Any) -> Any:
    """Members joined as columns; vectors end to end."""
    members = [m if m.ndim else m.reshape(1) for m in tensors_of(*arrays)]
    return concatenate(members, 1 if members and members[0].ndim > 1 else 0)


def split(a: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Parts of equal size, or between the given places."""
    (axis,) = normalize_axes(axis, a.ndim)
    parts = np.split(np.arange(a.shape[axis]), values_of(indices_or_sections))
    before = (slice(None),) * axis
    return [a[(*before, slice(p[0], p[-1] + 1) if p.size else slice(0, 0))] for p in parts]


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
