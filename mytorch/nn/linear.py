"""Fully connected layers."""

from __future__ import annotations

from typing import Any

import numpy as np

import mytorch.nn.functional as F
from mytorch.nn.init import uniform_
from mytorch.nn.lazy import LazyModuleMixin
from mytorch.nn.module import Module, Parameter
from mytorch.nn.parameter import UninitializedParameter, check_sizes, parameter_dtype
from mytorch.tensor import Tensor

__all__ = ["Bilinear", "Identity", "LazyLinear", "Linear"]


class Identity(Module):
    """y = x; arguments are ignored, so that it can stand in any layer's place (torch.nn.Identity).

    >>> Identity(54, unused=True)
    Identity()
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return the input itself."""
        return input


class Linear(Module):
    """y = x Wᵀ + b.

    Args:
        in_features, out_features: sizes of the last axis of x and of y.
        bias: whether there is a b.
        device: the CPU; dtype: of the parameters, by default the default dtype.
    Attributes:
        weight (Tensor): (out_features, in_features); bias (Tensor | None): (out_features,).
            Both are drawn from U(-k/2, k/2) with k = 1/in_features, weight first, by NumPy's
            global generator; ``reset_parameters`` draws them again by torch's rule.
    Source: handout problem 2.1; torch.nn.Linear.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        check_sizes("Linear", 1, in_features=in_features)
        check_sizes("Linear", out_features=out_features)
        self.in_features = in_features
        self.out_features = out_features
        wanted = parameter_dtype("Linear", dtype, device)
        k = 1 / in_features
        weight = k * (np.random.rand(out_features, in_features) - 0.5)
        self.weight = Parameter(weight.astype(wanted))
        self.bias = None
        if bias:
            self.bias = Parameter((k * (np.random.rand(out_features) - 0.5)).astype(wanted))

    def reset_parameters(self) -> None:
        """Draw weight and bias from U(-1/sqrt(in_features), 1/sqrt(in_features)), torch's rule."""
        bound = 1 / np.sqrt(self.in_features)
        for parameter in self.parameters():
            uniform_(parameter, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Return (…, out_features) for input (…, in_features)."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        sizes = f"in_features={self.in_features}, out_features={self.out_features}"
        return f"{sizes}, bias={self.bias is not None}"


class LazyLinear(LazyModuleMixin, Linear):
    """A Linear whose in_features is the size of the last axis of its first input.

    It then is a Linear, with ``reset_parameters``' values, torch's. Arguments as of Linear.
    Source: torch.nn.LazyLinear.
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None):
        Module.__init__(self)
        check_sizes("LazyLinear", out_features=out_features)
        self.in_features = 0
        self.out_features = out_features
        self.weight = UninitializedParameter(True, device, dtype)
        self.bias = UninitializedParameter(True, device, dtype) if bias else None

    def initialize_parameters(self, input: Tensor) -> None:
        """Make the parameters for input (…, in_features)."""
        self.in_features = input.shape[-1]
        if self.has_uninitialized_params():
            self.weight.materialize((self.out_features, self.in_features))
            if self.bias is not None:
                self.bias.materialize((self.out_features,))
            self.reset_parameters()


class Bilinear(Module):
    """y_o = sum_ij x1_i W_oij x2_j + b_o.

    Args:
        in1_features, in2_features, out_features: sizes of the last axis of x1, x2 and y.
        bias, device, dtype: as of Linear.
    Attributes:
        weight (Tensor): (out_features, in1_features, in2_features); bias (Tensor | None):
            (out_features,). Both from U(-c, c), c = 1/sqrt(in1_features).
    Source: torch.nn.Bilinear.
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        check_sizes("Bilinear", 1, in1_features=in1_features)
        check_sizes("Bilinear", in2_features=in2_features, out_features=out_features)
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        wanted = parameter_dtype("Bilinear", dtype, device)
        self.weight = Parameter(np.empty((out_features, in1_features, in2_features), wanted))
        self.bias = Parameter(np.empty(out_features, wanted)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias again."""
        bound = 1 / np.sqrt(self.in1_features)
        for parameter in self.parameters():
            uniform_(parameter, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """Return (…, out_features) for (…, in1_features) and (…, in2_features)."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        sizes = f"in1_features={self.in1_features}, in2_features={self.in2_features}"
        return f"{sizes}, out_features={self.out_features}, bias={self.bias is not None}"
