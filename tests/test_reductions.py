"""Reductions, scans, sorts and counts: what the rows of the table cannot say."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch.autograd import jvp
from mytorch.errors import DtypeError
from mytorch.ops.rows import add_products, add_up, fold
from mytorch.ops.scan import recurrence
from mytorch.tensor import Tensor

NAN, INF = np.nan, np.inf


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


def gradient(call: Any, values: Any, cotangent: Any = 1.0) -> list[float]:
    """The gradient of one argument."""
    x = Tensor(np.array(values, float), requires_grad=True)
    result = call(x)
    result.backward(Tensor(np.broadcast_to(np.array(cotangent, float), result.shape)))
    return x.grad.data.tolist()


# ------------------------------------------------------------------------------- sums of rows


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_sums_are_numpys_for_every_shape_layout_and_axes(dtype: Any) -> None:
    rng = np.random.default_rng(50)
    shapes = [(), (3,), (2, 3), (0, 3), (3, 0), (5, 700), (3, 5, 257), (2, 1, 3000), (4097, 2)]
    for shape in [*shapes, (2, 3, 20, 40)]:
        x, y = (rng.integers(-8, 8, shape).astype(dtype) for _ in range(2))  # sums are exact
        layouts = [(x, y)]
        if x.ndim > 1:
            layouts += [(x.T, y.T), (x[..., ::2], y[..., ::2]), (x[::-1], y), (x, x[:1] + 0 * y)]
            layouts.append((np.broadcast_to(x[:1], x.shape), y))
        for a, b in layouts:
            for n in range(a.ndim + 1):
                for axes in itertools.combinations(range(a.ndim), n):
                    for keep in (False, True):
                        total = add_up(a, axes, keep)
                        product = add_products(a, b, axes, keep)
                        assert total.dtype == product.dtype == dtype
                        for found, terms in ((total, a), (product, a * b)):
                            exact = terms.sum(axes, np.float64, keepdims=keep).astype(dtype)
                            np.testing.assert_array_equal(found, exact)


@pytest.mark.parametrize("length", [100, 255, 257, 1000, 10_007, 100_000])
def test_sums_of_float32_are_about_as_exact_as_numpys_pairwise_ones(length: int) -> None:
    rng = np.random.default_rng(51)
    x = rng.normal(size=(200_000 // length + 30, length)).astype(np.float32)
    exact = x.astype(np.float64).sum(-1)
    errors = [np.sqrt(np.mean((sums - exact) ** 2)) for sums in (add_up(x, (1,)), x.sum(-1))]
    assert errors[0] <= 1.5 * errors[1]
    tenths = np.full(length, 0.1, np.float32)
    exact_total = tenths.astype(np.float64).sum()
    for total in (add_up(tenths, (0,)), add_products(tenths, np.ones_like(tenths), (0,))):
        assert abs(total - exact_total) <= 8 * np.finfo(np.float32).eps * exact_total


@pytest.mark.parametrize("length", [3, 5000])
def test_sums_propagate_nan_and_inf_silently(length: int) -> None:
    x = np.ones((4, length), np.float32)
    x[0, 1], x[1, 0], x[2, :2], x[3, 0] = NAN, INF, (INF, -INF), -INF
    wanted = [NAN, INF, NAN, -INF]
    for sums in (add_up(x, (1,)), add_products(x, np.ones_like(x), (1,)), add_up(x.T.copy(), (0,))):
        np.testing.assert_array_equal(sums, wanted)
    np.testing.assert_array_equal(mytorch.sum(Tensor(x), 1).data, wanted)
    np.testing.assert_array_equal(mytorch.mean(Tensor(x), 1).data, wanted)
    large = Tensor(np.full((2, length), 3e38, np.float32))
    assert mytorch.sum(large).item() == INF and mytorch.prod(large).item() == INF


def test_narrow_rows_are_folded_as_numpy_reduces_them() -> None:
    rng = np.random.default_rng(52)
    for shape in ((600, 1), (600, 2), (2, 400, 16), (600, 17)):
        x = rng.normal(size=shape)
        x[0, 0] = NAN
        for ufunc in (np.maximum, np.minimum):
            axis = x.ndim - 1
            for initial in ({}, {"initial": 0.5}):
                np.testing.assert_array_equal(
                    fold(ufunc, x, (axis,), **initial),
                    ufunc.reduce(x, axis, keepdims=True, **initial),
                )


def test_half_precision_sums_and_means_are_taken_in_single() -> None:
    x = Tensor(np.full(10_000, 60.0, np.float16))
    assert mytorch.mean(x).item() == 60 and mytorch.mean(x).dtype == np.float16
    assert mytorch.sum(x[:1000]).item() == 60_000
    assert mytorch.var(x).item() == 0 and mytorch.norm(x[:100]).item() == 600
    halves = mytorch.softmax(Tensor(np.zeros(3000, np.float16)), 0)
    assert halves.dtype == np.float16 and halves.data.astype(float).sum() == pytest.approx(1, 1e-2)


# ------------------------------------------------------------------------------- dtypes


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float32", "float64"])
def test_dtype_is_that_of_the_sum_and_of_the_result(torch: Any, dtype: str) -> None:
    x = np.array([[1.5, 0.0, 2.25], [300.0, 1.0, 2.0]])
    for name in ("sum", "prod", "nansum"):
        ours = getattr(mytorch, name)(Tensor(x), 1, dtype=np.dtype(dtype))
        theirs = getattr(torch, name)(torch.tensor(x), 1, dtype=getattr(torch, dtype))
        assert ours.dtype == dtype
        np.testing.assert_array_equal(ours.data, theirs.numpy())
    for name in ("cumsum", "cumprod"):
        if dtype != "bool":  # torch refuses it
            ours = getattr(mytorch, name)(Tensor(x), 1, dtype=np.dtype(dtype))
            theirs = getattr(torch, name)(torch.tensor(x), 1, dtype=getattr(torch, dtype))
            assert ours.dtype == dtype
            np.testing.assert_array_equal(ours.data, theirs.numpy())


def test_floats_may_be_asked_of_integers_and_gradients_go_through_the_conversion() -> None:
    counts = Tensor(np.array([1, 2, 4]))
    assert mytorch.mean(counts, dtype=np.float32).dtype == np.float32
    assert mytorch.softmax(counts, 0, dtype=np.float32).dtype == np.float32
    assert mytorch.log_softmax(counts, 0, dtype=np.float64).dtype == np.float64
    with pytest.raises(DtypeError, match="softmax: expects a floating tensor, got int64"):
        mytorch.softmax(counts, 0)
    with pytest.raises(DtypeError, match="mean: expects a floating tensor, got int64"):
        mytorch.mean(Tensor([1.0]), dtype=np.int64)
    with pytest.raises(DtypeError, match="norm: dtype must be floating"):
        mytorch.norm(Tensor([1.0]), dtype=np.int64)
    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    mytorch.sum(x * x, dtype=np.float64).backward()
    assert x.grad.dtype == np.float32 and x.grad.data.tolist() == [2, 2, 2]


def test_scans_change_a_tensor_in_place() -> None:
    x = Tensor(np.array([1, 2, 3], np.int32))
    assert x.cumsum_(0) is x and x.dtype == np.int32 and x.data.tolist() == [1, 3, 6]
    assert x.cumprod_(-1).data.tolist() == [1, 3, 18]


# ------------------------------------------------------------------------------- too few, nothing


def test_the_variance_of_too_few_is_nan_or_infinite_silently() -> None:
    for name in ("var", "std"):
        function = getattr(mytorch, name)
        assert np.isnan(function(Tensor([1.0])).item())
        assert np.isnan(function(Tensor(np.zeros(0))).item())
        assert function(Tensor([1.0, 2.0]), correction=5).item() == INF
        assert np.isnan(function(Tensor(np.ones((0, 3))), 0).data).all()
        assert function(Tensor(np.ones((0, 3))), 1).shape == (0,)
        assert function(Tensor(np.ones((2, 0, 4))), (0, 2), keepdim=True).shape == (1, 0, 1)
        assert function(Tensor(1.0), 0, correction=0).item() == 0
        assert np.isnan(gradient(function, [1.0])).all()
        assert gradient(lambda x, f=function: f(x, 1), np.ones((0, 3))) == []
    variance, mean = mytorch.var_mean(Tensor([[1.0]]), 1)
    assert np.isnan(variance.item()) and mean.item() == 1


def test_reductions_of_nothing() -> None:
    nothing = Tensor(np.zeros(0))
    assert mytorch.sum(nothing).item() == 0 and mytorch.prod(nothing).item() == 1
    assert np.isnan(mytorch.mean(nothing).item()) and np.isnan(mytorch.nanmean(nothing).item())
    assert np.isnan(mytorch.median(nothing).item()) and np.isnan(mytorch.nanmedian(nothing).item())
    assert mytorch.logsumexp(nothing, 0).item() == -INF and mytorch.norm(nothing).item() == 0
    assert mytorch.all(nothing).item() is True and mytorch.any(nothing).item() is False
    assert np.isnan(mytorch.cov(Tensor(np.zeros((2, 0)))).data).all()
    assert mytorch.softmax(Tensor(np.zeros((2, 0))), 1).shape == (2, 0)
    for name in ("max", "min", "median", "nanmedian"):
        values, indices = getattr(mytorch, name)(Tensor(np.zeros((0, 3))), 1)
        assert values.shape == indices.shape == (0,) and indices.dtype == np.int64


# ------------------------------------------------------------------------------- nan and infinity


def test_what_is_nan_in_nanmean_gets_no_gradient_even_if_all_is() -> None:
    assert gradient(mytorch.nanmean, [NAN, NAN]) == [0, 0]


def test_logcumsumexp_is_right_far_from_zero_and_at_infinity() -> None:
    x = np.array([-1e4, 1e4, 0.0, -INF])
    result = mytorch.logcumsumexp(Tensor(x), 0)
    np.testing.assert_array_equal(result.data, [-1e4, 1e4, 1e4, 1e4])
    assert gradient(lambda t: mytorch.logcumsumexp(t, 0), x, [1.0, 2, 3, 4]) == [1, 9, 0, 0]
    found = gradient(lambda t: mytorch.logcumsumexp(t, 0), [-INF, -INF, 0.5], 1.0)
    assert found[2] == 1 and found[0] >= 1  # torch's are nan
    assert mytorch.logcumsumexp(Tensor([INF, 1.0, NAN]), 0).data[:2].tolist() == [INF, INF]


def test_a_zero_ends_a_recurrence_even_of_nan_and_inf() -> None:
    a, b = np.array([1.0, 2, 0, 3, 1e200, 1e200, 1e200]), np.array([NAN, 1.0, 5, 1, 0, 0, 0])
    h = recurrence(a, b, 0)
    assert np.isnan(h[:2]).all() and h[2:5].tolist() == [5, 16, 16e200]
    behind = gradient(lambda x: mytorch.cumprod(x, 0), [2.0, 0.0, 3.0, 4.0], [1.0, 1, NAN, INF])
    assert behind[2:] == [0, 0]


def test_cumprod_and_prod_keep_their_gradient_where_the_product_leaves_the_numbers() -> None:
    tiny = np.full(400, 0.1)  # the product of all underflows to 0, those of the first do not
    found = gradient(lambda x: mytorch.cumprod(x, 0), tiny)
    assert np.isfinite(found).all() and found[0] == pytest.approx(10 / 9)
    assert gradient(mytorch.prod, [1e200, 1e200, 1e-200])[2] == INF
    assert gradient(mytorch.prod, [1e-200, 1e-200, 1e200, 2.0]) == pytest.approx([2, 2, 0, 0])


def test_an_infinite_element_spoils_no_quantile_beside_it() -> None:
    x = Tensor([-INF, 1.0, 2.0, 3.0])
    assert mytorch.quantile(x, 0.9).item() == pytest.approx(2.7)
    assert mytorch.quantile(x, 0.3).item() == -INF  # from the nearer, as torch's lerp


def test_differences_of_infinities_are_nan_silently() -> None:
    x = Tensor([[INF, INF, 1.0], [1.0, 2.0, 4.0]])
    assert np.isnan(mytorch.diff(x).data[0, 0]) and np.isnan(mytorch.cov(x).data[0, 0])
    assert np.isnan(mytorch.corrcoef(x).data[0, 0]) and np.isnan(mytorch.var(x).item())
    assert np.isnan(mytorch.cumsum(Tensor([INF, -INF]), 0).data[1])
    assert np.isnan(mytorch.trapezoid(Tensor([1.0, -1.0]), Tensor([INF, INF])).item())
    assert mytorch.norm(x).item() == INF


def test_every_nan_is_distinct() -> None:
    found, inverse, counts = mytorch.unique(Tensor([NAN, 1.0, NAN]), True, True, True)
    np.testing.assert_array_equal(found.data, [1.0, NAN, NAN])
    assert inverse.data.tolist() == [1, 0, 2] and counts.data.tolist() == [1, 1, 1]
    assert mytorch.unique_consecutive(Tensor([NAN, NAN])).shape == (2,)
    assert mytorch.mode(Tensor([NAN, 2.0, NAN, 2.0])).values.item() == 2


# ------------------------------------------------------------------------------- order


def ties(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Few distinct numbers, and nan."""
    x = rng.integers(0, 5, shape).astype(float)
    return np.where(rng.random(shape) < 0.1, NAN, x)


