"""The attributes that are read from JSON, and the conversion of JSON values to each VR.

`KNOWN` lists the attributes that pixels and modules need; a test compares it with the readers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from pydicom import DataElement
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.tag import BaseTag
from pydicom.uid import UID
from pydicom.valuerep import ALLOW_BACKSLASH, PersonName

from pyloader.dicom.modules.known import KNOWN_TAGS
from pyloader.dicom.parse import noting
from pyloader.dicom.values import LEADING_NUMBER, TEXT, is_single

# Private attributes: group, element within the block of its creator, VR (PS3.5 7.8.1).
PRIVATE = ((0x0009, 0x0D, "DT"), (0x7053, 0x00, "DS"), (0x7053, 0x09, "DS"))
# Block numbers start at 10H; no manufacturer writes more than a few into one group.
PRIVATE_BLOCKS = range(0x10, 0x20)
OVERLAY = (
    *(0x10, 0x11, 0x15, 0x22, 0x40, 0x45, 0x50, 0x51, 0x100, 0x102),
    *(0x1301, 0x1302, 0x1303, 0x1500, 0x3000),
)
BINARY = frozenset({"OB", "OW"})


@dataclass(frozen=True, slots=True)
class Attribute:
    """An entry of the data dictionary (PS3.6 6).

    Attributes
    ----------
    tag : BaseTag
    keyword : str
    vrs : tuple of str
        Several where the dictionary lists several, such as ``US or SS``.
    """

    tag: BaseTag
    keyword: str
    vrs: tuple[str, ...]

    @classmethod
    def of(cls, tag: int) -> Attribute:
        """Look up a tag; a private one has no keyword and VR UN."""
        vrs = ["UN"] if BaseTag(tag).is_private else dictionary_VR(tag).split(" or ")
        return cls(BaseTag(tag), keyword_for_tag(tag), tuple(vrs))

    def __str__(self) -> str:
        return f"({self.tag.group:04X},{self.tag.element:04X}) {self.keyword}"

    def vr_of_bytes(self, given: Any) -> str:
        """Return the VR of a binary value: the given one if the dictionary allows it."""
        choices = tuple(vr for vr in self.vrs if vr in BINARY)[::-1] or self.vrs
        return given if given in choices else choices[0]


def known_attributes() -> Iterator[Attribute]:
    """Yield the attributes that are read; overlay attributes repeat in sixteen groups."""
    yield from (Attribute.of(tag) for tag in sorted(KNOWN_TAGS))
    for each in (Attribute.of(0x6000 << 16 | number) for number in OVERLAY):
        for repetition in range(16):
            yield replace(each, tag=BaseTag(each.tag + (repetition << 17)))


def private_attributes() -> Iterator[Attribute]:
    """Yield the private attributes that are read, in any block, and the creators of blocks."""
    for group in sorted({group for group, _, _ in PRIVATE}):
        for block in PRIVATE_BLOCKS:
            yield Attribute(BaseTag(group << 16 | block), "PrivateCreator", ("LO",))
    for group, element, vr in PRIVATE:
        for block in PRIVATE_BLOCKS:
            yield Attribute(BaseTag(group << 16 | block << 8 | element), "", (vr,))


KNOWN = (*known_attributes(), *private_attributes())
BY_TAG = {f"{known.tag:08{case}}": known for known in KNOWN for case in "Xx"}
# Overlay keywords are ambiguous, since sixteen groups share them; private attributes have none.
BY_KEYWORD = {
    known.keyword: known for known in KNOWN if known.tag.group < 0x6000 and not known.tag.is_private
}


def to_text(value: Any) -> str:
    """Return a string or a number as text; "" for None."""
    if isinstance(value, (int, float)):
        return str(value)
    if value is None or isinstance(value, str):
        return value or ""
    raise TypeError(f"{type(value).__name__} is not text")


def to_uid(value: Any) -> UID:
    """Return a UID; an invalid one is accepted."""
    return UID(to_text(value), validation_mode=IGNORE)


def to_person(value: Any) -> PersonName:
    """Return a person name from its component groups (PS3.18 F.2.2), or from text."""
    if isinstance(value, Mapping):
        groups = (to_text(value.get(key)) for key in ("Alphabetic", "Ideographic", "Phonetic"))
        value = "=".join(groups).rstrip("=")
    return PersonName(to_text(value), validation_mode=IGNORE)


def to_float(value: Any) -> float | None:
    """Return a number or numeric text as a float; None for no value."""
    return None if value is None or value == "" else float(value)


def to_decimal(value: Any) -> float | str | None:
    """Return a decimal string as a number; keep a text that only begins with one.

    `values.number_from` reads that text later, with a warning.
    """
    if isinstance(value, str) and LEADING_NUMBER.match(value.strip()):
        try:
            return float(value)
        except ValueError:
            return value
    return to_float(value)


def to_integer(value: Any) -> int | float | None:
    """Return an int; keep a fraction, which integer strings of some files have."""
    number = to_float(value)
    if number is None or isinstance(value, int):
        return number if number is None else int(value)
    if not isfinite(number):
        raise ValueError(f"{value!r} is not finite")
    return int(number) if number.is_integer() else number


def to_tag(value: Any) -> BaseTag:
    """Return a tag from text of 8 hexadecimal digits (PS3.18 F.2.3), or from a number."""
    return BaseTag(value if isinstance(value, int) else int(to_text(value), 16))


CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ("AS", "CS", "DA", "DT", "LO", "LT", "SH", "ST", "TM", "UC", "UR", "UT"), to_text
    ),
    **dict.fromkeys(("FD", "FL"), to_float),
    **dict.fromkeys(("IS", "SL", "SS", "UL", "US"), to_integer),
    "AT": to_tag,
    "DS": to_decimal,
    "PN": to_person,
    "UI": to_uid,
}


def read_values(attribute: Attribute, given: Any, values: Sequence[Any]) -> DataElement:
    """Return an element of values that are not binary.

    Parameters
    ----------
    given : str or None
        The VR in the JSON; it decides between several VRs in the dictionary.
    """
    vr = attribute.vrs[0]
    convert = CONVERTERS.get(vr)
    if convert is None:
        raise TypeError(f"VR {vr} requires bytes")
    if is_single(attribute.tag, TEXT):
        text = "\\".join(str(convert(value)) for value in values)
        return DataElement(attribute.tag, vr, convert(text), already_converted=True)
    found: list[Any] = []
    for value in values:
        # Several values in one text, as files write them (PS3.5 6.4).
        if isinstance(value, str) and "\\" in value and vr not in ALLOW_BACKSLASH:
            found += map(convert, value.split("\\"))
        else:
            found.append(convert(value))
    if "SS" in attribute.vrs and (given == "SS" or any(map(is_negative, found))):
        vr = "SS"
    value = found[0] if len(found) == 1 else found
    return DataElement(attribute.tag, vr, value, already_converted=True)


def is_negative(number: float | None) -> bool:
    """Return whether a number is present and less than 0."""
    return number is not None and number < 0


def read_buffer(attribute: Attribute, vr: str, buffer: memoryview) -> DataElement:
    """Return an element from a JavaScript buffer, or from a typed array of numbers."""
    if vr in BINARY or buffer.itemsize == 1:
        return read_bytes(attribute, vr, bytes(buffer))
    return read_values(attribute, vr, buffer.tolist())


def read_bytes(attribute: Attribute, vr: str, body: bytes) -> DataElement:
    """Return an element from its encoded value, in little endian."""
    if vr in BINARY:
        return DataElement(attribute.tag, vr, body, already_converted=True)
    raw = RawDataElement(attribute.tag, vr, len(body), body, 0, False, True)
    try:
        with noting():
            return convert_raw_data_element(raw, encoding="utf8")
    except Exception as error:
        raise ValueError(str(error)) from error
