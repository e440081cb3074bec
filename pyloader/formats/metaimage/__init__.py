"""``metaimage:``: volumes of MetaImage files, as written by ITK (.mha; .mhd with data files).

A slice is ``metaimage:https://host/a.mha?frame=3``, from 1 as stored, or ``#x-12,t-3``. No library
reads just this format; `header.py` parses its text header.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader import Context, ImageId
from pyloader.errors import FormatError
from pyloader.formats.encodings import check_shape, from_bytes, from_text, gunzip
from pyloader.formats.metaimage.header import MetaImageHeader, parse
from pyloader.formats.sidecar import fetch_sidecars
from pyloader.volume import Volume, register_volume


@register_volume("metaimage")
async def read(image_id: ImageId, context: Context) -> Volume:
    """Read a file, and the data files that its header names."""
    url = image_id.rest
    body = (await context.fetch(url)).body
    header = parse(body, url)
    count = check_shape(context, header.shape, header.dtype, repr(url))
    pieces = await fetch_sidecars(context, url, header.names) if header.names else [body]
    if count % len(pieces):
        raise FormatError(
            f"{url!r} names {len(pieces)} files, which cannot be equal parts of {header.shape}"
        )
    arrays = [decode(header, piece, count // len(pieces)) for piece in pieces]
    array = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    return volume_of(header, array)


def volume_of(header: MetaImageHeader, array: NDArray[Any]) -> Volume:
    """Make a volume of all elements; the components of vectors become timepoints."""
    columns, rows, slices, times = (*header.sizes, 1, 1)[:4]
    voxels = array.reshape(times, slices, rows, columns, header.channels)
    if header.channels == 1:
        voxels = voxels[..., 0]
    elif not header.is_color:
        voxels = np.moveaxis(voxels, -1, 1).reshape(-1, slices, rows, columns)
    components = 1 if header.is_color else header.channels
    affine, warnings = header.place
    attributes, left_out = header.attributes
    volume = Volume.from_array(voxels, affine=affine, is_color=header.is_color, **attributes)
    beyond = (("component", components), ("time", times))
    return replace(volume, warnings=(*warnings, *left_out), beyond=beyond)


def decode(header: MetaImageHeader, body: bytes, count: int) -> NDArray[Any]:
    """Decode the `count` elements of one file."""
    what, size, start = repr(header.url), count * header.dtype.itemsize, header.start
    if header.is_text:
        return from_text(body[start:], header.dtype, count, what)
    if header.is_compressed:
        stop = start + header.compressed_size if header.compressed_size else None
        return from_bytes(
            gunzip(memoryview(body)[start:stop], size, what), header.dtype, count, what
        )
    return from_bytes(body, header.dtype, count, what, len(body) - size if start < 0 else start)
