"""Both real Cornerstones: what they are given, and the pixels read back from their canvas."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support import builders, corpus, pictures
from tests.support.pages.viewers import ELEMENT, LEGACY, SIZE, THREE_D, grey_of, windowed
from tests.support.webserver import WebServer

CT = "wadouri:/corpus/CT_small.dcm"


@pytest.fixture
def legacy(open_page, site: WebServer) -> Page:
    """Return a page with cornerstone-core."""
    page = open_page()
    page.set_content(ELEMENT)
    page.add_script_tag(url="/demo/vendor/cornerstone.min.js")
    page.add_script_tag(content=LEGACY)
    return page


@pytest.fixture
def three_d(open_page, site: WebServer) -> Page:
    """Return a page with @cornerstonejs/core, connected."""
    page = open_page()
    page.set_content(ELEMENT)
    page.add_script_tag(content=THREE_D)
    page.evaluate("start()")
    return page


CUSTOM1 = """
import numpy as np
from pyloader import Image, register_loader

@register_loader("custom1")
async def load(image_id, context):
    assert image_id.rest == "//example.com/image.dcm"
    return Image.from_array(np.arange(128 * 128, dtype="u2").reshape(128, 128))
"""


def test_viewer_keeps_its_own_loaders_beside_chosen_schemes(legacy: Page) -> None:
    legacy.evaluate("(source) => pyloader.loadPython({source})", CUSTOM1)
    found = legacy.evaluate(
        """async () => {
          const own = (imageId) => ({promise: Promise.resolve({imageId, own: true, sizeInBytes: 1})});
          for (const scheme of ['https', 'custom1']) cornerstone.registerImageLoader(scheme, own);
          const detach = pyloader.use(cornerstone, {schemes: ['wadouri', 'custom1']});
          const ids = ['https://host/a.png', 'custom1://example.com/image.dcm', 'wadouri:/corpus/CT_small.dcm'];
          const images = await Promise.all(ids.map((id) => cornerstone.loadImage(id)));
          detach();
          return images.map(({own, rows}) => own ?? rows);
        }"""
    )
    assert found == [True, 128, 128]


def test_legacy_how_to_custom_image_loader(legacy: Page) -> None:
    """The two lines of Cornerstone's how-to; the loader is Python."""
    legacy.evaluate("(source) => pyloader.loadPython({source})", CUSTOM1)
    canvas = legacy.evaluate(
        """() => {
          cornerstone.registerImageLoader('custom1', pyloader.imageLoader);
          return cornerstone.loadImage('custom1://example.com/image.dcm').then((image) => show(image));
        }"""
    )
    expected = windowed(np.arange(SIZE * SIZE).reshape(SIZE, SIZE), 0, SIZE * SIZE - 1)
    assert np.abs(grey_of(canvas) - expected).max() <= 1


def test_legacy_load_object(legacy: Page) -> None:
    legacy.evaluate("(source) => pyloader.loadPython({source})", CUSTOM1)
    found = legacy.evaluate(
        """async () => {
          const object = pyloader.imageLoader('custom1://example.com/image.dcm');
          const keys = Object.keys(object).sort();
          const native = object.promise.constructor === Promise;
          await object.promise;
          object.cancelFn(); object.cancel(); object.decache(); object.decache();
          const failed = await pyloader.imageLoader('wadouri:/nothing').promise.catch((error) => error);
          return [keys, native, failed instanceof Error, failed.error === failed];
        }"""
    )
    assert found == [["cancel", "cancelFn", "decache", "promise"], True, True, True]


def test_legacy_grey_with_rescale(legacy: Page) -> None:
    canvas = legacy.evaluate(
        """(id) => {
          pyloader.use(cornerstone);
          return cornerstone.loadImage(id).then((image) => show(image, {voi: {windowCenter: 40, windowWidth: 400}}));
        }""",
        CT,
    )
    hounsfield = corpus.reference("CT_small.dcm").pixels.astype(int) - 1024
    expected = ((hounsfield - 40) / 400 + 0.5) * 255  # cornerstone-core's own formula
    assert np.abs(grey_of(canvas) - np.clip(expected, 0, 255)).max() <= 1


