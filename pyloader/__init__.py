"""Image loaders for medical-image viewers in the browser, written in Python.

A loader serves a URL scheme: it gets an `ImageId` and a `Context` and returns an `Image`::

    @register_loader("custom1")
    async def load(image_id: ImageId, context: Context) -> Image:
        response = await context.fetch(f"https:{image_id.rest}")
        return Image.from_array(np.frombuffer(response.body, "<u2").reshape(512, 512))

The kinds of `LoaderError` are in `pyloader.errors`, slices of volumes in `pyloader.volume`.
"""

from pyloader.bulk import load_images
from pyloader.context import Context
from pyloader.errors import LoaderError
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.load import list_image_ids, load_image, load_metadata, purge, register_loader

__version__ = "0.1.0"

__all__ = [
    "Context",
    "Image",
    "ImageId",
    "LoaderError",
    "list_image_ids",
    "load_image",
    "load_images",
    "load_metadata",
    "purge",
    "register_loader",
]
