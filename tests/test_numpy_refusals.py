"""NumPy code on Tensors that would lose the graph is refused, by name and with advice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.autograd import jvp
from mytorch.errors import GraphError
from mytorch.numpy_protocol import FUNCTIONS, UFUNCS
from mytorch.tensor import Tensor

Call = Callable[..., Any]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("np.allclose", lambda x: np.allclose([1.0], x)),
        ("np.array_equal", lambda x: np.array_equal(x, x)),
        ("np.unique", np.unique),
        ("numpy", np.asarray),
        ("numpy", lambda x: np.testing.assert_allclose(x, [1.0])),
        ("numpy", lambda x: np.sum([x, x])),
        ("numpy", lambda x: np.add(np.ones(1), [x])),
        ("numpy", lambda x: np.ones(1).dot(x)),
    ],
)  # fmt: skip
def test_converting_what_requires_grad_is_refused_with_advice(name: str, code: Call) -> None:
    with pytest.raises(GraphError, match=rf"{name}: the tensor requires grad; use tensor.detach"):
        code(Tensor([1.0], requires_grad=True))


# ------------------------------------------------------------------------------- no rule

WITHOUT_RULE = sorted(
    name
    for name, function in vars(np).items()
    if (isinstance(function, np.ufunc) and function not in UFUNCS)
    or (hasattr(function, "_implementation") and function not in FUNCTIONS)
)


def test_the_list_of_functions_without_a_rule_is_a_list() -> None:
    assert {"frexp", "spacing", "interp"} <= set(WITHOUT_RULE)


@pytest.mark.parametrize("name", WITHOUT_RULE)
def test_a_function_without_a_rule_raises_type_error_that_names_it(name: str) -> None:
    function, x = getattr(np, name), Tensor(np.ones((2, 2)), requires_grad=True)
    with pytest.raises(TypeError, match=rf"^np\.{function.__name__} has no rule.*detach\(\)"):
        if isinstance(function, np.ufunc):
            function(*[x] * function.nin)
        else:
            x.__array_function__(function, (Tensor,), (x,), {})


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (r"np\.unwrap has no rule", np.unwrap),
        (r"np\.ldexp has no rule", lambda x: np.ldexp(np.ones(3), x)),
        (r"np\.linalg\.eig has no rule", np.linalg.eig),
        (r"np\.fft\.fft has no rule", np.fft.fft),
        (r"np\.add\.accumulate has no rule", np.add.accumulate),
        (r"np\.multiply\.outer has no rule", lambda x: np.multiply.outer(x, x)),
        (r"np\.multiply\.reduce has no rule", np.multiply.reduce),
        (r"np\.add\.at has no rule", lambda x: np.add.at(x, [0], 1.0)),
        (r"np\.add: dtype= .*astype", lambda x: np.add(x, 1, dtype=np.float32)),
        (r"np\.add: where= .*np\.where", lambda x: np.add(x, 1, where=np.array([True] * 3))),
        (r"np\.add: casting=", lambda x: np.add(x, 1, casting="unsafe")),
        (r"np\.matmul: axes=", lambda x: np.matmul(x, x, axes=[0, 0, 0])),
        (r"np\.var: dtype= .*astype", lambda x: np.var(x, dtype=np.float32)),
        (r"np\.sum: where= ", lambda x: np.sum(x, where=np.array([True, False, True]))),
        (r"np\.max: initial= ", lambda x: np.max(x, initial=0.0)),
        (r"np\.add\.reduce: initial= ", lambda x: np.add.reduce(x, initial=1.0)),
        (r"np\.reshape: order= ", lambda x: np.reshape(x, 3, order="F")),
        (r"np\.concatenate: dtype= ", lambda x: np.concatenate([x, x], dtype=np.float32)),
        (r"np\.concatenate: out= .*result =", lambda x: np.concatenate([x], out=np.ones(3))),
        (r"np\.take: out= ", lambda x: np.take(x, [0], out=np.ones(1))),
        (r"np\.max: out= ", lambda x: np.max(x, 0, np.ones(()))),
        ("expects the list of an operand's axes", lambda x: np.einsum(x, x)),
        (r"np\.linalg\.svd: hermitian= is not", lambda x: np.linalg.svd(x, hermitian=True)),
        ("holds numbers, not object", lambda x: np.add(x, None)),
        ("holds numbers, not <U1", lambda x: np.array(["a", "b", "c"]) + x),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_refused_by_name(message: str, code: Call) -> None:
    for requires_grad in (True, False):
        with pytest.raises(TypeError, match=message):
            code(Tensor([1.0, 2.0, 3.0], requires_grad=requires_grad))


def test_keywords_at_their_default_change_nothing() -> None:
    x = Tensor([1.0, 4.0], requires_grad=True)
    assert np.sqrt(x, out=None, where=True, dtype=None, casting="same_kind").data.tolist() == [1, 2]
    assert np.sum(x, axis=0, dtype=None, out=None, where=True).item() == 5


def test_another_librarys_array_may_answer_instead() -> None:
    class Other:
        def __array_function__(self, *_: Any) -> str:
            return "other"

        def __array_ufunc__(self, *_: Any) -> Any:
            return "other"

    assert np.concatenate([Tensor([1.0]), Other()]) == "other"
    with pytest.raises(TypeError, match="holds numbers, not object"):
        np.add(Tensor([1.0]), Other())


# ---------------------------------------------------------------------------------- out=


def test_out_is_written_where_no_history_is_lost() -> None:
    x, target, array = Tensor([1.0, 2.0]), Tensor(np.zeros(2)), np.zeros((3, 2))
    assert np.add(x, 1, out=target) is target and target.data.tolist() == [2, 3]
    assert target.version == 1
    assert np.multiply(x, 2, out=array) is array and array.tolist() == [[2, 4]] * 3
    array += x
    assert type(array) is np.ndarray and array.tolist() == [[3, 6]] * 3
    weight = Tensor([1.0, 2.0], requires_grad=True)
    with mytorch.no_grad():
        array -= weight
    assert array.tolist() == [[2, 4]] * 3


def test_out_that_would_lose_a_history_is_refused_and_unchanged() -> None:
    weight, target, array = Tensor([1.0, 2.0], requires_grad=True), Tensor(np.zeros(2)), np.zeros(2)
    with pytest.raises(GraphError, match=r"np\.add: out= is a tensor that requires grad.*result ="):
        np.add(np.ones(2), 1, out=weight)
    with mytorch.no_grad(), pytest.raises(GraphError, match="out= is a tensor that requires grad"):
        np.add(weight, 1, out=weight)
    for out in (target, array):
        with pytest.raises(GraphError, match="out= would lose the history of the result"):
            np.exp(weight, out=out)
    with pytest.raises(GraphError, match=r"np\.add: out= would lose"):
        array += weight
    with pytest.raises(GraphError, match="out= would lose"):
        jvp(lambda x: np.exp(x, out=target), (np.ones(2),), (np.ones(2),))
    with pytest.raises(TypeError, match="according to the rule 'same_kind'"):
        np.exp(target, out=np.zeros(2, int))
    assert weight.data.tolist() == [1, 2]
    assert target.data.tolist() == array.tolist() == [0, 0]


def test_a_saved_tensor_overwritten_by_out_is_noticed() -> None:
    weight, buffer = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0])
    product = weight * buffer
    np.add(buffer, 1, out=buffer)
    with pytest.raises(GraphError, match="changed in place"):
        product.backward()
