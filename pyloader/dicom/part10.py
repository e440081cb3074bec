"""The header of a Part 10 file (PS3.10 7): where its data set begins, and how it is written.

Files say in their meta header how the data set is written, and some say it wrong or not at all.
The first element of the data set shows it (PS3.5 7.1); what it shows is taken, and noted.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from struct import error as StructError  # what unpack_from raises beyond the end
from struct import pack, unpack_from

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from pyloader.dicom.charset import settle_character_set
from pyloader.dicom.elements import data_set_of, read_elements
from pyloader.dicom.structure import (
    PIXEL_KEYWORDS,
    UNDEFINED_LENGTH,
    WRITTEN_VRS,
    Layout,
    is_vr,
)
from pyloader.dicom.transfer_syntaxes import NATIVE, name_of
from pyloader.dicom.values import value_of
from pyloader.errors import FormatError
from pyloader.inflate import DamagedError, deflate, inflate

PREAMBLE_BYTES = 128
PREFIX = b"DICM"
LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"UN"})


@dataclass(frozen=True, slots=True)
class FileMeta:
    """File Meta Information, and the place of the data set behind it.

    Attributes
    ----------
    meta : FileMetaDataset
        File Meta Information; empty when the file has none.
    body : bytes
        What the data set stands in: the file, or the inflated data set.
    position : int
        Where in `body` the data set begins.
    layout : Layout
    transfer_syntax_uid : UID
        As declared, unless the bytes are of another byte order.
    """

    meta: FileMetaDataset
    body: bytes
    position: int
    layout: Layout
    transfer_syntax_uid: UID

    @property
    def is_deflated(self) -> bool:
        """True when the data set has to be inflated before it can be read (PS3.5 A.5)."""
        return self.transfer_syntax_uid == DeflatedExplicitVRLittleEndian

    def inflated(self, url: str, most_bytes: int) -> FileMeta:
        """Return the same with `body` inflated, of `most_bytes` at most."""
        body = inflated(memoryview(self.body)[self.position :], url, most_bytes)
        layout = layout_of(body, 0, ExplicitVRLittleEndian)
        syntax = decide_syntax(self.transfer_syntax_uid, layout, False)
        return replace(self, body=body, position=0, layout=layout, transfer_syntax_uid=syntax)


def read_beginning(body: bytes) -> FileMeta:
    """Read the meta header of a file, also of one without preamble, prefix or meta header.

    Parameters
    ----------
    body : bytes
        The file, or its beginning.

    References
    ----------
    PS3.10 7.1 (preamble, File Meta Information), PS3.7 E (command sets, which dumps have).
    """
    meta, position = read_meta(body, start_of_meta(body))
    _, position = read_group(body, position, 0, Layout(True, False))
    declared = UID(str(value_of(meta, "TransferSyntaxUID") or ""))
    found = layout_of(body, position, declared)
    is_deflated = declared == DeflatedExplicitVRLittleEndian
    is_plain = is_deflated and not is_deflated_here(declared, body[position : position + 6])
    syntax = declared if is_deflated and not is_plain else decide_syntax(declared, found, is_plain)
    return FileMeta(meta, body, position, found, syntax)


def has_prefix(body: bytes) -> bool:
    """Tell whether `body` begins with the preamble and prefix of PS3.10 7.1."""
    return body[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] == PREFIX


def start_of_meta(body: bytes) -> int:
    """Return where the first element is: behind the prefix, with or without a preamble."""
    if has_prefix(body):
        return PREAMBLE_BYTES + 4
    return len(PREFIX) if body.startswith(PREFIX) else 0


def read_meta(body: bytes, start: int) -> tuple[FileMetaDataset, int]:
    """Return the elements of group 2 at `start`, and where they end.

    They are explicit little endian (PS3.10 7.1); in files that break this, their bytes tell.
    """
    layout = layout_of(body, start, ExplicitVRLittleEndian)
    elements, stop = read_group(body, start, 2, layout)
    return data_set_of(elements._dict, FileMetaDataset), stop


def read_group(body: bytes, start: int, group: int, layout: Layout) -> tuple[Dataset, int]:
    """Return the elements of a group that begin at `start`, and where they end."""
    if body[start : start + 2] != pack(f"{layout.order}H", group) or len(body) < start + 8:
        return data_set_of({}, Dataset), start
    return read_elements(body, start, layout, lambda tag: tag >> 16 != group)


def layout_of(body: bytes, position: int, declared: UID) -> Layout:
    """Return the layout of the element at `position`: by its bytes, else as declared.

    Groups of a first element are below 0100H, so one of two bytes is 0.
    """
    first = body[position : position + 6]
    if is_element(first) and not is_deflated_here(declared, first):
        return Layout(not is_vr(first[4:]), first[0] == 0)
    if declared:
        return NATIVE[declared].layout if declared in NATIVE else Layout(False, False)
    return Layout(not is_vr(first[4:]), False)


def is_deflated_here(declared: UID, first: bytes) -> bool:
    """Tell whether a data set that is said to be deflated is, by its first bytes."""
    is_plain = is_element(first) and first[4:] in WRITTEN_VRS
    return declared == DeflatedExplicitVRLittleEndian and not is_plain


def is_element(first: bytes) -> bool:
    """Tell whether six bytes may begin a data set."""
    return len(first) == 6 and 0 in first[:2] and first[:2] != b"\0\0"


def decide_syntax(declared: UID, found: Layout, is_plain: bool) -> UID:
    """Return the transfer syntax of the pixels; contradictions are noted.

    Parameters
    ----------
    is_plain : bool
        Whether the data set is said to be deflated, and is not.
    """
    if not declared:
        return found.syntax
    said = NATIVE[declared].layout if declared in NATIVE else Layout(False, False)
    if found != said or is_plain:
        warnings.warn(
            f"the meta header says {name_of(declared)}, the data set is {found}; it was read as it "
            "is",
            stacklevel=2,
        )
    is_other_order = declared in NATIVE and found.is_big_endian != said.is_big_endian
    return found.syntax if is_plain or is_other_order else declared


def inflated(packed: memoryview, url: str, most_bytes: int) -> bytes:
    """Return a deflated data set inflated, as far as it is there (PS3.5 A.5).

    Raises
    ------
    FormatError
        It is damaged, or takes more than `most_bytes`.
    """
    try:
        body, inflater = inflate(deflate, packed, most_bytes + 1)
    except DamagedError as error:
        raise FormatError(
            f"{url or 'the file'}: its deflated data set is broken: {error}"
        ) from error
    if len(body) > most_bytes:
        raise FormatError(
            f"{url or 'the file'}: its deflated data set of {len(packed)} bytes has more than the "
            f"{most_bytes} that one image may take: it is damaged, made to do harm, or the limit "
            "(limits.decodedBytes of init, Context.decoded_bytes) has to be raised"
        )
    if not inflater.is_over:
        warnings.warn(
            f"the deflated data set is cut off: its {len(packed)} bytes give {len(body)}, "
            "and have no end",
            stacklevel=2,
        )
    return body


def read_data_set(beginning: FileMeta) -> tuple[Dataset, int]:
    """Return the data set up to its pixel data, and where in the body these begin."""
    body, start, layout = beginning.body, beginning.position, beginning.layout
    dataset, stop = read_elements(body, start, layout, PIXEL_KEYWORDS.__contains__)
    dataset.file_meta = beginning.meta
    settle_character_set(dataset)
    return dataset, stop


# ------------------------------------------------------------------ the element of the pixels


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


def read_pixel_header(body: bytes, position: int, layout: Layout) -> PixelHeader | None:
    """Return the header of the pixel data element that begins at `position`, if one does."""
    order = layout.order
    try:
        group, element = unpack_from(f"{order}HH", body, position)
        vr, length, start = read_element_header(body, position + 4, layout)
    except StructError:
        return None
    keyword = PIXEL_KEYWORDS.get(group << 16 | element)
    if keyword is None:
        return None
    return PixelHeader(keyword, vr, start, None if length == UNDEFINED_LENGTH else length)


def read_element_header(body: bytes, position: int, layout: Layout) -> tuple[str, int, int]:
    """Return VR, length and the start of the value of the element whose tag ends at `position`.

    Files exist whose elements are explicit here and implicit there. The bytes tell: a long VR
    read as an implicit length would be odd, which none is.
    """
    order, vr = layout.order, body[position : position + 2]
    if vr in LONG_VRS and body[position + 2 : position + 4] == b"\0\0":
        return vr.decode(), unpack_from(f"{order}L", body, position + 4)[0], position + 8
    if layout.is_implicit or not (vr.isalpha() and vr.isupper()):
        return "OW", unpack_from(f"{order}L", body, position)[0], position + 4
    return vr.decode(), unpack_from(f"{order}H", body, position + 2)[0], position + 4
