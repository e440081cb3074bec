"""TIFFs made in code, tag by tag, and tags of others changed."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import tifffile

SHORT, LONG, RATIONAL, UNDEFINED = 3, 4, 5, 7
OFFSETS, COUNTS = ("StripOffsets", "TileOffsets"), ("StripByteCounts", "TileByteCounts")
DATA_START = 8
Tag = tuple[int, int, int, int | bytes]
"""Number, type, count, and a number or the bytes of the values."""
# builders.color(16, 16), encoded by FFmpeg as full-range YCbCr with half chroma.
HALF_CHROMA = base64.b85decode(
    "|4;u>051Rl0000G0000G00000000000003100031000000000000RdB0S5vC2Lb~BQUDA9000311_A;A0RLP7DI$L$e&"
    "BxKexP>ncJOw<ZvbxqZs2E7XHaKoPz6v0P)AqOSJPKw|6~9V00B&4c4Ia(E-@}KFf#v;015yA0002h00IA#$M^yWJ;(S"
    "12O~eg{J?+%7ytkO0002P^8$nL0ssJQ0D%Ai!|(-z?F9f016bh$3qB*T-@*2QK>C1y3DF6E!|(!!-~<K80l>lYh=KA40"
    "3sM8I+vD&_5*$<jkt$v!|DTp@&f=43x5n11H<YBhtviR38+B}If=me2f%zLfH+2h_NZB98eY|7k<cP1J(&uU(>;JxPaD<"
    "ezrgtfz<eVBA$ESd$6+Uhvl@QYy`+4=`2)cD0{|gyVLg^54+DM*WUssb*#"
)
SIZE = 32
DOWN, ACROSS = np.mgrid[:SIZE, :SIZE]
COLORS = np.dstack([ACROSS * 8, DOWN * 8, 255 - ACROSS * 8]).astype("u1")
# As Pillow converts them (ITU-T T.871 7).
YCBCR = np.asarray(PIL.Image.fromarray(COLORS).convert("YCbCr"))


def tiff_of(tags: Iterable[Tag], data: bytes) -> bytes:
    """Make a TIFF of one directory, behind data that begin at `DATA_START`."""
    data += bytes(len(data) % 2)
    rows = sorted(tags)
    behind = DATA_START + len(data) + 2 + 12 * len(rows) + 4
    entries, values = b"", b""
    for number, kind, count, value in rows:
        if isinstance(value, bytes):
            entries += struct.pack("<HHII", number, kind, count, behind + len(values))
            values += value + bytes(len(value) % 2)
        else:
            entries += struct.pack("<HHII", number, kind, count, value)
    directory = struct.pack("<H", len(rows)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", DATA_START + len(data)) + data + directory + values


def one_tile(data: bytes, size: int, **tags: int) -> bytes:
    """Make a TIFF of one square tile of three samples of 8 bits.

    Parameters
    ----------
    **tags
        ``compression``, ``photometric``.
    """
    bits = struct.pack("<3H", 8, 8, 8)
    numbers = {256: size, 257: size, 277: 3, 284: 1, 322: size, 323: size}
    numbers |= {259: tags["compression"], 262: tags.get("photometric", 2)}
    shorts: list[Tag] = [(number, SHORT, 1, value) for number, value in numbers.items()]
    places: list[Tag] = [(324, LONG, 1, DATA_START), (325, LONG, 1, len(data))]
    return tiff_of([(258, SHORT, 3, bits), *shorts, *places], data)


def with_segments(body: bytes, changes: Mapping[int, tuple[int | None, int | None]]) -> bytes:
    """Return a little-endian TIFF with other offsets and byte counts of strips or tiles.

    Parameters
    ----------
    changes : mapping
        Index of a strip or tile, from 0 or from the end, to offset and byte count; None: as it is.
    """
    changed = bytearray(body)
    with tifffile.TiffFile(BytesIO(body)) as file:
        tags = file.pages[0].tags
        found = [next(tags[name] for name in names if name in tags) for names in (OFFSETS, COUNTS)]
    for index, values in changes.items():
        for tag, value in zip(found, values, strict=True):
            if value is not None:
                kind, width = {3: ("<H", 2), 4: ("<I", 4)}[tag.dtype]
                place = tag.valueoffset + width * (index % tag.count)
                struct.pack_into(kind, changed, place, value)
    return bytes(changed)


def with_next(body: bytes, page: int, target: int) -> bytes:
    """Return a TIFF with one directory, of index `page`, that names another as the next one."""
    with tifffile.TiffFile(BytesIO(body)) as file:
        pages, layout = file.pages, file.tiff
        start, there = pages[page].offset, pages[target].offset
        count = struct.unpack_from(layout.tagnoformat, body, start)[0]
        changed = bytearray(body)
        place = start + layout.tagnosize + count * layout.tagsize
        struct.pack_into(layout.offsetformat, changed, place, there)
    return bytes(changed)


def chain(size: int, first: int = 0) -> bytes:
    """Return a TIFF of many small directories; the last one names that at `first`, or none."""
    count = size // 18
    last = 8 + 18 * (count - 1)
    entry = struct.pack("<HHHII", 1, 256, SHORT, 1, 1)
    nexts = (first if at == last else at + 18 for at in range(8, last + 1, 18))
    return b"II*\0" + struct.pack("<I", 8) + b"".join(entry + struct.pack("<I", at) for at in nexts)


def jpeg_2000(pixels: np.ndarray, **options: Any) -> bytes:
    """Encode exactly."""
    given = {"reversible": True, "mct": False, "codecformat": "j2k", **options}
    return bytes(imagecodecs.jpeg2k_encode(pixels, **given))
