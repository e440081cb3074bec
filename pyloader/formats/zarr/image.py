"""OME-Zarr images: the meaning of an array's axes, and the geometry of its slices.

Reference: https://ngff.openmicroscopy.org/0.5, axes, multiscales and omero metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyloader import ImageId
from pyloader.errors import ImageIdError, UnsupportedError
from pyloader.formats.lengths import factors_of, is_unknown, usable_affine
from pyloader.formats.zarr.array import ZarrArray
from pyloader.formats.zarr.group import Level, open_level
from pyloader.formats.zarr.store import Store
from pyloader.volume import Cut, Grid, Volume, frame_content


@dataclass(frozen=True, slots=True, eq=False)
class ZarrImage:
    """One resolution level and channel of an OME-Zarr image.

    Attributes
    ----------
    array : ZarrArray
    axes : tuple of str
        Names of the array's axes: ``t``, ``z``, ``y``, ``x``, and others.
    fixed : mapping of str to int
        The image's index along the other axes, such as its channel.
    grid : Grid
        The geometry of the slices.
    attributes : mapping
        Attributes for `Image.from_array`, for all slices.
    warnings : tuple of str
    """

    array: ZarrArray
    axes: tuple[str, ...]
    fixed: Mapping[str, int]
    grid: Grid
    attributes: Mapping[str, Any]
    warnings: tuple[str, ...]

    def region(self, cut: Cut) -> list[range]:
        """Return the region of the array that a slice covers."""
        chosen = {**self.fixed, "t": cut.timepoint, "xyz"[cut.axis]: cut.index}
        return [
            range(chosen[name], chosen[name] + 1) if name in chosen else range(size)
            for name, size in zip(self.axes, self.array.shape, strict=True)
        ]

    def volume_of(self, part: NDArray[Any], cut: Cut) -> Volume:
        """Make a volume of one slice at its position; `part` is its region of the array."""
        kept = [self.axes.index(name) for name in "tzyx" if name in self.axes]
        others = [axis for axis in range(part.ndim) if axis not in kept]
        sizes = [part.shape[self.axes.index(name)] if name in self.axes else 1 for name in "tzyx"]
        voxels = part.transpose(kept + others).reshape(sizes)
        affine = self.grid.affine
        if affine is not None:
            step = np.eye(4)
            step[cut.axis, 3] = cut.index
            affine = affine @ step
        channels = dict(zip(self.axes, self.array.shape, strict=True)).get("c", 1)
        beyond = (("channel", channels), ("time", self.grid.shape[3]))
        number = self.fixed["c"] + channels * cut.timepoint
        modules = {"frame_content": frame_content(beyond, number, cut.index)}
        volume = Volume.from_array(voxels, affine=affine, modules=modules, **self.attributes)
        return replace(volume, warnings=self.warnings)


def first_of(image_id: ImageId) -> ImageId:
    """Return the imageId of the first slice in the same direction."""
    axis = image_id.part[:1] if image_id.part[:1] in "xyz" else ""
    return replace(image_id, frame_index=0, part=axis)


async def open_image(store: Store, options: Mapping[str, str], image_id: ImageId) -> ZarrImage:
    """Fetch the metadata of an imageId's level and channel.

    Raises
    ------
    ImageIdError
        The level or channel does not exist.
    FormatError, UnsupportedError, TransportError
    """
    level = await open_level(store, lambda count: choose("level", count, options, image_id))
    sizes = dict(zip(level.axes, level.array.shape, strict=True))
    channel = choose("channel", sizes.get("c", 1), options, image_id)
    others = {name: size for name, size in sizes.items() if name not in "tczyx"}
    if not {"x", "y"} <= set(sizes) or any(size > 1 for size in others.values()):
        raise UnsupportedError(
            f"array {level.array.path!r} of {store.url!r} has axes {sizes}; expected y and x, and "
            "at most t, c and z besides"
        )
    affine, warnings = affine_of(level)
    columns, rows, slices, timepoints = (sizes.get(name, 1) for name in "xyzt")
    return ZarrImage(
        level.array,
        level.axes,
        {**dict.fromkeys(others, 0), "c": channel},
        Grid((columns, rows, slices, timepoints), affine),
        window_of(level, channel),
        warnings,
    )


def choose(name: str, count: int, options: Mapping[str, str], image_id: ImageId) -> int:
    """Return the index of the level or channel that an imageId names, from 0 (the default)."""
    text = options.get(name, "0")
    index = int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else count
    if index >= count:
        raise ImageIdError(
            f"imageId {image_id.text!r} asks for {name} {text!r}; there are {count}, 0 to "
            f"{count - 1}"
        )
    return index


def affine_of(level: Level) -> tuple[NDArray[np.float64] | None, tuple[str, ...]]:
    """Return the affine to LPS, None if unknown, and warnings about assumptions."""
    if level.scale is None:
        return None, level.warnings
    affine, warnings = np.eye(4), list(level.warnings)
    for row, name in enumerate("xyz"):
        if name not in level.axes:
            continue
        axis = level.axes.index(name)
        factors = factors_of([unit := level.units[axis]])
        if factors is None:
            return None, (f"no place is known: axis {name} has the unit {unit!r}",)
        if is_unknown(unit):
            warnings.append(f"axis {name} has no unit; millimeter is assumed")
        affine[row, row] = level.scale[axis] * factors[0]
        affine[row, 3] = level.translation[axis] * factors[0]
    place, unusable = usable_affine(affine)
    return place, unusable or tuple(warnings)


def window_of(level: Level, channel: int) -> dict[str, Any]:
    """Return the display window of a channel; empty if the image has none."""
    try:
        window = level.channels[channel]["window"]
        start, end = float(window["start"]), float(window["end"])
    except (IndexError, KeyError, OverflowError, TypeError, ValueError):
        return {}
    if not -np.inf < start < end < np.inf:
        return {}
    return {
        "window_center": (start + end) / 2,
        "window_width": end - start,
        # The ramp ends exactly at both values, even at 0 and 1 (PS3.3 C.11.2.1.3.2).
        "voi_lut_function": "LINEAR_EXACT",
    }
