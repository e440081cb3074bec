"""Cancel, progress, sharing, memory, dying workers: how loads behave beside each other."""

from __future__ import annotations

import time

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support import builders, corpus
from tests.support.pages.outcome import load, with_pixels
from tests.support.webserver import WebServer

CT = "wadouri:/corpus/CT_small.dcm"
BIG = (1 << 21) * 20


def wait_until(condition, seconds: float = 10.0) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.parametrize("how", ["signal", "cancelFn", "cancel"])
def test_cancel_aborts_the_request(page: Page, site: WebServer, how: str) -> None:
    before = len(site.asked("/fault/drip"))
    found = page.evaluate(
        """async (how) => {
          const controller = new AbortController();
          const options = { signal: how === 'signal' ? controller.signal : undefined };
          const object = pyloader.imageLoader(`wadouri:/fault/drip?${how}`, options);
          setTimeout(how === 'signal' ? () => controller.abort() : object[how], 300);
          const error = await object.promise.catch((error) => error);
          object.cancelFn();
          object.cancel();
          return [error.name, error instanceof Error, error instanceof DOMException];
        }""",
        how,
    )
    assert found == ["AbortError", True, True]
    wait_until(lambda: len(site.asked("/fault/drip")) > before)
    time.sleep(0.5)
    assert not site.asked("/fault/drip")[-1].whole, "the server could send all of it"
    assert page.evaluate("pyloader.stats().loading") == 0


def test_cancelled_before_it_began(page: Page, site: WebServer) -> None:
    found = page.evaluate(
        "load('wadouri:/corpus/MR_small.dcm?never', {signal: AbortSignal.abort()})"
    )
    assert found["error"]["name"] == "AbortError"
    assert not [seen for seen in site.seen if seen.path.endswith("?never")]


def test_cancelled_in_the_queue(page: Page, site: WebServer) -> None:
    found = page.evaluate(
        """async () => {
          const objects = Array.from({length: 100}, (_, n) => pyloader.imageLoader(`wadouri:/corpus/MR_small.dcm?queue=${n}`));
          await new Promise((resolve) => setTimeout(resolve));
          for (const object of objects.slice(20)) object.cancelFn();
          const ends = await Promise.allSettled(objects.map(({promise}) => promise));
          return ends.map(({status, reason}) => reason?.name ?? status);
        }"""
    )
    assert found == ["fulfilled"] * 20 + ["AbortError"] * 80
    asked = [seen for seen in site.seen if "?queue=" in seen.path]
    assert len(asked) < 40, "what is cancelled in the queue is never fetched"


def test_cancelling_one_of_two_leaves_the_other(page: Page) -> None:
    found = page.evaluate(
        """async (id) => {
          const one = pyloader.imageLoader(id);
          const two = pyloader.imageLoader(id);
          one.cancelFn();
          return [await outcome(one.promise), await outcome(two.promise)];
        }""",
        f"{CT}?two",
    )
    assert found[0]["error"]["name"] == "AbortError"
    assert found[1]["image"]["rows"] == 128


def test_two_loads_of_one_image_share_the_work(page: Page, site: WebServer) -> None:
    found = page.evaluate(
        "(id) => Promise.all([pyloader.loadImage(id), pyloader.loadImage(id)])"
        ".then(([a, b]) => [a === b, a.getPixelData() === b.getPixelData()])",
        f"{CT}?shared",
    )
    assert found == [False, True], "two objects, one array of pixels"
    assert len([seen for seen in site.seen if seen.path.endswith("?shared")]) == 1


def test_loads_of_one_file_in_two_forms_share_the_download(page: Page, site: WebServer) -> None:
    found = page.evaluate(
        "(id) => Promise.all([pyloader.loadImage(id), pyloader.loadImage(id, {preScale: true})])"
        ".then(([a, b]) => [a.minPixelValue + a.intercept, b.minPixelValue, b.slope, b.preScale.scaled])",
        f"{CT}?forms",
    )
    assert found == [-896, -896, 1, True]
    assert len([seen for seen in site.seen if seen.path.endswith("?forms")]) == 1


def test_progress_and_events(page: Page, site: WebServer) -> None:
    pixels = np.zeros((1400, 1400), "u2")
    path = site.put("/made/big.dcm", builders.native(pixels))
    found = page.evaluate(
        """async (imageId) => {
          const seen = [];
          const note = (event) => seen.push([event.type, event.detail]);
          const types = ['imageloadstart', 'imageloadprogress', 'imageloadend', 'imageloaded'];
          for (const type of types) pyloader.events.addEventListener(type, note);
          const calls = [];
          await pyloader.loadImage(imageId, { onProgress: (detail) => calls.push(detail) });
          for (const type of types) pyloader.events.removeEventListener(type, note);
          return [seen.map(([type, detail]) => [type, detail.image ? detail.image.imageId : detail]), calls];
        }""",
        f"wadouri:{path}",
    )
    seen, calls = found
    size = len(site.made[path])
    image_id = f"wadouri:{path}"
    which = {"url": path, "imageId": image_id, "attempt": 1}
    assert seen[0] == ["imageloadstart", which]
    last = {**which, "loaded": size, "total": size, "percentComplete": 100}
    assert ["imageloadprogress", last] in seen
    assert calls[-1] == last
    assert [kind for kind, _ in seen[-2:]] == ["imageloadend", "imageloaded"]
    assert seen[-1][1] == image_id


