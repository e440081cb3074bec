"""Describe a series, and sort its instances.

Sorting works on DICOM JSON directly (PS3.18 F), without building data sets.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import mul
from typing import Any, TypeVar

from pyloader.dicom.instance import Instance
from pyloader.dicom.keywords import snake
from pyloader.dicom.parse import noting
from pyloader.dicom.values import as_tuple, tag_of, value_of

Attributes = TypeVar("Attributes", bound=Mapping[str, Any])

SOP_INSTANCE_UID = "00080018"
# Sort keys of images at one position: Instance Number, Slice Location, Acquisition Number, Temporal
# Position Identifier; then date and time of acquisition and of content.
ORDER = ("00200013", "00201041", "00200012", "00200100")
MOMENTS = (("00080022", "00080032"), ("0008002A", ""), ("00080023", "00080033"))
IMAGE_POSITION = "00200032"
IMAGE_ORIENTATION = "00200037"
NUMBER_OF_FRAMES = "00280008"
# Largest difference of a direction cosine between images of the same orientation.
COSINE_TOLERANCE = 1e-3
# Positions are rounded to these decimals of a mm; equal ones count as one place, as in time series.
PLACE_DECIMALS = 3
OF_SERIES = (
    *("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "StudyTime"),
    *("StudyDescription", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality"),
)
# The attributes that `sort_by_position` uses.
OF_INSTANCE = (
    *("SOPInstanceUID", "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient"),
    *("SliceLocation", "AcquisitionNumber", "TemporalPositionIdentifier"),
    *("AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime", "ContentDate", "ContentTime"),
)


def sort_by_position(datasets: Sequence[Attributes]) -> list[Attributes]:
    """Return the data sets of a series, sorted along the normal of their slices.

    Parameters
    ----------
    datasets : sequence of mappings
        In the DICOM JSON Model; missing and broken values are tolerated.

    Returns
    -------
    list
        Sorted by position along row cosines x column cosines, if all images have a position and
        the same orientation. Images at one position, or all if there is no common normal, are
        sorted by Instance Number, then Slice Location, then acquisition and time, then SOP
        Instance UID. Images without a value come last.

    References
    ----------
    PS3.3 C.7.6.2.1.1 (position and orientation), C.7.6.2.1.2 (Slice Location).
    """
    places = slice_places(datasets) or [0.0] * len(datasets)
    order = sorted(
        range(len(datasets)), key=lambda index: (places[index], *acquisition(datasets[index]))
    )
    return [datasets[index] for index in order]


def slice_places(datasets: Sequence[Attributes]) -> list[float] | None:
    """Return the position of each image along the common normal, in mm; None without one."""
    positions = [numbers_of(dataset, IMAGE_POSITION, 3) for dataset in datasets]
    orientations = [numbers_of(dataset, IMAGE_ORIENTATION, 6) for dataset in datasets]
    if not (datasets and all(positions) and all(orientations)):
        return None
    pairs = [pair for other in orientations for pair in zip(orientations[0], other, strict=True)]
    if any(abs(one - other) > COSINE_TOLERANCE for one, other in pairs):
        return None
    normal = cross(orientations[0][:3], orientations[0][3:])
    length = math.hypot(*normal)
    if length < COSINE_TOLERANCE:
        return None
    places = (sum(map(mul, normal, position)) / length for position in positions)
    return [round(place, PLACE_DECIMALS) for place in places]


def cross(one: Sequence[float], other: Sequence[float]) -> tuple[float, float, float]:
    """Return the vector product."""
    (a, b, c), (d, e, f) = one, other
    return b * f - c * e, c * d - a * f, a * e - b * d


def acquisition(dataset: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the sort key of images at one position; in UIDs, .10 sorts after .9."""
    numbers = [(*numbers_of(dataset, tag, 1), math.inf)[0] for tag in ORDER]
    texts = (text_of(dataset, date) + text_of(dataset, time) for date, time in MOMENTS)
    moments = [(not text, text) for text in texts]
    uid = text_of(dataset, SOP_INSTANCE_UID)
    return *numbers, *moments, [(len(part), part) for part in uid.split(".")]


def text_of(dataset: Mapping[str, Any], tag: str) -> str:
    """Return the first value of an attribute as text; "" when it is absent."""
    return "".join(str(each) for each in values_of(dataset, tag)[:1] if each is not None)


def values_of(dataset: Mapping[str, Any], tag: str) -> list[Any]:
    """Return the values of an attribute, split at backslashes; ``[None]`` when it is absent."""
    element = dataset.get(tag)
    values = element.get("Value") if isinstance(element, Mapping) else None
    found = values if isinstance(values, list) else [values]
    return [
        piece for each in found for piece in (each.split("\\") if isinstance(each, str) else [each])
    ]


def numbers_of(dataset: Mapping[str, Any], tag: str, count: int) -> list[float]:
    """Return the numbers of an attribute; empty unless they are `count` finite numbers."""
    try:
        found = [float(value) for value in values_of(dataset, tag)]
    except (OverflowError, TypeError, ValueError):
        return []
    return found if len(found) == count and all(map(math.isfinite, found)) else []


def frame_count(attributes: Mapping[str, Any]) -> int:
    """Return (0028,0008) Number of Frames; 1 when absent or not positive."""
    found = numbers_of(attributes, NUMBER_OF_FRAMES, 1)
    return max(1, int(found[0])) if found else 1


# ------------------------------------------------------------------ attributes of instances


def describe_series(instance: Instance) -> dict[str, Any]:
    """Return the attributes of `OF_SERIES` that are present, as plain values by snake_case keyword.

    Of the patient's name, return one component group, as in a list of patients: the first that is
    not empty.
    """
    with noting():
        found = {keyword: value_of(instance.dataset, keyword) for keyword in OF_SERIES}
    whole = str(found["PatientName"] or "")
    names = [name.split("=") for name in whole.split("\\")]
    found["PatientName"] = next((each for name in names for each in name if each), None)
    return {snake(keyword): value for keyword, value in found.items() if value is not None}


def place_of(instance: Instance) -> Mapping[str, Any]:
    """Return the attributes of `OF_INSTANCE` in the DICOM JSON Model, for `sort_by_position`."""
    with noting():
        found = {keyword: value_of(instance.dataset, keyword) for keyword in OF_INSTANCE}
    return {f"{tag_of(keyword):08X}": {"Value": [*as_tuple(found[keyword])]} for keyword in found}
