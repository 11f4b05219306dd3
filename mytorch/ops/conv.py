"""conv1d, conv2d, conv_transpose1d and conv_transpose2d: the functions, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.ops.common import check_tensors
from mytorch.ops.convolution import Convolution, TransposedConvolution
from mytorch.ops.linalg import check_one_dtype
from mytorch.ops.registry import operation
from mytorch.ops.windows import Windows, batched, check_image, per_axis, windows_on

__all__ = [
    "Conv1d",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "get_conv1d_output_size",
]

_SPACES = ("mytorch", "functional")


@operation(_SPACES, method=False)
def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Return the cross-correlation of signals with kernels (torch.nn.functional.conv1d).

    As ``conv2d``, for input (N, C, L) or (C, L) and weight (O, C / groups, k).
    """
    numbers = stride, padding, dilation, groups
    windows = _windows("conv1d", 1, input, weight, bias, *numbers)
    return _apply(Convolution, input, weight, bias, windows, groups)


@operation(_SPACES, method=False)
def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Return the cross-correlation of images with kernels (torch.nn.functional.conv2d).

    Math: y[n, o, p] = bias[o] + sum over c, k of x[n, c, p * stride + k * dilation] w[o, c, k],
    where x is 0 outside. The result is stored batch last: see ``mytorch.ops.windows``.
    Args:
        input (Tensor): (N, C, H, W), or (C, H, W) of one sample.
        weight (Tensor): (O, C / groups, h, w); bias (Tensor | None): (O,).
        stride, dilation: an integer, or one for each axis.
        padding: the same, of zeros around the image; "valid" is none, and "same" as many as make
            the result as large as the input, where one is left over on the right.
        groups: output channels o see only the input channels of their group.
    Returns:
        Tensor: (N, O, rows, columns), rows = (H + 2 * padding - dilation * (h - 1) - 1) // stride
        + 1.
    Raises:
        ShapeError: shapes or numbers that do not fit; DtypeError: mixed dtypes.
    """
    numbers = stride, padding, dilation, groups
    windows = _windows("conv2d", 2, input, weight, bias, *numbers)
    return _apply(Convolution, input, weight, bias, windows, groups)


@operation(_SPACES, method=False)
def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Return the transposed convolution of signals (torch.nn.functional.conv_transpose1d).

    As ``conv_transpose2d``, for input (N, C, L) or (C, L) and weight (C, O / groups, k).
    """
    numbers = stride, padding, output_padding, groups, dilation
    windows = _transposed_windows("conv_transpose1d", 1, input, weight, bias, *numbers)
    return _apply(TransposedConvolution, input, weight, bias, windows, groups)


