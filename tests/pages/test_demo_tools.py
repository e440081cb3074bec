"""The tools below an image: zoom, windows, film, full screen; by mouse, fingers and keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page
from pydicom import Dataset, Sequence, dcmread

from tests.support.corpus import DATA
from tests.support.pages import DIST, prepare
from tests.support.pages.demo import canvas, corner, wait, wait_for_corner
from tests.support.webserver import WebServer

CANVAS = "#stage canvas"


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def opened(browser: Browser, site: WebServer, name: str, **options: Any) -> Page:
    """Open a demo page that the tests of this file share."""
    page = browser.new_context(**options).new_page()
    prepare(page, f"{site.url}/demo/{name}")
    wait(page, "shown")
    return page


@pytest.fixture(scope="module")
def desktop(browser: Browser, site: WebServer) -> Iterator[Page]:
    """Open the first page."""
    page = opened(browser, site, "index.html", viewport={"width": 1200, "height": 800})
    yield page
    page.context.close()


@pytest.fixture
def page(desktop: Page) -> Iterator[Page]:
    """Return the first page, with the middle slice of the volume as it is at first."""
    choose(desktop, "volume/slice-21.dcm", 256)
    desktop.focus(CANVAS)
    desktop.keyboard.press("w")
    desktop.locator(".tools").scroll_into_view_if_needed()  # clicks must not scroll later
    yield desktop
    assert desktop.uncaught == []  # type: ignore[attr-defined]


def choose(page: Page, name: str, columns: int) -> None:
    """Open a sample, which has so many columns."""
    page.click(f'[data-sample="{name}"]')
    page.wait_for_function(
        "(columns) => document.querySelector('#stage canvas').width === columns", arg=columns
    )
    wait(page, "shown")


def tool(page: Page, name: str) -> Locator:
    """Return a button of the toolbar."""
    return page.locator(f"[data-tool={name}]")


def box_of(page: Page, selector: str = CANVAS) -> dict[str, float]:
    """Return where an element is on the screen."""
    box = page.locator(selector).bounding_box()
    assert box
    return dict(box)


def middle_of(box: dict[str, float]) -> tuple[float, float]:
    """Return the middle of a box."""
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def linear(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """Return grey levels by the formula of PS3.3 C.11.2.1.2."""
    return np.clip(((values - (center - 0.5)) / (width - 1) + 0.5) * 255, 0, 255)


def modality_values(name: str) -> np.ndarray:
    """Return a sample's values in Hounsfield units, as pydicom reads it."""
    dataset = dcmread(DIST / "samples" / name)
    return dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)


# ---------------------------------------------------------------- zoom and position


def test_zoom_by_buttons(page) -> None:
    fitting = box_of(page)
    tool(page, "in").click()
    larger = box_of(page)
    assert larger["width"] == pytest.approx(1.25 * fitting["width"])
    assert middle_of(larger) == pytest.approx(middle_of(fitting))
    tool(page, "actual").click()
    assert box_of(page)["width"] == pytest.approx(256)
    assert corner(page, "bottom.left") == "W 400 C 40\nZoom 1"
    tool(page, "out").click()
    assert box_of(page)["width"] == pytest.approx(256 / 1.25)
    tool(page, "fit").click()
    assert box_of(page) == pytest.approx(fitting)
    assert corner(page, "bottom.left") == "W 400 C 40"


def test_the_wheel_zooms_around_the_pointer_with_ctrl(page) -> None:
    x, y = middle_of(box_of(page))
    page.mouse.move(x + 80, y - 40)
    before = pixel_under_pointer(page)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    page.mouse.move(x + 80, y - 40)
    assert pixel_under_pointer(page) == pytest.approx(before, abs=1), "the same pixel is there"
    assert box_of(page)["width"] > 1.5 * 256
    assert corner(page, "top.right") == "Slice 21 of 40", "no slice was passed"


def pixel_under_pointer(page: Page) -> list[int]:
    """Return column and row."""
    place, _, _ = corner(page, "bottom.right").partition(":")
    return [int(number) for number in place.split(",")]


def test_the_second_button_moves_the_image(page) -> None:
    before = box_of(page)
    page.mouse.move(*middle_of(before))
    page.mouse.down(button="right")
    x, y = middle_of(before)
    page.mouse.move(x + 60, y + 30, steps=3)
    page.mouse.up(button="right")
    assert middle_of(box_of(page)) == pytest.approx((x + 60, y + 30))
    assert corner(page, "bottom.left") == "W 400 C 40", "the window stays"
    page.mouse.move(x + 60, y + 30)
    page.mouse.down(button="right")
    page.mouse.move(x + 5000, y + 5000)
    page.mouse.up(button="right")
    stage, moved = box_of(page, "#stage"), box_of(page)
    assert moved["x"] < stage["x"] + stage["width"], "some of it stays in sight"
    page.locator("#stage").dblclick()
    assert box_of(page) == pytest.approx(before)


