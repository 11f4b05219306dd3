"""``einsum``: sums of products, as an equation says (Einstein's convention).

Any equation is first brought to the form for which the derivative is one line: diagonals are taken,
and what only one operand depends on is summed, by operations that have their own derivatives.
"""

from __future__ import annotations

import string
from collections import Counter
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.common import cast, total
from mytorch.ops.linalg import check_one_dtype
from mytorch.ops.registry import operation

__all__ = ["Einsum", "einsum"]

Shapes = list[tuple[int, ...]]


class Einsum(Function):
    """The sum of products of ``equation``;  dL/d(operand) = einsum of dL/dy and the other operands.

    Each letter stands once in a term, and again in the result or in another term: ``einsum`` brings
    every equation to this form, which the equation of a gradient has as well.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, equation: str, *tensors: Any) -> Any:
        arrays = [tensor.data for tensor in tensors]
        check_one_dtype("einsum", *tensors)
        ctx.equation = equation
        ctx.save_for_backward(*tensors)
        if len(arrays) == 1:  # a permutation, which NumPy answers with a view
            return tensors[0].new(np.einsum(equation, *arrays).copy())
        return tensors[0].new(np.einsum(equation, *arrays, optimize=True))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        tensors = ctx.saved_tensors
        left, result = ctx.equation.split("->")
        terms = left.split(",")
        gradients: list[Any] = []
        for k, term in enumerate(terms):
            if not ctx.needs_input_grad[k + 1]:
                gradients.append(None)
                continue
            others = ",".join([result, *terms[:k], *terms[k + 1 :]])
            rest = [cast(t, grad_output.dtype) for t in (*tensors[:k], *tensors[k + 1 :])]
            gradients.append(np.einsum(f"{others}->{term}", grad_output, *rest, optimize=True))
        return None, *gradients

    @staticmethod
    def jvp(ctx: Any, _: Any, *tangents: Any) -> Any:
        tensors = ctx.saved_tensors
        parts = []
        for k, tangent in enumerate(tangents):
            if tangent is not None:
                swapped = (*tensors[:k], tangent, *tensors[k + 1 :])
                parts.append(np.einsum(ctx.equation, *swapped, optimize=True))
        return total(*parts)


@operation(method=False)
def einsum(equation: str, *tensors: Any) -> Any:
    """Return the sum over all products that ``equation`` names (numpy.einsum, torch.einsum).

    Math: "ij,jk->ik" is y[i, k] = sum_j a[i, j] b[j, k]: a letter for each axis of each operand;
        the letters that are not in the result are summed over. A letter twice in a term takes a
        diagonal; "..." stands for the axes that no letter names, which broadcast; without "->" the
        result has the letters that occur once, sorted.
    Args:
        equation: as above.
        tensors (Tensor): one for each term, of one dtype; sizes of 1 broadcast.
    Returns:
        Tensor: with an axis for each letter of the result.
    Raises:
        ShapeError: an equation that makes no sense, or sizes that do not fit;
        DtypeError: mixed dtypes.
    """
    terms, result = _parse(equation, [tensor.data.shape for tensor in tensors])
    sizes = _sizes(equation, terms, [tensor.data.shape for tensor in tensors])
    operands: list[Any] = []
    for position, tensor in enumerate(tensors):
        tensor, term = _take_diagonals(tensor, terms[position])
        stretched = [x for x, size in zip(term, tensor.data.shape, strict=True) if size != sizes[x]]
        tensor, terms[position] = _sum_over(tensor, term, stretched)
        operands.append(tensor)
    uses = Counter("".join([*terms, result]))
    for position, term in enumerate(terms):
        alone = [x for x in term if uses[x] == 1]
        operands[position], terms[position] = _sum_over(operands[position], term, alone)
    return Einsum.apply(f"{','.join(terms)}->{result}", *operands)


def _take_diagonals(tensor: Any, term: str) -> tuple[Any, str]:
    """Return the diagonal over each letter that stands twice in ``term``, and the term left."""
    for label in [x for x, count in Counter(term).items() for _ in range(count - 1)]:
        first = term.index(label)
        second = term.index(label, first + 1)
        places = np.arange(tensor.data.shape[first])
        index: list[Any] = [slice(None)] * len(term)
        index[first] = index[second] = places
        tensor = tensor[tuple(index)]
        rest = term[:second] + term[second + 1 :]
        # NumPy leaves the diagonal in place of adjacent axes, and puts it first otherwise.
        term = rest if second == first + 1 else label + rest[:first] + rest[first + 1 :]
    return tensor, term


def _sum_over(tensor: Any, term: str, labels: list[str]) -> tuple[Any, str]:
    """Return ``tensor`` summed over the axes of ``labels``, and the term without them."""
    if not labels:
        return tensor, term
    axes = tuple(term.index(label) for label in labels)
    dtype = tensor.data.dtype
    return cast(tensor.sum(axes), dtype), "".join(label for label in term if label not in labels)


def _parse(equation: str, shapes: Shapes) -> tuple[list[str], str]:
    """Return the letters of each term and of the result, those for "..." spelled out."""
    if not isinstance(equation, str):
        raise TypeError("einsum: expects the equation as a string, as in einsum('ij,jk->ik', a, b)")
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise ShapeError(f"einsum: {equation!r} has {len(terms)} term(s) for {len(shapes)} tensors")
    for part in (*terms, result):
        letters = part.replace("...", "", 1)
        if not all(letter in string.ascii_letters for letter in letters):
            raise ShapeError(f"einsum: {equation!r}: expects letters and '...', got {part!r}")
    spare = [letter for letter in string.ascii_letters if letter not in equation]
    dots = "".join(spare[: max(map(len, shapes), default=0)])
    widths = []  # how many axes "..." stands for
    for position, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        extra = len(shape) - len(term.replace("...", ""))
        if extra < 0 or (extra and "..." not in term):
            raise ShapeError(
                f"einsum: {equation!r}: the term {term!r} does not fit operand {position} of shape "
                f"{shape}"
            )
        widths.append(extra)
        terms[position] = term.replace("...", dots[len(dots) - extra :])
    common = dots[len(dots) - max(widths, default=0) :]
    if arrow:
        result = result.replace("...", common)
    else:
        counts = Counter(left.replace(",", "").replace(".", ""))
        result = common + "".join(sorted(x for x, count in counts.items() if count == 1))
    for label in result:
        if result.count(label) > 1 or label not in "".join(terms):
            raise ShapeError(
                f"einsum: {equation!r}: {label!r} must stand once in the result, and in a term"
            )
    return terms, result


def _sizes(equation: str, terms: list[str], shapes: Shapes) -> dict[str, int]:
    """Return the size that each letter stands for; a size of 1 broadcasts to another."""
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        own: dict[str, int] = {}
        for label, size in zip(term, shape, strict=True):
            known = sizes.get(label, 1)
            if own.setdefault(label, size) != size or (1 not in (known, size) and known != size):
                name = label if label in equation else "..."
                raise ShapeError(
                    f"einsum: {equation!r}: the sizes of {name!r} differ in the shapes "
                    f"{' and '.join(map(str, shapes))}"
                )
            sizes[label] = size if known == 1 else known
    return sizes
