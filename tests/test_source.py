"""The contract of `Source` and `Ready`, held by every scheme and every kind of source."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import json
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from gzip import compress
from io import BytesIO
from typing import Any

import nibabel
import numpy as np
import pytest
import zarr
from PIL import Image as Pillow
from pydicom import dcmread
from pydicom.uid import JPEGLSLossless, RLELossless

from pyloader import Context, Image, ImageId, load_image, load_metadata, register_loader
from pyloader.cache import Cache
from pyloader.errors import FormatError, ImageIdError, LoaderError
from pyloader.host import PlainHost
from pyloader.load import list_series, load_scope
from pyloader.loaders import schemes
from pyloader.network import Network
from pyloader.source import MetadataReady, Ready, Source
from pyloader.transport import Progress, Request, Response, Sink
from pyloader.transport.memory import MemoryTransport
from pyloader.volume import Volume, register_volume
from tests.support import builders, filesets

HOST = "https://host"
GREY = np.random.default_rng(3).integers(0, 4096, (6, 230, 250)).astype("u2")
BYTES = (GREY >> 4).astype("u1")
COLOR = np.stack([BYTES[0], BYTES[1], BYTES[2]], axis=-1)
ALPHA = np.dstack([COLOR, BYTES[3]])
# What is not counted: headers, tables, objects of Python.
UNCOUNTED_BYTES = 24 << 10
# What browsers decode, in place of a codec.
BROWSER = {"image/avif": ALPHA}

Answers = Mapping[str, bytes | Response]


@dataclass(frozen=True)
class Case:
    """A source, and an image of it.

    Attributes
    ----------
    answers : callable
        Returns what the network holds.
    expected : (rows, columns[, samples]) array or None
        Pixels of the image, by other means; None: what the first load gave.
    is_ready : bool
        Whether `Source.ready` knows the image once it is opened.
    """

    image_id: str
    answers: Callable[[], Answers]
    expected: np.ndarray | None = None
    is_ready: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


def cine(syntax: str = "") -> bytes:
    """Return a file of all frames, without an offset table when it is compressed."""
    if not syntax:
        return builders.native(GREY, NumberOfFrames=len(GREY))
    encode = builders.rle_encode_frame if syntax == RLELossless else builders.ENCODERS[syntax]
    return builders.encapsulated([encode(each) for each in GREY], GREY[0], syntax, False)


@functools.cache
def film() -> np.ndarray:
    """Return frames of a file that is worth to be fetched in parts."""
    return np.random.default_rng(4).integers(0, 4096, (5, 900, 1000)).astype("u2")


def large() -> bytes:
    """Return a file of these frames."""
    return builders.native(film(), NumberOfFrames=len(film()))


def service(body: bytes) -> dict[str, Response]:
    """Return what a DICOMweb service answers of an instance of several frames, and of its palette
    and ICC profile as bulk data."""
    dataset = dcmread(BytesIO(body))
    pixels = dataset.PixelData
    del dataset.PixelData
    attributes = dataset.to_json_dict()
    attributes["00282000"] = {"vr": "OB", "BulkDataURI": f"{INSTANCE}/bulk/profile"}
    frames = dataset.get("NumberOfFrames", 1)
    size = len(pixels) // frames
    kind = {"content-type": "application/octet-stream"}
    found = {
        f"{SERIES}/metadata": Response(
            "", 200, {"content-type": "application/dicom+json"}, json.dumps([attributes]).encode()
        ),
        f"{INSTANCE}/bulk/profile": Response("", 200, kind, bytes(300)),
    }
    for index in range(frames):
        url = f"{INSTANCE}/frames/{index + 1}"
        part = pixels[index * size : (index + 1) * size]
        found[url] = Response(url, 200, kind, part)
    return found


SERIES = f"{HOST}/studies/{builders.INSTANCE}.2/series/{builders.INSTANCE}.1"
INSTANCE = f"{SERIES}/instances/{builders.INSTANCE}"


def whole_service() -> dict[str, Response]:
    """Return what a service answers that has no metadata and no frames, only instances."""
    refused = (f"{SERIES}/metadata", f"{INSTANCE}/frames/2")
    found = {url: Response(url, 404, {}, b"") for url in refused}
    kind = {"content-type": "application/dicom"}
    return found | {INSTANCE: Response(INSTANCE, 200, kind, cine())}


def nifti(voxels: np.ndarray, packed: bool = False) -> bytes:
    """Return the file that nibabel writes of (slices, rows, columns)."""
    body = bytes(nibabel.Nifti1Image(voxels.T, np.diag([2, 2, 3, 1])).to_bytes())
    return compress(body) if packed else body


def pair() -> dict[str, bytes]:
    """Return header and voxels as two files."""
    image = nibabel.Nifti1Pair(GREY.T, np.diag([2, 2, 3, 1]))
    parts = {name: nibabel.FileHolder(fileobj=BytesIO()) for name in ("header", "image")}
    image.to_file_map(parts)
    head, voxels = (parts[name].fileobj.getvalue() for name in ("header", "image"))
    return {f"{HOST}/a.hdr": head, f"{HOST}/a.img": voxels}


def stored() -> dict[str, bytes | Response]:
    """Return the files that zarr writes."""
    store: dict[str, Any] = {}
    array = zarr.create_array(
        zarr.storage.MemoryStore(store), shape=GREY.shape, chunks=(2, 200, 200), dtype="u2"
    )
    array[:] = GREY
    found = {key: part.to_bytes() for key, part in store.items()}
    absent = (".zarray", ".zattrs", ".zgroup", ".zmetadata")
    missing = {f"{HOST}/a.zarr/{key}": Response(key, 404, {}, b"") for key in absent}
    return {f"{HOST}/a.zarr/{key}": body for key, body in found.items()} | missing


def picture(kind: str, *pages: np.ndarray, **options: Any) -> dict[str, bytes]:
    """Return the file that Pillow writes."""
    stream = BytesIO()
    first, *rest = map(Pillow.fromarray, pages)
    more = {"save_all": True, "append_images": rest} if rest else {}
    first.save(stream, kind, **more, **options)
    return {f"{HOST}/a.picture": stream.getvalue()}


def nrrd() -> dict[str, bytes]:
    """Return a NRRD, written by hand."""
    sizes = " ".join(map(str, GREY.shape[::-1]))
    header = f"NRRD0004\ntype: uint16\ndimension: 3\nsizes: {sizes}\nencoding: raw\nendian: little"
    return {f"{HOST}/a.nrrd": f"{header}\n\n".encode() + GREY.tobytes()}


def disc(name: str = "") -> dict[str, bytes]:
    """Return two files in a zip archive, one of them compressed as a whole too."""
    files = {"a.dcm": cine(), "b.dcm": builders.native(GREY[1])}
    kept = {key: body for key, body in files.items() if name in ("", key)}
    return {f"{HOST}/a.zip": filesets.zip_of(kept)}


def put(body: bytes) -> Callable[[], Answers]:
    """Return a function that returns a DICOM file at its address."""
    return lambda: {f"{HOST}/a.dcm": body}


CASES = {
    "file": Case("wadouri:https://host/a.dcm", put(builders.native(GREY[0])), GREY[0]),
    "file of frames": Case("wadouri:https://host/a.dcm?frame=3", put(cine()), GREY[2]),
    "gzip": Case(
        "wadouri:https://host/a.dcm",
        lambda: {f"{HOST}/a.dcm": compress(builders.native(GREY[0]))},
        GREY[0],
    ),
    "RLE": Case("dicomweb:https://host/a.dcm?frame=2", put(cine(RLELossless)), GREY[1]),
    "ranges": Case(
        "wadouri:https://host/a.dcm?frame=4",
        lambda: {f"{HOST}/a.dcm": large()},
        None,
        is_ready=False,
    ),
    "ranges, no table": Case(
        "wadouri:https://host/a.dcm?frame=3",
        lambda: {
            f"{HOST}/a.dcm": builders.encapsulated(
                list(map(builders.ENCODERS[JPEGLSLossless], film())),
                film()[0],
                JPEGLSLossless,
                False,
            )
        },
        None,
        is_ready=False,
    ),
    "member": Case("wadouri:https://host/a.zip#member=a.dcm?frame=3", disc, GREY[2]),
    "archive of one file": Case(
        "wadouri:https://host/a.zip?frame=2", lambda: disc("a.dcm"), GREY[1], is_ready=False
    ),
    "frames of a service": Case(
        f"wadors:{INSTANCE}/frames/2", lambda: service(cine()), GREY[1], is_ready=False
    ),
    "instance of a service": Case(f"wadors:{INSTANCE}/frames/2", whole_service, GREY[1]),
    "PNG": Case(f"web:{HOST}/a.picture", lambda: picture("PNG", COLOR), COLOR),
    "JPEG": Case(f"{HOST}/a.picture", lambda: picture("JPEG", COLOR)),
    "BMP": Case(f"{HOST}/a.picture", lambda: picture("BMP", COLOR), COLOR),
    "WebP": Case(f"{HOST}/a.picture", lambda: picture("WEBP", COLOR, lossless=True), COLOR),
    "animated WebP": Case(
        f"web:{HOST}/a.picture?frame=2",
        lambda: picture("WEBP", COLOR, COLOR[::-1], lossless=True),
        COLOR[::-1],
        is_ready=False,
    ),
    "GIF": Case(
        f"{HOST}/a.picture#frame=2", lambda: picture("GIF", BYTES[0], BYTES[1]), is_ready=False
    ),
    "AVIF": Case(f"{HOST}/a.picture", lambda: picture("AVIF", COLOR), is_ready=False),
    "AVIF of a browser": Case(
        f"{HOST}/a.picture", lambda: picture("AVIF", ALPHA), ALPHA, is_ready=False
    ),
    "TIFF": Case(f"{HOST}/a.picture#frame=2", lambda: picture("TIFF", *BYTES[:3]), BYTES[1]),
    "NIfTI": Case(f"nifti:{HOST}/a.nii?frame=2", lambda: {f"{HOST}/a.nii": nifti(GREY)}, GREY[2]),
    "NIfTI, packed": Case(
        f"nifti:{HOST}/a.nii?frame=2", lambda: {f"{HOST}/a.nii": nifti(GREY, True)}, GREY[2]
    ),
    "NIfTI of two files": Case(f"nifti:{HOST}/a.img?frame=2", pair, GREY[2]),
    "Zarr": Case(f"zarr:{HOST}/a.zarr?frame=3", stored, GREY[2], is_ready=False),
    "NRRD": Case(f"nrrd:{HOST}/a.nrrd?frame=3", nrrd, GREY[2]),
    "function": Case("mine:/a.raw", lambda: {"/a.raw": GREY[0].tobytes()}, GREY[0], is_ready=False),
    "function over a scheme": Case(
        f"half:wadouri:{HOST}/a.dcm?frame=3", put(cine()), GREY[2] // 2, is_ready=False
    ),
    "volume of a user": Case("voxels:/a.raw?frame=3", lambda: {"/a.raw": GREY.tobytes()}, GREY[2]),
}


@pytest.fixture(autouse=True)
def loaders() -> Iterator[None]:
    """Register what a user may write."""

    @register_loader("mine")
    async def load(image_id: ImageId, context: Context) -> Image:
        response = await context.fetch(image_id.rest)
        return Image.from_array(np.frombuffer(response.body, "<u2").reshape(GREY[0].shape))

    @register_loader("half")
    async def half(image_id: ImageId, context: Context) -> Image:
        image = await context.load(image_id.text.partition(":")[2])
        return image.with_pixels(image.pixels // 2)

    @register_volume("voxels")
    async def read(image_id: ImageId, context: Context) -> Volume:
        response = await context.fetch(image_id.rest)
        return Volume.from_array(np.frombuffer(response.body, "<u2").reshape(GREY.shape))

    yield
    schemes.drop(__name__)


class Browser(PlainHost):
    """A host that decodes."""

    async def decode(self, body: bytes, media_type: str, frame_index: int) -> np.ndarray:
        """Return the frame after a while."""
        await asyncio.sleep(0)
        return BROWSER[media_type]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Case:
    """Return each kind of source."""
    if request.param == "AVIF of a browser":
        monkeypatch.setattr("pyloader.loaders.web_images.avif.has_codec", lambda name: False)
    found: Case = CASES[request.param]
    return found


def context_of(transport: MemoryTransport) -> Context:
    """Return the context of a load."""
    return Context(Network(transport, retries=0), Cache(1 << 28), host=Browser())


async def opened(case: Case, context: Context) -> Source:
    """Open a source, as a load does."""
    with load_scope(case.image_id, context) as (open_source, image_id, inner):
        return await open_source(image_id, inner)


async def fetched(case: Case, context: Context) -> tuple[Source, Ready, Context]:
    """Fetch an image, and return the context that it is to be made with."""
    with load_scope(case.image_id, context) as (open_source, image_id, inner):
        source = await open_source(image_id, inner)
        return source, await source.fetch(image_id, inner), inner


def check(case: Case, image: Image, other: Image | None = None) -> None:
    """Compare an image with what is expected."""
    expected = case.expected
    if expected is None:
        assert other is not None
        expected = other.pixels
    assert image.pixels.dtype == expected.dtype
    np.testing.assert_array_equal(image.pixels, expected)


# ------------------------------------------------------------------ making never waits


async def test_image_is_made_without_the_network(case):
    """Of what was fetched, also when the source is gone from the cache meanwhile."""
    transport = MemoryTransport(case.answers())
    loaded = await load_image(case.image_id, context_of(transport))
    transport = MemoryTransport(case.answers())
    _, ready, context = await fetched(case, context_of(transport))
    count = len(transport.requests)
    transport.answers = {}
    context.cache.clear()
    check(case, ready.make(context), loaded)
    check(case, ready.make(context), loaded)
    frame = ready.encoded()
    assert frame is None or len(frame.body) < loaded.pixels.nbytes * 2
    assert ready.describe(context)["image_pixel"]
    assert len(transport.requests) == count


async def test_what_is_ready_is_what_would_be_fetched(case):
    transport = MemoryTransport(case.answers())
    context = context_of(transport)
    loaded = await load_image(case.image_id, context)
    source = await opened(case, context)
    count = len(transport.requests)
    ready = source.ready(ImageId.parse(case.image_id))
    assert (ready is not None) is case.is_ready
    if ready is not None:
        check(case, ready.make(context), loaded)
    assert len(transport.requests) == count


@pytest.mark.parametrize("name", ["make", "describe", "encoded", "ready"])
async def test_none_of_it_is_a_coroutine(case, name):
    source, ready, _ = await fetched(case, context_of(MemoryTransport(case.answers())))
    function = getattr(source if name == "ready" else ready, name)
    assert not inspect.iscoroutinefunction(function)


async def test_metadata_are_those_of_the_image(case):
    """Fetched alone, or with the pixels."""
    alone = await load_metadata(case.image_id, context_of(MemoryTransport(case.answers())))
    _, ready, context = await fetched(case, context_of(MemoryTransport(case.answers())))
    image, described = ready.make(context), ready.describe(context)
    for modules in (alone, described):
        assert (modules["image_pixel"].rows, modules["image_pixel"].columns) == (
            image.pixels.shape[:2]
        )
        assert modules["image_plane"] == image.plane
        assert modules["modality_lut"] == image.modality_lut


async def test_listed_images_are_ready_or_can_be_fetched(case):
    context = context_of(MemoryTransport(case.answers()))
    series = await list_series(case.image_id, context)
    assert [each for found in series for each in found.image_ids]
    for image_id in series[0].image_ids[:2]:
        assert (await load_image(image_id, context)).pixels.size


def test_pixels_that_were_not_fetched_are_no_image():
    with pytest.raises(FormatError, match="only the metadata of this image were fetched"):
        MetadataReady({}).make(context_of(MemoryTransport({})))


async def test_volume_of_a_header_makes_no_image():
    context = context_of(MemoryTransport({f"{HOST}/a.nii": nifti(GREY)}))
    with load_scope(f"nifti:{HOST}/a.nii", context) as (open_source, image_id, inner):
        source = await open_source(image_id, inner, pixels=False)
        assert source.ready(image_id) is None
        ready = await source.fetch(image_id, inner)
    with pytest.raises(FormatError, match="fetch it with its pixels"):
        ready.make(context)
    assert source.nbytes == 0


# ------------------------------------------------------------------ nothing half made


class Stalling(MemoryTransport):
    """Never answers one of the requests, counted from 0."""

    def __init__(self, answers: Answers, number: int) -> None:
        super().__init__(answers)
        self.number = number
        self.is_stalled = asyncio.Event()

    async def send(
        self, request: Request, progress: Progress, sink: Sink | None = None
    ) -> Response:
        """Answer, or wait to be cancelled; half of a body has come then."""
        if len(self.requests) != self.number:
            return await super().send(request, progress, sink)
        self.requests.append(request)
        answer = self.answers.get(request.url)
        if sink is not None and isinstance(answer, bytes):
            start = request.byte_range[0] if request.byte_range else 0
            status, headers = (206, {}) if request.byte_range else (200, {})
            if sink.begin(Response(request.url, status, headers, b"")):
                sink.feed(answer[start : start + (len(answer) - start) // 2])
        self.is_stalled.set()
        await asyncio.Event().wait()
        raise AssertionError("it is cancelled before")


async def cancelled(case: Case, number: int) -> Context | None:
    """Cancel a load while a request of it is under way; None when it has not so many."""
    transport = Stalling(case.answers(), number)
    context = context_of(transport)
    task = asyncio.ensure_future(load_image(case.image_id, context))
    stalled = asyncio.ensure_future(transport.is_stalled.wait())
    await asyncio.wait([task, stalled], return_when=asyncio.FIRST_COMPLETED, timeout=10)
    stalled.cancel()
    if task.done():
        return None
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    transport.number = -1
    return context


async def test_cancelled_fetch_leaves_nothing_half_made(case):
    loaded = await load_image(case.image_id, context_of(MemoryTransport(case.answers())))
    number = 0
    while (context := await cancelled(case, number)) is not None:
        await asyncio.sleep(0)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not await running(others), "the work goes on for nobody"
        assert context.cache.size <= held(context) + UNCOUNTED_BYTES
        check(case, await load_image(case.image_id, context), loaded)
        number += 1
    assert number >= 1


async def running(tasks: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Return those that do not end by themselves at once."""
    return (await asyncio.wait(tasks, timeout=1))[1] if tasks else set()


