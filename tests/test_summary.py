"""``mytorch.summary``: its numbers beside those counted by hand, by torch and by tracemalloc."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch import nn
from mytorch.autograd.checkpoint import checkpoint
from mytorch.autograd_engine import Function
from mytorch.model_summary import summary
from mytorch.nn.module import Module, Parameter
from mytorch.tensor import Tensor

F32 = np.float32


class Conv(nn.Module):
    """A convolution that the library does not know of as a layer."""

    def __init__(self, size_in: int, size_out: int, kernel: int, padding: int = 0):
        super().__init__()
        self.weight = Parameter(np.zeros((size_out, size_in, kernel, kernel), F32))
        self.bias = Parameter(np.zeros(size_out, F32))
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, padding=self.padding)


class Call(nn.Module):
    """A layer made of a function, without parameters."""

    def __init__(self, function: Callable[..., Any]):
        super().__init__()
        self.function = function

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def lenet() -> nn.Sequential:
    pool = lambda x: F.max_pool2d(x, 2)  # noqa: E731
    return nn.Sequential(
        *(Conv(1, 6, 5, 2), nn.Tanh(), Call(pool)),
        *(Conv(6, 16, 5), nn.Tanh(), Call(pool), Call(lambda x: x.flatten(1))),
        *(nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)),
    ).to(F32)


# ------------------------------------------------------------------------------ the numbers


def test_a_perceptron_costs_what_is_counted_by_hand() -> None:
    model = nn.Sequential(nn.Linear(784, 20), nn.ReLU(), nn.Linear(20, 10, bias=False)).to(F32)
    found = summary(model, (100, 784))
    columns = [(r.path, r.kind, r.shape, r.parameters, r.multiply_adds, r.bytes_kept)
               for r in found.rows]  # fmt: skip
    assert columns == [
        ("", "Sequential", (100, 10), 0, 0, 0),
        ("0", "Linear", (100, 20), 784 * 20 + 20, 100 * 784 * 20, 4 * 100 * 784),  # its input
        ("1", "ReLU", (100, 20), 0, 0, 4 * 100 * 20),  # its result, which 2 keeps as well
        ("2", "Linear", (100, 10), 200, 100 * 20 * 10, 0),
    ]
    assert found.parameters == found.trainable_parameters == 15_900
    assert found.multiply_adds == 1_588_000 and found.bytes_kept == 4 * 80_400


def test_lenet_costs_what_is_counted_by_hand() -> None:
    found = summary(lenet(), (2, 1, 28, 28))
    by_path = {row.path: row for row in found.rows}
    assert [by_path[path].shape for path in ("0", "2", "3", "5", "6", "11")] == [
        *((2, 6, 28, 28), (2, 6, 14, 14), (2, 16, 10, 10), (2, 16, 5, 5), (2, 400), (2, 10)),
    ]
    convolutions = 2 * 28 * 28 * 6 * 25, 2 * 10 * 10 * 16 * 6 * 25
    assert (by_path["0"].multiply_adds, by_path["3"].multiply_adds) == convolutions
    assert found.parameters == 61_706
    assert found.multiply_adds == sum(convolutions) + 2 * (400 * 120 + 120 * 84 + 84 * 10)


def test_bytes_kept_are_those_that_are_there_after_the_call() -> None:
    model, x = lenet(), Tensor(np.ones((64, 1, 28, 28), F32))
    model(x)
    gc.collect()
    tracemalloc.start()
    output = model(x)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    found = summary(model, x).bytes_kept + output.data.nbytes - x.data.nbytes
    assert found == pytest.approx(held, rel=0.02)


def mixed(m: Any) -> Any:
    """Products of several kinds, of both libraries."""
    f = m.nn.functional

    def run(x: Any, w: Any, v: Any) -> Any:  # (2, 4, 6, 6), (6, 2, 3, 3), (4, 3, 2, 2)
        y = f.conv2d(x, w, stride=2, padding=1, groups=2)
        z = f.conv_transpose2d(x, v, stride=2)
        rows = m.einsum("nchw,ndhw->ncd", x, x) @ m.ones(4, 5, dtype=m.float64)
        q = x.reshape(2, 4, 9, 4)
        return y, z, rows, f.scaled_dot_product_attention(q, q, q)

    return run


def test_multiply_adds_are_half_of_what_torch_counts() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    shapes = (2, 4, 6, 6), (6, 2, 3, 3), (4, 3, 2, 2)
    layer = {"d_model": 8, "nhead": 2, "dim_feedforward": 16}
    for mine, theirs, given in (
        (Call(mixed(mytorch)), mixed(torch), shapes),
        (nn.TransformerEncoderLayer(**layer), torch.nn.TransformerEncoderLayer(**layer).double(),
         ((3, 5, 8),)),
        (nn.TransformerDecoderLayer(**layer), torch.nn.TransformerDecoderLayer(**layer).double(),
         ((3, 5, 8), (4, 5, 8))),
        (nn.MultiheadAttention(8, 2, kdim=3, vdim=4, add_bias_kv=True),
         torch.nn.MultiheadAttention(8, 2, kdim=3, vdim=4, add_bias_kv=True).double(),
         ((3, 5, 8), (7, 5, 3), (7, 5, 4))),
    ):  # fmt: skip
        counter = FlopCounterMode(display=False)
        with counter, sdpa_kernel(SDPBackend.MATH):  # it does not know the fused kernel
            theirs(*[torch.ones(shape, dtype=torch.float64) for shape in given])
        found = summary(mine, *given)
        assert 2 * found.multiply_adds == counter.get_total_flops() > 0
        if isinstance(theirs, torch.nn.Module):
            assert found.parameters == sum(p.numel() for p in theirs.parameters())


@pytest.mark.skipif(not hasattr(nn, "LSTM"), reason="there are no recurrent layers")
def test_a_recurrent_layer_costs_its_products_and_returns_its_states() -> None:
    found = summary(nn.LSTM(3, 5, num_layers=2, bidirectional=True), (7, 2, 3))
    per_row = 2 * 20 * (3 + 5) + 2 * 20 * (10 + 5)
    assert found.multiply_adds == 7 * 2 * per_row
    assert found.rows[0].shape == ((7, 2, 10), ((4, 2, 5), (4, 2, 5)))


# ------------------------------------------------------------------------------ the rows


def test_layers_in_layers_have_paths_and_count_for_themselves_alone() -> None:
    found = summary(nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2), (5, 3, 8))
    by_path = {row.path: row for row in found.rows}
    assert list(by_path)[:5] == ["", "layers", "layers.0", "layers.0.self_attn",
                                 "layers.0.self_attn.out_proj"]  # fmt: skip
    attention = by_path["layers.1.self_attn"]
    assert attention.shape == ((5, 3, 8), None)  # no weights were asked for
    assert attention.parameters == 24 * 8 + 24
    # it computes with the weights of out_proj, and does not call it
    assert attention.multiply_adds == 15 * 8 * 24 + 3 * 2 * 5 * 5 * (4 + 4) + 15 * 8 * 8
    assert by_path["layers.1.self_attn.out_proj"].calls == 0
    assert by_path["layers.1.self_attn.out_proj"].parameters == 72
    assert by_path[""].parameters == by_path[""].multiply_adds == 0
    assert found.parameters == 2 * (4 * 72 + 2 * 8 * 16 + 16 + 8 + 32)


class Tied(nn.Module):
    """Calls one layer twice, another, which shares its weight, once, and a third never."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.again = self.first
        self.second = nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.frozen = nn.Linear(4, 2).requires_grad_(False)

    def forward(self, x: Tensor) -> Any:
        y = self.again(self.first(x)[:3])
        return {"y": self.second(y), "states": (x, [y, 1])}


