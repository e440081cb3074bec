"""Check that the data of a JPEG frame are all there.

libjpeg goes on when data are missing: it decodes what it can, and fills the rest. Whether it has
is told by what it would have filled in, else found by putting other bytes behind the data, which
must not matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.pixels.codestream.identify import LOSSLESS
from pyloader.pixels.codestream.jpeg import PROGRESSIVE, JpegHeader, Scan, segments_of

Pixels = NDArray[Any]

RESTART = re.compile(rb"\xff[\xd0-\xd7]")
END = b"\xff\xd9"
HUFFMAN_TABLES = 0xC4
TABLE_HEADER_BYTES = 17
# Fewer bits than these may be at the end by chance.
LEAST_BITS = 24
# Put behind the data, they change only an image whose own data end before its last sample.
CANARIES = (bytes(range(0x11, 0xF0, 7)) * 4, bytes(range(0xEE, 0x10, -5)) * 4)
COEFFICIENTS = 64
# Of red, green and blue (ISO 10918-5 7), and by how much their rounding changes it.
LUMINANCE, LUMINANCE_TOLERANCE = (0.299, 0.587, 0.114), 4
ROWS_AT_ONCE = 16
# Of a lossless process, from what is left, above, and left of that (ISO 10918-1 Table H.1).
PREDICTORS: Mapping[int, Callable[[Pixels, Pixels, Pixels], Pixels]] = {
    1: lambda left, above, corner: left,
    2: lambda left, above, corner: above,
    3: lambda left, above, corner: corner,
    4: lambda left, above, corner: left + above - corner,
    5: lambda left, above, corner: left + (above - corner >> 1),
    6: lambda left, above, corner: above + (left - corner >> 1),
    7: lambda left, above, corner: left + above >> 1,
}


def check_scans(header: JpegHeader) -> None:
    """Raise ValueError when a component, or a part of its coefficients, is in no scan."""
    whole = range(COEFFICIENTS) if header.process == PROGRESSIVE else range(1)
    for component in header.components:
        missing = set(whole)
        for scan in header.scans:
            is_last = header.process != PROGRESSIVE or not scan.low_bit
            if component in scan.components and is_last:
                missing -= set(range(scan.first, scan.last + 1)) if len(whole) > 1 else missing
        if missing:
            raise ValueError(
                f"the scans of component {component} are not all there: the codestream is cut off"
            )


def check_restarts(frame: bytes, header: JpegHeader) -> None:
    """Raise ValueError when a scan has fewer restart intervals than its components need (E.1.4)."""
    for scan in header.scans:
        if not scan.interval:
            continue
        expected = -(-units_of(scan, header) // scan.interval) - 1
        found = len(RESTART.findall(frame, scan.start, scan.end))
        if found < expected:
            raise ValueError(
                f"a scan has {found} restart markers, {expected} were expected: the codestream is "
                "cut off or damaged"
            )


def units_of(scan: Scan, header: JpegHeader) -> int:
    """Return the minimum coded units of a scan (ISO 10918-1 A.2)."""
    block = 1 if header.process == LOSSLESS else 8
    factors = [(each >> 4 or 1, each & 15 or 1) for each in header.sampling]
    across, down = max(each[0] for each in factors), max(each[1] for each in factors)
    if len(scan.components) > 1:
        return -(-header.columns // (block * across)) * -(-header.rows // (block * down))
    own = factors[max(0, header.components.find(scan.components))]
    columns, rows = -(-header.columns * own[0] // across), -(-header.rows * own[1] // down)
    return -(-columns // block) * -(-rows // block)


def check_whole(
    frame: bytes, header: JpegHeader, pixels: Pixels, decode: Callable[[bytes], Pixels]
) -> None:
    """Check that the data reach to the last sample.

    Decodes again only what has no end, or what may have been filled (`is_suspect`).

    Parameters
    ----------
    pixels : (rows, columns) or (rows, columns, samples) array
        What `decode` makes of `frame`.

    Raises
    ------
    ValueError
        They do not.
    """
    check_scans(header)
    check_restarts(frame, header)
    if header.end is not None and not is_suspect(frame, header, pixels):
        return
    canaries = CANARIES if header.end is None else CANARIES[:1]
    if any(not np.array_equal(decode(extend(frame, header, each)), pixels) for each in canaries):
        raise ValueError("the data end before the last pixel: the codestream is cut off or damaged")


def is_suspect(frame: bytes, header: JpegHeader, pixels: Pixels) -> bool:
    """Tell whether the last samples may be what libjpeg puts where data are missing.

    In one sequential scan of blocks that is the middle of the range, else what was there before.
    Of inks it is not known.
    """
    if any(scan.interval for scan in header.scans):
        return True
    is_single = len(header.scans) == 1
    is_sequential = is_single and header.process not in (PROGRESSIVE, LOSSLESS)
    filling = 1 << (header.precision - 1) if is_sequential else pixels[-1, -2:][0]
    if is_sequential and len(header.components) > 1:
        return may_be_filled(pixels[-1, -1], filling)
    if not np.all(pixels[-1, -1] == filling):
        return False
    return not (is_single and header.process == LOSSLESS and ends_alike(frame, header, pixels))


def may_be_filled(pixel: Pixels, filling: int) -> bool:
    """Tell whether a pixel of colours may be one whose luminance was missing.

    Its colours may come from those of the pixel before, with which half chroma is interpolated.
    """
    if len(pixel) != len(LUMINANCE):
        return True
    luminance = float(np.dot(pixel, LUMINANCE))  # of RGB
    return bool(pixel[0] == filling) or abs(luminance - filling) < LUMINANCE_TOLERANCE


def ends_alike(frame: bytes, header: JpegHeader, pixels: Pixels) -> bool:
    """Tell whether the data of a lossless image end with the codes of its last samples.

    Those that are as predicted have a difference of 0, and each the same code. Data that were cut
    off have fewer of these than samples that were filled in with what was predicted; rows that
    are missing altogether are filled with the middle of the range.
    """
    found = list(zero_codes(frame, header.scans[0]))
    if header.is_subsampled or len(found) != len(header.components):
        return False
    shift = header.scans[0].low_bit
    if np.all(pixels[-1, -1] >> shift == 1 << (header.precision - shift - 1)):
        return False
    codes = "".join(found)
    count = predicted_at_end(pixels >> shift if shift else pixels, header.scans[0].first)
    needed = count * len(codes) // 8 + 2
    # At most every other byte is one that was put in behind FF (B.1.1.5).
    start = max(header.scans[0].start, header.scans[0].end - 2 * needed - 1)
    data = frame[start : header.scans[0].end].replace(b"\xff\0", b"\xff")
    bits = np.unpackbits(np.frombuffer(data[-needed:], "u1"))
    if count * len(codes) < LEAST_BITS or bits.size < count * len(codes) + 7:
        return False
    expected = np.tile(np.frombuffer(codes.encode(), "u1") - ord("0"), count)
    for padding in range(8):  # of ones, up to a whole byte (F.1.2.3)
        end = bits.size - padding
        if np.array_equal(bits[end - expected.size : end], expected):
            return bool(bits[end:].all())
    return False


def predicted_at_end(pixels: Pixels, predictor: int) -> int:
    """Return how many of the last pixels, by rows, are as predicted (ISO 10918-1 H.1.2.1).

    Looked at are the last rows of one value, and two before them.
    """
    whole = rows_alike(pixels)
    rows = pixels[-whole - 2 :].astype("i4")
    left, above, corner = rows[1:, :-1], rows[:-1, 1:], rows[:-1, :-1]
    as_predicted: Pixels = np.empty(rows[1:].shape, bool)
    as_predicted[:, 1:] = rows[1:, 1:] == PREDICTORS[predictor](left, above, corner)
    as_predicted[:, 0] = rows[1:, 0] == rows[:-1, 0]
    by_pixel = as_predicted.reshape(len(as_predicted) * pixels.shape[1], -1)
    last = np.asarray(by_pixel.all(axis=1))
    return last.size if last.all() else int(np.argmin(last[::-1]))


def rows_alike(pixels: Pixels) -> int:
    """Return how many of the last rows have the value of the last pixel alone."""
    for stop in range(len(pixels), 0, -ROWS_AT_ONCE):
        rows = pixels[max(0, stop - ROWS_AT_ONCE) : stop]
        alike = (rows == pixels[-1, -1]).reshape(len(rows), -1).all(axis=1)
        if not alike.all():
            return len(pixels) - stop + int(np.argmin(alike[::-1]))
    return len(pixels)


def zero_codes(frame: bytes, scan: Scan) -> Iterator[str]:
    """Yield the Huffman code of difference 0 for each component of a scan, as 0 and 1 (C.2).

    Nothing is yielded for a component whose table has none.
    """
    tables: dict[int, tuple[bytes, bytes]] = {}
    for segment in segments_of(frame[: scan.start]):
        if segment.marker == HUFFMAN_TABLES:
            tables |= read_tables(segment.parameters)
    for selector in scan.tables:
        lengths, symbols = tables.get(selector >> 4, (b"", b""))
        code, place = 0, 0
        for length, number in enumerate(lengths, 1):
            if 0 in symbols[place : place + number]:
                code += symbols.index(0, place) - place
                yield f"{code:0{length}b}"
                break
            code, place = (code + number) << 1, place + number


def read_tables(parameters: bytes) -> dict[int, tuple[bytes, bytes]]:
    """Return the number of codes of each length and the symbols, by table (B.2.4.2)."""
    found = {}
    while len(parameters) > TABLE_HEADER_BYTES:
        lengths = parameters[1:TABLE_HEADER_BYTES]
        end = TABLE_HEADER_BYTES + sum(lengths)
        found[parameters[0] & 15] = (lengths, parameters[TABLE_HEADER_BYTES:end])
        parameters = parameters[end:]
    return found


def extend(frame: bytes, header: JpegHeader, canary: bytes) -> bytes:
    """Return the codestream with `canary` behind the data of each scan and restart interval.

    Fill bytes that precede a marker go, and padding where no marker follows.
    """
    padding = b"\xff" if header.end is not None else b"\xff\0"
    parts, position = [], 0
    for scan in header.scans:
        parts.append(frame[position : scan.start])
        data = frame[scan.start : scan.end].rstrip(padding)
        if scan.interval:
            data = RESTART.sub(lambda found: canary + found[0], data)
        parts += [data, canary]
        position = scan.end
    rest = frame[position:] if header.end is not None else END
    return b"".join([*parts, rest])
