"""Damaged files in Chromium: refused for a reason, or an image that its header describes.

The worker survives, and what is loaded next is as it was. `FUZZ_EACH=20` has every file damaged 60
times, which takes a quarter of an hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support import corpus, fuzz
from tests.support.pages import prepare
from tests.support.pages.outcome import load
from tests.support.webserver import WebServer

pytestmark = pytest.mark.timeout(900)
FILES = [*corpus.files(), *corpus.further_images()]
# What a worker keeps of files; what one load takes of its memory comes on top.
KEPT = 64 << 20
HEAP_BYTES = 768 << 20

# Tells, as the only pixel of an image, how much memory Python has taken so far.
HEAP = """
import numpy as np
import pyodide_js
from pyloader import Image, register_loader

@register_loader("heap")
async def load(image_id, context):
    return Image.from_array(np.full((1, 1), pyodide_js._module.HEAPU8.length, "u4"))
"""
LOAD_ALL = """
async ([url, damages]) => {
  const body = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const load = async ({ length, edits, frameIndex }) => {
    const damaged = edits.length ? body.slice() : body;
    for (const [place, written] of edits) damaged.set(written.slice(0, damaged.length - place), place);
    const imageId = pyloader.addFile(new Blob([damaged.subarray(0, length ?? damaged.length)]));
    try {
      const image = await pyloader.loadImage(`${imageId}?frame=${frameIndex + 1}`);
      const shape = [image.rows, image.columns];
      const samples = image.getPixelData().length / image.rows / image.columns;
      return { shape, samples, digest: edits.length ? '' : await digest(image) };
    } catch (error) {
      const code = error instanceof pyloader.PyLoaderError ? error.code : `untyped ${error?.name}`;
      return { code, message: `${error?.message}\\n${error?.traceback ?? ''}` };
    } finally {
      pyloader.removeFile(imageId);
    }
  };
  const outcomes = [];
  for (let start = 0; start < damages.length; start += 8) outcomes.push(...await Promise.all(damages.slice(start, start + 8).map(load)));
  return outcomes;
}
"""


@pytest.fixture(scope="module")
def fuzzed(site: WebServer, browser: Browser) -> Iterator[Page]:
    """Return a page with a worker that keeps little."""
    context = browser.new_context()
    page = context.new_page()
    prepare(page, f"{site.url}/blank.html")
    page.add_script_tag(url="/pyloader.js")
    page.evaluate(
        f"pyloader.init({{workers: 1, timeout: 90_000, limits: {{sourceBytes: {KEPT}}}}})"
    )
    yield page
    context.close()


@pytest.fixture(scope="module")
def tally() -> Counter[str]:
    """Return how many loads came to what."""
    return Counter()


@pytest.mark.parametrize("name", FILES)
def test_damaged_file_is_refused_or_what_its_header_says(
    fuzzed: Page, tally: Counter[str], name: str
) -> None:
    subject = fuzz.read_subject(name)
    damages = [as_plain(damage) for damage in fuzz.loads(subject)]
    outcomes = fuzzed.evaluate(LOAD_ALL, [corpus.url_of(name), damages])
    tally.update(outcome.get("code", "images") for outcome in outcomes)
    assert not subject.complaints(outcomes)
    assert {outcome.get("samples", 1) for outcome in outcomes} <= {1, 3, 4}


def as_plain(damage: fuzz.Damage) -> dict[str, Any]:
    """Return a damage as the page takes it."""
    edits = [[place, list(written)] for place, written in damage.edits]
    return {"length": damage.length, "edits": edits, "frameIndex": damage.frame_index}


def test_worker_has_survived(
    fuzzed: Page, tally: Counter[str], add_row: Callable[[str, str], None]
) -> None:
    fuzzed.evaluate("(source) => pyloader.loadPython({source, name: 'heap.py'})", HEAP)
    heap = int(load(fuzzed, "heap:bytes")["pixels"][0, 0])
    deaths = fuzzed.evaluate("pyloader.stats().deaths")
    for outcome, count in tally.items():
        add_row("damaged files in Chromium", f"{outcome:12} {count:6}")
    add_row("damaged files in Chromium", f"worker deaths {deaths}, heap {heap:,} bytes")
    assert deaths == 0
    assert fuzzed.uncaught == []
    assert set(tally) <= {"images", *fuzz.CODES}
    assert heap < HEAP_BYTES
