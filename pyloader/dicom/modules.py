"""The one reader of attributes: a data set to the modules of `pyloader.image`.

It serves Part 10 files and DICOM JSON alike. Functional groups (PS3.3 C.7.6.16) are resolved here
and nowhere else: a value is looked up in the frame's own groups, then in the shared ones, then at
the top level. Absent stays ``None``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import DataElement, Dataset
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import tag_for_keyword
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.valuerep import PersonName

from pyloader.errors import FormatError
from pyloader.image import (
    Encoding,
    Image,
    LookupTable,
    ModalityLut,
    PixelModule,
    PlaneModule,
    VoiLut,
)

if TYPE_CHECKING:
    from pyloader.dicom.instance import Instance
    from pyloader.pixels.decode import DecodedFrame

Module = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a data set, with its functional groups.

    Attributes
    ----------
    dataset : Dataset
    index : int
        From 0.
    """

    dataset: Dataset
    index: int

    @property
    def byte_order(self) -> str:
        """Return ``>`` for a data set that was read as big endian, else ``<``."""
        return ">" if self.dataset.original_encoding[1] is False else "<"

    def group(self, keyword: str) -> Dataset | None:
        """Return the item of a functional group macro: the frame's own, else the shared one."""
        for owner in (
            item_of(self.dataset, "PerFrameFunctionalGroupsSequence", self.index),
            item_of(self.dataset, "SharedFunctionalGroupsSequence"),
        ):
            found = item_of(owner, keyword)
            if found is not None:
                return found
        return None

    def get(self, keyword: str, group: str = "") -> Any:
        """Return a value, plain: from the functional group `group` first, then the top level."""
        for owner in (self.group(group) if group else None, self.dataset):
            value = None if owner is None else value_of(owner, keyword)
            if value is not None:
                return value
        return None

    def numbers(self, keyword: str, group: str = "", count: int = 0) -> tuple[float, ...] | None:
        """Return a value as floats, or None when it is absent, not numbers or not `count`."""
        value = self.get(keyword, group)
        try:
            found = tuple(map(float, as_tuple(value)))
        except (TypeError, ValueError):
            return None
        return found if found and count in (0, len(found)) else None

    def number(self, keyword: str, group: str = "") -> float | None:
        """Return the first number of a value, or None."""
        found = self.numbers(keyword, group)
        return found[0] if found else None

    def integer(self, keyword: str) -> int | None:
        """Return the first integer of a value, or None."""
        found = self.number(keyword)
        return None if found is None else int(found)


def item_of(dataset: Dataset | None, keyword: str, index: int = 0) -> Dataset | None:
    """Return one item of a sequence, or None."""
    items = () if dataset is None else items_of(dataset, keyword)
    return items[index] if index < len(items) else None


