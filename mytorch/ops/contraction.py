"""``contract``: the sum of products of two tensors over the axes that they share.

Products of matrices, batches of them, of vectors and ``einsum`` are such sums, and so are all of
their gradients. Each is brought to one (batched) product of matrices, which BLAS computes.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.ops.common import cast, save_needed, total
from mytorch.variable import Variable

__all__ = ["LOWER", "UPPER", "Contraction", "Terms", "contract", "product"]

#: the letters of terms; the module ``string`` has them too, and takes longer to import
LOWER, UPPER = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
Terms = tuple[str, str, str]  # a letter for each axis of x, of y and of the result


class Contraction(Function):
    """z = the sum of x * y over the letters that the result lacks, as ("ij", "jk", "ik") says.

    Each letter stands once in a term, and in two of the three at least. Then the gradients are of
    the same form: dL/dx is the contraction of dL/dz with y to the letters of x, dL/dy alike.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, terms: Terms) -> Any:
        save_needed(ctx, a, b)
        ctx.terms = terms
        with np.errstate(all="ignore"):
            return a.new(_contracted(a.data, b.data, terms))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b = ctx.saved_tensors
        needs, (x, y, z) = ctx.needs_input_grad, ctx.terms
        dtype = grad_output.dtype  # the gradient of an integer leaf is floating
        return (
            contract(grad_output, cast(b, dtype), (z, y, x)) if needs[0] else None,
            contract(cast(a, dtype), grad_output, (x, z, y)) if needs[1] else None,
            None,
        )

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any, *_: Any) -> Any:
        a, b = ctx.saved_tensors
        return total(
            None if tangent_a is None else contract(tangent_a, b, ctx.terms),
            None if tangent_b is None else contract(a, tangent_b, ctx.terms),
        )


def contract(a: Any, b: Any, terms: Terms) -> Any:
    """Return the contraction of two Tensors, recorded, or of two arrays; see ``Contraction``."""
    if isinstance(a, Variable):
        return Contraction.apply(a, b, terms)
    return _contracted(a, b, terms)


# NumPy from 2.3 on copies what BLAS cannot read; older ones multiply it a hundred times slower
_COPIES = np.lib.NumpyVersion(np.__version__) >= "2.3.0"


def product(x: Any, y: Any) -> Any:
    """Return x @ y of Tensors or of arrays; those may repeat memory, as a gradient of a sum."""
    if _COPIES or not isinstance(x, np.ndarray):
        return x @ y
    return _readable(x) @ _readable(y)


def _readable(x: np.ndarray) -> np.ndarray:
    """Return x, or a copy where neither its rows nor its columns are contiguous and apart."""
    if x.ndim < 2:
        return x
    (rows, columns), (m, n) = x.strides[-2:], x.shape[-2:]
    by_rows = columns == x.itemsize and rows >= n * columns
    by_columns = rows == x.itemsize and columns >= m * rows
    return x if by_rows or by_columns else np.ascontiguousarray(x)


class _Plan(NamedTuple):
    """How to bring x to (batch, left, inner), y to (batch, inner, right) and their product back."""

    axes_x: tuple[int, ...]
    axes_y: tuple[int, ...]
    axes_z: tuple[int, ...] | None  # None: they are in order
    counts: tuple[int, int, int, int]  # of the letters that are batch, left, inner, right
    is_swapped: bool  # y is the left factor
    spread_x: tuple[Any, ...]  # where nothing is summed: the index that gives x all axes of z
    spread_y: tuple[Any, ...]


@functools.lru_cache(maxsize=1024)
def _plan(terms: Terms) -> _Plan:
    x, y, z = terms
    batch = [c for c in z if c in x and c in y]
    inner = [c for c in x if c in y and c not in z]
    left, right = [c for c in z if c not in y], [c for c in z if c not in x]
    is_swapped = [*batch, *right, *left] == list(z) and bool(left and right)
    if is_swapped:  # so that the product has the axes of the result in order
        x, y, left, right = y, x, right, left
    if not inner:
        axes_x, axes_y = (tuple(term.index(c) for c in z if c in term) for term in (x, y))
        index_x, index_y = (tuple(slice(None) if c in t else None for c in z) for t in (x, y))
        return _Plan(axes_x, axes_y, None, (len(batch), 0, 0, 0), is_swapped, index_x, index_y)
    made = [*batch, *left, *right]
    return _Plan(
        tuple(x.index(c) for c in (*batch, *left, *inner)),
        tuple(y.index(c) for c in (*batch, *inner, *right)),
        None if made == list(z) else tuple(made.index(c) for c in z),
        (len(batch), len(left), len(inner), len(right)),
        is_swapped,
        (),
        (),
    )


def _contracted(x: np.ndarray, y: np.ndarray, terms: Terms) -> np.ndarray:
    plan = _plan(terms)
    if plan.is_swapped:
        x, y = y, x
    x, y = x.transpose(plan.axes_x), y.transpose(plan.axes_y)
    if plan.spread_x or plan.spread_y:
        return x[plan.spread_x] * y[plan.spread_y]
    batches, lefts, inners, rights = plan.counts
    batch, left = x.shape[:batches], x.shape[batches : batches + lefts]
    inner, right = x.shape[batches + lefts :], y.shape[batches + inners :]
    if lefts != 1 or inners != 1:
        x = x.reshape((*batch, math.prod(left), math.prod(inner)))
    if rights != 1 or inners != 1:
        y = y.reshape((*batch, math.prod(inner), math.prod(right)))
    z = product(x, y)
    if lefts != 1 or rights != 1:
        z = z.reshape((*batch, *left, *right))
    return z if plan.axes_z is None else z.transpose(plan.axes_z)
