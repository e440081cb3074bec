"""`Volume`: voxels with their geometry and attributes, and slices of them as images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.arrays import EXACT
from pyloader.errors import FormatError
from pyloader.image import Image, PlaneModule
from pyloader.imageid import ImageId
from pyloader.rules import Rule, as_ruled, shown
from pyloader.volumes.geometry import Cut, Grid

# Attributes of the image plane where an author's value overrides the affine's.
AUTHOR_ATTRIBUTES = ("frame_of_reference_uid", "slice_thickness")


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Voxels and their geometry; `image` returns one slice.

    Attributes
    ----------
    voxels : (timepoints, slices, rows, columns) array, colour with a last axis of 3 or 4
        Stored values; any integer, floating or complex dtype, contiguous or not. Slices of complex
        voxels show the magnitude.
    affine : (4, 4) float array or None
        See `Grid`.
    attributes : mapping
        Attributes for `Image.from_array`, for all slices: ``rescale_slope``, ``window_center``, ...
    warnings : tuple of str
        For all slices; see `Image`.
    beyond : tuple of (str, int)
        Name and length of each dimension that the timepoints combine, the fastest first:
        ``"time"``, or another name, such as ``"component"``. Empty: time alone.
    """

    voxels: NDArray[Any]
    affine: NDArray[np.float64] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    beyond: tuple[tuple[str, int], ...] = ()
    _grid: Grid = field(init=False, repr=False)
    # Images that take no memory, by shape and dtype, with the attributes that slices share.
    _common: dict[Any, Image] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Build the grid.

        Raises
        ------
        FormatError
            The affine cannot be inverted.
        """
        timepoints, slices, rows, columns = self.voxels.shape[:4]
        shape = (columns, rows, slices, timepoints)
        object.__setattr__(self, "_grid", Grid(shape, self.affine))

    @classmethod
    def from_array(
        cls,
        voxels: NDArray[Any],
        *,
        affine: NDArray[Any] | None = None,
        spacing: tuple[float, float, float] | None = None,
        is_color: bool = False,
        **attributes: Any,
    ) -> Volume:
        """Make a volume of an array.

        Parameters
        ----------
        voxels : (slices, rows, columns) or (timepoints, slices, rows, columns) array
            Or one slice, (rows, columns). With a last axis of 3 (RGB) or 4 (RGBA) if `is_color`.
            Pass a Fortran-ordered array of (columns, rows, slices) as its transpose, ``array.T``,
            which copies nothing.
        affine : (4, 4) array, optional
            From (column, row, slice, 1) to mm in LPS; see `Grid` and `from_ras`.
        spacing : (3,) mm, optional
            Between columns, rows and slices, if there is no affine: the first voxel is at 0, rows
            run to the left of the patient, columns to the back, slices to the head.
        **attributes
            Attributes for `Image.from_array`, except those of the geometry.

        Raises
        ------
        FormatError
            The array is not a volume, the affine cannot be inverted, or an attribute is unknown, of
            a wrong type, or part of the geometry.
        """
        check_geometry(attributes)
        voxels = np.asarray(voxels)
        dimensions = voxels.ndim - is_color
        if dimensions not in (2, 3, 4) or (is_color and voxels.shape[-1] not in (3, 4)):
            raise FormatError(
                f"a volume's array is (slices, rows, columns) or (timepoints, slices, rows, "
                f"columns), {'and the samples of a color, ' * is_color}not {voxels.shape}"
            )
        voxels = voxels.reshape((1,) * (4 - dimensions) + voxels.shape)
        volume = cls(voxels, affine_of(affine, spacing), attributes)
        volume.modules(ImageId("volume:", "volume", ""))  # raises here for bad attributes
        return volume

    @property
    def grid(self) -> Grid:
        """The positions of the voxels."""
        return self._grid

    @property
    def nbytes(self) -> int:
        """Bytes of the voxels in memory; `Context.cached` counts them."""
        return self.voxels.nbytes

    def image(self, image_id: ImageId) -> Image:
        """Return the slice that an imageId names; see `pyloader.volume`.

        Raises
        ------
        ImageIdError
            The slice does not exist.
        FormatError
            The voxels cannot be an image.
        """
        cut = self.grid.cut(image_id)
        pixels = magnitude(self.pixels(cut))
        warnings = (*self.warnings, *self.grid.warnings(cut), *inexact(pixels))
        return self._describe(pixels, cut, image_id, warnings)

    def modules(self, image_id: ImageId) -> dict[str, Any]:
        """Return the modules of a slice, as `pyloader.load_metadata`; voxels are not read."""
        cut = self.grid.cut(image_id)
        image = self._describe(self.pixels(cut).real, cut, image_id)
        return dict(image.modules) | {
            "image_pixel": image.pixel,
            "image_plane": image.plane,
            "modality_lut": image.modality_lut,
            "voi_lut": image.voi_lut,
        }

    def _describe(
        self, pixels: NDArray[Any], cut: Cut, image_id: ImageId, warnings: tuple[str, ...] = ()
    ) -> Image:
        """Make the image of a slice from its pixels."""
        common = self._blank_like(pixels)
        plane = self._plane(common.plane, cut, image_id)
        image = common.with_pixels(pixels, plane=plane, warnings=warnings)
        times = self.grid.shape[3]
        if times == 1:
            return image
        content = frame_content(self.beyond or (("time", times),), cut.timepoint, cut.index)
        return replace(image, modules={"frame_content": content, **image.modules})

    def _blank_like(self, pixels: NDArray[Any]) -> Image:
        """Return a blank image of the same shape and dtype, with the attributes of all slices."""
        kind = (pixels.shape, pixels.dtype)
        if kind not in self._common:
            blank = np.broadcast_to(np.zeros((), pixels.dtype), pixels.shape)
            self._common[kind] = Image.from_array(blank, **self.attributes)
        return self._common[kind]

    def _plane(self, of_author: PlaneModule, cut: Cut, image_id: ImageId) -> PlaneModule:
        """Return the image plane of a slice; for stored slices, the author's values win."""
        if self.affine is None:
            return of_author if cut.axis == 2 else PlaneModule()
        plane = self.grid.plane(cut, image_id.source)
        known = {name: getattr(of_author, name) for name in AUTHOR_ATTRIBUTES if cut.axis == 2}
        known = {name: value for name, value in known.items() if value is not None}
        return replace(plane, **known) if known else plane

    def pixels(self, cut: Cut) -> NDArray[Any]:
        """Return (rows, columns) or (rows, columns, samples) of a slice: a read-only view."""
        # Voxel axes 0, 1 and 2 are the array's 3, 2 and 1.
        place: tuple[Any, ...] = (cut.timepoint, *(slice(None),) * (2 - cut.axis), cut.index)
        pixels: NDArray[Any] = self.voxels[place]
        if cut.down.axis < cut.across.axis:
            pixels = pixels.swapaxes(0, 1)
        rows, columns = (
            slice(None, None, -1 if way.is_backwards else 1) for way in (cut.down, cut.across)
        )
        turned: NDArray[Any] = pixels[rows, columns]
        turned.flags.writeable = False  # the next load uses the same voxels
        return turned

    def image_ids(self, image_id: ImageId) -> list[str]:
        """List the imageIds of all slices; see `Grid.image_ids`."""
        return self.grid.image_ids(image_id)


