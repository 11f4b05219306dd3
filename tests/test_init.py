"""nn.init: distributions as torch's, by the largest distance of two samples; shapes and errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn
from mytorch.errors import ArgumentError, ShapeError
from mytorch.nn import init
from mytorch.tensor import Tensor

LARGE = (100, 120)
KERNEL = (40, 30, 2, 5)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture(autouse=True)
def seeded() -> None:
    np.random.seed(3)


def filled(fill: Callable[..., Any], shape: tuple[int, ...], dtype: Any = np.float64) -> Any:
    """Return the numbers that ``fill(init, tensor)`` puts into a parameter."""
    tensor = nn.Parameter(np.full(shape, np.nan, dtype))
    version, array = tensor.version, tensor.data
    result = fill(init, tensor)
    assert result is tensor and tensor.data is array
    assert tensor.version > version or not array.size
    assert tensor.is_leaf and tensor.requires_grad and tensor.grad_fn is None
    assert array.dtype == dtype and np.isfinite(array).all()
    return array


def distance(one: np.ndarray, two: np.ndarray) -> float:
    """The largest difference of the two distribution functions (Kolmogorov and Smirnov)."""
    points = np.sort(np.concatenate([one.ravel(), two.ravel()]))
    parts = [np.searchsorted(np.sort(x.ravel()), points, "right") / x.size for x in (one, two)]
    return float(np.abs(parts[0] - parts[1]).max())


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("shape", [LARGE, KERNEL], ids=str)
@pytest.mark.parametrize(
    "fill",
    [
        pytest.param(fill, id=name)
        for name, fill in {
            "uniform": lambda i, t: i.uniform_(t),
            "uniform(-3, 1)": lambda i, t: i.uniform_(t, -3, b=1),
            "normal": lambda i, t: i.normal_(t),
            "normal(2, 0.5)": lambda i, t: i.normal_(t, mean=2, std=0.5),
            "trunc_normal": lambda i, t: i.trunc_normal_(t),
            "trunc_normal(1, 2, -1, 1.5)": lambda i, t: i.trunc_normal_(t, 1, 2, a=-1, b=1.5),
            "xavier_uniform": lambda i, t: i.xavier_uniform_(t),
            "xavier_uniform(2)": lambda i, t: i.xavier_uniform_(t, gain=2),
            "xavier_normal": lambda i, t: i.xavier_normal_(t, 0.5),
            "kaiming_uniform": lambda i, t: i.kaiming_uniform_(t),
            "kaiming_uniform(fan_out)": lambda i, t: i.kaiming_uniform_(t, 0.3, "fan_out"),
            "kaiming_uniform(relu)": lambda i, t: i.kaiming_uniform_(t, nonlinearity="relu"),
            "kaiming_normal": lambda i, t: i.kaiming_normal_(t, a=math.sqrt(5)),
            "kaiming_normal(selu)": lambda i, t: i.kaiming_normal_(t, 0, "fan_out", "selu"),
            "orthogonal": lambda i, t: i.orthogonal_(t),
            "orthogonal(3)": lambda i, t: i.orthogonal_(t, gain=3),
        }.items()
    ],
)
def test_draws_are_distributed_as_torchs(torch: Any, fill: Any, shape: Any, dtype: Any) -> None:
    torch.manual_seed(4)
    theirs = torch.empty(shape, dtype=torch.float64)
    fill(torch.nn.init, theirs)
    ours = filled(fill, shape, dtype)
    # two samples of 12,000 of one distribution are further apart than this once in 10,000 times
    assert distance(ours, theirs.numpy()) < 2.23 * math.sqrt(2 / ours.size)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 2, 3), (1, 1)], ids=str)
def test_orthogonal_rows_or_columns_are_orthonormal(shape: tuple[int, ...]) -> None:
    matrix = filled(lambda i, t: i.orthogonal_(t, gain=2), shape).reshape(shape[0], -1) / 2
    product = matrix @ matrix.T if len(matrix) <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)


@pytest.mark.parametrize("sparsity", [0.0, 0.1, 0.5, 1.0])
def test_sparse_leaves_the_same_number_of_zeros_in_each_column(torch: Any, sparsity: float) -> None:
    theirs = torch.nn.init.sparse_(torch.empty(51, 200), sparsity).numpy()
    ours = filled(lambda i, t: i.sparse_(t, sparsity, std=0.01), (51, 200))
    assert set((ours == 0).sum(0)) == set((theirs == 0).sum(0))
    if sparsity < 1:
        assert abs(ours[ours != 0].std() - 0.01) < 5e-4
        assert sparsity == 0 or (ours == 0).any(axis=1).all()  # not always the same rows


@pytest.mark.parametrize(
    ("fill", "shape"),
    [
        pytest.param(fill, shape, id=f"{name} {shape}")
        for name, fill, *shapes in (
            ("constant", lambda i, t: i.constant_(t, 0.3), (2, 3), (), (0,)),
            ("ones", lambda i, t: i.ones_(t), (2, 3)),
            ("zeros", lambda i, t: i.zeros_(t), (2,)),
            ("eye", lambda i, t: i.eye_(t), (2, 3), (3, 2), (0, 2)),
            ("dirac", lambda i, t: i.dirac_(t), (3, 2, 3), (2, 4, 3, 4), (2, 2, 1, 2, 3)),
            ("dirac 2", lambda i, t: i.dirac_(t, groups=2), (6, 2, 3), (4, 3, 2, 3)),
        )
        for shape in shapes
    ],
)
def test_fixed_values_are_torchs(torch: Any, fill: Any, shape: Any) -> None:
    wanted = fill(torch.nn.init, torch.empty(shape, dtype=torch.float64)).numpy()
    np.testing.assert_array_equal(filled(fill, shape), wanted)


def test_gains_are_torchs(torch: Any) -> None:
    names = ["linear", "conv1d", "conv2d", "conv3d", "sigmoid", "tanh", "relu", "leaky_relu"]
    names += [*(f"conv_transpose{n}d" for n in (1, 2, 3)), "selu"]
    for name in names:
        assert init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    for slope in (0.3, 1):
        assert init.calculate_gain("leaky_relu", slope) == torch.nn.init.calculate_gain(
            "leaky_relu", slope
        )


def test_an_interval_far_above_the_mean_is_filled_without_loss() -> None:
    with pytest.warns(UserWarning, match="mean 0.0 is more than 2 std"):
        ours = filled(lambda i, t: i.trunc_normal_(t, a=9, b=10), LARGE)
    assert ours.min() >= 9 and ours.max() <= 10
    # E[x | x > 9] = phi(9) / Phi(-9) = 9.1085…; what lies above 10 does not show
    assert abs(ours.mean() - 9.1085) < 0.005 and len(np.unique(ours)) == ours.size


def test_a_generator_or_the_global_seed_fixes_the_draws() -> None:
    for fill in (init.normal_, init.xavier_uniform_, init.orthogonal_, init.trunc_normal_):
        ours = []
        for _ in range(2):
            generator = mytorch.Generator().manual_seed(8)
            ours.append(fill(Tensor.zeros(3, 4), generator=generator).data)
        for _ in range(2):
            mytorch.manual_seed(8)
            ours.append(fill(Tensor.zeros(3, 4)).data)
        assert np.array_equal(ours[0], ours[1]) and np.array_equal(ours[2], ours[3])


def test_a_leaf_that_a_graph_saved_is_noticed_to_have_changed() -> None:
    weight = nn.Parameter(np.ones((2, 2)))
    loss = (weight * weight).sum()
    init.zeros_(weight)
    with pytest.raises(RuntimeError, match="changed"):
        loss.backward()


def test_layers_draw_their_first_values_by_torchs_rules(torch: Any) -> None:
    torch.manual_seed(4)
    for make in (
        lambda m: m.Bilinear(9, 10, 50),
        lambda m: m.Embedding(100, 30, padding_idx=3),
        lambda m: m.EmbeddingBag(100, 30),
        lambda m: m.PReLU(4),
        lambda m: m.BatchNorm2d(5),
        lambda m: m.GroupNorm(2, 4),
    ):
        for one, two in zip(make(nn).parameters(), make(torch.nn).parameters(), strict=True):
            bound = 2.23 * math.sqrt(2 / one.data.size)
            assert distance(one.data, two.detach().numpy()) < bound


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda i, t: i.uniform_(t, 2, 1), ArgumentError, "a must be at most b, got 2 and 1"),
        (lambda i, t: i.normal_(t, 0, -1), RuntimeError, "std"),
        (lambda i, t: i.eye_(t), ShapeError, r"eye_: expects a tensor of 2 axes, got shape \(4,\)"),
        (lambda i, t: i.dirac_(t), ShapeError, r"of 3 or 4 or 5 axes, got shape \(4,\)"),
        (lambda i, t: i.dirac_(t.reshape(4, 1, 1), 3), ShapeError, "4 out channels .* 3 groups"),
        (lambda i, t: i.xavier_normal_(t), ShapeError, r"fans are those of \(out, in, …\)"),
        (lambda i, t: i.kaiming_uniform_(t), ShapeError, "kaiming_uniform_: the fans"),
        (lambda i, t: i.kaiming_normal_(t.reshape(2, 2), mode="fan"), ValueError, "'fan'"),
        (lambda i, t: i.orthogonal_(t), ShapeError, "at least 2 axes"),
        (lambda i, t: i.sparse_(t, 0.1), ShapeError, "2 axes"),
        (lambda i, t: i.calculate_gain("swish"), ValueError, "'swish' is none of linear"),
        (lambda i, t: i.calculate_gain("leaky_relu", "1"), ValueError, "is a number, not '1'"),
        (lambda i, t: i.calculate_gain("leaky_relu", True), ValueError, "not True"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_filled_is_refused_as_in_torch(
    torch: Any, call: Any, error: type[Exception], message: str
) -> None:
    tensor = Tensor.ones(4)
    with pytest.raises(error, match=message) as ours:
        call(init, tensor)
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        call(torch.nn.init, torch.ones(4))
    assert isinstance(ours.value, type(theirs.value))
    assert tensor.tolist() == [1.0] * 4


def test_integers_cannot_be_drawn_and_nothing_needs_no_draws() -> None:
    with pytest.raises(TypeError, match="int64"):
        init.normal_(Tensor(np.ones(3, int)))
    with pytest.raises(TypeError, match="zeros_|constant_"):
        init.zeros_(np.ones(3))  # type: ignore[arg-type]
    with pytest.warns(UserWarning, match="no elements to fill"):
        init.kaiming_normal_(Tensor.zeros(0, 3))
