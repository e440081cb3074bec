"""The script tag, wherever dist/ is hosted, and every name of the public face."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.support import corpus
from tests.support.pages import DIST, launch
from tests.support.pages.outcome import fail, load
from tests.support.webserver import WebServer

CT = "wadouri:/corpus/CT_small.dcm"
NAMES = {
    "PyLoaderError",
    "addFile",
    "addMetadata",
    "cache",
    "dicomweb",
    "events",
    "imageIds",
    "imageLoader",
    "init",
    "loadAndCacheImage",
    "loadImage",
    "loadMetadata",
    "loadPython",
    "metaData",
    "purge",
    "ready",
    "registerImageLoader",
    "registerUnknownImageLoader",
    "removeFile",
    "series",
    "stats",
    "terminate",
    "use",
    "version",
}


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Start Chromium as users have it; other files may have its headless shell."""
    browser = launch(playwright.chromium, is_whole=True)
    yield browser
    browser.close()


def test_a_first_visit_fetches_what_the_documentation_says(open_page, site: WebServer) -> None:
    page = open_page(script="")
    fetched: set[str] = set()
    page.context.on("request", lambda request: fetched.add(urlsplit(request.url).path))
    page.add_script_tag(url="/pyloader.js")
    assert_ct(page)
    files = [DIST / path[1:] for path in fetched if not path.startswith("/corpus/")]
    packed = [path.with_name(f"{path.name}.gz") for path in files]
    size = sum(
        (gzip if gzip.is_file() else plain).stat().st_size
        for gzip, plain in zip(packed, files, strict=True)
    )
    root = DIST.parent
    pages = [root / "README.md", *(root / "web/docs").rglob("*.md")]
    said = re.findall(r"(\d+\.\d) MB (?:with|in)\s+gzip", "".join(map(Path.read_text, pages)))
    assert len(said) == 4
    assert [float(each) for each in said] == [pytest.approx(size / 1e6, abs=0.15)] * 4


def assert_ct(page: Page, image_id: str = CT) -> None:
    """Load and compare a known image."""
    assert np.array_equal(load(page, image_id)["pixels"], corpus.reference("CT_small.dcm").pixels)


def test_names_of_the_script_the_module_and_the_types(page: Page) -> None:
    assert set(page.evaluate("Object.keys(pyloader)")) == NAMES
    module = page.evaluate("import('/pyloader.mjs').then((module) => Object.keys(module))")
    assert set(module) == NAMES | {"default"}
    default = page.evaluate("import('/pyloader.mjs').then((module) => Object.keys(module.default))")
    assert set(default) == NAMES
    types = (Path(__file__).parents[2] / "web/pyloader.d.ts").read_text()
    declared = set(re.findall(r"^export (?:function|const|let|class) (\w+)", types, re.MULTILINE))
    assert declared == NAMES


def test_module_build(open_page) -> None:
    page = open_page(script="")
    page.evaluate("import('/pyloader.mjs').then((module) => { globalThis.pyloader = module; })")
    assert_ct(page)
    page.evaluate("pyloader.ready")


def test_page_in_a_sub_folder(open_page, site: WebServer) -> None:
    page = open_page("/sub/folder/pages/blank.html", script="../pyloader.js")
    start = len(site.seen)
    assert_ct(page, "wadouri:../../../corpus/CT_small.dcm")
    # Workers of other pages may look at their headers meanwhile.
    ours = [seen for seen in site.seen[start:] if "/sub/folder/" in seen.headers.get("referer", "")]
    paths = [seen.path for seen in ours]
    assert [path for path in paths if not path.startswith("/sub/folder/")] == [
        "/corpus/CT_small.dcm"
    ]


def test_script_from_another_origin(open_page, site: WebServer) -> None:
    page = open_page(script=f"{site.other_origin}/pyloader.js")
    assert page.evaluate("pyloader.stats().assetsURL") == f"{site.other_origin}/"
    assert_ct(page)


