"""interpolate, upsample, pixel_shuffle and pixel_unshuffle: images of another size.

Resizing is linear and works along each axis by itself: each result is a mixture of a few elements,
whose places and weights make a sparse matrix.
Source: torch.nn.functional.interpolate; R. Keys, "Cubic convolution interpolation for digital
image processing" (1981).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.ops.adaptive import means_of_parts
from mytorch.ops.common import float_data
from mytorch.ops.pointwise import clone
from mytorch.ops.registry import operation
from mytorch.ops.sparse import Sparse, along_axis

__all__ = ["interpolate", "pixel_shuffle", "pixel_unshuffle", "upsample"]

_AXES = {  # mode -> how many axes it is for; None: any number
    "nearest": None,
    "nearest-exact": None,
    "area": None,
    "linear": 1,
    "bilinear": 2,
    "bicubic": 2,
    "trilinear": 3,
}


@operation("functional")
def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Return signals, images or volumes of another size (torch.nn.functional.interpolate).

    Args:
        input (Tensor): (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: of each axis after the channels, or one for all; or else ``scale_factor``, by which
            the sizes are multiplied, and rounded down.
        mode: "nearest", the element at floor(i * old / new); "nearest-exact", the one nearest to
            the middle of the new one; "linear", "bilinear" or "trilinear" for 1, 2 or 3 axes, the
            mean of the two elements around, by distance; "bicubic", of the four around, with cubic
            weights (A = -3/4); "area", the mean of the part that the new element covers.
        align_corners: of the linear and cubic modes: the middles of the first and the last element
            stay where they are; by default (False) the outer edges of the image do.
        recompute_scale_factor: take the ratio of the sizes, after rounding, as the scale.
    Returns:
        Tensor: of the dtype of input.
    Raises:
        ValueError: size and scale_factor both or neither, or not of the axes; align_corners of
            another mode. NotImplementedError: a mode not of these axes; antialias.
        ShapeError: sizes below 1; DtypeError: no floats.
    """
    float_data("interpolate", input)
    sizes = input.data.shape[2:]
    _check_mode(input.data.shape, mode, align_corners)
    if antialias:
        raise NotImplementedError("interpolate: antialias is not supported; blur with avg_pool2d")
    wanted, scales = _new_sizes(sizes, size, scale_factor)
    if min(*sizes, *wanted) < 1:
        raise ShapeError(f"interpolate: sizes must be positive, got {sizes} and {tuple(wanted)}")
    if recompute_scale_factor:
        scales = [None] * len(sizes)
    result = input
    dtype = np.result_type(input.data.dtype, np.float32)  # torch computes places in this, too
    for axis, (old, new, scale) in enumerate(zip(sizes, wanted, scales, strict=True), start=2):
        if old == new and mode.endswith("linear"):
            continue  # whatever the scale says, as in torch
        step = _step(old, new, scale, bool(align_corners), dtype)
        if mode == "area":
            matrix = means_of_parts(old, new)
        elif mode.startswith("nearest"):
            matrix = _nearest(old, new, step, mode)
        else:
            mixture = _cubic if mode == "bicubic" else _linear
            matrix = mixture(old, new, step, bool(align_corners))
        result = along_axis(result, matrix, axis)
    return result if result is not input else clone(input)


def _check_mode(shape: tuple[int, ...], mode: str, align_corners: bool | None) -> None:
    """Raise unless the mode is for tensors of this shape, and knows ``align_corners``."""
    axes = len(shape) - 2
    if mode not in _AXES or not 1 <= axes <= 3 or _AXES[mode] not in (None, axes):
        fitting = [name for name, number in _AXES.items() if number in (None, axes)]
        raise NotImplementedError(
            f"interpolate: mode {mode!r} is not for a tensor of shape {shape}; expects (N, C, L), "
            f"(N, C, H, W) or (N, C, D, H, W), with as many axes: {', '.join(fitting)}"
        )
    if align_corners is not None and _AXES[mode] is None:
        raise ShapeError(f"interpolate: align_corners is for linear and cubic modes, not {mode!r}")


def _new_sizes(
    sizes: tuple[int, ...], size: Any, scale_factor: Any
) -> tuple[list[int], list[float | None]]:
    """Return the new size of each axis, and the scale factor where it was given."""
    if (size is None) == (scale_factor is None):
        raise ShapeError("interpolate: expects either size or scale_factor")
    given = scale_factor if size is None else size
    numbers = list(given) if isinstance(given, (tuple, list)) else [given] * len(sizes)
    if len(numbers) != len(sizes):
        raise ShapeError(f"interpolate: {given} has {len(numbers)} numbers for sizes {sizes}")
    if size is not None:
        return [int(each) for each in numbers], [None] * len(sizes)
    wanted = [math.floor(n * float(scale)) for n, scale in zip(sizes, numbers, strict=True)]
    return wanted, [float(scale) for scale in numbers]


def _step(old: int, new: int, scale: float | None, align_corners: bool, dtype: Any) -> Any:
    """Return how far apart, in elements of the old axis, two elements of the new one are."""
    if align_corners:
        return dtype.type(old - 1) / dtype.type(new - 1) if new > 1 else dtype.type(0)
    return dtype.type(1.0 / scale) if scale else dtype.type(old) / dtype.type(new)


