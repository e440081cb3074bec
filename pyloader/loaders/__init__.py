"""The table of schemes: who loads an image, reads its header alone, and lists what is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyloader.context import Context
from pyloader.dicom.instance import Instance
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.registry import Registry

Load = Callable[[ImageId, Context], Awaitable[Image]]
LoadMetadata = Callable[[ImageId, Context], Awaitable[Mapping[str, Any]]]
ListImageIds = Callable[[ImageId, Context], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Loader:
    """What serves one scheme.

    Attributes
    ----------
    load : async (ImageId, Context) -> Image
    metadata : async (ImageId, Context) -> mapping of str to module, or None
        Reads what describes an image without its pixels; without it the image is loaded.
    image_ids : async (ImageId, Context) -> sequence of str, or None
        Lists the images of a source; without it there is one.
    encoded : async (ImageId, Context) -> Instance, or None
        Fetches what `load` decodes: an instance that holds the frame. With it another worker can
        decode it.
    is_at_hand : (ImageId, Context) -> bool, or None
        Tells whether all images of a source can be made without waiting for anything, so that one
        call may ask for several.
    """

    load: Load
    metadata: LoadMetadata | None = None
    image_ids: ListImageIds | None = None
    encoded: Callable[[ImageId, Context], Awaitable[Instance]] | None = None
    is_at_hand: Callable[[ImageId, Context], bool] | None = None

    @property
    def module(self) -> str:
        """The name of the module that made it."""
        return str(getattr(self.load, "__module__", "__main__"))


schemes: Registry[Loader] = Registry(
    "image loader for scheme",
    {
        "dicomfile": "pyloader.loaders.wadouri:LOADER",
        "dicomweb": "pyloader.loaders.wadouri:LOADER",
        "http": "pyloader.loaders.web:LOADER",
        "https": "pyloader.loaders.web:LOADER",
        "localfile": "pyloader.loaders.wadouri:LOADER",
        "metaimage": "pyloader.formats.metaimage",
        "nifti": "pyloader.loaders.nifti:LOADER",
        "nrrd": "pyloader.formats.nrrd",
        "numpy": "pyloader.formats.numpy_array",
        "wadors": "pyloader.dicomweb.wadors:LOADER",
        "wadouri": "pyloader.loaders.wadouri:LOADER",
        "web": "pyloader.loaders.web:LOADER",
        "zarr": "pyloader.formats.zarr",
    },
)
