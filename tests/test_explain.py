"""explain: the backward walk as text."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.autograd.explain import explain
from mytorch.autograd_engine import Function
from mytorch.errors import GraphError, ShapeError
from mytorch.tensor import Tensor

HANDOUT = """\
The gradient of e with respect to itself is all ones: ∂e/∂e = [1]

Step 1: Add, which made e
  incoming: ∂e/∂e = [1]
  rule:     z = x + y;  dz/dx = 1, dz/dy = 1
  outgoing: ∂e/∂(Op: Add) = [1], to step 2
            2nd argument: a constant, no gradient needed

Step 2: Add
  incoming: ∂e/∂(Op: Add) = [1]
  rule:     z = x + y;  dz/dx = 1, dz/dy = 1
  outgoing: ∂e/∂d = [1], to step 3
            ∂e/∂c = [1], to step 7

Step 3: Add, which made d
  incoming: ∂e/∂d = [1]
  rule:     z = x + y;  dz/dx = 1, dz/dy = 1
  outgoing: ∂e/∂a = [1], to step 4
            ∂e/∂(Op: Mul) = [1], to step 5

Step 4: AccumulateGrad of a
  incoming: ∂e/∂a = [1]
  a.grad = [1]

Step 5: Mul
  incoming: ∂e/∂(Op: Mul) = [1]
  rule:     z = x * y, element by element;  dz/dx = y, dz/dy = x
  outgoing: ∂e/∂a = [2], to step 6
            2nd argument: a constant, no gradient needed

Step 6: AccumulateGrad of a
  incoming: ∂e/∂a = [2]
  a.grad: [1] += [2] -> [3]

Step 7: AccumulateGrad of c
  incoming: ∂e/∂c = [1]
  c.grad = [1]

Result: a.grad = [3], c.grad = [1]
"""


def told(tensor: Tensor, **options: Any) -> str:
    """Return what explain prints."""
    file = io.StringIO()
    assert explain(tensor, file, **options) is None
    return file.getvalue()


def handout() -> dict[str, Tensor]:
    """Return the tensors of the handout's example by name."""
    a, b = Tensor(1.0, requires_grad=True), Tensor(2.0)
    c = Tensor(3.0, requires_grad=True)
    d = a + a * b
    return {"a": a, "b": b, "c": c, "d": d, "e": d + c + 3}


def leaf(*shape: int) -> Tensor:
    return Tensor(np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape), requires_grad=True)


