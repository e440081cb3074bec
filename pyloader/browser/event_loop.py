"""Steps of asyncio in one turn of JavaScript's event loop.

Pyodide gives each step a turn of its own, for which the browser takes its time: a load has a dozen
of them, and waits longer for its turns than it works.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from time import monotonic
from typing import Any

# After so many, or so long, the browser has a turn, for messages and timers.
STEPS = 100
SECONDS = 0.008


class Step:
    """A callback that waits: an `asyncio.Handle` without what that asks of its loop."""

    __slots__ = ("args", "callback", "context", "is_cancelled")

    def __init__(self, callback: Callable[..., object], args: Any, context: Context) -> None:
        self.callback = callback
        self.args = args
        self.context = context
        self.is_cancelled = False

    def cancel(self) -> None:
        """Let it not be run."""
        self.is_cancelled = True

    def cancelled(self) -> bool:
        """Tell whether it will not be run."""
        return self.is_cancelled


class Turns:
    """In place of an event loop's ``call_soon``.

    Parameters
    ----------
    loop : AbstractEventLoop
        Whose ``call_later`` takes a turn of the browser.
    soon : callable
        Calls a function when the code that runs now has ended, in the same turn.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, soon: Callable[[Callable[[], None]], object]
    ) -> None:
        self.loop = loop
        self.soon = soon
        self._steps: deque[Step] = deque()
        self._is_coming = False
        self._left = STEPS

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Step:
        """Run a callback after those that wait already; see `AbstractEventLoop.call_soon`."""
        # One without variables is false.
        step = Step(callback, args, copy_context() if context is None else context)
        self._steps.append(step)
        # Also while steps are run: one may be held up (`run_sync`) for what a later one brings.
        if not self._is_coming:
            self._come()
        return step

    def _come(self) -> None:
        self._is_coming = True
        if self._left:
            self.soon(self._run)
        else:
            self.loop.call_later(0, self._begin)

    def _begin(self) -> None:
        self._left = STEPS
        self._run()

    def _run(self) -> None:
        self._is_coming = False
        until = monotonic() + SECONDS
        try:
            while self._steps and self._left:
                self._left -= 1
                step = self._steps.popleft()
                if not step.is_cancelled:
                    self._take(step)
                if monotonic() > until:
                    self._left = 0
        finally:
            if self._steps and not self._is_coming:
                self._come()

    def _take(self, step: Step) -> None:
        try:
            step.context.run(step.callback, *step.args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            told = {"message": f"Exception in callback {step.callback!r}", "exception": error}
            self.loop.call_exception_handler(told)
