"""``http:``, ``https:`` and ``web:``: images of the web behind an address.

Of ``http:`` and ``https:`` the imageId is the address, and goes to its server as it is; a frame or
page is named ``#frame=N``. ``web:`` stands before any address, relative ones, ``data:`` and
``blob:`` too; a frame is named ``?frame=N``. The file is fetched once for all of its frames.
"""

from __future__ import annotations

from pyloader.context import Context
from pyloader.imageid import ImageId
from pyloader.loaders.web_images.recognise import opener_of
from pyloader.source import Source


async def open_source(image_id: ImageId, context: Context, *, pixels: bool = True) -> Source:
    """Open the file of an imageId; its pixels stay encoded.

    Raises
    ------
    ImageIdError
        The imageId names a slice of a volume.
    LoaderError
    """
    image_id.refuse_part()
    url = image_id.rest if image_id.scheme == "web" else image_id.source

    async def fetch(context: Context) -> Source:
        response = await context.fetch(url)
        opener = opener_of(response.body, response.url)
        return await opener(image_id.source, response.body, context)

    return await context.cached(image_id.source, fetch)
