"""What the normalisations with running statistics, of batches and of instances, share."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.nn.init import ones_, zeros_
from mytorch.nn.lazy import LazyModuleMixin
from mytorch.nn.module import Module, Parameter
from mytorch.nn.parameter import (
    Uninitialized,
    UninitializedBuffer,
    UninitializedParameter,
    check_sizes,
    parameter_dtype,
)
from mytorch.ops.common import check_tensors
from mytorch.tensor import Tensor

__all__ = ["LazyRunningNorm", "RunningNorm"]


class RunningNorm(Module):
    """Parameters and running statistics, one of each for every channel.

    Args:
        num_features: C, how many channels; eps: added to the variance.
        momentum: weight of the newest statistics in the running ones.
        affine: whether there are weight and bias; bias: whether there is a bias beside weight.
        track_running_stats: whether there are running statistics.
        device: the CPU; dtype: of all of these, by default the default dtype.
    Attributes:
        weight, bias (Tensor | None): parameters (C,), ones and zeros.
        running_mean, running_var, num_batches_tracked (Tensor | None): (C,), zeros and ones, and
            how many batches they have seen.
    """

    #: the shapes that an input may have
    forms: tuple[tuple[str, ...], ...] = ()

    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        device: Any,
        dtype: Any,
        bias: bool,
    ):
        super().__init__()
        check_sizes(type(self).__name__, num_features=num_features)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        ones = np.ones(num_features, parameter_dtype(type(self).__name__, dtype, device))
        self.weight = Parameter(ones) if affine else None
        self.bias = Parameter(0 * ones) if affine and bias else None
        tracked = (Tensor(0 * ones), Tensor(ones), Tensor(np.array(0)))
        names = ("running_mean", "running_var", "num_batches_tracked")
        for name, buffer in zip(names, tracked, strict=True):
            self.register_buffer(name, buffer if track_running_stats else None)

    def reset_running_stats(self) -> None:
        """Make the running statistics what they were at first."""
        if self.track_running_stats:
            zeros_(self.running_mean)
            ones_(self.running_var)
            zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Make parameters and running statistics what they were at first."""
        self.reset_running_stats()
        if self.weight is not None:
            ones_(self.weight)
        if self.bias is not None:
            zeros_(self.bias)

    def _axis_of_channels(self, input: Tensor) -> int:
        """Return which axis of ``input`` is C; refuse one of a form that does not fit."""
        check_tensors(type(self).__name__, input)
        for form in self.forms:
            if len(form) == input.ndim:
                return form.index("C")
        raise self._misfit(input)

    def _misfit(self, input: Tensor) -> ShapeError:
        forms = " or ".join(f"({', '.join(form)})" for form in self.forms)
        return ShapeError(
            f"{type(self).__name__}: expected {forms.replace('C', str(self.num_features))}, "
            f"got {tuple(input.shape)}"
        )

    def _complete_state(self, prefix: str, state_dict: dict[str, Any]) -> None:
        # torch did not count batches before 0.4.1; torchvision still has weights of that time
        if self.num_batches_tracked is not None:
            state_dict.setdefault(f"{prefix}num_batches_tracked", self.num_batches_tracked)

    def extra_repr(self) -> str:
        """Return the sizes and settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class LazyRunningNorm(LazyModuleMixin):
    """Makes the lazy form of a RunningNorm: num_features is that of its first input."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        base: Any = super()
        base.__init__(0, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        me: Any = self
        for name in list(me._parameters):
            setattr(self, name, UninitializedParameter(dtype=dtype))
        for name in ("running_mean", "running_var") if track_running_stats else ():
            setattr(self, name, UninitializedBuffer(dtype=dtype))

    def initialize_parameters(self, input: Tensor) -> None:
        """Make parameters and statistics for the channels of input."""
        me: Any = self
        me.num_features = input.shape[me._axis_of_channels(input)]
        if self.has_uninitialized_params():
            for tensor in [*me.parameters(), *me.buffers()]:
                if isinstance(tensor, Uninitialized):
                    tensor.materialize((me.num_features,))
            me.reset_parameters()
