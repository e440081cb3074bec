"""Fragments and offset tables that contradict each other: the right frame, or an error."""

from __future__ import annotations

import zlib
from contextlib import suppress
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from struct import pack
from time import perf_counter
from typing import Any

import gdcm
import imagecodecs
import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import (
    UID,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from pyloader import Context, load_image
from pyloader.cache import Cache
from pyloader.dicom.parse import parse_part10
from pyloader.dicom.whole_frames import MOST_FRAGMENTS, group_whole
from pyloader.errors import DecodeError, FormatError, LoaderError
from pyloader.loaders.wadouri import ranged_file as partial
from pyloader.loaders.wadouri import source as opening
from pyloader.network import Network
from pyloader.transport.memory import MemoryTransport
from tests.support import builders
from tests.support.raw_images import DELIMITER, described, encapsulated, item, items

URL = "https://host/a.dcm"
PLAIN, DEFLATED = UID("1.2.840.10008.1.2.1.98"), UID("1.2.840.10008.1.2.8.1")
JPEG_XL = UID("1.2.840.10008.1.2.4.110")
SINGLE = (RLELossless, PLAIN, DEFLATED)
SYNTAXES = (*SINGLE, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, JPEG_XL)
KINDS = {"ids": lambda syntax: syntax.keyword or syntax.name}
ROWS, COLUMNS, FRAMES = 24, 36, 3


@cache
def pixels(frames: int = FRAMES) -> np.ndarray:
    """Return frames that differ."""
    shape = (frames, ROWS, COLUMNS)
    return np.random.default_rng(17).integers(0, 1 << 12, shape, "u2")


def deflate(frame: np.ndarray) -> bytes:
    """Deflate a frame (PS3.5 A.4.13)."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(frame.tobytes()) + packer.flush()


@cache
def encoded(syntax: str) -> tuple[bytes, ...]:
    """Return the frames in a transfer syntax, each of even length."""
    encoders: dict[str, Any] = {
        PLAIN: lambda frame: frame.tobytes(),
        DEFLATED: deflate,
        JPEG_XL: lambda frame: imagecodecs.jpegxl_encode(frame, lossless=True),
        RLELossless: builders.rle_encode_frame,
    }
    encode = encoders.get(syntax) or builders.ENCODERS[syntax]
    return tuple(frame + b"\0" * (len(frame) % 2) for frame in map(encode, pixels()))


def header(frames: int = FRAMES, **attributes: Any) -> Dataset:
    """Describe the frames."""
    return described(ROWS, COLUMNS, BitsStored=12, HighBit=11, NumberOfFrames=frames, **attributes)


def split(frame: bytes, *places: int) -> list[bytes]:
    """Return a frame in fragments that begin at these offsets."""
    edges = [0, *(place // 2 * 2 for place in places), len(frame)]
    return [frame[start:stop] for start, stop in pairwise(edges)]


def halves(frame: bytes) -> list[bytes]:
    """Return a frame in two fragments."""
    return split(frame, len(frame) // 2)


class Viewer:
    """A viewer that loads frames of a file, whole or by ranges."""

    def __init__(self, body: bytes) -> None:
        self.network = Network(MemoryTransport({URL: body}), retries=0)
        self.cache = Cache(1 << 28)

    async def pixels(self, number: int) -> np.ndarray:
        """Load a frame, from 1."""
        context = Context(self.network, self.cache)
        return (await load_image(f"wadouri:{URL}?frame={number}", context)).pixels


@pytest.fixture(params=["whole", "by ranges"])
def way(request, monkeypatch) -> str:
    """Fetch files whole, or each frame by its range."""
    if request.param == "by ranges":
        monkeypatch.setattr(opening, "FRAMES_BYTES", 1024)
        monkeypatch.setattr(partial, "SMALL_REST_BYTES", 0)
        monkeypatch.setattr(partial, "REQUEST_BYTES", 0)
    return str(request.param)


def file_of(syntax: str, fragments: list[bytes], table: tuple[int, ...] = (), **said: Any) -> bytes:
    """Return a file of fragments."""
    return encapsulated(header(**said), items(fragments, table) + DELIMITER, syntax)


# ------------------------------------------------------------------ one frame


@pytest.mark.parametrize("syntax", SYNTAXES, **KINDS)
@pytest.mark.parametrize("count", [2, 3, 7, 40])
async def test_all_fragments_are_the_only_frame(way, syntax, count):
    frame = encoded(syntax)[1]
    size = -(-len(frame) // count // 2) * 2
    fragments = [frame[start : start + size] for start in range(0, len(frame), size)]
    found = await Viewer(file_of(syntax, fragments, frames=1)).pixels(1)
    assert np.array_equal(found, pixels()[1])


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_gdcm_joins_the_fragments_of_the_only_frame_too(tmp_path, count):
    """PS3.5 A.4.2 forbids these fragments; other readers join them, too."""
    frame = encoded(RLELossless)[0]
    size = -(-len(frame) // count // 2) * 2
    fragments = [frame[start : start + size] for start in range(0, len(frame), size)]
    path: Path = tmp_path / "a.dcm"
    path.write_bytes(file_of(RLELossless, fragments, frames=1))
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    words = reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape")
    assert words == pixels()[0].tobytes()


@pytest.mark.parametrize("syntax", SINGLE, **KINDS)
@pytest.mark.parametrize("is_split", [False, True])
async def test_frames_beyond_the_declared_number_are_left_out(way, syntax, is_split):
    frames = encoded(syntax)
    fragments = halves(frames[0]) if is_split else [frames[0]]
    viewer = Viewer(file_of(syntax, [*fragments, frames[1], *halves(frames[2])], frames=1))
    assert np.array_equal(await viewer.pixels(1), pixels()[0])


async def test_bits_and_colours_of_rle(way):
    for shape, bits in (((8, 12, 3), 8), ((8, 12), 16), ((8, 12), 8)):
        image = np.random.default_rng(1).integers(0, 200, shape).astype(f"u{bits // 8}")
        element = parse_part10(builders.encode(image, RLELossless)).pixels
        assert element is not None
        start, stop = element.frames[0]
        fragments = split(element.body[start + 8 : stop], 30, 70)
        body = encapsulated(builders.header(image), items(fragments) + DELIMITER, RLELossless)
        assert np.array_equal(await Viewer(body).pixels(1), image)


# ------------------------------------------------------------------ several


@pytest.mark.parametrize("syntax", SYNTAXES[:-1], **KINDS)
@pytest.mark.parametrize("whole", [(), (0,), (1,), (0, 2)])
async def test_frames_of_several_fragments_without_table(way, syntax, whole):
    """Some are split and some are not."""
    fragments = [
        part
        for index, frame in enumerate(encoded(syntax))
        for part in ([frame] if index in whole else halves(frame))
    ]
    viewer = Viewer(file_of(syntax, fragments))
    for index in (2, 0, 1):
        assert np.array_equal(await viewer.pixels(index + 1), pixels()[index])


@pytest.mark.parametrize("syntax", [each for each in SYNTAXES[:-1] if each != DEFLATED], **KINDS)
async def test_split_frame_and_another_that_is_missing(way, syntax):
    """There are as many fragments as frames, but the third is not the third frame."""
    first, second, _ = encoded(syntax)
    viewer = Viewer(file_of(syntax, [*halves(first), second]))
    await right_or_refused(viewer)
    with pytest.raises(LoaderError):
        await viewer.pixels(3)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless], **KINDS)
async def test_frame_whose_beginning_is_damaged_leaves_the_others(way, syntax):
    first, second, third = encoded(syntax)
    viewer = Viewer(file_of(syntax, [first, b"\x12\x34" + second[2:], third]))
    assert np.array_equal(await viewer.pixels(1), pixels()[0])
    assert np.array_equal(await viewer.pixels(3), pixels()[2])
    with pytest.raises((DecodeError, FormatError)):
        await viewer.pixels(2)


@pytest.mark.parametrize("syntax", SYNTAXES[:-1], **KINDS)
@pytest.mark.parametrize(
    "chosen", [(0, 1, 2), (0, 2, 3), (0, 1, 4), (0, 3, 4), (0, 4, 5), (0, 2, 5)]
)
async def test_table_that_takes_fragments_for_frames(way, syntax, chosen):
    """Each entry names an item, and (0, 2, 4) would be right."""
    fragments = [part for frame in encoded(syntax) for part in halves(frame)]
    places = [0, *accumulate(len(item(part)) for part in fragments)]
    table = tuple(places[index] for index in chosen)
    await right_or_refused(Viewer(file_of(syntax, fragments, table)))


@pytest.mark.parametrize("syntax", SYNTAXES, **KINDS)
@pytest.mark.parametrize("offsets", [(0, 0, 0), (0, 1, 1)])
async def test_extended_table_that_names_a_frame_twice(way, syntax, offsets):
    """All frames have the same length, and all offsets are those of items."""
    longest = max(map(len, encoded(syntax)))
    frames = [frame.ljust(longest, b"\0") for frame in encoded(syntax)]
    dataset = header(
        ExtendedOffsetTable=pack("<3Q", *(offset * (longest + 8) for offset in offsets)),
        ExtendedOffsetTableLengths=pack("<3Q", *([longest] * 3)),
    )
    await right_or_refused(Viewer(encapsulated(dataset, items(frames) + DELIMITER, syntax)))


async def right_or_refused(viewer: Viewer) -> None:
    """Load all frames: each is right, or there is an error."""
    for index in (2, 1, 0):
        with suppress(DecodeError, FormatError):
            found = await viewer.pixels(index + 1)
            assert np.array_equal(found, pixels()[index]), f"frame {index + 1}"


@pytest.mark.parametrize("syntax", SYNTAXES[:-1], **KINDS)
@pytest.mark.parametrize("seed", range(20))
async def test_no_frame_is_returned_for_another(way, syntax, seed):
    """Frames in any fragments, some missing, with right, wrong and absent tables."""
    random = Random(seed)
    fragments: list[bytes] = []
    for frame in encoded(syntax):
        places = sorted(random.sample(range(14, len(frame) - 2, 2), random.choice((0, 0, 1, 2, 3))))
        fragments += split(frame, *places)
    if random.random() < 0.3:
        del fragments[random.randrange(1, len(fragments)) :]
    places = [0, *accumulate(len(item(part)) for part in fragments)][:-1]
    table: tuple[int, ...] = ()
    if random.random() < 0.5:
        table = (0, *sorted(random.choices(places, k=random.choice((0, 1, 2, 2, 2, 3)))))
    await right_or_refused(Viewer(file_of(syntax, fragments, table)))


def test_many_fragments_of_a_frame_of_rle_are_read_once_each():
    """Joining all fragments so far, for each of them, takes a minute here."""
    header_ = pack("<16L", 1, 64, *[0] * 14)
    fragments = [header_, *[b"\0\7"] * 60_000]
    dataset = header(frames := len(fragments) // MOST_FRAGMENTS + 1)
    started = perf_counter()
    assert group_whole(dataset, RLELossless, frames, fragments) == []
    assert perf_counter() - started < 10


@pytest.mark.parametrize("step", [2, 4, 6, 10, 64])
def test_a_frame_of_rle_ends_with_its_last_segment_however_it_is_split(step):
    """The second frame does not begin with a header: only the end of the first shows its start."""
    run, literal = bytes([256 - 99, 5]), bytes([9, *range(10)])
    frame = pack("<16L", 2, 64, 66, *[0] * 13) + run + literal * 10
    parts = [frame[at : at + step] for at in range(0, len(frame), step)]
    dataset = described(10, 10, BitsStored=12, HighBit=11, NumberOfFrames=2)
    last = bytes(100)
    assert group_whole(dataset, RLELossless, 2, [*parts, last]) == [len(parts), 1]
