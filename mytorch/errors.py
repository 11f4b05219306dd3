"""The errors that MyTorch raises, each also of the class that PyTorch or NumPy would raise.

Wrong Python types are plain ``TypeError``, and what is no index is a plain ``IndexError``.
"""

import numpy as np

__all__ = [
    "ArgumentError",
    "AssertedError",
    "BoundsError",
    "DivisionError",
    "DtypeError",
    "EmptyError",
    "GraphError",
    "LinAlgError",
    "MixedDtypeError",
    "ShapeError",
]


class ArgumentError(RuntimeError, ValueError):
    """A number outside of what an argument may be: a ``RuntimeError`` as in torch, a ``ValueError``
    as in NumPy."""


class ShapeError(RuntimeError, ValueError):
    """Shapes do not fit: a ``RuntimeError`` as in torch and a ``ValueError`` as in NumPy."""


class AssertedError(ShapeError, AssertionError):
    """Arguments that do not fit each other, where torch asserts that they do."""


class DtypeError(NotImplementedError, TypeError):
    """Not for this dtype: a ``RuntimeError`` (often a ``NotImplementedError``, which is one) as in
    torch, and a ``TypeError`` as in NumPy."""


class MixedDtypeError(DtypeError, ValueError):
    """Dtypes that should be one: also a ``ValueError``, which torch's recurrent layers raise."""


class EmptyError(RuntimeError, IndexError, ValueError):
    """Nothing to choose from: what torch (either of the first two) and NumPy (the last) raise."""


class DivisionError(RuntimeError, ZeroDivisionError):
    """Integers divided by zero: a ``RuntimeError`` as in torch, Python's ``ZeroDivisionError``."""


class BoundsError(RuntimeError, IndexError):
    """A place outside its axis: an ``IndexError``, and a ``RuntimeError`` as in torch's gather."""


class GraphError(RuntimeError):
    """The graph cannot be differentiated: no graph, a freed one, or a saved tensor was changed."""


class LinAlgError(RuntimeError, np.linalg.LinAlgError):
    """The numbers of a matrix do not allow it, as the inverse of a singular one: both libraries'.

    A ``RuntimeError`` as torch's of that name, and NumPy's, which is a ``ValueError``.
    """
