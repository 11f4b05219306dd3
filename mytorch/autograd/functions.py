"""Help for custom functions: ``once_differentiable``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from mytorch.autograd_engine import AccumulateGrad, Function
from mytorch.errors import GraphError
from mytorch.grad_mode import is_grad_enabled, no_grad

__all__ = ["once_differentiable"]


class _OnlyOnce(Function):
    """y = x, which refuses to be differentiated."""

    @staticmethod
    def forward(ctx: Any, name: str, x: Any, *inputs: Any) -> Any:
        ctx.name = name
        return x.new_alias()

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        raise GraphError(
            f"{ctx.name} is marked once_differentiable: its backward cannot be differentiated; "
            "write it in Tensor operations and take the mark off"
        )


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a ``backward`` that computes on arrays: a second derivative raises, instead of being 0.

    Source: torch.autograd.function.once_differentiable.
    """

    @functools.wraps(backward)
    def wrapper(ctx: Any, *grad_outputs: Any) -> Any:
        with no_grad():
            result = backward(ctx, *grad_outputs)
        if not is_grad_enabled():
            return result
        results = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        inputs = [*grad_outputs, *_tensors_at(ctx, results)]
        return tuple(
            None if each is None else _OnlyOnce.apply(ctx.function_name, each, *inputs)
            for each in results
        )

    return wrapper


def _tensors_at(ctx: Any, results: tuple[Any, ...]) -> list[Any]:
    """Return a tensor at the place in the graph of each input of the function."""
    tensors = []
    for edge, result in zip(getattr(ctx, "next_functions", ()), results, strict=False):
        if edge is not None and result is not None:
            tensors.append(
                edge.variable if isinstance(edge, AccumulateGrad) else result.new_alias()
            )
            if not isinstance(edge, AccumulateGrad):
                tensors[-1].grad_fn, tensors[-1]._requires_grad = edge, True
    return tensors
