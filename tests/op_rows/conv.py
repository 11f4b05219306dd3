"""Rows of mytorch/ops/conv.py and convolution.py."""

from __future__ import annotations

from typing import Any

import numpy as np

import mytorch.nn.functional as F
from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.convolution import KernelGradient
from mytorch.ops.windows import windows_on
from tests.op_rows.common import tensors
from tests.op_table import DTYPES, Bad, OpCase, Shapes

DILATED_INTEGERS = dict.fromkeys(DTYPES[1:5], "torch dilates no kernels of integers")
TRANSPOSED_INTEGERS = dict.fromkeys(
    ("uint8", "int16", "int32"), "torch transposes convolutions of int64 alone among the integers"
)


def conv(name: str, what: str, *shapes: Shapes, bad: Any = (), **options: Any) -> OpCase:
    """The row of a convolution with these options; the shapes are of input, weight and bias."""
    return OpCase(
        f"{name} {what}",
        lambda m, *operands: getattr(m.nn.functional, name)(*operands, **options),
        None,
        shapes,
        bad=bad,
        differs=TRANSPOSED_INTEGERS
        if "transpose" in name
        else DILATED_INTEGERS
        if "dilation" in options
        else {},
    )


def wrong(
    name: str, *shapes: tuple[int, ...], message: str, error: Any = ShapeError, **options: Any
) -> Bad:
    """A wrong call of a convolution, of ones of these shapes."""
    return Bad(
        lambda m: getattr(m.nn.functional, name)(*tensors(m, *shapes), **options), error, message
    )


def of_ones(name: str, message: str, error: Any = ShapeError, **options: Any) -> Bad:
    """A wrong call that is right but for its options."""
    shapes = ((1, 4, 5), (4, 2, 3)) if name.endswith("1d") else ((1, 4, 5, 5), (4, 2, 3, 3))
    return wrong(name, *shapes, message=message, error=error, **{"groups": 2, **options})


def mixed(m: Any, *dtypes: Any) -> Any:
    """A convolution of ones whose image, kernel and bias are of these dtypes."""
    shapes = (1, 2, 5), (3, 2, 3), (3,)
    return m.nn.functional.conv1d(
        *[m.tensor(np.ones(shape, dtype)) for shape, dtype in zip(shapes, dtypes, strict=False)]
    )


