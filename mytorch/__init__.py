"""MyTorch: the PyTorch you can read in an afternoon, on NumPy alone.

>>> import mytorch
>>> x = mytorch.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

from mytorch import nn  # isort: skip - first: its functional.py is below Tensor, its layers above

import math
from typing import TYPE_CHECKING, Any

from mytorch import autograd, linalg, optim, profiler, random, special, tensor
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
from mytorch.summary import summary
from mytorch.tensor import Tensor

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...  # the functions of SPACES["mytorch"]


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
