"""Convolution, pooling, padding and resampling as modules, each beside torch's."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mytorch
import mytorch.nn.functional as F
from mytorch import nn
from mytorch.nn import conv
from mytorch.tensor import Tensor


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


Make = Callable[[Any], Any]
SIGNAL, IMAGE, VOLUME = (2, 4, 11), (2, 4, 9, 8), (2, 1, 3, 4, 5)

# A constructor call that serves both libraries, and the shapes that its modules take.
CASES: list[tuple[Make, tuple[int, ...]]] = [
    (lambda m: m.Conv1d(4, 6, 3), SIGNAL),
    (lambda m: m.Conv1d(4, 6, 3), SIGNAL[1:]),
    (lambda m: m.Conv1d(4, 6, (3,), 2, 1, 2, 2, False), SIGNAL),
    (lambda m: m.Conv1d(4, 4, 4, padding="same", padding_mode="circular"), SIGNAL),
    (lambda m: m.Conv1d(4, 2, 3, padding=2, padding_mode="replicate"), SIGNAL[1:]),
    (lambda m: m.Conv2d(4, 6, 3), IMAGE),
    (lambda m: m.Conv2d(4, 6, 3), IMAGE[1:]),
    (lambda m: m.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 2), groups=2), IMAGE),
    (lambda m: m.Conv2d(4, 8, 3, padding=1, groups=4, bias=False), IMAGE),
    (lambda m: m.Conv2d(4, 2, (2, 5), padding="same", dilation=(3, 1)), IMAGE),
    (lambda m: m.Conv2d(4, 2, 3, padding="valid", padding_mode="reflect"), IMAGE),
    (lambda m: m.Conv2d(4, 2, (3, 4), 2, (1, 2), padding_mode="reflect"), IMAGE),
    (lambda m: m.Conv2d(4, 2, (2, 3), padding="same", padding_mode="reflect"), IMAGE),
    (lambda m: m.Conv2d(4, 6, 3, 2, 1), (0, *IMAGE[1:])),
    (lambda m: m.ConvTranspose2d(4, 6, 3, 2, 1), (0, *IMAGE[1:])),
    (lambda m: m.ConvTranspose1d(4, 6, 3), SIGNAL),
    (lambda m: m.ConvTranspose1d(4, 6, 3, 2, 1, 1, 2, False, 2), SIGNAL[1:]),
    (lambda m: m.ConvTranspose2d(4, 6, 3), IMAGE),
    (lambda m: m.ConvTranspose2d(4, 6, (3, 2), (2, 3), (1, 0), (1, 2), groups=2), IMAGE),
    (lambda m: m.ConvTranspose2d(4, 6, 2, dilation=(1, 3), bias=False), IMAGE[1:]),
    (lambda m: m.MaxPool1d(3), SIGNAL),
    (lambda m: m.MaxPool1d(3, 2, 1, 2, ceil_mode=True), SIGNAL),
    (lambda m: m.MaxPool1d(3, return_indices=True), SIGNAL),
    (lambda m: m.MaxPool2d(2), IMAGE),
    (lambda m: m.MaxPool2d((3, 2), (2, 1), (1, 0), ceil_mode=True), IMAGE[1:]),
    (lambda m: m.MaxPool2d(3, 2, 1, 2, True), IMAGE),
    (lambda m: m.AvgPool1d(3), SIGNAL),
    (lambda m: m.AvgPool1d(3, 2, 1, True, False), SIGNAL),
    (lambda m: m.AvgPool2d(2), IMAGE),
    (lambda m: m.AvgPool2d((3, 2), 2, (1, 0), True, False), IMAGE),
    (lambda m: m.AvgPool2d(3, 1, divisor_override=5), IMAGE[1:]),
    (lambda m: m.LPPool1d(2, 3), SIGNAL),
    (lambda m: m.LPPool2d(4, (3, 2), 2, ceil_mode=True), IMAGE),
    (lambda m: m.AdaptiveAvgPool1d(4), SIGNAL),
    (lambda m: m.AdaptiveAvgPool2d(1), IMAGE),
    (lambda m: m.AdaptiveAvgPool2d((5, None)), IMAGE),
    (lambda m: m.AdaptiveMaxPool1d(4, True), SIGNAL),
    (lambda m: m.AdaptiveMaxPool2d((3, 5)), IMAGE),
    (lambda m: m.Unfold((3, 2), 1, (1, 0), 2), IMAGE),
    (lambda m: m.Fold((5, 4), (2, 1), stride=(1, 2)), (2, 6, 8)),
    (lambda m: m.Upsample(7), SIGNAL),
    (lambda m: m.Upsample(scale_factor=2), IMAGE),
    (lambda m: m.Upsample(scale_factor=(2, 1.5), mode="bilinear"), IMAGE),
    (lambda m: m.Upsample((5, 6), mode="bicubic", align_corners=True), IMAGE),
    (lambda m: m.Upsample(None, 2.3, "linear", recompute_scale_factor=True), SIGNAL),
    (lambda m: m.UpsamplingNearest2d(scale_factor=3), IMAGE),
    (lambda m: m.UpsamplingBilinear2d((12, 5)), IMAGE),
    (lambda m: m.PixelShuffle(2), IMAGE),
    (lambda m: m.PixelUnshuffle(2), (2, 3, 8, 6)),
    (lambda m: m.ChannelShuffle(2), IMAGE),
    (lambda m: m.ChannelShuffle(4), SIGNAL),
    (lambda m: m.Flatten(), IMAGE),
    (lambda m: m.Flatten(0, -2), SIGNAL),
    (lambda m: m.ZeroPad1d(2), SIGNAL),
    (lambda m: m.ZeroPad2d((1, 2, 0, 3)), IMAGE),
    (lambda m: m.ConstantPad1d((1, -2), 3.5), SIGNAL),
    (lambda m: m.ConstantPad2d(1, -1), IMAGE[1:]),
    (lambda m: m.ReflectionPad1d(2), SIGNAL),
    (lambda m: m.ReflectionPad2d((1, 2, 3, 0)), IMAGE),
    (lambda m: m.ReplicationPad1d((1, 2)), SIGNAL[1:]),
    (lambda m: m.ReplicationPad2d(3), IMAGE),
    (lambda m: m.CircularPad1d((3, 1)), SIGNAL),
    (lambda m: m.CircularPad2d(2), IMAGE),
    (lambda m: m.ZeroPad3d((1, 2, 0, 3, -1, 1)), VOLUME),
    (lambda m: m.ConstantPad3d(1, 2.5), VOLUME[1:]),
    (lambda m: m.ReflectionPad3d((1, 2, 3, 0, 1, 2)), VOLUME),
    (lambda m: m.ReplicationPad3d((4, 1, 0, 1, 2, 2)), VOLUME[1:]),
    (lambda m: m.CircularPad3d((3, 1, 0, 2, 1, 1)), VOLUME),
]
WITH_PARAMETERS = [case for case in CASES if list(case[0](nn).parameters())]


def name_of(case: Any) -> str:
    return repr(case[0](nn)) + f"{list(case[1])}"


def both(torch: Any, make: Make, dtype: str = "float64") -> tuple[Any, Any]:
    """Return the module of each library, with torch's parameters and ours the same numbers."""
    mine, theirs = make(nn).to(getattr(mytorch, dtype)), make(torch.nn).to(getattr(torch, dtype))
    theirs.load_state_dict({k: torch.from_numpy(v.data) for k, v in mine.state_dict().items()})
    return mine, theirs


