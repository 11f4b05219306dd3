"""Convolution and pooling beside torch: random geometry, large sizes, layouts in memory."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mytorch
import mytorch.nn.functional as F
from mytorch.errors import ShapeError
from mytorch.tensor import Tensor

torch = pytest.importorskip("torch", reason="torch is not installed")

CONV = {1: "conv1d", 2: "conv2d"}
TRANSPOSED = {1: "conv_transpose1d", 2: "conv_transpose2d"}


def batch_last(x: np.ndarray) -> np.ndarray:
    """A copy of the same array whose batch is the last axis in memory, as convolutions give it."""
    return np.ascontiguousarray(np.moveaxis(x, 0, -1)).transpose(-1, *range(x.ndim - 1))


def compare(name: str, arrays: list[np.ndarray], *numbers: Any, **options: Any) -> None:
    """Compare value, gradients, and the gradients of the recorded walk, with torch's."""
    ours = [Tensor(x, requires_grad=True) for x in arrays]
    for tensor, x in zip(ours, arrays, strict=True):
        tensor.data = x  # the layout in memory too
    theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
    result = getattr(F, name)(*ours, *numbers, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "same" with even kernels copies, torch says
        wanted = getattr(torch.nn.functional, name)(*theirs, *numbers, **options)
    np.testing.assert_allclose(result.data, wanted.detach().numpy(), rtol=1e-10, atol=1e-10)
    cotangent = np.random.default_rng(1).normal(size=result.shape)
    references = torch.autograd.grad(wanted, theirs, torch.tensor(cotangent))
    for create_graph in (False, True):  # on arrays, and by recorded operations
        seed = [Tensor(cotangent)]
        found = mytorch.autograd.gradients([result], ours, seed, True, create_graph)
        for one, other in zip(found, references, strict=True):
            np.testing.assert_allclose(one.data, other.numpy(), rtol=1e-10, atol=1e-10)


@st.composite
def geometry(draw: Any) -> dict[str, Any]:
    """Sizes and numbers of a convolution, some of which do not fit."""
    axes = draw(st.integers(1, 2))

    def pair(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(axes))

    return {
        "axes": axes,
        "batch": draw(st.integers(0, 3)),
        "groups": draw(st.integers(1, 3)),
        "inputs": draw(st.integers(1, 2)),
        "outputs": draw(st.integers(1, 2)),
        "size": pair(1, 9),
        "kernel": pair(1, 4),
        "stride": pair(1, 4),
        "padding": pair(0, 3),
        "dilation": pair(1, 3),
        "extra": pair(0, 2),
        "has_bias": draw(st.booleans()),
        "is_batch_last": draw(st.booleans()),
        "seed": draw(st.integers(0, 99)),
    }


@settings(deadline=None, max_examples=60)
@given(geometry())
def test_convolutions_of_any_geometry_equal_torchs(g: dict[str, Any]) -> None:
    rng = np.random.default_rng(g["seed"])
    channels, outputs = g["inputs"] * g["groups"], g["outputs"] * g["groups"]
    x = rng.normal(size=(g["batch"], channels, *g["size"]))
    x = batch_last(x) if g["is_batch_last"] else x
    arrays = [x, rng.normal(size=(outputs, g["inputs"], *g["kernel"]))]
    arrays += [rng.normal(size=outputs)] if g["has_bias"] else []
    numbers = {key: g[key] for key in ("stride", "padding", "dilation", "groups")}
    tensors = [torch.tensor(each) for each in arrays]
    try:
        getattr(torch.nn.functional, CONV[g["axes"]])(*tensors, **numbers)
    except RuntimeError:
        with pytest.raises(ShapeError):
            getattr(F, CONV[g["axes"]])(*map(Tensor, arrays), **numbers)
        return
    compare(CONV[g["axes"]], arrays, **numbers)


@settings(deadline=None, max_examples=60)
@given(geometry())
def test_transposed_convolutions_of_any_geometry_equal_torchs(g: dict[str, Any]) -> None:
    rng = np.random.default_rng(g["seed"])
    channels, outputs = g["inputs"] * g["groups"], g["outputs"] * g["groups"]
    x = rng.normal(size=(g["batch"] + 1, channels, *g["size"]))
    x = batch_last(x) if g["is_batch_last"] else x
    arrays = [x, rng.normal(size=(channels, g["outputs"], *g["kernel"]))]
    arrays += [rng.normal(size=outputs)] if g["has_bias"] else []
    numbers = {key: g[key] for key in ("stride", "padding", "dilation", "groups")}
    numbers["output_padding"] = g["extra"]
    tensors = [torch.tensor(each) for each in arrays]
    try:
        getattr(torch.nn.functional, TRANSPOSED[g["axes"]])(*tensors, **numbers)
    except RuntimeError:
        with pytest.raises(ShapeError):
            getattr(F, TRANSPOSED[g["axes"]])(*map(Tensor, arrays), **numbers)
        return
    compare(TRANSPOSED[g["axes"]], arrays, **numbers)


@settings(deadline=None, max_examples=60)
@given(geometry(), st.booleans(), st.booleans())
def test_pooling_of_any_geometry_equals_torchs(
    g: dict[str, Any], ceil_mode: bool, with_ties: bool
) -> None:
    rng = np.random.default_rng(g["seed"])
    x = rng.normal(size=(g["batch"], g["inputs"], *g["size"]))
    if with_ties:
        x = rng.choice([-np.inf, 0.0, 1.0, np.nan], x.shape, p=[0.3, 0.3, 0.3, 0.1])
    x = batch_last(x) if g["is_batch_last"] else x
    numbers = {key: g[key] for key in ("stride", "padding", "dilation")}
    numbers |= {"kernel_size": g["kernel"], "ceil_mode": ceil_mode}
    check_pooling(f"max_pool{g['axes']}d", x, numbers)
    check_pooling(f"max_pool{g['axes']}d", x, {**numbers, "return_indices": True})
    del numbers["dilation"]
    if not with_ties:
        numbers["count_include_pad"] = g["has_bias"]
        check_pooling(f"avg_pool{g['axes']}d", x, numbers)


def check_pooling(name: str, x: np.ndarray, numbers: dict[str, Any]) -> None:
    """Compare a pooling with torch's, indices too; what torch refuses is refused."""
    try:
        wanted = getattr(torch.nn.functional, name)(torch.tensor(x), **numbers)
    except RuntimeError:
        with pytest.raises(ShapeError):
            getattr(F, name)(Tensor(x), **numbers)
        return
    spans = zip(numbers["kernel_size"], numbers.get("dilation", (1, 1)), strict=False)
    sees_nothing = any(d * (k - 1) >= n for n, (k, d) in zip(x.shape[2:], spans, strict=True))
    if sees_nothing and "max" in name:  # a window may be all margin, and torch's index is outside
        return
    if not numbers.get("return_indices"):
        compare(name, [x], **numbers)
        return
    for one, other in zip(getattr(F, name)(Tensor(x), **numbers), wanted, strict=True):
        np.testing.assert_array_equal(one.data, other.numpy())


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 9), st.integers(1, 9))
def test_adaptive_pooling_of_any_size_equals_torchs(
    h: int, w: int, rows: int, columns: int
) -> None:
    x = np.random.default_rng(h).normal(size=(2, 2, h, w))
    compare("adaptive_avg_pool2d", [x], (rows, columns))
    compare("adaptive_max_pool2d", [x], (rows, columns))
    compare("adaptive_avg_pool1d", [x[0]], columns)
    found = F.adaptive_max_pool2d(Tensor(x), (rows, columns), return_indices=True)
    wanted = torch.nn.functional.adaptive_max_pool2d(torch.tensor(x), (rows, columns), True)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one.data, other.numpy())


