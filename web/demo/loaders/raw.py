"""An array from a URL: ``raw:ADDRESS``, 256 x 256 pixels of 16 bits and nothing else."""

import numpy as np

from pyloader import Context, Image, ImageId, register_loader


@register_loader("raw")
async def load(image_id: ImageId, context: Context) -> Image:
    """Fetch the file and say what its bytes are; its values are 1024 above Hounsfield units."""
    response = await context.fetch(image_id.rest)
    pixels = np.frombuffer(response.body, "<i2").reshape(256, 256)
    print(f"{image_id.rest}: {pixels.min()} to {pixels.max()}")
    return Image.from_array(
        pixels,
        pixel_spacing=(0.8, 0.8),
        rescale_intercept=-1024,
        window_center=40,
        window_width=400,
    )
