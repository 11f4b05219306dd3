"""``InPlace``: the methods that change a tensor itself, with torch's rules.

- Not recording, or nothing involved requires grad: the memory is overwritten.
- A leaf that requires grad is refused: its gradient would be that of a value it no longer has.
- A result is recorded: the tensor takes over the place in the graph of what was computed.
- What shares its memory, the base of a view and the other views of it, gets the history of what it
  is from then on: the base that of a copy with the new elements in it, each view that of a view.

Every change is counted on the memory (``version``), so that backward notices where a tensor that an
operation saved has changed since.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import mytorch.nn.functional as F
from mytorch.errors import DtypeError, GraphError, ShapeError
from mytorch.grad_mode import is_grad_enabled, live_levels
from mytorch.graph_walk import RETAIN
from mytorch.methods import Operations
from mytorch.ops import bits, rounding
from mytorch.ops.common import as_operand, fitted
from mytorch.ops.index import Assign, overwritable
from mytorch.ops.indices import Index, parse, put
from mytorch.ops.memory import AsStrided, AsStridedScatter, geometry
from mytorch.ops.pointwise import Pow
from mytorch.ops.registry import IN_PLACE, RESHAPING
from mytorch.variable import Variable

__all__ = ["InPlace"]


Operation = Callable[..., Any]


def _augmented(name: str, operation: Operation) -> Operation:
    """Return the method behind an augmented assignment such as ``+=``."""

    def method(self: Any, other: Any) -> Any:
        other = as_operand(self, other)
        return NotImplemented if other is None else self._overwrite(name, operation, other)

    return method


def _method(name: str, operation: Operation, change: Operation) -> Operation:
    """Return the method ``name`` that makes ``operation`` of a tensor in place, by ``change``."""

    @functools.wraps(operation)
    def method(self: Any, *args: Any, **names: Any) -> Any:
        return change(self, name, operation, *args, **names)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"{operation.__doc__ or ''}\n    In place: the tensor takes the result."
    return method


def _is_same(x: np.ndarray, y: np.ndarray) -> bool:
    """Return whether two arrays are the same elements of the same memory."""
    return x is y or (x.ctypes.data == y.ctypes.data and x.strides == y.strides)


class InPlace(Operations):
    """What changes a tensor in place: names that end in ``_``, ``+=`` and ``t[i] = v``."""

    __slots__ = ()

    def _overwrite(self, name: str, operation: Operation, *args: Any, **names: Any) -> Any:
        """Set this tensor to ``operation(self, *args, **names)`` and return it."""
        self._check_memory(name)
        recorded, dual = self._followed(*args, *names.values())
        if recorded or dual:
            self._check_recordable(name)
        before = self._with_history(self.data.copy()) if recorded else self.new_alias()
        token = overwritable.set(before.data)
        try:
            result = operation(before, *args, **names)
        finally:
            overwritable.reset(token)
        self._check_fits(name, result)
        if not _is_same(result.data, self.data):
            self.data[...] = result.data
        self.mark_changed()
        self._take_place_of(result, recorded)
        if (recorded or dual) and (self._base is not None or self._views):
            self._tell_relatives(recorded)
        return self

    def _reshape(self, name: str, operation: Operation, *args: Any, **names: Any) -> Any:
        """Give this tensor the shape of ``operation(self, *args, **names)``; its memory stays.

        So the histories of views stay right. Who saved the tensor for backward saved its old shape,
        and notices that it was changed.
        """
        self._check_leaf(name)
        if self.grad_fn is not None and not is_grad_enabled():
            raise GraphError(
                f"{name}: inside no_grad() the history of this result would not learn of its new "
                f"shape; use {name.rstrip('_')}, which returns a new tensor"
            )
        recorded, _ = self._followed()
        result = operation(self._with_history(self.data), *args, **names)
        self.data = result.data
        self.mark_changed()
        self._take_place_of(result, recorded)
        return self

    def _followed(self, *others: Any) -> tuple[bool, bool]:
        """Return whether a change is to be recorded, and whether it changes a tangent."""
        tensors = [x for x in (self, *others) if isinstance(x, Variable)]
        recorded = is_grad_enabled() and any([x._requires_grad for x in tensors])
        return recorded, bool(live_levels.get()) and any([x._tangents for x in tensors])

    def _with_history(self, array: np.ndarray) -> Any:
        """Return ``array``, which is what this tensor is now, with the tensor's history."""
        before = self.new(array)
        before.grad_fn, before._requires_grad = self.grad_fn, self._requires_grad
        before.is_leaf, before._tangents = self.is_leaf, self._tangents
        return before

    def _take_place_of(self, result: Any, recorded: bool) -> None:
        """Take over the place in the graph, and the tangents, of what was computed."""
        if recorded:
            self._move_retained(result.grad_fn)
            self.grad_fn, self._requires_grad = result.grad_fn, result._requires_grad
            self.is_leaf = result.is_leaf
        self._tangents = result._tangents

    def _move_retained(self, node: Any) -> None:
        """Let ``retain_grad`` keep the gradient of what the tensor is now."""
        hooks = None if self.grad_fn is None else self.grad_fn.hooks
        if node is not None and hooks and RETAIN in hooks:
            node.hooks = {RETAIN: hooks.pop(RETAIN)}

    def _relatives(self) -> list[Any]:
        """Return the base that this tensor is a view of, first, and all other views of it."""
        base = self if self._base is None else self._base
        known = [base, *[view() for view in base._views or ()]]
        return [x for x in known if x is not None and x is not self]

    def _tell_relatives(self, recorded: bool) -> None:
        """Give all tensors that share the changed memory their new place in the graph."""
        base, relatives = self, self._relatives()
        if self._base is not None:
            base, *relatives = relatives
            token = overwritable.set(base.data)  # which has the new elements already
            try:
                whole = base._with_history(base.data)
                result = AsStridedScatter.apply(whole, self, *geometry(self))
            finally:
                overwritable.reset(token)
            base._take_place_of(result, recorded)
        for view in relatives:
            if np.may_share_memory(view.data, self.data) and view.data.dtype == self.data.dtype:
                view._take_place_of(AsStrided.apply(base, *geometry(view)), recorded)

    def _check_memory(self, name: str) -> None:
        if type(self.data) is not np.ndarray:  # somebody assigned a NumPy scalar
            self.data = np.array(self.data)
        if not self.data.flags.writeable:
            raise ShapeError(
                f"{name}: this tensor's memory is read-only: several of its elements are one place "
                "in it, as after expand, or it was given so; change a copy: tensor.clone()"
            )

    def _check_leaf(self, name: str) -> None:
        if self.is_leaf and self._requires_grad and is_grad_enabled():
            raise GraphError(
                f"{name}: this tensor is a leaf that requires grad; change it inside "
                "`with mytorch.no_grad():`, or change a copy: tensor.clone()"
            )

    def _check_recordable(self, name: str) -> None:
        self._check_leaf(name)
        for relative in self._relatives():
            if relative.is_leaf and relative._requires_grad and is_grad_enabled():
                raise GraphError(
                    f"{name}: a leaf that requires grad shares this tensor's memory; change it "
                    "inside `with mytorch.no_grad():`, or change a copy: tensor.clone()"
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

    __iadd__, __isub__ = _augmented("add_", F.Add.apply), _augmented("sub_", F.Sub.apply)
    __imul__, __itruediv__ = _augmented("mul_", F.Mul.apply), _augmented("div_", F.Div.apply)
    __ifloordiv__ = _augmented("floor_divide_", rounding.FloorDivide.apply)
    __imod__ = _augmented("remainder_", rounding.Remainder.apply)
    __ipow__ = _augmented("pow_", Pow.apply)
    __iand__ = _augmented("bitwise_and_", bits.bitwise_and)
    __ior__ = _augmented("bitwise_or_", bits.bitwise_or)
    __ixor__ = _augmented("bitwise_xor_", bits.bitwise_xor)
    __ilshift__ = _augmented("bitwise_left_shift_", bits.bitwise_left_shift)
    __irshift__ = _augmented("bitwise_right_shift_", bits.bitwise_right_shift)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._assign("t[index] = value", value, index)

    def _assign(self, name: str, value: Any, index: Any) -> Any:
        """Write a number, an array or a Tensor, broadcast and cast, to ``self[index]``."""
        place = parse(index, self.data.shape)
        operand = self._operand(name, value, place)
        if any(self._followed(operand)):
            return self._overwrite(name, Assign.apply, operand, place)
        self._check_memory(name)
        put(self.data, place, operand.data)
        self.mark_changed()
        return self

    def _operand(self, name: str, value: Any, place: Index) -> Any:
        """Return what is to be written as a Tensor."""
        if isinstance(value, (bool, int, float)):
            return self.new(fitted(name, np.asarray(value), self.data.dtype))
        operand = as_operand(self, value)
        if operand is None:
            kind = type(value).__name__
            raise TypeError(f"{name}: expects a number, an array or a Tensor, got {kind}")
        dtype = self.data.dtype
        if place.arrays is not None and operand is value and operand.data.dtype != dtype:
            raise DtypeError(
                f"{name}: a mask or places take a value of the tensor's dtype {dtype}, got "
                f"{operand.data.dtype}; convert it: value.astype(np.{dtype})"
            )
        # what is rounded to integers has no derivative
        return operand if dtype.kind in "fc" else operand.detach()

    # ------------------------------------------------------------------------------ methods

    def fill_(self, value: Any) -> Any:
        """Set every element to ``value``, which must fit into the dtype."""
        return self._assign("fill_", self._checked("fill_", value), ...)

    def fill_diagonal_(self, fill_value: Any, wrap: bool = False) -> Any:
        """Set the elements whose indices are all equal to ``fill_value``.

        Args:
            wrap: in a matrix with more rows than columns, begin anew below the end of the diagonal,
                one row further down.
        Raises:
            ShapeError: there are less than two axes, or of more than two some differ in size.
        """
        shape = self.data.shape
        if len(shape) < 2 or len(shape) > 2 and len(set(shape)) > 1:
            raise ShapeError(
                f"fill_diagonal_: needs a matrix, or more axes of the same size, not {shape}"
            )
        place = np.arange(shape[0] if wrap and len(shape) == 2 else min(shape))
        index: tuple[Any, ...] = (place,) * len(shape)
        if wrap and len(shape) == 2:
            place = place[place % (shape[1] + 1) < shape[1]]
            index = (place, place % (shape[1] + 1))
        return self._assign("fill_diagonal_", self._checked("fill_diagonal_", fill_value), index)

    def _checked(self, name: str, value: Any) -> Any:
        """Return a number in this tensor's dtype; DtypeError if it does not fit into it."""
        if not isinstance(value, (bool, int, float, np.generic)):
            return value
        dtype = self.data.dtype
        if dtype.kind == "f" and abs(float(value)) <= 65504:  # fits into every float
            return self.new(np.array(value, dtype))
        return self.new(fitted(name, np.asarray(value), dtype))

    def zero_(self) -> Any:
        """Set every element to 0."""
        return self.fill_(0)

    def copy_(self, source: Any) -> Any:
        """Overwrite the elements with those of ``source`` (broadcast and cast)."""
        return self._assign("copy_", source, ...)


for _name, _operation in IN_PLACE.items():
    setattr(InPlace, _name, _method(_name, _operation, InPlace._overwrite))
for _name, _operation in RESHAPING.items():
    setattr(InPlace, _name, _method(_name, _operation, InPlace._reshape))
