"""NumPy's functions on Tensors: plain NumPy code given Tensors is differentiated.

NumPy hands a call with a Tensor among its arguments to ``Tensor.__array_ufunc__`` (functions of
each element, and operators with an array on the left) or to ``Tensor.__array_function__`` (all
others). These look the function up in the tables below:

- ``UFUNCS``, ``METHODS``, ``FUNCTIONS``: the same by recorded operations; most come from the
  operations themselves, which name NumPy's function in ``@operation``.
- ``CONSTANTS``: the derivative is zero or there is none; the result is a Tensor that requires no
  grad. Torch gives such a gradient as zeros.
- ``CONVERSIONS``: comparing, counting, printing, saving: NumPy's answer about the values; refused,
  as ``tensor.numpy()`` is, for a tensor that requires grad.
- ``QUESTIONS``: about shape, dtype or memory: NumPy's answer for every tensor.

A function in none of them raises TypeError rather than lose the graph, and so does a keyword that
the rule does not know. Names and arguments are NumPy's; dtypes, ties and errors are those of the
operation, hence torch's. ``np.asarray(tensor)`` and ``np.testing`` convert as ``tensor.numpy()``.
Source: NumPy Enhancement Proposals 13 (ufuncs) and 18 (other functions).
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

import mytorch.numpy_rules as rules
from mytorch.errors import GraphError
from mytorch.numpy_linalg import LINALG
from mytorch.numpy_rules import Rule
from mytorch.ops import joining, shape
from mytorch.ops.extremes import Max, Min
from mytorch.ops.reduce import Sum
from mytorch.ops.registry import NUMPY, NUMPYS_NAMES
from mytorch.ops.scan import cumprod, cumsum
from mytorch.ops.shape import Alias
from mytorch.variable import Variable

__all__ = ["call_function", "call_ufunc"]

# ---------------------------------------------------------------------------------- the tables

CONSTANTS: dict[Any, Rule] = {
    function: rules.constant(function)
    for function in (
        np.isclose, np.any, np.all,
        np.argmax, np.argmin, np.argsort, np.argwhere, np.count_nonzero, np.nonzero,
        np.flatnonzero, np.searchsorted, np.digitize,
        np.zeros_like, np.ones_like, np.empty_like,
    )
}  # fmt: skip
CONVERSIONS = (
    np.allclose, np.array_equal, np.array_equiv, np.array2string, np.array_repr, np.array_str,
    np.bincount, np.histogram, np.save, np.savetxt, np.unique,
)  # fmt: skip
QUESTIONS = (
    np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.shares_memory,
    np.may_share_memory,
)  # fmt: skip

UFUNCS: dict[Any, Rule] = {
    np.positive: Alias.apply, np.divmod: divmod,
    **{function: rule for function, rule in CONSTANTS.items() if isinstance(function, np.ufunc)},
    **{function: rule for function, rule in NUMPY.items() if isinstance(function, np.ufunc)},
}  # fmt: skip

METHODS: dict[tuple[Any, str], Rule] = {  # ufunc.reduce has axis 0 by default
    (np.add, "reduce"): rules.reduced(Sum.apply, 0),
    (np.maximum, "reduce"): rules.reduced(Max.apply, 0),
    (np.minimum, "reduce"): rules.reduced(Min.apply, 0),
}

FUNCTIONS: dict[Any, Rule] = {
    # reductions
    np.var: rules.var, np.std: rules.std, np.median: rules.median,
    np.cumsum: rules.scanned(cumsum), np.cumprod: rules.scanned(cumprod),
    # products
    np.einsum: rules.einsum, np.trace: rules.trace, **LINALG,
    # choices
    np.where: rules.where, np.clip: rules.clip, np.sort: rules.sort,
    np.nan_to_num: rules.nan_to_num,
    np.tril: lambda m, k=0: m.tril(k), np.triu: lambda m, k=0: m.triu(k),
    # joining and splitting
    np.concatenate: rules.concatenate, np.stack: rules.stack,
    **{getattr(np, each.__name__): rules.joined(each) for each in (
        joining.vstack, joining.hstack, joining.dstack, joining.column_stack)},
    np.split: rules.split, np.array_split: rules.array_split, np.meshgrid: rules.meshgrid,
    # shapes
    np.reshape: lambda a, shape: a.reshape(shape), np.broadcast_arrays: rules.broadcast_arrays,
    **{getattr(np, each.__name__): rules.at_least(each) for each in (
        shape.atleast_1d, shape.atleast_2d, shape.atleast_3d)},
    np.squeeze: rules.reshaped(np.squeeze), np.expand_dims: rules.reshaped(np.expand_dims),
    np.transpose: rules.transpose, np.swapaxes: lambda a, axis1, axis2: a.transpose(axis1, axis2),
    # turning, repeating and picking
    np.flip: rules.flip, np.roll: lambda a, shift, axis=None: a.roll(shift, axis),
    np.rot90: lambda m, k=1, axes=(0, 1): m.rot90(k, axes), np.tile: rules.tile,
    np.repeat: lambda a, repeats, axis=None: a.repeat_interleave(repeats, axis),
    np.take: rules.take, np.take_along_axis: rules.take_along_axis,
    # diagonals
    np.diagonal: lambda a, offset=0, axis1=0, axis2=1: a.diagonal(offset, axis1, axis2),
    np.diag: lambda v, k=0: v.diag(k), np.diagflat: lambda v, k=0: v.diagflat(k),
    # copies
    np.full_like: rules.full_like,
    **{each: rule for each, rule in CONSTANTS.items() if not isinstance(each, np.ufunc)},
    **{each: rules.converted(each) for each in CONVERSIONS},
    **{each: rules.asked(each) for each in QUESTIONS},
    # what operations name as theirs (see ops/registry.py)
    **{each: rule for each, rule in NUMPY.items() if not isinstance(each, np.ufunc)},
}  # fmt: skip

for _function, _rule in FUNCTIONS.items():
    _rule.__qualname__ = rules.name_of(_function)  # errors about arguments name the function

# ------------------------------------------------------------------------------- the two doors


def call_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Answer ``ufunc.method(*inputs, **keywords)``: what ``Tensor.__array_ufunc__`` does.

    Raises:
        TypeError: no rule for the function, its method or a keyword; GraphError: ``out=`` where
        a gradient would be lost.
    """
    rule = UFUNCS.get(ufunc) if method == "__call__" else METHODS.get((ufunc, method))
    if rule is not None and not keywords:
        return rule(*rules.tensors_of(*inputs))
    name = rules.name_of(ufunc) if method == "__call__" else f"{rules.name_of(ufunc)}.{method}"
    if rule is None:
        raise _no_rule(name)
    out = keywords.pop("out", (None,))[0]
    result = rule(*rules.tensors_of(*inputs), **_checked(name, rule, keywords))
    return result if out is None else _stored(name, result, out)


