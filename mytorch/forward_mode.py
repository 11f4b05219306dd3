"""Forward mode: dual tensors, which carry a tangent beside their value.

Each ``jvp`` under way is a *level*, and a tensor may hold one tangent for each. An operation on
dual tensors computes its value as ever, and then, level by level from the outermost, the tangent of
its result from those of its arguments: by the operation's ``jvp``, or else from ``backward``.
Where nobody follows the tangents themselves, ``jvp`` runs on arrays (``Function.on_arrays``).

``backward`` is linear in the gradient v that comes in: it maps v to Jᵀv. The derivative of Jᵀv with
respect to v, applied to tangents t, is Jt (reverse mode applied twice); so every operation that can
be differentiated backwards can be differentiated forwards.
Source: J. Townsend, "A new trick for calculating Jacobian vector products" (2017).
"""

from __future__ import annotations

import functools
import itertools
import weakref
from typing import Any

import numpy as np

from mytorch.autograd_engine import BackwardFunction, CustomNode, Function, edge_to, edges_to
from mytorch.context import ContextManager
from mytorch.custom import by_rule
from mytorch.errors import GraphError
from mytorch.grad_mode import live_levels, recording
from mytorch.graph_walk import run_backward
from mytorch.quiet import quietly
from mytorch.variable import Variable

__all__ = ["apply_dual", "new_level", "set_tangent", "tangent_of"]

_numbers = itertools.count(1)  # never used again: a tensor of an ended jvp cannot be taken for one


class _Tangents(dict[int, Any]):
    """The tangents of one tensor by level; unlike a plain dict, it can be weakly referenced."""

    __slots__ = ("__weakref__",)


# What each level has written, to be taken back at its end: a result's tangent may refer, by its own
# graph, to the node that saved the result, and such a cycle would wait for the garbage collector.
_written: dict[int, list[weakref.ref[_Tangents]]] = {}


def set_tangent(tensor: Any, level: int, tangent: Any) -> None:
    """Give ``tensor`` a tangent at ``level``, which the end of the level takes back."""
    if not tangent._requires_grad and tensor._tangents is None:  # it refers to nothing
        tensor._tangents = {level: tangent}
        return
    if not isinstance(tensor._tangents, _Tangents):
        tensor._tangents = _Tangents(tensor._tangents or {})
    tensor._tangents[level] = tangent
    _written.setdefault(level, []).append(weakref.ref(tensor._tangents))


class new_level:
    """Open a level for a ``with`` block: ``with new_level() as level: …``."""

    def __enter__(self) -> int:
        level = self._level = next(_numbers)
        self._token = live_levels.set((*live_levels.get(), level))
        return level

    def __exit__(self, *error: object) -> None:
        live_levels.reset(self._token)
        for reference in _written.pop(self._level, ()):
            tangents = reference()
            if tangents is not None:
                tangents.pop(self._level, None)


def tangent_of(tensor: Any, level: int) -> Any:
    """Return the tangent of ``tensor`` at ``level``, or None: its derivative is zero."""
    tangents = tensor._tangents if isinstance(tensor, Variable) else None
    return None if tangents is None else tangents.get(level)


def apply_dual(cls: type[Function], args: tuple[Any, ...], live: tuple[int, ...]) -> Any:
    """Run ``cls`` on ``args`` of which some may be dual tensors; see the module."""
    if len(live) == 1 and cls.on_arrays and cls.jvp is not None:
        output = _apply_on_arrays(cls, args, live[0])
        if output is not None:
            return output
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
        each._tangents = _Tangents()
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
                set_tangent(each, level, tangent)
    return output


