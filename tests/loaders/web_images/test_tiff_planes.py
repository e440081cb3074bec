"""Planes that a description names and no directory does, as tifffile reads them, or a warning."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from pyloader import Context, list_image_ids
from pyloader.cache import Cache
from pyloader.network import Network
from pyloader.transport.memory import MemoryTransport
from tests.support.pictures import URL, load, noise
from tests.support.tiffs import DATA_START, LONG, RATIONAL, SHORT, UNDEFINED, Tag, tiff_of

ROWS, COLUMNS, PLANES = 16, 20, 6
STACK = noise(PLANES, ROWS, COLUMNS, dtype="u2")
MISSING = "says 6 planes, but only 1 could be found"


async def count(body: bytes) -> int:
    """Return how many images pyloader lists."""
    network = Network(MemoryTransport({URL: body}), retries=0)
    return len(await list_image_ids(URL, Context(network, Cache(1 << 20))))


async def check_planes(body: bytes, planes: np.ndarray) -> None:
    """Compare all images of a file."""
    assert await count(body) == len(planes)
    for index, plane in enumerate(planes):
        image = await load(body, f"#frame={index + 1}")
        assert_array_equal(image.pixels, plane)
        assert image.warnings == ()


def written(pixels: np.ndarray, **options: Any) -> bytes:
    """Write a stack with tifffile."""
    stream = BytesIO()
    tifffile.imwrite(stream, pixels, **{"photometric": "minisblack", **options})
    return stream.getvalue()


# ------------------------------------------------------------------ planes that are there


@pytest.mark.parametrize("kind", [{"imagej": True}, {}, {"bigtiff": True}, {"byteorder": ">"}])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
async def test_one_directory_for_a_stack(kind, dtype):
    pixels = STACK.astype(dtype)
    body = written(pixels, truncate=True, **kind)
    with tifffile.TiffFile(BytesIO(body)) as file:
        assert len(file.pages) == 1
        assert_array_equal(file.asarray(), pixels)
    await check_planes(body, pixels)


@pytest.mark.parametrize("kind", [{"imagej": True}, {}])
async def test_stack_of_colors(kind):
    pixels = noise(PLANES, ROWS, COLUMNS, 3)
    await check_planes(written(pixels, truncate=True, photometric="rgb", **kind), pixels)


async def test_stack_of_color_planes():
    pixels = noise(PLANES, 3, ROWS, COLUMNS)
    body = written(pixels, truncate=True, photometric="rgb", planarconfig="separate")
    await check_planes(body, np.moveaxis(pixels, 1, -1))


async def test_channels_slices_and_times():
    pixels = noise(2, 3, 2, ROWS, COLUMNS, dtype="u2")
    body = written(pixels, imagej=True, truncate=True, metadata={"axes": "TZCYX"})
    await check_planes(body, pixels.reshape(-1, ROWS, COLUMNS))


@pytest.mark.parametrize("kind", [{"imagej": True}, {"ome": True}, {}, {"compression": "zlib"}])
async def test_directory_for_each_plane(kind):
    await check_planes(written(STACK, **kind), STACK)


async def test_several_stacks_in_one_file():
    stream = BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(STACK, truncate=True, photometric="minisblack")
        writer.write(STACK[:3], truncate=True, photometric="minisblack")
        writer.write(STACK[:2], photometric="minisblack")
        writer.write(STACK[5], photometric="minisblack", metadata=None)
    expected = np.concatenate([STACK, STACK[:3], STACK[:2], STACK[5:]])
    await check_planes(stream.getvalue(), expected)


def plain_tags(strips: int = 1) -> list[Tag]:
    """Return the tags of the first plane of `STACK`."""
    size = ROWS * COLUMNS * 2 // strips
    numbers = {256: COLUMNS, 257: ROWS, 258: 16, 259: 1, 262: 1, 277: 1, 278: ROWS // strips}
    shorts: list[Tag] = [(number, SHORT, 1, value) for number, value in numbers.items()]
    if strips == 1:
        return [*shorts, (273, LONG, 1, DATA_START), (279, LONG, 1, size)]
    starts = struct.pack(f"<{strips}I", *(DATA_START + index * size for index in range(strips)))
    return [
        *shorts,
        (273, LONG, strips, starts),
        (279, LONG, strips, struct.pack("<I", size) * strips),
    ]


def metamorph(data: bytes, strips: int = 1) -> bytes:
    """Make a stack as MetaMorph writes it."""
    planes = struct.pack("<6I", 1, 1, 2_459_000, 0, 2_459_000, 0) * PLANES
    tags: list[Tag] = [(33628, LONG, 1, bytes(8)), (33629, RATIONAL, PLANES, planes)]
    return tiff_of([*plain_tags(strips), *tags], data)


@pytest.mark.parametrize("strips", [1, 4])
async def test_metamorph(strips):
    body = metamorph(STACK.tobytes(), strips)
    assert_array_equal(tifffile.imread(BytesIO(body)), STACK)
    await check_planes(body, STACK)


async def test_nih_image():
    header = np.zeros(1, np.dtype(tifffile.TIFF.NIH_IMAGE_HEADER))
    header["FileID"], header["nSlices"] = b"IPICIMAG", PLANES
    tag: Tag = (43314, UNDEFINED, header.nbytes, header.tobytes())
    await check_planes(tiff_of([*plain_tags(), tag], STACK.tobytes()), STACK)


# ------------------------------------------------------------------ planes that are missing


def renamed(description: str, **options: Any) -> bytes:
    """Write one slice, with the description of a stack that it was taken from."""
    return written(STACK[0], description=description, metadata=None, **options)


def ome() -> str:
    """Return the OME-XML of `STACK`."""
    with tifffile.TiffFile(BytesIO(written(STACK, ome=True, metadata={"axes": "ZYX"}))) as file:
        return str(file.ome_metadata)


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("ImageJ", renamed("ImageJ=1.54f\nimages=6\nslices=6\n")),
        ("ImageJ", renamed("ImageJ=1.54f\nslices=3\nframes=2\n", compression="zlib")),
        ("ImageJ", written(STACK, imagej=True, truncate=True)[:-1]),
        ("tifffile", renamed('{"shape": [6, 16, 20]}')),
        ("tifffile", renamed('{"shape": [2, 3, 16, 20], "truncated": true}')),
        ("MetaMorph", metamorph(STACK[:3].tobytes())),
        ("OME", renamed(ome())),
    ],
)
async def test_planes_that_are_not_in_the_file(source, body):
    """The first is shown, and the image says that there should be others."""
    assert await count(body) == 1
    image = await load(body)
    assert_array_equal(image.pixels, STACK[0])
    assert any(f"description ({source}) {MISSING}" in note for note in image.warnings)


async def test_directories_for_some_planes():
    stream = BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        for index in range(2):
            text = "ImageJ=1.54f\nimages=6\n" if index == 0 else None
            writer.write(STACK[index], photometric="minisblack", metadata=None, description=text)
    image = await load(stream.getvalue(), "#frame=2")
    assert_array_equal(image.pixels, STACK[1])
    assert any("says 6 planes, but only 2 could be found" in note for note in image.warnings)


@pytest.mark.parametrize("text", ["{", '{"shape": "6"}', '{"shape": [7]}', "<OME", "ImageJ=\n"])
async def test_description_that_means_nothing(text):
    assert_array_equal((await load(renamed(text))).pixels, STACK[0])
