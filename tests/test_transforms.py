"""The transforms against closed forms, torch and each other."""

from __future__ import annotations

import gc
import math
import weakref
from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch import autograd, nn
from mytorch.errors import DtypeError, GraphError, ShapeError
from mytorch.tensor import Tensor

X = np.linspace(-3.0, 3.0, 41)


def tanh_derivatives(x: np.ndarray) -> list[np.ndarray]:
    """The first six derivatives of tanh as polynomials in t = tanh(x), by t' = 1 - t**2."""
    polynomial, found = np.polynomial.Polynomial([0.0, 1.0]), []
    for _ in range(6):
        polynomial = polynomial.deriv() * np.polynomial.Polynomial([1.0, 0.0, -1.0])
        found.append(polynomial(np.tanh(x)))
    return found


def test_six_nested_elementwise_grads_of_tanh_equal_the_closed_forms() -> None:
    function: Any = F.tanh
    for wanted in tanh_derivatives(X):
        function = autograd.elementwise_grad(function)
        np.testing.assert_allclose(function(X), wanted, rtol=1e-9, atol=1e-9)


def test_grad_of_a_scalar_function() -> None:
    def function(x: Any, y: Any) -> Any:
        return (x * y * y).sum()

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    np.testing.assert_allclose(autograd.grad(function)(x, y), y * y)
    np.testing.assert_allclose(autograd.grad(function, 1)(x, y), 2 * x * y)
    np.testing.assert_allclose(autograd.grad(function, argnums=(1, 0))(x, y)[0], 2 * x * y)
    value, (dx, dy) = autograd.value_and_grad(function, (0, -1))(x, y)
    assert value == 41.0 and isinstance(dx, np.ndarray) and dy.shape == (2,)


def test_arrays_give_arrays_tensors_give_tensors_and_floats_give_numbers() -> None:
    square = autograd.grad(lambda x: (x * x).sum())
    assert type(square(np.ones(2))) is np.ndarray
    assert type(square(Tensor([1.0, 1.0]))) is Tensor
    assert isinstance(square(3.0), float) and square(3.0) == 6.0
    assert not square(Tensor([1.0])).requires_grad


def test_nested_structures_and_keywords() -> None:
    def loss(parameters: Any, x: Any, *, scale: float) -> Any:
        hidden = (x @ parameters["w"][0] + parameters["b"]).tanh()
        return scale * (hidden @ parameters["w"][1]).sum()

    rng = np.random.default_rng(0)
    parameters = {
        "w": (rng.normal(size=(3, 4)), rng.normal(size=(4,))),
        "b": [rng.normal(size=4)][0],
    }
    x = rng.normal(size=(5, 3))
    found = autograd.grad(loss)(parameters, x, scale=2.0)
    assert found.keys() == parameters.keys() and type(found["w"]) is tuple
    hidden = np.tanh(x @ parameters["w"][0] + parameters["b"])
    np.testing.assert_allclose(found["w"][1], 2 * hidden.sum(0))
    np.testing.assert_allclose(found["b"], 2 * ((1 - hidden**2) * parameters["w"][1]).sum(0))


def test_grad_of_a_model_for_its_input_leaves_its_parameters_alone() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    found = autograd.grad(lambda x: model(x).sum())(np.ones((2, 3)))
    assert found.shape == (2, 3) and all(p.grad is None for p in model.parameters())


def test_a_closure_over_an_outer_variable_is_differentiated_by_the_outer_grad() -> None:
    def outer(y: Any) -> Any:
        return autograd.grad(lambda x: x * x * y)(3.0)  # 6 y

    assert autograd.grad(outer)(5.0) == 6.0


def test_a_gradient_of_a_tensor_that_requires_grad_can_be_differentiated() -> None:
    x = Tensor(2.0, requires_grad=True)
    slope = autograd.grad(lambda z: z**3)(x)
    slope.backward()
    assert slope.item() == 12.0 and x.grad.item() == 12.0


def test_no_grad_outside_does_not_disturb_a_transform() -> None:
    with mytorch.no_grad():
        assert autograd.grad(lambda x: x**3)(2.0) == 12.0
        assert autograd.grad(autograd.grad(lambda x: x**3))(2.0) == 12.0


def test_vjp_and_jvp_are_adjoint() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=(3, 4))

    def function(x: Any) -> Any:
        return (a @ x).tanh()

    x, t, v = rng.normal(size=4), rng.normal(size=4), rng.normal(size=3)
    value, tangent = autograd.jvp(function, (x,), (t,))
    same, pullback = autograd.vjp(function, x)
    np.testing.assert_allclose(value, same)
    assert v @ tangent == pytest.approx(pullback(v)[0] @ t)
    np.testing.assert_allclose(pullback(2 * v)[0], 2 * pullback(v)[0])  # several times


