"""Steps of asyncio in one turn of another event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, ContextVar

import pytest

from pyloader.browser.event_loop import STEPS, CallQueue


class Browser:
    """An event loop with a queue for this turn, and one for the next."""

    def __init__(self) -> None:
        self.now: deque[Callable[[], None]] = deque()
        self.later: deque[Callable[[], None]] = deque()
        self.turns = CallQueue(self, self.now.append)

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        self.later.append(callback)

    def get_debug(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, object]) -> None:
        raise AssertionError(context)

    def turn(self) -> None:
        """Have one turn."""
        if self.later:
            self.later.popleft()()
        while self.now:
            self.now.popleft()()


@pytest.fixture
def browser():
    return Browser()


def test_steps_run_in_order_within_the_turn(browser):
    heard = []

    def first():
        heard.append("first")
        browser.turns.call_soon(heard.append, "third")

    browser.turns.call_soon(first)
    browser.turns.call_soon(heard.append, "second")
    assert heard == [], "not before the code that asks has ended"
    browser.turn()
    assert heard == ["first", "second", "third"]
    assert not browser.later


def test_steps_without_end_leave_turns_to_the_browser(browser):
    count = 0

    def again():
        nonlocal count
        count += 1
        browser.turns.call_soon(again)

    browser.turns.call_soon(again)
    browser.turn()
    assert count == STEPS
    browser.turn()
    assert count == 2 * STEPS
    assert len(browser.later) == 1


def test_a_cancelled_step_is_left_out(browser):
    heard = []
    browser.turns.call_soon(heard.append, "no").cancel()
    browser.turns.call_soon(heard.append, "yes")
    browser.turn()
    assert heard == ["yes"]


def test_what_ends_one_step_does_not_lose_the_others(browser):
    heard = []

    def leave():
        raise SystemExit

    browser.turns.call_soon(leave)
    browser.turns.call_soon(heard.append, "next")
    with pytest.raises(SystemExit):
        browser.turn()
    browser.turn()
    assert heard == ["next"]


def test_a_step_that_is_held_up_does_not_hold_up_what_it_waits_for(browser):
    """`run_sync` of Pyodide suspends a step until another has brought its result."""
    heard = []

    def held_up():
        browser.turns.call_soon(heard.append, "brought")
        while browser.now:
            browser.now.popleft()()
        heard.append("goes on")

    browser.turns.call_soon(held_up)
    browser.turn()
    assert heard == ["brought", "goes on"]


async def test_coroutines_run_in_turns():
    loop = asyncio.get_running_loop()
    soon: deque[Callable[[], None]] = deque()
    turns = CallQueue(loop, soon.append)
    future = loop.create_future()
    turns.call_soon(future.set_result, "there")
    soon.popleft()()
    assert await future == "there"


def test_an_error_of_a_step_is_told_and_the_others_run(browser):
    heard = []
    browser.call_exception_handler = heard.append

    def fail():
        raise ValueError("no")

    browser.turns.call_soon(fail)
    browser.turns.call_soon(heard.append, "next")
    browser.turn()
    told, following = heard
    assert str(told["exception"]) == "no"
    assert "fail" in told["message"]
    assert following == "next"


def test_a_step_runs_in_its_context(browser):
    name = ContextVar("name", default="none")
    heard = []
    context, empty = Context(), Context()
    context.run(name.set, "given")
    token = name.set("of the caller")
    browser.turns.call_soon(lambda: heard.append(name.get()), context=context)
    browser.turns.call_soon(lambda: heard.append(name.get()), context=empty)
    browser.turns.call_soon(lambda: heard.append(name.get()))
    name.reset(token)
    browser.turn()
    assert heard == ["given", "none", "of the caller"]
