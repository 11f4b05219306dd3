"""Indexing: any mixture of indices beside torch and NumPy; what is copied; what is refused."""

from __future__ import annotations

import importlib.util
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mytorch
from mytorch.errors import BoundsError, DtypeError, ShapeError
from mytorch.tensor import Tensor

torch: Any = None
if importlib.util.find_spec("torch"):
    torch = importlib.import_module("torch")
with_torch = pytest.mark.skipif(torch is None, reason="torch is not installed")

# ------------------------------------------------------------------------ any mixture of indices


@st.composite
def slices(draw: Any, size: int) -> slice:
    ends = st.one_of(st.none(), st.integers(-size - 2, size + 2))
    return slice(draw(ends), draw(ends), draw(st.one_of(st.none(), st.integers(1, 3))))


@st.composite
def place_arrays(draw: Any, size: int, common: tuple[int, ...]) -> np.ndarray:
    """Places on an axis, of a shape that broadcasts with ``common``, some of them outside."""
    shape = tuple(1 if draw(st.booleans()) else n for n in common)[draw(st.integers(0, 1)) :]
    low, high = -size, max(size - 1, 0)
    if draw(st.integers(0, 30)) == 0:
        low, high = low - 1, high + 1
    values = st.integers(low, high)
    count = int(np.prod(shape))
    dtype = draw(st.sampled_from([np.int64, np.int32]))
    array = np.array(draw(st.lists(values, min_size=count, max_size=count)), dtype)
    return array.reshape(shape)


@st.composite
def mixtures(draw: Any) -> tuple[tuple[int, ...], list[Any]]:
    """A shape, and an index of it: ints, slices, None, Ellipsis, places and masks."""
    shape = tuple(draw(st.lists(st.integers(0, 4), min_size=0, max_size=4)))
    common = tuple(draw(st.lists(st.integers(0, 3), min_size=1, max_size=2)))
    parts: list[Any] = []
    axis, has_ellipsis = 0, False
    while axis < len(shape) and draw(st.integers(0, 4)):
        kind = draw(
            st.sampled_from(
                ["int", "slice", "none", "dots", "places", "places", "mask", "wide", "truth", "0-d"]
            )
        )
        size = shape[axis]
        if kind == "int":
            parts.append(draw(st.integers(-size - 1, size)) if draw(st.integers(0, 9)) == 0
                         else draw(st.integers(-size, max(size - 1, 0))))  # fmt: skip
            axis += 1
        elif kind == "slice":
            parts.append(draw(slices(size)))
            axis += 1
        elif kind == "none":
            parts.append(None)
        elif kind == "dots" and not has_ellipsis:
            has_ellipsis = True
            parts.append(...)
            axis += draw(st.integers(0, len(shape) - axis))
        elif kind == "places":
            parts.append(draw(place_arrays(size, common)))
            axis += 1
        elif kind == "0-d":
            parts.append(np.array(draw(st.integers(-size, max(size - 1, 0)))))
            axis += 1
        elif kind in ("mask", "wide"):
            axes = min(2, len(shape) - axis) if kind == "wide" else 1
            part = shape[axis : axis + axes]
            count = int(np.prod(part))
            truths = draw(st.lists(st.booleans(), min_size=count, max_size=count))
            parts.append(np.array(truths, bool).reshape(part))
            axis += axes
        elif kind == "truth" and draw(st.integers(0, 3)) == 0:
            parts.append(draw(st.booleans()))
    return shape, parts


def index_for(m: Any, parts: list[Any]) -> Any:
    """The index for one of the two libraries; a single part stands by itself."""
    tensors = [m.tensor(part) if isinstance(part, np.ndarray) else part for part in parts]
    return tensors[0] if len(tensors) == 1 else tuple(tensors)


def attempt(call: Any) -> Any:
    """What the call returns, or the IndexError that it raises."""
    try:
        return call()
    except IndexError as error:
        return error


def pair_of(shape: tuple[int, ...]) -> tuple[Any, Any]:
    x = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    return Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)


