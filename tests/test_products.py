"""Products beyond the table: what they hold in memory, in which order, what they do not look at."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.errors import ShapeError
from mytorch.ops import contraction
from mytorch.tensor import Tensor


def test_what_has_factor_zero_is_not_looked_at() -> None:
    nan, one = Tensor(np.full((2, 2), np.nan), requires_grad=True), Tensor(np.ones((2, 2)))
    for result in (mytorch.addmm(nan, one, one, beta=0), mytorch.addr(nan, one[0], one[0], beta=0),
                   mytorch.addmm(one, nan, one, alpha=0)):  # fmt: skip
        assert np.isfinite(result.data).all()
        nan.grad = None
        result.sum().backward()
        assert not nan.grad.data.any()


def peak(function: Callable[[], Any]) -> int:
    """Return the most memory in bytes that NumPy held while ``function`` ran."""
    function()
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_gradient_of_a_repeated_operand_is_never_repeated_in_memory() -> None:
    x = Tensor(np.ones((64, 64)), requires_grad=True)
    rows, columns = Tensor(np.ones((64, 4, 64))), Tensor(np.ones((64, 64, 4)))
    for multiply in (lambda: mytorch.matmul(rows, x), lambda: mytorch.matmul(x, columns)):

        def step(multiply: Callable[[], Any] = multiply) -> None:
            x.grad = None
            multiply().sum().backward()

        assert peak(step) < 64 * 64 * 64 * 8  # one gradient of x for each of the batch


def test_distances_are_computed_a_block_of_differences_at_a_time() -> None:
    x, y = Tensor(np.ones((500, 40)), requires_grad=True), Tensor(np.zeros((300, 40)))

    def step() -> None:
        mytorch.cdist(x, y, 1.0).sum().backward()

    assert peak(step) < 500 * 300 * 40 * 8 / 3
    x.grad = None
    step()
    assert (x.grad.data == 300).all()


def test_multi_dot_multiplies_in_the_cheapest_order() -> None:
    column, row = Tensor(np.ones((1000, 1))), Tensor(np.ones((1, 1000)))
    assert peak(lambda: mytorch.linalg.multi_dot([column, row, column, row, column])) < 100_000
    assert mytorch.linalg.multi_dot([row, column, row, column]).item() == 1e6


def test_einsum_of_many_operands_multiplies_the_cheap_pairs_first() -> None:
    a, b = Tensor(np.ones((300, 2))), Tensor(np.ones((2, 300)))
    found = peak(lambda: mytorch.einsum("ij,jk,kl,lm->im", b, a, b, a))
    assert found < 100_000  # not the 300 by 300 of a @ b


def test_einsum_is_one_product_of_matrices_where_it_can_be(monkeypatch: Any) -> None:
    shapes: list[Any] = []
    contracted = contraction._contracted

    def spy(x: Any, y: Any, terms: Any) -> Any:
        shapes.append((x.shape, y.shape))
        return contracted(x, y, terms)

    monkeypatch.setattr(contraction, "_contracted", spy)
    monkeypatch.setattr(np, "einsum", None)  # neither forward nor backward may need it
    q, k = (Tensor(np.ones((2, 5, 3, 4)), requires_grad=True) for _ in range(2))
    mytorch.einsum("bqhd,bkhd->bhqk", q, k).sum().backward()
    assert len(shapes) == 3 and (q.grad.data == 5).all()


def test_einsum_equations_are_checked_before_any_work() -> None:
    x = Tensor(np.ones((2, 3)))
    with pytest.raises(ShapeError, match="'i' differ"):
        mytorch.einsum("ij,ik->jk", x, Tensor(np.ones((4, 3))))
    with pytest.raises(TypeError, match="einsum: expects a Tensor, got ndarray"):
        mytorch.einsum("ij,jk", x, np.ones((3, 2)))
    with pytest.raises(ShapeError, match=r"1 term\(s\) for 0 tensors"):
        mytorch.einsum("ij")


def test_block_diag_needs_a_tensor() -> None:
    with pytest.raises(TypeError, match="one tensor or more"):
        mytorch.block_diag()


def test_cross_through_numpy_is_for_vectors_in_space() -> None:
    with pytest.raises(ShapeError, match="three components, here 2 and 2"):
        np.cross(Tensor(np.ones((4, 2))), Tensor(np.ones((4, 2))))


def test_arrays_that_blas_cannot_read_are_copied_where_numpy_does_not(monkeypatch: Any) -> None:
    monkeypatch.setattr(contraction, "_COPIES", False)
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(2, 6, 6)), rng.normal(size=(6, 6))
    for a, is_copied in (
        (x, False), (x.mT, False), (x[:, ::2], False), (x[..., ::2, ::2], True),
        (x[..., ::-1], True), (np.broadcast_to(1.0, (6, 6)), True), (x[:, 0], False),
        (np.broadcast_to(y[0], (6, 6)), True), (x[0, 0], False),
    ):  # fmt: skip
        assert (contraction._readable(a) is not a) == is_copied
        b = y[: a.shape[-1]]
        np.testing.assert_allclose(contraction.product(a, b), a @ b)
    tensor = Tensor(x, requires_grad=True)
    mytorch.matmul(tensor, Tensor(y)).sum().backward()
    np.testing.assert_allclose(tensor.grad.data, np.ones((2, 6, 6)) @ y.T)
