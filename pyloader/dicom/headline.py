"""What tells of an instance which patient, study and series it belongs to, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID

from pyloader.dicom.instance import Instance
from pyloader.dicom.keywords import snake
from pyloader.dicom.parse import noting
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
# SOP Classes of images whose names do not say so.
OTHER_IMAGES = frozenset(
    {
        *("Parametric Map Storage", "Segmentation Storage", "Label Map Segmentation Storage"),
        "RT Dose Storage",
    }
)


def lacks_pixels(instance: Instance) -> bool:
    """Tell whether an object is to have pixels and has none, as when they are cut off.

    Its SOP Class tells (PS3.6 A), when that is not cut off too; of a private one, whether it is
    described as an image is.
    """
    if instance.pixels is not None:
        return False
    dataset = instance.dataset
    meta = getattr(dataset, "file_meta", Dataset())
    of_file = value_of(meta, "MediaStorageSOPClassUID")
    uids = (*as_tuple(value_of(dataset, "SOPClassUID")), *as_tuple(of_file))
    names = [UID(str(uid)).name for uid in uids]
    if not all(UID(str(uid)).is_private for uid in uids):
        return any("Image Storage" in name or name in OTHER_IMAGES for name in names)
    return not uids or tag_of("Rows") in dataset.keys()  # noqa: SIM118 -- quick


def describe_series(instance: Instance) -> dict[str, Any]:
    """Return the attributes of `OF_SERIES` that are there, as plain values by snake_case keyword.

    Of a person's name it is the first representation of the first, as lists of patients have it.
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
