"""A JPEG encoder for the processes that no library here writes (ISO 10918-1, F to H).

Its Huffman tables give every symbol a code of the same length: bytes do not matter here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tests.support.reference.images import Pixels

Codes = list[tuple[int, int]]  # (value, number of bits), one after the other
# Categories of differences; every pair of a run and a category, end of block, run of 16 zeros.
DC_SYMBOLS = list(range(17))
AC_SYMBOLS = [0x00, 0xF0, *(run << 4 | size for run in range(16) for size in range(1, 15))]
DC_CODES = {symbol: (place, 5) for place, symbol in enumerate(DC_SYMBOLS)}
AC_CODES = {symbol: (place, 8) for place, symbol in enumerate(AC_SYMBOLS)}
BASELINE, EXTENDED, PROGRESSIVE, LOSSLESS = 0xC0, 0xC1, 0xC2, 0xC3


@dataclass(frozen=True)
class Scan:
    """The part that one scan of a progressive process codes (ISO 10918-1 G.1.1)."""

    components: tuple[int, ...]
    first: int
    last: int
    high: int = 0
    low: int = 0


def spectral(components: int) -> list[Scan]:
    """Return the scans of spectral selection: a band of frequencies each."""
    every = tuple(range(components))
    bands = [Scan((each,), *band) for band in ((1, 5), (6, 63)) for each in every]
    return [Scan(every, 0, 0), *bands]


def full(components: int) -> list[Scan]:
    """Return the scans of full progression: the lowest bit of every band comes later."""
    every = tuple(range(components))
    return [
        Scan(every, 0, 0, 0, 1),
        *(Scan((each,), 1, 63, 0, 1) for each in every),
        Scan(every, 0, 0, 1, 0),
        *(Scan((each,), 1, 63, 1, 0) for each in every),
    ]


# ------------------------------------------------------------------ bits and segments


def category(value: int) -> int:
    """Return how many bits the magnitude of a value needs."""
    return abs(value).bit_length()


def magnitude(value: int) -> tuple[int, int]:
    """Return the bits that follow a category; negative values are one less (F.1.2.1.1)."""
    size = category(value)
    return (value if value > 0 else value + (1 << size) - 1, size)


def pack(codes: Codes) -> bytes:
    """Return entropy-coded bytes, filled with ones, with a zero behind each FF."""
    bits = "".join(format(value, f"0{size}b") for value, size in codes if size)
    bits += "1" * (-len(bits) % 8)
    data = int(bits or "0", 2).to_bytes(len(bits) // 8, "big")
    return data.replace(b"\xff", b"\xff\x00")


def segment(marker: int, content: bytes) -> bytes:
    """Return a marker segment."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def huffman_table(kind: int, symbols: Sequence[int], length: int) -> bytes:
    """Return a table whose codes are all of one length; `kind` is 0 for DC, 1 for AC."""
    counts = [len(symbols) if size == length else 0 for size in range(1, 17)]
    return segment(0xC4, bytes([kind << 4, *counts, *symbols]))


def frame_header(process: int, frame: Pixels, precision: int) -> bytes:
    """Return the frame header; components are numbered from 1, none is subsampled."""
    components = range(1, frame.shape[2] + 1)
    content = struct.pack(">BHHB", precision, *frame.shape)
    content += b"".join(bytes([number, 0x11, 0]) for number in components)
    return segment(process, content)


def scan_header(components: Sequence[int], *parameters: int) -> bytes:
    """Return the scan header; the last three bytes mean something else in each process."""
    selectors = b"".join(bytes([number + 1, 0]) for number in components)
    return segment(0xDA, bytes([len(components)]) + selectors + bytes(parameters))


# ------------------------------------------------------------------ lossless (H)


@dataclass(frozen=True)
class Lossless:
    """The prediction of a lossless process.

    Attributes
    ----------
    predictor : int
        1 to 7 (H.1.2.1).
    restart_rows : int
        Rows between restart markers, 0 for none.
    point_transform : int
        Bits that were shifted away.
    """

    predictor: int = 1
    restart_rows: int = 0
    point_transform: int = 0


def encode_lossless(frame: Pixels, precision: int, how: Lossless) -> bytes:
    """Encode (rows, columns) or (rows, columns, samples) without loss."""
    samples = np.atleast_3d(frame).astype("i8") >> how.point_transform
    interval = how.restart_rows or len(samples)
    parts = [samples[start : start + interval] for start in range(0, len(samples), interval)]
    coded = [pack(list(differences(part, precision, how))) for part in parts]
    restarts = [bytes([0xFF, 0xD0 + number % 8]) for number in range(len(parts) - 1)]
    body = b"".join(data + mark for data, mark in zip(coded, [*restarts, b""], strict=True))
    tables = huffman_table(0, DC_SYMBOLS, 5)
    if how.restart_rows:
        tables += segment(0xDD, struct.pack(">H", how.restart_rows * samples.shape[1]))
    scan = scan_header(range(samples.shape[2]), how.predictor, 0, how.point_transform)
    header = frame_header(LOSSLESS, samples, precision)
    return b"\xff\xd8" + tables + header + scan + body + b"\xff\xd9"


def differences(samples: Pixels, precision: int, how: Lossless) -> Iterator[tuple[int, int]]:
    """Yield the codes of what prediction leaves, modulo 2**16 (H.1.2.2)."""
    predicted = predict(samples, how.predictor, 1 << (precision - how.point_transform - 1))
    left = (samples - predicted + 32767) % 65536 - 32767
    for value in left.reshape(-1).tolist():
        yield DC_CODES[category(value)]
        if value != 32768:
            yield magnitude(value)


