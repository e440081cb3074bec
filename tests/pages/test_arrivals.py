"""Files that arrive together go to Python in one list: each load still ends on its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, Route

from tests.support import builders
from tests.support.webserver import WebServer

COUNT = 6  # requests that Chromium sends to one host at a time
PIXELS = np.random.default_rng(5).integers(0, 4096, (COUNT, 64, 48)).astype("u2")
# Notes how many images each call makes, lets a chosen file end the interpreter, and keeps Python busy.
WATCH = """
import ctypes
import time
import numpy as np
from pyloader import Image, register_loader
from pyloader.browser.bridge import Bridge

sizes = []
load_arrived, load_of_response = Bridge.load_arrived, Bridge.load_of_response

def noting(self, *arguments):
    sizes.append(0)
    return load_arrived(self, *arguments)

def deadly(self, asked, *arguments):
    sizes[-1] += 1
    if "deadly" in asked["imageId"]:
        ctypes.string_at(0xFFFFFF00, 16)
    if "too-large" in asked["imageId"]:
        raise MemoryError("no room for the body")
    return load_of_response(self, asked, *arguments)

Bridge.load_arrived, Bridge.load_of_response = noting, deadly

@register_loader("sizes")
async def load(image_id, context):
    return Image.from_array(np.array([sizes or [0]], "u2"))

@register_loader("busy")
async def load(image_id, context):
    time.sleep(0.5)
    return Image.from_array(np.zeros((1, 1), "u1"))
"""
SIZES = "pyloader.loadImage('sizes:').then((image) => [...image.getPixelData()])"


def body_of(index: int) -> bytes:
    """Return a file of one image."""
    return builders.native(PIXELS[index], BitsStored=12)


def digest_of(index: int) -> str:
    """Return what `digest` of helpers.js says of an image."""
    return f"Uint16Array 64 48 1 {hashlib.sha256(PIXELS[index].tobytes()).hexdigest()}"


class Together:
    """A page whose requests are answered all at once."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name = page, name
        self.held: dict[str, Route] = {}
        self.bodies = {f"/{name}/{index}.dcm": body_of(index) for index in range(COUNT)}
        page.context.route(f"**/{name}/*", self.hold)
        page.evaluate("pyloader.init({workers: 1, retries: 1})")
        page.evaluate("(source) => pyloader.loadPython({source})", WATCH)

    def path(self, index: int) -> str:
        """Return the path of a file."""
        return f"/{self.name}/{index}.dcm"

    def hold(self, route: Route) -> None:
        """Keep a request waiting; answer those that come after `answer` at once."""
        self.held[route.request.url.partition(f"/{self.name}/")[2]] = route

    def start(self, image_ids: list[str]) -> None:
        """Ask for images, and wait until their requests are under way."""
        self.page.evaluate("(ids) => void (globalThis.found = digests(ids))", image_ids)
        while len(self.held) < len(image_ids):
            self.page.wait_for_timeout(20)

    def answer(self, **statuses: int) -> None:
        """Answer all requests that wait, while Python is busy."""
        self.page.evaluate("void pyloader.loadImage(`busy:${Math.random()}`).catch(() => {})")
        for name, route in self.held.items():
            status = statuses.get(f"file{name.partition('.')[0]}", 200)
            route.fulfill(status=status, body=self.bodies[f"/{self.name}/{name}"])
        self.held.clear()

    def image_ids(self) -> list[str]:
        """Return the imageIds of all files."""
        return [f"wadouri:{path}" for path in self.bodies]


@pytest.fixture
def together(open_page: Callable[..., Page], site: WebServer, request: pytest.FixtureRequest):
    """Return a page that gets its files all at once."""
    return Together(open_page(), request.node.name.partition("[")[0])


def test_files_that_arrive_together_are_made_in_lists(together: Together) -> None:
    together.start(together.image_ids())
    together.answer()
    assert together.page.evaluate("found") == [digest_of(index) for index in range(COUNT)]
    sizes = together.page.evaluate(SIZES)
    assert sum(sizes) == COUNT
    assert max(sizes) > 1


