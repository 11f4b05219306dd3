"""The homework's operations, and the functions of ``torch.nn.functional``.

The operations that a student of the homework writes stand in this file; the others come from
``mytorch/ops/``, one family a file. An operation is a ``Function`` with ``forward`` and
``backward``; ``@operation`` gives it its names. CONTRIBUTING.md says in five steps how to add one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.dtypes import get_default_dtype
from mytorch.errors import ShapeError
from mytorch.ops.activations import in_place_form
from mytorch.ops.common import (
    as_float,
    check_tensors,
    float_operand,
    float_operands,
    ints_of,
    normalize_axes,
    operands,
    pair,
    refuse_booleans,
    save_needed,
    shape_of,
    total,
    unbroadcast,
    values,
)
from mytorch.ops.conv import Conv1d as Conv1d
from mytorch.ops.conv import get_conv1d_output_size
from mytorch.ops.cross_entropy import (
    CrossEntropy,
    are_probabilities,
    check_reduction,
    class_indices,
    general_cross_entropy,
)
from mytorch.ops.dropout import Dropout as Dropout
from mytorch.ops.elementary import Sigmoid as Sigmoid
from mytorch.ops.elementary import Tanh as Tanh
from mytorch.ops.index import Slice
from mytorch.ops.joining import Cat
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import SPACES, operation
from mytorch.ops.rounding import FloorDivide, TruncDivide
from mytorch.quiet import quietly

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...  # the functions of SPACES["functional"]

# ------------------------------------------------------------------------ handout, problem 1.1


class Add(Function):
    """z = x + y;  dz/dx = 1, dz/dy = 1."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        x, y = a.data, b.data
        if x.dtype is not y.dtype or x.shape != y.shape:
            x, y = operands("add", a, b)
            ctx.shapes = x.shape, y.shape  # else nothing is kept: a chain of sums is small
        return a.new(x + y)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        shape_a, shape_b = getattr(ctx, "shapes", (grad_output.shape,) * 2)
        return unbroadcast(grad_output, shape_a), unbroadcast(grad_output, shape_b)

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any) -> Any:
        return total(tangent_a, tangent_b)


@operation(in_place=True, numpy=np.add, numbers=True)
def add(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """Return input + alpha * other; either may be a number (torch.add)."""
    a, b = pair("add", input, other)
    return Add.apply(a, b if alpha == 1 else b * alpha)


class Sub(Function):
    """z = x - y;  dz/dx = 1, dz/dy = -1."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        refuse_booleans("sub", a)
        refuse_booleans("sub", b)
        x, y = operands("sub", a, b)
        ctx.shapes = x.shape, y.shape
        return a.new(x - y)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        shape_a, shape_b = ctx.shapes
        return unbroadcast(grad_output, shape_a), unbroadcast(-grad_output, shape_b)

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any) -> Any:
        return total(tangent_a, None if tangent_b is None else -tangent_b)


@operation(in_place=True, aliases=("subtract",), numpy=np.subtract, numbers=True)
def sub(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """Return input - alpha * other; either may be a number (torch.sub)."""
    a, b = pair("sub", input, other)
    return Sub.apply(a, b if alpha == 1 else b * alpha)


class Mul(Function):
    """z = x * y, element by element;  dz/dx = y, dz/dy = x."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        x, y = operands("mul", a, b)
        save_needed(ctx, a, b)
        return a.new(x * y)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b = ctx.saved_tensors
        needs, (shape_a, shape_b) = ctx.needs_input_grad, ctx.shapes
        return (
            unbroadcast(grad_output * b, shape_a) if needs[0] else None,
            unbroadcast(grad_output * a, shape_b) if needs[1] else None,
        )

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any) -> Any:
        a, b = ctx.saved_tensors
        return total(
            None if tangent_a is None else tangent_a * b,
            None if tangent_b is None else a * tangent_b,
        )


Mult = Mul  # the handout's name


@operation(in_place=True, aliases=("multiply",), numpy=np.multiply, numbers=True)
def mul(input: Any, other: Any) -> Any:
    """Return input * other, element by element; either may be a number (torch.mul)."""
    return Mul.apply(*pair("mul", input, other))


