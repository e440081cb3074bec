"""``wadors:`` against a strict server, and against one with each quirk of real servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless, generate_uid

from pyloader import Context, Image, load_image, load_metadata
from pyloader.cache import Cache
from pyloader.dicom.parse import parse_part10
from pyloader.dicomweb.search import open_series
from pyloader.errors import (
    DecodeError,
    FormatError,
    HttpStatusError,
    ImageIdError,
    LoaderError,
    NetworkError,
)
from pyloader.loaders.instance_source import make_image
from pyloader.network import Network
from pyloader.transport import Response
from pyloader.transport.memory import MemoryTransport
from pyloader.transport.native import NativeTransport
from pyloader.wire import wire_modules
from tests.support import builders, corpus
from tests.support.dicomweb.answers import Request
from tests.support.dicomweb.client import BIG, COLOR, CT, RLE, Served
from tests.support.dicomweb.combine import (
    Quirk,
    chained,
    is_frames,
    is_metadata,
    sent,
    status,
    when,
)
from tests.support.dicomweb.quirks import QUIRKS
from tests.support.dicomweb.quirks_body import with_boundary_inside
from tests.support.dicomweb.viewer import Viewer, of_file

pytestmark = pytest.mark.usefixtures("all_ended")
BITS = "liver_1frame.dcm"
ENDIAN = "MR_small_bigendian.dcm"
# Frames that a test loads, counted from 1.
WANTED = {CT: (1,), ENDIAN: (1,), BITS: (1,), "htj2k": (1,), RLE: (1, 2), COLOR: (3, 1, 2)}
LOSSY_BOUND = 3


@pytest.fixture(autouse=True)
def no_delay(monkeypatch):
    """Remove all delays."""
    monkeypatch.setattr("pyloader.network.LONGEST_DELAY_SECONDS", 0)


def asked(served: Served) -> list[str]:
    """Return the last path steps of requests for instances, sorted except the first."""
    assert served.server.settle()
    tails = []
    for exchange in served.server.log:
        path = urlsplit(exchange.path).path
        step = path.rpartition("/")[2]
        tails.append(step if "." not in step else "instance")
    return tails[:1] + sorted(tails[1:])


# ------------------------------------------------------------------ an honest server


@pytest.mark.parametrize("name", [*WANTED, BIG])
async def test_images_are_those_of_the_file(served, served_files, name):
    numbers = WANTED.get(name, (1, 15))
    for number, image in zip(numbers, await Viewer().images(served.at(name), numbers), strict=True):
        expected = of_file(served_files[name], number)
        assert image.pixels.dtype == expected.dtype
        assert np.array_equal(image.pixels, expected)


async def test_all_frames_of_an_instance(served, served_files):
    images = await Viewer().images(served.at(COLOR), tuple(range(1, 31)))
    for number, image in enumerate(images, 1):
        assert np.array_equal(image.pixels, of_file(served_files[COLOR], number))
    numbers = ",".join(map(str, range(1, 31)))
    assert asked(served) == ["metadata", numbers]


async def test_frame_is_two_requests_and_the_next_one_more(served):
    viewer = Viewer()
    await viewer.image(served.at(COLOR), 5)
    assert asked(served) == ["metadata", "5"]
    await viewer.image(served.at(COLOR), 5)
    await viewer.image(served.at(COLOR), 7)
    assert asked(served) == ["metadata", "5", "7"]


async def test_frames_that_are_announced_are_kept(served):
    viewer = Viewer()
    await viewer.image(served.at(COLOR), 5, 6, 7)
    assert asked(served) == ["metadata", "5,6,7"]
    await viewer.image(served.at(COLOR), 7)
    assert len(asked(served)) == 2


async def test_absent_frames_may_be_announced(served):
    viewer = Viewer()
    await viewer.image(served.at(RLE), 2, 1, 3, 99)
    assert asked(served) == ["metadata", "2,1"]


async def test_absent_frame_is_not_requested(served):
    expected = "frame 3 was asked for, but the instance has 2 frames; frames count from 1"
    with pytest.raises(ImageIdError, match=expected):
        await Viewer().image(served.at(RLE), 3)
    assert asked(served) == ["metadata"]


async def test_instances_of_a_series_share_its_metadata(served):
    series = generate_uid()
    pixels = [builders.ramp(8, 8) + number for number in range(3)]
    paths = [
        served.server.store(
            builders.native(each, SOPInstanceUID=generate_uid(), SeriesInstanceUID=series)
        )
        for each in pixels
    ]
    viewer = Viewer()
    images = await asyncio.gather(
        *[viewer.image(f"{served.server.dicomweb}{path}") for path in paths]
    )
    assert all(
        np.array_equal(image.pixels, each) for image, each in zip(images, pixels, strict=True)
    )
    assert asked(served) == ["metadata", "1", "1", "1"]
    assert served.server.log[0].path.endswith(f"/series/{series}/metadata")


async def test_query_of_the_page_goes_with_the_frames(served):
    await Viewer().image(f"{served.at(CT)}", 1)
    served.server.clear()
    image_id = f"wadors:{served.at(CT)}/frames/1?token=abc"
    await load_image(image_id, Viewer().context())
    assert served.server.log[-1].path.endswith("/frames/1?token=abc")


async def test_instance_without_frames_step_is_its_first(served, served_files):
    image = await load_image(f"wadors:{served.at(COLOR)}", Viewer().context())
    assert np.array_equal(image.pixels, of_file(served_files[COLOR], 1))


async def test_cancelled_load_stops_its_request(served):
    class Watched(NativeTransport):
        """A transport that records running and cancelled requests."""

        def __init__(self) -> None:
            self.is_asked = asyncio.Event()
            self.stopped: list[str] = []

        async def send(self, request, progress, sink=None):
            if "/frames/" in request.url:
                self.is_asked.set()
            try:
                return await super().send(request, progress, sink)
            except asyncio.CancelledError:
                self.stopped.append(request.url)
                raise

    served.server.quirks["slow"] = when(is_frames, sent(pause=0.1, slices=5))
    viewer = Viewer()
    viewer.network.transport = transport = Watched()
    address = served.at(COLOR, quirk="slow")
    task = asyncio.create_task(viewer.image(address, 2))
    await transport.is_asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert transport.stopped == [f"{address}/frames/2"]


async def test_other_urls_are_refused(served):
    with pytest.raises(ImageIdError, match="is not an instance of a DICOMweb service"):
        await load_image(f"wadors:{served.server.dicomweb}/frames/1", Viewer().context())
    assert served.server.log == []


# ------------------------------------------------------------------ quirks


@dataclass(frozen=True)
class Outcome:
    """The expected result of loads from a server with a quirk.

    Attributes
    ----------
    error, text : type and str
        The exception; None for the images of the file.
    single, several : tuple of str
        The requests besides metadata, for an instance of one frame and for one of several frames:
        ``1`` for each frame, or for the first; ``list`` for all; ``instance``, ``wado``.
    """

    error: type[LoaderError] | None = None
    text: str = ""
    single: tuple[str, ...] = ("1",)
    several: tuple[str, ...] = ("list",)


FINE = Outcome()
# Requested twice, as the first response is invalid.
AGAIN = Outcome(single=("1", "1", "metadata"), several=("list", "list", "metadata"))
NOTHING = {"single": (), "several": ()}
INSTANCE = {"single": ("instance",), "several": ("instance",)}
THREE_WAYS = ("instance", "instance", "instance", "wado")
# Other quotes would not help; another kind of request may.
FAILING = Outcome(single=("1", "1", "instance"), several=("list", "3", "list", "3", "instance"))
OUTCOMES: dict[str, Outcome] = {
    "bad-json": Outcome(FormatError, "cannot be read as a DICOM JSON data set", **NOTHING),
    "busy": AGAIN,
    "busy-date": AGAIN,
    "changed": FINE,
    "chunked": FINE,
    "cut": Outcome(
        NetworkError, "closed after .* of .* bytes", ("metadata",) * 2, ("metadata",) * 2
    ),
    "cut-once": Outcome(single=("1", "1", "metadata"), several=("list", "1,2", "1,2", "metadata")),
    "empty": Outcome(FormatError, "status 200 and no content; the server does not", **INSTANCE),
    "empty-204": Outcome(FormatError, "status 204 and no content; the server does not", **INSTANCE),
    "extra-part": FINE,
    "extra-text": Outcome(FormatError, "a frame of 20 bytes came without a transfer syntax"),
    "first-only": Outcome(several=("list", "2", "1")),
    "frames-406": Outcome(
        single=("1", "1", "1", "instance"),
        several=("list", "3", "list", "3", "list", "3", "instance"),
    ),
    "frames-500": FAILING,
    "frames-501": FAILING,
    "html": Outcome(FormatError, "cannot be read as a DICOM JSON data set.*<!DOCTYPE", **NOTHING),
    "json-200": Outcome(FormatError, r"answered with application/dicom\+json, which", **INSTANCE),
    "json-error": Outcome(HttpStatusError, "status 400", THREE_WAYS, THREE_WAYS),
    "json-missing": Outcome(**INSTANCE),
    "json-no-vr": FINE,
    "json-strings": FINE,
    "json-un": FINE,
    "json-wrong-vr": FINE,
    "length-too-large": FINE,
    "length-too-small": FINE,
    "line-feed": FINE,
    "login": Outcome(HttpStatusError, r"status 401, expected 200 \(not signed in", **NOTHING),
    "lower-headers": FINE,
    "media-type": FINE,
    "mislabelled": FINE,
    "no-boundary": FINE,
    "no-frames": Outcome(single=("1", "instance"), several=("list", "3", "instance")),
    "no-length": FINE,
    "no-metadata": Outcome(**INSTANCE),
    "no-range": FINE,
    "no-range-header": FINE,
    "no-star": Outcome(single=("1", "1", "1"), several=("list", "3", "list", "3", "list")),
    "odd-boundary": FINE,
    "one-by-one": Outcome(several=("list", "3", "1", "2")),
    "outer-type": FINE,
    "part-without-length": FINE,
    "preamble": FINE,
    "quotes-only": Outcome(single=("1", "1"), several=("list", "3", "list")),
    "range-refused": FINE,
    "range-wrong": FINE,
    "redirect-other": AGAIN,
    "redirect-same": AGAIN,
    "reversed": FINE,
    "single-part": FINE,
    "token": Outcome(HttpStatusError, r"status 401, expected 200 \(not signed in", **NOTHING),
    "unavailable": Outcome(
        single=("1", "1", "1", "metadata", "metadata"),
        several=("list", "list", "list", "metadata", "metadata"),
    ),
    "upper-headers": FINE,
    "wrong-boundary": FINE,
}
# These have tests of their own.
APART = {"boundary-inside", "drip", "never"}


def test_every_quirk_has_an_outcome():
    assert OUTCOMES.keys() | APART == QUIRKS.keys()
    assert not OUTCOMES.keys() & APART


def same(image: Image, served_files: dict[str, bytes], name: str, number: int, bound: int) -> bool:
    """Tell whether an image equals the file's; another decoder's may differ a little."""
    expected = of_file(served_files[name], number)
    difference = np.abs(image.pixels.astype(int) - expected.astype(int)).max()
    return image.pixels.dtype == expected.dtype and difference <= bound


# Only with these quirks a single codestream in its response has another result.
OF_ONE = ("extra-text", "media-type", "mislabelled", "no-star", "outer-type", "single-part")
CASES = [(name, quirk) for name in (CT, COLOR) for quirk in OUTCOMES]


@pytest.mark.parametrize(("name", "quirk"), CASES + [("htj2k", quirk) for quirk in OF_ONE])
async def test_quirk(served, served_files, name, quirk):
    expected = OUTCOMES[quirk]
    if expected.error is not None:
        with pytest.raises(expected.error, match=f"(?s){expected.text}") as caught:
            await Viewer().images(served.at(name, quirk=quirk), WANTED[name])
        assert caught.value.image_id.startswith(f"wadors:{served.at(name, quirk=quirk)}")
    else:
        # Only for these frames the strict server's own decoding is accepted.
        bound = LOSSY_BOUND if (name, quirk) == (COLOR, "no-star") else 0
        for number, image in zip(
            WANTED[name],
            await Viewer().images(served.at(name, quirk=quirk), WANTED[name]),
            strict=True,
        ):
            assert same(image, served_files, name, number, bound)
    steps = expected.several if name == COLOR else expected.single
    numbers = ",".join(map(str, WANTED[name]))
    wanted = [numbers if step == "list" else step for step in steps]
    assert asked(served) == ["metadata", *sorted(wanted)]


@pytest.mark.parametrize("name", [ENDIAN, BITS, RLE, BIG])
async def test_decoded_frames_are_taken_where_they_are_certain(served, served_files, name):
    """With 32 bits they are ambiguous: then the instance is fetched."""
    numbers = WANTED.get(name, (2, 1))
    images = await Viewer().images(served.at(name, quirk="no-star"), numbers)
    for number, image in zip(numbers, images, strict=True):
        assert same(image, served_files, name, number, 0)
    assert ("instance" in asked(served)) is (name == BIG)


async def test_server_that_never_answers(served):
    with pytest.raises(NetworkError, match=r"could not fetch .*/metadata: .*timed out"):
        await Viewer(retries=0, timeout=0.2).image(served.at(CT, quirk="never"))


async def test_frame_with_a_delimiter_in_it(served, served_files):
    image = await Viewer().image(served.at(CT, quirk="boundary-inside"))
    stored = of_file(served_files[CT], 1)
    assert image.pixels.tobytes() == with_boundary_inside(stored.tobytes())
    with pytest.raises(DecodeError, match=r"frame 1, High-Throughput JPEG 2000 .* cannot be dec"):
        await Viewer().image(served.at("htj2k", quirk="boundary-inside"))


async def test_mislabelled_frame_has_a_warning(served):
    image = await Viewer().image(served.at(RLE, quirk="mislabelled"))
    (note,) = image.warnings
    assert note.startswith("the server labelled the frame Explicit VR Little Endian")
    assert image.encoding.transfer_syntax_uid == RLELossless


@pytest.mark.parametrize("seed", range(4))
async def test_server_that_fails_by_chance(served, served_files, seed):
    """A load gives the right image or one of pyloader's errors."""
    viewer = Viewer()
    outcomes = await asyncio.gather(
        *[
            viewer.image(served.at(name, quirk=f"random-{seed}-25"), number, *range(1, 9))
            for name in (CT, "htj2k", COLOR, RLE)
            for number in WANTED[name]
        ],
        return_exceptions=True,
    )
    wanted = [(name, each) for name in (CT, "htj2k", COLOR, RLE) for each in WANTED[name]]
    for (name, number), outcome in zip(wanted, outcomes, strict=True):
        if isinstance(outcome, Image):
            assert same(outcome, served_files, name, number, LOSSY_BOUND if name == COLOR else 0)
        else:
            assert isinstance(outcome, LoaderError)


