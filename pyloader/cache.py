"""What is fetched and parsed once for all who ask: single flight, then a byte-bounded LRU."""

from __future__ import annotations

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

Notify = Callable[..., None]
"""Receives whatever the running work reports; see `Context.fetch`."""


@dataclass(slots=True)
class Flight:
    """One running piece of work and those who wait for it."""

    task: asyncio.Task[Any]
    listeners: list[Notify] = field(default_factory=list)


class Cache:
    """Values by key, kept up to a number of bytes.

    Parameters
    ----------
    limit : int
        Bytes to keep; the value used last is kept even when it alone is larger, since its other
        frames are likely to be asked for next.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._flights: dict[Hashable, Flight] = {}

    async def get(
        self, key: Hashable, make: Callable[[Notify], Awaitable[Any]], listener: Notify
    ) -> Any:
        """Return the value of `key`, made by `make` when it is not there.

        All who ask while it is being made wait for the same work, and each one's `listener`
        hears its progress. A waiter that is cancelled leaves; the last one out cancels the work.
        """
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key][0]
        flight = self._flights.get(key) or self._start(key, make)
        flight.listeners.append(listener)
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.listeners.remove(listener)
            if not flight.listeners and not flight.task.done():
                self._forget(key, flight)
                flight.task.cancel()

    def _start(self, key: Hashable, make: Callable[[Notify], Awaitable[Any]]) -> Flight:
        def notify(*report: Any) -> None:
            for listener in tuple(flight.listeners):
                listener(*report)

        async def work() -> Any:
            try:
                value = await make(notify)
                if self._flights.get(key) is flight:
                    self._keep(key, value)
                return value
            finally:
                self._forget(key, flight)

        flight = Flight(asyncio.ensure_future(work()))
        self._flights[key] = flight
        return flight

    def _forget(self, key: Hashable, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _keep(self, key: Hashable, value: Any) -> None:
        size = size_of(value)
        self._values[key] = (value, size)
        self.size += size
        while self.size > self.limit and len(self._values) > 1:
            _, (_, dropped) = self._values.popitem(last=False)
            self.size -= dropped

    def discard(self, key: Hashable) -> None:
        """Let go of the value of `key`; work under way for it is not stopped, nor kept."""
        self._flights.pop(key, None)
        _, size = self._values.pop(key, (None, 0))
        self.size -= size

    def clear(self) -> None:
        """Let go of everything."""
        for key in [*self._values, *self._flights]:
            self.discard(key)


def size_of(value: Any) -> int:
    """Return the bytes that `value` holds: its ``nbytes`` when it tells, else Python's guess."""
    if isinstance(value, (list, tuple)):
        return sum(map(size_of, value))
    if isinstance(value, dict):
        return sum(map(size_of, value.values()))
    nbytes = getattr(value, "nbytes", None)
    return nbytes if isinstance(nbytes, int) else sys.getsizeof(value)
