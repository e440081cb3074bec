"""Python's start: from a snapshot of memory, and without one where that is not to be had."""

from __future__ import annotations

import gzip
import mimetypes
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route

from tests.support import corpus
from tests.support.pages import DIST, built, prepare
from tests.support.pages.outcome import fail, load
from tests.support.pages.snapshots import STORED, wait_until_kept
from tests.support.webserver import WebServer

CT = "wadouri:/corpus/CT_small.dcm"
SNAPSHOT = "**/snapshot.bin*"
PACKED = built("pyodide/snapshot.bin").read_bytes()
STARTING = ("imagecodecs", "numpy", "pydicom", "pyloader-dicom")


def start(page: Page) -> dict[str, Any]:
    """Load a known image, and return how Python started for it."""
    assert np.array_equal(load(page, CT)["pixels"], corpus.reference("CT_small.dcm").pixels)
    (worker,) = page.evaluate("pyloader.stats().workers")
    return dict(worker["boot"])


def altered(old: bytes, new: bytes) -> bytes:
    """Return the snapshot with a part of its header exchanged, packed again."""
    content = gzip.decompress(PACKED)
    assert len(old) == len(new)
    assert old in content[:1000]
    return gzip.compress(content.replace(old, new, 1), 1)


def test_start_from_the_snapshot(open_page, site: WebServer) -> None:
    since = len(site.seen)
    boot = start(open_page())
    assert (boot["kind"], boot.get("reason")) == ("snapshot", None)
    assert {mark["name"] for mark in boot["marks"]} >= {"program", "libraries", "snapshot", "start"}
    paths = [seen.path for seen in site.seen[since:]]
    assert not [path for path in paths if path.endswith((".whl", ".zip"))], "all of it is there"


def test_snapshot_as_a_server_with_brotli_gives_it(open_page) -> None:
    page = open_page()
    unpacked = gzip.decompress(PACKED)
    page.context.route(SNAPSHOT, lambda route: route.fulfill(body=unpacked))
    assert start(page)["kind"] == "snapshot"
    page.context.unroute(SNAPSHOT)


def test_clock_that_goes_on_between_two_readings(open_page) -> None:
    """Memory holds such times before Python has run, one start in a hundred another than the build."""
    page = open_page()
    clock = """const now = performance.now; let read = 0;
        performance.now = () => now.call(performance) + 3 * ++read;"""
    worker = (DIST / "worker.mjs").read_text()
    page.context.route(
        "**/worker.mjs*",
        lambda route: route.fulfill(body=clock + worker, content_type="text/javascript"),
    )
    assert start(page)["kind"] == "snapshot"
    page.context.unroute("**/worker.mjs*")


