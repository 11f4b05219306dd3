"""Batch normalisation."""

from __future__ import annotations

from typing import Any

import mytorch.nn.functional as F
from mytorch.nn.module_tree import alias
from mytorch.nn.running_norm import LazyRunningNorm, RunningNorm
from mytorch.tensor import Tensor

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
]


class _BatchNorm(RunningNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
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
            ShapeError: another shape, or one value a channel in training: it has no variance.
        """
        sized = self.affine or self.track_running_stats
        if input.shape[self._axis_of_channels(input)] != self.num_features and sized:
            raise self._misfit(input)
        tracks = self.track_running_stats and self.num_batches_tracked is not None
        moves = self.is_train and tracks
        momentum = self.momentum
        if momentum is None:  # the mean over all batches
            momentum = 1 / (self.num_batches_tracked.item() + 1) if moves else 0.0
        tracked = (self.running_mean, self.running_var)
        output = F.batch_norm(
            input,
            *(tracked if moves or not self.is_train else (None, None)),
            self.weight,
            self.bias,
            self.is_train or self.running_mean is None,
            momentum,
            self.eps,
        )
        if moves:
            self.num_batches_tracked.add_(1)
        return output


class BatchNorm1d(_BatchNorm):
    """y = weight * (x - mean) / sqrt(var + eps) + bias, each feature over the batch.

    Training takes the batch's mean and biased variance, and moves the running ones:
    ``running = (1 - momentum) * running + momentum * batch``, with the unbiased variance;
    evaluation takes the running ones. Inputs: (N, C) or (N, C, L).

    Args:
        num_features: C; eps: added to the variance.
        momentum: weight of the newest batch; None for the mean over all batches.
        affine: whether there are weight and bias; bias: whether there is a bias beside weight.
        track_running_stats: whether there are running statistics; without, evaluation takes those
            of the batch as well.
        device: the CPU; dtype: of parameters and statistics, by default the default dtype.
    Attributes:
        weight, bias (Tensor | None): parameters (C,), ones and zeros; ``gamma`` and ``beta`` are
            the handout's names of the same. A state_dict has torch's; either can be loaded.
        running_mean, running_var, num_batches_tracked (Tensor | None): (C,), zeros and ones, and
            how many batches they have seen: buffers.
    Source: handout; torch.nn.BatchNorm1d; Ioffe and Szegedy 2015, arXiv:1502.03167.
    """

    forms = (("N", "C"), ("N", "C", "L"))
    gamma = alias("weight", "The handout's name of ``weight``.")
    beta = alias("bias", "The handout's name of ``bias``.")

    def _complete_state(self, prefix: str, state_dict: dict[str, Any]) -> None:
        super()._complete_state(prefix, state_dict)
        for old, new in (("gamma", "weight"), ("beta", "bias")):
            if f"{prefix}{old}" in state_dict:
                state_dict[f"{prefix}{new}"] = state_dict.pop(f"{prefix}{old}")


class BatchNorm2d(_BatchNorm):
    """As BatchNorm1d, of images (N, C, H, W)."""

    forms = (("N", "C", "H", "W"),)


class BatchNorm3d(_BatchNorm):
    """As BatchNorm1d, of volumes (N, C, D, H, W)."""

    forms = (("N", "C", "D", "H", "W"),)


class LazyBatchNorm1d(LazyRunningNorm, BatchNorm1d):
    """A BatchNorm1d whose num_features is that of its first input."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(LazyRunningNorm, BatchNorm2d):
    """A BatchNorm2d whose num_features is that of its first input."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(LazyRunningNorm, BatchNorm3d):
    """A BatchNorm3d whose num_features is that of its first input."""

    cls_to_become = BatchNorm3d
