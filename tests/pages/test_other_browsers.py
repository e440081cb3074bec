"""Firefox and WebKit: they start as Chromium does, and come to the same pixels and errors.

What Chromium comes to is compared with independent decoders by the other tests of this folder.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.support import corpus
from tests.support.dicomweb.client import Served
from tests.support.dicomweb.large import put_native
from tests.support.nifti_builders import make, numbers, packed
from tests.support.pages import HELPERS, webkit
from tests.support.pages.outcome import fail, load
from tests.support.pages.python_files import PYTHON
from tests.support.pages.snapshots import wait_until_kept
from tests.support.pages.webkit import WebKitPage
from tests.support.pictures import animated, moving, noise, photo, saved
from tests.support.web_images import EXACT, LOSSY, samples
from tests.support.webserver import WebServer

pytestmark = pytest.mark.timeout(180)
CT = "wadouri:/corpus/CT_small.dcm"
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
ADD_SCRIPT = """
(url) => new Promise((resolve, reject) => {
  const script = document.createElement('script');
  Object.assign(script, { src: url, onload: () => resolve(true), onerror: () => reject(new Error(url)) });
  document.head.append(script);
})
"""
WAIT_UNTIL_DRAWN = """
async () => {
  const root = document.documentElement;
  for (;;) {
    await new Promise((done) => setTimeout(done, 50));
    const canvas = document.querySelector('canvas');
    if (root.dataset.state === 'failed') return root.dataset.error;
    if (root.dataset.state !== 'shown' || !canvas) continue;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    if (new Set(data.filter((_, index) => index % 4 === 0)).size > 20) return 'a picture';
  }
}
"""
Open = Callable[[str], Any]


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """Have a screen, without which WebKit does not start and Firefox has no WebGL."""
    if not webkit.SCREEN:
        pytest.skip(webkit.NEEDED)
    with webkit.screen() as display:
        yield display


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def open_other(
    request: pytest.FixtureRequest, site: WebServer, display: str, playwright: Playwright
) -> Iterator[Open]:
    """Return a function that opens a page in the other browser, the one before closed."""
    browser = firefox(playwright, display) if request.param == "firefox" else None
    if browser is None and not webkit.is_installed():
        pytest.skip(webkit.NEEDED)
    opened: list[Any] = []

    def close() -> None:
        while opened:
            opened.pop().close()

    def open_other(path: str) -> Any:
        close()
        page = WebKitPage(display) if browser is None else browser.new_page()
        opened.append(page)
        page.goto(site.url + path)
        page.evaluate(f"() => {{ {HELPERS} }}")
        return page

    yield open_other
    close()
    if browser:
        browser.close()


def firefox(playwright: Playwright, display: str) -> Browser:
    """Start Firefox, the one that is installed."""
    if not FIREFOX:
        pytest.skip("install Firefox, Debian's package firefox-esr")
    environment: dict[str, str | float | bool] = {**os.environ, "DISPLAY": display}
    return playwright.firefox.launch(
        executable_path=FIREFOX, channel="moz-firefox", env=environment
    )


@pytest.fixture(scope="module")
def other(open_other: Open) -> Any:
    """Return a page of the other browser where Python has started from its snapshot."""
    page = open_other("/blank.html")
    start(page)
    return page


def start(page: Any) -> None:
    """Start Python in a page, which has to go as fast as it can."""
    page.evaluate(ADD_SCRIPT, "/pyloader.js")
    page.evaluate("() => pyloader.init({ workers: 1, timeout: 20_000 }).then(() => true)")
    (worker,) = page.evaluate("pyloader.stats().workers")
    assert (worker["boot"]["kind"], worker["boot"].get("reason")) == ("snapshot", None)


def test_every_dicom_file(other: Any, page: Page) -> None:
    images = [
        f"wadouri:{corpus.url_of(name)}?frame={index + 1}"
        for name in [*corpus.images(), *corpus.further_images()]
        for index in corpus.frames(name)
    ]
    refused = [f"wadouri:{corpus.url_of(name)}" for name in corpus.refused()]
    call = "(imageIds) => digests(imageIds, { useRGBA: false })"
    expected = dict(zip(images + refused, page.evaluate(call, images + refused), strict=True))
    found = dict(zip(images + refused, other.evaluate(call, images + refused), strict=True))
    assert found == expected
    assert all("Array" in found[image_id] for image_id in images)
    assert not any("Array" in found[image_id] for image_id in refused)


@pytest.mark.parametrize("name", EXACT)
def test_web_image_exactly(other: Any, site: WebServer, name: str) -> None:
    body, expected = EXACT[name]
    image = load(other, f"web:{site.put(f'/made/other/{name}', body)}")
    assert np.array_equal(samples(image, expected), expected)
    assert image["pixels"].dtype == expected.dtype


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_web_image(other: Any, site: WebServer, name: str) -> None:
    body, expected = LOSSY[name]
    image = load(other, f"web:{site.put(f'/made/other/{name}', body)}")
    bound = 5 if name.endswith(".avif") else 2  # the browser's own conversion of colours
    assert np.abs(samples(image, expected).astype(int) - expected).max() <= bound


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_web_image_that_ends_too_early(other: Any, site: WebServer, kind: str) -> None:
    body = saved(photo(), kind)
    error = fail(
        other, f"web:{site.put(f'/made/other/cut.{kind.lower()}', body[: len(body) // 2])}"
    )
    assert error["isPyLoaderError"]


def test_frames_of_an_animation(other: Any, page: Page, site: WebServer) -> None:
    """Without ImageDecoder, as in WebKit, there is the first frame, and a reason for the others."""
    path = site.put("/made/other/frames.gif", animated(moving(4, 3), "GIF", disposal=2))
    call = "async (id) => digests(await pyloader.imageIds(id))"
    expected, found = (each.evaluate(call, f"web:{path}") for each in (page, other))
    assert len(set(expected)) == len(found) == 4
    if other.evaluate("typeof ImageDecoder === 'function'"):
        assert found == expected
    else:
        assert found[0] == expected[0]
        assert all(outcome.startswith("unsupported: frame") for outcome in found[1:])


def test_volume(other: Any, page: Page, site: WebServer) -> None:
    path = site.put("/made/other/volume.nii.gz", packed(make(numbers("i2", (4, 5, 6))).single))
    call = "async (id) => digests(await pyloader.imageIds(id))"
    found = other.evaluate(call, f"nifti:{path}")
    assert found == page.evaluate(call, f"nifti:{path}")
    assert len(set(found)) == 6


def test_file_of_the_user(other: Any) -> None:
    image_id = other.evaluate("addFileOf('/corpus/CT_small.dcm')")
    expected = corpus.reference("CT_small.dcm").pixels
    assert np.array_equal(load(other, image_id)["pixels"], expected)


def test_loader_of_the_user(other: Any, site: WebServer) -> None:
    raw = noise(4, 8, dtype="u2") // 2
    site.put("/made/raw", raw.tobytes())
    call = "(source) => pyloader.loadPython({ source })"
    assert other.evaluate(call, PYTHON.format(scheme="other")) == ["other"]
    assert np.array_equal(load(other, "other:abc")["pixels"], raw + 3)


def test_cancel_closes_the_socket(other: Any, served: Served) -> None:
    url = put_native(served, "/files/other.dcm", frames=1, rows=8192, columns=8192)
    call = """
      async (imageId) => {
        const controller = new AbortController();
        const onProgress = ({ loaded }) => loaded && controller.abort();
        return (await load(imageId, { signal: controller.signal, onProgress })).error.name;
      }
    """
    address = url.replace("/files/", "/quirk/drip/files/")
    assert other.evaluate(call, f"wadouri:{address}") == "AbortError"
    assert served.server.settle()
    cut = [seen for seen in served.server.log if not seen.whole]
    assert cut, "the answer was still under way"
    assert all(seen.closed for seen in cut)
    assert np.array_equal(load(other, CT)["pixels"], corpus.reference("CT_small.dcm").pixels)


def test_answer_that_breaks_off(other: Any) -> None:
    assert fail(other, "wadouri:/fault/drop?other")["stage"] == "fetch"


def test_later_visit_starts_from_the_snapshot_that_was_kept(
    open_other: Open, site: WebServer
) -> None:
    page = open_other("/blank.html")
    start(page)
    wait_until_kept(page)
    probe = "caches.open('of the test')"
    page.evaluate(f"{probe}.then((storage) => storage.put('/probe', new Response('')))")
    page.goto(f"{site.url}/blank.html")
    if not page.evaluate(f"{probe}.then(async (storage) => !!await storage.match('/probe'))"):
        pytest.skip("driven by a test, WebKit forgets with the page what Cache Storage holds")
    site.put("/pyodide/snapshot.bin", b"no longer what it was")
    try:
        start(page)
    finally:
        del site.made["/pyodide/snapshot.bin"]


def test_policy_without_eval(open_other: Open) -> None:
    page = open_other("/csp/blank.html")
    page.evaluate(ADD_SCRIPT, "/csp/pyloader.js")
    pixels = load(page, "wadouri:/corpus/CT_small.dcm")["pixels"]
    assert np.array_equal(pixels, corpus.reference("CT_small.dcm").pixels)


@pytest.mark.parametrize(
    "name", ["index", "nifti", "web", "cornerstone", "cornerstone3d", "custom-loader", "start"]
)
def test_demo_page_shows_an_image(open_other: Open, name: str) -> None:
    assert open_other(f"/demo/{name}.html").evaluate(WAIT_UNTIL_DRAWN) == "a picture"
