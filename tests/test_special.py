"""The special functions are accurate: against Python's, and against values to 17 digits."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mytorch
from mytorch import special
from mytorch.tensor import Tensor

EXACT = [  # computed with 40 digits
    ("erfcx", [-5, -0.5, 0.25, 1, 3.75, 26, 1000.0],
     [144009798674.66104, 1.9523604891825571, 0.77034654773099674, 0.427583576155807,
      0.14558972127503854, 0.021683584850562907, 0.00056418930145338765]),
    ("erfinv", [1e-300, 0.1, 0.5, -0.7, 0.99, 1 - 2**-40],
     [8.8622692545275804e-301, 0.088855990494257692, 0.47693627620446987, -0.73286907795921678,
      1.8213863677184495, 5.05125408524939]),
    ("ndtri", [1e-30, 0.01, 0.8], [-11.464024688443616, -2.3263478740408411, 0.84162123357291436]),
    ("log_ndtr", [-40, -1.5, -0.5, 0.5, 3],
     [-804.60844201375379, -2.7059444008238898, -1.1759117615936186, -0.36894641528865639,
      -0.0013508099647481938]),
    ("digamma", [1e-10, 0.5, 1, 10, 1e8, -0.5, -10.25],
     [-10000000000.577215, -1.9635100260214235, -0.57721566490153286, 2.2517525890667211,
      18.420680738952365, 0.036489973978576521, 5.5168584198862733]),
    ("gammaln", [1e-300, 1 + 2**-30, 2 - 2**-30, 1.49, 7.9, 1e10],
     [690.77552789821371, -5.3757397843110445e-10, -3.9374859519130207e-10, -0.12110025854219772,
      8.3242658680088096, 220258509288.81058]),
    ("i0", [1e-5, 2.5, 29.9, 30.1, 500],
     [1.000000000025, 3.289839144050123, 708478330489.01453, 862432920031.77921,
      2.5048094765700781e215]),
    ("i1", [1e-5, 2.5, -29.9, 30.1, 500],
     [5.0000000000625004e-6, 2.5167162452886984, -696528308361.09269, 847983630191.54143,
      2.5023034121761e215]),
    ("i0e", [1e4], [0.0039894726746047321]),
    ("i1e", [1e4], [0.0039892731959836623]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "points", "wanted"), EXACT, ids=[row[0] for row in EXACT])
def test_values_are_right_to_the_last_digits(name: str, points: list, wanted: list) -> None:
    found = getattr(special, name)(Tensor(np.array(points, float)))
    np.testing.assert_allclose(found.data, wanted, rtol=5e-15)


@pytest.mark.parametrize(
    ("n", "points", "wanted"),
    [
        (1, [0.01, 1, 50, -0.5, -3.75],
         [10001.621213528313, math.pi**2 / 6, 0.020201333226697126, 8.9348022005446793,
          19.504980060599575]),
        (4, [0.5, 20, -1.25], [-771.47424982666723, -4.1405977726396668e-5, 24481.063714184583]),
    ],
)  # fmt: skip
def test_polygamma_is_right_to_the_last_digits(n: int, points: list, wanted: list) -> None:
    found = special.polygamma(n, Tensor(np.array(points, float)))
    np.testing.assert_allclose(found.data, wanted, rtol=5e-15)
    x = Tensor(np.array(points, float))
    assert x.polygamma_(n) is x and x.tolist() == found.tolist()


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize(
    ("name", "wanted", "low", "high"),
    [("erf", math.erf, -7, 7), ("erfc", math.erfc, -7, 9)],
)
def test_a_dense_grid_agrees_with_pythons_functions(
    name: str, wanted: object, low: float, high: float, dtype: type
) -> None:
    x = np.linspace(low, high, 20011).astype(dtype)
    found = getattr(mytorch, name)(Tensor(x)).data
    exact = np.array([wanted(each) for each in x.astype(float).tolist()])
    assert found.dtype == dtype
    ulps = np.abs(found - exact) / np.spacing(np.abs(exact).astype(dtype)).astype(float)
    assert ulps.max() < 6


def test_the_logarithm_of_gamma_agrees_with_pythons_whose_errors_are_larger() -> None:
    x = np.linspace(-40, 40, 20011)
    x = x[np.abs(x - np.rint(x)) > 1e-3]
    exact = [math.lgamma(each) for each in x.tolist()]
    np.testing.assert_allclose(mytorch.lgamma(Tensor(x)).data, exact, rtol=1e-13, atol=1e-13)


def test_the_complement_of_erf_is_accurate_until_it_underflows() -> None:
    x = np.array([5.0, 10.0, 26.0, 26.5])
    exact = [math.erfc(each) for each in x]
    np.testing.assert_allclose(mytorch.erfc(Tensor(x)).data, exact, rtol=2e-15)
    assert mytorch.erfc(Tensor([30.0, np.inf, -np.inf])).tolist() == [0, 0, 2]


def test_an_inverse_undoes_its_function_in_both_tails() -> None:
    x = np.array([-8.0, -3, -1e-3, 1e-200, 0.3, 2, 5])
    np.testing.assert_allclose(
        special.ndtri(special.ndtr(Tensor(x))).data, x, rtol=1e-9, atol=1e-15
    )
    np.testing.assert_allclose(special.erfinv(special.erf(Tensor(x[2:6]))).data, x[2:6], rtol=1e-14)


def test_poles_and_ends_of_the_domain() -> None:
    ends = Tensor([-np.inf, -2.0, -0.0, 0.0, np.inf, np.nan])
    inf, nan = np.inf, np.nan
    for function, wanted in (
        (special.gammaln, [inf, inf, inf, inf, inf, nan]),
        (special.digamma, [nan, nan, inf, -inf, inf, nan]),
        (lambda x: special.polygamma(1, x), [nan, inf, inf, inf, 0, nan]),
        (lambda x: special.polygamma(2, x), [nan, nan, inf, -inf, 0, nan]),
        (special.erf, [-1, -0.9953222650189527, -0.0, 0, 1, nan]),
        (special.erfcx, [inf, 108.94090438997797, 1, 1, 0, nan]),
        (special.erfinv, [nan, nan, -0.0, 0, nan, nan]),
        (special.entr, [-inf, -inf, 0, 0, -inf, nan]),
        (special.i0e, [0, 0.30850832255367105, 1, 1, 0, nan]),
    ):
        np.testing.assert_allclose(function(ends).data, wanted, rtol=4e-16)


def test_many_elements_in_any_layout_are_computed_in_blocks() -> None:
    x = np.random.default_rng(0).normal(size=(3, 9001, 2))
    for function in (mytorch.erf, mytorch.lgamma):
        whole, part = function(Tensor(x[:, ::-1].T)), function(Tensor(x[1:2, 5:7, 1:]))
        assert whole.shape == (2, 9001, 3) and part.shape == (1, 2, 1)
        np.testing.assert_array_equal(whole.data.T[:, ::-1][1:2, 5:7, 1:], part.data)
    assert mytorch.erf(Tensor(np.zeros((0, 3)))).shape == (0, 3)
