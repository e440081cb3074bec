"""What turns modality units into those of quantitative viewing: SUV of PET, dose of RT dose.

Factors are for rescaled values. What cannot be computed for certain stays absent: a standardized
uptake value from a guessed time is worse than none.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from pydicom.tag import BaseTag

from pyloader.dicom.frame import Frame, Module
from pyloader.dicom.recall import Recalling
from pyloader.dicom.values import as_numbers, as_tuple, element_of, item_of, plain, value_of

DOSE = ("DoseGridScaling", "DoseSummationType", "DoseType", "DoseUnits")
# Private attributes by their creator, group and element (PS3.5 7.8.1).
PHILIPS = "Philips PET Private Group"
SUV_FACTOR = (PHILIPS, 0x7053, 0x00)
ACTIVITY_FACTOR = (PHILIPS, 0x7053, 0x09)
GE_SCAN_START = ("GEMS_PETD_01", 0x0009, 0x0D)
# (0054,1006) SUV Type of values that are uptake values already -> what they are divided by.
SUV_TYPES = {"BW": "suvbw", "LBM": "suvlbm", "BSA": "suvbsa"}
# Patient Size is in metres; beyond, it was written in centimetres or is none.
TALLEST = 3.0
# Between an injection whose day is not written and the scan; what is longer is a mistake in a time.
LONGEST_UPTAKE = timedelta(hours=12)


@Recalling
def read_scaling(frame: Frame) -> Module:
    """Return the factors of PET or of RT dose; empty for other images, and when unknown."""
    modality = frame.get("Modality")
    if modality == "RTDOSE":
        return frame.pick(DOSE)
    return suv_factors(frame) if modality == "PT" else {}


def suv_factors(frame: Frame) -> Module:
    """Return what rescaled values are multiplied by to be SUV: by weight, lean mass, surface.

    As QIBA's vendor-neutral pseudo-code has it; ``suvbw`` in g/ml, ``suvlbm`` in g/ml of lean
    body mass (James), ``suvbsa`` in cm2/ml of body surface (Du Bois).
    """
    read = KINDS.get(str(frame.get("Units")))
    corrected = as_tuple(frame.get("CorrectedImage"))
    found = read(frame) if read and {"ATTN", "DECY"} <= set(corrected) else None
    if found is None:
        return {}
    (kind, factor), measures = found, body_measures(frame)
    if kind is None:
        return {name: factor * measure for name, measure in measures.items()}
    if kind not in measures:
        return {kind: factor}
    return {name: factor * measure / measures[kind] for name, measure in measures.items()}


Kind = tuple[str | None, float] | None
"""Which SUV a factor leads to, None for the activity by dose, 1/ml; and the factor."""


def activity_kind(frame: Frame) -> Kind:
    """Return the factor of Bq/ml: one by the dose that was left when the scan began."""
    dose = dose_at_scan(frame)
    return None if dose is None else (None, 1 / dose)


def count_kind(frame: Frame) -> Kind:
    """Return the factor of counts, which Philips writes beside them."""
    factor = private_number(frame, SUV_FACTOR)
    if factor:
        return "suvbw", factor
    activity, dose = private_number(frame, ACTIVITY_FACTOR), dose_at_scan(frame)
    return (None, activity / dose) if activity and dose else None


def uptake_kind(frame: Frame) -> Kind:
    """Return the factor of values that are SUV already, 1."""
    kind = SUV_TYPES.get(str(frame.get("SUVType") or "BW"))
    return None if kind is None else (kind, 1.0)


KINDS = {"BQML": activity_kind, "CNTS": count_kind, "GML": uptake_kind}


def body_measures(frame: Frame) -> dict[str, float]:
    """Return what SUV divide by, for those that are known: g, g of lean mass, cm2."""
    weight, size = frame.number("PatientWeight"), frame.number("PatientSize")
    if weight is None or weight <= 0:
        return {}
    found = {"suvbw": weight * 1000}
    if size is None or not 0 < size <= TALLEST:
        return found
    centimetres = size * 100
    lean = {
        "M": 1.10 * weight - 120 * (weight / centimetres) ** 2,
        "F": 1.07 * weight - 148 * (weight / centimetres) ** 2,
    }.get(str(frame.get("PatientSex")), 0.0)
    if lean > 0:
        found["suvlbm"] = lean * 1000
    found["suvbsa"] = weight**0.425 * centimetres**0.725 * 71.84
    return found


def dose_at_scan(frame: Frame) -> float | None:
    """Return the dose in Bq that values were decay-corrected to, None when it is not known."""
    isotope = item_of(frame.dataset, "RadiopharmaceuticalInformationSequence")
    if isotope is None:
        return None
    dose = number_of(value_of(isotope, "RadionuclideTotalDose"))
    half_life = number_of(value_of(isotope, "RadionuclideHalfLife"))
    correction = frame.get("DecayCorrection")
    if correction == "ADMIN":
        return dose
    if not (dose and half_life and correction == "START"):
        return None
    scan = scan_start(frame, half_life)
    start = scan and injection(isotope, scan)
    if scan is None or start is None or scan < start:
        return None
    return float(dose * 2 ** (-(scan - start).total_seconds() / half_life))


def injection(isotope: Any, scan: datetime) -> datetime | None:
    """Return when the tracer was given; a time without a date is the last one before the scan."""
    start = moment(value_of(isotope, "RadiopharmaceuticalStartDateTime"))
    if start is not None:
        return start
    time = value_of(isotope, "RadiopharmaceuticalStartTime")
    start = moment(f"{scan:%Y%m%d}{time}") if time else None
    if start is not None and start > scan:
        start -= timedelta(days=1)
    return start if start is not None and scan - start < LONGEST_UPTAKE else None


def scan_start(frame: Frame, half_life: float) -> datetime | None:
    """Return the moment that ``START`` corrects decay to (PS3.3 C.8.9.1.1.5).

    It is the series', unless that was written anew after the scan.
    """
    series = moment_of(frame, "Series")
    acquisition = moment_of(frame, "Acquisition")
    if series is None or acquisition is None or series <= acquisition:
        return series
    text = private_value(frame, GE_SCAN_START)
    return moment(text) if text else counted_back(frame, acquisition, half_life)


def counted_back(frame: Frame, acquisition: datetime, half_life: float) -> datetime | None:
    """Return the start of a scan from one frame: its moment of average counts, and that's offset.

    Acquisition Time is where this bed position began, Frame Reference Time (PS3.3 C.8.9.4.1.1) how
    long after the start of the scan its counts were as on average.
    """
    reference, duration = frame.number("FrameReferenceTime"), frame.number("ActualFrameDuration")
    if not (reference and duration and reference > 0 and duration > 0):
        return None
    decay = math.log(2) / half_life
    during = decay * duration / 1000
    average = math.log(during / (1 - math.exp(-during))) / decay
    return acquisition + timedelta(seconds=average - reference / 1000)


def moment_of(frame: Frame, name: str) -> datetime | None:
    """Return the date and time of the ``Series`` or ``Acquisition``."""
    date, time = frame.get(f"{name}Date"), frame.get(f"{name}Time")
    return moment(f"{date}{time}") if date and time else None


def moment(text: Any) -> datetime | None:
    """Return a DICOM date and time, its offset from UTC left out; None for what is none."""
    digits, _, fraction = str(text or "").split("+")[0].split("-")[0].strip().partition(".")
    try:
        whole = datetime.strptime(digits.ljust(14, "0")[:14], "%Y%m%d%H%M%S")
    except ValueError:
        return None
    part = fraction[:6].ljust(6, "0")
    return whole.replace(microsecond=int(part)) if part.isdigit() else whole


def private_number(frame: Frame, name: tuple[str, int, int]) -> float | None:
    """Return a private attribute as a number."""
    return number_of(private_value(frame, name))


def private_value(frame: Frame, name: tuple[str, int, int]) -> Any:
    """Return a private attribute of a group, in the block of its creator."""
    creator, group, element = name
    for block in range(0x10, 0x100):
        owner = element_of(frame.dataset, BaseTag(group << 16 | block))
        if owner is None:
            continue
        if text_of(owner.value) == creator:
            found = element_of(frame.dataset, BaseTag(group << 16 | block << 8 | element))
            return None if found is None else text_of(found.value)
    return None


def text_of(value: Any) -> Any:
    """Return a value whose VR may be unknown, as text or number."""
    found = plain(value)
    return found.decode("ascii", "replace").strip(" \0") if isinstance(found, bytes) else found


def number_of(value: Any) -> float | None:
    """Return the first number of a value, None for none."""
    found = as_numbers(value)
    return found[0] if found else None
