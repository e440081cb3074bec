"""``nifti:``: files that arrive in pieces, and files that are made to do harm."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pyloader import Context, list_image_ids, load_image, load_metadata
from pyloader.cache import Cache
from pyloader.errors import FormatError, NetworkError, UnsupportedError
from pyloader.loaders.nifti import stream
from pyloader.loaders.nifti.gunzip import GunzipBuffer
from pyloader.loaders.nifti.stream import PIECE_BYTES, SPARE_BYTES, NiftiReader
from pyloader.network import Network
from pyloader.pixels.codecs import inflate_gzip
from pyloader.transport import Progress, Request, Response, Sink
from pyloader.transport.memory import pour
from tests.support.nifti_builders import (
    URL,
    load_array,
    make,
    numbers,
    packed,
    serve,
    v2,
    with_fields,
    with_size,
)

FILE = make(numbers("i2", (20, 18, 16)))
HEADER = make(numbers("i2"))
GZIP = packed(FILE.single)


# ------------------------------------------------------------------ pieces


def members(body: bytes, *cuts: int) -> bytes:
    """Return a file as gzip of several members, cut at `cuts`, with zeros between them."""
    ends = (*cuts, len(body))
    parts = [body[start:end] for start, end in zip((0, *cuts), ends, strict=True)]
    return bytes(5).join(map(packed, parts))


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "plain, more behind": lambda body: body + bytes(99),
    "gzip": packed,
    "gzip, stored": lambda body: gzip.compress(body, 0, mtime=0),
    "gzip, more in it": lambda body: packed(body + bytes(99)),
    "gzip, zeros behind": lambda body: packed(body) + bytes(99),
    "gzip, anything behind": lambda body: packed(body) + b"\x1f\x8bno gzip",
    "members": lambda body: members(body, 5000, 5001, 9000),
    "members within the header": lambda body: members(body, 1, 7, 300),
    "members, the last empty": lambda body: packed(body) + packed(b""),
    "members, more behind": lambda body: members(body + bytes(999), len(body)),
}


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("size", [1, 2, 3, 347, 349, 1000, 1 << 20])
@pytest.mark.parametrize("packing", PACKINGS)
def test_pieces_of_any_size(context, packing, size, version):
    file = make(numbers("i2", (20, 18, 4)), version=version)
    reading = feed(PACKINGS[packing](file.single), context, size)
    assert reading.header is not None
    assert reading.voxels is not None
    assert reading.voxels.tobytes() == file.voxels
    assert reading.is_verified


def feed(body: bytes, context: Context, size: int) -> NiftiReader:
    """Read a file that arrives in chunks of `size` bytes."""
    reading = NiftiReader(URL, context)
    assert reading.begin(Response(URL, 200, {}, b""))
    for start in range(0, len(body), size):
        if not reading.feed(body[start : start + size]):
            break
    return reading


# ------------------------------------------------------------------ in one go


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("packing", PACKINGS)
async def test_packings_that_are_here_in_a_moment(context, transport, packing, version):
    array = numbers("i2", (20, 18, 4))
    source = serve(transport, PACKINGS[packing](make(array, version=version).single))
    assert_array_equal(await load_array(source, context), array)


async def test_one_member_is_inflated_in_one_go(context, transport, monkeypatch):
    monkeypatch.delattr(GunzipBuffer, "take")
    for kind, version in (("i2", 1), ("f8", 2)):
        array = numbers(kind, (20, 18, 16))
        source = serve(transport, packed(make(array, version=version).single))
        context.cache.clear()
        assert (await load_image(f"{source}#3", context)).warnings == ()
        assert_array_equal(await load_array(source, context), array)


async def test_what_is_longer_on_its_way_is_inflated_by_pieces(context, transport, monkeypatch):
    monkeypatch.setattr(stream, "PATIENCE_SECONDS", 0.0)
    monkeypatch.delattr(stream, "inflate_gzip")
    source = serve(transport, packed(FILE.single))
    assert_array_equal(await load_array(source, context), numbers("i2", (20, 18, 16)))


async def test_a_large_file_is_not_waited_for(context, transport, monkeypatch):
    monkeypatch.setattr(stream, "WHOLE_BYTES", len(GZIP) - 1)
    monkeypatch.delattr(stream, "inflate_gzip")
    source = serve(transport, GZIP)
    assert_array_equal(await load_array(source, context), numbers("i2", (20, 18, 16)))


@pytest.mark.parametrize("at", [9, 500, -7, -1])
async def test_damage_is_told_alike_in_one_go_and_by_pieces(context, transport, monkeypatch, at):
    broken = bytearray(GZIP)
    broken[at] ^= 0xFF
    words = []
    for patience in (0.0, 60.0):
        monkeypatch.setattr(stream, "PATIENCE_SECONDS", patience)
        try:
            await load_array(serve(transport, bytes(broken)), context)
            words.append("")  # byte 9 names the system that it was packed on
        except FormatError as error:
            words.append(str(error))
    assert words[0] == words[1]
    assert ("inflated any further" in words[0]) == (at != 9)


def test_inflating_in_one_go_fills_its_room_or_says_no():
    body = bytes(range(250))
    room = np.zeros(250, "u1")
    assert inflate_gzip(packed(body), room)
    assert room.tobytes() == body
    assert inflate_gzip(packed(body) + packed(b"more"), room), "what is behind is not its matter"
    for other in (packed(body[:-1]), packed(body + b"x"), packed(body)[:-1], b"", b"no gzip"):
        assert not inflate_gzip(other, room)


# ------------------------------------------------------------------ as it arrives


def test_volume_of_many_pieces(context):
    """Also one that deflate makes a thousand times smaller."""
    array = np.zeros((512, 512, 20), "u1")
    array[100:200, 50, 3:17] = 7
    file = make(array)
    assert len(file.voxels) > 4 * PIECE_BYTES
    reading = feed(packed(file.single), context, 1 << 16)
    assert reading.voxels is not None
    assert reading.voxels.tobytes() == file.voxels


def test_no_more_is_taken_than_is_needed(context):
    """Neither of a plain file nor of a gzip one that goes on and on."""
    rest = bytes(50 * SPARE_BYTES)
    reading = NiftiReader(URL, context)
    reading.begin(Response(URL, 200, {}, b""))
    assert reading.feed(FILE.single[:-1])
    assert not reading.feed(FILE.single[-1:] + rest)
    reading = feed(packed(FILE.single + rest), context, 1000)
    assert reading._buffer.taken <= len(FILE.single) + SPARE_BYTES
    assert reading._buffer.arrived < len(packed(FILE.single)) + 4000
    assert not reading.is_verified


async def test_checksum_that_was_not_looked_at_is_told(context, transport):
    source = serve(transport, packed(FILE.single + bytes(50 * SPARE_BYTES)))
    image = await load_image(source, context)
    assert len(image.warnings) == 1
    assert "checksum was not verified" in image.warnings[0]


def test_voxels_are_held_once(context):
    array = np.random.default_rng(7).integers(0, 1000, (256, 256, 40), "u2")
    body = packed(make(array).single)
    chunks = [body[start : start + 65536] for start in range(0, len(body), 65536)]
    reading = NiftiReader(URL, context)
    reading.begin(Response(URL, 200, {}, b""))
    tracemalloc.start()
    for chunk in chunks:
        reading.feed(chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert array.nbytes < peak < array.nbytes + 3 * PIECE_BYTES


class Breaking:
    """A transport whose first attempts end in the middle, with another file than the last has."""

    def __init__(self, *bodies: bytes) -> None:
        self.bodies = iter(bodies)

    async def send(
        self, request: Request, progress: Progress, sink: Sink | None = None
    ) -> Response:
        """Answer; whatever ends with ``BREAK`` is cut there."""
        body = next(self.bodies)
        answer = pour(request, Response(request.url, 200, {}, body.removesuffix(b"BREAK")), sink)
        if body.endswith(b"BREAK"):
            raise NetworkError("the connection was cut", request.url)
        return answer


@pytest.mark.parametrize("cut", [1, 5000])
async def test_another_attempt_begins_anew(context, cut):
    other = make(numbers("f8", (40, 18, 16))).single[:cut]
    for first in (other, packed(FILE.single)[:cut], b""):
        bodies = (first + b"BREAK", packed(FILE.single))
        network = Network(Breaking(*bodies), retries=1)
        found = await load_image(
            f"nifti:{URL}#2", replace(context, network=network, cache=Cache(9))
        )
        assert_array_equal(found.pixels.sum(), numbers("i2", (20, 18, 16))[:, :, 2].sum())


async def test_failed_file_is_fetched_again(context, transport):
    source = serve(transport, FILE.single[:-1])
    with pytest.raises(FormatError):
        await load_image(source, context)
    serve(transport, FILE)
    assert_array_equal(await load_array(source, context), numbers("i2", (20, 18, 16)))


# ------------------------------------------------------------------ made to do harm


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """Return a function that tells how much memory was taken since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


