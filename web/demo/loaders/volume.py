"""A volume and its slices: ``mgz:ADDRESS#x-12``, ``#y-0``, ``#z-30``; FreeSurfer's format."""

import gzip

import nibabel
import numpy as np

from pyloader import Context, Image, ImageId, register_loader
from pyloader.volume import Volume, from_ras


async def read(image_id: ImageId, context: Context) -> Volume:
    async def parse(context: Context) -> Volume:
        response = await context.fetch(image_id.rest)
        head = nibabel.MGHImage.from_bytes(gzip.decompress(response.body))
        print("x".join(map(str, head.shape)), head.get_data_dtype())
        return Volume.from_array(np.asarray(head.dataobj).T, affine=from_ras(head.affine))

    return await context.cached(image_id.source, parse)


async def image_ids(image_id: ImageId, context: Context) -> list[str]:
    return (await read(image_id, context)).image_ids(image_id)


@register_loader("mgz", image_ids=image_ids)
async def load(image_id: ImageId, context: Context) -> Image:
    return (await read(image_id, context)).image(image_id)
