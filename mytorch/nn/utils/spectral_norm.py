"""Spectral normalisation: a weight divided by its largest singular value."""

from __future__ import annotations

from typing import Any

import mytorch.nn.functional as F
from mytorch.grad_mode import no_grad
from mytorch.nn.init import normal_
from mytorch.nn.module import Module, Parameter
from mytorch.nn.utils.recomputed import Recomputed, detach
from mytorch.tensor import Tensor

__all__ = [
    "as_matrix",
    "improve",
    "largest_singular_value",
    "remove_spectral_norm",
    "spectral_norm",
]


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """Return the weight as a matrix: the axis ``dim``, and all others as one."""
    return weight.movedim(dim, 0).flatten(1)


@no_grad()
def improve(u: Tensor, matrix: Tensor, v: Tensor, steps: int, eps: float) -> None:
    """Bring two vectors nearer to the first singular ones, in place: v, then u, in each step."""
    for _ in range(steps):
        v.copy_(F.normalize(u @ matrix, dim=0, eps=eps))
        u.copy_(F.normalize(matrix @ v, dim=0, eps=eps))


def largest_singular_value(u: Tensor, matrix: Tensor, v: Tensor) -> Tensor:
    """Return u W v, of copies: the next call changes u and v, which this one's graph needs."""
    return u.clone() @ (matrix @ v.clone())


class SpectralNorm(Recomputed):
    """w / sigma, sigma = u W v: singular vectors by the power method, a few steps a call."""

    kind = "spectral_norm"

    def __init__(self, module: Module, name: str, steps: int, eps: float, dim: int):
        super().__init__(module, name)
        if steps < 1:
            raise ValueError(f"spectral_norm: n_power_iterations must be at least 1, got {steps}")
        self.steps = steps
        self.eps = eps
        self.dim = dim
        weight = module.get_parameter(name)
        rows, columns = as_matrix(weight.detach(), dim).shape
        delattr(module, name)
        module.register_parameter(f"{name}_orig", weight)
        for letter, size in (("u", rows), ("v", columns)):
            drawn = F.normalize(normal_(weight.detach().new_empty(size)), dim=0, eps=eps)
            module.register_buffer(f"{name}_{letter}", drawn)

    def attach(self, module: Module) -> None:
        """Show the weight as it is, until the first call computes it."""
        setattr(module, self.name, module.get_parameter(f"{self.name}_orig").detach())
        module.register_forward_pre_hook(self)

    def compute(self, module: Module) -> Tensor:
        """Return the weight; in training after some more steps of the power method."""
        weight = getattr(module, f"{self.name}_orig")
        u, v = (getattr(module, f"{self.name}_{letter}") for letter in "uv")
        matrix = as_matrix(weight, self.dim)
        if module.is_train:
            improve(u, matrix, v, self.steps, self.eps)
        return weight / largest_singular_value(u, matrix, v)


def spectral_norm(
    module: Any,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Any:
    """Divide a parameter by its largest singular value, so that the layer is 1-Lipschitz.

    Args:
        module: it gets a parameter ``<name>_orig``, buffers ``<name>_u`` and ``<name>_v``, and a
            hook that computes the parameter ``name`` of them before each call.
        n_power_iterations: how many steps of the power method each call in training makes.
        eps: the least length that a vector is divided by.
        dim: the axis of outputs, by default 0, or 1 of transposed convolutions.
    Returns:
        Module: the same module.
    Raises:
        ValueError: no steps; RuntimeError: it is there already; AttributeError: there is no such
        parameter.
    Source: torch.nn.utils.spectral_norm; Miyato et al. 2018, arXiv:1802.05957.
    """
    if dim is None:
        dim = 1 if getattr(module, "transposed", False) else 0
    SpectralNorm(module, name, n_power_iterations, eps, dim).attach(module)
    return module


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Undo ``spectral_norm``: the parameter is what evaluation computes.

    Raises:
        ValueError: there is no spectral_norm of that parameter.
    """
    hook = detach(module, SpectralNorm, name)
    mode, module.is_train = module.is_train, False
    weight = hook.compute(module)
    module.is_train = mode
    for each in (name, f"{name}_orig", f"{name}_u", f"{name}_v"):
        delattr(module, each)
    module.register_parameter(name, Parameter(weight))
    return module
