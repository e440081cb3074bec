"""Damaged streams of BloscLZ; whole ones are held against Blosc in the tests of Zarr."""

from __future__ import annotations

import tracemalloc

import pytest

from pyloader.formats.zarr.blosclz import blosclz_decode

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
