"""The author of a Python loader sees prints, errors and edits at once."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.support import corpus
from tests.support.pages import prepare
from tests.support.pages.outcome import fail, load
from tests.support.webserver import WebServer

CT = "wadouri:/corpus/CT_small.dcm"
TALKING = """
import sys, warnings
import numpy as np
from pyloader import Image, register_loader

print("defined")

@register_loader("talk")
async def load(image_id, context):
    print("loading", image_id.rest)
    print("half a line", end="")
    warnings.warn("odd header")
    if image_id.rest == "bad":
        return {}["rows"]
    return Image.from_array(np.zeros((2, 3), "u1"))
"""


@pytest.fixture(scope="module")
def booted(site: WebServer, browser: Browser) -> Page:
    """Return a page whose console is kept."""
    page = browser.new_context().new_page()
    prepare(page, f"{site.url}/blank.html")
    page.add_script_tag(url="/pyloader.js")
    page.lines = []
    page.on("console", lambda message: page.lines.append((message.type, message.text)))
    page.evaluate("pyloader.init({workers: 1, timeout: 20_000})")
    return page


@pytest.fixture
def author(booted: Page) -> Page:
    """Return the page as an author finds it, with an empty console."""
    booted.evaluate("pyloader.purge()")
    booted.lines.clear()
    return booted


def define(page: Page, source: str, name: str = "my_loader.py") -> list[str]:
    """Bring in a Python file."""
    return page.evaluate("([source, name]) => pyloader.loadPython({source, name})", [source, name])


# ------------------------------------------------------------------ the console


def test_prints_and_warnings_by_the_name_of_the_file(author: Page) -> None:
    heard = author.evaluate(
        """globalThis.heard = [];
        pyloader.events.addEventListener('print', ({detail}) => heard.push(detail))"""
    )
    assert heard is None
    assert define(author, TALKING) == ["talk"]
    load(author, "talk:good")
    assert ("info", "[my_loader.py] defined") in author.lines
    assert ("info", "[my_loader.py] loading good") in author.lines
    assert ("info", "[my_loader.py] half a line") in author.lines
    [warning] = [text for kind, text in author.lines if kind == "warning"]
    assert re.match(r"\[my_loader.py\] my_loader.py:12: UserWarning: odd header", warning)
    found = author.evaluate("heard.find(({text}) => text === 'defined')")
    assert found == {"level": "info", "name": "my_loader.py", "text": "defined"}


def test_error_of_a_load_on_the_console_too(author: Page) -> None:
    define(author, TALKING)
    error = fail(author, "talk:bad")
    [text] = [text for kind, text in author.lines if kind == "error"]
    assert text.startswith("[my_loader.py] the loader of scheme 'talk' failed on 'talk:bad'")
    for words in ('File "my_loader.py", line 14, in load', 'return {}["rows"]', "KeyError: 'rows'"):
        assert words in text
        assert words in error["traceback"]


def test_error_of_a_file_on_the_console_too(author: Page) -> None:
    found = author.evaluate(
        """pyloader.loadPython({source: 'x = 1\\ndef (:\\n', name: 'typo.py'})
          .then(() => null, describeError)"""
    )
    assert found["code"] == "loader"
    [text] = [text for kind, text in author.lines if kind == "error"]
    assert text.startswith("[typo.py] the Python loader 'typo.py' cannot be run: SyntaxError")
    assert 'File "typo.py", line 2' in text
    assert "def (:" in text


def test_error_that_is_not_the_authors_stays_off_the_console(author: Page) -> None:
    assert fail(author, "wadouri:/nothing.dcm")["code"] == "http-status"
    assert [text for kind, text in author.lines if "Python" in text or "Traceback" in text] == []


# ------------------------------------------------------------------ reload

CONSTANT = """
import numpy as np
from pyloader import Image, register_loader

@register_loader("mine")
async def load(image_id, context):
    async def make(context):
        return np.full((2, 3), VALUE, "u1")
    return Image.from_array(await context.cached(image_id.source, make))
"""
TWICE = """
import dataclasses
from pyloader import register_loader

