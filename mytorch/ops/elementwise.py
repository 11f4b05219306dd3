"""``Unary`` and ``Binary``: operations on each element by itself, by their local derivatives.

Such an operation is a class with a docstring, ``value`` and one line for each derivative. The rules
of reverse mode (gradient times derivative) and of forward mode (tangent times derivative) follow.
The derivatives are written with operators and NumPy's functions, which work on arrays, and on
Tensors by NumPy's protocols: so the same line gives the derivatives of every order.
Outside its domain a function is nan or infinite, silently, as in torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.ops.common import (
    as_float,
    as_operand,
    float_operand,
    float_operands,
    operands,
    pair,
    total,
    unbroadcast,
)
from mytorch.ops.registry import operation, parameter_names
from mytorch.quiet import quietly
from mytorch.variable import Variable

__all__ = ["Binary", "Step", "Unary", "constant"]


class Unary(Function):
    """y = value(x) for each element x;  dy/dx = slope(x), slope(y) or slope(x, y).

    ``class Sin(Unary, name="sin", numpy=np.sin)`` registers ``mytorch.sin``, ``Tensor.sin``,
    ``Tensor.sin_`` and ``np.sin``. Only what ``slope`` names is kept for backward.

    Attributes:
        value: the function on arrays; default: NumPy's, as it is named in the class statement.
        slope: the derivative, in terms of the argument x, the result y, or both.
        floats (bool): integers and booleans are first converted to the default float.
    """

    on_arrays = True
    floats = True
    value: Callable[[Any], Any]
    slope: Callable[..., Any]
    _keeps: tuple[str, ...] = ()

    def __init_subclass__(cls, name: str = "", numpy: Any = None, **places: Any) -> None:
        super().__init_subclass__()
        if numpy is not None and "value" not in cls.__dict__:
            cls.value = staticmethod(numpy[0] if isinstance(numpy, tuple) else numpy)
        if "slope" in cls.__dict__:
            cls._keeps = parameter_names(cls.slope)
        if name:
            places = {"in_place": True, **places}
            operation(name=name, numpy=numpy, **places)(_function_of_one(cls, name))

    @classmethod
    def of(cls, x: Any) -> Any:
        """Return the function of an array or a Tensor: for derivatives that are written with it."""
        return cls.apply(x) if isinstance(x, Variable) else cls.value(x)

    @classmethod
    def forward(cls, ctx: Any, a: Any) -> Any:
        x = as_float(a.data) if cls.floats else a.data
        result = a.new(quietly(cls.value, x))
        ctx.save_for_backward(*[a if name == "x" else result for name in cls._keeps])
        return result

    @classmethod
    def backward(cls, ctx: Any, grad_output: Any) -> Any:
        return grad_output * cls.slope(*ctx.saved_tensors)

    @classmethod
    def jvp(cls, ctx: Any, tangent: Any) -> Any:
        return tangent * cls.slope(*ctx.saved_tensors)


class Step(Unary):
    """y = value(x), constant between its jumps;  dy/dx = 0 everywhere, whatever comes in."""

    @classmethod
    def backward(cls, ctx: Any, grad_output: Any) -> Any:
        return np.zeros_like(grad_output)

    @classmethod
    def jvp(cls, ctx: Any, tangent: Any) -> Any:
        return np.zeros_like(tangent)


class Binary(Function):
    """z = value(x, y) for each pair of elements;  dz/dx = slope_x, dz/dy = slope_y, of x, y, z.

    The operands are broadcast. As ``Unary``: a derivative names what it is written with; ``floats``
    says whether integers are converted first. An operand whose derivative is not stated gets 0.
    """

    on_arrays = True
    floats = True
    name = ""
    value: Callable[[Any, Any], Any]
    slope_x: Callable[..., Any] | None = None
    slope_y: Callable[..., Any] | None = None

    def __init_subclass__(cls, name: str = "", numpy: Any = None, **places: Any) -> None:
        super().__init_subclass__()
        cls.name = name or cls.__dict__.get("name") or cls.__name__.lower()
        if numpy is not None and "value" not in cls.__dict__:
            cls.value = staticmethod(numpy)
        slopes = (cls.slope_x, cls.slope_y)
        cls._slopes = slopes
        cls._keeps = tuple(() if slope is None else parameter_names(slope) for slope in slopes)
        if name:
            places = {"in_place": True, **places}
            operation(name=name, numpy=numpy, numbers=True, **places)(_function_of_two(cls, name))

    _slopes: tuple[Any, ...]
    _keeps: tuple[tuple[str, ...], ...]

    @classmethod
    def forward(cls, ctx: Any, a: Any, b: Any) -> Any:
        x, y = (float_operands if cls.floats else operands)(cls.name, a, b)
        result = a.new(quietly(cls.value, x, y))
        needs = ctx.needs_input_grad
        kept = (cls._keeps[0] if needs[0] else ()) + (cls._keeps[1] if needs[1] else ())
        ctx.shapes = a.data.shape, b.data.shape
        ctx.save_for_backward(*[
            tensor if name in kept else None
            for name, tensor in (("x", a), ("y", b), ("z", result))
        ])  # fmt: skip
        return result

    @classmethod
    def _partial(cls, ctx: Any, side: int, incoming: Any) -> Any:
        """Return ``incoming`` times the derivative for operand 0 or 1."""
        slope = cls._slopes[side]
        if slope is None:
            return np.zeros_like(incoming)
        saved = dict(zip("xyz", ctx.saved_tensors, strict=True))
        return incoming * slope(*[saved[name] for name in cls._keeps[side]])

    @classmethod
    def backward(cls, ctx: Any, grad_output: Any) -> Any:
        needs = ctx.needs_input_grad
        return tuple(
            unbroadcast(cls._partial(ctx, side, grad_output), ctx.shapes[side])
            if needs[side]
            else None
            for side in (0, 1)
        )

    @classmethod
    def jvp(cls, ctx: Any, *tangents: Any) -> Any:
        return total(*[
            cls._partial(ctx, side, tangent)
            for side, tangent in enumerate(tangents)
            if tangent is not None
        ])  # fmt: skip


def _function_of_one(cls: type[Function], name: str) -> Callable[..., Any]:
    apply = cls.apply

    def function(input: Any) -> Any:
        return apply(input)

    return _named(function, cls, name)


def _function_of_two(cls: type[Binary], name: str) -> Callable[..., Any]:
    apply, convert = cls.apply, float_operand if cls.floats else as_operand

    def function(input: Any, other: Any) -> Any:
        return apply(*pair(name, input, other, convert))

    return _named(function, cls, name)


def _named(function: Callable[..., Any], cls: type[Function], name: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__module__ = cls.__module__
    function.__doc__ = f"{cls.__doc__ or ''}\n    Source: torch.{name}.\n    "
    return function


def constant(
    name: str, value: Callable[..., Any], doc: str, *, numpy: Any = None, **places: Any
) -> Callable[..., Any]:
    """Register an operation on each element that has no derivative, such as ``isnan``; return it.

    Args:
        value: a function of one array or of two, which are brought to a common dtype and shape.
        doc: the docstring of the function.
        numpy: NumPy's function of that name; places: as of ``operation``.
    """
    is_binary = (value.nin if isinstance(value, np.ufunc) else len(parameter_names(value))) == 2

    def of_one(input: Any) -> Any:
        return input.new(quietly(value, input.data))

    def of_two(input: Any, other: Any) -> Any:
        a, b = pair(name, input, other)
        return a.new(quietly(value, *operands(name, a, b)))

    function = of_two if is_binary else of_one
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return operation(name=name, numpy=numpy, numbers=is_binary, **places)(function)
