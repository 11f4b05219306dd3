"""Linear and bilinear maps of features (torch.nn.functional)."""

from __future__ import annotations

from typing import Any

from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.common import check_tensors, refuse_booleans
from mytorch.ops.einsum import einsum
from mytorch.ops.linalg import Affine, check_one_dtype
from mytorch.ops.registry import operation


@operation("functional")
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """Return x Wᵀ + b (torch.nn.functional.linear).

    Args:
        input (Tensor): (…, in_features).
        weight (Tensor): (out_features, in_features).
        bias (Tensor | None): (out_features,).
    Returns:
        Tensor: (…, out_features).
    Raises:
        ShapeError: sizes that do not fit; DtypeError: mixed dtypes.
    """
    check_tensors("linear", input, weight)
    x, w = input.data, weight.data
    b: Any = None if bias is None else bias.data
    if w.ndim != 2 or not x.ndim or x.shape[-1] != w.shape[1]:
        raise ShapeError(
            f"linear: input {x.shape} and weight {w.shape} do not fit: "
            "expected (…, in_features) and (out_features, in_features)"
        )
    if b is not None and b.shape != w.shape[:1]:
        raise ShapeError(f"linear: bias has shape {b.shape}, weight {w.shape} needs {w.shape[:1]}")
    if w.dtype != x.dtype or (b is not None and b.dtype != x.dtype):
        name, other = ("weight", w) if w.dtype != x.dtype else ("bias", b)
        raise DtypeError(
            f"linear: input is {x.dtype} but {name} is {other.dtype}; "
            "convert one, as with x.astype(dtype) or model.to(dtype)"
        )
    refuse_booleans("linear", input)
    return Affine.apply(input, weight, bias)


@operation(space=("mytorch", "functional"), method=False)
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """Return y_o = sum_ij x1_i W_oij x2_j + b_o (torch.nn.functional.bilinear).

    Args:
        input1 (Tensor): (…, in1); input2 (Tensor): (…, in2), with the same leading axes.
        weight (Tensor): (out, in1, in2); bias (Tensor | None): (out,).
    Returns:
        Tensor: (…, out).
    Raises:
        ShapeError: sizes that do not fit; DtypeError: mixed dtypes, or booleans.
    """
    check_tensors("bilinear", input1, input2, weight)
    first, second, w = input1.data.shape, input2.data.shape, weight.data.shape
    fits = len(w) == 3 and first and second and (first[-1], second[-1]) == w[1:]
    if not fits or first[:-1] != second[:-1]:
        raise ShapeError(
            f"bilinear: inputs {first} and {second} and weight {w} do not fit: expected "
            "(…, in1), (…, in2) and (out, in1, in2)"
        )
    if bias is not None and bias.data.shape != w[:1]:
        raise ShapeError(f"bilinear: bias has shape {bias.data.shape}, weight {w} needs {w[:1]}")
    check_one_dtype("bilinear", input1, input2, weight, *([] if bias is None else [bias]))
    result = einsum("...i,oij,...j->...o", input1, weight, input2)
    return result if bias is None else result + bias
