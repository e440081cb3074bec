"""The functions that `web/worker/` calls, in Pyodide only. Each returns plain JavaScript values.

Python errors are caught here and cross as ``{error}``; nothing is raised into JavaScript.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import random
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.machinery import PathFinder
from typing import Any

import numpy as np
from js import JSON, AbortController, Object, queueMicrotask
from numpy.typing import NDArray
from pyodide.code import find_imports
from pyodide.ffi import create_once_callable, to_js

from pyloader.browser import urllib_patch
from pyloader.browser.console import Console
from pyloader.browser.event_loop import CallQueue
from pyloader.browser.fetch import BrowserTransport
from pyloader.browser.lazy_imports import defer
from pyloader.browser.offload import Loan, borrow_frame, lend_frame
from pyloader.browser.reply import BATCH_SECONDS, Clock, answer_of, batch, failed_of
from pyloader.cache import Cache, start_task
from pyloader.context import Context, speaker
from pyloader.custom import define_loaders
from pyloader.dicom.json.reader import parse_json
from pyloader.dicom.modules import header
from pyloader.dicomweb.search import open_series, search
from pyloader.imageid import ImageId
from pyloader.load import list_image_ids, list_series, load_metadata, load_of_source
from pyloader.loaders.wadouri.source import list_files
from pyloader.network import Listener, Network
from pyloader.transport import Response
from pyloader.wire import error_from, plain, wire_error, wire_modules

# pydicom logs what it also raises or warns of; both reach the page as errors and image.warnings.
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)

JSON_TEXT = json.JSONEncoder(allow_nan=False)


def as_object(value: Any) -> Any:
    """Return plain values as JavaScript objects; arrays are copied out of the heap once."""
    try:
        # Takes a tenth of the time of `to_js`.
        return JSON.parse(JSON_TEXT.encode(value))
    except (TypeError, ValueError):  # arrays, objects of JavaScript; NaN
        return to_js(value, dict_converter=Object.fromEntries)


def call_within_turn(function: Callable[[], None]) -> None:
    """Call a Python function as a microtask, after the JavaScript code that runs now."""
    queueMicrotask(create_once_callable(function, _may_syncify=True))


class Bridge:
    """The loads of one interpreter.

    Parameters
    ----------
    js_page : JavaScript object
        Functions of the page: ``send`` (see `BrowserTransport`), ``describe(source)``,
        ``install(requirement)`` and ``decode(body, mediaType, frameIndex)`` (see `Host`),
        ``bringNow(name)`` and ``deferred``, the archive's name by module (see `defer`),
        ``authorize(url, sent)`` (see `Network`), ``print(level, name, text)``.
    js_settings : JavaScript object
        ``cacheBytes``, the limit for parsed files; ``decodedBytes``, for one image or volume;
        ``retries``, ``requestTimeout`` (ms).
    """

    def __init__(self, js_page: Any, js_settings: Any) -> None:
        self.js_page = js_page
        self.network = Network(
            BrowserTransport(js_page.send),
            requests_per_origin=math.inf,  # `send` limits them, with those that it begins ahead
            authorize=js_page.authorize,
        )
        self.cache = Cache(js_settings.cacheBytes)
        self.configure(js_settings, False)
        self.tasks: dict[int, asyncio.Task[Any]] = {}
        self.waiting: dict[int, asyncio.Task[Any]] = {}
        loop = asyncio.get_event_loop()
        loop.call_soon = CallQueue(loop, call_within_turn).call_soon  # type: ignore[method-assign, assignment]
        sys.stdout = Console(lambda name, text: js_page.print("info", name, text))
        sys.stderr = Console(lambda name, text: js_page.print("warn", name, text))
        random.seed()  # a memory snapshot has the random state of its maker
        defer(js_page.deferred.to_py(), js_page.bringNow)
        urllib_patch.enable(lambda: js_page.bringNow("pyodide-http"))

    def configure(self, js_settings: Any, is_other: bool) -> None:
        """Apply settings; `is_other` means that the user's identity has changed, see `Network`.

        Cached values stay. If the identity has changed, running work is not shared with later
        loads, nor kept.
        """
        self.network.retries = js_settings.retries
        self.network.timeout = js_settings.requestTimeout / 1000 or None
        self.cache.resize(js_settings.cacheBytes)
        # zlib takes neither infinity nor numbers beyond `sys.maxsize`.
        self.decoded_bytes = int(min(js_settings.decodedBytes, sys.maxsize - 1))
        if is_other:
            self.network.begin_anew()
            self.cache.begin_anew()

    async def load(self, call: int, image_id: str, js_job: Any, js_listener: Any) -> Any:
        """Load an image; resolves to ``{loads, arrays}`` of this one load, see `as_loads`.

        The ``batch`` of the job names further images of the source. The first of them that are
        ready and quickly made come along; see `batch`.
        """
        clock = Clock(js_listener)
        return as_loads([await self.load_of(call, image_id, js_job.to_py(), clock)])

    def load_arrived(self, text: str, js_bodies: Any, js_listeners: Any) -> Any:
        """Load images whose files have arrived; return ``{loads, arrays}``, see `as_loads`.

        The images are made one after another, without a step of the event loop. When they take
        long, there are fewer loads than were asked for: the caller asks for the others again. A
        load that waits for something else is ``{waits: true}``; `finish` waits for it.

        Parameters
        ----------
        text : str
            JSON: a list of ``{call, imageId, url, head, job, waited}``. `head` is the response
            without its body, `waited` the milliseconds that the load has taken.
        js_bodies : JavaScript array of Uint8Array
        js_listeners : JavaScript array of functions
        """
        started = time.perf_counter()
        found: list[dict[str, Any]] = []
        for asked, js_body, js_listener in zip(
            json.loads(text), js_bodies, js_listeners, strict=True
        ):
            try:
                found.append(self.load_of_response(asked, js_body.to_bytes(), js_listener))
            except MemoryError as error:  # of its body: the others may have room
                found.append({"error": wire_error(error, asked["imageId"])})
            if time.perf_counter() - started > BATCH_SECONDS:
                break
        return as_loads(found)

    def load_of_response(
        self, asked: dict[str, Any], body: bytes, listener: Listener
    ) -> dict[str, Any]:
        """Return the value of `load_of`, or ``{waits}``; a row of `load_arrived`, and its body."""
        url: str = asked["url"]
        self.network.arrived[url] = Response(**asked["head"], body=body)
        clock = Clock(listener, asked["waited"] / 1000)
        task = start_task(self.load_of(asked["call"], asked["imageId"], asked["job"], clock))
        if not task.done():
            task.add_done_callback(lambda _: self.network.arrived.pop(url, None))
            self.waiting[asked["call"]] = task
            return {"waits": True}
        self.network.arrived.pop(url, None)
        return task.result()

    async def finish(self, call: int) -> Any:
        """Wait for a load of `load_arrived` that was not done; resolves as `load`."""
        return as_loads([await self.waiting.pop(call)])

    async def load_of(
        self, call: int, image_id: str, job: dict[str, Any], clock: Clock
    ) -> dict[str, Any]:
        """Return ``{answers, isReady}``, ``{error}`` or ``{cancelled}`` of a load."""
        context = self.context(job, clock.listen)

        async def work() -> dict[str, Any]:
            image, source = await load_of_source(image_id, context)
            answers = [answer_of(image, context, clock)]
            if source.ready(ImageId.parse(image_id)) is None:
                return {"answers": answers}
            if further := job.get("batch"):
                size = image.pixels.nbytes
                answers += batch(further, source, size, context, job["canOffload"])
            return {"answers": answers, "isReady": True}

        return await self.outcome(call, [image_id], work)

    async def lend(
        self, call: int, image_id: str, known: str | None, js_job: Any, js_listener: Any
    ) -> Any:
        """Lend a frame to another worker; resolves to ``{loan}``, nothing when it cannot be lent,
        or ``{error}``; see `lend_frame`."""
        context = self.context(js_job.to_py(), js_listener)

        async def work() -> dict[str, Any]:
            loan = await lend_frame(image_id, context, known)
            return {"loan": loan and loan.fields}

        return await self.answer(call, [image_id], work)

    async def borrow(
        self, call: int, image_id: str, js_loan: Any, js_job: Any, js_listener: Any
    ) -> Any:
        """Decode a frame that `lend` of another worker returned; resolves as `load`."""
        clock = Clock(js_listener)
        context = self.context(js_job.to_py(), clock.listen)
        header = js_loan.header and js_loan.header.to_bytes()
        loan = Loan(js_loan.token, header, js_loan.frame.to_bytes())

        async def work() -> dict[str, Any]:
            image = await borrow_frame(loan, image_id, context)
            return {"answers": [answer_of(image, context, clock)]}

        return as_loads([await self.outcome(call, [image_id], work)])

    async def metadata(self, call: int, js_image_ids: Any, js_job: Any, js_listener: Any) -> Any:
        """Load the modules of images of one source; resolves to ``{found}``, a list of them, or
        ``{error}``."""
        context = self.context(js_job.to_py(), js_listener)
        image_ids: list[str] = js_image_ids.to_py()

        async def work() -> dict[str, Any]:
            # In sequence: the first fetches the source, the others find it in the cache.
            return {
                "found": [wire_modules(await load_metadata(each, context)) for each in image_ids]
            }

        return await self.answer(call, image_ids, work)

    async def read_json(self, call: int, js_image_ids: Any, js_texts: Any) -> Any:
        """Read the modules of DICOM JSON data sets (PS3.18 F); resolves to ``{found}``.

        Each of `found` is ``{modules}`` or ``{error}``.
        """
        image_ids: list[str] = js_image_ids.to_py()
        texts: list[str] = js_texts.to_py()

        async def work() -> dict[str, Any]:
            found = map(read_json_modules, image_ids, texts)
            return {"found": list(found)}

        return await self.answer(call, image_ids, work)

    async def search(self, call: int, url: str, js_job: Any, js_listener: Any) -> Any:
        """Search a DICOMweb service; resolves to ``{found}``, a list, or ``{error}``."""
        context = self.context(js_job.to_py(), js_listener)

        async def work() -> dict[str, Any]:
            return {"found": plain(await search(url, context.options, context))}

        return await self.answer(call, [], work)

    async def series(self, call: int, url: str, js_job: Any, js_listener: Any) -> Any:
        """Fetch the metadata of a series; resolves to ``{instances}`` in order, or ``{error}``."""
        context = self.context(js_job.to_py(), js_listener)

        async def work() -> dict[str, Any]:
            return {"instances": await open_series(url, context)}

        return await self.answer(call, [], work)

    async def image_ids(self, call: int, source: str, js_job: Any, js_listener: Any) -> Any:
        """List the images of a source; resolves to ``{found}``, imageIds, or ``{error}``."""
        context = self.context(js_job.to_py(), js_listener)

        async def work() -> dict[str, Any]:
            return {"found": await list_image_ids(source, context)}

        return await self.answer(call, [source], work)

    async def listing(
        self, call: int, source: str, js_files: Any, js_job: Any, js_listener: Any
    ) -> Any:
        """List the images of a source, or of files as ``[imageId, path]``, by series; resolves to
        ``{found}``, a list, or ``{error}``."""
        context = self.context(js_job.to_py(), js_listener)

        async def work() -> dict[str, Any]:
            if js_files:
                return {"found": plain(await list_files(js_files.to_py(), context))}
            return {"found": plain(await list_series(source, context))}

        return await self.answer(call, [source], work)

    async def define(self, call: int, name: str, source: str) -> Any:
        """Run a user's Python file; resolves to ``{schemes}`` it registered, or ``{error}``.

        When it replaces an earlier file of the same name, the cache is cleared.
        """

        async def work() -> dict[str, Any]:
            if name in sys.modules:
                self.cache.clear()
            token = speaker.set(name)
            try:
                return {"schemes": define_loaders(name, source)}
            finally:
                speaker.reset(token)

        return await self.answer(call, [], work)

    async def answer(
        self, call: int, image_ids: list[str], work: Callable[[], Awaitable[Any]]
    ) -> Any:
        """Run `work` as the task of `call`; resolves to its value as a JavaScript object."""
        return as_object(await self.outcome(call, image_ids, work))

    async def outcome(
        self, call: int, image_ids: list[str], work: Callable[[], Awaitable[Any]]
    ) -> dict[str, Any]:
        """Run `work` as the task of `call`, so that `cancel` finds it; errors become values."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks[call] = task
        try:
            found: dict[str, Any] = await work()
            return found
        except asyncio.CancelledError:
            return {"cancelled": True}
        except BaseException as error:
            return {"error": wire_error(error, failed_of(image_ids, error))}
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            del self.tasks[call]

    def cancel(self, call: int) -> None:
        """Cancel the task of `call`, if it still runs."""
        task = self.tasks.get(call)
        if task is not None:
            task.cancel()

    def release(self, source: str) -> None:
        """Drop a parsed file."""
        self.cache.discard(source)

    def withdraw(self, name: str) -> None:
        """Drop everything that was made from a file of the user, ``localfile:…``."""
        _, _, rest = name.partition(":")
        self.cache.discard_all(lambda source: str(source).endswith(f":{rest}"))

    def purge(self) -> None:
        """Drop all parsed files."""
        self.cache.clear()

    def stats(self) -> Any:
        """Return the bytes in the cache and the number of running calls."""
        return as_object({"cacheBytes": self.cache.size, "running": len(self.tasks)})

    def context(self, job: dict[str, Any], listener: Listener) -> Context:
        """Return the context of one load."""
        return Context(
            self.network,
            self.cache,
            job.get("options", {}),
            listener,
            urgency=tuple(job.get("urgency", (0, 0))),
            upcoming=tuple(job.get("upcoming", ())),
            host=self,
            decoded_bytes=self.decoded_bytes,
        )

    async def describe(self, source: str, asks_anew: bool) -> dict[str, Any] | None:
        """Ask the page for the metadata of an image; see `Describe`."""
        js_controller = AbortController.new()
        try:
            js_description = await self.js_page.describe(source, asks_anew, js_controller.signal)
        finally:
            js_controller.abort()
        found: dict[str, Any] | None = js_description.to_py() if js_description else None
        if found and "error" in found:
            raise error_from(found["error"])
        return found

    async def install(self, requirement: str) -> None:
        """Have the page install a Python package; see `Host`."""
        js_error = await self.js_page.install(requirement)
        if js_error:
            raise error_from(js_error.to_py())

    async def add_packages(self, js_requirements: Any, js_page: Any) -> Any:
        """Install packages with micropip, which is loaded; resolves to nothing, or an error."""
        from pyloader.browser.packages import add_packages

        try:
            await add_packages(js_requirements.to_py(), js_page)
        except Exception as error:
            return as_object(wire_error(error, None))

    def limit_micropip(self, js_indexes: Any) -> None:
        """Restrict micropip, just loaded, to the page's package indexes."""
        from pyloader.browser.packages import limit_micropip

        limit_micropip(js_indexes.to_py())

    def lacking_imports(self, source: str) -> Any:
        """Return the top-level modules that a source imports and that are not installed."""
        names = {name.partition(".")[0] for name in find_imports(source)} - sys.modules.keys()
        return to_js([name for name in names if PathFinder.find_spec(name) is None])

    async def decode(self, body: bytes, media_type: str, frame_index: int) -> NDArray[np.uint8]:
        """Have the browser decode a web image; see `Host`."""
        js_frame = await self.js_page.decode(to_js(body), media_type, frame_index)
        if hasattr(js_frame, "error"):
            raise error_from(js_frame.error.to_py())
        shape = (js_frame.rows, js_frame.columns, 4)
        return np.frombuffer(js_frame.pixels.to_bytes(), "u1").reshape(shape)


def read_json_modules(image_id: str, text: str) -> dict[str, Any]:
    """Return ``{modules}`` of a DICOM JSON data set, or ``{error}``."""
    try:
        return {"modules": wire_modules(header(parse_json(text), 0))}
    except Exception as error:
        return {"error": wire_error(error, image_id)}


def as_loads(loads: list[dict[str, Any]]) -> Any:
    """Return ``{loads, arrays}`` as a JavaScript object: of each load the arrays of its answers.

    A load is ``{answers, isReady}``, ``{error}`` or ``{cancelled}``; an answer is the value of
    `answer_of`, or ``{error}``.
    """
    arrays = [[answer.pop("arrays", {}) for answer in load.get("answers", ())] for load in loads]
    js_found = as_object({"loads": loads})
    js_found.arrays = to_js(arrays, dict_converter=Object.fromEntries)
    return js_found
