"""The page with lines to copy: each block is one of the documentation, and its button copies it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "web" / "docs"
SOURCES = (
    "start/npm.md",
    "start/script-tag.md",
    "apps.md",
    "ohif.md",
    "tutorials/cornerstone3d.md",
)
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = "(all) => all.map((each) => each.textContent)"


def documented() -> str:
    """Return the code of the documentation's pages."""
    texts = [(DOCS / name).read_text() for name in SOURCES]
    return "\n".join(code for text in texts for code in FENCED.findall(text))


def test_lines_are_those_of_the_documentation(open_page) -> None:
    page = open_page("/demo/app.html", script="")
    blocks = page.eval_on_selector_all("pre", BLOCKS)
    assert len(blocks) > 9
    code = documented()
    assert [block for block in blocks if block not in code] == []


def test_a_button_copies_its_lines(open_page) -> None:
    page = open_page("/demo/app.html", script="", permissions=["clipboard-read", "clipboard-write"])
    button = page.locator(".copied:has-text('window.config') button")
    button.click()
    page.wait_for_selector(".copy:has-text('Copied')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("window.config = {")
    assert copied in documented()


def test_without_a_clipboard_the_lines_are_selected(open_page) -> None:
    page = open_page("/demo/app.html", script="")
    # As on a page without HTTPS; that of the tests is on the loopback address, which is secure.
    page.evaluate("void delete Navigator.prototype.clipboard")
    page.locator(".copied:has-text('packageName') button").click()
    page.wait_for_selector(".copy:has-text('Selected')")
    assert page.evaluate("String(getSelection())") == (
        '{ "extensions": [{ "packageName": "pyloader/ohif" }] }'
    )


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out(open_page, width: int) -> None:
    page = open_page("/demo/app.html", script="", viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == width