@settings(deadline=None, max_examples=60)
@given(geometry())
def test_unfold_and_fold_of_any_geometry_equal_torchs(g: dict[str, Any]) -> None:
    size = (*g["size"], 5)[:2]
    numbers = {key: (*g[key], 1)[:2] for key in ("stride", "padding", "dilation")}
    kernel = (*g["kernel"], 2)[:2]
    x = np.random.default_rng(g["seed"]).normal(size=(g["batch"], 2, *size))
    try:
        columns = torch.nn.functional.unfold(torch.tensor(x), kernel, **numbers)
    except RuntimeError:
        with pytest.raises(ShapeError):
            F.unfold(Tensor(x), kernel, **numbers)
        return
    compare("unfold", [batch_last(x) if g["is_batch_last"] else x], kernel, **numbers)
    compare("fold", [columns.numpy()], size, kernel, **numbers)


# ------------------------------------------------------------------------------ blocks, layouts


BLOCKED = {  # (input, weight, groups), so large that they are computed in several blocks
    "some rows": ((1, 16, 42, 32), (8, 16, 3, 3), 1),
    "one row": ((8, 16, 12, 50), (8, 16, 3, 3), 1),
    "parts of a row": ((64, 16, 8, 22), (8, 16, 3, 3), 1),
    "groups": ((32, 32, 10, 20), (16, 4, 3, 3), 8),
    "depthwise": ((16, 64, 9, 24), (64, 1, 5, 5), 64),
    "one element": ((40, 32, 9, 31), (16, 32, 1, 1), 1),
    "one window": ((50, 8, 5, 5), (12, 8, 5, 5), 1),
}


@pytest.mark.parametrize("name", BLOCKED)
@pytest.mark.parametrize("numbers", [{}, {"padding": 2, "stride": 2}, {"padding": (1, 2)}])
def test_convolutions_in_several_blocks_equal_torchs(name: str, numbers: dict[str, Any]) -> None:
    shape, kernel, groups = BLOCKED[name]
    rng = np.random.default_rng(3)
    arrays = [rng.normal(size=each) for each in (shape, kernel, kernel[:1])]
    compare("conv2d", arrays, groups=groups, **numbers)


def test_same_with_an_even_kernel_pads_one_more_on_the_right() -> None:
    x, weight = np.arange(1.0, 6).reshape(1, 1, 5), np.ones((1, 1, 4))
    compare("conv1d", [x, weight], padding="same")
    assert F.conv1d(Tensor(x), Tensor(weight), padding="same").data.tolist() == [
        [[6, 10, 14, 12, 9]]
    ]


def test_a_pooling_window_of_more_than_255_elements() -> None:
    x = np.random.default_rng(0).permutation(800).astype(float).reshape(1, 1, 20, 40)
    compare("max_pool2d", [x], 20)
    compare("max_pool2d", [x], (16, 20), 3)
