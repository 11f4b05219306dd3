"""In-place changes through views, and of what has views: histories as torch's."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mytorch
from mytorch import autograd
from mytorch.autograd_engine import Function
from mytorch.errors import DtypeError, GraphError, ShapeError
from mytorch.tensor import Tensor

# Each view of a tensor of any shape that is not empty; they read the same in torch.
VIEWS: dict[str, Callable[[Any], Any]] = {
    "first": lambda t: t[0] if len(t.shape) else t.reshape(1),
    "rest": lambda t: t[1:] if len(t.shape) and t.shape[0] > 1 else t.unsqueeze(0),
    "every other": lambda t: t[..., ::2] if len(t.shape) else t.reshape(1, 1),
    "swapped": lambda t: t.transpose(0, -1) if len(t.shape) else t.reshape(1),
    "diagonal": lambda t: t.diagonal() if len(t.shape) == 2 else t.unsqueeze(-1),
    "flat": lambda t: t.view(-1) if t.is_contiguous() else t.unsqueeze(0),
    "windows": lambda t: t.unfold(-1, 2, 1) if len(t.shape) and t.shape[-1] > 1 else t[...],
    "wide": lambda t: t.unsqueeze(0).expand(2, *t.shape),
}

# Each change of a by numbers made of b; what they save is not what is changed.
CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a.add_(b.mean()),
    "scale": lambda a, b: a.mul_(0.5),
    "fill": lambda a, b: a.fill_(0.25),
    "write first": lambda a, b: a.__setitem__(0 if len(a.shape) else ..., b.sum() * 0.1),
    "write all": lambda a, b: a.__setitem__(..., b.tanh().mean()),
    "copy": lambda a, b: a.copy_(b.reshape(-1)[0] * 2),
    "subtract": lambda a, b: a.__isub__(b.sum()),
}

steps = st.tuples(
    st.sampled_from([*sorted(VIEWS), *sorted(CHANGES) * 2]), st.integers(0, 99), st.integers(0, 99)
)


def run(program: list[tuple[str, int, int]], x: Any, constant: Any) -> list[Any]:
    """Return what is left of a result and of a constant, of views of both, and of changes."""
    known = [x * 1, constant]
    for name, first, second in program:
        a, b = known[first % len(known)], known[second % len(known)]
        if name in VIEWS:
            known.append(VIEWS[name](a))
        elif not _is_wide(a):
            CHANGES[name](a, b)
            [t.grad_fn for t in known]  # torch finds out about changes of others when it is asked
    return known


def _is_wide(t: Any) -> bool:
    """Return whether several elements are one place in memory: such views are read-only."""
    places = np.zeros((), np.intp)
    for size, step in zip(t.shape, t.stride(), strict=True):
        places = np.add.outer(places, np.arange(size) * step)
    return bool(np.unique(places).size < places.size)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(steps, min_size=2, max_size=12), st.sampled_from([(2, 3), (3, 3), (4,), (2, 2, 2)]))
def test_values_and_gradients_of_all_that_share_memory_equal_torchs(
    program: Any, shape: Any
) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(0)
    array, other = rng.normal(size=shape), rng.normal(size=shape)
    found = []
    for make in (Tensor, lambda a: torch.tensor(a, dtype=torch.float64)):
        x = make(array)
        x.requires_grad_()
        known = run(program, x, make(other))
        total = sum([(t * t * (i + 1)).sum() for i, t in enumerate(known)])
        total.backward()
        found.append([*[np.asarray(t.detach()) for t in known], np.asarray(x.grad)])
        found[-1].append([bool(t.requires_grad) for t in known])
    assert found[0].pop() == found[1].pop()
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_the_idioms_of_everyday() -> None:
    x, w = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True), Tensor(5.0, requires_grad=True)
    y = x * 1
    y[:, 0] += w  # y[:, 0] is a view, changed while y is in use
    y[0] = y[1]
    y[1, 1] *= 3
    assert y.tolist() == [[8, 4], [8, 12]]
    y.sum().backward()
    assert x.grad.tolist() == [[0, 0], [2, 4]] and w.grad.item() == 2


def test_a_buffer_filled_through_views_learns_what_it_holds() -> None:
    buffer, w = mytorch.zeros(3, 2), Tensor([1.0, 2.0], requires_grad=True)
    for row in (buffer[0], buffer[2]):
        row += w
    assert buffer.requires_grad and not buffer.is_leaf
    (buffer * Tensor([[1.0], [10.0], [100.0]])).sum().backward()
    assert w.grad.tolist() == [101, 101]


def test_a_leaf_that_requires_grad_is_safe_from_its_views() -> None:
    x, w = Tensor([1.0, 2.0], requires_grad=True), Tensor(1.0, requires_grad=True)
    for change in (lambda: x[0].add_(1), lambda: x.view(2, 1).mul_(w), lambda: x[:1].zero_()):
        with pytest.raises(GraphError, match="a leaf that requires grad shares this tensor's mem"):
            change()
    constant = mytorch.zeros(2)
    view = constant[:1].requires_grad_()
    with pytest.raises(GraphError, match="a leaf that requires grad shares this tensor's memory"):
        constant += w
    assert x.tolist() == [1, 2] and view.tolist() == [0] and constant.version == 0
    with mytorch.no_grad():
        x[0].add_(1)
    assert x.tolist() == [2, 2]


def test_what_backward_needs_and_a_view_changed_is_noticed() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    z = y * y
    y[0].add_(1)
    with pytest.raises(GraphError, match="in place"):
        z.sum().backward()


def test_a_view_elsewhere_in_memory_keeps_its_history() -> None:
    y = Tensor(np.ones((2, 2)), requires_grad=True) * 1
    first, second, both = y[0], y[1], y[:]
    before = second.grad_fn
    first.mul_(2)
    assert second.grad_fn is before and both.grad_fn is not before
    assert both.tolist() == [[2, 2], [1, 1]]


def test_a_retained_gradient_is_that_of_what_a_relative_made_of_it() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    found = []
    for make in (Tensor, torch.tensor):
        x = make([1.0, 2.0])
        y = x.requires_grad_() * 1
        view = y[:1]
        y.retain_grad()
        view.retain_grad()
        y.mul_(5)
        (y.sum() * 2 + view.sum()).backward()
        found.append([t.grad.tolist() for t in (x, y, view)])
    assert found[0] == found[1]


def test_derivatives_of_second_order_go_through_a_changed_view() -> None:
    def function(x: Any) -> Any:
        y = x * x
        view = y[1:]
        view *= x[:-1]
        return (y * view.sum()).sum()

    autograd.gradcheck(function, (Tensor([0.5, -1.5, 2.0], requires_grad=True),))
    autograd.gradgradcheck(function, (Tensor([0.5, -1.5, 2.0], requires_grad=True),))


def test_forward_mode_goes_through_a_changed_view() -> None:
    def function(x: Any) -> Any:
        y, constant = x * 1, x.detach() * 0 + 1
        view, part, whole = y[0:1], constant[1:], y[:]
        view.mul_(3)
        part.add_(x[0])
        return y * x + whole + constant

    a, b = 2.0, 5.0
    value, tangent = autograd.jvp(function, (np.array([a, b]),), (np.array([1.0, 10.0]),))
    assert value.tolist() == [3 * a * a + 3 * a + 1, b * b + b + 1 + a]
    assert tangent.tolist() == [6 * a + 3, (2 * b + 1) * 10 + 1]


def test_memory_that_data_was_moved_to_is_no_relative() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    view = y[:1]
    before = view.grad_fn
    y.data = y.data.copy()
    y.mul_(2)
    assert view.grad_fn is before and view.tolist() == [1]


def test_numbers_in_the_middle_of_bytes_have_views_too() -> None:
    w = Tensor(np.array([1, 2], np.float32), requires_grad=True)
    base = Tensor(np.zeros(31, np.uint8)[5:29].view(np.float32))
    view, whole = base[1:3], base[:]
    view += w
    assert base.tolist() == whole.tolist() == [0, 1, 2, 0, 0, 0]
    (base * whole).sum().backward()
    assert w.grad.tolist() == [2, 4]
    base = Tensor(np.zeros(31, np.uint8)[5:29].view(np.float32))
    scattered = mytorch.as_strided_scatter(base, w, (2,), (2,))
    assert scattered.tolist() == [1, 0, 2, 0, 0, 0] and base.tolist() == [0] * 6


def test_a_copied_view_has_no_relatives() -> None:
    base, w = mytorch.zeros(4), Tensor([1.0, 2.0], requires_grad=True)
    for copied in (copy.deepcopy(base[2:]), pickle.loads(pickle.dumps(base[2:]))):
        copied += w
        assert copied.tolist() == [1, 2] and base.tolist() == [0, 0, 0, 0]
        assert copied.grad_fn is not None and not base.requires_grad


def test_a_view_that_holds_a_place_twice_is_read_only() -> None:
    x = mytorch.zeros(4)
    with pytest.raises(ShapeError, match="one place in it"):
        mytorch.as_strided(x, (3, 2), (1, 1)).add_(1)
    mytorch.as_strided(x, (2, 2), (1, 2)).add_(1)
    assert x.tolist() == [1, 1, 1, 1]


def test_as_strided_scatter_refuses_what_is_not_one_value_a_place() -> None:
    x = mytorch.zeros(4)
    with pytest.raises(ShapeError, match=r"src has shape \(3,\), the view \(2,\)"):
        mytorch.as_strided_scatter(x, mytorch.ones(3), (2,), (1,))
    with pytest.raises(ShapeError, match="one place in memory"):
        mytorch.as_strided_scatter(x, mytorch.ones(2, 2), (2, 2), (1, 1))
    with pytest.raises(DtypeError, match="float32"):
        mytorch.as_strided_scatter(x, mytorch.ones(2, dtype=np.float32), (2,), (1,))


class _Same(Function):
    """Returns its first argument as it is."""

    @staticmethod
    def forward(ctx: Any, a: Any, number: float) -> Any:
        ctx.number = number
        return a

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output * ctx.number, None


def test_an_input_that_an_operation_returns_is_a_view() -> None:
    leaf = Tensor([1.0, 2.0], requires_grad=True)
    x = leaf * 1
    y = _Same.apply(x, 10.0)
    y += 1
    assert x.tolist() == y.tolist() == [2, 3]
    x.sum().backward()  # x is what y made of it
    assert leaf.grad.tolist() == [10, 10]
    with pytest.raises(GraphError, match="a leaf that requires grad shares this tensor's memory"):
        _Same.apply(leaf, 10.0).mul_(2)
