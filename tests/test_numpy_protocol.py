"""Plain NumPy code on Tensors: values, gradients, what is refused, and that nothing is lost."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.autograd import hessian, jvp
from mytorch.errors import DtypeError, ShapeError
from mytorch.numpy_protocol import CONSTANTS, CONVERSIONS, FUNCTIONS, METHODS, QUESTIONS, UFUNCS
from mytorch.ops.common import as_operand
from mytorch.ops.registry import NUMPY
from mytorch.tensor import Tensor
from tests.op_rows import CASES
from tests.op_rows.matrices import definite, separated
from tests.op_table import between, distinct, nonzero, positive, real, unit
from tests.test_operations import check_gradient

MASK = np.array([[True, False, True], [False, True, False]])
M, V, S = (2, 3), (3,), ()
Call = Callable[..., Any]


def separated_first(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A matrix of full rank, or any vector; for equations."""
    return separated(rng, shape) if len(shape) > 1 else real(rng, shape)


# NumPy code, the shapes of its arguments, and their domain; it gets arrays or Tensors.
CODE: list[tuple[Any, Call, tuple[Any, ...], Any]] = [
    (np.add, np.add, (M, V), real),
    (np.subtract, np.subtract, (M, S), real),
    (np.multiply, np.multiply, (M, (2, 1)), real),
    (np.divide, np.divide, (M, M), nonzero),
    (np.power, np.power, (M, M), positive),
    (np.power, lambda x: np.power(x, 3), (M,), real),
    (np.power, lambda x: np.power(2.0, x), (M,), real),
    (np.matmul, np.matmul, (M, V), real),
    (np.matmul, np.matmul, ((4, 2, 3), (3, 2)), real),
    (np.negative, np.negative, (M,), real),
    (np.positive, np.positive, (M,), real),
    (np.absolute, np.abs, (M,), nonzero),
    (np.square, np.square, (M,), real),
    (np.reciprocal, np.reciprocal, (M,), nonzero),
    (np.maximum, lambda x: np.maximum(x, 0), (M,), nonzero),
    (np.minimum, np.minimum, (M, V), real),
    *[(f, f, (M,), real) for f in (np.exp, np.exp2, np.expm1, np.sin, np.cos, np.arctan)],
    *[(f, f, (M,), real) for f in (np.sinh, np.cosh, np.tanh)],
    *[(f, f, (M,), positive) for f in (np.log, np.log2, np.log10, np.log1p, np.sqrt)],
    *[(f, f, (M,), unit) for f in (np.tan, np.arcsin, np.arccos)],
    (np.logaddexp, lambda x: np.logaddexp(0, x), (M,), real),
    (np.float_power, np.float_power, (M, M), positive),
    (np.divmod, lambda x, y: np.divmod(x, y)[1] + np.divmod(x, 3)[0], (M, M), positive),
    *[(f, f, (M,), between) for f in (np.around, np.rint, np.fix)],
    (np.round, lambda x: np.round(x, 1) * x, (M,), positive),
    (np.nan_to_num, lambda x: np.nan_to_num(x, nan=2.0) * x, (M,), real),
    (np.arccosh, lambda x: np.arccosh(x + 1), (M,), positive),
    (np.radians, np.radians, (M,), real),
    (np.degrees, np.degrees, (M,), real),
    (np.heaviside, lambda x: np.heaviside([-1.0, 0.0, 1.0], x), (M,), real),
    ((np.add, "reduce"), np.add.reduce, (M,), real),
    ((np.add, "reduce"), lambda x: np.add.reduce(x, axis=None, keepdims=True), (M,), real),
    ((np.maximum, "reduce"), lambda x: np.maximum.reduce(x, 1), (M,), distinct),
    ((np.minimum, "reduce"), np.minimum.reduce, (M,), distinct),
    # reductions
    (np.sum, np.sum, (M,), real),
    (np.sum, lambda x: np.sum(x, axis=(0, 2), keepdims=True), ((2, 3, 4),), real),
    (np.mean, lambda x: np.mean(x, 1), (M,), real),
    (np.max, lambda x: np.max(x, axis=-1, keepdims=True), (M,), distinct),
    (np.amax, np.amax, (M,), distinct),
    (np.min, lambda x: np.min(x, 0), (M,), distinct),
    (np.amin, np.amin, (M,), distinct),
    (np.var, lambda x: np.var(x, axis=0, ddof=1), (M,), real),
    (np.std, lambda x: np.std(x, axis=1, keepdims=True), (M,), real),
    (np.prod, lambda x: np.prod(x, (0, -1), keepdims=True), ((2, 3, 2),), nonzero),
    (np.median, np.median, (M,), distinct),
    (np.median, lambda x: np.median(x, axis=0, keepdims=True), (M,), distinct),
    (np.nansum, lambda x: np.nansum(np.where(MASK, x, np.nan), axis=1), (M,), real),
    (np.nanmean, lambda x: np.nanmean(np.where(MASK, x, np.nan)), (M,), real),
    # along an axis
    (np.cumsum, np.cumsum, (M,), real),
    (np.cumsum, lambda x: np.cumsum(x, axis=0), (M,), real),
    (np.cumprod, np.cumprod, (M,), nonzero),
    (np.cumprod, lambda x: np.cumprod(x, 1), (M,), nonzero),
    (np.diff, lambda x: np.diff(x, n=2, axis=-1), ((3, 4),), real),
    # products
    (np.dot, np.dot, (M, V), real),
    (np.dot, np.dot, (V, V), real),
    (np.dot, np.dot, (S, M), real),
    (np.dot, np.dot, ((2, 4, 3), (5, 3, 2)), real),
    (np.inner, np.inner, (M, (4, 3)), real),
    (np.inner, np.inner, (M, S), real),
    (np.outer, np.outer, (M, V), real),
    (np.tensordot, np.tensordot, ((4, 2, 3), (2, 3, 5)), real),
    (np.tensordot, lambda a, b: np.tensordot(a, b, ([0, -1], [1, 0])), ((2, 4, 3), (3, 2)), real),
    (np.einsum, lambda a, b: np.einsum("ij,kj->ik", a, b, optimize=True), (M, (4, 3)), real),
    (np.einsum, lambda a, b: np.einsum(a, [0, 1], b, [2, 1], [2, 0]), (M, (4, 3)), real),
    (np.vdot, np.vdot, (M, M), real),
    (np.kron, np.kron, (M, V), real),
    (np.cross, lambda a, b: np.cross(a, b, axis=0), ((3, 2), (3, 2)), real),
    (np.cross, lambda a, b: np.cross(a, b, axisa=0, axisc=0), ((3, 2), V), real),
    (np.tensordot, lambda a, b: np.tensordot(a, b, axes=1), (M, (3, 4)), real),
    # linear algebra
    (np.linalg.norm, np.linalg.norm, (M,), real),
    (np.linalg.norm, lambda x: np.linalg.norm(x, 1, axis=1, keepdims=True), (M,), nonzero),
    (np.linalg.norm, lambda x: np.linalg.norm(x, "nuc", (0, 2)), ((2, 4, 3),), real),
    (np.linalg.cond, np.linalg.cond, (M,), separated),
    (np.linalg.inv, np.linalg.inv, ((4, 3, 3),), separated),
    (np.linalg.det, np.linalg.det, ((4, 3, 3),), separated),
    (np.linalg.slogdet, lambda x: np.linalg.slogdet(x)[1], ((4, 3, 3),), separated),
    (np.linalg.solve, np.linalg.solve, ((3, 3), V), separated_first),
    (np.linalg.solve, np.linalg.solve, ((4, 3, 3), (4, 3, 2)), separated_first),
    (np.linalg.tensorinv, lambda x: np.linalg.tensorinv(x, ind=1), ((3, 3),), separated),
    (np.linalg.tensorsolve, lambda a, b: np.linalg.tensorsolve(a, b, (0,)), ((3, 3), V),
     separated_first),
    (np.linalg.cholesky, lambda x: np.linalg.cholesky(x + x.mT), ((4, 3, 3),), definite),
    (np.linalg.qr, lambda x: np.add(*np.linalg.qr(x)), ((3, 3),), separated),
    (np.linalg.qr, lambda x: np.linalg.qr(x, "r"), (M,), separated),
    (np.linalg.eigh, lambda x: np.linalg.eigh(x + x.mT, UPLO="U")[1] ** 2, ((3, 3),), definite),
    (np.linalg.eigvalsh, lambda x: np.linalg.eigvalsh(x + x.mT), ((3, 3),), definite),
    (np.linalg.svd, lambda x: np.linalg.svd(x, compute_uv=False), (M,), separated),
    (np.linalg.svd, lambda x: np.linalg.svd(x, full_matrices=False)[2] ** 2, (M,), separated),
    (np.linalg.pinv, np.linalg.pinv, ((4, 2, 3),), separated),
    (np.linalg.pinv, lambda x: np.linalg.pinv(x + x.mT, 1e-9, hermitian=True), ((3, 3),),
     definite),
    (np.linalg.lstsq, lambda a, b: np.linalg.lstsq(a, b)[0], ((3, 2), V), separated_first),
    (np.linalg.lstsq, lambda a, b: np.linalg.lstsq(a, b)[1], ((3, 2), V), separated_first),
    (np.linalg.matrix_power, lambda x: np.linalg.matrix_power(x, -2), ((3, 3),), separated),
    (np.linalg.multi_dot, lambda a, b: np.linalg.multi_dot([a, b, np.ones(3)]), (M, (3, 3)), real),
    (np.trace, np.trace, ((3, 3),), real),
    # choices
    (np.where, lambda x, y: np.where(MASK, x, y), (M, V), real),
    (np.where, lambda x: np.where(x > 0, x, 0.0), (M,), nonzero),
    (np.where, lambda x: x[np.where(MASK)], (M,), real),
    (np.clip, lambda x: np.clip(x, -0.5, 0.5), (M,), real),
    (np.clip, lambda x, low: np.clip(x, a_min=low, a_max=None), (M, V), real),
    (np.clip, lambda x: np.clip(x, [0.1, 0.2, 0.3], np.float64(2)), (M,), real),
    (np.sort, lambda x: np.sort(x, axis=0), (M,), distinct),
    (np.sort, lambda x: np.sort(x, axis=None, kind="stable"), (M,), distinct),
    (np.tril, np.tril, ((3, 3),), real),
    (np.triu, lambda x: np.triu(x, k=1), ((2, 3, 3),), real),
    # joining and splitting
    (np.concatenate, lambda a, b: np.concatenate([a, b, np.ones(M)]), (M, M), real),
    (np.concatenate, lambda a, b: np.concatenate((a, b), axis=None), (M, V), real),
    (np.stack, lambda a, b: np.stack([a, b, a], axis=-1), (M, M), real),
    (np.vstack, lambda a, b: np.vstack([a, b]), (M, V), real),
    (np.hstack, lambda a, b: np.hstack([a, b]), (M, (2, 1)), real),
    (np.hstack, lambda a, b: np.hstack([a, b]), (V, S), real),
    (np.split, lambda x: np.split(x, [1, 2], axis=1)[1] * np.split(x, 3, -1)[2], (M,), real),
    (np.split, lambda x: np.split(x, 3, axis=1)[2], (M,), real),
    (np.array_split, lambda x: np.array_split(x, 2, axis=1)[0], (M,), real),
    (np.hsplit, lambda x: np.hsplit(x, 3)[1], (M,), real),
    (np.vsplit, lambda x: np.vsplit(x, [1])[0], (M,), real),
    (np.dsplit, lambda x: np.dsplit(x, 2)[1], ((2, 3, 4),), real),
    (np.dstack, lambda a, b: np.dstack([a, b, np.ones(M)]), (M, M), real),
    (np.column_stack, lambda a, b: np.column_stack((a, b)), (V, (3, 2)), real),
    (np.meshgrid, lambda a, b: np.multiply(*np.meshgrid(a, b)), (V, (4,)), real),
    (np.meshgrid, lambda a: np.meshgrid(a, [1.0, 2.0], indexing="ij")[0], (V,), real),
    # shapes
    (np.reshape, lambda x: np.reshape(x, (3, -1), order="C"), (M,), real),
    (np.reshape, lambda x: np.reshape(x, -1), (M,), real),
    (np.ravel, np.ravel, (M,), real),
    (np.broadcast_to, lambda x: np.broadcast_to(x, (4, 2, 3)), (V,), real),
    (np.broadcast_arrays, lambda a, b: np.divide(*np.broadcast_arrays(a, b)), (M, V), nonzero),
    (np.atleast_1d, np.atleast_1d, (S,), real),
    (np.atleast_2d, lambda a, b: np.multiply(*np.atleast_2d(a, b)), (V, S), real),
    (np.atleast_3d, np.atleast_3d, (M,), real),
    (np.squeeze, lambda x: np.squeeze(x, axis=1), ((2, 1, 3, 1),), real),
    (np.expand_dims, lambda x: np.expand_dims(x, (0, -1)), (M,), real),
    (np.transpose, lambda x: np.transpose(x, (-1, 0, 1)), ((2, 3, 4),), real),
    (np.transpose, np.transpose, (S,), real),
    (np.swapaxes, lambda x: np.swapaxes(x, 0, -1), ((2, 3, 4),), real),
    (np.moveaxis, lambda x: np.moveaxis(x, [0, 1], [-1, 0]), ((2, 3, 4),), real),
    # picking and repeating
    (np.flip, lambda x: np.flip(x, axis=1), (M,), real),
    (np.roll, lambda x: np.roll(x, 1, axis=0), (M,), real),
    (np.rot90, np.rot90, (M,), real),
    (np.tile, lambda x: np.tile(x, (2, 1, 2)), (M,), real),
    (np.repeat, lambda x: np.repeat(x, [1, 0, 2], axis=1), (M,), real),
    (np.take, lambda x: np.take(x, Tensor([2, 0, 2]), axis=-1), (M,), real),
    (np.take_along_axis, lambda x: np.take_along_axis(x, np.array([[0], [2]]), 1), (M,), real),
    (np.diagonal, lambda x: np.diagonal(x, offset=1), (M,), real),
    (np.diagonal, lambda x: np.diagonal(x, 1, 2, 0), ((2, 3, 4),), real),
    (np.diag, lambda x: np.diag(x, k=1), (V,), real),
    (np.diag, np.diag, (M,), real),
    (np.diagflat, lambda x: np.diagflat(x, -1), (M,), real),
    (np.flip, np.flip, (M,), real),
    (np.fliplr, np.fliplr, (M,), real),
    (np.flipud, np.flipud, (M,), real),
    (np.roll, lambda x: np.roll(x, (1, -1), axis=(0, 1)), (M,), real),
    (np.roll, lambda x: np.roll(x, 2), (M,), real),
    (np.rot90, lambda x: np.rot90(x, k=-1, axes=(2, 0)), ((2, 3, 4),), real),
    (np.tile, lambda x: np.tile(x, 2), (M,), real),
    (np.repeat, lambda x: np.repeat(x, 2), (M,), real),
    (np.take, lambda x: np.take(x, [[0, -1], [2, 2]]), (M,), real),
    (np.take, lambda x: np.take(x, 1, axis=0), (M,), real),
    (np.take_along_axis, lambda x: np.take_along_axis(x, np.array([5, 0]), axis=None), (M,), real),
    (np.copy, np.copy, (M,), real),
    (np.full_like, lambda x, value: np.full_like(x, value) * x, (M, S), real),
]  # fmt: skip
ROWS = [pytest.param(*row[1:], id=f"{n}-{getattr(row[0], '__name__', row[0])}")
        for n, row in enumerate(CODE)]  # fmt: skip


