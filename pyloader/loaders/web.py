"""``http:``, ``https:`` and ``web:``: images of the web behind an address.

Of ``http:`` and ``https:`` the imageId is the address, and goes to its server as it is; a frame or
page is named ``#frame=N``. ``web:`` stands before any address, relative ones, ``data:`` and
``blob:`` too; a frame is named ``?frame=N``. The file is fetched once for all of its frames.
"""

from __future__ import annotations

from pyloader.context import Context
from pyloader.image import Image
from pyloader.imageid import ImageId
from pyloader.loaders import Loader
from pyloader.loaders.web_images.picture import File, check_frame
from pyloader.loaders.web_images.recognise import opener_of


async def load(image_id: ImageId, context: Context) -> Image:
    """Load one frame or page."""
    file = await open_file(image_id, context)
    return await file.image(check_frame(file, image_id.frame_index), context)


async def list_image_ids(image_id: ImageId, context: Context) -> list[str]:
    """Return the imageIds of all frames or pages."""
    file = await open_file(image_id, context)
    return image_id.of_frames(file.number_of_frames)


LOADER = Loader(load, image_ids=list_image_ids)


async def open_file(image_id: ImageId, context: Context) -> File:
    """Return the file of an imageId; its pixels stay encoded.

    Raises
    ------
    ImageIdError
        The imageId names a slice of a volume.
    LoaderError
    """
    image_id.refuse_part()
    url = image_id.rest if image_id.scheme == "web" else image_id.source

    async def fetch(context: Context) -> File:
        response = await context.fetch(url)
        opener = opener_of(response.body, response.url)
        return await opener(image_id.source, response.body, context)

    return await context.cached(image_id.source, fetch)
