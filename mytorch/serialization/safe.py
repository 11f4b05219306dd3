"""safetensors: named tensors, by the library of that name.

A file that was written here holds a SHA-256 of its tensors, which is checked when it is read.
NumPy has no bfloat16: such tensors become float32, as they do from torch's files.
Source: https://github.com/huggingface/safetensors.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from mytorch.tensor import Tensor

__all__ = ["is_safe", "packed", "unpacked"]

_CHECKSUM = "mytorch.sha256"  # its key in the metadata
_DTYPES = {
    **{f"F{8 * size}": f"<f{size}" for size in (2, 4, 8)},
    **{f"I{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"U{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
    "BOOL": "?",
    "BF16": "<u2",
}


def _library() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            "reading and writing .safetensors files needs the library safetensors: "
            "pip install safetensors"
        ) from None
    return safetensors


def is_safe(start: bytes) -> bool:
    """Whether a file that starts so may be one: the length of the header, and its bracket."""
    return len(start) > 8 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 2**40


def packed(obj: Any) -> bytes:
    """Return the content of a file with the tensors of ``obj``.

    Raises:
        TypeError: anything but a dict of Tensors or arrays by name.
    """
    library = _library()
    if not isinstance(obj, dict):
        raise TypeError(f"save: a .safetensors file holds a dict, not a {type(obj).__name__}")
    arrays: dict[str, np.ndarray] = {}
    for name, value in obj.items():
        if not isinstance(name, str):
            raise TypeError(f"save: obj has the key {name!r}; names of tensors are strings")
        if not isinstance(value, (Tensor, np.ndarray, np.generic)):
            kind = type(value).__name__
            raise TypeError(f"save: obj[{name!r}] is a {kind}; .safetensors holds tensors only")
        array = value.data if isinstance(value, Tensor) else np.asarray(value)
        if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            raise TypeError(f"save: obj[{name!r}] is {array.dtype}, which safetensors has not")
        arrays[name] = np.array(array, array.dtype.newbyteorder("="), order="C")
    return library.numpy.save(arrays, {_CHECKSUM: _digest(arrays)})


def unpacked(file: Any) -> dict[str, Tensor]:
    """Return the tensors by name; any fault of the file is an exception of some kind."""
    library = _library()
    content = file.read()
    arrays = {name: _array(name, **entry) for name, entry in library.deserialize(content)}
    size = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + size]).get("__metadata__") or {}
    if metadata.get(_CHECKSUM, (digest := _digest(arrays))) != digest:
        raise ValueError("the checksum of its tensors is another: the file is damaged")
    return {name: Tensor(array) for name, array in arrays.items()}


def _array(name: str, dtype: str, shape: list[int], data: bytes) -> np.ndarray:
    """Return one tensor of the file."""
    if dtype not in _DTYPES:
        raise ValueError(f"its tensor {name!r} is {dtype}, which NumPy has not")
    array = np.frombuffer(data, _DTYPES[dtype]).reshape(shape)
    if dtype == "BF16":  # the upper half of a float32
        array = (array.astype("<u4") << 16).view("<f4")
    return array.astype(array.dtype.newbyteorder("="))


def _digest(arrays: dict[str, np.ndarray]) -> str:
    """Return a SHA-256 of names, dtypes, shapes and values."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name!r} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
