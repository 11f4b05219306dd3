"""Every row of the table of operations, crossed with shapes, dtypes and ways to differentiate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch.autograd_engine import Function
from mytorch.tensor import Tensor
from tests.op_cases import CASES, OpCase, Shapes

PAIRS = [
    pytest.param(case, shapes, id=f"{case.name}-{'-'.join(map(str, shapes))}")
    for case in CASES
    for shapes in case.shapes
]


def leaves(arrays: list[np.ndarray]) -> list[Tensor]:
    return [Tensor(array, requires_grad=True) for array in arrays]


def gradients(tensors: list[Tensor], output: Tensor, cotangent: Any, **options: Any) -> list[Any]:
    """Return the gradient of sum(cotangent * output) for each tensor, and forget it again."""
    output.backward(Tensor(cotangent), **options)
    grads = [tensor.grad for tensor in tensors]
    for tensor in tensors:
        tensor.grad = None
    return grads


def directional(function: Any, arrays: list[np.ndarray], steps: list[np.ndarray]) -> float:
    """Return the central difference of the scalar ``function`` at ``arrays`` along ``steps``."""
    h = 1e-5
    above = function([x + h * d for x, d in zip(arrays, steps, strict=True)])
    below = function([x - h * d for x, d in zip(arrays, steps, strict=True)])
    return (above - below) / (2 * h)


def check_gradient(call: Any, arrays: list[np.ndarray], rng: np.random.Generator) -> None:
    """Compare first and second derivatives of ``call`` with central differences."""
    cotangent = rng.normal(size=call(*map(Tensor, arrays)).shape)  # not uniform
    steps = [rng.normal(size=x.shape) for x in arrays]
    weights = [rng.normal(size=x.shape) for x in arrays]

    def value(points: list[np.ndarray]) -> float:
        return float((cotangent * call(*map(Tensor, points)).data).sum())

    def slope(points: list[np.ndarray]) -> float:
        tensors = leaves(points)
        grads = gradients(tensors, call(*tensors), cotangent)
        return float(sum((w * g.data).sum() for w, g in zip(weights, grads, strict=True)))

    tensors = leaves(arrays)
    grads = gradients(tensors, call(*tensors), cotangent)
    first = sum((d * g.data).sum() for d, g in zip(steps, grads, strict=True))
    assert first == pytest.approx(directional(value, arrays, steps), rel=1e-6, abs=1e-8)

    tensors = leaves(arrays)
    grads = gradients(tensors, call(*tensors), cotangent, create_graph=True)
    weighted = [(g * Tensor(w)).sum() for g, w in zip(grads, weights, strict=True)]
    total = sum(weighted[1:], weighted[0])
    second = 0.0
    if total.requires_grad:  # the gradient of a linear operation is a constant
        total.backward()
        second = sum(
            (d * t.grad.data).sum()
            for d, t in zip(steps, tensors, strict=True)
            if t.grad is not None
        )
    assert second == pytest.approx(directional(slope, arrays, steps), rel=1e-6, abs=1e-7)


# --------------------------------------------------------------------------- value, shape, dtype


@pytest.mark.parametrize(("case", "shapes"), PAIRS)
def test_value_shape_and_dtype_equal_numpy(case: OpCase, shapes: Shapes) -> None:
    for dtype in case.dtypes:
        arrays = [x.astype(dtype) for x in case.draw(np.random.default_rng(0), shapes)]
        copies = [x.copy() for x in arrays]
        tensors = [Tensor(x) for x in arrays]
        result = case.call(*tensors)
        wide = case.reference(*[x.astype(np.float64) for x in arrays])
        assert type(result) is Tensor
        assert type(result.data) is np.ndarray
        assert result.dtype == dtype
        assert result.shape == np.shape(wide)
        np.testing.assert_allclose(result.data, wide, rtol=np.finfo(dtype).eps * 32, atol=1e-6)
        for tensor, copy in zip(tensors, copies, strict=True):
            np.testing.assert_array_equal(tensor.data, copy, err_msg="an input was changed")
        assert not result.requires_grad and result.is_leaf and result.grad_fn is None


@pytest.mark.parametrize(("case", "shapes"), PAIRS)
def test_non_contiguous_and_read_only_inputs_give_the_same(case: OpCase, shapes: Shapes) -> None:
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
    expected, result = case.call(*plain), case.call(*strided)
    np.testing.assert_allclose(result.data, expected.data, rtol=1e-14)
    cotangent = np.random.default_rng(2).normal(size=expected.shape)
    for g, e in zip(
        gradients(strided, result, cotangent), gradients(plain, expected, cotangent), strict=True
    ):
        np.testing.assert_allclose(g.data, e.data, rtol=1e-13, atol=1e-15)


# ------------------------------------------------------------------------------- derivatives


@pytest.mark.parametrize(("case", "shapes"), PAIRS)
def test_first_and_second_derivative_equal_central_differences(
    case: OpCase, shapes: Shapes
) -> None:
    rng = np.random.default_rng(3)
    check_gradient(case.call, case.draw(rng, shapes), rng)


@pytest.mark.parametrize(("case", "shapes"), [p for p in PAIRS if len(p.values[1]) > 1])
def test_a_constant_operand_gets_no_gradient_and_changes_no_other(
    case: OpCase, shapes: Shapes
) -> None:
    arrays = case.draw(np.random.default_rng(4), shapes)
    tensors = leaves(arrays)
    output = case.call(*tensors)
    cotangent = np.random.default_rng(5).normal(size=output.shape)
    expected = gradients(tensors, output, cotangent)
    for constant in range(len(arrays)):
        tensors = [Tensor(x, requires_grad=i != constant) for i, x in enumerate(arrays)]
        grads = gradients(tensors, case.call(*tensors), cotangent)
        for position, (grad, wanted) in enumerate(zip(grads, expected, strict=True)):
            if position == constant:
                assert grad is None
            else:
                np.testing.assert_array_equal(grad.data, wanted.data)


@pytest.mark.parametrize(("case", "shapes"), PAIRS)
def test_gradients_have_shape_and_dtype_of_their_input(case: OpCase, shapes: Shapes) -> None:
    for dtype in case.dtypes:
        arrays = [x.astype(dtype) for x in case.draw(np.random.default_rng(6), shapes)]
        tensors = leaves(arrays)
        output = case.call(*tensors)
        for tensor, grad in zip(
            tensors, gradients(tensors, output, np.ones(output.shape, dtype)), strict=True
        ):
            assert (grad.shape, grad.dtype) == (tensor.shape, tensor.dtype)
            assert grad.grad is None and grad.grad_fn is None and not grad.is_parameter
            assert not np.shares_memory(grad.data, tensor.data)


# ------------------------------------------------------------------------------------ torch


@pytest.mark.parametrize(("case", "shapes"), [p for p in PAIRS if p.values[0].torch is not None])
def test_value_and_gradient_equal_torch(case: OpCase, shapes: Shapes) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(7)
    arrays = case.draw(rng, shapes)
    ours = leaves(arrays)
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in arrays]
    result, wanted = case.call(*ours), case.torch(torch, *theirs)
    assert result.shape == tuple(wanted.shape)
    np.testing.assert_allclose(result.data, wanted.detach().numpy(), rtol=1e-10, atol=1e-10)
    cotangent = rng.normal(size=result.shape)
    wanted.backward(torch.tensor(cotangent, dtype=torch.float64))
    for grad, tensor in zip(gradients(ours, result, cotangent), theirs, strict=True):
        np.testing.assert_allclose(grad.data, tensor.grad.numpy(), rtol=1e-10, atol=1e-10)


KINKS = [
    pytest.param(case, kink, id=f"{case.name}-{kink.inputs}")
    for case in CASES
    for kink in case.kinks
]


@pytest.mark.parametrize(("case", "kink"), KINKS)
@pytest.mark.parametrize("create_graph", [False, True])
def test_gradient_at_kinks_and_ties_is_exact(case: OpCase, kink: Any, create_graph: bool) -> None:
    tensors = leaves([np.array(x, float) for x in kink.inputs])
    output = case.call(*tensors)
    cotangent = np.array(kink.cotangent, float)
    grads = gradients(tensors, output, cotangent, create_graph=create_graph)
    for grad, wanted in zip(grads, kink.gradients, strict=True):
        np.testing.assert_array_equal(grad.data, np.broadcast_to(wanted, grad.shape))


@pytest.mark.parametrize(("case", "kink"), KINKS)
def test_kinks_of_the_table_are_torchs(case: OpCase, kink: Any) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in kink.inputs]
    output = case.torch(torch, *tensors)
    output.backward(torch.tensor(kink.cotangent, dtype=torch.float64))
    for tensor, wanted in zip(tensors, kink.gradients, strict=True):
        np.testing.assert_array_equal(tensor.grad.numpy(), np.broadcast_to(wanted, tensor.shape))


# ------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("case", "error"),
    [pytest.param(c, e, id=f"{c.name}-{e[2]}") for c in CASES for e in c.errors],
)
def test_bad_input_raises_and_says_why(case: OpCase, error: Any) -> None:
    args, expected, message = error
    tensors = [Tensor(x) if isinstance(x, np.ndarray) else x for x in args]
    call = case.op.apply if any(isinstance(x, int) for x in args) else case.call
    with pytest.raises(expected, match=message):
        call(*tensors)


# ------------------------------------------------------------------------------- the table


def test_every_operation_has_a_row() -> None:
    found, stack = set(), [Function]
    while stack:
        for cls in stack.pop().__subclasses__():
            stack.append(cls)
            if cls.__module__.startswith("mytorch.") and not cls.__name__.startswith("_"):
                found.add(cls)
    assert found == {case.op for case in CASES}


def test_the_homework_operations_can_be_called_directly() -> None:
    from mytorch.autograd_engine import ContextManager

    rng = np.random.default_rng(8)
    x, y, g = rng.normal(size=(3, 2, 3))
    wanted = {
        F.Add: (x + y, g, g),
        F.Sub: (x - y, g, -g),
        F.Mult: (x * y, g * y, g * x),
        F.Div: (x / y, g / y, -g * x / y**2),
    }
    for operation, (value, grad_a, grad_b) in wanted.items():
        ctx = ContextManager()
        result = operation.forward(ctx, Tensor(x), Tensor(y))
        grads = operation.backward(ctx, Tensor(g))
        assert type(result) is Tensor and result.grad_fn is None
        np.testing.assert_allclose(result.data, value, rtol=1e-12)
        np.testing.assert_allclose(grads[0].data, grad_a, rtol=1e-12)
        np.testing.assert_allclose(grads[1].data, grad_b, rtol=1e-12)


class _WrongSquare:
    """A square whose derivative is planted: 2.001 x, or right for uniform cotangents only."""

    @staticmethod
    def make(backward: Any) -> Any:
        def forward(ctx: Any, a: Any) -> Any:
            ctx.save_for_backward(a)
            return a.new(a.data**2)

        return type(
            "Square",
            (Function,),
            {"forward": staticmethod(forward), "backward": staticmethod(backward)},
        ).apply


def test_the_checker_refuses_planted_wrong_derivatives() -> None:
    planted = {
        "right": lambda ctx, g: (g * ctx.saved_tensors[0] * 2,),
        "2.001": lambda ctx, g: (g * ctx.saved_tensors[0] * 2.001,),
        "uniform only": lambda ctx, g: (g.mean() * ctx.saved_tensors[0] * 2,),
        "wrong second": lambda ctx, g: (g * ctx.saved_tensors[0].detach() * 2,),
    }
    rng = np.random.default_rng(9)
    for name, backward in planted.items():
        call, x = _WrongSquare.make(backward), rng.normal(size=(2, 3))
        if name == "right":
            check_gradient(call, [x], rng)
        else:
            with pytest.raises(AssertionError):
                check_gradient(call, [x], rng)


# ------------------------------------------------------------------------------ cross-entropy


def test_cross_entropy_of_huge_logits_is_exact_and_silent() -> None:
    logits = Tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], requires_grad=True)
    loss = F.cross_entropy(logits, Tensor([1, 2]))
    loss.backward()
    assert loss.item() == (2e4 + np.log(2.0)) / 2
    expected = np.array([[0.5, -0.5, 0.0], [0.0, 0.25, -0.25]])
    np.testing.assert_array_equal(logits.grad.data, expected)


def test_cross_entropy_of_float32_extremes_stays_finite() -> None:
    logits = Tensor(np.array([[1e4, -1e4]], np.float32), requires_grad=True)
    loss = F.cross_entropy(logits, Tensor([1]))
    loss.backward()
    assert (loss.dtype, loss.item()) == (np.float32, 2e4)
    np.testing.assert_array_equal(logits.grad.data, [[1, -1]])


@pytest.mark.parametrize("labels", [[2, 0], [2.0, 0.0], np.array([2, 0], np.uint8)])
def test_labels_may_be_integers_or_floats_with_integer_values(labels: Any) -> None:
    logits = np.random.default_rng(10).normal(size=(2, 3))
    expected = -np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))[[0, 1], [2, 0]].mean()
    assert F.cross_entropy(Tensor(logits), Tensor(labels)).item() == pytest.approx(expected)
    assert F.cross_entropy(Tensor(logits), labels).item() == pytest.approx(expected)


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 3], IndexError, r"target\[1\] is 3.*classes 0 to 2"),
        ([-1, 0], IndexError, r"target\[0\] is -1"),
        ([0.5, 1.0], TypeError, r"target\[0\] is 0\.5"),
        ([np.nan, 1.0], TypeError, r"target\[0\] is nan"),
        ([np.inf, 1.0], TypeError, r"target\[0\] is inf"),
        ([True, False], TypeError, "not bool"),
        ([0, 1, 2], ValueError, r"target of shape \(2,\), got \(3,\)"),
        ([[0, 1]], RuntimeError, r"got \(1, 2\)"),
    ],
)
def test_bad_labels_are_refused(loss: Any, labels: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        loss(Tensor(np.zeros((2, 3))), Tensor(labels))


def test_cross_entropy_of_an_empty_batch_is_nan_as_in_torch() -> None:
    logits = Tensor(np.zeros((0, 3)), requires_grad=True)
    loss = F.cross_entropy(logits, Tensor(np.zeros(0, np.int64)))
    loss.backward()
    assert np.isnan(loss.item()) and logits.grad.shape == (0, 3)


def test_logits_of_integers_or_another_rank_are_refused() -> None:
    with pytest.raises(TypeError, match="floating"):
        F.cross_entropy(Tensor([[1, 2]]), Tensor([0]))
    with pytest.raises(ValueError, match=r"\(N, C\), got \(2,\)"):
        F.cross_entropy(Tensor([1.0, 2.0]), Tensor([0]))


def test_to_one_hot_puts_a_one_at_each_label() -> None:
    np.testing.assert_array_equal(F.to_one_hot(Tensor([2, 0]), 3).data, [[0, 0, 1], [1, 0, 0]])
    with pytest.raises(IndexError, match="classes 0 to 2"):
        F.to_one_hot(Tensor([3]), 3)


def test_domain_edges_are_silent_as_in_torch() -> None:
    x = Tensor([0.0, -1.0])
    assert x.log().data.tolist()[0] == -np.inf and np.isnan(x.log().data[1])
    assert (Tensor(1.0) / Tensor(0.0)).item() == np.inf
    assert Tensor(1e3).exp().item() == np.inf
    assert np.isnan((Tensor(-1.0) ** 0.5).item())
    assert F.logsumexp(Tensor([-np.inf, -np.inf]), 0).item() == -np.inf


def test_integer_powers_of_integers_stay_integers() -> None:
    assert (Tensor([2, 3]) ** 2).data.tolist() == [4, 9]
    with pytest.raises(ValueError, match="negative integer powers"):
        Tensor([2]) ** -1


def test_dropout_scales_what_it_keeps_and_the_gradient_alike() -> None:
    np.random.seed(0)
    x = Tensor(np.ones((100, 100)), requires_grad=True)
    y = F.dropout(x, 0.25)
    y.backward()
    np.random.seed(0)
    mask = np.random.binomial(1, 0.75, (100, 100)) / 0.75
    np.testing.assert_allclose(y.data, mask, rtol=1e-12)
    np.testing.assert_allclose(x.grad.data, mask, rtol=1e-12)
    assert F.dropout(x, 0.25, training=False) is x
    assert F.dropout(x, 1.0).data.sum() == 0
    with pytest.raises(ValueError, match="got 1.5"):
        F.dropout(x, 1.5)


def test_the_two_paths_of_hot_operations_agree() -> None:
    rng = np.random.default_rng(11)
    weights = rng.normal(size=(4, 3)), rng.normal(size=4)
    batch = rng.normal(size=(5, 3))
    results = []
    for create_graph in (False, True):
        tensors = leaves([batch, *weights])
        loss = F.cross_entropy(F.relu(F.linear(*tensors)), Tensor([0, 1, 2, 3, 0]))
        results.append(gradients(tensors, loss, 1.0, create_graph=create_graph))
    for plain, recorded in zip(*results, strict=True):
        np.testing.assert_allclose(plain.data, recorded.data, rtol=1e-12, atol=1e-15)


def test_mytorch_functions_are_the_operations() -> None:
    assert F.Mult is F.Mul
    assert {"Add", "Sub", "Mul", "Div"} <= set(F.__all__)
    assert mytorch.cat([Tensor([1.0])]).data.tolist() == [1.0]
