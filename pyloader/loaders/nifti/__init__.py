"""``nifti:``: slices of NIfTI files and header pairs, gzipped or not, by URL.

``nifti:/brain.nii.gz?frame=12`` is a slice as stored; ``nifti:/brain.nii.gz#x-90,t-2`` is an
anatomical one, as `pyloader.volume` defines. The file is fetched and decompressed once for all
slices, even if several are requested together, and kept as a `Volume`.

All dimensions from the fourth on form one series of timepoints, in stored order. Complex voxels
are shown by their magnitude. Single bits, 128-bit floats, 256-bit complex numbers, Analyze 7.5 and
CIFTI-2 are refused by name.
"""

from __future__ import annotations

import re

from pyloader.context import Context
from pyloader.errors import FormatError
from pyloader.imageid import ImageId
from pyloader.loaders.nifti.header import NiftiHeader
from pyloader.loaders.nifti.stream import SPARE_BYTES, NiftiReader, describe
from pyloader.volumes.source import HeaderSource, VolumeSource
from pyloader.volumes.volume import Volume

# The file extensions of a header and image pair, at the end of a URL's path.
PAIR = re.compile(r"\.(hdr|img)(?=(\.gz)?$)", re.IGNORECASE)
UNVERIFIED = (
    f"more than {SPARE_BYTES} bytes follow the voxels within the gzip file; they were not read, so "
    "its checksum was not verified"
)


async def open_source(
    image_id: ImageId, context: Context, *, pixels: bool = True
) -> VolumeSource | HeaderSource:
    """Open a volume, fetched once; without `pixels`, fetch only its header."""
    if pixels or context.cache.has(image_id.source):

        async def fetch(context: Context) -> VolumeSource:
            return VolumeSource(await fetch_volume(image_id.rest, context))

        return await context.cached(image_id.source, fetch)

    async def begin(context: Context) -> NiftiHeader:
        return await fetch_header(image_id.rest, context)

    header = await context.cached((image_id.source, "header"), begin)
    context.check_size(header.size, f"the volume {image_id.rest}, {describe(header)},")
    return HeaderSource(header.without_voxels())


async def fetch_header(url: str, context: Context) -> NiftiHeader:
    """Fetch just the header bytes; for a .hdr/.img pair, from the .hdr file."""
    reader = NiftiReader(pair_of(url)[0], context, wants_voxels=False)
    await reader.run()
    assert reader.header is not None
    return reader.header


async def fetch_volume(url: str, context: Context) -> Volume:
    """Fetch a file, or both files of a pair."""
    header_url, image_url = pair_of(url)
    reader = NiftiReader(header_url, context)
    await reader.run()
    header = reader.header
    assert header is not None
    if header.is_pair:
        if image_url == header_url:
            raise FormatError(
                f"{url} is the header of a pair of files, and its address does not say where the "
                "voxels are; it has to end in .hdr or .img, maybe with .gz"
            )
        reader = NiftiReader(image_url, context, header)
        await reader.run()
    assert reader.voxels is not None
    return header.volume(reader.voxels, *([] if reader.is_verified else [UNVERIFIED]))


def pair_of(url: str) -> tuple[str, str]:
    """Return the URLs of header and voxels; both are the same unless it is a pair."""
    path, mark, query = url.partition("?")

    def other(name: str) -> str:
        return PAIR.sub(lambda found: f".{match_case(found[1], name)}", path) + mark + query

    return other("hdr"), other("img")


def match_case(model: str, name: str) -> str:
    """Return `name`, in capitals if `model` is in capitals."""
    return name.upper() if model.isupper() else name
