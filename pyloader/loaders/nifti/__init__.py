"""``nifti:``: slices of NIfTI files and header pairs, gzipped or not, by URL.

``nifti:/brain.nii.gz?frame=12`` is a slice as it is stored, ``nifti:/brain.nii.gz#x-90,t-2`` one
for a person to look at; `pyloader.volume` tells which. The file is fetched and inflated once for
all slices, also when they are asked for together, and kept as a `Volume`.

Of more than four dimensions, all from the fourth on are one row of timepoints, in stored order.
Complex voxels are shown by their magnitude. Single bits, 128-bit floats, 256-bit complex numbers,
Analyze 7.5 and CIFTI-2 are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pyloader.context import Context
from pyloader.errors import FormatError
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.loaders import Loader
from pyloader.loaders.nifti.header import Header
from pyloader.loaders.nifti.stream import SPARE_BYTES, Reading, describe
from pyloader.volumes.volume import Volume

# The names of a pair's files, at the end of an address's path.
PAIR = re.compile(r"\.(hdr|img)(?=(\.gz)?$)", re.IGNORECASE)
# What an imageId takes beside its text, for a list of them.
TEXT_BYTES = 100
UNVERIFIED = (
    f"more than {SPARE_BYTES} bytes follow the voxels within the gzip file; they were not read, so "
    "that its checksum could not be compared"
)


async def load(image_id: ImageId, context: Context) -> Image:
    """Load one slice."""
    return (await open_volume(image_id, context)).image(image_id)


async def load_header(image_id: ImageId, context: Context) -> Mapping[str, Mapping[str, Any]]:
    """Return the modules of one slice; only the header is fetched."""
    return (await open_hollow(image_id, context)).modules(image_id)


async def list_image_ids(image_id: ImageId, context: Context) -> list[str]:
    """Return the imageIds of all slices as they are stored, or, of ``#x``, of one direction."""
    volume = await open_hollow(image_id, context)
    count = sum(volume.grid.shape[:3]) * volume.grid.shape[3]
    context.check_size(
        count * (len(image_id.text) + TEXT_BYTES), f"the list of slices of {image_id.rest}"
    )
    return volume.image_ids(image_id)


def is_at_hand(image_id: ImageId, context: Context) -> bool:
    """Tell whether the volume of an imageId has been fetched."""
    return context.cache.has(image_id.source)


LOADER = Loader(load, load_header, list_image_ids, is_at_hand=is_at_hand)


async def open_volume(image_id: ImageId, context: Context) -> Volume:
    """Return the volume of an imageId, fetched once."""

    async def fetch(context: Context) -> Volume:
        return await fetch_volume(image_id.rest, context)

    return await context.cached(image_id.source, fetch)


async def open_hollow(image_id: ImageId, context: Context) -> Volume:
    """Return the volume of an imageId with or without its voxels: only its header is needed."""
    if context.cache.has(image_id.source):
        return await open_volume(image_id, context)

    async def fetch(context: Context) -> Header:
        return await fetch_header(image_id.rest, context)

    header = await context.cached((image_id.source, "header"), fetch)
    context.check_size(header.size, f"the volume {image_id.rest}, {describe(header)},")
    return header.hollow()


async def fetch_header(url: str, context: Context) -> Header:
    """Fetch as much of a file as its header needs, of a pair the file that has it."""
    reading = Reading(pair_of(url)[0], context, wants_voxels=False)
    await reading.run()
    assert reading.header is not None
    return reading.header


async def fetch_volume(url: str, context: Context) -> Volume:
    """Fetch a file, of a pair both."""
    header_url, image_url = pair_of(url)
    reading = Reading(header_url, context)
    await reading.run()
    header = reading.header
    assert header is not None
    if header.is_pair:
        if image_url == header_url:
            raise FormatError(
                f"{url} is the header of a pair of files, and the other one, with the voxels, "
                "cannot be told from its address; it has to end in .hdr or .img, maybe with .gz"
            )
        reading = Reading(image_url, context, header)
        await reading.run()
    assert reading.voxels is not None
    return header.volume(reading.voxels, *([] if reading.is_verified else [UNVERIFIED]))


def pair_of(url: str) -> tuple[str, str]:
    """Return the addresses of the header and of the voxels: twice the same, unless a pair's."""
    path, mark, query = url.partition("?")

    def other(name: str) -> str:
        return PAIR.sub(lambda found: f".{like(found[1], name)}", path) + mark + query

    return other("hdr"), other("img")


def like(model: str, name: str) -> str:
    """Return `name` in capitals if `model` is."""
    return name.upper() if model.isupper() else name
