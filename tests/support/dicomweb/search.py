"""Search of a test server's instances (PS3.18 10.6, PS3.4 C.2.2.2), on their DICOM JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from pydicom.datadict import tag_for_keyword

from tests.support.dicomweb.answers import RefusalError
from tests.support.dicomweb.archive import Instance

Json = dict[str, Any]
LEVELS = ("studies", "series", "instances")
# What is returned of each level unasked (PS3.18 10.6.3.3), with all of the levels above it.
RETURNED = {
    "studies": (
        "StudyDate StudyTime AccessionNumber ReferringPhysicianName PatientName PatientID "
        "PatientBirthDate PatientSex StudyInstanceUID StudyID StudyDescription"
    ),
    "series": "Modality SeriesDescription SeriesInstanceUID SeriesNumber",
    "instances": (
        "SOPClassUID SOPInstanceUID AvailableTransferSyntaxUID InstanceNumber Rows Columns "
        "BitsAllocated NumberOfFrames"
    ),
}
# What is counted there (PS3.18 10.6.3.3).
COUNTED = {
    "studies": "ModalitiesInStudy NumberOfStudyRelatedSeries NumberOfStudyRelatedInstances",
    "series": "NumberOfSeriesRelatedInstances",
    "instances": "",
}
CONTROL = ("limit", "offset", "includefield", "fuzzymatching")


def search(level: str, found: Iterable[Instance], query: str, root: str) -> list[Json]:
    """Return the studies, series or instances that a query asks for.

    Raises
    ------
    RefusalError
        The query has an attribute that nobody knows, or a limit that is no number.
    """
    asked = parse_qsl(query, keep_blank_values=True)
    matches = [(tag_of(name), value) for name, value in asked if name not in CONTROL]
    fields = [name for key, value in asked if key == "includefield" for name in value.split(",")]
    described = (describe(level, group, root) for group in grouped(level, found))
    kept = [entry for entry in described if all(is_match(entry, *match) for match in matches)]
    page = paging(dict(asked))
    return [selected(level, entry, fields) for entry in kept[page]]


def paging(control: dict[str, str]) -> slice:
    """Return what limit and offset choose (PS3.18 8.3.4.4)."""
    for name in ("limit", "offset"):
        if not control.get(name, "0").isdecimal():
            raise RefusalError(400, f"{name}={control[name]} is no number")
    offset = int(control.get("offset", 0))
    return slice(offset, offset + int(control["limit"]) if "limit" in control else None)


def tag_of(name: str) -> str:
    """Return the eight digits of a keyword or tag."""
    if re.fullmatch(r"[0-9A-Fa-f]{8}", name):
        return name.upper()
    tag = tag_for_keyword(name)
    if tag is None:
        raise RefusalError(400, f"{name!r} is no attribute")
    return f"{tag:08X}"


def grouped(level: str, found: Iterable[Instance]) -> list[list[Instance]]:
    """Return the instances of each study, series or instance."""
    key: dict[str, Callable[[Instance], str]] = {
        "studies": lambda instance: instance.study,
        "series": lambda instance: instance.series,
        "instances": lambda instance: instance.uid,
    }
    groups: dict[str, list[Instance]] = {}
    for instance in found:
        groups.setdefault(key[level](instance), []).append(instance)
    return list(groups.values())


def describe(level: str, group: list[Instance], root: str) -> Json:
    """Return what can be matched of the first instance, with what is counted."""
    first = group[0]
    depth = 2 * (LEVELS.index(level) + 1)
    url = root + "/".join(first.path.split("/")[: depth + 1])
    modalities = {value for instance in group for value in values(instance.json, "00080060")}
    series = {instance.series for instance in group}
    own = {tag: element for tag, element in first.json.items() if "BulkDataURI" not in element}
    return own | {
        "00080061": {"vr": "CS", "Value": sorted(modalities)},
        "00081190": {"vr": "UR", "Value": [url]},
        "00201206": {"vr": "IS", "Value": [len(series)]},
        "00201208": {"vr": "IS", "Value": [len(group)]},
        "00201209": {"vr": "IS", "Value": [len(group)]},
    }


def selected(level: str, entry: Json, fields: list[str]) -> Json:
    """Return the attributes of a level, or all, with those asked for."""
    if "all" in fields:
        return entry
    above = LEVELS[: LEVELS.index(level) + 1]
    names = " ".join([*(RETURNED[name] for name in above), COUNTED[level], *fields])
    tags = {tag_of(name) for name in names.split()} | {"00081190"}
    return {tag: element for tag, element in sorted(entry.items()) if tag in tags}


def values(entry: Json, tag: str) -> list[str]:
    """Return an attribute's values as text."""
    found = entry.get(tag, {}).get("Value", [])
    return [
        str(value.get("Alphabetic", "") if isinstance(value, dict) else value) for value in found
    ]


def is_match(entry: Json, tag: str, wanted: str) -> bool:
    """Compare as the attribute's value representation has it; nothing wanted matches all."""
    found = values(entry, tag)
    return not wanted or any(is_value(entry[tag]["vr"], wanted, value) for value in found)


def is_value(vr: str, wanted: str, value: str) -> bool:
    """Match a list of UIDs, a range, a wild card or a single value (PS3.4 C.2.2.2)."""
    if vr == "UI":
        return value in wanted.split(",")
    if vr in ("DA", "TM", "DT") and "-" in wanted:
        first, _, last = wanted.partition("-")
        return first <= value and (not last or value <= last)
    pattern = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in wanted)
    return re.fullmatch(pattern, value) is not None
