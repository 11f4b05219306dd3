"""Factories and conversions beside torch: what every form of their arguments gives, or raises."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.errors import ArgumentError, DtypeError, GraphError, ShapeError
from mytorch.tensor import Tensor


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def float32_by_default() -> Iterator[None]:
    mytorch.set_default_dtype(np.float32)
    yield
    mytorch.set_default_dtype(np.float64)


# Calls by the name of what they are about, several a line; m is mytorch, and then torch.
CALLS = {
    "tensor": """
m.tensor(1); m.tensor(1.5); m.tensor(True); m.tensor([1, 2]); m.tensor((1, 2.5))
m.tensor([True, 2]); m.tensor([True, 2.5]); m.tensor([]); m.tensor([[], []]); m.tensor(range(3))
m.tensor(data=[1]); m.tensor([range(2), range(2)]); m.tensor([[1.0, nan], [inf, -2]])
m.tensor([], dtype=m.int64); m.tensor(np.float32(1)); m.tensor(np.float64(1))
m.tensor(np.bool_(True)); m.tensor(np.int8([1, 2])); m.tensor([np.float32(1)])
m.tensor([np.float32(1), 2.0]); m.tensor([np.float64(1), 2]); m.tensor([np.int8(1), np.int8(2)])
m.tensor([np.int8(1), True]); m.tensor([np.int8(1), 2]); m.tensor([m.tensor(1.0), m.tensor(2)])
m.tensor([m.ones(2)[0], 2]); m.tensor(m.tensor([1, 2]))
m.tensor([[m.tensor(1.0, dtype=m.float64), 2.0], [3, m.tensor(4)]]); m.tensor(m.ones(2, 2)[0])
m.tensor(1.5, dtype=m.int64); m.tensor(-2.9, dtype=m.int8); m.tensor(-1, dtype=m.uint8)
m.tensor(0.5, dtype=m.bool); m.tensor([nan, 0.0], dtype=m.bool); m.tensor(1e10, dtype=m.float16)
m.tensor(1e300, dtype=m.float32); m.tensor(2**70, dtype=m.float64); m.tensor([2**70, 1.5])
m.tensor(2**63 - 1); m.tensor(-(2**63)); m.tensor(2**63, dtype=m.float32)
m.tensor(1.0, dtype=float); m.tensor(1.0, dtype=int); m.tensor(1.0, dtype=bool)
m.tensor(np.array([300]), dtype=m.uint8); m.tensor([1.0], requires_grad=True)
m.tensor([1], dtype=m.float32, requires_grad=True); m.tensor(1.0, device="cpu")
m.tensor(1.0, device=m.device("cpu")); m.tensor(m.ones(2, requires_grad=True) * 2).requires_grad
m.tensor(300, dtype=m.uint8); m.tensor([300], dtype=m.uint8); m.tensor(-300, dtype=m.uint8)
m.tensor(200, dtype=m.int8); m.tensor(300.5, dtype=m.uint8); m.tensor(nan, dtype=m.int64)
m.tensor(inf, dtype=m.int32); m.tensor(2**63); m.tensor([2**63]); m.tensor(2**70)
m.tensor([[1, 2], [3]]); m.tensor("a"); m.tensor(None); m.tensor([None]); m.tensor({})
m.tensor({1}); m.tensor(x for x in [1]); m.tensor(1, requires_grad=True); m.tensor(1.0, dtype="x")
m.tensor(); m.tensor(1.0, device=3.5); m.tensor(1.0, device="foo")
""",
    "as_tensor": """
