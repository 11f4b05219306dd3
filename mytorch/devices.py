"""Devices: there is one, the CPU. Programs written for several find what they ask for, and run.

>>> import mytorch
>>> device = mytorch.device("cuda" if mytorch.cuda.is_available() else "cpu")
>>> mytorch.zeros(2, device=device).device
device(type='cpu')
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

__all__ = ["accelerator", "backends", "cuda", "device", "get_default_device", "set_default_device"]


class device:  # noqa: N801 - torch's name
    """Where a tensor lives: ``device("cpu")``, and no other (torch.device).

    In a ``with`` statement it is the device of what is made there, as it is anyway.

    Attributes:
        type (str): "cpu"; index (int | None): 0 of "cpu:0", which is the same place.
    Raises:
        RuntimeError: another device than the CPU; TypeError: neither a name nor a device.
    """

    __slots__ = ("index", "type")

    index: int | None
    type: str

    def __init__(self, type: Any, index: int | None = None):
        if isinstance(type, device):
            type, index = type.type, type.index
        if isinstance(type, int) and not isinstance(type, bool):  # torch: number of a GPU
            type = f"cuda:{type}"
        if not isinstance(type, str):
            raise TypeError(f"device: expects 'cpu' or a mytorch.device, not {type!r}")
        name, _, number = type.partition(":")
        if name != "cpu" or number not in ("", "0") or index not in (None, 0):
            wanted = type if index is None else f"{type}:{index}"
            raise RuntimeError(
                f"device: MyTorch computes with NumPy, on the CPU alone; there is no device "
                f"{wanted!r}. Use 'cpu', or ask mytorch.cuda.is_available() first"
            )
        self.type = name
        self.index = int(number) if number else index

    def __enter__(self) -> device:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, device) and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"


CPU = device("cpu")


def check_device(name: str, where: Any) -> None:
    """Raise unless the argument ``device`` of the function ``name`` is None or the CPU."""
    if where is not None and where is not CPU:
        try:
            device(where)
        except (RuntimeError, TypeError) as error:
            raise type(error)(f"{name}: {error}") from None


def get_default_device() -> device:
    """Return the device that tensors are made on: the CPU (torch.get_default_device)."""
    return CPU


def set_default_device(device: Any) -> None:
    """Accept the CPU as the device that tensors are made on, and refuse any other."""
    check_device("set_default_device", device)


# ------------------------------------------------------ what programs ask about other devices


def _no(*_: Any, **__: Any) -> bool:
    """Return False: there is nothing of the kind."""
    return False


def _nothing(*_: Any, **__: Any) -> None:
    """Do nothing: there is nothing to seed, to wait for or to empty."""


#: torch.cuda as it is without a GPU
cuda = SimpleNamespace(
    is_available=_no,
    device_count=lambda: 0,
    manual_seed=_nothing,
    manual_seed_all=_nothing,
    synchronize=_nothing,
    empty_cache=_nothing,
)
#: torch.accelerator as it is without one
accelerator = SimpleNamespace(
    is_available=_no, device_count=lambda: 0, current_accelerator=_nothing, synchronize=_nothing
)
#: torch.backends: flags that programs set, and backends that are not there
backends = SimpleNamespace(
    cuda=SimpleNamespace(is_built=_no),
    cudnn=SimpleNamespace(is_available=_no, deterministic=False, benchmark=False, enabled=False),
    mps=SimpleNamespace(is_available=_no, is_built=_no),
)
