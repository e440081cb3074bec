"""A viewer of one DICOMweb service: it loads frames and metadata with one cache."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from pyloader import Context, Image, load_image, load_metadata
from pyloader.cache import Cache
from pyloader.dicom.parse import parse_part10
from pyloader.host import PlainHost
from pyloader.loaders.instance_source import make_image
from pyloader.network import Network
from pyloader.transport.native import NativeTransport


class Viewer:
    """Loads frames of one service, with one cache."""

    def __init__(self, retries: int = 2, timeout: float | None = None, **options: Any) -> None:
        self.network = Network(NativeTransport(), retries=retries, timeout=timeout)
        self.cache = Cache(1 << 28)
        self.options = options
        self.host = PlainHost()

    def context(self, *upcoming: int) -> Context:
        """Return the context of a load."""
        return Context(self.network, self.cache, self.options, upcoming=upcoming, host=self.host)

    async def image(self, instance: str, number: int = 1, *upcoming: int) -> Image:
        """Load a frame, from 1, before which others were announced."""
        image_id = f"wadors:{instance}/frames/{number}"
        return await load_image(image_id, self.context(*[other - 1 for other in upcoming]))

    async def images(self, instance: str, numbers: tuple[int, ...]) -> list[Image]:
        """Load frames at once, each with the others announced."""
        return await asyncio.gather(*[self.image(instance, each, *numbers) for each in numbers])

    async def modules(self, instance: str, number: int = 1) -> Mapping[str, Any]:
        """Load what describes a frame."""
        return await load_metadata(f"wadors:{instance}/frames/{number}", self.context())


@cache
def of_file(body: bytes, number: int) -> np.ndarray:
    """Return the pixels of a frame, from 1, of a file."""
    return make_image(parse_part10(body), number - 1).pixels