def items_of(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    """Return the items of a sequence, none when it is absent or not a sequence."""
    element = element_of(dataset, tag_of(keyword))
    return element.value if element is not None and element.VR == "SQ" else ()


@cache
def tag_of(keyword: str) -> int:
    """Return the tag of a keyword of the DICOM dictionary."""
    return BaseTag(tag_for_keyword(keyword) or 0)


def element_of(dataset: Dataset, tag: int) -> DataElement | None:
    """Return an element, converted by pydicom when it is first asked for.

    Most attributes that are looked for are absent, for which pydicom's own access by keyword
    takes longest: this one saves a seventh of a load.
    """
    return dataset[tag] if tag in dataset.keys() else None  # noqa: SIM118 -- see above


def value_of(dataset: Dataset, keyword: str) -> Any:
    """Return a value as `plain` does, None when it is absent."""
    element = element_of(dataset, tag_of(keyword))
    return None if element is None else plain(element.value)


def as_tuple(value: Any) -> tuple[Any, ...]:
    """Return no, one or several values as a tuple."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def plain(value: Any) -> Any:
    """Return a value of pydicom as str, int, float, list or bytes; None when it is empty."""
    if isinstance(value, (MultiValue, list)):
        return [plain(item) for item in value] or None
    if isinstance(value, PersonName):
        return str(value) or None
    if isinstance(value, bytes) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if hasattr(value, "as_tuple"):  # Decimal of a DS
        return float(value)
    return str(value).strip() or None


# ---------------------------------------------------------------- modules that pixels depend on


def read_pixel_module(frame: Frame) -> PixelModule:
    """Read the Image Pixel module as the file has it (PS3.3 C.7.6.3).

    Raises
    ------
    FormatError
        An attribute that decoding needs is absent.
    """
    floats = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}
    bits = frame.integer("BitsAllocated") or require(frame, "BitsAllocated", "0028,0100")
    is_float = bits in floats.values() and frame.get("PixelRepresentation") is None
    representation = 0 if is_float else require(frame, "PixelRepresentation", "0028,0103")
    samples = frame.integer("SamplesPerPixel") or 1
    stored = frame.integer("BitsStored") or bits
    return PixelModule(
        rows=require(frame, "Rows", "0028,0010"),
        columns=require(frame, "Columns", "0028,0011"),
        samples_per_pixel=samples,
        photometric_interpretation=read_photometric_interpretation(frame),
        bits_allocated=bits,
        bits_stored=stored,
        high_bit=frame.integer("HighBit") or stored - 1,
        pixel_representation=representation,
        planar_configuration=(frame.integer("PlanarConfiguration") or 0) if samples > 1 else None,
        pixel_aspect_ratio=as_integers(frame.numbers("PixelAspectRatio", count=2)),
        smallest_pixel_value=signed(frame, "SmallestImagePixelValue", representation),
        largest_pixel_value=signed(frame, "LargestImagePixelValue", representation),
        pixel_padding_value=signed(frame, "PixelPaddingValue", representation),
        pixel_padding_range_limit=signed(frame, "PixelPaddingRangeLimit", representation),
    )


def require(frame: Frame, keyword: str, tag: str) -> int:
    """Return an integer that must be there."""
    value = frame.integer(keyword)
    if value is None:
        raise FormatError(
            f"({tag}) {keyword} is absent, but the pixel data cannot be read without it; "
            "the file is damaged or is not an image"
        )
    return value


def read_photometric_interpretation(frame: Frame) -> str:
    """Return (0028,0004) Photometric Interpretation."""
    value = frame.get("PhotometricInterpretation")
    if not value:
        raise FormatError(
            "(0028,0004) PhotometricInterpretation is absent, but the pixel data cannot be "
            "shown without it; the file is damaged or is not an image"
        )
    return str(value)


def signed(frame: Frame, keyword: str, representation: int) -> int | None:
    """Return a US or SS attribute as Pixel Representation says (PS3.3 C.7.6.3.1.5)."""
    value = frame.integer(keyword)
    if value is not None and representation and value >= 1 << 15:
        return value - (1 << 16)
    return value


def as_integers(numbers: tuple[float, ...] | None) -> tuple[int, ...] | None:
    """Return numbers as integers."""
    return None if numbers is None else tuple(map(int, numbers))


def read_plane_module(frame: Frame) -> PlaneModule:
    """Read the Image Plane module or its functional groups (PS3.3 C.7.6.2, C.7.6.16.2)."""
    measures = "PixelMeasuresSequence"
    return PlaneModule(
        frame_of_reference_uid=frame.get("FrameOfReferenceUID"),
        image_position_patient=frame.numbers("ImagePositionPatient", "PlanePositionSequence", 3),
        image_orientation_patient=frame.numbers(
            "ImageOrientationPatient", "PlaneOrientationSequence", 6
        ),
        pixel_spacing=frame.numbers("PixelSpacing", measures, 2),
        slice_thickness=frame.number("SliceThickness", measures),
        spacing_between_slices=frame.number("SpacingBetweenSlices", measures),
        slice_location=frame.number("SliceLocation"),
    )


def read_modality_lut(frame: Frame) -> ModalityLut:
    """Read the Modality LUT module or its functional group (PS3.3 C.11.1, C.7.6.16.2.9)."""
    group = "PixelValueTransformationSequence"
    luts = read_luts("ModalityLUTSequence", frame)
    return ModalityLut(
        rescale_slope=frame.number("RescaleSlope", group),
        rescale_intercept=frame.number("RescaleIntercept", group),
        rescale_type=frame.get("RescaleType", group),
        lut=luts[0] if luts else None,
    )


def read_voi_lut(frame: Frame) -> VoiLut:
    """Read the VOI LUT module or its functional group (PS3.3 C.11.2, C.7.6.16.2.10)."""
    group = "FrameVOILUTSequence"
    explanations = as_tuple(frame.get("WindowCenterWidthExplanation", group))
    centers = frame.numbers("WindowCenter", group) or ()
    widths = frame.numbers("WindowWidth", group) or ()
    count = min(len(centers), len(widths))
    return VoiLut(
        window_center=centers[:count],
        window_width=widths[:count],
        window_center_width_explanation=tuple(map(str, explanations)),
        voi_lut_function=frame.get("VOILUTFunction", group),
        luts=read_luts("VOILUTSequence", frame),
    )


def read_luts(keyword: str, frame: Frame) -> tuple[LookupTable, ...]:
    """Read the items of a LUT Sequence, leaving out those that are incomplete."""
    tables = (read_lut(item, frame) for item in items_of(frame.dataset, keyword))
    return tuple(table for table in tables if table is not None)


def read_lut(item: Dataset, frame: Frame) -> LookupTable | None:
    """Read one LUT (PS3.3 C.11.1.1.1): 0 entries mean 65536, the first value may be signed."""
    descriptor = as_tuple(value_of(item, "LUTDescriptor"))
    stored = value_of(item, "LUTData")
    if len(descriptor) != 3 or stored is None:
        return None
    count = int(descriptor[0]) or 1 << 16
    first = int(descriptor[1])
    if frame.integer("PixelRepresentation") and first >= 1 << 15:
        first -= 1 << 16
    entries = lut_entries(stored, count, frame.byte_order)
    return LookupTable(first, int(descriptor[2]), entries[:count], value_of(item, "LUTExplanation"))


def lut_entries(stored: Any, count: int, order: str) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Return LUT Data as 16-bit entries; 8-bit ones may be packed two in a word."""
    if not isinstance(stored, bytes):
        return np.array(as_tuple(stored), dtype="<i4").astype("<u2")
    if len(stored) < 2 * count:
        return np.frombuffer(stored, "u1").astype("<u2")
    return np.frombuffer(stored[: 2 * count], f"{order}u2").astype("<u2", copy=False)


# ---------------------------------------------------------------- modules that only describe

# Module -> its attributes, by keyword. Names on the way out are the keywords in snake_case.
PLAIN_MODULES: Mapping[str, tuple[str, ...]] = {
    "cine": ("FrameTime", "CineRate", "RecommendedDisplayFrameRate", "NumberOfFrames"),
    "general_image": (
        "SOPInstanceUID",
        "InstanceNumber",
        "ImageType",
        "LossyImageCompression",
        "LossyImageCompressionRatio",
        "LossyImageCompressionMethod",
        "ContentDate",
        "ContentTime",
        "BurnedInAnnotation",
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
        "ProtocolName",
    ),
    "general_study": (
        "StudyInstanceUID",
        "StudyDescription",
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "StudyID",
    ),
    "patient": ("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    "patient_study": ("PatientAge", "PatientSize", "PatientSex", "PatientWeight"),
    "pet_image": ("FrameReferenceTime", "ActualFrameDuration"),
    "pet_series": ("CorrectedImage", "Units", "DecayCorrection", "SUVType"),
    "sop_common": ("SOPClassUID", "SOPInstanceUID"),
}
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
    "RadiopharmaceuticalStartTime",
    "RadiopharmaceuticalStartDateTime",
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
)


def snake(keyword: str) -> str:
    """Return a DICOM keyword in snake_case: ``SOPInstanceUID`` -> ``sop_instance_uid``."""
    words: list[str] = []
    for index, letter in enumerate(keyword):
        after_lower = index > 0 and not keyword[index - 1].isupper()
        before_lower = index + 1 < len(keyword) and keyword[index + 1].islower()
        starts_word = letter.isupper() and index > 0 and (after_lower or before_lower)
        words.append(("_" if starts_word else "") + letter.lower())
    return "".join(words)


NAMES = {
    keyword: snake(keyword)
    for keywords in (*PLAIN_MODULES.values(), US_REGION, ISOTOPE)
    for keyword in keywords
}


@cache
def known_keywords() -> Mapping[str, str]:
    """Return all keywords of the DICOM dictionary by their lower-case form."""
    return {entry[4].lower(): entry[4] for entry in DicomDictionary.values() if entry[4]}


def keyword_of(name: str) -> str:
    """Return the keyword that is written as `name` in any case, else `name` itself."""
    return known_keywords().get(name.lower(), name)


def pick(dataset: Dataset, keywords: tuple[str, ...]) -> Module:
    """Return the attributes of `keywords` that are there, by snake_case name."""
    found = ((keyword, value_of(dataset, keyword)) for keyword in keywords)
    return {NAMES[keyword]: value for keyword, value in found if value is not None}


def read_descriptions(instance: Instance, frame: Frame) -> dict[str, Module]:
    """Return the modules that describe and take no part in making pixels; absent ones left out."""
    modules = {name: pick(frame.dataset, keys) for name, keys in PLAIN_MODULES.items()}
    modules |= {name: read(frame) for name, read in SPECIAL_MODULES.items()}
    if instance.transfer_syntax_uid:
        modules["transfer_syntax"] = {"transfer_syntax_uid": str(instance.transfer_syntax_uid)}
    return {name: module for name, module in modules.items() if module}


def read_multiframe(frame: Frame) -> Module:
    """Return the number of frames and this one's functional groups' place."""
    count = frame.integer("NumberOfFrames")
    return {"number_of_frames": count, "frame_number": frame.index + 1} if count else {}


def read_us_regions(frame: Frame) -> Module:
    """Return the calibrated regions of an ultrasound image (PS3.3 C.8.5.5)."""
    regions = items_of(frame.dataset, "SequenceOfUltrasoundRegions")
    found = [pick(region, US_REGION) for region in regions]
    return {"sequence_of_ultrasound_regions": found} if found else {}


def read_isotope(frame: Frame) -> Module:
    """Return what a PET radiopharmaceutical was (PS3.3 C.8.9.2)."""
    item = item_of(frame.dataset, "RadiopharmaceuticalInformationSequence")
    return {"radiopharmaceutical_info": pick(item, ISOTOPE)} if item is not None else {}


def read_overlays(frame: Frame) -> Module:
    """Return the overlay planes of groups 6000 to 601E, one byte a pixel (PS3.3 C.9.2)."""
    present = frame.dataset.keys()
    groups = (group for group in range(0x6000, 0x6020, 2) if group << 16 | 0x3000 in present)
    found = (read_overlay(frame, group) for group in groups)
    overlays = [overlay for overlay in found if overlay]
    return {"overlays": overlays} if overlays else {}


def read_overlay(frame: Frame, group: int) -> Module:
    """Return one overlay plane, that of this frame when it has several (PS3.3 C.9.3)."""

    def value(element: int) -> Any:
        item = element_of(frame.dataset, BaseTag(group << 16 | element))
        return None if item is None else plain(item.value)

    rows, columns, packed = value(0x0010), value(0x0011), value(0x3000)
    if not (rows and columns and packed):
        return {}
    start = frame.index + 1 - int(value(0x0051) or 1) if value(0x0015) else 0
    bits = np.unpackbits(np.frombuffer(packed, "u1"), bitorder="little")
    size = rows * columns
    plane = bits[start * size : (start + 1) * size] if start >= 0 else bits[:0]
    if plane.size < size:
        return {}
    row, column = as_tuple(value(0x0050)) or (1, 1)
    named = {
        "type": value(0x0040),
        "label": value(0x1500),
        "description": value(0x0022),
        "roi_area": value(0x1301),
        "roi_mean": value(0x1302),
        "roi_standard_deviation": value(0x1303),
    }
    here = {"rows": rows, "columns": columns, "x": column, "y": row, "pixel_data": plane}
    return here | {name: found for name, found in named.items() if found is not None}


def read_nm_geometry(frame: Frame) -> Module:
    """Return the geometry of a nuclear medicine image: its first detector's (PS3.3 C.8.4.11)."""
    detector = item_of(frame.dataset, "DetectorInformationSequence")
    if detector is None:
        return {}
    at_detector = Frame(detector, frame.index)
    image_type = as_tuple(frame.get("ImageType"))
    subtype = image_type[2] if len(image_type) > 2 else None
    return {
        "modality": frame.get("Modality"),
        "image_type": list(image_type),
        "image_sub_type": subtype,
        "image_orientation_patient": at_detector.numbers("ImageOrientationPatient", count=6),
        "image_position_patient": at_detector.numbers("ImagePositionPatient", count=3),
        "slice_thickness": frame.number("SliceThickness"),
        "spacing_between_slices": frame.number("SpacingBetweenSlices"),
        "pixel_spacing": frame.numbers("PixelSpacing", count=2),
        "number_of_frames": frame.integer("NumberOfFrames"),
        "is_nm_reconstructable": subtype in ("RECON TOMO", "RECON GATED TOMO"),
    }


SPECIAL_MODULES: Mapping[str, Callable[[Frame], Module]] = {
    "calibration": read_us_regions,
    "multiframe": read_multiframe,
    "nm_multiframe_geometry": read_nm_geometry,
    "overlay_plane": read_overlays,
    "pet_isotope": read_isotope,
    "ultrasound_enhanced_region": read_us_regions,
}


# ---------------------------------------------------------------- put together


def describe(instance: Instance, frame_index: int, decoded: DecodedFrame) -> Image:
    """Return the image of a decoded frame."""
    frame = Frame(instance.dataset, frame_index)
    lossy = value_of(instance.dataset, "LossyImageCompression") == "01"
    stored = decoded.stored
    return Image(
        decoded.pixels,
        decoded.pixel,
        plane=read_plane_module(frame),
        modality_lut=read_modality_lut(frame),
        voi_lut=read_voi_lut(frame),
        encoding=Encoding(
            str(instance.transfer_syntax_uid), stored.photometric_interpretation, lossy
        ),
        modules=read_descriptions(instance, frame),
    )


def header(instance: Instance, frame_index: int) -> dict[str, Any]:
    """Return all modules of a frame as the file has them; those of an image only if it is one."""
    frame = Frame(instance.dataset, frame_index)
    modules: dict[str, Any] = dict(read_descriptions(instance, frame))
    if instance.pixels is not None or "Rows" in instance.dataset:
        modules["image_pixel"] = read_pixel_module(frame)
        modules["image_plane"] = read_plane_module(frame)
        modules["modality_lut"] = read_modality_lut(frame)
        modules["voi_lut"] = read_voi_lut(frame)
    return modules