class Div(Function):
    """z = x / y;  dz/dx = 1/y, dz/dy = -x/y/y. Integers divide to the default float.

    Division by zero gives inf or nan silently, as in torch; y**2 could over- or underflow.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        x, y = float_operands("div", a, b)
        needs_b = ctx.needs_input_grad[1]
        ctx.shapes = x.shape, y.shape
        ctx.save_for_backward(a if needs_b else None, b)
        return a.new(quietly(np.divide, x, y))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b = ctx.saved_tensors
        needs, (shape_a, shape_b) = ctx.needs_input_grad, ctx.shapes
        return (
            unbroadcast(grad_output / b, shape_a) if needs[0] else None,
            unbroadcast(-grad_output * (a / b / b), shape_b) if needs[1] else None,
        )

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any) -> Any:
        a, b = ctx.saved_tensors
        return total(
            None if tangent_a is None else tangent_a / b,
            None if tangent_b is None else -tangent_b * (a / b / b),
        )


@operation(in_place=True, aliases=("divide", "true_divide"), numpy=np.divide, numbers=True)
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """Return input / other, element by element; either may be a number (torch.div).

    Args:
        rounding_mode: "floor" (down) or "trunc" (towards 0) for a whole quotient, of integers in
            their dtype; its gradient is 0.
    """
    if rounding_mode is None:
        return Div.apply(*pair("div", input, other, float_operand))
    if rounding_mode not in ("floor", "trunc"):
        raise ShapeError(
            f"div: rounding_mode must be None, 'floor' or 'trunc', not {rounding_mode!r}"
        )
    operation = FloorDivide if rounding_mode == "floor" else TruncDivide
    return operation.apply(*pair("div", input, other))


# ------------------------------------------------------------------------ handout, problem 2.1


class Transpose(Function):
    """Permute the axes (default: reverse them, for a matrix its transpose); no copy."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, axes: tuple[int, ...] | None = None) -> Any:
        ctx.axes = axes
        return a.new_view(a.data.transpose(axes))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        inverse = None if ctx.axes is None else tuple(np.argsort(ctx.axes).tolist())
        return np.transpose(grad_output, inverse), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return np.transpose(tangent, ctx.axes)


class Reshape(Function):
    """The same elements in another shape, a view where possible; one size may be -1."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, shape: tuple[int, ...]) -> Any:
        ctx.shape_in, ctx.shape_out = a.data.shape, shape
        try:
            if min(shape, default=0) >= -1:  # to NumPy any negative size means -1
                return a.new_view(a.data.reshape(shape))
        except ValueError:
            pass
        raise ShapeError(
            f"reshape: shape {tuple(shape)} is invalid for {a.data.size} elements "
            f"of shape {a.data.shape}"
        )

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output.reshape(ctx.shape_in), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent.reshape(ctx.shape_out)


@operation()
def reshape(input: Any, *shape: Any) -> Any:
    """Return the same elements in another shape; one size may be -1 (torch.reshape)."""
    return Reshape.apply(input, shape_of(shape))


@operation(aliases=("swapdims",), in_place="shape")
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Return input with two axes exchanged (torch.transpose)."""
    axes = list(range(input.data.ndim))
    first, second = normalize_axes(dim0, len(axes)), normalize_axes(dim1, len(axes))
    if axes:  # a 0-d tensor has nothing to exchange
        axes[first[0]], axes[second[0]] = second[0], first[0]
    return Transpose.apply(input, tuple(axes))


@operation()
def permute(input: Any, *axes: Any, dims: Any = None) -> Any:
    """Return input with its axes in the order of ``dims`` (torch.permute): a view.

    Raises:
        ShapeError: not every axis exactly once.
    """
    order, ndim = ints_of("permute", "dims", axes, dims), input.data.ndim
    if len(order) != ndim:
        raise ShapeError(f"permute: {len(order)} dims for a tensor of {ndim}; name every axis once")
    normalize_axes(order, ndim)
    return Transpose.apply(input, tuple([each % ndim for each in order]))


