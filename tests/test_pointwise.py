"""Operators and element-wise operations beyond their rows: dtypes, special numbers, other types."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.autograd import jvp
from mytorch.errors import DivisionError, DtypeError, ShapeError
from mytorch.tensor import Tensor
from tests.op_table import DTYPES

SYMBOLS = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift,
    operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge,
]  # fmt: skip
AUGMENTED = [
    operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ifloordiv,
    operator.imod, operator.iand, operator.ior, operator.ixor, operator.ilshift, operator.irshift,
]  # fmt: skip
LEFT, RIGHT = np.array([5, 7, 2]), np.array([2, 1, 3])


@pytest.fixture
def torch() -> Iterator[Any]:
    module = pytest.importorskip("torch", reason="torch is not installed")
    mytorch.set_default_dtype(np.float32)
    yield module
    mytorch.set_default_dtype(np.float64)


def outcome(function: Any, *operands: Any) -> Any:
    """Return dtype and values of a result, or that it was refused."""
    try:
        result = function(*operands)
    except (RuntimeError, TypeError):
        return "refused"
    array = result.data if isinstance(result, Tensor) else result.numpy()
    return str(array.dtype), np.asarray(array, float).round(2).tolist()


# ------------------------------------------------------------------------------- operators


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # an overflow in float16
@pytest.mark.parametrize("symbol", SYMBOLS, ids=lambda f: f.__name__)
def test_operators_of_two_tensors_give_torchs_dtypes_and_values(torch: Any, symbol: Any) -> None:
    for one in DTYPES:
        for other in DTYPES:
            for left, right in ((LEFT, RIGHT), (LEFT[0], RIGHT), (LEFT, RIGHT[0])):
                x, y = left.astype(one), right.astype(other)
                ours = outcome(symbol, Tensor(x), Tensor(y))
                assert ours == outcome(symbol, torch.tensor(x), torch.tensor(y)), (x, y)


@pytest.mark.parametrize("symbol", SYMBOLS, ids=lambda f: f.__name__)
def test_operators_with_a_number_on_either_side_are_torchs(torch: Any, symbol: Any) -> None:
    for dtype in DTYPES:
        for number in (True, 2, -3, 1.5):
            if number is True and symbol is operator.sub:
                continue  # torch refuses it
            for x in (LEFT.astype(dtype), LEFT[0].astype(dtype)):
                pairs = (Tensor(x), number), (torch.tensor(x), number)
                found = [outcome(symbol, *pair) for pair in pairs]
                assert found[0] == found[1], (x.dtype, number)
                found = [outcome(symbol, *pair[::-1]) for pair in pairs]
                assert found[0] == found[1], (number, x.dtype)


@pytest.mark.parametrize("symbol", AUGMENTED, ids=lambda f: f.__name__)
def test_augmented_assignments_change_the_tensor_as_torchs_do(torch: Any, symbol: Any) -> None:
    for dtype in ("bool", "uint8", "int64", "float32"):
        for other in (RIGHT.astype(dtype), 2):
            ours, theirs = Tensor(LEFT.astype(dtype)), torch.tensor(LEFT.astype(dtype))
            before = ours
            found = outcome(symbol, ours, Tensor(other) if np.ndim(other) else other)
            wanted = outcome(symbol, theirs, torch.tensor(other) if np.ndim(other) else other)
            assert found == wanted, (dtype, other)
            assert ours is before and ours.tolist() == theirs.tolist()


def test_operators_of_one_tensor() -> None:
    x = Tensor([1.26, -2.5], requires_grad=True)
    assert round(x).tolist() == [1, -2] and round(x, 1).tolist() == [1.3, -2.5]
    assert abs(x).tolist() == [1.26, 2.5] and +x is x and mytorch.positive(x) is x
    assert (~Tensor([True, False])).tolist() == [False, True]
    assert (~Tensor([0, 5])).tolist() == [-1, -6]
    for refused in (lambda: ~x, lambda: +Tensor([True]), lambda: abs(Tensor([True]))):
        with pytest.raises(DtypeError):
            refused()


def test_divmod_is_the_quotient_and_the_remainder_on_either_side() -> None:
    x = Tensor([7.5, -7.5], requires_grad=True)
    for found, wanted in (
        (divmod(x, 2), divmod(x.data, 2)),
        (divmod(2, x), divmod(2, x.data)),
        (divmod(np.array([20.0, 30.0]), x), divmod(np.array([20.0, 30.0]), x.data)),
    ):
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(one.data, other)
    quotient, rest = divmod(x, 2)
    (quotient + rest).backward()
    assert x.grad.tolist() == [1, 1]


class Foreign:
    """A type that answers operators with tensors itself."""

    def __radd__(self, other: Any) -> str:
        return "reflected"

    __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __radd__
    __rand__ = __ror__ = __rxor__ = __rlshift__ = __rrshift__ = __rdivmod__ = __rmatmul__ = __radd__
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __radd__  # type: ignore
    __hash__ = None  # type: ignore


def test_another_type_may_answer_an_operator() -> None:
    x = Tensor([1, 2])
    for symbol in (*SYMBOLS, operator.pow, operator.matmul, divmod):
        assert symbol(x, Foreign()) == "reflected"


def test_what_is_no_number_is_unequal_and_has_no_order() -> None:
    x = Tensor([1.0, 2.0])
    for other in ("a", None, [1.0, 2.0], object()):
        assert (x == other) is False and (other == x) is False and (x != other) is True
        for symbol in (operator.lt, operator.ge, operator.floordiv, operator.and_, operator.rshift):
            with pytest.raises(TypeError, match="not supported between|unsupported operand"):
                symbol(x, other)


def test_numbers_are_compared_in_the_tensors_dtype() -> None:
    assert (Tensor(np.array([0.1], np.float32)) == 0.1).tolist() == [True]
    assert (Tensor([2**24 + 1]) == Tensor(np.array([2.0**24], np.float32))).tolist() == [True]


def test_a_number_beside_small_integers_is_no_integer_of_theirs_where_floats_come_out() -> None:
    x = Tensor(np.array([4, 8], np.uint8))
    for found in (x / -1, mytorch.div(x, -1), mytorch.copysign(x, -1), 4 * (-1 / x) * 16):
        assert found.tolist() in ([-4, -8], [-16, -8])
    assert mytorch.float_power(x, -1).tolist() == [0.25, 0.125]
    assert mytorch.float_power(Tensor(np.array([2.0], np.float32)), 2.1).item() == 2**2.1


def test_comparisons_of_what_requires_grad_are_constants() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    for result in (x > 1, x == x, mytorch.isnan(x), mytorch.logical_not(x), mytorch.isclose(x, x)):
        assert not result.requires_grad and result.grad_fn is None and result.dtype == bool


def test_answers_about_all_elements_are_pythons_booleans() -> None:
    x = Tensor([1.0, np.nan], requires_grad=True)
    assert mytorch.equal(x, x) is False and x.equal(Tensor([1.0])) is False
    assert mytorch.allclose(x, x) is False and x.allclose(x, equal_nan=True) is True
    assert mytorch.equal(Tensor([1]), Tensor([1.0])) is True


def test_lerp_reaches_both_ends_exactly() -> None:
    a, b = Tensor([1e16, 0.1]), Tensor([1.0, 0.3])
    for weight in (1, Tensor(1.0), Tensor([1.0, 1.0])):
        assert mytorch.lerp(a, b, weight).tolist() == b.tolist()
        assert mytorch.lerp(a, b, weight * 0).tolist() == a.tolist()


def test_integer_division_by_zero_is_pythons_error_and_changes_nothing() -> None:
    x = Tensor([1, 2])
    for function in (lambda: x // 0, lambda: x % 0, lambda: divmod(1, x - 1)):
        with pytest.raises(ZeroDivisionError, match="integers divided by zero"):
            function()
    with pytest.raises(DivisionError):
        x //= Tensor([1, 0])
    assert x.tolist() == [1, 2] and x.version == 0
    assert (Tensor(np.zeros((0, 2), int)) // 0).shape == (0, 2)


def test_errors_of_other_arguments_name_the_operation() -> None:
    x = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match="atan2: expects Tensors, or one Tensor and a number"):
        mytorch.atan2(1.0, 2.0)
    with pytest.raises(TypeError, match="lerp: expects a Tensor, got float"):
        mytorch.lerp(x, 1.0, 0.5)
    with pytest.raises(TypeError, match="addcmul: expects a Tensor, got float"):
        mytorch.addcmul(x, x, 2.0)
    with pytest.raises(ShapeError, match=r"floor_divide: shapes \(2,\) and \(3,\)"):
        x // Tensor([1.0, 2.0, 3.0])
    with pytest.raises(ShapeError, match=r"eq: shapes \(2,\) and \(3,\)"):
        x == Tensor([1.0, 2.0, 3.0])  # noqa: B015


# ---------------------------------------------------------- every special number, as in torch

GRID = np.array(
    [-np.inf, -2.5, -2, -1, -0.5, -0.0, 0, 0.25, 0.5, 1, 1.5, 2, 3, np.inf, np.nan]
)  # fmt: skip
ONE = """sign reciprocal square rsqrt exp exp2 expm1 log log2 log10 log1p sqrt sin cos tan asin acos
    atan sinh cosh tanh asinh acosh atanh sigmoid logit ceil floor round trunc frac erf erfc erfinv
    nan_to_num deg2rad rad2deg sinc digamma lgamma i0 abs neg special.entr special.i0e special.i1
    special.i1e special.ndtr special.log_ndtr special.ndtri special.erfcx special.expit isnan isinf
    isfinite isposinf isneginf isreal signbit logical_not"""
TWO = """atan2 fmax fmin hypot logaddexp logaddexp2 xlogy special.xlog1py copysign remainder fmod
    float_power pow maximum minimum eq ne lt le gt ge logical_and logical_or logical_xor heaviside
    floor_divide"""
WITHOUT_GRADIENT = {"heaviside", "floor_divide"}  # in torch
EXCEPT = {  # where torch's gradient has no meaning, or a worse one
    "acosh": (-1.0,),  # infinite with either sign, outside the domain
    "logit": (-0.0,),  # infinite with either sign
    "digamma": (-2.0, -1.0),  # 1e32 for infinity
    "special.i1": (np.nan,),
    "special.i1e": (np.nan,),
    "special.log_ndtr": (-np.inf,),  # nan for infinity
    "copysign": (np.inf, -np.inf),  # nan for 1 or -1
}


def named(m: Any, name: str) -> Any:
    """Return the function ``name`` of mytorch or torch, as "special.i1"."""
    for part in name.split("."):
        m = getattr(m, part)
    return m


def arrays_for(name: str) -> list[np.ndarray]:
    """Return every special number, or every pair of two."""
    if name in ONE.split():
        return [GRID]
    return [np.repeat(GRID, GRID.size), np.tile(GRID, GRID.size)]


@pytest.mark.parametrize("name", [*ONE.split(), *TWO.split()])
def test_special_numbers_and_their_gradients_are_torchs(torch: Any, name: str) -> None:
    def function(m: Any) -> Any:
        for part in name.split("."):
            m = getattr(m, part)
        return m

    arrays = (
        [GRID] if name in ONE.split() else [np.repeat(GRID, GRID.size), np.tile(GRID, GRID.size)]
    )
    ours = [Tensor(x, requires_grad=True) for x in arrays]
    theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
    result, wanted = named(mytorch, name)(*ours), named(torch, name)(*theirs)
    assert result.requires_grad == wanted.requires_grad
    np.testing.assert_allclose(result.data, wanted.numpy(force=True), rtol=1e-10, atol=1e-13)
    if not result.requires_grad or name in WITHOUT_GRADIENT:
        return
    result.backward()
    grads = torch.autograd.grad(wanted.sum(), theirs)
    for x, grad in zip(ours, grads, strict=True):
        compared = ~np.isin(arrays[0], EXCEPT.get(name, ()))
        if np.nan in EXCEPT.get(name, ()):
            compared &= ~np.isnan(arrays[0])
        np.testing.assert_allclose(
            x.grad.data[compared], grad.numpy()[compared], rtol=1e-8, atol=1e-13
        )


@pytest.mark.parametrize("name", [*ONE.split(), *TWO.split()])
def test_tangents_at_special_numbers_are_the_gradients_and_silent(name: str) -> None:
    arrays = arrays_for(name)
    for place in range(len(arrays)):
        tensors = [Tensor(x, requires_grad=i == place) for i, x in enumerate(arrays)]
        result = named(mytorch, name)(*tensors)
        if not result.requires_grad:
            continue
        result.backward()

        def of_one(x: Any, place: int = place) -> Any:
            operands = [Tensor(each) for each in arrays]
            operands[place] = x
            return named(mytorch, name)(*operands)

        tangent = jvp(of_one, (arrays[place],), (np.ones_like(arrays[place]),))[1]
        np.testing.assert_array_equal(tangent, tensors[place].grad.data)


@pytest.mark.parametrize("exponent", [-2, -1, -0.5, 0.5, 1, 2, 3])
def test_simple_powers_are_those_of_the_general_rule(exponent: float) -> None:
    """They are computed without a logarithm where the exponent is one number for all elements."""
    array = np.array([0.0, 0.3, 1.0, 2.5, 1e30, np.inf, np.nan])
    x = Tensor(array, requires_grad=True)
    each = Tensor(array, requires_grad=True)
    with np.errstate(all="ignore"):
        one, many = x**exponent, each ** Tensor(np.full(len(array), float(exponent)))
    np.testing.assert_allclose(one.data, many.data, rtol=1e-15)
    one.backward(Tensor(np.ones(len(array))))
    many.backward(Tensor(np.ones(len(array))))
    np.testing.assert_allclose(x.grad.data, each.grad.data, rtol=1e-15)


def test_the_root_of_minus_infinity_is_nan_as_in_torch() -> None:
    assert np.isnan((Tensor([-np.inf]) ** 0.5).data).all()
