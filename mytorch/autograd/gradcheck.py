"""``gradcheck`` and ``gradgradcheck``: derivatives held against central differences.

The differences (see ``differences.py``) are good to 1e-10 where a function and its derivatives are
of size 1. The default tolerances, rtol = 1e-5 and atol = 1e-7, stand a factor of 1000 above that,
and far below the 5e-4 of a planted 2.001 for 2, which torch's rtol = 1e-3 lets pass. So that large
outputs raise no false alarm, their rounding, 16 u max|f| / h, is allowed on top.
Source: torch.autograd.gradcheck, torch.autograd.gradgradcheck.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mytorch.autograd.differences import (
    Columns,
    GradcheckError,
    Mismatch,
    Subject,
    as_tuple,
    columns_of,
    rounding_of,
)
from mytorch.autograd.gradients import gradients
from mytorch.errors import DtypeError, ShapeError
from mytorch.grad_mode import enable_grad
from mytorch.tensor import Tensor

__all__ = ["GradcheckError", "Mismatch", "gradcheck", "gradgradcheck"]


class _Options(NamedTuple):
    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    check_forward: bool
    fast_mode: bool


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-7,
    rtol: float = 1e-5,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_forward_ad: bool = False,
    fast_mode: bool = False,
) -> bool:
    """Return True if the gradients of ``func`` agree with central differences; see the module.

    Checked are the whole Jacobian, one element of an output after the other, and then backward from
    a random, non-uniform cotangent, for a backward that is not linear.

    Args:
        func: called as ``func(*inputs)``; returns a Tensor or a tuple of them. Integer outputs, and
            what is no Tensor, are ignored.
        inputs: a Tensor, or a tuple of Tensors and other values. Those that require grad are
            checked (float64, any shape; ``func`` gets copies); all others are passed on as they
            are. Choose points away from kinks and from the edge of the domain.
        eps: the step, relative to x where |x| > 1.
        atol, rtol: right is |analytic - numeric| <= atol + rtol * |numeric| + rounding.
        raise_exception: False: return False where GradcheckError would be raised.
        nondet_tol: how much two calls on the same inputs may differ, beyond rounding.
        check_forward_ad: check forward mode (``jvp``) as well.
        fast_mode: compare vᵀJd for one random cotangent v and one random direction d of each input:
            two calls of func an input, however large it is; an error then names no element.
    Raises:
        GradcheckError: a derivative is wrong (the worst element is named), or func is not finite
            or not deterministic.
        DtypeError: an input or output is not float64; ValueError: no input requires grad, or no
            output is floating; TypeError: func returns no Tensor. What backward itself refuses,
            such as a gradient of the wrong shape, is raised as it is.
    Source: torch.autograd.gradcheck, with tighter tolerances.

    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> gradcheck(lambda x: x.exp() * x, x)
    True
    """
    options = _Options(eps, atol, rtol, nondet_tol, check_forward_ad, fast_mode)
    return _passes(Subject("gradcheck", func, as_tuple(inputs)), options, raise_exception)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-7,
    rtol: float = 1e-5,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_fwd_over_rev: bool = False,
    fast_mode: bool = False,
) -> bool:
    """Return True if first and second derivatives of ``func`` agree with central differences.

    Checks ``func`` as ``gradcheck`` does (a wrong first derivative may well have right derivatives
    of its own), and then the function from inputs and grad_outputs to gradients that backward is.

    Args:
        func, inputs and all other options: as ``gradcheck``.
        grad_outputs: a Tensor, or a tuple with one for each floating output: the cotangents at
            which to check; default: random ones.
        check_fwd_over_rev: check forward mode through backward as well.
    Raises:
        As ``gradcheck``; ShapeError or ValueError: grad_outputs that do not fit the outputs.
    Source: torch.autograd.gradgradcheck.

    >>> gradgradcheck(lambda x: x.tanh(), Tensor([0.5, -1.0], requires_grad=True))
    True
    """
    options = _Options(eps, atol, rtol, nondet_tol, False, fast_mode)
    first = Subject("gradgradcheck", func, as_tuple(inputs))
    if not _passes(first, options, raise_exception):
        return False
    cotangents = _cotangents(list(first.call(*first.leaves()).values()), grad_outputs)
    second = Subject("gradgradcheck", first.gradients, (*first.inputs, *cotangents))
    names = [f"grad_outputs[{place}]" for place in range(len(cotangents))]
    second.input_names[len(first.inputs) :] = names
    second.output_word = "the gradient of input"
    return _passes(second, options._replace(check_forward=check_fwd_over_rev), raise_exception)


def _cotangents(outputs: list[Tensor], given: Any) -> list[Tensor]:
    """Return a leaf for each output: a copy of the given cotangent, or a random one."""
    if given is None:
        rng = np.random.default_rng(0)
        return [Tensor(rng.normal(size=out.shape), requires_grad=True) for out in outputs]
    given = as_tuple(given)
    if len(given) != len(outputs):
        raise ValueError(
            f"gradgradcheck: {len(given)} grad_outputs for {len(outputs)} floating output(s); give "
            "one for each"
        )
    for place, (cotangent, out) in enumerate(zip(given, outputs, strict=True)):
        if cotangent.data.shape != out.shape:
            raise ShapeError(
                f"gradgradcheck: grad_outputs[{place}] has shape {cotangent.data.shape}, its "
                f"output {out.shape}; they must be equal"
            )
    return [Tensor(cotangent.data, requires_grad=True) for cotangent in given]


# ------------------------------------------------------------------------------------ the check


def _passes(subject: Subject, options: _Options, raise_exception: bool) -> bool:
    try:
        with enable_grad(), np.errstate(all="ignore"):  # what is not finite is told in the end
            _check(subject, options)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check(subject: Subject, options: _Options) -> None:
    """Raise GradcheckError for the worst element of all pairs of an input and an output."""
    leaves = subject.leaves()
    outputs = subject.call(*leaves)
    _check_outputs(subject, outputs, options)
    rng = np.random.default_rng(0)
    cotangents = {place: rng.normal(size=out.data.size) for place, out in outputs.items()}
    rows = {
        place: _rows(subject, place, leaves, out, cotangents[place], options)
        for place, out in outputs.items()
    }
    failures: list[tuple[float, GradcheckError]] = []
    for number, point in enumerate(subject.points):
        direction = rng.normal(size=point.shape) if options.fast_mode else None
        found = columns_of(subject, number, outputs, direction, options.eps, options.check_forward)
        for place, columns in found.items():
            pair = _Pair(subject, number, place, outputs[place].shape, options)
            failures += pair.failures(rows[place][number], columns, cotangents[place])
    if failures:
        raise max(failures, key=lambda failure: failure[0])[1]
    _check_reached(subject, leaves, outputs)


def _check_outputs(subject: Subject, outputs: dict[int, Tensor], options: _Options) -> None:
    """Refuse outputs of which central differences tell nothing."""
    if not outputs:
        raise ValueError(f"{subject.check}: no output is floating, so there is nothing to check")
    again = subject.call(*subject.leaves())
    subject.check_shapes(outputs, again)
    for place, out in outputs.items():
        name = f"{subject.output_word} {place}"
        if out.dtype != np.float64:
            raise DtypeError(
                f"{subject.check}: {name} is {out.dtype}, though the inputs are float64; compute "
                "in float64 throughout, as with x.double()"
            )
        if not np.isfinite(out.data).all():
            raise GradcheckError(
                f"{subject.check}: {name} is not finite here; choose inputs inside the domain of "
                "the function"
            )
        difference = _difference(out.data, again[place].data)
        if difference > options.nondet_tol:
            raise GradcheckError(
                f"{subject.check}: the function is not deterministic: {name} differs by "
                f"{difference:.3g} between two calls on the same inputs; draw random numbers "
                "before the check, or seed them inside the function"
            )


def _difference(first: np.ndarray, second: np.ndarray) -> float:
    """Return the largest difference of two results that should be equal, but for rounding."""
    difference = np.abs(first - second).max(initial=0)
    return float(difference) if difference > rounding_of(first) else 0.0


def _check_reached(subject: Subject, leaves: list[Tensor], outputs: dict[int, Tensor]) -> None:
    """Refuse a function of other tensors than its inputs, of which nothing has been checked."""
    recorded = [out for out in outputs.values() if out.requires_grad]
    seeds = [Tensor(np.ones(out.shape)) for out in recorded]
    found = gradients(recorded, leaves, seeds, retain_graph=True, allow_unused=True)
    if recorded and all(gradient is None for gradient in found):
        raise GradcheckError(
            f"{subject.check}: the outputs do not depend on the inputs, but on other tensors that "
            "require grad; compute with the arguments of the function, which are copies"
        )


def _rows(
    subject: Subject,
    place: int,
    leaves: list[Tensor],
    output: Tensor,
    cotangent: np.ndarray,
    options: _Options,
) -> list[np.ndarray]:
    """Return for each leaf (n elements) the gradients that backward gives, as rows (k, n).

    First from each element of the output alone (not in fast mode), then from ``cotangent``.
    """
    size = 0 if options.fast_mode else output.data.size
    rows = [np.zeros((size + 2, leaf.data.size)) for leaf in leaves]
    names = [subject.input_names[number] for number in subject.places]
    for k in range(size + 2):  # from ``cotangent`` twice, to see that it gives the same
        seed = np.eye(1, size, k) if k < size else cotangent
        seed_tensor = Tensor(seed.reshape(output.shape))
        found = gradients(output, leaves, [seed_tensor], retain_graph=True, allow_unused=True)
        for row, gradient in zip(rows, found, strict=True):
            if gradient is not None:
                row[k] = gradient.data.reshape(-1)
    for name, row in zip(names, rows, strict=True):
        difference = _difference(row[-1], row[-2])
        if difference > options.nondet_tol:
            raise GradcheckError(
                f"{subject.check}: backward is not deterministic: the gradient of {name} from "
                f"{subject.output_word} {place} differs by {difference:.3g} between two walks of "
                "the same graph"
            )
    return [row[:-1] for row in rows]


# ---------------------------------------------------------------------------------- the verdict


class _Pair(NamedTuple):
    """One output against one input."""

    subject: Subject
    number: int  # of the input, among those that are checked
    place: int  # of the output
    shape: tuple[int, ...]  # of the output
    options: _Options

    def failures(
        self, rows: np.ndarray, columns: Columns, cotangent: np.ndarray
    ) -> list[tuple[float, GradcheckError]]:
        """Return (how bad, the error) for what is worst in backward and in forward mode."""
        quotients = columns.quotients
        allowed = self.options.atol + self.options.rtol * np.abs(quotients) + columns.rounding
        mixed, mixed_allowed = cotangent @ quotients, np.abs(cotangent) @ allowed
        if columns.directions is not None:
            rows = rows @ columns.directions
        single = len(rows) - 1  # rows for one element of the output alone
        found = [
            self._worst("backward", rows[:single], quotients[:single], allowed[:single])
            or self._worst("backward", rows[single:], mixed[None], mixed_allowed[None], True)
        ]
        if columns.tangents is not None:
            found.append(self._worst("jvp", columns.tangents, quotients, allowed))
        return [failure for failure in found if failure is not None]

    def _worst(
        self,
        rule: str,
        analytic: np.ndarray,
        numeric: np.ndarray,
        allowed: np.ndarray,
        is_mixed: bool = False,
    ) -> tuple[float, GradcheckError] | None:
        """Compare derivatives of the output's elements, or (``is_mixed``) of a sum of them."""
        error = np.abs(analytic - numeric)
        wrong = ~(error <= allowed)  # also where either is nan
        excess = np.where(wrong, np.nan_to_num(error / allowed, nan=np.inf), -1.0)
        if not wrong.any():
            return None
        row, column = np.unravel_index(excess.argmax(), excess.shape)
        input_shape = self.subject.points[self.number].shape
        worst = Mismatch(
            self.subject.places[self.number],
            self.place,
            None if self.options.fast_mode else _index(column, input_shape),
            None if is_mixed else _index(row, self.shape),
            float(analytic[row, column]),
            float(numeric[row, column]),
            float(allowed[row, column]),
        )
        message = self._report(rule, worst, f"{wrong.sum()} of {wrong.size}")
        return float(excess[row, column]), GradcheckError(message, worst)

    def _report(self, rule: str, worst: Mismatch, share: str) -> str:
        subject = self.subject
        of = (
            " for a random cotangent" if worst.output_index is None else f" at {worst.output_index}"
        )
        to = " in a random direction" if worst.input_index is None else f" at {worst.input_index}"
        hint = f"{share} elements are wrong, this one the most"
        if self.options.fast_mode:
            hint = "fast_mode=False names the element"
        elif worst.output_index is None:
            hint = "for each element alone it is right: is backward linear in grad_output?"
        return (
            f"{subject.check}: {rule} of {subject.output_word} {worst.output}{of} with respect to "
            f"{subject.input_names[worst.input]}{to} is wrong: analytic {worst.analytic:.10g}, "
            f"numeric {worst.numeric:.10g}, absolute error {worst.absolute_error:.3g} (allowed "
            f"{worst.allowed:.3g}), relative error {worst.relative_error:.3g}; {hint}"
        )


def _index(position: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(position, shape))