def test_layers_called_twice_and_shared_weights_count_once() -> None:
    found = summary(Tied(), (5, 4))
    rows = {row.path: row for row in found.rows}
    assert list(rows) == ["", "first", "second", "frozen"]
    assert rows["first"].calls == 2 and rows["first"].shape == (3, 4)
    assert rows["first"].multiply_adds == (5 + 3) * 16
    assert (rows["first"].parameters, rows["second"].parameters) == (20, 4)
    assert rows["frozen"].calls == 0 and rows["frozen"].shape is None
    assert (found.parameters, found.trainable_parameters) == (34, 24)
    assert rows[""].shape == {"y": (3, 4), "states": ((5, 4), ((3, 4), None))}
    text = str(found)
    assert "Linear (2 calls)" in text and "not called" in text
    assert text.endswith("24 of the parameters are trained") and repr(found) == text


def test_several_inputs_may_be_shapes_tensors_and_structures() -> None:
    def run(x: Tensor, indices: Tensor, states: Any, *, scale: Any) -> Any:
        assert x.dtype == np.float64 and indices.dtype == np.int64 and scale == 3
        return x[indices] + states[0], states[1][0] * scale

    found = summary(Call(run), (4, 2), Tensor([1, 1]), ((2, 2), [(3,)]), scale=3)
    assert found.rows[0].shape == ((2, 2), (3,))
    shapes = summary(Call(lambda x, y: y), (2,), y=(3, 1)).rows[0].shape
    assert shapes == (3, 1)


