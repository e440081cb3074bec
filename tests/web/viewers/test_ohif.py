"""An unmodified OHIF with pyloader's extension: what its users do, and whose pixels they see."""

from __future__ import annotations

import json
import re
import shutil
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest
from imagecodecs import png_decode
from playwright.sync_api import Browser, Page, Playwright, Route, expect
from pydicom.dataset import Dataset

from tests.support import studies
from tests.support.made_encodings import JPEG_XL_LOSSLESS
from tests.support.npm import ROOT
from tests.support.ohif import ENTRY, SIGNED_IN, Ohif, app
from tests.support.orthanc import NEEDED, Orthanc, is_installed
from tests.support.pages import DIST, launch
from tests.support.studies import Study

pytestmark = pytest.mark.skipif(not is_installed(), reason=NEEDED)
STUDIES = {
    "CT": studies.ct(),
    "MR": studies.mr(),
    "colour ultrasound": studies.ultrasound(),
    "enhanced multi-frame": studies.enhanced_mr(),
    "PET": studies.pet(),
    "JPEG XL": studies.ct(6, 3, JPEG_XL_LOSSLESS),
}
CT = STUDIES["CT"]
TYPES = {"colour ultrasound": "Uint8Array", "PET": "Float32Array"}
# From the injection to the series, in seconds.
UPTAKE = 3600
# OHIF's tour of its tools lies over them until a visitor has seen it.
TOUR_SEEN = "localStorage.setItem('shownTours', JSON.stringify(['basicViewerTour']))"
SCRIPT = (Path(__file__).parent / "page.js").read_text()
WAIT_MS = 30_000
FIRST_TOKEN = "window.token = 'first'"
Open = Callable[..., Page]
LONG = pytest.mark.long
MISSING = ["ohif.mjs", "pyloader.mjs", "worker.mjs", "pyodide.asm.wasm", "pyodide.asm.js"]


def some_long(names: Iterable[str], *long: str) -> list[Any]:
    """Return the values of a parameter, of which a usual run leaves some out."""
    return [pytest.param(name, marks=[LONG] if name in long else []) for name in names]


@pytest.fixture(scope="module")
def orthanc() -> Iterator[Orthanc]:
    """Run Orthanc with the studies, and a segmentation of the CT."""
    server = Orthanc()
    server.start()
    files = [body for study in STUDIES.values() for body in study.files]
    assert server.fill([*files, studies.segmentation(CT)]) == []
    yield server
    server.stop()


@pytest.fixture(scope="module")
def files() -> Path:
    """Return the folder of OHIF's files."""
    return app()


@pytest.fixture(scope="module")
def ohif(orthanc: Orthanc, files: Path) -> Iterator[Ohif]:
    """Serve OHIF, with pyloader beside it."""
    with serving(Ohif(orthanc, files)) as site:
        yield site


@pytest.fixture
def other(ohif: Ohif) -> Iterator[Ohif]:
    """Serve another origin with the same images."""
    with serving(Ohif(ohif.orthanc, ohif.files)) as site:
        yield site


@contextmanager
def serving(site: Ohif) -> Iterator[Ohif]:
    """Serve while a test needs it."""
    site.start()
    try:
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Start a whole Chromium, which draws WebGL in software."""
    software = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
    browser = launch(playwright.chromium, *software, is_whole=True)
    yield browser
    browser.close()


@pytest.fixture
def open_app(ohif: Ohif, chromium: Browser) -> Iterator[Open]:
    """Return a function that opens an address of OHIF, as a visitor who was never there."""
    contexts = []

    def open_app(
        path: str = "", *entries: str, root: str = "", site: Ohif = ohif, script: str = ""
    ) -> Page:
        site.configure(*entries, root=root)
        context = chromium.new_context(viewport={"width": 1300, "height": 850})
        context.set_default_timeout(WAIT_MS)
        for each in (TOUR_SEEN, SCRIPT, script):
            context.add_init_script(each)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{site.url}/{path}")
        return page

    yield open_app
    ohif.require()
    for context in contexts:
        context.close()


def viewer(study: Study, further: str = "") -> str:
    """Return the address of a study in the viewer."""
    return f"viewer?StudyInstanceUIDs={study.uid}{further}"


def seen(page: Page, gives_pixels: bool = False) -> list[dict[str, Any]]:
    """Return the images of the page's viewports when all are there, pixels as arrays."""
    page.wait_for_function("asked.areAllThere()")
    found = page.evaluate("(givesPixels) => asked.seen(givesPixels)", gives_pixels)
    for image in found if gives_pixels else ():
        dtype = np.dtype(image["type"].removesuffix("Array").lower())
        image["pixels"] = np.frombuffer(b64decode(image["pixels"]), dtype)
    return found


