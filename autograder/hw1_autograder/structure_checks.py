"""Homework 1, problem 1.2: the flags and nodes that results get (appendix A), on drawn sums."""

from __future__ import annotations

import numpy as np

from autograder.checks import AUTOGRAD, Arrays, Check, Mistake, Values
from autograder.hw1_autograder.elementwise_checks import numbers

APPLY = "Function.apply, mytorch/autograd_engine.py"


def draw_sums(rng: np.random.Generator) -> Arrays:
    """Draw leaves and constants in some order, every kind of sum of two, and sums with sums.

    `wanted[i]` tells whether operand i is a leaf that requires a gradient; sum k adds the operands
    (or earlier sums, counted on after them) `left[k]` and `right[k]`.
    """
    wanted = rng.permutation([1, 1, 0, 0])
    leaves, constants = np.flatnonzero(wanted), np.flatnonzero(wanted == 0)
    pairs = [leaves, leaves[::-1], constants, constants[::-1]]
    pairs += [(leaves[0], constants[1]), (constants[0], leaves[1])]
    pairs = [pairs[i] for i in rng.permutation(len(pairs))]
    needs = [bool(wanted[a] or wanted[b]) for a, b in pairs]
    needing, constant = (len(wanted) + needs.index(which) for which in (True, False))
    pairs += [(needing, constant), (constant, needing), (needing, leaves[0])]
    left, right = np.array(pairs).T
    return {"x": numbers(rng, 2, 3), "wanted": wanted, "left": left, "right": right}


def sums(x: Arrays) -> list[tuple[str, bool, str]]:
    """Return of each operand and sum: how it is written, whether it requires a gradient, and the
    nodes that come after its own."""
    known = [("leaf", True, "") if w else ("constant", False, "") for w in x["wanted"].tolist()]
    for a, b in zip(x["left"].tolist(), x["right"].tolist(), strict=True):
        following = ", ".join(_node(*known[i][:2]) for i in (a, b))
        known.append((f"({known[a][0]} + {known[b][0]})", known[a][1] or known[b][1], following))
    return known


def _node(written: str, requires_grad: bool) -> str:
    if not requires_grad:
        return "None"
    return "AccumulateGrad" if written == "leaf" else "BackwardFunction"


def right_flags(x: Arrays) -> Values:
    """Return the flags of the sums."""
    right: Values = {}
    for written, requires_grad, _ in sums(x)[len(x["wanted"]) :]:
        right[f"{written}.requires_grad"] = requires_grad
        right[f"{written}.is_leaf"] = not requires_grad
    return right


def right_nodes(x: Arrays) -> Values:
    """Return the nodes of the graphs of the sums that have one."""
    right: Values = {}
    for written, requires_grad, following in sums(x)[len(x["wanted"]) :]:
        if requires_grad:
            right[f"type of {written}.grad_fn"] = "BackwardFunction"
            right[f"{written}.grad_fn.next_functions"] = following
    return right


def of_first_operand(x: Arrays, _: Values) -> Values:
    """Return the mistake of asking only the first operand whether it requires a gradient."""
    known = [bool(w) for w in x["wanted"]]
    for a in x["left"].tolist():
        known.append(known[a])
    written = [name for name, _, _ in sums(x)]
    count = len(x["wanted"])
    return {f"{n}.requires_grad": w for n, w in list(zip(written, known, strict=True))[count:]}


def structure_checks() -> list[Check]:
    """Return the checks of flags, of nodes, and of gradients that are nobody else's."""
    nowhere = Mistake(
        "requires_grad is not passed on: a result requires a gradient if any operand does",
        lambda x, right: {n: False for n in right if n.endswith("requires_grad")},
    )
    first = Mistake(
        "requires_grad is taken from one operand: any of them that requires it is enough",
        of_first_operand,
    )
    shared = Mistake(
        "two leaves share one gradient array: AccumulateGrad should store a copy",
        lambda x, _: {"b.grad after a change of a.grad": x["g0"] + 1.0},
    )
    flags = ("Autograd", "requires_grad and is_leaf of results (appendix A)", 2, "structure")
    nodes = ("Autograd", "grad_fn and next_functions of results", 2, "structure")
    buffers = ("Autograd", "no two leaves share a gradient array", 1, "separate_buffers")
    return [
        Check(*flags, draw_sums, right_flags, {"of": "flags"}, [first, nowhere], place=APPLY),
        Check(*nodes, draw_sums, right_nodes, {"of": "nodes"}, place=APPLY),
        Check(
            *buffers,
            lambda rng: {name: numbers(rng, 3) for name in ("a", "b", "g0")},
            lambda x: {"b.grad": x["g0"], "b.grad after a change of a.grad": x["g0"]},
            mistakes=[shared],
            tolerance=AUTOGRAD,
            place="AccumulateGrad, mytorch/autograd_engine.py",
        ),
    ]
