"""Convert DICOM JSON to plain values, such as the results of a DICOMweb search (PS3.18 10.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydicom.datadict import dictionary_VM, keyword_for_tag

from pyloader.dicom.keywords import snake
from pyloader.dicom.values import TEXT, is_single, single

TAG = re.compile("[0-9A-Fa-f]{8}")


def plain_values(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a search result as plain values by snake_case keyword, without sequences.

    Attributes that may have several values (PS3.6) are always lists.
    """
    found = {}
    for tag, element in attributes.items():
        values = element.get("Value") if isinstance(element, Mapping) else None
        keyword = keyword_for_tag(int(tag, 16)) if TAG.fullmatch(tag) else ""
        if keyword and isinstance(values, list) and values:
            plain = [person(value) if isinstance(value, Mapping) else value for value in values]
            found[snake(keyword)] = one_of(int(tag, 16), plain)
    return {name: value for name, value in found.items() if value not in (None, [None])}


def one_of(tag: int, values: list[Any]) -> Any:
    """Return a single value or a list, by the VM in the dictionary."""
    if dictionary_VM(tag) != "1":
        return values
    return single(tag, values) if is_single(tag, TEXT) and len(values) > 1 else values[0]


def person(value: Mapping[str, Any]) -> str | None:
    """Return the first component group of a person's name; None for an item of a sequence."""
    names = (value.get(kind) for kind in ("Alphabetic", "Ideographic", "Phonetic"))
    return next((str(name) for name in names if name), None)
