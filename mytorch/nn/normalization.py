"""Layer normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mytorch.nn.functional as F
from mytorch.nn.module import Module, Parameter
from mytorch.tensor import Tensor

__all__ = ["LayerNorm"]


class LayerNorm(Module):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, over the last axes of each example.

    Args:
        normalized_shape: the sizes of those axes; an int for one.
        eps: added to the variance.
        elementwise_affine: whether there are weight and bias; bias: whether there is a bias.
    Attributes:
        weight, bias (Tensor | None): of shape ``normalized_shape``, ones and zeros.
    Source: Ba, Kiros and Hinton 2016, arXiv:1607.06450; torch.nn.LayerNorm.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        if isinstance(normalized_shape, int):
            normalized_shape = (normalized_shape,)
        self.normalized_shape = tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape = self.normalized_shape
        self.weight = Parameter(Tensor.ones(*shape)) if elementwise_affine else None
        self.bias = Parameter(Tensor.zeros(*shape)) if elementwise_affine and bias else None
        self.to(device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised x, of its shape."""
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the sizes."""
        sizes = f"{self.normalized_shape}, eps={self.eps}"
        has_bias = self.bias is not None
        return f"{sizes}, elementwise_affine={self.elementwise_affine}, bias={has_bias}"