class _ArrayContext(ContextManager):
    """The context of an operation whose ``jvp`` runs at once, on the arrays of what was saved."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self.bare = True

    def save_for_backward(self, *tensors: Any) -> None:
        self._saved = tuple([None if tensor is None else tensor.data for tensor in tensors])

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        return self._saved or ()


def _apply_on_arrays(cls: type[Function], args: tuple[Any, ...], level: int) -> Any:
    """Run an operation, and its ``jvp`` on arrays; None where the tangents must be followed."""
    is_recording, is_dual = recording.get(), False
    tangents: list[Any] = []
    for arg in args:
        tangent = None
        if isinstance(arg, Variable):
            if is_recording and arg._requires_grad:
                return None
            tangent = arg._tangents.get(level) if arg._tangents else None
            if tangent is not None:
                if tangent._tangents or (is_recording and tangent._requires_grad):
                    return None
                tangent, is_dual = tangent.data, True
        tangents.append(tangent)
    ctx = _ArrayContext()
    output = cls._run(ctx, *args)
    if is_dual:
        found = quietly(_jvp_of(cls), ctx, *tangents)  # 0 * inf is nan, silently, as in a gradient
        if isinstance(output, tuple):
            for each, tangent in zip(output, found, strict=True):
                _give(each, level, tangent)
        else:
            _give(output, level, found)
    return output


def _give(output: Any, level: int, tangent: Any) -> None:
    """Set an array as the tangent of a new result."""
    if tangent is not None:
        if tangent.shape != output.data.shape:
            tangent = np.broadcast_to(tangent, output.data.shape)
        output._tangents = {level: output.new(tangent)}


def _jvp_of(cls: type[Function]) -> Any:
    """Return the rule of forward mode; of an operation that a user wrote, with an OpenContext."""
    return functools.partial(by_rule, cls, "jvp") if cls._node is CustomNode else cls.jvp


def _run(cls: type[Function], args: tuple[Any, ...]) -> tuple[Any, Any]:
    """Run the operation at no level; return its output and the context of the run."""
    recorded = recording.get() and any(isinstance(a, Variable) and a._requires_grad for a in args)
    ctx: Any = BackwardFunction(cls, edges_to(args)) if recorded else ContextManager()
    ctx.needed = (True,) * len(args)  # the tangents may need what the gradients do not
    output = cls._run(ctx, *args)
    del ctx.needed
    if recorded:
        return ctx.attach(output, args), ctx
    if isinstance(output, tuple):
        return tuple(_own(each, args) for each in output), ctx
    return _own(output, args), ctx


def _own(output: Any, args: tuple[Any, ...]) -> Any:
    """Return the output, or an alias where it is an argument, which keeps its own tangents."""
    return output.new_alias() if any(output is arg for arg in args) else output


def _tangents_of_outputs(
    cls: type[Function], ctx: Any, outputs: tuple[Any, ...], args: tuple[Any, ...], level: int
) -> list[Any]:
    tangents = [tangent_of(arg, level) for arg in args]
    if cls.jvp is None:
        return _by_backward(cls, ctx, outputs, tangents)
    with np.errstate(all="ignore"):
        result = _jvp_of(cls)(ctx, *tangents)
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
        gradients = cls._rule(ctx, *seeds)
        if not isinstance(gradients, (tuple, list)):
            gradients = (gradients,)
        roots = [
            (edge_to(gradient), tangent)
            for gradient, tangent in zip(gradients, tangents, strict=False)
            if tangent is not None and edge_to(gradient) is not None
        ]
        _refuse_arrays(cls, ctx, seeds, gradients, tangents)
        targets = [edge_to(seed) for seed in seeds]
        found = run_backward(roots, False, True, [t for t in targets if t is not None])
    finally:
        del ctx.needed
        recording.reset(token)
    results = [found.get(target) for target in targets]
    return [r if r is None or is_recording else r.new_alias() for r in results]


def _refuse_arrays(
    cls: type[Function], ctx: Any, seeds: list[Any], gradients: Any, tangents: list[Any]
) -> None:
    """Raise where ``backward`` computed on arrays: it would look like a derivative of zero."""
    lost = [
        place
        for place, (gradient, tangent) in enumerate(zip(gradients, tangents, strict=False))
        if gradient is not None and tangent is not None and edge_to(gradient) is None
    ]
    if not lost:
        return
    found = cls._rule(ctx, *[seed.new(np.ones_like(seed.data)) for seed in seeds])
    found = found if isinstance(found, (tuple, list)) else (found,)
    if any(found[place] is not None and found[place].data.any() for place in lost):
        raise GraphError(
            f"{cls.__name__}.backward computes on arrays, so forward mode cannot differentiate it; "
            "write it in Tensor operations, or give the class a jvp(ctx, *tangents)"
        )
