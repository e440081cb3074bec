"""Damaged streams of BloscLZ; whole ones are held against Blosc in the tests of Zarr."""

from __future__ import annotations

import struct
import tracemalloc
from contextlib import suppress
from dataclasses import replace

import imagecodecs
import pytest

from pyloader.cache import Cache
from pyloader.errors import (
    FormatError,
)
from pyloader.formats.zarr.blosc import unpack
from pyloader.formats.zarr.blosclz import blosclz_decode
from tests.support.zarr_builders import V3, write
from tests.support.zarr_server import load

LITERAL, LONG_MATCH = b"\x00a", b"\xe0"


def test_a_match_makes_no_more_than_there_is_room_for():
    packed = LITERAL + LONG_MATCH + b"\xff" * 400_000 + b"\x00\x00"
    tracemalloc.start()
    with pytest.raises(ValueError, match="exceeds 100 of 100 bytes"):
        blosclz_decode(packed, 100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_match_that_fits():
    assert blosclz_decode(LITERAL + LONG_MATCH + b"\x00\x00", 10) == b"a" * 10


@pytest.mark.parametrize(
    "packed",
    [b"", b"\x05abc", b"\x00a\x20\x05", b"\x00a\x20", b"\x00a\xe0\xff", b"\x00a\x3f\xff\0"],
)
def test_damaged_blosclz(packed):
    header = struct.pack("<4B3I", 2, 1, 0x10, 1, 100, 100, 24 + len(packed))
    body = header + struct.pack("<2I", 20, len(packed)) + packed
    with pytest.raises((FormatError, ValueError)):
        unpack(body, 100, "it", imagecodecs)


async def test_damaged_blosclz_is_a_format_error(remote, folder):
    write(folder.root, **V3["blosclz"])
    path = folder.root / "c/0/0/0"
    good = path.read_bytes()
    refused = 0
    for start in range(16, len(good), 3):
        path.write_bytes(good[:start] + b"\xff\xff" + good[start + 2 :])
        with suppress(FormatError):
            await load(replace(remote, cache=Cache(1 << 20)))
            refused -= 1
        refused += 1
    assert refused > 20
