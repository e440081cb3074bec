"""Detect impossible values: infinite numbers, distances of kilometres, dates of no calendar.

Files contain them through wrong units, fields that were never filled, and damage. Arithmetic with
them gives no useful result, so they count as absent.
"""

from __future__ import annotations

from functools import cache
from sys import float_info
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword

from pyloader.arrays import EXACT
from pyloader.dicom.moments import is_date

# In mm. Pixels are smaller than 10 m, which is more than any detector or table; 0 means unknown.
SPACING = (0.0, 1e4)
DISTANCE = (-1e6, 1e6)
# Some cosines are rounded, or the vector is not of length 1.
COSINE = (-10.0, 10.0)
# Rescale and window values: their products have to fit into a float32.
FACTOR = (-1e30, 1e30)
RANGES = {
    **dict.fromkeys(("RescaleIntercept", "RescaleSlope", "WindowCenter", "WindowWidth"), FACTOR),
    **dict.fromkeys(
        (
            "ImagerPixelSpacing",
            "NominalScannedPixelSpacing",
            "ObjectPixelSpacingInCenterOfBeam",
            "PixelSpacing",
        ),
        SPACING,
    ),
    "SliceThickness": (0.0, SPACING[1]),
    # In nuclear medicine the sign gives the direction (PS3.3 C.8.4.15).
    "SpacingBetweenSlices": (-SPACING[1], SPACING[1]),
    **dict.fromkeys(
        (
            "GridFrameOffsetVector",
            "ImagePositionPatient",
            "ImagePositionVolume",
            "SliceLocation",
            "XOffsetInSlideCoordinateSystem",
            "YOffsetInSlideCoordinateSystem",
        ),
        DISTANCE,
    ),
    **dict.fromkeys(
        ("ImageOrientationPatient", "ImageOrientationSlide", "ImageOrientationVolume"), COSINE
    ),
}
LIMITS = {tag_for_keyword(keyword): limits for keyword, limits in RANGES.items()}
FINITE = (-float_info.max, float_info.max)
WHOLE = (-EXACT, EXACT)
INTEGERS = frozenset({"IS", "SL", "SS", "SV", "UL", "US", "UV"})
# The padding value of float images is often NaN (PS3.3 C.7.6.24, C.7.6.25).
PADDING = ("FloatPixelPaddingValue", "DoubleFloatPixelPaddingValue")
UNLIMITED = frozenset(map(tag_for_keyword, PADDING))


def is_plausible(tag: int, value: Any) -> bool:
    """Return whether an attribute can have this value, or each value of a list."""
    if isinstance(value, list):
        return all(is_plausible(tag, each) for each in value)
    if isinstance(value, (float, int)):
        # A file with another VR may give an integer as a float.
        is_whole = isinstance(value, int) or is_of_integers(tag)
        low, high = LIMITS.get(tag) or (WHOLE if is_whole else FINITE)
        return low <= value <= high or tag in UNLIMITED
    return not isinstance(value, str) or not is_of_date(tag) or is_date(value)


def is_unset(tag: int, value: Any) -> bool:
    """Return whether a spacing is below 0: software writes this when there is no spacing."""
    values = value if isinstance(value, list) else [value]
    is_spacing = LIMITS.get(tag) is SPACING
    return is_spacing and any(isinstance(each, (float, int)) and each < 0 for each in values)


@cache
def is_of_integers(tag: int) -> bool:
    """Return whether an attribute is an integer by the dictionary."""
    try:
        return INTEGERS.issuperset(dictionary_VR(tag).split(" or "))
    except KeyError:
        return False


@cache
def is_of_date(tag: int) -> bool:
    """Return whether an attribute is a date, or begins with one, by the dictionary."""
    try:
        return dictionary_VR(tag) in ("DA", "DT")
    except KeyError:
        return False
