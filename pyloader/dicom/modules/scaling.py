"""Compute factors for quantitative viewing: from rescaled values to SUV of PET, or to RT dose.

A factor that is not certain stays absent, with a warning that says why: a standardized uptake value
(SUV) from a guessed time is worse than none.
"""

from __future__ import annotations

import math
import warnings

from pyloader.dicom.fast import Memo
from pyloader.dicom.functional_groups import Frame, Module
from pyloader.dicom.modules.decay import (
    NotCertainError,
    bounded,
    dose_at_scan,
    is_older_than_series,
    private_value,
)
from pyloader.dicom.modules.luts import read_real_world_values, rescale_fault
from pyloader.dicom.values import as_tuple

DOSE = ("DoseGridScaling", "DoseSummationType", "DoseType", "DoseUnits")
# Attributes that PET needs in addition to the plain modules.
MOMENTS = (
    "AcquisitionDateTime",
    "AttenuationCorrected",
    "DecayCorrected",
    "DecayCorrectionDateTime",
    "TimezoneOffsetFromUTC",
)
# Private attributes by their creator, group and element (PS3.5 7.8.1).
PHILIPS = "Philips PET Private Group"
SUV_FACTOR = (PHILIPS, 0x7053, 0x00)
ACTIVITY_FACTOR = (PHILIPS, 0x7053, 0x09)
# (0054,1006) SUV Type of values that are SUV already -> the body measure that they are divided by.
SUV_TYPES = {"BW": "suvbw", "LBM": "suvlbm", "BSA": "suvbsa"}
# Units of Real World Value Mappings, in codes of UCUM -> (0054,1001) Units.
UNITS = {"Bq/ml": "BQML", "g/ml{SUVbw}": "GML"}
# Kilograms, from a mouse to a horse.
WEIGHTS = (1e-3, 1e3)
# Patient Size is in metres; a larger value is in centimetres, or wrong.
SIZES = (0.05, 3.0)
CENTIMETRES = 100
# Valid SUV, and valid Bq/ml, of one count.
SUV_OF_COUNT, ACTIVITY_OF_COUNT = (1e-9, 10.0), (1e-6, 1e6)
# Valid Gy, or percent, of one stored value with at most 32 bits.
DOSES = (1e-15, 1e6)
# Relative tolerance for equal numbers after rounding, and for results of two computations.
EXACT, ALIKE = 1e-5, 0.1


@Memo
def read_scaling(frame: Frame) -> Module:
    """Return the factors of PET or of RT dose; empty for other images, and when unknown."""
    modality = frame.get("Modality")
    if modality == "RTDOSE":
        return dose_factor(frame)
    try:
        return suv_factors(frame) if modality == "PT" else {}
    except NotCertainError as reason:
        warnings.warn(f"SUV are not certain, and are left out: {reason}", stacklevel=2)
        return {}


def read_certain_scaling(frame: Frame) -> Module:
    """Return the result of `read_scaling`, without SUV if a value of this image contradicts them.

    This check is outside the memoised reader, because slope and time of the pixels differ by
    image: with them, `read_scaling` would run again for each image.
    """
    found = read_scaling(frame)
    reason = doubt_of(frame) if found and frame.get("Modality") == "PT" else None
    if reason is None:
        return found
    warnings.warn(f"SUV are not certain, and are left out: {reason}", stacklevel=2)
    return {}


def doubt_of(frame: Frame) -> str | None:
    """Return why the activity in a PET image is uncertain; None if it is certain."""
    fault = rescale_fault(frame)
    if fault is not None:
        return f"{fault}, so that values have no unit"
    is_from_start = frame.get("DecayCorrection") == "START" and frame.get("Units") != "GML"
    is_older = is_from_start and is_older_than_series(frame)
    return "the pixels are older than their series" if is_older else None


def dose_factor(frame: Frame) -> Module:
    """Return the factor from rescaled values to dose, with the type of dose."""
    found = frame.pick(DOSE[1:])
    try:
        factor = bounded(frame.get(DOSE[0]), "dose grid scaling", DOSES)
    except NotCertainError as reason:
        warnings.warn(f"{reason}: pixels keep their stored values", stacklevel=2)
        return found
    return found if factor is None else {"dose_grid_scaling": factor} | found


def suv_factors(frame: Frame) -> Module:
    """Return the factors from rescaled values to SUV: by weight, lean mass, surface.

    Follow QIBA's vendor-neutral pseudo-code. ``suvbw`` is in g/ml, ``suvlbm`` in g/ml of lean body
    mass (James), ``suvbsa`` in cm2/ml of body surface (Du Bois).

    Raises
    ------
    NotCertainError
        A required number is impossible, or contradicts another one.
    """
    read = KINDS.get(str(units_of(frame)))
    if read is None or not is_corrected(frame):
        return {}
    measures = body_measures(frame)
    found = read(frame)
    if found is None:
        return {}
    kind, factor = found
    if kind is None:
        return {name: factor * measure for name, measure in measures.items()}
    if kind not in measures:
        return {kind: factor}
    return {name: factor * measure / measures[kind] for name, measure in measures.items()}