def test_ranks_are_those_of_a_stable_sort() -> None:
    rng = np.random.default_rng(53)
    for shape in ((1,), (40,), (6, 9), (3, 8, 2)):
        x = ties(rng, shape)
        for axis in range(x.ndim):
            order = np.argsort(x, axis, kind="stable")
            size = x.shape[axis]
            for k in range(1, size + 1):
                values, indices = mytorch.kthvalue(Tensor(x), k, axis)
                np.testing.assert_array_equal(indices.data, order.take(k - 1, axis))
                np.testing.assert_array_equal(
                    values.data, np.take_along_axis(x, order, axis).take(k - 1, axis)
                )
            known = np.nan_to_num(x, nan=2.0)
            order = np.argsort(known, axis, kind="stable")
            indices = mytorch.median(Tensor(known), axis).indices
            np.testing.assert_array_equal(indices.data, order.take((size - 1) // 2, axis))


def test_descending_sorts_are_stable_and_begin_with_nan() -> None:
    x = Tensor([2.0, NAN, 1.0, 2.0, NAN, INF])
    values, indices = mytorch.sort(x, descending=True)
    assert indices.data.tolist() == [1, 4, 5, 0, 3, 2]
    np.testing.assert_array_equal(values.data, [NAN, NAN, INF, 2, 2, 1])
    limits = Tensor(np.array([np.iinfo(np.int64).min, 1, np.iinfo(np.int64).max]))
    assert mytorch.argsort(limits, descending=True).data.tolist() == [2, 1, 0]


def test_topk_are_the_first_of_a_sort() -> None:
    rng = np.random.default_rng(54)
    x = ties(rng, (5, 12, 3))
    for axis, largest in itertools.product(range(3), (True, False)):
        ordered = mytorch.sort(Tensor(x), axis, largest).values.data
        for k in range(x.shape[axis] + 1):
            values, indices = mytorch.topk(Tensor(x), k, axis, largest)
            np.testing.assert_array_equal(values.data, ordered.take(range(k), axis))
            np.testing.assert_array_equal(np.take_along_axis(x, indices.data, axis), values.data)
            assert (np.diff(np.sort(indices.data, axis), axis=axis) > 0).all()  # none is twice


def test_cummax_and_cummin_tell_the_last_place_and_stay_nan() -> None:
    x = Tensor([1.0, 3.0, 3.0, NAN, 5.0, NAN])
    values, indices = mytorch.cummax(x, 0)
    np.testing.assert_array_equal(values.data, [1, 3, 3, NAN, NAN, NAN])
    assert indices.data.tolist() == [0, 1, 2, 3, 3, 5]
    assert mytorch.cummin(Tensor(np.array([True, False, True])), 0).indices.data.tolist() == [
        0,
        1,
        1,
    ]


def test_rows_are_searched_all_at_once_as_one_by_one() -> None:
    rng = np.random.default_rng(55)
    for n, m in ((1, 3), (2, 1), (7, 20), (8, 0), (0, 4)):
        table = np.sort(ties(rng, (2, 3, n)), -1)
        values = ties(rng, (2, 3, m))
        for side in ("left", "right"):
            found = mytorch.searchsorted(Tensor(table), Tensor(values), side=side)
            for row in np.ndindex(2, 3):
                wanted = np.searchsorted(table[row], values[row], side)
                np.testing.assert_array_equal(found.data[row], wanted)


def test_results_along_an_axis_have_names() -> None:
    x = Tensor([[3.0, 1.0, 2.0]])
    assert mytorch.max(x, 1).values.item() == 3 and x.min(1).indices.item() == 1
    assert x.sort().values.tolist() == [[1, 2, 3]] and x.median(1).values.item() == 2
    assert x.aminmax().min.item() == 1 and x.histogram(2).bin_edges.tolist() == [1, 2, 3]
    assert x.max(axis=1, keepdims=True).values.shape == (1, 1)


# ------------------------------------------------------------------------------- histograms


def test_limits_of_histograms_are_torchs(torch: Any) -> None:
    for values, *limits in (
        ([1.0, 2, 3, 2], 2, 2),
        ([1.0, 1], 0, 0),
        ([3.0, 0, 5], 0, 3),
        ([], 0, 0),
    ):
        x = np.array(values)
        ours = mytorch.histc(Tensor(x), 3, *limits)
        np.testing.assert_array_equal(ours.data, torch.histc(torch.tensor(x), 3, *limits).numpy())
    for values, names in (([1.0, 1], {}), ([1.0, 2, 3], {"range": (2.0, 2.0)}), ([], {})):
        x = np.array(values)
        for one, other in zip(
            mytorch.histogram(Tensor(x), 3, **names),
            torch.histogram(torch.tensor(x), 3, **names),
            strict=True,
        ):
            np.testing.assert_allclose(one.data, other.numpy(), rtol=1e-15)


# ------------------------------------------------------------------------------- softmax


def test_softmax_makes_one_array_of_the_size_of_its_input_and_its_gradient_another() -> None:
    x = Tensor(np.random.default_rng(56).normal(size=(500, 400)), requires_grad=True)
    seed = Tensor(np.ones(x.shape))
    tracemalloc.start()
    try:
        y = mytorch.softmax(x, -1)
        _, peak = tracemalloc.get_traced_memory()
        assert peak < 1.1 * x.data.nbytes
        tracemalloc.reset_peak()
        mytorch.autograd.gradients([y], [x], [seed])
        _, peak = tracemalloc.get_traced_memory()
        assert peak < 3.1 * x.data.nbytes  # the result, the gradient, and its copy in the walk
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("width", [1, 5, 300])
@pytest.mark.parametrize(
    "center, spread",
    [(0, 1), (0, 20), (0, 300), (-30, 1), (-60, 1), (-75, 3), (-300, 1), (88, 3), (300, 1)],
)
def test_softmax_of_many_elements_is_exact_wherever_they_lie(
    center: float, spread: float, width: int
) -> None:
    x = np.random.default_rng(57).normal(center, spread, (6000 // width, width))
    x = x.astype(np.float32)
    for shift in (0, -35, 95, -INF, NAN, INF):
        x[0, 0] = x[0, 0] + shift
        x[1] += shift if shift == -INF else 0  # of nothing but minus infinity: nan
        with np.errstate(invalid="ignore"):
            exact = np.exp(x - x.max(1, keepdims=True).astype(float))
            exact /= exact.sum(1, keepdims=True)
        result = mytorch.softmax(Tensor(x), 1).data
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, exact, rtol=6e-6, atol=2e-35)  # the shift is rounded


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_softmax_over_axes_in_any_layout_is_the_textbook_formula(name: str) -> None:
    rng = np.random.default_rng(57)
    for shape, axis in (((700, 3), 1), ((4, 900), 1), ((300, 5, 7), 1), ((2, 3), 0), ((), 0)):
        x = rng.normal(size=shape)
        total = np.exp(x).sum(axis=axis if shape else None, keepdims=True)
        wanted = {
            "softmax": np.exp(x) / total,
            "log_softmax": x - np.log(total),
            "logsumexp": np.log(total).squeeze(axis if shape else None),
        }[name]
        result = getattr(mytorch, name)(Tensor(x), axis)
        np.testing.assert_allclose(result.data, wanted.reshape(result.shape), rtol=1e-12)
        if shape:
            strided = Tensor(x)
            strided.data = np.asfortranarray(x)
            np.testing.assert_allclose(
                getattr(mytorch, name)(strided, axis).data, result.data, rtol=1e-12
            )


def test_forward_mode_of_a_long_sum_is_the_sum_of_tangents() -> None:
    x = np.ones((3, 5000), np.float32)
    value, tangent = jvp(lambda t: t.sum(1), (Tensor(x),), (Tensor(2 * x),))
    assert value.tolist() == [5000] * 3 and tangent.tolist() == [10_000] * 3


# ----------------------------------------------------------- results that are changed in place


def test_changing_a_chosen_element_or_its_places_leaves_the_gradient() -> None:
    names = ["max", "min", "amax", "amin", "median", "nanmedian"]
    for name in names:
        x = Tensor([1.0, 5.0, 3.0], requires_grad=True)
        getattr(x, name)().backward()
        expected, x.grad = x.grad.tolist(), None
        for change in (0.5, -2.0):
            result = getattr(x, name)()
            result += change
            result.backward()
            assert x.grad.tolist() == expected, name
            x.grad = None
    calls = {
        "max": lambda x: x.max(1),
        "sort": lambda x: x.sort(1),
        "topk": lambda x: x.topk(2, 1),
        "kthvalue": lambda x: x.kthvalue(2, 1),
        "mode": lambda x: x.mode(1),
        "cummax": lambda x: x.cummax(1),
        "pool": lambda x: F.max_pool1d(x, 2, return_indices=True),
    }
    for name, call in calls.items():
        gradients = []
        for change in (0, 1):
            x = Tensor([[1.0, 5.0, 3.0], [9.0, 2.0, 4.0]], requires_grad=True)
            chosen, places = call(x)
            places += change
            chosen -= change  # of an array that nobody else has a view of
            chosen.sum().backward()
            gradients.append(x.grad.tolist())
        assert gradients[0] == gradients[1], name