def are_ours(images: list[dict[str, Any]]) -> bool:
    """Tell whether pyloader made all of some images."""
    return bool(images) and all(image["isOurs"] for image in images)


def load(page: Page, image_id: str) -> dict[str, Any]:
    """Load an image by the page's Cornerstone."""
    return page.evaluate("(imageId) => asked.load(imageId)", image_id)


def expected_pixels(name: str) -> list[np.ndarray]:
    """Return what each image of a study holds as it is delivered, computed here."""
    study = STUDIES[name]
    if study.pixels.dtype == np.int16 and name != "PET":
        return [each - 1024.0 for each in study.pixels]
    if name != "PET":
        return [each.astype(float) for each in study.pixels]
    dose = studies.DOSE * 2 ** (-UPTAKE / studies.HALF_LIFE)
    slopes = [2.5 + index / 8 for index in range(len(study.pixels))]
    grams = studies.WEIGHT * 1000
    return [each * slope * grams / dose for each, slope in zip(study.pixels, slopes, strict=True)]


def index_of(image_id: str) -> int:
    """Return which image of its study an imageId means, counted from 0."""
    instance, _, frame = image_id.partition("/frames/")
    return max(int(instance.rpartition(".")[2]), int(frame)) - 1


def id_of(study: Study, number: int) -> str:
    """Return the imageId of an instance as OHIF writes it."""
    series = f"/dicom-web/studies/{study.uid}/series/{study.uid}.1"
    return f"wadors:{series}/instances/{study.uid}.1.{number}/frames/1"


def test_the_documented_entry_is_the_one_that_is_tested():
    def words(text: str) -> str:
        return "".join(text.split())

    assert words(ENTRY) in words((ROOT / "web/docs/ohif.md").read_text())


# ------------------------------------------------------------------ whose pixels


@pytest.mark.parametrize("name", some_long(STUDIES, "MR"))
def test_images_are_asked_for_and_decoded_by_pyloader(open_app: Open, name: str):
    page = open_app(viewer(STUDIES[name]), ENTRY)
    found = seen(page, gives_pixels=True)
    assert are_ours(found)
    assert page.evaluate("asked.requestsOfPage()") == 0
    assert {image["type"] for image in found} == {TYPES.get(name, "Int16Array")}
    expected = expected_pixels(name)
    assert len(found) == len(expected)
    for image in found:
        wanted = expected[index_of(image["imageId"])].reshape(-1)
        bound = 6 if name == "colour ultrasound" else 1e-6 * np.abs(wanted).max()
        assert np.abs(image["pixels"] - wanted).max() <= bound


@pytest.mark.parametrize("name", some_long(["PET", "CT"], "CT"))
def test_own_loader_gives_the_same_values(open_app: Open, name: str):
    """SUV and Hounsfield units; and without the extension the page asks for pixels itself."""
    page = open_app(viewer(STUDIES[name]))
    found = seen(page, gives_pixels=True)
    assert not any(image["isOurs"] for image in found)
    assert page.evaluate("asked.requestsOfPage()") >= len(found)
    expected = expected_pixels(name)
    for image in found:
        wanted = expected[index_of(image["imageId"])].reshape(-1)
        assert np.allclose(image["pixels"], wanted, rtol=1e-4)


def test_picture_is_that_of_its_window(open_app: Open):
    page = open_app(viewer(CT), ENTRY)
    seen(page)
    page.wait_for_timeout(500)
    drawn = png_decode(page.screenshot())

    def color_at(x: int, y: int) -> list[int]:
        left, top = page.evaluate("(place) => asked.placeOf(place)", [x, y])
        return drawn[round(top), round(left), :3].tolist()

    assert color_at(128, 30) == [0, 0, 0], "air"
    assert color_at(90, 115) == [255, 255, 255], "vessel"
    assert color_at(166, 128) == [0, 0, 0], "lung"
    assert all(abs(value - 128) < 16 for value in color_at(128, 190)), "tissue"