# ------------------------------------------------------------------ the mode that works


@pytest.mark.parametrize(
    ("quirk", "first", "later"),
    [
        ("quotes-only", ["metadata", "4", "4"], ["5"]),
        ("no-star", ["metadata", "4", "4", "4"], ["5"]),
        ("no-frames", ["metadata", "4", "instance"], []),
        ("frames-500", ["metadata", "4", "4", "instance"], []),
    ],
)
async def test_mode_that_worked_is_used_the_next_time(served, quirk, first, later):
    viewer, instance = Viewer(), served.at(COLOR, quirk=quirk)
    await viewer.image(instance, 4)
    assert sorted(asked(served)) == sorted(first)
    await viewer.image(instance, 5)
    assert sorted(asked(served)) == sorted(first + later)


async def test_frames_are_requested_singly_the_next_time(served):
    viewer, instance = Viewer(), served.at(COLOR, quirk="one-by-one")
    await viewer.images(instance, (1, 2))
    spent = len(asked(served))
    await viewer.images(instance, (3, 4, 5))
    numbers = {exchange.path.rpartition("/")[2] for exchange in served.server.log[spent:]}
    assert numbers == {"3", "4", "5"}
    assert len(asked(served)) == spent + 3


async def test_frame_that_fails_singly_does_not_affect_the_others(served, served_files):
    def is_broken(request: Request) -> bool:
        return request.path.endswith("/frames/2")

    def is_late(request: Request) -> bool:
        return request.path.endswith("/frames/3")

    served.server.quirks["broken"] = chained(
        [
            QUIRKS["one-by-one"],
            when(is_broken, QUIRKS["json-200"]),
            when(is_late, sent(delay=0.1)),
        ]
    )
    viewer, instance = Viewer(), served.at(COLOR, quirk="broken")
    good, bad, other = await asyncio.gather(
        *[viewer.image(instance, number, 1, 2, 3) for number in (1, 2, 3)], return_exceptions=True
    )
    assert np.array_equal(good.pixels, of_file(served_files[COLOR], 1))
    assert np.array_equal(other.pixels, of_file(served_files[COLOR], 3))
    assert isinstance(bad, FormatError)
    assert "answered with application/dicom+json" in str(bad)


