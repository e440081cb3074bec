"""Run a coroutine with a time limit, even if it blocks its thread."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, wait
from threading import Thread
from typing import Any, TypeVar

Value = TypeVar("Value")
# Time for an event loop to end.
GRACE_SECONDS = 1.0


def run(work: Callable[[], Coroutine[Any, Any, Value]], seconds: float) -> Value:
    """Run `work` in a thread of its own, and return its value or raise what it raised.

    Raises
    ------
    AssertionError
        It still runs after `seconds`, and blocks its thread; the text shows where.
    """
    ended: Future[Value] = Future()

    async def report() -> None:
        # Report before the event loop ends, which may wait for a task that cannot be cancelled.
        try:
            ended.set_result(await work())
        except Exception as error:
            ended.set_exception(error)

    def target() -> None:
        try:
            asyncio.run(report())
        except BaseException as error:
            if not ended.done():
                text = f"the load ended with {error!r}; only a LoaderError says what failed"
                ended.set_exception(AssertionError(text))

    # A loader may block its thread for ever: with a daemon, the tests go on, and Python can end.
    thread = Thread(target=target, name="pyloader.testing", daemon=True)
    thread.start()
    wait([ended], seconds)
    if not ended.done():
        raise AssertionError(
            f"the loader holds the interpreter for more than {seconds:g} seconds, so that no other "
            "load can go on and this one cannot be cancelled: await what takes long, and never "
            f"call time.sleep. It is at:\n{where(thread)}"
        )
    thread.join(GRACE_SECONDS)
    return ended.result()


def where(thread: Thread) -> str:
    """Return the lines of code that a thread runs now."""
    frame = sys._current_frames().get(thread.ident or 0)
    return "".join(traceback.format_stack(frame)[-6:]) if frame else ""


async def within(seconds: float, work: Awaitable[Value]) -> Value:
    """Await `work` for a limited time.

    Raises
    ------
    AssertionError
        It takes longer than `seconds`.
    """
    task = asyncio.ensure_future(work)
    # `run` reports an exception that ends Python; reading it here avoids a second report.
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        shown = "".join(map(suspended, asyncio.all_tasks() - {asyncio.current_task()}))
        task.cancel()
        raise AssertionError(
            f"the load has not ended after {seconds:g} seconds: it waits for something that does "
            f"not come (`seconds` of the contract sets how long it may take). It is at:\n{shown}"
        )
    return task.result()


def suspended(task: asyncio.Task[Any]) -> str:
    """Return the lines of code where a task waits."""
    lines = []
    awaited: Any = task.get_coro()
    while frame := getattr(awaited, "cr_frame", None):
        lines += traceback.format_stack(frame, limit=1)
        awaited = awaited.cr_await
    return "".join(lines[-3:])


async def others_end(seconds: float) -> list[str]:
    """Wait until no other task runs; return the coroutines of those that still do at the end."""
    current = asyncio.current_task()
    deadline = asyncio.get_running_loop().time() + seconds
    while others := asyncio.all_tasks() - {current}:
        if asyncio.get_running_loop().time() > deadline:
            return [repr(task.get_coro()) for task in others]
        await asyncio.sleep(0.005)
    return []
