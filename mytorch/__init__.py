"""MyTorch: the PyTorch you can read in an afternoon, on NumPy alone.

>>> import mytorch
>>> x = mytorch.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

import importlib
import math
from typing import TYPE_CHECKING, Any

from mytorch import linalg, nn, random, special, tensor
from mytorch.devices import (
    accelerator,
    backends,
    cuda,
    device,
    get_default_device,
    set_default_device,
)
from mytorch.dtypes import (
    DTYPES,
    can_cast,
    finfo,
    get_default_dtype,
    iinfo,
    promote_types,
    set_default_dtype,
)
from mytorch.errors import ArgumentError, DtypeError, GraphError, ShapeError
from mytorch.generator import Generator, default_generator
from mytorch.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from mytorch.memory import keep_freed_memory
from mytorch.ops.registry import SPACES
from mytorch.printing import set_printoptions
from mytorch.random import get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from mytorch.serialization import load, save
from mytorch.size import Size
from mytorch.tensor import Tensor

if TYPE_CHECKING:
    from mytorch import autograd, optim, profiler
    from mytorch.model_summary import summary


def __getattr__(name: str) -> Any:
    """Import at its first use what is above the tensors; to a type checker, SPACES["mytorch"]."""
    if name in ("autograd", "optim", "profiler"):
        return importlib.import_module(f"mytorch.{name}")
    if name == "summary":
        return importlib.import_module("mytorch.model_summary").summary
    raise AttributeError(f"module 'mytorch' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__version__ = "0.1.0"

inf, nan, pi, e, newaxis = math.inf, math.nan, math.pi, math.e, None

globals().update(DTYPES)  # mytorch.float32, mytorch.long, …
globals().update(SPACES["mytorch"])
keep_freed_memory()

__all__ = [
    "ArgumentError",
    "DtypeError",
    "Generator",
    "GraphError",
    "ShapeError",
    "Size",
    "Tensor",
    "accelerator",
    "autograd",
    "backends",
    "can_cast",
    "cuda",
    "default_generator",
    "device",
    "e",
    "enable_grad",
    "finfo",
    "get_default_device",
    "get_default_dtype",
    "get_rng_state",
    "iinfo",
    "inf",
    "inference_mode",
    "initial_seed",
    "is_grad_enabled",
    "linalg",
    "load",
    "manual_seed",
    "nan",
    "newaxis",
    "nn",
    "no_grad",
    "optim",
    "pi",
    "profiler",
    "promote_types",
    "random",
    "save",
    "seed",
    "set_default_device",
    "set_default_dtype",
    "set_grad_enabled",
    "set_printoptions",
    "set_rng_state",
    "special",
    "summary",
    "tensor",
    *DTYPES,
    *SPACES["mytorch"],
]