def test_python_on_the_page(open_page) -> None:
    page = open_page()
    page.evaluate("pyloader.init({workers: 0})")
    assert not page.workers, "no worker was made"
    assert_ct(page)
    expected = corpus.reference("MR_small_jpeg_ls_lossless.dcm").pixels
    found = load(page, "wadouri:/corpus/MR_small_jpeg_ls_lossless.dcm")["pixels"]
    assert np.array_equal(found, expected), "a codec was brought"
    assert fail(page, "wadouri:/fault/html")["code"] == "format"
    found = page.evaluate(
        """async () => {
          const object = pyloader.imageLoader('wadouri:/fault/drip?page');
          setTimeout(object.cancelFn, 100);
          return (await outcome(object.promise)).error.name;
        }"""
    )
    assert found == "AbortError"


def test_no_request_leaves_the_origin(open_page, site: WebServer) -> None:
    page = open_page(script="")
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.add_script_tag(url="/pyloader.js")
    assert_ct(page)
    assert len(asked) > 8
    assert [url for url in asked if not url.startswith((site.url, "blob:"))] == []


def test_content_security_policy(open_page) -> None:
    page = open_page("/csp/blank.html", script="/csp/pyloader.js")
    assert_ct(page)
    assert page.evaluate("fetch('data:,x').then(() => 'allowed', () => 'refused')") == "refused"


def test_boot_events_and_ready(open_page) -> None:
    page = open_page()
    found = page.evaluate(
        """async () => {
          const steps = [];
          let readyDetail;
          pyloader.events.addEventListener('bootprogress', ({detail}) => steps.push(detail));
          pyloader.events.addEventListener('ready', ({detail}) => { readyDetail = detail; });
          const first = pyloader.init({workers: 1});
          const same = first === pyloader.init();
          await pyloader.ready;
          return [same, steps, readyDetail.workers.length];
        }"""
    )
    same, steps, workers = found
    assert same
    assert workers == 1
    percents = [step["percentComplete"] for step in steps]
    assert percents == sorted(percents)
    assert (percents[0], percents[-1]) == (0, 100)
    assert {"runtime", "packages", "ready"} <= {step["stage"] for step in steps}


@pytest.mark.parametrize("missing", ["*worker.mjs", "pyodide/pyodide.asm.wasm", "pyodide/numpy"])
@pytest.mark.parametrize("workers", [0, 1])
def test_missing_assets(open_page, missing: str, workers: int) -> None:
    page = open_page()
    page.context.route(f"**/{missing}*", lambda route: route.fulfill(status=404, body="gone"))
    found = page.evaluate(
        """async (workers) => {
          const booted = await pyloader.init({workers}).catch(describeError);
          const ready = await pyloader.ready.catch(describeError);
          return [booted, ready];
        }""",
        workers,
    )
    for error in found:
        assert (error["code"], error["stage"], error["kind"]) == ("boot", "boot", "BootError")
        assert "dist/" in error["message"] or "imported" in error["message"]
    page.context.unroute(f"**/{missing}*")
    assert_ct(page)
    page.evaluate("pyloader.ready")  # of the second try


def test_packages(open_page, site: WebServer) -> None:
    page = open_page()
    wheel = wheel_of("greeting", "word = 'hello'")
    site.put("/made/greeting-1.0-py3-none-any.whl", wheel)
    source = """
import greeting, numpy as np
from pyloader import Image, register_loader

@register_loader("greet")
async def load(image_id, context):
    return Image.from_array(np.full((2, 2), len(greeting.word), "u1"))
"""
    packages = ["made/greeting-1.0-py3-none-any.whl"]
    page.evaluate("(given) => pyloader.loadPython(given)", {"source": source, "packages": packages})
    assert load(page, "greet:x")["maxPixelValue"] == 5
    error = page.evaluate(
        "pyloader.loadPython({source: '', packages: ['no-such-package']}).catch(describeError)"
    )
    assert error["code"] == "package"
    assert "no-such-package" in error["message"]


def wheel_of(name: str, code: str) -> bytes:
    """Make a wheel that holds one module."""
    import io
    import zipfile

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(f"{name}.py", code)
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Name: {name}\nVersion: 1.0\n")
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return stream.getvalue()


def test_terminate_while_starting(open_page) -> None:
    page = open_page()
    found = page.evaluate(
        """async () => {
          const first = pyloader.init({workers: 1}).catch((error) => error.name);
          pyloader.terminate();
          const second = pyloader.init({workers: 1}).then(() => 'started');
          return [await first, await second, await pyloader.ready.then(() => 'ready')];
        }"""
    )
    assert found == ["AbortError", "started", "ready"]
