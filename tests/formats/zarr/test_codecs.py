"""Codecs of chunks: each that the library zarr writes, and damaged chunks of each."""

from __future__ import annotations

import imagecodecs
import pytest
from numpy.testing import assert_array_equal

from pyloader.errors import FormatError
from tests.support.zarr_builders import V2, V3, VOXELS, write
from tests.support.zarr_server import check_all, load

# That they are in no specification is known.
pytestmark = pytest.mark.filterwarnings("ignore:Numcodecs codecs are not in the Zarr")


@pytest.mark.parametrize("name", V2)
async def test_arrays_of_version_2(local, tmp_path, name):
    voxels = write(tmp_path / "a.zarr", zarr_format=2, **V2[name])
    assert_array_equal(voxels, VOXELS)
    await check_all(local, f"zarr:{tmp_path}/a.zarr", voxels)


@pytest.mark.parametrize("name", V3)
async def test_arrays_of_version_3(local, tmp_path, name):
    voxels = write(tmp_path / "a.zarr", **V3[name])
    assert_array_equal(voxels, VOXELS)
    await check_all(local, f"zarr:{tmp_path}/a.zarr", voxels)


@pytest.mark.parametrize(
    ("options", "damage", "text"),
    [
        ({"compressors": None}, lambda body: body[:-2], "has 510 bytes, expected 512"),
        ({"compressors": None}, lambda body: body + b"ab", "has 514 bytes, expected 512"),
        (V3["gzip"], lambda body: body[:-9], "512; it is cut off"),
        (V3["gzip"], lambda body: b"junk", "is damaged"),
        (V3["zstd"], lambda body: body[:-9], "is damaged: zstd says"),
        (V3["zstd"], lambda body: imagecodecs.zstd_encode(bytes(600)), "is damaged: zstd says"),
        (V3["zstd"], lambda body: imagecodecs.zstd_encode(bytes(500)), "has 500 bytes"),
        (V3["blosc"], lambda body: body[:-1], "is Blosc of 512 bytes in .*expected 512 bytes in"),
        (V3["blosc"], lambda body: b"", "fewer than the header of Blosc"),
        (V3["crc32c"], lambda body: bytes([body[0] ^ 1]) + body[1:], "its stored checksum is"),
        (V3["sharded"], lambda body: body[:40], "the index of shard .*has|checksum"),
        (V3["sharded"], lambda body: body[1:], "is damaged|is cut off"),
        ({"zarr_format": 2, **V2["lz4"]}, lambda body: b"\xff" + body[1:], "is LZ4 of "),
        ({"zarr_format": 2, **V2["lz4"]}, lambda body: body[:9], "is damaged: lz4 says"),
        ({"zarr_format": 2, **V2["lz4"]}, lambda body: b"", "is damaged: lz4 says"),
        ({"zarr_format": 2, **V2["zlib"]}, lambda body: body[2:], "is damaged"),
    ],
)  # fmt: skip
async def test_damaged_chunks(remote, folder, options, damage, text):
    write(folder.root, **options)
    path = folder.root / ("0.0.0" if "zarr_format" in options else "c/0/0/0")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FormatError, match=text) as caught:
        await load(remote)
    assert "(0, 0, 0)" in str(caught.value)
