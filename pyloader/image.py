"""`Image` and the DICOM modules that describe it: frozen values, named after the standard.

Absent metadata is ``None``; nothing is invented here. Defaults of a viewer belong to its adapter.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.arrays import as_numbers, check_agreement, check_pixels, own_fault
from pyloader.errors import FormatError
from pyloader.modules import checked_modules, own_modules
from pyloader.rules import check_part, check_windows, checked_fields

COLOR = "RGB"
GREY = "MONOCHROME2"
# Slopes below it turn all stored values into the same float32.
FLAT = 1e-30
VOI_LUT_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


@dataclass(frozen=True, slots=True)
class PixelModule:
    """Image Pixel module (PS3.3 C.7.6.3): what the samples of an array mean."""

    rows: int
    columns: int
    samples_per_pixel: int
    photometric_interpretation: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    pixel_representation: int
    planar_configuration: int | None = None
    pixel_aspect_ratio: tuple[int, ...] | None = None
    smallest_pixel_value: int | None = None
    largest_pixel_value: int | None = None
    pixel_padding_value: float | None = None
    pixel_padding_range_limit: float | None = None

    @property
    def stored_range(self) -> tuple[int, int]:
        """Smallest and largest value that BitsStored and PixelRepresentation allow."""
        if self.pixel_representation:
            return -(1 << (self.bits_stored - 1)), (1 << (self.bits_stored - 1)) - 1
        return 0, (1 << self.bits_stored) - 1

    @property
    def frame_bits(self) -> int:
        """Bits of one native frame; pairs of pixels share their chroma in 4:2:2."""
        bits = self.rows * self.columns * self.samples_per_pixel * self.bits_allocated
        return bits // 3 * 2 if self.photometric_interpretation.endswith("_422") else bits

    @classmethod
    def of(cls, pixels: NDArray[Any], **attributes: Any) -> PixelModule:
        """Describe `pixels`, (rows, columns) or (rows, columns, samples), by their dtype."""
        rows, columns, samples = (*pixels.shape, 1)[:3]
        bits = pixels.dtype.itemsize * 8
        found: dict[str, Any] = {
            "rows": rows,
            "columns": columns,
            "samples_per_pixel": samples,
            "photometric_interpretation": GREY if samples == 1 else COLOR,
            "bits_allocated": bits,
            "bits_stored": bits,
            "high_bit": attributes.get("bits_stored", bits) - 1,
            "pixel_representation": int(pixels.dtype.kind == "i"),
            "planar_configuration": 0 if samples > 1 else None,
        }
        return cls(**(found | attributes))


@dataclass(frozen=True, slots=True)
class PlaneModule:
    """Image Plane module (PS3.3 C.7.6.2), in mm of the patient coordinate system (LPS).

    Attributes
    ----------
    pixel_spacing : (2,) mm, between rows (down), then between columns (across)
    image_orientation_patient : (6,) cosines along a row, then along a column
    image_position_patient : (3,) mm, centre of the first pixel
    imager_pixel_spacing : (2,) mm, as `pixel_spacing`, at the detector of a projection
    nominal_scanned_pixel_spacing : (2,) mm, as `pixel_spacing`, of a film that was scanned
    """

    frame_of_reference_uid: str | None = None
    image_position_patient: tuple[float, ...] | None = None
    image_orientation_patient: tuple[float, ...] | None = None
    pixel_spacing: tuple[float, ...] | None = None
    slice_thickness: float | None = None
    spacing_between_slices: float | None = None
    slice_location: float | None = None
    imager_pixel_spacing: tuple[float, ...] | None = None
    nominal_scanned_pixel_spacing: tuple[float, ...] | None = None

    @property
    def row_cosines(self) -> tuple[float, ...] | None:
        """Direction in which a row runs, from its first pixel to its last."""
        return self.image_orientation_patient and self.image_orientation_patient[:3]

    @property
    def column_cosines(self) -> tuple[float, ...] | None:
        """Direction in which a column runs, from its first pixel to its last."""
        return self.image_orientation_patient and self.image_orientation_patient[3:]

    @property
    def normal(self) -> tuple[float, float, float] | None:
        """Row cosines x column cosines: points away from the viewer of the image."""
        if self.image_orientation_patient is None:
            return None
        (a, b, c), (d, e, f) = self.row_cosines or (), self.column_cosines or ()
        return b * f - c * e, c * d - a * f, a * e - b * d

    def along_normal(self, distance: float) -> tuple[float, ...] | None:
        """Return the position (mm) of the first pixel of a parallel plane, `distance` mm away."""
        if self.normal is None or self.image_position_patient is None:
            return None
        pairs = zip(self.image_position_patient, self.normal, strict=True)
        return tuple(start + distance * part for start, part in pairs)


@dataclass(frozen=True, slots=True)
class LookupTable:
    """One item of a LUT Sequence (PS3.3 C.11.1.1, C.11.2.1.1).

    Attributes
    ----------
    first_value_mapped : int
        The input that maps to the first entry; smaller inputs map to it too.
    bits_per_entry : int
    entries : (n,) uint16 array
    """

    first_value_mapped: int
    bits_per_entry: int
    entries: NDArray[np.uint16]
    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class ModalityLut:
    """Modality LUT module (PS3.3 C.11.1): stored values to modality units, such as HU."""

    rescale_slope: float | None = None
    rescale_intercept: float | None = None
    rescale_type: str | None = None
    lut: LookupTable | None = None

    @property
    def slope(self) -> float:
        """Rescale slope; 1, the identity, when the image has none."""
        return 1.0 if self.rescale_slope is None else self.rescale_slope

    @property
    def intercept(self) -> float:
        """Rescale intercept; 0, the identity, when the image has none."""
        return 0.0 if self.rescale_intercept is None else self.rescale_intercept

    @property
    def rescale(self) -> tuple[float, float]:
        """Slope and intercept to apply. A slope of 0, which leaves no image, means no rescale."""
        return (1.0, 0.0) if self.is_flat else (self.slope, self.intercept)

    @property
    def is_flat(self) -> bool:
        """True for a slope of 0, or one so small that all values are the same in float32."""
        return abs(self.slope) < FLAT

    @property
    def is_identity(self) -> bool:
        """True when stored values are modality units already."""
        return self.lut is None and self.slope == 1 and self.intercept == 0


@dataclass(frozen=True, slots=True)
class VoiLut:
    """VOI LUT module (PS3.3 C.11.2): windows and tables, in modality units.

    The function is one of `VOI_LUT_FUNCTIONS`; any other is dropped, which means LINEAR
    (C.11.2.1.3).
    """

    window_center: tuple[float, ...] = ()
    window_width: tuple[float, ...] = ()
    window_center_width_explanation: tuple[str, ...] = ()
    voi_lut_function: str | None = None
    luts: tuple[LookupTable, ...] = ()

    def __post_init__(self) -> None:
        """Spell the function as the standard does; drop an unknown one with a warning."""
        given = self.voi_lut_function
        if given is None or given in VOI_LUT_FUNCTIONS:
            return
        name = str(given).strip().upper()
        if name not in VOI_LUT_FUNCTIONS:
            warnings.warn(
                f"(0028,1056) VOI LUT Function is {given!r}; known are "
                f"{', '.join(VOI_LUT_FUNCTIONS)}: windows are taken as LINEAR",
                stacklevel=3,
            )
        found = name if name in VOI_LUT_FUNCTIONS else None
        object.__setattr__(self, "voi_lut_function", found)


@dataclass(frozen=True, slots=True)
class Codestream:
    """The description that an encoded frame gives of itself, whatever its file's header says.

    Attributes
    ----------
    transfer_syntax_uid : str
        The transfer syntax that the frame really has.
    bits : int or None
        Bits of a sample; None when the frame does not say.
    is_signed : bool or None
        None when the encoding has no sign: then the header's Pixel Representation counts.
    photometric_interpretation : str
        Of the coded samples, such as ``YBR_RCT``. The header's, when the frame does not say.
    """

    transfer_syntax_uid: str
    rows: int
    columns: int
    samples_per_pixel: int
    bits: int | None
    is_signed: bool | None
    photometric_interpretation: str


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A decoded frame.

    Attributes
    ----------
    pixels : (rows, columns) or (rows, columns, 3) array, stored values or RGB
    pixel : PixelModule
        Describes `pixels`.
    stored : PixelModule
        The description in the file's header.
    words : (rows, columns) array or None
        Samples with the bits outside of their value, which may hold overlays.
    codestream : Codestream or None
        The description that a compressed frame gives of itself.
    """

    pixels: NDArray[Any]
    pixel: PixelModule
    stored: PixelModule
    words: NDArray[Any] | None = None
    codestream: Codestream | None = None


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoding of the image before decoding: by its header, and by the frame itself."""

    transfer_syntax_uid: str | None = None
    photometric_interpretation: str | None = None
    lossy_image_compression: bool = False
    codestream: Codestream | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """One frame and its description.

    Attributes
    ----------
    pixels : (rows, columns) or (rows, columns, samples) array
        Stored values, before any LUT; colour is RGB or RGBA, interleaved.
    pixel : PixelModule
        Describes `pixels` as they are now, never as a file had them.
    modality_lut : ModalityLut
        Carried, not applied, unless `is_rescaled`.
    modules : mapping of str to mapping
        Further modules by their snake_case name, such as ``general_series``.
    warnings : tuple of str
        Contradictions that were found and resolved, one sentence each.
    float_pixels : array or None
        The exact values, when `pixels` were quantised to integers for a viewer.
    """

    pixels: NDArray[Any]
    pixel: PixelModule
    plane: PlaneModule = PlaneModule()
    modality_lut: ModalityLut = ModalityLut()
    voi_lut: VoiLut = VoiLut()
    encoding: Encoding = Encoding()
    modules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    is_rescaled: bool = False
    warnings: tuple[str, ...] = ()
    float_pixels: NDArray[Any] | None = None

    @classmethod
    def from_array(
        cls,
        pixels: NDArray[Any],
        *,
        modules: Mapping[str, Mapping[str, Any]] | None = None,
        **attributes: Any,
    ) -> Image:
        """Make an image from an array.

        Parameters
        ----------
        pixels : (rows, columns) grey, or (rows, columns, 3) RGB, or (rows, columns, 4) RGBA
            Stored values of any integer dtype, float16, float32 or float64, in any byte and memory
            order. A bool mask becomes uint8 of 0 and 1. Colour is unsigned, or floats from 0 to 1.
        modules : mapping, optional
            Further modules, such as ``{"general_series": {"modality": "MR"}}``.
        **attributes
            DICOM attributes by snake_case keyword: any field of `PixelModule`, `PlaneModule`,
            `ModalityLut`, `VoiLut` or `Encoding`, such as ``pixel_spacing=(0.5, 0.5)`` (mm,
            between rows, then between columns), ``rescale_slope``, ``window_center``.

        Raises
        ------
        FormatError
            The array cannot be an image, or an attribute is unknown, has the wrong type, or a value
            that no image can have.
        """
        pixels = check_pixels(as_numbers(pixels))
        parts = {name: take_fields(kind, attributes) for name, kind in PARTS.items()}
        if attributes:
            raise FormatError(
                f"unknown image attribute {', '.join(map(repr, attributes))}; known are "
                f"{', '.join(known_attributes())}"
            )
        pixel = PixelModule.of(pixels, **parts.pop("pixel"))
        check_agreement(pixel, pixels)
        values = {name: PARTS[name](**taken) for name, taken in parts.items()}
        check_windows(values["voi_lut"].window_center, values["voi_lut"].window_width)
        return cls(pixels, pixel, modules=own_modules(modules), **values)

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels in memory; `Context.cached` counts them."""
        return self.pixels.nbytes + (0 if self.float_pixels is None else self.float_pixels.nbytes)

    def told(self, module: str, name: str) -> Any:
        """Return an attribute of one of `modules`, mapping or dataclass; None when it is absent."""
        found = self.modules.get(module)
        return found.get(name) if isinstance(found, Mapping) else getattr(found, name, None)

    def checked(self) -> Image:
        """Check the description; return the image with modules that can cross to JavaScript.

        Raises
        ------
        FormatError
            A value of the description has the wrong type for its field, or cannot cross.
        """
        for name, kind in {"pixel": PixelModule, **FIELDS}.items():
            check_field(name, getattr(self, name), kind)
        for name in PARTS:
            check_part(getattr(self, name))
        fault = own_fault(self.pixel, self.pixels)
        if fault:
            raise FormatError(f"the image {fault}")
        modules = checked_modules(self.modules)
        return self if modules is self.modules else replace(self, modules=modules)

    def with_pixels(self, pixels: NDArray[Any], **changes: Any) -> Image:
        """Return the image with other pixels, and another `pixel` if their dtype or shape changed.

        Parameters
        ----------
        pixels : (rows, columns) or (rows, columns, samples) array
            As `from_array` takes them. Their position in the patient stays the same: with another
            number of rows or columns, give a ``plane`` too.
        **changes
            Other fields of the image.

        Raises
        ------
        FormatError
            The array cannot be an image, or an image has no field of that name.
        """
        pixels = check_pixels(as_numbers(pixels))
        check_changes(changes)
        if pixels is self.pixels and not changes:
            return self
        rows, columns, samples = (*pixels.shape, 1)[:3]
        if pixels.dtype == self.pixels.dtype and samples == self.pixel.samples_per_pixel:
            is_alike = pixels.shape == self.pixels.shape
            pixel = self.pixel if is_alike else replace(self.pixel, rows=rows, columns=columns)
            return replace(self, pixels=pixels, pixel=pixel, **changes)
        kept: dict[str, Any] = {
            "pixel_padding_value": self.pixel.pixel_padding_value,
            "pixel_padding_range_limit": self.pixel.pixel_padding_range_limit,
            "pixel_aspect_ratio": self.pixel.pixel_aspect_ratio,
        }
        if samples == self.pixel.samples_per_pixel == 1:
            kept["photometric_interpretation"] = self.pixel.photometric_interpretation
        return replace(self, pixels=pixels, pixel=PixelModule.of(pixels, **kept), **changes)


