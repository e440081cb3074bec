"""Split a list of images into batches: images of one source together, small sources combined."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from pyloader.errors import ImageIdError
from pyloader.imageid import ImageId

# Images that are grouped at a time; a source whose images are further apart is fetched again.
WINDOW = 512
IMAGES_PER_BATCH = 16
# Enough to keep all workers busy until the end.
BATCHES_PER_WORKER = 4

Numbered = list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Images that are loaded by one task.

    Attributes
    ----------
    positions : tuple of int
        Index of each image in the whole list, from 0.
    image_ids : tuple of str
    """

    positions: tuple[int, ...]
    image_ids: tuple[str, ...]


def plan(image_ids: Iterable[str], workers: int) -> Iterator[Batch]:
    """Yield batches of images for a number of workers."""
    numbered = enumerate(image_ids)
    while window := list(islice(numbered, WINDOW)):
        wanted = len(window) // (BATCHES_PER_WORKER * workers)
        for batch in pack(group(window), max(1, min(wanted, IMAGES_PER_BATCH))):
            positions, texts = zip(*batch, strict=True)
            yield Batch(positions, texts)


def group(numbered: Numbered) -> Iterator[Numbered]:
    """Yield the images of each source together, at most `IMAGES_PER_BATCH`."""
    sources: dict[str, Numbered] = {}
    for position, image_id in numbered:
        sources.setdefault(source_of(image_id), []).append((position, image_id))
    for images in sources.values():
        for start in range(0, len(images), IMAGES_PER_BATCH):
            yield images[start : start + IMAGES_PER_BATCH]


def pack(groups: Iterator[Numbered], size: int) -> Iterator[Numbered]:
    """Combine groups up to `size` images."""
    packed: Numbered = []
    for images in groups:
        if packed and len(packed) + len(images) > size:
            yield packed
            packed = []
        packed = packed + images
    if packed:
        yield packed


def source_of(image_id: str) -> str:
    """Return the source of an imageId, or of a path with a frame; itself, if it is neither."""
    try:
        return ImageId.parse(image_id).source
    except ImageIdError:
        return re.split("[?#]", image_id, maxsplit=1)[0]
