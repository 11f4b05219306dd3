"""Tables of vectors that are looked up by integers."""

from __future__ import annotations

from typing import Any

import numpy as np

import mytorch.nn.functional as F
from mytorch.errors import AssertedError
from mytorch.nn.init import normal_
from mytorch.nn.module import Module, Parameter
from mytorch.nn.parameter import check_sizes, parameter_dtype
from mytorch.ops.common import check_tensors
from mytorch.tensor import Tensor

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    """What both have: V rows of D numbers, of which one may be padding."""

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    weight: Tensor

    def _make(self, weight: Any, freeze: bool, device: Any, dtype: Any) -> None:
        """Set the table: drawn, or a copy of ``weight``."""
        name, shape = type(self).__name__, (self.num_embeddings, self.embedding_dim)
        check_sizes(name, num_embeddings=shape[0], embedding_dim=shape[1])
        if self.padding_idx is not None:
            if not -shape[0] <= self.padding_idx < shape[0]:
                raise AssertedError(f"{name}: padding_idx {self.padding_idx} is no row of {shape}")
            self.padding_idx %= shape[0]
        if weight is None:
            self.weight = Parameter(np.empty(shape, parameter_dtype(name, dtype, device)))
            self.reset_parameters()
        elif tuple(weight.shape) != shape:
            raise AssertedError(f"{name}: _weight has shape {tuple(weight.shape)}, not {shape}")
        else:
            self.weight = Parameter(weight)
        self.weight.requires_grad = not freeze

    def reset_parameters(self) -> None:
        """Draw the table again from N(0, 1); the row of padding is 0."""
        normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    @classmethod
    def _sizes(cls, embeddings: Any) -> tuple[int, int]:
        """Return V and D of a table that is given."""
        check_tensors(cls.__name__, embeddings)
        if embeddings.ndim != 2:
            raise AssertedError(
                f"{cls.__name__}: expects embeddings (V, D), got {embeddings.shape}"
            )
        return embeddings.shape

    def _shown(self, **defaults: Any) -> str:
        """Return the sizes, and the settings that are not the default."""
        named = [
            f"{name}={getattr(self, name)!r}"
            for name, default in defaults.items()
            if getattr(self, name) != default
        ]
        return ", ".join([str(self.num_embeddings), str(self.embedding_dim), *named])


class Embedding(_Table):
    """y = weight[input]: a row of D numbers for each index.

    Args:
        num_embeddings, embedding_dim: V, how many rows, and D.
        padding_idx: the row that is 0 and gets no gradient.
        max_norm: rows that are looked up are first scaled to a norm of at most this, in place;
        norm_type: p of that norm.
        scale_grad_by_freq: divide a row's gradient by how often it is looked up.
        sparse: has no effect; gradients are dense.
        device: the CPU; dtype: of the rows, by default the default dtype.
    Attributes:
        weight (Tensor): (V, D), drawn from N(0, 1).
    Raises:
        ValueError: padding_idx is no row.
    Source: torch.nn.Embedding.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Any = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self._make(_weight, _freeze, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Return (…, D) for integers (…) in [0, V)."""
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        """Return the sizes, and the settings that are not the default."""
        return self._shown(
            padding_idx=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, sparse=False
        )

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Any:
        """Return one whose table is a copy of ``embeddings`` (V, D), ``freeze``: not trained."""
        return cls(
            *cls._sizes(embeddings),
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )


class EmbeddingBag(_Table):
    """The mean, sum or largest of the rows of each bag of indices.

    Args:
        mode: "mean", "sum" or "max"; include_last_offset: offsets have the end as well.
        padding_idx: the row that is left out; others as of Embedding.
    Attributes:
        weight (Tensor): (V, D), drawn from N(0, 1).
    Raises:
        ValueError: padding_idx is no row.
    Source: torch.nn.EmbeddingBag.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Any = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        self.padding_idx = padding_idx
        self._make(_weight, False, device, dtype)

    def forward(
        self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Any = None
    ) -> Tensor:
        """Return (B, D) for input (B, N), or (N,) and offsets (B,); see nn.functional."""
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        """Return the sizes, the mode, and the settings that are not the default."""
        return self._shown(
            max_norm=None, norm_type=2, scale_grad_by_freq=False, mode=None, padding_idx=None
        )

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Any:
        """Return one whose table is a copy of ``embeddings`` (V, D), ``freeze``: not trained."""
        bag = cls(
            *cls._sizes(embeddings),
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            mode=mode,
            sparse=sparse,
            _weight=embeddings,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )
        bag.weight.requires_grad = not freeze
        return bag
