"""The table of operations: one row or more for each ``Function``, and the tests cross every row.

A row says how a user calls the operation, what NumPy computes, what torch is called, from which
domain inputs are drawn, the exact gradients at kinks and ties, and which bad inputs raise what.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import mytorch
import mytorch.nn.functional as F
from mytorch.errors import DtypeError, ShapeError
from tests.op_table import (
    BINARY,
    MATRICES,
    UNARY,
    Kink,
    OpCase,
    Shapes,
    distinct,
    nonzero,
    positive,
    real,
    unit,
    with_axis,
)

TARGET = np.array([2, 0, 2])
PLACES = np.array([[0, 2], [1, 1]])  # with a duplicate, whose gradients add up
CONDITION = np.array([[True, False, True], [False, False, True]])


def lse(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> np.ndarray:
    """The textbook formula, fine for small inputs."""
    return np.log(np.exp(x).sum(axis=axis, keepdims=keepdims))


def const(value: Any) -> mytorch.Tensor:
    """A constant tensor."""
    return mytorch.tensor(value)


def one_hot(count: int, classes: int) -> np.ndarray:
    """Rows of the identity at TARGET."""
    return np.eye(classes)[TARGET[:count]]


def assigned(x: Any, value: Any) -> Any:
    """A copy of an array or of torch's tensor with its rows after the first overwritten."""
    result = x.copy() if isinstance(x, np.ndarray) else x.clone()
    result[1:] = value
    return result


def einsum(equation: str, *shapes: Shapes, errors: Any = ()) -> OpCase:
    """The row of one equation."""
    return OpCase(
        f"einsum {equation}",
        F.Einsum,
        lambda *operands: F.einsum(equation, *operands),
        lambda *operands: np.einsum(equation, *operands, optimize=True),
        lambda t, *operands: t.einsum(equation, *operands),
        shapes,
        errors=errors,
    )


BAD_BROADCAST = (((np.ones((2, 3)), np.ones((2, 2))), ShapeError, r"\(2, 3\) and \(2, 2\)"),)

