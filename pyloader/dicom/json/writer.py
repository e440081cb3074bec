"""Write a data set in the DICOM JSON Model (PS3.18 F), for viewers that compute from it.

Pixels, other large values and unreadable elements are left out.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import numpy as np
from pydicom import DataElement, Dataset
from pydicom.multival import MultiValue

from pyloader.dicom.elements import converted
from pyloader.dicom.values import NUMERIC, UNREADABLE, cleaned

PIXEL_GROUP = 0x7FE0
CHARACTER_SET = "00080005"
# In bytes: large enough for a palette, too small for the samples of a waveform.
LARGEST_VALUE = 4 << 10


def instance_json(dataset: Dataset) -> str:
    """Return a data set as JSON text: one object whose keys are tags of 8 hexadecimal digits."""
    found = attributes_of(dataset)
    found[CHARACTER_SET] = {"vr": "CS", "Value": ["ISO_IR 192"]}  # JSON text is UTF-8
    return json.dumps(found, ensure_ascii=False, allow_nan=False)


def attributes_of(dataset: Dataset) -> dict[str, Any]:
    """Return the attributes of a data set, or of an item, in the model."""
    found = {}
    for tag in sorted(dataset.keys()):
        if tag.group == PIXEL_GROUP or tag.element == 0:
            continue
        try:
            element = converted(dataset, dataset.get_item(tag))
            attribute = attribute_of(element, is_big_endian(dataset))
        except UNREADABLE:
            continue  # the module readers warn about it where it matters
        if attribute is not None:
            found[f"{tag:08X}"] = attribute
    return found


def is_big_endian(dataset: Dataset) -> bool:
    """Return whether binary values come from a big endian file."""
    return dataset.original_encoding[1] is False


def attribute_of(element: DataElement, is_swapped: bool) -> dict[str, Any] | None:
    """Return an element in the model; None when it is too large.

    Parameters
    ----------
    is_swapped : bool
        True for words in big endian; the model has them in little endian (PS3.18 F.2.7).
    """
    vr, value = element.VR, element.value
    if vr == "SQ":
        items = [attributes_of(item) for item in value or ()]
        return {"vr": vr, "Value": items} if items else {"vr": vr}
    if isinstance(value, bytes):
        return binary(vr, value, is_swapped)
    convert: Callable[[Any], Any] = CONVERTERS.get(vr, text_of)
    several: list[Any] = [*value] if isinstance(value, (MultiValue, list)) else [value]
    values = [convert(each) for each in several]
    return {"vr": vr, "Value": values} if values != [None] else {"vr": vr}


def binary(vr: str, value: bytes, is_swapped: bool) -> dict[str, Any] | None:
    """Return bytes in base64; None when they are too many."""
    if len(value) > LARGEST_VALUE:
        return None
    if is_swapped and vr == "OW":
        value = np.frombuffer(value, ">u2").astype("<u2").tobytes()
    return {"vr": vr, "InlineBinary": b64encode(value).decode()} if value else {"vr": vr}


def text_of(value: Any) -> str | None:
    """Return a text; None when it is empty."""
    return None if value is None else cleaned(str(value))


def number_of(value: Any) -> int | float | str | None:
    """Return a number for JSON; None when not finite. Text is kept."""
    if isinstance(value, str) or value is None:
        return value or None
    number = int(value) if isinstance(value, int) else float(value)
    return number if isfinite(number) else None


def person_of(value: Any) -> dict[str, str] | None:
    """Return the component groups of a person name (PS3.18 F.2.2)."""
    groups = zip(
        ("Alphabetic", "Ideographic", "Phonetic"), str(value or "").split("="), strict=False
    )
    return {kind: group for kind, group in groups if group} or None


CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(NUMERIC, number_of),
    "AT": lambda tag: None if tag is None else f"{tag:08X}",
    "PN": person_of,
}