def test_what_a_drag_does_is_chosen(page) -> None:
    x, y = middle_of(box_of(page))
    tool(page, "pan").click()
    assert tool(page, "pan").get_attribute("aria-pressed") == "true"
    assert tool(page, "window").get_attribute("aria-pressed") == "false"
    drag(page, x, y, 40, 20)
    assert middle_of(box_of(page)) == pytest.approx((x + 40, y + 20))
    tool(page, "slices").click()
    drag(page, x, y, 0, 40)
    wait_for_corner(page, "top.right", "Slice 24 of 40")
    assert corner(page, "bottom.left") == "W 400 C 40"


def drag(page: Page, x: float, y: float, dx: float, dy: float) -> None:
    """Drag with the main button."""
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()


def test_keys(page) -> None:
    fitting = box_of(page)
    page.focus(CANVAS)
    page.keyboard.press("+")
    assert box_of(page)["width"] > fitting["width"]
    page.keyboard.press("0")
    page.keyboard.press("p")
    page.keyboard.press("Shift+ArrowRight")
    assert box_of(page)["x"] == pytest.approx(fitting["x"] + 10)
    page.keyboard.press("1")
    assert box_of(page)["width"] == pytest.approx(256)
    page.keyboard.press("w")
    page.keyboard.press("Shift+ArrowRight")
    assert corner(page, "bottom.left").startswith("W 416 C 40")
    before = canvas(page)[..., 0]
    page.keyboard.press("i")
    assert tool(page, "invert").get_attribute("aria-pressed") == "true"
    assert np.abs(canvas(page)[..., 0].astype(int) - (255 - before.astype(int))).max() <= 1
    page.keyboard.press("r")
    assert (corner(page, "bottom.left"), box_of(page)) == ("W 400 C 40", pytest.approx(fitting))
    page.keyboard.press("Space")
    assert page.locator("[data-tool=play]").get_attribute("aria-label") == "Pause"
    page.keyboard.press("Space")


# ---------------------------------------------------------------- windows


def test_windows_of_ct(page) -> None:
    windows = page.locator("select[aria-label=Window]")
    names = windows.locator("option:not([hidden])").all_inner_texts()
    assert names[0] == "Of the file"
    assert {"Brain", "Lung", "Bone", "Abdomen", "Mediastinum", "All values"} <= set(names)
    values = modality_values("volume/slice-21.dcm")
    for name, center, width in (("Lung", -600, 1500), ("Brain", 40, 80)):
        windows.select_option(name)
        assert corner(page, "bottom.left") == f"W {width} C {center}"
        assert np.abs(canvas(page)[..., 0] - linear(values, center, width)).max() <= 0.51
    page.focus(CANVAS)
    page.keyboard.press("Shift+ArrowUp")
    assert windows.evaluate("(list) => list.selectedOptions[0].innerText") == "Your window"
    page.keyboard.press("ArrowDown")
    wait_for_corner(page, "top.right", "Slice 22 of 40")
    assert corner(page, "bottom.left").startswith("W 80"), "the next slice has the same window"


def test_windows_of_others_are_those_of_the_file(page) -> None:
    choose(page, "MR_small.dcm", 64)
    names = page.locator("select[aria-label=Window] option:not([hidden])").all_inner_texts()
    assert names == ["Of the file", "All values"]
    choose(page, "examples_rgb_color.dcm", 320)
    assert page.locator("select[aria-label=Window]").is_disabled(), "colour has no window"
    assert tool(page, "invert").is_disabled()


def test_tables_of_a_file_are_applied(page, tmp_path) -> None:
    dataset = dcmread(DATA / "CT_small.dcm")
    stored = dataset.pixel_array
    entries = np.linspace(4095, 0, 2048).round().astype("u2")  # the brightest first
    item = Dataset()
    item.LUTDescriptor = [2048, 0, 12]
    item.LUTData = entries.tobytes()
    item["LUTData"].VR = "OW"
    dataset.RescaleIntercept = 0
    dataset.VOILUTSequence = Sequence([item])
    dataset.save_as(tmp_path / "table.dcm")
    page.set_input_files("#files", tmp_path / "table.dcm")
    page.wait_for_function("document.querySelector('#stage canvas').width === 128")
    wait(page, "shown")
    expected = entries[np.clip(stored, 0, 2047)] / 4095 * 255
    assert np.abs(canvas(page)[..., 0] - expected).max() <= 0.51
    chosen = "document.querySelector('select[aria-label=Window]').selectedOptions[0].innerText"
    assert page.evaluate(chosen) == "Table of the file"


# ---------------------------------------------------------------- film and screen


