"""Products by their names: of matrices, vectors and batches of them, Kronecker's, chains, …

All are made of ``MatMul`` and ``Contraction``, whose derivatives they have. The names promote no
dtypes but where torch does (outer, kron, addr, block_diag), and what torch does not broadcast is
refused, since it is nearly always a mistake.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from mytorch.dtypes import promote, result_type
from mytorch.errors import ShapeError
from mytorch.ops.common import cast, check_tensors, float_data, normalize_axes, refuse_booleans
from mytorch.ops.contraction import LOWER, UPPER, Contraction
from mytorch.ops.joining import Cat
from mytorch.ops.linalg import MatMul, check_one_dtype
from mytorch.ops.registry import operation

__all__ = ["bmm", "check_ranks", "inner", "multi_dot", "outer", "tensordot"]

_KINDS = {0: "a number (0-d)", 1: "a vector (1-d)", 2: "a matrix (2-d)", 3: "a batch (3-d)"}


def check_ranks(name: str, *wanted: tuple[Any, int]) -> None:
    """Raise ShapeError unless each tensor has the number of axes that stands beside it."""
    check_tensors(name, *[tensor for tensor, _ in wanted])
    for position, (tensor, ndim) in enumerate(wanted):
        if tensor.data.ndim != ndim:
            raise ShapeError(
                f"{name}: operand {position} must be {_KINDS[ndim]}, got shape "
                f"{tensor.data.shape}; matmul takes any"
            )


@operation()
def mm(input: Any, mat2: Any) -> Any:
    """Return the product of two matrices, (n, k) @ (k, m) (torch.mm)."""
    check_ranks("mm", (input, 2), (mat2, 2))
    return MatMul.apply(input, mat2)


@operation()
def bmm(input: Any, mat2: Any) -> Any:
    """Return the products of two batches of matrices, (b, n, k) @ (b, k, m) (torch.bmm)."""
    check_ranks("bmm", (input, 3), (mat2, 3))
    if len(input.data) != len(mat2.data):
        raise ShapeError(
            f"bmm: {input.data.shape} @ {mat2.data.shape}: the batches of {len(input.data)} and "
            f"{len(mat2.data)} matrices differ; matmul repeats a batch of one"
        )
    return MatMul.apply(input, mat2)


@operation()
def mv(input: Any, vec: Any) -> Any:
    """Return the product of a matrix and a vector, (n, m) @ (m,) (torch.mv)."""
    check_ranks("mv", (input, 2), (vec, 1))
    return MatMul.apply(input, vec)


@operation()
def dot(input: Any, tensor: Any) -> Any:
    """Return the sum of products of two vectors of one length (torch.dot)."""
    check_ranks("dot", (input, 1), (tensor, 1))
    return MatMul.apply(input, tensor)


@operation()
def vdot(input: Any, other: Any) -> Any:
    """Return ``dot``: of real numbers, which are their own conjugates, the same (torch.vdot)."""
    check_ranks("vdot", (input, 1), (other, 1))
    return MatMul.apply(input, other)


@operation()
def inner(input: Any, other: Any) -> Any:
    """Return the sums of products over the last axis of both (torch.inner).

    Math: y[i…, j…] = sum_k input[i…, k] other[j…, k]; beside a 0-d tensor it is ``input * other``.
    Raises:
        ShapeError: the last sizes differ; DtypeError: the dtypes do.
    """
    check_tensors("inner", input, other)
    shapes = input.data.shape, other.data.shape
    if not shapes[0] or not shapes[1]:
        return input * other
    if shapes[0][-1] != shapes[1][-1]:
        raise ShapeError(
            f"inner: the last sizes of {shapes[0]} and {shapes[1]} differ: {shapes[0][-1]} and "
            f"{shapes[1][-1]}"
        )
    return _contracted_axes("inner", input, other, [input.data.ndim - 1], [other.data.ndim - 1])


@operation(aliases=("ger",))
def outer(input: Any, vec2: Any) -> Any:
    """Return every product of an element of one vector with one of another, (n, m) (torch.outer).

    Mixed dtypes are promoted.
    """
    check_ranks("outer", (input, 1), (vec2, 1))
    return Contraction.apply(*_promoted(input, vec2), ("a", "b", "ab"))


def _promoted(a: Any, b: Any) -> tuple[Any, Any]:
    dtype = result_type(a.data, b.data)
    return cast(a, dtype), cast(b, dtype)


def _contracted_axes(name: str, a: Any, b: Any, first: list[int], second: list[int]) -> Any:
    """Return the sum of products over the axes ``first`` of a and ``second`` of b, then the rest.

    Axes of which one has size 1 are summed before: it broadcasts, as in torch.
    """
    check_one_dtype(name, a, b)
    x = list(LOWER[: a.data.ndim])
    y = list(UPPER[: b.data.ndim])
    alone: tuple[list[int], list[int]] = ([], [])
    for i, j in zip(first, second, strict=True):
        if a.data.shape[i] == b.data.shape[j]:
            y[j] = x[i]
        else:
            alone[0].append(i)
            alone[1].append(j)
    result = [c for i, c in enumerate(x) if i not in first]
    result += [c for j, c in enumerate(y) if j not in second]
    if alone[0]:
        a, b = (
            cast(a.sum(tuple(alone[0])), a.data.dtype),
            cast(b.sum(tuple(alone[1])), b.data.dtype),
        )
        x = [c for i, c in enumerate(x) if i not in alone[0]]
        y = [c for j, c in enumerate(y) if j not in alone[1]]
    return Contraction.apply(a, b, ("".join(x), "".join(y), "".join(result)))


@operation(method=False)
def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Return the sum of products over several axes of two tensors at once (torch.tensordot).

    Args:
        a, b (Tensor): of one dtype.
        dims: how many axes: the last of a with the first of b, in order; or two lists of axes.
    Returns:
        Tensor: the axes of a that are left, then those of b.
    Raises:
        ShapeError: sizes that differ (a size of 1 broadcasts), lists of different lengths, an axis
        named twice; IndexError: an axis that is not there; DtypeError: mixed dtypes.
    """
    check_tensors("tensordot", a, b)
    ranks = a.data.ndim, b.data.ndim
    pair = dims.tolist() if hasattr(dims, "tolist") else dims
    if isinstance(pair, int):
        if not 0 <= pair <= min(ranks):
            raise ShapeError(
                f"tensordot: dims={pair} must be between 0 and {min(ranks)} for shapes "
                f"{a.data.shape} and {b.data.shape}"
            )
        pair = range(ranks[0] - pair, ranks[0]), range(pair)
    named = [[each] if isinstance(each, int) else list(each) for each in pair]
    if len(named) != 2 or len(named[0]) != len(named[1]):
        raise ShapeError(
            f"tensordot: dims is a number, or two lists of axes of one length, not {dims}"
        )
    first, second = named
    for axes, rank in zip(named, ranks, strict=True):
        normalize_axes(axes, rank)  # raises for an axis that is out of range or named twice
        axes[:] = [axis % rank for axis in axes]
    for i, j in zip(first, second, strict=True):
        sizes = a.data.shape[i], b.data.shape[j]
        if sizes[0] != sizes[1] and 1 not in sizes:
            raise ShapeError(
                f"tensordot: the sizes of axes {named[0]} of {a.data.shape} and {named[1]} of "
                f"{b.data.shape} differ"
            )
    return _contracted_axes("tensordot", a, b, first, second)