@pytest.mark.parametrize("change", [lambda body: body[: len(body) // 2], lambda body: b""])
async def test_failed_fetch_leaves_nothing_half_made(case, change):
    """A network that has mended gives the image, whatever was there before."""
    good = case.answers()
    loaded = await load_image(case.image_id, context_of(MemoryTransport(good)))
    for url, answer in good.items():
        body = answer if isinstance(answer, bytes) else answer.body
        cut = change(body)
        spoilt = cut if isinstance(answer, bytes) else replace(answer, body=cut)
        transport = MemoryTransport({**good, url: spoilt})
        context = context_of(transport)
        try:
            await load_image(case.image_id, context)
        except LoaderError:
            transport.answers = good
            check(case, await load_image(case.image_id, context), loaded)


# ------------------------------------------------------------------ what is held


def held(context: Context) -> int:
    """Return the bytes that the values of a cache hold, each counted once."""
    return weight([kept.value for kept in context.cache._values.values()])


def weight(root: Any) -> int:
    """Return the bytes of all large buffers that can be reached, without modules and classes."""
    total, seen, queue = 0, set(), [root]
    skipped = (types.ModuleType, type, Context, Network, Cache)
    while queue:
        value = queue.pop()
        if id(value) in seen or isinstance(value, skipped):
            continue
        seen.add(id(value))
        if isinstance(value, (bytes, bytearray)):
            total += len(value) if len(value) > 1 << 10 else 0
        elif isinstance(value, memoryview):
            queue.append(value.obj)
        elif isinstance(value, np.ndarray):
            total += value.nbytes if value.base is None else 0
            queue.append(value.base)
        elif isinstance(value, types.FunctionType):
            queue.extend(cell.cell_contents for cell in value.__closure__ or ())
        elif not isinstance(value, (str, int, float, types.CodeType)):
            queue.extend(gc.get_referents(value))
    return total


async def test_bytes_are_those_that_are_held(case):
    context = context_of(MemoryTransport(case.answers()))
    await load_image(case.image_id, context)
    size = held(context)
    assert abs(context.cache.size - size) < UNCOUNTED_BYTES + size // 50
    source = await opened(case, context)
    assert source.nbytes <= weight(source) + UNCOUNTED_BYTES


async def test_nothing_is_held_of_what_has_gone(case):
    context = context_of(MemoryTransport(case.answers()))
    await load_image(case.image_id, context)
    for source in {case.image_id, f"wadouri:{HOST}/a.dcm", SERIES}:
        context.cache.discard(ImageId.parse(source).source if ":" in source else source)
    assert held(context) < UNCOUNTED_BYTES


# ------------------------------------------------------------------ images that are not there


@pytest.mark.parametrize("name", ["file", "file of frames", "ranges", "member", "TIFF", "GIF"])
async def test_image_that_is_not_there(name):
    case = CASES[name]
    lead = "#" if case.image_id.startswith("https") else "?"
    bare = case.image_id.partition("?frame" if lead == "?" else "#frame")[0]
    context = context_of(MemoryTransport(case.answers()))
    for load in (load_image, load_metadata):
        with pytest.raises(ImageIdError, match="frame 9 was asked for"):
            await load(f"{bare}{lead}frame=9", context)