def call_function(
    function: Any, types: Any, args: tuple[Any, ...], keywords: dict[str, Any]
) -> Any:
    """Answer ``function(*args, **keywords)``: what ``Tensor.__array_function__`` does.

    Raises:
        TypeError: no rule for the function or a keyword.
    """
    if not all(issubclass(each, (Variable, np.ndarray)) for each in types):
        return NotImplemented  # the other library may know better
    rule = FUNCTIONS.get(function)
    if rule is None:
        raise _no_rule(rules.name_of(function))
    args, keywords = _by_name(function, rule, args, keywords)
    return rule(*args, **(keywords and _checked(rules.name_of(function), rule, keywords)))


def _by_name(
    function: Any, rule: Rule, args: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments with those that ``rule`` knows by NumPy's name as keywords.

    Their order is NumPy's: the second and third of ``np.sum`` are ``axis`` and ``dtype``.
    """
    names, known = _positions(function), _keywords_of(rule)
    if len(args) < 2 or known is None or len(names) < len(args):
        return args, keywords
    positional = [args[0]]
    named = {}
    for name, value in zip(names[1:], args[1:], strict=False):
        if name in known or name in _DEFAULTS:
            named[name] = value
        else:
            positional.append(value)
    return tuple(positional), {**named, **keywords}


@functools.cache
def _positions(function: Any) -> tuple[str, ...]:
    """Return the names of the arguments of NumPy's function in order; none where it hides them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return ()
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return ()
    return tuple(each.name for each in parameters)


def _no_rule(name: str) -> TypeError:
    return TypeError(
        f"{name} has no rule for Tensors, and the graph would be lost; write it with functions "
        f"that have one, or take the values: {name}(tensor.detach().numpy())"
    )


_DEFAULTS: dict[str, tuple[Any, ...]] = {  # keywords that say nothing may be given
    "casting": ("same_kind",), "dtype": (None,), "order": ("C", "K"), "out": (None,),
    "subok": (True,), "where": (True,),
}  # fmt: skip
_ADVICE = {
    "dtype": "convert with tensor.astype(dtype)",
    "out": "take the result instead: result = {name}(...)",
    "where": "choose afterwards: np.where(condition, result, other)",
}


@functools.cache
def _keywords_of(rule: Rule) -> frozenset[str] | None:
    """Return the names of the arguments of ``rule``, or None if it passes on any to NumPy."""
    parameters = inspect.signature(rule).parameters.values()
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return None
    names = {each.name for each in parameters if each.kind is not each.VAR_POSITIONAL}
    return frozenset(names | {theirs for theirs, ours in NUMPYS_NAMES.items() if ours in names})


def _checked(name: str, rule: Rule, keywords: dict[str, Any]) -> dict[str, Any]:
    """Return the keywords without those at their default; refuse those that ``rule`` lacks."""
    known = _keywords_of(rule)
    checked = {}
    for key, value in keywords.items():
        plain = value is None or isinstance(value, (bool, str))
        if plain and value in _DEFAULTS.get(key, ()):
            continue
        if key == "out" or (known is not None and key not in known):
            advice = _ADVICE.get(key, "leave it out").format(name=name)
            raise TypeError(f"{name}: {key}= is not supported for Tensors; {advice}")
        checked[key] = value
    return checked


def _stored(name: str, result: Any, out: Any) -> Any:
    """Write ``result`` into ``out``, an array or a Tensor, and return that."""
    if isinstance(out, Variable) and out.requires_grad:
        raise GraphError(
            f"{name}: out= is a tensor that requires grad, and its history would be lost; "
            f"take the result instead: result = {name}(...)"
        )
    if result.requires_grad or result._tangents:
        raise GraphError(
            f"{name}: out= would lose the history of the result, which requires grad; "
            f"take the result instead: result = {name}(...)"
        )
    if not isinstance(out, Variable):
        np.copyto(out, result.data)
        return out
    np.copyto(out.data, result.data)
    out.mark_changed()
    out._tangents = None
    return out
