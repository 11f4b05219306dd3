"""Rows of mytorch/nn/batchnorm.py, instancenorm.py and normalization.py."""

from __future__ import annotations

from tests.module_table import BadModule, ModuleCase

#: of each number of spatial axes, an input
SHAPES = {1: (4, 3, 5), 2: (2, 3, 2, 4), 3: (2, 3, 2, 1, 3)}


def row(code: str, *shape: int, **more: str) -> ModuleCase:
    return ModuleCase(code, (shape,), **more)  # type: ignore[arg-type]


CASES = [
    *[row(f"BatchNorm{n}d(3)", *shape) for n, shape in SHAPES.items()],
    row("BatchNorm1d(3)", 4, 3),
    row("BatchNorm1d(3, 1e-3, 0.3)", 4, 3),
    row("BatchNorm1d(3, momentum=None)", 4, 3),
    row("BatchNorm1d(3, affine=False)", 4, 3),
    row("BatchNorm1d(3, bias=False)", 4, 3),
    row("BatchNorm1d(3, track_running_stats=False)", 4, 3),
    row("BatchNorm2d(3, momentum=None, affine=False, track_running_stats=False)", 2, 3, 2, 4),
    row("BatchNorm2d(3, 0.1, momentum=0)", 1, 3, 2, 1),
    *[row(f"InstanceNorm{n}d(3)", *shape) for n, shape in SHAPES.items()],
    *[row(f"InstanceNorm{n}d(3, affine=True)", *shape[1:]) for n, shape in SHAPES.items()],
    *[row(f"InstanceNorm{n}d(3, 1e-3, 0.3, True, True)", *shape) for n, shape in SHAPES.items()],
    row("InstanceNorm1d(3, affine=True, bias=False)", 4, 3, 5),
    row("InstanceNorm1d(3, track_running_stats=True)", 3, 5),
    row("InstanceNorm1d(2)", 4, 3, 5, warns="num_features"),
    row("LayerNorm(5)", 4, 3, 5),
    row("LayerNorm((3, 5), 1e-3)", 4, 3, 5),
    row("LayerNorm([3, 5], elementwise_affine=False)", 3, 5),
    row("LayerNorm(5, bias=False)", 0, 5),
    row("RMSNorm(5)", 4, 3, 5),
    row("RMSNorm((3, 5), eps=1e-3)", 4, 3, 5),
    row("RMSNorm([5], None, False)", 4, 5),
    row("GroupNorm(2, 4)", 3, 4, 5),
    row("GroupNorm(1, 4, 1e-3)", 3, 4),
    row("GroupNorm(4, 4, affine=False)", 2, 4, 2, 2),
    row("GroupNorm(2, 4, bias=False)", 3, 4, 5),
    row("LocalResponseNorm(2)", 2, 5, 3),
    row("LocalResponseNorm(3, 0.5, 0.6, 2.0)", 2, 5, 3, 2),
]
BAD = [
    BadModule("BatchNorm1d(3)", r"BatchNorm1d: expected \(N, 3\) or \(N, 3, L\), got \(4, 2\)",
              ((4, 2),)),
    BadModule("BatchNorm1d(3)", r"got \(4, 3, 2, 2\)", ((4, 3, 2, 2),)),
    BadModule("BatchNorm1d(3)", r"more than one value a channel", ((1, 3),)),
    BadModule("BatchNorm2d(3)", r"BatchNorm2d: expected \(N, 3, H, W\), got \(4, 3\)", ((4, 3),)),
    BadModule("BatchNorm3d(3)", r"BatchNorm3d: expected \(N, 3, D, H, W\)", ((4, 3),)),
    BadModule("BatchNorm1d(3, device='cuda')", "BatchNorm1d: device", torch=False),
    BadModule("InstanceNorm1d(3)", r"expected \(3, L\) or \(N, 3, L\), got \(3,\)", ((3,),)),
    BadModule("InstanceNorm2d(3, affine=True)", r"got \(1, 2, 2, 2\)", ((1, 2, 2, 2),)),
    BadModule("LayerNorm(5)", r"layer_norm: .*\(5,\).*\(2, 4\)|\(2, 4\).*\(5,\)", ((2, 4),)),
    BadModule("RMSNorm((3, 5))", "rms_norm", ((2, 4),)),
    BadModule("BatchNorm2d(-3)", "BatchNorm2d: num_features must be at least 0, got -3"),
    BadModule("BatchNorm2d('3')", "BatchNorm2d: num_features must be an integer, got '3'"),
    BadModule("LayerNorm((2, -3))", r"LayerNorm: normalized_shape\[1\] must be at least 0, got -3"),
    BadModule("GroupNorm(1, -4)", "GroupNorm: num_channels must be at least 0, got -4"),
    BadModule("GroupNorm(3, 4)", "num_channels 4 does not split into 3 groups"),
    BadModule("GroupNorm(0, 4)", "num_channels 4 does not split into 0 groups", torch=False),
    BadModule("GroupNorm(2, 4)", r"group_norm: .*\(2, 6\)|6", ((2, 6, 3),)),
    BadModule("LocalResponseNorm(2)", "local_response_norm: .*3", ((2, 3),)),
]  # fmt: skip
