"""One instance of 500 MB, seen frame by frame, takes a bounded part of memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser
from pydicom.uid import ExplicitVRLittleEndian

from tests.support import builders
from tests.support.dicomweb import DicomWebServer
from tests.support.dicomweb.archive import with_pixel_header
from tests.support.pages import launch, prepare
from tests.support.servers import own_server
from tests.support.webserver import WebServer

FRAMES, ROWS, COLUMNS = 1000, 512, 512
FRAME_BYTES = ROWS * COLUMNS * 2
# limits.sourceBytes: what a worker keeps of files. A request under way may have as much.
KEPT = 64 << 20
# Those two, and their copies on the way from the network to Python and from there to the page,
# which wait to be collected, on a busy machine for long; the images of a hundred frames are the
# page's own.
BOUND = 3 * KEPT + 4 * 100 * FRAME_BYTES + (64 << 20)

SEE_ALL = """
async (ids) => {
  let sum = 0;
  for (let start = 0; start < ids.length; start += 100) {
    const group = ids.slice(start, start + 100).map((id) => pyloader.loadImage(id).then((image) => image.maxPixelValue));
    for (const value of await Promise.all(group)) sum += value;
  }
  return sum;
}
"""


@pytest.fixture
def own_browser(browser: Browser) -> Iterator[Browser]:
    """Start a Chromium of which this test is the only user."""
    own = launch(browser.browser_type)
    yield own
    own.close()


@pytest.fixture(scope="module")
def archive() -> Iterator[DicomWebServer]:
    """Run a server with an instance that is made as it is read."""
    with own_server() as server:
        yield server


def most_bytes(browser: Browser) -> int:
    """Return the most memory that a page's process has had (VmHWM, proc(5))."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [process["id"] for process in processes if process["type"] == "renderer"]
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in pages]
    return max(int(text.partition("VmHWM:")[2].split()[0]) << 10 for text in statuses)


def put_range_file(server: DicomWebServer) -> list[str]:
    """Serve 500 MB by byte ranges, and return the imageIds."""
    dataset = builders.header(
        np.zeros((1, 1), "u2"), Rows=ROWS, Columns=COLUMNS, NumberOfFrames=FRAMES
    )
    body = builders.part10(dataset, ExplicitVRLittleEndian)
    header = with_pixel_header(body, FRAMES * FRAME_BYTES)
    path = server.put_large(
        "/large.dcm", header, lambda index: np.full(ROWS * COLUMNS, index, "<u2").tobytes(), FRAMES
    )
    return [f"wadouri:{server.url}{path}?frame={number + 1}" for number in range(FRAMES)]


def store_instance(server: DicomWebServer) -> list[str]:
    """Serve 500 MB by DICOMweb, and return the imageIds."""
    values = np.arange(FRAMES, dtype="u2")[:, None, None]
    frames = np.broadcast_to(values, (FRAMES, ROWS, COLUMNS))
    uids = {
        f"{level}InstanceUID": f"1.2.5.{place}"
        for place, level in enumerate(("Study", "Series", "SOP"))
    }
    path = server.store(builders.native(frames, NumberOfFrames=FRAMES, **uids))
    return [f"wadors:{server.dicomweb}{path}/frames/{number + 1}" for number in range(FRAMES)]


@pytest.mark.parametrize("put", [put_range_file, store_instance])
def test_500_megabytes(own_browser, site: WebServer, archive: DicomWebServer, put) -> None:
    page = own_browser.new_page()
    prepare(page, f"{site.url}/blank.html")
    page.set_default_timeout(120_000)
    page.add_script_tag(url="/pyloader.js")
    page.evaluate(f"pyloader.init({{workers: 1, limits: {{sourceBytes: {KEPT}}}}})")
    page.evaluate("(id) => digests([id])", "wadouri:/corpus/CT_small.dcm")
    before = most_bytes(own_browser)
    image_ids = put(archive)
    archive.clear()
    assert page.evaluate(SEE_ALL, image_ids) == sum(range(FRAMES))
    grown = most_bytes(own_browser) - before
    requests, sent = archive.tally("/")
    print(
        f"{put.__name__}: {sent:,} bytes in {requests} requests; the page's process had "
        f"{before:,} bytes before and {grown:,} more at most (bound {BOUND:,})"
    )
    assert requests <= FRAMES // 100 + 2
    assert sent < 1.05 * FRAMES * FRAME_BYTES
    assert grown < BOUND
