"""Requests of every scheme have identity, retries, cancel, ranges, order and reports."""

from __future__ import annotations

import mimetypes
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, Route
from pydicom.encaps import encapsulate_extended
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless

from tests.support import builders
from tests.support.dicomweb.client import COLOR, CT, Served, file_of
from tests.support.dicomweb.large import COLUMNS, ROWS, put_native
from tests.support.orthanc import Orthanc
from tests.support.pages import prepare
from tests.support.pages.outcome import fail, with_pixels
from tests.support.pages.viewers import ELEMENT, THREE_D
from tests.support.webserver import WebServer

FRAME_BYTES = ROWS * COLUMNS * 2
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def paths(served: Served) -> list[str]:
    """Return what was asked, when all answers have ended."""
    served.server.settle()
    return [seen.path for seen in served.server.log]


# ------------------------------------------------------------------ who asks


def test_headers_and_hook_are_on_every_request(open_named, served: Served) -> None:
    """Metadata, frames, ranges, searches, further attempts."""
    page = open_named()
    page.evaluate(
        """async ([address, file, busy, base]) => {
          let number = 0;
          await pyloader.init({
            workers: 1, headers: {'X-Token': 'good'},
            beforeRequest: async (request) => { request.headers.Authorization = `Bearer ${++number}`; return request; },
          });
          await pyloader.loadImage(`wadors:${address}/frames/1`);
          await pyloader.loadMetadata(`wadouri:${file}`);
          await pyloader.loadImage(`wadouri:${busy}`);
          await pyloader.dicomweb(base).searchStudies();
        }""",
        [
            served.at(CT),
            file_of(served, COLOR),
            file_of(served, CT).replace("/files/", "/quirk/unavailable/files/"),
            served.server.dicomweb,
        ],
    )
    asked = paths(served)
    assert len(asked) == 7  # metadata, frame, header by range, three attempts, search
    log = served.server.log
    assert {seen.headers.get("x-token") for seen in log} == {"good"}
    assert [seen.headers["authorization"] for seen in log] == [f"Bearer {n}" for n in range(1, 8)]
    assert [seen.headers.get("range") for seen in log if "range" in seen.headers] == [
        "bytes=0-65535"
    ]


def test_unauthorized_is_asked_once_for_all(open_named, served: Served) -> None:
    page = open_named()
    quirky = served.at(COLOR).replace("/dicomweb/", "/quirk/login/dicomweb/")
    found = page.evaluate(
        """async (address) => {
          let asked = [];
          await pyloader.init({workers: 2, onUnauthorized: async (details) => {
            asked.push(details.status);
            await new Promise((resolve) => setTimeout(resolve, 300));
            return {Authorization: 'Bearer good'};
          }});
          const ids = Array.from({length: 12}, (_, index) => `wadors:${address}/frames/${index + 1}`);
          const images = await digests(ids);
          return [asked, images.every((text) => text.includes('Array'))];
        }""",
        quirky,
    )
    assert found == [[401], True]
    assert len(paths(served)) <= 4


@pytest.mark.parametrize("answer", ["false", "undefined", "(() => { throw new Error('no') })()"])
def test_unauthorized_that_gives_up(open_page, served: Served, answer: str) -> None:
    page = open_page()
    page.evaluate(f"pyloader.init({{workers: 1, onUnauthorized: async () => {answer}}})")
    error = fail(page, f"wadouri:{file_of(served, CT).replace('/files/', '/quirk/login/files/')}")
    assert (error["code"], error["status"]) == ("http-status", 401)
    assert "onUnauthorized" in error["message"]
    assert len(paths(served)) == 1


def test_user_may_take_time_to_sign_in(open_named, served: Served) -> None:
    """The load waits longer than its timeout, since the page is being asked."""
    page = open_named()
    rows = page.evaluate(
        """async (id) => {
          await pyloader.init({workers: 1, timeout: 700, onUnauthorized: () => new Promise((resolve) => setTimeout(resolve, 2000, {Authorization: 'Bearer good'}))});
          return (await pyloader.loadImage(id)).rows;
        }""",
        f"wadouri:{file_of(served, CT).replace('/files/', '/quirk/login/files/')}",
    )
    assert rows == 128


