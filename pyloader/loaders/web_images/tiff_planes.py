"""Planes of a TIFF that its description declares, but that have no directory.

MetaMorph (STK) and NIH Image write a single directory for any stack, ImageJ for one beyond 4 GB,
tifffile for one that it is told to truncate. The pixels of the other planes follow those of the
first. If they are missing, the image carries a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pyloader.jsontext import read_json
from pyloader.loaders.web_images.picture import Pixels

# A tag with one value for each plane of a MetaMorph stack.
UIC2 = 33629


class Plane(NamedTuple):
    """One image: the index of its directory, and of its plane within that, from 0."""

    page: int
    place: int


class Declared(NamedTuple):
    """The number of planes that a description declares for a directory, or from that one on."""

    page: int
    planes: int
    source: str
    directories: int


def planes_of(tiff: Any, size: int) -> tuple[list[Plane], tuple[str, ...]]:
    """Return the planes of a file in order, and warnings about missing ones.

    Parameters
    ----------
    tiff : tifffile.TiffFile
    size : int
        Bytes of the file.
    """
    counts, notes = {}, []
    for declared in declarations(tiff):
        if declared.directories == 1 and follows(tiff.pages[declared.page], declared.planes, size):
            counts[declared.page] = declared.planes
        else:
            notes.append(
                f"its description ({declared.source}) says {declared.planes} planes, but only "
                f"{declared.directories} could be found: the others are missing or in other files"
            )
    planes = [
        Plane(page, place)
        for page in range(len(tiff.pages))
        for place in range(counts.get(page, 1))
    ]
    return planes, tuple(notes)


def follows(page: Any, count: int, size: int) -> bool:
    """Return whether all `count` planes of a directory are contiguous and uncompressed."""
    is_plain = page.compression == 1 and page.predictor == 1 and page.fillorder == 1
    if not is_plain or not page.is_contiguous or not page.nbytes:
        return False
    return bool(page.dataoffsets[0] + count * page.nbytes <= size)


def plane_pixels(page: Any, place: int, body: bytes) -> Pixels:
    """Return a plane of a directory whose planes are contiguous, in the shape of its page."""
    dtype = page.dtype.newbyteorder(page.parent.byteorder)
    start = page.dataoffsets[0] + place * page.nbytes
    stored = np.frombuffer(body, dtype, page.nbytes // dtype.itemsize, start)
    return stored.reshape(page.shape).astype(page.dtype)


def declarations(tiff: Any) -> Iterator[Declared]:
    """Yield each declaration of more planes than there are directories."""
    first, count = tiff.pages[0], len(tiff.pages)
    if first.is_shaped:
        yield from shaped_declarations(tiff)
        return
    for source, planes in (
        ("ImageJ", imagej_planes(tiff, first)),
        ("MetaMorph", first.tags[UIC2].count if UIC2 in first.tags else 0),
        ("NIH Image", (tiff.nih_metadata or {}).get("nSlices", 0) if first.is_nih else 0),
        ("OME", ome_planes(tiff.ome_metadata) if first.is_ome else 0),
    ):
        if planes > count:
            yield Declared(0, int(planes), source, count)


def imagej_planes(tiff: Any, page: Any) -> int:
    """Return the number of planes of an ImageJ stack, 0 for any other file."""
    if not page.is_imagej:
        return 0
    told = tiff.imagej_metadata or {}
    product = 1
    for key in ("channels", "slices", "frames"):
        product *= number(told.get(key, 1))
    count = max(number(told.get("images", 1)), product)
    # The samples of a page may be declared as channels.
    samples = page.samplesperpixel
    is_whole = samples > 1 and number(told.get("channels", 1)) == samples
    return count // samples if is_whole and count % samples == 0 else count


def number(value: Any) -> int:
    """Return a count of ImageJ's description, 1 if it is not a positive integer."""
    return value if isinstance(value, int) and value > 0 else 1


def ome_planes(text: str | None) -> int:
    """Return the number of planes of all images of OME-XML, 0 if it cannot be parsed."""
    from xml.etree import ElementTree  # imported here, because few files need it

    try:
        pixels = ElementTree.fromstring(text or "").findall("{*}Image/{*}Pixels")
        return sum(planes_of_ome(each) for each in pixels)
    except (ElementTree.ParseError, ValueError):
        return 0


def planes_of_ome(pixels: Any) -> int:
    """Return the number of planes of one image; a plane has all samples of its channel."""
    depth, channels, times = (int(pixels.get(f"Size{axis}", 1)) for axis in "ZCT")
    told = pixels.findall("{*}Channel")
    samples = max((int(each.get("SamplesPerPixel", 1)) for each in told), default=1)
    return depth * -(-channels // samples) * times


def shaped_declarations(tiff: Any) -> Iterator[Declared]:
    """Yield the series written by tifffile that have more planes than directories."""
    index, total = 0, len(tiff.pages)
    while index < total:
        page = tiff.pages[index]
        planes, is_truncated = shaped_planes(page)
        directories = 1 if is_truncated else min(planes, total - index)
        if planes > directories:
            yield Declared(index, planes, "tifffile", directories)
        index += directories


def shaped_planes(page: Any) -> tuple[int, bool]:
    """Return the planes that a page's description declares, and whether it is truncated.

    A truncated page has the only directory for all of them.
    """
    description = getattr(page, "shaped_description", None) or ""
    try:
        if found := re.match(r"shape=\(([\d, ]+)\)", description):
            told: dict[str, Any] = {"shape": [int(each) for each in re.findall(r"\d+", found[1])]}
        else:
            told = read_json(description)
        pixels = int(np.prod(told["shape"], dtype=object))
    except (ValueError, TypeError, KeyError):
        return 1, False
    own = int(np.prod(page.shape, dtype=object)) or 1
    is_multiple = pixels > own and pixels % own == 0
    return (pixels // own, bool(told.get("truncated"))) if is_multiple else (1, False)
