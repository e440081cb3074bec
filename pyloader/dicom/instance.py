"""Read DICOM Part 10 files (PS3.10) into an `Instance`; its pixel data stay encoded, uncopied."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from struct import unpack_from

from pydicom import Dataset, dcmread
from pydicom.filereader import read_dataset, read_preamble
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from pyloader.errors import FormatError, ImageIdError

PREAMBLE_BYTES = 128
UNDEFINED_LENGTH = 0xFFFFFFFF
PIXEL_KEYWORDS = {
    0x7FE00008: "FloatPixelData",
    0x7FE00009: "DoubleFloatPixelData",
    0x7FE00010: "PixelData",
}
LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"UN"})


@dataclass(frozen=True, slots=True)
class PixelElement:
    """The element that holds the pixels, still encoded.

    Attributes
    ----------
    keyword : str
        ``PixelData``, ``FloatPixelData`` or ``DoubleFloatPixelData``.
    vr : str
    body : bytes
        What the value stands in: the file itself.
    start, stop : int
        Bytes of `body`, from 0, that the value takes; `stop` is past the delimiter when
        encapsulated.
    missing : int
        Bytes that the element's length announces and the file does not have.
    """

    keyword: str
    vr: str
    body: bytes
    start: int
    stop: int
    missing: int = 0

    @property
    def value(self) -> memoryview:
        """The value, without a copy."""
        return memoryview(self.body)[self.start : self.stop]


@dataclass(frozen=True, slots=True)
class Instance:
    """One SOP Instance.

    Attributes
    ----------
    dataset : Dataset
        Everything but the pixels.
    transfer_syntax_uid : UID
    pixels : PixelElement or None
        None for an object without pixel data, such as a structured report.
    warnings : tuple of str
        What was met and decided while reading.
    """

    dataset: Dataset
    transfer_syntax_uid: UID
    pixels: PixelElement | None
    warnings: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of the file that stay in memory."""
        return len(self.pixels.body) if self.pixels else 0

    @property
    def number_of_frames(self) -> int:
        """(0028,0008) Number of Frames; 1 when absent or not positive."""
        try:
            return max(1, int(self.dataset.get("NumberOfFrames") or 1))
        except (TypeError, ValueError):
            return 1

    def check_frame(self, frame_index: int) -> int:
        """Return `frame_index`, from 0, when there is such a frame.

        Raises
        ------
        ImageIdError
            There is not.
        """
        frames = self.number_of_frames
        if not 0 <= frame_index < frames:
            raise ImageIdError(
                f"frame {frame_index + 1} was asked for, but the instance has {frames} "
                f"frame{'s' if frames > 1 else ''}; frames count from 1"
            )
        return frame_index


def parse_part10(body: bytes, url: str = "") -> Instance:
    """Read a DICOM file, also one without preamble or File Meta Information.

    Parameters
    ----------
    body : bytes
        The whole file.
    url : str
        Where it came from, for error texts.

    Raises
    ------
    FormatError
        `body` is not a DICOM file, or is cut off within its header.

    References
    ----------
    PS3.10 7.1 (preamble, File Meta Information), PS3.5 7.1 (data elements).
    """
    refuse_other_formats(body, url)
    stream = BytesIO(body)
    with noting() as notes:
        dataset = read_header(stream, body, url)
    syntax = transfer_syntax_of(dataset)
    if syntax == DeflatedExplicitVRLittleEndian:
        body, stream = inflate(body, url)
    pixels = find_pixels(body, stream.tell(), syntax)
    return Instance(dataset, syntax, pixels, tuple(notes))


def parse_json(text: str) -> Instance:
    """Read a DICOM JSON data set (PS3.18 F); bulk data stay where they are.

    Raises
    ------
    FormatError
        `text` is not a DICOM JSON data set.
    """
    try:
        with noting() as notes:
            dataset = Dataset.from_json(text, bulk_data_uri_handler=lambda *_: None)
    except Exception as error:
        raise FormatError(
            f"the metadata cannot be read as a DICOM JSON data set: {type(error).__name__}: {error}"
        ) from error
    syntax = UID(str(dataset.get("AvailableTransferSyntaxUID", "")))
    return Instance(dataset, syntax, None, tuple(notes))


