"""Two sources in one image: ``overlay:IMAGE|LABELS``, both imageIds of any scheme."""

import asyncio
from dataclasses import replace

import numpy as np

from pyloader import Context, Image, ImageId, register_loader
from pyloader.pixels.output.voi import display

COLORS = np.array([[0, 0, 0], [70, 160, 255], [255, 84, 84], [255, 205, 60]])
OPACITY = 0.4


@register_loader("overlay")
async def load(image_id: ImageId, context: Context) -> Image:
    image, labels = await asyncio.gather(*map(context.load, image_id.inner.split("|")))
    if image.pixels.shape != labels.pixels.shape:
        raise ValueError(f"{image.pixels.shape} pixels have {labels.pixels.shape} labels")
    opacity = OPACITY * (labels.pixels > 0)[..., None]
    mixed = (1 - opacity) * display(image)[..., None] + opacity * COLORS[labels.pixels]
    return replace(Image.from_array(mixed.round().astype("u1")), plane=image.plane)
