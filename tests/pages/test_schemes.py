"""Each scheme and each transfer syntax, through dist/ in Chromium, to pixels in the page."""

from __future__ import annotations

import base64

import nibabel
import numpy as np
import pytest
from playwright.sync_api import Page
from pydicom.uid import UID, JPEGBaseline8Bit

from tests.support import builders, corpus
from tests.support.pages.outcome import fail, load, with_pixels
from tests.support.pages.python_files import PYTHON
from tests.support.webserver import WebServer

CT = "/corpus/CT_small.dcm"


def names(syntaxes: tuple[str, ...]) -> list:
    """Return parameters that read well in a report."""
    return [pytest.param(syntax, id=UID(syntax).keyword) for syntax in syntaxes]


@pytest.mark.parametrize("syntax", names(builders.ALL))
def test_grey_of_every_transfer_syntax(page: Page, site: WebServer, syntax: str) -> None:
    body, pixels = builders.grey_file(syntax)
    image = load(page, f"wadouri:{site.put(f'/made/grey-{syntax}.dcm', body)}")
    expected = pixels if syntax in builders.NATIVE else builders.independent(body)
    assert image["pixels"].dtype == pixels.dtype
    assert np.abs(image["pixels"].astype(int) - expected).max() <= (syntax in builders.LOSSY)


@pytest.mark.parametrize("syntax", names(builders.COLOR))
def test_color_of_every_transfer_syntax(page: Page, site: WebServer, syntax: str) -> None:
    body, pixels = builders.color_file(syntax)
    image = load(page, f"wadouri:{site.put(f'/made/color-{syntax}.dcm', body)}")
    expected = pixels if syntax in builders.NATIVE else builders.independent(body)
    bound = 3 if syntax == JPEGBaseline8Bit else int(syntax in builders.LOSSY)
    assert image["pixels"].shape == (*pixels.shape[:2], 4)
    assert (image["pixels"][..., 3] == 255).all()
    assert np.abs(image["pixels"][..., :3].astype(int) - expected).max() <= bound


@pytest.mark.parametrize("scheme", ["wadouri", "dicomweb"])
@pytest.mark.parametrize("address", [CT, "../corpus/CT_small.dcm", "{site}/corpus/CT_small.dcm"])
def test_address_absolute_and_relative(
    page: Page, site: WebServer, scheme: str, address: str
) -> None:
    image = load(page, f"{scheme}:{address.format(site=site.url)}")
    assert np.array_equal(image["pixels"], corpus.reference("CT_small.dcm").pixels)


@pytest.mark.parametrize("kind", ["new File([bytes], 'a.dcm')", "new Blob([bytes])", "bytes"])
def test_file_of_the_user(page: Page, kind: str) -> None:
    text = base64.b64encode((corpus.DATA / "MR_small_RLE.dcm").read_bytes()).decode()
    found = page.evaluate(
        """async ([text, kind]) => {
          const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
          const imageId = pyloader.addFile(eval(kind));
          const first = await load(imageId);
          pyloader.removeFile(imageId);
          return [imageId, first, await load(imageId), pyloader.addFile(new Blob([]))];
        }""",
        [text, kind],
    )
    image_id, first, second, later = found
    pixels = with_pixels(first["image"])["pixels"]
    assert np.array_equal(pixels, corpus.reference("MR_small_RLE.dcm").pixels)
    assert second["error"]["code"] == "request"
    assert "removeFile" in second["error"]["message"]
    assert later.startswith("localfile:")
    assert later != image_id, "a number is never used again"


