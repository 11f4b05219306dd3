"""``Operations``: the operators and methods of a tensor, each a call of one operation.

Nothing is computed here; the operations are in ``mytorch.nn.functional`` and ``mytorch/ops/``,
where ``@operation`` says which of them are methods too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

import mytorch.nn.functional as F
from mytorch.errors import ShapeError
from mytorch.ops.common import as_operand, check_broadcast
from mytorch.ops.linalg import MatMul
from mytorch.ops.pointwise import Neg, Pow, where
from mytorch.ops.pointwise import pow as power
from mytorch.ops.registry import METHODS
from mytorch.ops.shape import transposed
from mytorch.variable import Variable

__all__ = ["Operations"]


def _operator(operation: Any, reflected: bool = False) -> Callable[[Any, Any], Any]:
    """Return the method behind an operator: ``operation`` on this tensor and the other operand."""
    apply = operation.apply

    def method(self: Any, other: Any) -> Any:
        if other.__class__ is not self.__class__:
            other = as_operand(self, other)
            if other is None:
                return NotImplemented
        return apply(other, self) if reflected else apply(self, other)

    return method


def _comparison(ufunc: Any) -> Callable[[Any, Any], Any]:
    """Return the method behind a comparison: a boolean tensor, never recorded."""

    def method(self: Any, other: Any) -> Any:
        other = as_operand(self, other)
        if other is None:
            return NotImplemented
        check_broadcast(ufunc.__name__, self.data.shape, other.data.shape)
        return self.new(ufunc(self.data, other.data))

    return method


class Operations(Variable):
    """What tensors compute with: ``+ - * / ** @ ==``, indexing, reductions, shapes."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...  # the methods that operations register

    __array_priority__ = 1000  # beside an array of NumPy's, a tensor decides

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        from mytorch.numpy_protocol import call_ufunc

        return call_ufunc(ufunc, method, inputs, keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        from mytorch.numpy_protocol import call_function

        return call_function(function, types, args, keywords)

    # ------------------------------------------------------------------------------ arithmetic

    __add__, __radd__ = _operator(F.Add), _operator(F.Add, reflected=True)
    __sub__, __rsub__ = _operator(F.Sub), _operator(F.Sub, reflected=True)
    __mul__, __rmul__ = _operator(F.Mul), _operator(F.Mul, reflected=True)
    __truediv__, __rtruediv__ = _operator(F.Div), _operator(F.Div, reflected=True)
    __rpow__ = _operator(Pow, reflected=True)
    __matmul__, __rmatmul__ = _operator(MatMul), _operator(MatMul, reflected=True)

    def __pow__(self, other: Any) -> Any:
        return NotImplemented if as_operand(self, other) is None else power(self, other)

    def __neg__(self) -> Any:
        return Neg.apply(self)

    def __pos__(self) -> Any:
        return self

    __eq__, __ne__ = _comparison(np.equal), _comparison(np.not_equal)
    __lt__, __le__ = _comparison(np.less), _comparison(np.less_equal)
    __gt__, __ge__ = _comparison(np.greater), _comparison(np.greater_equal)
    __hash__ = object.__hash__  # by identity, as torch: == compares elements

    # ------------------------------------------------------------------------------ shape

    @property
    def mT(self) -> Any:  # noqa: N802 - torch's name
        """The tensor with its last two axes exchanged."""
        return transposed("mT", self)

    @property
    def mH(self) -> Any:  # noqa: N802 - torch's name
        """As ``mT``, of real tensors."""
        return transposed("mH", self)

    @property
    def H(self) -> Any:  # noqa: N802 - torch's name
        """The transpose of a real matrix."""
        if self.data.ndim != 2:
            raise ShapeError(
                f"H: expects a matrix, got shape {self.data.shape}; use mH for batches"
            )
        return transposed("H", self)

    def T(self) -> Any:  # noqa: N802 - the handout's name
        """Return the transpose, all axes reversed: a method, as in the handout."""
        return F.Transpose.apply(self)

    def where(self, condition: Any, other: Any) -> Any:
        """Return the tensor where ``condition`` holds, else ``other`` (torch.Tensor.where)."""
        return where(condition, self, other)

    def __getitem__(self, index: Any) -> Any:
        return F.Slice.apply(self, index)


for _name, _function in METHODS.items():
    setattr(Operations, _name, _function)
