"""Normalisation: of batches, layers, groups, instances, and of channels beside each other.

Mean and variance are those of the population (dividing by n); running variances take the sample's
(dividing by n - 1), as in torch. float16 is computed in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ArgumentError, DtypeError, ShapeError
from mytorch.ops.common import check_tensors, float_data, total, unbroadcast
from mytorch.ops.joining import Cat
from mytorch.ops.registry import operation
from mytorch.ops.rows import add_up, sum_of_products
from mytorch.quiet import quietly

__all__ = ["Standardize"]


class Standardize(Function):
    """y = n w + b with n = (x - m) u and u = 1 / sqrt(v + eps), of mean m and variance v over axes.

    Not ``centred``: m = 0 and v is the mean of the squares (rms_norm). w and b broadcast to x, or
    are None. With h = w dL/dy:  dL/dx = u (h - mean(h) - n mean(h n)), without mean(h) if m = 0;
    dL/dw = n dL/dy, dL/db = dL/dy, summed. Where w is the same all along the axes, as a channel's
    is, it comes in last, so that all three share their sums. ``watch(m, v)`` is told m and v.
    """

    on_arrays = True

    @staticmethod
    def forward(
        ctx: Any,
        a: Any,
        weight: Any,
        bias: Any,
        axes: tuple[int, ...],
        eps: float,
        centred: bool = True,
        watch: Callable[[Any, Any], None] | None = None,
    ) -> Any:
        x = a.data
        ctx.axes, ctx.eps, ctx.centred = axes, eps, centred
        ctx.count = math.prod([x.shape[axis] for axis in axes])
        ctx.shapes = [None if p is None else p.data.shape for p in (weight, bias)]
        mean, variance, n, u = quietly(Standardize._value, x, ctx)
        if watch is not None:
            watch(mean, variance)
        ctx.save_for_backward(a, a.new(n), a.new(u), weight)
        # n is kept: y may be changed in place
        result = n.copy(order="K") if weight is None else n * weight.data
        if bias is not None:
            result += bias.data
        return a.new(result)

    @staticmethod
    def _value(x: np.ndarray, ctx: Any) -> tuple[Any, ...]:
        """Return m, v, n and u; m is None where nothing is centred."""
        number, axes = x.dtype.type, ctx.axes
        mean = add_up(x, axes, True) / number(ctx.count) if ctx.centred else None
        n = x if mean is None else x - mean
        variance = sum_of_products(n, n, axes) / number(ctx.count)
        u = 1 / np.sqrt(variance + number(ctx.eps))
        return mean, variance, np.multiply(n, u, out=None if mean is None else n), u

    @staticmethod
    def _saved(ctx: Any) -> tuple[Any, ...]:
        """Return n, u and w; while somebody follows, n and u as functions of x."""
        x, n, u, weight = ctx.saved_tensors
        if not ctx.bare:
            n = x - x.sum(ctx.axes, keepdims=True) / ctx.count if ctx.centred else x
            variance = sum_of_products(n, n, ctx.axes) / ctx.count
            u = 1 / np.sqrt(variance + ctx.eps)
            n = n * u
        return n, u, weight

    @staticmethod
    def _sums(ctx: Any, n: Any, h: Any) -> tuple[Any, Any]:
        """Return the sums of h n and, where it is wanted, of h over the axes, which keep size 1."""
        of_h = None
        if ctx.centred or ctx.shapes[1] is not None:
            of_h = add_up(h, ctx.axes, True) if ctx.bare else h.sum(ctx.axes, keepdims=True)
        return sum_of_products(h, n, ctx.axes), of_h

    @staticmethod
    def _slope(ctx: Any, n: Any, u: Any, h: Any, sums: tuple[Any, Any]) -> Any:
        """Return dn/dx applied to h, from either side: it is symmetric."""
        drift = n * (sums[0] / -ctx.count)
        if not isinstance(drift, np.ndarray):
            drift = drift + h
            return (drift - sums[1] / ctx.count if ctx.centred else drift) * u
        drift += h
        if ctx.centred:
            drift -= sums[1] / ctx.count
        drift *= u
        return drift

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        n, u, weight = Standardize._saved(ctx)
        grad, needs, (shape_w, shape_b) = grad_output, ctx.needs_input_grad, ctx.shapes
        wants_w, wants_b = shape_w is not None and needs[1], shape_b is not None and needs[2]
        if needs[0] and not any(_varies(shape, grad.ndim, ctx.axes) for shape in ctx.shapes):
            sums = Standardize._sums(ctx, n, grad)
            return (
                Standardize._slope(ctx, n, u if weight is None else u * weight, grad, sums),
                unbroadcast(sums[0], shape_w) if wants_w else None,
                unbroadcast(sums[1], shape_b) if wants_b else None,
                *[None] * 4,
            )
        h = grad if weight is None else grad * weight
        return (
            Standardize._slope(ctx, n, u, h, Standardize._sums(ctx, n, h)) if needs[0] else None,
            _product_back_to(grad, n, shape_w) if wants_w else None,
            unbroadcast(grad, shape_b) if wants_b else None,
            *[None] * 4,
        )

    @staticmethod
    def jvp(ctx: Any, tangent: Any, tangent_w: Any, tangent_b: Any, *_: Any) -> Any:
        n, u, weight = Standardize._saved(ctx)
        moved = None
        if tangent is not None:
            moved = Standardize._slope(ctx, n, u, tangent, Standardize._sums(ctx, n, tangent))
            moved = moved if weight is None else moved * weight
        return total(moved, None if tangent_w is None else n * tangent_w, tangent_b)


def _varies(shape: tuple[int, ...] | None, ndim: int, axes: tuple[int, ...]) -> bool:
    """Whether a factor of ``shape``, broadcast to ``ndim`` axes, differs along some of ``axes``."""
    added = ndim - len(shape or ())
    return shape is not None and any(a >= added and shape[a - added] != 1 for a in axes)


def _product_back_to(x: Any, y: Any, shape: tuple[int, ...]) -> Any:
    """Return x * y summed to the ``shape`` of a factor that was broadcast."""
    added = x.ndim - len(shape)
    axes = [axis for axis in range(x.ndim) if axis < added or shape[axis - added] == 1]
    return sum_of_products(x, y, tuple(axes)).reshape(shape)


def _standardized(
    name: str,
    input: Any,
    weight: Any,
    bias: Any,
    axes: tuple[int, ...],
    eps: float,
    centred: bool = True,
    watch: Any = None,
) -> Any:
    """Return ``Standardize`` of tensors of one floating dtype; float16 by way of float32."""
    for argument, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and tensor.data.dtype != input.data.dtype:
            raise DtypeError(
                f"{name}: input is {input.data.dtype} but {argument} is {tensor.data.dtype}; "
                "convert one"
            )
    if input.data.dtype != np.float16:
        return Standardize.apply(input, weight, bias, axes, eps, centred, watch)
    wide = [None if x is None else x.astype(np.float32) for x in (input, weight, bias)]
    return Standardize.apply(*wide, axes, eps, centred, watch).astype(np.float16)


# ----------------------------------------------------------------------------- over the last axes


def _last_axes(name: str, input: Any, shape: Any, weight: Any, bias: Any) -> tuple[int, ...]:
    """Return the axes of ``normalized_shape``; refuse an input or parameters of other sizes."""
    x = float_data(name, input)
    sizes = tuple(shape) if isinstance(shape, Sequence) else (int(shape),)
    if not sizes or x.shape[-len(sizes) :] != sizes:
        raise ShapeError(
            f"{name}: normalized_shape {sizes} must be the last sizes of input, {x.shape}"
        )
    for argument, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and tensor.data.shape != sizes:
            raise ShapeError(
                f"{name}: {argument} has shape {tensor.data.shape}, not normalized_shape {sizes}"
            )
    return tuple(range(x.ndim - len(sizes), x.ndim))


@operation("functional")
def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Return (x - mean) / sqrt(var + eps) * weight + bias over the last axes of each example.

    Args:
        normalized_shape: the sizes of those axes, which weight and bias have as shape.
    Source: torch.nn.functional.layer_norm; Ba, Kiros and Hinton 2016, arXiv:1607.06450.
    """
    axes = _last_axes("layer_norm", input, normalized_shape, weight, bias)
    return _standardized("layer_norm", input, weight, bias, axes, eps)