@pytest.mark.parametrize("code", [401, 403, 409, 429, 503])
async def test_refusal_for_another_reason_is_raised(served, code):
    """Another kind of request would not help."""
    served.server.quirks["refusing"] = when(is_frames, status(code))
    with pytest.raises(HttpStatusError, match=f"/frames/1 answered with status {code}"):
        await Viewer(retries=0).image(served.at(CT, quirk="refusing"))
    assert asked(served) == ["metadata", "1"]


# ------------------------------------------------------------------ the whole instance


def is_wado(request: Request) -> bool:
    """Tell whether the instance is asked for by WADO-URI."""
    return request.path == "/wado"


def only(*services: Callable[[Request], bool]) -> Quirk:
    """Return a server with only some services."""
    return when(lambda request: not any(each(request) for each in services), status(404))


async def test_instance_by_wado_uri_when_there_is_nothing_else(served, served_files):
    served.server.quirks["old"] = only(is_wado)
    image = await Viewer().image(served.at(CT, quirk="old"))
    assert np.array_equal(image.pixels, of_file(served_files[CT], 1))
    assert asked(served) == ["metadata", *sorted(THREE_WAYS)]


async def test_instance_by_wado_uri_where_the_page_says(served, served_files):
    served.server.quirks["new"] = only()
    viewer = Viewer(wadoURI=f"{served.server.url}/wado")
    image = await viewer.image(served.at(CT, quirk="new"))
    assert np.array_equal(image.pixels, of_file(served_files[CT], 1))
    assert served.server.log[-1].path.startswith("/wado?requestType=WADO&studyUID=")


