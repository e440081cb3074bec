"""Values of data sets as plain Python: str, int, float, bytes, lists; None for an absent value.

The type of a value follows from the data dictionary (PS3.6 6), not from the VR in the file. So
files that break the rules, and DICOM JSON, give the same values as files that follow them. An
unreadable value counts as absent, with a warning that names it; nothing here fails a load.
"""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Sequence
from functools import cache
from math import isfinite
from reprlib import repr as shortened
from typing import Any

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.valuerep import PersonName

from pyloader.dicom import fast
from pyloader.dicom.elements import converted
from pyloader.dicom.plausible import is_plausible, is_unset
from pyloader.dicom.structure import as_tag, describe_tag

NUMERIC = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
# Texts of one value may not contain a backslash, but files have it as a character. In codes it
# separates values.
TEXT = frozenset({"LO", "PN", "SH", "UC"})
CODES = frozenset({"AE", "AS", "CS", "DA", "DT", "TM", "UI"})
MOMENTS = frozenset({"DA", "DT", "TM"})
BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
# pydicom raises these for invalid values and VRs.
UNREADABLE = (
    *(
        AttributeError,
        EOFError,
        LookupError,
        NotImplementedError,
        OSError,
        OverflowError,
        TypeError,
        ValueError,
    ),
    *(BytesLengthException, RecursionError, struct.error),
)
GB_2312 = "\x1b$)A"
# Limit for texts whose length field has two bytes (PS3.5 7.1.2). Texts of the other VRs may be
# long, unless they switch the character set.
LONGEST_TEXT = (1 << 16) - 2
SHORT = CODES | TEXT - {"UC"} | {"DS", "IS", "LT", "ST"}
LONG = frozenset({"UC", "UR", "UT"})
AFTER_NUMBER = re.compile(r"[\d.,:]")
LEADING_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


class TooLongError(ValueError):
    """A text is longer than its VR allows."""


@cache
def tag_of(keyword: str) -> BaseTag:
    """Return the tag of a keyword of the DICOM dictionary."""
    return as_tag(tag_for_keyword(keyword) or 0)


@cache
def vr_of(tag: int) -> str:
    """Return the VR in the dictionary; of several, the first binary one, else the first.

    Return UN for a private attribute, which the dictionary does not list.
    """
    try:
        choices = dictionary_VR(tag).split(" or ")
    except KeyError:
        return "UN"
    return next((vr for vr in choices if vr in BINARY), choices[0])


def element_of(dataset: Dataset, tag: int) -> DataElement | None:
    """Return an element, converted by pydicom on first access; None if absent or unreadable.

    This takes a third of the time of pydicom's own access. An image looks up hundreds of elements,
    and most of them are absent.
    """
    if tag not in dataset.keys():  # noqa: SIM118 -- see above
        return None
    found: Any = None
    try:
        found = dataset.get_item(tag)
        if isinstance(found, RawDataElement) and len(found.value or b"") > LONGEST_TEXT:
            refuse_long(tag, found)
        if isinstance(found, RawDataElement) and is_single(tag, TEXT):
            keep_backslash(dataset, tag, found)
        element = converted(dataset, found) if isinstance(found, RawDataElement) else found
    except UNREADABLE as error:
        return reread(dataset, tag, found, error)
    if element.VR in BINARY and vr_of(tag) not in BINARY and element.value:
        return reread(dataset, tag, element, ValueError(f"VR is {element.VR}"))
    return element


def refuse_long(tag: int, found: RawDataElement) -> None:
    """Raise for a text that takes long to convert: pydicom creates an object for each value.

    `fast.quick_value` reads valid IS and DS values of any length.
    """
    kinds, body = {found.VR, vr_of(tag)}, found.value or b""
    if kinds & SHORT or (kinds & LONG and b"\x1b" in body):
        raise TooLongError(f"it has {len(body)} bytes, more than the {LONGEST_TEXT} of a text")


