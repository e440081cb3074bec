"""Single flight, then a byte-bounded LRU: each source is fetched and parsed once for all loads.

An entry records the local files that its value was made from. When one of them changes on disk, the
value is made again.
"""

from __future__ import annotations

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

Value = TypeVar("Value")
Notify = Callable[..., None]
"""Receives the progress of the running work; see `pyloader.network.Listener`."""


@dataclass(slots=True)
class Flight:
    """One running piece of work, and the listeners of the callers that wait for it."""

    listeners: list[Notify]
    task: asyncio.Task[Any] | None = None


def start_task(work: Coroutine[Any, Any, Value]) -> asyncio.Task[Value]:
    """Run a coroutine as a task, from Python 3.12 on at once until it waits for the first time.

    Work whose bytes are here already then ends without a turn of the event loop.
    """
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
    return asyncio.ensure_future(work)


class Flights:
    """Single flight: callers that want work of the same key share it while it runs."""

    def __init__(self) -> None:
        self._running: dict[Hashable, Flight] = {}

    async def join(
        self,
        key: Hashable,
        make: Callable[[Notify], Awaitable[Any]],
        listener: Notify,
        keep: Callable[[Any], None] | None = None,
    ) -> Any:
        """Wait for the work of `key`; start it with `make` if it is not running.

        The `listener` of every waiter receives the progress. `keep` gets the value, unless `forget`
        was called meanwhile. A cancelled waiter leaves; when the last one leaves, the work is
        cancelled.
        """
        flight = self._running.get(key)
        if flight is None:
            flight = self._start(key, make, listener, keep)
        else:
            flight.listeners.append(listener)
        try:
            if flight.task is None:  # it asks for its own key before it has waited once
                await asyncio.sleep(0)
            assert flight.task is not None
            return await asyncio.shield(flight.task)
        finally:
            flight.listeners.remove(listener)
            if not flight.listeners and flight.task and not flight.task.done():
                self._finish(key, flight.listeners)
                flight.task.cancel()

    def _start(
        self,
        key: Hashable,
        make: Callable[[Notify], Awaitable[Any]],
        listener: Notify,
        keep: Callable[[Any], None] | None,
    ) -> Flight:
        # Close over this list, not over the flight: a reference cycle would keep bodies in memory.
        listeners = [listener]

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
                self._finish(key, listeners)

        flight = self._running[key] = Flight(listeners)
        flight.task = start_task(work())
        return flight

    def _is_current(self, key: Hashable, listeners: list[Notify]) -> bool:
        flight = self._running.get(key)
        return flight is not None and flight.listeners is listeners

    def _finish(self, key: Hashable, listeners: list[Notify]) -> None:
        if self._is_current(key, listeners):
            del self._running[key]

    def forget(self, is_meant: Callable[[Hashable], bool]) -> None:
        """Make later callers start their own work; running work goes on, its value is not kept."""
        for key in [key for key in self._running if is_meant(key)]:
            del self._running[key]


class FileState(Protocol):
    """A file that a value was made from."""

    @property
    def is_current(self) -> bool:
        """True while the file is unchanged since it was read."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A cached value, its size in bytes, and the files that it was made from."""

    value: Any
    size: int
    files: Iterable[FileState]

    @property
    def is_current(self) -> bool:
        """True while its files are unchanged."""
        return all(file.is_current for file in self.files)


