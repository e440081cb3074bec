"""The header of a Part 10 file (PS3.10 7): the start and the encoding of its data set.

The File Meta Information declares the encoding; in some files it is wrong or absent. The first
element of the data set shows the real encoding (PS3.5 7.1). That one is used, with a warning.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from struct import error as StructError  # unpack_from raises it past the end
from struct import pack, unpack_from

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from pyloader.dicom.charset import infer_character_set
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
    """File Meta Information, and the position of the data set that follows it.

    Attributes
    ----------
    meta : FileMetaDataset
        File Meta Information; empty when the file has none.
    body : bytes
        The bytes that contain the data set: the file, or the inflated data set.
    position : int
        Start of the data set in `body`, from 0.
    layout : Layout
    transfer_syntax_uid : UID
        As declared. As found where none is declared, the byte order differs, or the data set is
        not deflated although declared so.
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
        """Return a copy whose `body` is inflated, to `most_bytes` at most."""
        body = inflated(memoryview(self.body)[self.position :], url, most_bytes)
        layout = layout_of(body, 0, ExplicitVRLittleEndian)
        syntax = decide_syntax(self.transfer_syntax_uid, layout, False)
        return replace(self, body=body, position=0, layout=layout, transfer_syntax_uid=syntax)


def read_beginning(body: bytes) -> FileMeta:
    """Read the File Meta Information; preamble, prefix and meta header may all be missing.

    Parameters
    ----------
    body : bytes
        The file, or its first bytes.

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
    """Return whether `body` begins with the preamble and prefix of PS3.10 7.1."""
    return body[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] == PREFIX


def start_of_meta(body: bytes) -> int:
    """Return the position of the first element: after the prefix, with or without a preamble."""
    if has_prefix(body):
        return PREAMBLE_BYTES + 4
    return len(PREFIX) if body.startswith(PREFIX) else 0


def read_meta(body: bytes, start: int) -> tuple[FileMetaDataset, int]:
    """Return the elements of group 2 at `start`, and where they end.

    They are explicit VR little endian (PS3.10 7.1). Some files break this rule, so the layout is
    found from the bytes.
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
    """Return the layout of the element at `position`: from its bytes, else as declared.

    The group of a first element is below 0100H, so one of its two bytes is 0.
    """
    first = body[position : position + 6]
    if is_element(first) and not is_deflated_here(declared, first):
        return Layout(not is_vr(first[4:]), first[0] == 0)
    if declared:
        return NATIVE[declared].layout if declared in NATIVE else Layout(False, False)
    return Layout(not is_vr(first[4:]), False)


def is_deflated_here(declared: UID, first: bytes) -> bool:
    """Return whether a data set declared as deflated really is, from its first bytes."""
    is_plain = is_element(first) and first[4:] in WRITTEN_VRS
    return declared == DeflatedExplicitVRLittleEndian and not is_plain


def is_element(first: bytes) -> bool:
    """Return whether six bytes may begin a data set."""
    return len(first) == 6 and 0 in first[:2] and first[:2] != b"\0\0"


def decide_syntax(declared: UID, found: Layout, is_plain: bool) -> UID:
    """Return the transfer syntax of the pixels; warn if the declared one contradicts the bytes.

    Parameters
    ----------
    is_plain : bool
        True for a data set that is declared as deflated, but is not.
    """
    if not declared:
        return found.syntax
    said = NATIVE[declared].layout if declared in NATIVE else Layout(False, False)
    if found != said or is_plain:
        warnings.warn(
            f"the meta header says {name_of(declared)}, but the data set is {found}; it was read "
            "as found",
            stacklevel=2,
        )
    is_other_order = declared in NATIVE and found.is_big_endian != said.is_big_endian
    return found.syntax if is_plain or is_other_order else declared


def inflated(packed: memoryview, url: str, most_bytes: int) -> bytes:
    """Inflate a deflated data set, as far as its bytes are present (PS3.5 A.5).

    Raises
    ------
    FormatError
        The data set is damaged, or inflates to more than `most_bytes`.
    """
    try:
        body, inflater = inflate(deflate, packed, most_bytes + 1)
    except DamagedError as error:
        raise FormatError(
            f"{url or 'the file'}: its deflated data set is broken: {error}"
        ) from error
    if len(body) > most_bytes:
        raise FormatError(
            f"{url or 'the file'}: its deflated data set of {len(packed)} bytes inflates to more "
            f"than the {most_bytes} that one image may take: the file is damaged or malicious, or "
            "the limit (limits.decodedBytes of init, Context.decoded_bytes) must be raised"
        )
    if not inflater.is_over:
        warnings.warn(
            f"the deflated data set is cut off: its {len(packed)} bytes inflate to {len(body)}, "
            "and the end of the stream is missing",
            stacklevel=2,
        )
    return body


def read_data_set(beginning: FileMeta) -> tuple[Dataset, int]:
    """Return the data set up to its pixel data, and where in the body the pixel data begin."""
    body, start, layout = beginning.body, beginning.position, beginning.layout
    dataset, stop = read_elements(body, start, layout, PIXEL_KEYWORDS.__contains__)
    dataset.file_meta = beginning.meta
    infer_character_set(dataset)
    return dataset, stop


# ------------------------------------------------------------------ the pixel data element


@dataclass(frozen=True, slots=True)
class PixelHeader:
    """The header of the element that holds the pixels.

    Attributes
    ----------
    keyword : str
    vr : str
    start : int
        Start of the value in the file, in bytes from 0.
    length : int or None
        Length of the value in bytes; None when undefined, as for encapsulated pixel data.
    """

    keyword: str
    vr: str
    start: int
    length: int | None


def read_pixel_header(body: bytes, position: int, layout: Layout) -> PixelHeader | None:
    """Return the header of the pixel data element at `position`; None if another one is there."""
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
    """Return VR, length and start of the value of the element whose tag ends at `position`.

    Some files mix elements of explicit and implicit VR. The bytes show which one this is: a long
    VR read as an implicit length would be odd, and every length is even.
    """
    order, vr = layout.order, body[position : position + 2]
    if vr in LONG_VRS and body[position + 2 : position + 4] == b"\0\0":
        return vr.decode(), unpack_from(f"{order}L", body, position + 4)[0], position + 8
    if layout.is_implicit or not (vr.isalpha() and vr.isupper()):
        return "OW", unpack_from(f"{order}L", body, position)[0], position + 4
    return vr.decode(), unpack_from(f"{order}H", body, position + 2)[0], position + 4