def keep_backslash(dataset: Dataset, tag: int, found: RawDataElement) -> None:
    """Convert a text of one value that contains a backslash; pydicom would split it there."""
    if b"\\" in (found.value or b""):
        encoding = dataset.original_character_set or dataset._character_set
        text = convert_raw_data_element(found._replace(VR="UT"), encoding=encoding)
        value = PersonName(text.value) if vr_of(tag) == "PN" else text.value
        dataset[tag] = DataElement(tag, vr_of(tag), value, already_converted=True)


def reread(dataset: Dataset, tag: int, found: Any, reason: Exception) -> DataElement | None:
    """Read an element by the VR in the dictionary, after the VR in the file has failed."""
    body = getattr(found, "value", None)
    try:
        if not isinstance(body, bytes) or isinstance(reason, TooLongError):
            raise reason
        is_little = dataset.original_encoding[1] is not False
        vr = vr_of(tag)
        raw = RawDataElement(BaseTag(tag), vr, len(body), body, 0, False, is_little)
        return convert_raw_data_element(raw, encoding=dataset._character_set)
    except UNREADABLE as error:
        warnings.warn(f"{describe_tag(tag)} cannot be read and is left out: {error}", stacklevel=2)
        return None


def items_of(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    """Return the items of a sequence; empty when it is absent or not a sequence."""
    element = element_of(dataset, tag_of(keyword))
    return element.value or () if element is not None and element.VR == "SQ" else ()


def item_of(dataset: Dataset | None, keyword: str, index: int = 0) -> Dataset | None:
    """Return the item of a sequence at `index`, from 0; None if it has no such item."""
    items = () if dataset is None else items_of(dataset, keyword)
    return items[index] if 0 <= index < len(items) else None


def value_of(dataset: Dataset, keyword: str) -> Any:
    """Return a value of the dictionary's type; None when it is absent or of another type.

    Numbers are int or float, binary values are bytes, several values are a list, and all others
    are str.
    """
    return value_at(dataset, tag_of(keyword))


def value_at(dataset: Dataset, tag: BaseTag) -> Any:
    """Return the same as `value_of`, for a tag from `tag_of`."""
    found = dataset._dict.get(tag)
    if found is None:
        return None
    if type(found) is RawDataElement:
        value = fast.quick_value(found)
        if value is not fast.FALLBACK:
            return single(tag, value) if type(value) is list else value
    elif type(found) is DataElement:
        value = fast.quick_converted(found, as_value)
        if value is not fast.FALLBACK:
            return value
    element = element_of(dataset, tag)
    if element is None or element.VR == "SQ":
        return None
    return as_value(tag, element.value)


def as_value(tag: int, value: Any) -> Any:
    """Return the value of a converted element like `value_of`."""
    return plausible(tag, single(tag, typed(tag, plain(value))))


def is_unusable(dataset: Dataset, keyword: str) -> bool:
    """Return whether an element has a value that was left out as invalid."""
    tag = tag_of(keyword)
    if value_at(dataset, tag) is not None or tag not in dataset.keys():  # noqa: SIM118
        return False
    found = dataset.get_item(tag).value
    if isinstance(found, bytes):
        return bool(found.strip(b" \0"))
    return found is not None and found != ""


@cache
def is_single(tag: int, vrs: frozenset[str]) -> bool:
    """Return whether an attribute has one of these VRs, and one value, by the dictionary."""
    return vr_of(tag) in vrs and dictionary_VM(tag) == "1"


def single(tag: int, value: Any) -> Any:
    """Return the one value of a single-valued attribute whose text contains separators.

    In a text, a backslash is a character. Of several codes the first is the value. Several
    different dates or times are left out: none is certain, so nothing computed from them would be.
    """
    if not isinstance(value, list):
        return value
    if is_single(tag, TEXT):
        return "\\".join("" if each is None else str(each) for each in value)
    if is_single(tag, MOMENTS) and len({*filter(None, value)}) > 1:
        listed = ", ".join(map(repr, value))
        warnings.warn(
            f"{describe_tag(tag)} is {listed[:80]}, expected one value: it is left out",
            stacklevel=2,
        )
        return None
    return next(filter(None, value), None) if is_single(tag, CODES) else value


def nth_of(dataset: Dataset, keyword: str, index: int) -> Any:
    """Return the value at `index`, from 0, without reading the others; None past the last."""
    element = element_of(dataset, tag_of(keyword))
    values = None if element is None else element.value
    if not isinstance(values, (MultiValue, list)):
        found = value_of(dataset, keyword) if index == 0 else None
    else:
        within = 0 <= index < len(values)
        tag = tag_of(keyword)
        found = plausible(tag, typed(tag, plain(values[index]))) if within else None
    return found


def plausible(tag: int, value: Any) -> Any:
    """Return `value` if the attribute can have it; else warn and return None.

    A list of numbers with a gap counts as absent as a whole, because positions in it matter.
    """
    if type(value) is list and vr_of(tag) in NUMERIC and None in value:
        return None
    if value is None or is_plausible(tag, value):
        return value
    if not is_unset(tag, value):
        note = f"{describe_tag(tag)} is {shortened(value)}, which is impossible: it is left out"
        warnings.warn(note, stacklevel=2)
    return None


def count_of(dataset: Dataset, keyword: str) -> int:
    """Return the number of values of an element, without reading them."""
    element = element_of(dataset, tag_of(keyword))
    values = None if element is None else element.value
    return len(values) if isinstance(values, (MultiValue, list)) else int(values is not None)


def typed(tag: int, value: Any) -> Any:
    """Return a plain value as number or text, as the dictionary says."""
    if isinstance(value, list):
        return [typed(tag, each) for each in value]
    if value is None or isinstance(value, bytes):
        return value
    vr = vr_of(tag)
    is_numeric = vr in NUMERIC
    if vr in BINARY or is_numeric != isinstance(value, str):
        return value
    return number_from(value, tag) if is_numeric else str(value)


def number_from(text: str, tag: int) -> int | float | None:
    """Return the number at the start of a text; a comma counts as a decimal point.

    PS3.5 6.2 allows neither a comma nor other text, but files have ``0,5`` and ``2.5 mm``.
    """
    match = LEADING_NUMBER.match(text)
    if match is None or AFTER_NUMBER.search(text, match.end()):
        note = f"{describe_tag(tag)} is {text[:40]!r}, which is not a number: it is left out"
        warnings.warn(note, stacklevel=2)
        return None
    number = float(match[0].replace(",", "."))
    if match[0] != text or "," in text:
        warnings.warn(f"{describe_tag(tag)} is {text[:40]!r}, read as {number:g}", stacklevel=2)
    return int(number) if vr_of(tag) in ("IS", "US") and number.is_integer() else number


def as_tuple(value: Any) -> tuple[Any, ...]:
    """Return None, one value or several values as a tuple."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def as_numbers(value: Any, count: int = 0) -> tuple[float, ...] | None:
    """Return a value as floats; None unless it is `count` (any number, if 0) finite numbers."""
    values = as_tuple(value)
    try:
        found = tuple(map(float, values))
    except (OverflowError, TypeError, ValueError):
        return None
    is_right = found and count in (0, len(found)) and all(map(isfinite, found))
    return found if is_right else None


def plain(value: Any) -> Any:
    """Return a pydicom value as str, int, float, list or bytes; None when it is empty."""
    if type(value) is str:
        return cleaned(value)
    if isinstance(value, (MultiValue, list)):
        return [plain(item) for item in value] or None
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return int(value)
    # pydicom has two classes for DS: a float and a Decimal.
    is_fraction = isinstance(value, float) or hasattr(value, "as_tuple")
    return float(value) if is_fraction else cleaned(str(value))


def cleaned(text: str) -> str | None:
    """Return a text without padding; None when nothing is left.

    Also remove the escape sequences of GB 2312, which pydicom leaves in (PS3.5 6.1.2.5.1).
    """
    return text.replace(GB_2312, "").strip(" \0") or None
