"""The engine: what is recorded, how it is walked, what is freed, and what it refuses."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch import nn, optim
from mytorch.autograd_engine import AccumulateGrad, BackwardFunction, ContextManager, Function
from mytorch.autograd_engine import backward as engine_backward
from mytorch.errors import GraphError, ShapeError
from mytorch.tensor import Tensor


class Counted(Function):
    """The identity, counting how often its backward runs."""

    visits = 0

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return a.new(a.data.copy())

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        Counted.visits += 1
        return grad_output


# ---------------------------------------------------------------------------- the handout


def test_the_handouts_example() -> None:
    a, b = Tensor(1.0, requires_grad=True), Tensor(2.0)
    c = Tensor(3.0, requires_grad=True)
    d = a + a * b
    e = d + c + 3
    e.backward()
    assert (a.grad.item(), b.grad, c.grad.item()) == (3.0, None, 1.0)
    assert d.grad is None and e.grad is None


def test_graph_has_the_contracts_structure() -> None:
    a, b = Tensor([1.0], requires_grad=True), Tensor([2.0])
    product = a * b
    total = product + a
    node = total.grad_fn
    assert type(node).__name__ == "BackwardFunction" and node.function_name == "Add"
    assert node.next_functions[0] is product.grad_fn
    assert isinstance(node.next_functions[1], AccumulateGrad)
    assert node.next_functions[1].variable is a
    assert product.grad_fn.next_functions == [node.next_functions[1], None]
    assert (total.requires_grad, total.is_leaf) == (True, False)
    constant = b + 1
    assert (constant.requires_grad, constant.is_leaf, constant.grad_fn) == (False, True, None)


def test_python_integers_may_require_grad_and_get_a_floating_one() -> None:
    a = Tensor(1, requires_grad=True)
    b = Tensor([2, 3], requires_grad=True)
    (a * b).sum().backward()
    assert (a.grad.dtype, a.grad.item()) == (np.float64, 5.0)
    assert b.grad.data.tolist() == [1.0, 1.0] and b.grad.dtype == np.float64


def test_backward_of_a_leaf_gives_ones() -> None:
    x = Tensor([[1.0, 2.0]], requires_grad=True)
    x.backward()
    assert x.grad.data.tolist() == [[1.0, 1.0]]


def test_engine_backward_can_be_called_as_the_handout_does() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    engine_backward(y.grad_fn, Tensor([1.0, 10.0]))
    assert x.grad.data.tolist() == [2.0, 40.0]
    engine_backward(None, Tensor([1.0]))  # a constant: nothing to do


# --------------------------------------------------------------------------------- the walk


def test_gradients_accumulate_over_uses_and_over_calls() -> None:
    x = Tensor([2.0], requires_grad=True)
    (x * x + x).backward()
    (x * 3).backward()
    assert x.grad.data.tolist() == [5.0 + 3.0]


def test_shared_node_is_visited_once() -> None:
    Counted.visits = 0
    x = Tensor([1.0], requires_grad=True)
    y = Counted.apply(x)
    (y * y + y.exp() * y).backward()
    assert Counted.visits == 1
    assert x.grad.item() == pytest.approx(2 + 2 * np.e)


def test_doubling_sixty_times_is_linear() -> None:
    x = Tensor([1.0], requires_grad=True)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


def test_a_node_waits_for_every_use_of_its_output() -> None:
    x = Tensor([3.0], requires_grad=True)
    y = x * x
    deep = y
    for _ in range(5):
        deep = deep * 1.0
    (deep + y).backward()  # y is reached at once by one edge and after five nodes by the other
    assert x.grad.item() == 12.0


def test_chain_of_a_million_additions_goes_forward_backward_and_is_freed() -> None:
    program = """
from mytorch.tensor import Tensor
x, one = Tensor([1.0], requires_grad=True), Tensor([1.0])
y = x
for _ in range(1_000_000):
    y = y + one
y.backward()
assert (y.item(), x.grad.item()) == (1_000_001.0, 1.0)
node = y.grad_fn
del y, node
z = x
for _ in range(1_000_000):  # and one that is dropped without a backward, with saved tensors
    z = z * one
del z
print("freed")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout) == (0, "freed\n"), done.stderr[-2000:]


