"""Rows of mytorch/ops/products.py, and of the cross product."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from tests.op_rows.common import tensors
from tests.op_table import DTYPES, Bad, OpCase, Shapes


def wrong(
    name: str,
    *shapes: Any,
    message: str,
    error: Any = ShapeError,
    torch: bool = True,
    **names: Any,
) -> Bad:
    """A wrong call of ``m.name`` on ones of the shapes."""
    return Bad(lambda m: getattr(m, name)(*tensors(m, *shapes), **names), error, message, torch)


def mixed(m: Any, *shapes: tuple[int, ...]) -> list[Any]:
    """Ones in float64, and the last in float32."""
    return [*tensors(m, *shapes[:-1]), m.tensor(np.ones(shapes[-1], np.float32))]


CUT = "torch cuts the factors off, but for addr; refused here"


def combined(name: str, product: Any, *shapes: Shapes, bad: Any = ()) -> list[OpCase]:
    """The rows of one of the products that are added to an input."""
    return [
        OpCase(name, lambda m, c, a, b: getattr(m, name)(c, a, b),
               lambda c, a, b: c + product(a, b), shapes, bad=bad),
        OpCase(f"{name} factors",
               lambda m, c, a, b: getattr(m, name)(c, a, b, beta=2, alpha=-3),
               lambda c, a, b: 2 * c - 3 * product(a, b), shapes[:1]),
        OpCase(f"{name} fractions",
               lambda m, c, a, b: getattr(m, name)(c, a, b, beta=0.5, alpha=1.5),
               lambda c, a, b: c / 2 + 1.5 * product(a, b), shapes[:1],
               differs={} if name == "addr" else dict.fromkeys(DTYPES[1:5], CUT)),
        OpCase(f"{name} without input", lambda m, c, a, b: getattr(m, name)(c, a, b, beta=0),
               lambda c, a, b: product(a, b), shapes[:1]),
    ]  # fmt: skip


ROWS = [
    OpCase("mm", lambda m, a, b: m.mm(a, b), np.matmul,
           (((2, 3), (3, 4)), ((0, 3), (3, 2)), ((2, 0), (0, 3))),
           bad=(
               wrong("mm", (2, 3), (3,), message=r"operand 1 must be a matrix .* \(3,\)"),
               wrong("mm", (2, 3), (2, 3), message="inner sizes 3 and 2 differ"),
               Bad(lambda m: m.mm(*mixed(m, (2, 2), (2, 2))), DtypeError, "float64 and float32"),
           )),
    OpCase("bmm", lambda m, a, b: m.bmm(a, b), np.matmul,
           (((5, 2, 3), (5, 3, 4)), ((0, 2, 3), (0, 3, 2)), ((1, 2, 0), (1, 0, 2))),
           bad=(
               wrong("bmm", (1, 2, 3), (4, 3, 2), message="batches of 1 and 4 matrices differ"),
               wrong("bmm", (2, 3), (3, 2), message="must be a batch"),
           )),
    OpCase("mv", lambda m, a, b: m.mv(a, b), np.matmul,
           (((2, 3), (3,)), ((0, 3), (3,)), ((2, 0), (0,))),
           bad=(wrong("mv", (2, 3), (3, 1), message="must be a vector"),)),
    OpCase("dot", lambda m, a, b: m.dot(a, b), np.dot, (((3,), (3,)), ((0,), (0,))),
           bad=(
               wrong("dot", (2, 3), (3,), message="operand 0 must be a vector"),
               wrong("dot", (2,), (3,), message="inner sizes 2 and 3 differ"),
           )),
    OpCase("vdot", lambda m, a, b: m.vdot(a, b), np.vdot, (((3,), (3,)),),
           bad=(wrong("vdot", (3,), (), message="operand 1 must be a vector"),)),
    OpCase("inner", lambda m, a, b: m.inner(a, b), np.inner,
           (((3,), (3,)), ((2, 3), (4, 3)), ((2, 3), (3,)), ((), (2, 3)), ((2, 4, 3), (5, 3)),
            ((0, 3), (2, 3)), ((2, 0), (3, 0))),
           bad=(
               wrong("inner", (2, 3), (2,), message="the last sizes of .* differ: 3 and 2"),
               Bad(lambda m: m.inner(*mixed(m, (3,), (3,))), DtypeError, "float64 and float32"),
           )),
    OpCase("outer", lambda m, a, b: m.outer(a, b), np.outer, (((3,), (4,)), ((0,), (2,))),
           bad=(wrong("outer", (2, 2), (2,), message="operand 0 must be a vector"),)),
    OpCase("outer mixed", lambda m, a, b: m.ger(a, b.double()), None, (((3,), (4,)),)),
    OpCase("tensordot", lambda m, a, b: m.tensordot(a, b), np.tensordot,
           (((4, 2, 3), (2, 3, 5)), ((2, 3), (2, 3)), ((0, 2, 3), (2, 3))),
           bad=(
               wrong("tensordot", (2, 3), (2, 4), dims=1, message=r"axes \[1\] of \(2, 3\)"),
               wrong("tensordot", (2, 3), (3, 4), dims=3, message="between 0 and 2"),
               wrong("tensordot", (2, 3), (3, 4), dims=-1, message="between 0 and 2"),
               wrong("tensordot", (2, 3), (3, 4), dims=([1], [0, 1]), message="of one length"),
               wrong("tensordot", (3, 3), (3, 3), dims=([0, 0], [0, 1]), message="appears twice"),
               wrong("tensordot", (3, 3), (3, 3), dims=([5], [0]), error=IndexError,
                     message="got 5"),
               Bad(lambda m: m.tensordot(*mixed(m, (3,), (3,)), 1), DtypeError, "and float32"),
           )),
    OpCase("tensordot axes", lambda m, a, b: m.tensordot(a, b, ([0, -1], [1, 0])),
           lambda a, b: np.tensordot(a, b, ([0, -1], [1, 0])),
           (((2, 4, 3), (3, 2)), ((2, 3), (3, 2, 5)))),
    OpCase("tensordot of nothing", lambda m, a, b: m.tensordot(a, b, 0),
           lambda a, b: np.tensordot(a, b, 0), (((2, 3), (4,)), ((), (2,)), ((), ()))),
    OpCase("tensordot size 1", lambda m, a, b: m.tensordot(a, b, 1),
           lambda a, b: np.tensordot(a.sum(-1), b.sum(0), 0), (((2, 3), (1, 4)), ((2, 1), (3, 4)))),
    OpCase("kron", lambda m, a, b: m.kron(a, b), np.kron,
           (((2, 3), (4, 2)), ((3,), (2,)), ((2,), (3, 2)), ((2, 1, 3), (2, 2)), ((), (2,)),
            ((), ()), ((0, 2), (3, 3)))),
    OpCase("kron mixed", lambda m, a, b: m.kron(a, b.double()), None, (((2, 3), (2,)),)),
    OpCase("trace", lambda m, a: m.trace(a), np.trace,
           (((3, 3),), ((2, 3),), ((3, 2),), ((0, 3),), ((0, 0),)),
           bad=(wrong("trace", (2, 2, 2), message="must be a matrix"),)),
    OpCase("diagonal", lambda m, a: m.linalg.diagonal(a), lambda x: np.diagonal(x, 0, -2, -1),
           (((3, 3),), ((4, 2, 3),), ((0, 3),)),
           bad=(
               Bad(lambda m: m.linalg.diagonal(m.ones(3)), IndexError, "out of range"),
               Bad(lambda m: m.linalg.diagonal(m.ones(3, 3), dim1=1), RuntimeError, "same axis"),
           )),
    OpCase("diagonal offset", lambda m, a: m.linalg.diagonal(a, offset=1, dim1=0, dim2=2),
           lambda x: np.diagonal(x, 1, 0, 2), (((2, 4, 3),),)),
    *combined("addmm", np.matmul,
              ((2, 4), (2, 3), (3, 4)), ((4,), (2, 3), (3, 4)), ((), (2, 3), (3, 4)),
              ((2, 1), (2, 0), (0, 2)), ((0, 2), (0, 3), (3, 2)),
              bad=(
                  wrong("addmm", (3, 2), (2, 2), (2, 2), message=r"input \(3, 2\) does not broad"),
                  wrong("addmm", (1, 2, 2), (2, 2), (2, 2), message="does not broadcast"),
                  wrong("addmm", (2, 2), (2, 2), (2,), message="must be a matrix"),
                  Bad(lambda m: m.addmm(*mixed(m, (2, 2), (2, 2), (2, 2))), DtypeError, "float32"),
              )),
    *combined("addmv", np.matmul, ((2,), (2, 3), (3,)), ((), (2, 3), (3,)), ((0,), (0, 3), (3,)),
              bad=(wrong("addmv", (2,), (2, 2), (2, 2), message="must be a vector"),)),
    *combined("baddbmm", np.matmul, ((5, 2, 4), (5, 2, 3), (5, 3, 4)),
              ((4,), (5, 2, 3), (5, 3, 4)), ((0, 2, 1), (0, 2, 3), (0, 3, 2)),
              bad=(wrong("baddbmm", (2, 2), (2, 2), (2, 2), message="must be a batch",
                         torch=False),)),  # an IndexError there
    *combined("addbmm", lambda a, b: (a @ b).sum(0), ((2, 4), (5, 2, 3), (5, 3, 4)),
              ((4,), (5, 2, 3), (5, 3, 4)), ((2, 2), (0, 2, 3), (0, 3, 2)),
              bad=(
                  wrong("addbmm", (2, 2), (3, 2, 2), (2, 2, 2), message=r"expects \(b, n, k\)"),
                  wrong("addbmm", (2, 2), (2, 2), (2, 2), message="must be a batch", torch=False),
              )),
    *combined("addr", np.outer, ((3, 4), (3,), (4,)), ((4,), (3,), (4,)), ((), (0,), (2,)),
              bad=(
                  wrong("addr", (3, 3), (2,), (2,), message="does not broadcast"),
                  wrong("addr", (2, 2), (2, 2), (2,), message="must be a vector"),
                  Bad(lambda m: m.addr(*[m.tensor(np.ones(s, int)) for s in ((2, 2), (2,), (2,))],
                                       alpha=0.5), DtypeError, "alpha=0.5 is no integer"),
              )),
    OpCase("multi_dot", lambda m, *a: m.linalg.multi_dot(a),
           lambda *a: np.linalg.multi_dot(a) if len(a) > 2 else a[0] @ a[1],
           (((2, 3), (3, 4)), ((2, 3), (3, 1), (1, 5), (5, 2)), ((3,), (3, 2), (2, 4)),
            ((2, 3), (3, 2), (2,)), ((2,), (2, 3), (3,)), ((2,), (2,)), ((2, 0), (0, 3), (3, 1))),
           bad=(
               Bad(lambda m: m.linalg.multi_dot(tensors(m, (2, 2))), ShapeError, "two matrices"),
               Bad(lambda m: m.linalg.multi_dot(tensors(m, (2,), (2,), (2, 3))), ShapeError,
                   "matrix 1 has shape"),
               Bad(lambda m: m.linalg.multi_dot(tensors(m, (2, 2), (2, 3), (2, 3))), ShapeError,
                   "the inner sizes differ"),
               Bad(lambda m: m.linalg.multi_dot(mixed(m, (2, 2), (2, 2))), DtypeError, "float32"),
           )),
    OpCase("chain_matmul", lambda m, a, b, c: m.chain_matmul(a, b, c),
           lambda a, b, c: a @ b @ c, (((2, 3), (3, 4), (4, 2)),),
           torch=lambda t, a, b, c: t.linalg.multi_dot([a, b, c]),  # the old name warns
           bad=(
               wrong("chain_matmul", (2,), (2, 2), message="must be a matrix", torch=False),
               Bad(lambda m: m.chain_matmul(), ShapeError, "one matrix or more", torch=False),
           )),
    OpCase("chain_matmul of one", lambda m, a: m.chain_matmul(a), np.copy, (((2, 3),),),
           torch=lambda t, a: a.clone()),
    OpCase("block_diag", lambda m, a, b, c: m.block_diag(a, b, c), None,
           (((2, 3), (), (2,)), ((0, 2), (1, 1), (2, 2))),
           bad=(wrong("block_diag", (2, 2, 2), message="tensor 0 has shape"),)),
    OpCase("block_diag mixed", lambda m, a, b: m.block_diag(a, b.double()), None, (((2,), ()),)),
    OpCase("vecdot", lambda m, a, b: m.linalg.vecdot(a, b), lambda a, b: (a * b).sum(-1),
           (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), (2, 1)), ((), ()), ((0, 3), (1, 3))),
           bad=(Bad(lambda m: m.linalg.vecdot(*mixed(m, (3,), (3,))), DtypeError, "float32"),)),
    OpCase("vecdot dim", lambda m, a, b: m.linalg.vecdot(a, b, dim=0), lambda a, b: (a * b).sum(0),
           (((2, 3), (2, 3)),)),
    OpCase("cross linalg", lambda m, a, b: m.linalg.cross(a, b), np.cross,
           (((2, 3), (2, 3)), ((3,), (3,)), ((2, 3), (1, 3)), ((4, 1, 3), (1, 2, 3)),
            ((0, 3), (1, 3))),
           bad=(
               Bad(lambda m: m.linalg.cross(*tensors(m, (2, 3), (3,))), ShapeError, "many axes"),
               Bad(lambda m: m.linalg.cross(*tensors(m, (2, 2), (2, 2))), ShapeError, "size 3"),
               Bad(lambda m: m.linalg.cross(*mixed(m, (3,), (3,))), DtypeError, "float32"),
               Bad(lambda m: m.linalg.cross(*tensors(m, (2, 3), (4, 3))), ShapeError, "broadcast"),
           )),
    OpCase("cross", lambda m, a, b: m.cross(a, b, 0), lambda a, b: np.cross(a, b, axis=0),
           (((3, 2), (3, 2)), ((3, 2), (3, 1)))),
    OpCase("cross default", lambda m, a, b: m.cross(a, b), lambda a, b: np.cross(a, b, axis=0),
           (((3, 2, 3), (3, 2, 3)),), torch=lambda t, a, b: t.cross(a, b, 0),  # no dim warns
           bad=(wrong("cross", (2, 2), (2, 2), message="no axis of size 3", torch=False),)),
]  # fmt: skip