def test_failure_fires_its_event(page: Page) -> None:
    found = page.evaluate(
        """async () => {
          const seen = new Promise((resolve) => pyloader.events.addEventListener('imageloadfailed', ({detail}) => resolve([detail.imageId, detail.error.code]), {once: true}));
          await pyloader.loadImage('wadouri:/nothing').catch(() => {});
          return seen;
        }"""
    )
    assert found == ["wadouri:/nothing", "http-status"]


def test_cache_is_bounded_by_bytes(page: Page) -> None:
    found = page.evaluate(
        """async (id) => {
          const { cache } = pyloader;
          cache.clear();
          cache.maximumBytes = 70_000;  // two images of 32 KiB
          const first = await pyloader.loadAndCacheImage(`${id}?1`);
          const again = await pyloader.loadAndCacheImage(`${id}?1`);
          await pyloader.loadAndCacheImage(`${id}?2`);
          await pyloader.loadAndCacheImage(`${id}?1`);
          await pyloader.loadAndCacheImage(`${id}?3`);
          const held = [1, 2, 3].map((n) => Boolean(cache.get(`${id}?${n}`)));
          const result = [first === again, held, cache.bytes, cache.size];
          cache.maximumBytes = 2 ** 30;
          await pyloader.purge();
          return [...result, cache.size];
        }""",
        CT,
    )
    assert found == [True, [True, False, True], 65536, 2, 0]


def test_metadata_are_there_when_the_image_is(page: Page) -> None:
    found = page.evaluate(
        """async (id) => {
          const before = pyloader.metaData('imagePixelModule', id);
          await pyloader.loadImage(id);
          const types = ['imagePixelModule', 'imagePlaneModule', 'generalSeriesModule', 'generalStudyModule', 'generalImageModule', 'patientModule', 'patientStudyModule', 'sopCommonModule', 'modalityLutModule', 'transferSyntax'];
          return [before === undefined, types.map((type) => pyloader.metaData(type, id))];
        }""",
        f"{CT}?metadata",
    )
    assert found[0]
    pixel, plane, series, study, image, patient, patient_study, sop, lut, syntax = found[1]
    assert pixel["photometricInterpretation"] == "MONOCHROME2"
    assert (pixel["bitsStored"], pixel["pixelRepresentation"]) == (16, 1)
    assert pixel["pixelPaddingValue"] == -2000, "read with its sign"
    assert plane["imageOrientationPatient"] == [1, 0, 0, 0, 1, 0]
    assert plane["columnCosines"] == [0, 1, 0]
    assert plane["imagePositionPatient"] == [-158.135803, -179.035797, -75.699997]
    assert (series["modality"], series["seriesNumber"]) == ("CT", 1)
    assert study["studyDescription"] == "e+1"
    assert image["instanceNumber"] == 1
    assert (patient["patientID"], patient["patientName"]) == ("1CT1", "CompressedSamples^CT1")
    assert patient_study["patientSex"] == "O"
    assert sop["sopClassUID"] == "1.2.840.10008.5.1.4.1.1.2"
    assert (lut["rescaleSlope"], lut["rescaleIntercept"]) == (1, -1024)
    assert syntax["transferSyntaxUID"] == "1.2.840.10008.1.2.1"


def test_header_alone_and_dicom_json(page: Page) -> None:
    found = page.evaluate(
        """async (id) => {
          const modules = await pyloader.loadMetadata(id);
          const json = { '00280010': {vr: 'US', Value: [4]}, '00280011': {vr: 'US', Value: [6]},
            '00280100': {vr: 'US', Value: [16]}, '00280103': {vr: 'US', Value: [0]},
            '00280004': {vr: 'CS', Value: ['MONOCHROME2']}, '00200032': {vr: 'DS', Value: [1, 2, 3.5]} };
          await pyloader.addMetadata({ 'wadors:x': json });
          await pyloader.addMetadata([`${id}?2`]);
          const get = pyloader.metaData;
          return [modules.imagePixelModule, get('imagePixelModule', `${id}?2`).rows,
            get('imagePixelModule', 'wadors:x').columns, get('imagePlaneModule', 'wadors:x')];
        }""",
        f"{CT}?header",
    )
    assert found[0]["rows"] == 128
    assert found[1:3] == [128, 6]
    assert found[3] == {"imagePositionPatient": [1, 2, 3.5], "rows": 4, "columns": 6}


