"""Attention of many heads as a module."""

from __future__ import annotations

from typing import Any

import mytorch.nn.functional as F
from mytorch.errors import AssertedError
from mytorch.nn.init import xavier_normal_, xavier_uniform_
from mytorch.nn.linear import Linear
from mytorch.nn.module import Module, Parameter
from mytorch.tensor import Tensor

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Y = concat(head_1 … head_H) W_oᵀ + b_o, head_h = softmax(Q_h K_hᵀ / sqrt(D)) V_h.

    Q, K and V are projections of query, key and value; see ``F.multi_head_attention_forward``.

    Args:
        embed_dim: E, the features of query and result; num_heads: H, which divides it.
        dropout: drop weights with this probability in training.
        bias: whether the projections have biases.
        add_bias_kv: whether one more key and value are learned; add_zero_attn: whether zeros are
            one more key and value: somewhere to look, for a query that finds nothing.
        kdim, vdim: the features of key and value; default: E.
        batch_first: the inputs are (N, L, E) instead of (L, N, E).
    Attributes:
        in_proj_weight (Tensor | None): (3 E, E), the three projections one below the other; where
            kdim or vdim differ from E, q_proj_weight (E, E), k_proj_weight (E, kdim) and
            v_proj_weight (E, vdim) instead, and this is None. in_proj_bias (Tensor | None): (3 E,).
        out_proj (Linear): from E to E.
        bias_k, bias_v (Tensor | None): (1, 1, E).

    The weights of the projections in are drawn from U(-b, b), b = sqrt(6 / (rows + columns)), that
    of ``out_proj`` by torch's rule for ``Linear``, bias_k and bias_v from N(0, 1 / E); the other
    biases are zeros.
    Source: Vaswani et al. 2017, arXiv:1706.03762; torch.nn.MultiheadAttention.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise AssertedError(
                "MultiheadAttention: embed_dim must be a multiple of num_heads, and both at least "
                f"1; got {embed_dim} and {num_heads}"
            )
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.head_dim = embed_dim // num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.add_zero_attn = add_zero_attn
        is_packed = self.kdim == self.vdim == embed_dim
        self.q_proj_weight = _empty(not is_packed, embed_dim, embed_dim)
        self.k_proj_weight = _empty(not is_packed, embed_dim, self.kdim)
        self.v_proj_weight = _empty(not is_packed, embed_dim, self.vdim)
        self.in_proj_weight = _empty(is_packed, 3 * embed_dim, embed_dim)
        self.in_proj_bias = _empty(bias, 3 * embed_dim)
        self.out_proj = Linear(embed_dim, embed_dim, bias)
        self.bias_k = _empty(add_bias_kv, 1, 1, embed_dim)
        self.bias_v = _empty(add_bias_kv, 1, 1, embed_dim)
        self._reset_parameters()
        self.to(device, dtype)

    def _reset_parameters(self) -> None:
        """Draw all parameters again."""
        self.out_proj.reset_parameters()
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                bias.data[...] = 0
                bias.mark_changed()
        for name, parameter in self.named_parameters(recurse=False):
            if name.endswith("weight"):
                xavier_uniform_(parameter)
            elif name != "in_proj_bias":
                xavier_normal_(parameter)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the attention (L, N, E) of query (L, N, E) to keys and values, and its weights.

        Args: as of ``F.multi_head_attention_forward``; shapes as there, with ``batch_first``
            (N, L, …) for (L, N, …). ``need_weights=False`` is faster, and returns None for them.
        """
        return F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.is_train,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=self.in_proj_weight is None,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
            batch_first=self.batch_first,
        )


def _empty(wanted: bool, *shape: int) -> Any:
    """Return a parameter that is to be drawn, or None."""
    return Parameter(Tensor.empty(*shape)) if wanted else None
