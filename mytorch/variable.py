"""``Variable``: what the engine knows of a tensor."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from mytorch.errors import DtypeError, GraphError

__all__ = ["Variable"]


class Variable:
    """What the engine knows of a tensor: an array, and its place in the graph.

    ``Tensor`` is the only subclass; the split keeps the engine free of every operation.
    """

    __slots__ = (
        "__weakref__",
        "_accumulator",  # weak reference to this leaf's AccumulateGrad, or None
        "_base",  # the tensor that this one is a view of, or None
        "_hooks",  # {handle id: function} of a leaf, or None; a result's are on its node
        "_requires_grad",
        "_tangents",  # {level: tangent} of a dual tensor in forward mode, or None
        "_version",  # [count of in-place changes], shared with views; None until it is needed
        "_views",  # weak references to the views of this base, or None
        "data",
        "grad",
        "grad_fn",
        "is_leaf",
        "is_parameter",
    )

    data: np.ndarray
    grad: Any  # Tensor | None
    grad_fn: Any  # BackwardFunction | None
    is_leaf: bool
    is_parameter: bool
    _requires_grad: bool
    _version: list[int] | None
    _accumulator: weakref.ref[Any] | None
    _base: Variable | None
    _hooks: dict[int, Any] | None
    _tangents: dict[int, Any] | None
    _views: list[weakref.ref[Any]] | None

    def new(self, array: Any, allocate: Any = object.__new__, ndarray: type = np.ndarray) -> Any:
        """Return a constant of the same class around ``array``, which is not copied.

        The other arguments are there to be found fast: this runs once for each operation.
        """
        tensor = allocate(self.__class__)
        tensor.data = array if array.__class__ is ndarray else np.asarray(array)
        tensor.grad = tensor.grad_fn = tensor._version = tensor._accumulator = None
        tensor._base = tensor._hooks = tensor._tangents = tensor._views = None
        tensor._requires_grad = tensor.is_parameter = False
        tensor.is_leaf = True
        return tensor

    def new_alias(self) -> Any:
        """Return this tensor without its history: the same memory, count of changes, tangents."""
        tensor = self.new(self.data)
        tensor._version = self._shared_version()
        tensor._tangents = self._tangents
        return tensor

    def new_view(self, array: np.ndarray) -> Any:
        """Return ``new(array)``, as a view of this tensor where the memory is shared."""
        tensor = self.new(array)
        if array is self.data or np.may_share_memory(array, self.data):
            tensor._version = self._shared_version()
            tensor._base = base = self if self._base is None else self._base
            views = base._views
            if views is None:
                views = base._views = []
            elif (count := len(views)) > 8 and not count & (count - 1):
                # at 16, 32, 64, …, so that many cost no more each: keep those that live
                views = base._views = [view for view in views if view() is not None]
            views.append(weakref.ref(tensor))
        return tensor

    def _shared_version(self) -> list[int]:
        if self._version is None:
            self._version = [0]
        return self._version

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded, and its gradient kept if it is a leaf."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self.grad_fn is not None and not value:
            raise GraphError(
                "requires_grad can only be changed on a leaf; this tensor is the result of "
                f"{self.grad_fn.function_name}. Use tensor.detach() for one without history."
            )
        if value and self.data.dtype.kind != "f":
            dtype, hint = self.data.dtype, "convert it first: tensor.double() or tensor.float()"
            if dtype.kind == "c":  # the rules of derivatives do not conjugate
                hint = "make its real and its imaginary part two tensors"
            raise DtypeError(
                f"only floating tensors can require gradients, this one is {dtype}; {hint}"
            )
        self._requires_grad = bool(value)

    @property
    def version(self) -> int:
        """How often the memory of this tensor was changed in place (torch's ``_version``)."""
        return 0 if self._version is None else self._version[0]

    def mark_changed(self) -> None:
        """Count one in-place change of ``data``, so that a later backward can notice it."""
        if self._version is None:
            self._version = [1]
        else:
            self._version[0] += 1

    def __getstate__(self) -> Any:
        # for copy.deepcopy and pickle: a copy is a leaf of its own, with memory of its own
        state = {name: getattr(self, name) for name in Variable.__slots__ if name != "__weakref__"}
        if self.is_parameter:  # as torch's: a copied model gathers gradients of its own
            state["grad"] = None
        return None, {**state, "_accumulator": None, "_base": None, "_views": None}
