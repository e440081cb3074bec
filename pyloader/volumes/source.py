"""A volume as a source: its slices are the images."""

from __future__ import annotations

from pyloader.context import Context
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.source import MetadataReady, Modules, Ready, Series
from pyloader.volumes.volume import Volume

# Memory of one imageId in a list, besides its text.
TEXT_BYTES = 100


class Slice:
    """One slice of a volume; a `Ready`."""

    def __init__(self, volume: Volume, image_id: ImageId) -> None:
        self.volume = volume
        self.image_id = image_id

    def make(self, context: Context) -> Image:
        """Cut the slice out and describe it."""
        return self.volume.image(self.image_id)

    def describe(self, context: Context) -> Modules:
        """Describe the slice without reading its voxels."""
        return self.volume.modules(self.image_id)

    def encoded(self) -> None:
        """Return None: voxels are already decoded."""


class VolumeSource:
    """A volume with its voxels in memory; a `Source`."""

    is_encoded = False

    def __init__(self, volume: Volume) -> None:
        self.volume = volume

    @property
    def nbytes(self) -> int:
        """Bytes of the voxels."""
        return self.volume.nbytes

    async def list_series(self, image_id: ImageId, context: Context) -> list[Series]:
        """List all slices as stored or, for ``#x``, those of one direction."""
        return [Series({}, list_slices(self.volume, image_id, context))]

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Return the slice: its voxels are in memory."""
        return self.ready(image_id)

    def ready(self, image_id: ImageId) -> Ready:
        """Return the slice."""
        return Slice(self.volume, image_id)


class HeaderSource:
    """A volume with only its header fetched; it lists and describes slices.

    Attributes
    ----------
    volume : Volume
        Its voxels are placeholders that take no memory.
    """

    is_encoded = False

    def __init__(self, volume: Volume) -> None:
        self.volume = volume

    @property
    def nbytes(self) -> int:
        """Zero: no voxels are kept."""
        return 0

    async def list_series(self, image_id: ImageId, context: Context) -> list[Series]:
        """List all slices; see `VolumeSource.list_series`."""
        return [Series({}, list_slices(self.volume, image_id, context))]

    async def fetch(self, image_id: ImageId, context: Context, *, pixels: bool = True) -> Ready:
        """Return the metadata of a slice, without pixels."""
        return MetadataReady(self.volume.modules(image_id))

    def ready(self, image_id: ImageId) -> None:
        """Return None: the voxels must be fetched first."""


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
