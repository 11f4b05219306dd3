"""Transforms of second order, made of those of the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.autograd.forward import jacfwd, jvp
from mytorch.autograd.reverse import ArgNums, jacrev, value_and_grad, vjp

__all__ = ["hessian", "hvp", "make_ggnvp", "vhp"]


def hessian(function: Callable[..., Any], argnums: ArgNums = 0) -> Callable[..., Any]:
    """Return the matrix of second derivatives of a scalar function: forward over reverse.

    Its shape is argument.shape + argument.shape. Source: jax.hessian.
    """
    return jacfwd(jacrev(function, argnums), argnums)


def hvp(function: Callable[..., Any], primals: Any, vectors: Any) -> tuple[Any, Any]:
    """Return ``(f(*primals), H v)`` without making H: forward over reverse.

    Args:
        primals: a tuple of arguments of a scalar function; vectors: of the same structure.
    Returns:
        the value, and one product for each primal. Source: torch.autograd.functional.hvp.
    """
    numbers = tuple(range(len(primals)))
    (value, _), (_, product) = jvp(value_and_grad(function, numbers), primals, vectors)
    return value, product


def vhp(function: Callable[..., Any], primals: Any, vectors: Any) -> tuple[Any, Any]:
    """Return ``(f(*primals), vᵀH)`` without making H: reverse over reverse.

    Arguments and result as ``hvp``'s. Source: torch.autograd.functional.vhp.
    """
    numbers = tuple(range(len(primals)))
    (value, _), pullback = vjp(value_and_grad(function, numbers), *primals)
    return value, pullback((np.zeros(np.shape(value)), tuple(vectors)))


def _half_square(y: Any) -> Any:
    return (y * y).sum() / 2


def make_ggnvp(
    function: Callable[..., Any], loss: Callable[..., Any] = _half_square
) -> Callable[..., Any]:
    """Return ``make(x)``, which returns ``v -> Jᵀ H J v``: the generalised Gauss-Newton product.

    J is the Jacobian of ``function`` at x, and H the Hessian of ``loss`` at f(x); the default loss
    |y|²/2 has the identity for H. Source: autograd.make_ggnvp; Schraudolph 2002.
    """

    def make(x: Any) -> Callable[[Any], Any]:
        def product(v: Any) -> Any:
            output, along = jvp(function, (x,), (v,))
            _, (curved,) = hvp(loss, (output,), (along,))
            _, pullback = vjp(function, x)
            return pullback(curved)[0]

        return product

    return make