def test_basic_auth_at_orthanc(open_page, orthanc_with_login: Orthanc) -> None:
    page = open_page()
    server = orthanc_with_login
    study, series, instance = server.instances["CT_small.dcm"]
    image_id = (
        f"wadors:{server.dicomweb}/studies/{study}/series/{series}/instances/{instance}/frames/1"
    )
    assert fail(page, image_id)["status"] == 401
    rows = page.evaluate(
        """async ([base, headers, imageId]) => {
          const server = pyloader.dicomweb(base, {headers});
          const studies = await server.searchStudies();
          return [studies.length, (await pyloader.loadImage(imageId)).rows];
        }""",
        [server.dicomweb, server.authorization, image_id],
    )
    assert rows == [2, 128]


@pytest.mark.parametrize("where", ["same", "other"])
def test_identity_follows_no_redirect_to_another_origin(
    open_page, served: Served, where: str
) -> None:
    page = open_page()
    address = file_of(served, CT).replace("/files/", f"/quirk/redirect-{where}/files/")
    rows = page.evaluate(
        """async (id) => {
          await pyloader.init({workers: 1, headers: {'X-Token': 'good', Authorization: 'Bearer good'}});
          return (await pyloader.loadImage(id)).rows;
        }""",
        f"wadouri:{address}",
    )
    assert rows == 128
    paths(served)
    last = served.server.log[-1]
    assert last.headers["host"].startswith("localhost" if where == "other" else "127.0.0.1")
    if where == "other":
        assert "x-token" not in last.headers
        assert "authorization" not in last.headers


def test_redirect_that_needs_the_identity(open_page, served: Served) -> None:
    page = open_page()
    address = file_of(served, CT).replace("/files/", "/quirk/token+redirect-same/files/")
    found = page.evaluate(
        """async (id) => {
          await pyloader.init({workers: 1, headers: {'X-Token': 'good'}});
          return pyloader.loadImage(id).then((image) => image.rows, describeError);
        }""",
        f"wadouri:{address}",
    )
    assert found == 128


@pytest.mark.parametrize("value", ["good\\r\\nX-Evil: 1", "a\\nb", "\\u4e2d"])
def test_header_that_cannot_be_sent(open_named, served: Served, value: str) -> None:
    page = open_named()
    page.evaluate(f"pyloader.init({{workers: 1, headers: {{'X-Token': '{value}'}}}})")
    error = fail(page, f"wadouri:{file_of(served, CT)}")
    assert (error["code"], error["stage"]) == ("request", "fetch")
    assert 'its header "X-Token" cannot be sent' in error["message"]
    assert paths(served) == []


# ------------------------------------------------------------------ refusals


def test_cors_says_what_to_send(open_page, site: WebServer, served: Served) -> None:
    page = open_page()
    address = file_of(served, CT).replace("/files/", "/nocors/files/")
    error = fail(page, f"wadouri:{address}")
    assert error["code"] == "network"
    assert "does not let this page read its responses (CORS)" in error["message"]
    assert f"Access-Control-Allow-Origin: {site.url}" in error["message"]


def test_preflight_that_is_refused_says_what_to_send(open_named, served: Served) -> None:
    page = open_named()
    page.evaluate("pyloader.init({workers: 1, headers: {'X-Token': 'good'}, retries: 0})")
    address = file_of(served, CT).replace("/files/", "/plain-cors/files/")
    error = fail(page, f"wadouri:{address}")
    assert "Access-Control-Allow-Headers: x-token" in error["message"]


def test_server_that_is_not_there(open_page) -> None:
    page = open_page()
    page.evaluate("pyloader.init({workers: 1, retries: 0})")
    error = fail(page, "wadouri:http://localhost:9/a.dcm")
    assert error["code"] == "network"
    assert "cannot be reached" in error["message"]


