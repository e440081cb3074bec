"""Build the reply to a load request: the image, plus others of its source that are ready.

This is Python's side of batching, with `web/scheduler/batching.js`: several loads of one complete
source in one worker call. All 128 slices of a NIfTI take 0.77 of the time, the 120 frames of a
colour JPEG in one worker 0.82 (`./build.sh bench` against a page that batches nothing).

A reply has plain values, and arrays by name; `bridge.py` hands them over.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pyloader import facts
from pyloader.context import Context
from pyloader.image import Image, modules_of
from pyloader.load import make_of_source
from pyloader.network import Listener
from pyloader.pixels.output.delivery import Delivery, deliver
from pyloader.source import Source
from pyloader.wire import wire_error, wire_image, wire_modules

# Limits for the further images in one reply. The page takes a reply in one turn, and shows none of
# its images before all have arrived.
BATCH_BYTES = 4 << 20
BATCH_SECONDS = 0.03
# An image that takes longer is certainly worth offloading: twice the page's threshold, since a
# single measurement can be wrong.
WORTH_SECONDS = 2 * facts.WORTH_SECONDS


class Clock:
    """Measures the time of a load: until its last response has arrived, and after that.

    Parameters
    ----------
    waited : float, optional
        Seconds that the load has taken already: its response has arrived.
    """

    def __init__(self, listener: Listener, waited: float = 0.0) -> None:
        self.listener = listener
        self.fetched = time.perf_counter()
        self.started = self.fetched - waited

    def listen(self, phase: str, *report: Any) -> None:
        """Pass a report on, and note the time when a response has arrived."""
        if phase == "end":
            self.fetched = time.perf_counter()
        self.listener(phase, *report)

    def read(self) -> dict[str, float]:
        """Return milliseconds spent fetching, and decoding with all that follows."""
        return {
            "loadMilliseconds": (self.fetched - self.started) * 1000,
            "decodeMilliseconds": (time.perf_counter() - self.fetched) * 1000,
        }


def answer_of(image: Image, context: Context, clock: Clock) -> dict[str, Any]:
    """Return the reply for an image: ``{image, modules, timing, arrays}``."""
    delivery = Delivery.from_options(context.options.get("delivery") or {})
    wired = wire_image(deliver(image, delivery))
    arrays = {name: wired.pop(name) for name in ("pixels", "exact") if name in wired}
    # The modules describe the image itself, not the form in which one viewer wants it.
    modules = wire_modules(modules_of(image))
    return {"image": wired, "modules": modules, "timing": clock.read(), "arrays": arrays}


def batch(
    image_ids: Sequence[str],
    source: Source,
    image_bytes: int,
    context: Context,
    has_helpers: bool,
) -> list[dict[str, Any]]:
    """Return the replies for further images of a source, within limits of bytes and time.

    Stop before the first image that is not ready. If other workers exist, stop after the first
    image slow enough to be worth offloading.

    Parameters
    ----------
    image_bytes : int
        Size of an image of the source.
    """
    started = before = time.perf_counter()
    found: list[dict[str, Any]] = []
    for image_id in image_ids[: BATCH_BYTES // image_bytes]:
        reply = reply_of(image_id, source, context)
        if reply is None:
            break
        found.append(reply)
        now = time.perf_counter()
        if now - started > BATCH_SECONDS or (has_helpers and now - before >= WORTH_SECONDS):
            break
        before = now
    return found


def reply_of(image_id: str, source: Source, context: Context) -> dict[str, Any] | None:
    """Return the reply for an image, or ``{error}``; None when the image is not ready."""
    clock = Clock(context.listener)
    try:
        image = make_of_source(image_id, source, context)
        return None if image is None else answer_of(image, context, clock)
    except Exception as error:
        return {"error": wire_error(error, image_id)}


def failed_of(image_ids: list[str], error: BaseException) -> str | None:
    """Return the imageId that failed; an error may name another one, which these loaded."""
    named = getattr(error, "image_id", None)
    return named if named in image_ids else next(iter(image_ids), None)
