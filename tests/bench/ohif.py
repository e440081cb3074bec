"""OHIF with pyloader against OHIF with its own loader: the first image, and scrolling.

``python -m tests.bench.ohif [ROUNDS]``. Each round is a new profile of Chromium for each of the
two: a first visit, a later one, and scrolling through the stack that is loaded then.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from tests.support import ohif, studies
from tests.support.orthanc import Orthanc
from tests.support.pages import ARGUMENTS

ROUNDS = 5
SLICES = 60
SCROLLS = 4
PROGRAM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# What visitors have for the next visit is written after a while.
LOOKING_MS = 5000
SCRIPT = (Path(ohif.__file__).parent / "page.js").read_text()
# Of the first image in a viewport, since the page began.
FIRST = """new Promise((resolve) => {
  const look = () => {
    const isShown = asked.viewports().some((viewport) => viewport.getCornerstoneImage?.());
    if (isShown) requestAnimationFrame(() => resolve(performance.now()));
    else setTimeout(look, 5);
  };
  look();
})"""
SCROLL = """(async () => {
  const [viewport] = asked.viewports();
  const started = performance.now();
  for (let index = 0; index < viewport.getImageIds().length; index++) {
    const rendered = new Promise((resolve) => {
      viewport.element.addEventListener('CORNERSTONE_IMAGE_RENDERED', resolve, { once: true });
    });
    await viewport.setImageIdIndex(index);
    viewport.render();
    await rendered;
  }
  return (performance.now() - started) / viewport.getImageIds().length;
})()"""


def main(rounds: int) -> None:
    """Run the rounds, and print medians in ms and their ratios."""
    server = Orthanc()
    server.start()
    study = studies.ct(count=SLICES)
    server.fill(study.files)
    site = ohif.Ohif(server, ohif.app())
    site.start()
    found: dict[tuple[str, str], list[float]] = {}
    try:
        with sync_playwright() as playwright:
            for turn in range(rounds):
                subjects = [("pyloader", [ohif.ENTRY]), ("own", [])]
                for subject, entries in subjects if turn % 2 else reversed(subjects):
                    site.configure(*entries)
                    address = f"{site.url}/viewer?StudyInstanceUIDs={study.uid}"
                    for race, value in visits(playwright, address):
                        found.setdefault((race, subject), []).append(value)
    finally:
        site.stop()
        server.stop()
    for race in ("first visit", "later visit", "scroll, per image"):
        ours, own = (median(found[race, subject]) for subject in ("pyloader", "own"))
        print(f"{race:20} pyloader {ours:8.1f} ms   own {own:8.1f} ms   {ours / own:.2f}")


def visits(playwright: Playwright, address: str) -> Iterator[tuple[str, float]]:
    """Visit with a new profile, again, and scroll."""
    software = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    arguments = [each for each in ARGUMENTS if each != "--disable-gpu"]
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=PROGRAM, args=[*arguments, *software]
        )
        context.add_init_script(SCRIPT)
        context.add_init_script("localStorage.setItem('shownTours', '[\"basicViewerTour\"]')")
        for race in ("first visit", "later visit"):
            page = opened(context, address)
            yield race, page.evaluate(FIRST)
            page.wait_for_function("asked.areAllThere()")
            page.wait_for_timeout(LOOKING_MS)
            for _ in range(SCROLLS if race == "later visit" else 0):
                yield "scroll, per image", page.evaluate(SCROLL)
            page.close()
        context.close()


def opened(context: BrowserContext, address: str) -> Page:
    """Return a page that has begun to open an address."""
    page = context.new_page()
    page.goto(address, wait_until="commit")
    return page


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
