"""``save`` and ``load``: nested dicts, lists, numbers, strings and tensors in one ``.npz`` file.

No pickle, so that a file from a stranger can run no code. The file is written beside its final
place and renamed, so that a crash at any moment leaves the old file or the new one, whole.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from mytorch.tensor import Tensor

__all__ = ["load", "save"]

_HEADER = "mytorch-header"  # the entry with the structure, as UTF-8 JSON in a uint8 array
_VERSION = 1


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Write ``obj`` to ``path``, atomically.

    Args:
        obj: dicts with string keys, lists, tuples (read back as lists), numbers, strings, bools,
            None, NumPy arrays and Tensors, nested as you like: such as a ``state_dict``.
        path: the file; its folder must exist.
    Raises:
        TypeError: a value that cannot be stored, named by its place; nothing is written then.
        OSError: the disk is full or the folder cannot be written; the old file is unharmed.
    """
    arrays: dict[str, np.ndarray] = {}
    header = {"version": _VERSION, "content": _pack(obj, "obj", arrays)}
    text = json.dumps(header).encode()
    arrays[_HEADER] = np.frombuffer(text, np.uint8)
    target = Path(path)
    handle, temporary = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name}.", suffix=".tmp"
    )
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def load(path: str | os.PathLike[str]) -> Any:
    """Return what ``save`` wrote to ``path``; tensors as Tensors, arrays as arrays.

    Raises:
        FileNotFoundError: no such file; ValueError: a truncated, damaged or foreign file.
    """
    try:
        with np.load(path, allow_pickle=False) as entries:
            header = json.loads(entries[_HEADER].tobytes())
            if header["version"] != _VERSION:
                raise ValueError(f"format version {header['version']}, expected {_VERSION}")
            return _unpack(header["content"], entries)
    except (KeyError, ValueError, TypeError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{os.fspath(path)} is not a whole file written by mytorch.save: {error}"
        ) from None


def _pack(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
    """Return ``value`` as JSON, its arrays put into ``arrays`` and referred to by name."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"save: {place} has the key {key!r}; keys must be strings")
        return {"dict": {key: _pack(v, f"{place}[{key!r}]", arrays) for key, v in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"list": [_pack(v, f"{place}[{i}]", arrays) for i, v in enumerate(value)]}
    if isinstance(value, (np.ndarray, np.generic, Tensor)):
        array = value.data if isinstance(value, Tensor) else np.asarray(value)
        if array.dtype.hasobject:
            raise TypeError(f"save: {place} is an array of Python objects")
        name = f"array-{len(arrays)}"
        arrays[name] = array
        return {"tensor" if isinstance(value, Tensor) else "array": name}
    raise TypeError(f"save: {place} is a {type(value).__name__}, which cannot be stored")


def _unpack(value: Any, entries: Any) -> Any:
    """Undo ``_pack``."""
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "dict":
        return {key: _unpack(v, entries) for key, v in content.items()}
    if kind == "list":
        return [_unpack(v, entries) for v in content]
    return Tensor(entries[content]) if kind == "tensor" else entries[content]
