"""The elements of a data set (PS3.5 7.1), their values as they are encoded.

pydicom's reader looks at an element in a dozen steps of Python. Those that keep the rules and say
their length are read here, in a third of the time; each other one by pydicom.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from struct import Struct, unpack_from
from typing import Any, TypeVar

from pydicom import DataElement, Dataset
from pydicom.charset import convert_encodings, default_encoding, python_encoding
from pydicom.dataelem import RawDataElement, convert_raw_data_element, empty_value_for_VR
from pydicom.filereader import data_element_generator, read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

from pyloader.dicom.values import TAGS

Element = RawDataElement | DataElement
IsEnd = Callable[[int], bool]
Kind = TypeVar("Kind", bound=Dataset)
UNDEFINED_LENGTH = 0xFFFFFFFF
DELIMITERS = 0xFFFE0000
NO_VALUE = {vr: empty_value_for_VR(vr, raw=True) for vr in (None, *(vr.value for vr in VR))}
# What pydicom keeps of a data set beside its elements.
EMPTY = vars(Dataset())
MUTABLE = {name: value for name, value in EMPTY.items() if isinstance(value, (dict, list))}
CHARACTER_SET = BaseTag(0x00080005)
# As written -> as pydicom has it, and whether the length has four bytes (PS3.5 7.1.2).
WRITTEN_VRS = {
    vr.value.encode(): (vr.value, vr in EXPLICIT_VR_LENGTH_32) for vr in VR if len(vr.value) == 2
}
Start = tuple[int, BaseTag, str | None, bool] | tuple[()]
# What a file may make us remember of how elements begin.
MOST_STARTS = 1 << 14


@dataclass(frozen=True, slots=True)
class Layout:
    """How the elements of a data set are written (PS3.5 7.1 and 7.3)."""

    is_implicit: bool
    is_big_endian: bool

    @property
    def order(self) -> str:
        """Byte order as `struct` and numpy name it."""
        return ">" if self.is_big_endian else "<"

    @property
    def syntax(self) -> UID:
        """The native transfer syntax of that layout."""
        if self.is_big_endian:
            return ExplicitVRBigEndian
        return ImplicitVRLittleEndian if self.is_implicit else ExplicitVRLittleEndian

    def __str__(self) -> str:
        vr = "implicit" if self.is_implicit else "explicit"
        return f"{vr} VR, {'big' if self.is_big_endian else 'little'} endian"


def read_elements(body: bytes, position: int, layout: Layout, is_end: IsEnd) -> tuple[Dataset, int]:
    """Return the data set that begins at `position`, and where in `body` it ends.

    Parameters
    ----------
    is_end : callable
        Whether an element of that tag is no part of it any more.

    Raises
    ------
    Exception
        Whatever pydicom raises for bytes that are no data set.
    """
    if not is_as_said(body, position, layout):
        return read_by_pydicom(body, position, layout, is_end)
    try:
        found, stop = read_all(body, position, layout, is_end)
    except (EOFError, NotImplementedError):
        return read_by_pydicom(body, position, layout, is_end)  # which knows what to make of it
    dataset = data_set_of(found, Dataset)
    dataset.set_original_encoding(layout.is_implicit, not layout.is_big_endian, encoding_of(found))
    return dataset, stop


def data_set_of(elements: MutableMapping[BaseTag, Any], kind: type[Kind]) -> Kind:
    """Return what ``kind(elements)`` does, without its fifteen steps of Python."""
    dataset = kind.__new__(kind)
    fresh = {name: value.copy() for name, value in MUTABLE.items()}
    vars(dataset).update({**EMPTY, **fresh, "_dict": elements})
    return dataset


def read_all(
    body: bytes, position: int, layout: Layout, is_end: IsEnd
) -> tuple[dict[BaseTag, Element], int]:
    """Return the elements from `position` on by tag, and where they end."""
    found: dict[BaseTag, Element] = {}
    element: Element | None
    while True:
        position, is_whole = read_plain(found, body, position, layout, is_end)
        if is_whole:
            return found, position
        element, position = read_other(found, body, position, layout, is_end)
        if element is None:
            return found, position
        found[element.tag] = element


def is_as_said(body: bytes, position: int, layout: Layout) -> bool:
    """Tell whether the first element is of implicit or explicit VR as `layout` says."""
    written = body[position + 4 : position + 6]
    return len(written) < 2 or layout.is_implicit is not (written.isalpha() and written.isupper())


def read_by_pydicom(
    body: bytes, position: int, layout: Layout, is_end: IsEnd
) -> tuple[Dataset, int]:
    """Return a data set that is not as it should be, and where it ends."""
    stream = BytesIO(body)  # shares the bytes, does not copy them
    stream.seek(position)
    dataset = read_dataset(
        stream,
        layout.is_implicit,
        not layout.is_big_endian,
        stop_when=lambda tag, vr, length: is_end(tag),
    )
    return dataset, stream.tell()


def read_plain(
    found: dict[BaseTag, Element], body: bytes, position: int, layout: Layout, is_end: IsEnd
) -> tuple[int, bool]:
    """Add the elements from `position` on; return where one stands that is not plain, or beyond
    the end of the data set, and whether it is beyond."""
    is_implicit, is_little = layout.is_implicit, not layout.is_big_endian
    read, starts = start_of(layout)
    read_long = Struct(f"{layout.order}L").unpack_from
    last = len(body) - 12
    while position <= last:
        written, length = read(body, position)
        known = starts.get(written)
        if known is None:
            known = learn(written, layout, starts)
        if not known:
            break
        tag, key, vr, is_long = known
        start = position + 8
        if is_long:
            (length,) = read_long(body, start)
            start += 4
        if length == UNDEFINED_LENGTH or is_end(tag):
            return position, is_end(tag)
        value = body[start : start + length] if length else NO_VALUE[vr]
        position = start + length
        fields = (key, vr, length, value, start, is_implicit, is_little, True, False)
        found[key] = tuple.__new__(RawDataElement, fields)  # its own __new__ takes keywords
    return min(position, len(body)), False


@cache
def start_of(layout: Layout) -> tuple[Callable[..., Any], dict[bytes, Start]]:
    """Return what unpacks the start of an element, to what `learn` takes and its length, and what
    is known of such starts."""
    return Struct(f"{layout.order}{'4sL' if layout.is_implicit else '6sH'}").unpack_from, {}


def learn(written: bytes, layout: Layout, starts: dict[bytes, Start]) -> Start:
    """Return tag, VR, and whether a long length follows, of an element that starts so; nothing of
    what is no plain element."""
    if len(starts) >= MOST_STARTS:
        starts.clear()
    group, number = unpack_from(f"{layout.order}HH", written)
    tag = group << 16 | number
    vr, is_long = (None, False) if layout.is_implicit else WRITTEN_VRS.get(written[4:], ("", False))
    key = TAGS.get(tag) or BaseTag(tag)
    if len(TAGS) < MOST_STARTS:
        TAGS[tag] = key
    starts[written] = found = (tag, key, vr, is_long) if tag < DELIMITERS and vr != "" else ()
    return found


def read_other(
    found: dict[BaseTag, Element], body: bytes, position: int, layout: Layout, is_end: IsEnd
) -> tuple[Element | None, int]:
    """Return the element at `position` as pydicom reads it, None at the end, and where it ends."""
    stream = BytesIO(body)
    stream.seek(position)
    elements = data_element_generator(
        stream,
        layout.is_implicit,
        not layout.is_big_endian,
        stop_when=lambda tag, vr, length: is_end(tag),
        encoding=encoding_of(found),
    )
    return next(elements, None), stream.tell()


def encoding_of(found: Mapping[BaseTag, Element]) -> Any:
    """Return what texts are encoded in, by Specific Character Set, as pydicom names it."""
    element = found.get(CHARACTER_SET)
    if not isinstance(element, RawDataElement):
        return default_encoding
    name = (element.value or b"").strip().decode("latin-1")
    if name and name in python_encoding:
        return list(encoding_named(name))
    return convert_encodings(convert_raw_data_element(element).value)


@cache
def encoding_named(name: str) -> Sequence[str]:
    """Return what pydicom makes of a defined term of Specific Character Set."""
    return convert_encodings(name)
