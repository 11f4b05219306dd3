"""The small sets made on the spot: their geometry, their seeds, and what can be learned of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mytorch
from mytorch import datasets, nn, optim
from mytorch.datasets import (
    make_blobs,
    make_circles,
    make_moons,
    make_regression,
    make_spirals,
    make_swiss_roll,
    make_xor,
)

LABELLED = {"moons": make_moons, "circles": make_circles, "spirals": make_spirals}
LABELLED |= {"blobs": make_blobs, "xor": make_xor}
EVERY = LABELLED | {"swiss_roll": make_swiss_roll, "regression": make_regression}


# ------------------------------------------------------------------------------ geometry


def test_moons_are_two_half_circles_that_reach_into_each_other():
    x, y = make_moons(201, noise=0)
    outer, inner = x[y == 0], x[y == 1]
    assert np.allclose(np.hypot(*outer.T), 1) and outer[:, 1].min() > -1e-12
    assert np.allclose(np.hypot(*(inner - [1, 0.5]).T), 1) and inner[:, 1].max() < 0.5 + 1e-12
    assert outer[:, 0].max() == pytest.approx(1) and inner[:, 0].min() == pytest.approx(0)
    between = np.linalg.norm(outer[:, None] - inner, axis=2).min()
    assert between == pytest.approx(0.5)


@pytest.mark.parametrize("factor", [0.0, 0.3, 0.8])
def test_circles_have_their_radii_and_the_same_centre(factor):
    x, y = make_circles(200, noise=0, factor=factor)
    assert np.allclose(np.hypot(*x.T), np.where(y == 0, 1, factor))
    for label in (0, 1):
        assert np.allclose(x[y == label].mean(axis=0), 0)


@pytest.mark.parametrize(("classes", "turns"), [(1, 1.0), (2, 1.5), (3, 0.5), (5, -1.0)])
def test_spirals_are_those_of_archimedes_turned_by_equal_angles(classes, turns):
    x, y = make_spirals(60 * classes, noise=0, classes=classes, turns=turns)
    radius = np.hypot(*x.T)
    assert radius.min() == pytest.approx(1 / 13) and radius.max() == pytest.approx(1)
    angle = np.arctan2(x[:, 1], x[:, 0])
    turned = angle / (2 * np.pi) - turns * radius - y / classes  # whole turns
    assert np.allclose(turned, np.round(turned), atol=1e-9)


def test_spirals_are_as_far_apart_as_their_docstring_says():
    x, y = make_spirals(20_000, noise=0, classes=2, turns=3)
    ray = np.abs(np.arctan2(x[:, 1], x[:, 0])) < 1e-3
    radius, label = np.hypot(*x[ray].T), y[ray]
    order = np.argsort(radius)
    steps = np.diff(radius[order])[np.diff(label[order]) != 0]
    assert len(steps) >= 4 and np.allclose(steps, 1 / 6, atol=2e-3)


def test_blobs_are_normal_around_their_centres():
    centers = np.array([[0.0, 0, 0], [100, 0, 0], [0, 100, 50], [7, 7, 7]])
    x, y = make_blobs(40_000, centers, noise=2.0)
    for label, center in enumerate(centers):
        cloud = x[y == label]
        assert np.abs(cloud.mean(axis=0) - center).max() < 0.1
        assert np.abs(np.cov(cloud.T) - 4 * np.eye(3)).max() < 0.25
    assert np.array_equal(make_blobs(7, centers[:1], noise=0)[0], np.zeros((7, 3)))


def test_blobs_without_centres_draw_them_in_a_box():
    x, y = make_blobs(3000, 100, features=4, noise=0)
    assert x.shape == (3000, 4) and np.abs(x).max() < 10 and len(np.unique(y)) == 100
    assert len(np.unique(x, axis=0)) == 100 and x.std() == pytest.approx(20 / 12**0.5, abs=0.5)


def test_xor_fills_its_square_and_the_signs_decide():
    x, y = make_xor(8000)
    assert np.array_equal(y == 1, (x[:, 0] > 0) != (x[:, 1] > 0))
    assert np.abs(x).max() <= 1 and np.abs(x.mean(axis=0)).max() < 0.03
    assert np.allclose(x.var(axis=0), 1 / 3, atol=0.02)
    quarters = np.bincount(2 * (x[:, 0] > 0) + (x[:, 1] > 0))
    assert quarters.tolist() == [2000] * 4


def test_swiss_roll_is_a_spiral_seen_from_its_end():
    x, t = make_swiss_roll(2000)
    assert np.allclose(np.hypot(x[:, 0], x[:, 2]), t)
    assert np.allclose(x[:, 0] * np.sin(t), x[:, 2] * np.cos(t))
    assert t.min() >= 1.5 * np.pi and t.max() < 4.5 * np.pi and t.dtype == np.float64
    assert 0 <= x[:, 1].min() < 0.2 and 20.8 < x[:, 1].max() < 21


@pytest.mark.parametrize("name", EVERY)
def test_noise_is_a_normal_distance_of_the_standard_deviation_asked_for(name):
    clean, noisy = EVERY[name](4000, noise=0), EVERY[name](4000, noise=0.25)
    of = 1 if name == "regression" else 0
    difference = noisy[of] - clean[of]
    assert difference.std() == pytest.approx(0.25, rel=0.05)
    assert abs(difference.mean()) < 0.02 and np.abs(difference).max() < 0.25 * 6
    for place, (a, b) in enumerate(zip(clean, noisy, strict=True)):
        assert place == of or np.array_equal(a, b)


# ------------------------------------------------------------------------------ all of them


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(LABELLED)), count=st.integers(4, 60), seed=st.integers(0, 2**40))
def test_classes_are_equally_frequent_in_random_order(name, count, seed):
    x, y = LABELLED[name](count, seed=seed)
    assert x.dtype == np.float64 and y.dtype == np.int64 and len(x) == len(y) == count
    counts = np.bincount(y)
    assert counts.max() - counts.min() <= 1 and np.isfinite(x).all()
    if name != "blobs":
        assert x.shape == (count, 2) and len(counts) == 2


@pytest.mark.parametrize("name", EVERY)
def test_the_seed_alone_decides_and_the_global_generator_is_left_alone(name):
    np.random.seed(1)
    mytorch.manual_seed(1)
    before = np.random.get_state()[1].tolist()
    first, same, other = (EVERY[name](50, seed=seed) for seed in (5, 5, 6))
    assert np.random.get_state()[1].tolist() == before
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])
    rng = np.random.default_rng(5)
    shared, after = EVERY[name](50, seed=rng), EVERY[name](50, seed=rng)
    assert all(np.array_equal(a, b) for a, b in zip(first, shared, strict=True))
    assert not np.array_equal(shared[0], after[0])


@pytest.mark.parametrize("name", sorted(LABELLED))
def test_labels_are_not_in_an_order(name):
    y = LABELLED[name](400)[1]
    assert 100 < np.count_nonzero(np.diff(y)) < 300


@pytest.mark.parametrize(
    ("call", "message"),
    [
        *((f"make_{name}(0)", f"make_{name}: count must be at least .*, got 0") for name in EVERY),
        *((f"make_{name}(9, noise=-1)", f"make_{name}: noise must be finite") for name in EVERY),
        ("make_moons(1)", "make_moons: count must be at least 2, got 1"),
        ("make_moons(9, noise=float('nan'))", "noise must be finite and not negative, got nan"),
        ("make_circles(9, factor=1)", r"make_circles: factor must be in \[0, 1\), got 1"),
        ("make_circles(9, factor=-0.1)", "factor must be in"),
        ("make_spirals(2, classes=3)", "make_spirals: count must be at least 3, got 2"),
        ("make_spirals(9, classes=0)", "make_spirals: classes must be at least 1, got 0"),
        ("make_spirals(9, turns=float('inf'))", "turns must be finite, got inf"),
        ("make_blobs(9, [1, 2])", r"make_blobs: centers must be a number or \(K, D\), got \(2,\)"),
        ("make_blobs(9, [])", r"centers must be a number or \(K, D\), got \(0,\)"),
        ("make_blobs(2, 3)", "make_blobs: count must be at least 3, got 2"),
        ("make_blobs(9, 3, features=0)", "make_blobs: features must be at least 1, got 0"),
        ("make_regression(9, 0)", "make_regression: features must be at least 1, got 0"),
        ("make_moons(9, seed=-1)", "non-negative"),
    ],
)
def test_bad_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        eval(call, vars(datasets))


@pytest.mark.parametrize("name", EVERY)
def test_counts_that_are_no_integers_are_type_errors(name):
    with pytest.raises(TypeError):
        EVERY[name](9.5)


# ------------------------------------------------------------------------------ what is learned


def accuracy(x: np.ndarray, y: np.ndarray, hidden: tuple[int, ...], steps: int = 400) -> float:
    """Train a network on three quarters of the points; return its accuracy on the rest."""
    mytorch.manual_seed(0)
    layers: list[nn.Module] = []
    sizes = [x.shape[1], *hidden]
    for size_in, size_out in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(size_in, size_out), nn.Tanh()]
    model = nn.Sequential(*layers, nn.Linear(sizes[-1], int(y.max()) + 1)).to(np.float64)
    optimizer, criterion = optim.Adam(model.parameters(), lr=0.02), nn.CrossEntropyLoss()
    cut = len(y) * 3 // 4
    points, labels = mytorch.tensor(x), mytorch.tensor(y)
    for _ in range(steps):
        optimizer.zero_grad()
        criterion(model(points[:cut]), labels[:cut]).backward()
        optimizer.step()
    return float((model(points[cut:]).data.argmax(axis=1) == y[cut:]).mean())


@pytest.mark.parametrize(
    ("name", "straight"), [("moons", 0.95), ("circles", 0.65), ("spirals", 0.7), ("xor", 0.7)]
)
def test_a_network_tells_the_classes_apart_and_a_straight_line_does_not(name, straight):
    x, y = LABELLED[name](800)
    assert accuracy(x, y, ()) < straight
    assert accuracy(x, y, (24, 24)) > 0.95


def test_a_straight_line_tells_distant_blobs_apart():
    x, y = make_blobs(400, [[-5, 0], [5, 0], [0, 8]])
    assert accuracy(x, y, ()) > 0.98


def test_least_squares_recovers_the_weights_of_the_regression():
    x, y, weight = make_regression(4000, features=12, noise=0.5, bias=-3)
    assert x.shape == (4000, 12) and y.shape == (4000,) and weight.shape == (12,)
    assert np.allclose(x.mean(axis=0), 0, atol=0.07) and np.allclose(x.std(axis=0), 1, atol=0.05)
    columns = np.column_stack([x, np.ones(4000)])
    found, residue, *_ = np.linalg.lstsq(columns, y, rcond=None)
    assert np.abs(found - [*weight, -3]).max() < 4 * 0.5 / np.sqrt(4000)
    assert np.sqrt(residue[0] / 4000) == pytest.approx(0.5, rel=0.05)
    x, y, weight = make_regression(20, features=3, noise=0)
    assert np.allclose(np.linalg.lstsq(x, y, rcond=None)[0], weight)
