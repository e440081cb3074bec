"""The reference table in Chromium: every row exact or within its bound; the conformance page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support.pages.outcome import with_pixels
from tests.support.reference import page as conformance
from tests.support.reference import table
from tests.support.reference.images import Pixels
from tests.support.reference.refusals import refusals
from tests.support.webserver import WebServer

Outcome = dict[str, Any]
ROWS = table.rows()
REFUSALS = {each.name: each for each in refusals()}
BATCH = 30
# Frames of a file one after the other, files side by side: each is fetched once.
LOAD_ALL = """
(files) => Promise.all(files.map(async ([name, frames]) => {
  const outcomes = [];
  for (let frame = 1; frame <= frames; frame += 1) {
    outcomes.push(await load(`wadouri:/reference/${name}.dcm?frame=${frame}`, { useRGBA: false }));
  }
  return [name, outcomes];
}))
"""


@dataclass
class Outcomes:
    """The result of each frame of each file, loaded in batches as it is asked for."""

    page: Page
    site: WebServer
    known: dict[str, list[Outcome]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> list[Outcome]:
        """Return the outcomes of a file's frames."""
        if name not in self.known:
            names = [*ROWS, *REFUSALS]
            start = names.index(name) // BATCH * BATCH
            self.load(names[start : start + BATCH])
        return self.known[name]

    def load(self, names: list[str]) -> None:
        """Load files in the page."""
        files = []
        for name in names:
            is_row = name in ROWS
            body = ROWS[name].made.body if is_row else REFUSALS[name].body
            self.site.put(f"/reference/{name}.dcm", body)
            files.append((name, len(ROWS[name].made.pixels) if is_row else 1))
        self.known |= dict(self.page.evaluate(LOAD_ALL, files))


@pytest.fixture(scope="module")
def outcomes(page: Page, site: WebServer) -> Outcomes:
    """Return what each frame of each file comes to."""
    return Outcomes(page, site)


def as_delivered(pixels: Pixels) -> Pixels:
    """Return pixels as a page gets them: of colour the upper 8 bits, of 64 the nearest double."""
    if pixels.dtype.kind != "f" and pixels.itemsize == 8:
        return pixels.astype("f8")
    if pixels.ndim < 4 or pixels.dtype == np.uint8:
        return pixels
    return (pixels >> 8).astype("u1")


def check_row(outcomes: Outcomes, name: str) -> str:
    """Fail unless a row's frames are what they have to be; return the class of their array."""
    errors = [each["error"]["message"] for each in outcomes[name] if "error" in each]
    assert errors == []
    found = [with_pixels(each["image"]) for each in outcomes[name]]
    table.check(np.stack([each["pixels"] for each in found]), name, as_delivered)
    data_type: str = found[0]["dataType"]
    return data_type


@pytest.mark.parametrize("name", ROWS)
def test_row(outcomes: Outcomes, name: str) -> None:
    check_row(outcomes, name)


@pytest.mark.parametrize("name", ["explicit-u64of64-1f", "rle-s64of64"])
def test_64_bit_integers_that_a_double_rounds_are_not_passed_off_as_exact(
    outcomes: Outcomes, name: str
) -> None:
    [outcome] = outcomes[name]
    assert any("64" in warning for warning in outcome["image"]["warnings"])


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_shown_is_refused(outcomes: Outcomes, name: str) -> None:
    [outcome] = outcomes[name]
    error = outcome["error"]
    assert error["isPyLoaderError"]
    assert error["code"] == REFUSALS[name].code
    assert [words for words in REFUSALS[name].words if words not in error["message"]] == []


def test_the_conformance_page_says_what_this_run_found(outcomes: Outcomes) -> None:
    """Nothing is written unless every row is right."""
    found = [conformance.Found(row, check_row(outcomes, name)) for name, row in ROWS.items()]
    refused = [
        conformance.Refused(name, error["code"], error["message"])
        for name, error in ((name, outcomes[name][0]["error"]) for name in REFUSALS)
    ]
    text = conformance.written(found, refused)
    if text != conformance.PAGE.read_text():
        conformance.PAGE.write_text(text)
        pytest.fail("conformance.html was out of date, it is written anew")


def test_each_cell_of_the_page_leads_to_its_files(open_page: Callable[..., Page]) -> None:
    page = open_page("/demo/conformance.html", script="")
    places = page.eval_on_selector_all(
        "main a", "(links) => links.map((a) => a.getAttribute('href'))"
    )
    astray = page.evaluate(
        "(places) => places.filter((place) => !document.getElementById(place.slice(1)))", places
    )
    assert len(places) > 100
    assert astray == []


def test_a_link_opens_the_group_of_its_row(open_page: Callable[..., Page]) -> None:
    phone = {"viewport": {"width": 390, "height": 844}}
    page = open_page("/demo/conformance.html#deflated-u8of8-1f", script="", **phone)
    page.wait_for_selector("[id='deflated-u8of8-1f']")
    shown = "(groups) => groups.filter((group) => group.open).map((group) => group.id)"
    assert page.eval_on_selector_all("details", shown) == ["1.2.840.10008.1.2.1.99"]
    page.click("main a[href='#1.2.840.10008.1.2.4.50']")
    page.wait_for_selector("[id='jpeg_baseline-u8of8-1f']")
    page.click("[id='1.2.840.10008.1.2.4.50'] summary")
    page.wait_for_selector("[id='jpeg_baseline-u8of8-1f']", state="hidden")
    page.click("main a[href='#1.2.840.10008.1.2.4.50']")
    page.wait_for_selector("[id='jpeg_baseline-u8of8-1f']")


def test_the_page_is_not_endless_on_a_phone(open_page: Callable[..., Page]) -> None:
    phone = {"viewport": {"width": 390, "height": 844}}
    page = open_page("/demo/conformance.html", script="", **phone)
    assert page.evaluate("document.documentElement.scrollHeight") < 8000
    assert page.evaluate("document.documentElement.scrollWidth") == 390
