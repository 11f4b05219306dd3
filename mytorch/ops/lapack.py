"""What operations on matrices need: checked arguments, and LAPACK with errors that teach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.errors import DtypeError, LinAlgError, ShapeError
from mytorch.ops.common import check_tensors, float_data, values

__all__ = [
    "NO_CONVERGENCE",
    "call",
    "check_same_dtype",
    "is_singular",
    "matrix_data",
    "refused",
    "tolerance",
]

NO_CONVERGENCE = "the algorithm did not converge; is there a nan or an infinity in the matrix?"


def matrix_data(name: str, A: Any, square: bool = False) -> np.ndarray:
    """Return the array of a tensor of matrices, (…, m, n), in float32 or float64.

    Raises:
        DtypeError: another dtype; ShapeError: less than two axes, or, if wanted, not square.
    """
    data = float_data(name, A)
    if data.dtype not in (np.float32, np.float64):
        raise DtypeError(f"{name}: not for {data.dtype}, only float32 and float64; use .float()")
    if data.ndim < 2:
        raise ShapeError(f"{name}: expects a matrix (…, m, n), got shape {data.shape}")
    if square and data.shape[-1] != data.shape[-2]:
        raise ShapeError(
            f"{name}: expects square matrices, got {data.shape}: {data.shape[-2]} by "
            f"{data.shape[-1]}; linalg.pinv, lstsq and svd take any"
        )
    return data


def check_same_dtype(name: str, a: Any, b: Any) -> None:
    """Raise DtypeError if the dtypes of two tensors differ: nothing is promoted, as in torch."""
    check_tensors(name, a, b)
    if a.data.dtype != b.data.dtype:
        raise DtypeError(
            f"{name}: expected one dtype, got {a.data.dtype} and {b.data.dtype}; convert with "
            "tensor.astype(dtype)"
        )


def call(
    name: str, reason: str | Callable[..., str], function: Callable[..., Any], *arrays: Any
) -> Any:
    """Return ``function(*arrays)``, of NumPy's linalg, without warnings.

    Raises:
        LinAlgError: NumPy refuses it; says which matrix of the batch it is, and the ``reason``,
        which may be a function of that matrix.
    """
    try:
        with np.errstate(all="ignore"):
            return function(*arrays)
    except np.linalg.LinAlgError:
        raise refused(name, reason, _first_refused(function, arrays[0]), arrays[0]) from None


def refused(name: str, reason: str | Callable[..., str], index: Any, x: np.ndarray) -> LinAlgError:
    """Return the error that says why the matrix at ``index`` of a batch is refused."""
    words = reason if isinstance(reason, str) else reason(x[index])
    batch = f"matrix {index[0] if len(index) == 1 else index} of the batch: " if index else ""
    return LinAlgError(f"{name}: {batch}{words}")


def _first_refused(function: Callable[..., Any], x: np.ndarray) -> tuple[int, ...]:
    """Return the index of the first matrix of a batch that ``function`` refuses."""
    alone = np.linalg.inv if function is np.linalg.solve else function
    for index in np.ndindex(x.shape[:-2]):
        try:
            with np.errstate(all="ignore"):
                alone(x[index])
        except np.linalg.LinAlgError:
            return index
    return ()


def finite_svd(
    x: np.ndarray, full: bool = False, vectors: bool = True, symmetric: bool = False
) -> Any:
    """Return what ``np.linalg.svd`` does, and refuse nan and infinity, as torch."""
    if not np.isfinite(x).all():
        raise np.linalg.LinAlgError
    options: Any = {"full_matrices": full, "compute_uv": vectors, "hermitian": symmetric}
    return np.linalg.svd(x, **options)


def is_singular(x: np.ndarray) -> np.ndarray:
    """Return for each matrix whether elimination meets a pivot that is exactly 0."""
    with np.errstate(all="ignore"):
        return np.asarray(np.linalg.slogdet(x)[0] == 0)


def tolerance(x: np.ndarray, sizes: np.ndarray, atol: Any, rtol: Any) -> np.ndarray:
    """Return the size up to which singular values of x, of the given ``sizes``, count as 0.

    It is the larger of atol (default 0) and rtol times the largest, by default max(m, n) times the
    epsilon of the dtype, but 0 where atol is given, as in torch.
    """
    if rtol is None:
        rtol = np.finfo(x.dtype).eps * max(x.shape[-2:])
        rtol = rtol if atol is None else np.where(np.greater(values(atol), 0), 0, rtol)
    largest = sizes.max(-1, initial=0)
    return np.maximum(values(atol) if atol is not None else 0, values(rtol) * largest)
