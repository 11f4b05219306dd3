"""Normalisation of each example by itself: over its last axes, groups of channels, neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

import mytorch.nn.functional as F
from mytorch.nn.function_module import FunctionModule
from mytorch.nn.init import ones_, zeros_
from mytorch.nn.module import Module, Parameter
from mytorch.nn.parameter import check_sizes, parameter_dtype
from mytorch.ops.common import shape_of
from mytorch.tensor import Tensor

__all__ = ["GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class _Affine(Module):
    """Has weight and bias, or only one of them, or none: ones and zeros."""

    weight: Any
    bias: Any

    def _make(self, shape: Any, weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        if isinstance(shape, tuple):
            check_sizes(
                type(self).__name__, **{f"normalized_shape[{i}]": n for i, n in enumerate(shape)}
            )
        ones = np.ones(shape, parameter_dtype(type(self).__name__, dtype, device))
        self.weight = Parameter(ones) if weight else None
        self.bias = Parameter(0 * ones) if bias else None

    def reset_parameters(self) -> None:
        """Make weight and bias what they were at first."""
        if self.weight is not None:
            ones_(self.weight)
        if self.bias is not None:
            zeros_(self.bias)


class LayerNorm(_Affine):
    """y = weight * (x - mean) / sqrt(var + eps) + bias, over the last axes of each example.

    Args:
        normalized_shape: the sizes of those axes, or the size of the last; eps: added to var.
        elementwise_affine: whether there are weight and bias; bias: whether there is a bias.
        device: the CPU; dtype: of the parameters, by default the default dtype.
    Attributes:
        weight, bias (Tensor | None): of normalized_shape, ones and zeros.
    Source: torch.nn.LayerNorm; Ba, Kiros and Hinton 2016, arXiv:1607.06450.
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.normalized_shape = shape_of((normalized_shape,))
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        with_bias = elementwise_affine and bias
        self._make(self.normalized_shape, elementwise_affine, with_bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input, of its shape (…, *normalized_shape)."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the sizes and settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(_Affine):
    """y = weight * x / sqrt(mean of x**2 + eps), over the last axes of each example.

    Args:
        normalized_shape, elementwise_affine, device, dtype: as of LayerNorm.
        eps: by default the distance from 1 to the next number of the dtype.
    Attributes:
        weight (Tensor | None): of normalized_shape, ones.
    Source: torch.nn.RMSNorm; Zhang and Sennrich 2019, arXiv:1910.07467.
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.normalized_shape = shape_of((normalized_shape,))
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._make(self.normalized_shape, elementwise_affine, False, device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised x, of its shape (…, *normalized_shape)."""
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Return the sizes and settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(_Affine):
    """LayerNorm over each of ``num_groups`` groups of channels of (N, C, …).

    Args:
        num_groups: into how many groups the channels are divided; num_channels: C.
        eps: added to the variance; affine, bias, device, dtype: as of BatchNorm1d.
    Attributes:
        weight, bias (Tensor | None): (C,), ones and zeros.
    Raises:
        ValueError: num_groups does not divide num_channels.
    Source: torch.nn.GroupNorm; Wu and He 2018, arXiv:1803.08494.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        check_sizes("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_channels {num_channels} does not split into {num_groups} groups"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._make(num_channels, affine, affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input, of its shape (N, C, …)."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the sizes and settings."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(FunctionModule, function=F.local_response_norm):
    """y = x / (k + alpha / size * sum of x**2 over ``size`` channels beside it)**beta.

    Source: torch.nn.LocalResponseNorm; Krizhevsky et al. 2012, NeurIPS.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0):
        super().__init__(size=size, alpha=alpha, beta=beta, k=k)

    def extra_repr(self) -> str:
        """Return the size and settings."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
