"""Frames between grader and worker: a small JSON header, then the raw bytes of arrays.

Everything is bounded, because the far side may be hostile: no pickle, an allow-list of dtypes,
and limits on the header, the number of arrays, their rank and their bytes.

A frame is ``MAGIC, header length, payload length`` (12 bytes), the header, the payload. The
header is ``{"message": {...}, "arrays": [[name, dtype, shape], ...]}``.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np

PREFIX = struct.Struct("!4sII")
MAGIC = b"MTG1"
MAX_HEADER = 1 << 16
MAX_PAYLOAD = 1 << 24
MAX_ARRAYS = 64
MAX_RANK = 8
MAX_NAME = 200
DTYPES = frozenset(
    ["|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"]
)


class ChannelError(Exception):
    """A frame breaks the format or its limits; the text says how."""


def pack(message: dict[str, Any], arrays: dict[str, np.ndarray]) -> bytes:
    """Return the frame for a message of plain JSON values and some named arrays.

    Raises:
        ChannelError: an array or the whole is beyond the limits.
    """
    entries, parts = [], []
    for name, array in arrays.items():
        dtype = array.dtype.newbyteorder("<").str
        if dtype not in DTYPES or array.ndim > MAX_RANK:
            raise ChannelError(f"{name}: cannot send dtype {array.dtype}, shape {array.shape}")
        entries.append([name, dtype, list(array.shape)])
        parts.append(array.astype(dtype).tobytes())
    header = json.dumps({"message": message, "arrays": entries}).encode()
    payload = b"".join(parts)
    frame = PREFIX.pack(MAGIC, len(header), len(payload)) + header + payload
    frame_sizes(frame[: PREFIX.size])
    return frame


def frame_sizes(prefix: bytes) -> tuple[int, int]:
    """Return the lengths of header and payload that the first 12 bytes of a frame announce."""
    magic, header, payload = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise ChannelError("the reply does not begin like a reply")
    if header > MAX_HEADER or payload > MAX_PAYLOAD:
        raise ChannelError(f"the reply is too long: {header} + {payload} bytes")
    return header, payload


def unpack(header: bytes, payload: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return message and arrays of a frame; the arrays are copies of their own.

    Raises:
        ChannelError: not the format, or bytes too many or too few.
    """
    try:
        parsed = json.loads(header, parse_constant=_refuse)
        message, entries = parsed["message"], parsed["arrays"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ChannelError(f"the reply's header cannot be read: {error}") from None
    if len(parsed) != 2 or not isinstance(message, dict) or not isinstance(entries, list):
        raise ChannelError("the reply's header has the wrong form")
    if len(entries) > MAX_ARRAYS:
        raise ChannelError(f"the reply holds {len(entries)} arrays, more than {MAX_ARRAYS}")
    arrays, used = {}, 0
    for entry in entries:
        name, dtype, shape = _entry(entry)
        if name in arrays:
            raise ChannelError(f"the reply holds two arrays of the name {name[:80]!r}")
        size = math.prod(shape) * dtype.itemsize
        if used + size > len(payload):
            raise ChannelError(f"the reply is shorter than its header says at {name[:80]!r}")
        arrays[name] = np.frombuffer(payload[used : used + size], dtype).reshape(shape).copy()
        used += size
    if used != len(payload):
        raise ChannelError("the reply is longer than its header says")
    return message, arrays


def is_plain(value: Any) -> bool:
    """Whether a value of a message is one that a check can ask for: None, bool, int or text."""
    return value is None or isinstance(value, bool | int | str)


def values_of(message: dict[str, Any]) -> dict[str, Any]:
    """Return the plain values of a reply that brings some.

    Raises:
        ChannelError: it brings something else.
    """
    values = message.get("values")
    if not isinstance(values, dict) or not all(map(is_plain, values.values())):
        raise ChannelError("the reply holds values of a wrong kind")
    return values


def _entry(entry: Any) -> tuple[str, np.dtype, tuple[int, ...]]:
    if not (isinstance(entry, list) and len(entry) == 3):
        raise ChannelError("the reply describes an array in the wrong form")
    name, dtype, shape = entry
    if not isinstance(name, str) or len(name) > MAX_NAME:
        raise ChannelError("the reply holds an array without a proper name")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ChannelError("the reply holds an array of a type that is not allowed")
    if not isinstance(shape, list) or len(shape) > MAX_RANK:
        raise ChannelError("the reply holds an array of an impossible shape")
    if not all(type(n) is int and 0 <= n <= MAX_PAYLOAD for n in shape):
        raise ChannelError("the reply holds an array of an impossible shape")
    return name, np.dtype(dtype), tuple(shape)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