m.as_tensor([1, 2]); m.as_tensor([1.5], dtype=m.int64); m.as_tensor(np.zeros(2))
m.as_tensor(data=3); m.as_tensor(m.ones(2, requires_grad=True) * 2).requires_grad
m.as_tensor(np.float32(2))
m.as_tensor(m.ones(2, requires_grad=True), dtype=m.float64).requires_grad
m.as_tensor(np.zeros(2), dtype=m.int8); m.as_tensor("a"); m.as_tensor(1, device="foo")
m.asarray([1, 2.0], dtype=m.int32); m.asarray(np.float64(3)); m.asarray(3); m.asarray(np.zeros(2))
m.asarray(m.ones(2, requires_grad=True), requires_grad=False).requires_grad
m.asarray(m.ones(2, requires_grad=True) * 2, requires_grad=True).is_leaf
m.asarray(m.ones(2), requires_grad=True).requires_grad; m.asarray([1.0], requires_grad=True)
m.asarray(np.zeros(2), copy=True); m.asarray(np.zeros(2), copy=False)
m.asarray(np.zeros(2), copy=False, dtype=m.float32); m.asarray([1.0], copy=False)
m.asarray([1], requires_grad=True); m.from_numpy(np.arange(3)); m.from_numpy(np.ones((2, 0), bool))
m.from_numpy(np.float64(3))
""",
    "filled": """
m.zeros(2, 3); m.zeros((2, 3)); m.zeros([2, 3]); m.zeros(size=(2,)); m.zeros(m.Size([2]))
m.zeros(()); m.zeros(m.tensor(2)); m.zeros((m.tensor(2), np.int64(2))); m.zeros(2, device="cpu:0")
m.zeros(0, 3); m.zeros(2, dtype=m.float16, requires_grad=True); m.ones(2, dtype=m.bool)
m.ones(3, dtype=m.uint8); m.empty(0, 3); m.empty((0,), dtype=m.int32); m.zeros(None)
m.zeros(2, foo=1); m.zeros([2.0]); m.full((2,), 1.0); m.full((2,), 1); m.full((2,), True)
m.full((2, 0), nan); m.full([], 1.0); m.full(size=(2,), fill_value=2.5, dtype=m.int64)
m.full((2,), m.tensor(2.5)); m.full((), np.int8(2)); m.full((2,), m.tensor(2))
m.full((2,), np.float32(2)); m.full((2,), inf, dtype=m.float16); m.full((2,), -1, dtype=m.uint8)
m.full((2,), 2, dtype=m.bool); m.full((2,), 1.0, requires_grad=True)
m.full((2,), 2, requires_grad=True); m.full((2,), m.ones(2)); m.full((2,), None); m.full((-1,), 1)
m.eye(3); m.eye(2, 3); m.eye(2, m=3, dtype=m.int64); m.eye(0); m.eye(3, dtype=m.bool); m.eye(True)
m.eye(2, requires_grad=True)
""",
    "like": """
m.zeros_like(m.ones(2, requires_grad=True)); m.zeros_like(m.ones(2), requires_grad=True)
m.zeros_like(m.ones(2), dtype=m.int64); m.ones_like(m.zeros(2, 3, dtype=m.uint8)); m.zeros_like()
m.full_like(m.zeros(2), 2); m.full_like(m.zeros(2, dtype=m.int64), 2.5); m.full_like([1.0], 1)
m.full_like(m.zeros(2, dtype=m.int64), True); m.full_like(m.zeros(2), m.tensor(2))
m.full_like(m.zeros(2), 1, dtype=m.bool); m.full_like(m.zeros(2, dtype=m.uint8), 300)
m.empty_like(m.zeros(0, 3)); m.empty_like(m.ones(2, 3)).shape; m.ones_like(m.ones(2), device="cpu")
m.zeros_like(m.zeros(2, dtype=m.int64), requires_grad=True); m.ones(2).new_zeros(2, 3)
m.ones(2).new_zeros((2, 3), dtype=m.int64); m.ones(2).new_ones(size=(2,))
m.ones(2).new_full((2,), 3); m.zeros(2, dtype=m.int64).new_full((2,), 3.5)
m.ones(2).new_empty(2, 0); m.ones(2).new_tensor([1, 2])
m.zeros(2, dtype=m.int64).new_tensor([1.5, 2])
m.zeros(2, dtype=m.int64).new_tensor(m.tensor([1.5, 2])); m.ones(2).new_tensor(np.array([1, 2]))
m.ones(2).new_tensor(2.5, requires_grad=True); m.ones(2).new_ones(2, requires_grad=True)
m.zeros(2, dtype=m.uint8).new_full((2,), 300); m.zeros(2, dtype=m.uint8).new_tensor([300])
m.zeros(2, dtype=m.int64).new_ones(2, requires_grad=True); m.ones(2).new_zeros(-1)
m.ones(2).new_zeros(2, dtype="x")
""",
    "sequences": """