async def test_instance_that_does_not_exist(served):
    served.server.quirks["new"] = only()
    address = served.at(CT, quirk="new")
    with pytest.raises(
        HttpStatusError, match=r"status 404, expected 200 \(nothing there"
    ) as caught:
        await Viewer().image(address)
    assert caught.value.url == address


async def test_instance_without_its_metadata_is_fetched_once_for_all_frames(served, served_files):
    images = await Viewer().images(served.at(COLOR, quirk="no-metadata"), (1, 2, 3))
    for number, image in enumerate(images, 1):
        assert np.array_equal(image.pixels, of_file(served_files[COLOR], number))
    assert asked(served) == ["metadata", "instance"]


async def test_metadata_of_an_instance_that_has_none(served):
    modules = await Viewer().modules(served.at(COLOR, quirk="no-metadata"), 2)
    assert modules["multiframe"] == {"number_of_frames": 30, "frame_number": 2}
    assert modules["transfer_syntax"]["transfer_syntax_uid"].endswith(".4.50")


async def test_instance_that_is_not_in_the_metadata_of_its_series(served, served_files):
    """The series' metadata may be older than the instance."""
    served.server.quirks["stale"] = when(is_metadata, QUIRKS["json-200"])
    image = await Viewer().image(served.at(CT, quirk="stale"))
    assert np.array_equal(image.pixels, of_file(served_files[CT], 1))
    assert asked(served) == ["metadata", "instance"]


