"""Convolution and pooling by themselves: blocks, layout in memory, threads, homework 2."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import mytorch.nn.functional as F
from mytorch.autograd_engine import ContextManager
from mytorch.errors import ShapeError
from mytorch.ops import convolution
from mytorch.ops.pooling import indices_of_largest, places_of
from mytorch.ops.windows import blocks, windows_on
from mytorch.tensor import Tensor


def test_blocks_cover_each_window_once() -> None:
    for grid, depth, outputs, samples in [
        ((1, 1), 1, 1, 1), ((7, 5), 9, 4, 64), ((7, 50), 144, 6, 64), ((30, 40), 2000, 9, 1),
        ((3, 2000), 60, 2, 3), ((200, 3), 60, 5, 0), ((5, 7), 0, 1, 2), ((4, 9), 10**6, 1, 300),
    ]:  # fmt: skip
        windows = windows_on((1, 1), (1, 1), (1, 1), (1, 1), (0, 0), grid)
        seen = np.zeros((*grid, 1), int)
        for place in blocks(windows, depth, outputs, samples, 2):
            seen[place] += 1
        assert (seen == 1).all(), (grid, depth, outputs, samples)


def test_results_are_stored_batch_last_and_the_order_is_kept() -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(3, 2, 8, 8)))
    weight = Tensor(np.ones((4, 2, 3, 3)))
    y = F.max_pool2d(F.relu(F.conv2d(x, weight, padding=1)), 2)
    assert y.shape == (3, 4, 4, 4) and y.data.transpose(1, 2, 3, 0).flags.c_contiguous
    assert np.shares_memory(y.reshape(3, 64).data, y.data)  # what follows is a product: no copy


def test_inputs_are_not_changed_and_no_memory_is_shared() -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(2, 2, 4, 4)))
    weight = Tensor(np.random.default_rng(1).normal(size=(2, 2, 1, 1)))
    for result in (
        F.conv2d(x, weight),
        F.max_pool2d(x, 1),
        F.avg_pool2d(x, 1),
        F.adaptive_avg_pool2d(x, 4),
        F.interpolate(x, size=4),
        F.interpolate(x, size=4, mode="bilinear"),
        F.pad(x, (0, 0)),
    ):
        before = x.data.copy()
        result.data[...] = 7
        np.testing.assert_array_equal(x.data, before)


def test_only_wanted_gradients_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise AssertionError("the gradient of an image that wants none")

    monkeypatch.setattr(convolution, "_transposed", refuse)
    weight = Tensor(np.ones((2, 1, 3, 3)), requires_grad=True)
    F.conv2d(Tensor(np.ones((1, 1, 4, 4))), weight).sum().backward()
    assert weight.grad.data.tolist() == np.full((2, 1, 3, 3), 4.0).tolist()


def test_convolutions_in_several_threads_do_not_disturb_each_other() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(16, 8, 20, 20)), rng.normal(size=(8, 8, 3, 3))
    windows = windows_on((20, 20), (3, 3), (1, 1), (1, 1), (1, 1), (20, 20))
    wanted = [convolution._convolved(x * k, weight, None, windows, 1) for k in range(4)]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(10):
            if not np.array_equal(
                convolution._convolved(x * k, weight, None, windows, 1), wanted[k]
            ):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_infinities_and_overflow_are_silent() -> None:
    x = Tensor(np.array([[[np.inf, -np.inf, 0.0, 1e300, 1e300]]]), requires_grad=True)
    for result in (
        F.conv1d(x, Tensor([[[0.0, 1e300]]])),
        F.conv_transpose1d(x, Tensor([[[0.0, 1e300]]])),
        F.avg_pool1d(x, 2, 1),
        F.adaptive_avg_pool1d(x, 3),
        F.interpolate(x, size=3, mode="linear"),
    ):
        result.backward()
    columns = Tensor([[[1.0, -np.inf, 1.0], [np.inf, 1.0, 1.0]]])
    assert np.isnan(F.fold(columns, (4, 1), (2, 1)).data[0, 0, 1, 0])


def test_convolution_of_no_channels_is_the_bias() -> None:
    x, weight = Tensor(np.zeros((2, 0, 4, 4))), Tensor(np.zeros((3, 0, 2, 2)), requires_grad=True)
    y = F.conv2d(x, weight, Tensor([1.0, 2.0, 3.0]))
    y.backward()
    assert y.shape == (2, 3, 3, 3) and (y.data == np.array([1, 2, 3])[:, None, None]).all()
    assert weight.grad.shape == (3, 0, 2, 2)


def test_half_precision_is_summed_in_single_precision() -> None:
    x = Tensor(np.ones((1, 1, 5000), np.float16))
    result = F.conv1d(x, Tensor(np.ones((1, 1, 5000), np.float16)))
    assert (result.dtype, result.item()) == (np.float16, 5000)


def test_adaptive_pooling_to_nothing_is_empty() -> None:
    for pool in (F.adaptive_avg_pool2d, F.adaptive_max_pool2d):
        x = Tensor(np.ones((2, 2, 3, 5)), requires_grad=True)
        y = pool(x, (0, 2))
        y.backward()
        assert y.shape == (2, 2, 0, 2) and not x.grad.data.any()


def test_both_ways_to_find_the_largest_agree() -> None:
    rng = np.random.default_rng(5)
    x = rng.choice([-np.inf, 0.0, 1.0, np.nan], (3, 2, 9, 8))
    windows = windows_on((9, 8), (3, 2), (2, 1), (2, 3), (1, 1), (4, 7))
    places = indices_of_largest(x, *places_of(windows))
    tensor = Tensor(x, requires_grad=True)
    result = F.max_pool2d(tensor, (3, 2), (2, 1), 1, (2, 3))
    cotangent = rng.normal(size=result.shape)
    result.backward(Tensor(cotangent))
    wanted = np.zeros((6, 72))
    np.add.at(wanted, (np.arange(6)[:, None], places.reshape(6, -1)), cotangent.reshape(6, -1))
    np.testing.assert_allclose(tensor.grad.data.reshape(6, 72), wanted, rtol=1e-12)


def test_pixel_shuffle_of_an_empty_batch_has_the_new_shape() -> None:
    assert F.pixel_shuffle(Tensor(np.zeros((0, 4, 2, 3))), 2).shape == (
        0,
        1,
        4,
        6,
    )  # torch: the old
    assert F.pixel_unshuffle(Tensor(np.zeros((0, 1, 4, 6))), 2).shape == (0, 4, 2, 3)


# ------------------------------------------------------------------------------ homework 2


def test_the_homeworks_output_size() -> None:
    assert F.get_conv1d_output_size(100, 6, 4) == 24
    assert type(F.get_conv1d_output_size(7, 7, 2)) is int
    assert "get_conv1d_output_size" in F.__all__ and "Conv1d" not in F.__all__


def test_the_homeworks_convolution_gives_unreached_inputs_a_zero_gradient() -> None:
    rng = np.random.default_rng(0)
    tensors = [Tensor(rng.normal(size=s), requires_grad=True) for s in [(2, 3, 8), (4, 3, 3), (4,)]]
    y = F.Conv1d.apply(*tensors, 2)
    assert (
        y.shape == (2, 4, F.get_conv1d_output_size(8, 3, 2)) and y.grad_fn.function_name == "Conv1d"
    )
    y.backward()
    assert (tensors[0].grad.data[:, :, 7] == 0).all() and tensors[0].grad.data[:, :, :7].all()
    assert tensors[2].grad.data.tolist() == [6.0] * 4


def test_the_homeworks_convolution_can_be_called_directly() -> None:
    ctx, rng = ContextManager(), np.random.default_rng(0)
    x, weight, bias = (Tensor(rng.normal(size=s)) for s in [(2, 3, 8), (4, 3, 3), (4,)])
    y = F.Conv1d.forward(ctx, x, weight, bias, 1)
    grads = F.Conv1d.backward(ctx, Tensor(np.ones(y.shape)))
    assert [g.shape for g in grads[:3]] == [x.shape, weight.shape, bias.shape]
    with pytest.raises(ShapeError, match="Conv1d: input .* has 3 channels"):
        F.Conv1d.apply(x, Tensor(np.ones((4, 2, 3))), bias, 1)