def test_a_gradient_of_none_stops_there() -> None:
    class Stop(Function):
        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            return a.new(a.data)

        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            return None

    x = Tensor([1.0], requires_grad=True)
    y = x * 2
    (Stop.apply(y) + y).backward()
    assert x.grad.item() == 2.0
    x.grad = None
    Stop.apply(x * 2).backward()
    assert x.grad is None


# ------------------------------------------------------------------------------- ownership


def test_no_two_tensors_share_a_gradient_buffer() -> None:
    a, b = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True)
    seed = Tensor([1.0, 1.0])
    (a + b).backward(seed)
    buffers = [a.grad.data, b.grad.data, seed.data]
    for i, one in enumerate(buffers):
        for other in buffers[i + 1 :]:
            assert not np.shares_memory(one, other)
    a.grad.data += 1
    assert b.grad.data.tolist() == [1.0, 1.0]


def test_graph_is_freed_without_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        x = Tensor(np.ones(3), requires_grad=True)
        y = (x.exp().tanh() * x).softmax().log_softmax()
        node, alias = weakref.ref(y.grad_fn), weakref.ref(y)
        y.sum().backward()
        assert node() is not None
        del y
        assert node() is None and alias() is None
    finally:
        gc.enable()


def test_training_without_the_garbage_collector_keeps_memory_flat() -> None:
    model = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 10))
    optimizer, loss_of = optim.Adam(model.parameters()), nn.CrossEntropyLoss()
    x, y = Tensor(np.random.default_rng(0).normal(size=(50, 20))), Tensor(np.arange(50) % 10)

    def steps(count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            loss_of(model(x), y).backward()
            optimizer.step()

    gc.collect()
    gc.disable()
    try:
        steps(5)
        tracemalloc.start()
        steps(5)
        before = tracemalloc.get_traced_memory()[0]
        steps(100)
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        gc.enable()
    assert after - before < 20_000  # one leaked activation a step would be 100 * 12,000 bytes


def test_saved_tensors_are_released_as_backward_walks() -> None:
    x = Tensor(np.ones(1000), requires_grad=True)
    hidden = x * 2.0
    array = weakref.ref(hidden)
    y = hidden * hidden
    del hidden
    assert array() is not None
    y.backward()
    assert array() is None  # y is still here


# ------------------------------------------------------------------------- a second backward


def test_backward_twice_needs_retain_graph_and_says_so() -> None:
    x = Tensor([3.0], requires_grad=True)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 12.0
    with pytest.raises(GraphError, match=r"Mul a second time.*retain_graph=True"):
        y.backward()
    assert x.grad.item() == 12.0


def test_operations_that_saved_nothing_can_be_walked_again_as_in_torch() -> None:
    x = Tensor([3.0], requires_grad=True)
    y = x + x - 1.0
    y.backward()
    y.backward()
    assert x.grad.item() == 4.0


def test_create_graph_gives_gradients_that_can_be_differentiated() -> None:
    x = Tensor([0.7], requires_grad=True)
    value, wanted = x.tanh(), np.tanh(0.7)
    expected = [1 - wanted**2, -2 * wanted * (1 - wanted**2)]
    expected.append(-2 * (1 - wanted**2) * (1 - 3 * wanted**2))
    for derivative in expected:
        x.grad = None
        value.backward(create_graph=True)
        value = x.grad
        assert value.item() == pytest.approx(derivative, rel=1e-12)


def test_without_create_graph_gradients_have_no_history() -> None:
    x = Tensor([2.0], requires_grad=True)
    (x.exp() * x).backward()
    assert (x.grad.requires_grad, x.grad.grad_fn, x.grad.is_leaf) == (False, None, True)


# ------------------------------------------------------------------------------ grad modes


def test_no_grad_records_nothing_nests_and_survives_errors() -> None:
    x = Tensor([1.0], requires_grad=True)
    with mytorch.no_grad():
        assert not (x * 2).requires_grad
        with mytorch.enable_grad():
            assert (x * 2).requires_grad
        with pytest.raises(ZeroDivisionError), mytorch.enable_grad():
            _ = 1 / 0
        assert not mytorch.is_grad_enabled()
    assert mytorch.is_grad_enabled()

    @mytorch.no_grad()
    def frozen(t: Tensor) -> Tensor:
        return t * 2

    assert not frozen(x).requires_grad and (x * 2).requires_grad


def test_an_error_in_backward_restores_the_grad_mode() -> None:
    class Broken(Function):
        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            return a.new(a.data)

        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            raise RuntimeError("broken on purpose")

    x = Tensor([1.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="on purpose"):
        Broken.apply(x).backward()
    assert mytorch.is_grad_enabled()


def test_threads_have_a_grad_mode_of_their_own() -> None:
    inside, outside = threading.Event(), threading.Event()
    seen: list[bool] = []

    def quiet() -> None:
        with mytorch.no_grad():
            inside.set()
            outside.wait(30)
            seen.append(mytorch.is_grad_enabled())

    thread = threading.Thread(target=quiet)
    thread.start()
    inside.wait(30)
    x = Tensor([1.0], requires_grad=True)
    (x * x).backward()
    outside.set()
    thread.join(30)
    assert seen == [False] and x.grad.item() == 2.0


def _train(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    w = Tensor(rng.normal(size=(4, 3)), requires_grad=True)
    x, y = Tensor(rng.normal(size=(8, 3))), Tensor(rng.integers(0, 4, 8))
    optimizer = optim.SGD([w], lr=0.1, momentum=0.9)
    for _ in range(60):
        optimizer.zero_grad()
        F.cross_entropy(F.linear(x, w), y).backward()
        with mytorch.no_grad():
            F.cross_entropy(F.linear(x, w), y)
        optimizer.step()
    return [w.data]


def test_two_threads_training_two_models_do_not_disturb_each_other() -> None:
    alone = [_train(seed) for seed in (1, 2)]
    together: dict[int, list[np.ndarray]] = {}
    threads = [
        threading.Thread(target=lambda seed=seed: together.update({seed: _train(seed)}))
        for seed in (1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for seed, expected in zip((1, 2), alone, strict=True):
        np.testing.assert_array_equal(together[seed][0], expected[0])


# ------------------------------------------------------------------------------- refusals


def test_backward_without_a_graph_says_what_is_missing() -> None:
    with pytest.raises(GraphError, match="does not require grad and has no grad_fn"):
        Tensor([1.0]).backward()


def test_a_gradient_of_the_wrong_shape_is_refused_before_anything_changes() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ShapeError, match=r"gradient has shape \(3,\), the tensor \(2,\)"):
        (x * x).backward(Tensor([1.0, 2.0, 3.0]))
    assert x.grad is None


def test_gradient_may_be_an_array_or_a_list() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    (x * x).backward(np.array([1.0, 10.0]))
    (x * 1).backward([1, 1])
    assert x.grad.data.tolist() == [3.0, 41.0]


@pytest.mark.parametrize("change", ["fill_", "setitem", "view", "copy_", "step"])
def test_a_saved_tensor_changed_in_place_is_noticed_at_backward(change: str) -> None:
    w = Tensor([[1.0, 2.0]], requires_grad=True)
    y = w * w
    with mytorch.no_grad():
        if change == "fill_":
            w.fill_(0.0)
        elif change == "setitem":
            w[0, 1] = 7.0
        elif change == "view":
            w.reshape(2)[0] = 7.0
        elif change == "copy_":
            w.copy_(Tensor([[5.0, 6.0]]))
        else:
            w.grad = Tensor([[1.0, 1.0]])
            optim.SGD([w], lr=0.1).step()
    with pytest.raises(GraphError, match=r"shape \(1, 2\) that Mul saved .* changed in place"):
        y.backward()


def test_a_saved_output_changed_in_place_is_noticed_too() -> None:
    x = Tensor([1.0], requires_grad=True)
    y = x.exp()
    with mytorch.no_grad():
        y.fill_(0.0)
    with pytest.raises(GraphError, match="Exp saved for"):
        y.backward()


class Faulty(Function):
    """Returns from backward whatever ``answer`` says."""

    answer: Any = None

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        return a.new(a.data * b.data)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return Faulty.answer


def test_a_wrong_number_of_gradients_names_the_operation() -> None:
    x, y = Tensor([1.0], requires_grad=True), Tensor([2.0], requires_grad=True)
    for count in (1, 3):
        Faulty.answer = (Tensor([1.0]),) * count
        with pytest.raises(TypeError, match=rf"Faulty.backward returned {count} gradient"):
            Faulty.apply(x, y).backward()
    Faulty.answer = (Tensor([1.0]), Tensor([1.0]), None)  # more Nones are fine, as in torch
    Faulty.apply(x, y).backward()


def test_a_gradient_of_the_wrong_shape_names_the_operation() -> None:
    x, y = Tensor([1.0], requires_grad=True), Tensor([2.0], requires_grad=True)
    Faulty.answer = (Tensor([1.0]), Tensor([[1.0]]))
    with pytest.raises(ShapeError, match=r"Faulty.backward .* \(1, 1\) for .* \(1,\)"):
        Faulty.apply(x, y).backward()


def test_an_operation_that_returns_its_input_leaves_the_input_alone() -> None:
    class Same(Function):
        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            return a

        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            return grad_output * 10

    x = Tensor([1.0], requires_grad=True)
    y = Same.apply(x)
    assert y is not x and x.is_leaf and x.grad_fn is None
    y.backward()
    assert x.grad.item() == 10.0


def test_context_keeps_tensors_and_attributes_and_refuses_other_things() -> None:
    ctx = ContextManager()
    x, y = Tensor([1.0]), Tensor([2.0])
    ctx.save_for_backward(x, y)
    ctx.axis = 3
    assert (ctx.saved_tensors, ctx.axis) == ((x, y), 3)
    with pytest.raises(TypeError, match="takes Tensors, not ndarray"):
        ctx.save_for_backward(np.ones(2))


def test_requires_grad_is_for_floating_leaves() -> None:
    with pytest.raises(TypeError, match="this one is int64"):
        Tensor(np.arange(3), requires_grad=True)
    with pytest.raises(RuntimeError, match="this one is int64"):
        Tensor(np.arange(3)).requires_grad = True
    x = Tensor([1.0]).requires_grad_()
    assert (x * 2).requires_grad
    with pytest.raises(GraphError, match="result of Mul"):
        (x * 2).requires_grad = False


def test_nodes_print_their_operation() -> None:
    x = Tensor([1.0], requires_grad=True)
    y = x * 2
    assert isinstance(y.grad_fn, BackwardFunction)
    assert repr(y.grad_fn) == "<MulBackward>"
    assert repr(y.grad_fn.next_functions[0]) == "<AccumulateGrad of (1,)>"


def test_infinite_and_nan_gradients_are_silent_as_in_torch() -> None:
    x = Tensor([0.0, 1.0], requires_grad=True)
    (x**0.5 * Tensor([0.0, 1.0])).sum().backward()  # 0 * inf; a warning would be an error here
    assert np.isnan(x.grad.data[0]) and x.grad.data[1] == 0.5


class Remembered(Function):
    """The identity, whose backward tells where its gradient lies, and may keep it."""

    keeps = False
    kept: Any = None
    address = 0

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return a.new(a.data.copy())

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        array = grad_output.data * 2
        Remembered.address = array.ctypes.data
        Remembered.kept = array if Remembered.keeps else None
        return grad_output.new(array)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_gradient_becomes_the_leafs_without_a_copy_if_nobody_else_holds_it(keeps, monkeypatch):
    monkeypatch.setattr(Remembered, "keeps", keeps)
    x = Tensor(np.ones(3), requires_grad=True)
    Remembered.apply(x).backward()
    assert (x.grad.data.ctypes.data == Remembered.address) is not keeps
    x.grad.zero_()
    assert not keeps or (Remembered.kept == 2).all()


def test_leaves_that_get_one_gradient_do_not_share_it():
    x, y = (Tensor(np.ones(3), requires_grad=True) for _ in range(2))
    seed = Tensor(np.ones(3))
    (x + y).backward(seed)
    for first, second in ((x.grad, y.grad), (x.grad, seed), (y.grad, seed)):
        assert not np.shares_memory(first.data, second.data)


def test_a_saved_tensor_that_was_detached_in_place_is_noticed() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    z = (y * y * x).sum()
    y.detach_()
    with pytest.raises(GraphError, match=r"changed in place 1 time\(s\) since \(detach_"):
        z.backward()