def test_frames_of_one_file_asked_for_together(page: Page, site: WebServer) -> None:
    frames = np.stack([builders.ramp(24, 32) // (number + 1) for number in range(6)])
    path = site.put("/made/frames.dcm", builders.native(frames, NumberOfFrames=6))
    found = page.evaluate(
        "(ids) => Promise.all(ids.map((id) => load(id)))",
        [f"wadouri:{path}?frame={number + 1}" for number in range(6)],
    )
    for frame, result in zip(frames, found, strict=True):
        assert np.array_equal(with_pixels(result["image"])["pixels"], frame)
    assert len(site.asked(path)) == 1


@pytest.mark.parametrize("by", ["source", "url"])
def test_python_loader(page: Page, site: WebServer, by: str) -> None:
    raw = np.arange(32, dtype="<u2")
    site.put("/made/raw", raw.tobytes())
    source = PYTHON.format(scheme=f"custom-{by}")
    site.put("/made/loader.py", source.encode())
    given = {"source": source, "name": "a.py"} if by == "source" else {"url": "made/loader.py"}
    assert page.evaluate("(given) => pyloader.loadPython(given)", given) == [f"custom-{by}"]
    image = load(page, f"custom-{by}://example.com/image.dcm", slope=3)
    assert np.array_equal(image["pixels"], raw.reshape(4, 8) + len("//example.com/image.dcm"))
    assert image["slope"] == 3, "options reach the loader"
    assert (image["windowCenter"], image["windowWidth"]) == (10, 20)
    plane = page.evaluate(
        "(id) => pyloader.metaData('imagePlaneModule', id)",
        f"custom-{by}://example.com/image.dcm",
    )
    assert plane["pixelSpacing"] == [0.5, 0.25]
    assert (plane["rowPixelSpacing"], plane["columnPixelSpacing"]) == (0.5, 0.25)


def test_python_loader_is_replaced_under_its_name(page: Page) -> None:
    source = """
import numpy as np
from pyloader import Image, register_loader

@register_loader("again")
async def {name}(image_id, context):
    return Image.from_array(np.full((2, 2), {value}, "u1"))
"""
    for value in (1, 2):
        code = source.format(name=f"load_{value}", value=value)
        page.evaluate("(source) => pyloader.loadPython({source, name: 'again.py'})", code)
        assert load(page, "again:x")["pixels"].max() == value


def test_python_script_tags(open_page, site: WebServer) -> None:
    site.put("/made/raw", bytes(64))
    site.put("/made/tagged.py", PYTHON.format(scheme="tagged").encode())
    inline = PYTHON.format(scheme="inline")
    site.put(
        "/made/tags.html",
        f"""<!DOCTYPE html><script src="/pyloader.js"></script>
        <script type="text/python" data-pyloader src="tagged.py"></script>
        <script type="text/python" data-pyloader>{inline}</script>""".encode(),
    )
    page = open_page("/made/tags.html", script="")
    assert load(page, "tagged://x")["rows"] == 4
    assert load(page, "inline://x")["rows"] == 4


def test_javascript_loader_beside_python_ones(page: Page) -> None:
    found = page.evaluate(
        """async () => {
          const calls = [];
          pyloader.registerImageLoader('js1', (imageId, options) => {
            calls.push([imageId, options.mark]);
            return { promise: Promise.resolve({ imageId, sizeInBytes: 1 }), cancelFn() {} };
          });
          const image = await pyloader.loadImage('js1://a/b', { mark: 7 });
          const { promise } = pyloader.imageLoader('js1:c');
          return [calls, image, (await promise).imageId];
        }"""
    )
    assert found == [
        [["js1://a/b", 7], ["js1:c", None]],
        {"imageId": "js1://a/b", "sizeInBytes": 1},
        "js1:c",
    ]


def test_unknown_scheme_and_the_loader_for_it(open_page) -> None:
    page = open_page()
    error = fail(page, "nobody:knows")
    assert (error["code"], error["kind"]) == ("unknown-scheme", "UnknownSchemeError")
    assert (
        "registered: dicomfile, dicomweb, http, https, localfile, metaimage, nifti"
        in error["message"]
    )
    found = page.evaluate(
        """async () => {
          const unknown = (imageId) => ({ promise: Promise.resolve({ imageId, found: true }) });
          const before = pyloader.registerUnknownImageLoader(unknown);
          const image = await pyloader.loadImage('nobody:knows');
          return [before === undefined, image, pyloader.registerUnknownImageLoader(unknown) === unknown];
        }"""
    )
    assert found == [True, {"imageId": "nobody:knows", "found": True}, True]


def test_a_removed_file_is_gone_under_every_name(page: Page) -> None:
    """Also what was made of it: the volume, the page's cache, the metadata."""
    volume = nibabel.Nifti1Image(np.arange(24, dtype="i2").reshape(2, 3, 4), np.eye(4))
    text = base64.b64encode(volume.to_bytes()).decode()
    found = page.evaluate(
        """async (text) => {
          const name = pyloader.addFile(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
          const imageId = `nifti:${name}?frame=0`;
          await pyloader.loadAndCacheImage(imageId);
          const before = [Boolean(pyloader.cache.get(imageId)), Boolean(pyloader.metaData('imagePlaneModule', imageId))];
          pyloader.removeFile(name);
          const after = [Boolean(pyloader.cache.get(imageId)), Boolean(pyloader.metaData('imagePlaneModule', imageId))];
          const {error} = await load(`nifti:${name}?frame=1`);
          return [before, after, error.code];
        }""",
        text,
    )
    assert found == [[True, True], [False, False], "request"]


def test_a_cached_image_is_the_one_that_was_asked_for(page: Page) -> None:
    """An image for display, of 8 bits, is not taken for the stored values."""
    found = page.evaluate(
        """async () => {
          const imageId = 'wadouri:/corpus/CT_small.dcm';
          const target = new ArrayBuffer(128 * 128 * 2);
          const targetBuffer = {type: 'Int16Array', arrayBuffer: target};
          await pyloader.loadAndCacheImage(imageId, {targetBuffer});
          const kept = Boolean(pyloader.cache.get(imageId));
          const images = [];
          for (const options of [{displayValues: true}, {}, {}, {displayValues: true}]) images.push(await pyloader.loadAndCacheImage(imageId, options));
          pyloader.cache.clear();
          return [kept, images.map((image) => image.getPixelData().constructor.name), images[1] === images[2]];
        }"""
    )
    assert found == [
        False,
        ["Uint8Array", "Int16Array", "Int16Array", "Uint8Array"],
        True,
    ]


def test_python_files_of_one_name_do_not_replace_each_other(page: Page, site: WebServer) -> None:
    for folder in ("left", "right"):
        site.put(f"/made/{folder}/mine.py", PYTHON.format(scheme=f"of-{folder}").encode())
    site.put("/made/raw", bytes(64))
    for folder in ("left", "right"):
        page.evaluate("(url) => pyloader.loadPython({url})", f"made/{folder}/mine.py")
    for folder in ("left", "right"):
        assert load(page, f"of-{folder}://example.com/image.dcm")["rows"] == 4