@register_loader("twice")
async def load(image_id, context):
    image = await context.load(image_id.inner)
    return dataclasses.replace(image, pixels=image.pixels * 2)
"""


def first_pixel(page: Page, image_id: str) -> int:
    """Return a pixel of an image that the page may keep."""
    script = "(id) => pyloader.loadAndCacheImage(id).then((image) => image.getPixelData()[0])"
    return page.evaluate(script, image_id)


def test_file_that_changed_takes_effect_without_starting_anew(author: Page) -> None:
    define(author, TWICE, "twice.py")
    for value in (1, 7):
        define(author, CONSTANT.replace("VALUE", str(value)))
        assert first_pixel(author, "mine:a") == value
        assert first_pixel(author, "twice:mine:a") == 2 * value
    script = "pyloader.stats().workers.map((worker) => worker.bootMilliseconds)"
    booted = author.evaluate(script)
    define(author, CONSTANT.replace("VALUE", "9"))
    assert first_pixel(author, "mine:a") == 9
    assert author.evaluate(script) == booted


def test_file_that_fails_leaves_the_last_that_worked(author: Page) -> None:
    define(author, CONSTANT.replace("VALUE", "1"))
    author.evaluate(
        "pyloader.loadPython({source: 'import nothing_there', name: 'my_loader.py'}).catch(() => 0)"
    )
    assert first_pixel(author, "mine:a") == 1


# ------------------------------------------------------------------ what a loader may do

SERIES = """
import numpy as np
from pyloader import Image, register_loader
from pyloader.image import PixelModule, PlaneModule

async def fetch(context):
    response = await context.fetch("/made/series")
    return np.frombuffer(response.body, "u1").reshape(3, 2, 4)

async def describe(image_id, context):
    return {
        "image_plane": PlaneModule(image_position_patient=(0, 0, image_id.frame_index)),
        "general_series": {"modality": "MR"},
    }

async def enumerate(image_id, context):
    return [image_id.of_frame(index) for index in range(3)]

@register_loader("series", metadata=describe, image_ids=enumerate)
async def load(image_id, context):
    frames = await context.cached(image_id.source, fetch)
    context.progress(image_id.frame_index + 1, 3)
    return Image.from_array(frames[image_id.frame_index])
"""


def test_series_of_an_author(author: Page, site: WebServer) -> None:
    frames = np.arange(24, dtype="u1").reshape(3, 2, 4)
    site.put("/made/series", frames.tobytes())
    define(author, SERIES)
    image_ids = author.evaluate("pyloader.imageIds('series:a')")
    assert image_ids == [f"series:a?frame={number}" for number in (1, 2, 3)]
    asked = len([seen for seen in site.seen if seen.path == "/made/series"])
    author.evaluate("(ids) => pyloader.addMetadata(ids)", image_ids)
    found = author.evaluate(
        """(ids) => ids.map((id) => [pyloader.metaData('imagePlaneModule', id).imagePositionPatient,
          pyloader.metaData('generalSeriesModule', id).modality])""",
        image_ids,
    )
    assert found == [[[0, 0, index], "MR"] for index in range(3)]
    assert len([seen for seen in site.seen if seen.path == "/made/series"]) == asked
    images = author.evaluate("(ids) => Promise.all(ids.map((id) => load(id)))", image_ids)
    assert all("image" in outcome for outcome in images)
    assert len([seen for seen in site.seen if seen.path == "/made/series"]) == asked + 1
    for index, image_id in enumerate(image_ids):
        assert np.array_equal(load(author, image_id)["pixels"], frames[index])


def test_failure_of_metadata_names_the_image(author: Page) -> None:
    define(author, SERIES.replace("return {", "1 // (2 - image_id.frame_index)\n    return {"))
    error = author.evaluate(
        """pyloader.addMetadata(['series:a?frame=1', 'series:a?frame=3'])
          .then(() => null, describeError)"""
    )
    assert error["imageId"] == "series:a?frame=3"
    assert "ZeroDivisionError" in error["message"]


def test_image_of_another_loader(author: Page) -> None:
    define(author, TWICE, "twice.py")
    image = load(author, f"twice:{CT}")
    expected = corpus.reference("CT_small.dcm").pixels
    assert np.array_equal(image["pixels"], expected * 2)
    plane = author.evaluate("(id) => pyloader.metaData('imagePlaneModule', id)", f"twice:{CT}")
    own = author.evaluate(
        "(id) => pyloader.loadMetadata(id).then((modules) => modules.imagePlaneModule)", CT
    )
    assert plane == own


def test_failure_of_another_loader_is_the_images(author: Page) -> None:
    define(author, TWICE, "twice.py")
    error = fail(author, "twice:wadouri:/nothing.dcm")
    assert error["code"] == "http-status"
    assert error["imageId"] == "twice:wadouri:/nothing.dcm"
    assert error["url"].endswith("/nothing.dcm")


def test_frames_of_a_dicom_file_are_listed(author: Page) -> None:
    found = author.evaluate("pyloader.imageIds('wadouri:/corpus/rtdose.dcm')")
    assert found == [f"wadouri:/corpus/rtdose.dcm?frame={number}" for number in range(1, 16)]


ARRAYS = """
import numpy as np
from pyloader import Image, register_loader

