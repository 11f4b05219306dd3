"""Random tensors: distributions by their moments and counts, streams, states, and refusals.

Every stream is seeded, so that a test that passes once always does; the bounds are those that a
right implementation keeps for nearly every seed: five standard errors of the mean of what is drawn.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.errors import GraphError
from mytorch.tensor import Tensor

N = 100_000
Draw = Callable[..., Tensor]


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """A known stream for every test, and the global one as it was afterwards."""
    with mytorch.random.fork_rng():
        mytorch.manual_seed(0)
        yield


def check_mean(x: np.ndarray, mean: float, variance: float) -> None:
    """The mean of independent draws is within five standard errors of what it should be."""
    assert abs(x.astype(float).mean() - mean) < 5 * math.sqrt(variance / x.size), x.mean()


def check_moments(x: np.ndarray, mean: float, variance: float, kurtosis: float) -> None:
    """As ``check_mean``, and the same of the squared distances; kurtosis is E(d**4) / E(d**2)**2"""
    check_mean(x, mean, variance)
    check_mean((x.astype(float) - mean) ** 2, variance, (kurtosis - 1) * variance**2)


def check_counts(x: np.ndarray, chances: Any) -> None:
    """Pearson's chi-square of how often 0, 1, … came is within five standard errors of its mean."""
    expected = np.asarray(chances, float) * x.size
    counts = np.bincount(x.astype(int).ravel(), minlength=len(expected))
    possible = expected > 0
    assert counts.size == expected.size and not counts[~possible].any()
    freedom = possible.sum() - 1
    chi_square = ((counts - expected)[possible] ** 2 / expected[possible]).sum()
    assert chi_square < freedom + 5 * math.sqrt(2 * freedom), counts


# ------------------------------------------------------------------------------ distributions

CONTINUOUS: dict[str, tuple[Draw, float, float, float]] = {  # draw, mean, variance, kurtosis
    "rand": (lambda g: mytorch.rand(N, generator=g), 0.5, 1 / 12, 1.8),
    "rand_like": (lambda g: mytorch.rand_like(mytorch.empty(N), generator=g), 0.5, 1 / 12, 1.8),
    "uniform_": (lambda g: mytorch.empty(N).uniform_(-1, 3, generator=g), 1.0, 16 / 12, 1.8),
    "randn": (lambda g: mytorch.randn(N, generator=g), 0.0, 1.0, 3.0),
    "randn_like": (lambda g: mytorch.randn_like(mytorch.empty(N), generator=g), 0.0, 1.0, 3.0),
    "normal": (lambda g: mytorch.normal(2, 0.5, (N,), generator=g), 2.0, 0.25, 3.0),
    "normal_": (lambda g: mytorch.empty(N).normal_(-1, 3, generator=g), -1.0, 9.0, 3.0),
    "exponential_": (lambda g: mytorch.empty(N).exponential_(0.5, generator=g), 2.0, 4.0, 9.0),
    "log of log_normal_": (
        lambda g: mytorch.empty(N).log_normal_(1, 0.5, generator=g).log(), 1.0, 0.25, 3.0),
    "arctangent of cauchy_": (  # uniform between -pi/2 and pi/2
        lambda g: mytorch.atan((mytorch.empty(N).cauchy_(3, 2, generator=g) - 3) / 2),
        0.0, math.pi**2 / 12, 1.8),
    "poisson": (
        lambda g: mytorch.poisson(mytorch.full((N,), 4.5), generator=g), 4.5, 4.5, 3 + 1 / 4.5),
    "geometric_": (lambda g: mytorch.empty(N).geometric_(0.25, generator=g), 4.0, 12.0, 9 + 1 / 12),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTINUOUS)
def test_draws_have_the_mean_and_variance_of_their_distribution(name: str) -> None:
    draw, mean, variance, kurtosis = CONTINUOUS[name]
    for generator in (None, mytorch.Generator().manual_seed(1)):
        check_moments(draw(generator).data, mean, variance, kurtosis)


