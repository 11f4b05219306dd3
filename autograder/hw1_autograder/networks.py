"""Networks of homework 1's checks: their shapes, and how their arrays are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.checks import Arrays

TALL = {"layers": [(4, 3)], "rows": 5}
SQUARE = {"layers": [(3, 3)], "rows": 4}
ONE_RELU = {"layers": [(4, 3), "ReLU"], "rows": 6}
TWO_RELU = {"layers": [(4, 5), "ReLU", (5, 3), "ReLU"], "rows": 6}
MLP = {"layers": [(4, 5), "ReLU", (5, 3)], "rows": 6}


UPSTREAM = "a backward does not multiply by grad_output, the gradient that comes from above"


def draw_network(rng: np.random.Generator, net: dict[str, Any], *also: str) -> Arrays:
    """Draw parameters and inputs for a network; `also` names g, or x0, labels0, g0, … to draw."""
    shapes = [layer for layer in net["layers"] if layer != "ReLU"]
    arrays: Arrays = {}
    for place, layer in enumerate(net["layers"]):
        if layer != "ReLU":
            arrays[f"{place}.weight"] = rng.normal(0, 1, (layer[1], layer[0]))
            arrays[f"{place}.bias"] = rng.normal(0, 1, layer[1])
    rows, inputs, outputs = net["rows"], shapes[0][0], shapes[-1][1]
    for name in also or ("x",):
        if name.startswith("labels"):
            arrays[name] = rng.integers(0, outputs, rows)
        else:
            width = outputs if name.startswith("g") else inputs
            arrays[name] = rng.normal(0, 1, (rows, width))
    return arrays


def plan(net: dict[str, Any]) -> list[str]:
    """Return the network's layers as the worker's program wants them."""
    return ["ReLU" if layer == "ReLU" else "Linear" for layer in net["layers"]]
