"""Differentiation as a library: gradients, transforms, checks (torch.autograd, torch.func, JAX)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mytorch.autograd import reverse
from mytorch.autograd.checkpoint import checkpoint
from mytorch.autograd.explain import explain
from mytorch.autograd.forward import jacfwd, jvp
from mytorch.autograd.functions import once_differentiable
from mytorch.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from mytorch.autograd.gradients import gradients
from mytorch.autograd.reverse import elementwise_grad, jacobian, jacrev, value_and_grad, vjp
from mytorch.autograd.second_order import hessian, hvp, make_ggnvp, vhp
from mytorch.autograd_engine import Function
from mytorch.grad_mode import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)

__all__ = [
    "Function",
    "GradcheckError",
    "checkpoint",
    "detect_anomaly",
    "elementwise_grad",
    "enable_grad",
    "explain",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "gradients",
    "hessian",
    "hvp",
    "inference_mode",
    "is_grad_enabled",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "make_ggnvp",
    "no_grad",
    "once_differentiable",
    "set_grad_enabled",
    "value_and_grad",
    "vhp",
    "vjp",
]


def grad(outputs: Callable[..., Any] | Any, *args: Any, **kwargs: Any) -> Any:
    """Differentiate: of tensors for tensors as torch's, or of a function as JAX's.

    ``grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False,
    allow_unused=None, materialize_grads=False)`` is ``gradients`` (torch.autograd.grad);
    ``grad(function, argnums=0)`` is ``reverse.grad`` (jax.grad, autograd.grad).
    """
    if callable(outputs):
        return reverse.grad(outputs, *args, **kwargs)
    return gradients(outputs, *args, **kwargs)