COUNTED: dict[str, tuple[Draw, Any]] = {  # draw, the chances of 0, 1, …
    "randint": (lambda g: mytorch.randint(5, (N,), generator=g), [0.2] * 5),
    "randint low": (lambda g: mytorch.randint(2, 5, (N,), generator=g), [0, 0, *[1 / 3] * 3]),
    "randint_like": (lambda g: mytorch.randint_like(mytorch.empty(N), 4, generator=g), [0.25] * 4),
    "random_": (lambda g: mytorch.empty(N).random_(3, generator=g), [1 / 3] * 3),
    "random_ from": (lambda g: mytorch.empty(N).random_(1, 3, generator=g), [0, 0.5, 0.5]),
    "random_ of booleans": (
        lambda g: mytorch.empty(N, dtype=bool).random_(generator=g), [0.5, 0.5]),
    "random_ of bytes": (
        lambda g: mytorch.empty(N, dtype=np.uint8).random_(generator=g), [1 / 256] * 256),
    "bernoulli": (lambda g: mytorch.bernoulli(mytorch.full((N,), 0.3), generator=g), [0.7, 0.3]),
    "bernoulli p": (lambda g: mytorch.empty(N).bernoulli(0.9, generator=g), [0.1, 0.9]),
    "bernoulli_": (lambda g: mytorch.empty(N).bernoulli_(0.2, generator=g), [0.8, 0.2]),
    "multinomial": (
        lambda g: mytorch.multinomial(Tensor([3.0, 0, 1, 4, 0]), N, True, generator=g),
        [3 / 8, 0, 1 / 8, 4 / 8, 0]),
    "first of multinomial": (
        lambda g: mytorch.multinomial(Tensor([[3.0, 0, 1, 4]]).expand(N, 4), 2, generator=g)[:, 0],
        [3 / 8, 0, 1 / 8, 4 / 8]),
    "second of multinomial": (
        lambda g: mytorch.multinomial(Tensor([[3.0, 0, 1, 4]]).expand(N, 4), 2, generator=g)[:, 1],
        # the first is taken out: the sum of P(i first) * P(j | i is out)
        [1 / 8 * 3 / 7 + 4 / 8 * 3 / 4, 0, 3 / 8 * 1 / 5 + 4 / 8 * 1 / 4,
         3 / 8 * 4 / 5 + 1 / 8 * 4 / 7]),
    "first of randperm": (
        lambda g: Tensor([mytorch.randperm(6, generator=g)[0].item() for _ in range(6000)]),
        [1 / 6] * 6),
    "randperm": (  # the number of each order of three
        lambda g: Tensor([
            [12, 21, 102, 120, 201, 210].index(int("".join(map(str, order))))
            for order in (mytorch.randperm(3, generator=g).tolist() for _ in range(6000))
        ]), [1 / 6] * 6),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTED)
def test_every_outcome_comes_as_often_as_it_should(name: str) -> None:
    draw, chances = COUNTED[name]
    for generator in (None, mytorch.Generator().manual_seed(2)):
        check_counts(draw(generator).data, chances)


def test_each_element_has_its_own_distribution() -> None:
    chances = mytorch.tensor([[0.0, 0.1], [0.5, 1.0]])
    drawn = mytorch.bernoulli(chances.expand(N, 2, 2)).data
    into = mytorch.empty(N, 2, 2).bernoulli_(chances).data
    for found in (drawn, into):
        assert not found[:, 0, 0].any() and found[:, 1, 1].all()
        check_counts(found[:, 0, 1], [0.9, 0.1])
        check_counts(found[:, 1, 0], [0.5, 0.5])
    mean, std = Tensor([0.0, 10.0]), Tensor([[1.0], [0.1]])
    drawn = mytorch.normal(mean.expand(N, 1, 2), std).data
    for i, s in enumerate((1.0, 0.1)):
        for j, m in enumerate((0.0, 10.0)):
            check_moments(drawn[:, i, j], m, s * s, 3.0)
    for found in (mytorch.normal(mean, 0.0), mytorch.normal(mean, Tensor([0.0, 0.0]))):
        np.testing.assert_array_equal(found.data, mean.data)
    rates = mytorch.poisson(Tensor([0.0, 2.0, 1e6]).expand(N, 3)).data
    assert not rates[:, 0].any()
    check_mean(rates[:, 1], 2.0, 2.0)
    check_mean(rates[:, 2], 1e6, 1e6)
    rows = mytorch.multinomial(Tensor([[1.0, 3, 0], [0, 0, 1e-30]]), N, True).data
    check_counts(rows[0], [0.25, 0.75, 0])
    assert (rows[1] == 2).all()


