"""Stack the images of a series to a `Volume`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader.errors import FormatError
from pyloader.image import Image
from pyloader.volumes.volume import Volume

# Largest difference of direction cosines, and of spacings in mm, within one volume.
SAME = 1e-3
# Largest distance of a slice from where equal steps would put it, in steps. Positions are rounded;
# a missing slice is a whole step.
OFF = 0.05


def check_alike(images: Sequence[Image]) -> None:
    """Raise `FormatError` if images differ in shape or dtype."""
    first = images[0].pixels
    for number, each in enumerate((image.pixels for image in images), 1):
        if (each.shape, each.dtype) != (first.shape, first.dtype):
            raise FormatError(
                f"the images are no volume: image {number} is {each.shape} {each.dtype}, the first "
                f"is {first.shape} {first.dtype}; load the imageIds of those that belong together"
            )


def how_to_show(image: Image) -> dict[str, Any]:
    """Return the attributes of a grey image that a viewer shows its volume by."""
    if image.pixels.ndim == 3:
        return {}
    found = {
        "photometric_interpretation": image.pixel.photometric_interpretation,
        "window_center": image.voi_lut.window_center,
        "window_width": image.voi_lut.window_width,
    }
    return {name: value for name, value in found.items() if value}


def one_scale(images: Sequence[Image]) -> dict[str, float]:
    """Return the rescale that stored values of all images share.

    Raises
    ------
    FormatError
        There are several, or a table in their place.
    """
    scales = {image.modality_lut.rescale for image in images if not image.is_rescaled}
    if len(scales) > 1 or any(image.modality_lut.lut is not None for image in images):
        raise FormatError(
            "the stored values of these images have different scales, or a table for each; load "
            "them with modality_units=True"
        )
    return dict(zip(("rescale_slope", "rescale_intercept"), *scales, strict=True)) if scales else {}


def stack(images: Sequence[Image], voxels: Sequence[NDArray[Any]], **attributes: Any) -> Volume:
    """Return the volume of images that follow each other in equal steps.

    Parameters
    ----------
    images : sequence of Image
        In order. They give the geometry; without positions, the volume has no affine.
    voxels : sequence of (rows, columns) or (rows, columns, samples) array
        The values of each image, of one shape and dtype: `check_alike`.
    **attributes
        As `Volume.from_array` takes them.

    Raises
    ------
    FormatError
        The images differ in orientation or spacing, or their positions in step.
    """
    frame = images[0].plane.frame_of_reference_uid
    given: dict[str, Any] = {} if frame is None else {"frame_of_reference_uid": frame}
    affine = affine_of_planes(images)
    is_color = voxels[0].ndim == 3
    return Volume.from_array(
        np.stack(voxels), affine=affine, is_color=is_color, **given, **attributes
    )


def affine_of_planes(images: Sequence[Image]) -> NDArray[np.float64] | None:
    """Return the affine from (column, row, slice, 1) to mm in LPS; None without positions.

    Raises
    ------
    FormatError
    """
    planes = [image.plane for image in images]
    if not any(plane.image_position_patient for plane in planes):
        return None
    known = [
        (*plane.image_orientation_patient, *plane.pixel_spacing, *plane.image_position_patient)
        if plane.image_position_patient and plane.image_orientation_patient and plane.pixel_spacing
        else None
        for plane in planes
    ]
    if None in known:
        raise FormatError(
            f"the images are no volume: image {known.index(None) + 1} lacks a position, an "
            "orientation or a pixel spacing, which others have"
        )
    values = np.array(known, "f8")
    shared, positions = values[:, :8], values[:, 8:]
    differing = np.flatnonzero(abs(shared - shared[0]).max(axis=1) > SAME)
    if differing.size:
        raise FormatError(
            f"the images are no volume: image {differing[0] + 1} has another orientation or pixel "
            "spacing than the first; load the imageIds of those that belong together"
        )
    row, column, spacing = shared[0, :3], shared[0, 3:6], shared[0, 6:]
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = row * spacing[1], column * spacing[0]
    affine[:3, 2] = step_of(positions, np.cross(row, column), images[0])
    affine[:3, 3] = positions[0]
    return affine


def step_of(
    positions: NDArray[np.float64], normal: NDArray[np.float64], first: Image
) -> NDArray[np.float64]:
    """Return the vector from one slice to the next, in mm; of one slice its thickness.

    Raises
    ------
    FormatError
        The steps are not equal, or there are none.
    """
    if len(positions) == 1:
        thickness = first.plane.spacing_between_slices or first.plane.slice_thickness
        if not thickness:
            raise FormatError(
                "the image is no volume: it is one slice, and has neither Slice Thickness nor "
                "Spacing Between Slices"
            )
        return normal * abs(thickness)
    step: NDArray[np.float64] = (positions[-1] - positions[0]) / (len(positions) - 1)
    length = float(np.linalg.norm(step))
    expected = positions[0] + np.arange(len(positions))[:, None] * step
    away = np.linalg.norm(positions - expected, axis=1)
    if length < SAME or away.max() > OFF * length:
        lengths = np.linalg.norm(np.diff(positions, axis=0), axis=1)
        raise FormatError(
            "the images are no volume with one distance between slices: their distances are "
            f"{lengths.min():.4g} to {lengths.max():.4g} mm; slices may be missing, or there are "
            "several images at one position, such as timepoints: load the imageIds of one"
        )
    return step
