"""Each failure ends in one typed error within its time, and the next load works."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page
from pydicom.uid import MPEG2MPML, JPEG2000Lossless

from tests.support import builders, corpus
from tests.support.pages.outcome import fail, load
from tests.support.webserver import WebServer


@pytest.fixture(autouse=True)
def next_load_works(page: Page) -> Iterator[None]:
    """Load a good image after each failure."""
    yield
    image = load(page, "wadouri:/corpus/CT_small.dcm")
    assert np.array_equal(image["pixels"], corpus.reference("CT_small.dcm").pixels)


FAILURES = {
    "/nothing/here.dcm": ("http-status", "fetch", r"status 404.*nothing there", 404),
    "/fault/500": ("http-status", "fetch", r"status 500.*'so it goes'", 500),
    "/fault/401": ("http-status", "fetch", r"status 401.*beforeRequest", 401),
    "/fault/drop": ("network", "fetch", r"could not fetch .*/fault/drop", None),
    "/fault/html": ("format", "parse", r"is an HTML page.*log-in", None),
    "/fault/empty": ("format", "parse", r"is empty \(0 bytes\)", None),
    "/corpus/reportsi.dcm": ("format", "parse", r"no pixel data.*'Basic Text SR", None),
    "/corpus/rtstruct.dcm": ("format", "parse", r"no pixel data.*'RT Structure Set", None),
    "/corpus/MR_truncated.dcm": ("format", "parse", r"62 bytes are missing", None),
    "/corpus/CT_small.dcm?frame=2": ("image-id", "dispatch", r"frame 2 .* has 1 frame", None),
    "/corpus/CT_small.dcm?frame=0": ("image-id", "dispatch", r"frames count from 1", None),
}


@pytest.mark.parametrize("path", FAILURES)
def test_address(page: Page, path: str) -> None:
    code, stage, text, status = FAILURES[path]
    image_id = f"wadouri:{path}"
    error = fail(page, image_id)
    assert error["isError"]
    assert error["isPyLoaderError"]
    assert error["name"] == "PyLoaderError"
    assert (error["code"], error["stage"], error["imageId"]) == (code, stage, image_id)
    assert error.get("status") == status
    assert_matches(text, error["message"])
    if stage == "fetch":
        assert path in error["url"]


def assert_matches(pattern: str, text: str) -> None:
    """Search with the pattern in the failure's report."""
    with pytest.raises(ValueError, match=pattern):
        raise ValueError(text)


def test_refused_by_cors(page: Page, site: WebServer) -> None:
    error = fail(page, f"wadouri:{site.other_origin}/nocors/corpus/CT_small.dcm")
    assert error["code"] == "network"
    assert "Access-Control-Allow-Origin" in error["message"]


def test_another_origin_that_allows(page: Page, site: WebServer) -> None:
    assert load(page, f"wadouri:{site.other_origin}/corpus/CT_small.dcm")["rows"] == 128


@pytest.mark.parametrize("fault", ["busy-once", "drop-once"])
def test_passing_faults_are_tried_again(page: Page, site: WebServer, fault: str) -> None:
    assert load(page, f"wadouri:/fault/{fault}?first")["rows"] == 128
    assert len(site.asked(f"/fault/{fault}")) == 2


def test_unsupported_transfer_syntax(page: Page, site: WebServer) -> None:
    body = builders.encapsulated([bytes(64)], builders.ramp(16, 16, 8), MPEG2MPML)
    error = fail(page, f"wadouri:{site.put('/made/video.dcm', body)}")
    assert (error["code"], error["kind"]) == ("unsupported", "UnsupportedError")
    assert_matches(r"1\.2\.840\.10008\.1\.2\.4\.100.*supported are", error["message"])


def test_size_that_disagrees_with_the_header(page: Page, site: WebServer) -> None:
    frame = builders.ENCODERS[JPEG2000Lossless](builders.ramp(8, 8))
    body = builders.encapsulated([frame], builders.ramp(32, 32), JPEG2000Lossless)
    error = fail(page, f"wadouri:{site.put('/made/size.dcm', body)}")
    assert error["code"] == "decode"
    assert_matches(r"holds \(8, 8, 1\).*header says \(32, 32, 1\)", error["message"])


# ------------------------------------------------------------------ what is no image, file or service