class Split(Function):
    """(p, q) = (2 x, 3 x);  dL/dx = 2 dL/dp + 3 dL/dq."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return a.new(a.data * 2), a.new(a.data * 3)

    @staticmethod
    def backward(ctx: Any, p: Any, q: Any) -> Any:
        return p * 2.0 + q * 3.0


class Stop(Function):
    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return a.new(a.data.copy())

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return None


def test_the_handouts_example_is_told_in_its_seven_steps() -> None:
    tensors = handout()
    assert told(tensors["e"], names=tensors) == HANDOUT


def test_it_prints_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    tensors = handout()
    explain(tensors["e"], names=tensors)
    assert capsys.readouterr().out == HANDOUT


def test_nothing_is_changed_and_backward_gives_what_was_told() -> None:
    tensors = handout()
    calls: list[Any] = []
    tensors["d"].retain_grad()
    tensors["a"].register_hook(calls.append)
    tensors["d"].register_hook(calls.append)
    first = told(tensors["e"], names=tensors)
    retained = (tensors["a"] * 2.0).exp()
    retained.retain_grad()
    assert told(retained).count("it has hooks") == 1  # at the leaf: to retain changes nothing
    assert told(tensors["e"], names=tensors) == first
    assert calls == [] and all(t.grad is None for t in tensors.values())
    assert all(t.version == 0 for t in tensors.values()) and mytorch.is_grad_enabled()
    assert first.count("it has hooks") == 3  # at d's operation and at both uses of a
    tensors["e"].backward()
    assert (tensors["a"].grad.item(), tensors["c"].grad.item()) == (3.0, 1.0)


def test_without_names_there_are_final_leaves_in_order_and_operations() -> None:
    text = told(handout()["e"])
    assert "Step 1: Add, which made final" in text
    assert "Step 4: AccumulateGrad of leaf 1" in text and "AccumulateGrad of leaf 2" in text
    assert "∂final/∂(leaf 1) = [2], to step 6" in text
    assert text.endswith("Result: (leaf 1).grad = [3], (leaf 2).grad = [1]\n")


def test_gradients_already_there_are_added_to_but_only_in_the_story() -> None:
    tensors = handout()
    tensors["e"].backward(retain_graph=True)
    text = told(tensors["e"], names=tensors)
    assert "a.grad: [3] += [1] -> [4]" in text and "a.grad: [4] += [2] -> [6]" in text
    assert "Result: a.grad = [6], c.grad = [2]" in text
    assert tensors["a"].grad.item() == 3.0


def test_a_shared_result_is_told_once_with_the_sum() -> None:
    x = leaf()
    y = x.exp()
    text = told(y * y + y, names={"x": x, "y": y})
    assert text.count("Exp, which made y") == 1
    assert f"∂final/∂y = [{2 * np.e + 1:.4g}], the sum of 3 gradients" in text
    assert text.count("∂final/∂y = ") == 4 and text.count(", to step 3") == 3


def test_a_graph_that_recursion_would_walk_forever_is_told_at_once() -> None:
    x = leaf()
    y = x
    for _ in range(60):
        y = y + y
    text = told(y, max_steps=1000, names={"x": x})
    assert text.count("\nStep ") == 62  # 60 additions, and x at the two uses of the last one
    assert text.endswith(f"x.grad = [{2.0**60:.4g}]\n")


def test_a_long_walk_is_cut_and_the_rest_counted() -> None:
    x = leaf()
    y = x
    for _ in range(100_000):
        y = y + 1.0
    text = told(y)
    assert text.count("\nStep ") == 50
    assert text.endswith("\n\n… and 99951 more nodes\n") and "Result" not in text
    short = told(x * x, max_steps=2, names={"x": x})
    assert short.endswith("x.grad = [1]\n\n… and more uses of these leaves\n")
    assert "Result" in told(x * x, max_steps=3)


def test_large_arrays_are_summarised_and_small_ones_are_on_one_line() -> None:
    x, w = leaf(2, 2), leaf(100, 2)
    text = told(((w @ x) * 0.5).sum(), names={"x": x, "w": w})
    assert "∂final/∂w = (100, 2) from 1.5 to 3.5, to step" in text
    assert "x.grad = [[5000, 5000], [5050, 5050]]" in text
    assert "AccumulateGrad of w, shape (100, 2)" in text
    assert "[] of shape (0, 3)" in told(leaf(0, 3) * 2.0)
    assert max(map(len, text.splitlines())) < 120


def test_a_given_gradient_starts_the_walk() -> None:
    x = leaf(2)
    text = told(x * 2.0, gradient=Tensor([1.0, 10.0]), names={"x": x})
    assert text.startswith("The walk starts from the gradient that was given: ∂final/∂final = [1, ")
    assert "x.grad = [2, 20]" in text
    with pytest.raises(ShapeError, match="explain: gradient has shape"):
        told(x * 2.0, gradient=Tensor([1.0]))


def test_plain_arguments_are_constants() -> None:
    assert "2nd, 3rd argument: constants, no gradient needed" in told(leaf(2).sum())


def test_a_leaf_is_one_step() -> None:
    x = leaf(2)
    assert told(x, names={"x": x}) == (
        "The gradient of x with respect to itself is all ones: ∂x/∂x = [1, 1]\n\n"
        "Step 1: AccumulateGrad of x, shape (2,)\n  incoming: ∂x/∂x = [1, 1]\n"
        "  x.grad = [1, 1]\n\nResult: x.grad = [1, 1]\n"
    )


@pytest.mark.parametrize("used", ["both", "first"])
def test_functions_with_several_outputs_get_all_gradients_at_once(used: str) -> None:
    x = leaf()
    p, q = Split.apply(x)
    text = told(p * 10.0 + q if used == "both" else p * 10.0, names={"x": x, "q": q})
    assert "∂final/∂(1st output of Split) = [10], to step" in text
    assert "Split\n  incoming: ∂final/∂(1st output) = [10]\n" in text
    if used == "both":
        assert "∂final/∂q = [1], to step" in text and "∂final/∂(2nd output) = [1]" in text
    else:
        assert "∂final/∂(2nd output) = none has come" in text
    assert "rule:     (p, q) = (2 x, 3 x);  dL/dx = 2 dL/dp + 3 dL/dq" in text
    assert f"Result: x.grad = [{23 if used == 'both' else 20}]" in text
    assert "Split" in told(p, names={"x": x})  # an output itself is the final tensor


def test_an_operation_without_formula_and_without_gradient_says_so() -> None:
    x = leaf()
    y = x * 2.0
    text = told(Stop.apply(y) + y * y, names={"x": x, "y": y})
    assert "rule:     Stop.backward (its docstring states no formula)" in text
    assert "∂final/∂y: none" in text
    assert text.endswith("Result: x.grad = [8]\n")
    assert told(Stop.apply(y)).endswith("Result: no gradient reaches a leaf\n")
    way_round = told(Stop.apply(y * 3.0) + y, names={"x": x, "y": y})
    assert way_round.endswith("Result: x.grad = [2]\n")


def test_every_operations_rule_is_its_docstrings_first_sentence() -> None:
    assert "rule:     y = e**x;  dy/dx = y\n" in told(leaf().exp())
    assert "dy/dx = 1 where x > 0, else 0 (also at 0)\n" in told(leaf().relu())


def test_backward_rules_run_without_recording() -> None:
    seen: list[bool] = []

    class Watch(Function):
        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            return a.new(a.data * 1.0)

        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            seen.append(mytorch.is_grad_enabled())
            return grad_output

    told(Watch.apply(leaf()))
    assert seen == [False] and mytorch.is_grad_enabled()


def test_it_works_inside_no_grad() -> None:
    tensors = handout()
    with mytorch.no_grad():
        assert told(tensors["e"], names=tensors) == HANDOUT


def test_output_that_cannot_encode_the_symbols_gets_a_question_mark() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    explain(leaf() * 2.0, file)
    file.flush()
    assert b"?final/?final = [1]" in raw.getvalue()


def test_what_cannot_be_explained_says_what_to_do() -> None:
    with pytest.raises(
        GraphError, match=r"explain: .* no grad_fn.*requires_grad=True.*no_grad\(\)"
    ):
        explain(Tensor([1.0]))
    with pytest.raises(TypeError, match="expects a Tensor, not ndarray"):
        explain(np.ones(2))  # type: ignore[arg-type]
    x = leaf()
    y = x * x
    y.backward()
    file = io.StringIO()
    with pytest.raises(GraphError, match="Mul a second time.*retain_graph=True"):
        explain(y + 1.0, file)
    assert file.getvalue() == ""
    z = x.exp()
    w = z + 2.0
    with mytorch.no_grad():
        z.fill_(0.0)
    with pytest.raises(GraphError, match="Exp saved for backward was changed in place"):
        explain(w)