m.arange(5); m.arange(5.0); m.arange(1, 4); m.arange(1, 2.5, 0.5); m.arange(0, 1, 0.1)
m.arange(3, 3); m.arange(5, 0, -1); m.arange(end=3); m.arange(start=1, end=3)
m.arange(0, 3, step=2); m.arange(2, end=5); m.arange(m.tensor(3)); m.arange(m.tensor(3.0))
m.arange(np.int64(3)); m.arange(np.float32(3)); m.arange(True); m.arange(0, 2.5, dtype=m.int64)
m.arange(300, dtype=m.uint8); m.arange(0.5, 3.5, 1, dtype=m.int64)
m.arange(0.9, 3.5, dtype=m.uint8); m.arange(3, dtype=m.float16); m.arange(2**53, 2**53 + 3)
m.arange(2**63 - 2, 2**63 - 1); m.arange(-0.5, 3.5); m.arange(0, -1, -0.25)
m.arange(3.0, requires_grad=True); m.arange(10, 0, -3); m.arange(1, 10, 3); m.arange(3.5)
m.arange(0, 5, -1); m.arange(0, nan); m.arange(start=1); m.arange(3, requires_grad=True)
m.linspace(0, 1, 5); m.linspace(0, 1, 0); m.linspace(3, 1, 1); m.linspace(5, 5, 4)
m.linspace(0, 1, steps=3, dtype=m.int64); m.linspace(10, 0, 4, dtype=m.int64)
m.linspace(0.7, 3.5, 4, dtype=m.int64); m.linspace(m.tensor(0.0), 1, 3); m.linspace(0, inf, 3)
m.linspace(start=0, end=1, steps=3); m.linspace(-3, 3, 7, dtype=m.float16)
m.linspace(0, 1, 3, requires_grad=True); m.linspace(0, 1); m.linspace(0, 1, True)
m.logspace(0, 2, 3); m.logspace(0, 2, 3, base=2); m.logspace(0, 2, 3, 2); m.logspace(1, 2, 1)
m.logspace(0, 2, 0); m.logspace(0, 3, 6, dtype=m.int64); m.logspace(0, 1, 3, -2)
m.logspace(0, 1, 3, base=0); m.logspace(0, 400, 2); m.logspace(0.7, 3.5, 4, dtype=m.int64)
m.logspace(0, 1, 2, dtype=m.bool)
""",
    "conversions": """
m.tensor([1.5, -3.0]).to(m.int64); m.tensor([1.5]).to(m.zeros(1).double()); m.tensor([1.5]).to()
m.tensor([1.5]).to("cpu", m.float64); m.tensor([1.5]).to(device="cpu", dtype=m.int64)
m.tensor([1.5]).to(m.float64, True, True); m.tensor([1.5]).to(float); m.tensor([1.5]).to(None)
m.tensor([1.5]).to(m.device("cpu")); m.tensor([1.5]).to(m.float64, non_blocking=True)
m.tensor([1.5]).to(dtype=None); m.tensor([1.5]).to("foo"); m.tensor([1.5]).to(m.float64, foo=1)
m.tensor([1.5]).to(3); m.tensor([1.5]).type(m.int64); m.tensor([1.5]).type("torch.LongTensor")
m.tensor([1.5]).type("foo"); m.tensor([1.5]).type_as(m.tensor(3)); m.tensor([1.5]).type_as(3)
[getattr(m.tensor([1.5, 300.0]), k)() for k in "half float double short int long bool".split()]
[getattr(m.tensor([1.5, 100.0]), k)() for k in "char byte".split()]
[getattr(m.ones(2), k)().type().split(".")[1] for k in "half float double short int long".split()]
[getattr(m.ones(2), k)().type().split(".")[1] for k in "char byte bool".split()]
[getattr(m.ones(2, requires_grad=True), k)().requires_grad for k in "half double long bool".split()]
[getattr(m.ones(2, 3), k)() for k in "element_size ndimension nelement numel dim".split()]
[getattr(m.ones(2, 3).half(), k) for k in "nbytes itemsize ndim is_cuda".split()]
[getattr(m.ones(2), k)() for k in "is_floating_point is_signed is_complex".split()]
[m.ones(2, dtype=d).is_signed() for d in (m.bool, m.uint8, m.int8, m.float16)]; m.ones(2).cpu()
m.ones(2, requires_grad=True).tolist(); m.ones(1, 1, requires_grad=True).item(); m.ones(2).item()
m.zeros(0).item(); m.ones(2).device; m.tensor(m.ones(2, requires_grad=True).numpy(force=True))
""",
    "sizes": """
