"""Run several steps of asyncio in one turn of JavaScript's event loop.

Pyodide gives each step a turn of its own, and browsers are slow to start the next turn. A load has
a dozen steps, and would wait longer for its turns than it works.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from time import monotonic
from typing import Any

# After this many steps, or this time, the browser gets a turn, for messages and timers.
STEPS = 100
SECONDS = 0.008


class Step:
    """A waiting callback: an `asyncio.Handle` that needs nothing of its loop."""

    __slots__ = ("args", "callback", "context", "is_cancelled")

    def __init__(self, callback: Callable[..., object], args: Any, context: Context) -> None:
        self.callback = callback
        self.args = args
        self.context = context
        self.is_cancelled = False

    def cancel(self) -> None:
        """Keep the callback from running."""
        self.is_cancelled = True

    def cancelled(self) -> bool:
        """Return whether the callback was cancelled."""
        return self.is_cancelled


class CallQueue:
    """A replacement for an event loop's ``call_soon``.

    Parameters
    ----------
    loop : AbstractEventLoop
        Its ``call_later`` takes a turn of the browser.
    soon : callable
        Calls a function after the code that runs now, in the same turn.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, soon: Callable[[Callable[[], None]], object]
    ) -> None:
        self.loop = loop
        self.soon = soon
        self._steps: deque[Step] = deque()
        self._is_scheduled = False
        self._left = STEPS

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Step:
        """Queue a callback behind those that wait; see `AbstractEventLoop.call_soon`."""
        # Compare with None: a context without variables is false.
        step = Step(callback, args, copy_context() if context is None else context)
        self._steps.append(step)
        # Also while steps run: one may block (`run_sync`) on the result of a later one.
        if not self._is_scheduled:
            self._schedule()
        return step

    def _schedule(self) -> None:
        self._is_scheduled = True
        if self._left:
            self.soon(self._run)
        else:
            self.loop.call_later(0, self._begin_turn)

    def _begin_turn(self) -> None:
        self._left = STEPS
        self._run()

    def _run(self) -> None:
        self._is_scheduled = False
        until = monotonic() + SECONDS
        try:
            while self._steps and self._left:
                self._left -= 1
                step = self._steps.popleft()
                if not step.is_cancelled:
                    self._run_step(step)
                if monotonic() > until:
                    self._left = 0
        finally:
            if self._steps and not self._is_scheduled:
                self._schedule()

    def _run_step(self, step: Step) -> None:
        try:
            step.context.run(step.callback, *step.args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            context = {"message": f"Exception in callback {step.callback!r}", "exception": error}
            self.loop.call_exception_handler(context)
