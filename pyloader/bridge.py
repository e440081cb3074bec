"""The functions that `web/worker.js` calls, in Pyodide only. Each returns plain JavaScript values.

Python errors are caught here and cross as ``{error}``; nothing is raised into JavaScript.
"""

from __future__ import annotations

import asyncio
import linecache
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from textwrap import dedent
from types import ModuleType
from typing import Any

from js import Object
from pyodide.ffi import to_js

from pyloader.cache import Cache
from pyloader.context import Context, Listener
from pyloader.dicom.instance import parse_json
from pyloader.dicom.modules import header
from pyloader.errors import CustomLoaderError
from pyloader.load import load_image, load_metadata
from pyloader.loaders import image_loaders
from pyloader.pixels.delivery import Delivery, deliver
from pyloader.transport import Transport
from pyloader.transport.browser import BrowserTransport
from pyloader.wire import modules_of, wire_error, wire_image, wire_modules

# pydicom logs what it also raises or warns of; both reach the page as errors and image.warnings.
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)


def as_object(value: Any) -> Any:
    """Return plain values as JavaScript objects; arrays are copied out of the heap once."""
    return to_js(value, dict_converter=Object.fromEntries)


class Clock:
    """Tells the time of a load: until its last answer had come, and from then on."""

    def __init__(self, js_listener: Any) -> None:
        self.js_listener = js_listener
        self.started = self.fetched = time.perf_counter()

    def listen(self, phase: str, url: str, loaded: int, total: int | None) -> None:
        """Pass a report on, and note when an answer has come."""
        if phase == "end":
            self.fetched = time.perf_counter()
        self.js_listener(phase, url, loaded, total)

    def read(self) -> dict[str, float]:
        """Return milliseconds spent fetching, and decoding with all that follows."""
        return {
            "loadMilliseconds": (self.fetched - self.started) * 1000,
            "decodeMilliseconds": (time.perf_counter() - self.fetched) * 1000,
        }


class Bridge:
    """One interpreter's loads.

    Parameters
    ----------
    js_send : JavaScript function
        See `BrowserTransport`.
    cache_bytes : int
        What parsed files may take.
    retries : int
    """

    def __init__(self, js_send: Any, cache_bytes: int, retries: int) -> None:
        self.transport: Transport = BrowserTransport(js_send)
        self.cache = Cache(cache_bytes)
        self.retries = retries
        self.tasks: dict[int, asyncio.Task[Any]] = {}

    async def load(self, call: int, image_id: str, js_options: Any, js_listener: Any) -> Any:
        """Load an image; resolves to ``{image, modules, timing}`` or ``{error}``."""
        options = js_options.to_py()
        clock = Clock(js_listener)

        async def work() -> dict[str, Any]:
            image = await load_image(image_id, self.context(options, clock.listen))
            delivery = Delivery.from_options(options.get("delivery") or {})
            return {
                "image": wire_image(deliver(image, delivery)),
                # Of the image, not of the form in which one viewer wants it.
                "modules": wire_modules(modules_of(image)),
                "timing": clock.read(),
            }

        return await self.answer(call, image_id, work)

    async def metadata(self, call: int, image_id: str, js_options: Any, js_listener: Any) -> Any:
        """Load an image's modules; resolves to ``{modules}`` or ``{error}``."""
        context = self.context(js_options.to_py(), js_listener)

        async def work() -> dict[str, Any]:
            return {"modules": wire_modules(await load_metadata(image_id, context))}

        return await self.answer(call, image_id, work)

    async def read_json(self, call: int, image_id: str, text: str) -> Any:
        """Read the modules of a DICOM JSON data set (PS3.18 F); ``{modules}`` or ``{error}``."""

        async def work() -> dict[str, Any]:
            return {"modules": wire_modules(header(parse_json(text), 0))}

        return await self.answer(call, image_id, work)

    async def define(self, call: int, name: str, source: str) -> Any:
        """Run a user's Python file; resolves to ``{schemes}`` it registered, or ``{error}``."""

        async def work() -> dict[str, Any]:
            return {"schemes": define_loaders(name, source)}

        return await self.answer(call, None, work)

    async def answer(
        self, call: int, image_id: str | None, work: Callable[[], Awaitable[dict[str, Any]]]
    ) -> Any:
        """Run `work` as the task of `call`, so that `cancel` finds it; errors become values."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks[call] = task
        try:
            return as_object(await work())
        except asyncio.CancelledError:
            return as_object({"cancelled": True})
        except BaseException as error:
            return as_object({"error": wire_error(error, image_id)})
        finally:
            del self.tasks[call]

    def cancel(self, call: int) -> None:
        """Cancel the task of `call`, if it still runs."""
        task = self.tasks.get(call)
        if task is not None:
            task.cancel()

    def release(self, source: str) -> None:
        """Let go of a parsed file."""
        self.cache.discard(source)

    def purge(self) -> None:
        """Let go of all parsed files."""
        self.cache.clear()

    def stats(self) -> Any:
        """Return what this interpreter holds."""
        return as_object({"cacheBytes": self.cache.size, "running": len(self.tasks)})

    def context(self, options: dict[str, Any], listener: Listener) -> Context:
        """Return the context of one load."""
        return Context(self.transport, self.cache, options, listener, self.retries)


def define_loaders(name: str, source: str) -> list[str]:
    """Run `source` as the module `name` and return the schemes that it registered.

    Running the same name again replaces what it had registered; if it fails, the old stays.

    Raises
    ------
    CustomLoaderError
        The source has an error or raises.
    """
    # In a page, Python may stand as far to the right as the markup around it.
    source = dedent(source)
    # linecache is where tracebacks find the lines of code that has no file.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    before = image_loaders.drop(name)
    module = ModuleType(name)
    try:
        code = compile(source, name, "exec")
        sys.modules[name] = module
        exec(code, module.__dict__)
    except (Exception, SystemExit) as error:
        image_loaders.drop(name)
        image_loaders.restore(before)
        raise CustomLoaderError(
            f"the Python loader {name!r} cannot be run: {type(error).__name__}: {error}"
        ) from error
    return sorted(image_loaders.owned_by(name))
