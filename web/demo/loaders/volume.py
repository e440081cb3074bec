"""A volume and its slices: ``mgz:ADDRESS#x-12``, ``#y-0``, ``#z-30``; FreeSurfer's format."""

import gzip

import nibabel
import numpy as np

from pyloader import Context, ImageId
from pyloader.volume import Volume, from_ras, register_volume


@register_volume("mgz")
async def read(image_id: ImageId, context: Context) -> Volume:
    response = await context.fetch(image_id.rest)
    head = nibabel.MGHImage.from_bytes(gzip.decompress(response.body))
    print("x".join(map(str, head.shape)), head.get_data_dtype())
    return Volume.from_array(np.asarray(head.dataobj).T, affine=from_ras(head.affine))
