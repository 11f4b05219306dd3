"""The fully connected layer."""

from __future__ import annotations

import numpy as np

import mytorch.nn.functional as F
from mytorch.dtypes import get_default_dtype
from mytorch.nn.module import Module, Parameter
from mytorch.tensor import Tensor

__all__ = ["Linear"]


class Linear(Module):
    """y = x Wᵀ + b.

    Args:
        in_features, out_features: sizes of the last axis of x and of y.
        bias: whether there is a b.
    Attributes:
        weight (Tensor): (out_features, in_features); bias (Tensor | None): (out_features,).
            Both are drawn from U(-k/2, k/2) with k = 1/in_features, weight first, by NumPy's
            global generator; ``reset_parameters`` draws them again by torch's rule.
    Source: handout problem 2.1; torch.nn.Linear.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True):
        super().__init__()
        if in_features < 1 or out_features < 0:
            raise ValueError(
                "Linear: in_features must be at least 1 and out_features at least 0, "
                f"got {in_features} and {out_features}"
            )
        self.in_features = in_features
        self.out_features = out_features
        k = 1 / in_features
        self.weight = self._draw(k * (np.random.rand(out_features, in_features) - 0.5))
        self.bias = self._draw(k * (np.random.rand(out_features) - 0.5)) if bias else None

    @staticmethod
    def _draw(values: np.ndarray) -> Tensor:
        return Parameter(values.astype(get_default_dtype()))

    def reset_parameters(self) -> None:
        """Draw weight and bias from U(-1/sqrt(in_features), 1/sqrt(in_features)), torch's rule."""
        bound = 1 / np.sqrt(self.in_features)
        for parameter in self.parameters():
            parameter.data[...] = np.random.uniform(-bound, bound, parameter.shape)
            parameter.mark_changed()

    def forward(self, x: Tensor) -> Tensor:
        """Return (…, out_features) for x (…, in_features)."""
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        sizes = f"in_features={self.in_features}, out_features={self.out_features}"
        return f"{sizes}, bias={self.bias is not None}"
