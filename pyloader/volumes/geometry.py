"""Geometry of a volume: `Grid` finds the slice that an imageId names, and its image plane.

The docstring of `pyloader.volume` describes the slices and their orientations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any, NamedTuple, TypeVar
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError, ImageIdError
from pyloader.image import PlaneModule
from pyloader.imageid import ImageId, check_count, first_frame

PART = re.compile(r"(?:(?P<axis>[xyz])(?:-(?P<slice>\d+))?|(?P<lone>\d+))(?:,t-(?P<time>\d+))?")
# For slices across x, y and z: the patient axis and sign along which columns follow each other,
# then rows. Positive in LPS means towards the left, the back and the head.
VIEWS = {"x": ((1, 1), (2, -1)), "y": ((0, 1), (2, -1)), "z": ((0, 1), (1, 1))}
# Largest cosine of two directions that count as perpendicular: half a pixel in 512.
SQUARE = 1e-3
Value = TypeVar("Value")


class Direction(NamedTuple):
    """A direction through the voxels: axis 0 (columns), 1 (rows) or 2 (slices), maybe backwards."""

    axis: int
    is_backwards: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """One slice: the voxel axis that it is across, its index, and its orientation.

    Attributes
    ----------
    axis : int
        0, 1 or 2.
    index, timepoint : int
        From 0.
    across : Direction
        The direction in which columns follow each other.
    down : Direction
        The direction in which rows follow each other.
    """

    axis: int
    index: int
    timepoint: int
    across: Direction
    down: Direction


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The positions of a volume's voxels in the patient.

    Attributes
    ----------
    shape : (4,) int
        Columns, rows, slices, timepoints.
    affine : (4, 4) float array or None
        Maps (column, row, slice, 1), from 0, of a voxel's centre to mm in the patient coordinate
        system, LPS (towards left, back, head; PS3.3 C.7.6.2.1.1). In libraries that use RAS, such
        as nibabel, the first two rows have the opposite sign. None: unknown.
    """

    shape: tuple[int, int, int, int]
    affine: NDArray[np.float64] | None = None
    # Values that many slices share.
    _memo: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the shape and the affine.

        Raises
        ------
        FormatError
        """
        if len(self.shape) != 4 or min(self.shape) < 1:
            raise FormatError(
                f"a volume has columns, rows, slices and timepoints, at least 1 each, not "
                f"{self.shape}"
            )
        if self.affine is not None and not is_usable(self.affine):
            raise FormatError(
                "the affine of a volume is a (4, 4) array that can be inverted, with a last row of "
                f"0, 0, 0, 1, not {np.array2string(np.asarray(self.affine), separator=', ')}"
            )

    def cut(self, image_id: ImageId) -> Cut:
        """Return the slice that an imageId names; by default the first axial one.

        Raises
        ------
        ImageIdError
            The slice does not exist, or the fragment after ``#`` is not a slice.
        """
        name, index, timepoint = self._part(image_id)
        if image_id.names_frame:
            self._check_frame(image_id)
            timepoint, index = divmod(image_id.frame_index, self.shape[2])
            return Cut(2, index, timepoint, Direction(0), Direction(1))
        across, down = (self._direction(*way) for way in VIEWS[name])
        cut = Cut(self._voxel_axis("xyz".index(name)), index, timepoint, across, down)
        self._check(f"{name} slice", index, self.shape[cut.axis], image_id)
        self._check("timepoint", timepoint, self.shape[3], image_id)
        return cut

    def plane(self, cut: Cut, source: str) -> PlaneModule:
        """Return the image plane of a slice; empty without an affine.

        All slices of one `source` share a frame of reference.
        """
        if self.affine is None:
            return PlaneModule()
        kind = ("plane", cut.axis, cut.across, cut.down, source)
        parallel = self._memoised(kind, lambda: self._parallel(cut, source))
        column, row, index = self._first_voxel(cut)
        # Without numpy, whose calls would take half the time of describing a slice.
        lines: list[list[float]] = self._memoised("lines", self.affine[:3].tolist)
        position = tuple(a * column + b * row + c * index + d for a, b, c, d in lines)
        return replace(parallel, image_position_patient=position)

    def _parallel(self, cut: Cut, source: str) -> PlaneModule:
        """Return the part of the image plane that all parallel slices share."""
        assert self.affine is not None
        across, down = (self._step(way) for way in (cut.across, cut.down))
        columns, rows = np.linalg.norm(across), np.linalg.norm(down)
        # Adding 0.0 turns -0.0 into 0.0.
        row, column = across / columns + 0.0, down / rows + 0.0
        normal = np.cross(row, column)
        distance = float(abs(normal @ self.affine[:3, cut.axis]))
        return PlaneModule(
            frame_of_reference_uid=frame_of_reference_uid(source),
            image_orientation_patient=(*row.tolist(), *column.tolist()),
            pixel_spacing=(float(rows), float(columns)),
            slice_thickness=distance,
            spacing_between_slices=distance,
        )

    def warnings(self, cut: Cut) -> tuple[str, ...]:
        """Return warnings for slices that viewers draw distorted, alone or stacked to a volume."""
        axes = (cut.across.axis, cut.down.axis, cut.axis)
        return self._memoised(("warnings", *axes), lambda: self._warnings(cut))

    def _warnings(self, cut: Cut) -> tuple[str, ...]:
        if self.affine is None:
            return ()
        across, down, step = (
            self.affine[:3, axis] / np.linalg.norm(self.affine[:3, axis])
            for axis in (cut.across.axis, cut.down.axis, cut.axis)
        )
        shear, tilt = (
            abs(float(across @ down)),
            max(map(abs, (float(across @ step), float(down @ step)))),
        )
        within = (
            f"the axes of this slice meet at {angle(shear)}, not at a right angle; viewers draw "
            "its pixels as rectangles, so angles and lengths in it look wrong"
        )
        between = (
            f"slices follow each other at {angle(tilt)} to their axes, not at a right angle; each "
            "position is right, but viewers that build a volume of them draw it sheared"
        )
        return ((within,) if shear > SQUARE else ()) + ((between,) if tilt > SQUARE else ())

    def image_ids(self, image_id: ImageId) -> list[str]:
        """List the imageIds of all slices, one timepoint after the other.

        ``#x`` lists only the slices of one direction, ``#z,t-3`` only those of one timepoint.
        """
        if not image_id.part:
            return image_id.of_frames(self.shape[2] * self.shape[3])
        name, _, timepoint = self._part(image_id)
        self._check("timepoint", timepoint, self.shape[3], image_id)
        count = self.shape[self._voxel_axis("xyz".index(name))]
        times = [timepoint] if ",t-" in image_id.part else range(self.shape[3])
        check_count(len(times) * count, image_id.text)
        suffix = ",t-{}" if self.shape[3] > 1 else ""
        return [
            image_id.of_part(f"{name}-{index}{suffix.format(time)}")
            for time in times
            for index in range(count)
        ]

    def _part(self, image_id: ImageId) -> tuple[str, int, int]:
        """Return patient axis, slice and timepoint of an imageId's part."""
        if "#" in image_id.rest:
            raise ImageIdError(
                f"imageId {image_id.text!r} names no slice by "
                f"{image_id.rest[image_id.rest.index('#') :]!r}; expected '#z-12', '#x-12,t-3' "
                "or '#12': axis x, y or z, slice and timepoint from 0"
            )
        match = PART.fullmatch(image_id.part or "z")
        assert match is not None, image_id
        return (
            match["axis"] or "z",
            number_of(match["slice"] or match["lone"]),
            number_of(match["time"]),
        )

    def _check_frame(self, image_id: ImageId) -> None:
        count = self.shape[2] * self.shape[3]
        first = first_frame(image_id.text)
        if image_id.frame_index >= count:
            raise ImageIdError(
                f"imageId {image_id.text!r} asks for frame {image_id.frame_index + first}; there "
                f"are {count}, {first} to {count - 1 + first}"
            )

    def _check(self, what: str, index: int, count: int, image_id: ImageId) -> None:
        if index >= count:
            raise ImageIdError(
                f"imageId {image_id.text!r} asks for {what} {index}; there are {count}, "
                f"0 to {count - 1}"
            )

    def _voxel_axis(self, patient_axis: int) -> int:
        """Return the voxel axis nearest to a patient axis."""
        return self._memoised("axes", lambda: nearest_axes(self.affine))[patient_axis]

    def _direction(self, patient_axis: int, sign: int) -> Direction:
        """Return the direction through the voxels nearest to a direction in the patient."""
        axis = self._voxel_axis(patient_axis)
        along = 1.0 if self.affine is None else self.affine[patient_axis, axis]
        return Direction(axis, self.affine is not None and along * sign < 0)

    def _step(self, way: Direction) -> NDArray[np.float64]:
        """Return the vector from one voxel to the next, in mm in LPS."""
        assert self.affine is not None
        sign = -1.0 if way.is_backwards else 1.0
        return sign * self.affine[:3, way.axis]

    def _first_voxel(self, cut: Cut) -> list[int]:
        """Return the voxel column, row and slice of the first pixel."""
        first = [0, 0, 0]
        first[cut.axis] = cut.index
        for way in (cut.across, cut.down):
            first[way.axis] = self.shape[way.axis] - 1 if way.is_backwards else 0
        return first

    def _memoised(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return ``make()``, called once for each `key`."""
        if key not in self._memo:
            self._memo[key] = make()
        value: Value = self._memo[key]
        return value


def is_usable(affine: NDArray[Any]) -> bool:
    """Return whether an affine gives each voxel a distinct position."""
    if np.shape(affine) != (4, 4) or not np.isfinite(affine).all():
        return False
    # A transposed affine, for row vectors as in some libraries, fails here.
    if not np.array_equal(affine[3], (0, 0, 0, 1)):
        return False
    with np.errstate(all="ignore"):
        steps = np.linalg.norm(affine[:3, :3], axis=0)
        x, y, z = (affine[:3, :3] / steps).T
        # The triple product, because numpy's determinant needs a library that pages do not fetch.
        return bool(steps.all() and abs(np.dot(np.cross(x, y), z)) > 1e-6)


def angle(cosine: float) -> str:
    """Return the angle of a cosine as text, in degrees."""
    return f"{np.degrees(np.arccos(min(cosine, 1.0))):.2f} degrees"


def nearest_axes(affine: NDArray[np.float64] | None) -> tuple[int, int, int]:
    """Return the voxel axes nearest to the patient axes x, y and z."""
    if affine is None:
        return 0, 1, 2
    cosines = abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    # Axes may be permuted, as in a sagittal scan. Comparing all six orders makes ties consistent.
    orders: Iterator[Any] = permutations(range(3))
    best: tuple[int, int, int] = max(
        orders, key=lambda order: round(sum(cosines[axis, order[axis]] for axis in range(3)), 9)
    )
    return best


def from_ras(affine: NDArray[Any]) -> NDArray[np.float64]:
    """Convert an affine to RAS, as in NIfTI and nibabel, to one to LPS; or the other way round."""
    return np.asarray(affine, "f8") * [[-1], [-1], [1], [1]] + 0.0  # without -0.0


def frame_of_reference_uid(source: str) -> str:
    """Make a frame of reference UID that all images of `source` share (PS3.5 B.2)."""
    return f"2.25.{uuid5(NAMESPACE_URL, source).int}"


def number_of(digits: str | None) -> int:
    """Parse a number of an imageId, 0 for none.

    Only the first ten significant digits count; that still exceeds any number of slices.
    """
    return int((digits or "").lstrip("0")[:10] or 0)
