"""Frames of large files by byte ranges: what is asked for, what it costs, and the same pixels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from struct import pack, unpack
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from pyloader import Context, Image, load_image, load_metadata
from pyloader.cache import Cache
from pyloader.dicom.parse import parse_part10
from pyloader.errors import (
    DecodeError,
    FormatError,
    HttpStatusError,
    ImageIdError,
    LoaderError,
    NetworkError,
)
from pyloader.loaders.instance_source import make_image
from pyloader.loaders.wadouri.ranged_file import SMALL_REST_BYTES
from pyloader.loaders.wadouri.source import FRAMES_BYTES, HEADER_BYTES, WHOLE_BYTES
from pyloader.network import Network
from pyloader.transport import Response
from pyloader.transport.memory import MemoryTransport, cut, pour
from pyloader.transport.native import NativeTransport
from tests.support import builders
from tests.support.dicomweb import DicomWebServer
from tests.support.dicomweb.answers import Memory
from tests.support.dicomweb.archive import with_pixel_header
from tests.support.dicomweb.combine import when
from tests.support.dicomweb.quirks import changed_source, find_quirk, no_range
from tests.support.encoded import relabelled

pytestmark = pytest.mark.usefixtures("all_ended")
FRAMES = 6
LAST = FRAMES - 1


# ------------------------------------------------------------------ files


@dataclass(frozen=True)
class File:
    """A file and the pixels of its frames."""

    body: bytes
    frames: np.ndarray


@cache
def noise(rows: int = 512, columns: int = 320, bits: int = 12, frames: int = FRAMES) -> np.ndarray:
    """Return frames that no codec makes small."""
    dtype = "u1" if bits <= 8 else "u2"
    shape = (frames, rows, columns)
    return np.random.default_rng(7).integers(0, 1 << bits, shape, dtype)


@cache
def jpeg_ls_frames() -> list[bytes]:
    """Return the frames of `noise`, encoded."""
    return [imagecodecs.jpegls_encode(frame) for frame in noise()]


def rle_encode(pixels: np.ndarray) -> bytes:
    """Encode 16-bit pixels in literal runs of 128 bytes (PS3.5 G)."""
    planes = [(pixels >> 8).astype("u1"), (pixels & 0xFF).astype("u1")]
    runs = [np.insert(plane.reshape(-1, 128), 0, 127, axis=1).tobytes() for plane in planes]
    return pack("<16L", 2, 64, 64 + len(runs[0]), *[0] * 13) + b"".join(runs)


def native(pixels: np.ndarray, syntax: str = ExplicitVRLittleEndian, **attributes: Any) -> File:
    """Make a file of uncompressed frames."""
    attributes["NumberOfFrames"] = len(pixels)
    return File(builders.native(pixels, syntax, **attributes), pixels)


def ge() -> File:
    """Make a file of GE's private transfer syntax."""
    dataset = builders.header(noise()[0], NumberOfFrames=FRAMES)
    body = with_pixel_data(dataset, noise().astype(">u2").tobytes(), "OW", ImplicitVRLittleEndian)
    return File(relabelled(body, "1.2.840.113619.5.2"), noise())


def mislabelled(syntax: str) -> File:
    """Make a big endian file whose meta header names another transfer syntax."""
    return File(relabelled(native(noise(), ExplicitVRBigEndian).body, syntax), noise())


def encapsulated(pixel_data: bytes, syntax: str = JPEGLSLossless, **attributes: Any) -> File:
    """Make a file of the frames of `noise`, which `pixel_data` has encoded."""
    dataset = builders.header(noise()[0], **{"NumberOfFrames": FRAMES} | attributes)
    return File(with_pixel_data(dataset, pixel_data, "OB", syntax), noise())


def with_pixel_data(dataset: Dataset, pixel_data: bytes, vr: str, syntax: str) -> bytes:
    """Write a data set with pixel data."""
    dataset.PixelData = pixel_data
    dataset["PixelData"].VR = vr
    return builders.part10(dataset, syntax)


def with_basic_table(*offsets: int) -> File:
    """Make a file with a certain Basic Offset Table."""
    table = b"\xfe\xff\x00\xe0" + pack(f"<{len(offsets) + 1}L", 4 * len(offsets), *offsets)
    without = encapsulate(jpeg_ls_frames(), has_bot=False)
    return encapsulated(table + without[8:])


@cache
def true_offsets() -> list[int]:
    """Return what a Basic Offset Table of the frames holds."""
    sizes = [8 + len(frame) + len(frame) % 2 for frame in jpeg_ls_frames()]
    return [sum(sizes[:index]) for index in range(FRAMES)]


