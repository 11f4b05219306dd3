"""``einsum``: sums of products, as an equation says (Einstein's convention).

Any equation is first brought to products of two operands that are one (batched) product of matrices
each: diagonals are taken, and what only one operand depends on is summed, by operations that have
their own derivatives; more than two operands are multiplied pair by pair.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from mytorch.errors import ShapeError
from mytorch.ops.common import check_tensors, refuse_booleans
from mytorch.ops.contraction import LOWER, UPPER, Contraction
from mytorch.ops.linalg import check_one_dtype
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["einsum"]

Shapes = tuple[tuple[int, ...], ...]


@operation(method=False)
def einsum(equation: Any, *operands: Any) -> Any:
    """Return the sum over all products that ``equation`` names (torch.einsum, numpy.einsum).

    Math: "ij,jk->ik" is y[i, k] = sum_j a[i, j] b[j, k]: a letter for each axis of each operand;
        the letters that are not in the result are summed over. A letter twice in a term takes a
        diagonal; "..." stands for the axes that no letter names, which broadcast; without "->" the
        result has the letters that occur once, sorted.
    Args:
        equation: as above. Or, without one, each operand is followed by the list of its axes'
            numbers, and at the end may stand the list of the result's: einsum(a, [0, 1], b, [1]).
        operands (Tensor): one for each term, of one dtype, or a list of them; sizes of 1 broadcast.
    Returns:
        Tensor: with an axis for each letter of the result.
    Raises:
        ShapeError: an equation that makes no sense, or sizes that do not fit;
        DtypeError: mixed dtypes; TypeError: an operand that is no Tensor.
    """
    if isinstance(equation, Variable):
        equation, operands = _from_lists((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    if not isinstance(equation, str):
        raise TypeError("einsum: expects the equation as a string, as in einsum('ij,jk->ik', a, b)")
    check_tensors("einsum", *operands)
    plan = _planned(equation, tuple([each.data.shape for each in operands]))
    check_one_dtype("einsum", *operands, booleans=True)
    ready = []
    for tensor, term, alone in zip(operands, plan.terms, plan.alone, strict=True):
        tensor = _take_diagonals(tensor, term) if len(set(term)) != len(term) else tensor
        dropped, summed = alone
        if dropped:
            tensor = tensor.squeeze(dropped)
        if summed:
            tensor = tensor.sum(summed)  # of integers int64, as in torch
        ready.append(tensor)
    for first, second, terms in plan.steps:
        a, b = ready[first], ready[second]
        if a.data.dtype.kind == "b" and any(c in terms[1] and c not in terms[2] for c in terms[0]):
            refuse_booleans("einsum", a, b)  # their sum is none, but single products exist
        ready.append(Contraction.apply(a, b, terms))
    return ready[-1] if plan.order is None else np.transpose(ready[-1], plan.order)


class _Plan(NamedTuple):
    """What an equation asks to be done with operands of certain shapes."""

    terms: tuple[str, ...]
    alone: tuple[Any, ...]  # for each operand the axes to drop, and then those to sum over, first
    steps: tuple[tuple[int, int, Any], ...]  # which to multiply; each result is put at the end
    order: tuple[int, ...] | None  # of a single operand: how its axes are permuted


@functools.lru_cache(maxsize=1024)
def _planned(equation: str, shapes: Shapes) -> _Plan:
    terms, result = _parse(equation, shapes)
    sizes = _sizes(equation, terms, shapes)
    whole = []  # the letters of each operand for which it is not stretched
    for term, shape in zip(terms, shapes, strict=True):
        own = dict(zip(term, shape, strict=True))
        whole.append({x for x, size in own.items() if size == sizes[x]})
    uses = Counter("".join(["".join(letters) for letters in whole]) + result)
    alone, left = [], []
    for term, letters in zip(terms, whole, strict=True):
        plain = _without_repetition(term)
        kept = [x for x in plain if x in letters]
        dropped = tuple(axis for axis, x in enumerate(plain) if x not in letters)
        alone.append((dropped, tuple(axis for axis, x in enumerate(kept) if uses[x] == 1)))
        left.append("".join(x for x in kept if uses[x] > 1))
    order = None if len(left) > 1 else tuple(left[0].index(x) for x in result)
    steps = _steps(left, result, sizes) if len(left) > 1 else ()
    return _Plan(tuple(terms), tuple(alone), steps, order)


def _steps(terms: list[str], result: str, sizes: dict[str, int]) -> tuple[Any, ...]:
    """Return which two operands to multiply, and how, step by step: the cheapest pair first."""
    path: Any = [(0, 1)]
    if len(terms) > 2:
        empty = [np.broadcast_to(0.0, [sizes[x] for x in term]) for term in terms]
        equation = f"{','.join(terms)}->{result}"
        path = np.einsum_path(equation, *empty, optimize=("greedy", 2**60))[0][1:]
    terms, waiting, steps = list(terms), list(range(len(terms))), []
    for places in path:
        group = [waiting[place] for place in places]
        waiting = [number for number in waiting if number not in group]
        while len(group) > 1:
            first, second = group.pop(0), group.pop(0)
            x, y = terms[first], terms[second]
            needed = "".join([terms[number] for number in (*waiting, *group)]) + result
            kept = [c for c in dict.fromkeys(x + y) if c in needed]
            z = "".join(sorted(kept, key=lambda c: (c not in x or c not in y, c not in x)))
            z = z if waiting or group else result
            steps.append((first, second, (x, y, z)))
            group.insert(0, len(terms))
            terms.append(z)
        waiting.append(group[0])
    return tuple(steps)


def _from_lists(arguments: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Return the equation and the operands of einsum(a, [0, 1], b, [1, ...], [0])."""
    letters = UPPER + LOWER  # in the order of the numbers

    def term(axes: Any) -> str:
        if not isinstance(axes, (list, tuple)):
            kind = type(axes).__name__
            raise TypeError(f"einsum: expects the list of an operand's axes after it, got {kind}")
        for axis in axes:
            if axis is not Ellipsis and not (isinstance(axis, int) and 0 <= axis < len(letters)):
                raise ShapeError(f"einsum: an axis is a number in [0, {len(letters)}), not {axis}")
        return "".join("..." if axis is Ellipsis else letters[axis] for axis in axes)

    result = f"->{term(arguments[-1])}" if len(arguments) % 2 else ""
    pairs = arguments[: len(arguments) // 2 * 2]
    return ",".join(map(term, pairs[1::2])) + result, pairs[::2]


def _without_repetition(term: str) -> str:
    """Return the letters of a term whose diagonals were taken: those stand at the end."""
    for label in dict.fromkeys(term):
        if term.count(label) > 1:
            term = term.replace(label, "") + label
    return term


def _take_diagonals(tensor: Any, term: str) -> Any:
    """Return the diagonal of ``tensor`` over each letter that stands more than once in ``term``."""
    for label in dict.fromkeys(term):
        while term.count(label) > 1:
            first = term.index(label)
            second = term.index(label, first + 1)
            tensor = np.diagonal(tensor, 0, first, second)
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + label
    return tensor


def _parse(equation: str, shapes: Shapes) -> tuple[list[str], str]:
    """Return the letters of each term and of the result, those for "..." spelled out."""
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise ShapeError(f"einsum: {equation!r} has {len(terms)} term(s) for {len(shapes)} tensors")
    for part in (*terms, result):
        letters = part.replace("...", "", 1)
        if not all(letter in LOWER + UPPER for letter in letters):
            raise ShapeError(f"einsum: {equation!r}: expects letters and '...', got {part!r}")
    spare = [letter for letter in LOWER + UPPER if letter not in equation]
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
