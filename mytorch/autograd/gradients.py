"""``gradients``: torch.autograd.grad, the gradients of outputs for given inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mytorch.autograd_engine import edge_to, gradient_dtype, seed_gradient
from mytorch.errors import GraphError, ShapeError
from mytorch.graph_walk import run_backward
from mytorch.tensor import Tensor

__all__ = ["gradients"]


def gradients(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the sum over outputs of the gradient for each input; no ``grad`` is touched.

    Args:
        outputs: what to differentiate; inputs: for what (leaves or results).
        grad_outputs: the gradient of each output; ones where None is given for a scalar.
        retain_graph: keep the graph for another walk (default: as ``create_graph``).
        create_graph: make the results differentiable themselves.
        allow_unused: give None for an input that the outputs do not depend on, instead of raising.
        materialize_grads: give zeros there (implies ``allow_unused``).
    Returns:
        tuple: one Tensor or None for each input.
    Raises:
        GraphError: an input or every output does not require grad, or an input is not used.
        ShapeError: an output is no scalar and has no grad_output.
    Source: torch.autograd.grad.
    """
    outputs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    seeds = _seeds(outputs, grad_outputs)
    targets = [edge_to(tensor) for tensor in inputs]
    for position, target in enumerate(targets):
        if target is None:
            raise GraphError(
                f"grad: inputs[{position}] does not require grad; make it with requires_grad=True"
            )
    if not inputs:
        raise ValueError("grad: needs at least one input")
    roots = [
        (edge_to(output), seed)
        for output, seed in zip(outputs, seeds, strict=True)
        if edge_to(output) is not None
    ]
    if not roots and not (allow_unused or materialize_grads):
        raise GraphError(
            "grad: no output requires grad, so there is no graph to walk; make an input with "
            "requires_grad=True, and compute outside no_grad()"
        )
    keep = create_graph if retain_graph is None else retain_graph
    found = run_backward(roots, keep, create_graph, targets)
    results = [found[target] for target in targets]
    for position, result in enumerate(results):
        if result is None and materialize_grads:
            data = inputs[position].data
            results[position] = inputs[position].new(np.zeros(data.shape, gradient_dtype(data)))
        elif result is None and not allow_unused:
            raise GraphError(
                f"grad: inputs[{position}] was not used to compute the outputs; pass "
                "allow_unused=True for None, or materialize_grads=True for zeros"
            )
    return tuple(results)


def _seeds(outputs: list[Tensor], grad_outputs: Any) -> list[Any]:
    """Return the gradient to start from at each output."""
    given = grad_outputs
    if given is None or (isinstance(given, Tensor) and len(outputs) == 1):
        given = [given] * len(outputs)
    given = list(given)
    if len(given) != len(outputs):
        raise ValueError(f"grad: {len(given)} grad_outputs for {len(outputs)} outputs")
    for output, gradient in zip(outputs, given, strict=True):
        if gradient is None and output.data.size != 1:
            raise ShapeError(
                f"grad: an output of shape {output.shape} needs a grad_output of that shape; only "
                "scalars have a default"
            )
    return [seed_gradient("grad", o, g) for o, g in zip(outputs, given, strict=True)]
