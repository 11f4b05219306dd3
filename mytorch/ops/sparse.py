"""Products of a sparse matrix with a tensor along one axis: what resizing and adaptive means are.

Only the elements that the matrix names are touched, so that a nan or an infinity goes no further
than it must, and the work is proportional to their number.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.variable import Variable

__all__ = ["AlongAxis", "Sparse", "along_axis"]


class Sparse(NamedTuple):
    """A sparse matrix by its elements: ``weights[k]`` at row ``rows[k]``, column ``columns[k]``.

    Elements named twice add up. ``rows`` are in rising order.
    """

    rows: np.ndarray
    columns: np.ndarray
    weights: np.ndarray
    height: int
    width: int

    @property
    def transposed(self) -> Sparse:
        """The matrix with rows and columns exchanged."""
        order = np.argsort(self.columns, kind="stable")
        elements = self.columns[order], self.rows[order], self.weights[order]
        return Sparse(*elements, self.width, self.height)

    def parts(self) -> list[np.ndarray]:
        """Return which elements are the first of their row, the second, and so on, in order."""
        if not self.rows.size:
            return []
        is_first = np.append(True, self.rows[1:] != self.rows[:-1])
        starts = np.flatnonzero(is_first)
        number = np.arange(self.rows.size) - starts[np.cumsum(is_first) - 1]
        order = np.argsort(number, kind="stable")
        return np.split(order, np.cumsum(np.bincount(number))[:-1])


class AlongAxis(Function):
    """y = M x along one axis, with a sparse matrix M;  dx = Mᵀ grad_output, dM is not wanted."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, matrix: Sparse, axis: int) -> Any:
        ctx.matrix, ctx.axis = matrix, axis
        return a.new(_product(a.data, matrix, axis))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return along_axis(grad_output, ctx.matrix.transposed, ctx.axis), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return along_axis(tangent, ctx.matrix, ctx.axis)


def along_axis(x: Any, matrix: Sparse, axis: int) -> Any:
    """Return M x along ``axis``, of an array or a Tensor."""
    if isinstance(x, Variable):
        return AlongAxis.apply(x, matrix, axis)
    return _product(x, matrix, axis)


@np.errstate(all="ignore")  # inf * 0 is nan silently, as in torch
def _product(x: np.ndarray, matrix: Sparse, axis: int) -> np.ndarray:
    axis %= x.ndim
    order = sorted(range(x.ndim), key=lambda each: -abs(x.strides[each]))  # as the memory lies
    memory, place = x.transpose(order), order.index(axis)
    shape = list(memory.shape)
    shape[place] = matrix.height
    result = np.empty(shape, x.dtype)
    along = (-1,) + (1,) * (x.ndim - 1 - place)
    is_new = True
    for part in matrix.parts():
        rows, columns = matrix.rows[part], matrix.columns[part]
        weights = matrix.weights[part].astype(x.dtype)
        is_full = len(rows) == matrix.height
        taken = result if is_new and is_full else None
        taken = np.take(memory, columns, place, out=taken, mode="clip")
        if (weights != 1).any():
            taken *= weights.reshape(along)
        if is_new and not is_full:  # rows without elements are 0
            result[...] = 0
        if taken is not result:
            result[(slice(None),) * place + (slice(None) if is_full else rows,)] += taken
        is_new = False
    if is_new:
        result[...] = 0
    return result.transpose(np.argsort(order))