def with_extended_table(
    shift: int = 0, scale: Callable[[int], int] = lambda length: length
) -> File:
    """Make a file with an Extended Offset Table, perhaps a wrong one."""
    pixel_data, offsets, lengths = encapsulate_extended(jpeg_ls_frames())
    shifted = [offset + shift for offset in unpack(f"<{FRAMES}Q", offsets)]
    scaled = [scale(length) for length in unpack(f"<{FRAMES}Q", lengths)]
    return encapsulated(
        pixel_data,
        ExtendedOffsetTable=pack(f"<{FRAMES}Q", *shifted),
        ExtendedOffsetTableLengths=pack(f"<{FRAMES}Q", *scaled),
    )


def swapped(columns: int) -> File:
    """Make a file of bytes in words, in big endian."""
    pixels = noise(601, columns, 8)
    content = pixels.tobytes() + b"\0" * (pixels.size % 2)
    dataset = builders.header(pixels[0], NumberOfFrames=FRAMES)
    words = np.frombuffer(content, "u2").byteswap().tobytes()
    return File(with_pixel_data(dataset, words, "OW", ExplicitVRBigEndian), pixels)


def bits(columns: int) -> File:
    """Make a file of single bits, of which frames begin within a byte or not."""
    frames = 12
    pixels = noise(1001, columns, 1, frames)
    content = np.packbits(pixels.ravel(), bitorder="little").tobytes()
    dataset = builders.header(pixels[0], NumberOfFrames=frames, BitsAllocated=1, BitsStored=1)
    padded = content + b"\0" * (len(content) % 2)
    return File(with_pixel_data(dataset, padded, "OB", ExplicitVRLittleEndian), pixels)


def floats() -> File:
    """Make a file of numbers with a fraction."""
    pixels = np.random.default_rng(7).normal(size=(FRAMES, 400, 300)).astype("f4")
    dataset = builders.header(pixels[0].view("u4"), NumberOfFrames=FRAMES)
    for keyword in ("PixelRepresentation", "BitsStored", "HighBit"):
        del dataset[keyword]
    dataset.FloatPixelData = pixels.tobytes()
    return File(builders.part10(dataset, ExplicitVRLittleEndian), pixels)


def planes() -> File:
    """Make a file of colour by plane."""
    pixels = noise(400, 3 * 300, 8).reshape(FRAMES, 400, 300, 3)
    dataset = builders.header(pixels, NumberOfFrames=FRAMES, PlanarConfiguration=1)
    content = pixels.transpose(0, 3, 1, 2).tobytes()
    return File(with_pixel_data(dataset, content, "OB", ExplicitVRLittleEndian), pixels)


MAKERS: dict[str, Callable[[], File]] = {
    "native": lambda: native(noise()),
    "native, implicit": lambda: native(noise(), ImplicitVRLittleEndian),
    "native, big endian": lambda: native(noise(), ExplicitVRBigEndian),
    "native, big endian pixels alone": ge,
    "native, signed": lambda: native(noise().astype("i2") - 2000),
    "native, 8 bit, odd": lambda: native(noise(601, 501, 8)),
    "native, planes": planes,
    "native, floats": floats,
    "bytes in swapped words": lambda: swapped(500),
    "bits": lambda: bits(1000),
    "basic table": lambda: encapsulated(encapsulate(jpeg_ls_frames())),
    "basic table, fragments": lambda: encapsulated(
        encapsulate(jpeg_ls_frames(), fragments_per_frame=3)
    ),
    "extended table": with_extended_table,
    "no table": lambda: encapsulated(encapsulate(jpeg_ls_frames(), has_bot=False)),
    "no table, RLE": lambda: encapsulated(
        encapsulate([rle_encode(frame) for frame in noise()], has_bot=False), RLELossless
    ),
    "no table, fragments": lambda: encapsulated(
        encapsulate(jpeg_ls_frames(), fragments_per_frame=3, has_bot=False)
    ),
    # Of these no frame can be fetched alone.
    "odd bytes in swapped words": lambda: swapped(501),
    "bits within a byte": lambda: bits(1001),
    "big endian of another label": lambda: mislabelled(RLELossless),
    "deflated": lambda: native(noise(), DeflatedExplicitVRLittleEndian),
    "lengths too large": lambda: with_extended_table(scale=lambda length: 3 * length),
}
ALONE = list(MAKERS)[: list(MAKERS).index("odd bytes in swapped words")]
WHOLE = [name for name in MAKERS if name not in ALONE]


@cache
def made(name: str) -> File:
    """Return a file by its name."""
    return MAKERS[name]()


# ------------------------------------------------------------------ harness


