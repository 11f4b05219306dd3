"""How an operation that a user wrote is run: it is watched, and told what it does wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.context import ContextManager
from mytorch.errors import GraphError
from mytorch.grad_mode import recording
from mytorch.variable import Variable

__all__ = ["watched"]


def watched(cls: Any, ctx: Any, *args: Any) -> Any:
    """Run ``cls.forward`` of a user: it may not write to its inputs, and must return Tensors."""
    if type(ctx) is ContextManager:  # not recorded: no gradient will be asked for
        ctx.needed = (False,) * len(args)  # type: ignore[attr-defined]
    arrays = [a.data for a in args if isinstance(a, Variable) and a.data.flags.writeable]
    for array in arrays:
        array.flags.writeable = False
    token = recording.set(False)
    try:
        output = cls.forward(ctx, *args)
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
