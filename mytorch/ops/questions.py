"""Questions about tensors, answered by a plain value: kind, dtype, number of elements."""

from __future__ import annotations

from typing import Any

import numpy as np

import mytorch.dtypes as dtypes
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["is_complex", "is_floating_point", "is_tensor", "numel", "result_type"]


@operation(method=False)
def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a Tensor (torch.is_tensor)."""
    return isinstance(obj, Variable)


@operation()
def is_floating_point(input: Any) -> bool:
    """Whether the elements are floats (torch.is_floating_point)."""
    return input.data.dtype.kind == "f"


@operation()
def is_complex(input: Any) -> bool:
    """Whether the elements are complex numbers (torch.is_complex)."""
    return input.data.dtype.kind == "c"


@operation(aliases=("nelement",))
def numel(input: Any) -> int:
    """Return the number of elements (torch.numel)."""
    return input.data.size


@operation(method=False)
def result_type(tensor: Any, other: Any) -> np.dtype:
    """Return the dtype of an operation on two tensors or numbers (torch.result_type).

    The highest category wins: bool < integer < float. Within it, tensors with dimensions come
    before 0-d tensors, and these before numbers.

    Raises:
        TypeError: an argument is neither a Tensor nor a number.
    """
    for each in (tensor, other):
        if not isinstance(each, (Variable, bool, int, float, complex, np.generic)):
            kind = type(each).__name__
            raise TypeError(f"result_type: expects Tensors or numbers, not {kind}")
    first, second = [x.item() if isinstance(x, np.generic) else x for x in (tensor, other)]
    if isinstance(first, Variable) and isinstance(second, Variable):
        return dtypes.result_type(first.data, second.data)
    if isinstance(first, Variable):
        return dtypes.scalar_array(second, first.data.dtype).dtype
    if isinstance(second, Variable):
        return dtypes.scalar_array(first, second.data.dtype).dtype
    return dtypes.promote(dtypes.own_dtype(first), dtypes.own_dtype(second))