def test_ranges_need_no_leave_of_another_origin(page: Page, served: Served) -> None:
    """The browser sends them without a preflight, which this server would refuse."""
    address = file_of(served, COLOR).replace("/files/", "/plain-cors/files/")
    modules = page.evaluate("(id) => pyloader.loadMetadata(id)", f"wadouri:{address}?range")
    assert modules["imagePixelModule"]["rows"] == 240


def test_request_without_a_byte_is_tried_again(open_page, served: Served) -> None:
    page = open_page()
    page.evaluate("pyloader.init({workers: 1, requestTimeout: 400, retries: 1})")
    error = fail(page, f"wadouri:{file_of(served, CT).replace('/files/', '/quirk/never/files/')}")
    assert error["code"] == "network"
    assert "no byte came for 400 ms" in error["message"]
    assert len([seen for seen in served.server.log if "/never/" in seen.path]) == 2


def test_every_attempt_is_reported(open_page, served: Served) -> None:
    page = open_page()
    image_id = f"wadouri:{file_of(served, CT).replace('/files/', '/quirk/unavailable/files/')}"
    events = page.evaluate(
        """async (id) => {
          const seen = [];
          for (const type of ['imageloadstart', 'imageloadprogress', 'imageloadend'])
            pyloader.events.addEventListener(type, ({detail}) => seen.push([type.slice(9), detail]));
          await pyloader.loadImage(id);
          return seen;
        }""",
        image_id,
    )
    assert [(kind, detail["attempt"]) for kind, detail in events if kind != "progress"] == [
        (kind, attempt) for attempt in (1, 2, 3) for kind in ("start", "end")
    ]
    assert {detail["imageId"] for _, detail in events} == {image_id}
    last = [detail for kind, detail in events if kind == "progress"][-1]
    assert last["attempt"] == 3
    assert (
        last["loaded"]
        == last["total"]
        == len((served.server.site.archive.instances[served.paths[CT].rpartition("/")[2]]).body)
    )
    assert last["percentComplete"] == 100


@pytest.mark.parametrize("scheme", ["wadouri", "web", "wadors"])
@pytest.mark.parametrize("status", [404, 503])
def test_body_of_an_error_is_no_progress(
    open_page, served: Served, scheme: str, status: int
) -> None:
    page = open_page()
    page.evaluate("pyloader.init({workers: 1, retries: 1})")
    headers = {"Access-Control-Allow-Origin": "*", "Content-Length": "300000"}
    page.context.route(
        "**/refused/**",
        lambda route: route.fulfill(status=status, body=bytes(300_000), headers=headers),
    )
    address = f"{served.server.url}/refused/studies/1/series/2/instances/3"
    found = page.evaluate(
        """async (id) => {
          const told = [];
          pyloader.events.addEventListener('imageloadprogress', ({detail}) => told.push(detail));
          const onProgress = (detail) => told.push(detail);
          const error = await pyloader.loadImage(id, {onProgress}).catch(describeError);
          return [told, error.code, error.status];
        }""",
        f"{scheme}:{address}{'/frames/1' if scheme == 'wadors' else ''}",
    )
    assert found == [[], "http-status", status]
    page.context.unroute("**/refused/**")


# ------------------------------------------------------------------ cancel


