"""Many loads at once, few cores, timers that do not fire: all images come, and are right."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Page
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless

from tests.support import builders
from tests.support.dicomweb import DicomWebServer
from tests.support.servers import own_server
from tests.support.webserver import WebServer

REST_MS = 30_000
FRAMES = np.random.default_rng(3).integers(0, 4096, (24, 256, 256)).astype("u2")
# Counts what the page asks of its workers, by name, and the images that came along with others.
COUNT_CALLS = """() => {
globalThis.asked = {along: 0};
const {postMessage} = Worker.prototype;
const seen = new WeakSet();
const count = ({data}) => void (asked.along += data.result?.batch?.length ?? 0);
Worker.prototype.postMessage = function (message, transfer) {
  if (!seen.has(this)) this.addEventListener('message', count);
  seen.add(this);
  if (message.kind === 'call') asked[message.name] = (asked[message.name] ?? 0) + 1;
  return postMessage.call(this, message, transfer ?? []);
};
}"""
STARTED = "(options) => pyloader.init({timeout: 20_000, ...options})"


def expected(pixels: np.ndarray) -> str:
    """Return what `digest` of helpers.js says of an image."""
    rows, columns = pixels.shape
    kind = {"u2": "Uint16Array", "u1": "Uint8Array"}[pixels.dtype.str[1:]]
    return f"{kind} {rows} {columns} 1 {hashlib.sha256(pixels.tobytes()).hexdigest()}"


def cine() -> bytes:
    """Make a file of frames that take a while to decode."""
    encoded = [builders.ENCODERS[JPEG2000Lossless](frame) for frame in FRAMES]
    return builders.encapsulated(encoded, FRAMES[0], JPEG2000Lossless, BitsStored=12)


def slices(site: WebServer, name: str, count: int) -> tuple[list[str], list[str]]:
    """Serve single images; return their imageIds and what `digest` says of them."""
    made = [np.roll(FRAMES[0], shift) for shift in range(count)]
    for index, pixels in enumerate(made):
        site.put(f"/{name}/{index}.dcm", builders.encode(pixels, JPEGLSLossless, BitsStored=12))
    image_ids = [f"wadouri:/{name}/{index}.dcm" for index in range(count)]
    return image_ids, [expected(pixels) for pixels in made]


@pytest.fixture
def start(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Return a function that opens a page where Python has started."""

    def start(script: str = "", **options: object) -> Page:
        page = open_page(script="")
        page.evaluate(COUNT_CALLS)
        page.evaluate(f"() => {{ {script} }}")
        page.add_script_tag(url="/pyloader.js")
        page.evaluate(STARTED, options)
        return page

    return start


# ------------------------------------------------------------------ frames of one instance


@pytest.fixture(scope="module")
def archive() -> Iterator[DicomWebServer]:
    """Run a server of DICOMweb and of files by byte ranges."""
    with own_server() as server:
        yield server


def by_file(site: WebServer, archive: DicomWebServer, page: Page) -> str:
    """Serve the frames in a file; return what its imageIds begin with."""
    site.seen.clear()
    site.put("/together/cine.dcm", cine())
    return "wadouri:/together/cine.dcm?frame="


def by_blob(site: WebServer, archive: DicomWebServer, page: Page) -> str:
    """Give the frames as a file of the user."""
    site.seen.clear()
    site.put("/together/cine.dcm", cine())
    return page.evaluate("addFileOf('/together/cine.dcm')") + "?frame="


def by_service(site: WebServer, archive: DicomWebServer, page: Page) -> str:
    """Store the frames in a DICOMweb service."""
    return f"wadors:{archive.dicomweb}{archive.store(cine())}/frames/"


def by_ranges(site: WebServer, archive: DicomWebServer, page: Page) -> str:
    """Serve the frames by byte ranges."""
    name = archive.store(cine()).rpartition("/")[2]
    return f"wadouri:{archive.url}/files/{name}.dcm?frame="