def test_jacobians_of_both_modes_equal_the_closed_form() -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=(3, 4))
    x = rng.normal(size=4)
    wanted = (1 - np.tanh(a @ x) ** 2)[:, None] * a
    for jacobian in (autograd.jacobian, autograd.jacrev, autograd.jacfwd):
        np.testing.assert_allclose(jacobian(lambda x: (a @ x).tanh())(x), wanted, rtol=1e-12)


def test_jacobians_have_the_structure_of_output_and_arguments() -> None:
    def function(x: Any, y: Any) -> Any:
        return {"product": x[0] * y, "sum": x[1].sum()}

    x = (np.ones(2), np.arange(3.0))
    y = np.array([3.0, 4.0])
    for jacobian in (autograd.jacrev, autograd.jacfwd):
        found = jacobian(function, (0, 1))(x, y)
        np.testing.assert_allclose(found["product"][0][0], np.diag(y))
        np.testing.assert_allclose(found["product"][1], np.eye(2))
        np.testing.assert_allclose(found["sum"][0][1], np.ones(3))
        assert found["sum"][1].shape == (2,) and found["product"][0][1].shape == (2, 3)


def test_jacobians_of_empty_outputs_and_arguments_are_empty() -> None:
    for jacobian in (autograd.jacrev, autograd.jacfwd):
        assert jacobian(lambda x: x[:0])(np.ones(3)).shape == (0, 3)
        assert jacobian(lambda x: x.sum() * np.ones(2))(np.ones((0, 3))).shape == (2, 0, 3)


def test_hessian_equals_the_closed_form() -> None:
    rng = np.random.default_rng(3)
    a = rng.normal(size=(5, 5))
    x = rng.normal(size=5)

    def function(x: Any) -> Any:  # log sum exp(A x): H = Aᵀ (diag(p) - p pᵀ) A
        return mytorch.logsumexp(a @ x, 0)

    p = np.exp(a @ x) / np.exp(a @ x).sum()
    wanted = a.T @ (np.diag(p) - np.outer(p, p)) @ a
    np.testing.assert_allclose(autograd.hessian(function)(x), wanted, rtol=1e-10, atol=1e-12)
    v = rng.normal(size=5)
    for product in (autograd.hvp, autograd.vhp):
        value, (found,) = product(function, (x,), (v,))
        assert value == pytest.approx(math.log(np.exp(a @ x).sum()))
        np.testing.assert_allclose(found, wanted @ v, rtol=1e-10)


def test_hessian_for_two_arguments_has_the_mixed_blocks() -> None:
    found = autograd.hessian(lambda x, y: (x * x * y).sum(), (0, 1))(
        np.array([2.0]), np.array([3.0])
    )
    assert [[b.item() for b in row] for row in found] == [[6.0, 4.0], [4.0, 0.0]]


def test_generalised_gauss_newton_product() -> None:
    rng = np.random.default_rng(4)
    a, x, v = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=4)
    jacobian = (1 - np.tanh(a @ x) ** 2)[:, None] * a
    plain = autograd.make_ggnvp(lambda x: (a @ x).tanh())(x)(v)
    np.testing.assert_allclose(plain, jacobian.T @ jacobian @ v, rtol=1e-10)
    weighted = autograd.make_ggnvp(lambda x: (a @ x).tanh(), lambda y: (y**4).sum())(x)(v)
    curvature = np.diag(12 * np.tanh(a @ x) ** 2)
    np.testing.assert_allclose(weighted, jacobian.T @ curvature @ jacobian @ v, rtol=1e-10)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.func loads torch.jit
def test_transforms_agree_with_torch_func() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x = np.random.default_rng(5).normal(size=(2, 3))

    def ours(x: Any) -> Any:
        return (x.softmax(-1) * x).sum()

    tensor = torch.tensor(x)
    np.testing.assert_allclose(autograd.grad(ours)(x), torch.func.grad(ours)(tensor), rtol=1e-12)
    np.testing.assert_allclose(
        autograd.hessian(ours)(x), torch.func.hessian(ours)(tensor), rtol=1e-10, atol=1e-14
    )
    np.testing.assert_allclose(
        autograd.jacfwd(lambda x: x.softmax(-1))(x),
        torch.func.jacfwd(lambda x: x.softmax(-1))(tensor),
        rtol=1e-12,
        atol=1e-15,
    )


def test_bad_arguments_say_what_is_wrong() -> None:
    with pytest.raises(ShapeError, match=r"returned shape \(2,\).*jacobian"):
        autograd.grad(lambda x: x * 2)(np.ones(2))
    with pytest.raises(DtypeError, match="give floats"):
        autograd.grad(lambda x: x * 2)(3)
    with pytest.raises(TypeError, match="argnums has 1, but 1 argument"):
        autograd.grad(lambda x: x, 1)(1.0)
    with pytest.raises(TypeError, match="cannot differentiate for a str"):
        autograd.grad(lambda x: x)("x")
    assert autograd.grad(lambda x: 3.0)(1.0) == 0.0