def modules_of(image: Image) -> dict[str, Any]:
    """Return all modules of an image by their snake_case name."""
    return dict(image.modules) | {
        "image_pixel": image.pixel,
        "image_plane": image.plane,
        "modality_lut": image.modality_lut,
        "voi_lut": image.voi_lut,
    }


PARTS: dict[str, Any] = {
    "pixel": PixelModule,
    "plane": PlaneModule,
    "modality_lut": ModalityLut,
    "voi_lut": VoiLut,
    "encoding": Encoding,
}


def known_attributes() -> list[str]:
    """Return the names that `Image.from_array` takes, sorted."""
    return sorted({item.name for kind in PARTS.values() for item in fields(kind)})


def take_fields(kind: type[Any], attributes: dict[str, Any]) -> dict[str, Any]:
    """Remove the fields of `kind` from `attributes`, and return them checked."""
    names = [item.name for item in fields(kind) if attributes.get(item.name, kind) is not kind]
    given = {name: attributes.pop(name) for name in names}
    return checked_fields(kind, {n: value for n, value in given.items() if value is not None})


def check_changes(changes: Mapping[str, Any]) -> None:
    """Raise when a change names no field of an image, or has the wrong type."""
    for name, value in changes.items():
        if name not in FIELDS:
            raise FormatError(
                f"an image has no field {name!r} that can be changed; it has {', '.join(FIELDS)}"
            )
        check_field(name, value, FIELDS[name])


def check_field(name: str, value: Any, kind: Any) -> None:
    """Raise when the value of an image's field has the wrong type."""
    if not isinstance(value, kind):
        raise FormatError(
            f"{name} of an image is {getattr(kind, '__name__', kind)}, not {type(value).__name__}"
        )


FIELDS: dict[str, Any] = {
    **{name: kind for name, kind in PARTS.items() if name != "pixel"},
    "modules": Mapping,
    "is_rescaled": bool,
    "warnings": tuple,
    "float_pixels": np.ndarray | None,
}
