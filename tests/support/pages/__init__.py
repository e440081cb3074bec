"""A real Chromium, dist/ on a real server, and a page where Python has started."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType, Page, Playwright, sync_playwright

from tests.support.corpus import DATA, FURTHER_DATA
from tests.support.dicomweb.client import Served
from tests.support.webserver import WebServer

DIST = Path(__file__).parents[3] / "dist"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BLANK = b"<!DOCTYPE html><title>test</title><body></body>"
# Functions that tests call in the page.
HELPERS = (Path(__file__).parents[2] / "pages" / "helpers.js").read_text()


def built(name: str) -> Path:
    """Return a file of dist/; without it, skip the tests of the module that is collected."""
    path = DIST / name
    if not path.is_file():
        pytest.skip(f"dist/{name} does not exist: run ./build.sh first", allow_module_level=True)
    return path


@pytest.fixture(scope="session")
def site() -> Iterator[WebServer]:
    """Serve dist/ at ``/`` and below ``/sub/folder/``, and the corpora's files."""
    built("pyloader.js")
    corpora = {"/corpus/": DATA, "/pydicom-data/": FURTHER_DATA}
    server = WebServer({**corpora, "/sub/folder/": DIST, "/csp/": DIST, "/": DIST})
    server.put("/blank.html", BLANK)
    server.put("/sub/folder/pages/blank.html", BLANK)
    server.put("/csp/blank.html", BLANK)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Start what drives browsers."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Start Chromium."""
    browser = launch(playwright.chromium)
    yield browser
    browser.close()


def launch(chromium: BrowserType, *further: str, is_whole: bool = False) -> Browser:
    """Start a Chromium, with further arguments: its headless shell, unless the whole is wanted."""
    shell = "" if is_whole else os.environ.get("HEADLESS_SHELL", "")
    program = shell or os.environ.get("CHROMIUM", "/usr/bin/chromium")
    return chromium.launch(executable_path=program, args=[*ARGUMENTS, *further])


@pytest.fixture
def open_page(site: WebServer, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens pages, each in a context of its own, closed after the test."""
    contexts = []

    def open_page(path: str = "/blank.html", script: str = "/pyloader.js", **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        prepare(page, site.url + path)
        if script:
            page.add_script_tag(url=script)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def open_named(open_page: Callable[..., Page], served: Served) -> Callable[..., Page]:
    """Return `open_page`, for pages that let the DICOMweb server's origin have their secrets."""

    def open_named(**options: Any) -> Page:
        page = open_page(**options)
        page.evaluate("(url) => void pyloader.dicomweb(url)", served.server.url)
        return page

    return open_named


@pytest.fixture(scope="session")
def page(site: WebServer, browser: Browser) -> Page:
    """Return a page where Python has started, shared by the tests that leave it as it was."""
    page = browser.new_context().new_page()
    prepare(page, f"{site.url}/blank.html")
    page.add_script_tag(url="/pyloader.js")
    page.evaluate("pyloader.init({workers: 1, timeout: 20_000})")
    return page


def prepare(page: Page, url: str) -> None:
    """Open a URL with `HELPERS` and a list of uncaught errors."""
    page.set_default_timeout(60_000)
    page.uncaught = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.uncaught.append(error.message))  # type: ignore[attr-defined]
    page.add_init_script(HELPERS)
    page.goto(url)


@pytest.fixture
def demo(open_page: Callable[..., Page]) -> Callable[[str], Page]:
    """Return a function that opens a demo page, which must not have uncaught errors."""

    def open_demo(name: str) -> Page:
        return open_page(f"/demo/{name}", script="", viewport={"width": 1200, "height": 800})

    return open_demo
