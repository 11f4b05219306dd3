"""``Parameter``, and parameters and buffers whose shape is not known yet (torch.nn.parameter)."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.devices import check_device
from mytorch.dtypes import as_dtype
from mytorch.errors import DtypeError, ShapeError
from mytorch.tensor import Tensor
from mytorch.variable import Variable

__all__ = [
    "Parameter",
    "Uninitialized",
    "UninitializedBuffer",
    "UninitializedParameter",
    "check_sizes",
    "parameter_dtype",
]


class _ParameterType(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.is_parameter


class Parameter(metaclass=_ParameterType):
    """``Parameter(data)`` is a leaf Tensor that requires grad and is marked as a parameter.

    A factory: what it makes is a ``Tensor``, of which ``isinstance(tensor, Parameter)`` holds.

    Args:
        data: numbers, an array or a Tensor; copied. None for an empty one.
        requires_grad: False for one that is not trained.
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:  # noqa: D102
        return Tensor(() if data is None else data, requires_grad, is_parameter=True)


def parameter_dtype(layer: str, dtype: Any, device: Any) -> np.dtype:
    """Return the dtype of a new layer's parameters, the default one for None.

    Raises:
        RuntimeError: another device than the CPU; DtypeError: ``dtype`` is not floating.
    """
    check_device(layer, device)
    wanted = as_dtype(layer, dtype)
    if wanted.kind != "f":
        raise DtypeError(f"{layer}: dtype must be floating, to have gradients, not {wanted}")
    return wanted


def check_sizes(layer: str, least: int = 0, **sizes: Any) -> None:
    """Raise unless the arguments of these names are integers, and none is below ``least``.

    Raises:
        TypeError: no integer; ShapeError: too small.
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)):
            raise TypeError(f"{layer}: {name} must be an integer, got {size!r}")
        if size < least:
            raise ShapeError(f"{layer}: {name} must be at least {least}, got {size}")


# ------------------------------------------------------------------------ without a shape, as yet

_values: Any = vars(Variable)["data"]  # the slot that ``data`` below stands before


class Uninitialized(Tensor):
    """A Tensor that has a dtype, and no shape or values until ``materialize(shape)``.

    It is that same Tensor which then gets them: whoever holds it holds the right one.
    """

    __slots__ = ()

    def __init__(self, requires_grad: bool = False, device: Any = None, dtype: Any = None):
        super().__init__(np.empty(0, parameter_dtype(type(self).__name__, dtype, device)))
        self._requires_grad = bool(requires_grad)

    def _refuse(self) -> Any:
        raise ShapeError(
            f"an {type(self).__name__} has no shape and no values: it is of a lazy layer. Call the "
            "model on a batch, or load a state_dict, and it will have"
        )

    data = property(_refuse, _values.__set__)

    @property
    def dtype(self) -> np.dtype:
        """The dtype that the values will have."""
        return _values.__get__(self).dtype

    def materialize(self, shape: Any) -> None:
        """Become a Tensor of this shape, whatever stands in its memory."""
        dtype = self.dtype
        self.__class__ = Tensor  # type: ignore[assignment]
        self.data = np.empty(tuple(shape), dtype)

    def detach(self) -> Any:
        """Return this tensor: a ``state_dict`` has it as it is."""
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self._requires_grad, None, self.dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(Uninitialized):
    """A parameter whose shape is not known yet (torch.nn.UninitializedParameter)."""

    __slots__ = ()

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None):
        super().__init__(requires_grad, device, dtype)
        self.is_parameter = True


class UninitializedBuffer(Uninitialized):
    """A buffer whose shape is not known yet (torch.nn.UninitializedBuffer)."""

    __slots__ = ()