@pytest.mark.parametrize("way", ["signal", "cancelFn", "cancel"])
@pytest.mark.parametrize("scheme", ["wadouri", "wadors"])
def test_cancel_closes_the_socket(page: Page, served: Served, way: str, scheme: str) -> None:
    """The server sees the client go, long before it has sent all."""
    path = f"/files/large-{way}.dcm"
    put_native(served, path, frames=1, rows=8192, columns=8192)
    uids = {name: f"1.2.3.4.{len(way)}{n}" for n, name in enumerate(UIDS)}
    large = served.server.store(builders.native(np.zeros((2048, 2048), "u2"), **uids))
    addresses = {
        "wadouri": f"wadouri:{served.server.url}/quirk/drip{path}",
        "wadors": f"wadors:{served.server.url}/quirk/drip/dicomweb{large}/frames/1",
    }
    found = page.evaluate(
        """async ([id, way]) => {
          const controller = new AbortController();
          const object = pyloader.imageLoader(id, {signal: controller.signal});
          const ended = object.promise.then(() => 'image', (error) => error.name);
          await new Promise((resolve) => setTimeout(resolve, 700));
          if (way === 'signal') controller.abort(); else object[way]();
          const name = await ended;
          return [name, pyloader.stats().workers[0].running];
        }""",
        [addresses[scheme], way],
    )
    assert found == ["AbortError", 0]
    assert served.server.settle()
    cut = [seen for seen in served.server.log if not seen.whole]
    assert cut, "an answer was still under way"
    assert all(seen.closed for seen in cut)


def test_cancel_at_orthanc(page: Page, orthanc: Orthanc) -> None:
    """nginx logs what it could not send; the load that shares the request goes on."""
    study, series, instance = orthanc.instances["examples_ybr_color.dcm"]
    address = f"wadors:{orthanc.dicomweb}/studies/{study}/series/{series}/instances/{instance}"
    found = page.evaluate(
        """async (address) => {
          const leaver = new AbortController();
          const ids = Array.from({length: 30}, (_, index) => `${address}/frames/${index + 1}`);
          const leaving = ids.map((id) => pyloader.loadImage(id, {signal: leaver.signal}).catch((error) => error.name));
          const staying = pyloader.loadImage(ids[4]).then((image) => image.rows);
          leaver.abort();
          return [[...new Set(await Promise.all(leaving))], await staying];
        }""",
        address,
    )
    assert found == [["AbortError"], 240]


def test_waiting_loads_are_dropped_without_a_request(open_page, served: Served) -> None:
    page = open_page()
    addresses = [
        f"wadouri:{file_of(served, CT).replace('/files/', '/quirk/drip/files/')}?{n}"
        for n in range(40)
    ]
    found = page.evaluate(
        """async (ids) => {
          await pyloader.init({workers: 1, limits: {loadsPerWorker: 4, requestsPerOrigin: 4}});
          const controller = new AbortController();
          const all = ids.map((id) => pyloader.loadImage(id, {signal: controller.signal}).catch((error) => error.name));
          await new Promise((resolve) => setTimeout(resolve, 300));
          controller.abort();
          return [...new Set(await Promise.all(all))];
        }""",
        addresses,
    )
    assert found == ["AbortError"]
    assert len(paths(served)) <= 4


# ------------------------------------------------------------------ order


def test_most_urgent_first(open_page, served: Served) -> None:
    """One request at a time; what somebody waits for overtakes what is fetched ahead."""
    page = open_page()
    base = file_of(served, CT)
    found = page.evaluate(
        """async (base) => {
          await pyloader.init({workers: 1, limits: {requestsPerOrigin: 1, loadsPerWorker: 20}});
          const order = [];
          const load = (name, options) => pyloader.loadImage(`wadouri:${base}?${name}`, options).then(() => order.push(name));
          await Promise.all([
            load('first', {requestType: 'prefetch'}),
            ...[3, 2, 1].map((priority) => load(`ahead${priority}`, {requestType: 'prefetch', priority})),
            load('thumbnail', {requestType: 'thumbnail'}),
            load('shown', {requestType: 'interaction'}),
          ]);
          return order;
        }""",
        base,
    )
    expected = ["shown", "thumbnail", "ahead1", "ahead2", "ahead3"]
    assert [name for name in found if name != "first"] == expected
    most = max_at_once(served)
    assert most == 1


