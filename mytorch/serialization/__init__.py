"""``save`` and ``load``: state in files that run no code, written so that a crash harms nothing.

- ``.safetensors``: named tensors, read and written by the library ``safetensors`` (an extra), for
  other frameworks to read as well.
- any other name: an ``.npz`` with nested dicts, lists, numbers, strings and tensors (``npz.py``).
- PyTorch's ``.pt`` and ``.pth`` can be read, without PyTorch (``torch_file.py``).

``load`` tells the kind of a file by its content.
"""

from __future__ import annotations

import os
from typing import Any

__all__ = ["load", "save"]


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Write ``obj`` to ``path``, atomically: a crash leaves the old file or the new one, whole.

    Args:
        obj: dicts (keys are strings or integers), lists, tuples (read back as lists), numbers,
            strings, bools, None, NumPy arrays (also scalars, read back as 0-d arrays, or as the
            float or string that they are) and Tensors, nested as you like: such as a
            ``state_dict``. For a name that ends in ``.safetensors`` a dict of Tensors or arrays by
            name.
        path: the file; its folder must exist.
    Raises:
        TypeError: a value that cannot be stored, named by its place; nothing is written then.
        OSError: the disk is full or the folder cannot be written; the old file is unharmed.
        ImportError: the library safetensors is not installed.
    """
    from mytorch.serialization import files, npz, safe  # at the first use: few save or load

    is_safe = os.fspath(path).endswith(".safetensors")
    files.write_whole(path, safe.packed(obj) if is_safe else npz.packed(obj))


def load(path: str | os.PathLike[str]) -> Any:
    """Return what is in a file: tensors as Tensors, arrays as arrays. No code in it is run.

    Args:
        path: a file that ``save`` wrote, a ``.safetensors`` file, or a ``.pt`` or ``.pth`` file of
            torch.save with tensors, dicts, lists, numbers and strings.
    Raises:
        OSError: no such file, or it cannot be read; ValueError: a truncated, damaged or foreign
            file, or one with something that is not allowed, which is named.
    """
    from mytorch.serialization import npz, safe, torch_file

    with open(path, "rb") as file:
        start = file.read(16)
        file.seek(0)
        if torch_file.is_torchs(file, start):
            kind, read = "torch.save with plain contents", torch_file.unpacked
        elif safe.is_safe(start):
            kind, read = "safetensors", safe.unpacked
        else:
            kind, read = "mytorch.save", npz.unpacked
        try:
            file.seek(0)
            return read(file)
        except (ImportError, MemoryError):
            raise
        except Exception as error:  # damage can surface as nearly any error
            raise ValueError(
                f"{os.fspath(path)} is not a whole file written by {kind}: {error}"
            ) from None