@pytest.mark.parametrize("name", ["SC_rgb_rle.dcm", "examples_palette.dcm", "SC_rgb_rle_16bit.dcm"])
def test_legacy_color(legacy: Page, name: str) -> None:
    found = legacy.evaluate(
        """async (id) => {
          pyloader.use(cornerstone);
          const image = await cornerstone.loadImage(id);
          const element = document.getElementById('element');
          Object.assign(element.style, {width: `${image.width}px`, height: `${image.height}px`});
          return [image.color, image.rgba, image.getPixelData().length, await show(image)];
        }""",
        f"wadouri:/corpus/{name}",
    )
    color, rgba, length, (width, height, data) = found
    pixels = corpus.reference(name).pixels
    expected = pixels >> (8 * pixels.dtype.itemsize - 8)
    assert (color, rgba, length) == (True, True, width * height * 4)
    drawn = np.array(data, "u1").reshape(height, width, 4)[..., :3]
    assert np.abs(drawn.astype(int) - expected).max() <= 1


def test_legacy_floats_are_quantised(legacy: Page) -> None:
    source = """
import numpy as np
from pyloader import Image, register_loader

@register_loader("float")
async def load(image_id, context):
    return Image.from_array(np.linspace(-2, 3, 128 * 128, dtype="f4").reshape(128, 128))
"""
    legacy.evaluate("(source) => pyloader.loadPython({source})", source)
    found = legacy.evaluate(
        """async () => {
          pyloader.use(cornerstone);
          const image = await cornerstone.loadImage('float:x');
          const {slope, intercept, dataType, minPixelValue, maxPixelValue} = image;
          const exact = image.floatPixelData;
          return [dataType, minPixelValue * slope + intercept, maxPixelValue * slope + intercept, await show(image), exact.constructor.name, exact[0], exact.at(-1)];
        }"""
    )
    assert found[0] == "Uint16Array"
    assert found[1:3] == pytest.approx([-2, 3])
    assert found[4:] == ["Float32Array", -2, 3]
    expected = windowed(np.linspace(-2, 3, SIZE * SIZE).reshape(SIZE, SIZE), -2, 3)
    assert np.abs(grey_of(found[3]) - expected).max() <= 1


def test_legacy_counts_frames_from_zero(legacy: Page, site: WebServer) -> None:
    frames = np.stack([np.full((8, 8), number, "u2") for number in (10, 20, 30)])
    path = site.put("/made/zero.dcm", builders.native(frames, NumberOfFrames=3))
    found = legacy.evaluate(
        """async (path) => {
          pyloader.use(cornerstone);
          const image = await cornerstone.loadImage(`wadouri:${path}?frame=0`);
          const third = await cornerstone.loadImage(`wadouri:${path}?frame=2`);
          const {frameNumber} = cornerstone.metaData.get('multiframeModule', third.imageId);
          return [image.imageId, image.minPixelValue, third.minPixelValue, frameNumber];
        }""",
        path,
    )
    assert found == [f"wadouri:{path}?frame=0", 10, 30, 3]


def test_decache_lets_go_of_the_file(legacy: Page, site: WebServer) -> None:
    """Also when the page itself has loaded from that file."""
    before = len(site.asked("/corpus/MR_small.dcm"))
    legacy.evaluate(
        """async (id) => {
          pyloader.use(cornerstone);
          await pyloader.loadImage(id);
          await cornerstone.loadAndCacheImage(id);
          cornerstone.imageCache.purgeCache();
          await new Promise((resolve) => setTimeout(resolve, 100));
          await pyloader.loadImage(id);
        }""",
        "wadouri:/corpus/MR_small.dcm",
    )
    assert len(site.asked("/corpus/MR_small.dcm")) == before + 2


def test_legacy_cache_metadata_events_and_detach(legacy: Page) -> None:
    found = legacy.evaluate(
        """async (id) => {
          const detach = pyloader.use(cornerstone);
          const seen = [];
          cornerstone.events.addEventListener('cornerstoneimageloadprogress', ({detail}) => seen.push(detail));
          await cornerstone.loadAndCacheImage(id);
          const {cacheSizeInBytes, numberOfImagesCached} = cornerstone.imageCache.getCacheInfo();
          const series = cornerstone.metaData.get('generalSeriesModule', id);
          cornerstone.imageCache.purgeCache();
          detach();
          return [seen.at(-1), cacheSizeInBytes, numberOfImagesCached, series.modality, cornerstone.metaData.get('generalSeriesModule', id) === undefined];
        }""",
        CT,
    )
    progress, size, images, modality, detached = found
    assert progress["imageId"] == CT
    assert progress["percentComplete"] == 100
    assert (size, images, modality, detached) == (32768, 1, "CT", True)


