"""All parameters as one vector, and back (torch.nn.utils.convert_parameters)."""

from __future__ import annotations

from collections.abc import Iterable

from mytorch.errors import ShapeError
from mytorch.ops.common import check_tensors
from mytorch.ops.joining import cat
from mytorch.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return the elements of all parameters, one after the other, in one vector.

    Gradients flow through it. Raises what ``cat`` does, also of no parameters.
    """
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy the elements of a vector into the parameters, in their memory; nothing is recorded.

    What is left of a longer vector is ignored, as in torch.
    Raises:
        ShapeError: ``vec`` is too short; nothing is changed then. TypeError: it is no Tensor.
    """
    check_tensors("vector_to_parameters", vec)
    parameters = list(parameters)
    wanted = sum(parameter.data.size for parameter in parameters)
    if vec.data.size < wanted:
        raise ShapeError(
            f"vector_to_parameters: {vec.data.size} elements for parameters that have {wanted}"
        )
    start = 0
    for parameter in parameters:
        end = start + parameter.data.size
        parameter.data[...] = vec.data[start:end].reshape(parameter.shape)
        parameter.mark_changed()
        start = end