NONSENSE = {
    "addFile('x')": ("image-id", "addFile.. takes one File.*not 'x'"),
    "addFile([new Blob(['x'])])": ("image-id", r"addFile\(files\[0\]\).*series\(files\)"),
    "addFile(new DataTransfer().files)": ("image-id", "not a FileList"),
    "addFile(undefined)": ("image-id", "not undefined"),
    "addFile(fetch('/').then((answer) => answer.blob()))": ("image-id", "not a Promise"),
    "removeFile('x')": ("image-id", "'x' has no scheme"),
    "removeFile(new File([], 'x'))": ("image-id", "'a File' is not a string"),
    "loadImage(42)": ("image-id", "'42' is not a string"),
    "loadImage(null)": ("image-id", "'null' is not a string"),
    "loadImage()": ("image-id", "'undefined' is not a string"),
    "loadImage(new Blob())": ("image-id", "'a Blob' is not a string"),
    "loadAndCacheImage({})": ("image-id", "is not a string"),
    "loadMetadata(undefined)": ("image-id", "is not a string"),
    "imageLoader(42).promise": ("image-id", "is not a string"),
    "imageIds(42)": ("image-id", "imageIds.. and series.. take an imageId, or files.*not 42"),
    "imageIds()": ("image-id", "not undefined"),
    "imageIds(['wadouri:x'])": ("image-id", r'not \["wadouri:x"\]'),
    "imageIds(new ArrayBuffer(8))": ("image-id", "not an ArrayBuffer"),
    "imageIds([])": ("image-id", "were given no file"),
    "series({})": ("image-id", "not {}"),
    "series(document.createElement('input'))": ("image-id", "not an HTMLInputElement"),
    "addMetadata(42)": ("image-id", "addMetadata.. takes a list of imageIds"),
    "addMetadata('wadouri:x')": ("image-id", r"addMetadata\(\[imageId\]\)"),
    "addMetadata([42])": ("image-id", "is not a string"),
    "addMetadata({'wadouri:x': 42})": ("image-id", "given 42 for 'wadouri:x'"),
    "addMetadata({'wadouri:x': []})": ("image-id", "DICOM JSON data set"),
    "dicomweb(undefined)": ("request", "undefined is no address of a DICOMweb service"),
    "dicomweb({})": ("request", "is no address of a DICOMweb service"),
    "dicomweb('/dw', {headers: {a: {}}})": ("request", "the header a has to be a text"),
    "dicomweb('/dw').imageIds()": ("request", "the UIDs of a study and of a series"),
    "dicomweb('/dw').searchStudies({}, {signal: 5})": ("request", "has to be an AbortSignal"),
    "registerImageLoader('custom1')": ("loader", "takes a function that returns"),
    "registerImageLoader('custom1:', () => {})": ("loader", "without its colon"),
    "registerUnknownImageLoader({})": ("loader", "takes a function that returns"),
    "loadPython({})": ("loader", "takes { url } or { source }, and has neither"),
    "loadPython()": ("loader", "takes { url } or { source }, not undefined"),
    "loadPython('a.py')": ("loader", r"loadPython\({ url: 'a\.py' }\)"),
    "loadPython({source: '', packages: 'numpy'})": ("loader", "packages is a list of texts"),
    "use(undefined)": ("viewer", "has no registerImageLoader"),
    "loadImage('wadouri:/corpus/CT_small.dcm', {signal: new AbortController()})": (
        "request",
        "give controller.signal",
    ),
    "loadImage('wadouri:/corpus/CT_small.dcm', {onProgress: 'x'})": (
        "request",
        "onProgress has to be a function",
    ),
    "loadPython({url: 'http://localhost:9/a.py'})": ("network", "be fetched: Failed to fetch"),
    "loadPython({url: '/nothing.py'})": ("http-status", "be fetched: status 404 Not Found"),
    "dicomweb('/nothing').searchStudies()": (
        "http-status",
        r"\(nothing there: check the address\)",
    ),
}


@pytest.mark.parametrize("call", NONSENSE)
def test_nonsense_is_refused_with_a_typed_error(page: Page, call: str) -> None:
    code, text = NONSENSE[call]
    script = f"(async () => pyloader.{call})().then(() => null, describeError)"
    error = page.evaluate(script)
    assert error, f"{call} was fine"
    assert (error["isPyLoaderError"], error["code"]) == (True, code)
    assert_matches(text, error["message"])


@pytest.mark.parametrize("call", ["addFile('x')", "removeFile(4)", "dicomweb()", "use()"])
def test_calls_that_wait_for_nothing_throw(page: Page, call: str) -> None:
    script = (
        f"() => {{ try {{ pyloader.{call}; }} catch (error) {{ return describeError(error); }} }}"
    )
    assert page.evaluate(script)["isPyLoaderError"]