def max_at_once(served: Served) -> int:
    """Return how many requests the server had under way at most."""
    served.server.settle()
    moments = [(seen.began, 1) for seen in served.server.log] + [
        (seen.finished, -1) for seen in served.server.log
    ]
    under_way = most = 0
    for _, step in sorted(moments):
        under_way += step
        most = max(most, under_way)
    return most


def test_waiting_load_is_hurried_by_one_who_wants_it_now(open_page, served: Served) -> None:
    page = open_page()
    found = page.evaluate(
        """async (base) => {
          await pyloader.init({workers: 1, limits: {loadsPerWorker: 1}});
          const order = [];
          const load = (name, options) => pyloader.loadImage(`wadouri:${base}?${name}`, options).then(() => order.push(name));
          const all = ['a', 'b', 'c', 'd'].map((name) => load(name, {requestType: 'prefetch'}));
          all.push(load('d', {requestType: 'interaction'}));
          await Promise.all(all);
          return order;
        }""",
        file_of(served, CT),
    )
    assert found.index("d") < found.index("b")


# ------------------------------------------------------------------ ranges, requests and bytes


def put_jpeg_ls(served: Served, path: str, table: str) -> tuple[str, list[np.ndarray], int]:
    """Serve 100 frames of JPEG-LS, located by a table or by nothing."""
    noise = np.random.default_rng(1).integers(0, 4096, (100, 256, 256)).astype("u2")
    encoded = [builders.ENCODERS[JPEGLSLossless](each) for each in noise]
    body = builders.encapsulated(encoded, noise[0], JPEGLSLossless, offsets=table == "basic")
    if table == "extended":
        dataset = builders.header(noise[0], NumberOfFrames=100)
        data, offsets, lengths = encapsulate_extended(encoded)
        dataset.PixelData = data
        dataset["PixelData"].VR = "OB"
        dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = offsets, lengths
        body = builders.part10(dataset, JPEGLSLossless)
    served.server.put(path, body)
    return served.server.url + path, list(noise), max(map(len, encoded))


def test_one_frame_of_a_native_file(page: Page, served: Served) -> None:
    url = put_native(served, "/files/native100.dcm", 100)
    found = page.evaluate(
        "(id) => pyloader.loadImage(id).then((image) => [image.rows, image.minPixelValue, image.maxPixelValue])",
        f"wadouri:{url}?frame=57",
    )
    assert found == [ROWS, 57, 57]
    served.server.settle()
    requests, sent = served.server.tally("/files/native100")
    print(
        f"one frame of a 100-frame native file of {100 * FRAME_BYTES:,} bytes: {requests} requests, {sent:,} bytes"
    )
    assert requests == 2
    assert sent <= FRAME_BYTES + (256 << 10)


@pytest.mark.parametrize("table", ["basic", "extended", "none"])
def test_one_frame_of_a_jpeg_ls_file(page: Page, served: Served, table: str) -> None:
    url, pixels, largest = put_jpeg_ls(served, f"/files/jpegls-{table}.dcm", table)
    number = 5 if table == "none" else 57
    found = page.evaluate(
        "(id) => load(id)",
        f"wadouri:{url}?frame={number}",
    )

    assert np.array_equal(with_pixels(found["image"])["pixels"], pixels[number - 1])
    served.server.settle()
    requests, sent = served.server.tally("/files/jpegls")
    print(
        f"frame {number} of a 100-frame JPEG-LS file, table {table}: {requests} requests, {sent:,} bytes"
    )
    assert requests == 2 if table != "none" else requests <= number + 2
    assert sent <= largest + (256 << 10) + 1000


def test_metadata_read_the_header_only(page: Page, served: Served) -> None:
    url = put_native(served, "/files/header100.dcm", 100)
    modules = page.evaluate("(id) => pyloader.loadMetadata(id)", f"wadouri:{url}")
    assert modules["multiframeModule"]["numberOfFrames"] == 100
    served.server.settle()
    requests, sent = served.server.tally("/files/header100")
    print(f"metadata of the same file: {requests} requests, {sent:,} bytes")
    assert requests == 1
    assert sent <= 64 << 10


