"""Forward mode: dual tensors, which carry a tangent beside their value.

Each ``jvp`` under way is a *level*, and a tensor may hold one tangent for each. An operation on
dual tensors computes its value as ever, and then, level by level from the outermost, the tangent of
its result from those of its arguments: by the operation's ``jvp``, or else from ``backward``.

``backward`` is linear in the gradient v that comes in: it maps v to Jᵀv. The derivative of Jᵀv with
respect to v, applied to tangents t, is Jt (reverse mode applied twice); so every operation that can
be differentiated backwards can be differentiated forwards.
Source: J. Townsend, "A new trick for calculating Jacobian vector products" (2017).
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function, OutputNode, edge_to
from mytorch.context import ContextManager
from mytorch.grad_mode import live_levels, recording
from mytorch.graph_walk import run_backward
from mytorch.variable import Variable

__all__ = ["apply_dual", "new_level", "tangent_of"]

_numbers = itertools.count(1)  # never used again: a tensor of an ended jvp cannot be taken for one


class new_level:
    """Open a level for a ``with`` block: ``with new_level() as level: …``."""

    def __enter__(self) -> int:
        level = next(_numbers)
        self._token = live_levels.set((*live_levels.get(), level))
        return level

    def __exit__(self, *error: object) -> None:
        live_levels.reset(self._token)


def tangent_of(tensor: Any, level: int) -> Any:
    """Return the tangent of ``tensor`` at ``level``, or None: its derivative is zero."""
    tangents = tensor._tangents if isinstance(tensor, Variable) else None
    return None if tangents is None else tangents.get(level)


def apply_dual(cls: type[Function], args: tuple[Any, ...]) -> Any:
    """Run ``cls`` on ``args`` of which some may be dual tensors; see the module."""
    live = live_levels.get()
    levels = [level for level in live if any(tangent_of(arg, level) is not None for arg in args)]
    token = live_levels.set(())
    try:
        output, ctx = _run(cls, args)
    finally:
        live_levels.reset(token)
    if not levels:
        return output
    outputs = output if isinstance(output, tuple) else (output,)
    for number, each in enumerate(outputs):
        each._tangents = {}
        for place, own in getattr(ctx, "_own", ()):  # the output saved for backward is dual too
            if own == number:
                ctx._saved[place]._tangents = each._tangents
    for level in levels:
        token = live_levels.set(tuple(x for x in live if x < level))
        try:
            tangents = _tangents_of_outputs(cls, ctx, outputs, args, level)
        finally:
            live_levels.reset(token)
        for each, tangent in zip(outputs, tangents, strict=True):
            if tangent is not None:
                each._tangents[level] = tangent
    return output


def _run(cls: type[Function], args: tuple[Any, ...]) -> tuple[Any, Any]:
    """Run the operation at no level; return its output and the context of the run."""
    if recording.get() and any(isinstance(a, Variable) and a._requires_grad for a in args):
        output = cls.apply(*args)
        outputs = output if isinstance(output, tuple) else (output,)
        node: Any = next(each.grad_fn for each in outputs if each.grad_fn is not None)
        return output, node.next_functions[0] if type(node) is OutputNode else node
    ctx = ContextManager()
    return cls.forward(ctx, *args), ctx


def _tangents_of_outputs(
    cls: type[Function], ctx: Any, outputs: tuple[Any, ...], args: tuple[Any, ...], level: int
) -> list[Any]:
    tangents = [tangent_of(arg, level) for arg in args]
    if cls.jvp is None:
        return _by_backward(cls, ctx, outputs, tangents)
    result = cls.jvp(ctx, *tangents)
    results = result if isinstance(result, tuple) else (result,)
    return [
        None if t is None else t if t.data.shape == out.data.shape else t.expand(out.data.shape)
        for t, out in zip(results, outputs, strict=True)
    ]


def _by_backward(
    cls: type[Function], ctx: Any, outputs: tuple[Any, ...], tangents: list[Any]
) -> list[Any]:
    """Return Jt for each output, from the operation's ``backward`` alone."""
    seeds = [out.new(np.zeros_like(out.data)) for out in outputs]
    for seed in seeds:
        seed._requires_grad = seed.data.dtype.kind in "fc"
    is_recording = recording.get()
    token = recording.set(True)
    ctx.needed = tuple([tangent is not None for tangent in tangents])
    try:
        gradients = cls.backward(ctx, *seeds)
        if not isinstance(gradients, (tuple, list)):
            gradients = (gradients,)
        roots = [
            (edge_to(gradient), tangent)
            for gradient, tangent in zip(gradients, tangents, strict=False)
            if tangent is not None and edge_to(gradient) is not None
        ]
        targets = [edge_to(seed) for seed in seeds]
        found = run_backward(roots, False, True, [t for t in targets if t is not None])
    finally:
        del ctx.needed
        recording.reset(token)
    results = [found.get(target) for target in targets]
    return [r if r is None or is_recording else r.new_alias() for r in results]
