"""Images of another size, and images as windows or channels (torch.nn.Upsample, Fold …).

Formulas and conventions are at the functions of the same names in ``nn.functional``; that of
``Upsample`` is ``interpolate``.
"""

from __future__ import annotations

from collections.abc import Sequence

import mytorch.nn.functional as F
from mytorch.nn.function_module import FunctionModule

__all__ = [
    "ChannelShuffle",
    "Fold",
    "PixelShuffle",
    "PixelUnshuffle",
    "Unfold",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
]

Sizes = int | Sequence[int]
Factors = float | Sequence[float]


class Upsample(FunctionModule, function=F.interpolate):
    """y = signals (N, C, L), images (N, C, H, W) or volumes (N, C, D, H, W) of another size.

    Args:
        size: of each axis after the channels, or one for all; or else ``scale_factor``, by which
            the sizes are multiplied.
        mode: "nearest", "linear", "bilinear", "bicubic", "trilinear" and others.
        align_corners: the middles of the first and the last element stay where they are.
        recompute_scale_factor: take the ratio of the sizes, after rounding, as the scale.
    """

    def __init__(
        self,
        size: Sizes | None = None,
        scale_factor: Factors | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ):
        factor = scale_factor
        if isinstance(factor, Sequence):
            factor = tuple(map(float, factor))
        super().__init__(
            size=size,
            scale_factor=float(factor) if isinstance(factor, (int, float)) else factor,
            mode=mode,
            align_corners=align_corners,
            recompute_scale_factor=recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        """Return size or scale, and mode."""
        name = "size" if self.scale_factor is None else "scale_factor"
        return f"{name}={getattr(self, name)!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """y = images of another size, each element the nearest one."""

    def __init__(self, size: Sizes | None = None, scale_factor: Factors | None = None):
        super().__init__(size, scale_factor)


class UpsamplingBilinear2d(Upsample):
    """y = images of another size, by bilinear interpolation; the corners stay where they are."""

    def __init__(self, size: Sizes | None = None, scale_factor: Factors | None = None):
        super().__init__(size, scale_factor, "bilinear", True)


class PixelShuffle(FunctionModule, function=F.pixel_shuffle):
    """y = (…, C, H * r, W * r) of x (…, C * r * r, H, W), r = ``upscale_factor``.

    Each r * r channels become squares of r by r elements.
    """

    def __init__(self, upscale_factor: int):
        super().__init__(upscale_factor=upscale_factor)


class PixelUnshuffle(FunctionModule, function=F.pixel_unshuffle):
    """y = (…, C * r * r, H, W) of x (…, C, H * r, W * r): ``PixelShuffle`` taken back."""

    def __init__(self, downscale_factor: int):
        super().__init__(downscale_factor=downscale_factor)


class ChannelShuffle(FunctionModule, function=F.channel_shuffle):
    """y = (N, C, …) with the channels of ``groups`` groups dealt out in turn."""

    def __init__(self, groups: int):
        super().__init__(groups=groups)


class Unfold(FunctionModule, function=F.unfold):
    """y = the windows of images (N, C, H, W) as columns, (N, C * h * w, windows); im2col."""

    def __init__(
        self, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
    ):
        sizes = {"kernel_size": kernel_size, "dilation": dilation}
        super().__init__(**sizes, padding=padding, stride=stride)


class Fold(FunctionModule, function=F.fold):
    """y = images (N, C, *output_size), the sums of columns (N, C * h * w, windows); col2im."""

    def __init__(
        self,
        output_size: Sizes,
        kernel_size: Sizes,
        dilation: Sizes = 1,
        padding: Sizes = 0,
        stride: Sizes = 1,
    ):
        sizes = {"output_size": output_size, "kernel_size": kernel_size, "dilation": dilation}
        super().__init__(**sizes, padding=padding, stride=stride)