CASES: list[OpCase] = [
    # ------------------------------------------------------------------------------ homework
    OpCase("add", F.Add, lambda a, b: a + b, np.add, lambda t, a, b: a + b, BINARY,
           errors=BAD_BROADCAST),
    OpCase("sub", F.Sub, lambda a, b: a - b, np.subtract, lambda t, a, b: a - b, BINARY,
           errors=BAD_BROADCAST),
    OpCase("mul", F.Mul, lambda a, b: a * b, np.multiply, lambda t, a, b: a * b, BINARY,
           errors=BAD_BROADCAST),
    OpCase("div", F.Div, lambda a, b: a / b, np.divide, lambda t, a, b: a / b, BINARY,
           (real, nonzero), errors=BAD_BROADCAST,
           kinks=(Kink((1.0, 0.0), (np.inf, -np.inf)),)),
    OpCase("transpose", F.Transpose, lambda a: a.T(), np.transpose,
           lambda t, a: a.permute(tuple(range(a.ndim))[::-1])),
    OpCase("transpose axes", F.Transpose, lambda a: a.transpose(0, -1),
           lambda x: x.swapaxes(0, -1), lambda t, a: a.transpose(0, -1),
           (((2, 3),), ((2, 3, 4),), ((0, 3),))),
    OpCase("permute", F.Transpose, lambda a: F.Transpose.apply(a, (2, 0, 1)),
           lambda x: x.transpose(2, 0, 1), lambda t, a: a.permute(2, 0, 1), (((2, 3, 4),),)),
    OpCase("reshape", F.Reshape, lambda a: a.reshape(-1, 1), lambda x: x.reshape(x.size, 1),
           lambda t, a: a.reshape(a.numel(), 1), UNARY[:-1]),
    OpCase("log", F.Log, lambda a: a.log(), np.log, lambda t, a: a.log(), domain=(positive,),
           kinks=(Kink((0.0,), (np.inf,)),)),
    OpCase("relu", F.ReLU, F.relu, lambda x: np.maximum(x, 0), lambda t, a: a.relu(),
           domain=(nonzero,),
           kinks=(Kink(([-1.0, -0.0, 0.0, 2.0],), ([0, 0, 0, 3],), [3.0] * 4),)),
    OpCase("matmul", F.MatMul, lambda a, b: a @ b, np.matmul, lambda t, a, b: a @ b, MATRICES,
           errors=(
               ((np.ones((100, 784)), np.ones((10, 784))), ShapeError, r"mean weight\.T\(\)\?"),
               ((np.ones((2, 3)), np.ones((2, 4))), ShapeError, "inner sizes 3 and 2 differ"),
               ((np.ones((2, 1, 3)), np.ones((4, 3, 1))), ShapeError, "batch shapes"),
               ((np.ones(()), np.ones(3)), ShapeError, "0-d"),
               ((np.ones(3), np.ones(3, np.float32)), TypeError, "float64 and float32"),
           )),
    OpCase("linear", F.Affine, F.linear, lambda x, w, b: x @ w.T + b,
           lambda t, x, w, b: t.nn.functional.linear(x, w, b),
           (((2, 3), (4, 3), (4,)), ((3,), (4, 3), (4,)), ((5, 2, 3), (4, 3), (4,)),
            ((0, 3), (4, 3), (4,)), ((2, 3), (1, 3), (1,))),
           errors=(
               ((np.ones((2, 3)), np.ones((4, 2)), np.ones(4)), ShapeError, r"\(2, 3\).*\(4, 2\)"),
               ((np.ones((2, 3)), np.ones((4, 3)), np.ones(3)), ShapeError, "needs \\(4,\\)"),
               ((np.ones((2, 3)), np.ones((4, 3), np.float32), np.ones(4)), TypeError, "weight"),
           )),
    OpCase("linear without bias", F.Affine, F.linear, lambda x, w: x @ w.T,
           lambda t, x, w: t.nn.functional.linear(x, w), (((2, 3), (4, 3)), ((3,), (4, 3)))),
    OpCase("dropout", F.Dropout, lambda a: F.Dropout.apply(a, 0.5, False), lambda x: x,
           lambda t, a: t.nn.functional.dropout(a, 0.5, False)),
    # ------------------------------------------------------------------------------ pointwise
    OpCase("neg", F.Neg, lambda a: -a, np.negative, lambda t, a: -a),
    OpCase("pow", F.Pow, lambda a, b: a**b, np.power, lambda t, a, b: a**b, BINARY,
           (positive, real),
           kinks=(
               Kink((0.0, 2.0), (0, 0)),
               Kink((0.0, 0.0), (0, 0)),
               Kink(([2.0, -2.0], 2.0), ([4, -4], np.nan), [1.0, 1.0]),
           )),
    OpCase("pow 2", F.Pow, lambda a: a**2, np.square, lambda t, a: a**2,
           kinks=(Kink((0.0,), (0,)), Kink((-3.0,), (-6,)))),
    OpCase("pow 0", F.Pow, lambda a: a**0, np.ones_like, lambda t, a: a**0,
           kinks=(Kink((0.0,), (0,)),)),
    OpCase("pow 1", F.Pow, lambda a: a**1, np.copy, lambda t, a: a**1, kinks=(Kink((0.0,), (1,)),)),
    OpCase("2 pow", F.Pow, lambda a: 2**a, np.exp2, lambda t, a: 2**a),
    OpCase("exp", F.Exp, lambda a: a.exp(), np.exp, lambda t, a: a.exp()),
    OpCase("sigmoid", F.Sigmoid, F.sigmoid, lambda x: 1 / (1 + np.exp(-x)),
           lambda t, a: a.sigmoid(),
           kinks=(Kink(([-800.0, 0.0, 800.0],), ([0, 0.25, 0],), [1.0] * 3),)),
    OpCase("tanh", F.Tanh, F.tanh, np.tanh, lambda t, a: a.tanh()),
    OpCase("where", F.Where, lambda a, b: mytorch.where(CONDITION, a, b),
           lambda x, y: np.where(CONDITION, x, y),
           lambda t, a, b: t.where(t.tensor(CONDITION), a, b),
           (((2, 3), (2, 3)), ((), (2, 3)), ((3,), (2, 1)))),
    OpCase("cast", F.Cast, lambda a: a.double() * 1.0, lambda x: x.astype(np.float64),
           lambda t, a: a.double() * 1.0, dtypes=(np.float64,)),
    OpCase("clone", F.Clone, lambda a: a.clone(), np.copy, lambda t, a: a.clone()),
    OpCase("masked", F.Masked, lambda a: F.Masked.apply(a, CONDITION),
           lambda x: np.where(CONDITION, x, 0), lambda t, a: t.where(t.tensor(CONDITION), a, 0),
           (((2, 3),), ((3,),), ((2, 1),), ((),))),
    OpCase("abs", F.Abs, F.Abs.apply, np.abs, lambda t, a: a.abs(), domain=(nonzero,),
           kinks=(Kink(([-2.0, -0.0, 0.0, np.nan],), ([-3, 0, 0, 0],), [3.0] * 4),)),
    OpCase("sqrt", F.Sqrt, F.Sqrt.apply, np.sqrt, lambda t, a: a.sqrt(), domain=(positive,),
           kinks=(Kink(([0.0, -1.0],), ([np.inf, np.nan],), [1.0, 1.0]),)),
    OpCase("sin", F.Sin, F.Sin.apply, np.sin, lambda t, a: a.sin(),
           kinks=(Kink((np.inf,), (np.nan,)),)),
    OpCase("cos", F.Cos, F.Cos.apply, np.cos, lambda t, a: a.cos(),
           kinks=(Kink((np.inf,), (np.nan,)),)),
    OpCase("maximum", F.Maximum, F.Maximum.apply, np.maximum, lambda t, a, b: t.maximum(a, b),
           BINARY, errors=BAD_BROADCAST,
           kinks=(
               Kink(([2.0, 1, 0], [2.0, 0, 1]), ([2, 4, 0], [2, 0, 4]), [4.0] * 3),
               Kink(([np.nan, 1, np.nan], [1, np.nan, np.nan]), (3, 3), [3.0] * 3),
               Kink(([2.0, 0.0], 2.0), ([2, 0], 6), [4.0, 4.0]),
           )),
    OpCase("minimum", F.Minimum, F.Minimum.apply, np.minimum, lambda t, a, b: t.minimum(a, b),
           BINARY, errors=BAD_BROADCAST,
           kinks=(
               Kink(([2.0, 1, 0], [2.0, 0, 1]), ([2, 0, 4], [2, 4, 0]), [4.0] * 3),
               Kink(([np.nan, 1, np.nan], [1, np.nan, np.nan]), (3, 3), [3.0] * 3),
           )),
    OpCase("clamp", F.Clamp, lambda a: F.Clamp.apply(a, -0.5, 0.5), lambda x: x.clip(-0.5, 0.5),
           lambda t, a: a.clamp(-0.5, 0.5),
           kinks=(Kink(([-1.0, -0.5, 0.5, 2, np.nan],), ([0, 3, 3, 0, 0],), [3.0] * 5),)),
    OpCase("clamp min", F.Clamp, lambda a, low=0: F.Clamp.apply(a, low), lambda x: x.clip(0),
           lambda t, a: a.clamp(0), kinks=(Kink(([0.0, np.nan],), ([1, 0],), [1.0, 1.0]),),
           errors=(((np.ones(3), [0]), TypeError, "not list"),)),
    OpCase("clamp max", F.Clamp, lambda a, b: F.Clamp.apply(a, None, b), np.minimum,
           lambda t, a, b: a.clamp(max=b), (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3))),
           errors=BAD_BROADCAST),
    OpCase("clamp tensors", F.Clamp, F.Clamp.apply, lambda x, low, high: np.clip(x, low, high),
           lambda t, a, low, high: a.clamp(low, high),
           (((2, 3), (2, 3), (2, 3)), ((2, 3), (3,), ()), ((0, 3), (1, 3), ())),
           (real, real, positive),
           kinks=(
               Kink(([-1.0, 1, -2, 0, 5], [-1.0, -1, -1, 1, 3], [1.0, 1, -1, -1, 3]),
                    ([1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 1]), [1.0] * 5),
               Kink((0.0, np.nan, 1.0), (0, 0, 0)),
           )),
    # ------------------------------------------------------------------------------ elementary
    OpCase("log1p", F.Log1p, F.Log1p.apply, np.log1p, lambda t, a: a.log1p(), domain=(positive,),
           kinks=(Kink(([-1.0, 1e-20],), ([np.inf, 1],), [1.0, 1.0]),)),
    OpCase("log2", F.Log2, F.Log2.apply, np.log2, lambda t, a: a.log2(), domain=(positive,),
           kinks=(Kink((0.0,), (np.inf,)),)),
    OpCase("log10", F.Log10, F.Log10.apply, np.log10, lambda t, a: a.log10(), domain=(positive,),
           kinks=(Kink((0.0,), (np.inf,)),)),
    OpCase("expm1", F.Expm1, F.Expm1.apply, np.expm1, lambda t, a: a.expm1(),
           kinks=(Kink(([1e-20, 1e4],), ([1, np.inf],), [1.0, 1.0]),)),
    OpCase("tan", F.Tan, F.Tan.apply, np.tan, lambda t, a: a.tan(), domain=(unit,)),
    OpCase("asin", F.Asin, F.Asin.apply, np.arcsin, lambda t, a: a.asin(), domain=(unit,),
           kinks=(Kink(([1.0, -1, 2],), ([np.inf, np.inf, np.nan],), [1.0] * 3),)),
    OpCase("acos", F.Acos, F.Acos.apply, np.arccos, lambda t, a: a.acos(), domain=(unit,),
           kinks=(Kink(([1.0, -1, 2],), ([-np.inf, -np.inf, np.nan],), [1.0] * 3),)),
    OpCase("atan", F.Atan, F.Atan.apply, np.arctan, lambda t, a: a.atan(),
           kinks=(Kink((np.inf,), (0,)),)),
    OpCase("sinh", F.Sinh, F.Sinh.apply, np.sinh, lambda t, a: a.sinh()),
    OpCase("cosh", F.Cosh, F.Cosh.apply, np.cosh, lambda t, a: a.cosh()),
    OpCase("logaddexp", F.LogAddExp, F.LogAddExp.apply, np.logaddexp,
           lambda t, a, b: t.logaddexp(a, b), BINARY, errors=BAD_BROADCAST,
           kinks=(Kink(([1e4, -np.inf], [0.0, 0.0]), ([1, 0], [0, 1]), [1.0, 1.0]),)),
    # ------------------------------------------------------------------------------ reductions
    OpCase("sum", F.Sum, lambda a: a.sum(), np.sum, lambda t, a: a.sum(),
           errors=(((np.ones(3), 1), IndexError, r"\[-1, 0\], got 1"),)),
    OpCase("sum axis", F.Sum, lambda a, *r: a.sum(-1), lambda x: x.sum(-1),
           lambda t, a: a.sum(-1), with_axis()),
    OpCase("sum axes", F.Sum, lambda a: a.sum((0, 2), keepdims=True),
           lambda x: x.sum((0, 2), keepdims=True), lambda t, a: a.sum((0, 2), keepdim=True),
           (((2, 3, 4),), ((2, 0, 4),), ((1, 3, 1),))),
    OpCase("mean", F.Mean, lambda a: a.mean(), np.mean, lambda t, a: a.mean(), UNARY[:-1],
           errors=(((np.arange(3),), DtypeError, "mean: expects a floating"),)),
    OpCase("mean axis", F.Mean, lambda a: a.mean(dim=0, keepdim=True),
           lambda x: x.mean(0, keepdims=True), lambda t, a: a.mean(0, keepdim=True),
           with_axis(UNARY[:-1])),
    OpCase("max", F.Max, lambda a: a.max(), np.max, lambda t, a: a.max(), UNARY[:-1], (distinct,),
           kinks=(
               Kink(([1.0, 3.0, 3.0, 3.0],), ([0, 1, 1, 1],), 3.0),
               Kink(([1.0, np.nan, 2.0],), ([0, 1, 0],)),
           ),
           errors=(((np.ones((0, 3)),), IndexError, "nothing to choose from"),)),
    OpCase("amax", F.Max, lambda a: F.Max.apply(a, 1, True), lambda x: x.max(1, keepdims=True),
           lambda t, a: a.amax(1, keepdim=True), (((2, 3),), ((4, 3, 2),)), (distinct,),
           kinks=(Kink(([[1.0, 1.0], [2.0, 0.0]],), ([[2, 2], [3, 0]],), [[4.0], [3.0]]),)),
    OpCase("max dim", F.Gather, lambda a: a.max(-1)[0], lambda x: x.max(-1),
           lambda t, a: a.max(-1)[0], (((3,),), ((2, 3),), ((2, 1),)), (distinct,),
           kinks=(Kink(([1.0, 3.0, 3.0],), ([0, 5, 0],), 5.0),)),
    OpCase("logsumexp", F.LogSumExp, lambda a: F.logsumexp(a, -1), lambda x: lse(x, -1),
           lambda t, a: a.logsumexp(-1), with_axis(),
           kinks=(
               Kink(([1e4, -1e4],), ([1, 0],)),
               Kink(([-np.inf, 0.0],), ([0, 1],)),
           )),
    OpCase("logsumexp all", F.LogSumExp, lambda a: a.logsumexp(keepdims=True),
           lambda x: lse(x, keepdims=True),
           lambda t, a: a.logsumexp(tuple(range(a.ndim)), keepdim=True), UNARY[:-1]),
    # ------------------------------------------------------------------------------ softmax
    OpCase("softmax", F.Softmax, F.softmax, lambda x: np.exp(x - lse(x, -1, True)),
           lambda t, a: a.softmax(-1), with_axis(),
           kinks=(Kink(([1e4, 1e4],), ([0.25, -0.25],), [1.0, 0.0]),)),
    OpCase("softmax dim 0", F.Softmax, lambda a: F.softmax(a, 0),
           lambda x: np.exp(x - lse(x, 0, True)), lambda t, a: a.softmax(0),
           (((2, 3),), ((4, 3, 2),))),
    OpCase("log_softmax", F.LogSoftmax, F.log_softmax, lambda x: x - lse(x, -1, True),
           lambda t, a: a.log_softmax(-1), with_axis()),
    OpCase("nll_loss", F.NLL, lambda a: F.nll_loss(a, const(TARGET)),
           lambda x: -x[np.arange(3), TARGET].mean(),
           lambda t, a: t.nn.functional.nll_loss(a, t.tensor(TARGET)), (((3, 4),), ((3, 3),))),
    OpCase("cross_entropy", F.CrossEntropy, lambda a: F.cross_entropy(a, const(TARGET)),
           lambda x: (lse(x, 1) - x[np.arange(3), TARGET]).mean(),
           lambda t, a: t.nn.functional.cross_entropy(a, t.tensor(TARGET)),
           (((3, 4),), ((3, 3),))),
    OpCase("mse_loss", F.Mul, F.mse_loss, lambda x, y: np.mean((x - y) ** 2),
           lambda t, a, b: t.nn.functional.mse_loss(a, b), (((3,), (3,)), ((2, 3), (2, 3))),
           errors=(((np.ones((3, 1)), np.ones(3)), ShapeError, "unsqueeze"),)),
    # ------------------------------------------------------------------------------ products
    einsum("ij,jk->ik", ((2, 3), (3, 4)), ((0, 3), (3, 2)), ((2, 0), (0, 3)),
           errors=(
               ((np.ones((2, 3)), np.ones((4, 5))), ShapeError, r"'j' differ in .* and \(4, 5\)"),
               ((np.ones((2, 3)), np.ones(3)), ShapeError, "'jk' does not fit operand 1"),
               ((np.ones((2, 3)),), ValueError, r"2 term\(s\) for 1"),
               ((np.ones((2, 3)), np.ones((3, 4), np.float32)), TypeError, "float64 and float32"),
           )),
    einsum("jb,bA", ((2, 3), (3, 4))),  # no "->": the result is Aj
    einsum("i,i", ((3,), (3,)), ((3,), (1,)), ((1,), (3,))),
    einsum("i,j->ij", ((3,), (4,))),
    einsum("ij->ji", ((2, 3),)),
    einsum("ij->", ((2, 3),), ((0, 3),)),
    einsum(",ij->j", ((), (2, 3))),
    einsum("ij,k->i", ((2, 3), (4,))),
    einsum("i,ij,kj->k", ((2,), (2, 3), (4, 3)), ((2,), (1, 3), (4, 1))),
    einsum("ii", ((3, 3),), errors=(((np.ones((1, 3)),), ShapeError, "'i' differ"),)),
    einsum("ii->i", ((3, 3),), ((1, 1),)),
    einsum("iijk,kj->ji", ((3, 3, 2, 4), (4, 2))),
    einsum("iji,i->j", ((3, 2, 3), (3,)), ((1, 2, 1), (3,))),
    einsum("iii->i", ((3, 3, 3),)),
    einsum("...ij,...jk->...ik", ((5, 2, 3), (3, 4)), ((5, 1, 2, 3), (4, 3, 2))),
    einsum("i...,i...", ((3, 2), (3,)), ((3, 2), (3, 1)), ((3,), (3,))),
    einsum("...i->i", ((2, 3),), ((4, 2, 3),)),
    einsum("i->j", errors=(((np.ones(3),), ValueError, "'j' must stand once in the result"),)),
    einsum("i->ii", errors=(((np.ones(3),), ValueError, "'i' must stand once in the result"),)),
    einsum("i+j", errors=(((np.ones((3, 3)),), ValueError, r"got 'i\+j'"),)),
    OpCase("einsum of one tensor twice", F.Einsum, lambda a: F.einsum("ij,kj->ik", a, a),
           lambda x: x @ x.T, lambda t, a: t.einsum("ij,kj->ik", a, a), (((2, 3),), ((0, 3),))),
    # ------------------------------------------------------------------------------ shape
    OpCase("alias", F.Alias, F.Alias.apply, np.copy, lambda t, a: a.view_as(a)),
    OpCase("unsqueeze", F.Unsqueeze, lambda a: a.unsqueeze(-1), lambda x: x[..., None],
           lambda t, a: a.unsqueeze(-1),
           errors=(((np.ones(3), 5), IndexError, "got 5"),)),
    OpCase("squeeze", F.Squeeze, lambda a: a.squeeze(), np.squeeze, lambda t, a: a.squeeze()),
    OpCase("squeeze dim", F.Squeeze, lambda a: a.squeeze(0),
           lambda x: x.squeeze(0) if x.shape[0] == 1 else x, lambda t, a: a.squeeze(0),
           with_axis()),
    OpCase("expand", F.Expand, lambda a: a.expand(4, 2, 3),
           lambda x: np.broadcast_to(x, (4, 2, 3)), lambda t, a: a.expand(4, 2, 3),
           (((2, 3),), ((1, 3),), ((2, 1),), ((),)),
           errors=(((np.ones(2),), ShapeError, r"\(2,\) does not broadcast to \(4, 2, 3\)"),)),
    OpCase("cat", F.Cat, lambda a, b: mytorch.cat([a, b, a], 1),
           lambda x, y: np.concatenate([x, y, x], 1), lambda t, a, b: t.cat([a, b, a], 1),
           (((2, 3), (2, 1)), ((2, 0), (2, 3)), ((2, 3, 4), (2, 5, 4))),
           errors=(
               ((np.ones((2, 3)), np.ones((3, 3))), ShapeError, r"tensor 1 \(3, 3\)"),
               ((np.ones(()), np.ones(())), ShapeError, "0-d"),
           )),
    # ------------------------------------------------------------------------------ indexing
    OpCase("slice", F.Slice, lambda a: a[1:, ::2], lambda x: x[1:, ::2],
           lambda t, a: a[1:, ::2], (((2, 3),), ((4, 5, 2),), ((0, 3),))),
    OpCase("slice int", F.Slice, lambda a: a[0, ..., None], lambda x: x[0, ..., None],
           lambda t, a: a[0, ..., None], (((2, 3),), ((4, 5, 2),), ((1, 1),)),
           errors=(((np.ones((0, 3)),), IndexError, "out of bounds"),)),
    OpCase("slice duplicates", F.Slice, lambda a: a[const([0, 1, 0])], lambda x: x[[0, 1, 0]],
           lambda t, a: a[[0, 1, 0]], (((2, 3),), ((2,),))),
    OpCase("slice mask", F.Slice, lambda a: a[const(CONDITION)], lambda x: x[CONDITION],
           lambda t, a: a[t.tensor(CONDITION)], (((2, 3),), ((2, 3, 2),))),
    OpCase("assign", F.Assign, lambda a, v: F.Assign.apply(a, v, (slice(1, None),)), assigned,
           lambda t, a, v: assigned(a, v),
           (((2, 3), (3,)), ((3, 2), (1, 2)), ((3, 2), ()), ((0, 3), (1, 3))),
           errors=(((np.ones((2, 3)), np.ones(2)), ShapeError, r"\(2,\) does not fit"),)),
    OpCase("unslice", F.Unslice, lambda a: F.Unslice.apply(a, (slice(1, 3),), (4, 3)),
           lambda x: np.concatenate([np.zeros((1, 3)), x, np.zeros((1, 3))]), None, (((2, 3),),)),
    OpCase("gather", F.Gather, lambda a: F.Gather.apply(a, PLACES, 1),
           lambda x: np.take_along_axis(x, PLACES, 1),
           lambda t, a: a.take_along_dim(t.tensor(PLACES), 1), (((2, 3),),)),
    OpCase("scatter", F.Scatter, lambda a: F.Scatter.apply(a, PLACES, 1, (2, 3)),
           lambda x: np.stack([[x[0, 0], 0, x[0, 1]], [0, x[1].sum(), 0]]),
           lambda t, a: t.zeros(2, 3, dtype=a.dtype).scatter_add(1, t.tensor(PLACES), a),
           (((2, 2),),)),
]  # fmt: skip