@operation("functional")
def rms_norm(
    input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None
) -> Any:
    """Return x / sqrt(mean of x**2 + eps) * weight over the last axes of each example.

    Args:
        eps: default: the distance from 1 to the next number of the dtype.
    Source: torch.nn.functional.rms_norm; Zhang and Sennrich 2019, arXiv:1910.07467.
    """
    axes = _last_axes("rms_norm", input, normalized_shape, weight, None)
    small = float(np.finfo(input.data.dtype).eps) if eps is None else eps
    return _standardized("rms_norm", input, weight, None, axes, small, centred=False)


# --------------------------------------------------------------------------------- over channels


def _check_channels(name: str, input: Any, axes: int, **parameters: Any) -> tuple[int, ...]:
    """Return the shape of input, (N, C, …); the parameters must have shape (C,)."""
    shape = float_data(name, input).shape
    if len(shape) < axes:
        raise ShapeError(f"{name}: expects input (N, C, …) of at least {axes} axes, got {shape}")
    for argument, tensor in parameters.items():
        if tensor is not None:
            check_tensors(name, tensor)
            if tensor.data.shape != shape[1:2]:
                raise ShapeError(
                    f"{name}: {argument} has shape {tensor.data.shape}; input {shape} has "
                    f"{shape[1]} channels: ({shape[1]},)"
                )
    return shape