def outputs(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def compare(torch: Any, mine: Any, theirs: Any, x: np.ndarray, bound: float, *args: Any) -> None:
    """Compare outputs and gradients at x, with gradients of the outputs that differ."""
    ours, other = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    found, expected = outputs(mine(ours, *args)), outputs(theirs(other, *args))
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == tuple(b.shape) and str(a.dtype) == str(b.dtype).removeprefix("torch.")
        np.testing.assert_allclose(a.data, b.detach().numpy(), bound, bound)
    weights = np.random.default_rng(2).normal(size=found[0].shape).astype(x.dtype)
    (found[0] * Tensor(weights)).sum().backward()
    (expected[0] * torch.tensor(weights)).sum().backward()
    pairs = [(ours, other), *zip(mine.parameters(), theirs.parameters(), strict=True)]
    for p, q in pairs:
        np.testing.assert_allclose(p.grad.data, q.grad.numpy(), bound, bound)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_outputs_and_gradients_are_torchs(torch: Any, case: Any, dtype: str) -> None:
    make, shape = case
    mine, theirs = both(torch, make, dtype)
    rng = np.random.default_rng(zlib.crc32(name_of(case).encode()))
    x = rng.normal(size=shape).astype(dtype)
    compare(torch, mine, theirs, x, 1e-10 if dtype == "float64" else 2e-5)
    mine.eval()
    theirs.eval()
    compare(torch, mine, theirs, x, 1e-10 if dtype == "float64" else 2e-5)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_repr_attributes_and_state_are_torchs(torch: Any, case: Any) -> None:
    mine, theirs = case[0](nn), case[0](torch.nn)
    assert repr(mine) == repr(theirs)
    state = {k: tuple(v.shape) for k, v in mine.state_dict().items()}
    assert state == {k: tuple(v.shape) for k, v in theirs.state_dict().items()}
    for attribute, value in vars(theirs).items():
        if not attribute.startswith("_") and attribute not in ("training", "name"):
            assert getattr(mine, attribute) == value, attribute


@pytest.mark.parametrize("axes", [1, 2])
def test_max_unpool_puts_back_what_max_pool_took(torch: Any, axes: int) -> None:
    shape = (2, 3, 9, 8)[: axes + 2]
    x = np.random.default_rng(0).normal(size=shape)
    for sizes in (2,), (3, 2, 1):
        pool, unpool = (getattr(nn, f"{kind}{axes}d") for kind in ("MaxPool", "MaxUnpool"))
        theirs = getattr(torch.nn, f"MaxUnpool{axes}d")(*sizes)
        assert repr(unpool(*sizes)) == repr(theirs)
        largest, indices = pool(*sizes, return_indices=True)(Tensor(x))
        places = torch.tensor(indices.data)
        for size in (None, shape, shape[2:]):
            if size is None and sizes == (3, 2, 1) and axes == 2:
                continue  # the smallest image does not hold all of the places
            found = unpool(*sizes)(largest, indices, output_size=size)
            expected = theirs(torch.tensor(largest.data), places, output_size=size)
            np.testing.assert_array_equal(found.data, expected.numpy())


@pytest.mark.parametrize("axes", [1, 2])
def test_a_transposed_convolution_finds_the_padding_for_an_output_size(
    torch: Any, axes: int
) -> None:
    mine, theirs = both(torch, lambda m: getattr(m, f"ConvTranspose{axes}d")(2, 3, 3, 3, 1))
    x = np.random.default_rng(0).normal(size=(2, 2, 4, 5)[: axes + 2])
    for size in ((11, 14), (12, 13), (10, 15)):
        compare(torch, mine, theirs, x, 1e-10, size[:axes])
        compare(torch, mine, theirs, x, 1e-10, (2, 3, *size[:axes]))
    compare(torch, mine, theirs, x[0], 1e-10, (10, 13)[:axes])
    sample = Tensor(x)
    for bad, why in (
        ((9, 13)[:axes], "cannot be: input .* gives from"),
        ((13, 13)[:axes], "cannot be"),
        ((1,) * (axes + 1), f"has {axes + 1} sizes; for .* it has {axes}, or {axes + 2} with"),
    ):
        with pytest.raises(ValueError, match=why):
            mine(sample, bad)


# ------------------------------------------------------------------------------ how they start


@pytest.mark.parametrize("case", WITH_PARAMETERS, ids=name_of)
def test_parameters_are_drawn_by_torchs_rule_from_numpys_generator(torch: Any, case: Any) -> None:
    layer = case[0](nn)
    weight = layer.weight.data
    bound = 1 / np.sqrt(weight[0].size)  # kaiming_uniform_ with a = sqrt(5)
    np.random.seed(3)
    layer.reset_parameters()
    assert layer.weight.data is weight  # in place
    np.random.seed(3)
    np.testing.assert_array_equal(weight, np.random.uniform(-bound, bound, weight.shape))
    if layer.bias is not None:
        size = layer.bias.shape
        np.testing.assert_array_equal(layer.bias.data, np.random.uniform(-bound, bound, size))
    theirs = case[0](torch.nn).weight.abs().max().item()
    assert 0.8 * bound < np.abs(weight).max() <= bound and 0.8 * bound < theirs <= bound


def test_parameters_are_of_the_dtype_that_is_asked_for() -> None:
    assert nn.Conv2d(1, 1, 1).weight.dtype == np.float64
    layer = nn.ConvTranspose1d(2, 2, 2, device="cpu", dtype=mytorch.float32)
    assert {p.dtype for p in layer.parameters()} == {np.dtype(np.float32)}
    mytorch.set_default_dtype(np.float32)
    try:
        assert nn.Conv1d(1, 1, 1).bias.dtype == np.float32
        assert conv.Conv1d(1, 1, 1).weight.dtype == np.float32
    finally:
        mytorch.set_default_dtype(np.float64)
    with pytest.raises(RuntimeError, match="Conv2d: device: MyTorch computes with NumPy"):
        nn.Conv2d(1, 1, 1, device="cuda")
    with pytest.raises(RuntimeError, match="Conv2d: dtype must be floating.*int64"):
        nn.Conv2d(1, 1, 1, dtype=np.int64)


# ------------------------------------------------------------------------------ bad input


BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: nn.Conv1d(3, 4, 3, padding="some"), ValueError, "Conv1d: padding is 'same', 'valid'"),
    (lambda: nn.Conv1d(3, 4, 3, 2, "same"), ValueError, "'same' needs stride 1, got .2,."),
    (lambda: nn.Conv2d(3, 4, 0), ValueError, "Conv2d: kernel_size must be at least 1, got 0"),
    (lambda: nn.Conv2d(3, 4, 3, (0, 1)), ValueError, "Conv2d: stride must be at least 1"),
    (lambda: nn.Conv2d(3, 4, 3, padding=-1), ValueError, "Conv2d: padding must be at least 0"),
    (lambda: nn.Conv2d(3, 4, 3, groups=3), ValueError, "groups=3 must divide in_channels=3 and ou"),
    (lambda: nn.Conv2d(-1, 4, 3), ValueError, "Conv2d: in_channels must be at least 1, got -1"),
    (
        lambda: nn.Conv2d((3,), 4, 3),
        TypeError,
        r"Conv2d: in_channels must be an integer, got \(3,\)",
    ),
    (lambda: nn.Conv2d(3, 4, 3, groups=0), ValueError, "Conv2d: groups must be at least 1, got 0"),
    (lambda: nn.Conv2d(3, 4, 3, padding_mode="x"), ValueError, "padding_mode is one of .*not 'x'"),
    (lambda: nn.Conv2d(3, 4, 3.0), TypeError, "Conv2d: kernel_size is an integer or a tuple of 2"),
    (lambda: nn.Conv2d(3, 4, (1, 2, 3)), ValueError, "kernel_size=.1, 2, 3. has 3 numbers for 2"),
    (lambda: nn.Conv2d(1, 1, 3)(Tensor.ones(2, 2, 4, 4)), ValueError, "2 channels, but weight"),
    (lambda: nn.Conv2d(1, 1, 3)(Tensor.ones(4, 4)), ValueError, r"\(N, C, H, W\) or \(C, H, W\)"),
    (lambda: nn.Conv1d(1, 1, 3)(Tensor.ones(2, 1, 2)), ValueError, "larger than the padded input"),
    (
        lambda: nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular")(Tensor.ones(4, 4)),
        ValueError,
        r"Conv2d: expects \(N, C, H, W\)",
    ),
    (lambda: nn.ConvTranspose2d(1, 1, 1, padding="same"), TypeError, "padding is an integer"),
    (
        lambda: nn.ConvTranspose1d(1, 1, 1, padding_mode="reflect"),
        ValueError,
        "ConvTranspose1d: the only padding_mode is 'zeros'",
    ),
    (
        lambda: nn.ConvTranspose1d(1, 1, 2, output_padding=1)(Tensor.ones(1, 1, 3)),
        RuntimeError,
        "output_padding .* must be smaller than stride",
    ),
    (lambda: nn.AvgPool1d("a"), TypeError, "AvgPool1d: kernel_size is an integer"),
    (lambda: nn.MaxUnpool2d((1, 2, 3)), ValueError, "MaxUnpool2d: kernel_size.* 3 numbers for 2"),
    (lambda: nn.MaxPool2d(0)(Tensor.ones(1, 1, 2, 2)), RuntimeError, "kernel_size must be at lea"),
    (lambda: nn.MaxPool2d(2)(Tensor.ones(3, 3)), RuntimeError, r"\(N, C, H, W\) or \(C, H, W\)"),
    (lambda: nn.AdaptiveAvgPool2d((1, 2, 3))(Tensor.ones(1, 4, 4)), RuntimeError, "3 numbers for"),
    (lambda: nn.ZeroPad2d((1, 2, 3)), ValueError, r"ZeroPad2d: padding=\(1, 2, 3\) has 3 numbers"),
    (lambda: nn.ReflectionPad1d(1.5), TypeError, "ReflectionPad1d: padding is an integer or 2 of"),
    (lambda: nn.ReflectionPad1d(4)(Tensor.ones(1, 4)), RuntimeError, "more than mode 'reflect'"),
    (lambda: nn.ReflectionPad2d(1)(Tensor.ones(4, 4)), NotImplementedError, "pads the last axes"),
    (lambda: nn.CircularPad1d(1)(Tensor.ones(1, 1, 1, 4)), ValueError, r"CircularPad1d: expects"),
    (lambda: nn.CircularPad3d(1)(Tensor.ones(1, 4)), ValueError, r"expects \(N, C, D, H, W\) or"),
    (lambda: nn.ChannelShuffle(3)(Tensor.ones(1, 4, 2)), RuntimeError, "groups=3 must be positiv"),
    (lambda: nn.Flatten()(Tensor.ones(3)), IndexError, "dimension out of range"),
    (lambda: nn.Flatten(2, 1)(Tensor.ones(3, 3, 3)), RuntimeError, "start_dim 2 comes after"),
    (lambda: nn.Upsample()(Tensor.ones(1, 1, 2)), ValueError, "either size or scale_factor"),
    (lambda: nn.PixelShuffle(2)(Tensor.ones(3, 2, 2)), RuntimeError, "not divisible by 2"),
    (lambda: nn.Unfold(5)(Tensor.ones(1, 4, 4)), RuntimeError, "larger than the image"),
    (lambda: nn.Fold(4, 2)(Tensor.ones(1, 4, 8)), RuntimeError, r"expects \(N, C \* 4, 9\)"),
]


