"""Check that the data of a JPEG frame are complete.

libjpeg decodes truncated data without an error, and fills in the missing pixels. A frame with an
end marker, whose last pixels cannot be such a filling, is complete. Others are decoded again with
extra bytes after the data: that changes the pixels of truncated frames only.
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
# A match of fewer bits may be chance.
LEAST_BITS = 24
# Bytes to append to the data; they change the image only if its data end before its last sample.
CANARIES = (bytes(range(0x11, 0xF0, 7)) * 4, bytes(range(0xEE, 0x10, -5)) * 4)
COEFFICIENTS = 64
# Weights of red, green and blue (ISO 10918-5 7), and the error that rounding them causes.
LUMINANCE, LUMINANCE_TOLERANCE = (0.299, 0.587, 0.114), 4
ROWS_AT_ONCE = 16
# Lossless predictors, of the samples left, above, and above left (ISO 10918-1 Table H.1).
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
    """Raise ValueError when no scan has a component or some of its coefficients."""
    whole = range(COEFFICIENTS) if header.process == PROGRESSIVE else range(1)
    for component in header.components:
        missing = set(whole)
        for scan in header.scans:
            is_last = header.process != PROGRESSIVE or not scan.low_bit
            if component in scan.components and is_last:
                missing -= set(range(scan.first, scan.last + 1)) if len(whole) > 1 else missing
        if missing:
            raise ValueError(
                f"scans of component {component} are missing: the codestream is cut off"
            )


def check_restarts(frame: bytes, header: JpegHeader) -> None:
    """Raise ValueError when a scan has fewer restart intervals than its components need (E.1.4)."""
    for scan in header.scans:
        if not scan.interval:
            continue
        expected = -(-count_units(scan, header) // scan.interval) - 1
        found = len(RESTART.findall(frame, scan.start, scan.end))
        if found < expected:
            raise ValueError(
                f"a scan has {found} restart markers, {expected} were expected: the codestream is "
                "cut off or damaged"
            )


def count_units(scan: Scan, header: JpegHeader) -> int:
    """Return the number of minimum coded units (MCUs) of a scan (ISO 10918-1 A.2)."""
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

    Decode again only frames without an end marker, or with pixels that may be filled in
    (`is_suspect`).

    Parameters
    ----------
    pixels : (rows, columns) or (rows, columns, samples) array
        Result of ``decode(frame)``.

    Raises
    ------
    ValueError
        The data end before the last sample.
    """
    check_scans(header)
    check_restarts(frame, header)
    if header.end is not None and not is_suspect(frame, header, pixels):
        return
    canaries = CANARIES if header.end is None else CANARIES[:1]
    if any(
        not np.array_equal(decode(with_canary(frame, header, each)), pixels) for each in canaries
    ):
        raise ValueError("the data end before the last pixel: the codestream is cut off or damaged")


def is_suspect(frame: bytes, header: JpegHeader, pixels: Pixels) -> bool:
    """Tell whether libjpeg may have filled in the last samples because data are missing.

    In a single sequential DCT scan it fills with the middle of the range, else with the sample
    before. For ink colours the filling is unknown.
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
    return not (
        is_single
        and header.process == LOSSLESS
        and ends_with_predicted_codes(frame, header, pixels)
    )


def may_be_filled(pixel: Pixels, filling: int) -> bool:
    """Tell whether a colour pixel may have filled-in luminance.

    Its chroma may come from the pixel before, by the interpolation of half chroma.
    """
    if len(pixel) != len(LUMINANCE):
        return True
    luminance = float(np.dot(pixel, LUMINANCE))  # of RGB
    return bool(pixel[0] == filling) or abs(luminance - filling) < LUMINANCE_TOLERANCE


def ends_with_predicted_codes(frame: bytes, header: JpegHeader, pixels: Pixels) -> bool:
    """Tell whether the data of a lossless image end with the codes of its last samples.

    A sample that equals its prediction has difference 0, and always the same code. Truncated data
    have fewer of these codes than the image has predicted samples at its end. Rows that are missing
    entirely are filled with the middle of the range.
    """
    found = list(zero_codes(frame, header.scans[0]))
    if header.is_subsampled or len(found) != len(header.components):
        return False
    shift = header.scans[0].low_bit
    if np.all(pixels[-1, -1] >> shift == 1 << (header.precision - shift - 1)):
        return False
    codes = "".join(found)
    count = count_predicted_pixels(pixels >> shift if shift else pixels, header.scans[0].first)
    needed = count * len(codes) // 8 + 2
    # At most every other byte is a zero stuffed after FF (B.1.1.5).
    start = max(header.scans[0].start, header.scans[0].end - 2 * needed - 1)
    data = frame[start : header.scans[0].end].replace(b"\xff\0", b"\xff")
    bits = np.unpackbits(np.frombuffer(data[-needed:], "u1"))
    if count * len(codes) < LEAST_BITS or bits.size < count * len(codes) + 7:
        return False
    expected = np.tile(np.frombuffer(codes.encode(), "u1") - ord("0"), count)
    for padding in range(8):  # ones fill up the last byte (F.1.2.3)
        end = bits.size - padding
        if np.array_equal(bits[end - expected.size : end], expected):
            return bool(bits[end:].all())
    return False


def count_predicted_pixels(pixels: Pixels, predictor: int) -> int:
    """Count the last pixels, in row order, that equal their prediction (ISO 10918-1 H.1.2.1).

    Only the last rows of one value and two rows before them are examined.
    """
    whole = count_uniform_rows(pixels)
    rows = pixels[-whole - 2 :].astype("i4")
    left, above, corner = rows[1:, :-1], rows[:-1, 1:], rows[:-1, :-1]
    as_predicted: Pixels = np.empty(rows[1:].shape, bool)
    as_predicted[:, 1:] = rows[1:, 1:] == PREDICTORS[predictor](left, above, corner)
    as_predicted[:, 0] = rows[1:, 0] == rows[:-1, 0]
    by_pixel = as_predicted.reshape(len(as_predicted) * pixels.shape[1], -1)
    last = np.asarray(by_pixel.all(axis=1))
    return last.size if last.all() else int(np.argmin(last[::-1]))


def count_uniform_rows(pixels: Pixels) -> int:
    """Count the last rows in which every pixel equals the last pixel."""
    for stop in range(len(pixels), 0, -ROWS_AT_ONCE):
        rows = pixels[max(0, stop - ROWS_AT_ONCE) : stop]
        alike = (rows == pixels[-1, -1]).reshape(len(rows), -1).all(axis=1)
        if not alike.all():
            return len(pixels) - stop + int(np.argmin(alike[::-1]))
    return len(pixels)


def zero_codes(frame: bytes, scan: Scan) -> Iterator[str]:
    """Yield the Huffman code of difference 0 for each component of a scan, as 0 and 1 (C.2).

    Skip components whose table lacks that code.
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
    """Return the number of codes of each length, and the symbols, by table index (B.2.4.2)."""
    found = {}
    while len(parameters) > TABLE_HEADER_BYTES:
        lengths = parameters[1:TABLE_HEADER_BYTES]
        end = TABLE_HEADER_BYTES + sum(lengths)
        found[parameters[0] & 15] = (lengths, parameters[TABLE_HEADER_BYTES:end])
        parameters = parameters[end:]
    return found


def with_canary(frame: bytes, header: JpegHeader, canary: bytes) -> bytes:
    """Return the codestream with `canary` after the data of each scan and restart interval.

    Remove fill bytes that precede a marker, and padding that no marker follows.
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
