"""Orthanc runs here, holds the corpus, and its proxy tells what clients took."""

from __future__ import annotations

import time
from collections.abc import Callable

from pydicom import dcmread
from pydicom.encaps import generate_frames

from tests.support import corpus
from tests.support.dicomweb.client import COLOR, CT, ORIGINAL, ask, hang_up
from tests.support.orthanc import Entry, Orthanc


def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens soon."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def address(orthanc: Orthanc, name: str, tail: str = "") -> str:
    """Return where an instance is, or below."""
    study, series, instance = orthanc.instances[name]
    return f"{orthanc.dicomweb}/studies/{study}/series/{series}/instances/{instance}{tail}"


# The file is of implicit VR although its transfer syntax is not.
REFUSED_IMAGES = {"SC_rgb_jpeg.dcm"}


def test_orthanc_has_the_corpus(orthanc):
    assert set(corpus.images()) - orthanc.instances.keys() == REFUSED_IMAGES
    for place in (1, 2):
        uids = [uids[place] for uids in orthanc.instances.values()]
        assert len(set(uids)) == len(uids)


def test_orthanc_sends_frames_as_they_are_stored(orthanc):
    dataset = dcmread(corpus.DATA / COLOR)
    stored = list(generate_frames(dataset.PixelData, number_of_frames=dataset.NumberOfFrames))
    reply = ask(address(orthanc, COLOR, "/frames/1,30,2"), ORIGINAL)
    assert reply.bodies == [stored[0], stored[29], stored[1]]
    reply = ask(address(orthanc, CT, "/frames/1"), ORIGINAL)
    assert reply.bodies == [dcmread(corpus.DATA / CT).PixelData]


def test_orthanc_sends_files(orthanc):
    study, series, instance = orthanc.instances[CT]
    query = f"requestType=WADO&studyUID={study}&seriesUID={series}&objectUID={instance}"
    reply = ask(f"{orthanc.wado}?{query}&contentType=application/dicom")
    assert reply.body == (corpus.DATA / CT).read_bytes()


def test_orthanc_may_be_asked_from_other_origins(orthanc):
    preflight = ask(address(orthanc, CT), method="OPTIONS", Origin="http://viewer.example")
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "http://viewer.example"
    assert "Authorization" in preflight.headers["access-control-allow-headers"]


def test_orthanc_log_knows_who_hung_up(orthanc):
    def seen(tail: str) -> list[Entry]:
        return [entry for entry in orthanc.log() if entry.path.endswith(tail)]

    reply = ask(address(orthanc, CT, "/metadata?whole"))
    until(lambda: bool(seen("?whole")))
    (entry,) = seen("?whole")
    assert (entry.status, entry.whole, entry.sent) == (200, True, len(reply.body))
    numbers = ",".join(map(str, range(1, 31)))
    before = len(seen(numbers))  # of other tests
    hang_up(address(orthanc, COLOR, f"/frames/{numbers}"), after=0)
    until(lambda: len(seen(numbers)) > before)
    entry = seen(numbers)[before]
    assert (entry.status, entry.whole) == (499, False)


def test_orthanc_with_login(orthanc_with_login):
    url = address(orthanc_with_login, CT, "/metadata")
    refused = ask(url, Origin="http://viewer.example")
    assert refused.status == 401
    assert refused.headers["access-control-allow-origin"] == "http://viewer.example"
    assert ask(url, **orthanc_with_login.authorization).status == 200