LARGE = with_fields(HEADER, dim=[7, *[32767] * 7])
BOMB_LIMIT = 100 << 20


@pytest.mark.parametrize("pack", [bytes, packed])
@pytest.mark.parametrize(
    "file",
    [LARGE, v2(dim=[3, 2**62, 2**62, 2**62, 1, 1, 1, 1]), v2(dim=[3, 2**31, 2, 1, 1, 1, 1, 1])],
    ids=["NIfTI-1", "overflowing", "four gigabytes"],
)
async def test_sizes_beyond_the_limit(context, transport, peak, file, pack):
    source = serve(transport, pack(file.single))
    for call in (load_image, load_metadata, list_image_ids):
        with pytest.raises(
            FormatError, match=r"the volume https.* voxels of int16, needs \d+ bytes"
        ):
            await call(source, context)
    assert peak() < 1 << 20


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<c8", ">c16"])
async def test_metadata_take_no_memory(context, transport, peak, dtype):
    file = make(np.zeros((2, 2), dtype), order=dtype[0], dim=[2, 8000, 8000, 1, 1, 1, 1, 1])
    tracemalloc.clear_traces()
    modules = await load_metadata(serve(transport, file), context)
    assert modules["image_pixel"].rows == 8000
    assert peak() < 8 << 20


