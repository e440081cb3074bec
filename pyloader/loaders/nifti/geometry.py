"""Affine of a NIfTI file, in LPS and mm: by sform, else by qform, else by convention."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.volumes.geometry import from_ras, is_usable

Affine = NDArray[np.float64]
# Low three bits of xyzt_units -> mm of one unit. Other values are read as mm.
UNITS = {1: 1000.0, 2: 1.0, 3: 0.001}
BY_CONVENTION = (
    "the file does not say how it is oriented (sform_code and qform_code are 0); as in nibabel, "
    "columns are taken to follow each other to the left of the patient, rows to the front, slices "
    "to the head, with the centre of the volume at 0: left and right may be exchanged"
)
NOWHERE = "where the voxels are in the patient is not known"


def read_affine(fields: Any, shape: tuple[int, ...]) -> tuple[Affine | None, tuple[str, ...]]:
    """Return the affine from (column, row, slice, 1) to mm in LPS, and warnings.

    It is the first usable one with a code above 0 of sform (nifti1.h, method 3) and qform (method
    2). If neither has a code, it is by convention (method 1); else None.
    """
    with np.errstate(all="ignore"):  # an affine that overflows is not usable
        return choose(fields, shape)


def choose(fields: Any, shape: tuple[int, ...]) -> tuple[Affine | None, tuple[str, ...]]:
    """Return the first usable affine, and warnings."""
    codes = {name: int(fields[f"{name}_code"]) for name in ("sform", "qform")}
    warnings: tuple[str, ...] = ()
    for name, read in (("sform", read_sform), ("qform", read_qform)):
        if codes[name] <= 0:
            continue
        affine, notes = read(fields, shape)
        if is_usable(affine):
            return in_mm(affine, fields), (*warnings, *notes)
        warnings = (*warnings, f"the {name} of the file ({name}_code {codes[name]}) is not usable")
    if warnings:
        return None, (*warnings, NOWHERE)
    affine, notes = read_base(fields, shape)
    if is_usable(affine):
        return in_mm(affine, fields), (BY_CONVENTION, *notes)
    return None, (f"the distances of voxels (pixdim) are not usable; {NOWHERE}",)


def in_mm(affine: Affine, fields: Any) -> Affine:
    """Convert an affine from RAS in the file's units to LPS in mm."""
    scale = UNITS.get(int(fields["xyzt_units"]) & 7, 1.0)
    return from_ras(affine) * [[scale], [scale], [scale], [1.0]]


def read_sform(fields: Any, shape: tuple[int, ...]) -> tuple[Affine, tuple[str, ...]]:
    """Return the sform: the affine to RAS as stored."""
    affine = np.eye(4)
    affine[:3] = fields["srow"]
    return affine, ()


def read_qform(fields: Any, shape: tuple[int, ...]) -> tuple[Affine, tuple[str, ...]]:
    """Return the affine to RAS from the qform's rotation and offset, and pixdim."""
    steps, notes = read_steps(fields, shape)
    # pixdim[0] is 1 or -1; in old files 0 means 1.
    steps[2] *= -1.0 if fields["pixdim"][0] < 0 else 1.0
    affine = np.eye(4)
    affine[:3, :3] = rotation(fields["quatern"]) * steps
    affine[:3, 3] = fields["qoffset"]
    return affine, notes


def read_base(fields: Any, shape: tuple[int, ...]) -> tuple[Affine, tuple[str, ...]]:
    """Return the affine to RAS that nibabel gives a file without sform and qform."""
    steps, notes = read_steps(fields, shape)
    affine = np.diag([-steps[0], steps[1], steps[2], 1.0])
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape[:3]) - 1) / 2
    return affine, notes


def read_steps(fields: Any, shape: tuple[int, ...]) -> tuple[Affine, tuple[str, ...]]:
    """Return the distances between columns, rows and slices, in the units of the file, and notes.

    The distance of an only column, row or slice may be 0; it becomes 1, so that the affine can be
    inverted.
    """
    steps = abs(fields["pixdim"][1:4].astype("f8"))
    missing = [axis for axis in range(3) if steps[axis] == 0 and shape[axis] == 1]
    steps[missing] = 1.0
    if not missing:
        return steps, ()
    names = " and ".join(("column", "row", "slice")[axis] for axis in missing)
    return steps, (f"the thickness of its only {names} is unknown; 1 unit is assumed",)


def rotation(quaternion: NDArray[Any]) -> Affine:
    """Return the rotation of a unit quaternion from its last three numbers; the first is >= 0.

    The result is NaN if the numbers belong to no unit quaternion.
    """
    vector = quaternion.astype("f8")
    square = float(vector @ vector)
    # `rest` is 0 for half turns, up to rounding; the bound is nibabel's.
    rest, bound = 1 - square, 3 * float(np.finfo(quaternion.dtype).eps)
    if not rest > -10 * bound:
        return np.full((3, 3), np.nan)
    first = 0.0 if rest < bound else rest**0.5
    b, c, d = vector
    cross = np.array([[0, -d, c], [d, 0, -b], [-c, b, 0]])
    # Divide by the squared length, because the numbers are rounded.
    turned: Affine = np.eye(3) + 2 / (first**2 + square) * (first * cross + cross @ cross)
    return turned
