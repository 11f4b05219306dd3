"""Hooks on tensors, ``retain_grad``, ``detach_`` and ``backward(inputs=…)``."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from mytorch import autograd, no_grad
from mytorch.errors import GraphError, ShapeError
from mytorch.tensor import Tensor


def test_a_hook_sees_and_may_replace_the_gradient_of_a_result() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    seen: list[Any] = []
    y.register_hook(lambda g: seen.append(g.data.tolist()))
    y.register_hook(lambda g: g * 10)
    (y * y).sum().backward()
    assert seen == [[6.0, 12.0]]
    assert x.grad.data.tolist() == [180.0, 360.0]


def test_a_hook_on_a_leaf_sees_the_sum_over_all_uses_once() -> None:
    x = Tensor([1.0], requires_grad=True)
    seen: list[float] = []
    handle = x.register_hook(lambda g: seen.append(g.item()))
    (x * 2 + x * 3).backward()
    assert seen == [5.0]
    handle.remove()
    handle.remove()
    (x * 2).backward()
    assert seen == [5.0] and x.grad.item() == 7.0


def test_a_handle_removes_its_hook_at_the_end_of_a_with_block() -> None:
    x = Tensor([1.0], requires_grad=True)
    with x.register_hook(lambda g: g * 100):
        (x * 1).backward()
    (x * 1).backward()
    assert x.grad.item() == 101.0


def test_a_hook_that_raises_stops_backward_and_leaves_the_engine_sound() -> None:
    x = Tensor([1.0], requires_grad=True)
    y = x * 2

    def fail(gradient: Tensor) -> None:
        raise KeyError("from the hook")

    handle = y.register_hook(fail)
    with pytest.raises(KeyError, match="from the hook"):
        (y * 3).backward()
    assert x.grad is None
    handle.remove()
    (y * 3).backward()
    assert x.grad.item() == 6.0


def test_a_hook_must_return_a_gradient_of_the_right_shape() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    x.register_hook(lambda g: g.sum())
    with pytest.raises(ShapeError, match=r"None or a Tensor of shape \(2,\), not \(\)"):
        (x * 1).sum().backward()


def test_hooks_need_a_tensor_that_requires_grad() -> None:
    with pytest.raises(GraphError, match="register_hook"):
        Tensor([1.0]).register_hook(print)
    with pytest.raises(GraphError, match="retain_grad"):
        Tensor([1.0]).retain_grad()


def test_retain_grad_keeps_the_gradient_of_a_result_after_its_other_hooks() -> None:
    x = Tensor([2.0], requires_grad=True)
    y = x * x
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    (y * 5).backward()
    assert y.retains_grad and not x.retains_grad
    assert y.grad.item() == 10.0 and x.grad.item() == 40.0
    x.retain_grad()  # a leaf keeps its own anyway


def test_hooks_and_retained_gradients_make_no_cycle() -> None:
    gc.disable()
    try:
        x = Tensor([2.0], requires_grad=True)
        y = x * x
        y.retain_grad()
        alive = weakref.ref(y)
        y.backward()
        del y
        assert alive() is None
    finally:
        gc.enable()


def test_detach_in_place_makes_a_leaf() -> None:
    x = Tensor([2.0], requires_grad=True)
    y = x * x
    assert y.detach_() is y and y.is_leaf and not y.requires_grad and y.grad_fn is None
    with pytest.raises(GraphError, match="use detach"):
        (x * x).reshape(1, 1).detach_()


def test_backward_with_inputs_fills_only_their_gradients() -> None:
    x, y = Tensor([2.0], requires_grad=True), Tensor([3.0], requires_grad=True)
    hidden = x * y
    (hidden * y).backward(inputs=[x, hidden])
    assert x.grad.item() == 9.0 and hidden.grad.item() == 3.0 and y.grad is None
    with pytest.raises(GraphError, match="inputs must be tensors that require grad"):
        (x * y).backward(inputs=[Tensor([1.0])])


def test_a_gradient_that_is_no_float_is_refused() -> None:
    x = Tensor([2.0], requires_grad=True)
    with pytest.raises(TypeError, match="the gradient is int64; it must be float64"):
        (x * x).backward(Tensor([1]))


def test_a_graph_freed_in_part_says_which_operation() -> None:
    x = Tensor([2.0], requires_grad=True)
    shared = x * x
    (shared + 1).backward()
    with pytest.raises(GraphError, match="Mul a second time"):
        (shared * 3).backward()


def test_an_input_named_twice_gets_its_gradient_once() -> None:
    x = Tensor([2.0], requires_grad=True)
    (x * 3).sum().backward(inputs=[x, x])
    assert x.grad.item() == 3.0
    y = x * 1
    y.retain_grad()
    (y * 2).sum().backward(inputs=[y])
    assert y.grad.item() == 2.0


def test_retained_and_recorded_gradients_have_memory_of_their_own() -> None:
    x, g = Tensor([1.0, 2.0], requires_grad=True), Tensor([1.0, 1.0])
    y = x * 1
    z = y + 1
    y.retain_grad()
    z.retain_grad()
    z.backward(g)
    z.grad.zero_()
    assert y.grad.data.tolist() == g.data.tolist() == [1.0, 1.0]
    x.grad = None
    x.sum().backward(create_graph=True)
    with no_grad():
        x.grad.mul_(0.5)
    assert x.grad.data.tolist() == [0.5, 0.5]


def test_gradients_of_mixed_dtypes_have_the_dtype_of_their_input() -> None:
    a = Tensor(np.ones(2, np.float32), requires_grad=True)
    b = Tensor(np.ones(2), requires_grad=True)
    found = autograd.grad((a * b).sum(), [a, b])
    assert [each.dtype for each in found] == [np.float32, np.float64]


def test_a_hook_may_remove_another() -> None:
    x = Tensor([1.0], requires_grad=True)
    handles: list[Any] = []
    x.register_hook(lambda g: handles[0].remove())
    handles.append(x.register_hook(lambda g: g * 100))
    (x * 1).backward()
    assert x.grad.item() == 1.0


def test_a_handle_removes_its_hook_also_after_retain_grad() -> None:
    x = Tensor([1.0], requires_grad=True)
    y = x * 2
    handle = y.register_hook(lambda g: g * 100)
    y.retain_grad()
    handle.remove()
    y.sum().backward()
    assert x.grad.tolist() == [2] and y.grad.tolist() == [1]


def test_a_walk_to_some_inputs_calls_no_hooks_beside_the_way() -> None:
    x, w = Tensor([1.0, 2.0], requires_grad=True), Tensor([1.0, 2.0], requires_grad=True)
    seen: list[int] = []
    w.register_hook(lambda g: seen.append(1))
    hidden = w * 2
    hidden.retain_grad()
    y = (x * w).sum() + (x * hidden).sum()
    autograd.grad(y, x, retain_graph=True)
    assert seen == [] and hidden.grad is None
    y.backward()
    assert seen == [1] and hidden.grad.tolist() == [1, 2]
