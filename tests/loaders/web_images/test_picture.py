"""BMP; sizes that files claim to have, and frames that they lack, of every format."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import PIL.Image
import pytest
from numpy.testing import assert_array_equal

from pyloader import list_image_ids, load_image
from pyloader.errors import DecodeError, FormatError, ImageIdError
from tests.support import pictures
from tests.support.pictures import (
    COLUMNS,
    ROWS,
    URL,
    animated,
    load,
    noise,
    photo,
    read,
    rgb_of,
    saved,
)

# ------------------------------------------------------------------ BMP


@pytest.mark.parametrize("mode", ["1", "P", "L", "RGB", "RGBA"])
async def test_bmp(mode):
    body = saved(PIL.Image.fromarray(noise(ROWS, COLUMNS - 3, 4)).convert(mode), "BMP")
    image = await load(body)
    assert_array_equal(rgb_of(image.pixels), read(body, "RGB"))


def bmp(depth: int, colors: int, compression: int = 0, masks: bytes = b"") -> bytes:
    """Make a BMP of noise with its first row at the top."""
    columns = COLUMNS - 3
    stride = (columns * depth + 31) // 32 * 4
    table = noise(colors, 4, seed=3)
    table[:, 3] = 0
    offset = 54 + len(masks) + table.nbytes
    size = offset + stride * ROWS
    header = struct.pack(
        "<2sIIIIiiHHIIiiII",
        b"BM",
        size,
        0,
        offset,
        40,
        columns,
        -ROWS,
        1,
        depth,
        compression,
        0,
        0,
        0,
        colors,
        0,
    )
    return header + masks + table.tobytes() + noise(ROWS, stride).tobytes()


@pytest.mark.parametrize(
    ("depth", "colors"), [(1, 2), (4, 16), (8, 256), (16, 0), (24, 0), (32, 0)]
)
async def test_bmp_from_top_to_bottom(depth, colors):
    body = bmp(depth, colors)
    image = await load(body)
    bound = 8 if depth == 16 else 0  # 5 bits are widened in one way or another
    assert np.abs(rgb_of(image.pixels).astype(int) - read(body, "RGB")).max() <= bound


async def test_bmp_with_masks():
    body = bmp(16, 0, 3, struct.pack("<III", 0xF800, 0x07E0, 0x001F))
    image = await load(body)
    assert np.abs(image.pixels.astype(int) - read(body, "RGB")).max() <= 8


async def test_bmp_cut_off():
    with pytest.raises(FormatError, match=r"the BMP ends after .* cut off"):
        await load(saved(photo(), "BMP")[:-1])


# ------------------------------------------------------------------ sizes


async def test_png_that_is_a_bomb():
    with pytest.raises(FormatError, match=r"this PNG of 60000 x 60000 .* needs 10800000000 bytes"):
        await load(pictures.png_bomb(60_000, 60_000))


async def test_gif_that_is_a_bomb():
    body = bytearray(animated(pictures.moving(2), "GIF"))
    body[6:10] = b"\xff" * 4
    with pytest.raises(FormatError, match=r"this GIF of 65535 x 65535 pixels needs"):
        await load(bytes(body))


async def test_gif_whose_frames_are_a_bomb_together():
    body = animated(pictures.moving(4), "GIF")
    with pytest.raises(FormatError, match="this GIF of 4 frames needs"):
        await load(body, decoded_bytes=ROWS * COLUMNS * 4 * 3)


async def test_jpeg_that_is_a_bomb():
    body = bytearray(saved(photo(), "JPEG"))
    start = body.index(b"\xff\xc0")
    body[start + 5 : start + 9] = b"\xff\xdc" * 2
    with pytest.raises(FormatError, match=r"this JPEG of 65500 x 65500 pixels needs"):
        await load(bytes(body))


async def test_bmp_with_an_absurd_size():
    body = bytearray(saved(photo(), "BMP"))
    body[18:22] = struct.pack("<i", 1 << 30)
    with pytest.raises(FormatError, match="header is damaged"):
        await load(bytes(body))


async def test_avif_that_is_a_bomb():
    body = bytearray(saved(photo(), "AVIF"))
    start = body.index(b"ispe") + 8
    body[start : start + 8] = struct.pack(">II", 1 << 20, 1 << 20)
    with pytest.raises(FormatError, match=r"this AVIF of 1048576 x 1048576 pixels needs"):
        await load(bytes(body))


@pytest.mark.parametrize(
    ("kind", "module"), [("JPEG", "jpeg"), ("WEBP", "webp"), ("AVIF", "picture")]
)
async def test_decoded_size_has_to_be_that_of_the_header(monkeypatch, kind, module):
    monkeypatch.setattr(
        f"pyloader.loaders.web_images.{module}.decode_picture",
        lambda *args, **options: np.zeros((ROWS, COLUMNS + 1, 3), "u1"),
    )
    expected = f"decodes to {ROWS} x {COLUMNS + 1} pixels .* header says {ROWS} x {COLUMNS}"
    with pytest.raises(DecodeError, match=expected):
        await load(saved(photo(), kind))


# ------------------------------------------------------------------ what follows the end


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
@pytest.mark.parametrize("rest", [b"\0\0\0", b"\r\n", b"behind the end", b"\xff" * 40])
async def test_bytes_after_the_end(kind, rest):
    pixels = photo()[..., 0] if kind == "GIF" else photo()
    body = saved(pixels, kind)
    image = await load(body + rest)
    assert_array_equal(image.pixels, (await load(body)).pixels)
    assert np.abs(rgb_of(image.pixels).astype(int) - read(body + rest, "RGB")).max() <= 2
    assert image.warnings == (
        f"{len(rest)} bytes after the end of the {image_name(kind)} were left out",
    )


def image_name(kind: str) -> str:
    """Return a format's name as it is written."""
    return {"WEBP": "WebP"}.get(kind, kind)


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
async def test_frames_before_bytes_after_the_end(kind):
    body = animated(pictures.moving(3), kind)
    expected = (await load(body, "#frame=3")).pixels
    assert_array_equal((await load(body + b"behind", "#frame=3")).pixels, expected)


