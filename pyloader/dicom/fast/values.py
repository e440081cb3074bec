"""Decode values of elements that follow the rules, straight from their bytes; see `quick_value`.

Conversion by pydicom and `pyloader.dicom.values` takes twenty times as long, and describing an
image needs fifty values. Values that break a rule of their VR, or are not ASCII, are left to them;
they handle these with a warning.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from struct import calcsize, unpack
from typing import Any

from pydicom import DataElement
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.uid import UID as Uid

from pyloader.dicom.plausible import is_plausible

Reader = Callable[[bytes, bool], Any]
"""``(value, is_little_endian)``."""
FALLBACK = object()
"""Returned for an element that `pyloader.dicom.values` has to read."""

NUMBERS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d"}
INTEGER = rb" *[+-]?\d{1,9} *"
DECIMAL = rb" *[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)? *"
# Atomic groups: backtracking would take 300 times the memory of the text.
INTEGERS = re.compile(rb"%s(?>\\%s)*+" % (INTEGER, INTEGER))
DECIMALS = re.compile(rb"%s(?>\\%s)*+" % (DECIMAL, DECIMAL))
# As pydicom checks a UID; it warns about others (PS3.5 6.2).
UID = re.compile(rb"(0|[1-9]\d*)(\.(0|[1-9]\d*))*\0?")
PERSON = re.compile(rb"[ -<>-\[\]-~]{1,64}")
# Without tilde and backslash, which are other letters in some character sets (PS3.3 C.12.1.1.2).
LETTERS = {size: re.compile(rb"[ -\[\]-}]{1,%d}" % size) for size in (16, 64, 1024)}
LONGEST_UID = 64
# Cache only values up to this many bytes: images of a series share most of them.
LONGEST_KEPT = 64
MOST_KEPT = 6
TEXTS = (str, Uid)


def quick_value(element: RawDataElement) -> Any:
    """Return the value of an element like `values.value_of`, or `FALLBACK`."""
    tag, vr, _, value, _, _, is_little_endian, _, _ = element
    read = read_value if value and len(value) > LONGEST_KEPT else kept_value
    found = read(int(tag), vr, value, is_little_endian)
    return found[:] if type(found) is list else found


def quick_converted(element: DataElement, convert: Callable[[int, Any], Any]) -> Any:
    """Return the value of a converted element like `values.value_of`, or `FALLBACK`.

    Elements of DICOM JSON come converted. Images of a series share most of their values.

    Parameters
    ----------
    convert : callable
        Returns the value from the tag and pydicom's value.
    """
    value = element._value
    kind = type(value)
    if kind is list and len(value) <= MOST_KEPT:
        # The text tells apart what compares as equal: 1 and 1.0, 0.0 and -0.0.
        found = kept_converted(int(element.tag), tuple(value), repr(value), convert)
    elif kind is float or kind is int or (kind in TEXTS and len(value) <= LONGEST_KEPT):
        found = kept_converted(int(element.tag), value, repr(value), convert)
    else:
        return FALLBACK
    return found[:] if type(found) is list else found


@lru_cache(maxsize=1024)
def kept_converted(tag: int, value: Any, text: str, convert: Callable[[int, Any], Any]) -> Any:
    """Return the same as `quick_converted`; values that cause a warning are left to `convert`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = convert(tag, list(value) if type(value) is tuple else value)
    return FALLBACK if caught else found


def read_value(tag: int, vr: str | None, value: bytes | None, is_little_endian: bool) -> Any:
    """Return the same as `quick_value`, from the fields of an element."""
    read = reader_of(tag, vr)
    if read is None:
        return FALLBACK
    found = read(value, is_little_endian) if value else None
    return found if found is FALLBACK or is_plausible(tag, found) else FALLBACK


kept_value = lru_cache(maxsize=1024)(read_value)


@cache
def reader_of(tag: int, vr: str | None) -> Reader | None:
    """Return the reader of an attribute; None unless its VR is that in the dictionary (PS3.6 6)."""
    try:
        expected = dictionary_VR(tag)
    except KeyError:
        return None
    is_one_of_two = vr in NUMBERS and vr in expected.split(" or ")
    return READERS.get(vr or expected) if is_one_of_two or vr in (None, expected) else None


def numbers_of(code: str) -> Reader:
    """Return a reader of binary numbers with the given `struct` format code."""
    size = calcsize(f"<{code}")

    def read(value: bytes, is_little_endian: bool) -> Any:
        count, rest = divmod(len(value), size)
        if rest:
            return FALLBACK
        found = unpack(f"{'<' if is_little_endian else '>'}{count}{code}", value)
        return found[0] if count == 1 else list(found)

    return read


def integers(value: bytes, is_little_endian: bool) -> Any:
    """Read a value of VR IS."""
    if not INTEGERS.fullmatch(value):
        return FALLBACK
    return [int(each) for each in value.split(b"\\")] if b"\\" in value else int(value)


def decimals(value: bytes, is_little_endian: bool) -> Any:
    """Read a value of VR DS."""
    if not DECIMALS.fullmatch(value):
        return FALLBACK
    return [float(each) for each in value.split(b"\\")] if b"\\" in value else float(value)


def codes(value: bytes, is_little_endian: bool) -> Any:
    """Read codes, dates and times, which are always ASCII."""
    if not value.isascii():
        return FALLBACK
    text = value.decode().rstrip(" \0")
    if "\x1b" in text:
        return FALLBACK
    return (
        [each.strip(" \0") or None for each in text.split("\\")] if "\\" in text else stripped(text)
    )


def letters_of(pattern: re.Pattern[bytes]) -> Reader:
    """Return a reader of a single text that matches `pattern`."""

    def read(value: bytes, is_little_endian: bool) -> Any:
        return stripped(value.decode()) if pattern.fullmatch(value) else FALLBACK

    return read


def identifier(value: bytes, is_little_endian: bool) -> Any:
    """Read a value of VR UI."""
    is_plain = len(value) <= LONGEST_UID and UID.fullmatch(value)
    return stripped(value.decode()) if is_plain else FALLBACK


def stripped(text: str) -> str | None:
    """Return a text without padding; None when nothing is left."""
    return text.strip(" \0") or None


READERS: Mapping[str, Reader] = {
    **{vr: numbers_of(code) for vr, code in NUMBERS.items()},
    **dict.fromkeys(("AS", "CS", "DA", "DT", "TM"), codes),
    **dict.fromkeys(("LT", "ST", "UT"), letters_of(LETTERS[1024])),
    "DS": decimals,
    "IS": integers,
    "LO": letters_of(LETTERS[64]),
    "PN": letters_of(PERSON),
    "SH": letters_of(LETTERS[16]),
    "UI": identifier,
}
