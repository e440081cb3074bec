"""Read the calibration of lengths: ultrasound regions, spacings of projection radiography."""

from __future__ import annotations

from typing import Any

from pyloader.dicom.functional_groups import Frame, Module, pick
from pyloader.dicom.modules.tables import US_REGION

# Cornerstone3D's names for the origin of a spacing (its CalibrationTypes).
MAGNIFIED = "ERMF"
CALIBRATED = "Calibrated"
PROJECTION = "Proj"
UNKNOWN = "Unknown"
DETECTOR = "1.2.840.10008.5.1.4.1.1."
PROJECTIONS = frozenset(
    DETECTOR + suffix
    for suffix in (
        *("1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1", "12.1", "12.1.1", "12.2", "12.2.1"),
        "12.3",
    )
)
GEOMETRY = (
    "DistanceSourceToDetector",
    "DistanceSourceToPatient",
    "DistanceSourceToEntrance",
    "DistanceSourceToIsocenter",
    "EstimatedRadiographicMagnificationFactor",
    "ImagerPixelSpacing",
    "PixelSpacingCalibrationType",
    "PixelSpacingCalibrationDescription",
    "PositionerMotion",
    "TableMotion",
)
# Macro -> its attributes in a frame of an enhanced XA or XRF object (PS3.3 C.8.19.6).
FRAME_GEOMETRY = {
    "FramePixelDataPropertiesSequence": (
        "EstimatedRadiographicMagnificationFactor",
        "ImagerPixelSpacing",
        "PixelIntensityRelationship",
        "PixelIntensityRelationshipSign",
    ),
    "IsocenterReferenceSystemSequence": (
        "PositionerIsocenterPrimaryAngle",
        "PositionerIsocenterSecondaryAngle",
        "PositionerIsocenterDetectorRotationAngle",
        "TableXPositionToIsocenter",
        "TableYPositionToIsocenter",
        "TableZPositionToIsocenter",
        "TableHorizontalRotationAngle",
        "TableHeadTiltAngle",
        "TableCradleTiltAngle",
    ),
    "PositionerPositionSequence": ("PositionerPrimaryAngle", "PositionerSecondaryAngle"),
    "ProjectionPixelCalibrationSequence": (
        "DistanceObjectToTableTop",
        "ObjectPixelSpacingInCenterOfBeam",
        "TableHeight",
        "BeamAngle",
    ),
    "XRayGeometrySequence": ("DistanceSourceToDetector", "DistanceSourceToIsocenter"),
}
# Above this, the factor or a distance is wrong.
MOST_MAGNIFIED = 100.0
INCREMENTS = ("PositionerPrimaryAngleIncrement", "PositionerSecondaryAngleIncrement")


def read_us_regions(frame: Frame) -> Module:
    """Return the calibrated regions of an ultrasound image (PS3.3 C.8.5.5)."""
    regions = frame.items("SequenceOfUltrasoundRegions")
    found = [pick(region, US_REGION) for region in regions]
    return {"sequence_of_ultrasound_regions": found} if found else {}


def read_xray_geometry(frame: Frame) -> Module:
    """Return distances in mm and angles in degrees of a projection (PS3.3 C.8.7.5, C.8.19.6)."""
    found = frame.pick(GEOMETRY)
    for group, keywords in FRAME_GEOMETRY.items() if frame.groups else ():
        found |= frame.pick(keywords, group)
    for keyword in INCREMENTS:
        if keyword in frame.dataset:
            found |= increment_of(frame, keyword)
    return found


def increment_of(frame: Frame, keyword: str) -> Module:
    """Return the increment of an angle at a frame, in degrees (PS3.3 C.8.7.5.1.3)."""
    value = frame.nth(keyword)
    name = "primary" if "Primary" in keyword else "secondary"
    return {} if value is None else {f"positioner_{name}_angle_increment": value}


def read_calibrated_spacing(frame: Frame) -> Module:
    """Return the pixel spacing of a projection image, in mm in the plane of the measured object.

    `type` gives the origin of the spacing, in the words of Cornerstone3D. ``Calibrated`` is from
    an object of known size, ``ERMF`` from the magnification. ``Proj`` is at the detector, where
    lengths are larger than in the patient. ``Unknown`` means that the file does not say.

    References
    ----------
    PS3.3 10.7.1 (basic pixel spacing calibration, CP-586), C.8.11.3 (DX detector).
    """
    if frame.text("SOPClassUID") not in PROJECTIONS:
        return {}
    spacing = frame.spacing("PixelSpacing", "PixelMeasuresSequence")
    imager = frame.spacing("ImagerPixelSpacing", "FramePixelDataPropertiesSequence")
    found, kind = choose_spacing(spacing, imager, read_xray_geometry(frame))
    if found is None:
        return {}
    return {"row_pixel_spacing": found[0], "column_pixel_spacing": found[1], "type": kind}


Spacing = tuple[float, ...] | None


def choose_spacing(spacing: Spacing, imager: Spacing, geometry: Module) -> tuple[Spacing, str]:
    """Return the spacing to measure with, and its type."""
    stated = {"GEOMETRY": MAGNIFIED, "FIDUCIAL": CALIBRATED}
    calibration = stated.get(str(geometry.get("pixel_spacing_calibration_type")))
    if spacing and calibration:
        return spacing, calibration
    if imager is None:
        return spacing, UNKNOWN
    if spacing and spacing[0] < imager[0]:
        return spacing, MAGNIFIED
    factor = magnification_of(geometry)
    if factor is not None:
        return tuple(each / factor for each in imager), MAGNIFIED
    return spacing or imager, PROJECTION


def magnification_of(geometry: Module) -> float | None:
    """Return the magnification from the patient to the detector, above 1; None when unknown."""
    given = positive(geometry.get("estimated_radiographic_magnification_factor"))
    if given is not None and 1 < given <= MOST_MAGNIFIED:
        return given
    entrance = positive(geometry.get("distance_source_to_entrance"))
    patient = positive(geometry.get("distance_source_to_patient")) or entrance
    detector = positive(geometry.get("distance_source_to_detector"))
    if patient is None or detector is None:
        return None
    return detector / patient if 1 < detector / patient <= MOST_MAGNIFIED else None


def positive(value: Any) -> float | None:
    """Return a value as a float if it is a number above 0, else None."""
    return float(value) if isinstance(value, (int, float)) and value > 0 else None