RAMP = np.arange(12).reshape(3, 4)

@register_loader("array")
async def load(image_id, context):
    return Image.from_array(eval(image_id.rest))
"""


@pytest.mark.parametrize(
    ("array", "kind", "expected"),
    [
        ("RAMP.astype('f2') / 8", "Float32Array", np.arange(12).reshape(3, 4) / 8),
        ("RAMP > 5", "Uint8Array", np.arange(12).reshape(3, 4) > 5),
        ("RAMP.astype('>i2').T", "Int16Array", np.arange(12).reshape(3, 4).T),
        ("RAMP.astype('>f8')[::-1]", "Float64Array", np.arange(12).reshape(3, 4)[::-1]),
        ("RAMP.astype('i8') - 2**40", "Float64Array", np.arange(12).reshape(3, 4) - 2**40),
        ("np.dstack([RAMP / 11] * 3)", "Uint8Array", None),
    ],
)
def test_arrays_of_all_kinds(author: Page, array: str, kind: str, expected: np.ndarray) -> None:
    define(author, ARRAYS)
    image = load(author, f"array:{array}")
    assert image["dataType"] == kind
    if expected is not None:
        assert np.array_equal(image["pixels"], expected)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        ("RAMP.astype('c8')", "not dtype complex64"),
        ("RAMP.astype(object)", "not dtype object"),
        ("RAMP.reshape(2, 3, 2)", r"not \(2, 3, 2\)"),
        ("RAMP[:0]", r"not \(0, 4\)"),
        ("np.dstack([RAMP - 3] * 3)", "colour is unsigned"),
        ("np.ma.masked_less(RAMP, 3)", "masked values"),
    ],
)
def test_arrays_that_are_no_image(author: Page, array: str, words: str) -> None:
    define(author, ARRAYS)
    error = fail(author, f"array:{array}")
    assert error["code"] == "format"
    assert re.search(words, error["message"])


def test_loader_that_never_returns_is_named(author: Page) -> None:
    define(
        author,
        "import asyncio\n"
        + CONSTANT.replace("return Image", "await asyncio.sleep(99)\n    return Image").replace(
            "VALUE", "1"
        ),
    )
    error = fail(author, "mine:a", timeout=500)
    assert error["code"] == "timeout"
    assert "the loader of scheme 'mine' in my_loader.py never returns" in error["message"]


def test_page_with_two_workers_runs_the_file_in_both(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.evaluate("pyloader.init({workers: 2})")
    define(page, CONSTANT.replace("VALUE", "1"))
    define(page, CONSTANT.replace("VALUE", "5"))
    found = page.evaluate(
        """Promise.all(Array.from({length: 8}, (_, index) => pyloader.loadImage(`mine:${index}`)
          .then((image) => image.getPixelData()[0])))"""
    )
    assert found == [5] * 8
