"""Convolution as a function of its three arrays: image, kernel and result.

All derivatives of a convolution are those of one form that is linear in each of three arrays,

    T(x, w, y) = sum over windows p, kernel elements k, channels of  x[p * stride + k] w[k] y[p].

Its derivative with respect to y is the convolution of x with w, that with respect to x is the
transposed convolution of y with w, and that with respect to w is the gradient of the kernel. So
the three functions below are each other's derivatives, of every order.

Each is computed as products of matrices, of the kernel with the columns that the windows make of
the image (im2col), a block of windows at a time: the columns of a block stay in the cache, and no
large array is ever made of them.
Source: torch.nn.functional.conv2d; K. Chellapilla, S. Puri and P. Simard, "High performance
convolutional neural networks for document processing" (2006).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.ops.common import save_needed, total
from mytorch.ops.windows import (
    SMALL,
    Windows,
    add_windows,
    batch_first,
    blocks,
    contiguous,
    image_of,
    windows_of,
    without_margins,
)
from mytorch.variable import Variable

__all__ = ["Convolution", "KernelGradient", "TransposedConvolution"]

# ------------------------------------------------------------------------------- the operations


class Convolution(Function):
    """y = dT/dy at (x, w), plus a bias for each channel;  dx = dT/dx, dw = dT/dw at grad_output.

    x is (N, C, H, W), w (O, C / groups, h, w), y (N, O, rows, columns); or each without its H.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any, windows: Windows, groups: int = 1) -> Any:
        save_needed(ctx, x, weight)
        ctx.how = windows, groups
        shift = None if bias is None else bias.data
        return x.new(_convolved(x.data, weight.data, shift, *ctx.how))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, weight = ctx.saved_tensors
        needs = ctx.needs_input_grad
        return (
            transposed_convolution(grad_output, weight, None, *ctx.how) if needs[0] else None,
            kernel_gradient(x, grad_output, *ctx.how) if needs[1] else None,
            _sum_of_channels(grad_output) if needs[2] else None,
            None,
            None,
        )

    @staticmethod
    def jvp(ctx: Any, tangent_x: Any, tangent_weight: Any, tangent_bias: Any, *_: Any) -> Any:
        x, weight = ctx.saved_tensors
        return total(
            None if tangent_x is None else convolution(tangent_x, weight, None, *ctx.how),
            None if tangent_weight is None else convolution(x, tangent_weight, None, *ctx.how),
            None if tangent_bias is None else _over_channels(tangent_bias, x.ndim),
        )


class TransposedConvolution(Function):
    """x = dT/dx at (y, w), plus a bias for each channel;  dy = dT/dy, dw = dT/dw at grad_output."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, y: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
        save_needed(ctx, y, weight)
        ctx.how = windows, groups
        shift = None if bias is None else bias.data
        return y.new(_transposed(y.data, weight.data, shift, *ctx.how))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        y, weight = ctx.saved_tensors
        needs = ctx.needs_input_grad
        return (
            convolution(grad_output, weight, None, *ctx.how) if needs[0] else None,
            kernel_gradient(grad_output, y, *ctx.how) if needs[1] else None,
            _sum_of_channels(grad_output) if needs[2] else None,
            None,
            None,
        )

    @staticmethod
    def jvp(ctx: Any, tangent_y: Any, tangent_weight: Any, tangent_bias: Any, *_: Any) -> Any:
        y, weight = ctx.saved_tensors
        apply = transposed_convolution
        return total(
            None if tangent_y is None else apply(tangent_y, weight, None, *ctx.how),
            None if tangent_weight is None else apply(y, tangent_weight, None, *ctx.how),
            None if tangent_bias is None else _over_channels(tangent_bias, y.ndim),
        )


class KernelGradient(Function):
    """w = dT/dw at (x, y);  dx = dT/dx, dy = dT/dy at grad_output."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, windows: Windows, groups: int) -> Any:
        save_needed(ctx, x, y)
        ctx.how = windows, groups
        return x.new(_kernel_gradient(x.data, y.data, *ctx.how))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, y = ctx.saved_tensors
        needs = ctx.needs_input_grad
        return (
            transposed_convolution(y, grad_output, None, *ctx.how) if needs[0] else None,
            convolution(x, grad_output, None, *ctx.how) if needs[1] else None,
            None,
            None,
        )

    @staticmethod
    def jvp(ctx: Any, tangent_x: Any, tangent_y: Any, *_: Any) -> Any:
        x, y = ctx.saved_tensors
        return total(
            None if tangent_x is None else kernel_gradient(tangent_x, y, *ctx.how),
            None if tangent_y is None else kernel_gradient(x, tangent_y, *ctx.how),
        )


# ------------------------------------------------------------- the same, of arrays or Tensors