class Viewer:
    """Loads frames of one file.

    Parameters
    ----------
    url : str
    transport : Transport
    retries, limit : int
        Of the network, and of the cache.
    """

    def __init__(self, url: str, transport: Any, retries: int = 0, limit: int = 1 << 28) -> None:
        self.url = url
        self.network = Network(transport, retries=retries)
        self.cache = Cache(limit)

    def context(self, *upcoming: int) -> Context:
        """Return the context of a load, before which some frames were announced."""
        return Context(self.network, self.cache, upcoming=upcoming)

    async def image(self, index: int | None, *upcoming: int) -> Image:
        """Load a frame, from 0; None for the first, without naming it."""
        frame = "" if index is None else f"?frame={index + 1}"
        return await load_image(f"wadouri:{self.url}{frame}", self.context(*upcoming))

    async def pixels(self, index: int | None, *upcoming: int) -> np.ndarray:
        """Load the pixels of a frame."""
        return (await self.image(index, *upcoming)).pixels

    async def together(self, *indices: int) -> list[np.ndarray]:
        """Load frames at once, each with the others announced."""
        return await asyncio.gather(*[self.pixels(index, *indices) for index in indices])


@pytest.fixture
def site(dicomweb_server: DicomWebServer) -> DicomWebServer:
    """Return the server, with nothing asked."""
    dicomweb_server.clear()
    return dicomweb_server


def view(site: DicomWebServer, body: bytes, quirk: str = "", **options: int) -> Viewer:
    """Serve a file, perhaps with a quirk, and return who looks at it."""
    path = site.put("/ranges/file.dcm", body)
    return Viewer(site.url + (quirk and f"/quirk/{quirk}") + path, NativeTransport(), **options)


def asked(site: DicomWebServer) -> list[str]:
    """Return the ranges that were asked for, in order."""
    assert site.settle()
    return [exchange.headers.get("range", "whole") for exchange in site.log]


def cost(site: DicomWebServer) -> tuple[int, int]:
    """Return how many requests there were, and how many bytes they brought."""
    assert site.settle()
    return site.tally()


def remember(body: bytes, **options: int) -> tuple[Viewer, MemoryTransport]:
    """Return who looks at a file in memory."""
    transport = MemoryTransport({"https://host/file": body})
    return Viewer("https://host/file", transport, **options), transport


def whole(body: bytes, index: int) -> np.ndarray | None:
    """Return a frame of a file that is there as a whole, None when it cannot be read."""
    try:
        return make_image(parse_part10(body), index).pixels
    except LoaderError:
        return None


def same(image: Image, expected: np.ndarray) -> bool:
    """Tell whether an image has certain pixels of a certain class."""
    return image.pixels.dtype == expected.dtype and np.array_equal(image.pixels, expected)


# ------------------------------------------------------------------ pixels


@pytest.mark.parametrize("name", MAKERS)
async def test_frames_are_those_of_the_file(name):
    file = made(name)
    viewer, transport = remember(file.body)
    for index in (3, 0, len(file.frames) - 1):
        assert same(await viewer.image(index), file.frames[index])
    ranges = [request.byte_range for request in transport.requests]
    brought = sum(len(file.body[slice(*each)]) for each in ranges if each)
    assert (brought < len(file.body)) is (name in ALONE)


@pytest.mark.parametrize("name", MAKERS)
async def test_frames_that_are_announced_are_those_of_the_file(site, name):
    file = made(name)
    wanted = [4, 1, 2, len(file.frames) - 1]
    for index, pixels in zip(wanted, await view(site, file.body).together(*wanted), strict=True):
        assert np.array_equal(pixels, file.frames[index])


# Requests for frame 4: without table, one more for each fragment that is passed by.
REQUESTS = {"no table": 5, "no table, RLE": 5, "no table, fragments": 11}
LOOK_BYTES = 30


