"""``Tensor``: construction, attributes, operators, conversions, printing, and its refusals."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.errors import DtypeError, GraphError, ShapeError
from mytorch.tensor import Tensor, cat


@pytest.fixture
def float32_default() -> Iterator[None]:
    mytorch.set_default_dtype(np.float32)
    yield
    mytorch.set_default_dtype(np.float64)


# ------------------------------------------------------------------------------ construction


def test_constructor_copies_and_keeps_the_dtype() -> None:
    source = np.arange(3, dtype=np.float32)
    tensor = Tensor(source)
    source[0] = 9
    assert tensor.data.tolist() == [0, 1, 2] and tensor.dtype == np.float32
    assert Tensor(1).dtype == np.int64 and Tensor(1.0).dtype == np.float64
    assert Tensor(3.0).data.shape == () and type(Tensor(3.0).data) is np.ndarray
    assert Tensor(np.float64(2.0)).data.shape == ()
    assert Tensor(tensor).data is not tensor.data
    assert Tensor([[1, 2], [3, 4]]).shape == (2, 2)


def test_attributes_have_the_contracts_defaults() -> None:
    tensor = Tensor([1.0])
    assert (tensor.requires_grad, tensor.is_leaf, tensor.is_parameter) == (False, True, False)
    assert tensor.grad is None and tensor.grad_fn is None
    assert Tensor([1.0], requires_grad=True, is_leaf=False).is_leaf is False
    assert Tensor([1.0], True, True, True).is_parameter is True
    assert type(tensor + 1).__name__ == "Tensor"


def test_data_can_be_assigned() -> None:
    tensor = Tensor([1.0, 2.0])
    tensor.data = np.zeros((3, 1))
    assert tensor.shape == (3, 1)


@pytest.mark.parametrize("data", ["text", None, object(), [object()]])
def test_what_is_no_number_is_refused(data: Any) -> None:
    with pytest.raises(TypeError, match="holds numbers"):
        Tensor(data)


def test_statics_use_the_default_dtype_and_the_global_generator() -> None:
    np.random.seed(3)
    drawn = Tensor.randn(2, 3)
    np.random.seed(3)
    np.testing.assert_array_equal(drawn.data, np.random.normal(0, 1, (2, 3)))
    assert Tensor.zeros(2, 3).data.tolist() == [[0.0] * 3] * 2
    assert Tensor.ones((2,)).dtype == np.float64 and Tensor.empty(4).shape == (4,)
    assert Tensor.arange(4).data.tolist() == [0, 1, 2, 3] and Tensor.arange(4).dtype == np.int64
    assert Tensor.arange(1, 2, 0.5).data.tolist() == [1.0, 1.5]
    assert type(Tensor.randn().data) is np.ndarray


def test_default_dtype_reaches_factories_and_python_floats(float32_default: None) -> None:
    for tensor in (Tensor(1.0), Tensor([0.5]), Tensor.ones(2), Tensor.randn(2), Tensor(1) / 2):
        assert tensor.dtype == np.float32
    assert Tensor(np.ones(2)).dtype == np.float64  # an array keeps its own
    assert mytorch.nn.Linear(2, 3)(Tensor.ones(4, 2)).dtype == np.float32
    with pytest.raises(TypeError, match="must be floating"):
        mytorch.set_default_dtype(np.int32)


def test_the_module_is_also_the_factory() -> None:
    assert isinstance(mytorch.tensor, types.ModuleType)
    assert mytorch.tensor([1, 2]).data.tolist() == [1, 2]
    made = mytorch.tensor([1, 2], dtype=np.float32, requires_grad=True)
    assert made.dtype == np.float32 and made.requires_grad


# -------------------------------------------------------------------------------- operators

OPERATORS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
}


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize(
    "other", [2, 2.5, True, np.float64(1.5), np.array([1.0, 2.0]), np.float32(0.5)], ids=repr
)
def test_scalars_and_arrays_work_on_either_side_and_give_gradients(name: str, other: Any) -> None:
    operator = OPERATORS[name]
    x = np.array([1.5, 0.5])
    for flip in (False, True):
        tensor = Tensor(x, requires_grad=True)
        result = operator(other, tensor) if flip else operator(tensor, other)
        expected = operator(other, x) if flip else operator(x, other)
        assert type(result) is Tensor
        np.testing.assert_allclose(result.data, expected, rtol=1e-12)
        result.backward()
        h = 1e-6
        slope = (operator(other, x + h) if flip else operator(x + h, other)) - (
            operator(other, x - h) if flip else operator(x - h, other)
        )
        np.testing.assert_allclose(tensor.grad.data, slope / (2 * h), rtol=1e-6)


def test_matmul_with_an_array_on_either_side() -> None:
    a, b = np.ones((2, 3)), np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal((a @ Tensor(b)).data, a @ b)
    np.testing.assert_array_equal((Tensor(a) @ b).data, a @ b)


@pytest.mark.parametrize("other", ["text", None, [1.0], (1.0,), {}])
def test_operands_that_are_no_numbers_are_refused(other: Any) -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        Tensor([1.0]) + other
    with pytest.raises(TypeError):
        other * Tensor([1.0])


def test_promotion_is_torchs() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    dtypes = ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"]
    for first in dtypes:
        for second in dtypes:
            for shapes in [((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())]:
                ours = [Tensor(np.ones(s, d)) for s, d in zip(shapes, (first, second), strict=True)]
                theirs = [
                    torch.ones(s, dtype=getattr(torch, d))
                    for s, d in zip(shapes, (first, second), strict=True)
                ]
                wanted = str((theirs[0] * theirs[1]).dtype).removeprefix("torch.")
                assert str((ours[0] * ours[1]).dtype) == wanted, (first, second, shapes)
        for scalar in (True, 2, 2.5):
            torch.set_default_dtype(torch.float64)
            try:
                wanted = str((torch.ones(2, dtype=getattr(torch, first)) * scalar).dtype)
            finally:
                torch.set_default_dtype(torch.float32)
            result = Tensor(np.ones(2, first)) * scalar
            assert str(result.dtype) == wanted.removeprefix("torch."), (first, scalar)


def test_float32_never_silently_becomes_float64() -> None:
    x = Tensor(np.ones((2, 2), np.float32), requires_grad=True)
    for result in (
        x + 1,
        1.5 * x,
        x / 3,
        x**2,
        2**x,
        x - Tensor([1, 2]),
        x.mean(),
        x.exp(),
        x.softmax(),
        x.max(1)[0],
        -x,
        x @ x,
    ):
        assert result.dtype == np.float32
        x.grad = None
        result.backward()
        assert x.grad.dtype == np.float32


def test_comparisons_give_boolean_tensors_without_history() -> None:
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    assert (x > 2).data.tolist() == [False, False, True]
    assert (x <= 2).data.tolist() == [True, True, False]
    assert (x == Tensor([1.0, 0.0, 3.0])).data.tolist() == [True, False, True]
    assert (x != np.array([1.0, 0.0, 3.0])).data.tolist() == [False, True, False]
    assert (x < 2).dtype == bool and (x <= 2).grad_fn is None
    assert (x == None) is False and (x != None) is True  # noqa: E711 - what == itself answers
    assert len({x, x}) == 1
    with pytest.raises(ShapeError, match="do not broadcast"):
        _ = x < Tensor([1.0, 2.0])


# ---------------------------------------------------------------------------------- indexing


def test_indexing_follows_numpy_and_gradients_add_up_duplicates() -> None:
    x = Tensor(np.arange(12.0).reshape(3, 4), requires_grad=True)
    for index in [0, -1, slice(1, 3), (0, 1), (slice(None), [0, 0, 2]), ..., None, (1, ..., None)]:
        np.testing.assert_array_equal(x[index].data, x.data[index])
    x[[0, 0, 2]].sum().backward()
    np.testing.assert_array_equal(x.grad.data, [[2] * 4, [0] * 4, [1] * 4])
    with pytest.raises(IndexError, match="out of bounds"):
        x[5]


def test_basic_indexing_shares_memory_and_advanced_copies() -> None:
    x = Tensor([1.0, 2.0, 3.0])
    x[:2].fill_(7.0)
    x[[2]].fill_(9.0)
    assert x.data.tolist() == [7.0, 7.0, 3.0]


def test_assignment_by_index() -> None:
    x = Tensor(np.zeros((2, 2)))
    x[0] = Tensor([1.0, 2.0])
    x[x == 0] = 5
    assert x.data.tolist() == [[1.0, 2.0], [5.0, 5.0]]


# -------------------------------------------------------------------------------- conversion


def test_conversions() -> None:
    x = Tensor([[1.5, 2.5]])
    assert (x.ndim, x.dim(), x.size(), x.size(1), x.numel(), len(x)) == (2, 2, (1, 2), 2, 2, 1)
    assert x.tolist() == [[1.5, 2.5]] and Tensor(3.5).item() == 3.5
    assert type(Tensor(3).item()) is int
    assert x.float().dtype == np.float32 and x.long().data.tolist() == [[1, 2]]
    assert x.astype("int32").dtype == np.int32 and x.astype(np.float64) is x
    assert np.asarray(x).tolist() == [[1.5, 2.5]] and x.numpy() is x.data
    assert (float(Tensor(2)), int(Tensor(2.9)), [10, 20][Tensor(1)]) == (2.0, 2, 20)
    assert f"{Tensor(0.12345):.2f}" == "0.12"
    assert np.array(x, np.float32).dtype == np.float32


def test_history_is_kept_or_lost_as_the_name_says() -> None:
    x = Tensor([1.0], requires_grad=True)
    assert x.clone().grad_fn is not None and x.float().grad_fn is not None
    for lost in (x.detach(), x.copy(), x.long()):
        assert not lost.requires_grad
    assert x.detach().data is x.data and x.copy().data is not x.data
    x.float().backward(np.array([3.0], np.float32))
    assert x.grad.dtype == np.float64 and x.grad.item() == 3.0
    for use in (x.numpy, lambda: np.asarray(x)):
        with pytest.raises(GraphError, match=r"detach\(\)\.numpy\(\)"):
            use()


def test_truth_length_and_iteration_have_torchs_errors() -> None:
    assert bool(Tensor([1.0])) and not Tensor(0)
    with pytest.raises(RuntimeError, match="exactly one element; this one has 2"):
        bool(Tensor([1.0, 2.0]))
    with pytest.raises(RuntimeError, match="has 0"):
        bool(Tensor(np.zeros(0)))
    with pytest.raises(ValueError, match="item"):
        Tensor([1.0, 2.0]).item()
    with pytest.raises(TypeError, match=r"len\(\) of a 0-d tensor"):
        len(Tensor(1.0))
    with pytest.raises(TypeError, match="iteration over a 0-d tensor"):
        iter(Tensor(1.0))
    with pytest.raises(TypeError, match="index"):
        [1, 2][Tensor(1.0)]
    assert [row.data.tolist() for row in Tensor([[1, 2], [3, 4]])] == [[1, 2], [3, 4]]
    assert 2.0 in Tensor([1.0, 2.0]) and 5 not in Tensor([1.0, 2.0])


def test_rows_taken_by_iteration_give_gradients() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    first, second = x
    (first * second).sum().backward()
    assert x.grad.data.tolist() == [[3.0, 4.0], [1.0, 2.0]]


# -------------------------------------------------------------------------- methods' arguments


def test_dim_and_keepdim_are_accepted_beside_axis_and_keepdims() -> None:
    x = Tensor(np.arange(6.0).reshape(2, 3))
    assert x.sum(dim=0, keepdim=True).shape == x.sum(axis=0, keepdims=True).shape == (1, 3)
    values, indices = x.max(dim=1)
    assert values.data.tolist() == [2.0, 5.0] and indices.data.tolist() == [2, 2]
    assert x.argmax().item() == 5 and x.argmax(1, keepdim=True).shape == (2, 1)
    assert x.mean(-1).data.tolist() == [1.0, 4.0]
    with pytest.raises(TypeError, match="unexpected keyword argument 'dims'"):
        x.sum(dims=1)
    with pytest.raises(IndexError, match=r"\[-2, 1\], got 2"):
        x.mean(2)
    with pytest.raises(ValueError, match="twice"):
        x.sum((0, -2))


def test_zero_dimensional_tensors_reduce_over_axis_0_as_in_torch() -> None:
    x = Tensor(3.0)
    assert x.sum(0).item() == x.mean(-1).item() == x.max(0)[0].item() == 3.0
    assert x.max(0)[1].item() == 0 and x.transpose(0, -1).item() == 3.0
    with pytest.raises(IndexError):
        x.sum(1)


def test_shapes_can_be_given_as_arguments_or_as_a_tuple() -> None:
    x = Tensor(np.arange(6.0))
    assert x.reshape(2, 3).shape == x.reshape((2, -1)).shape == (2, 3)
    assert x.reshape(2, 3).T().shape == x.reshape(2, 3).mT.shape == (3, 2)
    with pytest.raises(ShapeError, match=r"reshape: shape \(4, 2\) is invalid for 6 elements"):
        x.reshape(4, 2)


def test_cat_joins_tensors_of_any_rank_and_dtype() -> None:
    x, y = Tensor(np.ones((1, 2), np.float32)), Tensor(np.zeros((2, 2), np.int64))
    joined = cat([x, y])
    assert joined.shape == (3, 2) and joined.dtype == np.float32
    assert cat((Tensor([1.0]), Tensor([2.0])), dim=-1).data.tolist() == [1.0, 2.0]
    with pytest.raises(TypeError, match="expects Tensors, got list"):
        cat([[1.0]])
    with pytest.raises(ValueError, match="at least one"):
        cat([])


# ---------------------------------------------------------------------------------- printing


@pytest.mark.parametrize(
    "data",
    [
        1.0,
        3,
        [1, 2, 3],
        [True, False],
        [1.0, 2.0],
        [0.5, 0.25],
        [[1.0, -2.5], [3.25, 4.0]],
        [[1.25, float("nan")], [float("inf"), 4.0]],
        [],
        [[[1.0, 2.0]], [[3.0, 4.0]]],
    ],
    ids=repr,
)
def test_repr_is_torchs(data: Any) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.set_default_dtype(torch.float64)
    try:
        expected = repr(torch.tensor(data))
    finally:
        torch.set_default_dtype(torch.float32)
    assert repr(Tensor(data)) == expected


def test_repr_tells_dtype_and_history() -> None:
    x = Tensor(np.array([1.0], np.float32), requires_grad=True)
    assert repr(x) == "tensor([1.], dtype=float32, requires_grad=True)"
    assert repr(Tensor([0.5], requires_grad=True) * 2) == "tensor([1.], grad_fn=<MulBackward>)"
    assert repr(Tensor(np.zeros((0, 3)))) == "tensor([], size=(0, 3))"
    assert "..." in repr(Tensor(np.zeros(5000)))


def test_import_of_mytorch_loads_no_third_party_but_numpy() -> None:
    program = """
import sys, mytorch
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"matplotlib", "requests", "tqdm", "torch", "scipy", "numpy"}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "['numpy']", done.stderr


def test_arrays_of_the_other_order_of_bytes_become_the_processors() -> None:
    swapped = np.array([1.0, 2.0]).astype(np.dtype(np.float64).newbyteorder())
    x = Tensor(swapped)
    assert x.dtype == np.float64 and x.dtype.isnative and x.tolist() == [1, 2]
    assert Tensor([swapped, swapped]).dtype.isnative


def test_nothing_is_differentiated_through_complex_numbers() -> None:
    z = Tensor(np.array([1 + 2j]))
    with pytest.raises(DtypeError, match="its real and its imaginary part two tensors"):
        z.requires_grad_()
    r = Tensor([2.0], requires_grad=True)
    with pytest.raises(DtypeError, match="is of complex numbers, through which nothing is"):
        (r * z).abs().sum().backward()