def test_3d_stack_of_grey(three_d: Page) -> None:
    found = three_d.evaluate("(id) => show3d([id])", CT)
    hounsfield = corpus.reference("CT_small.dcm").pixels.astype(int) - 1024
    voi = found[3]
    expected = windowed(hounsfield, voi["lower"], voi["upper"])
    drawn = grey_of(found)
    assert drawn.shape == (SIZE, SIZE)
    # The canvas samples at pixel centres; a pixel's own border may fall to its neighbour.
    assert np.median(np.abs(drawn - expected)) <= 1
    assert np.mean(np.abs(drawn - expected) <= 2) > 0.97


def test_3d_window_in_modality_units(three_d: Page) -> None:
    properties = {"voiRange": {"lower": -160, "upper": 240}}
    found = three_d.evaluate("([id, properties]) => show3d([id], 0, properties)", [CT, properties])
    hounsfield = corpus.reference("CT_small.dcm").pixels.astype(int) - 1024
    assert np.mean(np.abs(grey_of(found) - windowed(hounsfield, -160, 240)) <= 2) > 0.97


def test_3d_image_object(three_d: Page) -> None:
    image = three_d.evaluate(
        """async (id) => {
          const image = await cs.imageLoader.loadAndCacheImage(id);
          const {voxelManager, ...fields} = image;
          const scalar = voxelManager.getScalarData();
          return {...JSON.parse(JSON.stringify(fields)), scalar: [scalar.constructor.name, Math.min(...scalar), Math.max(...scalar)]};
        }""",
        CT,
    )
    assert image["preScale"]["scaled"]
    assert image["preScale"]["scalingParameters"]["rescaleIntercept"] == -1024
    assert (image["slope"], image["intercept"]) == (1, 0)
    assert image["dataType"] == image["scalar"][0]
    assert image["scalar"][1:] == [image["minPixelValue"], image["maxPixelValue"]] == [-896, 1167]
    assert image["imageQualityStatus"] == 8


@pytest.mark.parametrize("name", ["SC_rgb_rle.dcm", "SC_ybr_full_422_uncompressed.dcm"])
def test_3d_color(three_d: Page, name: str) -> None:
    found = three_d.evaluate(
        """async (id) => {
          const element = document.getElementById('element');
          Object.assign(element.style, {width: '100px', height: '100px'});
          return show3d([id]);
        }""",
        f"wadouri:/corpus/{name}",
    )
    width, height, data = found[:3]
    drawn = np.array(data, "u1").reshape(height, width, 4)[..., :3].astype(int)
    expected = corpus.reference(name).pixels
    assert np.mean(np.abs(drawn - expected).max(axis=-1) <= 2) > 0.95


def test_3d_web_of_a_python_loader_without_metadata(three_d: Page) -> None:
    """An image that knows nothing of patient or plane is shown all the same."""
    source = CUSTOM1.replace('"u2"', '"f4"')
    three_d.evaluate("(source) => pyloader.loadPython({source})", source)
    found = three_d.evaluate("show3d(['custom1://example.com/image.dcm'])")
    expected = windowed(np.arange(SIZE * SIZE).reshape(SIZE, SIZE), 0, SIZE * SIZE - 1)
    assert np.mean(np.abs(grey_of(found) - expected) <= 3) > 0.97
    plane = three_d.evaluate(
        "cs.metaData.get('imagePlaneModule', 'custom1://example.com/image.dcm')"
    )
    assert plane["usingDefaultValues"] is True


