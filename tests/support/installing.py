"""Python packages as a page installs them: another server that has some, and how a run ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.pages.index_server import IndexServer

# Runs a source in all workers; resolves to what it printed, and how it failed.
RUN = """async ([source, packages, name]) => {
  const lines = [];
  const listen = ({ detail }) => lines.push(detail.text);
  pyloader.events.addEventListener('print', listen);
  const file = { source, packages, name };
  const error = await pyloader.loadPython(file).then(() => null, describeError);
  pyloader.events.removeEventListener('print', listen);
  return { lines, error };
}"""


@pytest.fixture
def index() -> Iterator[IndexServer]:
    """Return another server that has packages."""
    server = IndexServer()
    yield server
    server.stop()


@pytest.fixture
def start(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Return a function that opens a page with one worker and options."""

    def start(**options: Any) -> Page:
        page = open_page()
        page.evaluate("(options) => pyloader.init(options)", {"workers": 1, **options})
        return page

    return start


def run(page: Page, source: str, *packages: str) -> list[str]:
    """Run a source in the page and return what it printed."""
    found = page.evaluate(RUN, [source, packages, None])
    assert found["error"] is None, found["error"]["message"]
    return list(found["lines"])


def refused(page: Page, *packages: str, source: str = "") -> str:
    """Return the text of the PackageError that packages end in."""
    error = page.evaluate(RUN, [source, packages, None])["error"]
    assert error is not None, f"{packages} were installed"
    assert (error["kind"], error["code"], error["stage"]) == ("PackageError", "package", "loader")
    return str(error["message"])