# ------------------------------------------------------------------------ torch.autograd.grad


def test_grad_of_tensors_touches_no_grad_attribute() -> None:
    x, y = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True)
    hidden = x * y
    loss = (hidden * hidden).sum()
    found = autograd.grad(loss, [x, hidden])  # a leaf and a result
    np.testing.assert_allclose(found[0].data, 2 * x.data * y.data**2)
    np.testing.assert_allclose(found[1].data, 2 * hidden.data)
    assert x.grad is None and y.grad is None


def test_grad_walks_only_what_leads_to_the_inputs() -> None:
    class Refuses(mytorch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            return a.new(a.data.copy())

        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            raise AssertionError("not on the way to the input")

    x, y = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    assert autograd.grad(x * Refuses.apply(y), x)[0].item() == 3.0


def test_grad_of_several_outputs_adds_up() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    (found,) = autograd.grad([x * x, x.sum()], x, [np.array([1.0, 10.0]), None])
    assert found.data.tolist() == [2 + 1, 40 + 1]


def test_unused_inputs_raise_or_give_none_or_zeros() -> None:
    x, z = Tensor([1.0], requires_grad=True), Tensor([[1.0]], requires_grad=True)
    with pytest.raises(GraphError, match=r"inputs\[1\] was not used.*allow_unused=True"):
        autograd.grad(x * 1, [x, z])
    assert autograd.grad(x * 1, [x, z], allow_unused=True)[1] is None
    assert autograd.grad(x * 1, [x, z], materialize_grads=True)[1].data.tolist() == [[0.0]]


def test_grad_refuses_what_has_no_graph_or_no_scalar() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(GraphError, match=r"inputs\[0\] does not require grad"):
        autograd.grad(x.sum(), Tensor(1.0))
    with pytest.raises(GraphError, match="no output requires grad"):
        autograd.grad(Tensor(1.0), x)
    with pytest.raises(ShapeError, match=r"shape \(2,\) needs a grad_output"):
        autograd.grad(x * 2, x)
    with pytest.raises(ValueError, match="2 grad_outputs for 1"):
        autograd.grad(x.sum(), x, [None, None])


def test_grad_with_create_graph_nests() -> None:
    x = Tensor(2.0, requires_grad=True)
    value = x**5
    for wanted in (80.0, 160.0, 240.0, 240.0, 120.0):
        (value,) = autograd.grad(value, x, create_graph=True)
        assert value.item() == pytest.approx(wanted)


# ------------------------------------------------------------------------------- checkpoint


def test_checkpoint_gives_the_same_gradients_and_keeps_less() -> None:
    rng = np.random.default_rng(6)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    x = Tensor(rng.normal(size=(5, 4)), requires_grad=True)
    calls: list[int] = []

    def block(t: Tensor, power: int) -> Tensor:
        calls.append(1)
        return model(t) ** power

    def run(function: Any) -> list[np.ndarray]:
        model.zero_grad()
        x.grad = None
        function().sum().backward()
        return [p.grad.data for p in model.parameters()] + [x.grad.data]

    plain = run(lambda: block(x, 2))
    saved = run(lambda: autograd.checkpoint(block, x, 2))
    for one, two in zip(plain, saved, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)
    assert len(calls) == 3  # once plainly, twice with checkpoint


def test_checkpoint_can_be_differentiated_twice() -> None:
    def slope_of(function: Any) -> Any:
        return autograd.grad(lambda x: function(lambda t: (t**3).sum(), x))

    x = np.array([1.0, 2.0])
    first = slope_of(lambda f, x: autograd.checkpoint(f, x))(x)
    np.testing.assert_allclose(first, 3 * x**2)
    second = autograd.jacrev(slope_of(lambda f, x: autograd.checkpoint(f, x)))(x)
    np.testing.assert_allclose(second, np.diag(6 * x))


def test_checkpoint_reaches_parameters_in_every_way_of_differentiating() -> None:
    w, x = Tensor([2.0, 3.0], requires_grad=True), Tensor([1.0, 1.0])

    def block(t: Tensor, *, scale: float = 1.0) -> Tensor:
        return w * t * t * scale

    assert autograd.checkpoint(block, x).requires_grad  # by w alone
    (found,) = autograd.grad(autograd.checkpoint(block, x, scale=2.0).sum(), w)
    assert found.data.tolist() == [2.0, 2.0] and w.grad is None
    autograd.checkpoint(block, x).sum().backward(create_graph=True)
    assert w.grad.data.tolist() == [1.0, 1.0]
    _, tangent = autograd.jvp(lambda t: autograd.checkpoint(block, t), (x,), (x,))
    assert tangent.data.tolist() == [4.0, 6.0]


def test_checkpoint_keeps_no_intermediate_result() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    inside: list[Any] = []

    def block(t: Tensor) -> Tensor:
        hidden = t * t
        inside.append(weakref.ref(hidden))
        return hidden * hidden

    y = autograd.checkpoint(block, x)
    assert inside[0]() is None
    y.sum().backward()
    assert len(inside) == 2 and x.grad.data.tolist() == [4.0, 32.0]


def test_checkpoint_draws_the_same_random_numbers_again() -> None:
    x = Tensor(np.ones(50), requires_grad=True)
    y = autograd.checkpoint(lambda t: F.dropout(t, 0.5), x)
    after = np.random.rand()
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, y.data)
    assert after != np.random.rand()


