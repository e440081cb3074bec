"""Each file of dist/ that runs is the one that the build made, from `<script integrity>` on."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.support.pages import DIST, HELPERS, built, launch
from tests.support.webserver import WebServer

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
PYODIDE = DIST / "pyodide"
LOCK = json.loads(built("pyodide/pyodide-lock.json").read_text())
WORKERS = ("worker.mjs", "whole-worker.mjs")
BOOT = "pyloader.stats().workers[0].boot"
INIT = "(options) => pyloader.init(options).then(() => null, describeError)"
# A section that WebAssembly ignores: the program is another file, and would run.
CUSTOM_SECTION = b"\0\2\1x"


def sha256(path: Path) -> str:
    """Return a file's digest."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_digests_of_all_files_are_where_they_are_asked_for() -> None:
    workers = [(DIST / name).read_text() for name in WORKERS]
    plain = [
        path
        for path in PYODIDE.iterdir()
        if path.suffix not in (".br", ".gz", ".json") and path.is_file()
    ]
    assert len(plain) > 30
    for path in plain:
        assert all(sha256(path) in worker for worker in workers), path.name
    for name in ("pyloader.js", "pyloader.mjs"):
        for worker in WORKERS:
            assert sha256(DIST / worker) in (DIST / name).read_text()


def test_integrity_json_says_what_a_script_tag_needs() -> None:
    said = json.loads((DIST / "integrity.json").read_text())
    for name in ("pyloader.js", "pyloader.mjs"):
        digest = hashlib.sha384((DIST / name).read_bytes()).digest()
        assert said[name] == f"sha384-{base64.b64encode(digest).decode()}"


@pytest.fixture
def alter(site: WebServer) -> Iterator[Callable[[str, Callable[[bytes], bytes]], None]]:
    """Return a function that has the server answer with another file, until the test is over."""
    before = dict(site.made)

    def alter(name: str, change: Callable[[bytes], bytes]) -> None:
        site.put(f"/{name}", change((DIST / name).read_bytes()))

    yield alter
    site.made = before


def appended(body: bytes) -> bytes:
    """Return a script that also does something else."""
    return body + b"\nglobalThis.wasAltered = true;\n"


def boot_error(page: Page, **options: object) -> str:
    """Start, and return what the typed error says."""
    error = page.evaluate(INIT, {"workers": 1, **options})
    assert error, "Python has started"
    assert (error["code"], error["kind"]) == ("boot", "BootError")
    return str(error["message"])


def test_worker_of_another_origin_that_was_altered_does_not_run(
    open_page, site: WebServer, alter
) -> None:
    page = open_page()
    alter("whole-worker.mjs", appended)
    message = boot_error(page, assetsURL=f"{site.other_origin}/")
    assert "worker.mjs" in message
    assert "is not the file that the build made" in message


def test_script_of_python_on_the_page_that_was_altered_does_not_run(open_page, alter) -> None:
    page = open_page()
    alter("whole-worker.mjs", appended)
    assert "is not the file that the build made" in boot_error(page, workers=0)
    assert not page.evaluate("'wasAltered' in globalThis")


def test_python_on_the_page_and_of_another_origin_run_as_they_were_made(
    open_page, site: WebServer
) -> None:
    page = open_page()
    assert page.evaluate(INIT, {"workers": 0}) is None
    assert page.evaluate(BOOT)["kind"] == "snapshot"
    page.evaluate("pyloader.terminate()")
    options = {"workers": 1, "assetsURL": f"{site.other_origin}/"}
    assert page.evaluate(INIT, options) is None
    assert page.evaluate(BOOT)["kind"] == "snapshot"


@pytest.mark.parametrize("name", ["pyodide.asm.wasm", "imagecodecs._shared.wasm"])
def test_webassembly_that_was_altered_does_not_run(open_page, alter, name: str) -> None:
    page = open_page()
    alter(f"pyodide/{name}", lambda body: body + CUSTOM_SECTION)
    message = boot_error(page)
    assert f"{name}?" in message
    assert "is not the file that the build made" in message