def test_a_multinomial_without_replacement_draws_nothing_twice() -> None:
    weights = mytorch.rand(50, 20) + 1e-3
    drawn = mytorch.multinomial(weights, 20).data
    np.testing.assert_array_equal(np.sort(drawn, axis=1), np.tile(np.arange(20), (50, 1)))
    few = mytorch.multinomial(Tensor([0.0, 1, 0, 1]), 2).tolist()
    assert sorted(few) == [1, 3]
    assert sorted(mytorch.multinomial(Tensor([0.0, 1, 0]), 3).tolist()) == [0, 1, 2]  # as torch


def test_large_and_tiny_weights_are_no_trouble() -> None:
    for scale in (1e-300, 1.0, 1e308):
        weights = Tensor(np.array([1.0, 0.0, 1.0, 0.5]) * scale)
        check_counts(mytorch.multinomial(weights, N, True).data, [0.4, 0, 0.4, 0.2])
        first = mytorch.multinomial(weights.expand(N, 4), 1).data
        check_counts(first, [0.4, 0, 0.4, 0.2])
    half = mytorch.multinomial(
        mytorch.ones(1000, dtype=np.float16), 5, True
    )  # a sum beyond float16
    assert half.shape == (5,) and half.dtype == np.int64


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_uniform_numbers_never_reach_the_upper_end(dtype: str) -> None:
    class Largest:
        """A source whose every draw is the largest number below 1."""

        @staticmethod
        def random_sample(shape: Any) -> np.ndarray:
            return np.full(shape, np.nextafter(1.0, 0.0))

    generator = mytorch.Generator()
    generator._own = Largest()
    for x in (
        mytorch.rand(3, dtype=dtype, generator=generator),
        mytorch.rand_like(mytorch.empty(3, dtype=dtype), generator=generator),
        mytorch.empty(3, dtype=dtype).uniform_(generator=generator),
    ):
        assert (x.data < 1).all() and x.dtype == dtype
    x = mytorch.empty(3, dtype=dtype).uniform_(-2, 5, generator=generator)
    assert (x.data < 5).all() and (x.data > 4.9).all()
    assert mytorch.empty(3, dtype=dtype).uniform_(5, 5).tolist() == [5, 5, 5]


def test_default_ranges_of_random_() -> None:
    for dtype, largest in (("int8", 127), ("uint8", 255), ("int16", 2**15 - 1), ("bool", 1)):
        x = mytorch.empty(N, dtype=dtype).random_().data
        assert x.min() == 0 and x.max() >= 0.99 * largest and x.dtype == dtype
    for dtype, digits in (("float16", 11), ("float32", 24), ("float64", 53)):
        x = mytorch.empty(N, dtype=dtype).random_().data
        assert x.min() >= 0 and 0.99 * 2**digits < x.max() <= 2**digits
        assert (x == np.floor(x)).all()
    x = mytorch.empty(N, dtype=np.int64).random_().data
    assert x.min() >= 0 and x.max() > 0.99 * 2**63
    x = mytorch.empty(N, dtype=np.int8).random_(-100, None).data
    assert x.min() == -100 and x.max() == 127


# -------------------------------------------------------------------------------- the streams


def test_draws_are_those_of_numpys_global_generator() -> None:
    mytorch.manual_seed(11)
    ours = [
        *(mytorch.randn(2, 3), mytorch.rand(4), mytorch.randint(9, (5,)), mytorch.randperm(6)),
        *(Tensor.randn(2), mytorch.nn.Linear(3, 2).weight, mytorch.normal(1, 2, (3,))),
    ]
    np.random.seed(11)
    theirs = [
        *(np.random.normal(0, 1, (2, 3)), np.random.rand(4), np.random.randint(9, size=5)),
        *(
            np.random.permutation(6),
            np.random.normal(0, 1, 2),
            1 / 3 * (np.random.rand(2, 3) - 0.5),
        ),
    ]
    np.random.rand(2)  # the bias
    theirs.append(np.random.normal(1, 2, 3))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.data, other)


