"""Shapes: which results are views, how tensors lie in memory, shapes changed in place."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.autograd import grad, hessian, jvp
from mytorch.errors import GraphError, ShapeError
from mytorch.tensor import Tensor

# ------------------------------------------------------------------------------------------ views

VIEWS = {
    "view": lambda m, a: a.view(4, 6),
    "view -1": lambda m, a: a.view(-1),
    "reshape": lambda m, a: a.reshape(6, 4),
    "flatten": lambda m, a: a.flatten(1),
    "unflatten": lambda m, a: a.unflatten(2, (2, 2)),
    "ravel": lambda m, a: m.ravel(a),
    "squeeze": lambda m, a: a[:, :1].squeeze(1),
    "unsqueeze": lambda m, a: a.unsqueeze(1),
    "transpose": lambda m, a: a.transpose(0, 2),
    "permute": lambda m, a: a.permute(2, 0, 1),
    "movedim": lambda m, a: a.movedim(0, -1),
    "mT": lambda m, a: a.mT,
    "adjoint": lambda m, a: m.adjoint(a),
    "t": lambda m, a: a[0].t(),
    "narrow": lambda m, a: a.narrow(1, 1, 2),
    "select": lambda m, a: a.select(2, -1),
    "split": lambda m, a: a.split(1, 1)[2],
    "chunk": lambda m, a: a.chunk(2)[1],
    "tensor_split": lambda m, a: a.tensor_split((1, 2), 1)[1],
    "unbind": lambda m, a: a.unbind(-1)[3],
    "hsplit": lambda m, a: m.hsplit(a, 3)[0],
    "diagonal": lambda m, a: a.diagonal(1, 1, 2),
    "unfold": lambda m, a: a.unfold(2, 2, 2),
    "as_strided": lambda m, a: a.as_strided((3, 2), (4, 1), 5),
    "slice": lambda m, a: a[1, ::2, None],
    "atleast_3d": lambda m, a: m.atleast_3d(a[0]),
    "detach": lambda m, a: a.detach(),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_lies_in_memory_as_torchs_and_changes_with_its_base(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x = np.arange(24.0).reshape(2, 3, 4)
    ours, theirs = Tensor(x), torch.tensor(x)
    view, wanted = VIEWS[name](mytorch, ours), VIEWS[name](torch, theirs)
    assert view.shape == tuple(wanted.shape)
    longer = [i for i, size in enumerate(view.shape) if size > 1]  # others' strides say nothing
    assert [view.stride(i) for i in longer] == [wanted.stride(i) for i in longer]
    assert view.storage_offset() == wanted.storage_offset()
    assert view.is_contiguous() == wanted.is_contiguous()
    assert view.data_ptr() - ours.data_ptr() == wanted.data_ptr() - theirs.data_ptr()
    ours.mul_(2.0)
    theirs.mul_(2.0)
    np.testing.assert_array_equal(view.data, wanted.numpy())
    view.sub_(1.0)
    wanted.sub_(1.0)
    np.testing.assert_array_equal(ours.data, theirs.numpy())
    assert view.version == ours.version == 2


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_a_saved_tensor_changed_is_noticed(name: str) -> None:
    x, y = Tensor(np.ones((2, 3, 4))), Tensor(np.ones((2, 3, 4)), requires_grad=True)
    product = x * y
    VIEWS[name](mytorch, x).add_(1.0)
    with pytest.raises(GraphError, match="that Mul saved for backward was changed in place 1 time"):
        product.sum().backward()


@pytest.mark.parametrize(
    "copy",
    [
        lambda m, a: a.t().reshape(6),
        lambda m, a: a.t().flatten(),
        lambda m, a: m.ravel(a.t()),
        lambda m, a: a.t().contiguous(),
        lambda m, a: m.flip(a, (0,)),
        lambda m, a: m.flip(a, ()),
        lambda m, a: m.roll(a, 0),
        lambda m, a: m.rot90(a, 4),
        lambda m, a: a.repeat(1, 1),
        lambda m, a: m.tile(a, (1,)),
        lambda m, a: m.repeat_interleave(a, 1),
        lambda m, a: m.diag(a),
        lambda m, a: m.tril(a),
        lambda m, a: m.cat([a]),
        lambda m, a: m.stack([a]),
        lambda m, a: m.clone(a),
    ],
)
def test_what_torch_copies_is_copied(copy: Any) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    ours, theirs = Tensor(np.zeros((2, 3))), torch.zeros(2, 3)
    copy(mytorch, ours).add_(1.0)
    copy(torch, theirs).add_(1.0)
    assert not ours.data.any() and not theirs.any()


def test_what_is_as_it_should_be_is_the_tensor_itself() -> None:
    x = Tensor(np.zeros((2, 3)))
    assert x.contiguous() is x and x.flatten(1, 1) is x and mytorch.atleast_2d(x) is x


def test_view_never_copies_and_reshape_does_where_it_must() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(0)
    for _ in range(300):
        base = np.zeros(tuple(rng.integers(1, 5, 3)))
        order = tuple(rng.permutation(3).tolist())
        cut = tuple(slice(None, None, int(step)) for step in rng.integers(1, 3, 3))
        ours, theirs = Tensor(base).permute(order)[cut], torch.tensor(base).permute(order)[cut]
        wanted = tuple(ours.shape[:1]) + (-1,) if rng.random() < 0.5 else (-1, ours.shape[-1])
        try:
            theirs.view(wanted)
        except RuntimeError:
            with pytest.raises(ShapeError, match="without a copy; use reshape"):
                ours.view(wanted)
        else:
            assert np.shares_memory(ours.view(wanted).data, ours.data)


def test_view_as_another_dtype_reads_the_same_bytes() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x = np.array([[1.0, 2.0], [3.0, -4.0]], np.float32)
    ours, theirs = Tensor(x), torch.tensor(x)
    for dtype in ("int32", "int16", "uint8", "float64", "int64"):
        view, wanted = ours.view(np.dtype(dtype)), theirs.view(getattr(torch, dtype))
        np.testing.assert_array_equal(view.data, wanted.numpy())
        assert np.shares_memory(view.data, ours.data)
    assert not Tensor(x, requires_grad=True).view(np.int32).requires_grad
    for wrong in (Tensor(x[:, :1]), Tensor(x).t(), Tensor(1.0).view(np.float64)):
        with pytest.raises(ShapeError, match="view: shape .* cannot be read as"):
            wrong.view(np.complex128 if wrong.data.dtype == np.float64 else np.float64)


def test_as_strided_treats_memory_beyond_the_tensor_as_constant() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    found = []
    for m in (mytorch, torch):
        x = m.tensor(np.arange(6.0), requires_grad=True)
        y = (x * 1.0)[2:].as_strided((5, 2), (1, 1), 0)
        (y * m.tensor(np.arange(10.0).reshape(5, 2))).sum().backward()
        found.append(np.asarray(x.grad))
    np.testing.assert_array_equal(*found)


def test_overlapping_windows_are_read_only_and_others_are_not() -> None:
    x = Tensor(np.zeros(5))
    with pytest.raises(ShapeError, match="read-only"):
        x.unfold(0, 3, 1).fill_(1.0)
    x.unfold(0, 2, 2).fill_(1.0)
    assert x.data.tolist() == [1, 1, 1, 1, 0]


# -------------------------------------------------------------------------- shapes changed in place

RESHAPINGS = {
    "unsqueeze_": lambda t: t.unsqueeze_(1),
    "squeeze_": lambda t: t.squeeze_(),
    "squeeze_ dim": lambda t: t.squeeze_(0),
    "t_": lambda t: t.squeeze_(0).t_(),
    "transpose_": lambda t: t.transpose_(0, 2),
    "swapaxes_": lambda t: t.swapaxes_(1, -1),
    "swapdims_": lambda t: t.swapdims_(1, -1),
}


@pytest.mark.parametrize("name", RESHAPINGS)
@pytest.mark.parametrize("part", ["whole", "view"])
def test_a_shape_changed_in_place_is_recorded_as_in_torch(name: str, part: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    found = []
    for m in (mytorch, torch):
        leaf = m.tensor(np.arange(6.0).reshape(1, 2, 3), requires_grad=True)
        base = leaf * 2.0
        t = base if part == "whole" else base[:, :, 1:]
        assert RESHAPINGS[name](t) is t
        weights = np.arange(1.0, 1.0 + math.prod(t.shape)).reshape(tuple(t.shape))
        (t * t * m.tensor(weights)).sum().backward()
        found.append([np.asarray(t.detach()), np.asarray(leaf.grad)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", RESHAPINGS)
def test_a_shape_changed_in_place_leaves_the_memory_and_counts(name: str) -> None:
    x = Tensor(np.zeros((1, 2, 3)))
    view, pointer = x[0, 0], x.data_ptr()
    RESHAPINGS[name](x)
    assert x.data_ptr() == pointer and x.version == view.version >= 1
    x.fill_(3.0)
    assert (view.data == 3.0).all()


def test_who_saved_a_tensor_notices_that_its_shape_was_changed() -> None:
    x = Tensor(np.ones((2, 3)), requires_grad=True) * 1.0
    square = x * x
    x.unsqueeze_(0)
    with pytest.raises(GraphError, match=r"shape \(1, 2, 3\) that Mul saved .* changed in place"):
        square.sum().backward()


def test_a_shape_is_not_changed_where_a_history_would_be_wrong() -> None:
    leaf = Tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(GraphError, match="unsqueeze_: this tensor is a leaf that requires grad"):
        leaf.unsqueeze_(0)
    result = leaf * 2.0
    with mytorch.no_grad():
        leaf.t_()
        with pytest.raises(GraphError, match="t_: inside no_grad.* use t, which returns a new"):
            result.t_()
    assert leaf.shape == (3, 2) and leaf.requires_grad and result.shape == (2, 3)


def test_a_shape_changed_in_place_keeps_its_tangent() -> None:
    def function(x: Any) -> Any:
        y = x * x
        y.t_()
        return y * Tensor(np.arange(6.0).reshape(3, 2))

    x = np.arange(6.0).reshape(2, 3)
    _, tangent = jvp(function, (x,), (np.ones((2, 3)),))
    np.testing.assert_array_equal(tangent, 2 * x.T * np.arange(6.0).reshape(3, 2))


# --------------------------------------------------------------------------------- parts at no cost


def test_the_gradient_of_many_parts_is_one_copy_of_them() -> None:
    """20,000 rows: in turn, each in a zero array of the whole, they would take minutes."""
    x = Tensor(np.ones((20_000, 20)), requires_grad=True)
    start = time.perf_counter()
    for parts in (list(x), x.unbind(), x.split(1), x.chunk(20_000), x.tensor_split(20_000)):
        x.grad = None
        mytorch.stack([part.sum() for part in parts[::2]]).sum().backward()
        assert x.grad.data[:, 0].sum() == 10_000 and x.grad.data[1].sum() == 0
    assert time.perf_counter() - start < 30


# ------------------------------------------------------------------------ numbers out of a gradient


def test_a_number_taken_while_differentiating_is_refused() -> None:
    def into_an_array(x: Any) -> Any:
        array = np.zeros(2)
        array[0] = x
        return array.sum()

    for transform in (grad, hessian, lambda f: lambda x: jvp(f, (x,), (1.0,))):
        with pytest.raises(GraphError, match=r"float: .* np.stack .* tensor.item\(\)"):
            transform(lambda x: math.sin(x))(2.0)
        with pytest.raises(ValueError) as raised:  # NumPy's own, with ours as the cause
            transform(into_an_array)(2.0)
        assert isinstance(raised.value.__cause__, GraphError)
    assert grad(lambda x: x * x.item())(3.0) == 3.0
    assert grad(lambda x: x * float(x.detach()))(3.0) == 3.0
    assert grad(lambda x: x * float(Tensor(2.0)))(3.0) == 2.0


def test_a_number_taken_elsewhere_is_a_number() -> None:
    loss = Tensor(2.0, requires_grad=True) * 3.0
    array = np.zeros(2)
    array[0] = loss
    assert float(loss) == array[0] == 6.0 and math.sqrt(loss) == math.sqrt(6.0)
