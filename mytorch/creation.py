"""Tensors from nothing: filled ones, sequences, and those that hold given data.

All take ``dtype=`` (by default the default float), ``device=`` (the CPU) and ``requires_grad=``;
``Tensor.zeros`` and the like are the handout's, with the shape alone. Source: torch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.conversions import filled
from mytorch.devices import check_device
from mytorch.dtypes import as_dtype
from mytorch.errors import ArgumentError, DtypeError
from mytorch.ops.common import count_argument, size_argument
from mytorch.ops.registry import operation
from mytorch.tensor import Tensor, tensor, wrap

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def made(name: str, array: np.ndarray, device: Any, requires_grad: bool) -> Tensor:
    """Return what the factory ``name`` makes of ``array``, which is not copied."""
    check_device(name, device)
    return wrap(array, requires_grad)


# --------------------------------------------------------------------------- from given data


@operation(method=False)
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """Return ``data`` as a tensor: itself, or sharing an array's memory, wherever nothing changes.

    A Tensor keeps its history. Everything else is copied, as by ``tensor`` (torch.as_tensor).
    """
    check_device("as_tensor", device)
    if isinstance(data, np.ndarray):
        data = from_numpy(data)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype=dtype)
    return tensor(data, dtype=dtype)


@operation(method=False)
def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:
    """Return ``obj`` as a tensor, sharing its memory if it can (torch.asarray).

    Args:
        copy: True to copy always, False never, None only where it must.
        requires_grad: whether the result requires grad; None as ``obj`` does, with its history.
    Raises:
        ValueError: ``copy=False``, and it must be copied.
    """
    check_device("asarray", device)
    result = as_tensor(obj, dtype)
    given = obj.data if isinstance(obj, Tensor) else obj
    shared = isinstance(given, np.ndarray) and np.may_share_memory(given, result.data)
    if copy is False and not shared:
        kind = type(obj).__name__
        raise ValueError(f"asarray: this {kind} must be copied; leave out copy=False")
    result = result.clone() if copy and shared else result
    if requires_grad is False:
        return result.detach() if result.requires_grad else result
    return result.requires_grad_() if requires_grad else result


@operation(method=False)
def from_numpy(ndarray: np.ndarray) -> Tensor:
    """Return a tensor that shares the memory of an array: a change of one is seen in the other.

    Raises:
        TypeError: it is no array, or not one of numbers. Source: torch.from_numpy.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(
            f"from_numpy: expects an array, not {type(ndarray).__name__}; see as_tensor"
        )
    as_dtype("from_numpy", ndarray.dtype)
    return wrap(np.asarray(ndarray))


# ------------------------------------------------------------------------------- filled ones


