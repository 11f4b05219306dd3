"""Random tensors, and the state of the generator that they are drawn from (torch.random).

All take ``generator=`` beside ``dtype=``, ``device=`` and ``requires_grad=``. Without one they draw
from NumPy's global generator, as the course's code does: after ``mytorch.manual_seed(s)``,
``mytorch.rand(3)`` has the numbers of ``np.random.rand(3)`` after ``np.random.seed(s)``, and
``randn`` those of ``np.random.normal``; torch draws others from the same seed.
What is drawn from tensors or into them is in ``mytorch/ops/random.py``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from mytorch.creation import dtype_like
from mytorch.devices import check_device
from mytorch.dtypes import as_dtype
from mytorch.errors import DtypeError
from mytorch.generator import Generator, default_generator, source_of
from mytorch.ops.common import check_broadcast, count_argument, size_argument
from mytorch.ops.random import (
    check_floating,
    check_std,
    draw_integers,
    draw_normal,
    draw_uniform,
    range_of,
    without_slope,
)
from mytorch.ops.registry import operation
from mytorch.tensor import Tensor, wrap

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "seed",
    "set_rng_state",
]

# ------------------------------------------------------------------------------ the generator


def manual_seed(seed: int) -> Generator:
    """Start the default generator, which is NumPy's, anew from ``seed``, and return it.

    It is ``np.random.seed(seed)``; see ``Generator.manual_seed`` for seeds of more than 32 bits.
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default generator from a seed that the operating system draws; return that."""
    return default_generator.seed()


def initial_seed() -> int:
    """Return the seed that the default generator was started from last, by ``manual_seed``."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Return where the default generator is, for ``set_rng_state``."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Bring the default generator to where it was when ``get_rng_state`` returned ``new_state``."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng() -> Iterator[None]:
    """Draw in a ``with`` block what you like: after it, the default generator is where it was."""
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)


# ------------------------------------------------------------------------------ the factories


def _ready(name: str, generator: Any, dtype: np.dtype, device: Any, requires_grad: bool) -> Any:
    """Return what draws, after every argument was checked: a refused call draws nothing."""
    check_device(name, device)
    wrap(np.empty(0, dtype), requires_grad)
    return source_of(name, generator)


def _interval(name: str, bounds: tuple[Any, ...], low: Any, high: Any) -> tuple[Any, Any]:
    """Return low and high, given as (high,), as (low, high), or by name."""
    if len(bounds) == 1 and high is None:
        bounds = (low, *bounds)
    if len(bounds) > 2 or high is None and len(bounds) < 2:
        raise TypeError(f"{name}: expects high, or low and high; got {len(bounds)} of them")
    return (*bounds, *(low, high)[len(bounds) :])


