"""Every row of the table of operations beside torch: value, derivatives, dtypes, errors."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.tensor import Tensor
from tests.op_table import DTYPES, OpCase, Shapes
from tests.test_operations import BAD, KINKS, WITH_TORCH, at, backwards, leaves, parts

TOLERANCE = {"float16": 2e-2, "float32": 1e-4}


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def float32_by_default(torch: Any) -> Iterator[None]:
    mytorch.set_default_dtype(np.float32)
    yield
    mytorch.set_default_dtype(np.float64)


def as_arrays(result: Any) -> list[np.ndarray]:
    return [
        part.data if isinstance(part, Tensor) else part.numpy(force=True) for part in parts(result)
    ]


@pytest.mark.parametrize("case", WITH_TORCH)
def test_value_gradient_and_second_derivative_equal_torchs(torch: Any, case: OpCase) -> None:
    for shapes in case.shapes:
        with at(shapes):
            check_derivatives(torch, case, shapes)


def check_derivatives(torch: Any, case: OpCase, shapes: Shapes) -> None:
    rng = np.random.default_rng(7)
    arrays = case.draw(rng, shapes)
    ours = leaves(arrays)
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in arrays]
    result, wanted = case.call(mytorch, *ours), case.torchs(torch, *theirs)
    for one, other in zip(as_arrays(result), as_arrays(wanted), strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)
    assert [p.requires_grad for p in parts(result)] == [p.requires_grad for p in parts(wanted)]
    flowing = [part for part in parts(wanted) if part.requires_grad]
    if not flowing:
        return
    cotangents = [rng.normal(size=tuple(part.shape)) for part in flowing]
    weights = [rng.normal(size=x.shape) for x in arrays]
    second = "second" not in case.differs
    grads = backwards(ours, result, map(Tensor, cotangents), create_graph=True)
    other_grads = torch.autograd.grad(
        flowing, theirs, list(map(torch.tensor, cotangents)), create_graph=second, allow_unused=True
    )
    other_grads = [
        torch.zeros_like(x) if g is None else g for x, g in zip(theirs, other_grads, strict=True)
    ]
    for grad, other in zip(grads, other_grads, strict=True):
        np.testing.assert_allclose(grad.data, other.numpy(force=True), rtol=1e-10, atol=1e-10)
    slope = sum((g * Tensor(w)).sum() for g, w in zip(grads, weights, strict=True))
    other_slope = sum(
        (g * torch.tensor(w)).sum() for g, w in zip(other_grads, weights, strict=True)
    )
    if not second or not other_slope.requires_grad:
        return
    bends = torch.autograd.grad(other_slope, theirs, allow_unused=True)
    found = [None] * len(ours)
    if slope.requires_grad:
        found = mytorch.autograd.gradients(slope, ours, allow_unused=True)
    for bend, other, x in zip(found, bends, arrays, strict=True):
        one = np.zeros(x.shape) if bend is None else bend.data
        two = np.zeros(x.shape) if other is None else other.numpy(force=True)
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-9)


def outcome(m: Any, call: Any, tensors: list[Any]) -> Any:
    """Return the arrays of a result, or the error with which the call is refused."""
    try:
        return as_arrays(call(m, *tensors))
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as error:
        return error


def check_dtypes(torch: Any, case: OpCase, arrays: list[np.ndarray]) -> None:
    ours = outcome(mytorch, case.call, [Tensor(x) for x in arrays])
    theirs = outcome(torch, case.torchs, [torch.tensor(x) for x in arrays])
    refused = [isinstance(result, Exception) for result in (ours, theirs)]
    assert refused[0] == refused[1], f"only one of the two refuses it: {ours}; torch: {theirs}"
    if refused[0]:
        return
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == other.dtype
        tolerance = max(TOLERANCE.get(str(x.dtype), 1e-10) for x in (*arrays, one))
        np.testing.assert_allclose(
            one.astype(float), other.astype(float), rtol=tolerance, atol=tolerance
        )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # an overflow in float16
@pytest.mark.usefixtures("float32_by_default")
@pytest.mark.parametrize("case", WITH_TORCH)
def test_dtypes_of_results_and_what_is_refused_are_torchs(torch: Any, case: OpCase) -> None:
    shapes = max(case.shapes, key=lambda shapes: sum(map(np.prod, shapes)))
    for dtype in DTYPES:
        if dtype not in case.differs:
            rng = np.random.default_rng(8)
            arrays = [(x * 2).astype(dtype) for x in case.draw(rng, shapes)]
            with at(dtype):
                check_dtypes(torch, case, arrays)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.usefixtures("float32_by_default")
@pytest.mark.parametrize("case", [p for p in WITH_TORCH if p.values[0].promotes])
def test_mixed_dtypes_are_promoted_as_torch_promotes_them(torch: Any, case: OpCase) -> None:
    pairs = itertools.product(DTYPES, repeat=2)
    for dtypes in [pair for pair in pairs if not case.differs.keys() & set(pair)]:
        for shapes in (((2, 3), (2, 3)), ((2, 3), ()), ((), (3,))):
            rng = np.random.default_rng(9)
            arrays = case.draw(rng, shapes)
            with at(dtypes, shapes):
                mixed = [(x * 2).astype(d) for x, d in zip(arrays, dtypes, strict=True)]
                check_dtypes(torch, case, mixed)


@pytest.mark.parametrize(("case", "kink"), [p for p in KINKS if p.values[0].torchs])
def test_kinks_of_the_table_are_torchs(torch: Any, case: OpCase, kink: Any) -> None:
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in kink.inputs]
    output = next(part for part in parts(case.torchs(torch, *tensors)) if part.requires_grad)
    output.backward(torch.tensor(kink.cotangent, dtype=torch.float64))
    for tensor, wanted in zip(tensors, kink.gradients, strict=True):
        np.testing.assert_array_equal(tensor.grad.numpy(), np.broadcast_to(wanted, tensor.shape))


@pytest.mark.parametrize("bad", [p for p in BAD if p.values[0].torch])
def test_torch_refuses_the_same_and_an_except_clause_for_it_catches_ours(
    torch: Any, bad: Any
) -> None:
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        bad.call(torch)
    if theirs.type is torch.linalg.LinAlgError:  # the class that is ours of this name
        assert issubclass(bad.error, mytorch.linalg.LinAlgError)
        return
    assert issubclass(bad.error, theirs.type), f"torch raises {theirs.type.__name__}"