@pytest.mark.parametrize("serve", [by_file, by_blob, by_service, by_ranges])
def test_two_workers_decode_the_frames_of_one_instance(
    start, site: WebServer, archive: DicomWebServer, serve
) -> None:
    page = start(workers=2)
    prefix = serve(site, archive, page)
    image_ids = [f"{prefix}{number + 1}" for number in range(len(FRAMES))]
    archive.clear()
    assert page.evaluate("(ids) => digests(ids)", image_ids) == list(map(expected, FRAMES))
    asked = page.evaluate("asked")
    assert asked["borrow"] > 3, "the other worker has helped"
    assert asked["load"] + asked["along"] + asked["borrow"] == len(FRAMES)
    assert len(site.asked("/together/cine.dcm")) <= 1
    assert archive.tally("/")[0] <= 2, "a header, or metadata, and all frames at once"


def test_what_helpers_have_is_let_go_of(start, site: WebServer) -> None:
    page = start(workers=2)
    site.put("/together/again.dcm", cine())
    source = "wadouri:/together/again.dcm"
    image_ids = [f"{source}?frame={number + 1}" for number in range(len(FRAMES))]
    show = """async (ids) => {
      const objects = ids.map((id) => pyloader.imageLoader(id, {useRGBA: false}));
      const found = await Promise.all(objects.map(({promise}) => promise.then(digest)));
      for (const {decache} of objects) decache();
      return found;
    }"""
    assert page.evaluate(show, image_ids) == list(map(expected, FRAMES))
    other = [np.ascontiguousarray(frame[::-1]) for frame in FRAMES]
    encoded = [builders.ENCODERS[JPEG2000Lossless](frame) for frame in other]
    body = builders.encapsulated(encoded, other[0], JPEG2000Lossless, BitsStored=12)
    site.put("/together/again.dcm", body)
    assert page.evaluate(show, image_ids) == list(map(expected, other)), "what the server has now"
    assert page.evaluate("asked.borrow") > 6


# ------------------------------------------------------------------ cancelled at once


def test_a_thousand_loads_cancelled_at_once(start, site: WebServer) -> None:
    page = start(workers=1)
    image_ids, digests = slices(site, "cancelled", 4)
    before = len(site.seen)
    outcome = page.evaluate(
        """async (ids) => {
          const controller = new AbortController();
          const outcomes = Array.from({length: 1000}, (_, index) =>
            pyloader.loadImage(`${ids[index % 4]}?copy=${index}`, {signal: controller.signal}).then(() => 'image', ({name}) => name));
          while (!asked.load) await new Promise((resolve) => setTimeout(resolve));
          controller.abort();
          const names = [...new Set(await Promise.all(outcomes))];
          const {queued, loading} = pyloader.stats();
          return {names, queued, loading, load: asked.load};
        }""",
        image_ids,
    )
    assert (outcome["queued"], outcome["loading"]) == (0, 0)
    assert "AbortError" in outcome["names"]
    assert set(outcome["names"]) <= {"AbortError", "image"}, "what had come was no longer cancelled"
    assert outcome["load"] < 100, "the others never left the page"
    assert len(site.seen) - before < 100
    assert page.evaluate("(ids) => digests(ids)", image_ids) == digests, (
        "the next ones load at once"
    )


def test_loads_cancelled_as_they_are_asked_for_reach_no_worker(start, site: WebServer) -> None:
    page = start(workers=2)
    image_ids, digests = slices(site, "never", 4)
    names = page.evaluate(
        """async ([id]) => {
          const controller = new AbortController();
          const loads = Array.from({length: 1000}, (_, index) => pyloader.loadImage(`${id}?copy=${index}`, {signal: controller.signal}));
          controller.abort();
          return [...new Set((await Promise.allSettled(loads)).map(({reason}) => reason?.name))];
        }""",
        image_ids,
    )
    assert names == ["AbortError"]
    assert page.evaluate("asked.load") is None
    assert page.evaluate("(ids) => digests(ids)", image_ids) == digests


# ------------------------------------------------------------------ what a browser may lack


