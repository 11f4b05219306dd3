"""Instance normalisation."""

from __future__ import annotations

import warnings
from typing import Any

import mytorch.nn.functional as F
from mytorch.nn.running_norm import LazyRunningNorm, RunningNorm
from mytorch.tensor import Tensor

__all__ = [
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
]


class _InstanceNorm(RunningNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias
        )

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input, of its shape.

        Raises:
            ShapeError: another shape; only a warning, as in torch, for other channels where nothing
            here has num_features.
        """
        axis = self._axis_of_channels(input)
        if input.shape[axis] != self.num_features:
            if self.affine:
                raise self._misfit(input)
            warnings.warn(
                f"{type(self).__name__}: num_features is {self.num_features}, but input "
                f"{tuple(input.shape)} has {input.shape[axis]} channels",
                UserWarning,
                stacklevel=3,
            )
        output = F.instance_norm(
            input if axis else input.unsqueeze(0),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.is_train or not self.track_running_stats,
            self.momentum or 0.0,
            self.eps,
        )
        return output if axis else output.squeeze(0)


class InstanceNorm1d(_InstanceNorm):
    """y = weight * (x - mean) / sqrt(var + eps) + bias, each channel of each example by itself.

    Inputs: (N, C, L) or (C, L). Only with ``track_running_stats`` there are running statistics,
    which evaluation takes.

    Args:
        num_features: C; others as of BatchNorm1d.
    Attributes:
        weight, bias (Tensor | None): parameters (C,), ones and zeros, with ``affine``.
        running_mean, running_var, num_batches_tracked (Tensor | None): buffers; the last stays 0.
    Source: torch.nn.InstanceNorm1d; Ulyanov et al. 2016, arXiv:1607.08022.
    """

    forms = (("C", "L"), ("N", "C", "L"))


class InstanceNorm2d(_InstanceNorm):
    """As InstanceNorm1d, of images (N, C, H, W) or (C, H, W)."""

    forms = (("C", "H", "W"), ("N", "C", "H", "W"))


class InstanceNorm3d(_InstanceNorm):
    """As InstanceNorm1d, of volumes (N, C, D, H, W) or (C, D, H, W)."""

    forms = (("C", "D", "H", "W"), ("N", "C", "D", "H", "W"))


class LazyInstanceNorm1d(LazyRunningNorm, InstanceNorm1d):
    """An InstanceNorm1d whose num_features is that of its first input."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(LazyRunningNorm, InstanceNorm2d):
    """An InstanceNorm2d whose num_features is that of its first input."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(LazyRunningNorm, InstanceNorm3d):
    """An InstanceNorm3d whose num_features is that of its first input."""

    cls_to_become = InstanceNorm3d
