"""Web images through dist/ in Chromium: the same pixels as under CPython, and on both canvases."""

from __future__ import annotations

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from playwright.sync_api import Page

from pyloader import Image
from tests.support import pictures
from tests.support.gifs import TRAILER, control, frame, gif, pixels
from tests.support.pages.outcome import fail, load
from tests.support.pictures import (
    COLUMNS,
    ROWS,
    animated,
    noise,
    photo,
    read,
    saved,
    tiff,
    with_short,
)
from tests.support.tiffs import COLORS, SIZE, YCBCR, jpeg_2000, one_tile, with_segments
from tests.support.web_images import (
    EXACT,
    GREY16,
    LOSSY,
    QUANTISED,
    jpeg,
    samples,
)
from tests.support.webserver import WebServer


@pytest.mark.parametrize("name", EXACT)
def test_every_format_exactly(page: Page, site: WebServer, name: str) -> None:
    body, expected = EXACT[name]
    image = load(page, f"web:{site.put(f'/made/web/{name}', body)}")
    assert np.array_equal(samples(image, expected), expected)
    assert image["pixels"].dtype == expected.dtype
    assert image["warnings"] == []


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_formats(page: Page, site: WebServer, name: str) -> None:
    body, expected = LOSSY[name]
    image = load(page, f"web:{site.put(f'/made/web/{name}', body)}")
    found = samples(image, expected)
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).max() <= 2
    assert image["lossyImageCompression"] is True


@pytest.mark.parametrize(("kind", "samples"), [("GIF", 3), ("GIF", 4), ("WEBP", 3)])
def test_frames(page: Page, site: WebServer, kind: str, samples: int) -> None:
    options = {"GIF": {"disposal": 2}, "WEBP": {"lossless": True}}[kind]
    body = animated(pictures.moving(4, samples), kind, **options)
    path = site.put(f"/made/web/{samples}.{kind.lower()}", body)
    found = page.evaluate("(id) => pyloader.imageIds(id)", f"web:{path}")
    assert found == [f"web:{path}?frame={number}" for number in (1, 2, 3, 4)]
    for index, image_id in enumerate(found):
        expected = read(body, "RGBA", index)
        visible = load(page, image_id)["pixels"] * (expected[..., 3:] > 0)
        assert np.array_equal(visible, expected * (expected[..., 3:] > 0))
    assert len(site.asked(path)) == 1


def test_pages_of_a_tiff(page: Page, site: WebServer) -> None:
    pages = [GREY16, photo(), (GREY16 / 7).astype("f4")]
    path = site.put("/made/web/pages.tiff", tiff(*pages, compression="zstd"))
    url = f"{site.url}{path}?token=a%2Fb&frame=2"
    found = page.evaluate("(id) => pyloader.imageIds(id)", url)
    assert found == [f"{url}#frame={number}" for number in (1, 2, 3)]
    for image_id, expected in zip(found, pages, strict=True):
        assert np.array_equal(samples(load(page, image_id), expected), expected)
    assert [seen.path for seen in site.asked(path)] == [f"{path}?token=a%2Fb&frame=2"]


def test_spacing_of_a_tiff_reaches_the_viewer(page: Page, site: WebServer) -> None:
    body = tiff(GREY16, resolution=(40, 20), resolutionunit="centimeter")
    image_id = f"web:{site.put('/made/web/spacing.tiff', body)}"
    image = load(page, image_id)
    assert (image["rowPixelSpacing"], image["columnPixelSpacing"]) == (0.5, 0.25)


@pytest.mark.parametrize("kind", ["data", "blob"])
def test_address_without_server(page: Page, kind: str) -> None:
    text = base64.b64encode(saved(GREY16, "PNG")).decode()
    url = f"data:image/png;base64,{text}"
    if kind == "blob":
        script = "async (url) => URL.createObjectURL(await (await fetch(url)).blob())"
        url = page.evaluate(script, url)
    assert np.array_equal(load(page, f"web:{url}")["pixels"], GREY16)


def test_address_without_server_beside_headers(open_page: Any) -> None:
    page = open_page()
    page.evaluate(
        "pyloader.init({workers: 1, headers: {Authorization: 'Bearer x', 'X-Tenant': 'a'}})"
    )
    test_address_without_server(page, "data")
    test_address_without_server(page, "blob")


def test_blob_that_is_gone(page: Page) -> None:
    error = fail(page, "web:blob:http://127.0.0.1/gone")
    assert error["code"] == "network"


def test_address_of_another_origin(page: Page, site: WebServer) -> None:
    path = site.put("/made/web/other.png", saved(photo(), "PNG"))
    url = f"{site.other_origin}{path}?x=1&frame=2"
    assert np.array_equal(load(page, url)["pixels"][..., :3], photo())
    assert [seen.path for seen in site.asked(path)] == [f"{path}?x=1&frame=2"]


