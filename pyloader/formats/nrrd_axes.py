"""Axes of NRRD files to those of a `Volume`, whatever their order.

Axes of space become columns, rows and slices. One that `kinds` calls a colour becomes samples;
a list, or times, become timepoints. So do the components of vectors, except 3 or 4 bytes: that is
how ITK writes colours.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError, UnsupportedError
from pyloader.formats.nrrd_header import Header
from pyloader.volume import Volume

Array = NDArray[np.float64]
# The sides of the patient that axes of a space run to, as signs of LPS.
SPACES = {
    **dict.fromkeys(("right-anterior-superior", "ras", "rast"), (-1, -1, 1)),
    **dict.fromkeys(("left-anterior-superior", "las", "last"), (1, -1, 1)),
    **dict.fromkeys(("left-posterior-superior", "lps", "lpst"), (1, 1, 1)),
}
MILLIMETRES = {"m": 1e3, "cm": 10.0, "": 1.0, "mm": 1.0, "um": 1e-3, "µm": 1e-3, "nm": 1e-6}
ROLES = {
    **dict.fromkeys(("domain", "space"), "space"),
    **dict.fromkeys(("list", "point", "scalar", "stub", "time"), "time"),
    **dict.fromkeys(("3-color", "4-color", "rgb-color", "rgba-color"), "color"),
    **dict.fromkeys(("3-vector", "4-vector", "covariant-vector", "normal", "vector"), "vector"),
    **dict.fromkeys(("", "???", "none"), "unknown"),
}


def volume_of(header: Header, array: NDArray[Any], what: str) -> Volume:
    """Return the volume of an array whose last axis is the first of the header.

    Raises
    ------
    FormatError, UnsupportedError
        Its axes make no slices.
    """
    roles = roles_of(header, what)
    space, times, color = (
        [axis for axis, role in enumerate(roles) if role == name]
        for name in ("space", "time", "color")
    )
    if len(space) < 2 or len(color) > 1:
        raise UnsupportedError(
            f"{what} has axes of {', '.join(roles)}, of sizes {header.sizes}; expected 2 or 3 of "
            "space and at most 1 of color"
        )
    order = [*times[::-1], *space[::-1], *color]
    voxels = array.transpose([len(roles) - 1 - axis for axis in order])
    columns, rows, slices = ([header.sizes[axis] for axis in space] + [1])[:3]
    voxels = voxels.reshape(-1, slices, rows, columns, *(header.sizes[axis] for axis in color))
    affine, warnings = affine_of(header, space)
    spacing = spacing_of(header, space)
    volume = Volume.from_array(voxels, affine=affine, spacing=spacing, is_color=bool(color))
    return replace(volume, warnings=warnings)


def roles_of(header: Header, what: str) -> list[str]:
    """Return what each axis is: ``"space"``, ``"time"`` or ``"color"``."""
    kinds = header.fields.get("kinds", [""] * len(header.sizes))
    directions = header.fields.get("space directions", kinds)
    if not len(kinds) == len(directions) == len(header.sizes):
        raise FormatError(
            f"{what} has {len(header.sizes)} axes, but {len(kinds)} kinds and {len(directions)} "
            "space directions"
        )
    roles: list[str] = []
    for axis, kind in enumerate(kinds):
        role = role_of(header, axis, kind, what)
        # A fourth axis without directions is no axis of space.
        roles.append("time" if role == "space" and roles.count(role) == 3 else role)
    return roles


def role_of(header: Header, axis: int, kind: str, what: str) -> str:
    """Return what one axis is, by its kind and whether it has a direction in space."""
    role, size = ROLES.get(kind.lower()), header.sizes[axis]
    directions = header.fields.get("space directions")
    if role == "vector":
        role = "color" if size in (3, 4) and header.dtype == np.uint8 else "time"
    elif role in ("space", "unknown") and directions is not None:
        role = "space" if np.nan_to_num(directions[axis][:3]).any() else "time"
    elif role == "unknown":
        role = "space"
    is_color = size in (3, 4) and header.dtype.kind == "u"
    if role is None or (role == "color" and not is_color):
        raise UnsupportedError(
            f"{what} has an axis of kind {kind!r}, with {size} {header.dtype} each, which makes no "
            f"picture; known are {', '.join(sorted(filter(None, ROLES)))}, colors with 3 or 4 "
            "unsigned integers"
        )
    return role


def affine_of(header: Header, space: list[int]) -> tuple[Array | None, tuple[str, ...]]:
    """Return the affine to LPS, None where it is not known, and what was taken for granted."""
    fields = header.fields
    if "space directions" not in fields:
        return None, ()
    units = [MILLIMETRES.get(unit, np.nan) for unit in fields.get("space units", [])][:3]
    if np.isnan(units).any():
        return None, (f"no place is known: the space has the units {fields['space units']}",)
    name = str(fields.get("space", "")).lower().removesuffix("-time")
    scale = np.multiply(SPACES.get(name, (1, 1, 1)), [*units, 1.0, 1.0, 1.0][:3])
    affine = np.eye(4)
    for column, vector in enumerate(fields["space directions"][space]):
        affine[:3, column] = in_space(vector) * scale
    if len(space) == 2:
        normal = np.cross(affine[:3, 0], affine[:3, 1])
        affine[:3, 2] = normal / (np.linalg.norm(normal) or 1.0)
    affine[:3, 3] = in_space(fields.get("space origin", np.zeros(3))) * scale
    warnings = []
    if name not in SPACES:
        warnings.append(f"the space {name or 'without a name'!r} is taken for LPS of the patient")
    if "space origin" not in fields:
        warnings.append("the space has no origin; the first voxel is taken to be at 0")
    return affine, tuple(warnings)


def in_space(vector: Array) -> Array:
    """Return the first three components of a vector, 0 for those that a plane lacks."""
    return np.append(vector, np.zeros(3))[:3]


def spacing_of(header: Header, space: list[int]) -> tuple[float, float, float] | None:
    """Return mm between columns, rows and slices, where no directions are known."""
    fields = header.fields
    if "space directions" in fields or "spacings" not in fields:
        return None
    units = fields.get("units", [""] * len(header.sizes))
    if not len(units) == len(fields["spacings"]) == len(header.sizes):
        return None
    spacing = [fields["spacings"][axis] * MILLIMETRES.get(units[axis], np.nan) for axis in space]
    if not all(0 < each < np.inf for each in spacing):
        return None
    columns, rows, slices = [*spacing, 1.0][:3]
    return float(columns), float(rows), float(slices)
