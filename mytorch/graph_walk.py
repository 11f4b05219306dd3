"""The walk from outputs to leaves: each node once, after everything that uses its output.

A node is known here by ``next_functions``, ``shape``, ``hooks``, ``number`` (of an output,
or None), ``is_leaf``, ``function_name``, ``dtype``, ``place``, ``apply`` and ``release``;
``autograd_engine`` has the classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from sys import getrefcount
from typing import Any

import numpy as np

from mytorch import grad_mode
from mytorch.errors import DtypeError, GraphError, ShapeError
from mytorch.grad_mode import recording
from mytorch.variable import Variable

__all__ = ["RETAIN", "add_to", "count_uses", "run_backward"]


def run_backward(
    roots: Sequence[tuple[Any, Any]],
    retain_graph: bool,
    create_graph: bool,
    targets: Sequence[Any] | None = None,
) -> dict[Any, Any]:
    """Walk from several (node, gradient) at once; return what arrived at ``targets``.

    With targets, only nodes on the way to them are walked, and no leaf's ``grad`` changes.
    """
    token = recording.set(create_graph)
    try:
        with np.errstate(all="ignore"):  # 0 * inf in a gradient is nan, silently, as in torch
            return _walk(roots, retain_graph or create_graph, targets)
    finally:
        recording.reset(token)


def _walk(
    roots: Sequence[tuple[Any, Any]], retain_graph: bool, targets: Sequence[Any] | None
) -> dict[Any, Any]:
    anomaly = grad_mode.is_anomaly_mode()
    is_bare = not (grad_mode.is_traced() or anomaly)  # then gradients are arrays on the way
    gradients: dict[Any, Any] = {}  # node -> sum of what has arrived so far
    for node, seed in roots:
        part = seed.data if is_bare else seed
        gradients[node] = gradients[node] + part if node in gradients else part
    starts = set(gradients)
    waiting = count_uses(gradients)  # node -> uses of its output that are not walked yet
    wanted = None if targets is None else _nodes_above(targets, gradients)
    captured = dict.fromkeys(targets or ())
    ready = [node for node in gradients if not waiting[node]]
    new: Any = roots[0][1].new if roots else None
    # then each part that is not finite is told of where it is made
    sound = anomaly and all(np.isfinite(seed.data).all() for _, seed in roots)
    while ready:
        node = ready.pop()
        gradient = gradients.pop(node, None)
        if gradient is not None and node.hooks and _concerns(node, wanted, captured):
            gradient = _call_hooks(node, gradient, new if is_bare else None)
        if sound and node not in starts:
            _check_sum(node, gradient)
        if node in captured:
            captured[node] = gradient
            if is_bare and gradient is not None:  # others may hold the same array
                captured[node] = new(np.array(gradient))
        following = node.next_functions
        if gradient is None or (wanted is not None and node not in wanted):
            arrived: Any = (None,) * len(following)
        elif node.output_number is not None:
            arrived = (gradient,)
        else:
            if is_bare and node.is_leaf:
                is_spare = getrefcount(gradient) == _ALONE
                node.gather(new, gradient, is_spare)
                continue
            parts = node.materialized(gradient) if type(gradient) is list else (gradient,)
            arrived = node.apply_on_arrays(new, *parts) if is_bare else node.apply(*parts)
            if anomaly:
                _check_finite(node, parts, arrived)
            if not retain_graph:
                node.release()
        for target, part in zip(following, arrived, strict=False):
            if target is None:
                continue
            if part is not None:
                add_to(gradients, node, target, part)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
        arrived = part = None  # or they would count as holders of the gradients below
    return captured


def _concerns(node: Any, wanted: set[Any] | None, captured: dict[Any, Any]) -> bool:
    """Whether a walk to some targets is about this node: it is one, or on the way to one."""
    return wanted is None or node in wanted or node in captured


def _count() -> int:
    array = np.empty(0)
    return getrefcount(array)


#: what ``getrefcount`` says of an array that one local variable holds, and nothing else
_ALONE = _count()


def add_to(gradients: dict[Any, Any], node: Any, target: Any, part: Any) -> None:
    """Add ``part``, a Tensor or an array that ``node`` computed, to what is at ``target``."""
    if node.output_number is not None:
        parts = gradients.get(target)
        if parts is None:
            parts = gradients[target] = [None] * len(target.output_shape)
        known = parts[node.output_number]
        parts[node.output_number] = part if known is None else known + part
        return
    if part.shape != target.output_shape:
        raise ShapeError(
            f"{node.function_name}.backward returned a gradient of shape {part.shape} for an "
            f"argument of shape {target.output_shape}; what was broadcast is summed back by "
            f"unbroadcast(gradient, shape).{node.place}"
        )
    if part.dtype != target.output_dtype:  # of operands of mixed dtypes
        if part.dtype.kind == "c" and target.output_dtype.kind != "c":
            raise DtypeError(
                f"{node.function_name} is of complex numbers, through which nothing is "
                f"differentiated; compute with real and imaginary parts.{node.place}"
            )
        part = part.astype(target.output_dtype)
    known = gradients.get(target)
    gradients[target] = part if known is None else known + part


def count_uses(roots: Any) -> dict[Any, int]:
    """Return how many edges lead to each node below ``roots`` (depth first, each node once)."""
    uses: dict[Any, int] = dict.fromkeys(roots, 0)
    stack = list(uses)
    while stack:
        for node in stack.pop().next_functions:
            if node is None:
                continue
            if node in uses:
                uses[node] += 1
            else:
                uses[node] = 1
                stack.append(node)
    return uses


def _nodes_above(targets: Sequence[Any], roots: Any) -> set[Any]:
    """Return the nodes below ``roots`` from which an edge leads towards a target."""
    users: dict[Any, list[Any]] = {}
    stack, seen = list(roots), set(roots)
    while stack:
        node = stack.pop()
        for following in node.next_functions:
            if following is not None:
                users.setdefault(following, []).append(node)
                if following not in seen:
                    seen.add(following)
                    stack.append(following)
    above: set[Any] = set()
    stack = list(targets)
    while stack:
        for node in users.get(stack.pop(), ()):
            if node not in above:
                above.add(node)
                stack.append(node)
    return above


RETAIN = -1  # the key of the hook by which a result keeps its gradient: it is called last


def _call_hooks(node: Any, gradient: Any, new: Any) -> Any:
    """Return the gradient after the hooks of ``node``, each of which may replace it.

    Hooks see Tensors; ``new`` makes one of an array, and is None where ``gradient`` is one.
    """
    hooks = node.hooks
    gradient = gradient if new is None else new(gradient)
    for key in sorted(hooks, key=lambda key: (key == RETAIN, key)):
        hook = hooks.get(key)  # a hook may have removed it
        replaced = None if hook is None else hook(gradient)
        if replaced is None:
            continue
        if not isinstance(replaced, Variable) or replaced.data.shape != node.output_shape:
            raise ShapeError(
                f"a hook must return None or a Tensor of shape {node.output_shape}, not "
                f"{getattr(replaced, 'shape', type(replaced).__name__)}"
            )
        gradient = replaced
    return gradient if new is None else gradient.data


def _check_finite(node: Any, incoming: Sequence[Any], outgoing: Sequence[Any]) -> None:
    """Anomaly mode: raise where finite gradients went in and a nan or an infinity came out."""
    for position, part in enumerate(outgoing):
        if part is not None and not np.isfinite(part.data).all():
            if not all(g is None or np.isfinite(g.data).all() for g in incoming):
                return  # an earlier node, or the caller, brought it in
            kind = "nan" if np.isnan(part.data).any() else "inf"
            unknown = " Run the forward pass in detect_anomaly() too, to see where it was called."
            raise GraphError(
                f"{node.function_name}.backward made the first {kind} of this backward, in the "
                f"gradient of argument {position}.{node.place or unknown}"
            )


def _check_sum(node: Any, gradient: Any) -> None:
    """Anomaly mode: raise where finite gradients add up to an infinity, or a hook made it."""
    for part in gradient if type(gradient) is list else (gradient,):
        if part is not None and not np.isfinite(part.data).all():
            raise GraphError(
                f"the gradients that arrived at {node.function_name}, each of them finite, add up "
                f"to one that is not, or a hook there made it so.{node.place}"
            )
