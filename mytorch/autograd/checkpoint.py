"""``checkpoint``: recompute in backward instead of storing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mytorch.autograd_engine import Function, edge_to
from mytorch.grad_mode import enable_grad, is_grad_enabled, no_grad
from mytorch.graph_walk import run_backward
from mytorch.tensor import Tensor

__all__ = ["checkpoint"]


class _Checkpoint(Function):
    """y = f(x), storing x alone; backward computes f(x) again, recording it this time."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], *args: Any) -> Any:
        tensors = [arg for arg in args if isinstance(arg, Tensor)]
        ctx.save_for_backward(*tensors)
        ctx.function = function
        ctx.args = [None if isinstance(arg, Tensor) else arg for arg in args]
        ctx.places = [place for place, arg in enumerate(args) if isinstance(arg, Tensor)]
        with no_grad():
            output = function(*args)
        if isinstance(output, tuple):
            return tuple(out.new_alias() for out in output)
        return output.new_alias()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        args = list(ctx.args)
        inputs = []
        for place, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            own = tensor if is_grad_enabled() else tensor.new_alias()
            own._requires_grad = tensor.requires_grad
            inputs.append(own)
            args[place] = own
        with enable_grad():
            output = ctx.function(*args)
        outputs = output if isinstance(output, tuple) else (output,)
        roots = [
            (edge_to(out), gradient)
            for out, gradient in zip(outputs, grad_outputs, strict=True)
            if out.requires_grad
        ]
        if is_grad_enabled():  # create_graph: the inputs keep their place in the outer graph
            targets = [edge_to(own) for own in inputs]
            found = run_backward(roots, True, True, [t for t in targets if t is not None])
            results = [found.get(target) for target in targets]
        else:
            run_backward(roots, False, False)  # parameters used inside take their share here
            results = [own.grad for own in inputs]
        gradients: list[Any] = [None] * (1 + len(args))
        for place, gradient in zip(ctx.places, results, strict=True):
            gradients[1 + place] = gradient
        return tuple(gradients)


def checkpoint(function: Callable[..., Any], *args: Any) -> Any:
    """Return ``function(*args)``, storing only ``args`` for backward, which runs it again.

    Memory falls from all of the function's intermediate results to its inputs, for one more
    forward pass. The function must compute the same both times.

    Args:
        function: takes and returns Tensors; at least one argument must require grad.
    Source: torch.utils.checkpoint.checkpoint; Chen et al. 2016, arXiv:1604.06174.
    """
    return _Checkpoint.apply(function, *args)
