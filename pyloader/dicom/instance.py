"""Read DICOM Part 10 files (PS3.10) into an `Instance`; its pixel data stay encoded, uncopied."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from struct import pack, unpack_from

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
ITEM = b"\xfe\xff\x00\xe0"
DELIMITER = b"\xfe\xff\xdd\xe0\0\0\0\0"
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
    frame_index : int or None
        The only frame that `body` holds, from 0; None when it holds all.
    """

    keyword: str
    vr: str
    body: bytes
    start: int
    stop: int
    missing: int = 0
    frame_index: int | None = None

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


@dataclass(frozen=True, slots=True)
class PixelHeader:
    """The header of the element that holds the pixels.

    Attributes
    ----------
    keyword : str
    vr : str
    start : int
        Where the value begins in the file, from 0.
    length : int or None
        Bytes of the value; None when it is encapsulated, whose length is undefined.
    """

    keyword: str
    vr: str
    start: int
    length: int | None


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
    instance, position = read_until_pixels(body, url)
    if instance.transfer_syntax_uid == DeflatedExplicitVRLittleEndian:
        body, position = inflate(body, url)
    header = read_pixel_header(body, position, instance.transfer_syntax_uid)
    return instance if header is None else replace(instance, pixels=pixels_in(body, header))


def parse_beginning(body: bytes, url: str = "") -> tuple[Instance, PixelHeader] | None:
    """Read a file of which only the first bytes are there.

    Returns
    -------
    (Instance, PixelHeader) or None
        The instance, without pixels, and where they begin. None when the header goes on beyond
        `body`, when there are no pixels, or when the data set is deflated: that takes the whole.

    Raises
    ------
    FormatError
        `body` is not the beginning of a DICOM file.
    """
    try:
        instance, position = read_until_pixels(body, url)
    except FormatError:
        if has_prefix(body):
            return None  # cut off within an element
        raise
    if instance.transfer_syntax_uid == DeflatedExplicitVRLittleEndian:
        return None
    header = read_pixel_header(body, position, instance.transfer_syntax_uid)
    return None if header is None else (instance, header)


def read_until_pixels(body: bytes, url: str) -> tuple[Instance, int]:
    """Return the instance without its pixels, and the position where they begin."""
    refuse_other_formats(body, url)
    stream = BytesIO(body)
    with noting() as notes:
        dataset = read_header(stream, body, url)
    return Instance(dataset, transfer_syntax_of(dataset), None, tuple(notes)), stream.tell()


def one_frame(instance: Instance, frame_index: int, frame: bytes, vr: str = "OW") -> Instance:
    """Return `instance` with the pixels of one frame, as its transfer syntax encodes it."""
    syntax = instance.transfer_syntax_uid
    # One that pydicom does not know is newer than it, and those are encapsulated.
    is_native = syntax.is_transfer_syntax and not syntax.is_encapsulated
    body = frame if is_native else encapsulate_frame(frame)
    pixels = PixelElement("PixelData", vr, body, 0, len(body), frame_index=frame_index)
    return replace(instance, pixels=pixels)


def encapsulate_frame(frame: bytes) -> bytes:
    """Return a frame as Pixel Data of that frame alone: an empty offset table and one item."""
    return b"".join((ITEM, pack("<L", 0), ITEM, pack("<L", len(frame)), frame, DELIMITER))


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


def has_prefix(body: bytes) -> bool:
    """Tell whether `body` begins with the preamble and prefix of PS3.10 7.1."""
    return body[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] == b"DICM"


def read_header(stream: BytesIO, body: bytes, url: str) -> Dataset:
    """Read the data set up to its pixel data; `stream` is left where that begins."""
    try:
        dataset = dcmread(stream, stop_before_pixels=True, force=True)
        plausible = len(dataset) > 0 and ("SOPClassUID" in dataset or "Rows" in dataset)
    except Exception as error:
        raise FormatError(f"{not_dicom(body, url)}: {type(error).__name__}: {error}") from error
    if not (has_prefix(body) or plausible):
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


def inflate(body: bytes, url: str) -> tuple[bytes, int]:
    """Return the inflated data set and the position of its pixel data (PS3.5 A.5)."""
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
    return inflated, stream.tell()


def read_pixel_header(body: bytes, position: int, syntax: UID) -> PixelHeader | None:
    """Return the header of the pixel data element that begins at `position`, if one does."""
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    if position + 12 > len(body):
        return None
    group, element = unpack_from(f"{order}HH", body, position)
    keyword = PIXEL_KEYWORDS.get(group << 16 | element)
    if keyword is None:
        return None
    vr, length, start = read_element_header(body, position + 4, order, syntax)
    return PixelHeader(keyword, vr, start, None if length == UNDEFINED_LENGTH else length)


def pixels_in(body: bytes, header: PixelHeader) -> PixelElement:
    """Return the element of a whole file."""
    start, end = header.start, len(body)
    if header.length is None:
        return PixelElement(header.keyword, header.vr, body, start, end)
    stop = min(start + header.length, end)
    missing = start + header.length - stop
    return PixelElement(header.keyword, header.vr, body, start, stop, missing)


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
    if syntax == ImplicitVRLittleEndian or not (vr.isalpha() and vr.isupper()):
        return "OW", unpack_from(f"{order}L", body, position)[0], position + 4
    return vr.decode(), unpack_from(f"{order}H", body, position + 2)[0], position + 4
