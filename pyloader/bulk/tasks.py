"""Load a batch of images in one process, several requests at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from itertools import islice
from threading import Event, Lock, Thread
from typing import Any

from pyloader import errors
from pyloader.authors import format_traceback
from pyloader.cache import Cache
from pyloader.context import Context
from pyloader.custom import define_loaders
from pyloader.errors import CustomLoaderError, LoaderError
from pyloader.image import Image
from pyloader.load import CACHE_BYTES, load_image
from pyloader.network import Network
from pyloader.transport.native import NativeTransport
from pyloader.wire import user_failure

# Images that may be fetched while another is decoded.
AHEAD = 8
CLOSING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Job:
    """The work to do with each image.

    Attributes
    ----------
    function : Image -> anything, or None
    loaders : tuple of (str, str)
        Name and source of loader files to run first.
    """

    function: Callable[[Image], Any] | None
    loaders: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The outcome of an image that failed."""

    error: LoaderError


class Loads:
    """Load images in this process, in a thread of its own with its own event loop.

    So it works where another event loop runs, and from several threads.
    """

    def __init__(self) -> None:
        # Not the cache and the network of `load_image`: those belong to another event loop.
        self.context = Context(Network(NativeTransport()), Cache(CACHE_BYTES))
        self._defined: dict[str, str] = {}
        self._lock = Lock()
        self._has_begun = Event()
        self._thread = Thread(target=self._run, name="pyloader.bulk", daemon=True)
        self._thread.start()
        self._has_begun.wait()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._has_begun.set()
        await self._end.wait()

    def close(self) -> None:
        """Cancel all loads, and end the thread."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(CLOSING_SECONDS)

    def define(self, loaders: Sequence[tuple[str, str]]) -> None:
        """Run loader files that have not been run in this process."""
        with self._lock:
            for name, source in loaders:
                if self._defined.get(name) != source:
                    define_loaders(name, source)
                    self._defined[name] = source

    def outcomes(self, job: Job, image_ids: Iterable[str]) -> Iterator[Any]:
        """Yield the outcome of each image: its result, or `Failed`."""
        self.define(job.loaders)
        for image_id, loading in self._begin(image_ids):
            try:
                image = loading.result()
                yield image if job.function is None else job.function(image)
            except LoaderError as error:
                error.image_id = error.image_id or image_id
                yield Failed(error)
            except Exception as error:
                yield Failed(failure(image_id, error))

    def _begin(self, image_ids: Iterable[str]) -> Iterator[tuple[str, Future[Image]]]:
        """Yield imageIds and their loads; up to `AHEAD` loads start early."""
        waiting: deque[tuple[str, Future[Image]]] = deque()
        rest = iter(image_ids)
        try:
            while True:
                for image_id in islice(rest, AHEAD - len(waiting)):
                    loading = load_image(image_id, self.context)
                    future = asyncio.run_coroutine_threadsafe(loading, self._loop)
                    waiting.append((image_id, future))
                if not waiting:
                    return
                yield waiting[0]
                waiting.popleft()
        finally:
            for _, future in waiting:
                future.cancel()


def failure(image_id: str, error: Exception) -> CustomLoaderError:
    """Return the error for an exception of a user's function."""
    failed = CustomLoaderError(
        f"the function given to load_images failed on {image_id!r}: {type(error).__name__}: {error}"
    )
    failed.image_id = image_id
    failed.__cause__ = error
    return failed


LOCK = Lock()


@cache
def loads_of_process() -> Loads:
    """Return the `Loads` of a worker's process; its cache lasts from one batch to the next."""
    return Loads()


def run_batch(job: Job, image_ids: Sequence[str]) -> list[Any]:
    """Load a batch in a worker's process; make its errors portable."""
    with LOCK:
        loads = loads_of_process()
    try:
        found = list(loads.outcomes(job, image_ids))
    except LoaderError as error:
        raise portable(error) from None
    return [Failed(portable(each.error)) if isinstance(each, Failed) else each for each in found]


def portable(error: LoaderError) -> LoaderError:
    """Return an error that any process can unpickle: a class of pyloader, its cause as a note.

    A user's own class may exist in the worker alone.
    """
    kind = next(each for each in type(error).__mro__ if each.__module__ == errors.__name__)
    attributes = {
        name: value
        for name, value in vars(error).items()
        if isinstance(value, (str, int, type(None)))
    }
    found: LoaderError = errors.restore(kind, (str(error),), attributes)
    for note in getattr(error, "__notes__", ()):
        found.add_note(note)
    cause = user_failure(error)
    if cause is not None:
        found.add_note(format_traceback(cause))
    return found
