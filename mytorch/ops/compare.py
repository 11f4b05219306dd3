"""Comparisons, questions and logic: what is answered with True and False, and has no derivative.

Two operands are compared in their common dtype, as torch does: so ``t == 0.1`` holds for a float32
tensor of 0.1, and an int64 beside a float32 is compared as float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.common import check_tensors, operands, pair
from mytorch.ops.elementwise import constant
from mytorch.ops.registry import operation

__all__ = ["eq", "ge", "gt", "le", "lt", "ne"]

eq = constant(
    "eq", np.equal, "Return where input = other (torch.eq); a nan equals nothing.",
    numpy=np.equal, in_place=True,
)  # fmt: skip
ne = constant(
    "ne", np.not_equal, "Return where input differs from other (torch.ne); a nan always does.",
    numpy=np.not_equal, in_place=True, aliases=("not_equal",),
)  # fmt: skip
lt = constant(
    "lt", np.less, "Return where input < other (torch.lt).",
    numpy=np.less, in_place=True, aliases=("less",),
)  # fmt: skip
le = constant(
    "le", np.less_equal, "Return where input <= other (torch.le).",
    numpy=np.less_equal, in_place=True, aliases=("less_equal",),
)  # fmt: skip
gt = constant(
    "gt", np.greater, "Return where input > other (torch.gt).",
    numpy=np.greater, in_place=True, aliases=("greater",),
)  # fmt: skip
ge = constant(
    "ge", np.greater_equal, "Return where input >= other (torch.ge).",
    numpy=np.greater_equal, in_place=True, aliases=("greater_equal",),
)  # fmt: skip

# ---------------------------------------------------------------------------------- questions

constant("isnan", np.isnan, "Return where an element is nan (torch.isnan).", numpy=np.isnan)
constant("isinf", np.isinf, "Return where an element is infinite (torch.isinf).", numpy=np.isinf)
constant(
    "isfinite", np.isfinite, "Return where an element is neither infinite nor nan.",
    numpy=np.isfinite,
)  # fmt: skip
constant(
    "isposinf", lambda x: x == np.inf, "Return where an element is +inf (torch.isposinf).",
    numpy=np.isposinf,
)  # fmt: skip
constant(
    "isneginf", lambda x: x == -np.inf, "Return where an element is -inf (torch.isneginf).",
    numpy=np.isneginf,
)  # fmt: skip
constant(
    "isreal", np.isreal, "Return where an element is real: everywhere (torch.isreal).",
    numpy=np.isreal,
)  # fmt: skip
constant(
    "signbit", np.signbit, "Return where the sign is minus, also that of -0.0 (torch.signbit).",
    numpy=np.signbit,
)  # fmt: skip

# -------------------------------------------------------------------------------------- logic

constant(
    "logical_not", np.logical_not, "Return where an element is 0 (torch.logical_not).",
    numpy=np.logical_not, in_place=True,
)  # fmt: skip
constant(
    "logical_and", np.logical_and, "Return where neither element is 0 (torch.logical_and).",
    numpy=np.logical_and, in_place=True,
)  # fmt: skip
constant(
    "logical_or", np.logical_or, "Return where not both elements are 0 (torch.logical_or).",
    numpy=np.logical_or, in_place=True,
)  # fmt: skip
constant(
    "logical_xor", np.logical_xor, "Return where one of two elements is 0 (torch.logical_xor).",
    numpy=np.logical_xor, in_place=True,
)  # fmt: skip

# ---------------------------------------------------------------------------------- closeness


@operation(numbers=True)
def isclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Return where |input - other| <= atol + rtol * |other| (torch.isclose).

    Infinities are close where they are equal, and a nan to a nan with ``equal_nan``.

    Raises:
        DtypeError: tensors of different dtypes; ShapeError: shapes that do not broadcast, or a
        negative tolerance.
    """
    a, b = pair("isclose", input, other)
    if a.data.dtype != b.data.dtype:
        raise DtypeError(
            f"isclose: {a.data.dtype} and {b.data.dtype} differ; convert one, as with x.to(dtype)"
        )
    if not (rtol >= 0 and atol >= 0):
        raise ShapeError(f"isclose: tolerances must be at least 0, got rtol {rtol}, atol {atol}")
    x, y = operands("isclose", a, b)
    with np.errstate(all="ignore"):
        return a.new(np.isclose(x, y, rtol, atol, equal_nan))


@operation(numbers=True)
def allclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Return whether all elements are close, as a Python bool (torch.allclose); see ``isclose``."""
    return bool(isclose(input, other, rtol, atol, equal_nan).data.all())


@operation()
def equal(input: Any, other: Any) -> bool:
    """Return whether two tensors have the same shape and elements (torch.equal).

    Dtypes may differ; a nan equals nothing.
    """
    check_tensors("equal", other)
    if input.data.shape != other.data.shape:
        return False
    return bool(np.equal(*operands("equal", input, other)).all())
