"""``wadouri:``, ``dicomweb:`` and ``dicomfile:``: a DICOM Part 10 file behind an address.

The file is fetched and parsed once for all its frames, also when they are asked for together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pyloader.context import Context
from pyloader.dicom.instance import Instance, noting, parse_part10
from pyloader.dicom.modules import describe, header
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.pixels.decode import decode_frame


async def load(image_id: ImageId, context: Context) -> Image:
    """Load one frame of a Part 10 file."""
    instance = await open_instance(image_id, context)
    with noting() as notes:
        frame = decode_frame(instance, image_id.frame_index)
        image = describe(instance, image_id.frame_index, frame)
    return replace(image, warnings=(*instance.warnings, *notes))


async def load_header(image_id: ImageId, context: Context) -> Mapping[str, Mapping[str, Any]]:
    """Return the modules of one frame without decoding it."""
    instance = await open_instance(image_id, context)
    with noting():
        return header(instance, instance.check_frame(image_id.frame_index))


async def open_instance(image_id: ImageId, context: Context) -> Instance:
    """Return the parsed file of an imageId; its pixel data stay encoded."""

    async def fetch(context: Context) -> Instance:
        # A dicomfile: has no address of its own; the page gives its Blob under this name.
        url = image_id.source if image_id.scheme == "dicomfile" else image_id.rest
        response = await context.fetch(url)
        return parse_part10(response.body, response.url)

    return await context.cached(image_id.source, fetch)