@pytest.mark.parametrize("code", [401, 403])
async def test_forbidden_metadata_are_an_error(served, code):
    served.server.quirks["refusing"] = when(is_metadata, status(code))
    with pytest.raises(HttpStatusError, match=f"/metadata answered with status {code}"):
        await Viewer(retries=0).image(served.at(CT, quirk="refusing"))


# ------------------------------------------------------------------ metadata


async def test_metadata_are_one_request(served):
    viewer = Viewer()
    first, second = await asyncio.gather(
        viewer.modules(served.at(COLOR)), viewer.modules(served.at(COLOR), 2)
    )
    assert asked(served) == ["metadata"]
    assert (first["multiframe"]["frame_number"], second["multiframe"]["frame_number"]) == (1, 2)


@pytest.mark.parametrize("name", [CT, ENDIAN, BITS, RLE, COLOR])
async def test_metadata_are_those_of_the_file(served, served_files, name, tmp_path):
    path = tmp_path / "file.dcm"
    path.write_bytes(served_files[name])
    expected = wire_modules(await load_metadata(f"wadouri:{path}", Viewer().context()))
    found = wire_modules(await Viewer().modules(served.at(name)))
    assert found.keys() == expected.keys()
    for module in found:
        assert found[module] == expected[module], module


async def test_metadata_of_a_frame_that_is_not_there(served):
    with pytest.raises(ImageIdError, match="frame 31 was asked for"):
        await Viewer().modules(served.at(COLOR), 31)


async def test_image_and_metadata_share_the_cache(served):
    viewer = Viewer()
    await viewer.modules(served.at(COLOR))
    await viewer.image(served.at(COLOR), 2)
    assert asked(served) == ["metadata", "2"]


# ------------------------------------------------------------------ incomplete, and still arriving


class FramesAlone(MemoryTransport):
    """A service with metadata and frames, but without whole instances.

    Attributes
    ----------
    there : dict
        DICOM JSON by SOP Instance UID.
    asked : list of str
        The last path steps of requests; for metadata, with the step before.
    """

    SERIES = "https://host/dw/studies/1/series/2"

    def __init__(self, *uids: str, lacks: tuple[str, ...] = ()) -> None:
        super().__init__({})
        self.there: dict[str, Any] = {}
        self.asked: list[str] = []
        for uid in uids:
            self.arrive(uid, *lacks)

    def arrive(self, uid: str, *lacks: str) -> None:
        """Add an instance whose metadata lack attributes."""
        dataset = builders.header(COLORS, SOPInstanceUID=uid)
        for keyword in lacks:
            delattr(dataset, keyword)
        self.there[uid] = json.loads(dataset.to_json())

    async def send(self, request, progress, sink=None):
        """Answer 404 for anything absent."""
        path = request.url.removeprefix(self.SERIES)
        self.asked.append("/".join(path.split("/")[-2:]))
        if path.endswith("/metadata"):
            uid = path.split("/")[2] if "/instances/" in path else None
            found = [each for key, each in self.there.items() if uid in (None, key)]
            kind = {"content-type": "application/dicom+json"}
            self.answers[request.url] = Response(request.url, 200, kind, json.dumps(found).encode())
        elif "/frames/" in path and path.split("/")[2] in self.there:
            kind = {"content-type": "application/octet-stream"}
            self.answers[request.url] = Response(request.url, 200, kind, COLORS.tobytes())
        else:
            self.answers[request.url] = Response(request.url, 404, {}, b"")
        return await super().send(request, progress, sink)

    async def load(self, uid: str, viewer: Viewer) -> Image:
        """Load an instance's first frame."""
        viewer.network.transport = self
        return await viewer.image(f"{self.SERIES}/instances/{uid}")


COLORS = builders.color(4, 6)


@pytest.mark.parametrize(
    "lacks",
    [
        ("Rows",),
        ("Columns", "Rows"),
        ("BitsAllocated",),
        ("PixelRepresentation",),
        ("PhotometricInterpretation",),
        ("SamplesPerPixel",),
    ],
)
@pytest.mark.parametrize("is_of_page", [False, True])
async def test_error_names_the_attribute_that_metadata_lack(lacks, is_of_page):
    service, viewer = FramesAlone("1.1", lacks=lacks), Viewer()
    if is_of_page:
        viewer, _ = page_with({"json": json.dumps(service.there["1.1"])})
    with pytest.raises(FormatError, match=r"the metadata of .* lack ") as caught:
        await service.load("1.1", viewer)
    for keyword in lacks:
        assert f"{keyword}," in str(caught.value)
    assert "(status 404)" in str(caught.value)
    # Once for the series, or from the page, and once for the instance.
    assert sum(each.endswith("metadata") for each in service.asked) == 2 - is_of_page


