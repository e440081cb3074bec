"""Read the headers of a JPEG or JPEG-LS codestream (ISO 10918-1 B, ISO 14495-1 C)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import UnsupportedError
from pyloader.pixels.codestream.identify import JPEG_LS, LOSSLESS, START_OF_SCAN, STARTS_OF_FRAME

# Second bytes of all markers except restarts, which are within data. In JPEG data a zero follows
# FF, in JPEG-LS data a byte below 80 (ISO 10918-1 B.1.1.2 and B.1.1.5, ISO 14495-1 A.1).
MARKERS = np.isin(np.arange(256), [*range(0x80, 0xD0), *range(0xD8, 0xFF)])
# Start-of-frame markers; C4, C8 and CC have other meanings (Table B.1).
FRAMES = frozenset({*range(0xC0, 0xD0), JPEG_LS} - {0xC4, 0xC8, 0xCC})
PROGRESSIVE, END_OF_IMAGE, RESTART_INTERVAL = 0xC2, 0xD9, 0xDD
APP0, APP14, START_OF_IMAGE = 0xE0, 0xEE, 0xD8


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan header (ISO 10918-1 B.2.3) and the extent of its data.

    Attributes
    ----------
    components : bytes
        Identifiers of the components.
    tables : bytes
        Selectors of each component's entropy coding tables; DC in the upper 4 bits.
    first, last : int
        Spectral selection; `first` is the predictor of a lossless process, NEAR of JPEG-LS.
    low_bit : int
        Lowest bit after this scan's successive approximation; the point transform if lossless.
    interval : int
        Restart interval in MCUs; 0 for none.
    start, end : int
        First byte of the data, and the byte after them.
    """

    components: bytes
    tables: bytes
    first: int
    last: int
    low_bit: int
    interval: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """The headers of a JPEG or JPEG-LS codestream.

    Attributes
    ----------
    process : int
        Second byte of the start-of-frame marker.
    components : bytes
        Identifiers of the components.
    sampling : tuple of int
        Horizontal and vertical sampling factors of each, as one byte.
    adobe_transform : int or None
        0 for RGB, 1 for YCbCr; None without an APP14 Adobe segment.
    is_jfif : bool
        Whether there is an APP0 JFIF segment, which means YCbCr.
    end : int or None
        Offset of the end-of-image marker; None when the codestream has none.
    """

    process: int
    precision: int
    rows: int
    columns: int
    components: bytes
    sampling: tuple[int, ...]
    adobe_transform: int | None
    is_jfif: bool
    scans: tuple[Scan, ...]
    end: int | None

    @property
    def is_subsampled(self) -> bool:
        """True if components differ in their number of samples."""
        return len(set(self.sampling)) > 1


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker segment, and the `start` and `end` of the data that follow a scan header."""

    marker: int
    parameters: bytes
    start: int
    end: int


@lru_cache(maxsize=1)  # several callers read the same frame, and finding markers is slow
def read_jpeg(frame: bytes) -> JpegHeader:
    """Read the headers of a codestream.

    Raises
    ------
    ValueError
        There is no frame header or no scan: the codestream is cut off, or not JPEG.
    """
    segments = list(segments_of(frame))
    found = next((each for each in segments if each.marker in FRAMES), None)
    header = b"" if found is None else found.parameters
    if found is None or len(header) < 6 or len(header) < 6 + 3 * header[5]:
        raise ValueError("the codestream has no whole frame header (SOF); it may be cut off")
    scans = tuple(read_scans(segments))
    if not scans:
        raise ValueError("the codestream has no scan; it may be cut off")
    applications = {each.marker: each.parameters for each in reversed(segments)}
    adobe = applications.get(APP14, b"")
    return JpegHeader(
        process=found.marker,
        precision=header[0],
        rows=int.from_bytes(header[1:3]),
        columns=int.from_bytes(header[3:5]),
        components=header[6 : 6 + 3 * header[5] : 3],
        sampling=tuple(header[7 : 6 + 3 * header[5] : 3]),
        adobe_transform=adobe[11] if adobe.startswith(b"Adobe") and len(adobe) > 11 else None,
        is_jfif=applications.get(APP0, b"").startswith(b"JFIF"),
        scans=scans,
        end=segments[-1].start if segments[-1].marker == END_OF_IMAGE else None,
    )


def segments_of(frame: bytes) -> Iterator[Segment]:
    """Yield the marker segments up to end-of-image, which is the last if present."""
    places = find_markers(frame)
    index = int(np.searchsorted(places, 2))
    while index < len(places):
        marker, start = frame[places[index] + 1], int(places[index]) + 2
        if marker == END_OF_IMAGE:
            yield Segment(marker, b"", start - 2, start)
            return
        length = 0 if marker == START_OF_IMAGE else int.from_bytes(frame[start : start + 2])
        position = start + length
        index = max(index + 1, int(np.searchsorted(places, position)))
        end = int(places[index]) if index < len(places) else len(frame)
        yield Segment(marker, frame[start + 2 : position], position, end)


def find_markers(frame: bytes) -> NDArray[np.intp]:
    """Return the offsets of markers, and of bytes that look like one by chance."""
    values = np.frombuffer(frame, "u1")
    places = np.flatnonzero(values[:-1] == 0xFF)
    found: NDArray[np.intp] = places[MARKERS[values[places + 1]]]
    return found


def read_scans(segments: list[Segment]) -> Iterator[Scan]:
    """Yield the scans, each with the restart interval defined last before it (B.2.4.4)."""
    interval = 0
    for segment in segments:
        if segment.marker == RESTART_INTERVAL:
            interval = int.from_bytes(segment.parameters)
        elif segment.marker == START_OF_SCAN:
            yield read_scan(segment, interval)


def read_scan(segment: Segment, interval: int) -> Scan:
    """Read a scan header."""
    parameters = segment.parameters
    count = parameters[0] if parameters else 0
    if len(parameters) != 4 + 2 * count or not count:
        raise ValueError("a scan header of the codestream is broken; it may be cut off")
    first, last, approximation = parameters[-3:]
    return Scan(
        *(parameters[1:-3:2], parameters[2:-3:2], first, last, approximation & 15),
        *(interval, segment.start, segment.end),
    )


def check_process(header: JpegHeader) -> None:
    """Check that the process can be decoded, and that JPEG-LS has an end-of-image marker.

    CharLS never returns from some codestreams without one.

    Raises
    ------
    UnsupportedError
        The process is arithmetic or hierarchical; these were retired.
    ValueError
        JPEG-LS has no end-of-image marker.
    """
    if header.process not in STARTS_OF_FRAME:
        raise UnsupportedError(
            f"JPEG with the start of frame {header.process:#x} is arithmetic or hierarchical; "
            "baseline, extended, progressive and lossless processes with Huffman codes are "
            "supported (ISO 10918-1 Table B.1). Ask the server for another transfer syntax"
        )
    if header.process == JPEG_LS and header.end is None:
        raise ValueError("the codestream has no end-of-image marker: it is cut off")


def is_lossless(header: JpegHeader) -> bool:
    """Tell whether the process is lossless, or JPEG-LS: without a colour transformation."""
    return header.process in (LOSSLESS, JPEG_LS)
