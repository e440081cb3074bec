"""pyloader twice on a page, two versions of it, and files of another version than the script."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.support import corpus
from tests.support.pages import BLANK, DIST, prepare
from tests.support.webserver import WebServer

CT, JPEG_LS = "CT_small.dcm", "MR_small_jpeg_ls_lossless.dcm"
SCRIPTS = ("pyloader.js", "pyloader.mjs")
WORKERS = ("worker.mjs", "whole-worker.mjs")
RELOAD = "was pyloader deployed anew while this page was open? Then reload the page"


def release(folder: Path, version: str) -> Path:
    """Write what a build of another version makes: other scripts, and workers of other digests."""
    shutil.copytree(
        DIST / "pyodide", folder / "pyodide", ignore=shutil.ignore_patterns("*.br", "*.gz")
    )
    [now] = set(re.findall(r"\d+\.\d+\.\d+ \(build \w{8}\)", (DIST / "worker.mjs").read_text()))
    digests = {}
    for name in WORKERS:
        text = (
            (DIST / name).read_bytes().replace(now.encode(), f"{version} (build 00000000)".encode())
        )
        (folder / name).write_bytes(text)
        before = hashlib.sha256((DIST / name).read_bytes()).hexdigest()
        digests[before] = hashlib.sha256(text).hexdigest()
    for name in SCRIPTS:
        text = (DIST / name).read_text().replace(now, f"{version} (build 00000000)")
        text = text.replace(f'"{now.split()[0]}"', f'"{version}"')
        for before, after in digests.items():
            assert before in text
            text = text.replace(before, after)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release(tmp_path_factory.mktemp("other"), "9.9.9")


@pytest.fixture
def host(other: Path) -> Iterator[WebServer]:
    """Serve this build at ``/`` and another version below ``/other/``."""
    server = WebServer({"/corpus/": corpus.DATA, "/other/": other, "/": DIST})
    server.put("/blank.html", BLANK)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def visit(host: WebServer, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens an empty page with scripts."""
    context = browser.new_context()

    def visit(*scripts: str) -> Page:
        page = context.new_page()
        prepare(page, f"{host.url}/blank.html")
        for script in scripts:
            page.add_script_tag(url=script)
        return page

    yield visit
    context.close()


def load(page: Page, name: str, face: str = "pyloader") -> np.ndarray:
    """Load a file of the corpus; return its pixels."""
    values = page.evaluate(
        f"(id) => {face}.loadImage(id).then((image) => [...image.getPixelData()])",
        f"wadouri:/corpus/{name}",
    )
    return np.array(values)


def assert_loads(page: Page, face: str, name: str = CT) -> None:
    """Compare what one of the copies loads with what is in the file."""
    assert np.array_equal(load(page, name, face), corpus.reference(name).pixels.ravel())


def error(page: Page, call: str) -> dict[str, str]:
    """Return code and message of what a call rejects with."""
    words = "({code, message}) => ({code, message})"
    found: dict[str, str] = page.evaluate(f"{call}.then(() => null, {words})")
    return found


def test_imported_twice(visit) -> None:
    page = visit("/pyloader.js")
    page.evaluate(
        """async () => {
          globalThis.first = await import('/pyloader.mjs');
          globalThis.second = await import('/pyloader.mjs?again');
        }"""
    )
    assert page.evaluate("first !== second && first.loadImage !== pyloader.loadImage")
    for face in ("pyloader", "first", "second"):
        assert_loads(page, face)
    page.evaluate("first.terminate()")
    assert_loads(page, "second", JPEG_LS)


def test_two_versions_on_one_page(visit) -> None:
    page = visit("/pyloader.js")
    page.evaluate("globalThis.first = pyloader")
    page.add_script_tag(url="/other/pyloader.js")
    assert page.evaluate("[first.version !== '9.9.9', pyloader.version]") == [True, "9.9.9"]
    for face in ("first", "pyloader"):
        assert_loads(page, face)
        assert page.evaluate(f"{face}.stats().version === {face}.version")
    assert page.evaluate("first.addFile(new Blob()) !== pyloader.addFile(new Blob())")


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("is_of_other_origin", [False, True])
def test_files_of_another_version(
    visit, host: WebServer, workers: int, is_of_other_origin: bool
) -> None:
    page = visit("/pyloader.js")
    folder = f"{host.other_origin if is_of_other_origin else host.url}/other/"
    found = error(page, f"pyloader.init({{workers: {workers}, assetsURL: '{folder}'}})")
    assert found["code"] == "boot"
    assert folder in found["message"]
    if workers and not is_of_other_origin:
        assert (
            "worker.mjs is of pyloader 9.9.9 (build 00000000), and the page's script of"
            in found["message"]
        )
        assert RELOAD in found["message"]
    else:
        assert "not the file that the build made" in found["message"]


def test_deployment_under_a_page_that_has_not_started(visit, host: WebServer, other: Path) -> None:
    page = visit("/pyloader.js")
    host.roots["/"] = other
    found = error(page, "pyloader.loadImage('wadouri:/corpus/CT_small.dcm')")
    assert (found["code"], RELOAD in found["message"]) == ("boot", True)
    page.reload()
    page.add_script_tag(url="/pyloader.js")
    assert page.evaluate("pyloader.version") == "9.9.9"
    assert_loads(page, "pyloader")


def test_deployment_under_a_page_at_work(visit, host: WebServer, tmp_path: Path) -> None:
    page = visit("/pyloader.js")
    assert_loads(page, "pyloader")
    changed = tmp_path / "changed"
    shutil.copytree(DIST / "pyodide", changed / "pyodide")
    for path in (changed / "pyodide").glob("imagecodecs._jpegls*"):
        path.write_bytes(b"of another build")
    host.roots["/"] = changed
    found = error(page, f"pyloader.loadImage('wadouri:/corpus/{JPEG_LS}')")
    assert (found["code"], RELOAD in found["message"]) == ("network", True), found
    assert_loads(page, "pyloader", "MR_small.dcm")
