"""The gallery of loaders: each example, edited and run again, its mistakes and what it prints."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support.pages.demo import canvas, wait

# File, schemes, columns, rows, images, what it prints.
EXAMPLES = [
    ("raw", "raw", 256, 256, 1, "../samples/loaders/slice.raw: 24 to 1756"),
    ("film", "film", 128, 128, 16, ""),
    ("volume", "mgz", 96, 64, 80, "80x96x64 >i2"),
    ("denoise", "denoise", 256, 256, 1, ""),
    ("overlay", "overlay", 256, 256, 1, ""),
]
TIMES = "\N{MULTIPLICATION SIGN}"
EYE = """
import numpy as np
from pyloader import Image, register_loader

@register_loader("{scheme}")
async def load(image_id, context):
    print("{scheme}")
    return Image.from_array(np.eye({size}, dtype="u1"), window_center=0.5, window_width=1)
"""


def choose(page: Page, file: str) -> None:
    """Open an example and wait for its image."""
    page.click(f'[data-file="{file}.py"]')
    page.wait_for_function(
        """(name) => document.querySelector(`[data-file="${name}.py"]`).ariaCurrent === 'true'
        && document.querySelector('textarea').value && document.documentElement.dataset.state === 'shown'""",
        arg=file,
    )


def run(page: Page, source: str, image_id: str) -> None:
    """Put a loader into the editor and run it."""
    page.fill("#image-id", image_id)
    page.fill("textarea", source)
    page.keyboard.press("Control+Enter")


def test_every_example_without_starting_python_again(demo) -> None:
    page = demo("custom-loader.html")
    wait(page, "shown")
    shown = []
    for number, (file, scheme, columns, rows, count, printed) in enumerate(EXAMPLES, 2):
        page.evaluate("document.querySelector('#outcome').textContent = ''")
        choose(page, file)
        page.wait_for_function(
            "(words) => document.querySelector('#outcome').textContent.startsWith(words)",
            arg=f"my_loader.py serves {scheme}: {columns} {TIMES} {rows}",
        )
        outcome = page.inner_text("#outcome")
        assert f"Run {number}; Python was started once." in outcome
        assert page.locator("#stack").is_visible() == (count > 1)
        assert page.locator("#stack [type=range]").get_attribute("max") == str(max(count, 0))
        assert page.locator("#console").inner_text().strip() == printed
        shown.append(canvas(page))
        assert len(np.unique(shown[-1])) > 20
    filtered, overlaid = shown[3], shown[4]
    assert (filtered[..., 0] == filtered[..., 2]).all(), "grey"
    assert (overlaid[..., 0] != overlaid[..., 2]).mean() > 0.1, "coloured"
    assert page.evaluate("pyloader.stats().deaths") == 0
    assert page.uncaught == []


def test_images_of_an_example_by_its_slider(demo) -> None:
    page = demo("custom-loader.html#volume.py")
    wait(page, "shown")
    assert page.inner_text("#stack output") == "Image 57 of 80", "the slice that the imageId names"
    before = canvas(page)
    page.focus("#stack [type=range]")
    page.keyboard.press("Home")
    page.wait_for_function(
        "document.querySelector('.corner.top.right').innerText === 'Image 1 of 80'"
    )
    assert not np.array_equal(before, canvas(page))
    page.hover("#stage canvas")
    page.mouse.wheel(0, 120)
    page.wait_for_function(
        "document.querySelector('.corner.top.right').innerText === 'Image 2 of 80'"
    )


def test_mistake_in_a_loader_is_shown_beside_its_code(demo) -> None:
    page = demo("custom-loader.html")
    wait(page, "shown")
    run(page, "from pyloader import register_loader\n\nnonsense(1)\n", "raw:x")
    wait(page, "failed")
    text = page.inner_text("#error")
    assert "NameError: name 'nonsense' is not defined" in text
    assert 'File "my_loader.py", line 3' in text
    assert page.inner_text(".gutter .wrong") == "3"
    page.click("#reset")
    wait(page, "shown")
    assert page.locator(".gutter .wrong").count() == 0
    assert "nonsense" not in page.input_value("textarea")


def test_mistake_while_an_image_is_loaded(demo) -> None:
    page = demo("custom-loader.html#film.py")
    wait(page, "shown")
    page.fill("#image-id", "film:../samples/loaders/heart.film?frame=17")
    page.click("#run")
    wait(page, "failed")
    assert "IndexError: index 16 is out of bounds" in page.inner_text("#error")
    assert page.inner_text(".gutter .wrong") == "27"


def test_edited_loader_takes_effect(demo) -> None:
    page = demo("custom-loader.html")
    wait(page, "shown")
    for size, scheme in ((32, "raw"), (48, "raw"), (16, "other")):
        run(page, EYE.format(size=size, scheme=scheme), f"{scheme}:x")
        page.wait_for_function(
            "(size) => document.querySelector('canvas').width === size", arg=size
        )
        wait(page, "shown")
        assert (np.diag(canvas(page, "canvas")[..., 0]) == 255).all()
        assert page.inner_text("#console").strip() == scheme
    assert "Python was started once" in page.inner_text("#outcome")


def test_what_a_reader_has_changed_is_still_there(demo) -> None:
    page = demo("custom-loader.html")
    wait(page, "shown")
    run(page, EYE.format(size=24, scheme="raw"), "raw:x")
    page.wait_for_function("document.querySelector('canvas').width === 24")
    choose(page, "denoise")
    page.wait_for_function("document.querySelector('canvas').width === 256")
    choose(page, "raw")
    page.wait_for_function("document.querySelector('canvas').width === 24")
    assert page.input_value("#image-id") == "raw:x"


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_sticks_out(open_page, width: int) -> None:
    for name in ("custom-loader", "nifti", "web"):
        size = {"width": width, "height": 800}
        page = open_page(f"/demo/{name}.html", script="", viewport=size)
        wait(page, "shown")
        assert page.evaluate("document.documentElement.scrollWidth") == width, name