def test_page_to_log_in(page: Page, site: WebServer) -> None:
    error = fail(page, f"{site.url}/fault/html?a=b")
    assert (error["code"], error["stage"]) == ("format", "parse")
    assert "is an HTML page, not an image: 'Log in'" in error["message"]


CUT = {
    "cut.png": saved(noise(ROWS, COLUMNS, 3), "PNG"),
    "cut.jpg": saved(noise(ROWS, COLUMNS, 3), "JPEG"),
    "cut.webp": saved(noise(ROWS, COLUMNS, 3), "WEBP"),
    "cut.bmp": saved(noise(ROWS, COLUMNS, 3), "BMP"),
    "cut.gif": saved(QUANTISED, "GIF"),
    "cut.avif": saved(noise(ROWS, COLUMNS, 3), "AVIF"),
    "cut.tiff": tiff(noise(ROWS, COLUMNS, 3), compression="lzw"),
}


@pytest.mark.parametrize("name", CUT)
def test_file_that_is_cut_off(page: Page, site: WebServer, name: str) -> None:
    body = CUT[name]
    for kept in (0.5, 0.9):
        path = site.put(f"/made/web/{kept}{name}", body[: int(len(body) * kept)])
        assert fail(page, f"web:{path}")["code"] in ("format", "decode")


def test_gif_with_short_data(page: Page, site: WebServer) -> None:
    """Its blocks are whole, so that the browser's decoder has to tell."""
    body = saved(QUANTISED, "GIF")
    first = body.index(b"\x2c", 13 + 768) + 11
    cut = body[: first + 1 + body[first]] + b"\0;"
    error = fail(page, f"web:{site.put('/made/web/short.gif', cut)}")
    assert (error["code"], error["kind"]) == ("decode", "DecodeError")
    assert "the browser cannot decode frame 1 of this image/gif" in error["message"]


def test_avif_of_frames_is_refused(page: Page, site: WebServer) -> None:
    body = animated(pictures.moving(3), "AVIF")
    error = fail(page, f"web:{site.put('/made/web/frames.avif', body)}")
    assert error["code"] == "unsupported"
    assert "the AVIF has 3 frames, whose exact colors browsers do not return" in error["message"]


@pytest.mark.parametrize("orientation", range(2, 9))
def test_avif_is_turned(page: Page, site: WebServer, orientation: int) -> None:
    body, expected = jpeg("AVIF", quality=90, exif=pictures.oriented(orientation))
    found = load(page, f"web:{site.put(f'/made/web/{orientation}.avif', body)}")["pixels"]
    assert found.shape[:2] == expected.shape[:2]
    assert np.abs(found[..., :3].astype(int) - expected).max() <= 2


def test_half_transparent_avif_is_refused(page: Page, site: WebServer) -> None:
    body = imagecodecs.avif_encode(noise(ROWS, COLUMNS, 4), level=100, pixelformat="444")
    error = fail(page, f"web:{site.put('/made/web/alpha.avif', body)}")
    assert (error["code"], error["stage"]) == ("unsupported", "decode")
    assert "half transparent" in error["message"]


def test_avif_of_10_bits_says_what_was_lost(page: Page, site: WebServer) -> None:
    pixels = noise(ROWS, COLUMNS, dtype="u2") >> 6
    body = imagecodecs.avif_encode(pixels, level=100, bitspersample=10)
    image = load(page, f"web:{site.put('/made/web/ten.avif', body)}")
    assert np.abs(image["pixels"].astype(int) - pixels / 1023 * 255).max() <= 1
    assert image["warnings"] == ["the browser's decoder reduced its 10 bits a sample to 8"]


def test_compression_without_decoder_is_named(page: Page, site: WebServer) -> None:
    body = with_short(tiff(GREY16, compression="zlib"), "Compression", 32809)
    error = fail(page, f"web:{site.put('/made/web/scan.tiff', body)}")
    assert (error["code"], error["kind"]) == ("unsupported", "UnsupportedError")
    assert "is compressed by THUNDERSCAN" in error["message"]


def test_stack_of_one_directory(page: Page, site: WebServer) -> None:
    stack = noise(4, ROWS, COLUMNS, dtype="u2")
    stream = BytesIO()
    tifffile.imwrite(stream, stack, imagej=True, truncate=True)
    path = site.put("/made/web/stack.tiff", stream.getvalue())
    found = page.evaluate("(id) => pyloader.imageIds(id)", f"web:{path}")
    assert len(found) == 4
    for image_id, expected in zip(found, stack, strict=True):
        assert np.array_equal(load(page, image_id)["pixels"], expected)