def of_arrays(code: Call, arrays: list[np.ndarray]) -> np.ndarray:
    """What NumPy makes of the same code; Tensors written in the code become arrays."""
    return np.asarray(code(*arrays))


# ----------------------------------------------------------------------------- the tables' rules


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("code", "shapes", "domain"), ROWS)
def test_numpy_code_gives_numpys_values_and_right_gradients(
    code: Call, shapes: Any, domain: Any
) -> None:
    rng = np.random.default_rng(40)
    arrays = [domain(rng, shape) for shape in shapes]
    result = code(*[Tensor(x, requires_grad=True) for x in arrays])
    expected = of_arrays(code, arrays)
    assert type(result) is Tensor and result.requires_grad and result.grad_fn is not None
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(result.data, expected, rtol=1e-13, atol=1e-14)
    check_gradient(code, arrays, rng)


def test_every_rule_of_the_tables_is_tried() -> None:
    rows = {case.reference for case in CASES}  # tests/test_operations.py calls it on Tensors
    tried = {row[0] for row in CODE} | {*CONSTANTS, *CONVERSIONS, *QUESTIONS}
    tried |= {function for function in NUMPY if function in rows} | {*OF_INTEGERS}
    tried.add(np.linalg.matrix_rank)  # without derivative: in tests/test_linalg.py
    assert tried == {*UFUNCS, *METHODS, *FUNCTIONS}


