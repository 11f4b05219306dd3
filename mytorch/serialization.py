"""``save`` and ``load``: nested dicts, lists, numbers, strings and tensors in one ``.npz`` file.

No pickle, so that a file from a stranger can run no code. The file is written beside its final
place and renamed, so that a crash at any moment leaves the old file or the new one, whole.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import secrets
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from mytorch.tensor import Tensor

__all__ = ["load", "save"]

_HEADER = "mytorch-header"  # the entry with the structure, as UTF-8 JSON in a uint8 array
_VERSION = 1
_STALE = 3600.0  # seconds after which nobody is still writing a temporary file


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Write ``obj`` to ``path``, atomically.

    Args:
        obj: dicts (keys are strings or integers), lists, tuples (read back as lists), numbers,
            strings, bools, None, NumPy arrays (also scalars, read back as 0-d arrays) and Tensors,
            nested as you like: such as a ``state_dict``.
        path: the file; its folder must exist.
    Raises:
        TypeError: a value that cannot be stored, named by its place; nothing is written then.
        OSError: the disk is full or the folder cannot be written; the old file is unharmed.
    """
    arrays: dict[str, np.ndarray] = {}
    header = {"version": _VERSION, "content": _pack(obj, "obj", arrays)}
    arrays[_HEADER] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    content = io.BytesIO()  # whole in memory first: a zip archive takes a full disk badly
    np.savez(content, **arrays)  # type: ignore[arg-type]
    target = Path(os.path.realpath(path))  # of a link, the file behind it is written
    if target.exists() and not target.is_file():  # a rename would replace even /dev/null
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    _remove_stale(target)


def _remove_stale(target: Path) -> None:
    """Remove what a ``save`` that was killed long ago left beside ``target``."""
    pattern = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}\.tmp")
    with contextlib.suppress(OSError):
        for path in target.parent.iterdir():
            if pattern.fullmatch(path.name) and time.time() - path.stat().st_mtime > _STALE:
                path.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> Any:
    """Return what ``save`` wrote to ``path``; tensors as Tensors, arrays as arrays.

    Raises:
        OSError: no such file, or it cannot be read; ValueError: a truncated, damaged or foreign
            file.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                header = json.loads(_read(archive, _HEADER).tobytes())
                if header["version"] != _VERSION:
                    raise ValueError(f"format version {header['version']}, expected {_VERSION}")
                return _unpack(header["content"], archive)
        except Exception as error:  # damage can surface as nearly any error
            raise ValueError(
                f"{os.fspath(path)} is not a whole file written by mytorch.save: {error}"
            ) from None


def _read(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as entry:
        return np.lib.format.read_array(entry, allow_pickle=False)


def _pack(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
    """Return ``value`` as JSON, its arrays put into ``arrays`` and referred to by name."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        for key in value:
            if type(key) not in (str, int):
                raise TypeError(f"save: {place} has the key {key!r}; keys are strings or integers")
        packed = [[key, _pack(v, f"{place}[{key!r}]", arrays)] for key, v in value.items()]
        return {"dict": dict(packed)} if all(type(k) is str for k in value) else {"pairs": packed}
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


def _unpack(value: Any, archive: zipfile.ZipFile) -> Any:
    """Undo ``_pack``."""
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "dict":
        return {key: _unpack(v, archive) for key, v in content.items()}
    if kind == "pairs":
        return {key: _unpack(v, archive) for key, v in content}
    if kind == "list":
        return [_unpack(v, archive) for v in content]
    array = _read(archive, content)
    return Tensor(array) if kind == "tensor" else array
