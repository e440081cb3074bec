"""The page of the start: its timeline is that of this start, its assets are what was fetched."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.support.pages import DIST
from tests.support.pages.demo import wait

ROWS = """
() => [...document.querySelectorAll('#timeline li:not(.axis, .lane)')].map((row) => {
  const bar = row.querySelector('i').getBoundingClientRect();
  const track = row.querySelector('.track').getBoundingClientRect();
  return {
    name: row.querySelector('.what').innerText, milliseconds: parseInt(row.querySelector('output').innerText),
    from: (bar.left - track.left) / track.width, to: (bar.right - track.left) / track.width,
  };
})
"""
ASSETS = """
() => [...document.querySelectorAll('#assets tbody tr')].map((row) => [...row.children].map((cell) => cell.innerText))
"""


def rows(page: Page) -> list[dict]:
    """Return the bars of the timeline, as parts of its width."""
    return page.evaluate(ROWS)


def test_the_timeline_is_that_of_this_start(demo) -> None:
    page = demo("start.html")
    wait(page, "shown")
    found = rows(page)
    assert all(-0.01 <= row["from"] <= row["to"] <= 1.01 for row in found)
    [image] = [row for row in found if row["name"] == "first image"]
    assert image["to"] > 0.98, "it is the end of it"
    [worker] = [row for row in found if row["name"] == "all of the start"]
    assert worker["to"] <= image["from"] + 0.01, "Python runs before an image is loaded"
    booted = page.evaluate("pyloader.stats().workers[0].bootMilliseconds")
    assert 0 < worker["milliseconds"] <= booted + 1
    # Its length is to that of the image as their times are.
    whole = image["milliseconds"] / (image["to"] - image["from"])
    assert abs(worker["milliseconds"] / (worker["to"] - worker["from"]) / whole - 1) < 0.2
    lanes = page.eval_on_selector_all("#timeline .lane", "(all) => all.map((x) => x.innerText)")
    assert lanes == ["This page", "Worker 1"]
    assert page.uncaught == []


def test_assets_are_what_was_fetched(demo) -> None:
    page = demo("start.html")
    wait(page, "shown")
    assets = {name: (size, network) for name, size, network in page.evaluate(ASSETS)}
    sizes = {path.name: path.stat().st_size for path in DIST.rglob("*") if path.is_file()}
    assert {"pyloader.js", "pyodide.asm.wasm"} <= set(assets) <= set(sizes)
    for name, (size, _) in assets.items():
        assert int(size.replace(",", "")) == round(sizes[name] / 1000), name


def test_python_starts_again_and_with_another_worker(demo) -> None:
    page = demo("start.html")
    wait(page, "shown")
    before = [row["milliseconds"] for row in rows(page)]
    page.click("#more")
    page.wait_for_function(
        "document.querySelectorAll('#timeline .lane').length === 3"
        " && document.documentElement.dataset.state === 'shown'"
    )
    assert page.evaluate("pyloader.stats().workers.length") == 2
    assert [row["milliseconds"] for row in rows(page)] != before
    assert "Worker 2" in page.inner_text("#kind")
    assert page.uncaught == []