DAMAGES: dict[str, Callable[[], dict[str, Any]]] = {
    "absent": lambda: {"status": 404},
    "cut": lambda: {"body": PACKED[: len(PACKED) // 2]},
    "flipped": lambda: {"body": PACKED[:-9] + bytes([PACKED[-9] ^ 1]) + PACKED[-8:]},
    "something else": lambda: {"body": b"<!DOCTYPE html><title>My application</title>"},
    "of another build": lambda: {"body": altered(b'"identity":"', b'"identitz":"')},
    "of another Pyodide": lambda: {"body": altered(b'"build":"', b'"bvild":"')},
    "of other WebAssembly": lambda: {"body": altered(b'"checksum":', b'"checksun":')},
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_without_a_snapshot_that_fits_python_starts_by_its_files(open_page, damage: str) -> None:
    page = open_page()
    answer = DAMAGES[damage]()
    page.context.route(SNAPSHOT, lambda route: route.fulfill(**answer))
    boot = start(page)
    assert boot["kind"] == "cold"
    assert boot["reason"]
    page.context.unroute(SNAPSHOT)


STORE = """async ([url, body]) => {
    const storage = await caches.open('pyloader');
    const kept = await (await storage.match(url)).arrayBuffer();
    const bytes = new Uint8Array(body === 'cut' ? kept.slice(0, kept.byteLength / 2) : kept);
    if (body === 'flipped') bytes[1_000_001] ^= 4;
    const file = body === 'something else' ? '<!DOCTYPE html>' : bytes;
    await storage.put(url, new Response(file, { headers: (await storage.match(url)).headers }));
}"""


def visit_again(page: Page) -> None:
    """Open the page anew, of a visitor who was here."""
    page.reload()
    page.add_script_tag(url="/pyloader.js")


def test_later_visit_starts_from_the_snapshot_that_was_kept(open_page) -> None:
    page = open_page()
    assert start(page)["kind"] == "snapshot"
    wait_until_kept(page)
    page.context.route(SNAPSHOT, lambda route: route.fulfill(status=404))
    visit_again(page)
    boot = start(page)
    assert (boot["kind"], boot.get("reason")) == ("snapshot", None)
    visit_again(page)
    page.evaluate("pyloader.init({ workers: 2 })")
    kinds = page.evaluate("pyloader.stats().workers.map(({ boot }) => boot.kind)")
    assert kinds == ["snapshot"] * 2
    page.context.unroute(SNAPSHOT)


@pytest.mark.parametrize("damage", ["cut", "flipped", "something else"])
def test_damaged_snapshot_that_was_kept_is_not_used(open_page, damage: str) -> None:
    page = open_page()
    start(page)
    url = wait_until_kept(page)
    page.evaluate(STORE, [url, damage])
    page.context.route(SNAPSHOT, lambda route: route.fulfill(status=404))
    visit_again(page)
    assert start(page)["kind"] == "cold"
    page.context.unroute(SNAPSHOT)
    visit_again(page)
    assert start(page)["kind"] == "snapshot", "it is fetched"


def test_snapshot_of_an_earlier_build_does_not_stay(open_page) -> None:
    page = open_page()
    old = "/pyodide/snapshot.bin?0123456789ab"
    others = ["/elsewhere/pyodide/snapshot.bin?0123456789ab", "/of-the-application"]
    page.evaluate(
        "async (urls) => { const storage = await caches.open('pyloader');"
        " for (const url of urls) await storage.put(url, new Response('old')); }",
        [old, *others],
    )
    start(page)
    names = page.evaluate(STORED, [f"^(?!{re.escape(old)})", 3])
    assert set(others) < set(names)


@pytest.mark.parametrize(
    "refusal",
    [
        "delete globalThis.caches",
        "caches.open = () => Promise.reject(new DOMException('no'))",
        "caches.open = () => new Promise(() => {})",
    ],
)
def test_without_storage_python_starts_as_ever(open_page, refusal: str) -> None:
    page = open_page()
    worker = (DIST / "worker.mjs").read_text()
    page.context.route(
        "**/worker.mjs*",
        lambda route: route.fulfill(body=f"{refusal};{worker}", content_type="text/javascript"),
    )
    assert start(page)["kind"] == "snapshot"
    page.context.unroute("**/worker.mjs*")


# As in WebKit: a function that a module has put into a table is not the one that it exports. Those of
# the libraries, in places that come later, are left out.
TWINS = """{
  const get = WebAssembly.Table.prototype.get, twins = new WeakMap(), lengths = new WeakMap();
  WebAssembly.Table.prototype.get = function (index) {
    const found = get.call(this, index);
    if (!lengths.has(this)) lengths.set(this, this.length);
    if (!found || index >= lengths.get(this)) return found;
    const twin = Object.defineProperty((...rest) => found(...rest), 'name', { value: found.name });
    if (!twins.has(found)) twins.set(found, twin);
    return twins.get(found);
  };
}"""


def test_snapshot_where_exported_functions_are_others_in_a_table(open_page) -> None:
    page = open_page()
    worker = (DIST / "worker.mjs").read_text()
    page.context.route(
        "**/worker.mjs*",
        lambda route: route.fulfill(body=f"{TWINS};{worker}", content_type="text/javascript"),
    )
    boot = start(page)
    assert (boot["kind"], boot.get("reason")) == ("snapshot", None)
    page.context.unroute("**/worker.mjs*")


def test_torn_file_in_the_cache_is_fetched_once_more(open_page) -> None:
    page = open_page()
    asked: list[str] = []

    def tear_first(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > 1:
            route.fallback()
        else:
            route.fulfill(body=b"\0asm torn", content_type="application/wasm")

    page.context.route("**/pyodide.asm.wasm*", tear_first)
    assert start(page)["kind"] == "snapshot"
    assert len(asked) == 2
    page.context.unroute("**/pyodide.asm.wasm*")


def test_altered_package_is_refused(open_page) -> None:
    page = open_page()
    page.context.route(SNAPSHOT, lambda route: route.fulfill(status=404))
    page.context.route("**/pyloader_dicom-*.whl*", lambda route: route.fulfill(body=b"PK not it"))
    error = fail(page, CT)
    assert error["code"] == "boot"
    assert "is not the file that the build made" in error["message"]
    page.context.unroute(SNAPSHOT)
    page.context.unroute("**/pyloader_dicom-*.whl*")


def test_library_that_is_another_file_is_an_error(open_page) -> None:
    page = open_page()
    library = "**/imagecodecs._shared.wasm*"
    page.context.route(
        library,
        lambda route: route.fulfill(body=b"\0asm\1\0\0\0", content_type="application/wasm"),
    )
    error = fail(page, CT)
    assert error["code"] == "boot"
    assert "is not the file that the build made" in error["message"]
    page.context.unroute(library)


def test_server_that_does_not_know_webassembly(open_page) -> None:
    page = open_page()
    page.context.route(
        "**/*.wasm*", lambda route: route.fulfill(response=route.fetch(), content_type="text/plain")
    )
    assert start(page)["kind"] == "snapshot"
    page.context.unroute("**/*.wasm*")


def test_second_worker_starts_from_what_the_first_has(open_page, site: WebServer) -> None:
    page = open_page()
    since = len(site.seen)
    page.evaluate("pyloader.init({ workers: 3 })")
    boots = page.evaluate("pyloader.stats().workers.map(({ boot }) => boot.kind)")
    assert boots == ["snapshot"] * 3
    paths = [seen.path.partition("?")[0] for seen in site.seen[since:]]
    assert paths.count("/pyodide/snapshot.bin") == 1
    assert paths.count("/pyodide/pyodide.asm.wasm") == 1


def test_second_worker_of_a_cold_start(open_page) -> None:
    page = open_page()
    page.context.route(SNAPSHOT, lambda route: route.fulfill(status=404))
    page.evaluate("pyloader.init({ workers: 2 })")
    assert page.evaluate("pyloader.stats().workers.map(({ boot }) => boot.kind)") == ["cold"] * 2
    page.context.unroute(SNAPSHOT)


def run(page: Page, source: str) -> str:
    """Return what Python code, which leaves it in `answer`, says; in a page of its own."""
    code = f"""
import numpy as np
from pyloader import Image, register_loader

{source}

@register_loader("said", replace=True)
async def load(image_id, context):
    text = np.frombuffer(str(answer).encode(), "u1")
    return Image.from_array(text[None])
"""
    page.evaluate("(source) => pyloader.loadPython({ source })", code)
    return bytes(load(page, "said:x", useRGBA=False)["pixels"].ravel()).decode()


def test_modules_that_the_snapshot_does_not_hold_come_with_their_import(
    open_page, site: WebServer
) -> None:
    page = open_page()
    since = len(site.seen)
    answer = run(page, "import csv, io\nanswer = next(csv.reader(io.StringIO('a,b')))")
    assert answer == "['a', 'b']"
    answer = run(page, "import numpy.random\nanswer = numpy.random.default_rng(1).integers(9)")
    assert answer == str(np.random.default_rng(1).integers(9))
    answer = run(page, "answer = np.fft.fft([1, 2]).real.tolist()")
    assert answer == "[3.0, -1.0]"
    paths = [seen.path.partition("?")[0].rpartition("/")[2] for seen in site.seen[since:]]
    brought = [path for path in paths if path.endswith((".whl", ".zip"))]
    assert len(brought) == len(set(brought)) == 2, brought


def test_a_library_that_few_need_comes_alone(open_page, site: WebServer) -> None:
    page = open_page()
    since = len(site.seen)
    assert run(page, "answer = np.linalg.inv([[2.0, 0], [0, 4]]).tolist()") == (
        "[[0.5, 0.0], [0.0, 0.25]]"
    )
    paths = [seen.path.partition("?")[0].rpartition("/")[2] for seen in site.seen[since:]]
    brought = [path for path in paths if path.startswith(("numpy", "python_stdlib"))]
    assert brought == [
        "numpy._core._multiarray_umath.wasm",
        "numpy.linalg._library._umath_linalg.wasm",
    ]


def test_codec_that_cannot_be_fetched_is_no_damaged_image(open_page) -> None:
    page = open_page()
    image_id = "wadouri:/corpus/MR_small_RLE.dcm"
    page.context.route("**/imagecodecs._imcd.wasm*", lambda route: route.fulfill(status=503))
    error = fail(page, image_id)
    assert error["code"] == "network"
    assert "imagecodecs._imcd" in error["message"]
    assert "status 503" in error["message"]
    page.context.unroute("**/imagecodecs._imcd.wasm*")
    expected = corpus.reference("MR_small_RLE.dcm").pixels
    assert np.array_equal(load(page, image_id)["pixels"], expected), "the next load tries again"


def test_codec_that_never_comes_ends_the_load(open_page) -> None:
    page = open_page()
    image_id, library = "wadouri:/corpus/MR_small_RLE.dcm", "**/imagecodecs._imcd.wasm*"
    page.evaluate("pyloader.init({ workers: 1, timeout: 1500 })")
    page.context.route(library, lambda route: None)
    error = fail(page, image_id)
    assert error["code"] == "timeout", error
    page.context.unroute(library)
    expected = corpus.reference("MR_small_RLE.dcm").pixels
    assert np.array_equal(load(page, image_id)["pixels"], expected), "the next load tries again"


def test_what_does_not_exist_is_still_python_s_own_error(open_page) -> None:
    source = """
try:
    import numpy.nothing_of_that_name
except ModuleNotFoundError as error:
    answer = error
"""
    assert run(open_page(), source) == "No module named 'numpy.nothing_of_that_name'"


def test_each_start_has_its_own_random_numbers(open_page) -> None:
    source = "import random\nanswer = random.random()"
    assert run(open_page(), source) != run(open_page(), source)


def test_snapshot_knows_what_this_engine_can_do(open_page) -> None:
    """The engine of the build cannot suspend WebAssembly; Chromium can."""
    source = """
import asyncio
from pyodide.ffi import run_sync
try:
    answer = run_sync(asyncio.sleep(0))
except RuntimeError as error:
    answer = "not supported" in str(error)
"""
    assert run(open_page(), source) in ("False", "None")


def test_memory_is_whole_that_was_packed_without_hashes_and_near_pointers(open_page) -> None:
    source = """
import gc
import sys
dicts = [vars(module) for module in sys.modules.values() if hasattr(module, "__dict__")]
names = [(names, name) for names in dicts for name in names]
gc.unfreeze()
gc.collect()
answer = (
    len(names) > 5000,
    all(name in found and hash(name) == hash((name + "x")[:-1]) for found, name in names),
    len(gc.get_objects()) > 20000,
)
"""
    assert run(open_page(), source) == "(True, True, True)"


# ------------------------------------------------------------------ a start that fails

WORKER = "**/worker.mjs*"
SCRIPT = (DIST / "worker.mjs").read_text()
NO_MEMORY = "throw new RangeError('WebAssembly.Memory(): could not allocate memory');"
# What the server answers to the worker's script, and what the error says of it.
WORKER_SCRIPTS: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({"status": 404}, r"worker\.mjs answered with status 404"),
    "a web page": ({"body": "<!DOCTYPE html>", "content_type": "text/html"}, r"is a web page"),
    "wrong media type": ({"body": "0", "content_type": "text/plain"}, r"comes as 'text/plain'"),
    "no script": ({"body": "<!DOCTYPE html>"}, r"worker\.mjs may not be run here"),
    "dies": ({"body": "throw new Error('dead')"}, r"dead"),
    "without WebAssembly": ({"body": f"delete globalThis.WebAssembly;{SCRIPT}"}, r"no WebAssembly"),
    "without memory": (
        {"body": f"WebAssembly.Memory = function () {{ {NO_MEMORY} }};{SCRIPT}"},
        r"too little memory left",
    ),
}
ALL_CALLS = """(id) => Promise.all([
  pyloader.init(), pyloader.ready, pyloader.loadImage(id), pyloader.loadAndCacheImage(id), pyloader.loadMetadata(id),
  pyloader.imageIds(id), pyloader.series(id), pyloader.series([new File(['x'], 'x')]), pyloader.addMetadata([id]),
  pyloader.loadPython({source: ''}), pyloader.dicomweb('/dw').searchStudies(), pyloader.imageLoader(id).promise,
].map((each) => each.then(() => null, describeError)))"""


def boot_error(page: Page, options: str = "{workers: 1}") -> str:
    """Start, and return what the typed error says."""
    error = page.evaluate(f"() => pyloader.init({options}).then(() => null, describeError)")
    assert error, "Python has started"
    assert (error["code"], error["stage"], error["kind"]) == ("boot", "boot", "BootError")
    assert error["isPyLoaderError"]
    return str(error["message"])


@pytest.mark.parametrize("what", WORKER_SCRIPTS)
def test_worker_that_cannot_run_says_why(open_page, what: str) -> None:
    page = open_page()
    answer, text = WORKER_SCRIPTS[what]
    page.context.route(
        WORKER, lambda route: route.fulfill(**({"content_type": "text/javascript"} | answer))
    )
    message = boot_error(page)
    assert re.search(text, message), message
    page.context.unroute(WORKER)
    assert start(page)["kind"] == "snapshot", "the next load tries again"


@pytest.mark.parametrize("workers", [0, 1])
def test_wrong_folder_says_how_to_name_the_right_one(open_page, workers: int) -> None:
    page = open_page()
    message = boot_error(page, f"{{workers: {workers}, assetsURL: '/nowhere'}}")
    name = "worker.mjs" if workers else "whole-worker.mjs"
    assert f"/nowhere/{name} answered with status 404" in message
    assert "plugin of its bundler (pyloader/vite, pyloader/webpack, pyloader/esbuild)" in message
    assert message.endswith("init({ assetsURL }). See docs/apps.md in the package")


def test_script_of_another_origin_that_does_not_allow_it(open_page, site: WebServer) -> None:
    message = boot_error(open_page(), f"{{workers: 1, assetsURL: '{site.other_origin}/nocors/'}}")
    assert "worker.mjs cannot be fetched" in message
    assert "Access-Control-Allow-Origin" in message


POLICIES = {
    "script-src 'self'; worker-src 'self'": "needs script-src 'wasm-unsafe-eval'",
    "script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'": "Content-Security-Policy worker-src",
    "script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'": "cannot be fetched",
}


@pytest.mark.parametrize("policy", POLICIES)
def test_policy_that_forbids_the_start_says_what_it_needs(
    open_page, site: WebServer, policy: str
) -> None:
    page = open_page(script="")

    def answer(route: Route) -> None:
        body = site.find(urlsplit(route.request.url).path)
        kind = mimetypes.guess_type(route.request.url.partition("?")[0])[0]
        headers = {"Content-Type": kind or "text/html", "Content-Security-Policy": policy}
        route.fulfill(body=body or b"", status=200 if body else 404, headers=headers)

    page.context.route(f"{site.url}/**", answer)
    page.goto(f"{site.url}/blank.html")
    page.add_script_tag(url="/pyloader.js")
    assert POLICIES[policy] in boot_error(page)
    page.context.unroute(f"{site.url}/**")


@pytest.mark.parametrize("workers", ["0", "1", "'auto'"])
def test_page_opened_as_a_file_says_what_to_do(browser: Browser, workers: str) -> None:
    page = browser.new_context().new_page()
    file = DIST / "opened-as-a-file.html"
    file.write_text('<!DOCTYPE html><script src="pyloader.js"></script>')
    try:
        prepare(page, file.as_uri())
        message = boot_error(page, f"{{workers: {workers}}}")
        assert (
            "this page was opened as a file, from which browsers start no workers: serve the "
            "folder, for example with `python -m http.server`" in message
        )
        for error in page.evaluate(ALL_CALLS, CT):
            assert (error["code"], error["isPyLoaderError"]) == ("boot", True)
            assert error["message"] == message
    finally:
        file.unlink()
        page.context.close()


def test_script_written_into_the_page_finds_what_is_beside_the_page(
    open_page, site: WebServer
) -> None:
    script = (DIST / "pyloader.js").read_bytes().replace(b"</script", b"<\\/script")
    site.put("/inline.html", b"<!DOCTYPE html><script>" + script + b"</script>")
    page = open_page("/inline.html", script="")
    assert start(page)["kind"] == "snapshot"
