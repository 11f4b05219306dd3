"""How a tensor prints: as torch's do, with four decimals and what differs from the default.

Source: the conventions of torch.set_printoptions and of the repr of torch.Tensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mytorch.dtypes import get_default_dtype

__all__ = ["represent", "set_printoptions"]


class _Options(NamedTuple):
    """What ``set_printoptions`` sets."""

    precision: int = 4  # decimals
    threshold: float = 1000  # more elements than these are summarised
    edgeitems: int = 3  # elements shown at either end of an axis in a summary
    linewidth: int = 80
    sci_mode: bool | None = None  # scientific notation; None: where the numbers call for it


_PROFILES = {
    "default": _Options(),
    "short": _Options(precision=2, edgeitems=2),
    "full": _Options(threshold=math.inf),
}
_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print, for the whole program (torch.set_printoptions).

    Args:
        precision: decimals of floats (4); threshold: the number of elements above which a tensor is
            summarised (1000); edgeitems: how many of either end are shown then (3); linewidth (80).
        profile: "default", "short" or "full", which set the four above at once.
        sci_mode: True or False for scientific notation or none; None (default): as needed.
    Raises:
        ValueError: a profile of another name.
    """
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"set_printoptions: profile must be in {list(_PROFILES)}, not {profile!r}")
    global _options
    chosen = _options if profile is None else _PROFILES[profile]
    given: dict[str, Any] = {"precision": precision, "threshold": threshold}
    given.update(edgeitems=edgeitems, linewidth=linewidth)
    said = {name: value for name, value in given.items() if value is not None}
    _options = chosen._replace(**said, sci_mode=sci_mode)


def represent(tensor: Any) -> str:
    """Return ``tensor([…])``, the dtype where it is no default, and the place in the graph."""
    array = tensor.data
    notes = []
    usual: tuple[Any, ...] = (get_default_dtype(), np.dtype(np.int64), np.dtype(bool))
    if array.size == 0:
        usual = usual[:1]  # there are no elements to tell integers and booleans by
    if array.size == 0 and array.ndim != 1 or array.size and not _options.edgeitems:
        notes.append(f"size={array.shape}")
    if array.dtype not in usual:
        notes.append(f"dtype={array.dtype}")
    if tensor.grad_fn is not None:
        notes.append(f"grad_fn={tensor.grad_fn!r}")
    elif tensor.requires_grad:
        notes.append("requires_grad=True")
    start = "tensor("
    text = _with_notes(f"{start}{_elements(array, len(start))}", notes, len(start))
    return f"Parameter containing:\n{text}" if tensor.is_parameter else text


def _with_notes(text: str, notes: list[str], indent: int) -> str:
    """Append the notes, those that the line has no room for on the next one."""
    used = len(text) - text.rfind("\n") + 1
    for note in notes:
        if used + len(note) + 2 > _options.linewidth:
            text += f",\n{' ' * indent}{note}"
            used = indent + len(note)
        else:
            text += f", {note}"
            used += len(note) + 2
    return f"{text})"


def _elements(array: np.ndarray, indent: int) -> str:
    if array.size == 0:
        return "[]"
    summarised = array.size > _options.threshold
    write, width = _writer(_edges(array) if summarised else array)

    def vector(row: np.ndarray, indent: int) -> str:
        texts = [[write(x) for x in part.tolist()] for part in _parts(row, summarised)]
        gap = " ..." if _options.edgeitems else "..."
        items = texts[0] if len(texts) == 1 else [*texts[0], gap, *texts[1]]
        count = max(1, (_options.linewidth - indent) // (width + 2))
        lines = [", ".join(items[i : i + count]) for i in range(0, len(items), count)]
        return f",\n{' ' * (indent + 1)}".join(lines)

    def nested(part: np.ndarray, indent: int) -> str:
        if part.ndim == 1:
            return f"[{vector(part, indent)}]"
        texts = [[nested(x, indent + 1) for x in half] for half in _parts(part, summarised)]
        items = texts[0] if len(texts) == 1 else [*texts[0], "...", *texts[1]]
        gap = "\n" * (part.ndim - 1) + " " * (indent + 1)
        return f"[{f',{gap}'.join(items)}]"

    return nested(array, indent) if array.ndim else write(array.item())


def _parts(array: np.ndarray, summarised: bool) -> list[np.ndarray]:
    """Return the array, or of a long one that is to be summarised its two ends."""
    n = _options.edgeitems
    return [array[:n], array[len(array) - n :]] if summarised and len(array) > 2 * n else [array]


def _edges(array: np.ndarray) -> np.ndarray:
    """Return those elements that a summary shows."""
    n = _options.edgeitems
    shown = [[*range(n), *range(s - n, s)] if s > 2 * n else range(s) for s in array.shape]
    return array[np.ix_(*[np.array(each, int) for each in shown])]


def _writer(shown: np.ndarray) -> tuple[Callable[[Any], str], int]:
    """Return the function that writes an element, and the width that it fills.

    Floats that are all whole have no decimals; scientific notation is for numbers of very different
    size, or very small or large ones. Zeros and what is not finite decide nothing.
    """
    if shown.dtype.kind != "f":
        width = max((len(str(x)) for x in shown.ravel().tolist()), default=1)
        return lambda x: str(x).rjust(width), width
    deciding = shown[np.isfinite(shown) & (shown != 0)].astype(np.float64)
    if not deciding.size:
        return lambda x: f"{x:.0f}{'.' * math.isfinite(x)}", 1
    whole = bool((deciding == np.ceil(deciding)).all())
    small, large = float(np.abs(deciding).min()), float(np.abs(deciding).max())
    scientific = _options.sci_mode
    if scientific is None:
        scientific = large / small > 1000 or large > 1e8 or small < 1e-4
    pattern = f".{_options.precision}e" if scientific else f".{_options.precision}f"
    if whole and not scientific:

        def write(x: float) -> str:
            return f"{x:.0f}{'.' * math.isfinite(x)}"
    else:

        def write(x: float) -> str:
            return format(x, pattern)

    width = max(len(write(x)) for x in deciding.tolist())
    return lambda x: write(x).rjust(width), width
