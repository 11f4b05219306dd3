"""``InPlace``: the methods that change a tensor itself, with torch's rules.

- Not recording, or nothing involved requires grad: the memory is overwritten.
- A leaf that requires grad is refused: its gradient would be that of a value it no longer has.
- A result is recorded: the tensor takes over the place in the graph of what was computed.
- Through a view it is refused where it would have to be recorded, since the history of the view's
  base would have to be rewritten; so is a change of a base whose views have a history.

Every change is counted on the memory (``version``), so that backward notices where a tensor that an
operation saved has changed since.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import mytorch.nn.functional as F
from mytorch.errors import DtypeError, GraphError, ShapeError
from mytorch.grad_mode import is_grad_enabled, live_levels
from mytorch.graph_walk import RETAIN
from mytorch.methods import Operations
from mytorch.ops.index import plain_index
from mytorch.ops.pointwise import Sigmoid, Tanh
from mytorch.variable import Variable

__all__ = ["InPlace"]


def _augmented(operation: Any) -> Any:
    """Return the method behind an augmented assignment such as ``+=``."""

    def method(self: Any, other: Any) -> Any:
        if self._operand(other) is None:
            return NotImplemented
        return self._overwrite(f"{operation.__name__.lower()}_", operation, other)

    return method


class InPlace(Operations):
    """What changes a tensor in place: names that end in ``_``, ``+=`` and ``t[i] = v``."""

    __slots__ = ()

    def _overwrite(self, name: str, operation: Any, *values: Any, options: Any = ()) -> Any:
        """Set this tensor to ``operation(self, *values, *options)`` and return it."""
        operands = [self._operand(value) for value in values]
        if any(operand is None for operand in operands):
            raise TypeError(f"{name}: expects numbers, arrays or Tensors")
        recorded = is_grad_enabled() and any(
            isinstance(x, Variable) and x._requires_grad for x in (self, *operands)
        )
        dual = bool(live_levels.get()) and any(
            isinstance(x, Variable) and x._tangents for x in (self, *operands)
        )
        if recorded or dual:
            self._check_recordable(name)
        before = self._before_change() if recorded else self.new_alias()
        result = operation.apply(before, *operands, *options)
        self._check_fits(name, result)
        if type(self.data) is not np.ndarray:  # somebody assigned a NumPy scalar
            self.data = np.array(self.data)
        self.data[...] = result.data
        self.mark_changed()
        if recorded:
            self._move_retained(result.grad_fn)
            self.grad_fn, self._requires_grad, self.is_leaf = result.grad_fn, True, False
        self._tangents = result._tangents
        return self

    def _before_change(self) -> Any:
        """Return this tensor as it is now, with its history and memory of its own."""
        before = self.new(self.data.copy())
        before.grad_fn, before._requires_grad = self.grad_fn, self._requires_grad
        before.is_leaf, before._tangents = self.is_leaf, self._tangents
        return before

    def _move_retained(self, node: Any) -> None:
        """Let ``retain_grad`` keep the gradient of what the tensor is now."""
        hooks = None if self.grad_fn is None else self.grad_fn.hooks
        if hooks and RETAIN in hooks:
            node.hooks = {RETAIN: hooks.pop(RETAIN)}

    def _check_recordable(self, name: str) -> None:
        if self.is_leaf and self._requires_grad and is_grad_enabled():
            raise GraphError(
                f"{name}: this tensor is a leaf that requires grad; change it inside "
                "`with mytorch.no_grad():`, or change a copy: tensor.clone()"
            )
        if self._base is not None:
            raise GraphError(
                f"{name}: this tensor is a view, and recording the change would rewrite the "
                "history of the tensor it is a view of. Write base[index] = value on that tensor, "
                "or build the result with where or cat, or change a copy: view.clone()"
            )
        if any(view() is not None for view in self._views or ()):
            raise GraphError(
                f"{name}: this tensor has views, whose history the change would make wrong; "
                "make the views after the change, or of a copy: tensor.clone()"
            )

    def _check_fits(self, name: str, result: Any) -> None:
        if result.data.shape != self.data.shape:
            raise ShapeError(
                f"{name}: the result has shape {result.data.shape}, which does not fit in place "
                f"into {self.data.shape}"
            )
        if not np.can_cast(result.data.dtype, self.data.dtype, "same_kind"):
            dtype = result.data.dtype
            raise DtypeError(
                f"{name}: a result of dtype {dtype} cannot be kept in {self.data.dtype}; convert "
                f"the tensor first: tensor.astype(np.{dtype})"
            )

    # ------------------------------------------------------------------------------ operators

    __iadd__, __isub__ = _augmented(F.Add), _augmented(F.Sub)
    __imul__, __itruediv__ = _augmented(F.Mul), _augmented(F.Div)
    __ipow__ = _augmented(F.Pow)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._overwrite("t[index] = value", F.Assign, value, options=(plain_index(index),))

    # ------------------------------------------------------------------------------ methods

    def add_(self, other: Any, alpha: float = 1) -> Any:
        """Add ``alpha * other`` in place."""
        return self._overwrite("add_", F.Add, other if alpha == 1 else alpha * other)

    def sub_(self, other: Any, alpha: float = 1) -> Any:
        """Subtract ``alpha * other`` in place."""
        return self._overwrite("sub_", F.Sub, other if alpha == 1 else alpha * other)

    def mul_(self, other: Any) -> Any:
        """Multiply in place."""
        return self._overwrite("mul_", F.Mul, other)

    def div_(self, other: Any) -> Any:
        """Divide in place."""
        return self._overwrite("div_", F.Div, other)

    def pow_(self, exponent: Any) -> Any:
        """Raise to a power in place."""
        return self._overwrite("pow_", F.Pow, exponent)

    def neg_(self) -> Any:
        """Change the sign in place."""
        return self._overwrite("neg_", F.Neg)

    def exp_(self) -> Any:
        """Set x to e**x in place."""
        return self._overwrite("exp_", F.Exp)

    def log_(self) -> Any:
        """Set x to its natural logarithm in place."""
        return self._overwrite("log_", F.Log)

    def sqrt_(self) -> Any:
        """Set x to its square root in place."""
        return self._overwrite("sqrt_", F.Sqrt)

    def relu_(self) -> Any:
        """Set x to max(x, 0) in place."""
        return self._overwrite("relu_", F.ReLU)

    def sigmoid_(self) -> Any:
        """Set x to 1 / (1 + e**-x) in place."""
        return self._overwrite("sigmoid_", Sigmoid)

    def tanh_(self) -> Any:
        """Set x to tanh(x) in place."""
        return self._overwrite("tanh_", Tanh)

    def clamp_(self, min: Any = None, max: Any = None) -> Any:
        """Limit x to [min, max] in place."""
        return self._overwrite("clamp_", F.Clamp, options=(min, max))

    def fill_(self, value: Any) -> Any:
        """Set every element to ``value``."""
        return self._overwrite("fill_", F.Assign, value, options=(...,))

    def zero_(self) -> Any:
        """Set every element to 0."""
        return self.fill_(0)

    def copy_(self, source: Any) -> Any:
        """Overwrite the elements with those of ``source`` (broadcast and cast)."""
        return self._overwrite("copy_", F.Assign, source, options=(...,))
