"""First values of parameters: they overwrite a tensor, and return it (torch.nn.init).

``fan_in`` and ``fan_out`` of a weight (out, in, k…) are in * prod(k) and out * prod(k): how many
inputs make an output, and how many outputs an input has part in. All draw from ``generator``, by
default NumPy's global one.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, ShapeError
from mytorch.generator import source_of
from mytorch.ops.activations import Ndtr
from mytorch.ops.common import check_tensors
from mytorch.ops.random import check_floating, check_std, draw_normal, draw_uniform
from mytorch.ops.special import Ndtri
from mytorch.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_GAINS = {
    **dict.fromkeys(("linear", "sigmoid", "conv1d", "conv2d", "conv3d"), 1.0),
    **dict.fromkeys((f"conv_transpose{n}d" for n in (1, 2, 3)), 1.0),
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return what a function needs its input's std multiplied by, to keep the std over layers.

    Args:
        nonlinearity: "linear", "conv1d" …, "sigmoid": 1; "tanh": 5/3; "relu": sqrt(2); "selu": 3/4;
            "leaky_relu": sqrt(2 / (1 + param**2)).
        param: the negative slope of leaky_relu, 0.01 by default.
    Raises:
        ValueError: another name, or a slope that is no number.
    """
    if nonlinearity != "leaky_relu":
        if nonlinearity not in _GAINS:
            known = ", ".join([*_GAINS, "leaky_relu"])
            raise ValueError(f"calculate_gain: nonlinearity {nonlinearity!r} is none of {known}")
        return _GAINS[nonlinearity]
    slope = 0.01 if param is None else param
    if isinstance(slope, bool) or not isinstance(slope, (int, float)):
        raise ValueError(f"calculate_gain: the slope of leaky_relu is a number, not {param!r}")
    return math.sqrt(2.0 / (1 + slope**2))


def _put(tensor: Tensor, values: Any) -> Tensor:
    """Overwrite the tensor, outside of any graph."""
    tensor.data[...] = values
    tensor.mark_changed()
    return tensor


def _source(name: str, tensor: Any, generator: Any) -> Any:
    """Return what draws for ``tensor``, or raise where it cannot be filled with draws."""
    check_tensors(name, tensor)
    check_floating(name, tensor.dtype)
    return source_of(name, generator)


def _check_ndim(name: str, tensor: Any, *wanted: int) -> None:
    check_tensors(name, tensor)
    if tensor.ndim not in wanted:
        axes = " or ".join(map(str, wanted))
        raise ShapeError(f"{name}: expects a tensor of {axes} axes, got shape {tensor.shape}")


