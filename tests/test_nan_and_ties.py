"""Numbers that hold: a nan or an infinity leaks nowhere that torch keeps it from; ties as torch."""

from __future__ import annotations

import numpy as np
import pytest

import mytorch
from mytorch.tensor import Tensor
from tests.op_rows import CASES
from tests.op_table import OpCase
from tests.test_operations import parts

X = [-1.0, 0.0, 2.0, np.nan, np.inf, -np.inf]
BRANCHES = {
    "log": (lambda x: np.where(x > 0, np.log(x), x), lambda t, x: t.where(x > 0, x.log(), x)),
    "sqrt": (lambda x: np.where(x > 0, np.sqrt(x), 0), lambda t, x: t.where(x > 0, x.sqrt(), 0)),
    "safe sqrt": (
        lambda x: np.where(x > 0, np.sqrt(np.where(x > 0, x, 1)), 0),
        lambda t, x: t.where(x > 0, t.where(x > 0, x, 1).sqrt(), 0),
    ),
    "1/x": (lambda x: np.where(x == 0, x, 1 / x), lambda t, x: t.where(x == 0, x, 1 / x)),
    "x/x": (lambda x: np.where(x == 2, x / x, x * x), lambda t, x: t.where(x == 2, x / x, x * x)),
    "nan": (lambda x: np.where(x > 0, np.nan, x * x), lambda t, x: t.where(x > 0, t.nan, x * x)),
    "clip log": (lambda x: np.log(np.clip(x, 0, 1)), lambda t, x: x.clamp(0, 1).log()),
    "log relu": (lambda x: np.log(mytorch.nn.functional.relu(x)), lambda t, x: x.relu().log()),
    "log maximum": (
        lambda x: np.log(np.maximum(x, 0)),
        lambda t, x: t.maximum(x, t.zeros((), dtype=x.dtype)).log(),
    ),
    "sqrt abs": (lambda x: np.sqrt(np.abs(x)), lambda t, x: x.abs().sqrt()),
    "x**0": (
        lambda x: np.log(1 - x ** np.zeros(6)) * x,
        lambda t, x: (1 - x ** t.zeros_like(x)).log() * x,
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # inf - inf, 0 * inf
@pytest.mark.parametrize("name", BRANCHES)
def test_nan_and_inf_leak_nowhere_that_torch_keeps_them_from(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    ours, theirs = BRANCHES[name]
    x = Tensor(np.array(X), requires_grad=True)
    z = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    weights = np.arange(1.0, 1 + len(X))
    (slope,) = mytorch.autograd.gradients([ours(x)], [x], [Tensor(weights)], create_graph=True)
    (wanted,) = torch.autograd.grad(theirs(torch, z), [z], torch.tensor(weights), create_graph=True)
    np.testing.assert_allclose(slope.data, wanted.detach().numpy(), rtol=1e-12)
    (bend,) = mytorch.autograd.gradients([slope], [x], [Tensor(weights)], allow_unused=True)
    (wanted,) = torch.autograd.grad([wanted], [z], torch.tensor(weights), allow_unused=True)
    for position, value in enumerate(wanted.numpy(force=True)):
        if np.isfinite(value):  # where torch's second derivative is nan, ours may be a number
            assert bend.data[position] == pytest.approx(value, rel=1e-12), X[position]


def test_maximum_and_clip_at_ties_through_numpy() -> None:
    x = Tensor([0.0, 1.0, 2.0], requires_grad=True)
    np.sum(np.maximum(x, 1.0)).backward()
    assert x.grad.data.tolist() == [0, 0.5, 1]
    x.grad = None
    np.sum(np.clip(x, 0.0, 1.0)).backward()
    assert x.grad.data.tolist() == [1, 1, 0]


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # inf - inf, 0 * inf
@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.torchs and case.smooth and "nan" not in case.differs],
    ids=lambda case: case.name,
)
@pytest.mark.parametrize("special", [np.nan, np.inf])
def test_a_nan_in_the_gradient_goes_no_further_than_in_torch(case: OpCase, special: float) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(42)
    points = [case.draw(rng, shapes) for shapes in case.shapes[:3]]
    points += [[np.array(x, float) for x in kink.inputs] for kink in case.kinks]
    for arrays in points:
        ours = [Tensor(x, requires_grad=True) for x in arrays]
        theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in arrays]
        output, wanted = (
            next(part for part in parts(call(m, *tensors)) if part.requires_grad)
            for call, m, tensors in ((case.call, mytorch, ours), (case.torchs, torch, theirs))
        )
        for place in range(min(output.data.size, 4)):
            cotangent = np.ones(output.shape)
            cotangent.flat[place] = special
            found = mytorch.autograd.gradients(
                [output], ours, [Tensor(cotangent)], True, materialize_grads=True
            )
            reference = torch.autograd.grad(
                wanted, theirs, torch.tensor(cotangent), True, materialize_grads=True
            )
            for grad, other in zip(found, reference, strict=True):
                if other is None:  # this part of the result does not depend on the operand
                    continue
                leaked = ~np.isfinite(grad.data) & np.isfinite(other.numpy())
                assert not leaked.any(), (arrays, cotangent, grad, other)
