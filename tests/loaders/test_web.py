"""``http:``, ``https:`` and ``web:``: which address is asked, and what is no image of the web."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader import Context, list_image_ids, load_image, load_metadata
from pyloader.cache import Cache
from pyloader.errors import (
    HttpStatusError,
    ImageIdError,
    NetworkError,
    UnsupportedError,
)
from pyloader.network import Network
from pyloader.pixels.color import to_8_bit
from pyloader.transport import Response
from pyloader.transport.native import NativeTransport
from tests.support import pictures
from tests.support.pictures import HTML, noise, photo, saved

PIXELS = noise(20, 30, dtype="u2")
PNG = saved(PIXELS, "PNG")
# ------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    ("image_id", "url"),
    [
        ("https://host/a", "https://host/a"),
        ("http://host/a?frame=7&id=3", "http://host/a?frame=7&id=3"),
        ("https://host/a?token=x%2Fy#frame=1", "https://host/a?token=x%2Fy"),
        ("web:https://host/a?id=3", "https://host/a?id=3"),
        ("web:https://host/a?id=3&frame=1", "https://host/a?id=3"),
        ("web:https://host/a?frame=1&id=3", "https://host/a?id=3"),
        ("web:images/a.png", "images/a.png"),
        ("web:blob:https://host/0-1", "blob:https://host/0-1"),
    ],
)
async def test_address_that_is_asked(context, transport, image_id, url):
    transport.answers[url] = PNG
    image = await load_image(image_id, context)
    assert_array_equal(image.pixels, PIXELS)
    assert [request.url for request in transport.requests] == [url]


async def test_data_and_files_under_plain_python(tmp_path):
    """Through the transport of CPython."""
    (tmp_path / "a.png").write_bytes(PNG)
    address = f"data:image/jpeg;base64,{base64.b64encode(PNG).decode()}"
    for image_id in (f"web:{address}", f"web:{tmp_path}/a.png", f"web:file://{tmp_path}/a.png"):
        assert_array_equal((await load_image(image_id)).pixels, PIXELS)


async def test_blob_is_of_a_page():
    with pytest.raises(NetworkError, match="could not fetch blob:x"):
        await load_image(
            "web:blob:x", Context(Network(NativeTransport(), retries=0), Cache(1 << 20))
        )


@pytest.mark.parametrize(
    ("image_id", "expected"),
    [
        ("https://host/a?x=1", ["https://host/a?x=1#frame=1", "https://host/a?x=1#frame=2"]),
        (
            "web:https://host/a?x=1",
            ["web:https://host/a?x=1&frame=1", "web:https://host/a?x=1&frame=2"],
        ),
    ],
)
async def test_list(context, transport, image_id, expected):
    transport.answers["https://host/a?x=1"] = pictures.animated(pictures.moving(2), "GIF")
    assert await list_image_ids(image_id, context) == expected
    for each in expected:
        await load_image(each, context)
    assert len(transport.requests) == 1


@pytest.mark.parametrize("image_id", ["https://host/a#12", "web:a.png#z-3,t-1"])
async def test_slice_of_a_volume_is_not_a_frame(context, transport, image_id):
    with pytest.raises(
        ImageIdError, match=r"names the slice .* of a volume, .*; name a frame or a page"
    ):
        await load_image(image_id, context)
    assert transport.requests == []


async def test_metadata(context, transport):
    transport.answers["https://host/a"] = PNG
    modules = await load_metadata("https://host/a", context)
    assert (modules["image_pixel"].rows, modules["image_pixel"].columns) == (20, 30)
    assert modules["image_plane"].pixel_spacing is None


async def test_name_and_media_type_say_nothing(context, transport):
    url = "https://host/a.jpg"
    transport.answers[url] = Response(url, 200, {"content-type": "text/html"}, PNG)
    assert_array_equal((await load_image(url, context)).pixels, PIXELS)


async def test_refusal_of_the_server(context, transport):
    transport.answers["https://host/a"] = Response("https://host/a", 403, {}, HTML)
    with pytest.raises(HttpStatusError, match="status 403"):
        await load_image("https://host/a", context)


async def test_file_stays_fetched_until_it_is_let_go(context, transport):
    transport.answers["https://host/a"] = PNG
    await load_image("https://host/a", context)
    assert context.cache.size == len(PNG)
    context.cache.discard("https://host/a")
    assert context.cache.size == 0


# ------------------------------------------------------------------ for viewers


def test_wide_colors_for_viewers_are_their_upper_bytes():
    pixels = noise(4, 5, 3, dtype="u2")
    assert_array_equal(to_8_bit(pixels, 16), pixels // 256)
    assert_array_equal(to_8_bit(pixels >> 4, 12), pixels // 256)


async def test_browser_decodes_what_has_no_codec(context, transport, monkeypatch):
    """As in a page, whose imagecodecs has neither GIF nor AVIF."""
    calls = []

    class Host:
        async def decode(self, body: bytes, media_type: str, frame_index: int) -> Any:
            calls.append((len(body), media_type, frame_index))
            return np.dstack([photo(), np.full(photo().shape[:2], 255, "u1")])

    body = saved(photo(), "AVIF")
    transport.answers["https://host/a"] = body
    monkeypatch.setattr("pyloader.loaders.web_images.avif.has_codec", lambda name: False)
    image = await load_image("https://host/a", replace(context, host=Host()))
    assert_array_equal(image.pixels, photo())
    assert calls == [(len(body), "image/avif", 0)]


async def test_plain_python_without_codec_says_so(context, transport, monkeypatch):
    transport.answers["https://host/a"] = pictures.animated(pictures.moving(2), "GIF")
    monkeypatch.setattr("pyloader.loaders.web_images.gif.has_codec", lambda name: False)
    with pytest.raises(UnsupportedError, match="image/gif is decoded by browsers"):
        await load_image("https://host/a", context)
