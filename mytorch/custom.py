"""How an operation that a user wrote is run: it is watched, and told what it does wrong.

Its ``ctx`` is not the node itself, as that of the operations here is, but an ``OpenContext``: any
name may be set on it, ``ctx.shape`` as well, which on a node would be the node's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.context import ContextManager
from mytorch.errors import GraphError
from mytorch.grad_mode import recording
from mytorch.variable import Variable

__all__ = ["OpenContext", "by_rule", "watched"]


class OpenContext:
    """What ``forward`` leaves for ``backward``, under any names; the tensors are the node's."""

    __slots__ = ("__dict__", "_inner")

    def __init__(self, inner: Any):
        self._inner = inner
        self.__dict__ = inner.__dict__.setdefault("names", {})  # the same for every rule

    def save_for_backward(self, *tensors: Any) -> None:
        """See ``ContextManager``, as for the others."""
        self._inner.save_for_backward(*tensors)

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Say in ``forward`` that these of its outputs have no gradient."""
        self._inner.mark_non_differentiable(*outputs)

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether ``backward`` gets zeros or None for an unused output."""
        self._inner.set_materialize_grads(value)

    saved_tensors = property(lambda self: self._inner.saved_tensors)
    needs_input_grad = property(lambda self: self._inner.needs_input_grad)
    next_functions = property(lambda self: getattr(self._inner, "next_functions", ()))
    function_name = property(lambda self: self._inner.function_name)
    bare = property(lambda self: self._inner.bare)


def by_rule(cls: Any, name: str, ctx: Any, *args: Any) -> Any:
    """Return what ``backward`` or ``jvp`` of a user's operation says."""
    return getattr(cls, name)(OpenContext(ctx), *args)


def watched(cls: Any, ctx: Any, *args: Any) -> Any:
    """Run ``cls.forward`` of a user: it may not write to its inputs, and must return Tensors."""
    if type(ctx) is ContextManager:  # not recorded: no gradient will be asked for
        ctx.needed = (False,) * len(args)  # type: ignore[attr-defined]
    arrays = [a.data for a in args if isinstance(a, Variable) and a.data.flags.writeable]
    for array in arrays:
        array.flags.writeable = False
    token = recording.set(False)
    try:
        output = cls.forward(OpenContext(ctx), *args)
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        raise GraphError(
            f"{cls.__name__}.forward changes an input in place; work on a copy: a.data.copy()"
        ) from error
    finally:
        recording.reset(token)
        for array in sorted(arrays, key=lambda array: array.base is not None):  # views afterwards
            array.flags.writeable = True
    for each in output if isinstance(output, tuple) else (output,):
        if not isinstance(each, Variable):
            raise TypeError(
                f"{cls.__name__}.forward must return a Tensor or a tuple of them, not "
                f"{type(each).__name__}; wrap an array: a.new(array)"
            )
        if not each.data.flags.writeable and any(np.may_share_memory(each.data, a) for a in arrays):
            each.data.flags.writeable = True  # a view that was made in between
    return output
