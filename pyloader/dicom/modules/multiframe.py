"""Describe a frame of a multi-frame object: its content, cine, segment and place in a volume."""

from __future__ import annotations

from itertools import chain
from typing import Any

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag

from pyloader.dicom.functional_groups import Frame, Module, pick
from pyloader.dicom.modules.luts import CODE
from pyloader.dicom.modules.slide import find_tile
from pyloader.dicom.modules.tables import CINE
from pyloader.dicom.segmentation import count_segments, is_labelmap
from pyloader.dicom.values import as_numbers, element_of, item_of, items_of, tag_of, value_of

CONTENT = (
    "FrameAcquisitionNumber",
    "FrameReferenceDateTime",
    "FrameAcquisitionDateTime",
    "FrameAcquisitionDuration",
    "CardiacCyclePosition",
    "RespiratoryCyclePosition",
    "DimensionIndexValues",
    "TemporalPositionIndex",
    "StackID",
    "InStackPositionNumber",
    "FrameComments",
    "FrameLabel",
)
# Vectors of secondary captures (PS3.3 C.8.6.4) -> the value of one frame.
VECTORS = {
    "PageNumberVector": "page_number",
    "FrameLabelVector": "frame_label",
    "FramePrimaryAngleVector": "frame_primary_angle",
    "FrameSecondaryAngleVector": "frame_secondary_angle",
    "DisplayWindowLabelVector": "display_window_label",
}
# The macros with Frame Type, one for each kind of object (PS3.3 C.8.13.5.1 and others).
FRAME_TYPE_MACROS = (
    "MRImageFrameTypeSequence",
    "CTImageFrameTypeSequence",
    "PETFrameTypeSequence",
    "XAXRFFrameCharacteristicsSequence",
    "XRay3DFrameTypeSequence",
    "USImageDescriptionSequence",
    "ParametricMapFrameTypeSequence",
    "WholeSlideMicroscopyImageFrameTypeSequence",
)
FRAME_TYPE = (
    "FrameType",
    "PixelPresentation",
    "VolumetricProperties",
    "VolumeBasedCalculationTechnique",
    "ComplexImageComponent",
    "AcquisitionContrast",
)
# Macro -> its attributes that describe a frame (PS3.3 C.7.6.16, C.8.13.5, C.8.24.6).
FRAME_MACROS = {
    "TemporalPositionSequence": ("TemporalPositionTimeOffset",),
    "CardiacSynchronizationSequence": ("NominalCardiacTriggerDelayTime",),
    "MREchoSequence": ("EffectiveEchoTime",),
    "MRDiffusionSequence": ("DiffusionBValue", "DiffusionDirectionality"),
    "FrameAnatomySequence": ("FrameLaterality",),
}
SEGMENT = (
    "SegmentNumber",
    "SegmentLabel",
    "SegmentDescription",
    "SegmentAlgorithmType",
    "SegmentAlgorithmName",
    "TrackingID",
    "TrackingUID",
    "RecommendedDisplayCIELabValue",
    "RecommendedDisplayGrayscaleValue",
)
SEGMENTATION = (
    "SegmentationType",
    "SegmentationFractionalType",
    "MaximumFractionalValue",
    "SegmentsOverlap",
)
SEGMENT_CODES = (
    "SegmentedPropertyCategoryCodeSequence",
    "SegmentedPropertyTypeCodeSequence",
)
SOURCE = ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID", "ReferencedFrameNumber")
VOLUME_MACROS = {
    "PlanePositionVolumeSequence": ("ImagePositionVolume",),
    "PlaneOrientationVolumeSequence": ("ImageOrientationVolume",),
    "ImageDataTypeSequence": ("DataType",),
}
VOLUME = (
    "VolumeFrameOfReferenceUID",
    "TableFrameOfReferenceUID",
    "UltrasoundAcquisitionGeometry",
    "ApexPosition",
    "VolumeToTransducerMappingMatrix",
    "VolumeToTableMappingMatrix",
)