@with_torch
@settings(max_examples=400, deadline=None)
@given(mixtures())
def test_reading_gives_torchs_values_shapes_gradients_and_refusals(mixture: Any) -> None:
    shape, parts = mixture
    ours, theirs = pair_of(shape)
    result = attempt(lambda: ours[index_for(mytorch, parts)])
    wanted = attempt(lambda: theirs[index_for(torch, parts)])
    if isinstance(result, BoundsError) and not isinstance(wanted, IndexError):
        assert not wanted.numel()  # then torch looks at no index; NumPy does
        return
    if isinstance(result, IndexError) or isinstance(wanted, IndexError):
        assert isinstance(result, IndexError) and isinstance(wanted, IndexError), (result, wanted)
        return
    assert result.shape == tuple(wanted.shape)
    np.testing.assert_array_equal(result.data, wanted.detach().numpy())
    weights = np.random.default_rng(0).normal(size=result.shape)
    result.backward(Tensor(weights))
    wanted.backward(torch.tensor(weights))
    np.testing.assert_allclose(ours.grad.data, theirs.grad.numpy(), rtol=1e-12)
    check_second_derivative(ours, index_for(mytorch, parts), weights)


def check_second_derivative(x: Tensor, index: Any, weights: np.ndarray) -> None:
    """d/dx of sum(weights * x[index]**2)' is 2 * weights, added up where they belong."""
    x.grad = None
    (x[index] ** 2 * Tensor(weights)).backward(create_graph=True)
    slope, x.grad = x.grad, None
    if slope.requires_grad:
        slope.backward()
    plain = np.zeros(x.shape) if x.grad is None else x.grad.data
    np.testing.assert_allclose(plain * x.data, slope.data, rtol=1e-12)


@with_torch
@settings(max_examples=400, deadline=None)
@given(mixtures(), st.booleans(), st.data())
def test_writing_gives_torchs_values_gradients_and_refusals(
    mixture: Any, recorded: bool, data: Any
) -> None:
    shape, parts = mixture
    numbered = torch.arange(int(np.prod(shape))).reshape(shape)
    region = attempt(lambda: numbered[index_for(torch, parts)])
    if isinstance(region, IndexError):
        x = Tensor(np.zeros(shape))
        with pytest.raises(IndexError):
            x[index_for(mytorch, parts)] = 1.0
        assert x.version == 0
        return
    if not region.numel() and isinstance(
        attempt(lambda: Tensor(np.zeros(shape))[index_for(mytorch, parts)]), BoundsError
    ):
        return
    is_unique = region.unique().numel() == region.numel()
    value = np.random.default_rng(1).normal(size=region.shape if is_unique else ())
    if is_unique and region.ndim and data.draw(st.booleans()):
        value = value[..., :1]  # broadcast
    if not is_unique and recorded:
        return  # which gradient the value gets is not defined
    found = []
    for m, leaf in zip((mytorch, torch), pair_of(shape), strict=True):
        source = m.tensor(value, requires_grad=True)
        target = leaf * 1.0 if recorded else leaf.detach()
        target[index_for(m, parts)] = source if recorded else source.detach()
        found.append([target.detach()])
        if recorded:
            weights = m.tensor(np.random.default_rng(2).normal(size=shape))
            (target * weights).sum().backward()
            found[-1] += [each.grad if each.grad is not None else each.detach() * 0
                          for each in (leaf, source)]  # fmt: skip
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(np.asarray(one), other.numpy(), rtol=1e-12, atol=1e-14)


@settings(max_examples=200, deadline=None)
@given(mixtures())
def test_reading_gives_numpys_values_where_numpy_means_the_same(mixture: Any) -> None:
    shape, parts = mixture
    has_arrays = any(isinstance(p, bool) or (isinstance(p, np.ndarray) and p.ndim) for p in parts)
    has_ints = any(isinstance(p, int) or (isinstance(p, np.ndarray) and not p.ndim) for p in parts)
    has_dots = any(part is ... for part in parts)  # NumPy lets even an empty one separate arrays
    if has_arrays and (has_ints or has_dots):
        return
    x = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    index: Any = tuple(parts)
    result, wanted = attempt(lambda: Tensor(x)[index]), attempt(lambda: x[index])
    assert isinstance(result, IndexError) == isinstance(wanted, IndexError), (result, wanted)
    if not isinstance(result, IndexError):
        np.testing.assert_array_equal(result.data, wanted)


# --------------------------------------------------------------------------------- what is copied


