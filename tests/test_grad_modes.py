"""The grad modes: nesting, decorators, generators, coroutines, threads."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import mytorch
from mytorch import (
    Tensor,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)


def test_modes_nest_and_are_restored_by_errors() -> None:
    with no_grad():
        with enable_grad():
            assert is_grad_enabled()
            with pytest.raises(KeyError), inference_mode():
                assert not is_grad_enabled()
                raise KeyError
            assert is_grad_enabled()
        assert not is_grad_enabled()
    assert is_grad_enabled()
    with inference_mode(False):
        assert is_grad_enabled()


def test_one_mode_object_can_be_entered_twice() -> None:
    mode = no_grad()
    with mode, mode:
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_set_grad_enabled_acts_at_once_and_as_a_block() -> None:
    with set_grad_enabled(False):
        assert not is_grad_enabled()
    assert is_grad_enabled()
    set_grad_enabled(False)
    assert not is_grad_enabled()
    set_grad_enabled(True)
    assert is_grad_enabled()

    @set_grad_enabled(False)
    def inside() -> bool:
        return is_grad_enabled()

    assert is_grad_enabled() and not inside() and is_grad_enabled()


@pytest.mark.parametrize("mode", [no_grad, inference_mode])
def test_modes_decorate_functions(mode: Any) -> None:
    @mode()
    def double(x: Tensor) -> Tensor:
        """Twice."""
        return x * 2

    x = Tensor([1.0], requires_grad=True)
    assert not double(x).requires_grad and (x * 2).requires_grad
    assert (double.__name__, double.__doc__) == ("double", "Twice.")


def test_a_decorated_generator_is_in_the_mode_only_while_it_runs() -> None:
    @no_grad()
    def steps() -> Any:
        received = yield is_grad_enabled()
        yield received, is_grad_enabled()
        return "done"

    running = steps()
    assert next(running) is False and is_grad_enabled()
    assert running.send("sent") == ("sent", False) and is_grad_enabled()
    with pytest.raises(StopIteration) as stop:
        next(running)
    assert stop.value.value == "done" and is_grad_enabled()


def test_errors_and_the_end_reach_a_decorated_generator() -> None:
    seen: list[str] = []

    @no_grad()
    def steps() -> Any:
        try:
            yield 1
        except KeyError:
            seen.append("thrown")
        try:
            yield 2
        finally:
            seen.append("closed")

    running = steps()
    next(running)
    assert running.throw(KeyError()) == 2
    running.close()
    assert seen == ["thrown", "closed"] and is_grad_enabled()


def test_tasks_of_one_thread_have_modes_of_their_own() -> None:
    seen: dict[str, bool] = {}

    @no_grad()
    async def quiet() -> None:
        await asyncio.sleep(0.01)
        seen["quiet"] = is_grad_enabled()

    async def loud() -> None:
        await asyncio.sleep(0.005)
        seen["loud"] = is_grad_enabled()
        await asyncio.sleep(0.01)

    async def both() -> None:
        await asyncio.gather(quiet(), loud())

    asyncio.run(both())
    assert seen == {"quiet": False, "loud": True} and is_grad_enabled()


def test_an_asynchronous_generator_is_in_the_mode_only_while_it_runs() -> None:
    seen: list[Any] = []

    @no_grad()
    async def steps() -> Any:
        await asyncio.sleep(0)
        try:
            received = yield is_grad_enabled()
            seen.append((received, is_grad_enabled()))
            yield 2
        except KeyError:
            seen.append(is_grad_enabled())
            yield 3
        finally:
            seen.append("closed")

    async def main() -> None:
        running = steps()
        assert await running.__anext__() is False and is_grad_enabled()
        assert await running.asend("sent") == 2 and is_grad_enabled()
        assert await running.athrow(KeyError()) == 3 and is_grad_enabled()
        await running.aclose()
        assert [item async for item in steps()] == [False, 2] and is_grad_enabled()

    asyncio.run(main())
    assert seen == [("sent", False), False, "closed", (None, False), "closed"]


def test_a_mode_decorates_without_brackets_too() -> None:
    @no_grad
    def quiet() -> bool:
        return is_grad_enabled()

    @inference_mode
    def still() -> bool:
        return is_grad_enabled()

    assert not quiet() and not still() and is_grad_enabled()


def test_a_mode_may_be_left_in_another_thread_than_it_was_entered_in() -> None:
    def numbers() -> Any:
        with mytorch.no_grad():
            yield 1
            yield 2

    steps, found = numbers(), []
    next(steps)
    thread = threading.Thread(target=lambda: found.extend(steps))
    thread.start()
    thread.join()
    assert found == [2]
    mytorch.set_grad_enabled(True)