def test_large_file_is_left_when_it_has_many_frames(page: Page, served: Served) -> None:
    """No frame is named: the file is asked for whole, and left after its header."""
    url = put_native(served, "/files/unnamed100.dcm", 100)
    page_url = page.evaluate(
        "(id) => pyloader.loadImage(id).then((image) => image.maxPixelValue)", f"wadouri:{url}"
    )
    assert page_url == 1
    served.server.settle()
    log = [seen for seen in served.server.log if "unnamed100" in seen.path]
    print(f"first frame, not named: {len(log)} requests, {sum(seen.sent for seen in log):,} bytes")
    assert [("range" in seen.headers) for seen in log] == [False, True]
    assert log[0].closed
    assert sum(seen.sent for seen in log) < 30 * FRAME_BYTES


def test_frames_together_are_one_range(page: Page, served: Served) -> None:
    url = put_native(served, "/files/together100.dcm", 100)
    found = page.evaluate(
        """(url) => Promise.all(Array.from({length: 100}, (_, index) =>
          pyloader.loadImage(`wadouri:${url}?frame=${index + 1}`).then((image) => image.maxPixelValue)))""",
        url,
    )
    assert found == list(range(1, 101))
    served.server.settle()
    requests, sent = served.server.tally("/files/together100")
    print(f"100 frames of one native file together: {requests} requests, {sent:,} bytes")
    assert requests == 2
    assert sent <= 100 * FRAME_BYTES + (512 << 10)


@pytest.mark.parametrize(
    "quirk", ["no-range", "range-refused", "range-wrong", "changed", "no-range-header"]
)
def test_servers_without_good_ranges(
    page: Page, site: WebServer, served: Served, quirk: str
) -> None:
    """A second download only where the first was of no use."""
    url = file_of(served, COLOR).replace("/files/", f"/quirk/{quirk}/files/")
    found = page.evaluate(
        "([bad, good]) => digests([`wadouri:${bad}?frame=3`, `wadouri:${good}?frame=3`])",
        [url, file_of(served, COLOR)],
    )
    served.server.settle()
    asked = [seen for seen in served.server.log if quirk in seen.path]
    if quirk == "changed" and "Array" not in found[0]:
        assert "has changed while it was read" in found[0]
    elif quirk != "changed":
        assert found[0] == found[1]
    assert len(asked) <= (1 if quirk == "no-range" else 3)


def test_metadata_of_a_series_of_300(open_page, dicomweb_server) -> None:
    study, series = "1.2.3.300", "1.2.3.300.1"
    pixels = builders.ramp(8, 8)
    for number in range(300):
        dataset = builders.header(
            pixels, StudyInstanceUID=study, SeriesInstanceUID=series, SOPInstanceUID=f"{series}.{number + 1}",
            InstanceNumber=300 - number, ImagePositionPatient=[0, 0, number], PixelSpacing=[1, 1],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PatientName="A^B",
        )  # fmt: skip
        dataset.PixelData = pixels.tobytes()
        dicomweb_server.store(builders.part10(dataset, ExplicitVRLittleEndian))
    dicomweb_server.clear()
    page = open_page()
    found = page.evaluate(
        """async ([base, study, series]) => {
          const started = performance.now();
          const imageIds = await pyloader.dicomweb(base).imageIds(study, series);
          const listed = performance.now();
          await pyloader.addMetadata(imageIds);
          const read = performance.now();
          return [imageIds.length, imageIds.every((id, index) => pyloader.metaData('imagePlaneModule', id).imagePositionPatient[2] === index), listed - started, read - listed];
        }""",
        [dicomweb_server.dicomweb, study, series],
    )
    assert found[:2] == [300, True]
    dicomweb_server.settle()
    requests, sent = dicomweb_server.tally("/dicomweb")
    print(
        f"metadata of a 300-slice series: {requests} requests, {sent:,} bytes; {found[2]:.0f} ms, {found[3]:.0f} ms"
    )
    assert requests == 1