def everything(generator: Any) -> list[Any]:
    """One draw of every kind, from a generator or by default from the global one."""
    g, x, chance = generator, mytorch.empty(4), mytorch.full((4,), 0.5)
    drawn = [
        *(mytorch.rand(3, generator=g), mytorch.randn(3, generator=g)),
        *(mytorch.randint(99, (3,), generator=g), mytorch.randperm(9, generator=g)),
        *(mytorch.normal(0, 1, (3,), generator=g), mytorch.normal(x.zero_(), 1, generator=g)),
        *(mytorch.rand_like(x, generator=g), mytorch.randn_like(x, generator=g)),
        *(mytorch.randint_like(x, 99, generator=g), mytorch.bernoulli(chance, generator=g)),
        *(mytorch.multinomial(chance, 9, True, generator=g), mytorch.poisson(chance, generator=g)),
        mytorch.multinomial(chance, 3, generator=g),
    ]
    for name in ("uniform_", "normal_", "exponential_", "log_normal_", "cauchy_", "random_"):
        drawn.append(getattr(mytorch.empty(3), name)(generator=g))
    drawn.append(mytorch.empty(9).bernoulli_(generator=g))
    drawn.append(mytorch.empty(9).geometric_(0.3, generator=g))
    return [each.tolist() for each in drawn]


def test_equal_seeds_give_equal_draws_of_every_kind() -> None:
    first = everything(mytorch.manual_seed(7))
    mytorch.manual_seed(7)
    assert everything(None) == first
    assert everything(mytorch.Generator().manual_seed(7)) == first
    assert everything(mytorch.default_generator.manual_seed(7)) == first
    assert everything(mytorch.Generator().manual_seed(8)) != first
    assert everything(mytorch.Generator()) == everything(mytorch.Generator()) != first


def test_a_generator_is_a_stream_of_its_own() -> None:
    alone = mytorch.Generator().manual_seed(3)
    expected = [mytorch.rand(1, generator=alone).item() for _ in range(6)]
    mytorch.manual_seed(3)
    one, other = mytorch.Generator().manual_seed(3), mytorch.Generator().manual_seed(3)
    found = []
    for _ in range(3):
        found.append(mytorch.rand(1, generator=one).item())
        everything(other)
        everything(None)
    assert found == expected[:3]
    mytorch.manual_seed(3)
    everything(one)
    assert [mytorch.rand(1).item() for _ in range(6)] == expected


def test_a_state_brings_a_stream_back(tmp_path: Any) -> None:
    for generator in (mytorch.default_generator, mytorch.Generator()):
        generator.manual_seed(2**40 + 5)
        everything(generator)
        mytorch.randn(3, generator=generator)  # leaves one normal number waiting in the state
        state = generator.get_state()
        assert state.dtype == np.uint8 and state.ndim == 1
        mytorch.save({"rng": state}, tmp_path / "state.npz")
        expected = everything(generator)
        for kept in (state, mytorch.load(tmp_path / "state.npz")["rng"]):
            other = mytorch.Generator()
            for each in (generator, other):
                each.set_state(kept)
                assert everything(each) == expected
                assert each.initial_seed() == 2**40 + 5
    state = mytorch.get_rng_state()
    expected = everything(None)
    mytorch.set_rng_state(state)
    assert everything(None) == expected
    with mytorch.random.fork_rng():
        everything(None)
    mytorch.set_rng_state(state)
    with pytest.raises(KeyError), mytorch.random.fork_rng():
        mytorch.manual_seed(1)
        raise KeyError
    assert everything(None) == expected


def test_seeds_are_64_bits_and_those_of_32_are_numpys() -> None:
    drawn = set()
    for seed in (0, 1, 2**32 - 1, 2**32, 2**32 + 1, 2**63, 2**64 - 1):
        generator = mytorch.Generator().manual_seed(seed)
        assert generator.initial_seed() == seed
        drawn.add(mytorch.rand(1, generator=generator).item())
    assert len(drawn) == 7
    assert mytorch.Generator().manual_seed(-1).initial_seed() == 2**64 - 1
    assert mytorch.manual_seed(3).initial_seed() == mytorch.initial_seed() == 3
    for wrong in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match=r"\[-2\*\*63, 2\*\*64\)"):
            mytorch.manual_seed(wrong)
    found = [mytorch.seed(), mytorch.seed()]
    assert found[0] != found[1] == mytorch.initial_seed()


def test_nobody_knows_the_seed_of_a_generator_that_numpy_seeded() -> None:
    generator = mytorch.Generator.__new__(mytorch.Generator)
    generator._own, generator._seed = None, None
    with pytest.raises(RuntimeError, match=r"start it with mytorch\.manual_seed\(seed\)"):
        generator.initial_seed()
    restored = mytorch.Generator()
    restored.set_state(generator.get_state())
    assert "not seeded" in repr(restored) and "seed=4" in repr(restored.manual_seed(4))
    assert mytorch.rand(2, generator=generator).shape == (2,)