@pytest.mark.parametrize("name", ALONE)
async def test_frame_costs_itself_and_the_header(site, name):
    file = made(name)
    assert same(await view(site, file.body).image(3), file.frames[3])
    encoded = {"bits": 1001 * 1000 // 8, "no table, RLE": len(rle_encode(noise()[3]))}
    length = len(jpeg_ls_frames()[3]) if "table" in name else file.frames[3].nbytes
    requests, sent = cost(site)
    assert requests == REQUESTS.get(name, 2)
    assert sent <= FRAMES_BYTES + encoded.get(name, length) + (requests + 2) * LOOK_BYTES


@pytest.mark.parametrize("name", WHOLE)
async def test_what_cannot_be_taken_apart_is_fetched_once(site, name):
    file = made(name)
    viewer = view(site, file.body)
    for index in (3, 0, LAST):
        assert same(await viewer.image(index), file.frames[index])
    requests, sent = cost(site)
    assert requests <= 3
    assert sent == len(file.body)


TABLES: dict[str, Callable[[], File]] = {
    "too few": lambda: with_basic_table(*true_offsets()[:LAST]),
    "too many": lambda: with_basic_table(*true_offsets(), true_offsets()[-1] + 8),
    "falling": lambda: with_basic_table(*true_offsets()[::-1]),
    "all zero": lambda: with_basic_table(*[0] * FRAMES),
    "beside the items": lambda: with_basic_table(*[offset + 10 for offset in true_offsets()]),
    "beyond the file": lambda: with_basic_table(*[offset + (1 << 24) for offset in true_offsets()]),
    "extended, beside the items": lambda: with_extended_table(shift=10),
    "extended, beyond the file": lambda: with_extended_table(shift=1 << 24),
    "extended, lengths too small": lambda: with_extended_table(scale=lambda length: length // 2),
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("quirk", ["", "no-range-header"])
async def test_file_with_a_wrong_table_is_what_it_is_as_a_whole(site, table, quirk):
    body = TABLES[table]().body
    viewer = view(site, body, quirk)
    for index in (3, LAST):
        expected = whole(body, index)
        if expected is None:
            with pytest.raises(DecodeError, match=f"frame {index + 1}, .* cannot be decoded"):
                await viewer.pixels(index)
        else:
            assert np.array_equal(await viewer.pixels(index), expected)


@pytest.mark.parametrize("index", [4, LAST])
async def test_frame_that_a_file_lacks_is_told_as_of_the_whole(site, index):
    """Frame 5 is cut off, of frame 6 there is nothing."""
    body = made("native").body[: -3 * noise()[0].nbytes // 2]
    viewer = view(site, body)
    assert np.array_equal(await viewer.pixels(3), noise()[3])
    expected = (
        f"frame {index + 1} needs .* bytes of pixel data, .*; the file is cut off, .* missing"
    )
    with pytest.raises(FormatError, match=expected):
        await viewer.pixels(index)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, RLELossless])
@pytest.mark.parametrize("announced", [FRAMES + 1, FRAMES + 2, FRAMES - 2])
async def test_file_without_table_whose_header_has_another_number_of_frames(
    site, syntax, announced
):
    frames = jpeg_ls_frames() if syntax == JPEGLSLossless else map(rle_encode, noise())
    pixel_data = encapsulate(list(frames), has_bot=False)
    body = encapsulated(pixel_data, syntax, NumberOfFrames=announced).body
    viewer = view(site, body)
    assert np.array_equal(await viewer.pixels(3), noise()[3])
    if announced > FRAMES:
        expected = f"frame {announced} cannot be found: .* NumberOfFrames is {announced}"
        with pytest.raises(FormatError, match=expected):
            await viewer.pixels(announced - 1)


def damaged_beginning(fragments_per_frame: int) -> bytes:
    """Make a file without table whose frame 3 does not begin as its codec's do."""
    frames = list(jpeg_ls_frames())
    frames[2] = b"\x12\x34" + frames[2][2:]
    pixel_data = encapsulate(frames, fragments_per_frame=fragments_per_frame, has_bot=False)
    return encapsulated(pixel_data).body


@pytest.mark.parametrize("fragments_per_frame", [1, 3])
async def test_frame_with_a_damaged_beginning_does_not_give_its_number_to_the_next(
    site, fragments_per_frame
):
    viewer = view(site, damaged_beginning(fragments_per_frame))
    for index in (0, 1, 3, LAST):
        assert np.array_equal(await viewer.pixels(index), noise()[index]), f"frame {index + 1}"
    with pytest.raises(DecodeError, match="frame 3, "):
        await viewer.pixels(2)


# ------------------------------------------------------------------ cost of a large file

LARGE_FRAMES = 100
BASE = builders.ramp(512, 512)
FRAME_BYTES = BASE.nbytes


def frame(index: int) -> np.ndarray:
    """Return a frame of the large file."""
    return BASE + index


def large(site: DicomWebServer, frames: int = LARGE_FRAMES) -> tuple[Viewer, int]:
    """Serve many frames that are made when they are asked for; return the size of the header."""
    header = builders.part10(builders.header(BASE, NumberOfFrames=frames), ExplicitVRLittleEndian)
    header = with_pixel_header(header, frames * FRAME_BYTES)
    path = site.put_large("/ranges/large.dcm", header, lambda index: frame(index).tobytes(), frames)
    return Viewer(site.url + path, NativeTransport()), len(header)


async def test_metadata_of_a_large_file_are_one_small_request(site):
    viewer, _ = large(site, 40)
    modules = await load_metadata(f"wadouri:{viewer.url}?frame=7", viewer.context())
    assert modules["image_pixel"].rows == 512
    assert modules["multiframe"] == {"number_of_frames": 40, "frame_number": 7}
    assert cost(site) == (1, HEADER_BYTES)


async def test_frame_of_a_large_file_is_the_header_and_itself(site):
    viewer, start = large(site)
    assert np.array_equal(await viewer.pixels(70), frame(70))
    first = start + 70 * FRAME_BYTES
    assert asked(site) == [
        f"bytes=0-{FRAMES_BYTES - 1}",
        f"bytes={first}-{first + FRAME_BYTES - 1}",
    ]
    assert cost(site) == (2, FRAMES_BYTES + FRAME_BYTES)


async def test_frame_after_the_metadata_is_itself_alone(site):
    viewer, _ = large(site)
    await load_metadata(f"wadouri:{viewer.url}", viewer.context())
    assert np.array_equal(await viewer.pixels(LARGE_FRAMES - 1), frame(LARGE_FRAMES - 1))
    assert cost(site) == (2, HEADER_BYTES + FRAME_BYTES)


async def test_frames_that_follow_one_another_are_one_request(site):
    viewer, start = large(site)
    found = await viewer.together(*range(20, 30))
    assert all(np.array_equal(found[index], frame(20 + index)) for index in range(10))
    first = start + 20 * FRAME_BYTES
    assert asked(site)[1:] == [f"bytes={first}-{first + 10 * FRAME_BYTES - 1}"]
    assert cost(site) == (2, FRAMES_BYTES + 10 * FRAME_BYTES)


async def test_frames_apart_are_a_request_each(site):
    viewer, _ = large(site)
    for index, pixels in zip((20, 30, 21), await viewer.together(20, 30, 21), strict=True):
        assert np.array_equal(pixels, frame(index))
    assert cost(site) == (3, FRAMES_BYTES + 3 * FRAME_BYTES)


async def test_frame_that_was_announced_and_has_come_costs_nothing(site):
    viewer, _ = large(site)
    await viewer.together(3, 4)
    spent = cost(site)
    assert np.array_equal(await viewer.pixels(4), frame(4))
    assert cost(site) == spent


async def test_same_frame_asked_for_twice_is_one_request(site):
    viewer, _ = large(site)
    for pixels in await asyncio.gather(viewer.pixels(5), viewer.pixels(5)):
        assert np.array_equal(pixels, frame(5))
    assert cost(site) == (2, FRAMES_BYTES + FRAME_BYTES)


async def test_large_file_is_left_when_its_header_has_come(site):
    """No frame is named: it may have been a file of one."""
    viewer, start = large(site)
    assert np.array_equal(await viewer.pixels(None), frame(0))
    assert asked(site) == ["whole", f"bytes={start}-{start + FRAME_BYTES - 1}"]
    assert site.log[0].closed
    assert site.log[0].sent < LARGE_FRAMES * FRAME_BYTES / 2


async def test_frame_that_is_not_there_is_told_after_the_header(site):
    viewer, _ = large(site)
    expected = "frame 101 was asked for, but the instance has 100 frames; frames count from 1"
    with pytest.raises(ImageIdError, match=expected):
        await viewer.pixels(100)
    assert cost(site) == (1, FRAMES_BYTES)


@pytest.mark.parametrize("name", ["native", "basic table", "no table"])
async def test_frames_that_are_not_there_may_be_announced(site, name):
    viewer = view(site, made(name).body)
    assert np.array_equal(await viewer.pixels(3, 4, 99, 6), noise()[3])


@pytest.mark.parametrize("index", [None, 0])
async def test_small_file_is_one_request(site, index):
    """A file with a frame named may be of any size; a small one comes whole with its header."""
    pixels = builders.ramp(128, 128)
    assert np.array_equal(await view(site, builders.native(pixels)).pixels(index), pixels)
    assert cost(site)[0] == 1


async def test_large_file_of_one_frame_is_one_request(site):
    pixels = noise(1600, 1600, 12, 1)[0]
    body = builders.native(pixels)
    assert len(body) > WHOLE_BYTES
    assert np.array_equal(await view(site, body).pixels(None), pixels)
    assert cost(site) == (1, len(body))


async def test_large_file_of_one_frame_that_is_named_is_fetched_to_its_end(site):
    pixels = noise(1600, 1600, 12, 1)[0]
    body = builders.native(pixels)
    assert np.array_equal(await view(site, body).pixels(0), pixels)
    assert cost(site) == (2, len(body))


async def test_large_file_that_comes_at_once_is_not_asked_for_again():
    """The network may hand over more at a time than there are."""
    body = native(noise(1024, 512)).body
    assert len(body) > WHOLE_BYTES
    asked = []

    class AtOnce:
        async def send(self, request, progress, sink=None):
            asked.append(request.byte_range)
            headers = {"content-length": str(len(body)), "accept-ranges": "bytes"}
            head = Response(request.url, 200, headers, b"")
            assert sink is not None
            assert sink.begin(head)
            sink.feed(body)
            return head

    viewer = Viewer("https://host/file", AtOnce())
    assert np.array_equal(await viewer.pixels(None), noise(1024, 512)[0])
    assert np.array_equal(await viewer.pixels(3), noise(1024, 512)[3])
    assert asked == [None]


async def test_rest_of_a_file_is_fetched_when_it_is_small(site):
    pixels = noise(256, 256, 12, 8)
    body = builders.native(pixels, NumberOfFrames=8)
    assert 0 < len(body) - FRAMES_BYTES <= SMALL_REST_BYTES
    viewer = view(site, body)
    assert np.array_equal(await viewer.pixels(5), pixels[5])
    assert np.array_equal(await viewer.pixels(0), pixels[0])
    assert asked(site) == [f"bytes=0-{FRAMES_BYTES - 1}", f"bytes={FRAMES_BYTES}-"]
    assert cost(site) == (2, len(body))


async def test_far_frame_without_table_is_fetched_with_the_whole(site):
    """To walk over many small frames takes longer than to fetch them."""
    frames = 60
    pixels = noise(128, 128, 12, frames)
    encoded = [imagecodecs.jpegls_encode(each) for each in pixels]
    body = builders.encapsulated(encoded, pixels[0], JPEGLSLossless, offsets=False)
    assert len(body) > FRAMES_BYTES + SMALL_REST_BYTES
    viewer = view(site, body)
    assert np.array_equal(await viewer.pixels(50), pixels[50])
    assert cost(site) == (2, len(body))


@pytest.mark.parametrize("name", ["no table", "no table, fragments"])
async def test_walks_to_several_frames_do_not_cross(site, name):
    """They were not announced, so each is a fetch of its own."""
    viewer = view(site, made(name).body)
    wanted = (3, 1, 2)
    found = await asyncio.gather(*[viewer.pixels(index) for index in wanted])
    for index, pixels in zip(wanted, found, strict=True):
        assert np.array_equal(pixels, noise()[index])


async def test_walk_is_not_begun_anew_for_the_next_frame(site):
    viewer = view(site, made("no table").body)
    await viewer.pixels(2)
    spent = cost(site)[0]
    assert np.array_equal(await viewer.pixels(3), noise()[3])
    # What follows a frame is seen with it, and looked at again; then comes the frame.
    assert cost(site)[0] - spent <= 2


# ------------------------------------------------------------------ headers


def with_long_header(pixels: np.ndarray, size: int, **attributes: Any) -> bytes:
    """Make a native file whose pixel data begin after some bytes."""
    dataset = builders.header(pixels, NumberOfFrames=len(pixels), **attributes)
    block = dataset.private_block(0x0009, "PYLOADER", create=True)
    block.add_new(0x01, "OB", bytes(size))
    return with_pixel_data(dataset, pixels.tobytes(), "OW", ExplicitVRLittleEndian)


async def test_header_larger_than_what_is_asked_for_at_first(site):
    viewer = view(site, with_long_header(noise(), 3 * FRAMES_BYTES))
    assert np.array_equal(await viewer.pixels(4), noise()[4])
    first, more, _ = asked(site)
    assert first == f"bytes=0-{FRAMES_BYTES - 1}"
    assert more == f"bytes={FRAMES_BYTES}-{4 * FRAMES_BYTES - 1}"
    assert cost(site) == (3, 4 * FRAMES_BYTES + noise()[4].nbytes)


async def test_metadata_of_a_large_header(site):
    viewer = view(site, with_long_header(noise(), 3 * FRAMES_BYTES, PatientID="p1"))
    modules = await load_metadata(f"wadouri:{viewer.url}", viewer.context())
    assert modules["patient"] == {"patient_id": "p1"}
    assert asked(site) == [
        f"bytes=0-{HEADER_BYTES - 1}",
        f"bytes={HEADER_BYTES}-{4 * HEADER_BYTES - 1}",
        f"bytes={4 * HEADER_BYTES}-{16 * HEADER_BYTES - 1}",
    ]


@pytest.mark.parametrize("size", [1000, HEADER_BYTES, FRAMES_BYTES, 5 * FRAMES_BYTES])
@pytest.mark.parametrize("quirk", ["", "no-range-header", "no-range"])
async def test_file_without_pixel_data(site, size, quirk):
    """Its size may be what is asked for at first, to the byte."""
    dataset = builders.header(noise()[0])
    block = dataset.private_block(0x0009, "PYLOADER", create=True)
    block.add_new(0x01, "OB", b"")
    room = size - len(builders.part10(dataset, ExplicitVRLittleEndian))
    block.add_new(0x01, "OB", bytes(max(0, room)))
    body = builders.part10(dataset, ExplicitVRLittleEndian)
    assert len(body) in (size, size - room)
    viewer = view(site, body, quirk)
    modules = await load_metadata(f"wadouri:{viewer.url}", viewer.context())
    assert modules["image_pixel"].rows == 512
    viewer.cache.clear()
    with pytest.raises(FormatError, match=r"the instance has no pixel data, \(7FE0,0010\)"):
        await viewer.pixels(0)
    assert cost(site)[1] <= 2 * len(body)


async def test_header_that_is_none(site):
    viewer = view(site, b"plain text, and much of it. " * 100_000)
    with pytest.raises(FormatError, match="cannot be read as a DICOM file"):
        await viewer.pixels(2)
    assert cost(site) == (1, FRAMES_BYTES)


# ------------------------------------------------------------------ servers

APART = ["native", "basic table", "extended table", "no table"]


@pytest.mark.parametrize("name", APART)
@pytest.mark.parametrize("quirk", ["no-range-header", "no-range-header+chunked"])
async def test_server_that_does_not_tell_the_size(site, name, quirk):
    """As to a page of another origin, when the server does not expose its headers."""
    file = made(name)
    viewer = view(site, file.body, quirk)
    for index in (3, LAST, 0):
        assert same(await viewer.image(index), file.frames[index])
    assert cost(site)[1] < len(file.body)


async def test_last_frame_goes_on_to_the_end_of_a_file_of_unknown_size(site):
    viewer = view(site, made("basic table").body, "no-range-header")
    assert np.array_equal(await viewer.pixels(LAST), noise()[LAST])
    assert asked(site)[1].endswith("-")


@pytest.mark.parametrize("name", APART)
async def test_server_that_ignores_ranges(site, name):
    file = made(name)
    viewer = view(site, file.body, "no-range")
    for index, pixels in zip((3, LAST, 0), await viewer.together(3, LAST, 0), strict=True):
        assert np.array_equal(pixels, file.frames[index])
    assert cost(site) == (1, len(file.body))


@pytest.mark.parametrize("index", [None, 0, LAST])
async def test_server_that_refuses_ranges(site, index):
    """Though it announces them: what then is left is fetched as a whole."""
    pixels = noise(1024, 512)
    file = native(pixels)
    assert len(file.body) > WHOLE_BYTES
    viewer = view(site, file.body, "range-refused")
    assert np.array_equal(await viewer.pixels(index), pixels[index or 0])
    spent = cost(site)[0]
    assert np.array_equal(await viewer.pixels(2), pixels[2])
    assert cost(site)[0] == spent


@pytest.mark.parametrize("name", APART)
@pytest.mark.parametrize("index", [None, 0, LAST])
async def test_server_that_sends_other_ranges(site, name, index):
    file = made(name)
    viewer = view(site, file.body, "range-wrong")
    assert same(await viewer.image(index), file.frames[index or 0])


def stops_serving_ranges(request: Any) -> bool:
    """Tell whether a server that ignores ranges after the first does so."""
    return request.earlier >= 1


@pytest.mark.parametrize("name", APART)
@pytest.mark.parametrize("limit", [1 << 28, 1 << 20])
async def test_server_that_serves_ranges_only_at_first(site, name, limit):
    """The whole is kept when the cache has room for it; else frames are cut out of it."""
    site.quirks["fickle"] = when(stops_serving_ranges, no_range)
    file = made(name)
    viewer = view(site, file.body, "fickle", limit=limit)
    found = await viewer.together(3, 4)
    assert all(np.array_equal(each, file.frames[3 + place]) for place, each in enumerate(found))
    if limit > len(file.body) and name != "no table":
        await viewer.pixels(0)
        assert cost(site)[0] == 2


@pytest.mark.parametrize("quirk", ["redirect-other", "redirect-same"])
async def test_server_that_sends_elsewhere(site, quirk):
    viewer = view(site, made("native").body, quirk)
    assert np.array_equal(await viewer.pixels(3), noise()[3])
    assert cost(site) == (4, FRAMES_BYTES + noise()[3].nbytes)


@pytest.mark.parametrize("index", [None, 2])
@pytest.mark.parametrize(
    ("quirk", "error", "text"),
    [
        ("html", FormatError, "is an HTML page, expected a DICOM file"),
        ("empty", FormatError, r"is empty \(0 bytes\), expected a DICOM file"),
        ("empty-204", FormatError, r"is empty \(0 bytes\), expected a DICOM file"),
        ("cut", NetworkError, "the connection closed after .* of .* bytes"),
        ("login", HttpStatusError, r"status 401, expected 200 \(not signed in"),
    ],
)
async def test_server_that_has_no_file(site, index, quirk, error, text):
    with pytest.raises(error, match=text):
        await view(site, made("native").body, quirk).pixels(index)


async def test_connection_that_breaks_is_taken_up_where_it_broke(site, monkeypatch):
    monkeypatch.setattr("pyloader.network.FIRST_DELAY_SECONDS", 0)
    site.quirks["breaks"] = when(lambda request: request.earlier == 1, find_quirk("cut"))
    viewer = view(site, made("native").body, "breaks", retries=1)
    found = await viewer.together(1, 2, 3, 4)
    assert all(np.array_equal(each, noise()[1 + place]) for place, each in enumerate(found))
    _, first, again = asked(site)
    start = int(first.removeprefix("bytes=").partition("-")[0])
    # Half of four frames had come.
    assert again == f"bytes={start + 2 * noise()[0].nbytes}-{first.partition('-')[2]}"


# ------------------------------------------------------------------ a file that changes


@pytest.mark.parametrize("name", APART)
@pytest.mark.parametrize("index", [None, LAST])
async def test_image_is_of_one_version_of_its_file_or_none(site, name, index):
    """The last quarter of the bytes and the ETag are others with each answer."""
    file = made(name)
    (outcome,) = await asyncio.gather(
        view(site, file.body, "changed").image(index), return_exceptions=True
    )
    if isinstance(outcome, Exception):
        # The quarter holds the items of the last frames, too.
        assert isinstance(outcome, (FormatError, DecodeError))
        assert name != "native"
        return
    versions = (changed_source(Memory(file.body), number).content for number in range(1, 9))
    assert any(np.array_equal(outcome.pixels, whole(body, index or 0)) for body in versions)


async def test_file_that_has_changed_is_loaded_as_it_is_now(site):
    file = made("native")
    viewer = view(site, file.body)
    assert np.array_equal(await viewer.pixels(1), noise()[1])
    view(site, native(noise()[::-1]).body)
    assert np.array_equal(await viewer.pixels(2), noise()[::-1][2])
    assert asked(site)[2:] == [asked(site)[2], f"bytes={FRAMES_BYTES}-", "whole"]


class Fickle:
    """A transport that answers the first request with a range of one file, then of another.

    Parameters
    ----------
    has_ranges : bool
        Whether ranges count after the first.
    """

    def __init__(self, first: bytes, other: bytes, has_ranges: bool) -> None:
        self.first = first
        self.other = other
        self.has_ranges = has_ranges
        self.asked = 0

    async def send(self, request, progress, sink=None):
        """Answer."""
        is_first, self.asked = not self.asked, self.asked + 1
        body = self.first if is_first else self.other
        headers = {"content-length": str(len(body)), "etag": str(is_first)}
        answer = Response(request.url, 200, headers, body)
        if request.byte_range and (is_first or self.has_ranges):
            answer = cut(answer, *request.byte_range)
        return pour(request, answer, sink)


@pytest.mark.parametrize("name", APART)
@pytest.mark.parametrize("limit", [1 << 28, 1 << 20])
async def test_whole_of_another_version_is_not_cut_up(name, limit):
    """The server serves a range, then the file has grown and it ignores ranges."""
    grown = encapsulated(encapsulate(jpeg_ls_frames()[::-1]), PatientComments="x" * 1000).body
    transport = Fickle(made(name).body, grown, has_ranges=False)
    viewer = Viewer("https://host/file", transport, limit=limit)
    assert np.array_equal(await viewer.pixels(3), noise()[::-1][3])
    assert transport.asked <= 4


def versions_alike(name: str) -> list[bytes]:
    """Return two files that differ, but not in where their frames are."""

    def make(frames: np.ndarray, patient: str) -> bytes:
        if name == "native":
            return native(frames, PatientID=patient).body
        encoded = [rle_encode(frame) for frame in frames]
        pixel_data = encapsulate(encoded, has_bot=name == "basic table")
        return encapsulated(pixel_data, RLELossless, PatientID=patient).body

    return [make(noise(), "A"), make(noise()[::-1], "B")]


@pytest.mark.parametrize("name", ["native", "basic table", "no table"])
@pytest.mark.parametrize("has_ranges", [True, False])
@pytest.mark.parametrize("limit", [1 << 28, 1 << 20])
async def test_header_and_pixels_are_of_one_file(name, has_ranges, limit):
    """Only the ETag tells that a file has changed."""
    one, other = versions_alike(name)
    assert len(one) == len(other)
    viewer = Viewer("https://host/file", Fickle(one, other, has_ranges), limit=limit)
    for index in (3, 1):
        image = await viewer.image(index)
        assert np.array_equal(image.pixels, noise()[::-1][index])
        assert image.modules["patient"]["patient_id"] == "B"
