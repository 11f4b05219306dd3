"""The errors that MyTorch raises, each also of the class that PyTorch or NumPy would raise.

Index errors are plain ``IndexError`` and wrong Python types plain ``TypeError``.
"""

import numpy as np

__all__ = ["DtypeError", "EmptyError", "GraphError", "LinAlgError", "ShapeError"]


class ShapeError(RuntimeError, ValueError):
    """Shapes do not fit: a ``RuntimeError`` as in torch and a ``ValueError`` as in NumPy."""


class DtypeError(RuntimeError, TypeError):
    """Not for this dtype: a ``RuntimeError`` as in torch and a ``TypeError`` as in NumPy."""


class EmptyError(RuntimeError, IndexError, ValueError):
    """Nothing to choose from: what torch (either of the first two) and NumPy (the last) raise."""


class GraphError(RuntimeError):
    """The graph cannot be differentiated: no graph, a freed one, or a saved tensor was changed."""


class LinAlgError(RuntimeError, np.linalg.LinAlgError):
    """The numbers of a matrix do not allow it, as the inverse of a singular one: both libraries'.

    A ``RuntimeError`` as torch's of that name, and NumPy's, which is a ``ValueError``.
    """