async def test_error_names_the_palettes_that_metadata_lack():
    service = FramesAlone("1.1")
    service.there["1.1"]["00280004"]["Value"] = ["PALETTE COLOR"]
    service.there["1.1"]["00280002"]["Value"] = [1]
    with pytest.raises(FormatError, match=r"lack \(0028,1101\) RedPaletteColorLookupTableDescr"):
        await service.load("1.1", Viewer())


async def test_own_metadata_may_complete_those_of_the_page():
    service = FramesAlone("1.1")
    viewer, _ = page_with({"attributes": {"rows": 4, "columns": 6}})
    assert np.array_equal((await service.load("1.1", viewer)).pixels, COLORS)


async def test_instance_that_came_after_the_metadata_of_its_series():
    service, viewer = FramesAlone("1.1"), Viewer()
    await service.load("1.1", viewer)
    service.arrive("1.2")
    assert np.array_equal((await service.load("1.2", viewer)).pixels, COLORS)
    assert service.asked == ["/metadata", "frames/1", "1.2/metadata", "frames/1"]
    with pytest.raises(HttpStatusError, match="status 404"):
        await service.load("1.3", viewer)
    # Requested once; then each way to fetch the whole instance.
    assert service.asked[4:] == ["1.3/metadata", *["instances/1.3"] * 3, service.asked[-1]]


async def test_metadata_of_an_instance_are_fetched_once_for_all_loads():
    service, viewer = FramesAlone("1.1"), Viewer()
    await service.load("1.1", viewer)
    service.arrive("1.2")
    await asyncio.gather(*[service.load(f"1.2?a={each}", viewer) for each in range(3)])
    await service.load("1.2?a=3", viewer)
    assert service.asked.count("1.2/metadata") == 1


async def test_running_requests_are_not_shared_with_another_user():
    """Give the next user nothing from the former user's request, and cache none of it."""
    service, viewer = FramesAlone("1.1"), Viewer()
    gate, is_held = asyncio.Event(), asyncio.Event()

    async def send(request, progress, sink=None):
        if "/frames/" in request.url and not is_held.is_set():
            is_held.set()
            await gate.wait()
        return await FramesAlone.send(service, request, progress, sink)

    service.send = send
    former = asyncio.ensure_future(service.load("1.1", viewer))
    await is_held.wait()
    viewer.network.begin_anew()
    viewer.cache.begin_anew()
    assert np.array_equal((await service.load("1.1", viewer)).pixels, COLORS)
    assert service.asked.count("frames/1") == 1, "the former one still waits"
    gate.set()
    await former
    assert service.asked.count("frames/1") == 2


async def test_series_that_was_empty_is_requested_again():
    service, viewer = FramesAlone(), Viewer()
    with pytest.raises(HttpStatusError, match="status 404"):
        await service.load("1.1", viewer)
    assert service.asked.count("/metadata") == 1
    service.arrive("1.1")
    assert np.array_equal((await service.load("1.1", viewer)).pixels, COLORS)


async def test_instance_that_the_page_did_not_know_of_yet():
    service = FramesAlone("1.1")
    viewer, _ = page_with(None)
    assert np.array_equal((await service.load("1.1", viewer)).pixels, COLORS)
    with pytest.raises(HttpStatusError, match="status 404"):
        await service.load("1.2", viewer)
    assert service.asked.count("1.2/metadata") == 1


async def test_refused_user_is_not_taken_for_absent_metadata():
    service, viewer = FramesAlone("1.1", lacks=("Rows",)), Viewer(retries=0)
    address = f"{service.SERIES}/instances/1.1"

    async def send(request, progress, sink=None):
        if request.url == address:
            return Response(request.url, 401, {}, b"")
        return await FramesAlone.send(service, request, progress, sink)

    service.send = send
    with pytest.raises(HttpStatusError, match="status 401"):
        await service.load("1.1", viewer)


# ------------------------------------------------------------------ bulk data

PALETTE = "examples_palette.dcm"


@pytest.fixture
def palette(served: Served) -> str:
    """Return the path of an image whose palette is bulk data."""
    return served.server.store((corpus.DATA / PALETTE).read_bytes())


async def test_palette_is_fetched(served, palette):
    image = await Viewer().image(served.server.dicomweb + palette)
    body = (corpus.DATA / PALETTE).read_bytes()
    assert np.array_equal(image.pixels, of_file(body, 1))
    assert image.pixels.shape[-1] == 3
    paths = [exchange.path for exchange in served.server.log]
    tags = sorted(path.rpartition("/")[2] for path in paths if "/bulkdata/" in path)
    assert tags == ["00281201", "00281202", "00281203"]


