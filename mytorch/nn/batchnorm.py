"""Batch normalisation of feature vectors."""

from __future__ import annotations

import numpy as np

from mytorch.dtypes import get_default_dtype
from mytorch.errors import ShapeError
from mytorch.nn.module import Module, Parameter
from mytorch.ops.common import check_tensors
from mytorch.tensor import Tensor

__all__ = ["BatchNorm1d"]


class BatchNorm1d(Module):
    """y = gamma * (x - mean) / sqrt(var + eps) + beta, each feature over the batch.

    Training uses the batch's mean and biased variance, and updates
    ``running = (1 - momentum) * running + momentum * batch`` with the unbiased variance;
    evaluation uses the running ones.

    Args:
        num_features: C, the size of the last axis of x.
        eps: added to the variance; momentum: weight of the newest batch.
    Attributes:
        gamma, beta (Tensor): parameters (C,), ones and zeros; running_mean, running_var (Tensor):
            (C,), zeros and ones.
    Source: Ioffe and Szegedy 2015, arXiv:1502.03167; torch.nn.BatchNorm1d for (N, C).
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1):
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        ones = np.ones(num_features, get_default_dtype())
        self.gamma = Parameter(ones)
        self.beta = Parameter(0 * ones)
        self.register_buffer("running_mean", Tensor(0 * ones))
        self.register_buffer("running_var", Tensor(ones))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C) for x (N, C).

        Raises:
            ShapeError: another shape, or a single row in training (no variance of one value).
        """
        check_tensors("BatchNorm1d", x)
        if x.ndim != 2 or x.shape[1] != self.num_features:
            raise ShapeError(f"BatchNorm1d: expected (N, {self.num_features}), got {x.shape}")
        if not self.is_train:
            return self._normalize(x - self.running_mean, self.running_var)
        if x.shape[0] < 2:
            raise ShapeError(f"BatchNorm1d: training needs more than one row, got {x.shape}")
        mean = x.mean(0)
        centred = x - mean
        variance = (centred * centred).mean(0)
        unbiased = variance.data * (x.shape[0] / (x.shape[0] - 1))
        self._update(self.running_mean, mean.data)
        self._update(self.running_var, unbiased)
        return self._normalize(centred, variance)

    def _normalize(self, centred: Tensor, variance: Tensor) -> Tensor:
        return self.gamma * (centred / (variance + self.eps) ** 0.5) + self.beta

    def _update(self, running: Tensor, batch: np.ndarray) -> None:
        running.data *= 1 - self.momentum  # in place: state_dict() shares this memory
        running.data += self.momentum * batch
        running.mark_changed()

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"