@pytest.mark.parametrize(("call", "kind", "why"), BAD, ids=lambda x: x if type(x) is str else "")
def test_bad_arguments_are_refused(call: Any, kind: Any, why: str) -> None:
    with pytest.raises(kind, match=why):
        call()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_convolution_that_torch_makes_is_made_alike(data: st.DataObject) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")

    def draw(least: int, most: int) -> int:
        return data.draw(st.integers(least, most))

    axes, groups = draw(1, 2), draw(1, 3)
    channels = groups * draw(1, 2), groups * draw(1, 2)
    pairs = {
        name: tuple(draw(least, most) for _ in range(axes))
        for name, least, most in (("kernel_size", 1, 4), ("stride", 1, 3), ("padding", 0, 2))
    }
    dilation = draw(1, 2)
    size = [draw(1, 6) + dilation * (k - 1) for k in pairs["kernel_size"]]
    kind = data.draw(st.sampled_from(["Conv", "ConvTranspose"])) + f"{axes}d"
    names = {**pairs, "groups": groups, "dilation": dilation, "bias": bool(draw(0, 1))}
    mine, theirs = both(torch, lambda m: getattr(m, kind)(*channels, **names))
    x = np.random.default_rng(0).normal(size=(draw(1, 3), channels[0], *size))
    try:
        theirs(torch.tensor(x))
    except RuntimeError:
        with pytest.raises(RuntimeError):
            mine(Tensor(x))
        return
    compare(torch, mine, theirs, x, 1e-9)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_pooling_that_torch_makes_is_made_alike(data: st.DataObject) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")

    def draw(least: int, most: int) -> int:
        return data.draw(st.integers(least, most))

    def each(least: int, most: int) -> tuple[int, ...]:
        return tuple(draw(least, most) for _ in range(axes))

    axes = draw(1, 2)
    kind = data.draw(st.sampled_from(["MaxPool", "AvgPool", "LPPool", "Adaptive"]))
    names: dict[str, Any] = {"kernel_size": each(1, 4), "ceil_mode": bool(draw(0, 1))}
    if draw(0, 1):
        names["stride"] = each(1, 3)
    if kind == "MaxPool":
        names |= {"padding": each(0, 2), "dilation": each(1, 2)}
        names["return_indices"] = bool(draw(0, 1))
    elif kind == "AvgPool":
        names |= {"padding": each(0, 2), "count_include_pad": bool(draw(0, 1))}
    elif kind == "LPPool":
        names = {"norm_type": 2.0, **names, "kernel_size": names["kernel_size"]}
        if axes == 1:  # torch takes no tuple there
            names |= {key: names[key][0] for key in ("kernel_size", "stride") if key in names}
    else:
        kind = data.draw(st.sampled_from(["AdaptiveAvgPool", "AdaptiveMaxPool"]))
        names = {"output_size": each(1, 6)}
    mine, theirs = both(torch, lambda m: getattr(m, f"{kind}{axes}d")(**names))
    least = max(names.get("dilation", (1,)))  # less may be seen by no window: torch reads beyond
    shape = (draw(1, 2), draw(1, 3), *each(least, 7))[0 if draw(0, 1) else 1 :]
    x = np.random.default_rng(0).normal(size=shape)
    if draw(0, 1):
        x = x.round()  # with ties
    try:
        theirs(torch.tensor(x))
    except RuntimeError:
        with pytest.raises(RuntimeError):
            mine(Tensor(x))
        return
    compare(torch, mine, theirs, x, 1e-9)