# ------------------------------------------------------------------ what its users do


def test_from_the_study_list_to_the_viewer_and_again(open_app: Open):
    page = open_app("", ENTRY)
    for _ in range(2):
        page.get_by_text("TEST, CT1").first.dblclick()
        assert len(seen(page)) == len(CT.files)
        assert are_ours(seen(page))
        page.locator('[data-cy="return-to-work-list"]').click()
        expect(page.get_by_text("TEST, CT1").first).to_be_visible()
    page.evaluate("asked.forget()")
    starts = page.evaluate("(imageId) => asked.countStarts(imageId)", id_of(CT, 1))
    assert starts == 1, "it was connected once"


def test_scroll_presets_thumbnails_and_length(open_app: Open):
    page = open_app(viewer(CT), ENTRY)
    seen(page)
    page.wait_for_timeout(500)
    thumbnail = page.locator('[data-cy="study-browser-thumbnail"] img')
    expect(thumbnail).to_have_attribute("src", re.compile("^(data|blob):"))
    page.mouse.move(*page.evaluate("asked.placeOf([128, 128])"))
    for _ in range(3):
        page.mouse.wheel(0, 100)
        page.wait_for_timeout(100)
    assert page.evaluate("asked.viewports()[0].getCurrentImageIdIndex()") == 3
    page.keyboard.press("2")  # the preset for lungs
    page.wait_for_function("asked.viewports()[0].getProperties().voiRange.lower < -1000")
    page.locator('[data-cy="MeasurementTools-split-button-primary"]').click()
    first, last = (page.evaluate(f"asked.placeOf([{x}, 128])") for x in (64, 192))
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(*last, steps=5)
    page.mouse.up()
    page.wait_for_timeout(500)
    ((length, unit),) = page.evaluate("asked.lengths()")
    assert unit == "mm"
    assert length == pytest.approx(128 * studies.SPACING, abs=1)


def test_cine_of_a_colour_ultrasound(open_app: Open):
    page = open_app(viewer(STUDIES["colour ultrasound"]), ENTRY)
    seen(page)
    page.locator('[data-cy="cine-player-play-pause"]').click()
    indices = set()
    for _ in range(12):
        indices.add(page.evaluate("asked.viewports()[0].getCurrentImageIdIndex()"))
        page.wait_for_timeout(90)
    assert len(indices) > 3


def test_mpr_is_a_volume_of_16_bits(open_app: Open):
    page = open_app(viewer(CT, "&hangingprotocolId=mpr"), ENTRY)
    page.wait_for_function("window.cornerstone?.cache.getVolumes()[0]?.loadStatus?.loaded === true")
    found = page.evaluate("asked.volume()")
    assert found["dimensions"] == [studies.SIZE, studies.SIZE, len(CT.files)]
    assert (found["type"], found["areOurs"], found["planes"]) == ("Int16Array", True, 3)
    values = np.frombuffer(b64decode(found["values"]), "i2").reshape(CT.pixels.shape)
    assert np.array_equal(values, CT.pixels - 1024)


def test_segmentation_lies_over_its_ct(open_app: Open):
    page = open_app(viewer(CT), ENTRY)
    seen(page)
    page.get_by_text("vessel").first.dblclick()
    page.get_by_text("Yes", exact=True).click()
    segmentations = "window.cornerstoneTools.segmentation.state.getSegmentations()"
    page.wait_for_function(f"{segmentations}.length === 1")
    page.wait_for_timeout(1500)
    wanted = (CT.pixels > 1024 + 200).sum(axis=(1, 2)).tolist()
    assert sorted(page.evaluate("asked.segmented()")) == sorted(wanted)
    assert are_ours([image for image in seen(page) if "/frames/" in image["imageId"]])


def test_study_of_dicomjson(open_app: Open, ohif: Ohif):
    (ohif.folder / "json/ct.json").write_text(json.dumps(study_in_json(ohif)))
    page = open_app(f"viewer/dicomjson?url={ohif.url}/json/ct.json", ENTRY)
    found = seen(page, gives_pixels=True)
    assert len(found) == 3
    assert are_ours(found)
    expected = {(CT.pixels[index] - 1024).tobytes() for index in range(3)}
    assert {image["pixels"].tobytes() for image in found} == expected


