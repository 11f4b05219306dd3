"""Calls without NumPy's warnings: in every thread, nested, and only while they last."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest

from mytorch.quiet import quietly
from mytorch.tensor import Tensor


def divide(x: float) -> np.ndarray:
    return np.array([x]) / np.array([0.0])


def test_a_call_does_not_warn_and_the_next_line_does() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert quietly(divide, 1.0).tolist() == [np.inf]
        assert quietly(lambda: quietly(divide, -1.0)).tolist() == [-np.inf]  # nested
        with pytest.raises(RuntimeWarning):
            divide(1.0)
        with pytest.raises(RuntimeWarning):
            divide(1.0) if quietly(divide, 1.0).size else None


def test_what_the_caller_asked_numpy_for_holds_again_after_it() -> None:
    with np.errstate(divide="raise"):
        assert quietly(divide, 1.0).tolist() == [np.inf]
        with pytest.raises(FloatingPointError):
            divide(1.0)


def test_errors_pass_and_leave_it_usable() -> None:
    for _ in range(2):
        with pytest.raises(KeyError):
            quietly({}.__getitem__, "x")
    assert quietly(divide, 1.0).tolist() == [np.inf]


def test_threads_do_not_wait_for_each_other() -> None:
    inside, found = threading.Barrier(4, timeout=10), []

    def wait() -> None:
        inside.wait()  # all four are in the middle of a quiet call
        found.append(divide(1.0).item())

    threads = [threading.Thread(target=quietly, args=(wait,)) for _ in range(4)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [np.inf] * 4


def test_operations_are_silent_where_their_domain_ends() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = Tensor([0.0, -1.0, 1e3, np.inf, np.nan])
        for values in (x.log(), 1 / x, x.exp(), x.sqrt(), x.atan2(x), x / 0):
            assert values.shape == (5,)