OF_INTEGERS = (np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.bitwise_not, np.left_shift,
               np.right_shift, np.gcd, np.lcm)  # fmt: skip


@pytest.mark.parametrize("function", OF_INTEGERS)
def test_functions_of_integers_give_numpys_values_as_tensors(function: Any) -> None:
    x = np.array([12, -7, 0, 6])
    others = (np.array([8, 3, 2, 1]),) * (function.nin - 1)
    for arguments in ((Tensor(x), *others), (Tensor(x), *map(Tensor, others))):
        result = function(*arguments)
        assert type(result) is Tensor and result.dtype == np.int64
        np.testing.assert_array_equal(result.data, function(x, *others))


def test_a_network_in_plain_numpy_is_differentiated_to_any_order() -> None:
    def loss(w1: Any, b1: Any, w2: Any) -> Any:
        hidden = np.tanh(np.dot(inputs, w1) + b1)
        logits = np.einsum("nh,hc->nc", hidden, w2)
        shifted = logits - np.max(logits, axis=1, keepdims=True)
        log_total = np.log(np.sum(np.exp(shifted), axis=1))
        picked = np.sum(np.where(labels, shifted, 0.0), axis=1)
        return np.mean(log_total - picked) + 0.01 * np.sum(np.square(w1))

    rng = np.random.default_rng(41)
    inputs, labels = rng.normal(size=(5, 4)), np.eye(3, dtype=bool)[rng.integers(0, 3, 5)]
    weights = [rng.normal(size=(4, 6)), rng.normal(size=6), rng.normal(size=(6, 3))]
    tensors = [Tensor(x) for x in weights]
    assert loss(*tensors).item() == pytest.approx(loss(*weights), rel=1e-13)
    check_gradient(loss, weights, rng)