@pytest.mark.parametrize("make", [Tensor, np.array, lambda values: [Tensor(v) for v in values]])
def test_an_index_changed_later_does_not_move_the_gradient(make: Any) -> None:
    x, index = Tensor([1.0, 2.0, 3.0], requires_grad=True), make([0, 1])
    y = x[index]
    for place in range(2):
        index[place] = 2 if isinstance(index, list) else index[place] + 1
    y.sum().backward()
    assert x.grad.data.tolist() == [1.0, 1.0, 0.0]


def test_a_mask_or_a_bound_changed_later_does_not_move_the_gradient() -> None:
    x, mask, start = Tensor([1.0, 2.0], requires_grad=True), Tensor([True, False]), Tensor(1)
    y = x[mask].sum() + x[start:].sum()
    mask.fill_(True)
    start.fill_(0)
    y.backward()
    assert x.grad.data.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "take",
    [
        lambda x, i: x.gather(0, i),
        lambda x, i: x.take_along_dim(i, 0),
        lambda x, i: x.index_select(0, i),
        lambda x, i: x.take(i),
        lambda x, i: (x * 0).scatter_add(0, i, x[:2]),
        lambda x, i: (x * 0).scatter_reduce(0, i, x[:2], "amax"),
        lambda x, i: (x * 0).scatter(0, i, x[:2]),
        lambda x, i: (x * 0).index_add(0, i, x[:2]),
        lambda x, i: (x * 0).index_copy(0, i, x[:2]),
        lambda x, i: (x * 0).put(i, x[:2]),
        lambda x, i: (x * 0).index_put((i,), x[:2]),
        lambda x, i: x.repeat_interleave(i[:1], 0)[:2],
    ],
)
def test_places_changed_later_do_not_move_the_gradient(take: Any) -> None:
    x, index = Tensor([5.0, 7.0, 3.0], requires_grad=True), Tensor([0, 1])
    result = take(x, index) * Tensor([1.0, 10.0, 100.0][: len(take(x, index))])
    index.fill_(2)
    result.sum().backward()
    assert x.grad.data[2] == 0 and x.grad.data.sum() in (11.0, 0.0)


def test_what_is_taken_by_ints_and_slices_is_a_view_and_by_places_a_copy() -> None:
    x = Tensor(np.zeros((3, 4)))
    for index in (0, (1, 2), (slice(1, 3), None), ..., (), Tensor(2), np.int64(1), (0, Tensor(1))):
        view = x[index]
        view.fill_(5.0)
        assert np.shares_memory(view.data, x.data) and view.version == x.version > 0
    assert (x.data == 5.0).all()
    for index in ([0], Tensor([1]), x > 0, True, (slice(None), [1, 2]), range(2)):
        assert not np.shares_memory(x[index].data, x.data)


# -------------------------------------------------------------------------------- kinds of indices


def test_a_uint8_index_is_a_mask_as_in_torch_and_says_so() -> None:
    for index in (np.array([1, 0, 1], np.uint8), Tensor(np.array([1, 0, 1], np.uint8))):
        with pytest.warns(UserWarning, match=r"uint8 is taken as a mask.*index.long\(\)"):
            assert Tensor([1.0, 2.0, 3.0])[index].data.tolist() == [1.0, 3.0]


def test_integers_of_any_width_and_nested_lists_are_places() -> None:
    x = Tensor([1.0, 2.0, 3.0])
    for dtype in (np.int8, np.int16, np.uint16, np.uint32, np.uint64):
        assert x[np.array([2, 0], dtype)].data.tolist() == [3.0, 1.0]
    assert x[[[0, 1], [2, 2]]].data.tolist() == [[1.0, 2.0], [3.0, 3.0]]
    assert x[[Tensor(2), 0]].data.tolist() == [3.0, 1.0]
    assert x[[]].shape == (0,) and x[(0, 1),].data.tolist() == [1.0, 2.0]
    assert x[np.True_].shape == (1, 3)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ([[0], [1, 2]], "rows of a list used as an index differ in length"),
        ([slice(0, 1), 0], "for several axes write x\\[a, b\\]"),
        ([None], "for several axes write"),
        (["a"], "for several axes write"),
        ("a", "got str"),
        ([0.5], "not of float64"),
        (np.array([]), "not of float64"),
        (np.array(1.0), "not of float64"),
        (2**70, "out of bounds"),
    ],
    ids=repr,
)
def test_what_is_no_index_is_an_index_error(index: Any, message: str) -> None:
    with pytest.raises(IndexError, match=message):
        Tensor([1.0, 2.0])[index]


