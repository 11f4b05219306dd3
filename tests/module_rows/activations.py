"""Rows of mytorch/nn/activations.py and softmax.py."""

from __future__ import annotations

from tests.module_table import BadModule, ModuleCase

SHAPE = (4, 3, 5)


def row(code: str, *shape: int, random: bool = False) -> ModuleCase:
    return ModuleCase(code, (shape or SHAPE,), random=random)


CASES = [
    row("ReLU()"),
    row("Sigmoid()"),
    row("Tanh()"),
    row("ReLU6()"),
    row("LeakyReLU()"),
    row("LeakyReLU(0.2)"),
    row("PReLU()"),
    row("PReLU(3, init=0.1)"),
    row("PReLU(3, dtype=tensor(1.0).double().dtype)"),
    row("RReLU()", random=True),
    row("RReLU(0.1, 0.5)", random=True),
    row("ELU()"),
    row("ELU(alpha=0.7)"),
    row("SELU()"),
    row("CELU()"),
    row("CELU(1.5)"),
    row("GELU()"),
    row("GELU('tanh')"),
    row("SiLU()"),
    row("Mish()"),
    row("Softplus()"),
    row("Softplus(2, 1.5)"),
    row("Softsign()"),
    row("LogSigmoid()"),
    row("Tanhshrink()"),
    row("Hardtanh()"),
    row("Hardtanh(-0.5, 2.0)"),
    ModuleCase("Hardsigmoid()", (SHAPE,), close=1e-7),  # torch's slope is the 1/6 of float32
    row("Hardswish()"),
    row("Softshrink()"),
    row("Softshrink(0.2)"),
    row("Hardshrink()"),
    row("Hardshrink(0.2)"),
    row("Threshold(0.1, 20)"),
    row("Softmax(1)"),
    row("Softmax(dim=-1)"),
    ModuleCase("Softmax()", ((2, 3, 4),), warns="softmax"),
    row("LogSoftmax(0)"),
    row("Softmin(1)"),
    row("Softmax2d()"),
    row("Softmax2d()", 2, 3, 2, 2),
    row("GLU()", 3, 4),
    row("GLU(0)", 2, 3),
]
BAD = [
    BadModule("Hardtanh(1, -1)", "min_val 1 must be below max_val -1"),
    BadModule("Softmax2d()", r"Softmax2d: expected \(N, C, H, W\)", ((2, 3),), torch=False),
    BadModule("PReLU(2)", "prelu: .*3", (SHAPE,)),
    BadModule("GELU('none such')", "approximate", (SHAPE,)),
    BadModule("GLU()", "glu: .*5", (SHAPE,)),
    BadModule("Softmax(3)", "3", (SHAPE,)),
    BadModule("Softshrink(-1)", "lambd", (SHAPE,)),
    BadModule("RReLU(0.5, 0.1)", "lower", (SHAPE,)),
    BadModule("CELU(0)", "alpha", (SHAPE,)),
    BadModule("PReLU(device='cuda')", "PReLU: device: .* no device 'cuda'", torch=False),
    BadModule("PReLU(-1)", "PReLU: num_parameters must be at least 0, got -1"),
    BadModule("PReLU(dtype=tensor(1).dtype)", "PReLU: dtype must be floating", torch=False),
]