def test_forward_mode_and_hessians_go_through_numpy_code() -> None:
    x = np.array([0.3, -1.2, 0.7])
    value, tangent = jvp(lambda x: np.sum(np.sin(x) * x), (x,), (np.array([1.0, 2.0, 3.0]),))
    assert np.asarray(value) == pytest.approx(np.sum(np.sin(x) * x))
    slope = np.cos(x) * x + np.sin(x)
    assert np.asarray(tangent) == pytest.approx(slope @ [1.0, 2.0, 3.0])
    wanted = np.diag(2 * np.cos(x) - np.sin(x) * x)
    found = hessian(lambda x: np.sum(np.sin(x) * x))(x)
    np.testing.assert_allclose(np.asarray(found), wanted, atol=1e-14)


def test_std_of_equal_numbers_has_gradient_zero_as_in_torch() -> None:
    x = Tensor([[1.0, 1.0], [1.0, 3.0]], requires_grad=True)
    np.std(x, axis=1).backward()
    np.testing.assert_allclose(x.grad.data, [[0, 0], [-0.5, 0.5]])


def test_the_smallest_integer_needs_no_negative() -> None:
    assert np.min(Tensor(np.array([3, 1], np.uint8))).item() == 1
    assert np.min(Tensor(np.array([[-128, 1]], np.int8)), axis=1).data.tolist() == [-128]


