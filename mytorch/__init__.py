"""MyTorch: the PyTorch you can read in an afternoon, on NumPy alone.

>>> import mytorch
>>> x = mytorch.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

from mytorch import nn  # isort: skip - first: its functional.py is below Tensor, its layers above

from typing import TYPE_CHECKING, Any

from mytorch import autograd, linalg, optim, special, tensor
from mytorch.dtypes import get_default_dtype, set_default_dtype
from mytorch.errors import DtypeError, GraphError, ShapeError
from mytorch.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from mytorch.memory import keep_freed_memory
from mytorch.ops.registry import SPACES
from mytorch.serialization import load, save
from mytorch.tensor import Tensor, arange, empty, ones, randn, zeros

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...  # the functions of SPACES["mytorch"]


__version__ = "0.1.0"

globals().update(SPACES["mytorch"])
keep_freed_memory()

__all__ = [
    "DtypeError",
    "GraphError",
    "ShapeError",
    "Tensor",
    "arange",
    "autograd",
    "empty",
    "enable_grad",
    "get_default_dtype",
    "inference_mode",
    "is_grad_enabled",
    "linalg",
    "load",
    "nn",
    "no_grad",
    "ones",
    "optim",
    "randn",
    "save",
    "set_default_dtype",
    "set_grad_enabled",
    "special",
    "tensor",
    "zeros",
    *SPACES["mytorch"],
]
