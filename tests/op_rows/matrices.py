"""Rows of equations, factors and functions of matrices; of their norms in linalg_norms.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, LinAlgError, ShapeError
from tests.op_rows.common import tensors
from tests.op_table import Bad, OpCase, Shapes, real

# ------------------------------------------------------------------------------------ domains


def separated(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Matrices with the singular values k, k - 1, …, 1."""
    *batch, m, n = shape
    k = min(m, n)
    u = np.linalg.qr(rng.normal(size=(*batch, m, k)))[0]
    v = np.linalg.qr(rng.normal(size=(*batch, n, k)))[0]
    return (u * np.arange(k, 0, -1)) @ v.mT


def orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Matrices whose powers neither grow nor shrink."""
    return np.linalg.qr(rng.normal(size=shape))[0]


def symmetric(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Symmetric matrices with the eigenvalues 1, -2, 3, …."""
    n = shape[-1]
    v = np.linalg.qr(rng.normal(size=shape))[0]
    return (v * (np.arange(1, n + 1) * (-1) ** np.arange(n))) @ v.mT


def definite(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Symmetric matrices with the eigenvalues 1, 2, 3, …."""
    v = np.linalg.qr(rng.normal(size=shape))[0]
    return (v * np.arange(1, shape[-1] + 1)) @ v.mT


def triangular(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Any matrices with a diagonal away from 0: of either triangle a matrix that is regular."""
    return rng.uniform(-1, 1, shape) + 3 * np.eye(shape[-1])


SQUARE: tuple[Shapes, ...] = (
    ((3, 3),), ((1, 1),), ((0, 0),), ((4, 3, 3),), ((2, 1, 2, 2),), ((0, 2, 2),), ((3, 0, 0),),
)  # fmt: skip
ANY: tuple[Shapes, ...] = (
    ((3, 2),), ((2, 3),), ((3, 3),), ((0, 3),), ((3, 0),), ((4, 3, 2),), ((2, 1, 2, 3),),
    ((0, 2, 3),),
)  # fmt: skip
EQUATIONS: tuple[Shapes, ...] = (
    ((3, 3), (3, 2)), ((4, 3, 3), (4, 3, 2)), ((3, 3), (4, 3, 2)), ((4, 3, 3), (3, 2)),
    ((2, 1, 3, 3), (4, 3, 1)), ((0, 0), (0, 2)), ((3, 3), (3, 0)), ((0, 2, 2), (2, 1)),
)  # fmt: skip
SINGULAR = np.array([[1.0, 2], [2, 4]])

# ---------------------------------------------------------------------------------- wrong calls


def refused(name: str, square: bool = True, **names: Any) -> tuple[Bad, ...]:
    """The wrong calls of a function of one matrix."""

    def call(m: Any, tensor: Any) -> Any:
        return getattr(m.linalg, name)(tensor, **names)

    found = (
        Bad(lambda m: call(m, m.tensor(np.ones((2, 2), np.int64))), DtypeError, "floating tensor"),
        Bad(lambda m: call(m, m.tensor(np.ones((2, 2), np.float16))), DtypeError, "not for float16",
            torch=False),  # NotImplementedError there
        Bad(lambda m: call(m, m.tensor(np.ones(3))), ShapeError, r"\(…, m, n\), got shape \(3,\)"),
    )  # fmt: skip
    more = Bad(lambda m: call(m, m.tensor(np.ones((2, 3)))), ShapeError, "square .* 2 by 3")
    return (*found, more) if square else found


def numerical(name: str, *arrays: Any, message: str, **names: Any) -> Bad:
    """A call with numbers for which there is no answer."""

    def call(m: Any) -> Any:
        return getattr(m.linalg, name)(*[m.tensor(np.array(x, float)) for x in arrays], **names)

    return Bad(call, LinAlgError, message)


def equation(name: str, *shapes: Any, message: str, torch: bool = True, **names: Any) -> Bad:
    """A wrong call of a function that solves equations."""
    return Bad(lambda m: getattr(m.linalg, name)(*tensors(m, *shapes), **names), ShapeError,
               message, torch)  # fmt: skip


def mixed(m: Any) -> list[Any]:
    """Matrices of two dtypes."""
    return [m.tensor(np.eye(2)), m.tensor(np.eye(2, dtype=np.float32))]


# ------------------------------------------------------------- what does not depend on any choice


def squares(*parts: Any) -> tuple[Any, ...]:
    """The squares of vectors, which have no sign."""
    return tuple(part * part for part in parts)


def eigh(m: Any, a: Any, uplo: str = "L") -> tuple[Any, ...]:
    w, v = m.linalg.eigh(a + a.mT, uplo)
    return w, v * v


def svd(m: Any, a: Any, full: bool = False) -> tuple[Any, ...]:
    u, s, vh = m.linalg.svd(a, full)
    k = s.shape[-1]
    return u[..., :k] ** 2, s, vh[..., :k, :] ** 2


def rebuilt(m: Any, a: Any) -> Any:
    """A part of A, by its singular values and vectors but the last."""
    u, s, v = m.svd(a)
    return (u[..., :-1] * s[..., None, :-1]) @ v[..., :-1].mT


def low(a: Any, unit: bool = False) -> np.ndarray:
    """The lower triangle of an array, its diagonal perhaps replaced by 1."""
    return np.tril(a, -1) + np.eye(a.shape[-1]) if unit else np.tril(a)


ROWS = [
    OpCase("inv", lambda m, a: m.linalg.inv(a), np.linalg.inv, SQUARE, (separated,),
           bad=(
               *refused("inv"),
               numerical("inv", SINGULAR, message="the matrix is singular"),
               numerical("inv", [np.eye(2), SINGULAR], message="matrix 1 of the batch: .* singul"),
           )),
    OpCase("inverse", lambda m, a: m.inverse(a), np.linalg.inv, (((3, 3),),), (separated,)),
    OpCase("det linalg", lambda m, a: m.linalg.det(a), np.linalg.det, SQUARE, (separated,),
           bad=refused("det")),
    OpCase("det", lambda m, a: m.det(a), np.linalg.det, (((3, 3),),), (separated,)),
    OpCase("slogdet linalg", lambda m, a: m.linalg.slogdet(a), np.linalg.slogdet, SQUARE,
           (separated,), bad=refused("slogdet")),
    OpCase("slogdet", lambda m, a: m.slogdet(a), np.linalg.slogdet, (((3, 3),),), (separated,)),
    OpCase("logdet", lambda m, a: m.logdet(a), lambda x: np.linalg.slogdet(x)[1], SQUARE,
           (definite,), bad=(Bad(lambda m: m.logdet(m.ones(2)), ShapeError, "got shape"),)),
    OpCase("solve", lambda m, a, b: m.linalg.solve(a, b), np.linalg.solve, EQUATIONS,
           (separated, real),
           bad=(
               *refused("solve", B=None)[:0],
               equation("solve", (2, 3), (2, 1), message="square"),
               equation("solve", (2, 2), (3, 1), message=r"A X = B .* needs B \(…, 2, k\)"),
               equation("solve", (2, 2), (3,), message=r"needs B \(…, 2, k\)"),
               equation("solve", (2, 2), (), message="needs B"),
               equation("solve", (5, 2, 2), (4, 2, 1), message="broadcast"),
               equation("solve", (2, 2), (2, 3), left=False, message="X A = B"),
               numerical("solve", SINGULAR, np.ones(2), message="the matrix is singular"),
               numerical("solve", [np.eye(2), SINGULAR], np.ones((2, 1)), message="matrix 1 of"),
               Bad(lambda m: m.linalg.solve(*mixed(m)), DtypeError, "float64 and float32"),
           )),
    OpCase("solve vector", lambda m, a, b: m.linalg.solve(a, b), None,
           (((3, 3), (3,)), ((4, 3, 3), (4, 3)), ((4, 3, 3), (3,)), ((2, 2, 2), (2, 2))),
           (separated, real)),
    OpCase("solve right", lambda m, a, b: m.linalg.solve(a, b, left=False),
           lambda a, b: b @ np.linalg.inv(a), (((3, 3), (2, 3)), ((4, 3, 3), (2, 3))),
           (separated, real)),
    OpCase("tensorinv", lambda m, a: m.linalg.tensorinv(a), np.linalg.tensorinv,
           (((2, 3, 6),), ((1, 1, 1, 1),)), (lambda rng, s: separated(rng, (6, 6)).reshape(s)
                                             if len(s) == 3 else np.full(s, 2.0),),
           bad=(
               Bad(lambda m: m.linalg.tensorinv(m.ones(2, 3, 5)), ShapeError, "6 and 5 elements"),
               Bad(lambda m: m.linalg.tensorinv(m.ones(2, 2), 0), ShapeError, "ind=0"),
           )),
    OpCase("tensorsolve", lambda m, a, b: m.linalg.tensorsolve(a, b), np.linalg.tensorsolve,
           (((2, 3, 6), (2, 3)), ((2, 3, 3, 2), (2, 3))),
           (lambda rng, s: separated(rng, (6, 6)).reshape(s), real),
           bad=(equation("tensorsolve", (2, 3, 5), (2, 3), message="must have the shape of B"),)),
    OpCase("tensorsolve dims", lambda m, a, b: m.linalg.tensorsolve(a, b, (0,)),
           lambda a, b: np.linalg.tensorsolve(a, b, (0,)), (((6, 2, 3), (2, 3)),),
           (lambda rng, s: separated(rng, (6, 6)).reshape(s), real)),
    # triangles
    OpCase("solve_triangular", lambda m, a, b: m.linalg.solve_triangular(a, b, upper=False),
           lambda a, b: np.linalg.solve(low(a), b), EQUATIONS, (triangular, real),
           bad=(
               equation("solve_triangular", (2, 2), (2,), upper=True, message="needs B"),
               equation("solve_triangular", (2, 3), (3, 1), upper=True, message="square"),
               equation("solve_triangular", (2, 2), (3, 1), upper=True, message="needs B"),
               Bad(lambda m: m.linalg.solve_triangular(*mixed(m), upper=True), DtypeError,
                   "float64 and float32", torch=False),  # it does not look
           )),
    OpCase("solve_triangular upper", lambda m, a, b: m.linalg.solve_triangular(a, b, upper=True),
           lambda a, b: np.linalg.solve(np.triu(a), b), EQUATIONS[:3], (triangular, real)),
    OpCase("solve_triangular unit",
           lambda m, a, b: m.linalg.solve_triangular(a, b, upper=False, unitriangular=True),
           lambda a, b: np.linalg.solve(low(a, unit=True), b), EQUATIONS[:3], (triangular, real)),
    OpCase("solve_triangular right",
           lambda m, a, b: m.linalg.solve_triangular(a, b, upper=True, left=False),
           lambda a, b: b @ np.linalg.inv(np.triu(a)), (((3, 3), (2, 3)), ((4, 3, 3), (2, 3))),
           (triangular, real)),
    OpCase("solve_triangular large",
           lambda m, a, b: m.linalg.solve_triangular(a, b, upper=False).sum(0),
           lambda a, b: np.linalg.solve(low(a), b).sum(0), (((130, 130), (130, 1)),),
           (lambda rng, s: triangular(rng, s) / 10 + 3 * np.eye(130), real)),
    OpCase("cholesky linalg", lambda m, a: m.linalg.cholesky(a + a.mT),
           lambda x: np.linalg.cholesky(x + x.mT), SQUARE, (definite,),
           bad=(
               *refused("cholesky"),
               numerical("cholesky", -np.eye(2), message="its leading 1 by 1 part is not"),
               numerical("cholesky", np.array([[1.0, 2], [2, 1]]), message="leading 2 by 2 part"),
               numerical("cholesky", [np.eye(3), np.diag([1.0, 1, -1])],
                         message="matrix 1 of the batch: .* leading 3 by 3"),
               numerical("cholesky", np.array([[1.0, 0], [np.nan, 1]]), message="leading 2 by 2"),
               numerical("cholesky", [np.eye(1), [[np.nan]]], message="matrix 1 .* 1 by 1"),
           )),
    OpCase("cholesky", lambda m, a: m.cholesky(a + a.mT, upper=True),
           lambda x: np.linalg.cholesky(x + x.mT).mT, (((3, 3),), ((4, 2, 2),)), (definite,),
           torch=lambda t, a: t.linalg.cholesky(a + a.mT, upper=True)),  # the old name warns
    OpCase("cholesky_solve", lambda m, b, a: m.cholesky_solve(b, a), 
           lambda b, a: np.linalg.solve(low(a) @ low(a).mT, b),
           (((3, 2), (3, 3)), ((4, 3, 2), (4, 3, 3))), (real, triangular),
           torch=lambda t, b, a: t.cholesky_solve(b, a.tril()),
           bad=(Bad(lambda m: m.cholesky_solve(*tensors(m, (3, 1), (2, 2))), ShapeError,
                    "needs B"),)),
    OpCase("cholesky_solve upper", lambda m, b, a: m.cholesky_solve(b, a, True),
           lambda b, a: np.linalg.solve(np.triu(a).mT @ np.triu(a), b), (((3, 2), (3, 3)),),
           (real, triangular), torch=lambda t, b, a: t.cholesky_solve(b, a.triu(), True)),
    OpCase("cholesky_inverse", lambda m, a: m.cholesky_inverse(a),
           lambda a: np.linalg.inv(low(a) @ low(a).mT), (((3, 3),), ((0, 0),)), (triangular,),
           torch=lambda t, a: t.cholesky_inverse(a.tril())),
    # factors
    OpCase("qr linalg", lambda m, a: m.linalg.qr(a), np.linalg.qr, ANY, (separated,),
           bad=(
               *refused("qr", square=False),
               Bad(lambda m: m.linalg.qr(m.ones(2, 2), "x"), ShapeError, "mode must be 'reduced'"),
           )),
    OpCase("qr", lambda m, a: m.qr(a), np.linalg.qr, (((3, 2),),), (separated,),
           torch=lambda t, a: t.linalg.qr(a)),  # the old name warns
    OpCase("qr Q", lambda m, a: m.linalg.qr(a).Q, lambda a: np.linalg.qr(a).Q, ANY, (separated,)),
    OpCase("qr R", lambda m, a: m.linalg.qr(a).R, lambda a: np.linalg.qr(a).R, ANY, (separated,)),
    OpCase("qr r", lambda m, a: m.linalg.qr(a, "r").R, lambda a: np.linalg.qr(a, "r"), ANY[:3],
           (separated,), torch=lambda t, a: t.linalg.qr(a).R),
    OpCase("qr complete", lambda m, a: m.linalg.qr(a, mode="complete"),
           lambda a: np.linalg.qr(a, "complete"), (((2, 3),), ((3, 3),), ((4, 2, 3),)),
           (separated,)),
    OpCase("eigh", eigh, lambda a: eigh(np, a), SQUARE, (symmetric,),
           bad=(
               *refused("eigh")[1:],
               Bad(lambda m: m.linalg.eigh(m.ones(2, 2), "x"), ShapeError, "UPLO must be 'L' or"),
           )),
    OpCase("eigh vectors", lambda m, a: eigh(m, a)[1], lambda a: eigh(np, a)[1], (((3, 3),),),
           (symmetric,)),
    OpCase("eigh values", lambda m, a: m.linalg.eigh(a + a.mT).eigenvalues,
           lambda a: np.linalg.eigvalsh(a + a.mT), (((3, 3),),), (symmetric,)),
    OpCase("eigh upper", lambda m, a: eigh(m, a, "U"), lambda a: eigh(np, a, "U"), (((3, 3),),),
           (symmetric,)),
    OpCase("eigvalsh", lambda m, a: m.linalg.eigvalsh(a + a.mT),
           lambda a: np.linalg.eigvalsh(a + a.mT), SQUARE, (symmetric,)),
    OpCase("eigvalsh upper", lambda m, a: m.linalg.eigvalsh(a + a.mT, UPLO="u"),
           lambda a: np.linalg.eigvalsh(a + a.mT), (((3, 3),),), (symmetric,)),
    OpCase("svd linalg", svd, lambda a: svd(np, a), ANY, (separated,),
           bad=(
               *refused("svd", square=False),
               numerical("svd", np.full((2, 2), np.nan), message="nan or an infinity"),
               Bad(lambda m: m.linalg.svd(m.ones(2, 2), driver="gesvd"), ShapeError, "for GPUs"),
           )),
    OpCase("svd full", lambda m, a: svd(m, a, full=True), lambda a: svd(np, a), ANY, (separated,)),
    OpCase("svd U", lambda m, a: svd(m, a)[0], lambda a: svd(np, a)[0], ANY[:3], (separated,)),
    OpCase("svd V", lambda m, a: svd(m, a)[2], lambda a: svd(np, a)[2], ANY[:3], (separated,)),
    OpCase("svd S", lambda m, a: m.linalg.svd(a).S, lambda a: svd(np, a)[1], ANY[:3],
           (separated,)),
    OpCase("svd", rebuilt, None, (((3, 2),), ((2, 3),), ((4, 3, 3),)), (separated,)),
    OpCase("svd values only", lambda m, a: m.svd(a, compute_uv=False), None, (((3, 2),),),
           (separated,)),
    OpCase("svdvals", lambda m, a: m.linalg.svdvals(a), lambda a: svd(np, a)[1], ANY, (separated,)),
    OpCase("matrix_rank", lambda m, a: m.linalg.matrix_rank(a), np.linalg.matrix_rank,
           (((3, 2),), ((4, 3, 3),)), (separated,), smooth=False,
           bad=refused("matrix_rank", square=False)),
    OpCase("matrix_rank tolerance",
           lambda m, a: m.linalg.matrix_rank(a + a.mT, atol=3.0, hermitian=True),
           lambda a: (np.abs(np.linalg.eigvalsh(a + a.mT)) > 3).sum(-1), (((4, 3, 3),),),
           (symmetric,), smooth=False),
    OpCase("matrix_rank relative", lambda m, a: m.linalg.matrix_rank(a, rtol=0.5, atol=0.1),
           None, (((4, 3, 3),), ((0, 3),)), (separated,), smooth=False),
    # least squares
    OpCase("pinv", lambda m, a: m.linalg.pinv(a), np.linalg.pinv, ANY, (separated,),
           bad=refused("pinv", square=False)),
    OpCase("pinv of low rank", lambda m, a: m.linalg.pinv(a @ a.mT, rtol=1e-5), None,
           (((3, 2),), ((4, 3, 1),)), (separated,)),
    OpCase("pinv atol", lambda m, a: m.linalg.pinv(a, atol=1e-3), np.linalg.pinv, (((3, 2),),),
           (separated,)),
    OpCase("pinv hermitian", lambda m, a: m.linalg.pinv(a + a.mT, hermitian=True),
           lambda a: np.linalg.inv(a + a.mT), (((3, 3),), ((4, 2, 2),)), (symmetric,)),
    OpCase("pinverse", lambda m, a: m.pinverse(a), np.linalg.pinv, (((3, 2),),), (separated,)),
    OpCase("lstsq", lambda m, a, b: m.linalg.lstsq(a, b).solution,
           lambda a, b: np.linalg.pinv(a) @ b,
           (((4, 2), (4, 3)), ((2, 4), (2, 1)), ((3, 3), (3, 2)), ((5, 4, 2), (5, 4, 1)),
            ((1, 4, 2), (5, 4, 1))), (separated, real),
           bad=(
               equation("lstsq", (4, 2), (3, 1), message=r"needs B \(…, 4, k\)"),
               equation("lstsq", (4, 2), (), message="needs B"),
               equation("lstsq", (4, 2), (4, 1), driver="x", message="driver must be"),
               Bad(lambda m: m.linalg.lstsq(*mixed(m)), DtypeError, "float64 and float32"),
               numerical("lstsq", np.ones((4, 2)), np.ones((4, 1)), driver="gels",
                         message="full rank"),
           )),
    OpCase("lstsq vector", lambda m, a, b: m.linalg.lstsq(a, b).solution, None,
           (((4, 2), (4,)), ((5, 4, 2), (5, 4))), (separated, real)),
    OpCase("lstsq everything", lambda m, a, b: m.linalg.lstsq(a, b, driver="gelsd")[:2], None,
           (((4, 2), (4, 3)), ((2, 4), (2, 1)), ((3, 3), (3, 2)), ((5, 4, 2), (5, 4, 1)),
            ((4, 2), (4,))), (separated, real)),
    OpCase("lstsq gels", lambda m, a, b: m.linalg.lstsq(a, b, driver="gels"), None,
           (((4, 2), (4, 3)),), (separated, real)),
    # functions
    OpCase("matrix_power", lambda m, a: m.matrix_power(a, 3), lambda a: a @ a @ a, SQUARE,
           bad=(
               Bad(lambda m: m.matrix_power(m.ones(2, 3), 2), ShapeError, r"got \(2, 3\)"),
               Bad(lambda m: m.matrix_power(m.ones(2), 2), ShapeError, r"got \(2,\)"),
               Bad(lambda m: m.matrix_power(m.ones(2, 2), 0.5), TypeError, "n is an integer"),
           )),
    *[OpCase(f"matrix_power {n}", lambda m, a, n=n: m.linalg.matrix_power(a, n),
             lambda a, n=n: np.linalg.matrix_power(a, n), SQUARE[:4], (orthogonal,))
      for n in (-2, -1, 0, 1, 2, 4, 5)],
    OpCase("matrix_exp", lambda m, a: m.matrix_exp(a), None, SQUARE,
           differs={"float16": "torch's is wrong; refused here"}),
    OpCase("matrix_exp linalg", lambda m, a: m.linalg.matrix_exp(a), None, (((2, 2),),),
           (lambda rng, s: rng.normal(size=s) * 20,),
           bad=refused("matrix_exp"), differs={"float16": "torch's is wrong; refused here"}),
    OpCase("matrix_exp of various sizes", lambda m, a, b: m.linalg.matrix_exp(a * b), None,
           (((4, 2, 2), (4, 1, 1)),),
           (real, lambda rng, s: np.array([0.0, 1, 6, 12]).reshape(s) + rng.normal(size=s) * 1e-3),
           differs={"float16": "torch's is wrong; refused here"}),
]  # fmt: skip