def predict(samples: Pixels, predictor: int, start: int) -> Pixels:
    """Return the prediction of every sample; the first row and column have their own (H.1.2.1)."""
    left = np.roll(samples, 1, axis=1)
    above = np.roll(samples, 1, axis=0)
    corner = np.roll(left, 1, axis=0)
    predicted = {
        1: left,
        2: above,
        3: corner,
        4: left + above - corner,
        5: left + ((above - corner) >> 1),
        6: above + ((left - corner) >> 1),
        7: (left + above) >> 1,
    }[predictor].copy()
    predicted[0] = left[0]
    predicted[:, 0] = above[:, 0]
    predicted[0, 0] = start
    return predicted


# ------------------------------------------------------------------ DCT (F, G)

ZIGZAG = sorted(
    ((row, column) for row in range(8) for column in range(8)),
    key=lambda place: (sum(place), place[0] if sum(place) % 2 else -place[0]),
)
BASIS = np.array(
    [
        [np.cos((2 * x + 1) * u * np.pi / 16) * (0.5 if u else 0.125**0.5) for x in range(8)]
        for u in range(8)
    ]
)


def encode_dct(
    frame: Pixels, precision: int, process: int, scans: Sequence[Scan] = (), step: int = 1
) -> bytes:
    """Encode with the cosine transform, sequentially or in `scans`.

    Parameters
    ----------
    frame : (rows, columns) or (rows, columns, samples) array
    precision : int
        8 or 12.
    step : int
        Of the quantisation of all coefficients.
    """
    samples = np.atleast_3d(frame)
    blocks = [transform(samples[..., each], precision, step) for each in range(samples.shape[2])]
    tables = segment(0xDB, bytes([0, *[step] * 64]))
    tables += huffman_table(0, DC_SYMBOLS[:16], 5) + huffman_table(1, AC_SYMBOLS, 8)
    header = frame_header(process, samples, precision)
    whole = Scan(tuple(range(len(blocks))), 0, 63)
    body = b"".join(encode_scan(blocks, scan) for scan in scans or [whole])
    return b"\xff\xd8" + tables + header + body + b"\xff\xd9"


def transform(samples: Pixels, precision: int, step: int) -> list[list[int]]:
    """Return the quantised coefficients of the blocks of a component, in zigzag order."""
    rows, columns = samples.shape
    padded = np.pad(samples.astype(float), ((0, -rows % 8), (0, -columns % 8)), "edge")
    tiles = padded.reshape(padded.shape[0] // 8, 8, -1, 8).transpose(0, 2, 1, 3)
    shifted = tiles - (1 << (precision - 1))
    coefficients = np.rint(BASIS @ shifted @ BASIS.T / step).astype(int).reshape(-1, 8, 8)
    down, across = np.array(ZIGZAG).T
    found: list[list[int]] = coefficients[:, down, across].tolist()
    return found


def encode_scan(blocks: list[list[list[int]]], scan: Scan) -> bytes:
    """Return a scan with its header."""
    codes: Codes = []
    before = dict.fromkeys(scan.components, 0)
    for place in range(len(blocks[0])):
        for each in scan.components:
            block = blocks[each][place]
            if scan.first == 0:
                codes += encode_dc(block, before[each], scan)
                before[each] = block[0] >> scan.low
            if scan.last:
                codes += refine_ac(block, scan) if scan.high else encode_ac(block, scan)
    header = scan_header(scan.components, scan.first, scan.last, scan.high << 4 | scan.low)
    return header + pack(codes)


def encode_dc(block: list[int], before: int, scan: Scan) -> Codes:
    """Return the difference of the first coefficient, or its next bit."""
    value = block[0] >> scan.low
    if scan.high:
        return [(value & 1, 1)]
    return [DC_CODES[category(value - before)], magnitude(value - before)]


def encode_ac(block: list[int], scan: Scan) -> Codes:
    """Return the runs of zeros and the coefficients of a band (F.1.2.2, G.1.2.2)."""
    codes: Codes = []
    run = 0
    for value in block[max(1, scan.first) : scan.last + 1]:
        shifted = (abs(value) >> scan.low) * (1 if value > 0 else -1)
        if shifted == 0:
            run += 1
            continue
        codes += [AC_CODES[0xF0]] * (run // 16)
        codes += [AC_CODES[run % 16 << 4 | category(shifted)], magnitude(shifted)]
        run = 0
    return codes + [AC_CODES[0x00]] * (run > 0)


def refine_ac(block: list[int], scan: Scan) -> Codes:
    """Return the next bit of a band's coefficients (G.1.2.3)."""
    codes: Codes = []
    corrections: Codes = []
    run = 0
    band = [(abs(value) >> scan.low, value) for value in block[scan.first : scan.last + 1]]
    last_new = max((place for place, (size, _) in enumerate(band) if size == 1), default=-1)
    for place, (size, value) in enumerate(band):
        if size == 0:
            run += 1
            if run == 16 and place < last_new:
                codes += [AC_CODES[0xF0], *corrections]
                corrections, run = [], 0
        elif size > 1:
            corrections.append((size & 1, 1))
        else:
            codes += [AC_CODES[run << 4 | 1], (int(value > 0), 1), *corrections]
            corrections, run = [], 0
    return codes + ([AC_CODES[0x00], *corrections] if run or corrections else [])
