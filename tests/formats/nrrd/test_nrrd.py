"""``nrrd:`` held against SimpleITK, which reads NRRD with code of its own (Teem)."""

from __future__ import annotations

import bz2
import gzip
from dataclasses import replace
from pathlib import Path

import pytest
import SimpleITK as sitk
from numpy.testing import assert_array_equal

from pyloader import list_image_ids, load_image, load_metadata
from pyloader.errors import FormatError, ImageIdError, UnsupportedError
from tests.support.nrrd_builders import TYPES, URL, VOXELS, load, nrrd
from tests.support.slices import SHAPE, check_all_directions, numbered, oblique, written

# ------------------------------------------------------------------ as SimpleITK writes and reads


@pytest.mark.parametrize("is_compressed", [False, True])
async def test_places_of_all_directions(local, tmp_path, is_compressed):
    image = oblique(VOXELS)
    path = written(image, tmp_path / "a.nrrd", useCompression=is_compressed)
    await check_all_directions(f"nrrd:{path}", local, VOXELS, image)


async def test_header_with_its_data_beside(local, tmp_path):
    image = oblique(VOXELS)
    path = written(image, tmp_path / "a.nhdr")
    assert (tmp_path / "a.raw").exists()
    await check_all_directions(f"nrrd:{path}", local, VOXELS, image)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("endian", ["little", "big"])
async def test_types_and_byte_orders(context, transport, tmp_path, dtype, endian):
    voxels = (numbered("i4") * 3 - (dtype[0] != "u") * 50).astype(dtype)
    order = "<" if endian == "little" else ">"
    file = nrrd(voxels.astype(order + dtype).tobytes(), type=TYPES[dtype], endian=endian)
    (tmp_path / "a.nrrd").write_bytes(file)
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "a.nrrd")))
    pixels = await load(context, transport, file, "?frame=2")
    assert pixels.dtype.newbyteorder("=") == expected.dtype
    assert_array_equal(pixels, expected[1])


@pytest.mark.parametrize("encoding", ["raw", "gzip", "gz", "bzip2", "bz2", "ascii", "text"])
async def test_encodings(context, transport, encoding):
    pack = {"g": gzip.compress, "b": bz2.compress, "r": bytes}.get(encoding[0])
    text = " ".join(map(str, VOXELS.ravel())).replace(" 7 ", ",\n7, ").encode()
    file = nrrd(pack(VOXELS.tobytes()) if pack else text, encoding=encoding)
    assert_array_equal(await load(context, transport, file, "?frame=4"), VOXELS[3])


@pytest.mark.parametrize("skip", [("line skip: 2", "byte skip: 3"), ("byteskip: -1",)])
async def test_what_stands_before_the_elements_is_skipped(context, transport, skip):
    junk = b"one\ntwo\nabc" if len(skip) == 2 else b"of any length"
    file = nrrd(junk + VOXELS.tobytes(), *skip)
    assert_array_equal(await load(context, transport, file), VOXELS[0])


async def test_bytes_are_skipped_within_what_is_compressed(context, transport):
    file = nrrd(b"\n" + gzip.compress(b"abc" + VOXELS.tobytes()), "line skip: 1", "byte skip: 3",
                encoding="gzip")  # fmt: skip
    assert_array_equal(await load(context, transport, file), VOXELS[0])


async def test_members_of_gzip_follow_each_other(context, transport):
    halves = [gzip.compress(half.tobytes()) for half in (VOXELS[:1], VOXELS[1:])]
    file = nrrd(b"".join(halves) + bytes(512), encoding="gzip")
    assert_array_equal(await load(context, transport, file, "?frame=4"), VOXELS[3])


