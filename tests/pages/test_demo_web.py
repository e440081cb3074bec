"""The page of web images: samples, frames, window, files and addresses."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageSequence
from playwright.sync_api import Page

from tests.support.pages import DIST
from tests.support.pages.demo import canvas, wait

SAMPLES = DIST / "samples" / "web"
FRAMES = {"slice.png": 1, "skin.png": 1, "pages.tif": 10, "heart.gif": 16, "labels.png": 1}


def choose(page: Page, name: str) -> None:
    """Open a sample and wait for it."""
    page.click(f'[data-sample="web/{name}"]')
    page.wait_for_function(
        """(name) => document.documentElement.dataset.state === 'shown'
        && document.querySelector('#facts').innerText.includes(name)""",
        arg=name,
    )


def test_every_sample(demo) -> None:
    page = demo("web.html")
    wait(page, "shown")
    names = page.eval_on_selector_all("[data-sample]", "(all) => all.map((x) => x.dataset.sample)")
    assert names == [f"web/{name}" for name in FRAMES]
    for name, frames in FRAMES.items():
        choose(page, name)
        with Image.open(SAMPLES / name) as opened:
            assert canvas(page).shape[:2] == opened.size[::-1]
        assert page.locator("#stack").is_visible() == (frames > 1)
        assert page.locator("#stack [type=range]").get_attribute("max") == str(frames)
    assert page.uncaught == []


@pytest.mark.parametrize("name", ["skin.png", "labels.png"])
def test_colours_are_those_of_the_file(demo, name: str) -> None:
    page = demo(f"web.html#web/{name}")
    wait(page, "shown")
    with Image.open(SAMPLES / name) as opened:
        expected = np.array(opened.convert("RGBA"))
    found = canvas(page)
    opaque = expected[..., 3] == 255
    assert np.array_equal(found[..., 3], expected[..., 3])
    # A canvas keeps colours multiplied with their alpha, so those of see-through pixels are near.
    assert np.array_equal(found[opaque], expected[opaque])


def test_16_bits_can_be_windowed(demo) -> None:
    page = demo("web.html")
    wait(page, "shown")
    assert "24 to 1756" in page.inner_text("#facts")
    before = canvas(page)
    box = page.locator("#stage canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 220, steps=4)
    page.mouse.up()
    assert not np.array_equal(before, canvas(page))
    page.dblclick("#stage canvas")
    assert np.array_equal(before, canvas(page))


def test_frames_by_slider(demo) -> None:
    page = demo("web.html#web/heart.gif")
    wait(page, "shown")
    with Image.open(SAMPLES / "heart.gif") as opened:
        frames = [np.array(frame.convert("RGB")) for frame in ImageSequence.Iterator(opened)]
    page.focus("#stack [type=range]")
    for number in (2, 3):
        page.keyboard.press("ArrowRight")
        words = f"Frame {number} of 16"
        page.wait_for_function(
            "(words) => document.querySelector('.corner.top.right').innerText === words", arg=words
        )
        assert np.array_equal(canvas(page)[..., :3], frames[number - 1])


def test_pages_of_a_file_of_the_reader(demo, tmp_path) -> None:
    pages = np.random.default_rng(5).integers(0, 256, (3, 20, 30)).astype("u1")
    tifffile.imwrite(tmp_path / "mine.tif", pages, photometric="minisblack")
    page = demo("web.html")
    wait(page, "shown")
    page.set_input_files("input[type=file]", tmp_path / "mine.tif")
    page.wait_for_function("document.querySelector('#stage canvas').width === 30")
    wait(page, "shown")
    assert page.inner_text("#stage .corner.top.right") == "Frame 1 of 3"
    assert page.inner_text("#stage .corner.top.left") == "mine.tif"


def test_an_address(demo, site) -> None:
    stream = BytesIO()
    Image.fromarray(np.eye(40, dtype="u1") * 255).save(stream, "PNG")
    page = demo("web.html")
    wait(page, "shown")
    page.fill("#address input", site.url + site.put("/made/eye.png", stream.getvalue()))
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#stage canvas').width === 40")
    wait(page, "shown")
    assert (np.diag(canvas(page)[..., 0]) == 255).all()
    page.fill("#address input", "../samples/samples.json")
    page.keyboard.press("Enter")
    wait(page, "failed")
    assert page.inner_text("#error .badge") in ("format", "unsupported")
    assert not canvas(page).any(), "what was there before is not there any more"
