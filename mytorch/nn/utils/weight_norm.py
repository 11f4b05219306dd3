"""Weight normalisation: length and direction of a weight as two parameters."""

from __future__ import annotations

from typing import Any

from mytorch.nn.module import Module, Parameter
from mytorch.nn.utils.recomputed import Recomputed, detach
from mytorch.ops.linalg_norms import vector_norm
from mytorch.tensor import Tensor

__all__ = ["lengths", "remove_weight_norm", "weight_norm"]


def lengths(v: Tensor, dim: int | None) -> Tensor:
    """Return the norms of ``v`` along all axes but ``dim``, which stay with size 1; None: all."""
    if dim is None or dim == -1:  # torch's -1 means None here
        return vector_norm(v)
    rows = v.transpose(0, dim).flatten(1) if v.ndim > 1 else v.unsqueeze(1)
    return vector_norm(rows, dim=1).reshape(
        [size if axis == dim % v.ndim else 1 for axis, size in enumerate(v.shape)]
    )


class WeightNorm(Recomputed):
    """w = g v / |v|."""

    kind = "weight_norm"

    def __init__(self, module: Module, name: str, dim: int | None):
        super().__init__(module, name)
        self.dim = dim
        weight = module.get_parameter(name)
        g = Parameter(lengths(weight.detach(), dim))
        delattr(module, name)
        module.register_parameter(f"{name}_g", g)
        module.register_parameter(f"{name}_v", Parameter(weight))

    def compute(self, module: Module) -> Tensor:
        """Return w."""
        v = getattr(module, f"{self.name}_v")
        return v * (getattr(module, f"{self.name}_g") / lengths(v, self.dim))


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Make a parameter w of two that are trained instead: w = g v / |v|.

    Args:
        module: it gets parameters ``<name>_g`` and ``<name>_v``, and a hook that computes the
            parameter ``name`` of them before each call.
        dim: |v| is of all axes but this one: with 0 of each output's weights. None: of all axes.
    Returns:
        Module: the same module.
    Raises:
        RuntimeError: it is there already; AttributeError: there is no such parameter.
    Source: torch.nn.utils.weight_norm; Salimans and Kingma 2016, arXiv:1602.07868.
    """
    WeightNorm(module, name, dim).attach(module)
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Undo ``weight_norm``: the parameter is what it was last computed to be.

    Raises:
        ValueError: there is no weight_norm of that parameter.
    """
    weight = detach(module, WeightNorm, name).compute(module)
    for each in (name, f"{name}_g", f"{name}_v"):
        delattr(module, each)
    module.register_parameter(name, Parameter(weight))
    return module
