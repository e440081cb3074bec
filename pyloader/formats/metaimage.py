"""``metaimage:``: volumes of MetaImage files, as ITK writes them (.mha; .mhd with data beside).

A slice is ``metaimage:https://host/a.mha?frame=3``, from 1 as stored, or ``#x-12,t-3``. There is no
library for this format alone; its header is text, and is read in `metaimage_header`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader import Context, Image, ImageId, register_loader
from pyloader.errors import FormatError
from pyloader.formats.beside import fetch_beside
from pyloader.formats.encodings import check_shape, from_bytes, from_text, inflate
from pyloader.formats.metaimage_header import Header, parse
from pyloader.volume import Volume


async def list_image_ids(image_id: ImageId, context: Context) -> list[str]:
    """List the slices."""
    return (await fetch_volume(image_id, context)).image_ids(image_id)


@register_loader("metaimage", image_ids=list_image_ids)
async def load(image_id: ImageId, context: Context) -> Image:
    """Load a slice."""
    return (await fetch_volume(image_id, context)).image(image_id)


async def fetch_volume(image_id: ImageId, context: Context) -> Volume:
    """Fetch and read a file, once for all its slices."""
    return await context.cached(image_id.source, lambda context: read(image_id.rest, context))


async def read(url: str, context: Context) -> Volume:
    """Read a file, and those that its header names."""
    body = (await context.fetch(url)).body
    header = parse(body, url)
    count = check_shape(context, header.shape, header.dtype, repr(url))
    pieces = await fetch_beside(context, url, header.names) if header.names else [body]
    if count % len(pieces):
        raise FormatError(f"{url!r} names {len(pieces)} files, no equal parts of {header.shape}")
    arrays = [decode(header, piece, count // len(pieces)) for piece in pieces]
    array = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    return Volume.from_array(
        array.reshape(header.shape),
        affine=header.affine,
        is_color=header.channels > 1,
        **header.attributes,
    )


def decode(header: Header, body: bytes, count: int) -> NDArray[Any]:
    """Return the `count` elements of one file."""
    what, size, start = repr(header.url), count * header.dtype.itemsize, header.start
    if header.is_text:
        return from_text(body[start:], header.dtype, count, what)
    if header.is_compressed:
        stop = start + header.compressed_size if header.compressed_size else None
        return from_bytes(
            inflate(memoryview(body)[start:stop], size, what), header.dtype, count, what
        )
    return from_bytes(body, header.dtype, count, what, len(body) - size if start < 0 else start)
