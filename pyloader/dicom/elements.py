"""Read the elements of a data set (PS3.5 7.1); values stay encoded.

`fast.read_plain` reads elements that follow the rules and have a defined length. `read_other`
reads the remaining ones, one by one. `converted` parses a sequence on its first use.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from collections.abc import Sequence as Several
from functools import cache
from typing import Any, TypeVar

from pydicom import DataElement, Dataset, Sequence
from pydicom.charset import convert_encodings, default_encoding, python_encoding
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.tag import BaseTag

from pyloader.dicom import fast
from pyloader.dicom.fragments import ITEM_HEADER_BYTES, CutOffError
from pyloader.dicom.structure import (
    DELIMITERS,
    ITEM,
    ITEM_END,
    NO_VALUE,
    PIXEL_KEYWORDS,
    UNDEFINED_LENGTH,
    Head,
    Layout,
    as_tag,
    describe_tag,
    dictionary_vr,
    end_of_item,
    end_of_value,
    head_at,
    items_at,
    layout_at,
    layout_of_items,
    read_fragments,
)
from pyloader.errors import FormatError

Element = RawDataElement | DataElement
IsEnd = Callable[[int], bool]
Kind = TypeVar("Kind", bound=Dataset)
# The attributes of pydicom's Dataset object, apart from its elements.
EMPTY = vars(Dataset())
MUTABLE = {name: value for name, value in EMPTY.items() if isinstance(value, (dict, list))}
CHARACTER_SET = BaseTag(0x00080005)
NOT_ZERO = re.compile(rb"[^\0]")
# Size in bytes of an element without a value.
NO_ELEMENT = 8
# (0000,0000) Command Group Length of command sets (PS3.7 E), a UL.
GROUP_LENGTH, GROUP_LENGTH_BYTES = 0x00000000, 4


class HeaderCutOffError(CutOffError):
    """A data set ends within an element or within the header of one.

    Attributes
    ----------
    dataset : Dataset
        The elements before it.
    """

    def __init__(self, message: str, dataset: Dataset) -> None:
        super().__init__(message)
        self.dataset = dataset


def read_elements(body: bytes, position: int, layout: Layout, is_end: IsEnd) -> tuple[Dataset, int]:
    """Return the data set that begins at `position`, and where in `body` it ends.

    Parameters
    ----------
    is_end : callable
        Returns True for the tag of the first element after the data set.

    Raises
    ------
    HeaderCutOffError
        `body` ends within an element.
    FormatError
        The bytes are not a data set.
    """
    layout = layout_at(body, position, layout)
    found: dict[BaseTag, Element] = {}
    try:
        stop = read_all(found, body, position, layout, is_end)
    except CutOffError as error:
        place = f"after {describe_tag(next(reversed(found)))}" if found else "at its beginning"
        text = f"the data set is cut off {place}, at byte {len(body)}: {error}"
        raise HeaderCutOffError(text, as_data_set(found, layout)) from error
    return as_data_set(found, layout), stop


def as_data_set(
    elements: MutableMapping[BaseTag, Any], layout: Layout, encoding: Any = default_encoding
) -> Dataset:
    """Return a data set of the given elements.

    Parameters
    ----------
    encoding : str or list of str
        Encoding of texts in a data set without Specific Character Set.
    """
    dataset = data_set_of(elements, Dataset)
    encoding = encoding_of(elements, encoding)
    dataset.set_original_encoding(layout.is_implicit, not layout.is_big_endian, encoding)
    return dataset


def data_set_of(elements: MutableMapping[BaseTag, Any], kind: type[Kind]) -> Kind:
    """Return the same as ``kind(elements)``, without its fifteen steps of Python."""
    dataset = kind.__new__(kind)
    fresh = {name: value.copy() for name, value in MUTABLE.items()}
    vars(dataset).update({**EMPTY, **fresh, "_dict": elements})
    return dataset


def read_all(
    found: dict[BaseTag, Element], body: bytes, position: int, layout: Layout, is_end: IsEnd
) -> int:
    """Add the elements from `position` on to `found`; return where they end.

    Raises
    ------
    CutOffError
        `body` ends within an element; that element is not added.
    """
    while True:
        position, is_whole = fast.read_plain(found, body, position, layout, is_end)
        if position > len(body):
            raise CutOffError(f"{remove_last(found, position)} should end at byte {position}")
        zeros = count_zeros(body, position)
        if is_whole or position + zeros == len(body):
            return position
        if zeros >= NO_ELEMENT:
            warnings.warn(f"zeros at byte {position} were skipped", stacklevel=2)
            position += zeros // NO_ELEMENT * NO_ELEMENT
            continue
        following = read_other(found, body, position, layout, is_end)
        if following is None:
            return position
        position = following


def remove_last(found: dict[BaseTag, Element], stop: int) -> str:
    """Remove the element that should end at `stop`, past the end of the body; return its name.

    A tag that occurs twice keeps the position of its first element in `found`, so the cut-off
    element is not always the last.
    """
    for tag, element in reversed(found.items()):
        if isinstance(element, RawDataElement) and element.value_tell + element.length == stop:
            del found[tag]
            return describe_tag(tag)
    return "an item outside a sequence"


def count_zeros(body: bytes, position: int) -> int:
    """Return the number of zero bytes from `position` on.

    Some software pads the end of a file with them. Eight zeros parse as an element (0000,0000)
    without a value. DCMTK, GDCM and pydicom skip any number of these.
    """
    following = NOT_ZERO.search(body, position)
    return (following.start() if following else len(body)) - position


def read_other(
    found: dict[BaseTag, Element], body: bytes, position: int, layout: Layout, is_end: IsEnd
) -> int | None:
    """Add the element at `position` that `fast.read_plain` left; return where it ends.

    At the end of the data set, return None.
    """
    head = head_at(body, position, layout)
    if is_end(head.tag):
        return None
    if head.tag == GROUP_LENGTH and head.length != GROUP_LENGTH_BYTES:
        raise FormatError(
            f"found zeros at byte {position}, expected an element: the file is damaged, or was "
            "written with extra bytes between its elements"
        )
    if head.tag >= DELIMITERS:
        return end_of_stray(body, position, head, layout)
    stop = end_of_value(body, head, layout)
    value: Any = body[head.start : stop] if head.length else NO_VALUE[head.vr]
    if head.length == UNDEFINED_LENGTH and head.is_sequence:
        layout = layout_of_items(body, head, layout)
        head, value = head._replace(vr="SQ"), value[:-ITEM_HEADER_BYTES]
    elif head.length == UNDEFINED_LENGTH:
        # No reader uses the pixels of an icon.
        value = None if head.tag in PIXEL_KEYWORDS else read_fragments(body, head)
    if value is not None or not head.length:
        add(found, head, value, layout)
    return stop


def add(found: dict[BaseTag, Element], head: Head, value: Any, layout: Layout) -> None:
    """Add an encoded element to `found`."""
    key = as_tag(head.tag)
    layouts = (layout.is_implicit, not layout.is_big_endian)
    found[key] = RawDataElement(key, head.vr, head.length, value, head.start, *layouts)


def end_of_stray(body: bytes, position: int, head: Head, layout: Layout) -> int:
    """Return where an item or delimiter outside a sequence ends; warn that it is skipped."""
    warnings.warn(
        f"{describe_tag(head.tag)} at byte {position} is outside a sequence; it was skipped",
        stacklevel=2,
    )
    if head.tag != ITEM:
        return head.start
    if head.length != UNDEFINED_LENGTH:
        return head.start + head.length
    return end_of_item(body, head.start, head.length, layout)


# ---------------------------------------------------------------- sequences


def converted(dataset: Dataset, element: Element) -> DataElement:
    """Return an element of a data set, converted by pydicom; the data set keeps the result.

    Raises
    ------
    Exception
        pydicom raises many types for values that it cannot convert.
    """
    if not isinstance(element, RawDataElement):
        return element
    kind = dictionary_vr(element.tag) if element.VR in (None, "UN") else element.VR
    if kind == "SQ":
        encoding = dataset.original_character_set or dataset._character_set
        items = Sequence(read_items(element, encoding))
        value = DataElement(element.tag, "SQ", items, element.value_tell, already_converted=True)
        dataset[element.tag] = value
    return dataset[element.tag]


def read_items(element: RawDataElement, encoding: Any) -> Iterator[Dataset]:
    """Yield the items of a sequence; warn about an item that is cut off, and keep its beginning."""
    body, written = element.value or b"", Head(element.tag, element.VR, 0, UNDEFINED_LENGTH)
    layout = Layout(element.is_implicit_VR, not element.is_little_endian)
    layout = layout_of_items(body, written, layout)
    places, _ = items_at(body, 0, layout)
    for start, stop in places:
        item, found = body[start:stop], dict[BaseTag, Element]()
        here = layout_at(item, 0, layout)
        try:
            read_all(found, item, 0, here, {ITEM_END}.__contains__)
        except FormatError as error:
            how = "cut off" if isinstance(error, CutOffError) else "damaged"
            note = f"an item of {describe_tag(element.tag)} is {how}: {error}"
            warnings.warn(note, stacklevel=2)
        dataset = as_data_set(found, here, encoding)
        # Records of a DICOMDIR refer to each other by byte offset (PS3.3 F.3.2.2).
        dataset.seq_item_tell = element.value_tell + start - ITEM_HEADER_BYTES
        yield dataset


def encoding_of(found: Mapping[BaseTag, Element], otherwise: Any) -> Any:
    """Return the encoding of texts by Specific Character Set, as pydicom's name for it."""
    element = found.get(CHARACTER_SET)
    if not isinstance(element, RawDataElement):
        return otherwise
    name = (element.value or b"").strip().decode("latin-1")
    if name and name in python_encoding:
        return list(encoding_named(name))
    try:
        return convert_encodings(convert_raw_data_element(element).value)
    except (LookupError, ValueError) as error:
        warnings.warn(f"{describe_tag(CHARACTER_SET)} cannot be read: {error}", stacklevel=2)
        return otherwise


@cache
def encoding_named(name: str) -> Several[str]:
    """Return pydicom's encodings for a defined term of Specific Character Set."""
    return convert_encodings(name)
