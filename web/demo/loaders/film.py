"""Many images in one file: ``film:ADDRESS?frame=N``, a line of JSON, then 128 x 128 pixels each."""

import json

import numpy as np

from pyloader import Context, Image, ImageId, register_loader


async def read(image_id: ImageId, context: Context) -> dict:
    async def parse(context: Context) -> dict:
        response = await context.fetch(image_id.rest)
        line, _, body = response.body.partition(b"\n")
        return json.loads(line) | {"frames": np.frombuffer(body, "<u2").reshape(-1, 128, 128)}

    return await context.cached(image_id.source, parse)


async def image_ids(image_id: ImageId, context: Context) -> list[str]:
    film = await read(image_id, context)
    return [image_id.of_frame(index) for index in range(len(film["frames"]))]


@register_loader("film", image_ids=image_ids)
async def load(image_id: ImageId, context: Context) -> Image:
    film = await read(image_id, context)
    frame = film["frames"][image_id.frame_index]
    return Image.from_array(frame, modules=film["modules"], **film["attributes"])
