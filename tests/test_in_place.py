"""In-place changes: what is overwritten, what is recorded, what is refused, and what is noticed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn
from mytorch.errors import DtypeError, GraphError, ShapeError
from mytorch.tensor import Tensor

CHANGES = {
    "add_": lambda t, v: t.add_(v),
    "add_ alpha": lambda t, v: t.add_(v, alpha=3),
    "sub_": lambda t, v: t.sub_(v),
    "mul_": lambda t, v: t.mul_(v),
    "div_": lambda t, v: t.div_(v),
    "pow_": lambda t, v: t.pow_(3),
    "neg_": lambda t, v: t.neg_(),
    "exp_": lambda t, v: t.exp_(),
    "log_": lambda t, v: t.log_(),
    "sqrt_": lambda t, v: t.sqrt_(),
    "relu_": lambda t, v: t.relu_(),
    "sigmoid_": lambda t, v: t.sigmoid_(),
    "tanh_": lambda t, v: t.tanh_(),
    "clamp_": lambda t, v: t.clamp_(0.8, 1.5),
    "clamp_ max": lambda t, v: t.clamp_(max=1.5),
    "fill_": lambda t, v: t.fill_(2.0),
    "zero_": lambda t, v: t.zero_(),
    "copy_": lambda t, v: t.copy_(v),
    "setitem": lambda t, v: t.__setitem__((slice(None), 1), v[0, 0]),
    "setitem mask": lambda t, v: t.__setitem__(0, v[0] * 2),
    "+=": lambda t, v: t.__iadd__(v),
    "*=": lambda t, v: t.__imul__(v),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_a_result_is_recorded_as_in_torch(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(0)
    x, v = rng.uniform(0.5, 2.0, (2, 3)), rng.uniform(0.5, 2.0, (1, 3))
    found = []
    for make in (
        lambda a: Tensor(a, requires_grad=True),
        lambda a: torch.tensor(a, dtype=torch.float64, requires_grad=True),
    ):
        leaf, value = make(x), make(v)
        t = leaf * 1.5
        CHANGES[name](t, value)
        (t * t).sum().backward()
        grads = [np.zeros_like(a) if t.grad is None else np.asarray(t.grad) for t, a in
                 ((leaf, x), (value, v))]  # fmt: skip
        found.append([np.asarray(t.detach()), *grads])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_without_recording_overwrites_the_memory(name: str) -> None:
    x = Tensor(np.full((2, 3), 1.25))
    memory, version = x.data, x.version
    assert CHANGES[name](x, Tensor(np.full((1, 3), 0.5))) in (x, None)
    assert x.data is memory and x.version == version + 1 and not x.requires_grad


@pytest.mark.parametrize("name", CHANGES)
def test_a_leaf_that_requires_grad_is_refused_and_unchanged(name: str) -> None:
    x = Tensor(np.full((2, 3), 1.25), requires_grad=True)
    with pytest.raises(GraphError, match="a leaf that requires grad.*no_grad"):
        CHANGES[name](x, Tensor(np.full((1, 3), 0.5)))
    assert (x.data == 1.25).all() and x.version == 0
    with mytorch.no_grad():
        CHANGES[name](x, Tensor(np.full((1, 3), 0.5)))
    assert x.version == 1 and x.is_leaf


def test_a_constant_becomes_part_of_the_graph_when_a_variable_is_put_into_it() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    buffer = Tensor(np.zeros(3))
    buffer[1:] = x * 2
    buffer += x[0]
    assert not buffer.is_leaf
    (buffer * Tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.data.tolist() == [111 + 20.0, 200.0]


def test_second_derivatives_pass_through_a_change() -> None:
    x = Tensor(2.0, requires_grad=True)
    t = x * x
    t.mul_(x)  # x**3
    t.backward(create_graph=True)
    slope, x.grad = x.grad, None
    slope.backward()
    assert (slope.item(), x.grad.item()) == (12.0, 12.0)


def test_views_of_constants_share_memory_and_count() -> None:
    base = Tensor(np.zeros((2, 2)))
    view = base.T()[0]
    view.fill_(7.0)
    assert base.data.tolist() == [[7.0, 0.0], [7.0, 0.0]]
    assert base.version == view.version == 1


@pytest.mark.parametrize("through", ["itself", "view", "detached"])
def test_a_saved_tensor_changed_since_is_noticed_whatever_it_is_changed_through(
    through: str,
) -> None:
    x, y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0], requires_grad=True)
    product = x * y
    {"itself": x, "view": x[:1], "detached": x.detach()}[through].add_(1.0)
    with pytest.raises(GraphError, match=r"shape \(2,\) that Mul saved .* in place 1 time"):
        product.backward()


def test_a_change_after_backward_does_no_harm() -> None:
    x = Tensor([1.0], requires_grad=True)
    y = x * x
    y.backward()
    with mytorch.no_grad():
        x.add_(1.0)
    assert x.grad.item() == 2.0


def test_results_that_do_not_fit_are_refused_before_anything_changes() -> None:
    x = Tensor([1, 2])
    with pytest.raises(DtypeError, match="float64 cannot be kept in int64"):
        x += 0.5
    with pytest.raises(ShapeError, match=r"shape \(3, 2\), which does not fit in place"):
        x.add_(np.ones((3, 2), int))
    with pytest.raises(TypeError):
        x.add_("text")
    with pytest.raises(ShapeError, match="does not fit into"):
        x[:] = np.ones(3)
    with pytest.raises(ValueError, match="min or max"):
        Tensor([1.0]).clamp_()
    assert x.data.tolist() == [1, 2] and x.version == 0


def test_python_objects_on_the_right_are_refused_by_the_operator() -> None:
    x: Any = Tensor([1.0])
    with pytest.raises(TypeError):
        x += "text"


def test_everyday_changes_that_no_gradient_needs_undone_are_allowed() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    z = y * 2  # the gradient for y needs only the 2
    y += 1
    z.sum().backward()
    assert x.grad.data.tolist() == [2.0, 2.0]
    x.grad = None
    y = x**2
    y += 1
    y[0] = y[0] * 5
    y.sum().backward()
    assert x.grad.data.tolist() == [10.0, 4.0]
    x.grad = None
    y = x.reshape(2, 1).T().reshape(-1) * 1
    y += 1
    y.sum().backward()
    assert x.grad.data.tolist() == [1.0, 1.0]


def test_a_constant_view_of_a_base_that_becomes_variable_is_not_left_behind() -> None:
    base, x = Tensor(np.zeros(3)), Tensor(2.0, requires_grad=True)
    view = base[:2]
    base[0] = x
    assert view.tolist() == [2, 0] and view.requires_grad and not view.is_leaf
    view.sum().backward()
    assert x.grad.item() == 1


def test_an_index_changed_later_does_not_move_the_gradient() -> None:
    x, index = Tensor([1.0, 2.0, 3.0], requires_grad=True), Tensor([0, 1])
    y = x[index]
    index += 1
    y.sum().backward()
    assert x.grad.data.tolist() == [1.0, 1.0, 0.0]


def test_a_value_with_leading_axes_of_size_one_may_be_assigned() -> None:
    x, y = Tensor([[1.0, 2.0]], requires_grad=True), Tensor(np.zeros((2, 2)))
    y[0] = x
    (y * 3.0).sum().backward()
    assert x.grad.data.tolist() == [[3.0, 3.0]]


def test_a_retained_gradient_is_that_of_the_changed_tensor() -> None:
    x = Tensor([2.0], requires_grad=True)
    y = x * 1
    y.retain_grad()
    y.mul_(5)
    y.sum().backward()
    assert y.grad.item() == 1.0 and x.grad.item() == 5.0


def test_a_numpy_scalar_assigned_to_data_can_still_be_changed() -> None:
    w = Tensor(3.0, requires_grad=True)
    w.data = w.data - 0.1 * w.data  # NumPy makes a scalar of 0-d arrays
    with mytorch.no_grad():
        w.fill_(2.0)
    assert type(w.data) is np.ndarray and w.item() == 2.0


def test_a_view_of_what_nobody_else_holds_may_be_changed() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    row = (x * 2)[0]
    row *= x[1]
    row.sum().backward()
    assert x.grad.tolist() == [[6, 8], [2, 4]]
    model = nn.Sequential(nn.Conv2d(2, 2, 1), nn.GroupNorm(1, 2), nn.ReLU(inplace=True))
    assert model(Tensor(np.ones((1, 2, 5, 5)))).shape == (1, 2, 5, 5)


KEEP_NO_OUTPUT = {
    "layer_norm": lambda F, x: F.layer_norm(x, (4,)),
    "rms_norm": lambda F, x: F.rms_norm(x, (4,)),
    "batch_norm": lambda F, x: F.batch_norm(x, None, None, training=True),
    "group_norm": lambda F, x: F.group_norm(x, 2),
    "instance_norm": lambda F, x: F.instance_norm(x),
    "max_pool1d": lambda F, x: F.max_pool1d(x, 2),
    "dropout": lambda F, x: F.dropout(x, 0.5, training=False) * 1,
    "leaky_relu": lambda F, x: F.leaky_relu(x),
    "elu": lambda F, x: F.elu(x),
    "gelu": lambda F, x: F.gelu(x),
    "avg_pool1d": lambda F, x: F.avg_pool1d(x, 2),
}


@pytest.mark.parametrize("name", KEEP_NO_OUTPUT)
def test_results_that_torch_does_not_need_for_backward_may_be_changed(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    array, found = np.random.default_rng(0).normal(size=(3, 2, 4)), []
    for functions, make in ((nn.functional, Tensor), (torch.nn.functional, torch.tensor)):
        x = make(array)
        y = KEEP_NO_OUTPUT[name](functions, x.requires_grad_())
        y.mul_(3).relu_()
        (y * y).sum().backward()
        found.append(np.asarray(x.grad))
    np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_leaf_that_wants_no_gradient_any_more_gets_none(create_graph: bool) -> None:
    x, w = (Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    loss = (x * w).sum()
    w.requires_grad_(False)
    loss.backward(create_graph=create_graph)
    assert w.grad is None and x.grad.tolist() == [1, 2]
