"""BMP: headers from OS/2 to version 5; pixels packed, by bit masks or run-length encoded.

They are decoded here, because codecs trust single fields of the header and disagree on masks, alpha
and palettes. Browsers are the reference.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from pyloader.context import Context
from pyloader.errors import FormatError, UnsupportedError
from pyloader.loaders.web_images.bmp_runs import decode_runs
from pyloader.loaders.web_images.picture import Picture, PictureHeader, Pixels

SIGNATURE = b"BM"
FILE_HEADER, CORE_HEADER, INFO_HEADER, ALPHA_HEADER, OS2_HEADER = 14, 12, 40, 56, 64
PACKED, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS = 0, 1, 2, 3, 6
DEPTHS = (1, 2, 4, 8, 16, 24, 32)
# biCompression -> its valid depths.
READ: Mapping[int, tuple[int, ...]] = {
    PACKED: DEPTHS,
    RLE8: (8,),
    RLE4: (4,),
    BITFIELDS: (16, 32),
    ALPHA_BITFIELDS: (16, 32),
}
COMPRESSIONS = {4: "JPEG", 5: "PNG", 11: "CMYK", 12: "CMYK in runs", 13: "CMYK in runs"}
OS2_COMPRESSIONS = {3: "Huffman codes", 4: "runs of 24 bits"}
# Masks of red, green and blue for headers without masks.
MASKS = {16: (0x7C00, 0x3E0, 0x1F), 32: (0xFF0000, 0xFF00, 0xFF)}


@dataclass(frozen=True, slots=True, eq=False)
class BmpLayout:
    """The layout of a BMP's pixels.

    Attributes
    ----------
    offset : int
        Position of the first byte.
    palette : (n, 3) uint8 array
        RGB; empty if the pixels hold colors themselves.
    masks : tuple of int
        Masks of red, green, blue and, if present, alpha.
    """

    rows: int
    columns: int
    is_top_down: bool
    depth: int
    compression: int
    offset: int
    palette: Pixels = field(default_factory=lambda: np.empty((0, 3), "u1"))
    masks: tuple[int, ...] = ()

    @property
    def stride(self) -> int:
        """Bytes from row to row, padded to a multiple of four."""
        return (self.columns * self.depth + 31) // 32 * 4

    @property
    def end(self) -> int:
        """Position after the last pixel, without the padding of its row."""
        return self.offset + self.stride * (self.rows - 1) + (self.columns * self.depth + 7) // 8


async def open_bmp(source: str, body: bytes, context: Context) -> Picture:
    """Read the header of a BMP."""
    try:
        layout = read_layout(body)
    except struct.error as error:
        raise FormatError(
            f"the BMP ends after {len(body)} bytes, within its header: cut off"
        ) from error
    check_end(body, layout)
    header = PictureHeader("BMP", layout.rows, layout.columns, max(3, len(layout.masks)))
    return Picture(source, body, header, partial(decode, layout))


def read_layout(body: bytes) -> BmpLayout:
    """Read the header.

    Raises
    ------
    FormatError, UnsupportedError, struct.error
    """
    offset, size = struct.unpack_from("<II", body, 10)
    if size == CORE_HEADER:
        columns, height, _, depth = struct.unpack_from("<HHHH", body, 18)
        compression = used = 0
    elif 16 <= size <= len(body) - FILE_HEADER:
        # OS/2 2 may omit the last fields; they count as 0.
        fields = body[18 : FILE_HEADER + min(size, INFO_HEADER)].ljust(INFO_HEADER, b"\0")
        columns, height, _, depth, compression, *_, used, _ = struct.unpack_from(
            "<iiHHIIiiII", fields
        )
    else:
        raise FormatError(
            f"the BMP of {len(body)} bytes has a header of {size}: it is cut off or damaged"
        )
    check_fields(size, (abs(height), columns), depth, compression)
    masks = masks_of(body, size, depth, compression)
    table = FILE_HEADER + size + (4 * len(masks) if size == INFO_HEADER and compression else 0)
    width = 3 if size == CORE_HEADER else 4
    count = min(used or 1 << depth, 1 << depth) if depth <= 8 else 0
    if offset < table:
        raise FormatError(
            f"the BMP's pixels start at byte {offset}, within its header, which ends at {table}: "
            "it is damaged"
        )
    palette = palette_of(body[table:offset], width, count, depth)
    return BmpLayout(
        *(abs(height), columns, height < 0, depth, compression, offset),
        *(palette, masks),
    )


def check_fields(size: int, shape: tuple[int, int], depth: int, compression: int) -> None:
    """Check that the header describes supported pixels.

    Raises
    ------
    FormatError, UnsupportedError
    """
    is_os2 = size == OS2_HEADER or CORE_HEADER < size < INFO_HEADER
    unread = OS2_COMPRESSIONS if is_os2 else COMPRESSIONS
    if compression in unread:
        raise UnsupportedError(
            f"the BMP is compressed by {unread[compression]}; supported are uncompressed, RLE8 and "
            "RLE4"
        )
    rows, columns = shape
    if rows < 1 or columns < 1 or depth not in READ.get(compression, ()):
        raise FormatError(
            f"the BMP's header says {rows} x {columns} pixels of {depth} bits, compression "
            f"{compression}: it is damaged"
        )


def masks_of(body: bytes, size: int, depth: int, compression: int) -> tuple[int, ...]:
    """Return the masks of red, green, blue and, if it has one, alpha.

    From version 2 on they are in the header, before that behind it. Version 3 adds the mask of
    alpha. Bits outside all masks are unused.

    Raises
    ------
    FormatError, struct.error
    """
    if compression not in (BITFIELDS, ALPHA_BITFIELDS):
        return MASKS.get(depth, ())
    has_alpha = size >= ALPHA_HEADER or compression == ALPHA_BITFIELDS
    masks = struct.unpack_from("<4I" if has_alpha else "<3I", body, FILE_HEADER + INFO_HEADER)
    for mask in masks:
        lowest = mask & -mask
        if mask >> depth or (mask and (mask // lowest + 1) & (mask // lowest)):
            raise FormatError(
                f"the BMP has the masks {', '.join(f'{each:#x}' for each in masks)} for pixels of "
                f"{depth} bits: {mask:#x} is no run of bits within them; it is damaged"
            )
    if not any(masks[:3]):
        raise FormatError(
            "the BMP has no bits for red, green and blue: its masks are 0; it is damaged"
        )
    return masks[:3] if has_alpha and not masks[3] else masks


def palette_of(table: bytes, width: int, count: int, depth: int) -> Pixels:
    """Return RGB for each index of `depth` bits; indices beyond the declared entries are black.

    Parameters
    ----------
    table : bytes
        The bytes between header and pixels: `count` entries of `width` bytes, BGR first. If it
        holds fewer, the result ends after them.
    """
    is_whole = width * count <= len(table)
    count = min(count, len(table) // width)
    palette = np.zeros((1 << depth if count and is_whole else count, 3), "u1")
    palette[:count] = np.frombuffer(table, "u1", count * width).reshape(count, width)[:, 2::-1]
    return palette


def check_end(body: bytes, layout: BmpLayout) -> None:
    """Check that all pixels are present; for run-length encoding, the decoder checks it.

    Raises
    ------
    FormatError
    """
    if layout.compression not in (RLE8, RLE4) and layout.end > len(body):
        raise FormatError(
            f"the BMP ends after {len(body)} bytes, its {layout.rows} x {layout.columns} pixels "
            f"of {layout.depth} bits end at {layout.end}: it is cut off or its header is damaged"
        )


def decode(layout: BmpLayout, body: bytes) -> Pixels:
    """Decode to grey, RGB or RGBA, the top row first."""
    if layout.compression in (RLE8, RLE4):
        size = layout.rows, layout.columns
        indices, is_set = decode_runs(body[layout.offset :], size, layout.depth)
        pixels = colored(indices, layout.palette)
        # Browsers show unset pixels black.
        pixels = pixels * (is_set if pixels.ndim == 2 else is_set[..., None])
        return pixels if layout.is_top_down else np.ascontiguousarray(pixels[::-1])
    rows = stored_rows(body, layout)
    if layout.depth <= 8:
        return colored(unpacked(rows, layout), layout.palette)
    if layout.depth == 24:
        colors = rows[:, : layout.columns * 3].reshape(layout.rows, layout.columns, 3)
        return np.stack([colors[..., channel] for channel in (2, 1, 0)], axis=-1)
    words = rows.view(f"<u{layout.depth // 8}")[:, : layout.columns]
    return masked(words, layout.masks)


def stored_rows(body: bytes, layout: BmpLayout) -> Pixels:
    """Return the bytes of all rows, the top row first: (rows, stride)."""
    data = body[layout.offset : layout.offset + layout.stride * layout.rows]
    whole = data.ljust(layout.stride * layout.rows, b"\0")  # the last row may lack its padding
    rows = np.frombuffer(whole, "u1").reshape(layout.rows, layout.stride)
    return rows if layout.is_top_down else rows[::-1]


def unpacked(rows: Pixels, layout: BmpLayout) -> Pixels:
    """Unpack palette indices of 1, 2, 4 or 8 bits; the first pixel is in the highest bits."""
    if layout.depth < 8:
        shifts = np.arange(8 - layout.depth, -1, -layout.depth, dtype="u1")
        parts = rows[..., None] >> shifts & np.uint8((1 << layout.depth) - 1)
        rows = parts.reshape(layout.rows, -1)
    return np.ascontiguousarray(rows[:, : layout.columns])


def colored(indices: Pixels, palette: Pixels) -> Pixels:
    """Return RGB for indices; return them unchanged if the palette is 256 greys in order.

    Raises
    ------
    FormatError
    """
    if indices.max() >= len(palette):
        raise FormatError(
            f"the BMP's pixels use color {indices.max()}, its palette has {len(palette)}: the "
            "palette is cut off, or its header is damaged"
        )
    if len(palette) == 256 and (palette == np.arange(256)[:, None]).all():
        return indices
    packed, rgb = indices.tobytes(), np.empty((*indices.shape, 3), "u1")
    for channel in range(3):
        entries = palette[:, channel].tobytes().ljust(256, b"\0")
        # bytes.translate is five times as fast as indexing.
        rgb[..., channel] = np.frombuffer(packed.translate(entries), "u1").reshape(indices.shape)
    return rgb


def masked(words: Pixels, masks: tuple[int, ...]) -> Pixels:
    """Return RGB or RGBA of 8 bits; each mask selects the bits of a sample.

    An alpha that is 0 everywhere was never written; as in browsers, the image is opaque then.
    """
    samples = np.empty((*words.shape, len(masks)), "u1")
    for index, mask in enumerate(masks):
        samples[..., index] = sample_of(words, mask)
    return samples if len(masks) == 3 or samples[..., 3].any() else samples[..., :3]


def sample_of(words: Pixels, mask: int) -> Pixels:
    """Return the sample of a mask, scaled to 8 bits."""
    if not mask:
        return np.zeros(words.shape, "u1")
    bits, shift = mask.bit_count(), (mask & -mask).bit_length() - 1
    if bits == 8:
        return (words >> shift).astype("u1")
    spare = max(0, bits - 16)  # low bits that do not change the 8-bit result
    most = (1 << bits - spare) - 1
    table = ((np.arange(most + 1, dtype="u4") * 255 + most // 2) // most).astype("u1")
    sample: Pixels = table[(words & mask) >> (shift + spare)]
    return sample