async def test_limit_counts_what_stands_before_the_voxels(context, transport):
    source = serve(transport, v2(vox_offset=1 << 40))
    with pytest.raises(FormatError, match=r"needs 1099511627896 bytes in memory"):
        await load_image(source, context)


@pytest.mark.parametrize("pack", [bytes, packed])
async def test_sizes_that_the_length_of_the_file_contradicts(context, transport, peak, pack):
    """No memory is taken for them, though the limit would allow it."""
    body = pack(with_fields(HEADER, dim=[3, 2000, 2000, 100, 1, 1, 1, 1]).single)
    transport.answers[URL] = with_size(body)
    with pytest.raises(FormatError, match=rf"has {len(body)} bytes.*, too few for what its header"):
        await load_image(f"nifti:{URL}", context)
    assert peak() < 1 << 20


async def test_list_of_too_many_slices(context, transport, peak):
    """A few bytes would be a thousand million imageIds."""
    source = serve(transport, with_fields(HEADER, datatype=2, dim=[4, 1, 1, 32767, 32767, 1, 1, 1]))
    with pytest.raises(FormatError, match=r"the list of slices of https.* needs"):
        await list_image_ids(source, context)
    assert peak() < 1 << 20


async def test_bomb_before_the_voxels(context, transport, peak):
    """Bytes that are passed over are not kept."""
    offset = BOMB_LIMIT // 2
    body = packed(v2(vox_offset=offset).single[:544] + bytes(offset - 432))
    tracemalloc.clear_traces()
    with pytest.raises(FormatError, match="it has 112 of the 120"):
        await load_image(serve(transport, body), context)
    assert peak() < 8 << 20


def test_bomb_of_members(context):
    """Empty members without end make no progress, and no recursion."""
    body = packed(FILE.single[:999]) + packed(b"") * 100_000
    reading = feed(body, context, len(body))
    assert reading.voxels is not None
    assert reading._buffer.taken == 999


async def test_memory_that_is_not_there(context, transport, monkeypatch):
    def refuse(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pyloader.loaders.nifti.stream.np.empty", refuse)
    with pytest.raises(UnsupportedError, match=r"needs 11520 bytes .* but less memory is free"):
        await load_image(serve(transport, FILE), context)


def test_gzip_header_with_all_its_parts(context):
    """RFC 1952 2.3: extra field, name, comment and checksum of the header."""
    head = b"\x1f\x8b\x08" + bytes([2 | 4 | 8 | 16]) + bytes(6)
    head += struct.pack("<H", 4) + b"abcd" + b"name.nii\0" + b"comment\0"
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    body = head + GZIP[10:]
    for size in (1, 5, 1000):
        reading = feed(body, context, size)
        assert reading.voxels is not None
        assert reading.voxels.tobytes() == FILE.voxels
