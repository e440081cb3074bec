"""What tells of an instance which patient, study and series it belongs to, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydicom.uid import UID

from pyloader.dicom.instance import Instance, noting
from pyloader.dicom.keywords import snake
from pyloader.dicom.values import as_tuple, tag_of, value_of

OF_SERIES = (
    *("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "StudyTime"),
    *("StudyDescription", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality"),
)
# What `sort_by_position` looks at.
OF_INSTANCE = (
    *("SOPInstanceUID", "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient"),
    *("SliceLocation", "AcquisitionNumber", "TemporalPositionIdentifier"),
    *("AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime", "ContentDate", "ContentTime"),
)


def may_have_pixels(instance: Instance) -> bool:
    """Tell whether an object without pixels should have some, by its SOP Class (PS3.6 A).

    It should when that is cut off too.
    """
    of_dataset = value_of(instance.dataset, "SOPClassUID")
    of_file = value_of(instance.dataset.file_meta, "MediaStorageSOPClassUID")
    classes = [UID(str(each)).name for each in (*as_tuple(of_dataset), *as_tuple(of_file))]
    return not classes or any("Image Storage" in name for name in classes)


def describe_series(instance: Instance) -> dict[str, Any]:
    """Return the attributes of `OF_SERIES` that are there, as plain values by snake_case keyword.

    Of a person's name it is the first representation, as in the results of searches.
    """
    with noting():
        found = {keyword: value_of(instance.dataset, keyword) for keyword in OF_SERIES}
    names = [str(name).split("=") for name in as_tuple(found["PatientName"])]
    found["PatientName"] = next((each for name in names for each in name if each), None)
    return {snake(keyword): value for keyword, value in found.items() if value is not None}


def place_of(instance: Instance) -> Mapping[str, Any]:
    """Return the attributes of `OF_INSTANCE` in the DICOM JSON Model, for `sort_by_position`."""
    with noting():
        found = {keyword: value_of(instance.dataset, keyword) for keyword in OF_INSTANCE}
    return {f"{tag_of(keyword):08X}": {"Value": [*as_tuple(found[keyword])]} for keyword in found}
