"""Keywords of the DICOM dictionary (PS3.6 6), as written there and in snake_case."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pydicom._dicom_dict import DicomDictionary


@cache
def snake(keyword: str) -> str:
    """Return a DICOM keyword in snake_case: ``SOPInstanceUID`` -> ``sop_instance_uid``."""
    words: list[str] = []
    for index, letter in enumerate(keyword):
        after_lower = index > 0 and not keyword[index - 1].isupper()
        before_lower = index + 1 < len(keyword) and keyword[index + 1].islower()
        starts_word = letter.isupper() and index > 0 and (after_lower or before_lower)
        words.append(("_" if starts_word else "") + letter.lower())
    return "".join(words)


@cache
def known_keywords() -> Mapping[str, str]:
    """Return all keywords of the DICOM dictionary, by their lower-case form."""
    return {entry[4].lower(): entry[4] for entry in DicomDictionary.values() if entry[4]}


def keyword_of(name: str) -> str:
    """Return the keyword that equals `name` in any case; `name` itself if none does."""
    return known_keywords().get(name.lower(), name)


@cache
def entries() -> Mapping[str, tuple[str, str]]:
    """Return VR and VM of the keywords of the DICOM dictionary, by their lower-case form.

    Retired keywords are left out; some of them now name other things.
    """
    known = (entry for entry in DicomDictionary.values() if not entry[3])
    return {entry[4].lower(): (entry[0], entry[1]) for entry in known}


def vr_and_vm(name: str) -> tuple[str, str]:
    """Return VR, such as ``US or SS``, and VM of a keyword in snake_case; "" for other names."""
    return entries().get(name.replace("_", ""), ("", ""))