def test_3d_hand_registered(open_page) -> None:
    page = open_page()
    page.set_content(ELEMENT)
    page.add_script_tag(content=THREE_D.replace("globalThis.detach = pyloader.use(cs);", ""))
    page.evaluate("start()")
    page.evaluate("(source) => pyloader.loadPython({source})", CUSTOM1)
    found = page.evaluate(
        """() => {
          cs.imageLoader.registerImageLoader('custom1', pyloader.imageLoader);
          cs.metaData.addProvider(pyloader.metaData, 100);
          return show3d(['custom1://example.com/image.dcm']);
        }"""
    )
    expected = windowed(np.arange(SIZE * SIZE).reshape(SIZE, SIZE), 0, SIZE * SIZE - 1)
    assert np.mean(np.abs(grey_of(found) - expected) <= 3) > 0.97


def test_3d_volume_from_added_metadata(three_d: Page) -> None:
    ids = [f"wadouri:/samples/volume/slice-{number:02}.dcm" for number in range(1, 41)]
    found = three_d.evaluate(
        """async (imageIds) => {
          await pyloader.addMetadata(imageIds);
          const volume = await cs.volumeLoader.createAndCacheVolume('cornerstoneStreamingImageVolume:v', {imageIds});
          await new Promise((resolve) => volume.load(resolve));
          while (volume.framesProcessed < imageIds.length) await new Promise((resolve) => setTimeout(resolve, 50));
          const {dimensions, spacing, origin, voxelManager} = volume;
          const image = await pyloader.loadImage(imageIds[20], {preScale: true});
          const at = (x, y, z) => voxelManager.getAtIJK(x, y, z);
          const same = [[128, 128], [60, 140], [200, 90]].every(([x, y]) => at(x, y, 20) === image.getPixelData()[y * 256 + x]);
          return [Array.from(dimensions), Array.from(spacing), same];
        }""",
        ids,
    )
    assert found[0] == [256, 256, 40]
    assert found[1] == pytest.approx([0.8, 0.8, 2])
    assert found[2]


def test_3d_cancel_and_eviction_are_harmless(three_d: Page) -> None:
    found = three_d.evaluate(
        """async (id) => {
          await cs.imageLoader.loadAndCacheImage(id);
          cs.cache.purgeCache();
          const pending = cs.imageLoader.loadAndCacheImage('wadouri:/fault/drip?3d').catch((error) => error.name);
          await new Promise((resolve) => setTimeout(resolve, 200));
          cs.imageLoader.cancelLoadImage('wadouri:/fault/drip?3d');
          return [await pending, (await cs.imageLoader.loadAndCacheImage(id)).rows];
        }""",
        CT,
    )
    assert found == ["AbortError", SIZE]


# ------------------------------------------------------------------ whose local files

# What a viewer's own file manager does: dicomfile:0 is the first file that it was given.
OF_THE_VIEWER = """
globalThis.ofTheViewer = (registerImageLoader) => registerImageLoader('dicomfile', (imageId) => ({
  promise: Promise.resolve({imageId, rows: 1, columns: 1, sizeInBytes: 1, getPixelData: () => new Uint8Array([42])}),
}));
globalThis.ofThePage = async (path) => pyloader.addFile(await (await fetch(path)).blob());
"""
BOTH = """async ([generation, schemes]) => {
  const [viewer, loader] = generation === '3d' ? [cs, cs.imageLoader] : [cornerstone, cornerstone];
  ofTheViewer(loader.registerImageLoader);
  const disconnect = pyloader.use(viewer, schemes ? {schemes} : undefined);
  const mine = await ofThePage('/corpus/CT_small.dcm');
  const ids = [mine, 'dicomfile:0', mine.replace('localfile', 'dicomfile'), 'localfile:00000000-0'];
  const found = [];
  for (const id of ids) {
    found.push(await loader.loadImage(id).then((image) => [image.rows, image.getPixelData()[0]], (error) => [error.code ?? error.error?.code, `${error.message ?? error.error?.message}`]));
  }
  disconnect();
  return {found, schemes: disconnect.schemes};
}"""
FIRST = int(corpus.reference("CT_small.dcm").pixels[0, 0])


@pytest.fixture
def both(open_page, site: WebServer):
    """Return a function that opens a page with a viewer whose own file manager has a file."""

    def open_viewer(generation: str) -> Page:
        page = open_page()
        page.set_content(ELEMENT)
        page.add_script_tag(content=OF_THE_VIEWER)
        if generation == "3d":
            page.evaluate(
                "async () => { globalThis.cs = await import('/demo/vendor/cornerstone3d.mjs'); await cs.init(); }"
            )
        else:
            page.add_script_tag(url="/demo/vendor/cornerstone.min.js")
        return page

    return open_viewer