class Log(Function):
    """y = ln x;  dy/dx = 1/x. log(0) is -inf and log of a negative nan, silently, as in torch."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        ctx.save_for_backward(a)
        return a.new(quietly(np.log, as_float(a.data)))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (a,) = ctx.saved_tensors
        return (grad_output / a,)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        (a,) = ctx.saved_tensors
        return tangent / a


@operation(in_place=True, numpy=np.log)
def log(input: Any) -> Any:
    """Return the natural logarithm (torch.log)."""
    return Log.apply(input)


class ReLU(Function):
    """y = max(x, 0);  dy/dx = 1 where x > 0, else 0 (also at 0). A nan stays nan, with slope 1."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        x, number = a.data, a.data.dtype.type
        if x.dtype.kind == "f":  # a third of the time of np.maximum(x, 0)
            result = a.new(x.clip(number(0), number(np.inf)))
        else:
            result = a.new(np.maximum(x, 0))
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (result,) = ctx.saved_tensors
        return (masked(grad_output, values(result) != 0),)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return ReLU.backward(ctx, tangent)[0]


@operation(space=("mytorch", "functional"), in_place=True)
def relu(input: Any, inplace: bool = False) -> Any:
    """Return max(x, 0), with gradient 0 at 0 (torch.relu)."""
    refuse_booleans("relu", input)
    return input._overwrite("relu", ReLU.apply) if inplace else ReLU.apply(input)


in_place_form(relu, "mytorch", "functional")


# ------------------------------------------------------------------------ handout, problem 2.3


def to_one_hot(labels: Any, num_classes: int) -> Any:
    """Return rows with a 1 at each label and 0 elsewhere.

    Args:
        labels (Tensor): (N,), integers (floats with integer values are accepted).
        num_classes: C, the length of a row.
    Returns:
        Tensor: (N, C), of the default dtype, constant.
    Raises:
        IndexError: a label outside [0, C); TypeError: labels that are no integers.
    """
    check_tensors("to_one_hot", labels)
    count = labels.data.shape[0] if labels.data.ndim else 0
    result = np.zeros((count, num_classes), get_default_dtype())
    result[np.arange(count), class_indices("to_one_hot", labels.new(result), labels)[0]] = 1
    return labels.new(result)


@operation("functional")
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Return the mean cross-entropy of logits against class indices, or against probabilities.

    Math: L = -(1/N) sum_i log softmax(z_i)[t_i];  dL/dz = (softmax(z) - onehot(t)) / N.
    Args:
        input (Tensor): (N, C), float; unnormalised log-odds (logits), in nats. Or (N, C, d…), a
            loss for each of N * d… places; or (C,).
        target (Tensor): (N,), integers in [0, C); floats with integer values are accepted. Or
            (N, d…); or (). Or of the shape of input, float: the probabilities p of the classes,
            and L = -(1/N) sum_i sum_c p_ic log softmax(z_i)[c].
        weight (Tensor): (C,), of the classes: the mean is weighted by those of the labels.
        ignore_index: the label of rows that do not count.
        reduction: "mean"; "sum"; or "none", a loss for each label.
        label_smoothing: e, to mix (1 - e) p + e / C.
    Returns:
        Tensor: shape (), dtype of logits; nats per example; nan for N = 0.
    Raises:
        ShapeError: if the shapes do not fit; IndexError: a label outside [0, C);
        TypeError: labels that are no integers; DtypeError: logits that are no floats.
    Source: handout appendix B; torch.nn.functional.cross_entropy.
    """
    check_reduction("cross_entropy", reduction)
    by_class = not label_smoothing and not are_probabilities(input, target)
    if by_class and weight is None and input.data.ndim == 2:  # the handout's
        labels, kept = class_indices("cross_entropy", input, target, ignore_index)
        return CrossEntropy.apply(input, labels, kept, reduction)
    return general_cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)


globals().update(SPACES["functional"])

# What `from mytorch.nn.functional import *` binds: the homework's operations and the functions.
# Classes named like a layer (ReLU, Conv1d, Dropout, …) are left out: they would shadow it.
__all__ = ["Add", "Cat", "Div", "Log", "Mul", "Mult", "Reshape", "Slice", "Sub", "Transpose"]
__all__ += ["get_conv1d_output_size", "to_one_hot", "unbroadcast", *SPACES["functional"]]
