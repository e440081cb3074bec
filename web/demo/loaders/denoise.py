"""A filter before any other loader: ``denoise:wadouri:ADDRESS``, the median of 3 x 3 pixels."""

import numpy as np

from pyloader import Context, Image, ImageId, register_loader


async def metadata(image_id: ImageId, context: Context) -> dict:
    return await context.load_metadata(image_id.inner)


@register_loader("denoise", metadata=metadata)
async def load(image_id: ImageId, context: Context) -> Image:
    image = await context.load(image_id.inner)
    border = [(1, 1), (1, 1), (0, 0)][: image.pixels.ndim]
    padded = np.pad(image.pixels, border, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
    pixels = np.median(windows, axis=(-2, -1)).astype(image.pixels.dtype)
    return image.with_pixels(pixels)