@pytest.mark.parametrize("generation", ["legacy", "3d"])
def test_local_files_of_the_viewer_stay_its_own(both, generation: str) -> None:
    page = both(generation)
    result = page.evaluate(BOTH, [generation, None])
    mine, theirs, same_number, unknown = result["found"]
    assert theirs == [1, 42]
    assert same_number == [1, 42], "whatever its name, it is the viewer's"
    assert mine[0] == SIZE
    assert unknown[0] == "request", "a name that was not added here is not answered for"
    assert "no file of this name was added here" in unknown[1]
    assert "dicomfile" not in result["schemes"]
    assert {"localfile", "wadouri", "nifti"} <= set(result["schemes"])


@pytest.mark.parametrize("generation", ["legacy", "3d"])
def test_an_app_may_name_the_scheme_of_local_files(both, generation: str) -> None:
    page = both(generation)
    result = page.evaluate(BOTH, [generation, ["dicomfile", "localfile"]])
    mine, theirs, same_file, unknown = result["found"]
    assert mine[0] == same_file[0] == SIZE
    assert mine == same_file
    assert [theirs[0], unknown[0]] == ["request", "request"]
    assert sorted(result["schemes"]) == ["dicomfile", "localfile"]


def test_schemes_that_come_later_are_listed_too(legacy: Page) -> None:
    schemes = legacy.evaluate(
        """async () => {
          const disconnect = pyloader.use(cornerstone);
          pyloader.registerImageLoader('later', () => ({promise: Promise.resolve({})}));
          return disconnect.schemes;
        }"""
    )
    assert schemes[-1] == "later"


# ------------------------------------------------------------------ what the page's own providers know

PROVIDER = """
globalThis.provide = (library) => library.metaData.addProvider((type, id) => {
  const index = Number(/slice(\\d)/.exec(id)?.[1]);
  if (Number.isNaN(index)) return undefined;
  return {
    imagePlaneModule: {
      imagePositionPatient: [0, 0, index * 5], imageOrientationPatient: [1, 0, 0, 0, 1, 0],
      rowCosines: [1, 0, 0], columnCosines: [0, 1, 0], pixelSpacing: [0.5, 0.5],
      rowPixelSpacing: 0.5, columnPixelSpacing: 0.5, frameOfReferenceUID: '1.2.3',
    },
    generalSeriesModule: {modality: 'SC', seriesInstanceUID: '1.2.4'},
    voiLutModule: {windowCenter: [100], windowWidth: [50]},
    patientModule: {patientName: 'A^B', patientId: '7'},
  }[type];
}, 1);
globalThis.known = (library, id) => Object.fromEntries(
  ['imagePlaneModule', 'generalSeriesModule', 'voiLutModule', 'patientModule']
    .map((type) => [type, library.metaData.get(type, id)]),
);
"""


@pytest.fixture
def slices(site: WebServer) -> list[str]:
    """Return grey pictures that say nothing of themselves."""
    for index in range(3):
        pixels = (np.arange(40 * 50) % 100 + 50 * index).astype("u1").reshape(40, 50)
        site.put(f"/made/slice{index}.png", pictures.saved(pixels, "PNG"))
    return [f"web:/made/slice{index}.png" for index in range(3)]


def assert_of_the_page(known: dict, index: int) -> None:
    """Compare with what `PROVIDER` says of a slice."""
    plane = known["imagePlaneModule"]
    assert plane["imagePositionPatient"] == [0, 0, index * 5]
    assert (plane["pixelSpacing"], plane["rowPixelSpacing"]) == ([0.5, 0.5], 0.5)
    assert (plane["rows"], plane["columns"]) == (40, 50)
    assert not plane.get("usingDefaultValues")
    assert known["generalSeriesModule"]["seriesInstanceUID"] == "1.2.4"
    assert known["voiLutModule"] == {"windowCenter": [100], "windowWidth": [50]}
    assert known["patientModule"]["patientId"] == "7"


