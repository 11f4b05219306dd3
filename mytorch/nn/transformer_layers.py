"""The layers of transformers: attention, then a small network for each place by itself.

What a part makes of x is added to x, and normalised: norm(x + part(x)); or ``norm_first``,
x + part(norm(x)), which trains more easily (Xiong et al. 2020, arXiv:2002.04745).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mytorch.nn.functional as F
from mytorch.errors import ArgumentError
from mytorch.nn.attention import MultiheadAttention
from mytorch.nn.dropout import Dropout
from mytorch.nn.linear import Linear
from mytorch.nn.module import Module
from mytorch.nn.normalization import LayerNorm
from mytorch.tensor import Tensor

__all__ = ["TransformerDecoderLayer", "TransformerEncoderLayer"]

Activation = str | Callable[[Tensor], Tensor]


class TransformerEncoderLayer(Module):
    """Self-attention, then Linear-activation-Linear, each added to its input and normalised.

    Args:
        d_model: E, the features; nhead: the heads of attention.
        dim_feedforward: the features between the two Linear layers.
        dropout: of the weights of attention, between the two Linear layers, and of what is added.
        activation: "relu", "gelu", or a function or module.
        layer_norm_eps: ``eps`` of the norms.
        batch_first: the input is (N, L, E) instead of (L, N, E).
        norm_first: normalise what goes into a part instead of what comes out.
        bias: whether the Linear layers, projections and norms have biases.
    Attributes:
        self_attn (MultiheadAttention); linear1, linear2 (Linear), drawn by torch's rule; norm1,
            norm2 (LayerNorm); dropout, dropout1, dropout2 (Dropout).
    Source: torch.nn.TransformerEncoderLayer.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
        self.linear1 = _linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = _linear(dim_feedforward, d_model, bias)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = _activation("TransformerEncoderLayer", activation)
        self.to(device, dtype)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Return (L, N, E) for src (L, N, E); masks as of ``MultiheadAttention``."""
        x, masks = src, (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *masks)
            return x + self._ff_block(self.norm2(x))
        x = self.norm1(x + self._sa_block(x, *masks))
        return self.norm2(x + self._ff_block(x))

    def _sa_block(
        self, x: Tensor, attn_mask: Any, key_padding_mask: Any, is_causal: bool = False
    ) -> Tensor:
        """Return what self-attention adds."""
        y, _ = self.self_attn(x, x, x, key_padding_mask, False, attn_mask, is_causal=is_causal)
        return self.dropout1(y)

    def _ff_block(self, x: Tensor) -> Tensor:
        """Return what the small network adds."""
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerDecoderLayer(Module):
    """Self-attention, attention to ``memory``, Linear-activation-Linear, each added and normalised.

    Args: as of ``TransformerEncoderLayer``.
    Attributes:
        self_attn, multihead_attn (MultiheadAttention): to itself, and to memory; linear1, linear2
            (Linear); norm1, norm2, norm3 (LayerNorm); dropout, dropout1, dropout2, dropout3.
    Source: torch.nn.TransformerDecoderLayer.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        of_heads: dict[str, Any] = {"dropout": dropout, "bias": bias, "batch_first": batch_first}
        self.self_attn = MultiheadAttention(d_model, nhead, **of_heads)
        self.multihead_attn = MultiheadAttention(d_model, nhead, **of_heads)
        self.linear1 = _linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = _linear(dim_feedforward, d_model, bias)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = _activation("TransformerDecoderLayer", activation)
        self.to(device, dtype)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return (L, N, E) for tgt (L, N, E) and memory (S, N, E), the encoder's result.

        Args: the masks of self-attention are those of ``tgt``, (L, L) and (N, L); those of
            attention to memory (L, S) and (N, S).
        """
        x, own = tgt, (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        others = (memory, memory_mask, memory_key_padding_mask, memory_is_causal)
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *own)
            x = x + self._mha_block(self.norm2(x), *others)
            return x + self._ff_block(self.norm3(x))
        x = self.norm1(x + self._sa_block(x, *own))
        x = self.norm2(x + self._mha_block(x, *others))
        return self.norm3(x + self._ff_block(x))

    def _sa_block(
        self, x: Tensor, attn_mask: Any, key_padding_mask: Any, is_causal: bool = False
    ) -> Tensor:
        """Return what self-attention adds."""
        y, _ = self.self_attn(x, x, x, key_padding_mask, False, attn_mask, is_causal=is_causal)
        return self.dropout1(y)

    def _mha_block(
        self, x: Tensor, mem: Tensor, attn_mask: Any, key_padding_mask: Any, is_causal: bool = False
    ) -> Tensor:
        """Return what attention to the memory adds."""
        attend = self.multihead_attn
        y, _ = attend(x, mem, mem, key_padding_mask, False, attn_mask, is_causal=is_causal)
        return self.dropout2(y)

    def _ff_block(self, x: Tensor) -> Tensor:
        """Return what the small network adds."""
        return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))


def _linear(size_in: int, size_out: int, bias: bool) -> Linear:
    layer = Linear(size_in, size_out, bias)
    layer.reset_parameters()
    return layer


def _activation(name: str, activation: Activation) -> Callable[[Tensor], Tensor]:
    """Return the function that is named, or given."""
    if callable(activation):
        return activation
    if activation not in ("relu", "gelu"):
        raise ArgumentError(
            f"{name}: activation must be 'relu', 'gelu' or a function, not {activation!r}"
        )
    return F.relu if activation == "relu" else F.gelu
