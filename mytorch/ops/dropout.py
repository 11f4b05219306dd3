"""Dropout: of elements, of whole channels, and such that mean and variance are kept.

Masks are drawn by NumPy's global generator, as in the handout; ``np.random.seed`` repeats them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ArgumentError, ShapeError
from mytorch.ops.common import check_tensors, float_data
from mytorch.ops.registry import operation

__all__ = ["Dropout"]


class Dropout(Function):
    """y = x * mask / (1 - p) with mask ~ Bernoulli(1 - p);  dy/dx = mask / (1 - p).

    In evaluation (``is_train=False``) the identity. The mask is drawn by NumPy's global generator:
    ``np.random.binomial(1, 1 - p, shape)``, shape being that of x, or one that broadcasts to it.
    """

    on_arrays = True

    @staticmethod
    def forward(
        ctx: Any,
        x: Any,
        p: float = 0.5,
        is_train: bool = False,
        shape: tuple[int, ...] | None = None,
    ) -> Any:
        keep = np.ones_like(x.data)
        if is_train:
            keep = drawn(x.data, p, x.data.shape if shape is None else shape)
            keep /= x.data.dtype.type(max(1 - p, np.finfo(x.data.dtype).tiny))
        ctx.save_for_backward(x.new(keep))
        return x.new(x.data * keep)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (keep,) = ctx.saved_tensors
        return grad_output * keep, None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent * ctx.saved_tensors[0]


def drawn(x: np.ndarray, p: float, shape: tuple[int, ...]) -> np.ndarray:
    """Return 1 with probability 1 - p, else 0, for each element of ``shape``, in the dtype of x."""
    return np.asarray(np.random.binomial(1, 1 - p, shape)).astype(x.dtype)


def _checked_shape(name: str, input: Any, p: float) -> tuple[int, ...]:
    if not 0 <= p <= 1:
        raise ArgumentError(f"{name}: p must be in [0, 1], got {p}")
    check_tensors(name, input)
    return input.data.shape


# ------------------------------------------------------------------------------ the functions


def _dropped(
    name: str, input: Any, p: float, training: bool, inplace: bool, shape: Any = None
) -> Any:
    if not training or p == 0:
        return input
    float_data(name, input)
    if inplace:
        return input._overwrite(name, Dropout.apply, p, True, shape)
    return Dropout.apply(input, p, True, shape)


@operation(space=("mytorch", "functional"), method=False)
def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero each element with probability ``p``, scale the rest by 1/(1-p) (torch's dropout).

    Raises:
        ArgumentError: p outside [0, 1].
    Source: Srivastava et al. 2014, JMLR 15.
    """
    _checked_shape("dropout", input, p)
    return _dropped("dropout", input, p, training, inplace)


@operation("functional")
def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, L) or (C, L) (torch.nn.functional.dropout1d)."""
    return _drop_channels("dropout1d", input, p, training, inplace, 3)


@operation("functional")
def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, H, W) (torch.nn.functional.dropout2d).

    As in torch, the first two axes of another number of axes are taken as N and C.
    """
    return _drop_channels("dropout2d", input, p, training, inplace, None)


@operation("functional")
def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, D, H, W) or (C, D, H, W) (torch.nn.functional.dropout3d)."""
    return _drop_channels("dropout3d", input, p, training, inplace, 5)


def _drop_channels(
    name: str, input: Any, p: float, training: bool, inplace: bool, rank: int | None
) -> Any:
    """Drop channels: of the second axis, or of the first where the axis N is missing."""
    shape = _checked_shape(name, input, p)
    if rank is None and len(shape) < 2 or rank is not None and len(shape) not in (rank, rank - 1):
        expected = "at least 2" if rank is None else f"{rank - 1} or {rank}"
        raise ShapeError(f"{name}: expects {expected} axes, got shape {shape}")
    leading = 1 if len(shape) + 1 == rank else 2
    return _dropped(name, input, p, training, inplace, _of_channels(shape, leading))


def _of_channels(shape: tuple[int, ...], leading: int = 2) -> tuple[int, ...]:
    """Return ``shape`` with size 1 at all axes but the leading ones."""
    return (*shape[:leading], *[1] * (len(shape) - leading))


@operation(space=("mytorch", "functional"), method=False)
def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Drop elements to selu's limit, and rescale to mean 0, variance 1: the dropout for selu.

    Math: y = a (x m - 1.758 (1 - m)) + b, m ~ Bernoulli(1 - p), with a and b such that mean 0 and
    variance 1 of x are those of y.
    Source: torch.nn.functional.alpha_dropout; Klambauer et al. 2017, arXiv:1706.02515.
    """
    shape = _checked_shape("alpha_dropout", input, p)
    return _alpha_dropped("alpha_dropout", input, p, training, inplace, shape)


@operation(space=("mytorch", "functional"), method=False)
def feature_alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """As ``alpha_dropout``, whole channels of (N, C, …) (torch's feature_alpha_dropout)."""
    shape = _checked_shape("feature_alpha_dropout", input, p)
    if len(shape) < 2:
        raise ShapeError(f"feature_alpha_dropout: expects at least 2 axes, got shape {shape}")
    shape = _of_channels(shape)
    return _alpha_dropped("feature_alpha_dropout", input, p, training, inplace, shape)


def _alpha_dropped(
    name: str, input: Any, p: float, training: bool, inplace: bool, shape: tuple[int, ...]
) -> Any:
    if not training or p == 0:
        return input
    x = float_data(name, input)
    limit = -1.7580993408473766  # of selu(x) as x goes to minus infinity
    keep = drawn(x, p, shape)
    a = 0.0 if p == 1 else ((1 - p) * (1 + p * limit**2)) ** -0.5
    scale = input.new(keep * x.dtype.type(a))
    shift = input.new((1 - keep) * x.dtype.type(a * limit) - x.dtype.type(a * p * limit))

    def dropped(tensor: Any) -> Any:
        return tensor * scale + shift

    return input._overwrite(name, dropped) if inplace else dropped(input)
