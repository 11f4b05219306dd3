"""The errors that MyTorch raises, each also of the class that PyTorch or NumPy would raise.

Wrong Python types are plain ``TypeError``, and what is no index is a plain ``IndexError``.
"""

__all__ = ["BoundsError", "DtypeError", "EmptyError", "GraphError", "ShapeError"]


class ShapeError(RuntimeError, ValueError):
    """Shapes do not fit: a ``RuntimeError`` as in torch and a ``ValueError`` as in NumPy."""


class DtypeError(RuntimeError, TypeError):
    """Not for this dtype: a ``RuntimeError`` as in torch and a ``TypeError`` as in NumPy."""


class EmptyError(RuntimeError, IndexError, ValueError):
    """Nothing to choose from: what torch (either of the first two) and NumPy (the last) raise."""


class BoundsError(RuntimeError, IndexError):
    """A place outside its axis: an ``IndexError``, and a ``RuntimeError`` as in torch's gather."""


class GraphError(RuntimeError):
    """The graph cannot be differentiated: no graph, a freed one, or a saved tensor was changed."""
