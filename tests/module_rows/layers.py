"""Rows of mytorch/nn/linear.py, embedding.py, dropout.py and shape.py."""

from __future__ import annotations

import numpy as np

from tests.module_table import BadModule, ModuleCase

INDICES = np.array([[1, 4, 0], [1, 1, 3]])
TABLE = "tensor([[1.0, 2.0], [3.0, 0.5], [0.25, 1.5]])"

CASES = [
    ModuleCase("Linear(5, 3)", ((2, 4, 5),)),
    ModuleCase("Linear(5, 3, bias=False)", ((5,),)),
    ModuleCase("Linear(in_features=5, out_features=1)", ((0, 5),)),
    ModuleCase("Bilinear(5, 4, 3)", ((2, 5), (2, 4))),
    ModuleCase("Bilinear(5, 4, 3, bias=False)", ((2, 6, 5), (2, 6, 4))),
    ModuleCase("Identity()", ((2, 3),)),
    ModuleCase("Identity(54, unused=0.1)", ((),)),
    ModuleCase("Flatten()", ((2, 3, 4),)),
    ModuleCase("Flatten(0, 1)", ((2, 3, 4),)),
    ModuleCase("Flatten(start_dim=-2)", ((2, 3, 4),)),
    ModuleCase("Unflatten(1, (2, 3))", ((4, 6),)),
    ModuleCase("Unflatten(-1, (2, -1, 1))", ((4, 6),)),
    # ------------------------------------------------------------------ embedding
    ModuleCase("Embedding(5, 2)", (INDICES,)),
    ModuleCase("Embedding(5, 2, padding_idx=1)", (INDICES,)),
    ModuleCase("Embedding(5, 2, padding_idx=-1)", (np.array(4),)),
    ModuleCase("Embedding(5, 2, max_norm=1.0)", (INDICES,)),
    ModuleCase("Embedding(5, 2, max_norm=0.5, norm_type=1)", (INDICES,)),
    ModuleCase("Embedding(5, 2, scale_grad_by_freq=True)", (INDICES,)),
    ModuleCase(f"Embedding.from_pretrained({TABLE})", (np.array([2, 0]),)),
    ModuleCase(
        f"Embedding.from_pretrained({TABLE}, freeze=False, padding_idx=2, max_norm=1.0)",
        (np.array([2, 0]),),
    ),
    ModuleCase("EmbeddingBag(5, 2)", (INDICES,)),
    ModuleCase("EmbeddingBag(5, 2, mode='sum', padding_idx=1)", (INDICES,)),
    ModuleCase("EmbeddingBag(5, 2, mode='max')", (INDICES[0], np.array([0, 2]))),
    ModuleCase("EmbeddingBag(5, 2, include_last_offset=True)", (INDICES[0], np.array([0, 1, 3]))),
    ModuleCase("EmbeddingBag(5, 2, 1.0, 1.0, mode='sum')", (INDICES,)),
    ModuleCase(f"EmbeddingBag.from_pretrained({TABLE}, mode='sum')", (np.array([[2, 0]]),)),
    # ------------------------------------------------------------------ dropout
    *[
        ModuleCase(code, (shape,), random="0)" not in code)
        for name, shape in {
            "Dropout": (4, 3),
            "Dropout1d": (2, 3, 4),
            "Dropout2d": (2, 3, 4, 2),
            "Dropout3d": (2, 3, 2, 2, 2),
            "AlphaDropout": (4, 3),
            "FeatureAlphaDropout": (2, 3, 4),
        }.items()
        for code in (f"{name}()", f"{name}(0.2)", f"{name}(p=0)")
    ],
    ModuleCase("Dropout(p=1.0)", ((4, 3),)),
]
BAD = [
    BadModule("Linear(5, 3)", r"linear: .*\(2, 4\).*\(3, 5\)", ((2, 4),)),
    BadModule("Linear(5, -3)", "Linear: out_features must be at least 0, got -3"),
    BadModule("Linear(5, 2.5)", "Linear: out_features must be an integer, got 2.5"),
    BadModule("LazyLinear(-3)", "out_features must be at least 0, got -3", torch=False),
    BadModule("Embedding(5, -2)", "Embedding: embedding_dim must be at least 0, got -2"),
    BadModule("Linear(5, 3, device='meta')", "Linear: device: .*'meta'", torch=False),
    BadModule("Linear(5, 3, dtype=tensor(1).dtype)", "Linear: dtype must be floating", torch=False),
    BadModule("Bilinear(0, 1, 1)", "in1_features must be at least 1, got 0"),
    BadModule("Bilinear(5, 4, 3)", r"inputs \(2, 5\) and \(2, 5\) and weight \(3, 5, 4\)",
              ((2, 5), (2, 5))),
    BadModule("Unflatten(1, (2, 3))", r"\(4, 5\)|5", ((4, 5),)),
    BadModule("Unflatten(1, 2)", "must be a tuple of integers, not int"),
    BadModule("Unflatten(1, (2, 1.5))", "integer"),
    BadModule("Flatten(1, 0)", "flatten: start_dim", ((2, 3),)),
    BadModule("Embedding(5, 2, padding_idx=5)", r"padding_idx 5 is no row of \(5, 2\)"),
    BadModule("Embedding(5, 2)", "embedding: .*5", (np.array([5]),)),
    BadModule("Embedding(5, 2)", "integer indices, got float64", ((2,),)),
    BadModule("Embedding(2, 2, _weight=tensor([1.0]))", r"_weight has shape \(1,\)"),
    BadModule("Embedding.from_pretrained(tensor([1.0]))", r"expects embeddings \(V, D\)"),
    BadModule("EmbeddingBag(5, 2)", "offsets", (INDICES, np.array([0]))),
    BadModule("EmbeddingBag(5, 2, mode='min')", "'min'", (INDICES,)),
    BadModule("Dropout(1.5)", r"Dropout: p must be in \[0, 1\], got 1.5"),
    BadModule("AlphaDropout(-0.1)", r"AlphaDropout: p must be in \[0, 1\], got -0.1"),
]  # fmt: skip
