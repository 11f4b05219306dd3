"""``checkpoint``: recompute in backward instead of storing."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.context import Promise
from mytorch.errors import GraphError
from mytorch.grad_mode import Watch, enable_grad, is_grad_enabled, live_levels
from mytorch.tensor import Tensor

__all__ = ["checkpoint"]


class _Call:
    """A call of a function whose nodes have let go of what they saved, until one needs it.

    The graph is the one that was recorded, so that hooks, shared inputs and tensors that the
    function uses besides have their places in it as ever. The first node that backward comes to has
    the function run again; that makes the same nodes in the same order, and what each of those
    saved is put into the node that it is the twin of.
    """

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.function, self.args, self.kwargs = function, args, kwargs
        self.random_state = np.random.get_state()
        self.nodes: list[Any] = []  # weak references: the nodes hold this call, by their promises
        self.names: list[str] = []

    def run(self) -> tuple[Any, list[Any]]:
        """Return what the function returns, recorded, and the nodes that were made."""
        with Watch() as watch:
            output = self.function(*self.args, **self.kwargs)
        return output, watch.nodes

    def forget(self, nodes: list[Any]) -> None:
        """Let go of what the nodes saved."""
        self.nodes = [weakref.ref(node) for node in nodes]
        self.names = [node.function_name for node in nodes]
        for number, node in enumerate(nodes):
            for name, value in vars(node).items():
                if _has_arrays(value):
                    setattr(node, name, None)
            node._saved = Promise(self, number)

    def give(self, number: int) -> None:
        """Run the function again, and give every node back what it saved; that one for certain."""
        twins = self._again()
        for reference, twin in zip(self.nodes, twins, strict=True):
            node = reference()
            if node is None or node._saved.__class__ is not Promise:
                continue  # dropped, or walked already
            if node._versions != twin._versions:
                raise GraphError(
                    f"checkpoint: a tensor that {node.function_name} uses was changed in place "
                    "since, so that what was not stored cannot be computed again; change a copy "
                    "(tensor.clone()), or do it after backward()"
                )
            node._saved = twin._saved
            for name, value in vars(twin).items():
                if vars(node).get(name, node) is None:
                    setattr(node, name, value)
            if node._saved.__class__ is Promise:  # of a checkpoint in this one
                node._saved.giver.nodes[node._saved.number] = reference
        node = self.nodes[number]()
        if node._saved.__class__ is Promise:
            node._saved.keep()

    def _again(self) -> list[Any]:
        """Return the nodes of another run, with the same random numbers."""
        present = np.random.get_state()
        np.random.set_state(self.random_state)
        try:
            with enable_grad():
                _, twins = self.run()
        finally:
            np.random.set_state(present)
        names = [node.function_name for node in twins]
        if names != self.names:
            raise GraphError(
                f"checkpoint: the function recorded {len(self.names)} operations at first and "
                f"{len(names)} now, or others; it must do the same both times"
            )
        return twins


def _has_arrays(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(map(_has_arrays, value))
    return isinstance(value, (np.ndarray, Tensor))


def checkpoint(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return ``function(*args, **kwargs)``, storing only the arguments for backward.

    Backward runs the function again, with the same numbers of NumPy's global generator. Memory
    falls from all intermediate results to the arguments, for one more forward pass. Whatever else
    the function uses gets its gradients as ever.

    Args:
        function: takes Tensors (and other values) and returns a Tensor or a tuple of Tensors; it
            must compute the same both times.
    Raises:
        TypeError: the function returns something else. In backward GraphError: an argument was
            changed in place, or the function computed something else.
    Source: torch.utils.checkpoint.checkpoint (use_reentrant=False); Chen et al. 2016,
        arXiv:1604.06174.
    """
    if not is_grad_enabled() or live_levels.get():  # nothing would be stored anyway
        return function(*args, **kwargs)
    call = _Call(function, args, kwargs)
    output, nodes = call.run()
    for each in output if isinstance(output, tuple) else (output,):
        if not isinstance(each, Tensor):
            raise TypeError(
                "checkpoint: the function must return a Tensor or a tuple of Tensors, not "
                f"{type(each).__name__}"
            )
    call.forget(nodes)
    return output
