"""Values of data sets as plain Python: str, int, float, bytes, lists; None where there is none.

What a value is follows from the data dictionary (PS3.6 6), not from the VR that a file gives: files
that break the rules, and DICOM JSON, have the same values as those that keep them. What cannot be
read is absent, with a warning that names it; nothing here fails a load.
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
# Text, in which a backslash may be a letter though it is not to be there, and codes.
TEXT = frozenset({"LO", "PN", "SH", "UC"})
CODES = frozenset({"AE", "AS", "CS", "DA", "DT", "TM", "UI"})
MOMENTS = frozenset({"DA", "DT", "TM"})
BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
# What pydicom raises for values, and for VRs, that are none.
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
# Texts whose length has two bytes (PS3.5 7.1.2). Others may be long, in one character set.
LONGEST_TEXT = (1 << 16) - 2
SHORT = CODES | TEXT - {"UC"} | {"DS", "IS", "LT", "ST"}
LONG = frozenset({"UC", "UR", "UT"})
AFTER_NUMBER = re.compile(r"[\d.,:]")
LEADING_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


class TooLongError(ValueError):
    """A text is longer than any may be."""


@cache
def tag_of(keyword: str) -> BaseTag:
    """Return the tag of a keyword of the DICOM dictionary."""
    return as_tag(tag_for_keyword(keyword) or 0)


@cache
def vr_of(tag: int) -> str:
    """Return the VR of the dictionary; where it has several, bytes or else the first.

    A private attribute, which it does not have, is UN.
    """
    try:
        choices = dictionary_VR(tag).split(" or ")
    except KeyError:
        return "UN"
    return next((vr for vr in choices if vr in BINARY), choices[0])


def element_of(dataset: Dataset, tag: int) -> DataElement | None:
    """Return an element, converted by pydicom when it is first asked for; None if unreadable.

    Asking in this way takes a third of the time of pydicom's own access; an image asks for
    hundreds, most of which are absent.
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
    """Raise for a text that takes long to convert: of each value pydicom makes an object.

    What keeps the rules of IS and DS is read by `fast.quick_value`, however long.
    """
    kinds, body = {found.VR, vr_of(tag)}, found.value or b""
    if kinds & SHORT or (kinds & LONG and b"\x1b" in body):
        raise TooLongError(f"it has {len(body)} bytes, more than the {LONGEST_TEXT} of a text")


def keep_backslash(dataset: Dataset, tag: int, found: RawDataElement) -> None:
    """Convert a text that has one value, where pydicom would take it apart at a backslash."""
    if b"\\" in (found.value or b""):
        encoding = dataset.original_character_set or dataset._character_set
        text = convert_raw_data_element(found._replace(VR="UT"), encoding=encoding)
        value = PersonName(text.value) if vr_of(tag) == "PN" else text.value
        dataset[tag] = DataElement(tag, vr_of(tag), value, already_converted=True)


def reread(dataset: Dataset, tag: int, found: Any, reason: Exception) -> DataElement | None:
    """Read an element by the VR of the dictionary, where that of the file is of no use."""
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
    """Return the items of a sequence, none when it is absent or not a sequence."""
    element = element_of(dataset, tag_of(keyword))
    return element.value or () if element is not None and element.VR == "SQ" else ()


def item_of(dataset: Dataset | None, keyword: str, index: int = 0) -> Dataset | None:
    """Return one item of a sequence, or None."""
    items = () if dataset is None else items_of(dataset, keyword)
    return items[index] if 0 <= index < len(items) else None


def value_of(dataset: Dataset, keyword: str) -> Any:
    """Return a value as the dictionary has it, None when it is absent or not such a value.

    Numbers are int or float, several values are a list, anything else but bytes is str.
    """
    return value_at(dataset, tag_of(keyword))


def value_at(dataset: Dataset, tag: BaseTag) -> Any:
    """Return what `value_of` does, by a tag of `tag_of`."""
    found = dataset._dict.get(tag)
    if found is None:
        return None
    if type(found) is RawDataElement:
        value = fast.quick_value(found)
        if value is not fast.ODD:
            return single(tag, value) if type(value) is list else value
    element = element_of(dataset, tag)
    if element is None or element.VR == "SQ":
        return None
    return plausible(tag, single(tag, typed(tag, plain(element.value))))


