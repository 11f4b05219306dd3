"""Reads the files of ``torch.save`` without torch, and without running code from them.

Such a file is a pickle, which may name any function to be called. Here only a few names are known,
each stands for plain data, and any other is refused. The instructions of the pickle are checked
before the first is obeyed; tensors are cut from their storages last, with every bound checked.

Formats: the zip archive of torch since 1.6 (``NAME/data.pkl``, ``NAME/data/KEY``), and the older
sequence of pickles with the storages behind them.
Source: torch/serialization.py, torch/_utils.py.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.tensor import Tensor

__all__ = ["is_torchs", "unpacked"]

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_MOST_EXPANDED = 1 << 26  # elements of a tensor that is larger than its storage

_STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}

# What a pickle of plain data is made of; other instructions reach for more.
_INSTRUCTIONS = re.compile(
    r"PROTO|STOP|MARK|FRAME|NONE|NEWTRUE|NEWFALSE|(BIN)?INT[12]?|LONG[14]?|(BIN)?FLOAT|DUP|BUILD"
    r"|(SHORT_)?(BIN)?(STRING|UNICODE|BYTES)8?|(EMPTY_)?(LIST|TUPLE|DICT|SET)|TUPLE[123]|APPENDS?"
    r"|SETITEMS?|ADDITEMS|(LONG_)?(BIN)?(PUT|GET)|MEMOIZE|(STACK_)?GLOBAL|REDUCE|BINPERSID|POP"
    r"|POP_MARK"
)


class _Plain:
    """Stands for something in the file until all of it is read; refuses to be given a state."""

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a tensor cannot be given a state")


class _Storage(_Plain):
    """The numbers that tensors are cut from: ``data`` is read when it is known where it is."""

    def __init__(self, key: str, kind: str, count: int):
        self.key, self.kind, self.count = key, kind, count
        self.data: bytes = b""

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self.count * np.dtype(_STORAGES[self.kind]).itemsize

    def array(self) -> np.ndarray:
        """Return the numbers as a vector."""
        if len(self.data) != self.size:
            raise ValueError(f"storage {self.key}: {len(self.data)} bytes, expected {self.size}")
        numbers = np.frombuffer(self.data, _STORAGES[self.kind])
        if self.kind == "BFloat16Storage":  # the upper half of a float32
            numbers = (numbers.astype("<u4") << 16).view("<f4")
        return numbers.astype(numbers.dtype.newbyteorder("="), copy=False)


class _View(_Plain):
    """A tensor: a storage, and which of its numbers."""

    def __init__(self, storage: Any, offset: Any, size: Any, stride: Any, *others: Any):
        if len(others) > 2 and others[2]:  # torch keeps a negative or conjugate as it was, and this
            raise pickle.UnpicklingError(f"a tensor with {others[2]}: save tensor.resolve_neg()")
        numbers = (offset, *size, *stride)
        if not isinstance(storage, _Storage) or len(size) != len(stride):
            raise pickle.UnpicklingError("a tensor without storage, or of unclear shape")
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise pickle.UnpicklingError(f"a tensor of shape {size} and strides {stride}")
        self.storage, self.offset, self.shape, self.stride = storage, offset, size, stride

    def tensor(self) -> Tensor:
        """Return the tensor, with memory of its own."""
        numbers = self.storage.array()
        count = math.prod(self.shape)
        if count == 0:
            return Tensor(np.zeros(self.shape, numbers.dtype))
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.stride, strict=True))
        if last >= len(numbers) or (count > len(numbers) and count > _MOST_EXPANDED):
            raise ValueError(
                f"storage {self.storage.key} has {len(numbers)} numbers, too few for a tensor of "
                f"shape {tuple(self.shape)}"
            )
        strides = [step * numbers.itemsize for step in self.stride]
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides)
        return Tensor(view)


class _Dict(dict[Any, Any]):
    """An OrderedDict; the attributes that torch gives a state_dict are left out."""

    def __setstate__(self, state: Any) -> None:
        """Forget them."""


class _Kind(str):
    """The class of a storage."""


def _parameter(data: Any, *_: Any) -> Any:
    return data


_KNOWN: dict[tuple[str, str], Callable[..., Any] | _Kind] = {
    ("collections", "OrderedDict"): _Dict,
    ("torch", "Size"): lambda sizes=(): tuple(sizes),
    ("torch", "device"): lambda *names: ":".join(map(str, names)),
    ("torch._utils", "_rebuild_tensor"): _View,
    ("torch._utils", "_rebuild_tensor_v2"): _View,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    **{("torch", name): _Kind(name) for name in _STORAGES},
}


def _check_known(module: str, name: str) -> None:
    """Raise UnpicklingError for a name that stands for no plain data."""
    if (module, name) not in _KNOWN:
        raise pickle.UnpicklingError(
            f"{module}.{name} is not allowed: real tensors, dicts, lists, numbers and strings are; "
            "of a model, save model.state_dict()"
        )


class _Unpickler(pickle.Unpickler):
    """Knows the names of ``_KNOWN`` alone, and gathers the storages that are asked for."""

    def __init__(self, content: bytes):
        super().__init__(io.BytesIO(content), encoding="utf-8")
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name, or refuse it."""
        _check_known(module, name)
        return _KNOWN[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """Return the storage of a tensor."""
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
            raise pickle.UnpicklingError(f"an unknown reference: {str(pid)[:60]}")
        _, kind, key, _, count, *view = pid
        if not isinstance(kind, _Kind) or type(count) is not int or count < 0 or any(view):
            raise pickle.UnpicklingError(f"storage {str(key)[:60]}: of an unknown kind")
        if str(key) not in self.storages:
            self.storages[str(key)] = _Storage(str(key), str(kind), count)
        return self.storages[str(key)]


def is_torchs(file: Any, start: bytes) -> bool:
    """Whether a file is of torch.save: an archive with ``data.pkl``, or the older pickle."""
    if start[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(file) as archive:
                return any(name.endswith("/data.pkl") for name in archive.namelist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            return False
    return start[:1] == b"\x80" and start[2:4] == b"\x8a\x0a"  # a protocol, and a long of 10 bytes


def unpacked(file: Any) -> Any:
    """Return the content, tensors as Tensors; any fault of the file is an exception."""
    if file.read(1) == b"\x80":
        file.seek(0)
        return _unpacked_old(io.BytesIO(file.read()))
    with zipfile.ZipFile(file) as archive:
        place = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        folder = place[: -len("data.pkl")]
        if f"{folder}byteorder" in archive.namelist():
            order = _entry(archive, f"{folder}byteorder")
            if order != b"little":
                raise ValueError(f"the byte order is {order[:20]!r}; only little endian is read")
        content, storages = _obeyed(_entry(archive, place))
        for storage in storages.values():
            storage.data = _entry(archive, f"{folder}data/{storage.key}", storage.size)
    return _tensors(content, {})


def _entry(archive: zipfile.ZipFile, name: str, size: int | None = None) -> bytes:
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"the entry {name!r} is compressed, and could grow without limit")
    if size is not None and info.file_size < size:
        raise ValueError(f"the entry {name!r} has {info.file_size} bytes, expected {size}")
    return archive.read(name)[:size]


def _unpacked_old(file: Any) -> Any:
    """Read the format before torch 1.6."""
    magic, protocol, system = (_obeyed(_next_pickle(file))[0] for _ in range(3))
    if magic != _MAGIC or protocol != _PROTOCOL or not system.get("little_endian"):
        raise ValueError("not torch's magic number, protocol and byte order")
    content, storages = _obeyed(_next_pickle(file))
    keys, _ = _obeyed(_next_pickle(file))
    for key in keys:
        storage = storages[str(key)]
        if int.from_bytes(file.read(8), "little") != storage.count:
            raise ValueError(f"storage {storage.key}: another size than {storage.count}")
        storage.data = file.read(storage.size)
    return _tensors(content, {})


def _next_pickle(file: Any) -> bytes:
    """Return the bytes of the pickle that starts here."""
    start = file.tell()
    for _ in pickletools.genops(file):
        pass
    end = file.tell()
    file.seek(start)
    return file.read(end - start)


def _obeyed(content: bytes) -> tuple[Any, dict[str, _Storage]]:
    """Check a pickle and obey it; return what it makes and the storages that it refers to."""
    for count, (instruction, argument, _) in enumerate(pickletools.genops(content)):
        name = instruction.name
        if name == "GLOBAL":
            _check_known(*str(argument).split(" ", 1))
        if not _INSTRUCTIONS.fullmatch(name):
            raise pickle.UnpicklingError(f"the instruction {name} is not allowed")
        if name.endswith("PUT") and int(argument or 0) > count:  # would reserve memory
            raise pickle.UnpicklingError(f"a note under the number {argument}")
    unpickler = _Unpickler(content)
    return unpickler.load(), unpickler.storages


def _tensors(value: Any, done: dict[int, Any]) -> Any:
    """Return ``value`` with tensors cut from their storages, each thing once."""
    if id(value) in done:
        return done[id(value)]
    result: Any
    if isinstance(value, _View):
        result = value.tensor()
    elif isinstance(value, dict):
        result = {_key(key): _tensors(each, done) for key, each in value.items()}
    elif isinstance(value, (list, tuple, set)):
        result = [_tensors(each, done) for each in value]
        result = result if isinstance(value, list) else type(value)(result)
    elif type(value) in (type(None), bool, int, float, str, bytes):
        result = value
    else:
        raise ValueError(f"something that is no plain data: {type(value).__name__.strip('_')}")
    done[id(value)] = result
    return result


def _key(key: Any) -> Any:
    if key is None or isinstance(key, (bool, int, float, str)):
        return key
    raise ValueError(f"a key that is a {type(key).__name__.strip('_')}")
