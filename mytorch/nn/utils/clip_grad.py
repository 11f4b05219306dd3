"""Limits for gradients that grow too large (torch.nn.utils.clip_grad).

``parameters`` is a Tensor or any iterable of Tensors; those without a gradient are passed over.
``foreach`` is taken for torch's sake, and has no effect. Nothing here is recorded.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from mytorch.errors import ArgumentError
from mytorch.grad_mode import no_grad
from mytorch.ops.common import check_tensors
from mytorch.ops.joining import stack
from mytorch.ops.linalg_norms import vector_norm
from mytorch.quiet import quietly
from mytorch.tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _listed(name: str, tensors: Any) -> list[Tensor]:
    found = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    check_tensors(name, *found)
    return found


def _gradients(name: str, parameters: Any) -> list[Tensor]:
    found = _listed(name, parameters)
    if not found and not isinstance(parameters, (list, tuple)):
        warnings.warn(
            f"{name}: there are no parameters: was this generator used up before?",
            UserWarning,
            stacklevel=3,
        )
    return [parameter.grad for parameter in found if parameter.grad is not None]


@no_grad()
def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return the norm of all tensors as if they were one vector; of none it is 0.

    Args:
        norm_type: p of the norm, also inf.
        error_if_nonfinite: refuse a norm that is inf or nan.
    Raises:
        RuntimeError: such a norm, where that is asked for.
    """
    norm_type = float(norm_type)
    norms = [vector_norm(each, norm_type) for each in _listed("get_total_norm", tensors)]
    if not norms:
        return Tensor(0.0)
    total = vector_norm(stack(norms), norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise ArgumentError(
            f"get_total_norm: the norm of order {norm_type} is {total.item()}, so it cannot be "
            "clipped; error_if_nonfinite=False scales by it all the same"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Multiply the gradients by min(1, max_norm / (total_norm + 1e-6)), in place."""
    _scale(_gradients("clip_grads_with_norm_", parameters), max_norm, total_norm)


@no_grad()
def _scale(gradients: list[Tensor], max_norm: float, total_norm: Tensor) -> None:
    scale = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    for gradient in gradients:  # 0 times inf is nan, which is no news here
        quietly(np.multiply, gradient.data, scale.data, gradient.data)
        gradient.mark_changed()


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients, in place, so that all together have at most the norm ``max_norm``.

    Args:
        max_norm: the limit; others as of ``get_total_norm``.
    Returns:
        Tensor: the norm before, shape ().
    Raises:
        RuntimeError: a norm that is inf or nan, with ``error_if_nonfinite``; nothing is changed.
    Source: Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063.

    >>> weight = Tensor([3.0, 4.0], requires_grad=True)
    >>> weight.sum().backward()
    >>> clip_grad_norm_(weight, 0.5).item() == 2**0.5
    True
    >>> weight.grad
    tensor([0.3536, 0.3536])
    """
    gradients = _gradients("clip_grad_norm_", parameters)
    total = get_total_norm(gradients, norm_type, error_if_nonfinite)
    _scale(gradients, max_norm, total)
    return total


@no_grad()
def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Limit each element of the gradients to [-clip_value, clip_value], in place."""
    clip_value = float(clip_value)
    for gradient in _gradients("clip_grad_value_", parameters):
        gradient.clamp_(-clip_value, clip_value)