def is_unusable(dataset: Dataset, keyword: str) -> bool:
    """Tell whether an element has a value that is left out, since it is none of its kind."""
    tag = tag_of(keyword)
    if value_at(dataset, tag) is not None or tag not in dataset.keys():  # noqa: SIM118
        return False
    found = dataset.get_item(tag).value
    if isinstance(found, bytes):
        return bool(found.strip(b" \0"))
    return found is not None and found != ""


@cache
def is_single(tag: int, vrs: frozenset[str]) -> bool:
    """Tell whether an attribute is of one of these VRs and has one value by the dictionary."""
    return vr_of(tag) in vrs and dictionary_VM(tag) == "1"


def single(tag: int, value: Any) -> Any:
    """Return the value of an attribute that has one, whatever separators it has in it.

    In a text a backslash is a letter. Of codes the first is the value. Of several times none is
    certain, and what is computed by them would not be either.
    """
    if not isinstance(value, list):
        return value
    if is_single(tag, TEXT):
        return "\\".join("" if each is None else str(each) for each in value)
    if is_single(tag, MOMENTS) and len({*filter(None, value)}) > 1:
        told = ", ".join(map(repr, value))
        warnings.warn(
            f"{describe_tag(tag)} is {told[:80]}, expected one: it is left out", stacklevel=2
        )
        return None
    return next(filter(None, value), None) if is_single(tag, CODES) else value


def nth_of(dataset: Dataset, keyword: str, index: int) -> Any:
    """Return one of several values, from 0, without looking at the others; None beyond them."""
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
    """Return a value that an attribute can have; None, with a warning, for others.

    Several numbers are all there or none is: a place among them counts.
    """
    if type(value) is list and vr_of(tag) in NUMERIC and None in value:
        return None
    if value is None or is_plausible(tag, value):
        return value
    if not is_unset(tag, value):
        note = f"{describe_tag(tag)} is {shortened(value)}, which it cannot be: it is left out"
        warnings.warn(note, stacklevel=2)
    return None


def count_of(dataset: Dataset, keyword: str) -> int:
    """Return how many values an element has, without looking at them."""
    element = element_of(dataset, tag_of(keyword))
    values = None if element is None else element.value
    return len(values) if isinstance(values, (MultiValue, list)) else int(values is not None)


def typed(tag: int, value: Any) -> Any:
    """Return a plain value as number or text, whichever the dictionary says."""
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
    """Return the number that a text begins with; a comma is its decimal point.

    Neither is allowed (PS3.5 6.2), but files have ``0,5`` and ``2.5 mm``.
    """
    match = LEADING_NUMBER.match(text)
    if match is None or AFTER_NUMBER.search(text, match.end()):
        note = f"{describe_tag(tag)} is {text[:40]!r}, which is no number: it is left out"
        warnings.warn(note, stacklevel=2)
        return None
    number = float(match[0].replace(",", "."))
    if match[0] != text or "," in text:
        warnings.warn(f"{describe_tag(tag)} is {text[:40]!r}, read as {number:g}", stacklevel=2)
    return int(number) if vr_of(tag) in ("IS", "US") and number.is_integer() else number


def as_tuple(value: Any) -> tuple[Any, ...]:
    """Return no, one or several values as a tuple."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def as_numbers(value: Any, count: int = 0) -> tuple[float, ...] | None:
    """Return a value as floats, None unless there are `count` (any, if 0) finite numbers."""
    values = as_tuple(value)
    try:
        found = tuple(map(float, values))
    except (OverflowError, TypeError, ValueError):
        return None
    is_right = found and count in (0, len(found)) and all(map(isfinite, found))
    return found if is_right else None


def plain(value: Any) -> Any:
    """Return a value of pydicom as str, int, float, list or bytes; None when it is empty."""
    if type(value) is str:
        return cleaned(value)
    if isinstance(value, (MultiValue, list)):
        return [plain(item) for item in value] or None
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return int(value)
    # Of a DS there are two classes: a float, and a Decimal.
    is_fraction = isinstance(value, float) or hasattr(value, "as_tuple")
    return float(value) if is_fraction else cleaned(str(value))


def cleaned(text: str) -> str | None:
    """Return a text without padding, None when nothing is left.

    pydicom leaves the escape sequences of GB 2312 in a text (PS3.5 6.1.2.5.1).
    """
    return text.replace(GB_2312, "").strip(" \0") or None