def frame_content(
    beyond: Sequence[tuple[str, int]], timepoint: int, index: int
) -> dict[str, str | int]:
    """Return the attributes that distinguish a slice from others at its position.

    Times become temporal positions; other dimensions, such as the components of a vector, become
    stacks (PS3.3 C.7.6.16.2.2).

    Parameters
    ----------
    beyond : sequence of (str, int)
        See `Volume`.
    timepoint, index : int
        Of the slice, from 0.
    """
    numbers, counts = [0, 0], [1, 1]
    for name, count in beyond:
        timepoint, number = divmod(timepoint, count)
        kind = int(name != "time")
        numbers[kind] += number * counts[kind]
        counts[kind] *= count
    found: dict[str, str | int] = {}
    if counts[0] > 1:
        found["temporal_position_identifier"] = found["temporal_position_index"] = numbers[0] + 1
        found["number_of_temporal_positions"] = counts[0]
    if counts[1] > 1:
        found |= {"stack_id": str(numbers[1] + 1), "in_stack_position_number": index + 1}
    return found


def check_geometry(attributes: Mapping[str, Any]) -> None:
    """Raise if attributes give the geometry of single slices."""
    names = {item.name for item in fields(PlaneModule)} - {*AUTHOR_ATTRIBUTES}
    wrong = [name for name in attributes if name in names]
    if wrong:
        raise FormatError(
            f"a volume's geometry is `affine` or `spacing`, not {', '.join(wrong)}: "
            "spacing=(0.5, 0.5, 2.0) is in mm between columns, rows and slices"
        )


def affine_of(affine: Any, spacing: Any) -> NDArray[np.float64] | None:
    """Return an author's affine, or make one from a spacing; None if neither is given."""
    if affine is None and spacing is not None:
        steps = as_ruled(spacing, Rule(float, 3, 3, is_tuple=True), "spacing")
        if steps is None or min(steps) <= 0:
            raise FormatError(
                "spacing is three numbers above 0, between columns, rows and slices, not "
                f"{shown(spacing)}"
            )
        return np.diag([*steps, 1.0])
    try:
        return None if affine is None else np.asarray(affine, "f8")
    except (OverflowError, TypeError, ValueError):
        raise FormatError(
            f"the affine of a volume is a (4, 4) array of numbers, not {shown(affine)}"
        ) from None


def magnitude(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the magnitude of complex pixels, and other pixels unchanged."""
    if pixels.dtype.kind != "c":
        return pixels
    with np.errstate(all="ignore"):
        found: NDArray[Any] = np.abs(pixels)
    return found


def inexact(pixels: NDArray[Any]) -> tuple[str, ...]:
    """Return a warning if JavaScript numbers cannot hold some of the integers."""
    if pixels.dtype.kind not in "ui" or pixels.dtype.itemsize < 8 or not pixels.size:
        return ()
    low, high = int(pixels.min()), int(pixels.max())
    if low >= -EXACT and high <= EXACT:
        return ()
    return (
        f"the values of this slice, {low} to {high}, are exact in Python only: JavaScript's "
        "numbers round integers beyond 2 to the power of 53",
    )
