"""WebP, GIF and AVIF as Pillow reads them, still and frame by frame."""

from __future__ import annotations

import struct
from dataclasses import replace

import imagecodecs
import numpy as np
import PIL.Image
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from pyloader import load_image
from pyloader.errors import DecodeError, FormatError
from pyloader.host import PlainHost
from pyloader.loaders.web_images import gif, webp
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

# ------------------------------------------------------------------ WebP


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


# ------------------------------------------------------------------ GIF


@pytest.mark.parametrize(
    ("samples", "disposal"), [(3, 0), (3, 1), (3, 2), (4, 0), (4, 1), (4, 2), (4, 3)]
)
async def test_gif_frames(samples, disposal):
    body = animated(pictures.moving(4, samples), "GIF", disposal=disposal)
    for index in range(4):
        image = await load(body, f"#frame={index + 1}")
        expected = read(body, "RGBA", index)
        assert_array_equal(without_hidden(rgba_of(image.pixels)), without_hidden(expected))


async def test_gif_that_restores_what_was_before_its_first_frame():
    """Nothing was, as browsers have it; Pillow leaves the first frame where it is."""
    body = animated(pictures.moving(2), "GIF", disposal=3)
    image = await load(body, "#frame=2")
    changed = (pictures.moving(2)[0] != pictures.moving(2)[1]).any(axis=-1)
    assert not image.pixels[~changed][..., :3].any()
    assert_array_equal(image.pixels[changed][..., :3], pictures.moving(2)[1][changed])


async def test_gif_of_one_frame():
    body = saved(PIL.Image.fromarray(photo()).quantize(200), "GIF")
    image = await load(body)
    assert_array_equal(image.pixels, read(body, "RGB"))


async def test_gif_frames_are_decoded_together_once(context, transport, monkeypatch):
    transport.answers[URL] = animated(pictures.moving(4), "GIF")
    decode, calls = imagecodecs.gif_decode, []
    monkeypatch.setattr(imagecodecs, "gif_decode", lambda body: calls.append(1) or decode(body))
    for number in (1, 2, 3, 4):
        await load_image(f"{URL}#frame={number}", context)
    assert (len(calls), len(transport.requests)) == (1, 1)


@pytest.mark.parametrize("cut", [10, 100, -20, -2])
async def test_gif_cut_off(cut):
    with pytest.raises(FormatError, match=r"the GIF (ends after|has 0 frames|has an unknown)"):
        await load(animated(pictures.moving(3), "GIF")[:cut])


async def test_gif_with_short_data():
    body = saved(PIL.Image.fromarray(photo()).quantize(200), "GIF")
    start = body.index(b"\x2c", 13 + 768)
    first = start + 11
    after = first + 1 + body[first]
    with pytest.raises(DecodeError, match="the gif codec failed"):
        await load(body[:after] + b"\0;")


@pytest.mark.parametrize(("disposal", "is_refused"), [(0, True), (2, False)])
async def test_gif_that_a_browser_shows_with_gaps(
    context, transport, monkeypatch, disposal, is_refused
):
    """Firefox does, when its data are short; a frame with a transparent color may have gaps."""
    body = animated(pictures.moving(2, 3 if is_refused else 4), "GIF", disposal=disposal)
    screen = rgba_of(read(body, "RGBA")).copy()
    screen[-1, 3:] = 0
    transport.answers[URL] = body
    monkeypatch.setattr(gif, "has_codec", lambda name: False)
    browser = Showing(screen)
    if is_refused:
        with pytest.raises(DecodeError, match=f"{ROWS * COLUMNS - COLUMNS + 3} of its"):
            await load_image(URL, replace(context, host=browser))
    else:
        image = await load_image(URL, replace(context, host=browser))
        assert_array_equal(rgba_of(image.pixels), screen)


class Showing(PlainHost):
    """A browser that shows the same of every picture."""

    def __init__(self, screen: NDArray[np.uint8]) -> None:
        self.screen = screen

    async def decode(self, body: bytes, media_type: str, frame_index: int) -> NDArray[np.uint8]:
        """Return the screen."""
        return self.screen


# ------------------------------------------------------------------ AVIF


async def test_avif():
    body = saved(photo(), "AVIF", quality=90)
    image = await load(body)
    assert np.abs(image.pixels.astype(int) - read(body)).max() <= 2
    assert image.encoding.lossy_image_compression


async def test_avif_of_10_bits():
    pixels = noise(ROWS, COLUMNS, dtype="u2") >> 6
    image = await load(imagecodecs.avif_encode(pixels, level=100, bitspersample=10))
    assert_array_equal(image.pixels, pixels)
    assert (image.pixel.bits_allocated, image.pixel.bits_stored) == (16, 10)
    assert image.pixel.photometric_interpretation == "MONOCHROME2"


async def test_avif_with_alpha():
    pixels = noise(ROWS, COLUMNS, 4)
    image = await load(imagecodecs.avif_encode(pixels, level=100, pixelformat="444"))
    assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("orientation", range(2, 9))
async def test_avif_orientation(orientation):
    body = saved(photo(), "AVIF", quality=95, exif=pictures.oriented(orientation))
    image = await load(body)
    expected = read(body)
    assert image.pixels.shape == expected.shape
    assert np.abs(image.pixels.astype(int) - expected).max() <= 2


async def test_avif_frames():
    frames = pictures.moving(3)
    body = animated(frames, "AVIF", quality=95)
    for index in range(3):
        image = await load(body, f"#frame={index + 1}")
        assert np.abs(image.pixels.astype(int) - read(body, frame=index)).max() <= 2


@pytest.mark.parametrize("cut", [40, 200, -30])
async def test_avif_cut_off(cut):
    with pytest.raises(FormatError, match="cut off"):
        await load(saved(photo(), "AVIF")[:cut])


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