def convolution(x: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    """Return dT/dy + bias: (N, C, *size) with (O, C / groups, *kernel) -> (N, O, *grid)."""
    compute = Convolution.apply if isinstance(x, Variable) else _convolved
    return compute(x, weight, bias, windows, groups)


def transposed_convolution(y: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    """Return dT/dx + bias: (N, O, *grid) with (O, C / groups, *kernel) -> (N, C, *size)."""
    compute = TransposedConvolution.apply if isinstance(y, Variable) else _transposed
    return compute(y, weight, bias, windows, groups)


def kernel_gradient(x: Any, y: Any, windows: Windows, groups: int) -> Any:
    """Return dT/dw: (N, C, *size) with (N, O, *grid) -> (O, C / groups, *kernel)."""
    compute = KernelGradient.apply if isinstance(x, Variable) else _kernel_gradient
    return compute(x, y, windows, groups)


def _sum_of_channels(y: Any) -> Any:
    return y.sum((0, *range(2, y.ndim)))


def _over_channels(bias: Any, ndim: int) -> Any:
    return bias.reshape((1, -1) + (1,) * (ndim - 2))


# ------------------------------------------------------------------------------- on arrays


@np.errstate(all="ignore")  # inf * 0 and overflow are silent, as in torch
def _convolved(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, windows: Windows, groups: int
) -> np.ndarray:
    rows = _rows(weight, groups)
    result = np.empty((*rows.shape[:2], *windows.grid, len(x)), x.dtype)
    for place, columns in _columns(x, windows, rows.shape[1], groups):
        np.matmul(rows, columns, out=_flat(result[place]))
    result = result.reshape(len(weight), *windows.grid, len(x))
    if bias is not None:
        result += bias[:, None, None, None]
    return batch_first(result, x.ndim)


@np.errstate(all="ignore")  # inf * 0 and overflow are silent, as in torch
def _transposed(
    y: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, windows: Windows, groups: int
) -> np.ndarray:
    rows = _rows(weight, groups).mT  # (G, K, O / G)
    channels = groups * weight.shape[1]
    image = np.zeros((channels, *windows.extent, len(y)), y.dtype)
    grad = _grouped(contiguous(y), groups)
    scratch = _Scratch(y.dtype)
    product = np.matmul if rows.shape[2] > 1 else np.multiply
    for place in blocks(windows, rows.shape[1], rows.shape[2], len(y), groups):
        block = grad[place]
        columns = scratch.of(groups, rows.shape[1], math.prod(block.shape[2:]))
        product(rows, _flat(block), out=columns)
        parts = columns.reshape(channels, *windows.kernel, *block.shape[2:])
        add_windows(image, parts, windows, (place[1].start, place[2].start))
    image = without_margins(image, windows)
    if bias is not None:
        image += bias[:, None, None, None]
    return batch_first(image, y.ndim)


@np.errstate(all="ignore")  # inf * 0 and overflow are silent, as in torch
def _kernel_gradient(x: np.ndarray, y: np.ndarray, windows: Windows, groups: int) -> np.ndarray:
    grad = _grouped(contiguous(y), groups)
    depth = x.shape[1] // groups * math.prod(windows.kernel)
    result = np.zeros((groups, depth, grad.shape[1]), x.dtype)
    # OpenBLAS takes the quick way to a large result only if no factor is transposed.
    turns = 1200 < result[0].size <= SMALL // 256
    for place, columns in _columns(x, windows, grad.shape[1], groups):
        block = _flat(grad[place]).mT  # (G, M, O / G)
        result += columns @ (np.ascontiguousarray(block) if turns else block)
    kernel = windows.kernel if x.ndim == 4 else windows.kernel[1:]
    return result.mT.reshape(y.shape[1], x.shape[1] // groups, *kernel)


def _columns(
    x: np.ndarray, windows: Windows, outputs: int, groups: int
) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield each block of windows and its columns (G, K, M), which hold until the next one's."""
    parts = _grouped(windows_of(image_of(x, windows), windows), groups)
    depth = math.prod(parts.shape[1:4])
    is_plain = windows.kernel == windows.stride == (1, 1)  # each window is one element: its column
    scratch = _Scratch(x.dtype)
    for place in blocks(windows, depth, outputs, len(x), groups):
        columns = parts[place]
        if not is_plain:
            memory = scratch.of(*columns.shape)
            memory[...] = columns
            columns = memory
        yield place, columns.reshape(groups, depth, math.prod(columns.shape[4:]))


class _Scratch:
    """Memory for one block after the other: to take it anew each time would cost page faults."""

    def __init__(self, dtype: np.dtype):
        self._memory = np.empty(0, dtype)

    def of(self, *shape: int) -> np.ndarray:
        """Return an array of this shape, uninitialised, over the last one."""
        size = math.prod(shape)
        if size > self._memory.size:
            self._memory = np.empty(size, self._memory.dtype)
        return self._memory[:size].reshape(shape)


def _grouped(x: np.ndarray, groups: int) -> np.ndarray:
    """Return (C, …) as a view (groups, C / groups, …)."""
    return x.reshape(groups, len(x) // groups, *x.shape[1:])


def _rows(weight: np.ndarray, groups: int) -> np.ndarray:
    """Return (O, C / G, *kernel) as (G, O / G, K)."""
    return weight.reshape(groups, len(weight) // groups, math.prod(weight.shape[1:]))


def _flat(block: np.ndarray) -> np.ndarray:
    """Return a block of (G, C / G, rows, columns, N) as a view (G, C / G, M)."""
    return block.reshape(*block.shape[:2], math.prod(block.shape[2:]))