def test_numbers_are_of_the_dtype_of_the_parameters() -> None:
    found = summary(nn.Sequential(nn.Linear(4, 3)).to(F32), (2, 4))
    assert found.bytes_kept == 4 * 8


def test_memory_counts_once_and_what_is_dropped_does_not_count() -> None:
    def run(x: Tensor) -> Tensor:
        y = x.exp()  # keeps its result
        y.exp()  # which nobody uses: not kept
        return y.t() * y[1:2].t()  # keeps views of y: the same memory

    x = Tensor(np.ones((10, 10)), requires_grad=True)
    assert summary(Call(run), x).bytes_kept == 800
    assert summary(Call(run), Tensor(np.ones((10, 10)))).bytes_kept == 0  # nothing is recorded


def test_a_checkpoint_keeps_less_and_computes_as_much() -> None:
    inner = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 8))

    class Saving(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Tensor) -> Any:
            return checkpoint(self.inner, x)

    plain, saving = summary(inner, (16, 8)), summary(Saving(), (16, 8))
    assert saving.multiply_adds == plain.multiply_adds == 2 * 16 * 8 * 64
    assert saving.bytes_kept < plain.bytes_kept / 4


def test_dropout_is_as_in_the_models_mode() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    assert summary(model, (2, 4)).rows[2].bytes_kept > 0
    assert summary(model.eval(), (2, 4)).rows[2].bytes_kept == 0


# ------------------------------------------------------------------------------ the model


class Everything(nn.Module):
    """Changes whatever a forward pass may change, and then may fail."""

    def __init__(self, fails: bool):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.linear = nn.Linear(4, 4)
        self.late = Late()
        self.fails, self.calls, self.seen = fails, 0, []

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.seen.append(x)
        self.linear.weight.data *= 2
        self.linear.weight.mark_changed()
        self.added = nn.Linear(4, 4)
        y = self.added(self.late(self.linear(self.norm(x))) * np.random.rand())
        if self.fails:
            raise ValueError("as it was told to")
        return y


class Late(nn.Module):
    """Becomes a Linear when it is called."""

    def __call__(self, x: Tensor) -> Any:
        self.weight = Parameter(np.ones((4, x.shape[1])))
        self.bias = None
        self.__class__ = nn.Linear  # type: ignore[assignment]
        return self(x)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("is_train", [False, True])
