"""Rows of mytorch/ops/resample.py."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from tests.op_rows.common import tensors
from tests.op_table import Bad, OpCase, Shapes

IMAGES: tuple[Shapes, ...] = (((2, 3, 4, 5),), ((1, 1, 1, 2),), ((0, 1, 2, 3),))
SIGNALS: tuple[Shapes, ...] = (((2, 3, 5),), ((1, 1, 1),))
INTEGERS = {"uint8": "torch resizes images of bytes"}


def resize(mode: str, what: str, *shapes: Shapes, bad: Any = (), **options: Any) -> OpCase:
    """The row of a mode with these options."""
    differs = INTEGERS if mode not in ("linear", "area", "trilinear") else {}
    call = lambda m, a: m.nn.functional.interpolate(a, mode=mode, **options)  # noqa: E731
    return OpCase(f"interpolate {mode} {what}", call, None, shapes, bad=bad, differs=differs)


def wrong(*shape: int, message: str, error: Any = ShapeError, **options: Any) -> Bad:
    """A wrong call of interpolate, of ones."""
    return Bad(lambda m: m.nn.functional.interpolate(*tensors(m, shape), **options), error, message)


def of(name: str, *shape: int, factor: Any, message: str) -> Bad:
    """A wrong call of another function, of ones."""
    return Bad(lambda m: getattr(m, name)(*tensors(m, shape), factor), ShapeError, message)


def shuffled(x: np.ndarray) -> np.ndarray:
    """Squares of 2 by 2 made of every four channels."""
    *batch, channels, height, width = x.shape
    result = np.empty((*batch, channels // 4, height * 2, width * 2))
    for i in (0, 1):
        for j in (0, 1):
            result[..., i::2, j::2] = x[..., i * 2 + j :: 4, :, :]
    return result


def dealt(x: np.ndarray) -> np.ndarray:
    """The channels of two halves in turn."""
    result, half = np.empty_like(x), x.shape[1] // 2
    result[:, ::2], result[:, 1::2] = x[:, :half], x[:, half:]
    return result


def upsampled(m: Any, a: Any) -> Any:
    """An image upsampled, silently: torch would have interpolate called."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return m.nn.functional.upsample(a, scale_factor=2, mode="bilinear", align_corners=True)


ROWS = [
    resize("nearest", "scale", *IMAGES, scale_factor=2,
           bad=(
               wrong(1, 3, 5, 5, message="either size or scale_factor"),
               wrong(1, 3, 5, 5, size=3, scale_factor=2, message="either size or scale_factor"),
               wrong(1, 3, 5, 5, size=(3, 3, 3), message="has 3 numbers for sizes"),
               wrong(1, 3, 5, 5, size=3, align_corners=True, message="linear and cubic modes"),
               wrong(1, 3, 5, size=3, mode="bilinear", message="'bilinear' is not for a tensor of",
                     error=NotImplementedError),
               wrong(1, 3, 5, size=3, mode="sinc", message="'sinc'", error=NotImplementedError),
               wrong(3, 5, size=3, message=r"expects \(N, C, L\)", error=NotImplementedError),
               wrong(1, 3, 5, size=0, message="must be positive"),
               wrong(1, 3, 5, 5, scale_factor=0.1, message=r"must be positive.*\(0, 0\)"),
           )),
    resize("nearest", "size", *IMAGES, size=(3, 7)),
    resize("nearest", "odd scale", *SIGNALS, scale_factor=1.7),
    resize("nearest", "volumes", ((1, 1, 2, 3, 1),), scale_factor=(1.5, 1, 2)),
    resize("nearest-exact", "size", *IMAGES, size=(3, 7)),
    resize("nearest-exact", "down", ((2, 1, 7),), size=3),
    resize("linear", "scale", *SIGNALS, scale_factor=2.5),
    resize("linear", "corners", *SIGNALS, size=7, align_corners=True),
    resize("linear", "recomputed", ((1, 2, 5),), scale_factor=1.3, recompute_scale_factor=True),
    resize("bilinear", "scale", *IMAGES, scale_factor=2),
    resize("bilinear", "down", ((2, 3, 7, 5),), size=(3, 1)),
    resize("bilinear", "corners", *IMAGES, size=(7, 2), align_corners=True),
    resize("bicubic", "scale", ((2, 1, 4, 5),), scale_factor=(2, 0.6)),
    resize("bicubic", "corners", ((2, 1, 4, 5),), size=(3, 9), align_corners=True),
    resize("trilinear", "scale", ((1, 1, 2, 3, 2),), scale_factor=(2, 1.5, 1)),
    resize("area", "size", ((2, 3, 4, 5),), ((1, 1, 6, 2),), size=(3, 2)),
    resize("area", "scale", ((2, 1, 5),), scale_factor=2),
    OpCase("upsample", upsampled, None, IMAGES[:1], differs=INTEGERS),
    OpCase("pixel_shuffle", lambda m, a: m.pixel_shuffle(a, 2),
           shuffled,
           (((2, 8, 2, 3),), ((4, 1, 2),), ((1, 2, 4, 2, 1),)),
           bad=(
               of("pixel_shuffle", 1, 3, 5, 5, factor=2, message="3 channels"),
               of("pixel_shuffle", 5, 5, factor=2, message=r"\(…, C, H, W\), got \(5, 5\)"),
               of("pixel_shuffle", 1, 4, 5, 5, factor=0, message="at least 1, got 0"),
           )),
    OpCase("pixel_unshuffle", lambda m, a: m.pixel_unshuffle(a, 2), None,
           (((2, 2, 4, 6),), ((1, 2, 2),)),
           bad=(of("pixel_unshuffle", 1, 3, 4, 5, factor=2, message=r"size \(4, 5\)"),)),
    OpCase("channel_shuffle", lambda m, a: m.channel_shuffle(a, 2), dealt,
           (((2, 6, 2, 3),), ((1, 2, 1),), ((0, 4, 2, 1, 2),)),
           bad=(
               of("channel_shuffle", 1, 4, 5, factor=3, message="groups=3 .* the 4 channels"),
               of("channel_shuffle", 1, 4, 5, factor=0, message="groups=0 must be positive"),
               of("channel_shuffle", 2, 4, factor=2, message=r"three axes or more, got \(2, 4\)"),
           )),
]  # fmt: skip
