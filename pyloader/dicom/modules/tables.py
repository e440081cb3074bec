"""Modules that copy attributes by keyword from the top level of a data set."""

from __future__ import annotations

from collections.abc import Mapping

from pyloader.dicom.functional_groups import Frame, Module

# Module -> its attributes. Results have the keywords in snake_case.
PLAIN_MODULES: Mapping[str, tuple[str, ...]] = {
    "clinical_trial": (
        "ClinicalTrialSponsorName",
        "ClinicalTrialSiteID",
        "ClinicalTrialSiteName",
        "ClinicalTrialSubjectID",
    ),
    "frame_of_reference": ("FrameOfReferenceUID", "PositionReferenceIndicator"),
    "general_equipment": (
        "Manufacturer",
        "InstitutionName",
        "StationName",
        "ManufacturerModelName",
        "DeviceSerialNumber",
        "SoftwareVersions",
    ),
    "general_image": (
        "SOPInstanceUID",
        "SOPClassUID",
        "InstanceNumber",
        "AcquisitionNumber",
        "ImageType",
        "PatientOrientation",
        "LossyImageCompression",
        "LossyImageCompressionRatio",
        "LossyImageCompressionMethod",
        "InstanceCreationDate",
        "InstanceCreationTime",
        "ContentDate",
        "ContentTime",
        "BurnedInAnnotation",
        "DerivationDescription",
        "ImageComments",
        "FrameOfReferenceUID",
        "NumberOfFrames",
        "PixelSpacing",
        "PresentationLUTShape",
    ),
    "general_series": (
        "Modality",
        "SeriesInstanceUID",
        "SeriesNumber",
        "SeriesDescription",
        "SeriesDate",
        "SeriesTime",
        "StudyInstanceUID",
        "AcquisitionDate",
        "AcquisitionTime",
        "BodyPartExamined",
        "Laterality",
        "ImageLaterality",
        "ViewPosition",
        "PatientPosition",
        "ProtocolName",
    ),
    "general_study": (
        "StudyInstanceUID",
        "StudyDescription",
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "StudyID",
        "ReferringPhysicianName",
    ),
    "patient_study": ("PatientAge", "PatientSize", "PatientSex", "PatientWeight"),
    "pet_image": ("FrameReferenceTime", "ActualFrameDuration", "DecayFactor"),
    "pet_series": ("CorrectedImage", "Units", "DecayCorrection", "SUVType"),
    "sop_common": ("SOPClassUID", "SOPInstanceUID"),
}
CINE = (
    "FrameTime",
    "FrameTimeVector",
    "CineRate",
    "RecommendedDisplayFrameRate",
    "StartTrim",
    "StopTrim",
    "FrameDelay",
    "EffectiveDuration",
    "ActualFrameDuration",
    "PreferredPlaybackSequencing",
    "NumberOfFrames",
)
PATIENT = ("PatientID", "PatientName", "PatientBirthDate", "PatientBirthTime", "PatientSex")
US_REGION = (
    "RegionSpatialFormat",
    "RegionDataType",
    "RegionFlags",
    "RegionLocationMinX0",
    "RegionLocationMinY0",
    "RegionLocationMaxX1",
    "RegionLocationMaxY1",
    "ReferencePixelX0",
    "ReferencePixelY0",
    "PhysicalUnitsXDirection",
    "PhysicalUnitsYDirection",
    "ReferencePixelPhysicalValueX",
    "ReferencePixelPhysicalValueY",
    "PhysicalDeltaX",
    "PhysicalDeltaY",
    "TransducerFrequency",
)
ISOTOPE = (
    "Radiopharmaceutical",
    "RadiopharmaceuticalStartTime",
    "RadiopharmaceuticalStopTime",
    "RadiopharmaceuticalStartDateTime",
    "RadiopharmaceuticalStopDateTime",
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
    "RadionuclidePositronFraction",
)
# Component groups of a person name, in order (PS3.5 6.2.1.1).
NAME_GROUPS = ("alphabetic", "ideographic", "phonetic")


def read_patient(frame: Frame) -> Module:
    """Return the Patient module (PS3.3 C.7.1.1), with the name whole and in component groups."""
    found = frame.pick(PATIENT)
    name = found.get("patient_name")
    groups = name_groups(name) if isinstance(name, str) else {}
    return found | ({"patient_name_groups": groups} if groups else {})


def name_groups(name: str) -> Module:
    """Return the component groups of a person name that are present, such as ``ideographic``."""
    groups = zip(NAME_GROUPS, name.split("="), strict=False)
    return {kind: group.strip() for kind, group in groups if group.strip(" ^")}