def signals(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The homework's convolution with stride 2, window by window."""
    starts = range(0, x.shape[2] - weight.shape[2] + 1, 2)
    products = [
        np.tensordot(x[:, :, s : s + weight.shape[2]], weight, ([1, 2],) * 2) for s in starts
    ]
    return np.stack(products, 2) + bias[:, None]


def kernel_gradient(m: Any, x: Any, y: Any) -> Any:
    """The gradient of a kernel of 2 by 3 elements, by mytorch; by torch through autograd."""
    size, kernel, grid = x.shape[2:], (2, 3), y.shape[2:]
    if m.__name__ == "mytorch":
        return KernelGradient.apply(x, y, windows_on(size, kernel, (1, 1), (1, 1), (0, 0), grid), 1)
    weight = m.zeros((y.shape[1], x.shape[1], *kernel), dtype=x.dtype, requires_grad=True)
    product = (m.nn.functional.conv2d(x, weight) * y).sum()
    return m.autograd.grad(product, weight, create_graph=True)[0]


ROWS = [
    conv("conv1d", "plain", ((2, 3, 7), (4, 3, 3), (4,)), ((3, 7), (4, 3, 3), (4,)),
         ((0, 3, 7), (4, 3, 3), (4,)), ((1, 1, 3), (1, 1, 3), (1,)), ((2, 2, 5), (3, 2, 1), (3,)),
         bad=(
             wrong("conv1d", (2, 3, 7), (4, 2, 3), message=r"\(2, 3, 7\) has 3 channels.*needs 2"),
             wrong("conv1d", (5,), (4, 2, 3), message=r"\(N, C, L\) or \(C, L\), got \(5,\)"),
             wrong("conv1d", (2, 3, 7), (4, 3), message="weight must have 3 axes"),
             wrong("conv1d", (2, 3, 7), (4, 3, 3), (3,), message=r"bias has shape.*needs \(4,\)"),
             wrong("conv1d", (2, 3, 7), (4, 3, 8), message="larger than the padded input"),
             of_ones("conv1d", r"has 2 numbers for 1 axes", stride=(1, 1)),
             of_ones("conv1d", "stride is an integer", TypeError, stride=1.5),
             Bad(lambda m: mixed(m, np.float64, np.float32), DtypeError, "float64 and float32"),
             Bad(lambda m: mixed(m, *[np.float64] * 2, np.float32), DtypeError, "and float32"),
             Bad(lambda m: mixed(m, bool, bool), DtypeError, "not for booleans",
                 torch=False),  # NotImplementedError
             Bad(lambda m: m.conv1d([1.0], m.zeros(1, 1, 1)), TypeError, "expects a Tensor"),
         )),
    conv("conv1d", "without bias", ((2, 3, 7), (4, 3, 3)), ((2, 1, 6), (1, 1, 2))),
    conv("conv1d", "stride", ((2, 3, 8), (4, 3, 3)), ((2, 3, 9), (4, 3, 2)), stride=3),
    conv("conv1d", "all", ((2, 4, 9), (6, 2, 3), (6,)), stride=2, padding=3, dilation=2, groups=2),
    conv("conv1d", "same", ((2, 3, 6), (4, 3, 5)), ((3, 5), (2, 3, 3)), padding="same"),
    conv("conv2d", "plain", ((2, 3, 5, 6), (4, 3, 3, 2), (4,)), ((3, 5, 6), (4, 3, 3, 2), (4,)),
         ((0, 3, 5, 6), (4, 3, 3, 2), (4,)), ((2, 3, 4, 5), (4, 3, 4, 5), (4,)),
         ((2, 3, 4, 5), (2, 3, 1, 1), (2,)),
         bad=(
             wrong("conv2d", (1, 3, 5, 5), (2, 2, 3, 3),
                   message=r"\(1, 3, 5, 5\) has 3 channels, but weight \(2, 2, 3, 3\)"),
             wrong("conv2d", (3, 5), (2, 3, 3, 3), message=r"\(N, C, H, W\) or \(C, H, W\), got"),
             wrong("conv2d", (1, 3, 5, 5), (2, 3, 6, 3), message=r"kernel \(6, 3\).*\(5, 5\)"),
             wrong("conv2d", (1, 3, 0, 5), (2, 3, 1, 3), message="larger than the padded input"),
             wrong("conv2d", (1, 3, 5, 5), (2, 3, 0, 3), message="weight must have 4 axes"),
             wrong("conv2d", (1, 3, 5, 5), (0, 3, 3, 3), message="weight must have 4 axes"),
             wrong("conv2d", (1, 4, 5, 5), (3, 2, 3, 3), groups=2, message="groups=2 do not"),
             of_ones("conv2d", "groups must be at least 1, got 0", groups=0),
             of_ones("conv2d", "stride must be at least 1, got 0", stride=0),
             of_ones("conv2d", "stride must be at least 1", stride=(1, -1)),
             of_ones("conv2d", "dilation must be at least 1", dilation=0),
             of_ones("conv2d", "reaches over", dilation=3),
             of_ones("conv2d", "padding must be at least 0", padding=-1),
             of_ones("conv2d", "padding is 'same', 'valid' or integers", padding="full"),
             of_ones("conv2d", "needs stride 1", stride=2, padding="same"),
         )),
    conv("conv2d", "without bias", ((2, 3, 5, 6), (4, 3, 3, 2)), ((2, 3, 4, 4), (2, 3, 1, 1))),
    conv("conv2d", "stride", ((2, 2, 8, 7), (3, 2, 3, 2)), ((2, 2, 5, 4), (3, 2, 1, 1)),
         stride=(2, 3)),
    conv("conv2d", "padding", ((2, 2, 4, 3), (3, 2, 3, 4)), ((2, 2, 1, 2), (3, 2, 3, 4)),
         padding=(1, 2)),
    conv("conv2d", "dilation", ((2, 2, 7, 6), (3, 2, 3, 2)), dilation=(2, 3)),
    conv("conv2d", "groups", ((2, 4, 4, 4), (6, 2, 3, 3), (6,)), groups=2, padding=1),
    conv("conv2d", "depthwise", ((2, 3, 4, 4), (3, 1, 3, 3)), ((2, 3, 4, 4), (6, 1, 2, 2)),
         groups=3),
    conv("conv2d", "all", ((2, 4, 7, 8), (2, 2, 3, 2), (2,)), groups=2, padding=(2, 1),
         dilation=(2, 1), stride=(2, 3)),
    conv("conv2d", "same", ((1, 2, 4, 5), (2, 2, 4, 3)), padding="same", dilation=(2, 1)),
    conv("conv2d", "valid", ((1, 2, 4, 5), (2, 2, 2, 3)), padding="valid", stride=2),
    conv("conv_transpose1d", "plain", ((2, 3, 4), (3, 2, 3), (2,)), ((3, 4), (3, 2, 3), (2,)),
         ((0, 3, 4), (3, 2, 3), (2,))),
    conv("conv_transpose1d", "all", ((2, 4, 4), (4, 3, 3), (6,)), stride=3, padding=1,
         output_padding=2, groups=2, dilation=2),
    conv("conv_transpose2d", "plain", ((2, 3, 2, 3), (3, 2, 3, 2), (2,)),
         ((3, 2, 3), (3, 2, 3, 2), (2,)), ((0, 3, 2, 3), (3, 2, 3, 2), (2,)),
         bad=(
             wrong("conv_transpose2d", (1, 3, 5, 5), (2, 2, 3, 3), message="is for 2"),
             wrong("conv_transpose2d", (1, 3, 5, 5), (3, 2, 3, 3), (3,), message=r"needs \(2,\)"),
             wrong("conv_transpose2d", (1, 3, 1, 1), (3, 2, 3, 3), padding=2,
                   message=r"result of size \(-1, -1\)"),
             of_ones("conv_transpose2d", "must be smaller than stride", output_padding=1),
             of_ones("conv_transpose2d", "output_padding must be at least 0", output_padding=-1),
             of_ones("conv_transpose2d", "padding is an integer", TypeError, padding="same"),
             wrong("conv_transpose2d", (1, 3, 5, 5), (3, 2, 3, 3), groups=2, message="divide"),
         )),
    conv("conv_transpose2d", "without bias", ((2, 3, 2, 3), (3, 2, 3, 2)),
         ((2, 3, 1, 1), (3, 2, 3, 2)), stride=2),
    conv("conv_transpose2d", "all", ((2, 4, 3, 2), (4, 1, 3, 2), (2,)), groups=2, padding=(2, 1),
         dilation=(2, 1), stride=(2, 3), output_padding=(1, 2)),
    conv("conv_transpose2d", "depthwise", ((2, 3, 2, 2), (3, 1, 3, 3)), groups=3, padding=1),
    OpCase("Conv1d homework", lambda m, x, w, b: F.Conv1d.apply(x, w, b, 2), signals,
           (((2, 3, 7), (4, 3, 3), (4,)), ((2, 3, 8), (4, 3, 3), (4,)),
            ((1, 1, 2), (1, 1, 2), (1,))),
           torch=lambda t, x, w, b: t.nn.functional.conv1d(x, w, b, 2)),
    OpCase("KernelGradient", kernel_gradient, None,
           (((2, 3, 4, 5), (2, 2, 3, 3)), ((1, 1, 2, 3), (1, 1, 1, 1))),
           differs=dict.fromkeys(DTYPES[:5], "torch has no gradients of integers")),
]  # fmt: skip
