"""Linear algebra beyond the table: singular matrices, what is not read, memory, errors, names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.autograd import jvp, value_and_grad
from mytorch.errors import DtypeError, EmptyError, LinAlgError
from mytorch.tensor import Tensor
from tests.test_operations import check_gradient

linalg = mytorch.linalg
RANK_1 = np.array([[1.0, 2], [2, 4]])
RANK_2 = np.array([[1.0, 2, 3], [4, 5, 6], [5, 7, 9]])


def gradient(function: Callable[..., Any], *arrays: Any, create_graph: bool = False) -> Any:
    """Return the gradient of the sum of ``function`` at the first of ``arrays``."""
    tensors = [Tensor(np.array(x, float), requires_grad=True) for x in arrays]
    outputs = [function(*tensors)]
    seeds = [Tensor(np.ones(outputs[0].shape))]
    found = mytorch.autograd.gradients(outputs, tensors, seeds, create_graph=create_graph)
    return found[0].data


def cofactors(x: np.ndarray) -> np.ndarray:
    """The cofactors by their definition: signed determinants of minors."""
    n = len(x)
    keep = [[j for j in range(n) if j != i] for i in range(n)]
    return np.array([
        [(-1) ** (i + j) * np.linalg.det(x[np.ix_(keep[i], keep[j])]) for j in range(n)]
        for i in range(n)
    ])  # fmt: skip


# ------------------------------------------------------------------------------- determinants


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    "x", [RANK_1, RANK_2, np.zeros((2, 2)), np.zeros((3, 3)), np.diag([1.0, 0, 0]), [[0.0]]]
)
def test_the_gradient_of_det_is_the_cofactors_of_singular_matrices_too(
    x: Any, create_graph: bool
) -> None:
    found = gradient(linalg.det, x, create_graph=create_graph)
    np.testing.assert_allclose(found, cofactors(np.array(x)), atol=1e-13)


def test_regular_and_singular_matrices_of_a_batch_do_not_disturb_each_other() -> None:
    regular = np.array([[1.0, 2], [3, 4]])
    found = gradient(linalg.det, [regular, RANK_1, regular])
    np.testing.assert_allclose(found, [cofactors(x) for x in (regular, RANK_1, regular)])
    check_gradient(linalg.det, [np.array([regular, 2 * regular])], np.random.default_rng(0))


def test_det_of_a_singular_matrix_has_a_second_derivative_and_a_tangent() -> None:
    def along(direction: np.ndarray) -> float:  # det(X + t D) is quadratic for 2 by 2
        return 2 * np.linalg.det(direction)

    for direction in np.random.default_rng(1).normal(size=(3, 2, 2)):
        scalar = lambda t, d=direction: linalg.det(t * Tensor(d) + Tensor(RANK_1))  # noqa: E731
        _, slope = value_and_grad(scalar)(np.array(0.0))
        assert slope == pytest.approx((cofactors(RANK_1) * direction).sum())
        assert jvp(scalar, (0.0,), (1.0,))[1] == pytest.approx(slope)
        _, bend = value_and_grad(lambda t, s=scalar: jvp(s, (t,), (Tensor(1.0),))[1])(np.array(0.0))
        assert bend == pytest.approx(along(direction))


def test_slogdet_of_a_singular_matrix_is_minus_infinity_and_so_its_gradient() -> None:
    sign, logabsdet = linalg.slogdet(Tensor([RANK_1, np.eye(2)]))
    assert sign.tolist() == [0, 1] and logabsdet.tolist() == [-np.inf, 0]
    found = gradient(lambda x: linalg.slogdet(x).logabsdet, [RANK_1, np.eye(2)])
    assert np.isinf(found[0]).all() and (found[1] == np.eye(2)).all()


def test_logdet_is_nan_where_the_determinant_is_negative_with_gradient_zero() -> None:
    x = np.array([[[1.0, 2], [3, 4]], [[2, 0], [0, 4]]])
    np.testing.assert_allclose(mytorch.logdet(Tensor(x)).data, [np.nan, np.log(8)])
    found = gradient(mytorch.logdet, x)
    np.testing.assert_allclose(found, [np.zeros((2, 2)), [[0.5, 0], [0, 0.25]]])


def test_nothing_warns_where_numbers_overflow_or_are_nan() -> None:
    for x in (np.full((2, 2), np.nan), np.eye(2) * 1e200, np.array([[np.inf, 1], [1, 1]])):
        for function in (linalg.det, linalg.inv, lambda t: linalg.slogdet(t)[1], linalg.norm,
                         linalg.matrix_exp, lambda t: linalg.eigh(t)[0],
                         lambda t: linalg.solve(t, t), lambda t: linalg.qr(t)[1]):  # fmt: skip
            gradient(function, x)


# --------------------------------------------------------------------------------- equations


def test_the_other_triangle_and_a_unit_diagonal_are_not_read() -> None:
    a = np.array([[2.0, np.nan], [3.0, 4.0]])
    b = np.array([[2.0], [7.0]])
    assert linalg.solve_triangular(Tensor(a), Tensor(b), upper=False).tolist() == [[1], [1]]
    a[0, 0] = a[1, 1] = np.nan
    unit = linalg.solve_triangular(Tensor(a), Tensor(b), upper=False, unitriangular=True)
    assert unit.tolist() == [[2], [1]]
    found = gradient(
        lambda a: linalg.solve_triangular(a, Tensor(b), upper=False, unitriangular=True), a
    )
    assert found.tolist() == [[0, 0], [-2, 0]]
    lower = np.array([[4.0, np.nan], [2.0, 5.0]])
    assert linalg.cholesky(Tensor(lower)).tolist() == [[2, 0], [1, 2]]
    assert linalg.cholesky(Tensor(lower.T), upper=True).tolist() == [[2, 1], [0, 2]]
    w, v = linalg.eigh(Tensor([[1.0, np.nan], [0.0, 2.0]]))
    assert w.tolist() == [1, 2]
    assert linalg.eigvalsh(Tensor([[1.0, 0.0], [np.nan, 2.0]]), "U").tolist() == [1, 2]


def test_a_zero_on_the_diagonal_of_a_triangle_gives_infinity_as_torch() -> None:
    a, b = Tensor([[1.0, 1.0], [0.0, 0.0]]), Tensor([[1.0], [2.0]])
    assert linalg.solve_triangular(a, b, upper=True).tolist() == [[-np.inf], [np.inf]]
    batch = Tensor([np.eye(2), a.data])
    found = linalg.solve_triangular(batch, b, upper=True)
    assert found.tolist() == [[[1], [2]], [[-np.inf], [np.inf]]]


@pytest.mark.parametrize("n", [1, 63, 64, 65, 200])
@pytest.mark.parametrize("upper", [True, False])
def test_large_triangles_are_solved_block_by_block(n: int, upper: bool) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(2, n, n)) / n + 2 * np.eye(n), rng.normal(size=(n, 3))
    found = linalg.solve_triangular(Tensor(a), Tensor(b), upper=upper)
    triangle = np.triu(a) if upper else np.tril(a)
    np.testing.assert_allclose(triangle @ found.data, np.broadcast_to(b, (2, n, 3)), atol=1e-12)


def test_errors_are_those_of_both_libraries() -> None:
    assert linalg.LinAlgError is LinAlgError
    for error in (np.linalg.LinAlgError, RuntimeError, ValueError):
        with pytest.raises(error, match=r"inv: matrix \(1, 0\) of the batch: the matrix is"):
            linalg.inv(Tensor(np.array([[np.eye(2)], [RANK_1]])))
    with pytest.raises(LinAlgError, match="matrix 2 of the batch: the matrix is not positive"):
        linalg.cholesky(Tensor([np.eye(2), np.eye(2), [[1.0, 2], [2, 1]]]))
    with pytest.raises(LinAlgError, match=r"^linalg\.svdvals: the algorithm did not converge"):
        linalg.svdvals(Tensor([[np.inf, 1.0]]))


def test_there_are_no_complex_eigenvalues_and_the_error_says_what_there_is() -> None:
    with pytest.raises(AttributeError, match=r"complex .* of a symmetric one: linalg\.eigh"):
        linalg.eig(Tensor(np.eye(2)))
    with pytest.raises(AttributeError, match=r"linalg\.eigvalsh"):
        linalg.eigvals(Tensor(np.eye(2)))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        linalg.nonsense  # noqa: B018
    assert not hasattr(linalg, "eig")


# ------------------------------------------------------------------------------------- factors


def test_results_have_torchs_names() -> None:
    x = Tensor(np.array([[2.0, 1], [1, 3]]))
    assert linalg.eigh(x)._fields == ("eigenvalues", "eigenvectors")
    assert linalg.svd(x)._fields == ("U", "S", "Vh") and mytorch.svd(x)._fields == ("U", "S", "V")
    assert linalg.qr(x)._fields == x.qr()._fields == ("Q", "R")
    assert linalg.slogdet(x)._fields == x.slogdet()._fields == ("sign", "logabsdet")
    fields = ("solution", "residuals", "rank", "singular_values")
    assert linalg.lstsq(x, x)._fields == fields


def test_the_values_alone_have_gradients_where_they_are_equal() -> None:
    for values in (linalg.eigvalsh, lambda x: linalg.eigh(x).eigenvalues, linalg.svdvals,
                   lambda x: linalg.svd(x).S):  # fmt: skip
        np.testing.assert_allclose(gradient(values, np.eye(3)), np.eye(3), atol=1e-15)


def test_vectors_of_equal_values_have_no_finite_gradient_as_in_torch() -> None:
    assert not np.isfinite(gradient(lambda x: linalg.eigh(x)[1][0], np.eye(2))).all()
    assert not np.isfinite(gradient(lambda x: linalg.svd(x)[0][0], np.eye(2))).all()


def test_a_complete_qr_of_a_tall_matrix_has_no_derivative_and_says_so() -> None:
    x = Tensor(np.ones((3, 2)) + np.eye(3, 2), requires_grad=True)
    q, r = linalg.qr(x, mode="complete")
    assert q.shape == (3, 3) and r.shape == (3, 2)
    np.testing.assert_allclose(q.data @ r.data, x.data)
    with pytest.raises(RuntimeError, match="use mode='reduced'"):
        r.sum().backward()
    with pytest.raises(RuntimeError, match="use mode='reduced'"):
        jvp(lambda t: linalg.qr(t, "complete")[1], (x.detach(),), (x.detach(),))
    assert linalg.qr(x, mode="r").Q.shape == (0,)


def test_what_full_matrices_adds_is_a_basis_of_the_rest_without_gradient() -> None:
    x = np.random.default_rng(2).normal(size=(4, 2))
    u, s, vh = linalg.svd(Tensor(x))
    np.testing.assert_allclose((u.data[:, :2] * s.data) @ vh.data, x)
    np.testing.assert_allclose(u.data.T @ u.data, np.eye(4), atol=1e-15)
    assert not gradient(lambda x: linalg.svd(x).U[:, 2:], x).any()


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3)])
def test_factors_multiply_to_the_matrix_and_so_do_their_gradients(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=shape)

    def by_svd(t: Any) -> Any:
        u, s, vh = linalg.svd(t, full_matrices=False)
        return (u * s) @ vh

    def by_qr(t: Any) -> Any:
        q, r = linalg.qr(t)
        return q @ r

    for rebuilt in (by_svd, by_qr):
        np.testing.assert_allclose(rebuilt(Tensor(x)).data, x)
        np.testing.assert_allclose(gradient(rebuilt, x), np.ones(shape), atol=1e-12)
        check_gradient(rebuilt, [x], rng)


def test_matrix_rank_counts_and_converts_its_tolerances() -> None:
    x = Tensor([np.diag([3.0, 2.0, 1e-20]), np.eye(3)])
    assert linalg.matrix_rank(x).tolist() == [2, 3]
    assert linalg.matrix_rank(x, rtol=Tensor([0.7, 0.1])).tolist() == [1, 3]
    assert linalg.matrix_rank(x, atol=Tensor(2.5)).tolist() == [1, 0]
    assert np.linalg.matrix_rank(x).tolist() == [2, 3]
    assert np.linalg.matrix_rank(Tensor(np.zeros(3))).item() == 0


# ------------------------------------------------------------------------------- least squares


def test_lstsq_of_low_rank_returns_the_shortest_solution() -> None:
    a, b = Tensor(np.ones((4, 2))), Tensor([[1.0], [2], [3], [4]])
    found = linalg.lstsq(a, b, driver="gelsd")
    np.testing.assert_allclose(found.solution.data, [[1.25], [1.25]])
    assert found.rank.item() == 1 and found.residuals.shape == (0,)
    np.testing.assert_allclose(found.singular_values.data, [8**0.5, 0], atol=1e-15)
    strict = linalg.lstsq(Tensor(np.diag([1.0, 1e-3])), Tensor([1.0, 1.0]), rcond=0.1)
    assert strict.solution.tolist() == [1, 0] and strict.rank.item() == 1


def test_lstsq_is_exact_where_the_inverse_of_the_square_would_not_be() -> None:
    rng = np.random.default_rng(4)
    u, v = np.linalg.qr(rng.normal(size=(20, 3)))[0], np.linalg.qr(rng.normal(size=(3, 3)))[0]
    a, x = (u * [1, 1e-4, 1e-9]) @ v, np.ones((3, 1))
    found = linalg.lstsq(Tensor(a), Tensor(a @ x)).solution
    np.testing.assert_allclose(found.data, x, rtol=1e-5)


def test_lstsq_returns_what_the_driver_does() -> None:
    a, b = Tensor(np.eye(4, 2)), Tensor([[1.0], [2], [3], [4]])
    shapes = {
        None: [(2, 1), (0,), (), (0,)],
        "gelsy": [(2, 1), (0,), (), (0,)],
        "gelsd": [(2, 1), (1,), (), (2,)],
        "gelss": [(2, 1), (1,), (), (2,)],
        "gels": [(2, 1), (1,), (0,), (0,)],
    }
    for driver, wanted in shapes.items():
        found = linalg.lstsq(a, b, driver=driver)
        assert [part.shape for part in found] == wanted and found.rank.dtype == np.int64
    assert linalg.lstsq(a, b, driver="gelsd").residuals.tolist() == [25]


# ------------------------------------------------------------------------- norms and distances


def test_norms_of_nothing_are_zero_constants_or_refused() -> None:
    for shape, orders in {(3, 0): (1, np.inf, 2), (0, 3): (np.inf, 2, 1), (0, 0): (1, 2)}.items():
        for order in orders:
            found = linalg.matrix_norm(Tensor(np.ones(shape), requires_grad=True), order)
            assert found.item() == 0
    assert linalg.matrix_norm(Tensor(np.ones((2, 0, 3))), 2, keepdim=True).shape == (2, 1, 1)
    assert linalg.cond(Tensor(np.ones((4, 0, 3)))).tolist() == [0] * 4
    with pytest.raises(EmptyError, match="-inf norm"):
        linalg.matrix_norm(Tensor(np.ones((0, 3))), -np.inf)


def test_the_condition_of_a_singular_matrix_is_infinite() -> None:
    found = linalg.cond(Tensor([RANK_1, np.eye(2)]), 1)
    assert found.tolist() == [np.inf, 1]
    assert linalg.cond(Tensor(np.zeros((2, 2))), "fro").item() == np.inf
    np.testing.assert_allclose(
        gradient(lambda x: linalg.cond(x, 1), [RANK_1, np.diag([1.0, 2])]),
        [np.zeros((2, 2)), gradient(lambda x: linalg.cond(x, 1), np.diag([1.0, 2]))],
    )


def test_norms_in_half_precision_are_summed_in_more() -> None:
    half = Tensor(np.full(4, 300, np.float16))
    assert linalg.vector_norm(half).item() == 600 and linalg.vector_norm(half).dtype == np.float16
    assert linalg.vector_norm(half, dtype=np.float64).dtype == np.float64
    with pytest.raises(DtypeError, match="hold all float16"):
        linalg.vector_norm(half, dtype=np.int64)


def test_coincident_points_have_distance_and_gradient_zero() -> None:
    x = np.random.default_rng(5).normal(size=(4, 3))
    for p in (0, 0.5, 1, 1.5, 2, 3, np.inf):
        d = mytorch.cdist(Tensor(x), Tensor(x), p)
        assert not np.diagonal(d.data).any()
        assert np.isfinite(gradient(lambda x, p=p: mytorch.cdist(x, x, p), x)).all()
        assert not gradient(lambda x, p=p: mytorch.pdist(x, p), np.ones((3, 2))).any()


# --------------------------------------------------------------------------- powers, exponentials


def test_matrix_exp_of_matrices_whose_exponential_is_known() -> None:
    t = 10.0
    turn = linalg.matrix_exp(Tensor([[0.0, -t], [t, 0.0]]))
    np.testing.assert_allclose(turn.data, [[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    nilpotent = linalg.matrix_exp(Tensor([[0.0, 3, 0], [0, 0, 2], [0, 0, 0]]))
    np.testing.assert_allclose(nilpotent.data, [[1, 3, 3], [0, 1, 2], [0, 0, 1]], atol=1e-15)
    sizes = np.array([-700.0, 1e-8, 1.0, 300.0])
    batch = linalg.matrix_exp(Tensor(sizes[:, None, None] * np.eye(2)))
    np.testing.assert_allclose(batch.data[:, 0, 0], np.exp(sizes), rtol=1e-12)
    assert np.isnan(linalg.matrix_exp(Tensor([[np.nan]])).data).all()
    single = linalg.matrix_exp(Tensor(np.full((2, 2), 3, np.float32)))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single.data, (np.exp(6) + np.array([[1, -1], [-1, 1]])) / 2, 1e-5)


def test_the_gradient_of_matrix_exp_is_that_of_the_block_matrix() -> None:
    rng = np.random.default_rng(6)
    for scale in (0.01, 1.0, 30.0):
        a, g = rng.normal(size=(2, 4, 4))
        a *= scale
        block = np.block([[a.T, g], [np.zeros((4, 4)), a.T]])
        wanted = linalg.matrix_exp(Tensor(block)).data[:4, 4:]
        x = Tensor(a, requires_grad=True)
        linalg.matrix_exp(x).backward(Tensor(g))
        np.testing.assert_allclose(x.grad.data, wanted, rtol=1e-10, atol=1e-12 * abs(wanted).max())


def test_powers_of_integers_stay_integers_and_the_first_is_a_copy() -> None:
    x = Tensor(np.array([[1, 1], [1, 0]]))
    assert mytorch.matrix_power(x, 10).tolist() == [[89, 55], [55, 34]]
    assert linalg.matrix_power(x, 0).dtype == np.int64
    first = linalg.matrix_power(x, 1)
    assert first.tolist() == x.tolist() and not np.shares_memory(first.data, x.data)
    with pytest.raises(DtypeError, match="linalg.inv: expects a floating"):
        linalg.matrix_power(x, -1)


# ------------------------------------------------------------------------- through NumPy


def test_numpys_solve_takes_vectors_only_with_one_axis() -> None:
    a, b = np.stack([np.eye(2), 2 * np.eye(2)]), np.array([[2.0, 4.0], [6.0, 8.0]])
    np.testing.assert_array_equal(np.linalg.solve(Tensor(a), Tensor(b)), np.linalg.solve(a, b))
    assert linalg.solve(Tensor(a), Tensor(b)).tolist() == [[2, 4], [3, 4]]  # torch: two vectors


def test_numpys_lstsq_and_svd_return_what_numpys_do() -> None:
    a, b = np.random.default_rng(7).normal(size=(4, 2)), np.arange(4.0)
    for one, other in zip(np.linalg.lstsq(Tensor(a), b), np.linalg.lstsq(a, b), strict=True):
        np.testing.assert_allclose(np.asarray(one), other)
    values = np.linalg.svd(Tensor(a), compute_uv=False)
    np.testing.assert_allclose(values.data, np.linalg.svd(a, compute_uv=False))
    u, s, vh = np.linalg.svd(Tensor(a))
    np.testing.assert_allclose((u.data[:, :2] * s.data) @ vh.data, a)


def test_a_nan_is_not_taken_for_a_singular_matrix() -> None:
    for place in ((0, 0), (0, 1), (1, 0), (1, 1)):
        a = np.stack([np.ones((2, 2)), 2 * np.eye(2)])
        a[0][place] = np.nan
        for dtype in (np.float32, np.float64):
            x = Tensor(a.astype(dtype))
            np.testing.assert_array_equal(linalg.det(x).data, np.array([np.nan, 4], dtype))
            assert linalg.det(x).dtype == dtype and np.isnan(x.logdet().data).tolist() == [1, 0]
            assert np.isnan(linalg.slogdet(x)[1].data).tolist() == [True, False]
    with pytest.raises(LinAlgError, match="inv: the matrix has no inverse: it has a nan"):
        linalg.inv(Tensor([[np.nan, 1.0], [1.0, 1.0]]))
