"""A volume as a source: its slices are the images."""

from __future__ import annotations

from pyloader.context import Context
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.source import MetadataReady, Modules, Ready, Series
from pyloader.volumes.volume import Volume

# What an imageId takes beside its text, for a list of them.
TEXT_BYTES = 100


class Slice:
    """One slice of a volume; a `Ready`."""

    def __init__(self, volume: Volume, image_id: ImageId) -> None:
        self.volume = volume
        self.image_id = image_id

    def make(self, context: Context) -> Image:
        """Cut it out, and describe it."""
        return self.volume.image(self.image_id)

    def describe(self, context: Context) -> Modules:
        """Describe it; no voxel is read."""
        return self.volume.modules(self.image_id)

    def encoded(self) -> None:
        """Return None: voxels are decoded."""


class VolumeSource:
    """A volume whose voxels are here; a `Source`."""

    is_encoded = False

    def __init__(self, volume: Volume) -> None:
        self.volume = volume

    @property
    def nbytes(self) -> int:
        """Bytes of the voxels."""
        return self.volume.nbytes

    async def list_series(self, image_id: ImageId, context: Context) -> list[Series]:
        """Return all slices as they are stored, or, of ``#x``, those of one direction."""
        return [Series({}, list_slices(self.volume, image_id, context))]

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Return the slice: all of it is here."""
        return self.ready(image_id)

    def ready(self, image_id: ImageId) -> Ready:
        """Return the slice."""
        return Slice(self.volume, image_id)


class HeaderSource:
    """A volume of which only the header was fetched: it lists and describes slices.

    Attributes
    ----------
    volume : Volume
        With voxels that take no memory, and mean nothing.
    """

    is_encoded = False

    def __init__(self, volume: Volume) -> None:
        self.volume = volume

    @property
    def nbytes(self) -> int:
        """No voxel is kept."""
        return 0

    async def list_series(self, image_id: ImageId, context: Context) -> list[Series]:
        """Return all slices; see `VolumeSource.list_series`."""
        return [Series({}, list_slices(self.volume, image_id, context))]

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Return the metadata of a slice, which has no pixels here."""
        return MetadataReady(self.volume.modules(image_id))

    def ready(self, image_id: ImageId) -> None:
        """Return None: the voxels have to be fetched."""


def list_slices(volume: Volume, image_id: ImageId, context: Context) -> list[str]:
    """Return the imageIds of all slices; see `Grid.image_ids`.

    Raises
    ------
    FormatError
        The list takes more than `Context.decoded_bytes`.
    """
    count = sum(volume.grid.shape[:3]) * volume.grid.shape[3]
    context.check_size(
        count * (len(image_id.text) + TEXT_BYTES), f"the list of slices of {image_id.rest}"
    )
    return volume.image_ids(image_id)