async def test_palette_with_another_host_name_of_the_server(served, palette):
    """Its metadata use the name localhost: the same host here, but another origin."""

    def renamed(request: Request, serve: Any) -> Any:
        return serve(replace(request, origin=f"http://internal:{served.server.port}"))

    served.server.quirks["proxied"] = when(is_metadata, renamed)
    image = await Viewer().image(f"{served.server.url}/quirk/proxied/dicomweb{palette}")
    assert image.pixels.shape[-1] == 3
    assert all(exchange.headers["host"].startswith("127.0.0.1") for exchange in served.server.log)


async def test_absent_palette(served, palette):
    served.server.quirks["lost"] = when(lambda request: "/bulkdata/" in request.path, status(404))
    with pytest.raises(HttpStatusError, match=r"/bulkdata/0028120. answered with status 404"):
        await Viewer().image(f"{served.server.url}/quirk/lost/dicomweb{palette}")


# ------------------------------------------------------------------ metadata from the page


def page_with(given: Mapping[str, Any] | None) -> tuple[Viewer, list[str]]:
    """Return a viewer whose page has metadata, and the list of requests to the page.

    The page fetches the metadata of one instance as `web/page/dicomweb.js` does.
    """
    sources: list[str] = []

    async def describe(source: str, asks_anew: bool) -> Mapping[str, Any] | None:
        if asks_anew:
            rows = await open_series(source.removeprefix("wadors:"), viewer.context())
            return {"json": rows[0]["json"]} if rows else None
        sources.append(source)
        return given

    viewer = Viewer()
    viewer.host.describe = describe
    return viewer, sources


def lower_camel(name: str) -> str:
    """Return a keyword in lower camel case, as viewers write it."""
    return name[0].lower() + name[1:]


def plain_attributes(dataset: Dataset, rename: Callable[[str], str] = str) -> dict[str, Any]:
    """Return a data set as a viewer's metadata providers do, with bytes as browser buffers."""
    found = {}
    for element in dataset:
        if element.keyword and element.keyword != "PixelData":
            found[rename(element.keyword)] = plain_value(element.value)
    return found


def plain_value(value: Any) -> Any:
    """Return a pydicom value as JavaScript represents it."""
    if isinstance(value, Dataset):
        return plain_attributes(value)
    if isinstance(value, bytes):
        return memoryview(value)
    if isinstance(value, (int, float)):
        return float(value) if isinstance(value, float) else int(value)
    if isinstance(value, str) or value is None:
        return value and str(value)
    return [plain_value(each) for each in value] if hasattr(value, "__iter__") else str(value)


def metadata_of(served: Served, name: str) -> str:
    """Return the DICOM JSON of an instance."""
    uid = served.paths[name].rpartition("/")[2]
    return json.dumps(served.server.site.archive.instances[uid].json)


@pytest.mark.parametrize("name", [CT, RLE, "htj2k"])
async def test_json_from_the_page_replaces_the_metadata_request(served, served_files, name):
    viewer, sources = page_with({"json": metadata_of(served, name)})
    image = await viewer.image(served.at(name))
    assert np.array_equal(image.pixels, of_file(served_files[name], 1))
    assert asked(served) == ["1"]
    assert sources == [f"wadors:{served.at(name)}"]


async def test_page_is_asked_once_for_all_frames(served):
    viewer, sources = page_with({"json": metadata_of(served, COLOR)})
    await viewer.images(served.at(COLOR), (1, 2, 3))
    await viewer.modules(served.at(COLOR), 4)
    assert len(sources) == 1
    assert asked(served) == ["1,2,3"]


@pytest.mark.parametrize("rename", [str, lower_camel])
@pytest.mark.parametrize("name", [CT, RLE, COLOR, "htj2k"])
async def test_attributes_from_the_page_replace_the_metadata_request(
    served, served_files, name, rename
):
    dataset = dcmread(BytesIO(served_files[name]))
    viewer, _ = page_with({"attributes": plain_attributes(dataset, rename)})
    image = await viewer.image(served.at(name))
    assert np.array_equal(image.pixels, of_file(served_files[name], 1))
    assert asked(served) == ["1"]
    expected = make_image(parse_part10(served_files[name]), 0)
    assert image.voi_lut == expected.voi_lut
    assert image.modality_lut == expected.modality_lut
    assert image.plane == expected.plane


def shades() -> Dataset:
    """Return the header of an image with modality and VOI tables."""
    dataset = builders.header(builders.ramp(16, 16, 8))
    item = Dataset()
    item.LUTDescriptor = [256, 0, 16]
    item.ModalityLUTType = "US"
    item.add_new("LUTData", "OW", (np.arange(256, dtype="<u2") * 3).tobytes())
    dataset.ModalityLUTSequence = [item]
    other = Dataset()
    other.LUTDescriptor = [256, 0, 16]
    other.add_new("LUTData", "OW", (np.arange(256, dtype="<u2") * 200).tobytes())
    dataset.VOILUTSequence = [other, other]
    return dataset