def test_importing_mytorch_draws_nothing_and_seeds_nothing() -> None:
    import subprocess
    import sys

    program = """
import numpy as np
np.random.seed(5)
import mytorch
print(np.random.rand() == np.random.RandomState(5).rand())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        (None, TypeError, "uint8 Tensor"),
        (mytorch.zeros(3), TypeError, "uint8 Tensor"),
        (mytorch.zeros(3, dtype=np.uint8), RuntimeError, r"a state has shape \(2528,\)"),
        (mytorch.full((2528,), 255, dtype=np.uint8), RuntimeError, "no state that"),
    ],
)
def test_what_is_no_state_is_refused(state: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        mytorch.set_rng_state(state)


def test_threads_with_generators_of_their_own_do_not_meet() -> None:
    found: dict[int, Any] = {}

    def work(seed: int) -> None:
        generator = mytorch.Generator().manual_seed(seed)
        found[seed] = [mytorch.randn(50, generator=generator).tolist() for _ in range(20)]

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    parallel = dict(found)
    for seed in range(4):
        work(seed)
    assert found == parallel


# --------------------------------------------------------------------- gradients and refusals


def test_draws_are_constants_and_what_they_overwrite_gets_zeros() -> None:
    for name, arguments in (
        *(("uniform_", ()), ("normal_", ()), ("exponential_", ()), ("cauchy_", ())),
        *(("random_", (5,)), ("bernoulli_", (0.5,)), ("geometric_", (0.5,)), ("log_normal_", ())),
    ):
        leaf = mytorch.ones(3, requires_grad=True)
        x = leaf * 2
        y = x * 1
        returned = getattr(x, name)(*arguments)
        assert returned is x and x.requires_grad and x.version == 1
        (x.sum() + y.sum()).backward()
        assert leaf.grad.tolist() == [2, 2, 2]  # by y alone
        with pytest.raises(GraphError, match=f"{name}: this tensor is a leaf that requires grad"):
            getattr(leaf, name)(*arguments)
        with mytorch.no_grad():
            assert getattr(leaf, name)(*arguments) is leaf and leaf.is_leaf
    p, s = mytorch.full((3,), 0.5, requires_grad=True), mytorch.ones(2, 1, requires_grad=True)
    for drawn in (mytorch.bernoulli(p), mytorch.poisson(p), mytorch.normal(p, s)):
        p.grad = None
        drawn.sum().backward()
        assert p.grad.tolist() == [0, 0, 0]
    assert s.grad.tolist() == [[0], [0]]
    assert not mytorch.multinomial(p, 2).requires_grad
    assert not mytorch.rand_like(p).requires_grad
    for made in (mytorch.rand, mytorch.randn):
        x = made(2, requires_grad=True)
        assert x.requires_grad and x.is_leaf


def test_a_refused_call_draws_nothing_and_changes_nothing() -> None:
    x, whole = mytorch.ones(2), mytorch.ones(2, dtype=np.int64)
    calls: list[Callable[[], Any]] = [
        *(lambda: mytorch.rand(2, device="cuda"), lambda: mytorch.rand(2, dtype=int)),
        *(lambda: mytorch.randint(5, (2,), requires_grad=True), lambda: mytorch.randint(0, (2,))),
        *(lambda: mytorch.normal(x, -1), lambda: mytorch.normal(x, mytorch.ones(3))),
        *(lambda: x.uniform_(3, 2), lambda: x.normal_(0, -1), lambda: x.bernoulli_(2)),
        *(lambda: whole.normal_(), lambda: x.geometric_(1), lambda: x.exponential_(0)),
        *(lambda: mytorch.bernoulli(x * 2), lambda: mytorch.multinomial(x, 3)),
        *(lambda: mytorch.poisson(-x), lambda: mytorch.randperm(300, dtype=np.int8)),
        *(lambda: x.log_normal_(0, 0), lambda: x.cauchy_(0, 0), lambda: x.random_(2, 2)),
        lambda: x.uniform_(generator=3),
    ]
    before = mytorch.get_rng_state()
    for call in calls:
        with pytest.raises((RuntimeError, TypeError)):
            call()
        np.testing.assert_array_equal(mytorch.get_rng_state().data, before.data)
    assert x.tolist() == whole.tolist() == [1, 1] and x.version == whole.version == 0
