"""Steps of asyncio in one turn of JavaScript's event loop.

Pyodide gives each step a turn of its own, for which the browser takes its time: a load has a dozen
of them, and waits longer for its turns than it works.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from time import monotonic
from typing import Any

# After so many, or so long, the browser has a turn, for messages and timers.
STEPS = 100
SECONDS = 0.008


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
        self._steps: deque[asyncio.Handle] = deque()
        self._is_coming = False
        self._left = STEPS

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Run a callback after those that wait already; see `AbstractEventLoop.call_soon`."""
        handle = asyncio.Handle(callback, args, self.loop, context)
        self._steps.append(handle)
        self._come()
        return handle

    def _come(self) -> None:
        # Also while steps are run: one may be held up (`run_sync`) for what a later one brings.
        if self._is_coming:
            return
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
                handle = self._steps.popleft()
                if not handle.cancelled():
                    handle._run()
                if monotonic() > until:
                    self._left = 0
        finally:
            if self._steps:
                self._come()