def test_tiles_that_were_never_written(page: Page, site: WebServer) -> None:
    body = with_segments(tiff(GREY16, compression="zlib", tile=(16, 16)), {0: (0, 0)})
    image = load(page, f"web:{site.put('/made/web/sparse.tiff', body)}")
    expected = GREY16.copy()
    expected[:16, :16] = 0
    assert np.array_equal(image["pixels"], expected)
    assert "not stored" in image["warnings"][0]


def test_color_that_a_compression_decides(page: Page, site: WebServer) -> None:
    body = one_tile(jpeg_2000(YCBCR), SIZE, compression=33003)
    image = load(page, f"web:{site.put('/made/web/aperio.tiff', body)}")
    assert np.abs(samples(image, COLORS).astype(int) - COLORS).max() <= 3


SCREEN = pixels(ROWS, COLUMNS, 1)
LATER = (control(), frame(30, 50, pixels(20, 20, 2)), control(), frame(0, 0, pixels(9, 9, 3)))
SLOPPY = {
    "no trailer": gif(ROWS, COLUMNS, frame(0, 0, SCREEN), *LATER[2:], end=b""),
    "zeros": gif(ROWS, COLUMNS, frame(0, 0, SCREEN), b"\0\0", *LATER[2:]),
    "zeros within": gif(ROWS, COLUMNS, control(), b"\0", frame(0, 0, SCREEN), *LATER[2:]),
    "empty comment": gif(ROWS, COLUMNS, b"\x21\xfe\0", frame(0, 0, SCREEN), *LATER[2:]),
    "bytes at the end": gif(ROWS, COLUMNS, frame(0, 0, SCREEN), *LATER, end=TRAILER + b"more"),
    "small screen": gif(10, 10, frame(3, 4, SCREEN), *LATER),
    "beyond": gif(ROWS, COLUMNS, frame(0, 0, SCREEN), *LATER),
    "taken away": gif(ROWS, COLUMNS, control(2), frame(0, 0, SCREEN), *LATER),
    "restored": gif(ROWS, COLUMNS, frame(0, 0, SCREEN), control(3), *LATER[1:]),
    "nowhere": gif(ROWS + 9, COLUMNS + 9, frame(3, 4, SCREEN), *LATER),
}


def in_plain_python(body: bytes, fragment: str) -> Image:
    """Load an image here, in a thread: the browser is driven by this one's event loop."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, pictures.load(body, fragment)).result()


@pytest.mark.parametrize("name", SLOPPY)
def test_gif_is_the_same_in_plain_python(page: Page, site: WebServer, name: str) -> None:
    """Also where there is nothing to be seen, of which other readers make a color."""
    path = site.put(f"/made/web/{name.replace(' ', '-')}.gif", SLOPPY[name])
    found = page.evaluate("(id) => pyloader.imageIds(id)", f"web:{path}")
    assert len(found) >= 2
    for index, image_id in enumerate(found):
        expected = in_plain_python(SLOPPY[name], f"#frame={index + 1}")
        image = load(page, image_id)
        assert np.array_equal(image["pixels"], pictures.rgba_of(expected.pixels))
        assert image["warnings"] == list(expected.warnings)


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "PNG", "JPEG"])
def test_bytes_after_the_end(page: Page, site: WebServer, kind: str) -> None:
    body = saved(photo(), kind) + b"behind the end"
    image = load(page, f"web:{site.put(f'/made/web/behind.{kind.lower()}', body)}")
    expected = read(body, "RGB")
    assert np.abs(samples(image, expected).astype(int) - expected).max() <= 2
    assert "14 bytes after the end" in image["warnings"][0]


@pytest.mark.parametrize("protocol", ["without VideoFrame", "without ImageDecoder"])
def test_browser_that_lacks_a_decoder(open_page: Any, site: WebServer, protocol: str) -> None:
    """As pages that did not come by https, and WebKit: a canvas does what it can."""
    name = protocol.split()[1]
    page = open_page()
    page.evaluate(f"{name} = undefined; pyloader.init({{workers: 0}})")
    body = animated(pictures.moving(2), "GIF")
    path = site.put("/made/web/lacking.gif", body)
    assert np.array_equal(load(page, f"web:{path}")["pixels"], read(body, "RGBA"))
    second = page.evaluate("(id) => load(id)", f"web:{path}?frame=2")
    assert ("error" in second) == (name == "ImageDecoder")
    if name == "ImageDecoder":
        assert second["error"]["code"] == "unsupported"


def test_browser_that_falsifies_canvases(open_page: Any, site: WebServer) -> None:
    page = open_page()
    page.evaluate(
        """() => {
          VideoFrame = undefined;
          const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
          OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...where) {
            const found = read.apply(this, where);
            found.data[40] ^= 1;
            return found;
          };
          return pyloader.init({workers: 0});
        }"""
    )
    path = site.put("/made/web/false.gif", saved(QUANTISED, "GIF"))
    error = fail(page, f"web:{path}")
    assert error["code"] == "unsupported"
    assert "fingerprinting" in error["message"]
