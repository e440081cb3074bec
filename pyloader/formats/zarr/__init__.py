"""``zarr:``: slices of OME-Zarr images and other Zarr arrays; only their chunks are fetched.

A slice is ``zarr:https://host/image.zarr?level=1&channel=0&frame=3``, from 1 as stored, or
``#x-12,t-3``. ``level`` is the pyramid level, 0 (the default) the finest; ``channel`` counts from
0. Neither is sent to a server; the rest of the query goes with each request. If nothing describes
an array's axes, the last ones are timepoints, slices, rows and columns.
A zip archive of a hierarchy (``image.zarr.zip``, ``image.ozx``, a user's file) is fetched whole.

Supported are Zarr 2 and 3, and OME-Zarr 0.1 to 0.5. The library zarr does not run in browsers, so
`chunks.py` reads the chunks. The axes x, y and z of an image are assumed to be the patient's, LPS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyloader import Context, Image, ImageId, register_loader
from pyloader.formats.zarr.chunks import read_region
from pyloader.formats.zarr.image import ZarrImage, first_of, open_image
from pyloader.formats.zarr.store import Store


async def list_image_ids(image_id: ImageId, context: Context) -> list[str]:
    """List the slices of a level and channel."""
    image, _ = await open_source(image_id, context)
    return image.grid.image_ids(image_id)


async def load_metadata(image_id: ImageId, context: Context) -> Mapping[str, Any]:
    """Describe a slice without fetching chunks."""
    image, _ = await open_source(image_id, context)
    cut = image.grid.cut(image_id)
    blank = np.broadcast_to(image.array.fill, [len(part) for part in image.region(cut)])
    return image.volume_of(blank, cut).modules(first_of(image_id))


@register_loader("zarr", image_ids=list_image_ids, metadata=load_metadata)
async def load(image_id: ImageId, context: Context) -> Image:
    """Load a slice."""
    image, store = await open_source(image_id, context)
    cut = image.grid.cut(image_id)
    part = await read_region(store, image.array, image.region(cut))
    return image.volume_of(part, cut).image(first_of(image_id))


async def open_source(image_id: ImageId, context: Context) -> tuple[ZarrImage, Store]:
    """Fetch the metadata of a level and channel, once for all their slices."""
    url, options = image_id.take_options("level", "channel")

    async def make(context: Context) -> ZarrImage:
        return await open_image(Store(context, image_id.source, url), options, image_id)

    image = await context.cached(image_id.source, make)
    return image, Store(context, image_id.source, url)