def test_3d_page_s_own_provider_counts_more_than_defaults(three_d: Page, slices) -> None:
    three_d.add_script_tag(content=PROVIDER)
    known, spacing, window, alone = three_d.evaluate(
        """async (ids) => {
          provide(cs);
          const images = await Promise.all(ids.map((id) => cs.imageLoader.loadAndCacheImage(id)));
          const volume = await cs.volumeLoader.createAndCacheVolume('v', {imageIds: ids});
          const {windowCenter, windowWidth} = images[2];
          const alone = pyloader.metaData('imagePlaneModule', ids[2]);
          return [known(cs, ids[2]), Array.from(volume.spacing), [windowCenter, windowWidth], alone];
        }""",
        slices,
    )
    assert_of_the_page(known, 2)
    assert spacing == [0.5, 0.5, 5]
    assert window == [100, 50]
    assert alone["usingDefaultValues"], "pyloader itself knows nothing of it"


def test_legacy_page_s_own_provider_counts_more_than_defaults(legacy: Page, slices) -> None:
    legacy.add_script_tag(content=PROVIDER)
    known, window = legacy.evaluate(
        """async ([, id]) => {
          provide(cornerstone);
          pyloader.use(cornerstone);
          const {windowCenter, windowWidth} = await cornerstone.loadAndCacheImage(id);
          return [known(cornerstone, id), [windowCenter, windowWidth]];
        }""",
        slices,
    )
    assert_of_the_page(known, 1)
    assert window == [100, 50]


@pytest.mark.parametrize("library", ["cornerstone", "cs"])
def test_what_a_file_says_counts_more_than_the_page_s_provider(
    legacy: Page, site: WebServer, library: str
) -> None:
    legacy.add_script_tag(content=THREE_D)
    legacy.add_script_tag(content=PROVIDER)
    site.put("/made/slice2.dcm", (corpus.DATA / "CT_small.dcm").read_bytes())
    known = legacy.evaluate(
        """async ([name, id]) => {
          if (name === 'cs') await start();
          else pyloader.use(cornerstone);
          const library = name === 'cs' ? cs : cornerstone;
          provide(library);
          await (library.imageLoader?.loadImage ?? library.loadImage)(id);
          return known(library, id);
        }""",
        [library, "wadouri:/made/slice2.dcm"],
    )
    assert known["imagePlaneModule"]["pixelSpacing"] == [0.661468, 0.661468]
    assert known["generalSeriesModule"]["modality"] == "CT"


# ------------------------------------------------------------------ pixels that are not square


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"PixelAspectRatio": [2, 1]}, [2, 1]),
        ({"PixelAspectRatio": [1, 2]}, [1, 2]),
        ({"PixelAspectRatio": [2, 1], "PixelSpacing": [0.5, 0.25]}, [0.5, 0.25]),
        ({"PixelAspectRatio": [2, 1], "ImagerPixelSpacing": [0.5, 0.5]}, [None, None]),
        ({"PixelAspectRatio": [0, 1]}, [None, None]),
        ({"PixelAspectRatio": [-1, 1]}, [None, None]),
        ({"PixelAspectRatio": 1}, [None, None]),
        ({}, [None, None]),
    ],
)
def test_pixel_aspect_ratio_reaches_both_viewers(
    legacy: Page, site: WebServer, attributes: dict, expected: list
) -> None:
    path = site.put("/made/aspect.dcm", builders.native(np.zeros((4, 8), "u1"), **attributes))
    legacy.add_script_tag(content=THREE_D)
    found, plane = legacy.evaluate(
        """async (id) => {
          pyloader.use(cornerstone);
          await start();
          const {rowPixelSpacing = null, columnPixelSpacing = null} = await cornerstone.loadImage(id);
          await cs.imageLoader.loadImage(id);
          return [[rowPixelSpacing, columnPixelSpacing], cs.metaData.get('imagePlaneModule', id)];
        }""",
        f"wadouri:{path}",
    )
    assert found == expected
    assert plane["pixelSpacing"] == (expected if None not in expected else [1, 1])
    assert [plane["rowPixelSpacing"], plane["columnPixelSpacing"]] == plane["pixelSpacing"]
    assert plane["usingDefaultValues"] is True