def test_requests_carry_headers_and_pass_the_hook(open_page, site: WebServer) -> None:
    page = open_page()
    page.evaluate(
        """pyloader.init({
          headers: {'X-Page': 'yes'},
          beforeRequest: async (request) => {
            await new Promise((resolve) => setTimeout(resolve, 10));
            return {...request, url: request.url + '&hooked', headers: {...request.headers, Authorization: 'Bearer t'}};
          },
        })"""
    )
    load(page, f"{CT}?with=hook")
    seen = next(seen for seen in site.seen if seen.path.endswith("?with=hook&hooked"))
    assert seen.headers["x-page"] == "yes"
    assert seen.headers["authorization"] == "Bearer t"


def test_pixels_are_moved_never_cloned(open_page) -> None:
    """Count the buffers of each answer that were moved: their owner finds them empty."""
    page = open_page()
    page.evaluate(
        """() => {
          globalThis.messages = [];
          const { port1, port2 } = new MessageChannel();
          globalThis.OriginalWorker = Worker;
          const bootstrap = `
            import 'ENTRY';
            const post = self.postMessage.bind(self);
            self.postMessage = (message, transfer) => {
              const buffer = message.result?.image?.pixels.buffer;
              const size = buffer?.byteLength;
              post(message, transfer);
              if (buffer) post({ id: 0, kind: 'count', size, left: buffer.byteLength }, []);
            };`;
          globalThis.Worker = class extends OriginalWorker {
            constructor(url, options) {
              super(URL.createObjectURL(new Blob([bootstrap.replace('ENTRY', url)], {type: 'text/javascript'})), options);
              this.addEventListener('message', ({data}) => data.kind === 'count' && messages.push(data));
            }
          };
        }"""
    )
    image = load(page, CT)
    assert page.evaluate("messages") == [
        {"id": 0, "kind": "count", "size": image["sizeInBytes"], "left": 0}
    ]


# ------------------------------------------------------------------ workers that die

CRASH = {
    "closes itself": "import asyncio, js; js.self.close(); await asyncio.sleep(60)",
    "keeps busy for ever": "while True: pass",
    "breaks the interpreter": "import ctypes; ctypes.string_at(0xFFFFFF00, 16)",
}


@pytest.mark.parametrize("how", CRASH)
def test_dead_worker_is_replaced(open_page, how: str) -> None:
    page = open_page()
    page.evaluate("pyloader.init({workers: 1})")
    source = f"""
import numpy as np
from pyloader import Image, register_loader

@register_loader("crash")
async def load(image_id, context):
    if image_id.rest == "now":
        {CRASH[how]}
    return Image.from_array(np.ones((2, 2), "u1"))
"""
    page.evaluate("(source) => pyloader.loadPython({source})", source)
    started = time.monotonic()
    found = page.evaluate("Promise.all([load('crash:now', {timeout: 1000}), load('crash:too?')])")
    assert found[0]["error"]["code"] in ("worker", "timeout")
    assert found[1]["image"]["rows"] == 2, "it is loaded again by the next worker"
    # With both, then with the guilty one alone.
    page.wait_for_function("pyloader.stats().deaths === 2", timeout=60_000)
    assert load(page, "crash:later")["rows"] == 2, "the new worker knows the page's loaders"
    assert load(page, CT)["rows"] == 128
    assert time.monotonic() - started < 120


def test_terminate_and_start_again(open_page) -> None:
    page = open_page()
    load(page, CT)
    found = page.evaluate(
        """async (id) => {
          const under = outcome(pyloader.loadImage('wadouri:/fault/never'));
          await new Promise((resolve) => setTimeout(resolve, 100));
          pyloader.terminate();
          return [(await under).error.name, pyloader.stats().workers.length, (await load(id)).image.rows];
        }""",
        CT,
    )
    assert found == ["AbortError", 0, 128]


def test_two_workers_share_the_sources(open_page, site: WebServer) -> None:
    page = open_page()
    page.evaluate("pyloader.init({workers: 2})")
    names = ["MR_small.dcm", "MR_small_RLE.dcm", "CT_small.dcm", "JPGExtended.dcm"] * 5
    found = page.evaluate(
        "(ids) => Promise.all(ids.map((id) => load(id)))",
        [f"wadouri:/corpus/{name}?{number}" for number, name in enumerate(names)],
    )
    for name, result in zip(names, found, strict=True):
        reference = corpus.reference(name)
        difference = with_pixels(result["image"])["pixels"].astype(int) - reference.pixels
        assert np.abs(difference).max() <= reference.bound
    assert len(page.evaluate("pyloader.stats().workers")) == 2