def test_a_place_outside_its_axis_is_named_whatever_is_asked() -> None:
    x, index = Tensor(np.zeros((2, 3))), Tensor([[0, 7]])
    for call in (
        lambda: x[:, [0, 7]],
        lambda: x[1:, :, None][0, [1, 7]],
        lambda: x.gather(1, index),
        lambda: x.scatter(1, index, 1.0),
        lambda: x.scatter_add(1, index, Tensor(np.zeros((1, 2)))),
        lambda: x.index_select(1, Tensor([7])),
        lambda: x.__setitem__((0, [7]), 1.0),
        lambda: x.take_along_dim(index, 1),
    ):
        with pytest.raises(
            BoundsError, match=r"index 7 is out of bounds for dim\w+ \d with size 3"
        ):
            call()
    assert (x.data == 0).all() and x.version == 0


# ------------------------------------------------------------------------------------- assignment


def test_values_are_cast_as_torch_casts_them() -> None:
    x = Tensor([1, 2, 3])
    x[0], x[1:2], x[[2]] = 1.7, Tensor([2.9]), -1.2
    assert x.data.tolist() == [1, 2, -1] and x.dtype == np.int64
    bytes_ = Tensor(np.zeros(2, np.uint8))
    bytes_[0], bytes_[1] = -1, True
    assert bytes_.data.tolist() == [255, 1]
    for wrong in (256, float("nan"), -300):
        with pytest.raises(DtypeError, match="does not fit into uint8"):
            bytes_[0] = wrong
    half = Tensor(np.zeros(2, np.float32))
    half[0], half[1] = Tensor(0.5), np.array(0.25)
    assert half.data.tolist() == [0.5, 0.25] and half.dtype == np.float32
    with pytest.raises(DtypeError, match="a mask or places take a value of the tensor's dtype"):
        half[[0]] = Tensor([1.0])
    half[[0, 1]] = np.ones(2)  # an array is no tensor of another dtype
    assert half.data.tolist() == [1.0, 1.0]


def test_what_is_rounded_to_integers_has_no_derivative() -> None:
    counts, x = Tensor([1, 2]), Tensor(2.7, requires_grad=True)
    counts[0] = x
    assert counts.data.tolist() == [2, 2] and not counts.requires_grad


def test_overlapping_parts_of_one_tensor_are_assigned_as_they_were() -> None:
    x = Tensor([1.0, 2.0, 3.0, 4.0])
    x[1:] = x[:-1]
    assert x.data.tolist() == [1.0, 1.0, 2.0, 3.0]
    x[[0, 1, 2]] = x[1:]
    assert x.data.tolist() == [1.0, 2.0, 3.0, 3.0]


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.__setitem__(0, 1.0),
        lambda t: t.fill_(1.0),
        lambda t: t.mul_(2.0),
        lambda t: t.masked_fill_(Tensor([True] * 3), 1.0),
    ],
)
def test_an_expanded_tensor_is_not_written_to(change: Any) -> None:
    x = Tensor([1.0])
    with pytest.raises(ShapeError, match=r"memory is read-only.*tensor.clone\(\)"):
        change(x.expand(3))
    assert x.data.tolist() == [1.0]


def test_a_small_assignment_does_not_copy_the_tensor() -> None:
    x = Tensor(np.zeros(10))
    memory = x.data
    x[[1, 2]] = 1.0
    x[x > 0] = 2.0
    assert x.data is memory and x.data.sum() == 4.0 and x.version == 2


def test_a_failed_assignment_changes_nothing() -> None:
    x = Tensor(np.zeros((2, 3)))
    for index, value in ((0, np.ones(2)), ([0, 5], 1.0), (x.data > -1, np.ones(5)), (0, "a")):
        with pytest.raises((ShapeError, IndexError, TypeError)):
            x[index] = value
    assert (x.data == 0).all() and x.version == 0


# ------------------------------------------------------------------------------ large and fast