def test_snapshot_that_was_altered_is_not_put_back(open_page, alter) -> None:
    page = open_page()
    alter("pyodide/snapshot.bin", lambda body: body[:-9] + bytes([body[-9] ^ 1]) + body[-8:])
    assert page.evaluate(INIT, {"workers": 1}) is None
    boot = page.evaluate(BOOT)
    assert boot["kind"] == "cold"
    assert "is not the file that the build made" in boot["reason"]


# What Python imports while it cannot wait, from each kind of file.
DEFERRED = {
    "python_stdlib.zip": "import wave",
    "imagecodecs._jpegxl.wasm": "import imagecodecs._jpegxl",
    LOCK["packages"]["numpy"]["file_name"]: "import numpy.polynomial",
}


@pytest.mark.parametrize("name", DEFERRED)
@pytest.mark.parametrize("workers", [0, 1])
def test_file_that_an_import_brings_and_was_altered_is_not_used(
    open_page, site: WebServer, alter, name: str, workers: int
) -> None:
    page = open_page()
    assert page.evaluate(INIT, {"workers": workers}) is None
    alter(f"pyodide/{name}", lambda body: body + b"\0")
    source = {"source": DEFERRED[name], "name": "deferred.py"}
    run = "(file) => pyloader.loadPython(file).then(() => null, describeError)"
    error = page.evaluate(run, source)
    assert error
    assert "is not the file that the build made" in error["message"]
    del site.made[f"/pyodide/{name}"]
    assert page.evaluate(run, source) is None, "the next that needs it tries again"


# An attacker's copy with whatever stood beside the true one.
POISON = """async () => {
  const storage = await caches.open('pyloader');
  for (let keys = []; ; keys = await storage.keys()) {
    const kept = keys.find(({ url }) => url.includes('snapshot.bin'));
    if (kept) {
      const before = await storage.match(kept);
      const bytes = new Uint8Array(await before.arrayBuffer());
      const words = new Uint32Array(bytes.buffer);
      words[250_000] ^= 4;
      await storage.put(kept, new Response(bytes, { headers: before.headers }));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}"""


def test_what_a_script_of_the_origin_wrote_over_the_kept_snapshot_does_not_last(open_page) -> None:
    page = open_page()
    assert page.evaluate(INIT, {"workers": 1}) is None
    page.evaluate(POISON)
    page.context.route("**/snapshot.bin*", lambda route: route.fulfill(status=404))
    page.reload()
    page.add_script_tag(url="/pyloader.js")
    assert page.evaluate(INIT, {"workers": 1}) is None
    assert page.evaluate(BOOT)["kind"] == "cold", "there is no other snapshot"
    page.context.unroute("**/snapshot.bin*")


@pytest.fixture(scope="module")
def insecure(playwright: Playwright) -> Iterator[Browser]:
    """Start a Chromium to which the site has a name that is no secure origin."""
    browser = launch(playwright.chromium, "--host-resolver-rules=MAP insecure.test 127.0.0.1")
    yield browser
    browser.close()


def test_insecure_origin_is_verified_too(insecure: Browser, site: WebServer, alter) -> None:
    page = insecure.new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(HELPERS)
    page.goto(f"http://insecure.test:{site.port}/blank.html")
    assert not page.evaluate("isSecureContext")
    page.add_script_tag(url="/pyloader.js")
    assert page.evaluate(INIT, {"workers": 1}) is None
    assert page.evaluate(BOOT)["kind"] == "snapshot"
    page.evaluate("pyloader.terminate()")
    alter("pyodide/snapshot.bin", lambda body: body + b"\0")
    assert page.evaluate(INIT, {"workers": 1}) is None
    boot = page.evaluate(BOOT)
    assert (boot["kind"], "is not the file" in boot["reason"]) == ("cold", True)
    page.context.close()
