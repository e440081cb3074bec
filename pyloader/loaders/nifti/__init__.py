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

from pyloader.context import Context
from pyloader.errors import FormatError
from pyloader.imageid import ImageId
from pyloader.loaders.nifti.header import NiftiHeader
from pyloader.loaders.nifti.stream import SPARE_BYTES, Reading, describe
from pyloader.volumes.source import HeaderSource, VolumeSource
from pyloader.volumes.volume import Volume

# The names of a pair's files, at the end of an address's path.
PAIR = re.compile(r"\.(hdr|img)(?=(\.gz)?$)", re.IGNORECASE)
UNVERIFIED = (
    f"more than {SPARE_BYTES} bytes follow the voxels within the gzip file; they were not read, so "
    "that its checksum could not be compared"
)


async def open_source(
    image_id: ImageId, context: Context, *, pixels: bool = True
) -> VolumeSource | HeaderSource:
    """Open a volume, fetched once; where `pixels` are not wanted, its header is enough."""
    if pixels or context.cache.has(image_id.source):

        async def fetch(context: Context) -> VolumeSource:
            return VolumeSource(await fetch_volume(image_id.rest, context))

        return await context.cached(image_id.source, fetch)

    async def begin(context: Context) -> NiftiHeader:
        return await fetch_header(image_id.rest, context)

    header = await context.cached((image_id.source, "header"), begin)
    context.check_size(header.size, f"the volume {image_id.rest}, {describe(header)},")
    return HeaderSource(header.hollow())


async def fetch_header(url: str, context: Context) -> NiftiHeader:
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
