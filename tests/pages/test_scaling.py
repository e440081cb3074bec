"""From stored values to grey on the canvas, in both real Cornerstones; one page each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page
from pydicom import Dataset
from pydicom.sequence import Sequence

from tests.support import builders
from tests.support.pages import prepare
from tests.support.pages.viewers import ELEMENT, LEGACY, SIZE, THREE_D, grey_of
from tests.support.webserver import WebServer

VOLUME = """
globalThis.showVolume = async (imageIds, voiRange) => {
  await pyloader.addMetadata(imageIds);
  const element = document.getElementById('element');
  const engine = new cs.RenderingEngine(`engine${Math.random()}`);
  const {ORTHOGRAPHIC} = cs.Enums.ViewportType;
  engine.enableElement({viewportId: 'volume', type: ORTHOGRAPHIC, element, defaultOptions: {orientation: cs.Enums.OrientationAxis.AXIAL}});
  const volumeId = `cornerstoneStreamingImageVolume:${Math.random()}`;
  const volume = await cs.volumeLoader.createAndCacheVolume(volumeId, {imageIds});
  const loaded = new Promise((resolve) => volume.load(resolve));
  while (volume.framesProcessed < imageIds.length) await new Promise((resolve) => setTimeout(resolve, 20));
  const viewport = engine.getViewport('volume');
  await viewport.setVolumes([{volumeId}]);
  if (voiRange) viewport.setProperties({voiRange});
  viewport.setProperties({interpolationType: cs.Enums.InterpolationType.NEAREST});
  viewport.resetCamera({resetPan: true, resetZoom: true});
  const drawn = new Promise((resolve) => element.addEventListener(cs.Enums.Events.IMAGE_RENDERED, resolve, {once: true}));
  viewport.render();
  await drawn;
  await new Promise((resolve) => setTimeout(resolve, 150));
  const canvas = element.querySelector('canvas');
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const {voiRange: shown} = viewport.getProperties();
  const middle = cs.cache.getImage(imageIds[1]).voxelManager.getScalarData();
  const values = Array.from({length: 16}, (_, index) => volume.voxelManager.getAtIJK(index * 8 + 4, 64, 1));
  const result = [canvas.width, canvas.height, Array.from(data), shown, volume.dataType, middle.constructor.name, values, volume.scaling];
  engine.destroy();
  return result;
};
"""


def connected(site: WebServer, browser: Browser, *scripts: dict[str, str]) -> Page:
    """Return a page with pyloader and a viewer."""
    page = browser.new_context().new_page()
    prepare(page, f"{site.url}/blank.html")
    page.add_script_tag(url="/pyloader.js")
    page.set_content(ELEMENT)
    for script in scripts:
        page.add_script_tag(**script)
    return page


@pytest.fixture(scope="module")
def legacy(site: WebServer, browser: Browser) -> Iterator[Page]:
    """Return a page with cornerstone-core, connected, for all tests of this file."""
    core = {"url": "/demo/vendor/cornerstone.min.js"}
    page = connected(site, browser, core, {"content": LEGACY})
    page.evaluate("() => { pyloader.use(cornerstone); }")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def three_d(site: WebServer, browser: Browser) -> Iterator[Page]:
    """Return a page with @cornerstonejs/core, connected, for all tests of this file."""
    page = connected(site, browser, {"content": THREE_D}, {"content": VOLUME})
    page.evaluate("start()")
    yield page
    page.context.close()


def columns(values: list[float], dtype: str = "u2") -> np.ndarray:
    """Return an image of bars, one for each value, from left to right."""
    bars = np.repeat(values, SIZE // len(values))
    return np.tile(np.pad(bars, (0, SIZE - bars.size), mode="edge"), (SIZE, 1)).astype(dtype)


def put(site: WebServer, name: str, pixels: np.ndarray, **attributes: Any) -> str:
    """Serve a file; return its imageId."""
    return f"wadouri:{site.put(f'/scaling/{name}.dcm', builders.native(pixels, **attributes))}"


def bars_of(canvas: list, count: int) -> list[int]:
    """Return the grey in the middle of each bar."""
    grey = grey_of(canvas)
    width = SIZE // count
    return [int(grey[SIZE // 2, bar * width + width // 2]) for bar in range(count)]


def in_legacy(page: Page, image_id: str, count: int, viewport: dict | None = None) -> list[int]:
    """Return the greys of the bars in cornerstone-core."""
    script = "([id, viewport]) => cornerstone.loadImage(id).then((image) => show(image, viewport))"
    return bars_of(page.evaluate(script, [image_id, viewport or {}]), count)


def in_3d(page: Page, image_id: str, count: int) -> list[int]:
    """Return the greys of the bars in a stack of Cornerstone3D."""
    return bars_of(page.evaluate("(id) => show3d([id])", image_id), count)


def in_both(legacy: Page, three_d: Page, image_id: str, count: int) -> tuple[list[int], list[int]]:
    """Return the greys of the bars in each viewer."""
    return in_legacy(legacy, image_id, count), in_3d(three_d, image_id, count)


def near(expected: list[float]) -> Any:
    """Return what compares with greys within one level."""
    return pytest.approx(expected, abs=1.01)


def ramp_of(values: list[float], low: float, high: float) -> list[float]:
    """Return the greys of a linear ramp."""
    return (np.clip((np.array(values) - low) / (high - low), 0, 1) * 255).tolist()


# ------------------------------------------------------------------ padding


def test_pixel_padding_is_read_signed_and_left_out_of_the_automatic_window(
    legacy: Page, three_d: Page, site: WebServer
) -> None:
    values = [-2000, 0, 50, 100, 200, 400]
    image_id = put(site, "dark", columns(values, "i2"), PixelPaddingValue=-2000)
    expected = near([0, *ramp_of(values[1:], 0, 400)])
    assert in_legacy(legacy, image_id, 6) == expected
    assert in_3d(three_d, image_id, 6) == expected


def test_padding_above_all_else_is_drawn_dark(legacy: Page, three_d: Page, site: WebServer) -> None:
    values = [63536, 0, 1000, 2000, 3000, 4000]
    attributes = {"PixelPaddingValue": 63536, "RescaleSlope": 1, "RescaleIntercept": -1024}
    image_id = put(site, "bright", columns(values), **attributes)
    expected = near([0, *ramp_of(values[1:], 0, 4000)])
    assert in_both(legacy, three_d, image_id, 6) == (expected, expected)
    windowed = put(
        site, "bright-w", columns(values), WindowCenter=40, WindowWidth=400, **attributes
    )
    expected = near([0, 0, 87, 255, 255, 255])
    assert in_both(legacy, three_d, windowed, 6) == (expected, expected)


def test_padding_of_monochrome1_is_drawn_dark(legacy: Page, three_d: Page, site: WebServer) -> None:
    values = [0, 100, 200, 300, 400, 500]
    attributes = {"PixelPaddingValue": 0, "PhotometricInterpretation": "MONOCHROME1"}
    image_id = put(site, "inverted", columns(values), **attributes)
    expected = near([0, 255, 191, 128, 64, 0])
    assert in_both(legacy, three_d, image_id, 6) == (expected, expected)


def test_padding_range_is_left_out(legacy: Page, three_d: Page, site: WebServer) -> None:
    values = [-2000, -1500, 0, 100, 200, 400]
    attributes = {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1500}
    image_id = put(site, "range", columns(values, "i2"), **attributes)
    expected = near([0, 0, *ramp_of(values[2:], 0, 400)])
    assert in_both(legacy, three_d, image_id, 6) == (expected, expected)


def test_padded_images_are_drawn_through_a_colour_map(legacy: Page, site: WebServer) -> None:
    values = [63536, 0, 1000, 2000, 3000, 4000]
    image_id = put(site, "map", columns(values), PixelPaddingValue=63536)
    canvas = legacy.evaluate(
        "(id) => cornerstone.loadImage(id).then((image) => show(image, {colormap: 'gray'}))",
        image_id,
    )
    assert bars_of(canvas, 6) == near([0, *ramp_of(values[1:], 0, 4000)])


def slices(site: WebServer, name: str, pixels: np.ndarray, **attributes: Any) -> list[str]:
    """Serve three slices of a volume."""
    plane = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1]}
    return [
        put(
            site,
            f"{name}-{z}",
            pixels,
            ImagePositionPatient=[0, 0, float(z)],
            SOPInstanceUID=f"1.2.3.{z}",
            FrameOfReferenceUID="1.2.3",
            **plane,
            **attributes,
        )
        for z in range(3)
    ]


@pytest.mark.parametrize(
    ("name", "dtype", "padding"),
    [("unsigned", "u2", 63536), ("signed", "i2", -32768), ("usual", "i2", -2000)],
)
def test_padding_that_leaves_the_class_of_a_volume_does_not_wrap(
    three_d: Page, site: WebServer, name: str, dtype: str, padding: int
) -> None:
    values = [padding, 0, 1000, 2000, 3000, 4000]
    attributes = {"PixelPaddingValue": padding, "RescaleSlope": 1, "RescaleIntercept": -1024}
    ids = slices(site, f"volume-{name}", columns(values, dtype), **attributes)
    found = three_d.evaluate("(ids) => showVolume(ids, {lower: -1024, upper: 2976})", ids)
    assert found[4:6] == ["Int16Array", "Int16Array"]
    assert bars_of(found, 6) == near([0, *ramp_of(values[1:], 0, 4000)])


def test_values_that_leave_16_bits_take_a_volume_of_floats(three_d: Page, site: WebServer) -> None:
    values = [0, 10000, 20000, 40000, 60000, 65535]
    attributes = {"RescaleSlope": 1, "RescaleIntercept": -8192, "Modality": "MR"}
    ids = slices(site, "wide", columns(values), **attributes)
    found = three_d.evaluate("(ids) => showVolume(ids, {lower: -8192, upper: 57343})", ids)
    assert found[4:6] == ["Float32Array", "Float32Array"]
    assert bars_of(found, 6) == near(ramp_of(values, 0, 65535))


# ------------------------------------------------------------------ modality LUT


def table(entries: Any, first: int, bits: int, vr: str = "US") -> Sequence:
    """Return a LUT Sequence of one item."""
    item = Dataset()
    item.add_new(0x00283002, vr, [len(entries) % 65536, first, bits])
    item.ModalityLUTType = "US"
    item.add_new(0x00283006, "OW", np.asarray(entries, "<u2").tobytes())
    return Sequence([item])


def voi_table(entries: Any, first: int, bits: int, vr: str = "US") -> Sequence:
    """Return a VOI LUT Sequence of one item."""
    found = table(entries, first, bits, vr)
    del found[0].ModalityLUTType
    return found


def test_modality_table_with_a_negative_first_value(
    legacy: Page, three_d: Page, site: WebServer
) -> None:
    values = [-10, -2, -1, 0, 1, 20]
    sequence = table([0, 40, 70, 100], -2, 8, "SS")
    image_id = put(site, "mlut", columns(values, "i2"), ModalityLUTSequence=sequence)
    expected = near(ramp_of([0, 0, 40, 70, 100, 100], 0, 100))
    assert in_both(legacy, three_d, image_id, 6) == (expected, expected)


def test_modality_table_of_65536_entries(legacy: Page, three_d: Page, site: WebServer) -> None:
    values = [0, 13107, 26214, 39321, 52428, 65535]
    entries = np.arange(65536)[::-1]
    image_id = put(site, "mlut-long", columns(values), ModalityLUTSequence=table(entries, 0, 16))
    expected = near(ramp_of(values[::-1], 0, 65535))
    assert in_both(legacy, three_d, image_id, 6) == (expected, expected)


def test_modality_table_of_projection_xray_is_not_for_display(
    legacy: Page, three_d: Page, site: WebServer
) -> None:
    values = [0, 1, 2, 3]
    xray = "1.2.840.10008.5.1.4.1.1.12.1"
    image_id = put(
        site, "xa", columns(values, "u1"), SOPClassUID=xray, Modality="XA",
        ModalityLUTSequence=table([0, 0, 0, 9], 0, 8), WindowCenter=2, WindowWidth=4,
    )  # fmt: skip
    assert in_3d(three_d, image_id, 4) == near(ramp_of(values, 0, 3))
    # cornerstone-core draws LINEAR as LINEAR_EXACT.
    assert in_legacy(legacy, image_id, 4) == near(ramp_of(values, 0, 4))


# ------------------------------------------------------------------ VOI LUT


def test_window_functions(legacy: Page, three_d: Page, site: WebServer) -> None:
    values = [0, 200, 400, 500, 600, 1000]
    for words in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        image_id = put(
            site, f"f-{words}", columns(values),
            WindowCenter=500, WindowWidth=600, VOILUTFunction=words,
        )  # fmt: skip
        exact = ramp_of(values, 200, 800)
        if words == "SIGMOID":
            exact = (255 / (1 + np.exp(-4 * (np.array(values) - 500) / 600))).tolist()
        assert in_both(legacy, three_d, image_id, 6) == (near(exact), near(exact)), words


def test_window_of_width_one_is_a_threshold(three_d: Page, site: WebServer) -> None:
    image_id = put(site, "one", columns([8, 9, 10, 11]), WindowCenter=10, WindowWidth=1)
    assert in_3d(three_d, image_id, 4) == [0, 0, 255, 255]


def test_window_of_fractions_may_be_narrower_than_one(
    legacy: Page, three_d: Page, site: WebServer
) -> None:
    values = [0, 100, 200, 300, 400, 500]
    image_id = put(
        site, "narrow", columns(values), RescaleSlope="0.001", RescaleIntercept="0",
        WindowCenter="0.25", WindowWidth="0.5",
    )  # fmt: skip
    expected = near(ramp_of(values, 0, 500))
    assert in_both(legacy, three_d, image_id, 6) == (expected, expected)


def test_image_of_one_value_is_dark(legacy: Page, three_d: Page, site: WebServer) -> None:
    image_id = put(site, "constant", columns([7, 7]))
    assert in_both(legacy, three_d, image_id, 2) == ([0, 0], [0, 0])


def test_window_of_width_zero_is_none(legacy: Page, three_d: Page, site: WebServer) -> None:
    values = [0, 10, 20, 30]
    image_id = put(site, "zero", columns(values), WindowCenter=10, WindowWidth=0)
    expected = near(ramp_of(values, 0, 30))
    assert in_both(legacy, three_d, image_id, 4) == (expected, expected)


@pytest.mark.parametrize(
    ("bits", "entries"),
    [(8, [0, 255, 100, 50]), (12, [0, 1000, 2000, 500]), (16, [0, 65535, 30000, 10000])],
)
def test_voi_table_in_legacy_and_as_display_values_in_3d(
    legacy: Page, three_d: Page, site: WebServer, bits: int, entries: list[int]
) -> None:
    sequence = voi_table(entries, 9, bits)
    image_id = put(site, f"vlut-{bits}", columns([9, 10, 11, 12]), VOILUTSequence=sequence)
    expected = near([entry / (2**bits - 1) * 255 for entry in entries])
    assert in_legacy(legacy, image_id, 4) == expected
    found = three_d.evaluate(
        """async (id) => {
          detach();
          globalThis.detach = pyloader.use(cs, {displayValues: true});
          const canvas = await show3d([id]);
          const voi = cs.metaData.get('voiLutModule', id);
          detach();
          globalThis.detach = pyloader.use(cs);
          return [...canvas, cs.cache.getImage(id).dataType, voi.windowWidth];
        }""",
        image_id,
    )
    assert bars_of(found, 4) == expected
    assert found[4:] == ["Uint8Array", [256]]


# ------------------------------------------------------------------ PET and dose


def pet(**attributes: Any) -> dict[str, Any]:
    """Return the attributes of a PET slice whose SUV can be computed."""
    isotope = Dataset()
    isotope.RadionuclideTotalDose = 400e6
    isotope.RadionuclideHalfLife = 6588
    isotope.RadiopharmaceuticalStartTime = "100000"
    found = {
        "Modality": "PT",
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128",
        "Units": "BQML",
        "CorrectedImage": ["DECY", "ATTN"],
        "DecayCorrection": "START",
        "SeriesDate": "20200101",
        "SeriesTime": "110000",
        "AcquisitionDate": "20200101",
        "AcquisitionTime": "110500",
        "PatientWeight": 80,
        "PatientSize": 1.8,
        "PatientSex": "M",
        "RescaleIntercept": 0,
        "RadiopharmaceuticalInformationSequence": Sequence([isotope]),
    }
    return found | attributes


SUV = 80_000 / (400e6 * 2 ** (-3600 / 6588))
LEAN = 1.10 * 80 - 120 * (80 / 180) ** 2
SURFACE = 71.84 * 80**0.425 * 180**0.725


def test_pet_suv_in_a_stack(three_d: Page, site: WebServer) -> None:
    values = [0, 2000, 4000, 6000]
    attributes = pet(RescaleSlope=2, WindowCenter=5000, WindowWidth=10001)
    image_id = put(site, "pet", columns(values), **attributes)
    image, scaling, canvas = three_d.evaluate(
        """async (id) => {
          const image = await cs.imageLoader.loadAndCacheImage(id);
          const {dataType, preScale, windowCenter, windowWidth, minPixelValue, maxPixelValue} = image;
          const fields = {dataType, preScale, windowCenter, windowWidth, minPixelValue, maxPixelValue};
          return [fields, cs.metaData.get('scalingModule', id), await show3d([id])];
        }""",
        image_id,
    )
    assert scaling["suvbw"] == pytest.approx(SUV)
    assert scaling["suvlbm"] == pytest.approx(SUV * LEAN / 80)
    assert scaling["suvbsa"] == pytest.approx(SUV * SURFACE / 80_000)
    assert image["dataType"] == "Float32Array"
    assert image["maxPixelValue"] == pytest.approx(12000 * SUV, rel=1e-6)
    assert image["preScale"]["scalingParameters"]["suvbw"] == pytest.approx(SUV)
    assert image["windowWidth"] == pytest.approx(10000 * SUV)
    # Cornerstone3D shows PET in SUV from 0 to 5.
    assert bars_of(canvas, 4) == near(ramp_of([2 * each * SUV for each in values], 0, 5))


def test_pet_suv_in_a_volume_of_slices_with_slopes_of_their_own(
    three_d: Page, site: WebServer
) -> None:
    values = [0, 2000, 4000, 6000]
    plane = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1]}
    ids = [
        put(
            site, f"pet-{z}", columns(values),
            ImagePositionPatient=[0, 0, float(z)], SOPInstanceUID=f"1.2.4.{z}",
            **plane, **pet(RescaleSlope=slope, WindowCenter=5000, WindowWidth=10001),
        )
        for z, slope in enumerate((1, 2, 1.5))
    ]  # fmt: skip
    found = three_d.evaluate("(ids) => showVolume(ids)", ids)
    assert found[4:6] == ["Float32Array", "Float32Array"]
    assert found[6][::4] == pytest.approx([2 * each * SUV for each in values], rel=1e-6)
    assert found[7]["PT"]["suvbwToSuvlbm"] == pytest.approx(LEAN / 80)
    voi = found[3]
    assert [voi["lower"], voi["upper"]] == pytest.approx([-0.5 * SUV, 9999.5 * SUV], abs=1e-6)
    assert bars_of(found, 4) == near(
        ramp_of([2 * each * SUV for each in values], voi["lower"], voi["upper"])
    )


def test_pet_without_certain_suv_stays_activity(three_d: Page, site: WebServer) -> None:
    image_id = put(site, "pet-none", columns([0, 10]), **pet(PatientWeight=None, RescaleSlope=2))
    found = three_d.evaluate(
        """async (id) => {
          const {dataType, maxPixelValue, preScale} = await cs.imageLoader.loadAndCacheImage(id);
          return [dataType, maxPixelValue, preScale.scalingParameters.suvbw, cs.metaData.get('scalingModule', id)];
        }""",
        image_id,
    )
    assert found == ["Float32Array", 20, None, {}]


def test_suv_for_legacy_viewers_and_pages_that_ask_for_it(legacy: Page, site: WebServer) -> None:
    values = [0, 2000, 4000, 6000]
    image_id = put(site, "pet-legacy", columns(values), **pet(RescaleSlope=2))
    found = legacy.evaluate(
        """async (id) => {
          const {scaling, maxPixelValue} = await pyloader.loadImage(id);
          const preScale = {enabled: true, scalingParameters: {modality: 'PT', ...scaling}};
          const page = await pyloader.loadImage(id, {preScale});
          const image = await cornerstone.loadImage(id, {preScale});
          const {maxPixelValue: most, slope, intercept} = image;
          return [maxPixelValue, page.maxPixelValue, most * slope + intercept, scaling.suvbw, await show(image)];
        }""",
        image_id,
    )
    assert found[0] == 6000
    assert found[1:4] == pytest.approx([12000 * SUV, 12000 * SUV, SUV], rel=1e-6)
    assert bars_of(found[4], 4) == near(ramp_of(values, 0, 6000))


def test_rt_dose_is_scaled_by_its_grid(three_d: Page, site: WebServer) -> None:
    values = [0, 100_000, 200_000, 400_000]
    attributes = {
        "Modality": "RTDOSE",
        "DoseGridScaling": 1e-4,
        "DoseSummationType": "PLAN",
        "DoseType": "PHYSICAL",
        "DoseUnits": "GY",
    }
    image_id = put(site, "dose", columns(values, "u4"), **attributes)
    image, scaling, canvas = three_d.evaluate(
        """async (id) => {
          const {dataType, maxPixelValue} = await cs.imageLoader.loadAndCacheImage(id);
          return [[dataType, maxPixelValue], cs.metaData.get('scalingModule', id), await show3d([id])];
        }""",
        image_id,
    )
    assert image == ["Float32Array", pytest.approx(40)]
    assert (scaling["DoseGridScaling"], scaling["DoseUnit"]) == (1e-4, "GY")
    assert (scaling["DoseSummation"], scaling["DoseType"]) == ("PLAN", "PHYSICAL")
    assert bars_of(canvas, 4) == near(ramp_of(values, 0, 400_000))


# ------------------------------------------------------------------ wide values


def test_wide_integers_and_rgb16_in_both(legacy: Page, three_d: Page, site: WebServer) -> None:
    values = [0, 1_000_000, 2_000_000, 3_000_000_000]
    image_id = put(site, "wide-int", columns(values, "u4"))
    expected = near(ramp_of(values, 0, 3_000_000_000))
    assert in_both(legacy, three_d, image_id, 4) == (expected, expected)
    wide = np.stack([columns([0, 1000, 2000, 4095])] * 3, axis=-1)
    image_id = put(site, "rgb16", wide, BitsStored=12)
    expected = near([0, 1000 / 16, 2000 / 16, 255])
    assert in_both(legacy, three_d, image_id, 4) == (expected, expected)


# ------------------------------------------------------------------ calibration, instances


def test_whole_instances_for_viewers_that_compute_from_them(three_d: Page, site: WebServer) -> None:
    image_id = put(site, "instance", columns([0, 1]), PatientName="Doe^Jane")
    seen, known = three_d.evaluate(
        """async (id) => {
          const seen = [];
          const metaData = {addProvider: () => {}, removeProvider: () => {}, getMetaData: (...parts) => seen.push(parts)};
          const viewer = {imageLoader: {registerImageLoader: () => {}}, eventTarget: new EventTarget(), triggerEvent: () => {}, metaData};
          const letGo = pyloader.use(viewer, {instances: true});
          await pyloader.addMetadata([id]);
          letGo();
          return [seen, cs.metaData.get('instance', id)];
        }""",
        image_id,
    )
    (((kind, of, options),)) = seen
    assert (kind, of) == ("naturalizedAdd", image_id)
    assert options["dicomwebJson"]["00100010"]["Value"] == [{"Alphabetic": "Doe^Jane"}]
    assert (known["Modality"], known["Rows"]) == ("CT", SIZE)


def test_what_the_user_calibrates_counts_more_than_the_file(three_d: Page, site: WebServer) -> None:
    found = three_d.evaluate(
        """async (id) => {
          await cs.imageLoader.loadAndCacheImage(id);
          const before = cs.metaData.get('calibratedPixelSpacing', id);
          const {calibratedPixelSpacingMetadataProvider: provider} = cs.utilities;
          cs.metaData.addProvider(provider.get);
          provider.add(id, {scale: 2, type: 'User'});
          return [before, cs.metaData.get('calibratedPixelSpacing', id)];
        }""",
        put(site, "calibrated", columns([0, 1]), PixelSpacing=[0.5, 0.5]),
    )
    assert found[1] == {"scale": 2, "type": "User"}
