"""``checkpoint``: recompute in backward instead of storing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.autograd_engine import AccumulateGrad, Function, edge_to
from mytorch.grad_mode import enable_grad, is_grad_enabled, is_traced, live_levels
from mytorch.graph_walk import count_uses, run_backward
from mytorch.tensor import Tensor

__all__ = ["checkpoint"]


class _Checkpoint(Function):
    """y = f(x), storing x alone; backward computes f(x) again, recording it this time.

    ``inputs`` are the Tensors among the arguments of f, and then the leaves that f uses besides.
    """

    @staticmethod
    def forward(ctx: Any, call: _Call, outputs: list[Any], *inputs: Any) -> Any:
        ctx.call = call
        ctx.save_for_backward(*inputs)
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        count = len(ctx.call.places)
        inputs = list(ctx.saved_tensors)
        if not is_traced():  # a graph of its own, which ends at these inputs
            for place in range(count):
                own = inputs[place].new_alias()
                own._requires_grad = inputs[place].requires_grad
                inputs[place] = own
        outputs = ctx.call.run(inputs[:count])
        pairs = zip(outputs, grad_outputs, strict=True)
        roots = [(edge_to(out), grad) for out, grad in pairs if edge_to(out) is not None]
        targets = [edge_to(each) for each in inputs]
        found = run_backward(roots, True, is_traced(), [t for t in targets if t is not None])
        return None, None, *(found.get(target) for target in targets)


class _Call:
    """A call of a function, to be made twice on the same arguments and random numbers."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.function, self.kwargs = function, kwargs
        self.places = [place for place, arg in enumerate(args) if isinstance(arg, Tensor)]
        self.args = [None if isinstance(arg, Tensor) else arg for arg in args]
        self.random_state = np.random.get_state()

    def run(self, tensors: list[Any]) -> list[Any]:
        """Return the outputs, recorded, as a list of Tensors; the random generator is put back."""
        args = _with(self, tensors)
        present = np.random.get_state()
        np.random.set_state(self.random_state)
        try:
            with enable_grad():
                output = self.function(*args, **self.kwargs)
        finally:
            np.random.set_state(present)
        return list(output) if isinstance(output, tuple) else [output]


def checkpoint(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return ``function(*args, **kwargs)``, storing only the arguments for backward.

    Backward runs the function again, with the same numbers of NumPy's global generator. Memory
    falls from all intermediate results to the arguments, for one more forward pass. Parameters that
    the function uses get their gradients as ever.

    Args:
        function: takes Tensors (and other values) and returns a Tensor or a tuple of Tensors; it
            must compute the same both times.
    Raises:
        TypeError: the function returns something else.
    Source: torch.utils.checkpoint.checkpoint; Chen et al. 2016, arXiv:1604.06174.
    """
    if not is_grad_enabled() or live_levels.get():  # nothing would be stored anyway
        return function(*args, **kwargs)
    call = _Call(function, args, kwargs)
    inputs = [args[place] for place in call.places]
    aliases = []
    for tensor in inputs:
        alias = tensor.new_alias()
        alias._requires_grad = tensor.requires_grad
        aliases.append(alias)
    output = function(*_with(call, aliases), **kwargs)
    outputs = list(output) if isinstance(output, tuple) else [output]
    for each in outputs:
        if not isinstance(each, Tensor):
            raise TypeError(
                "checkpoint: the function must return a Tensor or a tuple of Tensors, not "
                f"{type(each).__name__}"
            )
    leaves = _leaves_besides(aliases, outputs)
    plain = [each.new_alias() for each in outputs]
    result = _Checkpoint.apply(call, plain, *inputs, *leaves)
    return result if isinstance(output, tuple) else result[0]


def _with(call: _Call, tensors: list[Any]) -> list[Any]:
    args = list(call.args)
    for place, tensor in zip(call.places, tensors, strict=True):
        args[place] = tensor
    return args


def _leaves_besides(inputs: list[Any], outputs: list[Any]) -> list[Any]:
    """Return the leaves in the graph of the outputs other than the inputs: the parameters."""
    own = {id(tensor) for tensor in inputs}
    nodes = count_uses(edge_to(out) for out in outputs if edge_to(out) is not None)
    variables = [node.variable for node in nodes if type(node) is AccumulateGrad]
    return [variable for variable in variables if id(variable) not in own]