@operation(method=False)
def rand(
    *sizes: Any, size: Any = None, generator: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return draws from [0, 1), all equally likely: ``rand(2, 3)``, as ``zeros`` (torch.rand).

    Raises:
        DtypeError: ``dtype`` is not floating.
    """
    shape = size_argument("rand", sizes, size)
    wanted = check_floating("rand", as_dtype("rand", dtype))
    source = _ready("rand", generator, wanted, device, requires_grad)
    return wrap(draw_uniform(source, shape, wanted), requires_grad)


@operation(method=False)
def randn(
    *sizes: Any, size: Any = None, generator: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return draws from N(0, 1), of mean 0 and variance 1; as ``rand`` (torch.randn)."""
    shape = size_argument("randn", sizes, size)
    wanted = check_floating("randn", as_dtype("randn", dtype))
    source = _ready("randn", generator, wanted, device, requires_grad)
    return wrap(draw_normal(source, shape, wanted), requires_grad)


@operation(method=False)
def randint(
    *bounds: Any, low: int = 0, high: Any = None, size: Any = None, generator: Any = None,
    dtype: Any = np.int64, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return draws of the integers from low to high - 1, all equally likely (torch.randint).

    ``randint(high, size)`` or ``randint(low, high, size)``; ``size`` is a tuple.

    Raises:
        ArgumentError: low is not less than high; DtypeError: the dtype does not hold them all;
        TypeError: an argument is missing, or no integer.
    """
    if size is None and bounds:
        bounds, size = bounds[:-1], bounds[-1]
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint: size must be a tuple of integers, as (2, 3), not {size!r}")
    low, high = _interval("randint", bounds, low, high)
    shape, wanted = size_argument("randint", (), size), as_dtype("randint", dtype)
    source = _ready("randint", generator, wanted, device, requires_grad)
    return wrap(draw_integers("randint", source, shape, wanted, low, high), requires_grad)


@operation(method=False)
def randperm(
    n: int, *, generator: Any = None, dtype: Any = np.int64, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return the integers from 0 to n - 1 in random order, all orders equally likely.

    Raises:
        TypeError: n is no integer; ArgumentError: it is negative; DtypeError: the dtype does not
        hold them. Source: torch.randperm.
    """
    count, wanted = count_argument("randperm", "n", n), as_dtype("randperm", dtype)
    if wanted.kind == "b" or count - 1 > range_of(wanted)[1]:
        raise DtypeError(f"randperm: the integers below {count} do not fit into {wanted}")
    source = _ready("randperm", generator, wanted, device, requires_grad)
    return wrap(source.permutation(count).astype(wanted, copy=False), requires_grad)


@operation(method=False)
def normal(
    mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Any = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return draws from N(mean, std**2), each element with its own mean and std (torch.normal).

    Args:
        mean, std: floating Tensors, which are broadcast, or numbers; the result has the dtype of
            mean, or if that is a number of std.
        size, dtype, device, requires_grad: of the result, where both are numbers; size must be
            given then.
    Raises:
        ArgumentError: an std is negative; DtypeError: not for integers; ShapeError: the shapes do
        not broadcast; TypeError: size is missing, or given with tensors.
    """
    first = next((each for each in (mean, std) if isinstance(each, Tensor)), None)
    if (first is None) != (size is not None) or first is not None and dtype is not None:
        raise TypeError(
            "normal: size and dtype are for a mean and an std that are numbers, and size is needed "
            "then; a tensor says both by itself"
        )
    wanted = as_dtype("normal", dtype) if first is None else first.data.dtype
    check_floating("normal", wanted)
    m, s = [each.data if isinstance(each, Tensor) else each for each in (mean, std)]
    check_std("normal", s)
    if size is None:
        check_broadcast("normal", np.shape(m), np.shape(s))
        shape = np.broadcast_shapes(np.shape(m), np.shape(s))
    else:
        shape = size_argument("normal", (), size)
    source = _ready("normal", generator, wanted, device, requires_grad)
    drawn = wrap(draw_normal(source, shape, wanted, m, s), requires_grad)
    return without_slope(drawn, mean, std)


# ------------------------------------------------------------------ of the shape of another one


@operation(method=False)
def rand_like(
    input: Any, *, generator: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return draws from [0, 1) in the shape of ``input``, in its dtype by default."""
    wanted = check_floating("rand_like", dtype_like("rand_like", input, dtype))
    source = _ready("rand_like", generator, wanted, device, requires_grad)
    return wrap(draw_uniform(source, input.data.shape, wanted), requires_grad)


@operation(method=False)
def randn_like(
    input: Any, *, generator: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return draws from N(0, 1) in the shape of ``input``, in its dtype by default."""
    wanted = check_floating("randn_like", dtype_like("randn_like", input, dtype))
    source = _ready("randn_like", generator, wanted, device, requires_grad)
    return wrap(draw_normal(source, input.data.shape, wanted), requires_grad)


@operation(method=False)
def randint_like(
    input: Any, *bounds: Any, low: int = 0, high: Any = None, generator: Any = None,
    dtype: Any = None, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return integers from low to high - 1 in the shape and dtype of ``input``, as ``randint``.

    ``randint_like(input, high)`` or ``randint_like(input, low, high)``.
    """
    low, high = _interval("randint_like", bounds, low, high)
    wanted = dtype_like("randint_like", input, dtype)
    source = _ready("randint_like", generator, wanted, device, requires_grad)
    shape = input.data.shape
    return wrap(draw_integers("randint_like", source, shape, wanted, low, high), requires_grad)