@with_torch
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_of_large_indices_equal_torchs(dtype: Any) -> None:
    rng = np.random.default_rng(3)
    rows, tokens = rng.normal(size=(500, 40)).astype(dtype), rng.integers(-500, 500, (10, 30))
    for index in (
        tokens,
        rng.integers(0, 500, 2000),
        np.arange(0, 500, 3),
        (tokens, tokens % 40),
        rng.random((500, 40)) > 0.5,
    ):
        ours = Tensor(rows, requires_grad=True)
        theirs = torch.tensor(rows, requires_grad=True)
        parts = index if isinstance(index, tuple) else (index,)
        result, wanted = ours[parts], theirs[tuple(map(torch.tensor, parts))]
        weights = rng.normal(size=result.shape).astype(dtype)
        result.backward(Tensor(weights))
        wanted.backward(torch.tensor(weights))
        tolerance = 1e-5 if dtype is np.float32 else 1e-12
        np.testing.assert_allclose(ours.grad.data, theirs.grad, rtol=tolerance, atol=tolerance)


WRITES = {
    "index_copy_": lambda t, i, v: t.index_copy_(0, i, v),
    "index_add_": lambda t, i, v: t.index_add_(0, i, v),
    "index_fill_": lambda t, i, v: t.index_fill_(0, i, 2.0),
    "index_put_": lambda t, i, v: t.index_put_((i,), v, accumulate=True),
    "put_": lambda t, i, v: t.put_(i, v[:, 0]),
    "scatter_": lambda t, i, v: t.scatter_(0, i.unsqueeze(1), 2.0),
    "scatter_add_": lambda t, i, v: t.scatter_add_(0, i.unsqueeze(1), v[:, :1]),
    "setitem": lambda t, i, v: t.__setitem__(i, v),
}


@with_torch
@pytest.mark.parametrize("name", WRITES)
def test_little_written_in_place_costs_little(name: str) -> None:
    x, index = Tensor(np.ones((100_000, 10))), Tensor([3, 70_000, 3])
    expected = WRITES[name](x.clone(), index, Tensor(np.ones((3, 10))))
    memory = x.data
    tracemalloc.start()
    try:
        WRITES[name](x, index, Tensor(np.ones((3, 10))))
        assert tracemalloc.get_traced_memory()[1] < 100_000  # bytes; the tensor has 8,000,000
    finally:
        tracemalloc.stop()
    assert x.data is memory and x.version == 1
    theirs = torch.ones(100_000, 10, dtype=torch.float64)
    WRITES[name](theirs, torch.tensor([3, 70_000, 3]), torch.ones(3, 10, dtype=torch.float64))
    np.testing.assert_array_equal(x.data, theirs.numpy())
    assert expected is None or np.array_equal(expected.data, x.data)


@with_torch
@pytest.mark.parametrize("name", WRITES)
def test_writing_in_place_is_recorded_as_in_torch(name: str) -> None:
    found = []
    for m in (mytorch, torch):
        leaf, value = (m.tensor(np.full(s, 2.0), requires_grad=True) for s in ((5, 3), (2, 3)))
        t = leaf * 1.5
        WRITES[name](t, m.tensor([3, 0]), value)
        (t * t * m.tensor(np.arange(15.0).reshape(5, 3))).sum().backward()
        grads = [0.0 if x.grad is None else np.asarray(x.grad) for x in (leaf, value)]
        found.append([np.asarray(t.detach()), *grads])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in WRITES if name != "put_"])
def test_writing_through_a_strided_view_changes_its_base(name: str) -> None:
    base = np.zeros((6, 8))
    x, value = Tensor(base), Tensor(np.full((2, 3), 5.0))
    part = x[::2, 1:6:2]
    plain = part.clone()
    WRITES[name](part, Tensor([2, 0]), value)
    WRITES[name](plain, Tensor([2, 0]), value)
    np.testing.assert_array_equal(x.data[::2, 1:6:2], plain.data)
    assert x.data.sum() == plain.data.sum() and x.version == 1


def test_a_view_of_a_view_of_a_graph_is_written_as_the_whole_tensor() -> None:
    leaf = Tensor([1.0, 2.0], requires_grad=True)
    x = leaf * 1.0
    x[:1][0] = 5.0
    assert x.data.tolist() == [5.0, 2.0]
    x.sum().backward()
    assert leaf.grad.tolist() == [0.0, 1.0]
