"""WebP: lossy and lossless, alpha, orientation, and animations."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader import load_image
from pyloader.errors import FormatError
from pyloader.loaders.web_images import webp
from pyloader.pixels.codecs import decode_picture
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
    rgba_of,
    saved,
    without_hidden,
)


async def test_webp_lossy():
    body = saved(photo(), "WEBP", quality=80)
    image = await load(body)
    assert np.abs(image.pixels.astype(int) - read(body)).max() <= 2
    assert image.encoding.lossy_image_compression


async def test_webp_lossless():
    image = await load(saved(photo(), "WEBP", lossless=True))
    assert_array_equal(image.pixels, photo())
    assert not image.encoding.lossy_image_compression


async def test_webp_with_alpha():
    pixels = noise(ROWS, COLUMNS, 4)
    image = await load(saved(pixels, "WEBP", lossless=True, exact=True))
    assert_array_equal(image.pixels, pixels)


async def test_webp_orientation():
    body = saved(photo(), "WEBP", lossless=True, exif=pictures.oriented(6))
    image = await load(body)
    assert_array_equal(image.pixels, read(body))


@pytest.mark.parametrize("samples", [3, 4])
async def test_webp_frames(samples):
    frames = pictures.moving(4, samples)
    body = animated(frames, "WEBP", lossless=True, exact=True)
    for index in range(4):
        image = await load(body, f"#frame={index + 1}")
        expected = read(body, "RGBA", index)
        assert_array_equal(without_hidden(rgba_of(image.pixels)), without_hidden(expected))
    assert not image.encoding.lossy_image_compression


def anmf(row: int, column: int, pixels: np.ndarray, flags: int) -> bytes:
    """Return a frame of an animated WebP."""
    still = saved(pixels, "WEBP", lossless=True, exact=True)
    chunks = still[still.index(b"VP8L") :]
    numbers = (column // 2, row // 2, pixels.shape[1] - 1, pixels.shape[0] - 1, 50)
    payload = b"".join(number.to_bytes(3, "little") for number in numbers) + bytes([flags])
    payload += chunks
    return b"ANMF" + struct.pack("<I", len(payload)) + payload


def animated_webp(frames: list[bytes]) -> bytes:
    """Return an animated WebP of `ROWS` x `COLUMNS`."""
    size = (COLUMNS - 1).to_bytes(3, "little") + (ROWS - 1).to_bytes(3, "little")
    chunks = b"VP8X" + struct.pack("<IB3x", 10, 0x12) + size
    chunks += b"ANIM" + struct.pack("<IIH", 6, 0, 0) + b"".join(frames)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


@pytest.mark.parametrize("flags", [0, 1, 2, 3])
async def test_webp_frames_are_blended_and_cleared(flags):
    base, part = noise(ROWS, COLUMNS, 4), noise(20, 30, 4, seed=6)
    frames = [anmf(0, 0, base, 2), anmf(4, 10, part, flags), anmf(2, 2, part, 0)]
    body = animated_webp(frames)
    for index in range(3):
        image = await load(body, f"#frame={index + 1}")
        expected = read(body, "RGBA", index).astype(int)
        seen = expected[..., 3] > 8  # rounding moves colors of what is hardly there
        assert np.abs(rgba_of(image.pixels).astype(int) - expected)[seen].max() <= 8
        assert np.abs(image.pixels[..., 3].astype(int) - expected[..., 3]).max() <= 2


async def test_webp_frame_beyond_its_canvas():
    frames = [anmf(0, 0, noise(ROWS, COLUMNS, 4), 2), anmf(30, 4, noise(20, 20, 4), 2)]
    with pytest.raises(FormatError, match="frame 2 of the WebP, 20 x 20 pixels at row 30"):
        await load(animated_webp(frames), "#frame=2")


async def test_webp_that_is_a_bomb():
    body = bytearray(animated_webp([anmf(0, 0, noise(4, 4, 4), 2)]))
    body[24:30] = b"\xff" * 6
    with pytest.raises(FormatError, match=r"this WebP of 16777216 x 16777216 pixels needs"):
        await load(bytes(body))


@pytest.mark.parametrize("kept", [14, 40, -2])
async def test_webp_cut_off(kept):
    with pytest.raises(FormatError, match="cut off"):
        await load(saved(photo(), "WEBP", lossless=True)[:kept])


async def test_frames_of_a_webp_are_composed_once(context, transport, monkeypatch):
    transport.answers[URL] = animated(pictures.moving(4), "WEBP", lossless=True)
    decoded: list[bytes] = []

    def count(codec: str, body: bytes, **options: bool) -> np.ndarray:
        decoded.append(body)
        return decode_picture(codec, body, **options)

    monkeypatch.setattr(webp, "decode_picture", count)
    images = [await load_image(f"web:{URL}&frame={number}", context) for number in (3, 1, 4, 2)]
    assert len(decoded) == 4
    assert len({image.pixels.tobytes() for image in images}) == 4
