"""Rows of the products: mytorch/ops/linalg.py and einsum.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from tests.op_rows.common import tensors
from tests.op_table import MATRICES, UNARY, Bad, OpCase, Shapes


def einsum(equation: str, *shapes: Shapes, bad: Any = ()) -> OpCase:
    """The row of one equation."""
    return OpCase(
        f"einsum {equation}",
        lambda m, *operands: m.einsum(equation, *operands),
        lambda *operands: np.einsum(equation, *operands, optimize=True),
        shapes or UNARY[:0],
        bad=bad,
    )


def wrong(equation: str, *shapes: tuple[int, ...], error: type, message: str) -> Bad:
    """A wrong call of einsum."""
    return Bad(lambda m: m.einsum(equation, *tensors(m, *shapes)), error, message)


def product(*shapes: tuple[int, ...], message: str) -> Bad:
    """A wrong product."""
    return Bad(lambda m: m.matmul(*tensors(m, *shapes)), ShapeError, message)


def mixed(m: Any, *shapes: tuple[int, ...]) -> list[Any]:
    """Ones in float64, and then in float32."""
    return [m.tensor(np.ones(shapes[0])), m.tensor(np.ones(shapes[1], np.float32))]


ROWS = [
    OpCase("matmul", lambda m, a, b: m.matmul(a, b), np.matmul, MATRICES,
           bad=(
               product((100, 784), (10, 784), message=r"mean weight\.T\(\)\?"),
               product((2, 3), (2, 4), message="inner sizes 3 and 2 differ"),
               product((2, 1, 3), (4, 3, 1), message="batch shapes"),
               product((), (3,), message="0-d"),
               Bad(lambda m: m.matmul(*mixed(m, (3,), (3,))), DtypeError, "float64 and float32"),
           )),
    OpCase("matmul operator", lambda m, a, b: a @ b, np.matmul, (((2, 3), (3, 4)),)),
    einsum("ij,jk->ik", ((2, 3), (3, 4)), ((0, 3), (3, 2)), ((2, 0), (0, 3)),
           bad=(
               wrong("ij,jk->ik", (2, 3), (4, 5), error=ShapeError,
                     message=r"'j' differ in .* and \(4, 5\)"),
               wrong("ij,jk->ik", (2, 3), (3,), error=ShapeError,
                     message="'jk' does not fit operand 1"),
               wrong("ij,jk->ik", (2, 3), error=ShapeError, message=r"2 term\(s\) for 1"),
               Bad(lambda m: m.einsum("ij,jk->ik", *mixed(m, (2, 3), (3, 4))), DtypeError,
                   "float64 and float32"),
           )),
    einsum("jb,bA", ((2, 3), (3, 4))),  # no "->": the result is Aj
    einsum("i,i", ((3,), (3,)), ((3,), (1,)), ((1,), (3,))),
    einsum("i,j->ij", ((3,), (4,))),
    einsum("ij->ji", ((2, 3),)),
    einsum("ij->", ((2, 3),), ((0, 3),)),
    einsum(",ij->j", ((), (2, 3))),
    einsum("ij,k->i", ((2, 3), (4,))),
    einsum("i,ij,kj->k", ((2,), (2, 3), (4, 3)), ((2,), (1, 3), (4, 1))),
    einsum("ii", ((3, 3),), bad=(wrong("ii", (1, 3), error=ShapeError, message="'i' differ"),)),
    einsum("ii->i", ((3, 3),), ((1, 1),)),
    einsum("iijk,kj->ji", ((3, 3, 2, 4), (4, 2))),
    einsum("iji,i->j", ((3, 2, 3), (3,)), ((1, 2, 1), (3,))),
    einsum("iii->i", ((3, 3, 3),)),
    einsum("...ij,...jk->...ik", ((5, 2, 3), (3, 4)), ((5, 1, 2, 3), (4, 3, 2))),
    einsum("i...,i...", ((3, 2), (3,)), ((3, 2), (3, 1)), ((3,), (3,))),
    einsum("...i->i", ((2, 3),), ((4, 2, 3),)),
    einsum("i->i", ((3,),),
           bad=(
               wrong("i->j", (3,), error=ShapeError, message="'j' must stand once in the result"),
               wrong("i->ii", (3,), error=ShapeError, message="'i' must stand once in the result"),
               wrong("i+j", (3, 3), error=ShapeError, message=r"got 'i\+j'"),
           )),
    einsum("ijk,kl,lm,mj->i", ((2, 3, 4), (4, 5), (5, 2), (2, 3))),
    einsum("a,b,c->abc", ((2,), (3,), (4,))),
    einsum("ab,ab,ab->", ((2, 3), (2, 3), (2, 3))),
    einsum("bhqd,bkhd->bhqk", ((2, 3, 4, 5), (2, 6, 3, 5))),
    einsum("bij,jb->jbi", ((2, 3, 4), (4, 2)), ((0, 3, 4), (4, 0)), ((2, 3, 0), (0, 2))),
    einsum("ij,kl->ljki", ((2, 3), (4, 5))),
    einsum(",->", ((), ())),
    OpCase("einsum list", lambda m, a, b: m.einsum("ij,jk", [a, b]), lambda a, b: a @ b,
           (((2, 3), (3, 4)),),
           bad=(
               Bad(lambda m: m.einsum("i", [1.0]), TypeError, "expects a Tensor, got float"),
               Bad(lambda m: m.einsum(3, m.ones(3)), TypeError, "equation as a string"),
           )),
    OpCase("einsum numbers", lambda m, a, b: m.einsum(a, [..., 5, 3], b, [3, 30], [30, ..., 5]),
           lambda a, b: np.einsum("...fd,dE->E...f", a, b),
           (((2, 3), (3, 4)), ((5, 2, 3), (3, 4)))),
    OpCase("einsum numbers alone", lambda m, a, b: m.einsum(a, [1, 30], b, [30, 0]),
           lambda a, b: (a @ b).T, (((2, 3), (3, 4)),),
           bad=(
               Bad(lambda m: m.einsum(m.ones(3), [52]), ShapeError, r"in \[0, 52\), not 52"),
               Bad(lambda m: m.einsum(m.ones(3), m.ones(3)), TypeError, "an operand's axes after"),
           )),
    OpCase("einsum of one tensor twice", lambda m, a: m.einsum("ij,kj->ik", a, a),
           lambda x: x @ x.T, (((2, 3),), ((0, 3),))),
]  # fmt: skip
