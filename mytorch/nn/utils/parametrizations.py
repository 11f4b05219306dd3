"""Weights that are computed, as parametrizations (torch.nn.utils.parametrizations).

The same formulas as ``nn.utils.weight_norm`` and ``spectral_norm``, which set the weight by a hook.
"""

from __future__ import annotations

import functools
from typing import Any

import mytorch.nn.functional as F
from mytorch.nn.init import normal_
from mytorch.nn.module import Module
from mytorch.nn.utils.parametrize import register_parametrization
from mytorch.nn.utils.spectral_norm import as_matrix, improve, largest_singular_value
from mytorch.nn.utils.weight_norm import lengths
from mytorch.tensor import Tensor

__all__ = ["spectral_norm", "weight_norm"]


class _WeightNorm(Module):
    """w = g v / |v|."""

    def __init__(self, dim: int | None):
        super().__init__()
        self.dim = dim

    def forward(self, g: Tensor, v: Tensor) -> Tensor:
        """Return w."""
        return v * (g / lengths(v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return g and v that give this weight."""
        return lengths(weight, self.dim), weight


class _SpectralNorm(Module):
    """w / sigma; sigma by the power method. A vector is divided by its length."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float):
        super().__init__()
        if n_power_iterations < 1:
            raise ValueError(
                f"spectral_norm: n_power_iterations must be at least 1, got {n_power_iterations}"
            )
        self.n_power_iterations = n_power_iterations
        self.dim = dim
        self.eps = eps
        if weight.ndim > 1:
            matrix = as_matrix(weight.detach(), dim)
            for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
                drawn = F.normalize(normal_(matrix.new_empty(size)), dim=0, eps=eps)
                self.register_buffer(name, drawn)
            improve(self._v, matrix.T(), self._u, 15, eps)

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weight of norm 1; in training after some steps of the power method."""
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.is_train:
            improve(self._v, matrix.T(), self._u, self.n_power_iterations, self.eps)
        return weight / largest_singular_value(self._u, matrix, self._v)

    def right_inverse(self, value: Tensor) -> Tensor:
        """Return the value: of norm 1 it is its own original."""
        return value


def _bring_to_date(
    name: str, module: Any, state_dict: dict[str, Any], prefix: str, *others: Any
) -> None:
    """Rename what the older weight_norm saved."""
    for old, new in ((f"{name}_g", "original0"), (f"{name}_v", "original1")):
        if prefix + old in state_dict:
            value = state_dict.pop(prefix + old)
            state_dict[f"{prefix}parametrizations.{name}.{new}"] = value


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Make a parameter w of two that are trained instead: w = g v / |v|.

    The originals are ``parametrizations.<name>.original0``, g, and ``original1``, v. States that
    the older ``nn.utils.weight_norm`` saved can be loaded. Arguments as of that.
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    module.register_load_state_dict_pre_hook(functools.partial(_bring_to_date, name))
    return module


def spectral_norm(
    module: Any,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Any:
    """Divide a parameter by its largest singular value, so that the layer is 1-Lipschitz.

    The original is ``parametrizations.<name>.original``; it starts with 15 steps of the power
    method. Arguments as of ``nn.utils.spectral_norm``.
    Raises:
        ValueError: no steps, or no such parameter; IndexError: no such axis.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"spectral_norm: {type(module).__name__} has no parameter {name!r}")
    if dim is None:
        dim = 1 if getattr(module, "transposed", False) else 0
    return register_parametrization(
        module, name, _SpectralNorm(weight, n_power_iterations, dim, eps)
    )
