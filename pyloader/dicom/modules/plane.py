"""Read the Image Plane module of any object: the place of a frame in the patient, in mm (LPS).

Sources are the module itself (PS3.3 C.7.6.2), functional groups (C.7.6.16.2.1 to .4), the detectors
of nuclear medicine (C.8.4.9, C.8.4.15) and the grid of RT dose (C.8.8.3.2). An attribute without a
source stays absent.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from operator import mul
from typing import Any

from pyloader.dicom.functional_groups import Frame, Module, pick
from pyloader.dicom.modules.groups import nested
from pyloader.dicom.modules.known import KNOWN_TAGS
from pyloader.dicom.modules.multiframe import CONTENT, pointer_of
from pyloader.dicom.modules.nuclear import read_detector_plane, read_pointers
from pyloader.dicom.values import as_numbers, as_tuple, items_of, nth_of, tag_of
from pyloader.image import PlaneModule

MEASURES = "PixelMeasuresSequence"
POSITION = "PlanePositionSequence"
# Largest difference of a coordinate in mm, or of a cosine, that counts as rounding.
TOLERANCE = 1e-3
LOCATIONS = "SliceLocationVector"
SLICES = "SliceVector"
# Attributes and vectors of frames that follow each other in time (PS3.3 C.7.6.5, C.8.4.8).
TIMES = frozenset(
    {
        *("CineRate", "FrameTime", "FrameTimeVector"),
        *("PhaseVector", "RRIntervalVector", "TimeSliceVector", "TimeSlotVector"),
    }
)
# Dimensions that run over slices.
SPACE = ("ImagePositionPatient", "InStackPositionNumber")
# Functional groups that may differ between slices of a volume.
BY_SLICE = (
    "plane_position_sequence",
    "plane_orientation_sequence",
    "pixel_measures_sequence",
    "pixel_value_transformation_sequence",
    "frame_voilut_sequence",
    "derivation_image_sequence",
    "frame_content_sequence",
)
DISTINGUISHING = tuple(each for each in CONTENT if each not in ("FrameComments", "FrameLabel"))


def read_plane_module(frame: Frame) -> PlaneModule:
    """Read the Image Plane module, or its equivalent for this frame."""
    plane = PlaneModule(
        frame_of_reference_uid=frame.text("FrameOfReferenceUID"),
        image_position_patient=frame.numbers("ImagePositionPatient", POSITION, 3),
        image_orientation_patient=frame.numbers(
            "ImageOrientationPatient", "PlaneOrientationSequence", 6
        ),
        pixel_spacing=frame.spacing("PixelSpacing", MEASURES),
        slice_thickness=frame.number("SliceThickness", MEASURES),
        spacing_between_slices=spacing_between_slices(frame),
        slice_location=frame.number("SliceLocation"),
        imager_pixel_spacing=frame.spacing(
            "ImagerPixelSpacing", "FramePixelDataPropertiesSequence"
        ),
        nominal_scanned_pixel_spacing=frame.spacing("NominalScannedPixelSpacing"),
    )
    if "GridFrameOffsetVector" in frame.dataset:
        return replace(plane, image_position_patient=position_in_grid(frame, plane))
    if "DetectorInformationSequence" in frame.dataset:
        return read_detector_plane(frame, plane)
    if tag_of(LOCATIONS) in frame.dataset.keys():  # noqa: SIM118 -- quick
        plane = replace(plane, slice_location=number_of(frame.nth(LOCATIONS)))
    return plane_after_first(frame, plane) if frame.index else plane


def plane_after_first(frame: Frame, plane: PlaneModule) -> PlaneModule:
    """Return the plane of a frame after the first, if the file gives all frames one position.

    The slices of a volume with one position follow each other along the normal (PS3.3
    C.7.6.2.1.1). If their distance is unknown, or functional groups put all slices in one place,
    the position is left out with a warning.
    """
    start = plane.image_position_patient
    if start is None or not is_at(Frame(frame.dataset, 0), start):
        return plane
    if any("ImagePositionPatient" in owner for owner in frame.owners(POSITION)[:-1]):
        distance = None if is_stack_of_one_place(frame, start) else 0.0
    else:
        distance = distance_from_first(frame, plane)
    if distance == 0:
        return plane
    position = None if distance is None else plane.along_normal(distance)
    if position is None:
        warnings.warn(
            f"(0020,0032) ImagePositionPatient is {start} for all frames, but the file does not "
            "say that they run over time, or how far apart they are: the position of frame "
            f"{frame.index + 1} is left out",
            stacklevel=2,
        )
    location = plane.slice_location if LOCATIONS in frame.dataset else None
    return replace(plane, image_position_patient=position, slice_location=location)


def distance_from_first(frame: Frame, plane: PlaneModule) -> float | None:
    """Return the distance of a frame from the first along the normal, in mm; None when unknown.

    It is 0 if frames run over time.
    """
    pointers, spacing = read_pointers(frame), plane.spacing_between_slices or 0.0
    if is_over_time(frame):
        # Without a pointer, frames with a slice spacing may also be slices.
        return 0.0 if pointers or spacing <= 0 else None
    if LOCATIONS in frame.dataset:
        return distance_of_locations(frame, plane)
    number = number_of(frame.nth(SLICES)) if SLICES in pointers else frame.index + 1
    is_known = number is not None and spacing > 0 and (not pointers or SLICES in pointers)
    return (number - 1) * spacing if number is not None and is_known else None


def is_over_time(frame: Frame) -> bool:
    """Return whether frames follow each other in time, by (0028,0009) Frame Increment Pointer.

    Without it, any attribute of time decides (PS3.3 C.7.6.6.1.1).
    """
    pointers = read_pointers(frame)
    if pointers:
        return TIMES.issuperset(pointers)
    return any(keyword in frame.dataset for keyword in TIMES)


def distance_of_locations(frame: Frame, plane: PlaneModule) -> float | None:
    """Return the distance of a frame from the first, by slice locations along the normal, in mm.

    Return None when the first location is not that of the position, or a value is absent.
    """
    origin, normal = plane.image_position_patient, plane.normal
    first, location = number_of(nth_of(frame.dataset, LOCATIONS, 0)), plane.slice_location
    if origin is None or normal is None or first is None or location is None:
        return None
    is_along = abs(sum(map(mul, origin, normal)) - first) < TOLERANCE
    return location - first if is_along else None


def number_of(value: Any) -> float | None:
    """Return a value that is one number as a float, else None."""
    found = as_numbers(value, 1)
    return found[0] if found else None


def is_stack_of_one_place(frame: Frame, position: tuple[float, ...]) -> bool:
    """Return whether functional groups wrongly put all slices of a volume in one place.

    Frames that really share a place differ in time, echo, segment or the like. Slices of a stack,
    or of a dimension of positions, have different places.
    """
    count = frame.integer("NumberOfFrames") or 1
    first, *others = [Frame(frame.dataset, index) for index in (0, 1, count // 2, count - 1)]
    if not all(is_at(other, position) for other in others):
        return False
    one, other = read_distinction(frame), read_distinction(first)
    if one.slices != other.slices and one.stack == other.stack:
        return True
    if one.rest != other.rest or is_over_time(frame):
        return False
    return macros_of(frame) == macros_of(first)


def is_at(frame: Frame, position: tuple[float, ...]) -> bool:
    """Return whether the position of a frame is `position`, within `TOLERANCE`."""
    found = frame.numbers("ImagePositionPatient", POSITION, 3)
    return found is not None and all(
        abs(one - other) < TOLERANCE for one, other in zip(found, position, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Distinction:
    """Frame content that distinguishes a frame from others in the same place.

    Attributes
    ----------
    stack : str or None
    slices : tuple
        Its position in the stack, and its indices in the dimensions of `SPACE`.
    rest : dict
        All other frame content, without comment and label.
    """

    stack: Any
    slices: tuple[Any, ...]
    rest: Module


def read_distinction(frame: Frame) -> Distinction:
    """Read the Frame Content macro of a frame (PS3.3 C.7.6.16.2.2)."""
    macro = frame.macro("FrameContentSequence")
    content = {} if macro is None else pick(macro, DISTINGUISHING)
    dimensions = items_of(frame.dataset, "DimensionIndexSequence")
    names = [pointer_of(item) for item in dimensions]
    values = as_tuple(content.pop("dimension_index_values", None))
    indices = dict(zip(names, values, strict=False))
    slices = (content.pop("in_stack_position_number", None), *(indices.pop(n, None) for n in SPACE))
    return Distinction(content.get("stack_id"), slices, {**content, "indices": indices})


def macros_of(frame: Frame) -> Module:
    """Return a frame's own functional groups, without those in `BY_SLICE`."""
    own = {} if frame.own_groups is None else nested(frame.own_groups, KNOWN_TAGS)
    return {name: value for name, value in own.items() if name not in BY_SLICE}


def spacing_between_slices(frame: Frame) -> float | None:
    """Return (0018,0088) Spacing Between Slices; only NM may have a negative one (C.8.4.15)."""
    spacing = frame.number("SpacingBetweenSlices", MEASURES)
    is_nuclear = frame.get("Modality") == "NM" or "DetectorInformationSequence" in frame.dataset
    if spacing is None or spacing >= 0 or is_nuclear:
        return spacing
    warnings.warn(
        f"(0018,0088) SpacingBetweenSlices is {spacing:g}, but only nuclear medicine may have a "
        "negative one: it is left out",
        stacklevel=2,
    )
    return None


def position_in_grid(frame: Frame, plane: PlaneModule) -> tuple[float, ...] | None:
    """Return the position of a plane of an RT dose grid (PS3.3 C.8.8.3.2).

    Offsets that begin with 0 count along the normal from the first plane. Offsets that begin with
    the z of the first plane are z coordinates of transverse planes. Others have no meaning.
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
        f"{frame.index + 1}, which does not fit the image position {origin} and orientation "
        f"{plane.image_orientation_patient}: the position of the frame is left out",
        stacklevel=2,
    )
    return None
