"""Units of length by all names that headers use for them, and the check for usable affines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from pyloader.volume import is_usable

# The metre by its prefixes, and other units of length in OME-Zarr that images use (UDUNITS-2).
PREFIXES = {
    **{"femto": 1e-12, "pico": 1e-9, "nano": 1e-6, "micro": 1e-3, "milli": 1.0, "centi": 10.0},
    **{"deci": 100.0, "": 1e3, "deca": 1e4, "hecto": 1e5, "kilo": 1e6},
}
OTHERS = {
    **{"angstrom": 1e-7, "ångström": 1e-7, "micron": 1e-3, "inch": 25.4, "foot": 304.8},
    **{"inches": 25.4, "feet": 304.8, "yard": 914.4, "mile": 1609344.0},
}
WORDS = {f"{prefix}meter": length for prefix, length in PREFIXES.items()} | OTHERS
# Case matters: "Mm" is not a millimetre. NFKC maps the micro sign to the Greek letter that looks
# alike, and the sign of angstrom to its letter.
SYMBOLS = {
    **{"fm": 1e-12, "pm": 1e-9, "nm": 1e-6, "um": 1e-3, "μm": 1e-3, "u": 1e-3, "μ": 1e-3},
    **{"mm": 1.0, "cm": 10.0, "dm": 100.0, "m": 1e3, "km": 1e6},
    **{"MM": 1.0, "CM": 10.0, "UM": 1e-3, "NM": 1e-6, "A": 1e-7, "Å": 1e-7},
    **{"in": 25.4, "IN": 25.4, "ft": 304.8, "yd": 914.4},
}
# Placeholders of writers for an unknown unit.
UNKNOWN = frozenset({"", "?", "??", "???", "none", "unknown", "unspecified"})
UNUSABLE = "no place is known: the header does not give each voxel a distinct position"


def millimetres_of(unit: str) -> float | None:
    """Return the mm of a unit of length, None if it is unknown.

    ``"microns"``, ``"Micrometre"`` and ``"um"`` are the same.
    """
    name = normalize("NFKC", unit).strip().strip("\"'").strip()
    if name in SYMBOLS:
        return SYMBOLS[name]
    word = name.lower().replace("metre", "meter")
    return WORDS.get(word, WORDS.get(word.removesuffix("s")))


def is_unknown(unit: str) -> bool:
    """Return whether a unit is a placeholder for an unknown one; its lengths count as mm."""
    return unit.strip().strip("\"'").strip().lower() in UNKNOWN


def factors_of(units: Sequence[str]) -> list[float] | None:
    """Return the mm of each unit, 1 for an unknown one; None if any is not a unit of length."""
    found = [1.0 if is_unknown(unit) else millimetres_of(unit) for unit in units]
    known = [factor for factor in found if factor is not None]
    return known if len(known) == len(found) else None


def usable_affine(affine: NDArray[Any]) -> tuple[NDArray[np.float64] | None, tuple[str, ...]]:
    """Return an affine, or None and a warning if it does not give each voxel a distinct position.

    A spacing of 0, or directions in one plane, are no reason to refuse the image.
    """
    return (affine, ()) if is_usable(affine) else (None, (UNUSABLE,))