def _beside(parameter: Any, shape: tuple[int, ...]) -> Any:
    """Return a parameter (C,) as (C, 1, …), to broadcast to (N, C, …)."""
    return None if parameter is None else parameter.reshape(-1, *[1] * (len(shape) - 2))


def _by_running(
    name: str, input: Any, mean: Any, var: Any, weight: Any, bias: Any, eps: float
) -> Any:
    """Return (x - mean) / sqrt(var + eps) * weight + bias, mean and var being known."""
    if mean is None or var is None:
        raise ArgumentError(f"{name}: running_mean and running_var are needed outside of training")
    scale = 1 / (var + eps).sqrt()
    scale = scale if weight is None else scale * weight
    shift = -mean * scale
    shift = shift if bias is None else shift + bias
    shape = input.data.shape
    return (input * _beside(scale, shape) + _beside(shift, shape)).astype(input.data.dtype)


def _updater(running_mean: Any, running_var: Any, momentum: float, count: int) -> Any:
    """Return what moves the running statistics (C,) towards those that it is told."""

    def update(mean: np.ndarray, variance: np.ndarray) -> None:
        for running, batch in (
            (running_mean, mean),
            (running_var, variance * (count / (count - 1))),
        ):
            if running is not None:
                running.data *= 1 - momentum
                running.data += momentum * batch.reshape(-1, running.data.size).mean(0)
                running.mark_changed()

    return update if count > 1 else None