def test_one_core(start, site: WebServer) -> None:
    image_ids, digests = slices(site, "core", 40)
    page = start("Object.defineProperty(navigator, 'hardwareConcurrency', {value: 1})")
    assert page.evaluate("(ids) => digests(ids)", image_ids) == digests
    assert len(page.evaluate("pyloader.stats().workers")) == 1


def test_no_shared_memory(start, site: WebServer) -> None:
    """As in every page that is not isolated from other origins."""
    image_ids, digests = slices(site, "unshared", 4)
    page = start(workers=2)
    assert page.evaluate("[typeof SharedArrayBuffer, crossOriginIsolated]") == ["undefined", False]
    assert page.evaluate("(ids) => digests(ids)", image_ids) == digests


def test_a_tab_whose_timers_do_not_fire(open_page, site: WebServer) -> None:
    """In the background they come once a minute: nothing may wait for one."""
    image_ids, digests = slices(site, "background", 40)
    page = open_page(script="")
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    page.add_script_tag(url="/pyloader.js")
    page.evaluate(STARTED, {"workers": 2})
    page.evaluate("setTimeout(() => globalThis.hasFired = true)")
    assert page.evaluate("(ids) => digests(ids)", image_ids) == digests
    assert page.evaluate("globalThis.hasFired ?? false") is False


# ------------------------------------------------------------------ workers that come and go


def test_workers_come_when_they_are_needed_and_go_when_not(open_page, site: WebServer) -> None:
    image_ids, digests = slices(site, "auto", 30)
    page = open_page(script="")
    page.clock.install()
    page.evaluate("Object.defineProperty(navigator, 'hardwareConcurrency', {value: 3})")
    page.add_script_tag(url="/pyloader.js")
    page.evaluate(STARTED)
    page.evaluate(
        "() => { globalThis.file = pyloader.addFile(new Blob([new Uint8Array(9)])); "
        "return pyloader.loadPython({source: `from pyloader import Image, register_loader\\nimport numpy as np, time\\n"
        "@register_loader('mine')\\nasync def load(image_id, context):\\n    time.sleep(0.05)\\n    return Image.from_array(np.full((2, 3), 7, 'u1'))`}) }"
    )
    ready = "pyloader.stats().workers.filter(({state}) => state === 'ready').length"
    assert page.evaluate(ready) == 1
    assert page.evaluate("(ids) => digests(ids)", image_ids) == digests
    assert page.evaluate(ready) == 1, "30 small slices are not worth the start of another"
    mine = expected(np.full((2, 3), 7, "u1"))
    slow = [f"mine:{number}" for number in range(60)]
    assert page.evaluate("(ids) => digests(ids)", slow) == [mine] * 60
    page.wait_for_function(f"{ready} === 2")
    for _ in range(3):
        page.clock.run_for(2 * REST_MS)
    page.wait_for_function("pyloader.stats().workers.length === 1")
    assert page.evaluate("digests(['mine:a', 'mine:b'])") == [mine, mine]
    again = [f"{image_id}?again" for image_id in image_ids]
    assert page.evaluate("(ids) => digests(ids)", again) == digests
    assert page.evaluate("pyloader.stats().deaths") == 0


def test_a_worker_whose_memory_has_grown_is_replaced(open_page, site: WebServer) -> None:
    image_ids, digests = slices(site, "grown", 4)
    page = open_page(script="")
    page.clock.install()
    page.add_script_tag(url="/pyloader.js")
    page.evaluate(STARTED, {"workers": 1, "limits": {"heapBytes": 1}})
    name = page.evaluate("addFileOf('/grown/0.dcm')")
    assert page.evaluate("(ids) => digests(ids)", [*image_ids, name]) == [*digests, digests[0]]
    before = page.evaluate("pyloader.stats().workers[0].bootMilliseconds")
    page.clock.run_for(REST_MS)
    page.wait_for_function(
        "(before) => { const {workers} = pyloader.stats(); "
        "return workers.length === 1 && workers[0].state === 'ready' && workers[0].bootMilliseconds !== before }",
        arg=before,
    )
    assert page.evaluate("(ids) => digests(ids)", [*image_ids, name]) == [*digests, digests[0]]
    assert page.evaluate("pyloader.stats().deaths") == 0