class Cache:
    """Values by key, up to a number of bytes; the least recently used are evicted first.

    A key is a source, or a tuple that begins with the source that the value belongs to.

    Parameters
    ----------
    limit : int
        Bytes to keep. The most recently used value stays even when it alone is larger: its other
        frames are likely to be needed next.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._values: OrderedDict[Hashable, Entry] = OrderedDict()
        self._flights = Flights()

    async def get(
        self,
        key: Hashable,
        make: Callable[[Notify], Awaitable[Any]],
        listener: Notify,
        files: set[FileState] | None = None,
    ) -> Any:
        """Return the value of `key`, made by `make` if it is not cached; see `Flights.join`.

        Parameters
        ----------
        files : set, optional
            The set to which `make` adds the files that it reads. On return it has the files of the
            value, even if another caller made it. A part of a source includes the source's files.
        """
        files = set() if files is None else files
        kept = self._current(key)
        if kept is None:
            source = self._values.get(whole_of(key))
            files.update(source.files if source else ())

            async def work(notify: Notify) -> Entry:
                value = await make(notify)
                return Entry(value, size_of(value), files)

            kept = await self._flights.join(key, work, listener, lambda kept: self._hold(key, kept))
        else:
            self._values.move_to_end(key)
        files.update(kept.files)
        return kept.value

    def _current(self, key: Hashable) -> Entry | None:
        """Return the entry of a key; None if there is none, or if one of its files has changed."""
        kept = self._values.get(key)
        if kept is None or kept.is_current:
            return kept
        self.discard(source_of(key))
        return None

    def keep(self, key: Hashable, value: Any, files: Iterable[FileState] = ()) -> None:
        """Store a value under `key` in place of any other; evict the least recently used."""
        self._hold(key, Entry(value, size_of(value), tuple(files)))

    def _hold(self, key: Hashable, kept: Entry) -> None:
        self._drop(key)
        self._values[key] = kept
        self.size += kept.size
        self._make_room()

    def _make_room(self) -> None:
        while self.size > self.limit and len(self._values) > 1:
            self._drop(next(iter(self._values)))

    def resize(self, limit: int) -> None:
        """Change the limit in bytes, and evict values beyond it."""
        self.limit = limit
        self._make_room()

    def begin_anew(self) -> None:
        """Stop sharing running work with later callers, and do not keep it; cached values stay."""
        self._flights.forget(lambda key: True)

    def has(self, key: Hashable) -> bool:
        """Return whether a current value is cached."""
        return self._current(key) is not None

    def peek(self, key: Hashable) -> Any:
        """Return a cached value, or None; this does not count as a use of it."""
        kept = self._current(key)
        return None if kept is None else kept.value

    def discard(self, source: Hashable) -> None:
        """Drop a source and its parts; running work for it goes on, but its value is not kept."""
        self.discard_all(lambda other: other == source)

    def discard_all(self, is_meant_source: Callable[[Any], bool]) -> None:
        """Drop the sources that the function accepts, and their parts; see `discard`."""

        def is_meant(key: Hashable) -> bool:
            return is_meant_source(source_of(key))

        self._flights.forget(is_meant)
        for key in [key for key in self._values if is_meant(key)]:
            self._drop(key)

    def clear(self) -> None:
        """Drop everything."""
        self.begin_anew()
        self._values.clear()
        self.size = 0

    def _drop(self, key: Hashable) -> None:
        kept = self._values.pop(key, None)
        self.size -= kept.size if kept else 0


def source_of(key: Hashable) -> Hashable:
    """Return the source that a key is, or begins with."""
    return key[0] if isinstance(key, tuple) and key else key


class Owner(str):
    """The name of the author's file that a key belongs to."""

    __slots__ = ()


def owned(key: Hashable, owner: str) -> Hashable:
    """Return a key of the same source that is private to one author's file."""
    source, *rest = key if isinstance(key, tuple) and key else (key,)
    return (source, Owner(owner), *rest)


def whole_of(key: Hashable) -> Hashable:
    """Return the key of the whole source, for a key that may name a part of it."""
    match key:
        case (source, Owner() as owner, *_):
            return (source, owner)
    return source_of(key)


def size_of(value: Any) -> int:
    """Return the bytes that `value` holds: its ``nbytes`` if it has one, else Python's guess."""
    if isinstance(value, (list, tuple)):
        return sum(map(size_of, value))
    if isinstance(value, dict):
        return sum(map(size_of, value.values()))
    nbytes = getattr(value, "nbytes", None)
    return nbytes if isinstance(nbytes, int) else sys.getsizeof(value)
