"""Every row of the table of operations, crossed with shapes, dtypes and ways to differentiate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.ops.registry import IN_PLACE, METHODS, NUMPY
from mytorch.tensor import Tensor
from tests.op_rows import CASES
from tests.op_table import OpCase, Shapes

ROWS = [pytest.param(case, id=case.name) for case in CASES]
WITH_TORCH = [pytest.param(case, id=case.name) for case in CASES if case.torchs]
SMOOTH = [pytest.param(case, id=case.name) for case in CASES if case.smooth]
KINKS = [
    pytest.param(case, kink, id=f"{case.name}-{kink.inputs}")
    for case in CASES
    for kink in case.kinks
]


@contextmanager
def at(*where: Any) -> Iterator[None]:
    """Let a failure inside say for which of several shapes or dtypes it is."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"at {', '.join(map(str, where))}: {error}") from error


def leaves(arrays: list[np.ndarray]) -> list[Tensor]:
    return [Tensor(array, requires_grad=True) for array in arrays]


def parts(result: Any) -> list[Any]:
    """Return the tensors or arrays of a result: itself, or those of a tuple or a list."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def floating(result: Any) -> list[Any]:
    """Return those parts of a result that a gradient flows to."""
    return [part for part in parts(result) if part.requires_grad]


def backwards(tensors: list[Tensor], result: Any, cotangents: Any, **options: Any) -> list[Any]:
    """Return the gradient of sum(cotangent * output) for each tensor, zeros where unused."""
    return list(
        mytorch.autograd.gradients(
            floating(result), tensors, list(cotangents), materialize_grads=True, **options
        )
    )


def cotangents_for(rng: np.random.Generator, result: Any) -> list[Tensor]:
    """Return a gradient that is not uniform for each part of a result."""
    return [Tensor(rng.normal(size=part.shape)) for part in floating(result)]


def directional(function: Any, arrays: list[np.ndarray], steps: list[np.ndarray]) -> float:
    """Return the central difference of the scalar ``function`` at ``arrays`` along ``steps``."""
    h = 1e-5
    above = function([x + h * d for x, d in zip(arrays, steps, strict=True)])
    below = function([x - h * d for x, d in zip(arrays, steps, strict=True)])
    return (above - below) / (2 * h)


def check_gradient(call: Any, arrays: list[np.ndarray], rng: np.random.Generator) -> None:
    """Compare first and second derivatives of ``call`` with central differences."""
    tensors = leaves(arrays)
    result = call(*tensors)
    cotangents = cotangents_for(rng, result)
    flows = [part.requires_grad for part in parts(result)]
    steps = [rng.normal(size=x.shape) for x in arrays]
    weights = [rng.normal(size=x.shape) for x in arrays]

    def value(points: list[np.ndarray]) -> float:
        found = [p for p, f in zip(parts(call(*map(Tensor, points))), flows, strict=True) if f]
        return float(sum((c.data * p.data).sum() for c, p in zip(cotangents, found, strict=True)))

    def slope(points: list[np.ndarray]) -> float:
        tensors = leaves(points)
        grads = backwards(tensors, call(*tensors), cotangents)
        return float(sum((w * g.data).sum() for w, g in zip(weights, grads, strict=True)))

    grads = backwards(tensors, result, cotangents)
    first = sum((d * g.data).sum() for d, g in zip(steps, grads, strict=True))
    assert first == pytest.approx(directional(value, arrays, steps), rel=1e-6, abs=1e-8)

    tensors = leaves(arrays)
    grads = backwards(tensors, call(*tensors), cotangents, create_graph=True)
    total = sum((g * Tensor(w)).sum() for g, w in zip(grads, weights, strict=True))
    second = 0.0
    if total.requires_grad:  # the gradient of a linear operation is a constant
        found = mytorch.autograd.gradients(total, tensors, materialize_grads=True)
        second = sum((d * g.data).sum() for d, g in zip(steps, found, strict=True))
    assert second == pytest.approx(directional(slope, arrays, steps), rel=1e-6, abs=1e-7)


# --------------------------------------------------------------------------- value, shape, dtype


@pytest.mark.parametrize("case", ROWS)
def test_value_shape_and_dtype_equal_numpy(case: OpCase) -> None:
    for shapes in case.shapes:
        for dtype in (np.float32, np.float64):
            with at(shapes, dtype):
                check_value(case, shapes, dtype)


def check_value(case: OpCase, shapes: Shapes, dtype: Any) -> None:
    arrays = [x.astype(dtype) for x in case.draw(np.random.default_rng(0), shapes)]
    copies = [x.copy() for x in arrays]
    tensors = [Tensor(x) for x in arrays]
    results = parts(case.call(mytorch, *tensors))
    for result in results:
        assert type(result) is Tensor
        assert type(result.data) is np.ndarray
        assert not result.requires_grad and result.is_leaf and result.grad_fn is None
    for tensor, copy in zip(tensors, copies, strict=True):
        np.testing.assert_array_equal(tensor.data, copy, err_msg="an input was changed")
    if case.reference is None:
        return
    wide = parts(case.reference(*[x.astype(np.float64) for x in arrays]))
    for result, wanted in zip(results, wide, strict=True):
        if case.smooth and np.asarray(wanted).dtype.kind == "f" and case.name != "cast":
            assert result.dtype == dtype
        assert result.shape == np.shape(wanted)
        np.testing.assert_allclose(result.data, wanted, rtol=np.finfo(dtype).eps * 32, atol=1e-6)


@pytest.mark.parametrize("case", ROWS)
def test_non_contiguous_and_read_only_inputs_give_the_same(case: OpCase) -> None:
    for shapes in case.shapes:
        with at(shapes):
            check_layouts(case, shapes)


def check_layouts(case: OpCase, shapes: Shapes) -> None:
    arrays = case.draw(np.random.default_rng(1), shapes)
    strided = []
    for x in arrays:
        wide = np.zeros((*x.shape, 2))
        wide[..., 1] = x
        tensor = Tensor(x, requires_grad=True)
        tensor.data = wide[..., 1]
        tensor.data.flags.writeable = False
        strided.append(tensor)
    plain = leaves(arrays)
    expected, result = case.call(mytorch, *plain), case.call(mytorch, *strided)
    for one, other in zip(parts(result), parts(expected), strict=True):
        np.testing.assert_allclose(one.data, other.data, rtol=1e-14, atol=1e-15)
    if not case.smooth:
        return
    cotangents = cotangents_for(np.random.default_rng(2), expected)
    found = backwards(strided, result, cotangents)
    for g, e in zip(found, backwards(plain, expected, cotangents), strict=True):
        np.testing.assert_allclose(g.data, e.data, rtol=1e-13, atol=1e-14)


class _Methods:
    """``m.name(tensor, …)`` calls the tensor's method ``name`` where there is one."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(mytorch, name)
        if name not in METHODS:
            return function
        return lambda first, *args, **names: (
            getattr(first, name)(*args, **names)
            if isinstance(first, Tensor)
            else function(first, *args, **names)
        )


