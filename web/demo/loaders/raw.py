"""Raw pixels behind a header of any length: ``custom1:ADDRESS``, relative to the page."""

import numpy as np

from pyloader import Context, Image, ImageId, register_loader

SHAPE = (256, 256)
DTYPE = np.dtype("<i2")


@register_loader("custom1")
async def load(image_id: ImageId, context: Context) -> Image:
    """Fetch a file and take the pixels from its end, knowing their shape and type."""
    response = await context.fetch(image_id.rest)
    size = DTYPE.itemsize * SHAPE[0] * SHAPE[1]
    pixels = np.frombuffer(response.body[-size:], DTYPE).reshape(SHAPE)
    return Image.from_array(
        pixels,
        pixel_spacing=(0.8, 0.8),
        rescale_slope=1,
        rescale_intercept=-1024,
        window_center=-500,
        window_width=1500,
    )
