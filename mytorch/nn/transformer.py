"""Transformers: stacks of layers, of an encoder and of a decoder.

The sequences are (L, N, E), with ``batch_first`` (N, L, E), or without a batch (L, E). Masks are
those of ``MultiheadAttention``: a boolean one hides where it is True.
Source: Vaswani et al. 2017, arXiv:1706.03762; torch.nn.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import mytorch.nn.functional as F
from mytorch.errors import ShapeError
from mytorch.nn.containers import ModuleList
from mytorch.nn.init import xavier_uniform_
from mytorch.nn.module import Module
from mytorch.nn.normalization import LayerNorm
from mytorch.nn.transformer_layers import TransformerDecoderLayer, TransformerEncoderLayer
from mytorch.tensor import Tensor

__all__ = ["Transformer", "TransformerDecoder", "TransformerEncoder"]


class TransformerEncoder(Module):
    """Layers one after the other, and a norm behind the last.

    Args:
        encoder_layer: what is copied for each layer, its parameters included.
        num_layers: how many; norm: a module, or None.
        enable_nested_tensor, mask_check: of torch's fast path; nothing depends on them here.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ):
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Return (L, N, E) for src (L, N, E); the masks go to every layer."""
        for layer in self.layers:
            src = layer(
                src,
                src_mask=mask,
                src_key_padding_mask=src_key_padding_mask,
                is_causal=bool(is_causal),
            )
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Layers one after the other, each of which sees the same memory, and a norm behind the last.

    Args:
        decoder_layer: what is copied for each layer, its parameters included.
        num_layers: how many; norm: a module, or None.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None):
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return (L, N, E) for tgt (L, N, E) and memory (S, N, E); masks go to every layer."""
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=bool(tgt_is_causal),
                memory_is_causal=memory_is_causal,
            )
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder of ``src``, and a decoder of ``tgt`` that sees the encoder's result.

    Args: as of ``TransformerEncoderLayer``, and
        num_encoder_layers, num_decoder_layers: how many; custom_encoder, custom_decoder: modules
            to be used instead.

    All parameters of two or more axes are drawn from U(-b, b), b = sqrt(6 / (rows + columns)), once
    for each layer.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = F.relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        of_layers = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps,
                     batch_first, norm_first, bias)  # fmt: skip
        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*of_layers),
            num_encoder_layers,
            LayerNorm(d_model, layer_norm_eps, bias=bias),
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*of_layers),
            num_decoder_layers,
            LayerNorm(d_model, layer_norm_eps, bias=bias),
        )
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first
        self.to(device, dtype)

    def _reset_parameters(self) -> None:
        """Draw all matrices again."""
        for parameter in self.parameters():
            if parameter.ndim > 1:
                xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return (L, N, E) for src (S, N, E) and tgt (L, N, E).

        Args: masks of ``src``, (S, S) and (N, S); of ``tgt``, (L, L) and (N, L); of the memory, as
            the decoder sees it, (L, S) and (N, S).
        Raises:
            ShapeError: batches that differ, or other features than ``d_model``.
        """
        self._check(src.shape, tgt.shape)
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    def _check(self, src: tuple[int, ...], tgt: tuple[int, ...]) -> None:
        batch = 0 if self.batch_first else 1
        if len(src) == 3 == len(tgt) and src[batch] != tgt[batch]:
            raise ShapeError(
                f"Transformer: src {src} and tgt {tgt} must have one batch, axis {batch}"
            )
        if src[-1:] != (self.d_model,) or tgt[-1:] != (self.d_model,):
            raise ShapeError(
                f"Transformer: src {src} and tgt {tgt} must have {self.d_model} features (d_model)"
            )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """Return (sz, sz): minus infinity above the diagonal, where a query would see what comes
        later, and 0 elsewhere."""
        return Tensor.ones(sz, sz).mul(-math.inf).triu(1).to(device, dtype)


def _copies(layer: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])
