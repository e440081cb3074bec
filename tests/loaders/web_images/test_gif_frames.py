"""GIFs as Pillow reads them, still and frame by frame."""

from __future__ import annotations

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
from pyloader.loaders.web_images import gif
from tests.support import pictures
from tests.support.pictures import (
    COLUMNS,
    ROWS,
    URL,
    animated,
    load,
    photo,
    read,
    rgba_of,
    saved,
    without_hidden,
)


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
