"""``Operations``: the operators and methods of a tensor, each a call of one operation.

Nothing is computed here; the operations are in ``mytorch.nn.functional`` and ``mytorch/ops/``,
where ``@operation`` says which of them are methods too.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import mytorch.nn.functional as F
from mytorch.autograd_engine import apply_to_pair
from mytorch.errors import ShapeError
from mytorch.ops import bits, compare, rounding
from mytorch.ops.arithmetic import positive
from mytorch.ops.common import Convert, as_operand, float_operand
from mytorch.ops.linalg import MatMul
from mytorch.ops.pointwise import Abs, Neg, Pow, where
from mytorch.ops.pointwise import pow as power
from mytorch.ops.registry import METHODS
from mytorch.ops.shape import transposed
from mytorch.variable import Variable

__all__ = ["Operations"]


def _operators(operation: Any, convert: Convert = as_operand) -> tuple[Any, Any]:
    """Return the methods behind an operator, such as ``__add__`` and its reflected ``__radd__``.

    A type that is no number, array or tensor may answer the operator itself (NotImplemented).

    Args:
        operation: a Function, or a function of two Tensors.
    """
    is_class = isinstance(operation, type)
    function = functools.partial(apply_to_pair, operation) if is_class else operation

    def method(self: Any, other: Any) -> Any:
        if other.__class__ is not self.__class__:
            other = convert(self, other)
            if other is None:
                return NotImplemented
        return apply_to_pair(operation, self, other) if is_class else operation(self, other)

    def reflected(self: Any, other: Any) -> Any:
        other = convert(self, other)
        return NotImplemented if other is None else function(other, self)

    return method, reflected


def _divmod(first: Any, second: Any) -> tuple[Any, Any]:
    return rounding.FloorDivide.apply(first, second), rounding.Remainder.apply(first, second)


class Operations(Variable):
    """What tensors compute with: ``+ - * / // % ** @ & | ^ == <``, indexing, reductions, shapes."""

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

    __add__, __radd__ = _operators(F.Add)
    __sub__, __rsub__ = _operators(F.Sub)
    __mul__, __rmul__ = _operators(F.Mul)
    __truediv__, __rtruediv__ = _operators(F.Div, float_operand)
    __floordiv__, __rfloordiv__ = _operators(rounding.FloorDivide)
    __mod__, __rmod__ = _operators(rounding.Remainder)
    __divmod__, __rdivmod__ = _operators(_divmod)
    __matmul__, __rmatmul__ = _operators(MatMul)
    __rpow__ = _operators(Pow)[1]

    def __pow__(self, other: Any) -> Any:
        return NotImplemented if as_operand(self, other) is None else power(self, other)

    def __neg__(self) -> Any:
        return Neg.apply(self)

    def __pos__(self) -> Any:
        return positive(self)

    def __abs__(self) -> Any:
        return Abs.apply(self)

    def __round__(self, decimals: int = 0) -> Any:
        return rounding.round(self, decimals=decimals)

    # ------------------------------------------------------------------------------ bits, logic

    __and__, __rand__ = _operators(bits.bitwise_and)
    __or__, __ror__ = _operators(bits.bitwise_or)
    __xor__, __rxor__ = _operators(bits.bitwise_xor)
    __lshift__, __rlshift__ = _operators(bits.bitwise_left_shift)
    __rshift__, __rrshift__ = _operators(bits.bitwise_right_shift)

    def __invert__(self) -> Any:
        return bits.bitwise_not(self)

    __eq__ = _operators(compare.eq)[0]
    __ne__ = _operators(compare.ne)[0]
    __lt__ = _operators(compare.lt)[0]
    __le__ = _operators(compare.le)[0]
    __gt__ = _operators(compare.gt)[0]
    __ge__ = _operators(compare.ge)[0]
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