# ------------------------------------------------------------------------------- operators

OPERATORS = [
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.pow),
    *(operator.floordiv, operator.mod),
    *(operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge),
]
LEFT = [np.array([1, 2, 3]), np.array([1.0, 2.0, 3.0], np.float32), np.array(2.5), np.array(2),
        np.array([True, False, True]), np.float64(2.5), np.float32(2.5), np.int64(2),
        np.bool_(True), 2, 2.5]  # fmt: skip


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_arrays_and_scalars_on_the_left_promote_as_tensors_do(op: Any, dtype: Any) -> None:
    right = Tensor(np.array([3, 2, 1], dtype))
    for left in LEFT:
        if op is operator.sub and np.asarray(left).dtype == bool:
            continue  # refused, as torch does: test_operations
        result = op(left, right)
        expected = op(as_operand(right, left), right)
        assert type(result) is Tensor
        assert (result.dtype, result.shape) == (expected.dtype, expected.shape), (left, dtype)
        np.testing.assert_array_equal(result.data, expected.data)


def test_gradients_flow_with_the_array_on_either_side() -> None:
    array, x = np.array([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 10.0], requires_grad=True)
    for code, wanted in (
        (lambda: array * x, [4, 6]),
        (lambda: x * array, [4, 6]),
        (lambda: array @ x, [4, 6]),
        (lambda: array - x, [-2, -2]),
        (lambda: np.float64(2) * x, [2, 2]),
        (lambda: np.float32(2) ** x, np.log(2) * 2 ** np.array([1, 10])),
        (lambda: np.array([2.0, 4.0]) / x, [-2, -0.04]),
    ):
        x.grad = None
        result = code()
        assert type(result) is Tensor
        result.backward()
        np.testing.assert_allclose(x.grad.data, wanted)


