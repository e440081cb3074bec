"""Nuclear medicine: frame vectors, geometry of the detector, isotope (PS3.3 C.8.4, C.8.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag

from pyloader.dicom.functional_groups import Frame, Module, pick
from pyloader.dicom.modules.tables import ISOTOPE
from pyloader.dicom.values import as_numbers, as_tuple, element_of, item_of, tag_of, value_of
from pyloader.image import PlaneModule

# Vector -> name of the number that it gives a frame, from 1 (PS3.3 C.8.4.8).
VECTORS: Mapping[str, str] = {
    "AngularViewVector": "angular_view_number",
    "DetectorVector": "detector_number",
    "EnergyWindowVector": "energy_window_number",
    "PhaseVector": "phase_number",
    "RRIntervalVector": "rr_interval_number",
    "RotationVector": "rotation_number",
    "SliceVector": "slice_number",
    "TimeSliceVector": "time_slice_number",
    "TimeSlotVector": "time_slot_number",
}
RECONSTRUCTED = frozenset({"RECON TOMO", "RECON GATED TOMO"})
# The detector rotates during these acquisitions: its position does not apply to each frame.
ROTATING = frozenset({"TOMO", "GATED TOMO"})
DETECTOR = ("CollimatorGridName", "CollimatorType", "StartAngle", "RadialPosition", "ZoomFactor")


def image_subtype(frame: Frame) -> str | None:
    """Return the third value of Image Type, the kind of NM acquisition (PS3.3 C.8.4.9.1.1)."""
    image_type = as_tuple(frame.get("ImageType"))
    return image_type[2] if len(image_type) > 2 else None


def detector_of(frame: Frame) -> Dataset | None:
    """Return the item of the detector that acquired a frame; the first one if unspecified."""
    number = frame.nth("DetectorVector")
    return item_of(frame.dataset, "DetectorInformationSequence", int(number or 1) - 1)


def read_detector_plane(frame: Frame, plane: PlaneModule) -> PlaneModule:
    """Return `plane` with position and orientation from the frame's detector, if it has them.

    Reconstructed slices are stacked from the first one along the normal, or against it if Spacing
    Between Slices is negative (PS3.3 C.8.4.15).
    """
    detector, subtype = detector_of(frame), image_subtype(frame)
    if detector is None or subtype in ROTATING:
        return plane
    orientation = as_numbers(value_of(detector, "ImageOrientationPatient"), 6)
    position = as_numbers(value_of(detector, "ImagePositionPatient"), 3)
    found = replace(
        plane,
        image_orientation_patient=plane.image_orientation_patient or orientation,
        image_position_patient=plane.image_position_patient or position,
    )
    return slice_plane(frame, found) if subtype in RECONSTRUCTED else found


def slice_plane(frame: Frame, first: PlaneModule) -> PlaneModule:
    """Return the plane of a reconstructed slice, given the plane of the first slice."""
    number = frame.nth("SliceVector")
    before = frame.index if number is None else int(number) - 1
    if before == 0:
        return first
    spacing = first.spacing_between_slices
    position = None if spacing is None else first.along_normal(before * spacing)
    return replace(first, image_position_patient=position)


def read_nm_geometry(frame: Frame) -> Module:
    """Return the geometry of a frame, from its own detector (PS3.3 C.8.4.11)."""
    detector = detector_of(frame)
    if detector is None:
        return {}
    subtype = image_subtype(frame)
    orientation = as_numbers(value_of(detector, "ImageOrientationPatient"), 6)
    return pick(detector, DETECTOR) | {
        "modality": frame.get("Modality"),
        "image_type": list(as_tuple(frame.get("ImageType"))),
        "image_sub_type": subtype,
        "image_orientation_patient": orientation,
        "image_position_patient": as_numbers(value_of(detector, "ImagePositionPatient"), 3),
        "slice_thickness": frame.number("SliceThickness"),
        "spacing_between_slices": frame.number("SpacingBetweenSlices"),
        "pixel_spacing": frame.spacing("PixelSpacing", "PixelMeasuresSequence"),
        "number_of_frames": frame.integer("NumberOfFrames"),
        "is_nm_reconstructable": subtype in RECONSTRUCTED,
    }


def read_nm_frame(frame: Frame) -> Module:
    """Return the numbers of a frame in its vectors, and Frame Increment Pointer (PS3.3 C.8.4.8)."""
    numbers = {name: frame.nth(vector) for vector, name in VECTORS.items()}
    found: Module = {name: number for name, number in numbers.items() if number is not None}
    return found and found | {"frame_increment_pointer": read_pointers(frame)}


def read_pointers(frame: Frame) -> list[str]:
    """Return the keywords that (0028,0009) Frame Increment Pointer names."""
    element = element_of(frame.dataset, tag_of("FrameIncrementPointer"))
    value: Any = None if element is None else element.value
    tags = [value] if isinstance(value, int) else list(value or ())
    return [keyword_for_tag(tag) for tag in tags if isinstance(tag, int)]


def read_isotope(frame: Frame) -> Module:
    """Return the radiopharmaceutical of a PET image (PS3.3 C.8.9.2, C.8.22.4)."""
    items = frame.items("RadiopharmaceuticalInformationSequence")
    return {"radiopharmaceutical_info": pick(items[0], ISOTOPE)} if items else {}