def test_the_film_has_the_speed_of_the_file_and_begins_again(page) -> None:
    choose(page, "examples_ybr_color.dcm", 320)
    wait_for_corner(page, "top.right", "Frame 1 of 30")
    speed = page.locator("#stack [type=number]")
    assert speed.input_value() == "30", "its FrameTime is 33.3 ms"
    page.wait_for_timeout(400)
    assert corner(page, "top.right") == "Frame 1 of 30", "it does not start by itself"
    page.focus(CANVAS)
    page.keyboard.press("End")
    wait_for_corner(page, "top.right", "Frame 30 of 30")
    speed.fill("8")
    speed.press("Tab")
    tool(page, "play").click()
    wait_for_corner(page, "top.right", "Frame 1 of 30")
    wait_for_corner(page, "top.right", "Frame 3 of 30")
    tool(page, "play").click()
    wait(page, "shown")
    stopped = corner(page, "top.right")
    page.wait_for_timeout(400)
    assert corner(page, "top.right") == stopped
    tool(page, "play").click()
    choose(page, "MR_small.dcm", 64)
    assert tool(page, "play").get_attribute("aria-label") == "Play", "another choice ends it"


def test_full_screen(page) -> None:
    tool(page, "screen").click()
    page.wait_for_function("document.fullscreenElement?.className === 'view'")
    assert tool(page, "screen").get_attribute("aria-label") == "Leave full screen"
    tool(page, "screen").click()
    page.wait_for_function("!document.fullscreenElement")


def test_the_tools_of_three_planes_change_all(demo) -> None:
    page = demo("nifti.html")
    wait(page, "shown")
    before = [box_of(page, f"#{plane} canvas")["width"] for plane in ("axial", "coronal")]
    tool(page, "in").click()
    after = [box_of(page, f"#{plane} canvas")["width"] for plane in ("axial", "coronal")]
    assert after == pytest.approx([1.25 * width for width in before])
    cross, image = box_of(page, "#axial .cross"), box_of(page, "#axial canvas")
    assert cross == pytest.approx(image), "the crosshair goes with the image"
    tool(page, "play").click()
    page.wait_for_function("document.querySelector('#stack output').value === 'Timepoint 3 of 6'")
    tool(page, "play").click()
    assert page.uncaught == []


# ---------------------------------------------------------------- fingers


def touch(page: Page, *points: list[tuple[float, float]]) -> None:
    """Move fingers from point to point: a list of places for each finger."""
    session = page.context.new_cdp_session(page)
    for step, places in enumerate(zip(*points, strict=True)):
        session.send(
            "Input.dispatchTouchEvent",
            {
                "type": "touchMove" if step else "touchStart",
                "touchPoints": [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)],
            },
        )
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_fingers_on_a_phone(browser, site) -> None:
    page = opened(browser, site, "index.html", **PHONE)
    assert tool(page, "slices").get_attribute("aria-pressed") == "true"
    before = box_of(page)
    x, y = middle_of(before)
    touch(page, [(x, y), (x, y + 18), (x, y + 36)])
    wait_for_corner(page, "top.right", "Slice 24 of 40")
    touch(page, [(x, y), (x, y - 30), (x, y - 60)])
    wait_for_corner(page, "top.right", "Slice 19 of 40")
    touch(page, [(x - 40, y), (x - 80, y)], [(x + 40, y), (x + 80, y)])
    assert box_of(page)["width"] == pytest.approx(2 * before["width"], rel=0.02)
    assert middle_of(box_of(page)) == pytest.approx((x, y), abs=1)
    touch(page, [(x - 40, y), (x - 10, y + 20)], [(x + 40, y), (x + 70, y + 20)])
    assert middle_of(box_of(page)) == pytest.approx((x + 30, y + 20), abs=1)
    assert corner(page, "top.right") == "Slice 19 of 40", "two fingers pass no slice"
    assert corner(page, "bottom.left").startswith("W 400 C 40")
    assert page.uncaught == []
    page.context.close()


@pytest.mark.parametrize("name", ["index", "nifti", "web"])
def test_on_a_phone_the_picture_comes_first(open_page, name: str) -> None:
    page = open_page(f"/demo/{name}.html", script="", **PHONE)
    page.wait_for_selector("#samples button")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    picture, choice = box_of(page, ".view canvas >> nth=0"), box_of(page, ".choice")
    assert picture["y"] + picture["height"] < 600
    assert picture["y"] < choice["y"]
    button = page.locator("#samples button").last
    button.scroll_into_view_if_needed()
    button.tap()
    page.wait_for_function(
        "document.querySelector('.view canvas').getBoundingClientRect().top >= 0"
    )
    small = page.evaluate(
        """[...document.querySelectorAll('.view :is(button, select, [type=number])')]
        .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 44)
        .map((each) => each.outerHTML)"""
    )
    assert small == []
