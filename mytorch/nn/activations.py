"""Activation functions of each element, as modules; ``inplace=True`` overwrites the input.

Those along an axis are in ``softmax.py``. Source: torch.nn; the papers are named in nn.functional.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import mytorch.nn.functional as F
from mytorch.errors import AssertedError
from mytorch.nn.function_module import FunctionModule
from mytorch.nn.module import Module, Parameter
from mytorch.nn.parameter import check_sizes, parameter_dtype
from mytorch.tensor import Tensor

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class ReLU(FunctionModule, function=F.relu):
    """y = max(x, 0), with gradient 0 at 0."""

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)


class Sigmoid(FunctionModule, function=F.sigmoid):
    """y = 1 / (1 + e**-x)."""

    def __init__(self) -> None:
        super().__init__()


class Tanh(FunctionModule, function=F.tanh):
    """y = tanh(x)."""

    def __init__(self) -> None:
        super().__init__()


# ------------------------------------------------------------------------------ of relu's family


class ReLU6(FunctionModule, function=F.relu6):
    """y = x limited to [0, 6], with gradient 0 at both."""

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)


class LeakyReLU(FunctionModule, function=F.leaky_relu):
    """y = x where x > 0, else negative_slope x."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False):
        super().__init__(negative_slope=negative_slope, inplace=inplace)


class PReLU(Module):
    """y = x where x > 0, else a x, with a slope a that learns: one, or one for each channel.

    Args:
        num_parameters: 1, or the channels C of (N, C, …); init: what the slopes are at first.
        device: the CPU; dtype: of the slopes, by default the default dtype.
    Attributes:
        weight (Tensor): (num_parameters,), the slopes. Weight decay is not for them.
    Source: torch.nn.PReLU; He et al. 2015, arXiv:1502.01852.
    """

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ):
        super().__init__()
        check_sizes("PReLU", num_parameters=num_parameters)
        self.num_parameters = num_parameters
        self.init = init
        wanted = parameter_dtype("PReLU", dtype, device)
        self.weight = Parameter(np.full(num_parameters, init, wanted))

    def reset_parameters(self) -> None:
        """Make the slopes what they were at first."""
        self.weight.data[...] = self.init
        self.weight.mark_changed()

    def forward(self, input: Tensor) -> Tensor:
        """Return the result, of input's shape."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """Return how many slopes there are."""
        return f"num_parameters={self.num_parameters}"


class RReLU(FunctionModule, function=F.rrelu):
    """y = x where x > 0, else a x, a drawn from [lower, upper) in training, else their mean."""

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False):
        super().__init__(lower=lower, upper=upper, inplace=inplace)

    def forward(self, input: Tensor) -> Tensor:
        """Return the result, of input's shape."""
        return F.rrelu(input, self.lower, self.upper, self.is_train, self.inplace)


class ELU(FunctionModule, function=F.elu):
    """y = x where x > 0, else alpha (e**x - 1)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False):
        super().__init__(alpha=alpha, inplace=inplace)


class SELU(FunctionModule, function=F.selu):
    """y = 1.0507 x where x > 0, else 1.0507 * 1.6733 (e**x - 1): keeps mean 0 and variance 1."""

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)


class CELU(FunctionModule, function=F.celu):
    """y = x where x > 0, else alpha (e**(x / alpha) - 1)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False):
        super().__init__(alpha=alpha, inplace=inplace)


# ------------------------------------------------------------------------------ smooth ones


class GELU(FunctionModule, function=F.gelu):
    """y = x Phi(x), Phi the normal distribution; ``approximate="tanh"`` is nearly that, faster."""

    def __init__(self, approximate: str = "none"):
        super().__init__(approximate=approximate)


class SiLU(FunctionModule, function=F.silu):
    """y = x sigmoid(x), also called swish."""

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)


class Mish(FunctionModule, function=F.mish):
    """y = x tanh(softplus(x))."""

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)


class Softplus(FunctionModule, function=F.softplus):
    """y = log(1 + e**(beta x)) / beta; x itself where beta x > threshold."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0):
        super().__init__(beta=beta, threshold=threshold)


class Softsign(FunctionModule, function=F.softsign):
    """y = x / (1 + |x|)."""

    def __init__(self) -> None:
        super().__init__()


class LogSigmoid(FunctionModule, function=F.logsigmoid):
    """y = log sigmoid(x), without under- or overflow."""

    def __init__(self) -> None:
        super().__init__()


class Tanhshrink(FunctionModule, function=F.tanhshrink):
    """y = x - tanh(x)."""

    def __init__(self) -> None:
        super().__init__()


# ------------------------------------------------------------------------------ with corners


class Hardtanh(FunctionModule, function=F.hardtanh):
    """y = x limited to [min_val, max_val]; ``min_value`` and ``max_value`` are their old names.

    Raises:
        ValueError: min_val is not below max_val.
    """

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ):
        for name, value in (("min_val", min_value), ("max_val", max_value)):
            if value is not None:
                warnings.warn(f"Hardtanh: {name}ue is now {name}", FutureWarning, stacklevel=2)
        min_val = min_val if min_value is None else min_value
        max_val = max_val if max_value is None else max_value
        if not min_val < max_val:
            raise AssertedError(f"Hardtanh: min_val {min_val} must be below max_val {max_val}")
        super().__init__(min_val=min_val, max_val=max_val, inplace=inplace)


class Hardsigmoid(FunctionModule, function=F.hardsigmoid):
    """y = x / 6 + 1/2 limited to [0, 1]."""

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)

    def extra_repr(self) -> str:
        """Return nothing, as torch's."""
        return ""


class Hardswish(FunctionModule, function=F.hardswish):
    """y = x hardsigmoid(x)."""

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)

    def extra_repr(self) -> str:
        """Return nothing, as torch's."""
        return ""


class Softshrink(FunctionModule, function=F.softshrink):
    """y = x moved by ``lambd`` towards 0, at most to 0."""

    def __init__(self, lambd: float = 0.5):
        super().__init__(lambd=lambd)

    def extra_repr(self) -> str:
        """Return how far."""
        return str(self.lambd)


class Hardshrink(FunctionModule, function=F.hardshrink):
    """y = x where |x| > lambd, else 0."""

    def __init__(self, lambd: float = 0.5):
        super().__init__(lambd=lambd)

    def extra_repr(self) -> str:
        """Return the limit."""
        return str(self.lambd)


class Threshold(FunctionModule, function=F.threshold):
    """y = x where x > threshold, else ``value``."""

    def __init__(self, threshold: float, value: float, inplace: bool = False):
        super().__init__(threshold=threshold, value=value, inplace=inplace)