class _InPlace:
    """``m.name(tensor, …)`` calls ``name_`` on a copy."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(mytorch, name)
        if f"{name}_" not in IN_PLACE:
            return function
        return lambda first, *args, **names: (
            getattr(first.clone(), f"{name}_")(*args, **names)
            if isinstance(first, Tensor)
            else function(first, *args, **names)
        )


def _own_name(case: OpCase) -> str:
    return case.name.split()[0]


@pytest.mark.parametrize("case", [p for p in ROWS if _own_name(p.values[0]) in METHODS])
def test_the_method_is_the_function(case: OpCase) -> None:
    for shapes in case.shapes:
        with at(shapes):
            tensors = leaves(case.draw(np.random.default_rng(10), shapes))
            results = (case.call(m, *tensors) for m in (_Methods(), mytorch))
            for one, other in zip(*map(parts, results), strict=True):
                np.testing.assert_array_equal(one.data, other.data)
                assert one.requires_grad == other.requires_grad


@pytest.mark.parametrize("case", [p for p in ROWS if f"{_own_name(p.values[0])}_" in IN_PLACE])
def test_the_in_place_method_makes_the_same_of_the_tensor(case: OpCase) -> None:
    for shapes in case.shapes:
        if not shapes:
            continue
        with at(shapes):
            arrays = case.draw(np.random.default_rng(11), shapes)
            if case.call(mytorch, *map(Tensor, arrays)).shape != shapes[0]:
                continue  # the result would not fit
            found = []
            for m in (_InPlace(), mytorch):
                tensors = leaves(arrays)
                result = case.call(m, *tensors)
                if not case.smooth:
                    found.append([result.data])
                    continue
                cotangent = [Tensor(np.random.default_rng(12).normal(size=result.shape))]
                grads = backwards(tensors, result, cotangent)
                found.append([result.data, *[grad.data for grad in grads]])
            for one, other in zip(*found, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-14)


# ------------------------------------------------------------------------------- derivatives


@pytest.mark.parametrize("case", SMOOTH)
def test_first_and_second_derivative_equal_central_differences(case: OpCase) -> None:
    for shapes in case.shapes:
        with at(shapes):
            rng = np.random.default_rng(3)
            call = lambda *tensors: case.call(mytorch, *tensors)  # noqa: E731
            check_gradient(call, case.draw(rng, shapes), rng)


@pytest.mark.parametrize("case", [p for p in SMOOTH if len(p.values[0].shapes[0]) > 1])
def test_a_constant_operand_gets_no_gradient_and_changes_no_other(case: OpCase) -> None:
    for shapes in case.shapes:
        with at(shapes):
            check_constants(case, shapes)


def check_constants(case: OpCase, shapes: Shapes) -> None:
    arrays = case.draw(np.random.default_rng(4), shapes)
    tensors = leaves(arrays)
    result = case.call(mytorch, *tensors)
    cotangents = cotangents_for(np.random.default_rng(5), result)
    expected = backwards(tensors, result, cotangents)
    for constant in range(len(arrays)):
        tensors = [Tensor(x, requires_grad=i != constant) for i, x in enumerate(arrays)]
        others = [tensor for i, tensor in enumerate(tensors) if i != constant]
        result = case.call(mytorch, *tensors)
        flows = [c for c, p in zip(cotangents, parts(result), strict=False) if p.requires_grad]
        for other in others:
            other.grad = None
        for part, cotangent in zip(floating(result), flows, strict=True):
            part.backward(cotangent, retain_graph=True)
        assert tensors[constant].grad is None
        rest = [grad for i, grad in enumerate(expected) if i != constant]
        for other, wanted in zip(others, rest, strict=True):
            found = np.zeros(other.shape) if other.grad is None else other.grad.data
            np.testing.assert_allclose(found, wanted.data, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("case", SMOOTH)
def test_gradients_have_shape_and_dtype_of_their_input(case: OpCase) -> None:
    for shapes in case.shapes:
        for dtype in (np.float32, np.float64):
            with at(shapes, dtype):
                arrays = [x.astype(dtype) for x in case.draw(np.random.default_rng(6), shapes)]
                tensors = leaves(arrays)
                for part in floating(case.call(mytorch, *tensors)):
                    part.backward(retain_graph=True)
                grads = [tensor.grad for tensor in tensors if tensor.grad is not None]
                assert grads or not tensors
                for tensor, grad in zip(tensors, grads, strict=False):
                    assert (grad.shape, grad.dtype) == (tensor.shape, tensor.dtype)
                    assert grad.grad is None and grad.grad_fn is None and not grad.is_parameter
                    assert not np.shares_memory(grad.data, tensor.data)


@pytest.mark.parametrize(("case", "kink"), KINKS)
@pytest.mark.parametrize("create_graph", [False, True])
def test_gradient_at_kinks_and_ties_is_exact(case: OpCase, kink: Any, create_graph: bool) -> None:
    tensors = leaves([np.array(x, float) for x in kink.inputs])
    output = floating(case.call(mytorch, *tensors))[0]
    cotangent = [Tensor(np.array(kink.cotangent, float))]
    grads = backwards(tensors, output, cotangent, create_graph=create_graph)
    for grad, wanted in zip(grads, kink.gradients, strict=True):
        np.testing.assert_array_equal(grad.data, np.broadcast_to(wanted, grad.shape))


@pytest.mark.parametrize("case", ROWS)
def test_what_has_no_derivative_requires_no_grad(case: OpCase) -> None:
    shapes = case.shapes[0]
    tensors = leaves(case.draw(np.random.default_rng(13), shapes))
    flows = [part.requires_grad for part in parts(case.call(mytorch, *tensors))]
    assert any(flows) == (case.smooth and bool(tensors))


# ------------------------------------------------------------------------------------ errors

BAD = [
    pytest.param(bad, id=f"{case.name}-{number}")
    for case in CASES
    for number, bad in enumerate(case.bad)
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_raises_and_says_why(bad: Any) -> None:
    with pytest.raises(bad.error, match=bad.message):
        bad.call(mytorch)


# ------------------------------------------------------------------------------ NumPy's functions


@pytest.mark.parametrize(
    "case", [p for p in ROWS if p.values[0].reference in NUMPY and p.values[0].shapes[0]]
)
def test_numpys_function_on_tensors_is_the_operation(case: OpCase) -> None:
    for shapes in case.shapes:
        with at(shapes):
            tensors = leaves(case.draw(np.random.default_rng(14), shapes))
            results = case.reference(*tensors), case.call(mytorch, *tensors)
            for one, other in zip(*map(parts, results), strict=True):
                assert type(one) is Tensor and one.requires_grad == other.requires_grad
                np.testing.assert_array_equal(one.data, other.data)
