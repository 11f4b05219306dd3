"""Rows of mytorch/ops/rnn.py; layers, packed sequences and long ones are in test_recurrent.py."""

from __future__ import annotations

from typing import Any

from mytorch.errors import DtypeError, MixedDtypeError, ShapeError
from tests.op_table import Bad, OpCase, Shapes

GATES = {"rnn_tanh": 1, "rnn_relu": 1, "gru": 3, "lstm": 4}
T, N, I, H = 3, 2, 2, 3  # noqa: E741
INTEGERS = {
    dtype: "torch computes with integers, which overflow"
    for dtype in ("uint8", "int16", "int32", "int64")
}


def weights(gates: int, features: int = I, biases: bool = True) -> Shapes:
    rows = gates * H
    return ((rows, features), (rows, H), *([(rows,), (rows,)] if biases else []))


def network(name: str, layers: int = 1, directions: int = 1, biases: bool = True) -> OpCase:
    """Return the row of a network: its input, its states and all of its weights."""
    count = 2 if name == "lstm" else 1
    places = layers * directions
    shapes: Shapes = ((T, N, I), *[(places, N, H)] * count)
    for place in range(places):
        shapes += weights(GATES[name], I if place < directions else H * directions, biases)

    def call(m: Any, x: Any, *rest: Any) -> Any:
        states, params = rest[:count], list(rest[count:])
        hx = states if count == 2 else states[0]
        options = biases, layers, 0.0, False, directions == 2, False
        return getattr(m, name)(x, hx, params, *options)

    parts = [name, f"{layers} layers" * (layers > 1), "bidirectional" * (directions > 1)]
    return OpCase(" ".join(filter(None, parts)) + " bare" * (not biases), call, None, (shapes,),
                  bad=BAD.get(name, ()) if places == 1 and biases else (),
                  differs=INTEGERS if name == "rnn_relu" else {})  # fmt: skip


def cell(name: str, biases: bool = True) -> OpCase:
    """Return the row of a cell."""
    count = 2 if name == "lstm" else 1

    def call(m: Any, x: Any, *rest: Any) -> Any:
        hx = rest[:2] if count == 2 else rest[0]
        return getattr(m, f"{name}_cell")(x, hx, *rest[count:])

    shapes = ((N, I), *[(N, H)] * count, *weights(GATES[name], biases=biases))
    return OpCase(f"{name}_cell" + " bare" * (not biases), call, None, (shapes,),
                  differs=INTEGERS if name.startswith("rnn") else {})  # fmt: skip


def bad_gru(x: Any, h: Any, params: list[Any], dtype: str = "float64", biases: bool = True) -> Any:
    """Return a call of gru on zeros of these shapes; ``dtype`` is that of the input."""

    def call(m: Any) -> Any:
        zeros = [m.zeros(*shape, dtype=m.float64) for shape in params]
        own = m.zeros(*x, dtype=getattr(m, dtype))
        state = m.zeros(*h, dtype=m.float64)
        return m.gru(own, state, zeros, biases, 1, 0.0, False, False, False)

    return call


STATE, PARAMS = (1, N, H), list(weights(3))
BAD = {
    "gru": (
        Bad(bad_gru((T, N, 5), STATE, PARAMS), ShapeError,
            r"gru: input_size is 2, but the input has 5 features"),
        Bad(bad_gru((T, N, I), (1, 4, H), PARAMS), ShapeError,
            r"gru: hx must be \(1, 2, 3\), .*, got \(1, 4, 3\)"),
        Bad(bad_gru((0, N, I), STATE, PARAMS), ShapeError, "gru: expects sequences of at least 1"),
        Bad(bad_gru((T, N, I), STATE, PARAMS, "float32"), MixedDtypeError,
            "the input is float32, a weight or state float64"),
        Bad(bad_gru((T, N, I), STATE, PARAMS, "int64"), MixedDtypeError, "the input is int64"),
        Bad(lambda m: m.gru(*[m.zeros(1, 1, 1, dtype=m.int64)] * 2,
                            [m.zeros(3, 1, dtype=m.int64)] * 2, False, 1, 0.0, False, False, False),
            DtypeError, "gru: expects a floating tensor, got int64"),
        Bad(bad_gru((T, N, I), STATE, PARAMS[:3]), ShapeError, r"3 weights for 1 layer\(s\)"),
        Bad(bad_gru((T, N, I), STATE, [PARAMS[0], (9, 4), *PARAMS[2:]]), ShapeError,
            r"gru: w_hh has shape \(9, 4\), expected"),
    ),
    "lstm": (
        Bad(lambda m: m.lstm(m.zeros(1, 1, 1), m.zeros(1, 1, 1), [m.zeros(4, 1)] * 2, False, 1, 0.0,
                             False, False, False), TypeError, "hx must be .h, c., two Tensors"),
    ),
}  # fmt: skip

ROWS = [
    *[network(name) for name in GATES],
    *[network(name, directions=2) for name in GATES],
    network("gru", layers=2, directions=2),
    network("lstm", layers=2, biases=False),
    *[cell(name) for name in GATES],
    *[cell(name, biases=False) for name in GATES],
]