@contextmanager
def noting() -> Iterator[list[str]]:
    """Collect what pydicom warns of, each text once; the list is filled at the end."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield notes
    notes += dict.fromkeys(str(warning.message) for warning in caught)


def refuse_other_formats(body: bytes, url: str) -> None:
    """Raise for what a server most often sends in place of a file."""
    if not body:
        raise FormatError(f"{url or 'the file'} is empty (0 bytes), expected a DICOM file")
    start = body[:256].lstrip()[:15].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise FormatError(
            f"{url or 'the file'} is an HTML page, expected a DICOM file; servers answer so with "
            "a log-in or start page: check the address and the session"
        )


def read_header(stream: BytesIO, body: bytes, url: str) -> Dataset:
    """Read the data set up to its pixel data; `stream` is left where that begins."""
    has_prefix = body[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] == b"DICM"
    try:
        dataset = dcmread(stream, stop_before_pixels=True, force=True)
        plausible = len(dataset) > 0 and ("SOPClassUID" in dataset or "Rows" in dataset)
    except Exception as error:
        raise FormatError(f"{not_dicom(body, url)}: {type(error).__name__}: {error}") from error
    if not (has_prefix or plausible):
        raise FormatError(not_dicom(body, url))
    return dataset


def not_dicom(body: bytes, url: str) -> str:
    """Say that `body` cannot be read as DICOM."""
    return (
        f"{url or 'the file'} cannot be read as a DICOM file ({len(body)} bytes, beginning with "
        f"{body[:16]!r}); it may be cut off, or of another format"
    )


def transfer_syntax_of(dataset: Dataset) -> UID:
    """Return (0002,0010), or the syntax that pydicom found while reading when it is absent."""
    uid = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    if uid:
        return UID(uid)
    is_implicit, is_little_endian = dataset.original_encoding
    if is_implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if is_little_endian else ExplicitVRBigEndian


def inflate(body: bytes, url: str) -> tuple[bytes, BytesIO]:
    """Return the inflated data set and a stream standing at its pixel data (PS3.5 A.5)."""
    packed = BytesIO(body)
    read_preamble(packed, force=True)
    read_dataset(packed, False, True, stop_when=lambda tag, vr, length: tag.group != 2)
    try:
        inflated = zlib.decompress(packed.read(), -zlib.MAX_WBITS)
    except zlib.error as error:
        raise FormatError(
            f"{url or 'the file'}: its deflated data set is broken: {error}"
        ) from error
    stream = BytesIO(inflated)
    read_dataset(stream, False, True, stop_when=lambda tag, vr, length: tag in PIXEL_KEYWORDS)
    return inflated, stream


def find_pixels(body: bytes, position: int, syntax: UID) -> PixelElement | None:
    """Return the pixel data element whose header stands at `position`, if one does."""
    order = "<" if syntax.is_little_endian else ">"
    if position + 12 > len(body):
        return None
    group, element = unpack_from(f"{order}HH", body, position)
    keyword = PIXEL_KEYWORDS.get(group << 16 | element)
    if keyword is None:
        return None
    vr, length, start = read_element_header(body, position + 4, order, syntax)
    if length == UNDEFINED_LENGTH:
        return PixelElement(keyword, vr, body, start, len(body))
    stop = min(start + length, len(body))
    return PixelElement(keyword, vr, body, start, stop, missing=start + length - stop)


def read_element_header(
    body: bytes, position: int, order: str, syntax: UID
) -> tuple[str, int, int]:
    """Return VR, length and the start of the value of the element whose tag ends at `position`.

    Files exist whose data set is explicit where the meta header says implicit, and the other way
    round. The bytes tell: a long VR read as an implicit length would be odd, which none is.
    """
    vr = body[position : position + 2]
    if vr in LONG_VRS and body[position + 2 : position + 4] == b"\0\0":
        return vr.decode(), unpack_from(f"{order}L", body, position + 4)[0], position + 8
    if syntax.is_implicit_VR or not (vr.isalpha() and vr.isupper()):
        return "OW", unpack_from(f"{order}L", body, position)[0], position + 4
    return vr.decode(), unpack_from(f"{order}H", body, position + 2)[0], position + 4