def read_frame_content(frame: Frame) -> Module:
    """Return the Frame Content macro, and attributes of time and type (PS3.3 C.7.6.16.2.2)."""
    values = {name: frame.nth(vector) for vector, name in VECTORS.items()}
    found: Module = {name: value for name, value in values.items() if value is not None}
    if not frame.groups:
        return found
    found |= frame.pick(CONTENT, "FrameContentSequence")
    for group, keywords in FRAME_MACROS.items():
        found |= frame.pick(keywords, group)
    for group in FRAME_TYPE_MACROS:
        macro = frame.macro(group)
        found |= {} if macro is None else pick(macro, FRAME_TYPE)
    if "dimension_index_values" in found:
        pointers = [pointer_of(item) for item in items_of(frame.dataset, "DimensionIndexSequence")]
        found |= {"dimension_index_pointers": pointers} if pointers else {}
    return found


def read_cine(frame: Frame) -> Module:
    """Return the Cine module (PS3.3 C.7.6.5); in a concatenation, the times of this part only."""
    found = pick(frame.dataset, CINE)
    before = frame.values_before("FrameTimeVector")
    times = found.pop("frame_time_vector", None)
    if before is not None and times is not None:
        stop = before + (frame.integer("NumberOfFrames") or 1)
        found["frame_time_vector"] = times[before:stop] if before else times
    return found


def pointer_of(item: Dataset) -> str | None:
    """Return the keyword of the attribute of a dimension; None for a private attribute."""
    element = element_of(item, tag_of("DimensionIndexPointer"))
    value: Any = None if element is None else element.value
    return keyword_for_tag(value) or None if isinstance(value, int) else None


def read_segment(frame: Frame) -> Module:
    """Return the segment that a frame of a segmentation shows (PS3.3 C.8.20.2, C.8.20.3.1).

    Also return the meaning of the values: fractions of ``maximum_fractional_value`` in a
    fractional segmentation, segment numbers in a label map.
    """
    found = pick(frame.dataset, SEGMENTATION)
    if is_labelmap(frame.dataset):
        found["segmentation_type"] = "LABELMAP"
    number = segment_number(frame)
    if number is not None:
        found |= {"segment_number": number} | segment_of(frame, number)
    return found and found | read_sources(frame)


def segment_number(frame: Frame) -> int | None:
    """Return the segment number of a frame; in a TILED_FULL matrix, found by the frame number."""
    number = frame.integer("ReferencedSegmentNumber", "SegmentIdentificationSequence")
    is_full = frame.get("DimensionOrganizationType") == "TILED_FULL"
    if number is not None or not is_full or not count_segments(frame.dataset):
        return number
    tile = find_tile(frame)
    item = None if tile is None else item_of(frame.dataset, "SegmentSequence", tile.segment)
    found = None if item is None else as_numbers(value_of(item, "SegmentNumber"), 1)
    return None if found is None else int(found[0])


def segment_of(frame: Frame, number: int) -> Module:
    """Return the description of the segment `number`; empty if the file has none."""
    segments = items_of(frame.dataset, "SegmentSequence")
    # Segments are usually numbered 1, 2, 3: then only one item is read.
    likely = segments[number - 1 : number] if number > 0 else []
    for item in chain(likely, segments):
        if value_of(item, "SegmentNumber") == number:
            return describe_segment(item)
    return {}


def describe_segment(item: Dataset) -> Module:
    """Return a segment's name, colour and segmented property."""
    found = pick(item, SEGMENT)
    for keyword in SEGMENT_CODES:
        code = item_of(item, keyword)
        if code is not None:
            name = "category" if "Category" in keyword else "type"
            found[f"segmented_property_{name}"] = pick(code, CODE)
    return found


def read_sources(frame: Frame) -> Module:
    """Return the images that a frame was derived from (PS3.3 C.7.6.16.2.6)."""
    owners = (*frame.groups, frame.dataset)
    found_in = (items_of(each, "DerivationImageSequence") for each in owners)
    derivations = next((items for items in found_in if items), ())
    sources = (source for each in derivations for source in items_of(each, "SourceImageSequence"))
    found = [pick(source, SOURCE) for source in sources]
    return {"source_images": found} if found else {}


def read_volume_plane(frame: Frame) -> Module:
    """Return the place of a frame in an ultrasound volume, in mm (PS3.3 C.8.24.2, C.8.24.6)."""
    found: Module = {}
    for group, keywords in VOLUME_MACROS.items() if frame.groups else ():
        found |= frame.pick(keywords, group)
    return found and found | pick(frame.dataset, VOLUME)