@operation("functional")
def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Return (x - mean) / sqrt(var + eps) * weight + bias, each channel over the batch.

    Args:
        input (Tensor): (N, C, …); the parameters and running statistics: (C,), or None.
        training: take the statistics of the batch, and move the running ones towards them:
            running = (1 - momentum) running + momentum batch. Else take the running ones.
    Raises:
        ShapeError: sizes that do not fit, or one value a channel in training; ArgumentError: no
        running statistics though not training.
    Source: torch.nn.functional.batch_norm; Ioffe and Szegedy 2015, arXiv:1502.03167.
    """
    name = "batch_norm"
    shape = _check_channels(
        name, input, 2,
        running_mean=running_mean, running_var=running_var, weight=weight, bias=bias,
    )  # fmt: skip
    if not training:
        return _by_running(name, input, running_mean, running_var, weight, bias, eps)
    axes = (0, *range(2, len(shape)))
    count = int(np.prod([shape[axis] for axis in axes]))
    if count == 1:
        raise ShapeError(f"{name}: training needs more than one value a channel, got {shape}")
    update = _updater(running_mean, running_var, momentum, count)
    weight, bias = _beside(weight, shape), _beside(bias, shape)
    return _standardized(name, input, weight, bias, axes, eps, watch=update)


@operation("functional")
def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """As ``batch_norm``, each channel of each example by itself: (N, C, …).

    Args:
        use_input_stats: take the statistics of the input, and move the running ones towards their
            mean over the examples; else take the running ones.
    Source: torch.nn.functional.instance_norm; Ulyanov et al. 2016, arXiv:1607.08022.
    """
    name = "instance_norm"
    shape = _check_channels(
        name, input, 3,
        running_mean=running_mean, running_var=running_var, weight=weight, bias=bias,
    )  # fmt: skip
    if not use_input_stats:
        return _by_running(name, input, running_mean, running_var, weight, bias, eps)
    axes = tuple(range(2, len(shape)))
    count = int(np.prod(shape[2:]))
    if count == 1:
        raise ShapeError(f"{name}: needs more than one value a channel, got {shape}")
    update = _updater(running_mean, running_var, momentum, count)
    weight, bias = _beside(weight, shape), _beside(bias, shape)
    return _standardized(name, input, weight, bias, axes, eps, watch=update)


@operation("functional")
def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Return layer_norm over each of ``num_groups`` groups of channels of (N, C, …).

    Args:
        weight, bias (Tensor): (C,), or None.
    Source: torch.nn.functional.group_norm; Wu and He 2018, arXiv:1803.08494.
    """
    shape = _check_channels("group_norm", input, 2, weight=weight, bias=bias)
    if num_groups < 1 or shape[1] % num_groups:
        raise ShapeError(
            f"group_norm: {shape[1]} channels of {shape} do not split into {num_groups} groups"
        )
    if input.data.size == num_groups:
        raise ShapeError(f"group_norm: needs more than one value a group, got {shape}")
    groups = (num_groups, shape[1] // num_groups)
    sizes = (*groups, *[1] * (len(shape) - 2))
    weight, bias = (None if p is None else p.reshape(sizes) for p in (weight, bias))
    x = input.reshape(shape[0], *groups, *shape[2:])
    axes = tuple(range(2, x.data.ndim))
    return _standardized("group_norm", x, weight, bias, axes, eps).reshape(shape)


@operation("functional")
def local_response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """Return x / (k + alpha / size * sum of x**2 over ``size`` channels beside it)**beta.

    Args:
        input (Tensor): (N, C, …) of at least 3 axes; the channels c - size // 2 to
            c + (size - 1) // 2 count, those beyond the ends as 0.
    Source: torch.nn.functional.local_response_norm; Krizhevsky et al. 2012, NeurIPS.
    """
    shape = _check_channels("local_response_norm", input, 3)
    if size < 1:
        raise ArgumentError(f"local_response_norm: size must be at least 1, got {size}")
    before, after = size // 2, (size - 1) // 2
    pads = [
        input.new(np.zeros((shape[0], n, *shape[2:]), input.data.dtype)) for n in (before, after)
    ]
    squares = Cat.apply(1, pads[0], input * input, pads[1])
    near = squares[:, : shape[1]]
    for shift in range(1, size):
        near = near + squares[:, shift : shift + shape[1]]
    return input * ((near * (alpha / size) + k).log() * -beta).exp()