@operation(method=False)
def zeros(
    *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return zeros: ``zeros(2, 3)``, ``zeros((2, 3))`` or ``zeros(size=(2, 3))`` (torch.zeros)."""
    shape = size_argument("zeros", sizes, size)
    return made("zeros", np.zeros(shape, as_dtype("zeros", dtype)), device, requires_grad)


@operation(method=False)
def ones(
    *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ones of the given shape, as ``zeros`` (torch.ones)."""
    shape = size_argument("ones", sizes, size)
    return made("ones", np.ones(shape, as_dtype("ones", dtype)), device, requires_grad)


@operation(method=False)
def empty(
    *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return memory of the given shape, whatever stands in it, as ``zeros`` (torch.empty)."""
    shape = size_argument("empty", sizes, size)
    return made("empty", np.empty(shape, as_dtype("empty", dtype)), device, requires_grad)


@operation(method=False)
def full(
    size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return a tensor of shape ``size`` filled with one number (torch.full).

    Args:
        dtype: by default the number's own: bool, int64 or the default float.
    Raises:
        DtypeError: the number does not fit into ``dtype``; TypeError: it is no number.
    """
    shape = size_argument("full", (), size)
    wanted = None if dtype is None else as_dtype("full", dtype)
    return made("full", filled("full", shape, fill_value, wanted), device, requires_grad)


@operation(method=False)
def eye(
    n: int, m: int | None = None, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return the identity matrix (n, n), or of (n, m) the ones on the diagonal (torch.eye)."""
    rows = count_argument("eye", "n", n)
    columns = rows if m is None else count_argument("eye", "m", m)
    array = np.eye(rows, columns, dtype=as_dtype("eye", dtype))
    return made("eye", array, device, requires_grad)


# ------------------------------------------------------------------ of the shape of another one


@operation(method=False)
def zeros_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return zeros of the shape of ``input``, in its dtype by default (torch.zeros_like)."""
    array = np.zeros_like(input.data, dtype_like("zeros_like", input, dtype))
    return made("zeros_like", array, device, requires_grad)


@operation(method=False)
def ones_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return ones of the shape of ``input``, in its dtype by default (torch.ones_like)."""
    array = np.ones_like(input.data, dtype_like("ones_like", input, dtype))
    return made("ones_like", array, device, requires_grad)


@operation(method=False)
def empty_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return memory of the shape of ``input``, whatever stands in it (torch.empty_like)."""
    array = np.empty_like(input.data, dtype_like("empty_like", input, dtype))
    return made("empty_like", array, device, requires_grad)


@operation(method=False)
def full_like(
    input: Any, fill_value: Any, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return one number in the shape of ``input``, in its dtype by default (torch.full_like).

    Raises:
        DtypeError: the number does not fit into the dtype; TypeError: it is no number.
    """
    wanted = dtype_like("full_like", input, dtype)
    array = filled("full_like", input.data.shape, fill_value, wanted)
    return made("full_like", array, device, requires_grad)


def dtype_like(name: str, input: Any, dtype: Any) -> np.dtype:
    """Return the argument ``dtype``, by default that of ``input``."""
    return input.data.dtype if dtype is None else as_dtype(name, dtype)


# --------------------------------------------------------------------------------- sequences


@operation(method=False)
def arange(
    *interval: Any, start: Any = 0, end: Any = None, step: Any = 1, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return start, start + step, … up to but without end (torch.arange).

    ``arange(end)``, ``arange(start, end)`` or ``arange(start, end, step)``; each may be a 0-d
    tensor. There are ceil((end - start) / step) elements.

    Args:
        dtype: by default int64, or with a float among the three the default float. Of an integer
            dtype the three are first cut to integers.
    Raises:
        TypeError: end is missing, or one is no number; ArgumentError: step is 0 or goes the other
        way, or one is not finite; DtypeError: for booleans.
    """
    if len(interval) == 1 and end is None:
        interval = (start, *interval)
    if len(interval) > 3:
        raise TypeError(f"arange: expects start, end and step, got {len(interval)} numbers")
    start, end, step = (*interval, *(start, end, step)[len(interval) :])
    if end is None:
        raise TypeError("arange: misses its argument `end`")
    bounds = {"start": start, "end": end, "step": step}
    first, last, by = [_number("arange", key, value) for key, value in bounds.items()]
    has_float = any(isinstance(each, float) for each in (first, last, by))
    wanted = as_dtype("arange", dtype if dtype or has_float else np.int64)
    _refuse_bool("arange", wanted)
    if not all(map(math.isfinite, (first, last, by))):
        raise ArgumentError(f"arange: start, end and step must be finite: {first}, {last}, {by}")
    if wanted.kind in "iu":
        first, last, by = int(first), int(last), int(by)
    if by == 0:
        raise ArgumentError("arange: step must not be 0, nor be cut to it")
    count = -((first - last) // by) if wanted.kind in "iu" else math.ceil((last - first) / by)
    if count < 0:
        raise ArgumentError(f"arange: from {first} to {last} is not in the direction of step {by}")
    array = np.arange(count) * by + first
    return made("arange", _cast(array, wanted), device, requires_grad)


@operation(method=False)
def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``steps`` numbers at equal distances, from start to end inclusive (torch.linspace).

    Raises:
        TypeError: start or end is no number, steps no integer; ArgumentError: steps is negative;
        DtypeError: for booleans.
    """
    wanted = as_dtype("linspace", dtype)
    return made(
        "linspace", _cast(_spaced("linspace", start, end, steps, wanted), wanted), device,
        requires_grad,
    )  # fmt: skip


@operation(method=False)
def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return base ** x for each x of ``linspace(start, end, steps)`` (torch.logspace)."""
    wanted = as_dtype("logspace", dtype)
    exponents = _spaced("logspace", start, end, steps, wanted)
    with np.errstate(all="ignore"):
        array = np.power(float(base), exponents)
    return made("logspace", _cast(array, wanted), device, requires_grad)


def _spaced(name: str, start: Any, end: Any, steps: int, dtype: np.dtype) -> np.ndarray:
    """Return ``steps`` float64 numbers from start to end, counted from the nearer of the two."""
    first, last = _number(name, "start", start), _number(name, "end", end)
    count = count_argument(name, "steps", steps)
    _refuse_bool(name, dtype)
    if dtype.kind in "iu":
        first, last = int(first), int(last)
    place, half = np.arange(count, dtype=np.float64), max(count // 2, 1)
    with np.errstate(all="ignore"):
        gap = np.float64(last - first) / max(count - 1, 1)
        near_end = last - gap * (count - 1 - place[half:])
        return np.concatenate([first + gap * place[:half], near_end])


def _number(name: str, key: str, value: Any) -> Any:
    """Return an argument as a number of Python's; TypeError where it is none."""
    if isinstance(value, (Tensor, np.generic, np.ndarray)) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, (int, float)):
        raise TypeError(f"{name}: {key} must be a number, not {type(value).__name__}")
    return value


def _refuse_bool(name: str, dtype: np.dtype) -> None:
    if dtype.kind == "b":
        raise DtypeError(f"{name}: booleans have no such sequence; choose another dtype")


def _cast(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    with np.errstate(all="ignore"):  # silently infinite, or wrapped around, where the dtype ends
        return array.astype(dtype, copy=False)