# ------------------------------------------------------------------ damage


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (b"", "is not a readable NRRD file"),
        (b"<html>", "Invalid NRRD magic line"),
        (b"NRRD0009\n\n", "Unsupported NRRD file version"),
        (nrrd(b"", sizes="7 5 x"), "could not convert"),
        (nrrd(b"", "sizes: 1 2 3"), "Duplicate header field: '?sizes"),
        (nrrd(b"", type="complex"), "is not a readable NRRD file"),
        (nrrd(b"", endian=""), "endian"),
        (nrrd(b"", sizes="7 0 4"), r"shape \(7, 0, 4\); expected each length to be 1 or more"),
        (nrrd(b"", sizes="7 -5 4"), "expected each length to be 1 or more"),
        (nrrd(VOXELS.tobytes()).replace(b"dimension: 3", b"dimension: 2"), "has 2 dimensions, but"),
        (nrrd(VOXELS.tobytes(), "kinds: domain"), "has 3 axes, but 1 kinds"),
        (nrrd(VOXELS.tobytes()[:-1]), r"279 bytes of pixels, expected 280 \(140 of int16\)"),
        (nrrd(VOXELS.tobytes(), "byte skip: 1"), "279 bytes of pixels, expected 280"),
        (nrrd(b"", "byte skip: -1"), "is cut off: 0 bytes of pixels, expected 280"),
        (nrrd(b"", "line skip: 9999999999"), "0 bytes of pixels, expected 280"),
        (nrrd(b"1 2 3", encoding="text"), "has 3 numbers written out, expected 140"),
        (nrrd(b"1 " * 139 + b"99999", encoding="text"), "numbers .* that do not fit int16"),
        (nrrd(b"1 " * 139 + b"x", encoding="text"), "something other than numbers"),
        (nrrd(gzip.compress(VOXELS.tobytes())[:-9], encoding="gzip"), "280; it is cut off"),
        (nrrd(gzip.compress(bytes(279)), encoding="gzip"), "279 bytes, expected 280"),
        (nrrd(gzip.compress(bytes(281)), encoding="gzip"), "more than 280 bytes, expected 280"),
        (nrrd(b"not gzip", encoding="gzip"), "is damaged: Error -3"),
        (nrrd(bz2.compress(bytes(100)), encoding="bz2"), "100 bytes, expected 280"),
        (nrrd(b"not bzip2", encoding="bz2"), "is damaged: Invalid data stream"),
        (nrrd(b"", "byte skip: -1", encoding="gzip"), "skips -1 bytes of gzip"),
        (nrrd(VOXELS.tobytes().hex().encode()[:-2], encoding="hex"), "279 bytes of pixels"),
        (nrrd(b"0x" + VOXELS.tobytes().hex().encode(), encoding="hex"), "than hexadecimal digits"),
    ],
)  # fmt: skip
async def test_damaged_files(context, transport, file, text):
    with pytest.raises(FormatError, match=text) as caught:
        await load(context, transport, file)
    assert URL in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"type": "block"}, "'block' are not numbers"),
        ({"encoding": "zrl"}, "encoding 'zrl'; known are raw, ascii, hex"),
    ],
)
async def test_what_is_not_supported_is_named(context, transport, changes, text):
    with pytest.raises(UnsupportedError, match=text):
        await load(context, transport, nrrd(VOXELS.tobytes(), **changes))


async def test_gzip_bomb_is_met_before_it_is_inflated(context, transport):
    small = replace(context, decoded_bytes=1 << 20)
    bomb = gzip.compress(bytes(4 << 20))
    with pytest.raises(FormatError, match="needs 4194304 bytes in memory, more than the 1048576"):
        await load(small, transport, nrrd(bomb, sizes="1024 1024 2", encoding="gzip"))
    with pytest.raises(FormatError, match="more than 280 bytes, expected 280"):
        await load(small, transport, nrrd(bomb, encoding="gzip"))
    with pytest.raises(FormatError, match="needs 9000000280 bytes"):
        await load(small, transport, nrrd(bomb, "byte skip: 9000000000", encoding="gzip"))


async def test_slice_that_is_not_there(context, transport):
    with pytest.raises(ImageIdError, match="asks for frame 5; there are 4, 1 to 4"):
        await load(context, transport, nrrd(VOXELS.tobytes()), "?frame=5")


async def test_file_is_fetched_once_and_described_without_its_pixels(context, transport):
    transport.answers[URL] = nrrd(VOXELS.tobytes(), "spacings: 1 2 3")
    image_ids = await list_image_ids(f"nrrd:{URL}", context)
    assert image_ids == [f"nrrd:{URL}?frame={number}" for number in range(1, 1 + SHAPE[0])]
    for image_id, slice_ in zip(image_ids, VOXELS, strict=True):
        assert_array_equal((await load_image(image_id, context)).pixels, slice_)
        assert (await load_metadata(image_id, context))["image_plane"].pixel_spacing == (2, 1)
    assert len(transport.requests) == 1


def test_example_stays_short():
    source = Path(__file__).parents[3] / "pyloader/formats/nrrd/__init__.py"
    assert len(source.read_text().splitlines()) < 100