def kept(served: Served, dataset: Dataset, pixels: np.ndarray) -> tuple[str, bytes]:
    """Store an image, and return its imageId and its file."""
    dataset.SOPInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB"
    body = builders.part10(dataset, ExplicitVRLittleEndian)
    return served.server.dicomweb + served.server.store(body), body


@pytest.mark.parametrize("rename", [str, lower_camel])
async def test_tables_of_the_page(served, rename):
    pixels = builders.ramp(16, 16, 8)
    dataset, attributes = shades(), shades()
    address, body = kept(served, dataset, pixels)
    attributes.SOPInstanceUID = dataset.SOPInstanceUID
    viewer, _ = page_with({"attributes": plain_attributes(attributes, rename)})
    image = await viewer.image(address)
    expected = make_image(parse_part10(body), 0)
    assert np.array_equal(image.pixels, pixels)
    described = wire_modules({"modality_lut": image.modality_lut, "voi_lut": image.voi_lut})
    assert repr(described) == repr(
        wire_modules({"modality_lut": expected.modality_lut, "voi_lut": expected.voi_lut})
    )
    assert "'entries': array([  0,   3,   6," in repr(described)
    assert "200,   400," in repr(described)


@pytest.mark.parametrize("rename", [str, lower_camel])
async def test_palette_of_the_page_needs_no_request(served, palette, rename):
    body = (corpus.DATA / PALETTE).read_bytes()
    viewer, _ = page_with({"attributes": plain_attributes(dcmread(BytesIO(body)), rename)})
    image = await viewer.image(served.server.dicomweb + palette)
    assert np.array_equal(image.pixels, of_file(body, 1))
    assert asked(served) == ["1"]


async def test_page_without_metadata_leads_to_the_whole_instance(served, served_files):
    """The page already requested the series' metadata, for all workers."""
    viewer, sources = page_with(None)
    image = await viewer.image(served.at(CT))
    assert np.array_equal(image.pixels, of_file(served_files[CT], 1))
    assert len(sources) == 1
    assert asked(served) == ["instance"]


async def test_page_with_incomplete_metadata_leads_to_the_whole_instance(served, served_files):
    viewer, _ = page_with({"attributes": {"rows": 128, "columns": 128}})
    image = await viewer.image(served.at(CT))
    assert np.array_equal(image.pixels, of_file(served_files[CT], 1))
    assert asked(served) == ["instance"]


async def test_error_of_the_page_is_that_of_the_load(served):
    async def describe(source: str, asks_anew: bool) -> None:
        raise HttpStatusError("the metadata are not for you", source, 403)

    viewer = Viewer()
    viewer.host.describe = describe
    with pytest.raises(HttpStatusError, match="the metadata are not for you") as caught:
        await viewer.image(served.at(CT))
    assert caught.value.image_id == f"wadors:{served.at(CT)}/frames/1"
    assert served.server.log == []


async def test_invalid_json_from_the_page(served):
    viewer, _ = page_with({"json": "<html>"})
    with pytest.raises(FormatError, match="cannot be read as a DICOM JSON data set"):
        await viewer.image(served.at(CT))


# ------------------------------------------------------------------ labels


async def test_frame_of_an_unsupported_syntax(dicomweb_server):
    """pydicom does not know JPEG XL, and only two bytes identify its codestream."""
    pixels = builders.ramp(16, 16)
    frame = b"\xff\x0a" + bytes(range(100))
    body = builders.encapsulated([frame], pixels, JPEG2000Lossless, SOPInstanceUID=generate_uid())
    address = dicomweb_server.dicomweb + dicomweb_server.store(body)
    with pytest.raises(LoaderError, match="cannot be decoded") as caught:
        await Viewer().image(address)
    assert caught.value.code in ("unsupported", "decode")


# ------------------------------------------------------------------ another instance than requested


@pytest.mark.parametrize("form", ["json", "attributes"])
async def test_metadata_of_another_instance_are_refused(served, served_files, form):
    """A page that mixed up imageIds would show one patient under another's name."""
    other = metadata_of(served, CT)
    if form == "attributes":
        other = plain_attributes(dcmread(BytesIO(served_files[CT])))
    viewer, _ = page_with({form: other})
    with pytest.raises(FormatError, match="may be of another patient"):
        await viewer.image(served.at(RLE))


async def test_a_service_that_sends_another_instance_is_refused(served, transport):
    address = served.at(RLE)
    transport.answers[f"{address.rpartition('/instances/')[0]}/metadata"] = Response(
        address, 404, {}, b""
    )
    body = (corpus.DATA / CT).read_bytes()
    transport.answers[address] = Response(address, 200, {"content-type": "application/dicom"}, body)
    context = Context(Network(transport), Cache(1 << 20))
    with pytest.raises(FormatError, match="may be of another patient"):
        await load_image(f"wadors:{address}/frames/1", context)