@operation()
def kron(input: Any, other: Any) -> Any:
    """Return Kronecker's product: ``other`` in place of each element of ``input``, times it.

    Math: y[i p + k, j q + l] = input[i, j] other[k, l] for other of shape (p, q), and so for any
        number of axes; of the tensor with fewer they are taken to be of size 1. Promotes dtypes.
    Source: torch.kron.
    """
    check_tensors("kron", input, other)
    a, b = _promoted(input, other)
    ndim = max(a.data.ndim, b.data.ndim)
    shapes = [(1,) * (ndim - t.data.ndim) + t.data.shape for t in (a, b)]
    x, y = LOWER[:ndim], UPPER[:ndim]
    z = "".join(c for both in zip(x, y, strict=True) for c in both)
    blocks = Contraction.apply(a.reshape(shapes[0]), b.reshape(shapes[1]), (x, y, z))
    return blocks.reshape(tuple(m * n for m, n in zip(*shapes, strict=True)))


@operation()
def trace(input: Any) -> Any:
    """Return the sum of the diagonal of a matrix; of integers in int64 (torch.trace)."""
    check_ranks("trace", (input, 2))
    refuse_booleans("trace", input)
    places = np.arange(min(input.data.shape))
    return input[places, places].sum()


@operation("linalg")
def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Return the diagonal over two axes, by default the last, as a new last axis.

    Args:
        A (Tensor): with two axes or more; offset: how far above the main diagonal.
    Source: torch.linalg.diagonal.
    """
    check_tensors("linalg.diagonal", A)
    ndim = A.data.ndim
    for dim in (dim1, dim2):
        if not -ndim <= dim < ndim:
            raise IndexError(
                f"linalg.diagonal: dimension {dim} is out of range for shape {A.data.shape}"
            )
    if (dim1 - dim2) % ndim == 0:
        raise ShapeError(f"linalg.diagonal: dim1={dim1} and dim2={dim2} are the same axis")
    return np.diagonal(A, offset, dim1, dim2)


# --------------------------------------------------------------------------- several matrices


@operation("linalg")
def multi_dot(tensors: Sequence[Any]) -> Any:
    """Return the product of two or more matrices, in the order that needs the fewest products.

    The first may be a vector, a row, and the last one, a column; their axis is dropped again.

    Source: torch.linalg.multi_dot; the order is T. Cormen et al., Introduction to Algorithms,
    section "Matrix-chain multiplication".
    """
    members = list(tensors)
    check_tensors("linalg.multi_dot", *members)
    if len(members) < 2:
        raise ShapeError(f"linalg.multi_dot: expects two matrices or more, got {len(members)}")
    for position, member in enumerate(members):
        allowed = (1, 2) if position in (0, len(members) - 1) else (2,)
        if member.data.ndim not in allowed:
            raise ShapeError(
                f"linalg.multi_dot: matrix {position} has shape {member.data.shape}; all are "
                "2-d, but the first and the last may be vectors"
            )
    check_one_dtype("linalg.multi_dot", *members)
    first, last = members[0].data.ndim == 1, members[-1].data.ndim == 1
    members[0] = members[0].reshape(1, -1) if first else members[0]
    members[-1] = members[-1].reshape(-1, 1) if last else members[-1]
    for left, right in zip(members, members[1:], strict=False):
        if left.data.shape[1] != right.data.shape[0]:
            raise ShapeError(
                f"linalg.multi_dot: {left.data.shape} @ {right.data.shape}: the inner sizes differ"
            )
    product = _chain(members)
    return (
        product.reshape(product.data.shape[int(first) : 2 - int(last)])
        if first or last
        else product
    )


def _chain(members: list[Any]) -> Any:
    sizes = [members[0].data.shape[0], *[member.data.shape[1] for member in members]]

    @functools.cache
    def cheapest(start: int, end: int) -> tuple[int, int]:
        """Return the cost of the product of members start … end, and where to split it."""
        if start == end:
            return 0, start
        return min(
            (
                cheapest(start, k)[0]
                + cheapest(k + 1, end)[0]
                + sizes[start] * sizes[k + 1] * sizes[end + 1],
                k,
            )
            for k in range(start, end)
        )

    def product(start: int, end: int) -> Any:
        if start == end:
            return members[start]
        split = cheapest(start, end)[1]
        return MatMul.apply(product(start, split), product(split + 1, end))

    return product(0, len(members) - 1)


@operation(method=False)
def chain_matmul(*matrices: Any) -> Any:
    """Return the product of one or more matrices; see ``linalg.multi_dot`` (torch.chain_matmul)."""
    if not matrices:
        raise ShapeError("chain_matmul: expects one matrix or more")
    check_ranks("chain_matmul", *[(matrix, 2) for matrix in matrices])
    return multi_dot(matrices) if len(matrices) > 1 else matrices[0].clone()


@operation(method=False)
def block_diag(*tensors: Any) -> Any:
    """Return the matrix that has the given ones along its diagonal, and zeros (torch.block_diag).

    A vector is a row, a 0-d tensor a 1 by 1 matrix. Dtypes are promoted.
    """
    check_tensors("block_diag", *tensors)
    if not tensors:
        raise TypeError("block_diag: expects one tensor or more")
    for position, tensor in enumerate(tensors):
        if tensor.data.ndim > 2:
            raise ShapeError(
                f"block_diag: tensor {position} has shape {tensor.data.shape}; at most 2-d fits"
            )
    dtype = _common_dtype(tensors)
    blocks = [t.reshape((1,) * (2 - t.data.ndim) + t.data.shape) for t in tensors]
    width, before, rows = sum(block.data.shape[1] for block in blocks), 0, []
    for block in blocks:
        height, own = block.data.shape
        sides = [np.zeros((height, size), dtype) for size in (before, width - before - own)]
        rows.append(Cat.apply(1, block.new(sides[0]), cast(block, dtype), block.new(sides[1])))
        before += own
    return Cat.apply(0, *rows)


def _common_dtype(tensors: Sequence[Any]) -> np.dtype:
    """Return the dtype of all; 0-d tensors promote others only to another category, as in torch."""
    numbers = [tensor.data.dtype for tensor in tensors if not tensor.data.ndim]
    arrays = [tensor.data.dtype for tensor in tensors if tensor.data.ndim]
    if not numbers or not arrays:
        return functools.reduce(promote, numbers or arrays)
    dtypes = functools.reduce(promote, numbers), functools.reduce(promote, arrays)
    return result_type(np.empty((), dtypes[0]), np.empty(1, dtypes[1]))


@operation("linalg")
def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """Return the sum of x * y over one axis, broadcast (torch.linalg.vecdot). Of floats only."""
    float_data("linalg.vecdot", x)
    check_tensors("linalg.vecdot", y)
    check_one_dtype("linalg.vecdot", x, y)
    if x.data.shape != y.data.shape or not x.data.ndim:
        return (x * y).sum(dim)
    (axis,) = normalize_axes(dim, x.data.ndim)
    term = (LOWER + UPPER)[: x.data.ndim]
    return Contraction.apply(x, y, (term, term, term.replace(term[axis], "")))
