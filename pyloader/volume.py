"""Slices of volumes: `Volume` has the voxels, its `Grid` their position in the patient.

The imageId names a slice. ``?frame=N`` is a slice as it is stored: rows and columns run along the
first two voxel axes. ``#z-12,t-3`` is an anatomical slice. x, y and z name the patient's axes:
``x-`` slices are sagittal, ``y-`` coronal, ``z-`` axial, each across the voxel axis nearest to that
axis. Slices and timepoints count from 0 in the order of the voxels.

Anatomical slices are oriented as radiologists view them. The right side of the image is the
patient's left, in sagittal slices the back; the bottom is the back, or the feet. For both kinds of
slice, `PlaneModule` gives the exact position of the pixels. The module ``frame_content``
distinguishes the timepoints.

A loader of volumes reads the volume, and pyloader does the rest::

    @register_volume("mine")
    async def read(image_id: ImageId, context: Context) -> Volume:
        response = await context.fetch(image_id.rest)
        voxels = np.frombuffer(response.body, "<i2").reshape(64, 128, 128)
        return Volume.from_array(voxels, spacing=(0.9, 0.9, 1.2))

`load_volume` returns the volume of a source that pyloader reads, or of a series of images.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from pyloader.authors import at
from pyloader.context import Context
from pyloader.errors import CustomLoaderError, FormatError
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.load import ImageIdOrPath, check_function, check_scheme, list_series, load_image
from pyloader.loaders import schemes
from pyloader.loaders.user_functions import NamedReady, called, naming, owned_by
from pyloader.pixels.output.voi import modality_values
from pyloader.source import Ready, Series
from pyloader.volumes.geometry import (
    Cut,
    Direction,
    Grid,
    frame_of_reference_uid,
    from_ras,
    is_usable,
)
from pyloader.volumes.source import Slice, VolumeSource, list_slices
from pyloader.volumes.stack import check_alike, how_to_show, one_scale, stack
from pyloader.volumes.volume import Volume, frame_content

__all__ = [
    "Cut",
    "Direction",
    "Grid",
    "Volume",
    "frame_content",
    "frame_of_reference_uid",
    "from_ras",
    "is_usable",
    "load_volume",
    "register_volume",
]

ReadVolume = Callable[[ImageId, Context], Awaitable[Volume]]
# Images that are fetched at a time for a volume.
TOGETHER = 8


async def load_volume(
    source: ImageIdOrPath | Sequence[str],
    context: Context | None = None,
    *,
    modality_units: bool = False,
) -> Volume:
    """Load a series of images as one volume.

    Parameters
    ----------
    source : str, path or sequence of str
        As `list_image_ids` takes it: a file, in plain Python also a folder, with one series. Or the
        imageIds of the slices, in their order.
    modality_units : bool, optional
        Return float32 values in modality units, such as Hounsfield units, in place of stored ones.

    Returns
    -------
    Volume
        ``voxels`` are (1, slices, rows, columns), colour with a last axis of 3 or 4; ``affine`` is
        in mm in LPS, which `from_ras` converts to RAS. It is None if no image has a position.

    Raises
    ------
    FormatError
        The source has several series, or its images do not follow each other in equal steps. Or
        their stored values have different scales, so that only modality units can be compared.
    LoaderError
        As `load_image`.
    """
    image_ids = await one_series(source, context)
    images: list[Image] = []
    for start in range(0, len(image_ids), TOGETHER):
        loads = (load_image(each, context) for each in image_ids[start : start + TOGETHER])
        images += await asyncio.gather(*loads)
    check_alike(images)
    if not modality_units or images[0].pixels.ndim == 3:
        voxels, scale = [each.pixels for each in images], one_scale(images)
    else:
        voxels, scale = [modality_values(each).astype("f4") for each in images], {}
    return stack(images, voxels, **how_to_show(images[0]), **scale)


async def one_series(
    source: ImageIdOrPath | Sequence[str], context: Context | None
) -> Sequence[str]:
    """Return the imageIds of the only series of a source; a sequence of imageIds is returned."""
    if not isinstance(source, (str, os.PathLike)):
        if not source:
            raise FormatError("load_volume was given no imageIds")
        return source
    found = await list_series(source, context)
    if len(found) != 1:
        names = [str(each.attributes.get("series_description")) for each in found]
        raise FormatError(
            f"{str(source)!r} has {len(found)} series, and a volume is one of them: give the "
            f"imageIds of one (list_image_ids); they are {', '.join(map(repr, names[:5]))}"
        )
    return found[0].image_ids


def register_volume(scheme: str, *, replace: bool = False) -> Callable[[ReadVolume], ReadVolume]:
    """Register the decorated ``async (image_id, context) -> Volume`` for `scheme`.

    The slices of the volume are the images. The function is called once for all slices of a source,
    with the imageId of the slice that was requested first, and its result is cached. Slices, their
    metadata and their list are made from it.

    Raises
    ------
    ValueError, TypeError
        As `register_loader`.
    """
    check_scheme(scheme, "register_volume")

    def register(read: ReadVolume) -> ReadVolume:
        check_function("a loader", read)

        async def open_source(
            image_id: ImageId, context: Context, *, pixels: bool = True
        ) -> UserVolume:
            with naming(read, image_id):
                return await context.cached(image_id.source, partial(read_volume, read, image_id))

        schemes.register(scheme.lower(), owned_by(read, open_source), replace=replace)
        return read

    return register


async def read_volume(read: ReadVolume, image_id: ImageId, context: Context) -> UserVolume:
    """Run a user's function, and check its result."""
    volume = await called(read, image_id, context)
    if not isinstance(volume, Volume):
        raise CustomLoaderError(
            f"the loader of scheme {image_id.scheme!r} returned {type(volume).__name__}, "
            "expected pyloader.volume.Volume; Volume.from_array(voxels) makes one of an array"
            f"{at(read)}"
        )
    return UserVolume(volume, read)


class UserVolume(VolumeSource):
    """A volume that a user's function has read: errors name the function."""

    def __init__(self, volume: Volume, read: ReadVolume) -> None:
        super().__init__(volume)
        self.read = read

    async def list_series(self, image_id: ImageId, context: Context) -> list[Series]:
        """Return all slices; see `VolumeSource.list_series`."""
        with naming(self.read, image_id):
            return [Series({}, list_slices(self.volume, image_id, context))]

    def ready(self, image_id: ImageId) -> Ready:
        """Return the slice."""
        return NamedReady(Slice(self.volume, image_id), image_id, self.read)
