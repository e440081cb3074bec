"""Read the Modality and VOI LUT modules (PS3.3 C.11.1, C.11.2) and their functional groups."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from pyloader.dicom.fast import Memo
from pyloader.dicom.functional_groups import Frame, Module, pick
from pyloader.dicom.values import as_numbers, as_tuple, is_unusable, item_of, items_of, value_of
from pyloader.image import LookupTable, ModalityLut, VoiLut

TRANSFORMATION = "PixelValueTransformationSequence"
VOI = "FrameVOILUTSequence"
RESCALE = ("RescaleSlope", "RescaleIntercept")
WINDOW = ("WindowCenter", "WindowWidth")
REAL_WORLD_LINE = ("RealWorldValueSlope", "RealWorldValueIntercept")
REAL_WORLD_VALUE = (
    "RealWorldValueFirstValueMapped",
    "RealWorldValueLastValueMapped",
    "DoubleFloatRealWorldValueFirstValueMapped",
    "DoubleFloatRealWorldValueLastValueMapped",
    *REAL_WORLD_LINE,
    "LUTExplanation",
    "LUTLabel",
)
# Fewest and most bits of a table entry; its input has at most `WORD_BITS` too (PS3.3 C.11.1.1.1,
# C.11.2.1.1).
LEAST_BITS, WORD_BITS = 8, 16
CODE = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")


@Memo
def read_modality_lut(frame: Frame) -> ModalityLut:
    """Read the Modality LUT module or its functional group (PS3.3 C.11.1, C.7.6.16.2.9)."""
    is_signed = bool(frame.integer("PixelRepresentation"))
    luts = read_luts("ModalityLUTSequence", frame, TRANSFORMATION, is_signed)
    return replace(
        read_rescale(frame),
        rescale_type=frame.text("RescaleType", TRANSFORMATION),
        lut=luts[0] if luts else None,
    )


def read_rescale(frame: Frame) -> ModalityLut:
    """Read slope and intercept; neither of them if one is invalid."""
    reason = rescale_fault(frame)
    if reason is None:
        slope, intercept = (frame.number(keyword, TRANSFORMATION) for keyword in RESCALE)
        return ModalityLut(slope, intercept)
    warnings.warn(
        f"{reason}: slope and intercept are left out; pixels keep their stored values",
        stacklevel=2,
    )
    return ModalityLut()


def rescale_fault(frame: Frame) -> str | None:
    """Return why slope and intercept give no modality units; None if they do."""
    slope, intercept = (frame.number(keyword, TRANSFORMATION) for keyword in RESCALE)
    unusable = None
    # Without functional groups each value is in one place only, so a present one is usable.
    if slope is None or intercept is None or frame.groups:
        unusable = frame.unusable(RESCALE, TRANSFORMATION)
    if unusable is not None:
        return f"{unusable} cannot be used"
    if ModalityLut(slope).is_flat:
        return (
            f"(0028,1053) RescaleSlope is {slope:g}, which would make all pixels the same "
            f"(the intercept is {intercept})"
        )
    return None


@Memo
def read_voi_lut(frame: Frame) -> VoiLut:
    """Read the VOI LUT module or its functional group (PS3.3 C.11.2, C.7.6.16.2.10)."""
    explanations = as_tuple(frame.get("WindowCenterWidthExplanation", VOI))
    is_usable = not frame.groups or frame.unusable(WINDOW, VOI) is None
    centers, widths = (frame.numbers(keyword, VOI) or () for keyword in WINDOW)
    count = min(len(centers), len(widths)) if is_usable else 0
    return VoiLut(
        window_center=centers[:count],
        window_width=widths[:count],
        window_center_width_explanation=tuple(str(each or "") for each in explanations),
        voi_lut_function=frame.text("VOILUTFunction", VOI),
        luts=read_luts("VOILUTSequence", frame, VOI, has_negative_output(frame)),
    )


def has_negative_output(frame: Frame) -> bool:
    """Return whether the input of a VOI LUT, the modality LUT's output, may be negative.

    Entries of a modality LUT are unsigned. With a rescale, the range of stored values decides.
    """
    if frame.items("ModalityLUTSequence", TRANSFORMATION):
        return False
    is_signed = bool(frame.integer("PixelRepresentation"))
    bits = min(max(frame.integer("BitsStored") or 16, 1), 64)
    most = 1 << bits - is_signed
    found = ModalityLut() if rescale_fault(frame) else read_rescale(frame)
    slope, intercept = found.rescale
    ends = (-most if is_signed else 0, most - 1)
    return min(end * slope + intercept for end in ends) < 0


def read_luts(keyword: str, frame: Frame, group: str, is_signed: bool) -> tuple[LookupTable, ...]:
    """Read the items of a LUT Sequence, without incomplete ones."""
    items = frame.items(keyword, group)
    tables = (read_lut(item, frame.byte_order, is_signed) for item in items)
    return tuple(table for table in tables if table is not None)


def read_lut(item: Dataset, order: str, is_signed: bool) -> LookupTable | None:
    """Read one LUT (PS3.3 C.11.1.1.1, C.11.2.1.1): 0 entries mean 65536.

    Parameters
    ----------
    order : str
        Byte order of the entries, ``<`` or ``>``.
    is_signed : bool
        True if the first value mapped may be negative, even when written as US.
    """
    descriptor = as_numbers(value_of(item, "LUTDescriptor"), 3)
    stored = value_of(item, "LUTData")
    if descriptor is None or stored is None:
        return None
    count = int(descriptor[0]) & 0xFFFF or 1 << 16  # SS, if the first value is negative
    first = as_word(int(descriptor[1]), is_signed)
    entries = lut_entries(stored, count, order)
    if first is None or entries is None:
        warnings.warn(
            f"a lookup table whose first mapped value is {descriptor[1]:g} is left out: that value "
            "or an entry is not a 16-bit word",
            stacklevel=2,
        )
        return None
    if len(entries) < count:
        note = f"a lookup table has {len(entries)} entries, but its descriptor says {count}"
        warnings.warn(f"{note}; higher values use the last entry", stacklevel=2)
    explanation = value_of(item, "LUTExplanation")
    bits = entry_bits(int(descriptor[2]), entries)
    return LookupTable(first, bits, entries[:count], explanation and str(explanation))


def as_word(value: int, is_signed: bool) -> int | None:
    """Return a 16-bit word, read as signed or unsigned; None for a value outside 16 bits."""
    if not -(1 << 15) <= value < 1 << WORD_BITS:
        return None
    return value - (1 << WORD_BITS) if is_signed and value >= 1 << 15 else value


def entry_bits(declared: int, entries: NDArray[np.uint16]) -> int:
    """Return the bits of entries: the declared number if valid, else their own, like DCMTK."""
    if LEAST_BITS <= declared <= WORD_BITS:
        return declared
    own = max(LEAST_BITS, int(entries.max()).bit_length())
    warnings.warn(
        f"(0028,3002) LUTDescriptor says {declared} bits for each entry, expected {LEAST_BITS} to "
        f"{WORD_BITS}; the table is read with the {own} bits of its largest entry",
        stacklevel=2,
    )
    return own


def lut_entries(stored: Any, count: int, order: str) -> NDArray[np.uint16] | None:
    """Return LUT Data as 16-bit entries; 8-bit entries may be packed, two in a word."""
    if isinstance(stored, bytes):
        if len(stored) < 2 * count:
            return unpacked(stored, order)
        return np.frombuffer(stored[: 2 * count], f"{order}u2").astype("<u2", copy=False)
    numbers = as_numbers(stored)
    if numbers is None or min(numbers) < -(1 << 15) or max(numbers) >= 1 << WORD_BITS:
        return None
    return np.array(numbers, "<f8").astype("<i8").astype("<u2")


def unpacked(stored: bytes, order: str) -> NDArray[np.uint16]:
    """Unpack 8-bit entries: the first of two is in the lower half of its word."""
    words = np.frombuffer(stored[: len(stored) // 2 * 2], f"{order}u2").astype("<u2")
    packed = words.tobytes() + stored[len(words) * 2 :]
    return np.frombuffer(packed, "u1").astype("<u2")


def read_real_world_values(frame: Frame) -> Module:
    """Return the Real World Value Mappings of a frame (PS3.3 C.7.6.16.2.11)."""
    keyword = "RealWorldValueMappingSequence"
    # This macro is the sequence itself, with an item for each mapping.
    found_in = (items_of(each, keyword) for each in (*frame.groups, frame.dataset))
    items = next((items for items in found_in if items), ())
    found = [mapping for item in items if (mapping := read_real_world_value(item))]
    return {"real_world_value_mapping_sequence": found} if found else {}


def read_real_world_value(item: Dataset) -> Module:
    """Return one mapping, linear or by a table; its unit is a UCUM code.

    A line of slope 0, or with an invalid slope or intercept, maps nothing: it is left out with a
    warning.
    """
    found = pick(item, REAL_WORLD_VALUE)
    table = as_numbers(value_of(item, "RealWorldValueLUTData"))
    unusable = next((each for each in REAL_WORLD_LINE if is_unusable(item, each)), None)
    fault = unusable and f"{unusable} cannot be used"
    if found.get("real_world_value_slope") == 0:
        fault = "(0040,9225) Real World Value Slope is 0, which would make all values the same"
    if fault and table is None:
        warnings.warn(f"{fault}: the mapping is left out", stacklevel=2)
        return {}
    units = item_of(item, "MeasurementUnitsCodeSequence")
    if units is not None:
        found["measurement_units"] = pick(units, CODE)
    if table is not None:
        found["real_world_value_lut_data"] = np.array(table, "<f8")
    return found