# ------------------------------------------------------------------------------ the same for all


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number."""
    check_tensors("constant_", tensor)
    return _put(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity: a linear layer that passes its inputs on.

    Raises:
        ShapeError: it is no matrix.
    """
    _check_ndim("eye_", tensor, 2)
    return _put(tensor, np.eye(*tensor.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Make a weight (out, in, k…) that passes channels on: 1 in the middle of channel to channel.

    Args:
        groups: the out channels are that many groups, each passes on what it gets.
    Raises:
        ShapeError: not 3 to 5 axes, or ``groups`` does not divide the first.
    """
    _check_ndim("dirac_", tensor, 3, 4, 5)
    out, channels, *kernel = tensor.shape
    if out % groups:
        raise ShapeError(f"dirac_: {out} out channels do not split into {groups} groups")
    values = np.zeros(tensor.shape, tensor.dtype)
    middle = tuple(size // 2 for size in kernel)
    for group in range(groups):
        for channel in range(min(out // groups, channels)):
            values[(group * (out // groups) + channel, channel, *middle)] = 1
    return _put(tensor, values)


# ------------------------------------------------------------------------------ distributions


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Draw from U(a, b)."""
    source = _source("uniform_", tensor, generator)
    if a > b:
        raise ArgumentError(f"uniform_: a must be at most b, got {a} and {b}")
    return _put(tensor, draw_uniform(source, tensor.shape, tensor.dtype, a, b))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Draw from N(mean, std**2)."""
    source = _source("normal_", tensor, generator)
    check_std("normal_", std)
    return _put(tensor, draw_normal(source, tensor.shape, tensor.dtype, mean, std))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Draw from N(mean, std**2), of which only what lies in [a, b] counts.

    Math: x = mean + std Phi^-1(u), u ~ U(Phi((a - mean) / std), Phi((b - mean) / std)); one draw
    for each element. An interval above the mean is mirrored: Phi is exact in its lower tail.
    """
    source = _source("trunc_normal_", tensor, generator)
    if not (std > 0 and a <= b):
        raise ArgumentError(f"trunc_normal_: std {std} must be above 0, and a {a} at most b {b}")
    if not a - 2 * std <= mean <= b + 2 * std:
        warnings.warn(
            f"trunc_normal_: the mean {mean} is more than 2 std={std} outside of [{a}, {b}]",
            UserWarning,
            stacklevel=2,
        )
    ends = (np.array([a, b]) - mean) / std
    sign = -1 if ends[0] > 0 else 1
    low, high = Ndtr.value(np.sort(sign * ends))
    u = draw_uniform(source, tensor.shape, np.dtype(np.float64), low, high)
    values = mean + std * sign * Ndtri.value(u)
    low, high = (tensor.dtype.type(end) for end in (a, b))
    return _put(tensor, np.clip(values.astype(tensor.dtype), low, high))


def _fans(name: str, tensor: Any) -> tuple[int, int]:
    """Return fan_in and fan_out."""
    check_tensors(name, tensor)
    if tensor.ndim < 2:
        raise ShapeError(f"{name}: the fans are those of (out, in, …), not of {tensor.shape}")
    out, channels, *kernel = tensor.shape
    return channels * math.prod(kernel), out * math.prod(kernel)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Draw from U(-c, c), c = gain sqrt(6 / (fan_in + fan_out)): std as ``xavier_normal_``."""
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / sum(_fans("xavier_uniform_", tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Draw from N(0, std**2), std = gain sqrt(2 / (fan_in + fan_out)).

    It keeps the variance of activations and of gradients, as well as one number can.
    Source: Glorot and Bengio 2010, AISTATS.
    """
    std = gain * math.sqrt(2.0 / sum(_fans("xavier_normal_", tensor)))
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(name: str, tensor: Any, a: float, mode: str, nonlinearity: str) -> float | None:
    """Return gain / sqrt(fan); None, with a warning, of a tensor without elements."""
    check_tensors(name, tensor)
    if 0 in tensor.shape:
        warnings.warn(f"{name}: {tensor.shape} has no elements to fill", UserWarning, stacklevel=3)
        return None
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"{name}: mode must be 'fan_in' or 'fan_out', got {mode!r}")
    fan = _fans(name, tensor)[mode.lower() == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Draw from U(-c, c), c = sqrt(3) std with the std of ``kaiming_normal_``; arguments as it."""
    std = _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    return uniform_(tensor, -math.sqrt(3.0) * std, math.sqrt(3.0) * std, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Draw from N(0, std**2), std = gain / sqrt(fan), gain of the function that follows.

    Args:
        a: the negative slope, of leaky_relu.
        mode: "fan_in" keeps the variance forwards, "fan_out" that of gradients backwards.
        nonlinearity: the function's name, see ``calculate_gain``.
    Raises:
        ValueError: another mode or name; ShapeError: a tensor of fewer than 2 axes.
    Source: He et al. 2015, arXiv:1502.01852.
    """
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0.0, std, generator)


# ------------------------------------------------------------------------------ of matrices


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Make a matrix, all axes but the first taken as one, that is gain times an orthogonal one.

    Its rows are orthonormal, or its columns where there are more rows. Every such matrix is equally
    likely: Q of QR of normal draws, with the signs that make the diagonal of R positive.
    Raises:
        ShapeError: a tensor of fewer than 2 axes.
    Source: Saxe, McClelland and Ganguli 2013, arXiv:1312.6120.
    """
    source = _source("orthogonal_", tensor, generator)
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: expects at least 2 axes, got shape {tensor.shape}")
    if not tensor.data.size:
        return tensor
    rows = tensor.shape[0]
    draws = source.normal(size=(rows, tensor.data.size // rows))
    tall = draws if draws.shape[0] >= draws.shape[1] else draws.T
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diag(r))
    return _put(tensor, gain * (q if tall is draws else q.T).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Draw a matrix from N(0, std**2), and put 0 at ceil(sparsity * rows) places of each column.

    Raises:
        ShapeError: it is no matrix. Source: Martens 2010, ICML.
    """
    _check_ndim("sparse_", tensor, 2)
    source = _source("sparse_", tensor, generator)
    rows, columns = tensor.shape
    values = draw_normal(source, (rows, columns), tensor.dtype, 0.0, std)
    for column in range(columns):
        values[source.permutation(rows)[: math.ceil(sparsity * rows)], column] = 0
    return _put(tensor, values)