m.zeros(2, 3).shape; m.zeros(2, 3).size(); m.zeros(2, 3).shape[1:]; m.zeros(2, 3).shape + (1,)
(1,) + m.zeros(2, 3).shape; m.zeros(2, 3).shape * 2; 2 * m.zeros(2, 3).shape
m.zeros(2, 3).shape[-1]; m.zeros(2, 3).shape.numel(); m.zeros(2, 3).shape[:0].numel(); m.Size()
m.Size((2, m.tensor(3))); m.Size([True]); m.zeros(2, 3).shape == (2, 3)
m.zeros(2, 3).shape.index(3); hash(m.Size((2, 3))); m.zeros(2, 3).size(-1)
m.zeros(2, 3).size(dim=0); m.zeros(2, 3).size(2); m.Size([2.5]); m.Size(2); m.zeros(2).shape + [1]
[2, *m.zeros(3).shape]; m.zeros(()).shape
""",
    "devices": """
str(m.device("cpu")); m.device("cpu", 0); m.device("cpu:0").index; m.device("cpu").type
m.device("cpu") == "cpu"; m.device("cpu") == m.device("cpu:0"); m.device("cpu") == m.device("cpu")
m.device(m.device("cpu")); hash(m.device("cpu")) == hash(m.device("cpu")); m.device("foo")
m.device(3.5); m.get_default_device(); m.cuda.is_available(); m.cuda.device_count()
m.backends.mps.is_available(); m.backends.cudnn.is_available(); m.accelerator.is_available()
m.set_default_device("cpu"); m.set_default_device("foo")
""",
    "in place": """
m.zeros(3, 3).fill_diagonal_(2); m.zeros(5, 2).fill_diagonal_(1, wrap=True)
m.zeros(0, 3).fill_diagonal_(1); m.zeros(5, 2).fill_diagonal_(1)
m.zeros(2, 5).fill_diagonal_(1, wrap=True); m.zeros(7, 3).fill_diagonal_(1, True)
m.zeros(2, 2, 2).fill_diagonal_(1); m.zeros(2, 2).fill_diagonal_(m.tensor(1.0))
m.zeros(2, 2, dtype=m.int64).fill_diagonal_(1.5); m.zeros(2, 2).fill_diagonal_(fill_value=1.5)
m.zeros(2, 2, 3).fill_diagonal_(1); m.zeros(3).fill_diagonal_(1)
m.zeros(2, dtype=m.int64).fill_(2.7); m.zeros(2, 2, dtype=m.uint8).fill_diagonal_(300)
m.zeros(2).fill_(2); m.zeros(2).fill_(m.tensor(3)); m.zeros(2, dtype=m.float32).fill_(1e300)
m.zeros(2, dtype=m.uint8).fill_(300); m.zeros(2).fill_(inf)
(m.ones(2, 2, requires_grad=True) * 3).fill_diagonal_(1).requires_grad
""",
}  # fmt: skip
ALL = [
    pytest.param(call.strip(), id=call.strip())
    for text in CALLS.values()
    for line in text.strip().splitlines()
    for call in line.split("; ")
]


def outcome(m: Any, call: str) -> Any:
    """Return what a call gives, as text without the library's name; or the error."""
    try:
        result = eval(call, {"m": m, "np": np, "nan": float("nan"), "inf": float("inf")})
    except Exception as error:
        return error
    return repr(result).replace("mytorch.", "").replace("torch.", "")


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch advises against tensor(tensor)
@pytest.mark.usefixtures("float32_by_default")
@pytest.mark.parametrize("call", ALL)
def test_every_form_of_a_call_does_what_torchs_does(torch: Any, call: str) -> None:
    ours, theirs = outcome(mytorch, call), outcome(torch, call)
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), f"{ours!r}; torch: {theirs!r}"
    else:
        assert ours == theirs


