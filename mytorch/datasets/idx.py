"""The IDX file format of MNIST: a checked reader and a writer, on NumPy and the standard library.

An IDX file is a header (two zero bytes, a type byte, a rank byte, one big-endian uint32 per
dimension) and then the elements in C order, big-endian. It may be gzip-compressed.
Source: http://yann.lecun.com/exdb/mnist/ ("The IDX file format").
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

MAX_BYTES = 1 << 30  # no data set read here is near 1 GiB; a header that claims more is refused
_CHUNK = 1 << 20
_MAX_RANK = 8
_GZIP_MAGIC = b"\x1f\x8b"
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class DatasetError(RuntimeError):
    """A data set cannot be had; the message names the file, the fault and what to do."""


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Return the array held by the IDX file at `path`, gzip-compressed or plain.

    Memory grows with what the file really holds and never beyond what its header announces, so
    neither a header that claims terabytes nor a gzip bomb can exhaust it.

    Args:
        path: the file; compression is recognised by its first bytes, not by its name.
    Returns:
        ndarray: the header's shape and element type, in the machine's byte order, writable.
    Raises:
        DatasetError: if the file cannot be read, is not IDX, or is shorter or longer than its
            header says; the message names the file and the fault.
    """
    return read_idx_md5(path)[0]


def read_idx_md5(path: str | os.PathLike[str]) -> tuple[np.ndarray, str]:
    """Return `read_idx(path)` and the MD5 (hex) of the uncompressed content."""
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            if not packed:
                return _parse(file)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _parse(cast(BinaryIO, unpacked))
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from None
    except EOFError:
        raise DatasetError(f"{path}: truncated: the gzip stream ends too early") from None
    except (zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(f"{path}: damaged gzip data ({error})") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from None


def _parse(stream: BinaryIO) -> tuple[np.ndarray, str]:
    """Read one IDX array from an uncompressed stream; return it with the content's MD5."""
    start = stream.read(4)
    known = len(start) == 4 and start[:2] == b"\0\0" and start[2] in _TYPES
    if not known or start[3] > _MAX_RANK:
        raise DatasetError(f"not an IDX file: it starts with the bytes {start.hex(' ') or 'none'}")
    sizes = stream.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise DatasetError("truncated within its header")
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    dtype = np.dtype(_TYPES[start[2]])
    expected = math.prod(shape) * dtype.itemsize  # Python integers: cannot overflow
    if expected > MAX_BYTES:
        raise DatasetError(f"its header claims shape {shape}, {expected} bytes: not believable")
    digest = hashlib.md5(start + sizes, usedforsecurity=False)
    data = bytearray()
    while chunk := stream.read(min(_CHUNK, expected + 1 - len(data))):
        data += chunk
        digest.update(chunk)
    if len(data) != expected:
        fault = "truncated" if len(data) < expected else "too long"
        found = f"{len(data)} bytes" if len(data) < expected else "more"
        raise DatasetError(f"{fault}: shape {shape} needs {expected} bytes of data, found {found}")
    array = np.frombuffer(data, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False), digest.hexdigest()


def write_idx(path: str | os.PathLike[str], array: np.ndarray) -> str:
    """Write a uint8 `array` to `path` as a gzip-compressed IDX file and flush it to the disk.

    The bytes depend on the array alone (no time stamp, no file name).

    Args:
        path: the file to create or replace.
        array: uint8, any shape.
    Returns:
        str: the MD5 (hex) of the uncompressed content.
    Raises:
        TypeError: if the elements are not uint8; OSError: if the file cannot be written.
    """
    if array.dtype != np.uint8:
        raise TypeError(f"write_idx writes uint8 arrays, got {array.dtype}")
    header = bytes([0, 0, 0x08, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    content = header + array.tobytes()
    with open(Path(path), "wb") as file:
        with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
            packed.write(content)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
