"""The project's own file: nested dicts, lists, numbers, strings and tensors in one ``.npz``.

An entry of the archive for each array, and one with the structure as JSON, which refers to them. No
pickle, so that a file from a stranger can run no code; each entry has a checksum (CRC-32), which
is checked when it is read.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np

from mytorch.tensor import Tensor

__all__ = ["packed", "unpacked"]

_HEADER = "mytorch-header"  # the entry with the structure, as UTF-8 JSON in a uint8 array
_VERSION = 1


def packed(obj: Any) -> memoryview:
    """Return the content of a file with ``obj``.

    Raises:
        TypeError: a value that cannot be stored, named by its place.
    """
    arrays: dict[str, np.ndarray] = {}
    try:
        header = {"version": _VERSION, "content": _pack(obj, "obj", arrays)}
    except RecursionError:
        raise TypeError("save: obj is nested too deeply, or contains itself") from None
    arrays[_HEADER] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    content = io.BytesIO()  # whole in memory first: a zip archive takes a full disk badly
    np.savez(content, **arrays)  # type: ignore[arg-type]
    return content.getbuffer()


def unpacked(file: Any) -> Any:
    """Return what ``packed`` packed; any fault of the file is an exception of some kind."""
    with zipfile.ZipFile(file) as archive:
        header = json.loads(_read(archive, _HEADER).tobytes())
        if header["version"] != _VERSION:
            raise ValueError(f"format version {header['version']}, expected {_VERSION}")
        return _unpack(header["content"], archive)


def _read(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    if archive.getinfo(f"{name}.npy").compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"the entry {name!r} is compressed, and could grow without limit")
    with archive.open(f"{name}.npy") as entry:
        array = np.lib.format.read_array(entry, allow_pickle=False)
        if entry.read(1):  # and only at its end the checksum of an entry is checked
            raise ValueError(f"the entry {name!r} is longer than it says")
        return array


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