# ------------------------------------------------------------------------------ whose memory


def test_tensor_copies_and_from_numpy_shares() -> None:
    array = np.arange(3.0)
    copied = [mytorch.tensor(array), Tensor(array), mytorch.asarray(array, copy=True)]
    shared = [mytorch.from_numpy(array), mytorch.as_tensor(array), mytorch.asarray(array)]
    array[0] = 7
    assert [t.data[0] for t in copied] == [0, 0, 0] and [t.data[0] for t in shared] == [7, 7, 7]
    shared[0].add_(1)
    assert array.tolist() == [8, 2, 3] and shared[1].numpy() is shared[1].data
    t = mytorch.ones(2)
    assert mytorch.as_tensor(t) is t and mytorch.asarray(t) is t
    assert mytorch.tensor(t).data is not t.data
    for other in (mytorch.as_tensor(t, dtype=np.float32), mytorch.asarray(t, copy=True)):
        assert not np.shares_memory(other.data, t.data)
    backwards = mytorch.from_numpy(array[::-1])
    assert backwards.tolist() == [3, 2, 8] and np.shares_memory(backwards.data, array)


def test_new_tensors_share_nothing_and_keep_the_layout_of_their_model() -> None:
    t = mytorch.ones(3, 2).transpose(0, 1)
    for made in (mytorch.zeros_like(t), mytorch.ones_like(t), mytorch.empty_like(t)):
        assert made.data.flags.f_contiguous and made.data.flags.owndata  # as t, and torch
    for made in (mytorch.full_like(t, 2), t.new_zeros(2), t.new_full((2,), 1), mytorch.eye(2)):
        assert made.data.flags.owndata and made.data.flags.writeable
    assert mytorch.full((2, 2), 3).fill_(1).tolist() == [[1, 1], [1, 1]]


def test_conversions_that_change_nothing_return_the_tensor_itself() -> None:
    t = mytorch.ones(2)
    for same in (
        *(t.double(), t.to("cpu"), t.to(np.float64), t.to(t), t.to(), t.cpu(), t.type(np.float64)),
        *(t.type_as(t), t.astype(float), t.to(dtype=None, device=mytorch.device("cpu"))),
    ):
        assert same is t
    copied = t.to(np.float64, copy=True)
    assert copied is not t and not np.shares_memory(copied.data, t.data)
    w = mytorch.ones(2, requires_grad=True)
    (w.to(np.float32).to("cpu", copy=True) * 3).sum().backward()
    assert w.grad.tolist() == [3, 3] and w.grad.dtype == np.float64


def test_there_is_only_the_cpu_and_errors_say_so() -> None:
    t = mytorch.ones(2)
    for call in (
        *(lambda: mytorch.device("cuda"), lambda: mytorch.device("cpu", 1)),
        *(lambda: mytorch.device("cuda", 3), lambda: mytorch.device(0), lambda: t.cuda()),
        *(lambda: t.to("cuda:1"), lambda: t.to(0), lambda: mytorch.zeros(2, device="cuda")),
        *(lambda: mytorch.tensor(1, device="mps"), lambda: t.new_zeros(2, device="cuda")),
        *(lambda: mytorch.Generator("cuda"), lambda: mytorch.set_default_device("cuda")),
        *(lambda: mytorch.rand(2, device="cuda"), lambda: mytorch.as_tensor(1, device="cuda")),
    ):
        with pytest.raises(RuntimeError, match="on the CPU alone"):
            call()
    device = mytorch.device("cuda" if mytorch.cuda.is_available() else "cpu")
    with device:
        made = mytorch.rand(2, device=device).to(device)
    assert made.device == device == mytorch.get_default_device() and made.device.type == "cpu"
    mytorch.cuda.manual_seed_all(3)
    mytorch.cuda.synchronize()
    mytorch.backends.cudnn.deterministic = True
    assert mytorch.accelerator.current_accelerator() is None
    with pytest.raises(DtypeError, match=r"no such dtype; use half\(\) or float\(\)"):
        t.bfloat16()


# ------------------------------------------------------------------------------ what is made


