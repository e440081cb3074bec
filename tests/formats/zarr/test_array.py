"""Descriptions of arrays: what version 2 and 3 may say, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from pyloader import load_image
from pyloader.errors import (
    FormatError,
    UnsupportedError,
)
from tests.support.zarr_builders import SHAPE, VOXELS, write
from tests.support.zarr_server import altered, change, load


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    "dtype", ["bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", ">i2", ">f4"]
)
async def test_types(local, tmp_path, version, dtype):
    if version == 3:
        dtype = dtype.removeprefix(">")
    voxels = write(tmp_path / "a.zarr", (VOXELS % 100).astype(dtype), zarr_format=version)
    image = await load_image(f"zarr:{tmp_path}/a.zarr?frame=2", local)
    assert image.pixels.dtype == (
        np.uint8 if dtype == "bool" else np.dtype(dtype).newbyteorder("=")
    )
    assert_array_equal(image.pixels, voxels[1])


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", ["c8", "c16"])
async def test_complex_numbers_are_shown_by_their_magnitude(local, tmp_path, version, dtype):
    voxels = (VOXELS - 1j * VOXELS[::-1]).astype(dtype)
    voxels[:2, :8] = 3 - 4j
    options = {"fill_value": 3 - 4j, "config": {"write_empty_chunks": False}}
    voxels = write(tmp_path / "a.zarr", voxels, zarr_format=version, **options)
    for number in (1, 4):
        image = await load_image(f"zarr:{tmp_path}/a.zarr?frame={number}", local)
        assert_allclose(image.pixels, abs(voxels[number - 1]), rtol=1e-6)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("fill", [np.nan, np.inf, -np.inf, 1.5, 0])
async def test_fill_values_of_floats(local, tmp_path, version, fill):
    voxels = np.full(SHAPE, fill, "f4")
    write(tmp_path / "a", voxels, zarr_format=version, fill_value=fill)
    files = {path.name for path in (tmp_path / "a").rglob("*") if path.is_file()}
    assert files == ({"zarr.json"} if version == 3 else {".zarray", ".zattrs"}), "no chunk"
    image = await load_image(f"zarr:{tmp_path}/a?frame=1", local)
    assert_array_equal(image.pixels, voxels[0])


@pytest.mark.parametrize(("fill", "expected"), [("0x3fc00000", 1.5), (None, 0)])
async def test_fill_values_in_other_words(remote, folder, fill, expected):
    write(folder.root, np.zeros(SHAPE, "f4"))
    change(folder.root / "zarr.json", fill_value=fill)
    assert (await load(remote)).pixels[0, 0] == expected


def codec(*names: str, **configuration: Any) -> list[Any]:
    """Return a list of codecs."""
    return [{"name": name, "configuration": configuration} for name in names]


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"shape": [5, 30]}, FormatError, r"has the shape \(5, 30\) in chunks \(2, 8, 16\)"),
        ({"shape": [5, 30, 0]}, FormatError, "has the shape"),
        ({"shape": [5, 30, 1.5]}, FormatError, "has the shape"),
        ({"shape": "abc"}, FormatError, "has the shape"),
        ({"shape": None}, FormatError, "has a description that cannot be read"),
        ({"codecs": []}, FormatError, "has a description that cannot be read"),
        ({"codecs": 5}, FormatError, "has a description that cannot be read"),
        ({"node_type": "thing"}, FormatError, "is a group without multiscales"),
        ({"data_type": "complex32"}, UnsupportedError, "data_type 'complex32', .*known are bool"),
        ({"data_type": "r16"}, UnsupportedError, "data_type 'r16'"),
        ({"data_type": {"name": "x"}}, UnsupportedError, "data_type {'name': 'x'}"),
        ({"chunk_grid": {"name": "irregular"}}, UnsupportedError, "chunk_grid 'irregular'"),
        ({"storage_transformers": codec("x")}, UnsupportedError, "regular, not transformed"),
        ({"codecs": codec("bytes", "numcodecs.zfpy")}, UnsupportedError, r"codecs \['bytes', 'num"),
        ({"codecs": codec("bytes", "gzip", "zstd")}, UnsupportedError, "'gzip', 'zstd'"),
        ({"codecs": codec("numcodecs.delta", "bytes")}, UnsupportedError, "codec 'numcodecs"),
        ({"codecs": codec("transpose", "bytes", order=[0, 1, 1])}, FormatError, "transposes its 3"),
        ({"codecs": codec("transpose", "bytes", order=[0, 1])}, FormatError, "transposes its 3"),
        ({"codecs": codec("sharding_indexed", "gzip")}, UnsupportedError, "sharding_indexed alone"),
        ({"codecs": codec("sharding_indexed", chunk_shape=[2, 8, 3])}, FormatError, "has shards"),
        ({"codecs": codec("sharding_indexed", chunk_shape=[2, 8, 16], codecs=codec("bytes"),
                          index_codecs=codec("bytes", "gzip"))}, UnsupportedError, "index codecs"),
        ({"fill_value": "none"}, FormatError, "has a description that cannot be read"),
        ({"fill_value": 99999}, FormatError, "has a description that cannot be read"),
    ],
)  # fmt: skip
async def test_descriptions_of_version_3(remote, folder, values, error, text):
    altered(folder, **values)
    with pytest.raises(error, match=text):
        await load(remote)


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"dtype": "<c32"}, UnsupportedError, "dtype '<c32', which cannot be read"),
        ({"dtype": [["a", "<i2"]]}, UnsupportedError, "dtype .*'a'"),
        ({"dtype": "|O"}, UnsupportedError, r"dtype '\|O'"),
        ({"dtype": "nonsense"}, FormatError, "has a description that cannot be read"),
        ({"filters": [{"id": "delta"}]}, UnsupportedError, r"filters \['delta'\]"),
        ({"compressor": {"id": "bz2"}}, UnsupportedError, "compressor 'bz2', .*known are blosc"),
        ({"compressor": {}, "chunks": [2, 8]}, FormatError, "in chunks"),
        ({"chunks": [2, 8, -1]}, FormatError, "in chunks"),
    ],
)
async def test_descriptions_of_version_2(remote, folder, values, error, text):
    write(folder.root, compressors=None, zarr_format=2)
    change(folder.root / ".zarray", **values)
    with pytest.raises(error, match=text):
        await load(remote)