def study_in_json(ohif: Ohif) -> dict[str, Any]:
    """Return the first images of the CT as OHIF's data source of JSON reads them."""
    address = f"{ohif.orthanc.dicomweb}/studies/{CT.uid}/series/{CT.uid}.1/metadata"
    with urlopen(address) as answer:
        rows = [Dataset.from_json(row) for row in json.load(answer)]
    instances = [
        {"metadata": plain_attributes(row), "url": f"dicomweb:{ohif.url}{wado(row)}"}
        for row in sorted(rows, key=lambda row: row.InstanceNumber)[:3]
    ]
    series = {"SeriesInstanceUID": f"{CT.uid}.1", "Modality": "CT", "SeriesNumber": 1}
    series |= {"SeriesDescription": "CT", "instances": instances}
    study = {"StudyInstanceUID": CT.uid, "StudyDate": "20260102", "StudyTime": "101112"}
    study |= {
        "PatientName": "TEST^JSON",
        "PatientID": "J",
        "AccessionNumber": "",
        "Modalities": "CT",
    }
    return {"studies": [study | {"NumInstances": 3, "series": [series]}]}


def plain_attributes(dataset: Dataset) -> dict[str, Any]:
    """Return attributes by keyword, as plain JSON."""
    elements = [element for element in dataset if element.keyword and element.VR != "SQ"]
    return {element.keyword: plain(element.value) for element in elements if element.value != ""}


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, int | float):
        return float(value)
    if hasattr(value, "__iter__") and not isinstance(value, str):
        return [plain(each) for each in value]
    return float(value) if hasattr(value, "as_tuple") else str(value)


def wado(dataset: Dataset) -> str:
    """Return the address of an instance by WADO-URI."""
    names = {"studyUID": "Study", "seriesUID": "Series", "objectUID": "SOP"}
    query = "".join(
        f"&{name}={dataset[f'{part}InstanceUID'].value}" for name, part in names.items()
    )
    return f"/wado?requestType=WADO&contentType=application/dicom{query}"


# ------------------------------------------------------------------ log-in, servers, local files


def test_token_that_is_renewed_in_the_middle_of_a_series(open_app: Open, ohif: Ohif):
    ohif.require("first")
    page = open_app(viewer(CT), SIGNED_IN, ENTRY, script=FIRST_TOKEN)
    assert are_ours(seen(page))
    ohif.require("second")
    ohif.forget()
    page.evaluate("asked.forget()")
    page.evaluate("() => void setTimeout(() => { window.token = 'second'; }, 1000)")
    found = page.evaluate(
        "(ids) => Promise.all(ids.map(asked.load))", [id_of(CT, number) for number in range(1, 9)]
    )
    assert found == [{"length": studies.SIZE**2, "isOurs": True}] * 8
    frames = [each for each in ohif.log() if "instances" in each["path"]]
    answers = {(each["status"], each["authorization"]) for each in frames}
    assert answers == {(401, "Bearer first"), (200, "Bearer second")}


@LONG
def test_token_that_is_refused_and_not_renewed_is_an_error(open_app: Open, ohif: Ohif):
    page = open_app(viewer(CT), SIGNED_IN, ENTRY, script=FIRST_TOKEN)
    assert are_ours(seen(page))
    ohif.require("another")
    page.evaluate("asked.forget()")
    found = load(page, id_of(CT, 1))
    assert (found["code"], found["status"]) == ("http-status", 401)
    assert "first" not in found["message"]


def test_data_source_of_another_origin_has_the_token(open_app: Open, other: Ohif):
    other.require("first")
    page = open_app(viewer(CT), SIGNED_IN, ENTRY, root=other.url, script=FIRST_TOKEN)
    assert are_ours(seen(page))
    frames = [each for each in other.log() if "/frames/" in each["path"]]
    assert len(frames) >= len(CT.files)
    assert {each["status"] for each in frames if each["authorization"]} == {200}