def _nearest(old: int, new: int, step: Any, mode: str) -> Sparse:
    number = np.arange(new, dtype=step.dtype)
    places = (number + step.dtype.type(0.5)) * step if mode == "nearest-exact" else number * step
    columns = np.floor(places.astype(np.float32)).astype(np.intp).clip(0, old - 1)
    return Sparse(np.arange(new), columns, np.ones(new), new, old)


def _linear(old: int, new: int, step: Any, align_corners: bool) -> Sparse:
    places = _middles(new, step, align_corners).clip(0)
    first = np.minimum(places.astype(np.intp), old - 1)
    second = np.minimum(first + 1, old - 1)
    share = np.minimum(places - first, 1)
    return _mixture([first, second], [1 - share, share], old)


def _cubic(old: int, new: int, step: Any, align_corners: bool) -> Sparse:
    places = _middles(new, step, align_corners)
    below = np.floor(places)
    t = places - below
    columns = [(below.astype(np.intp) + k).clip(0, old - 1) for k in (-1, 0, 1, 2)]
    return _mixture(columns, [_far(t + 1), _near(t), _near(1 - t), _far(2 - t)], old)


def _near(x: Any) -> Any:
    """The weight of an element at a distance x up to 1, for A = -3/4."""
    return (1.25 * x - 2.25) * x * x + 1


def _far(x: Any) -> Any:
    """The weight of an element at a distance x from 1 to 2, for A = -3/4."""
    return ((-0.75 * x + 3.75) * x - 6) * x + 3


def _middles(new: int, step: Any, align_corners: bool) -> np.ndarray:
    """Return where the new elements are on the old axis, whose elements are at 0, 1, …"""
    number = np.arange(new, dtype=step.dtype)
    half = step.dtype.type(0.5)
    return number * step if align_corners else (number + half) * step - half


def _mixture(columns: list[np.ndarray], weights: list[np.ndarray], old: int) -> Sparse:
    """Return the matrix whose row i mixes the i-th elements of ``columns``."""
    new = len(columns[0])
    rows = np.repeat(np.arange(new), len(columns))
    return Sparse(rows, np.stack(columns, 1).ravel(), np.stack(weights, 1).ravel(), new, old)


@operation("functional")
def upsample(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:
    """Return ``interpolate`` of the arguments: its older name (torch.nn.functional.upsample)."""
    return interpolate(input, size, scale_factor, mode, align_corners)


@operation(("mytorch", "functional"), method=False)
def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Return (…, C * r * r, H, W) as (…, C, H * r, W * r), r = ``upscale_factor`` (pixel_shuffle).

    Each r * r channels become squares of r by r elements.
    Raises:
        ShapeError: channels that r * r does not divide.
    Source: W. Shi et al., "Real-time single image and video super-resolution using an efficient
    sub-pixel convolutional neural network" (2016).
    """
    batch, (channels, height, width), r = _image("pixel_shuffle", input, upscale_factor)
    if channels % (r * r):
        raise ShapeError(
            f"pixel_shuffle: {channels} channels of {input.data.shape} are not divisible by "
            f"{r} * {r}"
        )
    parts = input.reshape((*batch, channels // (r * r), r, r, height, width))
    return _exchanged(parts, (0, 3, 1, 4, 2)).reshape(
        (*batch, channels // (r * r), height * r, width * r)
    )


@operation(("mytorch", "functional"), method=False)
def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """Return (…, C, H * r, W * r) as (…, C * r * r, H, W): ``pixel_shuffle`` taken back."""
    batch, (channels, height, width), r = _image("pixel_unshuffle", input, downscale_factor)
    if height % r or width % r:
        raise ShapeError(
            f"pixel_unshuffle: the size {(height, width)} of {input.data.shape} is not divisible "
            f"by {r}"
        )
    parts = input.reshape((*batch, channels, height // r, r, width // r, r))
    return _exchanged(parts, (0, 2, 4, 1, 3)).reshape(
        (*batch, channels * r * r, height // r, width // r)
    )


@operation(("mytorch", "functional"), method=False)
def channel_shuffle(input: Any, groups: int) -> Any:
    """Return (N, C, …) with the channels of ``groups`` groups dealt out in turn (channel_shuffle).

    Math: y[n, j * groups + i] = x[n, i * C / groups + j], the j-th channel of group i.
    Raises:
        ShapeError: fewer than three axes; groups that do not divide the channels.
    Source: X. Zhang et al., "ShuffleNet" (2018).
    """
    shape = input.data.shape
    if len(shape) < 3:
        raise ShapeError(f"channel_shuffle: expects (N, C, …) of three axes or more, got {shape}")
    if groups < 1 or shape[1] % groups:
        raise ShapeError(
            f"channel_shuffle: groups={groups} must be positive and divide the {shape[1]} channels "
            f"of {shape}"
        )
    parts = input.reshape((shape[0], groups, shape[1] // groups, *shape[2:]))
    return np.swapaxes(parts, 1, 2).reshape(shape)


def _image(name: str, input: Any, factor: int) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Return the axes before the channels, (C, H, W), and the factor."""
    shape = input.data.shape
    if len(shape) < 3:
        raise ShapeError(f"{name}: expects (…, C, H, W), got {shape}")
    if factor < 1:
        raise ShapeError(f"{name}: the factor must be at least 1, got {factor}")
    return shape[:-3], shape[-3:], factor


def _exchanged(x: Any, order: tuple[int, ...]) -> Any:
    """Return x with its last axes in this order."""
    before = x.ndim - len(order)
    return np.transpose(x, (*range(before), *[before + axis for axis in order]))
