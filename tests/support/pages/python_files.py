"""A Python file that registers a loader."""

from __future__ import annotations

PYTHON = """
import numpy as np
from pyloader import Context, Image, ImageId, register_loader

@register_loader("{scheme}")
async def load(image_id: ImageId, context: Context) -> Image:
    response = await context.fetch("/made/raw")
    context.progress(1, 2)
    return Image.from_array(
        np.frombuffer(response.body, "<u2").reshape(4, 8) + len(image_id.rest),
        pixel_spacing=(0.5, 0.25), window_center=10, window_width=20,
        rescale_slope=context.options.get("slope", 2.0),
    )
"""