def wado_of_ct(site: Ohif) -> str:
    """Return an imageId that asks a site for the first image of the CT by WADO-URI."""
    row = Dataset()
    row.StudyInstanceUID, row.SeriesInstanceUID = CT.uid, f"{CT.uid}.1"
    row.SOPInstanceUID = f"{CT.uid}.1.1"
    return f"wadouri:{site.url}{wado(row)}"


def test_server_that_is_named_has_the_token(open_app: Open, other: Ohif):
    other.require("first")
    options = json.dumps({"origins": [other.url], "workers": 1})
    entry = ENTRY.replace("=> pyloader.default", f"=> [pyloader.default, {options}]")
    page = open_app(viewer(CT), SIGNED_IN, entry, script=FIRST_TOKEN)
    assert are_ours(seen(page))
    assert load(page, wado_of_ct(other)) == {"length": studies.SIZE**2, "isOurs": True}
    assert page.evaluate("asked.workers()") == 1


def test_server_that_is_no_data_source_gets_no_token(open_app: Open, other: Ohif):
    other.require("first")
    page = open_app(viewer(CT), SIGNED_IN, ENTRY, script=FIRST_TOKEN)
    seen(page)
    found = load(page, wado_of_ct(other))
    asked = [each for each in other.log() if each["path"].startswith("/wado")]
    assert asked
    assert not any(each["authorization"] for each in asked)
    assert "origins" in found["message"], "it says how to name the server"


def test_local_files_stay_with_ohif(open_app: Open, tmp_path: Path):
    paths = [tmp_path / f"{index}.dcm" for index in range(3)]
    for path, body in zip(paths, studies.ct(8, 3, "native").files, strict=True):
        path.write_bytes(body)
    page = open_app(viewer(CT), ENTRY)
    assert are_ours(seen(page))
    # As a link of the app leads there, while all that was loaded stays.
    page.evaluate("history.pushState({}, '', '/local')")
    page.evaluate("dispatchEvent(new PopStateEvent('popstate', { state: {} }))")
    page.locator("input[type=file]").first.set_input_files(paths)
    page.get_by_text("TEST, CT8").first.dblclick()
    found = seen(page)
    assert len(found) == 3
    assert all(image["imageId"].startswith("dicomfile:") for image in found)
    assert not any(image["isOurs"] for image in found)


# ------------------------------------------------------------------ where pyloader cannot start


@pytest.mark.parametrize("missing", some_long(MISSING, "pyloader.mjs", "pyodide.asm.js"))
def test_ohif_works_where_a_file_is_missing(
    open_app: Open, ohif: Ohif, tmp_path: Path, missing: str
):
    folder = tmp_path / "dist"
    shutil.copytree(DIST, folder, ignore=lambda _, names: {missing} & {*names})
    with serving(Ohif(ohif.orthanc, ohif.files, folder)) as site:
        page = open_app("", ENTRY, site=site)
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        page.goto(f"{site.url}/{viewer(CT)}")
        found = seen(page)
        assert len(found) == len(CT.files)
        assert not any(image["isOurs"] for image in found)
        assert any("pyloader" in text for text in told)
        if missing not in ("ohif.mjs", "pyloader.mjs"):
            expect(page.get_by_text("pyloader is not used")).to_be_visible()


def test_extension_that_is_entered_twice_is_one(open_app: Open):
    page = open_app(viewer(CT), ENTRY, ENTRY)
    assert are_ours(seen(page))
    assert (
        page.evaluate(
            "(imageId) => asked.forget().then(() => asked.countStarts(imageId))", id_of(CT, 1)
        )
        == 1
    )


def test_start_that_fails_late_gives_ohif_its_loaders_back(open_app: Open):
    """OHIF is connected, and asks for images, when Python turns out not to start."""
    page = open_app("local", ENTRY)
    held: list[Route] = []
    page.context.route(re.compile("asm.wasm"), lambda route: held.append(route))
    page.goto(page.url.replace("local", viewer(CT)))
    page.wait_for_function("asked.imageIds().length > 0")
    page.context.route(re.compile("asm.wasm"), lambda route: route.fulfill(status=404))
    assert held
    for route in held:
        route.fulfill(status=404)
    expect(page.get_by_text("pyloader is not used")).to_be_visible()
    assert not any(image["isOurs"] for image in seen(page))
    # The next visit tries again.
    page.context.unroute_all()
    page.reload()
    assert are_ours(seen(page))
