"""Rows of mytorch/nn/loss.py, margin_losses.py and distance.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.module_table import BadModule, Input, ModuleCase, positive

LABELS = np.array([2, 0, 1, 2])
SIGNS = np.array([1.0, -1.0, -1.0, 1.0])
WEIGHT = "weight=tensor([0.5, 1.0, 2.0])"


def rows(name: str, inputs: tuple[Input, ...], *options: str, **more: Any) -> list[ModuleCase]:
    """A loss for each reduction, and for each option; its last input, the target, is constant."""
    more.setdefault("constant", (len(inputs) - 1,))
    settings = ["", "reduction='sum'", "reduction='none'", *options]
    return [ModuleCase(f"{name}({setting})", inputs, **more) for setting in settings]


MATRIX, OTHER, LABELLED = (4, 3), (4, 3), (4, 3)
PICTURE = np.arange(4 * 2 * 2).reshape(4, 2, 2) % 3
CASES = [
    *rows("CrossEntropyLoss", (LABELLED, LABELS), WEIGHT, "label_smoothing=0.1",
          "ignore_index=2", f"{WEIGHT}, label_smoothing=0.2, ignore_index=0"),
    *rows("CrossEntropyLoss", ((4, 3, 2, 2), PICTURE), WEIGHT),
    *rows("CrossEntropyLoss", (LABELLED, positive(4, 3)), f"{WEIGHT}, label_smoothing=0.1"),
    ModuleCase("CrossEntropyLoss()", ((3,), np.array(1)), (1,)),
    *rows("NLLLoss", (LABELLED, LABELS), WEIGHT, "ignore_index=2"),
    *rows("NLLLoss", ((4, 3, 2, 2), PICTURE), f"{WEIGHT}, ignore_index=1"),
    *rows("MSELoss", (MATRIX, OTHER), constant=()),
    *rows("L1Loss", (MATRIX, OTHER), constant=()),
    *rows("SmoothL1Loss", (MATRIX, OTHER), "beta=0.3", "beta=0", constant=()),
    *rows("HuberLoss", (MATRIX, OTHER), "delta=0.7", constant=()),
    *rows("BCELoss", (positive(4, 3), positive(4, 3)), WEIGHT),
    *rows("BCEWithLogitsLoss", (MATRIX, positive(4, 3)), WEIGHT,
          "pos_weight=tensor([3.0, 1.0, 0.5])", f"{WEIGHT}, pos_weight=tensor(2.0)"),
    *rows("KLDivLoss", (MATRIX, positive(4, 3)), "log_target=True"),
    ModuleCase("KLDivLoss(reduction='batchmean')", (MATRIX, positive(4, 3))),
    *rows("GaussianNLLLoss", (MATRIX, OTHER, positive(4, 3)), "full=True", "eps=0.5",
          constant=()),
    ModuleCase("GaussianNLLLoss()", (MATRIX, OTHER, positive(4, 1))),
    *rows("PoissonNLLLoss", (positive(4, 3), np.arange(12.0).reshape(4, 3)), "full=True",
          "log_input=False", "log_input=False, full=True, eps=1e-3"),
    *rows("HingeEmbeddingLoss", (MATRIX, SIGNS[:, None].repeat(3, 1)), "margin=0.4"),
    *rows("MarginRankingLoss", ((4,), (4,), SIGNS), "margin=0.4"),
    *rows("CosineEmbeddingLoss", (MATRIX, OTHER, SIGNS), "margin=0.2"),
    *rows("SoftMarginLoss", (MATRIX, SIGNS[:, None].repeat(3, 1))),
    *rows("MultiLabelSoftMarginLoss", (MATRIX, np.eye(3)[LABELS] + 0.0), WEIGHT),
    *rows("MultiLabelMarginLoss", ((2, 4), np.array([[3, 0, -1, 1], [2, -1, 0, 1]]))),
    *rows("MultiMarginLoss", (LABELLED, LABELS), "p=2, margin=0.5", WEIGHT),
    *rows("TripletMarginLoss", (MATRIX, OTHER, MATRIX), "margin=0.3, p=1", "swap=True",
          constant=()),
    *rows("TripletMarginWithDistanceLoss", (MATRIX, OTHER, MATRIX), "swap=True",
          "distance_function=lambda a, b: (a - b).abs().max(-1).values, margin=2.0", constant=()),
    *rows("CTCLoss", ((6, 2, 4), np.array([[1, 2, 2], [2, 1, 0]]), np.array([6, 5]),
                      np.array([3, 2])), "blank=3, zero_infinity=True",
          constant=(0,)),  # torch's gradient is that of log_softmax before it
    ModuleCase("CosineSimilarity()", (MATRIX, OTHER)),
    ModuleCase("CosineSimilarity(dim=0, eps=1.0)", (MATRIX, (1, 3))),
    ModuleCase("PairwiseDistance()", (MATRIX, OTHER)),
    ModuleCase("PairwiseDistance(1, 1e-2, keepdim=True)", (MATRIX, (3,))),
]  # fmt: skip
FLOATS = (np.zeros((4, 3)), np.zeros((4, 3)))
BAD = [
    BadModule("CrossEntropyLoss()", r"\(4, 3\).*\(3,\)", (LABELLED, LABELS[:3])),
    BadModule("CrossEntropyLoss()", r"target\[0\] is 3, but", (LABELLED, LABELS + 1)),
    BadModule("CrossEntropyLoss(reduction='avg')", "'avg'", (LABELLED, LABELS)),
    BadModule("CrossEntropyLoss(weight=tensor([1.0]))", "weight", (LABELLED, LABELS)),
    BadModule("CrossEntropyLoss(label_smoothing=2.0)", "label_smoothing", (LABELLED, LABELS)),
    BadModule("CrossEntropyLoss(weight=[1.0])", "'weight' must be a Tensor"),
    BadModule("NLLLoss()", r"target\[0\] is 3, but", (LABELLED, LABELS + 1)),
    BadModule("BCELoss()", r"between 0 and 1|\[0, 1\]", (FLOATS[0] + 2, FLOATS[1])),
    BadModule("BCELoss()", r"\(4, 3\).*\(3,\)", (FLOATS[0], FLOATS[1][0])),
    BadModule("SmoothL1Loss(beta=-1)", "beta", FLOATS),
    BadModule("HuberLoss(delta=0)", "delta", FLOATS),
    BadModule("HuberLoss(delta='1')", "delta must be a number"),
    BadModule("MultiMarginLoss(p=3)", "p must be 1 or 2, got 3"),
    BadModule("MultiMarginLoss(weight=tensor([[1.0]]))", r"weight must be \(C,\)", torch=False),
    BadModule("TripletMarginLoss(margin=0)", "margin must be above 0, got 0"),
    BadModule("TripletMarginWithDistanceLoss(margin=-1)", "margin must be above 0, got -1"),
    BadModule("GaussianNLLLoss()", "var", (FLOATS[0], FLOATS[1], FLOATS[0] - 1)),
    BadModule("CosineEmbeddingLoss()", "cosine_embedding_loss", (FLOATS[0], FLOATS[1], FLOATS[1])),
]
