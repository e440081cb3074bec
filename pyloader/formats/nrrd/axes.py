"""Map the axes of a NRRD file, in any order, to the axes of a `Volume`.

Spatial axes become columns, rows and slices. An axis of kind colour becomes samples; an axis of
real and imaginary parts becomes complex numbers. Lists and times become timepoints. So do the
components of vectors, unless they are a colour; see `elements`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError, UnsupportedError
from pyloader.formats.elements import as_complex, can_be_color, is_color_by_default
from pyloader.formats.lengths import UNUSABLE, factors_of, usable_affine
from pyloader.formats.nrrd.header import NrrdHeader
from pyloader.volume import Volume

Array = NDArray[np.float64]
# The directions of each space's axes, as signs relative to LPS.
SPACES = {
    **dict.fromkeys(("right-anterior-superior", "ras", "rast"), (-1, -1, 1)),
    **dict.fromkeys(("left-anterior-superior", "las", "last"), (1, -1, 1)),
    **dict.fromkeys(("left-posterior-superior", "lps", "lpst"), (1, 1, 1)),
}
ROLES = {
    **dict.fromkeys(("domain", "space"), "space"),
    **dict.fromkeys(("list", "point", "scalar", "stub", "time"), "time"),
    **dict.fromkeys(("3-color", "4-color", "rgb-color", "rgba-color"), "color"),
    **dict.fromkeys(("3-vector", "4-vector", "covariant-vector", "normal", "vector"), "vector"),
    **dict.fromkeys(("", "???", "none"), "unknown"),
}
# Kinds with a fixed number of components; only the number is used here.
SIZES = {
    **{"complex": 2, "2-vector": 2, "3-gradient": 3, "3-normal": 3, "quaternion": 4},
    **{"2d-symmetric-matrix": 3, "2d-masked-symmetric-matrix": 4, "2d-matrix": 4},
    **{"2d-masked-matrix": 5, "3d-symmetric-matrix": 6, "3d-masked-symmetric-matrix": 7},
    **{"3d-matrix": 9, "3d-masked-matrix": 10},
}


def volume_of(header: NrrdHeader, array: NDArray[Any], what: str) -> Volume:
    """Make a volume of an array whose last axis is the first of the header.

    Raises
    ------
    FormatError, UnsupportedError
        The axes do not form slices.
    """
    header = with_directions(header)
    roles = roles_of(header, what)
    space, times, color, parts = (
        [axis for axis, role in enumerate(roles) if role == name]
        for name in ("space", "time", "color", "complex")
    )
    if len(space) < 2 or len(color) + len(parts) > 1:
        raise UnsupportedError(
            f"{what} has axes of {', '.join(roles)}, of sizes {header.sizes}; expected 2 or 3 of "
            "space and at most 1 of color"
        )
    order = [*times[::-1], *space[::-1], *color, *parts]
    voxels = array.transpose([len(roles) - 1 - axis for axis in order])
    columns, rows, slices = ([header.sizes[axis] for axis in space] + [1])[:3]
    inner = [header.sizes[axis] for axis in (*color, *parts)]
    voxels = voxels.reshape(-1, slices, rows, columns, *inner)
    voxels = as_complex(voxels) if parts else voxels
    affine, warnings = place_of(header, space)
    volume = Volume.from_array(voxels, affine=affine, is_color=bool(color))
    beyond = tuple((name_of(header, axis, space), header.sizes[axis]) for axis in times)
    return replace(volume, warnings=(*header.warnings, *warnings), beyond=beyond)


def name_of(header: NrrdHeader, axis: int, space: list[int]) -> str:
    """Return the name of a non-spatial axis: ``"time"`` or ``"component"``."""
    kind = kinds_of(header)[axis].lower()
    if ROLES.get(kind) == "unknown":
        # Writers put components before the spatial axes, and times after them.
        return "time" if axis > min(space) else "component"
    return "time" if kind in ("time", "domain", "space") else "component"


def kinds_of(header: NrrdHeader) -> list[str]:
    """Return the kinds of all axes; empty text for an unknown kind."""
    kinds: list[str] = header.fields.get("kinds", [""] * len(header.sizes))
    return kinds


def with_directions(header: NrrdHeader) -> NrrdHeader:
    """Return the header without space directions that do not fit its axes."""
    directions = header.fields.get("space directions")
    if directions is None:
        return header
    is_whole = len(directions) == len(header.sizes)
    if is_whole and np.isfinite(directions).any(axis=1).sum() > 1:
        return header
    fields = {name: value for name, value in header.fields.items() if name != "space directions"}
    if is_whole:
        return replace(header, fields=fields)  # as if unknown: fewer than two have one
    warning = (
        f"no place is known: there are {len(header.sizes)} axes, but {len(directions)} space "
        "directions"
    )
    return replace(header, fields=fields, warnings=(*header.warnings, warning))


def roles_of(header: NrrdHeader, what: str) -> list[str]:
    """Return the role of each axis: ``"space"``, ``"time"``, ``"color"`` or ``"complex"``."""
    kinds = kinds_of(header)
    if len(kinds) != len(header.sizes):
        raise FormatError(f"{what} has {len(header.sizes)} axes, but {len(kinds)} kinds")
    roles: list[str] = []
    for axis, kind in enumerate(kinds):
        role = role_of(header, axis, kind, what)
        # At most three axes are spatial: a fourth one is time.
        roles.append("time" if role == "space" and roles.count(role) == 3 else role)
    return roles


def role_of(header: NrrdHeader, axis: int, kind: str, what: str) -> str:
    """Return the role of one axis, by its kind and its direction in space."""
    role, size = role_of_kind(kind.lower(), header.sizes[axis]), header.sizes[axis]
    directions = header.fields.get("space directions")
    if role == "vector":
        role = "color" if is_color_by_default(size, header.dtype) else "time"
    elif role in ("space", "unknown") and directions is not None:
        role = "space" if is_of_space(directions[axis]) else "time"
    elif role == "unknown":
        role = "space"
    if role is None or (role == "color" and not can_be_color(size, header.dtype)):
        raise UnsupportedError(
            f"{what} has an axis of kind {kind!r}, with {size} {header.dtype} each, which cannot "
            f"be shown; known are {', '.join(sorted([*filter(None, ROLES), *SIZES]))}, colors with "
            "3 or 4 unsigned integers or floats"
        )
    return role


def role_of_kind(kind: str, size: int) -> str | None:
    """Return the role of an axis of a kind and size, None if unknown."""
    if SIZES.get(kind) != size:
        return ROLES.get(kind)
    return "complex" if kind == "complex" else "time"


def is_of_space(direction: Array) -> bool:
    """Return whether an axis has a direction in space, even an invalid one such as 0, 0, 0."""
    has_none = np.isnan(direction).all()
    is_beyond = not direction[:3].any() and direction[3:].any()
    return not has_none and not is_beyond


def place_of(header: NrrdHeader, space: list[int]) -> tuple[Array | None, tuple[str, ...]]:
    """Return the affine to LPS, None if unknown, and warnings about assumptions."""
    fields = header.fields
    if "space directions" not in fields:
        return by_spacings(header, space)
    factors = factors_of(units := fields.get("space units", [])[:3])
    if factors is None:
        return None, (f"no place is known: the space has the units {units}",)
    directions = fields["space directions"]
    origin = fields.get("space origin", np.zeros(directions.shape[1]))
    if len(origin) != directions.shape[1]:
        return None, (UNUSABLE,)
    affine, notes = usable_affine(by_directions(fields, space, [*factors, 1.0, 1.0, 1.0][:3]))
    if affine is None:
        return None, notes
    name = space_of(fields)
    if name not in SPACES:
        notes = (*notes, f"the space {name or 'without a name'!r} is assumed to be LPS")
    if "space origin" not in fields:
        notes = (*notes, "the space has no origin; the first voxel is assumed to be at 0")
    return affine, notes


def space_of(fields: dict[str, Any]) -> str:
    """Return the name of the space."""
    return str(fields.get("space", "")).lower().removesuffix("-time")


def by_directions(fields: dict[str, Any], space: list[int], factors: list[float]) -> Array:
    """Return the affine to LPS in mm; `factors` are the mm per unit of each axis of the space."""
    affine = np.eye(4)
    scale = np.multiply(SPACES.get(space_of(fields), (1, 1, 1)), factors)
    for column, axis in enumerate(space):
        affine[:3, column] = in_space(fields["space directions"][axis]) * scale
    if len(space) == 2:
        normal = np.cross(affine[:3, 0], affine[:3, 1])
        affine[:3, 2] = normal / (np.linalg.norm(normal) or 1.0)
    affine[:3, 3] = in_space(fields.get("space origin", np.zeros(3))) * scale
    return affine


def in_space(vector: Array) -> Array:
    """Return the first three components of a vector, padded with 0."""
    return np.append(vector, np.zeros(3))[:3]


def by_spacings(header: NrrdHeader, space: list[int]) -> tuple[Array | None, tuple[str, ...]]:
    """Return the affine from the spacings alone, in mm, without known directions."""
    spacings = header.fields.get("spacings", ())
    units = header.fields.get("units", [""] * len(header.sizes))
    if not len(units) == len(spacings) == len(header.sizes):
        return None, ()
    factors = factors_of([units[axis] for axis in space])
    if factors is None:
        return None, (f"no place is known: the axes have the units {units}",)
    spacing = np.multiply([spacings[axis] for axis in space], factors)
    if np.isnan(spacing).any():
        return None, ()  # NaN means an unknown spacing
    if not (spacing > 0).all():
        return None, (UNUSABLE,)
    return usable_affine(np.diag([*[*spacing, 1.0][:3], 1.0]))
