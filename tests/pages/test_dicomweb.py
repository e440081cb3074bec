"""DICOMweb in Chromium: Orthanc behind nginx, and a strict server of our own, on other origins.

Pixels are compared with those of the same file over ``wadouri:`` and ``dicomfile:``, which
`test_corpus` compares with independent decoders.
"""

from __future__ import annotations

import json
import warnings
from io import BytesIO

import numpy as np
import pytest
from playwright.sync_api import Page
from pydicom import dcmread
from pydicom.uid import HTJ2KLossless, generate_uid

from tests.support import builders, corpus
from tests.support.dicomweb.client import COLOR, CT, Served
from tests.support.dicomweb.quirks import QUIRKS
from tests.support.orthanc import Orthanc
from tests.support.pages.outcome import fail, load
from tests.support.pages.viewers import ELEMENT, THREE_D
from tests.support.webserver import WebServer

# Implicit VR under a JPEG transfer syntax: Orthanc does not store it.
REFUSED_BY_ORTHANC = {"SC_rgb_jpeg.dcm"}


def frames_of(name: str) -> int:
    """Return how many frames a file of the corpus has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(corpus.DATA / name, stop_before_pixels=True, force=True)
        found = str(dataset.get("NumberOfFrames") or 1)
    return int(found) if found.isdigit() else 1  # badVR.dcm has "1A"


@pytest.mark.parametrize("name", corpus.images())
def test_three_schemes_are_one(page: Page, orthanc: Orthanc, name: str) -> None:
    """The first and the last frame over `wadors:`, `wadouri:` (WADO-URI) and `dicomfile:`."""
    if name in REFUSED_BY_ORTHANC:
        assert name not in orthanc.instances
        return
    study, series, instance = orthanc.instances[name]
    wado = f"wadouri:{orthanc.wado}?requestType=WADO&studyUID={study}&seriesUID={series}&objectUID={instance}&contentType=application/dicom"
    address = f"{orthanc.dicomweb}/studies/{study}/series/{series}/instances/{instance}"
    last = frames_of(name)
    found = page.evaluate(
        """async ([address, wado, url, last]) => {
          const file = await addFileOf(url);
          const sources = [(n) => `wadors:${address}/frames/${n}`, (n) => `${wado}&frame=${n}`, (n) => `${file}?frame=${n}`];
          const found = await Promise.all([...new Set([1, last])].map((n) => digests(sources.map((imageId) => imageId(n)))));
          pyloader.removeFile(file);
          pyloader.purge();
          return found;
        }""",
        [address, wado, f"/corpus/{name}", last],
    )
    for digests in found:
        assert len(set(digests)) == 1, digests
        assert "Array" in digests[0]


@pytest.mark.parametrize("name", ["CT_small.dcm", "examples_ybr_color.dcm", "htj2k"])
def test_strict_server(
    page: Page, site: WebServer, served: Served, served_files, name: str
) -> None:
    path = site.put(f"/made/{name}", served_files[name])
    sop = served.paths[name].rpartition("/")[2]
    count = int(dcmread(BytesIO(served_files[name])).get("NumberOfFrames") or 1)
    found = page.evaluate(
        """async ([address, file, url, count]) => {
          const own = await addFileOf(url);
          const numbers = Array.from({length: count}, (_, index) => index + 1);
          const all = [(n) => `wadors:${address}/frames/${n}`, (n) => `wadouri:${file}?frame=${n}`, (n) => `${own}?frame=${n}`];
          return Promise.all(all.map((imageId) => digests(numbers.map(imageId))));
        }""",
        [served.at(name), f"{served.server.url}/files/{sop}.dcm", path, count],
    )
    assert found[0] == found[1] == found[2]
    assert all("Array" in digest for digest in found[0])


def test_frames_are_right_where_the_server_mislabels_them(
    page: Page, site: WebServer, orthanc: Orthanc
) -> None:
    """Orthanc gives HTJ2K as it is, and calls it uncompressed."""
    body, pixels = builders.grey_file(HTJ2KLossless)
    dataset = dcmread(BytesIO(body))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    assert orthanc.fill([builders.part10(dataset, HTJ2KLossless)]) == []
    image = load(
        page,
        f"wadors:{orthanc.dicomweb}/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}/instances/{dataset.SOPInstanceUID}/frames/1",
    )
    assert np.array_equal(image["pixels"], pixels)
    assert image["transferSyntaxUID"] == HTJ2KLossless
    assert "labelled the frame Explicit VR Little Endian" in image["warnings"][0]


# What each quirk of the server comes to, where that is not the image.
REFUSED = {
    "bad-json": "format",
    "cut": "network",
    "empty": "format",
    "empty-204": "format",
    "extra-text": "format",
    "html": "format",
    "json-200": "format",
    "json-error": "http-status",
    "login": "http-status",
    "never": "network",
    "token": "http-status",
}


@pytest.mark.parametrize("quirk", QUIRKS)
def test_quirk(open_quirky: Page, served: Served, served_files, quirk: str) -> None:
    """Three frames of a JPEG file and their metadata, from a server with one fault.

    With other bytes in it a JPEG would be refused: that fault is tried on a native frame.
    """
    name, frames = (CT, [1]) if quirk == "boundary-inside" else (COLOR, [1, 2, 3])
    address = served.at(name).replace("/dicomweb/", f"/quirk/{quirk}/dicomweb/")
    good, found = open_quirky.evaluate(
        """async ([good, bad, frames]) => {
          const ids = (address) => frames.map((n) => `wadors:${address}/frames/${n}`);
          return [await digests(ids(good)), await digests(ids(bad))];
        }""",
        [served.at(name), address, frames],
    )
    if quirk in REFUSED:
        assert {text.partition(":")[0] for text in found} == {REFUSED[quirk]}, found
    elif quirk in ("no-star", "boundary-inside"):  # decoded by the server; with other bytes in them
        assert [text.split()[:4] for text in found] == [text.split()[:4] for text in good]
    else:
        assert found == good


@pytest.fixture(scope="module")
def open_quirky(site: WebServer, browser) -> Page:
    """Return a page that does not wait long for a server that is silent."""
    from tests.support.pages import prepare

    page = browser.new_context().new_page()
    prepare(page, f"{site.url}/blank.html")
    page.add_script_tag(url="/pyloader.js")
    page.evaluate("pyloader.init({workers: 1, requestTimeout: 1500, retries: 2, timeout: 20_000})")
    return page


def test_first_frame_does_not_wait_for_the_last(page: Page, served: Served) -> None:
    """Frames that come together are handed on one by one."""
    address = served.at(COLOR).replace("/dicomweb/", "/quirk/drip/dicomweb/")
    times = page.evaluate(
        """async (address) => {
          await pyloader.loadMetadata(`wadors:${address}/frames/1`);
          const started = performance.now();
          const ids = Array.from({length: 30}, (_, index) => `wadors:${address}/frames/${index + 1}`);
          return Promise.all(ids.map((id) => pyloader.loadImage(id).then(() => performance.now() - started)));
        }""",
        address,
    )
    assert len([seen for seen in served.server.log if "/frames/" in seen.path]) == 1
    assert times[0] < times[-1] / 2


# ------------------------------------------------------------------ metadata


def test_metadata_of_a_series_are_fetched_once(open_page, served: Served) -> None:
    page = open_page()
    page.evaluate(
        """async (address) => {
          await pyloader.init({workers: 2});
          await digests(Array.from({length: 30}, (_, index) => `wadors:${address}/frames/${index + 1}`));
        }""",
        served.at(COLOR),
    )
    served.server.settle()
    paths = [seen.path for seen in served.server.log]
    assert len([path for path in paths if path.endswith("/metadata")]) == 1
    assert len(paths) == 2


def test_metadata_that_the_page_gives(open_page, served: Served, served_files) -> None:
    page = open_page()
    dataset = dcmread(BytesIO(served_files[CT]))
    del dataset.PixelData
    found = page.evaluate(
        """async ([imageId, json]) => {
          await pyloader.addMetadata({[imageId]: JSON.parse(json)});
          const before = pyloader.metaData('imagePlaneModule', imageId).pixelSpacing;
          return [before, (await pyloader.loadImage(imageId)).rows];
        }""",
        [f"wadors:{served.at(CT)}/frames/1", json.dumps(dataset.to_json_dict())],
    )
    assert found == [[pytest.approx(0.661468), pytest.approx(0.661468)], 128]
    served.server.settle()
    assert [seen.path.rpartition("/")[2] for seen in served.server.log] == ["1"]


@pytest.mark.parametrize("kind", ["modules", "instance"])
def test_metadata_of_the_viewers_own_providers(open_page, served: Served, kind: str) -> None:
    page = open_page()
    page.set_content(ELEMENT)
    page.add_script_tag(content=THREE_D)
    page.evaluate("start()")
    found = page.evaluate(
        """async ([imageId, kind]) => {
          const modules = {
            imagePixelModule: {rows: 128, columns: 128, samplesPerPixel: 1, photometricInterpretation: 'MONOCHROME2', bitsAllocated: 16, bitsStored: 16, highBit: 15, pixelRepresentation: 1},
            modalityLutModule: {rescaleSlope: 1, rescaleIntercept: -1024},
            imagePlaneModule: {pixelSpacing: [0.5, 0.5], imagePositionPatient: [1, 2, 3], imageOrientationPatient: [1, 0, 0, 0, 1, 0]},
          };
          const instance = {Rows: 128, Columns: 128, SamplesPerPixel: 1, PhotometricInterpretation: 'MONOCHROME2', BitsAllocated: 16, BitsStored: 16, HighBit: 15, PixelRepresentation: 1, RescaleSlope: 1, RescaleIntercept: -1024, PixelSpacing: [0.5, 0.5], _vrMap: {}};
          cs.metaData.addProvider((type, id) => id === imageId ? (kind === 'modules' ? modules[type] : type === 'instance' ? instance : undefined) : undefined, 10);
          const image = await cs.imageLoader.loadAndCacheImage(imageId);
          return [image.rows, image.minPixelValue, image.maxPixelValue, image.rowPixelSpacing];
        }""",
        [f"wadors:{served.at(CT)}/frames/1", kind],
    )
    assert found == [128, -896, 1167, 0.5]
    served.server.settle()
    assert [seen.path.rpartition("/")[2] for seen in served.server.log] == ["1"]


def test_palette_and_overlay_are_bulk_data(page: Page, orthanc: Orthanc) -> None:
    study, series, instance = orthanc.instances["examples_overlay.dcm"]
    image_id = (
        f"wadors:{orthanc.dicomweb}/studies/{study}/series/{series}/instances/{instance}/frames/1"
    )
    found = page.evaluate(
        """async (id) => {
          await pyloader.loadImage(id);
          const {overlays} = pyloader.metaData('overlayPlaneModule', id);
          return [overlays.length, overlays[0].rows, overlays[0].pixelData.some((bit) => bit)];
        }""",
        image_id,
    )
    assert found[0] >= 1
    assert found[2] is True


# ------------------------------------------------------------------ a service


def test_open_a_series_in_three_lines(open_page, orthanc: Orthanc, site: WebServer) -> None:
    """A series of 40 slices, stored in no order, comes sorted by position."""
    page = open_page()
    slices = [site.find(f"/samples/volume/slice-{number:02}.dcm") for number in range(1, 41)]
    shuffled = [slices[(7 * index) % 40] for index in range(40)]
    orthanc.fill(shuffled)
    uids = dcmread(BytesIO(slices[0]))
    found = page.evaluate(
        """async ([base, study, series]) => {
          const server = pyloader.dicomweb(base);
          const imageIds = await server.imageIds(study, series);
          await pyloader.addMetadata(imageIds);
          const places = imageIds.map((id) => pyloader.metaData('imagePlaneModule', id).imagePositionPatient[2]);
          return [imageIds.length, places, await digests([imageIds[20]])];
        }""",
        [orthanc.dicomweb, uids.StudyInstanceUID, uids.SeriesInstanceUID],
    )
    assert found[0] == 40
    assert found[1] == sorted(found[1]) or found[1] == sorted(found[1], reverse=True)
    assert len(set(found[1])) == 40
    assert found[2][0].startswith("Int16Array 256 256 1")


def test_searches(page: Page, orthanc: Orthanc) -> None:
    study, series, _ = orthanc.instances["CT_small.dcm"]
    found = page.evaluate(
        """async ([base, study, series]) => {
          const server = pyloader.dicomweb(`${base}/`);
          return [
            await server.searchStudies({patientName: 'Compressed*^CT1', StudyInstanceUID: study}, {limit: 1}),
            await server.searchSeries(study, {modality: 'CT'}),
            await server.searchInstances(study, series),
            await server.searchStudies({patientID: 'nobody-has-this'}),
          ];
        }""",
        [orthanc.dicomweb, study, series],
    )
    studies, all_series, instances, nothing = found
    assert studies[0]["studyInstanceUID"] == study
    assert studies[0]["patientName"] == "CompressedSamples^CT1"
    assert "CT" in studies[0]["modalitiesInStudy"]
    assert [each["seriesInstanceUID"] for each in all_series] == [series]
    assert len(instances) == 1
    assert nothing == []


def test_service_without_the_series(page: Page, served: Served) -> None:
    found = page.evaluate(
        "(base) => pyloader.dicomweb(base).imageIds('1.2', '3.4').then(() => null, describeError)",
        served.server.dicomweb,
    )
    assert found["code"] in ("format", "http-status")
    assert "/studies/1.2/series/3.4" in found["message"]


def test_frame_that_is_not_there(page: Page, served: Served) -> None:
    error = fail(page, f"wadors:{served.at(COLOR)}/frames/99")
    assert (error["code"], error["stage"]) == ("image-id", "dispatch")
    assert "frame 99 was asked for, but the instance has 30" in error["message"]
    served.server.settle()
    assert not [seen for seen in served.server.log if "/frames/" in seen.path]


def test_address_that_is_no_instance(page: Page) -> None:
    error = fail(page, "wadors:/studies/1.2/frames/1")
    assert error["code"] == "image-id"
    assert "not an instance of a DICOMweb service" in error["message"]
