"""``http:``, ``https:`` and ``web:``: web images by URL.

An imageId of ``http:`` or ``https:`` is the URL itself and goes to the server unchanged;
``#frame=N`` names a frame or page. ``web:`` precedes any URL, also a relative, ``data:`` or
``blob:`` one; ``?frame=N`` names a frame. The file is fetched once for all of its frames.
"""

from __future__ import annotations

from pyloader.context import Context
from pyloader.imageid import ImageId
from pyloader.loaders.web_images.recognise import opener_of
from pyloader.source import Source


async def open_source(image_id: ImageId, context: Context, *, pixels: bool = True) -> Source:
    """Fetch the file of an imageId and read its header; the pixels stay encoded.

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
