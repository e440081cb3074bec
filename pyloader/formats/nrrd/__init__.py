"""``nrrd:``: volumes of NRRD files, by pynrrd; also detached headers (.nhdr) with data files.

A slice is ``nrrd:https://host/a.nrrd?frame=3``, from 1 as stored, or ``#x-12,t-3``.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader import Context, ImageId
from pyloader.errors import FormatError, UnsupportedError
from pyloader.formats.encodings import (
    bunzip2,
    check_shape,
    from_bytes,
    from_hex,
    from_text,
    gunzip,
)
from pyloader.formats.nrrd.axes import volume_of
from pyloader.formats.nrrd.header import TEXT, NrrdHeader, parse
from pyloader.formats.sidecar import fetch_sidecars
from pyloader.volume import Volume, register_volume

DECOMPRESS = {"gzip": gunzip, "gz": gunzip, "bzip2": bunzip2, "bz2": bunzip2}


@register_volume("nrrd")
async def read(image_id: ImageId, context: Context) -> Volume:
    """Read a file, and the data files that its header names."""
    url = image_id.rest
    nrrd = await context.package("nrrd", "pynrrd")
    body = (await context.fetch(url)).body
    header = parse(nrrd, body, url)
    count = check_shape(context, header.sizes, header.dtype, repr(url))
    context.check_size(count * header.dtype.itemsize + header.skipped("byte"), repr(url))
    pieces: list[Any] = [memoryview(body)[header.end :]]
    if header.names:
        pieces = await fetch_sidecars(context, url, header.names)
    if count % len(pieces):
        raise FormatError(
            f"{url!r} names {len(pieces)} files, which cannot be equal parts of {header.sizes}"
        )
    arrays = [decode(header, piece, count // len(pieces), repr(url)) for piece in pieces]
    array = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    # NRRD lists the fastest axis first, numpy last.
    return volume_of(header, array.reshape(header.sizes[::-1]), repr(url))


def decode(header: NrrdHeader, body: bytes, count: int, what: str) -> NDArray[Any]:
    """Decode the `count` elements of one file."""
    start, skipped = after_lines(body, header.skipped("line")), header.skipped("byte")
    size = count * header.dtype.itemsize
    if header.encoding == "raw":
        start = len(body) - size if skipped == -1 else start + skipped
        return from_bytes(body, header.dtype, count, what, start)
    if skipped < 0:
        raise FormatError(f"{what} skips {skipped} bytes of {header.encoding}; expected 0 or more")
    if header.encoding == "hex":
        return from_hex(bytes(body[start + skipped :]), header.dtype, count, what)
    if header.encoding in TEXT:
        return from_text(bytes(body[start + skipped :]), header.dtype, count, what)
    if header.encoding not in DECOMPRESS:
        raise UnsupportedError(
            f"{what} has the encoding {header.encoding!r}; known are raw, ascii, hex, gzip, bzip2"
        )
    plain = DECOMPRESS[header.encoding](body[start:], skipped + size, what)
    return from_bytes(plain, header.dtype, count, what, skipped)


def after_lines(body: bytes, count: int) -> int:
    """Return the position after `count` lines, or the end if there are fewer."""
    starts = (match.end() for match in re.finditer(rb"\n", body))
    return next(itertools.islice(starts, count - 1, None), len(body)) if count > 0 else 0
