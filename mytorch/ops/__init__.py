"""The operations by family; ``mytorch.nn.functional`` is the door to them.

The homework's own operations (Add, Mul, MatMul, …) are in ``mytorch/nn/functional.py``.
"""