def test_hundred_frames_over_dicomweb(page: Page, dicomweb_server) -> None:
    frames = np.arange(100, dtype="u2")[:, None, None] * np.ones((1, 64, 64), "u2")
    body = builders.native(
        frames,
        NumberOfFrames=100,
        SOPInstanceUID="1.2.3.100.1",
        StudyInstanceUID="1.2.3.100",
        SeriesInstanceUID="1.2.3.100.2",
    )
    path = dicomweb_server.store(body)
    dicomweb_server.clear()
    found = page.evaluate(
        """(address) => Promise.all(Array.from({length: 100}, (_, index) =>
          pyloader.loadImage(`wadors:${address}/frames/${index + 1}`).then((image) => image.maxPixelValue)))""",
        f"{dicomweb_server.dicomweb}{path}",
    )
    assert found == list(range(100))
    dicomweb_server.settle()
    requests, sent = dicomweb_server.tally("/dicomweb")
    print(
        f"100 frames of one instance over DICOMweb: {requests} requests, {sent:,} bytes for {frames.nbytes:,}"
    )
    assert requests == 2


@pytest.mark.parametrize("way", ["cancelLoadAll", "cancelLoadImage", "eviction"])
def test_cancel_by_cornerstone(open_page, served: Served, way: str) -> None:
    """Its request pool, its loader and its cache: each ends the request."""
    page = open_page()
    page.set_content(ELEMENT)
    page.add_script_tag(content=THREE_D)
    page.evaluate("start().then(() => pyloader.init({workers: 1}))")
    url = put_native(served, f"/files/{way}.dcm", frames=1, rows=8192, columns=8192)
    found = page.evaluate(
        """async ([id, way]) => {
          const pool = cs.imageLoadPoolManager;
          let ended;
          const work = () => (ended = cs.imageLoader.loadAndCacheImage(id).then(() => 'image', (error) => error.name));
          pool.addRequest(work, 'interaction', {imageId: id}, 0);
          while (!ended) await new Promise((resolve) => setTimeout(resolve, 20));
          await new Promise((resolve) => setTimeout(resolve, 500));
          if (way === 'cancelLoadAll') cs.cache.getImageLoadObject(id).cancel();
          else if (way === 'cancelLoadImage') cs.imageLoader.cancelLoadImage(id);
          else cs.cache.removeImageLoadObject(id);
          return ended;
        }""",
        [f"wadouri:{url.replace('/files/', '/quirk/drip/files/')}", way],
    )
    assert found == "AbortError"
    assert served.server.settle()
    assert [seen.closed for seen in served.server.log] == [True]


def test_service_has_its_headers_from_the_first_request(open_page, served: Served) -> None:
    """Also for images that were loaded before any search, and in workers that start later."""
    page = open_page()
    base = served.server.dicomweb.replace("/dicomweb", "/quirk/token/dicomweb")
    found = page.evaluate(
        """async ([base, ids]) => {
          pyloader.dicomweb(base, {headers: {'X-Token': 'good'}});
          await pyloader.init({workers: 2});
          return digests(ids);
        }""",
        [base, [f"wadors:{base}{served.paths[name]}/frames/1" for name in (COLOR, CT)]],
    )
    assert all("Array" in digest for digest in found), found
    assert {seen.headers.get("x-token") for seen in served.server.log} == {"good"}


def test_mixed_content_is_refused_before_it_is_sent(browser, site: WebServer) -> None:
    """A page by https, whose files come from here."""

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        route.fulfill(body=site.find(path), content_type=kind)

    context = browser.new_context()
    context.route("https://secure.test/**", answer)
    page = context.new_page()
    prepare(page, "https://secure.test/blank.html")
    page.add_script_tag(url="/pyloader.js")
    error = fail(page, "wadouri:http://plain.test/a.dcm")
    context.close()
    assert (error["code"], error["stage"]) == ("request", "fetch")
    assert "mixed content" in error["message"]