def test_damaged_files_end_only_their_own_loads(together: Together) -> None:
    together.bodies[together.path(1)] = body_of(1)[:-100]
    together.bodies[together.path(3)] = b"<html>no image</html>"
    together.bodies[together.path(4)] = b""
    together.start(together.image_ids())
    together.answer()
    found = together.page.evaluate("found")
    good = [0, 2, 5]
    assert [found[index] for index in good] == [digest_of(index) for index in good]
    assert [found[index].partition(":")[0] for index in (1, 3, 4)] == ["format"] * 3


def test_a_file_without_room_ends_only_its_own_load(together: Together) -> None:
    together.bodies[f"/{together.name}/too-large.dcm"] = together.bodies.pop(together.path(2))
    together.start(together.image_ids())
    together.answer()
    found = together.page.evaluate("found")
    assert found[:-1] == [digest_of(index) for index in range(COUNT) if index != 2]
    assert "no room for the body" in found[-1]


def test_a_refusal_among_files_ends_only_its_own_load(together: Together) -> None:
    together.start(together.image_ids())
    together.answer(file2=404)
    found = together.page.evaluate("found")
    assert found[2].startswith("http-status: "), found[2]
    assert [found[index] for index in (0, 1, 3, 4, 5)] == [digest_of(i) for i in (0, 1, 3, 4, 5)]


def test_a_cancel_inside_a_list_ends_only_its_own_load(together: Together) -> None:
    together.page.evaluate(
        """(ids) => {
          const controller = new AbortController();
          const options = (index) => index === 2 && {
            signal: controller.signal,
            onProgress: ({ loaded, total }) => loaded === total && controller.abort(),
          };
          globalThis.found = Promise.all(ids.map((id, index) =>
            pyloader.loadImage(id, options(index) || {}).then(digest, ({ name }) => name)));
        }""",
        together.image_ids(),
    )
    while len(together.held) < COUNT:
        together.page.wait_for_timeout(20)
    together.answer()
    expected = [digest_of(index) for index in range(COUNT)]
    assert together.page.evaluate("found") in (
        expected,
        [*expected[:2], "AbortError", *expected[3:]],
    )
    together.page.wait_for_function("pyloader.stats().workers[0].running === 0")


def test_a_worker_that_dies_with_a_list_takes_only_the_guilty_load(together: Together) -> None:
    together.bodies[f"/{together.name}/deadly.dcm"] = together.bodies.pop(together.path(2))
    image_ids = together.image_ids()
    together.start(image_ids)
    together.answer()
    together.page.context.unroute(f"**/{together.name}/*")
    together.page.context.route(
        f"**/{together.name}/*",
        lambda route: route.fulfill(
            body=together.bodies[f"/{together.name}/" + route.request.url.rpartition("/")[2]]
        ),
    )
    found = together.page.evaluate("found")
    good = [index for index in range(COUNT) if index != 2]
    assert found[:-1] == [digest_of(index) for index in good]
    assert found[-1].startswith("worker: ")
    assert together.page.evaluate("pyloader.stats().deaths") in (1, 2)


def test_the_most_urgent_file_of_a_list_is_made_first(together: Together) -> None:
    together.page.evaluate(
        """(ids) => {
          globalThis.order = [];
          const types = ['prefetch', 'prefetch', 'prefetch', 'thumbnail', 'prefetch', 'interaction'];
          globalThis.found = Promise.all(ids.map((id, index) =>
            pyloader.loadImage(id, { requestType: types[index] }).then(() => order.push(index))));
        }""",
        together.image_ids(),
    )
    while len(together.held) < COUNT:
        together.page.wait_for_timeout(20)
    together.answer()
    together.page.evaluate("found")
    sizes = together.page.evaluate(SIZES)
    order = together.page.evaluate("order")
    assert sorted(order) == list(range(COUNT))
    if sizes == [COUNT]:
        assert order == [5, 3, 0, 1, 2, 4]


def test_files_of_the_user_go_in_lists_too(together: Together) -> None:
    bodies = [list(body_of(index)) for index in range(COUNT)]
    found = together.page.evaluate(
        """(bodies) => digests(bodies.map((body) =>
             pyloader.addFile(new File([new Uint8Array(body)], 'a.dcm'))))""",
        bodies,
    )
    assert found == [digest_of(index) for index in range(COUNT)]
    assert sum(together.page.evaluate(SIZES)) == COUNT