# ------------------------------------------------------------------------------ homework 2


def test_the_homeworks_convolution_starts_and_is_called_as_the_contract_says() -> None:
    np.random.seed(5)
    layer = conv.Conv1d(3, 4, 5, 2)
    following = np.random.rand()
    np.random.seed(5)
    np.testing.assert_array_equal(layer.weight.data, np.random.normal(0, 1, (4, 3, 5)))
    assert following == np.random.rand()  # nothing else was drawn
    assert layer.bias.data.tolist() == [0.0] * 4
    assert (layer.in_channel, layer.out_channel) == (3, 4)
    assert (layer.kernel_size, layer.stride) == (5, 2) and type(layer.kernel_size) is int
    assert F.get_conv1d_output_size(21, layer.kernel_size, layer.stride) == 9
    named = conv.Conv1d(in_channel=1, out_channel=2, kernel_size=3)
    assert named.stride == 1 and type(named).__name__ == "Conv1d"
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    assert all(
        type(p) is Tensor and p.is_parameter and p.requires_grad for p in [*layer.parameters()]
    )
    assert isinstance(layer, nn.Conv1d) and not isinstance(nn.Conv1d(1, 1, 1), conv.Conv1d)


def test_the_homeworks_network_computes_torchs_numbers(torch: Any) -> None:
    mine = nn.Sequential(conv.Conv1d(3, 4, 5, 2), nn.Tanh(), conv.Flatten(), nn.Linear(36, 2))
    t = torch.nn
    theirs = t.Sequential(t.Conv1d(3, 4, 5, 2), t.Tanh(), t.Flatten(), t.Linear(36, 2)).double()
    theirs.load_state_dict({k: torch.from_numpy(v.data) for k, v in mine.state_dict().items()})
    compare(torch, mine, theirs, np.random.default_rng(0).normal(size=(2, 3, 22)), 1e-9)
    mine.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})


def test_trailing_inputs_that_fill_no_stride_get_zero_gradient() -> None:
    x = Tensor(np.ones((1, 1, 8)), requires_grad=True)
    conv.Conv1d(1, 1, 3, 2)(x).sum().backward()
    assert x.grad.data[0, 0, -1] == 0 and (x.grad.data[0, 0, :-1] != 0).all()


def test_flatten_keeps_the_batch_axis() -> None:
    assert conv.Flatten()(Tensor.ones(2, 3, 4)).shape == (2, 12)
    assert conv.Flatten()(Tensor.ones(0, 3, 4)).shape == (0, 12)
    assert conv.Flatten()(Tensor.ones(2, 3)).shape == (2, 3)


def test_import_star_of_the_homeworks_module_binds_its_two_layers_alone() -> None:
    bound: dict[str, Any] = {}
    exec("from mytorch.nn.conv import *", bound)
    assert bound.keys() - {"__builtins__"} == {"Conv1d", "Flatten"}
    assert not {"nn", "torch", "np"} & vars(conv).keys() - {"np"}