@operation(_SPACES, method=False)
def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Return the transposed convolution of images (torch.nn.functional.conv_transpose2d).

    Math: the gradient of ``conv2d`` with respect to its input: each element of the input adds the
    kernel, times its value, to the window of the result that it stands for.
    Args:
        input (Tensor): (N, C, rows, columns), or (C, rows, columns) of one sample.
        weight (Tensor): (C, O / groups, h, w); bias (Tensor | None): (O,).
        stride, padding, dilation, groups: as of ``conv2d``.
        output_padding: how much larger the result is, below and on the right: strides above 1
            leave several sizes to choose from.
    Returns:
        Tensor: (N, O, H, W), H = (rows - 1) * stride - 2 * padding + dilation * (h - 1) + 1
        + output_padding.
    Raises:
        ShapeError: shapes or numbers that do not fit; DtypeError: mixed dtypes.
    """
    numbers = stride, padding, output_padding, groups, dilation
    windows = _transposed_windows("conv_transpose2d", 2, input, weight, bias, *numbers)
    return _apply(TransposedConvolution, input, weight, bias, windows, groups)


class Conv1d(Convolution):
    """The homework's convolution of signals, (N, C, L) with (O, C, k) and (O,): no padding.

    y is (N, O, (L - k) // stride + 1). Inputs at the end that fill no stride get gradient 0.
    """

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, x: Any, weight: Any, bias: Any = None, stride: int = 1
    ) -> Any:
        windows = _windows("Conv1d", 1, x, weight, bias, stride)
        return Convolution.forward(ctx, x, weight, bias, windows)


def get_conv1d_output_size(input_size: int, kernel_size: int, stride: int) -> int:
    """Return how many windows of ``kernel_size`` fit, ``stride`` apart: (L - k) // s + 1."""
    return int((input_size - kernel_size) // stride + 1)


def _windows(
    name: str,
    axes: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> Windows:
    """Return the windows of a convolution, all of whose arguments fit, or raise."""
    _check(name, axes, input, weight, bias, groups)
    (channels, *size), (outputs, inputs, *kernel) = input.data.shape[-axes - 1 :], weight.data.shape
    if channels != inputs * groups:
        raise ShapeError(
            f"{name}: input {input.data.shape} has {channels} channels, but weight "
            f"{weight.data.shape} with groups={groups} needs {inputs * groups}"
        )
    _check_bias(name, weight, bias, outputs)
    steps = per_axis(name, "stride", stride, axes)
    spread = per_axis(name, "dilation", dilation, axes)
    reach = [d * (k - 1) + 1 for d, k in zip(spread, kernel, strict=True)]
    before, after = _margins(name, padding, steps, reach)
    room = [sum(each) for each in zip(size, before, after, strict=True)]
    if any(r > n for r, n in zip(reach, room, strict=True)):
        raise ShapeError(
            f"{name}: the kernel {tuple(kernel)}, which reaches over {tuple(reach)} elements, is "
            f"larger than the padded input {tuple(room)}"
        )
    grid = [(n - r) // s + 1 for n, r, s in zip(room, reach, steps, strict=True)]
    return windows_on(size, kernel, steps, spread, before, grid)


def _margins(
    name: str, padding: Any, stride: tuple[int, ...], reach: list[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the zeros before and after each axis."""
    if not isinstance(padding, str):
        around = per_axis(name, "padding", padding, len(reach), least=0)
        return around, around
    if padding not in ("same", "valid"):
        raise ShapeError(f"{name}: padding is 'same', 'valid' or integers, not {padding!r}")
    if padding == "valid":
        return (0,) * len(reach), (0,) * len(reach)
    if max(stride) > 1:
        raise ShapeError(f"{name}: padding='same' needs stride 1, got {stride}: sizes would differ")
    return tuple((r - 1) // 2 for r in reach), tuple(r // 2 for r in reach)


def _transposed_windows(
    name: str,
    axes: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
) -> Windows:
    """Return the windows on the result of a transposed convolution, or raise."""
    _check(name, axes, input, weight, bias, groups)
    (channels, *grid), (inputs, outputs, *kernel) = input.data.shape[-axes - 1 :], weight.data.shape
    if channels != inputs:
        raise ShapeError(
            f"{name}: input {input.data.shape} has {channels} channels, but weight "
            f"{weight.data.shape} is for {inputs}"
        )
    _check_bias(name, weight, bias, outputs * groups)
    steps = per_axis(name, "stride", stride, axes)
    before = per_axis(name, "padding", padding, axes, least=0)
    extra = per_axis(name, "output_padding", output_padding, axes, least=0)
    spread = per_axis(name, "dilation", dilation, axes)
    if any(e >= max(s, d) for e, s, d in zip(extra, steps, spread, strict=True)):
        raise ShapeError(
            f"{name}: output_padding {extra} must be smaller than stride {steps} or dilation "
            f"{spread}"
        )
    size = [
        (n - 1) * s - 2 * p + d * (k - 1) + 1 + e
        for n, s, p, d, k, e in zip(grid, steps, before, spread, kernel, extra, strict=True)
    ]
    if min(size) < 1:
        raise ShapeError(
            f"{name}: padding {before} leaves a result of size {tuple(size)}; it must be positive"
        )
    return windows_on(size, kernel, steps, spread, before, grid)


def _check(name: str, axes: int, input: Any, weight: Any, bias: Any, groups: Any) -> None:
    """Raise unless ranks, dtypes and groups fit."""
    check_image(name, input, axes)
    check_tensors(name, weight, *([] if bias is None else [bias]))
    shape = weight.data.shape
    if len(shape) != axes + 2 or 0 in (shape[0], *shape[2:]):
        raise ShapeError(
            f"{name}: weight must have {axes + 2} axes, only the second may be empty; got {shape}"
        )
    check_one_dtype(name, *[each for each in (input, weight, bias) if each is not None])
    per_axis(name, "groups", groups, 1)
    if shape[0] % groups:
        raise ShapeError(f"{name}: groups={groups} do not divide the first size of weight {shape}")


def _check_bias(name: str, weight: Any, bias: Any, outputs: int) -> None:
    if bias is not None and bias.data.shape != (outputs,):
        raise ShapeError(
            f"{name}: bias has shape {bias.data.shape}, weight {weight.data.shape} needs "
            f"({outputs},)"
        )


def _apply(
    operation: Any, input: Any, weight: Any, bias: Any, windows: Windows, groups: int
) -> Any:
    """Run the operation; half precision is computed in float32, as NumPy's products are slow."""
    given = input.data.dtype
    if given == np.float16:
        input, weight = input.astype(np.float32), weight.astype(np.float32)
        bias = None if bias is None else bias.astype(np.float32)
    axes = weight.data.ndim - 2
    result = batched(lambda x: operation.apply(x, weight, bias, windows, groups), input, axes)
    return result.astype(given)
