"""A format of films, a good loader of it, and changes that make it a bad one."""

from __future__ import annotations

import struct
from typing import ClassVar

import numpy as np

from pyloader.testing import LoaderContract

URL = "https://host/a.film"
PIXELS = np.arange(2 * 3 * 4, dtype="<u2").reshape(2, 3, 4) + 7
LOADER = """
import asyncio
import struct
import time

import numpy as np

from pyloader import Context, Image, ImageId, register_loader
from pyloader.errors import FormatError, LoaderError


async def read(image_id: ImageId, context: Context):
    async def parse(context):
        body = (await context.fetch(f"https:{image_id.rest}")).body
        if body[:4] != b"FILM" or len(body) < 10:
            raise FormatError(f"{image_id.text!r} is no film: it begins with {body[:4]!r}")
        frames, rows, columns = struct.unpack_from("<3H", body, 4)
        expected = 10 + 2 * frames * rows * columns
        if len(body) != expected:
            raise FormatError(f"{image_id.text!r} has {len(body)} bytes, expected {expected}")
        return np.frombuffer(body, "<u2", offset=10).reshape(frames, rows, columns)

    return await context.cached(image_id.source, parse)


async def image_ids(image_id: ImageId, context: Context):
    return [image_id.of_frame(index) for index in range(len(await read(image_id, context)))]


@register_loader("film", image_ids=image_ids)
async def load(image_id: ImageId, context: Context) -> Image:
    film = await read(image_id, context)
    pixels = film[image_id.frame_index]
    return Image.from_array(pixels, pixel_spacing=(1, 2), window_center=9, window_width=5)
"""


def film(frames: np.ndarray) -> bytes:
    """Return a file of the format."""
    return b"FILM" + struct.pack("<3H", *frames.shape) + frames.tobytes()


class Film(LoaderContract):
    """The contract of the good loader."""

    image_id = "film://host/a.film"
    answers: ClassVar = {URL: film(PIXELS), "https://host/b.film": film(PIXELS + 100)}
    expected = PIXELS[0]
    others = ("film://host/b.film", "film://host/b.film?frame=2")
    broken: ClassVar = {"no frames": {URL: film(PIXELS[:0])}}
    seconds = 0.5


TESTS = [name for name in dir(LoaderContract) if name.startswith("test_")]
FAULTS = [name for name in TESTS if "answer" in name and name != "test_broken_answers"]


def changed(old: str, new: str) -> str:
    """Return the good loader's text with a change."""
    assert LOADER.count(old) == 1, old
    return LOADER.replace(old, new)


def catching(what: str, then: str) -> str:
    """Return the loader with something caught around its load."""
    return changed(
        "film = await read(image_id, context)",
        f"try:\n        film = await read(image_id, context)\n    {what}:\n        {then}",
    )


BLANK = "return Image.from_array(np.zeros((3, 4), 'u2'))"