async def test_chunk_after_the_end_of_a_webp_is_not_of_it():
    """Its frames end where it says (RFC 9649 2.4)."""
    body = animated(pictures.moving(2), "WEBP")
    start = body.index(b"ANMF")
    length = 8 + int.from_bytes(body[start + 4 : start + 8], "little")
    with pytest.raises(ImageIdError, match="the file has 2"):
        await load(body + body[start : start + length], "#frame=3")


@pytest.mark.parametrize("rest", [b"\0\0\1\0mdat", b"\0\0\1\0moov", b"\0\0\1\0meta"])
async def test_avif_with_a_box_of_pixels_that_is_cut_off(rest):
    with pytest.raises(FormatError, match="the AVIF ends within its box"):
        await load(saved(photo(), "AVIF") + rest)


# ------------------------------------------------------------------ frames


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF"])
async def test_list_has_an_imageid_for_each_frame(context, transport, kind):
    transport.answers[URL] = animated(pictures.moving(3), kind)
    found = await list_image_ids(URL, context)
    assert found == [f"{URL}#frame=1", f"{URL}#frame=2", f"{URL}#frame=3"]
    await load_image(found[2], context)
    assert len(transport.requests) == 1


@pytest.mark.parametrize("kind", ["PNG", "GIF", "JPEG"])
async def test_frame_that_is_not_there(kind):
    with pytest.raises(ImageIdError, match="frame 2 was asked for; the file has 1"):
        await load(saved(photo()[..., 0], kind), "#frame=2")


def test_pillow_reads_what_is_made_here():
    """Else the comparisons above would compare nothing."""
    assert PIL.Image.open(BytesIO(animated(pictures.moving(3), "AVIF"))).n_frames == 3
    assert PIL.Image.open(BytesIO(bmp(8, 256))).size == (COLUMNS - 3, ROWS)