def test_checkpoint_passes_on_several_outputs_and_refuses_others() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    first, second = autograd.checkpoint(lambda t: (t * 2, t * t), x)
    (first + second).sum().backward()
    assert x.grad.data.tolist() == [4.0, 6.0]
    with pytest.raises(TypeError, match="not list"):
        autograd.checkpoint(lambda t: [t], x)


def test_a_gradient_keeps_the_graph_of_tensors_that_the_function_used_besides() -> None:
    w = Tensor(3.0, requires_grad=True)
    slope = autograd.grad(lambda x: w * x * x)(Tensor(2.0))  # 4 w
    (w * w + slope * slope).backward()
    assert w.grad.item() == 6 + 2 * 12 * 4


def test_checkpoint_of_shared_inputs_and_of_what_a_closure_holds_is_differentiated_twice() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    w = Tensor([3.0, 4.0], requires_grad=True)
    hidden = w * x

    def inner(t: Any) -> Any:
        return (t * t).sin() * hidden

    functions = {
        "shared": lambda c: c(lambda a, b: a * b * b, x, x),
        "one of the other": lambda c: c(lambda a, b: a * b, x, x * 2),
        "closure": lambda c: c(lambda a: a * hidden, x) + hidden,
        "tied": lambda c: c(lambda t: t * w, c(lambda t: t * w, x)),
        "nested": lambda c: c(lambda t: c(inner, t * 2).tanh() + c(inner, t), x),
    }
    for name, function in functions.items():
        gradients = []
        for call in (autograd.checkpoint, lambda f, *args: f(*args)):
            output = function(call).sum()
            first = autograd.grad(output, (x, w), create_graph=True, allow_unused=True)
            known = [each for each in first if each is not None]
            second = autograd.grad(sum((g * g).sum() for g in known), x, retain_graph=True)
            gradients.append([each.data for each in (*known, *second)])
        for one, two in zip(*gradients, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-12, err_msg=name)
    nested = autograd.grad(
        autograd.grad(lambda x: autograd.checkpoint(lambda a, b: a * b * b, x, x))
    )
    assert nested(1.0) == 6


def test_checkpoint_calls_hooks_once_and_frees_its_graph_without_the_garbage_collector() -> None:
    x, w = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True)
    w.register_hook(lambda g: g * 10)
    autograd.checkpoint(lambda t: t * w, x).sum().backward()
    assert w.grad.tolist() == [10, 20] and x.grad.tolist() == [3, 4]
    gc.collect()
    gc.disable()
    try:
        for walk in (False, True):
            y = autograd.checkpoint(lambda t: (t * w).exp(), x).sum()
            node = weakref.ref(y.grad_fn.next_functions[0])
            if walk:
                y.backward()
            del y
            assert node() is None
    finally:
        gc.enable()


def test_checkpoint_notices_what_changed_since() -> None:
    x, w = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True)
    y = autograd.checkpoint(lambda t: t * w, x).sum()
    with mytorch.no_grad():
        w.add_(1)
    with pytest.raises(GraphError, match="a tensor that Mul uses was changed in place since"):
        y.backward()
    times = iter([1, 2])
    y = autograd.checkpoint(lambda t: [t := t * t for _ in range(next(times))][-1], x).sum()
    with pytest.raises(GraphError, match="recorded 1 operations at first and 2 now"):
        y.backward()


def test_transforms_keep_the_graph_of_tensors_that_a_function_uses_besides() -> None:
    x = Tensor([1.0, 2.0])
    cases = [
        (lambda w: autograd.hessian(lambda x: (w * x**3).sum())(x).sum(), 18),
        (lambda w: autograd.jacobian(lambda x: w * x**3)(x).sum(), 15),
        (lambda w: autograd.value_and_grad(lambda x: (w * x**3).sum())(x)[0], 9),
    ]
    for function, slope in cases:
        w = Tensor(3.0, requires_grad=True)
        (w * w + function(w)).backward()
        assert w.grad.item() == 6 + slope
