"""Single flight, then a byte-bounded LRU: each source is fetched and parsed once for all loads.

A value knows the local files that it was made of. When one of them was written anew, the value is
made anew.
"""

from __future__ import annotations

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

Notify = Callable[..., None]
"""Receives whatever the running work reports; see `Context.fetch`."""


@dataclass(slots=True)
class Flight:
    """One running piece of work and those who wait for it."""

    task: asyncio.Task[Any]
    listeners: list[Notify]


class Flights:
    """Work by key, each run once for all who want it while it runs."""

    def __init__(self) -> None:
        self._running: dict[Hashable, Flight] = {}

    async def join(
        self,
        key: Hashable,
        make: Callable[[Notify], Awaitable[Any]],
        listener: Notify,
        keep: Callable[[Any], None] | None = None,
    ) -> Any:
        """Wait for the work of `key`, begun with `make` when nobody has.

        Each one's `listener` hears its progress, and `keep` is given its value, unless it was
        forgotten meanwhile. A waiter that is cancelled leaves; the last one out cancels the work.
        """
        flight = self._running.get(key) or self._depart(key, make, keep)
        flight.listeners.append(listener)
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.listeners.remove(listener)
            if not flight.listeners and not flight.task.done():
                self._land(key, flight.listeners)
                flight.task.cancel()

    def _depart(
        self,
        key: Hashable,
        make: Callable[[Notify], Awaitable[Any]],
        keep: Callable[[Any], None] | None,
    ) -> Flight:
        # Not the flight itself: what the work holds, such as large bodies, would hold each other.
        listeners: list[Notify] = []

        def notify(*report: Any) -> None:
            for listener in tuple(listeners):
                listener(*report)

        async def work() -> Any:
            try:
                value = await make(notify)
                if keep is not None and self._is_current(key, listeners):
                    keep(value)
                return value
            finally:
                self._land(key, listeners)

        flight = Flight(asyncio.ensure_future(work()), listeners)
        self._running[key] = flight
        return flight

    def _is_current(self, key: Hashable, listeners: list[Notify]) -> bool:
        flight = self._running.get(key)
        return flight is not None and flight.listeners is listeners

    def _land(self, key: Hashable, listeners: list[Notify]) -> None:
        if self._is_current(key, listeners):
            del self._running[key]

    def forget(self, is_meant: Callable[[Hashable], bool]) -> None:
        """Let later callers begin anew; work under way is not stopped, nor kept."""
        for key in [key for key in self._running if is_meant(key)]:
            del self._running[key]


class FileState(Protocol):
    """A file that a value was made of."""

    @property
    def is_current(self) -> bool:
        """True while the file is as it was then."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A value, its bytes, and the files that it was made of."""

    value: Any
    size: int
    files: Iterable[FileState]

    @property
    def is_current(self) -> bool:
        """True while its files are as they were."""
        return all(file.is_current for file in self.files)


class Cache:
    """Values by key, kept up to a number of bytes.

    A key is a source, or a tuple that begins with the source that the value is a part of.

    Parameters
    ----------
    limit : int
        Bytes to keep; the value used last is kept even when it alone is larger, since its other
        frames are likely to be asked for next.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._values: OrderedDict[Hashable, Kept] = OrderedDict()
        self._flights = Flights()

    async def get(
        self,
        key: Hashable,
        make: Callable[[Notify], Awaitable[Any]],
        listener: Notify,
        files: set[FileState] | None = None,
    ) -> Any:
        """Return the value of `key`, made by `make` when it is not there; see `Flights.join`.

        Parameters
        ----------
        files : set, optional
            Where `make` puts the files that it reads. In the end it has those of the value,
            whoever made it. A part of a source is made of the source's files too.
        """
        files = set() if files is None else files
        kept = self._current(key)
        if kept is None:
            source = self._values.get(whole_of(key))
            files.update(source.files if source else ())

            async def work(notify: Notify) -> Kept:
                value = await make(notify)
                return Kept(value, size_of(value), files)

            kept = await self._flights.join(key, work, listener, lambda kept: self._hold(key, kept))
        else:
            self._values.move_to_end(key)
        files.update(kept.files)
        return kept.value

    def _current(self, key: Hashable) -> Kept | None:
        """Return what is kept for a key, None when a file of it was written anew."""
        kept = self._values.get(key)
        if kept is None or kept.is_current:
            return kept
        self.discard(source_of(key))
        return None

    def keep(self, key: Hashable, value: Any, files: Iterable[FileState] = ()) -> None:
        """Keep a value in place of what `key` had; the least recently used go to make room."""
        self._hold(key, Kept(value, size_of(value), tuple(files)))

    def _hold(self, key: Hashable, kept: Kept) -> None:
        self._drop(key)
        self._values[key] = kept
        self.size += kept.size
        self._make_room()

    def _make_room(self) -> None:
        while self.size > self.limit and len(self._values) > 1:
            self._drop(next(iter(self._values)))

    def resize(self, limit: int) -> None:
        """Keep up to another number of bytes from now on."""
        self.limit = limit
        self._make_room()

    def begin_anew(self) -> None:
        """Share no work under way with later callers, nor keep it; what is there stays."""
        self._flights.forget(lambda key: True)

    def has(self, key: Hashable) -> bool:
        """Tell whether there is a value."""
        return self._current(key) is not None

    def peek(self, key: Hashable) -> Any:
        """Return a value that is there, None if none is; that does not count as its use."""
        kept = self._current(key)
        return None if kept is None else kept.value

    def discard(self, source: Hashable) -> None:
        """Let go of a source and its parts; work under way for it is not stopped, nor kept."""
        self.discard_all(lambda other: other == source)

    def discard_all(self, is_meant_source: Callable[[Any], bool]) -> None:
        """Let go of the sources that the function accepts, and of their parts; see `discard`."""

        def is_meant(key: Hashable) -> bool:
            return is_meant_source(source_of(key))

        self._flights.forget(is_meant)
        for key in [key for key in self._values if is_meant(key)]:
            self._drop(key)

    def clear(self) -> None:
        """Let go of everything."""
        self.begin_anew()
        self._values.clear()
        self.size = 0

    def _drop(self, key: Hashable) -> None:
        kept = self._values.pop(key, None)
        self.size -= kept.size if kept else 0


def source_of(key: Hashable) -> Hashable:
    """Return the source that a key names, or begins with."""
    return key[0] if isinstance(key, tuple) and key else key


class Owner(str):
    """The author's file that a key belongs to."""

    __slots__ = ()


def owned(key: Hashable, owner: str) -> Hashable:
    """Return the key of an author's file, which no other file has, of the same source."""
    source, *rest = key if isinstance(key, tuple) and key else (key,)
    return (source, Owner(owner), *rest)


def whole_of(key: Hashable) -> Hashable:
    """Return the key of the whole source of which a key names a part."""
    match key:
        case (source, Owner() as owner, *_):
            return (source, owner)
    return source_of(key)


def size_of(value: Any) -> int:
    """Return the bytes that `value` holds: its ``nbytes`` when it tells, else Python's guess."""
    if isinstance(value, (list, tuple)):
        return sum(map(size_of, value))
    if isinstance(value, dict):
        return sum(map(size_of, value.values()))
    nbytes = getattr(value, "nbytes", None)
    return nbytes if isinstance(nbytes, int) else sys.getsizeof(value)
