"""dtypes: torch's rules for mixed ones, exhaustively; their names and limits, and the default."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.errors import DtypeError
from mytorch.tensor import Tensor
from tests.op_table import DTYPES

ALL = (*DTYPES, "int8")
VALUES = np.array([1, 2, 3])
SHAPES = (((3,), (3,)), ((3,), ()), ((), (3,)), ((), ()))
NUMBERS = (
    *(True, False, 0, 2, 3, -1, 255, 256, -300, 70000, 2**40),
    *(2.5, -0.5, 1e-8, 1e5, 1e30, float("inf"), float("nan")),
)
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "//": operator.floordiv, "%": operator.mod, "**": operator.pow,
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
    "&": operator.and_, "|": operator.or_, "^": operator.xor,
}  # fmt: skip
METHOD = {"//": "__floordiv__", "%": "__mod__", "&": "__and__", "|": "__or__", "^": "__xor__"}
SYMBOLS = [symbol for symbol in OPERATORS if hasattr(Tensor(0), METHOD.get(symbol, "__add__"))]


def differs(symbol: str, dtype: str, number: Any) -> bool:
    """Where an operation on a tensor and a number is not torch's on purpose."""
    return (
        # torch refuses x - True for every x; here True is a number beside numbers
        symbol == "-" and isinstance(number, bool) and dtype != "bool"
        # torch refuses mask ** mask, but not mask ** True
        or symbol == "**" and isinstance(number, bool) and dtype == "bool"
        # torch computes in float32 inside, so that the number need not fit into float16
        or dtype == "float16" and abs(number) > 65504 and symbol in ("/", "**")
    )  # fmt: skip


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture(params=["float32", "float64"])
def default(torch: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """The default dtype of both libraries."""
    mytorch.set_default_dtype(request.param)
    torch.set_default_dtype(getattr(torch, request.param))
    yield request.param
    mytorch.set_default_dtype("float64")
    torch.set_default_dtype(torch.float32)


def outcome(call: Callable[..., Any], *operands: Any) -> Any:
    """Return the dtype's name and the values of a result, or None where the call is refused."""
    try:
        result = call(*operands)
    except (RuntimeError, TypeError, ValueError, ArithmeticError):
        return None
    return str(result.dtype).removeprefix("torch."), result.numpy().astype(float)


def check_same(ours: Any, theirs: Any, where: tuple[Any, ...]) -> None:
    assert (ours is None) == (theirs is None), f"{where}: ours {ours}, torch's {theirs}"
    if theirs is not None:
        assert ours[0] == theirs[0], f"{where}: dtype {ours[0]}, torch's is {theirs[0]}"
        tolerance = 1e-3 if "float16" in (theirs[0], *where) else 1e-6
        np.testing.assert_allclose(
            ours[1], theirs[1], rtol=tolerance, atol=tolerance, err_msg=f"{where}"
        )


def arrays_of(dtypes: Any, shapes: Any) -> list[np.ndarray]:
    pairs = zip(dtypes, shapes, strict=True)
    return [np.resize(VALUES, shape).astype(dtype) for dtype, shape in pairs]


# ------------------------------------------------------------------------------ mixed dtypes


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_two_tensors_are_promoted_as_in_torch(torch: Any, default: str, symbol: str) -> None:
    call = OPERATORS[symbol]
    for dtypes, shapes in itertools.product(itertools.product(ALL, repeat=2), SHAPES):
        arrays = arrays_of(dtypes, shapes)
        ours = outcome(call, *map(Tensor, arrays))
        theirs = outcome(call, *map(torch.tensor, arrays))
        check_same(ours, theirs, (symbol, *dtypes, *shapes))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # torch warns of overflow in float16
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_tensor_and_a_number_are_promoted_as_in_torch(
    torch: Any, default: str, symbol: str
) -> None:
    for dtype, shape, number in itertools.product(ALL, ((3,), ()), NUMBERS):
        if differs(symbol, dtype, number):
            continue
        (array,) = arrays_of([dtype], [shape])
        for flip in (False, True):
            call = (lambda a, b: OPERATORS[symbol](b, a)) if flip else OPERATORS[symbol]
            ours = outcome(call, Tensor(array), number)
            theirs = outcome(call, torch.tensor(array), number)
            check_same(ours, theirs, (symbol, dtype, shape, number, flip))


def test_where_promotes_as_in_torch(torch: Any, default: str) -> None:
    mask = np.array([True, False, True])

    def call(m: Any) -> Any:
        return lambda a, b: m.where(m.tensor(mask), a, b)

    for dtypes, shapes in itertools.product(itertools.product(ALL, repeat=2), SHAPES):
        arrays = arrays_of(dtypes, shapes)
        ours = outcome(call(mytorch), *map(Tensor, arrays))
        check_same(ours, outcome(call(torch), *map(torch.tensor, arrays)), (*dtypes, *shapes))
    for dtype, shape, number in itertools.product(ALL, ((3,), ()), (True, 2, 2.5)):
        (array,) = arrays_of([dtype], [shape])
        for order in (lambda a, b: (a, b), lambda a, b: (b, a)):
            ours = outcome(call(mytorch), *order(Tensor(array), number))
            theirs = outcome(call(torch), *order(torch.tensor(array), number))
            check_same(ours, theirs, (dtype, shape, number))
    for numbers in itertools.product((True, 2, 2.5), repeat=2):
        check_same(outcome(call(mytorch), *numbers), outcome(call(torch), *numbers), numbers)


def test_result_type_promote_types_and_can_cast_are_torchs(torch: Any, default: str) -> None:
    def name(dtype: Any) -> str:
        return str(dtype).removeprefix("torch.")

    numbers = (True, 2, 2.5)
    for dtypes in itertools.product(ALL, repeat=2):
        theirs = [getattr(torch, dtype) for dtype in dtypes]
        assert mytorch.promote_types(*dtypes) == name(torch.promote_types(*theirs))
        assert mytorch.can_cast(*dtypes) == torch.can_cast(*theirs)
        for shapes in SHAPES:
            arrays = arrays_of(dtypes, shapes)
            found = mytorch.result_type(*map(Tensor, arrays))
            assert found == name(torch.result_type(*map(torch.tensor, arrays))), (dtypes, shapes)
    for dtype, shape, number in itertools.product(ALL, ((3,), ()), numbers):
        (array,) = arrays_of([dtype], [shape])
        wanted = name(torch.result_type(torch.tensor(array), number))
        assert mytorch.result_type(Tensor(array), number) == wanted
        assert mytorch.result_type(number, Tensor(array)) == wanted
    for pair in itertools.product(numbers, repeat=2):
        assert mytorch.result_type(*pair) == name(torch.result_type(*pair))


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_float32_never_becomes_float64(symbol: str) -> None:
    call, x = OPERATORS[symbol], Tensor(np.ones(3, np.float32))
    if symbol in "&|^":
        return
    assert mytorch.get_default_dtype() == np.float64
    kinds = ALL[1:5] if symbol == "-" else ALL[:5]  # a mask cannot be subtracted
    others = [Tensor(np.ones(shape, dtype)) for shape in ((3,), ()) for dtype in kinds]
    for other in (*others, Tensor(1.0), True, 2, 2.5, np.float64(2), np.int64(2)):
        for operands in ((x, other), (other, x)):
            assert call(*operands).dtype in (np.float32, np.bool_), (symbol, other)


# ---------------------------------------------------------------------- integers and reductions

OF_INTEGERS: dict[str, Callable[[Any, Any], Any]] = {
    "division by itself": lambda m, x: x / x, "division by 2": lambda m, x: x / 2,
    "division of 2": lambda m, x: 2 / x, "sum over an axis": lambda m, x: x.sum(0),
    "softmax": lambda m, x: m.softmax(x, 0), "logsumexp": lambda m, x: m.logsumexp(x, 0),
    "cumsum": lambda m, x: x.cumsum(0), "cumprod": lambda m, x: x.cumprod(0),
    **{name: operator.methodcaller(name) for name in (
        *("sqrt", "exp", "sin", "sum", "prod", "mean", "std", "var", "max", "min", "argmax"),
        *("abs", "sign", "floor", "neg", "square", "sigmoid", "reciprocal", "median"))},
}  # fmt: skip
KNOWN = [name for name in OF_INTEGERS if " " in name or name in {*dir(Tensor), *dir(mytorch)}]


@pytest.mark.parametrize("name", KNOWN)
def test_functions_of_integers_have_torchs_dtype(torch: Any, default: str, name: str) -> None:
    rule = OF_INTEGERS[name]
    call = (lambda _, x: rule(x)) if isinstance(rule, operator.methodcaller) else rule
    for dtype in ALL[:5]:
        (array,) = arrays_of([dtype], [(3,)])
        theirs = outcome(call, torch, torch.tensor(array))
        check_same(outcome(call, mytorch, Tensor(array)), theirs, (name, dtype))


def test_integers_sum_to_int64_and_have_no_mean() -> None:
    for dtype in ("bool", "uint8", "int32"):
        x = Tensor(np.ones(300, dtype))
        assert x.sum().dtype == np.int64 and x.sum().item() == 300
        with pytest.raises(DtypeError, match="mean: expects a floating tensor"):
            x.mean()
    assert (Tensor([1, 2]) / 2).dtype == np.float64 and Tensor([4]).sqrt().dtype == np.float64


def test_a_number_too_large_for_integers_counts_in_a_division() -> None:
    pixels = Tensor(np.array([0, 128, 255], np.uint8))
    np.testing.assert_array_equal((pixels / 256).data, [0, 0.5, 255 / 256])
    np.testing.assert_array_equal((pixels / -2).data, [0, -64, -127.5])
    np.testing.assert_array_equal(mytorch.div(pixels, 512).data, [0, 0.25, 255 / 512])


def test_numbers_too_large_for_a_float_are_infinite_without_a_warning() -> None:
    for dtype in (np.float16, np.float32):
        x = Tensor(np.ones(2, dtype))
        assert (x * 1e300).data.tolist() == [np.inf] * 2 and (x * 1e300).dtype == dtype
        assert (x - 10**300).data.tolist() == [-np.inf] * 2
        assert Tensor([1e300]).astype(dtype).data.tolist() == [np.inf]
    with pytest.raises(OverflowError):
        Tensor([1]) + 2**70


# ------------------------------------------------------------------------- names and defaults


def test_names_are_numpys_dtypes(torch: Any) -> None:
    names = "double float half long int short int8 int16 int32 int64 uint8 bool float16 float32"
    for name in (*names.split(), "float64"):
        assert getattr(mytorch, name) == str(getattr(torch, name)).removeprefix("torch.")
        assert isinstance(getattr(mytorch, name), np.dtype)
    assert Tensor([1.0]).dtype is mytorch.float64
    for mine in (mytorch.float32, np.float32, "float32", np.dtype("f4")):
        assert mytorch.zeros(1, dtype=mine).dtype == mytorch.float32
    assert mytorch.zeros(1, dtype=float).dtype == mytorch.float64


@pytest.mark.parametrize("wrong", ["a string", 3, object(), np.dtype("U3"), np.dtype("M8[s]")])
def test_what_is_no_dtype_is_refused_by_the_function_that_got_it(wrong: Any) -> None:
    for call in (
        lambda: mytorch.zeros(2, dtype=wrong),
        lambda: Tensor([1.0]).astype(wrong),
        lambda: mytorch.tensor([1.0], dtype=wrong),
        lambda: mytorch.promote_types(wrong, np.int8),
        lambda: mytorch.set_default_dtype(wrong),
    ):
        with pytest.raises(TypeError, match=r"(zeros|astype|tensor|promote_types|set_default).*: "):
            call()


def test_the_default_dtype_is_what_factories_and_python_floats_have(default: str) -> None:
    assert mytorch.get_default_dtype() == default
    for made in (
        *(mytorch.zeros(2), mytorch.rand(2), mytorch.linspace(0, 1, 3), mytorch.arange(2.0)),
        *(mytorch.tensor(1.5), mytorch.full((2,), 0.5), mytorch.eye(2), mytorch.normal(0, 1, (2,))),
    ):
        assert made.dtype == default
    with pytest.raises(TypeError, match="must be floating"):
        mytorch.set_default_dtype(mytorch.int64)


def test_limits_are_torchs(torch: Any) -> None:
    for name in ("float16", "float32", "float64"):
        ours, theirs = mytorch.finfo(getattr(mytorch, name)), torch.finfo(getattr(torch, name))
        for key in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
            assert getattr(ours, key) == getattr(theirs, key), (name, key)
            assert type(getattr(ours, key)) is type(getattr(theirs, key))
        assert repr(ours) == repr(theirs)
    for name in ("uint8", "int8", "int16", "int32", "int64"):
        ours, theirs = mytorch.iinfo(getattr(mytorch, name)), torch.iinfo(getattr(torch, name))
        for key in ("bits", "max", "min", "dtype"):
            assert getattr(ours, key) == getattr(theirs, key), (name, key)
    assert repr(mytorch.iinfo(mytorch.uint8)) == repr(torch.iinfo(torch.uint8))
    assert mytorch.finfo().dtype == "float64"
    for wrong, advice in ((mytorch.int64, "iinfo"), (mytorch.bool, "iinfo")):
        with pytest.raises(TypeError, match=advice):
            mytorch.finfo(wrong)
    for wrong in (mytorch.float32, mytorch.bool):
        with pytest.raises(TypeError, match="finfo"):
            mytorch.iinfo(wrong)


def test_constants_are_pythons() -> None:
    import math

    assert (mytorch.pi, mytorch.e, mytorch.inf, mytorch.newaxis) == (
        math.pi,
        math.e,
        math.inf,
        None,
    )
    assert math.isnan(mytorch.nan)
    assert mytorch.ones(2)[:, mytorch.newaxis].shape == (2, 1)
