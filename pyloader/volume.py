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
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from pyloader.authors import at
from pyloader.context import Context
from pyloader.errors import CustomLoaderError
from pyloader.imageid import ImageId
from pyloader.load import check_function, check_scheme
from pyloader.loaders import schemes
from pyloader.loaders.user_functions import NamedReady, called, naming, owned_by
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
    "register_volume",
]

ReadVolume = Callable[[ImageId, Context], Awaitable[Volume]]


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