def test_the_model_and_the_library_are_left_as_they_were(fails: bool, is_train: bool) -> None:
    model, seen = Everything(fails).train(is_train), []
    model.linear.register_forward_hook(lambda *_: seen.append(1))
    model.norm.eval()
    model.linear.weight.grad = Tensor(np.ones((4, 4)))
    state = {key: value.data.copy() for key, value in model.state_dict().items()}
    before = dict(vars(model)), dict(vars(model.linear)), np.random.get_state()[1].tolist()
    versions = [p.version for p in model.parameters()]
    runs = [operation.__dict__["_run"] for operation in Function.__subclasses__()], Module.__call__
    if fails:
        with pytest.raises(ValueError, match="as it was told to"):
            summary(model, (3, 4))
    else:
        rows = {row.path: row for row in summary(model, (3, 4)).rows}
        assert (rows["late"].kind, rows["late"].parameters) == ("Linear", 16)
        assert (rows["added"].shape, rows["added"].parameters) == ((3, 4), 20)
    after = dict(vars(model)), dict(vars(model.linear)), np.random.get_state()[1].tolist()
    assert after == before and model.seen == [] and type(model.late) is Late
    assert (model.is_train, model.norm.is_train) == (is_train, False)
    assert (model.linear.weight.grad.data == 1).all()
    assert [p.version for p in model.parameters()] == versions
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value.data, state[key])
    assert len(model.linear._hooks["forward"]) == 1
    now = [operation.__dict__["_run"] for operation in Function.__subclasses__()], Module.__call__
    assert now == runs


@pytest.mark.skipif(not hasattr(nn, "LazyLinear"), reason="there are no lazy layers")
def test_lazy_layers_stay_lazy() -> None:
    model = nn.Sequential(nn.LazyLinear(3), nn.ReLU(), nn.LazyLinear(2))
    found = summary(model, (5, 4))
    assert [row.parameters for row in found.rows] == [0, 15, 0, 8]
    assert type(model[0]) is nn.LazyLinear
    unused = Call(lambda x: x)
    unused.lazy = nn.LazyLinear(3)
    assert summary(unused, (5, 4)).parameters == 0


def test_other_threads_are_not_counted() -> None:
    def run(x: Tensor) -> Tensor:
        other = threading.Thread(target=lambda: nn.Linear(3, 3)(x @ x))
        other.start()
        other.join()
        return x @ x

    assert summary(Call(run), (3, 3)).multiply_adds == 27


def test_summaries_of_several_threads_take_turns() -> None:
    call, totals = Module.__call__, []
    model = nn.Sequential(*[nn.Linear(3, 3) for _ in range(20)])
    threads = [
        threading.Thread(target=lambda: totals.append(summary(model, (2, 3)).multiply_adds))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert totals == [20 * 18] * 4 and Module.__call__ is call


def test_a_summary_records_where_nothing_is_recorded() -> None:
    model = nn.Linear(3, 3)
    with mytorch.no_grad():
        assert summary(model, (2, 3)).bytes_kept == 48
        assert not mytorch.is_grad_enabled()


def test_what_cannot_be_summed_up_is_refused() -> None:
    with pytest.raises(TypeError, match="expects a Module, got function"):
        summary(lambda x: x, (2,))  # type: ignore[arg-type]
    model = Call(lambda x: x)
    model.lock = threading.Lock()
    with pytest.raises(TypeError, match="Call cannot be copied: cannot pickle"):
        summary(model, (2,))
    with pytest.raises(ValueError, match=r"linear: input \(2, 5\)"):
        summary(nn.Linear(3, 3), (2, 5))


def test_the_table_is_text_in_columns() -> None:
    lines = str(mytorch.summary(nn.Sequential(nn.Linear(784, 20)), (100, 784))).splitlines()
    assert lines[0].split() == ["layer", "class", "output", "parameters", "multiply-adds", "kept",
                                "for", "backward"]  # fmt: skip
    assert lines[3].split() == ["0", "Linear", "(100,", "20)", "15,700", "1,568,000", "612.5",
                                "KiB"]  # fmt: skip
    assert lines[-1].split() == ["total", "15,700", "1,568,000", "612.5", "KiB"]
    assert len({len(line) for line in lines}) == 1