def units_of(frame: Frame) -> str | None:
    """Return the units of rescaled values, in the terms of (0054,1001) Units; None when unknown.

    Enhanced PET has units in a Real World Value Mapping only. Its slope and intercept must equal
    those of the rescale.
    """
    units = frame.text("Units")
    if units is not None or not frame.groups:
        return units
    macro = "PixelValueTransformationSequence"
    slope, intercept = (frame.number(f"Rescale{each}", macro) for each in ("Slope", "Intercept"))
    for each in read_real_world_values(frame).get("real_world_value_mapping_sequence", ()):
        other = each.get("real_world_value_slope"), each.get("real_world_value_intercept")
        if is_close(slope, other[0]) and is_close(intercept, other[1]):
            return UNITS.get(each.get("measurement_units", {}).get("code_value"))
    return None


def is_close(one: float | None, other: float | None) -> bool:
    """Return whether two numbers are present and differ by rounding alone."""
    return None not in (one, other) and math.isclose(one or 0.0, other or 0.0, rel_tol=EXACT)


def is_corrected(frame: Frame) -> bool:
    """Return whether attenuation and decay are corrected (PS3.3 C.8.9.1.1.3, C.8.22.3)."""
    corrected = as_tuple(frame.get("CorrectedImage"))
    if corrected:
        return {"ATTN", "DECY"} <= set(corrected)
    return all(frame.text(f"{each}Corrected") == "YES" for each in ("Attenuation", "Decay"))


Kind = tuple[str | None, float] | None
"""The kind of SUV a factor gives, or None for activity divided by dose, in 1/ml; and the factor."""


def activity_kind(frame: Frame) -> Kind:
    """Return the factor of values in Bq/ml: 1 divided by the dose at the time of correction."""
    dose = dose_at_scan(frame)
    return None if dose is None else (None, 1 / dose)


def count_kind(frame: Frame) -> Kind:
    """Return the factor of values in counts, from private attributes of Philips.

    Raises
    ------
    NotCertainError
        The factors to SUV and to Bq/ml are both present, and give different values.
    """
    factor = bounded(private_value(frame, SUV_FACTOR), "SUV scale factor", SUV_OF_COUNT)
    activity = private_value(frame, ACTIVITY_FACTOR)
    activity = bounded(activity, "activity scale factor", ACTIVITY_OF_COUNT)
    weight = body_measures(frame).get("suvbw")
    if factor is None:
        dose = dose_at_scan(frame)
        return (None, activity / dose) if activity and dose else None
    try:
        dose = dose_at_scan(frame) if activity else None
    except NotCertainError:
        dose = None  # the manufacturer's factor does not need it
    other = activity * weight / dose if activity and dose and weight else factor
    if not math.isclose(factor, other, rel_tol=ALIKE):
        raise NotCertainError(f"the manufacturer's factor is {factor:g}, but by dose {other:g}")
    return "suvbw", factor


def uptake_kind(frame: Frame) -> Kind:
    """Return the factor 1 for values that are SUV already."""
    kind = SUV_TYPES.get(str(frame.get("SUVType") or "BW"))
    return None if kind is None else (kind, 1.0)


KINDS = {"BQML": activity_kind, "CNTS": count_kind, "GML": uptake_kind}


def body_measures(frame: Frame) -> dict[str, float]:
    """Return the known body measures that SUV use: g, g of lean mass, cm2.

    Raises
    ------
    NotCertainError
        The weight is impossible.
    """
    weight = bounded(frame.get("PatientWeight"), "patient's weight", WEIGHTS)
    if weight is None:
        return {}
    found, centimetres = {"suvbw": weight * 1000}, size_of(frame)
    if centimetres is None:
        return found
    lean = {
        "M": 1.10 * weight - 120 * (weight / centimetres) ** 2,
        "F": 1.07 * weight - 148 * (weight / centimetres) ** 2,
    }.get(str(frame.get("PatientSex")), 0.0)
    if 0 < lean <= weight:
        found["suvlbm"] = lean * 1000
    found["suvbsa"] = weight**0.425 * centimetres**0.725 * 71.84
    return found


def size_of(frame: Frame) -> float | None:
    """Return the patient's size in cm; None when impossible, or not written in metres."""
    size = frame.number("PatientSize")
    if size is not None and SIZES[1] < size <= SIZES[1] * CENTIMETRES:
        return None
    try:
        size = bounded(size, "patient's size", SIZES)
    except NotCertainError as reason:
        warnings.warn(f"{reason}: SUV are by weight alone", stacklevel=2)
        return None
    return None if size is None else size * CENTIMETRES
