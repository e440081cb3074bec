"""The Image Plane module of any object: where a frame is in the patient, in mm (LPS).

Beside the module itself (PS3.3 C.7.6.2) these tell where a frame is: functional groups
(C.7.6.16.2.1 to .4), the detectors of nuclear medicine (C.8.4.9, C.8.4.15) and the grid of RT dose
(C.8.8.3.2). What none of them tells stays absent.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

from pyloader.dicom.frame import Frame
from pyloader.dicom.modules.nuclear import read_detector_plane
from pyloader.dicom.values import nth_of
from pyloader.image import PlaneModule

MEASURES = "PixelMeasuresSequence"
# Largest difference of a coordinate in mm, and of a cosine, that is still rounding.
TOLERANCE = 1e-3


def read_plane_module(frame: Frame) -> PlaneModule:
    """Read the Image Plane module, or what stands in its place for this frame."""
    plane = PlaneModule(
        frame_of_reference_uid=frame.text("FrameOfReferenceUID"),
        image_position_patient=frame.numbers("ImagePositionPatient", "PlanePositionSequence", 3),
        image_orientation_patient=frame.numbers(
            "ImageOrientationPatient", "PlaneOrientationSequence", 6
        ),
        pixel_spacing=frame.spacing("PixelSpacing", MEASURES),
        slice_thickness=frame.number("SliceThickness", MEASURES),
        spacing_between_slices=frame.number("SpacingBetweenSlices", MEASURES),
        slice_location=frame.number("SliceLocation"),
        imager_pixel_spacing=frame.spacing(
            "ImagerPixelSpacing", "FramePixelDataPropertiesSequence"
        ),
    )
    if "GridFrameOffsetVector" in frame.dataset:
        return replace(plane, image_position_patient=position_in_grid(frame, plane))
    if "DetectorInformationSequence" in frame.dataset:
        return read_detector_plane(frame, plane)
    return plane


def position_in_grid(frame: Frame, plane: PlaneModule) -> tuple[float, ...] | None:
    """Return the place of a plane of an RT dose grid (PS3.3 C.8.8.3.2).

    Offsets that begin with 0 run along the normal from the first plane; those that begin with its
    own z are z themselves, of transverse planes. Others have no meaning.
    """
    origin, normal = plane.image_position_patient, plane.normal
    if origin is None or frame.index == 0:
        return origin
    first = nth_of(frame.dataset, "GridFrameOffsetVector", 0)
    offset = frame.nth("GridFrameOffsetVector")
    if normal is not None and None not in (first, offset):
        if first == 0:
            return plane.along_normal(offset)
        if abs(normal[2]) > 1 - TOLERANCE and abs(first - origin[2]) < TOLERANCE:
            return (*origin[:2], offset)
    warnings.warn(
        f"(3004,000C) GridFrameOffsetVector begins with {first} and has {offset} for frame "
        f"{frame.index + 1}, beside an image position of {origin} and an orientation of "
        f"{plane.image_orientation_patient}: it does not tell where the frame is",
        stacklevel=2,
    )
    return None
