"""Dropout: of elements and of whole channels, in training; the identity in evaluation."""

from __future__ import annotations

import mytorch.nn.functional as F
from mytorch.nn.function_module import FunctionModule
from mytorch.tensor import Tensor

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
]


class Dropout(FunctionModule, function=F.dropout):
    """Training: zero each element with probability ``p``, scale the others by 1/(1-p).

    Evaluation: the identity. The mask is ``np.random.binomial(1, 1-p, shape)`` of NumPy's global
    generator; ``inplace`` overwrites the input.

    Raises:
        ValueError: p outside [0, 1].
    Source: torch.nn.Dropout; Srivastava et al. 2014, JMLR 15.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False):
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: p must be in [0, 1], got {p}")
        super().__init__(p=p, inplace=inplace)

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with elements dropped, of its shape."""
        return self.function(input, self.p, self.is_train, self.inplace)

    def extra_repr(self) -> str:
        """Return the probability, and whether it is in place."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout, function=F.dropout1d):
    """Zero whole channels of (N, C, L) or (C, L); arguments as of Dropout."""


class Dropout2d(Dropout, function=F.dropout2d):
    """Zero whole channels of (N, C, H, W); arguments as of Dropout.

    Neighbouring pixels are much alike: dropping them one by one would take little away.
    Source: torch.nn.Dropout2d; Tompson et al. 2014, arXiv:1411.4280.
    """


class Dropout3d(Dropout, function=F.dropout3d):
    """Zero whole channels of (N, C, D, H, W) or (C, D, H, W); arguments as of Dropout."""


class AlphaDropout(Dropout, function=F.alpha_dropout):
    """Drop elements to selu's lower limit and rescale: keeps mean 0 and variance 1, for SELU.

    Source: torch.nn.AlphaDropout; Klambauer et al. 2017, arXiv:1706.02515.
    """


class FeatureAlphaDropout(Dropout, function=F.feature_alpha_dropout):
    """As AlphaDropout, whole channels of (N, C, …)."""
