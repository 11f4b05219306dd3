"""``Optimizer``, the base class: groups of parameters, their state, and one step over all of them.

A subclass says which arrays it keeps for each parameter (``_kept``), which numbers a step needs
(``_numbers``), and how they change the parameter (``_update``), in place and block by block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from mytorch.grad_mode import enable_grad
from mytorch.tensor import Tensor

__all__ = ["Optimizer", "hyperparameter"]

#: settings of torch's groups that say how to compute, not what
_TORCHS_OWN = {"foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay"}

BLOCK = 1 << 17  # elements updated at a time: what a few arrays of them take fits the cache


def hyperparameter(name: str, doc: str) -> Any:
    """Return a property for ``param_groups[0][name]``; setting it sets every group's."""

    def get(self: Optimizer) -> Any:
        return self.param_groups[0][name]

    def put(self: Optimizer, value: Any) -> None:
        for group in self.param_groups:
            group[name] = value

    return property(get, put, doc=doc)


class Optimizer:
    """Holds parameters in groups; a subclass defines how a step changes one of them.

    Args:
        params: an iterable of parameters, such as ``model.parameters()``; or of dicts, each a group
            with ``"params"`` and its own settings in place of the defaults.
        defaults: the settings by name; a number is the learning rate.
    Attributes:
        param_groups (list[dict]): the groups; ``group["lr"]`` may be changed at any time.
        state (dict[Tensor, dict]): what is remembered of each parameter.
        lr (float): the learning rate of the first group; setting it sets all.
    Raises:
        ValueError: no parameters, one given twice, or a setting out of range; TypeError: one that
            is no floating Tensor.
    Source: torch.optim.Optimizer; handout problem 2.2.
    """

    #: settings that must not be negative
    _at_least_0: tuple[str, ...] = ("lr", "weight_decay", "momentum", "eps")

    #: settings that torch's optimizer of this name does not have
    _not_torchs: frozenset[str] = frozenset()

    lr = hyperparameter("lr", "The learning rate of the first group; setting it sets all groups'.")

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any] | float):
        if isinstance(params, Tensor):
            raise TypeError("params must be an iterable of Tensors: use [tensor]")
        self.defaults = dict(defaults) if isinstance(defaults, dict) else {"lr": defaults}
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.steps = 0  # how often step() was called: what a schedule wants to know
        self._spares: dict[Any, list[np.ndarray]] = {}
        groups = list(params)
        if not groups:
            raise ValueError("the optimizer got no parameters")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    @property
    def params(self) -> list[Tensor]:
        """The parameters of all groups."""
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: ``{"params": tensors, "lr": …}``; settings left out are the defaults.

        Raises: as the constructor; nothing is added then.
        """
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError('a group of parameters is a dict with the key "params"')
        given = param_group["params"]
        members = [given] if isinstance(given, Tensor) else list(given)
        known = self.params
        for position, parameter in enumerate(members):
            if not isinstance(parameter, Tensor):
                raise TypeError(f"params[{position}] is a {type(parameter).__name__}, no Tensor")
            if parameter.dtype.kind != "f":
                raise TypeError(f"params[{position}] is {parameter.dtype}; only floats can move")
            if not parameter.is_leaf:
                raise ValueError(f"params[{position}] is the result of an operation, not a leaf")
        if len({id(parameter) for parameter in [*known, *members]}) < len(known) + len(members):
            raise ValueError("a parameter was given twice; it would be updated twice a step")
        group = {**self.defaults, **param_group, "params": members}
        self._check(group)
        self.param_groups.append(group)

    def _check(self, group: dict[str, Any]) -> None:
        """Raise ValueError where a setting of ``group`` is out of range, naming it."""
        for name in self._at_least_0:
            if name in group and not np.all(np.asarray(group[name]) >= 0):
                raise ValueError(f"{name} must be at least 0, got {group[name]}")
        betas = group.get("betas")
        if betas is not None and (len(betas) != 2 or not all(0 <= beta < 1 for beta in betas)):
            raise ValueError(f"betas must be two numbers in [0, 1), got {betas}")

    # ------------------------------------------------------------------------------ the step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, in place, outside the graph.

        Args:
            closure: computes the loss anew, calls ``backward`` and returns the loss.
        Returns:
            what ``closure`` returned, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self.steps += 1
        for group in self.param_groups:
            kept = self._kept(group)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step_of(group, kept, parameter)
        return loss

    def _step_of(self, group: dict[str, Any], kept: tuple[str, ...], parameter: Tensor) -> None:
        """Update one parameter, in blocks where it is large."""
        state = self.state.get(parameter)
        if state is None:
            state = self.state[parameter] = {"step": 0}
        arrays = [parameter.data, parameter.grad.data]
        for name in kept:
            if name not in state:
                state[name] = parameter.new(self._initial(group, name, parameter.data))
            arrays.append(state[name].data)
        state["step"] += 1
        numbers = self._numbers(group, state)
        if parameter.data.size <= BLOCK or not all(x.flags.c_contiguous for x in arrays):
            self._update(group, numbers, *arrays)
        else:
            flat = [x.reshape(-1) for x in arrays]
            for start in range(0, parameter.data.size, BLOCK):
                block = slice(start, start + BLOCK)
                self._update(group, numbers, *[x[block] for x in flat])
        parameter.mark_changed()

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the arrays that the state of a parameter has, each of its shape."""
        return ()

    def _initial(self, group: dict[str, Any], name: str, w: np.ndarray) -> np.ndarray:
        """Return what the array ``name`` of a parameter is before the first step: zeros."""
        return np.zeros_like(w, order="C")

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> Any:
        """Return the Python numbers of this step, once for all blocks of a parameter."""
        return None

    def _update(
        self, group: dict[str, Any], numbers: Any, w: np.ndarray, g: np.ndarray, *kept: np.ndarray
    ) -> None:
        """Change the block ``w`` and the arrays kept for it, in place; ``g`` is not changed."""
        raise NotImplementedError(f"{type(self).__name__} must define step()")

    def _spare(self, w: np.ndarray, count: int, dtype: Any = None) -> list[np.ndarray]:
        """Return arrays like ``w`` to compute in; the same ones each time."""
        key = (w.shape, dtype or w.dtype, count)
        found = self._spares.get(key)
        if found is None:
            found = self._spares[key] = [np.empty(w.shape, key[1]) for _ in range(count)]
        return found

    def _descent(
        self, group: dict[str, Any], w: np.ndarray, g: np.ndarray, out: np.ndarray
    ) -> np.ndarray:
        """Return g (negated if ``maximize``) plus ``weight_decay`` times w, computed in ``out``."""
        decay = group["weight_decay"]
        if not decay and not group["maximize"]:
            return g
        if not decay:
            return np.negative(g, out=out)
        np.multiply(w, float(decay), out=out)
        return np.subtract(out, g, out=out) if group["maximize"] else np.add(out, g, out=out)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, so that the next backward starts afresh.

        Args:
            set_to_none: set them to None; else fill them with zeros.
        """
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none or parameter.grad is None:
                    parameter.grad = None
                else:
                    parameter.grad = parameter.grad.detach()
                    parameter.grad.zero_()

    # ------------------------------------------------------------------------------ state

    def state_dict(self) -> dict[str, Any]:
        """Return settings and copies of the state: parameters by their number, as torch's."""
        numbers = {parameter: number for number, parameter in enumerate(self.params)}
        state = {
            numbers[parameter]: {
                name: value.copy() if isinstance(value, Tensor) else value
                for name, value in each.items()
            }
            for parameter, each in self.state.items()
        }
        groups = [
            {**group, "params": [numbers[parameter] for parameter in group["params"]]}
            for group in self.param_groups
        ]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned, also torch's of the same optimizer.

        Raises:
            ValueError: groups of other sizes, settings missing, or arrays of other shapes; nothing
                is changed then.
        """
        name = f"load_state_dict({type(self).__name__})"
        if not isinstance(state_dict, dict) or not {"state", "param_groups"} <= state_dict.keys():
            raise ValueError(f"{name}: expects a dict with 'state' and 'param_groups'")
        groups = state_dict["param_groups"]
        sizes = [len(group["params"]) for group in groups]
        own = [len(group["params"]) for group in self.param_groups]
        if sizes != own:
            raise ValueError(f"{name}: groups of {sizes} parameters, this optimizer has {own}")
        wanted = self.defaults.keys() - self._not_torchs
        missing = [key for key in sorted(wanted) if any(key not in group for group in groups)]
        if missing:
            raise ValueError(f"{name}: missing {missing}")
        params, found = self.params, {}
        numbers = [number for group in groups for number in group["params"]]
        for number, each in state_dict["state"].items():
            parameter = params[numbers.index(int(number))]
            found[parameter] = self._restored(name, parameter, each)
        for group, given in zip(self.param_groups, groups, strict=True):
            known = {key: value for key, value in given.items() if key not in _TORCHS_OWN}
            group.update({**known, "params": group["params"]})
            if "betas" in group:
                group["betas"] = tuple(group["betas"])
        self.state = found

    def _restored(self, name: str, parameter: Tensor, given: dict[str, Any]) -> dict[str, Any]:
        """Return the state of one parameter, copied from what a ``state_dict`` has of it."""
        state: dict[str, Any] = {"step": 1}  # torch's SGD does not count
        for key, value in given.items():
            array = np.asarray(getattr(value, "data", value) if value is not None else 0.0)
            if key == "step":
                state[key] = int(array)
            elif key == "momentum_buffer" and value is None:
                continue
            elif value is None or isinstance(value, (bool, int, float, str, list)):
                state[key] = value
            elif array.ndim == 0 and parameter.ndim:
                state[key] = float(array)
            elif array.shape != parameter.shape:
                raise ValueError(f"{name}: {key} has shape {array.shape}, not {parameter.shape}")
            else:
                state[key] = parameter.new(np.array(array, parameter.dtype, order="C"))
        return state

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            settings = [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
            lines += [f"Parameter Group {number}", *settings]
        return "\n".join([*lines, ")"])