def test_what_factories_make_is_a_leaf_with_an_array_of_its_own_dtype() -> None:
    for made in (
        *(mytorch.zeros(()), mytorch.full((), 1.0), mytorch.eye(0), mytorch.arange(0)),
        *(mytorch.tensor(1.0), mytorch.linspace(0, 1, 0), mytorch.ones(2, requires_grad=True)),
        *(mytorch.as_tensor(np.float32(1)), mytorch.zeros(2).new_full((), 3)),
    ):
        assert type(made) is Tensor and type(made.data) is np.ndarray
        assert made.is_leaf and made.grad_fn is None and made.grad is None
        assert not made.is_parameter
    w = mytorch.linspace(0, 1, 3, requires_grad=True)
    (w * w).sum().backward()
    assert w.grad.tolist() == [0, 1, 2]


def test_values_of_sequences_do_not_drift() -> None:
    np.testing.assert_array_equal(mytorch.arange(1, 2, 1e-6).data, 1 + 1e-6 * np.arange(1_000_000))
    x = mytorch.linspace(-1, 1, 1001).data
    np.testing.assert_array_equal(x, -x[::-1])  # counted from the nearer end
    assert x[0] == -1 and x[-1] == 1 and x[500] == 0
    assert mytorch.arange(2**62, 2**62 + 3).tolist() == [2**62, 2**62 + 1, 2**62 + 2]


def test_fill_diagonal_gives_gradients_to_the_others() -> None:
    leaf = mytorch.ones(2, 3, requires_grad=True)
    x = leaf * 2
    assert x.fill_diagonal_(5) is x
    x.sum().backward()
    assert leaf.grad.tolist() == [[0, 2, 2], [2, 0, 2]]


def test_messages_name_the_function_and_the_argument() -> None:
    for call, error, message in (
        (lambda: mytorch.tensor([300], dtype=np.uint8), DtypeError, "300 does not fit into uint8"),
        (lambda: mytorch.tensor([[1], [2, 3]]), ShapeError, "differ in length or in depth"),
        (lambda: mytorch.tensor(2**63), ValueError, "does not fit into int64; use dtype=float"),
        (lambda: mytorch.tensor(None), DtypeError, r"not object \(from NoneType\)"),
        (lambda: mytorch.zeros(2).new_zeros(2.5), TypeError, "new_zeros: each size must be an int"),
        (lambda: mytorch.zeros(2).new_zeros(-1), ArgumentError, "new_zeros: .* got -1"),
        (lambda: mytorch.zeros(2).type("x"), ValueError, "none of the names of types: DoubleT"),
        (
            lambda: mytorch.zeros(2, dtype=int).fill_(2**70),
            DtypeError,
            "fill_: 1180591620717411303",
        ),
        (lambda: mytorch.zeros(2).item(), ShapeError, "exactly one element; this one has 2"),
        (lambda: mytorch.ones(2, requires_grad=True).numpy(), GraphError, "detach"),
        (lambda: mytorch.zeros(3).fill_diagonal_(1), ShapeError, r"needs a matrix.* not \(3,\)"),
        (lambda: mytorch.zeros(2).to(3.5), TypeError, "to: dtype must be a dtype"),
        (lambda: mytorch.asarray([1.0], copy=False), ValueError, "this list must be copied"),
    ):
        with pytest.raises(error, match=message):
            call()
    assert mytorch.zeros(1).fill_(2**70).tolist() == [2.0**70]


def test_a_size_is_a_tuple_that_prints_as_one_in_messages() -> None:
    size = mytorch.zeros(2, 3).shape
    assert isinstance(size, tuple) and type(size) is mytorch.Size and size == (2, 3)
    assert repr(size) == "mytorch.Size([2, 3])" and str(size) == f"{size}" == "(2, 3)"
    assert eval(repr(size)) == size and {size: 1}[(2, 3)] == 1
    for other in (pickle.loads(pickle.dumps(size)), copy.deepcopy(size)):
        assert other == size and type(other) is mytorch.Size
    assert np.zeros(size).shape == (2, 3) and type(np.zeros(size).shape) is tuple
    assert mytorch.zeros(size).shape.numel() == 6
    with pytest.raises(TypeError):
        size[0] = 1  # type: ignore[index]