def test_shape_errors_are_the_operations_own() -> None:
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(ShapeError, match=r"add: shapes \(2,\) and \(2, 3\) do not broadcast"):
        np.ones(2) + x
    with pytest.raises(ShapeError, match="inner sizes 2 and 3 differ"):
        np.ones((2, 3)) @ np.transpose(x) @ x.T()
    with pytest.raises(ShapeError, match=r"stack: .* tensor 0 has \(2, 3\) and tensor 1 \(3,\)"):
        np.stack([x, np.ones(3)])
    with pytest.raises(ShapeError, match=r"tensordot: the sizes of axes \[1\] of \(2, 3\)"):
        np.tensordot(x, np.ones((2, 3)), 1)
    with pytest.raises(ValueError, match="axis 5 is out of bounds"):
        np.expand_dims(x, 5)
    with pytest.raises(ValueError, match="size not equal to one"):
        np.squeeze(x, 0)
    with pytest.raises(TypeError, match="float64 and float32"):
        np.einsum("ij,ij", x, np.ones((2, 3), np.float32))


def test_operators_between_tensors_never_pass_through_numpys_protocol(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the protocol was called")

    monkeypatch.setattr(Tensor, "__array_ufunc__", refuse)
    monkeypatch.setattr(Tensor, "__array_function__", refuse)
    x = Tensor(np.ones((3, 3)), requires_grad=True)
    y = ((x + x) * x @ x / (x - 3.0) ** 2).sum() + x.max() + mytorch.cat([x, x]).mean()
    y += mytorch.where(x > 0, x, 0.0).softmax(-1).logsumexp() + x[0, 1:].exp().log().tanh().sum()
    y.backward()
    assert x.grad.shape == (3, 3)


# -------------------------------------------------------------- no derivative, no graph to lose


@pytest.mark.parametrize("function", [np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round])
def test_steps_have_torchs_zero_gradient(function: Any) -> None:
    x = Tensor([-1.5, 0.2, 2.7], requires_grad=True)
    step = function(x)
    np.testing.assert_array_equal(step.data, function(x.data))
    (step * x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, step.data)


def test_questions_of_truth_and_place_give_constant_tensors() -> None:
    values = np.array([[1.0, np.nan, -np.inf], [0.0, 3.0, 3.0]])
    x = Tensor(values, requires_grad=True)
    for code in (
        np.isnan, np.isfinite, np.isinf, np.signbit, np.logical_not, np.any, np.argmax,
        np.isposinf, np.isneginf, np.isreal, np.argwhere, np.count_nonzero,
        lambda x: np.argmin(x, axis=1), lambda x: np.argsort(x, -1), lambda x: np.all(x, axis=0),
        lambda x: np.isclose(x, [1.0, 2.0, 3.0]), lambda x: np.logical_and(x, x > 0),
        lambda x: np.logical_or(True, x), lambda x: np.logical_xor(x, x), lambda x: x == values,
        np.zeros_like, lambda x: np.ones_like(x, dtype=np.float32), lambda x: np.nonzero(x)[1],
    ):  # fmt: skip
        result = code(x)
        assert type(result) is Tensor and not result.requires_grad
        expected = np.asarray(code(values))
        assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(result.data, expected)
    assert np.empty_like(x).shape == (2, 3)


def test_shape_dtype_and_memory_are_plain_answers_for_any_tensor() -> None:
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    assert (np.shape(x), np.ndim(x), np.size(x), np.size(x, 1)) == ((2, 3), 2, 6, 3)
    assert (np.iscomplexobj(x), np.isrealobj(x)) == (False, True)
    assert np.shares_memory(x, x[0]) and not np.may_share_memory(x, x.clone())


def test_comparing_printing_and_saving_convert_what_requires_no_grad(tmp_path: Any) -> None:
    values = np.array([1.0, 2.0, 2.0])
    x = Tensor(values)
    assert np.allclose(x, values) is True and np.array_equal(values, x) and np.array_equiv(x, x)
    assert np.array2string(x) == "[1. 2. 2.]" == np.array_str(x)
    assert np.array_repr(x) == "array([1., 2., 2.])"
    assert np.unique(x).tolist() == [1, 2]
    assert np.bincount(Tensor([0, 2])).tolist() == [1, 0, 1]
    assert np.histogram(x, 2)[0].tolist() == [1, 2]
    np.save(tmp_path / "x.npy", x)
    np.savetxt(tmp_path / "x.txt", x)
    assert np.load(tmp_path / "x.npy").tolist() == [1, 2, 2]
    assert np.loadtxt(tmp_path / "x.txt").tolist() == [1, 2, 2]
    assert type(np.asarray(x)) is np.ndarray
    np.testing.assert_allclose(x, values)
    np.testing.assert_array_equal(values, x)
    np.testing.assert_equal(x, values)
    np.testing.assert_almost_equal(x, values)
    assert np.max(np.abs(values - x)) == 0


def test_dtypes_are_the_operations_own() -> None:
    half = Tensor(np.ones(3, np.float32), requires_grad=True)
    for code in (np.exp, np.std, np.var, np.flip, np.min, lambda x: np.clip(x, 0, 0.5),
                 lambda x: np.float64(2) * x, lambda x: np.where(x > 0, x, 0.0),
                 lambda x: np.maximum(0.5, x), lambda x: np.full_like(x, 2.5)):  # fmt: skip
        assert code(half).dtype == np.float32
    assert (np.full_like(Tensor([1, 2]), 2.5)).dtype == np.int64
    assert np.exp(Tensor([1, 2])).dtype == np.float64
    with pytest.raises(DtypeError, match="mean: expects a floating"):
        np.mean(Tensor([1, 2]))


def test_integers_that_require_grad_get_a_floating_gradient_through_einsum() -> None:
    x = Tensor([[1, 2], [3, 4]], requires_grad=True)  # the handout allows Python integers
    np.einsum("ij,jk->", x, x).backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_array_equal(x.grad.data, [[7, 11], [9, 13]])


def test_trace_takes_any_matrix_and_diagonal() -> None:
    x = np.arange(12.0).reshape(3, 4)
    for arguments in ((), (1,), (-1,), (0, 1, 0)):
        tensor = Tensor(x, requires_grad=True)
        result = np.trace(tensor, *arguments)
        assert result.item() == np.trace(x, *arguments)
    np.trace(tensor).backward()
    np.testing.assert_array_equal(tensor.grad.data, np.eye(3, 4))