def test_options_may_be_null(page: Page) -> None:
    image_id = "wadouri:/corpus/CT_small.dcm"
    found = page.evaluate(
        """(id) => Promise.all([
          pyloader.loadImage(id, null), pyloader.loadMetadata(id, null), pyloader.imageIds(id, null),
          pyloader.series(id, null),
        ]).then((all) => all.length)""",
        image_id,
    )
    assert found == 4


def test_listener_of_progress_that_fails_is_the_page_s_own_matter(page: Page) -> None:
    page.uncaught.clear()
    rows = page.evaluate(
        """(id) => pyloader.loadImage(id, {onProgress: () => { throw new Error('mine'); }})
          .then((image) => image.rows)""",
        "wadouri:/corpus/CT_small.dcm?progress",
    )
    assert rows == 128
    assert set(page.uncaught) == {"mine"}
    page.uncaught.clear()  # it is shared


@pytest.mark.parametrize("returned", ["undefined", "{}", "{promise: 5}", "Promise.resolve({})"])
def test_javascript_loader_that_returns_no_load(page: Page, returned: str) -> None:
    page.evaluate(f"pyloader.registerImageLoader('nothing', () => ({returned}))")
    error = fail(page, "nothing:x")
    assert (error["isPyLoaderError"], error["code"]) == (True, "loader")
    assert "has to return { promise }" in error["message"]


# ------------------------------------------------------------------ Python loaders

LOADER = """import asyncio
import numpy as np
from pyloader import Image, register_loader

@register_loader("bad")
async def load(image_id, context):
    {body}
"""
BAD = {
    "raise": ("raise ValueError('no luck')", "ValueError: no luck"),
    "divide": ("return Image.from_array(np.zeros((2, 2)) / (1 // 0))", "ZeroDivisionError"),
    "type": ("return np.zeros((2, 2))", "returned ndarray, expected pyloader.Image"),
    "nothing": ("return None", "returned NoneType, expected pyloader.Image"),
    "shape": ("return Image.from_array(np.zeros((2, 2, 2), 'u1'))", r"not \(2, 2, 2\)"),
    "dtype": ("return Image.from_array(np.zeros((2, 2), 'c8'))", "not dtype complex64"),
    "attribute": (
        "return Image.from_array(np.zeros((2, 2)), spacing=1)",
        "unknown image attribute 'spacing'; known are .*pixel_spacing",
    ),
}


def define(page: Page, body: str) -> None:
    """Register a loader for the scheme ``bad``."""
    source = LOADER.format(body=body)
    page.evaluate("(source) => pyloader.loadPython({source, name: 'bad_loader.py'})", source)


@pytest.mark.parametrize("case", BAD)
def test_python_loader(page: Page, case: str) -> None:
    body, text = BAD[case]
    define(page, body)
    error = fail(page, "bad:x")
    assert error["code"] in ("loader", "format")
    assert_matches(text, error["message"])
    if case in ("raise", "divide"):
        assert 'File "bad_loader.py", line 7, in load' in error["traceback"]
        assert body in error["traceback"], "the line of code is shown"
        assert "pyloader/" not in error["traceback"], "our own frames are left out"


def test_python_loader_with_a_syntax_error(page: Page) -> None:
    found = page.evaluate(
        """() => pyloader.loadPython({source: 'x = 1\\ndef (:\\n', name: 'typo.py'})
          .then(() => null, describeError)"""
    )
    assert found["code"] == "loader"
    assert "SyntaxError" in found["message"]
    assert 'File "typo.py", line 2' in found["traceback"]
    assert "def (:" in found["traceback"]


def test_python_loader_that_never_returns(page: Page) -> None:
    define(page, "await asyncio.sleep(3600)")
    started = time.monotonic()
    error = fail(page, "bad:sleeps", timeout=500)
    assert time.monotonic() - started < 5
    assert (error["code"], error["imageId"]) == ("timeout", "bad:sleeps")
    assert_matches(
        "no sign of life for 500 ms.*scheme 'bad' in bad_loader.py never returns", error["message"]
    )
    assert page.evaluate("pyloader.stats().deaths") == 0, "the worker lives"


def test_server_that_never_answers(page: Page) -> None:
    error = fail(page, "wadouri:/fault/never", timeout=500)
    assert error["code"] == "timeout"


def test_built_in_scheme_is_not_taken_by_accident(page: Page) -> None:
    source = LOADER.format(body="pass").replace('"bad"', '"wadouri"')
    found = page.evaluate(
        "(source) => pyloader.loadPython({source}).then(() => null, describeError)", source
    )
    assert_matches("'wadouri' is already registered by pyloader.loaders", found["message"])
