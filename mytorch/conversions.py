"""``Conversions``: from Python and NumPy to tensors and back, and from one dtype to another."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.devices import CPU, check_device
from mytorch.devices import device as Device
from mytorch.dtypes import DTYPES, as_dtype, get_default_dtype, own_dtype, promote
from mytorch.errors import DtypeError, GraphError, ShapeError
from mytorch.grad_mode import live_levels
from mytorch.in_place import InPlace
from mytorch.ops.common import check_tensors, fitted, size_argument
from mytorch.ops.pointwise import Cast
from mytorch.variable import Variable

__all__ = ["Conversions", "array_of", "destination", "filled"]

# ----------------------------------------------------------------------------- data to arrays

_NUMBERS = {bool, int, float}


def array_of(name: str, data: Any, dtype: Any = None) -> np.ndarray:
    """Return a copy of ``data`` as an array: the argument of a constructor ``name``.

    Tensors and NumPy's arrays and numbers keep their dtype, also inside lists; Python's integers
    are int64, and its floats of the default dtype.

    Args:
        data: a number, a tensor, an array, or nested sequences of them.
        dtype: the dtype of the result, instead; Python's numbers must fit into it.
    Raises:
        DtypeError: the data are no numbers, or do not fit; ShapeError: sequences of different
            lengths; ValueError: an integer too large for int64.
    """
    wanted = None if dtype is None else as_dtype(name, dtype)
    if type(data) is float and wanted is None:
        return np.array(data, get_default_dtype())
    if isinstance(data, Variable):
        data = data.data
    if isinstance(data, (np.ndarray, np.generic)):
        native = np.asarray(data).dtype.newbyteorder("=")  # the processor's order of bytes
        return _converted(_numbers(name, np.array(data, native), data), wanted)
    found: set[np.dtype] = set()
    plain = _plain(data, found)
    try:
        array = np.array(plain)
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ShapeError(f"{name}: the nested sequences differ in length or in depth") from None
    if array.dtype.kind in "Ou" and found and found <= {*map(own_dtype, (True, 0, 0.0))}:
        common = functools.reduce(promote, found) if wanted is None else wanted
        if common.kind not in "fc":  # Python's integers know no limit
            raise ValueError(f"{name}: an integer does not fit into int64; use dtype=float")
        array = np.array(plain, np.float64)
    _numbers(name, array, data)
    if wanted is not None:
        return fitted(name, array, wanted) if wanted.kind in "iu" else _converted(array, wanted)
    if found:
        return _converted(array, functools.reduce(promote, found))
    is_python = array.dtype.kind == "f" and not hasattr(data, "__array__")
    return _converted(array, get_default_dtype() if is_python else None)


def _plain(data: Any, found: set[np.dtype]) -> Any:
    """Return nested sequences with arrays for tensors; add the dtypes of the parts to ``found``."""
    if isinstance(data, (list, tuple)):
        kinds = set(map(type, data))
        if kinds <= _NUMBERS:
            found.update([own_dtype(kind()) for kind in kinds])
            return data
        return [_plain(part, found) for part in data]
    if isinstance(data, Variable):
        data = data.data
    if isinstance(data, (np.ndarray, np.generic)):
        found.add(data.dtype.newbyteorder("="))
    elif isinstance(data, (bool, int, float, complex)):
        found.add(own_dtype(data))
    return data


def _numbers(name: str, array: np.ndarray, data: Any) -> np.ndarray:
    if array.dtype.kind not in "biufc":
        kind = type(data).__name__
        raise DtypeError(f"{name}: a Tensor holds numbers, not {array.dtype} (from {kind})")
    return array


def filled(name: str, shape: tuple[int, ...], value: Any, dtype: np.dtype | None) -> np.ndarray:
    """Return an array filled with one number, in ``dtype`` or by default in its own.

    Raises:
        TypeError: ``value`` is no number; DtypeError: it does not fit into ``dtype``.
    """
    if isinstance(value, (list, tuple, str)) or np.ndim(value):
        raise TypeError(f"{name}: fill_value must be a number, not {type(value).__name__}")
    value = value.item() if isinstance(value, np.generic) else value
    number = array_of(name, value, np.float64 if dtype and isinstance(value, float) else None)
    return np.full(shape, fitted(name, number, dtype or number.dtype))


def _converted(array: np.ndarray, dtype: np.dtype | None) -> np.ndarray:
    if dtype is None or dtype == array.dtype:
        return array
    with np.errstate(all="ignore"):  # an overflow to infinity, a nan to an integer
        return array.astype(dtype)


# ---------------------------------------------------------------------------------- the methods


def destination(
    name: str, args: tuple[Any, ...], names: dict[str, Any]
) -> tuple[np.dtype | None, bool]:
    """Return the dtype, None for no other, and ``copy``, of the arguments of ``to``.

    Raises:
        RuntimeError: a device that is not the CPU; TypeError: none of these arguments.
    """

    def to(
        device: Any = None, dtype: Any = None, non_blocking: bool = False, copy: bool = False
    ) -> tuple[np.dtype | None, bool]:
        check_device(name, device)
        return None if dtype is None else as_dtype(name, dtype), copy

    first = args[0] if args else None
    if isinstance(first, Variable):
        args = (None, first.data.dtype, *args[1:])
    elif first is not None and not isinstance(first, (str, int, Device)):
        args = (None, *args)
    return to(*args, **names)


#: how torch calls tensors of a dtype, in ``tensor.type()``
_TYPES = {
    "float64": "DoubleTensor", "float32": "FloatTensor", "float16": "HalfTensor",
    "int64": "LongTensor", "int32": "IntTensor", "int16": "ShortTensor", "int8": "CharTensor",
    "uint8": "ByteTensor", "bool": "BoolTensor",
}  # fmt: skip


class Conversions(InPlace):
    """What makes other things of a tensor: arrays, numbers, tensors of another dtype or shape."""

    __slots__ = ()

    # ------------------------------------------------------------------------- to NumPy, Python

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """Return the array itself (no copy).

        Args:
            force: return it also where the history is lost by it.
        Raises:
            GraphError: if the tensor requires grad, since NumPy would lose the history.
        """
        if self._requires_grad and not force:
            raise GraphError("numpy: the tensor requires grad; use tensor.detach().numpy()")
        if self._tangents and not force and not self._tangents.keys().isdisjoint(live_levels.get()):
            raise GraphError(
                "numpy: the tensor has a tangent, which NumPy would lose; write the function in "
                "Tensor operations, or use tensor.detach().numpy()"
            )
        return self.data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def tolist(self) -> Any:
        """Return the elements as nested Python lists; of a 0-d tensor, a number."""
        return self.data.tolist()

    def item(self) -> Any:
        """Return the only element as a Python number.

        Raises:
            ShapeError: there are more elements than one, or none.
        """
        self._check_one_element("item()", "use tolist(), or sum() or mean() first")
        return self.data.item()

    def _check_one_element(self, what: str, advice: str) -> None:
        if self.data.size != 1:
            raise ShapeError(
                f"{what} needs a tensor of exactly one element; this one has {self.data.size}; "
                f"{advice}"
            )

    # ---------------------------------------------------------------------- to another dtype

    def astype(self, dtype: Any) -> Any:
        """Return the tensor in another dtype, itself where nothing changes (NumPy's name).

        Gradients flow through a change from one floating dtype to another; integers have none.
        """
        wanted = as_dtype("astype", dtype)
        if wanted == self.data.dtype:
            return self
        return Cast.apply(self if wanted.kind in "fc" else self.detach(), wanted)

    def to(self, *args: Any, **names: Any) -> Any:
        """Return the tensor in another dtype, itself where nothing changes (torch.Tensor.to).

        ``to(dtype)``, ``to(device)``, ``to(device, dtype)`` or ``to(other)``, for the dtype of
        another tensor; further ``non_blocking``, which says nothing here, and ``copy``.

        Raises:
            RuntimeError: a device that is not the CPU; TypeError: none of these arguments.
        """
        dtype, copy = destination("to", args, names)
        converted = self if dtype is None else self.astype(dtype)
        return self.clone() if copy and converted is self else converted

    def type(self, dtype: Any = None) -> Any:
        """Return torch's name of the tensor's type, "mytorch.FloatTensor"; or, as ``to``, convert.

        Args:
            dtype: a dtype, or such a name, of torch or of mytorch.
        """
        if dtype is None:
            return f"mytorch.{_TYPES.get(self.data.dtype.name, self.data.dtype.name)}"
        if isinstance(dtype, str):
            named = [each for each in _TYPES if _TYPES[each] == dtype.rpartition(".")[2]]
            if not named:
                names = ", ".join(_TYPES.values())
                raise ValueError(f"type: {dtype!r} is none of the names of types: {names}")
            dtype = named[0]
        return self.astype(as_dtype("type", dtype))

    def type_as(self, other: Any) -> Any:
        """Return the tensor in the dtype of ``other``, itself where nothing changes."""
        check_tensors("type_as", other)
        return self.astype(other.data.dtype)

    def bfloat16(self) -> Any:
        """Refuse: NumPy has no bfloat16."""
        raise DtypeError("bfloat16: NumPy has no such dtype; use half() or float()")

    # --------------------------------------------------------------------------- the device

    @property
    def device(self) -> Device:
        """Where the tensor lives: the CPU."""
        return CPU

    @property
    def is_cuda(self) -> bool:
        """Whether the tensor lives on a GPU of NVIDIA's: never."""
        return False

    def cpu(self) -> Any:
        """Return the tensor, which is on the CPU already."""
        return self

    def cuda(self, device: Any = None) -> Any:
        """Refuse: there is no other device than the CPU."""
        check_device("cuda", "cuda" if device is None else device)
        raise RuntimeError("cuda: MyTorch computes with NumPy, on the CPU alone")

    # -------------------------------------------------------------------------- the elements

    @property
    def nbytes(self) -> int:
        """The size of all elements in bytes."""
        return self.data.size * self.data.itemsize

    @property
    def itemsize(self) -> int:
        """The size of an element in bytes."""
        return self.data.itemsize

    def element_size(self) -> int:
        """Return the size of an element in bytes."""
        return self.data.itemsize

    def is_signed(self) -> bool:
        """Whether there are negative numbers of this dtype."""
        return self.data.dtype.kind in "ifc"

    # ------------------------------------------------------------------- others of its dtype

    def new_tensor(
        self, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Any:
        """Return a tensor that holds a copy of ``data``, in this tensor's dtype."""
        array = array_of("new_tensor", data, self.data.dtype if dtype is None else dtype)
        return self._new("new_tensor", array, device, requires_grad)

    def new_full(
        self,
        size: Any,
        fill_value: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
    ) -> Any:
        """Return a tensor of shape ``size`` filled with a number, in this tensor's dtype."""
        wanted = as_dtype("new_full", self.data.dtype if dtype is None else dtype)
        array = filled("new_full", size_argument("new_full", (size,)), fill_value, wanted)
        return self._new("new_full", array, device, requires_grad)

    def _new(self, name: str, array: np.ndarray, device: Any, requires_grad: bool) -> Any:
        check_device(name, device)
        made = self.new(array)
        made.requires_grad = requires_grad  # checks the dtype
        return made


def _to_dtype(name: str) -> Callable[..., Any]:
    dtype = DTYPES[name]

    def method(self: Any) -> Any:
        return self.astype(dtype)

    method.__doc__ = f"Return the tensor as {dtype}, itself where it is; see ``to``."
    return method


def _new_of(name: str, make: Callable[..., np.ndarray], what: str) -> Callable[..., Any]:
    def method(
        self: Any,
        *sizes: Any,
        size: Any = None,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
    ) -> Any:
        wanted = self.data.dtype if dtype is None else as_dtype(name, dtype)
        return self._new(
            name, make(size_argument(name, sizes, size), wanted), device, requires_grad
        )

    method.__doc__ = f"Return {what} of the given shape, in this tensor's dtype."
    return method


_NAMES = {name: name for name in ("float", "double", "half", "long", "int", "short", "bool")}
for _name, _dtype in {**_NAMES, "char": "int8", "byte": "uint8"}.items():
    setattr(Conversions, _name, _to_dtype(_dtype))
for _name, _make, _what in (
    ("new_zeros", np.zeros, "zeros"),
    ("new_ones", np.ones, "ones"),
    ("new_empty", np.empty, "uninitialised memory"),
):
    setattr(Conversions, _name, _new_of(_name, _make, _what))
