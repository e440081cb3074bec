"""What is answered to the page's question for an image: it, and others of its source along with it.

Plain values, and arrays by name; `bridge.py` hands them over.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pyloader.context import Context
from pyloader.image import Image
from pyloader.load import load_image
from pyloader.network import Listener
from pyloader.pixels.output.delivery import Delivery, deliver
from pyloader.wire import modules_of, wire_error, wire_image, wire_modules

# What one answer may have of images that came along. The page takes it in one turn, and shows none
# of it before all is there.
COMPANY_BYTES = 4 << 20
COMPANY_SECONDS = 0.03
# What an image takes that others should help with, for certain: twice what `web/route.js` has,
# since one look can be mistaken.
WORTH_SECONDS = 0.008


class Clock:
    """Tells the time of a load: until its last answer had come, and from then on."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.started = self.fetched = time.perf_counter()

    def listen(self, phase: str, *report: Any) -> None:
        """Pass a report on, and note when an answer has come."""
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
    """Return what crosses to the page of an image: ``{image, modules, timing, arrays}``."""
    delivery = Delivery.from_options(context.options.get("delivery") or {})
    wired = wire_image(deliver(image, delivery))
    arrays = {name: wired.pop(name) for name in ("pixels", "exact") if name in wired}
    # The modules are of the image, not of the form in which one viewer wants it.
    modules = wire_modules(modules_of(image))
    return {"image": wired, "modules": modules, "timing": clock.read(), "arrays": arrays}


async def company(
    image_ids: Sequence[str], image_bytes: int, context: Context, has_helpers: bool
) -> list[dict[str, Any]]:
    """Return what crosses to the page of images that came along, until it is much or took long.

    One that is worth to be lent is the last, when there are other workers.

    Parameters
    ----------
    image_bytes : int
        What an image of the source has.
    """
    started = before = time.perf_counter()
    found: list[dict[str, Any]] = []
    for image_id in image_ids[: COMPANY_BYTES // image_bytes]:
        found.append(await accompany(image_id, context))
        now = time.perf_counter()
        if now - started > COMPANY_SECONDS or (has_helpers and now - before >= WORTH_SECONDS):
            break
        before = now
    return found


async def accompany(image_id: str, context: Context) -> dict[str, Any]:
    """Return what crosses to the page of an image that came along with another, or ``{error}``."""
    clock = Clock(context.listener)
    try:
        return answer_of(await load_image(image_id, context), context, clock)
    except Exception as error:
        return {"error": wire_error(error, image_id)}


def failed_of(image_ids: list[str], error: BaseException) -> str | None:
    """Return which of the imageIds failed; an error may name another that they asked for."""
    named = getattr(error, "image_id", None)
    return named if named in image_ids else next(iter(image_ids), None)
