"""Blosc's container against Blosc itself, whole and damaged."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import imagecodecs
import numcodecs
import numpy as np
import pytest

from pyloader.cache import Cache
from pyloader.errors import (
    FormatError,
    UnsupportedError,
)
from pyloader.formats.zarr.blosc import unpack
from tests.support.zarr_builders import V2, write
from tests.support.zarr_server import load


@pytest.mark.parametrize("codec_name", ["lz4", "zlib", "zstd", "blosclz"])
@pytest.mark.parametrize("shuffle", [0, 1, 2])
@pytest.mark.parametrize("element", [1, 2, 3, 4, 8, 16, 17])
def test_blosc_of_any_element_and_size(codec_name, shuffle, element):
    for size in (1, 7, 127, 128, 129, 4097, 40_000):
        body = (np.arange(size * element) // 5 % 251).astype("u1").tobytes()
        for level, block in ((0, 0), (1, 1024), (5, 0)):
            packed = numcodecs.blosc.compress(
                np.frombuffer(body, f"V{element}"), codec_name.encode(), level, shuffle, block
            )
            assert unpack(bytes(packed), len(body), "it", imagecodecs) == body


def test_codecs_of_blosc_that_are_not_supported_are_named():
    packed = bytearray(numcodecs.blosc.compress(bytes(1000), b"lz4", 5, 1))
    packed[2] = packed[2] & 0x1F | 2 << 5
    expected = "it is Blosc with the codec snappy; known are lz4, zlib, zstd, blosclz"
    with pytest.raises(UnsupportedError, match=expected):
        unpack(bytes(packed), 1000, "it", imagecodecs)


def test_blosc_of_another_version_is_not_supported():
    packed = bytes([5, *numcodecs.blosc.compress(bytes(1000), b"lz4", 5, 1)[1:]])
    with pytest.raises(UnsupportedError, match="it is Blosc of version 5; known are 1 and 2"):
        unpack(packed, 1000, "it", imagecodecs)


async def test_blosc_whose_parts_lead_elsewhere(remote, folder):
    write(folder.root, zarr_format=2, **V2["blosc-lz4-1"])
    path = folder.root / "0.0.0"
    good = path.read_bytes()
    refused = 0
    for start in range(2, 40):
        path.write_bytes(good[:start] + b"\xff\xff" + good[start + 2 :])
        with suppress(FormatError, UnsupportedError):
            await load(replace(remote, cache=Cache(1 << 20)))
            refused -= 1
        refused += 1
    assert refused > 20
